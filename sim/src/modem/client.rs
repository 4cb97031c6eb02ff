//! The host's side: what firmware does to keep one connection standing over an AT module.
//!
//! The client is a part of its firmware and not a party: it is told bytes and time, and says what to send, which
//! pin to move, and what became of the connection. It never gives up for good. Whatever it loses track of, it first
//! calls the module until it answers, then opens the connection anew, and after some failures restarts the module.
//!
//! Source: MDM-H1, MDM-H2, MDM-H3, MDM-H4.

mod config;
mod hearing;
mod steps;

use std::collections::VecDeque;
use std::net::SocketAddrV4;

use thiserror::Error;

pub use self::config::{
    ClientConfig, ClientPolicy, ClosedHandling, CommandTimeout, DataReading, EchoHandling, Pacing, Reconnect,
};
use self::hearing::{Heard, Hearing};
use self::steps::{Said, Step, understand};
use crate::digest::Digest;
use crate::time::{Instant, Span};
use crate::timers::Timers;

/// Why the connection is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DownWhy {
    /// The other end, or the network, ended it.
    Closed,
    /// The packet context is gone.
    PdpLost,
    /// A send failed.
    SendFailed,
    /// The module did not answer in time.
    Silent,
    /// The module restarted.
    Rebooted,
    /// The firmware asked for a new one.
    Requested,
}

/// Why a message was not sent, as far as the client knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendFailure {
    /// The module refused it or could not deliver it.
    Refused,
    /// The module did not answer in time; the message may have gone out.
    TimedOut,
    /// The connection was lost first; the message may have gone out if it was the first that waited.
    LinkLost,
}

/// Why a message cannot be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NotReady {
    /// There is no connection.
    #[error("there is no connection")]
    Down,
    /// As many messages wait as may.
    #[error("as many messages wait as may")]
    Full,
    /// No message is that long, or empty.
    #[error("a message has 1 to {max} bytes")]
    WrongLength {
        /// The longest.
        max: usize,
    },
}

/// What a client wants, or has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientOutput {
    /// Send these bytes to the module.
    Transmit(Vec<u8>),
    /// Set the power key: low holds it.
    PowerKey(bool),
    /// Set the reset pin: low resets.
    Reset(bool),
    /// The connection stands.
    Up,
    /// The connection is gone. The failures of all messages that waited came before.
    Down {
        /// Why.
        why: DownWhy,
    },
    /// The first message that waited was delivered to the other end's stack.
    Sent,
    /// The first message that waited was not, as far as the client knows.
    SendFailed {
        /// Why.
        why: SendFailure,
    },
    /// Data arrived. It may be part of a message, or several.
    Data(Vec<u8>),
    /// Reception, as the module tells it: 0 to 31, or 99 when unknown.
    Signal(u8),
    /// One way of getting on was given up at this command; another follows.
    GaveUp {
        /// The command.
        step: &'static str,
    },
}

/// What comes after the module has been called back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    Recover,
    Step(Step, u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Not started.
    Stopped,
    /// Pins are being held.
    Pulse,
    /// `AT` until something answers.
    Probe(u32),
    /// Lines are let pass unheard.
    Settle(Then),
    /// A command of the initialisation, tried so often before.
    Step(Step, u32),
    /// The pause before it is tried again.
    Pause(Step, u32),
    /// Waiting for the connection.
    Connecting,
    Up,
    /// The connection is gone and the last command's result is still to come.
    Lost,
    /// Calling a module that has lost the thread.
    Resync(Then, u32),
    /// The pause before the next attempt.
    BackOff,
}

/// What the last command still owes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owed {
    Nothing,
    Result,
    Prompt,
    SendResult,
}

const RESET: usize = 0;
const KEY: usize = 1;
const GAP: usize = 2;
const COMMAND: usize = 3;
const PHASE: usize = 4;
const TIMER_NAMES: [&str; 5] = ["client-reset", "client-key", "client-gap", "client-command", "client-pause"];

/// An AT client with one connection to one server.
#[derive(Clone, Debug)]
pub struct Client {
    config: ClientConfig,
    policy: ClientPolicy,
    server: SocketAddrV4,
    hearing: Hearing,
    phase: Phase,
    owed: Owed,
    /// How many bytes a prompt that may be open still takes at most.
    filler: usize,
    timers: Timers<5>,
    queue: VecDeque<Vec<u8>>,
    outputs: VecDeque<ClientOutput>,
    /// Failures since data last arrived.
    failures: u32,
    /// Where the next attempt begins; `None` restarts the module.
    resume: Option<Step>,
    use_key: bool,
    echoes: bool,
    sim_ready: bool,
    registered: bool,
    after_close: Step,
    signal: Option<u8>,
}

impl Client {
    /// A hardened client.
    pub fn new(config: ClientConfig, server: SocketAddrV4) -> Self {
        Self::with_policy(config, server, ClientPolicy::hardened())
    }

    /// A client with these design choices.
    pub fn with_policy(config: ClientConfig, server: SocketAddrV4, policy: ClientPolicy) -> Self {
        Self {
            hearing: Hearing::new(policy.data, config.line_max, config.message_max),
            config,
            policy,
            server,
            phase: Phase::Stopped,
            owed: Owed::Nothing,
            filler: 0,
            timers: Timers::default(),
            queue: VecDeque::new(),
            outputs: VecDeque::new(),
            failures: 0,
            resume: None,
            use_key: true,
            echoes: true,
            sim_ready: false,
            registered: false,
            after_close: Step::Start,
            signal: None,
        }
    }

    /// Begins, from whatever state the module is in.
    pub fn start(&mut self, now: Instant) {
        if self.phase == Phase::Stopped {
            self.wake(now);
        }
    }

    /// Points the client at another server; the next connection goes there.
    pub fn set_server(&mut self, server: SocketAddrV4) {
        self.server = server;
    }

    /// Takes bytes from the module.
    pub fn handle_bytes(&mut self, now: Instant, bytes: &[u8]) {
        if matches!(self.phase, Phase::Stopped | Phase::Pulse) {
            return;
        }
        self.hearing.push(bytes);
        self.listen(now);
        if self.hearing.is_counting() {
            self.timers.set(GAP, now + self.config.gap);
        } else {
            self.timers.stop(GAP);
        }
    }

    /// Takes note that the time of [`Self::poll_timeout`] has come.
    pub fn handle_deadline(&mut self, now: Instant) {
        while let Some(timer) = self.timers.expire(now) {
            match timer {
                RESET => {
                    self.outputs.push_back(ClientOutput::Reset(true));
                    self.pulse_ended(now);
                }
                KEY => {
                    self.outputs.push_back(ClientOutput::PowerKey(true));
                    self.pulse_ended(now);
                }
                GAP => {
                    self.hearing.give_up();
                    self.listen(now);
                }
                COMMAND => self.overdue(now),
                _ => self.phase_over(now),
            }
        }
    }

    /// When the client wants [`Self::handle_deadline`], if nothing comes before.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// The name of the timer behind [`Self::poll_timeout`].
    pub fn timer_name(&self) -> Option<&'static str> {
        self.timers.next_timer().map(|timer| TIMER_NAMES[timer])
    }

    /// The next thing to do or to say; `None` when drained.
    pub fn poll_output(&mut self) -> Option<ClientOutput> {
        self.outputs.pop_front()
    }

    /// Takes a message. Messages are sent in order, and each ends in [`ClientOutput::Sent`] or
    /// [`ClientOutput::SendFailed`].
    ///
    /// Errors: [`NotReady`] when there is no connection, no room, or nothing that could be one message.
    pub fn send(&mut self, now: Instant, data: &[u8]) -> Result<(), NotReady> {
        let max = self.config.message_max;
        if !(1..=max).contains(&data.len()) {
            return Err(NotReady::WrongLength { max });
        }
        if self.phase != Phase::Up {
            return Err(NotReady::Down);
        }
        if self.queue.len() >= self.config.queue_max {
            return Err(NotReady::Full);
        }
        self.queue.push_back(data.to_vec());
        self.send_next(now);
        Ok(())
    }

    /// Gives up the connection for a new one, as firmware does when nothing comes back over it.
    pub fn reset_network(&mut self, now: Instant) {
        if self.phase == Phase::Up {
            self.lose(now, DownWhy::Requested, Some(Step::Close));
        }
    }

    /// Whether the connection stands, as far as the client knows.
    pub fn is_up(&self) -> bool {
        self.phase == Phase::Up
    }

    /// Reception as the module told it last: 0 to 31, or 99 when unknown.
    pub fn signal(&self) -> Option<u8> {
        self.signal
    }

    /// Adds the client's state.
    pub fn digest(&self, into: &mut Digest) {
        into.word(u64::from(u32::from(*self.server.ip()))).word(self.server.port().into());
        self.hearing.digest(into);
        let then = |then: Then, into: &mut Digest| match then {
            Then::Recover => {
                into.word(0);
            }
            Then::Step(step, tries) => {
                into.word(1).word(step as u64).word(tries.into());
            }
        };
        match self.phase {
            Phase::Stopped => into.word(0),
            Phase::Pulse => into.word(1),
            Phase::Probe(tries) => into.word(2).word(tries.into()),
            Phase::Settle(next) => {
                then(next, into);
                into.word(3)
            }
            Phase::Step(step, tries) => into.word(4).word(step as u64).word(tries.into()),
            Phase::Pause(step, tries) => into.word(5).word(step as u64).word(tries.into()),
            Phase::Connecting => into.word(6),
            Phase::Up => into.word(7),
            Phase::Lost => into.word(8),
            Phase::Resync(next, tries) => {
                then(next, into);
                into.word(9).word(tries.into())
            }
            Phase::BackOff => into.word(10),
        };
        into.word(self.owed as u64).word(self.filler as u64).word(self.failures.into());
        into.word(self.resume.map_or(u64::MAX, |step| step as u64)).word(self.after_close as u64);
        into.flag(self.use_key).flag(self.echoes).flag(self.sim_ready).flag(self.registered);
        into.word(self.signal.map_or(u64::MAX, u64::from));
        self.timers.digest(into);
        into.word(self.queue.len() as u64);
        for message in &self.queue {
            into.bytes(message);
        }
    }

    fn transmit(&mut self, bytes: Vec<u8>) {
        self.outputs.push_back(ClientOutput::Transmit(bytes));
    }

    fn owe(&mut self, now: Instant, owed: Owed, limit: Span) {
        self.owed = owed;
        match (self.policy.pacing, self.policy.command_timeout, owed) {
            (Pacing::Eager, _, Owed::Result | Owed::Prompt) => {
                self.timers.set(COMMAND, now + self.config.eager_pace);
            }
            (_, CommandTimeout::Forever, _) if !matches!(self.phase, Phase::Probe(_)) => {
                self.timers.stop(COMMAND);
            }
            _ => self.timers.set(COMMAND, now + limit),
        }
    }

    fn settled(&mut self) {
        self.owed = Owed::Nothing;
        self.timers.stop(COMMAND);
    }

    fn wait(&mut self, now: Instant, phase: Phase, span: Span) {
        self.phase = phase;
        self.timers.set(PHASE, now + span);
    }

    /// Takes the module by its pins.
    fn wake(&mut self, now: Instant) {
        self.timers.stop_all();
        self.hearing.forget();
        self.owed = Owed::Nothing;
        self.filler = 0;
        self.echoes = true;
        self.phase = Phase::Pulse;
        self.outputs.push_back(ClientOutput::Reset(false));
        self.timers.set(RESET, now + self.config.reset_press);
        if self.use_key {
            self.outputs.push_back(ClientOutput::PowerKey(false));
            self.timers.set(KEY, now + self.config.key_press);
        }
    }

    fn pulse_ended(&mut self, now: Instant) {
        if self.timers.due(RESET).is_none() && self.timers.due(KEY).is_none() {
            self.probe(now, 0);
        }
    }

    fn probe(&mut self, now: Instant, tries: u32) {
        self.phase = Phase::Probe(tries);
        self.transmit(b"AT\r".to_vec());
        self.owe(now, Owed::Result, self.config.probe_period);
    }

    /// Calls a module that may have a prompt open or a line half read.
    ///
    /// Why: an open prompt takes everything as data, so the rest of what it may wait for is filled up with line
    /// ends, which mean nothing outside a prompt.
    fn resync(&mut self, now: Instant, then: Then) {
        self.settled();
        let filler = std::mem::take(&mut self.filler);
        if filler > 0 {
            self.transmit(vec![b'\r'; filler]);
        }
        self.wait(now, Phase::Resync(then, 0), self.config.settle);
    }

    fn step(&mut self, now: Instant, step: Step, tries: u32) {
        self.phase = Phase::Step(step, tries);
        match step {
            Step::Sim => self.sim_ready = false,
            Step::Registration => self.registered = false,
            _ => {}
        }
        self.transmit(step.line(&self.config, self.server));
        self.owe(now, Owed::Result, step.limit(&self.config));
    }

    fn next_step(&mut self, now: Instant, done: Step) {
        let next = match done {
            Step::Close => self.after_close,
            Step::Start => return self.connecting(now),
            _ => done.next(),
        };
        self.after_close = Step::Start;
        self.step(now, next, 0);
    }

    fn connecting(&mut self, now: Instant) {
        self.phase = Phase::Connecting;
        self.owed = Owed::Nothing;
        self.timers.set(COMMAND, now + self.config.connect_limit);
    }

    fn up(&mut self, now: Instant) {
        self.settled();
        self.phase = Phase::Up;
        self.outputs.push_back(ClientOutput::Up);
        self.send_next(now);
    }

    fn send_next(&mut self, now: Instant) {
        if self.phase != Phase::Up || self.owed != Owed::Nothing {
            return;
        }
        let Some(message) = self.queue.front() else { return };
        self.filler = message.len();
        let line = format!("AT+IPSEND={}\r", message.len());
        self.transmit(line.into_bytes());
        self.owe(now, Owed::Prompt, self.config.prompt_limit);
    }

    fn send_data(&mut self, now: Instant) {
        let Some(message) = self.queue.front() else { return };
        if self.echoes {
            self.hearing.expect_echo(message);
        }
        let message = message.clone();
        self.transmit(message);
        self.owe(now, Owed::SendResult, self.config.send_limit);
    }

    fn sent(&mut self, now: Instant) {
        self.settled();
        self.filler = 0;
        self.queue.pop_front();
        self.outputs.push_back(ClientOutput::Sent);
        self.send_next(now);
    }

    /// The connection is gone: says so, waits for what is owed, and goes on from `resume`.
    fn lose(&mut self, now: Instant, why: DownWhy, resume: Option<Step>) {
        let was_up = self.phase == Phase::Up;
        let mut failure = match why {
            DownWhy::SendFailed => SendFailure::Refused,
            DownWhy::Silent => SendFailure::TimedOut,
            _ => SendFailure::LinkLost,
        };
        while self.queue.pop_front().is_some() {
            self.outputs.push_back(ClientOutput::SendFailed { why: failure });
            failure = SendFailure::LinkLost;
        }
        if was_up {
            self.outputs.push_back(ClientOutput::Down { why });
        }
        self.resume = resume;
        if self.owed == Owed::Nothing {
            self.recover(now);
        } else {
            self.phase = Phase::Lost;
        }
    }

    /// Pauses before the next attempt.
    ///
    /// Source: MDM-H2.
    fn recover(&mut self, now: Instant) {
        self.settled();
        self.filler = 0;
        self.failures = self.failures.saturating_add(1);
        let doubled = 1_u64 << (self.failures - 1).min(32);
        let pause = match self.policy.reconnect {
            Reconnect::BackOff => (self.config.backoff_min * doubled).min(self.config.backoff_max),
            Reconnect::Immediately => Span::ZERO,
        };
        if self.failures.is_multiple_of(self.config.reset_after.max(1)) {
            self.resume = None;
        }
        self.wait(now, Phase::BackOff, pause);
    }

    fn phase_over(&mut self, now: Instant) {
        match self.phase {
            Phase::Settle(Then::Step(step, tries)) | Phase::Pause(step, tries) => self.step(now, step, tries),
            Phase::Settle(Then::Recover) => self.recover(now),
            Phase::Resync(..) => {
                self.transmit(b"AT\r".to_vec());
                self.owe(now, Owed::Result, self.config.resync_limit);
            }
            Phase::BackOff => match self.resume {
                Some(step) => {
                    self.after_close = Step::Start;
                    self.step(now, step, 0);
                }
                None => self.wake(now),
            },
            _ => {}
        }
    }

    /// The last command's time is over.
    fn overdue(&mut self, now: Instant) {
        let owed = std::mem::replace(&mut self.owed, Owed::Nothing);
        match (self.phase, owed) {
            (Phase::Probe(tries), _) if tries + 1 < self.config.probe_tries => self.probe(now, tries + 1),
            (Phase::Probe(_), _) => {
                self.use_key = true;
                self.give_up(now, "AT");
            }
            (Phase::Resync(then, tries), _) if tries + 1 < self.config.resync_tries => {
                self.wait(now, Phase::Resync(then, tries + 1), Span::ZERO);
            }
            (Phase::Resync(..), _) => self.give_up(now, "AT"),
            (Phase::Step(step, _), Owed::Result) if self.policy.pacing == Pacing::Eager => {
                self.next_step(now, step);
            }
            (Phase::Up, Owed::Prompt) if self.policy.pacing == Pacing::Eager => self.send_data(now),
            (Phase::Step(step, tries), _) if tries + 1 < self.config.step_tries => {
                self.resync(now, Then::Step(step, tries + 1));
            }
            (Phase::Step(step, _), _) => self.give_up(now, step.name()),
            (Phase::Connecting, _) => {
                self.resume = Some(Step::Close);
                self.recover(now);
            }
            (Phase::Up, _) => {
                self.owed = owed;
                self.lose(now, DownWhy::Silent, Some(Step::Close));
                self.resync(now, Then::Recover);
            }
            (Phase::Lost, _) => self.resync(now, Then::Recover),
            _ => {}
        }
    }

    /// Gives up what is being tried; the module is restarted after a pause.
    fn give_up(&mut self, now: Instant, step: &'static str) {
        self.outputs.push_back(ClientOutput::GaveUp { step });
        self.resume = None;
        self.recover(now);
    }

    fn listen(&mut self, now: Instant) {
        while let Some(heard) = self.hearing.poll() {
            match heard {
                Heard::Line(line) => self.line(now, &line),
                Heard::Prompt => self.prompt(now),
                Heard::Data(data) if self.phase == Phase::Up => {
                    self.failures = 0;
                    self.outputs.push_back(ClientOutput::Data(data));
                }
                Heard::Data(_) => {}
            }
        }
    }

    fn prompt(&mut self, now: Instant) {
        match (self.phase, self.owed) {
            (Phase::Up, Owed::Prompt) => self.send_data(now),
            (Phase::Lost, Owed::Prompt) => {
                // Nobody will read it, but the prompt must be filled before the module takes a command again.
                let filler = std::mem::take(&mut self.filler);
                self.transmit(vec![b'\r'; filler]);
                self.owe(now, Owed::SendResult, self.config.send_limit);
            }
            _ => {}
        }
    }

    fn line(&mut self, now: Instant, line: &[u8]) {
        let said = understand(line, &self.config);
        match said {
            Said::Echo => {
                self.echoes = true;
                if self.policy.echo == EchoHandling::ExpectsOff {
                    self.result(now, Said::Error);
                }
            }
            Said::Signal(rssi) => {
                self.signal = Some(rssi);
                self.outputs.push_back(ClientOutput::Signal(rssi));
            }
            Said::Registration(stat) => self.registered = matches!(stat, 1 | 5),
            Said::SimReady => self.sim_ready = true,
            Said::Booted if self.phase == Phase::Up => {
                self.settled();
                self.lose(now, DownWhy::Rebooted, None);
            }
            Said::Closed | Said::PdpLost => self.closed(now, said),
            Said::Booted | Said::Other => {}
            _ => self.result(now, said),
        }
    }

    fn closed(&mut self, now: Instant, said: Said) {
        if self.policy.closed == ClosedHandling::OnlyWhenIdle && self.owed != Owed::Nothing {
            return;
        }
        let (why, resume) = match said {
            Said::PdpLost => (DownWhy::PdpLost, Step::Echo),
            _ => (DownWhy::Closed, Step::Start),
        };
        match self.phase {
            Phase::Up => {
                if said == Said::Closed && self.owed == Owed::SendResult {
                    self.settled();
                }
                self.lose(now, why, Some(resume));
            }
            Phase::Lost if self.owed == Owed::SendResult && said == Said::Closed => self.recover(now),
            Phase::Connecting => {
                self.resume = Some(resume);
                self.recover(now);
            }
            _ => {}
        }
    }

    /// A result code.
    fn result(&mut self, now: Instant, said: Said) {
        match (self.phase, self.owed, said) {
            (Phase::Probe(_), Owed::Result, Said::Ok) => {
                self.settled();
                self.use_key = false;
                self.wait(now, Phase::Settle(Then::Step(Step::Echo, 0)), self.config.settle);
            }
            (Phase::Resync(then, _), Owed::Result, Said::Ok | Said::Error) => {
                self.settled();
                self.wait(now, Phase::Settle(then), self.config.settle);
            }
            (Phase::Step(Step::Start, _), Owed::Result, _) => self.started(now, said),
            (Phase::Step(step, tries), Owed::Result, Said::Ok | Said::Error) => {
                self.settled();
                self.step_result(now, step, tries, said == Said::Ok);
            }
            (Phase::Connecting, _, _) => self.started(now, said),
            (Phase::Up, Owed::SendResult, Said::SendOk) => self.sent(now),
            (Phase::Up, Owed::SendResult, Said::SendFail | Said::Error) => {
                self.settled();
                self.lose(now, DownWhy::SendFailed, Some(Step::Close));
            }
            (Phase::Up, Owed::Prompt, Said::Error) => {
                self.settled();
                self.lose(now, DownWhy::SendFailed, Some(Step::Close));
            }
            (Phase::Lost, Owed::Prompt | Owed::Result, Said::Error)
            | (Phase::Lost, Owed::SendResult, Said::SendOk | Said::SendFail | Said::Error) => {
                self.recover(now);
            }
            _ => {}
        }
    }

    fn step_result(&mut self, now: Instant, step: Step, tries: u32, is_ok: bool) {
        let tries_max =
            if step == Step::Registration { self.config.register_tries } else { self.config.step_tries };
        let is_done = match step {
            Step::Sim => is_ok && self.sim_ready,
            Step::Registration => is_ok && self.registered,
            Step::Close | Step::Signal => true,
            _ => is_ok,
        };
        if is_done {
            if step == Step::Echo && is_ok {
                self.echoes = false;
            }
            self.next_step(now, step);
        } else if tries + 1 >= tries_max {
            self.give_up(now, step.name());
        } else if step == Step::Single {
            // A connection from before our own restart holds the setting fast.
            self.after_close = step;
            self.step(now, Step::Close, tries + 1);
        } else {
            self.wait(now, Phase::Pause(step, tries + 1), self.config.step_pause);
        }
    }

    /// What became of the request for a connection.
    fn started(&mut self, now: Instant, said: Said) {
        match said {
            Said::Ok => self.next_step(now, Step::Start),
            Said::ConnectOk => self.up(now),
            Said::ConnectFail => {
                self.resume = Some(Step::Start);
                self.recover(now);
            }
            Said::AlreadyConnect => {
                self.resume = Some(Step::Close);
                self.recover(now);
            }
            Said::Error => {
                // The packet context may be gone: it is set up again from the start.
                self.resume = Some(Step::Echo);
                self.recover(now);
            }
            _ => {}
        }
    }
}
