//! A storm: a share of many transmissions that is lost, written as one line and drawn before the run.

use std::borrow::Cow;

use assay_sim::fault::{Fate, Fault, Moment, Site, Strike, Way};
use assay_sim::seed::Seed;
use serde::Deserialize;

/// Losses on one link.
///
/// Shape: in a plan's text, a table `[[storm]]` with `link`, with `up` or `down` as `way`, with the names of what is
/// hit, with how many of each name from the first on, and with how many of a hundred of those are lost.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Storm {
    /// The link.
    link: String,
    /// Which way.
    way: Course,
    /// What is hit: kinds of datagrams.
    names: Vec<String>,
    /// How many of each.
    first: u32,
    /// How many of a hundred are lost.
    percent: u64,
    /// What decides which.
    seed: u64,
}

/// A way along a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Course {
    /// From end A to end B.
    Up,
    /// Back.
    Down,
}

impl Storm {
    /// The strikes of which it consists, in the order of names and counts.
    pub fn strikes(&self) -> impl Iterator<Item = Strike> + '_ {
        let way = match self.way {
            Course::Up => Way::AtoB,
            Course::Down => Way::BtoA,
        };
        self.names.iter().flat_map(move |name| {
            let mut draws = Seed(self.seed).stream(&format!("storm {} {way:?} {name}", self.link));
            let hit = (1..=self.first).filter(move |_| draws.chance(self.percent, 100));
            hit.map(move |nth| Strike {
                site: Site {
                    place: Cow::Owned(self.link.clone()),
                    way: Some(way),
                    name: Cow::Owned(name.clone()),
                    address: None,
                    nth,
                },
                moment: Moment::Before,
                fault: Fault::Fate(Fate::Drop),
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_storm_loses_its_share_and_always_the_same() {
        let text = r#"
            link = "udp-a"
            way = "down"
            names = ["001", "011"]
            first = 1_000
            percent = 30
            seed = 7
        "#;
        let storm: Storm = toml::from_str(text).unwrap();
        let strikes: Vec<Strike> = storm.strikes().collect();
        assert!((540..660).contains(&strikes.len()), "{} of 2,000", strikes.len());
        assert_eq!(strikes, storm.strikes().collect::<Vec<_>>());
        assert!(strikes[0].to_string().starts_with("`udp-a< 001 #"), "{}", strikes[0]);
        let none = Storm { percent: 0, ..storm };
        assert_eq!(none.strikes().count(), 0);
    }
}
