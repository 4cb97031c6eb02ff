//! What a client makes of each thing that its module says.

use crate::modem::client::config::{ClosedHandling, EchoHandling, Fitted};
use crate::modem::client::hearing::Heard;
use crate::modem::client::report::{ClientOutput, DownWhy};
use crate::modem::client::steps::{Said, Step, understand};
use crate::modem::client::{Client, Owed, Phase, Then};
use crate::time::Instant;

impl Client {
    pub(super) fn listen(&mut self, now: Instant) {
        while let Some(heard) = self.hearing.poll() {
            match heard {
                Heard::Line(line) => self.line(now, &line),
                Heard::Prompt => self.prompt(now),
                Heard::Data(data) if self.phase == Phase::Up => {
                    self.failures = 0;
                    self.outputs.push_back(ClientOutput::Data(data));
                }
                Heard::Unannounced if self.phase == Phase::Up => {
                    self.settled();
                    self.lose(now, DownWhy::Unannounced, None);
                }
                Heard::Data(_) | Heard::Unannounced => {}
            }
        }
    }

    pub(super) fn prompt(&mut self, now: Instant) {
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

    pub(super) fn line(&mut self, now: Instant, line: &[u8]) {
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

    pub(super) fn closed(&mut self, now: Instant, said: Said) {
        if self.policy.closed == ClosedHandling::OnlyWhenIdle && self.owed != Owed::Nothing {
            return;
        }
        let (why, resume) = match said {
            Said::PdpLost => (DownWhy::PdpLost, Step::Echo),
            _ => (DownWhy::Closed, Step::again(self.config.module)),
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
    pub(super) fn result(&mut self, now: Instant, said: Said) {
        match (self.phase, self.owed, said) {
            (Phase::Probe(_), Owed::Result, Said::Ok)
            | (Phase::Resync(..), Owed::Result, Said::Ok | Said::Error)
                if self.outstanding > 0 =>
            {
                // It may be the answer to a command given up before: this call may still be under way.
                self.outstanding -= 1;
                self.answered = true;
            }
            (Phase::Probe(_), Owed::Result, Said::Ok) => {
                self.settled();
                self.in_step();
                self.use_key = false;
                self.wait(now, Phase::Settle(Then::Step(Step::Echo, 0)), self.config.settle);
            }
            (Phase::Resync(then, _), Owed::Result, Said::Ok | Said::Error) => {
                self.settled();
                self.in_step();
                self.wait(now, Phase::Settle(then), self.config.settle);
            }
            (Phase::Step(Step::Start, _), Owed::Result, _) => self.started(now, said),
            (Phase::Step(step, tries), Owed::Result, _) => {
                if let Some(is_ok) = step.outcome(self.config.module, said) {
                    self.settled();
                    self.step_result(now, step, tries, is_ok);
                }
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

    pub(super) fn step_result(&mut self, now: Instant, step: Step, tries: u32, is_ok: bool) {
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
            self.next_step(now, step, tries);
        } else if tries + 1 >= tries_max {
            self.give_up(now, step.name(self.config.module));
        } else if step == Step::Single && self.config.module == Fitted::M6311 {
            // A connection from before our own restart holds the setting fast.
            self.after_close = step;
            self.step(now, Step::Close, tries + 1);
        } else {
            self.wait(now, Phase::Pause(step, tries + 1), self.config.step_pause);
        }
    }

    /// What became of the request for a connection.
    pub(super) fn started(&mut self, now: Instant, said: Said) {
        match said {
            Said::Ok => self.next_step(now, Step::Start, 0),
            Said::ConnectOk => self.up(now),
            Said::ConnectFail => {
                self.resume = Some(Step::again(self.config.module));
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
