//! The dialect of the SIM800A.
//!
//! - `links` opens, uses, and closes connections; `received` words what arrives over them.
//! - `keep_alive` asks silent connections whether they are still there; `http` is the HTTP service.
//! - `stored` is what `AT&W` keeps.
//! - `settings` are the switches and numbers; `queries` is what the module tells of itself and its network, and the
//!   bearer that `AT+SAPBR` opens.
//!
//! Source: MDM-A2, MDM-A3, MDM-A5, MDM-A6.

mod config;
mod http;
mod keep_alive;
mod links;
mod queries;
mod received;
mod settings;
mod stored;

use std::net::{Ipv4Addr, SocketAddrV4};

pub use config::{
    BUILT_IN, CountedData, Identity, Numbering, Sim800aConfig, Sim800aModemConfig, Supply, load,
};

use crate::digest::Digest;
use crate::modem::config::Latency;
use crate::modem::core::Core;
use crate::modem::dialect::{Dialect, LettingGo, Verdict};
use crate::modem::engine::Modem;
use crate::modem::line::{Command, Form};
use crate::modem::reply::{Final, ReplyForm};
use crate::modem::socket::{SERVICE, SOCKETS, SendResult, SocketEvent, SocketState};
use crate::time::{Instant, Span};

use http::Http;
use settings::{Settings, When};
use stored::Stored;

/// From a new speed to its being in force: the longest answer that may still be under way.
const SPEED_CHANGE: Span = Span::ms(10);

/// A virtual SIM800A.
pub type Sim800a = Modem<Sim800aDialect>;

/// How far the packet context of the connections has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Initial,
    Start,
    Config,
    GprsAct,
    Status,
    Deactivated,
}

/// What the module does on its own after it has answered.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Job {
    /// Brings the context up where it is not, and then opens a link; nowhere when the name could not be resolved.
    Connect(usize, Option<SocketAddrV4>),
    /// Tells the address behind a name.
    Resolve(Vec<u8>),
    /// Tells what a request of the HTTP service came to.
    HttpDone(u16),
    /// Has the speed that was set last be in force.
    Speed,
    /// Looks whether a connection has been silent, after so many probes.
    KeepAlive(usize, usize),
}

/// The settings and states of a SIM800A.
#[derive(Clone, Debug)]
pub struct Sim800aDialect {
    config: Sim800aConfig,
    settings: Settings,
    stage: Stage,
    apn: [Vec<u8>; 3],
    peers: [Option<SocketAddrV4>; SOCKETS],
    sent: [usize; SOCKETS],
    /// When the other end of each connection last showed that it was there.
    heard_on: [Instant; SOCKETS],
    bearer: bool,
    jobs: Vec<(Instant, Job)>,
    heard: Instant,
    millivolts: u16,
    name_servers: [Ipv4Addr; 2],
    http: Option<Http>,
    /// Before this, no request's outcome is told.
    http_earliest: Instant,
    stored: Option<Stored>,
    /// Since when DTR is as it is, and whether it is high.
    dtr: (Instant, bool),
    /// The speed in force; 0 is the automatic one.
    baud: usize,
}

impl Dialect for Sim800aDialect {
    type Config = Sim800aConfig;

    fn new(config: Sim800aConfig) -> Self {
        Self {
            settings: Settings::default(),
            stage: Stage::Initial,
            apn: Default::default(),
            peers: [None; SOCKETS],
            sent: [0; SOCKETS],
            heard_on: [Instant::ZERO; SOCKETS],
            bearer: false,
            jobs: Vec::new(),
            heard: Instant::ZERO,
            millivolts: config.supply.usual,
            name_servers: config.name_servers,
            http: None,
            http_earliest: Instant::ZERO,
            stored: None,
            dtr: (Instant::ZERO, false),
            baud: 0,
            config,
        }
    }

    fn restart(&mut self) {
        // The supply and the pins are not the module's own, and what was stored stays.
        let Self { millivolts, dtr, .. } = *self;
        let stored = self.stored.take();
        *self = Self { millivolts, dtr, stored, ..Self::new(self.config.clone()) };
    }

    fn recall(&mut self, core: &mut Core) {
        self.take_stored(core);
    }

    fn ready(&mut self, core: &Core, is_ready: bool) -> LettingGo {
        if self.dtr.1 != is_ready {
            return LettingGo::Ignored;
        }
        self.dtr = (core.now(), !is_ready);
        match self.settings.get("&D") {
            1 if !is_ready => LettingGo::Escapes,
            2 if !is_ready => LettingGo::HangsUp,
            _ => LettingGo::Ignored,
        }
    }

    fn heard_from(&mut self, core: &Core, id: usize) {
        if let Some(heard) = self.heard_on.get_mut(id) {
            *heard = core.now();
        }
    }

    fn reads(&self, baud: u32) -> bool {
        match self.baud {
            0 => settings::is_baud(baud),
            fixed => u32::try_from(fixed) == Ok(baud),
        }
    }

    fn downloaded(&mut self, data: Vec<u8>) {
        self.http_downloaded(data);
    }

    fn latency(&self, core: &Core, command: &Command<'_>) -> Latency {
        let config = &core.config;
        match (command.name, command.form) {
            (b"+CGATT", Form::Set(b"1")) if !core.radio.attached => config.attach,
            (b"+CGACT", Form::Set(b"1,1")) if !core.radio.active => config.activate,
            (b"+CIICR", Form::Execute) if self.stage == Stage::Start => config.activate,
            (b"+SAPBR", Form::Set(b"1,1" | b"0,1")) => self.config.bearer,
            (b"+CIPSHUT", _) => self.config.shut,
            (b"+CIPCLOSE", _) => config.close,
            (b"+CIPSEND", Form::Set(_) | Form::Execute) => config.prompt,
            _ => config.plain,
        }
    }

    fn execute(&mut self, core: &mut Core, command: &Command<'_>) -> Verdict {
        match (command.name, command.form) {
            (b"+CIPRXGET", Form::Set([b'2'..=b'4', ..])) => self.read(core, command),
            (b"+CIPMUX", Form::Set(b"1")) if self.settings.is_on("+CIPMODE") => {
                Verdict::Failed(Final::NOT_ALLOWED)
            }
            (_, Form::Test) if queries::takes_test(core, self.is_multi(), command.name) => Verdict::Done,
            (b"H", Form::Execute | Form::Set(b"0")) => Verdict::Done,
            (b"+CIPMODE", Form::Set(b"1")) if self.is_multi() => Verdict::Failed(Final::NOT_ALLOWED),
            (b"+CSTT", _) => self.access_point(core, command),
            (b"+CIICR", Form::Execute) => self.bring_up(core),
            (b"+CIFSR", Form::Execute) => self.local_address(core),
            (b"+CIPSTART", Form::Set(_)) => self.start(core, command),
            (b"+CIPSEND", _) => self.send(core, command),
            (b"+CIPACK", _) => self.acknowledged(core, command),
            (b"+CIPCLOSE", _) => self.close(core, command),
            (b"+CIPSHUT", Form::Execute) => self.shut(core),
            (b"+CIPSTATUS", _) => self.status(core, command),
            (b"+CDNSGIP", Form::Set(_)) => self.resolve(core, command),
            (b"+CPOWD", Form::Set(b"1")) => {
                core.info(b"NORMAL POWER DOWN");
                Verdict::SwitchOff
            }
            (b"+CPOWD", Form::Set(b"0")) => Verdict::SwitchOff,
            (b"+CFUN", Form::Set(b"1,1")) => Verdict::Restart,
            (
                b"+HTTPINIT" | b"+HTTPTERM" | b"+HTTPPARA" | b"+HTTPDATA" | b"+HTTPACTION" | b"+HTTPREAD",
                _,
            ) => self.http(core, command),
            (b"&W", Form::Execute | Form::Set(b"0")) => {
                self.store(core);
                Verdict::Done
            }
            (b"Z", Form::Execute | Form::Set(b"0")) => {
                self.settings.reset(self.stage == Stage::Initial);
                core.form = ReplyForm::default();
                core.echo = true;
                self.take_stored(core);
                Verdict::Done
            }
            (b"+CGATT", Form::Set(b"0")) | (b"+CGACT", Form::Set(b"0,1")) => {
                self.detached(core);
                Verdict::Unknown
            }
            (b"&F", _) => {
                self.settings.reset(self.stage == Stage::Initial);
                self.change_speed(core);
                Verdict::Unknown
            }
            _ => self.otherwise(core, command),
        }
    }

    fn socket_event(&mut self, core: &mut Core, id: usize, event: SocketEvent<'_>) {
        if id == SERVICE {
            return self.http_event(core, event);
        }
        if event == SocketEvent::Opened {
            self.watch(core, id);
        }
        match event {
            SocketEvent::Opened if self.settings.is_on("+CIPMODE") => {
                let [_, wait, len, _] = self.transparent();
                core.go_online(id, len, Span::ms(100) * wait as u64);
            }
            SocketEvent::Opened => self.say(core, id, "CONNECT OK"),
            SocketEvent::Refused | SocketEvent::Overdue => self.say_failed(core, id),
            SocketEvent::Closed => {
                core.leave_online();
                self.say(core, id, "CLOSED");
            }
            SocketEvent::Received(bytes) => self.received(core, id, bytes),
        }
    }

    fn handed_over(&mut self, core: &mut Core, id: usize, len: usize) -> bool {
        self.sent[id] += len;
        if !self.settings.is_on("+CIPQSEND") {
            return false;
        }
        let text = if self.is_multi() { format!("{id},{len}") } else { len.to_string() };
        core.info(format!("DATA ACCEPT:{text}").as_bytes());
        true
    }

    fn send_result(&mut self, core: &mut Core, id: usize, result: SendResult) {
        let text = match result {
            SendResult::Acked if self.settings.get("+CIPSPRT") == 2 => return,
            SendResult::Acked => "SEND OK",
            SendResult::Failed => "SEND FAIL",
            SendResult::Closed => "CLOSED",
        };
        core.info(self.numbered(id, text).as_bytes());
    }

    fn deaf_to(&mut self, core: &Core, len: usize) -> usize {
        let silence = core.now().since(self.heard);
        self.heard = core.now();
        let (since, high) = self.dtr;
        if self.settings.get("+CSCLK") == 1 && (high || core.now().since(since) < self.config.dtr_wake) {
            return len;
        }
        let asleep = self.settings.get("+CSCLK") == 2 && silence >= self.config.sleep_after;
        if asleep && !core.is_online() { len.min(self.config.wake_loss) } else { 0 }
    }

    fn work(&mut self, core: &mut Core) {
        while self.jobs.first().is_some_and(|(due, _)| *due <= core.now()) {
            match self.jobs.remove(0).1 {
                Job::Connect(id, to) => self.connect(core, id, to),
                Job::Resolve(name) => self.resolved(core, &name),
                Job::HttpDone(status) => self.http_done(core, status),
                Job::KeepAlive(id, probes) => self.keep_alive(core, id, probes),
                Job::Speed => self.baud = self.settings.get("+IPR"),
            }
        }
        self.plan(core);
    }

    fn supply(&mut self, core: &mut Core, millivolts: u16) -> bool {
        self.millivolts = millivolts;
        let limits = self.config.supply;
        let (text, gives_up) = match millivolts {
            // The second N is the module's own.
            volts if volts < limits.under_off => ("UNDER-VOLTAGE POWER DOWN", true),
            volts if volts < limits.under_warning => ("UNDER-VOLTAGE WARNNING", false),
            volts if volts > limits.over_off => ("OVER-VOLTAGE POWER DOWN", true),
            volts if volts > limits.over_warning => ("OVER-VOLTAGE WARNNING", false),
            _ => return false,
        };
        if self.settings.is_on("+CBATCHK") {
            core.say(text.as_bytes());
        }
        gives_up
    }

    fn farewell(&self) -> Option<&'static str> {
        Some("NORMAL POWER DOWN")
    }

    fn pdp_lost(&mut self, core: &mut Core) {
        self.detached(core);
    }

    fn is_muted(&self, text: &str) -> bool {
        let switch = match text {
            "Call Ready" | "SMS Ready" => "+CIURC",
            _ if text.contains("-VOLTAGE ") => "+CBATCHK",
            _ if ["*PSNWID", "*PSUTTZ", "+CTZV", "DST:", "+CIEV"]
                .iter()
                .any(|name| text.starts_with(name)) =>
            {
                "+CLTS"
            }
            _ => return false,
        };
        !self.settings.is_on(switch)
    }

    fn digest(&self, into: &mut Digest) {
        self.settings.digest(into);
        into.word(self.stage as u64).flag(self.bearer).word(self.millivolts.into());
        if self.settings.get("+CSCLK") == 2 {
            into.age(self.heard);
        }
        if self.settings.get("+CSCLK") == 1 {
            into.age(self.dtr.0);
        }
        into.word(self.baud as u64).flag(self.dtr.1).flag(self.http.is_some()).flag(self.stored.is_some());
        if let Some(http) = &self.http {
            http.digest(into);
            into.instant(self.http_earliest);
        }
        if let Some(stored) = &self.stored {
            stored.digest(into);
        }
        for server in self.name_servers {
            into.bytes(&server.octets());
        }
        for part in &self.apn {
            into.bytes(part);
        }
        for (peer, sent) in self.peers.iter().zip(self.sent) {
            into.flag(peer.is_some()).text(&peer.map_or_else(String::new, |peer| peer.to_string()));
            into.word(sent as u64);
        }
        for (due, job) in &self.jobs {
            if let Job::KeepAlive(id, _) = job {
                into.age(self.heard_on[*id]);
            }
            into.instant(*due).text(&format!("{job:?}"));
        }
    }
}

impl Sim800aDialect {
    fn is_multi(&self) -> bool {
        self.settings.is_on("+CIPMUX")
    }

    fn transparent(&self) -> [usize; 4] {
        std::array::from_fn(|place| self.settings.all("+CIPCCFG")[place])
    }

    fn otherwise(&mut self, core: &mut Core, command: &Command<'_>) -> Verdict {
        let stage = self.stage;
        let is_open = core.has_open_link();
        let may = |when| match when {
            When::Always => true,
            When::Initial => stage == Stage::Initial && !is_open,
            When::Unconnected => !is_open,
        };
        match self.settings.execute(core, command, may) {
            Verdict::Unknown => self.query(core, command),
            // The answer still goes out as it was asked for.
            Verdict::Done => {
                self.change_speed(core);
                Verdict::Done
            }
            verdict => verdict,
        }
    }

    /// The name of the state, as `AT+CIPSTATUS` tells it.
    ///
    /// Source: MDM-A3.
    fn state(&self, core: &Core) -> &'static str {
        match (self.stage, self.is_multi(), core.sockets[0].state) {
            (Stage::Initial, ..) => "IP INITIAL",
            (Stage::Start, ..) => "IP START",
            (Stage::Config, ..) => "IP CONFIG",
            (Stage::GprsAct, ..) => "IP GPRSACT",
            (Stage::Deactivated, ..) => "PDP DEACT",
            (Stage::Status, true, _) if core.has_open_link() => "IP PROCESSING",
            (Stage::Status, true, _) | (Stage::Status, false, SocketState::Initial) => "IP STATUS",
            (Stage::Status, false, SocketState::Connecting) => "TCP CONNECTING",
            (Stage::Status, false, SocketState::Connected) => "CONNECT OK",
            (Stage::Status, false, SocketState::Closed) => "TCP CLOSED",
        }
    }

    /// The context is gone, and every connection without a word of its own.
    fn deactivated(&mut self, core: &mut Core) {
        self.jobs.retain(|(_, job)| !matches!(job, Job::Connect(..)));
        self.plan(core);
        if !matches!(self.stage, Stage::Initial | Stage::Start | Stage::Deactivated) {
            self.stage = Stage::Deactivated;
            core.say(b"+PDP: DEACT");
        }
    }

    /// Packet service is gone: the context of the connections, and the bearer of the services.
    fn detached(&mut self, core: &mut Core) {
        self.deactivated(core);
        self.http_lost(core);
        if std::mem::take(&mut self.bearer) {
            core.say(b"+SAPBR 1: DEACT");
        }
    }

    /// A text of a connection, which has a number only where there may be several.
    fn numbered(&self, id: usize, text: &str) -> String {
        match (self.is_multi(), self.config.numbering) {
            (false, _) => text.to_owned(),
            (true, Numbering::CommaBlank) => format!("{id}, {text}"),
            (true, Numbering::Comma) => format!("{id},{text}"),
        }
    }

    fn say(&self, core: &mut Core, id: usize, text: &str) {
        core.say(self.numbered(id, text).as_bytes());
    }

    /// Plans a job after what takes as long as `latency`.
    fn later(&mut self, core: &mut Core, latency: Latency, job: Job) {
        let due = core.draw(latency);
        self.at(core, due, job);
    }

    /// Has a new speed be in force once the answer, which still goes out as it was asked for, is out.
    fn change_speed(&mut self, core: &mut Core) {
        if self.settings.get("+IPR") != self.baud {
            let due = core.now() + SPEED_CHANGE;
            self.at(core, due, Job::Speed);
        }
    }

    /// Plans a job for a time.
    fn at(&mut self, core: &mut Core, due: Instant, job: Job) {
        let place = self.jobs.partition_point(|(other, _)| *other <= due);
        self.jobs.insert(place, (due, job));
        self.plan(core);
    }

    fn plan(&self, core: &mut Core) {
        core.work_at(self.jobs.first().map(|(due, _)| *due));
    }
}
