//! How the content of a well-signed request becomes a call.

use std::collections::BTreeMap;

use serde_json::Value;

use super::amount::{read_timeout, read_yuan};
use super::code::ResultCode;
use super::face::MerchantKey;
use super::parameters::{Charset, Parameters};
use crate::money::Fen;
use crate::payments::beijing;
use crate::payments::call::{CallKind, Operation, OrderRef, RefundTerms, Terms};
use crate::time::{Now, Span};

pub(super) fn operation(
    now: Now,
    kind: CallKind,
    parameters: &Parameters,
    charset: Charset,
    merchant: &MerchantKey,
) -> Result<Operation, ResultCode> {
    let content = Content::read(parameters, charset)?;
    match kind {
        CallKind::Pay => {
            match content.text("scene", 32)?.as_deref() {
                Some("bar_code" | "wave_code" | "security_code") => {}
                _ => return Err(ResultCode::invalid("scene")),
            }
            let code = content.needed("auth_code", 64)?;
            Ok(Operation::Pay { terms: terms(now, &content, parameters, charset, merchant)?, code })
        }
        CallKind::Precreate => Ok(Operation::Precreate(terms(now, &content, parameters, charset, merchant)?)),
        CallKind::Query => Ok(Operation::Query(order(&content)?)),
        CallKind::Cancel => Ok(Operation::Cancel(order(&content)?)),
        CallKind::Close => Ok(Operation::Close(order(&content)?)),
        CallKind::Refund => Ok(Operation::Refund(RefundTerms {
            order: order(&content)?,
            number: content.text("out_request_no", 64)?,
            amount: content.amount("refund_amount")?,
            total: None,
            reason: content.text("refund_reason", 256)?.unwrap_or_default(),
        })),
        CallKind::RefundQuery => Ok(Operation::RefundQuery {
            order: Some(order(&content)?),
            refund: Some(content.needed("out_request_no", 64)?),
            refund_id: None,
        }),
        CallKind::Certificates | CallKind::Notification => {
            Err(ResultCode::new("40002", "isv.invalid-method", "不存在的方法名"))
        }
    }
}

/// The order that a request names, signed or not; empty if it names none.
pub(super) fn named(parameters: &Parameters) -> String {
    let content = parameters.bytes("biz_content").and_then(|bytes| serde_json::from_slice(bytes).ok());
    let content: Value = content.unwrap_or_default();
    content["out_trade_no"].as_str().unwrap_or("").to_owned()
}

/// The JSON object in `biz_content`.
struct Content(Value);

impl Content {
    fn read(parameters: &Parameters, charset: Charset) -> Result<Self, ResultCode> {
        let wrong = |words: &str| ResultCode::new("40002", "isv.invalid-parameter", words);
        let text = parameters.text("biz_content", charset);
        let text = text.ok_or_else(|| wrong("参数无效：biz_content"))?;
        let text = text.map_err(|_| wrong("参数无效：biz_content的字符集与charset不一致"))?;
        match serde_json::from_str(&text) {
            Ok(value @ Value::Object(_)) => Ok(Self(value)),
            _ => Err(wrong("参数无效：biz_content不是JSON对象")),
        }
    }

    /// A text of so many characters at most, if it is there. A number is as good as its digits.
    fn text(&self, name: &str, len_max: usize) -> Result<Option<String>, ResultCode> {
        let text = match self.0.get(name) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            Some(_) => return Err(ResultCode::invalid(name)),
        };
        match text.chars().count() {
            0 => Ok(None),
            len if len <= len_max => Ok(Some(text)),
            _ => Err(ResultCode::invalid(name)),
        }
    }

    fn needed(&self, name: &str, len_max: usize) -> Result<String, ResultCode> {
        self.text(name, len_max)?.ok_or_else(|| ResultCode::invalid(name))
    }

    fn amount(&self, name: &str) -> Result<Fen, ResultCode> {
        read_yuan(&self.needed(name, 16)?).ok_or_else(|| ResultCode::invalid(name))
    }
}

/// The order that a call is about; the platform's own number counts more.
fn order(content: &Content) -> Result<OrderRef, ResultCode> {
    if let Some(transaction) = content.text("trade_no", 64)? {
        return Ok(OrderRef::Transaction(transaction));
    }
    match content.text("out_trade_no", 64)? {
        Some(number) => Ok(OrderRef::Number(number)),
        None => Err(ResultCode::invalid("out_trade_no")),
    }
}

/// The terms of an order; what is not part of them by name goes in as a detail.
fn terms(
    now: Now,
    content: &Content,
    parameters: &Parameters,
    charset: Charset,
    merchant: &MerchantKey,
) -> Result<Terms, ResultCode> {
    let number = content.needed("out_trade_no", 64)?;
    if !number.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return Err(ResultCode::invalid("out_trade_no"));
    }
    let subject = content.needed("subject", 256)?;
    if subject.contains(['/', '=', '&']) {
        return Err(ResultCode::invalid("subject"));
    }
    if content.text("seller_id", 32)?.is_some_and(|seller| seller != merchant.seller_id) {
        return Err(ResultCode::new("40004", "ACQ.PARTNER_ERROR", "应用APP_ID填写错误"));
    }
    let notify_url = match parameters.text("notify_url", charset) {
        Some(url) => {
            Some(url.ok().filter(|url| is_address(url)).ok_or_else(|| ResultCode::invalid("notify_url"))?)
        }
        None => None,
    };
    let mut details = BTreeMap::new();
    for name in [
        "body",
        "store_id",
        "operator_id",
        "product_code",
        "timeout_express",
        "time_expire",
        "passback_params",
    ] {
        if let Some(text) = content.text(name, 512)? {
            details.insert(name.to_owned(), text);
        }
    }
    details.insert("charset".to_owned(), charset.as_str().to_owned());
    Ok(Terms {
        number,
        amount: content.amount("total_amount")?,
        subject,
        notify_url,
        life: life(now, content)?,
        device: content.text("terminal_id", 32)?.unwrap_or_default(),
        app_id: merchant.app_id.clone(),
        details,
    })
}

fn is_address(url: &str) -> bool {
    (url.starts_with("http://") || url.starts_with("https://")) && url.len() <= 256
}

/// How long an order can be paid: a span of its own, or until a time on the calendar.
fn life(now: Now, content: &Content) -> Result<Option<Span>, ResultCode> {
    if let Some(text) = content.text("timeout_express", 6)? {
        return read_timeout(&text).map(Some).ok_or_else(|| ResultCode::invalid("timeout_express"));
    }
    let Some(text) = content.text("time_expire", 32)? else { return Ok(None) };
    let invalid = || ResultCode::invalid("time_expire");
    let end = beijing::parse_plain(&text).map_err(|_| invalid())?;
    let left = u64::try_from(end.as_us().saturating_sub(now.wall.as_us())).map_err(|_| invalid())?;
    Ok(Some(Span::us(left)))
}
