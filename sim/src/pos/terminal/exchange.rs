//! A message and what is waited for behind it.

use super::config::TerminalTimes;
use super::policy::Sends;
use crate::digest::Digest;
use crate::time::Instant;

/// How far a message has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Sent; `001` is waited for.
    Sent(Instant),
    /// `001` has come; the answer is waited for.
    Acknowledged(Instant),
    /// Until the next round.
    Resting(Instant),
}

/// A message under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Exchange {
    /// Its sequence number.
    pub(super) seq: u32,
    /// The datagram.
    pub(super) bytes: Vec<u8>,
    /// How often it was sent in this round.
    pub(super) sends: u8,
    /// When this round began.
    pub(super) round: Instant,
    /// How far it has come.
    pub(super) phase: Phase,
}

impl Exchange {
    /// A message that waits for its first round until `at`.
    pub(super) fn resting(seq: u32, bytes: Vec<u8>, at: Instant) -> Self {
        Self { seq, bytes, sends: 0, round: at, phase: Phase::Resting(at) }
    }

    /// When something follows if nothing comes.
    pub(super) const fn due(&self) -> Instant {
        match self.phase {
            Phase::Sent(at) | Phase::Acknowledged(at) | Phase::Resting(at) => at,
        }
    }

    /// Whether `001` is waited for.
    pub(super) const fn is_sent(&self) -> bool {
        matches!(self.phase, Phase::Sent(_))
    }

    /// Whether the round allows another send.
    pub(super) fn may_send(&self, sends: Sends, times: &TerminalTimes) -> bool {
        match sends {
            Sends::AsProfile => self.sends < times.sends_max,
            Sends::Once => self.sends < 1,
            Sends::ForEver => true,
        }
    }

    /// It leaves, for the first time or again.
    pub(super) fn sent(&mut self, at: Instant, times: &TerminalTimes) {
        if !self.is_sent() {
            self.sends = 0;
            self.round = at;
        }
        self.sends = self.sends.saturating_add(1);
        self.phase = Phase::Sent(at + times.ack_timeout);
    }

    /// Nothing more comes in this round; the next begins a round's length after this one did.
    pub(super) fn rest(&mut self, at: Instant, times: &TerminalTimes) {
        self.phase = Phase::Resting((self.round + times.round).max(at));
    }

    pub(super) fn digest(&self, into: &mut Digest) {
        let phase = match self.phase {
            Phase::Sent(_) => 0,
            Phase::Acknowledged(_) => 1,
            Phase::Resting(_) => 2,
        };
        into.word(u64::from(self.seq)).bytes(&self.bytes).word(u64::from(self.sends));
        into.age(self.round).word(phase).instant(self.due());
    }
}
