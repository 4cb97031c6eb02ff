//! A trace as the page's scripts read it: rows of numbers, with every text once.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::record::{Exhibit, LinkRecord, TraceEntry, TraceKind, TraceRecord};
use crate::text::shown;

/// How many bytes of one message the page shows; the trace beside the replay file holds the rest.
const BYTES_MAX: usize = 2_048;

/// How many timers of one tape the page shows.
const TIMERS_MAX: usize = 20_000;

/// How many lines of one ledger the page shows.
const LINES_MAX: usize = 500;

#[derive(Serialize)]
pub(super) struct Tape {
    parties: Vec<String>,
    /// Name, medium, the party at each end or -1.
    links: Vec<(String, &'static str, [i32; 2])>,
    /// Name and whom it feeds.
    supplies: Vec<(String, Vec<u16>)>,
    texts: Vec<String>,
    /// Ordinal, microseconds since the row before, kind, link or party or supply or -1, flags, text, bytes, name or
    /// card. Flags: 1 from end B to end A, 2 on, 4 claim, and 8 for each number of the connection.
    rows: Vec<[i64; 8]>,
    /// By row.
    exhibits: Vec<(usize, Vec<Shown>)>,
    /// Party, text of its name, from and until in microseconds, 1 if it ran out.
    timers: Vec<[i64; 5]>,
}

/// An exhibit as the page shows it.
#[derive(Serialize)]
#[serde(untagged)]
enum Shown {
    Memory { hex: String, torn: Vec<u16> },
    Ledger { of: String, lines: Vec<[String; 3]>, more: usize },
}

#[derive(Default)]
struct Texts {
    all: Vec<String>,
    at: BTreeMap<String, i64>,
}

impl Texts {
    fn of(&mut self, text: String) -> i64 {
        if let Some(at) = self.at.get(&text) {
            return *at;
        }
        let next = i64::try_from(self.all.len()).unwrap_or(-1);
        self.all.push(text.clone());
        self.at.insert(text, next);
        next
    }
}

pub(super) fn tape(trace: &TraceRecord) -> Tape {
    let mut texts = Texts::default();
    let (mut rows, mut exhibits, mut before) = (Vec::with_capacity(trace.entries.len()), Vec::new(), 0);
    for entry in &trace.entries {
        if !entry.exhibits.is_empty() {
            exhibits.push((rows.len(), entry.exhibits.iter().map(exhibit).collect()));
        }
        rows.push(row(entry, entry.at_us.saturating_sub(before), &mut texts));
        before = entry.at_us;
    }
    let link = |link: &LinkRecord| {
        let medium = match link.kind {
            crate::record::Medium::Datagram => "datagrams",
            crate::record::Medium::Stream => "TCP",
            crate::record::Medium::Serial => "serial line",
            crate::record::Medium::Pin => "pin",
            crate::record::Medium::Air => "field",
        };
        (shown(&link.name), medium, link.ends.map(|end| end.map_or(-1, i32::from)))
    };
    let timers = trace.head.timers.iter().take(TIMERS_MAX).map(|timer| {
        let at = |us: u64| i64::try_from(us).unwrap_or(i64::MAX);
        let name = texts.of(shown(&timer.name));
        [i64::from(timer.party), name, at(timer.from_us), at(timer.until_us), i64::from(timer.out)]
    });
    let timers = timers.collect();
    Tape {
        parties: trace.head.parties.iter().map(|name| shown(name)).collect(),
        links: trace.head.links.iter().map(link).collect(),
        supplies: trace.head.supplies.iter().map(|it| (shown(&it.name), it.feeds.clone())).collect(),
        texts: texts.all,
        rows,
        exhibits,
        timers,
    }
}

fn row(entry: &TraceEntry, since: u64, texts: &mut Texts) -> [i64; 8] {
    let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let place = entry.link.or(entry.party).or(entry.supply).map_or(-1, i64::from);
    let flags = i64::from(entry.back)
        + 2 * i64::from(entry.on)
        + 4 * i64::from(entry.claim)
        + 8 * i64::from(entry.conn);
    let bytes = entry.hex.as_ref().map(|hex| hex.chars().filter(char::is_ascii_hexdigit).take(2 * BYTES_MAX));
    let name = match (entry.kind, entry.party) {
        (TraceKind::Plug, party) => party.map_or(-1, i64::from),
        _ => entry.name.as_ref().map_or(-1, |name| texts.of(shown(name))),
    };
    [
        number(entry.ordinal),
        number(since),
        entry.kind as i64,
        place,
        flags,
        texts.of(shown(&entry.text)),
        bytes.map_or(-1, |bytes| texts.of(bytes.collect())),
        name,
    ]
}

fn exhibit(exhibit: &Exhibit) -> Shown {
    match exhibit {
        Exhibit::Memory { hex, torn } => Shown::Memory {
            hex: hex.chars().filter(char::is_ascii_hexdigit).take(2 * BYTES_MAX).collect(),
            torn: torn.clone(),
        },
        Exhibit::Ledger { of, lines } => Shown::Ledger {
            of: shown(of),
            lines: lines
                .iter()
                .take(LINES_MAX)
                .map(|line| [&line.key, &line.amount, &line.note].map(|text| shown(text)))
                .collect(),
            more: lines.len().saturating_sub(LINES_MAX),
        },
    }
}
