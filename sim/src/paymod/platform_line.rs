//! What server and platform say to each other on a bench: one line there and one back on each connection.
//!
//! Shape: words of UTF-8 between blanks, ended by LF. `HOUSE VERB NUMBER FEN LIFE_S`, answered by `url LINK`,
//! `state WORD FEN`, `done`, `refunded`, `again` or `refused CODE`; the platform's own call is `paid NUMBER FEN`,
//! answered by `success`.
//!
//! Why: the platform's ledger is called directly. What documents of WeChat Pay and Alipay look like is the business of
//! the payments system; here the question is what a server makes of the answers.

use crate::money::Fen;
use crate::payments::call::House;

/// The longest line.
pub const LINE_MAX: usize = 256;

/// The answer to the platform's own call that it waits for.
pub const RECEIPT: &str = "success";

/// What a server asks of a platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verb {
    /// Make an order that a payer scans.
    Precreate,
    /// What became of it?
    Query,
    /// Close it if it is not paid.
    Close,
    /// Undo it, paid or not.
    Cancel,
    /// Give all of it back.
    Refund,
}

impl Verb {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Precreate, Self::Query, Self::Close, Self::Cancel, Self::Refund];

    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Precreate => "precreate",
            Self::Query => "query",
            Self::Close => "close",
            Self::Cancel => "cancel",
            Self::Refund => "refund",
        }
    }
}

/// A call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallLine {
    /// Which platform.
    pub house: House,
    /// What is asked.
    pub verb: Verb,
    /// The merchant's number of the order.
    pub number: String,
    /// How much it is about.
    pub amount: Fen,
    /// How long it can be paid.
    ///
    /// Units: seconds.
    pub life_s: u64,
}

/// The word of a house.
pub const fn house_word(house: House) -> &'static str {
    match house {
        House::Wechat => "wechat",
        House::Alipay => "alipay",
    }
}

impl CallLine {
    /// The line, with its end.
    pub fn encode(&self) -> Vec<u8> {
        let Self { house, verb, number, amount, life_s } = self;
        format!("{} {} {number} {} {life_s}\n", house_word(*house), verb.as_str(), amount.0).into_bytes()
    }

    /// The call in a line without its end.
    pub fn read(line: &str) -> Option<Self> {
        let [house, verb, number, amount, life] = line.split(' ').collect::<Vec<_>>()[..] else {
            return None;
        };
        let house = [House::Wechat, House::Alipay].into_iter().find(|one| house_word(*one) == house)?;
        let verb = Verb::ALL.into_iter().find(|one| one.as_str() == verb)?;
        let amount = amount.parse::<i64>().ok().filter(|fen| *fen > 0).map(Fen)?;
        Some(Self { house, verb, number: number.to_owned(), amount, life_s: life.parse().ok()? })
    }
}

/// What a platform says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// Where the order is scanned.
    Url(String),
    /// The order's state in the platform's word, and its amount.
    State(String, Fen),
    /// It is done.
    Done,
    /// It was paid, and the money has gone back.
    Refunded,
    /// It is to be called again.
    Again,
    /// It is not done, for this reason.
    Refused(String),
    /// Nothing that can be read, or nothing at all.
    Nothing,
}

impl Word {
    /// The line, with its end.
    pub fn encode(&self) -> Vec<u8> {
        let line = match self {
            Self::Url(link) => format!("url {link}"),
            Self::State(state, amount) => format!("state {state} {}", amount.0),
            Self::Done => "done".to_owned(),
            Self::Refunded => "refunded".to_owned(),
            Self::Again => "again".to_owned(),
            Self::Refused(code) => format!("refused {code}"),
            Self::Nothing => String::new(),
        };
        format!("{line}\n").into_bytes()
    }

    /// What a line without its end says.
    pub fn read(line: &str) -> Self {
        match line.split(' ').collect::<Vec<_>>()[..] {
            ["url", link] => Self::Url(link.to_owned()),
            ["state", state, amount] => match amount.parse() {
                Ok(amount) => Self::State(state.to_owned(), Fen(amount)),
                Err(_) => Self::Nothing,
            },
            ["done"] => Self::Done,
            ["refunded"] => Self::Refunded,
            ["again"] => Self::Again,
            ["refused", code] => Self::Refused(code.to_owned()),
            _ => Self::Nothing,
        }
    }
}

/// The line by which a platform tells that an order is paid.
pub fn notice(number: &str, amount: Fen) -> Vec<u8> {
    format!("paid {number} {}\n", amount.0).into_bytes()
}

/// The order and the amount of such a line without its end.
pub fn read_notice(line: &str) -> Option<(&str, Fen)> {
    let ["paid", number, amount] = line.split(' ').collect::<Vec<_>>()[..] else { return None };
    Some((number, Fen(amount.parse().ok()?)))
}

/// The first whole line of some bytes without its end, and how long it is with it; `None` while there is none.
pub fn first_line(bytes: &[u8]) -> Option<(String, usize)> {
    let end = bytes.iter().position(|byte| *byte == b'\n');
    let end = end.or_else(|| (bytes.len() >= LINE_MAX).then(|| bytes.len() - 1))?;
    Some((String::from_utf8_lossy(&bytes[..end]).into_owned(), end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_and_words_read_back_and_others_do_not() {
        let line = "alipay cancel 00000000000000000007 1250 120";
        let call = CallLine::read(line).unwrap();
        assert_eq!((call.house, call.verb, call.amount), (House::Alipay, Verb::Cancel, Fen(1_250)));
        assert_eq!(call.encode(), format!("{line}\n").into_bytes());
        for bad in [
            "",
            "alipay cancel 7 1250",
            "cash cancel 7 1250 120",
            "alipay pay 7 1250 120",
            "alipay cancel 7 0 120",
            "alipay cancel 7 1250 120 9",
        ] {
            assert_eq!(CallLine::read(bad), None, "{bad}");
        }
        let words = [
            ("url weixin://x", Word::Url("weixin://x".to_owned())),
            ("state paid 1250", Word::State("paid".to_owned(), Fen(1_250))),
            ("done", Word::Done),
            ("refunded", Word::Refunded),
            ("again", Word::Again),
            ("refused ORDERPAID", Word::Refused("ORDERPAID".to_owned())),
            ("", Word::Nothing),
        ];
        for (line, word) in words {
            assert_eq!(Word::read(line), word);
            assert_eq!(word.encode(), format!("{line}\n").into_bytes());
        }
        assert_eq!(Word::read("state paid much"), Word::Nothing);
        assert_eq!(read_notice("paid 7 1250"), Some(("7", Fen(1_250))));
        assert_eq!(read_notice("paid 7"), None);
        assert_eq!(first_line(b"done\nmore"), Some(("done".to_owned(), 5)));
        assert_eq!([first_line(b"don"), first_line(b"")], [None, None]);
    }
}
