//! The server's end of one connection.

use std::collections::VecDeque;

use crate::digest::Digest;
use crate::time::{Instant, Span};
use crate::water::frame::FrameStream;
use crate::wire::Assembler;

/// Who is at the other end, and what is known of the conversation.
#[derive(Clone, Debug)]
pub(super) enum Peer {
    Terminal(TerminalPeer),
    Payments(Assembler),
}

/// The conversation with a terminal.
#[derive(Clone, Debug, Default)]
pub(super) struct TerminalPeer {
    pub(super) stream: FrameStream,
    /// The last positive answer, for as long as no other request came.
    pub(super) last_answer: Option<Vec<u8>>,
    /// When the negative answers that still count left.
    negatives: VecDeque<Instant>,
    /// How many more wait to leave.
    negatives_waiting: usize,
}

impl TerminalPeer {
    /// Whether one more negative answer is within the bound; if so it waits to leave.
    ///
    /// Why it counts from when it leaves: that may be much later on a server that is held up.
    pub(super) fn may_answer_negative(&mut self, now: Instant, max: usize, window: Span) -> bool {
        while self.negatives.front().is_some_and(|left| *left + window <= now) {
            self.negatives.pop_front();
        }
        let within = self.negatives.len() + self.negatives_waiting < max;
        self.negatives_waiting += usize::from(within);
        within
    }

    /// A negative answer leaves.
    pub(super) fn negative_left(&mut self, now: Instant) {
        if self.negatives_waiting > 0 {
            self.negatives_waiting -= 1;
            self.negatives.push_back(now);
        }
    }
}

/// One connection.
#[derive(Clone, Debug)]
pub(super) struct Connection {
    pub(super) peer: Peer,
    /// When anything was last heard.
    pub(super) heard_at: Instant,
    /// How many answers wait.
    pub(super) waiting: usize,
    /// When the last answer that waits leaves: no later one overtakes it.
    pub(super) busy_until: Instant,
}

impl Connection {
    pub(super) const fn new(peer: Peer, now: Instant) -> Self {
        Self { peer, heard_at: now, waiting: 0, busy_until: Instant::ZERO }
    }

    /// When an incomplete frame is given up.
    pub(super) fn gap_at(&self) -> Option<Instant> {
        match &self.peer {
            Peer::Terminal(terminal) => terminal.stream.deadline(),
            Peer::Payments(_) => None,
        }
    }

    /// Adds the state as far as it can still matter; `window` is how long a negative answer counts.
    pub(super) fn digest(&self, now: Instant, window: Span, into: &mut Digest) {
        into.word(self.waiting as u64).instant(self.busy_until);
        match &self.peer {
            Peer::Terminal(terminal) => {
                terminal.stream.digest(into.flag(true));
                into.flag(terminal.last_answer.is_some())
                    .bytes(terminal.last_answer.as_deref().unwrap_or_default());
                for sent in terminal.negatives.iter().filter(|sent| **sent + window > now) {
                    into.flag(true).age(*sent);
                }
                into.flag(false).word(terminal.negatives_waiting as u64);
            }
            Peer::Payments(lines) => {
                into.flag(false).bytes(lines.held());
            }
        }
    }
}
