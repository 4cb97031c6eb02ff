//! Money taken = relay pulses + refunds + listed doubts, in fen.
//!
//! Source: PAY-I1, PAY-R1.

use std::collections::BTreeMap;

use assay_sim::money::Fen;
use assay_sim::payments::ledger::State as AtPlatform;
use assay_sim::payments::observe::PlatformSeen;
use assay_sim::paymod::family::Paymod;
use assay_sim::paymod::frame::{HostMessage, OrderNumber, Terms, status};
use assay_sim::paymod::observe::{BookedSeen, Observed, StoredSeen};
use assay_sim::paymod::party::Event;
use assay_sim::paymod::server::books::{Standing, order_of};
use assay_sim::paymod::store::State;
use assay_sim::tape::{Entry, Seen};
use assay_sim::time::{Instant, Span};

use super::judge;
use super::talk::{Said, Talk};
use crate::finding::{Findings, Oracle, Violation};
use crate::paymod::SETTLED;
use crate::paymod::scene::Scene;

/// How much shorter a pulse may be than its order says: what it takes to tell of a relay by words.
const PULSE_SLACK: Span = Span::ms(20);

/// An order, as far as its relay goes.
#[derive(Clone, Debug)]
struct Sold {
    terms: Terms,
    /// The module has been told that it is paid.
    told_paid: bool,
    /// How many pulses began, and how many were as long as they should be.
    begun: u32,
    whole: u32,
    evidence: Vec<u64>,
}

/// A pulse that goes on.
#[derive(Clone, Copy, Debug)]
struct Pulse {
    order: OrderNumber,
    since: Instant,
}

/// The judge of money.
#[derive(Default)]
pub struct Money {
    talk: Talk,
    sold: BTreeMap<OrderNumber, Sold>,
    /// By relay, from 0.
    pulses: BTreeMap<usize, Pulse>,
    /// Relays whose lines were struck: what they show is not the module's.
    struck: Vec<bool>,
    cuts: u32,
    platform: PlatformSeen,
    books: Option<Vec<BookedSeen>>,
    flash: Option<Vec<StoredSeen>>,
    settled: bool,
}

impl Oracle<Paymod> for Money {
    fn observe(&mut self, entry: &Entry<Event>, scene: &Scene, findings: &mut Findings) {
        self.struck.resize(scene.relays.len(), false);
        for said in self.talk.observe(entry, scene) {
            match said {
                Said::ToModule(_, Some(HostMessage::Pay { order, terms })) => {
                    let fresh = || Sold { terms, told_paid: false, begun: 0, whole: 0, evidence: Vec::new() };
                    self.sold.entry(order).or_insert_with(fresh);
                }
                Said::Answered(_, _, Some(body)) if body.status == Some(status::PAID) => {
                    if let Some(sold) = body.order.and_then(|order| self.sold.get_mut(&order)) {
                        sold.told_paid = true;
                    }
                }
                _ => {}
            }
        }
        match &entry.what {
            Seen::Case(words) if words == SETTLED => self.settled = true,
            Seen::Struck { strike } => {
                let place = scene.struck_place(*strike).unwrap_or_default();
                if let Some(relay) =
                    place.strip_prefix("relay-").and_then(|relay| relay.parse::<usize>().ok())
                    && let Some(struck) = self.struck.get_mut(relay.saturating_sub(1))
                {
                    *struck = true;
                }
            }
            Seen::Power { supply, on: false } if *supply == scene.power => {
                self.cuts += 1;
                self.pulses.clear();
            }
            Seen::Level { line, way: Scene::UP, high } => {
                if let Some(relay) = scene.relays.iter().position(|one| one == line) {
                    self.level(relay, *high, entry, findings);
                }
            }
            Seen::Noted { event: Event::Observed(observed), .. } => match observed {
                Observed::Platform(seen) => {
                    self.platform = (**seen).clone();
                    (self.books, self.flash) = (None, None);
                }
                Observed::Books(books) => {
                    self.books = Some(books.clone());
                    self.balance(entry, scene, findings);
                }
                Observed::Flash(flash) => {
                    self.flash = Some(flash.clone().unwrap_or_default());
                    self.balance(entry, scene, findings);
                }
            },
            _ => {}
        }
    }
}

impl Money {
    /// A relay's level has changed.
    fn level(&mut self, relay: usize, high: bool, entry: &Entry<Event>, findings: &mut Findings) {
        if !high {
            let Some(Pulse { order, since }) = self.pulses.remove(&relay) else { return };
            if let Some(sold) = self.sold.get_mut(&order) {
                let length = Span::ms(u64::from(sold.terms.pulse_ms));
                sold.whole += u32::from(entry.at.since(since) + PULSE_SLACK >= length);
            }
            return;
        }
        if self.pulses.contains_key(&relay) || self.struck[relay] {
            return;
        }
        let number = u8::try_from(relay + 1).unwrap_or(u8::MAX);
        let mut orders: Vec<(&OrderNumber, &mut Sold)> =
            self.sold.iter_mut().filter(|(_, sold)| sold.terms.relay == number).collect();
        let due = orders.iter().position(|(_, sold)| sold.told_paid && sold.begun == 0);
        let place = due.or_else(|| orders.iter().rposition(|(_, sold)| sold.told_paid));
        let place = place.or_else(|| orders.len().checked_sub(1));
        let Some((order, sold)) = place.map(|place| &mut orders[place]) else {
            return judge(findings, entry, "PAY-R1", false, || {
                (format!("relay {number} at rest: no order names it"), "it is switched".to_owned())
            });
        };
        let order = **order;
        sold.begun += 1;
        sold.evidence.push(entry.ordinal);
        let (paid, once, amount) = (sold.told_paid, sold.begun == 1, Fen(i64::from(sold.terms.amount)));
        self.pulses.insert(relay, Pulse { order, since: entry.at });
        judge(findings, entry, "PAY-R1", paid && once, || {
            let actual =
                if paid { "it is switched once more" } else { "it is switched, and nobody has paid" };
            (
                format!("relay {number} switched once for order {order}, {amount}, when it is paid"),
                actual.to_owned(),
            )
        });
    }

    /// The sum, when everything must have come to its end and all has been read that can be.
    fn balance(&self, entry: &Entry<Event>, scene: &Scene, findings: &mut Findings) {
        let unread = scene.has_books && self.books.is_none() || scene.has_flash && self.flash.is_none();
        if !self.settled || self.struck.contains(&true) || unread {
            return;
        }
        let books = self.books.as_deref().unwrap_or_default();
        let flash = self.flash.as_deref().unwrap_or_default();
        let mut doubts = 0;
        for (order, sold) in self.sold.iter().filter(|(_, sold)| sold.terms.relay > 0) {
            let (taken, refunded) = self.money_of(*order);
            let booked = books.iter().find(|one| one.order == *order);
            let was = |standing| booked.is_some_and(|one| one.log.contains(&standing));
            let stored = flash.iter().find(|one| one.order == *order).map(|one| one.standing);
            let doubted = was(Standing::Doubt) || stored == Some(State::Doubt);
            doubts += u32::from(doubted);
            let amount = Fen(i64::from(sold.terms.amount));
            // A doubt is listed until it is settled by a refund.
            let listed = doubted && refunded == Fen(0);
            let pulses = if doubted { Fen(0) } else { Fen(amount.0 * i64::from(sold.whole)) };
            let accounted = pulses + refunded + if listed { amount } else { Fen(0) };
            let mut evidence = sold.evidence.clone();
            evidence.push(entry.ordinal);
            findings.judge("PAY-I1", taken == accounted, || Violation {
                requirement: "PAY-I1",
                expected: format!("order {order}: {taken} taken = pulses + refunds + listed doubts"),
                actual: format!(
                    "{pulses} for {} pulses, {refunded} refunded, {} in doubt: {} {}",
                    sold.whole,
                    if listed { amount } else { Fen(0) },
                    if accounted > taken { accounted - taken } else { taken - accounted },
                    if accounted > taken { "given away" } else { "kept for nothing" },
                ),
                at: entry.at,
                evidence,
            });
            if taken > refunded && !doubted {
                judge(findings, entry, "PAY-R1", sold.whole == 1, || {
                    (format!("order {order}, {amount}: one pulse"), format!("{} pulses", sold.whole))
                });
            }
        }
        judge(findings, entry, "PAY-I1", doubts <= self.cuts, || {
            (format!("at most {} orders in doubt, one a power cut", self.cuts), doubts.to_string())
        });
    }

    /// What was taken for an order, and what has gone back.
    fn money_of(&self, order: OrderNumber) -> (Fen, Fen) {
        let of = |number: &str| order_of(number).is_some_and(|(of, _)| of == order);
        let orders = self.platform.orders.iter().filter(|one| of(&one.number));
        orders.fold((Fen(0), Fen(0)), |(taken, back), one| {
            let paid = one.state == AtPlatform::Paid || one.refunded > Fen(0);
            (taken + if paid { one.amount } else { Fen(0) }, back + one.refunded)
        })
    }
}
