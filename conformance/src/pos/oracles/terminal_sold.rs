//! What is sold at a terminal: as people ask for it, and as its messages name it.

use std::fmt;

use assay_sim::card::number::CardNumber;
use assay_sim::money::Fen;
use assay_sim::pos::frame::{CodeNumber, DeviceMessage, Key, Read, SaleTime, Seq};
use assay_sim::pos::terminal::installed::Mode;

/// What is sold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Goods {
    /// Money from a card.
    Pay(CardNumber, Fen),
    /// One count of a card.
    Count(CardNumber),
    /// Money from whoever showed a code.
    Scan(Fen, Box<[u8]>),
}

impl Goods {
    /// The card, where there is one.
    pub const fn card(&self) -> Option<CardNumber> {
        match self {
            Self::Pay(card, _) | Self::Count(card) => Some(*card),
            Self::Scan(..) => None,
        }
    }

    /// How much; nothing for a count.
    pub const fn amount(&self) -> Fen {
        match self {
            Self::Pay(_, amount) | Self::Scan(amount, _) => *amount,
            Self::Count(_) => Fen(0),
        }
    }
}

impl fmt::Display for Goods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pay(card, amount) => write!(f, "{amount} from card {card}"),
            Self::Count(card) => write!(f, "one count of card {card}"),
            Self::Scan(amount, code) => write!(f, "{amount} by code {}", code.escape_ascii()),
        }
    }
}

/// A sale as its message names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// What.
    pub goods: Goods,
    /// When.
    pub time: Read<SaleTime>,
    /// The number of a scan-code payment.
    pub number: Option<CodeNumber>,
    /// The message's sequence number.
    pub seq: Seq,
}

impl Named {
    /// The sale that a 103, 104 or 128 names.
    pub fn of(message: &DeviceMessage) -> Option<Self> {
        match message {
            DeviceMessage::Pay { head, card, amount, at, .. } => {
                let goods = Goods::Pay(card.clone().ok()?, amount.clone().ok()?);
                Some(Self { goods, time: at.clone(), number: None, seq: head.seq.clone() })
            }
            DeviceMessage::Count { head, card, at, .. } => {
                let goods = Goods::Count(card.clone().ok()?);
                Some(Self { goods, time: at.clone(), number: None, seq: head.seq.clone() })
            }
            DeviceMessage::Scan { head, number, amount, at, code, .. } => {
                let goods = Goods::Scan(amount.clone().ok()?, code.clone());
                Some(Self { goods, time: at.clone(), number: Some(*number), seq: head.seq.clone() })
            }
            _ => None,
        }
    }

    /// Whether an answer names it.
    pub fn is_named_by(&self, key: &Key) -> bool {
        match (key, self.number) {
            (Key::Card(card), None) => self.goods.card() == Some(*card),
            (Key::Code(code), Some(number)) => *code == number,
            _ => false,
        }
    }

    /// Whether another message is about the same sale, whatever its sequence number is.
    pub fn is_same_sale(&self, other: &Self) -> bool {
        (&self.goods, &self.time, self.number) == (&other.goods, &other.time, other.number)
    }
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.goods, shown_time(&self.time))
    }
}

/// A time, possible or not.
pub fn shown_time(time: &Read<SaleTime>) -> String {
    match time {
        Ok(time) => time.to_string(),
        Err(bytes) => bytes.escape_ascii().to_string(),
    }
}

/// What people ask for, as the lines of the text port say it.
#[derive(Clone, Debug, Default)]
pub struct People {
    typed: Option<Fen>,
}

/// What a line from people asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// A sale.
    Sale(Goods),
    /// What the server has to say to a card, or to keys.
    Word,
    /// Nothing that leaves the terminal.
    Nothing,
}

impl People {
    /// A line has come.
    pub fn ask(&mut self, line: &[u8], mode: Mode, amount_max: Fen) -> Wish {
        let (what, rest) = match line.iter().position(|byte| *byte == b' ') {
            Some(at) => (&line[..at], &line[at + 1..]),
            None => (line, &[][..]),
        };
        match what {
            b"keys" if rest.starts_with(b"#") => Wish::Word,
            b"keys" => {
                self.typed = amount(rest).filter(|amount| *amount <= amount_max);
                Wish::Nothing
            }
            b"tap" => match (CardNumber::parse(rest), mode) {
                (Err(_), _) => Wish::Nothing,
                (Ok(card), Mode::Count) => {
                    self.typed = None;
                    Wish::Sale(Goods::Count(card))
                }
                (Ok(card), Mode::Fixed(amount)) => {
                    self.typed = None;
                    Wish::Sale(Goods::Pay(card, amount))
                }
                (Ok(card), mode) => match self.typed.take() {
                    Some(amount) => Wish::Sale(Goods::Pay(card, amount)),
                    None if mode == Mode::Ordinary => Wish::Word,
                    None => Wish::Nothing,
                },
            },
            b"scan" => {
                let typed = self.typed.take();
                let amount = if let Mode::Fixed(amount) = mode { Some(amount) } else { typed };
                let amount = amount.filter(|_| !rest.is_empty());
                amount.map_or(Wish::Nothing, |amount| Wish::Sale(Goods::Scan(amount, rest.into())))
            }
            _ => Wish::Nothing,
        }
    }
}

/// An amount as it is typed: whole yuan of at most seven digits, and at most two digits behind a point.
fn amount(keys: &[u8]) -> Option<Fen> {
    let (yuan, rest) = match keys.iter().position(|key| *key == b'.') {
        Some(at) => (&keys[..at], &keys[at + 1..]),
        None => (keys, &b"00"[..]),
    };
    let digits = yuan.iter().chain(rest).all(u8::is_ascii_digit);
    if !digits || !(1..=7).contains(&yuan.len()) || !(1..=2).contains(&rest.len()) {
        return None;
    }
    let number = |digits: &[u8]| digits.iter().fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
    let fen = number(yuan) * 100 + number(rest) * if rest.len() == 1 { 10 } else { 1 };
    (fen > 0).then_some(Fen(fen))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card() -> CardNumber {
        CardNumber::parse(b"8888888888").unwrap()
    }

    #[test]
    fn what_is_typed_counts_for_one_tap() {
        let mut people = People::default();
        let mut ask = |line: &[u8]| people.ask(line, Mode::Ordinary, Fen(999_999));
        assert_eq!(ask(b"keys 5.5"), Wish::Nothing);
        assert_eq!(ask(b"tap 8888888888"), Wish::Sale(Goods::Pay(card(), Fen(550))));
        assert_eq!(ask(b"tap 8888888888"), Wish::Word);
        for bad in ["keys 0", "keys 10000.00", "keys 5.", "keys .5", "keys 5.555"] {
            ask(b"keys 5");
            ask(bad.as_bytes());
            assert_eq!(ask(b"tap 8888888888"), Wish::Word, "{bad}");
        }
        ask(b"keys 7");
        assert_eq!(ask(b"scan 1,2"), Wish::Sale(Goods::Scan(Fen(700), b"1,2".as_slice().into())));
        assert_eq!(
            (ask(b"scan 1"), ask(b"keys #1"), ask(b"dance")),
            (Wish::Nothing, Wish::Word, Wish::Nothing)
        );
    }

    #[test]
    fn the_mode_says_what_a_tap_means() {
        let tap = |mode| People::default().ask(b"tap 8888888888", mode, Fen(999_999));
        assert_eq!(tap(Mode::Money), Wish::Nothing);
        assert_eq!(tap(Mode::Count), Wish::Sale(Goods::Count(card())));
        assert_eq!(tap(Mode::Fixed(Fen(1))), Wish::Sale(Goods::Pay(card(), Fen(1))));
    }
}
