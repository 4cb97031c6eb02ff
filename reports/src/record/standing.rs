//! How far a campaign has come.

use serde::{Deserialize, Serialize};

use crate::verdict::Verdict;

/// How far a campaign has come, and what its runs came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandingRecord {
    /// What it is, in a few words.
    pub words: String,
    /// What tells it from every other campaign.
    pub id: String,
    /// How many runs it has, as far as they are listed.
    pub runs: u64,
    /// How many of them are there.
    pub done: u64,
    /// The cases whose runs are not listed yet.
    pub unlisted: Vec<String>,
    /// The runs that are not there.
    pub holes: Vec<HoleRecord>,
    /// How many runs came to each verdict, from best to worst.
    pub verdicts: Vec<(Verdict, u64)>,
    /// The failures by requirement and cause.
    pub failures: Vec<FailureRecord>,
    /// What had to be reached and was not, if all runs are there.
    pub unreached: Vec<String>,
    /// The fingerprint of everything that is there.
    pub root: String,
}

/// Runs in a row that are not there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoleRecord {
    /// The unit that they belong to.
    pub unit: u64,
    /// What it is called.
    pub name: String,
    /// The first of them.
    pub first: u64,
    /// The last of them.
    pub last: u64,
}

/// Failures of one cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureRecord {
    /// The requirement violated.
    pub requirement: String,
    /// The cause in words.
    pub cause: String,
    /// How many runs it explains.
    pub count: u64,
    /// The first of them, as unit and number.
    pub first: String,
}

impl StandingRecord {
    /// Whether every run is there.
    pub fn is_whole(&self) -> bool {
        self.unlisted.is_empty() && self.done == self.runs
    }

    /// What all of it comes to.
    ///
    /// Why: what is not there, and what was never in a position to fail, may hide anything.
    pub fn verdict(&self) -> Verdict {
        let doubtful = !self.is_whole() || !self.unreached.is_empty() || self.runs == 0;
        let runs = self.verdicts.iter().filter(|(_, count)| *count > 0).map(|(verdict, _)| *verdict);
        Verdict::worst(runs.chain(doubtful.then_some(Verdict::Inconclusive))).unwrap_or(Verdict::Inconclusive)
    }
}
