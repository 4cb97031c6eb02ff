//! Every single fault on the way from the card: the reader ends with the right blocks or with none.

use proptest::prelude::*;

use super::*;
use crate::card::Refusal;
use crate::card::manchester::{jitter, missing_half_bit, wrong_phase};
use crate::card::tag::LockedAnswer;

/// Contents whose waveforms hide faults in different ways.
const CARDS: [[u32; 8]; 4] = [
    CARD,
    [0x0014_80C0, 0, u32::MAX, 0, u32::MAX, 0, u32::MAX, 0],
    [0x0014_80C0, u32::MAX, u32::MAX, u32::MAX, u32::MAX, u32::MAX, u32::MAX, 0],
    [0x0014_80C0, 0xAAAA_AAAA, 0x5555_5555, 0xAAAA_AAAA, 0xAAAA_AAAA, 0x8000_0000, 1, 0],
];

/// A reading in which delivery `nth` is struck must still find the card's blocks, in a later attempt if not in the
/// first.
fn survives(contents: [u32; 8], nth: usize, what: &str, strike: &dyn Fn(Instant, &[u8]) -> Deliveries) {
    let mut air = Air::new(contents)
        .spoiled(|at, began, edges| if at == nth { strike(began, edges) } else { intact(began, edges) });
    assert_eq!(air.read(), Ok(shown(contents)), "{what} in delivery {nth} of {:08x?}", contents);
}

#[test]
fn every_single_missing_half_bit_in_a_readout() {
    for contents in CARDS {
        for nth in 0..12 {
            let runs = contents[1 + nth % 6];
            let runs = crate::card::manchester::encode(runs, 32, 32).len() - 1;
            for at in 0..runs {
                // What is left may arrive half a bit sooner, or when all of it would have.
                survives(contents, nth, "missing half, sooner", &|began, edges| {
                    let spoiled = missing_half_bit(edges, at);
                    vec![(began + edges_time(&spoiled), spoiled)]
                });
                survives(contents, nth, "missing half, in time", &|began, edges| {
                    vec![(began + edges_time(edges), missing_half_bit(edges, at))]
                });
            }
        }
    }
}

#[test]
fn a_wrong_phase_or_level_at_each_delivery() {
    for contents in CARDS {
        for nth in 0..12 {
            survives(contents, nth, "wrong phase", &|began, edges| intact(began, &wrong_phase(edges)));
            survives(contents, nth, "wrong level", &|began, edges| {
                let mut spoiled = edges.to_vec();
                spoiled[0] ^= 1;
                intact(began, &spoiled)
            });
        }
    }
}

#[test]
fn a_wrong_phase_that_stays_is_no_reading() {
    let mut air = Air::new(CARD).spoiled(|_, began, edges| intact(began, &wrong_phase(edges)));
    assert_eq!(air.read(), Err(ReadFailure::Unreadable));
}

#[test]
fn jitter_within_tolerance_costs_nothing_and_beyond_it_an_attempt_at_most() {
    let clean = Instant::from_us(1_000_000 + 199_608);
    for (by, first_time) in [(8, true), (-8, true), (9, false), (-9, false), (100, false), (-100, false)] {
        for nth in 0..12 {
            for at in 0..47 {
                let mut air = Air::new(CARD).spoiled(|this, began, edges| {
                    let inner = at < edges.len() - 2;
                    let spoiled = if this == nth && inner { jitter(edges, at, by) } else { edges.to_vec() };
                    vec![(began + edges_time(edges), spoiled)]
                });
                let inner = at < crate::card::manchester::encode(CARD[1 + nth % 6], 32, 32).len() - 2;
                assert_eq!(air.read(), Ok(shown(CARD)), "{by} at {at} of {nth}");
                assert_eq!(air.now == clean, first_time || !inner, "{by} at {at} of {nth}");
            }
            survives(CARD, nth, "jitter at the end", &|began, edges| {
                intact(began, &jitter(edges, edges.len() - 2, by))
            });
        }
    }
}

#[test]
fn jitter_on_every_edge_at_once() {
    let clean = Instant::from_us(1_000_000 + 199_608);
    let mut air = Air::new(CARD).spoiled(|_, began, edges| {
        let mut spoiled = edges.to_vec();
        for at in 0..edges.len() - 2 {
            spoiled = jitter(&spoiled, at, if at % 2 == 0 { 4 } else { -4 });
        }
        intact(began, &spoiled)
    });
    assert_eq!(air.read(), Ok(shown(CARD)));
    assert_eq!(air.now, clean);
}

#[test]
fn lost_doubled_late_and_cut_deliveries() {
    for contents in CARDS {
        for nth in 0..12 {
            survives(contents, nth, "lost", &|_, _| vec![]);
            survives(contents, nth, "cut", &|began, edges| intact(began, &edges[..edges.len() / 2]));
            for after_us in [200, 600, 8_000, 16_384, 20_000, 98_304] {
                survives(contents, nth, "late", &|began, edges| {
                    vec![(began + edges_time(edges) + Span::us(after_us), edges.to_vec())]
                });
                survives(contents, nth, "doubled", &|began, edges| {
                    let due = began + edges_time(edges);
                    vec![(due, edges.to_vec()), (due + Span::us(after_us), edges.to_vec())]
                });
            }
            survives(contents, nth, "early", &|began, edges| vec![(began + Span::us(9_000), edges.to_vec())]);
        }
    }
}

#[test]
fn a_delivery_may_begin_off_the_grid_by_the_tolerance_and_no_more() {
    let clean = Instant::from_us(1_000_000 + 199_608);
    for (after_us, first_time) in [(128, true), (129, false)] {
        let mut air = Air::new(CARD).spoiled(|nth, began, edges| {
            let late = Span::us(if nth == 5 { after_us } else { 0 });
            vec![(began + edges_time(edges) + late, edges.to_vec())]
        });
        assert_eq!(air.read(), Ok(shown(CARD)));
        assert_eq!(air.now == clean, first_time, "{after_us}");
    }
}

#[test]
fn the_first_bit_may_be_off_by_its_slack_and_no_more() {
    for (startup_us, read) in [(2_879, false), (2_880, true), (3_120, true), (3_121, false)] {
        let config = TagConfig { startup: Span::us(startup_us), ..tag_config() };
        let mut air = Air::of(reader_config(), Some(T5557::issue(config, CARD)));
        let expected = if read { Ok(shown(CARD)) } else { Err(ReadFailure::Unreadable) };
        assert_eq!(air.read(), expected, "{startup_us}");
    }
}

#[test]
fn edges_may_come_in_pieces() {
    let clean = Instant::from_us(1_000_000 + 199_608);
    for cut in 2..50 {
        let mut air = Air::new(CARD).spoiled(|_, began, edges| {
            let (head, tail) = edges.split_at(cut.min(edges.len()));
            let mut pieces = vec![(began + edges_time(head), head.to_vec())];
            if !tail.is_empty() {
                pieces.push((began + edges_time(edges), tail.to_vec()));
            }
            pieces
        });
        assert_eq!(air.read(), Ok(shown(CARD)), "{cut}");
        assert_eq!(air.now, clean, "{cut}");
    }
    let mut air = Air::new(CARD).spoiled(|_, began, edges| {
        let mut pieces = vec![(began + edges_time(&edges[..2]), edges[..2].to_vec())];
        pieces.extend((2..edges.len()).map(|at| (began + edges_time(&edges[..=at]), vec![edges[at]])));
        pieces
    });
    assert_eq!(air.read(), Ok(shown(CARD)));
}

#[test]
fn a_struck_read_back_does_not_deceive() {
    // Deliveries 0 to 11 are the reading, 12 is the block that the burst interrupts, 13 and 14 the read-back.
    let edges = crate::card::manchester::encode(0x0000_09C4, 32, 32);
    for nth in [12, 13, 14] {
        for at in 0..edges.len() - 1 {
            for fault in 0..3 {
                let mut air = Air::new(CARD).spoiled(|this, began, edges| match (this == nth, fault) {
                    (true, 0) => intact(began, &missing_half_bit(edges, at)),
                    (true, 1) => intact(began, &wrong_phase(edges)),
                    (true, 2) => vec![],
                    _ => intact(began, edges),
                });
                air.read().unwrap();
                assert_eq!(air.write(3, 0x0000_09C4), (true, WriteOutcome::Verified), "{nth} {at} {fault}");
                assert_eq!(air.blocks()[2], 0x0000_09C4);
                assert_eq!(air.bursts, 1, "a fault in the read-back needs no second write");
            }
        }
    }
}

#[test]
fn a_rewrite_follows_a_refusal_and_then_the_old_value_is_reported() {
    for (spoiled, outcome, bursts) in
        [(1, WriteOutcome::Verified, 2), (2, WriteOutcome::StillOld(0x0000_04E2), 2)]
    {
        let mut air = Air::new(CARD).spoiled_bursts(move |nth, burst| {
            if nth < spoiled {
                burst[9] = 40;
            }
        });
        air.read().unwrap();
        assert_eq!(air.write(3, 0x0000_09C4), (true, outcome));
        assert_eq!(air.bursts, bursts);
        assert!(air.events.contains(&CardEvent::Rejected { why: Refusal::BitLength }));
        assert_eq!(air.write(3, 0x0000_09C4), (true, WriteOutcome::Verified), "the reader is fit for more");
    }
}

#[test]
fn a_refused_write_is_not_taken_for_done_because_other_blocks_hold_the_value() {
    // The tag refuses and goes on with blocks 1 and 2, both of which hold what was to be written.
    let mut contents = CARD;
    (contents[1], contents[2]) = (0x0000_09C4, 0x0000_09C4);
    for lost in [usize::MAX, 13, 14, 15] {
        let mut air = Air::new(contents)
            .spoiled(move |nth, began, edges| if nth == lost { vec![] } else { intact(began, edges) })
            .spoiled_bursts(|_, burst| burst.truncate(40));
        air.read().unwrap();
        assert_eq!(air.write(3, 0x0000_09C4), (true, WriteOutcome::StillOld(0x0000_04E2)));
        assert_eq!(air.blocks(), shown(contents));
    }
}

#[test]
fn a_locked_block_shows_the_old_value_whatever_the_make() {
    for locked_answer in [LockedAnswer::AllBlocks, LockedAnswer::ThatBlock] {
        let config = TagConfig { locked_answer, ..tag_config() };
        let mut air =
            Air::of(reader_config(), Some(T5557::issue(config, CARD))).spoiled_bursts(|nth, burst| {
                if nth == 0 {
                    // The third bit, a one from now on, locks the block.
                    burst[5] = 54;
                }
            });
        air.read().unwrap();
        assert_eq!(air.write(3, 0x0000_09C4), (true, WriteOutcome::Verified));
        assert_eq!(air.write(3, 0x0000_0001), (true, WriteOutcome::StillOld(0x0000_09C4)));
        assert_eq!(air.write(3, 0x0000_09C4), (true, WriteOutcome::Verified), "it does hold that");
    }
}

#[test]
fn programming_may_be_off_by_its_slack_and_a_slower_card_is_read_anew() {
    for (program_us, direct) in [(5_479, false), (5_480, true), (5_720, true), (5_721, false)] {
        let config = TagConfig { program: Span::us(program_us), ..tag_config() };
        let mut air = Air::of(reader_config(), Some(T5557::issue(config, CARD)));
        air.read().unwrap();
        let began = air.now;
        assert_eq!(air.write(3, 0x0000_09C4), (true, WriteOutcome::Verified));
        assert_eq!(air.now.since(began) < Span::ms(100), direct, "{program_us}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn noise_neither_hangs_nor_panics(noise: Vec<Vec<u8>>, gaps in prop::collection::vec(0_u64..40_000, 64)) {
        let mut reader = Reader::new(reader_config());
        let mut now = Instant::from_us(5);
        reader.read_card(now);
        for (bytes, gap) in noise.iter().zip(&gaps) {
            now += Span::us(*gap);
            while let Some(due) = reader.poll_timeout().filter(|due| *due <= now) {
                reader.handle_deadline(due);
            }
            reader.handle_edges(now, bytes);
        }
        let mut left = 8;
        while let Some(due) = reader.poll_timeout() {
            reader.handle_deadline(due);
            left -= 1;
            prop_assert!(left > 0, "it must give up");
        }
        let reports = std::iter::from_fn(|| reader.poll_output())
            .filter(|output| matches!(output, ReaderOutput::Read(_)))
            .count();
        prop_assert_eq!(reports, 1);
    }

    #[test]
    fn two_faults_anywhere_in_a_reading(
        contents: [u32; 6],
        first in (0_usize..24, 0_usize..64, 0_u8..5),
        second in (0_usize..24, 0_usize..64, 0_u8..5),
    ) {
        let mut card = CARD;
        card[1..7].copy_from_slice(&contents);
        let mut air = Air::new(card).spoiled(|nth, began, edges| {
            let mut edges = edges.to_vec();
            for (place, at, kind) in [first, second] {
                if place == nth {
                    edges = match kind {
                        0 => missing_half_bit(&edges, at),
                        1 => wrong_phase(&edges),
                        2 => jitter(&edges, at, 20),
                        3 => jitter(&edges, at, -8),
                        _ => return vec![],
                    };
                }
            }
            intact(began, &edges)
        });
        prop_assert_eq!(air.read(), Ok(contents));
    }
}
