//! What holds between a record, its verdict and its reports.

use assay_reports::{
    NotARecord, RunRecord, Verdict, exit_code, read_record, render_console_failure, render_json, render_junit,
};
use quick_junit::Report;

use crate::sample;

fn run_of(verdicts: &[Verdict]) -> RunRecord {
    let mut record = RunRecord::new("0.1.0", "2024-01-02", ["assay", "run"], 42);
    record.cases = verdicts.iter().map(|verdict| sample::case("water/topup/plain", *verdict)).collect();
    record
}

fn stops_junit(record: &RunRecord) -> bool {
    let report = Report::deserialize_from_str(&render_junit(record)).unwrap();
    report.failures + report.errors > 0
}

#[test]
fn a_record_comes_back_as_it_was() {
    let mut record = sample::record();
    record.exploration = vec![sample::exploration()];
    record.mutants = sample::mutants();
    record.stale_waivers = vec![sample::stale_waiver()];
    record.campaign = true;
    record.rig = Some(sample::rig());
    record.cases[0].replayed = Some(sample::replayed());
    record.cases[0].seed = u64::MAX;
    let json = render_json(&record);
    assert_eq!(read_record(&json).unwrap(), record);
    assert_eq!(render_json(&read_record(&json).unwrap()), json);
}

#[test]
fn a_record_may_know_more_or_less() {
    let older = r#"{ "schema": "assay-run/1", "tool": "0.1.0", "started": "2024-01-02", "command": [], "seed": 1,
        "interrupted": true, "cases": [], "exploration": [], "mutants": [], "weather": "rain" }"#;
    let read = read_record(older).unwrap();
    assert!(read.interrupted && !read.campaign && read.stale_waivers.is_empty());
}

#[test]
fn what_is_no_record_is_refused() {
    let other = render_json(&sample::record()).replace("assay-run/1", "assay-run/2\\u001b");
    let refused = read_record(&other).unwrap_err();
    assert!(
        matches!(&refused, NotARecord::OtherSchema { found } if found == "assay-run/2\\x1b"),
        "{refused}"
    );
    for text in ["", "{}", "[]", "{\"schema\": 1}", "{\"schema\": \"assay-run/1\"}"] {
        let refused = read_record(text).unwrap_err();
        assert!(matches!(refused, NotARecord::Malformed(_)), "{text}: {refused}");
    }
}

#[test]
fn the_worst_case_decides() {
    use Verdict::{Broken, Fail, Inconclusive, Pass, Skipped, Waived};
    for (verdicts, worst, code) in [
        (&[Pass][..], Pass, 0),
        (&[Pass, Skipped], Skipped, 0),
        (&[Waived, Pass, Skipped], Waived, 0),
        (&[Inconclusive, Waived], Inconclusive, 101),
        (&[Fail, Inconclusive, Pass], Fail, 100),
        (&[Pass, Broken, Fail], Broken, 102),
    ] {
        let record = run_of(verdicts);
        assert_eq!((record.verdict(), record.exit_code()), (worst, code));
        assert_eq!(stops_junit(&record), code != 0);
    }
}

#[test]
fn a_run_that_is_not_whole_is_no_pass() {
    let empty = run_of(&[]);
    assert_eq!((empty.verdict(), empty.exit_code()), (Verdict::Inconclusive, exit_code::NOTHING_SELECTED));
    let mut stopped = run_of(&[]);
    stopped.interrupted = true;
    assert_eq!(stopped.exit_code(), exit_code::INCONCLUSIVE);
    let mut cut_short = run_of(&[Verdict::Pass]);
    cut_short.interrupted = true;
    assert_eq!(cut_short.exit_code(), exit_code::INCONCLUSIVE);
    for record in [empty, stopped, cut_short] {
        assert!(stops_junit(&record));
    }
}

#[test]
fn a_requirement_never_judged_spoils_a_campaign_only() {
    let mut record = run_of(&[Verdict::Pass, Verdict::Pass]);
    record.cases[0].requirements = vec![sample::outcome("WAT-C7", Verdict::Pass, 0)];
    record.cases[1].requirements = vec![sample::outcome("WAT-P1", Verdict::Skipped, 0)];
    assert_eq!(record.vacuous_requirements(), ["WAT-C7"]);
    assert_eq!((record.exit_code(), stops_junit(&record)), (exit_code::OK, false));
    record.campaign = true;
    assert_eq!((record.exit_code(), stops_junit(&record)), (exit_code::INCONCLUSIVE, true));
    record.cases[1].requirements.push(sample::outcome("WAT-C7", Verdict::Pass, 1));
    assert!(record.vacuous_requirements().is_empty());
    assert_eq!((record.exit_code(), stops_junit(&record)), (exit_code::OK, false));
}

#[test]
fn a_stale_waiver_fails_the_run_but_hides_no_failure() {
    for (verdict, code) in [
        (Verdict::Pass, exit_code::STALE_WAIVER),
        (Verdict::Inconclusive, exit_code::STALE_WAIVER),
        (Verdict::Fail, exit_code::FAIL),
        (Verdict::Broken, exit_code::BROKEN),
    ] {
        let mut record = run_of(&[verdict]);
        record.stale_waivers = vec![sample::stale_waiver()];
        assert_eq!((record.exit_code(), stops_junit(&record)), (code, true));
    }
}

#[test]
fn a_mutant_is_meant_to_fail_and_a_survivor_is_not() {
    let mut record = run_of(&[Verdict::Pass, Verdict::Fail]);
    record.cases[1].mutant = Some("forgets-repeats".into());
    assert_eq!(record.exit_code(), exit_code::FAIL, "a mutant outside the matrix is a system under test");
    record.mutants = sample::mutants();
    record.mutants.retain(|mutant| mutant.killed);
    assert_eq!((record.exit_code(), stops_junit(&record)), (exit_code::OK, false));
    assert_eq!(record.counts().into_iter().collect::<Vec<_>>(), [(Verdict::Pass, 1)]);
    record.cases[1].verdict = Verdict::Broken;
    assert_eq!((record.exit_code(), stops_junit(&record)), (exit_code::BROKEN, true));
    record.cases[1].verdict = Verdict::Fail;
    record.mutants = sample::mutants();
    assert_eq!((record.exit_code(), stops_junit(&record)), (exit_code::FAIL, true));
}

#[test]
fn an_exploration_counts_like_a_case() {
    for (verdict, code) in [(Verdict::Pass, 0), (Verdict::Inconclusive, 101), (Verdict::Fail, 100)] {
        let mut record = run_of(&[]);
        record.exploration = vec![sample::exploration()];
        record.exploration[0].verdict = verdict;
        assert_eq!((record.exit_code(), stops_junit(&record)), (code, code != 0));
    }
}

#[test]
fn each_verdict_has_its_element() {
    for (verdict, element) in [
        (Verdict::Skipped, "<skipped message=\"reason\" type=\"skipped\""),
        (Verdict::Waived, "<skipped message=\"reason\" type=\"waived\""),
        (Verdict::Inconclusive, "<error message=\"reason\" type=\"inconclusive\""),
        (Verdict::Fail, "<failure message=\"reason\" type=\"WAT-I1\""),
        (Verdict::Broken, "<error message=\"reason\" type=\"broken\""),
    ] {
        let mut record = run_of(&[verdict]);
        record.cases[0].why = Some("reason".into());
        record.cases[0].violations = vec![sample::violation()];
        let xml = render_junit(&record);
        assert_eq!(xml.matches(element).count(), 1, "{xml}");
    }
    let passed = render_junit(&run_of(&[Verdict::Pass]));
    assert!(!["<skipped", "<error", "<failure"].iter().any(|element| passed.contains(element)), "{passed}");
}

#[test]
fn one_case_with_two_seeds_has_two_names() {
    let mut record = run_of(&[Verdict::Pass, Verdict::Pass]);
    record.cases[1].seed = 43;
    let report = Report::deserialize_from_str(&render_junit(&record)).unwrap();
    let names: Vec<&str> = report.test_suites[0].test_cases.iter().map(|case| case.name.as_str()).collect();
    assert_eq!(names, ["water/topup/plain (published), seed 42", "water/topup/plain (published), seed 43"]);
}

#[test]
fn what_is_left_out_is_counted() {
    let mut case = sample::failed_case();
    let line = case.violations[0].evidence[0].clone();
    case.violations[0].evidence = vec![line; 21];
    case.violations = vec![case.violations[0].clone(); 12];
    case.sites_not_reached = vec!["x".into(); 1_020];
    let text = render_console_failure(&case);
    assert_eq!(text.matches("(1 more line in run.json)").count(), 10);
    assert_eq!(text.matches("(2 more violations in run.json)").count(), 1);
    assert_eq!(text.matches("(1,000 more sites in run.json)").count(), 1);
}
