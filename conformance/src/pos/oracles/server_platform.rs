//! Whether payments by code reach the platform whole, once, and end with what it says.
//!
//! Source: POS-P1, POS-P2, POS-P6, POS-X4, POS-I2.

use std::collections::{BTreeMap, BTreeSet};

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

use super::server_desk::{About, Desk, Noticed, Said};
use super::server_ears::in_words;
use super::wire::{amount_of, key_of};
use crate::finding::{Findings, Oracle, Violation};
use crate::pos::DRAINED;
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
    /// Answers of the platform that a device has to be told of: the payments of which one is meant, where on the tape,
    /// and when.
    due: Vec<(Vec<SaleId>, u64, Instant)>,
}

/// An order that the platform was asked for.
struct Order {
    /// As the platform was told.
    told: Charge,
    /// As it was heard.
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
            Seen::Case(words) if words == DRAINED => self.judge_open(entry, findings),
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
        let Some((number, told)) = charge_in(line) else { return };
        let meant = self.meant(&told);
        let whole = meant.as_ref() == Some(&told);
        let charge = meant.clone().unwrap_or_else(|| told.clone());
        let ids: Vec<SaleId> = self.of(&charge).cloned().collect();
        let payments = ids.iter().filter_map(|id| self.desk.sales.get(id)).flat_map(|sale| &sale.payments);
        let evidence: Vec<u64> = payments.copied().chain([entry.ordinal]).collect();
        let form = scene.profile.frame.scan;
        let variant = !form.flag || !form.serial;
        // What becomes of commas has nothing to do with the form.
        let formed = whole || without_commas(&told) == without_commas(&charge);
        for (requirement, tested, holds) in [("POS-P6", true, whole), ("POS-X4", variant, formed)] {
            if tested {
                findings.judge(requirement, holds, || Violation {
                    requirement,
                    expected: meant.as_ref().map_or_else(
                        || "no order, because nobody has paid so much by code".to_owned(),
                        |(code, amount)| format!("{amount} by the code {}", code.escape_ascii()),
                    ),
                    actual: format!("{} by the code {}", told.1, told.0.escape_ascii()),
                    at: entry.at,
                    evidence: evidence.clone(),
                });
            }
        }
        let known = self.orders.get(&number).is_none_or(|order| order.told == told);
        let others = self.orders.iter().filter(|(other, order)| **other != number && order.charge == charge);
        let numbers: Vec<u64> = others.map(|(other, _)| *other).chain([number]).collect();
        let once = numbers.len() <= ids.len().max(1) && known;
        for requirement in ["POS-P1"].into_iter().chain((self.desk.calm.restarts > 0).then_some("POS-I2")) {
            findings.judge(requirement, once, || Violation {
                requirement,
                expected: format!("{} by the code {} under one order", charge.1, charge.0.escape_ascii()),
                actual: if known {
                    format!("under the orders {numbers:?}")
                } else {
                    format!("under order {number}, which was another sale's")
                },
                at: entry.at,
                evidence: evidence.clone(),
            });
        }
        self.orders.entry(number).or_insert(Order { told, charge, asked: entry.ordinal, became: None });
    }

    /// The payment that an order is meant for: the very same, or else one that differs in its commas, or else one of
    /// the same amount; of several one that has no order yet.
    fn meant(&self, told: &Charge) -> Option<Charge> {
        let free = |charge: &Charge| !self.orders.values().any(|order| order.charge == *charge);
        let near = |charge: &Charge| {
            let same = without_commas(charge) == without_commas(told);
            (charge == told, same, free(charge))
        };
        let all = self.codes().map(|(_, charge)| charge).filter(|charge| charge.1 == told.1);
        all.max_by_key(near)
    }

    /// The payments of one code and amount.
    fn of<'a>(&'a self, charge: &'a Charge) -> impl Iterator<Item = &'a SaleId> {
        self.codes().filter(move |(_, known)| known == charge).map(|(id, _)| id)
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
        // A payment whose number was damaged on its way is another one with the same code, and the order is only one's.
        let meant: Vec<SaleId> = waiting.map(|(id, _)| id.clone()).collect();
        if !meant.is_empty() {
            self.due.push((meant, entry.ordinal, entry.at));
        }
    }

    /// A word to a device about its payment by code.
    fn said(&mut self, said: &Said, entry: &Entry<Event>, findings: &mut Findings) {
        let About::Sale(id) = &said.about else { return };
        if said.interim || !matches!(id.sold, Sold::Code(..)) {
            return;
        }
        let alike = self.alike(id);
        for _ in self.due.extract_if(.., |(meant, ..)| meant.iter().any(|known| alike.contains(known))) {
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
        let open = |id: &SaleId| self.desk.sales.get(id).is_some_and(|sale| sale.finals.is_empty());
        self.same_words(id).filter(|other| *other == id || open(other)).cloned().collect()
    }

    /// Every payment that an answer to this one may be meant for.
    fn same_words<'a>(&'a self, id: &'a SaleId) -> impl Iterator<Item = &'a SaleId> {
        let words = |id: &SaleId| (key_of(&id.sold), amount_of(&id.sold));
        let machine = |id: &SaleId| self.desk.sales.get(id).map(|sale| sale.machine);
        let same = move |other: &&SaleId| words(other) == words(id) && machine(other) == machine(id);
        self.codes().map(|(id, _)| id).filter(same)
    }

    fn expire(&mut self, now: Instant, scene: &Scene, findings: &mut Findings) {
        let (calm, within) = (&self.desk.calm, scene.profile.bench.tolerance);
        for (meant, told, at) in self.due.extract_if(.., |(.., at)| calm.due(*at, within) < now) {
            if calm.mute.is_some() {
                continue;
            }
            findings.judge("POS-P2", false, || Violation {
                requirement: "POS-P2",
                expected: format!(
                    "a final 006 or 008 for {}",
                    meant.iter().map(in_words).collect::<Vec<_>>().join(" or for ")
                ),
                actual: "none, although the platform has answered".to_owned(),
                at: calm.due(at, within),
                evidence: vec![told],
            });
        }
    }

    /// Long after the last fault, no payment by code is in progress that a device has asked for since the server
    /// started.
    fn judge_open(&self, entry: &Entry<Event>, findings: &mut Findings) {
        for (id, _) in self.codes() {
            let Some(sale) = self.desk.sales.get(id).filter(|sale| sale.asked_since_start) else { continue };
            if self.desk.calm.mute.is_some() {
                continue;
            }
            // Of two that go by the same words nobody can say which has come to its end.
            if self.same_words(id).count() > 1 {
                continue;
            }
            findings.judge("POS-P2", !sale.finals.is_empty(), || Violation {
                requirement: "POS-P2",
                expected: format!("a final 006 or 008 for {}", in_words(id)),
                actual: "it is in progress for ever".to_owned(),
                at: entry.at,
                evidence: sale.payments.clone(),
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
            let paid_of = |charges: &BTreeSet<Charge>| {
                let of = |number: &u64| {
                    self.orders.get(number).is_some_and(|order| charges.contains(&order.charge))
                };
                orders.iter().filter(|(number, order)| order.paid && of(number)).count()
            };
            let paid = paid_of(&BTreeSet::from([(code.clone(), amount)]));
            // Whose end one was of several that go by the same words, nobody can say.
            let alike: BTreeSet<&SaleId> = ids.iter().flat_map(|id| self.same_words(id)).collect();
            let paid_alike = paid_of(&alike.iter().filter_map(|id| charge_of(id)).collect());
            let ends = |ids: &mut dyn Iterator<Item = &&SaleId>, made: bool| {
                let told = ids.filter_map(|id| self.desk.sales.get(*id)?.finals.last());
                told.filter(|(was_made, ..)| *was_made == made).count()
            };
            let (made, refused) = (ends(&mut alike.iter(), true), ends(&mut ids.iter(), false));
            let holds = paid_alike >= made && (refused == 0 || paid + refused <= ids.len());
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
                    expected: format!(
                        "code {} charged {} × {amount}",
                        code.escape_ascii(),
                        ids.len() - refused
                    ),
                    actual: format!("code {} charged {paid} × {amount}", code.escape_ascii()),
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

/// A code of which nothing but its commas is forgotten, and its amount.
fn without_commas((code, amount): &Charge) -> Charge {
    (code.iter().copied().filter(|byte| *byte != b',').collect(), *amount)
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
