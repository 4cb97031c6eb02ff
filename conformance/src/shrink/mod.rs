//! From a failing run to the smallest that still fails the same requirement: as a file, in words, and as a Rust test.

mod plan;
mod simpler;
mod test_text;
mod words;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use assay_reports::CaseRecord;
use assay_sim::fault::FaultPlan;
use assay_sim::tape::Keep;
use assay_sim::time::{Instant, Span};
use thiserror::Error;

use crate::interrupt::Stop;
use crate::replay::{self, Replay, ReplayWriteError};
use crate::trial::{Design, KEPT, Run, Trial, Watch};

pub use plan::shrink;

/// Why a run cannot be shrunk.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ShrinkError {
    /// It is a run on a rig, which no two runs of are the same.
    #[error("a run on a rig does not repeat, so it cannot be shrunk; put `tabletop` for its `bench`")]
    Rig,
    /// It violates nothing.
    #[error("the run violates no requirement now, so there is nothing to shrink")]
    Passes,
    /// It does not violate this.
    #[error("the run does not violate {requirement} now; it violates {violates}")]
    NotViolated {
        /// What was asked for.
        requirement: String,
        /// What it violates.
        violates: String,
    },
    /// The case cannot be run.
    #[error("{0}")]
    NotReady(String),
    /// It was told to stop.
    #[error("stopped before the smallest run was found")]
    Stopped,
}

/// The smallest run that was found.
pub struct Shrunk {
    /// The run.
    pub replay: Replay,
    /// The requirement that it violates.
    pub requirement: String,
    /// What it came to.
    pub record: CaseRecord,
    /// What it fails with, in one sentence.
    pub words: String,
    /// How many runs it took.
    pub runs: u64,
    run: Run,
}

/// A run that is being made smaller.
struct Shrinking<'a> {
    replay: &'a Replay,
    requirement: &'a str,
    stop: &'a Stop,
    /// The case with so many terminals, made ready once.
    trials: BTreeMap<usize, Trial>,
    runs: u64,
}

impl Shrinking<'_> {
    fn design(&self, terminals: usize) -> Design {
        Design { terminals: Some(terminals), ..self.replay.design.clone() }
    }

    /// The case with so many terminals; nothing if it cannot have as few.
    fn trial(&mut self, terminals: usize) -> Option<Trial> {
        if !self.trials.contains_key(&terminals) {
            let trial = Trial::new(self.replay.case, &self.design(terminals)).ok()?;
            self.trials.insert(terminals, trial);
        }
        self.trials.get(&terminals).cloned()
    }

    fn run(&mut self, terminals: usize, plan: &FaultPlan, until: Option<Instant>, keep: Keep) -> Option<Run> {
        if self.stop.due() {
            return None;
        }
        let trial = self.trial(terminals)?;
        trial.check(&self.replay.bench, plan).ok()?;
        self.runs += 1;
        let watch = Watch { until, ..Watch::PLAIN };
        Some(trial.run_on(&self.replay.bench, plan, keep, self.stop, watch))
    }

    /// Whether the requirement is still violated.
    fn fails(&mut self, terminals: usize, plan: &FaultPlan, until: Option<Instant>) -> bool {
        let run = self.run(terminals, plan, until, Keep::Last(KEPT));
        run.is_some_and(|run| run.broken.is_none() && run.violated().contains(&self.requirement))
    }

    /// Fewer parties, then fewer and simpler faults, until nothing changes; then an earlier end.
    fn smallest(&mut self, mut terminals: usize) -> (usize, FaultPlan, Option<Instant>) {
        let mut plan = self.replay.plan.clone();
        loop {
            let before = (terminals, plan.clone());
            if let Some(fewer) = (1..terminals).find(|fewer| self.fails(*fewer, &plan, None)) {
                terminals = fewer;
            }
            let wiring =
                self.trial(terminals).and_then(|trial| trial.wiring_under(&plan).ok()).unwrap_or_default();
            plan = shrink(
                &plan,
                |strike| simpler::simpler(strike, &wiring),
                |tried| self.fails(terminals, tried, None),
            );
            if before == (terminals, plan.clone()) {
                break;
            }
        }
        let until = self.earlier_end(terminals, &plan);
        (terminals, plan, until)
    }

    /// The whole second by which the violation is certain, if that is before the end.
    fn earlier_end(&mut self, terminals: usize, plan: &FaultPlan) -> Option<Instant> {
        let run = self.run(terminals, plan, None, Keep::Last(KEPT))?;
        let outcome = run.outcome?;
        let found = |violation: &&crate::finding::Violation| violation.requirement == self.requirement;
        let at = outcome.findings.violations.iter().find(found)?.at;
        let second = Span::s(1).as_us();
        let until = Instant::from_us(at.as_us().div_ceil(second).saturating_mul(second).max(second));
        (until < outcome.bench.now && self.fails(terminals, plan, Some(until))).then_some(until)
    }
}

/// Makes a failing run as small as it can be made: fewer parties, fewer faults, simpler faults, an earlier end.
///
/// The requirement is one that the run violates; without one, the first.
///
/// Errors: [`ShrinkError`].
pub fn smallest(replay: &Replay, requirement: Option<&str>, stop: &Stop) -> Result<Shrunk, ShrinkError> {
    if !replay.bench.repeats() {
        return Err(ShrinkError::Rig);
    }
    let not_ready = |error: &dyn std::fmt::Display| ShrinkError::NotReady(error.to_string());
    let trial = Trial::new(replay.case, &replay.design).map_err(|error| not_ready(&error))?;
    let watch = Watch { until: replay.until, ..Watch::PLAIN };
    let run = trial.run_on(&replay.bench, &replay.plan, Keep::Last(KEPT), stop, watch);
    if let Some(broken) = &run.broken {
        return Err(if stop.due() { ShrinkError::Stopped } else { not_ready(broken) });
    }
    let violated = run.violated();
    let requirement = match requirement {
        _ if violated.is_empty() => return Err(ShrinkError::Passes),
        None => violated[0],
        Some(wanted) => violated.iter().copied().find(|id| *id == wanted).ok_or_else(|| {
            ShrinkError::NotViolated { requirement: wanted.to_owned(), violates: violated.join(", ") }
        })?,
    };
    let terminals = trial.terminals();
    let trials = BTreeMap::from([(terminals, trial)]);
    let mut shrinking = Shrinking { replay, requirement, stop, trials, runs: 1 };
    let (terminals, plan, until) = shrinking.smallest(terminals);
    shrinking.conclude(terminals, plan, until)
}

impl Shrinking<'_> {
    fn conclude(
        mut self,
        terminals: usize,
        plan: FaultPlan,
        until: Option<Instant>,
    ) -> Result<Shrunk, ShrinkError> {
        let run = self.run(terminals, &plan, until, Keep::All).ok_or(ShrinkError::Stopped)?;
        let own = self.trials.values().next_back().map(Trial::terminals);
        let replay = self.replay;
        let mut design = replay.design.clone();
        if design.terminals.is_some() || own != Some(terminals) {
            design.terminals = Some(terminals);
        }
        let small = Replay { design, plan, until, ..replay.clone() };
        let record = small.record("FILE", &run);
        let small =
            Replay { until, ..Replay::of(&record, &small.case, &small.design, &small.bench, &small.plan) };
        let wiring = self.trial(terminals).and_then(|trial| trial.wiring_under(&small.plan).ok());
        let struck = run.outcome.as_ref().map(|outcome| outcome.bench.tape.struck()).unwrap_or_default();
        let words = words::sentence(self.requirement, &small.plan, &struck, &wiring.unwrap_or_default());
        Ok(Shrunk {
            replay: small,
            requirement: self.requirement.to_owned(),
            record,
            words,
            runs: self.runs,
            run,
        })
    }
}

impl Shrunk {
    /// A Rust test that runs it, for a design that has since been mended.
    ///
    /// Errors: none for what the tool itself records.
    pub fn render_test(&self) -> Result<String, toml::ser::Error> {
        test_text::render(self)
    }

    /// Writes it beside the file that it was shrunk from, or into a directory: the replay file and the Rust test.
    ///
    /// Errors: [`ReplayWriteError`].
    pub fn write(&mut self, from: &Path, out: Option<&Path>) -> Result<[PathBuf; 2], ReplayWriteError> {
        let stem = from.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let stem = stem.strip_suffix(".shrunk").unwrap_or(&stem);
        let dir = out.or(from.parent()).unwrap_or(Path::new(""));
        let [file, test] = ["toml", "rs"].map(|ending| dir.join(format!("{stem}.shrunk.{ending}")));
        self.record.replay = Some(replay::command(&file));
        replay::write(&file, &self.replay, &mut self.record, self.run.tape())?;
        let refuse = |why: String| ReplayWriteError { file: test.clone(), why };
        let text = self.render_test().map_err(|error| refuse(error.to_string()))?;
        std::fs::write(&test, text).map_err(|error| refuse(error.to_string()))?;
        Ok([file, test])
    }
}
