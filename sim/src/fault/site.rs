//! A place where a fault can strike, named by meaning and not by time.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Which way something crosses a link, whose ends are called A and B.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Way {
    /// From end A to end B.
    AtoB,
    /// From end B to end A.
    BtoA,
}

impl Way {
    /// Both ways.
    pub const BOTH: [Self; 2] = [Self::AtoB, Self::BtoA];

    /// An index for tables: 0 or 1.
    pub const fn index(self) -> usize {
        match self {
            Self::AtoB => 0,
            Self::BtoA => 1,
        }
    }

    /// The other way.
    pub const fn back(self) -> Self {
        match self {
            Self::AtoB => Self::BtoA,
            Self::BtoA => Self::AtoB,
        }
    }

    /// The sign in a site's text: `>` or `<`.
    pub const fn sign(self) -> char {
        match self {
            Self::AtoB => '>',
            Self::BtoA => '<',
        }
    }
}

/// The `nth` time that something of this name crosses this link or happens at this party.
///
/// Shape: `uart-a> AT+IPSEND #3`, `gprs-a< order-request-answer #1`, `terminal-a eeprom-byte@104 #1`,
/// `terminal-a timer:answer #2`: the link with its way, or the party; the name, with its address where it has one;
/// and the count within that name, from 1.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Site {
    /// The link or party.
    pub place: Cow<'static, str>,
    /// The way, for links.
    pub way: Option<Way>,
    /// The kind of frame, line, storage step or timer.
    pub name: Cow<'static, str>,
    /// The cell, block or record kind, for storage.
    pub address: Option<u16>,
    /// The count within that name and address, from 1.
    pub nth: u32,
}

impl Site {
    /// The name of the sites that are single bytes: `uart-a> byte #1200` is the 1,200th that crosses the link that way.
    pub const BYTE: &'static str = "byte";

    /// Whether it is a byte on a link, whatever that byte belongs to.
    pub fn is_byte(&self) -> bool {
        self.way.is_some() && self.name == Self::BYTE
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.place)?;
        if let Some(way) = self.way {
            write!(f, "{}", way.sign())?;
        }
        write!(f, " {}", self.name)?;
        if let Some(address) = self.address {
            write!(f, "@{address}")?;
        }
        write!(f, " #{}", self.nth)
    }
}

/// A text that names no site.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "`{text}` names no site: write it as `uart-a> AT+IPSEND #3` (link, way, name, count) or \
     `terminal-a eeprom-byte@104 #1` (party, name, address, count)"
)]
pub struct NotASite {
    /// The text.
    pub text: String,
}

impl FromStr for Site {
    type Err = NotASite;
    fn from_str(text: &str) -> Result<Self, NotASite> {
        let bad = || NotASite { text: text.to_owned() };
        let (place, rest) = text.split_once(' ').ok_or_else(bad)?;
        let (name, nth) = rest.rsplit_once(" #").ok_or_else(bad)?;
        let nth: u32 = nth.parse().map_err(|_| bad())?;
        let (place, way) = match place.chars().last() {
            Some('>') => (&place[..place.len() - 1], Some(Way::AtoB)),
            Some('<') => (&place[..place.len() - 1], Some(Way::BtoA)),
            _ => (place, None),
        };
        let (name, address) = match name.rsplit_once('@').map(|(name, address)| (name, address.parse())) {
            Some((name, Ok(address))) => (name, Some(address)),
            _ => (name, None),
        };
        if place.is_empty() || name.is_empty() || nth == 0 {
            return Err(bad());
        }
        Ok(Self { place: Cow::Owned(place.to_owned()), way, name: Cow::Owned(name.to_owned()), address, nth })
    }
}

impl TryFrom<String> for Site {
    type Error = NotASite;
    fn try_from(text: String) -> Result<Self, NotASite> {
        text.parse()
    }
}

impl From<Site> for String {
    fn from(site: Site) -> Self {
        site.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sites_read_back_as_they_print() {
        for text in [
            "uart-a> AT+IPSEND #3",
            "uart-a< CONNECT OK #1",
            "uart-a> byte #1200",
            "terminal-a eeprom-byte@104 #1",
            "terminal-a timer:answer #2",
        ] {
            assert_eq!(text.parse::<Site>().unwrap().to_string(), text);
        }
        for bad in ["", "uart-a>", "uart-a> AT", "uart-a> AT #0", "uart-a> AT #x", " AT #1", "> AT #1"] {
            assert!(bad.parse::<Site>().is_err(), "{bad}");
        }
    }
}
