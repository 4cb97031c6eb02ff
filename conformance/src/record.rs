//! From a run of a case to its record.

use assay_reports::{CaseRecord, Level, RequirementOutcome, Verdict, ViolationRecord};
use assay_sim::bench::Noticed;
use assay_sim::fault::FaultPlan;

use crate::case::Case;
use crate::finding::{Findings, Violation};
use crate::outcome::{Outcome, Recording};
use crate::redact::Redaction;
use crate::requirement;
use crate::stage::StageError;
use crate::trial::{Broken, Design, Run};

/// What a record is about.
#[derive(Clone)]
pub struct Subject<'a> {
    /// What it is called: the case's id, or the id and the fault that came on top.
    pub id: String,
    /// The case.
    pub case: &'a Case,
    /// On which design.
    pub design: &'a Design,
    /// On which bench.
    pub bench: &'a str,
    /// The command that runs it again.
    pub replay: Option<String>,
}

/// The record of one run.
///
/// Why: a requirement that one case never judged may well have been judged by another; only a case that has judged
/// nothing at all is inconclusive by itself, and the campaign as a whole settles the rest.
pub fn case_record(subject: &Subject<'_>, plan: &FaultPlan, run: &Run) -> CaseRecord {
    let requirements = outcomes(subject.case, run.outcome.as_ref());
    let violations = run.outcome.as_ref().map(|outcome| violation_records(outcome, plan)).unwrap_or_default();
    let judged = requirements.iter().filter(|outcome| outcome.judged > 0).map(|outcome| outcome.verdict);
    let breach = run.breach();
    let (verdict, why) = match (&run.broken, breach, Verdict::worst(judged)) {
        (Some(Broken::Stage(StageError::Unfit(why))), ..) => (Verdict::Inconclusive, Some(why.clone())),
        (Some(broken), ..) => (Verdict::Broken, Some(broken.to_string())),
        (None, Some(breach), _) => (Verdict::Fail, Some(breach.to_owned())),
        (None, None, Some(verdict)) => (verdict, None),
        (None, None, None) => {
            (Verdict::Inconclusive, Some("nothing that the case shows was judged".to_owned()))
        }
    };
    let bench = run.outcome.as_ref().map(|outcome| &outcome.bench);
    let (verdict, why) = with_noticed(verdict, why, bench.map(|bench| &bench.noticed));
    let not_reached = bench.map(|bench| bench.not_reached.clone()).unwrap_or_default();
    CaseRecord {
        id: subject.id.clone(),
        title: subject.case.title.to_owned(),
        system: subject.case.system.as_str().to_owned(),
        bench: subject.bench.to_owned(),
        policy: subject.design.policy.to_string(),
        mutant: subject.design.mutant.map(|mutant| mutant.name.to_owned()),
        seed: subject.design.seed.0,
        verdict,
        why: why.map(|why| redacted(run, &why)),
        requirements,
        violations,
        plan: plan.strikes.iter().map(ToString::to_string).collect(),
        replay: subject.replay.clone(),
        tape_digest: run.tape_digest(),
        tape_entries: bench.map_or(0, |bench| bench.tape.len()),
        virtual_us: bench.map_or(0, |bench| bench.now.as_us()),
        sites_not_reached: not_reached.iter().map(|strike| plan.strikes[*strike].to_string()).collect(),
        replayed: None,
        trace: None,
    }
}

/// A text about a run as it is told to others.
fn redacted(run: &Run, text: &str) -> String {
    run.tape().map_or_else(|| Redaction::default().text(text), |tape| tape.redacted(text))
}

/// The record of a case that the conformance statement excludes.
pub fn skipped_record(subject: &Subject<'_>, why: String) -> CaseRecord {
    let run = Run { outcome: None, broken: None };
    let mut record = case_record(subject, &FaultPlan::default(), &run);
    record.verdict = Verdict::Skipped;
    record.why = Some(why);
    for outcome in &mut record.requirements {
        outcome.verdict = Verdict::Skipped;
    }
    record
}

/// A run in which the system under test ended, flooded or could not be observed shows nothing but its failures.
fn with_noticed(
    verdict: Verdict,
    why: Option<String>,
    noticed: Option<&Noticed>,
) -> (Verdict, Option<String>) {
    let Some(Noticed { troubles, achieved, late: _ }) = noticed else { return (verdict, why) };
    let verdict = if troubles.is_empty() { verdict } else { verdict.max(Verdict::Inconclusive) };
    let parts: Vec<String> = why.into_iter().chain(troubles.iter().chain(achieved).cloned()).collect();
    (verdict, (!parts.is_empty()).then(|| parts.join("; ")))
}

impl Run {
    /// The digest of the tape in hexadecimal; `none` if there is no tape.
    pub fn tape_digest(&self) -> String {
        let digest = self.outcome.as_ref().map(|outcome| outcome.bench.tape.digest());
        digest.map_or_else(|| "none".to_owned(), |digest| format!("{digest:032x}"))
    }

    /// Everything observed, if it came to that.
    pub fn tape(&self) -> Option<&dyn Recording> {
        self.outcome.as_ref().map(|outcome| &*outcome.bench.tape)
    }

    /// How a party under test broke the contract of its seat.
    pub fn breach(&self) -> Option<&str> {
        self.outcome.as_ref()?.findings.breach.as_deref()
    }

    /// The requirements violated, each once, in the order of the catalogue's ids.
    pub fn violated(&self) -> Vec<&'static str> {
        let violations = self.outcome.iter().flat_map(|outcome| &outcome.findings.violations);
        let mut ids: Vec<_> = violations.map(|violation| violation.requirement).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }
}

/// What the case shows, then what it was not known to show and what was violated all the same.
fn outcomes(case: &Case, outcome: Option<&Outcome>) -> Vec<RequirementOutcome> {
    let mut ids: Vec<&str> = case.shows.to_vec();
    for violation in outcome.iter().flat_map(|outcome| &outcome.findings.violations) {
        if !ids.contains(&violation.requirement) {
            ids.push(violation.requirement);
        }
    }
    ids.into_iter().map(|id| requirement_outcome(id, outcome)).collect()
}

fn requirement_outcome(id: &str, outcome: Option<&Outcome>) -> RequirementOutcome {
    let findings = outcome.map(|outcome| &outcome.findings);
    let violated =
        findings.is_some_and(|found| found.violations.iter().any(|violation| violation.requirement == id));
    let counted = findings.and_then(|found| found.judged.get(id)).copied().unwrap_or_default();
    let judged = counted.max(u64::from(violated));
    let verdict = match (violated, judged) {
        (true, _) => Verdict::Fail,
        (false, 0) => Verdict::Inconclusive,
        (false, _) => Verdict::Pass,
    };
    let (level, text) = words(id);
    RequirementOutcome { id: id.to_owned(), level, text, verdict, judged }
}

fn words(id: &str) -> (Level, String) {
    match requirement::by_id(id) {
        Some(requirement) => (requirement.level, requirement.text.clone()),
        None => (Level::Must, "This id is in no catalogue of requirements.".to_owned()),
    }
}

/// Everything that was violated, with its evidence.
pub fn violation_records(outcome: &Outcome, plan: &FaultPlan) -> Vec<ViolationRecord> {
    violations_of(&outcome.findings, &*outcome.bench.tape, plan)
}

/// The same of what was found on a tape.
pub fn violations_of(findings: &Findings, tape: &dyn Recording, plan: &FaultPlan) -> Vec<ViolationRecord> {
    findings.violations.iter().map(|violation| violation_record(violation, tape, plan)).collect()
}

fn violation_record(violation: &Violation, tape: &dyn Recording, plan: &FaultPlan) -> ViolationRecord {
    let (level, text) = words(violation.requirement);
    let entries = violation.evidence.iter();
    ViolationRecord {
        requirement: violation.requirement.to_owned(),
        level,
        text,
        expected: tape.redacted(&violation.expected),
        actual: tape.redacted(&violation.actual),
        at_us: violation.at.as_us(),
        evidence: entries.filter_map(|ordinal| tape.evidence(*ordinal, plan)).collect(),
    }
}
