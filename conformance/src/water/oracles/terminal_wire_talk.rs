//! How the talk between a terminal and its modem stands: connection, outstanding request, panel, card, power.

use assay_sim::card::content::read_rule;
use assay_sim::card::tag::CardEvent;
use assay_sim::fault::{Fault, Mishap, Way};
use assay_sim::money::Volume;
use assay_sim::tape::{Entry, Seen, SupplyId};
use assay_sim::time::{Instant, Span};
use assay_sim::water::cards::issued;
use assay_sim::water::frame::{Answer, Kind, Message, RawFrame, Request, word};
use assay_sim::water::observe::Observed;
use assay_sim::water::party::Event;
use assay_sim::wire::{Scan, Wire};

use super::panel_words::Words;
use super::terminal_wire_ear::{Ear, Heard};
use crate::scene::{Scene, TerminalCast};

/// One of the two ways to tell people something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Panel {
    /// Spoken.
    Voice,
    /// Shown.
    Display,
}

/// How an answer fits what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fits {
    /// It is the answer to the outstanding request.
    Right,
    /// It bears another machine number.
    OtherMachine,
    /// It bears another type.
    OtherKind,
    /// It is about another card, or another order.
    OtherSubject,
    /// Nothing is outstanding.
    Unasked,
    /// Its content says nothing that could be judged.
    Unclear,
}

/// One thing that happened at the terminal's boundary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bit {
    /// The terminal has power.
    PowerOn,
    /// It has lost it.
    PowerOff,
    /// Its voice module or display gets power, or loses it.
    PanelPower(Panel, bool),
    /// Something planned keeps the terminal from acting.
    Hung(Span),
    /// It begins to send a frame.
    Sends,
    /// A frame was delivered, or was not.
    SendEnds,
    /// The connection stands.
    Up,
    /// The connection is gone; `own` if the terminal ended it without any cause that the line shows.
    Down {
        /// See above.
        own: bool,
    },
    /// It asks for a connection with this command.
    Dials(Vec<u8>),
    /// It does something else to the modem.
    Stirs,
    /// A message leaves it.
    Asks {
        /// The frame.
        frame: RawFrame,
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// A negative answer leaves it.
    Refuses(RawFrame),
    /// A sound answer reaches it.
    Answered {
        /// The frame.
        frame: RawFrame,
        /// How it fits.
        fits: Fits,
        /// Whether it came right behind bytes that cannot be a frame's.
        behind_impossible: bool,
    },
    /// A sound negative answer reaches it.
    Refused(RawFrame),
    /// A frame with a wrong CRC reaches it.
    Damaged {
        /// The frame as it reads.
        frame: RawFrame,
        /// Whether the type byte was hit.
        kind_hit: bool,
    },
    /// Something reaches it of which nobody can say how it must be taken.
    Blurred,
    /// It learns its reception.
    Signal(u8),
    /// It asks voice module or display whether it is there.
    Pings(Panel),
    /// It is answered.
    Present(Panel),
    /// It tells people something.
    Tells(Panel, String),
    /// A card comes, by its place in the cast.
    CardIn(usize),
    /// The card goes.
    CardOut,
    /// A block of a card changes, in this slot or elsewhere.
    CardChanged {
        /// The card, by its place in the cast.
        card: usize,
        /// Its block.
        block: u8,
        /// What is there now.
        value: u32,
    },
    /// Something passes between antenna and card.
    Field,
    /// Its memory is read out.
    Chip(Box<[u8; 256]>),
}

/// The outstanding request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// Its frame.
    pub frame: RawFrame,
    /// The frame's bytes.
    pub bytes: Vec<u8>,
    /// What it asks.
    pub request: Request,
    /// The entry that shows it.
    pub ordinal: u64,
    /// The earliest time from which its answer may be waited for.
    pub from: Instant,
    /// When it left last.
    pub sent: Instant,
    /// Negative answers to it.
    pub negatives: u32,
    /// Damaged frames since.
    pub damaged: u32,
    /// Answers since that do not fit.
    pub strange: u32,
    /// Whether everybody would say that it is outstanding.
    pub certain: bool,
}

/// What the terminal has told of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// It has no power.
    Off,
    /// Nothing yet.
    Booting,
    /// Initialisation failed.
    Failed,
    /// A part failed the self test.
    PartFailed,
    /// The self test passed.
    Ready,
}

/// The state.
#[derive(Clone, Debug)]
pub struct Talk {
    /// What it has told of itself since power came.
    pub service: Service,
    /// Since when it has had power.
    pub powered_at: Instant,
    /// Whether the connection stands.
    pub up: bool,
    /// Whether a frame is being sent.
    pub sending: bool,
    /// When the present unbroken row of sendings began, or the last one did.
    row_from: Instant,
    row_end: Instant,
    /// Until when something planned keeps it from acting.
    pub hung_until: Instant,
    /// The outstanding request.
    pub open: Option<Open>,
    /// The last request, if it was answered beyond doubt and nothing was asked since.
    pub answered: Option<Open>,
    /// The last heartbeat that left.
    pub heartbeat_at: Option<Instant>,
    /// Whether voice module and display have power.
    pub panels: [bool; 2],
    /// Its reception as it knows it.
    pub signal: Option<u8>,
    /// The card in its slot.
    pub card: Option<usize>,
    /// Blocks 1 to 6 of every card.
    blocks: Vec<[u32; 6]>,
}

/// A gap between two sendings below which the second waited for the first.
const ROW_GAP: Span = Span::ms(1);

impl Talk {
    /// Before anything has happened.
    pub fn new(scene: &Scene) -> Self {
        Self {
            blocks: scene.cards.iter().map(|card| issued(card.number, card.spec).to_blocks()).collect(),
            service: Service::Off,
            powered_at: Instant::ZERO,
            up: false,
            sending: false,
            row_from: Instant::ZERO,
            row_end: Instant::ZERO,
            hung_until: Instant::ZERO,
            open: None,
            answered: None,
            heartbeat_at: None,
            panels: [false; 2],
            signal: None,
            card: None,
        }
    }

    /// Power comes: what is left is what lies outside.
    fn restarted(&self, at: Instant) -> Self {
        Self {
            service: Service::Booting,
            powered_at: at,
            up: false,
            sending: false,
            open: None,
            answered: None,
            heartbeat_at: None,
            signal: None,
            ..self.clone()
        }
    }

    /// What a card shows as sold, by the rule for torn ones; `None` if it cannot be read.
    pub fn sold(&self, card: usize) -> Option<Volume> {
        read_rule(*self.blocks.get(card)?).ok().map(|reading| reading.content.sold)
    }

    /// Whether the terminal can be held to anything now.
    pub fn is_free(&self, at: Instant) -> bool {
        self.service != Service::Off && at >= self.hung_until
    }

    /// The outstanding request, if it is beyond doubt that its answer is still waited for.
    pub fn certain(&self, at: Instant, scene: &Scene) -> Option<&Open> {
        let times = &scene.profile.terminal;
        let open = self.open.as_ref().filter(|open| open.certain && self.is_free(at))?;
        let patience = times.answer_timeout - scene.profile.bench.tolerance;
        let asked_thrice = open.negatives >= u32::from(times.sends_max);
        (at < open.from + patience && !asked_thrice).then_some(open)
    }

    /// Whether a message is the outstanding one once more, and no new request.
    pub fn is_repeat(&self, bytes: &[u8], at: Instant, scene: &Scene) -> bool {
        let patience = scene.profile.terminal.answer_timeout - scene.profile.bench.tolerance;
        self.open.as_ref().is_some_and(|open| open.bytes == bytes && at < open.from + patience)
    }

    /// When the wait for what leaves now may have begun: it may have waited for what was sent before it.
    pub fn wanted_from(&self) -> Instant {
        self.row_from
    }

    /// How an answer fits. The machine number is the one that the terminal itself gave; whether that is its own is
    /// judged elsewhere.
    fn fits(&self, frame: &RawFrame) -> Fits {
        let Some(open) = &self.open else { return Fits::Unasked };
        if frame.machine != open.frame.machine {
            return Fits::OtherMachine;
        }
        if frame.kind != open.frame.kind {
            return Fits::OtherKind;
        }
        let Ok(Message::Answer { answer, .. }) = Message::of(frame) else { return Fits::Unclear };
        let same = match (&open.request, answer) {
            (Request::OrderRequest { card, .. }, Answer::OrderRequest { card: other, .. }) => *card == other,
            (Request::Upload { order, .. }, Answer::Upload { order: other, .. }) => *order == other,
            _ => true,
        };
        if same { Fits::Right } else { Fits::OtherSubject }
    }

    /// Takes in what happened.
    pub fn apply(&mut self, bit: &Bit, at: Instant, ordinal: u64, scene: &Scene) {
        match bit {
            Bit::PowerOn => {
                *self = self.restarted(at);
            }
            Bit::PowerOff => {
                self.service = Service::Off;
                self.up = false;
                self.open = None;
                self.answered = None;
            }
            Bit::PanelPower(panel, on) => self.panels[*panel as usize] = *on,
            Bit::Hung(span) => {
                self.hung_until = self.hung_until.max(at + *span + scene.profile.bench.tolerance);
                self.doubt();
            }
            Bit::Sends => {
                if at.since(self.row_end) > ROW_GAP {
                    self.row_from = at;
                }
                self.sending = true;
            }
            Bit::SendEnds => {
                self.sending = false;
                self.row_end = at;
            }
            Bit::Up | Bit::Down { .. } => {
                self.up = *bit == Bit::Up;
                self.sending = false;
                self.answered = None;
                self.doubt();
            }
            Bit::Asks { frame, bytes } => self.asks(frame, bytes, at, ordinal, scene),
            Bit::Answered { fits: Fits::Right, .. } => {
                let certain = self.certain(at, scene).is_some();
                self.answered = self.open.take().filter(|_| certain);
            }
            Bit::Answered { fits, .. } => {
                if let Some(open) = self.open.as_mut().filter(|_| *fits != Fits::Unclear) {
                    open.strange += 1;
                }
            }
            Bit::Refused(frame) => match &mut self.open {
                Some(open) if open.frame.kind == frame.kind => open.negatives += 1,
                Some(open) => open.certain = false,
                None => {}
            },
            Bit::Damaged { .. } => {
                if let Some(open) = &mut self.open {
                    open.damaged += 1;
                }
            }
            Bit::Blurred => {
                self.answered = None;
                self.doubt();
            }
            Bit::Signal(signal) => self.signal = Some(*signal),
            Bit::Tells(_, text) => self.tells(text),
            Bit::CardChanged { card, block, value } => {
                let place = usize::from(*block).checked_sub(1);
                let blocks = self.blocks.get_mut(*card);
                if let Some(held) = blocks.zip(place).and_then(|(blocks, place)| blocks.get_mut(place)) {
                    *held = *value;
                }
            }
            Bit::CardIn(card) => self.card = Some(*card),
            Bit::CardOut => {
                self.card = None;
                self.doubt_question();
            }
            _ => {}
        }
    }

    fn doubt(&mut self) {
        if let Some(open) = &mut self.open {
            open.certain = false;
        }
    }

    fn doubt_question(&mut self) {
        if let Some(open) = &mut self.open
            && open.request.kind() == Kind::OrderRequest
        {
            open.certain = false;
        }
    }

    fn asks(&mut self, frame: &RawFrame, bytes: &[u8], at: Instant, ordinal: u64, scene: &Scene) {
        self.answered = None;
        if frame.kind & 0x0F == Kind::Heartbeat as u8 {
            self.heartbeat_at = Some(at);
        }
        if self.is_repeat(bytes, at, scene) {
            if let Some(open) = &mut self.open {
                open.sent = at;
            }
            return;
        }
        let Ok(Message::Request { request, .. }) = Message::of(frame) else {
            self.open = None;
            return;
        };
        self.open = Some(Open {
            frame: frame.clone(),
            bytes: bytes.to_vec(),
            request,
            ordinal,
            from: self.row_from,
            sent: at,
            negatives: 0,
            damaged: 0,
            strange: 0,
            certain: self.up,
        });
    }

    fn tells(&mut self, text: &str) {
        self.service = match Words::of(text) {
            Words::InitFailed => Service::Failed,
            Words::SelfTestPassed => Service::Ready,
            Words::PartFailed => Service::PartFailed,
            Words::Result { .. } => {
                self.doubt_question();
                return;
            }
        };
    }
}

/// Finds the bits of one terminal in the tape.
#[derive(Clone, Debug, Default)]
pub struct Boundary {
    ear: Ear,
    heard: Vec<Heard>,
    strip: bool,
    mcu: bool,
    dialling: bool,
    texts: [Vec<u8>; 2],
    ready: [Vec<u8>; 2],
}

impl Boundary {
    /// When silence alone will next mean something.
    pub fn due(&self, scene: &Scene) -> Option<Instant> {
        self.ear.due(&scene.profile)
    }

    /// What silence up to `at` meant; the frames are left for [`Self::next_heard`].
    pub fn silence(&mut self, at: Instant, scene: &Scene) {
        self.ear.silence(at, &scene.profile, &mut self.heard);
    }

    /// What an entry meant; what was heard on the line is left for [`Self::next_heard`].
    pub fn observe(
        &mut self,
        entry: &Entry<Event>,
        (scene, cast): (&Scene, &TerminalCast),
        talk: &Talk,
        bits: &mut Vec<Bit>,
    ) {
        match &entry.what {
            Seen::Sent { line, way: Way::AtoB, name, bytes, .. } if *line == cast.uart => {
                self.said(name, bytes, scene, talk, bits);
            }
            Seen::Heard { line, way: Way::BtoA, bytes, .. } if *line == cast.uart => {
                self.ear.push(entry.at, bytes, &scene.profile, &mut self.heard);
            }
            Seen::Sent { line, way: Way::AtoB, bytes, .. } if *line == cast.voice => {
                self.told(Panel::Voice, bytes, bits);
            }
            Seen::Sent { line, way: Way::AtoB, bytes, .. } if *line == cast.display => {
                self.told(Panel::Display, bytes, bits);
            }
            Seen::Heard { line, way: Way::BtoA, bytes, .. } if *line == cast.voice => {
                self.panel_answered(Panel::Voice, bytes, bits);
            }
            Seen::Heard { line, way: Way::BtoA, bytes, .. } if *line == cast.display => {
                self.panel_answered(Panel::Display, bytes, bits);
            }
            Seen::Sent { line, .. } | Seen::Heard { line, .. } | Seen::Level { line, .. }
                if *line == cast.rf =>
            {
                bits.push(Bit::Field);
            }
            Seen::Level { line, high: false, .. } if *line == cast.reset || *line == cast.pwrkey => {
                self.gives_up(talk, bits);
                bits.push(Bit::Stirs);
            }
            Seen::Plug { line, seat, present } if *line == cast.rf => {
                let card = scene.cards.iter().position(|card| card.seat == *seat);
                bits.push(card.filter(|_| *present).map_or(Bit::CardOut, Bit::CardIn));
            }
            Seen::Noted { seat, event: Event::Card(event) } => {
                let (block, value) = match event {
                    CardEvent::Programmed { block, new, .. } => (*block, *new),
                    CardEvent::Torn { block, left, .. } => (*block, *left),
                    CardEvent::Rejected { .. } => return,
                };
                if let Some(card) = scene.cards.iter().position(|card| card.seat == *seat) {
                    bits.push(Bit::CardChanged { card, block, value });
                }
            }
            Seen::Noted { seat, event: Event::Observed(Observed::Chip { image, .. }) }
                if *seat == cast.terminal =>
            {
                bits.push(Bit::Chip(image.clone()));
            }
            Seen::Power { supply, on } => self.power(*supply, *on, cast, bits),
            Seen::Struck { strike } => struck(*strike, (scene, cast), bits),
            Seen::Overrun { seat } if *seat == cast.terminal => bits.push(Bit::Hung(Span::ZERO)),
            _ => {}
        }
    }

    /// The next thing heard on the line, as it stands in the talk.
    pub fn next_heard(&mut self, (scene, cast): (&Scene, &TerminalCast), talk: &Talk) -> Option<Bit> {
        while !self.heard.is_empty() {
            let bit = match self.heard.remove(0) {
                Heard::Line(line) => self.line(&line, scene, talk),
                _ if talk.service == Service::Off || !talk.up => None,
                Heard::Frame { frame, .. } if frame.answer == word::NEGATIVE => {
                    let machine = talk.open.as_ref().map_or(cast.machine, |open| open.frame.machine);
                    (frame.machine == machine).then_some(Bit::Refused(frame))
                }
                Heard::Frame { frame, behind_impossible } if frame.answer == word::POSITIVE => {
                    let fits = talk.fits(&frame);
                    Some(Bit::Answered { frame, fits, behind_impossible })
                }
                Heard::Frame { .. } => None,
                Heard::Damaged { frame, kind_hit } => Some(Bit::Damaged { frame, kind_hit }),
                Heard::Blurred => Some(Bit::Blurred),
            };
            if matches!(bit, Some(Bit::Up | Bit::Down { .. })) {
                self.ear.forget_frames();
            }
            if bit.is_some() {
                return bit;
            }
        }
        None
    }

    /// Something that a party says to its modem.
    fn said(&mut self, name: &str, bytes: &[u8], scene: &Scene, talk: &Talk, bits: &mut Vec<Bit>) {
        if let Scan::Frame { frame, used } = RawFrame::scan(&scene.profile.frame, bytes) {
            bits.push(match frame.answer {
                word::NEGATIVE => Bit::Refuses(frame),
                _ => Bit::Asks { frame, bytes: bytes[..used].to_vec() },
            });
            return;
        }
        match name {
            "AT+IPSEND" => bits.push(Bit::Sends),
            "AT+IPSTART" => {
                self.gives_up(talk, bits);
                self.dialling = true;
                bits.push(Bit::Dials(bytes.to_vec()));
            }
            _ => {
                self.gives_up(talk, bits);
                bits.push(Bit::Stirs);
            }
        }
    }

    fn gives_up(&mut self, talk: &Talk, bits: &mut Vec<Bit>) {
        if talk.up && !bits.iter().any(|bit| matches!(bit, Bit::Down { .. })) {
            self.ear.forget_frames();
            // A modem that does not take what it is sent is cause enough.
            bits.push(Bit::Down { own: !talk.sending });
        }
    }

    /// A line of the modem's own.
    fn line(&mut self, line: &[u8], scene: &Scene, talk: &Talk) -> Option<Bit> {
        let host = &scene.profile.host;
        match line {
            b"CONNECT OK" => {
                let up = std::mem::take(&mut self.dialling);
                up.then_some(Bit::Up)
            }
            b"CONNECT FAIL" | b"ALREADY CONNECT" | b"COMMAND TIMEOUT" => {
                self.dialling = false;
                None
            }
            b"SEND OK" => talk.sending.then_some(Bit::SendEnds),
            b"CONNECTION CLOSED" | b"SEND FAIL" | b"ERROR" => talk.up.then_some(Bit::Down { own: false }),
            _ if line == host.pdp_lost.as_bytes() => talk.up.then_some(Bit::Down { own: false }),
            _ if host.boot_lines.iter().any(|text| text.as_bytes() == line) => {
                talk.up.then_some(Bit::Down { own: false })
            }
            _ => {
                let values = line.strip_prefix(b"+CSQ: ")?;
                let digits: Vec<u8> = values.iter().copied().take_while(u8::is_ascii_digit).collect();
                std::str::from_utf8(&digits).ok()?.parse().ok().map(Bit::Signal)
            }
        }
    }

    fn told(&mut self, panel: Panel, bytes: &[u8], bits: &mut Vec<Bit>) {
        let text = &mut self.texts[panel as usize];
        text.extend_from_slice(bytes);
        while let Some(end) = text.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = text.drain(..=end).collect();
            bits.push(match &line[..end] {
                b"?" => Bit::Pings(panel),
                words => Bit::Tells(panel, String::from_utf8_lossy(words).into_owned()),
            });
        }
    }

    fn panel_answered(&mut self, panel: Panel, bytes: &[u8], bits: &mut Vec<Bit>) {
        let held = &mut self.ready[panel as usize];
        held.extend_from_slice(bytes);
        while let Some(end) = held.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = held.drain(..=end).collect();
            if &line[..end] == b"READY" {
                bits.push(Bit::Present(panel));
            }
        }
    }

    fn power(&mut self, supply: SupplyId, on: bool, cast: &TerminalCast, bits: &mut Vec<Bit>) {
        let was_on = self.strip && self.mcu;
        let supplies = &cast.supplies;
        match supply {
            _ if supply == supplies.strip => self.strip = on,
            _ if supply == supplies.mcu => self.mcu = on,
            _ if supply == supplies.voice => bits.push(Bit::PanelPower(Panel::Voice, on)),
            _ if supply == supplies.display => bits.push(Bit::PanelPower(Panel::Display, on)),
            _ => {}
        }
        let is_on = self.strip && self.mcu;
        if is_on != was_on {
            self.ear = Ear::default();
            self.heard.clear();
            self.texts = Default::default();
            self.ready = Default::default();
            self.dialling = false;
            bits.push(if is_on { Bit::PowerOn } else { Bit::PowerOff });
        }
    }
}

fn struck(strike: usize, (scene, cast): (&Scene, &TerminalCast), bits: &mut Vec<Bit>) {
    if let Some(strike) = scene.plan.strikes.get(strike)
        && let Fault::Mishap(Mishap::Hang { party, span }) = &strike.fault
        && *party == format!("terminal-{}", cast.letter)
    {
        bits.push(Bit::Hung(*span));
    }
}
