//! The host's side: what firmware does to keep one connection standing over an AT module.
//!
//! The client is a part of its firmware and not a party: it is told bytes and time, and says what to send, which
//! pin to move, and what became of the connection. It never gives up for good. Whatever it loses track of, it first
//! calls the module until it answers, then opens the connection anew, and after some failures restarts the module.
//!
//! Source: MDM-H1, MDM-H2, MDM-H3, MDM-H4.

mod answers;
mod config;
mod course;
mod hearing;
mod report;
mod steps;

use std::collections::VecDeque;
use std::net::SocketAddrV4;

pub use self::config::{
    ClientConfig, ClientPolicy, ClosedHandling, CommandTimeout, DataReading, EchoHandling, Fitted, Pacing,
    Reconnect,
};
use self::hearing::Hearing;
pub use self::report::{ClientOutput, DownWhy, NotReady, SendFailure};
use self::steps::Step;
use crate::digest::Digest;
use crate::time::{Instant, Span};
use crate::timers::Timers;

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
    /// How many commands ran out of time since the module was in step last: their answers may still come.
    outstanding: u32,
    /// Something has answered the last call, be it late and meant for another command.
    answered: bool,
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
            hearing: Hearing::new(policy.data, &config),
            use_key: config.module.starts_by_key(),
            config,
            policy,
            server,
            phase: Phase::Stopped,
            owed: Owed::Nothing,
            filler: 0,
            outstanding: 0,
            answered: false,
            timers: Timers::default(),
            queue: VecDeque::new(),
            outputs: VecDeque::new(),
            failures: 0,
            resume: None,
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

    /// Every deadline that is set.
    pub fn each_deadline(&self, tell: &mut dyn FnMut(Instant)) {
        self.timers.each(tell);
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

    /// Initialises the module anew, and tells its reception on the way. The connection goes with it.
    pub fn renew(&mut self, now: Instant) {
        if self.phase == Phase::Up {
            self.lose(now, DownWhy::Requested, Some(Step::Echo));
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
        into.word(self.outstanding.into()).flag(self.answered);
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
}
