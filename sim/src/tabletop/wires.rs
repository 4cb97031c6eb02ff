//! What crosses the links: units on their way out of a party, and the connections that they belong to.

use super::layout::{Admits, EndSpec, LineSpec};
use super::routes::Route;
use super::{Family, Request, Scanner, SiteKind, Tabletop, Unit, line_id};
use crate::digest::Digest;
use crate::fault::{LinkKind, Moment, Way};
use crate::link::Link;
use crate::machine::{Close, Port};
use crate::tape::Seen;
use crate::time::{Instant, Span};

/// The most bytes that wait for the rest of a unit; more are passed on as they are.
const HELD_MAX: usize = 256 * 1024;

/// What bytes are called that no scanner names.
const UNNAMED: &str = "unnamed";

/// A link on the bench.
#[derive(Clone)]
pub(super) struct Line<F: Family> {
    pub(super) name: String,
    pub(super) link: Link,
    pub(super) ends: [EndSpec; 2],
    pub(super) outside: [bool; 2],
    /// The scanners of a party that has just been switched on.
    fresh: Box<[F::Scanner; 2]>,
    feeds: [Feed<F>; 2],
    conns: Vec<Conn<F>>,
    last_id: u16,
    /// When the first of the feeds has waited long enough.
    flush_at: Option<Instant>,
}

/// What one party sends over one link or connection, cut into units.
#[derive(Clone)]
struct Feed<F: Family> {
    scanner: F::Scanner,
    /// Bytes that are not yet a whole unit.
    held: Vec<u8>,
    /// When the first of them left the party.
    since: Instant,
    flush_at: Option<Instant>,
    /// What the last of them descends from.
    cause: u32,
}

/// A connection: its ports at both ends, and what is being sent over it.
#[derive(Clone)]
struct Conn<F: Family> {
    id: u16,
    ports: [Port; 2],
    feeds: [Feed<F>; 2],
}

/// A unit that leaves a party.
struct Leaving {
    route: Route,
    conn: u16,
    name: &'static str,
    bytes: Vec<u8>,
    /// When: earlier than now if it was held back.
    at: Instant,
}

impl<F: Family> Feed<F> {
    fn new(scanner: F::Scanner) -> Self {
        Self { scanner, held: Vec::new(), since: Instant::ZERO, flush_at: None, cause: 0 }
    }

    fn digest(&self, into: &mut Digest) {
        self.scanner.digest(into);
        into.bytes(&self.held).deadline(self.flush_at);
        if !self.held.is_empty() {
            into.age(self.since);
        }
    }
}

impl<F: Family> Line<F> {
    pub(super) fn new(spec: LineSpec<F>) -> Self {
        let LineSpec { name, link, scanners, ends, outside } = spec;
        Self {
            name,
            link,
            ends,
            outside,
            feeds: scanners.clone().map(Feed::new),
            fresh: Box::new(scanners),
            conns: Vec::new(),
            last_id: 0,
            flush_at: None,
        }
    }

    pub(super) fn next_at(&self) -> Option<Instant> {
        match (self.link.poll_timeout(), self.flush_at) {
            (Some(arrives), Some(flush)) => Some(arrives.min(flush)),
            (arrives, flush) => arrives.or(flush),
        }
    }

    fn is_stream(&self) -> bool {
        self.link.kind() == LinkKind::Stream
    }

    /// The connection that a port names at the near end of `way`; 0 where there are none.
    fn conn_at(&self, way: Way, port: Port) -> Option<u16> {
        if !self.is_stream() {
            return Some(0);
        }
        let named = |conn: &&Conn<F>| conn.ports[way.index()] == port && self.link.holds(way, conn.id);
        self.conns.iter().rev().find(named).map(|conn| conn.id)
    }

    /// The port that a connection has at the far end of `way`.
    pub(super) fn port_of(&self, way: Way, conn: u16) -> Option<Port> {
        let end = way.back().index();
        if !self.is_stream() {
            return Some(self.ends[end].port);
        }
        self.conns.iter().find(|known| known.id == conn).map(|known| known.ports[end])
    }

    fn feed(&mut self, way: Way, conn: u16) -> Option<&mut Feed<F>> {
        if !self.is_stream() {
            return Some(&mut self.feeds[way.index()]);
        }
        self.conns.iter_mut().find(|known| known.id == conn).map(|known| &mut known.feeds[way.index()])
    }

    fn all_feeds(&self) -> impl Iterator<Item = (Way, u16, &Feed<F>)> {
        let own = Way::BOTH.into_iter().zip(&self.feeds).map(|(way, feed)| (way, 0, feed));
        own.chain(self.conns.iter().flat_map(move |conn| {
            Way::BOTH.into_iter().zip(&conn.feeds).map(move |(way, feed)| (way, conn.id, feed))
        }))
    }

    /// Which feed has waited long enough by now.
    pub(super) fn due_feed(&self, now: Instant) -> Option<(Way, u16)> {
        if self.flush_at.is_none_or(|at| at > now) {
            return None;
        }
        self.all_feeds()
            .find(|(_, _, feed)| feed.flush_at.is_some_and(|at| at <= now))
            .map(|(way, conn, _)| (way, conn))
    }

    fn note_flush(&mut self) {
        self.flush_at = self.all_feeds().filter_map(|(_, _, feed)| feed.flush_at).min();
    }

    /// The feeds of one end that hold something.
    pub(super) fn holding(&self, way: Way) -> Vec<u16> {
        let holds = |(at, _, feed): &(Way, u16, &Feed<F>)| *at == way && !feed.held.is_empty();
        self.all_feeds().filter(holds).map(|(_, conn, _)| conn).collect()
    }

    /// The party at the near end of `way` starts anew.
    pub(super) fn refresh_feeds(&mut self, way: Way) {
        self.feeds[way.index()] = Feed::new(self.fresh[way.index()].clone());
        self.sweep();
    }

    /// A connection from outside takes a port of the listener here.
    pub(super) fn accept(&mut self, now: Instant, id: u16) {
        let far = self.far_port(now, id);
        let feeds = (*self.fresh).clone().map(Feed::new);
        self.conns.retain(|conn| conn.id != id);
        self.conns.push(Conn { id, ports: [self.ends[0].port, far], feeds });
    }

    /// Forgets the connections of which neither end knows.
    pub(super) fn sweep(&mut self) {
        let link = &self.link;
        self.conns.retain(|conn| link.knows(conn.id));
        self.note_flush();
    }

    /// A number that names no connection here.
    fn next_id(&mut self) -> u16 {
        loop {
            self.last_id = self.last_id.wrapping_add(1).max(1);
            if !self.link.knows(self.last_id) {
                return self.last_id;
            }
        }
    }

    /// A free port of the listener for a connection, counting up and around from its number; if there is none, the
    /// oldest connection loses its own.
    fn far_port(&mut self, now: Instant, id: u16) -> Port {
        let EndSpec { port: Port(first), ports, .. } = self.ends[Way::BtoA.index()];
        let ports = ports.max(1);
        let taken = |port: Port| {
            let holds = |conn: &Conn<F>| conn.ports[1] == port && self.link.holds(Way::BtoA, conn.id);
            self.conns.iter().any(holds)
        };
        let around = |step: u16| (u32::from(id.saturating_sub(1)) + u32::from(step)) % u32::from(ports);
        let at = |place: u32| Port(first.wrapping_add(u16::try_from(place).unwrap_or(0)));
        if let Some(place) = (0..ports).map(around).find(|place| !taken(at(*place))) {
            return at(place);
        }
        let oldest = self.conns.iter().find(|conn| self.link.holds(Way::BtoA, conn.id));
        let Some((id, port)) = oldest.map(|conn| (conn.id, conn.ports[1])) else { return Port(first) };
        self.link.handle_evicted(now, id);
        port
    }

    #[cfg(test)]
    pub(super) fn sizes(&self) -> (usize, usize) {
        let held = self.all_feeds().map(|(_, _, feed)| feed.held.len()).sum();
        (self.conns.len(), held)
    }

    pub(super) fn digest(&self, into: &mut Digest) {
        self.link.digest(into);
        // A card in its field is at the end of its link for as long as it is there.
        into.word(self.ends[1].seat.map_or(u64::MAX, |seat| u64::from(seat.0)));
        let EndSpec { ports, .. } = self.ends[1];
        into.word(u64::from(self.last_id % ports.max(1))).word(self.conns.len() as u64);
        for conn in &self.conns {
            into.word(u64::from(conn.id)).word(u64::from(conn.ports[0].0)).word(u64::from(conn.ports[1].0));
        }
        for (_, _, feed) in self.all_feeds() {
            feed.digest(into);
        }
    }
}

impl<F: Family> Tabletop<F> {
    pub(super) fn transmit(&mut self, index: usize, port: Port, bytes: Vec<u8>) {
        if port == Port::BROADCAST {
            for at in 0..self.seats[index].routes.len() {
                let route = self.seats[index].routes[at];
                if self.lines[route.line].link.kind() == LinkKind::Datagram && self.seats[index].is_on() {
                    self.packet(index, route, bytes.clone());
                }
            }
            return;
        }
        let Some(route) = self.seats[index].routes.of(port) else { return };
        match self.lines[route.line].link.kind() {
            LinkKind::Datagram | LinkKind::Air => self.packet(index, route, bytes),
            LinkKind::Serial => self.pour(index, route, 0, bytes),
            LinkKind::Stream => {
                let line = &self.lines[route.line];
                let open = line.conn_at(route.way, port).filter(|id| line.link.is_open(route.way, *id));
                match open {
                    Some(conn) if bytes.is_empty() => {
                        let now = self.now;
                        self.link_now(route.line).handle_keep_alive(now, route.way, conn);
                    }
                    Some(conn) => self.pour(index, route, conn, bytes),
                    None => {}
                }
            }
            LinkKind::Pin => {}
        }
    }

    /// A packet or a burst on the air is a unit as it is, whatever it contains; its first part names it.
    fn packet(&mut self, index: usize, route: Route, bytes: Vec<u8>) {
        let scanner = &mut self.lines[route.line].feeds[route.way.index()].scanner;
        scanner.push(&bytes);
        let first = scanner.poll();
        let mut rest = bytes.len();
        while rest > 0 && scanner.poll().is_some() {
            rest -= 1;
        }
        let name = first.or(scanner.flush()).map_or(UNNAMED, |unit| unit.name);
        scanner.flush();
        self.send_unit(index, Leaving { route, conn: 0, name, bytes, at: self.now });
    }

    /// Bytes of a stream leave as whole units; the beginning of one waits for its rest.
    fn pour(&mut self, index: usize, route: Route, conn: u16, bytes: Vec<u8>) {
        let Route { line, way, .. } = route;
        let (now, quiet, cause) = (self.now, self.quiet, self.traced());
        let Some(feed) = self.lines[line].feed(way, conn) else { return };
        feed.cause = cause;
        feed.scanner.push(&bytes);
        let mut rest = std::mem::take(&mut feed.held);
        if rest.is_empty() {
            feed.since = now;
            rest = bytes;
        } else {
            rest.extend_from_slice(&bytes);
        }
        while let Some(unit) = self.lines[line].feed(way, conn).and_then(|feed| feed.scanner.poll()) {
            let Unit { len, name } = unit;
            if len == 0 {
                break;
            }
            let tail = rest.split_off(len.min(rest.len()));
            let bytes = std::mem::replace(&mut rest, tail);
            self.send_unit(index, Leaving { route, conn, name, bytes, at: now });
            if !self.seats[index].is_on() {
                return;
            }
            if let Some(feed) = self.lines[line].feed(way, conn) {
                feed.since = now;
            }
        }
        let wired = &mut self.lines[line];
        let Some(feed) = wired.feed(way, conn) else { return };
        let waited = feed.flush_at.is_some();
        feed.flush_at = (!rest.is_empty()).then(|| now + quiet);
        let (waits, full) = (feed.flush_at.is_some(), rest.len() > HELD_MAX);
        feed.held = rest;
        if waited || waits {
            wired.note_flush();
        }
        if full {
            self.flush(line, way, conn, now);
        }
    }

    /// The rest of a unit does not come: what is held leaves as it is, as if it had left the party at `at`.
    pub(super) fn flush(&mut self, index: usize, way: Way, conn: u16, at: Instant) {
        let line = &mut self.lines[index];
        let Some(feed) = line.feed(way, conn) else { return };
        feed.flush_at = None;
        let bytes = std::mem::take(&mut feed.held);
        let name = feed.scanner.flush().map_or(UNNAMED, |unit| unit.name);
        line.note_flush();
        let EndSpec { seat, port, ports, .. } = line.ends[way.index()];
        let Some(seat) = seat.filter(|_| !bytes.is_empty()) else { return };
        let route = Route { first: port.0, count: ports, line: index, way };
        self.send_unit(usize::from(seat.0), Leaving { route, conn, name, bytes, at });
    }

    /// What is held descends from what its sender did last.
    pub(super) fn trace_flush(&mut self, index: usize, way: Way, conn: u16) {
        let cause = self.lines[index].feed(way, conn).map_or(0, |feed| feed.cause);
        self.trace_back(cause);
    }

    /// What a party has sent of a unit has left it before its power goes.
    pub(super) fn flush_end(&mut self, index: usize, way: Way) {
        for conn in self.lines[index].holding(way) {
            let since = self.lines[index].feed(way, conn).map_or(self.now, |feed| feed.since);
            self.flush(index, way, conn, since);
        }
    }

    fn send_unit(&mut self, sender: usize, leaving: Leaving) {
        let Leaving { route: Route { line, way, .. }, conn, name, bytes, at } = leaving;
        let link = &self.lines[line].link;
        let kind = SiteKind::Unit { link: link.kind(), len: u32::try_from(bytes.len()).unwrap_or(u32::MAX) };
        let start = link.starts_at(at, way);
        let (nth, struck) = self.visit(self.seats.len() + line, Some(way), name, None, self.now, kind);
        self.befall_at(&struck, Moment::Before, self.now);
        if !self.seats[sender].is_on() {
            return;
        }
        let fate = self.fate_of(&struck);
        let entry = Seen::Sent { line: line_id(line), way, conn, name, nth, bytes: bytes.clone() };
        self.tape.push(self.now, entry);
        let at_bytes = self.visit_bytes(self.seats.len() + line, way, bytes.len());
        let (len, mut bytes) = (bytes.len(), bytes);
        if self.lines[line].is_stream() && fate.is_none() {
            let Some(rest) = self.send_to_bytes(sender, &at_bytes, line, way, conn, bytes) else { return };
            bytes = rest;
        }
        self.link_now(line).handle_bytes(at, way, conn, bytes, fate.as_ref());
        self.befall_at_bytes(&at_bytes, line, way, (start, at), len);
        if !struck.is_empty() {
            let end = self.lines[line].link.sent_at(at, way);
            let midway = start + Span::us(end.since(start).as_us() / 2);
            self.befall_at(&struck, Moment::Midway, midway);
            self.befall_at(&struck, Moment::After, end);
        }
    }

    /// A stream takes bytes at once: of a transmission with planned moments in it, so much leaves before each; returns
    /// what is left, and nothing when the sender does not survive them.
    fn send_to_bytes(
        &mut self,
        sender: usize,
        struck: &[(usize, u32)],
        line: usize,
        way: Way,
        conn: u16,
        mut bytes: Vec<u8>,
    ) -> Option<Vec<u8>> {
        let mut gone = 0;
        for (number, byte) in struck {
            let passes = *byte as usize + usize::from(self.passes_first(*number));
            let rest = bytes.split_off(passes.saturating_sub(gone).min(bytes.len()));
            let part = std::mem::replace(&mut bytes, rest);
            gone += part.len();
            if !part.is_empty() {
                let now = self.now;
                self.link_now(line).handle_bytes(now, way, conn, part, None);
            }
            self.befall_now(*number);
            if !self.seats[sender].is_on() {
                return None;
            }
        }
        Some(bytes)
    }

    /// Lets happen what is planned for single bytes of a transmission of this length, each when the line has come so
    /// far; links that take bytes at once have.
    fn befall_at_bytes(
        &mut self,
        struck: &[(usize, u32)],
        line: usize,
        way: Way,
        (start, at): (Instant, Instant),
        len: usize,
    ) {
        let span = self.lines[line].link.sent_at(at, way).since(start).as_us();
        for (number, byte) in struck {
            // In halves of a byte: before it, in its middle, after it.
            for (moment, half) in [(Moment::Before, 0), (Moment::Midway, 1), (Moment::After, 2)] {
                let passed = span * (u64::from(*byte) * 2 + half) / (len as u64 * 2);
                self.befall_at(&[*number], moment, start + Span::us(passed));
            }
        }
    }

    /// Opens a connection from end A of a path. A port that names one already lets go of it with a reset.
    pub(super) fn open(&mut self, index: usize, port: Port, to: std::net::SocketAddrV4) {
        let Some(Route { line, way: Way::AtoB, .. }) = self.seats[index].routes.of(port) else { return };
        if !self.lines[line].is_stream() {
            return;
        }
        let Some(struck) = self.signal(index, line, Way::AtoB, "connect") else { return };
        let fate = self.fate_of(&struck);
        let now = self.now;
        if let Some(old) = self.lines[line].conn_at(Way::AtoB, port) {
            self.link_now(line).handle_close(now, Way::AtoB, old, Close::Reset, None);
            self.lines[line].sweep();
        }
        self.link_now(line);
        let wired = &mut self.lines[line];
        let id = wired.next_id();
        let far = wired.far_port(now, id);
        let feeds = (*wired.fresh).clone().map(Feed::new);
        wired.conns.push(Conn { id, ports: [port, far], feeds });
        let end = &wired.ends[Way::BtoA.index()];
        let listening = end.admits == Admits::All || end.listens == Some(to);
        if end.admits == Admits::Asked && fate.is_none() {
            wired.link.handle_asked(now, id);
            self.requests.push(Request { line: line_id(line), conn: id, to });
        } else {
            wired.link.handle_open(now, id, listening || end.admits == Admits::Asked, fate.as_ref());
        }
        self.befall_after_signal(&struck);
    }

    pub(super) fn close(&mut self, index: usize, port: Port, how: Close) {
        let Some(Route { line, way, .. }) = self.seats[index].routes.of(port) else { return };
        let Some(conn) = self.lines[line].conn_at(way, port).filter(|conn| *conn > 0) else { return };
        // What was sent before goes before.
        self.flush(line, way, conn, self.now);
        if !self.seats[index].is_on() {
            return;
        }
        let Some(struck) = self.signal(index, line, way, "close") else { return };
        let fate = self.fate_of(&struck);
        let now = self.now;
        self.link_now(line).handle_close(now, way, conn, how, fate.as_ref());
        self.trace_lost(line);
        self.lines[line].sweep();
        self.befall_after_signal(&struck);
    }

    pub(super) fn level(&mut self, index: usize, port: Port, high: bool) {
        let Some(Route { line, way, .. }) = self.seats[index].routes.of(port) else { return };
        let name = if high { "high" } else { "low" };
        let Some(struck) = self.signal(index, line, way, name) else { return };
        let fate = self.fate_of(&struck);
        let now = self.now;
        self.link_now(line).handle_level(now, way, high, fate.as_ref());
        self.befall_after_signal(&struck);
    }

    /// Counts a signal and lets strikes before it happen; `None` when its sender does not survive them.
    fn signal(&mut self, index: usize, line: usize, way: Way, name: &'static str) -> Option<Vec<usize>> {
        let kind = SiteKind::Signal { link: self.lines[line].link.kind() };
        let (_, struck) = self.visit(self.seats.len() + line, Some(way), name, None, self.now, kind);
        self.befall_at(&struck, Moment::Before, self.now);
        self.seats[index].is_on().then_some(struck)
    }

    fn befall_after_signal(&mut self, struck: &[usize]) {
        self.befall_at(struck, Moment::Midway, self.now);
        self.befall_at(struck, Moment::After, self.now);
    }
}
