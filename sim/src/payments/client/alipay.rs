//! The client's side of Alipay: a form signed with RSA2, JSON back, whose signature covers the bytes of its object.

use serde_json::{Value, json};

use super::books::Try;
use super::config::ClientSetup;
use super::policy::{Check, Receipt, Signing};
use super::requests::{About, Ask, Refused, Stands, Why, Word, notify_url};
use crate::money::Fen;
use crate::payments::alipay::{covered, signed_object};
use crate::payments::beijing::plain;
use crate::payments::form;
use crate::payments::http::{Request, Response};
use crate::time::Now;

/// What sub-codes of a pay call end in from which it is certain that the payer is not charged. Their beginnings differ.
const REFUSED: [&str; 13] = [
    "PAYMENT_AUTH_CODE_INVALID",
    "BUYER_BALANCE_NOT_ENOUGH",
    "BUYER_BANKCARD_BALANCE_NOT_ENOUGH",
    "PULL_MOBILE_CASHIER_FAIL",
    "PAYMENT_FAIL",
    "TOTAL_FEE_EXCEED",
    "BUYER_SELLER_EQUAL",
    "TRADE_BUYER_NOT_MATCH",
    "EXIST_FORBIDDEN_WORD",
    "ACCESS_FORBIDDEN",
    "PARTNER_ERROR",
    "INVALID_PARAMETER",
    "TRADE_HAS_CLOSE",
];

const fn method(ask: Ask) -> &'static str {
    match ask {
        Ask::Pay => "alipay.trade.pay",
        Ask::Offer => "alipay.trade.precreate",
        Ask::Query => "alipay.trade.query",
        Ask::Reverse => "alipay.trade.cancel",
        Ask::Close => "alipay.trade.close",
        Ask::Refund => "alipay.trade.refund",
    }
}

fn content(setup: &ClientSetup, ask: Ask, about: &About) -> Value {
    let mut content = json!({ "out_trade_no": about.order.number() });
    let mut add = |name: &str, value: &str| content[name] = json!(value);
    let yuan = about.amount.to_string();
    match ask {
        Ask::Pay | Ask::Offer => {
            add("subject", About::SUBJECT);
            add("total_amount", &yuan);
            add("terminal_id", About::DEVICE);
            add("passback_params", &about.sale());
            // Without it an order lives for as long as the platform likes.
            let minutes = setup.config.order_life.as_us().div_ceil(60_000_000);
            add("timeout_express", &format!("{minutes}m"));
        }
        Ask::Refund => {
            add("refund_amount", &yuan);
            add("out_request_no", &about.refund);
        }
        Ask::Query | Ask::Reverse | Ask::Close => {}
    }
    if ask == Ask::Pay {
        add("scene", "bar_code");
        add("auth_code", about.code.as_deref().unwrap_or(""));
    }
    content
}

pub(super) fn request(setup: &ClientSetup, now: Now, ask: Ask, about: &About) -> Request {
    let mut fields = vec![
        ("app_id", setup.config.app_id.clone()),
        ("method", method(ask).to_owned()),
        ("format", "JSON".to_owned()),
        ("charset", "utf-8".to_owned()),
        ("sign_type", "RSA2".to_owned()),
        ("timestamp", plain(now.wall)),
        ("version", "1.0".to_owned()),
    ];
    if ask == Ask::Offer {
        fields.push(("notify_url", notify_url(setup)));
    }
    fields.push(("biz_content", content(setup, ask, about).to_string()));
    let pairs = || fields.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    let signature = match setup.policy.signing {
        Signing::Unsigned => None,
        Signing::InPart => Some(setup.keys.own.sign(&covered(pairs(), &["sign_type"]))),
        Signing::Whole => Some(setup.keys.own.sign(&covered(pairs(), &[]))),
    };
    let sign = signature.as_ref().map(|signature| (b"sign".as_slice(), signature.as_bytes()));
    let kind = ("content-type".to_owned(), "application/x-www-form-urlencoded;charset=utf-8".to_owned());
    Request { headers: vec![kind], ..Request::post("/gateway.do", form::write(pairs().chain(sign))) }
}

pub(super) fn word(setup: &ClientSetup, ask: Ask, (order, amount): (Try, Fen), response: &Response) -> Word {
    let policy = setup.policy;
    let Some(object) = signed_object(&response.body).filter(|_| response.status == 200) else {
        return Word::Nothing;
    };
    let genuine = || setup.keys.platform.verify(object.bytes, object.signature).is_ok();
    if object.name != format!("{}_response", method(ask).replace('.', "_"))
        || policy.answer_signature == Check::Checked && !genuine()
    {
        return Word::Nothing;
    }
    let Ok(body) = serde_json::from_slice::<Value>(object.bytes) else { return Word::Nothing };
    if ask == Ask::Reverse && text(&body, "retry_flag") == "Y" {
        return Word::Again;
    }
    let code = text(&body, "code");
    if code != "10000" {
        let sub_code = text(&body, "sub_code");
        let shown = if sub_code.is_empty() { code } else { sub_code };
        return Word::Refused(Refused { why: why(code, sub_code), code: shown.to_owned() });
    }
    let paid = || {
        let named = text(&body, "out_trade_no") == order.number();
        let fits = text(&body, "total_amount") == amount.to_string();
        if named && (policy.answer_amount == Check::Ignored || fits) { Word::Paid } else { Word::Nothing }
    };
    match ask {
        Ask::Pay => paid(),
        Ask::Query => match text(&body, "trade_status") {
            "TRADE_SUCCESS" | "TRADE_FINISHED" => paid(),
            "TRADE_CLOSED" => Word::Stands(Stands::Dead("TRADE_CLOSED")),
            _ => Word::Stands(Stands::Open),
        },
        Ask::Offer => match text(&body, "qr_code") {
            "" => Word::Nothing,
            url => Word::Offered(url.to_owned()),
        },
        Ask::Reverse | Ask::Close | Ask::Refund => Word::Done,
    }
}

fn why(code: &str, sub_code: &str) -> Why {
    let is = |ending: &str| sub_code.ends_with(ending);
    match code {
        "10003" => Why::Waits,
        "20001" | "40001" | "40002" | "40003" | "40006" => Why::Certain,
        "40004" if is("TRADE_HAS_SUCCESS") => Why::OrderPaid,
        "40004" if is("APPLY_PC_MERCHANT_CODE_ERROR") => Why::Made,
        "40004" if is("TRADE_NOT_EXIST") => Why::Gone,
        "40004" if is("REASON_TRADE_STATUS_INVALID") => Why::Closed,
        "40004" if REFUSED.iter().any(|ending| is(ending)) => Why::Certain,
        _ => Why::Unknown,
    }
}

pub(super) fn notified(
    setup: &ClientSetup,
    request: &Request,
    amount: impl Fn(Try) -> Option<Fen>,
) -> Option<Try> {
    let (policy, fields) = (setup.policy, form::read(&request.body).ok()?);
    let field = |name: &str| {
        let value = fields.iter().find(|(one, _)| one == name.as_bytes()).map(|(_, value)| value.as_slice());
        value.and_then(|value| std::str::from_utf8(value).ok()).unwrap_or("")
    };
    let pairs = fields.iter().map(|(name, value)| (name.as_slice(), value.as_slice()));
    let message = covered(pairs, &["sign", "sign_type"]);
    let genuine = || setup.keys.platform.verify(&message, field("sign")).is_ok();
    if policy.notice_signature == Check::Checked && !genuine() {
        return None;
    }
    if !matches!(field("trade_status"), "TRADE_SUCCESS" | "TRADE_FINISHED") {
        return None;
    }
    let order = Try::of(field("out_trade_no"))?;
    let fits = field("total_amount") == amount(order)?.to_string() && field("app_id") == setup.config.app_id;
    (policy.notice_amount == Check::Ignored || fits).then_some(order)
}

pub(super) fn receipt(how: Receipt) -> Response {
    let body = match how {
        Receipt::Exact => "success",
        Receipt::Nearly => "success\n",
        Receipt::OtherPlatforms => "<xml><return_code><![CDATA[SUCCESS]]></return_code></xml>",
        Receipt::Empty => "",
        Receipt::Fail => "fail",
    };
    Response::new(200, "text/plain", body)
}

fn text<'a>(body: &'a Value, name: &str) -> &'a str {
    body.get(name).and_then(Value::as_str).unwrap_or("")
}
