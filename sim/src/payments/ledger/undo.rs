//! Undoing and closing orders.

use super::{Deed, Ledger, OrderId, State};
use crate::payments::call::{House, OrderRef, Outcome, Refusal, Undone};
use crate::time::Now;

impl Ledger {
    /// Undoes an order whatever became of it: unpaid it is closed, paid it is refunded.
    pub(super) fn cancel(&mut self, now: Now, house: House, merchant: &str, order: &OrderRef) -> Outcome {
        let Some(id) = self.find(house, merchant, order) else {
            return Outcome::bare(Err(Refusal::NoSuchOrder));
        };
        let order = self.order(id);
        let late = now.mono.since(order.made) > self.profile.house(house).undo_within;
        match order.state {
            State::Reversed | State::Closed => Outcome { repeat: true, ..Outcome::of(Ok(()), order) },
            _ if late => Outcome::of(Err(Refusal::TooLate), order),
            State::Unscanned | State::Waiting | State::Failed => {
                self.reverse(now, id);
                Outcome { undone: Some(Undone::Closed), ..Outcome::of(Ok(()), self.order(id)) }
            }
            State::Paid => self.refund_rest(now, id),
        }
    }

    fn refund_rest(&mut self, now: Now, id: OrderId) -> Outcome {
        let order = self.order(id);
        let (rest, number) = (order.terms.amount - order.refunded, order.terms.number.clone());
        if rest > crate::money::Fen(0) && !self.give_back(now, id, rest, &number, "undone by the merchant") {
            let outcome = Outcome::of(Err(Refusal::MerchantPoor), self.order(id));
            return Outcome { again: true, ..outcome };
        }
        self.reverse(now, id);
        Outcome { undone: Some(Undone::Refunded), ..Outcome::of(Ok(()), self.order(id)) }
    }

    fn reverse(&mut self, now: Now, id: OrderId) {
        self.orders[id.0].state = State::Reversed;
        self.note(now, id, Deed::Reversed);
    }

    /// Closes an order that is not paid.
    pub(super) fn close(&mut self, now: Now, house: House, merchant: &str, order: &OrderRef) -> Outcome {
        let Some(id) = self.find(house, merchant, order) else {
            return Outcome::bare(Err(Refusal::NoSuchOrder));
        };
        let result = match self.order(id).state {
            // At Alipay there is no trade before a payer has scanned the order, and nothing to close.
            State::Unscanned if house == House::Alipay => Err(Refusal::NoSuchOrder),
            State::Paid => Err(Refusal::OrderPaid),
            State::Closed => Err(Refusal::OrderClosed),
            State::Reversed => Err(Refusal::OrderReversed),
            State::Unscanned | State::Waiting | State::Failed => {
                self.orders[id.0].state = State::Closed;
                self.note(now, id, Deed::Closed);
                Ok(())
            }
        };
        Outcome::of(result, self.order(id))
    }
}
