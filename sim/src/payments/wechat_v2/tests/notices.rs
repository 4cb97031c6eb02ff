//! Notifications: when they come, what they say, and what stops them. Source: BKD-5.

use super::*;
use crate::payments::backend::Posting;
use crate::payments::notice::Standing;

const TAKEN: &str =
    "<xml><return_code><![CDATA[SUCCESS]]></return_code><return_msg><![CDATA[OK]]></return_msg></xml>";

fn due(shop: &mut Shop) -> Option<Posting> {
    let now = shop.now();
    shop.backend.poll_posting(now)
}

fn answer(shop: &mut Shop, posting: &Posting, status: u16, body: &str) {
    let now = shop.now();
    shop.backend.handle_posted(now, posting.key, Ok(Response::new(status, "text/xml", body)));
}

fn sold(plan: &str) -> Shop {
    let mut shop = Shop::open_with(plan);
    shop.native("N1", "250");
    assert_eq!(due(&mut shop), None);
    shop.scanned_and_paid("N1", "ada");
    shop
}

#[test]
fn a_success_is_told_at_once_signed_and_once_if_it_is_taken() {
    let mut shop = sold("");
    let posting = due(&mut shop).unwrap();
    assert_eq!((posting.outgoing.url.as_str(), posting.limit), ("http://127.0.0.1:9/paid", Span::s(5)));
    let fields = xml::read(&posting.outgoing.body).unwrap();
    assert_eq!(field(&fields, "sign"), sign(&fields, KEY, SignType::Md5));
    for (name, value) in [
        ("return_code", "SUCCESS"),
        ("result_code", "SUCCESS"),
        ("out_trade_no", "N1"),
        ("total_fee", "250"),
        ("appid", APP),
        ("mch_id", MCH),
        ("time_end", "20260301120000"),
    ] {
        assert_eq!(field(&fields, name), value, "{name}");
    }
    assert_eq!(due(&mut shop), None);
    answer(&mut shop, &posting, 200, TAKEN);
    shop.wait(Span::s(100_000));
    assert_eq!(due(&mut shop), None);
    assert_eq!(shop.wrong_moves(), []);
}

#[test]
fn it_is_told_again_at_the_platforms_gaps_until_there_are_no_more() {
    let mut shop = sold("");
    let gaps = [15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10800, 10800, 10800, 21600, 21600];
    let first = due(&mut shop).unwrap();
    shop.backend.handle_posted(shop.now(), first.key, Err("connection refused".into()));
    for gap in gaps {
        shop.wait(Span::us(gap * 1_000_000 - 1));
        assert_eq!(due(&mut shop), None);
        shop.wait(Span::us(1));
        let posting = due(&mut shop).unwrap();
        assert_eq!(posting.key, first.key);
        shop.backend.handle_posted(shop.now(), posting.key, Err("connection refused".into()));
    }
    assert_eq!(shop.mono, Instant::from_us(86_640_000_000));
    shop.wait(Span::s(1_000_000));
    assert_eq!(due(&mut shop), None);
    let (_, notice) = shop.backend.notices().iter().next().unwrap();
    assert_eq!((notice.tries, &notice.standing), (16, &Standing::GivenUp));
    // Nobody answered, so nobody answered wrongly.
    assert_eq!(shop.wrong_moves(), []);
}

#[test]
fn an_answer_that_is_not_the_exact_success_is_none() {
    for (status, body) in [
        (200, "success"),
        (200, ""),
        (200, "<xml><return_code>FAIL</return_code></xml>"),
        (200, "<xml><return_code>success</return_code></xml>"),
        (500, TAKEN),
        (204, TAKEN),
    ] {
        let mut shop = sold("");
        let posting = due(&mut shop).unwrap();
        answer(&mut shop, &posting, status, body);
        assert_eq!(shop.wrong_moves(), [WrongMove::AnswerNotExact], "{status} {body}");
        shop.wait(Span::s(15));
        let again = due(&mut shop).unwrap();
        answer(&mut shop, &again, 200, TAKEN);
        shop.wait(Span::s(15));
        assert_eq!(due(&mut shop), None);
    }
}

#[test]
fn orders_with_a_code_are_not_told_of() {
    let mut shop = Shop::open();
    let fields = [
        ("body", "tea"),
        ("out_trade_no", "T1"),
        ("total_fee", "888"),
        ("spbill_create_ip", "127.0.0.1"),
        ("auth_code", CODE),
        ("notify_url", "http://127.0.0.1:9/paid"),
    ];
    assert_eq!(codes(&shop.call("/pay/micropay", &fields)), ("SUCCESS", ""));
    assert_eq!(due(&mut shop), None);
}

#[test]
fn one_comes_twice_or_late_with_a_wrong_signature_or_amount_or_not_at_all() {
    let strike = |with: &str| format!("[[misbehave]]\ncall = 'notification'\nwith = {{ {with} }}\n");

    let mut shop = sold(&strike("does = 'twice', after = '2 s'"));
    let first = due(&mut shop).unwrap();
    answer(&mut shop, &first, 200, TAKEN);
    shop.wait(Span::s(2));
    let second = due(&mut shop).unwrap();
    assert_ne!(second.key, first.key);
    assert_eq!(field(&xml::read(&second.outgoing.body).unwrap(), "out_trade_no"), "N1");

    let mut shop = sold(&strike("does = 'held', by = '60 s'"));
    assert_eq!(due(&mut shop), None);
    shop.native("N2", "1");
    shop.scanned_and_paid("N2", "ada");
    let overtaking = due(&mut shop).unwrap();
    assert_eq!(field(&xml::read(&overtaking.outgoing.body).unwrap(), "out_trade_no"), "N2");
    shop.wait(Span::s(60));
    let held = due(&mut shop).unwrap();
    assert_eq!(field(&xml::read(&held.outgoing.body).unwrap(), "out_trade_no"), "N1");

    let mut shop = sold(&strike("does = 'wrong-signature'"));
    let fields = xml::read(&due(&mut shop).unwrap().outgoing.body).unwrap();
    assert_ne!(field(&fields, "sign"), sign(&fields, KEY, SignType::Md5));

    let mut shop = sold(&strike("does = 'wrong-amount', by_fen = 1"));
    let fields = xml::read(&due(&mut shop).unwrap().outgoing.body).unwrap();
    assert_eq!(
        (field(&fields, "total_fee"), field(&fields, "sign")),
        ("251", &*sign(&fields, KEY, SignType::Md5))
    );

    let mut shop = sold(&strike("does = 'no-answer', effect = false"));
    assert_eq!(due(&mut shop), None);
    shop.wait(Span::s(15));
    assert!(due(&mut shop).is_some());
}
