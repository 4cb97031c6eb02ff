//! Giving money back, once for each number.

use super::{Deed, Ledger, OrderId, Refund, State};
use crate::money::Fen;
use crate::payments::call::{House, OrderRef, Outcome, RefundTerms, Refusal};
use crate::time::Now;

impl Ledger {
    /// Gives money back. The same number and amount again gives the same refund and moves nothing.
    pub(super) fn refund(&mut self, now: Now, house: House, merchant: &str, terms: &RefundTerms) -> Outcome {
        let Some(id) = self.find(house, merchant, &terms.order) else {
            return Outcome::bare(Err(Refusal::NoSuchOrder));
        };
        let order = self.order(id);
        let number = terms.number.clone().unwrap_or_else(|| order.terms.number.clone());
        let key = refund_key(house, &order.transaction, &number);
        if let Some(place) = self.shop(house, merchant).and_then(|shop| shop.refunds.get(&key)) {
            let refund = self.as_of(now, &self.refunds[place]);
            let same = refund.order == id && refund.amount == terms.amount;
            let result = if same { Ok(()) } else { Err(Refusal::RefundDiffers) };
            return Outcome { refund: Some(refund), repeat: true, ..Outcome::of(result, self.order(id)) };
        }
        if let Err(refusal) = self.may_refund(id, terms) {
            return Outcome::of(Err(refusal), self.order(id));
        }
        if !self.give_back(now, id, terms.amount, &number, &terms.reason) {
            return Outcome::of(Err(Refusal::MerchantPoor), self.order(id));
        }
        let refund = self.refunds.last_key_value().map(|(_, refund)| self.as_of(now, refund));
        Outcome { refund, ..Outcome::of(Ok(()), self.order(id)) }
    }

    fn may_refund(&self, id: OrderId, terms: &RefundTerms) -> Result<(), Refusal> {
        let order = self.order(id);
        match order.state {
            State::Paid => {}
            State::Reversed => return Err(Refusal::OrderReversed),
            State::Unscanned | State::Waiting | State::Closed | State::Failed => {
                return Err(Refusal::NotPaid);
            }
        }
        if terms.total.is_some_and(|total| total != order.terms.amount) {
            return Err(Refusal::RefundDiffers);
        }
        if terms.number.is_none() && terms.amount != order.terms.amount {
            return Err(Refusal::RefundUnnumbered);
        }
        if order.refunds.len() >= self.profile.house(order.house()).refunds_max {
            return Err(Refusal::RefundTooMuch);
        }
        if terms.amount <= Fen(0) || terms.amount > order.terms.amount - order.refunded {
            return Err(Refusal::RefundTooMuch);
        }
        Ok(())
    }

    /// Moves money back to the payer; false if the merchant has too little.
    pub(super) fn give_back(
        &mut self,
        now: Now,
        id: OrderId,
        amount: Fen,
        number: &str,
        reason: &str,
    ) -> bool {
        let merchant = self.merchant_of(id);
        if merchant.balance < amount {
            return false;
        }
        merchant.balance = merchant.balance - amount;
        let place = self.refunds_made;
        self.refunds_made += 1;
        let order = &mut self.orders[id.0];
        order.refunded = order.refunded + amount;
        order.refunds.push(place);
        let (house, payer) = (order.house(), order.payer.clone().unwrap_or_default());
        let key = refund_key(house, &order.transaction, number);
        if let Some(payer) = self.payers.get_mut(&payer) {
            payer.balance = payer.balance + amount;
        }
        self.merchant_of(id).refunds.insert(key, place);
        let after = self.profile.house(house).refund_after;
        let digits = now.wall.digits();
        let refund = Refund {
            number: number.to_owned(),
            id: format!("5030000000{}{:011}", digits.get(..8).unwrap_or("19700101"), place + 1),
            order: id,
            amount,
            reason: reason.to_owned(),
            made_wall: now.wall,
            settles: now.mono + after,
            settles_wall: now.wall.stepped(i64::try_from(after.as_us()).unwrap_or(i64::MAX)),
            settled: false,
        };
        self.refunds.insert(place, refund);
        self.note(now, id, Deed::Refunded(number.to_owned(), amount));
        true
    }

    /// What became of an order's refunds, or of one of them.
    pub(super) fn query_refund(
        &self,
        now: Now,
        house: House,
        merchant: &str,
        (order, number, refund_id): (Option<&OrderRef>, Option<&str>, Option<&str>),
    ) -> Outcome {
        let named = order.and_then(|order| self.find(house, merchant, order));
        if order.is_some() && named.is_none() {
            return Outcome::bare(Err(Refusal::NoSuchOrder));
        }
        let fits = |refund: &&Refund| {
            let of = self.order(refund.order);
            of.house() == house
                && of.merchant == merchant
                && named.is_none_or(|id| id == refund.order)
                && number.is_none_or(|number| number == refund.number)
                && refund_id.is_none_or(|id| id == refund.id)
        };
        let among: Vec<&Refund> = match (named, number) {
            (Some(id), _) => self.order(id).refunds.iter().map(|place| &self.refunds[place]).collect(),
            (None, Some(number)) if house == House::Wechat => {
                let shop = self.shop(house, merchant);
                let place = shop.and_then(|shop| shop.refunds.get(number));
                place.map(|place| &self.refunds[place]).into_iter().collect()
            }
            (None, _) => self.refunds.values().collect(),
        };
        let refunds: Vec<Refund> =
            among.into_iter().filter(fits).map(|refund| self.as_of(now, refund)).collect();
        let Some(first) = refunds.first() else {
            let outcome = Outcome::bare(Err(Refusal::NoSuchRefund));
            return Outcome { order: named.map(|id| self.order(id).clone()), ..outcome };
        };
        let order = self.order(first.order).clone();
        Outcome { refund: Some(first.clone()), refunds, ..Outcome::of(Ok(()), &order) }
    }

    /// A refund as it stands now.
    fn as_of(&self, now: Now, refund: &Refund) -> Refund {
        Refund { settled: now.mono >= refund.settles, ..refund.clone() }
    }
}

/// What a refund is found by: at WeChat its number, at Alipay its number within its trade.
pub(super) fn refund_key(house: House, transaction: &str, number: &str) -> String {
    match house {
        House::Wechat => number.to_owned(),
        House::Alipay => format!("{transaction}/{number}"),
    }
}
