//! The 24C02 itself, seen from its two bus lines.

use std::mem;

use super::writes::{PageWrite, Writes};
use super::{CAPACITY, ChipConfig, PAGE_LEN_MAX, PageLen};
use crate::digest::Digest;
use crate::machine::{StoreStep, Torn};
use crate::time::{Instant, Span};

/// What an erased cell reads.
const ERASED: u8 = 0xFF;

/// A 24C02: 256 cells in pages, busy while it programs, and honest about what a power cut leaves.
///
/// Why: firmware runs ahead of the bench within one input, so a write is applied at once and what it overwrote is
/// kept until the bench has passed the end of its write cycle. A board calls [`Chip::settle`] with every input.
#[derive(Clone, Debug)]
pub struct Chip {
    config: ChipConfig,
    clock: Span,
    byte: Span,
    cells: [u8; CAPACITY],
    wear: [u32; CAPACITY],
    pointer: u8,
    phase: Phase,
    busy_until: Instant,
    writes: Writes,
    torn: Vec<u8>,
}

/// Where the part is within a bus transaction.
#[derive(Clone, Debug)]
enum Phase {
    /// Not selected.
    Idle,
    /// Selected for writing; the next byte is a cell address.
    WordAddress,
    /// Taking data into the page latch.
    Data(Latch),
    /// Selected for reading.
    Reading,
}

/// The data bytes that wait for their STOP.
#[derive(Clone, Debug)]
struct Latch {
    first: u8,
    first_at: Instant,
    data_len: u32,
    addressed: u16,
    bytes: [u8; PAGE_LEN_MAX],
}

impl Latch {
    fn new(first: u8) -> Self {
        Self { first, first_at: Instant::ZERO, data_len: 0, addressed: 0, bytes: [0; PAGE_LEN_MAX] }
    }

    fn put(&mut self, at: Instant, cell: u8, byte: u8, page_len: PageLen) {
        if self.data_len == 0 {
            self.first_at = at;
        }
        self.data_len = self.data_len.saturating_add(1);
        self.addressed |= 1 << page_len.offset(cell);
        self.bytes[usize::from(page_len.offset(cell))] = byte;
    }
}

impl Chip {
    /// An erased part.
    pub fn new(config: ChipConfig) -> Self {
        Self::with_image(config, [ERASED; CAPACITY])
    }

    /// A part that was programmed before it was fitted; that wear does not count.
    pub fn with_image(config: ChipConfig, image: [u8; CAPACITY]) -> Self {
        let hz = u64::from(config.clock_hz.get());
        let clocks = |count: u64| Span::us((count * 1_000_000).div_ceil(hz));
        Self {
            config,
            clock: clocks(1),
            byte: clocks(9),
            cells: image,
            wear: [0; CAPACITY],
            pointer: 0,
            phase: Phase::Idle,
            busy_until: Instant::ZERO,
            writes: Writes::default(),
            torn: Vec::new(),
        }
    }

    /// What the cells hold, everything that firmware wrote ahead of the bench included.
    pub fn image(&self) -> &[u8; CAPACITY] {
        &self.cells
    }

    /// The cells whose write cycle the last cut of power overtook, so that they may read as nobody wrote them.
    pub fn torn(&self) -> &[u8] {
        &self.torn
    }

    /// How many write cycles each cell was addressed in.
    ///
    /// Source: WAT-C7.
    pub fn wear(&self) -> &[u32; CAPACITY] {
        &self.wear
    }

    /// The wear of the most written cell.
    pub fn wear_max(&self) -> u32 {
        self.wear.iter().copied().max().unwrap_or(0)
    }

    /// The first cell that was written more often than the maker promises.
    ///
    /// Source: WAT-C7.
    pub fn worn_out(&self) -> Option<u8> {
        let cell = self.wear.iter().position(|wear| *wear > self.config.endurance)?;
        u8::try_from(cell).ok()
    }

    /// Whether the part programs at `at` and so answers nobody.
    pub fn is_busy(&self, at: Instant) -> bool {
        at < self.busy_until
    }

    /// Forgets how to take back what no power cut at or after `now` can reach, and steps of the past with it.
    ///
    /// A board calls this with the time of each input, before it lends the part to its firmware.
    pub fn settle(&mut self, now: Instant) {
        self.writes.settle(now);
    }

    /// Power goes at `at`, which is never before the last [`Chip::settle`].
    ///
    /// A STOP after `at`: nothing was programmed and nothing worn. A STOP at or before `at` and a write cycle that
    /// ends after it: the cells in scope read as `torn` says. A cycle that ended at or before `at` stays. The part
    /// is idle when power returns, its address pointer is zero, and steps that were not drained are gone.
    ///
    /// Source: WAT-C4, WAT-C5.
    pub fn cut(&mut self, at: Instant, torn: Torn) {
        let (page_len, scope) = (self.config.page_len, self.config.torn_scope);
        self.torn = self.writes.cut(at, torn, page_len, scope, &mut self.cells, &mut self.wear);
        self.phase = Phase::Idle;
        self.pointer = 0;
        self.busy_until = Instant::ZERO;
    }

    /// The next durable step, in order of time; `None` when drained.
    ///
    /// A write transaction gives an `eeprom-byte` for each data byte (the cell it is for), an `eeprom-stop` and an
    /// `eeprom-cycle` in the middle of its write cycle (both: the first cell). A cut at a byte's time leaves nothing
    /// programmed, a cut at the STOP's time finds the cycle begun. Reads and polls give none, nor does a
    /// transaction that a repeated START ends before its STOP.
    pub fn poll_step(&mut self) -> Option<StoreStep> {
        self.writes.poll_step(self.config.page_len)
    }

    /// Adds the full state, times as differences from now.
    pub fn digest(&self, now: Instant, into: &mut Digest) {
        let mut wear = [0; 4 * CAPACITY];
        for (place, count) in wear.chunks_exact_mut(4).zip(self.wear) {
            place.copy_from_slice(&count.to_le_bytes());
        }
        into.bytes(&self.cells).bytes(&wear).word(u64::from(self.pointer)).instant(self.busy_until);
        match &self.phase {
            Phase::Idle => into.word(0),
            Phase::WordAddress => into.word(1),
            Phase::Reading => into.word(2),
            Phase::Data(latch) => into
                .word(3)
                .word(u64::from(latch.first))
                .age(latch.first_at)
                .word(u64::from(latch.data_len))
                .word(u64::from(latch.addressed))
                .bytes(&latch.bytes),
        };
        self.writes.digest(now, into);
    }

    /// How long a START or a STOP takes.
    pub(super) fn clock_span(&self) -> Span {
        self.clock
    }

    /// How long a byte and its acknowledge take.
    pub(super) fn byte_span(&self) -> Span {
        self.byte
    }

    /// A START, or a repeated one: data that has not seen its STOP is dropped.
    pub(super) fn start(&mut self) {
        self.phase = Phase::Idle;
    }

    /// An address byte, acknowledged at `at`; false is no acknowledge.
    pub(super) fn select(&mut self, at: Instant, device_address: u8, reading: bool) -> bool {
        if device_address != self.config.device_address || self.is_busy(at) {
            return false;
        }
        self.phase = if reading { Phase::Reading } else { Phase::WordAddress };
        true
    }

    /// A byte from the bus, acknowledged at `at`; false is no acknowledge.
    pub(super) fn put(&mut self, at: Instant, byte: u8) -> bool {
        match &mut self.phase {
            Phase::Idle | Phase::Reading => return false,
            Phase::WordAddress => {
                self.pointer = byte;
                self.phase = Phase::Data(Latch::new(byte));
            }
            Phase::Data(latch) => {
                latch.put(at, self.pointer, byte, self.config.page_len);
                self.pointer = self.config.page_len.next(self.pointer);
            }
        }
        true
    }

    /// A byte to the bus; a part that is not selected for reading leaves the line high.
    pub(super) fn take(&mut self) -> u8 {
        if !matches!(self.phase, Phase::Reading) {
            return 0xFF;
        }
        let byte = self.cells[usize::from(self.pointer)];
        self.pointer = self.pointer.wrapping_add(1);
        byte
    }

    /// A STOP, complete at `at`: after data it starts the write cycle.
    pub(super) fn stop(&mut self, at: Instant) {
        if let Phase::Data(latch) = mem::replace(&mut self.phase, Phase::Idle)
            && latch.data_len > 0
        {
            self.program(&latch, at);
        }
    }

    /// Applies a latched page, and keeps what it overwrote.
    fn program(&mut self, latch: &Latch, stop: Instant) {
        let page_len = self.config.page_len;
        let base = page_len.base(latch.first);
        let mut old = [0; PAGE_LEN_MAX];
        for offset in 0..page_len.get() {
            let (cell, place) = (usize::from(base | offset), usize::from(offset));
            old[place] = self.cells[cell];
            if latch.addressed >> offset & 1 == 1 {
                self.cells[cell] = latch.bytes[place];
                self.wear[cell] = self.wear[cell].saturating_add(1);
            }
        }
        self.busy_until = stop + self.config.cycle;
        self.writes.push(PageWrite {
            first: latch.first,
            first_at: latch.first_at,
            byte: self.byte,
            data_len: latch.data_len,
            stop,
            cycle_end: self.busy_until,
            addressed: latch.addressed,
            old,
        });
    }
}
