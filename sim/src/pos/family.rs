//! The POS system as a family: how its units are named and its bytes read.

use super::frame::label::{JUNK, label};
use super::frame::text::decode;
use super::party::{Event, Party, Stimulus};
use crate::tabletop::{Family, Scanner, Unit};

/// The family.
#[derive(Clone, Copy, Debug)]
pub struct Pos;

/// The longest line of text that is looked for; a longer one is passed on in pieces.
const LINE_MAX: usize = 4_096;

/// What finds and names units on one of the system's links.
#[derive(Clone, Debug)]
pub enum PosScanner {
    /// Datagrams, each by its command.
    Datagrams {
        /// The one that has come.
        unit: Option<Unit>,
    },
    /// Lines of text.
    Lines {
        /// What each is called.
        name: &'static str,
        /// What has come.
        held: Vec<u8>,
    },
}

impl PosScanner {
    /// For a packet path.
    pub const fn datagrams() -> Self {
        Self::Datagrams { unit: None }
    }

    /// For a link that carries lines of text.
    pub const fn lines(name: &'static str) -> Self {
        Self::Lines { name, held: Vec::new() }
    }
}

impl Scanner for PosScanner {
    fn push(&mut self, bytes: &[u8]) {
        match self {
            Self::Datagrams { unit } => {
                let len = bytes.len();
                *unit = (len > 0).then(|| Unit { len, name: label(bytes) });
            }
            Self::Lines { held, .. } => held.extend_from_slice(bytes),
        }
    }

    fn poll(&mut self) -> Option<Unit> {
        match self {
            Self::Datagrams { unit } => unit.take(),
            Self::Lines { name, held } => {
                let end = held.iter().position(|byte| *byte == b'\n').map(|at| at + 1);
                let len = end.or_else(|| (held.len() >= LINE_MAX).then_some(held.len()))?;
                held.drain(..len);
                Some(Unit { len, name })
            }
        }
    }

    fn flush(&mut self) -> Option<Unit> {
        match self {
            // An empty datagram is one, too.
            Self::Datagrams { unit } => Some(unit.take().unwrap_or(Unit { len: 0, name: JUNK })),
            Self::Lines { held, name } => {
                let len = std::mem::take(held).len();
                (len > 0).then_some(Unit { len, name })
            }
        }
    }
}

impl Family for Pos {
    type Party = Party;
    type Stimulus = Stimulus;
    type Event = Event;
    type Scanner = PosScanner;

    fn suffering(_what: &str) -> Option<Stimulus> {
        None
    }

    /// A datagram's text, which bytes alone would not show.
    fn meaning(name: &str, bytes: &[u8]) -> Option<String> {
        let known = name.len() == 3 && name.bytes().all(|byte| byte.is_ascii_digit()) && label(bytes) == name;
        known.then(|| format!("\"{}\"", decode(bytes).escape_debug()))
    }

    fn event_words(event: &Event) -> String {
        event.to_string()
    }
}
