//! Whether the suite bites.

use serde::{Deserialize, Serialize};

/// One mutant and what killed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MutantRecord {
    /// The mutant's name.
    pub name: String,
    /// What is wrong with it, in words.
    pub what: String,
    /// Whether any case killed it.
    pub killed: bool,
    /// The cases that killed it, each with the requirement it violated.
    pub by: Vec<KillRecord>,
}

/// One case that killed a mutant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct KillRecord {
    /// The case id.
    pub case: String,
    /// The requirement that the mutant broke.
    pub requirement: String,
}
