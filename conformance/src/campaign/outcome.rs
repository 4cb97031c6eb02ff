//! What one run of a campaign came to, in the few words that are kept of it.

use std::sync::Arc;

use assay_reports::Verdict;
use serde::{Deserialize, Serialize};

use crate::explore::Struck;
use crate::record::{Subject, case_record};
use crate::requirement;
use crate::trial::{Broken, Run};

/// What a run came to: most runs of a campaign come to the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// The requirements violated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub violated: Vec<String>,
    /// Whether the run never came to the site of its last fault.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unreached: bool,
    /// What went wrong on our side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broken: Option<String>,
    /// How a party under test broke the contract of its seat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breach: Option<String>,
    /// Why nothing can be said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inconclusive: Option<String>,
}

impl Outcome {
    /// Reads what [`Outcome::text`] has written.
    ///
    /// Errors: a sentence; it is no such text, or names a requirement that there is not.
    pub fn read(text: &str) -> Result<Self, String> {
        let outcome: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        match outcome.violated.iter().find(|id| requirement::by_id(id).is_none()) {
            Some(id) => Err(format!("it names the requirement `{}`, which there is not", id.escape_debug())),
            None => Ok(outcome),
        }
    }

    /// Itself as one line: equal outcomes have equal lines.
    pub fn text(&self) -> String {
        serde_json::to_string(self).expect("texts and lists of them can be written")
    }

    /// The verdict of the run.
    pub fn verdict(&self) -> Verdict {
        match self {
            Self { broken: Some(_), .. } => Verdict::Broken,
            Self { violated, breach, .. } if !violated.is_empty() || breach.is_some() => Verdict::Fail,
            Self { unreached: true, .. } | Self { inconclusive: Some(_), .. } => Verdict::Inconclusive,
            _ => Verdict::Pass,
        }
    }

    /// What it is listed under, if it does not pass: the requirements violated, or else its verdict and why.
    pub fn listed_as(&self) -> Vec<String> {
        let verdict = self.verdict();
        let why = self.broken.as_ref().or(self.breach.as_ref()).or(self.inconclusive.as_ref());
        match (verdict, why) {
            (Verdict::Pass, _) => Vec::new(),
            (Verdict::Fail, _) if !self.violated.is_empty() => self.violated.clone(),
            (_, Some(why)) => vec![format!("{verdict}, {why}")],
            (_, None) => vec![format!("{verdict}, its last fault never struck")],
        }
    }

    /// What an exploration goes by.
    pub(crate) fn struck(&self) -> Struck {
        let known = |id: &String| requirement::by_id(id).map(|requirement| requirement.id.as_str());
        Struck {
            violated: self.violated.iter().filter_map(known).collect(),
            reached: !self.unreached,
            broken: self.broken.clone().map(Broken::Recorded),
            breach: self.breach.clone(),
            // What is known from a store is told by the store.
            tape: None,
        }
    }
}

/// What is kept of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Came {
    /// The fingerprint of its tape; 0 if there is none.
    pub tape: u128,
    /// What it came to.
    pub outcome: Arc<Outcome>,
}

impl Came {
    /// What an explored run under faults came to.
    pub(crate) fn of_struck(run: &Run, struck: &Struck) -> Self {
        let outcome = Outcome {
            violated: struck.violated.iter().map(|id| (*id).to_owned()).collect(),
            unreached: !struck.reached,
            broken: struck.broken.as_ref().map(ToString::to_string),
            breach: struck.breach.clone(),
            inconclusive: None,
        };
        Self { tape: tape(run), outcome: Arc::new(outcome) }
    }

    /// What a run came to that is judged as a case.
    pub(crate) fn of_case(run: &Run, subject: &Subject<'_>, plan: &assay_sim::fault::FaultPlan) -> Self {
        let record = case_record(subject, plan, run);
        let inconclusive = (record.verdict == Verdict::Inconclusive).then(|| record.why.unwrap_or_default());
        let outcome = Outcome {
            violated: run.violated().into_iter().map(str::to_owned).collect(),
            unreached: false,
            broken: (inconclusive.is_none()).then(|| run.broken.as_ref().map(ToString::to_string)).flatten(),
            breach: run.breach().map(str::to_owned),
            inconclusive,
        };
        Self { tape: tape(run), outcome: Arc::new(outcome) }
    }
}

fn tape(run: &Run) -> u128 {
    run.outcome.as_ref().map_or(0, |outcome| outcome.bench.tape.digest())
}

/// The marks that a run reached: what was judged in it, and what its parties did.
pub(crate) fn marks(run: &Run) -> Vec<Mark<'_>> {
    let outcome = run.outcome.as_ref();
    let judged = outcome.into_iter().flat_map(|outcome| outcome.findings.judged.keys());
    let branches = outcome.into_iter().flat_map(|outcome| &outcome.branches);
    judged.map(|id| Mark::Judged(id)).chain(branches.map(|branch| Mark::Branch(branch))).collect()
}

/// Something that a campaign has to reach before its passing means anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark<'a> {
    /// A requirement was in a position to fail.
    Judged(&'a str),
    /// A party went through a branch of its model.
    Branch(&'a str),
}

impl Mark<'_> {
    /// Its kind and its name, as they are kept.
    pub fn parts(&self) -> (&'static str, &str) {
        match self {
            Self::Judged(id) => ("judged", id),
            Self::Branch(branch) => ("branch", branch),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_is_read_back_and_the_common_one_is_short() {
        assert_eq!(Outcome::default().text(), "{}");
        assert_eq!(Outcome::read("{}"), Ok(Outcome::default()));
        let all = Outcome {
            violated: vec!["WAT-I1".to_owned()],
            unreached: true,
            broken: Some("a \"quoted\"\nline".to_owned()),
            breach: Some("b".to_owned()),
            inconclusive: Some("c".to_owned()),
        };
        assert_eq!(Outcome::read(&all.text()), Ok(all));
        for bad in ["", "7", "{\"violated\":[\"NO-1\"]}", "{\"other\":1}"] {
            assert!(Outcome::read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_worst_of_an_outcome_is_its_verdict() {
        let violated = Outcome { violated: vec!["WAT-I1".to_owned()], ..Outcome::default() };
        let unreached = Outcome { unreached: true, ..Outcome::default() };
        let broken = Outcome { broken: Some(String::new()), ..violated.clone() };
        let verdicts = [&Outcome::default(), &unreached, &violated, &broken].map(Outcome::verdict);
        assert_eq!(verdicts, [Verdict::Pass, Verdict::Inconclusive, Verdict::Fail, Verdict::Broken]);
    }
}
