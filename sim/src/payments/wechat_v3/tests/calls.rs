use super::*;
use crate::payments::call::{CallKind, Refusal};
use crate::payments::wechat_v3::error::ApiError;

#[test]
fn a_code_is_charged_once_and_the_order_found_by_either_number() {
    let mut desk = Desk::new(Mode::Certificate, "");
    let (status, paid) = desk.ask("POST", CODE_PAY, &code_pay("T1", 1250));
    assert_eq!(
        (status, &paid["trade_state"], &paid["trade_type"]),
        (200, &json!("SUCCESS"), &json!("MICROPAY"))
    );
    assert_eq!(paid["amount"]["payer_total"], json!(1250));
    assert_eq!(paid["success_time"], json!("2026-03-01T08:00:00+08:00"));
    assert_eq!((&paid["attach"], &paid["payer"]["openid"]), (&json!("柜台 3"), &json!("openid-a")));
    assert_eq!(desk.query("T1"), (200, paid.clone()));
    let transaction = paid["transaction_id"].as_str().unwrap();
    let by_id = format!("/v3/pay/transactions/id/{transaction}?mchid={MCHID}");
    assert_eq!(desk.ask("GET", &by_id, &Value::Null), (200, paid));
    assert_eq!(desk.query("T2").0, 404);
    assert_eq!(desk.books(), (1, 0, 1250));
}

/// A public client has it there; the platform does not look for it there.
#[test]
fn a_code_outside_the_payer_is_no_code() {
    let mut desk = Desk::new(Mode::Certificate, "");
    let mut body = code_pay("T1", 1250);
    body["auth_code"] = json!(CODE);
    body["payer"] = json!({});
    let (status, answer) = desk.ask("POST", CODE_PAY, &body);
    assert_eq!((status, &answer["code"]), (400, &json!("PARAM_ERROR")));
    assert_eq!(answer["detail"]["field"], json!("/payer/auth_code"));
    body.as_object_mut().unwrap().remove("payer");
    assert_eq!(desk.ask("POST", CODE_PAY, &body).1["detail"]["field"], json!("/payer"));
    assert_eq!(desk.books(), (0, 0, 0));
}

#[test]
fn a_large_sum_waits_for_the_password() {
    let mut desk = Desk::new(Mode::Certificate, "");
    let (status, answer) = desk.ask("POST", CODE_PAY, &code_pay("T1", 100_001));
    assert_eq!((status, &answer["code"]), (400, &json!("USERPAYING")));
    desk.wait(Span::ms(7_999));
    let (status, answer) = desk.query("T1");
    assert_eq!((status, &answer["trade_state"]), (200, &json!("USERPAYING")));
    assert!(answer.get("transaction_id").is_none());
    desk.wait(Span::s(5));
    assert_eq!(desk.query("T1").1["trade_state"], json!("SUCCESS"));
    assert_eq!(desk.books(), (1, 0, 100_001));
    assert!(desk.findings().is_empty(), "{:?}", desk.findings());
}

#[test]
fn the_same_number_again_is_answered_by_what_became_of_it() {
    let mut desk = Desk::new(Mode::Certificate, "");
    let code = |(status, answer): (u16, Value)| (status, answer["code"].as_str().unwrap_or("").to_owned());
    desk.ask("POST", CODE_PAY, &code_pay("T1", 1250));
    assert_eq!(code(desk.ask("POST", CODE_PAY, &code_pay("T1", 1250))), (400, "ORDERPAID".into()));
    assert_eq!(code(desk.ask("POST", CODE_PAY, &code_pay("T1", 1251))), (403, "OUT_TRADE_NO_USED".into()));
    let link = desk.ask("POST", NATIVE, &native("N1", 5));
    assert_eq!(desk.ask("POST", NATIVE, &native("N1", 5)), link);
    assert!(link.1["code_url"].as_str().unwrap().starts_with("weixin://wxpay/bizpayurl?pr="));
    assert_eq!(code(desk.ask("POST", NATIVE, &native("N1", 6))), (403, "OUT_TRADE_NO_USED".into()));
    desk.wait(Span::s(300));
    let close = "/v3/pay/transactions/out-trade-no/N1/close";
    assert_eq!(desk.ask("POST", close, &json!({ "mchid": MCHID })), (204, Value::Null));
    assert_eq!(code(desk.ask("POST", NATIVE, &native("N1", 5))), (400, "ORDER_CLOSED".into()));
    let paid = "/v3/pay/transactions/out-trade-no/T1/close";
    assert_eq!(code(desk.ask("POST", paid, &json!({ "mchid": MCHID }))), (400, "ORDERPAID".into()));
    assert_eq!(desk.query("N1").1["trade_state"], json!("CLOSED"));
    assert_eq!(desk.books(), (2, 0, 1250));
}

#[test]
fn a_reversed_payment_goes_back() {
    let mut desk = Desk::new(Mode::Certificate, "");
    desk.ask("POST", CODE_PAY, &code_pay("T1", 1250));
    desk.wait(Span::s(15));
    let reverse = "/v3/pay/transactions/out-trade-no/T1/reverse";
    let body = json!({ "appid": APPID, "mchid": MCHID });
    let (status, answer) = desk.ask("POST", reverse, &body);
    assert_eq!((status, &answer["out_trade_no"]), (200, &json!("T1")));
    assert_eq!(desk.query("T1").1["trade_state"], json!("REVOKED"));
    assert_eq!(desk.books(), (1, 1, 0));
    assert_eq!(desk.ask("POST", reverse, &body).0, 200);
    assert_eq!(desk.books(), (1, 1, 0));
    let other = reverse.replace("T1", "T9");
    assert_eq!(desk.ask("POST", &other, &body).1["code"], json!("ORDER_NOT_EXIST"));
    assert_eq!(desk.ask("POST", reverse, &json!({ "mchid": MCHID })).1["detail"]["field"], json!("/appid"));
}

#[test]
fn money_goes_back_once_for_each_refund_number() {
    let mut desk = Desk::new(Mode::Certificate, "");
    desk.ask("POST", CODE_PAY, &code_pay("T1", 1250));
    let (status, first) = desk.ask("POST", REFUNDS, &refund("T1", "R1", 500, 1250));
    assert_eq!(
        (status, &first["status"], &first["amount"]["refund"]),
        (200, &json!("PROCESSING"), &json!(500))
    );
    let (status, again) = desk.ask("POST", REFUNDS, &refund("T1", "R1", 500, 1250));
    assert_eq!((status, &again["refund_id"]), (200, &first["refund_id"]));
    assert_eq!(desk.books(), (1, 1, 750));
    for (number, amount, total, code) in [
        ("R1", 501, 1250, "INVALID_REQUEST"),
        ("R2", 751, 1250, "INVALID_REQUEST"),
        ("R2", 750, 1251, "INVALID_REQUEST"),
        ("R2", 0, 1250, "PARAM_ERROR"),
        ("R 2", 750, 1250, "PARAM_ERROR"),
    ] {
        let (status, answer) = desk.ask("POST", REFUNDS, &refund("T1", number, amount, total));
        assert_eq!((status, &answer["code"]), (400, &json!(code)), "{number} {amount} {total}");
    }
    let (status, answer) = desk.ask("POST", REFUNDS, &refund("T9", "R9", 1, 1));
    assert_eq!((status, &answer["code"]), (404, &json!("RESOURCE_NOT_EXISTS")));
    desk.wait(Span::s(3));
    let (status, found) = desk.ask("GET", &format!("{REFUNDS}/R1"), &Value::Null);
    assert_eq!((status, &found["status"]), (200, &json!("SUCCESS")));
    assert_eq!(found["success_time"], json!("2026-03-01T08:00:03+08:00"));
    assert_eq!(desk.ask("GET", &format!("{REFUNDS}/R2"), &Value::Null).0, 404);
    assert_eq!(desk.query("T1").1["trade_state"], json!("REFUND"));
    assert_eq!(desk.books(), (1, 1, 750));
}

#[test]
fn a_field_that_is_wrong_is_named_and_nothing_is_booked() {
    let mut desk = Desk::new(Mode::Certificate, "");
    let long = "长".repeat(128);
    for (field, value) in [
        ("/appid", json!("")),
        ("/mchid", json!("1900009192")),
        ("/mchid", json!(1_900_009_191)),
        ("/description", json!(long)),
        ("/out_trade_no", json!("T")),
        ("/out_trade_no", json!("T/1")),
        ("/out_trade_no", json!("T".repeat(33))),
        ("/attach", json!("a".repeat(129))),
        ("/amount/total", json!(0)),
        ("/amount/total", json!(-1)),
        ("/amount/total", json!("1250")),
        ("/amount/total", json!(12.5)),
        ("/amount/total", json!(u64::MAX)),
        ("/amount/currency", json!("USD")),
        ("/scene_info", Value::Null),
        ("/scene_info", json!([])),
        ("/payer/auth_code", json!(["1"])),
        ("/time_expire", json!("2026-03-01 09:00:00")),
        ("/time_expire", json!("2026-03-01T08:00:59+08:00")),
    ] {
        let mut body = code_pay("T1", 1250);
        body["time_expire"] = json!("2026-03-01T08:01:00+08:00");
        *body.pointer_mut(field).unwrap() = value.clone();
        let (status, answer) = desk.ask("POST", CODE_PAY, &body);
        assert_eq!((status, &answer["detail"]["field"]), (400, &json!(field)), "{field} {value}");
    }
    for (field, value) in [("/notify_url", json!("paid")), ("/notify_url", json!("http://a/?b=c"))] {
        let mut body = native("N1", 5);
        *body.pointer_mut(field).unwrap() = value;
        assert_eq!(desk.ask("POST", NATIVE, &body).1["detail"]["field"], json!(field));
    }
    assert_eq!(desk.books(), (0, 0, 0));
    let mut good = code_pay("T-_|*9", 1250);
    good["time_expire"] = json!("2026-03-01T08:01:00+08:00");
    good["description"] = json!("长".repeat(127));
    assert_eq!(desk.ask("POST", CODE_PAY, &good).0, 200);
}

#[test]
fn what_the_face_does_not_serve_is_refused_by_name() {
    let mut desk = Desk::new(Mode::Certificate, "");
    for (method, path, status, code) in [
        ("POST", "/v3/pay/partner/transactions/codepay", 403, "NO_AUTH"),
        ("GET", CODE_PAY, 405, "METHOD_NOT_ALLOWED"),
        ("GET", "/v3/pay/transactions/jsapi", 404, "NOT_FOUND"),
    ] {
        let (answered, answer) = desk.ask(method, path, &json!({}));
        assert_eq!((answered, &answer["code"]), (status, &json!(code)), "{path}");
    }
    let mut body = code_pay("T1", 5);
    body["appid"] = json!("wxother");
    assert_eq!(desk.ask("POST", CODE_PAY, &body).1["code"], json!("APPID_MCHID_NOT_MATCH"));
    let query = |query: &str| format!("/v3/pay/transactions/out-trade-no/T1{query}");
    assert_eq!(desk.ask("GET", &query(""), &Value::Null).1["detail"]["issue"], json!("missing"));
    assert_eq!(desk.ask("GET", &query("?mchid=1"), &Value::Null).0, 400);
    assert_eq!(desk.ask("GET", &query("?mchid=%"), &Value::Null).0, 400);
}

/// Source: the platform's list of codes, with the statuses that it gives them.
#[test]
fn codes_are_spelt_as_the_platform_spells_them() {
    use Refusal as R;
    for (kind, refusal, status, code) in [
        (CallKind::Pay, R::SystemError, 500, "SYSTEM_ERROR"),
        (CallKind::Pay, R::BankError, 500, "BANK_ERROR"),
        (CallKind::Pay, R::UserPaying, 202, "USERPAYING"),
        (CallKind::Query, R::NoSuchOrder, 404, "ORDER_NOT_EXIST"),
        (CallKind::Refund, R::NoSuchOrder, 404, "RESOURCE_NOT_EXISTS"),
        (CallKind::Pay, R::OrderPaid, 400, "ORDERPAID"),
        (CallKind::Pay, R::OrderClosed, 400, "ORDER_CLOSED"),
        (CallKind::Pay, R::OrderReversed, 400, "ORDER_REVERSED"),
        (CallKind::Refund, R::OrderReversed, 400, "INVALID_REQUEST"),
        (CallKind::Pay, R::NumberUsed, 403, "OUT_TRADE_NO_USED"),
        (CallKind::Pay, R::CodeExpired, 400, "AUTH_CODE_EXPIRED"),
        (CallKind::Pay, R::CodeInvalid, 400, "AUTH_CODE_INVALID"),
        (CallKind::Pay, R::CodeUsed, 400, "AUTH_CODE_ERROR"),
        (CallKind::Pay, R::NotEnough, 403, "NOT_ENOUGH"),
        (CallKind::Refund, R::MerchantPoor, 403, "NOT_ENOUGH"),
        (CallKind::Pay, R::PayerRefused, 403, "TRADE_ERROR"),
        (CallKind::Pay, R::AmountLimit, 403, "RULE_LIMIT"),
        (CallKind::Refund, R::NotPaid, 400, "INVALID_REQUEST"),
        (CallKind::Refund, R::RefundUnnumbered, 400, "PARAM_ERROR"),
        (CallKind::Cancel, R::TooLate, 400, "INVALID_REQUEST"),
    ] {
        let error = ApiError::of(kind, refusal, 202);
        assert_eq!((error.status, error.code), (status, code), "{refusal:?}");
    }
}
