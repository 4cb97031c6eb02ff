//! A NOR flash of the 25 series: the driver that firmware uses, and the chip as a behaving model.
//!
//! - [`Flash25`] is the driver, over any `embedded_hal` SPI device.
//! - [`Chip`] is the part itself: what it stores, when it is busy, what a power cut leaves.
//! - [`Bus`] joins the two for the length of one input and counts the time that the firmware spends.

mod bus;
mod chip;
#[cfg(test)]
mod cuts;
mod driver;
#[cfg(test)]
mod driver_tests;
mod works;

use std::num::NonZeroU32;

use serde::Deserialize;
use thiserror::Error;

pub use bus::Bus;
pub use chip::Chip;
pub use driver::{DriverError, Flash25};

use crate::time::Span;

/// How many bytes one program command can reach.
///
/// Units: bytes.
pub const PAGE_LEN: usize = 256;

/// What an erased byte reads.
pub const ERASED: u8 = 0xFF;

/// The part and the driver of one board.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The part that is fitted.
    pub chip: ChipConfig,
    /// What the firmware takes the part to be.
    pub driver: DriverConfig,
}

/// The part that is fitted, and the bus that it sits on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChipConfig {
    /// How many sectors it has; at most 16 MiB of them answer.
    pub sectors: u16,
    /// How many pages are erased together.
    pub sector_len: SectorLen,
    /// How long the part takes before it programs the first byte of a page.
    pub setup: Span,
    /// How long it takes to program a byte.
    pub byte: Span,
    /// How long it takes to erase a sector.
    pub erase: Span,
    /// How fast the bus runs.
    ///
    /// Units: hertz.
    pub clock_hz: NonZeroU32,
    /// How many erasures the maker promises for a sector.
    pub endurance: u32,
}

impl ChipConfig {
    /// How many bytes the part has.
    ///
    /// Units: bytes.
    pub fn capacity(&self) -> usize {
        usize::from(self.sectors) * self.sector_len.get()
    }
}

/// What the firmware takes the part to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DriverConfig {
    /// How long to wait between two looks at the status while a page is programmed.
    pub program_wait: Span,
    /// How long to wait between two looks at the status while a sector is erased.
    pub erase_wait: Span,
    /// How often to look before giving up.
    pub polls_max: u32,
}

/// The length of a sector: a power of two from a page to 64 KiB.
///
/// Units: bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u32")]
pub struct SectorLen(u32);

/// A number that is no sector length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{0} is no sector length: a sector has a power of two of bytes, from 256 to 65536")]
pub struct NotASectorLen(u32);

impl TryFrom<u32> for SectorLen {
    type Error = NotASectorLen;
    fn try_from(len: u32) -> Result<Self, NotASectorLen> {
        if len.is_power_of_two() && (256..=65_536).contains(&len) {
            Ok(Self(len))
        } else {
            Err(NotASectorLen(len))
        }
    }
}

impl SectorLen {
    /// The number of bytes.
    pub const fn get(self) -> usize {
        self.0 as usize
    }

    /// The number of pages.
    const fn pages(self) -> usize {
        self.get() / PAGE_LEN
    }
}

/// What the bus carries: the commands that this part knows.
mod command {
    pub(super) const PROGRAM: u8 = 0x02;
    pub(super) const READ: u8 = 0x03;
    pub(super) const WRITE_DISABLE: u8 = 0x04;
    pub(super) const STATUS: u8 = 0x05;
    pub(super) const WRITE_ENABLE: u8 = 0x06;
    pub(super) const ERASE: u8 = 0x20;
    pub(super) const BUSY: u8 = 1;
    pub(super) const ENABLED: u8 = 2;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A small part with the times of a large one: four sectors of two pages.
    pub(super) fn small() -> Config {
        Config {
            chip: ChipConfig {
                sectors: 4,
                sector_len: SectorLen(512),
                setup: Span::us(30),
                byte: Span::us(3),
                erase: Span::ms(45),
                clock_hz: 8_000_000.try_into().unwrap(),
                endurance: 100_000,
            },
            driver: DriverConfig { program_wait: Span::us(20), erase_wait: Span::ms(1), polls_max: 500 },
        }
    }

    #[test]
    fn a_sector_is_a_power_of_two_of_pages() {
        for len in [256, 512, 4_096, 65_536] {
            assert_eq!(SectorLen::try_from(len).map(|len| len.get() as u32), Ok(len));
        }
        for len in [0, 1, 128, 255, 300, 4_095, 131_072] {
            assert_eq!(SectorLen::try_from(len), Err(NotASectorLen(len)));
        }
        assert_eq!(small().chip.capacity(), 2_048);
    }
}
