//! Whether the till, the client's books and the platform agree on each sale, to the fen.
//!
//! Source: PYC-1, PYC-5, PYC-6, PYC-9, PYC-13, PYC-14.

use std::collections::BTreeMap;

use assay_sim::money::Fen;
use assay_sim::payments::client::books::Standing;
use assay_sim::payments::family::Payments;
use assay_sim::payments::ledger::State;
use assay_sim::payments::observe::{BookedSeen, Observed, PlatformSeen};
use assay_sim::payments::party::Event;
use assay_sim::tape::{Entry, Seen};
use assay_sim::time::Instant;

use super::orders::{Knows, Orders};
use super::talk::{Said, Talk};
use crate::finding::{Findings, Oracle, Violation};
use crate::payments::SETTLED;
use crate::payments::scene::Scene;

/// The judge of sales.
#[derive(Default)]
pub struct Sales {
    talk: Talk,
    orders: Orders,
    /// What the till asked for, and the last word of how it ended, with its place on the tape.
    asked: BTreeMap<String, Option<(String, u64)>>,
    platform: PlatformSeen,
    settled: bool,
}

impl Oracle<Payments> for Sales {
    fn observe(&mut self, entry: &Entry<Event>, scene: &Scene, findings: &mut Findings) {
        for said in self.talk.observe(entry, scene) {
            match &said {
                Said::Till(line) => {
                    let words: Vec<&str> = line.split(' ').collect();
                    if let ["charge" | "offer", sale, ..] = words[..] {
                        self.asked.entry(sale.to_owned()).or_default();
                    }
                }
                Said::Word(line) => self.told(line, entry, findings),
                _ => {}
            }
            self.orders.observe(&said);
        }
        match &entry.what {
            Seen::Case(words) if words == SETTLED => self.settled = true,
            Seen::Noted { event: Event::Observed(Observed::Platform(seen)), .. } => {
                self.platform = (**seen).clone();
                self.judge_platform(entry, findings);
            }
            Seen::Noted { event: Event::Observed(Observed::Books(books)), .. } => {
                self.judge_books(books, entry, findings);
            }
            _ => {}
        }
    }

    fn finish(&mut self, at: Instant, _: &Scene, findings: &mut Findings) {
        for (sale, word) in self.asked.iter().filter(|_| self.settled) {
            findings.judge("PYC-14", word.is_some(), || Violation {
                requirement: "PYC-14",
                expected: format!("the till told how sale {} has ended", sale.escape_debug()),
                actual: "it was never told".to_owned(),
                at,
                evidence: self.orders.of(sale).flat_map(|(_, order)| order.evidence.clone()).collect(),
            });
        }
    }
}

impl Sales {
    /// A word to the till.
    fn told(&mut self, line: &str, entry: &Entry<Event>, findings: &mut Findings) {
        let mut words = line.split(' ');
        let (Some(word @ ("paid" | "failed")), Some(sale)) = (words.next(), words.next()) else { return };
        if sale.parse::<u32>().is_err() {
            return;
        }
        self.asked.insert(sale.to_owned(), Some((word.to_owned(), entry.ordinal)));
        let orders: Vec<_> = self.orders.of(sale).collect();
        let paid = orders.iter().any(|(_, order)| order.knows == Knows::Paid);
        let dead = orders.iter().all(|(_, order)| order.knows == Knows::Dead);
        let holds = if word == "paid" { paid } else { dead };
        let spoiled_answer = orders.iter().any(|(_, order)| order.spoiled_answer);
        let spoiled_notice = orders.iter().any(|(_, order)| order.spoiled_notice);
        let mut tested = vec!["PYC-5"];
        tested.extend((spoiled_answer && word == "paid").then_some("PYC-13"));
        tested.extend((spoiled_notice && word == "paid").then_some("PYC-7"));
        let amounts: Vec<String> =
            orders.iter().map(|(number, order)| format!("{number}, {}", order.amount)).collect();
        for requirement in tested {
            findings.judge(requirement, holds, || Violation {
                requirement,
                expected: format!(
                    "\"{word}\" for sale {} only when the platform has said so",
                    sale.escape_debug()
                ),
                actual: format!("the platform has not said so of {}", amounts.join(" and ")),
                at: entry.at,
                evidence: vec![entry.ordinal],
            });
        }
    }

    /// The platform's orders against what the till was told.
    fn judge_platform(&self, entry: &Entry<Event>, findings: &mut Findings) {
        if !self.settled {
            return;
        }
        for (sale, word) in &self.asked {
            let of = || self.platform.orders.iter().filter(|order| order.sale == *sale);
            let kept: Vec<String> = of()
                .filter(|order| order.kept() > Fen(0))
                .map(|order| format!("order {}: {}", order.number, order.kept()))
                .collect();
            let violation = |requirement, expected: String| Violation {
                requirement,
                expected,
                actual: if kept.is_empty() {
                    "nothing is kept".to_owned()
                } else {
                    format!("kept are {}", kept.join(", "))
                },
                at: entry.at,
                evidence: vec![entry.ordinal],
            };
            findings.judge("PYC-1", kept.len() <= 1, || {
                violation("PYC-1", format!("sale {sale} charged once at most"))
            });
            let Some((word, _)) = word else { continue };
            let holds = (word == "paid") != kept.is_empty();
            findings.judge("PYC-5", holds, || {
                let what = if word == "paid" { "money kept" } else { "no money kept" };
                violation("PYC-5", format!("{what} for sale {sale}, of which the till was told \"{word}\""))
            });
        }
    }

    /// The client's books against the platform's orders.
    fn judge_books(&self, books: &[BookedSeen], entry: &Entry<Event>, findings: &mut Findings) {
        if !self.settled {
            return;
        }
        let mut judge = |requirement, holds, expected: String, actual: String| {
            let evidence = vec![entry.ordinal];
            let at = entry.at;
            findings.judge(requirement, holds, || Violation { requirement, expected, actual, at, evidence });
        };
        for order in self.platform.orders.iter().filter(|order| order.state == State::Paid) {
            let booked = books.iter().find(|one| one.number == order.number).map(|one| one.standing);
            let holds = (booked == Some(Standing::Paid)) == (order.kept() > Fen(0));
            let expected = format!("order {}, {}, booked or given back", order.number, order.amount);
            let stands = booked.map_or("not in the books", Standing::as_str);
            let actual = format!("{} kept by the merchant, and it is {stands}", order.kept());
            let late = self.orders.0.get(&order.number).is_some_and(|order| order.was_dead || order.undone);
            if late {
                judge("PYC-6", holds, expected.clone(), actual.clone());
            }
            judge("PYC-5", holds, expected, actual);
        }
        for one in books {
            let paid = u32::from(one.standing == Standing::Paid);
            let expected = format!("order {}, {}, booked {paid} times", one.number, one.amount);
            judge(
                "PYC-9",
                one.booked <= 1,
                expected,
                format!("booked {} times, {} each", one.booked, one.amount),
            );
            let over = !matches!(one.standing, Standing::Open | Standing::Undoing | Standing::Refunding);
            let expected = format!("order {}, {}, come to its end", one.number, one.amount);
            judge("PYC-14", over, expected, format!("it is {}", one.standing.as_str()));
            if one.standing == Standing::Paid {
                let kept = self
                    .platform
                    .orders
                    .iter()
                    .any(|order| order.number == one.number && order.kept() > Fen(0));
                let expected = format!(
                    "order {}, {}, paid at the platform as it is in the books",
                    one.number, one.amount
                );
                judge("PYC-5", kept, expected, "the platform has no such money".to_owned());
            }
        }
    }
}
