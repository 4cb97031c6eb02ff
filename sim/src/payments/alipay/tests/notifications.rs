use std::collections::BTreeMap;

use super::*;
use crate::payments::Posting;

/// What a merchant's library makes of a notification: the fields, if the signature is good.
fn opened(posting: &Posting) -> Option<BTreeMap<String, String>> {
    let fields = form::read(&posting.outgoing.body).unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let mut fields: BTreeMap<String, String> =
        fields.into_iter().map(|(name, value)| (text(name), text(value))).collect();
    let (signature, kind) = (fields.remove("sign")?, fields.remove("sign_type")?);
    assert_eq!(kind, "RSA2");
    let pairs: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
    PLATFORM.public().verify(pairs.join("&").as_bytes(), &signature).ok()?;
    Some(fields)
}

fn next(desk: &mut Desk) -> Option<Posting> {
    let now = desk.now();
    desk.backend.poll_posting(now)
}

fn answer(desk: &mut Desk, posting: &Posting, status: u16, body: &str) {
    let now = desk.now();
    let response = Response::new(status, "text/plain", body);
    desk.backend.handle_posted(now, posting.key, Ok(response));
}

fn paid(desk: &mut Desk) {
    let more = [("notify_url", "http://127.0.0.1:9/paid?shop=1")];
    assert_eq!(codes(&desk.ask_with(PAY, &pay("T1", "12.50"), &more)), ("10000", ""));
}

#[test]
fn a_success_is_told_eight_times_with_one_notify_id() {
    let mut desk = Desk::new("");
    paid(&mut desk);
    let mut ids = Vec::new();
    for gap_s in [0, 240, 600, 600, 3_600, 7_200, 21_600, 54_000] {
        if gap_s > 0 {
            desk.wait(Span::s(gap_s) - Span::us(1));
            assert_eq!(next(&mut desk), None);
            desk.wait(Span::us(1));
        }
        let posting = next(&mut desk).unwrap();
        assert_eq!(posting.outgoing.url, "http://127.0.0.1:9/paid?shop=1");
        let fields = opened(&posting).unwrap();
        for (name, value) in [
            ("app_id", APP_ID),
            ("seller_id", SELLER),
            ("trade_status", "TRADE_SUCCESS"),
            ("total_amount", "12.50"),
            ("out_trade_no", "T1"),
            ("subject", "水卡充值"),
            ("gmt_payment", "2026-03-01 08:00:00"),
        ] {
            assert_eq!(fields[name], value);
        }
        ids.push(fields["notify_id"].clone());
        answer(&mut desk, &posting, 500, "");
    }
    ids.dedup();
    assert_eq!(ids.len(), 1);
    desk.wait(Span::s(900_000));
    assert_eq!(next(&mut desk), None);
}

#[test]
fn only_the_seven_bytes_end_a_notification() {
    for (status, body, taken) in [
        (200, "success", true),
        (200, "success\n", false),
        (200, " success", false),
        (200, "SUCCESS", false),
        (200, "\"success\"", false),
        (200, "", false),
        (201, "success", false),
        (500, "success", false),
    ] {
        let mut desk = Desk::new("");
        paid(&mut desk);
        let posting = next(&mut desk).unwrap();
        answer(&mut desk, &posting, status, body);
        desk.wait(Span::s(240));
        assert_eq!(next(&mut desk).is_none(), taken, "{status} {body:?}");
        assert_eq!(desk.findings().is_empty(), taken, "{status} {body:?}");
    }
}

#[test]
fn a_planned_wrong_signature_or_amount_is_in_the_notification() {
    let plan = |does: &str| format!("[[misbehave]]\ncall = 'notification'\nwith = {{ {does} }}");
    let mut desk = Desk::new(&plan("does = 'wrong-signature'"));
    paid(&mut desk);
    assert_eq!(opened(&next(&mut desk).unwrap()), None);
    let mut desk = Desk::new(&plan("does = 'wrong-amount', by_fen = -1"));
    paid(&mut desk);
    assert_eq!(opened(&next(&mut desk).unwrap()).unwrap()["total_amount"], "12.49");
}

#[test]
fn an_address_that_is_none_is_refused() {
    let mut desk = Desk::new("");
    let answer = desk.ask_with(PAY, &pay("T1", "5"), &[("notify_url", "ftp://127.0.0.1/")]);
    assert_eq!(codes(&answer), ("40004", "ACQ.INVALID_PARAMETER"));
    assert_eq!(desk.books(), (0, 0, 0));
}
