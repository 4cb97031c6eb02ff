//! A party that notes what happens to it and does as it is told.

use std::collections::VecDeque;

use crate::machine::{Input, Output, Port, Stamped, StoreStep};
use crate::time::{Instant, Span};

use super::toy::{Cue, Note};

/// What any party has on its way out.
#[derive(Clone, Debug, Default)]
pub(super) struct Out {
    pub(super) outputs: VecDeque<Stamped<Output<Note>>>,
    pub(super) steps: VecDeque<StoreStep>,
}

impl Out {
    pub(super) fn put(&mut self, at: Instant, what: Output<Note>) {
        let place = self.outputs.iter().rposition(|other| other.at <= at).map_or(0, |place| place + 1);
        self.outputs.insert(place, Stamped { at, what });
    }

    pub(super) fn step(&mut self, at: Instant, kind: &'static str, address: u16) {
        self.steps.push_back(StoreStep { at, kind, address });
    }
}

/// Notes what happens to it and does as it is told.
#[derive(Clone, Debug, Default)]
pub(super) struct Puppet {
    pub(super) on: bool,
    pub(super) out: Out,
    pub(super) busy_until: Instant,
    pub(super) work: Span,
    pub(super) timer: Option<Instant>,
    pub(super) answer: &'static [u8],
    /// What it says, and tries to send, as its power goes.
    last: Option<(&'static str, &'static [u8])>,
    /// How often its power was cut.
    pub(super) cuts: u32,
}

impl Puppet {
    pub(super) fn handle(&mut self, at: Instant, input: Input<'_, Cue>) {
        let text = match input {
            Input::PowerOn => {
                self.on = true;
                "on".to_owned()
            }
            Input::Deadline => {
                self.timer = None;
                "deadline".to_owned()
            }
            Input::Received { port, bytes } => format!("got {} {}", port.0, bytes.escape_ascii()),
            Input::Opened { port, from } => {
                format!("open {}{}", port.0, if from.is_some() { " from outside" } else { "" })
            }
            Input::Closed { port, why } => format!("closed {} {why:?}", port.0),
            Input::Acked { port, len } => format!("acked {} {len}", port.0),
            Input::Level { port, high } => format!("level {} {high}", port.0),
            Input::Stimulus(cue) => return self.obey(at, cue),
        };
        self.out.put(at, Output::Event(Note(text)));
        if let (Input::Received { port, .. }, false) = (input, self.answer.is_empty()) {
            self.out.put(at, Output::Transmit { port, bytes: self.answer.to_vec() });
        }
        if self.work > Span::ZERO {
            self.busy_until = at + self.work;
        }
    }

    pub(super) fn cut(&mut self, at: Instant) {
        let last = self.last;
        *self = Self { cuts: self.cuts + 1, ..Self::default() };
        if let Some((text, bytes)) = last {
            self.out.put(at, Output::Event(Note(text.to_owned())));
            self.out.put(at, Output::Transmit { port: Port(9), bytes: bytes.to_vec() });
        }
    }

    fn obey(&mut self, at: Instant, cue: Cue) {
        match cue {
            Cue::Do(after, what) => {
                // Stamps never go back, so who puts something off is busy until then.
                self.busy_until = self.busy_until.max(at + Span::us(after));
                self.out.put(at + Span::us(after), what);
            }
            Cue::Busy(span, true) => self.busy_until = at + Span::us(span),
            Cue::Busy(span, false) => self.work = Span::us(span),
            Cue::Timer(after) => self.timer = Some(at + Span::us(after)),
            Cue::Answer(bytes) => self.answer = bytes,
            Cue::Last(text, bytes) => self.last = Some((text, bytes)),
            Cue::Store(after, kind, address) => self.out.step(at + Span::us(after), kind, address),
        }
    }
}
