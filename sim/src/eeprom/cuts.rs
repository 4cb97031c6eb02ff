//! What a power cut leaves: at every instant of a write, and against an independent model.

use embedded_hal::i2c::I2c;
use proptest::collection::vec;
use proptest::prelude::*;

use super::tests::profile;
use super::{Bus, CAPACITY, Chip, ChipConfig, TornScope};
use crate::digest::Digest;
use crate::machine::Torn;
use crate::time::Instant;

fn config(torn_scope: TornScope) -> ChipConfig {
    ChipConfig { torn_scope, ..profile().chip }
}

/// Every cell its own address.
fn counting() -> [u8; CAPACITY] {
    let mut image = [0; CAPACITY];
    for (cell, byte) in image.iter_mut().enumerate() {
        *byte = u8::try_from(cell).unwrap();
    }
    image
}

fn write(chip: &mut Chip, us: u64, bytes: &[u8]) {
    assert_eq!(Bus::new(chip, Instant::from_us(us)).write(0x50, bytes), Ok(()));
}

fn after_cut(chip: &Chip, us: u64, torn: Torn) -> Chip {
    let mut cut = chip.clone();
    cut.cut(Instant::from_us(us), torn);
    cut
}

const PAGE_OLD: [u8; 8] = [0x68, 0x69, 0x6A, 0x6B, 0x6C, 0x6D, 0x6E, 0x6F];
const PAGE_NEW: [u8; 8] = [0x33, 0x69, 0x6A, 0x6B, 0x6C, 0x6D, 0x11, 0x22];
const BYTES_TORN: [u8; 8] = [0x39, 0x69, 0x6A, 0x6B, 0x6C, 0x6D, 0x3B, 0x2A];
const PAGE_TORN: [u8; 8] = [0x39, 0x33, 0x30, 0x31, 0x36, 0x37, 0x3B, 0x2A];

#[test]
fn a_cut_at_every_instant_of_a_write_leaves_what_the_data_sheet_says() {
    for (scope, neither) in [(TornScope::AddressedBytes, BYTES_TORN), (TornScope::WholePage, PAGE_TORN)] {
        let mut chip = Chip::with_image(config(scope), counting());
        // Runs round the page end. Data at 280, 370 and 460, STOP at 470, cycle until 5,470.
        write(&mut chip, 0, &[0x6E, 0x11, 0x22, 0x33]);
        for (torn, in_cycle) in [(Torn::Old, PAGE_OLD), (Torn::New, PAGE_NEW), (Torn::Neither, neither)] {
            for us in 0..=5_471 {
                let cut = after_cut(&chip, us, torn);
                let (page, wear) = match us {
                    0..470 => (PAGE_OLD, [0; 8]),
                    470..5_470 => (in_cycle, [1, 0, 0, 0, 0, 0, 1, 1]),
                    _ => (PAGE_NEW, [1, 0, 0, 0, 0, 0, 1, 1]),
                };
                assert_eq!(cut.image()[0x68..0x70], page, "{scope:?} {torn:?} at {us}");
                assert_eq!(cut.wear()[0x68..0x70], wear, "{scope:?} {torn:?} at {us}");
                let torn_cells: &[u8] = match (us, scope) {
                    (470..5_470, TornScope::AddressedBytes) => &[0x68, 0x6E, 0x6F],
                    (470..5_470, TornScope::WholePage) => &[0x68, 0x69, 0x6A, 0x6B, 0x6C, 0x6D, 0x6E, 0x6F],
                    _ => &[],
                };
                assert_eq!(cut.torn(), torn_cells, "{scope:?} {torn:?} at {us}");
                assert_eq!(cut.image()[..0x68], counting()[..0x68]);
                assert_eq!(cut.image()[0x70..], counting()[0x70..]);
            }
        }
    }
}

#[test]
fn a_cut_at_a_told_step_means_what_its_kind_says() {
    let mut chip = Chip::with_image(config(TornScope::AddressedBytes), counting());
    write(&mut chip, 0, &[0x6E, 0x11, 0x22, 0x33]);
    let untold = chip.clone();
    let mut kinds = Vec::new();
    while let Some(step) = chip.poll_step() {
        let cut = after_cut(&untold, step.at.as_us(), Torn::Neither);
        let expected = if step.kind == "eeprom-byte" { PAGE_OLD } else { BYTES_TORN };
        assert_eq!(cut.image()[0x68..0x70], expected, "{step:?}");
        kinds.push((step.kind, step.address));
    }
    assert_eq!(
        kinds,
        [
            ("eeprom-byte", 0x6E),
            ("eeprom-byte", 0x6F),
            ("eeprom-byte", 0x68),
            ("eeprom-stop", 0x6E),
            ("eeprom-cycle", 0x6E)
        ]
    );
}

#[test]
fn a_cut_takes_back_every_write_that_the_firmware_ran_ahead_with() {
    let mut chip = Chip::with_image(config(TornScope::WholePage), counting());
    // STOP at 290, 6,290 and 12,290; the first two are to the same cell.
    for (us, byte) in [(0, 0xA1), (6_000, 0xA2)] {
        write(&mut chip, us, &[0x40, byte]);
    }
    write(&mut chip, 12_000, &[0x41, 0xA3]);
    for (us, cells, wear) in [
        (289, [0x40, 0x41], [0, 0]),
        (290, [0x40, 0x41], [1, 0]),
        (5_290, [0xA1, 0x41], [1, 0]),
        (6_289, [0xA1, 0x41], [1, 0]),
        (6_290, [0xA1, 0x41], [2, 0]),
        (11_290, [0xA2, 0x41], [2, 0]),
        (12_290, [0xA2, 0x41], [2, 1]),
        (17_290, [0xA2, 0xA3], [2, 1]),
    ] {
        let cut = after_cut(&chip, us, Torn::Old);
        assert_eq!((&cut.image()[0x40..0x42], &cut.wear()[0x40..0x42]), (&cells[..], &wear[..]), "{us}");
    }
}

#[test]
fn after_a_cut_the_part_is_idle_and_counts_from_cell_zero() {
    let mut chip = Chip::with_image(config(TornScope::WholePage), counting());
    write(&mut chip, 0, &[0x40, 0xA1]);
    assert!(chip.is_busy(Instant::from_us(1_000)));
    chip.cut(Instant::from_us(1_000), Torn::New);
    assert!(!chip.is_busy(Instant::from_us(1_000)));
    assert_eq!(chip.poll_step(), None);
    let mut read = [0; 2];
    assert_eq!(Bus::new(&mut chip, Instant::from_us(1_001)).read(0x50, &mut read), Ok(()));
    assert_eq!(read, [0x00, 0x01]);
    // The first cut is over and done with: a second one at the same instant finds nothing under way.
    chip.cut(Instant::from_us(1_001), Torn::Neither);
    assert_eq!(chip.image()[0x40..0x42], [0xA1, 0x41]);
}

#[test]
fn what_is_settled_stays_and_what_is_not_can_still_be_taken_back() {
    let mut chip = Chip::with_image(config(TornScope::AddressedBytes), counting());
    write(&mut chip, 0, &[0x40, 0xA1]);
    chip.settle(Instant::from_us(5_289));
    assert_eq!(after_cut(&chip, 5_289, Torn::Old).image()[0x40], 0x40);
    chip.settle(Instant::from_us(5_290));
    assert_eq!(chip.poll_step(), None);
    write(&mut chip, 6_000, &[0x40, 0xA2]);
    assert_eq!(chip.poll_step().map(|step| step.at), Some(Instant::from_us(6_280)));
    assert_eq!(after_cut(&chip, 6_000, Torn::Old).image()[0x40], 0xA1);
}

#[test]
fn settling_in_the_middle_neither_repeats_nor_loses_a_step() {
    let mut chip = Chip::new(config(TornScope::WholePage));
    for nth in 0..3_u8 {
        write(&mut chip, u64::from(nth) * 10_000, &[nth, 0]);
    }
    // Three steps a write: the first write's all, and one of the second's.
    for address in [0, 0, 0, 1] {
        assert_eq!(chip.poll_step().map(|step| step.address), Some(address));
    }
    chip.settle(Instant::from_us(10_000));
    assert_eq!(chip.poll_step().map(|step| (step.kind, step.address)), Some(("eeprom-stop", 1)));
    chip.settle(Instant::from_us(20_000));
    assert_eq!(chip.poll_step().map(|step| (step.kind, step.address)), Some(("eeprom-byte", 2)));
}

#[test]
fn a_part_that_nobody_settles_stays_flat() {
    let mut chip = Chip::new(config(TornScope::WholePage));
    for nth in 0..1_026_u64 {
        write(&mut chip, nth * 10_000, &[0x40, 0xA1]);
    }
    // Of 1,026 writes the newest 1,024 are kept; the data byte of the third is at 20,280.
    assert_eq!(chip.poll_step().map(|step| step.at), Some(Instant::from_us(20_280)));
    assert_eq!(after_cut(&chip, 0, Torn::Old).wear()[0x40], 2);
}

#[test]
fn digests_tell_states_apart_and_forget_what_no_cut_can_reach() {
    let digest = |chip: &Chip, us: u64| {
        let now = Instant::from_us(us);
        let mut digest = Digest::new(now);
        chip.digest(now, &mut digest);
        digest.finish()
    };
    let written = |us: u64, bytes: &[u8]| {
        let mut chip = Chip::new(config(TornScope::WholePage));
        write(&mut chip, us, bytes);
        chip
    };
    let one = written(0, &[0x40, 0xA1]);
    assert_eq!(digest(&one, 100), digest(&written(900, &[0x40, 0xA1]), 1_000));
    assert_ne!(digest(&one, 100), digest(&one, 101));
    assert_ne!(digest(&one, 100), digest(&written(0, &[0x40, 0xA2]), 100));
    assert_ne!(digest(&one, 100), digest(&written(0, &[0x41, 0xA1]), 100));
    // Writing what is there already shows in what a cut can spoil, and in the wear.
    assert_ne!(digest(&written(0, &[0x40, 0xFF]), 5_290), digest(&written(0, &[0x40]), 5_290));
    let mut told = one.clone();
    assert!(told.poll_step().is_some());
    assert_ne!(digest(&one, 100), digest(&told, 100));
    let mut settled = one.clone();
    settled.settle(Instant::from_us(5_290));
    assert_ne!(digest(&one, 5_289), digest(&settled, 5_289));
    assert_eq!(digest(&one, 5_290), digest(&settled, 5_290));
    assert_eq!(digest(&one, 5_290), digest(&one, 99_999));
}

/// What the part would hold if transactions were applied only once they have ended.
struct Model {
    cells: [u8; CAPACITY],
    wear: [u32; CAPACITY],
}

impl Model {
    /// Applies one whole page write; gives the cells that it addressed.
    fn apply(&mut self, first: u8, data: &[u8]) -> Vec<usize> {
        let mut addressed = Vec::new();
        for (nth, byte) in data.iter().enumerate() {
            let cell = usize::from(first) / 8 * 8 + (usize::from(first) + nth) % 8;
            self.cells[cell] = *byte;
            if !addressed.contains(&cell) {
                addressed.push(cell);
                self.wear[cell] += 1;
            }
        }
        addressed
    }
}

proptest! {
    /// Random writes, some to a busy part, cut at a random time: only ended transactions count, the one that the cut
    /// overtook is torn within its scope, and settling before the cut changes nothing.
    #[test]
    fn a_cut_leaves_ended_writes_and_one_torn_page(
        writes in vec((0_u64..9_000, any::<u8>(), vec(any::<u8>(), 1..12)), 1..8),
        cut_share in 0_u64..=1_000,
        settle_share in 0_u64..=1_000,
        torn in prop::sample::select(&Torn::ALL[..]),
        scope in prop::sample::select(&[TornScope::AddressedBytes, TornScope::WholePage][..]),
    ) {
        let mut chip = Chip::with_image(config(scope), counting());
        let (mut us, mut busy_until) = (0, 0);
        let mut accepted = Vec::new();
        for (gap, first, data) in &writes {
            us += gap;
            let outcome = {
                let mut bytes = vec![*first];
                bytes.extend(data);
                Bus::new(&mut chip, Instant::from_us(us)).write(0x50, &bytes)
            };
            prop_assert_eq!(outcome.is_ok(), us + 100 >= busy_until);
            if outcome.is_ok() {
                let stop = us + 20 + 90 * (2 + u64::try_from(data.len()).unwrap());
                busy_until = stop + 5_000;
                accepted.push((stop, busy_until, *first, data));
                us = stop;
            } else {
                us += 110;
            }
        }
        let steps = std::iter::from_fn(|| chip.poll_step())
            .map(|step| step.at).collect::<Vec<_>>();
        prop_assert!(steps.is_sorted());
        prop_assert_eq!(steps.len(), accepted.iter().map(|(.., data)| data.len() + 2).sum::<usize>());

        let cut_us = (busy_until + 100) * cut_share / 1_000;
        chip.settle(Instant::from_us(cut_us * settle_share / 1_000));
        chip.cut(Instant::from_us(cut_us), torn);

        let mut model = Model { cells: counting(), wear: [0; CAPACITY] };
        let mut overtaken = None;
        for (stop, end, first, data) in accepted {
            if end <= cut_us {
                model.apply(first, data);
            } else if stop <= cut_us {
                let old = model.cells;
                overtaken = Some((model.apply(first, data), old, first));
            }
        }
        prop_assert_eq!(chip.wear(), &model.wear);
        if let Some((addressed, old, first)) = overtaken {
            let page = usize::from(first) / 8 * 8;
            for (cell, old) in old.iter().enumerate().skip(page).take(8) {
                let new = model.cells[cell];
                let in_scope = scope == TornScope::WholePage || addressed.contains(&cell);
                let read = chip.image()[cell];
                match torn {
                    Torn::Neither if in_scope => prop_assert!(read != *old && read != new),
                    Torn::New => prop_assert_eq!(read, new),
                    Torn::Old | Torn::Neither => prop_assert_eq!(read, *old),
                }
                model.cells[cell] = read;
            }
        }
        prop_assert_eq!(chip.image(), &model.cells);
    }
}
