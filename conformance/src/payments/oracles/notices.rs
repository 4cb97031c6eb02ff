//! Whether notifications are verified, and answered exactly, in time, and only when they are durable.
//!
//! Source: PYC-7, PYC-8.

use std::collections::{BTreeMap, BTreeSet};

use assay_sim::payments::client::books::Standing;
use assay_sim::payments::family::Payments;
use assay_sim::payments::observe::Observed;
use assay_sim::payments::party::Event;
use assay_sim::tape::{Entry, Seen};
use assay_sim::time::Instant;

use super::documents::{Document, Says};
use super::orders::Orders;
use super::talk::{Said, Talk};
use crate::finding::{Findings, Oracle, Violation};
use crate::payments::scene::Scene;

/// The judge of notifications.
#[derive(Default)]
pub struct Notices {
    talk: Talk,
    orders: Orders,
    /// Notifications without an answer, by connection.
    open: BTreeMap<u16, (String, bool, Instant, u64)>,
    /// Orders whose notification was answered as taken.
    taken: BTreeSet<String>,
}

impl Oracle<Payments> for Notices {
    fn observe(&mut self, entry: &Entry<Event>, scene: &Scene, findings: &mut Findings) {
        for said in self.talk.observe(entry, scene) {
            match &said {
                Said::Notice(conn, document) => {
                    let number = document.number.clone();
                    let known = self.orders.0.get(&number);
                    let right = known.is_some_and(|order| document.is_right(order.amount));
                    self.open.insert(*conn, (number, document.genuine && right, entry.at, entry.ordinal));
                }
                Said::Receipt(conn, document) => self.answered(*conn, document, entry, scene, findings),
                _ => {}
            }
            self.orders.observe(&said);
        }
        if let Seen::Noted { event: Event::Observed(Observed::Books(books)), .. } = &entry.what {
            for number in &self.taken {
                let standing = books.iter().find(|one| one.number == *number).map(|one| one.standing);
                let kept =
                    matches!(standing, Some(Standing::Paid | Standing::Refunding | Standing::Refunded));
                let amount = self.orders.0.get(number).map(|order| order.amount).unwrap_or_default();
                findings.judge("PYC-8", kept, || Violation {
                    requirement: "PYC-8",
                    expected: format!(
                        "order {number}, {amount}, in the books once its notification is answered"
                    ),
                    actual: format!("it is {}", standing.map_or("not there", Standing::as_str)),
                    at: entry.at,
                    evidence: vec![entry.ordinal],
                });
            }
        }
    }

    fn finish(&mut self, at: Instant, _: &Scene, findings: &mut Findings) {
        for (number, genuine, _, ordinal) in self.open.values().filter(|_| !self.talk.struck) {
            findings.judge("PYC-8", !genuine, || Violation {
                requirement: "PYC-8",
                expected: format!("the notification of order {} answered", number.escape_debug()),
                actual: "it never was".to_owned(),
                at,
                evidence: vec![*ordinal],
            });
        }
    }
}

impl Notices {
    fn answered(
        &mut self,
        conn: u16,
        document: &Document,
        entry: &Entry<Event>,
        scene: &Scene,
        findings: &mut Findings,
    ) {
        let Some((number, genuine, at, ordinal)) = self.open.remove(&conn) else { return };
        let exact = document.says == Says::Done;
        let limit = scene.rules().notice_limit;
        let latest = limit + scene.profile.bench.tolerance;
        let (took, number_shown) = (entry.at.since(at), number.escape_debug().to_string());
        let evidence = vec![ordinal, entry.ordinal];
        if genuine {
            if exact {
                self.taken.insert(number);
            }
            findings.judge("PYC-8", exact && took <= latest, || Violation {
                requirement: "PYC-8",
                expected: format!(
                    "the notification of order {number_shown} answered with the exact success within {limit}"
                ),
                actual: format!("HTTP {} {:?} after {took}", document.status, document.word),
                at: entry.at,
                evidence,
            });
        } else {
            findings.judge("PYC-7", !exact, || Violation {
                requirement: "PYC-7",
                expected: format!("a spoiled notification of order {number_shown} not taken"),
                actual: "it was answered as taken".to_owned(),
                at: entry.at,
                evidence,
            });
        }
    }
}
