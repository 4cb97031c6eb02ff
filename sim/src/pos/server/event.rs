//! What a server says of itself, and what is done to it.

use std::fmt;

use crate::card::number::CardNumber;
use crate::pos::books::{Account, BookRecord};
use crate::pos::frame::{MachineNumber, Malformed};

/// What is done at the office.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerStimulus {
    /// Ask which devices there are.
    Discover,
    /// Ask a machine for its clock.
    AskClock(MachineNumber),
    /// Open an account, or change it.
    Account(CardNumber, Account),
}

/// What a server says of itself: claims, never evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerEvent {
    /// It runs, and knows so many sales from before.
    Started {
        /// How many.
        sales: u64,
    },
    /// A datagram was no message.
    Ignored(Malformed),
    /// A datagram was no message, and the program has ended.
    Stopped,
    /// A device is there.
    Present,
    /// Keys were typed at a machine.
    Keys(MachineNumber),
    /// The books were changed.
    Entered(BookRecord),
    /// An answer was never confirmed.
    Unconfirmed(MachineNumber),
    /// The platform cannot be reached.
    PlatformLost,
}

impl fmt::Display for ServerEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started { sales } => write!(f, "started with {sales} sales"),
            Self::Ignored(why) => write!(f, "ignored a datagram: {why}"),
            Self::Stopped => f.write_str("stopped by a datagram"),
            Self::Present => f.write_str("a device is there"),
            Self::Keys(machine) => write!(f, "keys at machine {machine}"),
            Self::Entered(record) => write!(f, "entered: {record}"),
            Self::Unconfirmed(machine) => write!(f, "machine {machine} has not confirmed its answer"),
            Self::PlatformLost => f.write_str("lost the platform"),
        }
    }
}
