//! Byte streams, many at once, and their limits.

use super::*;
use crate::machine::{Board, Closing};
use crate::water::server::policy::Framing;

#[test]
fn the_rest_of_a_frame_counts_until_the_gap_ends_and_not_at_it() {
    let mut board = board(setup());
    receive(&mut board, 1_000_000, TERMINAL_A, &HEARTBEAT[..6]);
    assert_eq!(
        (board.poll_timeout(), board.timer_name()),
        (Some(Instant::from_us(1_500_000)), Some("frame-gap"))
    );
    let mut early = board.clone();
    receive(&mut early, 1_499_999, TERMINAL_A, &HEARTBEAT[6..]);
    assert_eq!(run(&mut early, 2_000_000).sent, [(TERMINAL_A, HEARTBEAT_ANSWER.to_vec())]);

    let junk = |len| [ServerEvent::Junk { port: TERMINAL_A, len }];
    let mut late = board.clone();
    let seen = receive(&mut late, 1_500_000, TERMINAL_A, &HEARTBEAT[6..]);
    assert_eq!(seen.events, [junk(6), junk(8)].concat());
    assert!(run(&mut late, 3_000_000).nothing());

    assert!(at(&mut board, 1_499_999, Input::Deadline).nothing());
    assert_eq!(at(&mut board, 1_500_000, Input::Deadline).events, junk(6));
    assert_eq!(board.poll_timeout(), None);
}

#[test]
fn a_frame_behind_an_unfinished_one_is_answered_when_that_is_given_up() {
    let mut board = board(setup());
    let announced = b"\xAA\x55\x00\x01\x01\x00\x4C\x20\x18\x01\x09\x25";
    receive(&mut board, 1_000_000, TERMINAL_A, announced);
    receive(&mut board, 1_100_000, TERMINAL_A, &HEARTBEAT);
    assert!(at(&mut board, 1_599_999, Input::Deadline).nothing());
    assert!(at(&mut board, 1_600_000, Input::Deadline).sent.is_empty());
    assert_eq!(run(&mut board, 1_605_000).sent, [(TERMINAL_A, HEARTBEAT_ANSWER.to_vec())]);
}

#[test]
fn two_terminals_byte_by_byte_get_their_own_answers() {
    let mut board = board(setup());
    let request = order_request(0);
    let len = request.len().max(HEARTBEAT.len());
    for index in 0..len {
        let us = 1_000_000 + index as u64 * 100;
        if let Some(byte) = request.get(index) {
            receive(&mut board, us, TERMINAL_A, &[*byte]);
        }
        if let Some(byte) = HEARTBEAT.get(index) {
            receive(&mut board, us, TERMINAL_B, &[*byte]);
        }
    }
    let seen = run(&mut board, 2_000_000);
    let ports: Vec<Port> = seen.sent.iter().map(|(port, _)| *port).collect();
    assert_eq!(ports, [TERMINAL_B, TERMINAL_A]);
    assert_eq!(seen.sent[0].1, HEARTBEAT_ANSWER);
}

#[test]
fn one_order_for_two_terminals_is_closed_by_one_of_them() {
    let mut board = board(setup());
    receive(&mut board, 1_000_000, TERMINAL_A, &order_request(0));
    receive(&mut board, 1_000_000, TERMINAL_B, &order_request(0));
    assert_eq!(run(&mut board, 1_100_000).sent.len(), 2);
    receive(&mut board, 2_000_000, TERMINAL_B, &upload(7, WriteResult::Written, 100));
    run(&mut board, 2_100_000);
    // The other one's write failed on its check of the base.
    receive(&mut board, 3_000_000, TERMINAL_A, &upload(7, WriteResult::Failed, 100));
    let closed = Answer::Upload { order: order(7), state: UploadState::Closed };
    assert_eq!(run(&mut board, 3_100_000).answer(), (TERMINAL_A, closed));
    let totals = board.ledger().totals();
    assert_eq!((totals.paid, totals.closed), (100, 100));
}

#[test]
fn an_answer_for_a_connection_that_is_gone_is_not_sent_and_yet_counts() {
    let mut board = board(setup());
    receive(&mut board, 1_000_000, TERMINAL_A, &order_request(0));
    at(&mut board, 1_001_000, Input::Closed { port: TERMINAL_A, why: Closing::Fin });
    open(&mut board, 1_001_500, TERMINAL_A);
    let seen = run(&mut board, 2_000_000);
    assert!(seen.sent.is_empty());
    assert!(matches!(seen.events[..], [ServerEvent::Offered { .. }]));
    receive(&mut board, 2_000_000, TERMINAL_A, &HEARTBEAT);
    assert_eq!(run(&mut board, 3_000_000).sent.len(), 1);
}

#[test]
fn a_port_that_is_opened_again_is_a_new_connection() {
    let mut board = board(setup());
    receive(&mut board, 1_000_000, TERMINAL_A, &order_request(0));
    receive(&mut board, 1_000_000, TERMINAL_A, &HEARTBEAT[..6]);
    open(&mut board, 1_001_000, TERMINAL_A);
    let seen = receive(&mut board, 1_001_001, TERMINAL_A, &HEARTBEAT[6..]);
    assert_eq!(seen.events, [ServerEvent::Junk { port: TERMINAL_A, len: 8 }]);
    assert!(run(&mut board, 2_000_000).sent.is_empty());
}

#[test]
fn one_connection_too_many_drops_the_one_that_was_silent_for_longest() {
    let mut setup = setup();
    setup.config.connections_max = 2;
    let mut board = board(setup);
    receive(&mut board, 1_000_000, TERMINAL_A, &HEARTBEAT);
    run(&mut board, 1_100_000);
    let seen = open(&mut board, 2_000_000, Port(18));
    assert_eq!(seen.ended, [TERMINAL_B]);
    assert_eq!(seen.events, [ServerEvent::Dropped { port: TERMINAL_B }]);
    // The payment front has a limit of its own.
    assert!(open(&mut board, 2_000_001, Port(1_001)).nothing());
    for (port, answers) in [(TERMINAL_A, 1), (TERMINAL_B, 0), (Port(18), 1)] {
        receive(&mut board, 3_000_000, port, &HEARTBEAT);
        assert_eq!(run(&mut board, 3_100_000).sent.len(), answers, "{port:?}");
    }
}

#[test]
fn messages_beyond_the_answers_that_may_wait_are_dropped() {
    let mut setup = setup();
    setup.config.answers_max = 2;
    let mut board = board(setup);
    let seen = receive(&mut board, 1_000_000, TERMINAL_A, &HEARTBEAT.repeat(3));
    assert_eq!(seen.events, [ServerEvent::Overrun { port: TERMINAL_A }]);
    assert_eq!(run(&mut board, 1_100_000).sent.len(), 2);
    receive(&mut board, 2_000_000, TERMINAL_A, &HEARTBEAT);
    assert_eq!(run(&mut board, 2_100_000).sent.len(), 1);
}

#[test]
fn ports_that_are_no_connection_are_deaf() {
    let mut board = board(setup());
    assert!(open(&mut board, 1_000_000, Port(15)).nothing());
    for port in [Port(15), Port(99)] {
        assert!(receive(&mut board, 1_000_000, port, &HEARTBEAT).nothing());
    }
    assert_eq!(board.poll_timeout(), None);
}

/// When a heartbeat that follows these bytes after a while is answered by a server that finds frames this way.
fn answered_behind(framing: Framing, before: &[u8], gap_us: u64) -> Option<u64> {
    let policy = ServerPolicy { framing, ..ServerPolicy::hardened() };
    let mut board = board(ServerSetup { policy, ..setup() });
    receive(&mut board, 1_000_000, TERMINAL_A, before);
    run(&mut board, 1_000_000 + gap_us);
    receive(&mut board, 1_000_000 + gap_us, TERMINAL_A, &HEARTBEAT);
    let asked = 1_000_000 + gap_us;
    (0..=60).map(|step| asked + step * 100_000).find(|until| !run(&mut board, *until).sent.is_empty())
}

#[test]
fn other_ways_to_find_frames_miss_one_behind_junk_or_find_it_late() {
    let unfinished = b"\xAA\x55\x00\x01\x01\x00\x4C\x20\x18\x01\x09\x25";
    assert_eq!(answered_behind(Framing::Resynchronises, unfinished, 1_000_000), Some(2_100_000));
    assert_eq!(answered_behind(Framing::WaitsForRest, unfinished, 1_000_000), None);
    let junk = [b"junk".as_slice(), &HEARTBEAT].concat();
    let policy = ServerPolicy { framing: Framing::DropsAll, ..ServerPolicy::hardened() };
    let mut drops = board(ServerSetup { policy, ..setup() });
    receive(&mut drops, 1_000_000, TERMINAL_A, &junk);
    assert!(run(&mut drops, 9_000_000).sent.is_empty());
    let endless = b"\xAA\x55\x00\x01\x01\xFF\xFF\x20\x18\x01\x09\x25";
    assert_eq!(answered_behind(Framing::Resynchronises, endless, 100_000), Some(1_200_000));
    assert_eq!(answered_behind(Framing::BelievesLength, endless, 100_000), Some(1_700_000));
}
