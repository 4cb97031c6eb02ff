//! The run record: what a run was, what it found, and nothing that differs when it is run again.
//!
//! Why: wall-clock durations are kept out, so that two runs of one seed leave the same record but for `started`.

mod case;
mod exploration;
mod margin;
mod mutant;
mod rig;
mod standing;
mod trace;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use case::{CaseRecord, EvidenceLine, Level, RequirementOutcome, ViolationRecord, Witness};
pub use exploration::{
    CauseRecord, ExampleRecord, ExplorationRecord, FaultCellRecord, FaultRowRecord, KindRecord,
};
pub use margin::{Disturbance, EdgeRecord, Effect, MarginsRecord, ValueRecord};
pub use mutant::{KillRecord, MutantRecord};
pub use rig::{OverheadRecord, ProductRecord, ReplayedRecord, RigRecord, SoakRecord};
pub use standing::{FailureRecord, HoleRecord, StandingRecord};
pub use trace::{
    Exhibit, LedgerLine, LinkRecord, Medium, SupplyRecord, TRACE_SCHEMA, TimerRecord, TraceEntry, TraceHead,
    TraceKind, TraceRecord,
};

use crate::exit_code;
use crate::verdict::Verdict;

/// The version of the record that this crate writes and reads.
///
/// Why: fields may be added under one version, with a default for older records; anything else takes a new one.
pub const SCHEMA: &str = "assay-run/1";

/// One run of the tool.
///
/// Shape: keys are written in the order of the fields, every key always.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRecord {
    /// [`SCHEMA`].
    pub schema: String,
    /// The version of the tool.
    pub tool: String,
    /// Today's date as the tool read it, once.
    pub started: String,
    /// The command line, word by word.
    pub command: Vec<String>,
    /// The seed of the run.
    pub seed: u64,
    /// Whether the run was stopped before its end.
    pub interrupted: bool,
    /// Whether nothing narrowed the selection, so that a requirement which was never judged is inconclusive.
    #[serde(default)]
    pub campaign: bool,
    /// The cases, in the order of the plan.
    pub cases: Vec<CaseRecord>,
    /// The explorations.
    pub exploration: Vec<ExplorationRecord>,
    /// The kill matrix.
    pub mutants: Vec<MutantRecord>,
    /// How far designs are from where they come to something else.
    #[serde(default)]
    pub margins: Vec<MarginsRecord>,
    /// The waivers that are past their date or waive nothing any more.
    #[serde(default)]
    pub stale_waivers: Vec<StaleWaiverRecord>,
    /// The rig that it ran on, if it ran on one.
    #[serde(default)]
    pub rig: Option<RigRecord>,
    /// How far the campaign has come that it is of, if its runs are kept in a store.
    #[serde(default)]
    pub standing: Option<StandingRecord>,
}

/// A waiver that is past its date or waives nothing any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaleWaiverRecord {
    /// The case that it waives.
    pub case: String,
    /// The bench that it is for.
    pub bench: String,
    /// The reason that was given.
    pub reason: String,
    /// The date until which it holds.
    pub until: String,
}

impl RunRecord {
    /// An empty record of this version; `started` is a date given in by the caller.
    pub fn new(
        tool: impl Into<String>,
        started: impl Into<String>,
        command: impl IntoIterator<Item = impl Into<String>>,
        seed: u64,
    ) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            tool: tool.into(),
            started: started.into(),
            command: command.into_iter().map(Into::into).collect(),
            seed,
            interrupted: false,
            campaign: false,
            cases: Vec::new(),
            exploration: Vec::new(),
            mutants: Vec::new(),
            margins: Vec::new(),
            stale_waivers: Vec::new(),
            rig: None,
            standing: None,
        }
    }

    /// Whether nothing was run.
    pub fn is_empty(&self) -> bool {
        self.cases.is_empty()
            && self.exploration.is_empty()
            && self.mutants.is_empty()
            && self.margins.is_empty()
            && self.standing.is_none()
    }

    /// The cases that say something about the system under test.
    ///
    /// Why: a case against a mutant of the kill matrix is meant to fail; unless it is broken, the matrix speaks for it.
    pub fn judged_cases(&self) -> impl Iterator<Item = &CaseRecord> {
        self.cases.iter().filter(|case| {
            case.verdict == Verdict::Broken
                || !self.mutants.iter().any(|mutant| case.mutant.as_deref() == Some(mutant.name.as_str()))
        })
    }

    /// How many of the judged cases came to each verdict.
    pub fn counts(&self) -> BTreeMap<Verdict, u64> {
        let mut counts = BTreeMap::new();
        for case in self.judged_cases() {
            *counts.entry(case.verdict).or_default() += 1;
        }
        counts
    }

    /// The requirements that no case was ever in a position to see broken, leaving out those skipped or waived.
    pub fn vacuous_requirements(&self) -> Vec<&str> {
        let mut judged: BTreeMap<&str, u64> = BTreeMap::new();
        for outcome in self.judged_cases().flat_map(|case| &case.requirements) {
            if !matches!(outcome.verdict, Verdict::Skipped | Verdict::Waived) {
                let sum = judged.entry(&outcome.id).or_default();
                *sum = sum.saturating_add(outcome.judged);
            }
        }
        judged.into_iter().filter(|(_, sum)| *sum == 0).map(|(id, _)| id).collect()
    }

    /// The worst of everything in the record.
    ///
    /// Why: a run that was interrupted, that ran nothing, or that is a campaign with a vacuous requirement is
    /// inconclusive at best; a mutant that survives is a failure, for it is the suite that is on trial there.
    pub fn verdict(&self) -> Verdict {
        let doubtful =
            self.interrupted || self.is_empty() || (self.campaign && !self.vacuous_requirements().is_empty());
        let survived = self.mutants.iter().any(|mutant| !mutant.killed);
        let cases = self.judged_cases().map(|case| case.verdict);
        let explorations = self.exploration.iter().map(|exploration| exploration.verdict);
        let soak = self.rig.as_ref().and_then(|rig| rig.soak.as_ref()).map(SoakRecord::verdict);
        let standing = self.standing.as_ref().map(StandingRecord::verdict);
        let own =
            [doubtful.then_some(Verdict::Inconclusive), survived.then_some(Verdict::Fail), soak, standing];
        Verdict::worst(cases.chain(explorations).chain(own.into_iter().flatten())).unwrap_or(Verdict::Pass)
    }

    /// The exit code of the run.
    ///
    /// Why: a stale waiver fails the run, so it goes before *inconclusive* and after *fail* and *broken*.
    pub fn exit_code(&self) -> u8 {
        let verdict = self.verdict();
        if self.is_empty() && !self.interrupted {
            exit_code::NOTHING_SELECTED
        } else if !self.stale_waivers.is_empty() && verdict < Verdict::Fail {
            exit_code::STALE_WAIVER
        } else {
            exit_code::of(verdict)
        }
    }
}
