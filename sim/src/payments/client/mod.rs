//! A program that calls the platforms for a till: the decision table for unknown results, on a journal.
//!
//! - [`ClientBoard`] owns the journal; the program is built anew at each start.
//! - [`ClientPolicy`] names the choices on which such programs differ; [`books`] is what they keep.
//! - `firmware` takes input and keeps time, `calls` are its connections, `orders` decides what follows an answer,
//!   `requests` says what an answer comes to, `notices` takes notifications.
//! - `wechat_v2`, `wechat_v3` and `alipay` write and read the platforms' documents.

mod alipay;
mod board;
pub mod books;
mod calls;
mod config;
mod event;
mod firmware;
mod notices;
mod orders;
mod policy;
mod requests;
#[cfg(test)]
mod tests;
mod wechat_v2;
mod wechat_v3;

pub use board::ClientBoard;
pub use config::{ClientConfig, ClientKeys, ClientSetup};
pub use event::ClientEvent;
pub use policy::*;

use crate::machine::Port;

/// The line to the till.
pub const TILL: Port = Port(0);
/// The first port of connections to the platform.
pub const CALLS_FIRST: Port = Port(100);
/// How many ports connections to the platform take in turn.
pub const CALLS: u16 = 64;
/// The first port of connections from the platform.
pub const NOTICES_FIRST: Port = Port(1_000);
