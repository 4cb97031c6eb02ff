//! The tape: everything observed in one run, in order. Oracles read it and nothing else.

use std::collections::VecDeque;
use std::fmt::Write as _;

use xxhash_rust::xxh3::Xxh3;

use crate::fault::Way;
use crate::machine::Closing;
use crate::time::Instant;

/// Which party of a layout, by its place in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeatId(pub u16);

/// Which link of a layout, by its place in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LineId(pub u16);

/// Which supply of a layout, by its place in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SupplyId(pub u16);

/// One observation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen<E> {
    /// A step of the case itself: what it does, or a phase that begins.
    Case(String),
    /// A unit enters a link, as its sender meant it.
    Sent {
        /// The link.
        line: LineId,
        /// The way.
        way: Way,
        /// The connection, for streams.
        conn: u16,
        /// What kind of frame or line it is.
        name: &'static str,
        /// Its count within that name.
        nth: u32,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// Bytes leave a link, as its receiver gets them.
    Heard {
        /// The link.
        line: LineId,
        /// The way.
        way: Way,
        /// The connection, for streams.
        conn: u16,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// A connection stands, as the far end of `way` learns.
    Opened {
        /// The link.
        line: LineId,
        /// The way.
        way: Way,
        /// The connection.
        conn: u16,
    },
    /// A connection is gone, as the far end of `way` learns.
    Closed {
        /// The link.
        line: LineId,
        /// The way.
        way: Way,
        /// The connection.
        conn: u16,
        /// Why.
        why: Closing,
    },
    /// A line changes its level.
    Level {
        /// The link.
        line: LineId,
        /// The way.
        way: Way,
        /// The level.
        high: bool,
    },
    /// A supply fails or comes back.
    Power {
        /// Which.
        supply: SupplyId,
        /// Whether it is there.
        on: bool,
    },
    /// A card enters a reader's field, or leaves it.
    Plug {
        /// The air link.
        line: LineId,
        /// The card.
        seat: SeatId,
        /// Whether it enters.
        present: bool,
    },
    /// A planned fault strikes.
    Struck {
        /// Its place in the plan.
        strike: usize,
    },
    /// Input for a busy or hung party found its buffer full.
    Overrun {
        /// The party.
        seat: SeatId,
    },
    /// Something that a party says of itself; whether that is evidence depends on who plays the party.
    Noted {
        /// The party.
        seat: SeatId,
        /// What it says.
        event: E,
    },
}

/// An observation with its place on the tape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry<E> {
    /// Its number, from 0, which violations refer to.
    pub ordinal: u64,
    /// When.
    pub at: Instant,
    /// What.
    pub what: Seen<E>,
}

/// How much of a tape is kept. Its digest always covers all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Everything.
    All,
    /// The last so many entries, so that a long run needs no more memory than a short one.
    Last(usize),
}

/// A tape.
#[derive(Clone)]
pub struct Tape<E> {
    entries: VecDeque<Entry<E>>,
    keep: Keep,
    next: u64,
    hash: Xxh3,
    /// What has still to go into the hash, which takes much at a time with less work.
    unhashed: Vec<u8>,
}

/// How much is collected before it goes into the hash.
const HASHED_AT_ONCE: usize = 4_096;

/// What goes into a tape's digest for a family's own events.
pub trait Fingerprint {
    /// Adds the event's content.
    fn fingerprint(&self, add: &mut dyn FnMut(&[u8]));
}

impl<E: Fingerprint> Tape<E> {
    /// An empty tape.
    pub fn new(keep: Keep) -> Self {
        Self { entries: VecDeque::new(), keep, next: 0, hash: Xxh3::new(), unhashed: Vec::new() }
    }

    /// Adds an observation.
    pub fn push(&mut self, at: Instant, what: Seen<E>) {
        write_entry(&mut self.unhashed, at, &what);
        if self.unhashed.len() >= HASHED_AT_ONCE {
            self.hash.update(&self.unhashed);
            self.unhashed.clear();
        }
        self.entries.push_back(Entry { ordinal: self.next, at, what });
        self.next += 1;
        if let Keep::Last(most) = self.keep
            && self.entries.len() > most
        {
            self.entries.pop_front();
        }
    }

    /// Takes the first kept entry out, if it was seen before `until`.
    pub fn take_before(&mut self, until: Instant) -> Option<Entry<E>> {
        if self.entries.front()?.at >= until {
            return None;
        }
        self.entries.pop_front()
    }

    /// How many entries there have been.
    pub fn len(&self) -> u64 {
        self.next
    }

    /// Whether nothing has been observed.
    pub fn is_empty(&self) -> bool {
        self.next == 0
    }

    /// The kept entries.
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = &Entry<E>> {
        self.entries.iter()
    }

    /// An entry by its number, if it is kept.
    pub fn entry(&self, ordinal: u64) -> Option<&Entry<E>> {
        let first = self.entries.front()?.ordinal;
        self.entries.get(usize::try_from(ordinal.checked_sub(first)?).ok()?)
    }

    /// The kept entries from this number on.
    pub fn since(&self, ordinal: u64) -> impl Iterator<Item = &Entry<E>> {
        let first = self.entries.front().map_or(0, |entry| entry.ordinal);
        let skip = usize::try_from(ordinal.saturating_sub(first)).unwrap_or(usize::MAX);
        self.entries.range(skip.min(self.entries.len())..)
    }

    /// The fingerprint of everything observed, kept or not: equal tapes, equal digests.
    pub fn digest(&self) -> u128 {
        let mut hash = self.hash.clone();
        hash.update(&self.unhashed);
        hash.digest128()
    }
}

fn write_entry<E: Fingerprint>(into: &mut Vec<u8>, at: Instant, what: &Seen<E>) {
    let mut head = [0_u8; 32];
    head[..8].copy_from_slice(&at.as_us().to_le_bytes());
    let mut body: &[u8] = &[];
    let mut put = |tag: u8, words: [u16; 3], flag: u8, number: u64| {
        head[8] = tag;
        for (place, word) in words.iter().enumerate() {
            head[9 + place * 2..11 + place * 2].copy_from_slice(&word.to_le_bytes());
        }
        head[15] = flag;
        head[16..24].copy_from_slice(&number.to_le_bytes());
    };
    match what {
        Seen::Case(text) => {
            put(0, [0; 3], 0, 0);
            body = text.as_bytes();
        }
        Seen::Sent { line, way, conn, name, nth, bytes } => {
            put(1, [line.0, *conn, name.len() as u16], way.index() as u8, u64::from(*nth));
            into.extend_from_slice(name.as_bytes());
            body = bytes;
        }
        Seen::Heard { line, way, conn, bytes } => {
            put(2, [line.0, *conn, 0], way.index() as u8, 0);
            body = bytes;
        }
        Seen::Opened { line, way, conn } => put(3, [line.0, *conn, 0], way.index() as u8, 0),
        Seen::Closed { line, way, conn, why } => {
            put(4, [line.0, *conn, *why as u16], way.index() as u8, 0);
        }
        Seen::Level { line, way, high } => put(5, [line.0, u16::from(*high), 0], way.index() as u8, 0),
        Seen::Power { supply, on } => put(6, [supply.0, 0, 0], u8::from(*on), 0),
        Seen::Plug { line, seat, present } => put(7, [line.0, seat.0, 0], u8::from(*present), 0),
        Seen::Struck { strike } => put(8, [0; 3], 0, *strike as u64),
        Seen::Overrun { seat } => put(9, [seat.0, 0, 0], 0, 0),
        Seen::Noted { seat, event } => {
            // Each part goes in with its length, and the number of parts after them, so that nothing runs together.
            let mut parts = 0;
            event.fingerprint(&mut |bytes| {
                into.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
                into.extend_from_slice(bytes);
                parts += 1;
            });
            put(10, [seat.0, 0, 0], 0, parts);
        }
    }
    head[24..].copy_from_slice(&(body.len() as u64).to_le_bytes());
    into.extend_from_slice(&head);
    into.extend_from_slice(body);
}

/// Names for what a tape only numbers, and the family's way to read its bytes.
pub trait Legend<E> {
    /// A party's name.
    fn seat(&self, seat: SeatId) -> &str;
    /// A link's name.
    fn line(&self, line: LineId) -> &str;
    /// A supply's name.
    fn supply(&self, supply: SupplyId) -> &str;
    /// A strike in words.
    fn strike(&self, strike: usize) -> String;
    /// A unit's meaning, where the family knows more than its bytes show.
    fn meaning(&self, name: &str, bytes: &[u8]) -> Option<String>;
    /// An event in words.
    fn event(&self, event: &E) -> String;
}

/// One entry as a line of text, without its ordinal: time, place, what. Text from a device is escaped.
pub fn render_entry<E>(entry: &Entry<E>, legend: &dyn Legend<E>) -> String {
    let place = |line: LineId, way: Way| format!("{}{}", legend.line(line), way.sign());
    let conn = |conn: u16| if conn == 0 { String::new() } else { format!(" [{conn}]") };
    let mut text = format!("{:>14} ", entry.at.to_string());
    let _ = match &entry.what {
        Seen::Case(what) => write!(text, "case          {}", what.escape_debug()),
        Seen::Sent { line, way, conn: id, name, nth, bytes } => {
            let meaning = legend.meaning(name, bytes).unwrap_or_else(|| render_bytes(bytes));
            write!(text, "{:<13} {name} #{nth}{}  {meaning}", place(*line, *way), conn(*id))
        }
        Seen::Heard { line, way, conn: id, bytes } => {
            write!(text, "{:<13} arrives{}  {}", place(*line, *way), conn(*id), render_bytes(bytes))
        }
        Seen::Opened { line, way, conn: id } => {
            write!(text, "{:<13} connection stands{}", place(*line, *way), conn(*id))
        }
        Seen::Closed { line, way, conn: id, why } => {
            let why = match why {
                Closing::Fin => "closed",
                Closing::Reset => "reset",
                Closing::Refused => "refused",
                Closing::TimedOut => "given up",
            };
            write!(text, "{:<13} connection {why}{}", place(*line, *way), conn(*id))
        }
        Seen::Level { line, way, high } => {
            write!(text, "{:<13} {}", place(*line, *way), if *high { "high" } else { "low" })
        }
        Seen::Power { supply, on } => {
            write!(text, "{:<13} power {}", legend.supply(*supply), if *on { "back" } else { "cut" })
        }
        Seen::Plug { line, seat, present } => {
            let verb = if *present { "enters the field" } else { "leaves the field" };
            write!(text, "{:<13} {} {verb}", legend.line(*line), legend.seat(*seat))
        }
        Seen::Struck { strike } => write!(text, "fault         {}", legend.strike(*strike)),
        Seen::Overrun { seat } => write!(text, "{:<13} input overrun", legend.seat(*seat)),
        Seen::Noted { seat, event } => {
            write!(text, "{:<13} {}", legend.seat(*seat), legend.event(event).escape_debug())
        }
    };
    text
}

/// Bytes as a person reads them: text where they are text, hex where they are not; long ones are cut and counted.
pub fn render_bytes(bytes: &[u8]) -> String {
    const SHOWN: usize = 48;
    let shown = &bytes[..bytes.len().min(SHOWN)];
    let printable = |byte: &u8| matches!(byte, b'\r' | b'\n' | 0x20..=0x7e);
    let mut text = if shown.iter().all(printable) && !shown.is_empty() {
        format!("\"{}\"", shown.escape_ascii())
    } else {
        shown.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{}{byte:02X}", if text.is_empty() { "" } else { " " });
            text
        })
    };
    if bytes.len() > SHOWN {
        let _ = write!(text, " … ({} bytes)", bytes.len());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Fingerprint for u8 {
        fn fingerprint(&self, add: &mut dyn FnMut(&[u8])) {
            add(&[*self]);
        }
    }

    #[test]
    fn a_bounded_tape_keeps_its_end_and_digests_its_whole() {
        let mut all = Tape::<u8>::new(Keep::All);
        let mut last = Tape::<u8>::new(Keep::Last(2));
        for event in 0..5 {
            for tape in [&mut all, &mut last] {
                tape.push(Instant::from_us(u64::from(event)), Seen::Noted { seat: SeatId(0), event });
            }
        }
        assert_eq!(all.digest(), last.digest());
        assert_eq!(last.entries().map(|entry| entry.ordinal).collect::<Vec<_>>(), [3, 4]);
        assert_eq!(last.entry(2), None);
        assert_eq!(last.entry(4).map(|entry| entry.ordinal), Some(4));
        assert_eq!(last.since(4).count(), 1);
        assert_eq!(all.since(9).count(), 0);
        assert_eq!(last.since(0).count(), 2);
    }

    #[test]
    fn a_tape_may_keep_nothing_at_all() {
        let mut tape = Tape::<u8>::new(Keep::Last(0));
        tape.push(Instant::ZERO, Seen::Noted { seat: SeatId(0), event: 1 });
        assert_eq!((tape.entries().count(), tape.len()), (0, 1));
    }

    #[test]
    fn the_parts_of_an_event_do_not_run_together() {
        struct Pair(&'static str, &'static str);
        impl Fingerprint for Pair {
            fn fingerprint(&self, add: &mut dyn FnMut(&[u8])) {
                add(self.0.as_bytes());
                add(self.1.as_bytes());
            }
        }
        let digest = |event: Pair| {
            let mut tape = Tape::new(Keep::All);
            tape.push(Instant::ZERO, Seen::Noted { seat: SeatId(0), event });
            tape.digest()
        };
        assert_ne!(digest(Pair("ab", "c")), digest(Pair("a", "bc")));
    }

    #[test]
    fn any_difference_changes_the_digest() {
        let digest = |way: Way, bytes: &[u8]| {
            let mut tape = Tape::<u8>::new(Keep::All);
            tape.push(Instant::ZERO, Seen::Heard { line: LineId(1), way, conn: 0, bytes: bytes.to_vec() });
            tape.digest()
        };
        assert_ne!(digest(Way::AtoB, b"x"), digest(Way::BtoA, b"x"));
        assert_ne!(digest(Way::AtoB, b"x"), digest(Way::AtoB, b"y"));
        assert_eq!(digest(Way::AtoB, b"x"), digest(Way::AtoB, b"x"));
    }

    #[test]
    fn bytes_are_shown_as_text_or_hex_and_cut_when_long() {
        assert_eq!(render_bytes(b"AT\r"), "\"AT\\r\"");
        assert_eq!(render_bytes(&[0xAA, 0x1b]), "AA 1B");
        assert!(render_bytes(&[b'x'; 60]).ends_with("(60 bytes)"));
        assert_eq!(render_bytes(&[]), "");
    }
}
