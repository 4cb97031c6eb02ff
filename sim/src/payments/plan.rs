//! Misbehaviour by plan: which call goes wrong, and how. It is data and is decided before the run.

use std::fmt;

use serde::Deserialize;
use thiserror::Error;

use super::call::{CallKind, Platform, Refusal};
use crate::money::Fen;
use crate::time::Span;

/// A plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// What goes wrong.
    #[serde(default)]
    pub misbehave: Vec<Strike>,
}

/// One thing that goes wrong.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Strike {
    /// The kind of call.
    pub call: CallKind,
    /// The face; any without it.
    #[serde(default)]
    pub platform: Option<Platform>,
    /// The merchant's number of the order; any without it.
    #[serde(default)]
    pub order: Option<String>,
    /// The first such call that is struck, counted from 1.
    #[serde(default = "one")]
    pub nth: u32,
    /// How many in a row are struck.
    #[serde(default = "one")]
    pub times: u32,
    /// How it goes wrong.
    pub with: Misbehaviour,
    /// How many such calls there have been.
    #[serde(skip)]
    pub seen: u32,
}

impl Strike {
    /// The next call of this kind, whoever's it is.
    pub const fn next(call: CallKind, with: Misbehaviour) -> Self {
        Self { call, platform: None, order: None, nth: 1, times: 1, with, seen: 0 }
    }
}

const fn one() -> u32 {
    1
}

/// How a call goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "does", deny_unknown_fields)]
pub enum Misbehaviour {
    /// The answer is late.
    Slow {
        /// By how much.
        by: Span,
    },
    /// There is no answer, and in the end the connection is closed.
    NoAnswer {
        /// Whether the call is done all the same.
        effect: bool,
    },
    /// The answer is that the platform does not know: `SYSTEMERROR`, `20000`.
    SystemError {
        /// Whether the call is done all the same.
        effect: bool,
    },
    /// The answer is that the bank does not know.
    BankError {
        /// Whether the call is done all the same.
        effect: bool,
    },
    /// The payer is asked for the password, and takes so long.
    UserPaying {
        /// How long.
        span: Span,
    },
    /// The order is undone, and is paid all the same after so long.
    LateSuccess {
        /// How long.
        after: Span,
    },
    /// The call is refused with this and not done.
    Refuse {
        /// With what.
        refusal: Refusal,
    },
    /// The notification comes once more after so long.
    Twice {
        /// How long.
        after: Span,
    },
    /// The notification is held back for so long, so that what comes later overtakes it.
    Held {
        /// How long.
        by: Span,
    },
    /// The signature is wrong.
    WrongSignature,
    /// The amount is wrong.
    WrongAmount {
        /// By how much.
        by_fen: Fen,
    },
    /// The answer is this status and a page that is none of the platform's.
    Http {
        /// The status.
        status: u16,
        /// Whether the call is done all the same.
        effect: bool,
    },
    /// The call is done, and the connection is reset after so many bytes of the answer's body.
    Reset {
        /// How many.
        at: usize,
    },
}

impl Misbehaviour {
    /// Whether the call is done.
    pub const fn has_effect(self) -> bool {
        match self {
            Self::NoAnswer { effect }
            | Self::SystemError { effect }
            | Self::BankError { effect }
            | Self::Http { effect, .. } => effect,
            Self::Refuse { .. } => false,
            Self::Slow { .. }
            | Self::UserPaying { .. }
            | Self::LateSuccess { .. }
            | Self::Twice { .. }
            | Self::Held { .. }
            | Self::WrongSignature
            | Self::WrongAmount { .. }
            | Self::Reset { .. } => true,
        }
    }

    /// Whether it can strike such a call.
    pub(crate) const fn fits(self, call: CallKind) -> bool {
        match self {
            Self::UserPaying { .. } => matches!(call, CallKind::Pay),
            Self::LateSuccess { .. } => matches!(call, CallKind::Cancel),
            Self::Twice { .. } | Self::Held { .. } => matches!(call, CallKind::Notification),
            Self::NoAnswer { effect } => !matches!(call, CallKind::Notification) || !effect,
            Self::WrongSignature => true,
            Self::WrongAmount { .. } => {
                matches!(call, CallKind::Pay | CallKind::Query | CallKind::Notification)
            }
            Self::Http { status, .. } => {
                !matches!(call, CallKind::Notification) && status >= 400 && status <= 599
            }
            Self::Slow { .. }
            | Self::SystemError { .. }
            | Self::BankError { .. }
            | Self::Refuse { .. }
            | Self::Reset { .. } => !matches!(call, CallKind::Notification),
        }
    }
}

impl fmt::Display for Misbehaviour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let done = |effect: bool| if effect { "done all the same" } else { "not done" };
        match self {
            Self::Slow { by } => write!(f, "the answer is late by {by}"),
            Self::NoAnswer { effect } => write!(f, "no answer, {}", done(*effect)),
            Self::SystemError { effect } => write!(f, "system error, {}", done(*effect)),
            Self::BankError { effect } => write!(f, "bank error, {}", done(*effect)),
            Self::UserPaying { span } => write!(f, "the payer takes {span} for the password"),
            Self::LateSuccess { after } => write!(f, "a success {after} after the order was undone"),
            Self::Refuse { refusal } => write!(f, "refused with {refusal:?}, not done"),
            Self::Twice { after } => write!(f, "once more after {after}"),
            Self::Held { by } => write!(f, "held back for {by}"),
            Self::WrongSignature => f.write_str("a wrong signature"),
            Self::WrongAmount { by_fen } => write!(f, "an amount that is wrong by {by_fen}"),
            Self::Http { status, effect } => write!(f, "HTTP {status}, {}", done(*effect)),
            Self::Reset { at } => write!(f, "the connection is reset after {at} bytes of the body"),
        }
    }
}

/// A plan that cannot be carried out.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum PlanError {
    /// Its text, with line and column.
    #[error("{0}")]
    Toml(#[from] toml::de::Error),
    /// What goes wrong does not fit the call.
    #[error("misbehave[{place}]: \"{with}\" cannot happen to `{call}`")]
    Misfit {
        /// Which, counted from 0.
        place: usize,
        /// What goes wrong.
        with: Misbehaviour,
        /// The kind of call.
        call: &'static str,
    },
    /// Calls are counted from 1.
    #[error("misbehave[{0}]: `nth` and `times` are at least 1")]
    Zero(usize),
}

impl Plan {
    /// Reads a plan.
    ///
    /// Errors: [`PlanError`].
    pub fn read(text: &str) -> Result<Self, PlanError> {
        let plan: Self = toml::from_str(text)?;
        for (place, strike) in plan.misbehave.iter().enumerate() {
            if strike.nth == 0 || strike.times == 0 {
                return Err(PlanError::Zero(place));
            }
            if !strike.with.fits(strike.call) {
                return Err(PlanError::Misfit { place, with: strike.with, call: strike.call.as_str() });
            }
        }
        Ok(plan)
    }

    /// The same with every span divided.
    #[must_use]
    pub fn shortened(mut self, divisor: u64) -> Self {
        for strike in &mut self.misbehave {
            match &mut strike.with {
                Misbehaviour::Slow { by: span }
                | Misbehaviour::UserPaying { span }
                | Misbehaviour::LateSuccess { after: span }
                | Misbehaviour::Twice { after: span }
                | Misbehaviour::Held { by: span } => *span = span.shortened(divisor),
                Misbehaviour::NoAnswer { .. }
                | Misbehaviour::SystemError { .. }
                | Misbehaviour::BankError { .. }
                | Misbehaviour::Refuse { .. }
                | Misbehaviour::WrongSignature
                | Misbehaviour::WrongAmount { .. }
                | Misbehaviour::Http { .. }
                | Misbehaviour::Reset { .. } => {}
            }
        }
        self
    }

    /// Counts a call and says how it goes wrong. If several would, the first of the plan does.
    pub fn strike(&mut self, platform: Platform, call: CallKind, order: &str) -> Option<Misbehaviour> {
        let mut struck = None;
        for strike in &mut self.misbehave {
            let fits = strike.call == call
                && strike.platform.is_none_or(|one| one == platform)
                && strike.order.as_ref().is_none_or(|one| one == order);
            if !fits {
                continue;
            }
            strike.seen = strike.seen.saturating_add(1);
            let last = strike.nth.saturating_add(strike.times - 1);
            if struck.is_none() && (strike.nth..=last).contains(&strike.seen) {
                struck = Some(strike.with);
            }
        }
        struck
    }

    /// What has not struck because there were too few such calls.
    pub fn unreached(&self) -> impl Iterator<Item = &Strike> {
        self.misbehave.iter().filter(|strike| strike.seen < strike.nth)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: &str = r#"
        [[misbehave]]
        call = "pay"
        platform = "wechat-v2"
        nth = 2
        times = 2
        with = { does = "system-error", effect = true }

        [[misbehave]]
        call = "query"
        order = "T1"
        with = { does = "slow", by = "3 s" }
    "#;

    #[test]
    fn calls_are_counted_by_what_they_are() {
        let mut plan = Plan::read(PLAN).unwrap();
        let error = Some(Misbehaviour::SystemError { effect: true });
        assert_eq!(plan.strike(Platform::WechatV2, CallKind::Pay, "T1"), None);
        assert_eq!(plan.strike(Platform::WechatV3, CallKind::Pay, "T1"), None);
        assert_eq!(plan.strike(Platform::WechatV2, CallKind::Pay, "T2"), error);
        assert_eq!(plan.strike(Platform::WechatV2, CallKind::Pay, "T3"), error);
        assert_eq!(plan.strike(Platform::WechatV2, CallKind::Pay, "T4"), None);
        assert_eq!(plan.strike(Platform::Alipay, CallKind::Query, "T2"), None);
        assert_eq!(plan.unreached().count(), 1);
        let slow = Some(Misbehaviour::Slow { by: Span::s(3) });
        assert_eq!(plan.strike(Platform::Alipay, CallKind::Query, "T1"), slow);
        assert_eq!(plan.unreached().count(), 0);
    }

    #[test]
    fn spans_are_divided() {
        let plan = Plan::read(PLAN).unwrap().shortened(10);
        assert_eq!(plan.misbehave[1].with, Misbehaviour::Slow { by: Span::ms(300) });
    }

    #[test]
    fn what_cannot_happen_is_refused_with_its_place() {
        for (text, words) in [
            ("call = 'query'\nwith = { does = 'late-success', after = '1 s' }", "cannot happen to `query`"),
            ("call = 'pay'\nwith = { does = 'twice', after = '1 s' }", "cannot happen to `pay`"),
            ("call = 'pay'\nnth = 0\nwith = { does = 'wrong-signature' }", "at least 1"),
            ("call = 'pay'\nwith = { does = 'http', status = 200, effect = true }", "cannot happen to `pay`"),
            ("call = 'pay'\nwith = { does = 'sulk' }", "unknown variant `sulk`"),
            ("call = 'pay'\nwith = { does = 'slow' }", "missing field `by`"),
            (
                "call = 'notification'\nwith = { does = 'slow', by = '1 s' }",
                "cannot happen to `notification`",
            ),
        ] {
            let error = Plan::read(&format!("[[misbehave]]\n{text}")).unwrap_err().to_string();
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
