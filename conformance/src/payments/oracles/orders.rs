//! What a client can know of its orders: what it was told by the platform and nothing else.

use std::collections::BTreeMap;

use assay_sim::money::Fen;
use assay_sim::payments::call::CallKind;
use assay_sim::time::Instant;

use super::documents::{Document, Says, Why};
use super::talk::{Called, Said};

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
    pub(super) fn observe(&mut self, said: &Said) {
        match said {
            Said::Call(called) => self.called(called),
            Said::Answer(called, document) => self.answered(called, document),
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
        if makes_order(called.kind) {
            let fresh = || Order {
                sale: document.sale.clone(),
                amount: document.amount.unwrap_or_default(),
                code: document.code.clone(),
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
        match called.kind {
            CallKind::Pay | CallKind::Precreate => order.asked = called.at,
            CallKind::Query => (order.asked, order.queried) = (called.at, true),
            CallKind::Cancel | CallKind::Close => order.undone = true,
            CallKind::Refund => order.refund = Some(document.refund.clone()),
            CallKind::RefundQuery | CallKind::Certificates | CallKind::Notification => {}
        }
    }

    fn answered(&mut self, called: &Called, document: &Document) {
        let Some(order) = self.0.get_mut(called.number()) else { return };
        if document.says == Says::Nothing {
            return;
        }
        if !document.genuine {
            order.spoiled_answer = true;
            return;
        }
        let right = document.is_right(order.amount);
        let knows = match (called.kind, document.says) {
            (CallKind::Pay | CallKind::Query, Says::Paid) if right => Some(Knows::Paid),
            (CallKind::Query, Says::Dead) => Some(Knows::Dead),
            (CallKind::Pay, Says::Refused(Why::Certain | Why::Closed | Why::Gone)) => Some(Knows::Dead),
            (CallKind::Cancel | CallKind::Close, Says::Done | Says::Refused(Why::Gone)) => Some(Knows::Dead),
            (CallKind::Close, Says::Refused(Why::Closed)) => Some(Knows::Dead),
            (CallKind::Close, Says::Refused(Why::OrderPaid)) => Some(Knows::Paid),
            (CallKind::Refund, Says::Done) => Some(Knows::Dead),
            _ => None,
        };
        order.spoiled_answer |= document.says == Says::Paid && !right;
        if let Some(knows) = knows {
            order.knows = knows;
            order.was_dead |= knows == Knows::Dead;
        }
    }

    fn notified(&mut self, document: &Document) {
        let Some(order) = self.0.get_mut(&document.number) else { return };
        if !document.genuine || !document.is_right(order.amount) {
            order.spoiled_notice = true;
        } else if document.says == Says::Paid && order.knows == Knows::Nothing {
            order.knows = Knows::Paid;
        }
    }
}

/// Whether a call makes an order.
pub(super) const fn makes_order(kind: CallKind) -> bool {
    matches!(kind, CallKind::Pay | CallKind::Precreate)
}
