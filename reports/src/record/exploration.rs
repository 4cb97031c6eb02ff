//! What an exploration of the fault space covered and found.

use serde::{Deserialize, Serialize};

use super::case::ViolationRecord;
use crate::verdict::Verdict;

/// Every fault at every site of one case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExplorationRecord {
    /// The system that was explored.
    pub system: String,
    /// The bench on which it was explored.
    #[serde(default = "tabletop")]
    pub bench: String,
    /// The policy of our own parties.
    pub policy: String,
    /// The case whose golden run lists the sites.
    pub case: String,
    /// How many faults strike in one run: 1, or 2 for pairs.
    pub faults_a_run: u32,
    /// How many sites there are.
    pub sites: u64,
    /// How many runs the space holds: every site with every value of every fault that applies there.
    pub faults_total: u64,
    /// How many of them were carried out.
    pub faults_struck: u64,
    /// How many more were not carried out, as another leads to the same state with the same pending work.
    #[serde(default)]
    pub faults_merged: u64,
    /// The same by kind of fault; of pairs, by the kind of the second.
    pub by_kind: Vec<KindRecord>,
    /// The same by the party or link at which faults strike; of pairs, the second.
    #[serde(default)]
    pub by_place: Vec<KindRecord>,
    /// The same by site and kind of fault, in the order in which the golden run comes to the sites.
    #[serde(default)]
    pub map: Vec<FaultRowRecord>,
    /// The violations, grouped by what caused them.
    pub causes: Vec<CauseRecord>,
    /// Whether the whole space was covered.
    pub complete: bool,
    /// The worst verdict of any run in it.
    pub verdict: Verdict,
    /// What broke, or why a run in it was inconclusive.
    pub why: Option<String>,
}

/// The only bench of records that do not name it.
fn tabletop() -> String {
    "tabletop".to_owned()
}

impl ExplorationRecord {
    /// How many violations were found.
    pub fn violations(&self) -> u64 {
        self.causes.iter().map(|cause| cause.count).sum()
    }
}

/// One kind of fault in an exploration, or one place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KindRecord {
    /// The kind, such as `power cut`, or the place, such as `uart-a`.
    pub kind: String,
    /// At how many sites it applies.
    pub sites: u64,
    /// How many values there are, over all sites.
    #[serde(default)]
    pub total: u64,
    /// With how many of them it was struck.
    pub values: u64,
    /// How many violations it led to.
    pub violations: u64,
}

/// The sites of one name in an exploration: what strikes there, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultRowRecord {
    /// The place and name without the count, such as `uart-a> AT+IPSEND`.
    pub site: String,
    /// How many sites have that name.
    pub sites: u64,
    /// Each kind of fault that applies there, in the order of their names.
    pub cells: Vec<FaultCellRecord>,
}

/// One kind of fault at the sites of one name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultCellRecord {
    /// The kind, such as `power cut`.
    pub kind: String,
    /// How many values there are, over all the sites.
    pub total: u64,
    /// With how many of them it was struck.
    pub struck: u64,
    /// How many of the struck runs violated something that the case alone does not.
    pub failed: u64,
    /// How many of them broke, or never came to their site.
    pub unclear: u64,
    /// The requirements violated.
    pub violated: Vec<String>,
}

/// Violations that have one cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CauseRecord {
    /// The requirement's id.
    pub requirement: String,
    /// The cause in words.
    pub cause: String,
    /// How many runs it explains.
    pub count: u64,
    /// The smallest of them.
    pub example: ExampleRecord,
}

/// One run of an exploration that shows a violation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExampleRecord {
    /// The seed of the run.
    pub seed: u64,
    /// What was broken and how it was seen.
    pub violation: ViolationRecord,
    /// The fault plan in words, one step an item.
    pub plan: Vec<String>,
    /// The command that runs exactly this again.
    pub replay: Option<String>,
    /// The digest of the tape, in hexadecimal.
    pub tape_digest: String,
    /// The file with everything that was observed, by its path from the report's directory, if it was kept.
    #[serde(default)]
    pub trace: Option<String>,
}
