//! The vendor's terminal in the suite: the release that is sold passes, and the one that was called back is found out.

use std::collections::BTreeSet;
use std::sync::Arc;

use assay_conformance::case::Case;
use assay_conformance::explore::{Extent, Space, strike_on};
use assay_conformance::finding::Violation;
use assay_conformance::interrupt::Stop;
use assay_conformance::outcome::Outcome;
use assay_conformance::rig_bench::Bench;
use assay_conformance::system::Sut;
use assay_conformance::trial::{Design, KEPT, TerminalMaker, Trial, Watch};
use assay_conformance::water;
use assay_sim::eeprom::Chip;
use assay_sim::policy::PolicyName;
use assay_sim::seed::Seed;
use assay_sim::tape::Keep;
use assay_sim::water::plant::Seating;
use assay_sim::water::profile::Profile;
use assay_sim::water::terminal::vendor::VendorTerminal;
use rayon::prelude::*;
use vendor_terminal::{Build, Release, Terminal};

fn design(release: Release, memory_open: bool, seed: u64) -> Design {
    let terminal: TerminalMaker = Arc::new(move |profile: &Profile, chip: Chip| {
        VendorTerminal::new(Terminal::new(Build { release, data_sheet: profile.clone(), memory_open }, chip))
    });
    Design { terminal: Some(terminal), ..Design::new(PolicyName::Hardened, Seed(seed)) }
}

/// Every case that puts terminals to the test.
fn cases() -> Vec<Case> {
    let seats_it = |case: &water::Case| {
        matches!(case.sut, Sut::Terminal | Sut::System)
            && !matches!(
                case.setup.seating,
                Seating::ProbeTerminals | Seating::ProbeEnds | Seating::ProbeSites
            )
    };
    water::cases().into_iter().filter(seats_it).map(Case::from).collect()
}

fn run(case: Case, bench: &Bench, design: &Design, watch: Watch) -> Outcome {
    let trial = Trial::new(case, design).expect("the case is sound");
    let run = trial.run_on(bench, &trial.own, Keep::Last(KEPT), &Stop::default(), watch);
    assert_eq!(run.broken, None, "{}", case.id);
    run.outcome.expect("the run came to its end")
}

fn words(case: Case, violations: &[Violation]) -> Vec<String> {
    let told = |found: &Violation| {
        format!("{}: {}: expected {}, got {}", case.id, found.requirement, found.expected, found.actual)
    };
    violations.iter().map(told).collect()
}

/// What the suite sees broken on the tabletop, by case and requirement.
fn broken(release: Release, watch: Watch) -> BTreeSet<(&'static str, &'static str)> {
    let design = design(release, true, 1);
    let found = |case: Case| {
        let outcome = run(case, &Bench::Tabletop, &design, watch);
        outcome.findings.violations.into_iter().map(move |found| (case.id, found.requirement))
    };
    cases().into_iter().flat_map(found).collect()
}

#[test]
fn the_release_that_is_sold_passes_every_case_on_both_benches() {
    assert!(cases().len() >= 40, "{}", cases().len());
    let design = design(Release::R2, true, 1);
    let both: Vec<(Case, Bench)> =
        cases().into_iter().flat_map(|case| [(case, Bench::Tabletop), (case, Bench::World)]).collect();
    let wrong: Vec<String> = both
        .par_iter()
        .flat_map_iter(|(case, bench)| {
            let Outcome { findings, .. } = run(*case, bench, &design, Watch::PLAIN);
            let mut wrong = words(*case, &findings.violations);
            let missing = case.shows.iter().filter(|id| !findings.judged.contains_key(*id));
            wrong.extend(missing.map(|id| format!("{}: {id} was not judged", case.id)));
            wrong
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_release_that_was_called_back_is_found_out_whatever_it_claims() {
    let expected = BTreeSet::from([
        ("water/cache/full", "WAT-C4"),
        ("water/cache/full", "WAT-I2"),
        ("water/cache/full", "WAT-I3"),
        ("water/cache/full", "WAT-I4"),
        ("water/cache/modem-dies", "WAT-C4"),
        ("water/carry/after-cut", "WAT-C4"),
        ("water/topup/power-cut", "WAT-C4"),
        ("water/topup/power-cut", "WAT-I2"),
        ("water/topup/power-cut", "WAT-I3"),
        ("water/topup/power-cut", "WAT-I4"),
    ]);
    assert_eq!(broken(Release::R1, Watch::PLAIN), expected);
    assert_eq!(broken(Release::R1, Watch::NO_CLAIMS), expected);
}

/// Every fault at every site of a top-up, one a run.
#[test]
fn no_single_fault_turns_the_release_that_is_sold_down() {
    let stop = Stop::default();
    let case = cases().into_iter().find(|case| case.id == "water/topup/clean").expect("the suite has it");
    let trial = Trial::new(case, &design(Release::R2, true, 1)).expect("the case is sound");
    let space = Space::of(&trial, &stop);
    assert!(space.strikes.len() > 20_000, "{}", space.strikes.len());
    let wrong: Vec<String> = space
        .strikes
        .par_iter()
        .filter_map(|strike| {
            let struck = strike_on(&Bench::Tabletop, &trial, strike, &stop);
            let good = struck.violated.is_empty() && struck.broken.is_none();
            (!good).then(|| format!("{strike}: {struck:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {}\n{}", wrong.len(), space.strikes.len(), wrong[0]);
    let in_world = Space::on(&Bench::World, &trial, &stop);
    for at in in_world.pick(Extent::Drawn { seed: Seed(1), count: 40 }) {
        let strike = &in_world.strikes[at];
        let struck = strike_on(&Bench::World, &trial, strike, &stop);
        assert_eq!((struck.violated, struck.broken), (vec![], None), "{strike}");
    }
}

/// A single power cut finds the hole of the other one, between the card and the 24C02.
#[test]
fn a_single_fault_finds_the_hole_of_the_release_that_was_called_back() {
    let stop = Stop::default();
    let case = cases().into_iter().find(|case| case.id == "water/topup/clean").expect("the suite has it");
    let trial = Trial::new(case, &design(Release::R1, true, 1)).expect("the case is sound");
    let space = Space::of(&trial, &stop);
    let found: BTreeSet<&str> = space
        .pick(Extent::Each(4))
        .par_iter()
        .flat_map_iter(|at| strike_on(&Bench::Tabletop, &trial, &space.strikes[*at], &stop).violated)
        .collect();
    assert!(found.contains("WAT-C4"), "{found:?}");
}

/// A vendor who does not let the bench read the 24C02 gets no verdict on what only shows there.
#[test]
fn what_lies_in_a_closed_memory_is_neither_passed_nor_failed() {
    let (open, closed) = (design(Release::R2, true, 1), design(Release::R2, false, 1));
    let mut unjudged = BTreeSet::new();
    for case in cases() {
        let [seen, unseen] = [&open, &closed].map(|design| run(case, &Bench::Tabletop, design, Watch::PLAIN));
        assert_eq!(words(case, &unseen.findings.violations), [""; 0]);
        let judged = |outcome: &Outcome| outcome.findings.judged.keys().copied().collect::<BTreeSet<_>>();
        unjudged.extend(judged(&seen).difference(&judged(&unseen)));
    }
    assert_eq!(unjudged, BTreeSet::from(["WAT-C3", "WAT-C4", "WAT-C6", "WAT-C7", "WAT-S1"]));
}

#[test]
fn equal_seeds_make_equal_tapes_with_it_too() {
    let case = cases().into_iter().find(|case| case.id == "water/topup/clean").expect("the suite has it");
    let ends = |bench: &Bench, seed| {
        let outcome = run(case, bench, &design(Release::R2, true, seed), Watch::PLAIN);
        (outcome.bench.tape.digest(), outcome.digest)
    };
    for bench in [Bench::Tabletop, Bench::World] {
        assert_eq!(ends(&bench, 7), ends(&bench, 7));
        assert_ne!(ends(&bench, 7), ends(&bench, 8));
    }
}
