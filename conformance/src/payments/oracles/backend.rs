//! Whether the platform goes wrong as its plan says, and in no other way.
//!
//! Source: BKD-3.

use std::collections::BTreeMap;

use assay_sim::payments::call::{CallKind, Platform};
use assay_sim::payments::family::Payments;
use assay_sim::payments::observe::Observed;
use assay_sim::payments::party::Event;
use assay_sim::payments::plan::{Misbehaviour, Plan};
use assay_sim::tape::{Entry, Seen};

use super::orders::fen;
use super::talk::{Called, Document, Said, Talk};
use crate::finding::{Findings, Oracle, Violation};
use crate::payments::scene::Scene;

/// The judge of the plan.
#[derive(Default)]
pub struct Misbehaved {
    talk: Talk,
    /// The plan as it is counted here.
    plan: Option<Plan>,
    /// What calls that wait for their answer are to suffer, by their nonces.
    due: BTreeMap<String, Misbehaviour>,
}

impl Oracle<Payments> for Misbehaved {
    fn observe(&mut self, entry: &Entry<Event>, scene: &Scene, findings: &mut Findings) {
        let plan = self.plan.get_or_insert_with(|| scene.misbehaviour.clone());
        for said in self.talk.observe(entry, scene) {
            match said {
                Said::Reached(called) if called.document.genuine => {
                    let Some(kind) = kind(called.name) else { continue };
                    let strike = plan.strike(Platform::WechatV2, kind, called.number());
                    let nonce = called.document.field("nonce_str").to_owned();
                    self.due.extend(strike.map(|strike| (nonce, strike)));
                }
                Said::Answers(called, document) => {
                    if let Some(strike) = self.due.remove(called.document.field("nonce_str")) {
                        judge(&called, &document, strike, entry, findings);
                    }
                }
                _ => {}
            }
        }
        if let Seen::Noted { event: Event::Observed(Observed::Platform(seen)), .. } = &entry.what
            && seen.planned > 0
            && !self.talk.struck
        {
            let calls = plan.misbehave.iter().filter(|strike| strike.call != CallKind::Notification);
            let here = calls.filter(|strike| strike.seen < strike.nth).count();
            let there = seen.unreached;
            let notices =
                plan.misbehave.iter().filter(|strike| strike.call == CallKind::Notification).count();
            let holds = (here..=here + notices).contains(&there);
            findings.judge("BKD-3", holds, || Violation {
                requirement: "BKD-3",
                expected: format!("{here} of {} planned left, by the calls that came", seen.planned),
                actual: format!("{there} left"),
                at: entry.at,
                evidence: vec![entry.ordinal],
            });
        }
    }
}

fn kind(name: &str) -> Option<CallKind> {
    Some(match name {
        "micropay" => CallKind::Pay,
        "unifiedorder" => CallKind::Precreate,
        "orderquery" => CallKind::Query,
        "reverse" => CallKind::Cancel,
        "closeorder" => CallKind::Close,
        "refund" => CallKind::Refund,
        "refundquery" => CallKind::RefundQuery,
        _ => return None,
    })
}

/// Whether an answer shows what was planned.
fn judge(
    called: &Called,
    document: &Document,
    strike: Misbehaviour,
    entry: &Entry<Event>,
    findings: &mut Findings,
) {
    let code = document.field("err_code");
    let shows = match strike {
        Misbehaviour::SystemError { .. } => code == "SYSTEMERROR",
        Misbehaviour::BankError { .. } => code == "BANKERROR",
        Misbehaviour::UserPaying { .. } => code == "USERPAYING",
        Misbehaviour::Refuse { .. } => document.field("result_code") == "FAIL",
        Misbehaviour::Http { status, .. } => document.status == status,
        Misbehaviour::WrongSignature => document.signed && !document.genuine,
        Misbehaviour::WrongAmount { .. } if called.name == "micropay" => {
            fen(document, "total_fee") != fen(&called.document, "total_fee")
        }
        Misbehaviour::NoAnswer { .. } | Misbehaviour::Reset { .. } => false,
        Misbehaviour::WrongAmount { .. }
        | Misbehaviour::Slow { .. }
        | Misbehaviour::LateSuccess { .. }
        | Misbehaviour::Twice { .. }
        | Misbehaviour::Held { .. } => true,
    };
    findings.judge("BKD-3", shows, || Violation {
        requirement: "BKD-3",
        expected: format!("{} of {}: {strike}", called.name, called.number().escape_debug()),
        actual: format!("HTTP {}, {code:?}", document.status),
        at: entry.at,
        evidence: vec![called.ordinal, entry.ordinal],
    });
}
