//! A datagram link: each packet on its own, late, lost, doubled, overtaken or damaged as planned.

use super::pending::Pending;
use super::{Arrival, Delivery, ahead, cut_at, flip_bit};
use crate::digest::Digest;
use crate::fault::{Fate, Way};
use crate::seed::{Seed, Stream as Draws};
use crate::time::{Instant, Span};

/// A packet path.
#[derive(Clone, Debug)]
pub struct Datagram {
    latency: (Span, Span),
    /// By way, so that each end of a path in two halves draws what the whole path would.
    draws: [Draws; 2],
    pub(super) pending: Pending,
    down_until: Instant,
    /// How long the network behind this half takes; nothing if the path is whole.
    hop: Span,
    /// What comes in by then was under way when the path went down.
    lost_until: Instant,
}

impl Datagram {
    /// A path whose latency is drawn for each packet from a range, both ends included.
    pub fn new(latency: (Span, Span), seed: Seed, name: &str) -> Self {
        let draws = [">", "<"].map(|way| seed.stream(&format!("link {name} {way}")));
        let (pending, never) = (Pending::default(), Instant::ZERO);
        Self { latency, draws, pending, down_until: never, hop: Span::ZERO, lost_until: never }
    }

    /// Either half of the path: what passes it goes on over a network that takes `hop`.
    #[must_use]
    pub fn half(&self, hop: Span) -> Self {
        Self { hop, ..self.clone() }
    }

    /// Whether a packet is still there that the other half has let pass.
    pub(super) fn admits(&self, now: Instant) -> bool {
        now >= self.lost_until
    }

    pub(super) fn handle_bytes(&mut self, now: Instant, way: Way, mut bytes: Vec<u8>, fate: Option<&Fate>) {
        let latency = self.draws[way.index()].span_between(self.latency.0, self.latency.1);
        let at = now + latency;
        if now < self.down_until {
            return;
        }
        let mut send = |at: Instant, bytes: Vec<u8>| {
            let at = now + Span::us(at.since(now).as_us().saturating_sub(self.hop.as_us()));
            self.pending.push(now, Delivery { at, way, conn: 0, what: Arrival::Bytes(bytes) });
        };
        match fate {
            Some(Fate::Drop) => {}
            Some(Fate::Delay { by }) => send(at + *by, bytes),
            Some(Fate::Reorder { behind }) => send(at + *behind, bytes),
            Some(Fate::Twice { gap }) => {
                send(at, bytes.clone());
                send(at + *gap, bytes);
            }
            Some(Fate::Truncate { len }) => send(at, cut_at(bytes, *len).0),
            Some(Fate::FlipBit { bit }) => {
                flip_bit(&mut bytes, *bit);
                send(at, bytes);
            }
            Some(_) | None => send(at, bytes),
        }
    }

    pub(super) fn handle_outage(&mut self, now: Instant, span: Span) {
        self.down_until = self.down_until.max(now + span);
        self.pending.retain(|_| false);
        self.lost_until = now + self.hop;
    }

    pub(super) fn digest(&self, into: &mut Digest) {
        self.pending.digest(into);
        into.instant(self.down_until).instant(self.lost_until);
        for draws in &self.draws {
            into.word(ahead(draws, self.latency));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fate_does_what_its_name_says() {
        let sent = vec![1, 2, 3];
        for (fate, arrived) in [
            (None, vec![(20_000, sent.clone())]),
            (Some(Fate::Drop), vec![]),
            (Some(Fate::Delay { by: Span::ms(5) }), vec![(25_000, sent.clone())]),
            (Some(Fate::Reorder { behind: Span::ms(1) }), vec![(21_000, sent.clone())]),
            (Some(Fate::Twice { gap: Span::ms(1) }), vec![(20_000, sent.clone()), (21_000, sent.clone())]),
            (Some(Fate::Truncate { len: 1 }), vec![(20_000, vec![1])]),
            (Some(Fate::FlipBit { bit: 7 }), vec![(20_000, vec![0, 2, 3])]),
        ] {
            let mut link = Datagram::new((Span::ms(20), Span::ms(20)), Seed(1), "test");
            link.handle_bytes(Instant::ZERO, Way::AtoB, sent.clone(), fate.as_ref());
            let mut all = Vec::new();
            while let Some(Delivery { at, what: Arrival::Bytes(bytes), .. }) =
                link.pending.poll(Instant::from_us(99_000))
            {
                all.push((at.as_us(), bytes));
            }
            assert_eq!(all, arrived, "{fate:?}");
        }
    }

    #[test]
    fn an_outage_loses_what_is_under_way_and_what_is_sent_meanwhile() {
        let mut link = Datagram::new((Span::ms(20), Span::ms(20)), Seed(1), "test");
        link.handle_bytes(Instant::ZERO, Way::AtoB, vec![1], None);
        link.handle_outage(Instant::from_us(1_000), Span::ms(10));
        link.handle_bytes(Instant::from_us(10_999), Way::AtoB, vec![2], None);
        link.handle_bytes(Instant::from_us(11_000), Way::AtoB, vec![3], None);
        let first = link.pending.poll(Instant::from_us(99_000)).map(|delivery| delivery.what);
        assert_eq!(first, Some(Arrival::Bytes(vec![3])));
    }
}
