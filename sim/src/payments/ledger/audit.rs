//! The audit trail: everything that happened to an order, in order, with every movement of money.

use std::fmt;

use super::order::OrderId;
use crate::money::Fen;
use crate::payments::call::Refusal;
use crate::time::Instant;

/// A line of the trail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When.
    pub at: Instant,
    /// The order.
    pub order: OrderId,
    /// What happened.
    pub deed: Deed,
}

/// What happened to an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// It was made.
    Made(Fen),
    /// A payer scanned it.
    Scanned(String),
    /// A payer was asked for the password.
    PasswordAsked(String),
    /// Money moved from a payer to the merchant.
    Paid(String, Fen),
    /// Money moved though the order had been undone.
    PaidLate(String, Fen),
    /// It failed.
    Failed(Refusal),
    /// The merchant closed it.
    Closed,
    /// Its time was over.
    Expired,
    /// The merchant undid it.
    Reversed,
    /// Money moved back.
    Refunded(String, Fen),
}

impl fmt::Display for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Made(amount) => write!(f, "made, {amount}"),
            Self::Scanned(payer) => write!(f, "scanned by {payer}"),
            Self::PasswordAsked(payer) => write!(f, "{payer} is asked for the password"),
            Self::Paid(payer, amount) => write!(f, "{payer} paid {amount}"),
            Self::PaidLate(payer, amount) => write!(f, "{payer} paid {amount} after it was undone"),
            Self::Failed(why) => write!(f, "failed: {why:?}"),
            Self::Closed => f.write_str("closed"),
            Self::Expired => f.write_str("its time is over"),
            Self::Reversed => f.write_str("undone"),
            Self::Refunded(number, amount) => write!(f, "refund {number}: {amount} went back"),
        }
    }
}
