//! No double charge and no lost sale: what terminals, people, server and platform know at rest.
//!
//! Source: POS-I1.

use std::collections::{BTreeMap, BTreeSet};

use assay_sim::card::number::CardNumber;
use assay_sim::money::Fen;
use assay_sim::pos::books::{Account, SaleId, Sold, State};
use assay_sim::pos::family::Pos;
use assay_sim::pos::observe::{Ledger, Observed};
use assay_sim::pos::party::Event;
use assay_sim::pos::platform::PlatformOrder;
use assay_sim::tape::{Entry, Seen};

use super::facts::{Facts, SaleFacts, words};
use super::wire::amount_of;
use crate::finding::{Findings, Oracle, Violation};
use crate::pos::scene::Scene;

const I1: &str = "POS-I1";

/// The judge of money.
#[derive(Clone, Debug, Default)]
pub struct Money {
    facts: Facts,
    orders: Vec<(u64, PlatformOrder)>,
}

impl Oracle<Pos> for Money {
    fn observe(&mut self, entry: &Entry<Event>, scene: &Scene, findings: &mut Findings) {
        self.facts.observe(entry, scene);
        match &entry.what {
            Seen::Noted { event: Event::Observed(Observed::Orders(orders)), .. } => {
                self.orders.clone_from(orders);
            }
            Seen::Noted { event: Event::Observed(Observed::Ledger(ledger)), .. } => {
                Rest::of(&self.facts, ledger, &self.orders, scene, entry).judge(findings);
            }
            _ => {}
        }
    }
}

/// Everything that is known at a moment of rest.
struct Rest<'a> {
    facts: &'a Facts,
    ledger: &'a Ledger,
    orders: &'a [(u64, PlatformOrder)],
    scene: &'a Scene,
    entry: &'a Entry<Event>,
    /// The sales that the ledger has as charged, and those on its list of unconfirmed ones, to look them up.
    charged: BTreeSet<&'a SaleId>,
    unconfirmed: BTreeSet<&'a SaleId>,
}

impl<'a> Rest<'a> {
    fn of(
        facts: &'a Facts,
        ledger: &'a Ledger,
        orders: &'a [(u64, PlatformOrder)],
        scene: &'a Scene,
        entry: &'a Entry<Event>,
    ) -> Self {
        let charged = ledger.sales.iter().filter(|(_, sale)| sale.state == State::Charged);
        let charged = charged.map(|(id, _)| id).collect();
        let unconfirmed = ledger.unconfirmed.iter().collect();
        Self { facts, ledger, orders, scene, entry, charged, unconfirmed }
    }

    fn judge(&self, findings: &mut Findings) {
        for (card, account) in &self.ledger.accounts {
            self.judge_account(*card, *account, findings);
        }
        self.judge_codes(findings);
        self.judge_told(findings);
        self.judge_charged(findings);
        self.judge_pending(findings);
    }

    fn violation(&self, expected: String, actual: String, evidence: Vec<u64>) -> Violation {
        let evidence = evidence.into_iter().chain([self.entry.ordinal]).collect();
        Violation { requirement: I1, expected, actual, at: self.entry.at, evidence }
    }

    fn facts_of(&self, id: &SaleId) -> Option<&SaleFacts> {
        self.facts.sales.get(id)
    }

    /// The sales that the ledger has as charged.
    fn charged(&self) -> impl Iterator<Item = &SaleId> {
        self.ledger.sales.iter().filter(|(_, sale)| sale.state == State::Charged).map(|(id, _)| id)
    }

    /// What is missing from an account is what its sales come to.
    fn judge_account(&self, card: CardNumber, account: Account, findings: &mut Findings) {
        let opening = self.scene.cards.iter().find(|(known, _)| *known == card);
        let opening = opening.map(|(_, spec)| spec.account).unwrap_or_default();
        let of_card = |id: &&SaleId| match &id.sold {
            Sold::Money(of, _) | Sold::Count(of) => *of == card,
            Sold::Code(..) => false,
        };
        let sales: Vec<&SaleId> = self.charged().filter(of_card).collect();
        let money: Vec<&SaleId> =
            sales.iter().copied().filter(|id| matches!(id.sold, Sold::Money(..))).collect();
        let due: i64 = money.iter().map(|id| amount_of(&id.sold).0).sum();
        let taken = (opening.balance - account.balance).0;
        findings.judge(I1, due == taken, || {
            let (expected, actual, evidence) = self.miscount(card, &money, due, taken);
            self.violation(expected, actual, evidence)
        });
        let counted: Vec<&SaleId> =
            sales.iter().copied().filter(|id| matches!(id.sold, Sold::Count(_))).collect();
        let (due, taken) = (counted.len(), opening.counts - account.counts);
        findings.judge(I1, i64::try_from(due) == Ok(taken), || {
            self.violation(
                format!("card {card} charged {due} × one count"),
                format!("card {card} charged {taken} × one count"),
                counted.iter().flat_map(|id| self.heard(id)).collect(),
            )
        });
    }

    /// How an account's error reads: as so many times one sale, where that explains it.
    fn miscount(
        &self,
        card: CardNumber,
        sales: &[&SaleId],
        due: i64,
        taken: i64,
    ) -> (String, String, Vec<u64>) {
        let extra = taken - due;
        let heard = |id: &&&SaleId| self.heard(id).len() > 1;
        let explains =
            |id: &&&SaleId| amount_of(&id.sold).0 > 0 && extra > 0 && extra % amount_of(&id.sold).0 == 0;
        let repeated = sales.iter().filter(heard).find(explains).or_else(|| sales.iter().find(explains));
        if let Some(id) = repeated {
            let amount = amount_of(&id.sold);
            return (
                format!("card {card} charged 1 × {amount}"),
                format!("card {card} charged {} × {amount}", 1 + extra / amount.0),
                self.heard(id),
            );
        }
        (
            format!("card {card} charged {} for its {} sales", Fen(due), sales.len()),
            format!("card {card} charged {}", Fen(taken)),
            sales.iter().flat_map(|id| self.heard(id)).collect(),
        )
    }

    fn heard(&self, id: &SaleId) -> Vec<u64> {
        self.facts_of(id).map(|sale| sale.heard.iter().collect()).unwrap_or_default()
    }

    /// A sale by code is asked for under one order.
    ///
    /// Why: what a platform makes of a second order with the same code is its own business.
    fn judge_codes(&self, findings: &mut Findings) {
        let mut asked: BTreeMap<&[u8], Vec<(Fen, u64)>> = BTreeMap::new();
        for (code, amount, ordinal) in self.facts.orders.values() {
            asked.entry(code).or_default().push((*amount, *ordinal));
        }
        for (code, orders) in asked {
            let of_code = |(id, sale): &(&SaleId, &SaleFacts)| {
                let same = |scanned: &[u8]| without_commas(scanned) == without_commas(code);
                let alike = matches!(&id.sold, Sold::Code(_, scanned, _) if same(scanned));
                alike && !sale.heard.is_empty()
            };
            let due = self.facts.sales.iter().filter(of_code).count().max(1);
            findings.judge(I1, orders.len() <= due, || {
                let (code, amount) = (code.escape_ascii(), orders[0].0);
                self.violation(
                    format!("code {code} charged {due} × {amount}"),
                    format!("code {code} charged {} × {amount}: so many orders", orders.len()),
                    orders.iter().map(|(_, ordinal)| *ordinal).collect(),
                )
            });
        }
    }

    /// No terminal waits for ever.
    fn judge_pending(&self, findings: &mut Findings) {
        for (place, held) in &self.facts.flash {
            let excused = held.pending.as_ref().is_some_and(|id| self.is_displaced(id));
            findings.judge(I1, held.pending.is_none() || excused, || {
                let letter = &self.scene.terminals[*place].letter;
                let sale = held.pending.as_ref().map(words).unwrap_or_default();
                self.violation(
                    "every sale has come to an end".to_owned(),
                    format!("terminal {letter} still waits for the answer to {sale}"),
                    vec![held.ordinal],
                )
            });
        }
    }

    /// Whether a sale has come to an end on the server, in its list if it was charged, and a damaged repeat of it
    /// counts as a newer sale of the machine.
    ///
    /// Why: the protocol has no checksum, and the older of two sales gets an acknowledgement alone. Nobody is wrong,
    /// and people have to clear it up.
    fn is_displaced(&self, id: &SaleId) -> bool {
        let mut refused =
            self.ledger.sales.iter().filter(|(_, sale)| matches!(sale.state, State::Refused(_)));
        let ended = self.unconfirmed.contains(id) || refused.any(|(known, _)| known == id);
        let damaged = |(other, sale): (&SaleId, &SaleFacts)| {
            other.device == id.device && sale.terminal.is_none() && !sale.heard.is_empty()
        };
        ended && self.facts.sales.iter().any(damaged)
    }

    /// What people were told of was charged.
    fn judge_told(&self, findings: &mut Findings) {
        let mut spare = self.unasked();
        for (id, sale) in self.facts.sales.iter() {
            let Some(told) = sale.shown.or(sale.booked) else { continue };
            let waits = self.facts.is_held(id);
            let charged = self.is_charged(id) || take_alike(&mut spare, id);
            findings.judge(I1, charged || waits, || {
                let how = if sale.shown.is_some() { "shown as paid" } else { "booked off line" };
                let expected = format!("{} charged once, since it was {how}", words(id));
                self.violation(expected, format!("{} never charged", words(id)), vec![told])
            });
        }
    }

    fn is_charged(&self, id: &SaleId) -> bool {
        if let Sold::Code(_, code, _) = &id.sold {
            let paid = |number: &u64| self.orders.iter().any(|(order, what)| order == number && what.paid);
            let same = |other: &[u8]| without_commas(other) == without_commas(code);
            return self.facts.orders.iter().any(|(number, (other, ..))| same(other) && paid(number));
        }
        self.charged.contains(id)
    }

    /// Charges of sales that no terminal has asked for: a message was damaged on its way.
    fn unasked(&self) -> Vec<&SaleId> {
        let asked = |id: &&SaleId| self.facts_of(id).is_some_and(|sale| sale.terminal.is_some());
        self.charged().filter(|id| !asked(id)).collect()
    }

    /// What was charged was told, was booked, or is on the server's list.
    fn judge_charged(&self, findings: &mut Findings) {
        let mut late: Vec<(CardNumber, Fen)> =
            self.facts.late.iter().map(|late| (late.card, late.amount)).collect();
        let mut spare = self.told_in_vain();
        for id in self.charged() {
            let facts = self.facts_of(id);
            let told = facts
                .is_some_and(|sale| sale.shown.is_some() || sale.booked.is_some() || sale.recorded.is_some());
            let waits = self.facts.is_held(id);
            // The protocol has no checksum: what was damaged into another good message is another sale, and nobody can
            // tell.
            let damaged = facts.is_some_and(|sale| sale.terminal.is_none() && !sale.heard.is_empty());
            let holds = told
                || damaged
                || waits
                || self.unconfirmed.contains(id)
                || take_late(&mut late, id)
                || take_alike(&mut spare, id);
            findings.judge(I1, holds, || {
                let expected =
                    format!("{}: shown, booked, or on the server's list of unconfirmed charges", words(id));
                let actual = format!("{}: charged, and nobody knows", words(id));
                self.violation(expected, actual, self.heard(id))
            });
        }
    }

    /// Sales that people were told of and that are not in the ledger as they were made.
    fn told_in_vain(&self) -> Vec<&SaleId> {
        let sales = self.facts.sales.iter();
        let told = sales.filter(|(_, sale)| sale.shown.is_some() || sale.booked.is_some());
        told.map(|(id, _)| id).filter(|id| !self.charged.contains(id)).collect()
    }
}

/// A code as it is compared: that a server drops the commas is for others to judge.
fn without_commas(code: &[u8]) -> Vec<u8> {
    code.iter().copied().filter(|byte| *byte != b',').collect()
}

/// Takes out a sale of the same card and amount, or one whose kind was damaged.
fn take_alike(from: &mut Vec<&SaleId>, id: &SaleId) -> bool {
    let alike = |other: &&SaleId| match (&other.sold, &id.sold) {
        (Sold::Code(_, _, paid), Sold::Code(_, _, amount)) => paid == amount,
        (Sold::Money(card, _), Sold::Count(other)) | (Sold::Count(card), Sold::Money(other, _)) => {
            card == other
        }
        (sold, other) => sold == other,
    };
    let Some(at) = from.iter().position(alike) else { return false };
    from.remove(at);
    true
}

/// Takes out a late word of the same card and amount.
fn take_late(from: &mut Vec<(CardNumber, Fen)>, id: &SaleId) -> bool {
    let card = match &id.sold {
        Sold::Money(card, _) | Sold::Count(card) => *card,
        Sold::Code(..) => CardNumber::default(),
    };
    let Some(at) = from.iter().position(|(of, amount)| *of == card && *amount == amount_of(&id.sold)) else {
        return false;
    };
    from.remove(at);
    true
}
