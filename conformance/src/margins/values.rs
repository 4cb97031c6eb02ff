//! The timers and counts of a profile, and the same profile with one of them otherwise.

use assay_reports::ValueRecord;
use assay_sim::time::Span;
use toml::{Table, Value};

use crate::rig_bench::put;

/// The shortest span that is taken for a timer: what is shorter is the pace of a part.
const TIMER_MIN: Span = Span::ms(10);

/// The largest number that is taken for a count of attempts: what is larger is a size.
const COUNT_MAX: i64 = 64;

/// The words in a key that make its number a count of attempts.
const COUNTING: [&str; 2] = ["_max", "_misses"];

/// The keys of the two ends of a range: how fast a part is, and no choice of a designer's.
const ENDS: [&str; 2] = ["min", "max"];

/// Which way a value is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Turn {
    /// A timer halved, a count one less.
    Less,
    /// A timer doubled, a count one more.
    More,
}

impl Turn {
    /// Both ways.
    pub(super) const BOTH: [Self; 2] = [Self::Less, Self::More];
}

/// A timer or count of a profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tunable {
    path: Vec<String>,
    value: Amount,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Amount {
    Timer(Span),
    Count(i64),
}

impl Tunable {
    /// Those in these sections of a profile, in the order of their keys.
    pub(super) fn all(profile: &Table, sections: &[&str]) -> Vec<Self> {
        let mut found = Vec::new();
        for (section, value) in profile.iter().filter(|(section, _)| sections.contains(&section.as_str())) {
            collect(value, &mut vec![section.clone()], &mut found);
        }
        found
    }

    /// Its section and key.
    pub(super) fn name(&self) -> String {
        self.path.join(".")
    }

    /// For the record.
    pub(super) fn record(&self) -> ValueRecord {
        let (declared, count) = match self.value {
            Amount::Timer(span) => (span.to_string(), false),
            Amount::Count(count) => (count.to_string(), true),
        };
        ValueRecord { name: self.name(), declared, count, alone: Vec::new() }
    }

    /// How it is changed, in words.
    pub(super) fn words(&self, turn: Turn) -> &'static str {
        match (&self.value, turn) {
            (Amount::Timer(_), Turn::Less) => "halved",
            (Amount::Timer(_), Turn::More) => "doubled",
            (Amount::Count(_), Turn::Less) => "one less",
            (Amount::Count(_), Turn::More) => "one more",
        }
    }

    /// Puts its changed value over others; nothing if it cannot be less.
    pub(super) fn turned(&self, turn: Turn, over: &Table) -> Option<Table> {
        let value = match (&self.value, turn) {
            (Amount::Timer(span), Turn::Less) => Value::String(Span::us(span.as_us() / 2).to_string()),
            (Amount::Timer(span), Turn::More) => Value::String((*span * 2).to_string()),
            (Amount::Count(count), Turn::Less) if *count <= 1 => return None,
            (Amount::Count(count), Turn::Less) => Value::Integer(count - 1),
            (Amount::Count(count), Turn::More) => Value::Integer(count + 1),
        };
        let mut over = over.clone();
        let (key, sections) = self.path.split_last()?;
        let sections: Vec<&str> = sections.iter().map(String::as_str).collect();
        put(&mut over, &sections, key, value);
        Some(over)
    }
}

fn collect(value: &Value, path: &mut Vec<String>, found: &mut Vec<Tunable>) {
    let amount = match value {
        Value::Table(table) => {
            for (key, value) in table {
                path.push(key.clone());
                collect(value, path, found);
                path.pop();
            }
            return;
        }
        Value::String(_) if path.last().is_some_and(|key| ENDS.contains(&key.as_str())) => None,
        Value::String(text) => text.parse().ok().filter(|span| *span >= TIMER_MIN).map(Amount::Timer),
        Value::Integer(number) => {
            let counts = path.last().is_some_and(|key| COUNTING.iter().any(|word| key.ends_with(word)));
            Some(*number).filter(|number| counts && (1..=COUNT_MAX).contains(number)).map(Amount::Count)
        }
        _ => None,
    };
    found.extend(amount.map(|value| Tunable { path: path.clone(), value }));
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROFILE: &str = r#"
        [terminal]
        ack_timeout = "1 s"
        sends_max = 3
        line_max = 1_100
        interim_secs = 5
        pace = "3 us"
        [terminal.radio]
        quiet = "20 ms"
        boot_misses = 1
        attach = { min = "1 s", max = "3 s" }
        [bench]
        tolerance = "1 s"
    "#;

    #[test]
    fn timers_and_counts_are_told_from_sizes_and_paces() {
        let all = Tunable::all(&PROFILE.parse().unwrap(), &["terminal"]);
        let told: Vec<_> = all.iter().map(|value| (value.name(), value.record().declared)).collect();
        let expected = [
            ("terminal.ack_timeout", "1 s"),
            ("terminal.radio.boot_misses", "1"),
            ("terminal.radio.quiet", "20 ms"),
            ("terminal.sends_max", "3"),
        ];
        let mut told: Vec<_> = told.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        told.sort_unstable();
        assert_eq!(told, expected);
    }

    #[test]
    fn a_changed_value_stands_beside_the_others() {
        let all = Tunable::all(&PROFILE.parse().unwrap(), &["terminal"]);
        let of = |name: &str| all.iter().find(|value| value.name() == name).unwrap();
        let over: Table = "[terminal]\ninterim_secs = 9".parse().unwrap();
        let more = of("terminal.ack_timeout").turned(Turn::More, &over).unwrap();
        assert_eq!(more.to_string(), "[terminal]\nack_timeout = \"2 s\"\ninterim_secs = 9\n");
        let less = of("terminal.radio.quiet").turned(Turn::Less, &Table::new()).unwrap();
        assert_eq!(less.to_string(), "[terminal.radio]\nquiet = \"10 ms\"\n");
        assert_eq!(of("terminal.radio.boot_misses").turned(Turn::Less, &over), None);
        let more = of("terminal.sends_max").turned(Turn::More, &Table::new()).unwrap();
        assert_eq!(more.to_string(), "[terminal]\nsends_max = 4\n");
    }
}
