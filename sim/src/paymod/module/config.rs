//! What a module is built with, and what it says of itself.

use std::fmt;
use std::net::SocketAddrV4;

use serde::Deserialize;

use super::policy::ModulePolicy;
use crate::flash;
use crate::modem::client::ClientConfig;
use crate::paymod::frame::{Cipher, LinkKey, OrderNumber, status};
use crate::paymod::store::{State, StoreConfig};
use crate::time::Span;

/// Times and numbers of a module.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModuleConfig {
    /// Its number.
    pub device: u32,
    /// Its key.
    pub key: LinkKey,
    /// How messages are sealed.
    pub cipher: Cipher,
    /// Where its server is.
    pub server: SocketAddrV4,
    /// The silence that ends a frame of the host before its time.
    pub byte_gap: Span,
    /// How long after a status that was not acknowledged it is told again.
    pub status_again: Span,
    /// How long an answer to the login is waited for.
    pub login_timeout: Span,
    /// How long any other answer is waited for.
    pub answer_timeout: Span,
    /// How often a message is sent that is not answered.
    pub sends_max: u32,
    /// How long after the last message the server is asked for a sign of life.
    pub heartbeat: Span,
    /// How long after an answer the server is asked again how an order stands.
    pub poll: Span,
    /// How long after the host's request an order is given up that is not paid.
    pub pay_window: Span,
    /// How long the host waits for a link before it is told that there is no network.
    pub link_within: Span,
    /// The pauses before a lost connection is opened again; the last one stays.
    pub backoff: Vec<Span>,
    /// The largest part of a pause that is drawn on top of it.
    ///
    /// Units: hundredths.
    pub jitter_percent: u64,
    /// How many orders may be open at a time.
    pub orders_max: usize,
    /// How many bytes of the free channel go in one message.
    ///
    /// Units: bytes, at most 180.
    pub data_max: usize,
    /// How many bytes of it are held each way.
    ///
    /// Units: bytes.
    pub data_held_max: usize,
    /// How long the host's acknowledgement of such bytes is waited for.
    pub data_again: Span,
}

/// Everything that a module is built with.
#[derive(Clone, Debug)]
pub struct ModuleSetup {
    /// Times and numbers.
    pub config: ModuleConfig,
    /// The driver of its flash.
    pub flash: flash::DriverConfig,
    /// How the flash is divided.
    pub store: StoreConfig,
    /// The AT client, where a modem lies between module and server.
    pub client: Option<ClientConfig>,
    /// The design.
    pub policy: ModulePolicy,
}

/// What a module says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModuleEvent {
    /// It runs, and knows so many orders that are not settled.
    Started {
        /// How many.
        orders: usize,
    },
    /// An order has come so far.
    Became {
        /// Which.
        order: OrderNumber,
        /// How far.
        state: State,
    },
    /// It is logged in.
    LoggedIn,
    /// The connection is lost or given up.
    Lost,
    /// A message was refused.
    Refused(&'static str),
    /// A frame of the host was bad.
    BadFrame,
    /// A status was acknowledged.
    Acknowledged {
        /// Of which order.
        order: OrderNumber,
        /// Which.
        status: u8,
    },
    /// The flash has failed.
    StoreFailed,
}

impl fmt::Display for ModuleEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started { orders } => write!(f, "started with {orders} orders"),
            Self::Became { order, state } => write!(f, "order {order} is {}", state.as_str()),
            Self::LoggedIn => f.write_str("logged in"),
            Self::Lost => f.write_str("lost the connection"),
            Self::Refused(why) => write!(f, "refused a message: {why}"),
            Self::BadFrame => f.write_str("got a bad frame"),
            Self::Acknowledged { order, status } => {
                write!(f, "the host knows of order {order}: {}", status::words(*status))
            }
            Self::StoreFailed => f.write_str("the flash has failed"),
        }
    }
}
