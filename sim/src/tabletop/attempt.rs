//! A copy of a party that is tried out: what it would do if its inputs came in another order.

use std::collections::BTreeMap;

use super::Family;
use super::seat::Given;
use crate::machine::{Board, Input, Machine, Output, Torn};
use crate::tape::Fingerprint;
use crate::time::{Instant, Now};

/// How many deadlines a copy is led on through at most.
const DEADLINES_MAX: usize = 256;

/// What is done to a copy.
#[derive(Clone)]
pub(super) enum Tried<S> {
    Input(Given<S>),
    Deadline,
    Cut,
}

/// A copy, and what it has done so far.
pub(super) struct Attempt<F: Family> {
    board: F::Party,
    at: Instant,
    /// By port, and apart from them what it says of itself: bytes without their chunks and times.
    done: BTreeMap<Option<u16>, Vec<u8>>,
}

impl<F: Family> Attempt<F> {
    pub(super) fn new(board: F::Party) -> Self {
        Self { board, at: Instant::ZERO, done: BTreeMap::new() }
    }

    /// Does something to the copy, when it is no longer busy. Without power it hears nothing.
    pub(super) fn does(mut self, what: &Tried<F::Stimulus>, mut now: Now) -> Self {
        now.mono = now.mono.max(self.board.busy_until().unwrap_or(Instant::ZERO)).max(self.at);
        self.at = now.mono;
        match what {
            Tried::Cut => self.board.cut(now.mono, Torn::Old),
            Tried::Input(Given::PowerOn) => self.board.handle_input(now, Input::PowerOn),
            _ if !self.board.is_on() => {}
            Tried::Deadline => self.board.handle_input(now, Input::Deadline),
            Tried::Input(given) => given.clone().give_to(now, &mut self.board),
        }
        while self.board.poll_step().is_some() {}
        while let Some(output) = self.board.poll_output() {
            self.note(output.what);
        }
        self
    }

    /// Leads the copy on through its deadlines up to a time.
    pub(super) fn leads_on(mut self, until: Instant, clocks: &dyn Fn(Instant) -> Now) -> Self {
        for _ in 0..DEADLINES_MAX {
            let Some(at) = self.board.poll_timeout().filter(|at| *at <= until) else { break };
            self = self.does(&Tried::Deadline, clocks(at));
        }
        self
    }

    /// What it has done so far.
    pub(super) const fn done(&self) -> &BTreeMap<Option<u16>, Vec<u8>> {
        &self.done
    }

    fn note(&mut self, output: Output<F::Event>) {
        let (port, bytes) = match output {
            Output::Transmit { port, bytes } => (Some(port.0), bytes),
            Output::Open { port, .. } => (Some(port.0), b"(open)".to_vec()),
            Output::Close { port, .. } => (Some(port.0), b"(close)".to_vec()),
            Output::Level { port, high } => (Some(port.0), vec![u8::from(high)]),
            Output::Event(event) => {
                let mut bytes = Vec::new();
                event.fingerprint(&mut |part| bytes.extend_from_slice(part));
                (None, bytes)
            }
        };
        self.done.entry(port).or_default().extend_from_slice(&bytes);
    }
}
