//! Conversations with the face: every request is signed here as a merchant signs, every answer verified.

use super::face::field;
use super::sign::{SignType, sign};
use super::xml::{self, Fields};
use super::{MerchantKey, WechatV2};
use crate::money::Fen;
use crate::payments::backend::Backend;
use crate::payments::call::House;
use crate::payments::faces::Faces;
use crate::payments::http::{Answer, Reply, Request, Response};
use crate::payments::ledger::Manner;
use crate::payments::plan::Plan;
use crate::payments::profile::Profile;
use crate::payments::watch::WrongMove;
use crate::seed::Seed;
use crate::time::{Instant, Now, Span, Wall};

mod bad_input;
mod notices;
mod plans;
mod sales;
mod watched;

const APP: &str = "wxd930ea5d5a258f4f";
const MCH: &str = "10000100";
const KEY: &str = "192006250b4c09247ec02edce69f6a2d";
const CODE: &str = "134567890123456789";

/// A merchant's side of a backend.
struct Shop {
    backend: Backend,
    mono: Instant,
    by: SignType,
}

impl Shop {
    fn open() -> Self {
        Self::open_with("")
    }

    /// With a plan of misbehaviour. `ada` has 5,000 yuan, and `bob` one.
    fn open_with(plan: &str) -> Self {
        let merchant = MerchantKey { mch_id: MCH.into(), app_ids: vec![APP.into()], key: KEY.into() };
        let other =
            MerchantKey { mch_id: "10000200".into(), app_ids: vec!["wxother".into()], key: "other".into() };
        let face = WechatV2::new([merchant, other], Seed(1).stream("nonces"));
        let faces = Faces { wechat_v2: Some(face), ..Faces::default() };
        let mut backend = Backend::new(Profile::built_in(), faces, Plan::read(plan).unwrap());
        let ledger = backend.ledger_mut();
        ledger.add_payer("ada", Fen(500_000), Manner::Pays);
        ledger.add_payer("bob", Fen(100), Manner::Pays);
        ledger.give_strange_codes_to("ada");
        Self { backend, mono: Instant::ZERO, by: SignType::Md5 }
    }

    /// The calendar begins on 2026-03-01 at noon in Beijing.
    fn now(&self) -> Now {
        let start = Wall::parse_digits(b"20260301040000").unwrap();
        Now { mono: self.mono, wall: start.stepped(i64::try_from(self.mono.as_us()).unwrap()) }
    }

    fn wait(&mut self, span: Span) {
        self.mono += span;
        let now = self.now();
        self.backend.handle_deadline(now);
    }

    fn manner(&mut self, payer: &str, manner: Manner) {
        assert!(self.backend.ledger_mut().set_manner(payer, manner));
    }

    /// Fields as a merchant signs them.
    fn signed(&self, fields: &[(&str, &str)]) -> Fields {
        let mut all: Fields = vec![
            ("appid".into(), APP.into()),
            ("mch_id".into(), MCH.into()),
            ("nonce_str".into(), "n1".into()),
        ];
        if self.by == SignType::HmacSha256 {
            all.push(("sign_type".into(), "HMAC-SHA256".into()));
        }
        for (name, value) in fields {
            all.retain(|(one, _)| one != name);
            all.push(((*name).into(), (*value).into()));
        }
        let signature = sign(&all, KEY, self.by);
        all.push(("sign".into(), signature));
        all
    }

    fn post(&mut self, path: &str, body: impl Into<Vec<u8>>) -> Reply {
        let now = self.now();
        self.backend.handle_request(now, &Request::post(path, body))
    }

    /// A call and its answer, whose signature has to be good.
    fn call(&mut self, path: &str, fields: &[(&str, &str)]) -> Fields {
        let body = xml::render(&self.signed(fields));
        let answer = read(&self.post(path, body));
        assert_eq!(field(&answer, "return_code"), "SUCCESS", "{answer:?}");
        assert_eq!(field(&answer, "sign"), sign(&answer, KEY, self.by), "{answer:?}");
        answer
    }

    fn pay(&mut self, number: &str, fen: &str, code: &str) -> Fields {
        let fields = [
            ("body", "tea"),
            ("out_trade_no", number),
            ("total_fee", fen),
            ("spbill_create_ip", "127.0.0.1"),
            ("auth_code", code),
            ("device_info", "till 1"),
        ];
        self.call("/pay/micropay", &fields)
    }

    fn query(&mut self, number: &str) -> Fields {
        self.call("/pay/orderquery", &[("out_trade_no", number)])
    }

    fn native(&mut self, number: &str, fen: &str) -> Fields {
        let fields = [
            ("body", "tea"),
            ("out_trade_no", number),
            ("total_fee", fen),
            ("spbill_create_ip", "127.0.0.1"),
            ("trade_type", "NATIVE"),
            ("product_id", "12"),
            ("notify_url", "http://127.0.0.1:9/paid"),
        ];
        self.call("/pay/unifiedorder", &fields)
    }

    fn refund(&mut self, number: &str, refund: &str, total: &str, fen: &str) -> Fields {
        let fields =
            [("out_trade_no", number), ("out_refund_no", refund), ("total_fee", total), ("refund_fee", fen)];
        self.call("/secapi/pay/refund", &fields)
    }

    fn scanned_and_paid(&mut self, number: &str, payer: &str) {
        let now = self.now();
        self.backend.scan(now, House::Wechat, (MCH, number), payer).unwrap();
        self.backend.pay(now, House::Wechat, (MCH, number)).unwrap();
    }

    fn balance(&self) -> i64 {
        self.backend.ledger().merchant_balance(House::Wechat, MCH).unwrap().0
    }

    fn wrong_moves(&self) -> Vec<WrongMove> {
        self.backend.watch().findings().map(|finding| finding.what).collect()
    }
}

fn response(reply: &Reply) -> &Response {
    match &reply.answer {
        Answer::Whole(response) => response,
        other => panic!("no whole answer: {other:?}"),
    }
}

fn read(reply: &Reply) -> Fields {
    xml::read(&response(reply).body).unwrap()
}

/// The codes of an answer: result, error.
fn codes(fields: &Fields) -> (&str, &str) {
    (field(fields, "result_code"), field(fields, "err_code"))
}
