//! The module itself: what it does whatever its dialect is.
//!
//! A module hears characters, collects them into lines, thinks for a while, and answers. Between a line and its
//! final result it takes no other line: what comes then is swallowed. What it says unasked never splits a line; it
//! comes between commands, after the echo, before the final result, or between prompt data and the send result, and
//! waits while the prompt is open.
//!
//! Nothing survives a loss of power but what a dialect stores.
use crate::digest::Digest;
use crate::machine::{Board, Close, Closing, Input, Machine, Output, Stamped, StoreStep, Torn};
use crate::modem::basic;
use crate::modem::config::ModemConfig;
use crate::modem::core::{
    Activity, BOOT, COMMAND, CONNECT, Core, ESCAPE, FINAL, FLUSH, KEY, REGISTER, RESETTING, SAY, SEND,
    TIMER_NAMES, WORK,
};
use crate::modem::dialect::{Dialect, Verdict};
use crate::modem::event::{ModemEvent, ModemStimulus};
use crate::modem::line::{self, Command, LineEnd};
use crate::modem::names;
use crate::modem::port::{DTR, UART};
use crate::modem::reply::Final;
use crate::modem::socket::{SendResult, SocketEvent};
use crate::seed::Stream;
use crate::time::{Instant, Now};

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

    fn hear(&mut self, bytes: &[u8]) {
        let mut bytes = &bytes[self.dialect.deaf_to(&self.core, bytes.len())..];
        while !bytes.is_empty() {
            bytes = match self.core.activity {
                Activity::Prompt { id, until } => self.collect(id, until, bytes),
                Activity::Download { len } => self.download(len, bytes),
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
            Verdict::Prompt { id, until, shown } => {
                core.collected.clear();
                core.activity = Activity::Prompt { id, until };
                if shown {
                    core.transmit(UART, b"\r\n> ".to_vec());
                }
            }
            Verdict::Download { len, limit } => {
                core.answer();
                core.collected.clear();
                core.activity = Activity::Download { len };
                core.timers.set(SEND, core.now + limit);
            }
            Verdict::SwitchOff => {
                core.conclude();
                self.switch_off();
            }
            Verdict::Restart => {
                core.finish(Final::Ok);
                self.start_anew();
            }
            Verdict::Online { id } => {
                let Some(escape) = core.suspended.take() else {
                    return core.finish(Final::Error);
                };
                core.go_online(id, escape.send_len(), escape.send_wait());
            }
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
                } else if matches!(self.core.activity, Activity::Download { .. }) {
                    self.downloaded();
                }
            }
            ESCAPE => self.escape_deadline(),
            FLUSH => {
                if let Activity::Online(escape) = &mut self.core.activity {
                    escape.flush();
                    self.pump();
                }
            }
            WORK => self.dialect.work(&mut self.core),
            _ => {
                let id = timer - CONNECT;
                self.core.close(id, Close::Reset);
                self.dialect.socket_event(&mut self.core, id, SocketEvent::Overdue);
            }
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
            ModemStimulus::Supply { millivolts } => {
                if core.power.is_running() && self.dialect.supply(core, millivolts) {
                    self.switch_off();
                }
            }
            ModemStimulus::HostBaud(baud) => core.host_baud = baud,
            ModemStimulus::PdpLost => self.pdp_lost(),
            ModemStimulus::Sim { present } => {
                core.radio.sim = present;
                self.registration(if present { 1 } else { 0 });
            }
            ModemStimulus::Registration(stat) => self.registration(stat),
        }
    }
}

impl<D: Dialect> Machine for Modem<D> {
    type Stimulus = ModemStimulus;
    type Event = ModemEvent;

    fn handle_input(&mut self, now: Now, input: Input<'_, ModemStimulus>) {
        self.core.now = now.mono;
        match input {
            Input::PowerOn => self.power_on(),
            Input::Level { port: DTR, high } => self.ready(!high),
            Input::Level { port, high } => self.pin(port, high),
            Input::Stimulus(stimulus) => self.stimulus(stimulus),
            Input::Deadline => {
                while let Some(timer) = self.core.timers.expire(now.mono) {
                    self.expired(timer);
                }
            }
            _ if !self.core.power.is_running() => {}
            Input::Received { port: UART, bytes } if self.dialect.reads(self.core.host_baud) => {
                self.hear(bytes);
            }
            Input::Received { port: UART, bytes } => self.hear(&line::garbled(bytes)),
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
        let mut what = self.core.outputs.pop_front()?;
        if let Output::Transmit { port: UART, bytes } = &mut what
            && !self.dialect.reads(self.core.host_baud)
        {
            *bytes = line::garbled(bytes);
        }
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
        let other = if timer == WORK { "modem-work" } else { "modem-connect" };
        Some(TIMER_NAMES.get(timer).copied().unwrap_or(other))
    }

    fn each_deadline(&self, tell: &mut dyn FnMut(Instant)) {
        self.core.timers.each(tell);
    }
}
