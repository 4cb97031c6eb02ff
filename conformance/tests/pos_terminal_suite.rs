//! Runs the cases in which a POS terminal is under test, shows which requirement each mutant violates, and that the
//! same judges blame nobody before a real server.

use std::collections::{BTreeMap, BTreeSet};

use assay_conformance::finding::Findings;
use assay_conformance::pos::oracles::terminal::judges;
use assay_conformance::pos::{self, Case, Stage, terminal};
use assay_conformance::suite::{Mutant, Turn};
use assay_sim::policy::PolicyName;
use assay_sim::pos::plant::Plant;
use assay_sim::pos::policy::Policy;
use assay_sim::pos::profile::{BUILT_IN, Profile};
use assay_sim::pos::terminal::{DeleteMatch, LostClock, TerminalPolicy};
use assay_sim::seed::Seed;
use assay_sim::tape::Keep;

fn hardened() -> Policy {
    Policy::named(PolicyName::Hardened).expect("the system has this design")
}

/// Runs a case on a design; `own` are values of its parties that the profile does not declare.
fn run(case: &Case, policy: Policy, own: &str, suppressed: bool) -> Findings {
    let mut overrides: toml::Table = toml::from_str(case.setup.profile).expect("its values read");
    let declared = Profile::load(BUILT_IN, &overrides, 1).expect("they fit the profile");
    for (section, values) in toml::from_str::<toml::Table>(own).expect("the design's values read") {
        let into = overrides.entry(section).or_insert_with(|| toml::Table::new().into());
        into.as_table_mut().expect("a section").extend(values.as_table().expect("a section").clone());
    }
    let plant = |profile| Plant {
        profile,
        policy,
        terminals: case.setup.terminals,
        specs: case.setup.specs,
        cards: case.setup.cards,
        seating: case.setup.seating,
        seed: Seed(1),
    };
    let built = Profile::load(BUILT_IN, &overrides, 1).expect("they fit the profile");
    let plan = case.fault_plan().expect("its plan reads");
    let layout = plant(built).layout().expect("it stands");
    let table = assay_sim::tabletop::Tabletop::new(layout, &plan, Keep::All).expect("its plan fits");
    let bench = assay_sim::bench::Paced { table, pace: assay_sim::bench::Jumps };
    let declared = pos::suited::PlantOf { plant: plant(declared), records: case.setup.records };
    let stop = assay_conformance::interrupt::Stop::default();
    let mut stage = Stage::on(Box::new(bench), &declared, case.sut, &plan, &stop).expect("its cast is there");
    stage.watch(judges());
    if suppressed {
        stage.suppress_claims();
    }
    stage.switch_on();
    (case.run)(&mut stage).expect("it can be carried out");
    stage.finish().findings
}

#[test]
fn hardened_meets_every_requirement_whatever_it_says_of_itself() {
    let mut bad = Vec::new();
    for case in terminal::cases() {
        let findings = run(&case, hardened(), "", false);
        bad.extend(findings.violations.iter().map(|violation| format!("{}: {violation:?}", case.id)));
        let unjudged = case.shows.iter().filter(|id| !findings.judged.contains_key(*id));
        bad.extend(unjudged.map(|id| format!("{}: {id} was never judged", case.id)));
        let suppressed = run(&case, hardened(), "", true);
        if (&suppressed.judged, &suppressed.violations) != (&findings.judged, &findings.violations) {
            bad.push(format!("{}: the verdict depends on claims", case.id));
        }
    }
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}

#[test]
fn before_a_real_server_the_same_judges_find_work_and_no_fault() {
    let mut judged = BTreeSet::new();
    for case in pos::cases().iter().filter(|case| case.id == "pos/payment/clean") {
        let findings = run(case, hardened(), "", false);
        assert_eq!(findings.violations, [], "{}", case.id);
        judged.extend(findings.judged.into_keys());
    }
    for id in ["POS-A4", "POS-P3", "POS-P8"] {
        assert!(judged.contains(id), "{id} was never judged: {judged:?}");
    }
}

/// Which requirement each mutant must violate somewhere.
const KILLED_FOR: [(&str, &str); 48] = [
    ("pos-terminal-sends-once", "POS-A2"),
    ("pos-terminal-sends-for-ever", "POS-A2"),
    ("pos-terminal-counts-repeats", "POS-A2"),
    ("pos-terminal-confirms-once", "POS-A4"),
    ("pos-terminal-confirms-nothing", "POS-A4"),
    ("pos-terminal-pending-in-ram", "POS-P3"),
    ("pos-terminal-trusts-torn-entries", "POS-P3"),
    ("pos-terminal-drops-overdue", "POS-P3"),
    ("pos-terminal-restamps-pending", "POS-P3"),
    ("pos-terminal-replaces-pending", "POS-P3"),
    ("pos-terminal-begins-another", "POS-P3"),
    ("pos-terminal-progress-is-success", "POS-P3"),
    ("pos-terminal-acknowledged-is-success", "POS-P3"),
    ("pos-terminal-any-amount", "POS-P3"),
    ("pos-terminal-any-answer", "POS-P3"),
    ("pos-terminal-books-after-showing", "POS-R7"),
    ("pos-terminal-books-in-ram", "POS-R1"),
    ("pos-terminal-books-anybody", "POS-R1"),
    ("pos-terminal-books-codes", "POS-R7"),
    ("pos-terminal-books-overdue", "POS-P3"),
    ("pos-terminal-restamps-records", "POS-R8"),
    ("pos-terminal-overwrites", "POS-R7"),
    ("pos-terminal-forgets-when-full", "POS-R7"),
    ("pos-terminal-deletes-any-time", "POS-R2"),
    ("pos-terminal-ignores-the-sentinel", "POS-R2"),
    ("pos-terminal-deletes-by-address", "POS-R2"),
    ("pos-terminal-deletes-anything", "POS-R2"),
    ("pos-terminal-deletes-acknowledged", "POS-R1"),
    ("pos-terminal-next-on-acknowledge", "POS-R2"),
    ("pos-terminal-drains-at-power-on", "POS-A2"),
    ("pos-terminal-stamps-by-clock", "POS-P8"),
    ("pos-terminal-forgets-last-time", "POS-P8"),
    ("pos-terminal-reads-nought", "POS-P8"),
    ("pos-terminal-bends-dates", "POS-K2"),
    ("pos-terminal-keeps-its-clock", "POS-K2"),
    ("pos-terminal-bytewise-text", "POS-X2"),
    ("pos-terminal-undiscovered", "POS-D1"),
    ("pos-terminal-stops-on-junk", "POS-X1"),
    ("pos-terminal-four-sends", "POS-A2"),
    ("pos-terminal-two-sends", "POS-A2"),
    ("pos-terminal-hasty", "POS-A2"),
    ("pos-terminal-slow-repeats", "POS-A2"),
    ("pos-terminal-impatient", "POS-P3"),
    ("pos-terminal-patient", "POS-P3"),
    ("pos-terminal-progress-cut-short", "POS-P3"),
    ("pos-terminal-slow-rounds", "POS-A2"),
    ("pos-terminal-quick-rounds", "POS-A2"),
    ("pos-terminal-other-progress", "POS-P3"),
];

fn violated(policy: Policy, own: &str) -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    let mut violated: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for case in terminal::cases() {
        for violation in run(&case, policy, own, false).violations {
            violated.entry(violation.requirement).or_default().insert(case.id);
        }
    }
    violated
}

#[test]
fn every_mutant_is_killed_for_the_right_requirement() {
    let mut bad = Vec::new();
    let mutants: Vec<Mutant> = terminal::mutants();
    assert_eq!(mutants.len(), KILLED_FOR.len());
    for mutant in mutants {
        let mut policy = hardened();
        let Turn::Pos(turn) = mutant.turn else { panic!("{} is of another family", mutant.name) };
        turn(&mut policy);
        let killers = violated(policy, mutant.profile);
        let expected = KILLED_FOR.iter().find(|(name, _)| *name == mutant.name);
        if !expected.is_some_and(|(_, requirement)| killers.contains_key(requirement)) {
            bad.push(format!("{} should violate {expected:?}; it violates {killers:?}", mutant.name));
        }
    }
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}

/// A clock that reads nothing when it has lost its time is a fault of its own; that its record never goes is another.
#[test]
fn a_record_of_an_impossible_time_goes_by_the_sentinel_and_by_nothing_else() {
    let with = |delete| {
        let mut policy = hardened();
        policy.terminal = TerminalPolicy { lost_clock: LostClock::ReadsNought, delete, ..policy.terminal };
        violated(policy, "").remove("POS-R2").unwrap_or_default()
    };
    assert_eq!(with(DeleteMatch::Whole), BTreeSet::new());
    assert_eq!(
        with(DeleteMatch::WithoutSentinel),
        BTreeSet::from(["pos/terminal-records/lost-clock", "pos/terminal-records/old-record"])
    );
}
