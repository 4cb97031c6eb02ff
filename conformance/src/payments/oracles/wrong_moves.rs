//! Whether the platform records what a client does wrong, with its order, and nothing where the client does right.
//!
//! Source: BKD-6.

use std::collections::BTreeSet;

use assay_sim::payments::family::Payments;
use assay_sim::payments::observe::Observed;
use assay_sim::payments::party::Event;
use assay_sim::payments::watch::WrongMove;
use assay_sim::tape::{Entry, Seen};

use super::talk::{Said, Talk};
use crate::finding::{Findings, Oracle, Violation};
use crate::payments::scene::Scene;

/// The judge of what is recorded.
pub struct WrongMoves {
    talk: Talk,
    what: WrongMove,
    wanted: bool,
    /// The orders that the client has named.
    named: BTreeSet<String>,
}

impl WrongMoves {
    /// The client makes this wrong move, and it must be recorded with one of the client's orders.
    pub fn recorded(what: WrongMove) -> Self {
        Self { talk: Talk::default(), what, wanted: true, named: BTreeSet::new() }
    }

    /// The client does right, and this must not be recorded.
    pub fn not_recorded(what: WrongMove) -> Self {
        Self { wanted: false, ..Self::recorded(what) }
    }
}

impl Oracle<Payments> for WrongMoves {
    fn observe(&mut self, entry: &Entry<Event>, scene: &Scene, findings: &mut Findings) {
        for said in self.talk.observe(entry, scene) {
            if let Said::Call(called) = said {
                self.named.insert(called.number().to_owned());
            }
        }
        let Seen::Noted { event: Event::Observed(Observed::Platform(seen)), .. } = &entry.what else {
            return;
        };
        let mut recorded = seen.findings.iter().filter(|(what, _)| *what == self.what);
        let holds = match self.wanted {
            true => recorded.any(|(_, order)| self.named.contains(order)),
            false => recorded.next().is_none(),
        };
        findings.judge("BKD-6", holds, || {
            let name = self.what.as_str();
            let all: Vec<String> = seen
                .findings
                .iter()
                .map(|(what, order)| format!("{} at {:?}", what.as_str(), order))
                .collect();
            Violation {
                requirement: "BKD-6",
                expected: match self.wanted {
                    true => format!("`{name}` recorded, with the order"),
                    false => format!("no `{name}` recorded"),
                },
                actual: if all.is_empty() { "nothing is".to_owned() } else { all.join(", ") },
                at: entry.at,
                evidence: vec![entry.ordinal],
            }
        });
    }
}
