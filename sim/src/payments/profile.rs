//! What the platforms' documents leave open, or state as a number.

use serde::Deserialize;

use super::call::House;
use crate::money::Fen;
use crate::profile::{self, LoadError};
use crate::time::Span;

/// The built-in profile's text.
pub const BUILT_IN: &str = include_str!("../../../fixtures/profiles/payments.toml");

/// Every value that may differ.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// The people who pay.
    pub payers: PayerRules,
    /// WeChat Pay.
    pub wechat: HouseRules,
    /// Alipay.
    pub alipay: HouseRules,
    /// The double itself.
    pub backend: BackendConfig,
}

impl Profile {
    /// The built-in profile, with these values in place of its own.
    ///
    /// Errors: [`LoadError`].
    pub fn load(overrides: &toml::Table) -> Result<Self, LoadError> {
        profile::load(BUILT_IN, overrides, 1, &[])
    }

    /// The built-in profile with every span divided, as a build with quicker timers takes it.
    ///
    /// Panics: never; a test reads it.
    pub fn shortened(divisor: u64) -> Self {
        let sections = ["payers", "wechat", "alipay", "backend"];
        let loaded = profile::load(BUILT_IN, &toml::Table::new(), divisor, &sections);
        loaded.expect("the built-in profile reads")
    }

    /// The built-in profile.
    ///
    /// Panics: never; a test reads it.
    pub fn built_in() -> Self {
        Self::load(&toml::Table::new()).expect("the built-in profile reads")
    }

    /// The rules of a house.
    pub const fn house(&self, house: House) -> &HouseRules {
        match house {
            House::Wechat => &self.wechat,
            House::Alipay => &self.alipay,
        }
    }
}

/// The people who pay.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PayerRules {
    /// The most that is paid without a password.
    pub password_above_fen: Fen,
    /// How many payments a day need none.
    pub password_free_a_day: u32,
    /// How long a payer takes to type it.
    pub password_after: Span,
    /// How long a code is good for.
    pub code_life: Span,
}

/// A platform's numbers.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HouseRules {
    /// How long an order can be paid that says nothing of it.
    pub order_life: Span,
    /// The most that one payment may be.
    pub amount_max_fen: Fen,
    /// How long after it was made an order can be undone.
    pub undo_within: Span,
    /// How long a refund is under way.
    pub refund_after: Span,
    /// How often money of one order can be given back.
    pub refunds_max: usize,
    /// The shortest time from a pay call or a query to the next query of a correct client.
    pub query_gap: Span,
    /// The shortest time from a pay call to undoing it.
    pub undo_after: Span,
    /// The shortest time from making an order to closing it.
    pub close_after: Span,
    /// How soon a merchant has to answer a notification.
    pub notice_limit: Span,
    /// The gaps between the tries of a notification.
    pub notice_gaps: Vec<Span>,
}

/// The double itself.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackendConfig {
    /// How long a connection is held whose request is never answered.
    pub silence: Span,
    /// How many requests, findings and notifications are kept.
    pub shown_max: usize,
    /// How many orders are kept; when there are so many, the oldest eighth is forgotten.
    pub orders_max: usize,
    /// How much of a body is kept.
    ///
    /// Units: bytes.
    pub body_shown_max: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Source: the platforms' documents; 24 h 4 min for WeChat's fifteen, eight tries of Alipay's.
    #[test]
    fn the_schedules_are_the_platforms_own() {
        let profile = Profile::built_in();
        let seconds = |gaps: &[Span]| gaps.iter().map(|gap| gap.as_us() / 1_000_000).collect::<Vec<_>>();
        let wechat = seconds(&profile.wechat.notice_gaps);
        assert_eq!(
            wechat,
            [15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10800, 10800, 10800, 21600, 21600]
        );
        assert_eq!(wechat.iter().sum::<u64>(), 86_640);
        assert_eq!(seconds(&profile.alipay.notice_gaps), [240, 600, 600, 3600, 7200, 21600, 54000]);
        assert_eq!(seconds(&Profile::shortened(5).wechat.notice_gaps)[..4], [3, 3, 6, 36]);
        assert_eq!(Profile::shortened(1), profile);
    }

    #[test]
    fn a_value_is_replaced_and_one_that_there_is_not_is_refused() {
        let quick = toml::toml! { payers = { password_after = "1 s" } };
        assert_eq!(Profile::load(&quick).unwrap().payers.password_after, Span::s(1));
        let wrong = toml::toml! { payers = { pasword_after = "1 s" } };
        assert_eq!(Profile::load(&wrong), Err(LoadError::UnknownKey("payers.pasword_after".into())));
    }
}
