//! The lines of the lockstep contract, one JSON object each.

use std::borrow::Cow;
use std::fmt::Write as _;

use assay_sim::time::{Instant, Span, Wall};
use serde::{Deserialize, Deserializer};
use thiserror::Error;

use super::breach::quoted;

/// What a program is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// Power on.
    Start {
        /// What its clock shows.
        wall: Wall,
        /// What its storage holds.
        nv: Vec<u8>,
    },
    /// Its clock was stepped.
    Wall(Wall),
    /// What it had asked of its storage is done.
    NvDone,
    /// The time that it asked for has come.
    Deadline,
    /// Bytes, or one datagram.
    Rx {
        /// The port.
        port: &'static str,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// A link came up or went away.
    Link {
        /// The port.
        port: &'static str,
        /// Which.
        up: bool,
    },
    /// A line on the text port.
    Text(String),
}

impl Told {
    /// Appends the line, its end included.
    pub fn encode(&self, at: Instant, line: &mut String) {
        let head = |line: &mut String, input: &str| {
            let _ = write!(line, r#"{{"t_us":{},"in":"{input}""#, at.as_us());
        };
        match self {
            Self::Start { wall, nv } => {
                head(line, "start");
                let _ = write!(line, r#","wall":"{}","nv":""#, iso(*wall));
                push_hex(line, nv);
                line.push('"');
            }
            Self::Wall(wall) => {
                head(line, "wall");
                let _ = write!(line, r#","wall":"{}""#, iso(*wall));
            }
            Self::NvDone => head(line, "nv_done"),
            Self::Deadline => head(line, "deadline"),
            Self::Rx { port, bytes } => {
                head(line, "rx");
                let _ = write!(line, r#","port":"{port}","hex":""#);
                push_hex(line, bytes);
                line.push('"');
            }
            Self::Link { port, up } => {
                head(line, "link");
                let _ = write!(line, r#","port":"{port}","up":{up}"#);
            }
            Self::Text(text) => {
                head(line, "text");
                let text = serde_json::Value::from(text.as_str());
                let _ = write!(line, r#","line":{text}"#);
            }
        }
        line.push_str("}\n");
    }
}

/// `2024-01-02T03:04:05`.
fn iso(wall: Wall) -> String {
    let digits = wall.digits();
    let part = |range: std::ops::Range<usize>| digits.get(range).unwrap_or_default();
    format!("{}-{}-{}T{}:{}:{}", part(0..4), part(4..6), part(6..8), part(8..10), part(10..12), part(12..14))
}

fn push_hex(line: &mut String, bytes: &[u8]) {
    for byte in bytes {
        for nibble in [byte >> 4, byte & 0x0F] {
            line.extend(char::from_digit(u32::from(nibble), 16));
        }
    }
}

/// What a program says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// Bytes, or one datagram.
    Tx {
        /// The port.
        port: String,
        /// The bytes, at least one.
        bytes: Vec<u8>,
    },
    /// A line on the text port.
    Text(String),
    /// Bytes for its storage.
    NvWrite {
        /// The first cell.
        addr: u64,
        /// The bytes, at least one.
        bytes: Vec<u8>,
    },
    /// It wants a link, or wants it anew.
    Link {
        /// The port.
        port: String,
        /// To whom; none hangs up a link that there is.
        to: Option<String>,
    },
    /// The turn is over.
    Wait(Option<Span>),
}

/// A line that the contract does not have.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("it said {}, but {expected}", quoted(.line))]
pub struct BadLine {
    /// The line.
    pub line: String,
    /// What would be right.
    pub expected: String,
}

/// Every field that a line can have.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields<'a> {
    #[serde(borrow)]
    out: Option<Cow<'a, str>>,
    #[serde(borrow)]
    port: Option<Cow<'a, str>>,
    #[serde(borrow)]
    hex: Option<Cow<'a, str>>,
    #[serde(borrow)]
    line: Option<Cow<'a, str>>,
    addr: Option<u64>,
    up: Option<bool>,
    #[serde(borrow)]
    to: Option<Cow<'a, str>>,
    #[serde(default, deserialize_with = "there")]
    wait_us: Option<Option<u64>>,
}

/// Why: `null` is an answer here, and not the same as none.
fn there<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<u64>>, D::Error> {
    Option::<u64>::deserialize(from).map(Some)
}

const OUTPUTS: &str = concat!(
    r#"an output is {"out":"tx","port":P,"hex":H}, {"out":"text","line":L}, {"out":"nv_write","addr":N,"hex":H}, "#,
    r#"{"out":"link","port":P,"up":true,"to":A} or {"out":"link","port":P,"up":false}, and {"wait_us":N} or "#,
    r#"{"wait_us":null} ends a turn"#,
);

impl Said {
    /// Reads one line, without its end.
    ///
    /// Errors: [`BadLine`].
    pub fn scan(line: &[u8], wait_max: Span) -> Result<Self, BadLine> {
        let refuse =
            |expected: String| BadLine { line: String::from_utf8_lossy(line).into_owned(), expected };
        let text = std::str::from_utf8(line).map_err(|_| refuse("a line is UTF-8".to_owned()))?;
        let fields: Fields<'_> = serde_json::from_str(text).map_err(|error| {
            let why = error.to_string();
            let why = why.split(" at line ").next().unwrap_or_default();
            refuse(format!("that is no line of the contract ({why}): {OUTPUTS}"))
        })?;
        Self::of(fields, wait_max).map_err(refuse)
    }

    fn of(fields: Fields<'_>, wait_max: Span) -> Result<Self, String> {
        match fields {
            Fields {
                out: None,
                port: None,
                hex: None,
                line: None,
                addr: None,
                up: None,
                to: None,
                wait_us: Some(wait),
            } => match wait {
                Some(us) if us > wait_max.as_us() => {
                    Err(format!("a wait is at most {} us: use null to wait for an input", wait_max.as_us()))
                }
                wait => Ok(Self::Wait(wait.map(Span::us))),
            },
            Fields {
                out: Some(out),
                port: Some(port),
                hex: Some(hex),
                line: None,
                addr: None,
                up: None,
                to: None,
                wait_us: None,
            } if out == "tx" => Ok(Self::Tx { port: port.into_owned(), bytes: unhex(&hex)? }),
            Fields {
                out: Some(out),
                port: None,
                hex: None,
                line: Some(line),
                addr: None,
                up: None,
                to: None,
                wait_us: None,
            } if out == "text" => {
                if line.chars().any(char::is_control) {
                    return Err("a text is one line without control characters".to_owned());
                }
                Ok(Self::Text(line.into_owned()))
            }
            Fields {
                out: Some(out),
                port: None,
                hex: Some(hex),
                line: None,
                addr: Some(addr),
                up: None,
                to: None,
                wait_us: None,
            } if out == "nv_write" => Ok(Self::NvWrite { addr, bytes: unhex(&hex)? }),
            Fields {
                out: Some(out),
                port: Some(port),
                hex: None,
                line: None,
                addr: None,
                up: Some(up),
                to,
                wait_us: None,
            } if out == "link" && up == to.is_some() => {
                Ok(Self::Link { port: port.into_owned(), to: to.map(Cow::into_owned) })
            }
            _ => Err(OUTPUTS.to_owned()),
        }
    }
}

fn unhex(text: &str) -> Result<Vec<u8>, String> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let pairs = digits.filter(|digits| !digits.is_empty() && digits.len() % 2 == 0);
    let pairs =
        pairs.ok_or_else(|| "hex is an even number of hexadecimal digits, at least two".to_owned())?;
    Ok(pairs.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX: Span = Span::s(1_000);

    fn told(told: &Told) -> String {
        let mut line = String::new();
        told.encode(Instant::from_us(42), &mut line);
        line
    }

    #[test]
    fn a_program_is_told_what_the_contract_says() {
        let wall = Wall::parse_digits(b"20240102030405").unwrap();
        let start = Told::Start { wall, nv: vec![0x00, 0xAF] };
        assert_eq!(
            told(&start),
            "{\"t_us\":42,\"in\":\"start\",\"wall\":\"2024-01-02T03:04:05\",\"nv\":\"00af\"}\n"
        );
        assert_eq!(told(&Told::NvDone), "{\"t_us\":42,\"in\":\"nv_done\"}\n");
        assert_eq!(told(&Told::Deadline), "{\"t_us\":42,\"in\":\"deadline\"}\n");
        assert_eq!(
            told(&Told::Wall(wall)),
            "{\"t_us\":42,\"in\":\"wall\",\"wall\":\"2024-01-02T03:04:05\"}\n"
        );
        assert_eq!(
            told(&Told::Rx { port: "tcp", bytes: vec![0xAA, 0x55] }),
            "{\"t_us\":42,\"in\":\"rx\",\"port\":\"tcp\",\"hex\":\"aa55\"}\n"
        );
        assert_eq!(
            told(&Told::Link { port: "tcp", up: true }),
            "{\"t_us\":42,\"in\":\"link\",\"port\":\"tcp\",\"up\":true}\n"
        );
        assert_eq!(
            told(&Told::Text("a \"b\"".to_owned())),
            "{\"t_us\":42,\"in\":\"text\",\"line\":\"a \\\"b\\\"\"}\n"
        );
    }

    #[test]
    fn what_a_program_says_is_read() {
        let said = |line: &str| Said::scan(line.as_bytes(), MAX).unwrap();
        assert_eq!(
            said(r#"{"out":"tx","port":"tcp","hex":"aA55"}"#),
            Said::Tx { port: "tcp".to_owned(), bytes: vec![0xAA, 0x55] }
        );
        assert_eq!(said(r#"{"out":"text","line":"read 3"}"#), Said::Text("read 3".to_owned()));
        assert_eq!(
            said(r#" { "hex": "01", "addr": 104, "out": "nv_write" } "#),
            Said::NvWrite { addr: 104, bytes: vec![1] }
        );
        assert_eq!(
            said(r#"{"out":"link","port":"tcp","up":true,"to":"10.0.0.2:7000"}"#),
            Said::Link { port: "tcp".to_owned(), to: Some("10.0.0.2:7000".to_owned()) }
        );
        assert_eq!(
            said(r#"{"out":"link","port":"tcp","up":false}"#),
            Said::Link { port: "tcp".to_owned(), to: None }
        );
        assert_eq!(said(r#"{"wait_us":20}"#), Said::Wait(Some(Span::us(20))));
        assert_eq!(said(r#"{"wait_us":1000000000}"#), Said::Wait(Some(MAX)));
        assert_eq!(said(r#"{"wait_us":null}"#), Said::Wait(None));
    }

    #[test]
    fn what_the_contract_does_not_have_is_refused() {
        for bad in [
            "",
            "ready",
            "{}",
            "[]",
            r#"{"wait_us":-1}"#,
            r#"{"wait_us":1.5}"#,
            r#"{"wait_us":1000000001}"#,
            r#"{"wait_us":1,"wait_us":2}"#,
            r#"{"wait_us":1} {"wait_us":1}"#,
            r#"{"wait_us":1,"out":"text","line":"x"}"#,
            r#"{"out":"tx","port":"tcp","hex":"a"}"#,
            r#"{"out":"tx","port":"tcp","hex":""}"#,
            r#"{"out":"tx","port":"tcp","hex":"xx"}"#,
            r#"{"out":"tx","hex":"aa"}"#,
            r#"{"out":"text","line":"a\nb"}"#,
            r#"{"out":"text","line":7}"#,
            r#"{"out":"nv_write","addr":-1,"hex":"aa"}"#,
            r#"{"out":"link","port":"tcp","up":true}"#,
            r#"{"out":"link","port":"tcp","up":false,"to":"10.0.0.2:7000"}"#,
            r#"{"out":"exec","line":"x"}"#,
            r#"{"out":"text","line":"x","more":1}"#,
        ] {
            let refused = Said::scan(bad.as_bytes(), MAX).unwrap_err();
            assert_eq!(refused.line, bad);
        }
        let refused = Said::scan(b"\xff\x1b[2J", MAX).unwrap_err().to_string();
        assert_eq!(refused, "it said `\\u{fffd}\\u{1b}[2J`, but a line is UTF-8");
    }
}
