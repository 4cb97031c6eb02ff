//! An exploration in plain text: how much of the fault space was covered, and what was found there.

use std::fmt::Write as _;

use crate::console::{push_plan, push_replay, push_violation};
use crate::record::{CauseRecord, ExplorationRecord, KindRecord};
use crate::text::{self, counted, grouped, shown, wrapped};

/// Coverage, the table by kind of fault, and the violations grouped by cause.
pub fn render_exploration(exploration: &ExplorationRecord) -> String {
    let mut out = wrapped("", &format!("Exploration of {}", subject(exploration)));
    out += &wrapped("", &coverage(exploration));
    if let Some(why) = &exploration.why {
        out += &wrapped("", &format!("The verdict is {}: {}", exploration.verdict, shown(why)));
    }
    if !exploration.by_kind.is_empty() {
        out.push('\n');
        push_rows(&mut out, "kind of fault", &exploration.by_kind);
    }
    if exploration.by_place.len() > 1 {
        out.push('\n');
        push_rows(&mut out, "place", &exploration.by_place);
    }
    for group in by_requirement(&exploration.causes) {
        push_group(&mut out, &group);
    }
    out
}

/// What was explored: `water with policy published, case … on tabletop, one fault a run`.
pub(crate) fn subject(exploration: &ExplorationRecord) -> String {
    let at_once = match exploration.faults_a_run {
        1 => "one fault".to_owned(),
        many => counted(u64::from(many), "fault"),
    };
    format!(
        "{} with policy {}, case {} on {}, {at_once} a run.",
        shown(&exploration.system),
        shown(&exploration.policy),
        shown(&exploration.case),
        shown(&exploration.bench)
    )
}

/// How much of the space was covered and what was found, in a sentence or two.
pub(crate) fn coverage(exploration: &ExplorationRecord) -> String {
    let noun = if exploration.faults_a_run == 1 { "fault" } else { "schedule" };
    let merged = match exploration.faults_merged {
        0 => String::new(),
        merged => format!(", {} more merged with them,", grouped(merged)),
    };
    let struck = format!(
        "{} of {} struck{merged} at {}",
        grouped(exploration.faults_struck),
        counted(exploration.faults_total, noun),
        counted(exploration.sites, "site"),
    );
    let found = match exploration.violations() {
        0 => "no violation was found".to_owned(),
        violations => {
            let causes = counted(exploration.causes.len() as u64, "cause");
            format!("{} by {causes}", counted(violations, "violation"))
        }
    };
    match exploration.complete {
        true => format!("{struck}, the whole space; {found}."),
        false => format!("{struck}, not the whole space; {found} in that part."),
    }
}

fn push_rows(out: &mut String, heading: &str, kinds: &[KindRecord]) {
    let names: Vec<String> = kinds.iter().map(|kind| text::fitted(&shown(&kind.kind), 60)).collect();
    let width = names.iter().map(|name| text::columns(name)).max().unwrap_or(0).max(heading.len());
    let mut row = |name: &str, numbers: [&str; 4]| {
        let padding = " ".repeat(width - text::columns(name));
        let _ = writeln!(
            out,
            "  {name}{padding}  {:>9}  {:>9}  {:>9}  {:>10}",
            numbers[0], numbers[1], numbers[2], numbers[3]
        );
    };
    row(heading, ["sites", "struck", "of", "violations"]);
    for (name, kind) in names.iter().zip(kinds) {
        let numbers = [kind.sites, kind.values, kind.total, kind.violations].map(grouped);
        row(name, [&numbers[0], &numbers[1], &numbers[2], &numbers[3]]);
    }
}

/// The causes that lead to one requirement.
pub(crate) struct Group<'a> {
    pub(crate) requirement: &'a str,
    pub(crate) causes: Vec<&'a CauseRecord>,
}

/// The causes by requirement, in the order in which the requirements first appear.
pub(crate) fn by_requirement(causes: &[CauseRecord]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for cause in causes {
        match groups.iter_mut().find(|group| group.requirement == cause.requirement) {
            Some(group) => group.causes.push(cause),
            None => groups.push(Group { requirement: &cause.requirement, causes: vec![cause] }),
        }
    }
    groups
}

impl Group<'_> {
    /// `14 violations of WAT-I1 by 2 causes`.
    pub(crate) fn tally(&self) -> String {
        let violations = self.causes.iter().map(|cause| cause.count).sum();
        let causes = counted(self.causes.len() as u64, "cause");
        format!("{} of {} by {causes}", counted(violations, "violation"), shown(self.requirement))
    }

    /// The requirement with its level and text.
    pub(crate) fn text(&self) -> String {
        let first = self.causes.first().map(|cause| &cause.example.violation);
        let text = first.map(|violation| format!(" ({}): {}", violation.level, shown(&violation.text)));
        format!("{}{}", shown(self.requirement), text.unwrap_or_default())
    }
}

fn push_group(out: &mut String, group: &Group<'_>) {
    out.push('\n');
    *out += &wrapped("", &format!("{}.", group.tally()));
    *out += &wrapped("", &group.text());
    for (index, cause) in group.causes.iter().enumerate() {
        let times = counted(cause.count, "time");
        *out += &wrapped(&format!("  {}. ", index + 1), &format!("{} ({times})", shown(&cause.cause)));
        push_violation(out, "     ", &cause.example.violation);
        push_plan(out, "     ", &cause.example.plan);
        push_replay(out, "     ", cause.example.replay.as_deref());
    }
}
