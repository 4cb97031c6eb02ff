//! Whatever is sent: the platform's own error, and nothing booked.

use super::*;
use crate::payments::face::Signature;

fn micropay<'a>() -> Vec<(&'a str, &'a str)> {
    vec![
        ("body", "tea"),
        ("out_trade_no", "T1"),
        ("total_fee", "888"),
        ("spbill_create_ip", "127.0.0.1"),
        ("auth_code", CODE),
    ]
}

fn refused(shop: &mut Shop, request: &Request) -> (String, String) {
    let now = shop.now();
    let reply = shop.backend.handle_request(now, request);
    assert_eq!(response(&reply).status, 200);
    assert!(shop.backend.ledger().orders().is_empty(), "something was booked");
    let fields = read(&reply);
    (field(&fields, "return_code").to_owned(), field(&fields, "err_code").to_owned())
}

#[test]
fn what_cannot_be_read_is_refused_by_its_kind() {
    let mut shop = Shop::open();
    let bomb = "<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><xml><body>&b;</body></xml>";
    for (body, code) in [
        (b"".as_slice(), "POST_DATA_EMPTY"),
        (b"{\"a\":1}", "XML_FORMAT_ERROR"),
        (b"<xml><a>1</a>", "XML_FORMAT_ERROR"),
        (bomb.as_bytes(), "XML_FORMAT_ERROR"),
        (b"<xml><body>\xd6\xd0</body></xml>", "NOT_UTF8"),
        (b"<xml></xml>", "LACK_PARAMS"),
    ] {
        let found = refused(&mut shop, &Request::post("/pay/micropay", body));
        assert_eq!(found, ("FAIL".to_owned(), code.to_owned()));
    }
    let get = Request { method: "GET".into(), path: "/pay/micropay".into(), ..Request::default() };
    assert_eq!(refused(&mut shop, &get).1, "REQUIRE_POST_METHOD");
    assert_eq!(shop.wrong_moves(), []);
}

#[test]
fn a_signature_has_to_be_there_and_right() {
    let mut shop = Shop::open();
    let good = shop.signed(&micropay());
    let mut forged = good.clone();
    forged.iter_mut().find(|(name, _)| name == "total_fee").unwrap().1 = "1".into();
    let mut unsigned = good.clone();
    unsigned.retain(|(name, _)| name != "sign");
    let mut small = good.clone();
    small.iter_mut().find(|(name, _)| name == "sign").unwrap().1.make_ascii_lowercase();
    for (fields, signature) in
        [(forged, Signature::Bad), (unsigned, Signature::Missing), (small, Signature::Bad)]
    {
        let request = Request::post("/pay/micropay", xml::render(&fields));
        assert_eq!(refused(&mut shop, &request).1, "SIGNERROR");
        let logged = shop.backend.log().iter().next_back().unwrap();
        assert_eq!((logged.signature, logged.order.as_str()), (signature, "T1"));
    }
    assert_eq!(shop.wrong_moves(), [WrongMove::BadSignature, WrongMove::Unsigned, WrongMove::BadSignature]);
    let reply = shop.post("/pay/micropay", xml::render(&good));
    assert_eq!(codes(&read(&reply)), ("SUCCESS", ""));
}

#[test]
fn merchants_and_applications_are_checked_before_the_signature() {
    let mut shop = Shop::open();
    for (changed, code) in [
        (("mch_id", "10000999"), "MCHID_NOT_EXIST"),
        (("appid", "wxunknown"), "APPID_NOT_EXIST"),
        (("appid", "wxother"), "APPID_MCHID_NOT_MATCH"),
        (("nonce_str", ""), "LACK_PARAMS"),
        (("nonce_str", "123456789012345678901234567890123"), "PARAM_ERROR"),
        (("sign_type", "RSA"), "PARAM_ERROR"),
    ] {
        let mut fields = micropay();
        fields.push(changed);
        let request = Request::post("/pay/micropay", xml::render(&shop.signed(&fields)));
        assert_eq!(refused(&mut shop, &request), ("FAIL".to_owned(), code.to_owned()), "{changed:?}");
    }
}

#[test]
fn fields_have_to_be_there_and_of_their_form() {
    let mut shop = Shop::open();
    let long = "x".repeat(129);
    for (name, value, code) in [
        ("body", "", "LACK_PARAMS"),
        ("body", long.as_str(), "PARAM_ERROR"),
        ("out_trade_no", "", "LACK_PARAMS"),
        ("out_trade_no", "123456789012345678901234567890123", "PARAM_ERROR"),
        ("out_trade_no", "T 1", "PARAM_ERROR"),
        ("total_fee", "", "LACK_PARAMS"),
        ("total_fee", "0", "PARAM_ERROR"),
        ("total_fee", "-1", "PARAM_ERROR"),
        ("total_fee", "8.88", "PARAM_ERROR"),
        ("total_fee", "+1", "PARAM_ERROR"),
        ("total_fee", "99999999999999999999", "PARAM_ERROR"),
        ("spbill_create_ip", "here", "PARAM_ERROR"),
        ("auth_code", "", "LACK_PARAMS"),
        ("fee_type", "USD", "PARAM_ERROR"),
        ("time_expire", "20260230120000", "PARAM_ERROR"),
    ] {
        let mut fields = micropay();
        fields.retain(|(one, _)| *one != name);
        fields.push((name, value));
        let request = Request::post("/pay/micropay", xml::render(&shop.signed(&fields)));
        assert_eq!(refused(&mut shop, &request).1, code, "{name} {value:?}");
    }
    let limit = [("total_fee", "10000000001"), ("out_trade_no", "T9")];
    let mut fields = micropay();
    fields.retain(|(name, _)| !limit.iter().any(|(one, _)| one == name));
    fields.extend(limit);
    let answer = read(&shop.post("/pay/micropay", xml::render(&shop.signed(&fields))));
    assert_eq!(codes(&answer), ("FAIL", "RULELIMIT"));
}

#[test]
fn orders_that_are_scanned_need_a_product_and_an_address() {
    let mut shop = Shop::open();
    let full = [
        ("body", "tea"),
        ("out_trade_no", "T1"),
        ("total_fee", "888"),
        ("spbill_create_ip", "127.0.0.1"),
        ("trade_type", "NATIVE"),
        ("product_id", "1"),
        ("notify_url", "http://127.0.0.1:9/paid"),
    ];
    for (name, value, code) in [
        ("trade_type", "", "LACK_PARAMS"),
        ("trade_type", "JSAPI", "PARAM_ERROR"),
        ("product_id", "", "LACK_PARAMS"),
        ("notify_url", "", "LACK_PARAMS"),
        ("notify_url", "ftp://127.0.0.1/paid", "PARAM_ERROR"),
        ("notify_url", "http://127.0.0.1/paid?shop=1", "PARAM_ERROR"),
    ] {
        let fields: Vec<_> =
            full.iter().map(|one| if one.0 == name { (name, value) } else { *one }).collect();
        let request = Request::post("/pay/unifiedorder", xml::render(&shop.signed(&fields)));
        assert_eq!(refused(&mut shop, &request).1, code, "{name} {value:?}");
    }
    assert_eq!(codes(&shop.call("/pay/unifiedorder", &full)), ("SUCCESS", ""));
}

/// Over TLS, money goes back only to who shows a certificate.
#[test]
fn undoing_over_tls_needs_a_certificate() {
    let mut shop = Shop::open();
    shop.pay("T1", "888", CODE);
    shop.wait(Span::s(15));
    let body = xml::render(&shop.signed(&[("out_trade_no", "T1")]));
    let mut request = Request { over_tls: true, ..Request::post("/secapi/pay/reverse", body) };
    let now = shop.now();
    let reply = shop.backend.handle_request(now, &request);
    assert_eq!(response(&reply).status, 400);
    assert!(String::from_utf8_lossy(&response(&reply).body).contains("No required SSL certificate was sent"));
    assert_eq!(shop.balance(), 888);
    request.client_certificate = Some(b"a certificate that TLS has checked".to_vec());
    assert_eq!(codes(&read(&shop.backend.handle_request(now, &request))), ("SUCCESS", ""));
    assert_eq!(shop.balance(), 0);
}

#[test]
fn an_address_of_no_face_is_not_found() {
    let mut shop = Shop::open();
    let reply = shop.post("/pay/orderquery/", "<xml/>");
    assert_eq!(response(&reply).status, 404);
}
