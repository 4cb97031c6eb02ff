//! Configuration block 0 of a T5557.

/// What block 0 sets, for the basic mode of the chip.
///
/// Shape: counted from the most significant bit as bit 1: 1–4 master key, 12–14 data rate, 15 extended mode, 16–20
/// modulation, 21–22 PSK carrier, 23 answer on request, 25–27 last block (MAXBLK), 28 password (PWD), 29 sequence
/// terminator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Field clocks of one data bit.
    pub bit_clocks: u8,
    /// The five modulation bits.
    pub modulation: u8,
    /// The last block that a regular reading repeats.
    pub max_block: u8,
    /// Whether commands must carry the password that block 7 holds.
    pub password: bool,
    /// Whether the tag waits to be woken.
    pub answer_on_request: bool,
    /// Whether a sequence terminator precedes block 1.
    pub sequence_terminator: bool,
    /// Whether the extended mode, which gives the other bits other meanings, is chosen.
    pub extended: bool,
}

/// The modulation bits of Manchester coding.
const MANCHESTER: u8 = 0b0_1000;

/// The data rates in the order of their three-bit code.
///
/// Units: field clocks a bit.
const RATES: [u8; 8] = [8, 16, 32, 40, 50, 64, 100, 128];

impl Settings {
    /// Reads a block 0.
    pub const fn parse(block: u32) -> Self {
        Self {
            bit_clocks: RATES[(block >> 18 & 0b111) as usize],
            modulation: (block >> 12 & 0b1_1111) as u8,
            max_block: (block >> 5 & 0b111) as u8,
            password: block >> 4 & 1 == 1,
            answer_on_request: block >> 9 & 1 == 1,
            sequence_terminator: block >> 3 & 1 == 1,
            extended: block >> 17 & 1 == 1,
        }
    }

    /// Whether the tag sends by itself, in plain Manchester coding, once it has started.
    ///
    /// Why: the other modulations are not modelled, and a tag that uses one is as good as silent to a reader that
    /// knows only this one.
    pub const fn sends_manchester(self) -> bool {
        let waits_to_be_woken = self.answer_on_request && self.password;
        self.modulation == MANCHESTER && !self.extended && !self.sequence_terminator && !waits_to_be_woken
    }

    /// Field clocks of half a data bit.
    pub const fn half_clocks(self) -> u8 {
        self.bit_clocks / 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_issued_words_mean_rf_64_manchester_and_six_blocks() {
        let open = Settings {
            bit_clocks: 64,
            modulation: 8,
            max_block: 6,
            password: false,
            answer_on_request: false,
            sequence_terminator: false,
            extended: false,
        };
        assert_eq!(Settings::parse(0x0014_80C0), open);
        assert_eq!(Settings::parse(0x0014_80D0), Settings { password: true, ..open });
        assert!(open.sends_manchester());
        assert_eq!(open.half_clocks(), 32);
    }

    #[test]
    fn every_field_has_its_own_bits() {
        assert_eq!(Settings::parse(0x0010_80C0).bit_clocks, 50);
        assert_eq!(Settings::parse(0x001C_80C0).bit_clocks, 128);
        assert_eq!(Settings::parse(0x0014_80E0).max_block, 7);
        assert_eq!(Settings::parse(0x0014_8000).max_block, 0);
        for (word, why) in [
            (0x0015_00C0, "biphase"),
            (0x0016_80C0, "extended mode"),
            (0x0014_80C8, "sequence terminator"),
            (0x0014_82D0, "answer on request"),
        ] {
            assert!(!Settings::parse(word).sends_manchester(), "{why}");
        }
        assert!(Settings::parse(0x0014_82C0).sends_manchester(), "answer on request needs the password bit");
    }
}
