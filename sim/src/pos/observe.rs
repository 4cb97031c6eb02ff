//! What an observer reads off the parties' boundaries at a moment of rest.

use std::fmt;

use super::books::{Account, Books, Device, Sale, SaleId, Sold, State};
use super::frame::{CodeNumber, SaleTime};
use super::platform::{Platform, PlatformOrder};
use super::terminal::entry;
use super::terminal::store::Content;
use crate::card::number::CardNumber;
use crate::tape::Fingerprint;

/// A server's ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// Every account.
    pub accounts: Vec<(CardNumber, Account)>,
    /// Every sale that it knows.
    pub sales: Vec<(SaleId, Sale)>,
    /// Sales that were charged and that no device has confirmed.
    pub unconfirmed: Vec<SaleId>,
    /// How many records were set aside.
    pub set_aside: usize,
}

impl Ledger {
    /// What the books say.
    pub fn of(books: &Books) -> Self {
        Self {
            accounts: books.accounts().collect(),
            sales: books.sales().map(|(id, sale)| (id.clone(), sale.clone())).collect(),
            unconfirmed: books.unconfirmed().cloned().collect(),
            set_aside: books.set_aside().len(),
        }
    }
}

/// A sale as a terminal's flash holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored(pub entry::Sale);

/// What is observed at a moment of rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Observed {
    /// The server's ledger, as its database shows it.
    Ledger(Box<Ledger>),
    /// The orders of the payment platform.
    Orders(Vec<(u64, PlatformOrder)>),
    /// A terminal's flash, read out.
    Flash {
        /// The records that it holds, oldest first.
        records: Vec<Stored>,
        /// The sale that waits for its answer.
        pending: Option<Stored>,
    },
    /// A terminal's flash that has no installation, or none that reads.
    FlashUnreadable,
}

impl Stored {
    /// Whose sale it is, and which, by what a server knows it; nothing if its time is impossible.
    pub fn identity(&self, device: &Device) -> Option<SaleId> {
        let sale = &self.0;
        let sold = match sale.kind {
            entry::SaleKind::Pay => Sold::Money(sale.card, sale.amount),
            entry::SaleKind::Count => Sold::Count(sale.card),
            entry::SaleKind::Scan => {
                Sold::Code(CodeNumber::new(sale.command_number()), sale.code.clone().into(), sale.amount)
            }
        };
        Some(SaleId { device: device.clone(), at: SaleTime::at(sale.time.wall()?), sold })
    }
}

impl Observed {
    /// What the platform has in its books.
    pub fn orders(platform: &Platform) -> Self {
        Self::Orders(platform.orders().collect())
    }

    /// What a terminal's flash holds.
    pub fn flash(content: Content) -> Self {
        Self::Flash {
            records: content.records.into_iter().map(Stored).collect(),
            pending: content.pending.map(Stored),
        }
    }
}

/// `8888888888 5.50 2024-01-02 03:04:05`
impl fmt::Display for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sale = &self.0;
        match sale.kind {
            entry::SaleKind::Pay => write!(f, "{} {} {}", sale.card, sale.amount, sale.time),
            entry::SaleKind::Count => write!(f, "{} one count {}", sale.card, sale.time),
            entry::SaleKind::Scan => {
                write!(f, "code {:05} {} {}", sale.command_number(), sale.amount, sale.time)
            }
        }
    }
}

impl fmt::Display for Observed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ledger(ledger) => write_ledger(ledger, f),
            Self::Orders(orders) => {
                write!(f, "orders:")?;
                orders.iter().try_for_each(|(number, order)| {
                    let became = if order.paid { "paid" } else { "declined" };
                    write!(f, " {number} {} {became};", order.amount)
                })
            }
            Self::Flash { records, pending } => {
                write!(f, "flash holds {} records", records.len())?;
                records.iter().try_for_each(|record| write!(f, ", {record}"))?;
                pending.iter().try_for_each(|sale| write!(f, "; pending {sale}"))
            }
            Self::FlashUnreadable => f.write_str("flash does not read"),
        }
    }
}

fn write_ledger(ledger: &Ledger, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "ledger:")?;
    for (card, account) in &ledger.accounts {
        write!(f, " {card} {} and {} counts;", account.balance, account.counts)?;
    }
    for (id, sale) in &ledger.sales {
        let what = match &id.sold {
            Sold::Money(card, amount) => format!("{card} {amount}"),
            Sold::Count(card) => format!("{card} one count"),
            Sold::Code(number, _, amount) => format!("code {number} {amount}"),
        };
        let state = match sale.state {
            State::Charged => "charged",
            State::Refused(_) => "refused",
            State::Asked => "in progress",
        };
        let flag = if sale.flag.is_some() { ", flagged" } else { "" };
        write!(f, " sale {what} of {} {state}{flag};", id.at)?;
    }
    write!(f, " {} unconfirmed, {} set aside", ledger.unconfirmed.len(), ledger.set_aside)
}

impl Fingerprint for Observed {
    fn fingerprint(&self, add: &mut dyn FnMut(&[u8])) {
        add(self.to_string().as_bytes());
    }
}
