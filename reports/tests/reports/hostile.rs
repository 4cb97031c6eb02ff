//! Text from a device cannot leave its place in any report.

use assay_reports::text::{escape, escape_bytes};
use assay_reports::{
    RunRecord, Verdict, read_record, render_console_case, render_console_failure, render_console_summary,
    render_exploration, render_json, render_junit, render_mutants, render_summary,
};
use proptest::prelude::*;
use quick_junit::Report;

use crate::sample;

/// Texts made of what is markup somewhere, and of anything at all.
pub(crate) fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        proptest::sample::select(vec![
            "\x1b[31m",
            "\x1b]0;t\x07",
            "\n",
            "\r",
            "\n\n# ",
            "|",
            "\\|",
            "\\",
            "`",
            "```\n",
            "````",
            "<b>",
            "</failure>",
            "]]>",
            "<!--",
            "&amp;",
            "&#27;",
            "\"",
            "'",
            "\u{202e}",
            "\u{9b}",
            "\0",
            "\u{ffff}",
            "\u{2028}",
            "@all",
            "#1",
            "[a](b)",
            "![x](y)",
            "<script>",
            "~~",
            "**",
            "_",
            " ",
            "充值",
            "\u{301}",
            "$",
            "---",
            "| a |\n|---|",
        ])
        .prop_map(str::to_owned),
        any::<String>(),
    ];
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

/// The sample with every text in it replaced, so that its shape stays.
pub(crate) fn record_of(texts: &[String]) -> RunRecord {
    let mut record = sample::record();
    record.exploration = vec![sample::mapped_exploration()];
    record.mutants = sample::mutants();
    record.stale_waivers = vec![sample::stale_waiver()];
    record.cases[2].mutant = Some(String::new());
    record.cases[2].why = Some(String::new());
    record.cases[1].verdict = Verdict::Broken;
    let mut value = serde_json::to_value(&record).unwrap();
    replace(&mut value, "", &mut texts.iter().cycle());
    read_record(&value.to_string()).unwrap()
}

fn replace<'a>(value: &mut serde_json::Value, key: &str, texts: &mut impl Iterator<Item = &'a String>) {
    match value {
        serde_json::Value::String(text)
            if !["schema", "verdict", "level", "witness", "trace"].contains(&key) =>
        {
            // A case against a mutant of the matrix is left out of most reports, so this is another mutant.
            *text = ["", "not "][usize::from(key == "mutant")].to_owned() + texts.next().unwrap();
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(|item| replace(item, key, texts)),
        serde_json::Value::Object(map) => map.iter_mut().for_each(|(key, item)| replace(item, key, texts)),
        _ => {}
    }
}

/// Whether XML 1.0 can carry the character.
fn is_xml(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// Whether a terminal shows the character as it is and stays as it was.
pub(crate) fn is_plain(character: char) -> bool {
    character == '\n' || !(character.is_control() || ('\u{202a}'..='\u{202e}').contains(&character))
}

fn console(record: &RunRecord) -> String {
    let cases =
        record.cases.iter().map(|case| render_console_case(case) + "\n" + &render_console_failure(case));
    let explorations = record.exploration.iter().map(render_exploration);
    let rest = [render_console_summary(record), render_mutants(&record.mutants)];
    cases.chain(explorations).chain(rest).collect()
}

/// The lines of a Markdown text outside fenced blocks, without their code spans.
fn markup_lines(markdown: &str) -> Vec<String> {
    let mut fence: Option<&str> = None;
    let mut lines = Vec::new();
    for line in markdown.lines() {
        let ticks = &line[..line.len() - line.trim_start_matches('`').len()];
        match fence {
            Some(open) if line == open => fence = None,
            Some(_) => {}
            None if ticks.len() >= 3 => fence = Some(ticks),
            None => {
                // A span starts at a backtick that no backslash makes inert and ends at the next backtick.
                let (mut kept, mut within, mut inert) = (String::new(), false, false);
                for character in line.chars() {
                    let is_tick = character == '`' && !inert;
                    inert = !within && character == '\\' && !inert;
                    if is_tick {
                        within = !within;
                    } else if !within {
                        kept.push(character);
                    }
                }
                assert!(!within, "an open code span in {line}");
                lines.push(kept);
            }
        }
    }
    assert_eq!(fence, None, "an open block");
    lines
}

/// How many bars of a row part cells.
fn bars(row: &str) -> usize {
    let mut inert = false;
    let is_bar = |character: char| {
        let counts = character == '|' && !inert;
        inert = character == '\\' && !inert;
        counts
    };
    row.chars().map(is_bar).filter(|counts| *counts).count()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn escaping_is_idempotent_and_takes_one_line(text in hostile()) {
        let visible = escape(&text);
        prop_assert!(visible.chars().all(|character| character != '\n' && is_plain(character)), "{visible}");
        prop_assert_eq!(escape(&visible), visible.clone());
        prop_assert_eq!(escape_bytes(text.as_bytes()), visible);
    }

    #[test]
    fn any_bytes_become_plain_text(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        prop_assert!(escape_bytes(&bytes).chars().all(|character| character != '\n' && is_plain(character)));
    }

    #[test]
    fn the_console_gets_plain_text(texts in prop::collection::vec(hostile(), 1..8)) {
        let record = record_of(&texts);
        let text = console(&record);
        prop_assert!(text.chars().all(is_plain), "{text:?}");
        for case in &record.cases {
            prop_assert!(!render_console_case(case).contains('\n'));
        }
    }

    #[test]
    fn junit_is_xml_with_the_same_suites(texts in prop::collection::vec(hostile(), 1..8)) {
        let record = record_of(&texts);
        let xml = render_junit(&record);
        prop_assert!(xml.chars().all(is_xml), "{xml:?}");
        let report = Report::deserialize_from_str(&xml).unwrap();
        let plain = Report::deserialize_from_str(&render_junit(&record_of(&["x".to_owned()]))).unwrap();
        prop_assert!(report.failures + report.errors > 0);
        prop_assert_eq!(
            (report.tests, report.failures, report.errors, report.skipped),
            (record_counts(&record), plain.failures, plain.errors, plain.skipped)
        );
    }

    #[test]
    fn markdown_keeps_its_lines_and_cells(texts in prop::collection::vec(hostile(), 1..8)) {
        // One text a cycle keeps the groups by requirement the same.
        let lines = markup_lines(&render_summary(&record_of(&texts[..1])));
        let plain = markup_lines(&render_summary(&record_of(&["x".to_owned()])));
        prop_assert_eq!(lines.len(), plain.len());
        for (line, plain) in lines.iter().zip(&plain) {
            prop_assert_eq!(line.starts_with('#'), plain.starts_with('#'), "{}", line);
            prop_assert_eq!(line.starts_with('|'), plain.starts_with('|'), "{}", line);
            if plain.starts_with('|') {
                prop_assert_eq!(bars(line), bars(plain), "{}", line);
            }
            prop_assert!(!line.contains(['<', '@']) && line.chars().all(is_plain), "{}", line);
        }
    }

    #[test]
    fn json_brings_every_text_back(texts in prop::collection::vec(hostile(), 1..8)) {
        let record = record_of(&texts);
        prop_assert_eq!(read_record(&render_json(&record)).unwrap(), record);
    }
}

/// Test cases that the report must hold: judged cases, explorations, mutants and stale waivers.
fn record_counts(record: &RunRecord) -> usize {
    record.judged_cases().count()
        + record.exploration.len()
        + record.mutants.len()
        + record.stale_waivers.len()
}
