//! What a client says of itself: claims, never evidence.

use std::fmt;

use super::books::BookRecord;

/// What a client says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientEvent {
    /// It runs, and knows so many orders from before.
    Started {
        /// How many.
        orders: u64,
    },
    /// The books were changed.
    Entered(BookRecord),
    /// A call has no answer, or none that can be believed.
    Unanswered {
        /// Which call.
        call: &'static str,
        /// About which order.
        order: String,
    },
    /// The platform could not be reached.
    Unreached,
    /// A notification was not believed.
    Disbelieved,
    /// A line of the till was none.
    Ignored,
}

impl fmt::Display for ClientEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started { orders } => write!(f, "started with {orders} orders"),
            Self::Entered(record) => write!(f, "entered: {record}"),
            Self::Unanswered { call, order } => write!(f, "no answer to {call} of {order}"),
            Self::Unreached => f.write_str("could not reach the platform"),
            Self::Disbelieved => f.write_str("did not believe a notification"),
            Self::Ignored => f.write_str("ignored a line of the till"),
        }
    }
}
