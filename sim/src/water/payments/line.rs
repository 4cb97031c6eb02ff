//! The line protocol between the payment front and the message server.

use serde::Deserialize;

use crate::card::number::CardNumber;
use crate::money::{Fen, Volume};
use crate::water::frame::OrderNumber;
use crate::water::ledger::{Prepayment, Refusal};
use crate::water::tariff::Pricing;
use crate::wire::{Scan, Wire};

const FEN_DIGITS_MAX: usize = 15;

/// The largest amount that a line can say.
pub const FEN_MAX: Fen = Fen(999_999_999_999_999);

/// The form of the line protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineFormat {
    /// The longest line, its end included; at least 64.
    ///
    /// Units: bytes.
    pub line_max: usize,
}

/// One line.
///
/// Shape: words separated by one space, ended by LF:
/// `PAY card order fen flat|tiered`, `PAID order volume`, `REFUSED order reason`, with order `0` when the refused
/// payment could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaymentLine {
    /// To the server: somebody paid.
    Pay(Prepayment),
    /// From the server: the order stands.
    Paid {
        /// The order.
        order: OrderNumber,
        /// What it is worth.
        volume: Volume,
    },
    /// From the server: there is no such order.
    Refused {
        /// The order, if it could be read.
        order: Option<OrderNumber>,
        /// Why not.
        reason: Refusal,
    },
}

const REASONS: [(Refusal, &str); 5] = [
    (Refusal::OrderTaken, "order-taken"),
    (Refusal::TooSmall, "too-small"),
    (Refusal::TooMuch, "too-much"),
    (Refusal::TooManyOpen, "too-many-open"),
    (Refusal::Malformed, "malformed"),
];

impl PaymentLine {
    /// The line's name for whoever plans faults.
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Pay(_) => "pay",
            Self::Paid { .. } => "paid",
            Self::Refused { .. } => "refused",
        }
    }

    fn parse(line: &[u8]) -> Option<Self> {
        let mut words = line.split(|byte| *byte == b' ');
        let mut word = || words.next();
        let parsed = match word()? {
            b"PAY" => Self::Pay(Prepayment {
                card: CardNumber::parse(word()?).ok()?,
                order: OrderNumber::parse(word()?).ok()?,
                paid: fen(word()?)?,
                pricing: match word()? {
                    b"flat" => Pricing::Flat,
                    b"tiered" => Pricing::Tiered,
                    _ => return None,
                },
            }),
            b"PAID" => {
                Self::Paid { order: OrderNumber::parse(word()?).ok()?, volume: Volume::parse(word()?).ok()? }
            }
            b"REFUSED" => {
                let order = match word()? {
                    b"0" => None,
                    order => Some(OrderNumber::parse(order).ok()?),
                };
                let text = word()?;
                let (reason, _) = REASONS.iter().find(|(_, reason)| reason.as_bytes() == text)?;
                Self::Refused { order, reason: *reason }
            }
            _ => return None,
        };
        word().is_none().then_some(parsed)
    }
}

fn fen(digits: &[u8]) -> Option<Fen> {
    if !(1..=FEN_DIGITS_MAX).contains(&digits.len()) || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(Fen(digits.iter().fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'))))
}

impl Wire for PaymentLine {
    type Format = LineFormat;

    fn len_max(format: &LineFormat) -> usize {
        format.line_max
    }

    fn encode(&self, _: &LineFormat, into: &mut Vec<u8>) {
        let line = match self {
            Self::Pay(Prepayment { card, order, pricing, paid }) => {
                let pricing = match pricing {
                    Pricing::Flat => "flat",
                    Pricing::Tiered => "tiered",
                };
                format!("PAY {card} {order} {} {pricing}\n", paid.0)
            }
            Self::Paid { order, volume } => format!("PAID {order} {volume}\n"),
            Self::Refused { order, reason } => {
                let order = order.map_or(0, OrderNumber::value);
                let text = REASONS
                    .iter()
                    .find(|(refusal, _)| refusal == reason)
                    .map_or("malformed", |(_, text)| text);
                format!("REFUSED {order} {text}\n")
            }
        };
        into.extend_from_slice(line.as_bytes());
    }

    fn scan(format: &LineFormat, bytes: &[u8]) -> Scan<Self> {
        let within = &bytes[..bytes.len().min(format.line_max)];
        match within.iter().position(|byte| *byte == b'\n') {
            Some(end) => match Self::parse(&within[..end]) {
                Some(frame) => Scan::Frame { frame, used: end + 1 },
                None => Scan::Junk { used: end + 1, why: "unknown line" },
            },
            None if within.len() == format.line_max => Scan::Junk { used: within.len(), why: "endless line" },
            None => Scan::NeedMore,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::wire::{LawBroken, check_laws};

    const FORMAT: LineFormat = LineFormat { line_max: 80 };

    fn read(text: &str) -> Scan<PaymentLine> {
        PaymentLine::scan(&FORMAT, text.as_bytes())
    }

    fn pay(pricing: Pricing) -> PaymentLine {
        let card = CardNumber::parse(b"0012345678").unwrap();
        PaymentLine::Pay(Prepayment {
            card,
            order: OrderNumber::new(1042).unwrap(),
            pricing,
            paid: Fen(4_375),
        })
    }

    #[test]
    fn lines_read_and_write() {
        let order = OrderNumber::new(1042).unwrap();
        for (text, line) in [
            ("PAY 0012345678 1042 4375 flat\n", pay(Pricing::Flat)),
            ("PAY 0012345678 1042 4375 tiered\n", pay(Pricing::Tiered)),
            ("PAID 1042 12.5\n", PaymentLine::Paid { order, volume: Volume(1_250) }),
            (
                "REFUSED 1042 too-small\n",
                PaymentLine::Refused { order: Some(order), reason: Refusal::TooSmall },
            ),
            ("REFUSED 0 malformed\n", PaymentLine::Refused { order: None, reason: Refusal::Malformed }),
        ] {
            assert_eq!(read(text), Scan::Frame { frame: line, used: text.len() });
            assert_eq!(line.to_bytes(&FORMAT), text.as_bytes());
        }
    }

    #[test]
    fn other_lines_are_junk() {
        for bad in [
            "\n",
            "pay 0012345678 1042 4375 flat\n",
            "PAY 0012345678 1042 4375 round\n",
            "PAY 0012345678 1042 4375\n",
            "PAY 0012345678 1042 4375 flat \n",
            "PAY 0012345678 1042 4375 flat\r\n",
            "PAY  0012345678 1042 4375 flat\n",
            "PAY 012345678 1042 4375 flat\n",
            "PAY 0012345678 0 4375 flat\n",
            "PAY 0012345678 1042 -375 flat\n",
            "PAY 0012345678 1042 1000000000000000 flat\n",
            "PAID 1042 12.345\n",
            "REFUSED 1042 because\n",
        ] {
            assert_eq!(read(bad), Scan::Junk { used: bad.len(), why: "unknown line" }, "{bad}");
        }
        assert_eq!(read(&"x".repeat(79)), Scan::NeedMore);
        assert_eq!(read(&"x".repeat(80)), Scan::Junk { used: 80, why: "endless line" });
    }

    proptest! {
        #[test]
        fn the_four_laws_hold(
            (order, fen, hundredths) in (1_u128..=OrderNumber::MAX.value(), 0_i64..1_000_000_000_000_000, any::<u32>()),
            which in 0_usize..8,
            junk in "[ -~\n]{0,90}",
            cuts in proptest::collection::vec(any::<usize>(), 0..6),
        ) {
            let order = OrderNumber::new(order).unwrap();
            let card = CardNumber::parse(b"9999999999").unwrap();
            let line = match which {
                0 => PaymentLine::Pay(Prepayment { card, order, pricing: Pricing::Tiered, paid: Fen(fen) }),
                1 => PaymentLine::Pay(Prepayment { card, order, pricing: Pricing::Flat, paid: Fen(fen) }),
                2 => PaymentLine::Paid { order, volume: Volume(hundredths) },
                which => PaymentLine::Refused { order: (which != 7).then_some(order), reason: REASONS[which - 3].0 },
            };
            prop_assert_eq!(check_laws(&FORMAT, &line, junk.as_bytes(), &cuts), Ok::<(), LawBroken>(()));
        }
    }
}
