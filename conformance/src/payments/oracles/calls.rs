//! Whether each call is one that the decision table allows at that moment.
//!
//! Source: PYC-1, PYC-2, PYC-3, PYC-4, PYC-10, PYC-11, PYC-12.

use std::collections::BTreeSet;

use assay_sim::payments::call::CallKind;
use assay_sim::payments::family::Payments;
use assay_sim::payments::party::Event;
use assay_sim::tape::{Entry, Seen};
use assay_sim::time::Span;

use super::orders::{Knows, Orders, makes_order};
use super::talk::{Called, Said, Talk};
use crate::finding::{Findings, Oracle, Violation};
use crate::payments::SETTLED;
use crate::payments::scene::Scene;

/// The judge of calls.
#[derive(Default)]
pub struct Calls {
    talk: Talk,
    orders: Orders,
    /// What the till no longer wants.
    unwanted: BTreeSet<String>,
}

impl Oracle<Payments> for Calls {
    fn observe(&mut self, entry: &Entry<Event>, scene: &Scene, findings: &mut Findings) {
        for said in self.talk.observe(entry, scene) {
            match &said {
                Said::Call(called) => {
                    self.judge(called, scene, findings);
                    self.judge_undoing(called, findings);
                }
                Said::Till(line) => {
                    self.unwanted.extend(line.strip_prefix("cancel ").map(str::to_owned));
                }
                _ => {}
            }
            self.orders.observe(&said);
        }
        if matches!(&entry.what, Seen::Case(words) if words == SETTLED) {
            for (number, order) in self.orders.0.iter().filter(|(_, order)| order.undone) {
                findings.judge("PYC-3", order.knows != Knows::Nothing, || Violation {
                    requirement: "PYC-3",
                    expected: format!(
                        "order {number}, {}, undone again until the platform says it is",
                        order.amount
                    ),
                    actual: "the platform never said so, and was not asked any more".to_owned(),
                    at: entry.at,
                    evidence: order.evidence.clone(),
                });
            }
        }
    }
}

impl Calls {
    /// An order is given up only after it was asked about, unless the till has given it up. A fault may have kept the
    /// question off the link.
    fn judge_undoing(&self, called: &Called, findings: &mut Findings) {
        let Some(order) = self.orders.0.get(called.number()) else { return };
        let undoes = matches!(called.kind, CallKind::Cancel | CallKind::Close);
        if !undoes || order.undone || self.talk.struck || self.unwanted.contains(&order.sale) {
            return;
        }
        findings.judge("PYC-2", order.queried, || Violation {
            requirement: "PYC-2",
            expected: format!(
                "order {}, {}, asked about first",
                called.number().escape_debug(),
                order.amount
            ),
            actual: format!("{} with no query before it", called.kind.as_str()),
            at: called.at,
            evidence: vec![called.ordinal],
        });
    }

    fn judge(&self, called: &Called, scene: &Scene, findings: &mut Findings) {
        let document = &called.document;
        let number = called.number().escape_debug().to_string();
        let mut rule = |requirement: &'static str, holds: bool, expected: String, actual: String| {
            let (at, evidence) = (called.at, vec![called.ordinal]);
            findings.judge(requirement, holds, || Violation { requirement, expected, actual, at, evidence });
        };
        let signature = match (document.signed, document.genuine) {
            (_, true) => "signed",
            (true, false) => "signed wrongly",
            (false, false) => "not signed",
        };
        rule(
            "PYC-11",
            document.genuine,
            format!("{} of {number} signed", called.kind.as_str()),
            signature.to_owned(),
        );
        let rules = scene.rules();
        if let Some(order) = self.orders.0.get(called.number()) {
            let mut pace = |requirement, since, least: Span, what: &str| {
                let gap = called.at.since(since);
                let words = format!("{} of {number} at least {least} after {what}", called.kind.as_str());
                rule(requirement, gap >= least, words, format!("{gap} after it"));
            };
            match called.kind {
                CallKind::Query => pace("PYC-2", order.asked, rules.query_gap, "the call before"),
                CallKind::Cancel => pace("PYC-3", order.made, rules.undo_after, "the pay call"),
                CallKind::Close => pace("PYC-4", order.made, rules.close_after, "the order was made"),
                _ => {}
            }
            if called.kind == CallKind::Refund {
                let refund = &document.refund;
                let same = order.refund.as_ref().is_none_or(|known| known == refund);
                let known = order.refund.clone().unwrap_or_default();
                let words = format!("the refund of {number}, {}, under one number, {known:?}", order.amount);
                rule("PYC-12", same, words, format!("again under {refund:?}"));
            }
            if called.kind == CallKind::Pay {
                let same = order.code == document.code;
                let words = format!("another code under another number than {number}");
                rule("PYC-10", same, words, "another code under the same number".to_owned());
            }
            return;
        }
        if makes_order(called.kind) {
            let sale = document.sale.as_str();
            let open: Vec<String> = self
                .orders
                .of(sale)
                .filter(|(_, order)| order.knows != Knows::Dead)
                .map(|(other, order)| format!("{other}, {}", order.amount))
                .collect();
            let words =
                format!("sale {} charged under no second number while one is unknown", sale.escape_debug());
            let actual =
                format!("charged under {number} while {} is not known to be dead", open.join(" and "));
            rule("PYC-1", open.is_empty(), words, actual);
            if self.orders.of(sale).next().is_some() {
                rule("PYC-10", true, String::new(), String::new());
            }
        }
    }
}
