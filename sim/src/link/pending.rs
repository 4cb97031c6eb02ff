//! What is under way on a link, in order of arrival.

use std::collections::VecDeque;

use super::{Arrival, Delivery};
use crate::digest::Digest;
use crate::fault::Way;
use crate::time::Instant;

/// A queue of deliveries ordered by time; equal times keep the order in which they were sent.
#[derive(Clone, Debug, Default)]
pub(super) struct Pending {
    items: VecDeque<Item>,
}

#[derive(Clone, Debug)]
struct Item {
    /// When its first bit left the sender; power lost before its arrival cuts it from there.
    start: Instant,
    delivery: Delivery,
}

impl Pending {
    pub(super) fn push(&mut self, start: Instant, delivery: Delivery) {
        let place =
            self.items.iter().rposition(|item| item.delivery.at <= delivery.at).map_or(0, |at| at + 1);
        self.items.insert(place, Item { start, delivery });
    }

    pub(super) fn send(&mut self, now: Instant, at: Instant, way: Way, conn: u16, what: Arrival) {
        self.push(now, Delivery { at, way, conn, what });
    }

    pub(super) fn poll(&mut self, now: Instant) -> Option<Delivery> {
        if self.items.front()?.delivery.at > now {
            return None;
        }
        self.items.pop_front().map(|item| item.delivery)
    }

    pub(super) fn next_at(&self) -> Option<Instant> {
        self.items.front().map(|item| item.delivery.at)
    }

    /// Keeps what `keep` says to.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(&Delivery) -> bool) {
        self.items.retain(|item| keep(&item.delivery));
    }

    /// Takes out everything that goes this way, with its start.
    pub(super) fn take_way(&mut self, way: Way) -> Vec<(Instant, Delivery)> {
        let (taken, kept) = self.items.drain(..).partition(|item| item.delivery.way == way);
        self.items = kept;
        let taken: VecDeque<Item> = taken;
        taken.into_iter().map(|item| (item.start, item.delivery)).collect()
    }

    /// Moves everything that is not yet there by the same span.
    pub(super) fn hold_until(&mut self, until: Instant) {
        for item in &mut self.items {
            item.delivery.at = item.delivery.at.max(until);
        }
    }

    pub(super) fn digest(&self, into: &mut Digest) {
        into.word(self.items.len() as u64);
        for Item { delivery, .. } in &self.items {
            into.instant(delivery.at).word(delivery.way.index() as u64).word(u64::from(delivery.conn));
            match &delivery.what {
                Arrival::Bytes(bytes) => into.word(0).bytes(bytes),
                Arrival::Opened => into.word(1),
                Arrival::Closed(why) => into.word(2).word(*why as u64),
                Arrival::Acked(len) => into.word(3).word(*len as u64),
                Arrival::Level(high) => into.word(4).flag(*high),
            };
        }
    }
}
