//! A client's wrong moves, with the order and the amount named.
//!
//! What a client knows is what it was told: an answer that was lost, or that says the platform does not know, leaves
//! the order open in its eyes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::call::{Call, CallKind, House, Operation, OrderRef, Outcome, Platform, Undone};
use super::face::{Rejected, Signature};
use super::ledger::{Ledger, Order, OrderId, State};
use super::profile::Profile;
use crate::money::Fen;
use crate::time::{Instant, Now, Span};

/// What a client did wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WrongMove {
    /// A request without a signature.
    Unsigned,
    /// A request with a wrong signature.
    BadSignature,
    /// One sale charged under two numbers.
    SecondCharge,
    /// An order undone too soon after the pay call.
    UndoneTooSoon,
    /// A query too soon after the one before.
    PolledTooFast,
    /// An order closed too soon after it was made.
    ClosedTooSoon,
    /// An answer to a notification that is not the exact success.
    AnswerNotExact,
}

impl WrongMove {
    /// Its name, as records and pages write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unsigned => "unsigned",
            Self::BadSignature => "bad-signature",
            Self::SecondCharge => "second-charge",
            Self::UndoneTooSoon => "undone-too-soon",
            Self::PolledTooFast => "polled-too-fast",
            Self::ClosedTooSoon => "closed-too-soon",
            Self::AnswerNotExact => "answer-not-exact",
        }
    }
}

/// A wrong move that was seen. Requirement: BKD-6.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// When.
    pub at: Instant,
    /// The face.
    pub platform: Platform,
    /// The merchant's account.
    pub merchant: String,
    /// The merchant's number of the order; empty if it is not known.
    pub order: String,
    /// The money that it is about.
    pub amount: Option<Fen>,
    /// What was done wrong.
    pub what: WrongMove,
    /// In a sentence.
    pub words: String,
}

/// One sale, as far as it can be told: who pays whom how much at which counter.
type Sale = (House, String, String, Fen, String);

/// With how many open orders of its sale a new one is paired, the newest first.
///
/// Why: a client that leaves every order open must not cost more with each.
const PAIRED_MAX: usize = 8;

/// Whoever watches clients.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    findings: VecDeque<Finding>,
    /// When an order that is open in the client's eyes was last paid or asked about.
    asked: BTreeMap<OrderId, Instant>,
    /// Orders with a code whose end the client does not know.
    open: BTreeMap<Sale, BTreeSet<OrderId>>,
    /// An open order, and another that was made for the same sale.
    pairs: Vec<(OrderId, OrderId)>,
}

impl Watch {
    /// A request was refused before it became a call.
    pub(super) fn note_rejected(&mut self, now: Now, platform: Platform, rejected: &Rejected) {
        let (what, words) = match rejected.signature {
            Signature::Missing => (WrongMove::Unsigned, "a request without a signature"),
            Signature::Bad => (WrongMove::BadSignature, "a request whose signature is wrong"),
            Signature::Good | Signature::Unchecked => return,
        };
        let words = format!("{words}: {}", rejected.why);
        let (merchant, order) = (rejected.merchant.clone(), rejected.order.clone());
        let finding = Finding { at: now.mono, platform, merchant, order, amount: None, what, words };
        self.findings.push_back(finding);
    }

    /// A call that is about to be done.
    pub(super) fn note_call(&mut self, now: Now, call: &Call, ledger: &Ledger, profile: &Profile) {
        let (house, rules) = (call.platform.house(), profile.house(call.platform.house()));
        let order = match &call.operation {
            Operation::Query(order) | Operation::Cancel(order) | Operation::Close(order) => order.clone(),
            Operation::Pay { terms, .. } => OrderRef::Number(terms.number.clone()),
            _ => return,
        };
        let Some(id) = ledger.find(house, &call.merchant, &order) else { return };
        let order = ledger.order(id);
        let (number, age) = (order.terms.number.as_str(), now.mono.since(order.made));
        let shown = |span: Span| Span::ms(span.as_ms());
        match call.kind() {
            CallKind::Query => {
                let gap = self.asked.get(&id).map(|asked| now.mono.since(*asked));
                if let Some(gap) = gap.filter(|gap| *gap < rules.query_gap) {
                    let words = format!(
                        "order {number} was asked about again after {}, sooner than {}",
                        shown(gap),
                        rules.query_gap
                    );
                    self.note(now, call.platform, order, WrongMove::PolledTooFast, words);
                }
            }
            CallKind::Cancel
                if !order.is_scanned() && order.state != State::Reversed && age < rules.undo_after =>
            {
                let words = format!(
                    "order {number} was undone {} after the pay call, sooner than {}",
                    shown(age),
                    rules.undo_after
                );
                self.note(now, call.platform, order, WrongMove::UndoneTooSoon, words);
            }
            CallKind::Close if order.state.is_open() && age < rules.close_after => {
                let words = format!(
                    "order {number} was closed {} after it was made, sooner than {}",
                    shown(age),
                    rules.close_after
                );
                self.note(now, call.platform, order, WrongMove::ClosedTooSoon, words);
            }
            _ => {}
        }
    }

    /// What came of a call, and whether the client was told.
    pub(super) fn note_outcome(
        &mut self,
        now: Now,
        call: &Call,
        outcome: &Outcome,
        told: bool,
        ledger: &Ledger,
    ) {
        let order = match &call.operation {
            Operation::Pay { terms, .. } => OrderRef::Number(terms.number.clone()),
            Operation::Query(order) | Operation::Cancel(order) => order.clone(),
            _ => return,
        };
        let house = call.platform.house();
        let Some(id) = ledger.find(house, &call.merchant, &order) else { return };
        let order = ledger.order(id);
        let known = told
            && match call.kind() {
                CallKind::Pay => !outcome.result.is_err_and(|refusal| refusal.is_unknown()),
                CallKind::Query => outcome.result.is_ok() && !order.state.is_open(),
                _ => {
                    outcome.result.is_ok()
                        && matches!(outcome.undone, Some(Undone::Closed | Undone::Refunded) | None)
                }
            };
        if known {
            self.settle(order);
            return;
        }
        let paying = call.kind() == CallKind::Pay;
        if paying && !outcome.repeat {
            self.open_sale(id, order);
        }
        if call.kind() == CallKind::Query || paying && house == House::Wechat {
            self.asked.insert(id, now.mono);
        }
    }

    /// An order that is open in the client's eyes; other open ones of the same sale make a pair with it.
    fn open_sale(&mut self, id: OrderId, order: &Order) {
        let others = self.open.entry(sale(order)).or_default();
        others.insert(id);
    }

    /// A new order with a code: does it charge a sale again that is open in the client's eyes?
    pub(super) fn note_new(&mut self, id: OrderId, ledger: &Ledger) {
        let order = ledger.order(id);
        let others = self.open.get(&sale(order)).into_iter().flatten().rev().filter(|other| **other != id);
        self.pairs.extend(others.take(PAIRED_MAX).map(|other| (*other, id)));
    }

    /// The client knows what became of an order.
    pub(super) fn settle(&mut self, order: &Order) {
        self.asked.remove(&order.id);
        if !order.is_scanned() {
            let sale = sale(order);
            if let Some(open) = self.open.get_mut(&sale) {
                open.remove(&order.id);
                if open.is_empty() {
                    self.open.remove(&sale);
                }
            }
        }
    }

    /// Looks whether both orders of a pair have been paid by now.
    pub(super) fn note_paid(&mut self, now: Now, ledger: &Ledger) {
        let both = |(old, new): &(OrderId, OrderId)| {
            [old, new].into_iter().all(|id| ledger.order(*id).state == State::Paid)
        };
        let twice: Vec<_> = self.pairs.iter().copied().filter(both).collect();
        self.pairs.retain(|pair| !both(pair));
        for (old, new) in twice {
            let (old, new) = (ledger.order(old), ledger.order(new));
            let words = format!(
                "order {}: {} charged again under the number {}",
                old.terms.number, new.terms.amount, new.terms.number
            );
            self.note(now, new.platform, old, WrongMove::SecondCharge, words);
        }
    }

    /// A merchant's answer to a notification that is not the exact success.
    pub(super) fn note_answer(&mut self, now: Now, order: &Order, trouble: &str) {
        let words = format!("the answer to the notification of order {}: {trouble}", order.terms.number);
        self.note(now, order.platform, order, WrongMove::AnswerNotExact, words);
    }

    /// Forgets the orders that the ledger has forgotten.
    pub(super) fn forget_before(&mut self, first: OrderId) {
        self.asked.retain(|id, _| *id >= first);
        self.open.retain(|_, orders| {
            orders.retain(|id| *id >= first);
            !orders.is_empty()
        });
        self.pairs.retain(|(old, new)| *old >= first && *new >= first);
    }

    /// Forgets the oldest findings, down to so many.
    pub(super) fn forget(&mut self, keep: usize) {
        while self.findings.len() > keep {
            self.findings.pop_front();
        }
    }

    /// What was seen, the oldest first.
    pub fn findings(&self) -> impl DoubleEndedIterator<Item = &Finding> {
        self.findings.iter()
    }

    fn note(&mut self, now: Now, platform: Platform, order: &Order, what: WrongMove, words: String) {
        let (merchant, number) = (order.merchant.clone(), order.terms.number.clone());
        let amount = Some(order.terms.amount);
        self.findings.push_back(Finding {
            at: now.mono,
            platform,
            merchant,
            order: number,
            amount,
            what,
            words,
        });
    }
}

fn sale(order: &Order) -> Sale {
    let payer = order.payer.clone().unwrap_or_default();
    (order.house(), order.merchant.clone(), order.terms.device.clone(), order.terms.amount, payer)
}
