//! Requests for connections that somebody outside the bench decides.

use super::{Family, Tabletop};
use crate::tape::LineId;

/// A request for a connection that waits for its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// Over which link.
    pub line: LineId,
    /// The number of the connection that shall be.
    pub conn: u16,
    /// To whom.
    pub to: std::net::SocketAddrV4,
}

impl<F: Family> Tabletop<F> {
    /// The requests over links that ask outside ([`super::Layout::ask_outside`]) since this was called last.
    pub fn take_requests(&mut self) -> Vec<Request> {
        std::mem::take(&mut self.requests)
    }

    /// Answers a request: the connection stands from now on, or is refused. Whether anybody still waits for it.
    pub fn answer(&mut self, line: LineId, conn: u16, accepts: bool) -> bool {
        let (at, now) = (usize::from(line.0), self.now);
        if at >= self.lines.len() || !self.lines[at].link.knows(conn) {
            return false;
        }
        self.link_now(at).handle_answer(now, conn, accepts);
        true
    }
}
