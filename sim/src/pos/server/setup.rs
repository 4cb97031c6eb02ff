//! What a server is built with.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;

use serde::Deserialize;

use super::policy::ServerPolicy;
use crate::journal::JournalConfig;
use crate::machine::Port;
use crate::pos::books::Books;
use crate::pos::frame::FrameFormat;
use crate::time::Span;

/// Times and counts of a server.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerConfig {
    /// Where the payment platform is.
    pub platform: SocketAddrV4,
    /// How long after a lost connection to the platform the next is asked for.
    pub reconnect: Span,
    /// How long an order may stay unanswered before its connection is given up.
    pub platform_timeout: Span,
    /// How long an answer waits for its confirmation.
    pub confirm_timeout: Span,
    /// How often an answer is sent in all. Source: POS-A5.
    pub sends_max: u8,
    /// How many of a device's last confirmations are known when they come again.
    pub confirms_max: usize,
    /// For how long an answer is shown.
    ///
    /// Units: seconds.
    pub text_secs: u16,
    /// The same of an answer that says "in progress", by which devices know it.
    pub interim_secs: u16,
}

/// Everything that a server is built with.
#[derive(Clone, Debug)]
pub struct ServerSetup {
    /// Times and counts.
    pub config: ServerConfig,
    /// The form of datagrams.
    pub frame: FrameFormat,
    /// The medium of the journal.
    pub journal: JournalConfig,
    /// The design.
    pub policy: ServerPolicy,
    /// The accounts at the beginning.
    pub accounts: Books,
    /// The addresses behind the ports of devices.
    pub sources: Arc<BTreeMap<Port, Ipv4Addr>>,
}
