//! What a terminal says of cards must be what the cards show.
//!
//! Source: WAT-T1, WAT-T3, WAT-T4, WAT-C5.

use std::collections::BTreeMap;

use assay_sim::card::number::CardNumber;
use assay_sim::fault::Way;
use assay_sim::money::Volume;
use assay_sim::tape::{Entry, Seen};
use assay_sim::water::frame::{OrderNumber, WriteResult};
use assay_sim::water::party::Event;

use super::facts::{Fact, Facts, Judge};
use crate::finding::{Findings, Violation};
use crate::water::scene::Scene;

/// Compares requests and uploads with the cards that were in the slot.
#[derive(Default)]
pub struct Reports {
    slots: BTreeMap<usize, Slot>,
}

/// The last stay of a card in one terminal's slot.
#[derive(Default)]
struct Slot {
    card: Option<usize>,
    /// What the card has shown since it came.
    shown: Vec<Volume>,
    /// Write pulses that have left since the last offer reached the modem.
    bursts: u32,
    /// The card left after pulses had, and before it came back.
    torn_away: bool,
}

impl Judge for Reports {
    fn judge(
        &mut self,
        entry: &Entry<Event>,
        new: &[Fact],
        facts: &Facts,
        scene: &Scene,
        findings: &mut Findings,
    ) {
        self.follow_slots(entry, facts, scene);
        for fact in new {
            match *fact {
                Fact::Asked { terminal, card, sold } => {
                    self.judge_question(terminal, card, sold, entry, scene, findings);
                }
                Fact::UploadSent { terminal, card, order, result, sold } => {
                    self.judge_upload((facts, terminal), (card, order), (result, sold), entry, findings);
                }
                Fact::Credited { card, terminal: Some(terminal), to, .. } => {
                    let slot = self.slots.entry(terminal).or_default();
                    if slot.card == Some(card) {
                        slot.shown.push(to);
                    }
                }
                Fact::Answered { terminal, .. } => {
                    let slot = self.slots.entry(terminal).or_default();
                    slot.bursts = 0;
                    slot.torn_away = false;
                }
                _ => {}
            }
        }
    }
}

impl Reports {
    fn follow_slots(&mut self, entry: &Entry<Event>, facts: &Facts, scene: &Scene) {
        match &entry.what {
            Seen::Plug { line, seat, present } => {
                let Some(terminal) = scene.terminal_on(*line) else { return };
                let card = scene.cards.iter().position(|card| card.seat == *seat);
                let slot = self.slots.entry(terminal).or_default();
                if *present {
                    let sold = card.and_then(|card| facts.cards.get(card)).map(|card| card.sold);
                    let sold = sold.or_else(|| card.map(|card| scene.cards[card].spec.sold));
                    *slot = Slot { card, shown: sold.into_iter().collect(), ..Slot::default() };
                } else if slot.bursts > 0 {
                    slot.torn_away = true;
                }
            }
            Seen::Sent { line, way: Way::AtoB, name: "burst", .. } => {
                if let Some(terminal) = scene.terminal_on(*line) {
                    self.slots.entry(terminal).or_default().bursts += 1;
                }
            }
            _ => {}
        }
    }

    fn judge_question(
        &self,
        terminal: usize,
        number: CardNumber,
        sold: Volume,
        entry: &Entry<Event>,
        scene: &Scene,
        findings: &mut Findings,
    ) {
        let slot = self.slots.get(&terminal);
        let card = slot.and_then(|slot| slot.card).and_then(|card| scene.cards.get(card));
        let right = card.is_some_and(|card| card.number == number)
            && slot.is_some_and(|slot| slot.shown.contains(&sold));
        findings.judge("WAT-T1", right, || Violation {
            requirement: "WAT-T1",
            expected: match (card, slot) {
                (Some(card), Some(slot)) => {
                    let shown: Vec<_> = slot.shown.iter().map(ToString::to_string).collect();
                    format!(
                        "a request for card {} with the {} t that it shows",
                        card.number,
                        shown.join(" or ")
                    )
                }
                _ => "no request without a card".to_owned(),
            },
            actual: format!("a request for card {number} with {sold} t"),
            at: entry.at,
            evidence: vec![entry.ordinal],
        });
    }

    fn judge_upload(
        &self,
        (facts, terminal): (&Facts, usize),
        (card, order): (CardNumber, OrderNumber),
        (result, sold): (WriteResult, Volume),
        entry: &Entry<Event>,
        findings: &mut Findings,
    ) {
        let violation = |requirement, expected: String, actual: String| Violation {
            requirement,
            expected,
            actual,
            at: entry.at,
            evidence: vec![entry.ordinal],
        };
        let offered = facts.was_offered(terminal, card, order);
        findings.judge("WAT-C5", offered, || {
            let expected = "results of orders that this terminal was offered".to_owned();
            violation(
                "WAT-C5",
                expected,
                format!("a result of order {order} for card {card}, never offered to it"),
            )
        });
        let credited = facts
            .orders
            .get(&order)
            .is_some_and(|order| order.credits.iter().any(|credit| credit.terminal == Some(terminal)));
        match result {
            WriteResult::Written => findings.judge("WAT-T3", credited, || {
                let expected = format!("result 1 for order {order} only after its card showed {sold} t here");
                violation("WAT-T3", expected, format!("result 1 for order {order}, which no card shows"))
            }),
            WriteResult::Failed => {
                let torn = self.slots.get(&terminal).is_some_and(|slot| slot.torn_away);
                findings.judge("WAT-T4", !credited && !torn, || {
                    let expected =
                        format!("result 0 for order {order} only if no write to its card had begun");
                    let what =
                        if credited { "the card shows it" } else { "the card left in the middle of a write" };
                    violation("WAT-T4", expected, format!("result 0 for order {order}, although {what}"))
                });
            }
            WriteResult::InDoubt => findings.judge("WAT-T4", true, || unreachable!("it holds")),
        }
    }
}
