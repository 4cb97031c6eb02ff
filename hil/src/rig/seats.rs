//! Who sits where: our own party, nobody, a process, or a device at its port.

use std::path::PathBuf;

use assay_sim::time::Span;

use super::links::{NetConfig, serial};
use super::reader::Section;
use crate::lockstep::{Limits, Program};
use crate::serial::SerialSettings;

/// Who sits in a seat.
#[derive(Clone, Debug, PartialEq)]
pub enum Seat {
    /// The suite's own party.
    Virtual,
    /// Nobody.
    Absent,
    /// A party that is none of the suite's.
    Real(Box<RealSeat>),
    /// A program that is stepped in the bench's own time.
    Lockstep(Program),
}

/// A party that is none of the suite's.
#[derive(Clone, Debug, PartialEq)]
pub struct RealSeat {
    /// What it is.
    pub body: Body,
    /// How long it may take from its power to its work.
    pub boot: Span,
    /// How its power is switched.
    pub power: Power,
    /// What tells its ledger.
    pub observe: Option<Observe>,
    /// Where it speaks with people.
    pub text_port: Option<TextPort>,
    /// Whether it tests its voice module and its display over the text port.
    pub self_test: bool,
}

/// What a real party is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// A process that the rig starts.
    Process(ProcessConfig),
    /// Hardware.
    Device,
}

/// How a process is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessConfig {
    /// Its command line, word by word, with `{pty.NAME}`, `{port.NAME}` and `{dir}` in it.
    pub command: Vec<String>,
    /// Under which directory its own are made, one a case.
    pub dir: PathBuf,
    /// A text in a line of its output that says that it is at work.
    pub ready: Option<String>,
    /// How much of its output is kept.
    ///
    /// Units: bytes.
    pub output_max: u64,
}

/// How the power of a real party is switched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Power {
    /// Its whole process group is killed, and it is started again.
    Process,
    /// A modem control line drives a transistor.
    Line {
        /// Which.
        line: ControlLine,
        /// The port that it belongs to.
        port: SerialSettings,
        /// Its level while there is power.
        on_high: bool,
    },
    /// A relay on a serial port.
    Relay(SerialSettings),
    /// Two commands.
    Command {
        /// The one that gives power.
        on: Vec<String>,
        /// The one that takes it.
        off: Vec<String>,
    },
    /// It cannot be switched.
    Absent,
}

/// A modem control line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ControlLine {
    /// Data terminal ready.
    Dtr,
    /// Request to send.
    Rts,
}

/// What tells a real party's ledger, as JSON lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Observe {
    /// The output of a command.
    Command(Vec<String>),
    /// A file.
    File(String),
}

/// Where a real party speaks with people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TextPort {
    /// On the standard input and output of its process.
    Stdio,
    /// On a serial port.
    Serial(SerialSettings),
    /// On a connection.
    Tcp(NetConfig),
    /// Nowhere: an operator does what has to be done, and types what the party shows.
    Operator {
        /// How long may pass until it is done.
        within: Span,
    },
}

#[derive(Clone, Copy)]
enum Is {
    Virtual,
    Absent,
    Process,
    Device,
    Lockstep,
}

const KINDS: [(&str, Is); 5] = [
    ("virtual", Is::Virtual),
    ("none", Is::Absent),
    ("process", Is::Process),
    ("device", Is::Device),
    ("lockstep", Is::Lockstep),
];

/// The words that stand for a seat's kind.
pub(super) const WORDS: &str = "`virtual`, `none`, `process`, `device` or `lockstep`";

/// Reads a seat that is written as one word.
pub(super) fn word(section: &Section<'_, '_>, key: &str) -> Option<Seat> {
    match section.choice(key, &KINDS)? {
        Is::Virtual => Some(Seat::Virtual),
        Is::Absent => Some(Seat::Absent),
        Is::Process | Is::Device | Is::Lockstep => {
            section.wrong(key, "a table with `is`, and what it takes to reach the party");
            None
        }
    }
}

/// Reads a seat's table; `links` are the names of links, for the placeholders in a command.
pub(super) fn seat(section: &Section<'_, '_>, may: May, links: &[String]) -> Option<Seat> {
    let is = section.need("is", section.choice("is", &KINDS), WORDS)?;
    match is {
        Is::Virtual => {
            section.end();
            Some(Seat::Virtual)
        }
        Is::Absent => {
            section.end();
            Some(Seat::Absent)
        }
        Is::Lockstep if !may.step => {
            section.wrong("is", "another word: only a terminal of the water system can sit in lockstep");
            None
        }
        Is::Lockstep => lockstep(section).map(Seat::Lockstep),
        Is::Process | Is::Device => {
            let process = matches!(is, Is::Process);
            let body = if process { process_of(section, links) } else { Some(Body::Device) };
            let patience = "how long the party may take from its power to its work, such as `\"5 s\"`";
            let boot = section.need("boot", section.span("boot", true, patience), patience);
            let power = power(section, process);
            let observe = observe(section, links);
            let text_port = text_port(section, process, may);
            section.end();
            let (text_port, self_test) = text_port?;
            Some(Seat::Real(Box::new(RealSeat {
                body: body?,
                boot: boot?,
                power: power?,
                observe: observe?,
                text_port,
                self_test,
            })))
        }
    }
}

/// What a seat may have.
#[derive(Clone, Copy)]
pub(super) struct May {
    /// A text port.
    pub(super) text: bool,
    /// An operator in its place.
    pub(super) hand: bool,
    /// Parts that are tested over it.
    pub(super) parts: bool,
    /// A program in lockstep.
    pub(super) step: bool,
}

fn lockstep(section: &Section<'_, '_>) -> Option<Program> {
    let mend = "a command line word by word, such as `[\"python3\", \"terminal.py\"]`";
    let words = section.need("command", section.words("command", mend), mend);
    let restart_in_place = section.flag("restart_in_place").unwrap_or(false);
    let turn = section.span("turn_limit", false, "how long a turn may take in real time, such as `\"5 s\"`");
    section.end();
    let words = words?;
    if words.first().is_none_or(String::is_empty) {
        section.wrong("command", mend);
        return None;
    }
    let mut limits = Limits::built_in();
    limits.turn = turn.unwrap_or(limits.turn);
    Some(Program { words, dir: None, limits, restart_in_place })
}

const COMMAND: &str = "a command line word by word, such as `[\"./server\", \"--port\", \"{port.udp}\"]`";

fn process_of(section: &Section<'_, '_>, links: &[String]) -> Option<Body> {
    let command = section.need("command", section.words("command", COMMAND), COMMAND);
    if let Some(command) = &command {
        check_placeholders(section, "command", command, links);
    }
    let dir_mend = "a directory under which each case gets its own, such as `\"target/rig\"`";
    let dir = section.need("dir", section.text("dir", dir_mend), dir_mend);
    let ready = section.text("ready", "a text that a line of its output has once it is at work");
    let output = "how many bytes of its output are kept, such as 1_000_000";
    let output_max = section.need("output_max", section.number("output_max", 1, output), output);
    Some(Body::Process(ProcessConfig {
        command: command?,
        dir: PathBuf::from(dir?),
        ready,
        output_max: output_max?,
    }))
}

/// Notes what stands in braces and is no placeholder.
fn check_placeholders(section: &Section<'_, '_>, key: &str, words: &[String], links: &[String]) {
    for word in words {
        let mut rest = word.as_str();
        while let Some((_, after)) = rest.split_once('{') {
            let Some((name, tail)) = after.split_once('}') else { break };
            let link = name.strip_prefix("pty.").or_else(|| name.strip_prefix("port."));
            let known = name == "dir" || link.is_some_and(|link| links.iter().any(|known| known == link));
            if !known {
                let field = section.field(key);
                let mend = "`{dir}`, or `{pty.NAME}` or `{port.NAME}` with the name of a link of this file";
                section.amiss(&format!("has `{{{}}}` in `{field}`: write {mend}", name.escape_debug()));
            }
            rest = tail;
        }
    }
}

#[derive(Clone, Copy)]
enum By {
    Process,
    Line(ControlLine),
    Relay,
    Command,
    Absent,
}

const SWITCHES: [(&str, By); 7] = [
    ("process", By::Process),
    ("dtr", By::Line(ControlLine::Dtr)),
    ("rts", By::Line(ControlLine::Rts)),
    ("relay", By::Relay),
    ("hub", By::Command),
    ("command", By::Command),
    ("none", By::Absent),
];

fn power(section: &Section<'_, '_>, process: bool) -> Option<Power> {
    let mend =
        "a table such as `{ by = \"process\" }`, `{ by = \"none\" }` or `{ by = \"relay\", port = {…} }`";
    let power = section.need("power", section.section("power", mend), mend)?;
    let words: Vec<(&str, By)> =
        SWITCHES.into_iter().filter(|(_, by)| process || !matches!(by, By::Process)).collect();
    let by = power.need("by", power.choice("by", &words), "how power is switched")?;
    let port = || {
        let mend = "the switch's port, such as `{ path = \"/dev/serial/by-id/…\", baud = 9_600 }`";
        let port = power.need("port", power.section("port", mend), mend)?;
        let settings = serial(&port);
        port.end();
        settings
    };
    let read = match by {
        By::Process => Some(Power::Process),
        By::Absent => Some(Power::Absent),
        By::Relay => port().map(Power::Relay),
        By::Line(line) => {
            let levels = [("high", true), ("low", false)];
            let mend = "`high` or `low`, the line's level while there is power";
            let on = power.need("on", power.choice("on", &levels), mend);
            port().and_then(|port| Some(Power::Line { line, port, on_high: on? }))
        }
        By::Command => {
            let mend = "a command line, word by word";
            let on = power.need("on", power.words("on", mend), mend);
            let off = power.need("off", power.words("off", mend), mend);
            on.and_then(|on| Some(Power::Command { on, off: off? }))
        }
    };
    power.end();
    read
}

fn observe(section: &Section<'_, '_>, links: &[String]) -> Option<Option<Observe>> {
    if !section.has("observe") {
        section.text("observe", "");
        return Some(None);
    }
    let mend = "a table such as `{ file = \"{dir}/ledger.jsonl\" }` or `{ command = [\"./ledger\"] }`";
    let observe = section.section("observe", mend)?;
    let file = observe.text("file", "a path").map(Observe::File);
    let command = observe.words("command", COMMAND);
    if let Some(command) = &command {
        check_placeholders(&observe, "command", command, links);
    }
    observe.end();
    if observe.has("file") == observe.has("command") {
        observe.amiss("names both or neither of `file` and `command`: write one of them");
        return None;
    }
    Some(Some(file.or(command.map(Observe::Command))?))
}

/// The text port, and whether parts are tested over it.
fn text_port(section: &Section<'_, '_>, process: bool, may: May) -> Option<(Option<TextPort>, bool)> {
    if !section.has("text_port") {
        section.text("text_port", "");
        return Some((None, false));
    }
    if !may.text {
        section.wrong("text_port", "nothing: only a terminal has a text port, or a pay module");
        return None;
    }
    let mend = "a table such as `{ kind = \"stdio\" }`";
    let port = section.section("text_port", mend)?;
    let kinds = [("stdio", 0_u8), ("serial", 1), ("tcp", 2), ("operator", 3)];
    let read =
        match port.need("kind", port.choice("kind", &kinds), "`stdio`, `serial`, `tcp` or `operator`")? {
            0 if process => Some(TextPort::Stdio),
            0 => {
                port.wrong(
                    "kind",
                    "`serial`, `tcp` or `operator`: only a process has a standard input and output",
                );
                None
            }
            1 => serial(&port).map(TextPort::Serial),
            3 if !may.hand => {
                port.wrong("kind", "`stdio`, `serial` or `tcp`: nobody types as fast as a relay is switched");
                None
            }
            3 => {
                let mend = "how long an operator may take, such as `\"60 s\"`";
                port.need("within", port.span("within", false, mend), mend)
                    .map(|within| TextPort::Operator { within })
            }
            _ => {
                let mend = "the address at which the party listens, such as `\"127.0.0.1:7000\"`";
                let to = port.need("connect", port.address("connect", mend), mend);
                to.map(|to| TextPort::Tcp(NetConfig::Connect(to)))
            }
        };
    let self_test = may.parts && port.flag("self_test").unwrap_or(false);
    port.end();
    Some((Some(read?), self_test))
}
