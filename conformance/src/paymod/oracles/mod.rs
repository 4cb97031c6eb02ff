//! The judges of pay modules and their server.

pub mod channel;
pub mod line;
pub mod link;
pub mod money;
pub mod orders;
mod talk;

use assay_sim::paymod::party::Event;
use assay_sim::tape::Entry;

use crate::finding::{Findings, Violation};

/// Judges a requirement by an entry of the tape; in words, what was expected and what was.
fn judge(
    findings: &mut Findings,
    entry: &Entry<Event>,
    requirement: &'static str,
    holds: bool,
    words: impl FnOnce() -> (String, String),
) {
    let (at, evidence) = (entry.at, vec![entry.ordinal]);
    findings.judge(requirement, holds, || {
        let (expected, actual) = words();
        Violation { requirement, expected, actual, at, evidence }
    });
}
