//! Card and antenna: the field one way, bursts of gaps one way, edges the other. What removal overtakes arrives as
//! far as it had got.

use super::pending::Pending;
use super::{Arrival, Delivery};
use crate::digest::Digest;
use crate::fault::{Fate, Way};
use crate::time::{Instant, Span};

/// What a card technology's signals mean in time.
#[derive(Clone, Copy, Debug)]
pub struct AirTiming {
    /// How long a transmission takes.
    pub time: fn(Way, &[u8]) -> Span,
    /// How many bytes of its encoding stand for what had passed after this long.
    pub prefix: fn(Way, &[u8], Span) -> usize,
    /// The transmission as a fate leaves it.
    pub spoil: fn(&Fate, &[u8]) -> Vec<u8>,
}

/// The air between a reader (end A) and a card (end B).
#[derive(Clone, Debug)]
pub struct Air {
    timing: AirTiming,
    pub(super) pending: Pending,
    free_at: [Instant; 2],
}

impl Air {
    /// Silent air.
    pub fn new(timing: AirTiming) -> Self {
        Self { timing, pending: Pending::default(), free_at: [Instant::ZERO; 2] }
    }

    /// When the last transmission this way ends.
    pub fn free_at(&self, way: Way) -> Instant {
        self.free_at[way.index()]
    }

    pub(super) fn handle_bytes(&mut self, now: Instant, way: Way, bytes: Vec<u8>, fate: Option<&Fate>) {
        let bytes = match fate {
            Some(fate) => (self.timing.spoil)(fate, &bytes),
            None => bytes,
        };
        let at = now + (self.timing.time)(way, &bytes);
        self.free_at[way.index()] = at;
        if way == Way::AtoB {
            // The reader's gaps silence the card: what it was sending is not heard to its end.
            self.truncate(now, Way::BtoA);
        }
        self.pending.push(now, Delivery { at, way, conn: 0, what: Arrival::Bytes(bytes) });
    }

    pub(super) fn handle_level(&mut self, now: Instant, way: Way, high: bool) {
        if !high {
            self.truncate(now, Way::AtoB);
            self.truncate(now, Way::BtoA);
        }
        self.pending.send(now, now, way, 0, Arrival::Level(high));
    }

    /// The card leaves, or the reader loses its power: both ways end here.
    pub(super) fn handle_end_lost(&mut self, now: Instant, way: Way) {
        self.truncate(now, Way::AtoB);
        self.truncate(now, Way::BtoA);
        self.pending.take_way(way.back());
    }

    fn truncate(&mut self, now: Instant, way: Way) {
        for (start, mut delivery) in self.pending.take_way(way) {
            if let Arrival::Bytes(bytes) = &mut delivery.what {
                bytes.truncate((self.timing.prefix)(way, bytes, now.since(start)));
                delivery.at = delivery.at.min(now);
                if bytes.is_empty() {
                    continue;
                }
            }
            self.pending.push(start, delivery);
        }
    }

    pub(super) fn digest(&self, into: &mut Digest) {
        self.pending.digest(into);
        into.instant(self.free_at[0]).instant(self.free_at[1]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A millisecond a byte.
    const TOY: AirTiming = AirTiming {
        time: |_, bytes| Span::ms(bytes.len() as u64),
        prefix: |_, bytes, elapsed| usize::try_from(elapsed.as_ms()).unwrap_or(usize::MAX).min(bytes.len()),
        spoil: |_, bytes| bytes.iter().rev().copied().collect(),
    };

    #[test]
    fn removal_delivers_what_had_passed() {
        let mut air = Air::new(TOY);
        air.handle_bytes(Instant::ZERO, Way::AtoB, vec![1, 2, 3], None);
        air.handle_end_lost(Instant::from_us(2_500), Way::AtoB);
        let delivery = air.pending.poll(Instant::from_us(2_500)).unwrap();
        assert_eq!((delivery.at.as_us(), delivery.what), (2_500, Arrival::Bytes(vec![1, 2])));
    }

    #[test]
    fn a_burst_silences_the_card() {
        let mut air = Air::new(TOY);
        air.handle_bytes(Instant::ZERO, Way::BtoA, vec![1, 2, 3], None);
        air.handle_bytes(Instant::from_us(1_000), Way::AtoB, vec![9], None);
        let heard = air.pending.poll(Instant::from_us(1_000)).unwrap();
        assert_eq!(heard.what, Arrival::Bytes(vec![1]));
        let burst = air.pending.poll(Instant::from_us(2_000)).unwrap();
        assert_eq!((burst.way, burst.what), (Way::AtoB, Arrival::Bytes(vec![9])));
    }
}
