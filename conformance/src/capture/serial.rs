//! Recordings of a serial line as text: timestamped hexadecimal, and what logic analysers export.
//!
//! Source: the exports of Saleae Logic 1 and 2 (comma-separated, a byte a row), and what terminal programs and port
//! monitors write (a time, a direction, bytes in hexadecimal).

use std::collections::BTreeMap;
use std::fmt;

use jiff::civil;

use super::clock::Clock;
use assay_reports::text::{counted, shown};
use assay_sim::fault::Way;

/// Bytes of one way that are no further apart than this are one burst.
///
/// Units: microseconds.
const BURST_GAP_US: u64 = 2_000;

/// The most bytes of one burst.
const BURST_MAX: usize = 256;

/// A clock that goes back by more than this has passed midnight.
///
/// Units: microseconds.
const HALF_A_DAY_US: u64 = 12 * 3_600 * 1_000_000;

/// Who sends what a recording calls sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Tx {
    /// The host: the recording was made at its side.
    #[default]
    Host,
    /// The modem.
    Modem,
}

/// Bytes that crossed the line one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Burst {
    /// When its first byte did.
    ///
    /// Units: microseconds since the beginning of the recording.
    pub(super) at_us: u64,
    /// [`Way::AtoB`] from the host.
    pub(super) way: Way,
    /// The bytes.
    pub(super) bytes: Vec<u8>,
    /// What is missing before it, so that nothing before it counts any more.
    pub(super) gap: Option<String>,
}

/// A recording of a line.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// In the order in which they crossed it.
    pub(super) bursts: Vec<Burst>,
    /// Signs that something is missing.
    pub(super) lost: Vec<String>,
    /// What else is worth knowing.
    pub(super) notes: Vec<String>,
    /// When the last byte was recorded.
    ///
    /// Units: microseconds since the beginning of the recording.
    pub(super) span_us: u64,
}

/// One thing that a row says.
struct Row {
    /// Where it stands, from 1.
    number: u64,
    /// Units: microseconds by the clock of whoever recorded.
    at_us: u64,
    way: Way,
    /// Bytes; or why there are none.
    bytes: Result<Vec<u8>, String>,
}

/// Reads a recording in one of the text forms.
///
/// Errors: a sentence with the line and the mend.
pub(super) fn read(text: &str, tx: Tx) -> Result<Line, String> {
    let first = text.lines().next().unwrap_or_default();
    let mut line = Line::default();
    let rows = match Columns::of(first) {
        Some(columns) => columns.rows(text, tx)?,
        None => hex_rows(text, tx, &mut line)?,
    };
    line.put_together(rows);
    Ok(line)
}

impl Line {
    fn put_together(&mut self, rows: Vec<Row>) {
        let mut clock = Clock::default();
        let (mut gap, mut spoilt) = (None::<String>, 0_u64);
        for row in rows {
            if let Some(back) = clock.tick(row.at_us, format_args!("line {}", row.number)) {
                self.lost.push(back.clone());
                gap = Some(back);
            }
            let bytes = match row.bytes {
                Ok(bytes) => bytes,
                Err(why) => {
                    spoilt += 1;
                    gap = Some(format!("line {}: {why}", row.number));
                    continue;
                }
            };
            self.take(clock.now_us, row.way, &bytes, gap.take());
        }
        if spoilt > 0 {
            self.lost.push(format!("{} that the recorder did not read", counted(spoilt, "byte")));
        }
        if clock.disordered > 0 {
            self.notes.push(format!("{} × line that is out of order", clock.disordered));
        }
        self.notes.append(&mut clock.notes);
        self.span_us = clock.now_us;
    }

    fn take(&mut self, at_us: u64, way: Way, bytes: &[u8], gap: Option<String>) {
        // How long the burst so far took at least is not known, so its beginning counts, and the next byte's.
        let joins = |last: &&mut Burst| {
            let near = at_us.saturating_sub(last.at_us) <= BURST_GAP_US * last.bytes.len() as u64;
            gap.is_none() && last.way == way && near && last.bytes.len() + bytes.len() <= BURST_MAX
        };
        if at_us.saturating_sub(self.span_us) <= BURST_GAP_US
            && let Some(last) = self.bursts.last_mut().filter(joins)
        {
            last.bytes.extend_from_slice(bytes);
        } else if !bytes.is_empty() {
            self.bursts.push(Burst { at_us, way, bytes: bytes.to_vec(), gap });
        }
        self.span_us = at_us;
    }
}

/// Which way a word means, if it is one for a direction.
fn way_of(word: &str, tx: Tx) -> Option<Way> {
    let word = word.trim_matches(|sign: char| matches!(sign, '[' | ']' | '(' | ')' | ':' | '"'));
    let from_host = match word.to_ascii_lowercase().as_str() {
        "tx" | "txd" | "->" | "-->" | ">" | ">>" | "=>" | "write" | "written" | "send" | "sent" | "out" => {
            tx == Tx::Host
        }
        "rx" | "rxd" | "<-" | "<--" | "<" | "<<" | "<=" | "read" | "recv" | "received" | "in" => {
            tx == Tx::Modem
        }
        "host" | "dte" | "terminal" | "mcu" => true,
        "modem" | "dce" | "module" => false,
        _ => return None,
    };
    Some(if from_host { Way::AtoB } else { Way::BtoA })
}

/// The time of day, the date and time, or the seconds that a word or two say, and how many words those are.
fn time_of(words: &[&str]) -> Option<(u64, usize)> {
    let plain = |word: &str| {
        let word = word.trim_matches(|sign: char| matches!(sign, '[' | ']' | '(' | ')'));
        word.trim_end_matches([',', ';']).replace(',', ".")
    };
    let first = plain(words.first()?);
    if let Ok(instant) = first.parse::<jiff::Timestamp>() {
        return Some((u64::try_from(instant.as_microsecond()).ok()?, 1));
    }
    let dated = |text: &str| text.parse::<civil::DateTime>().ok().and_then(since_1970);
    if let Some(second) = words.get(1)
        && first.parse::<civil::Date>().is_ok()
        && let Some(at) = dated(&format!("{first}T{}", plain(second)))
    {
        return Some((at, 2));
    }
    if first.contains('T')
        && let Some(at) = dated(&first)
    {
        return Some((at, 1));
    }
    if first.contains(':') {
        let time = first.trim_end_matches(':').parse::<civil::Time>().ok()?;
        return Some((since_1970(civil::date(1970, 1, 1).to_datetime(time))?, 1));
    }
    micros(&first).map(|at| (at, 1))
}

fn since_1970(at: civil::DateTime) -> Option<u64> {
    let instant = at.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
    u64::try_from(instant.as_microsecond()).ok()
}

/// Seconds with their decimals, which must be there: `0.000125`.
fn micros(text: &str) -> Option<u64> {
    let (whole, decimals) = text.strip_suffix('s').unwrap_or(text).split_once('.')?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(decimals) {
        return None;
    }
    let six: String = decimals.chars().chain("000000".chars()).take(6).collect();
    whole.parse::<u64>().ok()?.checked_mul(1_000_000)?.checked_add(six.parse().ok()?)
}

/// Bytes as `41 54 0D`, `41540D`, `0x41, 0x54`, `41-54-0D` or `41:54:0D`. Behind a bar, or behind two blanks if it is
/// just their text, stands what says nothing new.
fn bytes_of(rest: &str) -> Option<Vec<u8>> {
    let rest = rest.split('|').next()?.trim();
    let (mut bytes, mut left) = (Vec::new(), rest);
    while let Some((part, tail)) = left.split_once("  ") {
        bytes.extend(hex(part)?);
        left = tail.trim_start();
        if is_text_of(&bytes, left) {
            return Some(bytes);
        }
    }
    bytes.extend(hex(left)?);
    Some(bytes).filter(|bytes| !bytes.is_empty())
}

fn is_text_of(bytes: &[u8], text: &str) -> bool {
    let shown = |byte: &u8| if (0x20..0x7F).contains(byte) { char::from(*byte) } else { '.' };
    bytes.iter().map(shown).eq(text.chars())
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    for word in text.split([' ', '\t', ',', '-', ':']).filter(|word| !word.is_empty()) {
        let digits = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")).unwrap_or(word);
        if !digits.len().is_multiple_of(2) || !digits.is_ascii() {
            return None;
        }
        for at in (0..digits.len()).step_by(2) {
            bytes.push(u8::from_str_radix(&digits[at..at + 2], 16).ok()?);
        }
    }
    Some(bytes)
}

/// The rows of a recording that has a time, a direction and bytes in each line.
fn hex_rows(text: &str, tx: Tx, line: &mut Line) -> Result<Vec<Row>, String> {
    let mut rows: Vec<Row> = Vec::new();
    let (mut foreign, mut first_foreign) = (0_u64, None::<(u64, &str)>);
    let mut days = Days::default();
    for (number, text) in (1_u64..).zip(text.lines()) {
        let text = text.trim();
        if text.is_empty() || text.starts_with(['#', ';']) {
            continue;
        }
        if let Some((at_us, way, bytes)) = hex_row(text, tx) {
            rows.push(Row { number, at_us: days.of(at_us), way, bytes: Ok(bytes) });
        } else if let (Some(more), Some(Row { bytes: Ok(bytes), .. })) = (bytes_of(text), rows.last_mut()) {
            // A long burst goes on in the next line.
            bytes.extend_from_slice(&more);
        } else {
            foreign += 1;
            first_foreign.get_or_insert((number, text));
        }
    }
    match first_foreign {
        Some((number, text)) if rows.is_empty() => Err(format!(
            "line {number} is no line of a serial recording: `{}`; each needs a time, a direction and bytes in \
             hexadecimal, such as `12:30:01.250 TX 41 54 0D`, or the file is a CSV of a logic analyser with a header",
            shown(&text.chars().take(60).collect::<String>())
        )),
        None if rows.is_empty() => Err("there is nothing in it".to_owned()),
        Some((number, _)) => {
            line.notes
                .push(format!("{foreign} × line that is no transmission, the first of them line {number}"));
            Ok(rows)
        }
        None => Ok(rows),
    }
}

fn hex_row(text: &str, tx: Tx) -> Option<(u64, Way, Vec<u8>)> {
    let words: Vec<&str> = text.split_whitespace().take(3).collect();
    let (at_us, taken) = time_of(&words)?;
    let way = way_of(words.get(taken)?, tx)?;
    let mut rest = text;
    for _ in 0..=taken {
        rest = rest.trim_start().split_once(char::is_whitespace)?.1;
    }
    Some((at_us, way, bytes_of(rest)?))
}

/// Times of day that go on after midnight.
#[derive(Default)]
struct Days {
    last_us: u64,
    passed_us: u64,
}

impl Days {
    fn of(&mut self, at_us: u64) -> u64 {
        let day = 2 * HALF_A_DAY_US;
        if at_us < day && at_us + HALF_A_DAY_US < self.last_us {
            self.passed_us += day;
        }
        self.last_us = at_us;
        at_us + self.passed_us
    }
}

/// Where the columns of a logic analyser's table are.
#[derive(Debug)]
struct Columns {
    time: usize,
    name: Option<usize>,
    kind: Option<usize>,
    data: usize,
    errors: Vec<usize>,
}

impl Columns {
    /// Those that a header names; `None` for a line that is none.
    fn of(header: &str) -> Option<Self> {
        let names: Vec<String> = header
            .trim_start_matches('\u{feff}')
            .split(',')
            .map(|name| name.trim().trim_matches('"').to_ascii_lowercase())
            .collect();
        let place = |wanted: &[&str]| names.iter().position(|name| wanted.contains(&name.as_str()));
        let errors = ["error", "parity error", "framing error"];
        Some(Self {
            time: place(&["start_time", "time [s]", "time[s]", "time", "timestamp"])?,
            name: place(&["name", "analyzer name", "channel", "direction"]),
            kind: place(&["type"]),
            data: place(&["data", "value", "byte", "decoded protocol result"])?,
            errors: (0..names.len()).filter(|at| errors.contains(&names[*at].as_str())).collect(),
        })
    }

    fn rows(&self, text: &str, tx: Tx) -> Result<Vec<Row>, String> {
        let mut table = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
        let (mut rows, mut channels) = (Vec::new(), BTreeMap::<String, Option<Way>>::new());
        for record in table.records() {
            let record = record.map_err(|error| format!("as a table it does not read: {error}"))?;
            let number = record.position().map_or(0, csv::Position::line);
            let field = |at: usize| record.get(at).unwrap_or_default().trim();
            if self.kind.is_some_and(|kind| !matches!(field(kind), "data" | "")) {
                continue;
            }
            let channel = self.name.map(field).unwrap_or_default();
            let way = match channels.get(channel) {
                Some(way) => *way,
                None => {
                    let words = channel.split([' ', '_', '-', '/', '.']);
                    let way =
                        words.filter_map(|word| way_of(word, tx)).next().or_else(|| way_of(channel, tx));
                    *channels.entry(channel.to_owned()).or_insert(way)
                }
            };
            let Some(way) = way else { continue };
            let Some((at_us, _)) = time_of(&[field(self.time)]) else {
                return Err(format!(
                    "line {number} has no time: `{}`; export it in seconds with their decimals, or as a date and time",
                    shown(field(self.time))
                ));
            };
            let bytes = self.byte(&field);
            rows.push(Row { number, at_us, way, bytes });
        }
        self.need_both(&channels, &rows)?;
        // An analyser may export one channel behind the other.
        rows.sort_by_key(|row| row.at_us);
        Ok(rows)
    }

    fn byte<'a>(&self, field: &impl Fn(usize) -> &'a str) -> Result<Vec<u8>, String> {
        let wrong = |error: &str| !matches!(error.to_ascii_lowercase().as_str(), "" | "false" | "0" | "none");
        if let Some(at) = self.errors.iter().find(|at| wrong(field(**at))) {
            return Err(format!("a byte was not read rightly ({})", shown(field(*at))));
        }
        let data = field(self.data);
        bytes_of(data).ok_or_else(|| format!("`{}` is no byte in hexadecimal", shown(data)))
    }

    /// Who sends must be known, and both must be there.
    fn need_both(&self, channels: &BTreeMap<String, Option<Way>>, rows: &[Row]) -> Result<(), String> {
        let mend = "name the two analysers `TX` and `RX` and export both in hexadecimal";
        let unknown: Vec<String> = channels
            .iter()
            .filter(|(_, way)| way.is_none())
            .map(|(name, _)| format!("`{}`", shown(name)))
            .collect();
        if self.name.is_none() {
            return Err(format!("it does not say on which channel a byte was: {mend}"));
        }
        if rows.is_empty() && !unknown.is_empty() {
            return Err(format!("the channels {} do not say who sends: {mend}", unknown.join(" and ")));
        }
        match rows.first() {
            None => Err("there is no byte in it".to_owned()),
            Some(Row { bytes: Err(why), number, .. }) if rows.iter().all(|row| row.bytes.is_err()) => {
                Err(format!("line {number}: {why}: {mend}"))
            }
            Some(_) => Ok(()),
        }
    }
}

impl fmt::Display for Tx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Host => "host",
            Self::Modem => "modem",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bursts(text: &str) -> Vec<(u64, Way, String)> {
        let line = read(text, Tx::Host).unwrap();
        let told = |burst: Burst| (burst.at_us, burst.way, burst.bytes.escape_ascii().to_string());
        line.bursts.into_iter().map(told).collect()
    }

    const UP: Way = Way::AtoB;
    const DOWN: Way = Way::BtoA;

    #[test]
    fn hexadecimal_with_a_time_and_a_direction_is_read_in_its_common_forms() {
        for text in [
            "12:30:01.250 TX: 41 54 0D\n12:30:01.300 RX: 0D 0A 4F 4B\n",
            "[2024-01-02 12:30:01.250] -> 41540D\n[2024-01-02 12:30:01.300] <- 0D0A4F4B\n",
            "2024-01-02T12:30:01.250Z write 0x41, 0x54, 0x0D\n2024-01-02T12:30:01.300Z read 0x0d,0x0a,0x4f,0x4b",
            "# a comment\n1.250000 > 41-54-0D |AT.|\n\n1.300000 < 0D:0A  ..\n4F  4B  OK\n",
            "2024-01-02 12:30:01,250 (TX) 41 54 0D\r\n2024-01-02 12:30:01,300 (RX) 0D 0A 4F 4B\r\n",
        ] {
            let told = [(0, UP, "AT\\r".to_owned()), (50_000, DOWN, "\\r\\nOK".to_owned())];
            assert_eq!(bursts(text), told, "{text}");
        }
        let swapped = read("1.5 RX 41\n1.6 TX 42", Tx::Modem).unwrap();
        assert_eq!(swapped.bursts.iter().map(|burst| burst.way).collect::<Vec<_>>(), [UP, DOWN]);
    }

    #[test]
    fn a_day_ends_at_midnight_and_a_clock_that_is_set_back_is_named() {
        assert_eq!(bursts("23:59:59.5 TX 41\n00:00:00.5 RX 42")[1], (1_000_000, DOWN, "B".to_owned()));
        let back = read("10:00:00.0 TX 41\n09:00:00.0 RX 42", Tx::Host).unwrap();
        assert!(back.lost[0].ends_with("at line 2"), "{:?}", back.lost);
        assert!(back.bursts[1].gap.is_some());
    }

    #[test]
    fn a_logic_analysers_table_is_read_whatever_the_order_of_its_channels() {
        let logic_2 = "name,type,start_time,duration,data,error\n\
            \"TX\",\"data\",0.000100,0.00008,0x41,\n\"TX\",\"data\",0.000187,0.00008,0x54,\n\
            \"RX\",\"data\",0.500000,0.00008,0x4F,\n\"RX\",\"data\",0.500087,0.00008,0x4B,\n";
        let told = [(0, UP, "AT".to_owned()), (499_900, DOWN, "OK".to_owned())];
        assert_eq!(bursts(logic_2), told);
        let logic_1 = "Time [s],Analyzer Name,Decoded Protocol Result\n0.500000,uart RX,0x4F\n\
            0.500087,uart RX,0x4B\n0.000100,uart TX,0x41\n0.000187,uart TX,0x54\n";
        assert_eq!(bursts(logic_1), told);
        let framing = read(&logic_2.replace("0x54,\n", "0x54,framing\n"), Tx::Host).unwrap();
        assert_eq!(framing.lost, ["1 byte that the recorder did not read"]);
        assert_eq!(framing.bursts[1].gap.as_deref(), Some("line 3: a byte was not read rightly (framing)"));
    }

    #[test]
    fn what_is_no_recording_is_told_with_its_place_and_its_mend() {
        let why = |text: &str| read(text, Tx::Host).unwrap_err();
        assert!(why("hello\nworld").starts_with("line 1 is no line of a serial recording: `hello`"));
        assert_eq!(why(""), "there is nothing in it");
        let names = "name,type,start_time,duration,data\nAsync Serial,data,0.1,0.1,0x41\n";
        assert!(why(names).starts_with("the channels `Async Serial` do not say who sends"), "{}", why(names));
        let ascii = "name,type,start_time,duration,data\nTX,data,0.1,0.1,A\n";
        assert!(why(ascii).starts_with("line 2: `A` is no byte in hexadecimal"), "{}", why(ascii));
        assert!(why("Time [s],Value\n0.1,0x41\n").starts_with("it does not say on which channel"));
        assert!(why("name,time,data\nTX,soon,0x41\n").starts_with("line 2 has no time: `soon`"));
    }
}
