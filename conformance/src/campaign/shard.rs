//! The share of a campaign that one worker makes: a pure function of the plan and of two numbers.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// Share I of N.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    index: u64,
    count: u64,
}

/// A text that names no share.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("write it as I/N with 1 <= I <= N, such as 3/16")]
pub struct NotAShard;

impl Shard {
    /// All of it.
    pub const WHOLE: Self = Self { index: 1, count: 1 };

    /// Whether a run belongs to this share: the runs of a unit are dealt out one by one, beginning with another share
    /// in each unit.
    pub fn takes(self, unit: u64, number: u64) -> bool {
        (unit % self.count + number % self.count) % self.count == self.index - 1
    }

    /// Whether a unit belongs to this share as a whole.
    pub fn takes_unit(self, unit: u64) -> bool {
        self.takes(unit, 0)
    }
}

impl FromStr for Shard {
    type Err = NotAShard;

    fn from_str(text: &str) -> Result<Self, NotAShard> {
        let number = |text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            if digits { text.parse::<u64>().map_err(|_| NotAShard) } else { Err(NotAShard) }
        };
        let (index, count) = text.split_once('/').ok_or(NotAShard)?;
        let (index, count) = (number(index)?, number(count)?);
        if index == 0 || index > count {
            return Err(NotAShard);
        }
        Ok(Self { index, count })
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_run_belongs_to_exactly_one_share() {
        for count in [1, 2, 3, 7, 100] {
            let shards: Vec<Shard> = (1..=count).map(|index| Shard { index, count }).collect();
            for unit in [0, 1, 5, u64::MAX] {
                for number in (0..300).chain([u64::MAX]) {
                    let takers = shards.iter().filter(|shard| shard.takes(unit, number)).count();
                    assert_eq!(takers, 1, "{unit} {number} of {count}");
                }
            }
        }
    }

    #[test]
    fn shares_are_even() {
        let taken = |index| (0..1_000).filter(|number| Shard { index, count: 7 }.takes(3, *number)).count();
        assert!((1..=7).all(|index| (142..=143).contains(&taken(index))));
    }

    #[test]
    fn shares_are_read_or_refused() {
        assert_eq!("3/16".parse(), Ok(Shard { index: 3, count: 16 }));
        assert_eq!("1/1".parse(), Ok(Shard::WHOLE));
        assert_eq!(Shard { index: 3, count: 16 }.to_string(), "3/16");
        for bad in ["", "3", "0/4", "5/4", "1/0", "a/b", "1/2/3", "-1/2", "+1/2", "1/99999999999999999999"] {
            assert_eq!(bad.parse::<Shard>(), Err(NotAShard), "{bad}");
        }
    }
}
