//! A desk for a modem under test: hands on its UART, its pins and its network.

use assay_sim::fault::Way;
use assay_sim::machine::{Close, Port};
use assay_sim::modem::client::Fitted;
use assay_sim::modem::config::{Latency, ModuleConfig};
use assay_sim::modem::event::ModemStimulus;
use assay_sim::probe::ProbeStimulus;
use assay_sim::tape::{Entry, Seen};
use assay_sim::time::Span;
use assay_sim::water::party::{Event, Stimulus};
use assay_sim::water::plant::{CONNS_A_LINK, TERMINALS_FIRST};
use assay_sim::water::profile::Profile;
use assay_sim::water::terminal::port;

use super::expect::{DUE, Expectation, Given};
use super::words::Words;
use crate::stage::StageError;
use crate::water::Stage;

/// The desk's result.
pub(super) type Done<T = ()> = Result<T, StageError>;

/// A final result, whatever comes around it.
const OK: &str = "%aOK\r\n%a";

/// Test heads at both ends of the first modem.
pub(super) struct Desk<'a> {
    stage: &'a mut Stage,
    pub(super) profile: Profile,
    /// Whether the modem echoes, as it was told last.
    echo: bool,
    /// Connections that the modem has asked for.
    connects: u16,
    /// Whether the modem is none of the suite's: then nobody reaches its pins, or into it.
    real: bool,
}

impl<'a> Desk<'a> {
    /// Everything is switched on; the modem is not yet started by its key.
    pub(super) fn set_up(stage: &'a mut Stage) -> Self {
        stage.switch_on();
        let profile = stage.scene().profile.clone();
        let real = stage.is_head("modem-a");
        Self { stage, profile, echo: true, connects: 0, real }
    }

    /// The modem's own part of the profile.
    pub(super) fn module(&self) -> &ModuleConfig {
        self.profile.module()
    }

    /// The longest that an answer of this latency may take.
    pub(super) fn limit(&self, latency: Latency) -> Span {
        latency.max + self.module().final_gap + self.profile.bench.tolerance
    }

    /// The longest that bytes may take from one end of the network to the other.
    pub(super) fn net_limit(&self) -> Span {
        self.profile.gprs.latency_max + self.profile.bench.tolerance
    }

    /// The longest that a round trip may take.
    pub(super) fn round_trip(&self) -> Span {
        self.profile.gprs.latency_max * 2 + self.profile.bench.tolerance
    }

    /// The server's address and port, as a start command takes them.
    pub(super) fn server(&self) -> String {
        let address = self.profile.server.address;
        format!("\"TCP\",\"{}\",{}", address.ip(), address.port())
    }

    pub(super) fn wait(&mut self, span: Span) -> Done {
        self.stage.wait(span)
    }

    /// Holds the power key for a while.
    pub(super) fn press_key(&mut self, span: Span) -> Done {
        self.pull(port::PWRKEY, span)
    }

    /// Holds the reset pin for a while.
    pub(super) fn pull_reset(&mut self, span: Span) -> Done {
        self.pull(port::RESET, span)
    }

    /// Sets a SIM800A's DTR: high while its host lets it go.
    pub(super) fn dtr(&mut self, high: bool) -> Done {
        if self.real {
            let why = "the case moves the modem's DTR, to which a rig has no line";
            return Err(StageError::Unfit(why.to_owned()));
        }
        self.head(ProbeStimulus::Level(port::DTR, high))
    }

    fn pull(&mut self, pin: Port, span: Span) -> Done {
        if self.real {
            let why = "the case pulls the modem's power key or its reset pin, to which a rig has no line";
            return Err(StageError::Unfit(why.to_owned()));
        }
        self.head(ProbeStimulus::Level(pin, false))?;
        self.wait(span)?;
        self.head(ProbeStimulus::Level(pin, true))
    }

    /// Starts the modem by its key, where it does not start with its power, and waits until all that it could say of
    /// its start has passed.
    pub(super) fn start(&mut self) -> Done {
        let key_on = self.module().key_on;
        if !self.real {
            self.press_key(key_on + key_on.shortened(2))?;
        }
        self.await_start()?;
        self.setup("AT")
    }

    /// Waits out a start, to the last of the boot lines that the modem may have.
    pub(super) fn await_start(&mut self) -> Done {
        let module = self.module();
        let last_line = module.boot_lines.iter().map(|line| line.after).max().unwrap_or_default();
        let span = module.boot.max.max(last_line) + self.profile.bench.tolerance;
        self.echo = true;
        self.wait(span)
    }

    /// Started, echo off, registered, attached, with an active context: nothing of it is judged.
    pub(super) fn activate(&mut self) -> Done {
        self.start()?;
        self.echo_off()?;
        self.wait(self.module().register.max + self.profile.bench.tolerance)?;
        self.attach()
    }

    /// Attached, with an active context.
    pub(super) fn attach(&mut self) -> Done {
        let (attach, plain, activate) = {
            let module = self.module();
            (module.attach, module.plain, module.activate)
        };
        let commands: &[(&str, &str, Latency)] = match self.profile.fitted.module {
            Fitted::M6311 => &[
                ("AT+CGATT=1", OK, attach),
                ("AT+CGDCONT=1,\"IP\",\"CMNET\"", OK, plain),
                ("AT+CGACT=1,1", OK, activate),
            ],
            Fitted::Sim800a => &[
                ("AT+CGATT=1", OK, attach),
                ("AT+CSTT=\"CMNET\"", OK, plain),
                ("AT+CIICR", OK, activate),
                ("AT+CIFSR", "%a%d.%d.%d.%d\r\n%a", plain),
            ],
        };
        for (command, answer, latency) in commands {
            self.given(command, answer, self.limit(*latency))?;
        }
        Ok(())
    }

    /// Everything is ready for a transparent connection.
    pub(super) fn activate_transparent(&mut self) -> Done {
        let command = Words::of(&self.profile).transparent;
        match self.profile.fitted.module {
            Fitted::M6311 => {
                self.activate()?;
                self.setup(command)
            }
            Fitted::Sim800a => {
                // A SIM800A takes it before its context only.
                self.start()?;
                self.echo_off()?;
                self.wait(self.module().register.max + self.profile.bench.tolerance)?;
                self.setup(command)?;
                self.attach()
            }
        }
    }

    /// Frees an old connection, and makes everything ready for another.
    pub(super) fn free(&mut self) -> Done {
        match self.profile.fitted.module {
            Fitted::M6311 => {
                self.type_line("AT+IPCLOSE")?;
                self.wait(self.limit(self.module().close))
            }
            Fitted::Sim800a => {
                self.type_line("AT+CIPSHUT")?;
                self.wait(self.limit(self.profile.sim800a.dialect.shut))?;
                self.attach()
            }
        }
    }

    pub(super) fn echo_off(&mut self) -> Done {
        self.setup("ATE0")?;
        self.echo = false;
        Ok(())
    }

    pub(super) fn echo_on(&mut self) -> Done {
        self.setup("ATE1")?;
        self.echo = true;
        Ok(())
    }

    /// A command that the case stands on: its answer is not judged, but without it nothing else is.
    pub(super) fn setup(&mut self, command: &str) -> Done {
        self.given(command, OK, self.limit(self.module().plain))
    }

    fn given(&mut self, command: &str, pattern: &str, within: Span) -> Done {
        self.stage.remark(Given::modem(pattern).to_string());
        self.type_line(command)?;
        self.wait(within)?;
        self.due();
        Ok(())
    }

    /// A connection of which nothing is judged.
    pub(super) fn connect(&mut self) -> Done {
        let line = format!("{}={}", Words::of(&self.profile).start, self.server());
        self.opens();
        // In transparent mode there is no OK behind it.
        self.given(&line, "%aOK\r\n%aCONNECT%a", self.limit(self.module().plain) + self.round_trip())
    }

    /// Takes note that the modem asks for one more connection.
    pub(super) fn opens(&mut self) {
        self.connects += 1;
    }

    /// Sends a command line with its CR.
    pub(super) fn type_line(&mut self, line: &str) -> Done {
        self.type_in(format!("{line}\r").as_bytes())
    }

    /// Sends bytes as they are.
    pub(super) fn type_in(&mut self, bytes: &[u8]) -> Done {
        self.head(ProbeStimulus::Send(port::UART, bytes.to_vec()))
    }

    /// Announces bytes.
    pub(super) fn expect(&mut self, expected: &Expectation) {
        self.stage.remark(expected.to_string());
    }

    /// What was announced is due.
    pub(super) fn due(&mut self) {
        self.stage.remark(DUE);
    }

    /// Sends bytes and announces all that the modem says to them within a time.
    pub(super) fn exchange(
        &mut self,
        requirement: &'static str,
        bytes: &[u8],
        pattern: &str,
        within: Span,
    ) -> Done {
        self.expect(&Expectation::modem(requirement, pattern));
        self.type_in(bytes)?;
        self.wait(within)?;
        self.due();
        Ok(())
    }

    /// Sends a command and announces its lines, in words, after its echo if there is one.
    pub(super) fn ask(
        &mut self,
        requirement: &'static str,
        command: &str,
        lines: &[&str],
        within: Span,
    ) -> Done {
        let pattern = self.answer(command, lines);
        self.exchange(requirement, format!("{command}\r").as_bytes(), &pattern, within)
    }

    /// The answer to a command: the echo, and its lines in words.
    pub(super) fn answer(&self, command: &str, lines: &[&str]) -> String {
        let mut pattern = if self.echo { format!("{command}\r") } else { String::new() };
        for line in lines {
            pattern.push_str(&format!("\r\n{line}\r\n"));
        }
        pattern
    }

    /// The modem learns something, or suffers something.
    pub(super) fn modem(&mut self, stimulus: ModemStimulus) -> Done {
        if self.real {
            let why = format!("nobody outside can have a real modem suffer {stimulus:?}");
            return Err(StageError::Unfit(why));
        }
        self.stage.stimulate("modem-a", Stimulus::Modem(stimulus))
    }

    /// The server's test head sends over the connection opened last.
    pub(super) fn server_sends(&mut self, bytes: &[u8]) -> Done {
        self.server_sends_on(self.connects, bytes)
    }

    /// The server's test head sends over the connection that was opened as the `nth`, from 1.
    pub(super) fn server_sends_on(&mut self, nth: u16, bytes: &[u8]) -> Done {
        self.server_head(ProbeStimulus::Send(server_port(nth), bytes.to_vec()))
    }

    /// The server's test head ends the connection opened last.
    pub(super) fn server_closes(&mut self) -> Done {
        self.server_closes_on(self.connects)
    }

    /// The server's test head ends the connection that was opened as the `nth`, from 1.
    pub(super) fn server_closes_on(&mut self, nth: u16) -> Done {
        self.server_head(ProbeStimulus::Close(server_port(nth), Close::Fin))
    }

    /// Cuts a supply for a while.
    pub(super) fn cut_for(&mut self, supply: &str, off: Span) -> Done {
        self.stage.cut_for(supply, assay_sim::machine::Torn::Old, off)
    }

    /// Lets go of the power key without having pressed it, as a host does that has just started.
    pub(super) fn release_key(&mut self) -> Done {
        self.head(ProbeStimulus::Level(port::PWRKEY, true))
    }

    /// Waits until the modem begins to send something that contains these bytes; whether it did.
    pub(super) fn sends(&mut self, part: &[u8], within: Span) -> Done<bool> {
        let uart = self.stage.scene().terminals[0].uart;
        let sends = |entry: &Entry<Event>| {
            matches!(&entry.what, Seen::Sent { line, way: Way::BtoA, bytes, .. }
                if *line == uart && bytes.windows(part.len()).any(|window| window == part))
        };
        self.stage.wait_for(within, &sends)
    }

    fn head(&mut self, stimulus: ProbeStimulus) -> Done {
        self.stage.stimulate("terminal-a", Stimulus::Probe(stimulus))
    }

    fn server_head(&mut self, stimulus: ProbeStimulus) -> Done {
        self.stage.stimulate("server", Stimulus::Probe(stimulus))
    }
}

/// The port of the server's test head for the `nth` connection over the first modem's link.
fn server_port(nth: u16) -> Port {
    Port(TERMINALS_FIRST + nth.saturating_sub(1) % CONNS_A_LINK)
}
