//! Nothing but the echo of the data comes while a prompt waits for data.
//!
//! Source: MDM-A4.

use assay_sim::fault::Way;
use assay_sim::tape::{Entry, Seen};
use assay_sim::water::family::Water;
use assay_sim::water::party::Event;

use crate::finding::{Findings, Oracle, Violation};
use crate::water::scene::Scene;

/// The longest tail of what was heard that may be the beginning of a prompt.
const PROMPT: &[u8] = b"\r\n> ";

/// A prompt that is open.
struct Open {
    /// How much data it waits for.
    len: usize,
    data: Vec<u8>,
    /// How much of the data has come back.
    echoed: usize,
    evidence: Vec<u64>,
    broken: bool,
}

/// Watches every prompt from its blank to the last byte of its data, where the host stands.
///
/// Why: what the host hears before it has sent the last byte of the data was said while the prompt was open.
pub struct Prompt {
    own: usize,
    deaf: bool,
    /// The command line being typed.
    typed: Vec<u8>,
    /// What the last send command announced.
    announced: Option<usize>,
    tail: Vec<u8>,
    open: Option<Open>,
}

impl Prompt {
    /// A judge of a case with so many faults of its own.
    pub fn new(own: usize) -> Self {
        Self { own, deaf: false, typed: Vec::new(), announced: None, tail: Vec::new(), open: None }
    }

    fn sent(&mut self, byte: u8, entry: &Entry<Event>, findings: &mut Findings) {
        if let Some(open) = &mut self.open {
            open.data.push(byte);
            if open.data.len() >= open.len {
                self.close(entry, findings);
            }
            return;
        }
        if matches!(byte, b'\r' | b'\n') {
            self.announced = send_len(&self.typed).or(self.announced);
            self.typed.clear();
        } else {
            self.typed.push(byte);
        }
    }

    fn heard(&mut self, byte: u8, ordinal: u64) {
        if let Some(open) = &mut self.open {
            if open.data.get(open.echoed) == Some(&byte) {
                open.echoed += 1;
            } else {
                open.broken = true;
                open.evidence.push(ordinal);
            }
            return;
        }
        self.tail.push(byte);
        if self.tail.len() > PROMPT.len() {
            self.tail.remove(0);
        }
        if self.tail == PROMPT
            && let Some(len) = self.announced.take()
        {
            self.open =
                Some(Open { len, data: Vec::new(), echoed: 0, evidence: vec![ordinal], broken: false });
        }
    }

    fn close(&mut self, entry: &Entry<Event>, findings: &mut Findings) {
        let Some(open) = self.open.take() else { return };
        findings.judge("MDM-A4", !open.broken, || Violation {
            requirement: "MDM-A4",
            expected: "nothing but the echo of the data while the prompt waits for it".to_owned(),
            actual: format!("something else came before the last of the {} bytes was sent", open.len),
            at: entry.at,
            evidence: open.evidence.into_iter().chain([entry.ordinal]).collect(),
        });
    }
}

impl Oracle<Water> for Prompt {
    fn observe(&mut self, entry: &Entry<Event>, scene: &Scene, findings: &mut Findings) {
        if self.deaf {
            return;
        }
        let on_uart = |line| scene.terminals.iter().any(|cast| cast.uart == line);
        match &entry.what {
            Seen::Struck { strike } if *strike >= self.own => self.deaf = true,
            Seen::Power { on: false, .. } => *self = Self::new(self.own),
            Seen::Sent { line, way: Way::AtoB, bytes, .. } if on_uart(*line) => {
                for byte in bytes {
                    self.sent(*byte, entry, findings);
                }
            }
            Seen::Heard { line, way: Way::BtoA, bytes, .. } if on_uart(*line) => {
                for byte in bytes {
                    self.heard(*byte, entry.ordinal);
                }
            }
            _ => {}
        }
    }
}

/// How much data a command line announces.
fn send_len(line: &[u8]) -> Option<usize> {
    let at = line.windows(7).position(|part| part.eq_ignore_ascii_case(b"IPSEND="))?;
    let values = std::str::from_utf8(&line[at + 7..]).ok()?;
    values.rsplit(',').next()?.trim().parse().ok().filter(|len| *len > 0)
}
