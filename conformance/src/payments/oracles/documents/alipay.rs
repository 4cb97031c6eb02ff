//! Documents of Alipay.

use assay_sim::money::Fen;
use assay_sim::payments::alipay::{covered, signed_object};
use assay_sim::payments::call::CallKind;
use assay_sim::payments::form;
use assay_sim::payments::http::{Request, Response};
use assay_sim::payments::plant::KEYS;
use serde_json::Value;

use super::{Document, Says, Why};
use crate::payments::scene::Scene;

/// A form whose texts are in UTF-8.
struct Form(form::Fields);

impl Form {
    /// The parameters of a request: of its query, and behind them those of its body.
    fn of(request: &Request) -> Self {
        let mut fields = form::read(request.query.as_bytes()).unwrap_or_default();
        fields.extend(form::read(&request.body).unwrap_or_default());
        Self(fields)
    }

    fn text(&self, name: &str) -> &str {
        let value = self.0.iter().find(|(one, _)| one == name.as_bytes()).map(|(_, value)| value.as_slice());
        value.and_then(|value| std::str::from_utf8(value).ok()).unwrap_or("")
    }

    fn covered(&self, without: &[&str]) -> Vec<u8> {
        covered(self.0.iter().map(|(name, value)| (name.as_slice(), value.as_slice())), without)
    }
}

pub(super) fn call(request: &Request, scene: &Scene) -> Document {
    let form = Form::of(request);
    let content = serde_json::from_str(form.text("biz_content")).unwrap_or(Value::Null);
    let signature = form.text("sign");
    let genuine = KEYS.merchant.public().verify(&form.covered(&["sign"]), signature).is_ok();
    Document {
        signed: !signature.is_empty(),
        genuine: genuine && form.text("app_id") == scene.profile.client.app_id,
        sale: text(&content, "passback_params").to_owned(),
        code: text(&content, "auth_code").to_owned(),
        refund: text(&content, "out_request_no").to_owned(),
        nonce: signature.to_owned(),
        ours: true,
        ..of(&content)
    }
}

pub(super) fn answer(kind: CallKind, response: &Response, _: &Scene) -> Document {
    let Some(object) = signed_object(&response.body).filter(|_| response.status == 200) else {
        return Document::default();
    };
    let body = serde_json::from_slice(object.bytes).unwrap_or(Value::Null);
    let genuine = KEYS.platform.public().verify(object.bytes, object.signature).is_ok();
    let (code, sub_code) = (text(&body, "code"), text(&body, "sub_code"));
    let says = match kind {
        CallKind::Cancel if text(&body, "retry_flag") == "Y" => Says::Again,
        _ if code != "10000" => Says::Refused(why(kind, code, sub_code)),
        CallKind::Pay => Says::Paid,
        CallKind::Query => match text(&body, "trade_status") {
            "TRADE_SUCCESS" | "TRADE_FINISHED" => Says::Paid,
            "TRADE_CLOSED" => Says::Dead,
            _ => Says::Open,
        },
        _ => Says::Done,
    };
    let word = if sub_code.is_empty() { code } else { sub_code }.to_owned();
    // An answer names no merchant: that it is signed for us is all there is.
    Document { signed: true, genuine, says, word, ours: true, ..of(&body) }
}

pub(super) fn notice(request: &Request, scene: &Scene) -> Document {
    let form = Form::of(request);
    let signature = form.text("sign");
    let message = form.covered(&["sign", "sign_type"]);
    let paid = matches!(form.text("trade_status"), "TRADE_SUCCESS" | "TRADE_FINISHED");
    let client = &scene.profile.client;
    Document {
        signed: !signature.is_empty(),
        genuine: KEYS.platform.public().verify(&message, signature).is_ok(),
        number: form.text("out_trade_no").to_owned(),
        amount: fen(form.text("total_amount")),
        ours: form.text("app_id") == client.app_id && form.text("seller_id") == client.mch_id,
        says: if paid { Says::Paid } else { Says::Nothing },
        ..Document::default()
    }
}

fn of(body: &Value) -> Document {
    let number = text(body, "out_trade_no").to_owned();
    Document { number, amount: fen(text(body, "total_amount")), ..Document::default() }
}

/// An amount in yuan with two decimals.
fn fen(text: &str) -> Option<Fen> {
    let (yuan, rest) = text.split_once('.').filter(|(_, rest)| rest.len() == 2)?;
    Some(Fen(yuan.parse::<i64>().ok()?.checked_mul(100)?.checked_add(rest.parse().ok()?)?))
}

fn why(kind: CallKind, code: &str, sub_code: &str) -> Why {
    let is = |ending: &str| sub_code.ends_with(ending);
    match code {
        "10003" | "20000" => Why::Unknown,
        _ if is("SYSTEM_ERROR") || is("CONTEXT_INCONSISTENT") || is("DISCORDANT_REPEAT_REQUEST") => {
            Why::Unknown
        }
        _ if is("TRADE_HAS_SUCCESS") => Why::OrderPaid,
        // No trade yet, or none any more: from this alone an order is not known to be dead.
        _ if is("TRADE_NOT_EXIST") => Why::Unknown,
        _ if is("REASON_TRADE_STATUS_INVALID") || is("TRADE_HAS_CLOSE") => Why::Closed,
        _ if kind == CallKind::Pay => Why::Certain,
        _ => Why::Unknown,
    }
}

fn text<'a>(body: &'a Value, name: &str) -> &'a str {
    body.get(name).and_then(Value::as_str).unwrap_or("")
}
