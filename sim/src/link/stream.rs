//! A path for TCP connections: bytes arrive whole and in order, or the connection breaks; it can break without
//! either end being told.

use serde::Deserialize;

use super::pending::Pending;
use super::{Arrival, cut_at};
use crate::digest::Digest;
use crate::fault::{Fate, Way};
use crate::machine::{Close, Closing};
use crate::seed::Stream as Draws;
use crate::time::{Instant, Span};

/// Times of a path.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StreamConfig {
    /// The least one-way latency.
    pub latency_min: Span,
    /// The greatest one-way latency.
    pub latency_max: Span,
    /// How long a connecting stack waits for an answer.
    pub connect_timeout: Span,
    /// How long a stack keeps data that nobody acknowledges before it gives the connection up.
    pub user_timeout: Span,
}

/// A path that carries any number of connections, each opened from end A.
#[derive(Clone, Debug)]
pub struct Stream {
    config: StreamConfig,
    draws: Draws,
    pub(super) pending: Pending,
    conns: Vec<Conn>,
    down_until: Instant,
    powered: [bool; 2],
}

#[derive(Clone, Debug)]
struct Conn {
    id: u16,
    /// Nothing arrives before what was sent earlier.
    floor: [Instant; 2],
    /// The end lost its state: whatever reaches it is answered by a reset once it has power again.
    forgotten: [bool; 2],
    /// The end has sent its last byte.
    closed: [bool; 2],
    /// Nothing passes any more, and nobody is told.
    dead: bool,
    /// Bytes were sent towards the forgotten end and are being retried by the other stack.
    retried: bool,
}

impl Stream {
    /// A path without connections.
    pub fn new(config: StreamConfig, draws: Draws) -> Self {
        Self {
            config,
            draws,
            pending: Pending::default(),
            conns: Vec::new(),
            down_until: Instant::ZERO,
            powered: [true; 2],
        }
    }

    fn latency(&mut self) -> Span {
        self.draws.span_between(self.config.latency_min, self.config.latency_max)
    }

    fn arrives(&mut self, now: Instant) -> Instant {
        now.max(self.down_until) + self.latency()
    }

    fn conn(&mut self, id: u16) -> Option<&mut Conn> {
        self.conns.iter_mut().find(|conn| conn.id == id)
    }

    pub(super) fn handle_open(&mut self, now: Instant, id: u16, listening: bool, fate: Option<&Fate>) {
        let delay = match fate {
            Some(Fate::Delay { by } | Fate::Stall { span: by }) => *by,
            _ => Span::ZERO,
        };
        let there = self.arrives(now + delay);
        let back = there + self.latency();
        let lost = matches!(fate, Some(Fate::HalfOpen)) || !self.powered[Way::BtoA.index()];
        if lost || back.since(now) > self.config.connect_timeout {
            let at = now + self.config.connect_timeout;
            self.pending.send(now, at, Way::BtoA, id, Arrival::Closed(Closing::TimedOut));
            return;
        }
        let refused = matches!(fate, Some(Fate::Refuse | Fate::Reset { .. } | Fate::Fin { .. }));
        if refused || !listening {
            self.pending.send(now, back, Way::BtoA, id, Arrival::Closed(Closing::Refused));
            return;
        }
        self.conns.retain(|conn| conn.id != id);
        self.conns.push(Conn {
            id,
            floor: [there, back],
            forgotten: [false; 2],
            closed: [false; 2],
            dead: false,
            retried: false,
        });
        self.pending.send(now, there, Way::AtoB, id, Arrival::Opened);
        self.pending.send(now, back, Way::BtoA, id, Arrival::Opened);
    }

    pub(super) fn handle_bytes(
        &mut self,
        now: Instant,
        way: Way,
        id: u16,
        bytes: Vec<u8>,
        fate: Option<&Fate>,
    ) {
        let delay = match fate {
            Some(Fate::Delay { by } | Fate::Stall { span: by } | Fate::Join { within: by }) => *by,
            _ => Span::ZERO,
        };
        let at = self.arrives(now + delay);
        let ack = at + self.latency();
        let (near, far) = (way.index(), way.back().index());
        let give_up = now + self.config.user_timeout;
        let powered = self.powered[far];
        let Some(conn) = self.conn(id) else { return };
        if conn.closed[near] || conn.forgotten[near] || bytes.is_empty() {
            return;
        }
        if matches!(fate, Some(Fate::HalfOpen)) {
            conn.dead = true;
        }
        if conn.dead {
            self.pending.send(now, give_up, way.back(), id, Arrival::Closed(Closing::TimedOut));
            return;
        }
        if conn.forgotten[far] {
            if powered {
                self.forget_conn(id);
                self.pending.send(now, ack, way.back(), id, Arrival::Closed(Closing::Reset));
            } else {
                conn.retried = true;
                self.pending.send(now, give_up, way.back(), id, Arrival::Closed(Closing::TimedOut));
            }
            return;
        }
        let at = at.max(conn.floor[near]);
        conn.floor[near] = at;
        self.deliver(now, at, way, id, bytes, ack.max(at), fate);
    }

    #[expect(clippy::too_many_arguments, reason = "one transmission, with all that was decided about it")]
    fn deliver(
        &mut self,
        now: Instant,
        at: Instant,
        way: Way,
        id: u16,
        bytes: Vec<u8>,
        ack: Instant,
        fate: Option<&Fate>,
    ) {
        let len = bytes.len();
        match fate {
            Some(Fate::Split { at: place, gap }) => {
                let (head, tail) = cut_at(bytes, *place);
                self.pending.send(now, at, way, id, Arrival::Bytes(head));
                self.pending.send(now, at + *gap, way, id, Arrival::Bytes(tail));
                if let Some(conn) = self.conn(id) {
                    conn.floor[way.index()] = at + *gap;
                }
                self.pending.send(at + *gap, ack + *gap, way.back(), id, Arrival::Acked(len));
            }
            Some(Fate::Fin { at: place } | Fate::Reset { at: place }) => {
                let why = if matches!(fate, Some(Fate::Fin { .. })) { Closing::Fin } else { Closing::Reset };
                let head = cut_at(bytes, *place).0;
                if !head.is_empty() {
                    self.pending.send(now, at, way, id, Arrival::Bytes(head));
                }
                self.forget_conn(id);
                self.pending.send(now, at, way, id, Arrival::Closed(why));
                self.pending.send(now, ack, way.back(), id, Arrival::Closed(why));
            }
            _ => {
                self.pending.send(now, at, way, id, Arrival::Bytes(bytes));
                // The acknowledgement leaves the far stack when the bytes are there.
                self.pending.send(at, ack, way.back(), id, Arrival::Acked(len));
            }
        }
    }

    pub(super) fn handle_close(&mut self, now: Instant, way: Way, id: u16, how: Close, fate: Option<&Fate>) {
        let at = self.arrives(now);
        let Some(conn) = self.conn(id) else { return };
        conn.closed[way.index()] = true;
        if matches!(fate, Some(Fate::HalfOpen)) {
            conn.dead = true;
        }
        let at = at.max(conn.floor[way.index()]);
        let silent = conn.dead || conn.forgotten[way.back().index()];
        // The closing end hears nothing more of this connection.
        self.pending.retain(|delivery| delivery.conn != id || delivery.way == way);
        if !silent {
            let why = match how {
                Close::Fin => Closing::Fin,
                Close::Reset => Closing::Reset,
            };
            self.pending.send(now, at, way, id, Arrival::Closed(why));
        }
        self.forget_conn(id);
    }

    fn forget_conn(&mut self, id: u16) {
        self.conns.retain(|conn| conn.id != id);
    }

    /// The near end's stack is gone with its power: the far end is not told. What had left goes on.
    pub(super) fn handle_end_lost(&mut self, now: Instant, way: Way) {
        self.powered[way.index()] = false;
        for conn in &mut self.conns {
            conn.forgotten[way.index()] = true;
        }
        let lost: Vec<_> = self.pending.take_way(way.back());
        for (_, delivery) in lost {
            // Data that was under way to the dead end stays unacknowledged and is retried.
            if let (Arrival::Bytes(_), Some(conn)) = (&delivery.what, self.conn(delivery.conn)) {
                conn.retried = true;
            }
        }
        // Nor does the dead end acknowledge what has not reached it yet.
        for (start, delivery) in self.pending.take_way(way) {
            if !matches!(delivery.what, Arrival::Acked(_)) || start <= now {
                self.pending.push(start, delivery);
            }
        }
    }

    /// The near end answers again, and knows nothing of its old connections.
    pub(super) fn handle_end_back(&mut self, now: Instant, way: Way) {
        self.powered[way.index()] = true;
        let at = self.arrives(now);
        let told: Vec<u16> = self
            .conns
            .iter()
            .filter(|conn| conn.forgotten[way.index()] && conn.retried && !conn.dead)
            .map(|conn| conn.id)
            .collect();
        for id in told {
            self.forget_conn(id);
            self.pending.retain(|delivery| delivery.conn != id);
            self.pending.send(now, at, way, id, Arrival::Closed(Closing::Reset));
        }
        self.conns.retain(|conn| !(conn.forgotten[0] && conn.forgotten[1]));
    }

    pub(super) fn handle_outage(&mut self, now: Instant, span: Span) {
        self.down_until = self.down_until.max(now + span);
        self.pending.hold_until(self.down_until);
        for conn in &mut self.conns {
            for floor in &mut conn.floor {
                *floor = (*floor).max(self.down_until);
            }
        }
    }

    pub(super) fn handle_half_open(&mut self) {
        for conn in &mut self.conns {
            conn.dead = true;
        }
        self.pending.retain(|delivery| matches!(delivery.what, Arrival::Closed(_)));
    }

    pub(super) fn digest(&self, into: &mut Digest) {
        self.pending.digest(into);
        into.instant(self.down_until).flag(self.powered[0]).flag(self.powered[1]);
        for conn in &self.conns {
            into.word(u64::from(conn.id)).instant(conn.floor[0]).instant(conn.floor[1]);
            for flag in [conn.forgotten, conn.closed].concat() {
                into.flag(flag);
            }
            into.flag(conn.dead).flag(conn.retried);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;

    const LATE: Instant = Instant::from_us(10_000_000_000);

    fn path() -> Stream {
        let config = StreamConfig {
            latency_min: Span::ms(100),
            latency_max: Span::ms(100),
            connect_timeout: Span::s(20),
            user_timeout: Span::s(600),
        };
        Stream::new(config, Seed(1).stream("test"))
    }

    fn connected() -> Stream {
        let mut path = path();
        path.handle_open(Instant::ZERO, 1, true, None);
        assert_eq!(
            all(&mut path),
            vec![(100, Way::AtoB, Arrival::Opened), (200, Way::BtoA, Arrival::Opened)]
        );
        path
    }

    fn all(path: &mut Stream) -> Vec<(u64, Way, Arrival)> {
        std::iter::from_fn(|| path.pending.poll(LATE))
            .map(|delivery| (delivery.at.as_us() / 1_000, delivery.way, delivery.what))
            .collect()
    }

    fn ms(ms: u64) -> Instant {
        Instant::ZERO + Span::ms(ms)
    }

    #[test]
    fn bytes_arrive_and_are_acknowledged() {
        let mut path = connected();
        path.handle_bytes(ms(300), Way::AtoB, 1, vec![1, 2], None);
        assert_eq!(
            all(&mut path),
            vec![(400, Way::AtoB, Arrival::Bytes(vec![1, 2])), (500, Way::BtoA, Arrival::Acked(2))]
        );
    }

    #[test]
    fn a_delayed_piece_holds_back_what_follows() {
        let mut path = connected();
        path.handle_bytes(ms(300), Way::AtoB, 1, vec![1], Some(&Fate::Delay { by: Span::s(5) }));
        path.handle_bytes(ms(300), Way::AtoB, 1, vec![2], None);
        let bytes: Vec<_> = all(&mut path).into_iter().filter(|(_, way, _)| *way == Way::AtoB).collect();
        assert_eq!(
            bytes,
            vec![(5_400, Way::AtoB, Arrival::Bytes(vec![1])), (5_400, Way::AtoB, Arrival::Bytes(vec![2]))]
        );
    }

    #[test]
    fn an_outage_holds_bytes_and_delivers_them_in_order() {
        let mut path = connected();
        path.handle_bytes(ms(300), Way::AtoB, 1, vec![1], None);
        path.handle_outage(ms(350), Span::s(10));
        path.handle_bytes(ms(1_000), Way::AtoB, 1, vec![2], None);
        let bytes: Vec<_> = all(&mut path).into_iter().filter(|(_, way, _)| *way == Way::AtoB).collect();
        assert_eq!(
            bytes,
            vec![(10_350, Way::AtoB, Arrival::Bytes(vec![1])), (10_450, Way::AtoB, Arrival::Bytes(vec![2]))]
        );
    }

    #[test]
    fn connecting_is_refused_times_out_or_waits_for_the_outage() {
        let mut path = path();
        path.handle_open(Instant::ZERO, 1, false, None);
        path.handle_open(Instant::ZERO, 2, true, Some(&Fate::HalfOpen));
        path.handle_outage(Instant::ZERO, Span::s(30));
        path.handle_open(ms(1_000), 3, true, None);
        path.handle_open(ms(25_000), 4, true, None);
        let closed = |why| Arrival::Closed(why);
        assert_eq!(
            all(&mut path),
            vec![
                (21_000, Way::BtoA, closed(Closing::TimedOut)),
                (30_000, Way::BtoA, closed(Closing::Refused)),
                (30_000, Way::BtoA, closed(Closing::TimedOut)),
                (30_100, Way::AtoB, Arrival::Opened),
                (30_200, Way::BtoA, Arrival::Opened),
            ]
        );
    }

    #[test]
    fn a_lost_end_leaves_the_peer_half_open_until_it_sends_to_the_end_that_is_back() {
        let mut path = connected();
        path.handle_end_lost(ms(300), Way::AtoB);
        assert_eq!(all(&mut path), vec![]);
        path.handle_end_back(ms(5_000), Way::AtoB);
        assert_eq!(all(&mut path), vec![]);
        path.handle_bytes(ms(6_000), Way::BtoA, 1, vec![7], None);
        assert_eq!(all(&mut path), vec![(6_200, Way::AtoB, Arrival::Closed(Closing::Reset))]);
    }

    #[test]
    fn bytes_retried_towards_a_lost_end_are_reset_when_it_is_back() {
        let mut path = connected();
        path.handle_end_lost(ms(300), Way::AtoB);
        path.handle_bytes(ms(400), Way::BtoA, 1, vec![7], None);
        path.handle_end_back(ms(5_000), Way::AtoB);
        assert_eq!(all(&mut path), vec![(5_100, Way::AtoB, Arrival::Closed(Closing::Reset))]);
    }

    #[test]
    fn half_open_tells_nobody_until_the_stack_gives_up() {
        let mut path = connected();
        path.handle_bytes(ms(300), Way::AtoB, 1, vec![1], Some(&Fate::HalfOpen));
        assert_eq!(all(&mut path), vec![(600_300, Way::BtoA, Arrival::Closed(Closing::TimedOut))]);
    }

    #[test]
    fn a_reset_delivers_the_bytes_before_it_to_both_ends_knowledge() {
        let mut path = connected();
        path.handle_bytes(ms(300), Way::AtoB, 1, vec![1, 2, 3], Some(&Fate::Reset { at: 2 }));
        assert_eq!(
            all(&mut path),
            vec![
                (400, Way::AtoB, Arrival::Bytes(vec![1, 2])),
                (400, Way::AtoB, Arrival::Closed(Closing::Reset)),
                (500, Way::BtoA, Arrival::Closed(Closing::Reset)),
            ]
        );
    }

    #[test]
    fn a_close_follows_what_was_sent() {
        let mut path = connected();
        path.handle_bytes(ms(300), Way::AtoB, 1, vec![1], Some(&Fate::Delay { by: Span::s(1) }));
        path.handle_close(ms(300), Way::AtoB, 1, Close::Fin, None);
        assert_eq!(
            all(&mut path),
            vec![
                (1_400, Way::AtoB, Arrival::Bytes(vec![1])),
                (1_400, Way::AtoB, Arrival::Closed(Closing::Fin))
            ]
        );
    }
}
