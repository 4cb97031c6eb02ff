use proptest::prelude::*;

use super::*;
use crate::payments::alipay::parameters::{Parameters, message};

fn text(response: &Response) -> String {
    String::from_utf8_lossy(&response.body).into_owned()
}

/// Source: signatures over the same form in two charsets, made by another library with the key of RFC 9500.
#[test]
fn the_text_to_sign_is_the_bytes_of_the_form_in_its_charset() {
    let vectors: toml::Table =
        toml::from_str(include_str!("../../../../../fixtures/payments/vectors.toml")).unwrap();
    let signed = vectors["signature"].as_array().unwrap();
    let pick = |place: usize, name: &str| signed[place][name].as_str().unwrap().to_owned();
    let utf8 = "version=1.0&charset=utf-8&timestamp=2014-07-24+03%3A07%3A50&method=alipay.trade.query&sign_type=RSA2&\
                biz_content=%7B%22out_trade_no%22%3A%22T1%22%2C%22subject%22%3A%22%E6%B5%8B%E8%AF%95%22%7D&\
                empty=&app_id=2014072300007148&sign=zz";
    let gbk = utf8.replace("utf-8", "GBK").replace("%E6%B5%8B%E8%AF%95", "%B2%E2%CA%D4");
    for (place, body) in [(3, utf8), (4, gbk.as_str())] {
        let parameters = Parameters::read(&Request::post("/gateway.do", body)).unwrap();
        let hex: String = parameters.message().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, pick(place, "message_hex"));
        let key = SecretKey::read(PKCS1).unwrap();
        assert_eq!(key.public().verify(&parameters.message(), &pick(place, "signature")), Ok(()));
    }
}

/// A request's text to sign has `sign_type` in it, a notification's has not.
#[test]
fn what_is_left_out_of_the_text_to_sign_differs_by_direction() {
    let fields: Vec<(&[u8], &[u8])> =
        vec![(b"sign_type", b"RSA2"), (b"b", b"2"), (b"sign", b"x"), (b"a", b"1")];
    assert_eq!(message(fields.iter().copied(), &["sign"]), b"a=1&b=2&sign_type=RSA2");
    assert_eq!(message(fields.iter().copied(), &["sign", "sign_type"]), b"a=1&b=2");
    assert_eq!(message(fields.iter().copied(), &[]), b"a=1&b=2&sign=x&sign_type=RSA2");
}

#[test]
fn parameters_lie_in_the_query_or_the_body_whatever_the_method() {
    let content = json!({ "out_trade_no": "T9" }).to_string();
    let mut desk = Desk::new("");
    let fields = desk.signed("alipay.trade.query", &content, &[]);
    let is_content = |(name, _): &&(String, String)| name == "biz_content";
    let (inside, outside): (Vec<_>, Vec<_>) =
        fields.clone().into_iter().partition(|field| is_content(&field));
    let get = Request {
        method: "GET".into(),
        path: "/gateway.do".into(),
        query: form_of(&fields),
        ..Request::default()
    };
    let mut split = post(&inside);
    split.query = form_of(&outside);
    let mut other = post(&outside);
    other.query = form_of(&inside);
    for request in [post(&fields), get, split, other] {
        let response = desk.carry(&request);
        assert_eq!(
            (response.status, response.header("content-type")),
            (200, Some("text/html;charset=utf-8"))
        );
        assert_eq!(codes(&verified(&text(&response)).unwrap()), ("40004", "ACQ.TRADE_NOT_EXIST"));
        assert!(text(&response).starts_with("{\"alipay_trade_query_response\":{"));
    }
}

#[test]
fn a_request_in_gbk_is_answered_in_gbk() {
    let mut desk = Desk::new("");
    let content =
        encoding_rs::GBK.encode("{\"out_trade_no\":\"N1\",\"subject\":\"水卡\",\"total_amount\":\"5\"}").0;
    let text = "app_id=2014072300007148&biz_content=";
    let mut message = text.as_bytes().to_vec();
    message.extend_from_slice(&content);
    let rest =
        "&charset=GBK&method=alipay.trade.precreate&sign_type=RSA2&timestamp=2026-03-01 08:00:00&version=1.0";
    message.extend_from_slice(rest.as_bytes());
    let signature = desk.key.sign(&message);
    let fields: Vec<(&[u8], &[u8])> = vec![
        (b"app_id", APP_ID.as_bytes()),
        (b"biz_content", &content),
        (b"charset", b"GBK"),
        (b"method", PRECREATE.as_bytes()),
        (b"sign_type", b"RSA2"),
        (b"timestamp", b"2026-03-01 08:00:00"),
        (b"version", b"1.0"),
        (b"sign", signature.as_bytes()),
    ];
    let response = desk.carry(&Request::post("/gateway.do", form::write(fields.iter().copied())));
    assert_eq!(response.header("content-type"), Some("text/html;charset=GBK"));
    assert!(verified(&String::from_utf8(response.body).unwrap()).is_some());
    assert_eq!(desk.backend.ledger().orders()[0].terms.subject, "水卡");
    // The same bytes said to be UTF-8 are no text.
    let signature = desk.key.sign(&String::from_utf8_lossy(&message).replace("GBK", "utf-8").into_bytes());
    let wrong: Vec<(&[u8], &[u8])> = fields
        .iter()
        .map(|(name, value)| match *name {
            b"charset" => (*name, b"utf-8".as_slice()),
            b"sign" => (*name, signature.as_bytes()),
            _ => (*name, *value),
        })
        .collect();
    let response = desk.carry(&Request::post("/gateway.do", form::write(wrong.iter().copied())));
    assert!(String::from_utf8_lossy(&response.body).contains("isv.invalid-signature"));
    let bad = message.clone();
    let bad = [&bad[..text.len()], content.as_ref(), rest.replace("GBK", "utf-8").as_bytes()].concat();
    let signature = desk.key.sign(&bad);
    let resigned: Vec<(&[u8], &[u8])> = wrong
        .iter()
        .map(|(name, value)| if *name == b"sign" { (*name, signature.as_bytes()) } else { (*name, *value) })
        .collect();
    let response = desk.carry(&Request::post("/gateway.do", form::write(resigned.iter().copied())));
    assert!(String::from_utf8_lossy(&response.body).contains("isv.invalid-parameter"));
    assert_eq!(desk.books().0, 1);
}

#[test]
fn a_common_parameter_that_is_missing_or_wrong_is_named_in_the_gateways_order() {
    for (name, value, code, sub_code) in [
        ("app_id", "", "40001", "isv.missing-app-id"),
        ("app_id", "2014072300007149", "40002", "isv.invalid-app-id"),
        ("method", "", "40001", "isv.missing-method"),
        ("method", "alipay.trade.create", "40002", "isv.invalid-method"),
        ("charset", "", "40002", "isv.invalid-charset"),
        ("charset", "latin1", "40002", "isv.invalid-charset"),
        ("sign_type", "", "40001", "isv.missing-signature-type"),
        ("sign_type", "RSA", "40002", "isv.invalid-signature-type"),
        ("timestamp", "", "40001", "isv.missing-timestamp"),
        ("timestamp", "1772323200", "40002", "isv.invalid-timestamp"),
        ("version", "", "40001", "isv.missing-version"),
        ("version", "2.0", "40002", "isv.invalid-parameter"),
        ("format", "XML", "40002", "isv.invalid-format"),
        ("biz_content", "", "40002", "isv.invalid-parameter"),
        ("biz_content", "[]", "40002", "isv.invalid-parameter"),
        ("biz_content", "{", "40002", "isv.invalid-parameter"),
    ] {
        let mut desk = Desk::new("");
        let fields = desk.signed(PAY, &pay("T1", "5").to_string(), &[(name, value)]);
        let response = desk.carry(&post(&fields));
        let answer: Value = serde_json::from_slice(&response.body).unwrap();
        let object = if name == "method" { "error_response" } else { "alipay_trade_pay_response" };
        assert_eq!((response.status, codes(&answer[object])), (200, (code, sub_code)), "{name} {value}");
        assert_eq!(desk.books(), (0, 0, 0));
    }
}

#[test]
fn the_application_is_looked_at_before_the_signature() {
    let mut desk = Desk::new("");
    let mut fields = desk.signed(PAY, &pay("T1", "5").to_string(), &[("app_id", "2014072300007149")]);
    fields.last_mut().unwrap().1 = "AAAA".to_owned();
    let answer = text(&desk.carry(&post(&fields)));
    assert!(answer.contains("isv.invalid-app-id") && !answer.contains("\"sign\""), "{answer}");
    let mut fields = desk.signed(PAY, &pay("T1", "5").to_string(), &[]);
    fields.last_mut().unwrap().1 = "AAAA".to_owned();
    let answer = text(&desk.carry(&post(&fields)));
    assert!(answer.contains("isv.invalid-signature") && !answer.contains("\"sign\":"), "{answer}");
    fields.pop();
    assert!(text(&desk.carry(&post(&fields))).contains("isv.missing-signature"));
    assert_eq!((desk.books(), desk.findings()), ((0, 0, 0), vec!["bad-signature", "unsigned"]));
}

#[test]
fn a_planned_wrong_signature_does_not_verify() {
    let mut desk = Desk::new("[[misbehave]]\ncall = 'query'\nwith = { does = 'wrong-signature' }");
    let fields = desk.signed("alipay.trade.query", "{\"out_trade_no\":\"T1\"}", &[]);
    assert_eq!(verified(&text(&desk.carry(&post(&fields)))), None);
    assert!(verified(&text(&desk.carry(&post(&fields)))).is_some());
}

/// The signature is of the bytes as they are written, slashes escaped; written otherwise it fits no more.
#[test]
fn slashes_are_escaped_under_the_signature() {
    let mut desk = Desk::new("");
    let fields = desk.signed(PRECREATE, &precreate("N1", "5").to_string(), &[]);
    let answer = text(&desk.carry(&post(&fields)));
    assert!(answer.contains("\"qr_code\":\"https:\\/\\/qr.alipay.com\\/bax"), "{answer}");
    assert!(verified(&answer).is_some());
    assert_eq!(verified(&answer.replace("\\/", "/")), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_are_answered_and_nothing_is_booked(query in "\\PC{0,80}", body in any::<Vec<u8>>()) {
        let mut desk = Desk::new("");
        for method in ["GET", "POST", "PUT"] {
            let mut request = Request::post("/gateway.do", body.clone());
            (request.method, request.query) = (method.to_owned(), query.clone());
            let response = desk.carry(&request);
            prop_assert_eq!(response.status, 200);
            let answer: Value = serde_json::from_slice(&response.body).unwrap();
            prop_assert!(answer["error_response"]["code"].is_string());
        }
        prop_assert_eq!(desk.books(), (0, 0, 0));
    }

    #[test]
    fn any_signed_content_is_answered_by_a_code(content in "\\PC{0,120}", method in prop::sample::select(vec![
        PAY, PRECREATE, "alipay.trade.query", CANCEL, CLOSE, REFUND, REFUND_QUERY,
    ])) {
        let mut desk = Desk::new("");
        let fields = desk.signed(method, &content, &[]);
        let response = desk.carry(&post(&fields));
        let answer = verified(&text(&response)).unwrap();
        prop_assert!(["40002", "40004"].contains(&answer["code"].as_str().unwrap()));
        prop_assert_eq!(desk.books(), (0, 0, 0));
    }

    #[test]
    fn one_wrong_field_is_refused_or_booked_as_it_says(
        field in prop::sample::select(vec!["out_trade_no", "scene", "auth_code", "subject", "total_amount"]),
        value in prop_oneof![
            Just(Value::Null), any::<i64>().prop_map(Value::from), any::<f64>().prop_map(Value::from),
            "\\PC{0,40}".prop_map(Value::from), Just(json!([])), Just(json!({})),
        ],
    ) {
        let mut desk = Desk::new("");
        let mut body = pay("T1", "5");
        body[field] = value;
        let answer = desk.ask(PAY, &body);
        let (orders, refunds, balance) = desk.books();
        prop_assert_eq!(refunds, 0);
        match answer["code"].as_str().unwrap() {
            "10000" => {
                let booked = Fen(balance).to_string();
                prop_assert_eq!((orders, answer["total_amount"].as_str().unwrap()), (1, booked.as_str()));
            }
            _ => prop_assert_eq!(balance, 0),
        }
    }
}
