//! The face with a ledger behind it, asked as a merchant's program asks.

mod calls;
mod forms;
mod notifications;

use std::sync::LazyLock;

use serde_json::{Value, json};

use super::*;
use crate::money::Fen;
use crate::payments::crypto::{KeyStream, SecretKey};
use crate::payments::form;
use crate::payments::http::{Answer, Request, Response};
use crate::payments::ledger::Manner;
use crate::payments::{Backend, Faces, House, Plan, Profile};
use crate::seed::Seed;
use crate::time::{Instant, Now, Span, Wall};

const PKCS1: &str = include_str!("../../../../fixtures/payments/rfc9500-rsa2048-pkcs1.pem");
const APP_ID: &str = "2014072300007148";
const SELLER: &str = "2088101117955611";
const CODE: &str = "2800000000000001";

static PLATFORM: LazyLock<SecretKey> =
    LazyLock::new(|| SecretKey::generate(&mut KeyStream::of_seed(Seed(1), "alipay")));

/// A merchant's desk: it signs what it asks and verifies what it is told.
struct Desk {
    backend: Backend,
    key: SecretKey,
    at: Span,
}

impl Desk {
    fn new(plan: &str) -> Self {
        let key = SecretKey::read(PKCS1).unwrap();
        let (app_id, seller_id) = (APP_ID.to_owned(), SELLER.to_owned());
        let merchant = MerchantKey { app_id, seller_id, public: key.public().clone() };
        let faces = Faces { alipay: Some(Alipay::new([merchant], PLATFORM.clone())), ..Faces::default() };
        let mut backend = Backend::new(Profile::built_in(), faces, Plan::read(plan).unwrap());
        backend.ledger_mut().add_payer("2088202954065786", Fen(10_000_000), Manner::Pays);
        let mut desk = Self { backend, key, at: Span::ZERO };
        let now = desk.now();
        assert!(desk.backend.ledger_mut().show_code(now, "2088202954065786", CODE));
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

    /// The parameters of a call, signed.
    fn signed(&self, method: &str, content: &str, more: &[(&str, &str)]) -> Vec<(String, String)> {
        let common = [
            ("app_id", APP_ID),
            ("method", method),
            ("format", "JSON"),
            ("charset", "utf-8"),
            ("sign_type", "RSA2"),
            ("timestamp", "2026-03-01 08:00:00"),
            ("version", "1.0"),
            ("biz_content", content),
        ];
        let kept = common.iter().filter(|(name, _)| more.iter().all(|(one, _)| one != name));
        let mut fields: Vec<(String, String)> = kept
            .chain(more)
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        fields.sort();
        let pairs: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
        fields.push(("sign".to_owned(), self.key.sign(pairs.join("&").as_bytes())));
        fields
    }

    fn carry(&mut self, request: &Request) -> Response {
        let now = self.now();
        match self.backend.handle_request(now, request).answer {
            Answer::Whole(response) => response,
            other => panic!("not answered whole: {other:?}"),
        }
    }

    /// Asks, and verifies the answer.
    fn ask(&mut self, method: &str, content: &Value) -> Value {
        self.ask_with(method, content, &[])
    }

    fn ask_with(&mut self, method: &str, content: &Value, more: &[(&str, &str)]) -> Value {
        let fields = self.signed(method, &content.to_string(), more);
        let response = self.carry(&post(&fields));
        assert_eq!(response.status, 200);
        let text = String::from_utf8(response.body).unwrap();
        verified(&text).unwrap_or_else(|| panic!("no good signature: {text}"))
    }

    fn query(&mut self, number: &str) -> Value {
        self.ask("alipay.trade.query", &json!({ "out_trade_no": number }))
    }

    /// How many orders and refunds are in the books, and what the merchant has.
    fn books(&self) -> (usize, usize, i64) {
        let ledger = self.backend.ledger();
        let balance = ledger.merchant_balance(House::Alipay, APP_ID).unwrap();
        (ledger.orders().len(), ledger.refunds().len(), balance.0)
    }

    fn findings(&self) -> Vec<&'static str> {
        self.backend.watch().findings().map(|finding| finding.what.as_str()).collect()
    }
}

fn form_of(fields: &[(String, String)]) -> String {
    form::write(fields.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())))
}

fn post(fields: &[(String, String)]) -> Request {
    let mut request = Request::post("/gateway.do", form_of(fields));
    let kind = "application/x-www-form-urlencoded;charset=utf-8";
    request.headers.push(("content-type".to_owned(), kind.to_owned()));
    request
}

/// The object of an answer, if its signature covers exactly the bytes between the object's name and `,"sign"`.
fn verified(text: &str) -> Option<Value> {
    let (name, rest) = text.strip_prefix("{\"")?.split_once("\":")?;
    let (content, signature) = rest.rsplit_once(",\"sign\":\"")?;
    PLATFORM.public().verify(content.as_bytes(), signature.strip_suffix("\"}")?).ok()?;
    assert!(name.ends_with("_response"), "{name}");
    serde_json::from_str(content).ok()
}

fn pay(number: &str, amount: &str) -> Value {
    json!({
        "out_trade_no": number, "scene": "bar_code", "auth_code": CODE, "subject": "水卡充值",
        "total_amount": amount, "timeout_express": "5m", "terminal_id": "till-3",
    })
}

fn precreate(number: &str, amount: &str) -> Value {
    json!({ "out_trade_no": number, "subject": "水卡充值", "total_amount": amount, "timeout_express": "5m" })
}

/// Code and sub-code of an answer.
fn codes(answer: &Value) -> (&str, &str) {
    (answer["code"].as_str().unwrap_or(""), answer["sub_code"].as_str().unwrap_or(""))
}

const PAY: &str = "alipay.trade.pay";
const PRECREATE: &str = "alipay.trade.precreate";
const CANCEL: &str = "alipay.trade.cancel";
const CLOSE: &str = "alipay.trade.close";
const REFUND: &str = "alipay.trade.refund";
const REFUND_QUERY: &str = "alipay.trade.fastpay.refund.query";
