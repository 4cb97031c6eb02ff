//! The client's side of WeChat Pay v3: JSON, signed with the merchant's key, verified with the platform's public key.

use serde_json::{Value, json};

use super::books::Try;
use super::config::ClientSetup;
use super::policy::{Check, Receipt, Signing};
use super::requests::{About, Ask, Refused, Stands, Why, Word, notify_url};
use crate::money::Fen;
use crate::payments::http::{Request, Response};
use crate::payments::wechat_v3::SCHEME;
use crate::time::Now;

/// Codes of a pay call from which it is certain that the payer is not charged.
const REFUSED: [&str; 12] = [
    "AUTH_CODE_EXPIRED",
    "AUTH_CODE_ERROR",
    "AUTH_CODE_INVALID",
    "NOT_ENOUGH",
    "TRADE_ERROR",
    "RULE_LIMIT",
    "PARAM_ERROR",
    "NO_AUTH",
    "SIGN_ERROR",
    "APPID_MCHID_NOT_MATCH",
    "INVALID_REQUEST",
    "MCH_NOT_EXISTS",
];

fn target(setup: &ClientSetup, ask: Ask, order: Try) -> (&'static str, String) {
    let base = "/v3/pay/transactions";
    let number = order.number();
    match ask {
        Ask::Pay => ("POST", format!("{base}/codepay")),
        Ask::Offer => ("POST", format!("{base}/native")),
        Ask::Query => ("GET", format!("{base}/out-trade-no/{number}?mchid={}", setup.config.mch_id)),
        Ask::Reverse => ("POST", format!("{base}/out-trade-no/{number}/reverse")),
        Ask::Close => ("POST", format!("{base}/out-trade-no/{number}/close")),
        Ask::Refund => ("POST", "/v3/refund/domestic/refunds".to_owned()),
    }
}

fn body(setup: &ClientSetup, ask: Ask, about: &About) -> Value {
    let config = &setup.config;
    let (number, fen) = (about.order.number(), about.amount.0);
    let order = json!({
        "appid": config.app_id,
        "mchid": config.mch_id,
        "description": About::SUBJECT,
        "out_trade_no": number,
        "attach": about.sale(),
        "amount": { "total": fen, "currency": "CNY" },
        "scene_info": { "device_id": About::DEVICE },
    });
    match ask {
        Ask::Pay => {
            let mut order = order;
            order["payer"] = json!({ "auth_code": about.code.as_deref().unwrap_or("") });
            order
        }
        Ask::Offer => {
            let mut order = order;
            order["notify_url"] = json!(notify_url(setup));
            order
        }
        Ask::Query => Value::Null,
        Ask::Reverse => json!({ "appid": config.app_id, "mchid": config.mch_id }),
        Ask::Close => json!({ "mchid": config.mch_id }),
        Ask::Refund => json!({
            "out_trade_no": number,
            "out_refund_no": about.refund,
            "amount": { "refund": fen, "total": fen, "currency": "CNY" },
        }),
    }
}

pub(super) fn request(setup: &ClientSetup, now: Now, ask: Ask, about: &About) -> Request {
    let config = &setup.config;
    let (method, target) = target(setup, ask, about.order);
    let body = match body(setup, ask, about) {
        Value::Null => String::new(),
        body => body.to_string(),
    };
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let mut headers = vec![
        ("accept", "application/json".to_owned()),
        ("user-agent", "till".to_owned()),
        ("content-type", "application/json".to_owned()),
        ("wechatpay-serial", config.platform_key_id.clone()),
    ];
    if setup.policy.signing != Signing::Unsigned {
        let timestamp = now.wall.as_us().div_euclid(1_000_000);
        let covered = if setup.policy.signing == Signing::InPart { "" } else { body.as_str() };
        let message = format!("{method}\n{target}\n{timestamp}\n{}\n{covered}\n", about.nonce);
        let signature = setup.keys.own.sign(message.as_bytes());
        let (mchid, nonce, serial) = (&config.mch_id, &about.nonce, &config.serial);
        let header = format!(
            "{SCHEME} mchid=\"{mchid}\",nonce_str=\"{nonce}\",signature=\"{signature}\",timestamp=\"{timestamp}\",\
             serial_no=\"{serial}\""
        );
        headers.push(("authorization", header));
    }
    Request {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers: headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        body: body.into_bytes(),
        ..Request::default()
    }
}

pub(super) fn word(setup: &ClientSetup, ask: Ask, (order, amount): (Try, Fen), response: &Response) -> Word {
    let policy = setup.policy;
    let header = |name: &str| response.header(name).unwrap_or("");
    if !is_genuine(setup, header, &response.body, policy.answer_signature) {
        return Word::Nothing;
    }
    if response.status == 204 {
        return if ask == Ask::Close { Word::Done } else { Word::Nothing };
    }
    let Ok(body) = serde_json::from_slice::<Value>(&response.body) else { return Word::Nothing };
    if response.status != 200 {
        let code = text(&body, "/code");
        return Word::Refused(Refused { why: why(code), code: code.to_owned() });
    }
    match ask {
        Ask::Pay | Ask::Query => match text(&body, "/trade_state") {
            "SUCCESS" if is_ours(setup, &body, policy.answer_amount, order, amount) => Word::Paid,
            "SUCCESS" => Word::Nothing,
            "CLOSED" => Word::Stands(Stands::Dead("CLOSED")),
            "REVOKED" => Word::Stands(Stands::Dead("REVOKED")),
            "PAYERROR" => Word::Stands(Stands::Dead("PAYERROR")),
            "REFUND" => Word::Stands(Stands::Refunded),
            _ => Word::Stands(Stands::Open),
        },
        Ask::Offer => match text(&body, "/code_url") {
            "" => Word::Nothing,
            url => Word::Offered(url.to_owned()),
        },
        Ask::Refund => match text(&body, "/status") {
            "SUCCESS" | "PROCESSING" => Word::Done,
            _ => Word::Nothing,
        },
        Ask::Reverse => Word::Done,
        Ask::Close => Word::Nothing,
    }
}

fn why(code: &str) -> Why {
    match code {
        "USERPAYING" => Why::Waits,
        "ORDERPAID" => Why::OrderPaid,
        // The documents have both.
        "ORDER_NOT_EXIST" | "ORDERNOTEXIST" => Why::Gone,
        "ORDER_CLOSED" | "ORDER_REVERSED" => Why::Closed,
        code if REFUSED.contains(&code) => Why::Certain,
        _ => Why::Unknown,
    }
}

pub(super) fn notified(
    setup: &ClientSetup,
    request: &Request,
    amount: impl Fn(Try) -> Option<Fen>,
) -> Option<Try> {
    let policy = setup.policy;
    let header = |name: &str| request.header(name).unwrap_or("");
    if !is_genuine(setup, header, &request.body, policy.notice_signature) {
        return None;
    }
    let body: Value = serde_json::from_slice(&request.body).ok()?;
    if text(&body, "/event_type") != "TRANSACTION.SUCCESS" {
        return None;
    }
    let key = &setup.config.api_v3_key;
    let nonce: [u8; 12] = text(&body, "/resource/nonce").as_bytes().try_into().ok()?;
    let (associated, sealed) =
        (text(&body, "/resource/associated_data"), text(&body, "/resource/ciphertext"));
    let result: Value = serde_json::from_slice(&key.open(&nonce, associated, sealed).ok()?).ok()?;
    if text(&result, "/trade_state") != "SUCCESS" {
        return None;
    }
    let order = Try::of(text(&result, "/out_trade_no"))?;
    is_ours(setup, &result, policy.notice_amount, order, amount(order)?).then_some(order)
}

pub(super) fn receipt(how: Receipt) -> Response {
    let json = "application/json";
    match how {
        Receipt::Exact => Response { status: 204, ..Response::default() },
        Receipt::Nearly => Response::new(202, json, r#"{"code":"SUCCESS","message":"OK"}"#),
        // Any body will do.
        Receipt::OtherPlatforms => Response::new(200, "text/plain", "success"),
        Receipt::Empty => Response::new(200, "text/plain", ""),
        Receipt::Fail => Response::new(500, json, r#"{"code":"FAIL","message":"not taken"}"#),
    }
}

/// Whether the platform has signed a body. A key of another name would be somebody else's.
fn is_genuine<'a>(setup: &ClientSetup, header: impl Fn(&str) -> &'a str, body: &[u8], check: Check) -> bool {
    let (timestamp, nonce) = (header("wechatpay-timestamp"), header("wechatpay-nonce"));
    let mut message = format!("{timestamp}\n{nonce}\n").into_bytes();
    message.extend_from_slice(body);
    message.push(b'\n');
    let signature = header("wechatpay-signature");
    let named = header("wechatpay-serial") == setup.config.platform_key_id;
    named && (check == Check::Ignored || setup.keys.platform.verify(&message, signature).is_ok())
}

/// Whether a success is about our order, with its amount.
fn is_ours(setup: &ClientSetup, body: &Value, check: Check, order: Try, amount: Fen) -> bool {
    let config = &setup.config;
    let named = text(body, "/out_trade_no") == order.number();
    let fits = body.pointer("/amount/total").and_then(Value::as_i64) == Some(amount.0)
        && text(body, "/appid") == config.app_id
        && text(body, "/mchid") == config.mch_id;
    named && (check == Check::Ignored || fits)
}

fn text<'a>(body: &'a Value, pointer: &str) -> &'a str {
    body.pointer(pointer).and_then(Value::as_str).unwrap_or("")
}
