//! `assay certify`: a product put through everything that a rig can do with it. The rig checks itself, every case that
//! is for the product runs, single faults strike what crosses its real links, ordinary traffic soaks it, and a
//! certificate says what came of it.

mod explore;
mod runs;
mod soak;
mod wires;

use std::path::PathBuf;
use std::time::Duration;

use assay_reports::write::CERTIFICATE_TXT;
use assay_reports::{
    CaseRecord, RunRecord, Verdict, render_certificate, render_console_case, render_console_failure,
    render_exploration, write_files, write_report,
};
use assay_sim::tabletop::Visit;

use crate::case::Case;
use crate::interrupt::Stop;
use crate::progress::{Progress, sum_up, tell, tell_failures};
use crate::record::{Subject, case_record, skipped_record};
use crate::replay::ReplayWriteError;
use crate::rig_bench::{Bench, RigBench};
use crate::run::{Heading, OutputError, print_record};
use crate::seal::{Seal, Tested};
use crate::stage::StageError;
use crate::trial::{Broken, Design, Run, Trial};
use crate::work::in_slots;

use runs::{Made, Runs};

/// The most instances of a rig at once.
pub const JOBS_MAX: u16 = 16;

/// How many cases are tried for one on which the rig can check itself.
const CHECKS_MAX: usize = 3;

/// A certification that is decided on.
pub struct CertifyPlan {
    /// The cases that are for the rig.
    pub cases: Vec<Case>,
    /// What sits in our seats.
    pub design: Design,
    /// The rig.
    pub rig: RigBench,
    /// Whether nothing narrows it.
    pub campaign: bool,
    /// How long faults are struck.
    pub explore: Duration,
    /// How long the soak takes.
    pub soak: Duration,
    /// How often a failure is run again with the same plan.
    pub replays: u32,
    /// How many instances of the rig work at once.
    pub jobs: usize,
    /// Where the report goes.
    pub out: PathBuf,
    /// For the record.
    pub heading: Heading,
    /// The seal that goes on the report, and what is tested.
    pub seal: (Seal, Tested),
}

/// A case that ran, and what of it the later parts go by.
struct Played {
    case: Case,
    verdict: Verdict,
    violated: Vec<String>,
    visits: Vec<Visit>,
}

/// Carries a certification out, prints as it goes, and writes report and certificate.
///
/// Errors: [`OutputError`].
pub fn certify(plan: &CertifyPlan, stop: &Stop) -> Result<RunRecord, OutputError> {
    let mut record = plan.heading.record();
    record.campaign = plan.campaign;
    let jobs = jobs(plan);
    let runs = Runs::new(plan, jobs, stop);
    self_check(plan);
    let played = cases(&runs, &mut record)?;
    if plan.rig.broken().is_none() && !stop.interrupted() && !plan.explore.is_zero() {
        explore(&runs, &played, &mut record)?;
    }
    let mut soaked = None;
    if plan.rig.broken().is_none() && !stop.interrupted() && !plan.soak.is_zero() {
        soaked = Some(soak::soak(&runs, &played, &mut record)?);
    }
    let open = record.cases.iter().filter(|case| case.verdict.stops_a_pipeline());
    tell_failures(&open.map(render_console_failure).collect::<Vec<_>>());
    record.interrupted = stop.interrupted();
    let mut rig = plan.rig.record(&record);
    rig.soak = soaked;
    record.rig = Some(rig);
    let certificate = render_certificate(&record);
    write_report(&plan.out, &record)?;
    write_files(&plan.out, &[(CERTIFICATE_TXT, certificate.clone())])?;
    sum_up(&format!("\n{certificate}"));
    sum_up(&format!("The report and this certificate are in {}.", plan.out.display()));
    let (seal, tested) = &plan.seal;
    sum_up(&seal.close(&plan.out, &record, tested)?);
    print_record(&record);
    Ok(record)
}

/// How many at once, as far as the rig allows it.
fn jobs(plan: &CertifyPlan) -> usize {
    match plan.rig.alone().filter(|_| plan.jobs > 1) {
        Some(why) => {
            tell(&format!("One run at a time: {why}."));
            1
        }
        None => plan.jobs,
    }
}

/// Has the rig check itself, and says what came of it. What it finds broken every case then says, too.
fn self_check(plan: &CertifyPlan) {
    if plan.rig.is_stepped() {
        return tell(&format!("Self-check: {}.", plan.rig.start_stepped()));
    }
    let bench = Bench::Rig(Box::new(plan.rig.clone()));
    let wanted = plan.cases.iter().filter(|case| bench.skips(case, &plan.design).is_none());
    for case in wanted.take(CHECKS_MAX) {
        let checked = match Trial::new(*case, &plan.design) {
            Ok(trial) => trial.check_bench(&bench),
            Err(error) => Err(Broken::NotReady(error.to_string())),
        };
        match checked {
            // Another case may ask less of the rig.
            Err(Broken::Stage(StageError::Unfit(why))) => tell(&format!("Self-check put off: {why}.")),
            Err(why) => return tell(&format!("Self-check: {why}.")),
            Ok(()) => {
                let found = plan.rig.record(&plan.heading.record()).self_check;
                return tell(&format!("Self-check: {}.", found.join("; ")));
            }
        }
    }
}

/// Runs every case once; a failure is run again and its rate told.
fn cases(runs: &Runs<'_>, record: &mut RunRecord) -> Result<Vec<Played>, ReplayWriteError> {
    let plan = runs.plan;
    let progress = Progress::new(plan.cases.len(), "cases");
    let (mut played, mut first_error) = (Vec::new(), None);
    in_slots(
        runs.jobs,
        &plan.cases,
        runs.stop,
        |slot, case| play(runs, slot, case),
        |at, done| {
            progress.step();
            match done {
                Ok(Some((case, visits))) => {
                    progress.tell_case(&case);
                    let mut violated: Vec<String> =
                        case.violations.iter().map(|violation| violation.requirement.clone()).collect();
                    violated.sort_unstable();
                    violated.dedup();
                    played.push(Played { case: plan.cases[at], verdict: case.verdict, violated, visits });
                    record.cases.push(case);
                }
                Ok(None) => {}
                Err(error) => first_error = first_error.take().or(Some(error)),
            }
        },
    );
    first_error.map_or(Ok(played), Err)
}

fn play(
    runs: &Runs<'_>,
    slot: usize,
    case: &Case,
) -> Result<Option<(CaseRecord, Vec<Visit>)>, ReplayWriteError> {
    let CertifyPlan { design, .. } = runs.plan;
    let bench = runs.bench(slot);
    let subject = Subject { id: case.id.to_owned(), case, design, bench: bench.name(), replay: None };
    if let Some(why) = runs.plan.rig.skips(case, design) {
        return Ok(Some((skipped_record(&subject, why), Vec::new())));
    }
    match Trial::new(*case, design) {
        Ok(trial) => {
            let made = runs.make(slot, &trial, design, case.id.to_owned(), &trial.own)?;
            let Some(mut made) = made else { return Ok(None) };
            crate::run::explain(&mut made.record, bench);
            runs.keep(&mut made, &trial, design, 0)?;
            runs.run_again(slot, &trial, &mut made);
            let Made { record, visits, .. } = made;
            Ok(Some((record, visits)))
        }
        Err(error) => {
            let run = Run { outcome: None, broken: Some(Broken::NotReady(error.to_string())) };
            Ok(Some((case_record(&subject, &assay_sim::fault::FaultPlan::default(), &run), Vec::new())))
        }
    }
}

fn explore(runs: &Runs<'_>, played: &[Played], record: &mut RunRecord) -> Result<(), ReplayWriteError> {
    let (explored, examples) = explore::explore(runs, played)?;
    for explored in &explored {
        tell(&render_exploration(explored));
    }
    record.exploration = explored;
    for example in &examples {
        tell(&render_console_case(example));
    }
    record.cases.extend(examples);
    Ok(())
}
