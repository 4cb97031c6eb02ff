use proptest::prelude::*;

use super::*;

fn card() -> CardNumber {
    CardNumber::parse(b"0012345678").unwrap()
}

fn order(number: u128) -> OrderNumber {
    OrderNumber::new(number).unwrap()
}

fn both_ways(answer: u8, kind: u8, content: &str, message: &Message) {
    assert_eq!(Message::parse(answer, kind, content.as_bytes()).as_ref(), Ok(message), "{content}");
    assert_eq!((message.answer_word(), message.kind()), (answer, kind), "{content}");
    assert_eq!(message.content(), content.as_bytes(), "{content}");
}

#[test]
fn requests_read_and_write() {
    let flat = |kind, content, request| {
        both_ways(0x00, kind, content, &Message::Request { pricing: Pricing::Flat, request });
    };
    flat(0x00, "", Request::Heartbeat);
    flat(0x01, "0012345678%12.5", Request::OrderRequest { card: card(), sold: Volume(1250) });
    flat(0x03, "", Request::Clock);
    flat(0x04, "", Request::Parameters);
    flat(0x05, "0012345678%0", Request::CardQuery { card: card(), sold: Volume(0) });
    flat(0x06, "voice%12", Request::FaultReport { part: "voice".into(), code: 12 });
    for (digit, result) in
        [('0', WriteResult::Failed), ('1', WriteResult::Written), ('2', WriteResult::InDoubt)]
    {
        let request = Request::Upload { card: card(), order: order(1042), result, sold: Volume(11_250) };
        let content = format!("0012345678%1042%{digit}%112.5");
        both_ways(0x00, 0x12, &content, &Message::Request { pricing: Pricing::Tiered, request });
    }
}

#[test]
fn answers_read_and_write() {
    let tiered = |kind, content, answer| {
        both_ways(0x11, kind, content, &Message::Answer { pricing: Pricing::Tiered, answer });
    };
    let at = Wall::parse_digits(b"20260102030405").unwrap();
    tiered(0x10, "20260102030405", Answer::Heartbeat { at });
    tiered(0x13, "20260102030405", Answer::Clock { at });
    let offer = |offer, base| Answer::OrderRequest { card: card(), offer, base };
    let volume = Volume(1250);
    tiered(0x11, "0012345678%0%0%0%100", offer(Offer::None, Some(Volume(10_000))));
    tiered(
        0x11,
        "0012345678%7%1%12.5%100",
        offer(Offer::Paid { order: order(7), volume }, Some(Volume(10_000))),
    );
    tiered(0x11, "0012345678%7%1%12.5", offer(Offer::Paid { order: order(7), volume }, None));
    tiered(0x11, "0012345678%7%2%12.5%0", offer(Offer::Done { order: order(7), volume }, Some(Volume(0))));
    tiered(0x11, "0012345678%0%3%0%0.05", offer(Offer::Refused, Some(Volume(5))));
    tiered(0x12, "1042%1", Answer::Upload { order: order(1042), state: UploadState::Open });
    tiered(0x12, "1042%2", Answer::Upload { order: order(1042), state: UploadState::Closed });
    tiered(0x12, "1042%3", Answer::Upload { order: order(1042), state: UploadState::SetAside });
    let server = "10.0.0.9:7000".parse().unwrap();
    tiered(0x14, "60%10.0.0.9%7000", Answer::Parameters { heartbeat_s: 60, server });
    tiered(
        0x15,
        "0012345678%112.5%3",
        Answer::CardQuery { card: card(), sold: Volume(11_250), open_orders: 3 },
    );
    tiered(0x16, "ok", Answer::FaultReport);
    both_ways(0x10, 0x47, "", &Message::Negative { kind: 0x47 });
}

#[test]
fn what_has_no_meaning_says_why() {
    let refused = |answer, kind, content: &str| Message::parse(answer, kind, content.as_bytes()).unwrap_err();
    assert_eq!(refused(0x01, 0x00, ""), ContentError::UnknownAnswerWord(0x01));
    for kind in [0x07, 0x0F, 0x17, 0x20, 0xFF] {
        assert_eq!(refused(0x00, kind, ""), ContentError::UnknownKind(kind));
        assert_eq!(refused(0x11, kind, ""), ContentError::UnknownKind(kind));
    }
    assert_eq!(refused(0x00, 0x00, "x"), ContentError::FieldCount { expected: 0, found: 1 });
    assert_eq!(refused(0x10, 0x00, "%"), ContentError::FieldCount { expected: 0, found: 2 });
    assert_eq!(refused(0x00, 0x01, "0012345678"), ContentError::FieldCount { expected: 2, found: 1 });
    assert_eq!(refused(0x00, 0x01, "0012345678%1%"), ContentError::FieldCount { expected: 2, found: 3 });
    assert_eq!(
        refused(0x11, 0x01, "0012345678%0%0%0%0%0"),
        ContentError::FieldCount { expected: 5, found: 6 }
    );
    let field = |field, expected| ContentError::Field { field, expected };
    assert_eq!(refused(0x00, 0x01, "001234567%1"), field(1, "a card number"));
    assert_eq!(refused(0x00, 0x01, "0012345678%1.234"), field(2, "a volume"));
    assert_eq!(refused(0x00, 0x01, "0012345678%-1"), field(2, "a volume"));
    assert_eq!(refused(0x00, 0x02, "0012345678%0%1%1"), field(2, "an order number"));
    assert_eq!(refused(0x00, 0x02, "0012345678%123456789012345678901%1%1"), field(2, "an order number"));
    assert_eq!(refused(0x00, 0x02, "0012345678%1%3%1"), field(3, "a result"));
    assert_eq!(refused(0x00, 0x02, "0012345678%1%01%1"), field(3, "a result"));
    assert_eq!(refused(0x00, 0x06, "Voice%1"), field(1, "the name of a part"));
    assert_eq!(refused(0x00, 0x06, "seventeen-letters%1"), field(1, "the name of a part"));
    assert_eq!(refused(0x00, 0x06, "voice%65536"), field(2, "a number"));
    assert_eq!(refused(0x11, 0x00, "20260230030405"), field(1, "a date and time"));
    assert_eq!(refused(0x11, 0x01, "0012345678%7%0%0%0"), field(2, "0"));
    assert_eq!(refused(0x11, 0x01, "0012345678%0%3%1%0"), field(4, "0"));
    assert_eq!(refused(0x11, 0x01, "0012345678%0%1%1%0"), field(2, "an order number"));
    assert_eq!(refused(0x11, 0x01, "0012345678%7%1%0%0"), field(4, "a volume above zero"));
    assert_eq!(refused(0x11, 0x01, "0012345678%7%4%1%0"), field(3, "an order's state"));
    assert_eq!(refused(0x11, 0x02, "7%0"), field(2, "an upload's state"));
    assert_eq!(refused(0x11, 0x04, "0%10.0.0.9%7000"), field(1, "a number above zero"));
    assert_eq!(refused(0x11, 0x04, "60%10.0.0.256%7000"), field(2, "an IPv4 address"));
    assert_eq!(refused(0x11, 0x04, "60%10.0.0.9%70000"), field(3, "a number"));
    assert_eq!(refused(0x11, 0x05, "0012345678%1%"), field(3, "a number"));
    assert_eq!(refused(0x11, 0x06, "OK"), field(1, "ok"));
}

#[test]
fn the_longest_contents_fit_the_documented_57_bytes() {
    let answer = Answer::OrderRequest {
        card: card(),
        offer: Offer::Paid { order: OrderNumber::MAX, volume: Volume(u32::MAX) },
        base: Some(Volume(u32::MAX)),
    };
    let message = Message::Answer { pricing: Pricing::Flat, answer };
    assert_eq!(message.content().len(), 57);
    let request = Request::Upload {
        card: card(),
        order: OrderNumber::MAX,
        result: WriteResult::InDoubt,
        sold: Volume(u32::MAX),
    };
    let frame = Message::Request { pricing: Pricing::Flat, request }.to_frame(1, MachineNumber::from(1));
    assert_eq!(frame.content.len() + 14, 59);
}

proptest! {
    #[test]
    fn any_content_gets_an_answer_and_what_is_read_survives_rewriting(
        answer in prop_oneof![Just(0x00_u8), Just(0x10), Just(0x11), any::<u8>()],
        kind in prop_oneof![0_u8..=6, 0x10_u8..=0x16, any::<u8>()],
        content in prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..70),
            "[0-9]{10}(%[0-9.]{1,4}){0,5}".prop_map(String::into_bytes),
            "[0-9]{1,3}%[0-9.]{1,8}%?[0-9]{0,5}".prop_map(String::into_bytes),
        ],
    ) {
        if let Ok(message) = Message::parse(answer, kind, &content) {
            let again = Message::parse(message.answer_word(), message.kind(), &message.content());
            prop_assert_eq!(again.as_ref(), Ok(&message));
        }
    }
}
