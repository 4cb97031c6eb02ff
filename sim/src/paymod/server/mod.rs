//! The modules' server: orders on a journal, a session with each module, and the platforms behind it.
//!
//! - [`ServerBoard`] owns the journal; the program is built anew at each start.
//! - [`ServerPolicy`] names the choices on which such servers differ; [`books`] is what they keep.
//! - `firmware` takes input and keeps time, `modules` are the sessions, `orders` is the decision table, `calls` are the
//!   connections with the platform.

mod board;
pub mod books;
mod calls;
mod config;
mod firmware;
mod modules;
mod orders;
mod policy;

pub use board::ServerBoard;
pub use config::{Device, ServerConfig, ServerEvent, ServerSetup};
pub use policy::*;

use crate::machine::Port;

/// The line on which bytes of the free channel come out.
pub const CHANNEL: Port = Port(0);
/// The first port of connections to the platform.
pub const CALLS_FIRST: Port = Port(100);
/// How many ports connections to the platform take in turn.
pub const CALLS: u16 = 64;
/// The first port of connections from the platform.
pub const NOTICES_FIRST: Port = Port(1_000);
/// How many of them there are at a time.
pub const NOTICES: u16 = 64;
/// The first port of connections from modules.
pub const MODULES_FIRST: Port = Port(2_000);
