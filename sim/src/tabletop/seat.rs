//! A party in its seat, with what waits to leave it and what waits to reach it.

use std::collections::VecDeque;
use std::net::SocketAddrV4;

use super::Family;
use crate::digest::Digest;
use crate::fault::Way;
use crate::machine::{Closing, Input, Machine, Output, Port, Stamped};
use crate::time::{Instant, Now, Wall};

/// An input that owns its bytes, so that it can wait.
#[derive(Clone, Debug)]
pub(super) enum Given<S> {
    PowerOn,
    Received { port: Port, bytes: Vec<u8> },
    Opened { port: Port, from: Option<SocketAddrV4> },
    Closed { port: Port, why: Closing },
    Acked { port: Port, len: usize },
    Level { port: Port, high: bool },
    Stimulus(S),
}

impl<S> Given<S> {
    fn into_input(self, bytes_of: &mut Vec<u8>) -> Input<'_, S> {
        match self {
            Self::PowerOn => Input::PowerOn,
            Self::Received { port, bytes } => {
                *bytes_of = bytes;
                Input::Received { port, bytes: bytes_of }
            }
            Self::Opened { port, from } => Input::Opened { port, from },
            Self::Closed { port, why } => Input::Closed { port, why },
            Self::Acked { port, len } => Input::Acked { port, len },
            Self::Level { port, high } => Input::Level { port, high },
            Self::Stimulus(stimulus) => Input::Stimulus(stimulus),
        }
    }
}

/// Where a port leads.
#[derive(Clone, Copy, Debug)]
pub(super) struct Route {
    pub(super) first: u16,
    pub(super) count: u16,
    pub(super) line: usize,
    pub(super) way: Way,
}

#[derive(Clone)]
pub(super) struct Seat<F: Family> {
    pub(super) name: String,
    pub(super) board: F::Party,
    pub(super) routes: Vec<Route>,
    pub(super) outbox: VecDeque<Stamped<Output<F::Event>>>,
    pub(super) inbox: VecDeque<Given<F::Stimulus>>,
    /// How many supplies that feed it are cut.
    pub(super) unpowered: u32,
    pub(super) hung_until: Instant,
    /// How far its calendar clock has been stepped.
    pub(super) wall_step_us: i64,
}

impl<F: Family> Seat<F> {
    pub(super) fn new(name: String, board: F::Party) -> Self {
        Self {
            name,
            board,
            routes: Vec::new(),
            outbox: VecDeque::new(),
            inbox: VecDeque::new(),
            unpowered: 0,
            hung_until: Instant::ZERO,
            wall_step_us: 0,
        }
    }

    pub(super) fn route(&self, port: Port) -> Option<Route> {
        self.routes
            .iter()
            .copied()
            .find(|route| (route.first..route.first.saturating_add(route.count)).contains(&port.0))
    }

    pub(super) fn clocks(&self, mono: Instant, epoch: Wall) -> Now {
        let since = i64::try_from(mono.as_us()).unwrap_or(i64::MAX);
        Now { mono, wall: epoch.stepped(since).stepped(self.wall_step_us) }
    }

    /// Until when input has to wait.
    pub(super) fn busy_until(&self, now: Instant) -> Option<Instant> {
        let busy = self.board.busy_until().unwrap_or(Instant::ZERO).max(self.hung_until);
        (busy > now).then_some(busy)
    }

    pub(super) fn next_at(&self, now: Instant) -> Option<Instant> {
        if self.unpowered > 0 {
            return None;
        }
        let leaves = self.outbox.front().map(|output| output.at.max(self.hung_until));
        let busy = self.busy_until(now);
        let wakes = if self.inbox.is_empty() {
            self.board.poll_timeout().map(|at| busy.map_or(at, |busy| busy.max(at)))
        } else {
            Some(busy.unwrap_or(now))
        };
        [leaves, wakes].into_iter().flatten().min()
    }

    pub(super) fn handle(&mut self, now: Now, given: Given<F::Stimulus>) {
        let mut bytes = Vec::new();
        self.board.handle_input(now, given.into_input(&mut bytes));
    }

    pub(super) fn digest(&self, now: Instant, into: &mut Digest) {
        self.board.digest(now, into);
        into.word(u64::from(self.unpowered)).instant(self.hung_until);
        into.word(self.wall_step_us.cast_unsigned());
        into.word(self.outbox.len() as u64).word(self.inbox.len() as u64);
        for output in &self.outbox {
            into.instant(output.at);
            if let Output::Transmit { port, bytes } = &output.what {
                into.word(u64::from(port.0)).bytes(bytes);
            }
        }
        for given in &self.inbox {
            if let Given::Received { port, bytes } = given {
                into.word(u64::from(port.0)).bytes(bytes);
            }
        }
    }
}
