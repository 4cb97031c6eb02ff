//! What a water card holds, and the rule that decides a card whose writing was interrupted.

use crc::{CRC_16_XMODEM, Crc};
use thiserror::Error;

use crate::money::Volume;

use super::number::CardNumber;

/// Blocks 1 to 6, block 1 first.
pub type Blocks = [u32; 6];

/// The check over blocks 1 to 5.
const CHECK: Crc<u16> = Crc::<u16>::new(&CRC_16_XMODEM);

/// What a water card says.
///
/// Shape: blocks 1 and 2 card number (BCD 5), area (2), kind (1); block 3 sold; block 4 its complement; block 5 counter
/// (2), order (2); block 6 CRC-16/XMODEM of blocks 1 to 5 (2), zero (2); all big-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CardContent {
    /// The card's number.
    pub card: CardNumber,
    /// The supply area.
    pub area: u16,
    /// The kind of card.
    pub kind: u8,
    /// All that was ever credited to it.
    pub sold: Volume,
    /// How many credits there were.
    pub counter: u16,
    /// The low 16 bits of the last credited order's number.
    pub order_low: u16,
}

/// Whether a card was written completely.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReadingState {
    /// Every block fits.
    Whole,
    /// A credit was interrupted before it counted: `sold` is the value from before.
    TornNotCredited,
    /// A credit was interrupted after it counted: `sold` is the new value, while counter and order may be old, new or
    /// neither.
    TornCredited,
}

/// What the reading rule makes of a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The content, with `sold` as decided.
    pub content: CardContent,
    /// How sure that is.
    pub state: ReadingState,
}

/// Blocks that are no water card's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("blocks 1 and 2 hold no card number")]
pub struct Unreadable;

/// The check word that belongs into block 6.
fn check(one: u32, two: u32, three: u32, four: u32, five: u32) -> u32 {
    let mut digest = CHECK.digest();
    for block in [one, two, three, four, five] {
        digest.update(&block.to_be_bytes());
    }
    u32::from(digest.finalize()) << 16
}

impl CardContent {
    /// The six blocks.
    pub fn to_blocks(&self) -> Blocks {
        let bcd = self.card.bcd();
        let area = self.area.to_be_bytes();
        let one = u32::from_be_bytes([bcd[0], bcd[1], bcd[2], bcd[3]]);
        let two = u32::from_be_bytes([bcd[4], area[0], area[1], self.kind]);
        let sold = self.sold.0;
        let five = u32::from(self.counter) << 16 | u32::from(self.order_low);
        [one, two, sold, !sold, five, check(one, two, sold, !sold, five)]
    }

    /// Blocks 0 to 7 of a card as it is issued: these settings, this content, this password.
    pub fn issue(&self, settings: u32, password: u32) -> [u32; 8] {
        let [one, two, three, four, five, six] = self.to_blocks();
        [settings, one, two, three, four, five, six, password]
    }

    /// The blocks of a credit in the order in which they are written: 3, 4, 5, 6.
    ///
    /// Why: block 3 is read back before 4 is begun, and 4 before 5; the reading rule lives on that.
    pub fn writes(&self) -> [(u8, u32); 4] {
        let [_, _, three, four, five, six] = self.to_blocks();
        [(3, three), (4, four), (5, five), (6, six)]
    }

    /// The blocks that must be written, in this order, to bring a card that holds `seen` to this content.
    ///
    /// Why: block 3 comes first where it differs, so that an interrupted repair is decided as the interrupted credit
    /// was.
    pub fn repairs(&self, seen: &Blocks) -> impl Iterator<Item = (u8, u32)> + use<> {
        let seen = *seen;
        self.writes().into_iter().filter(move |(block, meant)| seen[usize::from(*block) - 1] != *meant)
    }
}

/// Decides what a card says, torn or whole.
///
/// Errors: [`Unreadable`] when blocks 1 and 2 hold no card number.
/// Why: a credit writes 3, 4, 5, 6 and reads each back. While 3 differs from the complement of 4, either 4 is still the
/// old one, and then the old check word fits what 4 says; or 4 itself was interrupted, and then 3 had been read back.
/// The rule is as sure as its check, which sees every error of block 4 twice, once complemented: one undefined value
/// in 32,768 passes for an old one.
pub fn read_rule(blocks: Blocks) -> Result<Reading, Unreadable> {
    let [one, two, three, four, five, six] = blocks;
    let head = one.to_be_bytes();
    let tail = two.to_be_bytes();
    let card = CardNumber::from_bcd([head[0], head[1], head[2], head[3], tail[0]]).map_err(|_| Unreadable)?;
    let fits = check(one, two, !four, four, five) == six;
    let (sold, state) = match (three == !four, fits) {
        (true, true) => (three, ReadingState::Whole),
        (true, false) => (three, ReadingState::TornCredited),
        (false, true) => (!four, ReadingState::TornNotCredited),
        (false, false) => (three, ReadingState::TornCredited),
    };
    let [counter_high, counter_low, order_high, order_low] = five.to_be_bytes();
    let content = CardContent {
        card,
        area: u16::from_be_bytes([tail[1], tail[2]]),
        kind: tail[3],
        sold: Volume(sold),
        counter: u16::from_be_bytes([counter_high, counter_low]),
        order_low: u16::from_be_bytes([order_high, order_low]),
    };
    Ok(Reading { content, state })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Torn;

    fn content(sold: u32, counter: u16, order_low: u16) -> CardContent {
        let card = CardNumber::parse(b"0012345678").unwrap();
        CardContent { card, area: 0x0102, kind: 3, sold: Volume(sold), counter, order_low }
    }

    /// What a block may hold after an interrupted write: old, new, and several values that are neither.
    fn torn_values(old: u32, new: u32) -> Vec<u32> {
        let bytes = |torn: Torn| {
            let pairs = old.to_be_bytes().into_iter().zip(new.to_be_bytes());
            let left: Vec<u8> = pairs.map(|(old, new)| torn.byte(old, new)).collect();
            u32::from_be_bytes(left.try_into().unwrap())
        };
        let mut values = Torn::ALL.map(bytes).to_vec();
        values.extend([0, u32::MAX, 0x5555_5555, old & new, old | new, old ^ 0x8000_0000, new ^ 1]);
        values
    }

    fn decided(blocks: Blocks) -> (u32, ReadingState) {
        let reading = read_rule(blocks).unwrap();
        (reading.content.sold.0, reading.state)
    }

    const CASES: [(u32, u32); 7] = [
        (0, 1),
        (0, 1_250),
        (1_250, 2_500),
        (65_535, 65_536),
        (0x0012_3456, 0x0012_4000),
        (0x7FFF_FFFF, 0x8000_0000),
        (0xFFFF_FFF0, 0xFFFF_FFFF),
    ];

    #[test]
    fn golden_blocks() {
        // The check was computed bit by bit outside this crate over 00123456 78010203 000004e2 fffffb1d 00070412.
        let blocks = [0x0012_3456, 0x7801_0203, 0x0000_04E2, 0xFFFF_FB1D, 0x0007_0412, 0x1146_0000];
        assert_eq!(content(1_250, 7, 0x0412).to_blocks(), blocks);
        let reading = read_rule(blocks).unwrap();
        assert_eq!(reading, Reading { content: content(1_250, 7, 0x0412), state: ReadingState::Whole });
        let [one, two, three, four, five, six] = blocks;
        assert_eq!(
            content(1_250, 7, 0x0412).issue(0x0014_80C0, 9),
            [0x0014_80C0, one, two, three, four, five, six, 9]
        );
    }

    #[test]
    fn only_digits_make_a_card() {
        let good = content(1_250, 7, 0x0412).to_blocks();
        for (block, mask) in [(0, 0xA000_0000), (0, 0x0000_0008), (1, 0x0F00_0000), (1, 0x8000_0000)] {
            let mut blocks = good;
            blocks[block] |= mask;
            assert_eq!(read_rule(blocks), Err(Unreadable), "{block} {mask:08x}");
        }
        let mut blocks = good;
        blocks[1] |= 0x00FF_FFFF;
        assert_eq!(
            decided(blocks),
            (1_250, ReadingState::TornCredited),
            "area and kind are under the check only"
        );
    }

    #[test]
    fn a_credit_torn_anywhere_reads_as_before_or_as_after_and_its_repair_cannot_change_that() {
        for (old_sold, new_sold) in CASES {
            let (old, new) = (content(old_sold, 7, 0x0411), content(new_sold, 8, 0x0412));
            let mut blocks = old.to_blocks();
            assert_eq!(decided(blocks), (old_sold, ReadingState::Whole));
            for (nth, (block, meant)) in new.writes().into_iter().enumerate() {
                let place = usize::from(block) - 1;
                assert_eq!(place, nth + 2);
                for left in torn_values(blocks[place], meant) {
                    let mut torn = blocks;
                    torn[place] = left;
                    let (sold, state) = decided(torn);
                    // Until block 4 is touched the old value stands, whatever block 3 holds. From then on the new
                    // one does, except while block 4 still holds its old value to the bit.
                    let counts = nth > 1 || (nth == 1 && left != blocks[3]);
                    assert_eq!(sold, if counts { new_sold } else { old_sold }, "{block} {left:08x}");
                    let whole = torn == old.to_blocks() || torn == new.to_blocks();
                    let expected = match (whole, counts) {
                        (true, _) => ReadingState::Whole,
                        (false, true) => ReadingState::TornCredited,
                        (false, false) => ReadingState::TornNotCredited,
                    };
                    assert_eq!(state, expected, "{block} {left:08x}");
                    repair_survives_tearing(torn, &old, if counts { &new } else { &old });
                }
                blocks[place] = meant;
            }
            assert_eq!(decided(blocks), (new_sold, ReadingState::Whole));
        }
    }

    fn repair_survives_tearing(torn: Blocks, old: &CardContent, target: &CardContent) {
        let mut blocks = torn;
        for (block, meant) in target.repairs(&torn) {
            let place = usize::from(block) - 1;
            for left in torn_values(blocks[place], meant) {
                let mut again = blocks;
                again[place] = left;
                // The one coincidence that no rule can see: block 4 was neither old nor new, and its interrupted repair
                // leaves exactly what it had held before the credit.
                let revived = block == 4 && left == old.to_blocks()[place];
                let sold = if revived { old.sold } else { target.sold };
                assert_eq!(decided(again).0, sold.0, "{torn:08x?} repaired at {block}, left {left:08x}");
            }
            blocks[place] = meant;
        }
        assert_eq!(blocks, target.to_blocks());
    }

    #[test]
    fn the_rule_is_no_surer_than_its_check() {
        // The generator is (x + 1) times 0xF01F, and an error d in block 4 counts as d (x + 1)^32.
        let (old, new) = (content(1_250, 7, 0x0411), content(2_500, 8, 0x0412));
        let mut blocks = old.to_blocks();
        blocks[2] = new.to_blocks()[2];
        blocks[3] ^= 0xF01F;
        assert_eq!(decided(blocks), (1_250 ^ 0xF01F, ReadingState::TornNotCredited));
        blocks[3] ^= 1;
        assert_eq!(decided(blocks), (2_500, ReadingState::TornCredited));
    }

    #[test]
    fn a_repair_writes_what_differs_in_order() {
        let (old, new) = (content(1_250, 7, 0x0411), content(2_500, 8, 0x0412));
        let [_, _, three, four, five, six] = new.to_blocks();
        let all = vec![(3, three), (4, four), (5, five), (6, six)];
        assert_eq!(new.repairs(&old.to_blocks()).collect::<Vec<_>>(), all);
        assert_eq!(new.writes().to_vec(), all);
        assert_eq!(new.repairs(&new.to_blocks()).count(), 0);
        let mut torn = old.to_blocks();
        torn[2] = three;
        assert_eq!(old.repairs(&torn).collect::<Vec<_>>(), [(3, 1_250)]);
        torn[3] = 0x1234_5678;
        assert_eq!(new.repairs(&torn).collect::<Vec<_>>(), all[1..]);
    }
}
