//! What an observer reads off the parties' boundaries at a moment of rest.

use std::fmt;

use crate::card::number::CardNumber;
use crate::money::{Fen, Volume};
use crate::tape::Fingerprint;
use crate::water::frame::OrderNumber;

/// The server's books, card by card and order by order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Books {
    /// Every card that the server knows.
    pub cards: Vec<CardBooks>,
    /// Every order that the server knows.
    pub orders: Vec<OrderBooks>,
}

/// One card in the books.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CardBooks {
    /// The card.
    pub card: CardNumber,
    /// The sold volume after its last closed order.
    pub last: Volume,
    /// Money that bought no water yet.
    pub credit: Fen,
}

/// How the books list an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listed {
    /// Paid, and neither closed nor in doubt.
    Open,
    /// Perhaps credited.
    InDoubt,
    /// Credited.
    Closed,
}

/// One order in the books.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderBooks {
    /// The order.
    pub order: OrderNumber,
    /// Its card.
    pub card: CardNumber,
    /// Its volume.
    pub volume: Volume,
    /// How it is listed.
    pub listed: Listed,
}

/// What is observed at a moment of rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Observed {
    /// A card's eight blocks 0 to 7, as a reader of the maker would show them.
    Card {
        /// The blocks.
        blocks: [u32; 8],
    },
    /// A terminal's memory.
    Chip {
        /// The cells.
        image: Box<[u8; 256]>,
        /// The wear of the most written cell.
        wear_max: u32,
        /// The cells whose write cycle the last cut of power overtook.
        torn: Vec<u8>,
    },
    /// The server's books.
    Books(Books),
}

impl fmt::Display for Observed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Card { blocks } => {
                f.write_str("card reads")?;
                blocks.iter().try_for_each(|block| write!(f, " {block:08X}"))
            }
            Self::Chip { wear_max, .. } => write!(f, "EEPROM read out, most written cell {wear_max} times"),
            Self::Books(books) => {
                write!(f, "books:")?;
                for order in &books.orders {
                    let listed = match order.listed {
                        Listed::Open => "open",
                        Listed::InDoubt => "in doubt",
                        Listed::Closed => "closed",
                    };
                    write!(f, " order {} for {} {} t {listed};", order.order, order.card, order.volume)?;
                }
                Ok(())
            }
        }
    }
}

impl Fingerprint for Observed {
    fn fingerprint(&self, add: &mut dyn FnMut(&[u8])) {
        if let Self::Chip { image, .. } = self {
            add(&image[..]);
        }
        add(self.to_string().as_bytes());
    }
}
