//! The client's side of WeChat Pay v2: XML with HMAC-SHA256.

use super::books::Try;
use super::config::ClientSetup;
use super::policy::{Check, Receipt, Signing};
use super::requests::{About, Ask, Refused, Stands, Why, Word, notify_url};
use crate::money::Fen;
use crate::payments::http::{Request, Response};
use crate::payments::wechat_v2::sign::{SignType, sign};
use crate::payments::wechat_v2::xml::{self, Fields};

/// Codes of a pay call from which it is certain that the payer is not charged.
const REFUSED: [&str; 20] = [
    "AUTHCODEEXPIRE",
    "AUTH_CODE_ERROR",
    "AUTH_CODE_INVALID",
    "NOTENOUGH",
    "NOTSUPORTCARD",
    "BUYER_MISMATCH",
    "TRADE_ERROR",
    "RULELIMIT",
    "PARAM_ERROR",
    "NOAUTH",
    "XML_FORMAT_ERROR",
    "REQUIRE_POST_METHOD",
    "POST_DATA_EMPTY",
    "SIGNERROR",
    "LACK_PARAMS",
    "NOT_UTF8",
    "APPID_NOT_EXIST",
    "MCHID_NOT_EXIST",
    "APPID_MCHID_NOT_MATCH",
    "INVALID_REQUEST",
];

const fn path(ask: Ask) -> &'static str {
    match ask {
        Ask::Pay => "/pay/micropay",
        Ask::Offer => "/pay/unifiedorder",
        Ask::Query => "/pay/orderquery",
        Ask::Reverse => "/secapi/pay/reverse",
        Ask::Close => "/pay/closeorder",
        Ask::Refund => "/secapi/pay/refund",
    }
}

pub(super) fn request(setup: &ClientSetup, ask: Ask, about: &About) -> Request {
    let config = &setup.config;
    let mut fields: Fields = Vec::new();
    let mut add = |name: &str, value: &str| fields.push((name.to_owned(), value.to_owned()));
    add("appid", &config.app_id);
    add("mch_id", &config.mch_id);
    add("nonce_str", &about.nonce);
    add("sign_type", SignType::HmacSha256.as_str());
    add("out_trade_no", &about.order.number());
    let fen = about.amount.0.to_string();
    match ask {
        Ask::Pay | Ask::Offer => {
            add("device_info", About::DEVICE);
            add("body", About::SUBJECT);
            add("attach", &about.sale());
            add("total_fee", &fen);
            add("spbill_create_ip", &config.notify.ip().to_string());
        }
        Ask::Refund => {
            add("out_refund_no", &about.refund);
            add("total_fee", &fen);
            add("refund_fee", &fen);
        }
        Ask::Query | Ask::Reverse | Ask::Close => {}
    }
    match ask {
        Ask::Pay => add("auth_code", about.code.as_deref().unwrap_or("")),
        Ask::Offer => {
            add("trade_type", "NATIVE");
            add("product_id", About::SUBJECT);
            add("notify_url", &notify_url(setup));
        }
        _ => {}
    }
    let counted: Fields = match setup.policy.signing {
        Signing::InPart => fields.iter().filter(|(name, _)| name != "sign_type").cloned().collect(),
        Signing::Whole | Signing::Unsigned => fields.clone(),
    };
    if setup.policy.signing != Signing::Unsigned {
        fields.push(("sign".to_owned(), sign(&counted, &config.key, SignType::HmacSha256)));
    }
    Request::post(path(ask), xml::render(&fields))
}

pub(super) fn word(setup: &ClientSetup, ask: Ask, (order, amount): (Try, Fen), response: &Response) -> Word {
    let policy = setup.policy;
    let Some(fields) = believed(setup, &response.body, policy.answer_signature) else { return Word::Nothing };
    if response.status != 200 {
        return Word::Nothing;
    }
    if ask == Ask::Reverse && field(&fields, "recall") == "Y" {
        return Word::Again;
    }
    if field(&fields, "result_code") != "SUCCESS" {
        let code = field(&fields, "err_code");
        return Word::Refused(Refused { why: why(code), code: code.to_owned() });
    }
    let paid = || {
        let fits = is_ours(setup, &fields, policy.answer_amount, order, amount);
        if fits { Word::Paid } else { Word::Nothing }
    };
    match ask {
        Ask::Pay => paid(),
        Ask::Query => match field(&fields, "trade_state") {
            "SUCCESS" => paid(),
            "CLOSED" => Word::Stands(Stands::Dead("CLOSED")),
            "REVOKED" => Word::Stands(Stands::Dead("REVOKED")),
            "PAYERROR" => Word::Stands(Stands::Dead("PAYERROR")),
            "REFUND" => Word::Stands(Stands::Refunded),
            _ => Word::Stands(Stands::Open),
        },
        Ask::Offer => match field(&fields, "code_url") {
            "" => Word::Nothing,
            url => Word::Offered(url.to_owned()),
        },
        Ask::Reverse | Ask::Close | Ask::Refund => Word::Done,
    }
}

fn why(code: &str) -> Why {
    match code {
        "USERPAYING" => Why::Waits,
        "ORDERPAID" => Why::OrderPaid,
        "ORDERNOTEXIST" => Why::Gone,
        "ORDERCLOSED" | "ORDERREVERSED" => Why::Closed,
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
    let fields = believed(setup, &request.body, policy.notice_signature)?;
    if field(&fields, "result_code") != "SUCCESS" {
        return None;
    }
    let order = Try::of(field(&fields, "out_trade_no"))?;
    is_ours(setup, &fields, policy.notice_amount, order, amount(order)?).then_some(order)
}

pub(super) fn receipt(how: Receipt) -> Response {
    match how {
        Receipt::Exact => document("SUCCESS", "OK"),
        Receipt::Nearly => document("success", "OK"),
        Receipt::OtherPlatforms => Response::new(200, "text/plain", "success"),
        Receipt::Empty => Response::new(200, "text/plain", ""),
        Receipt::Fail => document("FAIL", "not taken"),
    }
}

fn document(code: &str, words: &str) -> Response {
    let fields = [("return_code", code), ("return_msg", words)];
    let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Response::new(200, "text/xml; charset=utf-8", xml::render(&fields))
}

/// The fields of a document of the platform, if its signature is good.
fn believed(setup: &ClientSetup, body: &[u8], check: Check) -> Option<Fields> {
    let fields = xml::read(body).ok()?;
    let good = || field(&fields, "sign") == sign(&fields, &setup.config.key, SignType::HmacSha256);
    let fits = field(&fields, "return_code") == "SUCCESS" && (check == Check::Ignored || good());
    fits.then_some(fields)
}

/// Whether a success is about our order, with its amount.
fn is_ours(setup: &ClientSetup, fields: &Fields, check: Check, order: Try, amount: Fen) -> bool {
    let config = &setup.config;
    let named = field(fields, "out_trade_no") == order.number();
    let fits = field(fields, "total_fee") == amount.0.to_string()
        && field(fields, "appid") == config.app_id
        && field(fields, "mch_id") == config.mch_id;
    named && (check == Check::Ignored || fits)
}

fn field<'a>(fields: &'a Fields, name: &str) -> &'a str {
    fields.iter().find(|(one, _)| one == name).map_or("", |(_, value)| value.as_str())
}
