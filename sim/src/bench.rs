//! What a case and its judges need of a bench, whatever moves its bytes and its time.

use std::cell::Ref;
use std::net::SocketAddrV4;
use std::ops::Deref;

use thiserror::Error;

use crate::fault::{LinkKind, Way};
use crate::machine::Torn;
use crate::tabletop::{Family, Lapse, Margin, Tabletop, Visit};
use crate::tape::{LineId, SeatId, SupplyId, Tape};
use crate::time::{Instant, Span};

/// A bench that cannot go on. It is never the fault of a party on it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct BenchError(pub String);

/// A party, lent for a look.
pub enum Lent<'a, P> {
    /// By a bench that has it at hand.
    Plain(&'a P),
    /// By a bench that runs it elsewhere.
    Shared(Ref<'a, P>),
}

impl<P> Deref for Lent<'_, P> {
    type Target = P;

    fn deref(&self) -> &P {
        match self {
            Self::Plain(party) => party,
            Self::Shared(party) => party,
        }
    }
}

/// The names of all parties, links and supplies, each in the order of its numbers, and what belongs to what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// Of the parties.
    pub seats: Vec<String>,
    /// Of the links.
    pub lines: Vec<String>,
    /// Of the supplies.
    pub supplies: Vec<String>,
    /// How the links are wired, in the order of their numbers.
    pub links: Vec<LinkEnds>,
    /// Whom each supply feeds, in the order of their numbers.
    pub feeds: Vec<Vec<SeatId>>,
}

/// How a link is wired when a run begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkEnds {
    /// What it is.
    pub kind: LinkKind,
    /// The parties at its ends; a reader's field has nobody at its far end until a card comes.
    pub ends: [Option<SeatId>; 2],
    /// The address at which its far end listens, of a path for connections.
    pub listens: Option<SocketAddrV4>,
}

impl Names {
    /// Of what stands on a tabletop.
    pub fn of<F: Family>(table: &Tabletop<F>) -> Self {
        let (seats, lines, supplies) = table.names();
        let owned = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect();
        let (links, feeds) = table.wiring();
        Self { seats: owned(seats), lines: owned(lines), supplies: owned(supplies), links, feeds }
    }
}

/// What a run leaves of its bench.
#[derive(Clone)]
pub struct Remains<F: Family> {
    /// When it ended.
    pub now: Instant,
    /// Who and what stood there.
    pub names: Names,
    /// Everything observed.
    pub tape: Tape<F::Event>,
    /// The sites gone through, if they were recorded.
    pub visits: Vec<Visit>,
    /// The strikes of the plan that have had no effect, by their place in it.
    pub not_reached: Vec<usize>,
    /// The granularity margin, where it was recorded.
    pub margin: Option<Margin>,
    /// How long timers ran, where the whole tape was kept on a bench with exact time.
    pub lapses: Vec<Lapse>,
    /// What was noticed about real parties beside the bench.
    pub noticed: Noticed,
}

/// What a bench with real parties notices of them apart from what crosses its links.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Noticed {
    /// What makes a run inconclusive unless it has failed: a party that ended by itself, floods, or does not read.
    pub troubles: Vec<String>,
    /// What the power switches have achieved.
    pub achieved: Vec<String>,
    /// Since when the bench has not kept time, and how that is said. What was seen from then on blames nobody.
    pub late: Option<(Instant, String)>,
}

impl<F: Family> Remains<F> {
    /// Of a run on a tabletop.
    pub fn of(table: Tabletop<F>) -> Self {
        let (now, names, not_reached) = (table.now(), Names::of(&table), table.not_reached());
        let (margin, lapses) = (table.margin(), table.lapses());
        let (tape, visits) = table.into_tape();
        Self { now, names, tape, visits, not_reached, margin, lapses, noticed: Noticed::default() }
    }
}

/// What real parties tell of their ledgers, or why they do not, each by its seat.
pub type Told = Vec<(SeatId, Result<String, String>)>;

/// What is on the tape once an operator has done by hand what was asked for.
pub const DONE_BY_HAND: &str = "the operator has done it";

/// A bench.
pub trait Bench<F: Family> {
    /// Bench time.
    fn now(&self) -> Instant;
    /// Does the next thing that is due at or before `until`; false if there is nothing more until then.
    ///
    /// Errors: the bench cannot go on.
    fn step(&mut self, until: Instant) -> Result<bool, BenchError>;
    /// The tape so far.
    fn tape(&self) -> &Tape<F::Event>;
    /// The party in a seat.
    fn party(&self, seat: SeatId) -> Lent<'_, F::Party>;
    /// Who and what stands here.
    fn names(&self) -> Names;
    /// The seat of this name.
    fn seat_named(&self, name: &str) -> Option<SeatId>;
    /// The link of this name.
    fn line_named(&self, name: &str) -> Option<LineId>;
    /// The supply of this name.
    fn supply_named(&self, name: &str) -> Option<SupplyId>;
    /// What a link is.
    fn link_kind(&self, line: LineId) -> LinkKind;
    /// Records every site that the run goes through from here on.
    fn record_visits(&mut self);
    /// How many sites the run has gone through since then; none on a bench that cannot say so under way.
    fn visited(&self) -> usize {
        0
    }
    /// Records the granularity margin from here on, on benches where time is exact.
    fn record_margin(&mut self);
    /// Switches every supply on.
    fn switch_on(&mut self);
    /// Does something to a party.
    fn stimulate(&mut self, seat: SeatId, stimulus: F::Stimulus);
    /// Cuts a supply now.
    fn cut(&mut self, supply: SupplyId, torn: Torn);
    /// Takes back one cut of a supply.
    fn restore(&mut self, supply: SupplyId);
    /// Puts a card into a reader's field.
    fn plug(&mut self, line: LineId, card: SeatId);
    /// Takes the card out of a reader's field.
    fn unplug(&mut self, line: LineId, torn: Torn);
    /// Puts on the tape what an observer reads off a party's boundary.
    fn note(&mut self, seat: SeatId, event: F::Event);
    /// Puts a remark of the case on the tape.
    fn remark(&mut self, text: String);
    /// What real parties tell of their ledgers, as text, each by its seat; nothing on a bench that has none.
    fn told(&mut self) -> Told {
        Vec::new()
    }
    /// Notes that a real party could not be observed.
    fn trouble(&mut self, _what: String) {}
    /// Why nothing would follow from a cut of this supply, where a real party cannot notice it.
    fn forbids(&self, _supply: &str) -> Option<String> {
        None
    }
    /// Asks an operator for something to be done by hand at the party before which this seat is, before the bench does
    /// it; how long that may take, or nothing where no hand is needed. It is done when [`DONE_BY_HAND`] is on the tape.
    fn ask(&mut self, _seat: SeatId, _what: &str) -> Option<Span> {
        None
    }
    /// The seat at an end of a link.
    fn end_of(&self, _line: LineId, _way: Way) -> Option<SeatId> {
        None
    }
    /// The fingerprint of the whole bench.
    fn digest(&self) -> u128;
    /// Ends the run.
    fn remains(self: Box<Self>) -> Remains<F>;
}

/// How a tabletop's time passes: by jumps, or with a real clock and real ports.
pub trait Pace<F: Family> {
    /// Does the next thing that is due at or before `until`; false if there is nothing more until then.
    ///
    /// Errors: the bench cannot go on.
    fn step(&mut self, bench: &mut Tabletop<F>, until: Instant) -> Result<bool, BenchError>;

    /// What real parties tell of their ledgers.
    fn told(&mut self) -> Told {
        Vec::new()
    }

    /// Notes that a real party could not be observed.
    fn trouble(&mut self, _what: String) {}

    /// Why nothing would follow from a cut of this supply, where a real party cannot notice it.
    fn forbids(&self, _supply: &str) -> Option<String> {
        None
    }

    /// Asks an operator for something to be done by hand, as [`Bench::ask`] does.
    fn ask(&mut self, _bench: &Tabletop<F>, _seat: SeatId, _what: &str) -> Option<Span> {
        None
    }

    /// What was noticed about real parties.
    fn noticed(&self) -> Noticed {
        Noticed::default()
    }
}

/// From deadline to deadline.
#[derive(Clone, Copy, Debug, Default)]
pub struct Jumps;

impl<F: Family> Pace<F> for Jumps {
    fn step(&mut self, bench: &mut Tabletop<F>, until: Instant) -> Result<bool, BenchError> {
        Ok(bench.step(until))
    }
}

/// A tabletop and the pace of its time.
pub struct Paced<F: Family, P> {
    /// The tabletop.
    pub table: Tabletop<F>,
    /// Its pace.
    pub pace: P,
}

impl<F: Family, P: Pace<F>> Bench<F> for Paced<F, P> {
    fn now(&self) -> Instant {
        self.table.now()
    }
    fn step(&mut self, until: Instant) -> Result<bool, BenchError> {
        self.pace.step(&mut self.table, until)
    }
    fn tape(&self) -> &Tape<F::Event> {
        self.table.tape()
    }
    fn party(&self, seat: SeatId) -> Lent<'_, F::Party> {
        Lent::Plain(self.table.party(seat))
    }
    fn names(&self) -> Names {
        Names::of(&self.table)
    }
    fn seat_named(&self, name: &str) -> Option<SeatId> {
        self.table.seat_named(name)
    }
    fn line_named(&self, name: &str) -> Option<LineId> {
        self.table.line_named(name)
    }
    fn supply_named(&self, name: &str) -> Option<SupplyId> {
        self.table.supply_named(name)
    }
    fn link_kind(&self, line: LineId) -> LinkKind {
        self.table.link_kind(line)
    }
    fn record_visits(&mut self) {
        self.table.record_visits();
    }

    fn visited(&self) -> usize {
        self.table.visits().len()
    }
    fn record_margin(&mut self) {
        self.table.record_margin();
    }
    fn switch_on(&mut self) {
        self.table.switch_on();
    }
    fn stimulate(&mut self, seat: SeatId, stimulus: F::Stimulus) {
        self.table.stimulate(seat, stimulus);
    }
    fn cut(&mut self, supply: SupplyId, torn: Torn) {
        self.table.cut(supply, torn);
    }
    fn restore(&mut self, supply: SupplyId) {
        self.table.restore(supply);
    }
    fn plug(&mut self, line: LineId, card: SeatId) {
        self.table.plug(line, card);
    }
    fn unplug(&mut self, line: LineId, torn: Torn) {
        self.table.unplug(line, torn);
    }
    fn note(&mut self, seat: SeatId, event: F::Event) {
        self.table.note(seat, event);
    }
    fn remark(&mut self, text: String) {
        self.table.remark(text);
    }
    fn told(&mut self) -> Told {
        self.pace.told()
    }
    fn trouble(&mut self, what: String) {
        self.pace.trouble(what);
    }
    fn forbids(&self, supply: &str) -> Option<String> {
        self.pace.forbids(supply)
    }
    fn ask(&mut self, seat: SeatId, what: &str) -> Option<Span> {
        self.pace.ask(&self.table, seat, what)
    }
    fn end_of(&self, line: LineId, way: Way) -> Option<SeatId> {
        self.table.ends(line)[way.index()]
    }
    fn digest(&self) -> u128 {
        self.table.digest()
    }
    fn remains(self: Box<Self>) -> Remains<F> {
        let noticed = self.pace.noticed();
        Remains { noticed, ..Remains::of(self.table) }
    }
}
