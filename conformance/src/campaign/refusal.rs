//! What keeps a store from being used, each with what to do.

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;
use thiserror::Error;

use super::outcome::Came;
use super::store::{RunKey, VERSION};

/// A store that cannot be used, or does not take what it is given.
#[derive(Debug, Error)]
pub enum StoreError {
    /// There is none.
    #[error("{}: there is no such store; `assay campaign run PLAN --store FILE` begins one", .0.display())]
    NotThere(PathBuf),
    /// It is another kind of file.
    #[error("{}: is not a store of a campaign; name another file with --store", .0.display())]
    NotAStore(PathBuf),
    /// Another version of the tool has made it.
    #[error(
        "{}: has version {found} of the store and this tool reads version {VERSION}; go on with the tool that made it",
        file.display()
    )]
    OtherVersion {
        /// The file.
        file: PathBuf,
        /// Its version.
        found: i64,
    },
    /// It is damaged.
    #[error("{}: is damaged ({why}); run the campaign again into another file", file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// What was found.
        why: String,
    },
    /// Another process has it.
    #[error("{}: is in use by another process; give each worker a store of its own and merge them", .0.display())]
    InUse(PathBuf),
    /// The disk is full.
    #[error("{}: the disk is full; free some space and resume, for every run in it is kept", .0.display())]
    Full(PathBuf),
    /// It holds another campaign.
    #[error("{}: holds the campaign {there} and not {here}; name another file or directory", file.display())]
    OtherCampaign {
        /// The file.
        file: PathBuf,
        /// The id of the campaign in it.
        there: String,
        /// The id of the campaign that is wanted.
        here: String,
    },
    /// A run came to something else than before.
    #[error(
        "{}: run {run} left the tape {there} before and {here} now; the same tool makes the same tape, so another \
         build of it is at work, or it is not deterministic",
        file.display()
    )]
    Differs {
        /// The file.
        file: PathBuf,
        /// Which run.
        run: RunKey,
        /// The fingerprint in the file.
        there: String,
        /// The other one.
        here: String,
    },
    /// A unit has other runs than before.
    #[error(
        "{}: unit {unit} had other runs before; the same tool lists the same runs, so another build of it is at work, \
         or it is not deterministic",
        file.display()
    )]
    OtherUnit {
        /// The file.
        file: PathBuf,
        /// Which unit.
        unit: u64,
    },
    /// The system refuses it.
    #[error("{}: cannot be used: {why}; make it writable or name another file with --store", file.display())]
    Refused {
        /// The file.
        file: PathBuf,
        /// What the system said.
        why: String,
    },
}

/// That a run came to something else.
pub(super) fn differs(file: &Path, run: RunKey, there: &Came, here: &Came) -> StoreError {
    let shown = |came: &Came| match there.tape == here.tape {
        false => format!("{:032x}", came.tape),
        true => format!("{:032x} with the outcome {}", came.tape, came.outcome.text()),
    };
    StoreError::Differs { file: file.to_owned(), run, there: shown(there), here: shown(here) }
}

/// An error of ours where SQLite's are expected.
pub(super) fn foreign(error: StoreError) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(Box::new(error))
}

/// What SQLite refuses, in our words.
pub(super) fn refusal(file: &Path, error: rusqlite::Error) -> StoreError {
    let path = file.to_owned();
    let error = match error {
        rusqlite::Error::ToSqlConversionFailure(inner) => match inner.downcast::<StoreError>() {
            Ok(ours) => return *ours,
            Err(other) => rusqlite::Error::ToSqlConversionFailure(other),
        },
        error => error,
    };
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::InUse(path),
        Some(ErrorCode::DiskFull) => StoreError::Full(path),
        Some(ErrorCode::NotADatabase) => StoreError::NotAStore(path),
        Some(ErrorCode::DatabaseCorrupt) => StoreError::Damaged { file: path, why: error.to_string() },
        Some(_) => StoreError::Refused { file: path, why: error.to_string() },
        // A table or a value is not as this version writes it.
        None => StoreError::Damaged { file: path, why: error.to_string() },
    }
}
