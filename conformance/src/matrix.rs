//! The kill matrix: which case kills which mutant.

use std::collections::BTreeSet;
use std::path::PathBuf;

use assay_reports::{CaseRecord, KillRecord, MutantRecord, RunRecord, render_mutants};
use assay_sim::tape::Keep;

use crate::case::Case;
use crate::explore::{Extent, Space, short, strike};
use crate::interrupt::Stop;
use crate::progress::{Progress, tell};
use crate::record::{Subject, case_record};
use crate::run::{Heading, OutputError, conclude};
use crate::stage::StageError;
use crate::suite::Mutant;
use crate::trial::{Broken, Design, KEPT, Trial};
use crate::work::in_order;

/// How many faults of a kind are struck at each name of a site before the whole space is.
const EACH_FIRST: usize = 2;

/// Mutants that are to be tried.
pub struct MatrixPlan {
    /// The mutants.
    pub mutants: Vec<Mutant>,
    /// The cases that may kill them, of any system.
    pub cases: Vec<Case>,
    /// The reference that each is a mutant of.
    pub design: Design,
    /// Whether every case is run on every mutant, and not only until one kills it.
    pub all: bool,
    /// Where the report goes.
    pub out: PathBuf,
    /// For the record.
    pub heading: Heading,
}

/// What the reference itself does in a case.
struct Baseline {
    case: Case,
    violated: Vec<&'static str>,
    /// How much the case does, which orders the cases.
    entries: u64,
}

/// What one mutant came to.
struct Tried {
    record: MutantRecord,
    /// Its runs that broke.
    broken: Vec<CaseRecord>,
    stopped: bool,
}

/// Tries every mutant, prints what killed each, and writes the report.
///
/// Errors: [`OutputError::Report`].
pub fn mutants(plan: &MatrixPlan, stop: &Stop) -> Result<RunRecord, OutputError> {
    let mut record = plan.heading.record();
    let mut baselines = Vec::new();
    let progress = Progress::new(plan.cases.len(), "the reference");
    in_order(
        &plan.cases,
        stop,
        |case| baseline(case, &plan.design, stop),
        |_, result| {
            progress.step();
            baselines.extend(result);
        },
    );
    drop(progress);
    // Quick cases first; the sort is stable, so equals keep the order of the suite.
    baselines.sort_by_key(|baseline| baseline.entries);
    let progress = Progress::new(plan.mutants.len(), "mutants");
    in_order(
        &plan.mutants,
        stop,
        |mutant| attempt(*mutant, plan, &baselines, stop),
        |_, tried| {
            progress.step();
            if !tried.stopped {
                progress.tell(&line(&tried.record));
                record.mutants.push(tried.record);
                record.cases.extend(tried.broken);
            }
        },
    );
    drop(progress);
    if plan.all {
        tell(&format!("\n{}", render_mutants(&record.mutants)));
    }
    conclude(record, &plan.out, stop)
}

fn line(mutant: &MutantRecord) -> String {
    match mutant.by.split_first() {
        None => format!("survived  {}: {}", mutant.name, mutant.what),
        Some((first, rest)) => {
            let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
            format!("killed    {}: by {} ({}){more}", mutant.name, first.case, first.requirement)
        }
    }
}

fn baseline(case: &Case, design: &Design, stop: &Stop) -> Option<Baseline> {
    let trial = Trial::new(*case, design).ok()?;
    let run = trial.run(&trial.own, Keep::Last(KEPT), stop);
    let entries = run.outcome.as_ref().map_or(0, |outcome| outcome.bench.tape.len());
    // What breaks on the reference can judge nobody.
    run.broken.is_none().then(|| Baseline { case: *case, violated: run.violated(), entries })
}

fn attempt(mutant: Mutant, plan: &MatrixPlan, baselines: &[Baseline], stop: &Stop) -> Tried {
    let design = plan.design.mutated(mutant);
    let mut by: Vec<KillRecord> = Vec::new();
    let mut broken = Vec::new();
    let own = || baselines.iter().filter(|baseline| baseline.case.system == mutant.system);
    for baseline in own() {
        if stop.interrupted() || (!by.is_empty() && !plan.all) {
            break;
        }
        match run_on(baseline, &design, stop) {
            Ok(requirements) => by.extend(requirements.into_iter().map(|id| kill(baseline.case.id, id))),
            Err(record) => broken.extend(record.map(|record| *record)),
        }
    }
    if by.is_empty() {
        by.extend(explore_until_killed(own(), &design, plan, stop));
    }
    let record = MutantRecord {
        name: mutant.name.to_owned(),
        what: mutant.what.to_owned(),
        killed: !by.is_empty(),
        by,
    };
    Tried { record, broken, stopped: stop.interrupted() }
}

fn kill(case: &str, requirement: &str) -> KillRecord {
    KillRecord { case: case.to_owned(), requirement: requirement.to_owned() }
}

/// What a case finds on a mutant and not on the reference; the record of a run that broke, unless it was stopped.
fn run_on(
    baseline: &Baseline,
    design: &Design,
    stop: &Stop,
) -> Result<Vec<&'static str>, Option<Box<CaseRecord>>> {
    let trial = Trial::new(baseline.case, design).map_err(|_| None)?;
    let run = trial.run(&trial.own, Keep::Last(KEPT), stop);
    match &run.broken {
        None => {
            let mut violated = run.violated();
            violated.retain(|requirement| !baseline.violated.contains(requirement));
            Ok(violated)
        }
        Some(Broken::Stage(StageError::Stopped)) => Err(None),
        Some(_) => {
            let subject = Subject {
                id: baseline.case.id.to_owned(),
                case: &baseline.case,
                design,
                bench: "tabletop",
                replay: None,
            };
            Err(Some(Box::new(case_record(&subject, &trial.own, &run))))
        }
    }
}

/// Strikes faults until one shows what the mutant does and the reference does not: a few at each site first, then all.
fn explore_until_killed<'a>(
    baselines: impl Iterator<Item = &'a Baseline>,
    design: &Design,
    plan: &MatrixPlan,
    stop: &Stop,
) -> Option<KillRecord> {
    let mut trials = Vec::new();
    for baseline in baselines.filter(|baseline| baseline.case.explored) {
        let pair = Trial::new(baseline.case, design).ok().zip(Trial::new(baseline.case, &plan.design).ok());
        trials.extend(pair.map(|(mutant, reference)| {
            let space = Space::of(&mutant, stop);
            let first: BTreeSet<usize> = space.pick(Extent::Each(EACH_FIRST)).into_iter().collect();
            (mutant, reference, space, first)
        }));
    }
    for early in [true, false] {
        for (mutant, reference, space, first) in &trials {
            for (at, fault) in space.strikes.iter().enumerate() {
                if stop.interrupted() {
                    return None;
                }
                if first.contains(&at) != early {
                    continue;
                }
                let violated = strike(mutant, fault, stop).violated;
                if violated.is_empty() {
                    continue;
                }
                let known = strike(reference, fault, stop).violated;
                if let Some(requirement) = violated.iter().find(|requirement| !known.contains(requirement)) {
                    return Some(kill(&format!("{} + {}", mutant.case.id, short(fault)), requirement));
                }
            }
        }
    }
    None
}
