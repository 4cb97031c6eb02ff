//! The host: a vending machine that orders through its pay module, shows links, and has its motors switched by relays.
//!
//! It needs no power of its own here: what it was told it knows. Why: the module is what is put to the test.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;

use serde::Deserialize;

use super::frame::{HostFrame, HostMessage, OrderNumber, Terms, status};
use super::platform_line::first_line;
use crate::digest::Digest;
use crate::machine::{Board, Input, Machine, Output, Port, Stamped, StoreStep, Torn};
use crate::time::{Instant, Now, Span};
use crate::wire::{Scan, Wire};

/// A vending machine's times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostConfig {
    /// How long an answer of the module is waited for before it is asked again.
    pub answer_within: Span,
    /// The silence that ends a frame before its time.
    pub byte_gap: Span,
}

/// What customers and keepers do at the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostStimulus {
    /// An order is to be paid.
    Pay(OrderNumber, Terms),
    /// It is no longer wanted.
    Cancel(OrderNumber),
    /// How does it stand?
    Query(OrderNumber),
    /// Bytes for the free channel.
    Data(Vec<u8>),
    /// Bytes on the line as they are.
    Raw(Vec<u8>),
}

impl HostStimulus {
    /// What a line of words says: `pay ORDER FEN [CHANNEL [RELAY [PULSE_MS]]]`, `cancel ORDER`, `query ORDER`,
    /// `data TEXT`. An order is a number of at most 20 digits; left out, the channel is 1 and the relay 0.
    pub fn read(line: &str) -> Option<Self> {
        let (verb, rest) = line.split_once(' ')?;
        if verb == "data" {
            return Some(Self::Data(rest.as_bytes().to_vec()));
        }
        let words: Vec<&str> = rest.split(' ').collect();
        let order = OrderNumber::of(words.first()?.parse().ok()?);
        let number = |at: usize, otherwise: u32| words.get(at).map_or(Some(otherwise), |it| it.parse().ok());
        match (verb, words.len()) {
            ("cancel", 1) => Some(Self::Cancel(order)),
            ("query", 1) => Some(Self::Query(order)),
            ("pay", 2..=5) => {
                let (amount, channel) = (number(1, 0)?, number(2, 1)?.try_into().ok()?);
                let (relay, pulse_ms) = (number(3, 0)?.try_into().ok()?, number(4, 500)?.try_into().ok()?);
                let pulse_ms = if relay == 0 { 0 } else { pulse_ms };
                Some(Self::Pay(order, Terms { amount, channel, relay, pulse_ms }))
            }
            _ => None,
        }
    }
}

/// What customers see at the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostEvent {
    /// How an order stands, with its link.
    Shown {
        /// Which.
        order: OrderNumber,
        /// A status.
        status: u8,
        /// The link, or nothing.
        link: String,
    },
    /// The module cannot act on something.
    Failed {
        /// Why.
        code: u8,
    },
    /// Bytes of the free channel.
    Data(Vec<u8>),
}

impl fmt::Display for HostEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shown { order, status: of, link } if link.is_empty() => {
                write!(f, "shows order {order}: {}", status::words(*of))
            }
            Self::Shown { order, status: of, link } => {
                write!(f, "shows order {order}: {}, \"{}\"", status::words(*of), link.escape_debug())
            }
            Self::Failed { code } => write!(f, "is told error {code:02x}"),
            Self::Data(bytes) => write!(f, "gets \"{}\"", bytes.escape_ascii()),
        }
    }
}

/// What the module was asked and has not answered.
#[derive(Clone, Debug)]
struct Asked {
    message: HostMessage,
    order: Option<OrderNumber>,
    sequence: u8,
    due: Instant,
}

/// A vending machine.
#[derive(Clone, Debug)]
pub struct Host {
    config: HostConfig,
    on: bool,
    held: Vec<u8>,
    gap: Option<Instant>,
    sequence: u8,
    asked: VecDeque<Asked>,
    /// The last bytes of the free channel, by which a repeat is known.
    last_data: Option<(u8, Vec<u8>)>,
    shown: BTreeMap<OrderNumber, u8>,
    /// What people have begun to say on their line, where they have one.
    people: Option<Vec<u8>>,
    out: VecDeque<Stamped<Output<HostEvent>>>,
}

impl Host {
    /// The line to the module.
    pub const LINE: Port = Port(0);
    /// The line on which people say what they do, and see what it shows.
    pub const PEOPLE: Port = Port(1);
    /// Its first motor, switched by the first relay; the others follow.
    pub const MOTORS: u16 = 8;

    /// A machine that is switched off.
    pub const fn new(config: HostConfig) -> Self {
        Self {
            config,
            on: false,
            held: Vec::new(),
            gap: None,
            sequence: 0,
            asked: VecDeque::new(),
            last_data: None,
            shown: BTreeMap::new(),
            people: None,
            out: VecDeque::new(),
        }
    }

    /// The same with a line for people.
    #[must_use]
    pub fn with_people(mut self) -> Self {
        self.people = Some(Vec::new());
        self
    }

    /// People say what they do, a line each.
    fn hear_people(&mut self, now: Instant, bytes: &[u8]) {
        let Some(held) = &mut self.people else { return };
        held.extend_from_slice(bytes);
        while let Some((line, used)) = self.people.as_deref().and_then(first_line) {
            self.people.iter_mut().for_each(|held| drop(held.drain(..used)));
            match HostStimulus::read(line.trim_end()) {
                Some(stimulus) => self.does(now, stimulus),
                None => self
                    .tell_people(now, "write `pay ORDER FEN`, `cancel ORDER`, `query ORDER` or `data TEXT`"),
            }
        }
    }

    fn tell_people(&mut self, at: Instant, words: &str) {
        if self.people.is_some() {
            let bytes = format!("{words}\n").into_bytes();
            self.out.push_back(Stamped { at, what: Output::Transmit { port: Self::PEOPLE, bytes } });
        }
    }

    fn ask(&mut self, now: Instant, message: HostMessage, order: Option<OrderNumber>) {
        self.sequence = self.sequence.wrapping_add(1);
        let due = now + self.config.answer_within;
        self.asked.push_back(Asked { message, order, sequence: self.sequence, due });
        if self.asked.len() == 1 {
            self.say_asked(now);
        }
    }

    /// Says what is to be answered next.
    fn say_asked(&mut self, now: Instant) {
        let Some(asked) = self.asked.front_mut() else { return };
        asked.due = now + self.config.answer_within;
        let bytes = asked.message.frame(asked.sequence).to_bytes(&());
        self.out.push_back(Stamped { at: now, what: Output::Transmit { port: Self::LINE, bytes } });
    }

    fn hear(&mut self, now: Instant, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
        while !self.held.is_empty() {
            match HostFrame::scan(&(), &self.held) {
                Scan::NeedMore => break,
                Scan::Junk { used, .. } => drop(self.held.drain(..used.min(self.held.len()))),
                Scan::Frame { frame, used } => {
                    self.held.drain(..used);
                    if let Ok(message) = HostMessage::of(&frame) {
                        self.module_says(now, message, frame.sequence);
                    }
                }
            }
        }
        self.gap = (!self.held.is_empty()).then(|| now + self.config.byte_gap);
    }

    fn module_says(&mut self, now: Instant, message: HostMessage, sequence: u8) {
        match message {
            HostMessage::Status { order, status, link } => {
                let answer = HostMessage::StatusAck { order, status }.frame(sequence).to_bytes(&());
                let what = Output::Transmit { port: Self::LINE, bytes: answer };
                self.out.push_back(Stamped { at: now, what });
                self.show(now, order, status, &link);
            }
            HostMessage::Data(bytes) => {
                let answer = HostMessage::DataAck.frame(sequence).to_bytes(&());
                let what = Output::Transmit { port: Self::LINE, bytes: answer };
                self.out.push_back(Stamped { at: now, what });
                if self.last_data.as_ref() != Some(&(sequence, bytes.clone())) {
                    self.last_data = Some((sequence, bytes.clone()));
                    self.note(now, HostEvent::Data(bytes));
                }
            }
            HostMessage::PayAnswer { status, link } | HostMessage::QueryAnswer { status, link } => {
                if let Some(order) = self.answered(now, sequence) {
                    self.show(now, order, status, &link);
                }
            }
            HostMessage::CancelAnswer { status } => {
                if let Some(order) = self.answered(now, sequence) {
                    self.show(now, order, status, &[]);
                }
            }
            HostMessage::DataAck => {
                self.answered(now, sequence);
            }
            HostMessage::Error { code } => {
                // A frame that was damaged on the way is said again when its answer is overdue.
                if self.asked.front().is_some_and(|asked| asked.sequence == sequence) {
                    self.answered(now, sequence);
                    self.note(now, HostEvent::Failed { code });
                }
            }
            HostMessage::Pay { .. }
            | HostMessage::StatusAck { .. }
            | HostMessage::Query { .. }
            | HostMessage::Cancel { .. } => {}
        }
    }

    /// What was asked with this sequence is answered; which order it was about.
    fn answered(&mut self, now: Instant, sequence: u8) -> Option<OrderNumber> {
        if self.asked.front().is_none_or(|asked| asked.sequence != sequence) {
            return None;
        }
        let asked = self.asked.pop_front()?;
        self.say_asked(now);
        asked.order
    }

    fn show(&mut self, now: Instant, order: OrderNumber, status: u8, link: &[u8]) {
        if self.shown.insert(order, status) != Some(status) {
            let link = String::from_utf8_lossy(link).into_owned();
            self.note(now, HostEvent::Shown { order, status, link });
        }
    }

    fn note(&mut self, at: Instant, event: HostEvent) {
        self.tell_people(at, &event.to_string());
        self.out.push_back(Stamped { at, what: Output::Event(event) });
    }

    fn does(&mut self, now: Instant, stimulus: HostStimulus) {
        match stimulus {
            HostStimulus::Pay(order, terms) => self.ask(now, HostMessage::Pay { order, terms }, Some(order)),
            HostStimulus::Cancel(order) => self.ask(now, HostMessage::Cancel { order }, Some(order)),
            HostStimulus::Query(order) => self.ask(now, HostMessage::Query { order }, Some(order)),
            HostStimulus::Data(bytes) => self.ask(now, HostMessage::Data(bytes), None),
            HostStimulus::Raw(bytes) => {
                let what = Output::Transmit { port: Self::LINE, bytes };
                self.out.push_back(Stamped { at: now, what });
            }
        }
    }
}

impl Machine for Host {
    type Stimulus = HostStimulus;
    type Event = HostEvent;

    fn handle_input(&mut self, now: Now, input: Input<'_, HostStimulus>) {
        let at = now.mono;
        match input {
            Input::PowerOn => self.on = true,
            Input::Stimulus(stimulus) => self.does(at, stimulus),
            Input::Received { port: Self::LINE, bytes } => self.hear(at, bytes),
            Input::Received { port: Self::PEOPLE, bytes } => self.hear_people(at, bytes),
            Input::Deadline => {
                if self.gap.take_if(|gap| *gap <= at).is_some() {
                    self.held.clear();
                }
                if self.asked.front().is_some_and(|asked| asked.due <= at) {
                    self.say_asked(at);
                }
            }
            _ => {}
        }
    }

    fn poll_output(&mut self) -> Option<Stamped<Output<HostEvent>>> {
        self.out.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        [self.gap, self.asked.front().map(|asked| asked.due)].into_iter().flatten().min()
    }

    fn digest(&self, _now: Instant, into: &mut Digest) {
        into.bytes(self.people.as_deref().unwrap_or_default());
        into.flag(self.on).bytes(&self.held).deadline(self.gap).word(u64::from(self.sequence));
        for asked in &self.asked {
            into.text(&format!("{:?}", asked.message)).word(u64::from(asked.sequence)).instant(asked.due);
        }
        if let Some((sequence, bytes)) = &self.last_data {
            into.word(u64::from(*sequence)).bytes(bytes);
        }
        for (order, status) in &self.shown {
            into.bytes(order.digits()).word(u64::from(*status));
        }
    }
}

impl Board for Host {
    fn cut(&mut self, _at: Instant, _torn: Torn) {
        self.on = false;
    }

    fn is_on(&self) -> bool {
        self.on
    }

    fn poll_step(&mut self) -> Option<StoreStep> {
        None
    }
}
