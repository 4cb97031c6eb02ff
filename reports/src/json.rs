//! The record as JSON, and back.

use serde::Deserialize;
use thiserror::Error;

use crate::record::{RunRecord, SCHEMA};
use crate::text::shown;

/// A text that is no run record of this version.
#[derive(Debug, Error)]
pub enum NotARecord {
    /// It is not JSON, or a field is missing or of the wrong kind.
    #[error("not a run record: {0}; give the run.json of a report that this tool wrote")]
    Malformed(#[from] serde_json::Error),
    /// It is a record of another version.
    #[error("the record is of version `{found}` and this tool reads `{SCHEMA}`; use the tool that wrote it")]
    OtherSchema {
        /// The version that it gives, made visible.
        found: String,
    },
}

/// `run.json`: the whole record, keys in a fixed order, with a line feed at the end.
pub fn render_json(record: &RunRecord) -> String {
    let mut json = serde_json::to_string_pretty(record).expect("a record has text keys and no floats");
    json.push('\n');
    json
}

/// Reads what [`render_json`] wrote; keys that it does not know are passed over.
///
/// Errors: [`NotARecord`]; the version is looked at before anything else.
pub fn read_record(json: &str) -> Result<RunRecord, NotARecord> {
    #[derive(Deserialize)]
    struct Head {
        schema: String,
    }
    let head: Head = serde_json::from_str(json)?;
    if head.schema != SCHEMA {
        return Err(NotARecord::OtherSchema { found: shown(&head.schema) });
    }
    Ok(serde_json::from_str(json)?)
}
