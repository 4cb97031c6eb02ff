//! One step after the other.

use super::margin::Happening;
use super::routes::Route;
use super::seat::Given;
use super::wires::Line;
use super::{Export, Family, SiteKind, Tabletop, line_id, seat_id};
use crate::digest::Digest;
use crate::fault::{LinkKind, Mishap, Way};
use crate::link::{Arrival, Delivery, Incoming};
use crate::machine::{Board, Input, Machine, Output, StoreStep};
use crate::queue::take_first;
use crate::tape::{LineId, Seen};
use crate::time::{Instant, Span};

/// Something planned for a time.
#[derive(Clone, Debug)]
pub(super) struct Act {
    pub(super) at: Instant,
    pub(super) deed: Deed,
}

#[derive(Clone, Debug)]
pub(super) enum Deed {
    /// A strike's mishap happens.
    Strike {
        /// Its place in the plan.
        number: usize,
        mishap: Mishap,
    },
    Restore(usize),
    Reboot(usize),
}

impl Act {
    pub(super) fn digest(&self, into: &mut Digest) {
        into.instant(self.at);
        match &self.deed {
            Deed::Strike { mishap, .. } => into.word(0).text(&mishap.to_string()),
            Deed::Restore(supply) => into.word(1).word(*supply as u64),
            Deed::Reboot(seat) => into.word(2).word(*seat as u64),
        };
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
        for at in 0..self.lines.len() {
            for way in Way::BOTH {
                let end = self.lines[at].ends[way.index()];
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
        let place = if self.lines.is_settled() {
            self.agenda.first()
        } else {
            let lines = self.lines.iter().map(Line::next_at);
            let all = lines.chain(self.agenda.from(self.lines.len()));
            all.zip(0..).filter_map(|(at, place)| Some((at?, place))).min()
        };
        let act = self.acts.iter().zip(0..).map(|(act, index)| (act.at, index)).min();
        match (act, place) {
            (Some((at, index)), place) if place.is_none_or(|(other, _)| at <= other) => {
                Some((at.max(self.now), Due::Act(index)))
            }
            (_, Some((at, place))) => {
                let due = place.checked_sub(self.lines.len()).map_or(Due::Line(place), Due::Seat);
                Some((at.max(self.now), due))
            }
            (_, None) => None,
        }
    }

    /// Brings up to date when the links that were touched are due.
    fn settle(&mut self) {
        while let Some(line) = self.lines.take_touched() {
            self.agenda.set(line, self.lines.get(line).and_then(Line::next_at));
        }
    }

    /// Does the next thing that is due at or before `until`. Returns whether there was one; if not, the time is now
    /// `until`.
    pub fn step(&mut self, until: Instant) -> bool {
        self.trace_wait(until);
        self.settle();
        let done = match self.next_due() {
            Some((at, due)) if at <= until => {
                self.now = at;
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
        };
        self.settle();
        self.trace_step(done);
        done
    }

    /// Lets time pass up to `until` where nothing is due before; what is due at `until` stays due.
    pub fn pass(&mut self, until: Instant) {
        if self.next_at().is_none_or(|at| at >= until) {
            self.now = self.now.max(until);
        }
    }

    /// Runs until `until` and no further.
    pub fn run_until(&mut self, until: Instant) {
        while self.step(until) {}
    }

    pub(super) fn schedule(&mut self, act: Act) {
        self.trace_schedule();
        self.acts.push(act);
    }

    fn perform(&mut self, index: usize) {
        self.trace_act(index);
        let Act { deed, .. } = self.acts.remove(index);
        match deed {
            Deed::Strike { number, mishap } => self.strike(number, mishap),
            Deed::Restore(supply) => self.restore_supply(supply),
            Deed::Reboot(seat) => self.reboot(seat),
        }
    }

    /// Something reaches the end of a link, or a link has waited long enough for the rest of a unit.
    fn arrive(&mut self, index: usize) {
        if let Some((way, conn)) = self.lines[index].due_feed(self.now) {
            self.trace_flush(index, way, conn);
            self.flush(index, way, conn, self.now);
            return;
        }
        let Some(delivery) = self.lines[index].link.poll_delivery(self.now) else { return };
        self.trace_arrival(index, delivery.conn, delivery.way, &delivery.what);
        if self.lines[index].outside[delivery.way.back().index()] {
            let Delivery { way, conn, what, .. } = delivery;
            self.exports.push(Export { line: line_id(index), way, conn, what });
            self.lines[index].sweep();
            return;
        }
        let ended = matches!(delivery.what, Arrival::Closed(_));
        self.deliver(index, delivery);
        if ended {
            self.lines[index].sweep();
        }
    }

    /// The kind of a link that leads out of the bench; `None` for one that stays inside or does not exist.
    pub fn leads_out(&self, line: LineId) -> Option<LinkKind> {
        let line = self.lines.get(usize::from(line.0))?;
        (line.outside != [false; 2]).then(|| line.link.kind())
    }

    /// Hands over what has come in from outside, on a link that leads out of the bench.
    pub fn import(&mut self, line: LineId, way: Way, bytes: Vec<u8>) {
        if !self.lines[usize::from(line.0)].link.admits(self.now) {
            return;
        }
        self.deliver(
            usize::from(line.0),
            Delivery { at: self.now, way, conn: 0, what: Arrival::Bytes(bytes) },
        );
    }

    /// Hands over what the socket of a connection tells, on a stream link one end of which lies outside the bench.
    pub fn import_socket(&mut self, line: LineId, conn: u16, what: Incoming) {
        let wired = &mut self.lines[usize::from(line.0)];
        if what == Incoming::Accepted {
            wired.accept(self.now, conn);
        }
        wired.link.handle_incoming(self.now, conn, what);
    }

    pub(super) fn deliver(&mut self, index: usize, delivery: Delivery) {
        let Delivery { way, conn, what, .. } = delivery;
        let line = &mut self.lines[index];
        let id = line_id(index);
        let end = line.ends[way.back().index()];
        let Some(port) = line.port_of(way, conn) else { return };
        let powered = end.seat.is_some_and(|seat| self.seats[usize::from(seat.0)].is_on());
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
            Arrival::Abandoned => return,
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
        self.trace_input(index, &given);
        let seat = &mut self.seats[index];
        if !seat.is_on() {
            return;
        }
        if !seat.inbox.is_empty() || seat.busy_until(self.now).is_some() {
            if seat.inbox.len() >= self.inbox_max && given.overruns() {
                self.tape.push(self.now, Seen::Overrun { seat: seat_id(index) });
            } else {
                seat.inbox.push_back((self.now, given));
                self.trace_waits(index);
            }
            self.refresh(index);
            return;
        }
        self.hand_over(index, self.now, given);
    }

    /// A party takes an input, which came at `came`.
    pub(super) fn hand_over(&mut self, index: usize, came: Instant, given: Given<F::Stimulus>) {
        let what = Happening::of(&given);
        let clocks = self.seats[index].clocks(self.now, self.epoch);
        self.seats[index].handle(clocks, given);
        self.trace_taken(index, came, what);
        self.drain(index);
    }

    /// A party's own time has come: its storage goes on, something leaves it, waits for it, or is due.
    fn wake(&mut self, index: usize) {
        let now = self.now;
        let seat = &mut self.seats[index];
        if seat.watched && seat.steps.front().is_some_and(|step| step.at <= now) {
            self.trace_work(index);
            self.pass_steps(index, now + Span::us(1));
        } else if seat.outbox.front().is_some_and(|output| output.at.max(seat.hung_until) <= now) {
            self.release(index);
        } else if seat.busy_until(now).is_none() {
            let waiting = seat.inbox.front().map(|(since, _)| *since);
            let due = seat.board.poll_timeout().filter(|at| *at <= now);
            // What a busy party has missed it finds in the order in which it came; an arrival before a deadline.
            match (waiting, due) {
                (Some(since), due) if due.is_none_or(|at| since <= at) => {
                    if let Some((_, given)) = take_first(&mut seat.inbox) {
                        self.trace_turn(index);
                        self.hand_over(index, since, given);
                    }
                }
                (_, Some(at)) => self.expire(index, at),
                _ => {}
            }
        }
        self.refresh(index);
    }

    /// A party's timer, set for `at`, runs out: a site, and then an input unless a strike there prevents it.
    fn expire(&mut self, index: usize, at: Instant) {
        self.trace_deadline(index, at);
        let seat = &mut self.seats[index];
        // A party that hangs just before its deadline meets the same deadline again afterwards.
        if seat.timer_seen != Some(at)
            && let Some(name) = seat.board.timer_name()
        {
            seat.timer_seen = Some(at);
            let (_, struck) = self.visit(index, None, name, None, self.now, SiteKind::Timer);
            self.befall(&struck, self.now);
        }
        let seat = &mut self.seats[index];
        if seat.is_on() && seat.busy_until(self.now).is_none() {
            seat.timer_seen = None;
            if let Some(lapses) = &mut self.lapses {
                lapses.runs_out(index, at, self.now);
            }
            let clocks = seat.clocks(self.now, self.epoch);
            seat.board.handle_input(clocks, Input::Deadline);
            self.trace_taken(index, at, Happening::Deadline);
            self.drain(index);
        }
    }

    /// After an input: storage steps and outputs wait for their stamps, and what is due happens.
    fn drain(&mut self, index: usize) {
        let seat = &mut self.seats[index];
        while let Some(step) = seat.board.poll_step() {
            if seat.steps.back().is_none_or(|last| last.at <= step.at) {
                seat.steps.push_back(step);
                continue;
            }
            let place = seat.steps.iter().rposition(|other| other.at <= step.at).map_or(0, |place| place + 1);
            seat.steps.insert(place, step);
        }
        while let Some(output) = seat.board.poll_output() {
            seat.outbox.push_back(output);
        }
        self.trace_outputs(index);
        self.pass_steps(index, self.now + Span::us(1));
        self.release(index);
        self.refresh(index);
    }

    /// The storage steps before `until` have happened: each is a site.
    ///
    /// Why: firmware runs ahead on its storage, and a step that a power cut prevents must not be counted.
    pub(super) fn pass_steps(&mut self, index: usize, until: Instant) {
        while self.seats[index].steps.front().is_some_and(|step| step.at < until) {
            let Some(StoreStep { at, kind, address }) = take_first(&mut self.seats[index].steps) else {
                break;
            };
            let (_, struck) = self.visit(index, None, kind, Some(address), at, SiteKind::Store);
            if !struck.is_empty() {
                self.befall(&struck, at + Span::us(1));
            }
        }
    }

    /// Lets out everything whose stamp has come.
    fn release(&mut self, index: usize) {
        let doing = self.traced();
        while let Some(output) = self.seats[index].outbox.front() {
            if output.at.max(self.seats[index].hung_until) > self.now {
                break;
            }
            let Some(output) = take_first(&mut self.seats[index].outbox) else { break };
            self.trace_release(index);
            match output.what {
                Output::Transmit { port, bytes } => self.transmit(index, port, bytes),
                Output::Open { port, to } => self.open(index, port, to),
                Output::Close { port, how } => self.close(index, port, how),
                Output::Level { port, high } => self.level(index, port, high),
                Output::Event(event) => {
                    self.tape.push(self.now, Seen::Noted { seat: seat_id(index), event });
                }
            }
        }
        self.trace_back(doing);
    }

    pub(super) fn refresh(&mut self, index: usize) {
        let seat = &self.seats[index];
        self.agenda.set(self.lines.len() + index, seat.next_at(self.now));
        if let Some(lapses) = &mut self.lapses {
            let next = || Some((seat.board.timer_name()?, seat.board.poll_timeout()?));
            lapses.look(index, self.now, seat.is_on().then(next).flatten());
        }
    }
}
