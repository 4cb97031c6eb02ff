//! What can become of one transmission, and which links it can happen on.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::time::Span;

/// The kinds of link, which differ in what they can do to what crosses them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkKind {
    /// Packets, each on its own.
    Datagram,
    /// A TCP connection: whole and in order, or broken.
    Stream,
    /// A UART line.
    Serial,
    /// One digital line.
    Pin,
    /// Card and antenna.
    Air,
}

/// What becomes of one transmission.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "fate", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Fate {
    /// It arrives later.
    Delay {
        /// By how much.
        by: Span,
    },
    /// It is lost.
    Drop,
    /// It arrives a second time.
    Twice {
        /// How long after the first.
        gap: Span,
    },
    /// It is overtaken by what was sent within a span after it.
    Reorder {
        /// How long it is held.
        behind: Span,
    },
    /// One bit is inverted.
    FlipBit {
        /// Counted from the first byte's highest bit.
        bit: u32,
    },
    /// Its end is lost.
    Truncate {
        /// How many bytes arrive.
        len: u32,
    },
    /// It arrives in two pieces.
    Split {
        /// The first piece's length.
        at: u32,
        /// The silence between the two.
        gap: Span,
    },
    /// It arrives together with what follows.
    Join {
        /// How long the line waits for that.
        within: Span,
    },
    /// One byte is lost.
    LoseByte {
        /// Which.
        at: u32,
    },
    /// A byte that nobody sent appears.
    JunkByte {
        /// Before which byte.
        at: u32,
        /// The byte.
        value: u8,
    },
    /// The line is held low: a zero byte appears and the rest of the burst is lost.
    Break {
        /// From which byte.
        at: u32,
    },
    /// The receiver is late: its buffer overflows, and the bytes from here on are lost.
    Overrun {
        /// From which byte.
        from: u32,
    },
    /// The connection carries nothing for a while, then everything in order.
    Stall {
        /// How long.
        span: Span,
    },
    /// The connection carries nothing more, and nobody is told.
    HalfOpen,
    /// The connection is closed in good order by something on the way.
    Fin {
        /// After how many of its bytes.
        at: u32,
    },
    /// The connection is reset by something on the way.
    Reset {
        /// After how many of its bytes.
        at: u32,
    },
    /// Nobody accepts the connection.
    Refuse,
    /// The pin does not follow.
    Stuck {
        /// How long.
        span: Span,
    },
    /// The pin shows the opposite for a moment first.
    Glitch {
        /// How long.
        width: Span,
    },
    /// One half bit of the read-out is missing.
    MissingHalfBit {
        /// Which run.
        at: u32,
    },
    /// The read-out begins half a bit late.
    WrongPhase,
    /// One edge of the read-out comes early or late.
    Jitter {
        /// After which run.
        at: u32,
        /// By how many field clocks.
        by: i8,
    },
}

impl Fate {
    /// The kind of fate, as reports group it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Delay { .. } => "delay",
            Self::Drop => "drop",
            Self::Twice { .. } => "twice",
            Self::Reorder { .. } => "reorder",
            Self::FlipBit { .. } => "flip-bit",
            Self::Truncate { .. } => "truncate",
            Self::Split { .. } => "split",
            Self::Join { .. } => "join",
            Self::LoseByte { .. } => "lose-byte",
            Self::JunkByte { .. } => "junk-byte",
            Self::Break { .. } => "break",
            Self::Overrun { .. } => "overrun",
            Self::Stall { .. } => "stall",
            Self::HalfOpen => "half-open",
            Self::Fin { .. } => "fin",
            Self::Reset { .. } => "reset",
            Self::Refuse => "refuse",
            Self::Stuck { .. } => "stuck",
            Self::Glitch { .. } => "glitch",
            Self::MissingHalfBit { .. } => "missing-half-bit",
            Self::WrongPhase => "wrong-phase",
            Self::Jitter { .. } => "jitter",
        }
    }

    /// Whether a link of this kind can suffer it.
    ///
    /// Why: a stream never loses, alters or reorders what is inside it; a line never repeats by itself.
    pub const fn strikes(&self, link: LinkKind) -> bool {
        match link {
            LinkKind::Datagram => matches!(
                self,
                Self::Delay { .. }
                    | Self::Drop
                    | Self::Twice { .. }
                    | Self::Reorder { .. }
                    | Self::FlipBit { .. }
                    | Self::Truncate { .. }
            ),
            LinkKind::Stream => matches!(
                self,
                Self::Delay { .. }
                    | Self::Split { .. }
                    | Self::Join { .. }
                    | Self::Stall { .. }
                    | Self::HalfOpen
                    | Self::Fin { .. }
                    | Self::Reset { .. }
                    | Self::Refuse
            ),
            LinkKind::Serial => matches!(
                self,
                Self::FlipBit { .. }
                    | Self::LoseByte { .. }
                    | Self::JunkByte { .. }
                    | Self::Break { .. }
                    | Self::Split { .. }
                    | Self::Join { .. }
                    | Self::Overrun { .. }
            ),
            LinkKind::Pin => matches!(self, Self::Stuck { .. } | Self::Glitch { .. }),
            LinkKind::Air => {
                matches!(self, Self::MissingHalfBit { .. } | Self::WrongPhase | Self::Jitter { .. })
            }
        }
    }
}

/// The fate in words, to follow the name of what it struck.
impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Delay { by } => write!(f, "arrives {by} late"),
            Self::Drop => write!(f, "is lost"),
            Self::Twice { gap } => write!(f, "arrives a second time {gap} later"),
            Self::Reorder { behind } => write!(f, "is overtaken by what is sent within {behind}"),
            Self::FlipBit { bit } => write!(f, "has bit {} of byte {} inverted", 7 - bit % 8, bit / 8),
            Self::Truncate { len } => write!(f, "is cut to {len} bytes"),
            Self::Split { at, gap } => write!(f, "is split after {at} bytes by {gap} of silence"),
            Self::Join { within } => write!(f, "arrives joined to what is sent within {within}"),
            Self::LoseByte { at } => write!(f, "loses byte {at}"),
            Self::JunkByte { at, value } => write!(f, "gains a junk byte {value:02X} before byte {at}"),
            Self::Break { at } => write!(f, "is broken off by a line break at byte {at}"),
            Self::Overrun { from: 0 } => write!(f, "is lost in an overrun"),
            Self::Overrun { from } => write!(f, "loses everything from byte {from} in an overrun"),
            Self::Stall { span } => write!(f, "is stalled for {span}"),
            Self::HalfOpen => write!(f, "is lost and its connection left half-open"),
            Self::Fin { at } => write!(f, "has its connection closed after {at} bytes"),
            Self::Reset { at } => write!(f, "has its connection reset after {at} bytes"),
            Self::Refuse => write!(f, "is refused"),
            Self::Stuck { span } => write!(f, "does not show for {span}"),
            Self::Glitch { width } => write!(f, "shows only after an opposite glitch of {width}"),
            Self::MissingHalfBit { at } => write!(f, "misses a half bit in run {at}"),
            Self::WrongPhase => write!(f, "begins in the wrong phase"),
            Self::Jitter { at, by } => write!(f, "has the edge after run {at} moved by {by} field clocks"),
        }
    }
}
