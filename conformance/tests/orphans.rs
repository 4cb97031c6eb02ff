//! No requirement without a case, no case without a requirement, no plan that does not read.

use std::collections::BTreeSet;

use assay_conformance::{requirement, suite};

#[test]
fn every_requirement_is_shown_and_every_shown_requirement_exists() {
    let shown: BTreeSet<&str> = suite::cases().iter().flat_map(|case| case.shows.iter().copied()).collect();
    let known: BTreeSet<&str> = requirement::all()
        .iter()
        .filter(|requirement| requirement.applies())
        .map(|requirement| requirement.id.as_str())
        .collect();
    let unshown: Vec<_> = known.difference(&shown).collect();
    let unknown: Vec<_> = shown.difference(&known).collect();
    assert!(unshown.is_empty(), "no case shows {unshown:?}");
    assert!(unknown.is_empty(), "no requirement of this version is called {unknown:?}");
}

#[test]
fn ids_are_unique_and_belong_to_their_system() {
    let cases = suite::cases();
    let ids: BTreeSet<&str> = cases.iter().map(|case| case.id).collect();
    assert_eq!(ids.len(), cases.len(), "two cases share an id");
    for case in &cases {
        assert_eq!(case.id.split('/').next(), Some(case.system.as_str()), "{}", case.id);
        assert_eq!(case.id.split('/').count(), 3, "{} is not family/topic/behaviour", case.id);
        assert!(case.fault_plan().is_ok(), "{}: {:?}", case.id, case.fault_plan());
        assert!(!case.shows.is_empty(), "{} shows nothing", case.id);
    }
    let mutants = suite::mutants();
    let names: BTreeSet<&str> = mutants.iter().map(|mutant| mutant.name).collect();
    assert_eq!(names.len(), mutants.len(), "two mutants share a name");
}

#[test]
fn known_failures_name_requirements_that_exist() {
    for system in ["water", "modem", "pos", "payments", "paymod"] {
        for policy in ["hardened", "published", "uncached"] {
            for id in requirement::known_failures(system, policy) {
                assert!(requirement::by_id(&id).is_some(), "{system} {policy} is said to fail `{id}`");
            }
        }
    }
}
