//! What each renderer prints for the sample record.

use assay_reports::{
    RunRecord, Verdict, render_console_case, render_console_failure, render_console_summary,
    render_exploration, render_json, render_junit, render_mutants, render_summary,
};

use crate::sample;

#[test]
fn a_failure_reads_as_sentences() {
    insta::assert_snapshot!(render_console_failure(&sample::failed_case()));
}

#[test]
fn a_case_takes_one_line() {
    let mut waived = sample::case("water/topup/plain", Verdict::Waived);
    waived.why = Some("modem firmware is being mended".into());
    waived.mutant = Some("never-resets".into());
    let cases = [sample::case("water/topup/plain", Verdict::Pass), waived, sample::failed_case()];
    insta::assert_snapshot!(cases.each_ref().map(render_console_case).join("\n"));
}

#[test]
fn a_run_is_counted() {
    let mut record = sample::record();
    record.exploration = vec![sample::exploration()];
    record.mutants = sample::mutants();
    record.stale_waivers = vec![sample::stale_waiver()];
    record.interrupted = true;
    insta::assert_snapshot!(render_console_summary(&record));
}

#[test]
fn a_run_of_nothing_says_so() {
    let record = RunRecord::new("0.1.0", "2024-01-02", ["assay", "run"], 1);
    insta::assert_snapshot!(render_console_summary(&record), @r"
    No cases.
    Nothing was run.
    Verdict: inconclusive (exit code 4).
    ");
}

#[test]
fn mutants_make_a_matrix() {
    insta::assert_snapshot!(render_mutants(&sample::mutants()));
}

#[test]
fn an_exploration_says_what_it_covered() {
    insta::assert_snapshot!(render_exploration(&sample::exploration()));
}

#[test]
fn a_partial_exploration_says_so() {
    let mut partial = sample::exploration();
    partial.faults_struck = 1_999;
    partial.complete = false;
    partial.causes.clear();
    partial.by_kind.clear();
    partial.faults_a_run = 2;
    partial.faults_merged = 319;
    partial.verdict = Verdict::Broken;
    partial.why = Some("the tabletop met a party without a port".into());
    insta::assert_snapshot!(render_exploration(&partial));
}

#[test]
fn the_summary_tells_cases() {
    let mut record = sample::record();
    record.cases.remove(0);
    record.cases[1].violations[0].evidence.truncate(2);
    record.cases[1].requirements.truncate(1);
    record.cases[1].plan.truncate(1);
    insta::assert_snapshot!(render_summary(&record));
}

#[test]
fn the_summary_tells_explorations() {
    let mut record = RunRecord::new("0.1.0", "2024-01-02", ["assay", "explore", "water"], 42);
    let mut exploration = sample::exploration();
    exploration.causes.pop();
    record.exploration = vec![exploration];
    insta::assert_snapshot!(render_summary(&record));
}

#[test]
fn the_summary_tells_mutants_and_what_spoils_a_run() {
    let mut record = RunRecord::new("0.1.0", "2024-01-02", ["assay", "mutants", "water"], 42);
    record.mutants = sample::mutants();
    record.stale_waivers = vec![sample::stale_waiver()];
    record.interrupted = true;
    insta::assert_snapshot!(render_summary(&record));
}

#[test]
fn junit_tells_a_failure() {
    let mut record = sample::record();
    record.cases.drain(..2);
    for case in &mut record.cases {
        case.violations.iter_mut().for_each(|violation| violation.evidence.truncate(1));
        case.sites_not_reached.clear();
        case.requirements.truncate(1);
        case.plan.truncate(1);
    }
    insta::assert_snapshot!(render_junit(&record));
}

#[test]
fn json_has_a_fixed_order_of_keys() {
    let mut record = RunRecord::new("0.1.0", "2024-01-02", ["assay", "run"], 42);
    let mut case = sample::case("water/topup/plain", Verdict::Pass);
    case.requirements.clear();
    record.cases = vec![case];
    insta::assert_snapshot!(render_json(&record));
}
