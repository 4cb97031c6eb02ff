//! What one case came to.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::rig::ReplayedRecord;
use crate::verdict::Verdict;

/// How binding a requirement is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// A device that breaks it does not conform.
    Must,
    /// A device that breaks it needs a reason.
    Should,
    /// A device is free to do so.
    May,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Must => "must",
            Self::Should => "should",
            Self::May => "may",
        })
    }
}

/// Who saw an observation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Witness {
    /// It was seen from outside the seat of the system under test, so it is evidence.
    Boundary,
    /// A party says so of itself, which is printed and proves nothing.
    Claim,
}

impl fmt::Display for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Boundary => "boundary",
            Self::Claim => "claim",
        })
    }
}

/// One case on one bench.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseRecord {
    /// The case id, `family/topic/behaviour`.
    pub id: String,
    /// What the case shows, in a sentence.
    pub title: String,
    /// The system that it ran against.
    pub system: String,
    /// The bench that it ran on: `tabletop`, `world` or `rig:FILE`.
    pub bench: String,
    /// The policy of our own parties.
    pub policy: String,
    /// The mutant that took the seat of the system under test, if one did.
    pub mutant: Option<String>,
    /// The seed of this case.
    pub seed: u64,
    /// The worst of its requirements, or broken.
    pub verdict: Verdict,
    /// Why it was skipped, waived or inconclusive, or what broke.
    pub why: Option<String>,
    /// Every requirement that the case is tied to.
    pub requirements: Vec<RequirementOutcome>,
    /// What was broken and how it was seen.
    pub violations: Vec<ViolationRecord>,
    /// The fault plan in words, one step an item.
    pub plan: Vec<String>,
    /// The command that runs exactly this again.
    pub replay: Option<String>,
    /// The digest of the tape, in hexadecimal.
    pub tape_digest: String,
    /// How many entries the tape has.
    pub tape_entries: u64,
    /// How long the case took on the clock of the bench.
    ///
    /// Units: microseconds.
    pub virtual_us: u64,
    /// The sites that the plan names and the run never came to.
    pub sites_not_reached: Vec<String>,
    /// How often a failure on a rig came back under the same plan.
    #[serde(default)]
    pub replayed: Option<ReplayedRecord>,
    /// The file with everything that was observed, by its path from the report's directory, if it was kept.
    #[serde(default)]
    pub trace: Option<String>,
}

impl CaseRecord {
    /// The reason to show beside the verdict: why, or else what the first violation saw.
    pub fn reason(&self) -> Option<String> {
        let violation = || {
            let first = self.violations.first()?;
            let more = match self.violations.len() {
                1 => String::new(),
                count => format!(" (and {} more)", count - 1),
            };
            Some(format!("{}: {}{more}", first.requirement, first.actual))
        };
        self.why.clone().or_else(violation)
    }
}

/// What a case found out about one requirement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequirementOutcome {
    /// The requirement's id, such as `WAT-C4`.
    pub id: String,
    /// How binding it is.
    pub level: Level,
    /// What it asks for.
    pub text: String,
    /// What it came to.
    pub verdict: Verdict,
    /// How often its oracle was in a position to fail; zero is vacuous.
    pub judged: u64,
}

/// One violation of one requirement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViolationRecord {
    /// The requirement's id.
    pub requirement: String,
    /// How binding it is.
    pub level: Level,
    /// What it asks for.
    pub text: String,
    /// What should have been.
    pub expected: String,
    /// What was, with the amount where money is concerned.
    pub actual: String,
    /// When it was seen.
    ///
    /// Units: microseconds since the bench started.
    pub at_us: u64,
    /// The entries of the tape that show it.
    pub evidence: Vec<EvidenceLine>,
}

/// One entry of the tape, quoted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceLine {
    /// Its place on the tape.
    pub ordinal: u64,
    /// When it was seen.
    ///
    /// Units: microseconds since the bench started.
    pub at_us: u64,
    /// The party, link or chip where it was seen.
    pub place: String,
    /// Who saw it.
    pub witness: Witness,
    /// What was seen, as it was: no escaping is needed here.
    pub text: String,
}
