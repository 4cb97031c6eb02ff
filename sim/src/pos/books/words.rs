//! Books in words, as tapes show them.

use std::fmt;

use super::{BookRecord, Device, Flag, Misfit, Refusal, SaleId, Sold, Standing};

/// `serial 1234567890` or `machine 00002`.
impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Serial(serial) => write!(f, "serial {}", serial.escape_ascii()),
            Self::Machine(number) => write!(f, "machine {number}"),
        }
    }
}

/// `5.50 from 8888888888`, `a count from 8888888888`, `3.00 by code 00003`.
impl fmt::Display for Sold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Money(card, amount) => write!(f, "{amount} from {card}"),
            Self::Count(card) => write!(f, "a count from {card}"),
            Self::Code(number, _, amount) => write!(f, "{amount} by code {number}"),
        }
    }
}

/// `5.50 from 8888888888 at 2024-01-02 03:04:05, serial 1234567890`.
impl fmt::Display for SaleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { device, at, sold } = self;
        write!(f, "{sold} at {at}, {device}")
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BadAmount => "no amount",
            Self::BadTime => "no time",
            Self::UnknownCard => "unknown card",
            Self::LostCard => "lost card",
            Self::ExpiredCard => "expired card",
            Self::TooLittle => "too little on it",
            Self::NoCounts => "no counts left",
            Self::Declined => "declined",
        })
    }
}

impl fmt::Display for Flag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Overdrawn => "overdrawn",
            Self::BadStanding => "lost or expired card",
            Self::UnknownCard => "unknown card",
        })
    }
}

impl fmt::Display for BookRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Charged { id } => write!(f, "charged {id}"),
            Self::Refused { id, why } => write!(f, "refused {id}: {why}"),
            Self::ChargedByRecord { id, address, flag } => {
                write!(f, "charged {id} by record {address}")?;
                flag.iter().try_for_each(|flag| write!(f, ", flagged: {flag}"))
            }
            Self::Reconciled { id, address } => write!(f, "record {address} is {id}, charged before"),
            Self::SetAside(Misfit { device, address, card, amount, at }) => write!(
                f,
                "set aside record {address} of {device}: card {}, amount {}, time {}",
                card.escape_ascii(),
                amount.escape_ascii(),
                at.escape_ascii()
            ),
            Self::Asked { id, order } => write!(f, "order {order} is {id}"),
            Self::Answered { order, paid: true } => write!(f, "order {order} is paid"),
            Self::Answered { order, paid: false } => write!(f, "order {order} is declined"),
            Self::Confirmed { id } => write!(f, "confirmed {id}"),
            Self::Account { card, account } => {
                let standing = match account.standing {
                    Standing::Good => "",
                    Standing::Lost => ", lost",
                    Standing::Expired => ", expired",
                };
                write!(f, "account {card}: {} and {} counts{standing}", account.balance, account.counts)
            }
        }
    }
}
