//! A UART line: bytes take time, one burst after the other; what power or noise takes is gone.

use serde::Deserialize;

use super::pending::Pending;
use super::{Arrival, Delivery, cut_at, flip_bit};
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
            joining: [None, None],
            down_until: Instant::ZERO,
        }
    }

    /// When the sender at the near end of `way` is done with all that it was given.
    pub fn free_at(&self, way: Way) -> Instant {
        self.free_at[way.index()]
    }

    pub(super) fn handle_bytes(&mut self, now: Instant, way: Way, bytes: Vec<u8>, fate: Option<&Fate>) {
        let index = way.index();
        let start = now.max(self.free_at[index]);
        let sent_end = start + self.config.time(bytes.len());
        self.free_at[index] = sent_end + self.config.burst_gap;
        if start < self.down_until || bytes.is_empty() {
            return;
        }
        let bytes = self.with_joined(way, start, bytes);
        match fate {
            None => self.deliver(start, sent_end, way, bytes),
            Some(Fate::Join { within }) => {
                // The receiver's interrupt is late: it finds this burst together with the next, or alone in the end.
                let until = sent_end + *within;
                self.deliver(start, until, way, bytes.clone());
                self.joining[index] = Some((until, bytes));
            }
            Some(Fate::Split { at, gap }) => {
                let (head, tail) = cut_at(bytes, *at);
                let head_end = start + self.config.time(head.len());
                let tail_end = sent_end + *gap;
                self.free_at[index] = tail_end + self.config.burst_gap;
                self.deliver(start, head_end, way, head);
                self.deliver(head_end + *gap, tail_end, way, tail);
            }
            Some(fate) => self.deliver(start, sent_end, way, spoiled(fate, bytes)),
        }
    }

    fn with_joined(&mut self, way: Way, start: Instant, bytes: Vec<u8>) -> Vec<u8> {
        match self.joining[way.index()].take() {
            Some((until, mut held)) if start < until => {
                self.pending.retain(|delivery| {
                    delivery.way != way
                        || delivery.what != Arrival::Bytes(held.clone())
                        || delivery.at != until
                });
                held.extend_from_slice(&bytes);
                held
            }
            _ => bytes,
        }
    }

    fn deliver(&mut self, start: Instant, at: Instant, way: Way, bytes: Vec<u8>) {
        if !bytes.is_empty() {
            self.pending.push(start, Delivery { at, way, conn: 0, what: Arrival::Bytes(bytes) });
        }
    }

    /// A burst that power overtakes arrives as far as it had got.
    pub(super) fn handle_end_lost(&mut self, now: Instant, way: Way) {
        self.joining = [None, None];
        for (start, mut delivery) in self.pending.take_way(way) {
            if start >= now {
                continue;
            }
            if let Arrival::Bytes(bytes) = &mut delivery.what {
                bytes.truncate(self.config.bytes_after(bytes.len(), now.since(start)));
                if !bytes.is_empty() {
                    delivery.at = delivery.at.min(now);
                    self.pending.push(start, delivery);
                }
            }
        }
        // What was on its way to the dead end reaches nobody.
        self.pending.take_way(way.back());
        self.free_at[way.index()] = now;
    }

    pub(super) fn handle_outage(&mut self, now: Instant, span: Span) {
        self.down_until = self.down_until.max(now + span);
        self.pending.retain(|_| false);
    }

    pub(super) fn digest(&self, into: &mut Digest) {
        self.pending.digest(into);
        into.instant(self.free_at[0]).instant(self.free_at[1]).instant(self.down_until);
        for joining in &self.joining {
            into.bytes(joining.as_ref().map_or(&[][..], |(_, bytes)| bytes));
        }
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
mod tests {
    use super::*;

    fn line() -> Serial {
        Serial::new(SerialConfig {
            baud: 10_000,
            bits_a_byte: 10,
            byte_gap: Span::ZERO,
            burst_gap: Span::ZERO,
        })
    }

    fn arrivals(line: &mut Serial, until: Instant) -> Vec<(u64, Vec<u8>)> {
        let mut all = Vec::new();
        while let Some(Delivery { at, what: Arrival::Bytes(bytes), .. }) = line.pending.poll(until) {
            all.push((at.as_us(), bytes));
        }
        all
    }

    const LATE: Instant = Instant::from_us(1_000_000);

    #[test]
    fn bursts_follow_one_another_at_the_speed_of_the_line() {
        let mut line = line();
        line.handle_bytes(Instant::from_us(500), Way::AtoB, vec![1, 2], None);
        line.handle_bytes(Instant::from_us(500), Way::AtoB, vec![3], None);
        line.handle_bytes(Instant::from_us(500), Way::BtoA, vec![4], None);
        assert_eq!(arrivals(&mut line, Instant::from_us(1_499)), vec![]);
        assert_eq!(arrivals(&mut line, LATE), vec![(1_500, vec![4]), (2_500, vec![1, 2]), (3_500, vec![3])]);
    }

    #[test]
    fn each_fate_does_what_its_name_says() {
        let sent = vec![0x10, 0x20, 0x30];
        for (fate, arrived) in [
            (Fate::FlipBit { bit: 8 }, vec![(3_000, vec![0x10, 0xA0, 0x30])]),
            (Fate::LoseByte { at: 1 }, vec![(3_000, vec![0x10, 0x30])]),
            (Fate::JunkByte { at: 3, value: 7 }, vec![(3_000, vec![0x10, 0x20, 0x30, 7])]),
            (Fate::Break { at: 1 }, vec![(3_000, vec![0x10, 0])]),
            (Fate::Overrun { from: 2 }, vec![(3_000, vec![0x10, 0x20])]),
            (Fate::Overrun { from: 0 }, vec![]),
            (Fate::Split { at: 1, gap: Span::ms(5) }, vec![(1_000, vec![0x10]), (8_000, vec![0x20, 0x30])]),
            (Fate::Join { within: Span::ms(5) }, vec![(8_000, vec![0x10, 0x20, 0x30])]),
        ] {
            let mut line = line();
            line.handle_bytes(Instant::ZERO, Way::AtoB, sent.clone(), Some(&fate));
            assert_eq!(arrivals(&mut line, LATE), arrived, "{fate}");
        }
    }

    #[test]
    fn a_joined_burst_arrives_once_with_its_successor() {
        let mut line = line();
        line.handle_bytes(Instant::ZERO, Way::AtoB, vec![1], Some(&Fate::Join { within: Span::ms(5) }));
        line.handle_bytes(Instant::from_us(2_000), Way::AtoB, vec![2], None);
        assert_eq!(arrivals(&mut line, LATE), vec![(3_000, vec![1, 2])]);
    }

    #[test]
    fn power_lost_in_a_burst_leaves_its_whole_bytes() {
        for (cut_us, arrived) in
            [(999, vec![]), (1_000, vec![(1_000, vec![1])]), (2_999, vec![(2_999, vec![1, 2])])]
        {
            let mut line = line();
            line.handle_bytes(Instant::ZERO, Way::AtoB, vec![1, 2, 3], None);
            line.handle_bytes(Instant::ZERO, Way::AtoB, vec![4], None);
            line.handle_end_lost(Instant::from_us(cut_us), Way::AtoB);
            assert_eq!(arrivals(&mut line, LATE), arrived);
        }
    }
}
