//! What a terminal says to people.

use std::fmt;

use crate::money::Volume;

/// A text for voice and display.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Announcement {
    /// Initialisation failed for this reason.
    InitFailed(&'static str),
    /// The self test passed.
    SelfTestPassed,
    /// The self test found this part wanting.
    PartFailed(&'static str),
    /// The card was credited with a volume.
    Credited(Volume),
    /// The order on the server was already on the card.
    AlreadyCredited(Volume),
    /// There is no order for the card.
    NothingOrdered,
    /// The card must be seen to at the office.
    SeeOffice,
    /// No answer came, or the card changed meanwhile.
    TryAgain,
    /// The card cannot be read.
    CardUnreadable,
    /// The card was not written.
    NotCredited,
    /// Whether the card was written is not known.
    InDoubt(Volume),
    /// Results wait for the server, and there is no room for another.
    Full,
}

/// The text as it goes to the voice module and the display.
impl fmt::Display for Announcement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InitFailed(what) => write!(f, "INIT FAILED: {what}"),
            Self::SelfTestPassed => f.write_str("SELF TEST PASSED"),
            Self::PartFailed(part) => write!(f, "SELF TEST FAILED: {part}"),
            Self::Credited(volume) => write!(f, "CREDITED {volume} T"),
            Self::AlreadyCredited(volume) => write!(f, "ALREADY CREDITED {volume} T"),
            Self::NothingOrdered => f.write_str("NO ORDER, CREDITED 0 T"),
            Self::SeeOffice => f.write_str("SEE THE OFFICE, CREDITED 0 T"),
            Self::TryAgain => f.write_str("TRY AGAIN, CREDITED 0 T"),
            Self::CardUnreadable => f.write_str("CARD UNREADABLE, CREDITED 0 T"),
            Self::NotCredited => f.write_str("NOT WRITTEN, CREDITED 0 T"),
            Self::InDoubt(volume) => write!(f, "PRESENT CARD AGAIN, {volume} T IN DOUBT"),
            Self::Full => f.write_str("MEMORY FULL, TRY LATER, CREDITED 0 T"),
        }
    }
}

impl Announcement {
    /// The text as a device says it that leaves the volume out.
    pub fn without_volume(&self) -> String {
        match self {
            Self::Credited(_) => "CREDITED".to_owned(),
            Self::AlreadyCredited(_) => "ALREADY CREDITED".to_owned(),
            Self::InDoubt(_) => "PRESENT CARD AGAIN".to_owned(),
            other => other.to_string().trim_end_matches(", CREDITED 0 T").to_owned(),
        }
    }
}
