//! The run record of Assay and its renderers.
//!
//! A run leaves one versioned [`RunRecord`]; every report is a pure function of it, so a report can be made again
//! from `run.json` alone and two equal records give equal bytes. Records hold texts as they were observed; the
//! renderers make them harmless, each for its own medium (see [`text`]).

pub mod attest;
pub mod certificate;
pub mod console;
pub mod diff;
pub mod exit_code;
pub mod exploration;
mod html;
pub mod json;
pub mod junit;
pub mod margins;
pub mod mutants;
pub mod pcapng;
pub mod record;
pub mod standing;
pub mod summary;
pub mod text;
pub mod trace;
pub mod verdict;
pub mod write;

pub use certificate::render_certificate;
pub use console::{render_console_case, render_console_failure, render_console_summary};
pub use diff::{Change, Difference, render_difference};
pub use exploration::render_exploration;
pub use html::render_html;
pub use json::{NotARecord, read_record, render_json};
pub use junit::render_junit;
pub use margins::render_margins;
pub use mutants::render_mutants;
pub use pcapng::render_pcapng;
pub use record::{
    CaseRecord, CauseRecord, Disturbance, EdgeRecord, Effect, EvidenceLine, ExampleRecord, Exhibit,
    ExplorationRecord, FailureRecord, FaultCellRecord, FaultRowRecord, HoleRecord, KillRecord, KindRecord,
    LedgerLine, Level, LinkRecord, MarginsRecord, Medium, MutantRecord, OverheadRecord, ProductRecord,
    ReplayedRecord, RequirementOutcome, RigRecord, RunRecord, SCHEMA, SoakRecord, StaleWaiverRecord,
    StandingRecord, SupplyRecord, TRACE_SCHEMA, TimerRecord, TraceEntry, TraceHead, TraceKind, TraceRecord,
    ValueRecord, ViolationRecord, Witness,
};
pub use standing::render_standing;
pub use summary::render_summary;
pub use trace::{NotATrace, read_trace, render_trace};
pub use verdict::Verdict;
pub use write::{WriteError, write_files, write_report};
