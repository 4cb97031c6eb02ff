//! What a frame means.

mod content;
#[cfg(test)]
mod tests;

use std::net::SocketAddrV4;

use thiserror::Error;

use crate::card::number::CardNumber;
use crate::money::Volume;
use crate::time::Wall;
use crate::water::frame::number::{MachineNumber, OrderNumber};
use crate::water::frame::raw::{RawFrame, word};
use crate::water::tariff::Pricing;

/// What a message is about: the low half of the type byte. The high half says the pricing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// 0: the terminal is there.
    Heartbeat,
    /// 1: which order is there for this card.
    OrderRequest,
    /// 2: what became of an order.
    Upload,
    /// 3: what time it is.
    Clock,
    /// 4: how the terminal shall be set.
    Parameters,
    /// 5: what the server knows of a card.
    CardQuery,
    /// 6: a part of the terminal failed.
    FaultReport,
}

impl Kind {
    /// Every kind, in the order of its number.
    pub const ALL: [Self; 7] = [
        Self::Heartbeat,
        Self::OrderRequest,
        Self::Upload,
        Self::Clock,
        Self::Parameters,
        Self::CardQuery,
        Self::FaultReport,
    ];

    /// The pricing and the kind that a type byte says; `None` for a type that does not exist.
    pub fn split(byte: u8) -> Option<(Pricing, Self)> {
        let pricing = match byte >> 4 {
            0 => Pricing::Flat,
            1 => Pricing::Tiered,
            _ => return None,
        };
        Some((pricing, *Self::ALL.get(usize::from(byte & 0x0F))?))
    }

    /// The type byte.
    pub const fn byte(self, pricing: Pricing) -> u8 {
        let high = match pricing {
            Pricing::Flat => 0x00,
            Pricing::Tiered => 0x10,
        };
        high | self as u8
    }
}

/// What a terminal says came of writing an order to a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WriteResult {
    /// 0: nothing was credited.
    Failed,
    /// 1: credited and read back.
    Written,
    /// 2: the terminal cannot know.
    InDoubt,
}

/// What the server says became of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum UploadState {
    /// 1: still to be credited.
    Open,
    /// 2: credited, and never to be credited again.
    Closed,
    /// 3: unknown, or it contradicts the ledger.
    SetAside,
}

/// Which order there is for a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// 0: none.
    None,
    /// 1: paid and not written yet.
    Paid {
        /// The order.
        order: OrderNumber,
        /// What it is worth; never nothing.
        volume: Volume,
    },
    /// 2: the card shows that this one was written already.
    Done {
        /// The order.
        order: OrderNumber,
        /// What it was worth; never nothing.
        volume: Volume,
    },
    /// 3: card and ledger contradict each other: the office must look.
    Refused,
}

/// What a terminal asks or reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// The terminal is there.
    Heartbeat,
    /// A card was presented.
    OrderRequest {
        /// The card.
        card: CardNumber,
        /// What the card says was sold to it.
        sold: Volume,
    },
    /// What became of an order.
    Upload {
        /// The card.
        card: CardNumber,
        /// The order.
        order: OrderNumber,
        /// What became of it.
        result: WriteResult,
        /// What the card says, or shall say, was sold to it.
        sold: Volume,
    },
    /// What time is it?
    Clock,
    /// How shall the terminal be set?
    Parameters,
    /// What is known of a card?
    CardQuery {
        /// The card.
        card: CardNumber,
        /// What the card says was sold to it.
        sold: Volume,
    },
    /// A part of the terminal failed.
    FaultReport {
        /// Its name: 1 to 16 lower-case letters, digits and hyphens.
        part: String,
        /// What is wrong with it.
        code: u16,
    },
}

/// What the server answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The time, to the second.
    Heartbeat {
        /// What the server's clock says.
        at: Wall,
    },
    /// Which order there is for a card.
    OrderRequest {
        /// The card.
        card: CardNumber,
        /// The order, if any.
        offer: Offer,
        /// The sold volume on which the ledger counts the order; `None` in the shorter form that does not carry it.
        base: Option<Volume>,
    },
    /// What became of an order.
    Upload {
        /// The order.
        order: OrderNumber,
        /// What became of it.
        state: UploadState,
    },
    /// The time, to the second.
    Clock {
        /// What the server's clock says.
        at: Wall,
    },
    /// How the terminal shall be set.
    Parameters {
        /// The heartbeat's period.
        ///
        /// Units: seconds, at least one.
        heartbeat_s: u16,
        /// Where the server is; its port is never 0.
        server: SocketAddrV4,
    },
    /// What is known of a card.
    CardQuery {
        /// The card.
        card: CardNumber,
        /// What the ledger says was sold to it.
        sold: Volume,
        /// How many orders are not closed.
        open_orders: u16,
    },
    /// The report was taken.
    FaultReport,
}

/// A frame's meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Answer word 00.
    Request {
        /// What the type says of the price table.
        pricing: Pricing,
        /// What is asked.
        request: Request,
    },
    /// Answer word 11.
    Answer {
        /// What the type says of the price table.
        pricing: Pricing,
        /// What is answered.
        answer: Answer,
    },
    /// Answer word 10: the last frame arrived damaged and shall be sent again.
    Negative {
        /// The type byte as it was read, which may have been hit itself.
        kind: u8,
    },
}

/// A frame that is sound and still says nothing that has a meaning.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ContentError {
    /// The answer word is none of the three.
    #[error("answer word {0:02x} is none of 00, 10 and 11")]
    UnknownAnswerWord(u8),
    /// The type does not exist.
    #[error("type {0:02x} does not exist")]
    UnknownKind(u8),
    /// Too few or too many fields.
    #[error("{found} fields where {expected} belong")]
    FieldCount {
        /// How many belong there.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// A field that does not read as what belongs there.
    #[error("field {field} is not {expected}")]
    Field {
        /// Which field, counted from one.
        field: usize,
        /// What belongs there.
        expected: &'static str,
    },
}

impl Request {
    /// What the request is about.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Heartbeat => Kind::Heartbeat,
            Self::OrderRequest { .. } => Kind::OrderRequest,
            Self::Upload { .. } => Kind::Upload,
            Self::Clock => Kind::Clock,
            Self::Parameters => Kind::Parameters,
            Self::CardQuery { .. } => Kind::CardQuery,
            Self::FaultReport { .. } => Kind::FaultReport,
        }
    }
}

impl Answer {
    /// What the answer is about.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Heartbeat { .. } => Kind::Heartbeat,
            Self::OrderRequest { .. } => Kind::OrderRequest,
            Self::Upload { .. } => Kind::Upload,
            Self::Clock { .. } => Kind::Clock,
            Self::Parameters { .. } => Kind::Parameters,
            Self::CardQuery { .. } => Kind::CardQuery,
            Self::FaultReport => Kind::FaultReport,
        }
    }
}

impl Message {
    /// The meaning of a frame.
    ///
    /// Errors: [`ContentError`] for the first thing that is wrong with it.
    pub fn parse(answer: u8, kind: u8, content: &[u8]) -> Result<Self, ContentError> {
        if answer == word::NEGATIVE {
            content::none(content)?;
            return Ok(Self::Negative { kind });
        }
        if answer != word::MESSAGE && answer != word::POSITIVE {
            return Err(ContentError::UnknownAnswerWord(answer));
        }
        let (pricing, about) = Kind::split(kind).ok_or(ContentError::UnknownKind(kind))?;
        Ok(if answer == word::MESSAGE {
            Self::Request { pricing, request: content::request(about, content)? }
        } else {
            Self::Answer { pricing, answer: content::answer(about, content)? }
        })
    }

    /// The meaning of a frame, see [`Self::parse`].
    ///
    /// Errors: [`ContentError`] for the first thing that is wrong with it.
    pub fn of(frame: &RawFrame) -> Result<Self, ContentError> {
        Self::parse(frame.answer, frame.kind, &frame.content)
    }

    /// The answer word.
    pub const fn answer_word(&self) -> u8 {
        match self {
            Self::Request { .. } => word::MESSAGE,
            Self::Answer { .. } => word::POSITIVE,
            Self::Negative { .. } => word::NEGATIVE,
        }
    }

    /// The type byte.
    pub const fn kind(&self) -> u8 {
        match self {
            Self::Request { pricing, request } => request.kind().byte(*pricing),
            Self::Answer { pricing, answer } => answer.kind().byte(*pricing),
            Self::Negative { kind } => *kind,
        }
    }

    /// The content.
    pub fn content(&self) -> Vec<u8> {
        match self {
            Self::Request { request, .. } => content::of_request(request).into_bytes(),
            Self::Answer { answer, .. } => content::of_answer(answer).into_bytes(),
            Self::Negative { .. } => Vec::new(),
        }
    }

    /// The frame that says it.
    pub fn to_frame(&self, version: u8, machine: MachineNumber) -> RawFrame {
        RawFrame { answer: self.answer_word(), kind: self.kind(), version, machine, content: self.content() }
    }
}
