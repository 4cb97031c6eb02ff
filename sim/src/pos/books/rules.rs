//! What is charged, what is refused, and what is known already.

use serde::{Deserialize, Serialize};

use super::{Account, BookRecord, Books, Device, Flag, Misfit, Sale, SaleId, Sold, Standing, State};
use crate::card::number::CardNumber;
use crate::journal::Replay;
use crate::money::Fen;
use crate::pos::frame::{DeviceMessage, Head, Mode, Read, RecordAddress};

/// Why a sale is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// The amount is none.
    BadAmount,
    /// The time is none.
    BadTime,
    /// Nobody has an account for the card, or its number is none.
    UnknownCard,
    /// The card was reported lost.
    LostCard,
    /// The card's time is over.
    ExpiredCard,
    /// There is not enough on the account.
    TooLittle,
    /// There are no counts left.
    NoCounts,
    /// The platform has declined.
    Declined,
}

/// A sale that a message asks for: 103, 104, 128.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SaleRequest {
    /// Everything in it reads.
    Sound(SaleId),
    /// Something in it does not, so that it can never be a sale.
    Unsound(Refusal),
}

/// What is to be done about a sale.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It is new, and to be answered when this is durable.
    Enter(BookRecord),
    /// It is known, with this outcome: nothing changes.
    Known(State),
    /// It can never be a sale, and nothing has to be kept of it.
    Never(Refusal),
}

/// A sale that was booked off line, as its record tells: 105.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stored {
    /// It is to be answered when this is durable.
    Enter(BookRecord),
    /// It has come before: nothing changes.
    Known,
}

impl Device {
    /// Who sent a message.
    pub fn of(head: &Head) -> Self {
        match &head.serial {
            Some(serial) => Self::Serial(serial.clone()),
            None => Self::Machine(head.machine),
        }
    }
}

impl SaleRequest {
    /// What a message asks for; nothing unless it is a 103, 104 or 128.
    pub fn of(message: &DeviceMessage) -> Option<Self> {
        let (head, at, sold) = match message {
            DeviceMessage::Pay { head, card, amount, at, .. } => (head, at, money(card, amount)),
            DeviceMessage::Count { head, card, at, .. } => {
                (head, at, card.as_ref().map(|card| Sold::Count(*card)).map_err(|_| Refusal::UnknownCard))
            }
            DeviceMessage::Scan { head, number, amount, at, code, .. } => {
                let sold = amount.as_ref().map(|amount| Sold::Code(*number, code.clone(), *amount));
                (head, at, sold.map_err(|_| Refusal::BadAmount))
            }
            _ => return None,
        };
        Some(match (sold, at) {
            (Ok(sold), Ok(at)) => Self::Sound(SaleId { device: Device::of(head), at: *at, sold }),
            (Err(why), _) => Self::Unsound(why),
            (Ok(_), Err(_)) => Self::Unsound(Refusal::BadTime),
        })
    }
}

fn money(card: &Read<CardNumber>, amount: &Read<Fen>) -> Result<Sold, Refusal> {
    match (card, amount) {
        (Ok(card), Ok(amount)) => Ok(Sold::Money(*card, *amount)),
        (_, Err(_)) => Err(Refusal::BadAmount),
        (Err(_), Ok(_)) => Err(Refusal::UnknownCard),
    }
}

impl Books {
    /// Decides a sale that is being made. `order` is a number for the platform that was never used.
    pub fn sale(&self, request: &SaleRequest, order: u64) -> Decision {
        let id = match request {
            SaleRequest::Sound(id) => id,
            SaleRequest::Unsound(why) => return Decision::Never(*why),
        };
        if let Some(Sale { state, .. }) = self.known(id) {
            return Decision::Known(*state);
        }
        self.fresh(id, order)
    }

    /// The same by a server that does not look whether it knows the sale.
    pub fn sale_anew(&self, request: &SaleRequest, order: u64) -> Decision {
        match request {
            SaleRequest::Sound(id) => self.fresh(id, order),
            SaleRequest::Unsound(why) => Decision::Never(*why),
        }
    }

    fn fresh(&self, id: &SaleId, order: u64) -> Decision {
        let id = id.clone();
        Decision::Enter(match self.refusal(&id.sold) {
            Some(why) => BookRecord::Refused { id, why },
            None if matches!(id.sold, Sold::Code(..)) => BookRecord::Asked { id, order },
            None => BookRecord::Charged { id },
        })
    }

    fn refusal(&self, sold: &Sold) -> Option<Refusal> {
        let card = match sold {
            Sold::Money(card, _) | Sold::Count(card) => card,
            Sold::Code(..) => return None,
        };
        let Some(Account { balance, counts, standing }) = self.account(*card) else {
            return Some(Refusal::UnknownCard);
        };
        match (standing, sold) {
            (Standing::Lost, _) => Some(Refusal::LostCard),
            (Standing::Expired, _) => Some(Refusal::ExpiredCard),
            (Standing::Good, Sold::Money(_, amount)) => (*amount > balance).then_some(Refusal::TooLittle),
            (Standing::Good, _) => (counts < 1).then_some(Refusal::NoCounts),
        }
    }

    /// Decides a sale that a device has booked off line: it was made, so it is charged if it has not been, whatever the
    /// account says. A time that there is not, or an illegal amount, makes it no sale.
    pub fn stored(&self, message: &DeviceMessage) -> Option<Stored> {
        let DeviceMessage::Record { head, card, amount, at, mode, address, .. } = message else {
            return None;
        };
        let (Ok(card), Ok(amount), Ok(at)) = (card, amount, at) else {
            return Some(self.misfit(Misfit {
                device: Device::of(head),
                address: *address,
                card: bytes_of(card),
                amount: bytes_of(amount),
                at: bytes_of(at),
            }));
        };
        let sold = match mode {
            Mode::Money => Sold::Money(*card, *amount),
            Mode::Count => Sold::Count(*card),
        };
        let id = SaleId { device: Device::of(head), at: *at, sold };
        Some(self.told(id, *address))
    }

    fn told(&self, id: SaleId, address: RecordAddress) -> Stored {
        match self.known(&id) {
            Some(Sale { record: Some(_), .. }) => Stored::Known,
            Some(Sale { state: State::Charged, .. }) => Stored::Enter(BookRecord::Reconciled { id, address }),
            // What was refused was then booked off line, and what nobody knew of was made all the same.
            _ => {
                let flag = self.refusal(&id.sold).map(|why| match why {
                    Refusal::UnknownCard => Flag::UnknownCard,
                    Refusal::LostCard | Refusal::ExpiredCard => Flag::BadStanding,
                    _ => Flag::Overdrawn,
                });
                Stored::Enter(BookRecord::ChargedByRecord { id, address, flag })
            }
        }
    }

    fn misfit(&self, misfit: Misfit) -> Stored {
        if self.set_aside().contains(&misfit) {
            Stored::Known
        } else {
            Stored::Enter(BookRecord::SetAside(misfit))
        }
    }

    /// The books with one record more.
    #[must_use]
    pub fn with(mut self, record: &BookRecord) -> Self {
        self.apply(record);
        self
    }
}

fn bytes_of<T: std::fmt::Display>(field: &Read<T>) -> Box<[u8]> {
    match field {
        Ok(value) => value.to_string().into_bytes().into(),
        Err(bytes) => bytes.clone(),
    }
}
