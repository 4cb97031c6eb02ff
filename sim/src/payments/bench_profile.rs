//! Every value of a client's bench: its times and names, its links, and what exploration tries.

use serde::Deserialize;

use super::client::ClientConfig;
use super::profile::Profile;
use crate::fault::FaultDomain;
use crate::journal::JournalConfig;
use crate::link::{SerialConfig, StreamConfig};
use crate::profile::{self, ProfileError};
use crate::time::{NotADate, Span, Wall};

/// The built-in profile's text.
pub const BUILT_IN: &str = include_str!("../../../fixtures/profiles/payments-client.toml");

/// The sections whose spans are a device's own timers.
const TIMED_SECTIONS: [&str; 1] = ["client"];

/// Every value that may differ from one installation to the next. The platform's own rules are in its own profile.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BenchProfile {
    /// The client.
    pub client: ClientConfig,
    /// The client's records.
    pub journal: JournalConfig,
    /// The way between client and platform, in both directions.
    pub net: StreamConfig,
    /// The line between the till and the client.
    pub till: SerialConfig,
    /// The bench itself.
    pub bench: BenchConfig,
    /// What exploration tries.
    pub faults: FaultDomain,
    /// The platform's rules.
    #[serde(skip, default = "Profile::built_in")]
    pub rules: Profile,
    /// By what the timers of both sides are divided.
    #[serde(skip, default = "whole")]
    pub divisor: u64,
}

const fn whole() -> u64 {
    1
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
    /// How long the till waits for word before it asks again.
    pub word_within: Span,
    /// How long after the last fault every sale must have come to its end.
    pub settled_within: Span,
    /// The tolerance on the timers of a party under test.
    pub tolerance: Span,
}

impl BenchProfile {
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
        let mut profile: Self = profile::load(text, overrides, divisor, &TIMED_SECTIONS)?;
        profile.rules = Profile::shortened(divisor);
        profile.divisor = divisor.max(1);
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
        let full = BenchProfile::built_in().unwrap();
        let quick = BenchProfile::load(BUILT_IN, &toml::Table::new(), 10).unwrap();
        assert_eq!([full.client.query_after, quick.client.query_after], [Span::s(5), Span::ms(500)]);
        assert_eq!(full.bench.quiet, quick.bench.quiet);
        assert_eq!([full.rules.wechat.query_gap, quick.rules.wechat.query_gap], [Span::s(5), Span::ms(500)]);
        let rules = &full.rules.wechat;
        assert!(full.client.undo_after >= rules.undo_after && full.client.close_after >= rules.close_after);
    }

    #[test]
    fn an_epoch_that_is_no_date_and_a_value_that_there_is_not_are_refused() {
        let wrong =
            |text: &str| BenchProfile::load(BUILT_IN, &text.parse().unwrap(), 1).unwrap_err().to_string();
        assert!(wrong("[bench]\nepoch = \"20240230000000\"").starts_with("[bench] epoch: "));
        assert!(wrong("[client]\nqueryafter = \"1 s\"").contains("client.queryafter"));
    }
}
