//! Damaged frames, and answers that arrived damaged.

use super::*;
use crate::water::server::Unusable;
use crate::water::server::policy::{Damaged, NegativeBound, NegativeType};

/// An upload, and the negative answer to it, as computed by an independent implementation.
const UPLOAD: [u8; 37] = *b"\xAA\x55\x00\x02\x01\x00\x23\x20\x18\x01\x09\x250012345678%1042%1%112.5\x8B\x38";
const NEGATIVE: [u8; 14] = *b"\xAA\x55\x10\x02\x01\x00\x0C\x20\x18\x01\x09\x25\x30\xDB";

fn damaged() -> [u8; 37] {
    let mut bytes = UPLOAD;
    bytes[20] ^= 0x04;
    bytes
}

#[test]
fn a_damaged_frame_gets_a_negative_answer_of_its_type() {
    let mut board = board(swift());
    let seen = receive(&mut board, 1_000_000, TERMINAL_A, &damaged());
    assert_eq!(seen.sent, [(TERMINAL_A, NEGATIVE.to_vec())]);
    let negative = ServerEvent::Negative { port: TERMINAL_A, kind: 0x02, sent: true };
    let crc = ServerEvent::Unusable { port: TERMINAL_A, why: Unusable::Crc };
    assert_eq!(seen.events, [crc, negative, ServerEvent::Junk { port: TERMINAL_A, len: 36 }]);
    // A hit type byte comes back as it was read.
    let mut hit = UPLOAD;
    hit[3] = 0x42;
    assert_eq!(receive(&mut board, 2_000_000, TERMINAL_A, &hit).sent[0].1[2..4], [0x10, 0x42]);
}

#[test]
fn three_negative_answers_in_20_s_and_not_one_more() {
    let mut board = board(swift());
    let mut sent = |us| receive(&mut board, us, TERMINAL_A, &damaged()).sent.len();
    assert_eq!([sent(1_000_000), sent(2_000_000), sent(3_000_000)], [1, 1, 1]);
    assert_eq!([sent(3_000_001), sent(20_999_999)], [0, 0]);
    assert_eq!([sent(21_000_000), sent(21_000_001)], [1, 0]);
    assert_eq!([sent(21_999_999), sent(22_000_000)], [0, 1]);
    // The bound is each connection's own.
    let mut unbounded = swift();
    unbounded.policy.negative_bound = NegativeBound::Unbounded;
    let other = receive(&mut board, 22_000_001, TERMINAL_B, &damaged());
    assert_eq!(other.sent, [(TERMINAL_B, NEGATIVE.to_vec())]);
    let mut endless = super::board(unbounded);
    for us in 1_000_000..1_000_010 {
        assert_eq!(receive(&mut endless, us, TERMINAL_A, &damaged()).sent.len(), 1);
    }
}

#[test]
fn a_negative_answer_counts_from_when_it_leaves() {
    let mut board = board(setup());
    let mut damage = |us| receive(&mut board, us, TERMINAL_A, &damaged()).sent.len();
    // The server is held up: it gets to its first answer at 9 s only, when the next frame comes.
    assert_eq!([damage(1_000_000), damage(9_000_000), damage(10_000_000)], [0, 1, 1]);
    assert_eq!(damage(28_999_999), 1);
    assert_eq!(run(&mut board, 28_999_999).sent.len(), 0);
    receive(&mut board, 29_000_000, TERMINAL_A, &damaged());
    assert_eq!(run(&mut board, 29_005_000).sent.len(), 1);
}

#[test]
fn the_other_ways_with_damaged_frames() {
    let choose = |damaged, negative_type| {
        let mut setup = swift();
        setup.policy.damaged = damaged;
        setup.policy.negative_type = negative_type;
        board(setup)
    };
    let mut silent = choose(Damaged::Silent, NegativeType::AsRead);
    assert!(receive(&mut silent, 1_000_000, TERMINAL_A, &damaged()).sent.is_empty());

    let mut zero = choose(Damaged::AnswersNegative, NegativeType::Zero);
    assert_eq!(receive(&mut zero, 1_000_000, TERMINAL_A, &damaged()).sent[0].1[2..4], [0x10, 0x00]);

    let mut careless = choose(Damaged::ActsAnyway, NegativeType::AsRead);
    let mut request = order_request(0);
    *request.last_mut().unwrap() ^= 0xFF;
    receive(&mut careless, 1_000_000, TERMINAL_A, &request);
    let seen = run(&mut careless, 2_000_000);
    assert_eq!(seen.answer().1, offered(7, 100, 0));
    assert!(!seen.events.iter().any(|event| matches!(event, ServerEvent::Junk { .. })));
}

#[test]
fn a_negative_answer_gets_the_last_answer_again_bit_for_bit() {
    let mut board = board(swift());
    let ask = |board: &mut ServerBoard, us| receive(board, us, TERMINAL_A, &NEGATIVE);
    let seen = ask(&mut board, 900_000);
    assert!(seen.sent.is_empty());
    assert_eq!(seen.events, [ServerEvent::AskedAgain { port: TERMINAL_A, repeated: false }]);

    receive(&mut board, 1_000_000, TERMINAL_A, &order_request(0));
    // Nothing has been said yet, so there is nothing to repeat.
    assert!(ask(&mut board, 1_000_001).sent.is_empty());
    let first = run(&mut board, 1_100_000);
    assert_eq!(first.sent.len(), 1);
    for us in [2_000_000, 3_000_000] {
        assert_eq!(ask(&mut board, us).sent, first.sent);
    }
    // A negative answer of our own is never what is repeated.
    receive(&mut board, 4_000_000, TERMINAL_A, &damaged());
    assert_eq!(ask(&mut board, 5_000_000).sent, first.sent);
    // Once another request came, the answer before it is not repeated any more.
    receive(&mut board, 6_000_000, TERMINAL_A, &upload(7, WriteResult::Written, 100));
    assert!(ask(&mut board, 6_000_001).sent.is_empty());
    let second = run(&mut board, 6_100_000);
    assert_eq!(ask(&mut board, 6_200_000).sent, second.sent);
    // The other terminal's answers are its own.
    assert!(receive(&mut board, 7_000_000, TERMINAL_B, &NEGATIVE).sent.is_empty());
}

#[test]
fn frames_without_a_meaning_change_nothing_and_get_no_answer() {
    let mut board = board(swift());
    let before = board.ledger().clone();
    let frame = |answer, kind, content: &[u8]| {
        let content = content.to_vec();
        crate::water::frame::RawFrame { answer, kind, version: 1, machine: machine(), content }
            .to_bytes(&setup().frame)
    };
    for bytes in [
        frame(0x00, 0x07, b""),
        frame(0x00, 0x01, b"0012345678"),
        frame(0x00, 0x02, b"0012345678%7%1%1.234"),
        frame(0x01, 0x00, b""),
        frame(0x11, 0x02, b"7%2"),
    ] {
        let seen = receive(&mut board, 1_000_000, TERMINAL_A, &bytes);
        assert!(seen.sent.is_empty());
        assert!(matches!(seen.events[..], [ServerEvent::Unusable { port: TERMINAL_A, .. }]));
    }
    assert_eq!((board.ledger(), board.poll_timeout()), (&before, None));
}
