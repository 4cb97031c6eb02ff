//! Cases run side by side, their records in the order of the suite, and the report of it all.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use assay_hil::lockstep::Lockstep;
use assay_reports::text::counted;
use assay_reports::write::INDEX_HTML;
use assay_reports::{
    CaseRecord, RunRecord, Verdict, WriteError, render_console_failure, render_console_summary,
    render_exploration, render_json, write_files, write_report,
};
use assay_sim::fault::FaultPlan;
use assay_sim::policy::PolicyName;
use thiserror::Error;

use crate::campaign::{CampaignPlan, Keeper, Mode, Shard, Store, StoreError};
use crate::case::Case;
use crate::explore::{Exploration, Explored, Extent, PairExploration};
use crate::interrupt::Stop;
use crate::names::shell_word;
use crate::progress::{Progress, say, sum_up, tell, tell_failures, tells_json};
use crate::record::{Subject, case_record, skipped_record};
use crate::replay::{self, Replay, ReplayWriteError};
use crate::rig_bench::Bench;
use crate::seal::{Seal, SealError, Tested};
use crate::stage::StageError;
use crate::trial::{Broken, Design, Run, Trial};
use crate::work::{in_order, one_by_one};

/// How many faults of a kind `run` strikes at each name of a site when it looks for a design's holes.
pub const EACH: usize = 12;

/// How many faults of the space of each explored case `run` draws and strikes in the world.
pub const DRAWN: usize = 40;

/// What goes into the head of a record.
#[derive(Clone, Debug)]
pub struct Heading {
    /// Today's date.
    pub started: String,
    /// The command line, word by word.
    pub command: Vec<String>,
    /// The seed.
    pub seed: u64,
}

impl Heading {
    /// A record with nothing in it yet.
    pub fn record(&self) -> RunRecord {
        RunRecord::new(env!("CARGO_PKG_VERSION"), self.started.clone(), self.command.clone(), self.seed)
    }
}

/// Cases of one system on one design.
#[derive(Clone)]
pub struct Batch {
    /// The design.
    pub design: Design,
    /// The cases.
    pub cases: Vec<Case>,
    /// On which benches the explored ones among them are explored too, and how far.
    pub explored: Vec<(Bench, Extent)>,
}

/// A run that is decided on.
pub struct RunPlan {
    /// What to run.
    pub batches: Vec<Batch>,
    /// On which benches, one after the other.
    pub benches: Vec<Bench>,
    /// Whether nothing narrows it.
    pub campaign: bool,
    /// Where the report goes.
    pub out: PathBuf,
    /// For the record.
    pub heading: Heading,
    /// The seal that goes on the report, if one does, with what is tested.
    pub seal: Option<(Seal, Tested)>,
}

/// What a tool's work can end in, other than a record.
#[derive(Debug, Error)]
pub enum OutputError {
    /// The report.
    #[error(transparent)]
    Report(#[from] WriteError),
    /// A replay file.
    #[error(transparent)]
    Replay(#[from] ReplayWriteError),
    /// The store of an exploration.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The seal of the report.
    #[error(transparent)]
    Seal(#[from] SealError),
}

/// Whether `run` explores on a design by itself.
///
/// Why: whoever runs a design with flaws wants its holes found without saying where they are.
pub fn explores_by_itself(design: &Design) -> bool {
    design.policy != PolicyName::Hardened || design.mutant.is_some()
}

/// Carries a run out, prints as it goes, and writes the report.
///
/// Errors: [`OutputError`].
pub fn run(plan: &RunPlan, stop: &Stop) -> Result<RunRecord, OutputError> {
    let mut record = plan.heading.record();
    record.campaign = plan.campaign;
    let (mut failures, mut first_error) = (Vec::new(), None::<ReplayWriteError>);
    let cases = || plan.batches.iter().flat_map(|batch| batch.cases.iter().map(|case| (&batch.design, case)));
    let jobs: Vec<(&Design, &Case, &Bench)> = plan
        .benches
        .iter()
        .flat_map(|bench| cases().map(move |(design, case)| (design, case, bench)))
        .filter(|(_, case, bench)| bench.takes(case))
        .collect();
    let progress = Progress::new(jobs.len(), "cases");
    let work = |(design, case, bench): &(&Design, &Case, &Bench)| {
        let made = run_case(case, design, bench, &plan.out, stop)?;
        if plan.seal.is_some()
            && let Some(record) = &made
        {
            keep_passing(record, case, design, bench, &plan.out)?;
        }
        Ok(made)
    };
    let sink = |_, done| {
        progress.step();
        match done {
            Ok(Some(case)) => keep(case, &mut record, &mut failures, &progress),
            Ok(None) => {}
            Err(error) => first_error = first_error.take().or(Some(error)),
        }
    };
    if plan.benches.iter().all(Bench::repeats) {
        in_order(&jobs, stop, work, sink);
    } else {
        // There is one set of ports.
        one_by_one(&jobs, stop, work, sink);
    }
    drop(progress);
    if let Some(error) = first_error {
        return Err(error.into());
    }
    for batch in &plan.batches {
        for explored in explore_batch(batch, &plan.out, plan.seal.is_some(), stop)? {
            for example in explored.examples {
                keep(example, &mut record, &mut failures, &Progress::none());
            }
            record.exploration.push(explored.record);
        }
    }
    tell_failures(&failures);
    record.rig = plan.benches.iter().find_map(Bench::rig).map(|rig| rig.record(&record));
    let record = conclude(record, &plan.out, stop)?;
    if let Some((seal, tested)) = &plan.seal {
        sum_up(&seal.close(&plan.out, &record, tested)?);
    }
    Ok(record)
}

/// Writes the replay file of a simulated run that has passed, so that whoever checks the report can make it again.
fn keep_passing(
    record: &CaseRecord,
    case: &Case,
    design: &Design,
    bench: &Bench,
    out: &Path,
) -> Result<(), ReplayWriteError> {
    if record.verdict != Verdict::Pass || !bench.repeats() {
        return Ok(());
    }
    let Ok(trial) = Trial::new(*case, design) else { return Ok(()) };
    let replay = Replay::of(record, case, design, bench, &trial.own);
    replay::write(&replay::path_on(out, bench, case.id, 0), &replay, &mut record.clone(), None)
}

fn keep(case: CaseRecord, record: &mut RunRecord, failures: &mut Vec<String>, progress: &Progress) {
    progress.tell_case(&case);
    if case.verdict.stops_a_pipeline() {
        failures.push(render_console_failure(&case));
    }
    record.cases.push(case);
}

fn explore_batch(
    batch: &Batch,
    out: &Path,
    listed: bool,
    stop: &Stop,
) -> Result<Vec<Explored>, ReplayWriteError> {
    explore_cases(batch, out, None, listed, stop, |_| {})
}

/// Explores the explored ones among a batch's cases on its benches, one after the other, each over all cores; `told`
/// has each as it ends. With a keeper there is one bench, and the cases are its units. What is `listed` can be made
/// again.
///
/// Errors: a replay file that cannot be written.
pub fn explore_cases(
    batch: &Batch,
    out: &Path,
    keeper: Option<&Keeper>,
    listed: bool,
    stop: &Stop,
    told: impl Fn(&Explored),
) -> Result<Vec<Explored>, ReplayWriteError> {
    let Batch { design, cases, explored } = batch;
    let (mut all, mut written) = (Vec::new(), BTreeMap::<&str, usize>::new());
    let explored_cases = || cases.iter().filter(|case| case.explored);
    for ((case, unit), (bench, extent)) in
        explored.iter().flat_map(|how| explored_cases().zip(0..).map(move |case| (case, how)))
    {
        // A budget that is spent leaves a record of what was not covered.
        if stop.interrupted() || keeper.is_some_and(Keeper::halted) {
            break;
        }
        let explored = match Trial::new(*case, design) {
            Ok(trial) => {
                let first_number = written.get(case.id).copied().unwrap_or_default();
                let out = out.to_owned();
                let extent = *extent;
                let kept = keeper.map(|keeper| keeper.unit(unit, false));
                Exploration { trial: &trial, design, bench, extent, out, first_number, kept, listed }
                    .carry_out(stop)?
            }
            Err(error) => Explored::broken(case, design, bench, error.to_string()),
        };
        *written.entry(case.id).or_default() += explored.replays;
        told(&explored);
        all.push(explored);
    }
    Ok(all)
}

/// Explores the explored ones among a batch's cases with two faults a run, one case after the other; `told` has each as
/// it ends.
///
/// Errors: a replay file that cannot be written.
pub fn explore_pairs(
    batch: &Batch,
    merge: bool,
    out: &Path,
    keeper: Option<&Keeper>,
    stop: &Stop,
    told: impl Fn(&Explored),
) -> Result<Vec<Explored>, ReplayWriteError> {
    let Batch { design, cases, .. } = batch;
    let mut all = Vec::new();
    for (case, nth) in cases.iter().filter(|case| case.explored).zip(0..) {
        if stop.interrupted() || keeper.is_some_and(Keeper::halted) {
            break;
        }
        let explored = match Trial::new(*case, design) {
            Ok(trial) => {
                let (out, kept) = (out.to_owned(), keeper.map(|keeper| (keeper, nth)));
                PairExploration { trial: &trial, design, out, first_number: 0, merge, kept }
                    .carry_out(stop)?
            }
            Err(error) => Explored::broken(case, design, &Bench::Tabletop, error.to_string()),
        };
        told(&explored);
        all.push(explored);
    }
    Ok(all)
}

/// Runs one case; `None` if it was stopped in its middle.
///
/// Errors: the replay file of a failure cannot be written.
pub fn run_case(
    case: &Case,
    design: &Design,
    bench: &Bench,
    out: &Path,
    stop: &Stop,
) -> Result<Option<CaseRecord>, ReplayWriteError> {
    if let Some(why) = bench.skips(case, design) {
        let subject = Subject { id: case.id.to_owned(), case, design, bench: bench.name(), replay: None };
        return Ok(Some(skipped_record(&subject, why)));
    }
    let (plan, run) = match Trial::new(*case, design) {
        Ok(trial) => (trial.own.clone(), bench.run(&trial, &trial.own, stop)),
        Err(error) => {
            let broken = Some(Broken::NotReady(error.to_string()));
            (FaultPlan::default(), Run { outcome: None, broken })
        }
    };
    if run.broken == Some(Broken::Stage(StageError::Stopped)) {
        return Ok(None);
    }
    let subject = Subject {
        id: case.id.to_owned(),
        case,
        design,
        bench: bench.name(),
        replay: Some(command(case, design, bench)),
    };
    let mut record = case_record(&subject, &plan, &run);
    explain(&mut record, bench);
    if record.verdict != Verdict::Pass {
        let file = replay::path_on(out, bench, case.id, 0);
        record.replay = Some(replay::command(&file));
        let replay = Replay::of(&record, case, design, bench, &plan);
        replay::write(&file, &replay, &mut record, run.tape())?;
    }
    Ok(Some(record))
}

/// Says what would make conclusive what was not judged.
pub(crate) fn explain(record: &mut CaseRecord, bench: &Bench) {
    let unjudged = record.requirements.iter().filter(|outcome| outcome.judged == 0);
    let lacks: Vec<String> = unjudged.filter_map(|outcome| bench.lacks(&outcome.id)).collect();
    let parts: Vec<String> = record.why.take().into_iter().chain(lacks).collect();
    record.why = (!parts.is_empty()).then(|| parts.join("; "));
    if bench.is_real() && !record.sites_not_reached.is_empty() {
        // What the case is about may not have happened, so that its pass would mean nothing.
        record.verdict = record.verdict.max(Verdict::Inconclusive);
        let sites = record.sites_not_reached.join(", ");
        let what = format!("planned and not struck, as a real party's inside is out of reach: {sites}");
        record.why = Some(record.why.take().map_or(what.clone(), |why| format!("{why}; {what}")));
    }
}

/// The command that runs a case by itself.
pub(crate) fn command(case: &Case, design: &Design, bench: &Bench) -> String {
    let mut command = format!("assay run {}", shell_word(case.id));
    if !matches!(bench, Bench::Tabletop) {
        command += &format!(" --bench {}", shell_word(bench.name()));
    }
    if design.policy != PolicyName::Hardened {
        command += &format!(" --policy {}", design.policy);
    }
    if design.seed.0 != 0 {
        command += &format!(" --seed {}", design.seed.0);
    }
    if let Some(program) = design.lockstep.as_ref().map(Lockstep::program) {
        command += &format!(" --terminal {}", shell_word(&program.to_string()));
        if program.restart_in_place {
            command += " --restart-in-place";
        }
    }
    if let Some(file) = &design.profile.file {
        command += &format!(" --profile {}", shell_word(file));
    }
    command
}

/// Prints the summary and writes the report.
///
/// Errors: [`OutputError::Report`].
pub fn conclude(mut record: RunRecord, out: &Path, stop: &Stop) -> Result<RunRecord, OutputError> {
    record.interrupted = stop.interrupted();
    sum_up(&format!("\n{}", render_console_summary(&record)));
    if !record.is_empty() || record.interrupted {
        write_report(out, &record)?;
        sum_up(&format!("The report is in {}: open {INDEX_HTML}.", out.display()));
    }
    print_record(&record);
    Ok(record)
}

/// Prints the record, where nothing else is printed.
pub fn print_record(record: &RunRecord) {
    if tells_json() {
        say(&render_json(record));
    }
}

/// How many faults strike in a run of an exploration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// One.
    Single,
    /// A second one after the first, on the tabletop.
    Pairs {
        /// Whether schedules that lead to the same state are struck once.
        merge: bool,
    },
}

/// Explorations that are decided on.
pub struct ExplorePlan {
    /// What to explore.
    pub batches: Vec<Batch>,
    /// How many faults strike in a run.
    pub depth: Depth,
    /// Where the report goes.
    pub out: PathBuf,
    /// For the record.
    pub heading: Heading,
    /// The same as a campaign, if it is one: its runs are kept in a store of this name in the report's directory.
    pub kept: Option<Box<CampaignPlan>>,
    /// Whether the runs are taken over that the store has.
    pub resume: bool,
}

/// The name of the store in a report's directory.
pub const STORE: &str = "explore.db";

impl ExplorePlan {
    /// The keeper of its runs.
    fn keeper(&self) -> Result<Option<Keeper>, OutputError> {
        let Some(campaign) = &self.kept else { return Ok(None) };
        let file = self.out.join(STORE);
        if !self.resume {
            // What the report before it was made of goes with that report.
            for part in ["", "-wal", "-journal"] {
                let _ = fs::remove_file(self.out.join(format!("{STORE}{part}")));
            }
        }
        write_files(&self.out, &[])?;
        let store = Store::begin(&file, campaign.id(), &campaign.about())?;
        let there: u64 = store.done()?.values().sum();
        if self.resume {
            say(&format!("{} are there from before, in {}.", counted(there, "run"), file.display()));
        }
        Ok(Some(Keeper::new(store, Mode::Record, Shard::WHOLE)?))
    }
}

/// Carries explorations out, prints each as it ends, and writes the report.
///
/// Errors: [`OutputError`].
pub fn explore(plan: &ExplorePlan, stop: &Stop) -> Result<RunRecord, OutputError> {
    let mut record = plan.heading.record();
    let keeper = plan.keeper()?;
    for batch in &plan.batches {
        let told = |explored: &Explored| {
            tell(&render_exploration(&explored.record));
            if !explored.not_reached.is_empty() {
                tell(
                    "These faults were planned at sites of the golden run that their own runs did not reach:",
                );
                for strike in &explored.not_reached {
                    tell(&format!("  - {strike}"));
                }
            }
        };
        let all = match plan.depth {
            Depth::Single => explore_cases(batch, &plan.out, keeper.as_ref(), false, stop, told)?,
            Depth::Pairs { merge } => explore_pairs(batch, merge, &plan.out, keeper.as_ref(), stop, told)?,
        };
        record.exploration.extend(all.into_iter().map(|explored| explored.record));
    }
    keeper.map(Keeper::finish).transpose()?;
    conclude(record, &plan.out, stop)
}
