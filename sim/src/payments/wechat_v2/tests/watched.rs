//! Wrong moves of clients, each beside the move that is right. Source: BKD-6.

use super::*;

fn one(shop: &Shop) -> (WrongMove, String, Option<i64>) {
    let findings: Vec<_> = shop.backend.watch().findings().collect();
    assert_eq!(findings.len(), 1, "{findings:?}");
    let finding = findings[0];
    (finding.what, finding.words.clone(), finding.amount.map(|amount| amount.0))
}

#[test]
fn one_sale_is_charged_again_under_another_number() {
    let plan = "[[misbehave]]\ncall = 'pay'\nwith = { does = 'system-error', effect = true }";
    let mut shop = Shop::open_with(plan);
    assert_eq!(codes(&shop.pay("T1", "888", "130000000000000001")), ("FAIL", "SYSTEMERROR"));
    assert_eq!(codes(&shop.pay("T2", "888", "130000000000000002")), ("SUCCESS", ""));
    let words = "order T1: 8.88 charged again under the number T2";
    assert_eq!(one(&shop), (WrongMove::SecondCharge, words.to_owned(), Some(888)));
    assert_eq!(shop.balance(), 1_776);
}

#[test]
fn a_charge_that_comes_later_counts_too() {
    let mut shop = Shop::open();
    shop.manner("ada", Manner::PaysLate { after: Span::s(20) });
    assert_eq!(codes(&shop.pay("T1", "888", "130000000000000001")), ("FAIL", "USERPAYING"));
    shop.manner("ada", Manner::Pays);
    assert_eq!(codes(&shop.pay("T2", "888", "130000000000000002")), ("SUCCESS", ""));
    assert_eq!(shop.wrong_moves(), []);
    shop.wait(Span::s(20));
    assert_eq!(one(&shop).0, WrongMove::SecondCharge);
}

#[test]
fn who_asks_first_or_undoes_first_charges_nobody_twice() {
    let plan = "[[misbehave]]\ncall = 'pay'\nwith = { does = 'system-error', effect = true }";
    // The first number is undone before the second is charged.
    let mut shop = Shop::open_with(plan);
    shop.pay("T1", "888", "130000000000000001");
    shop.wait(Span::s(15));
    shop.call("/secapi/pay/reverse", &[("out_trade_no", "T1")]);
    shop.pay("T2", "888", "130000000000000002");
    assert_eq!((shop.wrong_moves(), shop.balance()), (vec![], 888));
    // The first is known to be paid, and somebody buys the same once more.
    let mut shop = Shop::open_with(plan);
    shop.pay("T1", "888", "130000000000000001");
    shop.wait(Span::s(5));
    shop.query("T1");
    shop.pay("T2", "888", "130000000000000002");
    assert_eq!((shop.wrong_moves(), shop.balance()), (vec![], 1_776));
    // Another amount is another sale.
    let mut shop = Shop::open_with(plan);
    shop.pay("T1", "888", "130000000000000001");
    shop.pay("T2", "887", "130000000000000002");
    assert_eq!(shop.wrong_moves(), []);
}

#[test]
fn undoing_waits_fifteen_seconds() {
    for (wait, findings) in [(14_999_999, 1), (15_000_000, 0)] {
        let mut shop = Shop::open();
        shop.manner("ada", Manner::Nothing);
        shop.pay("T1", "888", CODE);
        shop.wait(Span::us(wait));
        shop.call("/secapi/pay/reverse", &[("out_trade_no", "T1")]);
        let soon = vec![WrongMove::UndoneTooSoon; findings];
        assert_eq!(shop.wrong_moves(), soon);
    }
}

#[test]
fn polling_waits_five_seconds_while_the_end_is_not_known() {
    for (wait, findings) in [(4_999_999, 1), (5_000_000, 0)] {
        let mut shop = Shop::open();
        shop.manner("ada", Manner::Nothing);
        shop.pay("T1", "888", CODE);
        shop.wait(Span::s(5));
        shop.query("T1");
        shop.wait(Span::us(wait));
        shop.query("T1");
        assert_eq!(shop.wrong_moves(), vec![WrongMove::PolledTooFast; findings]);
    }
    // What is known may be asked about at any time.
    let mut shop = Shop::open();
    shop.pay("T1", "888", CODE);
    shop.query("T1");
    shop.query("T1");
    assert_eq!(shop.wrong_moves(), []);
}

#[test]
fn closing_waits_three_hundred_seconds() {
    for (wait, findings) in [(299_999_999, 1), (300_000_000, 0)] {
        let mut shop = Shop::open();
        shop.native("N1", "250");
        shop.wait(Span::us(wait));
        shop.call("/pay/closeorder", &[("out_trade_no", "N1")]);
        assert_eq!(shop.wrong_moves(), vec![WrongMove::ClosedTooSoon; findings]);
    }
}
