//! The orders that a module keeps in flash, from before their first message to after their last.
//!
//! Shape: a ring of sectors. The first slot of each is its header, `magic(4) number u32 crc16`; orders follow it, a
//! slot of 64 bytes each: `commit(1) order(20) terms(8) crc16 pad(1) marks(32)`. Sectors are numbered as they are
//! opened.
//!
//! Why: the commit byte is programmed last, so that an order is there or not; each change of state is one byte behind
//! those before, and a byte that a power cut left half programmed is no mark. When the ring is full, what lives in the
//! oldest sector is copied to the newest, the old header is struck out, and only then is the sector free. Of two copies
//! the one in the newer sector counts.

use std::collections::BTreeMap;

use serde::Deserialize;
use thiserror::Error;

use super::frame::{OrderNumber, Terms};
use crate::digest::Digest;
use crate::flash::{Bus, Chip, DriverConfig, ERASED, Flash25};
use crate::time::Instant;

const CRC: crc::Crc<u16> = crc::Crc::<u16>::new(&crc::CRC_16_XMODEM);
const MAGIC: [u8; 4] = *b"ORDR";
const HEADER: usize = 10;
const SLOT: usize = 64;
const COMMIT: u8 = 0x5A;
/// Where the check lies that covers order and terms.
const CHECK: usize = 1 + 20 + Terms::LEN;
/// Where the marks begin.
const MARKS: usize = 32;

/// How a module divides its flash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreConfig {
    /// How many sectors the orders have; two at the least.
    pub sectors: u16,
    /// How many bytes a sector has, as the firmware takes it.
    pub sector_len: u32,
}

impl StoreConfig {
    /// How many orders a sector has room for.
    const fn slots(&self) -> usize {
        self.sector_len as usize / SLOT - 1
    }
}

/// How far an order has come, as the module knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum State {
    /// The host has asked for it.
    New = 1,
    /// The server may have been asked for it.
    LinkReq = 2,
    /// It can be paid.
    AwaitPay = 3,
    /// It is paid.
    Paid = 4,
    /// It is no longer wanted, and the server has not said yet that nothing can come of it.
    Closing = 5,
    /// Nothing can come of it.
    Closed = 6,
    /// The pulse may have begun.
    Delivering = 7,
    /// The pulse has ended.
    Delivered = 8,
    /// Nobody knows whether the pulse has come.
    Doubt = 9,
    /// The server has refused it.
    Refused = 10,
    /// The money has gone back.
    Refunded = 11,
    /// Host and server know how it ended.
    Settled = 12,
}

impl State {
    const ALL: [Self; 12] = [
        Self::New,
        Self::LinkReq,
        Self::AwaitPay,
        Self::Paid,
        Self::Closing,
        Self::Closed,
        Self::Delivering,
        Self::Delivered,
        Self::Doubt,
        Self::Refused,
        Self::Refunded,
        Self::Settled,
    ];

    /// In a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::LinkReq => "link-requested",
            Self::AwaitPay => "awaiting-payment",
            Self::Paid => "paid",
            Self::Closing => "closing",
            Self::Closed => "closed",
            Self::Delivering => "delivering",
            Self::Delivered => "delivered",
            Self::Doubt => "delivery-doubt",
            Self::Refused => "refused",
            Self::Refunded => "refunded",
            Self::Settled => "settled",
        }
    }

    /// Whether the payer may still pay it, as far as the module knows.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::New | Self::LinkReq | Self::AwaitPay | Self::Closing)
    }

    /// Its mark. Why: four bits are cleared in each, so that a mark half programmed is none.
    const fn mark(self) -> u8 {
        let number = self as u8;
        number << 4 | (!number & 0x0F)
    }

    fn of_mark(mark: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.mark() == mark)
    }
}

/// Why the flash cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum StoreError {
    /// The part does not get ready.
    #[error("the flash does not answer")]
    Silent,
    /// There is no room for another order.
    #[error("the flash is full")]
    Full,
}

/// The flash during one input, and how far the firmware has run ahead on it.
pub struct Memory<'a> {
    driver: Flash25<Bus<'a>>,
    config: StoreConfig,
}

impl<'a> Memory<'a> {
    /// Borrows the part from `at` on.
    pub fn new(chip: &'a mut Chip, at: Instant, driver: DriverConfig, config: StoreConfig) -> Self {
        Self { driver: Flash25::new(Bus::new(chip, at), driver), config }
    }

    /// The time on the bus.
    pub fn at(&self) -> Instant {
        self.driver.spi().at()
    }

    fn address(&self, sector: u16, place: usize) -> u32 {
        u32::from(sector) * self.config.sector_len + u32::try_from(place).unwrap_or(0)
    }

    fn read(&mut self, sector: u16, place: usize, buffer: &mut [u8]) -> Result<(), StoreError> {
        self.driver.read(self.address(sector, place), buffer).map_err(|_| StoreError::Silent)
    }

    fn program(&mut self, sector: u16, place: usize, bytes: &[u8]) -> Result<(), StoreError> {
        self.driver.program(self.address(sector, place), bytes).map_err(|_| StoreError::Silent)
    }

    fn erase(&mut self, sector: u16) -> Result<(), StoreError> {
        self.driver.erase(self.address(sector, 0)).map_err(|_| StoreError::Silent)
    }
}

/// Where an order lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    sector: u16,
    slot: usize,
}

/// An order in flash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its terms.
    pub terms: Terms,
    /// How far it has come.
    pub state: State,
    place: Place,
    /// How many marks were begun.
    marks: usize,
    /// The last state but [`State::Settled`].
    ended: State,
}

impl Kept {
    /// How it ended, or how far it has come.
    pub const fn standing(&self) -> State {
        self.ended
    }
}

/// What the firmware knows of a sector of the ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sector {
    /// Not in use; whether it is wholly erased is known or not.
    Free { erased: bool },
    /// In use, the so-manieth that was opened.
    Used { number: u32 },
}

/// The state of the store, as the firmware knows it.
#[derive(Clone, Debug, Default)]
pub struct Store {
    sectors: Vec<Sector>,
    /// The newest sector, its number, and its next free slot.
    head: Option<(u16, u32, usize)>,
    orders: BTreeMap<OrderNumber, Kept>,
}

impl Store {
    /// Reads the orders, as firmware does at power-on.
    ///
    /// Errors: [`StoreError::Silent`].
    pub fn load(memory: &mut Memory<'_>) -> Result<Self, StoreError> {
        let mut store = Self::default();
        let mut used = Vec::new();
        for sector in 0..memory.config.sectors {
            let mut header = [0; HEADER];
            memory.read(sector, 0, &mut header)?;
            store.sectors.push(match header_number(&header) {
                Some(number) => {
                    used.push((number, sector));
                    Sector::Used { number }
                }
                None => Sector::Free { erased: false },
            });
        }
        used.sort_unstable();
        for (number, sector) in used {
            let next = store.scan(memory, sector)?;
            store.head = Some((sector, number, next));
        }
        Ok(store)
    }

    /// What a part holds, as somebody reads it who takes it out.
    ///
    /// Errors: [`StoreError::Silent`].
    pub fn read_out(chip: &Chip, driver: DriverConfig, config: StoreConfig) -> Result<Self, StoreError> {
        let mut copy = chip.clone();
        copy.settle(Instant::from_us(u64::MAX / 4));
        Self::load(&mut Memory::new(&mut copy, Instant::from_us(u64::MAX / 4), driver, config))
    }

    /// Reads a sector; returns the first slot that nothing has been written to.
    fn scan(&mut self, memory: &mut Memory<'_>, sector: u16) -> Result<usize, StoreError> {
        let mut bytes = vec![0; memory.config.sector_len as usize];
        memory.read(sector, 0, &mut bytes)?;
        let mut next = 1;
        let (slots, _) = bytes.as_chunks::<SLOT>();
        for (slot, bytes) in slots.iter().enumerate().skip(1) {
            if *bytes == [ERASED; SLOT] {
                continue;
            }
            next = slot + 1;
            if let Some((order, kept)) = decode(bytes, Place { sector, slot }) {
                self.orders.insert(order, kept);
            }
        }
        Ok(next)
    }

    /// An order.
    pub fn order(&self, order: OrderNumber) -> Option<&Kept> {
        self.orders.get(&order)
    }

    /// Every order that is kept.
    pub fn orders(&self) -> impl Iterator<Item = (OrderNumber, &Kept)> {
        self.orders.iter().map(|(order, kept)| (*order, kept))
    }

    /// Writes an order that is [`State::New`]; it is there when its commit byte is programmed.
    ///
    /// Errors: [`StoreError::Full`] before anything is written, [`StoreError::Silent`].
    pub fn append(
        &mut self,
        memory: &mut Memory<'_>,
        order: OrderNumber,
        terms: Terms,
    ) -> Result<(), StoreError> {
        self.make_room(memory)?;
        self.write(memory, order, terms, State::New)
    }

    /// Marks how far an order has come.
    ///
    /// Errors: [`StoreError`].
    pub fn mark(
        &mut self,
        memory: &mut Memory<'_>,
        order: OrderNumber,
        state: State,
    ) -> Result<(), StoreError> {
        let Some(kept) = self.orders.get_mut(&order) else { return Ok(()) };
        if kept.marks == SLOT - MARKS {
            let terms = kept.terms;
            self.make_room(memory)?;
            return self.write(memory, order, terms, state);
        }
        let (place, at) = (kept.place, kept.place.slot * SLOT + MARKS + kept.marks);
        kept.marks += 1;
        kept.state = state;
        if state != State::Settled {
            kept.ended = state;
        }
        memory.program(place.sector, at, &[state.mark()])
    }

    /// Adds what decides on what comes.
    pub fn digest(&self, into: &mut Digest) {
        for sector in &self.sectors {
            match sector {
                Sector::Free { erased } => into.word(0).flag(*erased),
                Sector::Used { number } => into.word(1).word(u64::from(*number)),
            };
        }
        for (order, kept) in &self.orders {
            into.bytes(order.digits()).text(kept.state.as_str()).text(kept.ended.as_str());
            into.word(kept.marks as u64).word(u64::from(kept.place.sector)).word(kept.place.slot as u64);
        }
        into.word(self.head.map_or(0, |(_, _, next)| next as u64));
    }

    /// Sees to it that the newest sector has a slot free. One sector is always left to move to.
    fn make_room(&mut self, memory: &mut Memory<'_>) -> Result<(), StoreError> {
        let slots = memory.config.slots();
        if self.head.is_some_and(|(_, _, next)| next <= slots) {
            return Ok(());
        }
        let live = self.orders.values().filter(|kept| kept.state != State::Settled).count();
        if live >= self.sectors.len().saturating_sub(1) * slots {
            return Err(StoreError::Full);
        }
        for _ in 0..=self.sectors.len() {
            if self.head.is_some_and(|(_, _, next)| next <= slots) {
                return Ok(());
            }
            self.open_sector(memory)?;
            if !self.sectors.iter().any(|sector| matches!(sector, Sector::Free { .. })) {
                self.reclaim_oldest(memory)?;
            }
        }
        Err(StoreError::Full)
    }

    /// Opens a sector that is free.
    fn open_sector(&mut self, memory: &mut Memory<'_>) -> Result<(), StoreError> {
        let number = self.head.map_or(1, |(_, number, _)| number + 1);
        let after = self.head.map_or(0, |(sector, _, _)| usize::from(sector) + 1);
        let count = self.sectors.len();
        let free = (0..count).map(|nth| (after + nth) % count.max(1));
        let free = free.filter(|at| matches!(self.sectors[*at], Sector::Free { .. }));
        let Some(at) = free.clone().next() else { return Err(StoreError::Full) };
        let Ok(sector) = u16::try_from(at) else { return Err(StoreError::Full) };
        if self.sectors[at] == (Sector::Free { erased: false }) {
            memory.erase(sector)?;
        }
        memory.program(sector, 0, &header(number))?;
        self.sectors[at] = Sector::Used { number };
        self.head = Some((sector, number, 1));
        Ok(())
    }

    /// Copies what lives in the oldest sector to the newest and strikes it out; what is settled in it is forgotten.
    fn reclaim_oldest(&mut self, memory: &mut Memory<'_>) -> Result<(), StoreError> {
        let used = self.sectors.iter().enumerate().filter_map(|(at, sector)| match sector {
            Sector::Used { number } => Some((*number, at)),
            Sector::Free { .. } => None,
        });
        let Some((_, at)) = used.min() else { return Ok(()) };
        let Ok(sector) = u16::try_from(at) else { return Ok(()) };
        if self.head.is_some_and(|(head, _, _)| head == sector) {
            return Ok(());
        }
        let in_it: Vec<(OrderNumber, Kept)> = self
            .orders
            .iter()
            .filter(|(_, kept)| kept.place.sector == sector)
            .map(|(order, kept)| (*order, kept.clone()))
            .collect();
        for (order, kept) in in_it {
            if kept.state == State::Settled {
                self.orders.remove(&order);
            } else {
                // The newest sector has just been opened, and has as many slots.
                self.write(memory, order, kept.terms, kept.state)?;
            }
        }
        memory.program(sector, 0, &[0; HEADER])?;
        self.sectors[at] = Sector::Free { erased: false };
        Ok(())
    }

    /// Writes an order to the next free slot of the newest sector.
    fn write(
        &mut self,
        memory: &mut Memory<'_>,
        order: OrderNumber,
        terms: Terms,
        state: State,
    ) -> Result<(), StoreError> {
        let Some((sector, _, slot)) = &mut self.head else { return Err(StoreError::Full) };
        let place = Place { sector: *sector, slot: *slot };
        *slot += 1;
        let at = place.slot * SLOT;
        let mut bytes = encode(order, terms);
        bytes.push(state.mark());
        memory.program(place.sector, at + 1, &bytes)?;
        memory.program(place.sector, at, &[COMMIT])?;
        self.orders.insert(order, Kept { terms, state, place, marks: 1, ended: state });
        Ok(())
    }
}

/// A slot from behind its commit byte up to its marks.
fn encode(order: OrderNumber, terms: Terms) -> Vec<u8> {
    let mut bytes = order.digits().to_vec();
    terms.encode(&mut bytes);
    let check = CRC.checksum(&bytes);
    bytes.extend_from_slice(&check.to_be_bytes());
    bytes.resize(MARKS - 1, ERASED);
    bytes
}

fn decode(bytes: &[u8; SLOT], place: Place) -> Option<(OrderNumber, Kept)> {
    let covered = bytes.get(1..CHECK)?;
    if bytes[0] != COMMIT || CRC.checksum(covered).to_be_bytes() != bytes[CHECK..CHECK + 2] {
        return None;
    }
    let order = OrderNumber::parse(&bytes[1..21]).ok()?;
    let terms = Terms::decode(&bytes[21..CHECK])?;
    let begun = &bytes[MARKS..];
    let marks = begun.iter().rposition(|mark| *mark != ERASED).map_or(0, |at| at + 1);
    let states = || begun[..marks].iter().rev().filter_map(|mark| State::of_mark(*mark));
    let state = states().next().unwrap_or(State::New);
    let ended = states().find(|state| *state != State::Settled).unwrap_or(State::New);
    Some((order, Kept { terms, state, place, marks, ended }))
}

fn header(number: u32) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    header[..4].copy_from_slice(&MAGIC);
    header[4..8].copy_from_slice(&number.to_be_bytes());
    let check = CRC.checksum(&header[..8]);
    header[8..].copy_from_slice(&check.to_be_bytes());
    header
}

fn header_number(bytes: &[u8; HEADER]) -> Option<u32> {
    let sound = bytes.starts_with(&MAGIC) && CRC.checksum(&bytes[..8]).to_be_bytes() == bytes[8..];
    sound.then(|| u32::from_be_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]))
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
