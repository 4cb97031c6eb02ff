//! Whether payments by code reach the platform whole, once, and end with what it says.
//!
//! Source: POS-P1, POS-P2, POS-P6, POS-X4, POS-I2.

use std::collections::BTreeMap;

use assay_sim::fault::Way;
use assay_sim::money::Fen;
use assay_sim::pos::books::{SaleId, Sold};
use assay_sim::pos::family::Pos;
use assay_sim::pos::frame::Confirmed;
use assay_sim::pos::observe::Observed;
use assay_sim::pos::party::Event;
use assay_sim::pos::platform::PlatformOrder;
use assay_sim::tape::{Entry, Seen};
use assay_sim::time::Instant;

use super::server_desk::{About, Desk, Noticed, Said, amount_of, key_of};
use super::server_ears::in_words;
use crate::finding::{Findings, Oracle, Violation};
use crate::pos::scene::Scene;

/// What a payment by code is to the platform: the code, and how much.
type Charge = (Vec<u8>, Fen);

/// Follows payments by code between devices and platform.
#[derive(Default)]
pub struct ServerPlatform {
    desk: Desk,
    /// Beginnings of lines, by connection and way.
    held: BTreeMap<(u16, bool), Vec<u8>>,
    orders: BTreeMap<u64, Order>,
    /// Answers of the platform that a device has to be told of.
    due: Vec<(SaleId, u64, Instant)>,
}

/// An order that the platform was asked for.
struct Order {
    charge: Charge,
    asked: u64,
    /// What the server was told: whether it is paid, and where on the tape.
    became: Option<(bool, u64)>,
}

impl Oracle<Pos> for ServerPlatform {
    fn observe(&mut self, entry: &Entry<Event>, scene: &Scene, findings: &mut Findings) {
        self.expire(entry.at, scene, findings);
        match self.desk.observe(entry, scene) {
            Noticed::Upset => {
                self.due.clear();
                self.held.clear();
            }
            Noticed::Said(said) => self.said(&said, entry, findings),
            Noticed::Nothing | Noticed::Payment { .. } => {}
        }
        match &entry.what {
            Seen::Sent { line, way: Way::AtoB, conn, bytes, .. } if Some(*line) == scene.lan => {
                for line in self.lines((*conn, true), bytes) {
                    self.asked(&line, entry, scene, findings);
                }
            }
            Seen::Heard { line, way: Way::BtoA, conn, bytes } if Some(*line) == scene.lan => {
                for line in self.lines((*conn, false), bytes) {
                    self.told(&line, entry);
                }
            }
            Seen::Closed { line, conn, .. } if Some(*line) == scene.lan => {
                self.held.retain(|(of, _), _| of != conn);
            }
            Seen::Noted { event: Event::Observed(Observed::Orders(orders)), .. } => {
                self.judge_orders(orders, entry, findings);
            }
            _ => {}
        }
    }

    fn finish(&mut self, at: Instant, scene: &Scene, findings: &mut Findings) {
        self.expire(at, scene, findings);
    }
}

impl ServerPlatform {
    fn lines(&mut self, key: (u16, bool), bytes: &[u8]) -> Vec<Vec<u8>> {
        let held = self.held.entry(key).or_default();
        held.extend_from_slice(bytes);
        let mut lines = Vec::new();
        while let Some(end) = held.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = held.drain(..=end).collect();
            lines.push(line[..end].to_vec());
        }
        lines
    }

    fn codes(&self) -> impl Iterator<Item = (&SaleId, Charge)> {
        self.desk.sales.keys().filter_map(|id| Some((id, charge_of(id)?)))
    }

    /// A line to the platform.
    fn asked(&mut self, line: &[u8], entry: &Entry<Event>, scene: &Scene, findings: &mut Findings) {
        let Some((number, charge)) = charge_in(line) else { return };
        let heard: Vec<&SaleId> =
            self.codes().filter(|(_, known)| *known == charge).map(|(id, _)| id).collect();
        let nearest =
            self.codes().find(|(_, known)| known.1 == charge.1).map(|(id, known)| (id.clone(), known));
        let evidence = |id: Option<&SaleId>| -> Vec<u64> {
            let payments = id.and_then(|id| self.desk.sales.get(id)).map(|sale| sale.payments.clone());
            payments.unwrap_or_default().into_iter().chain([entry.ordinal]).collect()
        };
        let form = scene.profile.frame.scan;
        let variant = !form.flag || !form.serial;
        for requirement in ["POS-P6"].into_iter().chain(variant.then_some("POS-X4")) {
            findings.judge(requirement, !heard.is_empty(), || Violation {
                requirement,
                expected: nearest.as_ref().map_or_else(
                    || "no charge, because nobody has paid by code".to_owned(),
                    |(_, (code, amount))| format!("{amount} by the code {}", code.escape_ascii()),
                ),
                actual: format!("{} by the code {}", charge.1, charge.0.escape_ascii()),
                at: entry.at,
                evidence: evidence(nearest.as_ref().map(|(id, _)| id)),
            });
        }
        let known = self.orders.get(&number).is_none_or(|order| order.charge == charge);
        let others = self.orders.iter().filter(|(other, order)| **other != number && order.charge == charge);
        let numbers: Vec<u64> = others.map(|(other, _)| *other).chain([number]).collect();
        let once = numbers.len() <= heard.len().max(1) && known;
        let all = evidence(heard.first().copied());
        for requirement in ["POS-P1"].into_iter().chain((self.desk.calm.restarts > 0).then_some("POS-I2")) {
            findings.judge(requirement, once, || Violation {
                requirement,
                expected: format!("code {} charged 1 × {}", charge.0.escape_ascii(), charge.1),
                actual: if known {
                    let times = numbers.len();
                    format!("{times} × {}, as orders {numbers:?}", charge.1)
                } else {
                    format!("order {number} again, which was another sale's")
                },
                at: entry.at,
                evidence: all.clone(),
            });
        }
        self.orders.entry(number).or_insert(Order { charge, asked: entry.ordinal, became: None });
    }

    /// A line from the platform.
    fn told(&mut self, line: &[u8], entry: &Entry<Event>) {
        let words: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
        let [word, number] = words[..] else { return };
        let number = std::str::from_utf8(number).ok().and_then(|number| number.parse::<u64>().ok());
        let Some(order) = number.and_then(|number| self.orders.get_mut(&number)) else { return };
        if order.became.is_some() {
            return;
        }
        order.became = Some((word == b"PAID", entry.ordinal));
        let charge = order.charge.clone();
        let waiting = self.codes().filter(|(id, known)| {
            let there = self.desk.devices.get(&id.device).is_some_and(|device| device.heard);
            let told = self.desk.sales.get(id).is_some_and(|sale| !sale.finals.is_empty());
            *known == charge && there && !told
        });
        let due: Vec<_> = waiting.map(|(id, _)| (id.clone(), entry.ordinal, entry.at)).collect();
        self.due.extend(due);
    }

    /// A word to a device about its payment by code.
    fn said(&mut self, said: &Said, entry: &Entry<Event>, findings: &mut Findings) {
        let About::Sale(id) = &said.about else { return };
        if said.interim || !matches!(id.sold, Sold::Code(..)) {
            return;
        }
        let alike = self.alike(id);
        for _ in self.due.extract_if(.., |(known, ..)| alike.contains(known)) {
            findings.judge("POS-P2", true, || unreachable!("it holds"));
        }
        let made = said.what == Confirmed::Done;
        let of = |id: &SaleId| {
            let charge = charge_of(id);
            self.orders.values().filter(move |order| Some(&order.charge) == charge.as_ref())
        };
        let ended = |order: &Order, paid: bool| order.became.is_some_and(|(was_paid, _)| was_paid == paid);
        let unasked = of(id).next().is_none();
        let backed = alike.iter().flat_map(of).any(|order| ended(order, made)) || (!made && unasked);
        findings.judge("POS-P2", backed, || Violation {
            requirement: "POS-P2",
            expected: format!(
                "{} for {} only after the platform has said so",
                if made { "008" } else { "006" },
                in_words(id)
            ),
            actual: "no such word of the platform came before".to_owned(),
            at: entry.at,
            evidence: self.orders.values().map(|order| order.asked).chain([entry.ordinal]).collect(),
        });
    }

    /// A payment and all others that may be meant by the same words: of one machine number, number and amount, and
    /// without an end.
    fn alike(&self, id: &SaleId) -> Vec<SaleId> {
        let words = |id: &SaleId| (key_of(&id.sold), amount_of(&id.sold));
        let machine = |id: &SaleId| self.desk.sales.get(id).map(|sale| sale.machine);
        let open = |id: &SaleId| self.desk.sales.get(id).is_some_and(|sale| sale.finals.is_empty());
        let same = |other: &&SaleId| {
            *other == id || words(other) == words(id) && machine(other) == machine(id) && open(other)
        };
        self.codes().map(|(id, _)| id).filter(same).cloned().collect()
    }

    fn expire(&mut self, now: Instant, scene: &Scene, findings: &mut Findings) {
        let (calm, within) = (&self.desk.calm, scene.profile.bench.tolerance);
        for (id, told, at) in self.due.extract_if(.., |(.., at)| calm.due(*at, within) < now) {
            findings.judge("POS-P2", false, || Violation {
                requirement: "POS-P2",
                expected: format!("a final 006 or 008 for {}", in_words(&id)),
                actual: "none, although the platform has answered".to_owned(),
                at: calm.due(at, within),
                evidence: vec![told],
            });
        }
    }

    /// What the platform has in its books.
    fn judge_orders(&self, orders: &[(u64, PlatformOrder)], entry: &Entry<Event>, findings: &mut Findings) {
        let mut sold = BTreeMap::<Charge, Vec<&SaleId>>::new();
        for (id, charge) in self.codes() {
            sold.entry(charge).or_default().push(id);
        }
        for ((code, amount), ids) in sold {
            let of = |number: &u64| {
                self.orders.get(number).is_some_and(|order| order.charge == (code.clone(), amount))
            };
            let paid = orders.iter().filter(|(number, order)| order.paid && of(number)).count();
            let ends = |made: bool| {
                let told = ids.iter().filter_map(|id| self.desk.sales.get(*id)?.finals.last());
                told.filter(|(was_made, ..)| *was_made == made).count()
            };
            let (made, refused) = (ends(true), ends(false));
            let holds = paid >= made && paid + refused <= ids.len();
            let tested = [
                ("POS-P1", paid <= ids.len()),
                ("POS-P2", holds),
                ("POS-I2", holds || self.desk.calm.restarts == 0),
            ];
            for (requirement, holds) in tested {
                if requirement == "POS-I2" && self.desk.calm.restarts == 0 {
                    continue;
                }
                findings.judge(requirement, holds, || Violation {
                    requirement,
                    expected: format!("code {} charged {made} × {amount}", code.escape_ascii()),
                    actual: format!("{paid} × {amount}"),
                    at: entry.at,
                    evidence: vec![entry.ordinal],
                });
            }
        }
    }
}

/// What a payment by code is to the platform.
fn charge_of(id: &SaleId) -> Option<Charge> {
    match &id.sold {
        Sold::Code(_, code, amount) => Some((code.to_vec(), *amount)),
        Sold::Money(..) | Sold::Count(_) => None,
    }
}

/// `CHARGE order fen code`, the code in hexadecimal.
fn charge_in(line: &[u8]) -> Option<(u64, Charge)> {
    let line = std::str::from_utf8(line).ok()?;
    let words: Vec<&str> = line.split(' ').collect();
    let ["CHARGE", number, fen, code] = words[..] else { return None };
    let digits = code.as_bytes().chunks(2);
    let bytes: Option<Vec<u8>> =
        digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect();
    Some((number.parse().ok()?, (bytes?, Fen(fen.parse().ok()?))))
}
