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

mod trace;

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use super::attempt::{Attempt, Tried};
use super::seat::Given;
use super::{Family, seat_id};
use crate::fault::Way;
use crate::link::Arrival;
use crate::tape::SeatId;
use crate::time::{Instant, Now, Span};

/// Happenings further apart than this are not looked at: no bench is that coarse.
const HORIZON: Span = Span::s(1);

/// What has left longer ago than this comes on time on every bench.
const QUICK: Span = Span::ms(100);

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
            Arrival::Closed(_) | Arrival::Abandoned => Self::Closed,
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
    /// Why: in a world each crossing comes up to a tick late and never early, so the first of the two can move by at
    /// most a tick for each of its crossings against a second that does not move.
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
        self.gap < tick * u64::from(self.hops)
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

/// What makes a message between hosts one: link, way, connection, crossings and arrival, and for one that has just left
/// the cause of it.
type Crossing = (usize, Way, u16, u32, Instant, Option<u32>);

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
    /// When the case acted last, and that act's number.
    acted: Option<(Instant, u32)>,
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
    /// Why: then it came after, and perhaps because of that. If it could have come without, two other happenings meet
    /// at its sender's, and they are looked at there.
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
    // What a test head is told to send over a connection that is gone is not sent, though the head knows of neither.
    let told = |past: &Past<F>| past.what == Happening::Stimulus;
    let ended = |past: &Past<F>| crosses(past) && past.what == Happening::Closed;
    if told(first) && ended(second) || ended(first) && told(second) {
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
    let turned = start().does(&second.trial, clocks(turned[0])).does(&first.trial, clocks(turned[1]));
    // Both come to the same time, so that what one has done by then is not still ahead of the other.
    let until = second.at + LED_ON;
    straight.leads_on(until, clocks).done() == turned.leads_on(until, clocks).done()
}
