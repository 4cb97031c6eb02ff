//! What one sale takes up in flash.
//!
//! Shape: a slot of 32 bytes: four marks (`booked`, `done`, `refused`, `told`; set is 00), kind, then for a sale
//! (kind 1) `command(1) number(4) time(7, BCD) card(5, BCD) fen(4) seq(3) parts(1)`, for a part of a scanned code
//! (kind 2) `nth(1) bytes(24)`; CRC-16 over kind and content. The parts of a code lie in the slots just before their
//! sale.
//!
//! Why: the CRC is programmed last, so a slot is valid when all of it is there. Marks are outside it, a byte each, so
//! that setting one is one step.

use super::clock::Stamp;
use super::policy::EntryCheck;
use crate::card::number::CardNumber;
use crate::digest::Digest;
use crate::money::Fen;

/// The bytes of a slot.
pub(super) const SLOT: usize = 32;
/// Where the marks end.
pub(super) const MARKS: usize = 4;
const CRC_AT: usize = 30;
const SALE: u8 = 1;
const PART: u8 = 2;
const PART_LEN: usize = 24;
const SET: u8 = 0x00;
const CRC: crc::Crc<u16> = crc::Crc::<u16>::new(&crc::CRC_16_XMODEM);

/// What kind of sale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SaleKind {
    /// Money from a card: 103.
    Pay,
    /// One count from a card: 104.
    Count,
    /// Money from whoever showed a code: 128.
    Scan,
}

impl SaleKind {
    const fn byte(self) -> u8 {
        match self {
            Self::Pay => 103,
            Self::Count => 104,
            Self::Scan => 128,
        }
    }

    const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            103 => Some(Self::Pay),
            104 => Some(Self::Count),
            128 => Some(Self::Scan),
            _ => None,
        }
    }
}

/// A place in an entry that is set once, after the entry was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Booked off line: a record until it is done.
    Booked = 0,
    /// Answered, given up, or deleted.
    Done = 1,
    /// People were told that it was refused, and the server was told that they were. It may be charged all the same.
    Refused = 2,
    /// People were told that it was charged, and the server was told that they were.
    Told = 3,
}

/// Which marks are set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks([bool; MARKS]);

impl Marks {
    /// With these set.
    pub fn with(marks: &[Mark]) -> Self {
        let mut all = Self::default();
        marks.iter().for_each(|mark| all.set(*mark));
        all
    }

    /// Sets one.
    pub(super) fn set(&mut self, mark: Mark) {
        self.0[mark as usize] = true;
    }

    /// Whether one is set.
    pub const fn has(self, mark: Mark) -> bool {
        self.0[mark as usize]
    }
}

/// A sale as the terminal keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sale {
    /// Its number: one more than the last sale's. A record's address and a command number come of it.
    pub number: u32,
    /// What kind.
    pub kind: SaleKind,
    /// When.
    pub time: Stamp,
    /// The card; all zeros for a scanned code.
    pub card: CardNumber,
    /// How much; nothing for a count.
    pub amount: Fen,
    /// The sequence number of its message.
    pub seq: u32,
    /// The scanned code.
    pub code: Vec<u8>,
}

impl Sale {
    /// The address of its record: eight digits.
    pub const fn address(&self) -> u32 {
        self.number % 100_000_000
    }

    /// The number by which a scan-code payment is answered: five digits.
    pub const fn command_number(&self) -> u32 {
        self.number % 100_000
    }

    /// Whether it is pending: neither booked nor done.
    pub(super) const fn is_pending(marks: Marks) -> bool {
        !marks.has(Mark::Booked) && !marks.has(Mark::Done)
    }

    /// Whether it is a record.
    pub(super) const fn is_record(marks: Marks) -> bool {
        marks.has(Mark::Booked) && !marks.has(Mark::Done)
    }

    pub(super) fn digest(&self, into: &mut Digest) {
        into.word(u64::from(self.number)).word(u64::from(self.kind.byte())).bytes(&self.time.bcd());
        into.bytes(&self.card.bcd())
            .word(self.amount.0.cast_unsigned())
            .word(u64::from(self.seq))
            .bytes(&self.code);
    }

    /// How many slots it takes up, that of the sale included.
    pub(super) fn slots(&self) -> usize {
        self.code.len().div_ceil(PART_LEN) + 1
    }

    /// The slots in the order in which they are written; the last is the sale's.
    pub(super) fn encode(&self, marks: Marks) -> impl Iterator<Item = [u8; SLOT]> + '_ {
        let parts = self.code.chunks(PART_LEN).zip(0..).map(|(bytes, nth)| {
            let mut slot = [0xFF; SLOT];
            slot[MARKS] = PART;
            slot[5] = nth;
            slot[6..6 + bytes.len()].copy_from_slice(bytes);
            close(slot)
        });
        parts.chain(std::iter::once_with(move || self.encode_head(marks)))
    }

    fn encode_head(&self, marks: Marks) -> [u8; SLOT] {
        let mut slot = [0xFF; SLOT];
        for (byte, _) in slot.iter_mut().zip(marks.0).filter(|(_, set)| *set) {
            *byte = SET;
        }
        // A sale without a card keeps the length of its code in the card's place.
        let mut card = self.card.bcd();
        if self.kind == SaleKind::Scan {
            card.copy_from_slice(&(self.code.len() as u64).to_be_bytes()[3..]);
        }
        slot[MARKS] = SALE;
        slot[5] = self.kind.byte();
        slot[6..10].copy_from_slice(&self.number.to_be_bytes());
        slot[10..17].copy_from_slice(&self.time.bcd());
        slot[17..22].copy_from_slice(&card);
        let amount = u32::try_from(self.amount.0).unwrap_or(u32::MAX);
        slot[22..26].copy_from_slice(&amount.to_be_bytes());
        slot[26..29].copy_from_slice(&self.seq.to_be_bytes()[1..]);
        slot[29] = u8::try_from(self.slots() - 1).unwrap_or(u8::MAX);
        close(slot)
    }

    /// Reads a slot that holds a sale; the code's parts are counted and not read.
    pub(super) fn decode(slot: &[u8; SLOT], check: EntryCheck) -> Option<Entry> {
        if slot[MARKS] != SALE || check == EntryCheck::Crc && !is_closed(slot) {
            return None;
        }
        let kind = SaleKind::from_byte(slot[5])?;
        let word = |from: usize, to: usize| {
            slot[from..to].iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte))
        };
        let small = |from, to| u32::try_from(word(from, to)).unwrap_or(0);
        let mut marks = Marks::default();
        for (set, byte) in marks.0.iter_mut().zip(slot) {
            *set = *byte == SET;
        }
        let (mut time, mut card) = ([0; 7], [0; 5]);
        time.copy_from_slice(&slot[10..17]);
        card.copy_from_slice(&slot[17..22]);
        let scanned = kind == SaleKind::Scan;
        let card = if scanned { CardNumber::default() } else { CardNumber::from_bcd(card).ok()? };
        let sale = Self {
            number: small(6, 10),
            kind,
            time: Stamp::from_bcd(time),
            card,
            amount: Fen(i64::from(small(22, 26))),
            seq: small(26, 29),
            code: Vec::new(),
        };
        let code_len = if scanned { usize::try_from(word(17, 22)).unwrap_or(0) } else { 0 };
        Some(Entry { sale, marks, parts: usize::from(slot[29]), code_len })
    }
}

/// A sale's slot as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) sale: Sale,
    pub(super) marks: Marks,
    /// In how many slots before it its code lies.
    pub(super) parts: usize,
    pub(super) code_len: usize,
}

impl Entry {
    /// Puts the code together from its parts; false if any is damaged.
    pub(super) fn take_code(&mut self, parts: &[[u8; SLOT]]) -> bool {
        for (part, nth) in parts.iter().zip(0_u8..) {
            if part[MARKS] != PART || part[5] != nth || !is_closed(part) {
                return false;
            }
            self.sale.code.extend_from_slice(&part[6..CRC_AT]);
        }
        let whole = self.code_len <= self.sale.code.len();
        self.sale.code.truncate(self.code_len);
        whole
    }
}

fn close(mut slot: [u8; SLOT]) -> [u8; SLOT] {
    let crc = CRC.checksum(&slot[MARKS..CRC_AT]);
    slot[CRC_AT..].copy_from_slice(&crc.to_be_bytes());
    slot
}

fn is_closed(slot: &[u8; SLOT]) -> bool {
    CRC.checksum(&slot[MARKS..CRC_AT]).to_be_bytes() == slot[CRC_AT..]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card() -> CardNumber {
        CardNumber::parse(b"1234567890").unwrap()
    }

    fn sale(kind: SaleKind, code: &[u8]) -> Sale {
        Sale {
            number: 0x0102_0304,
            kind,
            time: Stamp::parse(b"2024-02-29 23:59:59").unwrap(),
            card: if kind == SaleKind::Scan { CardNumber::default() } else { card() },
            amount: Fen(550),
            seq: 99_999,
            code: code.to_vec(),
        }
    }

    #[test]
    fn a_sale_is_where_the_layout_says() {
        let slots: Vec<_> = sale(SaleKind::Pay, b"").encode(Marks::with(&[Mark::Booked])).collect();
        let card = &[0x12, 0x34, 0x56, 0x78, 0x90][..];
        let expected = [
            &[0x00, 0xFF, 0xFF, 0xFF, 1, 103, 1, 2, 3, 4, 0x20, 0x24, 0x02, 0x29, 0x23, 0x59, 0x59][..],
            card,
            &[0, 0, 2, 0x26, 0x01, 0x86, 0x9F, 0],
        ];
        assert_eq!((slots.len(), &slots[0][..30]), (1, &expected.concat()[..]));
    }

    #[test]
    fn sales_and_codes_round_trip_and_damage_is_seen() {
        for (kind, len) in [
            (SaleKind::Pay, 0),
            (SaleKind::Count, 0),
            (SaleKind::Scan, 0),
            (SaleKind::Scan, 18),
            (SaleKind::Scan, 24),
            (SaleKind::Scan, 900),
        ] {
            let code: Vec<u8> = (0..len).map(|at| u8::try_from(at % 251).unwrap()).collect();
            let sale = sale(kind, &code);
            let marks = Marks::with(&[Mark::Done, Mark::Told]);
            let mut slots: Vec<_> = sale.encode(marks).collect();
            assert_eq!(slots.len(), sale.slots());
            let head = slots.pop().unwrap();
            let mut entry = Sale::decode(&head, EntryCheck::Crc).unwrap();
            assert!(entry.parts == slots.len() && entry.take_code(&slots));
            assert_eq!((&entry.sale, entry.marks), (&sale, marks));
            for at in MARKS..SLOT {
                let mut damaged = head;
                damaged[at] ^= 0x10;
                assert_eq!(Sale::decode(&damaged, EntryCheck::Crc), None, "byte {at}");
            }
            if let Some(part) = slots.first_mut() {
                part[9] ^= 1;
                assert!(!Sale::decode(&head, EntryCheck::Crc).unwrap().take_code(&slots));
            }
        }
    }

    #[test]
    fn an_unchecked_entry_is_believed_once_it_is_begun() {
        let head = sale(SaleKind::Pay, b"").encode(Marks::default()).next().unwrap();
        let mut torn = [0xFF; SLOT];
        torn[..25].copy_from_slice(&head[..25]);
        assert_eq!(Sale::decode(&torn, EntryCheck::Crc), None);
        assert!(Sale::decode(&torn, EntryCheck::Begun).is_some());
        assert_eq!(Sale::decode(&[0xFF; SLOT], EntryCheck::Begun), None);
    }
}
