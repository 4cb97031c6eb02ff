//! A party in its seat, with what waits to leave it and what waits to reach it.

use std::collections::VecDeque;
use std::net::SocketAddrV4;

use super::Family;
use super::routes::Routes;
use crate::digest::Digest;
use crate::machine::{Board, Closing, Input, Machine, Output, Port, Stamped, StoreStep, Torn};
use crate::tape::Fingerprint;
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
    /// Whether it is lost on a party whose buffer is full. A stack's and a pin's state is not: it is still there when
    /// the party comes to look.
    pub(super) fn overruns(&self) -> bool {
        matches!(self, Self::Received { .. } | Self::Stimulus(_))
    }

    fn digest(&self, into: &mut Digest) {
        match self {
            Self::PowerOn => into.word(0),
            Self::Received { port, bytes } => into.word(1).word(u64::from(port.0)).bytes(bytes),
            Self::Opened { port, .. } => into.word(2).word(u64::from(port.0)),
            Self::Closed { port, why } => into.word(3).word(u64::from(port.0)).word(*why as u64),
            Self::Acked { port, len } => into.word(4).word(u64::from(port.0)).word(*len as u64),
            Self::Level { port, high } => into.word(5).word(u64::from(port.0)).flag(*high),
            Self::Stimulus(_) => into.word(6),
        };
    }

    /// Has a party take it.
    pub(super) fn give_to<B: Board<Stimulus = S>>(self, now: Now, board: &mut B) {
        let mut bytes = Vec::new();
        board.handle_input(now, self.into_input(&mut bytes));
    }

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

#[derive(Clone)]
pub(super) struct Seat<F: Family> {
    pub(super) name: String,
    pub(super) board: F::Party,
    pub(super) routes: Routes,
    pub(super) outbox: VecDeque<Stamped<Output<F::Event>>>,
    /// What waits to reach it, and since when.
    pub(super) inbox: VecDeque<(Instant, Given<F::Stimulus>)>,
    /// Steps of its storage that it is ahead of.
    pub(super) steps: VecDeque<StoreStep>,
    /// Whether somebody wants to know of such a step when it happens; otherwise it is early enough to count it later.
    pub(super) watched: bool,
    /// The deadline whose site has been counted, while the party has yet to meet it.
    pub(super) timer_seen: Option<Instant>,
    /// For how many reasons it is without power: supplies that are cut, crashes, and that nobody has switched it on.
    pub(super) unpowered: u32,
    pub(super) hung_until: Instant,
    /// What became of writes that were under way when its power went last.
    pub(super) torn: Torn,
    /// How far its calendar clock has been stepped.
    pub(super) wall_step_us: i64,
}

impl<F: Family> Seat<F> {
    pub(super) fn new(name: String, board: F::Party) -> Self {
        Self {
            name,
            board,
            routes: Routes::default(),
            outbox: VecDeque::new(),
            inbox: VecDeque::new(),
            steps: VecDeque::new(),
            watched: false,
            timer_seen: None,
            unpowered: 1,
            hung_until: Instant::ZERO,
            torn: Torn::default(),
            wall_step_us: 0,
        }
    }

    /// Whether there is power.
    pub(super) fn is_on(&self) -> bool {
        self.unpowered == 0
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
        if !self.is_on() {
            return None;
        }
        let stores = self.steps.front().filter(|_| self.watched).map(|step| step.at);
        let leaves = self.outbox.front().map(|output| output.at.max(self.hung_until));
        let busy = self.busy_until(now);
        let wakes = if self.inbox.is_empty() {
            self.board.poll_timeout().map(|at| busy.map_or(at, |busy| busy.max(at)))
        } else {
            Some(busy.unwrap_or(now))
        };
        [stores, leaves, wakes].into_iter().flatten().min()
    }

    pub(super) fn handle(&mut self, now: Now, given: Given<F::Stimulus>) {
        given.give_to(now, &mut self.board);
    }

    pub(super) fn digest(&self, now: Instant, into: &mut Digest) {
        self.board.digest(now, into);
        into.word(u64::from(self.unpowered)).instant(self.hung_until).deadline(self.timer_seen);
        into.word(self.wall_step_us.cast_unsigned());
        into.word(self.steps.len() as u64).word(self.outbox.len() as u64).word(self.inbox.len() as u64);
        for StoreStep { at, kind, address } in &self.steps {
            into.instant(*at).text(kind).word(u64::from(*address));
        }
        for output in &self.outbox {
            into.instant(output.at);
            match &output.what {
                Output::Transmit { port, bytes } => into.word(0).word(u64::from(port.0)).bytes(bytes),
                Output::Open { port, to } => {
                    let address = u64::from(u32::from(*to.ip())) << 16 | u64::from(to.port());
                    into.word(1).word(u64::from(port.0)).word(address)
                }
                Output::Close { port, how } => into.word(2).word(u64::from(port.0)).word(*how as u64),
                Output::Level { port, high } => into.word(3).word(u64::from(port.0)).flag(*high),
                Output::Event(event) => {
                    event.fingerprint(&mut |bytes| {
                        into.bytes(bytes);
                    });
                    into.word(4)
                }
            };
        }
        for (since, given) in &self.inbox {
            into.age(*since);
            given.digest(into);
        }
    }
}
