//! What a client keeps: its sales, each with its tries, and what became of every order.

use std::collections::BTreeMap;
use std::fmt;

use crate::digest::Digest;
use crate::journal::Replay;
use crate::money::Fen;

/// A sale as the till numbers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SaleNumber(pub u32);

impl fmt::Display for SaleNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sale {}", self.0)
    }
}

/// An order: which sale, and which try of it, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Try(pub SaleNumber, pub u32);

impl Try {
    /// The number that the platform knows it by, `out_trade_no`.
    pub fn number(self) -> String {
        format!("S{:06}T{:03}", self.0.0, self.1)
    }

    /// The order of a number; nothing if it is none of ours.
    pub fn of(number: &str) -> Option<Self> {
        let (sale, attempt) = number.strip_prefix('S')?.split_once('T')?;
        let one = Self(SaleNumber(sale.parse().ok()?), attempt.parse().ok()?);
        (one.number() == number).then_some(one)
    }
}

/// What is known of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nobody knows whether it is paid.
    Open,
    /// It is given up, and the platform has not said yet that nothing can come of it.
    Undoing,
    /// It is paid, and booked.
    Paid,
    /// Nothing can come of it.
    Dead,
    /// Money came though it was given up, and goes back.
    Refunding,
    /// All of it has gone back.
    Refunded,
}

impl Standing {
    /// In a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Undoing => "undoing",
            Self::Paid => "paid",
            Self::Dead => "dead",
            Self::Refunding => "refunding",
            Self::Refunded => "refunded",
        }
    }
}

/// An order in the books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The payer's code; an order that is scanned has none.
    pub code: Option<String>,
    /// How it stands.
    pub standing: Standing,
    /// How often it was booked as paid.
    pub booked: u32,
}

/// A sale in the books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sale {
    /// How much.
    pub amount: Fen,
    /// Its orders, the first first.
    pub attempts: Vec<Attempt>,
}

/// One durable fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BookRecord {
    /// An order is about to be made.
    Opened {
        /// Which.
        order: Try,
        /// How much.
        amount: Fen,
        /// The payer's code.
        code: Option<String>,
    },
    /// Something became of it.
    Became {
        /// Which.
        order: Try,
        /// What.
        standing: Standing,
    },
}

impl BookRecord {
    /// Its kind, as sites name it.
    pub const fn kind(&self) -> u16 {
        match self {
            Self::Opened { .. } => 1,
            Self::Became { standing, .. } => match standing {
                Standing::Open => 2,
                Standing::Undoing => 3,
                Standing::Paid => 4,
                Standing::Dead => 5,
                Standing::Refunding => 6,
                Standing::Refunded => 7,
            },
        }
    }
}

impl fmt::Display for BookRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Opened { order, amount, .. } => write!(f, "{} is opened, {amount}", order.number()),
            Self::Became { order, standing } => write!(f, "{} is {}", order.number(), standing.as_str()),
        }
    }
}

/// The books.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Books {
    sales: BTreeMap<SaleNumber, Sale>,
}

impl Books {
    /// Every sale.
    pub fn sales(&self) -> impl Iterator<Item = (SaleNumber, &Sale)> {
        self.sales.iter().map(|(number, sale)| (*number, sale))
    }

    /// A sale.
    pub fn sale(&self, number: SaleNumber) -> Option<&Sale> {
        self.sales.get(&number)
    }

    /// An order.
    pub fn attempt(&self, Try(sale, attempt): Try) -> Option<&Attempt> {
        self.sales.get(&sale)?.attempts.get(usize::try_from(attempt.checked_sub(1)?).ok()?)
    }

    /// The latest order of a sale.
    pub fn latest(&self, number: SaleNumber) -> Option<Try> {
        let tries = self.sale(number)?.attempts.len();
        u32::try_from(tries).ok().filter(|tries| *tries > 0).map(|tries| Try(number, tries))
    }

    /// Every order.
    pub fn orders(&self) -> impl Iterator<Item = (Try, &Attempt)> {
        self.sales.iter().flat_map(|(number, sale)| {
            (1..).zip(&sale.attempts).map(|(attempt, one)| (Try(*number, attempt), one))
        })
    }
}

impl Replay for Books {
    type Record = BookRecord;

    fn apply(&mut self, record: &BookRecord) {
        match record {
            BookRecord::Opened { order: Try(number, _), amount, code } => {
                let sale = self.sales.entry(*number);
                let sale = sale.or_insert_with(|| Sale { amount: *amount, attempts: Vec::new() });
                let code = code.clone();
                sale.attempts.push(Attempt { code, standing: Standing::Open, booked: 0 });
            }
            BookRecord::Became { order: Try(number, attempt), standing } => {
                let place = usize::try_from(*attempt).ok().and_then(|attempt| attempt.checked_sub(1));
                let sale = self.sales.get_mut(number);
                if let Some(one) = sale.and_then(|sale| sale.attempts.get_mut(place?)) {
                    one.standing = *standing;
                    one.booked += u32::from(*standing == Standing::Paid);
                }
            }
        }
    }

    fn digest(&self, into: &mut Digest) {
        for (order, one) in self.orders() {
            into.text(&order.number()).text(one.standing.as_str()).word(u64::from(one.booked));
            into.text(one.code.as_deref().unwrap_or(""));
        }
        for sale in self.sales.values() {
            into.word(sale.amount.0.cast_unsigned());
        }
    }

    fn digest_record(record: &BookRecord, into: &mut Digest) {
        into.text(&record.to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_reads_back_and_no_other_does() {
        let order = Try(SaleNumber(7), 2);
        assert_eq!(order.number(), "S000007T002");
        assert_eq!(Try::of("S000007T002"), Some(order));
        for other in ["S7T2", "S000007T2", "S000007", "000007T002", "S000007T0002", "S-00007T002"] {
            assert_eq!(Try::of(other), None, "{other}");
        }
    }

    #[test]
    fn every_booking_counts() {
        let (mut books, order) = (Books::default(), Try(SaleNumber(1), 1));
        books.apply(&BookRecord::Opened { order, amount: Fen(550), code: None });
        for _ in 0..2 {
            books.apply(&BookRecord::Became { order, standing: Standing::Paid });
        }
        books.apply(&BookRecord::Became { order: Try(SaleNumber(1), 2), standing: Standing::Dead });
        assert_eq!(books.attempt(order).map(|one| one.booked), Some(2));
        assert_eq!(books.attempt(Try(SaleNumber(1), 0)), None);
        assert_eq!(books.latest(SaleNumber(1)), Some(order));
    }
}
