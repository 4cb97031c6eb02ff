//! Margins: how late, or how often lost, each message may be before a design comes to something else, and which timer
//! or count of its profile decides where that is.

mod course;
mod search;
mod values;

use std::cell::Cell;
use std::path::PathBuf;

use assay_reports::{EdgeRecord, MarginsRecord, RunRecord, ValueRecord, render_margins};
use assay_sim::tape::Keep;

use crate::case::Case;
use crate::interrupt::Stop;
use crate::progress::{Progress, tell};
use crate::rig_bench::Bench;
use crate::run::{Heading, OutputError, conclude};
use crate::system::System;
use crate::trial::{Design, KEPT, Trial, Watch};
use crate::work::in_order;

use course::Course;
use search::{Ground, LATE_MAX, LOST_MAX, Search, Turned};
use values::{Tunable, Turn};

/// Margins that are to be found.
pub struct MarginsPlan {
    /// The system.
    pub system: System,
    /// Its cases.
    pub cases: Vec<Case>,
    /// On which design.
    pub design: Design,
    /// Where the report goes.
    pub out: PathBuf,
    /// For the record.
    pub heading: Heading,
}

/// A case with everything that its courses are tried on.
struct Laid {
    ground: Ground,
    values: Vec<Tunable>,
    turned: Vec<Turned>,
    /// The changes that alone make something else of the case: the value's name, and how it was changed.
    alone: Vec<(String, &'static str)>,
    courses: Vec<Course>,
}

/// Finds the margins, prints them and writes the report.
///
/// Errors: [`OutputError`].
pub fn margins(plan: &MarginsPlan, stop: &Stop) -> Result<RunRecord, OutputError> {
    let mut record = plan.heading.record();
    let found = find(plan, stop);
    tell(&render_margins(&found));
    record.margins.push(found);
    conclude(record, &plan.out, stop)
}

/// Finds the margins.
fn find(plan: &MarginsPlan, stop: &Stop) -> MarginsRecord {
    let mut laid: Vec<Laid> = Vec::new();
    let progress = Progress::new(plan.cases.len(), "the cases undisturbed");
    in_order(
        &plan.cases,
        stop,
        |case| lay(case, &plan.design, stop),
        |_, result| {
            progress.step();
            laid.extend(result);
        },
    );
    drop(progress);
    let work: Vec<(&Laid, &Course)> =
        laid.iter().flat_map(|laid| laid.courses.iter().map(move |course| (laid, course))).collect();
    let progress = Progress::new(work.len(), "courses of messages");
    let (mut edges, mut runs, mut done) = (Vec::new(), 0, 0);
    in_order(
        &work,
        stop,
        |(laid, course)| search(laid, course, stop),
        |_, (found, made)| {
            progress.step();
            edges.extend(found);
            runs += made;
            done += 1;
        },
    );
    drop(progress);
    MarginsRecord {
        system: plan.system.as_str().to_owned(),
        policy: plan.design.policy.to_string(),
        cases: laid.iter().map(|laid| laid.ground.trial.case.id.to_owned()).collect(),
        runs,
        late_max_us: LATE_MAX.as_us(),
        lost_max: LOST_MAX,
        complete: laid.len() == plan.cases.len() && done == work.len() && !stop.interrupted(),
        values: values(&laid),
        edges,
    }
}

/// The timers and counts that were tried, each as the first case with it declares it.
fn values(laid: &[Laid]) -> Vec<ValueRecord> {
    let mut values: Vec<ValueRecord> = Vec::new();
    for value in laid.iter().flat_map(|laid| &laid.values) {
        if !values.iter().any(|known| known.name == value.name()) {
            values.push(value.record());
        }
    }
    for (name, how) in laid.iter().flat_map(|laid| &laid.alone) {
        let alone = values.iter_mut().filter(|value| value.name == *name).map(|value| &mut value.alone);
        for alone in alone.filter(|alone| !alone.iter().any(|known| known == how)) {
            alone.push((*how).to_owned());
        }
    }
    values
}

/// Runs a case undisturbed, as declared and with each value otherwise; nothing if it does not run as declared.
fn lay(case: &Case, design: &Design, stop: &Stop) -> Option<Laid> {
    let trial = Trial::new(*case, design).ok()?;
    let golden = trial.run_on(&Bench::Tabletop, &trial.own, Keep::Last(KEPT), stop, Watch::VISITS);
    let visits = golden.outcome.map(|outcome| outcome.bench.visits)?;
    let ground = Ground::of(trial, stop)?;
    let courses = Course::all(&visits, &ground.wiring);
    let (profile, sections) = case.declared(&design.profile);
    let values = Tunable::all(&profile, sections);
    let (mut turned, mut alone) = (Vec::new(), Vec::new());
    for (value, turn) in values.iter().flat_map(|value| Turn::BOTH.map(|turn| (value, turn))) {
        // A profile that does not take the value has nothing to say about it.
        let Some(other) = otherwise(case, design, value, turn, stop) else { continue };
        if other.golden == ground.golden {
            turned.push(Turned { name: value.name(), ground: other });
        } else {
            alone.push((value.name(), value.words(turn)));
        }
    }
    Some(Laid { ground, values, turned, alone, courses })
}

/// A case on the design with one value otherwise.
fn otherwise(case: &Case, design: &Design, value: &Tunable, turn: Turn, stop: &Stop) -> Option<Ground> {
    let mut design = design.clone();
    design.profile.overrides = value.turned(turn, &design.profile.overrides)?;
    Ground::of(Trial::new(*case, &design).ok()?, stop)
}

fn search(laid: &Laid, course: &Course, stop: &Stop) -> (Vec<EdgeRecord>, u64) {
    let search = Search { ground: &laid.ground, turned: &laid.turned, course, stop, runs: Cell::new(0) };
    let edges = search.edges();
    (edges, search.runs.get())
}
