use super::*;
use crate::payments::{House, Posting};

/// Makes an order, and has it scanned and paid.
fn paid(desk: &mut Desk, number: &str) {
    desk.ask("POST", NATIVE, &native(number, 1250));
    let now = desk.now();
    desk.backend.scan(now, House::Wechat, (MCHID, number), "openid-a").unwrap();
    desk.backend.pay(now, House::Wechat, (MCHID, number)).unwrap();
}

fn next(desk: &mut Desk) -> Option<Posting> {
    let now = desk.now();
    desk.backend.poll_posting(now)
}

fn answer(desk: &mut Desk, posting: &Posting, status: u16, body: &str) {
    let now = desk.now();
    let response = Response::new(status, "application/json", body);
    desk.backend.handle_posted(now, posting.key, Ok(response));
}

/// What a merchant's library makes of a notification.
fn opened(posting: &Posting) -> (Value, Value) {
    verify(&posting.outgoing.headers, &posting.outgoing.body).unwrap();
    let envelope: Value = serde_json::from_slice(&posting.outgoing.body).unwrap();
    let resource = &envelope["resource"];
    let nonce: [u8; 12] = resource["nonce"].as_str().unwrap().as_bytes().try_into().unwrap();
    let key = ApiV3Key::new(API_V3_KEY).unwrap();
    let text = key.open(&nonce, "transaction", resource["ciphertext"].as_str().unwrap()).unwrap();
    let inside = serde_json::from_slice(&text).unwrap();
    (envelope, inside)
}

#[test]
fn a_success_is_told_sealed_and_signed_until_it_is_taken() {
    let mut desk = Desk::new(Mode::Certificate, "");
    paid(&mut desk, "N1");
    let posting = next(&mut desk).unwrap();
    let (envelope, inside) = opened(&posting);
    assert_eq!(posting.outgoing.url, "http://127.0.0.1:9/paid");
    assert_eq!(envelope["event_type"], json!("TRANSACTION.SUCCESS"));
    assert_eq!(envelope["create_time"], json!("2026-03-01T08:00:00+08:00"));
    assert_eq!(envelope["resource"]["algorithm"], json!("AEAD_AES_256_GCM"));
    assert_eq!((&inside["out_trade_no"], &inside["trade_state"]), (&json!("N1"), &json!("SUCCESS")));
    assert_eq!((&inside["amount"]["total"], &inside["trade_type"]), (&json!(1250), &json!("NATIVE")));
    answer(&mut desk, &posting, 500, "{\"code\":\"FAIL\",\"message\":\"later\"}");
    assert_eq!(desk.findings(), ["answer-not-exact"]);
    desk.wait(Span::us(14_999_999));
    assert_eq!(next(&mut desk), None);
    desk.wait(Span::us(1));
    let again = next(&mut desk).unwrap();
    let (second, _) = opened(&again);
    assert_eq!(second["id"], envelope["id"]);
    answer(&mut desk, &again, 204, "");
    desk.wait(Span::s(86_400));
    assert_eq!(next(&mut desk), None);
    assert_eq!(desk.findings(), ["answer-not-exact"]);
}

#[test]
fn only_200_and_204_end_a_notification() {
    for (status, taken) in [(200, true), (204, true), (201, false), (202, false), (302, false), (401, false)]
    {
        let mut desk = Desk::new(Mode::Certificate, "");
        paid(&mut desk, "N1");
        let posting = next(&mut desk).unwrap();
        answer(&mut desk, &posting, status, "");
        desk.wait(Span::s(15));
        assert_eq!(next(&mut desk).is_none(), taken, "{status}");
    }
}

#[test]
fn a_payment_with_a_code_is_not_notified() {
    let mut desk = Desk::new(Mode::Certificate, "");
    let mut body = code_pay("T1", 5);
    body["notify_url"] = json!("http://127.0.0.1:9/paid");
    assert_eq!(desk.ask("POST", CODE_PAY, &body).0, 200);
    assert_eq!(next(&mut desk), None);
}

#[test]
fn a_notification_goes_wrong_as_planned() {
    let plan = "
        [[misbehave]]
        call = 'notification'
        order = 'N1'
        with = { does = 'wrong-signature' }
        [[misbehave]]
        call = 'notification'
        order = 'N2'
        with = { does = 'wrong-amount', by_fen = 1 }
        [[misbehave]]
        call = 'notification'
        order = 'N3'
        with = { does = 'twice', after = '1 s' }";
    let mut desk = Desk::new(Mode::PublicKey, plan);
    paid(&mut desk, "N1");
    let posting = next(&mut desk).unwrap();
    assert!(verify(&posting.outgoing.headers, &posting.outgoing.body).is_err());
    answer(&mut desk, &posting, 200, "");
    paid(&mut desk, "N2");
    let posting = next(&mut desk).unwrap();
    assert_eq!(opened(&posting).1["amount"]["total"], json!(1251));
    answer(&mut desk, &posting, 200, "");
    paid(&mut desk, "N3");
    let first = next(&mut desk).unwrap();
    answer(&mut desk, &first, 200, "");
    desk.wait(Span::s(1));
    let second = next(&mut desk).unwrap();
    assert_eq!(opened(&first).0["id"], opened(&second).0["id"]);
}
