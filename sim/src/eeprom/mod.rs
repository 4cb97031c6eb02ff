//! The 24C02 EEPROM: the driver that firmware uses, and the chip as a behaving model.
//!
//! - [`Eeprom24c02`] is the driver, over any `embedded_hal` I²C bus.
//! - [`Chip`] is the part itself: what it stores, when it is busy, what a power cut leaves.
//! - [`Bus`] joins the two for the length of one input and counts the bus time that the firmware spends.

mod bus;
mod chip;
#[cfg(test)]
mod cuts;
mod driver;
#[cfg(test)]
mod driver_tests;
mod writes;

use std::num::NonZeroU32;

use serde::Deserialize;
use thiserror::Error;

pub use bus::Bus;
pub use chip::Chip;
pub use driver::{DriverError, Eeprom24c02};

use crate::time::Span;

/// How many cells the part has.
///
/// Units: bytes.
pub const CAPACITY: usize = 256;

/// The longest page that a part of this size has.
const PAGE_LEN_MAX: usize = 16;

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
    /// How many cells one write cycle can reach.
    pub page_len: PageLen,
    /// How long the part takes to program after a STOP.
    pub cycle: Span,
    /// What a power cut in a write cycle can spoil.
    pub torn_scope: TornScope,
    /// How fast the bus runs.
    ///
    /// Units: hertz.
    pub clock_hz: NonZeroU32,
    /// The seven-bit address that the part answers to.
    pub device_address: u8,
    /// How many writes the maker promises for a cell.
    ///
    /// Source: WAT-C7.
    pub endurance: u32,
}

/// What the firmware takes the part to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DriverConfig {
    /// The seven-bit address to call.
    pub device_address: u8,
    /// Where to split a write.
    pub page_len: PageLen,
    /// How often to ask after a page write before giving up.
    pub polls_max: u32,
}

/// What a power cut in a write cycle can spoil.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TornScope {
    /// The cells that the transaction wrote, and no others.
    AddressedBytes,
    /// Every cell of their page.
    WholePage,
}

/// The length of a page: a power of two, at most 16.
///
/// Units: bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u8")]
pub struct PageLen(u8);

/// A number that is no page length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{0} is no page length: a page has 1, 2, 4, 8 or 16 bytes")]
pub struct NotAPageLen(u8);

impl TryFrom<u8> for PageLen {
    type Error = NotAPageLen;
    fn try_from(len: u8) -> Result<Self, NotAPageLen> {
        if len.is_power_of_two() && usize::from(len) <= PAGE_LEN_MAX {
            Ok(Self(len))
        } else {
            Err(NotAPageLen(len))
        }
    }
}

impl PageLen {
    /// The number of bytes.
    pub const fn get(self) -> u8 {
        self.0
    }

    /// The first cell of the page that holds `cell`.
    const fn base(self, cell: u8) -> u8 {
        cell & !(self.0 - 1)
    }

    /// How far into its page `cell` lies.
    const fn offset(self, cell: u8) -> u8 {
        cell & (self.0 - 1)
    }

    /// The cell that follows inside the page, round its end.
    const fn next(self, cell: u8) -> u8 {
        self.base(cell) | self.offset(cell.wrapping_add(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Profile {
        eeprom: Config,
    }

    /// The default part and driver, as the shipped profile has them.
    pub(super) fn profile() -> Config {
        let text = include_str!("../../../fixtures/profiles/water.toml");
        toml::from_str::<Profile>(text).unwrap().eeprom
    }

    #[test]
    fn the_shipped_profile_is_the_data_sheet_part() {
        let Config { chip, driver } = profile();
        assert_eq!(chip.page_len.get(), 8);
        assert_eq!(chip.cycle, Span::ms(5));
        assert_eq!(chip.torn_scope, TornScope::WholePage);
        assert_eq!(chip.clock_hz.get(), 100_000);
        assert_eq!(chip.device_address, 0x50);
        assert_eq!(chip.endurance, 1_000_000);
        assert_eq!((driver.device_address, driver.page_len), (chip.device_address, chip.page_len));
        // A poll that is not acknowledged takes 110 µs; parts with a cycle of 10 ms need 91.
        assert!(driver.polls_max >= 91);
    }

    #[test]
    fn a_page_length_is_a_power_of_two() {
        for len in [1, 2, 4, 8, 16] {
            assert_eq!(PageLen::try_from(len).map(PageLen::get), Ok(len));
        }
        for len in [0, 3, 7, 9, 15, 17, 32, 64, 128, 255] {
            assert_eq!(PageLen::try_from(len), Err(NotAPageLen(len)));
        }
    }

    #[test]
    fn cells_follow_one_another_inside_their_page() {
        let page_len = PageLen(8);
        assert_eq!(page_len.next(0x68), 0x69);
        assert_eq!(page_len.next(0x6F), 0x68);
        assert_eq!(page_len.next(0xFF), 0xF8);
        assert_eq!((page_len.base(0x64), page_len.offset(0x64)), (0x60, 4));
        assert_eq!(PageLen(1).next(0x64), 0x64);
    }
}
