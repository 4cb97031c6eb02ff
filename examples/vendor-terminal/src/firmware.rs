//! The firmware: its modes, its timers, and the loop that moves bytes between its drivers.

use std::collections::VecDeque;
use std::sync::Arc;

use assay_sim::card::reader::{Reader, ReaderOutput};
use assay_sim::digest::Digest;
use assay_sim::machine::{Input, Output, Port, Stamped};
use assay_sim::modem::client::{Client, ClientOutput};
use assay_sim::time::{Instant, Now, Span};
use assay_sim::timers::Timers;
use assay_sim::water::frame::FrameStream;
use assay_sim::water::terminal::{TerminalStimulus, TerminalTimes, port};

use crate::memory::{Access, Memory, Settings, Trouble};
use crate::requests::Requests;
use crate::visit::Visit;
use crate::{Build, Hardware};

/// How far the terminal has got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// It has no settings.
    Unset,
    /// It waits for the server's first word.
    Starting,
    /// The server did not answer; it is asked again from time to time.
    Alone,
    /// Its parts are being tried.
    Trying,
    /// A part does not work; it is tried again from time to time.
    Defective,
    /// It serves.
    Serving,
}

pub(crate) const ANSWER: usize = 0;
pub(crate) const HEARTBEAT: usize = 1;
pub(crate) const AGAIN: usize = 2;
pub(crate) const NETWORK: usize = 3;
pub(crate) const PARTS: usize = 4;
pub(crate) const TOUCH: usize = 5;
pub(crate) const PATIENCE: usize = 6;
const NAMES: [&str; 7] = [
    "timer:answer",
    "timer:heartbeat",
    "timer:again",
    "timer:network",
    "timer:parts",
    "timer:touch",
    "timer:patience",
];

/// What a part is asked, and how it answers.
const PING: &[u8] = b"?\n";
const PONG: &[u8] = b"READY\n";
/// The modem knows of no reception.
const NO_SIGNAL: u8 = 99;

/// The firmware from power-on to power loss.
#[derive(Clone, Debug)]
pub(crate) struct Firmware {
    pub(crate) build: Arc<Build>,
    pub(crate) mode: Mode,
    pub(crate) settings: Option<Settings>,
    pub(crate) memory: Memory,
    pub(crate) modem: Option<Client>,
    pub(crate) radio: Reader,
    pub(crate) frames: FrameStream,
    pub(crate) timers: Timers<7>,
    pub(crate) requests: Requests,
    pub(crate) visit: Visit,
    card_in: bool,
    /// What voice and display have said since the last line feed, and whether they answered.
    parts: [(Vec<u8>, bool); 2],
    /// The time, which work on the bus takes ahead of the input's.
    at: Instant,
    out: VecDeque<Stamped<Output<&'static str>>>,
}

impl Firmware {
    pub(crate) fn start(build: Arc<Build>, now: Now, hardware: &mut Hardware) -> Self {
        let mut firmware = Self {
            radio: Reader::new(build.data_sheet.reader.clone()),
            build,
            mode: Mode::Unset,
            settings: None,
            memory: Memory::default(),
            modem: None,
            frames: FrameStream::default(),
            timers: Timers::default(),
            requests: Requests::default(),
            visit: Visit::None,
            card_in: false,
            parts: Default::default(),
            at: now.mono,
            out: VecDeque::new(),
        };
        firmware.read_memory(hardware);
        firmware.run(now, hardware);
        firmware
    }

    pub(crate) fn times(&self) -> &TerminalTimes {
        &self.build.data_sheet.terminal
    }

    pub(crate) const fn at(&self) -> Instant {
        self.at
    }

    /// Works on the 24C02 from now on, until the time that this takes.
    pub(crate) fn with_memory<T>(
        &mut self,
        hardware: &mut Hardware,
        work: impl FnOnce(&mut Memory, &mut Access<'_>) -> T,
    ) -> T {
        let mut access = Access::new(&mut hardware.chip, self.at, self.build.data_sheet.eeprom.driver);
        let done = work(&mut self.memory, &mut access);
        self.at = access.at();
        done
    }

    fn read_memory(&mut self, hardware: &mut Hardware) {
        match self.with_memory(hardware, |memory, access| {
            Memory::read(access).map(|(settings, read)| {
                *memory = read;
                settings
            })
        }) {
            Ok(settings) => {
                self.settings = Some(settings);
                self.mode = Mode::Starting;
                let mut modem = Client::new(self.build.data_sheet.host.clone(), settings.server);
                modem.start(self.at);
                self.modem = Some(modem);
                let times = self.times();
                let patience = times.answer_timeout * u64::from(times.boot_misses);
                self.timers.set(NETWORK, self.at + patience);
            }
            Err(Trouble::Silent) => self.stay_out("STORAGE"),
            Err(_) => self.stay_out("SETTINGS"),
        }
    }

    /// Initialisation came to nothing: says why, and tries again later.
    pub(crate) fn stay_out(&mut self, why: &str) {
        if self.mode != Mode::Unset {
            self.mode = Mode::Alone;
        }
        self.say(&format!("Init failed: {why}"));
        self.later();
    }

    fn later(&mut self) {
        let again = self.at + self.times().boot_retry;
        self.timers.set(AGAIN, again);
    }

    pub(crate) fn handle_input(
        &mut self,
        now: Now,
        input: Input<'_, TerminalStimulus>,
        hardware: &mut Hardware,
    ) {
        self.at = self.at.max(now.mono);
        match input {
            Input::Received { port: port::UART, bytes } => {
                if let Some(modem) = &mut self.modem {
                    modem.handle_bytes(self.at, bytes);
                }
            }
            Input::Received { port: port::RF, bytes } => self.radio.handle_edges(self.at, bytes),
            Input::Received { port: port::VOICE, bytes } => self.part_says(0, bytes),
            Input::Received { port: port::DISPLAY, bytes } => self.part_says(1, bytes),
            Input::Level { port: port::SLOT, high } if high != self.card_in => {
                self.card_in = high;
                if high { self.card_came() } else { self.card_went(hardware) }
            }
            Input::Deadline => self.time_is_up(now, hardware),
            _ => {}
        }
        if self.frames.deadline().is_some_and(|at| at <= now.mono) {
            self.frames.expire(now.mono);
        }
        self.run(now, hardware);
    }

    fn time_is_up(&mut self, now: Now, hardware: &mut Hardware) {
        if let Some(modem) = &mut self.modem
            && modem.poll_timeout().is_some_and(|at| at <= now.mono)
        {
            modem.handle_deadline(self.at);
        }
        if self.radio.poll_timeout().is_some_and(|at| at <= now.mono) {
            self.radio.handle_deadline(self.at);
        }
        while let Some(timer) = self.timers.expire(now.mono) {
            match timer {
                ANSWER => self.no_answer(hardware),
                HEARTBEAT => self.requests.beat = true,
                AGAIN => self.once_more(hardware),
                NETWORK if self.mode == Mode::Starting && self.requests.is_quiet() => {
                    self.stay_out("NETWORK");
                }
                PARTS => self.judge_parts(),
                TOUCH => self.touch(),
                PATIENCE => self.question_stuck(),
                _ => {}
            }
        }
    }

    fn once_more(&mut self, hardware: &mut Hardware) {
        match self.mode {
            Mode::Unset => self.read_memory(hardware),
            Mode::Alone => {
                self.requests.beat = true;
                let quiet = self.requests.is_quiet();
                if let Some(modem) = self.modem.as_mut().filter(|_| quiet) {
                    modem.reset_network(self.at);
                }
                self.later();
            }
            Mode::Defective => {
                self.later();
                // The modem tells its reception on the way to a connection, so a weak one takes a new connection.
                let (weak, quiet) = (self.hears_badly(), self.requests.is_quiet());
                match self.modem.as_mut().filter(|modem| weak && quiet && modem.is_up()) {
                    Some(modem) => modem.renew(self.at),
                    None => self.try_parts(),
                }
            }
            Mode::Starting | Mode::Trying | Mode::Serving => {}
        }
    }

    /// The connection stands.
    fn connected(&mut self) {
        if matches!(self.mode, Mode::Starting | Mode::Alone) && self.requests.is_quiet() {
            self.timers.stop(NETWORK);
            self.requests.beat = true;
        }
        if self.mode == Mode::Defective {
            self.try_parts();
        }
        self.hand_over();
    }

    /// Asks voice and display whether they are there.
    pub(crate) fn try_parts(&mut self) {
        self.mode = Mode::Trying;
        self.parts = Default::default();
        self.transmit(port::VOICE, PING.to_vec());
        self.transmit(port::DISPLAY, PING.to_vec());
        let until = self.at + self.times().part_timeout;
        self.timers.set(PARTS, until);
    }

    fn part_says(&mut self, part: usize, bytes: &[u8]) {
        for byte in bytes {
            let (line, answered) = &mut self.parts[part];
            line.push(*byte);
            *answered |= line.ends_with(PONG);
            if *byte == b'\n' || line.len() > 4 * PONG.len() {
                line.clear();
            }
        }
        if self.mode == Mode::Trying && self.parts.iter().all(|(_, answered)| *answered) {
            self.timers.stop(PARTS);
            self.judge_parts();
        }
    }

    fn hears_badly(&self) -> bool {
        let least = self.times().signal_min;
        let signal = self.modem.as_ref().and_then(Client::signal);
        signal.is_none_or(|signal| signal == NO_SIGNAL || signal < least)
    }

    fn judge_parts(&mut self) {
        if self.mode != Mode::Trying {
            return;
        }
        let bad = [
            ("voice", 2, !self.parts[0].1),
            ("display", 3, !self.parts[1].1),
            ("signal", 4, self.hears_badly()),
        ];
        match bad.into_iter().find(|(_, _, bad)| *bad) {
            None => {
                self.mode = Mode::Serving;
                self.timers.stop(AGAIN);
                self.say("Self test passed");
                self.note("serving");
            }
            Some((part, code, _)) => {
                self.mode = Mode::Defective;
                self.say(&format!("Self test failed: {part}"));
                self.requests.fault = Some((part, code));
                self.later();
            }
        }
    }

    /// Moves everything on until nothing more happens by itself.
    fn run(&mut self, now: Now, hardware: &mut Hardware) {
        self.take_frames(now, hardware);
        loop {
            if let Some(output) = self.modem.as_mut().and_then(Client::poll_output) {
                match output {
                    ClientOutput::Transmit(bytes) => self.transmit(port::UART, bytes),
                    ClientOutput::PowerKey(high) => self.emit(Output::Level { port: port::PWRKEY, high }),
                    ClientOutput::Reset(high) => self.emit(Output::Level { port: port::RESET, high }),
                    ClientOutput::Up => self.connected(),
                    ClientOutput::Down { .. } => {
                        self.frames.clear();
                        self.requests.not_on_the_way();
                    }
                    ClientOutput::SendFailed { .. } => self.requests.not_on_the_way(),
                    ClientOutput::Data(bytes) => {
                        self.frames.push(&self.build.data_sheet.frame, self.at, &bytes);
                        self.take_frames(now, hardware);
                    }
                    ClientOutput::Sent | ClientOutput::Signal(_) | ClientOutput::GaveUp { .. } => {}
                }
            } else if let Some(output) = self.radio.poll_output() {
                match output {
                    ReaderOutput::Field(high) => self.emit(Output::Level { port: port::RF, high }),
                    ReaderOutput::Burst(bytes) => self.transmit(port::RF, bytes),
                    ReaderOutput::Read(read) => self.card_was_read(read.ok(), hardware),
                    ReaderOutput::Written { outcome, .. } => self.block_was_written(outcome, hardware),
                }
            } else if !self.ask_next() {
                break;
            }
        }
    }

    /// Voice and display tell people.
    pub(crate) fn say(&mut self, text: &str) {
        let line = format!("{text}\n").into_bytes();
        self.transmit(port::VOICE, line.clone());
        self.transmit(port::DISPLAY, line);
    }

    pub(crate) fn note(&mut self, what: &'static str) {
        self.emit(Output::Event(what));
    }

    fn transmit(&mut self, port: Port, bytes: Vec<u8>) {
        self.emit(Output::Transmit { port, bytes });
    }

    fn emit(&mut self, what: Output<&'static str>) {
        self.out.push_back(Stamped { at: self.at, what });
    }

    pub(crate) fn poll_output(&mut self) -> Option<Stamped<Output<&'static str>>> {
        self.out.pop_front()
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let mut next: Option<Instant> = None;
        self.each_deadline(&mut |at| next = Some(next.map_or(at, |next| next.min(at))));
        next
    }

    pub(crate) fn each_deadline(&self, tell: &mut dyn FnMut(Instant)) {
        self.timers.each(tell);
        self.radio.poll_timeout().into_iter().chain(self.frames.deadline()).for_each(&mut *tell);
        if let Some(modem) = &self.modem {
            modem.each_deadline(tell);
        }
    }

    pub(crate) fn timer_name(&self) -> Option<&'static str> {
        let next = self.poll_timeout()?;
        if self.timers.next() == Some(next) {
            return self.timers.next_timer().map(|timer| NAMES[timer]);
        }
        if self.radio.poll_timeout() == Some(next) {
            return Some("timer:radio");
        }
        if self.frames.deadline() == Some(next) {
            return Some("timer:frame");
        }
        self.modem.as_ref().and_then(Client::timer_name)
    }

    pub(crate) fn digest(&self, into: &mut Digest) {
        into.word(self.mode as u64).flag(self.card_in).instant(self.at).word(self.out.len() as u64);
        self.memory.digest(into);
        self.radio.digest(into);
        self.frames.digest(into);
        self.timers.digest(into);
        self.requests.digest(into);
        self.visit.digest(into);
        for (line, answered) in &self.parts {
            into.bytes(line).flag(*answered);
        }
        if let Some(modem) = &self.modem {
            modem.digest(into);
        }
    }

    /// The heartbeat's period.
    pub(crate) fn period(&self) -> Span {
        self.settings.map_or(Span::s(60), |settings| settings.heartbeat)
    }
}
