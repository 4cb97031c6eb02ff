//! The profile: every value that the article leaves open, from a TOML file.

use serde::Deserialize;
use thiserror::Error;

use super::host::HostConfig;
use super::module::ModuleConfig;
use super::server::ServerConfig;
use super::store::StoreConfig;
use crate::fault::FaultDomain;
use crate::flash;
use crate::journal::JournalConfig;
use crate::link::{SerialConfig, StreamConfig};
use crate::modem::client::{ClientConfig, Fitted};
use crate::modem::sim800a::Sim800aModemConfig;
use crate::payments::Profile as PlatformRules;
use crate::profile::{self, LoadError};
use crate::time::{NotADate, Span, Wall};

/// The built-in profile's text.
pub const BUILT_IN: &str = include_str!("../../../fixtures/profiles/paymod.toml");

/// The sections whose spans are a device's own timers. What a host waits for on its line is not divided: a line is as
/// fast as it is.
const TIMED_SECTIONS: [&str; 5] = ["module", "client", "sim800a", "server", "net"];

/// Every value that may differ from one installation to the next. The platforms' own rules are in their own profile.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// The host.
    pub vending: HostConfig,
    /// The module.
    pub module: ModuleConfig,
    /// The flash and its driver.
    pub flash: flash::Config,
    /// How the flash is divided.
    pub store: StoreConfig,
    /// The module's modem driver.
    pub client: ClientConfig,
    /// The modem: the published SIM800A where the profile does not describe another.
    pub sim800a: Sim800aModemConfig,
    /// The server.
    pub server: ServerConfig,
    /// The server's records.
    pub journal: JournalConfig,
    /// The line between host and module.
    pub uart: SerialConfig,
    /// The line between module and modem.
    pub at: SerialConfig,
    /// The line on which the free channel comes out behind the server.
    pub channel: SerialConfig,
    /// The way from module or modem to server.
    pub net: StreamConfig,
    /// The way between server and platform.
    pub lan: StreamConfig,
    /// The bench itself.
    pub bench: BenchConfig,
    /// What exploration tries.
    pub faults: FaultDomain,
    /// The platforms' rules.
    #[serde(skip, default = "PlatformRules::built_in")]
    pub rules: PlatformRules,
}

/// The bench itself.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BenchConfig {
    /// What calendar clocks show when a bench starts, as `YYYYMMDDhhmmss`.
    pub epoch: String,
    /// How long a link waits for the rest of a unit before it passes on what it has.
    pub quiet: Span,
    /// How many inputs wait for a busy party.
    pub inbox_max: usize,
    /// How long the module has to answer the host.
    pub answer_within: Span,
    /// How long after a payment the host has to know of it, where nothing is lost on the way.
    pub paid_told_within: Span,
    /// How long after the last fault every order must have come to its end.
    pub settled_within: Span,
    /// The tolerance on the timers of a party under test.
    pub tolerance: Span,
}

/// A profile that cannot be used.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum ProfileError {
    /// It does not read.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// Its epoch is no date.
    #[error("[bench] epoch: {0}")]
    Epoch(#[from] NotADate),
    /// The server does not know the module.
    #[error("[server] devices: none has the number {0} of the module and its key")]
    Device(u32),
    /// The flash has too few sectors.
    #[error("[store] sectors: {0} is too few, a ring has two at the least")]
    Sectors(u16),
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
        let text = crate::water::profile::with_sim800a(text).map_err(LoadError::Toml)?;
        let mut profile: Self = profile::load(&text, overrides, divisor, &TIMED_SECTIONS)?;
        if divisor > 1 {
            // The silence that ends a frame is the line's, too.
            let whole: Self = profile::load(&text, overrides, 1, &TIMED_SECTIONS)?;
            profile.module.byte_gap = whole.module.byte_gap;
        }
        profile.rules = PlatformRules::shortened(divisor);
        profile.client.module = Fitted::Sim800a;
        profile.bench.epoch()?;
        let (module, sectors) = (&profile.module, profile.store.sectors);
        let known = profile.server.devices.iter();
        if !known.into_iter().any(|one| one.number == module.device && one.key == module.key) {
            return Err(ProfileError::Device(module.device));
        }
        if sectors < 2 {
            return Err(ProfileError::Sectors(sectors));
        }
        Ok(profile)
    }
}

impl BenchConfig {
    /// The epoch as a wall time.
    ///
    /// Errors: [`NotADate`].
    pub fn epoch(&self) -> Result<Wall, NotADate> {
        Wall::parse_digits(self.epoch.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_profile_reads_and_shortens() {
        let full = Profile::built_in().unwrap();
        let quick = Profile::load(BUILT_IN, &toml::Table::new(), 10).unwrap();
        assert_eq!([full.module.poll, quick.module.poll], [Span::s(5), Span::ms(500)]);
        assert_eq!(full.module.byte_gap, quick.module.byte_gap);
        assert_eq!((full.vending, full.flash), (quick.vending, quick.flash));
        assert_eq!(full.module.backoff.len(), 7);
        assert_eq!(quick.rules, PlatformRules::shortened(10));
        let rules = &full.rules.wechat;
        assert!(full.server.query_gap >= rules.query_gap && full.server.close_after >= rules.close_after);
    }

    #[test]
    fn what_cannot_work_is_refused() {
        let wrong = |text: &str| Profile::load(BUILT_IN, &text.parse().unwrap(), 1).unwrap_err().to_string();
        assert!(wrong("[bench]\nepoch = \"20240230000000\"").starts_with("[bench] epoch: "));
        assert!(wrong("[module]\npol = \"1 s\"").contains("module.pol"));
        assert!(wrong("[module]\ndevice = 7").starts_with("[server] devices: none has the number 7"));
        assert!(wrong("[store]\nsectors = 1").starts_with("[store] sectors: 1 is too few"));
        assert!(wrong("[module]\nkey = \"00\"").contains("32 hexadecimal digits"));
    }
}
