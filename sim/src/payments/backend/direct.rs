//! Calls that come through no face, for parties that meet the ledger without a protocol of documents.

use super::Backend;
use crate::money::Fen;
use crate::payments::call::{Call, CallKind, Outcome};
use crate::payments::notice::NoticeKey;
use crate::payments::plan::Misbehaviour;
use crate::time::{Now, Span};

/// What comes of a call that came through no face.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Direct {
    /// How much later it is answered.
    pub after: Span,
    /// The answer; nothing where there is none, as planned.
    pub outcome: Option<Outcome>,
}

/// A payment that a merchant is to be told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Whose result is to be told.
    pub key: NoticeKey,
    /// The merchant's number of the order.
    pub number: String,
    /// How much was paid, or what the plan has the merchant told.
    pub amount: Fen,
    /// Where the merchant is told.
    pub url: String,
    /// How soon it has to be answered.
    pub limit: Span,
}

impl Backend {
    /// Does a call as the plan has it.
    pub fn handle_call(&mut self, now: Now, call: &Call) -> Direct {
        self.handle_deadline(now);
        self.watch.note_call(now, call, &self.ledger, &self.profile);
        let strike = self.plan.strike(call.platform, call.kind(), call.order());
        let outcome = self.outcome(now, call, strike);
        let told = !matches!(
            strike,
            Some(Misbehaviour::NoAnswer { .. } | Misbehaviour::Http { .. } | Misbehaviour::Reset { .. })
        );
        self.watch.note_outcome(now, call, &outcome, told, &self.ledger);
        self.note_paid(now);
        self.forget();
        let after = match strike {
            Some(Misbehaviour::Slow { by }) => by,
            Some(Misbehaviour::NoAnswer { .. }) => self.profile.backend.silence,
            _ => Span::ZERO,
        };
        Direct { after, outcome: told.then_some(outcome) }
    }

    /// The next payment that a merchant is to be told of now; its result has to be told.
    pub fn poll_told(&mut self, now: Now) -> Option<Told> {
        self.handle_deadline(now);
        while let Some(key) = self.notices.poll_due(now) {
            let Some(notice) = self.notices.at(key) else { continue };
            let (order, url) = (self.ledger.order(notice.order).clone(), notice.url.clone());
            let (number, mut amount) = (order.terms.number, order.terms.amount);
            let limit = self.profile.house(order.platform.house()).notice_limit;
            let mut spoiled = false;
            match self.plan.strike(order.platform, CallKind::Notification, &number) {
                Some(Misbehaviour::Held { by }) => {
                    self.notices.put_off(key, now.mono + by);
                    continue;
                }
                Some(Misbehaviour::NoAnswer { .. }) => {
                    self.notices.leave(now, key, limit, false);
                    self.handle_told(now, key, Err("lost on the way, as planned"));
                    continue;
                }
                Some(Misbehaviour::Twice { after }) => self.notices.copy(now, key, now.mono + after),
                Some(Misbehaviour::WrongAmount { by_fen }) => {
                    amount = amount + by_fen;
                    spoiled = true;
                }
                _ => {}
            }
            self.notices.leave(now, key, limit, spoiled);
            return Some(Told { key, number, amount, url, limit });
        }
        None
    }

    /// Whether a merchant has taken what it was told.
    ///
    /// Errors in `taken`: in words, why not.
    pub fn handle_told(&mut self, now: Now, key: NoticeKey, taken: Result<(), &str>) {
        let Some(notice) = self.notices.at(key) else { return };
        let order = self.ledger.order(notice.order);
        if taken.is_ok() {
            self.watch.settle(order);
        }
        let gaps = &self.profile.house(order.house()).notice_gaps;
        self.notices.handle_result(now, key, taken.map_err(str::to_owned), gaps);
        self.forget();
    }
}
