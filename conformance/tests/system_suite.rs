//! Runs the cases with every party, and shows which mutants they kill.

use std::collections::BTreeSet;

use assay_conformance::case::Case;
use assay_conformance::finding::Findings;
use assay_conformance::stage::{Jumps, Stage};
use assay_sim::seed::Seed;
use assay_sim::tabletop::BenchLegend;
use assay_sim::tape::{Keep, render_entry};
use assay_sim::water::plant::Plant;
use assay_sim::water::policy::{Policy, PolicyName};
use assay_sim::water::profile::{BUILT_IN, Profile};

fn run(case: &Case, policy: Policy, print: bool) -> Findings {
    let overrides = toml::from_str(case.setup.profile).unwrap();
    let plant = Plant {
        profile: Profile::load(BUILT_IN, &overrides, 1).unwrap(),
        policy,
        terminals: case.setup.terminals,
        cards: case.setup.cards.to_vec(),
        seating: case.setup.seating,
        seed: Seed(1),
    };
    let plan = case.fault_plan().unwrap();
    let mut stage = Stage::new(&plant, case.sut, &plan, Keep::All, Box::new(Jumps)).unwrap();
    let oracles = (case.oracles)(stage.scene());
    stage.watch(oracles);
    stage.switch_on();
    (case.run)(&mut stage).unwrap();
    let outcome = stage.finish();
    assert!(
        outcome.bench.not_reached().is_empty() || policy != PolicyName::Hardened.policy(),
        "{}: a planned fault did not strike",
        case.id
    );
    if print {
        let legend = BenchLegend::new(&outcome.bench, &plan);
        for entry in outcome.bench.tape().entries() {
            println!("{:>5} {}", entry.ordinal, render_entry(entry, &legend));
        }
    }
    outcome.findings
}

fn cases() -> Vec<Case> {
    assay_conformance::water::cases()
}

#[test]
fn hardened_meets_every_requirement() {
    let mut bad = Vec::new();
    for case in cases() {
        let findings = run(&case, PolicyName::Hardened.policy(), false);
        for violation in &findings.violations {
            bad.push(format!("{}: {violation:?}", case.id));
        }
        for id in case.shows {
            if findings.judged.get(id).copied().unwrap_or(0) == 0 {
                bad.push(format!("{}: {id} was never judged", case.id));
            }
        }
    }
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}

#[test]
fn every_mutant_is_killed() {
    let mut survivors = Vec::new();
    for mutant in assay_conformance::water::mutants() {
        let mut policy = PolicyName::Hardened.policy();
        (mutant.apply)(&mut policy);
        let mut killers = BTreeSet::new();
        for case in cases() {
            for violation in run(&case, policy, false).violations {
                killers.insert((violation.requirement, case.id));
            }
        }
        println!("{}: {killers:?}", mutant.name);
        if killers.is_empty() {
            survivors.push(mutant.name);
        }
    }
    assert_eq!(survivors, Vec::<&str>::new());
}

#[test]
#[ignore]
fn look() {
    let id = std::env::args().last().unwrap();
    let _ = id;
    let case = cases().into_iter().find(|case| case.id == "water/carry/late-answer").unwrap();
    let mut policy = PolicyName::Hardened.policy();
    policy.terminal.credit = assay_sim::water::terminal::CreditRule::Increment;
    run(&case, policy, true);
}
