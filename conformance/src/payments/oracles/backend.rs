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

use super::documents::{Document, Says};
use super::talk::{Called, Said, Talk};
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
                    let strike = plan.strike(scene.face(), called.kind, called.number());
                    let nonce = called.document.nonce.clone();
                    self.due.extend(strike.map(|strike| (nonce, strike)));
                }
                Said::Answers(called, document) => {
                    if let Some(strike) = self.due.remove(&called.document.nonce) {
                        judge(scene.face(), &called, &document, strike, entry, findings);
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

/// The platform's word for what it does not know itself, and for what the bank does not know.
const fn unknown(face: Platform) -> [&'static str; 2] {
    match face {
        Platform::WechatV2 => ["SYSTEMERROR", "BANKERROR"],
        Platform::WechatV3 => ["SYSTEM_ERROR", "BANK_ERROR"],
        Platform::Alipay => ["aop.unknow-error", "SYSTEM_ERROR"],
    }
}

/// Whether an answer shows what was planned.
fn judge(
    face: Platform,
    called: &Called,
    document: &Document,
    strike: Misbehaviour,
    entry: &Entry<Event>,
    findings: &mut Findings,
) {
    let ([system, bank], word) = (unknown(face), document.word.as_str());
    let shows = match strike {
        Misbehaviour::SystemError { .. } => word == system,
        // Its prefix is spelt in two ways.
        Misbehaviour::BankError { .. } => word.ends_with(bank),
        Misbehaviour::UserPaying { .. } => matches!(word, "USERPAYING" | "10003"),
        Misbehaviour::Refuse { .. } => matches!(document.says, Says::Refused(_)),
        Misbehaviour::Http { status, .. } => document.status == status,
        Misbehaviour::WrongSignature => document.signed && !document.genuine,
        Misbehaviour::WrongAmount { .. } if called.kind == CallKind::Pay => {
            document.amount != called.document.amount
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
        expected: format!("{} of {}: {strike}", called.kind.as_str(), called.number().escape_debug()),
        actual: format!("HTTP {}, {word:?}", document.status),
        at: entry.at,
        evidence: vec![called.ordinal, entry.ordinal],
    });
}
