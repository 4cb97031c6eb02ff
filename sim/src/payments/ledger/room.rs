//! What is forgotten when the ledger is full: the oldest orders, with everything that hangs on them.

use super::refund::refund_key;
use super::{Ledger, OrderId};
use crate::time::Now;

/// Which part of the orders is forgotten at once.
///
/// Why: what hangs on orders is looked through once each time, which then costs each order little.
const PART: usize = 8;

impl Ledger {
    /// Makes room for an order. What became of the oldest does not matter: a platform that nobody asks about an order
    /// for so long would say as little of it, and their money has moved.
    pub(super) fn make_room(&mut self) {
        let max = self.profile.backend.orders_max.max(1);
        if self.orders.as_slice().len() < max {
            return;
        }
        let gone: Vec<_> = self.orders.forget(max.div_ceil(PART)).collect();
        for order in gone {
            self.transactions.remove(&order.transaction);
            if let Some(code) = &order.code {
                self.codes.remove(code);
            }
            let house = order.house();
            let refunds: Vec<_> =
                order.refunds.iter().filter_map(|place| self.refunds.remove(place)).collect();
            if let Some(shop) = self.shops(house).get_mut(&order.merchant) {
                shop.numbers.remove(&order.terms.number);
                for refund in refunds {
                    shop.refunds.remove(&refund_key(house, &order.transaction, &refund.number));
                }
            }
        }
        let first = self.first_order();
        self.trail.retain(|entry| entry.order >= first);
        self.agenda.retain(|(_, _, due)| due.order() >= first);
        self.paid.retain(|order| *order >= first);
    }

    /// Makes room for a code; false if there is none.
    pub(super) fn make_room_for_code(&mut self, now: Now) -> bool {
        let (max, life) = (self.profile.backend.orders_max, self.profile.payers.code_life);
        if self.codes.len() >= max.saturating_mul(2) {
            self.codes.retain(|_, code| code.used || now.mono.since(code.shown) <= life);
        }
        self.codes.len() < max.saturating_mul(2)
    }

    /// The oldest order that is kept, or the next if there is none.
    pub fn first_order(&self) -> OrderId {
        OrderId(self.orders.first())
    }
}
