//! Every mutant is killed by a plain case, for a requirement that the reference meets; and what a party under test says
//! of itself decides no verdict.

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

/// The least number of mutants of the water system.
const WATER_MIN: usize = 20;

fn violations(case: Case, mutant: Mutant, watch: Watch) -> Vec<Violation> {
    let design = Design::new(PolicyName::Hardened, Seed(1)).mutated(mutant);
    let trial = Trial::new(case, &design).expect("the case is sound");
    let run = trial.run_on(&Bench::Tabletop, &trial.own, Keep::Last(KEPT), &Stop::default(), watch);
    assert!(run.broken.is_none(), "{} on {}: {:?}", mutant.name, case.id, run.broken);
    run.outcome.map(|outcome| outcome.findings.violations).unwrap_or_default()
}

#[test]
fn every_mutant_is_killed_whatever_it_claims() {
    let mutants = suite::mutants();
    let of_water = mutants.iter().filter(|mutant| mutant.system.as_str() == "water").count();
    assert!(of_water >= WATER_MIN, "only {of_water} mutants of the water system");
    let wrong: Vec<String> = mutants
        .par_iter()
        .flat_map_iter(|mutant| {
            let mut wrong = Vec::new();
            let mut killed = false;
            for case in suite::cases().into_iter().filter(|case| case.system == mutant.system) {
                let found = violations(case, *mutant, Watch::PLAIN);
                let without = violations(case, *mutant, Watch::NO_CLAIMS);
                if found != without {
                    let what = format!("{found:?} with claims, {without:?} without");
                    wrong.push(format!("{} on {}: {what}", mutant.name, case.id));
                }
                killed |= !found.is_empty();
            }
            if !killed {
                wrong.push(format!("{} survives", mutant.name));
            }
            wrong
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
