use proptest::prelude::*;

use super::*;

/// Values that a program with a defect sends.
fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        "\\PC{0,40}".prop_map(Value::from),
        Just(json!([])),
        Just(json!({ "total": [] })),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_body_of_any_bytes_is_answered_with_a_signed_error(bytes in any::<Vec<u8>>()) {
        let mut desk = Desk::new(Mode::Certificate, "");
        for path in [CODE_PAY, NATIVE, REFUNDS, "/v3/pay/transactions/out-trade-no/T1/reverse"] {
            let mut request = desk.request("POST", path, "");
            request.body.clone_from(&bytes);
            let timestamp = desk.now().wall.as_us() / 1_000_000;
            let mut message = format!("POST\n{path}\n{timestamp}\nNONCE{}\n", desk.count).into_bytes();
            message.extend_from_slice(&bytes);
            message.push(b'\n');
            let old = desk.key.sign(format!("POST\n{path}\n{timestamp}\nNONCE{}\n\n", desk.count).as_bytes());
            let new = desk.key.sign(&message);
            for (_, value) in &mut request.headers {
                *value = value.replace(&old, &new);
            }
            let response = desk.carry(&request);
            prop_assert_eq!(response.status, 400);
            prop_assert_eq!(verify(&response.headers, &response.body), Ok(()));
        }
        prop_assert_eq!(desk.books(), (0, 0, 0));
        prop_assert!(desk.findings().is_empty());
    }

    #[test]
    fn one_wrong_field_is_refused_or_booked_as_it_says(
        field in prop::sample::select(vec![
            "/appid", "/mchid", "/description", "/out_trade_no", "/amount/total", "/amount", "/payer", "/scene_info",
        ]),
        value in value(),
    ) {
        let mut desk = Desk::new(Mode::Certificate, "");
        let mut body = code_pay("T1", 5);
        *body.pointer_mut(field).unwrap() = value;
        let (status, answer) = desk.ask("POST", CODE_PAY, &body);
        let (orders, refunds, balance) = desk.books();
        prop_assert_eq!(refunds, 0);
        if status == 200 {
            prop_assert_eq!((orders, balance), (1, body["amount"]["total"].as_i64().unwrap()));
        } else {
            prop_assert!((400..500).contains(&status) && answer["code"].is_string());
            prop_assert_eq!(balance, 0);
        }
    }

    #[test]
    fn a_header_of_any_text_is_401(text in "\\PC{0,200}") {
        let mut desk = Desk::new(Mode::Certificate, "");
        let mut request = desk.request("POST", CODE_PAY, &code_pay("T1", 5).to_string());
        for (name, value) in &mut request.headers {
            if name == "authorization" {
                value.clone_from(&text);
            }
        }
        prop_assert_eq!(desk.carry(&request).status, 401);
        prop_assert_eq!(desk.books(), (0, 0, 0));
    }
}

#[test]
fn json_that_is_deep_or_huge_is_refused() {
    let mut desk = Desk::new(Mode::Certificate, "");
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let huge = format!("{{\"mchid\":{}}}", "9".repeat(100_000));
    for body in ["", "null", "[]", "{", "{\"mchid\":\"1900009191\"", "\u{feff}{}", &deep, &huge] {
        let request = desk.request("POST", CODE_PAY, body);
        let response = desk.carry(&request);
        assert_eq!(response.status, 400);
        assert!(response.body.len() < 1_000);
    }
    assert_eq!(desk.books(), (0, 0, 0));
}
