//! The page: one file that needs nothing else, whatever is in the record.

use assay_reports::{
    Difference, RunRecord, render_certificate, render_console_case, render_console_failure,
    render_difference, render_html, render_junit, render_summary,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

use crate::hostile::{hostile, is_plain, record_of};
use crate::sample;

/// The page of a record each of whose traces is the sample with this text in every place.
fn page(record: &RunRecord, text: &str) -> String {
    render_html(record, &mut |_| Some(sample::trace(text)))
}

/// What stands between a beginning and an end, from the first of such places on.
fn between<'a>(text: &'a str, begin: &str, end: &str) -> Vec<&'a str> {
    text.split(begin).skip(1).map(|rest| rest.split(end).next().unwrap_or_default()).collect()
}

/// The page without its data and without the plain text for those who run no scripts.
fn skeleton(page: &str) -> String {
    let mut out = String::new();
    let mut rest = page;
    while let Some(at) =
        ["<pre>", "<script type=\"application/json\""].iter().filter_map(|tag| rest.find(tag)).min()
    {
        let end = if rest[at..].starts_with("<pre>") { "</pre>" } else { "</script>" };
        out += &rest[..at];
        out += end;
        rest = rest[at..].split_once(end).unwrap().1;
    }
    out + rest
}

fn texts(value: &serde_json::Value, into: &mut Vec<String>) {
    match value {
        serde_json::Value::String(text) => into.push(text.clone()),
        serde_json::Value::Array(items) => items.iter().for_each(|item| texts(item, into)),
        serde_json::Value::Object(map) => map.values().for_each(|item| texts(item, into)),
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_text_leaves_its_place_in_the_page(parts in prop::collection::vec(hostile(), 1..8)) {
        let page_of = |parts: &[String]| page(&record_of(parts), &parts[0]);
        let html = page_of(&parts);
        prop_assert_eq!(skeleton(&html), skeleton(&page_of(&["x".to_owned()])));
        for data in between(&html, "<script type=\"application/json\"", "</script>") {
            let (_, json) = data.split_once('>').unwrap();
            let markup = ['<', '>', '&', '\u{2028}', '\u{2029}'];
            prop_assert!(!json.contains(markup));
            let mut all = Vec::new();
            texts(&serde_json::from_str(json).unwrap(), &mut all);
            prop_assert!(all.iter().all(|text| text.chars().all(|one| one != '\n' && is_plain(one))), "{all:?}");
        }
        for plain in between(&html, "<pre>", "</pre>") {
            prop_assert!(!plain.contains(['<', '>']) && plain.chars().all(is_plain), "{plain:?}");
        }
    }
}

#[test]
fn scripts_and_styles_are_those_that_the_policy_names_and_nothing_is_loaded() {
    let html = page(&sample::record(), "x");
    let policy = between(&html, "http-equiv=\"Content-Security-Policy\" content=\"", "\"")[0];
    let named = |directive: &str| between(policy, &format!("{directive} 'sha256-"), "'")[0].to_owned();
    let hash = |text: &str| STANDARD.encode(Sha256::digest(text));
    assert_eq!(
        between(&html, "<script>", "</script>").into_iter().map(hash).collect::<Vec<_>>(),
        [named("script-src")]
    );
    assert_eq!(
        between(&html, "<style>", "</style>").into_iter().map(hash).collect::<Vec<_>>(),
        [named("style-src")]
    );
    assert!(policy.starts_with("default-src 'none'; ") && !policy.contains("unsafe"), "{policy}");
    for reference in
        ["src=", "href=\"http", "url(h", "url(d", "url(/", "@import", "fetch(", "innerHTML", "eval("]
    {
        assert!(!html.contains(reference), "{reference}");
    }
}

#[test]
fn ten_megabytes_of_one_text_leave_small_reports() {
    let long = "A".repeat(10_000_000);
    let mut record = sample::record();
    let case = &mut record.cases[2];
    for text in [&mut case.id, &mut case.title, &mut case.policy, &mut case.tape_digest, &mut case.plan[0]] {
        text.clone_from(&long);
    }
    let violation = &mut case.violations[0];
    for text in [&mut violation.requirement, &mut violation.actual, &mut violation.evidence[0].text] {
        text.clone_from(&long);
    }
    case.why = Some(long.clone());
    case.trace = Some("replay/x.trace.jsonl".into());
    let reports = [
        page(&record, &long),
        render_junit(&record),
        render_summary(&record),
        render_certificate(&record),
        render_console_case(&record.cases[2]),
        render_console_failure(&record.cases[2]),
        render_difference(&Difference::between(&sample::record(), &record)),
    ];
    for report in &reports {
        assert!(report.len() < 200_000, "{} bytes: {}", report.len(), &report[..200.min(report.len())]);
    }
}

#[test]
fn a_large_run_stays_below_twenty_megabytes_with_its_tape() {
    let (record, trace) = sample::large();
    let html = render_html(&record, &mut |_| Some(trace.clone()));
    assert!(html.len() < 20_000_000, "{}", html.len());
    assert_eq!(html.matches("id=\"tape-0\"").count(), 1);
}

#[test]
fn tapes_that_find_no_room_are_named_and_left_out() {
    let mut record = sample::record();
    for number in 0..8 {
        let mut case = sample::failed_case();
        case.trace = Some(format!("replay/{number}.trace.jsonl"));
        record.cases.push(case);
    }
    // Each text is new, so that each of these tapes takes some 3 MB.
    let mut trace = sample::trace("x");
    trace.entries = (0..60_000).map(|at| sample::sent(at, &format!("{at:0>40}"))).collect();
    let html = render_html(&record, &mut |_| Some(trace.clone()));
    let told = html.matches("<script type=\"application/json\" id=\"tape-").count();
    assert!((1..8).contains(&told) && html.len() < 20_000_000, "{told} in {}", html.len());
    assert!(html.contains("\"has_tape\":[true,") && html.contains("false]"));
}
