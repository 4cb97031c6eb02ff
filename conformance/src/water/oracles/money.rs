//! No double top-up, no lost top-up, and books that agree with cards.
//!
//! Source: WAT-I1, WAT-I2, WAT-I4, WAT-T2.

use std::collections::{BTreeMap, BTreeSet};

use assay_sim::money::Volume;
use assay_sim::tape::{Entry, Seen};
use assay_sim::time::Instant;
use assay_sim::water::frame::OrderNumber;
use assay_sim::water::observe::{Books, Listed, Observed};
use assay_sim::water::party::Event;

use super::facts::{Fact, Facts, Judge, OrderFacts};
use crate::finding::{Findings, Violation};
use crate::water::scene::Scene;

/// Follows every order from payment to card and books.
#[derive(Clone, Debug, Default)]
pub struct Money {
    calm: Calm,
}

/// Which cards people have presented, and got word, since faults were over and their consequences with them.
#[derive(Clone, Debug, Default)]
struct Calm {
    now: bool,
    /// The card in a slot, by terminal: whether its reader looked at it, and whether people were told anything then.
    in_slot: BTreeMap<usize, (usize, bool, bool)>,
    presented: BTreeSet<usize>,
}

impl Calm {
    fn observe(&mut self, entry: &Entry<Event>, scene: &Scene) {
        match &entry.what {
            Seen::Case(text) if text == crate::water::DRAINED => self.now = true,
            Seen::Struck { .. } | Seen::Power { .. } => *self = Self::default(),
            Seen::Plug { line, seat, present } => {
                let terminal = scene.terminal_on(*line);
                let card = scene.cards.iter().position(|card| card.seat == *seat);
                let (Some(terminal), Some(card)) = (terminal, card) else { return };
                if *present && self.now {
                    self.in_slot.insert(terminal, (card, false, false));
                } else if let Some((card, true, true)) = self.in_slot.remove(&terminal) {
                    self.presented.insert(card);
                }
            }
            Seen::Level { line, high: true, .. } => {
                let read = scene.terminals.iter().position(|cast| cast.rf == *line);
                if let Some((_, read, _)) = read.and_then(|terminal| self.in_slot.get_mut(&terminal)) {
                    *read = true;
                }
            }
            Seen::Sent { line, .. } => {
                let told = scene.terminals.iter().position(|cast| cast.display == *line);
                if let Some((_, read, told)) = told.and_then(|terminal| self.in_slot.get_mut(&terminal)) {
                    *told |= *read;
                }
            }
            _ => {}
        }
    }
}

impl Judge for Money {
    fn judge(
        &mut self,
        entry: &Entry<Event>,
        new: &[Fact],
        facts: &Facts,
        scene: &Scene,
        findings: &mut Findings,
    ) {
        self.calm.observe(entry, scene);
        for fact in new {
            judge_credit(fact, facts, entry, scene, findings);
        }
        if let Seen::Noted { event: Event::Observed(Observed::Books(books)), .. } = &entry.what {
            judge_books((facts, &self.calm), books, entry, findings);
        }
    }
}

fn judge_credit(fact: &Fact, facts: &Facts, entry: &Entry<Event>, scene: &Scene, findings: &mut Findings) {
    match fact {
        Fact::Credited { card, from, to, offer, again, .. } => {
            let number = scene.cards[*card].number;
            let right = offer.is_some_and(|offer| {
                let base = offer.base.unwrap_or(*from);
                base == *from && base.checked_add(offer.volume) == Some(*to)
            });
            findings.judge("WAT-T2", right, || Violation {
                requirement: "WAT-T2",
                expected: match offer {
                    Some(offer) => format!(
                        "card {number} credited with base + volume of order {}: {} + {} t, from that base",
                        offer.order,
                        offer.base.unwrap_or(*from),
                        offer.volume
                    ),
                    None => format!("no credit on card {number} without an offered order"),
                },
                actual: format!("card {number} went from {from} to {to} t"),
                at: entry.at,
                evidence: evidence(entry, offer.map(|offer| offer.ordinal)),
            });
            let Some(offer) = offer else { return };
            let first = facts.orders.get(&offer.order).and_then(|order| order.credits.first());
            findings.judge("WAT-I1", !again, || Violation {
                requirement: "WAT-I1",
                expected: format!("order {}, {} t, credited at most once", offer.order, offer.volume),
                actual: format!("order {}: {} t credited twice, on card {number}", offer.order, offer.volume),
                at: entry.at,
                evidence: evidence(entry, first.map(|credit| credit.ordinal)),
            });
        }
        Fact::Lowered { card, from, to } => {
            let number = scene.cards[*card].number;
            findings.judge("WAT-T2", false, || Violation {
                requirement: "WAT-T2",
                expected: format!("card {number} shows at least the {from} t sold to it before"),
                actual: format!("card {number} went from {from} back to {to} t"),
                at: entry.at,
                evidence: evidence(entry, None),
            });
        }
        _ => {}
    }
}

/// At rest: every closed order is on a card, every credited one is closed or listed in doubt, and all that was
/// paid is accounted for.
fn judge_books((facts, calm): (&Facts, &Calm), books: &Books, entry: &Entry<Event>, findings: &mut Findings) {
    let mut listed = BTreeMap::new();
    for order in &books.orders {
        listed.insert(order.order, (order.listed, order.volume));
    }
    for (number, order) in &facts.orders {
        let volume = order.volume;
        let entry_of = listed.get(number).map(|(listed, _)| *listed);
        let presented = facts.card_of(*number).is_some_and(|card| calm.presented.contains(&card));
        let wrong = unbalanced(order, entry_of, presented);
        findings.judge("WAT-I2", wrong.is_none(), || Violation {
            requirement: "WAT-I2",
            expected: format!(
                "order {number}, {volume} t: closed exactly if it is on its card, or listed in doubt"
            ),
            actual: format!("order {number}, {volume} t: {}", wrong.unwrap_or_default()),
            at: entry.at,
            evidence: evidence(entry, order.credits.first().map(|credit| credit.ordinal)),
        });
    }
    judge_sums(facts, books, entry, findings);
}

fn judge_sums(facts: &Facts, books: &Books, entry: &Entry<Event>, findings: &mut Findings) {
    let volume_of = |listed: Listed| -> Volume {
        books.orders.iter().filter(|order| order.listed == listed).map(|order| order.volume).sum()
    };
    let (open, doubt, closed) =
        (volume_of(Listed::Open), volume_of(Listed::InDoubt), volume_of(Listed::Closed));
    let paid: Volume = facts.orders.values().filter(|order| order.paid).map(|order| order.volume).sum();
    let booked = open + doubt + closed;
    findings.judge("WAT-I4", paid == booked, || Violation {
        requirement: "WAT-I4",
        expected: format!("paid {paid} t = closed + open + in doubt"),
        actual: format!("closed {closed} + open {open} + in doubt {doubt} = {booked} t"),
        at: entry.at,
        evidence: evidence(entry, None),
    });
    for (place, card) in facts.cards.iter().enumerate() {
        let of_card = |listed: Listed| -> Volume {
            let mine = |order: &OrderNumber| facts.card_of(*order) == Some(place);
            let orders = books.orders.iter().filter(|order| order.listed == listed && mine(&order.order));
            orders.map(|order| order.volume).sum()
        };
        let low = card.initial + of_card(Listed::Closed);
        let high = low + of_card(Listed::InDoubt);
        findings.judge("WAT-I4", (low..=high).contains(&card.sold), || Violation {
            requirement: "WAT-I4",
            expected: format!("card {} shows {low} t, or up to {high} t with its orders in doubt", place + 1),
            actual: format!("card {} shows {} t", place + 1, card.sold),
            at: entry.at,
            evidence: evidence(entry, None),
        });
    }
}

/// What is wrong with how an order is listed, if anything.
fn unbalanced(order: &OrderFacts, listed: Option<Listed>, presented: bool) -> Option<&'static str> {
    let credited = !order.credits.is_empty();
    match listed {
        Some(Listed::Closed) if !credited => {
            Some("closed in the books, never credited: the customer lost it")
        }
        Some(Listed::Open) if credited => {
            Some("credited on the card, open in the books: it can be credited again")
        }
        Some(Listed::InDoubt) if presented || (credited && order.seen_by_server) => {
            Some("still in doubt although the card was presented again")
        }
        None if order.paid => Some("paid for, and missing from the books"),
        _ => None,
    }
}

fn evidence(entry: &Entry<Event>, before: Option<u64>) -> Vec<u64> {
    before.into_iter().chain([entry.ordinal]).collect()
}

/// Every record is drained within the bound, and none is seen again.
///
/// Source: WAT-I3.
#[derive(Clone, Copy, Debug, Default)]
pub struct Drain {
    drained_at: Option<Instant>,
}

impl Judge for Drain {
    fn judge(
        &mut self,
        entry: &Entry<Event>,
        new: &[Fact],
        facts: &Facts,
        _scene: &Scene,
        findings: &mut Findings,
    ) {
        match &entry.what {
            Seen::Case(text) if text == crate::water::DRAINED => {
                self.drained_at = Some(entry.at);
                findings.judge("WAT-I3", true, || unreachable!("it holds"));
            }
            Seen::Case(_) | Seen::Struck { .. } | Seen::Plug { .. } => self.drained_at = None,
            _ => {}
        }
        for fact in new {
            if let (Fact::UploadSent { order, .. }, Some(drained)) = (fact, self.drained_at) {
                findings.judge("WAT-I3", false, || Violation {
                    requirement: "WAT-I3",
                    expected: format!("no result waits any more at {drained}"),
                    actual: format!("the result of order {order} is sent again"),
                    at: entry.at,
                    evidence: vec![entry.ordinal],
                });
            }
        }
        if let (Seen::Noted { event: Event::Observed(observed), .. }, Some(_)) =
            (&entry.what, self.drained_at)
        {
            judge_rest(facts, observed, entry, findings);
        }
    }
}

fn judge_rest(facts: &Facts, observed: &Observed, entry: &Entry<Event>, findings: &mut Findings) {
    let left = match observed {
        Observed::Chip { image, .. } => {
            let records = assay_sim::water::terminal::store::Store::records_in(image);
            records.first().map(|record| format!("record {} is still live in the EEPROM", record.seq))
        }
        Observed::Books(books) => unknown_credit(facts, books),
        Observed::Card { .. } => return,
    };
    findings.judge("WAT-I3", left.is_none(), || Violation {
        requirement: "WAT-I3",
        expected: "an empty cache, and every credit known to the server".to_owned(),
        actual: left.unwrap_or_default(),
        at: entry.at,
        evidence: vec![entry.ordinal],
    });
}

fn unknown_credit(facts: &Facts, books: &Books) -> Option<String> {
    facts.orders.iter().find_map(|(number, order)| {
        let credit = order.credits.first()?;
        let listed = books.orders.iter().find(|listed| listed.order == *number).map(|listed| listed.listed);
        let unknown = !matches!(listed, Some(Listed::Closed | Listed::InDoubt));
        unknown.then(|| {
            format!("order {number}, {} t, credited at {}, is unknown to the server", order.volume, credit.at)
        })
    })
}
