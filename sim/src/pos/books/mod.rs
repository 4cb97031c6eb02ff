//! The server's books: accounts, sales by their identity, records that make no sense, and what waits for the payment
//! platform.
//!
//! A request is decided by [`Books::sale`] and [`Books::stored`] on the books as they stand; what they decide is a
//! [`BookRecord`], and nothing changes before that is applied. A server appends it to its journal, applies it, and
//! answers when it is durable.
//!
//! Source: POS-P1 to P7, R3 to R5, I1.

mod devices;
mod record;
mod rules;
mod sales;
#[cfg(test)]
mod tests;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub use devices::Devices;
pub use record::{BookRecord, Flag, Misfit};
pub use rules::{Decision, Refusal, SaleRequest, Stored};
pub use sales::Sales;

use crate::card::number::CardNumber;
use crate::digest::Digest;
use crate::journal::Replay;
use crate::money::Fen;
use crate::pos::frame::{CodeNumber, MachineNumber, RecordAddress, SaleTime};
use crate::short::Short;

/// Who made a sale: the hardware serial where the device has one, and else its number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Device {
    /// By its serial.
    Serial(Short),
    /// By its number.
    Machine(MachineNumber),
}

/// What was sold, as far as it belongs to a sale's identity.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Sold {
    /// Money from a card.
    Money(CardNumber, Fen),
    /// A count from a card; no amount is compared.
    Count(CardNumber),
    /// Money by a scanned code.
    Code(CodeNumber, Box<[u8]>, Fen),
}

/// The identity of a sale: whatever message tells of it, and however often, it is one.
///
/// Why: the sequence number starts again after a power cut, the command differs between a payment and its record, and
/// the source address belongs to the network, so none of them is part of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SaleId {
    /// Who made it.
    pub device: Device,
    /// When, by the device's clock.
    pub at: SaleTime,
    /// Of what.
    pub sold: Sold,
}

/// Whether a card may pay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// It may.
    #[default]
    Good,
    /// It was reported lost.
    Lost,
    /// Its time is over.
    Expired,
}

/// One card's account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// What is left; less than nothing after sales that were booked off line.
    pub balance: Fen,
    /// Counts that are left; less than none likewise.
    pub counts: i64,
    /// Whether it may pay.
    pub standing: Standing,
}

/// What became of a sale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It was charged: an amount, or a count.
    Charged,
    /// It was refused, and is not charged unless a record says that it was made.
    Refused(Refusal),
    /// The platform has been asked, or is about to be.
    Asked,
}

/// A sale as the books know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sale {
    /// What became of it.
    pub state: State,
    /// The record under which the device has it, if one was sent.
    pub record: Option<RecordAddress>,
    /// Whether the device has confirmed the answer.
    pub confirmed: bool,
    /// What somebody should look at.
    pub flag: Option<Flag>,
    /// The platform's order, of a sale by code.
    pub order: Option<u64>,
    /// What was left when it was charged, in fen or in counts; answers name it, so that a repeated one is the same.
    pub left: i64,
}

/// Everything that the server must not forget.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Books {
    accounts: BTreeMap<CardNumber, Account>,
    sales: Sales<Sale>,
    orders: BTreeMap<u64, SaleId>,
    set_aside: BTreeSet<Misfit>,
}

impl Books {
    /// Books with these accounts and no sales.
    pub fn with_accounts(accounts: impl IntoIterator<Item = (CardNumber, Account)>) -> Self {
        Self { accounts: accounts.into_iter().collect(), ..Self::default() }
    }

    /// A card's account.
    pub fn account(&self, card: CardNumber) -> Option<Account> {
        self.accounts.get(&card).copied()
    }

    /// Every account.
    pub fn accounts(&self) -> impl Iterator<Item = (CardNumber, Account)> {
        self.accounts.iter().map(|(card, account)| (*card, *account))
    }

    /// A sale.
    pub fn known(&self, id: &SaleId) -> Option<&Sale> {
        self.sales.get(id)
    }

    /// Every sale.
    pub fn sales(&self) -> impl Iterator<Item = (&SaleId, &Sale)> {
        self.sales.iter()
    }

    /// The sale behind a platform's order.
    pub fn ordered(&self, order: u64) -> Option<&SaleId> {
        self.orders.get(&order)
    }

    /// Records that make no sense.
    pub fn set_aside(&self) -> &BTreeSet<Misfit> {
        &self.set_aside
    }

    /// What was charged and nobody has confirmed: somebody has to ask whether it was shown.
    pub fn unconfirmed(&self) -> impl Iterator<Item = &SaleId> {
        let open = |sale: &Sale| sale.state == State::Charged && !sale.confirmed && sale.record.is_none();
        self.sales.iter().filter(move |(_, sale)| open(sale)).map(|(id, _)| id)
    }

    /// Charges a sale; what is left.
    fn charge(&mut self, sold: &Sold) -> i64 {
        match sold {
            Sold::Money(card, amount) => {
                let account = self.accounts.entry(*card).or_default();
                account.balance = account.balance - *amount;
                account.balance.0
            }
            Sold::Count(card) => {
                let account = self.accounts.entry(*card).or_default();
                account.counts -= 1;
                account.counts
            }
            // The platform's books have it.
            Sold::Code(..) => 0,
        }
    }

    fn enter(&mut self, id: &SaleId, state: State) -> &mut Sale {
        let fresh = Sale { state, record: None, confirmed: false, flag: None, order: None, left: 0 };
        let sale = self.sales.or_insert(id, fresh);
        sale.state = state;
        sale
    }
}

impl Replay for Books {
    type Record = BookRecord;

    fn apply(&mut self, record: &BookRecord) {
        match record {
            BookRecord::Charged { id } => {
                let left = self.charge(&id.sold);
                self.enter(id, State::Charged).left = left;
            }
            BookRecord::Refused { id, why } => drop(self.enter(id, State::Refused(*why))),
            BookRecord::ChargedByRecord { id, address, flag } => {
                let left = self.charge(&id.sold);
                let sale = self.enter(id, State::Charged);
                (sale.record, sale.flag, sale.left) = (Some(*address), *flag, left);
            }
            BookRecord::Reconciled { id, address } => {
                if let Some(sale) = self.sales.get_mut(id) {
                    sale.record = Some(*address);
                }
            }
            BookRecord::SetAside(misfit) => drop(self.set_aside.insert(misfit.clone())),
            BookRecord::Asked { id, order } => {
                self.enter(id, State::Asked).order = Some(*order);
                self.orders.insert(*order, id.clone());
            }
            BookRecord::Answered { order, paid } => {
                let Some(sale) = self.orders.get(order).and_then(|id| self.sales.get_mut(id)) else { return };
                if sale.state == State::Asked {
                    sale.state = if *paid { State::Charged } else { State::Refused(Refusal::Declined) };
                }
            }
            BookRecord::Confirmed { id } => {
                if let Some(sale) = self.sales.get_mut(id) {
                    sale.confirmed = true;
                }
            }
            BookRecord::Account { card, account } => drop(self.accounts.insert(*card, *account)),
        }
    }

    fn digest(&self, into: &mut Digest) {
        into.word(self.accounts.len() as u64).word(self.sales.len() as u64).word(self.set_aside.len() as u64);
        for (card, account) in &self.accounts {
            record::digest_account(*card, account, into);
        }
        for (id, sale) in self.sales.iter() {
            record::digest_id(id, into);
            let state = match sale.state {
                State::Charged => 0,
                State::Asked => 1,
                State::Refused(why) => 2 + why as u64,
            };
            into.word(state).word(sale.record.map_or(u64::MAX, |address| u64::from(address.get())));
            into.flag(sale.confirmed).word(sale.flag.map_or(u64::MAX, |flag| flag as u64));
            into.word(sale.order.unwrap_or(u64::MAX)).word(sale.left.cast_unsigned());
        }
        for misfit in &self.set_aside {
            misfit.digest(into);
        }
    }

    fn digest_record(record: &BookRecord, into: &mut Digest) {
        record.digest(into);
    }
}
