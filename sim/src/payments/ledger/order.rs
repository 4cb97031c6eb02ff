//! An order and its refunds.

use crate::money::Fen;
use crate::payments::call::{House, Platform, Refusal, Terms};
use crate::time::{Instant, Wall};

/// An order's place in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OrderId(pub usize);

/// What has become of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nobody has scanned it.
    Unscanned,
    /// The payer has it on the telephone and has not paid.
    Waiting,
    /// Paid; it may be refunded in part or whole.
    Paid,
    /// Closed by the merchant, or because its time was over.
    Closed,
    /// Undone by the merchant.
    Reversed,
    /// The payment failed for good.
    Failed,
}

impl State {
    /// In a word, as pages show it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unscanned => "unscanned",
            Self::Waiting => "waiting",
            Self::Paid => "paid",
            Self::Closed => "closed",
            Self::Reversed => "reversed",
            Self::Failed => "failed",
        }
    }

    /// Whether money can still come.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Unscanned | Self::Waiting)
    }
}

/// An order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Its place in the ledger.
    pub id: OrderId,
    /// The face that it was made through.
    pub platform: Platform,
    /// The merchant's account.
    pub merchant: String,
    /// The platform's number: `transaction_id`, `trade_no`.
    pub transaction: String,
    /// Its terms.
    pub terms: Terms,
    /// The code that it is paid with; an order that is scanned has none.
    pub code: Option<String>,
    /// What has become of it.
    pub state: State,
    /// Why it failed.
    pub refusal: Option<Refusal>,
    /// The payer, once known.
    pub payer: Option<String>,
    /// When it was made.
    pub made: Instant,
    /// When it was made, by the calendar.
    pub made_wall: Wall,
    /// When it was paid, by the calendar.
    pub paid_wall: Option<Wall>,
    /// When it can be paid no more.
    pub expires: Instant,
    /// How much has gone back.
    pub refunded: Fen,
    /// Its refunds' places in the ledger.
    pub refunds: Vec<usize>,
}

impl Order {
    /// Who keeps it.
    pub const fn house(&self) -> House {
        self.platform.house()
    }

    /// Whether a payer scans it.
    pub const fn is_scanned(&self) -> bool {
        self.code.is_none()
    }

    /// Whether all of it has gone back.
    pub fn is_refunded(&self) -> bool {
        self.refunded > Fen(0) && self.refunded >= self.terms.amount
    }
}

/// Money given back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refund {
    /// The merchant's number.
    pub number: String,
    /// The platform's number, `refund_id`.
    pub id: String,
    /// The order.
    pub order: OrderId,
    /// How much.
    pub amount: Fen,
    /// Why, in the merchant's words.
    pub reason: String,
    /// When it was asked for, by the calendar.
    pub made_wall: Wall,
    /// When the payer has the money.
    pub settles: Instant,
    /// That, by the calendar.
    pub settles_wall: Wall,
    /// Whether the payer has the money, as of when this was read.
    pub settled: bool,
}
