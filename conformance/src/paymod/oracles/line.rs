//! Whether the module checks and answers its host's frames, and tells how orders stand until it is heard.
//!
//! Source: PAY-U1, PAY-U2, PAY-U3, PAY-L4, PAY-O4.

use std::collections::BTreeMap;

use assay_sim::money::Fen;
use assay_sim::paymod::family::Paymod;
use assay_sim::paymod::frame::{HostMessage, OrderNumber, Terms, host_error, status};
use assay_sim::paymod::party::Event;
use assay_sim::tape::Entry;
use assay_sim::time::{Instant, Span};

use super::talk::{Blind, Said, Talk};
use crate::finding::{Findings, Oracle, Violation};
use crate::paymod::scene::Scene;

/// How long a frame takes on the line at the most, and how far timers may be off.
const SLACK: Span = Span::ms(100);

/// What the module owes its host.
#[derive(Clone, Debug)]
struct Owed {
    requirement: &'static str,
    at: Instant,
    sequence: u8,
    /// Whether an error is owed, and no answer.
    error: bool,
    /// The order that was asked for again.
    again: Option<OrderNumber>,
    evidence: u64,
}

/// A status that waits to be acknowledged.
#[derive(Clone, Debug)]
struct Open {
    status: u8,
    at: Instant,
    evidence: u64,
}

/// The judge of the host's line.
#[derive(Default)]
pub struct Line {
    talk: Talk,
    blind: Blind,
    owed: Vec<Owed>,
    /// What the host asked for.
    orders: BTreeMap<OrderNumber, Terms>,
    /// Orders and amounts with which a link has come.
    linked: BTreeMap<(OrderNumber, u32), String>,
    open: BTreeMap<OrderNumber, Open>,
    /// A frame was cut short, and nothing has been asked since.
    cut: Option<u64>,
}

impl Oracle<Paymod> for Line {
    fn observe(&mut self, entry: &Entry<Event>, scene: &Scene, findings: &mut Findings) {
        self.blind.observe(entry, scene);
        self.overdue(entry, scene, findings);
        for said in self.talk.observe(entry, scene) {
            match said {
                Said::ToModule(sequence, message) => self.asked(sequence, message, entry),
                Said::BadToModule => {
                    let at = entry.at;
                    let owed = Owed {
                        requirement: "PAY-U1",
                        at,
                        sequence: 0,
                        error: true,
                        again: None,
                        evidence: entry.ordinal,
                    };
                    // Bytes that are scanned again owe one error in all.
                    if self.owed.iter().all(|owed| !owed.error || owed.at != at) {
                        self.owed.push(owed);
                    }
                }
                Said::CutToModule => self.cut = Some(entry.ordinal),
                Said::FromModule(sequence, message) => self.told(sequence, &message, entry, findings),
                Said::Answered(_, _, Some(body)) => {
                    if let (Some(order), Some(amount), Some(link)) = (body.order, body.amount, body.link) {
                        let link = String::from_utf8_lossy(&link).into_owned();
                        self.linked.insert((order, amount), link);
                    }
                }
                _ => {}
            }
        }
    }
}

impl Line {
    /// A frame of the host has come whole.
    fn asked(&mut self, sequence: u8, message: Option<HostMessage>, entry: &Entry<Event>) {
        let mut again = None;
        match &message {
            Some(HostMessage::StatusAck { order, status }) => {
                if self.open.get(order).is_some_and(|open| open.status == *status) {
                    self.open.remove(order);
                }
                return;
            }
            Some(HostMessage::DataAck) => return,
            Some(HostMessage::Pay { order, terms }) => {
                let known = self.orders.insert(*order, *terms);
                again = known.filter(|known| known == terms).map(|_| *order);
                if let Some(known) = known {
                    self.orders.insert(*order, known);
                }
            }
            _ => {}
        }
        let requirement = match (self.cut.take(), again) {
            (Some(_), _) => "PAY-U3",
            (None, Some(_)) => "PAY-U2",
            (None, None) => "PAY-U1",
        };
        let (at, evidence) = (entry.at, entry.ordinal);
        self.owed.push(Owed { requirement, at, sequence, error: false, again, evidence });
    }

    fn told(&mut self, sequence: u8, message: &HostMessage, entry: &Entry<Event>, findings: &mut Findings) {
        let evidence = vec![entry.ordinal];
        let at = entry.at;
        let mut judge = |requirement, holds, expected: String, actual: String| {
            let evidence = evidence.clone();
            findings.judge(requirement, holds, || Violation { requirement, expected, actual, at, evidence });
        };
        let is_error = matches!(message, HostMessage::Error { code } if *code == host_error::CHECK);
        let unasked = matches!(message, HostMessage::Status { .. } | HostMessage::Data(_));
        let answers = |owed: &Owed| if owed.error { is_error } else { owed.sequence == sequence };
        if let Some(place) = self.owed.iter().position(answers).filter(|_| !unasked) {
            let owed = self.owed.remove(place);
            judge(owed.requirement, true, String::new(), String::new());
            if let Some(order) = owed.again {
                let refused = matches!(message, HostMessage::Error { .. });
                let expected = format!("order {order}, as it was asked for before");
                judge("PAY-U2", !refused, expected, "an error".to_owned());
            }
        } else if is_error {
            let cut = self.cut.is_some();
            let expected = "no word about a frame that was cut short".to_owned();
            judge("PAY-U3", !cut, expected, "an error".to_owned());
        }
        let shown = match message {
            HostMessage::Status { order, status, link } => {
                if self.open.get(order).is_some_and(|open| open.status == *status) {
                    judge("PAY-O4", true, String::new(), String::new());
                }
                self.open.insert(*order, Open { status: *status, at, evidence: entry.ordinal });
                Some((*order, link))
            }
            _ => None,
        };
        if let Some((order, link)) = shown.filter(|(_, link)| !link.is_empty()) {
            let link = String::from_utf8_lossy(link).into_owned();
            let amount = self.orders.get(&order).map_or(0, |terms| terms.amount);
            let ours = self.linked.get(&(order, amount)) == Some(&link);
            let fen = Fen(i64::from(amount));
            let expected = format!("a link for order {order}, {fen}");
            judge("PAY-L4", ours, expected, format!("{:?}, which came for something else", link));
        }
    }

    /// What is not told in time.
    fn overdue(&mut self, entry: &Entry<Event>, scene: &Scene, findings: &mut Findings) {
        let (now, bench) = (entry.at, &scene.profile.bench);
        let within = bench.answer_within + SLACK;
        let (late, owed) =
            std::mem::take(&mut self.owed).into_iter().partition(|owed| now > owed.at + within);
        self.owed = owed;
        let late: Vec<Owed> = late;
        for Owed { requirement, at, error, evidence, .. } in late {
            if self.blind.sees(at, now) {
                let expected = format!("an answer within {}", bench.answer_within);
                let what = if error { "a bad frame" } else { "a frame" };
                let actual = format!("{what} has got none");
                let evidence = vec![evidence, entry.ordinal];
                findings.judge(requirement, false, || Violation {
                    requirement,
                    expected,
                    actual,
                    at: now,
                    evidence,
                });
            }
        }
        let again = scene.profile.module.status_again + bench.tolerance;
        let late: Vec<OrderNumber> =
            self.open.iter().filter(|(_, open)| now > open.at + again).map(|(order, _)| *order).collect();
        for order in late {
            let Some(open) = self.open.remove(&order) else { continue };
            if self.blind.sees(open.at, now) {
                let words = status::words(open.status);
                findings.judge("PAY-O4", false, || Violation {
                    requirement: "PAY-O4",
                    expected: format!("order {order}: \"{words}\" told again within {again}"),
                    actual: "the host has not acknowledged it, and hears no more of it".to_owned(),
                    at: now,
                    evidence: vec![open.evidence, entry.ordinal],
                });
            }
        }
    }
}
