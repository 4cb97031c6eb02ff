//! What a message server says of itself.

use crate::card::number::CardNumber;
use crate::machine::Port;
use crate::money::{Fen, Volume};
use crate::water::frame::{ContentError, MachineNumber, OrderNumber};
use crate::water::ledger::{Refusal, Totals};
use crate::water::tariff::Pricing;

/// What the office can ask of a message server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerStimulus {
    /// A [`ServerEvent::Report`].
    Report,
}

/// Why a frame or line is of no use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// Its CRC is wrong.
    Crc,
    /// It says nothing that has a meaning.
    Content(ContentError),
    /// It is an answer, and the server asked nothing.
    Answer,
    /// It is no line that a payment front sends.
    Line,
}

/// What a message server notes. Changes of the ledger are noted when they are durable, unless the policy answers
/// before that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerEvent {
    /// The server started on what its journal held.
    Recovered {
        /// The volumes of all orders.
        totals: Totals,
    },
    /// The office asked.
    Report {
        /// The volumes of all orders.
        totals: Totals,
        /// The orders in doubt.
        in_doubt: Vec<OrderNumber>,
    },
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
    /// A payment did not become an order.
    PaymentRefused {
        /// The order, if it could be read.
        order: Option<OrderNumber>,
        /// Why not.
        reason: Refusal,
    },
    /// A terminal is told to credit an order.
    Offered {
        /// To which card.
        card: CardNumber,
        /// The order.
        order: OrderNumber,
        /// What it is worth.
        volume: Volume,
        /// On which sold volume.
        base: Volume,
    },
    /// A terminal cannot know whether it credited an order.
    InDoubt {
        /// To which card.
        card: CardNumber,
        /// The order.
        order: OrderNumber,
        /// What it is worth.
        volume: Volume,
    },
    /// An order is on its card.
    Closed {
        /// On which card.
        card: CardNumber,
        /// The order.
        order: OrderNumber,
        /// What it is worth.
        volume: Volume,
        /// What the card shows now.
        sold: Volume,
    },
    /// A closed order is to be credited again.
    Reopened {
        /// To which card.
        card: CardNumber,
        /// The order.
        order: OrderNumber,
        /// What it is worth.
        volume: Volume,
    },
    /// A card shows, or a terminal says, what the ledger cannot explain.
    Alarm {
        /// Which card.
        card: CardNumber,
        /// The sold volume that it shows.
        sold: Volume,
    },
    /// A terminal reported a part that failed.
    Fault {
        /// Which terminal.
        machine: MachineNumber,
        /// Which part.
        part: String,
        /// What is wrong with it.
        code: u16,
    },
    /// A frame or line was of no use.
    Unusable {
        /// Where it came from.
        port: Port,
        /// What is wrong with it.
        why: Unusable,
    },
    /// Bytes that belong to no frame.
    Junk {
        /// Where they came from.
        port: Port,
        /// How many.
        len: usize,
    },
    /// A negative answer was due.
    Negative {
        /// Where to.
        port: Port,
        /// Its type byte.
        kind: u8,
        /// Whether it was sent, and not one too many.
        sent: bool,
    },
    /// A terminal asked for the last answer again.
    AskedAgain {
        /// Which connection.
        port: Port,
        /// Whether there was one to repeat.
        repeated: bool,
    },
    /// A message was dropped because too many answers wait.
    Overrun {
        /// Which connection.
        port: Port,
    },
    /// A connection was dropped because too many are open.
    Dropped {
        /// Which.
        port: Port,
    },
}
