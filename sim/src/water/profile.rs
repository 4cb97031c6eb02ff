//! The profile: every value that the source documents leave open, from a TOML file.

use std::borrow::Cow;
use std::sync::LazyLock;

use serde::Deserialize;

use super::frame::{FrameFormat, MachineNumber};
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
use crate::modem::client::{ClientConfig, Fitted};
use crate::modem::config::{ModemConfig, ModuleConfig};
use crate::modem::m6311::M6311Config;
use crate::modem::sim800a::{self, Sim800aModemConfig};
use crate::profile::{self, LoadError, ProfileError};
use crate::time::{NotADate, Span, Wall};

/// The built-in profile's text.
pub const BUILT_IN: &str = include_str!("../../../fixtures/profiles/water.toml");

/// The sections whose spans are a device's own timers, which a build for a quick rig shortens. Signals on the air,
/// write cycles and line speeds stay what they are.
const TIMED_SECTIONS: [&str; 7] = ["terminal", "server", "payments", "host", "modem", "sim800a", "gprs"];

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
    /// Which module is fitted.
    pub fitted: FittedConfig,
    /// The M6311.
    pub modem: ModemConfig<M6311Config>,
    /// The SIM800A: the published one where the profile does not describe another.
    pub sim800a: Sim800aModemConfig,
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

/// Which module is fitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FittedConfig {
    /// The module behind each terminal, for which the terminal's firmware is written.
    pub module: Fitted,
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
        let text = with_sim800a(text).map_err(LoadError::from)?;
        let mut profile: Self = profile::load(&text, overrides, divisor, &TIMED_SECTIONS)?;
        profile.host.module = profile.fitted.module;
        let senseless = |section, key, what| ProfileError::Senseless { section, key, what, mend: None };
        profile.frame.check().map_err(|error| senseless("frame", None, error.to_string()))?;
        profile.bench.epoch()?;
        if profile.install.machine_at(9_999).is_none() {
            let machine = &profile.install.machine;
            let what =
                format!("`{machine}` is no machine number: ten digits, and room for the terminals after it");
            return Err(senseless("install", Some("machine"), what));
        }
        Ok(profile)
    }

    /// What every dialect has, of the module that is fitted.
    pub fn module(&self) -> &ModuleConfig {
        match self.fitted.module {
            Fitted::M6311 => &self.modem.module,
            Fitted::Sim800a => &self.sim800a.module,
        }
    }
}

/// The published SIM800A as a part of this profile.
static SIM800A: LazyLock<String> = LazyLock::new(|| {
    let published: toml::Table = sim800a::BUILT_IN.parse().expect("the published SIM800A reads");
    toml::Table::from_iter([("sim800a".to_owned(), published.into())]).to_string()
});

/// A profile's text with the values of the SIM800A that it leaves out, behind its own so that those keep their places.
pub(crate) fn with_sim800a(text: &str) -> Result<Cow<'_, str>, toml::de::Error> {
    let describes = |line: &str| line.trim_start_matches(['[', ' ']).starts_with("sim800a");
    if !text.lines().any(describes) {
        return Ok(format!("{text}\n{}", *SIM800A).into());
    }
    let mut table: toml::Table = text.parse()?;
    let mut whole: toml::Table = SIM800A.parse()?;
    if let Some(own) = table.remove("sim800a") {
        put_over(&mut whole, toml::Table::from_iter([("sim800a".to_owned(), own)]));
    }
    table.extend(whole);
    Ok(table.to_string().into())
}

fn put_over(under: &mut toml::Table, over: toml::Table) {
    for (key, value) in over {
        match (under.get_mut(&key), value) {
            (Some(toml::Value::Table(old)), toml::Value::Table(new)) => put_over(old, new),
            (_, value) => drop(under.insert(key, value)),
        }
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
    fn the_fitted_module_is_described_as_far_as_the_profile_does() {
        let fit: toml::Table = toml::from_str("[fitted]\nmodule = \"sim800a\"").unwrap();
        let full = Profile::load(BUILT_IN, &fit, 1).unwrap();
        assert_eq!((full.host.module, full.module().send_limit), (Fitted::Sim800a, Span::s(645)));
        let own = format!("{BUILT_IN}\n[sim800a.module]\nsend_limit = \"20 s\"\n");
        let profile = Profile::load(&own, &fit, 10).unwrap();
        assert_eq!(profile.module().send_limit, Span::s(2));
        assert_eq!(profile.sim800a.dialect, Profile::load(BUILT_IN, &fit, 10).unwrap().sim800a.dialect);
        let wrong = format!("{BUILT_IN}\n[sim800a.module]\nsend_time = \"20 s\"\n");
        assert!(Profile::load(&wrong, &fit, 1).unwrap_err().to_string().contains("send_time"));
    }

    #[test]
    fn an_override_must_name_a_value_that_there_is() {
        let overrides: toml::Table = toml::from_str("[terminal]\nanswer_timeout = \"5 s\"").unwrap();
        let profile = Profile::load(BUILT_IN, &overrides, 1).unwrap();
        assert_eq!(profile.terminal.answer_timeout, Span::s(5));
        let wrong: toml::Table = toml::from_str("[terminal]\nanswer_time = \"5 s\"").unwrap();
        let error = Profile::load(BUILT_IN, &wrong, 1).unwrap_err();
        let unknown = LoadError::UnknownKey("terminal.answer_time".to_owned());
        assert_eq!(error, ProfileError::Load(unknown));
    }
}
