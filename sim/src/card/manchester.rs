//! Manchester coding as the T5557 sends it: a bit is two halves of opposite level, and a one rises in its middle.
//!
//! Between equal bits there is an edge at the border, between different bits there is none; so a run of one level
//! lasts one half or two halves and nothing else, and a run of two halves always reaches from the middle of one bit
//! to the middle of the next. The decoder lives on that: such a run tells the true phase.

use thiserror::Error;

use crate::digest::Digest;

use super::BLOCK_BITS;

/// Half a bit at RF/64.
///
/// Units: field clocks.
pub const HALF_BIT_CLOCKS: u8 = 32;

/// The edges of the lowest `bits` bits of `data`, the highest of them first, as one delivery on the air.
///
/// Shape: the first level, then run lengths; see [`super::air`]. No bits give no bytes; more than 32 count as 32.
pub fn encode(data: u32, bits: u32, half_clocks: u8) -> Vec<u8> {
    let bits = bits.min(BLOCK_BITS);
    if bits == 0 {
        return Vec::new();
    }
    let aligned = data << (BLOCK_BITS - bits);
    let differs = aligned ^ (aligned << 1);
    let mut edges = [0_u8; 2 + 2 * BLOCK_BITS as usize];
    edges[0] = u8::from(aligned >> 31 == 0);
    edges[1] = half_clocks;
    let mut last = 1;
    for border in 0..bits - 1 {
        // One run without an edge at the border, two with one; written so that there is nothing to predict.
        let joined = (differs << border) >> 31;
        let clocks = half_clocks << joined;
        edges[last + 1] = clocks;
        last += 2 - joined as usize;
        edges[last] = clocks;
    }
    edges[last + 1] = half_clocks;
    edges[..last + 2].to_vec()
}

/// What is wrong with a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Slip {
    /// Neither half a bit nor two halves, by more than the tolerance.
    #[error("a run of {clocks} field clocks is neither half a bit nor two halves")]
    RunLength {
        /// How long it lasted.
        clocks: u16,
    },
    /// Two halves at one level inside one bit: a half bit is missing, or the stream was entered in its wrong half.
    #[error("a bit without an edge in its middle: the phase is wrong")]
    Phase,
    /// The stream ends inside a bit.
    #[error("the edges end in the middle of a bit")]
    Unfinished,
    /// Not a delivery of edges that holds the bits asked for.
    #[error("{bits} bits where others were expected")]
    Count {
        /// How many bits there were.
        bits: u32,
    },
}

/// Where in a bit the current run began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Began {
    /// At the start of a bit, as far as is known.
    Start,
    /// In the middle of a bit.
    Middle,
    /// Not known: no bit is given out until a run of two halves tells.
    Unknown,
}

/// What one more run says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// What was wrong with the run before, which this one ended.
    pub slip: Option<Slip>,
    /// The bit in whose middle this run began.
    pub bit: Option<bool>,
}

/// Turns runs into bits, one run at a time, however they are cut into deliveries.
///
/// It takes the first run for the first half of a bit. A run that cannot be is reported and no bit is given out until
/// the phase is known again.
#[derive(Clone, Debug)]
pub struct Decoder {
    half_clocks: u16,
    tolerance_clocks: u16,
    hearing: bool,
    level: bool,
    clocks: u16,
    began: Began,
}

impl Decoder {
    /// A decoder for bits of twice `half_clocks` whose runs may be off by up to `tolerance_clocks`.
    ///
    /// Units: field clocks. A tolerance at which one and two halves would overlap is cut to the widest that does not.
    pub const fn new(half_clocks: u8, tolerance_clocks: u8) -> Self {
        let widest = half_clocks.saturating_sub(1) / 2;
        let tolerance = if tolerance_clocks < widest { tolerance_clocks } else { widest };
        Self {
            half_clocks: half_clocks as u16,
            tolerance_clocks: tolerance as u16,
            hearing: false,
            level: false,
            clocks: 0,
            began: Began::Start,
        }
    }

    /// Forgets everything heard, so that the next run begins a bit.
    pub const fn restart(&mut self) {
        self.hearing = false;
        self.clocks = 0;
        self.began = Began::Start;
    }

    /// The level of the run that is going on.
    pub const fn level(&self) -> bool {
        self.level
    }

    /// Takes a run, or more of the run that is going on if the level is the same.
    #[inline]
    pub fn push(&mut self, level: bool, clocks: u8) -> Heard {
        let clocks = u16::from(clocks);
        if !self.hearing || level == self.level {
            self.hearing = true;
            self.level = level;
            self.clocks = self.clocks.saturating_add(clocks);
            return Heard::default();
        }
        let ended = std::mem::replace(&mut self.clocks, clocks);
        self.level = level;
        let (began, slip) = self.judge(ended);
        self.began = began;
        Heard { slip, bit: (began == Began::Middle).then_some(level) }
    }

    /// Where the next run begins after one of this length, and what was wrong with it.
    #[inline]
    fn judge(&self, ended: u16) -> (Began, Option<Slip>) {
        if ended.abs_diff(self.half_clocks) <= self.tolerance_clocks {
            match self.began {
                Began::Start => (Began::Middle, None),
                Began::Middle => (Began::Start, None),
                Began::Unknown => (Began::Unknown, None),
            }
        } else if ended.abs_diff(2 * self.half_clocks) <= self.tolerance_clocks {
            (Began::Middle, (self.began == Began::Start).then_some(Slip::Phase))
        } else {
            (Began::Unknown, Some(Slip::RunLength { clocks: ended }))
        }
    }

    /// Judges the run that is going on as the last one: it must be the second half of a bit.
    pub fn finish(&self) -> Option<Slip> {
        if !self.hearing {
            return None;
        }
        match (self.judge(self.clocks), self.began) {
            ((_, Some(slip)), _) => Some(slip),
            ((Began::Start, None), Began::Middle) => None,
            _ => Some(Slip::Unfinished),
        }
    }

    /// Adds the full state.
    pub fn digest(&self, into: &mut Digest) {
        let began = match self.began {
            Began::Start => 0,
            Began::Middle => 1,
            Began::Unknown => 2,
        };
        into.flag(self.hearing).flag(self.level).word(u64::from(self.clocks)).word(began);
    }
}

/// The runs of a delivery with their levels; nothing if its first byte is no level.
pub fn runs(edges: &[u8]) -> impl Iterator<Item = (bool, u8)> + '_ {
    let (first, lengths) = match edges.split_first() {
        Some((level @ (0 | 1), lengths)) => (*level == 1, lengths),
        _ => (false, &[][..]),
    };
    lengths.iter().enumerate().map(move |(nth, clocks)| (first ^ (nth % 2 == 1), *clocks))
}

/// The one block that a delivery holds.
///
/// Errors: the first [`Slip`] in it, or [`Slip::Count`] if it does not hold exactly 32 bits.
pub fn decode_block(edges: &[u8], half_clocks: u8, tolerance_clocks: u8) -> Result<u32, Slip> {
    let mut decoder = Decoder::new(half_clocks, tolerance_clocks);
    let (mut data, mut bits) = (0_u32, 0_u32);
    for (level, clocks) in runs(edges) {
        let heard = decoder.push(level, clocks);
        if let Some(slip) = heard.slip {
            return Err(slip);
        }
        if let Some(bit) = heard.bit {
            data = data << 1 | u32::from(bit);
            bits += 1;
        }
    }
    match decoder.finish() {
        Some(slip) => Err(slip),
        None if bits != BLOCK_BITS => Err(Slip::Count { bits }),
        None => Ok(data),
    }
}

/// The same edges with half a bit missing from run `at`, everything after it half a bit sooner.
///
/// A run of two halves becomes one of one half. A run of one half vanishes and its neighbours, which have the same
/// level, become one run. The delivery lasts 32 clocks less. An `at` beyond the last run changes nothing.
///
/// Why: the decoder sees a run of three or four halves, or a phase that does not fit, or (in a stretch of equal bits)
/// nothing at all until the next delivery begins half a bit after it should.
pub fn missing_half_bit(edges: &[u8], at: usize) -> Vec<u8> {
    let mut spoiled = edges.to_vec();
    let place = at.saturating_add(1);
    let Some(clocks) = edges.get(place) else { return spoiled };
    if *clocks > HALF_BIT_CLOCKS + HALF_BIT_CLOCKS / 2 {
        spoiled[place] = clocks - HALF_BIT_CLOCKS;
        return spoiled;
    }
    spoiled.remove(place);
    if at == 0 {
        spoiled[0] ^= 1;
    } else if place < spoiled.len() {
        let rest = spoiled.remove(place);
        spoiled[place - 1] = spoiled[place - 1].saturating_add(rest);
    }
    spoiled
}

/// The same edges entered half a bit late: the first half bit is missed, and half a bit of the other level follows the
/// last run. The delivery lasts as long as before.
///
/// Why: every middle is now taken for a border. The first run of two halves gives it away; a block of 32 equal bits
/// has none and decodes to its complement, which only a second reading can show.
pub fn wrong_phase(edges: &[u8]) -> Vec<u8> {
    let mut spoiled = missing_half_bit(edges, 0);
    if spoiled.len() < edges.len() || spoiled != edges {
        spoiled.push(HALF_BIT_CLOCKS);
    }
    spoiled
}

/// The same edges with the edge that ends run `at` moved by `by` clocks: the run grows by that much and the next one
/// shrinks. The edge that ends the last run moves the end of the delivery. Lengths stop at 0 and 255. An `at` beyond
/// the last run changes nothing.
///
/// Why: within the tolerance this must change no bit; beyond it the decoder reports a run length.
pub fn jitter(edges: &[u8], at: usize, by: i8) -> Vec<u8> {
    let mut spoiled = edges.to_vec();
    let place = at.saturating_add(1);
    if let Some(clocks) = spoiled.get_mut(place) {
        *clocks = clocks.saturating_add_signed(by);
        if let Some(next) = spoiled.get_mut(place + 1) {
            *next = next.saturating_add_signed(by.saturating_neg());
        }
    }
    spoiled
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The waveform of `0x00123456`, drawn by hand: half bits as levels.
    const DRAWN: &str = concat!(
        "10101010", "10101010", // 0x00
        "10101001", "10100110", // 0x12: 0001 0010
        "10100101", "10011010", // 0x34: 0011 0100
        "10011001", "10010110", // 0x56: 0101 0110
    );

    /// Half bits as a delivery, by plain run-length counting.
    fn from_drawing(halves: &str) -> Vec<u8> {
        let levels: Vec<u8> = halves.bytes().map(|level| level - b'0').collect();
        let mut edges = vec![levels[0]];
        for same in levels.chunk_by(|a, b| a == b) {
            edges.push(u8::try_from(32 * same.len()).unwrap());
        }
        edges
    }

    #[test]
    fn golden_waveforms() {
        assert_eq!(encode(0x0012_3456, 32, 32), from_drawing(DRAWN));
        let ones: Vec<u8> = std::iter::once(0).chain([32; 64]).collect();
        assert_eq!(encode(u32::MAX, 32, 32), ones);
        let zeros: Vec<u8> = std::iter::once(1).chain([32; 64]).collect();
        assert_eq!(encode(0, 32, 32), zeros);
        let alternating: Vec<u8> = [0, 32].into_iter().chain([64; 31]).chain([32]).collect();
        assert_eq!(encode(0xAAAA_AAAA, 32, 32), alternating);
        assert_eq!(encode(0b1011, 4, 32), [0, 32, 64, 64, 32, 32, 32]);
        assert_eq!(encode(0b10, 2, 25), [0, 25, 50, 25]);
        assert_eq!(encode(1, 0, 32), [0_u8; 0]);
    }

    #[test]
    fn runs_are_taken_to_the_clock_and_no_further() {
        for (by, good) in [(8, true), (9, false), (-8, true), (-9, false)] {
            for at in 0..encode(0x0012_3456, 32, 32).len() - 2 {
                let edges = jitter(&encode(0x0012_3456, 32, 32), at, by);
                let decoded = decode_block(&edges, 32, 8);
                assert_eq!(decoded == Ok(0x0012_3456), good, "{at} {by}");
                assert_eq!(matches!(decoded, Err(Slip::RunLength { .. })), !good, "{at} {by}");
            }
        }
    }

    #[test]
    fn a_tolerance_never_lets_one_half_pass_for_two() {
        let mut decoder = Decoder::new(32, 255);
        assert_eq!(decoder.push(false, 48), Heard::default());
        assert_eq!(decoder.push(true, 32).slip, Some(Slip::RunLength { clocks: 48 }));
        assert_eq!(decode_block(&jitter(&encode(5, 32, 32), 0, 15), 32, 255), Ok(5));
    }

    #[test]
    fn a_run_of_two_halves_tells_the_true_phase() {
        // Bits 1 1 0 1 entered in the second half of the first: halves 1 01 10 01.
        let mut decoder = Decoder::new(32, 8);
        let heard: Vec<Heard> =
            runs(&[1, 32, 32, 64, 64, 32]).map(|(level, clocks)| decoder.push(level, clocks)).collect();
        assert_eq!(heard[0], Heard::default());
        assert_eq!(heard[1], Heard { slip: None, bit: Some(false) }, "cannot be told yet");
        assert_eq!(heard[2], Heard::default());
        assert_eq!(heard[3], Heard { slip: Some(Slip::Phase), bit: Some(false) });
        assert_eq!(heard[4], Heard { slip: None, bit: Some(true) });
        assert_eq!(decoder.finish(), None);
    }

    #[test]
    fn after_an_impossible_run_no_bit_is_given_out_until_the_phase_is_known() {
        let mut decoder = Decoder::new(32, 8);
        let heard: Vec<Heard> = runs(&[0, 32, 96, 32, 32, 32, 64, 32])
            .map(|(level, clocks)| decoder.push(level, clocks))
            .collect();
        assert_eq!(heard[1].bit, Some(true));
        assert_eq!(heard[2], Heard { slip: Some(Slip::RunLength { clocks: 96 }), bit: None });
        assert_eq!(heard[3..=5], [Heard::default(); 3]);
        assert_eq!(heard[6], Heard { slip: None, bit: Some(false) });
    }

    #[test]
    fn runs_join_across_deliveries() {
        let mut decoder = Decoder::new(32, 8);
        let mut bits = Vec::new();
        for edges in [&[0, 32, 32][..], &[1, 32, 32], &[1, 32, 32]] {
            for (level, clocks) in runs(edges) {
                let heard = decoder.push(level, clocks);
                assert_eq!(heard.slip, None);
                bits.extend(heard.bit);
            }
        }
        // One, then a run of two halves into the zero, then an edge at the border.
        assert_eq!(bits, [true, false, false]);
    }

    #[test]
    fn golden_faults() {
        let edges = encode(0b1011, 4, 32);
        assert_eq!(missing_half_bit(&edges, 0), [1, 64, 64, 32, 32, 32]);
        assert_eq!(missing_half_bit(&edges, 1), [0, 32, 32, 64, 32, 32, 32]);
        assert_eq!(missing_half_bit(&edges, 3), [0, 32, 64, 96, 32]);
        assert_eq!(missing_half_bit(&edges, 5), [0, 32, 64, 64, 32, 32]);
        assert_eq!(missing_half_bit(&edges, 6), edges);
        assert_eq!(wrong_phase(&edges), [1, 64, 64, 32, 32, 32, 32]);
        assert_eq!(jitter(&edges, 2, -5), [0, 32, 64, 59, 37, 32, 32]);
        assert_eq!(jitter(&edges, 5, 7), [0, 32, 64, 64, 32, 32, 39]);
        assert_eq!(jitter(&edges, 6, 7), edges);
        assert_eq!(missing_half_bit(&[], 0), [0_u8; 0]);
        assert_eq!(wrong_phase(&[]), [0_u8; 0]);
        assert_eq!(jitter(&[], 0, 1), [0_u8; 0]);
        assert_eq!(wrong_phase(&encode(u32::MAX, 32, 32)), encode(0, 32, 32), "equal bits hide it");
    }

    #[test]
    fn what_is_no_block_is_refused() {
        let edges = encode(7, 32, 32);
        assert_eq!(decode_block(&edges[..edges.len() - 1], 32, 8), Err(Slip::Unfinished));
        assert_eq!(decode_block(&encode(7, 31, 32), 32, 8), Err(Slip::Count { bits: 31 }));
        assert_eq!(decode_block(&[], 32, 8), Err(Slip::Count { bits: 0 }));
        assert_eq!(decode_block(&[2, 32, 32], 32, 8), Err(Slip::Count { bits: 0 }));
        assert_eq!(decode_block(&[0, 0, 0], 32, 8), Err(Slip::RunLength { clocks: 0 }));
    }

    proptest! {
        #[test]
        fn blocks_come_back_through_jitter(data: u32, moves in prop::collection::vec(-4_i8..=4, 65)) {
            let mut edges = encode(data, 32, 32);
            for (at, by) in moves.iter().enumerate().take(edges.len() - 2) {
                edges = jitter(&edges, at, *by);
            }
            prop_assert_eq!(decode_block(&edges, 32, 8), Ok(data));
        }

        #[test]
        fn a_missing_half_never_decodes_to_a_block(data: u32, at in 0_usize..64) {
            let edges = encode(data, 32, 32);
            let spoiled = missing_half_bit(&edges, at % (edges.len() - 1));
            prop_assert!(decode_block(&spoiled, 32, 8).is_err());
        }

        #[test]
        fn a_wrong_phase_is_found_unless_all_bits_are_equal(data in 1..u32::MAX) {
            prop_assert_eq!(decode_block(&wrong_phase(&encode(data, 32, 32)), 32, 8), Err(Slip::Phase));
        }

        #[test]
        fn any_bytes_at_all_get_an_answer(edges: Vec<u8>, at: usize, by: i8) {
            let _ = decode_block(&edges, 32, 8);
            let mut decoder = Decoder::new(32, 8);
            let pushed = runs(&edges).map(|(level, clocks)| decoder.push(level, clocks));
        let heard: u32 = pushed.map(|heard| u32::from(heard.bit.is_some())).sum();
            prop_assert!(usize::try_from(heard).unwrap() <= edges.len());
            let longest = edges.len() + 1;
            prop_assert!(missing_half_bit(&edges, at).len() <= longest);
            prop_assert!(wrong_phase(&edges).len() <= longest);
            prop_assert_eq!(jitter(&edges, at, by).len(), edges.len());
        }
    }
}
