//! The people who pay, and the codes on their telephones.

use serde::{Deserialize, Serialize};

use crate::money::Fen;
use crate::payments::call::House;
use crate::time::{Instant, Span};

/// How a payer behaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "does", deny_unknown_fields)]
pub enum Manner {
    /// Pays at once, and types the password where it is needed.
    #[default]
    Pays,
    /// Is asked for the password every time and takes so long.
    PaysLate {
        /// How long.
        after: Span,
    },
    /// Is asked for the password every time and types a wrong one.
    WrongPassword,
    /// Is asked for the password every time and does nothing, until somebody acts for it.
    Nothing,
}

impl Manner {
    /// The same with its span divided.
    #[must_use]
    pub fn shortened(self, divisor: u64) -> Self {
        match self {
            Self::PaysLate { after } => Self::PaysLate { after: after.shortened(divisor) },
            Self::Pays | Self::WrongPassword | Self::Nothing => self,
        }
    }
}

/// Somebody who pays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payer {
    /// As the merchant sees it: `openid`, `buyer_user_id`.
    pub id: String,
    /// How much it has.
    pub balance: Fen,
    /// How it behaves.
    pub manner: Manner,
    /// The day of its last payment without a password, and how many there were on it.
    pub(super) password_free: (i64, u32),
}

/// A code on a telephone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Code {
    pub(super) payer: String,
    pub(super) shown: Instant,
    pub(super) used: bool,
}

/// Whether a text has the form of a house's codes.
///
/// Shape: WeChat 18 digits that begin with 10 to 15; Alipay 16 to 24 digits that begin with 25 to 30, or 35 characters
/// that begin with `fp`.
pub fn is_code(house: House, text: &str) -> bool {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let head = text.get(..2).and_then(|head| head.parse::<u8>().ok());
    match house {
        House::Wechat => digits && text.len() == 18 && head.is_some_and(|head| (10..=15).contains(&head)),
        House::Alipay if text.starts_with("fp") => {
            text.len() == 35 && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
        }
        House::Alipay => {
            digits && (16..=24).contains(&text.len()) && head.is_some_and(|head| (25..=30).contains(&head))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_told_by_length_and_beginning() {
        let (wechat, alipay) = (House::Wechat, House::Alipay);
        let face = format!("fp{}", "a".repeat(33));
        for (house, text, good) in [
            (wechat, "100000000000000000", true),
            (wechat, "159999999999999999", true),
            (wechat, "160000000000000000", false),
            (wechat, "099999999999999999", false),
            (wechat, "10000000000000000", false),
            (wechat, "1000000000000000000", false),
            (wechat, "10000000000000000a", false),
            (wechat, "", false),
            (alipay, "2500000000000000", true),
            (alipay, "309999999999999999999999", true),
            (alipay, "250000000000000", false),
            (alipay, "3099999999999999999999990", false),
            (alipay, "2400000000000000", false),
            (alipay, "3100000000000000", false),
            (alipay, &face, true),
            (alipay, &face[..34], false),
            (wechat, &face, false),
        ] {
            assert_eq!(is_code(house, text), good, "{house:?} {text}");
        }
    }
}
