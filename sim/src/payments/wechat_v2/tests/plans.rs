//! Each misbehaviour that a plan can ask for, with what is booked and what is told. Source: BKD-3.

use super::*;

fn plan(call: &str, with: &str) -> String {
    format!("[[misbehave]]\ncall = '{call}'\nwith = {{ {with} }}\n")
}

fn micropay(shop: &mut Shop, number: &str) -> Reply {
    let fields = [
        ("body", "tea"),
        ("out_trade_no", number),
        ("total_fee", "888"),
        ("spbill_create_ip", "127.0.0.1"),
        ("auth_code", CODE),
    ];
    let body = xml::render(&shop.signed(&fields));
    shop.post("/pay/micropay", body)
}

#[test]
fn an_answer_is_slow() {
    let mut shop = Shop::open_with(&plan("pay", "does = 'slow', by = '7 s'"));
    let reply = micropay(&mut shop, "T1");
    assert_eq!((reply.after, codes(&read(&reply))), (Span::s(7), ("SUCCESS", "")));
    assert_eq!(micropay(&mut shop, "T2").after, Span::ZERO);
}

#[test]
fn there_is_no_answer_with_and_without_the_effect() {
    for (effect, balance) in [(true, 888), (false, 0)] {
        let mut shop = Shop::open_with(&plan("pay", &format!("does = 'no-answer', effect = {effect}")));
        let reply = micropay(&mut shop, "T1");
        assert_eq!(reply, Reply { after: Span::s(60), answer: Answer::Silence });
        assert_eq!(shop.balance(), balance);
    }
}

#[test]
fn the_platform_and_the_bank_do_not_know_with_and_without_the_effect() {
    for (does, code) in [("system-error", "SYSTEMERROR"), ("bank-error", "BANKERROR")] {
        for (effect, balance) in [(true, 888), (false, 0)] {
            let mut shop = Shop::open_with(&plan("pay", &format!("does = '{does}', effect = {effect}")));
            assert_eq!(codes(&read(&micropay(&mut shop, "T1"))), ("FAIL", code));
            assert_eq!(shop.balance(), balance);
            shop.wait(Span::s(5));
            let asked = shop.query("T1");
            assert_eq!(field(&asked, "trade_state") == "SUCCESS", effect);
            assert_eq!(field(&asked, "err_code") == "ORDERNOTEXIST", !effect);
        }
    }
}

#[test]
fn a_payer_is_busy_for_so_long() {
    let mut shop = Shop::open_with(&plan("pay", "does = 'user-paying', span = '20 s'"));
    assert_eq!(codes(&read(&micropay(&mut shop, "T1"))), ("FAIL", "USERPAYING"));
    shop.wait(Span::us(19_999_999));
    assert_eq!(shop.balance(), 0);
    shop.wait(Span::us(1));
    assert_eq!(shop.balance(), 888);
}

#[test]
fn a_success_comes_late_after_the_order_was_undone() {
    let mut shop = Shop::open_with(&plan("cancel", "does = 'late-success', after = '90 s'"));
    shop.manner("ada", Manner::Nothing);
    micropay(&mut shop, "T1");
    shop.wait(Span::s(15));
    assert_eq!(codes(&shop.call("/secapi/pay/reverse", &[("out_trade_no", "T1")])), ("SUCCESS", ""));
    shop.wait(Span::us(89_999_999));
    assert_eq!((field(&shop.query("T1"), "trade_state"), shop.balance()), ("REVOKED", 0));
    shop.wait(Span::us(1));
    assert_eq!((field(&shop.query("T1"), "trade_state"), shop.balance()), ("SUCCESS", 888));
    assert_eq!(codes(&shop.refund("T1", "R1", "888", "888")), ("SUCCESS", ""));
    assert_eq!(shop.balance(), 0);
}

#[test]
fn a_paid_order_that_is_undone_is_not_paid_again_by_a_late_success() {
    let mut shop = Shop::open_with(&plan("cancel", "does = 'late-success', after = '90 s'"));
    micropay(&mut shop, "T1");
    shop.wait(Span::s(15));
    shop.call("/secapi/pay/reverse", &[("out_trade_no", "T1")]);
    shop.wait(Span::s(100));
    assert_eq!((field(&shop.query("T1"), "trade_state"), shop.balance()), ("REVOKED", 0));
}

#[test]
fn a_signature_is_wrong_and_nothing_else() {
    let mut shop = Shop::open_with(&plan("query", "does = 'wrong-signature'"));
    micropay(&mut shop, "T1");
    let body = xml::render(&shop.signed(&[("out_trade_no", "T1")]));
    let answer = read(&shop.post("/pay/orderquery", body));
    assert_eq!(field(&answer, "trade_state"), "SUCCESS");
    let (told, right) = (field(&answer, "sign"), sign(&answer, KEY, SignType::Md5));
    assert_ne!(told, right);
    assert_eq!(told.len(), 32);
    shop.query("T1");
}

#[test]
fn an_amount_is_wrong_in_what_is_told_and_not_in_the_books() {
    let mut shop = Shop::open_with(&plan("query", "does = 'wrong-amount', by_fen = -88"));
    micropay(&mut shop, "T1");
    assert_eq!(field(&shop.query("T1"), "total_fee"), "800");
    assert_eq!(field(&shop.query("T1"), "total_fee"), "888");
    assert_eq!(shop.balance(), 888);
}

#[test]
fn the_gateway_fails_with_and_without_the_effect() {
    for (effect, balance) in [(true, 888), (false, 0)] {
        let with = format!("does = 'http', status = 502, effect = {effect}");
        let mut shop = Shop::open_with(&plan("pay", &with));
        let reply = micropay(&mut shop, "T1");
        assert_eq!(response(&reply).status, 502);
        assert!(
            xml::read(&response(&reply).body).is_ok_and(|fields| field(&fields, "return_code").is_empty())
                || xml::read(&response(&reply).body).is_err()
        );
        assert_eq!(shop.balance(), balance);
    }
}

#[test]
fn the_connection_is_reset_within_the_answer() {
    let mut shop = Shop::open_with(&plan("pay", "does = 'reset', at = 30"));
    match micropay(&mut shop, "T1").answer {
        Answer::Cut { response, body_len: 30 } => assert!(response.body.len() > 30),
        other => panic!("{other:?}"),
    }
    assert_eq!(shop.balance(), 888);
}

#[test]
fn a_call_is_refused_as_planned_and_not_done() {
    let mut shop = Shop::open_with(&plan("refund", "does = 'refuse', refusal = 'merchant-poor'"));
    micropay(&mut shop, "T1");
    assert_eq!(codes(&shop.refund("T1", "R1", "888", "888")), ("FAIL", "NOTENOUGH"));
    assert_eq!(shop.balance(), 888);
    assert_eq!(codes(&shop.refund("T1", "R1", "888", "888")), ("SUCCESS", ""));
}

#[test]
fn an_unknown_end_of_undoing_asks_to_be_called_again() {
    let mut shop = Shop::open_with(&plan("cancel", "does = 'system-error', effect = true"));
    micropay(&mut shop, "T1");
    shop.wait(Span::s(15));
    let undone = shop.call("/secapi/pay/reverse", &[("out_trade_no", "T1")]);
    assert_eq!((codes(&undone), field(&undone, "recall")), (("FAIL", "SYSTEMERROR"), "Y"));
    let undone = shop.call("/secapi/pay/reverse", &[("out_trade_no", "T1")]);
    assert_eq!((codes(&undone), field(&undone, "recall")), (("SUCCESS", ""), "N"));
    assert_eq!(shop.balance(), 0);
}
