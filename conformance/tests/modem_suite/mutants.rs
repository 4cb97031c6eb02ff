//! Hosts and modems with one thing wrong, and the requirement that finds each out.

use std::collections::{BTreeMap, BTreeSet};

use assay_conformance::finding::Findings;
use assay_conformance::modem;

use super::{HARDENED, Run};

fn violated(findings: &Findings) -> BTreeSet<&'static str> {
    findings.violations.iter().map(|found| found.requirement).collect()
}

/// Which requirement finds each mutant out, and no other does unless it is listed.
const KILLS: &[(&str, &[&str])] = &[
    ("host-waits-for-ever", &["MDM-H1"]),
    ("host-reconnects-at-once", &["MDM-H2"]),
    ("host-reads-data-as-lines", &["MDM-H3"]),
    ("host-is-eager", &["MDM-H4"]),
    ("host-expects-no-echo", &["MDM-H1"]),
    ("host-hears-closes-when-idle", &["MDM-H1"]),
    ("host-hurries-commands", &["MDM-H4"]),
    ("host-hurries-attaching", &["MDM-H4"]),
    ("host-hurries-prompts", &["MDM-H4"]),
    ("host-hurries-sends", &["MDM-H4"]),
    ("host-calls-without-pause", &["MDM-H4"]),
    ("host-waits-an-hour-for-results", &["MDM-H1"]),
    ("host-waits-an-hour-for-attaching", &["MDM-H1"]),
    ("host-waits-an-hour-for-connections", &["MDM-H1"]),
    ("host-waits-an-hour-for-prompts", &["MDM-H1"]),
    ("host-waits-an-hour-for-sends", &["MDM-H1"]),
    ("host-never-waits-longer", &["MDM-H2"]),
    ("host-waits-an-hour-between-tries", &["MDM-H1"]),
    ("host-misses-lost-contexts", &["MDM-H1"]),
    ("host-misses-restarts", &["MDM-H1"]),
    ("host-believes-short-blocks-only", &["MDM-H1"]),
    ("host-gives-blocks-up-at-once", &["MDM-H1"]),
    ("host-reads-short-lines-only", &["MDM-H1"]),
    ("host-presses-the-key-too-briefly", &["MDM-H1"]),
    ("host-asks-for-registration-once", &["MDM-H1"]),
    ("host-insists-without-pause", &["MDM-H2"]),
    ("host-gives-up-calling-at-once", &["MDM-H1"]),
    ("modem-ignores-bare-lf", &["MDM-A1"]),
    ("modem-reports-inside-echo", &["MDM-A4"]),
    ("modem-reports-at-prompt", &["MDM-A4"]),
    ("modem-up-too-early", &["MDM-A5"]),
    ("modem-starts-at-a-touch", &["MDM-A5"]),
    ("modem-resets-at-a-touch", &["MDM-A5"]),
    ("modem-tells-its-start-to-anybody", &["MDM-A5", "MDM-A8"]),
    ("modem-starts-without-key", &["MDM-A5"]),
    ("modem-short-guard-before", &["MDM-A7"]),
    ("modem-short-guard-after", &["MDM-A7"]),
    ("modem-slow-escape", &["MDM-A7"]),
    ("modem-sends-64-at-most", &["MDM-A8"]),
    ("modem-marks-data-otherwise", &["MDM-A8"]),
    ("modem-names-states-otherwise", &["MDM-A8"]),
    ("modem-already-connected-is-an-error", &["MDM-A8"]),
    ("modem-loses-context-otherwise", &["MDM-A8"]),
    ("modem-connects-without-end", &["MDM-A8"]),
    ("modem-sends-without-end", &["MDM-A8"]),
    ("sim800a-ignores-bare-lf", &["MDM-A1"]),
    ("sim800a-reports-inside-echo", &["MDM-A4"]),
    ("sim800a-reports-at-prompt", &["MDM-A4"]),
    ("sim800a-up-too-early", &["MDM-A5"]),
    ("sim800a-starts-at-a-touch", &["MDM-A5"]),
    ("sim800a-tells-its-start-to-anybody", &["MDM-A5"]),
    ("sim800a-short-guard-before", &["MDM-A7"]),
    ("sim800a-short-guard-after", &["MDM-A7"]),
    ("sim800a-slow-escape", &["MDM-A7"]),
    ("sim800a-sends-64-at-most", &["MDM-A6"]),
    ("sim800a-numbers-without-blank", &["MDM-A2"]),
    ("sim800a-already-connected-is-an-error", &["MDM-A2"]),
    ("sim800a-reopens-without-shut", &["MDM-A3"]),
    ("sim800a-connects-without-end", &["MDM-A2"]),
    ("sim800a-sends-without-end", &["MDM-A2"]),
    ("sim800a-ends-counted-data-at-1a", &["MDM-A6"]),
    ("sim800a-resolves-wrongly", &["MDM-A2"]),
    ("sim800a-warns-of-other-limits", &["MDM-A2"]),
    ("sim800a-sleeps-through-its-host", &["MDM-A2"]),
    ("sim800a-wakes-slowly", &["MDM-A2"]),
];

#[test]
fn every_mutant_is_found_out_by_its_requirement() {
    let mutants = modem::mutants();
    let names: Vec<&str> = mutants.iter().map(|mutant| mutant.name).collect();
    assert_eq!(names, KILLS.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    let hosts = names.iter().filter(|name| name.starts_with("host-")).count();
    assert!(hosts >= 25 && names.len() - hosts >= 25, "{hosts} of {}", names.len());
    let mut wrong = String::new();
    for (mutant, (name, right)) in mutants.iter().zip(KILLS.iter().copied()) {
        let mut by = BTreeMap::<&str, Vec<&str>>::new();
        for case in modem::cases() {
            for requirement in violated(&Run { mutant: Some(mutant), ..HARDENED }.findings(&case)) {
                by.entry(requirement).or_default().push(case.id);
            }
        }
        println!("{name}: {by:#?}");
        if !right.iter().all(|right| by.contains_key(right)) {
            wrong += &format!("\n{name} survives {right:?}: {by:?}");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
