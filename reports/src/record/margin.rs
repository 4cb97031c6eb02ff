//! Margins: how much later, or how often lost, a message may be before a design comes to something else.

use serde::{Deserialize, Serialize};

/// The margins of one design.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarginsRecord {
    /// The system.
    pub system: String,
    /// The design.
    pub policy: String,
    /// The cases that were run.
    pub cases: Vec<String>,
    /// How many runs it took.
    pub runs: u64,
    /// The longest that a message was held up.
    pub late_max_us: u64,
    /// The most of a message that were lost, one after the other.
    pub lost_max: u32,
    /// Whether nothing was left out.
    pub complete: bool,
    /// The timers and counts of the profile that were tried.
    pub values: Vec<ValueRecord>,
    /// Every place where something else begins.
    pub edges: Vec<EdgeRecord>,
}

/// A timer or a count of the profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValueRecord {
    /// Its section and key.
    pub name: String,
    /// What is declared.
    pub declared: String,
    /// Whether it counts something, and is no time.
    pub count: bool,
    /// How it was changed where that alone made an undisturbed run come to something else: `halved`, `doubled`,
    /// `one less`, `one more`.
    pub alone: Vec<String>,
}

/// Where something else begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EdgeRecord {
    /// In which case.
    pub case: String,
    /// On which link, with the sign of the way.
    pub course: String,
    /// Which message is disturbed.
    pub message: String,
    /// How.
    pub disturbance: Disturbance,
    /// What is otherwise.
    pub effect: Effect,
    /// The requirements that fail.
    pub requirements: Vec<String>,
    /// The timers and counts that decide where the edge is.
    pub governed_by: Vec<String>,
}

/// How much a message is disturbed on both sides of an edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Disturbance {
    /// Every one of them arrives later.
    Late {
        /// The longest tried that changes nothing.
        ///
        /// Units: microseconds.
        holds_us: u64,
        /// The shortest tried that does.
        ///
        /// Units: microseconds.
        flips_us: u64,
    },
    /// So many are lost, from the first on.
    Lost {
        /// The fewest that change something; one less changes nothing.
        flips: u32,
    },
}

/// What is otherwise behind an edge, from what is seen to what is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// What people are shown.
    Shown,
    /// What the books, the cards and the records say in the end.
    Ledgers,
    /// A requirement fails.
    Verdict,
}
