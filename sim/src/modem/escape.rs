//! The data line: what is passed on, and the `+++` that leaves it.

use crate::digest::Digest;
use crate::modem::config::ModuleConfig;
use crate::time::{Instant, Span};

/// A data line of one connection: bytes on their way, and how much of an escape has come.
///
/// Source: MDM-A7.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Escape {
    id: usize,
    send_len: usize,
    send_wait: Span,
    buffer: Vec<u8>,
    ready: Vec<Vec<u8>>,
    pluses: u8,
    last: Instant,
    escape_due: Option<Instant>,
    flush_due: Option<Instant>,
}

impl Escape {
    /// A data line that passes on `send_len` bytes at a time, or what has come after `send_wait` of silence.
    pub fn new(id: usize, send_len: usize, send_wait: Span, now: Instant) -> Self {
        Self {
            id,
            send_len: send_len.max(1),
            send_wait,
            buffer: Vec::new(),
            ready: Vec::new(),
            pluses: 0,
            last: now,
            escape_due: None,
            flush_due: None,
        }
    }

    /// The connection.
    pub fn id(&self) -> usize {
        self.id
    }

    /// How many bytes are passed on at a time.
    pub fn send_len(&self) -> usize {
        self.send_len
    }

    /// After how much silence the rest is passed on.
    pub fn send_wait(&self) -> Span {
        self.send_wait
    }

    /// Takes what the host sent.
    pub fn push(&mut self, bytes: &[u8], now: Instant, config: &ModuleConfig) {
        let quiet = now.since(self.last) >= config.guard_before;
        for (place, byte) in bytes.iter().enumerate() {
            let begins = self.pluses == 0 && place == 0 && quiet;
            if *byte == b'+' && self.pluses < 3 && (begins || self.pluses > 0) {
                self.pluses += 1;
                if begins {
                    self.escape_due = Some(now + config.escape_span);
                }
                if self.pluses == 3 {
                    self.escape_due = Some(now + config.guard_after);
                }
            } else {
                self.give_back();
                self.data(*byte);
            }
        }
        self.last = now;
        self.flush_due = (!self.buffer.is_empty()).then(|| now + self.send_wait);
    }

    /// Whether a whole escape stands; ask when [`Self::escape_due`] has come.
    pub fn is_escaped(&self) -> bool {
        self.pluses == 3
    }

    /// An escape was not finished in time: its characters are data, and old enough to be passed on.
    pub fn abandon(&mut self) {
        self.give_back();
        self.flush();
    }

    /// Makes ready what has come.
    pub fn flush(&mut self) {
        if !self.buffer.is_empty() {
            self.ready.push(std::mem::take(&mut self.buffer));
        }
        self.flush_due = None;
    }

    /// What is to be passed on now, piece by piece.
    pub fn take_ready(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.ready)
    }

    /// When the escape is whole, or none.
    pub fn escape_due(&self) -> Option<Instant> {
        self.escape_due
    }

    /// When the silence is long enough to pass on the rest.
    pub fn flush_due(&self) -> Option<Instant> {
        self.flush_due
    }

    /// Adds the state of the data line.
    pub fn digest(&self, into: &mut Digest) {
        into.word(self.id as u64).word(self.send_len as u64).word(self.send_wait.as_us());
        into.bytes(&self.buffer).word(self.pluses.into()).word(self.ready.len() as u64);
        for piece in &self.ready {
            into.bytes(piece);
        }
        into.age(self.last).deadline(self.escape_due).deadline(self.flush_due);
    }

    fn give_back(&mut self) {
        for _ in 0..std::mem::take(&mut self.pluses) {
            self.data(b'+');
        }
        self.escape_due = None;
    }

    fn data(&mut self, byte: u8) {
        self.buffer.push(byte);
        if self.buffer.len() >= self.send_len {
            self.flush();
        }
    }
}
