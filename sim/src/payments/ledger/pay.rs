//! How orders are paid: by a code, by scanning, with a password, late, or not at all.

use super::{Code, Deed, Due, Ledger, Manner, OrderId, State};
use crate::money::Fen;
use crate::payments::call::{House, Outcome, Platform, Refusal, Terms};
use crate::payments::ledger::is_code;
use crate::time::{Now, Span};

/// The length of a day on the calendar.
const DAY_US: i64 = 86_400_000_000;

impl Ledger {
    /// Charges the payer whose code this is.
    pub(super) fn pay(
        &mut self,
        now: Now,
        platform: Platform,
        merchant: &str,
        terms: &Terms,
        code: &str,
    ) -> Outcome {
        let house = platform.house();
        if let Some(id) = self.shop(house, merchant).and_then(|shop| shop.numbers.get(&terms.number)) {
            return self.pay_again(*id, terms, code);
        }
        if terms.amount > self.profile.house(house).amount_max_fen {
            return Outcome::bare(Err(Refusal::AmountLimit));
        }
        let id = self.make(now, platform, merchant, terms, Some(code));
        let result = match self.take_code(now, house, code) {
            Ok(payer) => {
                self.orders[id.0].payer = Some(payer);
                self.ask(now, id)
            }
            Err(refusal) => {
                self.fail(now, id, refusal);
                Err(refusal)
            }
        };
        Outcome::of(result, self.order(id))
    }

    /// The same number once more.
    fn pay_again(&self, id: OrderId, terms: &Terms, code: &str) -> Outcome {
        let order = self.order(id);
        let same_code = order.code.as_deref() == Some(code);
        let refusal = match order.state {
            _ if order.terms != *terms => Refusal::NumberUsed,
            State::Paid => Refusal::OrderPaid,
            State::Closed => Refusal::OrderClosed,
            State::Reversed => Refusal::OrderReversed,
            _ if !same_code => Refusal::NumberUsed,
            State::Unscanned | State::Waiting => Refusal::UserPaying,
            State::Failed => order.refusal.unwrap_or(Refusal::PayerRefused),
        };
        Outcome { repeat: true, ..Outcome::of(Err(refusal), order) }
    }

    /// Makes an order that a payer scans; the same again gives the same.
    pub(super) fn precreate(
        &mut self,
        now: Now,
        platform: Platform,
        merchant: &str,
        terms: &Terms,
    ) -> Outcome {
        let house = platform.house();
        if let Some(id) = self.shop(house, merchant).and_then(|shop| shop.numbers.get(&terms.number)) {
            let order = self.order(*id);
            let result = match order.state {
                _ if order.terms != *terms || !order.is_scanned() => Err(Refusal::NumberUsed),
                State::Unscanned | State::Waiting => Ok(()),
                State::Paid => Err(Refusal::OrderPaid),
                State::Closed | State::Failed => Err(Refusal::OrderClosed),
                State::Reversed => Err(Refusal::OrderReversed),
            };
            return Outcome { repeat: true, ..Outcome::of(result, order) };
        }
        if terms.amount > self.profile.house(house).amount_max_fen {
            return Outcome::bare(Err(Refusal::AmountLimit));
        }
        let id = self.make(now, platform, merchant, terms, None);
        Outcome::of(Ok(()), self.order(id))
    }

    /// A payer scans an order; false if nobody can scan it any more, or there is no such payer.
    pub fn handle_scan(&mut self, now: Now, id: OrderId, payer: &str) -> bool {
        self.handle_deadline(now);
        let fits = self.orders.get(id.0).is_some_and(|order| order.is_scanned() && order.state.is_open());
        if !fits || !self.payers.contains_key(payer) {
            return false;
        }
        let order = &mut self.orders[id.0];
        order.payer = Some(payer.to_owned());
        order.state = State::Waiting;
        self.note(now, id, Deed::Scanned(payer.to_owned()));
        true
    }

    /// A payer who has scanned an order goes on as is its manner; false if there is nothing to pay.
    pub fn handle_proceed(&mut self, now: Now, id: OrderId) -> bool {
        self.handle_deadline(now);
        let waits = self.orders.get(id.0).is_some_and(|order| order.state == State::Waiting);
        waits && {
            let _ = self.ask(now, id);
            true
        }
    }

    /// A payer pays an order that it has before it, whatever its manner.
    ///
    /// Errors: there is nothing to pay, or the payer has too little.
    pub fn handle_pay(&mut self, now: Now, id: OrderId) -> Result<(), Refusal> {
        self.handle_deadline(now);
        match self.orders.get(id.0).map(|order| order.state) {
            Some(State::Waiting) => self.settle(now, id),
            Some(State::Paid) => Err(Refusal::OrderPaid),
            Some(State::Closed) => Err(Refusal::OrderClosed),
            Some(State::Reversed) => Err(Refusal::OrderReversed),
            Some(State::Unscanned | State::Failed) => Err(Refusal::PayerRefused),
            None => Err(Refusal::NoSuchOrder),
        }
    }

    /// A payer says no to an order that it has before it; false if it has none. An order that is scanned stays open.
    pub fn handle_refuse(&mut self, now: Now, id: OrderId) -> bool {
        self.handle_deadline(now);
        let waits = self.orders.get(id.0).is_some_and(|order| order.state == State::Waiting);
        if waits {
            self.fail(now, id, Refusal::PayerRefused);
        }
        waits
    }

    /// Finds whose a code is, and uses it up.
    fn take_code(&mut self, now: Now, house: House, text: &str) -> Result<String, Refusal> {
        if !is_code(house, text) {
            return Err(Refusal::CodeInvalid);
        }
        let life = self.profile.payers.code_life;
        let stranger = self.stranger.clone();
        if let Some(code) = self.codes.get_mut(text) {
            if code.used {
                return Err(Refusal::CodeUsed);
            }
            code.used = true;
            let expired = now.mono.since(code.shown) > life;
            return if expired { Err(Refusal::CodeExpired) } else { Ok(code.payer.clone()) };
        }
        let payer = stranger.ok_or(Refusal::CodeInvalid)?;
        let code = Code { payer: payer.clone(), shown: now.mono, used: true };
        self.codes.insert(text.to_owned(), code);
        Ok(payer)
    }

    /// Asks the payer of an order; without a password it pays at once.
    fn ask(&mut self, now: Now, id: OrderId) -> Result<(), Refusal> {
        let order = &self.orders[id.0];
        let amount = order.terms.amount;
        let Some(payer) = order.payer.as_ref().and_then(|payer| self.payers.get_mut(payer)) else {
            return Err(Refusal::CodeInvalid);
        };
        let rules = &self.profile.payers;
        let day = now.wall.as_us().div_euclid(DAY_US);
        let today = if payer.password_free.0 == day { payer.password_free.1 } else { 0 };
        let needed = amount > rules.password_above_fen || today >= rules.password_free_a_day;
        let span = match payer.manner {
            _ if self.busy.is_some() => self.busy,
            Manner::Pays if needed => Some(rules.password_after),
            Manner::Pays => {
                payer.password_free = (day, today + 1);
                return self.settle(now, id);
            }
            Manner::PaysLate { after } => Some(after),
            Manner::WrongPassword => Some(rules.password_after),
            Manner::Nothing => None,
        };
        self.await_payer(now, id, span);
        Err(Refusal::UserPaying)
    }

    fn await_payer(&mut self, now: Now, id: OrderId, span: Option<Span>) {
        let order = &mut self.orders[id.0];
        order.state = State::Waiting;
        let payer = order.payer.clone().unwrap_or_default();
        self.note(now, id, Deed::PasswordAsked(payer));
        if let Some(span) = span {
            self.plan(now.mono + span, Due::Decide(id));
        }
    }

    /// The payer has made up its mind.
    pub(super) fn decide(&mut self, now: Now, id: OrderId) {
        let order = self.order(id);
        if order.state != State::Waiting {
            return;
        }
        let manner = order.payer.as_ref().and_then(|payer| self.payers.get(payer)).map(|payer| payer.manner);
        if manner == Some(Manner::WrongPassword) {
            self.fail(now, id, Refusal::PayerRefused);
        } else {
            let _ = self.settle(now, id);
        }
    }

    /// Moves the money, or fails for want of it.
    fn settle(&mut self, now: Now, id: OrderId) -> Result<(), Refusal> {
        if !self.move_to_merchant(id) {
            self.fail(now, id, Refusal::NotEnough);
            return Err(Refusal::NotEnough);
        }
        let order = &mut self.orders[id.0];
        order.state = State::Paid;
        order.paid_wall = Some(now.wall);
        let deed = Deed::Paid(order.payer.clone().unwrap_or_default(), order.terms.amount);
        self.note(now, id, deed);
        self.paid.push(id);
        Ok(())
    }

    /// Money that comes though the order was undone.
    pub(super) fn succeed_late(&mut self, now: Now, id: OrderId) {
        let order = &self.orders[id.0];
        if order.state != State::Reversed || order.paid_wall.is_some() || !self.move_to_merchant(id) {
            return;
        }
        let order = &mut self.orders[id.0];
        order.state = State::Paid;
        order.paid_wall = Some(now.wall);
        let deed = Deed::PaidLate(order.payer.clone().unwrap_or_default(), order.terms.amount);
        self.note(now, id, deed);
        self.paid.push(id);
    }

    fn move_to_merchant(&mut self, id: OrderId) -> bool {
        let order = &self.orders[id.0];
        let amount = order.terms.amount;
        let Some(payer) = order.payer.as_ref().and_then(|payer| self.payers.get_mut(payer)) else {
            return false;
        };
        if amount <= Fen(0) || payer.balance < amount {
            return false;
        }
        payer.balance = payer.balance - amount;
        let merchant = self.merchant_of(id);
        merchant.balance = merchant.balance + amount;
        true
    }

    fn fail(&mut self, now: Now, id: OrderId, refusal: Refusal) {
        let order = &mut self.orders[id.0];
        order.refusal = Some(refusal);
        if !order.is_scanned() {
            order.state = State::Failed;
        }
        self.note(now, id, Deed::Failed(refusal));
    }

    /// The order's time is over.
    pub(super) fn expire(&mut self, now: Now, id: OrderId) {
        let order = &mut self.orders[id.0];
        if order.state.is_open() {
            order.state = State::Closed;
            self.note(now, id, Deed::Expired);
        }
    }
}
