//! The verdict lattice.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a run, a case or a requirement came to; the order is from best to worst, and the worst wins.
///
/// Why: nothing but [`Verdict::Pass`] counts as a pass, so each of the others has a name of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every requirement was judged and held.
    Pass,
    /// The conformance statement excludes it.
    Skipped,
    /// It does not hold, and a waiver that is still valid says so.
    Waived,
    /// What its oracle needs could not be observed on this bench.
    Inconclusive,
    /// The system under test broke a requirement.
    Fail,
    /// The suite or the rig is at fault, never the device.
    Broken,
}

impl Verdict {
    /// All verdicts from best to worst.
    pub const ALL: [Self; 6] =
        [Self::Pass, Self::Skipped, Self::Waived, Self::Inconclusive, Self::Fail, Self::Broken];

    /// The worst of them, or nothing if there is none.
    pub fn worst(all: impl IntoIterator<Item = Self>) -> Option<Self> {
        all.into_iter().max()
    }

    /// The word used in records and reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Skipped => "skipped",
            Self::Waived => "waived",
            Self::Inconclusive => "inconclusive",
            Self::Fail => "fail",
            Self::Broken => "broken",
        }
    }

    /// Whether a run with this verdict is to be treated as a failure by a pipeline.
    pub const fn stops_a_pipeline(self) -> bool {
        matches!(self, Self::Inconclusive | Self::Fail | Self::Broken)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_wins() {
        use Verdict::{Broken, Fail, Inconclusive, Pass, Skipped, Waived};
        let ladder = [Pass, Skipped, Waived, Inconclusive, Fail, Broken];
        for (rank, verdict) in ladder.iter().enumerate() {
            assert_eq!(Verdict::worst(ladder[..=rank].iter().rev().copied()), Some(*verdict));
        }
        assert_eq!(Verdict::worst([]), None);
        assert_eq!(ladder, Verdict::ALL);
    }

    #[test]
    fn one_word_serves_records_and_readers() {
        let words = ["pass", "skipped", "waived", "inconclusive", "fail", "broken"];
        for (verdict, word) in Verdict::ALL.into_iter().zip(words) {
            assert_eq!(verdict.to_string(), word);
            assert_eq!(serde_json::to_string(&verdict).unwrap(), format!("\"{word}\""));
            assert_eq!(serde_json::from_str::<Verdict>(&format!("\"{word}\"")).unwrap(), verdict);
        }
        assert!(serde_json::from_str::<Verdict>("\"Pass\"").is_err());
        assert_eq!(format!("{:<6}|", Verdict::Pass), "pass  |");
    }

    #[test]
    fn only_pass_skipped_and_waived_let_a_pipeline_go_on() {
        let stopping: Vec<_> =
            Verdict::ALL.into_iter().filter(|verdict| verdict.stops_a_pipeline()).collect();
        assert_eq!(stopping, [Verdict::Inconclusive, Verdict::Fail, Verdict::Broken]);
    }
}
