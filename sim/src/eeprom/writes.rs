//! The write transactions that a chip has applied ahead of the bench and may yet have to take back.

use std::collections::VecDeque;

use super::{CAPACITY, PAGE_LEN_MAX, PageLen, TornScope};
use crate::digest::Digest;
use crate::machine::{StoreStep, Torn};
use crate::time::{Instant, Span};

/// The most write transactions kept at once.
///
/// Why: each lasts a write cycle, so this is more run-ahead than any board states; a chip that nobody settles
/// stays flat all the same.
const KEPT_MAX: usize = 1_024;

/// One write transaction: what it overwrote, and when each part of it came.
#[derive(Clone, Copy, Debug)]
pub(super) struct PageWrite {
    /// The first cell that was written.
    pub(super) first: u8,
    /// When the first data byte was on the bus.
    pub(super) first_at: Instant,
    /// How far apart the data bytes are.
    pub(super) byte: Span,
    /// How many data bytes came, those that ran round the page end included.
    pub(super) data_len: u32,
    /// When the STOP came, and the write cycle began.
    pub(super) stop: Instant,
    /// When the write cycle ends.
    pub(super) cycle_end: Instant,
    /// Which cells of the page were written: bit n for the cell n after its base.
    pub(super) addressed: u16,
    /// How the page read before.
    pub(super) old: [u8; PAGE_LEN_MAX],
}

impl PageWrite {
    /// The cells of the page: how far into it each lies, where it is in the chip, and whether it was written.
    fn cells(&self, page_len: PageLen) -> impl Iterator<Item = (usize, usize, bool)> + use<> {
        let (base, addressed) = (page_len.base(self.first), self.addressed);
        (0..page_len.get()).map(move |offset| {
            (usize::from(offset), usize::from(base | offset), addressed >> offset & 1 == 1)
        })
    }

    /// The nth durable step: the data bytes, the STOP, the middle of the write cycle.
    fn step(&self, nth: u32, page_len: PageLen) -> Option<StoreStep> {
        let step = |at, kind, cell: u8| Some(StoreStep { at, kind, address: u16::from(cell) });
        if nth < self.data_len {
            // Only the place inside the page counts, so the low byte of a long run is enough.
            let ran = nth.to_le_bytes()[0];
            let cell = page_len.base(self.first) | page_len.offset(self.first.wrapping_add(ran));
            step(self.first_at + self.byte * u64::from(nth), "eeprom-byte", cell)
        } else if nth == self.data_len {
            step(self.stop, "eeprom-stop", self.first)
        } else if nth == self.data_len.saturating_add(1) {
            let half = Span::us(self.cycle_end.since(self.stop).as_us() / 2);
            step(self.stop + half, "eeprom-cycle", self.first)
        } else {
            None
        }
    }

    /// Takes the transaction back as if it had never come.
    fn revert(&self, page_len: PageLen, cells: &mut [u8; CAPACITY], wear: &mut [u32; CAPACITY]) {
        for (offset, cell, _) in self.cells(page_len).filter(|(_, _, addressed)| *addressed) {
            cells[cell] = self.old[offset];
            wear[cell] = wear[cell].saturating_sub(1);
        }
    }

    /// Leaves the page as a cut in the write cycle does; returns the cells that the cycle was about.
    fn tear(&self, page_len: PageLen, scope: TornScope, torn: Torn, cells: &mut [u8; CAPACITY]) -> Vec<u8> {
        let in_scope = |(_, _, addressed): &(usize, usize, bool)| *addressed || scope == TornScope::WholePage;
        let tear = |(offset, cell, _): (usize, usize, bool)| {
            cells[cell] = torn.byte(self.old[offset], cells[cell]);
            u8::try_from(cell).ok()
        };
        self.cells(page_len).filter(in_scope).filter_map(tear).collect()
    }
}

/// The write transactions that are not settled, oldest first. They never overlap: a busy part answers nobody.
#[derive(Clone, Debug, Default)]
pub(super) struct Writes {
    kept: VecDeque<PageWrite>,
    /// Which transaction the next step belongs to.
    step_of: usize,
    /// Which of its steps is next.
    step: u32,
}

impl Writes {
    /// Adds the newest transaction.
    pub(super) fn push(&mut self, write: PageWrite) {
        if self.kept.len() == KEPT_MAX {
            self.forget_oldest();
        }
        self.kept.push_back(write);
    }

    /// Drops what no cut at or after `now` can reach.
    pub(super) fn settle(&mut self, now: Instant) {
        while self.kept.front().is_some_and(|write| write.cycle_end <= now) {
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
    pub(super) fn poll_step(&mut self, page_len: PageLen) -> Option<StoreStep> {
        loop {
            let write = self.kept.get(self.step_of)?;
            if let Some(step) = write.step(self.step, page_len) {
                self.step = self.step.saturating_add(1);
                return Some(step);
            }
            self.step_of += 1;
            self.step = 0;
        }
    }

    /// Walks back from the newest transaction to what stood when power went at `at`, and forgets them all;
    /// returns the cells whose write cycle was cut.
    pub(super) fn cut(
        &mut self,
        at: Instant,
        torn: Torn,
        page_len: PageLen,
        scope: TornScope,
        cells: &mut [u8; CAPACITY],
        wear: &mut [u32; CAPACITY],
    ) -> Vec<u8> {
        let mut torn_cells = Vec::new();
        while let Some(write) = self.kept.pop_back() {
            if at < write.stop {
                write.revert(page_len, cells, wear);
            } else if at < write.cycle_end {
                torn_cells = write.tear(page_len, scope, torn, cells);
            } else {
                break;
            }
        }
        *self = Self::default();
        torn_cells
    }

    /// Adds what a cut could still reach, and how far the steps were told.
    pub(super) fn digest(&self, now: Instant, into: &mut Digest) {
        for (nth, write) in self.kept.iter().enumerate().filter(|(_, write)| write.cycle_end > now) {
            let told = match nth.cmp(&self.step_of) {
                std::cmp::Ordering::Less => u32::MAX,
                std::cmp::Ordering::Equal => self.step,
                std::cmp::Ordering::Greater => 0,
            };
            into.flag(true).word(u64::from(told)).word(u64::from(write.data_len));
            into.instant(write.first_at)
                .word(write.byte.as_us())
                .instant(write.stop)
                .instant(write.cycle_end);
            into.word(u64::from(write.first)).word(u64::from(write.addressed)).bytes(&write.old);
        }
        into.flag(false);
    }
}
