//! The near half of a path for TCP connections: our faults and latencies in front of somebody else's sockets.
//!
//! What goes out is delivered at the moment at which a socket has to be given it, and what comes out of the socket is
//! taken in here on its way to the party. What the two halves of a path do together is what [`super::Stream`] does
//! alone, except that connections are refused, broken and half-open as the network between them says.

use std::collections::VecDeque;

use super::pending::Pending;
use super::stream::{PathDraws, delay_of};
use super::{Arrival, Delivery, StreamConfig, cut_at};
use crate::digest::Digest;
use crate::fault::{Fate, Way};
use crate::machine::{Close, Closing};
use crate::time::{Instant, Span};

/// What the socket of a connection tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// The connection that was asked for stands.
    Connected,
    /// Nobody listens there.
    Refused,
    /// Somebody has connected.
    Accepted,
    /// Bytes have come.
    Bytes(Vec<u8>),
    /// The peer has closed it.
    Closed(Closing),
    /// The peer's stack knows nothing of it any more, and answers what was sent with a reset.
    Broken,
    /// The path of the connection is dead: nothing passes any more.
    Dead,
    /// So many of all bytes sent so far have reached the far end's stack.
    Taken(u64),
}

/// One end's half of a path that carries any number of connections.
#[derive(Clone, Debug)]
pub struct StreamHalf {
    config: StreamConfig,
    draws: PathDraws,
    /// The way that begins here.
    way: Way,
    /// How long the network itself takes at most.
    hop: Span,
    pub(super) pending: Pending,
    conns: Vec<Conn>,
    down_until: Instant,
    powered: bool,
}

#[derive(Clone, Debug)]
struct Conn {
    id: u16,
    request: Option<Request>,
    /// The party was told that the connection stands.
    told: bool,
    /// The party knows nothing of it, or nothing any more.
    gone: bool,
    /// Nothing passes any more, and nobody is told.
    dead: bool,
    /// Nothing more goes out: a fault has closed it, and the party will hear of that.
    shut: bool,
    /// Nothing goes out before what was sent earlier.
    floor: Instant,
    /// Nothing that comes in reaches the party earlier.
    hears_from: Instant,
    /// The last piece waits until then for what follows.
    joining: Option<Instant>,
    /// How many bytes have been sent in all.
    sent: u64,
    /// What the far stack has not acknowledged.
    unacked: VecDeque<Unacked>,
}

/// A request for a connection that is under way.
#[derive(Clone, Copy, Debug)]
struct Request {
    /// How long it takes to get there.
    reach: Span,
    /// When it ought to have got there.
    there: Instant,
    /// How long the answer takes to get back.
    back: Span,
    /// When the answer ought to be back.
    opens_at: Instant,
    /// When the stack loses its patience.
    connect_by: Instant,
}

#[derive(Clone, Copy, Debug)]
struct Unacked {
    since: Instant,
    /// The earliest time at which its acknowledgement can be here.
    ack_at: Instant,
    len: usize,
    /// How many bytes have been sent with it.
    upto: u64,
}

impl StreamHalf {
    pub(super) fn new(config: StreamConfig, draws: PathDraws, way: Way, hop: Span) -> Self {
        Self {
            config,
            draws,
            way,
            hop,
            pending: Pending::default(),
            conns: Vec::new(),
            down_until: Instant::ZERO,
            powered: true,
        }
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
        way == self.way && self.conns.iter().any(|conn| conn.id == id && !conn.gone)
    }

    pub(super) fn is_open(&self, way: Way, id: u16) -> bool {
        way == self.way && self.conns.iter().any(|conn| conn.id == id && conn.told && !conn.gone)
    }

    /// What is due: for the party on the way that ends here, for the socket on the other.
    pub(super) fn poll(&mut self, now: Instant) -> Option<Delivery> {
        self.give_up(now);
        let delivery = self.pending.poll(now)?;
        if delivery.way != self.way
            && let Some(conn) = self.conns.iter_mut().find(|conn| conn.id == delivery.conn)
        {
            match delivery.what {
                Arrival::Opened => conn.told = true,
                Arrival::Closed(_) => {
                    conn.gone = true;
                    let asked = conn.request.take().is_some();
                    self.pending.retain(|item| !item.is_on(delivery.way, delivery.conn));
                    if asked {
                        self.forget_request(delivery.at, delivery.conn);
                    }
                }
                _ => {}
            }
        }
        self.sweep();
        Some(delivery)
    }

    pub(super) fn next_at(&self) -> Option<Instant> {
        [self.pending.next_at(), self.give_up_at()].into_iter().flatten().min()
    }

    /// When the stack next loses its patience with bytes that nobody acknowledges.
    fn give_up_at(&self) -> Option<Instant> {
        let waiting = self.conns.iter().filter(|conn| conn.told && !conn.gone);
        let since = waiting.filter_map(|conn| conn.unacked.front().map(|first| first.since)).min();
        since.map(|since| since + self.config.user_timeout)
    }

    fn give_up(&mut self, now: Instant) {
        let patience = self.config.user_timeout;
        for id in self.ids() {
            let Some(conn) = self.conn(id).filter(|conn| conn.told && !conn.gone) else { continue };
            let Some(at) = conn.unacked.front().map(|first| first.since + patience) else { continue };
            if at <= now {
                conn.unacked.clear();
                conn.dead = true;
                self.tell(at, id, Arrival::Closed(Closing::TimedOut));
                self.put_out(at, at, id, Arrival::Abandoned);
            }
        }
    }

    /// Forgets the connections that the party does not know and that have nothing left to send.
    fn sweep(&mut self) {
        let pending = &self.pending;
        self.conns.retain(|conn| !conn.gone || pending.iter().any(|item| item.delivery.conn == conn.id));
    }

    /// The party shall learn of something; a first end of the connection is the only one.
    fn tell(&mut self, at: Instant, id: u16, what: Arrival) {
        let way = self.way.back();
        if matches!(what, Arrival::Closed(_)) {
            let ends = self.pending.iter().find(|item| item.is_on(way, id) && item.is_closed());
            if ends.is_some_and(|item| item.delivery.at <= at) {
                return;
            }
            self.pending.retain(|item| !item.is_on(way, id) || !item.is_closed() && item.delivery.at <= at);
        } else if self
            .pending
            .iter()
            .any(|item| item.is_on(way, id) && item.is_closed() && item.delivery.at < at)
        {
            return;
        }
        self.pending.send(at, at, way, id, what);
    }

    /// The socket shall be given something so early that it is there by `arrives`.
    fn put_out(&mut self, now: Instant, arrives: Instant, id: u16, what: Arrival) {
        let early = Instant::from_us(arrives.as_us().saturating_sub(self.hop.as_us()));
        self.pending.send(now, early.max(now), self.way, id, what);
    }

    pub(super) fn handle_open(&mut self, now: Instant, id: u16, listening: bool, fate: Option<&Fate>) {
        let refused =
            !listening || matches!(fate, Some(Fate::Refuse | Fate::Reset { .. } | Fate::Fin { .. }));
        let connect_by = now + self.config.connect_timeout;
        let (reach, back) = self.draws.connect(&self.config);
        let there = (now + delay_of(fate)).max(self.down_until) + reach;
        self.conns.retain(|conn| conn.id != id);
        self.pending.retain(|item| item.delivery.conn != id);
        let request = Some(Request { reach, there, back, opens_at: there + back, connect_by });
        self.conns.push(Conn { request, ..Conn::new(id, now) });
        self.tell(connect_by, id, Arrival::Closed(Closing::TimedOut));
        if matches!(fate, Some(Fate::HalfOpen)) {
            self.go_dead(now, id);
        } else if refused {
            self.tell(there + back, id, Arrival::Closed(Closing::Refused));
        } else if there + back <= connect_by {
            self.put_out(now, there, id, Arrival::Opened);
            self.be_patient(id);
        }
    }

    /// An answer that would be back just in time does not come too late because the network takes some time of its own.
    fn be_patient(&mut self, id: u16) {
        let Some(Request { opens_at, connect_by, .. }) = self.conn(id).and_then(|conn| conn.request) else {
            return;
        };
        let by = opens_at + self.hop * 3;
        if opens_at <= connect_by && by > connect_by {
            let way = self.way.back();
            self.pending.retain(|item| !item.is_on(way, id) || !item.is_closed());
            self.tell(by, id, Arrival::Closed(Closing::TimedOut));
        }
    }

    /// How long before its arrival a request has to be repeated once the listener has come back.
    pub(super) fn reach(&self, id: u16) -> Span {
        let request = self.conns.iter().find(|conn| conn.id == id).and_then(|conn| conn.request);
        request.map_or(Span::ZERO, |request| request.reach - self.hop)
    }

    /// Takes what a socket tells.
    pub(super) fn handle_incoming(&mut self, now: Instant, id: u16, what: Incoming) {
        if what == Incoming::Accepted {
            self.conns.retain(|conn| conn.id != id);
            self.pending.retain(|item| item.delivery.conn != id);
            self.conns.push(Conn::new(id, now));
            self.tell(now, id, Arrival::Opened);
            return;
        }
        let hop = self.hop;
        let Some(conn) = self.conn(id).filter(|conn| !conn.gone && !conn.dead) else { return };
        let hears_at = now.max(conn.hears_from);
        match what {
            Incoming::Accepted => {}
            Incoming::Connected => {
                let Some(Request { there, back, opens_at, .. }) = conn.request.take() else { return };
                let prompt = now <= there + hop + hop;
                let opens_at = if prompt { now.max(opens_at) } else { now + back };
                conn.hears_from = opens_at;
                conn.floor = opens_at;
                self.pending.retain(|item| item.delivery.conn != id || !item.is_closed());
                self.tell(opens_at, id, Arrival::Opened);
            }
            Incoming::Refused => {
                let Some(Request { opens_at, .. }) = conn.request.take() else { return };
                self.tell(now.max(opens_at), id, Arrival::Closed(Closing::Refused));
            }
            Incoming::Bytes(bytes) => self.tell(hears_at, id, Arrival::Bytes(bytes)),
            Incoming::Closed(why) => self.tell(hears_at, id, Arrival::Closed(why)),
            Incoming::Dead => self.go_dead(now, id),
            Incoming::Broken => {
                let answer = conn.unacked.front().map(|first| first.ack_at).filter(|at| *at > now);
                let at = answer.unwrap_or_else(|| now + (self.draws.reset(&self.config) - self.hop));
                self.tell(at, id, Arrival::Closed(Closing::Reset));
            }
            Incoming::Taken(total) => {
                while let Some(conn) = self.conn(id)
                    && let Some(first) = conn.unacked.front().copied().filter(|first| first.upto <= total)
                {
                    conn.unacked.pop_front();
                    self.tell(now.max(first.ack_at), id, Arrival::Acked(first.len));
                }
            }
        }
    }

    /// A probe of TCP's keep-alive, which a path that is not dead has answered.
    pub(super) fn handle_keep_alive(&mut self, now: Instant, id: u16) {
        let at = now.max(self.down_until) + self.config.latency_max * 2;
        if self.conn(id).is_some_and(|conn| conn.told && !conn.gone && !conn.dead) {
            self.tell(at, id, Arrival::Acked(0));
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
        let at = (now + delay_of(fate)).max(self.down_until) + self.draws.data(&self.config, way);
        let back = self.draws.ack(&self.config, way);
        if matches!(fate, Some(Fate::HalfOpen)) {
            self.go_dead(now, id);
        }
        let Some(conn) = self.conn(id) else { return };
        let at = at.max(conn.floor);
        conn.floor = at;
        let len = bytes.len();
        conn.sent += len as u64;
        conn.unacked.push_back(Unacked { since: now, ack_at: at + back, len, upto: conn.sent });
        if !conn.dead && !conn.shut {
            self.send(now, (at, at + back), id, bytes, fate);
        }
    }

    fn send(
        &mut self,
        now: Instant,
        (at, ack): (Instant, Instant),
        id: u16,
        bytes: Vec<u8>,
        fate: Option<&Fate>,
    ) {
        let Some(conn) = self.conn(id) else { return };
        let joining = conn.joining.take();
        let mut last = at;
        match fate {
            Some(Fate::Split { at: place, gap }) => {
                let (head, tail) = cut_at(bytes, *place);
                self.piece(now, at, id, head);
                last = at + *gap;
                self.piece(now, last, id, tail);
            }
            Some(Fate::Fin { at: place } | Fate::Reset { at: place }) => {
                let why = if matches!(fate, Some(Fate::Fin { .. })) { Closing::Fin } else { Closing::Reset };
                conn.shut = true;
                conn.unacked.clear();
                self.piece(now, at, id, cut_at(bytes, *place).0);
                self.put_out(now, at, id, Arrival::Closed(why));
                self.tell(ack, id, Arrival::Closed(why));
                return;
            }
            _ => self.piece(now, at, id, bytes),
        }
        if let Some(conn) = self.conn(id) {
            conn.floor = last;
            if let Some(out) = conn.unacked.back_mut() {
                out.ack_at = ack + last.since(at);
            }
            conn.joining = if matches!(fate, Some(Fate::Join { .. })) {
                Some(at)
            } else {
                joining.filter(|then| *then == at)
            };
        }
    }

    /// One piece for the socket; what is given to it at one time arrives as one piece.
    fn piece(&mut self, now: Instant, at: Instant, id: u16, bytes: Vec<u8>) {
        if !bytes.is_empty() {
            self.put_out(now, at, id, Arrival::Bytes(bytes));
        }
    }

    pub(super) fn handle_close(&mut self, now: Instant, way: Way, id: u16, how: Close, fate: Option<&Fate>) {
        if !self.holds(way, id) {
            return;
        }
        let at = (now + delay_of(fate)).max(self.down_until) + self.draws.data(&self.config, way);
        if matches!(fate, Some(Fate::HalfOpen)) {
            self.go_dead(now, id);
        }
        self.pending.retain(|item| !item.is_on(way.back(), id));
        let Some(conn) = self.conn(id) else { return };
        conn.gone = true;
        let at = at.max(conn.floor);
        let (asked, quiet) = (conn.request.take(), conn.dead || conn.shut);
        if asked.is_some_and(|request| now < request.there) {
            // The listener has not heard of it, and never will.
            self.forget_request(now, id);
        } else if !quiet {
            let reset = how == Close::Reset || matches!(fate, Some(Fate::Reset { .. }));
            let why = if reset { Closing::Reset } else { Closing::Fin };
            if reset && now < self.down_until {
                self.pending.retain(|item| !item.is_on(way, id) || !item.is_bytes());
            }
            self.put_out(now, at, id, Arrival::Closed(why));
        }
        self.sweep();
    }

    /// Takes back a request that nobody has answered yet.
    fn forget_request(&mut self, now: Instant, id: u16) {
        self.pending.retain(|item| item.delivery.conn != id);
        self.put_out(now, now, id, Arrival::Closed(Closing::TimedOut));
    }

    /// The party's stack is gone with its power: the far end is not told. What had left goes on.
    pub(super) fn handle_end_lost(&mut self, now: Instant) {
        self.powered = false;
        let way = self.way;
        for id in self.ids() {
            self.pending.retain(|item| !item.is_on(way.back(), id));
            let Some(conn) = self.conn(id).filter(|conn| !conn.gone) else { continue };
            conn.gone = true;
            if conn.request.is_some() {
                self.forget_request(now, id);
            } else if !conn.dead {
                self.put_out(now, now, id, Arrival::Abandoned);
            }
        }
        self.sweep();
    }

    pub(super) fn handle_end_back(&mut self) {
        self.powered = true;
    }

    pub(super) fn handle_outage(&mut self, now: Instant, span: Span) {
        self.down_until = self.down_until.max(now + span);
        let (way, until) = (self.way, self.down_until);
        self.pending.hold_until(now, until);
        for conn in &mut self.conns {
            conn.floor = conn.floor.max(until);
            conn.unacked.iter_mut().for_each(|out| out.ack_at = out.ack_at.max(until));
            if let Some(request) = &mut conn.request {
                request.there = request.there.max(until);
                request.opens_at = request.opens_at.max(until);
            }
        }
        for id in self.ids() {
            let Some(request) = self.conn(id).and_then(|conn| conn.request) else { continue };
            if request.opens_at > request.connect_by {
                self.pending.retain(|item| !item.is_on(way, id));
                self.put_out(now, now, id, Arrival::Closed(Closing::TimedOut));
            }
            self.be_patient(id);
        }
    }

    pub(super) fn handle_half_open(&mut self, now: Instant) {
        for id in self.ids() {
            self.go_dead(now, id);
        }
    }

    /// Nothing passes any more. Only a stack that waits for an answer will notice, when its patience ends.
    fn go_dead(&mut self, now: Instant, id: u16) {
        let Some(conn) = self.conn(id).filter(|conn| !conn.dead) else { return };
        conn.dead = true;
        self.pending.retain(|item| item.delivery.conn != id || item.is_local());
        self.put_out(now, now, id, Arrival::Closed(Closing::TimedOut));
    }

    pub(super) fn handle_evicted(&mut self, now: Instant, id: u16) {
        let at = now.max(self.down_until) + self.draws.reset(&self.config);
        let Some(dead) = self.conn(id).map(|conn| conn.dead) else { return };
        self.tell(now, id, Arrival::Closed(Closing::Reset));
        if !dead {
            self.put_out(now, at, id, Arrival::Closed(Closing::Reset));
        }
    }

    #[cfg(test)]
    pub(super) fn conns_len(&self) -> usize {
        self.conns.len()
    }

    pub(super) fn digest(&self, into: &mut Digest) {
        self.pending.digest(into);
        into.instant(self.down_until).flag(self.powered).word(self.way.index() as u64);
        self.draws.digest(&self.config, into);
        into.word(self.conns.len() as u64);
        for conn in &self.conns {
            into.word(u64::from(conn.id)).flag(conn.told).flag(conn.gone).flag(conn.dead).flag(conn.shut);
            into.instant(conn.floor).instant(conn.hears_from).deadline(conn.joining);
            if let Some(Request { reach, there, back, opens_at, connect_by }) = conn.request {
                into.word(reach.as_us())
                    .instant(there)
                    .instant(opens_at)
                    .word(back.as_us())
                    .instant(connect_by);
            }
            for out in &conn.unacked {
                into.age(out.since).instant(out.ack_at).word(out.len as u64);
            }
        }
    }
}

impl Conn {
    fn new(id: u16, now: Instant) -> Self {
        Self {
            id,
            request: None,
            told: false,
            gone: false,
            dead: false,
            shut: false,
            floor: now,
            hears_from: now,
            joining: None,
            sent: 0,
            unacked: VecDeque::new(),
        }
    }
}
