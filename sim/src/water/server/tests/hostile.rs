//! Whatever comes in, the server stands and the ledger with it.

use proptest::prelude::*;

use super::*;

/// One thing that a hostile peer does: bytes, damaged frames, or nothing for a while.
fn attack() -> impl Strategy<Value = Vec<u8>> {
    let spoilt = |frame: Vec<u8>| {
        (0..frame.len() * 8).prop_map(move |bit| {
            let mut bytes = frame.clone();
            bytes[bit / 8] ^= 0x80 >> (bit % 8);
            bytes
        })
    };
    let header = proptest::collection::vec(
        prop_oneof![Just(0xAA_u8), Just(0x55), Just(0), Just(1), any::<u8>()],
        0..80,
    );
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..200),
        header,
        spoilt(order_request(0)),
        spoilt(upload(7, WriteResult::Written, 100)),
        Just(b"PAY 0012345678 7 35".to_vec()),
        Just(b"\xAA\x55\x10\x02\x01\x00\x0C\x20\x18\x01\x09\x25\x30\xDB".to_vec()),
    ]
}

proptest! {
    #[test]
    fn bytes_that_are_no_sound_request_never_change_the_ledger(
        steps in proptest::collection::vec((0_u64..700_000, 0_usize..4, attack()), 1..40),
    ) {
        let mut board = board(setup());
        let before = board.ledger().clone();
        let mut us = 1_000_000;
        for (gap, which, bytes) in steps {
            us += gap;
            run(&mut board, us);
            let port = [TERMINAL_A, TERMINAL_B, FRONT, Port(40)][which];
            receive(&mut board, us, port, &bytes);
        }
        run(&mut board, us + 10_000_000);
        prop_assert_eq!(board.poll_timeout(), None);
        prop_assert_eq!(board.ledger(), &before);
        // And it still serves.
        receive(&mut board, us + 10_000_000, TERMINAL_B, &HEARTBEAT);
        prop_assert_eq!(run(&mut board, us + 11_000_000).sent.len(), 1);
    }
}
