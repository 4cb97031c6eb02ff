//! A path for TCP connections: bytes arrive whole and in order, or the connection breaks; it can break without
//! either end being told.

use serde::Deserialize;

use super::half::StreamHalf;
use super::pending::{Item, Pending};
use super::{Arrival, Delivery, ahead, cut_at};
use crate::digest::Digest;
use crate::fault::{Fate, Way};
use crate::machine::{Close, Closing};
use crate::seed::{Seed, Stream as Draws};
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

/// What decides the latencies of a path: a stream of draws for each kind of thing that crosses it, so that every bench
/// draws the same for the same transmission, whatever it draws for others.
#[derive(Clone, Debug)]
pub(super) struct PathDraws {
    connects: Draws,
    data: [Draws; 2],
    acks: [Draws; 2],
    resets: Draws,
}

impl PathDraws {
    fn new(seed: Seed, name: &str) -> Self {
        let draws = |what: &str| seed.stream(&format!("link {name} {what}"));
        Self {
            connects: draws("connects"),
            data: [draws("data >"), draws("data <")],
            acks: [draws("acks >"), draws("acks <")],
            resets: draws("resets"),
        }
    }

    /// How long a request takes to get there, and its answer to get back.
    pub(super) fn connect(&mut self, config: &StreamConfig) -> (Span, Span) {
        (between(&mut self.connects, config), between(&mut self.connects, config))
    }

    /// How long what is sent this way takes.
    pub(super) fn data(&mut self, config: &StreamConfig, way: Way) -> Span {
        between(&mut self.data[way.index()], config)
    }

    /// How long the acknowledgement of what is sent this way takes.
    pub(super) fn ack(&mut self, config: &StreamConfig, way: Way) -> Span {
        between(&mut self.acks[way.index()], config)
    }

    /// How long a reset takes that nobody asked for.
    pub(super) fn reset(&mut self, config: &StreamConfig) -> Span {
        between(&mut self.resets, config)
    }

    pub(super) fn digest(&self, config: &StreamConfig, into: &mut Digest) {
        let Self { connects, data: [there, back], acks: [ack_there, ack_back], resets } = self;
        for draws in [connects, there, back, ack_there, ack_back, resets] {
            into.word(ahead(draws, (config.latency_min, config.latency_max)));
        }
    }
}

fn between(draws: &mut Draws, config: &StreamConfig) -> Span {
    draws.span_between(config.latency_min, config.latency_max)
}

/// A path that carries any number of connections, each opened from end A.
#[derive(Clone, Debug)]
pub struct Stream {
    config: StreamConfig,
    draws: PathDraws,
    pub(super) pending: Pending,
    conns: Vec<Conn>,
    down_until: Instant,
    powered: [bool; 2],
}

/// A connection. What has two values has one for each end, by the way that begins there.
#[derive(Clone, Debug)]
struct Conn {
    id: u16,
    /// Nothing arrives before what was sent earlier.
    floor: [Instant; 2],
    /// The end was told that the connection stands.
    told: [bool; 2],
    /// The end knows nothing of it, or nothing any more: what reaches it is answered by a reset.
    gone: [bool; 2],
    /// Since when the end has bytes out that are lost, and sends them again and again.
    retrying: [Option<Instant>; 2],
    /// Nothing passes any more, and nobody is told.
    dead: bool,
    /// The last piece waits until then for what follows.
    joining: [Option<Instant>; 2],
    /// When the connecting stack loses its patience.
    connect_by: Instant,
    /// How long its request takes to get there, and the answer to get back.
    shake: (Span, Span),
    /// The request found nobody with power, and is repeated.
    unanswered: bool,
    /// Somebody listens for it.
    listening: bool,
}

impl Stream {
    /// A path without connections; its name picks its draws.
    pub fn new(config: StreamConfig, seed: Seed, name: &str) -> Self {
        Self {
            config,
            draws: PathDraws::new(seed, name),
            pending: Pending::default(),
            conns: Vec::new(),
            down_until: Instant::ZERO,
            powered: [true; 2],
        }
    }

    /// The half of this path at the near end of `way`, with the same draws, for a bench whose network carries what
    /// crosses it and takes up to `hop` for that.
    pub(crate) fn half(&self, way: Way, hop: Span) -> StreamHalf {
        StreamHalf::new(self.config.clone(), self.draws.clone(), way, hop)
    }

    fn arrives(&mut self, now: Instant, way: Way) -> Instant {
        now.max(self.down_until) + self.draws.data(&self.config, way)
    }

    fn reset_arrives(&mut self, now: Instant) -> Instant {
        now.max(self.down_until) + self.draws.reset(&self.config)
    }

    fn conn(&mut self, id: u16) -> Option<&mut Conn> {
        self.conns.iter_mut().find(|conn| conn.id == id)
    }

    fn ids(&self) -> Vec<u16> {
        self.conns.iter().map(|conn| conn.id).collect()
    }

    pub(super) fn knows(&self, id: u16) -> bool {
        self.conns.iter().any(|conn| conn.id == id)
    }

    pub(super) fn holds(&self, way: Way, id: u16) -> bool {
        self.conns.iter().any(|conn| conn.id == id && !conn.gone[way.index()])
    }

    pub(super) fn is_open(&self, way: Way, id: u16) -> bool {
        let end = way.index();
        self.conns.iter().any(|conn| conn.id == id && conn.told[end] && !conn.gone[end])
    }

    pub(super) fn poll(&mut self, now: Instant) -> Option<Delivery> {
        let delivery = self.pending.poll(now)?;
        let end = delivery.way.back().index();
        if let Some(conn) = self.conn(delivery.conn) {
            match delivery.what {
                Arrival::Opened => conn.told[end] = true,
                Arrival::Closed(_) => conn.gone[end] = true,
                _ => {}
            }
        }
        if matches!(delivery.what, Arrival::Closed(_)) {
            self.sweep();
        }
        Some(delivery)
    }

    /// Forgets the connections of which neither end knows.
    fn sweep(&mut self) {
        let pending = &mut self.pending;
        self.conns.retain(|conn| {
            let known = !(conn.gone[0] && (conn.gone[1] || conn.unanswered));
            if !known {
                pending.retain(|item| item.delivery.conn != conn.id);
            }
            known
        });
    }

    /// When the far end of `way` is told that the connection is gone, if that is on its way.
    fn ends_at(&self, id: u16, way: Way) -> Option<Instant> {
        self.pending.iter().find(|item| item.is_on(way, id) && item.is_closed()).map(|item| item.delivery.at)
    }

    /// The far end of `way` learns at `at` that the connection is gone, and hears nothing of it afterwards. What tells
    /// it first counts. Bytes that come too late for it are not acknowledged but answered by a reset.
    fn finish(&mut self, id: u16, way: Way, at: Instant, why: Closing) {
        let Some(conn) = self.conn(id) else { return };
        let dead = conn.dead;
        if conn.gone[way.back().index()] || self.ends_at(id, way).is_some_and(|then| then <= at) {
            return;
        }
        let too_late = |item: &Item| item.is_on(way, id) && item.delivery.at > at;
        let lost = self.pending.iter().find(|item| too_late(item) && item.is_bytes());
        let lost = lost.map(|item| (item.start, item.delivery.at));
        self.pending.retain(|item| !(too_late(item) || item.is_on(way, id) && item.is_closed()));
        self.pending.send(at, at, way, id, Arrival::Closed(why));
        let Some((sent_at, lost_at)) = lost else { return };
        let answer = self.unacknowledge(id, way, lost_at);
        self.finish(id, way.back(), sent_at + self.config.user_timeout, Closing::TimedOut);
        if let Some(answer) = answer.filter(|_| !dead) {
            self.finish(id, way.back(), answer, Closing::Reset);
        }
    }

    /// Takes back the acknowledgements of bytes that would have arrived this way at `from` or later; returns when the
    /// first would have been there.
    fn unacknowledge(&mut self, id: u16, way: Way, from: Instant) -> Option<Instant> {
        let unborn = |item: &Item| item.is_on(way.back(), id) && item.is_ack() && item.start >= from;
        let first = self.pending.iter().find(|item| unborn(item)).map(|item| item.delivery.at);
        self.pending.retain(|item| !unborn(item));
        first
    }

    pub(super) fn handle_open(&mut self, now: Instant, id: u16, listening: bool, fate: Option<&Fate>) {
        let refused = matches!(fate, Some(Fate::Refuse | Fate::Reset { .. } | Fate::Fin { .. }));
        let connect_by = now + self.config.connect_timeout;
        let shake = self.draws.connect(&self.config);
        self.conns.retain(|conn| conn.id != id);
        self.pending.retain(|item| item.delivery.conn != id);
        self.conns.push(Conn {
            id,
            floor: [now; 2],
            told: [false; 2],
            gone: [false; 2],
            retrying: [None; 2],
            dead: false,
            joining: [None; 2],
            connect_by,
            shake,
            unanswered: !self.powered[Way::BtoA.index()],
            listening: listening && !refused,
        });
        if matches!(fate, Some(Fate::HalfOpen)) {
            self.go_dead(id);
        } else if self.powered[Way::BtoA.index()] {
            self.answer(now + delay_of(fate), id);
        } else {
            self.finish(id, Way::BtoA, connect_by, Closing::TimedOut);
        }
    }

    /// The request is on its way to somebody who has power.
    fn answer(&mut self, now: Instant, id: u16) {
        let from = now.max(self.down_until);
        let Some(conn) = self.conn(id) else { return };
        let there = from + conn.shake.0;
        let back = there + conn.shake.1;
        let (connect_by, listening) = (conn.connect_by, conn.listening);
        conn.unanswered = false;
        if back > connect_by || !listening {
            conn.gone[Way::BtoA.index()] = true;
        } else {
            conn.floor = [there, back];
            self.pending.send(now, there, Way::AtoB, id, Arrival::Opened);
            self.pending.send(now, back, Way::BtoA, id, Arrival::Opened);
            return;
        }
        self.finish(id, Way::BtoA, connect_by, Closing::TimedOut);
        if !listening {
            self.finish(id, Way::BtoA, back, Closing::Refused);
        }
    }

    pub(super) fn handle_bytes(
        &mut self,
        now: Instant,
        way: Way,
        id: u16,
        bytes: Vec<u8>,
        fate: Option<&Fate>,
    ) {
        if bytes.is_empty() || !self.is_open(way, id) {
            return;
        }
        let at = self.arrives(now + delay_of(fate), way);
        let back = self.draws.ack(&self.config, way);
        let give_up = now + self.config.user_timeout;
        if matches!(fate, Some(Fate::HalfOpen)) {
            self.go_dead(id);
        }
        let powered = self.powered[way.back().index()];
        let (far_ends, near_ends) = (self.ends_at(id, way), self.ends_at(id, way.back()));
        let Some(conn) = self.conn(id) else { return };
        let at = at.max(conn.floor[way.index()]);
        conn.floor[way.index()] = at;
        let ack = at + back;
        let ended = match fate {
            Some(Fate::Fin { .. }) => Some(Closing::Fin),
            Some(Fate::Reset { .. }) => Some(Closing::Reset),
            _ => None,
        };
        if let Some(why) = ended.filter(|_| conn.gone[way.back().index()] && !conn.dead && at <= give_up) {
            // What ends the connection on its way does so whether or not anybody is left at the far end.
            self.finish(id, way.back(), ack, why);
        } else if conn.gone[way.back().index()] && powered && !conn.dead && ack <= give_up {
            self.finish(id, way.back(), ack, Closing::Reset);
        } else if conn.dead || conn.gone[way.back().index()] || at > give_up {
            conn.retrying[way.index()].get_or_insert(now);
            self.finish(id, way.back(), give_up, Closing::TimedOut);
        } else if far_ends.is_some_and(|end| at >= end) {
            self.finish(id, way.back(), ack, Closing::Reset);
        } else if near_ends.is_none_or(|end| at < end) {
            self.deliver(now, (at, ack), way, id, bytes, fate);
        }
    }

    fn deliver(
        &mut self,
        now: Instant,
        (at, ack): (Instant, Instant),
        way: Way,
        id: u16,
        bytes: Vec<u8>,
        fate: Option<&Fate>,
    ) {
        let Some(conn) = self.conn(id) else { return };
        let joining = conn.joining[way.index()].take();
        let (mut at, mut ack, len) = (at, ack, bytes.len());
        match fate {
            Some(Fate::Split { at: place, gap }) => {
                let (head, tail) = cut_at(bytes, *place);
                self.piece(now, at, way, id, head);
                (at, ack) = (at + *gap, ack + *gap);
                self.piece(now, at, way, id, tail);
            }
            Some(Fate::Fin { at: place } | Fate::Reset { at: place }) => {
                let why = if matches!(fate, Some(Fate::Fin { .. })) { Closing::Fin } else { Closing::Reset };
                self.piece(now, at, way, id, cut_at(bytes, *place).0);
                self.finish(id, way, at, why);
                self.finish(id, way.back(), ack, why);
                return;
            }
            _ if joining == Some(at) => {
                if let Err(bytes) = self.pending.append(at, way, id, bytes) {
                    self.piece(now, at, way, id, bytes);
                }
            }
            _ => self.piece(now, at, way, id, bytes),
        }
        self.pending.send(at, ack, way.back(), id, Arrival::Acked(len));
        if let Some(conn) = self.conn(id) {
            conn.floor[way.index()] = at;
            conn.joining[way.index()] = if matches!(fate, Some(Fate::Join { .. })) {
                Some(at)
            } else {
                joining.filter(|then| *then == at)
            };
        }
    }

    fn piece(&mut self, now: Instant, at: Instant, way: Way, id: u16, bytes: Vec<u8>) {
        if !bytes.is_empty() {
            self.pending.send(now, at, way, id, Arrival::Bytes(bytes));
        }
    }

    pub(super) fn handle_close(&mut self, now: Instant, way: Way, id: u16, how: Close, fate: Option<&Fate>) {
        if !self.holds(way, id) {
            return;
        }
        let at = self.arrives(now + delay_of(fate), way);
        if matches!(fate, Some(Fate::HalfOpen)) {
            self.go_dead(id);
        }
        let lost = self.lose_incoming(way, id);
        let Some(conn) = self.conn(id) else { return };
        conn.gone[way.index()] = true;
        conn.retrying[way.back().index()] = conn.retrying[way.back().index()].or(lost);
        let at = at.max(conn.floor[way.index()]);
        let unheard = way == Way::AtoB && !conn.told[Way::BtoA.index()];
        if conn.unanswered || unheard {
            // Whoever asked wants it no longer before the listener has heard of it.
            conn.gone = [true; 2];
            self.pending.retain(|item| item.delivery.conn != id);
        } else if !conn.dead {
            let reset = how == Close::Reset || matches!(fate, Some(Fate::Reset { .. }));
            if reset && now < self.down_until {
                // A stack that resets sends no more of what an outage has kept it from sending.
                self.pending.retain(|item| !item.is_on(way, id) || !item.is_bytes());
            }
            self.finish(id, way, at, if reset { Closing::Reset } else { Closing::Fin });
        }
        self.sweep();
    }

    /// The near end of `way` hears nothing more: what was on its way there is lost, and so is its acknowledgement.
    /// Returns when the first lost bytes were sent.
    fn lose_incoming(&mut self, way: Way, id: u16) -> Option<Instant> {
        let lost = self.pending.iter().find(|item| item.is_on(way.back(), id) && item.is_bytes());
        let lost = lost.map(|item| (item.delivery.at, item.start));
        self.pending.retain(|item| !item.is_on(way.back(), id));
        let (lost_at, sent_at) = lost?;
        self.unacknowledge(id, way.back(), lost_at);
        Some(sent_at)
    }

    /// The near end's stack is gone with its power: the far end is not told. What had left goes on.
    pub(super) fn handle_end_lost(&mut self, _now: Instant, way: Way) {
        let (near, far) = (way.index(), way.back().index());
        self.powered[near] = false;
        for id in self.ids() {
            let sent_at = self.lose_incoming(way, id);
            let patience = self.config.user_timeout;
            let Some(conn) = self.conn(id).filter(|conn| !conn.gone[near]) else { continue };
            let request = !conn.told[Way::BtoA.index()] && !conn.gone[Way::BtoA.index()];
            if request && way == Way::AtoB {
                // Whoever asked is gone before the listener heard of it.
                conn.gone = [true; 2];
            } else if request {
                let connect_by = conn.connect_by;
                conn.unanswered = true;
                self.pending.retain(|item| item.delivery.conn != id || item.is_closed());
                self.finish(id, Way::BtoA, connect_by, Closing::TimedOut);
            } else {
                conn.gone[near] = true;
                if let Some(sent_at) = sent_at {
                    conn.retrying[far].get_or_insert(sent_at);
                    self.finish(id, way, sent_at + patience, Closing::TimedOut);
                }
            }
        }
        self.sweep();
    }

    /// The near end answers again, and knows nothing of its old connections.
    pub(super) fn handle_end_back(&mut self, now: Instant, way: Way) {
        let (near, far) = (way.index(), way.back().index());
        self.powered[near] = true;
        for id in self.ids() {
            let Some(conn) = self.conn(id).filter(|conn| !conn.dead) else { continue };
            if conn.unanswered && way == Way::BtoA {
                self.pending.retain(|item| item.delivery.conn != id);
                self.answer(now, id);
            } else if conn.gone[near] && conn.retrying[far].is_some() {
                let at = self.reset_arrives(now);
                self.finish(id, way, at, Closing::Reset);
            }
        }
    }

    pub(super) fn handle_outage(&mut self, now: Instant, span: Span) {
        self.down_until = self.down_until.max(now + span);
        self.pending.hold_until(now, self.down_until);
        for id in self.ids() {
            let Some(conn) = self.conns.iter_mut().find(|conn| conn.id == id) else { continue };
            for end in 0..2 {
                conn.floor[end] = conn.floor[end].max(self.down_until);
            }
            self.lose_patience(id);
        }
    }

    /// A stack gives up what would reach it, or be acknowledged, only after it has lost its patience.
    fn lose_patience(&mut self, id: u16) {
        let Some(conn) = self.conn(id) else { return };
        let (connecting, connect_by) = (!conn.told[Way::AtoB.index()], conn.connect_by);
        if connecting
            && self.pending.iter().any(|item| item.is_on(Way::BtoA, id) && item.delivery.at > connect_by)
        {
            self.abandon_request(id);
        }
        for way in Way::BOTH {
            let patience = self.config.user_timeout;
            let late = self
                .pending
                .iter()
                .find(|item| is_out(item, way, id) && item.delivery.at > item.start + patience);
            let Some(give_up) = late.map(|item| item.start + patience) else { continue };
            self.pending
                .retain(|item| !item.is_on(way, id) || !item.is_bytes() || item.delivery.at <= give_up);
            self.finish(id, way.back(), give_up, Closing::TimedOut);
        }
    }

    /// The connecting stack will give up, and what the listener has not heard by then it never will.
    fn abandon_request(&mut self, id: u16) {
        let Some(conn) = self.conn(id) else { return };
        let connect_by = conn.connect_by;
        if !conn.told[Way::BtoA.index()] {
            conn.gone[Way::BtoA.index()] = true;
            self.pending.retain(|item| !item.is_on(Way::AtoB, id));
        }
        self.finish(id, Way::BtoA, connect_by, Closing::TimedOut);
    }

    pub(super) fn handle_half_open(&mut self) {
        for id in self.ids() {
            self.go_dead(id);
        }
    }

    /// Nothing passes any more. Only a stack that waits for an answer will notice, when its patience ends.
    fn go_dead(&mut self, id: u16) {
        let patience = self.config.user_timeout;
        let Some(conn) = self.conn(id) else { return };
        conn.dead = true;
        let (connecting, retrying) = (!conn.told[Way::AtoB.index()], conn.retrying);
        let give_up = Way::BOTH.map(|way| {
            let out = self.pending.iter().find(|item| is_out(item, way, id)).map(|item| item.start);
            retrying[way.index()].or(out).map(|since| since + patience)
        });
        self.pending.retain(|item| item.delivery.conn != id || item.is_local());
        for (way, give_up) in Way::BOTH.into_iter().zip(give_up) {
            if let Some(give_up) = give_up {
                self.finish(id, way.back(), give_up, Closing::TimedOut);
            }
        }
        if connecting {
            self.abandon_request(id);
        }
        self.sweep();
    }

    pub(super) fn handle_evicted(&mut self, now: Instant, id: u16) {
        let at = self.reset_arrives(now);
        let Some(conn) = self.conn(id) else { return };
        if conn.told[Way::BtoA.index()] {
            self.finish(id, Way::AtoB, now, Closing::Reset);
        } else {
            conn.gone[Way::BtoA.index()] = true;
            self.pending.retain(|item| !item.is_on(Way::AtoB, id));
        }
        if self.conn(id).is_some_and(|conn| !conn.dead) {
            self.finish(id, Way::BtoA, at, Closing::Reset);
        }
    }

    #[cfg(test)]
    pub(super) fn conns_len(&self) -> usize {
        self.conns.len()
    }

    pub(super) fn digest(&self, into: &mut Digest) {
        self.pending.digest(into);
        into.instant(self.down_until).flag(self.powered[0]).flag(self.powered[1]);
        self.draws.digest(&self.config, into);
        into.word(self.conns.len() as u64);
        for conn in &self.conns {
            into.word(u64::from(conn.id)).instant(conn.connect_by);
            into.word(conn.shake.0.as_us()).word(conn.shake.1.as_us());
            for end in 0..2 {
                into.instant(conn.floor[end]).deadline(conn.joining[end]);
                into.flag(conn.told[end]).flag(conn.gone[end]);
                if let Some(since) = conn.retrying[end] {
                    into.word(1).age(since);
                }
            }
            into.flag(conn.dead).flag(conn.unanswered).flag(conn.listening);
        }
    }
}

/// Whether it shows that the near end of `way` has bytes out that are not acknowledged yet.
fn is_out(item: &Item, way: Way, id: u16) -> bool {
    item.is_on(way, id) && item.is_bytes() || item.is_on(way.back(), id) && item.is_ack()
}

/// How much later a transmission sets out.
pub(super) fn delay_of(fate: Option<&Fate>) -> Span {
    match fate {
        Some(Fate::Delay { by } | Fate::Stall { span: by } | Fate::Join { within: by }) => *by,
        _ => Span::ZERO,
    }
}

#[path = "stream_asks.rs"]
mod asks;

#[cfg(test)]
#[path = "stream_tests.rs"]
mod tests;
