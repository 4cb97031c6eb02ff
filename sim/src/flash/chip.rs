//! The flash itself, seen from its bus.

use std::collections::BTreeMap;
use std::mem;
use std::sync::Arc;

use super::works::{Work, Works};
use super::{ChipConfig, ERASED, PAGE_LEN, command};
use crate::digest::Digest;
use crate::machine::{StoreStep, Torn};
use crate::time::{Instant, Span};

/// The bytes of a page, shared by every fork that has not written to it.
pub(super) type Page = Arc<[u8; PAGE_LEN]>;

/// Every page that is not erased.
///
/// Why: a run forks its boards, and a fork must not copy megabytes.
#[derive(Clone, Debug, Default)]
pub(super) struct Pages(BTreeMap<u16, Page>);

impl Pages {
    /// A byte.
    pub(super) fn get(&self, page: u16, place: usize) -> u8 {
        self.0.get(&page).map_or(ERASED, |bytes| bytes[place])
    }

    /// Puts a byte as it is.
    pub(super) fn put(&mut self, page: u16, place: usize, byte: u8) {
        if self.get(page, place) != byte {
            let bytes = self.0.entry(page).or_insert_with(|| Arc::new([ERASED; PAGE_LEN]));
            Arc::make_mut(bytes)[place] = byte;
        }
    }

    /// Puts a whole page in place of what was there; `None` is an erased one.
    pub(super) fn replace(&mut self, page: u16, bytes: Option<Page>) {
        match bytes {
            Some(bytes) => self.0.insert(page, bytes),
            None => self.0.remove(&page),
        };
    }

    /// Erases pages, and returns those that were not erased before.
    fn take(&mut self, pages: impl Iterator<Item = u16>) -> Vec<(u16, Page)> {
        pages.filter_map(|page| Some((page, self.0.remove(&page)?))).collect()
    }
}

/// A flash of the 25 series: it programs by clearing bits, erases by the sector, is busy meanwhile, and is honest
/// about what a power cut leaves.
///
/// Why: firmware runs ahead of the bench within one input, so a work is applied at once and what it overwrote is
/// kept until the bench has passed its end. A board calls [`Chip::settle`] with every input.
#[derive(Clone, Debug)]
pub struct Chip {
    config: ChipConfig,
    pages: Pages,
    erasures: BTreeMap<u16, u32>,
    phase: Phase,
    enabled: bool,
    busy_until: Instant,
    works: Works,
}

/// Where the part is while it is selected.
#[derive(Clone, Debug)]
enum Phase {
    /// Not selected, or waiting for a command.
    Idle,
    /// A command that has no more to say, or none that the part knows.
    Deaf,
    /// Telling its status.
    Status,
    /// Taking the address of a command.
    Address {
        /// The command.
        command: u8,
        /// What came of the address.
        address: u32,
        /// How many bytes of it came.
        len: u8,
    },
    /// Taking data to program.
    Data(Latch),
    /// Giving data.
    Reading(u32),
}

/// The data bytes that wait for the part's release.
#[derive(Clone, Debug)]
struct Latch {
    page: u16,
    first: u8,
    bytes: Vec<u8>,
}

impl Chip {
    /// An erased part.
    pub fn new(config: ChipConfig) -> Self {
        Self {
            config,
            pages: Pages::default(),
            erasures: BTreeMap::new(),
            phase: Phase::Idle,
            enabled: false,
            busy_until: Instant::ZERO,
            works: Works::default(),
        }
    }

    /// The part that is fitted.
    pub fn config(&self) -> &ChipConfig {
        &self.config
    }

    /// Programs bytes before the part is fitted, in no time; what lies past its end is dropped.
    pub fn install(&mut self, address: usize, bytes: &[u8]) {
        for (at, byte) in (address..self.config.capacity()).zip(bytes) {
            if let Ok(page) = u16::try_from(at / PAGE_LEN) {
                self.pages.put(page, at % PAGE_LEN, *byte);
            }
        }
    }

    /// What the bytes from `address` on hold, everything that firmware wrote ahead of the bench included.
    pub fn read_out(&self, address: usize, buffer: &mut [u8]) {
        let (mut at, mut rest) = (address, buffer);
        while !rest.is_empty() {
            let place = at % PAGE_LEN;
            let len = rest.len().min(PAGE_LEN - place);
            let (part, behind) = rest.split_at_mut(len);
            match u16::try_from(at / PAGE_LEN).ok().and_then(|page| self.pages.0.get(&page)) {
                Some(bytes) => part.copy_from_slice(&bytes[place..place + len]),
                None => part.fill(ERASED),
            }
            at += len;
            rest = behind;
        }
    }

    /// How many pages hold anything.
    pub fn pages_used(&self) -> usize {
        self.pages.0.len()
    }

    /// How often each sector was erased that ever was.
    pub fn erasures(&self) -> &BTreeMap<u16, u32> {
        &self.erasures
    }

    /// The first sector that was erased more often than the maker promises.
    pub fn worn_out(&self) -> Option<u16> {
        self.erasures.iter().find(|(_, count)| **count > self.config.endurance).map(|(sector, _)| *sector)
    }

    /// Whether the part programs or erases at `at` and so takes no command.
    pub fn is_busy(&self, at: Instant) -> bool {
        at < self.busy_until
    }

    /// Forgets how to take back what no power cut at or after `now` can reach, and steps of the past with it.
    ///
    /// A board calls this with the time of each input, before it lends the part to its firmware.
    pub fn settle(&mut self, now: Instant) {
        self.works.settle(now);
    }

    /// Power goes at `at`, which is never before the last [`Chip::settle`].
    ///
    /// Bytes that were programmed before `at` stay, the one under way reads as `torn` says, those behind it read as
    /// before. An erasure under way leaves all pages, none, or a mixture; it counts as one. The part is idle
    /// when power returns, and steps that were not drained are gone.
    pub fn cut(&mut self, at: Instant, torn: Torn) {
        for sector in self.works.cut(at, torn, &mut self.pages) {
            if let Some(count) = self.erasures.get_mut(&sector) {
                *count -= 1;
            }
        }
        self.erasures.retain(|_, count| *count > 0);
        self.phase = Phase::Idle;
        self.enabled = false;
        self.busy_until = Instant::ZERO;
    }

    /// The next durable step, in order of time; `None` when drained.
    ///
    /// A page program gives a `flash-byte` for each byte when it is begun (its page), an erasure a `flash-erase` in
    /// its middle (its sector): a cut at that time finds it under way. Reads and polls give none.
    pub fn poll_step(&mut self) -> Option<StoreStep> {
        self.works.poll_step()
    }

    /// Adds the full state, times as differences from now.
    pub fn digest(&self, now: Instant, into: &mut Digest) {
        for (page, bytes) in self.pages.0.iter().filter(|(_, bytes)| ***bytes != [ERASED; PAGE_LEN]) {
            into.word(u64::from(*page)).bytes(&bytes[..]);
        }
        into.word(u64::MAX);
        for (sector, count) in &self.erasures {
            into.word(u64::from(*sector)).word(u64::from(*count));
        }
        into.word(u64::MAX).flag(self.enabled).instant(self.busy_until);
        match &self.phase {
            Phase::Idle => into.word(0),
            Phase::Deaf => into.word(1),
            Phase::Status => into.word(2),
            Phase::Address { command, address, len } => {
                into.word(3).word(u64::from(*command)).word(u64::from(*address)).word(u64::from(*len))
            }
            Phase::Data(latch) => {
                into.word(4).word(u64::from(latch.page)).word(u64::from(latch.first)).bytes(&latch.bytes)
            }
            Phase::Reading(address) => into.word(5).word(u64::from(*address)),
        };
        self.works.digest(now, into);
    }

    /// How long so many bytes take on the bus, rounded up to a whole microsecond.
    pub(super) fn bytes_span(&self, count: u64) -> Span {
        Span::us((count * 8 * 1_000_000).div_ceil(u64::from(self.config.clock_hz.get())))
    }

    /// The select line goes low.
    pub(super) fn select(&mut self) {
        self.phase = Phase::Idle;
    }

    /// One byte each way, complete at `at`. A part that has nothing to say leaves its line high.
    pub(super) fn exchange(&mut self, at: Instant, byte: u8) -> u8 {
        let busy = self.is_busy(at);
        match &mut self.phase {
            Phase::Idle => {
                self.phase = self.take_command(byte, busy);
            }
            Phase::Address { command, address, len } => {
                *address = *address << 8 | u32::from(byte);
                *len = len.saturating_add(1);
                if *len == 3 {
                    let (command, address) = (*command, *address);
                    self.phase = self.take_address(command, address);
                }
            }
            Phase::Data(latch) => latch.bytes.push(byte),
            Phase::Status => return self.status(busy),
            Phase::Reading(_) => {
                let mut one = [0];
                self.give(&mut one);
                return one[0];
            }
            Phase::Deaf => {}
        }
        ERASED
    }

    /// Many bytes to the bus while it reads; false if it does not.
    pub(super) fn give(&mut self, buffer: &mut [u8]) -> bool {
        let Phase::Reading(address) = self.phase else { return false };
        let capacity = self.config.capacity();
        let mut at = address as usize % capacity;
        let mut rest = buffer;
        while !rest.is_empty() {
            let len = rest.len().min(capacity - at);
            let (part, behind) = rest.split_at_mut(len);
            self.read_out(at, part);
            at = (at + len) % capacity;
            rest = behind;
        }
        self.phase = Phase::Reading(u32::try_from(at).unwrap_or(0));
        true
    }

    fn status(&self, busy: bool) -> u8 {
        let enabled = if self.enabled { command::ENABLED } else { 0 };
        if busy { command::BUSY | command::ENABLED } else { enabled }
    }

    fn take_command(&mut self, byte: u8, busy: bool) -> Phase {
        match byte {
            command::STATUS => return Phase::Status,
            _ if busy => {}
            command::WRITE_ENABLE => self.enabled = true,
            command::WRITE_DISABLE => self.enabled = false,
            command::READ | command::PROGRAM | command::ERASE => {
                return Phase::Address { command: byte, address: 0, len: 0 };
            }
            _ => {}
        }
        Phase::Deaf
    }

    fn take_address(&self, command: u8, address: u32) -> Phase {
        let at = address as usize % self.config.capacity();
        match (command, u16::try_from(at / PAGE_LEN)) {
            (command::READ, _) => Phase::Reading(address),
            (_, Ok(page)) if self.enabled => {
                // An erasure goes by the address alone, and begins when the part is released.
                let first = u8::try_from(at % PAGE_LEN).unwrap_or(0);
                if command == command::ERASE {
                    Phase::Address { command, address, len: 3 }
                } else {
                    Phase::Data(Latch { page, first, bytes: Vec::new() })
                }
            }
            _ => Phase::Deaf,
        }
    }

    /// The select line goes high at `at`: a complete command begins its work.
    pub(super) fn release(&mut self, at: Instant) {
        match mem::replace(&mut self.phase, Phase::Idle) {
            Phase::Data(latch) if !latch.bytes.is_empty() => self.program(latch, at),
            Phase::Address { command: command::ERASE, address, len: 3 } => {
                self.erase(address as usize % self.config.capacity(), at);
            }
            _ => {}
        }
    }

    /// Applies the latched bytes, and keeps what they overwrote.
    fn program(&mut self, latch: Latch, at: Instant) {
        let Latch { page, first, mut bytes } = latch;
        // Of more than a page the last bytes count.
        let passed = bytes.len().saturating_sub(PAGE_LEN);
        bytes.drain(..passed);
        let first = (usize::from(first) + passed) % PAGE_LEN;
        for (nth, byte) in bytes.iter_mut().enumerate() {
            let place = (first + nth) % PAGE_LEN;
            let old = self.pages.get(page, place);
            self.pages.put(page, place, old & *byte);
            *byte = old;
        }
        let start = at + self.config.setup;
        self.busy_until = start + self.config.byte * bytes.len() as u64;
        self.enabled = false;
        let first = u8::try_from(first).unwrap_or(0);
        self.works.push(Work::Program { page, first, start, byte: self.config.byte, old: bytes });
    }

    /// Erases a sector, and keeps what it held.
    fn erase(&mut self, address: usize, at: Instant) {
        let sector = address / self.config.sector_len.get();
        let per_sector = self.config.sector_len.pages();
        let pages =
            (sector * per_sector..(sector + 1) * per_sector).filter_map(|page| u16::try_from(page).ok());
        let old = self.pages.take(pages);
        let Ok(sector) = u16::try_from(sector) else { return };
        let count = self.erasures.entry(sector).or_default();
        *count = count.saturating_add(1);
        self.busy_until = at + self.config.erase;
        self.enabled = false;
        self.works.push(Work::Erase { sector, start: at, end: self.busy_until, old });
    }
}
