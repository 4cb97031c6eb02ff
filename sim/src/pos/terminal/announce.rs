//! What a terminal says to people of its own accord. Answers of the server bring their own words.

use std::fmt;

use crate::card::number::CardNumber;
use crate::money::Fen;

/// A text for the display, and how it sounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Announcement {
    /// An amount was typed.
    Amount(Fen),
    /// What was typed is no amount that can be paid.
    BadAmount,
    /// An amount must be typed first.
    EnterAmount,
    /// The card or the code does not read.
    Unreadable,
    /// A sale is under way, or the card's last one is hardly over.
    Wait,
    /// Nobody answers.
    NetworkFault,
    /// A sale was acknowledged, where the design takes that for success.
    Paid(Fen),
    /// A sale was booked off line.
    OffLine(Fen),
    /// There is no room for another record.
    MemoryFull,
    /// A sale that was over is charged after all.
    ChargedLate(CardNumber, Fen),
    /// The memory cannot be used.
    MemoryFault,
}

/// How something sounds: the beep's code, and the number of the voice prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sound {
    pub(super) beep: u8,
    pub(super) voice: u8,
}

impl Announcement {
    /// Success is spoken as the server's is, failure as a refusal.
    pub(super) const fn sound(self) -> Sound {
        match self {
            Self::Paid(_) | Self::OffLine(_) => Sound { beep: 0, voice: 1 },
            Self::Amount(_) | Self::ChargedLate(..) => Sound { beep: 1, voice: 0 },
            Self::BadAmount | Self::EnterAmount | Self::Unreadable | Self::Wait => {
                Sound { beep: 2, voice: 0 }
            }
            Self::NetworkFault | Self::MemoryFull | Self::MemoryFault => Sound { beep: 3, voice: 6 },
        }
    }
}

/// The text as it goes to the display.
impl fmt::Display for Announcement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Amount(amount) => write!(f, "AMOUNT {amount}"),
            Self::BadAmount => f.write_str("BAD AMOUNT"),
            Self::EnterAmount => f.write_str("ENTER AMOUNT"),
            Self::Unreadable => f.write_str("UNREADABLE"),
            Self::Wait => f.write_str("PLEASE WAIT"),
            Self::NetworkFault => f.write_str("NETWORK FAULT"),
            Self::Paid(amount) => write!(f, "PAID {amount}"),
            Self::OffLine(amount) => write!(f, "OFF LINE {amount}"),
            Self::MemoryFull => f.write_str("MEMORY FULL"),
            Self::ChargedLate(card, amount) => write!(f, "CHARGED LATE {card} {amount}"),
            Self::MemoryFault => f.write_str("MEMORY FAULT"),
        }
    }
}
