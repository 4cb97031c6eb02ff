//! The 24C02 of the terminal: the installer's settings, and two places for results that nobody has confirmed.
//!
//! Shape: as the protocol has it, since service tools of several vendors read it. Settings at 0 to 95, a result at 104
//! and at 168 (`seq(2) len(1) frame crc16(2)`), two *proven* bytes in a page at 232, *settled* bytes at 240 and 248.

use std::net::{Ipv4Addr, SocketAddrV4};

use assay_sim::digest::Digest;
use assay_sim::eeprom::{Bus, Chip, DriverConfig, Eeprom24c02};
use assay_sim::time::{Instant, Span};
use assay_sim::water::frame::{MachineNumber, crc16_xmodem};

const MAGIC: &[u8] = b"ASWATER1";
const PLACES: [Place; 2] =
    [Place { result: 104, proven: 232, settled: 240 }, Place { result: 168, proven: 233, settled: 248 }];
/// The shortest and the longest frame of a result.
const FRAME: std::ops::RangeInclusive<usize> = 14..=59;

struct Place {
    result: u8,
    proven: u8,
    settled: u8,
}

/// What the installer has set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    /// The message server.
    pub(crate) server: SocketAddrV4,
    /// This terminal's number.
    pub(crate) machine: MachineNumber,
    /// The heartbeat's period.
    pub(crate) heartbeat: Span,
}

/// What is wrong with the memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It does not answer.
    Silent,
    /// Its settings are damaged.
    Damaged,
    /// There is no place left.
    Full,
}

/// A result that waits to be confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    /// Its number.
    pub(crate) seq: u16,
    /// Whether the card was read back, so that the result is what the frame says.
    pub(crate) proven: bool,
    /// The message.
    pub(crate) frame: Vec<u8>,
    place: usize,
}

/// What is in the memory, as the firmware knows it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory {
    kept: Vec<Kept>,
    last: u16,
}

/// The chip for the length of one input.
pub(crate) struct Access<'a>(Eeprom24c02<Bus<'a>>);

impl<'a> Access<'a> {
    /// Takes the chip at a time.
    pub(crate) fn new(chip: &'a mut Chip, at: Instant, driver: DriverConfig) -> Self {
        Self(Eeprom24c02::new(Bus::new(chip, at), driver))
    }

    /// How late it has become on the bus.
    pub(crate) fn at(&self) -> Instant {
        self.0.i2c().at()
    }

    fn write(&mut self, address: u8, bytes: &[u8]) -> Result<(), Trouble> {
        self.0.write(address, bytes).map_err(|_| Trouble::Silent)
    }
}

impl Memory {
    /// Reads everything, as is done at power-on.
    ///
    /// Errors: [`Trouble::Silent`], [`Trouble::Damaged`].
    pub(crate) fn read(access: &mut Access<'_>) -> Result<(Settings, Self), Trouble> {
        let mut all = [0; 256];
        access.0.read(0, &mut all).map_err(|_| Trouble::Silent)?;
        let settings = settings(&all).ok_or(Trouble::Damaged)?;
        let mut memory = Self::default();
        let newer = |seq: u16, than: u16| than == 0 || seq.wrapping_sub(than) < 0x8000;
        for (number, place) in PLACES.iter().enumerate() {
            let Some((seq, frame)) = result(&all[usize::from(place.result)..][..64]) else { continue };
            if newer(seq, memory.last) {
                memory.last = seq;
            }
            let mark = seq.to_be_bytes()[1];
            if all[usize::from(place.settled)] != mark {
                let proven = all[usize::from(place.proven)] == mark;
                memory.kept.push(Kept { seq, proven, frame, place: number });
            }
        }
        // The oldest first, also where the number has wrapped around.
        let last = memory.last;
        memory.kept.sort_by_key(|kept| std::cmp::Reverse(last.wrapping_sub(kept.seq)));
        Ok((settings, memory))
    }

    /// The results that wait, the oldest first.
    pub(crate) fn kept(&self) -> &[Kept] {
        &self.kept
    }

    /// Whether no other result fits.
    pub(crate) fn is_full(&self) -> bool {
        self.kept.len() == PLACES.len()
    }

    /// Keeps a result that is not proven yet; returns its number.
    ///
    /// Errors: [`Trouble::Full`], [`Trouble::Silent`].
    pub(crate) fn keep(&mut self, access: &mut Access<'_>, frame: &[u8]) -> Result<u16, Trouble> {
        let seq = if self.last == u16::MAX { 1 } else { self.last + 1 };
        let free = |place: &usize| self.kept.iter().all(|kept| kept.place != *place);
        // Places take turns, so that neither wears out before the other.
        let turn = usize::from(seq % 2 == 0);
        let place = [turn, 1 - turn].into_iter().find(free).ok_or(Trouble::Full)?;
        let mut bytes = seq.to_be_bytes().to_vec();
        bytes.push(u8::try_from(frame.len()).unwrap_or(u8::MAX));
        bytes.extend_from_slice(frame);
        let crc = crc16_xmodem(&bytes);
        bytes.extend_from_slice(&crc.to_be_bytes());
        access.write(PLACES[place].result, &bytes)?;
        self.last = seq;
        self.kept.push(Kept { seq, proven: false, frame: frame.to_vec(), place });
        Ok(seq)
    }

    /// The card was read back. Both marks share a page, and a power cut may spoil a page: while the other result is
    /// not proven, this one is known to be so in RAM alone.
    ///
    /// Errors: [`Trouble::Silent`].
    pub(crate) fn prove(&mut self, access: &mut Access<'_>, seq: u16) -> Result<(), Trouble> {
        let alone = self.kept.iter().all(|kept| kept.seq == seq || kept.proven);
        let Some(kept) = self.kept.iter_mut().find(|kept| kept.seq == seq) else { return Ok(()) };
        kept.proven = true;
        if alone { access.write(PLACES[kept.place].proven, &seq.to_be_bytes()[1..]) } else { Ok(()) }
    }

    /// The result is confirmed, or void: it is kept no longer.
    ///
    /// Errors: [`Trouble::Silent`].
    pub(crate) fn settle(&mut self, access: &mut Access<'_>, seq: u16) -> Result<(), Trouble> {
        let Some(at) = self.kept.iter().position(|kept| kept.seq == seq) else { return Ok(()) };
        let kept = self.kept.remove(at);
        access.write(PLACES[kept.place].settled, &seq.to_be_bytes()[1..])
    }

    /// Adds the state.
    pub(crate) fn digest(&self, into: &mut Digest) {
        into.word(u64::from(self.last)).word(self.kept.len() as u64);
        for Kept { seq, proven, frame, place } in &self.kept {
            into.word(u64::from(*seq)).flag(*proven).bytes(frame).word(*place as u64);
        }
    }
}

fn settings(all: &[u8; 256]) -> Option<Settings> {
    let crc = crc16_xmodem(&all[..94]).to_be_bytes();
    if all[..8] != *MAGIC || all[94..96] != crc {
        return None;
    }
    let word = |at: usize| u16::from_be_bytes([all[at], all[at + 1]]);
    let address = Ipv4Addr::new(all[8], all[9], all[10], all[11]);
    Some(Settings {
        server: SocketAddrV4::new(address, word(12)),
        machine: MachineNumber::parse_bcd([all[14], all[15], all[16], all[17], all[18]]).ok()?,
        heartbeat: Span::s(u64::from(word(19).max(1))),
    })
}

/// A sound result and its number.
fn result(bytes: &[u8]) -> Option<(u16, Vec<u8>)> {
    let len = usize::from(bytes[2]);
    if !FRAME.contains(&len) {
        return None;
    }
    let (covered, rest) = bytes.split_at(3 + len);
    let sound = crc16_xmodem(covered).to_be_bytes() == rest[..2];
    sound.then(|| (u16::from_be_bytes([bytes[0], bytes[1]]), covered[3..].to_vec()))
}
