//! The platforms on a network: one router, whatever carries its connections, and the courier of notifications.
//!
//! - [`Desk`] holds the backend and its clock; [`router`] is what axum makes of requests.
//! - [`serve`] takes connections from a [`Listener`], [`deliver`] posts notifications through a [`Dialer`]: sockets of
//!   this computer, or those of a simulated network.

mod control;
mod courier;
mod desk;
mod router;
mod shown;
#[cfg(test)]
#[cfg(feature = "world")]
mod tests;

pub use courier::{Dialer, deliver};
pub use desk::{Desk, Pace};
pub use router::{Limits, Listener, Peer, router, serve};
