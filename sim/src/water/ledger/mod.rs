//! Who paid for which water, and which of it reached a card.
//!
//! [`Ledger`] is rebuilt from [`LedgerRecord`]s and changed by nothing else. The rules that decide which record
//! follows from what a terminal says or a customer pays are [`Ledger::request`], [`Ledger::upload`] and
//! [`Ledger::prepay`].

mod record;
mod rules;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};

pub use record::LedgerRecord;
pub use rules::{Prepayment, Refusal, Ruling};

use crate::card::number::CardNumber;
use crate::digest::Digest;
use crate::journal::Replay;
use crate::money::{Fen, Volume};
use crate::water::frame::OrderNumber;
use crate::water::tariff::Pricing;

/// How far an order has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OrderState {
    /// Paid, and no terminal knows of it.
    Paid,
    /// A terminal was told to credit it.
    Offered,
    /// A terminal cannot know whether it credited it.
    InDoubt,
    /// On the card. It stays so.
    Closed,
}

/// One payment for one card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Whose.
    pub card: CardNumber,
    /// By which price table.
    pub pricing: Pricing,
    /// What was paid.
    pub paid: Fen,
    /// What it is worth.
    pub volume: Volume,
    /// How far it has come.
    pub state: OrderState,
    /// The sold volume on which it was last offered.
    pub base: Option<Volume>,
}

/// What the ledger knows of one card.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CardAccount {
    /// The sold volume after the last closed order.
    pub last: Volume,
    /// Money that bought no water yet.
    pub credit: Fen,
    /// The volume of all its orders, which decides the next order's tier.
    pub bought: Volume,
    /// The sold volume that last contradicted the ledger.
    pub alarm: Option<Volume>,
    /// Orders that are not closed, oldest first.
    open: VecDeque<OrderNumber>,
}

impl CardAccount {
    /// Orders that are not closed, oldest first.
    pub fn open_orders(&self) -> impl ExactSizeIterator<Item = OrderNumber> + DoubleEndedIterator {
        self.open.iter().copied()
    }
}

/// The volumes of all orders by what became of them.
///
/// Units: hundredths of a tonne.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// All that was paid for.
    pub paid: u64,
    /// On cards.
    pub closed: u64,
    /// Neither on a card nor in doubt.
    pub open: u64,
    /// Perhaps on a card.
    pub in_doubt: u64,
}

impl Totals {
    /// Whether everything paid for is accounted for once.
    ///
    /// Source: WAT-I4.
    pub const fn balanced(&self) -> bool {
        self.paid == self.closed + self.open + self.in_doubt
    }
}

/// All cards and orders.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    cards: BTreeMap<CardNumber, CardAccount>,
    orders: BTreeMap<OrderNumber, Order>,
    totals: Totals,
}

impl Ledger {
    /// What is known of a card; `None` until something was paid for it.
    pub fn card(&self, card: CardNumber) -> Option<&CardAccount> {
        self.cards.get(&card)
    }

    /// Every card for which something was paid, in order of its number.
    pub fn cards(&self) -> impl Iterator<Item = (CardNumber, &CardAccount)> {
        self.cards.iter().map(|(card, account)| (*card, account))
    }

    /// An order.
    pub fn order(&self, order: OrderNumber) -> Option<&Order> {
        self.orders.get(&order)
    }

    /// Every order, in order of its number.
    pub fn orders(&self) -> impl Iterator<Item = (OrderNumber, &Order)> {
        self.orders.iter().map(|(number, order)| (*number, order))
    }

    /// The orders of which nobody knows yet whether they are on their card, in order of their number.
    ///
    /// Source: WAT-I2.
    pub fn doubts(&self) -> impl Iterator<Item = (OrderNumber, &Order)> {
        self.cards
            .values()
            .flat_map(|account| &account.open)
            .filter_map(|number| self.orders.get(number).map(|order| (*number, order)))
            .filter(|(_, order)| order.state == OrderState::InDoubt)
    }

    /// The volumes of all orders by what became of them.
    pub const fn totals(&self) -> Totals {
        self.totals
    }

    /// The total in which the volume of an order in this state is counted.
    const fn total(&mut self, state: OrderState) -> &mut u64 {
        match state {
            OrderState::Paid | OrderState::Offered => &mut self.totals.open,
            OrderState::InDoubt => &mut self.totals.in_doubt,
            OrderState::Closed => &mut self.totals.closed,
        }
    }

    /// Brings an order into a state and its volume into that state's total; its card and the state before.
    fn move_order(
        &mut self,
        number: OrderNumber,
        state: OrderState,
    ) -> Option<(OrderState, &mut CardAccount)> {
        let order = self.orders.get_mut(&number)?;
        let (card, volume) = (order.card, u64::from(order.volume.0));
        let before = std::mem::replace(&mut order.state, state);
        // An order that is closed once more was not taken out anywhere: its volume then counts twice.
        if before != OrderState::Closed || state != OrderState::Closed {
            *self.total(before) -= volume;
        }
        *self.total(state) += volume;
        Some((before, self.cards.get_mut(&card)?))
    }

    fn add_order(&mut self, number: OrderNumber, order: Order, credit: Fen) {
        let account = self.cards.entry(order.card).or_default();
        account.credit = credit;
        account.bought += order.volume;
        account.open.push_back(number);
        self.totals.paid += u64::from(order.volume.0);
        self.totals.open += u64::from(order.volume.0);
        self.orders.insert(number, order);
    }
}

impl Replay for Ledger {
    type Record = LedgerRecord;

    fn apply(&mut self, record: &LedgerRecord) {
        match *record {
            LedgerRecord::Prepaid { card, order, pricing, paid, volume, credit } => {
                let state = OrderState::Paid;
                self.add_order(order, Order { card, pricing, paid, volume, state, base: None }, credit);
            }
            LedgerRecord::Offered { order, base, .. } => {
                if self.move_order(order, OrderState::Offered).is_some()
                    && let Some(order) = self.orders.get_mut(&order)
                {
                    order.base = Some(base);
                }
            }
            LedgerRecord::InDoubt { order, .. } => {
                self.move_order(order, OrderState::InDoubt);
            }
            LedgerRecord::Closed { order, sold, .. } => {
                if let Some((_, account)) = self.move_order(order, OrderState::Closed) {
                    account.last = sold;
                    account.open.retain(|open| *open != order);
                }
            }
            LedgerRecord::Reopened { order, .. } => {
                if let Some((_, account)) = self.move_order(order, OrderState::Paid) {
                    account.open.push_front(order);
                }
            }
            LedgerRecord::Alarm { card, sold } => {
                if let Some(account) = self.cards.get_mut(&card) {
                    account.alarm = Some(sold);
                }
            }
        }
    }

    fn digest(&self, into: &mut Digest) {
        into.word(self.cards.len() as u64);
        for (card, account) in &self.cards {
            into.bytes(&card.digits()).word(u64::from(account.last.0)).word(account.credit.0.cast_unsigned());
            into.word(u64::from(account.bought.0)).flag(account.alarm.is_some());
            into.word(account.alarm.map_or(0, |sold| u64::from(sold.0))).word(account.open.len() as u64);
            for order in &account.open {
                into.bytes(&order.value().to_le_bytes());
            }
        }
        into.word(self.orders.len() as u64);
        for (number, order) in &self.orders {
            into.bytes(&number.value().to_le_bytes()).bytes(&order.card.digits());
            into.word(order.pricing as u64)
                .word(order.paid.0.cast_unsigned())
                .word(u64::from(order.volume.0));
            into.word(order.state as u64).flag(order.base.is_some());
            into.word(order.base.map_or(0, |base| u64::from(base.0)));
        }
        // The total of closed volume does not follow from the orders when one was closed twice.
        into.word(self.totals.paid)
            .word(self.totals.closed)
            .word(self.totals.open)
            .word(self.totals.in_doubt);
    }

    fn digest_record(record: &LedgerRecord, into: &mut Digest) {
        record.digest(into);
    }
}
