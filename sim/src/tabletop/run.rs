//! One step after the other.

use super::layout::{EndSpec, LineSpec};
use super::seat::{Given, Route};
use super::{Export, Family, Scanner, SiteKind, Tabletop, Unit};
use crate::digest::Digest;
use crate::fault::{LinkKind, Mishap, Moment, Way};
use crate::link::{Arrival, Delivery, Link};
use crate::machine::{Board, Close, Input, Machine, Output, Port, StoreStep, Torn};
use crate::tape::{LineId, SeatId, Seen};
use crate::time::{Instant, Span};

/// A link on the bench.
#[derive(Clone)]
pub(super) struct Line<F: Family> {
    pub(super) name: String,
    pub(super) link: Link,
    pub(super) ends: [EndSpec; 2],
    scanners: [F::Scanner; 2],
    held: [Vec<u8>; 2],
    flush_at: [Option<Instant>; 2],
    conns: Vec<Conn>,
    conns_ever: u16,
    external: bool,
}

/// The ports that name a connection at its two ends.
#[derive(Clone, Copy, Debug)]
struct Conn {
    id: u16,
    ports: [Port; 2],
}

/// Something planned for a time.
#[derive(Clone, Debug)]
pub(super) struct Act {
    pub(super) at: Instant,
    pub(super) deed: Deed,
}

#[derive(Clone, Debug)]
pub(super) enum Deed {
    Happen(Mishap),
    Restore(usize),
    Reboot(usize),
}

impl Act {
    pub(super) fn digest(&self, into: &mut Digest) {
        into.instant(self.at);
        match &self.deed {
            Deed::Happen(mishap) => into.word(0).text(&mishap.to_string()),
            Deed::Restore(supply) => into.word(1).word(*supply as u64),
            Deed::Reboot(seat) => into.word(2).word(*seat as u64),
        };
    }
}

impl<F: Family> Line<F> {
    pub(super) fn new(spec: LineSpec<F>) -> Self {
        let LineSpec { name, link, scanners, ends, external } = spec;
        Self {
            name,
            link,
            ends,
            scanners,
            held: [Vec::new(), Vec::new()],
            flush_at: [None, None],
            conns: Vec::new(),
            conns_ever: 0,
            external,
        }
    }

    fn next_at(&self) -> Option<Instant> {
        let flush = self.flush_at.iter().flatten().copied().min();
        match (self.link.poll_timeout(), flush) {
            (Some(arrives), Some(flush)) => Some(arrives.min(flush)),
            (arrives, flush) => arrives.or(flush),
        }
    }

    /// The connection that a port names at the near end of `way`.
    fn conn_at(&self, way: Way, port: Port) -> Option<u16> {
        let end = way.index();
        self.conns.iter().rev().find(|conn| conn.ports[end] == port).map(|conn| conn.id)
    }

    fn port_of(&self, way: Way, conn: u16) -> Port {
        let end = way.back().index();
        let found = self.conns.iter().find(|known| known.id == conn);
        found.map_or(self.ends[end].port, |known| known.ports[end])
    }
}

/// What is due at an instant, in the order in which it is done.
enum Due {
    Act(usize),
    Line(usize),
    Seat(usize),
}

impl<F: Family> Tabletop<F> {
    pub(super) fn wire_up(&mut self) {
        for (at, line) in self.lines.iter().enumerate() {
            for way in Way::BOTH {
                let end = &line.ends[way.index()];
                let Some(seat) = end.seat else { continue };
                let route = Route { first: end.port.0, count: end.ports, line: at, way };
                self.seats[usize::from(seat.0)].routes.push(route);
            }
        }
    }

    /// When anything happens next.
    pub fn next_at(&self) -> Option<Instant> {
        self.next_due().map(|(at, _)| at)
    }

    fn next_due(&self) -> Option<(Instant, Due)> {
        let mut next: Option<(Instant, Due)> = None;
        let sooner =
            |at: Instant, next: &Option<(Instant, Due)>| next.as_ref().is_none_or(|(best, _)| at < *best);
        for (index, act) in self.acts.iter().enumerate() {
            if sooner(act.at, &next) {
                next = Some((act.at, Due::Act(index)));
            }
        }
        for (index, line) in self.lines.iter().enumerate() {
            if let Some(at) = line.next_at()
                && sooner(at, &next)
            {
                next = Some((at, Due::Line(index)));
            }
        }
        for (index, due) in self.due.iter().enumerate() {
            if let Some(at) = *due
                && sooner(at, &next)
            {
                next = Some((at, Due::Seat(index)));
            }
        }
        next
    }

    /// Does the next thing that is due at or before `until`. Returns whether there was one; if not, the time is now
    /// `until`.
    pub fn step(&mut self, until: Instant) -> bool {
        match self.next_due() {
            Some((at, due)) if at <= until => {
                self.now = self.now.max(at);
                match due {
                    Due::Act(index) => self.perform(index),
                    Due::Line(index) => self.arrive(index),
                    Due::Seat(index) => self.wake(index),
                }
                true
            }
            _ => {
                self.now = self.now.max(until);
                false
            }
        }
    }

    /// Runs until `until` and no further.
    pub fn run_until(&mut self, until: Instant) {
        while self.step(until) {}
    }

    pub(super) fn schedule(&mut self, act: Act) {
        self.acts.push(act);
    }

    fn perform(&mut self, index: usize) {
        let Act { deed, .. } = self.acts.remove(index);
        match deed {
            Deed::Happen(mishap) => self.happen(mishap),
            Deed::Restore(supply) => self.restore_supply(supply),
            Deed::Reboot(seat) => self.reboot(seat),
        }
    }

    /// Something reaches the end of a link, or a link has waited long enough for the rest of a unit.
    fn arrive(&mut self, index: usize) {
        for way in Way::BOTH {
            if self.lines[index].flush_at[way.index()].is_some_and(|at| at <= self.now) {
                self.flush(index, way);
                return;
            }
        }
        let Some(delivery) = self.lines[index].link.poll_delivery(self.now) else { return };
        if self.lines[index].external {
            if let Arrival::Bytes(bytes) = delivery.what {
                self.exports.push(Export { line: line_id(index), way: delivery.way, bytes });
            }
            return;
        }
        self.deliver(index, delivery);
    }

    /// The kind of a link that leads out of the bench; `None` for one that stays inside or does not exist.
    pub fn leads_out(&self, line: LineId) -> Option<LinkKind> {
        let line = self.lines.get(usize::from(line.0))?;
        line.external.then(|| line.link.kind())
    }

    /// Hands over what has come in from outside, on a link that leads out of the bench.
    pub fn import(&mut self, line: LineId, way: Way, bytes: Vec<u8>) {
        self.deliver(
            usize::from(line.0),
            Delivery { at: self.now, way, conn: 0, what: Arrival::Bytes(bytes) },
        );
    }

    fn deliver(&mut self, index: usize, delivery: Delivery) {
        let Delivery { way, conn, what, .. } = delivery;
        let line = &mut self.lines[index];
        let id = line_id(index);
        let end = line.ends[way.back().index()];
        let port = line.port_of(way, conn);
        let powered = end.seat.is_some_and(|seat| self.seats[usize::from(seat.0)].unpowered == 0);
        let given = match what {
            Arrival::Bytes(bytes) => {
                if powered {
                    self.tape.push(self.now, Seen::Heard { line: id, way, conn, bytes: bytes.clone() });
                }
                Given::Received { port, bytes }
            }
            Arrival::Opened => {
                self.tape.push(self.now, Seen::Opened { line: id, way, conn });
                let from = match way {
                    Way::AtoB => end.listens,
                    Way::BtoA => None,
                };
                Given::Opened { port, from }
            }
            Arrival::Closed(why) => {
                self.tape.push(self.now, Seen::Closed { line: id, way, conn, why });
                Given::Closed { port, why }
            }
            Arrival::Acked(len) => Given::Acked { port, len },
            Arrival::Level(high) => {
                self.tape.push(self.now, Seen::Level { line: id, way, high });
                Given::Level { port, high }
            }
        };
        if let Some(seat) = end.seat {
            self.give(usize::from(seat.0), given);
        }
    }

    /// Gives a party one input, or lets it wait while the party is busy. A party without power gets nothing.
    pub(super) fn give(&mut self, index: usize, given: Given<F::Stimulus>) {
        let seat = &mut self.seats[index];
        if seat.unpowered > 0 {
            return;
        }
        if !seat.inbox.is_empty() || seat.busy_until(self.now).is_some() {
            if seat.inbox.len() >= self.inbox_max {
                self.tape.push(self.now, Seen::Overrun { seat: seat_id(index) });
            } else {
                seat.inbox.push_back(given);
            }
            self.refresh(index);
            return;
        }
        self.hand_over(index, given);
    }

    fn hand_over(&mut self, index: usize, given: Given<F::Stimulus>) {
        let clocks = self.seats[index].clocks(self.now, self.epoch);
        self.seats[index].handle(clocks, given);
        self.drain(index);
    }

    /// A party's own time has come: something leaves it, waits for it, or is due.
    fn wake(&mut self, index: usize) {
        let seat = &mut self.seats[index];
        if seat.outbox.front().is_some_and(|output| output.at.max(seat.hung_until) <= self.now) {
            self.release(index);
            self.refresh(index);
            return;
        }
        if let Some(given) = seat.inbox.pop_front() {
            self.hand_over(index, given);
            return;
        }
        if seat.board.poll_timeout().is_some_and(|at| at <= self.now) {
            if let Some(name) = seat.board.timer_name() {
                let (_, struck) = self.visit(index, None, name, None, self.now, SiteKind::Timer);
                self.befall(&struck, self.now, self.now);
            }
            let seat = &mut self.seats[index];
            if seat.unpowered == 0 && seat.busy_until(self.now).is_none() {
                let clocks = seat.clocks(self.now, self.epoch);
                seat.board.handle_input(clocks, Input::Deadline);
                self.drain(index);
                return;
            }
        }
        self.refresh(index);
    }

    /// After an input: storage steps become sites, outputs wait for their stamps, and what is due leaves.
    fn drain(&mut self, index: usize) {
        while let Some(StoreStep { at, kind, address }) = self.seats[index].board.poll_step() {
            let (_, struck) = self.visit(index, None, kind, Some(address), at, SiteKind::Store);
            if !struck.is_empty() {
                self.befall(&struck, at, at + Span::us(1));
            }
        }
        let seat = &mut self.seats[index];
        while let Some(output) = seat.board.poll_output() {
            seat.outbox.push_back(output);
        }
        self.release(index);
        self.refresh(index);
    }

    /// Lets out everything whose stamp has come.
    fn release(&mut self, index: usize) {
        while let Some(output) = self.seats[index].outbox.front() {
            if output.at.max(self.seats[index].hung_until) > self.now {
                break;
            }
            let Some(output) = self.seats[index].outbox.pop_front() else { break };
            match output.what {
                Output::Transmit { port, bytes } => self.transmit(index, port, bytes),
                Output::Open { port, to } => {
                    if let Some(route) = self.seats[index].route(port) {
                        let listening = self.lines[route.line].ends[1].listens == Some(to);
                        self.open(index, route, port, listening);
                    }
                }
                Output::Close { port, how } => self.close(index, port, how),
                Output::Level { port, high } => self.level(index, port, high),
                Output::Event(event) => {
                    self.tape.push(self.now, Seen::Noted { seat: seat_id(index), event });
                }
            }
        }
    }

    pub(super) fn refresh(&mut self, index: usize) {
        self.due[index] = self.seats[index].next_at(self.now);
    }

    fn transmit(&mut self, index: usize, port: Port, bytes: Vec<u8>) {
        let Some(route) = self.seats[index].route(port) else { return };
        let way = route.way.index();
        let line = &mut self.lines[route.line];
        let stream = matches!(line.link, Link::Stream(_));
        let conn = if stream { line.conn_at(route.way, port) } else { Some(0) };
        let Some(conn) = conn else { return };
        line.scanners[way].push(&bytes);
        let mut rest = if line.held[way].is_empty() {
            bytes
        } else {
            let mut held = std::mem::take(&mut line.held[way]);
            held.extend_from_slice(&bytes);
            held
        };
        while let Some(Unit { len, name }) = self.lines[route.line].scanners[way].poll() {
            let tail = rest.split_off(len.min(rest.len()));
            self.send_unit(index, route, conn, name, std::mem::replace(&mut rest, tail));
            if self.seats[index].unpowered > 0 {
                return;
            }
        }
        let line = &mut self.lines[route.line];
        line.flush_at[way] = if rest.is_empty() { None } else { Some(self.now + self.quiet) };
        line.held[way] = rest;
    }

    fn flush(&mut self, index: usize, way: Way) {
        let line = &mut self.lines[index];
        line.flush_at[way.index()] = None;
        let bytes = std::mem::take(&mut line.held[way.index()]);
        let unit = line.scanners[way.index()].flush();
        let end = line.ends[way.index()];
        let (Some(unit), Some(seat), false) = (unit, end.seat, bytes.is_empty()) else { return };
        let conn = if matches!(line.link, Link::Stream(_)) { line.conn_at(way, end.port) } else { Some(0) };
        let Some(conn) = conn else { return };
        let route = Route { first: end.port.0, count: end.ports, line: index, way };
        self.send_unit(usize::from(seat.0), route, conn, unit.name, bytes);
    }

    fn send_unit(&mut self, sender: usize, route: Route, conn: u16, name: &'static str, bytes: Vec<u8>) {
        let Route { line, way, .. } = route;
        let link = &self.lines[line].link;
        let kind = SiteKind::Unit { link: link.kind(), len: u32::try_from(bytes.len()).unwrap_or(u32::MAX) };
        let start = link.sent_at(self.now, way);
        let (nth, struck) = self.visit(self.seats.len() + line, Some(way), name, None, self.now, kind);
        if struck.is_empty() {
            self.put_on_link(route, conn, name, nth, bytes, &[]);
            return;
        }
        self.befall_before(&struck);
        if self.seats[sender].unpowered > 0 {
            return;
        }
        self.put_on_link(route, conn, name, nth, bytes, &struck);
        let end = self.lines[line].link.sent_at(self.now, way);
        let midway = start + Span::us(end.since(start).as_us() / 2);
        self.befall_later(&struck, midway, end);
    }

    fn put_on_link(
        &mut self,
        route: Route,
        conn: u16,
        name: &'static str,
        nth: u32,
        bytes: Vec<u8>,
        struck: &[usize],
    ) {
        let Route { line, way, .. } = route;
        let entry = Seen::Sent { line: line_id(line), way, conn, name, nth, bytes: bytes.clone() };
        self.tape.push(self.now, entry);
        let fate = self.fate_of(struck);
        self.lines[line].link.handle_bytes(self.now, way, conn, bytes, fate.as_ref());
    }

    fn open(&mut self, index: usize, route: Route, port: Port, listening: bool) {
        let Route { line, way, .. } = route;
        let kind = SiteKind::Signal { link: self.lines[line].link.kind() };
        let (_, struck) = self.visit(self.seats.len() + line, Some(way), "connect", None, self.now, kind);
        self.befall_before(&struck);
        if self.seats[index].unpowered > 0 {
            return;
        }
        let fate = self.fate_of(&struck);
        let listener = self.lines[line].ends[1];
        let wired = &mut self.lines[line];
        wired.conns_ever = wired.conns_ever.wrapping_add(1).max(1);
        let id = wired.conns_ever;
        let far = Port(listener.port.0 + (id - 1) % listener.ports.max(1));
        wired.conns.retain(|conn| conn.ports[1] != far);
        wired.conns.push(Conn { id, ports: [port, far] });
        wired.link.handle_open(self.now, id, listening, fate.as_ref());
        self.befall_later(&struck, self.now, self.now);
    }

    fn close(&mut self, index: usize, port: Port, how: Close) {
        let Some(Route { line, way, .. }) = self.seats[index].route(port) else { return };
        let Some(conn) = self.lines[line].conn_at(way, port) else { return };
        let kind = SiteKind::Signal { link: self.lines[line].link.kind() };
        let (_, struck) = self.visit(self.seats.len() + line, Some(way), "close", None, self.now, kind);
        self.befall_before(&struck);
        if self.seats[index].unpowered > 0 {
            return;
        }
        let fate = self.fate_of(&struck);
        self.lines[line].link.handle_close(self.now, way, conn, how, fate.as_ref());
        self.befall_later(&struck, self.now, self.now);
    }

    fn level(&mut self, index: usize, port: Port, high: bool) {
        let Some(Route { line, way, .. }) = self.seats[index].route(port) else { return };
        let kind = SiteKind::Signal { link: self.lines[line].link.kind() };
        let name = if high { "high" } else { "low" };
        let (_, struck) = self.visit(self.seats.len() + line, Some(way), name, None, self.now, kind);
        self.befall_before(&struck);
        if self.seats[index].unpowered > 0 {
            return;
        }
        let fate = self.fate_of(&struck);
        self.lines[line].link.handle_level(self.now, way, high, fate.as_ref());
        self.befall_later(&struck, self.now, self.now);
    }

    pub(super) fn power_on(&mut self, index: usize) {
        if self.seats[index].unpowered == 0 {
            for at in 0..self.seats[index].routes.len() {
                let route = self.seats[index].routes[at];
                self.lines[route.line].link.handle_end_back(self.now, route.way);
            }
            self.hand_over(index, Given::PowerOn);
            self.tell_presence(index);
        }
    }

    /// One reason less for a party to be without power.
    pub(super) fn reboot(&mut self, index: usize) {
        let seat = &mut self.seats[index];
        seat.unpowered = seat.unpowered.saturating_sub(1);
        self.power_on(index);
    }

    /// A card switch shows a card that was already there when power came.
    fn tell_presence(&mut self, index: usize) {
        for at in 0..self.seats[index].routes.len() {
            let route = self.seats[index].routes[at];
            let ends = self.lines[route.line].ends;
            if let (Way::AtoB, Some(port), Some(_)) = (route.way, ends[0].presence, ends[1].seat) {
                self.give(index, Given::Level { port, high: true });
            }
        }
    }

    /// One reason more for a party to be without power: everything volatile goes.
    pub(super) fn power_off(&mut self, index: usize, torn: Torn) {
        let seat = &mut self.seats[index];
        seat.unpowered += 1;
        if seat.unpowered > 1 {
            return;
        }
        seat.board.cut(self.now, torn);
        while seat.board.poll_step().is_some() {}
        while seat.board.poll_output().is_some() {}
        seat.outbox.clear();
        seat.inbox.clear();
        seat.hung_until = Instant::ZERO;
        for at in 0..self.seats[index].routes.len() {
            let Route { line, way, .. } = self.seats[index].routes[at];
            let wired = &mut self.lines[line];
            wired.held[way.index()].clear();
            wired.flush_at[way.index()] = None;
            wired.scanners[way.index()].flush();
            wired.link.handle_end_lost(self.now, way);
            let card = wired.ends[1].seat;
            if let (Link::Air(_), Way::AtoB, Some(card)) = (&wired.link, way, card) {
                self.lose_field(line, usize::from(card.0), torn);
            }
        }
        self.refresh(index);
    }

    /// The field collapses around a card: what the burst had got to reaches it, then it is without power.
    fn lose_field(&mut self, line: usize, card: usize, torn: Torn) {
        while let Some(delivery) = self.lines[line].link.poll_delivery(self.now) {
            if delivery.way == Way::AtoB {
                self.deliver(line, delivery);
            }
        }
        let seat = &mut self.seats[card];
        seat.board.cut(self.now, torn);
        seat.outbox.clear();
        seat.inbox.clear();
        self.drain(card);
    }

    pub(super) fn plug_in(&mut self, line: usize, card: SeatId) {
        self.pull_out(line, Torn::default());
        let presence = {
            let wired = &mut self.lines[line];
            wired.ends[1].seat = Some(card);
            (wired.ends[0].seat, wired.ends[0].presence)
        };
        let port = self.lines[line].ends[1].port;
        let route = Route { first: port.0, count: 1, line, way: Way::BtoA };
        self.seats[usize::from(card.0)].routes.push(route);
        self.tape.push(self.now, Seen::Plug { line: line_id(line), seat: card, present: true });
        if let (Some(reader), Some(port)) = presence {
            self.give(usize::from(reader.0), Given::Level { port, high: true });
        }
    }

    pub(super) fn pull_out(&mut self, line: usize, torn: Torn) {
        let Some(card) = self.lines[line].ends[1].seat else { return };
        self.lines[line].link.handle_end_lost(self.now, Way::BtoA);
        self.lose_field(line, usize::from(card.0), torn);
        while let Some(delivery) = self.lines[line].link.poll_delivery(self.now) {
            self.deliver(line, delivery);
        }
        self.lines[line].ends[1].seat = None;
        self.seats[usize::from(card.0)].routes.retain(|route| route.line != line);
        self.tape.push(self.now, Seen::Plug { line: line_id(line), seat: card, present: false });
        let EndSpec { seat, presence, .. } = self.lines[line].ends[0];
        if let (Some(reader), Some(port)) = (seat, presence) {
            self.give(usize::from(reader.0), Given::Level { port, high: false });
        }
    }

    fn befall_before(&mut self, struck: &[usize]) {
        self.befall_at(struck, Moment::Before, self.now);
    }

    fn befall_later(&mut self, struck: &[usize], midway: Instant, after: Instant) {
        self.befall_at(struck, Moment::Midway, midway);
        self.befall_at(struck, Moment::After, after);
    }
}

fn line_id(at: usize) -> LineId {
    LineId(u16::try_from(at).unwrap_or(u16::MAX))
}

fn seat_id(at: usize) -> SeatId {
    SeatId(u16::try_from(at).unwrap_or(u16::MAX))
}
