//! The record as JUnit XML, for pipelines that know nothing else.
//!
//! | verdict | element | why |
//! |---|---|---|
//! | pass | none | |
//! | skipped, waived | `skipped` with the verdict as its type | neither is a pass, and neither stops a pipeline |
//! | inconclusive | `error` of type `inconclusive` | it must not count as passed, and nothing was shown to fail |
//! | fail | `failure`, its type the first requirement that was broken | |
//! | broken | `error` of type `broken` | ours or the rig's fault |
//!
//! One suite holds the cases of one system on one bench. Explorations, mutants and what concerns the whole run have
//! suites of their own, so that a report has a failure or an error exactly if the run does not end with exit code 0.
//! There is no `time`: wall-clock time is not in the record, and virtual time is a property.

use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};

use crate::console::stale_waiver;
use crate::record::{CaseRecord, RunRecord};
use crate::text::{escape, shown};
use crate::verdict::Verdict;
use crate::{certificate, exploration, render_console_failure, render_exploration};

/// `junit.xml`.
pub fn render_junit(record: &RunRecord) -> String {
    let mut report = Report::new("assay");
    report.add_test_suites(case_suites(record));
    report.add_test_suites(
        [
            exploration_suite(record),
            mutant_suite(record),
            soak_suite(record),
            standing_suite(record),
            run_suite(record),
        ]
        .into_iter()
        .flatten(),
    );
    report.to_string().expect("escaped text is XML, and memory takes all of it")
}

/// The status of a test case with this verdict.
fn status(verdict: Verdict, failed_at: &str, message: &str, description: &str) -> TestCaseStatus {
    let (mut status, kind) = match verdict {
        Verdict::Pass => return TestCaseStatus::success(),
        Verdict::Skipped | Verdict::Waived => (TestCaseStatus::skipped(), verdict.as_str()),
        Verdict::Inconclusive | Verdict::Broken => {
            (TestCaseStatus::non_success(NonSuccessKind::Error), verdict.as_str())
        }
        Verdict::Fail => (TestCaseStatus::non_success(NonSuccessKind::Failure), failed_at),
    };
    status.set_type(shown(kind)).set_message(shown(message));
    if !description.is_empty() {
        status.set_description(description);
    }
    status
}

fn suite(name: &str, cases: Vec<TestCase>) -> TestSuite {
    let mut suite = TestSuite::new(shown(name));
    suite.add_test_cases(cases);
    suite
}

fn case_suites(record: &RunRecord) -> Vec<TestSuite> {
    let mut suites: Vec<((&str, &str), Vec<&CaseRecord>)> = Vec::new();
    for case in record.judged_cases() {
        let key = (case.system.as_str(), case.bench.as_str());
        match suites.iter_mut().find(|(of, _)| *of == key) {
            Some((_, cases)) => cases.push(case),
            None => suites.push((key, vec![case])),
        }
    }
    let render = |((system, bench), cases): ((&str, &str), Vec<&CaseRecord>)| {
        let mut suite = suite(&format!("{system} on {bench}"), test_cases(&cases));
        suite.add_properties([
            Property::new("tool", shown(&record.tool)),
            Property::new("started", shown(&record.started)),
            Property::new("seed", record.seed.to_string()),
            Property::new("command", escape(&record.command.join(" "))),
        ]);
        suite
    };
    suites.into_iter().map(render).collect()
}

/// The test cases of one suite; the seed is part of a name only where a case ran with several.
///
/// Why: a pipeline follows a test by its name from run to run.
fn test_cases(cases: &[&CaseRecord]) -> Vec<TestCase> {
    let name = |case: &CaseRecord| match &case.mutant {
        Some(mutant) => format!("{} ({}, mutant {mutant})", case.id, case.policy),
        None => format!("{} ({})", case.id, case.policy),
    };
    let mut seen = std::collections::BTreeMap::<String, u32>::new();
    for case in cases {
        *seen.entry(name(case)).or_default() += 1;
    }
    let render = |case: &&CaseRecord| {
        let mut full_name = name(case);
        if seen.get(&full_name).is_some_and(|times| *times > 1) {
            full_name = format!("{full_name}, seed {}", case.seed);
        }
        let mut test_case = TestCase::new(shown(&full_name), case_status(case));
        test_case.set_classname(shown(&format!("{}.{}", case.system, case.bench)));
        test_case.add_properties([
            Property::new("seed", case.seed.to_string()),
            Property::new("tape-digest", shown(&case.tape_digest)),
            Property::new("virtual-us", case.virtual_us.to_string()),
        ]);
        test_case
    };
    cases.iter().map(render).collect()
}

fn case_status(case: &CaseRecord) -> TestCaseStatus {
    let failed_at = case.violations.first().map_or("fail", |violation| violation.requirement.as_str());
    let description = match case.verdict {
        Verdict::Pass | Verdict::Skipped => String::new(),
        _ => render_console_failure(case),
    };
    status(case.verdict, failed_at, &case.reason().unwrap_or_default(), &description)
}

fn exploration_suite(record: &RunRecord) -> Option<TestSuite> {
    let render = |explored: &crate::ExplorationRecord| {
        let failed_at = explored.causes.first().map_or("fail", |cause| cause.requirement.as_str());
        let message = explored.why.clone().unwrap_or_else(|| exploration::coverage(explored));
        let description = render_exploration(explored);
        let subject = exploration::subject(explored);
        TestCase::new(subject, status(explored.verdict, failed_at, &message, &description))
    };
    let cases: Vec<TestCase> = record.exploration.iter().map(render).collect();
    (!cases.is_empty()).then(|| suite("exploration", cases))
}

fn mutant_suite(record: &RunRecord) -> Option<TestSuite> {
    let render = |mutant: &crate::MutantRecord| {
        let verdict = if mutant.killed { Verdict::Pass } else { Verdict::Fail };
        let message = format!("it survived: {}", mutant.what);
        TestCase::new(shown(&mutant.name), status(verdict, "survived", &message, ""))
    };
    let cases: Vec<TestCase> = record.mutants.iter().map(render).collect();
    (!cases.is_empty()).then(|| suite("mutants", cases))
}

/// A soak is one test: its rounds that did not pass are among the cases.
fn soak_suite(record: &RunRecord) -> Option<TestSuite> {
    let soak = record.rig.as_ref()?.soak.as_ref()?;
    let words = certificate::soaked(soak);
    let status = status(soak.verdict(), "soak", &words, &words);
    Some(suite("soak", vec![TestCase::new("every round passes", status)]))
}

/// Whether a campaign is whole, reached everything, and passes.
fn standing_suite(record: &RunRecord) -> Option<TestSuite> {
    let tests = crate::standing::tests(record.standing.as_ref()?).into_iter();
    let cases =
        tests.map(|(name, verdict, why)| TestCase::new(name, status(verdict, "campaign", &why, &why)));
    Some(suite("campaign", cases.collect()))
}

/// What concerns the run as a whole; there is no such suite if there is nothing to say.
fn run_suite(record: &RunRecord) -> Option<TestSuite> {
    let mut cases = Vec::new();
    let mut add = |name: &str, verdict, kind: &str, message: &str| {
        cases.push(TestCase::new(shown(name), status(verdict, kind, message, "")));
    };
    if record.interrupted {
        add("the run reaches its end", Verdict::Inconclusive, "", "it was interrupted");
    }
    if record.is_empty() {
        add("something is run", Verdict::Inconclusive, "", "nothing was");
    }
    for waiver in &record.stale_waivers {
        let name = format!("the waiver for {} on {} holds", waiver.case, waiver.bench);
        add(&name, Verdict::Fail, "stale-waiver", &stale_waiver(waiver));
    }
    if record.campaign {
        for requirement in record.vacuous_requirements() {
            let message = "no case was ever in a position to see it broken";
            add(&format!("{requirement} is judged"), Verdict::Inconclusive, "", message);
        }
    }
    (!cases.is_empty()).then(|| suite("run", cases))
}
