//! From a tape to its trace.

use assay_reports::{
    LinkRecord, Medium, SupplyRecord, TRACE_SCHEMA, TimerRecord, TraceEntry, TraceHead, TraceKind,
    TraceRecord,
};
use assay_sim::bench::Names;
use assay_sim::fault::{LinkKind, Way};
use assay_sim::tabletop::Lapse;
use assay_sim::tape::{Entry, LineId, Seen};

use crate::system::Suited;

/// The text of an entry, and whether it is a claim.
pub type Words<'a, E> = dyn Fn(&Entry<E>) -> (String, bool) + 'a;

/// The trace of these entries; `words` has the text of each.
pub fn record<'a, F: Suited<Event: 'a>>(
    names: &Names,
    entries: impl Iterator<Item = &'a Entry<F::Event>>,
    words: &Words<'_, F::Event>,
) -> TraceRecord {
    let entry = |entry: &Entry<F::Event>| {
        let (text, claim) = words(entry);
        fill::<F>(entry, TraceEntry { claim, text, ..blank(entry.ordinal, entry.at.as_us()) })
    };
    TraceRecord { head: head(names), entries: entries.map(entry).collect() }
}

fn head(names: &Names) -> TraceHead {
    let link = |(name, wired): (&String, &assay_sim::bench::LinkEnds)| LinkRecord {
        name: name.clone(),
        kind: match wired.kind {
            LinkKind::Datagram => Medium::Datagram,
            LinkKind::Stream => Medium::Stream,
            LinkKind::Serial => Medium::Serial,
            LinkKind::Pin => Medium::Pin,
            LinkKind::Air => Medium::Air,
        },
        ends: wired.ends.map(|end| end.map(|seat| seat.0)),
        listens: wired.listens.map(|address| address.to_string()),
    };
    let supply = |(name, feeds): (&String, &Vec<assay_sim::tape::SeatId>)| SupplyRecord {
        name: name.clone(),
        feeds: feeds.iter().map(|seat| seat.0).collect(),
    };
    TraceHead {
        schema: TRACE_SCHEMA.to_owned(),
        parties: names.seats.clone(),
        links: names.lines.iter().zip(&names.links).map(link).collect(),
        supplies: names.supplies.iter().zip(&names.feeds).map(supply).collect(),
        timers: Vec::new(),
    }
}

/// A timer of a party as a trace has it.
pub fn timer(lapse: &Lapse) -> TimerRecord {
    TimerRecord {
        party: lapse.seat.0,
        name: lapse.name.strip_prefix("timer:").unwrap_or(lapse.name).to_owned(),
        from_us: lapse.from.as_us(),
        until_us: lapse.until.as_us(),
        out: lapse.out,
    }
}

fn blank(ordinal: u64, at_us: u64) -> TraceEntry {
    TraceEntry {
        ordinal,
        at_us,
        kind: TraceKind::Case,
        link: None,
        back: false,
        conn: 0,
        party: None,
        supply: None,
        on: false,
        name: None,
        hex: None,
        claim: false,
        text: String::new(),
        exhibits: Vec::new(),
    }
}

fn fill<F: Suited>(entry: &Entry<F::Event>, blank: TraceEntry) -> TraceEntry {
    let on = |kind, line: LineId, way: Way, conn: u16| TraceEntry {
        kind,
        link: Some(line.0),
        back: way == Way::BtoA,
        conn,
        ..blank.clone()
    };
    match &entry.what {
        Seen::Case(_) => blank,
        Seen::Sent { line, way, conn, name, bytes, .. } => TraceEntry {
            name: Some((*name).to_owned()),
            hex: Some(hex(bytes)),
            ..on(TraceKind::Sent, *line, *way, *conn)
        },
        Seen::Heard { line, way, conn, bytes } => {
            TraceEntry { hex: Some(hex(bytes)), ..on(TraceKind::Heard, *line, *way, *conn) }
        }
        Seen::Opened { line, way, conn } => on(TraceKind::Opened, *line, *way, *conn),
        Seen::Closed { line, way, conn, .. } => on(TraceKind::Closed, *line, *way, *conn),
        Seen::Level { line, way, high } => TraceEntry { on: *high, ..on(TraceKind::Level, *line, *way, 0) },
        Seen::Power { supply, on } => {
            TraceEntry { kind: TraceKind::Power, supply: Some(supply.0), on: *on, ..blank }
        }
        Seen::Plug { line, seat, present } => {
            TraceEntry { party: Some(seat.0), on: *present, ..on(TraceKind::Plug, *line, Way::AtoB, 0) }
        }
        Seen::Struck { .. } => TraceEntry { kind: TraceKind::Fault, ..blank },
        Seen::Overrun { seat } => TraceEntry { kind: TraceKind::Overrun, party: Some(seat.0), ..blank },
        Seen::Noted { seat, event } => {
            TraceEntry { kind: TraceKind::Noted, party: Some(seat.0), exhibits: F::exhibits(event), ..blank }
        }
    }
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}
