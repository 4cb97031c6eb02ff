//! What a terminal keeps in its 24C02: its configuration, and two slots for results that the server has not
//! confirmed.
//!
//! Shape: 0–7 magic and version, 8–13 server (IPv4, port), 14–18 machine number (BCD), 19–20 heartbeat in seconds,
//! 94–95 CRC-16 over 0–93. Bodies at 104 and 168: `seq(2) len(1) frame(len) crc16(2)`, the CRC over all before it.
//! `verified` marks at 232 and 233, `done` marks at 240 and 248, a page each. A mark is set when it equals the low
//! byte of its slot's seq; anything else is not set.
//!
//! Why: torn scope may be a whole page, so no mark whose loss could lose a record shares a page with another
//! slot's. The two `verified` marks do share one: a lost one only turns a written result into one in doubt, and a
//! mark is not written while the other slot's record is one in doubt.

use std::net::{Ipv4Addr, SocketAddrV4};

use thiserror::Error;

use super::policy::{ConfigCheck, RecordCheck, SlotUse};
use crate::digest::Digest;
use crate::eeprom::{Bus, CAPACITY, Chip, DriverConfig, Eeprom24c02};
use crate::time::Instant;
use crate::water::frame::{MachineNumber, crc16_xmodem};

/// How many slots there are.
pub const SLOTS: usize = 2;
const CONFIG_LEN: usize = 96;
const CONFIG_CRC_AT: usize = 94;
const MAGIC: [u8; 8] = *b"ASWATER1";
const BODY_AT: [u8; SLOTS] = [104, 168];
const VERIFIED_AT: [u8; SLOTS] = [232, 233];
const DONE_AT: [u8; SLOTS] = [240, 248];
const UNALIGNED_BODY_AT: u8 = 100;
const BODY_LEN: usize = 64;
const FRAME_LEN_MIN: usize = 14;
const FRAME_LEN_MAX: usize = 59;

/// What the installer programmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Installed {
    /// Where the message server is.
    pub server: SocketAddrV4,
    /// This terminal's number.
    pub machine: MachineNumber,
    /// The heartbeat's period.
    ///
    /// Units: seconds.
    pub heartbeat_s: u16,
}

impl Installed {
    /// A whole memory with this configuration and empty slots.
    pub fn image(&self) -> [u8; CAPACITY] {
        let mut image = [0xFF; CAPACITY];
        image[..8].copy_from_slice(&MAGIC);
        image[8..12].copy_from_slice(&self.server.ip().octets());
        image[12..14].copy_from_slice(&self.server.port().to_be_bytes());
        image[14..19].copy_from_slice(&self.machine.to_bcd());
        image[19..21].copy_from_slice(&self.heartbeat_s.to_be_bytes());
        let crc = crc16_xmodem(&image[..CONFIG_CRC_AT]);
        image[CONFIG_CRC_AT..CONFIG_LEN].copy_from_slice(&crc.to_be_bytes());
        image
    }

    fn parse(bytes: &[u8; CONFIG_LEN], check: ConfigCheck) -> Option<Self> {
        let crc = crc16_xmodem(&bytes[..CONFIG_CRC_AT]);
        let sound = crc.to_be_bytes() == bytes[CONFIG_CRC_AT..] && bytes[..8] == MAGIC;
        if check == ConfigCheck::Crc && !sound {
            return None;
        }
        let word = |at: usize| u16::from_be_bytes([bytes[at], bytes[at + 1]]);
        let ip = Ipv4Addr::new(bytes[8], bytes[9], bytes[10], bytes[11]);
        let machine = [bytes[14], bytes[15], bytes[16], bytes[17], bytes[18]];
        Some(Self {
            server: SocketAddrV4::new(ip, word(12)),
            machine: MachineNumber::parse_bcd(machine).ok()?,
            heartbeat_s: word(19).max(1),
        })
    }
}

/// Why the memory cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum StoreError {
    /// The chip does not answer.
    #[error("the EEPROM does not answer")]
    Silent,
    /// The configuration's CRC is wrong, or it makes no sense.
    #[error("the configuration in the EEPROM is damaged")]
    BadConfig,
    /// Every slot holds a record that the server has not confirmed.
    #[error("every slot holds an undelivered record")]
    Full,
}

/// A record that waits to be confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its slot.
    pub slot: usize,
    /// Its number, never used again.
    pub seq: u16,
    /// Whether the card was read back after the write.
    pub verified: bool,
    /// The upload, byte for byte.
    pub frame: Vec<u8>,
}

/// The state of the slots, as the firmware knows it.
#[derive(Clone, Debug, Default)]
pub struct Store {
    records: Vec<Record>,
    last_seq: u16,
}

/// How a terminal uses its memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreRules {
    /// What makes a record valid.
    pub check: RecordCheck,
    /// Where records lie.
    pub slots: SlotUse,
    /// What makes the configuration valid.
    pub config: ConfigCheck,
    /// How the chip is driven.
    pub driver: DriverConfig,
}

/// The chip during one input, and how far the firmware has run ahead on it.
pub struct Session<'a> {
    driver: Eeprom24c02<Bus<'a>>,
    rules: StoreRules,
}

impl<'a> Session<'a> {
    /// Borrows the chip from `at` on.
    pub fn new(chip: &'a mut Chip, at: Instant, rules: StoreRules) -> Self {
        Self { driver: Eeprom24c02::new(Bus::new(chip, at), rules.driver), rules }
    }

    /// The time on the bus.
    pub fn at(&self) -> Instant {
        self.driver.i2c().at()
    }

    fn read<const N: usize>(&mut self, address: u8) -> Result<[u8; N], StoreError> {
        let mut bytes = [0; N];
        self.driver.read(address, &mut bytes).map_err(|_| StoreError::Silent)?;
        Ok(bytes)
    }

    fn write(&mut self, address: u8, bytes: &[u8]) -> Result<(), StoreError> {
        self.driver.write(address, bytes).map_err(|_| StoreError::Silent)
    }

    fn body_at(&self, slot: usize) -> u8 {
        match self.rules.slots {
            SlotUse::FromByte100 if slot == 0 => UNALIGNED_BODY_AT,
            _ => BODY_AT[slot],
        }
    }
}

impl Store {
    /// Reads configuration and slots, as firmware does at power-on.
    ///
    /// Errors: [`StoreError::Silent`], [`StoreError::BadConfig`].
    pub fn load(session: &mut Session<'_>) -> Result<(Self, Installed), StoreError> {
        let config = session.read::<CONFIG_LEN>(0)?;
        let installed = Installed::parse(&config, session.rules.config).ok_or(StoreError::BadConfig)?;
        let verified = session.read::<SLOTS>(VERIFIED_AT[0])?;
        let mut slots = [([0; BODY_LEN], 0); SLOTS];
        for (slot, (body, done)) in slots.iter_mut().enumerate() {
            *body = session.read::<BODY_LEN>(session.body_at(slot))?;
            [*done] = session.read::<1>(DONE_AT[slot])?;
        }
        Ok((Self::from_slots(&slots, verified, session.rules.check), installed))
    }

    fn from_slots(slots: &[([u8; BODY_LEN], u8); SLOTS], verified: [u8; SLOTS], check: RecordCheck) -> Self {
        let mut store = Self::default();
        for (slot, (body, done)) in slots.iter().enumerate() {
            let Some((seq, frame)) = parse_body(body, check) else { continue };
            if store.last_seq == 0 || seq.wrapping_sub(store.last_seq) < u16::MAX / 2 {
                store.last_seq = seq;
            }
            let low = seq.to_be_bytes()[1];
            if *done != low {
                let verified = verified[slot] == low;
                store.records.push(Record { slot, seq, verified, frame });
            }
        }
        // The number wraps around after 65,535 credits: the older of two is the one that lies just behind.
        store.records.sort_by_key(|record| record.seq.wrapping_sub(store.last_seq).wrapping_sub(1));
        store
    }

    /// The live records in a memory that was read out whole.
    pub fn records_in(image: &[u8; CAPACITY]) -> Vec<Record> {
        let mut slots = [([0; BODY_LEN], 0); SLOTS];
        let mut verified = [0; SLOTS];
        for (slot, (body, done)) in slots.iter_mut().enumerate() {
            let at = usize::from(BODY_AT[slot]);
            body.copy_from_slice(&image[at..at + BODY_LEN]);
            *done = image[usize::from(DONE_AT[slot])];
            verified[slot] = image[usize::from(VERIFIED_AT[slot])];
        }
        Self::from_slots(&slots, verified, RecordCheck::Crc).records
    }

    /// What waits, oldest first.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// A record by its number.
    pub fn record(&self, seq: u16) -> Option<&Record> {
        self.records.iter().find(|record| record.seq == seq)
    }

    /// Whether another record fits.
    pub fn is_full(&self) -> bool {
        self.records.len() >= SLOTS
    }

    /// Writes a record's body; it is live from the moment its last byte is programmed. Returns its number.
    ///
    /// Errors: [`StoreError::Full`], [`StoreError::Silent`].
    pub fn add(
        &mut self,
        session: &mut Session<'_>,
        frame: &[u8],
        overwrite: bool,
    ) -> Result<u16, StoreError> {
        if self.is_full() {
            if !overwrite {
                return Err(StoreError::Full);
            }
            self.records.remove(0);
        }
        let seq = self.last_seq.wrapping_add(1).max(1);
        let slot = self.free_slot(session.rules.slots, seq);
        let mut body = Vec::with_capacity(BODY_LEN);
        body.extend_from_slice(&seq.to_be_bytes());
        body.push(u8::try_from(frame.len()).unwrap_or(u8::MAX));
        body.extend_from_slice(frame);
        let crc = crc16_xmodem(&body);
        body.extend_from_slice(&crc.to_be_bytes());
        session.write(session.body_at(slot), &body)?;
        self.last_seq = seq;
        self.records.push(Record { slot, seq, verified: false, frame: frame.to_vec() });
        Ok(seq)
    }

    fn free_slot(&self, slots: SlotUse, seq: u16) -> usize {
        let taken = |slot: usize| self.records.iter().any(|record| record.slot == slot);
        let preferred = match slots {
            SlotUse::FirstOnly => 0,
            SlotUse::Alternate | SlotUse::FromByte100 => usize::from(seq.wrapping_sub(1)) % SLOTS,
        };
        if taken(preferred) { (preferred + 1) % SLOTS } else { preferred }
    }

    /// Marks a record as read back from the card. While the other slot holds a record in doubt the mark is kept in
    /// RAM only.
    ///
    /// Why: the two marks share a page, and a cut while one is written may leave anything in the other; a false mark
    /// would turn a doubt into a claim.
    ///
    /// Errors: [`StoreError::Silent`].
    pub fn mark_verified(&mut self, session: &mut Session<'_>, seq: u16) -> Result<(), StoreError> {
        let doubtful = self.records.iter().any(|record| record.seq != seq && !record.verified);
        let Some(record) = self.records.iter_mut().find(|record| record.seq == seq) else { return Ok(()) };
        record.verified = true;
        if doubtful {
            return Ok(());
        }
        session.write(VERIFIED_AT[record.slot], &[seq.to_be_bytes()[1]])
    }

    /// Marks a record as confirmed: it is dead from then on.
    ///
    /// Errors: [`StoreError::Silent`].
    pub fn mark_done(&mut self, session: &mut Session<'_>, seq: u16) -> Result<(), StoreError> {
        let Some(at) = self.records.iter().position(|record| record.seq == seq) else { return Ok(()) };
        let slot = self.records.remove(at).slot;
        session.write(DONE_AT[slot], &[seq.to_be_bytes()[1]])
    }

    /// Adds the state.
    pub fn digest(&self, into: &mut Digest) {
        into.word(u64::from(self.last_seq)).word(self.records.len() as u64);
        for record in &self.records {
            into.word(record.slot as u64)
                .word(u64::from(record.seq))
                .flag(record.verified)
                .bytes(&record.frame);
        }
    }
}

fn parse_body(body: &[u8; BODY_LEN], check: RecordCheck) -> Option<(u16, Vec<u8>)> {
    let len = usize::from(body[2]);
    if !(FRAME_LEN_MIN..=FRAME_LEN_MAX).contains(&len) {
        return None;
    }
    let (covered, rest) = body.split_at(3 + len);
    if check == RecordCheck::Crc && crc16_xmodem(covered).to_be_bytes() != rest[..2] {
        return None;
    }
    Some((u16::from_be_bytes([body[0], body[1]]), covered[3..].to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eeprom::ChipConfig;
    use crate::machine::Torn;

    #[derive(serde::Deserialize)]
    struct Profile {
        eeprom: Parts,
    }
    #[derive(serde::Deserialize)]
    struct Parts {
        chip: ChipConfig,
        driver: DriverConfig,
    }

    fn parts() -> Parts {
        let text = include_str!("../../../../fixtures/profiles/water.toml");
        toml::from_str::<Profile>(text).unwrap().eeprom
    }

    fn rules() -> StoreRules {
        StoreRules {
            check: RecordCheck::Crc,
            slots: SlotUse::Alternate,
            config: ConfigCheck::Crc,
            driver: parts().driver,
        }
    }

    fn installed() -> Installed {
        Installed {
            server: "10.0.0.1:7000".parse().unwrap(),
            machine: MachineNumber::parse(b"2018010925").unwrap(),
            heartbeat_s: 60,
        }
    }

    fn chip() -> Chip {
        Chip::with_image(parts().chip, installed().image())
    }

    /// Long after anything else that a test does.
    const LATE: Instant = Instant::from_us(90_000_000);

    fn load(chip: &mut Chip) -> Result<(Store, Installed), StoreError> {
        Store::load(&mut Session::new(chip, LATE, rules()))
    }

    #[test]
    fn the_configuration_is_where_the_layout_says() {
        let image = installed().image();
        assert_eq!(image[8..21], [10, 0, 0, 1, 0x1B, 0x58, 0x20, 0x18, 0x01, 0x09, 0x25, 0, 60]);
        assert_eq!(load(&mut chip()).unwrap().1, installed());
        let mut damaged = image;
        damaged[30] ^= 1;
        let mut chip = Chip::with_image(parts().chip, damaged);
        assert_eq!(load(&mut chip).err(), Some(StoreError::BadConfig));
    }

    #[test]
    fn a_record_lives_from_its_body_to_its_done_mark() {
        let mut chip = chip();
        let (mut store, _) = load(&mut chip).unwrap();
        let mut session = Session::new(&mut chip, Instant::ZERO, rules());
        let frame = [7; 40];
        let seq = store.add(&mut session, &frame, false).unwrap();
        store.mark_verified(&mut session, seq).unwrap();
        let record = Record { slot: 0, seq: 1, verified: true, frame: frame.to_vec() };
        assert_eq!(load(&mut chip).unwrap().0.records(), [record]);
        assert_eq!(chip.image()[104..107], [0, 1, 40]);
        assert_eq!(chip.image()[232], 1);
        let mut session = Session::new(&mut chip, Instant::from_us(20_000_000), rules());
        store.mark_done(&mut session, seq).unwrap();
        assert_eq!(chip.image()[240], 1);
        let (mut store, _) = load(&mut chip).unwrap();
        assert_eq!(store.records(), []);
        let mut session = Session::new(&mut chip, Instant::from_us(30_000_000), rules());
        assert_eq!(store.add(&mut session, &frame, false), Ok(2));
        assert_eq!(store.add(&mut session, &frame, false), Ok(3));
        assert_eq!(store.add(&mut session, &frame, false), Err(StoreError::Full));
    }

    /// A cut at every microsecond of a body's writing, with every outcome: the slot is live with the whole record,
    /// or it is not live; configuration and the other slot's record are untouched.
    #[test]
    fn a_torn_body_is_never_taken_for_a_record() {
        let mut fresh = chip();
        let (mut store, _) = load(&mut fresh).unwrap();
        let mut session = Session::new(&mut fresh, Instant::ZERO, rules());
        store.add(&mut session, &[5; 45], false).unwrap();
        let start = session.at();
        fresh.settle(start);
        let mut end = start;
        for cut_us in (0..70_000).step_by(45) {
            for torn in Torn::ALL {
                let (mut chip, mut store) = (fresh.clone(), store.clone());
                let mut session = Session::new(&mut chip, start, rules());
                store.add(&mut session, &[6; 45], false).unwrap();
                end = session.at();
                chip.cut(start + crate::time::Span::us(cut_us), torn);
                assert_eq!(chip.image()[..100], installed().image()[..100]);
                let (after, _) = load(&mut chip).unwrap();
                assert_eq!(after.records()[0].frame, [5; 45]);
                assert!(
                    after.records().get(1).is_none_or(|record| record.frame == [6; 45] && !record.verified)
                );
            }
        }
        assert!(end < start + crate::time::Span::us(70_000));
    }
}
