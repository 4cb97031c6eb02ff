//! How a request becomes a call: form, merchant, signature, fields, in this order.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::face::{BEIJING_US, MerchantKey, WechatV2, XML, field, kind_at};
use super::sign::{SignType, sign};
use super::xml::{self, Fields, XmlError};
use crate::money::Fen;
use crate::payments::call::{Call, CallKind, Operation, OrderRef, Platform, RefundTerms, Terms};
use crate::payments::face::{Rejected, Signature};
use crate::payments::http::{Request, Response};
use crate::time::{Now, Span, Wall};

/// The shortest life that `time_expire` may give an order.
const LIFE_MIN_US: i64 = 60_000_000;

/// What is wrong with a request: the platform's code, and its words.
type Wrong = (&'static str, String);

impl WechatV2 {
    pub(super) fn read_call(&self, now: Now, request: &Request) -> Result<Call, Rejected> {
        let kind = kind_at(&request.path);
        let refuse = |(code, words): Wrong| Rejected { kind, ..rejected(code, &words) };
        let fields = fields_of(request).map_err(refuse)?;
        let known = |rejected: Rejected| Rejected {
            kind,
            merchant: field(&fields, "mch_id").to_owned(),
            order: field(&fields, "out_trade_no").to_owned(),
            ..rejected
        };
        let by = self
            .check_signature(&fields)
            .map_err(|(wrong, signature)| known(Rejected { signature, ..rejected(wrong.0, &wrong.1) }))?;
        let signed = |rejected: Rejected| Rejected { signature: Signature::Good, ..known(rejected) };
        if needs_certificate(request) {
            let page = "<html><head><title>400 No required SSL certificate was sent</title></head></html>\n";
            let response = Response::new(400, "text/html", page);
            return Err(signed(Rejected::unread(response, "no client certificate was shown")));
        }
        let operation = kind.ok_or_else(|| ("INVALID_REQUEST", "no such interface".to_owned()));
        let operation = operation.and_then(|kind| operation_of(now, kind, &fields, by));
        let operation = operation.map_err(|(code, words)| signed(rejected(code, &words)))?;
        let echoed = ["appid", "mch_id", "sub_appid", "sub_mch_id", "device_info"];
        let mut echo: BTreeMap<String, String> = echoed
            .into_iter()
            .map(|name| (name.to_owned(), field(&fields, name).to_owned()))
            .filter(|(_, value)| !value.is_empty())
            .collect();
        echo.insert("sign_type".to_owned(), by.as_str().to_owned());
        let merchant = field(&fields, "mch_id").to_owned();
        Ok(Call { platform: Platform::WechatV2, merchant, operation, echo })
    }

    /// Who signed it, and whether that is so.
    fn check_signature(&self, fields: &Fields) -> Result<SignType, (Wrong, Signature)> {
        let unchecked = |wrong: Wrong| (wrong, Signature::Unchecked);
        for name in ["appid", "mch_id", "nonce_str"] {
            needed(fields, name, 32).map_err(unchecked)?;
        }
        let merchant = self.merchant_of(fields).map_err(unchecked)?;
        let by = SignType::read(field(fields, "sign_type"));
        let by = by.ok_or_else(|| unchecked(wrong("PARAM_ERROR", "sign_type")))?;
        let signature = field(fields, "sign");
        let error = || ("SIGNERROR", "签名错误".to_owned());
        if signature.is_empty() {
            return Err((error(), Signature::Missing));
        }
        if signature != sign(fields, &merchant.key, by) {
            return Err((error(), Signature::Bad));
        }
        Ok(by)
    }

    fn merchant_of(&self, fields: &Fields) -> Result<&MerchantKey, Wrong> {
        let (mch_id, app_id) = (field(fields, "mch_id"), field(fields, "appid"));
        let merchant = self.merchant(mch_id).ok_or_else(|| ("MCHID_NOT_EXIST", "MCHID不存在".to_owned()))?;
        if merchant.app_ids.iter().any(|one| one == app_id) {
            return Ok(merchant);
        }
        Err(if self.knows_app(app_id) {
            ("APPID_MCHID_NOT_MATCH", "appid和mch_id不匹配".to_owned())
        } else {
            ("APPID_NOT_EXIST", "APPID不存在".to_owned())
        })
    }
}

/// The platform's answer to what never becomes a call.
fn rejected(code: &str, words: &str) -> Rejected {
    let fields = [("return_code", "FAIL"), ("return_msg", words), ("err_code", code)];
    let fields: Fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    Rejected::unread(Response::new(200, XML, xml::render(&fields)), format!("{code}: {words}"))
}

fn wrong(code: &'static str, name: &str) -> Wrong {
    (code, format!("{code}: {name}"))
}

fn fields_of(request: &Request) -> Result<Fields, Wrong> {
    if request.method != "POST" {
        return Err(("REQUIRE_POST_METHOD", "请使用post方法".to_owned()));
    }
    if request.body.is_empty() {
        return Err(("POST_DATA_EMPTY", "post数据为空".to_owned()));
    }
    xml::read(&request.body).map_err(|error| match error {
        XmlError::NotUtf8 => ("NOT_UTF8", "编码格式错误".to_owned()),
        _ => ("XML_FORMAT_ERROR", "XML格式错误".to_owned()),
    })
}

/// Whether a certificate is needed and there is none. Over plain HTTP, where nobody can show one, none is.
fn needs_certificate(request: &Request) -> bool {
    request.path.starts_with("/secapi/") && request.over_tls && request.client_certificate.is_none()
}

fn operation_of(now: Now, kind: CallKind, fields: &Fields, by: SignType) -> Result<Operation, Wrong> {
    match kind {
        CallKind::Pay => {
            for name in ["body", "spbill_create_ip"] {
                needed(fields, name, 128)?;
            }
            let code = needed(fields, "auth_code", 128)?.to_owned();
            Ok(Operation::Pay { terms: terms(now, fields, by)?, code })
        }
        CallKind::Precreate => {
            match needed(fields, "trade_type", 16)? {
                "NATIVE" => needed(fields, "product_id", 32)?,
                _ => return Err(wrong("PARAM_ERROR", "trade_type is not NATIVE")),
            };
            let url = needed(fields, "notify_url", 256)?;
            if !(url.starts_with("http://") || url.starts_with("https://")) || url.contains('?') {
                return Err(wrong("PARAM_ERROR", "notify_url"));
            }
            needed(fields, "body", 128)?;
            Ok(Operation::Precreate(terms(now, fields, by)?))
        }
        CallKind::Query => Ok(Operation::Query(order(fields)?)),
        CallKind::Cancel => Ok(Operation::Cancel(order(fields)?)),
        CallKind::Close => {
            let number = needed(fields, "out_trade_no", 32)?;
            Ok(Operation::Close(OrderRef::Number(number.to_owned())))
        }
        CallKind::Refund => {
            let number = needed(fields, "out_refund_no", 64)?.to_owned();
            let (total, amount) = (amount(fields, "total_fee")?, amount(fields, "refund_fee")?);
            let reason = field(fields, "refund_desc").to_owned();
            let order = order(fields)?;
            Ok(Operation::Refund(RefundTerms {
                order,
                number: Some(number),
                amount,
                total: Some(total),
                reason,
            }))
        }
        CallKind::RefundQuery => {
            let text = |name| Some(field(fields, name).to_owned()).filter(|text| !text.is_empty());
            let (order, refund, refund_id) = (order(fields).ok(), text("out_refund_no"), text("refund_id"));
            if order.is_none() && refund.is_none() && refund_id.is_none() {
                return Err(wrong("LACK_PARAMS", "out_trade_no"));
            }
            Ok(Operation::RefundQuery { order, refund, refund_id })
        }
        CallKind::Certificates | CallKind::Notification => {
            Err(("INVALID_REQUEST", "no such interface".to_owned()))
        }
    }
}

/// The terms of an order; what is not part of them by name goes in as a detail.
fn terms(now: Now, fields: &Fields, by: SignType) -> Result<Terms, Wrong> {
    let number = needed(fields, "out_trade_no", 32)?;
    if !is_number(number) {
        return Err(wrong("PARAM_ERROR", "out_trade_no"));
    }
    let address = needed(fields, "spbill_create_ip", 64)?;
    if address.parse::<IpAddr>().is_err() {
        return Err(wrong("PARAM_ERROR", "spbill_create_ip"));
    }
    let currency = field(fields, "fee_type");
    if !matches!(currency, "" | "CNY") {
        return Err(wrong("PARAM_ERROR", "fee_type"));
    }
    let kept = ["attach", "product_id", "detail", "goods_tag", "limit_pay", "time_expire", "sub_mch_id"];
    let mut details: BTreeMap<String, String> = kept
        .into_iter()
        .map(|name| (name.to_owned(), field(fields, name).to_owned()))
        .filter(|(_, value)| !value.is_empty())
        .collect();
    details.insert("sign_type".to_owned(), by.as_str().to_owned());
    let url = field(fields, "notify_url");
    Ok(Terms {
        number: number.to_owned(),
        amount: amount(fields, "total_fee")?,
        subject: field(fields, "body").to_owned(),
        notify_url: Some(url.to_owned()).filter(|url| !url.is_empty()),
        life: life(now, field(fields, "time_expire"))?,
        device: field(fields, "device_info").to_owned(),
        app_id: field(fields, "appid").to_owned(),
        details,
    })
}

/// How long an order can be paid whose time is over at this point of the platform's calendar.
fn life(now: Now, text: &str) -> Result<Option<Span>, Wrong> {
    if text.is_empty() {
        return Ok(None);
    }
    let end = Wall::parse_digits(text.as_bytes()).map_err(|_| wrong("PARAM_ERROR", "time_expire"))?;
    let left = end.as_us() - BEIJING_US - now.wall.as_us();
    let left = u64::try_from(left).ok().filter(|_| left >= LIFE_MIN_US);
    left.map(|left| Some(Span::us(left))).ok_or_else(|| wrong("PARAM_ERROR", "time_expire"))
}

/// The order that a call is about.
fn order(fields: &Fields) -> Result<OrderRef, Wrong> {
    match (field(fields, "transaction_id"), field(fields, "out_trade_no")) {
        ("", "") => Err(wrong("LACK_PARAMS", "out_trade_no")),
        ("", number) => Ok(OrderRef::Number(number.to_owned())),
        (number, _) => Ok(OrderRef::Transaction(number.to_owned())),
    }
}

/// A field that has to be there, of so many characters at the most.
fn needed<'a>(fields: &'a Fields, name: &str, len_max: usize) -> Result<&'a str, Wrong> {
    match field(fields, name) {
        "" => Err(wrong("LACK_PARAMS", name)),
        value if value.chars().count() > len_max => Err(wrong("PARAM_ERROR", name)),
        value => Ok(value),
    }
}

/// A whole number of fen above zero.
fn amount(fields: &Fields, name: &str) -> Result<Fen, Wrong> {
    let text = needed(fields, name, 16)?;
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let amount = text.parse::<i64>().ok().filter(|amount| digits && *amount > 0);
    amount.map(Fen).ok_or_else(|| wrong("PARAM_ERROR", name))
}

/// Whether a text can be a merchant's number of an order.
fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-|*@".contains(&byte))
}
