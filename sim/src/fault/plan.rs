//! A fault plan: which fate or mishap strikes at which site. It is decided before the run and is plain data.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::fate::Fate;
use super::site::Site;
use crate::machine::Torn;
use crate::time::Span;

/// Where within what happens at its site a mishap strikes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Moment {
    /// Before any of it.
    #[default]
    Before,
    /// When half of its bytes are through; for a storage step or a timer the same as [`Moment::Before`].
    Midway,
    /// When all of it is through.
    After,
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Before => "just before",
            Self::Midway => "in the middle of",
            Self::After => "just after",
        })
    }
}

/// Something that befalls a party, a supply or a whole link.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "mishap", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Mishap {
    /// A supply fails, and every board on it loses its power.
    PowerCut {
        /// Which supply.
        supply: String,
        /// How a write under way reads afterwards.
        #[serde(default)]
        torn: Torn,
        /// How long it stays away.
        off: Span,
    },
    /// A server's machine stops dead and is started again.
    Crash {
        /// Which party.
        party: String,
        /// What becomes of a journal sync under way.
        #[serde(default)]
        torn: Torn,
        /// How long it stays away.
        off: Span,
    },
    /// A party does nothing for a while; what comes meanwhile waits. What it is just sending still leaves.
    Hang {
        /// Which party.
        party: String,
        /// How long.
        span: Span,
    },
    /// A device's calendar clock is set to another time.
    StepWallClock {
        /// Which party.
        party: String,
        /// By how many seconds, forward or back.
        by_s: i64,
    },
    /// A whole link carries nothing for a while: a stream holds its bytes, a pin its level, others lose what crosses.
    LinkDown {
        /// Which link.
        link: String,
        /// How long.
        span: Span,
    },
    /// Every connection that a link carries goes dead, and nobody is told.
    HalfOpen {
        /// Which link.
        link: String,
    },
    /// The card is pulled out of the field.
    RemoveCard {
        /// Which air link.
        link: String,
        /// How a block being programmed reads afterwards.
        #[serde(default)]
        torn: Torn,
    },
    /// A modem says something unasked, or something befalls it that its family knows by this name.
    Modem {
        /// Which modem.
        party: String,
        /// The unsolicited result code, or the name of the event.
        what: String,
    },
    /// What a payment platform does next it does otherwise than it should, in a way that its family knows by this name.
    Backend {
        /// Which platform.
        party: String,
        /// The name.
        what: String,
    },
}

impl Mishap {
    /// The kind of mishap, as reports group it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::PowerCut { .. } => "power-cut",
            Self::Crash { .. } => "crash",
            Self::Hang { .. } => "hang",
            Self::StepWallClock { .. } => "step-wall-clock",
            Self::LinkDown { .. } => "link-down",
            Self::HalfOpen { .. } => "half-open-link",
            Self::RemoveCard { .. } => "remove-card",
            Self::Modem { .. } => "modem",
            Self::Backend { .. } => "backend",
        }
    }

    /// The supply, party or link that it befalls.
    pub fn victim(&self) -> &str {
        match self {
            Self::PowerCut { supply, .. } => supply,
            Self::Crash { party, .. }
            | Self::Hang { party, .. }
            | Self::StepWallClock { party, .. }
            | Self::Modem { party, .. }
            | Self::Backend { party, .. } => party,
            Self::LinkDown { link, .. } | Self::HalfOpen { link } | Self::RemoveCard { link, .. } => link,
        }
    }
}

impl fmt::Display for Mishap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let torn = |torn: &Torn| match torn {
            Torn::Old => "a write under way reads as before",
            Torn::New => "a write under way reads as meant",
            Torn::Neither => "a write under way reads as neither",
        };
        match self {
            Self::PowerCut { supply, torn: how, off } => {
                write!(f, "cut the power of {supply} for {off} ({})", torn(how))
            }
            Self::Crash { party, torn: how, off } => write!(f, "crash {party} for {off} ({})", torn(how)),
            Self::Hang { party, span } => write!(f, "hang {party} for {span}"),
            Self::StepWallClock { party, by_s } => write!(f, "step the clock of {party} by {by_s} s"),
            Self::LinkDown { link, span } => write!(f, "take {link} down for {span}"),
            Self::HalfOpen { link } => write!(f, "leave the connections of {link} half-open"),
            Self::RemoveCard { link, torn: how } => write!(f, "pull the card out of {link} ({})", torn(how)),
            Self::Modem { party, what } => write!(f, "let {party} suffer `{}`", what.escape_debug()),
            Self::Backend { party, what } => write!(f, "have {party} do `{}`", what.escape_debug()),
        }
    }
}

/// What a strike does: a fate to the transmission itself, or a mishap at that moment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Fault {
    /// What becomes of the transmission.
    Fate(Fate),
    /// What befalls somebody then.
    Mishap(Mishap),
}

impl Fault {
    /// The kind, as reports group it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Fate(fate) => fate.kind(),
            Self::Mishap(mishap) => mishap.kind(),
        }
    }
}

/// One fault at one site.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Strike {
    /// Where.
    pub site: Site,
    /// When within what happens there; for mishaps.
    #[serde(default)]
    pub moment: Moment,
    /// What.
    pub fault: Fault,
}

impl Strike {
    /// How long the fault itself lasts after its moment; what it leaves behind is for the parties to mend.
    pub fn span(&self) -> Span {
        match &self.fault {
            Fault::Fate(fate) => match fate {
                Fate::Delay { by } => *by,
                Fate::Twice { gap } | Fate::Split { gap, .. } => *gap,
                Fate::Reorder { behind } => *behind,
                Fate::Join { within } => *within,
                Fate::Stall { span } | Fate::Stuck { span } => *span,
                Fate::Glitch { width } => *width,
                _ => Span::ZERO,
            },
            Fault::Mishap(mishap) => match mishap {
                Mishap::PowerCut { off, .. } | Mishap::Crash { off, .. } => *off,
                Mishap::Hang { span, .. } | Mishap::LinkDown { span, .. } => *span,
                _ => Span::ZERO,
            },
        }
    }
}

/// The strike as a sentence.
impl fmt::Display for Strike {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.fault {
            Fault::Fate(fate) => write!(f, "`{}` {fate}.", self.site),
            Fault::Mishap(mishap) => write!(f, "{} `{}`, {mishap}.", capital(self.moment), self.site),
        }
    }
}

fn capital(moment: Moment) -> &'static str {
    match moment {
        Moment::Before => "Just before",
        Moment::Midway => "In the middle of",
        Moment::After => "Just after",
    }
}

/// Every fault of one run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FaultPlan {
    /// In no particular order: each waits for its own site. Of several fates at one site only the first strikes.
    pub strikes: Vec<Strike>,
}

impl FaultPlan {
    /// A plan of one fault.
    pub fn one(strike: Strike) -> Self {
        Self { strikes: vec![strike] }
    }

    /// The same for parties whose timers are divided: whatever lasts is divided, too, but to no less than `least`.
    #[must_use]
    pub fn shortened(mut self, divisor: u64, least: Span) -> Self {
        let shorten = |span: &mut Span| *span = span.shortened(divisor).max(least.min(*span));
        for strike in &mut self.strikes {
            match &mut strike.fault {
                Fault::Fate(
                    Fate::Delay { by: span } | Fate::Twice { gap: span } | Fate::Reorder { behind: span },
                )
                | Fault::Mishap(
                    Mishap::PowerCut { off: span, .. }
                    | Mishap::Crash { off: span, .. }
                    | Mishap::Hang { span, .. }
                    | Mishap::LinkDown { span, .. },
                ) => shorten(span),
                Fault::Fate(_) | Fault::Mishap(_) => {}
            }
        }
        self
    }

    /// The plan in words, a sentence a line; what a run without faults says when there are none.
    pub fn words(&self) -> Vec<String> {
        if self.strikes.is_empty() {
            return vec!["No fault is planned.".to_owned()];
        }
        self.strikes.iter().map(ToString::to_string).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strike_reads_as_a_sentence() {
        let strike = Strike {
            site: "terminal-a eeprom-byte@104 #1".parse().unwrap(),
            moment: Moment::Before,
            fault: Fault::Mishap(Mishap::PowerCut {
                supply: "strip-a".to_owned(),
                torn: Torn::Neither,
                off: Span::s(5),
            }),
        };
        assert_eq!(
            strike.to_string(),
            "Just before `terminal-a eeprom-byte@104 #1`, cut the power of strip-a for 5 s (a write under way \
             reads as neither)."
        );
        let strike = Strike {
            site: "uart-a< +IPDATA/upload-answer #1".parse().unwrap(),
            moment: Moment::default(),
            fault: Fault::Fate(Fate::FlipBit { bit: 9 }),
        };
        assert_eq!(strike.to_string(), "`uart-a< +IPDATA/upload-answer #1` has bit 6 of byte 1 inverted.");
    }

    #[test]
    fn plans_survive_toml() {
        let plan = FaultPlan::one(Strike {
            site: "gprs-a> connect #1".parse().unwrap(),
            moment: Moment::After,
            fault: Fault::Mishap(Mishap::LinkDown { link: "gprs-a".to_owned(), span: Span::s(90) }),
        });
        #[derive(Serialize, Deserialize)]
        struct File {
            strike: FaultPlan,
        }
        let text = toml::to_string(&File { strike: plan.clone() }).unwrap();
        assert_eq!(toml::from_str::<File>(&text).unwrap().strike, plan);
    }
}
