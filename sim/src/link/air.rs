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
    /// Whether the reader's field is up.
    field: bool,
    down_until: Instant,
}

impl Air {
    /// Silent air.
    pub fn new(timing: AirTiming) -> Self {
        Self {
            timing,
            pending: Pending::default(),
            free_at: [Instant::ZERO; 2],
            field: false,
            down_until: Instant::ZERO,
        }
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
        if now < self.down_until {
            return;
        }
        if way == Way::AtoB {
            // The reader's gaps silence the card: what it was sending is not heard to its end.
            self.truncate(now, Way::BtoA);
        }
        self.pending.push(now, Delivery { at, way, conn: 0, what: Arrival::Bytes(bytes) });
    }

    pub(super) fn handle_level(&mut self, now: Instant, way: Way, high: bool) {
        if way == Way::AtoB {
            self.field = high;
        }
        if !high {
            self.truncate(now, Way::AtoB);
            self.truncate(now, Way::BtoA);
        }
        self.pending.send(now, now, way, 0, Arrival::Level(high));
    }

    /// The card leaves, or the reader loses its power: both ways end here. Who is still there gets what had passed;
    /// what a dead reader should hear its bench drops.
    pub(super) fn handle_end_lost(&mut self, now: Instant, way: Way) {
        self.truncate(now, Way::AtoB);
        self.truncate(now, Way::BtoA);
        if way == Way::AtoB {
            self.field = false;
        }
    }

    /// A card enters: it makes nothing of a burst that began without it, and a field that is up powers it.
    pub(super) fn handle_card(&mut self, now: Instant) {
        self.pending.retain(|item| item.delivery.way != Way::AtoB);
        if self.field {
            self.pending.send(now, now, Way::AtoB, 0, Arrival::Level(true));
        }
    }

    /// Bursts are lost for `span`; the field stays.
    pub(super) fn handle_outage(&mut self, now: Instant, span: Span) {
        self.down_until = self.down_until.max(now + span);
        self.truncate(now, Way::AtoB);
        self.truncate(now, Way::BtoA);
    }

    fn truncate(&mut self, now: Instant, way: Way) {
        for mut item in self.pending.take_way(way) {
            if let Arrival::Bytes(bytes) = &mut item.delivery.what {
                bytes.truncate((self.timing.prefix)(way, bytes, now.since(item.start)));
                item.delivery.at = item.delivery.at.min(now);
                if bytes.is_empty() {
                    continue;
                }
            }
            self.pending.put(item);
        }
        self.free_at[way.index()] = self.free_at[way.index()].min(now);
    }

    pub(super) fn digest(&self, into: &mut Digest) {
        self.pending.digest(into);
        into.instant(self.free_at[0]).instant(self.free_at[1]).flag(self.field).instant(self.down_until);
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

    fn all(air: &mut Air) -> Vec<(u64, Way, Arrival)> {
        let late = Instant::from_us(1_000_000);
        std::iter::from_fn(|| air.pending.poll(late))
            .map(|next| (next.at.as_us(), next.way, next.what))
            .collect()
    }

    #[test]
    fn both_ends_hear_how_far_the_other_had_got_when_they_part() {
        for lost in Way::BOTH {
            let mut air = Air::new(TOY);
            air.handle_bytes(Instant::ZERO, Way::AtoB, vec![1, 2, 3], None);
            air.handle_bytes(Instant::from_us(500), Way::BtoA, vec![4, 5, 6], None);
            air.handle_end_lost(Instant::from_us(2_000), lost);
            let bytes = |bytes: &[u8]| Arrival::Bytes(bytes.to_vec());
            assert_eq!(
                all(&mut air),
                vec![(2_000, Way::AtoB, bytes(&[1, 2])), (2_000, Way::BtoA, bytes(&[4]))]
            );
        }
    }

    #[test]
    fn a_card_that_enters_finds_the_field_and_not_the_end_of_a_burst() {
        let mut air = Air::new(TOY);
        air.handle_card(Instant::ZERO);
        assert_eq!(all(&mut air), vec![]);
        air.handle_level(Instant::ZERO, Way::AtoB, true);
        assert_eq!(all(&mut air), vec![(0, Way::AtoB, Arrival::Level(true))]);
        air.handle_bytes(Instant::from_us(10), Way::AtoB, vec![1, 2, 3], None);
        air.handle_card(Instant::from_us(20));
        assert_eq!(all(&mut air), vec![(20, Way::AtoB, Arrival::Level(true))]);
        air.handle_end_lost(Instant::from_us(30), Way::AtoB);
        air.handle_card(Instant::from_us(40));
        assert_eq!(all(&mut air), vec![]);
    }

    #[test]
    fn an_outage_breaks_bursts_off_and_loses_those_that_begin_in_it() {
        let mut air = Air::new(TOY);
        air.handle_bytes(Instant::ZERO, Way::AtoB, vec![1, 2, 3], None);
        air.handle_outage(Instant::from_us(1_000), Span::us(500));
        air.handle_bytes(Instant::from_us(1_499), Way::AtoB, vec![4], None);
        air.handle_bytes(Instant::from_us(1_500), Way::AtoB, vec![5], None);
        let bytes = |bytes: &[u8]| Arrival::Bytes(bytes.to_vec());
        assert_eq!(all(&mut air), vec![(1_000, Way::AtoB, bytes(&[1])), (2_500, Way::AtoB, bytes(&[5]))]);
    }
}
