//! Every value of the POS system that its documents leave open, or that a vendor may choose otherwise.

use std::net::SocketAddrV4;

use serde::Deserialize;

use super::frame::{FrameFormat, MachineNumber};
use super::platform::PlatformConfig;
use super::server::ServerConfig;
use super::terminal::TerminalTimes;
use super::terminal::clock::ClockConfig;
use super::terminal::store::StoreConfig;
use crate::fault::FaultDomain;
use crate::flash::{ChipConfig, DriverConfig};
use crate::journal::JournalConfig;
use crate::link::{SerialConfig, StreamConfig};
use crate::profile::{self, ProfileError};
use crate::time::{NotADate, Span, Wall};

/// The built-in profile's text.
pub const BUILT_IN: &str = include_str!("../../../fixtures/profiles/pos.toml");

/// The sections whose spans are a device's own timers, which a build for a quick rig shortens.
const TIMED_SECTIONS: [&str; 4] = ["terminal", "server", "platform", "udp"];

/// Every value that may differ from one installation to the next.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// The form of datagrams.
    pub frame: FrameFormat,
    /// The terminals.
    pub terminal: TerminalTimes,
    /// How a terminal divides its flash.
    pub store: StoreConfig,
    /// The flash that is fitted.
    pub flash: ChipConfig,
    /// What a terminal's firmware takes its flash to be.
    pub flash_driver: DriverConfig,
    /// The clock that is fitted.
    pub clock: ClockConfig,
    /// The server.
    pub server: ServerConfig,
    /// The server's records.
    pub journal: JournalConfig,
    /// The payment platform.
    pub platform: PlatformConfig,
    /// The way from terminals to the server.
    pub udp: PathConfig,
    /// The way from the server to the platform.
    pub lan: StreamConfig,
    /// The line between a terminal and people.
    pub panel: SerialConfig,
    /// What the installer sets.
    pub install: InstallConfig,
    /// The bench itself.
    pub bench: BenchConfig,
    /// What exploration tries.
    pub faults: FaultDomain,
}

/// A packet path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PathConfig {
    /// The least latency of a packet.
    pub latency_min: Span,
    /// The greatest.
    pub latency_max: Span,
}

/// What the installer sets.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstallConfig {
    /// The first machine's number; further ones count up.
    pub machine: MachineNumber,
    /// Where the server is, as terminals print it.
    pub server: SocketAddrV4,
    /// Whether all terminals share one public address, and print private ones.
    pub nat: bool,
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
    /// How long people wait for a terminal that was switched on.
    pub ready_within: Span,
    /// How long people wait for word after a tap.
    pub answer_within: Span,
    /// The tolerance on the timers of a party under test.
    pub tolerance: Span,
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
        profile.bench.epoch()?;
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
        assert_eq!([full.server.confirm_timeout, quick.server.confirm_timeout], [Span::s(1), Span::ms(100)]);
        assert_eq!(full.bench.quiet, quick.bench.quiet);
    }
}
