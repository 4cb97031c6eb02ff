//! Single runs of a certification: each in a slot of the rig, its failures kept as replay files and run again.

use std::sync::atomic::{AtomicUsize, Ordering};

use assay_reports::{CaseRecord, ReplayedRecord, Verdict};
use assay_sim::fault::FaultPlan;
use assay_sim::tabletop::Visit;
use assay_sim::tape::Keep;

use super::CertifyPlan;
use crate::interrupt::Stop;
use crate::listed::{self, Listed};
use crate::outcome::Recording;
use crate::record::{Subject, case_record};
use crate::replay::{self, Replay, ReplayWriteError};
use crate::rig_bench::Bench;
use crate::run::command;
use crate::stage::StageError;
use crate::trial::{Broken, Design, KEPT, Trial, Watch};

/// How many failures of one certification are run again; of more, the rate is not known.
const RUN_AGAIN_MAX: usize = 50;

/// What makes the runs of a certification.
pub(super) struct Runs<'a> {
    pub(super) plan: &'a CertifyPlan,
    pub(super) jobs: usize,
    pub(super) stop: &'a Stop,
    benches: Vec<Bench>,
    run_again: AtomicUsize,
}

/// A run that has been made.
pub(super) struct Made {
    pub(super) record: CaseRecord,
    pub(super) visits: Vec<Visit>,
    /// The planned faults that struck nothing, by their place in the plan.
    pub(super) not_reached: Vec<usize>,
    pub(super) plan: FaultPlan,
    /// Whether it went well and nothing was judged in it: a fault has kept everything from happening.
    pub(super) idle: bool,
    /// What was observed, of a run that is no pass.
    tape: Option<Box<dyn Recording>>,
}

impl<'a> Runs<'a> {
    pub(super) fn new(plan: &'a CertifyPlan, jobs: usize, stop: &'a Stop) -> Self {
        let bench = |slot| match jobs {
            // Where the product is stepped, time is computed.
            _ if plan.rig.is_stepped() => Bench::Tabletop,
            1 => Bench::Rig(Box::new(plan.rig.clone())),
            _ => Bench::Rig(Box::new(plan.rig.in_slot(slot))),
        };
        let benches = (0..jobs.max(1)).map(bench).collect();
        Self { plan, jobs, stop, benches, run_again: AtomicUsize::new(0) }
    }

    /// The rig in this slot.
    pub(super) fn bench(&self, slot: usize) -> &Bench {
        &self.benches[slot]
    }

    /// Makes one run; `None` if it was stopped in its middle.
    pub(super) fn make(
        &self,
        slot: usize,
        trial: &Trial,
        design: &Design,
        id: String,
        plan: &FaultPlan,
    ) -> Result<Option<Made>, ReplayWriteError> {
        let bench = self.bench(slot);
        let run = trial.run_on(bench, plan, Keep::All, self.stop, Watch::VISITS);
        if run.broken == Some(Broken::Stage(StageError::Stopped)) {
            return Ok(None);
        }
        let replay = Some(command(&trial.case, design, bench));
        let subject = Subject { id, case: &trial.case, design, bench: bench.name(), replay };
        let record = case_record(&subject, plan, &run);
        let well = run.broken.is_none()
            && run.outcome.as_ref().is_some_and(|outcome| outcome.bench.noticed.troubles.is_empty());
        let idle = well && record.verdict == Verdict::Inconclusive;
        let (mut visits, mut not_reached, mut tape) = (Vec::new(), Vec::new(), None);
        if let Some(outcome) = run.outcome {
            (visits, not_reached) = (outcome.bench.visits, outcome.bench.not_reached);
            tape = (record.verdict != Verdict::Pass).then_some(outcome.bench.tape);
        }
        Ok(Some(Made { record, visits, not_reached, plan: plan.clone(), idle, tape }))
    }

    /// Writes the replay file of a run that is no pass; `number` tells it from others of the case.
    pub(super) fn keep(
        &self,
        made: &mut Made,
        trial: &Trial,
        design: &Design,
        number: usize,
    ) -> Result<(), ReplayWriteError> {
        if made.record.verdict == Verdict::Pass {
            return Ok(());
        }
        let file = replay::path(&self.plan.out, trial.case.id, number);
        made.record.replay = Some(replay::command(&file));
        let replay = Replay::of(&made.record, &trial.case, design, self.bench(0), &made.plan);
        replay::write(&file, &replay, &mut made.record, made.tape.as_deref())
    }

    /// Lists the runs of a case with one fault more, so that whoever checks the certificate can make each again.
    pub(super) fn list(
        &self,
        trial: &Trial,
        runs: impl Iterator<Item = Listed>,
    ) -> Result<(), ReplayWriteError> {
        let (design, case) = (&self.plan.design, &trial.case);
        let run = self.bench(0).run(trial, &trial.own, &Stop::default());
        let subject =
            Subject { id: case.id.to_owned(), case, design, bench: self.bench(0).name(), replay: None };
        let record = case_record(&subject, &trial.own, &run);
        let base = Replay::of(&record, case, design, self.bench(0), &trial.own);
        listed::write(&self.plan.out, &base, &record, runs)
    }

    /// Runs a failure again with the same plan, and notes how often it comes back. It stays a failure.
    pub(super) fn run_again(&self, slot: usize, trial: &Trial, made: &mut Made) {
        if made.record.verdict != Verdict::Fail
            || self.plan.replays == 0
            || self.run_again.fetch_add(1, Ordering::Relaxed) >= RUN_AGAIN_MAX
        {
            return;
        }
        let mut replayed = ReplayedRecord::default();
        for _ in 0..self.plan.replays {
            let run = trial.run_on(self.bench(slot), &made.plan, Keep::Last(KEPT), self.stop, Watch::PLAIN);
            if run.broken.is_some() {
                // It says nothing about the product: the rig broke, or somebody wants to stop.
                break;
            }
            replayed.runs += 1;
            for requirement in run.violated() {
                *replayed.again.entry(requirement.to_owned()).or_default() += 1;
            }
        }
        made.record.replayed = Some(replayed);
    }
}
