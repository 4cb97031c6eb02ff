//! What is said is durable, and what is durable survives.

use super::*;
use crate::digest::Digest;
use crate::machine::{Board, StoreStep, Torn};
use crate::water::ledger::{LedgerRecord, OrderState};
use crate::water::server::policy::Commit;

fn state(board: &ServerBoard, number: u128) -> Option<OrderState> {
    board.ledger().order(order(number)).map(|order| order.state)
}

#[test]
fn an_offer_leaves_when_its_record_is_durable_and_not_a_tick_earlier() {
    let mut board = board(swift());
    assert!(receive(&mut board, 1_000_000, TERMINAL_A, &order_request(0)).nothing());
    assert_eq!(
        (board.poll_timeout(), board.timer_name()),
        (Some(Instant::from_us(1_002_000)), Some("answer"))
    );
    assert!(at(&mut board, 1_001_999, Input::Deadline).nothing());
    let seen = at(&mut board, 1_002_000, Input::Deadline);
    assert_eq!(seen.answer(), (TERMINAL_A, offered(7, 100, 0)));
    assert!(matches!(seen.events[..], [ServerEvent::Offered { volume: Volume(100), base: Volume(0), .. }]));
}

#[test]
fn an_answer_waits_for_records_of_others_that_it_relies_on() {
    let mut board = board(swift());
    receive(&mut board, 1_000_000, TERMINAL_A, &order_request(0));
    // The order is offered already, so nothing new is written, and yet it is not durable before 1.002.
    assert!(receive(&mut board, 1_001_500, TERMINAL_B, &order_request(0)).nothing());
    let seen = at(&mut board, 1_002_000, Input::Deadline);
    assert_eq!(seen.sent.iter().map(|(port, _)| *port).collect::<Vec<_>>(), [TERMINAL_A, TERMINAL_B]);
    // Once it is, the same request is answered at once.
    assert_eq!(receive(&mut board, 1_002_001, TERMINAL_B, &order_request(0)).sent.len(), 1);
}

#[test]
fn what_relies_on_nothing_does_not_wait_but_does_not_overtake_either() {
    let mut board = board(swift());
    receive(&mut board, 1_000_000, TERMINAL_A, &order_request(0));
    assert_eq!(receive(&mut board, 1_000_000, TERMINAL_B, &HEARTBEAT).sent.len(), 1);
    assert!(receive(&mut board, 1_000_001, TERMINAL_A, &HEARTBEAT).nothing());
    let seen = at(&mut board, 1_002_000, Input::Deadline);
    assert_eq!(seen.sent[1], (TERMINAL_A, HEARTBEAT_ANSWER.to_vec()));
}

#[test]
fn a_cut_before_the_offer_is_durable_takes_it_back_unsaid() {
    for (torn, left) in
        [(Torn::Old, OrderState::Paid), (Torn::Neither, OrderState::Paid), (Torn::New, OrderState::Offered)]
    {
        let mut board = board(swift());
        receive(&mut board, 1_000_000, TERMINAL_A, &order_request(0));
        board.cut(Instant::from_us(1_001_999), torn);
        assert!(!board.is_on() && board.poll_output().is_none());
        assert_eq!((board.poll_timeout(), board.timer_name()), (None, None));
        assert_eq!(state(&board, 7), Some(left), "{torn:?}");
        let seen = at(&mut board, 2_000_000, Input::PowerOn);
        assert!(matches!(seen.events[..], [ServerEvent::Recovered { totals }] if totals.open == 100));
        // The connections are gone with the power.
        assert!(receive(&mut board, 2_000_000, TERMINAL_A, &HEARTBEAT).nothing());
        open(&mut board, 2_000_000, TERMINAL_A);
        // An offer that survived is not written again, so its answer need not wait.
        let mut seen = receive(&mut board, 2_000_000, TERMINAL_A, &order_request(0));
        assert_eq!(seen.sent.is_empty(), left == OrderState::Paid);
        seen.sent.extend(run(&mut board, 3_000_000).sent);
        assert_eq!(seen.answer().1, offered(7, 100, 0));
    }
}

#[test]
fn a_cut_once_the_offer_is_durable_keeps_it() {
    let mut board = board(swift());
    receive(&mut board, 1_000_000, TERMINAL_A, &order_request(0));
    board.cut(Instant::from_us(1_002_000), Torn::Old);
    assert_eq!(state(&board, 7), Some(OrderState::Offered));
    // The card has it after all: its terminal was told by the answer that left at that very time.
    at(&mut board, 2_000_000, Input::PowerOn);
    open(&mut board, 2_000_000, TERMINAL_A);
    receive(&mut board, 2_000_000, TERMINAL_A, &order_request(100));
    let offer = Offer::Done { order: order(7), volume: Volume(100) };
    let done = Answer::OrderRequest { card: card(), offer, base: Some(Volume(0)) };
    assert_eq!(run(&mut board, 3_000_000).answer().1, done);
}

#[test]
fn a_cut_before_a_payment_is_durable_leaves_it_to_be_repeated() {
    let mut board = board(swift());
    receive(&mut board, 1_000_000, FRONT, b"PAY 0012345678 8 700 flat\n");
    board.cut(Instant::from_us(1_001_000), Torn::Old);
    assert_eq!(state(&board, 8), None);
    at(&mut board, 2_000_000, Input::PowerOn);
    open(&mut board, 2_000_000, FRONT);
    receive(&mut board, 2_000_000, FRONT, b"PAY 0012345678 8 700 flat\n");
    assert_eq!(run(&mut board, 3_000_000).sent, [(FRONT, b"PAID 8 2\n".to_vec())]);
    assert_eq!(board.ledger().totals().paid, 300);
}

#[test]
fn a_repeated_upload_writes_nothing_and_gets_the_same_answer() {
    let mut board = board(swift());
    receive(&mut board, 1_000_000, TERMINAL_A, &order_request(0));
    run(&mut board, 1_100_000);
    receive(&mut board, 2_000_000, TERMINAL_A, &upload(7, WriteResult::Written, 100));
    let first = run(&mut board, 2_100_000);
    assert!(matches!(first.events[..], [ServerEvent::Closed { volume: Volume(100), sold: Volume(100), .. }]));
    while board.poll_step().is_some() {}
    let again = receive(&mut board, 3_000_000, TERMINAL_B, &upload(7, WriteResult::Written, 100));
    assert_eq!((again.sent[0].1.as_slice(), again.events.len()), (first.sent[0].1.as_slice(), 0));
    assert_eq!(board.poll_step(), None);
}

#[test]
fn a_contradiction_is_set_aside_with_an_alarm() {
    let mut board = board(swift());
    receive(&mut board, 1_000_000, TERMINAL_A, &upload(7, WriteResult::Written, 55));
    let seen = run(&mut board, 2_000_000);
    assert_eq!(seen.answer().1, Answer::Upload { order: order(7), state: UploadState::SetAside });
    assert_eq!(seen.events, [ServerEvent::Alarm { card: card(), sold: Volume(55) }]);
    // A card that nobody paid for raises one too, and leaves nothing behind.
    let stranger = CardNumber::parse(b"9999999999").unwrap();
    let request = bytes_of(Request::OrderRequest { card: stranger, sold: Volume(1) });
    let seen = receive(&mut board, 3_000_000, TERMINAL_A, &request);
    assert_eq!(seen.events, [ServerEvent::Alarm { card: stranger, sold: Volume(1) }]);
    assert_eq!(board.ledger().card(stranger), None);
}

#[test]
fn a_server_that_answers_first_can_forget_what_it_said() {
    let mut hasty = swift();
    hasty.policy.commit = Commit::AfterAnswer;
    let mut board = board(hasty);
    assert_eq!(receive(&mut board, 1_000_000, TERMINAL_A, &order_request(0)).answer().1, offered(7, 100, 0));
    let mut later = board.clone();
    board.cut(Instant::from_us(1_000_500), Torn::Old);
    assert_eq!(state(&board, 7), Some(OrderState::Paid));
    later.cut(Instant::from_us(1_002_000), Torn::Old);
    assert_eq!(state(&later, 7), Some(OrderState::Offered));
}

#[test]
fn steps_name_what_is_written() {
    let mut board = board(swift());
    while board.poll_step().is_some() {}
    receive(&mut board, 1_000_000, TERMINAL_A, &order_request(0));
    let step = |us, kind, address| Some(StoreStep { at: Instant::from_us(us), kind, address });
    assert_eq!(board.poll_step(), step(1_000_000, "journal-append", 2));
    assert_eq!(LedgerRecord::kind_name(2), Some("offered"));
    assert_eq!(board.poll_step(), step(1_000_000, "journal-sync", 1));
    assert_eq!(board.poll_step(), step(1_002_000, "journal-synced", 1));
    assert_eq!(board.poll_step(), None);
}

fn digest(board: &ServerBoard, us: u64) -> u128 {
    let now = Instant::from_us(us);
    let mut digest = Digest::new(now);
    board.digest(now, &mut digest);
    digest.finish()
}

#[test]
fn digests_agree_on_equal_states_at_different_times_and_tell_others_apart() {
    let asked = |us| {
        let mut board = board(swift());
        receive(&mut board, us, TERMINAL_A, &order_request(0));
        board
    };
    assert_eq!(digest(&asked(1_000_000), 1_000_001), digest(&asked(5_000_000), 5_000_001));
    let before = digest(&asked(1_000_000), 1_000_001);
    assert_ne!(before, digest(&asked(1_000_000), 1_000_002));
    assert_ne!(before, digest(&board(swift()), 1_000_001));
    let mut elsewhere = board(swift());
    receive(&mut elsewhere, 1_000_000, TERMINAL_B, &order_request(0));
    assert_ne!(before, digest(&elsewhere, 1_000_001));
    let mut half = asked(1_000_000);
    receive(&mut half, 1_000_000, TERMINAL_B, &HEARTBEAT[..5]);
    assert_ne!(before, digest(&half, 1_000_001));
}
