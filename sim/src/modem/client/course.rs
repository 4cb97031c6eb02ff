//! The way to a connection and back to it: pins, calls, commands in order, pauses.

use crate::modem::client::config::{Fitted, Pacing, Reconnect};
use crate::modem::client::report::{ClientOutput, DownWhy, SendFailure};
use crate::modem::client::steps::Step;
use crate::modem::client::{COMMAND, Client, KEY, Owed, Phase, RESET, Then};
use crate::time::{Instant, Span};

impl Client {
    /// Takes the module by its pins.
    pub(super) fn wake(&mut self, now: Instant) {
        self.timers.stop_all();
        self.hearing.forget();
        self.owed = Owed::Nothing;
        self.filler = 0;
        self.outstanding = self.outstanding.min(1);
        self.echoes = true;
        self.phase = Phase::Pulse;
        self.outputs.push_back(ClientOutput::Reset(false));
        self.timers.set(RESET, now + self.config.reset_press);
        if self.use_key {
            self.outputs.push_back(ClientOutput::PowerKey(false));
            self.timers.set(KEY, now + self.config.key_press);
        }
    }

    pub(super) fn pulse_ended(&mut self, now: Instant) {
        if self.timers.due(RESET).is_none() && self.timers.due(KEY).is_none() {
            self.probe(now, 0);
        }
    }

    pub(super) fn probe(&mut self, now: Instant, tries: u32) {
        self.phase = Phase::Probe(tries);
        self.call(now, self.config.probe_period);
    }

    fn call(&mut self, now: Instant, limit: Span) {
        self.answered = false;
        self.transmit(b"AT\r".to_vec());
        self.owe(now, Owed::Result, limit);
    }

    /// Calls a module that may have a prompt open or a line half read.
    ///
    /// Why: an open prompt takes everything as data, so the rest of what it may wait for is filled up with line
    /// ends, which mean nothing outside a prompt.
    pub(super) fn resync(&mut self, now: Instant, then: Then) {
        self.settled();
        let filler = std::mem::take(&mut self.filler);
        if filler > 0 {
            self.transmit(vec![b'\r'; filler]);
        }
        self.wait(now, Phase::Resync(then, 0), self.config.settle);
    }

    pub(super) fn step(&mut self, now: Instant, step: Step, tries: u32) {
        self.phase = Phase::Step(step, tries);
        match step {
            Step::Sim => self.sim_ready = false,
            Step::Registration => self.registered = false,
            _ => {}
        }
        self.transmit(step.line(&self.config, self.server));
        self.owe(now, Owed::Result, step.limit(&self.config));
    }

    /// A step is done, after so many failed tries.
    pub(super) fn next_step(&mut self, now: Instant, done: Step, tries: u32) {
        let next = match done {
            Step::Close if self.config.module == Fitted::M6311 => self.after_close,
            Step::Start => return self.connecting(now),
            _ => done.next(self.config.module),
        };
        // A step that is tried again after a close goes on counting: a module may always refuse it.
        let tries = if done == Step::Close && next == Step::Single { tries } else { 0 };
        self.after_close = Step::Start;
        self.step(now, next, tries);
    }

    pub(super) fn connecting(&mut self, now: Instant) {
        self.phase = Phase::Connecting;
        self.owed = Owed::Nothing;
        self.timers.set(COMMAND, now + self.config.connect_limit);
    }

    pub(super) fn up(&mut self, now: Instant) {
        self.settled();
        self.phase = Phase::Up;
        self.outputs.push_back(ClientOutput::Up);
        self.send_next(now);
    }

    pub(super) fn send_next(&mut self, now: Instant) {
        if self.phase != Phase::Up || self.owed != Owed::Nothing {
            return;
        }
        let Some(message) = self.queue.front() else { return };
        self.filler = message.len();
        let line = format!("{}={}\r", self.config.module.send_command(), message.len());
        self.transmit(line.into_bytes());
        self.owe(now, Owed::Prompt, self.config.prompt_limit);
    }

    pub(super) fn send_data(&mut self, now: Instant) {
        let Some(message) = self.queue.front() else { return };
        if self.echoes {
            self.hearing.expect_echo(message);
        }
        let message = message.clone();
        self.transmit(message);
        self.owe(now, Owed::SendResult, self.config.send_limit);
    }

    pub(super) fn sent(&mut self, now: Instant) {
        self.settled();
        self.filler = 0;
        self.queue.pop_front();
        self.outputs.push_back(ClientOutput::Sent);
        self.send_next(now);
    }

    /// The connection is gone: says so, waits for what is owed, and goes on from `resume`.
    pub(super) fn lose(&mut self, now: Instant, why: DownWhy, resume: Option<Step>) {
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
    pub(super) fn recover(&mut self, now: Instant) {
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

    pub(super) fn phase_over(&mut self, now: Instant) {
        match self.phase {
            Phase::Settle(Then::Step(step, tries)) | Phase::Pause(step, tries) => self.step(now, step, tries),
            Phase::Settle(Then::Recover) => self.recover(now),
            Phase::Resync(..) => self.call(now, self.config.resync_limit),
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
    pub(super) fn overdue(&mut self, now: Instant) {
        let owed = std::mem::replace(&mut self.owed, Owed::Nothing);
        if self.answered_late(now) {
            return;
        }
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
                self.next_step(now, step, 0);
            }
            (Phase::Up, Owed::Prompt) if self.policy.pacing == Pacing::Eager => self.send_data(now),
            (Phase::Step(step, tries), _) if tries + 1 < self.config.step_tries => {
                self.resync(now, Then::Step(step, tries + 1));
            }
            (Phase::Step(step, _), _) => self.give_up(now, step.name(self.config.module)),
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

    /// The time of a call is over, so it is free to speak: goes on if the module has answered anything meanwhile.
    ///
    /// Why: an answer that was given up and comes after all reads like that to the call. Whoever took it for that
    /// would send the next command while the module is still at the call.
    ///
    /// Source: MDM-H4.
    fn answered_late(&mut self, now: Instant) -> bool {
        let then = match self.phase {
            Phase::Probe(_) if self.answered => Then::Step(Step::Echo, 0),
            Phase::Resync(then, _) if self.answered => then,
            Phase::Connecting => return false,
            _ if self.policy.pacing == Pacing::Eager => return false,
            _ => {
                self.outstanding = self.outstanding.saturating_add(1);
                return false;
            }
        };
        if matches!(self.phase, Phase::Probe(_)) {
            self.use_key = false;
        }
        self.in_step();
        match then {
            Then::Step(step, tries) => self.step(now, step, tries),
            Then::Recover => self.recover(now),
        }
        true
    }

    /// Nothing that was given up can be answered any more.
    pub(super) fn in_step(&mut self) {
        self.outstanding = 0;
        self.answered = false;
    }

    /// Gives up what is being tried; the module is restarted after a pause.
    pub(super) fn give_up(&mut self, now: Instant, step: &'static str) {
        self.outputs.push_back(ClientOutput::GaveUp { step });
        self.resume = None;
        self.recover(now);
    }
}
