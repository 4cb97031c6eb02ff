//! What a ledger is rebuilt from.

use serde::{Deserialize, Serialize};

use crate::card::number::CardNumber;
use crate::digest::Digest;
use crate::money::{Fen, Volume};
use crate::water::frame::OrderNumber;
use crate::water::tariff::Pricing;

/// One durable fact about one card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LedgerRecord {
    /// An order was paid.
    Prepaid {
        /// For which card.
        card: CardNumber,
        /// The order.
        order: OrderNumber,
        /// By which price table.
        pricing: Pricing,
        /// What was paid.
        paid: Fen,
        /// What it is worth.
        volume: Volume,
        /// The card's money that bought no water yet.
        credit: Fen,
    },
    /// A terminal is told to credit an order.
    Offered {
        /// To which card.
        card: CardNumber,
        /// The order.
        order: OrderNumber,
        /// On which sold volume.
        base: Volume,
    },
    /// A terminal cannot know whether it credited an order.
    InDoubt {
        /// To which card.
        card: CardNumber,
        /// The order.
        order: OrderNumber,
    },
    /// An order is on its card.
    Closed {
        /// On which card.
        card: CardNumber,
        /// The order.
        order: OrderNumber,
        /// What the card shows now.
        sold: Volume,
    },
    /// A closed order is to be credited again.
    Reopened {
        /// To which card.
        card: CardNumber,
        /// The order.
        order: OrderNumber,
    },
    /// A card shows what the ledger cannot explain.
    Alarm {
        /// Which card.
        card: CardNumber,
        /// What it shows.
        sold: Volume,
    },
}

impl LedgerRecord {
    /// The number by which a journal's steps name records of this kind.
    pub const fn kind(&self) -> u16 {
        match self {
            Self::Prepaid { .. } => 1,
            Self::Offered { .. } => 2,
            Self::InDoubt { .. } => 3,
            Self::Closed { .. } => 4,
            Self::Reopened { .. } => 5,
            Self::Alarm { .. } => 6,
        }
    }

    /// The name of the records of a kind.
    pub const fn kind_name(kind: u16) -> Option<&'static str> {
        Some(match kind {
            1 => "prepaid",
            2 => "offered",
            3 => "in-doubt",
            4 => "closed",
            5 => "reopened",
            6 => "alarm",
            _ => return None,
        })
    }

    /// Adds all of it.
    pub fn digest(&self, into: &mut Digest) {
        into.word(u64::from(self.kind()));
        match self {
            Self::Prepaid { card, order, pricing, paid, volume, credit } => {
                into.bytes(&card.digits()).bytes(&order.value().to_le_bytes()).word(*pricing as u64);
                into.word(paid.0.cast_unsigned()).word(u64::from(volume.0)).word(credit.0.cast_unsigned());
            }
            Self::Offered { card, order, base: volume } | Self::Closed { card, order, sold: volume } => {
                into.bytes(&card.digits()).bytes(&order.value().to_le_bytes()).word(u64::from(volume.0));
            }
            Self::InDoubt { card, order } | Self::Reopened { card, order } => {
                into.bytes(&card.digits()).bytes(&order.value().to_le_bytes());
            }
            Self::Alarm { card, sold } => {
                into.bytes(&card.digits()).word(u64::from(sold.0));
            }
        }
    }
}
