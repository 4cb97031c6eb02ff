//! The profile: every value that the source documents leave open, from a TOML file.

use serde::Deserialize;
use thiserror::Error;

use super::frame::{FrameFormat, MachineNumber, UnsoundFormat};
use super::payments::PaymentsConfig;
use super::peripheral::PeripheralConfig;
use super::server::ServerConfig;
use super::tariff::Tariff;
use super::terminal::TerminalTimes;
use crate::card::reader::ReaderConfig;
use crate::card::tag::TagConfig;
use crate::eeprom;
use crate::fault::FaultDomain;
use crate::journal::JournalConfig;
use crate::link::{SerialConfig, StreamConfig};
use crate::modem::client::ClientConfig;
use crate::modem::config::ModemConfig;
use crate::modem::m6311::M6311Config;
use crate::profile::{self, LoadError};
use crate::time::{NotADate, Span, Wall};

/// The built-in profile's text.
pub const BUILT_IN: &str = include_str!("../../../fixtures/profiles/water.toml");

/// The sections whose spans are a device's own timers, which a build for a quick rig shortens. Signals on the air,
/// write cycles and line speeds stay what they are.
const TIMED_SECTIONS: [&str; 6] = ["terminal", "server", "payments", "host", "modem", "gprs"];

/// Every value that may differ from one installation to the next.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// The form of frames.
    pub frame: FrameFormat,
    /// The 24C02 and its driver.
    pub eeprom: eeprom::Config,
    /// The server's records.
    pub journal: JournalConfig,
    /// The card.
    pub card: TagConfig,
    /// The terminal's card reader.
    pub reader: ReaderConfig,
    /// The modem.
    pub modem: ModemConfig<M6311Config>,
    /// The terminal's modem driver.
    pub host: ClientConfig,
    /// The terminal.
    pub terminal: TerminalTimes,
    /// The voice module and the display.
    pub peripheral: PeripheralConfig,
    /// The server.
    pub server: ServerConfig,
    /// The prices.
    pub tariff: Tariff,
    /// The prepayment front.
    pub payments: PaymentsConfig,
    /// The line between terminal and modem.
    pub uart: SerialConfig,
    /// The lines to voice module and display.
    pub panel: SerialConfig,
    /// The way from modem to server.
    pub gprs: StreamConfig,
    /// The way from the prepayment front to the server.
    pub lan: StreamConfig,
    /// What the installer sets.
    pub install: InstallConfig,
    /// The bench itself.
    pub bench: BenchConfig,
    /// What exploration tries.
    pub faults: FaultDomain,
}

/// What the installer sets.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstallConfig {
    /// The first terminal's number; further ones count up.
    pub machine: String,
    /// The first card's number; further ones count up.
    pub card: u64,
    /// The places in a terminal's memory where one bit is found inverted.
    pub spoiled: Vec<u8>,
}

impl InstallConfig {
    /// The number of the terminal at this place, from 0.
    ///
    /// Errors: the profile's first number is none, or the last has been passed.
    pub fn machine_at(&self, place: u64) -> Option<MachineNumber> {
        let first = MachineNumber::parse(self.machine.as_bytes()).ok()?.value();
        MachineNumber::parse(format!("{:010}", first + place).as_bytes()).ok()
    }
}

/// The bench itself.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BenchConfig {
    /// What calendar clocks show when a bench starts, as `YYYYMMDDhhmmss`.
    pub epoch: String,
    /// How long a link waits for the rest of a unit before it passes on what it has.
    pub quiet: Span,
    /// How many inputs wait for a busy party.
    pub inbox_max: usize,
    /// How long a case may wait for a terminal to be ready for cards.
    pub ready_within: Span,
    /// How long a card may take from going in to the words on the display.
    pub card_within: Span,
    /// The tolerance on the timers of a party under test.
    pub tolerance: Span,
}

impl BenchConfig {
    /// The epoch as a wall time.
    ///
    /// Errors: [`NotADate`].
    pub fn epoch(&self) -> Result<Wall, NotADate> {
        Wall::parse_digits(self.epoch.as_bytes())
    }
}

/// A profile that cannot be used.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum ProfileError {
    /// It does not read.
    #[error("{0}")]
    Toml(toml::de::Error),
    /// An override names something that is not in the profile.
    #[error("{0}")]
    UnknownKey(LoadError),
    /// Its frame form is unsound.
    #[error("[frame]: {0}")]
    Frame(#[from] UnsoundFormat),
    /// Its epoch is no date.
    #[error("[bench] epoch: {0}")]
    Epoch(#[from] NotADate),
    /// Its terminal number is none.
    #[error("[install] machine: `{0}` is no machine number: ten digits, and room for the terminals after it")]
    Machine(String),
}

impl From<LoadError> for ProfileError {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Toml(error) => Self::Toml(error),
            unknown @ LoadError::UnknownKey(_) => Self::UnknownKey(unknown),
        }
    }
}

impl Profile {
    /// The built-in profile.
    ///
    /// Errors: none as the project stands, which a test holds.
    pub fn built_in() -> Result<Self, ProfileError> {
        Self::load(BUILT_IN, &toml::Table::new(), 1)
    }

    /// A profile from its text, with some of its values replaced, and with every timer of a device divided.
    ///
    /// Errors: [`ProfileError`], with line and column where the text is at fault.
    pub fn load(text: &str, overrides: &toml::Table, divisor: u64) -> Result<Self, ProfileError> {
        let profile: Self = profile::load(text, overrides, divisor, &TIMED_SECTIONS)?;
        profile.frame.check()?;
        profile.bench.epoch()?;
        if profile.install.machine_at(9_999).is_none() {
            return Err(ProfileError::Machine(profile.install.machine.clone()));
        }
        Ok(profile)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_profile_reads_and_shortens() {
        let full = Profile::built_in().unwrap();
        let quick = Profile::load(BUILT_IN, &toml::Table::new(), 10).unwrap();
        assert_eq!(full.terminal.answer_timeout, Span::s(20));
        assert_eq!(quick.terminal.answer_timeout, Span::s(2));
        assert_eq!(quick.server.heartbeat_s(), 6);
        assert_eq!(quick.card, full.card);
        assert_eq!(quick.eeprom, full.eeprom);
    }

    #[test]
    fn an_override_must_name_a_value_that_there_is() {
        let overrides: toml::Table = toml::from_str("[terminal]\nanswer_timeout = \"5 s\"").unwrap();
        let profile = Profile::load(BUILT_IN, &overrides, 1).unwrap();
        assert_eq!(profile.terminal.answer_timeout, Span::s(5));
        let wrong: toml::Table = toml::from_str("[terminal]\nanswer_time = \"5 s\"").unwrap();
        let error = Profile::load(BUILT_IN, &wrong, 1).unwrap_err();
        let unknown = LoadError::UnknownKey("terminal.answer_time".to_owned());
        assert_eq!(error, ProfileError::UnknownKey(unknown));
    }
}
