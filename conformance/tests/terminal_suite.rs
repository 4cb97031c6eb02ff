//! Runs the cases in which a terminal is under test, and shows which requirement each mutant violates.

use std::collections::{BTreeMap, BTreeSet};

use assay_conformance::finding::Findings;
use assay_conformance::suite::{Mutant, Turn};
use assay_conformance::water::terminal;
use assay_conformance::water::{Case, Stage};
use assay_sim::policy::PolicyName;
use assay_sim::seed::Seed;
use assay_sim::tape::Keep;
use assay_sim::water::plant::Plant;
use assay_sim::water::policy::Policy;
use assay_sim::water::profile::{BUILT_IN, Profile};

fn run(case: &Case, policy: Policy, divisor: u64, suppressed: bool) -> Findings {
    let overrides = toml::from_str(case.setup.profile).expect("its values read");
    let plant = Plant {
        profile: Profile::load(BUILT_IN, &overrides, divisor).expect("they fit the profile"),
        policy,
        terminals: case.setup.terminals,
        cards: case.setup.cards.to_vec(),
        seating: case.setup.seating,
        seed: Seed(1),
    };
    let plan = case.fault_plan().expect("its plan reads");
    let mut stage = Stage::new(&plant, case.sut, &plan, Keep::All).expect("its bench stands");
    let oracles = (case.oracles)(stage.scene());
    stage.watch(oracles);
    if suppressed {
        stage.suppress_claims();
    }
    stage.switch_on();
    (case.run)(&mut stage).expect("it can be carried out");
    stage.finish().findings
}

fn hardened() -> Policy {
    Policy::named(PolicyName::Hardened)
}

fn mutated(mutant: &Mutant) -> Policy {
    let mut policy = hardened();
    let Turn::Water(turn) = mutant.turn else { panic!("{} is of another family", mutant.name) };
    turn(&mut policy);
    policy
}

#[test]
fn hardened_meets_every_requirement_and_every_case_judges_what_it_shows() {
    let mut bad = Vec::new();
    let mut judged: BTreeMap<&str, u64> = BTreeMap::new();
    for case in terminal::cases() {
        let findings = run(&case, hardened(), 1, false);
        for violation in &findings.violations {
            bad.push(format!("{}: {violation:?}", case.id));
        }
        for id in case.shows {
            let times = findings.judged.get(id).copied().unwrap_or(0);
            *judged.entry(id).or_default() += times;
            if times == 0 {
                bad.push(format!("{}: {id} was never judged", case.id));
            }
        }
        println!("{}: {:?}", case.id, findings.judged);
    }
    println!("judged: {judged:?}");
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}

#[test]
fn hardened_also_meets_them_with_every_timer_divided_by_ten() {
    for case in terminal::cases() {
        let findings = run(&case, hardened(), 10, false);
        assert_eq!(findings.violations, [], "{}", case.id);
    }
}

#[test]
fn what_the_terminal_says_of_itself_changes_no_verdict() {
    for case in terminal::cases() {
        let (open, suppressed) = (run(&case, hardened(), 1, false), run(&case, hardened(), 1, true));
        assert_eq!(open.judged, suppressed.judged, "{}", case.id);
    }
}

/// Which requirement each mutant must violate somewhere.
const KILLED_FOR: [(&str, &str); 27] = [
    ("terminal-any-machine", "WAT-F6"),
    ("terminal-any-card", "WAT-F6"),
    ("terminal-unasked", "WAT-F6"),
    ("terminal-silent-on-damage", "WAT-F2"),
    ("terminal-asks-for-ever", "WAT-F2"),
    ("terminal-asks-untyped", "WAT-F2"),
    ("terminal-trusts-damaged", "WAT-F1"),
    ("terminal-repeats-once", "WAT-F3"),
    ("terminal-repeats-for-ever", "WAT-F3"),
    ("terminal-rewrites", "WAT-F3"),
    ("terminal-repeats-answered", "WAT-F3"),
    ("terminal-waits-for-rest", "WAT-F4"),
    ("terminal-drops-all", "WAT-F4"),
    ("terminal-believes-length", "WAT-F5"),
    ("terminal-gives-up-early", "WAT-F4"),
    ("terminal-always-flat", "WAT-P1"),
    ("terminal-keeps-connection", "WAT-C1"),
    ("terminal-stops-after-failure", "WAT-B3"),
    ("terminal-impatient", "WAT-B1"),
    ("terminal-three-misses", "WAT-B1"),
    ("terminal-trusts-configuration", "WAT-S1"),
    ("terminal-port-compiled-in", "WAT-S1"),
    ("terminal-machine-compiled-in", "WAT-S1"),
    ("terminal-skips-voice", "WAT-B2"),
    ("terminal-names-nothing", "WAT-B2"),
    ("terminal-shows-only", "WAT-U1"),
    ("terminal-without-volume", "WAT-U1"),
];

#[test]
fn every_mutant_is_killed_for_the_right_requirement() {
    let mut bad = Vec::new();
    for mutant in terminal::mutants() {
        let mut killers: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for case in terminal::cases() {
            for violation in run(&case, mutated(&mutant), 1, false).violations {
                killers.entry(violation.requirement).or_default().insert(case.id);
            }
        }
        println!("{}: {killers:?}", mutant.name);
        let expected = KILLED_FOR.iter().find(|(name, _)| *name == mutant.name);
        if !expected.is_some_and(|(_, requirement)| killers.contains_key(requirement)) {
            bad.push(format!("{} should violate {expected:?}; it violates {killers:?}", mutant.name));
        }
    }
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}

/// Choices that other cases kill first, and that must be seen here too.
#[test]
fn an_upload_that_is_never_cached_or_never_drained_is_seen() {
    use assay_sim::water::terminal::{CacheWhen, Drain};
    let violated = |apply: fn(&mut Policy)| {
        let mut policy = hardened();
        apply(&mut policy);
        let cases = terminal::cases();
        let violations = cases.iter().flat_map(|case| run(case, policy, 1, false).violations);
        violations.map(|violation| violation.requirement).collect::<BTreeSet<_>>()
    };
    let never = violated(|policy| policy.terminal.cache = CacheWhen::Never);
    assert!(never.contains("WAT-C1") && never.contains("WAT-C2"), "{never:?}");
    let at_boot = violated(|policy| policy.terminal.drain = Drain::AtBoot);
    assert!(at_boot.contains("WAT-C2"), "{at_boot:?}");
    let late = violated(|policy| policy.terminal.cache = CacheWhen::WhenUnanswered);
    assert_eq!(late, BTreeSet::new());
}
