//! The values of a profile that a swarm draws, and from what.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use assay_sim::seed::Stream;
use assay_sim::time::Span;
use serde::Deserialize;
use toml::{Table, Value};

use crate::rig_bench::put;
use crate::system::System;

/// In how many runs out of these a value is drawn and not as declared.
const DRAWN: (u64, u64) = (1, 3);

/// What a value is drawn from.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Range {
    /// A span between two.
    Between {
        /// The shortest.
        min: Span,
        /// The longest.
        max: Span,
    },
    /// One of these.
    Of {
        /// Any values.
        of: Vec<Value>,
    },
}

/// The values that are drawn, by system, and by section and key.
static FILE: LazyLock<BTreeMap<String, BTreeMap<String, Range>>> = LazyLock::new(|| {
    toml::from_str(include_str!("../../../fixtures/plans/ranges.toml")).expect("the ranges of the suite read")
});

/// The values of a system that are drawn, by section and key.
fn all(system: System) -> impl Iterator<Item = (&'static String, &'static Range)> {
    FILE.get(system.as_str()).into_iter().flatten()
}

/// Draws values and puts them over others; in words, what was drawn. What is there already, or what a case needs
/// otherwise, stays.
pub(super) fn draw(system: System, needs: &Table, draws: &mut Stream, over: &mut Table) -> Vec<String> {
    let mut words = Vec::new();
    for (name, range) in all(system) {
        // Drawn whether it is used or not: a value that falls away shifts no other.
        let (used, value) = (draws.chance(DRAWN.0, DRAWN.1), range.draw(draws));
        let path: Vec<&str> = name.split('.').collect();
        if used && find(needs, &path).is_none() && find(over, &path).is_none() {
            words.push(format!("{name} = {}", plain(&value)));
            if let Some((key, sections)) = path.split_last() {
                put(over, sections, key, value);
            }
        }
    }
    words
}

impl Range {
    fn draw(&self, draws: &mut Stream) -> Value {
        match self {
            Self::Between { min, max } => Value::String(draws.span_between(*min, *max).to_string()),
            Self::Of { of } => {
                let at = usize::try_from(draws.below(of.len() as u64)).unwrap_or(0);
                of[at].clone()
            }
        }
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn find<'a>(table: &'a Table, path: &[&str]) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    let value = table.get(*first)?;
    if rest.is_empty() { Some(value) } else { find(value.as_table()?, rest) }
}

#[cfg(test)]
mod tests {
    use assay_sim::seed::Seed;

    use super::*;
    use crate::case::Case;
    use crate::suite;
    use crate::trial::ProfileSource;

    #[test]
    fn every_value_that_is_drawn_is_one_of_the_profile() {
        for system in System::ALL {
            let case: Case = suite::cases().into_iter().find(|case| case.system == system).unwrap();
            let (profile, _) = case.declared(&ProfileSource::default());
            for (name, _) in all(system) {
                let path: Vec<&str> = name.split('.').collect();
                assert!(find(&profile, &path).is_some(), "{system:?}: {name}");
            }
        }
    }

    #[test]
    fn what_a_case_needs_or_a_user_says_is_not_drawn() {
        let mut over: Table = "terminal.sends_max = 9".parse().unwrap();
        let needs: Table = "server.sends_max = 8".parse().unwrap();
        let words: Vec<String> = (0..50)
            .flat_map(|seed| draw(System::Pos, &needs, &mut Seed(seed).stream("test"), &mut over.clone()))
            .collect();
        assert!(words.iter().any(|word| word.starts_with("terminal.ack_timeout = 1")), "{words:?}");
        assert!(!words.iter().any(|word| word.contains("sends_max")), "{words:?}");
        let drawn = draw(System::Pos, &needs, &mut Seed(1).stream("test"), &mut over);
        for word in drawn {
            let (name, _) = word.split_once(" = ").unwrap();
            assert!(find(&over, &name.split('.').collect::<Vec<_>>()).is_some(), "{word}");
        }
    }
}
