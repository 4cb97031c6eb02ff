//! What a certificate states: an in-toto Statement v1 whose predicate is a test result, with what a suite under faults
//! has to say beyond it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::files::FileRecord;
use crate::record::{CaseRecord, ExplorationRecord, ProductRecord, RunRecord, SoakRecord};
use crate::verdict::Verdict;

/// What kind of document it is.
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";

/// What kind of predicate it has.
pub const PREDICATE_TYPE: &str = "https://in-toto.io/attestation/test-result/v0.1";

/// Hashes by the names of their algorithms.
pub type Digests = BTreeMap<String, String>;

/// A statement about what was tested.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// [`STATEMENT_TYPE`].
    #[serde(rename = "_type")]
    pub kind: String,
    /// What was tested.
    pub subject: Vec<Resource>,
    /// [`PREDICATE_TYPE`].
    #[serde(rename = "predicateType")]
    pub predicate_type: String,
    /// What came of it.
    pub predicate: Predicate,
}

/// Something with a name and a fingerprint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    /// What it is called.
    pub name: String,
    /// Its hashes.
    pub digest: Digests,
}

/// A test result.
///
/// Source: in-toto test-result predicate, version 0.1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Predicate {
    /// What it came to as a whole.
    pub result: TestResult,
    /// By what it was tested: the suite, and the files that it was told to go by.
    pub configuration: Vec<Resource>,
    /// The cases that passed.
    pub passed_tests: Vec<String>,
    /// The cases whose failure is waived.
    pub warned_tests: Vec<String>,
    /// The cases that failed, broke, or could not be judged.
    pub failed_tests: Vec<String>,
    /// What the predicate has no place for.
    ///
    /// Why: an extension of a predicate is named by a URI.
    #[serde(rename = "https://github.com/assay-hil/assay/certificate/v1")]
    pub certificate: CertificateRecord,
}

/// What a test came to as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum TestResult {
    /// Everything passed.
    Passed,
    /// Something was skipped or waived, and everything else passed.
    Warned,
    /// Anything else: nothing but pass counts as pass.
    Failed,
}

/// What a suite under faults has to say beyond a test result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CertificateRecord {
    /// The version of the suite.
    pub suite: String,
    /// The date of the run.
    pub started: String,
    /// The command line, word by word.
    pub command: Vec<String>,
    /// The seed.
    pub seed: u64,
    /// The verdict.
    pub verdict: Verdict,
    /// The exit code.
    pub exit_code: u8,
    /// What the vendor states of the product, if there is a conformance statement.
    pub product: Option<ProductRecord>,
    /// How well the suite itself was tested, if that is known.
    pub kill_score: Option<KillScore>,
    /// Each case with its seed, its plan and its verdict.
    pub cases: Vec<TestedCase>,
    /// The explorations.
    pub exploration: Vec<TestedSpace>,
    /// The soak, if there was one.
    pub soak: Option<SoakRecord>,
    /// Every file of the directory but for the envelope.
    pub files: Vec<FileRecord>,
}

/// How many designs with a flaw the suite has found out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KillScore {
    /// How many.
    pub killed: u64,
    /// Of how many.
    pub total: u64,
    /// The record that shows it, within the directory.
    pub file: String,
}

/// One case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TestedCase {
    /// Its id.
    pub id: String,
    /// The bench.
    pub bench: String,
    /// The policy of the suite's own parties.
    pub policy: String,
    /// The mutant in the seat under test, if one was.
    pub mutant: Option<String>,
    /// The seed.
    pub seed: u64,
    /// The fault plan in words.
    pub plan: Vec<String>,
    /// What it came to.
    pub verdict: Verdict,
    /// The digest of its tape.
    pub tape: String,
}

/// One exploration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TestedSpace {
    /// The case.
    pub case: String,
    /// The bench.
    pub bench: String,
    /// The policy of the suite's own parties.
    pub policy: String,
    /// How many faults strike in one run.
    pub faults_a_run: u32,
    /// How many faults there are.
    pub faults_total: u64,
    /// How many of them were struck.
    pub faults_struck: u64,
    /// How many violations that showed.
    pub violations: u64,
    /// What it came to.
    pub verdict: Verdict,
}

/// What a statement needs beside the record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Basis {
    /// What was tested.
    pub subject: Vec<Resource>,
    /// By what.
    pub configuration: Vec<Resource>,
    /// How well the suite itself was tested, if that is known.
    pub kill_score: Option<KillScore>,
    /// Every file of the directory but for the envelope.
    pub files: Vec<FileRecord>,
}

/// A payload that is not a statement of this kind.
#[derive(Debug, Error)]
pub enum NotAStatement {
    /// It has another form.
    #[error("what is signed is not a statement that this tool knows: {0}")]
    Form(#[from] serde_json::Error),
    /// It is of another type.
    #[error("what is signed is of the type `{0}`, which this tool does not know")]
    Type(String),
}

impl Statement {
    /// What is to be said of a run.
    pub fn of(record: &RunRecord, basis: Basis) -> Self {
        let Basis { subject, configuration, kill_score, files } = basis;
        let tests = |wanted: &[Verdict]| -> Vec<String> {
            let cases = record.judged_cases().filter(|case| wanted.contains(&case.verdict));
            cases.map(|case| format!("{} on {}", case.id, case.bench)).collect()
        };
        Self {
            kind: STATEMENT_TYPE.to_owned(),
            subject,
            predicate_type: PREDICATE_TYPE.to_owned(),
            predicate: Predicate {
                result: match record.verdict() {
                    Verdict::Pass => TestResult::Passed,
                    Verdict::Skipped | Verdict::Waived => TestResult::Warned,
                    Verdict::Inconclusive | Verdict::Fail | Verdict::Broken => TestResult::Failed,
                },
                configuration,
                passed_tests: tests(&[Verdict::Pass]),
                warned_tests: tests(&[Verdict::Waived]),
                failed_tests: tests(&[Verdict::Inconclusive, Verdict::Fail, Verdict::Broken]),
                certificate: CertificateRecord {
                    suite: record.tool.clone(),
                    started: record.started.clone(),
                    command: record.command.clone(),
                    seed: record.seed,
                    verdict: record.verdict(),
                    exit_code: record.exit_code(),
                    product: record.rig.as_ref().and_then(|rig| rig.product.clone()),
                    kill_score,
                    cases: record.cases.iter().map(TestedCase::of).collect(),
                    exploration: record.exploration.iter().map(TestedSpace::of).collect(),
                    soak: record.rig.as_ref().and_then(|rig| rig.soak.clone()),
                    files,
                },
            },
        }
    }

    /// The bytes that are signed.
    pub fn render(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a statement has only text keys, so it always serialises")
    }

    /// Reads what was signed.
    ///
    /// Errors: [`NotAStatement`].
    pub fn read(bytes: &[u8]) -> Result<Self, NotAStatement> {
        #[derive(Deserialize)]
        struct Head {
            #[serde(rename = "_type")]
            kind: String,
            #[serde(rename = "predicateType")]
            predicate_type: String,
        }
        let Head { kind, predicate_type } = serde_json::from_slice(bytes)?;
        for (found, known) in [(kind, STATEMENT_TYPE), (predicate_type, PREDICATE_TYPE)] {
            if found != known {
                return Err(NotAStatement::Type(found));
            }
        }
        Ok(serde_json::from_slice(bytes)?)
    }
}

impl TestedCase {
    fn of(case: &CaseRecord) -> Self {
        Self {
            id: case.id.clone(),
            bench: case.bench.clone(),
            policy: case.policy.clone(),
            mutant: case.mutant.clone(),
            seed: case.seed,
            plan: case.plan.clone(),
            verdict: case.verdict,
            tape: case.tape_digest.clone(),
        }
    }
}

impl TestedSpace {
    fn of(explored: &ExplorationRecord) -> Self {
        Self {
            case: explored.case.clone(),
            bench: explored.bench.clone(),
            policy: explored.policy.clone(),
            faults_a_run: explored.faults_a_run,
            faults_total: explored.faults_total,
            faults_struck: explored.faults_struck,
            violations: explored.violations(),
            verdict: explored.verdict,
        }
    }
}

impl Resource {
    /// A file with its SHA-256.
    pub fn file(name: impl Into<String>, sha256: String) -> Self {
        Self { name: name.into(), digest: Digests::from([("sha256".to_owned(), sha256)]) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement() -> Statement {
        let record = RunRecord::new("0.1.0", "2026-01-02", ["assay", "run"], 7);
        let subject = vec![Resource::file("server", "00".repeat(32))];
        Statement::of(&record, Basis { subject, ..Basis::default() })
    }

    /// The keys of the in-toto documents, written out.
    #[test]
    fn a_statement_has_the_form_of_in_toto() {
        let json: serde_json::Value = serde_json::from_slice(&statement().render()).unwrap();
        assert_eq!(json["_type"], "https://in-toto.io/Statement/v1");
        assert_eq!(json["predicateType"], "https://in-toto.io/attestation/test-result/v0.1");
        assert_eq!(json["subject"][0]["digest"]["sha256"], "00".repeat(32));
        let predicate = json["predicate"].as_object().unwrap();
        // A run in which nothing was run passes nothing.
        assert_eq!(predicate["result"], "FAILED");
        for list in ["configuration", "passedTests", "warnedTests", "failedTests"] {
            assert!(predicate[list].is_array(), "{list}");
        }
        assert_eq!(predicate["https://github.com/assay-hil/assay/certificate/v1"]["seed"], 7);
    }

    #[test]
    fn a_statement_reads_back_and_another_document_does_not() {
        let statement = statement();
        assert_eq!(Statement::read(&statement.render()).unwrap(), statement);
        let other = Statement { predicate_type: "https://slsa.dev/provenance/v1".to_owned(), ..statement };
        let refused = Statement::read(&other.render()).unwrap_err().to_string();
        assert!(refused.contains("`https://slsa.dev/provenance/v1`"), "{refused}");
        assert!(matches!(Statement::read(b"{}"), Err(NotAStatement::Form(_))));
    }
}
