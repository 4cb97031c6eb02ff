//! The values that exploration tries.

use serde::Deserialize;

use crate::time::Span;

/// The values that exploration tries where a fault has a span.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultDomain {
    /// How long supplies stay away.
    pub off: Vec<Span>,
    /// How late a transmission arrives, or how long its connection stalls.
    pub delays: Vec<Span>,
    /// The silence inside a split transmission.
    pub split_gaps: Vec<Span>,
    /// How long a line waits to join two transmissions.
    pub join_within: Span,
    /// How long a link is down.
    pub outages: Vec<Span>,
    /// How long a party hangs.
    pub hangs: Vec<Span>,
    /// By how much a calendar clock is stepped, in seconds.
    pub clock_steps_s: Vec<i64>,
    /// How long a pin is stuck.
    pub stuck: Span,
    /// How long a glitch lasts.
    pub glitch: Span,
    /// Which bits of a byte are inverted, one after the other; 0 is the highest.
    pub bits: Vec<u32>,
    /// The bytes that appear from nowhere.
    pub junk: Vec<u8>,
    /// By how many field clocks an edge is moved.
    pub jitter: Vec<i8>,
    /// What modems say unasked, or suffer.
    pub modem: Vec<String>,
    /// What payment platforms do otherwise than they should; nothing where there are none.
    #[serde(default)]
    pub backend: Vec<String>,
}
