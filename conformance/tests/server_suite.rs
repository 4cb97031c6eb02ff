//! The server's cases on the reference, on the published design, and on every bad choice.

#![expect(clippy::unwrap_used, reason = "what is missing fails the test right there")]

use std::collections::{BTreeMap, BTreeSet};

use assay_conformance::case::Case;
use assay_conformance::explore::{Extent, Space, strike};
use assay_conformance::interrupt::Stop;
use assay_conformance::outcome::Outcome;
use assay_conformance::requirement::known_failures;
use assay_conformance::rig_bench::Bench;
use assay_conformance::suite::Mutant;
use assay_conformance::trial::{Design, ProfileSource, Ready, Trial, Watch};
use assay_conformance::water::server::{self, mutants};
use assay_sim::fault::{FaultPlan, Strike};
use assay_sim::policy::PolicyName;
use assay_sim::seed::Seed;
use assay_sim::tape::{Entry, Keep, Seen};
use assay_sim::water::party::Event;
use rayon::prelude::*;

fn cases() -> Vec<Case> {
    server::cases().into_iter().map(Case::from).collect()
}

fn reference() -> Design {
    Design::new(PolicyName::Hardened, Seed(1))
}

fn trial(case: &Case, design: &Design) -> Trial {
    Trial::new(*case, design).unwrap()
}

fn outcome_of(run: assay_conformance::trial::Run, case: &Case) -> Outcome {
    assert_eq!(run.broken, None, "{}", case.id);
    run.outcome.unwrap()
}

fn run(case: &Case, design: &Design) -> Outcome {
    let trial = trial(case, design);
    outcome_of(trial.run(&trial.own, Keep::All, &Stop::default()), case)
}

fn violated(outcome: &Outcome) -> BTreeSet<&'static str> {
    outcome.findings.violations.iter().map(|violation| violation.requirement).collect()
}

/// The violations and the tape, for a person.
fn told(outcome: &Outcome, plan: &FaultPlan) -> String {
    let mut text: Vec<String> =
        outcome.findings.violations.iter().map(|violation| format!("{violation:?}")).collect();
    text.extend(outcome.bench.tape.lines(plan).map(|line| line.text));
    text.join("\n")
}

#[test]
fn the_reference_passes_and_each_requirement_shown_was_judged() {
    for case in cases() {
        let outcome = run(&case, &reference());
        let plan = case.fault_plan().unwrap();
        assert!(outcome.findings.violations.is_empty(), "{}\n{}", case.id, told(&outcome, &plan));
        println!("{:<55} {:?} ends at {}", case.id, outcome.findings.judged, outcome.bench.now);
        let judged: Vec<&str> = outcome.findings.judged.keys().copied().collect();
        assert_eq!(judged, case.shows, "{}", case.id);
        assert!(outcome.bench.not_reached.is_empty(), "{}", case.id);
    }
}

#[test]
fn other_seeds_and_quicker_timers_pass_as_well() {
    for (seed, divisor) in [(2, 1), (3, 1), (1, 10), (4, 10)] {
        let profile = ProfileSource { divisor, ..ProfileSource::default() };
        let design = Design { profile, ..Design::new(PolicyName::Hardened, Seed(seed)) };
        for case in cases() {
            let outcome = run(&case, &design);
            let plan = case.fault_plan().unwrap();
            assert!(outcome.findings.violations.is_empty(), "{} {seed}\n{}", case.id, told(&outcome, &plan));
        }
    }
}

#[test]
fn verdicts_do_not_rest_on_what_the_server_says_of_itself() {
    let findings = |case: &Case, design: &Design, silent: bool| {
        let trial = trial(case, design);
        let watch = Watch { without_claims: silent, ..Watch::PLAIN };
        let run = trial.run_on(&Bench::Tabletop, &trial.own, Keep::All, &Stop::default(), watch);
        outcome_of(run, case).findings
    };
    for case in cases() {
        for design in mutants().into_iter().map(|mutant| reference().mutated(mutant)).chain([reference()]) {
            let (with, without) = (findings(&case, &design, false), findings(&case, &design, true));
            let name = design.mutant.map(|mutant| mutant.name);
            assert_eq!(with.judged, without.judged, "{} {name:?}", case.id);
            assert_eq!(with.violations, without.violations, "{} {name:?}", case.id);
        }
    }
}

/// For each bad choice, the requirements by which it is found out, no more and no fewer.
const KILLS: [(&str, &[&str]); 17] = [
    ("server-reconciles-by-result", &["WAT-I1", "WAT-T5", "WAT-T6", "WAT-T7"]),
    ("server-closes-again", &["WAT-I1", "WAT-I2", "WAT-T5"]),
    ("server-reopens", &["WAT-I1", "WAT-T5", "WAT-T7"]),
    ("server-offers-newest-first", &["WAT-T7"]),
    ("server-skips-open", &["WAT-I2", "WAT-T7"]),
    ("server-answers-before-sync", &["WAT-I1", "WAT-I2", "WAT-T5", "WAT-T6"]),
    ("server-silent-on-damage", &["WAT-F2"]),
    ("server-acts-on-damage", &["WAT-F1", "WAT-F2"]),
    ("server-negative-type-zero", &["WAT-F2"]),
    ("server-negatives-unbounded", &["WAT-F2"]),
    ("server-doubt-closes", &["WAT-T5"]),
    ("server-always-flat", &["WAT-P1"]),
    ("server-drops-remainder", &["WAT-P1"]),
    ("server-offers-on-any-sold", &["WAT-I1", "WAT-T7"]),
    ("server-waits-for-rest", &["WAT-F4"]),
    ("server-drops-all", &["WAT-F4"]),
    ("server-believes-length", &["WAT-F5"]),
];

fn killers(design: &Design) -> BTreeMap<&'static str, Vec<&'static str>> {
    let mut killers: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for case in cases() {
        for requirement in violated(&run(&case, design)) {
            assert!(case.shows.contains(&requirement), "{} blames {requirement}", case.id);
            killers.entry(requirement).or_default().push(case.id.rsplit('/').next().unwrap());
        }
    }
    killers
}

#[test]
fn every_bad_choice_is_found_out_by_the_right_requirement() {
    let names: Vec<&str> = mutants().iter().map(|mutant| mutant.name).collect();
    assert_eq!(names, KILLS.map(|(name, _)| name));
    for (mutant, (_, expected)) in mutants().into_iter().zip(KILLS) {
        let killers = killers(&reference().mutated(mutant));
        println!("{}: {killers:?}", mutant.name);
        let blamed: Vec<&str> = killers.keys().copied().collect();
        assert_eq!(blamed, expected, "{}", mutant.name);
    }
}

#[test]
fn the_published_design_fails_what_it_is_known_to_fail_and_nothing_else() {
    for name in [PolicyName::Published, PolicyName::Uncached] {
        let failed: Vec<&str> = killers(&Design::new(name, Seed(1))).into_keys().collect();
        let known = known_failures("water", name.as_str());
        assert!(failed.iter().all(|id| known.contains(*id)), "{name}: {failed:?}");
        assert!(["WAT-T5", "WAT-T6", "WAT-T7", "WAT-I1"].iter().all(|id| failed.contains(id)), "{failed:?}");
    }
}

fn explored() -> Case {
    cases().into_iter().find(|case| case.explored).unwrap()
}

/// Strikes the explored case with every fault at every site; how many there were, and what each that was noticed
/// brought to light.
fn struck(design: &Design, wanted: fn(&Strike) -> bool) -> (usize, Vec<(Strike, Vec<&'static str>)>) {
    let trial = trial(&explored(), design);
    let stop = Stop::default();
    let space = Space::of(&trial, &stop);
    let strikes: Vec<Strike> = space.strikes.into_iter().filter(wanted).collect();
    let found = strikes
        .par_iter()
        .map(|fault| (fault.clone(), strike(&trial, fault, &stop)))
        .inspect(|(fault, result)| assert!(result.reached && result.broken.is_none(), "{fault}: {result:?}"))
        .filter(|(_, result)| !result.violated.is_empty())
        .map(|(fault, result)| (fault, result.violated))
        .collect();
    (strikes.len(), found)
}

fn at_the_journal(fault: &Strike) -> bool {
    fault.site.place == "server" && fault.site.name.starts_with("journal")
}

#[test]
fn no_single_fault_turns_the_reference_down() {
    let (journal, _) = struck(&reference(), at_the_journal);
    let (all, found) = struck(&reference(), |_| true);
    println!("{all} faults, {journal} of them at the journal");
    // Three records, each with an append, the start of a sync and its end; before and after; three outcomes; by
    // power and by a crash.
    assert_eq!(journal, 9 * 2 * 3 * 2);
    assert!(all >= 1_000, "{all}");
    if let Some((fault, _)) = found.first() {
        let trial = trial(&explored(), &reference());
        let plan = trial.plan_with(fault);
        let outcome = trial.run(&plan, Keep::All, &Stop::default()).outcome.unwrap();
        panic!("{} of {all}: {fault}\n{}", found.len(), told(&outcome, &plan));
    }
}

#[test]
fn nor_does_one_of_each_kind_in_any_other_case() {
    let stop = Stop::default();
    for case in cases() {
        let trial = trial(&case, &reference());
        let space = Space::of(&trial, &stop);
        space.pick(Extent::Each(1)).par_iter().for_each(|at| {
            let fault = &space.strikes[*at];
            let result = strike(&trial, fault, &stop);
            assert!(
                result.violated.is_empty() && result.broken.is_none(),
                "{}: {fault}: {result:?}",
                case.id
            );
        });
    }
}

#[test]
fn heads_speak_as_the_documents_have_it() {
    let script = server::cases().into_iter().find(|case| case.id.ends_with("cut-and-joined")).unwrap();
    let ready = Ready::new(script, &reference()).unwrap();
    let own = script.fault_plan().unwrap();
    let outcome = ready.run(&own, Keep::All, &Stop::default()).outcome.unwrap();
    let came = |bytes: &[u8]| {
        let heard =
            |entry: &Entry<Event>| matches!(&entry.what, Seen::Heard { bytes: all, .. } if *all == bytes);
        outcome.bench.tape.entries().any(heard)
    };
    // The first half of a heartbeat of machine 2018010925, and its other half.
    assert!(came(b"\xAA\x55\x00\x00\x01\x00\x0C") && came(b"\x20\x18\x01\x09\x25\x62\x2A"));
    assert!(!came(b"\x20\x18\x01\x09\x25\x62\x2B"));
}

#[test]
fn a_crash_finds_out_a_server_that_answers_too_early() {
    let early = |mutant: &Mutant| mutant.name == "server-answers-before-sync";
    let design = reference().mutated(mutants().into_iter().find(early).unwrap());
    let (_, found) = struck(&design, at_the_journal);
    let blamed: BTreeSet<&str> = found.iter().flat_map(|(_, violated)| violated).copied().collect();
    assert!(blamed.contains("WAT-T5") && blamed.contains("WAT-I2"), "{blamed:?}");
}
