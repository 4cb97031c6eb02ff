//! The module itself: what it does whatever its dialect is.
//!
//! A module hears characters, collects them into lines, thinks for a while, and answers. Between a line and its
//! final result it takes no other line: what comes then is swallowed. What it says unasked never splits a line; it
//! comes between commands, after the echo, before the final result, or between prompt data and the send result, and
//! waits while the prompt is open.
//!
//! Nothing survives a loss of power: `AT&W` is taken and stores nothing.

use std::collections::VecDeque;
use std::net::SocketAddrV4;

use crate::digest::Digest;
use crate::machine::{Board, Close, Closing, Input, Machine, Output, Port, Stamped, StoreStep, Torn};
use crate::modem::basic;
use crate::modem::config::{Latency, ModemConfig, ModuleConfig, UnaskedLines};
use crate::modem::escape::Escape;
use crate::modem::line::{self, Command, LineEnd, LineReader};
use crate::modem::names;
use crate::modem::power::Power;
use crate::modem::reply::{Final, ReplyForm};
use crate::modem::socket::{SOCKETS, SendResult, Socket, SocketEvent, SocketState};
use crate::seed::Stream;
use crate::time::{Instant, Now, Span};
use crate::timers::Timers;

/// The host's serial line.
pub const UART: Port = Port(0);
/// The power key: an input, low while the key is held.
pub const PWRKEY: Port = Port(1);
/// The reset pin: an input, active low.
pub const RESET: Port = Port(2);
/// The status pin: an output, high while the module is switched on.
pub const STATUS: Port = Port(3);
/// The port of connection 0; connection n is that many ports on.
pub const NET_BASE: u16 = 16;

/// What happens to a module from outside its ports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModemStimulus {
    /// The module has this to say, at the next place where it may.
    Urc(String),
    /// Reception changed.
    Signal {
        /// 0 to 31, or 99 when unknown.
        rssi: u8,
        /// 0 to 7, or 99 when unknown.
        ber: u8,
    },
    /// The network took the packet context away, and every connection with it.
    PdpLost,
    /// The SIM was put in or taken out.
    Sim {
        /// Whether it is there.
        present: bool,
    },
    /// The network's mind about the module changed: 0 idle, 1 home, 2 searching, 3 denied, 4 unknown, 5 roaming.
    Registration(u8),
}

/// What an observer may note of a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModemEvent {
    /// It was switched on and is starting.
    SwitchedOn,
    /// Its UART works.
    Booted,
    /// It was switched off.
    SwitchedOff,
    /// It takes up a line whose first command has this name.
    Command(&'static str),
    /// It knows no such command, or not in this form.
    Unknown(&'static str),
    /// A line came before the last one's final result and is lost.
    Swallowed,
    /// A line was longer than a line may be.
    TooLong,
    /// A connection changed.
    Link {
        /// Which.
        id: usize,
        /// Where it stands now.
        state: SocketState,
    },
    /// Something waited to be said or read and there was no room for it.
    Overrun {
        /// How much was lost, in bytes.
        len: usize,
    },
}

/// What became of one command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Done; the line goes on, and ends in `OK`.
    Done,
    /// Done, and the final words are already in the answer.
    Said,
    /// Not done; the line ends here.
    Failed(Final),
    /// This dialect has no such command.
    Unknown,
    /// Data shall follow.
    Prompt {
        /// For which connection.
        id: usize,
        /// How many bytes.
        len: usize,
        /// Whether the prompt is shown.
        shown: bool,
    },
    /// The line becomes a data line of this connection.
    Online {
        /// Which.
        id: usize,
    },
}

/// What one family of modules adds to the engine: its commands, and its words for what happens to a connection.
pub trait Dialect: Clone {
    /// What may differ between two modules of the family.
    type Config: Clone;

    /// The dialect as it is after a start.
    fn new(config: Self::Config) -> Self;

    /// Forgets every setting, as a start does.
    fn restart(&mut self);

    /// How long a command takes.
    fn latency(&self, core: &Core, command: &Command<'_>) -> Latency;

    /// Carries out a command. Information lines go to [`Core::info`].
    fn execute(&mut self, core: &mut Core, command: &Command<'_>) -> Verdict;

    /// Says what happened to a connection.
    fn socket_event(&mut self, core: &mut Core, id: usize, event: SocketEvent<'_>);

    /// Puts the result of a send into the answer.
    fn send_result(&mut self, core: &mut Core, id: usize, result: SendResult);

    /// Says that the packet context is gone.
    fn pdp_lost(&mut self, core: &mut Core);

    /// Whether a planned unsolicited line is switched off at the moment.
    fn is_muted(&self, text: &str) -> bool;

    /// Adds the dialect's settings.
    fn digest(&self, into: &mut Digest);
}

/// What a module is occupied with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Activity {
    /// Waiting for a line.
    #[default]
    Idle,
    /// Thinking about the command at this place of the line.
    Executing(usize),
    /// An information line is out, the final result is not.
    Finishing(Final),
    /// Collecting data.
    Prompt { id: usize, len: usize },
    /// Waiting for the other end's acknowledgement.
    Sending { id: usize },
    /// A data line.
    Online(Escape),
}

pub(super) const KEY: usize = 0;
pub(super) const RESETTING: usize = 1;
pub(super) const BOOT: usize = 2;
pub(super) const SAY: usize = 3;
pub(super) const REGISTER: usize = 4;
const COMMAND: usize = 5;
const FINAL: usize = 6;
const SEND: usize = 7;
const ESCAPE: usize = 8;
const FLUSH: usize = 9;
const CONNECT: usize = 10;
const TIMERS: usize = CONNECT + SOCKETS;
const TIMER_NAMES: [&str; CONNECT] = [
    "modem-key",
    "modem-reset",
    "modem-boot",
    "modem-boot-line",
    "modem-register",
    "modem-command",
    "modem-final",
    "modem-send",
    "modem-escape",
    "modem-flush",
];

/// What a module knows of its SIM and its network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Radio {
    /// Whether there is a SIM.
    pub sim: bool,
    /// Signal strength.
    pub rssi: u8,
    /// Bit error rate.
    pub ber: u8,
    /// Registration: 1 home, 2 searching, and so on.
    pub stat: u8,
    /// Whether changes of registration are said unasked.
    pub says_changes: bool,
    /// Whether the module is attached to packet service.
    pub attached: bool,
    /// Whether the packet context is active.
    pub active: bool,
    /// The packet context's definition, as it was given.
    pub context: Vec<u8>,
}

impl Radio {
    /// Registered at home or roaming.
    pub fn is_registered(&self) -> bool {
        self.sim && matches!(self.stat, 1 | 5)
    }

    /// Forgets what a start forgets; SIM and reception are the world's.
    pub(super) fn restart(&mut self) {
        self.stat = 2;
        self.says_changes = false;
        self.attached = false;
        self.active = false;
        self.context.clear();
    }

    fn digest(&self, into: &mut Digest) {
        into.flag(self.sim).word(self.rssi.into()).word(self.ber.into()).word(self.stat.into());
        into.flag(self.says_changes).flag(self.attached).flag(self.active).bytes(&self.context);
    }
}

/// All of a module that is not its dialect.
#[derive(Clone, Debug)]
pub struct Core {
    /// What every dialect has.
    pub config: ModuleConfig,
    /// The form of answers.
    pub form: ReplyForm,
    /// Whether the host hears its own characters.
    pub echo: bool,
    /// SIM and network.
    pub radio: Radio,
    /// The connections. Change their state with [`Core::link`].
    pub sockets: [Socket; SOCKETS],
    /// The connection that an escape left in command state.
    pub suspended: Option<Escape>,
    pub(super) power: Power,
    pub(super) now: Instant,
    pub(super) timers: Timers<TIMERS>,
    pub(super) activity: Activity,
    pub(super) rate_known: bool,
    reader: LineReader,
    swallowing: bool,
    running: Vec<u8>,
    answer: Vec<u8>,
    afterwards: Vec<u8>,
    collected: Vec<u8>,
    waiting: Vec<u8>,
    outputs: VecDeque<Output<ModemEvent>>,
    stream: Stream,
    draws: u64,
}

impl Core {
    fn new(config: ModuleConfig, stream: Stream) -> Self {
        let mut radio = Radio {
            sim: true,
            rssi: config.rssi,
            ber: config.ber,
            stat: 2,
            says_changes: false,
            attached: false,
            active: false,
            context: Vec::new(),
        };
        radio.restart();
        Self {
            config,
            form: ReplyForm::default(),
            echo: true,
            radio,
            sockets: Default::default(),
            suspended: None,
            power: Power::default(),
            now: Instant::ZERO,
            timers: Timers::default(),
            activity: Activity::Idle,
            rate_known: false,
            reader: LineReader::default(),
            swallowing: false,
            running: Vec::new(),
            answer: Vec::new(),
            afterwards: Vec::new(),
            collected: Vec::new(),
            waiting: Vec::new(),
            outputs: VecDeque::new(),
            stream,
            draws: 0,
        }
    }

    /// Adds an information line to the running command's answer.
    pub fn info(&mut self, text: &[u8]) {
        self.form.line(text, &mut self.answer);
    }

    /// Adds bytes as they are to the running command's answer.
    pub fn raw_info(&mut self, bytes: &[u8]) {
        self.answer.extend_from_slice(bytes);
    }

    /// Adds a line that follows the running command's final result.
    pub fn info_afterwards(&mut self, text: &[u8]) {
        self.form.line(text, &mut self.afterwards);
    }

    /// Says a line unasked, now or as soon as it may be said.
    pub fn say(&mut self, text: &[u8]) {
        let mut bytes = Vec::with_capacity(text.len() + 4);
        self.form.line(text, &mut bytes);
        self.say_raw(bytes);
    }

    /// Says bytes unasked, now or as soon as they may be said. They are one piece: nothing comes between them.
    pub fn say_raw(&mut self, bytes: Vec<u8>) {
        if self.may_speak() {
            self.transmit(UART, bytes);
        } else if self.waiting.len() + bytes.len() <= self.config.receive_max {
            self.waiting.extend_from_slice(&bytes);
        } else {
            self.note(ModemEvent::Overrun { len: bytes.len() });
        }
    }

    /// Sends bytes to the host as data of a data line.
    pub fn pass_up(&mut self, bytes: &[u8]) {
        self.transmit(UART, bytes.to_vec());
    }

    /// Whether the line is a data line now.
    pub fn is_online(&self) -> bool {
        matches!(self.activity, Activity::Online(_))
    }

    /// Whether this connection's data is being collected or awaits its acknowledgement.
    pub fn is_sending(&self, of: usize) -> bool {
        matches!(self.activity, Activity::Prompt { id, .. } | Activity::Sending { id } if id == of)
    }

    /// Ends the data line; what waited may be said now.
    pub fn leave_online(&mut self) {
        self.suspended = None;
        if self.is_online() {
            self.timers.stop(ESCAPE);
            self.timers.stop(FLUSH);
            self.activity = Activity::Idle;
            self.speak();
        }
    }

    /// Says `CONNECT` and makes the line a data line of a connection. A line begun or running is lost.
    pub fn go_online(&mut self, id: usize, send_len: usize, send_wait: Span) {
        self.reader.drop_partial();
        self.swallowing = false;
        self.form.result(Final::Connect, &mut self.answer);
        self.conclude();
        self.activity = Activity::Online(Escape::new(id, send_len, send_wait, self.now));
    }

    /// Begins to open a connection.
    pub fn open(&mut self, id: usize, to: SocketAddrV4) {
        self.link(id, SocketState::Connecting);
        self.sockets[id].unacked = 0;
        self.sockets[id].held.clear();
        self.timers.set(CONNECT + id, self.now + self.config.connect_limit);
        self.outputs.push_back(Output::Open { port: net_port(id), to });
    }

    /// Ends a connection from this side.
    pub fn close(&mut self, id: usize, how: Close) {
        if self.sockets[id].is_open() {
            self.outputs.push_back(Output::Close { port: net_port(id), how });
        }
        self.link(id, SocketState::Closed);
    }

    /// Ends every connection and the packet context without a word.
    pub fn close_all(&mut self, how: Close) {
        for id in 0..SOCKETS {
            if self.sockets[id].is_open() {
                self.close(id, how);
            }
        }
    }

    /// Notes where a connection stands.
    pub fn link(&mut self, id: usize, state: SocketState) {
        if state != SocketState::Connecting {
            self.timers.stop(CONNECT + id);
        }
        self.sockets[id].state = state;
        self.note(ModemEvent::Link { id, state });
    }

    /// Sends bytes over a connection and counts what is to be acknowledged.
    pub fn send(&mut self, id: usize, bytes: Vec<u8>) {
        self.sockets[id].unacked += bytes.len();
        self.transmit(net_port(id), bytes);
    }

    /// Lets an observer know.
    pub fn note(&mut self, event: ModemEvent) {
        self.outputs.push_back(Output::Event(event));
    }

    pub(super) fn level(&mut self, port: Port, high: bool) {
        self.outputs.push_back(Output::Level { port, high });
    }

    pub(super) fn draw(&mut self, latency: Latency) -> Instant {
        self.draws += 1;
        self.now + self.stream.span_between(latency.min, latency.max)
    }

    /// Forgets all that a start forgets, pins and their timers apart.
    pub(super) fn restart(&mut self) {
        for timer in BOOT..TIMERS {
            self.timers.stop(timer);
        }
        self.form = ReplyForm::default();
        self.echo = true;
        self.rate_known = self.config.fixed_rate;
        self.radio.restart();
        self.sockets = Default::default();
        self.suspended = None;
        self.activity = Activity::Idle;
        self.reader = LineReader::default();
        self.swallowing = false;
        for buffer in [
            &mut self.running,
            &mut self.answer,
            &mut self.afterwards,
            &mut self.collected,
            &mut self.waiting,
        ] {
            buffer.clear();
        }
    }

    fn may_speak(&self) -> bool {
        match self.activity {
            Activity::Prompt { .. } => self.config.unasked_lines == UnaskedLines::AtPrompts,
            Activity::Online(_) => false,
            Activity::Idle => {
                let is_echoing = self.echo && self.reader.is_partial() && !self.swallowing;
                !is_echoing || self.config.unasked_lines == UnaskedLines::InsideEchoes
            }
            _ => true,
        }
    }

    fn speak(&mut self) {
        if !self.waiting.is_empty() && self.may_speak() {
            let bytes = std::mem::take(&mut self.waiting);
            self.transmit(UART, bytes);
        }
    }

    fn transmit(&mut self, port: Port, bytes: Vec<u8>) {
        if !bytes.is_empty() {
            self.outputs.push_back(Output::Transmit { port, bytes });
        }
    }

    /// Sends the answer as far as it has come.
    fn answer(&mut self) {
        let bytes = std::mem::take(&mut self.answer);
        self.transmit(UART, bytes);
    }

    /// Ends a line with a result code, after a gap if information lines came before it.
    fn finish(&mut self, result: Final) {
        if self.answer.is_empty() || self.config.final_gap == Span::ZERO {
            self.form.result(result, &mut self.answer);
            self.conclude();
        } else {
            self.answer();
            self.activity = Activity::Finishing(result);
            self.timers.set(FINAL, self.now + self.config.final_gap);
        }
    }

    /// Sends what is left of the answer; the line is over.
    fn conclude(&mut self) {
        self.answer.append(&mut self.afterwards);
        self.answer();
        self.activity = Activity::Idle;
        self.speak();
    }

    fn digest(&self, into: &mut Digest) {
        self.form.digest(into);
        into.flag(self.echo).flag(self.rate_known).flag(self.swallowing).word(self.draws);
        self.radio.digest(into);
        for socket in &self.sockets {
            socket.digest(into);
        }
        self.power.digest(into);
        self.timers.digest(into);
        self.reader.digest(into);
        into.bytes(&self.running).bytes(&self.answer).bytes(&self.afterwards);
        into.bytes(&self.collected).bytes(&self.waiting);
        into.flag(self.suspended.is_some());
        if let Some(escape) = &self.suspended {
            escape.digest(into);
        }
        match &self.activity {
            Activity::Idle => into.word(0),
            Activity::Executing(at) => into.word(1).word(*at as u64),
            Activity::Finishing(result) => into.word(2).word(match result {
                Final::Ok => 0,
                Final::Connect => 1,
                Final::Error => 2,
                Final::Cme(number) => 3 + u64::from(*number),
            }),
            Activity::Prompt { id, len } => into.word(3).word(*id as u64).word(*len as u64),
            Activity::Sending { id } => into.word(4).word(*id as u64),
            Activity::Online(escape) => {
                escape.digest(into);
                into.word(5)
            }
        };
    }
}

/// A module with a dialect.
#[derive(Clone, Debug)]
pub struct Modem<D> {
    pub(super) core: Core,
    pub(super) dialect: D,
}

impl<D: Dialect> Modem<D> {
    /// A module without power. Its jitter is drawn from `stream`.
    pub fn new(config: ModemConfig<D::Config>, stream: Stream) -> Self {
        Self { core: Core::new(config.module, stream), dialect: D::new(config.dialect) }
    }

    /// What the module is apart from its dialect.
    pub fn core(&self) -> &Core {
        &self.core
    }

    fn hear(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            bytes = match self.core.activity {
                Activity::Prompt { id, len } => self.collect(id, len, bytes),
                Activity::Online(_) => {
                    self.pass_down(bytes);
                    &[]
                }
                _ => self.read(bytes),
            };
        }
    }

    /// Reads characters up to the end of the first line, and returns what comes after it.
    fn read<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let core = &mut self.core;
        let idle = core.activity == Activity::Idle;
        core.swallowing |= !idle;
        let mut used = 0;
        let mut end = None;
        let mut echoed = Vec::new();
        let echo = core.echo && !core.swallowing && idle;
        while used < bytes.len() && end.is_none() {
            let follows_cr = core.reader.follows_cr();
            let ignored = bytes[used] == line::LF && (follows_cr || !core.config.bare_lf_ends);
            if !ignored || follows_cr {
                end = core.reader.push(bytes[used]);
            }
            if echo && !ignored {
                echoed.push(bytes[used]);
            }
            used += 1;
        }
        core.transmit(UART, echoed);
        match end {
            None => core.swallowing &= core.reader.is_partial(),
            Some(_) if core.swallowing => {
                core.swallowing = false;
                core.note(ModemEvent::Swallowed);
            }
            Some(LineEnd::TooLong) => {
                core.note(ModemEvent::TooLong);
                core.finish(Final::Error);
            }
            Some(LineEnd::Command | LineEnd::Repeat) => self.begin(),
        }
        self.core.speak();
        &bytes[used..]
    }

    fn begin(&mut self) {
        let core = &mut self.core;
        if !line::normalise(core.reader.line(), &mut core.running) {
            core.note(ModemEvent::Unknown(names::NOISE));
            return;
        }
        core.rate_known = true;
        core.note(ModemEvent::Command(names::command_name(core.reader.line())));
        self.take_up(0);
    }

    fn take_up(&mut self, at: usize) {
        let running = std::mem::take(&mut self.core.running);
        let (command, _) = Command::first(&running[at..]);
        let latency = self.dialect.latency(&self.core, &command);
        self.core.running = running;
        let due = self.core.draw(latency);
        self.core.timers.set(COMMAND, due);
        self.core.activity = Activity::Executing(at);
    }

    fn execute(&mut self, at: usize) {
        let running = std::mem::take(&mut self.core.running);
        let (command, used) = Command::first(&running[at..]);
        let mut verdict = self.dialect.execute(&mut self.core, &command);
        if verdict == Verdict::Unknown {
            verdict = basic::execute(&mut self.core, &command);
        }
        let is_last = at + used >= running.len();
        self.core.running = running;
        let core = &mut self.core;
        match verdict {
            Verdict::Done | Verdict::Said if !is_last => self.take_up(at + used),
            Verdict::Done => core.finish(Final::Ok),
            Verdict::Said => core.conclude(),
            Verdict::Failed(result) => core.finish(result),
            Verdict::Unknown => {
                core.note(ModemEvent::Unknown(names::command_name(core.reader.line())));
                core.finish(Final::Error);
            }
            Verdict::Prompt { id, len, shown } => {
                core.collected.clear();
                core.activity = Activity::Prompt { id, len };
                if shown {
                    core.transmit(UART, b"\r\n> ".to_vec());
                }
            }
            Verdict::Online { id } => {
                let Some(escape) = core.suspended.take() else {
                    return core.finish(Final::Error);
                };
                core.go_online(id, escape.send_len(), escape.send_wait());
            }
        }
    }

    fn collect<'a>(&mut self, id: usize, len: usize, bytes: &'a [u8]) -> &'a [u8] {
        let core = &mut self.core;
        let (taken, rest) = bytes.split_at(bytes.len().min(len - core.collected.len()));
        core.collected.extend_from_slice(taken);
        if core.echo {
            core.transmit(UART, taken.to_vec());
        }
        if core.collected.len() == len {
            core.activity = Activity::Sending { id };
            if core.sockets[id].state == SocketState::Connected {
                let data = std::mem::take(&mut core.collected);
                core.send(id, data);
                core.timers.set(SEND, core.now + core.config.send_limit);
                core.speak();
            } else {
                core.speak();
                self.sent(id, SendResult::Closed);
            }
        }
        rest
    }

    fn sent(&mut self, id: usize, result: SendResult) {
        self.core.timers.stop(SEND);
        self.dialect.send_result(&mut self.core, id, result);
        self.core.conclude();
    }

    fn pass_down(&mut self, bytes: &[u8]) {
        let core = &mut self.core;
        let Activity::Online(escape) = &mut core.activity else { return };
        escape.push(bytes, core.now, &core.config);
        self.pump();
    }

    /// Sends on what the data line has ready, and sets its timers.
    fn pump(&mut self) {
        let core = &mut self.core;
        let Activity::Online(escape) = &mut core.activity else { return };
        let id = escape.id();
        let ready = escape.take_ready();
        for (timer, due) in [(ESCAPE, escape.escape_due()), (FLUSH, escape.flush_due())] {
            match due {
                Some(at) => core.timers.set(timer, at),
                None => core.timers.stop(timer),
            }
        }
        for piece in ready {
            core.send(id, piece);
        }
    }

    fn escape_deadline(&mut self) {
        let core = &mut self.core;
        let Activity::Online(escape) = &mut core.activity else { return };
        if escape.is_escaped() {
            let escape = escape.clone();
            core.leave_online();
            core.suspended = Some(escape);
            core.form.result(Final::Ok, &mut core.answer);
            core.conclude();
        } else {
            escape.abandon();
            self.pump();
        }
    }

    fn expired(&mut self, timer: usize) {
        match timer {
            KEY | RESETTING | BOOT | SAY | REGISTER => self.power_timer(timer),
            COMMAND => {
                if let Activity::Executing(at) = self.core.activity {
                    self.execute(at);
                }
            }
            FINAL => {
                if let Activity::Finishing(result) = self.core.activity {
                    self.core.form.result(result, &mut self.core.answer);
                    self.core.conclude();
                }
            }
            SEND => {
                if let Activity::Sending { id } = self.core.activity {
                    self.sent(id, SendResult::Failed);
                }
            }
            ESCAPE => self.escape_deadline(),
            FLUSH => {
                if let Activity::Online(escape) = &mut self.core.activity {
                    escape.flush();
                    self.pump();
                }
            }
            _ => {
                let id = timer - CONNECT;
                self.core.close(id, Close::Reset);
                self.dialect.socket_event(&mut self.core, id, SocketEvent::Overdue);
            }
        }
    }

    fn network(&mut self, port: Port, event: SocketEvent<'_>) {
        let Some(id) = net_id(port) else { return };
        let state = self.core.sockets[id].state;
        match (event, state) {
            (SocketEvent::Opened, SocketState::Connecting) => {
                self.core.link(id, SocketState::Connected);
                self.dialect.socket_event(&mut self.core, id, event);
            }
            (SocketEvent::Closed, SocketState::Connecting) => {
                self.core.link(id, SocketState::Closed);
                self.dialect.socket_event(&mut self.core, id, SocketEvent::Refused);
            }
            (SocketEvent::Closed, SocketState::Connected) => {
                self.core.link(id, SocketState::Closed);
                match self.core.activity {
                    // The send result says it.
                    Activity::Prompt { id: sender, .. } if sender == id => {}
                    Activity::Sending { id: sender } if sender == id => self.sent(id, SendResult::Closed),
                    _ => self.dialect.socket_event(&mut self.core, id, event),
                }
            }
            (SocketEvent::Received(_), SocketState::Connected) => {
                self.dialect.socket_event(&mut self.core, id, event);
            }
            _ => {}
        }
    }

    fn acked(&mut self, port: Port, len: usize) {
        let Some(id) = net_id(port) else { return };
        let socket = &mut self.core.sockets[id];
        socket.unacked = socket.unacked.saturating_sub(len);
        if socket.unacked == 0 && self.core.activity == (Activity::Sending { id }) {
            self.sent(id, SendResult::Acked);
        }
    }

    fn stimulus(&mut self, stimulus: ModemStimulus) {
        let core = &mut self.core;
        match stimulus {
            ModemStimulus::Urc(text) => {
                if core.power.is_running() && !self.dialect.is_muted(&text) {
                    core.say(text.as_bytes());
                }
            }
            ModemStimulus::Signal { rssi, ber } => {
                core.radio.rssi = rssi;
                core.radio.ber = ber;
            }
            ModemStimulus::PdpLost => self.pdp_lost(),
            ModemStimulus::Sim { present } => {
                core.radio.sim = present;
                self.registration(if present { 1 } else { 0 });
            }
            ModemStimulus::Registration(stat) => self.registration(stat),
        }
    }

    pub(super) fn registration(&mut self, stat: u8) {
        let core = &mut self.core;
        if !core.power.is_running() || core.radio.stat == stat {
            return;
        }
        core.radio.stat = stat;
        if core.radio.says_changes {
            core.say(format!("+CREG: {stat}").as_bytes());
        }
        if !core.radio.is_registered() && core.radio.attached {
            core.radio.attached = false;
            self.pdp_lost();
        }
    }

    fn pdp_lost(&mut self) {
        if !self.core.radio.active {
            return;
        }
        self.core.radio.active = false;
        self.core.close_all(Close::Reset);
        self.core.leave_online();
        self.dialect.pdp_lost(&mut self.core);
        self.core.speak();
        if let Activity::Sending { id } = self.core.activity {
            self.sent(id, SendResult::Failed);
        }
    }
}

/// The port of a connection.
pub fn net_port(id: usize) -> Port {
    Port(NET_BASE + u16::try_from(id).unwrap_or(u16::MAX - NET_BASE))
}

/// The connection behind a port.
fn net_id(port: Port) -> Option<usize> {
    let id = usize::from(port.0.checked_sub(NET_BASE)?);
    (id < SOCKETS).then_some(id)
}

impl<D: Dialect> Machine for Modem<D> {
    type Stimulus = ModemStimulus;
    type Event = ModemEvent;

    fn handle_input(&mut self, now: Now, input: Input<'_, ModemStimulus>) {
        self.core.now = now.mono;
        match input {
            Input::PowerOn => self.power_on(),
            Input::Level { port, high } => self.pin(port, high),
            Input::Stimulus(stimulus) => self.stimulus(stimulus),
            Input::Deadline => {
                while let Some(timer) = self.core.timers.expire(now.mono) {
                    self.expired(timer);
                }
            }
            _ if !self.core.power.is_running() => {}
            Input::Received { port: UART, bytes } => self.hear(bytes),
            Input::Received { port, bytes } => self.network(port, SocketEvent::Received(bytes)),
            Input::Opened { port, .. } => self.network(port, SocketEvent::Opened),
            Input::Closed {
                port,
                why: Closing::Fin | Closing::Reset | Closing::Refused | Closing::TimedOut,
            } => {
                self.network(port, SocketEvent::Closed);
            }
            Input::Acked { port, len } => self.acked(port, len),
        }
    }

    fn poll_output(&mut self) -> Option<Stamped<Output<ModemEvent>>> {
        let what = self.core.outputs.pop_front()?;
        Some(Stamped { at: self.core.now, what })
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.core.timers.next()
    }

    fn digest(&self, now: Instant, into: &mut Digest) {
        debug_assert!(now >= self.core.now, "a digest is never taken in the past");
        self.core.digest(into);
        self.dialect.digest(into);
    }
}

impl<D: Dialect> Board for Modem<D> {
    fn cut(&mut self, at: Instant, _torn: Torn) {
        self.core.now = at;
        self.core.outputs.clear();
        self.core.timers.stop_all();
        self.core.power.cut();
        self.core.restart();
        self.dialect.restart();
    }

    fn is_on(&self) -> bool {
        self.core.power.is_supplied()
    }

    fn poll_step(&mut self) -> Option<StoreStep> {
        None
    }

    fn timer_name(&self) -> Option<&'static str> {
        let timer = self.core.timers.next_timer()?;
        Some(TIMER_NAMES.get(timer).copied().unwrap_or("modem-connect"))
    }
}
