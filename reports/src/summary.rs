//! The record as Markdown for a pull request: what did not pass, why, and how to run it again.

use std::fmt::Write as _;

use crate::certificate;
use crate::console::{self, EVIDENCE_MAX, VIOLATIONS_MAX, evidence_lines, left_out};
use crate::exploration::{self, by_requirement};
use crate::margins;
use crate::mutants;
use crate::record::{
    CaseRecord, ExplorationRecord, MarginsRecord, MutantRecord, RigRecord, RunRecord, ViolationRecord,
};
use crate::text::{counted, grouped, markdown_block, markdown_code, markdown_prose, seconds};
use crate::verdict::Verdict;

/// How many cases the table of cases has room for; the platforms that show summaries limit their size.
const ROWS_MAX: usize = 200;

/// How many failures are described in full.
const FAILURES_MAX: usize = 20;

/// `summary.md`.
pub fn render_summary(record: &RunRecord) -> String {
    let mut out = String::new();
    push_head(&mut out, record);
    push_table(&mut out, record);
    let described: Vec<&CaseRecord> =
        record.judged_cases().filter(|case| case.verdict >= Verdict::Fail).collect();
    if !described.is_empty() {
        out += "\n## Failures\n";
    }
    for case in described.iter().take(FAILURES_MAX) {
        push_failure(&mut out, case);
    }
    push_left_out(&mut out, described.len(), FAILURES_MAX, "failure");
    if !record.exploration.is_empty() {
        out += "\n## Exploration\n";
    }
    for explored in &record.exploration {
        push_exploration(&mut out, explored);
    }
    if !record.mutants.is_empty() {
        push_mutants(&mut out, &record.mutants);
    }
    for found in &record.margins {
        push_margins(&mut out, found);
    }
    out
}

fn push_left_out(out: &mut String, all: usize, shown_max: usize, noun: &str) {
    if let Some(more) = left_out(all, shown_max, noun) {
        let _ = writeln!(out, "\n{more}");
    }
}

fn push_head(out: &mut String, record: &RunRecord) {
    let _ = writeln!(out, "# Assay: {}\n", record.verdict());
    let _ = writeln!(out, "{}\n", console::case_counts(record));
    let _ = writeln!(
        out,
        "Assay {}, {}, seed {}: {}",
        markdown_prose(&record.tool),
        markdown_prose(&record.started),
        record.seed,
        markdown_code(&record.command.join(" "))
    );
    if record.interrupted {
        *out += "\n**The run was interrupted: what is not here was not run.**\n";
    }
    if record.is_empty() {
        *out += "\n**Nothing was run.**\n";
    }
    if let Some(rig) = &record.rig {
        push_rig(out, rig);
    }
    if let Some(standing) = &record.standing {
        let (id, words) = (markdown_code(&standing.id), markdown_prose(&standing.words));
        let _ = writeln!(out, "\nCampaign {id}, {words}: {}", crate::standing::coverage(standing));
        let unreached: Vec<String> = standing.unreached.iter().map(|name| markdown_code(name)).collect();
        if !unreached.is_empty() {
            let _ = writeln!(out, "\nNever reached: {}.", unreached.join(", "));
        }
    }
    let vacuous: Vec<String> = record.vacuous_requirements().into_iter().map(markdown_code).collect();
    if !vacuous.is_empty() {
        let _ = writeln!(out, "\nNever in a position to fail: {}.", vacuous.join(", "));
    }
    for waiver in &record.stale_waivers {
        let _ = writeln!(
            out,
            "\n**Stale waiver:** {} on {} until {}: {}",
            markdown_code(&waiver.case),
            markdown_code(&waiver.bench),
            markdown_code(&waiver.until),
            markdown_code(&waiver.reason)
        );
    }
}

/// What the rig was, and how it served.
fn push_rig(out: &mut String, rig: &RigRecord) {
    if let Some(product) = &rig.product {
        let [name, version, build] =
            [&product.name, &product.version, &product.build].map(|text| markdown_code(text));
        let _ = writeln!(out, "\nProduct: {name}, version {version}, build {build}");
    }
    if let Some(soak) = &rig.soak {
        let _ = writeln!(out, "\nSoak: {}.", certificate::soaked(soak));
    }
    if let Some(overhead) = &rig.overhead {
        let _ = writeln!(out, "\nRig overhead of {}.", certificate::held_up(overhead));
    }
    for power in &rig.power {
        let _ = writeln!(out, "\nPower: {}", markdown_prose(power));
    }
}

/// The cases that are no pass, the worst first.
fn push_table(out: &mut String, record: &RunRecord) {
    let mut cases: Vec<&CaseRecord> =
        record.judged_cases().filter(|case| case.verdict != Verdict::Pass).collect();
    if cases.is_empty() {
        return;
    }
    cases.sort_by_key(|case| std::cmp::Reverse(case.verdict));
    *out += "\n## Cases that did not pass\n\n| verdict | case | where | why |\n|---|---|---|---|\n";
    for case in cases.iter().take(ROWS_MAX) {
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} |",
            case.verdict,
            markdown_code(&case.id),
            place(case),
            case.reason().map(|reason| markdown_code(&reason)).unwrap_or_default()
        );
    }
    push_left_out(out, cases.len(), ROWS_MAX, "case");
}

/// System, bench, policy and mutant of a case.
fn place(case: &CaseRecord) -> String {
    let mutant =
        case.mutant.as_deref().map(|name| format!(", mutant {}", markdown_code(name))).unwrap_or_default();
    let [system, bench, policy] = [&case.system, &case.bench, &case.policy].map(|name| markdown_code(name));
    format!("{system} on {bench}, {policy}{mutant}")
}

fn push_failure(out: &mut String, case: &CaseRecord) {
    let _ = writeln!(out, "\n### {}: {}\n", case.verdict, markdown_code(&case.id));
    let _ = writeln!(out, "{}, seed {}: {}", place(case), case.seed, markdown_prose(&case.title));
    if let Some(why) = &case.why {
        let _ = writeln!(out, "\nWhy: {}", markdown_code(why));
    }
    for violation in case.violations.iter().take(VIOLATIONS_MAX) {
        let _ = writeln!(
            out,
            "\n**{} ({}) does not hold:** {}\n",
            markdown_prose(&violation.requirement),
            violation.level,
            markdown_prose(&violation.text)
        );
        push_violation(out, violation);
    }
    push_left_out(out, case.violations.len(), VIOLATIONS_MAX, "violation");
    push_plan(out, &case.plan);
    push_replay(out, case.replay.as_deref());
    if let Some(words) = certificate::came_back(case) {
        let _ = writeln!(out, "\n{}", markdown_prose(&words));
    }
}

fn push_violation(out: &mut String, violation: &ViolationRecord) {
    let _ = writeln!(out, "- Expected: {}", markdown_code(&violation.expected));
    let _ = writeln!(out, "- Actual: {}", markdown_code(&violation.actual));
    let _ = writeln!(out, "- Seen at {}", seconds(violation.at_us));
    if violation.evidence.is_empty() {
        return;
    }
    let lines: Vec<String> = evidence_lines(&violation.evidence)
        .into_iter()
        .map(|line| format!("{}{}", line.head, line.text))
        .collect();
    let _ = write!(out, "\n{}", markdown_block("text", lines.iter().map(String::as_str)));
    push_left_out(out, violation.evidence.len(), EVIDENCE_MAX, "line");
}

fn push_plan(out: &mut String, plan: &[String]) {
    if plan.is_empty() {
        *out += "\nNo fault was planned.\n";
        return;
    }
    *out += "\nThe plan:\n\n";
    for (index, step) in plan.iter().enumerate() {
        let _ = writeln!(out, "{}. {}", index + 1, markdown_prose(step));
    }
}

fn push_replay(out: &mut String, replay: Option<&str>) {
    if let Some(command) = replay {
        let _ = write!(out, "\nRun exactly this again with:\n\n{}", markdown_block("sh", [command]));
    }
}

fn push_exploration(out: &mut String, explored: &ExplorationRecord) {
    let _ = writeln!(
        out,
        "\n### {}: {}\n\n{}",
        explored.verdict,
        markdown_prose(&exploration::subject(explored)),
        exploration::coverage(explored)
    );
    if let Some(why) = &explored.why {
        let _ = writeln!(out, "\nWhy: {}", markdown_code(why));
    }
    for (heading, rows) in [("kind of fault", &explored.by_kind), ("place", &explored.by_place)] {
        if !rows.is_empty() {
            let _ =
                writeln!(out, "\n| {heading} | sites | struck | of | violations |\n|---|--:|--:|--:|--:|");
        }
        for row in rows {
            let numbers = [row.sites, row.values, row.total, row.violations].map(grouped).join(" | ");
            let _ = writeln!(out, "| {} | {numbers} |", markdown_prose(&row.kind));
        }
    }
    for group in by_requirement(&explored.causes) {
        let _ = writeln!(out, "\n**{}.** {}", markdown_prose(&group.tally()), markdown_prose(&group.text()));
        for cause in &group.causes {
            let times = counted(cause.count, "time");
            let _ = writeln!(out, "\nCause, {times}: {}\n", markdown_code(&cause.cause));
            push_violation(out, &cause.example.violation);
            push_plan(out, &cause.example.plan);
            push_replay(out, cause.example.replay.as_deref());
        }
    }
}

fn push_margins(out: &mut String, found: &MarginsRecord) {
    let _ = writeln!(out, "\n## Margins\n\n{}\n", markdown_prose(&margins::told(found)));
    *out += "| timer or count | what comes otherwise | from | message | case |\n|---|---|---|---|---|\n";
    for row in margins::rows(found) {
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} |",
            row.value.map_or_else(|| "none alone".to_owned(), |value| markdown_code(&value)),
            markdown_prose(&row.what),
            row.from,
            markdown_code(&row.message),
            markdown_code(&row.case)
        );
    }
    for note in margins::notes(found) {
        let _ = writeln!(out, "\n{}", markdown_prose(&note));
    }
}

fn push_mutants(out: &mut String, all: &[MutantRecord]) {
    let _ = writeln!(out, "\n## Mutants\n\n{}\n", mutants::tally(all));
    *out += "| mutant | what is wrong with it | breaks | killed by |\n|---|---|---|--:|\n";
    for mutant in all {
        let killers: std::collections::BTreeSet<&str> =
            mutant.by.iter().map(|kill| kill.case.as_str()).collect();
        let killed_by = match mutant.killed {
            true => counted(killers.len() as u64, "case"),
            false => "**survived**".to_owned(),
        };
        let _ = writeln!(
            out,
            "| {} | {} | {} | {killed_by} |",
            markdown_code(&mutant.name),
            markdown_prose(&mutant.what),
            markdown_prose(&mutants::requirements_broken(mutant))
        );
    }
}
