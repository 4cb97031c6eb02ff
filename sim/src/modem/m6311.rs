//! The dialect of the M6311, which shares no connection command with the SIM800.
//!
//! Source: MDM-A8.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};

use serde::Deserialize;

use crate::digest::Digest;
use crate::machine::Close;
use crate::modem::config::{AlreadyConnect, Latency, ModemConfig, address_of};
use crate::modem::core::Core;
use crate::modem::dialect::{DataEnd, Dialect, Verdict};
use crate::modem::engine::Modem;
use crate::modem::line::{Command, Form, parse_number};
use crate::modem::reply::Final;
use crate::modem::socket::{SOCKETS, SendResult, SocketEvent, SocketState};
use crate::time::Span;

/// A virtual M6311.
pub type M6311 = Modem<M6311Dialect>;

/// The configuration of a virtual M6311.
pub type M6311ModemConfig = ModemConfig<M6311Config>;

/// How received data is marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReceivedMark {
    /// `+IPDATA: n`
    Plus,
    /// `<IPDATA: n>`
    Angle,
}

/// What the states of a connection are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StateNames {
    /// `CONNECT OK` and `IP CLOSE`
    Phrases,
    /// `CONNECTED` and `CLOSED`
    Words,
}

/// What may differ between two M6311 and their networks.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct M6311Config {
    /// What `AT+CMVERSION` tells.
    pub version: String,
    /// Whether the SIM in use is the external one.
    pub external_sim: bool,
    /// How received data is marked.
    pub received_mark: ReceivedMark,
    /// Where `ALREADY CONNECT` stands.
    pub already_connect: AlreadyConnect,
    /// What the states of a connection are called.
    pub state_names: StateNames,
    /// The unsolicited line when the network takes the packet context away.
    pub pdp_lost: String,
    /// Bytes that the data line passes on at a time, unless `AT+CMTCFG` says otherwise.
    ///
    /// Units: bytes.
    pub transparent_len: usize,
    /// Silence after which the data line passes on the rest, unless `AT+CMTCFG` says otherwise.
    ///
    /// Units: steps of `transparent_step`.
    pub transparent_wait: u64,
    /// The unit of that silence.
    pub transparent_step: Span,
    /// The names that the network can resolve.
    pub resolver: BTreeMap<String, Ipv4Addr>,
}

/// The settings of an M6311.
#[derive(Clone, Debug)]
pub struct M6311Dialect {
    config: M6311Config,
    multi: bool,
    marked: bool,
    prompt: bool,
    reports: bool,
    buffered: bool,
    transparent: bool,
    transparent_len: usize,
    transparent_wait: u64,
}

impl Dialect for M6311Dialect {
    type Config = M6311Config;

    fn new(config: M6311Config) -> Self {
        Self {
            multi: false,
            marked: false,
            prompt: true,
            reports: true,
            buffered: false,
            transparent: false,
            transparent_len: config.transparent_len,
            transparent_wait: config.transparent_wait,
            config,
        }
    }

    fn restart(&mut self) {
        self.multi = false;
        self.marked = false;
        self.prompt = true;
        self.reports = true;
        self.buffered = false;
        self.transparent = false;
        self.transparent_len = self.config.transparent_len;
        self.transparent_wait = self.config.transparent_wait;
    }

    fn latency(&self, core: &Core, command: &Command<'_>) -> Latency {
        let config = &core.config;
        match (command.name, command.form) {
            (b"+CGATT", Form::Set(b"1")) if !core.radio.attached => config.attach,
            (b"+CGACT", Form::Set(b"1,1")) if !core.radio.active => config.activate,
            (b"+CMDNSGIP", _) => config.resolve,
            (b"+IPCLOSE", _) => config.close,
            (b"+IPSEND", _) => config.prompt,
            _ => config.plain,
        }
    }

    fn execute(&mut self, core: &mut Core, command: &Command<'_>) -> Verdict {
        match command.name {
            b"+CMVERSION" if command.form == Form::Execute => {
                let line = format!("+CMVERSION: {}", self.config.version);
                core.info(line.as_bytes());
                Verdict::Done
            }
            b"+SSYS" if command.form == Form::Read => {
                core.info(if self.config.external_sim { b"+SSYS: 1" } else { b"+SSYS: 0" });
                Verdict::Done
            }
            b"+SIM1" if command.form == Form::Execute => {
                // The missing letter is the module's own.
                core.info(if core.radio.sim { b"+SIM1: EXSIT" } else { b"+SIM1: NOT EXSIT" });
                Verdict::Done
            }
            b"+CMMUX" => self.idle_switch(core, command, |dialect, on| dialect.multi = on),
            b"+CMMODE" => self.mode(core, command),
            b"+CMNDI" => self.idle_switch(core, command, |dialect, on| dialect.buffered = on),
            b"+CMHEAD" => self.switch(core, command, |dialect, on| dialect.marked = on),
            b"+PROMPT" => self.switch(core, command, |dialect, on| dialect.prompt = on),
            b"^CURC" => self.switch(core, command, |dialect, on| dialect.reports = on),
            b"+CMTCFG" => self.transparent_config(core, command),
            b"+CMDNSGIP" => self.resolve(core, command),
            b"+IPSTART" => self.start(core, command),
            b"+IPSEND" => self.send(core, command),
            b"+IPCLOSE" => self.close(core, command),
            b"+CMSTATE" if matches!(command.form, Form::Execute | Form::Read) => {
                self.states(core);
                Verdict::Done
            }
            b"+CMRD" => self.read(core, command),
            _ => Verdict::Unknown,
        }
    }

    fn socket_event(&mut self, core: &mut Core, id: usize, event: SocketEvent<'_>) {
        match event {
            SocketEvent::Opened if self.transparent => {
                core.go_online(
                    id,
                    self.transparent_len,
                    self.config.transparent_step * self.transparent_wait,
                );
            }
            SocketEvent::Opened => self.say(core, id, "CONNECT OK"),
            SocketEvent::Refused => self.say(core, id, "CONNECT FAIL"),
            SocketEvent::Overdue => self.say(core, id, "COMMAND TIMEOUT"),
            SocketEvent::Closed => {
                core.leave_online();
                self.say(core, id, "CONNECTION CLOSED");
            }
            SocketEvent::Received(bytes) if core.is_online() => core.pass_up(bytes),
            SocketEvent::Received(bytes) if self.buffered => core.hold(id, bytes),
            SocketEvent::Received(bytes) => self.received(core, id, bytes),
        }
    }

    fn send_result(&mut self, core: &mut Core, id: usize, result: SendResult) {
        let text = match result {
            SendResult::Acked => "SEND OK",
            SendResult::Failed => "SEND FAIL",
            SendResult::Closed => "CONNECTION CLOSED",
        };
        if self.multi {
            core.info(format!("{id},{text}").as_bytes());
        } else {
            core.info(text.as_bytes());
        }
    }

    fn pdp_lost(&mut self, core: &mut Core) {
        core.say(self.config.pdp_lost.as_bytes());
    }

    fn is_muted(&self, text: &str) -> bool {
        !self.reports && text.starts_with('^')
    }

    fn digest(&self, into: &mut Digest) {
        for flag in [self.multi, self.marked, self.prompt, self.reports, self.buffered, self.transparent] {
            into.flag(flag);
        }
        into.word(self.transparent_len as u64).word(self.transparent_wait);
    }
}

impl M6311Dialect {
    /// Says something of a connection, which has a number only where there may be several.
    fn say(&self, core: &mut Core, id: usize, text: &str) {
        if self.multi {
            core.say(format!("{id},{text}").as_bytes());
        } else {
            core.say(text.as_bytes());
        }
    }

    fn received(&self, core: &mut Core, id: usize, bytes: &[u8]) {
        let mut block = Vec::with_capacity(bytes.len() + 24);
        if self.marked {
            let (before, after) = match self.config.received_mark {
                ReceivedMark::Plus => ("+IPDATA: ", ""),
                ReceivedMark::Angle => ("<IPDATA: ", ">"),
            };
            let mark = if self.multi {
                format!("{before}{id},{}{after}", bytes.len())
            } else {
                format!("{before}{}{after}", bytes.len())
            };
            core.form.line(mark.as_bytes(), &mut block);
        }
        block.extend_from_slice(bytes);
        core.say_raw(block);
    }

    fn switch(&mut self, core: &mut Core, command: &Command<'_>, set: fn(&mut Self, bool)) -> Verdict {
        match (command.form, command.choice(1)) {
            (Form::Set(_), Some(choice)) => {
                set(self, choice == 1);
                Verdict::Done
            }
            (Form::Test, _) => {
                core.info(&[command.name, b": (0,1)"].concat());
                Verdict::Done
            }
            _ => Verdict::Failed(Final::INVALID),
        }
    }

    /// A setting that an open connection holds fast.
    fn idle_switch(&mut self, core: &mut Core, command: &Command<'_>, set: fn(&mut Self, bool)) -> Verdict {
        let is_held = core.sockets.iter().any(|socket| socket.is_open());
        if is_held && matches!(command.form, Form::Set(_)) {
            return Verdict::Failed(Final::NOT_ALLOWED);
        }
        self.switch(core, command, set)
    }

    /// Transparent mode is chosen before a connection and given up after an escape.
    fn mode(&mut self, core: &mut Core, command: &Command<'_>) -> Verdict {
        match command.form {
            Form::Set(b"0") => {
                self.transparent = false;
                core.leave_online();
                Verdict::Done
            }
            Form::Set(b"1") if self.multi => Verdict::Failed(Final::NOT_ALLOWED),
            _ => self.idle_switch(core, command, |dialect, on| dialect.transparent = on),
        }
    }

    /// `n,length,wait`; the first number is taken and means nothing here.
    fn transparent_config(&mut self, core: &Core, command: &Command<'_>) -> Verdict {
        match command.numbers() {
            Some([_, len, wait]) if (1..=core.config.send_max).contains(&len) => {
                self.transparent_len = len;
                self.transparent_wait = wait as u64;
                Verdict::Done
            }
            _ => Verdict::Failed(Final::INVALID),
        }
    }

    fn resolve(&self, core: &mut Core, command: &Command<'_>) -> Verdict {
        let Some(name) = command.values().next().filter(|name| !name.is_empty()) else {
            return Verdict::Failed(Final::INVALID);
        };
        if !core.radio.active {
            return Verdict::Failed(Final::NOT_ALLOWED);
        }
        let Some(address) = address_of(&self.config.resolver, name) else {
            return Verdict::Failed(Final::NO_SUCH_NAME);
        };
        let line = format!("+CMDNSGIP: \"{}\",\"{address}\"", String::from_utf8_lossy(name));
        core.info(line.as_bytes());
        Verdict::Done
    }

    fn start(&self, core: &mut Core, command: &Command<'_>) -> Verdict {
        let mut values = command.values();
        let id = if self.multi {
            match values.next().and_then(parse_number) {
                Some(id) if id < SOCKETS => id,
                _ => return Verdict::Failed(Final::INVALID),
            }
        } else {
            0
        };
        let (kind, host, port) = (values.next(), values.next(), values.next().and_then(parse_number));
        let (Some(kind), Some(host), Some(port), None) = (kind, host, port, values.next()) else {
            return Verdict::Failed(Final::INVALID);
        };
        let Some(port) = u16::try_from(port).ok().filter(|port| *port > 0) else {
            return Verdict::Failed(Final::INVALID);
        };
        if !kind.eq_ignore_ascii_case(b"TCP") {
            return Verdict::Failed(Final::INVALID);
        }
        if !core.radio.active {
            return Verdict::Failed(Final::NOT_ALLOWED);
        }
        if core.sockets[id].is_open() {
            let text = self.numbered(id, "ALREADY CONNECT");
            return self.config.already_connect.answer(core, &text);
        }
        match address_of(&self.config.resolver, host) {
            Some(address) => core.open(id, SocketAddrV4::new(address, port), core.config.connect_limit),
            None => {
                core.link(id, SocketState::Closed);
                core.info_afterwards(self.numbered(id, "CONNECT FAIL").as_bytes());
            }
        }
        Verdict::Done
    }

    fn numbered(&self, id: usize, text: &str) -> String {
        if self.multi { format!("{id},{text}") } else { text.to_owned() }
    }

    fn send(&self, core: &Core, command: &Command<'_>) -> Verdict {
        let (id, len) = match (self.multi, command.numbers(), command.numbers()) {
            (true, Some([id, len]), _) => (id, len),
            (false, _, Some([len])) => (0, len),
            _ => return Verdict::Failed(Final::INVALID),
        };
        if id >= SOCKETS || !(1..=core.config.send_max).contains(&len) {
            return Verdict::Failed(Final::INVALID);
        }
        if core.sockets[id].state != SocketState::Connected {
            return Verdict::Failed(Final::NOT_ALLOWED);
        }
        Verdict::Prompt { id, until: DataEnd::Count(len), shown: self.prompt }
    }

    fn close(&self, core: &mut Core, command: &Command<'_>) -> Verdict {
        let id = match (self.multi, command.form, command.choice(SOCKETS - 1)) {
            (false, Form::Execute, _) => 0,
            (true, Form::Set(_), Some(id)) => id,
            _ => return Verdict::Failed(Final::INVALID),
        };
        if !core.sockets[id].is_open() {
            return Verdict::Failed(Final::NOT_ALLOWED);
        }
        core.close(id, Close::Fin);
        core.leave_online();
        Verdict::Done
    }

    fn states(&self, core: &mut Core) {
        for id in 0..if self.multi { SOCKETS } else { 1 } {
            let name = match (core.sockets[id].state, self.config.state_names) {
                (SocketState::Initial, _) => "IP INITIAL",
                (SocketState::Connecting, _) => "TCP CONNECTING",
                (SocketState::Connected, StateNames::Phrases) => "CONNECT OK",
                (SocketState::Connected, StateNames::Words) => "CONNECTED",
                (SocketState::Closed, StateNames::Phrases) => "IP CLOSE",
                (SocketState::Closed, StateNames::Words) => "CLOSED",
            };
            let line = format!("+CMSTATE: {}", self.numbered(id, name));
            core.info(line.as_bytes());
        }
    }

    fn read(&self, core: &mut Core, command: &Command<'_>) -> Verdict {
        match (command.form, command.numbers()) {
            (Form::Read, _) => {
                for id in 0..SOCKETS {
                    let line = format!("+CMRD: {id},0,{}", core.sockets[id].held.len());
                    core.info(line.as_bytes());
                }
            }
            (Form::Set(_), Some([id, len])) if id < SOCKETS && self.buffered => {
                let len = len.min(core.sockets[id].held.len());
                let bytes: Vec<u8> = core.sockets[id].held.drain(..len).collect();
                let line = format!("+CMRD: {id},{len}");
                core.info(line.as_bytes());
                core.raw_info(&bytes);
            }
            _ => return Verdict::Failed(Final::INVALID),
        }
        Verdict::Done
    }
}
