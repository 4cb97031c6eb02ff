//! The terminal's commands: as bursts of field pulses, and as the tag reads them.
//!
//! The tag measures the time between two gaps: a short stretch of field is a zero, a long one a one. No further gap for
//! some time ends the command, and only then is it judged by its length and its opcode.

use thiserror::Error;

use super::settings::Settings;
use super::tag::TagConfig;

/// Why a tag does not do what a burst asks. It says nothing of it on the air.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Error)]
pub enum Refusal {
    /// It is starting up or programming.
    #[error("busy")]
    Busy,
    /// Another burst came before the command had ended.
    #[error("interrupted")]
    Interrupted,
    /// The first gap is too short or too long.
    #[error("start gap out of its window")]
    StartGap,
    /// A later gap is too short or too long.
    #[error("write gap out of its window")]
    WriteGap,
    /// A stretch of field between two gaps is neither a zero nor a one.
    #[error("bit out of both windows")]
    BitLength,
    /// No command has this many bits.
    #[error("wrong number of bits")]
    BitCount,
    /// No command of this length begins like that, or it is for the second page.
    #[error("unknown opcode")]
    Opcode,
    /// The password is not the one in block 7.
    #[error("wrong password")]
    Password,
    /// The block is locked.
    #[error("locked block")]
    Locked,
}

/// A command that a tag obeys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Start anew, as if the field had just come.
    Reset,
    /// Repeat blocks 1 to the last.
    ReadAll,
    /// Repeat one block.
    ReadBlock {
        /// Which.
        block: u8,
    },
    /// Program one block, then repeat it.
    Write {
        /// Which.
        block: u8,
        /// What.
        data: u32,
        /// Whether it can never be written again.
        lock: bool,
    },
}

/// The most bits that a command has: a write with its password.
const BITS_MAX: usize = 70;

/// The bits of a burst, the first one highest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bits {
    pub(super) word: u128,
    pub(super) count: u8,
}

/// Reads the bits of a burst. A stretch of field at its very end is no bit, since no gap has ended it.
pub(super) fn read_bits(config: &TagConfig, burst: &[u8]) -> Result<Bits, Refusal> {
    let mut bits = Bits { word: 0, count: 0 };
    for (nth, clocks) in burst.iter().enumerate() {
        let gap = nth % 2 == 0;
        if nth == 0 {
            if !config.start_gap_clocks.holds(*clocks) {
                return Err(Refusal::StartGap);
            }
        } else if gap {
            if !config.write_gap_clocks.holds(*clocks) {
                return Err(Refusal::WriteGap);
            }
        } else if nth + 1 < burst.len() {
            let bit = match (config.zero_clocks.holds(*clocks), config.one_clocks.holds(*clocks)) {
                (true, _) => 0,
                (_, true) => 1,
                _ => return Err(Refusal::BitLength),
            };
            if usize::from(bits.count) == BITS_MAX {
                return Err(Refusal::BitCount);
            }
            bits.word = bits.word << 1 | bit;
            bits.count += 1;
        }
    }
    Ok(bits)
}

impl Bits {
    /// `count` bits from bit `from`, where 0 is the first that was sent.
    fn field(self, from: u8, count: u8) -> u32 {
        let below = self.count.saturating_sub(from + count);
        let mask = (1_u128 << count) - 1;
        u32::try_from(self.word >> below & mask).unwrap_or(u32::MAX)
    }

    /// What the bits ask of a tag with these settings and this password.
    pub(super) fn command(self, settings: Settings, password: u32) -> Result<Command, Refusal> {
        // With the password bit set, its 32 bits stand between the opcode and everything else.
        let skipped = match (settings.password, self.count) {
            (_, 2) | (false, 6 | 38) => 0,
            (true, 38 | 70) => 32,
            _ => return Err(Refusal::BitCount),
        };
        match (self.field(0, 2), self.count) {
            (0b00, 2) => return Ok(Command::Reset),
            (0b10, 2) => return Ok(Command::ReadAll),
            (0b10, _) => {}
            _ => return Err(Refusal::Opcode),
        }
        if skipped > 0 && self.field(2, 32) != password {
            return Err(Refusal::Password);
        }
        let mark = self.field(2 + skipped, 1) == 1;
        let block = self.field(self.count - 3, 3) as u8;
        if self.count - skipped == 38 {
            let data = self.field(3 + skipped, 32);
            Ok(Command::Write { block, data, lock: mark })
        } else if mark {
            Err(Refusal::Opcode)
        } else {
            Ok(Command::ReadBlock { block })
        }
    }
}

/// How a terminal shapes its pulses.
///
/// Units: field clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pulses {
    /// The first gap.
    pub start_gap_clocks: u8,
    /// Every later gap.
    pub gap_clocks: u8,
    /// Field on for a zero.
    pub zero_clocks: u8,
    /// Field on for a one.
    pub one_clocks: u8,
}

impl Command {
    /// The burst that says this, with the password if the tag wants one.
    ///
    /// Shape: opcode `10`, password 32, lock, data 32, address 3 for a write; opcode `10`, password 32, `0`, address 3
    /// for a block; opcode alone for the rest.
    pub fn to_burst(self, pulses: Pulses, password: Option<u32>) -> Vec<u8> {
        let (mut word, mut count) = match self {
            Self::Reset => (0_u128, 2),
            _ => (0b10, 2),
        };
        let mut append = |value: u32, bits: u32| {
            word = word << bits | u128::from(value);
            count += bits;
        };
        if let (Some(password), Self::ReadBlock { .. } | Self::Write { .. }) = (password, self) {
            append(password, 32);
        }
        match self {
            Self::Reset | Self::ReadAll => {}
            Self::ReadBlock { block } => append(u32::from(block & 7), 4),
            Self::Write { block, data, lock } => {
                append(u32::from(lock), 1);
                append(data, 32);
                append(u32::from(block & 7), 3);
            }
        }
        let mut burst = Vec::with_capacity(1 + 2 * BITS_MAX);
        burst.push(pulses.start_gap_clocks);
        for below in (0..count).rev() {
            let one = word >> below & 1 == 1;
            burst.extend([if one { pulses.one_clocks } else { pulses.zero_clocks }, pulses.gap_clocks]);
        }
        burst
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PULSES: Pulses = Pulses { start_gap_clocks: 30, gap_clocks: 20, zero_clocks: 24, one_clocks: 54 };

    fn config() -> TagConfig {
        super::super::closed_loop::tag_config()
    }

    fn settings(password: bool) -> Settings {
        Settings::parse(if password { 0x0014_80D0 } else { 0x0014_80C0 })
    }

    /// A burst of these bits, blanks for the reader's eye only.
    fn drawn(bits: &str) -> Vec<u8> {
        let mut burst = vec![30];
        for bit in bits.bytes().filter(|bit| *bit != b' ') {
            burst.extend([if bit == b'1' { 54 } else { 24 }, 20]);
        }
        burst
    }

    fn understood(password: bool, burst: &[u8]) -> Result<Command, Refusal> {
        read_bits(&config(), burst)?.command(settings(password), 0x5EC2_E701)
    }

    #[test]
    fn a_standard_write_is_38_bits_between_39_gaps() {
        // Opcode 10, lock 0, data 000004e2, address 011.
        let golden = [
            30, 54, 20, 24, 20, 24, 20, //
            24, 20, 24, 20, 24, 20, 24, 20, 24, 20, 24, 20, 24, 20, 24, 20, //
            24, 20, 24, 20, 24, 20, 24, 20, 24, 20, 24, 20, 24, 20, 24, 20, //
            24, 20, 24, 20, 24, 20, 24, 20, 24, 20, 54, 20, 24, 20, 24, 20, //
            54, 20, 54, 20, 54, 20, 24, 20, 24, 20, 24, 20, 54, 20, 24, 20, //
            24, 20, 54, 20, 54, 20,
        ];
        let write = Command::Write { block: 3, data: 0x0000_04E2, lock: false };
        assert_eq!(write.to_burst(PULSES, None), golden);
        assert_eq!(golden.len(), 77);
        assert_eq!(understood(false, &golden), Ok(write));
        // 30 + 38 gaps of 20 + 8 ones of 54 + 30 zeros of 24 field clocks of 8 µs.
        assert_eq!(crate::card::burst_time(&golden), crate::time::Span::us(8 * (30 + 760 + 432 + 720)));
    }

    #[test]
    fn the_other_commands_have_their_shapes() {
        let password = "01011110 11000010 11100111 00000001";
        let data = "10000000 00000000 00000000 00000001";
        for (bits, locked, command) in [
            ("00", false, Command::Reset),
            ("00", true, Command::Reset),
            ("10", false, Command::ReadAll),
            ("10", true, Command::ReadAll),
            ("10 0 101", false, Command::ReadBlock { block: 5 }),
            (&format!("10 {password} 0 101"), true, Command::ReadBlock { block: 5 }),
            (&format!("10 1 {data} 111"), false, Command::Write { block: 7, data: 0x8000_0001, lock: true }),
            (
                &format!("10 {password} 0 {data} 000"),
                true,
                Command::Write { block: 0, data: 0x8000_0001, lock: false },
            ),
        ] {
            let burst = drawn(bits);
            assert_eq!(understood(locked, &burst), Ok(command), "{bits}");
            assert_eq!(command.to_burst(PULSES, locked.then_some(0x5EC2_E701)), burst, "{bits}");
        }
    }

    #[test]
    fn what_is_no_command_is_refused() {
        let word = "00000000 00000000 00000000 00000000";
        for (bits, locked, why) in [
            ("", false, Refusal::BitCount),
            ("1", false, Refusal::BitCount),
            ("01", false, Refusal::Opcode),
            ("11", false, Refusal::Opcode),
            ("10 1 101", false, Refusal::Opcode),
            ("11 0 101", false, Refusal::Opcode),
            ("00 0 101", false, Refusal::Opcode),
            ("10 0 101", true, Refusal::BitCount),
            (&format!("11 0 {word} 011"), false, Refusal::Opcode),
            (&format!("10 0 {word} 01"), false, Refusal::BitCount),
            (&format!("10 0 {word} 0110"), false, Refusal::BitCount),
            (&format!("10 {word} 0 {word} 011"), false, Refusal::BitCount),
            (&format!("10 {word} 0 {word} 011"), true, Refusal::Password),
            (&format!("10 0 {word} 011"), true, Refusal::Password),
            (&format!("10 {word} {word} 0 011"), true, Refusal::Password),
            (&format!("10 {word} {word} {word} 011"), true, Refusal::BitCount),
        ] {
            assert_eq!(understood(locked, &drawn(bits)), Err(why), "{bits} {locked}");
        }
    }

    #[test]
    fn windows_hold_to_the_clock() {
        let good = drawn("10 0 101");
        // Which byte, its window, and what follows from leaving it. Bytes 1 and 3 are a one and a zero.
        for (place, min, max, why) in [
            (0, 10, 50, Refusal::StartGap),
            (2, 8, 30, Refusal::WriteGap),
            (12, 8, 30, Refusal::WriteGap),
            (1, 48, 63, Refusal::BitLength),
            (3, 16, 31, Refusal::BitLength),
        ] {
            for (clocks, inside) in [(min, true), (max, true), (min - 1, false), (max + 1, false)] {
                let mut burst = good.clone();
                burst[place] = clocks;
                let expected = if inside { Ok(Command::ReadBlock { block: 5 }) } else { Err(why) };
                assert_eq!(understood(false, &burst), expected, "byte {place} of {clocks} clocks");
            }
        }
    }

    #[test]
    fn a_bit_counts_only_once_a_gap_has_ended_it() {
        let burst = drawn("10 0 101");
        assert_eq!(read_bits(&config(), &burst).unwrap().count, 6);
        assert_eq!(read_bits(&config(), &burst[..burst.len() - 1]).unwrap().count, 5);
        let mut lingering = burst.clone();
        lingering.push(200);
        assert_eq!(understood(false, &lingering), Ok(Command::ReadBlock { block: 5 }));
        assert_eq!(understood(false, &burst[..burst.len() - 2]), Err(Refusal::BitCount));
    }
}
