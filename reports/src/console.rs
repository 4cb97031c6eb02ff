//! Plain text for a terminal: no colour, one thought a line, at most [`text::COLUMNS`] wide where words allow it.

use std::fmt::Write as _;

use crate::certificate;
use crate::record::{CaseRecord, EvidenceLine, ExplorationRecord, RunRecord, ViolationRecord};
use crate::text::{self, counted, escape, seconds, shown, wrapped};
use crate::verdict::Verdict;

/// How many violations of one case are shown; `run.json` holds the rest.
pub(crate) const VIOLATIONS_MAX: usize = 10;

/// How many evidence lines of one violation are shown; `run.json` holds the rest.
pub(crate) const EVIDENCE_MAX: usize = 20;

/// How many sites that were not reached are shown; `run.json` holds the rest.
const SITES_MAX: usize = 20;

/// How many explorations the summary tells; it is to fit a screen.
const EXPLORATIONS_MAX: usize = 5;

/// The widest place that evidence lines are aligned to.
///
/// Units: columns.
const PLACE_MAX: usize = 24;

/// Everything that a reader needs to understand a case that did not pass, and to run it again.
pub fn render_console_failure(case: &CaseRecord) -> String {
    let mut out = String::new();
    let verdict = case.verdict.as_str().to_uppercase();
    out += &wrapped("", &format!("{verdict}  {} on {}", shown(&case.id), shown(&case.bench)));
    out += &wrapped("", &shown(&case.title));
    let mutant = case.mutant.as_deref().map(|name| format!(", mutant {}", shown(name))).unwrap_or_default();
    let run = format!(
        "System {}, policy {}{mutant}, seed {}; {} in {}, digest {}.",
        shown(&case.system),
        shown(&case.policy),
        case.seed,
        counted(case.tape_entries, "tape entry"),
        seconds(case.virtual_us),
        shown(&case.tape_digest),
    );
    out += &wrapped("", &run);
    if let Some(why) = &case.why {
        out += &wrapped("Why: ", &shown(why));
    }
    for outcome in case.requirements.iter().filter(|outcome| outcome.verdict == Verdict::Inconclusive) {
        out.push('\n');
        let id = shown(&outcome.id);
        out +=
            &wrapped("", &format!("{id} ({}) could not be judged: {}", outcome.level, shown(&outcome.text)));
    }
    for violation in case.violations.iter().take(VIOLATIONS_MAX) {
        out.push('\n');
        let id = shown(&violation.requirement);
        out += &wrapped("", &format!("{id} ({}) does not hold: {}", violation.level, shown(&violation.text)));
        push_violation(&mut out, "  ", violation);
    }
    if let Some(more) = left_out(case.violations.len(), VIOLATIONS_MAX, "violation") {
        let _ = writeln!(out, "\n{more}");
    }
    out.push('\n');
    push_plan(&mut out, "", &case.plan);
    if !case.sites_not_reached.is_empty() {
        out += "The run never came to:\n";
        for site in case.sites_not_reached.iter().take(SITES_MAX) {
            out += &wrapped("  - ", &shown(site));
        }
        if let Some(more) = left_out(case.sites_not_reached.len(), SITES_MAX, "site") {
            let _ = writeln!(out, "  {more}");
        }
    }
    push_replay(&mut out, "", case.replay.as_deref());
    out.extend(certificate::came_back(case).map(|words| wrapped("", &words)));
    out
}

/// How many things are not shown, if any.
pub(crate) fn left_out(all: usize, shown_max: usize, noun: &str) -> Option<String> {
    let rest = all.saturating_sub(shown_max);
    (rest > 0).then(|| format!("({} in run.json)", counted(rest as u64, &format!("more {noun}"))))
}

/// Expected, actual, when and the evidence.
pub(crate) fn push_violation(out: &mut String, indent: &str, violation: &ViolationRecord) {
    *out += &wrapped(&format!("{indent}Expected: "), &shown(&violation.expected));
    *out += &wrapped(&format!("{indent}Actual:   "), &shown(&violation.actual));
    let _ = write!(out, "{indent}Seen at {}", seconds(violation.at_us));
    if violation.evidence.is_empty() {
        *out += "; the oracle quotes no entry of the tape.\n";
        return;
    }
    *out += " by these entries of the tape:\n";
    for line in evidence_lines(&violation.evidence) {
        *out += &wrapped(&format!("{indent}  {}", line.head), &line.text);
    }
    if let Some(more) = left_out(violation.evidence.len(), EVIDENCE_MAX, "line") {
        let _ = writeln!(out, "{indent}  {more}");
    }
}

/// An evidence line in two parts, so that a long text can be wrapped beside its head.
pub(crate) struct EvidenceShown {
    pub(crate) head: String,
    pub(crate) text: String,
}

/// The first lines of the evidence in aligned columns.
pub(crate) fn evidence_lines(evidence: &[EvidenceLine]) -> Vec<EvidenceShown> {
    let lines = &evidence[..evidence.len().min(EVIDENCE_MAX)];
    let places: Vec<String> = lines.iter().map(|line| text::shown_up_to(&line.place, 60)).collect();
    let widest = |of: &mut dyn Iterator<Item = usize>| of.max().unwrap_or(0);
    let ordinal_width = widest(&mut lines.iter().map(|line| line.ordinal.to_string().len()));
    let time_width = widest(&mut lines.iter().map(|line| seconds(line.at_us).len()));
    let place_width = widest(&mut places.iter().map(|place| text::columns(place).min(PLACE_MAX)));
    let head = |(line, place): (&EvidenceLine, &String)| {
        let padding = " ".repeat(place_width.saturating_sub(text::columns(place)));
        EvidenceShown {
            head: format!(
                "#{:<ordinal_width$}  {:>time_width$}  {:<8}  {place}{padding}  ",
                line.ordinal,
                seconds(line.at_us),
                line.witness,
            ),
            text: shown(&line.text),
        }
    };
    lines.iter().zip(&places).map(head).collect()
}

/// The plan in words.
pub(crate) fn push_plan(out: &mut String, indent: &str, plan: &[String]) {
    if plan.is_empty() {
        let _ = writeln!(out, "{indent}No fault was planned.");
        return;
    }
    let _ = writeln!(out, "{indent}The plan:");
    for (index, step) in plan.iter().enumerate() {
        *out += &wrapped(&format!("{indent}  {}. ", index + 1), &shown(step));
    }
}

/// The command that runs it again, never broken over lines so that it can be copied.
pub(crate) fn push_replay(out: &mut String, indent: &str, replay: Option<&str>) {
    match replay {
        Some(command) => {
            let _ = writeln!(out, "{indent}Run exactly this again with:\n{indent}  {}", escape(command));
        }
        None => {
            let _ = writeln!(out, "{indent}There is no command to run this again.");
        }
    }
}

/// One line a case, for the list that scrolls by.
pub fn render_console_case(case: &CaseRecord) -> String {
    let mutant = case.mutant.as_deref().map(|name| format!(", mutant {}", shown(name))).unwrap_or_default();
    let reason = match case.verdict {
        Verdict::Pass => String::new(),
        _ => case.reason().map(|reason| format!(": {}", shown(&reason))).unwrap_or_default(),
    };
    // Most ids start with the system, and a short line leaves room for the reason.
    let system = match case.id.strip_prefix(&case.system) {
        Some(rest) if rest.starts_with('/') => String::new(),
        _ => format!("{} on ", shown(&case.system)),
    };
    let (id, bench, policy) = (shown(&case.id), shown(&case.bench), shown(&case.policy));
    let line = format!("{:<12}  {id} ({system}{bench}, {policy}{mutant}){reason}", case.verdict);
    text::fitted(&line, text::COLUMNS)
}

/// The counts of a run, what else counts, and its verdict.
pub fn render_console_summary(record: &RunRecord) -> String {
    let mut out = wrapped("", &case_counts(record));
    let mut explorations: Vec<&ExplorationRecord> = record.exploration.iter().collect();
    // The worst first; the sort is stable, so equals keep their order.
    explorations.sort_by_key(|exploration| std::cmp::Reverse(exploration.verdict));
    if explorations.len() > EXPLORATIONS_MAX {
        out += &wrapped("", &format!("Explorations: {}.", certificate::explored(&record.exploration)));
    }
    for exploration in explorations.into_iter().take(EXPLORATIONS_MAX) {
        let title = format!("Exploration of {} on {}: ", shown(&exploration.case), shown(&exploration.bench));
        out += &wrapped("", &format!("{title}{}", crate::exploration::coverage(exploration)));
    }
    if let Some(more) = left_out(record.exploration.len(), EXPLORATIONS_MAX, "exploration") {
        let _ = writeln!(out, "{more}");
    }
    if !record.mutants.is_empty() {
        out += &wrapped("", &crate::mutants::tally(&record.mutants));
    }
    let vacuous = record.vacuous_requirements();
    if !vacuous.is_empty() {
        out += &wrapped("", &format!("Never in a position to fail: {}.", escape(&vacuous.join(", "))));
    }
    for waiver in &record.stale_waivers {
        out += &wrapped("", &stale_waiver(waiver));
    }
    if let Some(rig) = &record.rig {
        let soak = rig.soak.iter().map(|soak| format!("Soak: {}.", certificate::soaked(soak)));
        let held_up =
            rig.overhead.iter().map(|held| format!("Rig overhead of {}.", certificate::held_up(held)));
        out.extend(soak.chain(held_up).map(|words| wrapped("", &words)));
    }
    if let Some(standing) = &record.standing {
        out += &wrapped(
            "",
            &format!("Campaign {}: {}", shown(&standing.id), crate::standing::coverage(standing)),
        );
        if !standing.unreached.is_empty() {
            let names: Vec<String> = standing.unreached.iter().map(|name| shown(name)).collect();
            out += &wrapped("", &format!("Never reached: {}.", names.join(", ")));
        }
    }
    if record.interrupted {
        out += "The run was interrupted: what is not here was not run.\n";
    }
    if record.is_empty() {
        out += "Nothing was run.\n";
    }
    let _ = writeln!(out, "Verdict: {} (exit code {}).", record.verdict(), record.exit_code());
    out
}

/// A stale waiver as a sentence.
pub(crate) fn stale_waiver(waiver: &crate::record::StaleWaiverRecord) -> String {
    format!(
        "Stale waiver: {} on {} until {}: {}",
        shown(&waiver.case),
        shown(&waiver.bench),
        shown(&waiver.until),
        shown(&waiver.reason)
    )
}

/// How many cases came to which verdict, from best to worst.
pub(crate) fn case_counts(record: &RunRecord) -> String {
    let counts = record.counts();
    let total = counts.values().sum();
    if total == 0 && !record.margins.is_empty() {
        return "Margins, which are for people to judge.".to_owned();
    }
    if total == 0 {
        return "No cases.".to_owned();
    }
    let parts: Vec<String> =
        counts.iter().map(|(verdict, count)| format!("{} {verdict}", text::grouped(*count))).collect();
    format!("{}: {}.", counted(total, "case"), parts.join(", "))
}
