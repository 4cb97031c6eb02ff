//! What a stack asks of the other end: for a connection that somebody outside decides about, and whether it is still
//! there.

use super::{Arrival, Closing, Conn, Instant, Stream, Way};

impl Stream {
    /// A request that waits for [`Self::handle_answer`], as long as the stack that asks has patience.
    pub(in crate::link) fn handle_asked(&mut self, now: Instant, id: u16) {
        self.handle_open(now, id, false, None);
        let Some(Conn { connect_by, .. }) = self.conn(id).cloned() else { return };
        self.pending.retain(|item| item.delivery.conn != id);
        if let Some(conn) = self.conn(id) {
            conn.unanswered = true;
            conn.gone[Way::BtoA.index()] = false;
        }
        self.finish(id, Way::BtoA, connect_by, Closing::TimedOut);
    }

    /// What became of it.
    pub(in crate::link) fn handle_answer(&mut self, now: Instant, id: u16, accepts: bool) {
        let Some(conn) = self.conn(id).filter(|conn| conn.unanswered) else { return };
        conn.listening = accepts;
        self.pending.retain(|item| item.delivery.conn != id);
        self.answer(now, id);
    }

    /// A probe of TCP's keep-alive: it is acknowledged by a stack that knows the connection, and answered by a reset
    /// from one that does not. Whether and when a stack gives up on its probes is its own affair.
    pub(in crate::link) fn handle_keep_alive(&mut self, now: Instant, way: Way, id: u16) {
        if !self.is_open(way, id) || !self.powered[way.back().index()] {
            return;
        }
        // A probe takes the longest way there and back: it draws nothing that another transmission would have drawn.
        let at = now.max(self.down_until) + self.config.latency_max * 2;
        let far = way.back().index();
        match self.conn(id) {
            Some(conn) if conn.dead => {}
            Some(conn) if conn.gone[far] => self.finish(id, way.back(), at, Closing::Reset),
            Some(_) => self.pending.send(now, at, way.back(), id, Arrival::Acked(0)),
            None => {}
        }
    }
}
