//! Every mutant is killed by a plain case, for a requirement that the reference meets; and what a party under test says
//! of itself decides no verdict.

use std::collections::BTreeSet;

use assay_conformance::case::Case;
use assay_conformance::finding::Violation;
use assay_conformance::interrupt::Stop;
use assay_conformance::rig_bench::Bench;
use assay_conformance::suite::{self, Mutant};
use assay_conformance::trial::{Design, KEPT, Trial, Watch};
use assay_sim::policy::PolicyName;
use assay_sim::seed::Seed;
use assay_sim::tape::Keep;
use rayon::prelude::*;

/// The least number of mutants of a system with terminals and a server.
const MUTANTS_MIN: usize = 20;

fn violations(case: Case, mutant: Mutant, watch: Watch) -> Vec<Violation> {
    let design = Design::new(PolicyName::Hardened, Seed(1)).mutated(mutant);
    let trial = Trial::new(case, &design).expect("the case is sound");
    let run = trial.run_on(&Bench::Tabletop, &trial.own, Keep::Last(KEPT), &Stop::default(), watch);
    assert!(run.broken.is_none(), "{} on {}: {:?}", mutant.name, case.id, run.broken);
    run.outcome.map(|outcome| outcome.findings.violations).unwrap_or_default()
}

/// The requirements that are violated.
fn verdict(violations: &[Violation]) -> BTreeSet<&'static str> {
    violations.iter().map(|violation| violation.requirement).collect()
}

#[test]
fn every_mutant_is_killed_whatever_it_claims() {
    let mutants = suite::mutants();
    for system in ["water", "pos", "payments", "paymod"] {
        let known = mutants.iter().filter(|mutant| mutant.system.as_str() == system).count();
        assert!(known >= MUTANTS_MIN, "only {known} mutants of the {system} system");
    }
    let wrong: Vec<String> = mutants
        .par_iter()
        .flat_map_iter(|mutant| {
            let mut wrong = Vec::new();
            let mut killed = false;
            let other_face = |case: &Case| FACES.iter().any(|face| case.id.starts_with(face));
            let quick =
                |case: &Case| case.system == mutant.system && !case.tabletop_only && !other_face(case);
            for case in suite::cases().into_iter().filter(quick) {
                let found = violations(case, *mutant, Watch::PLAIN);
                let without = violations(case, *mutant, Watch::NO_CLAIMS);
                // Judges find what is overdue when the next entry comes, and without claims there are fewer: what is
                // violated must be the same, and how often need not be.
                if verdict(&found) != verdict(&without) {
                    let what = format!("{found:?} with claims, {without:?} without");
                    wrong.push(format!("{} on {}: {what}", mutant.name, case.id));
                }
                killed |= !found.is_empty();
            }
            if killed == BY_FAULTS.contains(&mutant.name) {
                wrong.push(format!("{} {}", mutant.name, if killed { "is killed" } else { "survives" }));
            }
            wrong
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Mutants that it takes a fault beyond a case's own to find out: `assay mutants` strikes some at each.
const BY_FAULTS: [&str; 3] = ["module-waits-for-rest", "server-acts-on-repeats", "server-forgets"];

/// The cases for clients of the other faces of the payment platforms.
const FACES: [&str; 2] = ["payments/client-v3/", "payments/client-alipay/"];

/// Mutants that do nothing wrong by a face: WeChat Pay v3 takes any body with its status for the success, and Alipay
/// has no shortest time to undo or close an order.
const HARMLESS: [(&str, &str); 4] = [
    ("payments/client-v3/", "client-answers-other-platforms"),
    ("payments/client-v3/", "client-answers-nothing"),
    ("payments/client-alipay/", "client-undoes-early"),
    ("payments/client-alipay/", "client-closes-early"),
];

#[test]
fn every_client_mutant_is_killed_by_each_face() {
    let mutants: Vec<Mutant> =
        suite::mutants().into_iter().filter(|mutant| mutant.system.as_str() == "payments").collect();
    for face in FACES {
        let cases: Vec<Case> = suite::cases().into_iter().filter(|case| case.id.starts_with(face)).collect();
        let kills =
            |mutant: &&Mutant| cases.iter().any(|case| !violations(*case, **mutant, Watch::PLAIN).is_empty());
        let survive: Vec<&str> =
            mutants.par_iter().filter(|mutant| !kills(mutant)).map(|mutant| mutant.name).collect();
        let harmless: Vec<&str> = mutants
            .iter()
            .map(|mutant| mutant.name)
            .filter(|name| HARMLESS.contains(&(face, name)))
            .collect();
        assert_eq!(survive, harmless, "{face}");
    }
}
