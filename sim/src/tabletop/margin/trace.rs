//! Where the bench tells the recorder what it does; each is nothing while no margin is recorded.

use super::{Cause, HORIZON, Happening, Margin, Past, QUICK, Record, Recorder, Source};
use crate::fault::{LinkKind, Mishap, Way};
use crate::link::{Arrival, Delivery, Link, Lost};
use crate::machine::{Board, Closing};
use crate::tabletop::attempt::{Attempt, Tried};
use crate::tabletop::seat::Given;
use crate::tabletop::{Family, Tabletop};
use crate::time::Instant;

/// How often a delivery has crossed between hosts: a stack that gives up needs nobody, and an answer has come back.
const fn crossings(link: LinkKind, way: Way, what: &Arrival) -> u32 {
    match (link, what) {
        (LinkKind::Serial | LinkKind::Pin | LinkKind::Air, _) | (_, Arrival::Closed(Closing::TimedOut)) => 0,
        (_, Arrival::Acked(_) | Arrival::Closed(Closing::Refused)) => 2,
        (_, Arrival::Opened) if matches!(way, Way::BtoA) => 2,
        _ => 1,
    }
}

impl<F: Family> Tabletop<F> {
    /// Records the granularity margin from here on; to be called before the bench is switched on.
    pub fn record_margin(&mut self) {
        let seats = self.seats.len();
        self.margin = Some(Box::new(Recorder {
            causes: vec![Cause {
                parent: 0,
                hops: 0,
                left: Instant::ZERO,
                knows: vec![Instant::ZERO; seats].into(),
            }],
            now: 0,
            source: Source::Case,
            case: 0,
            until: None,
            stepped: None,
            acted: None,
            crossed: None,
            waits: Vec::new(),
            seats: (0..seats).map(|_| Record::new(seats)).collect(),
            acts: vec![0; self.acts.len()],
            hosts: self.hosts(),
            closest: None,
        }));
    }

    /// The granularity margin of the run so far; nothing if no two happenings could ever change places.
    pub fn margin(&self) -> Option<Margin> {
        self.margin.as_ref()?.closest
    }

    /// The parties that serial lines and pins join, by a number for each host.
    fn hosts(&self) -> Vec<usize> {
        let mut hosts: Vec<usize> = (0..self.seats.len()).collect();
        for line in &self.lines {
            if let ([Some(a), Some(b)], LinkKind::Serial | LinkKind::Pin) =
                (line.ends.map(|end| end.seat), line.link.kind())
            {
                let (a, b) = (hosts[usize::from(a.0)], hosts[usize::from(b.0)]);
                hosts.iter_mut().filter(|host| **host == b).for_each(|host| *host = a);
            }
        }
        hosts
    }

    /// The link, to be given something: what comes of it descends from what is being done.
    pub(in crate::tabletop) fn link_now(&mut self, line: usize) -> &mut Link {
        let link = &mut self.lines[line].link;
        if let Some(recorder) = &self.margin {
            link.set_origin(recorder.now);
        }
        link
    }

    /// The case lets time pass until `until`.
    pub(in crate::tabletop) fn trace_wait(&mut self, until: Instant) {
        if let Some(recorder) = &mut self.margin
            && recorder.until.replace(until) != Some(until)
        {
            recorder.case = recorder.stepped.take().unwrap_or(recorder.case);
        }
    }

    /// A step is done, or the time for which the case waited is over.
    pub(in crate::tabletop) fn trace_step(&mut self, done: bool) {
        if let Some(recorder) = &mut self.margin {
            recorder.stepped = done.then_some(recorder.now);
            if !done {
                recorder.meet_case(self.now, recorder.case, Happening::Wait);
            }
        }
    }

    /// A planned fault strikes.
    pub(in crate::tabletop) fn trace_strike(&mut self) {
        if let Some(recorder) = &mut self.margin {
            recorder.meet_case(self.now, recorder.now, Happening::Fault);
        }
    }

    /// The case does something: because of what it has just seen, or because of the time.
    pub(in crate::tabletop) fn trace_case(&mut self) {
        let Some(recorder) = &mut self.margin else { return };
        let parent = recorder.stepped.unwrap_or(recorder.case);
        let now = self.now;
        let cause = match recorder.acted {
            // Several acts at once are one.
            Some((at, cause)) if cause == parent && at == now => cause,
            _ => recorder.child(parent, 1, now),
        };
        recorder.acted = Some((now, cause));
        recorder.case = cause;
        recorder.stepped = None;
        (recorder.now, recorder.source) = (cause, Source::Case);
    }

    /// An act is planned for later.
    pub(in crate::tabletop) fn trace_schedule(&mut self) {
        if let Some(recorder) = &mut self.margin {
            recorder.acts.push(recorder.now);
        }
    }

    /// A planned act has come.
    pub(in crate::tabletop) fn trace_act(&mut self, index: usize) {
        if let Some(recorder) = &mut self.margin {
            (recorder.now, recorder.source) = (recorder.acts.remove(index), Source::Plan);
        }
    }

    /// What was under way on a link to a party is lost because of what is being done: it nearly arrived before.
    pub(in crate::tabletop) fn trace_lost(&mut self, line: usize) {
        let Some(recorder) = &mut self.margin else { return };
        let kind = self.lines[line].link.kind();
        for Lost { delivery: Delivery { at, way, conn, what }, start, origin } in
            self.lines[line].link.take_lost()
        {
            let crossings = crossings(kind, way, &what);
            let gap = at.since(self.now);
            let (end, port) =
                (self.lines[line].ends[way.back().index()], self.lines[line].port_of(way, conn));
            let (Some(seat), Some(port), true) = (end.seat, port, crossings > 0 && gap <= HORIZON) else {
                continue;
            };
            let apart = recorder.kinship(origin, recorder.now).hops;
            // What is sent and lost at once by one cause arrives before on no bench.
            if apart == 0 && start >= self.now {
                continue;
            }
            let hops = apart.max(crossings);
            let index = usize::from(seat.0);
            let ignored = || match what {
                Arrival::Acked(len) => {
                    let cut = recorder.seats[index].recent.iter().rfind(|past| past.what == Happening::Power);
                    let board = &self.seats[index].board;
                    let board = if board.is_on() { board } else { cut.map_or(board, |cut| &cut.before) };
                    let acked = Tried::Input(Given::Acked { port, len });
                    let clocks = self.seats[index].clocks(self.now, self.epoch);
                    Attempt::<F>::new(board.clone()).does(&acked, clocks).done().is_empty()
                }
                _ => false,
            };
            if recorder.is_closest(gap, hops) && !ignored() {
                let (first, second) = (Happening::Loss, Happening::arrival(&what));
                recorder.closest = Some(Margin { gap, hops, seat: Some(seat), at: self.now, first, second });
            }
        }
    }

    /// What was polled last from a link has arrived.
    pub(in crate::tabletop) fn trace_arrival(&mut self, line: usize, conn: u16, way: Way, what: &Arrival) {
        let Some(recorder) = &mut self.margin else { return };
        let link = &mut self.lines[line].link;
        let cause = link.origin();
        let hops = crossings(link.kind(), way, what);
        recorder.source = Source::Link { line, conn };
        let left = recorder.causes[cause as usize].knows.iter().copied().max().unwrap_or_default();
        // What has just left may be quicker than a tick, and so come later than what left before and comes with it.
        let quick = (self.now.since(left) < QUICK).then_some(cause);
        let crossing = (line, way, conn, hops, self.now, quick);
        recorder.now = match recorder.crossed {
            _ if hops == 0 => cause,
            // What arrives at once on a connection, such as bytes and the end behind them, has one crossing.
            Some((known, child)) if known == crossing => child,
            _ => recorder.child(cause, hops, left),
        };
        recorder.crossed = (hops > 0).then_some((crossing, recorder.now));
    }

    /// An input reaches a party, whatever becomes of it there.
    pub(in crate::tabletop) fn trace_input(&mut self, seat: usize, given: &Given<F::Stimulus>) {
        if self.margin.is_some() {
            let what = Happening::of(given);
            self.trace_meeting(seat, self.now, what, Tried::Input(given.clone()));
        }
    }

    fn trace_meeting(&mut self, index: usize, at: Instant, what: Happening, trial: Tried<F::Stimulus>) {
        let (seat, epoch) = (&self.seats[index], self.epoch);
        let lost = !seat.is_on() && what != Happening::Power;
        if let Some(recorder) = &mut self.margin {
            let (cause, source, before) = (recorder.now, recorder.source, seat.board.clone());
            let here = Past { at, what, cause, source, lost, trial, before };
            recorder.meet(index, here, &|at| seat.clocks(at, epoch));
        }
    }

    /// The input that was traced last has to wait.
    pub(in crate::tabletop) fn trace_waits(&mut self, seat: usize) {
        if let Some(recorder) = &mut self.margin {
            recorder.seats[seat].inbox.push_back((recorder.now, recorder.source));
        }
    }

    /// The input that has waited longest has its turn.
    pub(in crate::tabletop) fn trace_turn(&mut self, seat: usize) {
        if let Some(recorder) = &mut self.margin
            && let Some(waited) = recorder.seats[seat].inbox.pop_front()
        {
            (recorder.now, recorder.source) = waited;
        }
    }

    /// A party's deadline, set for `at`, has come.
    pub(in crate::tabletop) fn trace_deadline(&mut self, seat: usize, at: Instant) {
        let Some(recorder) = &mut self.margin else { return };
        let record = &recorder.seats[seat];
        let known = record.deadlines.iter().find(|(known, _)| *known == at);
        let cause = known.map_or(record.working, |(_, cause)| *cause);
        (recorder.now, recorder.source) = (cause, Source::Timer);
        self.trace_meeting(seat, at, Happening::Deadline, Tried::Deadline);
    }

    /// A party has taken the input that came at `at`.
    pub(in crate::tabletop) fn trace_taken(&mut self, seat: usize, at: Instant, what: Happening) {
        let Some(recorder) = &mut self.margin else { return };
        // A party that was busy goes on when it is done, whenever the input came.
        let descent = if at >= self.now { recorder.now } else { recorder.seats[seat].working };
        let heard = recorder.causes[recorder.now as usize].knows.clone();
        let record = &mut recorder.seats[seat];
        record.knows.iter_mut().zip(&*heard).for_each(|(known, heard)| *known = *heard.max(known));
        record.knows[seat] = self.now;
        let knows = record.knows.as_slice().into();
        recorder.seats[seat].working = recorder.push(descent, 0, self.now, knows);
        let mut set = Vec::new();
        self.seats[seat].board.each_deadline(&mut |at| set.push(at));
        let cause = recorder.now;
        recorder.note_deadlines(seat, at, what, cause, &set);
    }

    /// So many outputs are new in a party's outbox.
    pub(in crate::tabletop) fn trace_outputs(&mut self, seat: usize) {
        if let Some(recorder) = &mut self.margin {
            let working = recorder.seats[seat].working;
            recorder.seats[seat].outbox.resize(self.seats[seat].outbox.len(), working);
        }
    }

    /// The next output leaves a party.
    pub(in crate::tabletop) fn trace_release(&mut self, seat: usize) {
        if let Some(recorder) = &mut self.margin
            && let Some(cause) = recorder.seats[seat].outbox.pop_front()
        {
            recorder.now = cause;
        }
    }

    /// What is being done, to return to later.
    pub(in crate::tabletop) fn traced(&self) -> u32 {
        self.margin.as_ref().map_or(0, |recorder| recorder.now)
    }

    /// What is being done is this again.
    pub(in crate::tabletop) fn trace_back(&mut self, to: u32) {
        if let Some(recorder) = &mut self.margin {
            recorder.now = to;
        }
    }

    /// A party's storage goes on with its work.
    pub(in crate::tabletop) fn trace_work(&mut self, seat: usize) {
        if let Some(recorder) = &mut self.margin {
            recorder.now = recorder.seats[seat].working;
        }
    }

    /// A party is about to lose its power.
    pub(in crate::tabletop) fn trace_cut(&mut self, seat: usize) {
        if self.margin.is_some() {
            self.trace_meeting(seat, self.now, Happening::Power, Tried::Cut);
        }
        if let Some(recorder) = &mut self.margin {
            let record = &mut recorder.seats[seat];
            record.deadlines.clear();
            record.outbox.clear();
            record.inbox.clear();
        }
    }

    /// A mishap befalls somebody on another host than the one where its site is.
    pub(in crate::tabletop) fn trace_mishap(&mut self, place: usize, way: Option<Way>, mishap: &Mishap) {
        let Some(recorder) = &self.margin else { return };
        let near = match (place.checked_sub(self.seats.len()), way) {
            (Some(line), Some(way)) => {
                self.lines[line].ends[way.index()].seat.map(|seat| usize::from(seat.0))
            }
            _ => Some(place),
        };
        let victim = match mishap {
            Mishap::PowerCut { supply, .. } => {
                let supply = self.supplies.iter().find(|known| known.name == *supply);
                supply.and_then(|supply| supply.feeds.first()).copied()
            }
            Mishap::LinkDown { .. } | Mishap::HalfOpen { .. } | Mishap::RemoveCard { .. } => None,
            _ => self.seat_named(mishap.victim()),
        };
        let host = |seat: usize| recorder.hosts.get(seat).copied();
        let (Some(near), Some(victim)) = (near.and_then(host), victim.and_then(|at| host(usize::from(at.0))))
        else {
            return;
        };
        if near != victim {
            let now = self.now;
            if let Some(recorder) = &mut self.margin {
                recorder.now = recorder.child(recorder.now, 1, now);
            }
        }
    }
}
