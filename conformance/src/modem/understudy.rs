//! An understudy in the modem's seat: it answers a host as a well-behaved module would, until a case has it do
//! something else.
//!
//! It knows of the host what its seat hears, and leads the server's part too: it answers the frames itself.

use std::collections::VecDeque;

use assay_sim::fault::Way;
use assay_sim::modem::client::Fitted;
use assay_sim::modem::port::UART;
use assay_sim::probe::ProbeStimulus;
use assay_sim::tape::{Entry, LineId, Seen};
use assay_sim::time::{Instant, Span};
use assay_sim::water::frame::{Answer, FrameStream, Message, Request, Scanned};
use assay_sim::water::party::{Event, Stimulus};
use assay_sim::water::profile::Profile;
use assay_sim::wire::Wire;

use super::desk::Done;
use crate::water::Stage;

/// What the host has done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Ended a command line.
    Command(Vec<u8>),
    /// Given the data of a prompt.
    Data(Vec<u8>),
}

impl Turn {
    /// Whether it is a command that begins with this.
    pub(super) fn is(&self, command: &str) -> bool {
        matches!(self, Self::Command(line) if line.starts_with(command.as_bytes()))
    }
}

/// What a case makes of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cue {
    /// It is answered as it should be.
    Proper,
    /// The case has answered it, or leaves it unanswered.
    Taken,
    /// It is answered as it should be, and then the scene is over.
    Last,
    /// The case has answered it, and the scene is over.
    Cut,
}

/// Whether the host's own characters come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Echo {
    /// Until the host has switched that off.
    AsTold,
    /// Whatever it says.
    Always,
}

/// A scripted modem.
pub(super) struct Understudy<'a> {
    pub(super) stage: &'a mut Stage,
    pub(super) profile: Profile,
    pub(super) echo: Echo,
    /// The silence in which each byte is sent on its own, if it is.
    pub(super) byte_by_byte: Option<Span>,
    /// How long a turn takes to be answered.
    pub(super) latency: Span,
    /// Whether there is a connection.
    pub(super) connected: bool,
    /// Whether the packet context is active.
    pub(super) active: bool,
    /// Heartbeats answered so far.
    pub(super) answered: u32,
    /// What stands in a block before the frame that it delivers.
    pub(super) before_frame: Vec<u8>,
    uart: LineId,
    /// The next entry of the tape that has not been read.
    from: u64,
    heard: VecDeque<u8>,
    typed: Vec<u8>,
    /// How much data the prompt waits for, and what has come.
    prompt: Option<(usize, Vec<u8>)>,
    echoing: bool,
}

impl<'a> Understudy<'a> {
    /// Everything is switched on.
    pub(super) fn set_up(stage: &'a mut Stage) -> Self {
        stage.switch_on();
        let profile = stage.scene().profile.clone();
        let uart = stage.scene().terminals[0].uart;
        Self {
            latency: profile.module().plain.min,
            stage,
            profile,
            echo: Echo::AsTold,
            byte_by_byte: None,
            connected: false,
            active: false,
            answered: 0,
            before_frame: Vec::new(),
            uart,
            from: 0,
            heard: VecDeque::new(),
            typed: Vec::new(),
            prompt: None,
            echoing: true,
        }
    }

    /// Plays until the span is over or a cue ends the scene; whether a cue did.
    pub(super) fn play(
        &mut self,
        span: Span,
        direct: &mut dyn FnMut(&mut Self, &Turn) -> Done<Cue>,
    ) -> Done<bool> {
        let until = self.stage.now() + span;
        while let Some(turn) = self.next_turn(until)? {
            let cue = direct(self, &turn)?;
            if matches!(cue, Cue::Proper | Cue::Last) {
                self.answer(&turn)?;
            }
            if matches!(cue, Cue::Last | Cue::Cut) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Plays properly until one more heartbeat has been answered, or the span is over.
    pub(super) fn play_heartbeat(&mut self, span: Span) -> Done<bool> {
        let answered = self.answered;
        let beat = |this: &mut Self, turn: &Turn| {
            Ok(if this.is_heartbeat(turn) && this.answered == answered { Cue::Last } else { Cue::Proper })
        };
        self.play(span, &mut { beat })
    }

    /// Whether a turn carries a heartbeat.
    pub(super) fn is_heartbeat(&self, turn: &Turn) -> bool {
        let Turn::Data(data) = turn else { return false };
        self.requests(data).iter().any(|(_, request)| *request == Request::Heartbeat)
    }

    /// Says lines, in words.
    pub(super) fn say(&mut self, lines: &[&str]) -> Done {
        for line in lines {
            self.send(format!("\r\n{line}\r\n").as_bytes())?;
        }
        Ok(())
    }

    /// Sends bytes.
    pub(super) fn send(&mut self, bytes: &[u8]) -> Done {
        let Some(gap) = self.byte_by_byte else { return self.emit(bytes) };
        for byte in bytes {
            self.emit(&[*byte])?;
            self.stage.wait(gap)?;
        }
        Ok(())
    }

    /// The module starts anew: it hears nothing for a while, and knows nothing afterwards.
    pub(super) fn reboot(&mut self) -> Done {
        self.stage.wait(self.profile.module().boot.max)?;
        self.forget();
        self.connected = false;
        self.active = false;
        self.echoing = true;
        Ok(())
    }

    /// Hears nothing for a while.
    pub(super) fn sleep(&mut self, span: Span) -> Done {
        self.stage.wait(span)?;
        self.forget();
        Ok(())
    }

    /// Answers a turn as it should be.
    pub(super) fn answer(&mut self, turn: &Turn) -> Done {
        self.stage.wait(self.latency)?;
        match turn {
            Turn::Command(line) => self.answer_command(line),
            Turn::Data(data) => {
                self.say(&["SEND OK"])?;
                self.deliver_answers(data)
            }
        }
    }

    /// Delivers the answers to the frames in some data.
    pub(super) fn deliver_answers(&mut self, data: &[u8]) -> Done {
        for (frame, request) in self.requests(data) {
            let Some(answer) = self.frame_for(&frame, &request) else { continue };
            let block = [self.before_frame.clone(), answer].concat();
            self.deliver(&block)?;
            self.answered += u32::from(request == Request::Heartbeat);
        }
        Ok(())
    }

    /// Delivers bytes as received data.
    pub(super) fn deliver(&mut self, bytes: &[u8]) -> Done {
        let mark = match self.profile.fitted.module {
            Fitted::M6311 => format!("\r\n+IPDATA: {}\r\n", bytes.len()),
            Fitted::Sim800a => format!("\r\n+IPD,{}:", bytes.len()),
        };
        self.send(&[mark.as_bytes(), bytes].concat())
    }

    /// The prompt, after which so much data comes in one turn.
    pub(super) fn open_prompt(&mut self, len: usize) -> Done {
        self.prompt = Some((len, Vec::new()));
        self.send(b"\r\n> ")
    }

    fn answer_command(&mut self, line: &[u8]) -> Done {
        let line = String::from_utf8_lossy(line).into_owned();
        let name = line.split(['=', '?']).next().unwrap_or_default();
        match (name, line.split_once('=').map(|(_, values)| values)) {
            ("ATE0", _) => {
                self.echoing = self.echo == Echo::Always;
                self.say(&["OK"])
            }
            ("AT+CPIN", _) => self.say(&["+CPIN: READY", "OK"]),
            ("AT+CSQ", _) => {
                let line = format!("+CSQ: {},{}", self.profile.module().rssi, self.profile.module().ber);
                self.say(&[&line, "OK"])
            }
            ("AT+CREG", None) => self.say(&["+CREG: 0,1", "OK"]),
            ("AT+CGREG", None) => self.say(&["+CGREG: 0,1", "OK"]),
            ("AT+IPSEND" | "AT+CIPSEND", Some(values)) => match values.parse() {
                Ok(len) if self.connected => self.open_prompt(len),
                _ => self.say(&["ERROR"]),
            },
            _ => match self.profile.fitted.module {
                Fitted::M6311 => self.answer_m6311(name, &line),
                Fitted::Sim800a => self.answer_sim800a(name),
            },
        }
    }

    fn answer_m6311(&mut self, name: &str, line: &str) -> Done {
        match (name, line.split_once('=').map(|(_, values)| values)) {
            ("AT+CGACT", Some("1,1")) => {
                self.active = true;
                self.say(&["OK"])
            }
            ("AT+IPSTART", Some(_)) if !self.active => self.say(&["ERROR"]),
            ("AT+IPSTART", Some(_)) if self.connected => self.say(&["OK", "ALREADY CONNECT"]),
            ("AT+IPSTART", Some(_)) => {
                self.connected = true;
                self.say(&["OK", "CONNECT OK"])
            }
            ("AT+IPCLOSE", None) if !self.connected => self.say(&["ERROR"]),
            ("AT+IPCLOSE", None) => {
                self.connected = false;
                self.say(&["OK"])
            }
            _ => self.say(&["OK"]),
        }
    }

    fn answer_sim800a(&mut self, name: &str) -> Done {
        match name {
            "AT+CIPSHUT" => {
                (self.connected, self.active) = (false, false);
                self.say(&["SHUT OK"])
            }
            "AT+CIICR" => {
                self.active = true;
                self.say(&["OK"])
            }
            "AT+CIFSR" if self.active => {
                let address = self.profile.sim800a.dialect.address.to_string();
                self.say(&[&address])
            }
            "AT+CIFSR" | "AT+CIPSTART" if !self.active => self.say(&["ERROR"]),
            "AT+CIPSTART" if self.connected => self.say(&["ALREADY CONNECT"]),
            "AT+CIPSTART" => {
                self.connected = true;
                self.say(&["OK", "CONNECT OK"])
            }
            _ => self.say(&["OK"]),
        }
    }

    /// The next turn of the host before `until`.
    fn next_turn(&mut self, until: Instant) -> Done<Option<Turn>> {
        let uart = self.uart;
        let hears = move |entry: &Entry<Event>| heard(entry, uart).is_some();
        loop {
            self.read();
            let mut echoed = Vec::new();
            let turn = self.turn(&mut echoed);
            if !echoed.is_empty() {
                self.send(&echoed)?;
            }
            if turn.is_some() {
                return Ok(turn);
            }
            if self.from < self.stage.tape().len() {
                continue;
            }
            let left = until.since(self.stage.now());
            if left == Span::ZERO || !self.stage.wait_for(left, &hears)? {
                return Ok(None);
            }
        }
    }

    /// Takes what its seat has heard since it looked last.
    fn read(&mut self) {
        let tape = self.stage.tape();
        for entry in tape.since(self.from) {
            if let Some(bytes) = heard(entry, self.uart) {
                self.heard.extend(bytes);
            }
        }
        self.from = tape.len();
    }

    /// What it has heard makes a turn, once it is whole.
    fn turn(&mut self, echoed: &mut Vec<u8>) -> Option<Turn> {
        while let Some(byte) = self.heard.pop_front() {
            if self.echoing {
                echoed.push(byte);
            }
            if let Some((len, data)) = &mut self.prompt {
                data.push(byte);
                if data.len() >= *len {
                    return self.prompt.take().map(|(_, data)| Turn::Data(data));
                }
                continue;
            }
            if !matches!(byte, b'\r' | b'\n') {
                self.typed.push(byte);
            } else if !self.typed.is_empty() {
                return Some(Turn::Command(std::mem::take(&mut self.typed)));
            }
        }
        None
    }

    fn forget(&mut self) {
        self.from = self.stage.tape().len();
        self.heard.clear();
        self.typed.clear();
        self.prompt = None;
    }

    fn emit(&mut self, bytes: &[u8]) -> Done {
        let stimulus = ProbeStimulus::Send(UART, bytes.to_vec());
        self.stage.stimulate("modem-a", Stimulus::Probe(stimulus))
    }

    fn requests(&self, data: &[u8]) -> Vec<(Message, Request)> {
        let format = &self.profile.frame;
        let mut stream = FrameStream::default();
        stream.push(format, self.stage.now(), data);
        let mut requests = Vec::new();
        while let Some(scanned) = stream.poll(format) {
            if let Scanned::Frame { frame, .. } = scanned
                && let Ok(message) = Message::of(&frame)
                && let Message::Request { request, .. } = &message
            {
                let request = request.clone();
                requests.push((message, request));
            }
        }
        requests
    }

    /// What the server would answer.
    fn frame_for(&self, message: &Message, request: &Request) -> Option<Vec<u8>> {
        let Message::Request { pricing, .. } = message else { return None };
        let since = i64::try_from(self.stage.now().as_us()).unwrap_or(i64::MAX);
        let answer = match request {
            Request::Heartbeat => {
                let epoch = self.profile.bench.epoch().unwrap_or_default();
                Answer::Heartbeat { at: epoch.stepped(since) }
            }
            Request::FaultReport { .. } => Answer::FaultReport,
            _ => return None,
        };
        let machine = self.stage.scene().terminals[0].machine;
        let format = &self.profile.frame;
        let message = Message::Answer { pricing: *pricing, answer };
        Some(message.to_frame(format.version, machine).to_bytes(format))
    }
}

/// What the modem's seat hears by an entry.
fn heard(entry: &Entry<Event>, uart: LineId) -> Option<&[u8]> {
    match &entry.what {
        Seen::Heard { line, way: Way::AtoB, bytes, .. } if *line == uart => Some(bytes),
        _ => None,
    }
}
