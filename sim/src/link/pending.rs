//! What is under way on a link, in order of arrival.

use std::collections::VecDeque;

use super::{Arrival, Delivery, Lost};
use crate::digest::Digest;
use crate::fault::Way;
use crate::machine::Closing;
use crate::queue::take_first;
use crate::time::Instant;

/// A queue of deliveries ordered by time; equal times keep the order in which they were sent.
#[derive(Clone, Debug, Default)]
pub(super) struct Pending {
    items: VecDeque<Item>,
    /// What sends now descends from; what has just arrived descended from, after a poll.
    pub(super) origin: u32,
    /// What is lost is noted here for a bench that follows origins.
    pub(super) lost: Option<Vec<Lost>>,
}

#[derive(Clone, Debug)]
pub(super) struct Item {
    /// When its first bit left the sender; power lost before its arrival cuts it from there.
    pub(super) start: Instant,
    /// How many of its bytes had arrived before that, and wait to be joined to the rest.
    pub(super) head: usize,
    pub(super) delivery: Delivery,
    /// What it descends from.
    pub(super) origin: u32,
}

impl Item {
    /// Whether it is a stack giving up, which needs nothing to cross the link.
    pub(super) fn is_local(&self) -> bool {
        self.delivery.what == Arrival::Closed(Closing::TimedOut)
    }

    /// Whether it crosses this way on this connection.
    pub(super) fn is_on(&self, way: Way, conn: u16) -> bool {
        self.delivery.way == way && self.delivery.conn == conn
    }

    pub(super) fn is_bytes(&self) -> bool {
        matches!(self.delivery.what, Arrival::Bytes(_))
    }

    pub(super) fn is_ack(&self) -> bool {
        matches!(self.delivery.what, Arrival::Acked(_))
    }

    pub(super) fn is_closed(&self) -> bool {
        matches!(self.delivery.what, Arrival::Closed(_))
    }
}

impl Pending {
    pub(super) fn push(&mut self, start: Instant, delivery: Delivery) {
        self.put(Item { start, head: 0, delivery, origin: self.origin });
    }

    pub(super) fn put(&mut self, item: Item) {
        let at = item.delivery.at;
        if self.items.back().is_none_or(|last| last.delivery.at <= at) {
            self.items.push_back(item);
            return;
        }
        let place = self.items.iter().rposition(|other| other.delivery.at <= at).map_or(0, |place| place + 1);
        self.items.insert(place, item);
    }

    pub(super) fn send(&mut self, start: Instant, at: Instant, way: Way, conn: u16, what: Arrival) {
        self.push(start, Delivery { at, way, conn, what });
    }

    pub(super) fn poll(&mut self, now: Instant) -> Option<Delivery> {
        if self.items.front()?.delivery.at > now {
            return None;
        }
        let item = take_first(&mut self.items)?;
        self.origin = item.origin;
        Some(item.delivery)
    }

    pub(super) fn next_at(&self) -> Option<Instant> {
        self.items.front().map(|item| item.delivery.at)
    }

    /// Everything under way, the next arrival first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Item> {
        self.items.iter()
    }

    /// Keeps what `keep` says to.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(&Item) -> bool) {
        let lost = &mut self.lost;
        self.items.retain(|item| {
            let kept = keep(item);
            if let (false, Some(lost)) = (kept, lost.as_mut()) {
                let Item { start, origin, .. } = *item;
                lost.push(Lost { delivery: item.delivery.clone(), start, origin });
            }
            kept
        });
    }

    /// Takes out everything that goes this way.
    pub(super) fn take_way(&mut self, way: Way) -> Vec<Item> {
        let (taken, kept) = self.items.drain(..).partition(|item| item.delivery.way == way);
        self.items = kept;
        let taken: VecDeque<Item> = taken;
        taken.into()
    }

    /// Adds bytes to the last piece that arrives at `at`; gives them back if there is none.
    pub(super) fn append(&mut self, at: Instant, way: Way, conn: u16, more: Vec<u8>) -> Result<(), Vec<u8>> {
        let found = self.items.iter_mut().rev().find(|item| item.is_on(way, conn) && item.is_bytes());
        match found.map(|item| &mut item.delivery) {
            Some(Delivery { at: then, what: Arrival::Bytes(bytes), .. }) if *then == at => {
                bytes.extend_from_slice(&more);
                Ok(())
            }
            _ => Err(more),
        }
    }

    /// Lets nothing cross before `until`. A stack's own patience goes on meanwhile, and what is still to be
    /// acknowledged is acknowledged no earlier than it arrives.
    pub(super) fn hold_until(&mut self, now: Instant, until: Instant) {
        for item in self.items.iter_mut().filter(|item| !item.is_local()) {
            if item.is_ack() && item.start >= now {
                item.start = item.start.max(until);
            }
            item.delivery.at = item.delivery.at.max(until);
        }
        self.items.make_contiguous().sort_by_key(|item| item.delivery.at);
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    pub(super) fn digest(&self, into: &mut Digest) {
        into.word(self.items.len() as u64);
        for Item { start, head, delivery, .. } in &self.items {
            // A start lies ahead or behind; one of the two is zero.
            into.instant(*start).age(*start).word(*head as u64);
            into.instant(delivery.at).word(delivery.way.index() as u64).word(u64::from(delivery.conn));
            delivery.what.digest(into);
        }
    }
}
