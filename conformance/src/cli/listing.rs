//! What there is, in plain text.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use assay_reports::text::{counted, grouped};
use assay_sim::fault::Site;
use assay_sim::policy::PolicyName;
use assay_sim::seed::Seed;

use super::args::Listing;
use crate::case::Case;
use crate::explore::Space;
use crate::interrupt::Stop;
use crate::names;
use crate::requirement::{self, Requirement};
use crate::run::Batch;
use crate::suite;
use crate::system::System;
use crate::trial::{Design, Trial};

/// A listing of these systems.
pub(super) fn render(what: Listing, systems: &[System], stop: &Stop) -> String {
    let mut cases = suite::cases();
    cases.retain(|case| systems.contains(&case.system));
    match what {
        Listing::Cases => render_cases(&cases),
        Listing::Requirements => render_requirements(systems, &cases),
        Listing::Mutants => {
            let mutants = suite::mutants().into_iter().filter(|mutant| systems.contains(&mutant.system));
            mutants.map(|mutant| format!("{}: {}\n", mutant.name, mutant.what)).collect()
        }
        Listing::Policies => render_policies(systems),
        Listing::Sites => {
            cases.retain(|case| case.explored);
            let design = Design::new(PolicyName::Hardened, Seed::default());
            render_sites(&Batch { design, cases, explored: Vec::new() }, stop)
        }
        Listing::Profile => {
            let mut texts: Vec<&str> =
                systems.iter().map(|system| suite::built_in_profile(*system)).collect();
            texts.dedup();
            texts.join("\n")
        }
    }
}

fn render_cases(cases: &[Case]) -> String {
    let mut text = String::new();
    for case in cases {
        let marks = [(case.explored, "explored"), (case.on_rig, "on a rig")];
        let marks: Vec<&str> = marks.into_iter().filter(|(is, _)| *is).map(|(_, mark)| mark).collect();
        let marks = if marks.is_empty() { String::new() } else { format!("; {}", marks.join(", ")) };
        let _ = writeln!(text, "{}\n    {}\n    shows {}{marks}", case.id, case.title, case.shows.join(", "));
    }
    text
}

fn render_requirements(systems: &[System], cases: &[Case]) -> String {
    let mut text = String::new();
    for requirement in requirement::all() {
        let shown: Vec<&str> = cases
            .iter()
            .filter(|case| case.shows.contains(&requirement.id.as_str()))
            .map(|case| case.id)
            .collect();
        if !systems.contains(&system_of(requirement)) {
            continue;
        }
        let by = if shown.is_empty() { "no case".to_owned() } else { shown.join(", ") };
        let _ = writeln!(
            text,
            "{} ({})\n    {}\n    shown by {by}",
            requirement.id, requirement.level, requirement.text
        );
    }
    text
}

fn system_of(requirement: &Requirement) -> System {
    match requirement.id.get(..3) {
        Some("MDM") => System::Modem,
        Some("POS") => System::Pos,
        Some("PYC" | "BKD") => System::Payments,
        Some("PAY") => System::Paymod,
        _ => System::Water,
    }
}

fn render_policies(systems: &[System]) -> String {
    let mut text = String::new();
    for system in systems {
        for policy in names::policies(*system) {
            let fails: Vec<String> =
                requirement::known_failures(system.as_str(), policy.as_str()).into_iter().collect();
            let fails = if fails.is_empty() { "nothing".to_owned() } else { fails.join(", ") };
            let _ = writeln!(
                text,
                "{} {policy}\n    {}\n    known to fail {fails}",
                system.as_str(),
                names::policy_words(*policy)
            );
        }
    }
    text
}

/// The sites of each case, in the order in which its golden run comes to them.
pub(super) fn render_sites(batch: &Batch, stop: &Stop) -> String {
    let mut text = String::new();
    for case in batch.cases.iter().take_while(|_| !stop.interrupted()) {
        let space = match Trial::new(*case, &batch.design) {
            Ok(trial) => Space::of(&trial, stop),
            Err(error) => {
                let _ = writeln!(text, "{}: {error}", case.id);
                continue;
            }
        };
        let mut faults: BTreeMap<&Site, u64> = BTreeMap::new();
        for strike in &space.strikes {
            *faults.entry(&strike.site).or_default() += 1;
        }
        let sites = counted(space.visits.len() as u64, "site");
        let _ = writeln!(text, "{}: {sites}, {}", case.id, counted(space.strikes.len() as u64, "fault"));
        if let Some(broken) = &space.golden.broken {
            let _ = writeln!(text, "    the golden run broke: {broken}");
        }
        for visit in &space.visits {
            let count = faults.get(&visit.site).copied().unwrap_or_default();
            let _ = writeln!(text, "{:>14}  {:>7}  {}", visit.at.to_string(), grouped(count), visit.site);
        }
    }
    text
}
