//! Margins in plain text: of each timer and count, how little disturbance it takes until something else comes of it.

use std::fmt::Write as _;

use crate::record::{Disturbance, EdgeRecord, Effect, MarginsRecord, ValueRecord};
use crate::text::{self, counted, grouped, shown, wrapped};

/// The margins of one design: a block a timer or count, with the smallest disturbance for each effect, then what no
/// value governs.
pub fn render_margins(margins: &MarginsRecord) -> String {
    let mut out = told(margins);
    out.push('\n');
    let width = margins.values.iter().map(|value| text::columns(&headed(value))).max().unwrap_or(0);
    let mut last = None;
    for row in rows(margins) {
        if last.as_ref() != Some(&row.value) {
            out.push('\n');
            match &row.value {
                Some(head) => {
                    let gap = " ".repeat(width.saturating_sub(text::columns(head)));
                    let _ = writeln!(out, "{head}{gap}  is what decides when");
                }
                None => out += "No single timer or count, halved or doubled, decides when\n",
            }
        }
        out += &wrapped("    ", &format!("{}: {} of `{}` in {}", row.what, row.from, row.message, row.case));
        last = Some(row.value);
    }
    for note in notes(margins) {
        out.push('\n');
        out += &wrapped("", &note);
    }
    out
}

/// What was tried, in a sentence.
pub(crate) fn told(margins: &MarginsRecord) -> String {
    format!(
        "Margins of {}, {}: {} of {}, each message up to {} late and up to {} lost in a row.",
        shown(&margins.system),
        shown(&margins.policy),
        counted(margins.runs, "run"),
        counted(margins.cases.len() as u64, "case"),
        span(margins.late_max_us),
        margins.lost_max,
    )
}

/// An edge as it is shown, harmless on a terminal.
pub(crate) struct Row {
    /// The value that governs it, with what is declared; nothing if none does.
    pub(crate) value: Option<String>,
    /// What is otherwise behind it.
    pub(crate) what: String,
    /// How little disturbance it takes.
    pub(crate) from: String,
    /// What is disturbed.
    pub(crate) message: String,
    /// In which case.
    pub(crate) case: String,
}

/// The smallest edges of each value that governs any, and last of those that none governs.
pub(crate) fn rows(margins: &MarginsRecord) -> Vec<Row> {
    let mut rows = Vec::new();
    for value in &margins.values {
        for edge in smallest(margins, |edge| edge.governed_by.contains(&value.name)) {
            rows.push(row(Some(headed(value)), edge));
        }
    }
    rows.extend(
        smallest(margins, |edge| edge.governed_by.is_empty()).into_iter().map(|edge| row(None, edge)),
    );
    rows
}

/// What else is to be said.
pub(crate) fn notes(margins: &MarginsRecord) -> Vec<String> {
    let mut notes = Vec::new();
    let alone = margins.values.iter().filter(|value| !value.alone.is_empty());
    let alone: Vec<String> =
        alone.map(|value| format!("{} {}", headed(value), shown(&value.alone.join(" or ")))).collect();
    if !alone.is_empty() {
        notes.push(format!("Even undisturbed, something else comes of {}.", alone.join(", ")));
    }
    let governs =
        |value: &ValueRecord| margins.edges.iter().any(|edge| edge.governed_by.contains(&value.name));
    let idle = margins.values.iter().filter(|value| value.alone.is_empty() && !governs(value));
    let idle: Vec<String> = idle.map(headed).collect();
    if !idle.is_empty() {
        notes.push(format!("Nothing tried came to depend on {}.", idle.join(", ")));
    }
    if !margins.complete {
        notes.push("Stopped before its end: what is missing here was not tried.".to_owned());
    }
    notes
}

/// A disturbance in words: `3 in a row lost`.
fn disturbed(disturbance: Disturbance) -> String {
    match disturbance {
        Disturbance::Late { flips_us, .. } => format!("{} late", span(flips_us)),
        Disturbance::Lost { flips: 1 } => "1 lost".to_owned(),
        Disturbance::Lost { flips } => format!("{flips} in a row lost"),
    }
}

/// Of each effect and each kind of disturbance the edge with the smallest, among some.
fn smallest(margins: &MarginsRecord, among: impl Fn(&EdgeRecord) -> bool) -> Vec<&EdgeRecord> {
    let mut found: Vec<&EdgeRecord> = Vec::new();
    for edge in margins.edges.iter().filter(|edge| among(edge)) {
        let alike = |other: &&mut &EdgeRecord| {
            other.effect == edge.effect && is_late(other.disturbance) == is_late(edge.disturbance)
        };
        match found.iter_mut().find(alike) {
            Some(other) if size(edge.disturbance) < size(other.disturbance) => *other = edge,
            Some(_) => {}
            None => found.push(edge),
        }
    }
    found.sort_by_key(|edge| (edge.effect, edge.disturbance));
    found
}

fn is_late(disturbance: Disturbance) -> bool {
    matches!(disturbance, Disturbance::Late { .. })
}

fn size(disturbance: Disturbance) -> u64 {
    match disturbance {
        Disturbance::Late { flips_us, .. } => flips_us,
        Disturbance::Lost { flips } => flips.into(),
    }
}

fn headed(value: &ValueRecord) -> String {
    format!("{} = {}", shown(&value.name), shown(&value.declared))
}

fn row(value: Option<String>, edge: &EdgeRecord) -> Row {
    let what = match edge.effect {
        Effect::Shown => "people are shown something else",
        Effect::Ledgers => "the books or cards end otherwise",
        Effect::Verdict => "a requirement fails",
    };
    let failed = match edge.requirements.as_slice() {
        [] => String::new(),
        failed => format!(" ({})", shown(&failed.join(", "))),
    };
    Row {
        value,
        what: format!("{what}{failed}"),
        from: disturbed(edge.disturbance),
        message: format!("{} {}", shown(&edge.course), shown(&edge.message)),
        case: shown(&edge.case),
    }
}

/// A span in the unit in which people would say it.
fn span(us: u64) -> String {
    match us {
        0..10_000 => format!("{}.{} ms", us / 1_000, us % 1_000 / 100),
        10_000..1_000_000 => format!("{} ms", us / 1_000),
        1_000_000..100_000_000 => format!("{}.{:02} s", us / 1_000_000, us % 1_000_000 / 10_000),
        _ => format!("{} s", grouped(us / 1_000_000)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(effect: Effect, disturbance: Disturbance, governed_by: &[&str]) -> EdgeRecord {
        EdgeRecord {
            case: "pos/payment/card".to_owned(),
            course: "udp-a<".to_owned(),
            message: "001".to_owned(),
            disturbance,
            effect,
            requirements: if effect == Effect::Verdict { vec!["POS-A3".to_owned()] } else { Vec::new() },
            governed_by: governed_by.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    fn late(flips_us: u64) -> Disturbance {
        Disturbance::Late { holds_us: flips_us - 1, flips_us }
    }

    #[test]
    fn each_value_shows_its_smallest_edges() {
        let value = |name: &str, declared: &str, count| ValueRecord {
            name: name.to_owned(),
            declared: declared.to_owned(),
            count,
            alone: Vec::new(),
        };
        let margins = MarginsRecord {
            system: "pos".to_owned(),
            policy: "hardened".to_owned(),
            cases: vec!["pos/payment/card".to_owned()],
            runs: 1_234,
            late_max_us: 600_000_000,
            lost_max: 8,
            complete: true,
            values: vec![
                value("terminal.ack_timeout", "1 s", false),
                value("terminal.sends_max", "3", true),
                value("server.reconnect", "1 s", false),
                ValueRecord { alone: vec!["doubled".to_owned()], ..value("modem.key_on", "2 s", false) },
            ],
            edges: vec![
                edge(Effect::Shown, late(2_000_000), &["terminal.ack_timeout"]),
                edge(Effect::Shown, late(950_000), &["terminal.ack_timeout", "terminal.sends_max"]),
                edge(Effect::Shown, Disturbance::Lost { flips: 3 }, &["terminal.sends_max"]),
                edge(Effect::Verdict, late(30_000_000), &[]),
            ],
        };
        let expected = "\
Margins of pos, hardened: 1,234 runs of 1 case, each message up to 600 s late and up to 8 lost in a row.

terminal.ack_timeout = 1 s  is what decides when
    people are shown something else: 950 ms late of `udp-a< 001` in pos/payment/card

terminal.sends_max = 3      is what decides when
    people are shown something else: 950 ms late of `udp-a< 001` in pos/payment/card
    people are shown something else: 3 in a row lost of `udp-a< 001` in pos/payment/card

No single timer or count, halved or doubled, decides when
    a requirement fails (POS-A3): 30.00 s late of `udp-a< 001` in pos/payment/card

Even undisturbed, something else comes of modem.key_on = 2 s doubled.

Nothing tried came to depend on server.reconnect = 1 s.
";
        assert_eq!(render_margins(&margins), expected);
    }

    #[test]
    fn spans_are_said_as_people_say_them() {
        let all = [999, 12_345, 1_234_567, 99_990_000, 600_000_000].map(span);
        assert_eq!(all, ["0.9 ms", "12 ms", "1.23 s", "99.99 s", "600 s"]);
    }
}
