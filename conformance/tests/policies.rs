//! The requirements that each named design fails, compared with the data both ways.

use std::collections::BTreeSet;

use assay_conformance::explore::{Extent, Space, strike};
use assay_conformance::interrupt::Stop;
use assay_conformance::names;
use assay_conformance::requirement;
use assay_conformance::suite;
use assay_conformance::system::System;
use assay_conformance::trial::{Design, KEPT, Trial};
use assay_sim::policy::PolicyName;
use assay_sim::seed::Seed;
use assay_sim::tape::Keep;

/// How many faults of each kind at each name of a site are tried.
const EACH: usize = 8;

fn failed_by(policy: PolicyName, system: &str) -> BTreeSet<String> {
    let stop = Stop::default();
    let mut failed = BTreeSet::new();
    for case in suite::cases().into_iter().filter(|case| case.system.as_str() == system) {
        let trial = Trial::new(case, &Design::new(policy, Seed(1))).expect("the case is sound");
        let run = trial.run(&trial.own, Keep::Last(KEPT), &stop);
        assert!(run.broken.is_none(), "{}: {:?}", case.id, run.broken);
        failed.extend(run.violated());
        if !case.explored {
            continue;
        }
        let space = Space::of(&trial, &stop);
        for place in space.pick(Extent::Each(EACH)) {
            failed.extend(strike(&trial, &space.strikes[place], &stop).violated);
        }
    }
    failed.into_iter().map(str::to_owned).collect()
}

fn fails_what_the_data_says(policy: PolicyName) {
    for system in System::ALL.into_iter().filter(|system| names::policies(*system).contains(&policy)) {
        let system = system.as_str();
        let known = requirement::known_failures(system, policy.as_str());
        assert_eq!(
            failed_by(policy, system),
            known,
            "{policy}, {system}: left is measured, right is the data"
        );
    }
}

#[test]
fn hardened_fails_nothing() {
    fails_what_the_data_says(PolicyName::Hardened);
}

#[test]
fn published_fails_what_its_document_leaves_open() {
    fails_what_the_data_says(PolicyName::Published);
}

#[test]
fn uncached_fails_what_a_cache_is_for() {
    fails_what_the_data_says(PolicyName::Uncached);
}
