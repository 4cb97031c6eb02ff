//! Swarms: runs each of which is drawn from one seed: its case, terminals, values of the profile, what it is like on
//! the links, every draw, and the faults that strike.

mod member;
mod ranges;
mod weather;

use std::ops::Range;
use std::path::PathBuf;

use assay_reports::{CaseRecord, RunRecord, Verdict, render_console_failure};
use assay_sim::fault::FaultPlan;
use assay_sim::tape::Keep;

use crate::case::Case;
use crate::interrupt::Stop;
use crate::progress::{Progress, sum_up, tell_failures};
use crate::record::{Subject, case_record};
use crate::replay::{self, Replay, ReplayWriteError};
use crate::rig_bench::Bench;
use crate::run::{Heading, OutputError, conclude};
use crate::stage::StageError;
use crate::trial::{Broken, Design, KEPT, Trial, TrialError, Watch};

use crate::work::in_order;
pub use member::Member;
pub use weather::Weather;

/// The largest seed: what a file can hold.
pub const SEED_MAX: u64 = i64::MAX as u64;

/// The most faults that strike in one run.
pub const FAULTS_MAX: u64 = 4;

/// A swarm that is decided on.
pub struct SwarmPlan {
    /// The cases that are drawn from.
    pub cases: Vec<Case>,
    /// On which benches each run is made.
    pub benches: Vec<Bench>,
    /// What sits in our seats; each run's seed takes the place of its own.
    pub design: Design,
    /// The seeds.
    pub seeds: Range<u64>,
    /// Where the report goes.
    pub out: PathBuf,
    /// For the record.
    pub heading: Heading,
}

/// A range of seeds, written as A..B; `None` if it is none, or goes beyond what a file can hold.
pub fn seeds(text: &str) -> Option<Range<u64>> {
    let (first, end) = text.split_once("..")?;
    let (first, end): (u64, u64) = (first.parse().ok()?, end.parse().ok()?);
    (first < end && end <= SEED_MAX).then_some(first..end)
}

/// One run of a swarm that has been made.
struct Made {
    record: CaseRecord,
    drawn: u64,
}

/// Carries a swarm out, prints what does not pass, and writes the report.
///
/// Errors: [`OutputError`].
pub fn swarm(plan: &SwarmPlan, stop: &Stop) -> Result<RunRecord, OutputError> {
    let mut record = plan.heading.record();
    let (mut failures, mut first_error) = (Vec::new(), None);
    let mut by_faults = vec![0_u64; usize::try_from(FAULTS_MAX + 1).unwrap_or(1)];
    let both = |seed: u64| plan.benches.iter().map(move |bench| (seed, bench));
    let jobs: Vec<(u64, &Bench)> = plan.seeds.clone().flat_map(both).collect();
    let progress = Progress::new(jobs.len(), "runs");
    let work = |(seed, bench): &(u64, &Bench)| run_member(*seed, bench, plan, stop);
    in_order(&jobs, stop, work, |_, made| {
        progress.step();
        match made {
            Ok(Some(Made { record: case, drawn })) => {
                if let Some(count) = usize::try_from(drawn).ok().and_then(|drawn| by_faults.get_mut(drawn)) {
                    *count += 1;
                }
                if case.verdict != Verdict::Pass {
                    progress.tell_case(&case);
                    failures.push(render_console_failure(&case));
                }
                record.cases.push(case);
            }
            Ok(None) => {}
            Err(error) => first_error = first_error.take().or(Some(error)),
        }
    });
    drop(progress);
    if let Some(error) = first_error {
        return Err(error.into());
    }
    tell_failures(&failures);
    let counts: Vec<String> =
        by_faults.iter().enumerate().map(|(faults, runs)| format!("{runs} with {faults}")).collect();
    sum_up(&format!("\nRuns by how many faults were drawn: {}.", counts.join(", ")));
    conclude(record, &plan.out, stop)
}

/// Makes one run; `None` if it was stopped in its middle.
fn run_member(
    seed: u64,
    bench: &Bench,
    plan: &SwarmPlan,
    stop: &Stop,
) -> Result<Option<Made>, ReplayWriteError> {
    let Member { design, trial, plan: faults, drawn, words } =
        match Member::of(seed, &plan.cases, &plan.design, stop) {
            Ok(member) => member,
            Err(error) => return Ok(Some(not_ready(seed, bench, plan, &error))),
        };
    let subject = Subject {
        id: format!("{}, seed {seed}", trial.case.id),
        case: &trial.case,
        design: &design,
        bench: bench.name(),
        replay: None,
    };
    let run = trial.run_on(bench, &faults, Keep::Last(KEPT), stop, Watch::PLAIN);
    if run.broken == Some(Broken::Stage(StageError::Stopped)) {
        return Ok(None);
    }
    let mut record = case_record(&subject, &faults, &run);
    let title = titled(&trial, &words);
    if record.verdict != Verdict::Pass {
        // Once more with the whole tape, for whoever reads the evidence.
        let run = bench.run(&trial, &faults, &Stop::default());
        record = case_record(&subject, &faults, &run);
        let number = usize::try_from(seed).unwrap_or(usize::MAX);
        let file = replay::path(&plan.out, &format!("{}-{}", trial.case.id, bench.name()), number);
        record.replay = Some(replay::command(&file));
        let replay = Replay::of(&record, &trial.case, &design, bench, &faults);
        replay::write(&file, &replay, &mut record, run.tape())?;
    }
    record.title = title;
    Ok(Some(Made { record, drawn }))
}

/// What a run shows, and what was drawn for it.
fn titled(trial: &Trial, words: &[String]) -> String {
    match words {
        [] => trial.case.title.to_owned(),
        words => format!("{}; {}", trial.case.title, words.join("; ")),
    }
}

fn not_ready(seed: u64, bench: &Bench, plan: &SwarmPlan, error: &TrialError) -> Made {
    let case = &plan.cases[0];
    let subject =
        Subject { id: format!("seed {seed}"), case, design: &plan.design, bench: bench.name(), replay: None };
    let run = crate::trial::Run { outcome: None, broken: Some(Broken::NotReady(error.to_string())) };
    Made { record: case_record(&subject, &FaultPlan::default(), &run), drawn: 0 }
}

#[cfg(test)]
mod tests {
    use assay_sim::policy::PolicyName;
    use assay_sim::seed::Seed;

    use super::*;
    use crate::suite;

    #[test]
    fn ranges_of_seeds_are_read_or_refused() {
        assert_eq!(seeds("3..10"), Some(3..10));
        for bad in ["", "3", "10..3", "3..3", "a..b", "0..99999999999999999999", "-1..4", "0..=4"] {
            assert_eq!(seeds(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_seed_decides_everything() {
        let cases: Vec<Case> = suite::cases().into_iter().filter(|case| case.explored).collect();
        let design = Design::new(PolicyName::Hardened, Seed(0));
        let member = |seed| {
            let member = Member::of(seed, &cases, &design, &Stop::default()).unwrap();
            (member.trial.case.id, member.drawn, member.plan.words(), member.words)
        };
        let all: Vec<_> = (0..100).map(member).collect();
        assert_eq!(all, (0..100).map(member).collect::<Vec<_>>());
        for drawn in 0..=FAULTS_MAX {
            assert!(all.iter().any(|(_, count, ..)| *count == drawn), "{drawn}");
        }
        for case in &cases {
            assert!(all.iter().any(|(id, ..)| *id == case.id), "{}", case.id);
        }
    }
}
