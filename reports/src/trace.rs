//! A trace as JSON lines, and back.

use thiserror::Error;

use crate::record::{TRACE_SCHEMA, TraceHead, TraceRecord};
use crate::text::shown;

/// A text that is no trace of this version.
#[derive(Debug, Error)]
pub enum NotATrace {
    /// A line is not what it should be.
    #[error("not a trace, line {line}: {source}; give a .trace.jsonl that this tool wrote")]
    Malformed {
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// There is nothing in it.
    #[error("not a trace: it is empty; give a .trace.jsonl that this tool wrote")]
    Empty,
    /// It is a trace of another version.
    #[error(
        "the trace is of version `{found}` and this tool reads `{TRACE_SCHEMA}`; use the tool that wrote it"
    )]
    OtherSchema {
        /// The version that it gives, made visible.
        found: String,
    },
}

/// The trace as JSON lines: the head, then an entry a line.
pub fn render_trace(trace: &TraceRecord) -> String {
    let mut text = json(&trace.head);
    for entry in &trace.entries {
        text.push('\n');
        text += &json(entry);
    }
    text.push('\n');
    text
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("a trace has text keys and no floats")
}

/// Reads what [`render_trace`] wrote; keys that it does not know are passed over.
///
/// Errors: [`NotATrace`]; the version is looked at before the entries are.
pub fn read_trace(text: &str) -> Result<TraceRecord, NotATrace> {
    let mut lines = text.lines().enumerate();
    let (_, first) = lines.next().ok_or(NotATrace::Empty)?;
    let malformed = |at: usize| move |source| NotATrace::Malformed { line: at + 1, source };
    let head: TraceHead = serde_json::from_str(first).map_err(malformed(0))?;
    if head.schema != TRACE_SCHEMA {
        return Err(NotATrace::OtherSchema { found: shown(&head.schema) });
    }
    let entries = lines.map(|(at, line)| serde_json::from_str(line).map_err(malformed(at)));
    Ok(TraceRecord { head, entries: entries.collect::<Result<_, _>>()? })
}
