use super::*;

fn spoilt(desk: &mut Desk, from: &str, to: &str) -> Request {
    let mut request = desk.request("POST", CODE_PAY, &code_pay("T1", 5).to_string());
    for (name, value) in &mut request.headers {
        if name == "authorization" {
            assert!(value.contains(from), "{value}");
            *value = value.replacen(from, to, 1);
        }
    }
    request
}

#[test]
fn a_request_that_is_not_signed_as_it_should_be_is_401_and_nothing_is_booked() {
    for (from, to, finding) in [
        ("signature=\"", "signature=\"A", "bad-signature"),
        ("mchid=\"1900009191", "mchid=\"1900009192", "bad-signature"),
        ("serial_no=\"1D", "serial_no=\"2D", "bad-signature"),
        ("nonce_str=\"NONCE", "nonce_str=\"NANCE", "bad-signature"),
        ("timestamp=\"1772323200\"", "timestamp=\"1772323201\"", "bad-signature"),
        ("WECHATPAY2-SHA256-RSA2048", "WECHATPAY2-SM2-WITH-SM3", "bad-signature"),
    ] {
        let mut desk = Desk::new(Mode::Certificate, "");
        let request = spoilt(&mut desk, from, to);
        let response = desk.carry(&request);
        let answer: Value = serde_json::from_slice(&response.body).unwrap();
        assert_eq!((response.status, &answer["code"]), (401, &json!("SIGN_ERROR")), "{from}");
        assert_eq!(verify(&response.headers, &response.body), Ok(()), "{from}");
        assert_eq!((desk.books(), desk.findings()), ((0, 0, 0), vec![finding]), "{from}");
    }
    let mut desk = Desk::new(Mode::Certificate, "");
    let mut request = spoilt(&mut desk, "", "");
    request.body.push(b' ');
    let answer: Value = serde_json::from_slice(&desk.carry(&request).body).unwrap();
    assert_eq!(answer["detail"]["sign_information"]["method"], json!("POST"));
    request.headers.retain(|(name, _)| name != "authorization");
    assert_eq!(desk.carry(&request).status, 401);
    assert_eq!((desk.books(), desk.findings()), ((0, 0, 0), vec!["bad-signature", "unsigned"]));
}

#[test]
fn a_signature_counts_once_and_for_five_minutes() {
    let mut desk = Desk::new(Mode::Certificate, "");
    let target = format!("/v3/pay/transactions/out-trade-no/T1?mchid={MCHID}");
    let (once, other) = (desk.request("GET", &target, ""), desk.request("GET", &target, ""));
    assert_eq!(desk.carry(&once).status, 404);
    assert_eq!(desk.carry(&once).status, 401);
    desk.wait(Span::s(300));
    assert_eq!(desk.carry(&other).status, 404);
    let late = desk.request("GET", &target, "");
    desk.wait(Span::s(301));
    assert_eq!(desk.carry(&late).status, 401);
}

#[test]
fn a_request_says_what_it_takes_and_what_it_brings() {
    for (name, value, status) in [
        ("accept", None, 400),
        ("user-agent", None, 400),
        ("accept", Some("text/html"), 406),
        ("content-type", Some("text/plain"), 415),
        ("content-type", None, 415),
        ("accept", Some("*/*"), 200),
        ("content-type", Some("application/json; charset=utf-8"), 200),
    ] {
        let mut desk = Desk::new(Mode::Certificate, "");
        let mut request = desk.request("POST", CODE_PAY, &code_pay("T1", 5).to_string());
        request.headers.retain(|(one, _)| one != name);
        request.headers.extend(value.map(|value| (name.to_owned(), value.to_owned())));
        assert_eq!(desk.carry(&request).status, status, "{name} {value:?}");
        assert_eq!(desk.books().0, usize::from(status == 200));
    }
}

#[test]
fn certificates_are_sealed_for_the_merchant_and_show_the_key_that_answers_are_signed_with() {
    let mut desk = Desk::new(Mode::Certificate, "");
    let (status, answer) = desk.ask("GET", "/v3/certificates", &Value::Null);
    let shown = &answer["data"][0];
    let sealed = &shown["encrypt_certificate"];
    let nonce: [u8; 12] = sealed["nonce"].as_str().unwrap().as_bytes().try_into().unwrap();
    let key = ApiV3Key::new(API_V3_KEY).unwrap();
    let pem = key.open(&nonce, "certificate", sealed["ciphertext"].as_str().unwrap()).unwrap();
    let pem = String::from_utf8(pem).unwrap();
    assert_eq!((status, &shown["serial_no"]), (200, &json!(PLATFORM.certificate.serial())));
    assert_eq!(shown["effective_time"], json!("2026-01-01T08:00:00+08:00"));
    assert_eq!(shown["expire_time"], json!("2030-12-31T08:00:00+08:00"));
    assert_eq!(PublicKey::read(&pem).unwrap().to_pem(), PLATFORM.signing.public().to_pem());
}

#[test]
fn who_goes_by_the_public_key_is_answered_with_it_and_has_no_certificates() {
    let serial = |response: &Response| response.header("wechatpay-serial").unwrap().to_owned();
    let mut desk = Desk::new(Mode::PublicKey, "");
    let request = desk.request("GET", "/v3/certificates", "");
    let response = desk.carry(&request);
    assert_eq!((response.status, serial(&response).as_str()), (404, PUB_KEY_ID));
    assert_eq!(verify(&response.headers, &response.body), Ok(()));
    let target = format!("/v3/pay/transactions/out-trade-no/T1?mchid={MCHID}");
    let mut named = desk.request("GET", &target, "");
    named.headers.push(("wechatpay-serial".to_owned(), PLATFORM.certificate.serial().to_owned()));
    assert_eq!(serial(&desk.carry(&named)), PLATFORM.certificate.serial());
    let mut desk = Desk::new(Mode::Certificate, "");
    let mut named = desk.request("GET", &target, "");
    named.headers.push(("wechatpay-serial".to_owned(), PUB_KEY_ID.to_owned()));
    assert_eq!(serial(&desk.carry(&named)), PUB_KEY_ID);
}

#[test]
fn a_planned_wrong_signature_does_not_verify() {
    let plan = "[[misbehave]]\ncall = 'query'\nwith = { does = 'wrong-signature' }";
    let mut desk = Desk::new(Mode::Certificate, plan);
    desk.ask("POST", CODE_PAY, &code_pay("T1", 5));
    let target = format!("/v3/pay/transactions/out-trade-no/T1?mchid={MCHID}");
    let (first, second) = (desk.request("GET", &target, ""), desk.request("GET", &target, ""));
    let response = desk.carry(&first);
    assert!(verify(&response.headers, &response.body).is_err());
    let response = desk.carry(&second);
    assert_eq!(verify(&response.headers, &response.body), Ok(()));
}
