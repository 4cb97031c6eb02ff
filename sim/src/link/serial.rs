//! A UART line: bytes take time, one burst after the other; what power or noise takes is gone.

use serde::Deserialize;

use super::pending::{Item, Pending};
use super::{Arrival, Delivery, flip_bit};
use crate::digest::Digest;
use crate::fault::{Fate, Way};
use crate::time::{Instant, Span};

/// Speed and pacing of a line.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SerialConfig {
    /// Units: bits a second.
    pub baud: u32,
    /// Start, data, parity and stop bits of one byte.
    pub bits_a_byte: u32,
    /// Silence that the sender leaves between two bytes.
    pub byte_gap: Span,
    /// Silence that the sender leaves between two bursts.
    pub burst_gap: Span,
}

impl SerialConfig {
    /// How long this many bytes occupy the line.
    pub fn time(&self, bytes: usize) -> Span {
        let bits = bytes as u64 * u64::from(self.bits_a_byte);
        let gaps = (bytes as u64).saturating_sub(1);
        Span::us(bits * 1_000_000 / u64::from(self.baud.max(1))) + self.byte_gap * gaps
    }

    /// How many whole bytes a burst has put on the line after this long.
    fn bytes_after(&self, len: usize, elapsed: Span) -> usize {
        (0..=len).rev().find(|bytes| self.time(*bytes) <= elapsed).unwrap_or(0)
    }
}

/// A serial line.
#[derive(Clone, Debug)]
pub struct Serial {
    config: SerialConfig,
    pub(super) pending: Pending,
    free_at: [Instant; 2],
    /// When the last byte given so far has left, each way.
    sent_at: [Instant; 2],
    /// Bursts that wait to be joined to the next one, and until when.
    joining: [Option<(Instant, Vec<u8>)>; 2],
    down_until: Instant,
}

impl Serial {
    /// An idle line.
    pub fn new(config: SerialConfig) -> Self {
        Self {
            config,
            pending: Pending::default(),
            free_at: [Instant::ZERO; 2],
            sent_at: [Instant::ZERO; 2],
            joining: [None, None],
            down_until: Instant::ZERO,
        }
    }

    /// When the sender at the near end of `way` can begin its next burst.
    pub fn free_at(&self, way: Way) -> Instant {
        self.free_at[way.index()]
    }

    /// When the last byte that the sender at the near end of `way` was given has left it.
    pub fn sent_at(&self, way: Way) -> Instant {
        self.sent_at[way.index()]
    }

    pub(super) fn handle_bytes(&mut self, now: Instant, way: Way, bytes: Vec<u8>, fate: Option<&Fate>) {
        if bytes.is_empty() {
            return;
        }
        let index = way.index();
        let start = now.max(self.free_at[index]);
        let mut sent_end = start + self.config.time(bytes.len());
        if let Some(Fate::Split { gap, .. }) = fate {
            sent_end += *gap;
        }
        self.sent_at[index] = sent_end;
        self.free_at[index] = sent_end + self.config.burst_gap;
        if start < self.down_until {
            return;
        }
        let (head, bytes) = self.with_joined(way, start, bytes);
        match fate {
            None => self.deliver(start, head, sent_end, way, bytes),
            Some(Fate::Join { within }) => {
                // The receiver's interrupt is late: it finds this burst together with the next, or alone in the end.
                let until = sent_end + *within;
                self.deliver(start, head, until, way, bytes.clone());
                self.joining[index] = Some((until, bytes));
            }
            Some(Fate::Split { at, gap }) => {
                let at = head.saturating_add(usize::try_from(*at).unwrap_or(usize::MAX)).min(bytes.len());
                let mut first = bytes;
                let tail = first.split_off(at);
                let first_end = start + self.config.time(first.len() - head);
                self.deliver(start, head, first_end, way, first);
                self.deliver(first_end + *gap, 0, sent_end, way, tail);
            }
            Some(fate) => {
                let mut bytes = bytes;
                let tail = spoiled(fate, bytes.split_off(head));
                bytes.extend_from_slice(&tail);
                self.deliver(start, head, sent_end, way, bytes);
            }
        }
    }

    /// The burst behind the one that waits for it, and how long that one is.
    fn with_joined(&mut self, way: Way, start: Instant, bytes: Vec<u8>) -> (usize, Vec<u8>) {
        match self.joining[way.index()].take() {
            Some((until, mut held)) if start < until => {
                self.pending.retain(|Item { delivery, .. }| {
                    delivery.way != way
                        || delivery.at != until
                        || !matches!(&delivery.what, Arrival::Bytes(bytes) if *bytes == held)
                });
                let head = held.len();
                held.extend_from_slice(&bytes);
                (head, held)
            }
            _ => (0, bytes),
        }
    }

    fn deliver(&mut self, start: Instant, head: usize, at: Instant, way: Way, bytes: Vec<u8>) {
        if !bytes.is_empty() {
            let delivery = Delivery { at, way, conn: 0, what: Arrival::Bytes(bytes) };
            self.pending.put(Item { start, head, delivery, origin: self.pending.origin });
        }
    }

    /// What is being sent this way ends now, and what was to follow before `until` is lost.
    fn break_off(&mut self, now: Instant, way: Way, until: Option<Instant>) {
        for mut item in self.pending.take_way(way) {
            if item.start >= now {
                if until.is_some_and(|until| item.start >= until) {
                    self.pending.put(item);
                }
                continue;
            }
            let Arrival::Bytes(bytes) = &mut item.delivery.what else { continue };
            let sent = item.head
                + self.config.bytes_after(bytes.len().saturating_sub(item.head), now.since(item.start));
            if sent < bytes.len() {
                bytes.truncate(sent);
                item.delivery.at = now;
            }
            if !bytes.is_empty() {
                self.pending.put(item);
            }
        }
    }

    /// A burst that power overtakes arrives as far as it had got. What the dead end should hear its bench drops.
    pub(super) fn handle_end_lost(&mut self, now: Instant, way: Way) {
        self.joining[way.index()] = None;
        self.break_off(now, way, None);
        self.free_at[way.index()] = now;
        self.sent_at[way.index()] = now;
    }

    /// An end that comes back in the middle of a burst makes nothing of it; those that begin later it hears.
    pub(super) fn handle_end_back(&mut self, now: Instant, way: Way) {
        self.joining[way.back().index()] = None;
        self.pending.retain(|item| item.delivery.way == way || item.start >= now);
    }

    pub(super) fn handle_outage(&mut self, now: Instant, span: Span) {
        self.down_until = self.down_until.max(now + span);
        self.joining = [None, None];
        for way in Way::BOTH {
            self.break_off(now, way, Some(self.down_until));
        }
    }

    pub(super) fn digest(&self, into: &mut Digest) {
        self.pending.digest(into);
        for way in 0..2 {
            into.instant(self.free_at[way]).instant(self.sent_at[way]);
            match &self.joining[way] {
                Some((until, bytes)) => into.flag(true).instant(*until).bytes(bytes),
                None => into.flag(false),
            };
        }
        into.instant(self.down_until);
    }
}

fn spoiled(fate: &Fate, mut bytes: Vec<u8>) -> Vec<u8> {
    let place = |at: u32, len: usize| usize::try_from(at).unwrap_or(usize::MAX).min(len);
    match fate {
        Fate::FlipBit { bit } => flip_bit(&mut bytes, *bit),
        Fate::LoseByte { at } => {
            let at = place(*at, bytes.len());
            if at < bytes.len() {
                bytes.remove(at);
            }
        }
        Fate::JunkByte { at, value } => bytes.insert(place(*at, bytes.len()), *value),
        Fate::Break { at } => {
            bytes.truncate(place(*at, bytes.len()));
            bytes.push(0);
        }
        Fate::Overrun { from } => bytes.truncate(place(*from, bytes.len())),
        _ => {}
    }
    bytes
}

#[cfg(test)]
#[path = "serial_tests.rs"]
mod tests;
