//! Documents of WeChat Pay v3.

use assay_sim::money::Fen;
use assay_sim::payments::call::CallKind;
use assay_sim::payments::http::{Request, Response};
use assay_sim::payments::plant::KEYS;
use assay_sim::payments::wechat_v3::Authorization;
use serde_json::Value;

use super::{Document, Says, Why};
use crate::payments::scene::Scene;

pub(super) fn call(request: &Request, scene: &Scene) -> Document {
    let body = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
    let header = request.header("authorization");
    let read = header.and_then(|header| Authorization::read(header).ok());
    let client = &scene.profile.client;
    let genuine = read.as_ref().is_some_and(|read| {
        let message = read.message(&request.method, &request.target(), &request.body);
        let ours = read.mchid == client.mch_id && read.serial.eq_ignore_ascii_case(&client.serial);
        ours && KEYS.merchant.public().verify(&message, &read.signature).is_ok()
    });
    let mut parts = request.path.split('/').skip_while(|part| *part != "out-trade-no").skip(1);
    let named = parts.next().map(str::to_owned);
    Document {
        signed: header.is_some(),
        genuine,
        number: named.unwrap_or_else(|| text(&body, "/out_trade_no")),
        code: text(&body, "/payer/auth_code"),
        refund: text(&body, "/out_refund_no"),
        nonce: read.map(|read| read.nonce).unwrap_or_default(),
        ..of(&body, scene)
    }
}

pub(super) fn answer(kind: CallKind, response: &Response, scene: &Scene) -> Document {
    let body = serde_json::from_slice(&response.body).unwrap_or(Value::Null);
    let header = |name| response.header(name).unwrap_or("");
    let document = with_signature(of(&body, scene), header, &response.body);
    let says = match response.status {
        204 if kind == CallKind::Close => Says::Done,
        200 => match (kind, body.pointer("/trade_state").and_then(Value::as_str)) {
            (CallKind::Pay | CallKind::Query, Some("SUCCESS")) => Says::Paid,
            (CallKind::Query, Some("CLOSED" | "REVOKED" | "PAYERROR" | "REFUND")) => Says::Dead,
            (CallKind::Pay | CallKind::Query, Some(_)) => Says::Open,
            (CallKind::Pay | CallKind::Query, None) => Says::Nothing,
            _ => Says::Done,
        },
        // A page of somebody in between bears no signature.
        400.. if document.signed => Says::Refused(why(kind, &text(&body, "/code"))),
        _ => Says::Nothing,
    };
    let word = if response.status < 400 { text(&body, "/trade_state") } else { text(&body, "/code") };
    Document { says, word, ..document }
}

pub(super) fn notice(request: &Request, scene: &Scene) -> Document {
    let body = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
    let header = |name| request.header(name).unwrap_or("");
    let opened = opened(&body, scene).unwrap_or(Value::Null);
    let paid = text(&opened, "/trade_state") == "SUCCESS";
    let says = if paid { Says::Paid } else { Says::Nothing };
    Document { says, ..with_signature(of(&opened, scene), header, &request.body) }
}

/// The result in a notification.
fn opened(body: &Value, scene: &Scene) -> Option<Value> {
    let key = &scene.profile.client.api_v3_key;
    let part = |name: &str| text(body, &format!("/resource/{name}"));
    let nonce: [u8; 12] = part("nonce").as_bytes().try_into().ok()?;
    serde_json::from_slice(&key.open(&nonce, &part("associated_data"), &part("ciphertext")).ok()?).ok()
}

fn of(body: &Value, scene: &Scene) -> Document {
    let client = &scene.profile.client;
    Document {
        number: text(body, "/out_trade_no"),
        sale: text(body, "/attach"),
        amount: body.pointer("/amount/total").and_then(Value::as_i64).map(Fen),
        ours: text(body, "/mchid") == client.mch_id && text(body, "/appid") == client.app_id,
        ..Document::default()
    }
}

fn with_signature<'a>(document: Document, header: impl Fn(&'static str) -> &'a str, body: &[u8]) -> Document {
    let signature = header("wechatpay-signature");
    let mut message =
        format!("{}\n{}\n", header("wechatpay-timestamp"), header("wechatpay-nonce")).into_bytes();
    message.extend_from_slice(body);
    message.push(b'\n');
    let genuine = KEYS.platform.public().verify(&message, signature).is_ok();
    Document { signed: !signature.is_empty(), genuine, ..document }
}

fn why(kind: CallKind, code: &str) -> Why {
    match code {
        "ORDERPAID" => Why::OrderPaid,
        "ORDER_NOT_EXIST" | "ORDERNOTEXIST" => Why::Gone,
        "ORDER_CLOSED" | "ORDER_REVERSED" => Why::Closed,
        "SYSTEM_ERROR" | "BANK_ERROR" | "USERPAYING" | "OUT_TRADE_NO_USED" | "FREQUENCY_LIMITED" => {
            Why::Unknown
        }
        _ if kind == CallKind::Pay => Why::Certain,
        _ => Why::Unknown,
    }
}

fn text(body: &Value, pointer: &str) -> String {
    body.pointer(pointer).and_then(Value::as_str).unwrap_or("").to_owned()
}
