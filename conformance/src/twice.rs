//! Determinism, put to the test: everything runs in two processes, and what they print must be equal line by line.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

use assay_sim::fault::FaultPlan;
use assay_sim::tape::Keep;
use thiserror::Error;

use crate::case::Case;
use crate::explore::Space;
use crate::interrupt::Stop;
use crate::rig_bench::Bench;
use crate::trial::{Design, KEPT, Run, Trial, Watch};
use crate::work::in_order;

/// How many faults of the explored cases are struck, spread over all of them.
pub const STRUCK: usize = 200;

/// How many of them are struck in the world as well.
pub const STRUCK_IN_WORLD: usize = 20;

/// The benches on which every case runs.
const BENCHES: [Bench; 2] = [Bench::Tabletop, Bench::World];

/// What two processes printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// The same, this many lines of it.
    Same {
        /// How many.
        lines: u64,
    },
    /// Something else from this line on.
    Differs {
        /// The first line that differs, from 1.
        line: u64,
        /// The heading that it is under.
        under: String,
        /// The last lines before it, which are the same.
        before: Vec<String>,
        /// What the first printed from there on, a few lines of it; nothing if it had come to its end.
        first: Vec<String>,
        /// What the second one printed.
        second: Vec<String>,
    },
}

/// Two runs that cannot be compared.
#[derive(Debug, Error)]
pub enum TwiceError {
    /// A process could not be started, or its output not be read.
    #[error("a second process of this tool cannot be run: {0}")]
    Process(#[from] io::Error),
    /// A process ended badly.
    #[error("a process of this tool ended with {0} in the middle of its runs")]
    Ended(ExitStatus),
}

/// How many lines are shown before the first difference.
const BEFORE: usize = 3;

/// How many lines of each are shown from the first difference on.
const FROM: usize = 3;

/// How the lines of a heading begin.
const HEADING: &str = "== ";

/// Runs this program twice with these arguments and compares what the two print.
///
/// Errors: [`TwiceError`].
pub fn twice(arguments: &[String]) -> Result<Comparison, TwiceError> {
    let program = std::env::current_exe()?;
    let start = || -> io::Result<(Child, BufReader<ChildStdout>)> {
        let mut child =
            Command::new(&program).args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let output = child.stdout.take().ok_or_else(|| io::Error::other("its output is not there"))?;
        Ok((child, BufReader::new(output)))
    };
    let (mut one, one_output) = start()?;
    let (mut other, other_output) = match start() {
        Ok(started) => started,
        Err(error) => {
            let _ = one.kill();
            let _ = one.wait();
            return Err(error.into());
        }
    };
    let comparison = compare(one_output, other_output);
    let differs = !matches!(comparison, Ok(Comparison::Same { .. }));
    for child in [&mut one, &mut other] {
        if differs {
            // Its output is no longer read, so it could not come to its end by itself.
            let _ = child.kill();
        }
        let status = child.wait()?;
        if !differs && !status.success() {
            return Err(TwiceError::Ended(status));
        }
    }
    Ok(comparison?)
}

/// Compares two outputs line by line, up to the first difference.
///
/// Errors: one cannot be read.
pub fn compare(mut one: impl BufRead, mut other: impl BufRead) -> io::Result<Comparison> {
    let mut under = String::new();
    let mut before = VecDeque::new();
    let (mut first, mut second) = (Vec::new(), Vec::new());
    let mut line = 0;
    loop {
        first.clear();
        second.clear();
        one.read_until(b'\n', &mut first)?;
        other.read_until(b'\n', &mut second)?;
        if first.is_empty() && second.is_empty() {
            return Ok(Comparison::Same { lines: line });
        }
        line += 1;
        if first != second {
            let (first, second) = (from(&first, &mut one)?, from(&second, &mut other)?);
            return Ok(Comparison::Differs { line, under, before: before.into(), first, second });
        }
        if first.starts_with(HEADING.as_bytes()) {
            under = text(&first[HEADING.len()..]);
        }
        if before.len() == BEFORE {
            before.pop_front();
        }
        before.push_back(text(&first));
    }
}

fn text(line: &[u8]) -> String {
    String::from_utf8_lossy(line).trim_end().to_owned()
}

/// A line and a few that follow it.
fn from(line: &[u8], rest: &mut impl BufRead) -> io::Result<Vec<String>> {
    let mut lines = Vec::new();
    let mut next = line.to_vec();
    while !next.is_empty() && lines.len() < FROM {
        lines.push(text(&next));
        next.clear();
        rest.read_until(b'\n', &mut next)?;
    }
    Ok(lines)
}

/// Prints the tape of every case and the digests of struck runs: what [`twice`] compares.
///
/// Errors: the output is gone.
pub fn print_runs(cases: &[Case], design: &Design, out: &mut dyn Write, stop: &Stop) -> io::Result<()> {
    let threads = rayon::current_num_threads().max(1);
    let mut result = Ok(());
    // A tape may be long, so that no more of them are held than are being made.
    let both = |case: &Case| BENCHES.map(|bench| (*case, bench));
    let mut runs: Vec<(Case, Bench)> = cases.iter().flat_map(both).collect();
    runs.retain(|(case, bench)| bench.takes(case));
    for runs in runs.chunks(threads) {
        in_order(
            runs,
            stop,
            |(case, bench)| tape_text(case, design, bench, stop),
            |_, text| {
                if result.is_ok() {
                    result = out.write_all(text.as_bytes());
                }
            },
        );
    }
    result?;
    let mut strikes = Vec::new();
    for case in cases.iter().filter(|case| case.explored) {
        let Ok(trial) = Trial::new(*case, design) else { continue };
        let space = Space::of(&trial, stop);
        strikes.extend(space.strikes.iter().map(|strike| (trial.case, trial.plan_with(strike))));
    }
    let apart = strikes.len().div_ceil(STRUCK).max(1);
    let sample: Vec<(Case, FaultPlan)> = strikes.into_iter().step_by(apart).collect();
    let in_world = sample.iter().step_by(STRUCK / STRUCK_IN_WORLD);
    let sample: Vec<(Case, FaultPlan, Bench)> = sample
        .iter()
        .map(|(case, plan)| (*case, plan.clone(), Bench::Tabletop))
        .chain(in_world.map(|(case, plan)| (*case, plan.clone(), Bench::World)))
        .collect();
    let mut result = Ok(());
    in_order(
        &sample,
        stop,
        |(case, plan, bench)| digest_text(case, plan, design, bench, stop),
        |_, text| {
            if result.is_ok() {
                result = out.write_all(text.as_bytes());
            }
        },
    );
    result?;
    out.flush()
}

fn tape_text(case: &Case, design: &Design, bench: &Bench, stop: &Stop) -> String {
    let mut text = format!("{HEADING}{} on {}\n", case.id, bench.name());
    let trial = match Trial::new(*case, design) {
        Ok(trial) => trial,
        Err(error) => return format!("{text}{error}\n"),
    };
    let run = bench.run(&trial, &trial.own, stop);
    if let Some(outcome) = &run.outcome {
        for line in outcome.bench.tape.lines(&trial.own) {
            text += &line.text;
            text.push('\n');
        }
    }
    text += &ending(&run);
    text
}

fn digest_text(case: &Case, plan: &FaultPlan, design: &Design, bench: &Bench, stop: &Stop) -> String {
    let heading =
        format!("{HEADING}{} on {} with a fault: {}\n", case.id, bench.name(), plan.words().join(" "));
    match Trial::new(*case, design) {
        Ok(trial) => heading + &ending(&trial.run_on(bench, plan, Keep::Last(KEPT), stop, Watch::PLAIN)),
        Err(error) => format!("{heading}{error}\n"),
    }
}

/// What sums a run up: digests of tape and bench, what was violated, and what broke.
fn ending(run: &Run) -> String {
    let bench = run.outcome.as_ref().map_or(0, |outcome| outcome.digest);
    let broken = run.broken.as_ref().map(|broken| format!(", broken: {broken}")).unwrap_or_default();
    format!(
        "tape {}, bench {bench:032x}, violates [{}]{broken}\n",
        run.tape_digest(),
        run.violated().join(", ")
    )
}

/// The first difference as a person reads it.
pub fn render(comparison: &Comparison) -> String {
    match comparison {
        Comparison::Same { lines } => {
            format!("Two processes printed the same {}.\n", assay_reports::text::counted(*lines, "line"))
        }
        Comparison::Differs { line, under, .. } => {
            let under = assay_reports::text::shown(under);
            format!(
                "Two processes differ, first in line {line}, under {under}:\n{}",
                render_lines(comparison, ["first", "second"])
            )
        }
    }
}

/// The lines around the first difference, each side by its name.
pub fn render_lines(comparison: &Comparison, names: [&str; 2]) -> String {
    let Comparison::Differs { before, first, second, .. } = comparison else { return String::new() };
    let width = names.map(str::len).into_iter().max().unwrap_or_default() + 1;
    let mut out = String::new();
    let mut add = |name: &str, lines: &[String]| {
        for (at, line) in lines.iter().enumerate() {
            let name = if at == 0 && !name.is_empty() { format!("{name}:") } else { String::new() };
            let _ = writeln!(out, "  {name:width$} {}", assay_reports::text::shown(line));
        }
    };
    add("", before);
    for (name, lines) in names.into_iter().zip([first, second]) {
        let end = ["(had come to its end)".to_owned()];
        add(name, if lines.is_empty() { &end } else { lines });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn differs(one: &str, other: &str) -> Comparison {
        compare(one.as_bytes(), other.as_bytes()).unwrap()
    }

    #[test]
    fn equal_outputs_are_counted() {
        assert_eq!(differs("== a\nx\ny\n", "== a\nx\ny\n"), Comparison::Same { lines: 3 });
        assert_eq!(differs("", ""), Comparison::Same { lines: 0 });
    }

    #[test]
    fn the_first_difference_is_found_with_its_heading() {
        let found = differs("== a\nx\n== b\ny\nz\n", "== a\nx\n== b\nY\nz\n");
        let Comparison::Differs { line, under, .. } = &found else { panic!("{found:?}") };
        assert_eq!((*line, under.as_str()), (4, "b"));
        assert_eq!(
            render(&found),
            "Two processes differ, first in line 4, under b:\n          == a\n          x\n          == b\n  first:  \
             y\n          z\n  second: Y\n          z\n"
        );
    }

    #[test]
    fn an_output_that_ends_early_differs() {
        let found = differs("== a\nx\n", "== a\n");
        let Comparison::Differs { line: 2, second, .. } = &found else { panic!("{found:?}") };
        assert!(second.is_empty());
        assert!(render(&found).ends_with("second: (had come to its end)\n"));
    }
}
