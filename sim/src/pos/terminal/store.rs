//! The sales that a terminal keeps in flash: the one that is pending, and records until they are deleted.
//!
//! Shape: behind the installation lies a ring of sectors. The first slot of each is its header, `magic(4) number(4)
//! crc16(2)`; entries follow it slot by slot. Sectors are numbered in the order in which they were opened.
//!
//! Why: an entry is written once and then only marked, a byte at a time, so that each change is one step that a power
//! cut finds done or not done. A sector is erased when what lives in it has been copied to the newest one; its header
//! is struck out before, so that a half-erased sector is never read. What a cut leaves double carries one number, and
//! the newer copy counts.

use std::collections::{BTreeMap, VecDeque};

use serde::Deserialize;
use thiserror::Error;

use super::entry::{Entry, MARKS, Mark, Marks, SLOT, Sale, SaleKind};
use super::installed::{HEAD, Installed};
use super::policy::EntryCheck;
use crate::digest::Digest;
use crate::flash::{Bus, Chip, DriverConfig, ERASED, Flash25};
use crate::time::Instant;

const MAGIC: [u8; 4] = *b"SALE";
const HEADER: usize = 10;
const CRC: crc::Crc<u16> = crc::Crc::<u16>::new(&crc::CRC_16_XMODEM);

/// How a terminal divides its flash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreConfig {
    /// How many sectors the installation has.
    pub install_sectors: u16,
    /// How many sectors the sales have.
    pub sale_sectors: u16,
    /// How many bytes a sector has, as the firmware takes it.
    pub sector_len: u32,
    /// How many records it keeps.
    pub records_max: usize,
}

/// A division that cannot work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{sectors} sectors of sales have no room for {records_max} records and for moving them")]
pub struct TooFewSectors {
    sectors: u16,
    records_max: usize,
}

impl StoreConfig {
    /// How many entries a sector has room for.
    fn slots(&self) -> usize {
        self.sector_len as usize / SLOT - 1
    }

    /// Holds that a quarter of the sectors is room for moving, two at the least.
    ///
    /// Errors: [`TooFewSectors`].
    pub fn check(&self) -> Result<(), TooFewSectors> {
        let room = usize::from(self.sale_sectors).saturating_sub(2) * self.slots();
        if self.slots() > 0 && self.records_max + 2 <= room / 4 * 3 {
            Ok(())
        } else {
            Err(TooFewSectors { sectors: self.sale_sectors, records_max: self.records_max })
        }
    }
}

/// How a terminal uses its flash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreRules {
    /// How it is divided.
    pub config: StoreConfig,
    /// What makes an entry valid.
    pub check: EntryCheck,
    /// How the part is driven.
    pub driver: DriverConfig,
}

/// Why the flash cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum StoreError {
    /// The part does not get ready.
    #[error("the flash does not answer")]
    Silent,
    /// The installation is damaged or missing.
    #[error("the installation in the flash is damaged")]
    BadInstallation,
    /// There is no room for another entry.
    #[error("the flash is full")]
    Full,
}

/// The flash during one input, and how far the firmware has run ahead on it.
pub struct Session<'a> {
    driver: Flash25<Bus<'a>>,
    rules: StoreRules,
}

impl<'a> Session<'a> {
    /// Borrows the part from `at` on.
    pub fn new(chip: &'a mut Chip, at: Instant, rules: StoreRules) -> Self {
        Self { driver: Flash25::new(Bus::new(chip, at), rules.driver), rules }
    }

    /// The time on the bus.
    pub fn at(&self) -> Instant {
        self.driver.spi().at()
    }

    fn address(&self, sector: u16, place: usize) -> u32 {
        let sector = u32::from(self.rules.config.install_sectors) + u32::from(sector);
        sector * self.rules.config.sector_len + u32::try_from(place).unwrap_or(0)
    }

    fn read(&mut self, sector: u16, place: usize, buffer: &mut [u8]) -> Result<(), StoreError> {
        let address = self.address(sector, place);
        self.driver.read(address, buffer).map_err(|_| StoreError::Silent)
    }

    fn program(&mut self, sector: u16, place: usize, bytes: &[u8]) -> Result<(), StoreError> {
        let address = self.address(sector, place);
        self.driver.program(address, bytes).map_err(|_| StoreError::Silent)
    }

    fn erase(&mut self, sector: u16) -> Result<(), StoreError> {
        let address = self.address(sector, 0);
        self.driver.erase(address).map_err(|_| StoreError::Silent)
    }

    fn slot(&mut self, place: Place) -> Result<[u8; SLOT], StoreError> {
        let mut slot = [0; SLOT];
        self.read(place.sector, place.slot * SLOT, &mut slot)?;
        Ok(slot)
    }

    fn installed(&mut self) -> Result<Installed, StoreError> {
        let mut head = [0; HEAD];
        self.driver.read(0, &mut head).map_err(|_| StoreError::Silent)?;
        let room = usize::from(self.rules.config.install_sectors) * self.rules.config.sector_len as usize;
        let len = Installed::rest_len(&head).filter(|len| HEAD + len <= room);
        let mut rest = vec![0; len.ok_or(StoreError::BadInstallation)?];
        let behind = u32::try_from(HEAD).unwrap_or(0);
        self.driver.read(behind, &mut rest).map_err(|_| StoreError::Silent)?;
        Installed::parse(&head, &rest).ok_or(StoreError::BadInstallation)
    }
}

/// Where an entry lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    sector: u16,
    slot: usize,
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
    /// The newest sale.
    last: Option<(Place, Sale, Marks)>,
    /// Where the records lie, oldest first, and their numbers.
    records: VecDeque<(u32, Place)>,
}

impl Store {
    /// Reads installation and sales, as firmware does at power-on, and strikes out what a power cut left double.
    ///
    /// Errors: [`StoreError::Silent`], [`StoreError::BadInstallation`].
    pub fn load(session: &mut Session<'_>) -> Result<(Self, Installed), StoreError> {
        let installed = session.installed()?;
        let mut store = Self::default();
        let mut used = Vec::new();
        for sector in 0..session.rules.config.sale_sectors {
            let mut header = [0; HEADER];
            session.read(sector, 0, &mut header)?;
            let state = match header_number(&header) {
                Some(number) => {
                    used.push((number, sector));
                    Sector::Used { number }
                }
                None => Sector::Free { erased: false },
            };
            store.sectors.push(state);
        }
        used.sort_unstable();
        let mut found = BTreeMap::new();
        for (number, sector) in used {
            let next = store.scan(session, sector, &mut found)?;
            store.head = Some((sector, number, next));
        }
        let newest = found.keys().next_back().copied();
        for (number, (place, entry)) in found {
            if Sale::is_record(entry.marks) {
                store.records.push_back((number, place));
            }
            if Some(number) == newest {
                store.last = Some(store.with_code(session, place, entry)?);
            }
        }
        Ok((store, installed))
    }

    /// Reads a sector; of two entries with one number the later counts, and the earlier is struck out. Returns the
    /// first slot that nothing has been written to.
    fn scan(
        &self,
        session: &mut Session<'_>,
        sector: u16,
        found: &mut BTreeMap<u32, (Place, Entry)>,
    ) -> Result<usize, StoreError> {
        let mut bytes = vec![0; session.rules.config.sector_len as usize];
        session.read(sector, 0, &mut bytes)?;
        let mut next = 1;
        let (slots, _) = bytes.as_chunks::<SLOT>();
        for (slot, bytes) in slots.iter().enumerate().skip(1) {
            if *bytes == [ERASED; SLOT] {
                continue;
            }
            next = slot + 1;
            let Some(entry) = Sale::decode(bytes, session.rules.check) else { continue };
            let place = Place { sector, slot };
            let older = found.insert(entry.sale.number, (place, entry));
            if let Some((older, entry)) = older
                && !entry.marks.has(Mark::Done)
            {
                set_mark(session, older, Mark::Done)?;
            }
        }
        Ok(next)
    }

    /// The newest sale with its scanned code, if it has one that is still needed.
    fn with_code(
        &self,
        session: &mut Session<'_>,
        place: Place,
        mut entry: Entry,
    ) -> Result<(Place, Sale, Marks), StoreError> {
        if Sale::is_pending(entry.marks) && entry.sale.kind == SaleKind::Scan {
            let mut parts = Vec::new();
            for slot in place.slot.saturating_sub(entry.parts).max(1)..place.slot {
                parts.push(session.slot(Place { slot, ..place })?);
            }
            if parts.len() != entry.parts || !entry.take_code(&parts) {
                set_mark(session, place, Mark::Done)?;
                entry.marks.set(Mark::Done);
            }
        }
        Ok((place, entry.sale, entry.marks))
    }

    /// The newest sale and its marks.
    pub fn last(&self) -> Option<(&Sale, Marks)> {
        self.last.as_ref().map(|(_, sale, marks)| (sale, *marks))
    }

    /// The sale that is pending.
    pub fn pending(&self) -> Option<&Sale> {
        self.last().filter(|(_, marks)| Sale::is_pending(*marks)).map(|(sale, _)| sale)
    }

    /// How many records there are.
    pub fn records_len(&self) -> usize {
        self.records.len()
    }

    /// The number of the oldest record.
    pub fn oldest(&self) -> Option<u32> {
        self.records.front().map(|(number, _)| *number)
    }

    /// Reads the record that comes after so many older ones.
    ///
    /// Errors: [`StoreError::Silent`].
    pub fn read_record(&self, session: &mut Session<'_>, nth: usize) -> Result<Option<Sale>, StoreError> {
        let Some((_, place)) = self.records.get(nth) else { return Ok(None) };
        let slot = session.slot(*place)?;
        Ok(Sale::decode(&slot, EntryCheck::Begun).map(|entry| entry.sale))
    }

    /// Writes a sale with its marks; it is there when its last byte is programmed.
    ///
    /// Errors: [`StoreError::Full`] before anything is written, [`StoreError::Silent`].
    pub fn append(&mut self, session: &mut Session<'_>, sale: Sale, marks: Marks) -> Result<(), StoreError> {
        let place = self.write(session, &sale, marks)?;
        if Sale::is_record(marks) {
            self.records.push_back((sale.number, place));
        }
        self.last = Some((place, sale, marks));
        Ok(())
    }

    /// Marks the newest sale.
    ///
    /// Errors: [`StoreError::Silent`].
    pub fn mark(&mut self, session: &mut Session<'_>, mark: Mark) -> Result<(), StoreError> {
        let Some((place, sale, marks)) = &mut self.last else { return Ok(()) };
        if marks.has(mark) {
            return Ok(());
        }
        set_mark(session, *place, mark)?;
        marks.set(mark);
        if mark == Mark::Booked && Sale::is_record(*marks) {
            self.records.push_back((sale.number, *place));
        }
        Ok(())
    }

    /// Deletes a record.
    ///
    /// Errors: [`StoreError::Silent`].
    pub fn delete(&mut self, session: &mut Session<'_>, number: u32) -> Result<(), StoreError> {
        let Some(at) = self.records.iter().position(|(record, _)| *record == number) else { return Ok(()) };
        let Some((_, place)) = self.records.remove(at) else { return Ok(()) };
        if let Some((_, sale, marks)) = &mut self.last
            && sale.number == number
        {
            marks.set(Mark::Done);
        }
        set_mark(session, place, Mark::Done)
    }

    fn write(&mut self, session: &mut Session<'_>, sale: &Sale, marks: Marks) -> Result<Place, StoreError> {
        let (sector, _, next) = self.make_room(session, sale.slots())?;
        let mut slot = next;
        for bytes in sale.encode(marks) {
            // What is erased stays so: blank marks are not programmed.
            let from = if bytes[..MARKS] == [ERASED; MARKS] { MARKS } else { 0 };
            // Counted first, so that a slot that fails halfway is not written to again.
            if let Some((_, _, next)) = &mut self.head {
                *next += 1;
            }
            session.program(sector, slot * SLOT + from, &bytes[from..])?;
            slot += 1;
        }
        Ok(Place { sector, slot: slot - 1 })
    }

    /// Sees to it that the newest sector has room for so many slots; returns sector, number and next slot.
    fn make_room(
        &mut self,
        session: &mut Session<'_>,
        slots: usize,
    ) -> Result<(u16, u32, usize), StoreError> {
        let per_sector = session.rules.config.slots();
        // A power cut may have left no sector free.
        if self.head.is_some() && self.next_free().is_none() {
            self.collect(session)?;
        }
        let fits = |head: &(u16, u32, usize)| head.2 + slots <= per_sector + 1;
        if let Some(head) = self.head.filter(fits) {
            return Ok(head);
        }
        self.open(session)?;
        if self.next_free().is_none() {
            self.collect(session)?;
        }
        self.head.filter(fits).ok_or(StoreError::Full)
    }

    /// The free sector that comes next round the ring.
    fn next_free(&self) -> Option<u16> {
        let first = self.head.map_or(0, |(sector, ..)| usize::from(sector) + 1);
        let len = self.sectors.len();
        let free = |at: &usize| matches!(self.sectors[*at], Sector::Free { .. });
        (first..first + len).map(|at| at % len.max(1)).find(free).and_then(|at| u16::try_from(at).ok())
    }

    /// Begins a new sector.
    fn open(&mut self, session: &mut Session<'_>) -> Result<(), StoreError> {
        let sector = self.next_free().ok_or(StoreError::Full)?;
        if self.sectors[usize::from(sector)] != (Sector::Free { erased: true }) {
            session.erase(sector)?;
        }
        self.sectors[usize::from(sector)] = Sector::Free { erased: false };
        let number = self.head.map_or(0, |(_, number, _)| number + 1);
        session.program(sector, 0, &header(number))?;
        self.sectors[usize::from(sector)] = Sector::Used { number };
        self.head = Some((sector, number, 1));
        Ok(())
    }

    /// Copies what lives in the sector with the least of it to the newest one, and erases it.
    fn collect(&mut self, session: &mut Session<'_>) -> Result<(), StoreError> {
        let Some((head, ..)) = self.head else { return Ok(()) };
        let mut lives: BTreeMap<u16, usize> = BTreeMap::new();
        for (sector, state) in (0..).zip(&self.sectors) {
            if matches!(state, Sector::Used { .. }) && sector != head {
                lives.insert(sector, 0);
            }
        }
        let last = self.last.as_ref().map(|(place, ..)| *place);
        for place in self.records.iter().map(|(_, place)| *place).chain(last) {
            lives.entry(place.sector).and_modify(|count| *count += 1);
        }
        let Some((victim, _)) = lives.iter().min_by_key(|(_, count)| **count) else { return Ok(()) };
        self.move_out(session, *victim)?;
        session.program(*victim, 0, &[0; HEADER])?;
        self.sectors[usize::from(*victim)] = Sector::Free { erased: false };
        session.erase(*victim)?;
        self.sectors[usize::from(*victim)] = Sector::Free { erased: true };
        Ok(())
    }

    /// Copies every record and the newest sale out of a sector.
    fn move_out(&mut self, session: &mut Session<'_>, victim: u16) -> Result<(), StoreError> {
        for at in 0..self.records.len() {
            let (_, place) = self.records[at];
            if place.sector == victim {
                self.records[at].1 = self.copy(session, place)?;
            }
        }
        if let Some((place, sale, _)) = &self.last
            && place.sector == victim
        {
            let number = sale.number;
            let moved = self.records.iter().find(|(record, _)| *record == number).map(|(_, place)| *place);
            let place = match moved {
                Some(place) => place,
                None => self.copy(session, *place)?,
            };
            if let Some(last) = &mut self.last {
                last.0 = place;
            }
        }
        Ok(())
    }

    /// Copies an entry that is booked or done to the newest sector; its code, if it had one, is not needed any more.
    fn copy(&mut self, session: &mut Session<'_>, from: Place) -> Result<Place, StoreError> {
        let slot = session.slot(from)?;
        let Some(Entry { sale, marks, .. }) = Sale::decode(&slot, EntryCheck::Begun) else { return Ok(from) };
        let (sector, _, next) = self.head.ok_or(StoreError::Full)?;
        if next > session.rules.config.slots() {
            return Err(StoreError::Full);
        }
        let to = Place { sector, slot: next };
        if let Some((_, _, next)) = &mut self.head {
            *next += 1;
        }
        for bytes in sale.encode(marks) {
            session.program(to.sector, to.slot * SLOT, &bytes)?;
        }
        Ok(to)
    }

    /// Adds the state.
    pub fn digest(&self, into: &mut Digest) {
        for sector in &self.sectors {
            match sector {
                Sector::Free { erased } => into.word(0).flag(*erased),
                Sector::Used { number } => into.word(1).word(u64::from(*number)),
            };
        }
        if let Some((sector, number, next)) = self.head {
            into.word(u64::from(sector)).word(u64::from(number)).word(next as u64);
        }
        into.flag(self.last.is_some());
        if let Some((place, sale, marks)) = &self.last {
            into.word(u64::from(place.sector)).word(place.slot as u64);
            sale.digest(into);
            for mark in [Mark::Booked, Mark::Done, Mark::Refused, Mark::Told] {
                into.flag(marks.has(mark));
            }
        }
        into.word(self.records.len() as u64);
        for (number, place) in &self.records {
            into.word(u64::from(*number)).word(u64::from(place.sector)).word(place.slot as u64);
        }
    }

    /// Everything in a flash that was taken out of its board: installation, records oldest first, pending sale,
    /// newest sale.
    ///
    /// Errors: [`StoreError::BadInstallation`].
    pub fn read_out(chip: &Chip, rules: StoreRules) -> Result<Content, StoreError> {
        let mut chip = chip.clone();
        let mut session = Session::new(&mut chip, Instant::from_us(u64::MAX / 2), rules);
        let (store, installed) = Self::load(&mut session)?;
        let mut records = Vec::new();
        for (_, place) in &store.records {
            let slot = session.slot(*place)?;
            records.extend(Sale::decode(&slot, EntryCheck::Begun).map(|entry| entry.sale));
        }
        let pending = store.pending().cloned();
        let last = store.last.map(|(_, sale, marks)| (sale, marks));
        Ok(Content { installed, records, pending, last })
    }
}

/// What a flash holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// What the installer programmed.
    pub installed: Installed,
    /// The records, oldest first.
    pub records: Vec<Sale>,
    /// The sale that is pending.
    pub pending: Option<Sale>,
    /// The newest sale and its marks.
    pub last: Option<(Sale, Marks)>,
}

/// Writes the first record of a part before it is fitted.
pub fn install_record(chip: &mut Chip, config: &StoreConfig, sale: &Sale) {
    let sector = usize::from(config.install_sectors) * config.sector_len as usize;
    chip.install(sector, &header(0));
    for (slot, bytes) in (1..).zip(sale.encode(Marks::with(&[Mark::Booked]))) {
        chip.install(sector + slot * SLOT, &bytes);
    }
}

fn set_mark(session: &mut Session<'_>, place: Place, mark: Mark) -> Result<(), StoreError> {
    session.program(place.sector, place.slot * SLOT + mark as usize, &[0])
}

fn header(number: u32) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    header[..4].copy_from_slice(&MAGIC);
    header[4..8].copy_from_slice(&number.to_be_bytes());
    let crc = CRC.checksum(&header[..8]);
    header[8..].copy_from_slice(&crc.to_be_bytes());
    header
}

fn header_number(header: &[u8; HEADER]) -> Option<u32> {
    let crc = CRC.checksum(&header[..8]).to_be_bytes();
    let number = u32::from_be_bytes([header[4], header[5], header[6], header[7]]);
    (header[..4] == MAGIC && header[8..] == crc).then_some(number)
}
