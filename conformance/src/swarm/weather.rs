//! Link profiles: what it is like on a link, and the faults of one run on it, drawn before the run.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use assay_sim::fault::{Fate, Fault, LinkKind, Moment, Site, Strike};
use assay_sim::seed::Stream;
use assay_sim::tabletop::{SiteKind, Visit};
use assay_sim::time::{Instant, Span};
use serde::Deserialize;
use toml::{Table, Value};

use crate::rig_bench::put;

/// The link profiles of the suite, by name.
const NAMED: [(&str, &str); 6] = [
    ("gprs_good", include_str!("../../../fixtures/plans/gprs_good.toml")),
    ("gprs_basement", include_str!("../../../fixtures/plans/gprs_basement.toml")),
    ("gprs_storm", include_str!("../../../fixtures/plans/gprs_storm.toml")),
    ("rs485_noisy", include_str!("../../../fixtures/plans/rs485_noisy.toml")),
    ("lan", include_str!("../../../fixtures/plans/lan.toml")),
    ("wifi_edge", include_str!("../../../fixtures/plans/wifi_edge.toml")),
];

/// How many messages beyond those of the undisturbed run can be struck, of each name: a share of those, and some.
///
/// Why: what a disturbed run sends again is disturbed as well.
const BEYOND: u32 = 8;

/// What it is like on a link.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weather {
    /// What it is like, in words.
    pub words: String,
    /// The sections of a profile on whose links it can lie; a link's section is its name up to the first `-`.
    pub lies_on: Vec<String>,
    /// What a message takes at least, in place of what the section says.
    latency_min: Option<Span>,
    /// And at most.
    latency_max: Option<Span>,
    /// How late a message is that is late, at least.
    late_min: Span,
    /// And at most.
    late_max: Span,
    /// How many of a thousand suffer what, by kind of message.
    #[serde(default)]
    per_thousand: BTreeMap<On, BTreeMap<Ill, u64>>,
    /// Spells in which it is otherwise, if there are any.
    spells: Option<Spells>,
}

/// Rough spells, and those between them, in half of which nothing happens at all.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Spells {
    quiet_min: Span,
    quiet_max: Span,
    rough_min: Span,
    rough_max: Span,
    /// How many times as often something happens in a rough one.
    rough_times: u64,
}

/// What something happens to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
enum On {
    Datagram,
    Stream,
    Connect,
    Serial,
}

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Ill {
    Drop,
    Twice,
    Late,
    Reorder,
    Truncate,
    FlipBit,
    LoseByte,
    JunkByte,
    Overrun,
    Split,
    Stall,
    HalfOpen,
    Reset,
    Fin,
    Refuse,
}

impl Weather {
    /// All of them, by name.
    pub fn all() -> &'static [(&'static str, Self)] {
        static ALL: LazyLock<Vec<(&'static str, Weather)>> = LazyLock::new(|| {
            let read = |(name, text): &(&'static str, &str)| {
                (*name, toml::from_str(text).expect("the link profiles of the suite read"))
            };
            NAMED.iter().map(read).collect()
        });
        &ALL
    }

    /// The same with nothing later than this.
    ///
    /// Why: on some links what is later than that counts as lost, and systems are built on it.
    pub(super) fn within(self, longest: Option<Span>) -> Self {
        let longest = longest.unwrap_or(self.late_max);
        Self { late_min: self.late_min.min(longest), late_max: self.late_max.min(longest), ..self }
    }

    /// What a profile says otherwise where it lies on the links of this section.
    pub(super) fn put_over(&self, section: &str, profile: &Table, over: &mut Table) {
        let there = profile.get(section).and_then(Value::as_table);
        for (key, value) in [("latency_min", self.latency_min), ("latency_max", self.latency_max)] {
            if let Some(value) = value.filter(|_| there.is_some_and(|there| there.contains_key(key))) {
                put(over, &[section], key, value.to_string());
            }
        }
    }

    /// The faults of a run on the links of a section, of which these are the visits of the undisturbed one.
    pub(super) fn strikes(&self, section: &str, visits: &[Visit], draws: &mut Stream) -> Vec<Strike> {
        let end = visits.iter().map(|visit| visit.at).max().unwrap_or(Instant::ZERO);
        let rough = self.rough_spells(end, draws);
        let times = |at: Instant| match rough.iter().find(|(until, _)| at < *until) {
            Some((_, times)) => *times,
            None => 1,
        };
        let mut strikes = Vec::new();
        let mut last: BTreeMap<Site, (u32, On, u32)> = BTreeMap::new();
        for visit in visits.iter().filter(|visit| self::section(&visit.site.place) == section) {
            let Some((on, len)) = kind(visit) else { continue };
            self.strike(&visit.site, (on, len), times(visit.at), draws, &mut strikes);
            let name = Site { nth: 0, address: None, ..visit.site.clone() };
            let known = last.entry(name).or_insert((0, on, len));
            *known = (known.0.max(visit.site.nth), on, len);
        }
        for (name, (nth, on, len)) in last {
            for nth in nth + 1..=nth + nth / 2 + BEYOND {
                self.strike(&Site { nth, ..name.clone() }, (on, len), 1, draws, &mut strikes);
            }
        }
        strikes
    }

    /// The ends of spells until a time, with how often things happen in each.
    fn rough_spells(&self, end: Instant, draws: &mut Stream) -> Vec<(Instant, u64)> {
        let (mut ends, mut at) = (Vec::new(), Instant::ZERO);
        let Some(spells) = &self.spells else { return ends };
        while at < end {
            at += draws.span_between(spells.quiet_min, spells.quiet_max);
            ends.push((at, if draws.chance(1, 2) { 0 } else { 1 }));
            at += draws.span_between(spells.rough_min, spells.rough_max);
            ends.push((at, spells.rough_times));
        }
        ends
    }

    /// Strikes a message, or leaves it alone.
    fn strike(
        &self,
        site: &Site,
        (on, len): (On, u32),
        times: u64,
        draws: &mut Stream,
        strikes: &mut Vec<Strike>,
    ) {
        for (ill, part) in self.per_thousand.get(&on).into_iter().flatten() {
            if draws.chance((part * times).min(1_000), 1_000) {
                let fate = self.fate(*ill, len, draws);
                strikes.push(Strike {
                    site: Site { address: None, ..site.clone() },
                    moment: Moment::Before,
                    fault: Fault::Fate(fate),
                });
                return;
            }
        }
    }

    fn fate(&self, ill: Ill, len: u32, draws: &mut Stream) -> Fate {
        let span = draws.span_between(self.late_min, self.late_max);
        let mut byte = || u32::try_from(draws.below(u64::from(len.max(1)))).unwrap_or(0);
        match ill {
            Ill::Drop => Fate::Drop,
            Ill::Twice => Fate::Twice { gap: span },
            Ill::Late => Fate::Delay { by: span },
            Ill::Reorder => Fate::Reorder { behind: span },
            Ill::Truncate => Fate::Truncate { len: byte() },
            Ill::FlipBit => Fate::FlipBit { bit: byte() * 8 + byte() % 8 },
            Ill::LoseByte => Fate::LoseByte { at: byte() },
            Ill::JunkByte => Fate::JunkByte { at: byte(), value: 0 },
            Ill::Overrun => Fate::Overrun { from: byte() },
            Ill::Split => Fate::Split { at: byte().max(1), gap: span },
            Ill::Stall => Fate::Stall { span },
            Ill::HalfOpen => Fate::HalfOpen,
            Ill::Reset => Fate::Reset { at: byte() },
            Ill::Fin => Fate::Fin { at: byte() },
            Ill::Refuse => Fate::Refuse,
        }
    }
}

/// The section of a profile that a link's values are in.
pub(super) fn section(link: &str) -> &str {
    link.split('-').next().unwrap_or(link)
}

/// What a site is to the weather, and how long what crosses there is; nothing where none falls.
fn kind(visit: &Visit) -> Option<(On, u32)> {
    match visit.kind {
        SiteKind::Unit { link: LinkKind::Datagram, len } => Some((On::Datagram, len)),
        SiteKind::Unit { link: LinkKind::Stream, len } => Some((On::Stream, len)),
        SiteKind::Unit { link: LinkKind::Serial, len } => Some((On::Serial, len)),
        SiteKind::Signal { link: LinkKind::Stream } if visit.site.name == "connect" => Some((On::Connect, 0)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use assay_sim::fault::Way;
    use assay_sim::seed::Seed;

    use super::*;

    fn visits(count: u32) -> Vec<Visit> {
        let visit = |nth| Visit {
            site: Site {
                place: "udp-a".into(),
                way: Some(Way::AtoB),
                name: "103".into(),
                address: None,
                nth,
            },
            kind: SiteKind::Unit { link: LinkKind::Datagram, len: 40 },
            at: Instant::ZERO + Span::ms(100) * u64::from(nth),
        };
        (1..=count).map(visit).collect()
    }

    fn named(name: &str) -> Weather {
        Weather::all().iter().find(|(known, _)| *known == name).unwrap().1.clone()
    }

    #[test]
    fn every_profile_reads_and_strikes_only_what_its_links_can_suffer() {
        for (name, weather) in Weather::all() {
            assert!(!weather.words.is_empty() && !weather.lies_on.is_empty(), "{name}");
            assert!(weather.late_min <= weather.late_max, "{name}");
            for (on, ills) in &weather.per_thousand {
                let kind = match on {
                    On::Datagram => SiteKind::Unit { link: LinkKind::Datagram, len: 9 },
                    On::Stream => SiteKind::Unit { link: LinkKind::Stream, len: 9 },
                    On::Serial => SiteKind::Unit { link: LinkKind::Serial, len: 9 },
                    On::Connect => SiteKind::Signal { link: LinkKind::Stream },
                };
                let mut draws = Seed(1).stream("test");
                for ill in ills.keys() {
                    let fate = weather.fate(*ill, 9, &mut draws);
                    assert!(kind.admits("connect", &fate), "{name}: {on:?} {ill:?}");
                }
                let sum: u64 = ills.values().sum();
                assert!(
                    sum * weather.spells.as_ref().map_or(1, |spells| spells.rough_times) <= 4_000,
                    "{name}"
                );
            }
        }
    }

    #[test]
    fn the_share_that_is_struck_is_the_profile_s() {
        let fair = named("lan").strikes("udp", &visits(1_000), &mut Seed(1).stream("test"));
        assert!(fair.is_empty());
        let calm = Weather { spells: None, ..named("gprs_basement") };
        let struck = |seed| calm.strikes("udp", &visits(4_000), &mut Seed(seed).stream("test"));
        // 95 of 1,000, of 4,000 and what is beyond them.
        let count = struck(1).len();
        assert!((450..700).contains(&count), "{count}");
        assert_eq!(struck(1), struck(1));
        assert_ne!(struck(1), struck(2));
        assert!(calm.strikes("gprs", &visits(1_000), &mut Seed(1).stream("test")).is_empty());
    }

    #[test]
    fn rough_spells_are_rough_and_some_are_quiet() {
        let storm = named("gprs_storm");
        let spells = storm.rough_spells(Instant::ZERO + Span::ms(3_600_000), &mut Seed(3).stream("test"));
        let times: std::collections::BTreeSet<u64> = spells.iter().map(|(_, times)| *times).collect();
        assert_eq!(times.into_iter().collect::<Vec<_>>(), [0, 1, 6]);
        assert!(spells.is_sorted_by_key(|(until, _)| *until));
    }
}
