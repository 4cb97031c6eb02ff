//! People at a terminal: what they tap, type and scan, and what they are shown and told.
//!
//! Shape: lines of UTF-8 that end in LF, the grammar of a rig's text port. To the terminal `tap CARD`, `keys TEXT`,
//! `scan TEXT`; from it `show TEXT`, `say N`, `beep N`, `ready`, `error TEXT`.

use std::collections::VecDeque;

use crate::digest::Digest;
use crate::machine::{Board, Input, Machine, Output, Port, Stamped, StoreStep, Torn};
use crate::time::{Instant, Now};

/// The longest line; a longer one is passed on in pieces.
const LINE_MAX: usize = 1_024;

/// What people do, as a line without its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PanelStimulus(pub String);

/// What people saw or heard, as a line without its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PanelEvent(pub String);

/// The people. They need no power.
#[derive(Clone, Debug, Default)]
pub struct Panel {
    on: bool,
    held: Vec<u8>,
    out: VecDeque<Stamped<Output<PanelEvent>>>,
}

impl Panel {
    /// The line to the terminal.
    pub const LINE: Port = Port(0);
}

impl Machine for Panel {
    type Stimulus = PanelStimulus;
    type Event = PanelEvent;

    fn handle_input(&mut self, now: Now, input: Input<'_, PanelStimulus>) {
        let at = now.mono;
        match input {
            Input::PowerOn => self.on = true,
            Input::Stimulus(PanelStimulus(line)) => {
                let bytes = format!("{line}\n").into_bytes();
                self.out.push_back(Stamped { at, what: Output::Transmit { port: Self::LINE, bytes } });
            }
            Input::Received { bytes, .. } => {
                for byte in bytes {
                    if *byte != b'\n' {
                        self.held.push(*byte);
                    }
                    if *byte == b'\n' || self.held.len() >= LINE_MAX {
                        let line = String::from_utf8_lossy(&std::mem::take(&mut self.held)).into_owned();
                        self.out.push_back(Stamped { at, what: Output::Event(PanelEvent(line)) });
                    }
                }
            }
            _ => {}
        }
    }

    fn poll_output(&mut self) -> Option<Stamped<Output<PanelEvent>>> {
        self.out.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        None
    }

    fn digest(&self, _now: Instant, into: &mut Digest) {
        into.flag(self.on).bytes(&self.held);
    }
}

impl Board for Panel {
    fn cut(&mut self, _at: Instant, _torn: Torn) {
        self.on = false;
    }

    fn is_on(&self) -> bool {
        self.on
    }

    fn poll_step(&mut self) -> Option<StoreStep> {
        None
    }
}
