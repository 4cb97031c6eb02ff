//! What can be wrong with a rig file, where, and what to write instead.

use std::fmt;
use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// A rig file that cannot be used.
#[derive(Debug, Error)]
pub enum RigError {
    /// It cannot be read.
    #[error("{}: could not be read: {source}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It says what no rig file can say.
    #[error("{}", lines(.0))]
    Faulty(Vec<Fault>),
}

/// One mistake in a rig file.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{place}: {what}")]
pub struct Fault {
    /// Where.
    pub place: Place,
    /// The field, what stands there, and what to write instead.
    pub what: String,
}

/// A place in a rig file; lines and columns count from one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: PathBuf,
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file.display(), self.line, self.column)
    }
}

fn lines(faults: &[Fault]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
