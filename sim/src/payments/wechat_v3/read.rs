//! How a well-signed request becomes a call.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::body::Body;
use super::error::ApiError;
use super::face::{Asked, MerchantKey};
use super::route::Route;
use crate::money::Fen;
use crate::payments::call::{Operation, OrderRef, RefundTerms, Terms};
use crate::payments::form;
use crate::payments::http::Request;
use crate::time::{Now, Span};

pub(super) fn operation(
    now: Now,
    route: &Route,
    request: &Request,
    merchant: &MerchantKey,
) -> Result<Asked, ApiError> {
    let mut echo = BTreeMap::new();
    let operation = match route {
        Route::CodePay => {
            let body = own_body(request, merchant, true)?;
            body.needed_object("/scene_info")?;
            body.needed_object("/payer")?;
            let code = body.needed("/payer/auth_code", 32)?.to_owned();
            Operation::Pay { terms: terms(now, &body)?, code }
        }
        Route::Native => {
            let body = own_body(request, merchant, true)?;
            check_url(body.needed("/notify_url", 255)?)?;
            Operation::Precreate(terms(now, &body)?)
        }
        Route::QueryNumber(number) => {
            own_query(request, merchant)?;
            Operation::Query(OrderRef::Number(number.clone()))
        }
        Route::QueryTransaction(transaction) => {
            own_query(request, merchant)?;
            Operation::Query(OrderRef::Transaction(transaction.clone()))
        }
        Route::Reverse(number) => {
            let body = own_body(request, merchant, true)?;
            echo.insert("appid".to_owned(), body.needed("/appid", 32)?.to_owned());
            Operation::Cancel(OrderRef::Number(number.clone()))
        }
        Route::Close(number) => {
            own_body(request, merchant, false)?;
            Operation::Close(OrderRef::Number(number.clone()))
        }
        Route::Refund => Operation::Refund(refund_terms(&Body::read(&request.body)?)?),
        Route::RefundQuery(number) => {
            Operation::RefundQuery { order: None, refund: Some(number.clone()), refund_id: None }
        }
        Route::Certificates => Operation::Certificates,
    };
    Ok((operation, echo))
}

/// A body that names the merchant who signed it, and an application of that merchant's where one is needed.
fn own_body(request: &Request, merchant: &MerchantKey, with_app: bool) -> Result<Body, ApiError> {
    let body = Body::read(&request.body)?;
    let mchid = body.needed("/mchid", 32)?;
    if mchid != merchant.mchid {
        return Err(ApiError::field("/mchid", Some(mchid), "not the merchant who signed the request"));
    }
    if with_app {
        let app_id = body.needed("/appid", 32)?;
        if !merchant.app_ids.iter().any(|one| one == app_id) {
            return Err(ApiError::new(400, "APPID_MCHID_NOT_MATCH", "appid和mch_id不匹配"));
        }
    }
    Ok(body)
}

/// A query that names the merchant who signed it.
fn own_query(request: &Request, merchant: &MerchantKey) -> Result<(), ApiError> {
    let fields = form::read(request.query.as_bytes())
        .map_err(|trouble| ApiError::query("mchid", Some(&request.query), &trouble.to_string()))?;
    let mchid = fields.iter().find(|(name, _)| name == b"mchid").map(|(_, value)| value);
    match mchid {
        None => Err(ApiError::query("mchid", None, "missing")),
        Some(mchid) if mchid == merchant.mchid.as_bytes() => Ok(()),
        Some(other) => {
            let shown = String::from_utf8_lossy(other);
            Err(ApiError::query("mchid", Some(&shown), "not the merchant who signed the request"))
        }
    }
}

/// The terms of an order; what is not part of them by name goes in as a detail.
fn terms(now: Now, body: &Body) -> Result<Terms, ApiError> {
    let number = order_number(body)?.to_owned();
    let amount = Fen(body.positive("/amount/total")?);
    currency(body)?;
    let mut details = BTreeMap::new();
    for (field, len_max) in [("/attach", 128), ("/goods_tag", 32), ("/time_expire", 64)] {
        if let Some(text) = body.text(field, len_max)? {
            details.insert(field[1..].to_owned(), text.to_owned());
        }
    }
    let device = body.text("/scene_info/device_id", 32)?.unwrap_or("").to_owned();
    Ok(Terms {
        number,
        amount,
        subject: body.needed("/description", 127)?.to_owned(),
        notify_url: body.text("/notify_url", 255)?.map(str::to_owned),
        life: life(now, body.text("/time_expire", 64)?)?,
        device,
        app_id: body.needed("/appid", 32)?.to_owned(),
        details,
    })
}

fn order_number(body: &Body) -> Result<&str, ApiError> {
    let number = body.needed("/out_trade_no", 32)?;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_-|*".contains(&byte);
    if number.len() < 2 || !number.bytes().all(fits) {
        return Err(ApiError::field("/out_trade_no", Some(number), "not 2 to 32 digits, letters or _-|*"));
    }
    Ok(number)
}

fn currency(body: &Body) -> Result<(), ApiError> {
    match body.text("/amount/currency", 16)? {
        None | Some("CNY") => Ok(()),
        Some(other) => Err(ApiError::field("/amount/currency", Some(other), "Currency code is invalid")),
    }
}

/// An address that notifications can be posted to. The platform wants TLS; a double on one's own desk does not.
fn check_url(url: &str) -> Result<(), ApiError> {
    let known = url.starts_with("https://") || url.starts_with("http://");
    if !known || url.contains('?') {
        return Err(ApiError::field("/notify_url", Some(url), "not an address without parameters"));
    }
    Ok(())
}

/// How long an order can be paid whose time is over then: a minute from now at the least.
fn life(now: Now, text: Option<&str>) -> Result<Option<Span>, ApiError> {
    let Some(text) = text else { return Ok(None) };
    let wrong = |issue| ApiError::field("/time_expire", Some(text), issue);
    let end: Timestamp = text.parse().map_err(|_| wrong("not a time as in RFC 3339"))?;
    let left = end.as_microsecond().saturating_sub(now.wall.as_us());
    match u64::try_from(left) {
        Ok(left) if left >= LIFE_MIN_US => Ok(Some(Span::us(left))),
        _ => Err(wrong("less than a minute from now")),
    }
}

/// The shortest life that an order may be given.
const LIFE_MIN_US: u64 = 60_000_000;

fn refund_terms(body: &Body) -> Result<RefundTerms, ApiError> {
    let order = match (body.text("/transaction_id", 32)?, body.text("/out_trade_no", 32)?) {
        (Some(transaction), _) => OrderRef::Transaction(transaction.to_owned()),
        (None, Some(number)) => OrderRef::Number(number.to_owned()),
        (None, None) => return Err(ApiError::field("/out_trade_no", None, "missing, as is transaction_id")),
    };
    let number = body.needed("/out_refund_no", 64)?;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_-|*@".contains(&byte);
    if !number.bytes().all(fits) {
        return Err(ApiError::field("/out_refund_no", Some(number), "not digits, letters or _-|*@"));
    }
    body.needed("/amount/currency", 16)?;
    currency(body)?;
    Ok(RefundTerms {
        order,
        number: Some(number.to_owned()),
        amount: Fen(body.positive("/amount/refund")?),
        total: Some(Fen(body.positive("/amount/total")?)),
        reason: body.text("/reason", 80)?.unwrap_or("").to_owned(),
    })
}
