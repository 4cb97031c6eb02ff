//! `assay replay` and `assay shrink`: a run of a file again, there or elsewhere, whole or as small as it can be.

use std::path::Path;

use assay_reports::{exit_code, render_console_case, render_console_failure};
use assay_sim::world::TICK;

use super::ended;
use super::job::ReplayPlan;
use crate::differential::{Comparison, compare, render_side_by_side, run_on_tabletop};
use crate::interrupt::Stop;
use crate::progress::{say, say_error};
use crate::replay::Replay;
use crate::rig_bench::Bench;
use crate::run::conclude;
use crate::shrink::{self, ShrinkError};
use crate::trial::{Run, Trial};

/// Runs a replay file again and says how the two runs compare.
pub(super) fn replay(plan: ReplayPlan, stop: &Stop) -> u8 {
    let ReplayPlan { replay, file, elsewhere, tape, out, heading } = plan;
    let there = elsewhere.as_ref().unwrap_or(&replay);
    let (case, run) = match there.run(&file, stop) {
        Ok(ran) => ran,
        Err(error) => {
            say_error(&error);
            return exit_code::UNEXPECTED;
        }
    };
    if tape {
        say(&there.render_tape(&run));
    }
    say(&render_console_case(&case));
    if case.verdict.stops_a_pipeline() {
        say(&format!("\n{}", render_console_failure(&case)));
    }
    match &elsewhere {
        None => say(&format!("\n{}", replay.compare(&file, &case, &run))),
        Some(there) => {
            say(&format!("\n{}{}", replay.compare_violations(&case), across(&replay, there, &run, stop)));
        }
    }
    let mut record = heading.record();
    record.cases.push(case);
    match out {
        Some(out) => ended(conclude(record, &out, stop)),
        None => record.exit_code(),
    }
}

/// What a run on another bench has in common with one on the bench that the file names.
fn across(recorded: &Replay, there: &Replay, run: &Run, stop: &Stop) -> String {
    let names = [recorded.bench.name(), there.bench.name()];
    if !there.bench.repeats() || !recorded.bench.repeats() || recorded.until.is_some() {
        return format!(
            "It was recorded on {} and ran on {}, whose tapes are not compared.\n",
            names[0], names[1]
        );
    }
    let trial = match Trial::new(recorded.case, &recorded.design) {
        Ok(trial) => trial,
        Err(error) => return format!("{error}\n"),
    };
    let table = run_on_tabletop(&trial, &recorded.plan, stop);
    let other = match (&recorded.bench, &there.bench) {
        (Bench::Tabletop, _) => run,
        (bench, _) => &bench.run(&trial, &recorded.plan, stop),
    };
    let names = ["tabletop", if matches!(there.bench, Bench::Tabletop) { names[0] } else { names[1] }];
    match compare(&table, other, TICK) {
        Comparison::Agree => {
            format!(
                "Recorded on {} and run on {}: the two agree on everything but times.\n",
                recorded.bench.name(),
                there.bench.name()
            )
        }
        Comparison::Within(margin) => format!(
            "Recorded on {} and run on {}: not compared, as what happens at {} and what follows {} later may change \
             places in the world.\n",
            recorded.bench.name(),
            there.bench.name(),
            assay_reports::text::seconds(margin.at.as_us()),
            margin.gap
        ),
        Comparison::Broken(broken) => format!("A bench of ours failed: {broken}.\n"),
        Comparison::Differ(found) => match (&table.outcome, &other.outcome) {
            (Some(left), Some(right)) => {
                render_side_by_side(&found, [&*left.bench.tape, &*right.bench.tape], &recorded.plan, names)
            }
            _ => String::new(),
        },
    }
}

/// Shrinks a replay file, and leaves the result beside it.
pub(super) fn shrink(
    replay: &Replay,
    file: &str,
    requirement: Option<&str>,
    out: Option<&Path>,
    stop: &Stop,
) -> u8 {
    let mut shrunk = match shrink::smallest(replay, requirement, stop) {
        Ok(shrunk) => shrunk,
        Err(error) => {
            say_error(&format!("{file}: {error}"));
            return match error {
                ShrinkError::NotReady(_) => exit_code::BROKEN,
                ShrinkError::Stopped => exit_code::INCONCLUSIVE,
                ShrinkError::Passes => exit_code::NOTHING_SELECTED,
                ShrinkError::Rig | ShrinkError::NotViolated { .. } => exit_code::USAGE,
            };
        }
    };
    let written = match shrunk.write(Path::new(file), out) {
        Ok(written) => written,
        Err(error) => {
            say_error(&error.to_string());
            return exit_code::USAGE;
        }
    };
    say(&shrunk.words);
    say(&format!("\n{}", render_console_failure(&shrunk.record)));
    let [file, test] = written.map(|file| file.display().to_string());
    say(&format!(
        "{} runs were made to find it. It is in {file}, and as a Rust test in {test}.",
        shrunk.runs
    ));
    exit_code::OK
}
