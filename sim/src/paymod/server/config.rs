//! What a server is built with, and what it says of itself.

use std::fmt;
use std::net::SocketAddrV4;

use serde::Deserialize;

use super::books::BookRecord;
use super::policy::ServerPolicy;
use crate::journal::JournalConfig;
use crate::money::Fen;
use crate::paymod::frame::{Cipher, LinkKey};
use crate::time::Span;

/// A module that a server knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Device {
    /// Its number.
    pub number: u32,
    /// Its key.
    pub key: LinkKey,
}

/// Times, addresses and limits of a server.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerConfig {
    /// Where modules find it.
    pub link: SocketAddrV4,
    /// Where the platform is.
    pub platform: SocketAddrV4,
    /// Where it is told of payments.
    pub notify: SocketAddrV4,
    /// How messages are sealed.
    pub cipher: Cipher,
    /// The modules that it knows.
    pub devices: Vec<Device>,
    /// The most that one order may be.
    pub amount_max_fen: Fen,
    /// How long a module's acknowledgement is waited for.
    pub answer_timeout: Span,
    /// How often a message is sent that is not acknowledged.
    pub sends_max: u32,
    /// How long after a module's question it is told that there is no answer yet.
    pub answer_within: Span,
    /// How long the platform's answer is waited for.
    pub call_timeout: Span,
    /// How long after a call that was not done, or was not answered, the next is made.
    pub again_after: Span,
    /// How long an order is tried to be made.
    pub create_window: Span,
    /// How long after a query's end the next is made, and the first after the order was made.
    pub query_gap: Span,
    /// How long the platform lets an order be paid.
    pub life: Span,
    /// How long after it was made an order is given up that is not paid.
    pub scan_window: Span,
    /// How long after it was made an order is closed at the earliest.
    pub close_after: Span,
    /// How often an order is asked about that was cancelled.
    pub watch_gap: Span,
    /// For how long.
    pub watch: Span,
    /// How many bytes of the free channel go in one message.
    ///
    /// Units: bytes, at most 180.
    pub data_max: usize,
    /// How many bytes of it are held for a module.
    ///
    /// Units: bytes.
    pub data_held_max: usize,
}

/// Everything that a server is built with.
#[derive(Clone, Debug)]
pub struct ServerSetup {
    /// Times, addresses and limits.
    pub config: ServerConfig,
    /// The medium of the journal.
    pub journal: JournalConfig,
    /// The design.
    pub policy: ServerPolicy,
}

/// What a server says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerEvent {
    /// It runs, and knows so many orders from before.
    Started {
        /// How many.
        orders: usize,
    },
    /// The books were changed.
    Entered(BookRecord),
    /// A module has logged in.
    LoggedIn(u32),
    /// A message was refused.
    Refused(&'static str),
    /// A call has no answer, or none that can be believed.
    Unanswered(&'static str),
    /// A notification was not believed.
    Disbelieved,
}

impl fmt::Display for ServerEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started { orders } => write!(f, "started with {orders} orders"),
            Self::Entered(record) => write!(f, "entered: {record}"),
            Self::LoggedIn(device) => write!(f, "device {device} has logged in"),
            Self::Refused(why) => write!(f, "refused a message: {why}"),
            Self::Unanswered(verb) => write!(f, "no answer to {verb}"),
            Self::Disbelieved => f.write_str("did not believe a notification"),
        }
    }
}
