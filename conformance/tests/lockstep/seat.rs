//! Programs in a terminal's seat, and cases to try them with.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use assay_conformance::case::Case;
use assay_conformance::explore::strike_on;
use assay_conformance::interrupt::Stop;
use assay_conformance::rig_bench::Bench;
use assay_conformance::trial::{Design, KEPT, Run, Trial, Watch};
use assay_conformance::water;
use assay_hil::lockstep::{Lockstep, Program};
use assay_sim::fault::Strike;
use assay_sim::policy::PolicyName;
use assay_sim::seed::Seed;
use assay_sim::tape::Keep;
use rayon::prelude::*;

/// Where the examples are.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/lockstep")
}

/// Whether a tool is there; says so if not.
#[expect(clippy::print_stdout, reason = "a test that tries less than it could must say so")]
pub(crate) fn has(tool: &str) -> bool {
    let found = Command::new(tool).arg("--version").output().is_ok_and(|output| output.status.success());
    if !found {
        println!("`{tool}` is not there: what needs it is not tried");
    }
    found
}

/// The example in C, if there is a compiler.
pub(crate) fn compiled() -> Option<&'static Path> {
    static BUILT: LazyLock<Option<PathBuf>> = LazyLock::new(|| {
        if !has("cc") {
            return None;
        }
        let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("water_terminal");
        let flags = ["-std=c11", "-O2", "-Wall", "-Wextra", "-o"];
        let built =
            Command::new("cc").args(flags).arg(&program).arg(folder().join("water_terminal.c")).status();
        assert!(built.expect("the compiler starts").success(), "the example in C compiles");
        Some(program)
    });
    BUILT.as_deref()
}

pub(crate) fn program(words: &[&str]) -> Program {
    let words = words.iter().map(|word| (*word).to_owned()).collect();
    Program { words, ..Program::parse("true").expect("a command") }
}

pub(crate) fn design(program: Program, seed: u64) -> Design {
    Design::new(PolicyName::Hardened, Seed(seed)).with_lockstep(Lockstep::new(program))
}

/// The worked examples, as far as they can be run here: the name, and the program with these arguments more.
pub(crate) fn each_example(arguments: &[&str]) -> Vec<(&'static str, Program)> {
    let mut found = Vec::new();
    if has("python3") {
        let script = folder().join("water_terminal.py").display().to_string();
        found.push(("python", program(&[&["python3", script.as_str()], arguments].concat())));
    }
    if let Some(built) = compiled() {
        let built = built.display().to_string();
        let program = program(&[&[built.as_str()], arguments].concat());
        found.push(("c", Program { restart_in_place: true, ..program }));
    }
    found
}

/// Every case that puts terminals to the test.
pub(crate) fn cases() -> Vec<Case> {
    let seats = |case: &water::Case| water::suited::has_terminals_under_test(&case.setup, case.sut);
    water::cases().into_iter().filter(seats).map(Case::from).collect()
}

pub(crate) fn case(id: &str) -> Case {
    cases().into_iter().find(|case| case.id == id).expect("the suite has it")
}

pub(crate) fn run(case: Case, design: &Design) -> Run {
    let trial = Trial::new(case, design).expect("the case is sound");
    trial.run_on(&Bench::Tabletop, &trial.own, Keep::All, &Stop::default(), Watch::PLAIN)
}

/// What these strikes bring about, one a run: the violated requirements, or what went wrong.
pub(crate) fn struck(trial: &Trial, strikes: &[Strike]) -> Vec<(Strike, Vec<String>)> {
    let found = |strike: &Strike| {
        let struck = strike_on(&Bench::Tabletop, trial, strike, &Stop::default());
        let mut found: Vec<String> = struck.violated.iter().map(|id| (*id).to_owned()).collect();
        found.extend(struck.breach);
        found.extend(struck.broken.map(|broken| broken.to_string()));
        (!found.is_empty()).then(|| (strike.clone(), found))
    };
    strikes.par_iter().filter_map(found).collect()
}

/// How much of a tape a run keeps that is only judged.
pub(crate) const SHORT: Keep = Keep::Last(KEPT);
