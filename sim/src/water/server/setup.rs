//! What a message server is built from.

use std::net::SocketAddrV4;

use serde::{Deserialize, Serialize};

use crate::journal::JournalConfig;
use crate::money::Fen;
use crate::time::Span;
use crate::water::frame::FrameFormat;
use crate::water::payments::LineFormat;
use crate::water::server::policy::ServerPolicy;
use crate::water::tariff::Tariff;

/// Whether the answer to an order request says on which sold volume the order counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OrderAnswerForm {
    /// Five fields, the base last.
    WithBase,
    /// Four fields.
    NoBase,
}

/// A message server's times and limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerConfig {
    /// From a message to its answer, where nothing must become durable first.
    pub service: Span,
    /// How many negative answers a connection gets in [`Self::negatives_window`].
    pub negatives_max: usize,
    /// The window in which negative answers are counted.
    pub negatives_window: Span,
    /// How many terminals can be connected at once, and how many payment fronts; one more drops the one that was
    /// silent for longest.
    pub connections_max: usize,
    /// How many answers may wait on one connection; a message that comes then is dropped.
    pub answers_max: usize,
    /// How many orders that are not closed a card may have.
    pub open_orders_max: usize,
    /// The largest payment.
    pub paid_max_fen: Fen,
    /// The heartbeat period that terminals are told.
    pub heartbeat: Span,
    /// The server's own address, as terminals are told.
    pub address: SocketAddrV4,
    /// The form of the answer to an order request.
    pub order_answer: OrderAnswerForm,
}

impl ServerConfig {
    /// The heartbeat's period as frames and memories carry it.
    ///
    /// Units: seconds, at least one.
    pub fn heartbeat_s(&self) -> u16 {
        u16::try_from(self.heartbeat.as_us() / 1_000_000).unwrap_or(u16::MAX).max(1)
    }
}

/// All that a message server is built from.
#[derive(Clone, Debug)]
pub struct ServerSetup {
    /// Times and limits.
    pub config: ServerConfig,
    /// The form of frames.
    pub frame: FrameFormat,
    /// The form of the payment front's lines.
    pub line: LineFormat,
    /// The price tables.
    pub tariff: Tariff,
    /// How the journal's medium behaves.
    pub journal: JournalConfig,
    /// The design.
    pub policy: ServerPolicy,
}
