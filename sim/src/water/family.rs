//! The water system as a family: how its units are named and its bytes read.

use super::frame::{FrameFormat, RawFrame, ipdata_label, payload_label};
use super::party::{Event, Party, Stimulus};
use crate::digest::Digest;
use crate::modem::event::ModemStimulus;
use crate::modem::label::{HostScanner, ModemScanner, PayloadLabel};
use crate::tabletop::{Family, Scanner, Unit};
use crate::wire::{Scan, Wire};

/// The family.
#[derive(Clone, Copy, Debug)]
pub struct Water;

/// The longest line of text that is looked for; a longer one is passed on in pieces.
const LINE_MAX: usize = 256;

/// How a frame is named inside prompt data, and inside what a modem delivers.
#[derive(Clone, Copy, Debug)]
pub struct FrameNames {
    format: FrameFormat,
    delivered: bool,
}

impl PayloadLabel for FrameNames {
    fn label(&self, bytes: &[u8]) -> Option<(usize, &'static str)> {
        if self.delivered { ipdata_label(&self.format, bytes) } else { payload_label(&self.format, bytes) }
    }
}

/// What finds and names units on one of the system's links.
#[derive(Clone, Debug)]
pub enum WaterScanner {
    /// Terminal to modem: AT lines, and frames after a prompt.
    Host(HostScanner<FrameNames>),
    /// Modem to terminal: result codes, and blocks of received data.
    Modem(ModemScanner<FrameNames>),
    /// Frames alone.
    Frames {
        /// Their form.
        format: FrameFormat,
        /// What has come.
        held: Vec<u8>,
    },
    /// Lines of text.
    Lines {
        /// What each is called.
        name: &'static str,
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

impl WaterScanner {
    /// For the line from terminal to modem.
    pub fn host(format: FrameFormat, data_max: usize) -> Self {
        Self::Host(HostScanner::new(FrameNames { format, delivered: false }, data_max))
    }

    /// For the line from modem to terminal.
    pub fn modem(format: FrameFormat, data_max: usize) -> Self {
        Self::Modem(ModemScanner::new(FrameNames { format, delivered: true }, data_max))
    }

    /// For a connection that carries frames.
    pub fn frames(format: FrameFormat) -> Self {
        Self::Frames { format, held: Vec::new() }
    }

    /// For a link that carries lines of text.
    pub fn lines(name: &'static str) -> Self {
        Self::Lines { name, held: Vec::new() }
    }

    /// For a link whose transmissions are units as they are.
    pub fn whole(name: &'static str) -> Self {
        Self::Whole { name, held: 0 }
    }
}

impl Scanner for WaterScanner {
    fn push(&mut self, bytes: &[u8]) {
        match self {
            Self::Host(scanner) => scanner.push(bytes),
            Self::Modem(scanner) => scanner.push(bytes),
            Self::Frames { held, .. } | Self::Lines { held, .. } => held.extend_from_slice(bytes),
            Self::Whole { held, .. } => *held += bytes.len(),
        }
    }

    fn poll(&mut self) -> Option<Unit> {
        match self {
            Self::Host(scanner) => scanner.poll().map(|unit| Unit { len: unit.len, name: unit.name }),
            Self::Modem(scanner) => scanner.poll().map(|unit| Unit { len: unit.len, name: unit.name }),
            Self::Frames { format, held } => {
                let unit = frame_unit(format, held)?;
                held.drain(..unit.len);
                Some(unit)
            }
            Self::Lines { name, held } => {
                let end = held.iter().position(|byte| *byte == b'\n').map(|at| at + 1);
                let len = end.or_else(|| (held.len() >= LINE_MAX).then_some(held.len()))?;
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
            Self::Host(scanner) => scanner.digest(into),
            Self::Modem(scanner) => scanner.digest(into),
            // What these hold is held by the bench, too, and they know nothing else.
            Self::Frames { .. } | Self::Lines { .. } | Self::Whole { .. } => {}
        }
    }

    fn flush(&mut self) -> Option<Unit> {
        let (len, name) = match self {
            Self::Host(scanner) => scanner.flush().map(|(bytes, name)| (bytes.len(), name))?,
            Self::Modem(scanner) => scanner.flush().map(|(bytes, name)| (bytes.len(), name))?,
            Self::Frames { held, .. } => (std::mem::take(held).len(), "junk"),
            Self::Lines { held, name } => (std::mem::take(held).len(), *name),
            Self::Whole { held, name } => (std::mem::take(held), *name),
        };
        (len > 0).then_some(Unit { len, name })
    }
}

fn frame_unit(format: &FrameFormat, held: &[u8]) -> Option<Unit> {
    if let Some((len, name)) = payload_label(format, held) {
        return Some(Unit { len, name });
    }
    match RawFrame::scan(format, held) {
        Scan::NeedMore => None,
        Scan::Frame { used, .. } => Some(Unit { len: used, name: "frame-other" }),
        Scan::Junk { used, .. } => Some(Unit { len: used, name: "junk" }),
    }
}

impl Family for Water {
    type Party = Party;
    type Stimulus = Stimulus;
    type Event = Event;
    type Scanner = WaterScanner;

    fn suffering(what: &str) -> Option<Stimulus> {
        let stimulus = match what {
            "no-signal" => ModemStimulus::Signal { rssi: 99, ber: 99 },
            "pdp-lost" => ModemStimulus::PdpLost,
            "sim-out" => ModemStimulus::Sim { present: false },
            "not-registered" => ModemStimulus::Registration(2),
            _ => ModemStimulus::Urc(what.strip_prefix("urc:")?.to_owned()),
        };
        Some(Stimulus::Modem(stimulus))
    }

    fn meaning(name: &str, bytes: &[u8]) -> Option<String> {
        let start = bytes.windows(2).position(|pair| pair == [0xAA, 0x55])?;
        let frame = &bytes[start..];
        // The built-in form; a frame of another form is shown as bytes.
        let content = frame.get(12..frame.len().checked_sub(2)?)?;
        let answer = match frame.get(2)? {
            0x00 => "message",
            0x11 => "answer",
            0x10 => "negative",
            _ => return None,
        };
        let text = content.escape_ascii();
        let _ = name;
        Some(format!("{answer} type {:02X} \"{text}\"", frame.get(3)?))
    }

    fn event_words(event: &Event) -> String {
        event.to_string()
    }
}
