//! Everything that was observed in one run, entry by entry, for charts, captures and readers of other tools.
//!
//! A trace lies beside the replay file of a run, and the run's record names it. It is written as JSON lines: the head,
//! then an entry a line.

use serde::{Deserialize, Serialize};

/// The version of the trace that this crate writes and reads.
///
/// Why: fields may be added under one version, with a default for older traces; anything else takes a new one.
pub const TRACE_SCHEMA: &str = "assay-trace/1";

/// A trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceRecord {
    /// Who and what stood there.
    pub head: TraceHead,
    /// What was observed, in order.
    pub entries: Vec<TraceEntry>,
}

/// Who and what stood on the bench of a trace. Entries refer to all of it by its place here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceHead {
    /// [`TRACE_SCHEMA`].
    pub schema: String,
    /// The parties.
    pub parties: Vec<String>,
    /// The links between them.
    pub links: Vec<LinkRecord>,
    /// The supplies.
    pub supplies: Vec<SupplyRecord>,
    /// How long timers ran, as far as the bench could see it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub timers: Vec<TimerRecord>,
}

/// One link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkRecord {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: Medium,
    /// The parties at its ends A and B, where somebody is when the run begins.
    pub ends: [Option<u16>; 2],
    /// Where end B listens for connections, as `address:port`.
    pub listens: Option<String>,
}

/// What a link is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Medium {
    /// Packets, each on its own.
    Datagram,
    /// TCP connections.
    Stream,
    /// A UART line.
    Serial,
    /// One digital line.
    Pin,
    /// Card and antenna.
    Air,
}

/// One supply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SupplyRecord {
    /// Its name.
    pub name: String,
    /// The parties that it feeds.
    pub feeds: Vec<u16>,
}

/// A timer that ran: the one of its party that would run out next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimerRecord {
    /// Whose.
    pub party: u16,
    /// What it is called.
    pub name: String,
    /// When it was set.
    ///
    /// Units: microseconds since the bench started.
    pub from_us: u64,
    /// When it ran out or was taken back.
    ///
    /// Units: microseconds since the bench started.
    pub until_us: u64,
    /// Whether it ran out.
    #[serde(default, skip_serializing_if = "is_false")]
    pub out: bool,
}

/// What kind of thing an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TraceKind {
    /// A step of the case itself.
    Case,
    /// A unit enters a link.
    Sent,
    /// Bytes leave a link.
    Heard,
    /// A connection stands.
    Opened,
    /// A connection is gone.
    Closed,
    /// A line changes its level.
    Level,
    /// A supply fails or comes back.
    Power,
    /// A card enters a field or leaves it.
    Plug,
    /// A planned fault strikes.
    Fault,
    /// Input for a busy party was lost.
    Overrun,
    /// What a party says, or what was read off it.
    Noted,
}

/// One entry.
///
/// Shape: keys that say nothing are left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceEntry {
    /// Its number on the tape.
    pub ordinal: u64,
    /// When.
    ///
    /// Units: microseconds since the bench started.
    pub at_us: u64,
    /// What it is.
    pub kind: TraceKind,
    /// On which link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<u16>,
    /// Whether it crosses the link from end B to end A.
    #[serde(default, skip_serializing_if = "is_false")]
    pub back: bool,
    /// On which connection of the link, from 1; 0 where there is none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub conn: u16,
    /// At or of which party.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub party: Option<u16>,
    /// Of which supply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supply: Option<u16>,
    /// Whether something is there, high or back, and not gone, low or cut.
    #[serde(default, skip_serializing_if = "is_false")]
    pub on: bool,
    /// What kind of frame or line it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The bytes, in hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hex: Option<String>,
    /// Whether it is what the party under test says of itself.
    #[serde(default, skip_serializing_if = "is_false")]
    pub claim: bool,
    /// In words, as it was: no escaping is needed here.
    pub text: String,
    /// What was read off a party.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exhibits: Vec<Exhibit>,
}

/// Something that was read off a party, to be held against what others say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "exhibit", rename_all = "kebab-case")]
pub enum Exhibit {
    /// A memory, cell by cell.
    Memory {
        /// The bytes, in hexadecimal digits.
        hex: String,
        /// The cells whose write the last cut of power overtook.
        torn: Vec<u16>,
    },
    /// An account of money or goods.
    Ledger {
        /// What it is an account of. Accounts of one thing are held against each other.
        of: String,
        /// Its lines.
        lines: Vec<LedgerLine>,
    },
}

/// One line of a ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerLine {
    /// What the line is about: the same text in every ledger that knows it.
    pub key: String,
    /// The amount, with its unit.
    pub amount: String,
    /// What else is said of it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(number: &u16) -> bool {
    *number == 0
}
