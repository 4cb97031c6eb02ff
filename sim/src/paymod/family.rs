//! The scan-to-pay system as a family: how its units are named and its bytes read.

use super::frame::{HostFrame, HostMessage, host_label, link_label, status};
use super::party::{Event, Party, Stimulus};
use super::platform::PayerStimulus;
use super::platform_line::{CallLine, first_line};
use crate::digest::Digest;
use crate::modem::event::ModemStimulus;
use crate::modem::label::{HostScanner, ModemScanner};
use crate::tabletop::{Family, Scanner, Unit};
use crate::wire::{Scan, Wire};

/// The family.
#[derive(Clone, Copy, Debug)]
pub struct Paymod;

/// What names the payload at the front of some bytes.
type Label = fn(&[u8]) -> Option<(usize, &'static str)>;

/// What finds and names units on one of the system's links.
#[derive(Clone, Debug)]
pub enum PaymodScanner {
    /// Module to modem: AT lines, and messages after a prompt.
    AtHost(HostScanner<Label>),
    /// Modem to module: result codes, and blocks of received data.
    AtModem(ModemScanner<Label>),
    /// Frames or messages alone.
    Units {
        /// How they are named.
        label: Label,
        /// What has come.
        held: Vec<u8>,
    },
    /// Each transmission as it is.
    Whole {
        /// What each is called.
        name: &'static str,
        /// How many bytes wait to be named.
        held: usize,
    },
}

impl PaymodScanner {
    /// For the line from module to modem.
    pub fn at_host(data_max: usize) -> Self {
        Self::AtHost(HostScanner::new(link_label, data_max))
    }

    /// For the line from modem to module.
    pub fn at_modem(data_max: usize) -> Self {
        Self::AtModem(ModemScanner::new(link_label, data_max))
    }

    /// For the line between host and module.
    pub const fn host_line() -> Self {
        Self::Units { label: host_label, held: Vec::new() }
    }

    /// For a connection between module and server.
    pub const fn link() -> Self {
        Self::Units { label: link_label, held: Vec::new() }
    }

    /// For calls to the platform, each by its verb.
    pub const fn calls() -> Self {
        Self::Units { label: call_label, held: Vec::new() }
    }

    /// For the platform's answers.
    pub const fn answers() -> Self {
        Self::Units { label: answer_label, held: Vec::new() }
    }

    /// For the platform's own calls, and their receipts.
    pub const fn notices() -> [Self; 2] {
        [
            Self::Units { label: notice_label, held: Vec::new() },
            Self::Units { label: receipt_label, held: Vec::new() },
        ]
    }

    /// For the lines of a text port.
    pub const fn words() -> Self {
        Self::Units { label: word_label, held: Vec::new() }
    }

    /// For a link whose transmissions are units as they are.
    pub const fn whole(name: &'static str) -> Self {
        Self::Whole { name, held: 0 }
    }
}

fn line_label(bytes: &[u8], name: &'static str) -> Option<(usize, &'static str)> {
    first_line(bytes).map(|(_, len)| (len, name))
}

fn word_label(bytes: &[u8]) -> Option<(usize, &'static str)> {
    line_label(bytes, "line")
}

fn call_label(bytes: &[u8]) -> Option<(usize, &'static str)> {
    let (line, len) = first_line(bytes)?;
    Some((len, CallLine::read(&line).map_or("junk", |call| call.verb.as_str())))
}

fn answer_label(bytes: &[u8]) -> Option<(usize, &'static str)> {
    line_label(bytes, "answer")
}

fn notice_label(bytes: &[u8]) -> Option<(usize, &'static str)> {
    line_label(bytes, "notice")
}

fn receipt_label(bytes: &[u8]) -> Option<(usize, &'static str)> {
    line_label(bytes, "receipt")
}

impl Scanner for PaymodScanner {
    fn push(&mut self, bytes: &[u8]) {
        match self {
            Self::AtHost(scanner) => scanner.push(bytes),
            Self::AtModem(scanner) => scanner.push(bytes),
            Self::Units { held, .. } => held.extend_from_slice(bytes),
            Self::Whole { held, .. } => *held += bytes.len(),
        }
    }

    fn poll(&mut self) -> Option<Unit> {
        match self {
            Self::AtHost(scanner) => scanner.poll().map(|unit| Unit { len: unit.len, name: unit.name }),
            Self::AtModem(scanner) => scanner.poll().map(|unit| Unit { len: unit.len, name: unit.name }),
            Self::Units { label, held } => {
                let (len, name) = if held.is_empty() { None } else { label(held) }?;
                let len = len.min(held.len());
                held.drain(..len);
                Some(Unit { len, name })
            }
            Self::Whole { name, held } => {
                let len = std::mem::take(held);
                (len > 0).then_some(Unit { len, name })
            }
        }
    }

    fn digest(&self, into: &mut Digest) {
        match self {
            Self::AtHost(scanner) => scanner.digest(into),
            Self::AtModem(scanner) => scanner.digest(into),
            // What these hold is held by the bench, too, and they know nothing else.
            Self::Units { .. } | Self::Whole { .. } => {}
        }
    }

    fn flush(&mut self) -> Option<Unit> {
        let (len, name) = match self {
            Self::AtHost(scanner) => scanner.flush().map(|(bytes, name)| (bytes.len(), name))?,
            Self::AtModem(scanner) => scanner.flush().map(|(bytes, name)| (bytes.len(), name))?,
            Self::Units { held, .. } => (std::mem::take(held).len(), "junk"),
            Self::Whole { name, held } => (std::mem::take(held), *name),
        };
        (len > 0).then_some(Unit { len, name })
    }
}

impl Family for Paymod {
    type Party = Party;
    type Stimulus = Stimulus;
    type Event = Event;
    type Scanner = PaymodScanner;

    fn suffering(what: &str) -> Option<Stimulus> {
        if let Some(misbehaves) = PayerStimulus::suffering(what) {
            return Some(Stimulus::Payer(misbehaves));
        }
        let stimulus = match what {
            "no-signal" => ModemStimulus::Signal { rssi: 99, ber: 99 },
            "pdp-lost" => ModemStimulus::PdpLost,
            "sim-out" => ModemStimulus::Sim { present: false },
            "not-registered" => ModemStimulus::Registration(2),
            _ => ModemStimulus::Urc(what.strip_prefix("urc:")?.to_owned()),
        };
        Some(Stimulus::Modem(stimulus))
    }

    /// What a frame of the host's line says; what is sealed is shown as bytes.
    fn meaning(_name: &str, bytes: &[u8]) -> Option<String> {
        let Scan::Frame { frame, .. } = HostFrame::scan(&(), bytes) else { return None };
        Some(match HostMessage::of(&frame).ok()? {
            HostMessage::Pay { order, terms } => format!(
                "order {order}, {} fen, channel {}, relay {} for {} ms",
                terms.amount, terms.channel, terms.relay, terms.pulse_ms
            ),
            HostMessage::Status { order, status: of, .. } | HostMessage::StatusAck { order, status: of } => {
                format!("order {order}: {}", status::words(of))
            }
            HostMessage::Query { order } | HostMessage::Cancel { order } => format!("order {order}"),
            HostMessage::PayAnswer { status: of, .. }
            | HostMessage::QueryAnswer { status: of, .. }
            | HostMessage::CancelAnswer { status: of } => status::words(of).to_owned(),
            HostMessage::Data(bytes) => format!("\"{}\"", bytes.escape_ascii()),
            HostMessage::DataAck => "taken".to_owned(),
            HostMessage::Error { code } => format!("error {code:02x}"),
        })
    }

    fn event_words(event: &Event) -> String {
        event.to_string()
    }
}
