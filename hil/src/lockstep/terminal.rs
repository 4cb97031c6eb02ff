//! A program in a water terminal's seat: the board around it, with the 24C02, the modem driver and the card reader.
//!
//! The program has these ports: `tcp` is the connection that the modem driver keeps, `voice` and `display` are their
//! lines. Its storage is the 24C02, and its text port stands for card, voice and display.

use std::collections::VecDeque;
use std::fmt;
use std::net::SocketAddrV4;
use std::sync::Arc;

use assay_sim::digest::Digest;
use assay_sim::eeprom::{Bus, CAPACITY, Chip, Eeprom24c02};
use assay_sim::machine::{Board, Input, Machine, Output, Port, Stamped, StoreStep, Torn};
use assay_sim::modem::client::{Client, ClientOutput};
use assay_sim::time::{Instant, Now};
use assay_sim::water::desk::{Ask, Desk, Radio};
use assay_sim::water::profile::Profile;
use assay_sim::water::terminal::vendor::{Trouble, VendorBoard};
use assay_sim::water::terminal::{TerminalStimulus, port};

use super::Lockstep;
use super::breach::{Breach, quoted};
use super::line::{BadLine, Said, Told};
use super::session::Session;

/// The connection's port.
const TCP: &str = "tcp";
/// The other ports, each with its line.
const PARTS: [(&str, Port); 2] = [("voice", port::VOICE), ("display", port::DISPLAY)];

/// A terminal's board with a program on it.
#[derive(Clone, Debug)]
pub struct LockstepTerminal {
    lockstep: Lockstep,
    profile: Arc<Profile>,
    chip: Chip,
    on: bool,
    running: Option<Box<Running>>,
    /// What ended the program's part in this run.
    trouble: Option<(Breach, String)>,
    out: VecDeque<Stamped<Output<LockstepEvent>>>,
}

/// What is on the board while there is power.
#[derive(Clone, Debug)]
struct Running {
    session: Session,
    modem: Option<Client>,
    desk: Desk,
    /// What the program is to be told, in this order.
    told: VecDeque<Told>,
    /// Until when the program waits.
    deadline: Option<Instant>,
    /// When the storage will have done what it was asked for.
    nv_until: Option<Instant>,
    /// How far the device's clock is from the bench's.
    ///
    /// Units: microseconds.
    wall_off: i64,
}

/// What is noted of a program: its own words, or how it broke the contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LockstepEvent {
    /// A line of the text port that nothing in the seat acts on.
    Line(String),
    /// Bytes that it sent without a connection, or that the modem driver has no room for.
    NotSent(usize),
    /// Its storage does not answer.
    StorageSilent,
    /// It has broken the contract, and says nothing more in this run.
    Breach(Breach),
}

impl fmt::Display for LockstepEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => f.write_str(line),
            Self::NotSent(len) => write!(f, "{len} bytes not sent: the connection does not take them"),
            Self::StorageSilent => f.write_str("the storage does not answer"),
            Self::Breach(breach) => write!(f, "lockstep contract broken: {breach}"),
        }
    }
}

impl LockstepTerminal {
    /// A terminal as the installer leaves it, without power.
    pub fn new(lockstep: Lockstep, profile: &Profile, chip: Chip) -> Self {
        Self {
            lockstep,
            profile: Arc::new(profile.clone()),
            chip,
            on: false,
            running: None,
            trouble: None,
            out: VecDeque::new(),
        }
    }

    fn boot(&mut self, now: Now) {
        if self.trouble.is_some() {
            return;
        }
        match Session::start(&self.lockstep) {
            Ok(session) => {
                let start = Told::Start { wall: now.wall, nv: self.stored(now.mono) };
                self.running = Some(Box::new(Running {
                    session,
                    modem: None,
                    desk: Desk::new(self.profile.reader.clone()),
                    told: VecDeque::from([start]),
                    deadline: None,
                    nv_until: None,
                    wall_off: wall_off(now),
                }));
            }
            Err(breach) => self.break_off(now.mono, breach, String::new()),
        }
    }

    /// What the program finds in its storage; nothing if that does not answer.
    fn stored(&mut self, at: Instant) -> Vec<u8> {
        let mut bytes = vec![0; CAPACITY];
        let mut driver = Eeprom24c02::new(Bus::new(&mut self.chip, at), self.profile.eeprom.driver);
        if driver.read(0, &mut bytes).is_err() {
            bytes.clear();
        }
        bytes
    }

    fn break_off(&mut self, at: Instant, breach: Breach, words: String) {
        self.running = None;
        self.emit(at, Output::Event(LockstepEvent::Breach(breach.clone())));
        self.trouble = Some((breach, words));
    }

    fn take_input(&mut self, now: Now, input: Input<'_, TerminalStimulus>) {
        let Some(running) = &mut self.running else { return };
        running.look_at_clock(now);
        let at = now.mono;
        match input {
            Input::Received { port: port::UART, bytes } => {
                if let Some(modem) = &mut running.modem {
                    modem.handle_bytes(at, bytes);
                }
            }
            Input::Received { port: port::RF, bytes } => running.desk.handle_edges(at, bytes),
            Input::Received { port, bytes } => {
                if let Some((name, _)) = PARTS.iter().find(|(_, known)| *known == port) {
                    running.told.push_back(Told::Rx { port: name, bytes: bytes.to_vec() });
                }
            }
            Input::Level { port: port::SLOT, high } => running.desk.handle_presence(at, high),
            Input::Deadline => running.time_is_up(at),
            Input::PowerOn
            | Input::Level { .. }
            | Input::Opened { .. }
            | Input::Closed { .. }
            | Input::Acked { .. } => {}
            Input::Stimulus(never) => match never {},
        }
    }

    /// Lets the program take its turns, until nobody has anything more to tell it.
    fn step(&mut self, now: Now, input_is_deadline: bool) {
        let at = now.mono;
        let mut due = input_is_deadline;
        while let Some(mut running) = self.running.take() {
            self.collect(at, &mut running);
            if running.told.is_empty()
                && std::mem::take(&mut due)
                && running.deadline.is_some_and(|by| by <= at)
            {
                running.told.push_back(Told::Deadline);
            }
            let Some(told) = running.told.pop_front() else {
                if running.nv_until.is_none() {
                    running.desk.rest(at);
                    self.collect(at, &mut running);
                }
                self.running = Some(running);
                return;
            };
            match running.session.turn(at, &told) {
                Ok(turn) => match self.carry_out(at, &mut running, turn.said) {
                    Ok(()) => self.running = Some(running),
                    Err(breach) => self.break_off(at, breach, String::new()),
                },
                Err((breach, words)) => self.break_off(at, breach, words),
            }
        }
    }

    /// Passes on what modem driver and card reader want, and notes what they have for the program.
    fn collect(&mut self, at: Instant, running: &mut Running) {
        while let Some(output) = running.modem.as_mut().and_then(Client::poll_output) {
            match output {
                ClientOutput::Transmit(bytes) => self.emit(at, Output::Transmit { port: port::UART, bytes }),
                ClientOutput::PowerKey(high) => self.emit(at, Output::Level { port: port::PWRKEY, high }),
                ClientOutput::Reset(high) => self.emit(at, Output::Level { port: port::RESET, high }),
                ClientOutput::Up => running.told.push_back(Told::Link { port: TCP, up: true }),
                ClientOutput::Down { .. } => running.told.push_back(Told::Link { port: TCP, up: false }),
                ClientOutput::Data(bytes) => running.told.push_back(Told::Rx { port: TCP, bytes }),
                ClientOutput::Signal(rssi) => running.told.push_back(Told::Text(format!("signal {rssi}"))),
                ClientOutput::Sent | ClientOutput::SendFailed { .. } | ClientOutput::GaveUp { .. } => {}
            }
        }
        while let Some(radio) = running.desk.poll_radio(at) {
            self.emit(
                at,
                match radio {
                    Radio::Field(high) => Output::Level { port: port::RF, high },
                    Radio::Burst(bytes) => Output::Transmit { port: port::RF, bytes },
                },
            );
        }
        running.told.extend(std::iter::from_fn(|| running.desk.poll_answer()).map(Told::Text));
    }

    fn carry_out(&mut self, at: Instant, running: &mut Running, said: Vec<Said>) -> Result<(), Breach> {
        for said in said {
            match said {
                Said::Tx { port, bytes } => self.send(at, running, &port, bytes)?,
                Said::Text(line) => self.hear_line(at, running, line),
                Said::NvWrite { addr, bytes } => self.store(at, running, addr, &bytes)?,
                Said::Link { port, to } if port == TCP => running.link(at, to.as_deref(), &self.profile)?,
                Said::Link { port, .. } => return Err(no_such_port(&port)),
                Said::Wait(span) => running.deadline = span.map(|span| at + span),
            }
        }
        Ok(())
    }

    fn send(&mut self, at: Instant, running: &mut Running, port: &str, bytes: Vec<u8>) -> Result<(), Breach> {
        if let Some((_, port)) = PARTS.into_iter().find(|(name, _)| *name == port) {
            self.emit(at, Output::Transmit { port, bytes });
            return Ok(());
        }
        if port != TCP {
            return Err(no_such_port(port));
        }
        if running.modem.as_mut().is_none_or(|modem| modem.send(at, &bytes).is_err()) {
            self.emit(at, Output::Event(LockstepEvent::NotSent(bytes.len())));
        }
        Ok(())
    }

    fn hear_line(&mut self, at: Instant, running: &mut Running, line: String) {
        if let Some(ask) = Ask::parse(&line) {
            running.desk.handle_ask(at, ask);
        } else if let Some(text) = line.strip_prefix("say ") {
            self.emit(at, Output::Transmit { port: port::VOICE, bytes: format!("{text}\n").into_bytes() });
        } else if let Some(text) = line.strip_prefix("show ") {
            self.emit(at, Output::Transmit { port: port::DISPLAY, bytes: format!("{text}\n").into_bytes() });
        } else if let ("signal", Some(modem)) = (line.as_str(), &mut running.modem) {
            modem.renew(at);
        } else {
            self.emit(at, Output::Event(LockstepEvent::Line(line)));
        }
    }

    /// Has bytes stored, behind what the chip is already at.
    fn store(&mut self, at: Instant, running: &mut Running, addr: u64, bytes: &[u8]) -> Result<(), Breach> {
        let fits = usize::try_from(addr).is_ok_and(|addr| addr.saturating_add(bytes.len()) <= CAPACITY);
        let (true, Ok(cell)) = (fits, u8::try_from(addr)) else {
            let line = format!("nv_write of {} bytes at {addr}", bytes.len());
            return Err(
                BadLine { line, expected: format!("the storage has bytes 0 to {}", CAPACITY - 1) }.into()
            );
        };
        let from = running.nv_until.unwrap_or(at).max(at);
        let ahead = self.lockstep.program().limits.nv_ahead_max;
        if from.since(at) > ahead {
            return Err(Breach::StorageAhead(ahead));
        }
        let mut driver = Eeprom24c02::new(Bus::new(&mut self.chip, from), self.profile.eeprom.driver);
        if driver.write(cell, bytes).is_ok() {
            running.nv_until = Some(driver.i2c().at());
        } else {
            self.emit(at, Output::Event(LockstepEvent::StorageSilent));
        }
        Ok(())
    }

    fn emit(&mut self, at: Instant, what: Output<LockstepEvent>) {
        self.out.push_back(Stamped { at, what });
    }
}

impl Running {
    /// A clock that was stepped is told before anything else.
    fn look_at_clock(&mut self, now: Now) {
        let off = wall_off(now);
        if off != self.wall_off {
            self.wall_off = off;
            self.told.push_back(Told::Wall(now.wall));
        }
    }

    fn time_is_up(&mut self, at: Instant) {
        if let Some(modem) = &mut self.modem
            && modem.poll_timeout().is_some_and(|by| by <= at)
        {
            modem.handle_deadline(at);
        }
        self.desk.handle_deadline(at);
        if self.nv_until.is_some_and(|by| by <= at) {
            self.nv_until = None;
            self.told.push_back(Told::NvDone);
        }
    }

    /// The program wants a connection, or hangs up the one that there is.
    fn link(&mut self, at: Instant, to: Option<&str>, profile: &Profile) -> Result<(), Breach> {
        let Some(to) = to else {
            if let Some(modem) = &mut self.modem {
                modem.reset_network(at);
            }
            return Ok(());
        };
        let server: SocketAddrV4 = to.parse().map_err(|_| BadLine {
            line: to.to_owned(),
            expected: "a link leads to an address such as 10.0.0.2:7000".to_owned(),
        })?;
        match &mut self.modem {
            Some(modem) => {
                modem.set_server(server);
                modem.reset_network(at);
            }
            None => self.modem.insert(Client::new(profile.host.clone(), server)).start(at),
        }
        Ok(())
    }

    fn modem_deadline(&self) -> Option<Instant> {
        self.modem.as_ref().and_then(Client::poll_timeout)
    }

    fn next(&self) -> Option<Instant> {
        let own = [self.deadline, self.nv_until, self.desk.poll_timeout(), self.modem_deadline()];
        own.into_iter().flatten().min()
    }
}

/// How far the device's clock is from the bench's.
fn wall_off(now: Now) -> i64 {
    now.wall.as_us().wrapping_sub(now.mono.as_us().cast_signed())
}

fn no_such_port(name: &str) -> Breach {
    let expected = format!("the seat has the ports `{TCP}`, `{}` and `{}`", PARTS[0].0, PARTS[1].0);
    BadLine { line: name.to_owned(), expected }.into()
}

impl Machine for LockstepTerminal {
    type Stimulus = TerminalStimulus;
    type Event = LockstepEvent;

    fn handle_input(&mut self, now: Now, input: Input<'_, TerminalStimulus>) {
        self.chip.settle(now.mono);
        let deadline = input == Input::Deadline;
        if input == Input::PowerOn {
            self.on = true;
            self.boot(now);
        } else {
            self.take_input(now, input);
        }
        self.step(now, deadline);
    }

    fn poll_output(&mut self) -> Option<Stamped<Output<LockstepEvent>>> {
        self.out.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.running.as_ref()?.next()
    }

    fn digest(&self, now: Instant, into: &mut Digest) {
        self.chip.digest(now, into);
        into.flag(self.on).flag(self.trouble.is_some()).word(self.out.len() as u64);
        let Some(running) = &self.running else { return };
        running.session.digest(into);
        running.desk.digest(into);
        into.deadline(running.deadline).deadline(running.nv_until).word(running.told.len() as u64);
        into.word(running.wall_off.cast_unsigned());
        if let Some(modem) = &running.modem {
            modem.digest(into);
        }
    }
}

impl Board for LockstepTerminal {
    fn cut(&mut self, at: Instant, torn: Torn) {
        self.on = false;
        self.running = None;
        self.out.clear();
        self.chip.cut(at, torn);
    }

    fn is_on(&self) -> bool {
        self.on
    }

    fn poll_step(&mut self) -> Option<StoreStep> {
        self.chip.poll_step()
    }

    fn timer_name(&self) -> Option<&'static str> {
        let running = self.running.as_ref()?;
        let next = running.next();
        if running.deadline == next {
            Some("timer:program")
        } else if running.nv_until == next {
            Some("timer:storage")
        } else if running.desk.poll_timeout() == next {
            Some("timer:reader")
        } else {
            running.modem.as_ref().and_then(Client::timer_name)
        }
    }

    fn each_deadline(&self, tell: &mut dyn FnMut(Instant)) {
        let Some(running) = &self.running else { return };
        let own = [running.deadline, running.nv_until, running.desk.poll_timeout()];
        own.into_iter().flatten().for_each(&mut *tell);
        if let Some(modem) = &running.modem {
            modem.each_deadline(tell);
        }
    }
}

impl VendorBoard for LockstepTerminal {
    fn chip(&self) -> Option<&Chip> {
        Some(&self.chip)
    }

    fn trouble(&self) -> Option<Trouble> {
        let (breach, words) = self.trouble.as_ref()?;
        let words =
            if words.is_empty() { String::new() } else { format!("; its last words: {}", quoted(words)) };
        let what = format!("`{}` breaks the lockstep contract: {breach}{words}", self.lockstep.program());
        Some(Trouble { what, ours: breach.is_ours() })
    }
}
