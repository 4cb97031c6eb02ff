//! What the installer programmed into a terminal's flash.
//!
//! Shape: from address 0 on `magic(8) machine(4) mode(1) fen(4) cards(2)`, five BCD bytes a white-listed card in
//! rising order, CRC-16 over all before it.

use crate::card::number::CardNumber;
use crate::flash::Chip;
use crate::money::Fen;
use crate::pos::frame::MachineNumber;

const MAGIC: [u8; 8] = *b"ASPOS\0\0\x01";
/// The bytes before the white list.
pub(super) const HEAD: usize = 19;
const CARD: usize = 5;
const CRC: crc::Crc<u16> = crc::Crc::<u16>::new(&crc::CRC_16_XMODEM);

/// What a tap means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// A typed amount is paid; without one the server is asked: 102.
    #[default]
    Ordinary,
    /// A typed amount is paid; a tap without one is refused.
    Money,
    /// This amount is paid.
    Fixed(Fen),
    /// One count is taken.
    Count,
}

/// A terminal's installation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Installed {
    /// Its machine number.
    pub machine: MachineNumber,
    /// What a tap means.
    pub mode: Mode,
    /// The cards that may pay off line, in rising order.
    pub white_list: Vec<CardNumber>,
}

impl Installed {
    /// Programs a part with this before it is fitted.
    pub fn install(&self, chip: &mut Chip) {
        chip.install(0, &self.image());
    }

    fn image(&self) -> Vec<u8> {
        let (mode, fen) = match self.mode {
            Mode::Ordinary => (0, 0),
            Mode::Money => (1, 0),
            Mode::Fixed(amount) => (2, u32::try_from(amount.0).unwrap_or(u32::MAX)),
            Mode::Count => (3, 0),
        };
        let mut cards = self.white_list.clone();
        cards.sort_unstable();
        cards.dedup();
        cards.truncate(usize::from(u16::MAX));
        let mut image = MAGIC.to_vec();
        image.extend_from_slice(&self.machine.get().to_be_bytes());
        image.push(mode);
        image.extend_from_slice(&fen.to_be_bytes());
        image.extend_from_slice(&u16::try_from(cards.len()).unwrap_or(u16::MAX).to_be_bytes());
        for card in cards {
            image.extend_from_slice(&card.bcd());
        }
        let crc = CRC.checksum(&image);
        image.extend_from_slice(&crc.to_be_bytes());
        image
    }

    /// How many bytes follow the head, if it is one.
    pub(super) fn rest_len(head: &[u8; HEAD]) -> Option<usize> {
        let cards = usize::from(u16::from_be_bytes([head[17], head[18]]));
        head.starts_with(&MAGIC).then_some(cards * CARD + 2)
    }

    /// Reads head and rest.
    pub(super) fn parse(head: &[u8; HEAD], rest: &[u8]) -> Option<Self> {
        let (cards, crc) = rest.split_last_chunk::<2>()?;
        let mut digest = CRC.digest();
        digest.update(head);
        digest.update(cards);
        if digest.finalize().to_be_bytes() != *crc {
            return None;
        }
        let word = |at: usize| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let mode = match head[12] {
            0 => Mode::Ordinary,
            1 => Mode::Money,
            2 => Mode::Fixed(Fen(i64::from(word(13)))),
            3 => Mode::Count,
            _ => return None,
        };
        let (cards, _) = cards.as_chunks::<CARD>();
        let white_list: Result<_, _> = cards.iter().map(|card| CardNumber::from_bcd(*card)).collect();
        Some(Self { machine: MachineNumber::new(word(8)), mode, white_list: white_list.ok()? })
    }

    /// Whether a card may pay off line.
    pub fn is_white(&self, card: CardNumber) -> bool {
        self.white_list.binary_search(&card).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_installation_is_where_the_layout_says_and_damage_is_seen() {
        let card = |text: &str| CardNumber::parse(text.as_bytes()).unwrap();
        let white_list = ["9999999999", "0000000001", "8888888888", "0000000001"].map(card).to_vec();
        let installed = Installed { machine: MachineNumber::new(2), mode: Mode::Fixed(Fen(550)), white_list };
        let image = installed.image();
        assert_eq!(image[8..24], [0, 0, 0, 2, 2, 0, 0, 2, 0x26, 0, 3, 0, 0, 0, 0, 1]);
        let parse = |image: &[u8]| {
            let (head, rest) = image.split_first_chunk::<HEAD>().unwrap();
            Installed::rest_len(head).filter(|len| *len == rest.len())?;
            Installed::parse(head, rest)
        };
        let read = parse(&image).unwrap();
        assert_eq!(read.white_list, ["0000000001", "8888888888", "9999999999"].map(card));
        assert!(read.is_white(card("8888888888")) && !read.is_white(card("0000000002")));
        assert_eq!((read.machine.get(), read.mode), (2, Mode::Fixed(Fen(550))));
        for at in 0..image.len() {
            let mut damaged = image.clone();
            damaged[at] ^= 1;
            assert_eq!(parse(&damaged), None, "byte {at}");
        }
    }
}
