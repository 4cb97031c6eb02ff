//! The tabletop: the bench that jumps from deadline to deadline, with no runtime and no clock.
//!
//! At one instant, what happens has a fixed order: planned acts, then arrivals on links in the order of the layout,
//! then the parties in that order, each with its storage first, then what it sends, what waits for it and its deadline.
//! A run therefore depends on layout, plan and seed alone.

mod agenda;
mod attempt;
mod census;
mod lapses;
mod layout;
mod lines;
mod margin;
mod parts;
mod power;
mod requests;
mod routes;
mod run;
mod seat;
mod strikes;
#[cfg(test)]
pub(crate) mod tests;
mod wires;

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::bench::{LinkEnds, Names};
use crate::digest::Digest;
use crate::fault::{FaultPlan, LinkKind, Mishap, Way};
use crate::link::Arrival;
use crate::machine::{Board, Torn};
use crate::tape::{Fingerprint, Keep, Legend, LineId, SeatId, Seen, SupplyId, Tape};
use crate::time::{Instant, Span, Wall};

pub use census::{SiteKind, Visit};
pub use lapses::Lapse;
pub use layout::{Layout, Listener, Socket};
pub use margin::{Happening, Margin};
pub use parts::{Luggage, Part};
pub use requests::Request;
pub use strikes::PlanError;

use agenda::Agenda;
use census::Census;
use lapses::Lapses;
use lines::Lines;
use run::Act;
use seat::{Given, Seat};
use strikes::Armed;
use wires::Line;

/// A whole unit at the front of what a party sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unit {
    /// How many bytes.
    pub len: usize,
    /// Its name.
    pub name: &'static str,
}

/// Finds the units in what crosses a link one way, however it is cut, so that a site keeps its name.
pub trait Scanner: Clone {
    /// Takes bytes.
    fn push(&mut self, bytes: &[u8]);

    /// The next whole unit among the bytes taken.
    fn poll(&mut self) -> Option<Unit>;

    /// Gives up waiting: names whatever is held as one unit.
    fn flush(&mut self) -> Option<Unit>;

    /// Adds what the scanner has in mind apart from the bytes that it holds, which the bench adds itself.
    fn digest(&self, _into: &mut Digest) {}
}

/// A family of parties that can share a bench.
pub trait Family: Clone + 'static {
    /// Any of its parties.
    type Party: Board<Stimulus = Self::Stimulus, Event = Self::Event>;
    /// What is done to one of them.
    type Stimulus: Clone;
    /// What one of them says of itself.
    type Event: Clone + Fingerprint;
    /// What names its units.
    type Scanner: Scanner;

    /// The stimulus that makes a modem, or whatever the family has, suffer what a plan calls by this name.
    fn suffering(what: &str) -> Option<Self::Stimulus>;

    /// A unit's meaning in words, where the family knows more than its bytes show.
    fn meaning(name: &str, bytes: &[u8]) -> Option<String>;

    /// An event in words.
    fn event_words(event: &Self::Event) -> String;
}

/// A bench under way.
#[derive(Clone)]
pub struct Tabletop<F: Family> {
    now: Instant,
    epoch: Wall,
    quiet: Span,
    inbox_max: usize,
    seats: Vec<Seat<F>>,
    lines: Lines<F>,
    supplies: Vec<Supply>,
    /// When links and, behind them, seats want anything next: of seats kept up to date after every touch, of links as
    /// soon as the bench goes on.
    agenda: Agenda,
    switched_on: bool,
    acts: Vec<Act>,
    armed: Vec<Armed>,
    /// The strikes that wait at each place and count there.
    waiting: BTreeMap<(usize, u32), Vec<usize>>,
    census: Census,
    /// Whether a strike waits for a byte, so that bytes are counted.
    counts_bytes: bool,
    visits: Option<Vec<Visit>>,
    exports: Vec<Export>,
    requests: Vec<Request>,
    errands: Vec<Mishap>,
    margin: Option<Box<margin::Recorder<F>>>,
    /// How long timers run, where the whole tape is kept as well.
    lapses: Option<Lapses>,
    tape: Tape<F::Event>,
}

#[derive(Clone)]
struct Supply {
    name: String,
    feeds: Vec<SeatId>,
    /// How many cuts of it are in force.
    cuts: u32,
}

/// Something that leaves the bench over a link that leads out of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    /// The link.
    pub line: LineId,
    /// The way.
    pub way: Way,
    /// On which connection of the link; 0 where there are none.
    pub conn: u16,
    /// What leaves: bytes, or for the socket of a connection that it shall be opened, closed or abandoned.
    pub what: Arrival,
}

impl<F: Family> Tabletop<F> {
    /// Sets up a bench with its fault plan, all supplies off. Nothing happens before [`Tabletop::switch_on`].
    ///
    /// Errors: a strike that names a party, link or supply that the layout has not, or a fate that its link cannot
    /// suffer.
    pub fn new(layout: Layout<F>, plan: &FaultPlan, keep: Keep) -> Result<Self, PlanError> {
        let mut bench = Self::bare(layout, keep);
        bench.wire_up();
        bench.arm(plan)?;
        Ok(bench)
    }

    fn bare(layout: Layout<F>, keep: Keep) -> Self {
        let Layout { seats, lines, supplies, epoch, quiet, inbox_max } = layout;
        let places = seats.len() + lines.len();
        Self {
            now: Instant::ZERO,
            epoch,
            quiet,
            inbox_max,
            agenda: Agenda::new(places),
            seats: seats.into_iter().map(|(name, board)| Seat::new(name, board)).collect(),
            lines: Lines::new(lines.into_iter().map(Line::new)),
            supplies: supplies.into_iter().map(|(name, feeds)| Supply { name, feeds, cuts: 0 }).collect(),
            switched_on: false,
            acts: Vec::new(),
            armed: Vec::new(),
            waiting: BTreeMap::new(),
            census: Census::new(places),
            counts_bytes: false,
            visits: None,
            exports: Vec::new(),
            requests: Vec::new(),
            errands: Vec::new(),
            margin: None,
            lapses: (keep == Keep::All).then(Lapses::default),
            tape: Tape::new(keep),
        }
    }

    /// Records every site that the run goes through from here on.
    pub fn record_visits(&mut self) {
        for seat in 0..self.seats.len() {
            self.seats[seat].watched = true;
            self.refresh(seat);
        }
        self.visits = Some(Vec::new());
    }

    /// The sites gone through since recording began.
    pub fn visits(&self) -> &[Visit] {
        self.visits.as_deref().unwrap_or_default()
    }

    /// How long timers ran, where the whole tape is kept as well; otherwise none.
    pub fn lapses(&self) -> Vec<Lapse> {
        self.lapses.clone().map(|lapses| lapses.all(self.now)).unwrap_or_default()
    }

    /// Bench time.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// The tape so far.
    pub fn tape(&self) -> &Tape<F::Event> {
        &self.tape
    }

    /// The tape, to put on it what other benches have seen.
    #[cfg(feature = "world")]
    pub(crate) fn tape_mut(&mut self) -> &mut Tape<F::Event> {
        &mut self.tape
    }

    /// The tape and the sites gone through, without the rest.
    pub(crate) fn into_tape(self) -> (Tape<F::Event>, Vec<Visit>) {
        (self.tape, self.visits.unwrap_or_default())
    }

    /// The party in a seat: for what lies at its boundary, such as a card's blocks or a chip's bytes.
    pub fn party(&self, seat: SeatId) -> &F::Party {
        &self.seats[usize::from(seat.0)].board
    }

    /// The seat of this name.
    pub fn seat_named(&self, name: &str) -> Option<SeatId> {
        let at = self.seats.iter().position(|seat| seat.name == name)?;
        u16::try_from(at).ok().map(SeatId)
    }

    /// The link of this name.
    pub fn line_named(&self, name: &str) -> Option<LineId> {
        let at = self.lines.iter().position(|line| line.name == name)?;
        u16::try_from(at).ok().map(LineId)
    }

    /// The supply of this name.
    pub fn supply_named(&self, name: &str) -> Option<SupplyId> {
        let at = self.supplies.iter().position(|supply| supply.name == name)?;
        u16::try_from(at).ok().map(SupplyId)
    }

    /// The names of all seats, links and supplies, in the order of the layout.
    pub fn names(&self) -> (Vec<&str>, Vec<&str>, Vec<&str>) {
        (
            self.seats.iter().map(|seat| seat.name.as_str()).collect(),
            self.lines.iter().map(|line| line.name.as_str()).collect(),
            self.supplies.iter().map(|supply| supply.name.as_str()).collect(),
        )
    }

    /// How the links are wired, and whom each supply feeds, in the order of the layout.
    pub fn wiring(&self) -> (Vec<LinkEnds>, Vec<Vec<SeatId>>) {
        let links = self.lines.iter().map(|line| LinkEnds {
            kind: line.link.kind(),
            ends: line.ends.map(|end| end.seat),
            listens: line.ends[1].listens,
        });
        (links.collect(), self.supplies.iter().map(|supply| supply.feeds.clone()).collect())
    }

    /// The parties at the two ends of a link, as it is wired now.
    pub fn ends(&self, line: LineId) -> [Option<SeatId>; 2] {
        self.lines[usize::from(line.0)].ends.map(|end| end.seat)
    }

    /// What a link is.
    pub fn link_kind(&self, line: LineId) -> LinkKind {
        self.lines[usize::from(line.0)].link.kind()
    }

    /// The parties that a supply feeds.
    pub fn feeds(&self, supply: SupplyId) -> &[SeatId] {
        &self.supplies[usize::from(supply.0)].feeds
    }

    /// Puts a remark of the case on the tape.
    pub fn remark(&mut self, text: impl Into<String>) {
        let entry = Seen::Case(text.into());
        self.tape.push(self.now, entry);
    }

    /// Puts on the tape what an observer reads off a party's boundary.
    pub fn note(&mut self, seat: SeatId, event: F::Event) {
        self.tape.push(self.now, Seen::Noted { seat, event });
    }

    /// What has left over links that lead out of the bench.
    pub fn take_exports(&mut self) -> Vec<Export> {
        std::mem::take(&mut self.exports)
    }

    /// The fingerprint of the whole bench: parties, links, what is planned and still to come, and how far the sites
    /// of strikes that still wait have been counted. What has been and cannot matter any more is not part of it.
    pub fn digest(&self) -> u128 {
        let mut into = Digest::new(self.now);
        for seat in &self.seats {
            seat.digest(self.now, &mut into);
        }
        for line in &self.lines {
            line.digest(&mut into);
        }
        for supply in &self.supplies {
            into.word(u64::from(supply.cuts));
        }
        into.flag(self.switched_on).word(self.acts.len() as u64);
        for act in &self.acts {
            act.digest(&mut into);
        }
        self.digest_armed(&mut into);
        for Export { line, way, conn, what } in &self.exports {
            into.word(u64::from(line.0)).word(way.index() as u64).word(u64::from(*conn));
            what.digest(&mut into);
        }
        if self
            .seats
            .iter()
            .flat_map(|seat| &seat.inbox)
            .any(|(_, given)| matches!(given, Given::Stimulus(_)))
        {
            // A stimulus has no fingerprint, so a bench where one waits equals only those with the same past.
            into.bytes(&self.tape.digest().to_le_bytes());
        }
        into.finish()
    }

    /// The strikes of the plan that have had no effect, by their place in it: the run has not come to their sites, or
    /// another strike at the same site has prevented them, or what happens there cannot suffer them.
    pub fn not_reached(&self) -> Vec<usize> {
        (0..self.armed.len()).filter(|strike| !self.armed[*strike].done).collect()
    }

    /// Does something to a party, as a person, a till or a sensor would.
    pub fn stimulate(&mut self, seat: SeatId, stimulus: F::Stimulus) {
        self.trace_case();
        self.give(usize::from(seat.0), Given::Stimulus(stimulus));
    }

    /// Switches every supply on that is not cut, in the order of the layout; nothing if that has been done.
    pub fn switch_on(&mut self) {
        if std::mem::replace(&mut self.switched_on, true) {
            return;
        }
        self.trace_case();
        for supply in 0..self.supplies.len() {
            if self.supplies[supply].cuts == 0 {
                self.tape.push(self.now, Seen::Power { supply: supply_id(supply), on: true });
            }
        }
        for seat in 0..self.seats.len() {
            self.reboot(seat);
        }
    }

    /// Cuts a supply now, for good unless [`Tabletop::restore`] follows.
    pub fn cut(&mut self, supply: SupplyId, torn: Torn) {
        self.trace_case();
        self.cut_supply(usize::from(supply.0), torn);
    }

    /// Takes back one cut of a supply.
    pub fn restore(&mut self, supply: SupplyId) {
        self.trace_case();
        self.restore_supply(usize::from(supply.0));
    }

    /// Puts a card into a reader's field, in place of one that may be there.
    pub fn plug(&mut self, line: LineId, card: SeatId) {
        self.trace_case();
        self.plug_in(usize::from(line.0), card);
    }

    /// Takes the card out of a reader's field; a block being programmed then reads as `torn` says.
    pub fn unplug(&mut self, line: LineId, torn: Torn) {
        self.trace_case();
        self.pull_out(usize::from(line.0), torn);
    }

    /// The card in a reader's field.
    pub fn plugged(&self, line: LineId) -> Option<SeatId> {
        self.lines[usize::from(line.0)].ends[1].seat
    }
}

fn line_id(at: usize) -> LineId {
    LineId(u16::try_from(at).unwrap_or(u16::MAX))
}

fn seat_id(at: usize) -> SeatId {
    SeatId(u16::try_from(at).unwrap_or(u16::MAX))
}

fn supply_id(at: usize) -> SupplyId {
    SupplyId(u16::try_from(at).unwrap_or(u16::MAX))
}

/// Names and words for the tape of a bench.
pub struct BenchLegend<F: Family> {
    seats: Vec<String>,
    lines: Vec<String>,
    supplies: Vec<String>,
    strikes: Vec<String>,
    family: std::marker::PhantomData<F>,
}

impl<F: Family> BenchLegend<F> {
    /// The legend of a run under this plan.
    pub fn new(names: Names, plan: &FaultPlan) -> Self {
        let Names { seats, lines, supplies, .. } = names;
        Self {
            seats,
            lines,
            supplies,
            strikes: plan.strikes.iter().map(ToString::to_string).collect(),
            family: std::marker::PhantomData,
        }
    }
}

fn name_of(names: &[String], at: u16) -> &str {
    names.get(usize::from(at)).map_or("?", String::as_str)
}

impl<F: Family> Legend<F::Event> for BenchLegend<F> {
    fn seat(&self, seat: SeatId) -> &str {
        name_of(&self.seats, seat.0)
    }
    fn line(&self, line: LineId) -> &str {
        name_of(&self.lines, line.0)
    }
    fn supply(&self, supply: SupplyId) -> &str {
        name_of(&self.supplies, supply.0)
    }
    fn strike(&self, strike: usize) -> String {
        self.strikes.get(strike).cloned().unwrap_or_default()
    }
    fn meaning(&self, name: &str, bytes: &[u8]) -> Option<String> {
        F::meaning(name, bytes)
    }
    fn event(&self, event: &F::Event) -> String {
        F::event_words(event)
    }
}

/// A place's name for a site.
fn place_name(name: &str) -> Cow<'static, str> {
    Cow::Owned(name.to_owned())
}
