//! A certificate in plain text: what was certified, on what, how thoroughly, and what is still open.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::console::{case_counts, left_out};
use crate::record::{CaseRecord, ExplorationRecord, OverheadRecord, RigRecord, RunRecord, SoakRecord};
use crate::text::{counted, escape, grouped, seconds, shown, wrapped};
use crate::verdict::Verdict;

/// How many cases that did not pass are listed; `run.json` holds the rest.
const LISTED_MAX: usize = 40;

/// How wide the column of labels is.
///
/// Units: columns.
const LABEL: usize = 14;

/// `certificate.txt`; without a rig on record, what there is to say all the same.
pub fn render_certificate(record: &RunRecord) -> String {
    let mut out = format!("Assay certificate: {}\n\n", record.verdict());
    push_head(&mut out, record);
    push_counts(&mut out, record);
    push_findings(&mut out, record);
    push_open(&mut out, record);
    out
}

fn push(out: &mut String, label: &str, text: &str) {
    *out += &wrapped(&format!("{label:<LABEL$}"), text);
}

fn push_head(out: &mut String, record: &RunRecord) {
    match record.rig.as_ref().and_then(|rig| rig.product.as_ref()) {
        Some(product) => {
            let [name, version, build] =
                [&product.name, &product.version, &product.build].map(|text| shown(text));
            push(out, "Product", &format!("{name}, version {version}, build {build}"));
            let [family, role, profile] =
                [&product.family, &product.role, &product.profile].map(|text| shown(text));
            push(out, "Statement", &format!("{role} of the system {family}, profile {profile}"));
        }
        None => push(out, "Product", "not stated: the rig file names no conformance statement in `pics`"),
    }
    if let Some(rig) = &record.rig {
        push(out, "Rig", &shown(&rig.file));
        for (at, found) in rig.self_check.iter().enumerate() {
            push(out, if at == 0 { "Self-check" } else { "" }, &shown(found));
        }
        if rig.self_check.is_empty() {
            push(out, "Self-check", "not passed");
        }
    }
    let tool = format!("Assay {}, {}, seed {}", shown(&record.tool), shown(&record.started), record.seed);
    push(out, "Tool", &tool);
    push(out, "Command", &escape(&record.command.join(" ")));
    out.push('\n');
}

fn push_counts(out: &mut String, record: &RunRecord) {
    push(out, "Verdict", &format!("{} (exit code {})", record.verdict(), record.exit_code()));
    if record.interrupted {
        push(out, "", "The run was interrupted: what is not here was not run.");
    }
    push(out, "Cases", &case_counts(record));
    push(out, "Requirements", &requirements(record));
    if !record.exploration.is_empty() {
        push(out, "Exploration", &explored(&record.exploration));
    }
    let Some(rig) = &record.rig else { return };
    if let Some(soak) = &rig.soak {
        push(out, "Soak", &soaked(soak));
    }
    if let Some(overhead) = &rig.overhead {
        push(out, "Rig overhead", &held_up(overhead));
    }
    for (at, power) in rig.power.iter().enumerate() {
        push(out, if at == 0 { "Power" } else { "" }, &shown(power));
    }
}

/// How many requirements came to what, each once by the worst that any case says of it.
pub(crate) fn requirements(record: &RunRecord) -> String {
    let mut worst: BTreeMap<&str, Option<Verdict>> = BTreeMap::new();
    for outcome in record.judged_cases().flat_map(|case| &case.requirements) {
        let judged = (outcome.judged > 0 || outcome.verdict == Verdict::Skipped).then_some(outcome.verdict);
        let known = worst.entry(&outcome.id).or_default();
        // A case that could not judge it says nothing against one that could.
        *known = match (*known, judged) {
            (Some(Verdict::Skipped), Some(now)) => Some(now),
            (Some(before), Some(Verdict::Skipped)) => Some(before),
            (before, now) => before.max(now),
        };
    }
    let count =
        |wanted: &dyn Fn(Option<Verdict>) -> bool| worst.values().filter(|known| wanted(**known)).count();
    let met = count(&|known| known == Some(Verdict::Pass));
    let violated = count(&|known| known >= Some(Verdict::Fail));
    let skipped = count(&|known| known == Some(Verdict::Skipped));
    let open = worst.len() - met - violated - skipped;
    format!("{}: {met} met, {violated} violated, {open} not judged, {skipped} skipped", worst.len())
}

/// What all explorations together covered.
pub(crate) fn explored(all: &[ExplorationRecord]) -> String {
    let sum = |of: fn(&ExplorationRecord) -> u64| all.iter().map(of).sum::<u64>();
    let (struck, total) = (sum(|one| one.faults_struck), sum(|one| one.faults_total));
    let (sites, violations) = (sum(|one| one.sites), sum(ExplorationRecord::violations));
    format!(
        "{} of {} struck ({}) at {} of {}; {}",
        grouped(struck),
        counted(total, "fault"),
        share(struck, total),
        counted(sites, "site"),
        counted(all.len() as u64, "case"),
        if violations == 0 { "no violation".to_owned() } else { counted(violations, "violation") },
    )
}

/// A share in per cent with one decimal, rounded down so that only all of it is 100.
fn share(part: u64, all: u64) -> String {
    let per_mille = part.saturating_mul(1_000).checked_div(all).unwrap_or_default();
    format!("{}.{} %", per_mille / 10, per_mille % 10)
}

/// What a soak came to.
pub(crate) fn soaked(soak: &SoakRecord) -> String {
    let rounds: u64 = soak.rounds.values().sum();
    let counts: Vec<String> =
        soak.rounds.iter().map(|(verdict, count)| format!("{} {verdict}", grouped(*count))).collect();
    let counts = if counts.is_empty() { String::new() } else { format!(": {}", counts.join(", ")) };
    format!(
        "{} within {}, seeds from {}{counts}; {} of {} struck",
        counted(rounds, "round"),
        seconds(soak.asked_us),
        soak.first_seed,
        grouped(soak.faults_struck),
        counted(soak.faults_drawn, "drawn fault"),
    )
}

/// How long a rig held transmissions up.
pub(crate) fn held_up(overhead: &OverheadRecord) -> String {
    let OverheadRecord { transmissions, median_us, p99_us, worst_us } = overhead;
    format!(
        "{}: half within {} µs, 99 % within {} µs, the worst {} µs",
        counted(*transmissions, "transmission"),
        grouped(*median_us),
        grouped(*p99_us),
        grouped(*worst_us),
    )
}

/// How often a failure came back under the same plan, in words; nothing if it was not tried.
pub(crate) fn came_back(case: &CaseRecord) -> Option<String> {
    let replayed = case.replayed.as_ref()?;
    let again: Vec<String> =
        replayed.again.iter().map(|(id, times)| format!("{} in {times}", shown(id))).collect();
    let again = if again.is_empty() { "nothing".to_owned() } else { again.join(", ") };
    Some(format!("Replayed {} with the same plan; violated again: {again}.", counted(replayed.runs, "time")))
}

fn push_findings(out: &mut String, record: &RunRecord) {
    let failed: Vec<&CaseRecord> =
        record.judged_cases().filter(|case| case.verdict >= Verdict::Fail).collect();
    if failed.is_empty() {
        return;
    }
    *out += "\nWhat failed or broke:\n";
    for case in failed.iter().take(LISTED_MAX) {
        let reason = case.reason().map(|reason| format!(": {}", shown(&reason))).unwrap_or_default();
        *out += &wrapped("  - ", &format!("{} {}{reason}", case.verdict, shown(&case.id)));
        out.extend(came_back(case).map(|words| wrapped("    ", &words)));
        if let Some(command) = &case.replay {
            let _ = writeln!(out, "    {}", escape(command));
        }
    }
    out.extend(left_out(failed.len(), LISTED_MAX, "case").map(|more| format!("  {more}\n")));
}

fn push_open(out: &mut String, record: &RunRecord) {
    let open: Vec<&CaseRecord> =
        record.judged_cases().filter(|case| case.verdict == Verdict::Inconclusive).collect();
    let rig = record.rig.as_ref();
    let lacks = rig.map(|rig: &RigRecord| rig.lacks.as_slice()).unwrap_or_default();
    let vacuous = record.vacuous_requirements();
    if open.is_empty() && lacks.is_empty() && vacuous.is_empty() {
        return;
    }
    *out += "\nWhat is inconclusive, and what would make it conclusive:\n";
    for lack in lacks {
        *out += &wrapped("  - ", &shown(lack));
    }
    if !vacuous.is_empty() {
        let ids = escape(&vacuous.join(", "));
        *out += &wrapped("  - ", &format!("never in a position to fail in any case: {ids}"));
    }
    for case in open.iter().take(LISTED_MAX) {
        let reason = case.reason().map(|reason| format!(": {}", shown(&reason))).unwrap_or_default();
        *out += &wrapped("  - ", &format!("{}{reason}", shown(&case.id)));
    }
    out.extend(left_out(open.len(), LISTED_MAX, "case").map(|more| format!("  {more}\n")));
}
