//! Sales, their repeats, and how they are undone.

use super::*;

const DONE: (&str, &str) = ("SUCCESS", "");

#[test]
fn a_code_pays_once_and_the_answer_says_all_that_the_platform_says() {
    let mut shop = Shop::open();
    let total = shop.backend.ledger().total();
    let paid = shop.pay("T1", "888", CODE);
    assert_eq!(codes(&paid), DONE);
    for (name, value) in [
        ("openid", "ada"),
        ("trade_type", "MICROPAY"),
        ("total_fee", "888"),
        ("cash_fee", "888"),
        ("fee_type", "CNY"),
        ("out_trade_no", "T1"),
        ("transaction_id", "4200000000202603010000000001"),
        ("time_end", "20260301120000"),
        ("device_info", "till 1"),
        ("mch_id", MCH),
    ] {
        assert_eq!(field(&paid, name), value, "{name}");
    }
    assert_eq!(shop.balance(), 888);
    assert_eq!(shop.backend.ledger().total(), total);
    let asked = shop.query("T1");
    assert_eq!(field(&asked, "trade_state"), "SUCCESS");
    let asked = shop.call("/pay/orderquery", &[("transaction_id", "4200000000202603010000000001")]);
    assert_eq!(field(&asked, "out_trade_no"), "T1");
}

#[test]
fn the_other_way_of_signing_serves_as_well() {
    let mut shop = Shop::open();
    shop.by = SignType::HmacSha256;
    assert_eq!(codes(&shop.pay("T1", "1", CODE)), DONE);
}

/// Source: BKD-4.
#[test]
fn the_same_number_again_never_charges_again() {
    let mut shop = Shop::open();
    shop.pay("T1", "888", CODE);
    assert_eq!(codes(&shop.pay("T1", "888", CODE)), ("FAIL", "ORDERPAID"));
    assert_eq!(codes(&shop.pay("T1", "888", "134567890123456780")), ("FAIL", "ORDERPAID"));
    assert_eq!(codes(&shop.pay("T1", "889", CODE)), ("FAIL", "OUT_TRADE_NO_USED"));
    assert_eq!(shop.balance(), 888);
    // Another number with the same code: the code is used up.
    assert_eq!(codes(&shop.pay("T2", "888", CODE)), ("FAIL", "AUTH_CODE_ERROR"));
    // The number of a failed order is used up, whatever the code.
    assert_eq!(codes(&shop.pay("T2", "888", "134567890123456781")), ("FAIL", "OUT_TRADE_NO_USED"));
    assert_eq!(codes(&shop.pay("T3", "888", "134567890123456781")), DONE);
}

#[test]
fn codes_are_refused_by_form_age_and_funds() {
    let mut shop = Shop::open();
    let now = shop.now();
    for (payer, code) in
        [("ada", "101111111111111111"), ("ada", "102222222222222222"), ("bob", "103333333333333333")]
    {
        assert!(shop.backend.ledger_mut().show_code(now, payer, code));
    }
    for (number, code) in [("A", "1345"), ("B", "281234567890123456"), ("C", "16456789012345678x")] {
        assert_eq!(codes(&shop.pay(number, "1", code)), ("FAIL", "AUTH_CODE_INVALID"), "{code}");
    }
    assert_eq!(codes(&shop.pay("D", "101", "103333333333333333")), ("FAIL", "NOTENOUGH"));
    shop.wait(Span::s(60));
    assert_eq!(codes(&shop.pay("E", "1", "101111111111111111")), DONE);
    shop.wait(Span::us(1));
    assert_eq!(codes(&shop.pay("F", "1", "102222222222222222")), ("FAIL", "AUTHCODEEXPIRE"));
    assert_eq!(shop.balance(), 1);
}

#[test]
fn above_a_thousand_yuan_the_payer_types_the_password() {
    let mut shop = Shop::open();
    assert_eq!(codes(&shop.pay("T1", "100000", "130000000000000001")), DONE);
    assert_eq!(codes(&shop.pay("T2", "100001", "130000000000000002")), ("FAIL", "USERPAYING"));
    // The same call while the payer types says the same, and does nothing.
    assert_eq!(codes(&shop.pay("T2", "100001", "130000000000000002")), ("FAIL", "USERPAYING"));
    shop.wait(Span::us(7_999_999));
    assert_eq!(field(&shop.query("T2"), "trade_state"), "USERPAYING");
    shop.wait(Span::us(1));
    assert_eq!(field(&shop.query("T2"), "trade_state"), "SUCCESS");
    assert_eq!(shop.balance(), 200_001);
}

#[test]
fn after_ten_payments_of_a_day_too_and_the_next_day_not() {
    let mut shop = Shop::open();
    for number in 0..10 {
        assert_eq!(codes(&shop.pay(&format!("T{number}"), "1", &format!("13000000000000000{number}"))), DONE);
    }
    assert_eq!(codes(&shop.pay("T10", "1", "140000000000000000")), ("FAIL", "USERPAYING"));
    shop.wait(Span::s(86_400));
    assert_eq!(codes(&shop.pay("T11", "1", "140000000000000001")), DONE);
}

#[test]
fn payers_are_late_mistyping_or_idle() {
    let mut shop = Shop::open();
    shop.manner("ada", Manner::PaysLate { after: Span::s(30) });
    assert_eq!(codes(&shop.pay("late", "1", "130000000000000001")), ("FAIL", "USERPAYING"));
    shop.wait(Span::s(30));
    assert_eq!(field(&shop.query("late"), "trade_state"), "SUCCESS");
    shop.manner("ada", Manner::WrongPassword);
    assert_eq!(codes(&shop.pay("wrong", "1", "130000000000000002")), ("FAIL", "USERPAYING"));
    shop.wait(Span::s(8));
    assert_eq!(field(&shop.query("wrong"), "trade_state"), "PAYERROR");
    shop.manner("ada", Manner::Nothing);
    shop.pay("never", "1", "130000000000000003");
    shop.wait(Span::us(7_199_999_999));
    assert_eq!(field(&shop.query("never"), "trade_state"), "USERPAYING");
    shop.wait(Span::us(1));
    assert_eq!(field(&shop.query("never"), "trade_state"), "CLOSED");
    assert_eq!(shop.balance(), 1);
}

#[test]
fn undoing_closes_what_is_unpaid_and_gives_back_what_is_paid() {
    let mut shop = Shop::open();
    shop.pay("paid", "500", "130000000000000001");
    shop.manner("ada", Manner::Nothing);
    shop.pay("open", "500", "130000000000000002");
    shop.wait(Span::s(15));
    for number in ["paid", "open", "paid", "open"] {
        let undone = shop.call("/secapi/pay/reverse", &[("out_trade_no", number)]);
        assert_eq!((codes(&undone), field(&undone, "recall")), (DONE, "N"), "{number}");
        assert_eq!(field(&shop.query(number), "trade_state"), "REVOKED");
    }
    assert_eq!(shop.balance(), 0);
    assert_eq!(codes(&shop.pay("paid", "500", "130000000000000001")), ("FAIL", "ORDERREVERSED"));
    let unknown = shop.call("/secapi/pay/reverse", &[("out_trade_no", "none")]);
    assert_eq!(codes(&unknown), ("FAIL", "ORDERNOTEXIST"));
    assert_eq!(codes(&shop.query("none")), ("FAIL", "ORDERNOTEXIST"));
}

#[test]
fn an_order_can_be_undone_for_seven_days() {
    let mut shop = Shop::open();
    shop.pay("T1", "500", "130000000000000001");
    shop.pay("T2", "500", "130000000000000002");
    shop.wait(Span::s(7 * 86_400));
    assert_eq!(codes(&shop.call("/secapi/pay/reverse", &[("out_trade_no", "T1")])), DONE);
    shop.wait(Span::us(1));
    let late = shop.call("/secapi/pay/reverse", &[("out_trade_no", "T2")]);
    assert_eq!(codes(&late), ("FAIL", "REVERSE_EXPIRE"));
    assert_eq!(shop.balance(), 500);
}

#[test]
fn an_order_is_scanned_paid_and_the_same_order_again_is_the_same() {
    let mut shop = Shop::open();
    let made = shop.native("N1", "250");
    assert_eq!(field(&made, "code_url"), "weixin://wxpay/bizpayurl?pr=4200000000202603010000000001");
    assert_eq!(field(&shop.native("N1", "250"), "code_url"), field(&made, "code_url"));
    assert_eq!(codes(&shop.native("N1", "251")), ("FAIL", "OUT_TRADE_NO_USED"));
    assert_eq!(field(&shop.query("N1"), "trade_state"), "NOTPAY");
    shop.scanned_and_paid("N1", "ada");
    let asked = shop.query("N1");
    assert_eq!((field(&asked, "trade_state"), field(&asked, "trade_type")), ("SUCCESS", "NATIVE"));
    assert_eq!(codes(&shop.native("N1", "250")), ("FAIL", "ORDERPAID"));
    assert_eq!(codes(&shop.call("/pay/closeorder", &[("out_trade_no", "N1")])), ("FAIL", "ORDERPAID"));
}

#[test]
fn a_closed_order_takes_no_money_and_a_refusing_payer_leaves_it_open() {
    let mut shop = Shop::open();
    shop.native("N1", "250");
    let now = shop.now();
    shop.backend.scan(now, House::Wechat, (MCH, "N1"), "ada").unwrap();
    shop.backend.refuse(now, House::Wechat, (MCH, "N1")).unwrap();
    assert_eq!(field(&shop.query("N1"), "trade_state"), "NOTPAY");
    assert_eq!(codes(&shop.call("/pay/closeorder", &[("out_trade_no", "N1")])), DONE);
    assert_eq!(codes(&shop.call("/pay/closeorder", &[("out_trade_no", "N1")])), ("FAIL", "ORDERCLOSED"));
    assert!(shop.backend.pay(now, House::Wechat, (MCH, "N1")).is_err());
    assert!(shop.backend.scan(now, House::Wechat, (MCH, "N1"), "ada").is_err());
    assert_eq!(field(&shop.query("N1"), "trade_state"), "CLOSED");
    assert_eq!(shop.balance(), 0);
}

#[test]
fn an_order_lives_as_long_as_it_says() {
    let mut shop = Shop::open();
    let fields = |end| {
        [
            ("body", "tea"),
            ("out_trade_no", "N1"),
            ("total_fee", "1"),
            ("spbill_create_ip", "127.0.0.1"),
            ("trade_type", "NATIVE"),
            ("product_id", "12"),
            ("notify_url", "http://127.0.0.1:9/paid"),
            ("time_expire", end),
        ]
    };
    let body = xml::render(&shop.signed(&fields("20260301120059")));
    assert_eq!(field(&read(&shop.post("/pay/unifiedorder", body)), "err_code"), "PARAM_ERROR");
    shop.call("/pay/unifiedorder", &fields("20260301120100"));
    shop.wait(Span::us(59_999_999));
    assert_eq!(field(&shop.query("N1"), "trade_state"), "NOTPAY");
    shop.wait(Span::us(1));
    assert_eq!(field(&shop.query("N1"), "trade_state"), "CLOSED");
}

/// Source: BKD-4.
#[test]
fn a_refund_happens_once_for_its_number() {
    let mut shop = Shop::open();
    shop.pay("T1", "500", CODE);
    let refund = shop.refund("T1", "R1", "500", "200");
    assert_eq!((codes(&refund), field(&refund, "refund_fee")), (DONE, "200"));
    assert_eq!(field(&refund, "refund_id"), "50300000002026030100000000001");
    assert_eq!(field(&shop.refund("T1", "R1", "500", "200"), "refund_id"), field(&refund, "refund_id"));
    assert_eq!(shop.balance(), 300);
    assert_eq!(codes(&shop.refund("T1", "R1", "500", "201")), ("FAIL", "REFUND_FEE_MISMATCH"));
    assert_eq!(codes(&shop.refund("T1", "R2", "501", "100")), ("FAIL", "REFUND_FEE_MISMATCH"));
    assert_eq!(codes(&shop.refund("T1", "R2", "500", "301")), ("FAIL", "INVALID_REQUEST"));
    assert_eq!(codes(&shop.refund("none", "R2", "500", "1")), ("FAIL", "ORDERNOTEXIST"));
    assert_eq!(codes(&shop.refund("T1", "R2", "500", "300")), DONE);
    assert_eq!(shop.balance(), 0);
    assert_eq!(field(&shop.query("T1"), "trade_state"), "REFUND");
}

#[test]
fn a_refund_is_under_way_and_then_done() {
    let mut shop = Shop::open();
    shop.pay("T1", "500", CODE);
    assert_eq!(codes(&shop.call("/pay/refundquery", &[("out_trade_no", "T1")])), ("FAIL", "REFUNDNOTEXIST"));
    shop.refund("T1", "R1", "500", "200");
    shop.wait(Span::us(2_999_999));
    let asked = shop.call("/pay/refundquery", &[("out_refund_no", "R1")]);
    assert_eq!((field(&asked, "refund_count"), field(&asked, "refund_status_0")), ("1", "PROCESSING"));
    shop.wait(Span::us(1));
    let asked = shop.call("/pay/refundquery", &[("out_trade_no", "T1")]);
    assert_eq!(field(&asked, "refund_status_0"), "SUCCESS");
    assert_eq!(field(&asked, "refund_success_time_0"), "2026-03-01 12:00:03");
    assert_eq!((field(&asked, "refund_fee_0"), field(&asked, "out_refund_no_0")), ("200", "R1"));
    // The platform spells it so.
    assert_eq!(field(&asked, "refund_recv_accout_0"), "支付用户零钱");
}

#[test]
fn an_order_of_another_merchant_is_not_there() {
    let mut shop = Shop::open();
    shop.pay("T1", "500", CODE);
    let mut fields: Fields = [
        ("appid", "wxother"),
        ("mch_id", "10000200"),
        ("nonce_str", "n"),
        ("transaction_id", "4200000000202603010000000001"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    let signature = sign(&fields, "other", SignType::Md5);
    fields.push(("sign".into(), signature));
    let answer = read(&shop.post("/pay/orderquery", xml::render(&fields)));
    assert_eq!(codes(&answer), ("FAIL", "ORDERNOTEXIST"));
}
