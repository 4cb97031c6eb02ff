//! A module's connections.

use crate::digest::Digest;

/// How many connections a module has.
pub const SOCKETS: usize = 6;

/// The connection of the module's own services, beside those of the host.
pub const SERVICE: usize = SOCKETS;

/// Where a connection stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SocketState {
    /// Never opened since the module started.
    #[default]
    Initial,
    /// On its way.
    Connecting,
    /// Standing.
    Connected,
    /// Over.
    Closed,
}

/// One connection.
#[derive(Clone, Debug, Default)]
pub struct Socket {
    /// Where it stands.
    pub state: SocketState,
    /// What was sent and not yet acknowledged.
    ///
    /// Units: bytes.
    pub unacked: usize,
    /// What arrived and waits until the host reads it.
    pub held: Vec<u8>,
}

impl Socket {
    /// Whether the connection takes up the module's stack.
    pub fn is_open(&self) -> bool {
        matches!(self.state, SocketState::Connecting | SocketState::Connected)
    }

    /// Adds the connection's state.
    pub fn digest(&self, into: &mut Digest) {
        into.word(self.state as u64).word(self.unacked as u64).bytes(&self.held);
    }
}

/// What happened to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SocketEvent<'a> {
    /// It stands.
    Opened,
    /// It did not come about.
    Refused,
    /// It did not come about in time.
    Overdue,
    /// It is over.
    Closed,
    /// Bytes arrived.
    Received(&'a [u8]),
}

/// How a send ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendResult {
    /// The other end's stack has all of it.
    Acked,
    /// It took too long.
    Failed,
    /// The connection ended before.
    Closed,
}
