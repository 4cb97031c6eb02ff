//! Two tapes side by side at their first difference.

use super::projection::Disagreement;
use crate::outcome::{Recording, TapeLine};
use assay_sim::fault::FaultPlan;

/// How many entries are shown before and after the difference.
const BEFORE: usize = 10;
const AFTER: usize = 22;

/// How wide a tape is shown.
///
/// Units: characters.
const WIDTH: usize = 76;

/// A disagreement in words and the two tapes around it: at most 40 lines of at most 160 characters.
pub fn render_side_by_side(
    found: &Disagreement,
    tapes: [&dyn Recording; 2],
    plan: &FaultPlan,
    names: [&str; 2],
) -> String {
    let told = |(side, text): (usize, &Option<String>)| {
        text.as_ref().map_or("(nothing)".to_owned(), |text| fitted(&tapes[side].redacted(text), 140))
    };
    let mut out = format!("They differ at {}, in {}.\n", found.at, fitted(&found.place, 120));
    for (name, side) in names.iter().zip([(0, &found.left), (1, &found.right)]) {
        out += &format!("{:<14} {}\n", fitted(name, 14), told(side));
    }
    let columns = [0, 1].map(|side| column(tapes[side], plan, found, side));
    let line = |left: &str, right: &str| format!("{left:<WIDTH$} | {right}").trim_end().to_owned() + "\n";
    out +=
        &line(&format!("  {}", fitted(names[0], WIDTH - 2)), &format!("  {}", fitted(names[1], WIDTH - 2)));
    for place in 0..=BEFORE + AFTER {
        let at = |side: usize| columns[side].get(place).map_or("", String::as_str);
        if columns.iter().any(|column| place < column.len()) {
            out += &line(at(0), at(1));
        }
    }
    out
}

/// The lines of one tape, its entry of the difference always in the same place.
fn column(tape: &dyn Recording, plan: &FaultPlan, found: &Disagreement, side: usize) -> Vec<String> {
    let entries: Vec<TapeLine> = tape.lines(plan).collect();
    // Where a tape has nothing, its place is the first entry after the time at which the other has something.
    let here = |entry: &TapeLine| match found.ordinals[side] {
        Some(ordinal) => entry.ordinal >= ordinal,
        None => entry.at > found.at,
    };
    let at = entries.iter().position(here).unwrap_or(entries.len());
    let mut lines = vec![String::new(); BEFORE.saturating_sub(at)];
    for (place, entry) in entries.iter().enumerate().take(at + AFTER + 1).skip(at.saturating_sub(BEFORE)) {
        let mark = if place == at && found.ordinals[side].is_some() { '>' } else { ' ' };
        lines.push(fitted(&format!("{mark} {}", entry.text.trim_start()), WIDTH));
    }
    lines
}

/// A text cut to a width; whatever does not print is escaped.
fn fitted(text: &str, width: usize) -> String {
    let shown = assay_reports::text::shown(text);
    if shown.chars().count() <= width {
        return shown;
    }
    let mut cut: String = shown.chars().take(width - 1).collect();
    cut.push('…');
    cut
}
