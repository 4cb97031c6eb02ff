//! The face with a ledger behind it, asked as a merchant's program asks.

mod calls;
mod hostile;
mod notifications;
mod signatures;

use std::sync::LazyLock;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::*;
use crate::money::Fen;
use crate::payments::crypto::{ApiV3Key, KeyStream, PlatformCertificate, PublicKey, SecretKey};
use crate::payments::http::{Answer, Request, Response};
use crate::payments::ledger::Manner;
use crate::payments::{Backend, Faces, Plan, Profile};
use crate::seed::Seed;
use crate::time::{Instant, Now, Span, Wall};

const PKCS1: &str = include_str!("../../../../fixtures/payments/rfc9500-rsa2048-pkcs1.pem");
const MCHID: &str = "1900009191";
const APPID: &str = "wxd678efh567hg6787";
const SERIAL: &str = "1DDE55AD98ED71D6EDD4A4A16996DE7B47773A8C";
const API_V3_KEY: &str = "0123456789abcdef0123456789abcdef";
const PUB_KEY_ID: &str = "PUB_KEY_ID_0119000091912026030100000000000001";
const CODE: &str = "130000000000000001";

static PLATFORM: LazyLock<PlatformKeys> = LazyLock::new(|| {
    let mut stream = KeyStream::of_seed(Seed(1), "wechat-v3");
    let (signing, public_mode) = (SecretKey::generate(&mut stream), SecretKey::generate(&mut stream));
    let from: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let certificate = PlatformCertificate::issue(&signing, &mut stream, from).unwrap();
    PlatformKeys { signing, certificate, public_mode, public_key_id: PUB_KEY_ID.to_owned() }
});

/// A merchant's desk: it signs what it asks and verifies what it is told.
struct Desk {
    backend: Backend,
    key: SecretKey,
    at: Span,
    count: u32,
}

impl Desk {
    fn new(mode: Mode, plan: &str) -> Self {
        let key = SecretKey::read(PKCS1).unwrap();
        let merchant = MerchantKey {
            mchid: MCHID.to_owned(),
            app_ids: vec![APPID.to_owned()],
            serial: SERIAL.to_owned(),
            public: key.public().clone(),
            api_v3_key: ApiV3Key::new(API_V3_KEY).unwrap(),
            mode,
        };
        let random = KeyStream::of_seed(Seed(2), "nonces");
        let face = WechatV3::new([merchant], PLATFORM.clone(), random, 400);
        let faces = Faces { wechat_v3: Some(face), ..Faces::default() };
        let mut backend = Backend::new(Profile::built_in(), faces, Plan::read(plan).unwrap());
        backend.ledger_mut().add_payer("openid-a", Fen(10_000_000), Manner::Pays);
        let mut desk = Self { backend, key, at: Span::ZERO, count: 0 };
        let now = desk.now();
        assert!(desk.backend.ledger_mut().show_code(now, "openid-a", CODE));
        desk
    }

    fn now(&self) -> Now {
        let wall = Wall::from_us(1_772_323_200_000_000 + i64::try_from(self.at.as_us()).unwrap());
        Now { mono: Instant::from_us(0) + self.at, wall }
    }

    fn wait(&mut self, span: Span) {
        self.at = self.at + span;
        let now = self.now();
        self.backend.handle_deadline(now);
    }

    /// A request with all that the platform wants of it.
    fn request(&mut self, method: &str, target: &str, body: &str) -> Request {
        self.count += 1;
        let (timestamp, nonce) = (self.now().wall.as_us() / 1_000_000, format!("NONCE{}", self.count));
        let message = format!("{method}\n{target}\n{timestamp}\n{nonce}\n{body}\n");
        let signature = self.key.sign(message.as_bytes());
        let authorization = format!(
            "WECHATPAY2-SHA256-RSA2048 mchid=\"{MCHID}\",nonce_str=\"{nonce}\",signature=\"{signature}\",\
             timestamp=\"{timestamp}\",serial_no=\"{SERIAL}\""
        );
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let headers = [
            ("accept", "application/json"),
            ("user-agent", "desk"),
            ("content-type", "application/json"),
            ("authorization", &authorization),
        ];
        Request {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            body: body.as_bytes().to_vec(),
            ..Request::default()
        }
    }

    fn carry(&mut self, request: &Request) -> Response {
        let now = self.now();
        match self.backend.handle_request(now, request).answer {
            Answer::Whole(response) => response,
            other => panic!("not answered whole: {other:?}"),
        }
    }

    /// Asks, and verifies the answer.
    fn ask(&mut self, method: &str, target: &str, body: &Value) -> (u16, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let request = self.request(method, target, &body);
        let response = self.carry(&request);
        verify(&response.headers, &response.body).unwrap();
        (response.status, serde_json::from_slice(&response.body).unwrap_or(Value::Null))
    }

    fn query(&mut self, number: &str) -> (u16, Value) {
        let target = format!("/v3/pay/transactions/out-trade-no/{number}?mchid={MCHID}");
        self.ask("GET", &target, &Value::Null)
    }

    /// How many orders and refunds are in the books, and what the merchant has.
    fn books(&self) -> (usize, usize, i64) {
        let ledger = self.backend.ledger();
        let balance = ledger.merchant_balance(crate::payments::House::Wechat, MCHID).unwrap();
        (ledger.orders().len(), ledger.refunds().len(), balance.0)
    }

    fn findings(&self) -> Vec<&'static str> {
        self.backend.watch().findings().map(|finding| finding.what.as_str()).collect()
    }
}

/// What a client's library does with an answer or a notification: finds the key by its name and checks the signature.
fn verify(headers: &[(String, String)], body: &[u8]) -> Result<(), String> {
    let header =
        |name: &str| headers.iter().find(|(one, _)| one == name).map_or("", |(_, value)| value.as_str());
    let key: &PublicKey = match header("wechatpay-serial") {
        PUB_KEY_ID => PLATFORM.public_mode.public(),
        serial if serial == PLATFORM.certificate.serial() => PLATFORM.signing.public(),
        other => return Err(format!("no key is named {other:?}")),
    };
    if header("wechatpay-signature-type") != "WECHATPAY2-SHA256-RSA2048" {
        return Err("no signature type".to_owned());
    }
    let mut message =
        format!("{}\n{}\n", header("wechatpay-timestamp"), header("wechatpay-nonce")).into_bytes();
    message.extend_from_slice(body);
    message.push(b'\n');
    key.verify(&message, header("wechatpay-signature")).map_err(|trouble| trouble.to_string())
}

fn code_pay(number: &str, total: i64) -> Value {
    json!({
        "appid": APPID, "mchid": MCHID, "description": "水卡充值", "out_trade_no": number, "attach": "柜台 3",
        "payer": { "auth_code": CODE }, "amount": { "total": total, "currency": "CNY" },
        "scene_info": { "device_id": "till-3", "store_info": { "id": "1" } },
    })
}

fn native(number: &str, total: i64) -> Value {
    json!({
        "appid": APPID, "mchid": MCHID, "description": "水卡充值", "out_trade_no": number,
        "notify_url": "http://127.0.0.1:9/paid", "amount": { "total": total },
    })
}

fn refund(number: &str, refund: &str, amount: i64, total: i64) -> Value {
    json!({
        "out_trade_no": number, "out_refund_no": refund, "reason": "退水",
        "amount": { "refund": amount, "total": total, "currency": "CNY" },
    })
}

const CODE_PAY: &str = "/v3/pay/transactions/codepay";
const NATIVE: &str = "/v3/pay/transactions/native";
const REFUNDS: &str = "/v3/refund/domestic/refunds";
