//! How a module is switched on and off: supply, power key, reset pin, and what it says while it starts.

use crate::digest::Digest;
use crate::machine::{Close, Port};
use crate::modem::core::{BOOT, KEY, REGISTER, RESETTING, SAY};
use crate::modem::dialect::Dialect;
use crate::modem::engine::Modem;
use crate::modem::event::ModemEvent;
use crate::modem::port::{PWRKEY, RESET, STATUS};
use crate::time::Instant;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Off,
    Starting,
    Running,
    /// Switched on, and kept from starting by the reset pin.
    InReset,
}

/// Supply, pins, and how far the start has come.
///
/// Why: the pins are the host's, so their levels outlive the module's own supply.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Power {
    supplied: bool,
    state: State,
    key_held: bool,
    reset_low: bool,
    started: Instant,
    said: usize,
}

impl Power {
    pub(super) fn is_running(&self) -> bool {
        self.state == State::Running
    }

    pub(super) fn is_supplied(&self) -> bool {
        self.supplied
    }

    pub(super) fn cut(&mut self) {
        self.supplied = false;
        self.state = State::Off;
    }

    pub(super) fn digest(&self, into: &mut Digest) {
        into.flag(self.supplied).word(self.state as u64).flag(self.key_held).flag(self.reset_low);
        if self.state == State::Starting || self.state == State::Running {
            into.word(self.said as u64);
        }
        if self.state == State::Starting {
            into.age(self.started);
        }
    }
}

impl<D: Dialect> Modem<D> {
    pub(super) fn power_on(&mut self) {
        let core = &mut self.core;
        core.power.supplied = true;
        core.level(STATUS, false);
        if core.config.auto_on {
            self.switch_on();
        } else if core.power.key_held {
            core.timers.set(KEY, core.now + core.config.key_on);
        }
    }

    pub(super) fn pin(&mut self, port: Port, high: bool) {
        let core = &mut self.core;
        match port {
            PWRKEY if core.power.key_held == high => {
                core.power.key_held = !high;
                let hold =
                    if core.power.state == State::Off { core.config.key_on } else { core.config.key_off };
                if high || !core.power.supplied {
                    core.timers.stop(KEY);
                } else {
                    core.timers.set(KEY, core.now + hold);
                }
            }
            RESET if core.power.reset_low == high => {
                core.power.reset_low = !high;
                if !high {
                    core.timers.set(RESETTING, core.now + core.config.reset_low);
                } else {
                    core.timers.stop(RESETTING);
                    if core.power.state == State::InReset {
                        self.start();
                    }
                }
            }
            _ => {}
        }
    }

    pub(super) fn power_timer(&mut self, timer: usize) {
        match timer {
            KEY if self.core.power.state == State::Off => self.switch_on(),
            KEY => {
                if let Some(text) = self.dialect.farewell().filter(|_| self.core.power.is_running()) {
                    self.core.say(text.as_bytes());
                }
                self.switch_off();
                let core = &mut self.core;
                if let Some(again) = core.config.key_again {
                    core.timers.set(KEY, core.now + (again - core.config.key_off));
                }
            }
            RESETTING if self.core.power.state != State::Off => {
                self.halt(Close::Reset);
                self.core.power.state = State::InReset;
            }
            BOOT => self.booted(),
            SAY => self.say_boot_line(),
            REGISTER if self.core.radio.sim => self.registration(1),
            _ => {}
        }
    }

    fn switch_on(&mut self) {
        self.core.note(ModemEvent::SwitchedOn);
        self.core.level(STATUS, true);
        self.start();
    }

    /// Stops and starts at once, as a command can ask for.
    pub(super) fn start_anew(&mut self) {
        self.halt(Close::Reset);
        self.start();
    }

    pub(super) fn switch_off(&mut self) {
        self.halt(Close::Fin);
        self.core.power.state = State::Off;
        self.core.level(STATUS, false);
        self.core.note(ModemEvent::SwitchedOff);
    }

    fn halt(&mut self, how: Close) {
        self.core.close_all(how);
        self.core.restart();
        self.dialect.restart();
    }

    fn start(&mut self) {
        let core = &mut self.core;
        core.restart();
        core.power.state = State::Starting;
        core.power.started = core.now;
        core.power.said = 0;
        let ready = core.draw(core.config.boot);
        core.timers.set(BOOT, ready);
        self.dialect.restart();
        self.dialect.recall(&mut self.core);
    }

    fn booted(&mut self) {
        let core = &mut self.core;
        core.power.state = State::Running;
        core.note(ModemEvent::Booted);
        let registered = core.draw(core.config.register);
        core.timers.set(REGISTER, registered);
        self.plan_boot_line();
    }

    fn plan_boot_line(&mut self) {
        let core = &mut self.core;
        if let Some(line) = core.config.boot_lines.get(core.power.said) {
            let due = (core.power.started + line.after).max(core.now);
            core.timers.set(SAY, due);
        }
    }

    fn say_boot_line(&mut self) {
        let core = &mut self.core;
        if let Some(line) = core.config.boot_lines.get(core.power.said) {
            if core.rate_known || !line.needs_rate {
                let text = line.text.clone();
                core.say(text.as_bytes());
            }
            core.power.said += 1;
        }
        self.plan_boot_line();
    }
}
