//! How outcomes become JSON.

use serde_json::{Value, json};

use super::code::ResultCode;
use crate::money::Fen;
use crate::payments::beijing::plain;
use crate::payments::call::{Call, CallKind, Outcome, Refusal, Undone};
use crate::payments::ledger::{Order, Refund, State};

/// The object that answers a call.
pub(super) fn content(call: &Call, outcome: &Outcome) -> Value {
    let kind = call.kind();
    let order = outcome.order.as_ref();
    let mut body = failure(&result_of(kind, outcome));
    match (kind, order) {
        (CallKind::Cancel, _) => add_cancel(&mut body, call, outcome),
        _ if body["code"] != "10000" && body["code"] != "10003" => {}
        (CallKind::Pay, Some(order)) => add_pay(&mut body, order),
        (CallKind::Precreate, Some(order)) => {
            body["out_trade_no"] = json!(order.terms.number);
            body["qr_code"] = json!(format!("https://qr.alipay.com/bax{}", order.transaction));
        }
        (CallKind::Query, Some(order)) => add_query(&mut body, order),
        (CallKind::Close, Some(order)) => add_names(&mut body, order),
        (CallKind::Refund, Some(order)) => {
            if let Some(refund) = &outcome.refund {
                add_refund(&mut body, order, refund, outcome.repeat);
            }
        }
        (CallKind::RefundQuery, Some(order)) => {
            if let Some(refund) = &outcome.refund {
                add_names(&mut body, order);
                body["out_request_no"] = json!(refund.number);
                body["total_amount"] = yuan(order.terms.amount);
                body["refund_amount"] = yuan(refund.amount);
                body["refund_reason"] = json!(refund.reason);
                if refund.settled {
                    body["refund_status"] = json!("REFUND_SUCCESS");
                    body["gmt_refund_pay"] = json!(plain(refund.settles_wall));
                }
            }
        }
        (_, _) => {}
    }
    body
}

/// The object with a code and nothing else.
pub(super) fn failure(result: &ResultCode) -> Value {
    let mut body = json!({ "code": result.code, "msg": result.msg() });
    if !result.sub_code.is_empty() {
        body["sub_code"] = json!(result.sub_code);
        body["sub_msg"] = json!(result.sub_msg);
    }
    body
}

/// What a call came to, as the gateway has it: there is no trade before a payer has taken up an order.
fn result_of(kind: CallKind, outcome: &Outcome) -> ResultCode {
    let no_trade = outcome.order.as_ref().is_some_and(|order| order.payer.is_none());
    match (kind, outcome.result) {
        (_, Err(refusal)) if refusal.is_unknown() => ResultCode::of(kind, refusal),
        (CallKind::Precreate, Ok(())) if outcome.repeat => {
            ResultCode::new("40004", "ACQ.APPLY_PC_MERCHANT_CODE_ERROR", "申请二维码失败")
        }
        (CallKind::Query | CallKind::Close | CallKind::Refund | CallKind::RefundQuery, _) if no_trade => {
            ResultCode::of(kind, Refusal::NoSuchOrder)
        }
        (_, Ok(())) => ResultCode::success(),
        (_, Err(refusal)) => ResultCode::of(kind, refusal),
    }
}

fn add_names(body: &mut Value, order: &Order) {
    body["out_trade_no"] = json!(order.terms.number);
    body["trade_no"] = json!(order.transaction);
}

fn add_payment(body: &mut Value, order: &Order) {
    add_names(body, order);
    body["total_amount"] = yuan(order.terms.amount);
    let payer = order.payer.as_deref().unwrap_or("");
    body["buyer_user_id"] = json!(payer);
    body["buyer_logon_id"] = json!(masked(payer));
    let paid = if order.paid_wall.is_some() { order.terms.amount } else { Fen(0) };
    for name in ["receipt_amount", "buyer_pay_amount", "invoice_amount"] {
        body[name] = yuan(paid);
    }
    body["point_amount"] = yuan(Fen(0));
    if order.paid_wall.is_some() {
        body["fund_bill_list"] = json!([{ "amount": paid.to_string(), "fund_channel": "ALIPAYACCOUNT" }]);
    }
}

fn add_pay(body: &mut Value, order: &Order) {
    add_payment(body, order);
    if let Some(paid) = order.paid_wall {
        body["gmt_payment"] = json!(plain(paid));
    }
}

fn add_query(body: &mut Value, order: &Order) {
    add_payment(body, order);
    body["trade_status"] = json!(trade_status(order));
    body["terminal_id"] = json!(order.terms.device);
    body["store_id"] = json!(order.terms.details.get("store_id").map_or("", String::as_str));
    if let Some(paid) = order.paid_wall {
        body["send_pay_date"] = json!(plain(paid));
    }
}

/// A cancelled order, known or not: what was done with it, and whether to call again.
fn add_cancel(body: &mut Value, call: &Call, outcome: &Outcome) {
    match &outcome.order {
        Some(order) => add_names(body, order),
        None => body["out_trade_no"] = json!(call.order()),
    }
    let again = outcome.again || outcome.result.is_err_and(Refusal::is_unknown);
    body["retry_flag"] = json!(if again { "Y" } else { "N" });
    let taken_up = outcome.order.as_ref().is_some_and(|order| order.payer.is_some());
    match outcome.undone {
        _ if outcome.result.is_err() || !taken_up => {}
        Some(Undone::Closed) => body["action"] = json!("close"),
        Some(Undone::Refunded) => body["action"] = json!("refund"),
        None => {}
    }
}

fn add_refund(body: &mut Value, order: &Order, refund: &Refund, repeat: bool) {
    add_names(body, order);
    let payer = order.payer.as_deref().unwrap_or("");
    body["buyer_user_id"] = json!(payer);
    body["buyer_logon_id"] = json!(masked(payer));
    body["fund_change"] = json!(if repeat { "N" } else { "Y" });
    body["refund_fee"] = yuan(order.refunded);
    body["send_back_fee"] = yuan(if repeat { Fen(0) } else { refund.amount });
    body["gmt_refund_pay"] = json!(plain(refund.settles_wall));
}

/// A payer's name as a merchant sees it.
pub(super) fn masked(payer: &str) -> String {
    let head: String = payer.chars().take(3).collect();
    format!("{head}***@example.com")
}

pub(super) fn trade_status(order: &Order) -> &'static str {
    match order.state {
        State::Unscanned | State::Waiting => "WAIT_BUYER_PAY",
        State::Paid if order.is_refunded() => "TRADE_CLOSED",
        State::Paid => "TRADE_SUCCESS",
        State::Closed | State::Reversed | State::Failed => "TRADE_CLOSED",
    }
}

fn yuan(amount: Fen) -> Value {
    json!(amount.to_string())
}
