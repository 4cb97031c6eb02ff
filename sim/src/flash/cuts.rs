//! What a power cut leaves: at every instant of a program command and of an erasure.

use super::tests::small;
use super::{Bus, Chip, Flash25};
use crate::digest::Digest;
use crate::machine::Torn;
use crate::time::Instant;

fn driver(chip: &mut Chip, us: u64) -> Flash25<Bus<'_>> {
    Flash25::new(Bus::new(chip, Instant::from_us(us)), small().driver)
}

fn after_cut(chip: &Chip, us: u64, torn: Torn) -> Chip {
    let mut cut = chip.clone();
    cut.cut(Instant::from_us(us), torn);
    cut
}

fn bytes<const N: usize>(chip: &Chip, address: usize) -> [u8; N] {
    let mut bytes = [0; N];
    chip.read_out(address, &mut bytes);
    bytes
}

fn digest(chip: &Chip, us: u64) -> u128 {
    let mut digest = Digest::new(Instant::from_us(us));
    chip.digest(Instant::from_us(us), &mut digest);
    digest.finish()
}

#[test]
fn a_cut_at_every_instant_of_a_program_command_spoils_the_byte_under_way_alone() {
    let mut chip = Chip::new(small().chip);
    chip.install(0x1FF, &[0xF0]);
    // Released at 7, so bytes from 37 and 40 on, three microseconds each.
    driver(&mut chip, 0).program(0x1FE, &[0x00, 0x30]).unwrap();
    for (torn, mid) in [(Torn::Old, [0xFF, 0xF0]), (Torn::New, [0x00, 0x30]), (Torn::Neither, [0x55, 0x70])] {
        for us in 0..60 {
            let expected = match us {
                0..37 => [0xFF, 0xF0],
                37..40 => [mid[0], 0xF0],
                40..43 => [0x00, mid[1]],
                _ => [0x00, 0x30],
            };
            assert_eq!(bytes(&after_cut(&chip, us, torn), 0x1FE), expected, "{torn:?} at {us}");
        }
    }
}

#[test]
fn a_cut_in_an_erasure_leaves_all_nothing_or_a_mixture() {
    let mut chip = Chip::new(small().chip);
    for page in 0..4 {
        chip.install(page * 0x100, &[0x12, 0x21]);
    }
    let before = chip.clone();
    driver(&mut chip, 0).erase(0).unwrap();
    for us in [0, 4, 5, 20_000, 45_004, 45_005] {
        for torn in Torn::ALL {
            let cut = after_cut(&chip, us, torn);
            let sector = [bytes(&cut, 0), bytes(&cut, 0x100)];
            let expected = match (us, torn) {
                (..5, _) | (5..45_005, Torn::Old) => [[0x12, 0x21]; 2],
                (5..45_005, Torn::Neither) => [[0x12, 0x21], [0xFF, 0xFF]],
                _ => [[0xFF, 0xFF]; 2],
            };
            assert_eq!(sector, expected, "{torn:?} at {us}");
            assert_eq!(bytes(&cut, 0x200), [0x12, 0x21]);
            assert_eq!(cut.erasures().len(), usize::from(us >= 5));
            if us < 5 {
                assert_eq!(digest(&cut, us), digest(&before, us));
            }
        }
    }
}

#[test]
fn a_cut_takes_back_every_work_that_the_firmware_ran_ahead_with() {
    let mut chip = Chip::new(small().chip);
    let mut on_chip = driver(&mut chip, 0);
    on_chip.program(0, &[0x0F]).unwrap();
    on_chip.erase(0).unwrap();
    on_chip.program(0, &[0xF0]).unwrap();
    let steps: Vec<u64> = std::iter::from_fn(|| chip.poll_step()).map(|step| step.at.as_us()).collect();
    assert_eq!(steps.len(), 3);
    let untouched = chip.clone();
    for (us, left) in
        [(steps[0] - 1, 0xFF), (steps[0] + 3, 0x0F), (steps[1], 0xFF), (steps[2] - 1, 0xFF), (steps[2], 0xF0)]
    {
        assert_eq!(bytes(&after_cut(&untouched, us, Torn::New), 0), [left], "at {us}");
    }
    chip.settle(Instant::from_us(steps[2] + 2));
    assert_eq!(bytes(&after_cut(&chip, steps[2] + 2, Torn::Old), 0), [0xFF]);
    chip.settle(Instant::from_us(steps[2] + 3));
    assert_eq!(bytes(&after_cut(&chip, steps[2] + 3, Torn::Old), 0), [0xF0]);
}

#[test]
fn a_digest_tells_content_wear_and_what_is_under_way() {
    let blank = Chip::new(small().chip);
    let mut written = blank.clone();
    driver(&mut written, 0).program(0x300, &[1]).unwrap();
    assert_ne!(digest(&blank, 100), digest(&written, 100));
    // At 37 the byte is under way, at 40 it is not.
    assert_ne!(digest(&written, 37), digest(&written, 40));
    assert_eq!(digest(&written, 40), digest(&written, 9_000));
    let mut erased = blank.clone();
    driver(&mut erased, 0).erase(0x300).unwrap();
    assert_ne!(digest(&blank, 99_000), digest(&erased, 99_000));
    assert_eq!(erased.worn_out(), None);
}
