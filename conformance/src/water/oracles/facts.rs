//! What has happened to cards and orders, as the boundaries show it.

use assay_sim::water::family::Water;
use std::collections::{BTreeMap, BTreeSet};

use assay_sim::card::content::read_rule;
use assay_sim::card::number::CardNumber;
use assay_sim::card::tag::CardEvent;
use assay_sim::fault::Way;
use assay_sim::money::Volume;
use assay_sim::tape::{Entry, Seen};
use assay_sim::time::Instant;
use assay_sim::water::cards::{CardSpec, issued};
use assay_sim::water::frame::{Answer, Message, Offer, OrderNumber, Request, UploadState, WriteResult};
use assay_sim::water::party::Event;

use super::frames::{NetFrames, Passed};
use crate::finding::{Findings, Oracle};
use crate::water::scene::Scene;

/// An offer that reached a terminal's modem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offered {
    /// The card.
    pub card: CardNumber,
    /// The order.
    pub order: OrderNumber,
    /// Its volume.
    pub volume: Volume,
    /// The sold volume on which it counts, where the answer says so.
    pub base: Option<Volume>,
    /// The entry that shows it.
    pub ordinal: u64,
}

/// What an entry meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// The prepayment front was told that an order stands.
    Paid {
        /// The order.
        order: OrderNumber,
        /// Its volume.
        volume: Volume,
    },
    /// A card's decided volume rose.
    Credited {
        /// Which card, by its place in the cast.
        card: usize,
        /// The terminal whose field it was in.
        terminal: Option<usize>,
        /// What it showed.
        from: Volume,
        /// What it shows.
        to: Volume,
        /// The offer that the terminal had for the card.
        offer: Option<Offered>,
        /// Whether that order had been credited before.
        again: bool,
    },
    /// A card's decided volume fell.
    Lowered {
        /// Which card.
        card: usize,
        /// What it showed.
        from: Volume,
        /// What it shows.
        to: Volume,
    },
    /// A terminal sent a result upload; seen on the way, not yet at the server.
    UploadSent {
        /// By which terminal.
        terminal: usize,
        /// For which card.
        card: CardNumber,
        /// For which order.
        order: OrderNumber,
        /// Saying what.
        result: WriteResult,
        /// And what sold volume.
        sold: Volume,
    },
    /// A terminal sent an order request.
    Asked {
        /// Which terminal.
        terminal: usize,
        /// For which card.
        card: CardNumber,
        /// Saying what was sold.
        sold: Volume,
    },
    /// The answer to an order request reached the modem.
    Answered {
        /// Which terminal's.
        terminal: usize,
        /// For which card.
        card: CardNumber,
    },
    /// The answer to an upload reached the modem.
    Confirmed {
        /// Which terminal's.
        terminal: usize,
        /// For which order.
        order: OrderNumber,
        /// Saying what.
        state: UploadState,
    },
}

/// One card as its memory shows it.
#[derive(Clone, Debug)]
pub struct CardFacts {
    /// Blocks 1 to 6.
    pub blocks: [u32; 6],
    /// What the reading rule makes of them.
    pub sold: Volume,
    /// What was on it in the beginning.
    pub initial: Volume,
    /// The terminal whose field it is in.
    pub at: Option<usize>,
}

/// One order.
#[derive(Clone, Debug, Default)]
pub struct OrderFacts {
    /// Whose, once an offer or a credit has told.
    pub card: Option<CardNumber>,
    /// Its volume.
    pub volume: Volume,
    /// Whether its payment was confirmed to the prepayment front.
    pub paid: bool,
    /// When and where it was credited, each time.
    pub credits: Vec<Credit>,
    /// The results that reached the server.
    pub results: Vec<WriteResult>,
    /// Whether an order request for its card reached the server after the last credit.
    pub asked_since: bool,
    /// Whether such a request was answered, and the answer reached a modem.
    pub seen_by_server: bool,
}

/// One credit of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Credit {
    /// When.
    pub at: Instant,
    /// The terminal.
    pub terminal: Option<usize>,
    /// The entry that shows it.
    pub ordinal: u64,
}

/// A judge that works from facts.
pub trait Judge {
    /// Takes the next entry, what it meant, and all facts including it.
    fn judge(
        &mut self,
        entry: &Entry<Event>,
        new: &[Fact],
        facts: &Facts,
        scene: &Scene,
        findings: &mut Findings,
    );

    /// The run is over.
    fn finish(&mut self, _at: Instant, _facts: &Facts, _scene: &Scene, _findings: &mut Findings) {}
}

/// Judges that share one reading of the tape.
pub struct Court {
    facts: Facts,
    judges: Vec<Box<dyn Judge>>,
}

impl Court {
    /// Seats these judges.
    pub fn new(judges: Vec<Box<dyn Judge>>) -> Self {
        Self { facts: Facts::default(), judges }
    }
}

impl Oracle<Water> for Court {
    fn observe(&mut self, entry: &Entry<Event>, scene: &Scene, findings: &mut Findings) {
        let new = self.facts.observe(entry, scene);
        for judge in &mut self.judges {
            judge.judge(entry, &new, &self.facts, scene, findings);
        }
    }

    fn finish(&mut self, at: Instant, scene: &Scene, findings: &mut Findings) {
        for judge in &mut self.judges {
            judge.finish(at, &self.facts, scene, findings);
        }
    }
}

/// Cards and orders so far.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    frames: NetFrames,
    /// The frames that the last entry completed.
    pub passed: Vec<Passed>,
    /// By place in the cast.
    pub cards: Vec<CardFacts>,
    numbers: Vec<CardNumber>,
    /// By number.
    pub orders: BTreeMap<OrderNumber, OrderFacts>,
    offers: BTreeMap<(usize, CardNumber), Offered>,
    offered_ever: BTreeSet<(usize, CardNumber, OrderNumber)>,
    lan: Vec<u8>,
}

impl Facts {
    /// What an entry adds.
    pub fn observe(&mut self, entry: &Entry<Event>, scene: &Scene) -> Vec<Fact> {
        if self.cards.is_empty() {
            self.numbers = scene.cards.iter().map(|card| card.number).collect();
            self.cards = scene.cards.iter().map(|card| CardFacts::new(card.number, card.spec)).collect();
        }
        let mut facts = Vec::new();
        match &entry.what {
            Seen::Plug { line, seat, present } => {
                let card = scene.cards.iter().position(|card| card.seat == *seat);
                if let Some(card) = card {
                    self.cards[card].at = present.then(|| scene.terminal_on(*line)).flatten();
                }
            }
            Seen::Noted { seat, event: Event::Card(event) } => {
                if let Some(card) = scene.cards.iter().position(|card| card.seat == *seat) {
                    facts.extend(self.card_changed(card, event, entry, scene));
                }
            }
            // A line that was cut off goes with its connection.
            Seen::Closed { line, .. } if Some(*line) == scene.lan => self.lan.clear(),
            Seen::Heard { line, way: Way::BtoA, bytes, .. } if Some(*line) == scene.lan => {
                self.lan.extend_from_slice(bytes);
                facts.extend(self.paid());
            }
            _ => {}
        }
        let passed = self.frames.observe(entry, scene);
        for frame in &passed {
            facts.extend(self.frame_passed(frame));
        }
        self.passed = passed;
        facts
    }

    fn paid(&mut self) -> Vec<Fact> {
        let mut facts = Vec::new();
        while let Some(end) = self.lan.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.lan.drain(..=end).collect();
            let words: Vec<&[u8]> = line[..end].split(|byte| *byte == b' ').collect();
            if let [b"PAID", order, volume] = words[..]
                && let (Ok(order), Ok(volume)) = (OrderNumber::parse(order), Volume::parse(volume))
            {
                let known = self.orders.entry(order).or_default();
                known.paid = true;
                known.volume = volume;
                facts.push(Fact::Paid { order, volume });
            }
        }
        facts
    }

    fn card_changed(
        &mut self,
        card: usize,
        event: &CardEvent,
        entry: &Entry<Event>,
        scene: &Scene,
    ) -> Option<Fact> {
        let (block, value) = match event {
            CardEvent::Programmed { block, new, .. } => (*block, *new),
            CardEvent::Torn { block, left, .. } => (*block, *left),
            CardEvent::Rejected { .. } => return None,
        };
        let facts = &mut self.cards[card];
        *facts.blocks.get_mut(usize::from(block).checked_sub(1)?)? = value;
        let (from, to) = (facts.sold, read_rule(facts.blocks).ok()?.content.sold);
        facts.sold = to;
        let terminal = facts.at;
        if to < from {
            return Some(Fact::Lowered { card, from, to });
        }
        if to == from {
            return None;
        }
        let number = scene.cards[card].number;
        let offer = terminal.and_then(|terminal| self.offers.get(&(terminal, number)).copied());
        let again = self.book_credit(offer, number, terminal, entry);
        Some(Fact::Credited { card, terminal, from, to, offer, again })
    }

    fn book_credit(
        &mut self,
        offer: Option<Offered>,
        card: CardNumber,
        terminal: Option<usize>,
        entry: &Entry<Event>,
    ) -> bool {
        let Some(offer) = offer else { return false };
        let order = self.orders.entry(offer.order).or_default();
        order.card = Some(card);
        if !order.paid {
            order.volume = offer.volume;
        }
        order.asked_since = false;
        order.seen_by_server = false;
        order.credits.push(Credit { at: entry.at, terminal, ordinal: entry.ordinal });
        order.credits.len() > 1
    }

    fn frame_passed(&mut self, passed: &Passed) -> Option<Fact> {
        let terminal = passed.terminal;
        match (passed.way, passed.arrived, passed.message()?) {
            (Way::AtoB, arrived, Message::Request { request: Request::OrderRequest { card, sold }, .. }) => {
                if !arrived {
                    return Some(Fact::Asked { terminal, card, sold });
                }
                for order in self.orders.values_mut().filter(|order| order.card == Some(card)) {
                    order.asked_since |= !order.credits.is_empty();
                }
                None
            }
            (
                Way::AtoB,
                arrived,
                Message::Request { request: Request::Upload { card, order, result, sold }, .. },
            ) => {
                if !arrived {
                    return Some(Fact::UploadSent { terminal, card, order, result, sold });
                }
                self.orders.entry(order).or_default().results.push(result);
                None
            }
            (Way::BtoA, true, Message::Answer { answer, .. }) => {
                self.answered(terminal, answer, passed.ordinal)
            }
            _ => None,
        }
    }

    fn answered(&mut self, terminal: usize, answer: Answer, ordinal: u64) -> Option<Fact> {
        match answer {
            Answer::OrderRequest { card, offer, base } => {
                if let Offer::Paid { order, volume } = offer {
                    let known = self.orders.entry(order).or_default();
                    known.card = Some(card);
                    if !known.paid {
                        known.volume = volume;
                    }
                    self.offered_ever.insert((terminal, card, order));
                    self.offers.insert((terminal, card), Offered { card, order, volume, base, ordinal });
                }
                for order in self.orders.values_mut().filter(|order| order.card == Some(card)) {
                    order.seen_by_server |= order.asked_since;
                }
                Some(Fact::Answered { terminal, card })
            }
            Answer::Upload { order, state } => Some(Fact::Confirmed { terminal, order, state }),
            _ => None,
        }
    }

    /// Whether this terminal was ever offered this order for this card.
    pub fn was_offered(&self, terminal: usize, card: CardNumber, order: OrderNumber) -> bool {
        self.offered_ever.contains(&(terminal, card, order))
    }

    /// Whose card an order is for, by its place in the cast.
    pub fn card_of(&self, order: OrderNumber) -> Option<usize> {
        let number = self.orders.get(&order)?.card?;
        self.numbers.iter().position(|known| *known == number)
    }

    /// The last offer that reached a terminal for a card.
    pub fn offer(&self, terminal: usize, card: CardNumber) -> Option<Offered> {
        self.offers.get(&(terminal, card)).copied()
    }
}

impl CardFacts {
    fn new(number: CardNumber, spec: CardSpec) -> Self {
        Self { blocks: issued(number, spec).to_blocks(), sold: spec.sold, initial: spec.sold, at: None }
    }
}
