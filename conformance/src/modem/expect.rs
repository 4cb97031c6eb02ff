//! What a case announces on the tape before it provokes, so that an oracle can compare: no case judges.
//!
//! An [`Expectation`] says which bytes come next, a [`Promise`] what a host does or leaves within a time.

use std::fmt;

use assay_sim::time::Span;

use super::pattern::Pattern;

/// The remark at which everything announced must have come.
pub const DUE: &str = "due: all that was announced";

/// The requirements that cases of this system announce.
const REQUIREMENTS: [&str; 12] = [
    "MDM-A1", "MDM-A2", "MDM-A3", "MDM-A4", "MDM-A5", "MDM-A6", "MDM-A7", "MDM-A8", "MDM-H1", "MDM-H2",
    "MDM-H3", "MDM-H4",
];

const FROM_MODEM: &str = " from the modem: ";
const IN_BLOCKS: &str = " from the modem in announced blocks: ";
const AT_SERVER: &str = " at the server: ";
const UNASKED: &str = " from the modem, at one of the bars ";
const UNASKED_END: &str = ", in all: ";

fn requirement(text: &str) -> Option<(&'static str, &str)> {
    let text = text.strip_prefix("expect ")?;
    REQUIREMENTS.into_iter().find_map(|id| Some((id, text.strip_prefix(id)?)))
}

/// Where bytes are expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// On the UART, from the modem.
    Modem,
    /// On the UART, as received data in blocks that the modem announces, however many.
    Blocks,
    /// At the server's end of the network.
    Server,
}

const GIVEN: &str = "given from the modem: ";

/// What the modem must say for the rest of the case to mean anything; it is not judged itself.
///
/// Shape: `given from the modem: %aOK\r\n%a`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// What comes.
    pub pattern: Pattern,
}

impl Given {
    /// Bytes from the modem, in the notation of [`Pattern::parse`].
    pub fn modem(pattern: &str) -> Self {
        Self { pattern: Pattern::parse(pattern.as_bytes()) }
    }

    /// Reads a remark; `None` if it is another one.
    pub fn read(remark: &str) -> Option<Self> {
        remark.strip_prefix(GIVEN).map(|pattern| Self { pattern: Pattern::read(pattern) })
    }
}

/// The remark.
impl fmt::Display for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{GIVEN}{}", self.pattern)
    }
}

/// The bytes that come up to the remark [`DUE`].
///
/// Shape: `expect MDM-A8 from the modem: \r\n+CSQ: %d,%d\r\n\r\nOK\r\n`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// The requirement that is violated otherwise.
    pub requirement: &'static str,
    /// Where.
    pub channel: Channel,
    /// What comes besides, once, at one of the pattern's bars.
    pub unasked: Option<Vec<u8>>,
    /// What comes.
    pub pattern: Pattern,
}

impl Expectation {
    /// Bytes from the modem, in the notation of [`Pattern::parse`].
    pub fn modem(requirement: &'static str, pattern: &str) -> Self {
        Self {
            requirement,
            channel: Channel::Modem,
            unasked: None,
            pattern: Pattern::parse(pattern.as_bytes()),
        }
    }

    /// Exactly these bytes from the modem.
    pub fn bytes(requirement: &'static str, bytes: &[u8]) -> Self {
        let pattern = Pattern::literal(bytes);
        Self { requirement, channel: Channel::Modem, unasked: None, pattern }
    }

    /// Bytes from the modem in the notation of [`Pattern::parse`], and these besides, at one of its bars.
    pub fn unasked(requirement: &'static str, unasked: &[u8], pattern: &str) -> Self {
        Self { unasked: Some(unasked.to_vec()), ..Self::modem(requirement, pattern) }
    }

    /// Exactly these bytes from the modem, as received data.
    pub fn blocks(requirement: &'static str, bytes: &[u8]) -> Self {
        Self { channel: Channel::Blocks, ..Self::bytes(requirement, bytes) }
    }

    /// Exactly these bytes at the server.
    pub fn server(requirement: &'static str, bytes: &[u8]) -> Self {
        let pattern = Pattern::literal(bytes);
        Self { requirement, channel: Channel::Server, unasked: None, pattern }
    }

    /// Reads a remark; `None` if it announces no bytes.
    pub fn read(remark: &str) -> Option<Self> {
        let (requirement, rest) = requirement(remark)?;
        let places =
            [(FROM_MODEM, Channel::Modem), (IN_BLOCKS, Channel::Blocks), (AT_SERVER, Channel::Server)];
        for (words, channel) in places {
            if let Some(pattern) = rest.strip_prefix(words) {
                let pattern = Pattern::read(pattern);
                return Some(Self { requirement, channel, unasked: None, pattern });
            }
        }
        let (unasked, pattern) = rest.strip_prefix(UNASKED)?.split_once(UNASKED_END)?;
        let unasked = Some(Pattern::read(unasked).into_literal()?);
        Some(Self { requirement, channel: Channel::Modem, unasked, pattern: Pattern::read(pattern) })
    }
}

/// The remark.
impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expect {}", self.requirement)?;
        match (self.channel, &self.unasked) {
            (Channel::Server, _) => f.write_str(AT_SERVER)?,
            (Channel::Blocks, _) => f.write_str(IN_BLOCKS)?,
            (Channel::Modem, None) => f.write_str(FROM_MODEM)?,
            (Channel::Modem, Some(unasked)) => {
                write!(f, "{UNASKED}{}{UNASKED_END}", Pattern::literal(unasked))?;
            }
        }
        write!(f, "{}", self.pattern)
    }
}

/// What a host does, or leaves, within a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// It sends a heartbeat, and the answer reaches it.
    AnsweredHeartbeat,
    /// It begins to connect anew: a new start command, or the module's pins.
    NewAttempt,
    /// It neither connects anew nor repeats its heartbeat.
    Contentment,
}

impl Deed {
    const ALL: [Self; 3] = [Self::AnsweredHeartbeat, Self::NewAttempt, Self::Contentment];

    /// The deed in words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AnsweredHeartbeat => "an answered heartbeat",
            Self::NewAttempt => "a new attempt to connect",
            Self::Contentment => "neither a new attempt nor a repeated heartbeat",
        }
    }
}

/// What a host does from here on.
///
/// Shape: `expect MDM-H1 an answered heartbeat within 300 s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Promise {
    /// The requirement that is violated otherwise.
    pub requirement: &'static str,
    /// What.
    pub deed: Deed,
    /// How soon, or for how long.
    pub within: Span,
}

impl Promise {
    /// Reads a remark; `None` if it announces no deed.
    pub fn read(remark: &str) -> Option<Self> {
        let (requirement, rest) = requirement(remark)?;
        Deed::ALL.into_iter().find_map(|deed| {
            let span = rest.strip_prefix(' ')?.strip_prefix(deed.as_str())?.strip_prefix(" within ")?;
            Some(Self { requirement, deed, within: span.parse().ok()? })
        })
    }
}

/// The remark.
impl fmt::Display for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expect {} {} within {}", self.requirement, self.deed.as_str(), self.within)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expectations_read_back_as_they_print() {
        let all: Vec<u8> = (0..=255).collect();
        for expected in [
            Expectation::modem("MDM-A8", "\r\n+CSQ: %d,%d\r\n\r\nOK\r\n"),
            Expectation::modem("MDM-A5", ""),
            Expectation::unasked("MDM-A4", b"\r\n+CMTI: \"SM\",1\r\n", "|AT\r|\r\nOK\r\n|"),
            Expectation::server("MDM-A8", &all),
            Expectation::blocks("MDM-A8", b"a|b"),
        ] {
            assert_eq!(Expectation::read(&expected.to_string()), Some(expected.clone()), "{expected}");
        }
        assert_eq!(
            Expectation::modem("MDM-A1", "AT\r\r\nOK\r\n").to_string(),
            "expect MDM-A1 from the modem: AT\\r\\r\\nOK\\r\\n"
        );
        for other in ["expect MDM-A9 from the modem: ", "expect MDM-A1: x", "press the key", DUE] {
            assert_eq!(Expectation::read(other), None);
        }
    }

    #[test]
    fn what_is_given_reads_back_as_it_prints() {
        let given = Given::modem("%aOK\r\n%a");
        assert_eq!(given.to_string(), "given from the modem: %aOK\\r\\n%a");
        assert_eq!(Given::read(&given.to_string()), Some(given));
        assert_eq!(Given::read("expect MDM-A1 from the modem: "), None);
    }

    #[test]
    fn promises_read_back_as_they_print() {
        for deed in Deed::ALL {
            let promise = Promise { requirement: "MDM-H1", deed, within: Span::ms(1_500) };
            assert_eq!(Promise::read(&promise.to_string()), Some(promise));
        }
        assert_eq!(Promise::read("expect MDM-H1 an answered heartbeat"), None);
        assert_eq!(Promise::read("expect MDM-H1 an answered heartbeat within reason"), None);
    }
}
