//! What other tools read: traces, captures, schemas, differences.

use assay_reports::{
    Difference, FailureRecord, HoleRecord, RunRecord, StandingRecord, Verdict, read_record, read_trace,
    render_difference, render_json, render_pcapng, render_trace,
};
use proptest::prelude::*;

use crate::hostile::{hostile, is_plain, record_of};
use crate::{sample, schema};

const RUN_SCHEMA: &str = include_str!("../../schema/assay-run-1.schema.json");
const TRACE_SCHEMA: &str = include_str!("../../schema/assay-trace-1.schema.json");
/// A record as the first version of the tool left it.
const GOLDEN: &str = include_str!("golden/run-1.json");

fn faults(schema: &str, document: &serde_json::Value) -> Vec<String> {
    let schema: serde_json::Value = serde_json::from_str(schema).unwrap();
    schema::faults(&schema, document)
}

fn value(json: &str) -> serde_json::Value {
    serde_json::from_str(json).unwrap()
}

fn full() -> RunRecord {
    let mut record = sample::certified();
    record.exploration = vec![sample::mapped_exploration()];
    record.mutants = sample::mutants();
    record.margins = vec![sample::margins()];
    record.stale_waivers = vec![sample::stale_waiver()];
    record
}

#[test]
fn what_is_written_is_what_the_schema_says() {
    assert_eq!(faults(RUN_SCHEMA, &value(&render_json(&full()))), [""; 0]);
    for line in render_trace(&sample::trace("x")).lines() {
        assert_eq!(faults(TRACE_SCHEMA, &value(line)), [""; 0]);
    }
}

#[test]
fn an_old_record_is_still_read_and_still_fits_the_schema() {
    assert_eq!(faults(RUN_SCHEMA, &value(GOLDEN)), [""; 0]);
    let record = read_record(GOLDEN).unwrap();
    assert_eq!((record.verdict(), record.cases.len()), (Verdict::Fail, 2));
    assert!(record.cases.iter().all(|case| case.trace.is_none()));
}

#[test]
fn every_key_that_is_written_is_in_the_schema() {
    fn walk(schema: &serde_json::Value, root: &serde_json::Value, document: &serde_json::Value, path: &str) {
        let mut schema = schema;
        while let Some(name) = schema.get("$ref").and_then(|name| name.as_str()) {
            schema = root.pointer(name.trim_start_matches('#')).unwrap();
        }
        if let Some(any) = schema.get("anyOf").and_then(|any| any.as_array())
            && !document.is_null()
        {
            return walk(&any[1], root, document, path);
        }
        match document {
            serde_json::Value::Object(map) if schema.get("properties").is_some() => {
                for (key, inner) in map {
                    let known = schema["properties"].get(key);
                    assert!(known.is_some(), "{path}/{key} is not in the schema");
                    walk(known.unwrap(), root, inner, &format!("{path}/{key}"));
                }
            }
            serde_json::Value::Array(items) => {
                items.iter().for_each(|item| walk(&schema["items"], root, item, path));
            }
            _ => {}
        }
    }
    let hole = HoleRecord { unit: 1, name: "a case".to_owned(), first: 2, last: 3 };
    let failure = FailureRecord {
        requirement: "WAT-I1".to_owned(),
        cause: "power cut".to_owned(),
        count: 1,
        first: "1.4".to_owned(),
    };
    let standing = StandingRecord {
        words: "every single fault".to_owned(),
        id: "00".to_owned(),
        runs: 5,
        done: 3,
        unlisted: vec!["another".to_owned()],
        holes: vec![hole],
        verdicts: vec![(Verdict::Pass, 2), (Verdict::Fail, 1)],
        failures: vec![failure],
        unreached: vec!["WAT-I2".to_owned()],
        root: "00".to_owned(),
    };
    let document = value(&render_json(&RunRecord { standing: Some(standing), ..full() }));
    assert_eq!(faults(RUN_SCHEMA, &document), [""; 0]);
    let schema = value(RUN_SCHEMA);
    walk(&schema, &schema, &document, "");
}

#[test]
fn a_record_with_a_wrong_verdict_or_without_a_seed_is_none() {
    for change in [
        (|it: &mut serde_json::Value| it["cases"][0]["verdict"] = "good".into())
            as fn(&mut serde_json::Value),
        |it| it["schema"] = "assay-run/2".into(),
        |it| drop(it.as_object_mut().unwrap().remove("seed")),
        |it| it["cases"][0]["virtual_us"] = (-1).into(),
    ] {
        let mut document = value(&render_json(&full()));
        change(&mut document);
        assert_ne!(faults(RUN_SCHEMA, &document), [""; 0]);
        assert!(read_record(&document.to_string()).is_err());
    }
}

#[test]
fn a_trace_is_read_back_and_another_text_is_refused_with_its_line() {
    let trace = sample::trace("x");
    assert_eq!(read_trace(&render_trace(&trace)).unwrap(), trace);
    let error = |text: &str| read_trace(text).unwrap_err().to_string();
    assert!(error("").contains("it is empty"));
    assert!(
        error(&render_trace(&trace).replacen("assay-trace/1", "assay-trace/9", 1))
            .contains("`assay-trace/9`")
    );
    assert!(error(&(render_trace(&trace) + "{}\n")).contains("line 7: "));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_trace_brings_every_text_back_a_line_an_entry(text in hostile()) {
        let trace = sample::trace(&text);
        let json = render_trace(&trace);
        prop_assert_eq!(json.lines().count(), trace.entries.len() + 1);
        prop_assert_eq!(read_trace(&json).unwrap(), trace);
    }

    #[test]
    fn no_text_changes_the_packets_of_a_capture(text in hostile()) {
        let capture = render_pcapng(&sample::trace(&text));
        let plain = render_pcapng(&sample::trace("x"));
        // Names of interfaces come first and are text; the packets are the same.
        let packets = |capture: &[u8]| capture[capture.len() - sample::PACKETS..].to_vec();
        prop_assert_eq!(packets(&capture), packets(&plain));
        let names = &capture[..capture.len() - sample::PACKETS];
        // An escape alone may be a length.
        prop_assert!(!names.windows(2).any(|pair| pair == b"\x1b[" || pair == b"\x1b]"), "{names:?}");
    }

    #[test]
    fn a_difference_is_plain_text(texts in prop::collection::vec(hostile(), 1..8)) {
        let (before, after) = (record_of(&texts), record_of(&["x".to_owned()]));
        for (one, other) in [(&before, &after), (&after, &before)] {
            prop_assert!(render_difference(&Difference::between(one, other)).chars().all(is_plain));
        }
    }
}

#[test]
fn a_difference_tells_what_fails_newly_passes_newly_is_slower_and_has_vanished() {
    let run = |cases: &[(&str, Verdict, u64)]| {
        let mut record = RunRecord::new("0.1.0", "2024-01-02", ["assay", "run"], 0);
        for (id, verdict, us) in cases {
            let mut case = sample::case(id, *verdict);
            case.virtual_us = *us;
            record.cases.push(case);
        }
        record
    };
    use Verdict::{Fail, Inconclusive, Pass, Skipped};
    let before = run(&[
        ("a/same", Pass, 10_000_000),
        ("a/broke", Pass, 1),
        ("a/mended", Fail, 1),
        ("a/gone", Pass, 1),
        ("a/slow", Pass, 20_000_000),
        ("a/barely", Pass, 20_000_000),
        ("a/skipped", Pass, 1),
        ("a/worse", Inconclusive, 1),
    ]);
    let after = run(&[
        ("a/same", Pass, 10_000_000),
        ("a/broke", Fail, 1),
        ("a/mended", Pass, 1),
        ("a/new", Fail, 1),
        ("a/fine", Pass, 1),
        ("a/slow", Pass, 22_000_001),
        ("a/barely", Pass, 22_000_000),
        ("a/skipped", Skipped, 1),
        ("a/worse", Fail, 1),
    ]);
    let found = Difference::between(&before, &after);
    let names = |changes: &[assay_reports::Change]| {
        let first = |change: &assay_reports::Change| change.case.split(' ').next().unwrap().to_owned();
        changes.iter().map(first).collect::<Vec<_>>()
    };
    assert_eq!(names(&found.newly_failing), ["a/broke", "a/new"]);
    assert_eq!(names(&found.newly_passing), ["a/mended"]);
    assert_eq!(names(&found.slower), ["a/slow"]);
    assert_eq!(names(&found.vanished), ["a/gone"]);
    assert_eq!(names(&found.worse), ["a/skipped", "a/worse"]);
    assert_eq!((found.compared, found.exit_code()), (7, 100));
    insta::assert_snapshot!(render_difference(&found));
    let same = Difference::between(&before, &before);
    assert_eq!(
        (same.exit_code(), render_difference(&same).as_str()),
        (0, "8 cases compared; nothing has changed.\n")
    );
    // Passing newly and taking longer fail nobody's pipeline.
    let better = run(&[("a/mended", Pass, 1), ("a/slow", Pass, 90_000_000)]);
    let worse = run(&[("a/mended", Fail, 1), ("a/slow", Pass, 1)]);
    assert_eq!(Difference::between(&worse, &better).exit_code(), 0);
}

#[test]
fn a_mutant_that_lives_again_and_a_requirement_that_nobody_judges_are_failures() {
    let mut before = full();
    before.cases.retain(|case| case.verdict == Verdict::Pass);
    let mut after = before.clone();
    after.mutants[0].killed = false;
    let lost = Difference::between(&before, &after);
    assert_eq!((lost.mutants_lost.len(), lost.exit_code()), (1, 100));
    let mut after = before.clone();
    after.cases.iter_mut().flat_map(|case| &mut case.requirements).for_each(|outcome| outcome.judged = 0);
    let silent = Difference::between(&before, &after);
    assert!(!silent.no_longer_judged.is_empty());
    assert_eq!(silent.exit_code(), 100);
}
