//! What a terminal is built with, and what it says of itself.

use std::net::Ipv4Addr;

use serde::Deserialize;

use super::clock::{ClockConfig, Stamp};
use super::policy::TerminalPolicy;
use super::store::{StoreConfig, StoreError, StoreRules};
use crate::card::number::CardNumber;
use crate::flash::DriverConfig;
use crate::money::Fen;
use crate::pos::frame::{FrameFormat, Malformed, RecordAddress};
use crate::short::Short;
use crate::tape::Fingerprint;
use crate::time::Span;

/// Times and counts of a terminal.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TerminalTimes {
    /// How long `001` is waited for.
    pub ack_timeout: Span,
    /// How often a message is sent in a round. Source: POS-A2.
    pub sends_max: u8,
    /// How long an answer is waited for after `001`.
    pub reply_timeout: Span,
    /// How long it is waited for after an answer that says "in progress".
    pub interim_timeout: Span,
    /// How far apart rounds begin: of a pending sale, of a record.
    pub round: Span,
    /// How long a card rests after the last repeat and the last answer of its sale.
    pub quiet: Span,
    /// How long it rests after a sale that nobody answered: the last repeat may be late, and its answer be sent thrice
    /// and be late as well.
    pub quiet_unanswered: Span,
    /// The seconds of an 008 that says "in progress".
    pub interim_secs: u16,
    /// The highest amount that can be typed.
    pub amount_max: Fen,
    /// How many short messages wait for `001` at once; of more the oldest is given up.
    pub notices_max: usize,
    /// How many sales that are over it remembers, to know their late answers.
    pub recent_max: usize,
    /// The longest line from the pad, the reader and the scanner.
    pub line_max: usize,
}

/// The addresses that a terminal prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// Its own.
    pub terminal: Ipv4Addr,
    /// The mask of its network.
    pub mask: Ipv4Addr,
    /// Its gateway.
    pub gateway: Ipv4Addr,
    /// The server's.
    pub server: Ipv4Addr,
    /// The server's port.
    pub port: u16,
}

/// Everything that firmware is built with.
#[derive(Clone, Debug)]
pub struct TerminalConfig {
    /// The design.
    pub policy: TerminalPolicy,
    /// Times and counts.
    pub times: TerminalTimes,
    /// The form of datagrams.
    pub format: FrameFormat,
    /// How the flash is divided.
    pub store: StoreConfig,
    /// How the flash is driven.
    pub flash: DriverConfig,
    /// The clock that is fitted.
    pub clock: ClockConfig,
    /// The addresses that it prints.
    pub addresses: Addresses,
    /// The hardware serial.
    pub serial: Short,
    /// Whether messages bear the serial, as those of newer devices do.
    pub tells_serial: bool,
    /// The field of unknown meaning, of devices that have it.
    pub flag: Option<u8>,
}

impl TerminalConfig {
    pub(super) fn store_rules(&self) -> StoreRules {
        StoreRules { config: self.store, check: self.policy.entry, driver: self.flash }
    }
}

/// What a person can do to the terminal itself: nothing; cards, keys and codes come over the panel's line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TerminalStimulus {}

/// Which sale an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct About {
    /// The card; all zeros for a scanned code.
    pub card: CardNumber,
    /// How much.
    pub amount: Fen,
    /// When.
    pub time: Stamp,
}

/// `8888888888 5.50 2024-02-29 12:00:00`
impl std::fmt::Display for About {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {}", self.card, self.amount, self.time)
    }
}

/// What a terminal says of itself: claims, never evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TerminalEvent {
    /// Ready for cards.
    Ready,
    /// A sale was begun.
    Begun(About),
    /// A pending sale was found at power-on.
    Found(About),
    /// A sale was answered with success.
    Paid(About),
    /// A sale was refused.
    Refused(About),
    /// A sale was given up: nobody answered.
    GivenUp(About),
    /// A sale is acknowledged, but its answer is overdue.
    Overdue(About),
    /// A sale was booked off line.
    Booked(RecordAddress, About),
    /// A record was deleted.
    Deleted(RecordAddress),
    /// The store is full.
    Full,
    /// A sale that was over is charged after all.
    ChargedLate {
        /// The card; all zeros for a scanned code.
        card: CardNumber,
        /// How much.
        amount: Fen,
    },
    /// The clock was set.
    ClockSet(Stamp),
    /// A datagram was no message.
    Ignored(Malformed),
    /// A datagram was no message, and the terminal has stopped.
    Stopped,
    /// The flash failed.
    StoreFailed(StoreError),
}

impl Fingerprint for TerminalEvent {
    fn fingerprint(&self, add: &mut dyn FnMut(&[u8])) {
        add(self.to_string().as_bytes());
    }
}

impl std::fmt::Display for TerminalEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ready => f.write_str("ready"),
            Self::Begun(sale) => write!(f, "began {sale}"),
            Self::Found(sale) => write!(f, "found pending {sale}"),
            Self::Paid(sale) => write!(f, "paid {sale}"),
            Self::Refused(sale) => write!(f, "refused {sale}"),
            Self::GivenUp(sale) => write!(f, "gave up {sale}"),
            Self::Overdue(sale) => write!(f, "answer overdue for {sale}"),
            Self::Booked(address, sale) => write!(f, "booked record {address}: {sale}"),
            Self::Deleted(address) => write!(f, "deleted record {address}"),
            Self::Full => f.write_str("store full"),
            Self::ChargedLate { card, amount } => write!(f, "charged late: {card} {amount}"),
            Self::ClockSet(to) => write!(f, "clock set to {to}"),
            Self::Ignored(why) => write!(f, "ignored a datagram: {why}"),
            Self::Stopped => f.write_str("stopped"),
            Self::StoreFailed(why) => write!(f, "flash: {why}"),
        }
    }
}
