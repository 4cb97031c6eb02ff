//! The worked examples: the good ones pass, their defect is found, and a run can be made again.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use assay_conformance::explore::Space;
use assay_conformance::interrupt::Stop;
use assay_conformance::rig_bench::Bench;
use assay_conformance::trial::{Trial, Watch};
use assay_hil::lockstep::Program;
use assay_sim::fault::{Fault, Mishap, Strike};
use assay_sim::machine::Torn;

use super::seat::{SHORT, case, cases, compiled, design, each_example, run, struck};

/// How many faults of a top-up are struck on each example: a process that restarts in place is quick.
const fn sample(program: &Program) -> usize {
    if program.restart_in_place { 800 } else { 40 }
}

fn spread(strikes: &[Strike], most: usize) -> Vec<Strike> {
    strikes.iter().step_by(strikes.len().div_ceil(most).max(1)).cloned().collect()
}

fn space_of(trial: &Trial) -> Vec<Strike> {
    let space = Space::of(trial, &Stop::default());
    assert!(space.strikes.len() > 10_000, "{}", space.strikes.len());
    space.strikes
}

#[test]
fn they_pass_every_case_that_puts_terminals_to_the_test() {
    assert!(cases().len() >= 40, "{}", cases().len());
    for (name, program) in each_example(&[]) {
        let design = design(program, 1);
        let mut wrong = Vec::new();
        for case in cases() {
            let run = run(case, &design);
            assert_eq!(run.broken, None, "{name}: {}", case.id);
            let findings = run.outcome.expect("the run came to its end").findings;
            wrong.extend(findings.breach.iter().map(|breach| format!("{}: {breach}", case.id)));
            wrong.extend(findings.violations.iter().map(|found| {
                format!(
                    "{}: {}: expected {}, got {}",
                    case.id, found.requirement, found.expected, found.actual
                )
            }));
            let missing = case.shows.iter().filter(|id| !findings.judged.contains_key(*id));
            wrong.extend(missing.map(|id| format!("{}: {id} was not judged", case.id)));
        }
        assert!(wrong.is_empty(), "{name}\n{}", wrong.join("\n"));
    }
}

#[test]
fn no_single_fault_of_a_sample_turns_them_down() {
    for (name, program) in each_example(&[]) {
        let most = sample(&program);
        let trial = Trial::new(case("water/topup/clean"), &design(program, 1)).expect("the case is sound");
        let wrong = struck(&trial, &spread(&space_of(&trial), most));
        assert!(wrong.is_empty(), "{name}: {} of {most}: {:?}", wrong.len(), wrong[0]);
    }
}

/// A cut between any two bytes of what they store, with every outcome.
#[test]
fn no_cut_while_they_store_turns_them_down() {
    for (name, program) in each_example(&[]) {
        let most = sample(&program);
        let trial = Trial::new(case("water/topup/clean"), &design(program, 1)).expect("the case is sound");
        let all = space_of(&trial);
        for torn in Torn::ALL {
            let cuts = |strike: &&Strike| {
                let cut = matches!(&strike.fault, Fault::Mishap(Mishap::PowerCut { torn: how, .. }) if *how == torn);
                cut && strike.site.name.starts_with("eeprom-")
            };
            let cuts: Vec<Strike> = all.iter().filter(cuts).cloned().collect();
            assert!(cuts.len() > 100, "{name}: {} cuts, {torn:?}", cuts.len());
            let wrong = struck(&trial, &spread(&cuts, most));
            assert!(wrong.is_empty(), "{name}: {} cuts, {torn:?}: {:?}", wrong.len(), wrong[0]);
        }
    }
}

#[test]
fn the_planted_defect_fails_what_it_should_and_nothing_else() {
    let expected = BTreeSet::from([
        ("water/topup/power-cut", "WAT-C4"),
        ("water/topup/power-cut", "WAT-I2"),
        ("water/topup/power-cut", "WAT-I3"),
        ("water/topup/power-cut", "WAT-I4"),
    ]);
    for (name, program) in each_example(&["--defect", "no-intent"]) {
        let most = sample(&program);
        let design = design(program, 1);
        let found = |case: assay_conformance::case::Case| {
            let violated = run(case, &design).violated();
            violated.into_iter().map(move |requirement| (case.id, requirement))
        };
        let topups = cases().into_iter().filter(|case| case.id.starts_with("water/topup/"));
        assert_eq!(topups.flat_map(found).collect::<BTreeSet<_>>(), expected, "{name}");
        let trial = Trial::new(case("water/topup/clean"), &design).expect("the case is sound");
        let cut = |strike: &&Strike| strike.site.name == "card-block" || strike.site.name == "burst";
        let cuts: Vec<Strike> = space_of(&trial).iter().filter(cut).cloned().collect();
        let found: BTreeSet<String> =
            struck(&trial, &spread(&cuts, most)).into_iter().flat_map(|(_, found)| found).collect();
        assert!(found.contains("WAT-C4"), "{name}: {found:?}");
    }
}

#[test]
fn a_run_made_again_makes_the_same_tape_and_another_seed_another() {
    for (name, program) in each_example(&[]) {
        let ends = |seed| {
            let outcome = run(case("water/topup/power-cut"), &design(program.clone(), seed)).outcome;
            let outcome = outcome.expect("the run came to its end");
            (outcome.bench.tape.digest(), outcome.digest)
        };
        assert_eq!(ends(7), ends(7), "{name}");
        assert_ne!(ends(7), ends(8), "{name}");
    }
}

/// One process for all runs and a fresh one for each power-on are the same to the byte.
#[test]
fn a_restart_in_place_is_the_same_as_a_kill() {
    for (name, program) in each_example(&[]).into_iter().filter(|(_, program)| program.restart_in_place) {
        let killed = Program { restart_in_place: false, ..program.clone() };
        let [one, other] = [program, killed].map(|program| {
            Trial::new(case("water/topup/power-cut"), &design(program, 1)).expect("the case is sound")
        });
        for strike in spread(&space_of(&one), 40) {
            let [one, other] = [&one, &other].map(|trial| {
                let plan = trial.plan_with(&strike);
                let run = trial.run_on(&Bench::Tabletop, &plan, SHORT, &Stop::default(), Watch::PLAIN);
                (run.tape_digest(), run.violated(), run.broken)
            });
            assert_eq!(one, other, "{name}: {strike}");
        }
    }
}

fn assay(arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_assay")).args(arguments).output().expect("the tool runs");
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&text).into_owned())
}

#[test]
fn the_tool_runs_them_and_replays_what_failed() {
    let Some(built) = compiled() else { return };
    let terminal = format!("{} --defect no-intent", built.display());
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("lockstep-report");
    let out = out.display().to_string();
    let run = ["run", "water/topup/power-cut", "--terminal", &terminal, "--restart-in-place", "--out", &out];
    let (code, text) = assay(&run);
    assert_eq!(code, Some(100), "{text}");
    assert!(text.contains("WAT-C4"), "{text}");
    let (code, text) = assay(&["replay", &format!("{out}/replay/water-topup-power-cut-0.toml")]);
    assert_eq!(code, Some(100), "{text}");
    assert!(text.contains("The tape is the same as recorded, to the byte"), "{text}");
    assert!(text.contains("It violates what it violated: WAT-C4, WAT-I2, WAT-I3, WAT-I4."), "{text}");
}

const RIG: &str = concat!("--bench=rig:", env!("CARGO_MANIFEST_DIR"), "/../fixtures/rigs/water-pty.toml");

#[test]
fn the_tool_refuses_what_cannot_be_seated() {
    for (arguments, said) in [
        (["run", "--terminal", "/no/such/program", "--seed=1"], "it cannot be started: "),
        (["run", "--terminal", "sh 'x", "--seed=1"], "its quotes do not match"),
        (["run", "--system=modem", "--terminal", "true"], "the modem system has no lockstep seats"),
        (["run", RIG, "--terminal", "true"], "a program in lockstep has no use for a rig's clock"),
    ] {
        let (code, text) = assay(&arguments);
        assert_eq!(code, Some(2), "{text}");
        assert!(text.contains(said), "{text}");
    }
}
