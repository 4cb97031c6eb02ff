//! What can be wrong with a rig file, where, and what to write instead.

use std::fmt;
use std::io;
use std::path::PathBuf;

use thiserror::Error;

use super::source::VERSION;

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
    /// It is not of the form of a rig file.
    #[error("{place}: {}{what}", in_field(field.as_deref()))]
    Malformed {
        /// Where.
        place: Place,
        /// The field, or the table that has the fault.
        field: Option<String>,
        /// What is wrong, and what was expected.
        what: String,
    },
    /// Something that every rig file needs is not there.
    #[error("{}: `{field}` is missing: write {mend}", file.display())]
    Missing {
        /// The file.
        file: PathBuf,
        /// The field.
        field: &'static str,
        /// What to write.
        mend: &'static str,
    },
    /// It is of a version that is not understood here.
    #[error("{place}: `assay-rig` is {found}: this version of the suite understands {VERSION}")]
    Version {
        /// Where.
        place: Place,
        /// What stands there.
        found: String,
    },
    /// A value that rig files can have and that this version of the suite does not support.
    #[error(
        "{place}: `{field}` is `{found}`, which this version of the suite does not support: write {mend}"
    )]
    Unsupported {
        /// Where.
        place: Place,
        /// The field.
        field: String,
        /// What stands there.
        found: String,
        /// What to write.
        mend: &'static str,
    },
    /// A value that no rig file can have.
    #[error("{place}: `{field}` is `{found}`: write {mend}")]
    Wrong {
        /// Where.
        place: Place,
        /// The field.
        field: String,
        /// What stands there.
        found: String,
        /// What to write.
        mend: &'static str,
    },
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

fn in_field(field: Option<&str>) -> String {
    field.map(|field| format!("`{field}`: ")).unwrap_or_default()
}
