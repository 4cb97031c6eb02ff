//! What a chip has programmed and erased ahead of the bench and may yet have to take back.

use std::collections::VecDeque;

use super::chip::{Page, Pages};
use super::{ERASED, PAGE_LEN};
use crate::digest::Digest;
use crate::machine::{StoreStep, Torn};
use crate::time::{Instant, Span};

/// The most works kept at once.
///
/// Why: more than any board runs ahead; a chip that nobody settles stays flat all the same.
const KEPT_MAX: usize = 4_096;

/// One page program or one sector erasure: what it overwrote, and when each part of it came.
#[derive(Clone, Debug)]
pub(super) enum Work {
    /// Bytes of one page, one after the other, round its end.
    Program {
        /// The page.
        page: u16,
        /// Where in the page the first byte lies.
        first: u8,
        /// When the first byte is begun.
        start: Instant,
        /// How long each byte takes.
        byte: Span,
        /// How the bytes read before, in the order in which they are programmed.
        old: Vec<u8>,
    },
    /// All pages of a sector at once.
    Erase {
        /// The sector.
        sector: u16,
        /// When it begins.
        start: Instant,
        /// When it ends.
        end: Instant,
        /// The pages that were not erased before.
        old: Vec<(u16, Page)>,
    },
}

impl Work {
    /// When it is done.
    fn end(&self) -> Instant {
        match self {
            Self::Program { start, byte, old, .. } => *start + *byte * old.len() as u64,
            Self::Erase { end, .. } => *end,
        }
    }

    /// Its nth durable step: each byte when it is begun; the middle of an erasure.
    fn step(&self, nth: u32) -> Option<StoreStep> {
        match self {
            Self::Program { page, start, byte, old, .. } => ((nth as usize) < old.len()).then(|| StoreStep {
                at: *start + *byte * u64::from(nth),
                kind: "flash-byte",
                address: *page,
            }),
            Self::Erase { sector, start, end, .. } => (nth == 0).then(|| StoreStep {
                at: *start + Span::us(end.since(*start).as_us() / 2),
                kind: "flash-erase",
                address: *sector,
            }),
        }
    }

    /// Leaves what stands when power goes at `at`.
    fn cut(&self, at: Instant, torn: Torn, pages: &mut Pages) {
        match self {
            Self::Program { page, first, start, byte, old } => {
                for (nth, old) in old.iter().enumerate() {
                    let begun = *start + *byte * nth as u64;
                    let place = (usize::from(*first) + nth) % PAGE_LEN;
                    if at < begun {
                        pages.put(*page, place, *old);
                    } else if at < begun + *byte {
                        pages.put(*page, place, torn_byte(torn, *old, pages.get(*page, place)));
                    }
                }
            }
            Self::Erase { start, old, .. } => {
                let begun = *start <= at;
                for (nth, (page, was)) in old.iter().enumerate() {
                    let left = if begun { torn_page(torn, nth, was) } else { Some(was.clone()) };
                    pages.replace(*page, left);
                }
            }
        }
    }

    fn digest(&self, into: &mut Digest) {
        match self {
            Self::Program { page, first, start, byte, old } => into
                .word(0)
                .word(u64::from(*page))
                .word(u64::from(*first))
                .instant(*start)
                .instant(self.end())
                .word(byte.as_us())
                .bytes(old),
            Self::Erase { sector, start, end, old } => {
                into.word(1).word(u64::from(*sector)).instant(*start).instant(*end);
                for (page, bytes) in old {
                    into.word(u64::from(*page)).bytes(&bytes[..]);
                }
                into
            }
        };
    }
}

/// A byte whose programming was cut. Neither is every second of the bits that were to be cleared.
///
/// Why: programming clears bits and never sets one. Where only one bit was to be cleared there is no third reading,
/// and the old one stands.
fn torn_byte(torn: Torn, old: u8, new: u8) -> u8 {
    match torn {
        Torn::Old => old,
        Torn::New => new,
        Torn::Neither => {
            let (mut left, mut clear) = (old, false);
            for bit in (0..8).map(|bit| 1_u8 << bit).filter(|bit| old & bit != new & bit) {
                if clear {
                    left &= !bit;
                }
                clear = !clear;
            }
            left
        }
    }
}

/// A page whose erasure was cut. Neither is a mixture: of three pages one reads as before, one is erased, and of the
/// third every second byte is erased and the rest has half its bits set.
fn torn_page(torn: Torn, nth: usize, old: &Page) -> Option<Page> {
    match (torn, nth % 3) {
        (Torn::Old, _) | (Torn::Neither, 0) => Some(old.clone()),
        (Torn::New, _) | (Torn::Neither, 1) => None,
        (Torn::Neither, _) => {
            let mut left = old.clone();
            let bytes = std::sync::Arc::make_mut(&mut left);
            for pair in bytes.chunks_exact_mut(2) {
                pair[0] = ERASED;
                pair[1] |= 0x55;
            }
            Some(left)
        }
    }
}

/// The works that are not settled, oldest first. They never overlap: a busy part takes no command.
#[derive(Clone, Debug, Default)]
pub(super) struct Works {
    kept: VecDeque<Work>,
    /// Which work the next step belongs to.
    step_of: usize,
    /// Which of its steps is next.
    step: u32,
}

impl Works {
    /// Adds the newest work.
    pub(super) fn push(&mut self, work: Work) {
        if self.kept.len() == KEPT_MAX {
            self.forget_oldest();
        }
        self.kept.push_back(work);
    }

    /// Drops what no cut at or after `now` can reach.
    pub(super) fn settle(&mut self, now: Instant) {
        while self.kept.front().is_some_and(|work| work.end() <= now) {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        self.kept.pop_front();
        if self.step_of == 0 {
            self.step = 0;
        }
        self.step_of = self.step_of.saturating_sub(1);
    }

    /// The next step that was not told yet.
    pub(super) fn poll_step(&mut self) -> Option<StoreStep> {
        loop {
            let work = self.kept.get(self.step_of)?;
            if let Some(step) = work.step(self.step) {
                self.step += 1;
                return Some(step);
            }
            self.step_of += 1;
            self.step = 0;
        }
    }

    /// Walks back from the newest work to what stood when power went at `at`, and forgets them all. Returns the
    /// sectors whose erasure never began.
    pub(super) fn cut(&mut self, at: Instant, torn: Torn, pages: &mut Pages) -> Vec<u16> {
        let mut unerased = Vec::new();
        while let Some(work) = self.kept.pop_back() {
            if work.end() <= at {
                break;
            }
            work.cut(at, torn, pages);
            if let Work::Erase { sector, start, .. } = work
                && at < start
            {
                unerased.push(sector);
            }
        }
        *self = Self::default();
        unerased
    }

    /// Adds what a cut could still reach, and how far the steps were told.
    pub(super) fn digest(&self, now: Instant, into: &mut Digest) {
        for (nth, work) in self.kept.iter().enumerate().filter(|(_, work)| work.end() > now) {
            let told = match nth.cmp(&self.step_of) {
                std::cmp::Ordering::Less => u32::MAX,
                std::cmp::Ordering::Equal => self.step,
                std::cmp::Ordering::Greater => 0,
            };
            into.flag(true).word(u64::from(told));
            work.digest(into);
        }
        into.flag(false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_byte_lies_between_old_and_new() {
        for old in 0..=u8::MAX {
            for new in (0..=u8::MAX).map(|mask| old & mask) {
                let torn = torn_byte(Torn::Neither, old, new);
                assert_eq!((torn | old, torn & new), (old, new), "{old:02x} {new:02x} {torn:02x}");
                let third = (old ^ new).count_ones() > 1;
                assert_eq!(torn != old && torn != new, third, "{old:02x} {new:02x} {torn:02x}");
            }
        }
    }
}
