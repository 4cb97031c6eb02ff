//! What follows from what terminals say and customers pay.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::card::number::CardNumber;
use crate::journal::Replay;
use crate::money::{Fen, Volume};
use crate::water::frame::{Offer, OrderNumber, UploadState, WriteResult};
use crate::water::ledger::{Ledger, LedgerRecord, OrderState};
use crate::water::server::policy::{
    AfterClose, Doubt, OfferOrder, Reconcile, Remainder, Repeats, ServerPolicy, TierChoice, UnknownSold,
};
use crate::water::tariff::{Pricing, Tariff};

/// What the ledger says to something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ruling<T> {
    /// What it says.
    pub says: T,
    /// Whether the office shall look at the card.
    pub alarm: bool,
}

impl<T> Ruling<T> {
    const fn sound(says: T) -> Self {
        Self { says, alarm: false }
    }

    const fn alarming(says: T) -> Self {
        Self { says, alarm: true }
    }
}

/// A payment that somebody made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prepayment {
    /// For which card.
    pub card: CardNumber,
    /// The order's number, which the payer chose.
    pub order: OrderNumber,
    /// By which price table.
    pub pricing: Pricing,
    /// How much.
    pub paid: Fen,
}

/// Why a payment does not become an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Error, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// Another payment has this order number.
    #[error("another payment has this order number")]
    OrderTaken,
    /// It does not buy a hundredth of a tonne, together with the money left over before.
    #[error("it does not buy a hundredth of a tonne")]
    TooSmall,
    /// The card could not show it, or it is over the profile's limit.
    #[error("it is more than can be sold")]
    TooMuch,
    /// The card has as many orders that are not closed as the profile allows.
    #[error("the card has too many open orders")]
    TooManyOpen,
    /// The payment cannot be read.
    #[error("the payment cannot be read")]
    Malformed,
}

impl Ledger {
    /// Brings the ledger forward by a record and notes it for the journal.
    fn note(&mut self, record: LedgerRecord, into: &mut Vec<LedgerRecord>) {
        self.apply(&record);
        into.push(record);
    }

    /// A card was presented and shows `sold`: which order is there for it, and on which sold volume it counts.
    ///
    /// Source: WAT-T6, WAT-I1, WAT-I2.
    pub fn request(
        &mut self,
        policy: &ServerPolicy,
        card: CardNumber,
        pricing: Pricing,
        sold: Volume,
        into: &mut Vec<LedgerRecord>,
    ) -> Ruling<(Offer, Volume)> {
        let last = self.card(card).map_or(Volume::ZERO, |account| account.last);
        if policy.reconcile == Reconcile::ByResult || sold == last {
            return Ruling::sound((self.offer(policy, card, pricing, sold, into), sold));
        }
        if let Some((order, volume)) = self.credited(card, last, sold) {
            self.note(LedgerRecord::Closed { card, order, sold }, into);
            return Ruling::sound(match self.offer(policy, card, pricing, sold, into) {
                Offer::None => (Offer::Done { order, volume }, last),
                next => (next, sold),
            });
        }
        self.alarm(card, sold, into);
        Ruling::alarming(match policy.unknown_sold {
            UnknownSold::RefusesWithAlarm => (Offer::Refused, last),
            UnknownSold::OffersAnyway => (self.offer(policy, card, pricing, sold, into), sold),
        })
    }

    /// The order that is out and explains why the card shows `sold`.
    fn credited(&self, card: CardNumber, last: Volume, sold: Volume) -> Option<(OrderNumber, Volume)> {
        self.card(card)?.open_orders().find_map(|number| {
            let order = self.order(number)?;
            let out = matches!(order.state, OrderState::Offered | OrderState::InDoubt);
            (out && last.checked_add(order.volume) == Some(sold)).then_some((number, order.volume))
        })
    }

    /// Offers the card's next order on the base `sold`, if there is one of this pricing.
    fn offer(
        &mut self,
        policy: &ServerPolicy,
        card: CardNumber,
        pricing: Pricing,
        sold: Volume,
        into: &mut Vec<LedgerRecord>,
    ) -> Offer {
        let Some(number) = self.next_order(policy.offer, card) else {
            return Offer::None;
        };
        let Some(order) = self.order(number).filter(|order| order.pricing == pricing) else {
            return Offer::None;
        };
        let volume = order.volume;
        if order.state != OrderState::Offered || order.base != Some(sold) {
            self.note(LedgerRecord::Offered { card, order: number, base: sold }, into);
        }
        Offer::Paid { order: number, volume }
    }

    fn next_order(&self, choice: OfferOrder, card: CardNumber) -> Option<OrderNumber> {
        let mut open = self.card(card)?.open_orders();
        match choice {
            OfferOrder::OldestOpenFirst => open.next(),
            OfferOrder::NewestFirst => open.next_back(),
            OfferOrder::SkipsOpen => {
                open.find(|number| self.order(*number).is_some_and(|order| order.state == OrderState::Paid))
            }
        }
    }

    /// Notes that a card shows what cannot be explained, once for each value in a row.
    fn alarm(&mut self, card: CardNumber, sold: Volume, into: &mut Vec<LedgerRecord>) {
        if self.card(card).is_some_and(|account| account.alarm != Some(sold)) {
            self.note(LedgerRecord::Alarm { card, sold }, into);
        }
    }

    /// A terminal says what became of an order.
    ///
    /// Source: WAT-T5.
    pub fn upload(
        &mut self,
        policy: &ServerPolicy,
        card: CardNumber,
        order: OrderNumber,
        (result, sold): (WriteResult, Volume),
        into: &mut Vec<LedgerRecord>,
    ) -> Ruling<UploadState> {
        let Some((state, volume)) =
            self.order(order).filter(|found| found.card == card).map(|found| (found.state, found.volume))
        else {
            self.alarm(card, sold, into);
            return Ruling::alarming(UploadState::SetAside);
        };
        let last = self.card(card).map_or(Volume::ZERO, |account| account.last);
        let credited = last.checked_add(volume);
        let out = matches!(state, OrderState::Offered | OrderState::InDoubt);
        let by_result = policy.reconcile == Reconcile::ByResult;
        let closes = match (result, state) {
            (WriteResult::Failed, OrderState::Closed) if policy.after_close == AfterClose::Reopens => {
                self.note(LedgerRecord::Reopened { card, order }, into);
                return Ruling::sound(UploadState::Open);
            }
            (WriteResult::Written, OrderState::Closed) if policy.repeats == Repeats::CloseAgain => credited,
            (_, OrderState::Closed) => return Ruling::sound(UploadState::Closed),
            (WriteResult::Failed, _) => return Ruling::sound(UploadState::Open),
            (WriteResult::Written, _) if by_result => Some(sold),
            (WriteResult::Written, _) => credited.filter(|expected| out && *expected == sold),
            (WriteResult::InDoubt, _) if policy.doubt == Doubt::Closes => credited,
            (WriteResult::InDoubt, _) if out || by_result => {
                if state != OrderState::InDoubt {
                    self.note(LedgerRecord::InDoubt { card, order }, into);
                }
                return Ruling::sound(UploadState::Open);
            }
            (WriteResult::InDoubt, _) => None,
        };
        match closes {
            Some(sold) => {
                self.note(LedgerRecord::Closed { card, order, sold }, into);
                Ruling::sound(UploadState::Closed)
            }
            None => {
                self.alarm(card, sold, into);
                Ruling::alarming(UploadState::SetAside)
            }
        }
    }

    /// Somebody paid: what the order is worth. The same payment again gets the same answer and changes nothing.
    ///
    /// `open_orders_max` and `paid_max` are the profile's limits.
    ///
    /// Errors: the [`Refusal`] for a payment that does not become an order.
    pub fn prepay(
        &mut self,
        policy: &ServerPolicy,
        tariff: &Tariff,
        (open_orders_max, paid_max): (usize, Fen),
        payment: &Prepayment,
        into: &mut Vec<LedgerRecord>,
    ) -> Result<Volume, Refusal> {
        let Prepayment { card, order, pricing, paid } = *payment;
        if let Some(known) = self.order(order) {
            let same = known.card == card && known.pricing == pricing && known.paid == paid;
            return if same { Ok(known.volume) } else { Err(Refusal::OrderTaken) };
        }
        if paid <= Fen(0) {
            return Err(Refusal::TooSmall);
        }
        let (bought, credit, open) = self.card(card).map_or((Volume::ZERO, Fen(0), 0), |account| {
            (account.bought, account.credit, account.open_orders().len())
        });
        if paid > paid_max {
            return Err(Refusal::TooMuch);
        }
        if open >= open_orders_max {
            return Err(Refusal::TooManyOpen);
        }
        let table = match policy.tier {
            TierChoice::ByType => pricing,
            TierChoice::AlwaysFlat => Pricing::Flat,
        };
        let (volume, left) = tariff.volume_for(table, credit + paid, bought).ok_or(Refusal::TooMuch)?;
        if volume == Volume::ZERO {
            return Err(Refusal::TooSmall);
        }
        if bought.checked_add(volume).is_none() {
            return Err(Refusal::TooMuch);
        }
        let credit = match policy.remainder {
            Remainder::Kept => left,
            Remainder::Dropped => Fen(0),
        };
        self.note(LedgerRecord::Prepaid { card, order, pricing, paid, volume, credit }, into);
        Ok(volume)
    }
}
