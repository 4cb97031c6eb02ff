use super::*;
use crate::payments::alipay::code::ResultCode;
use crate::payments::call::{CallKind, Refusal};

#[test]
fn a_code_is_charged_once_and_the_trade_found_by_either_number() {
    let mut desk = Desk::new("");
    let paid = desk.ask(PAY, &pay("T1", "12.50"));
    assert_eq!((codes(&paid), &paid["msg"]), (("10000", ""), &json!("Success")));
    assert_eq!(
        (&paid["total_amount"], &paid["gmt_payment"]),
        (&json!("12.50"), &json!("2026-03-01 08:00:00"))
    );
    let found = desk.query("T1");
    assert_eq!((&found["trade_status"], &found["trade_no"]), (&json!("TRADE_SUCCESS"), &paid["trade_no"]));
    let by_trade =
        desk.ask("alipay.trade.query", &json!({ "trade_no": paid["trade_no"], "out_trade_no": "T9" }));
    assert_eq!(by_trade, found);
    assert_eq!(codes(&desk.query("T2")), ("40004", "ACQ.TRADE_NOT_EXIST"));
    assert_eq!(codes(&desk.ask(PAY, &pay("T1", "12.50"))), ("40004", "ACQ.TRADE_HAS_SUCCESS"));
    assert_eq!(codes(&desk.ask(PAY, &pay("T1", "12.51"))), ("40004", "ACQ.CONTEXT_INCONSISTENT"));
    assert_eq!(codes(&desk.ask(PAY, &pay("T2", "1"))), ("40004", "ACQ.PAYMENT_AUTH_CODE_INVALID"));
    assert_eq!(codes(&desk.query("T2")), ("40004", "ACQ.TRADE_NOT_EXIST"));
    assert_eq!(desk.books(), (2, 0, 1250));
}

#[test]
fn a_large_sum_waits_for_the_password() {
    let mut desk = Desk::new("");
    let waiting = desk.ask(PAY, &pay("T1", "1000.01"));
    assert_eq!((codes(&waiting), &waiting["msg"]), (("10003", ""), &json!(" order success pay inprocess")));
    assert_eq!(desk.query("T1")["trade_status"], json!("WAIT_BUYER_PAY"));
    desk.wait(Span::s(8));
    assert_eq!(desk.query("T1")["trade_status"], json!("TRADE_SUCCESS"));
    assert_eq!(desk.books(), (1, 0, 100_001));
}

#[test]
fn an_order_that_nobody_has_scanned_is_no_trade() {
    let mut desk = Desk::new("");
    let made = desk.ask(PRECREATE, &precreate("N1", "5"));
    assert!(made["qr_code"].as_str().unwrap().starts_with("https://qr.alipay.com/"), "{made}");
    assert_eq!(
        codes(&desk.ask(PRECREATE, &precreate("N1", "5"))),
        ("40004", "ACQ.APPLY_PC_MERCHANT_CODE_ERROR")
    );
    assert_eq!(codes(&desk.ask(PRECREATE, &precreate("N1", "6"))), ("40004", "ACQ.CONTEXT_INCONSISTENT"));
    assert_eq!(codes(&desk.query("N1")), ("40004", "ACQ.TRADE_NOT_EXIST"));
    let close = json!({ "out_trade_no": "N1" });
    assert_eq!(codes(&desk.ask(CLOSE, &close)), ("40004", "ACQ.TRADE_NOT_EXIST"));
    // What was not closed can still be scanned and paid.
    let now = desk.now();
    desk.backend.scan(now, House::Alipay, (APP_ID, "N1"), "2088202954065786").unwrap();
    assert_eq!(desk.query("N1")["trade_status"], json!("WAIT_BUYER_PAY"));
    desk.backend.pay(now, House::Alipay, (APP_ID, "N1")).unwrap();
    assert_eq!(codes(&desk.ask(CLOSE, &close)), ("40004", "ACQ.TRADE_STATUS_ERROR"));
    assert_eq!(desk.books(), (1, 0, 500));
}

#[test]
fn a_trade_that_waits_is_closed_once() {
    let mut desk = Desk::new("");
    desk.ask(PRECREATE, &precreate("N1", "5"));
    let now = desk.now();
    desk.backend.scan(now, House::Alipay, (APP_ID, "N1"), "2088202954065786").unwrap();
    let close = json!({ "out_trade_no": "N1" });
    assert_eq!(codes(&desk.ask(CLOSE, &close)), ("10000", ""));
    assert_eq!(codes(&desk.ask(CLOSE, &close)), ("40004", "ACQ.REASON_TRADE_STATUS_INVALID"));
    assert_eq!(desk.query("N1")["trade_status"], json!("TRADE_CLOSED"));
}

#[test]
fn an_order_lives_as_long_as_it_says() {
    let mut desk = Desk::new("");
    let mut order = precreate("N1", "5");
    order["timeout_express"] = json!("1m");
    desk.ask(PRECREATE, &order);
    desk.wait(Span::us(59_999_999));
    let now = desk.now();
    assert!(desk.backend.scan(now, House::Alipay, (APP_ID, "N1"), "2088202954065786").is_ok());
    desk.wait(Span::us(1));
    assert_eq!(desk.query("N1")["trade_status"], json!("TRADE_CLOSED"));
    let now = desk.now();
    assert!(desk.backend.pay(now, House::Alipay, (APP_ID, "N1")).is_err());
    assert_eq!(desk.books(), (1, 0, 0));
}

#[test]
fn a_cancelled_trade_says_what_became_of_it_and_an_unknown_one_is_a_success() {
    let mut desk = Desk::new("");
    desk.ask(PAY, &pay("T1", "12.50"));
    let cancel = |number: &str| json!({ "out_trade_no": number });
    let undone = desk.ask(CANCEL, &cancel("T1"));
    assert_eq!((codes(&undone), &undone["action"]), (("10000", ""), &json!("refund")));
    assert_eq!(undone["retry_flag"], json!("N"));
    assert!(desk.ask(CANCEL, &cancel("T1")).get("action").is_none());
    assert_eq!((desk.query("T1")["trade_status"].clone(), desk.books()), (json!("TRADE_CLOSED"), (1, 1, 0)));
    let unknown = desk.ask(CANCEL, &cancel("T9"));
    assert_eq!((codes(&unknown), &unknown["out_trade_no"]), (("10000", ""), &json!("T9")));
    assert!(unknown.get("action").is_none() && unknown.get("trade_no").is_none());
    desk.ask(PRECREATE, &precreate("N1", "5"));
    let now = desk.now();
    desk.backend.scan(now, House::Alipay, (APP_ID, "N1"), "2088202954065786").unwrap();
    assert_eq!(desk.ask(CANCEL, &cancel("N1"))["action"], json!("close"));
    assert_eq!(codes(&desk.ask(CANCEL, &json!({}))), ("40004", "ACQ.INVALID_PARAMETER"));
}

#[test]
fn unknown_results_are_spelt_as_the_gateway_spells_them() {
    let plan = "
        [[misbehave]]
        call = 'pay'
        with = { does = 'system-error', effect = true }
        [[misbehave]]
        call = 'query'
        with = { does = 'bank-error', effect = false }
        [[misbehave]]
        call = 'cancel'
        with = { does = 'bank-error', effect = false }";
    let mut desk = Desk::new(plan);
    assert_eq!(codes(&desk.ask(PAY, &pay("T1", "5"))), ("20000", "aop.unknow-error"));
    assert_eq!(codes(&desk.query("T1")), ("40004", "ACQ.SYSTEM_ERROR"));
    let cancel = desk.ask(CANCEL, &json!({ "out_trade_no": "T1" }));
    assert_eq!((codes(&cancel), &cancel["retry_flag"]), (("40004", "AQC.SYSTEM_ERROR"), &json!("Y")));
    desk.wait(Span::s(3));
    assert_eq!(desk.query("T1")["trade_status"], json!("TRADE_SUCCESS"));
    assert_eq!(desk.books(), (1, 0, 500));
}

#[test]
fn money_goes_back_once_for_each_request_number() {
    let mut desk = Desk::new("");
    desk.ask(PAY, &pay("T1", "12.50"));
    let refund = |amount: &str, number: &str| match number {
        "" => json!({ "out_trade_no": "T1", "refund_amount": amount }),
        number => json!({ "out_trade_no": "T1", "refund_amount": amount, "out_request_no": number }),
    };
    let part = desk.ask(REFUND, &refund("5.00", ""));
    assert_eq!(codes(&part), ("40004", "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL"));
    let first = desk.ask(REFUND, &refund("5.00", "R1"));
    assert_eq!((codes(&first), &first["fund_change"]), (("10000", ""), &json!("Y")));
    assert_eq!(first["refund_fee"], json!("5.00"));
    assert_eq!(desk.query("T1")["trade_status"], json!("TRADE_SUCCESS"));
    assert_eq!(desk.ask(REFUND, &refund("5.00", "R1"))["fund_change"], json!("N"));
    assert_eq!(codes(&desk.ask(REFUND, &refund("5.01", "R1"))), ("40004", "ACQ.DISCORDANT_REPEAT_REQUEST"));
    assert_eq!(codes(&desk.ask(REFUND, &refund("7.51", "R2"))), ("40004", "ACQ.REASON_TRADE_REFUND_FEE_ERR"));
    assert_eq!(desk.books(), (1, 1, 750));
    let rest = desk.ask(REFUND, &refund("7.50", "R2"));
    assert_eq!((&rest["refund_fee"], &rest["send_back_fee"]), (&json!("12.50"), &json!("7.50")));
    assert_eq!((desk.query("T1")["trade_status"].clone(), desk.books()), (json!("TRADE_CLOSED"), (1, 2, 0)));
    let asked = |number: &str| json!({ "out_trade_no": "T1", "out_request_no": number });
    let found = desk.ask(REFUND_QUERY, &asked("R1"));
    assert_eq!(
        (&found["refund_status"], &found["refund_amount"]),
        (&json!("REFUND_SUCCESS"), &json!("5.00"))
    );
    let none = desk.ask(REFUND_QUERY, &asked("R9"));
    assert_eq!((codes(&none), none.get("refund_status")), (("10000", ""), None));
    assert_eq!(codes(&desk.ask(REFUND_QUERY, &json!({ "out_trade_no": "T1" }))).1, "ACQ.INVALID_PARAMETER");
}

#[test]
fn a_field_that_is_wrong_is_named_and_nothing_is_booked() {
    let mut desk = Desk::new("");
    for (field, value) in [
        ("out_trade_no", json!("T-1")),
        ("out_trade_no", json!("T".repeat(65))),
        ("out_trade_no", json!(["T1"])),
        ("scene", json!("qr_code")),
        ("scene", Value::Null),
        ("auth_code", json!("")),
        ("subject", json!("水/卡")),
        ("subject", json!("a=b")),
        ("subject", json!("a&b")),
        ("subject", json!("长".repeat(257))),
        ("total_amount", json!("0.00")),
        ("total_amount", json!("12.505")),
        ("total_amount", json!(-1)),
        ("total_amount", json!(1e300)),
        ("timeout_express", json!("1.5h")),
        ("timeout_express", json!("16d")),
    ] {
        let mut body = pay("T1", "5");
        body[field] = value.clone();
        let answer = desk.ask(PAY, &body);
        assert_eq!(codes(&answer), ("40004", "ACQ.INVALID_PARAMETER"), "{field} {value}");
        assert_eq!(answer["sub_msg"], json!(format!("参数无效：{field}")));
    }
    let mut body = pay("T1", "5");
    body["seller_id"] = json!("2088000000000000");
    assert_eq!(codes(&desk.ask(PAY, &body)), ("40004", "ACQ.PARTNER_ERROR"));
    assert_eq!(codes(&desk.ask(PAY, &pay("T1", "100000000.01"))), ("40004", "ACQ.TOTAL_FEE_EXCEED"));
    assert_eq!(desk.books(), (0, 0, 0));
    let mut good = pay("T_1", "5");
    good["total_amount"] = json!(5.5);
    good["seller_id"] = json!(SELLER);
    assert_eq!(codes(&desk.ask(PAY, &good)), ("10000", ""));
    assert_eq!(desk.books(), (1, 0, 550));
}

/// Source: the gateway's list of codes, misspellings and all.
#[test]
fn codes_are_spelt_as_the_gateway_spells_them() {
    use Refusal as R;
    for (kind, refusal, code, sub_code) in [
        (CallKind::Pay, R::OrderClosed, "40004", "ACQ.TRADE_HAS_CLOSE"),
        (CallKind::Pay, R::OrderReversed, "40004", "ACQ.TRADE_HAS_CLOSE"),
        (CallKind::Pay, R::NotEnough, "40004", "ACQ.BUYER_BALANCE_NOT_ENOUGH"),
        (CallKind::Pay, R::PayerRefused, "40004", "ACQ.PAYMENT_FAIL"),
        (CallKind::Pay, R::CodeExpired, "40004", "ACQ.PAYMENT_AUTH_CODE_INVALID"),
        (CallKind::Pay, R::CodeUsed, "40004", "ACQ.PAYMENT_AUTH_CODE_INVALID"),
        (CallKind::Cancel, R::TooLate, "40004", "ACQ.TRADE_CANCEL_TIME_OUT"),
        (CallKind::Cancel, R::MerchantPoor, "40004", "ACQ.SELLER_BALANCE_NOT_ENOUGH"),
        (CallKind::Refund, R::TooLate, "40004", "ACQ.TRADE_HAS_FINISHED"),
        (CallKind::Refund, R::NotPaid, "40004", "ACQ.TRADE_STATUS_ERROR"),
        (CallKind::Refund, R::OrderReversed, "40004", "ACQ.TRADE_STATUS_ERROR"),
    ] {
        let result = ResultCode::of(kind, refusal);
        assert_eq!((result.code, result.sub_code), (code, sub_code), "{refusal:?}");
    }
}
