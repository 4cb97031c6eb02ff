//! One bench of the experiment: terminals side by side, and a customer with a card of his own for every swipe.

use std::collections::BTreeMap;

use assay_sim::bench::{Jumps, Paced};
use assay_sim::card::content::read_rule;
use assay_sim::fault::Way;
use assay_sim::machine::Torn;
use assay_sim::money::{Fen, Volume};
use assay_sim::policy::PolicyName;
use assay_sim::seed::{Seed, Stream};
use assay_sim::tabletop::Tabletop;
use assay_sim::tape::{Entry, Keep, Seen};
use assay_sim::time::{Instant, Span};
use assay_sim::water::cards::CardSpec;
use assay_sim::water::family::Water;
use assay_sim::water::frame::OrderNumber;
use assay_sim::water::ledger::{OrderState, Prepayment};
use assay_sim::water::party::{Event, Party, Stimulus};
use assay_sim::water::payments::PaymentsStimulus;
use assay_sim::water::plant::{Plant, Seating};
use assay_sim::water::policy::Policy;
use assay_sim::water::profile::Profile;
use assay_sim::water::tariff::Pricing;

use super::disturbance::{CutSpans, Disturbances};
use crate::stage::StageError;
use crate::system::Sut;
use crate::trial::KEPT;
use crate::water::scene::{Scene, TerminalCast};

/// The source's number of terminals.
pub const TERMINALS: usize = 5;
/// How long after a card went in it is compared with the ledger.
pub const COMPARED_AFTER: Span = Span::s(600);
/// How long power stays away.
pub const OFF: Span = Span::s(5);
/// What writing the record takes at most, with its mark.
pub const RECORD_TIME: Span = Span::ms(100);
/// How long after the record the cuts fall that miss the window.
pub const AFTER: Span = Span::s(60);
/// How long a card is being dealt with: read, asked about, written and its result uploaded.
pub const AT_CARD: Span = Span::s(5);

/// When the first customers come: all terminals are ready by then.
const OPENED: Span = Span::s(120);
/// From payment to the card in the slot.
const PAID_BEFORE: Span = Span::s(5);
/// From the words on the display to the card's leaving.
const READS_FOR: Span = Span::s(1);
/// The least and greatest time from one customer's leaving to the next one's coming.
const BETWEEN: [Span; 2] = [Span::s(20), Span::s(60)];
/// How long a terminal that was disturbed is left alone.
const CALM: Span = Span::s(90);
/// What orders cost, least and most.
const PAID: [u64; 2] = [350, 35_000];
/// The first order's number.
const FIRST_ORDER: u128 = 1_001;
/// The most steps of one bench; one that needs more is a live-lock of ours.
const STEPS_MAX: u64 = 20_000_000;

/// How a swipe ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Card and ledger agree.
    InStep,
    /// The ledger lists the order as in doubt.
    InDoubt,
    /// Card and ledger disagree, and nobody knows.
    OutOfStep,
}

/// One swipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Swipe {
    /// At which terminal.
    pub terminal: usize,
    /// Its place there, from 0.
    pub place: usize,
    /// How it ended.
    pub outcome: Outcome,
    /// Whether the card was credited.
    pub credited: bool,
}

/// What one bench came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BenchOutcome {
    /// Every swipe, in the order of their comparisons.
    pub swipes: Vec<Swipe>,
    /// How many uploads stayed without an answer because their connection died.
    pub losses: u64,
    /// How many power cuts there were.
    pub cuts: u64,
}

/// What is done at a time.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Pay(usize),
    Present(usize),
    Remove { terminal: usize, swipe: usize },
    Compare(usize),
    Cut { terminal: usize, torn: Torn },
    Restore(usize),
}

/// One terminal and those who come to it.
struct Counter {
    gaps: Stream,
    /// How many customers have come.
    come: usize,
    /// The swipe whose card is in the slot and has had no word yet.
    waiting: Option<usize>,
    /// When the last message was begun.
    began: Instant,
    /// Left alone until then.
    calm_until: Instant,
}

/// What a bench is built of.
#[derive(Clone, Debug)]
pub struct Bench<'a> {
    /// Every open value.
    pub profile: &'a Profile,
    /// The design.
    pub policy: PolicyName,
    /// What decides every draw.
    pub seed: Seed,
    /// How many swipes at each terminal.
    pub swipes: usize,
}

struct Course<'a> {
    bench: Tabletop<Water>,
    scene: Scene,
    disturbances: &'a Disturbances,
    spans: CutSpans,
    swipes: usize,
    agenda: BTreeMap<(Instant, u64), Deed>,
    deeds: u64,
    counters: Vec<Counter>,
    money: Stream,
    cursor: u64,
    outcome: BenchOutcome,
}

impl Bench<'_> {
    /// Runs all swipes under these disturbances.
    ///
    /// Errors: [`StageError::Plant`], [`StageError::Plan`], [`StageError::Runaway`].
    pub fn run(&self, disturbances: &Disturbances) -> Result<BenchOutcome, StageError> {
        let card = CardSpec { sold: Volume(0), pricing: Pricing::Flat };
        let plant = Plant {
            profile: self.profile.clone(),
            policy: Policy::named(self.policy),
            terminals: TERMINALS,
            cards: vec![card; TERMINALS * self.swipes],
            seating: Seating::Whole,
            seed: self.seed,
        };
        let table = Tabletop::new(
            plant.layout().map_err(|error| StageError::Plant(error.to_string()))?,
            &disturbances.plan(),
            Keep::Last(KEPT),
        )?;
        let bench = Paced { table, pace: Jumps };
        let scene = Scene::new(&plant, Sut::System, &bench)
            .ok_or_else(|| StageError::NoSuch("whole cast".to_owned()))?;
        let counter = |cast: &TerminalCast| Counter {
            gaps: self.seed.stream(&format!("experiment-customers-{}", cast.letter)),
            come: 0,
            waiting: None,
            began: Instant::ZERO,
            calm_until: Instant::ZERO,
        };
        let spans = CutSpans {
            window: self.profile.terminal.answer_timeout + RECORD_TIME,
            after: AFTER,
            at_card: AT_CARD,
        };
        let mut course = Course {
            counters: scene.terminals.iter().map(counter).collect(),
            bench: bench.table,
            scene,
            disturbances,
            spans,
            swipes: self.swipes,
            agenda: BTreeMap::new(),
            deeds: 0,
            money: self.seed.stream("experiment-money"),
            cursor: 0,
            outcome: BenchOutcome::default(),
        };
        course.carry_out()?;
        Ok(course.outcome)
    }
}

impl Course<'_> {
    fn carry_out(&mut self) -> Result<(), StageError> {
        self.bench.switch_on();
        for terminal in 0..self.counters.len() {
            self.next_customer(terminal, Instant::ZERO + OPENED);
        }
        let mut steps = 0;
        while let Some((&(at, _), _)) = self.agenda.first_key_value() {
            if self.bench.step(at) {
                steps += 1;
                if steps > STEPS_MAX {
                    return Err(StageError::Runaway(steps));
                }
                self.look();
            } else if let Some((_, deed)) = self.agenda.pop_first() {
                self.perform(deed)?;
                self.look();
            }
        }
        Ok(())
    }

    fn schedule(&mut self, at: Instant, deed: Deed) {
        self.deeds += 1;
        self.agenda.insert((at, self.deeds), deed);
    }

    /// Takes in what is new on the tape.
    fn look(&mut self) {
        let mut new = Vec::new();
        for entry in self.bench.tape().since(self.cursor) {
            self.cursor = entry.ordinal + 1;
            new.extend(self.notable(entry));
        }
        for notable in new {
            self.react(notable);
        }
    }

    /// What matters of an entry.
    fn notable(&self, entry: &Entry<Event>) -> Option<Notable> {
        match &entry.what {
            Seen::Sent { line, way: Way::AtoB, name, .. } => {
                let terminal = self
                    .scene
                    .terminals
                    .iter()
                    .position(|cast| cast.display == *line || cast.uart == *line)?;
                if self.scene.terminals[terminal].display == *line {
                    Some(Notable::Told(terminal))
                } else {
                    name.starts_with("AT+IPSEND").then_some(Notable::Began(terminal))
                }
            }
            Seen::Struck { strike } => Some(Notable::Struck(*strike)),
            _ => None,
        }
    }

    fn react(&mut self, notable: Notable) {
        let now = self.bench.now();
        match notable {
            Notable::Began(terminal) => self.counters[terminal].began = now,
            Notable::Told(terminal) => {
                if let Some(swipe) = self.counters[terminal].waiting {
                    self.schedule(now + READS_FOR, Deed::Remove { terminal, swipe });
                }
            }
            Notable::Struck(strike) => {
                let Some((terminal, cut)) = self.disturbances.loss(strike) else { return };
                self.outcome.losses += 1;
                let began = self.counters[terminal].began;
                self.disturbed(terminal, began + self.spans.window);
                if let Some(cut) = cut {
                    let at = cut.at(began, now, &self.spans);
                    self.schedule(at, Deed::Cut { terminal, torn: cut.torn.torn() });
                    self.disturbed(terminal, at + OFF);
                }
            }
        }
    }

    /// The next customer waits until the terminal has been left alone for a while.
    fn disturbed(&mut self, terminal: usize, until: Instant) {
        let calm = &mut self.counters[terminal].calm_until;
        *calm = (*calm).max(until + CALM);
    }

    fn next_customer(&mut self, terminal: usize, from: Instant) {
        let counter = &mut self.counters[terminal];
        if counter.come < self.swipes {
            let at = from + counter.gaps.span_between(BETWEEN[0], BETWEEN[1]);
            self.schedule(at, Deed::Pay(terminal));
        }
    }

    fn perform(&mut self, deed: Deed) -> Result<(), StageError> {
        let now = self.bench.now();
        match deed {
            Deed::Pay(terminal) if self.counters[terminal].calm_until > now => {
                self.schedule(self.counters[terminal].calm_until, deed);
            }
            Deed::Pay(terminal) => {
                let swipe = self.counters[terminal].come * TERMINALS + terminal;
                self.counters[terminal].come += 1;
                self.pay(swipe)?;
                self.schedule(now + PAID_BEFORE, Deed::Present(swipe));
            }
            Deed::Present(swipe) if self.counters[swipe % TERMINALS].calm_until > now => {
                self.schedule(self.counters[swipe % TERMINALS].calm_until, deed);
            }
            Deed::Present(swipe) => self.present(swipe),
            Deed::Remove { terminal, swipe } => {
                if self.counters[terminal].waiting == Some(swipe) {
                    self.counters[terminal].waiting = None;
                    self.bench.unplug(self.scene.terminals[terminal].rf, Torn::default());
                    self.next_customer(terminal, now);
                }
            }
            Deed::Compare(swipe) => self.compare(swipe)?,
            Deed::Cut { terminal, torn } => {
                self.outcome.cuts += 1;
                self.bench.cut(self.scene.terminals[terminal].supplies.strip, torn);
                self.schedule(now + OFF, Deed::Restore(terminal));
            }
            Deed::Restore(terminal) => self.bench.restore(self.scene.terminals[terminal].supplies.strip),
        }
        Ok(())
    }

    fn pay(&mut self, swipe: usize) -> Result<(), StageError> {
        let paid = Fen(i64::try_from(self.money.between(PAID[0], PAID[1])).unwrap_or(0));
        let card = self.scene.cards[swipe].number;
        let order = order_of(swipe)?;
        let stimulus = PaymentsStimulus::Prepay(Prepayment { card, order, pricing: Pricing::Flat, paid });
        let seat =
            self.bench.seat_named("payments").ok_or_else(|| StageError::NoSuch("payments".to_owned()))?;
        self.bench.stimulate(seat, Stimulus::Payments(stimulus));
        Ok(())
    }

    fn present(&mut self, swipe: usize) {
        let (now, terminal) = (self.bench.now(), swipe % TERMINALS);
        self.counters[terminal].waiting = Some(swipe);
        self.bench.plug(self.scene.terminals[terminal].rf, self.scene.cards[swipe].seat);
        let patience = self.scene.profile.bench.card_within;
        self.schedule(now + patience, Deed::Remove { terminal, swipe });
        self.schedule(now + COMPARED_AFTER, Deed::Compare(swipe));
        if let Some(cut) = self.disturbances.swipe_cut(terminal, swipe / TERMINALS) {
            let at = cut.after_card(now, &self.spans);
            self.schedule(at, Deed::Cut { terminal, torn: cut.torn.torn() });
            self.disturbed(terminal, at + OFF);
        }
    }

    /// Lays card and ledger side by side.
    fn compare(&mut self, swipe: usize) -> Result<(), StageError> {
        let cast = &self.scene.cards[swipe];
        let (Party::Card(tag), Party::Server(server)) =
            (self.bench.party(cast.seat), self.bench.party(self.scene.server))
        else {
            return Err(StageError::NoSuch("card or server".to_owned()));
        };
        let mut blocks = [0; 6];
        blocks.copy_from_slice(&tag.blocks()[1..7]);
        // A card that nobody can read any more agrees with nothing.
        let sold = read_rule(blocks).ok().map(|reading| reading.content.sold);
        let ledger = server.ledger();
        let state = ledger.order(order_of(swipe)?).map(|order| order.state);
        let last = ledger.card(cast.number).map_or(Volume(0), |account| account.last);
        let outcome = match state {
            Some(OrderState::InDoubt) => Outcome::InDoubt,
            _ if sold == Some(last) => Outcome::InStep,
            _ => Outcome::OutOfStep,
        };
        self.outcome.swipes.push(Swipe {
            terminal: swipe % TERMINALS,
            place: swipe / TERMINALS,
            outcome,
            credited: sold.is_some_and(|sold| sold > cast.spec.sold),
        });
        Ok(())
    }
}

/// An entry that matters.
enum Notable {
    /// A terminal begins a message.
    Began(usize),
    /// A terminal's display shows something.
    Told(usize),
    /// A planned fault strikes.
    Struck(usize),
}

fn order_of(swipe: usize) -> Result<OrderNumber, StageError> {
    OrderNumber::new(FIRST_ORDER + swipe as u128).map_err(|_| StageError::NoSuch("order number".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::super::disturbance::{Cuts, MILLION, Setting};
    use super::*;

    fn lost(cuts: Cuts) -> usize {
        let (seed, swipes, policy) = (Seed(5), 10, PolicyName::Published);
        let drawn = Disturbances::draw(seed, TERMINALS, swipes, Setting { leg_loss: MILLION / 5, cuts });
        let profile = Profile::built_in().unwrap();
        let outcome = Bench { profile: &profile, policy, seed, swipes }.run(&drawn.at_once()).unwrap();
        assert!(outcome.cuts > 10, "{}", outcome.cuts);
        outcome.swipes.iter().filter(|swipe| swipe.outcome == Outcome::OutOfStep).count()
    }

    #[test]
    fn the_record_is_whole_when_the_window_ends() {
        assert_eq!(lost(Cuts::Window(0)), 0);
        assert!(lost(Cuts::Window(MILLION)) > 3);
    }
}
