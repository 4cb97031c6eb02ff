//! Whether money becomes water by the right price table.
//!
//! Source: WAT-P1.

use assay_sim::water::family::Water;
use std::collections::BTreeMap;

use assay_sim::money::Volume;
use assay_sim::tape::{Entry, Seen};
use assay_sim::water::frame::{Answer, Kind, Message, Offer, OrderNumber, RawFrame, word};
use assay_sim::water::party::Event;
use assay_sim::water::payments::PaymentLine;
use assay_sim::water::tariff::Pricing;

use super::server_ears::{Conn, Crossing, Ears, Noticed};
use crate::finding::{Findings, Oracle, Violation};
use crate::water::scene::Scene;

/// Compares what orders are worth with what was worked out beforehand, and the type of each answer with its request's.
#[derive(Default)]
pub struct ServerPrices {
    ears: Ears,
    /// What orders must be worth.
    worth: &'static [(u128, Volume)],
    paid: BTreeMap<OrderNumber, (Pricing, Option<Volume>)>,
    /// The types of the requests that have no answer yet.
    asked: BTreeMap<Conn, Vec<u8>>,
}

impl ServerPrices {
    /// A judge that knows what these orders must be worth.
    pub fn knowing(worth: &'static [(u128, Volume)]) -> Self {
        Self { worth, ..Self::default() }
    }

    fn told(&mut self, line: &PaymentLine, entry: &Entry<Event>, findings: &mut Findings) {
        let (order, volume) = match line {
            PaymentLine::Paid { order, volume } => (*order, Some(*volume)),
            PaymentLine::Refused { order: Some(order), .. } => (*order, None),
            _ => return,
        };
        if let (Some((_, known)), Some(volume)) = (self.paid.get_mut(&order), volume) {
            known.get_or_insert(volume);
        }
        let Some((_, worth)) = self.worth.iter().find(|(number, _)| *number == order.value()) else { return };
        findings.judge("WAT-P1", volume == Some(*worth), || Violation {
            requirement: "WAT-P1",
            expected: format!("order {order} is worth {worth} t"),
            actual: volume.map_or_else(|| "it is refused".to_owned(), |volume| format!("{volume} t")),
            at: entry.at,
            evidence: vec![entry.ordinal],
        });
    }

    fn sent(&mut self, conn: Conn, frame: &RawFrame, entry: &Entry<Event>, findings: &mut Findings) {
        if frame.answer != word::POSITIVE {
            return;
        }
        let asked = self.asked.entry(conn).or_default();
        let same = asked.iter().position(|kind| *kind == frame.kind);
        let twin = asked.iter().any(|kind| kind & 0x0F == frame.kind & 0x0F);
        if same.is_some() || twin {
            findings.judge("WAT-P1", same.is_some(), || Violation {
                requirement: "WAT-P1",
                expected: format!("an answer of type {:02X}, as its request", frame.kind ^ 0x10),
                actual: format!("an answer of type {:02X}", frame.kind),
                at: entry.at,
                evidence: vec![entry.ordinal],
            });
        }
        if let Some(at) = same {
            asked.drain(..=at);
        }
        let Ok(Message::Answer { pricing, answer: Answer::OrderRequest { offer, .. } }) = Message::of(frame)
        else {
            return;
        };
        let Offer::Paid { order, volume } = offer else { return };
        let Some((by, worth)) = self.paid.get(&order) else { return };
        let right = *by == pricing && worth.is_none_or(|worth| worth == volume);
        findings.judge("WAT-P1", right, || Violation {
            requirement: "WAT-P1",
            expected: format!(
                "order {order}, paid by the {} price, offered as such and as {} t",
                name(*by),
                worth.unwrap_or(volume)
            ),
            actual: format!("offered to a request of the {} price, as {volume} t", name(pricing)),
            at: entry.at,
            evidence: vec![entry.ordinal],
        });
    }
}

const fn name(pricing: Pricing) -> &'static str {
    match pricing {
        Pricing::Flat => "flat",
        Pricing::Tiered => "tiered",
    }
}

impl Oracle<Water> for ServerPrices {
    fn observe(&mut self, entry: &Entry<Event>, scene: &Scene, findings: &mut Findings) {
        if let Seen::Closed { line, conn, .. } = &entry.what {
            self.asked.remove(&(*line, *conn));
        }
        for noticed in self.ears.observe(entry, scene) {
            match noticed {
                Noticed::Asked(PaymentLine::Pay(payment)) => {
                    self.paid.entry(payment.order).or_insert((payment.pricing, None));
                }
                Noticed::Told(line) => self.told(&line, entry, findings),
                Noticed::Frame { conn, what: Crossing::Heard(frame) }
                    if frame.answer == word::MESSAGE && Kind::split(frame.kind).is_some() =>
                {
                    self.asked.entry(conn).or_default().push(frame.kind);
                }
                Noticed::Frame { conn, what: Crossing::Sent(frame) } => {
                    self.sent(conn, &frame, entry, findings);
                }
                _ => {}
            }
        }
    }
}
