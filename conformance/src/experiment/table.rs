//! The result as a person reads it on a terminal.

use std::fmt::Write as _;

use assay_reports::text::{COLUMNS, columns, grouped};
use assay_sim::policy::PolicyName;

use super::interval::millionths;
use super::water_cache::{SEEN_CACHED, SEEN_UNCACHED, WaterCache};
use super::words::{answer_loss, assumptions, cut_short, cuts_words, out_of_step, percent, seen_words};

/// The heads of the columns.
const HEADS: [&str; 6] = ["design", "power cuts", "no answer", "cuts", "out of step", "in doubt"];

/// The whole table with what was assumed.
pub(super) fn render(result: &WaterCache) -> String {
    let mut text = String::new();
    text += "\nAssumed:\n";
    for assumption in assumptions(result) {
        for (at, line) in wrapped(&assumption, COLUMNS - 4).iter().enumerate() {
            let _ = writeln!(text, "{}{line}", if at == 0 { "  - " } else { "    " });
        }
    }
    let _ = writeln!(text, "\nSeen by the source without a cache: {}.", seen_words(SEEN_UNCACHED));
    let _ = writeln!(text, "Seen by the source with its cache:  {}.\n", seen_words(SEEN_CACHED));
    for line in found(result) {
        let _ = writeln!(text, "{line}");
    }
    if !result.rows.is_empty() {
        text += "\n";
        text += &rows(result);
    }
    if result.reference_failed() {
        text += "\nThe reference design was out of step and nobody knew:\n";
        for example in result.rows_of(PolicyName::Hardened).flat_map(|row| &row.examples) {
            let _ = writeln!(text, "  - {}", example.words());
        }
    }
    if let Some(note) = cut_short(result) {
        let _ = writeln!(text, "\n{note}");
    }
    text
}

/// What was fitted and found, a line each.
pub(super) fn found(result: &WaterCache) -> Vec<String> {
    let Some(leg_loss) = result.leg_loss else { return Vec::new() };
    let mut lines = vec![format!(
        "Answer loss fitted: {} of uploads get no answer, {} lost on each way.",
        percent(answer_loss(leg_loss)),
        percent(millionths(leg_loss))
    )];
    let Some(crossings) = &result.crossings else { return lines };
    let rate = percent(millionths(SEEN_CACHED.rate()));
    lines.push(match crossings.seen {
        Some(share) => {
            let share = percent(millionths(share));
            let [first, last] = crossings.seen_ends.map(|end| end.map(|end| percent(millionths(end))));
            let (first, last) = (first.unwrap_or(share.clone()), last.unwrap_or(percent(1.0)));
            let first = first.trim_end_matches(" %");
            format!(
                "`published` meets {rate} when {share} ({first} to {last}) of the cuts fall in the window."
            )
        }
        None => format!("`published` was not seen to meet {rate}."),
    });
    if let (Some(low), Some(high)) = (crossings.low, crossings.high) {
        let (low, high) = (percent(millionths(low)), percent(millionths(high)));
        lines.push(format!("It is within the source's interval from {low} to {high} of the cuts."));
    }
    lines
}

fn rows(result: &WaterCache) -> String {
    let mut table: Vec<[String; 6]> = vec![HEADS.map(str::to_owned)];
    for row in &result.rows {
        let tally = &row.tally;
        table.push([
            row.policy.to_string(),
            cuts_words(row.setting.cuts),
            grouped(tally.losses),
            grouped(tally.cuts),
            out_of_step(tally),
            grouped(tally.in_doubt),
        ]);
    }
    let widths: Vec<usize> = (0..HEADS.len())
        .map(|column| table.iter().map(|row| columns(&row[column])).max().unwrap_or(0))
        .collect();
    let mut text = String::new();
    for row in &table {
        let mut line = String::new();
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let pad = " ".repeat(width - columns(cell));
            let right = matches!(column, 2 | 3 | 5);
            line += &if right { format!("{pad}{cell}") } else { format!("{cell}{pad}") };
            line += "  ";
        }
        text += line.trim_end();
        text += "\n";
    }
    text
}

/// A text in lines of at most so many columns.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last().map_or(0, |line| columns(line));
        if line > 0 && line + 1 + columns(word) > width {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}
