//! The granularity margin: how near a run came to a course that another bench could take.
//!
//! A bench that moves messages between hosts in ticks has each of them arrive up to one tick early or late, and does
//! what a case asks for up to one tick late. All else runs on one clock: whatever happens on a site keeps its distance
//! from the message, the act or the start of the bench that it descends from. So two happenings can change places only
//! if they descend from different crossings, and only if they are close to each other for the number of crossings by
//! which their descent differs.
//!
//! A recorder therefore gives every message between hosts and every act of the case a number, its *cause*, and follows
//! it through outputs, links, deadlines and planned acts. Where two happenings of different causes meet at one party,
//! it keeps the pair that is closest for its crossings.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use super::attempt::{Attempt, Tried};
use super::seat::Given;
use super::{Family, Tabletop, seat_id};
use crate::fault::{LinkKind, Mishap, Way};
use crate::link::{Arrival, Delivery, Link, Lost};
use crate::machine::{Board, Closing};
use crate::tape::SeatId;
use crate::time::{Instant, Now, Span};

/// Happenings further apart than this are not looked at: no bench is that coarse.
const HORIZON: Span = Span::s(1);

/// How far copies of a party are led on to see whether the order of two happenings made a difference.
const LED_ON: Span = Span::s(30);

/// How many happenings at a party are remembered.
const RECENT_MAX: usize = 32;

/// One of the two happenings of a margin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happening {
    /// Power comes or goes.
    Power,
    /// Bytes arrive.
    Bytes,
    /// A connection stands.
    Opened,
    /// A connection is gone.
    Closed,
    /// The far stack has acknowledged.
    Acked,
    /// A pin changes.
    Level,
    /// A person, a till or a sensor does something.
    Stimulus,
    /// A deadline of the party itself.
    Deadline,
    /// A connection or its party goes, and what is under way is lost.
    Loss,
    /// A planned fault strikes.
    Fault,
    /// The case has waited for long enough.
    Wait,
}

impl Happening {
    pub(super) fn of<S>(given: &Given<S>) -> Self {
        match given {
            Given::PowerOn => Self::Power,
            Given::Received { .. } => Self::Bytes,
            Given::Opened { .. } => Self::Opened,
            Given::Closed { .. } => Self::Closed,
            Given::Acked { .. } => Self::Acked,
            Given::Level { .. } => Self::Level,
            Given::Stimulus(_) => Self::Stimulus,
        }
    }
}

impl Happening {
    const fn arrival(what: &Arrival) -> Self {
        match what {
            Arrival::Bytes(_) => Self::Bytes,
            Arrival::Opened => Self::Opened,
            Arrival::Closed(_) => Self::Closed,
            Arrival::Acked(_) => Self::Acked,
            Arrival::Level(_) => Self::Level,
        }
    }
}

impl fmt::Display for Happening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Power => "power",
            Self::Bytes => "bytes",
            Self::Opened => "a connection that stands",
            Self::Closed => "a connection that is gone",
            Self::Acked => "an acknowledgement",
            Self::Level => "a level",
            Self::Stimulus => "a stimulus",
            Self::Deadline => "a deadline",
            Self::Loss => "a loss of what is under way",
            Self::Fault => "a fault",
            Self::Wait => "the end of a wait",
        })
    }
}

/// Two happenings at one party that are the first to change places when messages come earlier or later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Margin {
    /// How far apart they are.
    pub gap: Span,
    /// How many crossings the descent of either has that the other's has not, whichever has more.
    ///
    /// Why: each crossing is off by at most a tick, so the two move against each other by at most two ticks for each.
    pub hops: u32,
    /// The party; none for the case itself, which goes by when faults strike.
    pub seat: Option<SeatId>,
    /// When the first of them happened.
    pub at: Instant,
    /// What happened first.
    pub first: Happening,
    /// What happened next, or a deadline that did not come because of the first.
    pub second: Happening,
}

impl Margin {
    /// Whether a bench of this tick could let the two change places.
    pub fn is_within(&self, tick: Span) -> bool {
        self.gap < tick * 2 * u64::from(self.hops)
    }
}

/// Where an input comes from: what has one source keeps its order on every bench.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Link { line: usize, conn: u16 },
    Case,
    Plan,
    Timer,
}

/// A message between hosts, an act of the case, or an input on the way of one of them through a site.
#[derive(Clone, Debug)]
struct Cause {
    parent: u32,
    /// How many crossings it took from its parent: none for an input, whose parent is never an input.
    hops: u32,
    /// When it left its parent's site, or somewhat earlier.
    left: Instant,
    /// Until when whoever brought it about has heard of each party, by what has reached him.
    knows: Arc<[Instant]>,
}

/// What makes a message between hosts one: link, way, connection, crossings and arrival.
type Crossing = (usize, Way, u16, u32, Instant);

/// How two causes are related.
struct Kinship {
    /// How many crossings either descent has that the other has not, whichever has more.
    hops: u32,
    /// When the second left the site of the first, if it descends from there.
    left: Option<Instant>,
}

/// Something that happened at a party.
#[derive(Clone)]
struct Past<F: Family> {
    at: Instant,
    what: Happening,
    cause: u32,
    source: Source,
    /// The party had no power and heard nothing of it.
    lost: bool,
    /// What is done to a party to try it.
    trial: Tried<F::Stimulus>,
    /// The party before it.
    before: F::Party,
}

/// What is known about one party.
#[derive(Clone)]
struct Record<F: Family> {
    recent: VecDeque<Past<F>>,
    deadlines: Vec<(Instant, u32)>,
    /// The causes of what waits in the seat's queues of the same names.
    outbox: VecDeque<u32>,
    inbox: VecDeque<(u32, Source)>,
    /// What the party's work, as far as it has got, descends from.
    working: u32,
    /// Until when it has heard of each party.
    knows: Vec<Instant>,
}

impl<F: Family> Record<F> {
    fn new(seats: usize) -> Self {
        Self {
            recent: VecDeque::new(),
            deadlines: Vec::new(),
            outbox: VecDeque::new(),
            inbox: VecDeque::new(),
            working: 0,
            knows: vec![Instant::ZERO; seats],
        }
    }
}

/// Follows causes and keeps the closest pair.
#[derive(Clone)]
pub(super) struct Recorder<F: Family> {
    causes: Vec<Cause>,
    /// What is being done descends from this.
    now: u32,
    source: Source,
    /// What the case's clock descends from.
    case: u32,
    /// Until when the case waits, and what was done last while it did.
    until: Option<Instant>,
    stepped: Option<u32>,
    /// The case's last act: what it descends from, when, and its own number.
    acted: Option<(u32, Instant, u32)>,
    /// The last message between hosts, and its number.
    crossed: Option<(Crossing, u32)>,
    /// When the case's last waits ended and faults struck.
    waits: Vec<(Instant, u32, Happening)>,
    seats: Vec<Record<F>>,
    acts: Vec<u32>,
    /// Parties of one host have the same number.
    hosts: Vec<usize>,
    closest: Option<Margin>,
}

impl<F: Family> Recorder<F> {
    /// Something that descends from `parent` by so many crossings.
    fn child(&mut self, parent: u32, hops: u32, left: Instant) -> u32 {
        let knows = self.causes[parent as usize].knows.clone();
        self.push(parent, hops, left, knows)
    }

    fn push(&mut self, parent: u32, hops: u32, left: Instant, knows: Arc<[Instant]>) -> u32 {
        let above = &self.causes[parent as usize];
        let parent = if above.hops == 0 { above.parent } else { parent };
        self.causes.push(Cause { parent, hops, left, knows });
        u32::try_from(self.causes.len() - 1).unwrap_or(u32::MAX)
    }

    /// How two causes are related.
    ///
    /// Why: a cause has a greater number than its parent, so the greater of two is never the common ancestor.
    fn kinship(&self, first: u32, second: u32) -> Kinship {
        let (mut at, mut hops, mut left) = ([first, second], [0, 0], None);
        while at[0] != at[1] {
            let side = usize::from(at[1] > at[0]);
            let cause = &self.causes[at[side] as usize];
            at[side] = cause.parent;
            hops[side] += cause.hops;
            if side == 1 && cause.hops > 0 {
                left = Some(cause.left);
            }
        }
        Kinship { hops: hops[0].max(hops[1]), left: left.filter(|_| hops[0] == 0) }
    }

    /// Whether whoever brought this about had heard of what the party did at `at`.
    ///
    /// Why: then it came after, and perhaps because of that. If it could have come without, two other happenings meet at
    /// its sender's, and they are looked at there.
    fn knew(&self, cause: u32, seat: usize, at: Instant) -> bool {
        self.causes[cause as usize].knows.get(seat).is_some_and(|known| *known >= at && at > Instant::ZERO)
    }

    fn is_closest(&self, gap: Span, hops: u32) -> bool {
        let closer =
            |known: &Margin| gap.as_us() * u64::from(known.hops) < known.gap.as_us() * u64::from(hops);
        hops > 0 && self.closest.as_ref().is_none_or(closer)
    }

    /// Something happens at a party: is it close to something of another descent?
    fn meet(&mut self, seat: usize, here: Past<F>, clocks: &dyn Fn(Instant) -> Now) {
        let recent = std::mem::take(&mut self.seats[seat].recent);
        for past in &recent {
            let ordered = past.source == here.source && here.source != Source::Timer;
            let unheard = (past.lost || here.lost) && ![past.what, here.what].contains(&Happening::Power);
            if ordered || unheard || self.knew(here.cause, seat, past.at) {
                continue;
            }
            let Kinship { hops, left } = self.kinship(past.cause, here.cause);
            // What left the other's site after it cannot come before it.
            if left.is_some_and(|left| left >= past.at) {
                continue;
            }
            let gap = here.at.since(past.at);
            if self.is_closest(gap, hops) && !commute(past, &here, clocks) {
                let (seat, at) = (Some(seat_id(seat)), past.at);
                self.closest = Some(Margin { gap, hops, seat, at, first: past.what, second: here.what });
            }
        }
        let record = &mut self.seats[seat];
        record.recent = recent;
        record.recent.retain(|past| here.at.since(past.at) <= HORIZON);
        if record.recent.len() >= RECENT_MAX {
            record.recent.pop_front();
        }
        record.recent.push_back(here);
    }

    /// A fault strikes, or the case's wait is over: whichever was first may have decided how long the case goes on.
    fn meet_case(&mut self, at: Instant, cause: u32, second: Happening) {
        self.waits.retain(|(past, _, _)| at.since(*past) <= HORIZON);
        for place in 0..self.waits.len() {
            let (past, theirs, first) = self.waits[place];
            let Kinship { hops, left } = self.kinship(theirs, cause);
            let (gap, follows) = (at.since(past), left.is_some_and(|left| left >= past));
            if first != second && !follows && self.is_closest(gap, hops) {
                self.closest = Some(Margin { gap, hops, seat: None, at: past, first, second });
            }
        }
        self.waits.push((at, cause, second));
    }

    /// The party's deadlines after an input of this cause, which came at `at`: one that is gone was pre-empted.
    fn note_deadlines(&mut self, seat: usize, at: Instant, what: Happening, cause: u32, set: &[Instant]) {
        let record = &mut self.seats[seat];
        let known = std::mem::take(&mut record.deadlines);
        let working = record.working;
        let cause_of = |at: Instant| known.iter().find(|(known, _)| *known == at).map(|(_, cause)| *cause);
        record.deadlines = set.iter().map(|at| (*at, cause_of(*at).unwrap_or(working))).collect();
        for (due, theirs) in &known {
            let gap = due.since(at);
            if *due <= at || set.contains(due) || gap > HORIZON {
                continue;
            }
            let hops = self.kinship(*theirs, cause).hops;
            if self.is_closest(gap, hops) {
                let (seat, second) = (Some(seat_id(seat)), Happening::Deadline);
                self.closest = Some(Margin { gap, hops, seat, at, first: what, second });
            }
        }
    }
}

/// How many hosts a delivery has crossed to on its way: a stack that gives up needs nobody, and an answer has come back.
const fn crossings(link: LinkKind, way: Way, what: &Arrival) -> u32 {
    match (link, what) {
        (LinkKind::Serial | LinkKind::Pin | LinkKind::Air, _) | (_, Arrival::Closed(Closing::TimedOut)) => 0,
        (_, Arrival::Acked(_) | Arrival::Closed(Closing::Refused)) => 2,
        (_, Arrival::Opened) if matches!(way, Way::BtoA) => 2,
        _ => 1,
    }
}

/// Whether a party does the same whichever of two happenings comes first. What is between the two is left out.
fn commute<F: Family>(first: &Past<F>, second: &Past<F>, clocks: &dyn Fn(Instant) -> Now) -> bool {
    let powers = [first.what, second.what].contains(&Happening::Power);
    let crosses = |past: &Past<F>| {
        matches!(past.source, Source::Link { .. })
            && matches!(past.what, Happening::Bytes | Happening::Opened | Happening::Closed)
    };
    if powers && (crosses(first) || crosses(second)) {
        return false;
    }
    let just_before = Instant::from_us(first.at.as_us().saturating_sub(1));
    let turned = match (first.what, second.what) {
        (_, Happening::Deadline) => [second.at; 2],
        (Happening::Deadline, _) => [just_before, first.at],
        _ => [second.at; 2],
    };
    let start = || Attempt::<F>::new(first.before.clone());
    let straight = start().does(&first.trial, clocks(first.at)).does(&second.trial, clocks(second.at));
    let turned =
        start().does(&second.trial, clocks(turned[0])).does(&first.trial, clocks(turned[1]));
    // Both come to the same time, so that what one has done by then is not still ahead of the other.
    let until = second.at + LED_ON;
    straight.leads_on(until, clocks).done() == turned.leads_on(until, clocks).done()
}

impl<F: Family> Tabletop<F> {
    /// Records the granularity margin from here on; to be called before the bench is switched on.
    pub fn record_margin(&mut self) {
        let seats = self.seats.len();
        self.margin = Some(Box::new(Recorder {
            causes: vec![Cause { parent: 0, hops: 0, left: Instant::ZERO, knows: vec![Instant::ZERO; seats].into() }],
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
    pub(super) fn link_now(&mut self, line: usize) -> &mut Link {
        let link = &mut self.lines[line].link;
        if let Some(recorder) = &self.margin {
            link.set_origin(recorder.now);
        }
        link
    }

    /// The case lets time pass until `until`.
    pub(super) fn trace_wait(&mut self, until: Instant) {
        if let Some(recorder) = &mut self.margin
            && recorder.until.replace(until) != Some(until)
        {
            recorder.case = recorder.stepped.take().unwrap_or(recorder.case);
        }
    }

    /// A step is done, or the time for which the case waited is over.
    pub(super) fn trace_step(&mut self, done: bool) {
        if let Some(recorder) = &mut self.margin {
            recorder.stepped = done.then_some(recorder.now);
            if !done {
                recorder.meet_case(self.now, recorder.case, Happening::Wait);
            }
        }
    }

    /// A planned fault strikes.
    pub(super) fn trace_strike(&mut self) {
        if let Some(recorder) = &mut self.margin {
            recorder.meet_case(self.now, recorder.now, Happening::Fault);
        }
    }

    /// The case does something: because of what it has just seen, or because of the time.
    pub(super) fn trace_case(&mut self) {
        let Some(recorder) = &mut self.margin else { return };
        let parent = recorder.stepped.unwrap_or(recorder.case);
        let now = self.now;
        let cause = match recorder.acted {
            Some((known, at, cause)) if known == parent && at == now => cause,
            _ => recorder.child(parent, 1, now),
        };
        recorder.acted = Some((parent, now, cause));
        recorder.case = cause;
        recorder.stepped = None;
        (recorder.now, recorder.source) = (cause, Source::Case);
    }

    /// An act is planned for later.
    pub(super) fn trace_schedule(&mut self) {
        if let Some(recorder) = &mut self.margin {
            recorder.acts.push(recorder.now);
        }
    }

    /// A planned act has come.
    pub(super) fn trace_act(&mut self, index: usize) {
        if let Some(recorder) = &mut self.margin {
            (recorder.now, recorder.source) = (recorder.acts.remove(index), Source::Plan);
        }
    }

    /// What was under way on a link to a party is lost because of what is being done: it nearly arrived before.
    pub(super) fn trace_lost(&mut self, line: usize) {
        let Some(recorder) = &mut self.margin else { return };
        let kind = self.lines[line].link.kind();
        for Lost { delivery: Delivery { at, way, conn, what }, start, origin } in self.lines[line].link.take_lost() {
            let crossings = crossings(kind, way, &what);
            let gap = at.since(self.now);
            let (end, port) = (self.lines[line].ends[way.back().index()], self.lines[line].port_of(way, conn));
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
    pub(super) fn trace_arrival(&mut self, line: usize, conn: u16, way: Way, what: &Arrival) {
        let Some(recorder) = &mut self.margin else { return };
        let link = &mut self.lines[line].link;
        let cause = link.origin();
        let hops = crossings(link.kind(), way, what);
        recorder.source = Source::Link { line, conn };
        let crossing = (line, way, conn, hops, self.now);
        recorder.now = match recorder.crossed {
            _ if hops == 0 => cause,
            // What arrives at once on a connection, such as bytes and the end behind them, has one crossing.
            Some((known, child)) if known == crossing => child,
            _ => {
                let left = recorder.causes[cause as usize].knows.iter().copied().max().unwrap_or_default();
                recorder.child(cause, hops, left)
            }
        };
        recorder.crossed = (hops > 0).then_some((crossing, recorder.now));
    }

    /// An input reaches a party, whatever becomes of it there.
    pub(super) fn trace_input(&mut self, seat: usize, given: &Given<F::Stimulus>) {
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
    pub(super) fn trace_waits(&mut self, seat: usize) {
        if let Some(recorder) = &mut self.margin {
            recorder.seats[seat].inbox.push_back((recorder.now, recorder.source));
        }
    }

    /// The input that has waited longest has its turn.
    pub(super) fn trace_turn(&mut self, seat: usize) {
        if let Some(recorder) = &mut self.margin
            && let Some(waited) = recorder.seats[seat].inbox.pop_front()
        {
            (recorder.now, recorder.source) = waited;
        }
    }

    /// A party's deadline, set for `at`, has come.
    pub(super) fn trace_deadline(&mut self, seat: usize, at: Instant) {
        let Some(recorder) = &mut self.margin else { return };
        let record = &recorder.seats[seat];
        let known = record.deadlines.iter().find(|(known, _)| *known == at);
        let cause = known.map_or(record.working, |(_, cause)| *cause);
        (recorder.now, recorder.source) = (cause, Source::Timer);
        self.trace_meeting(seat, at, Happening::Deadline, Tried::Deadline);
    }

    /// A party has taken the input that came at `at`.
    pub(super) fn trace_taken(&mut self, seat: usize, at: Instant, what: Happening) {
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
    pub(super) fn trace_outputs(&mut self, seat: usize) {
        if let Some(recorder) = &mut self.margin {
            let working = recorder.seats[seat].working;
            recorder.seats[seat].outbox.resize(self.seats[seat].outbox.len(), working);
        }
    }

    /// The next output leaves a party. Returns what was being done, for [`Tabletop::trace_back`].
    pub(super) fn trace_release(&mut self, seat: usize) {
        if let Some(recorder) = &mut self.margin
            && let Some(cause) = recorder.seats[seat].outbox.pop_front()
        {
            recorder.now = cause;
        }
    }

    /// What is being done, to return to later.
    pub(super) fn traced(&self) -> u32 {
        self.margin.as_ref().map_or(0, |recorder| recorder.now)
    }

    /// What is being done is this again.
    pub(super) fn trace_back(&mut self, to: u32) {
        if let Some(recorder) = &mut self.margin {
            recorder.now = to;
        }
    }

    /// A party's storage goes on with its work.
    pub(super) fn trace_work(&mut self, seat: usize) {
        if let Some(recorder) = &mut self.margin {
            recorder.now = recorder.seats[seat].working;
        }
    }

    /// A party is about to lose its power.
    pub(super) fn trace_cut(&mut self, seat: usize) {
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
    pub(super) fn trace_mishap(&mut self, place: usize, way: Option<Way>, mishap: &Mishap) {
        let Some(recorder) = &self.margin else { return };
        let near = match (place.checked_sub(self.seats.len()), way) {
            (Some(line), Some(way)) => self.lines[line].ends[way.index()].seat.map(|seat| usize::from(seat.0)),
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
