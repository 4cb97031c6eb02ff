//! The payment front with literal times and lines.

use super::*;
use crate::card::number::CardNumber;
use crate::machine::{Close, Closing, Input, Machine, Output};
use crate::money::{Fen, Volume};
use crate::time::{Instant, Now, Span, Wall};
use crate::water::frame::OrderNumber;
use crate::water::ledger::{Prepayment, Refusal};
use crate::water::tariff::Pricing;

#[derive(serde::Deserialize)]
struct Profile {
    payments: PaymentsConfig,
}

fn config() -> PaymentsConfig {
    let profile: Profile = toml::from_str(include_str!("../../../../fixtures/profiles/water.toml")).unwrap();
    profile.payments
}

fn order(number: u128) -> OrderNumber {
    OrderNumber::new(number).unwrap()
}

fn payment(number: u128, fen: i64) -> PaymentsStimulus {
    let card = CardNumber::parse(b"0012345678").unwrap();
    PaymentsStimulus::Prepay(Prepayment {
        card,
        order: order(number),
        pricing: Pricing::Flat,
        paid: Fen(fen),
    })
}

/// What the front did, one word each.
fn at(front: &mut Payments, us: u64, input: Input<'_, PaymentsStimulus>) -> Vec<String> {
    front.handle_input(Now { mono: Instant::from_us(us), wall: Wall::from_us(0) }, input);
    std::iter::from_fn(|| front.poll_output())
        .map(|output| {
            assert_eq!(output.at, Instant::from_us(us));
            match output.what {
                Output::Transmit { port: SERVER_PORT, bytes } => String::from_utf8(bytes).unwrap(),
                Output::Open { port: SERVER_PORT, to } => format!("open {to}"),
                Output::Close { port: SERVER_PORT, how: Close::Reset } => "reset".into(),
                Output::Event(event) => format!("{event:?}"),
                other => panic!("{other:?}"),
            }
        })
        .collect()
}

fn received(text: &str) -> Input<'_, PaymentsStimulus> {
    Input::Received { port: SERVER_PORT, bytes: text.as_bytes() }
}

const OPENED: Input<'static, PaymentsStimulus> = Input::Opened { port: SERVER_PORT, from: None };
const CLOSED: Input<'static, PaymentsStimulus> = Input::Closed { port: SERVER_PORT, why: Closing::Reset };
const PAY_7: &str = "PAY 0012345678 7 350 flat\n";
const PAY_8: &str = "PAY 0012345678 8 700 flat\n";

fn connected() -> Payments {
    let mut front = Payments::new(config());
    assert_eq!(at(&mut front, 0, Input::PowerOn), ["open 10.0.0.2:7001"]);
    assert_eq!(at(&mut front, 0, OPENED), ["Connected"]);
    front
}

#[test]
fn payments_are_sent_one_at_a_time_and_confirmed() {
    let mut front = connected();
    assert_eq!(at(&mut front, 10, Input::Stimulus(payment(7, 350))), [PAY_7]);
    assert_eq!(at(&mut front, 20, Input::Stimulus(payment(8, 700))), [""; 0]);
    assert_eq!(at(&mut front, 25, Input::Stimulus(payment(8, 700))), [""; 0]);
    assert_eq!(at(&mut front, 30, received("PAID 7 ")), [""; 0]);
    let volume = Volume(100);
    let confirmed = format!("{:?}", PaymentsEvent::Confirmed { order: order(7), volume });
    assert_eq!(at(&mut front, 40, received("1\n")), [confirmed.as_str(), PAY_8]);
    let refused = format!("{:?}", PaymentsEvent::Refused { order: order(8), reason: Refusal::TooMuch });
    assert_eq!(at(&mut front, 50, received("REFUSED 8 too-much\n")), [refused]);
    assert_eq!((front.waiting(), front.poll_timeout()), (0, None));
}

#[test]
fn an_answer_to_something_else_changes_nothing() {
    let mut front = connected();
    at(&mut front, 10, Input::Stimulus(payment(7, 350)));
    for text in ["PAID 8 1\n", "REFUSED 0 malformed\n", "PAY 0012345678 7 350 flat\n", "hello\n"] {
        assert_eq!(at(&mut front, 20, received(text)), ["Unasked"], "{text}");
    }
    assert_eq!(front.waiting(), 1);
}

#[test]
fn an_unanswered_payment_is_repeated_at_10_s_and_the_connection_given_up_at_the_third() {
    let mut front = connected();
    at(&mut front, 0, Input::Stimulus(payment(7, 350)));
    assert_eq!(front.poll_timeout(), Some(Instant::from_us(10_000_000)));
    assert_eq!(at(&mut front, 9_999_999, Input::Deadline), [""; 0]);
    assert_eq!(at(&mut front, 10_000_000, Input::Deadline), [PAY_7]);
    assert_eq!(at(&mut front, 20_000_000, Input::Deadline), [PAY_7]);
    assert_eq!(at(&mut front, 30_000_000, Input::Deadline), ["reset", "Disconnected"]);
    assert_eq!(at(&mut front, 30_999_999, Input::Deadline), [""; 0]);
    assert_eq!(at(&mut front, 31_000_000, Input::Deadline), ["open 10.0.0.2:7001"]);
    assert_eq!(at(&mut front, 31_000_001, OPENED), ["Connected", PAY_7]);
}

#[test]
fn reconnecting_backs_off_from_1_s_to_60_s_and_starts_over_when_it_stands() {
    let mut front = Payments::new(config());
    at(&mut front, 0, Input::PowerOn);
    let mut now = 0;
    for wait_s in [1, 2, 4, 8, 16, 32, 60, 60] {
        assert_eq!(at(&mut front, now, CLOSED), ["Disconnected"]);
        now += wait_s * 1_000_000;
        assert_eq!(front.poll_timeout(), Some(Instant::from_us(now)));
        assert_eq!(at(&mut front, now - 1, Input::Deadline), [""; 0]);
        assert_eq!(at(&mut front, now, Input::Deadline), ["open 10.0.0.2:7001"]);
    }
    at(&mut front, now, OPENED);
    at(&mut front, now, CLOSED);
    assert_eq!(front.poll_timeout(), Some(Instant::from_us(now + 1_000_000)));
}

#[test]
fn an_attempt_to_connect_is_given_up_after_30_s() {
    let mut front = Payments::new(config());
    at(&mut front, 0, Input::PowerOn);
    assert_eq!(at(&mut front, 29_999_999, Input::Deadline), [""; 0]);
    assert_eq!(at(&mut front, 30_000_000, Input::Deadline), ["reset", "Disconnected"]);
    // What comes of the attempt later is of no interest.
    assert_eq!(at(&mut front, 30_000_001, OPENED), [""; 0]);
}

#[test]
fn half_an_answer_does_not_outlive_its_connection() {
    let mut front = connected();
    at(&mut front, 0, Input::Stimulus(payment(7, 350)));
    at(&mut front, 1, received("PAID 7 1"));
    at(&mut front, 2, CLOSED);
    at(&mut front, 1_000_002, Input::Deadline);
    assert_eq!(at(&mut front, 1_000_003, OPENED), ["Connected", PAY_7]);
    assert_eq!(at(&mut front, 1_000_004, received("00\n")), ["Unasked"]);
}

#[test]
fn what_no_line_can_say_is_refused_at_once_and_a_full_queue_takes_no_more() {
    let mut front = Payments::new(PaymentsConfig { queue_max: 1, ..config() });
    at(&mut front, 0, Input::PowerOn);
    let small = format!("{:?}", PaymentsEvent::Refused { order: order(7), reason: Refusal::TooSmall });
    assert_eq!(at(&mut front, 1, Input::Stimulus(payment(7, -1))), [small]);
    let much = format!("{:?}", PaymentsEvent::Refused { order: order(7), reason: Refusal::TooMuch });
    assert_eq!(at(&mut front, 1, Input::Stimulus(payment(7, FEN_MAX.0 + 1))), [much]);
    assert_eq!(at(&mut front, 2, Input::Stimulus(payment(7, FEN_MAX.0))), [""; 0]);
    let busy = format!("{:?}", PaymentsEvent::Busy { order: order(8) });
    assert_eq!(at(&mut front, 3, Input::Stimulus(payment(8, 1))), [busy]);
    assert_eq!(config().answer, Span::s(10));
}
