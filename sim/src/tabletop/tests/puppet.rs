//! A party that notes what happens to it and does as it is told.

use std::collections::VecDeque;

use crate::machine::{Input, Output, Port, Stamped, StoreStep};
use crate::time::{Instant, Span};

use super::toy::{Cue, Note};

/// What any party has on its way out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Out {
    pub(crate) outputs: VecDeque<Stamped<Output<Note>>>,
    pub(crate) steps: VecDeque<StoreStep>,
}

impl Out {
    pub(crate) fn put(&mut self, at: Instant, what: Output<Note>) {
        let place = self.outputs.iter().rposition(|other| other.at <= at).map_or(0, |place| place + 1);
        self.outputs.insert(place, Stamped { at, what });
    }

    pub(crate) fn step(&mut self, at: Instant, kind: &'static str, address: u16) {
        self.steps.push_back(StoreStep { at, kind, address });
    }
}

/// Notes what happens to it and does as it is told.
#[derive(Clone, Debug, Default)]
pub(crate) struct Puppet {
    pub(crate) on: bool,
    pub(crate) out: Out,
    pub(crate) busy_until: Instant,
    pub(crate) work: Span,
    pub(crate) timer: Option<Instant>,
    pub(crate) answer: &'static [u8],
    /// What it says, and tries to send, as its power goes.
    last: Option<(&'static str, &'static [u8])>,
    /// How often its power was cut.
    pub(crate) cuts: u32,
}

impl Puppet {
    pub(crate) fn handle(&mut self, at: Instant, input: Input<'_, Cue>) {
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

    pub(crate) fn cut(&mut self, at: Instant) {
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
