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
    /// When the negative answers that still count were sent.
    negatives: VecDeque<Instant>,
}

impl TerminalPeer {
    /// Whether one more negative answer is within the bound; if so it is counted.
    pub(super) fn may_answer_negative(&mut self, now: Instant, max: usize, window: Span) -> bool {
        while self.negatives.front().is_some_and(|sent| *sent + window <= now) {
            self.negatives.pop_front();
        }
        let within = self.negatives.len() < max;
        if within {
            self.negatives.push_back(now);
        }
        within
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
                into.flag(false);
            }
            Peer::Payments(lines) => {
                into.flag(false).bytes(lines.held());
            }
        }
    }
}
