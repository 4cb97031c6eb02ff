//! All of a module that is not its dialect: settings, connections, and what it may say when.

use std::collections::VecDeque;
use std::net::SocketAddrV4;

use crate::digest::Digest;
use crate::machine::{Close, Output, Port};
use crate::modem::config::{Latency, ModuleConfig, UnaskedLines};
use crate::modem::dialect::DataEnd;
use crate::modem::escape::Escape;
use crate::modem::event::ModemEvent;
use crate::modem::line::LineReader;
use crate::modem::port::{UART, net_port};
use crate::modem::power::Power;
use crate::modem::radio::Radio;
use crate::modem::reply::{Final, ReplyForm};
use crate::modem::socket::{SERVICE, SOCKETS, Socket, SocketState};
use crate::seed::Stream;
use crate::time::{Instant, Span};
use crate::timers::Timers;

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
    Prompt { id: usize, until: DataEnd },
    /// Collecting data that is not for a connection.
    Download { len: usize },
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
pub(super) const COMMAND: usize = 5;
pub(super) const FINAL: usize = 6;
pub(super) const SEND: usize = 7;
pub(super) const ESCAPE: usize = 8;
pub(super) const FLUSH: usize = 9;
pub(super) const CONNECT: usize = 10;
pub(super) const WORK: usize = CONNECT + SERVICE + 1;
const TIMERS: usize = WORK + 1;
pub(super) const TIMER_NAMES: [&str; CONNECT] = [
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

/// The speed of a host that nothing is said of.
const USUAL_BAUD: u32 = 115_200;

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
    pub sockets: [Socket; SERVICE + 1],
    /// The connection that an escape left in command state.
    pub suspended: Option<Escape>,
    /// The host's speed, as far as the module could measure it.
    pub(super) host_baud: u32,
    pub(super) power: Power,
    pub(super) now: Instant,
    pub(super) timers: Timers<TIMERS>,
    pub(super) activity: Activity,
    pub(super) rate_known: bool,
    pub(super) reader: LineReader,
    pub(super) swallowing: bool,
    pub(super) running: Vec<u8>,
    pub(super) answer: Vec<u8>,
    afterwards: Vec<u8>,
    pub(super) collected: Vec<u8>,
    waiting: Vec<u8>,
    pub(super) outputs: VecDeque<Output<ModemEvent>>,
    stream: Stream,
    draws: u64,
}

impl Core {
    pub(super) fn new(config: ModuleConfig, stream: Stream) -> Self {
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
            host_baud: USUAL_BAUD,
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

    /// Adds a result code to the running command's answer, before what else the command has to say.
    pub fn result(&mut self, result: Final) {
        self.form.result(result, &mut self.answer);
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

    /// Begins to open a connection, which may take as long as `limit`.
    pub fn open(&mut self, id: usize, to: SocketAddrV4, limit: Span) {
        self.link(id, SocketState::Connecting);
        self.sockets[id].unacked = 0;
        self.sockets[id].held.clear();
        self.timers.set(CONNECT + id, self.now + limit);
        self.outputs.push_back(Output::Open { port: net_port(id), to });
    }

    /// Ends a connection from this side.
    pub fn close(&mut self, id: usize, how: Close) {
        if self.sockets[id].is_open() {
            self.outputs.push_back(Output::Close { port: net_port(id), how });
        }
        self.link(id, SocketState::Closed);
    }

    /// Whether any of the host's connections takes up the module's stack.
    pub fn has_open_link(&self) -> bool {
        self.sockets[..SOCKETS].iter().any(Socket::is_open)
    }

    /// Ends every connection of the host without a word.
    pub fn close_links(&mut self, how: Close) {
        for id in 0..SOCKETS {
            if self.sockets[id].is_open() {
                self.close(id, how);
            }
        }
    }

    /// Ends every connection and the packet context without a word.
    pub fn close_all(&mut self, how: Close) {
        for id in 0..=SERVICE {
            if self.sockets[id].is_open() {
                self.close(id, how);
            }
        }
    }

    /// Ends a connection that nobody is told of, as if it had never been.
    pub fn close_quietly(&mut self, id: usize, how: Close) {
        self.close(id, how);
        self.sockets[id] = Socket::default();
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

    /// Asks the other end of a connection whether it is still there.
    pub fn probe(&mut self, id: usize) {
        self.outputs.push_back(Output::Transmit { port: net_port(id), bytes: Vec::new() });
    }

    /// Keeps what arrived until the host reads it, as far as there is room.
    pub fn hold(&mut self, id: usize, bytes: &[u8]) {
        let free = self.config.receive_max - self.sockets[id].held.len();
        let (kept, lost) = bytes.split_at(bytes.len().min(free));
        self.sockets[id].held.extend_from_slice(kept);
        if !lost.is_empty() {
            self.note(ModemEvent::Overrun { len: lost.len() });
        }
    }

    /// Whether the host's speed is fixed, and so known from the start.
    pub fn know_rate(&mut self, is_fixed: bool) {
        self.rate_known |= is_fixed;
    }

    /// What time it is.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// Sets when the dialect's own work is due, or that there is none.
    pub fn work_at(&mut self, due: Option<Instant>) {
        match due {
            Some(at) => self.timers.set(WORK, at),
            None => self.timers.stop(WORK),
        }
    }

    /// Lets an observer know.
    pub fn note(&mut self, event: ModemEvent) {
        self.outputs.push_back(Output::Event(event));
    }

    pub(super) fn level(&mut self, port: Port, high: bool) {
        self.outputs.push_back(Output::Level { port, high });
    }

    /// Draws when something is done that takes as long as `latency`.
    pub fn draw(&mut self, latency: Latency) -> Instant {
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
            Activity::Prompt { .. } | Activity::Download { .. } => {
                self.config.unasked_lines == UnaskedLines::AtPrompts
            }
            Activity::Online(_) => false,
            Activity::Idle => {
                let is_echoing = self.echo && self.reader.is_partial() && !self.swallowing;
                !is_echoing || self.config.unasked_lines == UnaskedLines::InsideEchoes
            }
            _ => true,
        }
    }

    pub(super) fn speak(&mut self) {
        if !self.waiting.is_empty() && self.may_speak() {
            let bytes = std::mem::take(&mut self.waiting);
            self.transmit(UART, bytes);
        }
    }

    pub(super) fn transmit(&mut self, port: Port, bytes: Vec<u8>) {
        if !bytes.is_empty() {
            self.outputs.push_back(Output::Transmit { port, bytes });
        }
    }

    /// Sends the answer as far as it has come.
    pub(super) fn answer(&mut self) {
        let bytes = std::mem::take(&mut self.answer);
        self.transmit(UART, bytes);
    }

    /// Ends a line with a result code, after a gap if information lines came before it.
    pub(super) fn finish(&mut self, result: Final) {
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
    pub(super) fn conclude(&mut self) {
        self.answer.append(&mut self.afterwards);
        self.answer();
        self.activity = Activity::Idle;
        self.speak();
    }

    pub(super) fn digest(&self, into: &mut Digest) {
        self.form.digest(into);
        into.word(self.host_baud.into())
            .flag(self.echo)
            .flag(self.rate_known)
            .flag(self.swallowing)
            .word(self.draws);
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
            Activity::Prompt { id, until: DataEnd::Count(len) } => {
                into.word(3).word(*id as u64).word(*len as u64)
            }
            Activity::Prompt { id, until: DataEnd::ControlZ(max) } => {
                into.word(6).word(*id as u64).word(*max as u64)
            }
            Activity::Prompt { id, until: DataEnd::CountOrControlZ(len) } => {
                into.word(7).word(*id as u64).word(*len as u64)
            }
            Activity::Sending { id } => into.word(4).word(*id as u64),
            Activity::Download { len } => into.word(8).word(*len as u64),
            Activity::Online(escape) => {
                escape.digest(into);
                into.word(5)
            }
        };
    }
}
