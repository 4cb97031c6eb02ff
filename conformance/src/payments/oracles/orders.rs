//! What a client can know of its orders: what it was told by the platform and nothing else.

use std::collections::BTreeMap;

use assay_sim::money::Fen;
use assay_sim::time::Instant;

use super::talk::{Called, Document, Said};
use crate::payments::scene::Scene;

/// Codes of a pay call from which a client cannot tell whether the payer was charged.
const UNKNOWN: [&str; 5] = ["SYSTEMERROR", "BANKERROR", "USERPAYING", "ORDERPAID", "OUT_TRADE_NO_USED"];

/// What a client knows of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Knows {
    /// Nothing certain.
    Nothing,
    /// It is paid.
    Paid,
    /// Nothing can come of it, or all of it has gone back.
    Dead,
}

/// An order as the link shows it.
#[derive(Clone, Debug)]
pub(super) struct Order {
    pub(super) sale: String,
    pub(super) amount: Fen,
    pub(super) code: String,
    /// When it was asked for first, and when it was asked for or about last.
    pub(super) made: Instant,
    pub(super) asked: Instant,
    pub(super) knows: Knows,
    /// Whether an answer about it was spoiled, and whether a notification was.
    pub(super) spoiled_answer: bool,
    pub(super) spoiled_notice: bool,
    /// Whether it was asked about.
    pub(super) queried: bool,
    /// Whether undoing it was asked for.
    pub(super) undone: bool,
    /// Whether it was known to be dead once.
    pub(super) was_dead: bool,
    pub(super) refund: Option<String>,
    pub(super) evidence: Vec<u64>,
}

/// All orders of a run, by number.
#[derive(Clone, Debug, Default)]
pub(super) struct Orders(pub(super) BTreeMap<String, Order>);

impl Orders {
    /// Takes in what is said. Of a call this is done after it was judged.
    pub(super) fn observe(&mut self, said: &Said, scene: &Scene) {
        match said {
            Said::Call(called) => self.called(called),
            Said::Answer(called, document) => self.answered(called, document, scene),
            Said::Notice(_, document) => self.notified(document),
            _ => {}
        }
    }

    /// The orders of a sale.
    pub(super) fn of<'a>(&'a self, sale: &'a str) -> impl Iterator<Item = (&'a String, &'a Order)> {
        self.0.iter().filter(move |(_, order)| order.sale == sale)
    }

    fn called(&mut self, called: &Called) {
        let document = &called.document;
        if matches!(called.name, "micropay" | "unifiedorder") {
            let fresh = || Order {
                sale: document.field("attach").to_owned(),
                amount: fen(document, "total_fee"),
                code: document.field("auth_code").to_owned(),
                made: called.at,
                asked: called.at,
                knows: Knows::Nothing,
                spoiled_answer: false,
                spoiled_notice: false,
                queried: false,
                undone: false,
                was_dead: false,
                refund: None,
                evidence: Vec::new(),
            };
            self.0.entry(called.number().to_owned()).or_insert_with(fresh);
        }
        let Some(order) = self.0.get_mut(called.number()) else { return };
        order.evidence.push(called.ordinal);
        match called.name {
            "micropay" | "unifiedorder" => order.asked = called.at,
            "orderquery" => (order.asked, order.queried) = (called.at, true),
            "reverse" | "closeorder" => order.undone = true,
            "refund" => order.refund = Some(document.field("out_refund_no").to_owned()),
            _ => {}
        }
    }

    fn answered(&mut self, called: &Called, document: &Document, scene: &Scene) {
        let Some(order) = self.0.get_mut(called.number()) else { return };
        if document.status != 200 || document.field("return_code") != "SUCCESS" {
            return;
        }
        if !document.genuine {
            order.spoiled_answer = true;
            return;
        }
        let (done, code) = (document.field("result_code") == "SUCCESS", document.field("err_code"));
        let right = fen(document, "total_fee") == order.amount
            && document.field("mch_id") == scene.profile.client.mch_id;
        let knows = match called.name {
            "micropay" if done && right => Some(Knows::Paid),
            "micropay" if !done && !UNKNOWN.contains(&code) => Some(Knows::Dead),
            "orderquery" if done => match document.field("trade_state") {
                "SUCCESS" if right => Some(Knows::Paid),
                "CLOSED" | "REVOKED" | "PAYERROR" | "REFUND" => Some(Knows::Dead),
                _ => None,
            },
            "reverse" if document.field("recall") == "Y" => None,
            "reverse" | "closeorder" if done || code == "ORDERNOTEXIST" => Some(Knows::Dead),
            "closeorder" if matches!(code, "ORDERCLOSED" | "ORDERREVERSED") => Some(Knows::Dead),
            "closeorder" if code == "ORDERPAID" => Some(Knows::Paid),
            "refund" if done => Some(Knows::Dead),
            _ => None,
        };
        let tells = matches!(called.name, "micropay" | "orderquery") && done;
        let success = called.name == "micropay" || document.field("trade_state") == "SUCCESS";
        order.spoiled_answer |= tells && success && !right;
        if let Some(knows) = knows {
            order.knows = knows;
            order.was_dead |= knows == Knows::Dead;
        }
    }

    fn notified(&mut self, document: &Document) {
        let Some(order) = self.0.get_mut(document.field("out_trade_no")) else { return };
        if !document.genuine || fen(document, "total_fee") != order.amount {
            order.spoiled_notice = true;
        } else if document.field("result_code") == "SUCCESS" && order.knows == Knows::Nothing {
            order.knows = Knows::Paid;
        }
    }
}

/// An amount in a document; nothing reads as none.
pub(super) fn fen(document: &Document, name: &str) -> Fen {
    Fen(document.field(name).parse().unwrap_or_default())
}
