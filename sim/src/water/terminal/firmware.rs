//! The firmware of a water terminal, from power-on to power loss.

use std::collections::VecDeque;

use serde::Deserialize;

use super::announce::Announcement;
use super::board::TerminalParts;
use super::exchange::{Exchange, Upload};
use super::policy::TerminalPolicy;
use super::port;
use super::selftest::PartsHeard;
use super::store::{Installed, Session, Store, StoreError, StoreRules};
use super::text::{CardReader, TextReader};
use super::topup::TopUp;
use crate::card::number::CardNumber;
use crate::card::reader::{Reader, ReaderConfig};
use crate::digest::Digest;
use crate::eeprom::DriverConfig;
use crate::machine::{Input, Output, Port, Stamped};
use crate::modem::client::{Client, ClientConfig, ClientPolicy};
use crate::money::Volume;
use crate::tape::Fingerprint;
use crate::time::{Instant, Now, Span};
use crate::timers::Timers;
use crate::water::frame::{FrameFormat, FrameStream, OrderNumber};

/// Times and counts of a terminal.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TerminalTimes {
    /// How long an answer is waited for. Source: the document.
    pub answer_timeout: Span,
    /// How long a customer waits for the order request to leave, while the connection is not there or not free.
    pub question_wait: Span,
    /// How many heartbeats in a row may miss at boot; the last is initialisation failure. Source: the document.
    pub boot_misses: u8,
    /// How long after an initialisation failure the next attempt comes.
    pub boot_retry: Span,
    /// How often an upload is sent in all while it is refused. Source: the document.
    pub sends_max: u8,
    /// How many negative answers it gives within the window.
    pub negatives_max: usize,
    /// The window of that bound.
    pub negatives_window: Span,
    /// How long the voice module and the display have to answer in the self test.
    pub part_timeout: Span,
    /// The least signal that passes the self test, as +CSQ counts it.
    pub signal_min: u8,
    /// How many unconfirmed results it keeps in RAM where its design keeps any there.
    pub volatile_max: usize,
}

/// Everything that firmware is built with.
#[derive(Clone, Debug)]
pub struct TerminalConfig {
    /// The design.
    pub policy: TerminalPolicy,
    /// How the design talks to its modem.
    pub client_policy: ClientPolicy,
    /// Times and counts.
    pub times: TerminalTimes,
    /// The form of frames.
    pub format: FrameFormat,
    /// How the chip is driven.
    pub eeprom: DriverConfig,
    /// How cards are read.
    pub reader: ReaderConfig,
    /// How the modem is driven.
    pub client: ClientConfig,
}

impl TerminalConfig {
    pub(super) fn store_rules(&self) -> StoreRules {
        StoreRules {
            check: self.policy.record,
            slots: self.policy.slots,
            config: self.policy.config,
            driver: self.eeprom,
        }
    }
}

/// What a person can do to the terminal itself: nothing; cards come through the slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TerminalStimulus {}

/// What a terminal says of itself: claims, never evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TerminalEvent {
    /// Ready for cards.
    Ready,
    /// Initialisation failed.
    InitFailed(&'static str),
    /// A part failed the self test.
    PartFailed(&'static str),
    /// A card was read.
    CardRead {
        /// Its number.
        card: CardNumber,
        /// What it shows.
        sold: Volume,
    },
    /// An order was credited and read back.
    Credited {
        /// The order.
        order: OrderNumber,
        /// Its volume.
        volume: Volume,
    },
    /// An order was not credited.
    NotCredited {
        /// The order.
        order: OrderNumber,
    },
    /// Whether an order was credited is not known.
    InDoubt {
        /// The order.
        order: OrderNumber,
        /// Its volume.
        volume: Volume,
    },
    /// A result was put into the EEPROM.
    Cached {
        /// The record's number.
        seq: u16,
    },
    /// A result was confirmed, and its record deleted if there was one.
    Confirmed {
        /// The order.
        order: OrderNumber,
    },
    /// A result was given up for lost.
    Lost,
    /// The EEPROM failed.
    StoreFailed(StoreError),
}

impl Fingerprint for TerminalEvent {
    fn fingerprint(&self, add: &mut dyn FnMut(&[u8])) {
        add(self.to_string().as_bytes());
    }
}

impl std::fmt::Display for TerminalEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ready => f.write_str("ready"),
            Self::InitFailed(what) => write!(f, "initialisation failed: {what}"),
            Self::PartFailed(part) => write!(f, "self test: {part} failed"),
            Self::CardRead { card, sold } => write!(f, "read card {card}, sold {sold}"),
            Self::Credited { order, volume } => write!(f, "credited order {order}, {volume} t"),
            Self::NotCredited { order } => write!(f, "order {order} not credited"),
            Self::InDoubt { order, volume } => write!(f, "order {order}, {volume} t, in doubt"),
            Self::Cached { seq } => write!(f, "cached record {seq}"),
            Self::Confirmed { order } => write!(f, "order {order} confirmed"),
            Self::Lost => f.write_str("result lost"),
            Self::StoreFailed(why) => write!(f, "EEPROM: {why}"),
        }
    }
}

/// How far the terminal has come since power-on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// The configuration cannot be read.
    NoConfig,
    /// Waiting for the first heartbeat's answer, so many having missed.
    Booting { misses: u8 },
    /// Initialisation failed; trying again from time to time.
    InitFailed,
    /// The self test runs.
    Testing,
    /// A part failed; tested again from time to time.
    TestFailed,
    /// Serving cards.
    Ready,
}

pub(super) mod timer {
    pub(crate) const ANSWER: usize = 0;
    pub(crate) const HEARTBEAT: usize = 1;
    pub(crate) const RETRY: usize = 2;
    pub(crate) const NETWORK: usize = 3;
    pub(crate) const PARTS: usize = 4;
    pub(crate) const WRITE: usize = 5;
    pub(crate) const QUESTION: usize = 6;
    pub(crate) const COUNT: usize = 7;
    pub(crate) const NAMES: [&str; COUNT] = [
        "timer:answer",
        "timer:heartbeat",
        "timer:retry",
        "timer:network",
        "timer:parts",
        "timer:write",
        "timer:question",
    ];
}

/// Running firmware.
#[derive(Clone, Debug)]
pub struct Terminal {
    pub(super) config: TerminalConfig,
    pub(super) installed: Option<Installed>,
    pub(super) store: Store,
    pub(super) client: Option<Client>,
    pub(super) reader: CardReader,
    pub(super) frames: FrameStream,
    pub(super) stage: Stage,
    pub(super) timers: Timers<{ timer::COUNT }>,
    pub(super) exchange: Option<Exchange>,
    /// Results that are not in the EEPROM.
    pub(super) volatile: VecDeque<Upload>,
    /// Uploads wait for the next heartbeat.
    pub(super) parked: bool,
    pub(super) heartbeat_due: bool,
    pub(super) fault_due: Option<(&'static str, u16)>,
    pub(super) negatives_given: VecDeque<Instant>,
    /// The last frame that was answered, where the design sends it again.
    pub(super) answered_last: Option<Vec<u8>>,
    pub(super) topup: Option<TopUp>,
    pub(super) card_in: bool,
    pub(super) remembered: Option<(CardNumber, Volume)>,
    pub(super) parts_heard: PartsHeard,
    /// How far this input has run ahead on the storage bus.
    pub(super) at: Instant,
    out: VecDeque<Stamped<Output<TerminalEvent>>>,
}

impl Terminal {
    /// Power-on: reads the memory, starts the modem, waits for the network. `asks` says that cards are read over a text
    /// port.
    pub(super) fn boot(config: TerminalConfig, now: Now, asks: bool, parts: &mut TerminalParts) -> Self {
        let reader = match asks {
            true => CardReader::Text(TextReader::new(&config.reader)),
            false => CardReader::Air(Reader::new(config.reader.clone())),
        };
        let mut terminal = Self {
            reader,
            config,
            installed: None,
            store: Store::default(),
            client: None,
            frames: FrameStream::default(),
            stage: Stage::NoConfig,
            timers: Timers::default(),
            exchange: None,
            volatile: VecDeque::new(),
            parked: false,
            heartbeat_due: false,
            fault_due: None,
            negatives_given: VecDeque::new(),
            answered_last: None,
            topup: None,
            card_in: false,
            remembered: None,
            parts_heard: PartsHeard::default(),
            at: now.mono,
            out: VecDeque::new(),
        };
        terminal.load(parts);
        terminal
    }

    /// Reads configuration and records, and starts the network if they are sound.
    fn load(&mut self, parts: &mut TerminalParts) {
        let loaded = self.with_store(parts, |_, session| Store::load(session));
        match loaded {
            Ok((store, installed)) => {
                self.store = store;
                self.installed = Some(installed);
                self.stage = Stage::Booting { misses: 0 };
                let mut client = Client::with_policy(
                    self.config.client.clone(),
                    installed.server,
                    self.config.client_policy,
                );
                client.start(self.at);
                self.client = Some(client);
                self.connection_lost();
                let patience = self.config.times.answer_timeout * u64::from(self.config.times.boot_misses);
                self.timers.set(timer::NETWORK, self.at + patience);
                self.pump(parts);
            }
            Err(why) => {
                self.stage = Stage::NoConfig;
                self.note(TerminalEvent::StoreFailed(why));
                self.init_failed(if why == StoreError::Silent { "STORAGE" } else { "CONFIGURATION" });
            }
        }
    }

    /// Takes one input.
    pub(super) fn handle_input(
        &mut self,
        now: Now,
        input: Input<'_, TerminalStimulus>,
        parts: &mut TerminalParts,
    ) {
        self.at = self.at.max(now.mono);
        match input {
            Input::Received { port: port::UART, bytes } => {
                if let Some(client) = &mut self.client {
                    client.handle_bytes(self.at, bytes);
                }
            }
            Input::Received { port: port::RF, bytes } => self.reader.handle_bytes(self.at, bytes),
            Input::Received { port, bytes } => self.hear_part(port, bytes),
            Input::Level { port: port::SLOT, high } => self.card_switched(high, parts),
            Input::Deadline => self.deadlines(now, parts),
            Input::Level { .. }
            | Input::PowerOn
            | Input::Opened { .. }
            | Input::Closed { .. }
            | Input::Acked { .. } => {}
            Input::Stimulus(never) => match never {},
        }
        self.set_clock_from(now);
        self.pump_with_clock(now, parts);
    }

    fn deadlines(&mut self, now: Now, parts: &mut TerminalParts) {
        if let Some(client) = &mut self.client
            && client.poll_timeout().is_some_and(|at| at <= now.mono)
        {
            client.handle_deadline(self.at);
        }
        if self.reader.poll_timeout().is_some_and(|at| at <= now.mono) {
            self.reader.handle_deadline(self.at);
        }
        while let Some(expired) = self.timers.expire(now.mono) {
            match expired {
                timer::ANSWER => self.answer_missed(parts),
                timer::HEARTBEAT => self.heartbeat_due = true,
                timer::RETRY => self.retry(parts),
                timer::NETWORK => self.network_missed(),
                timer::PARTS => self.parts_missed(),
                timer::WRITE => self.start_writing(),
                timer::QUESTION => self.question_not_put(),
                _ => {}
            }
        }
    }

    fn retry(&mut self, parts: &mut TerminalParts) {
        match self.stage {
            Stage::NoConfig => self.load(parts),
            Stage::InitFailed => {
                self.heartbeat_due = true;
                if let (Some(client), true) = (&mut self.client, self.exchange.is_none()) {
                    client.reset_network(self.at);
                }
                self.timers.set(timer::RETRY, self.at + self.config.times.boot_retry);
            }
            Stage::TestFailed => self.test_again(),
            Stage::Booting { .. } | Stage::Testing | Stage::Ready => {}
        }
    }

    /// Borrows the chip from where this input has got to, and takes over how far the work ran ahead.
    pub(super) fn with_store<T>(
        &mut self,
        parts: &mut TerminalParts,
        work: impl FnOnce(&mut Store, &mut Session<'_>) -> T,
    ) -> T {
        let mut session = parts.session(self.at, &self.config);
        let done = work(&mut self.store, &mut session);
        self.at = session.at();
        done
    }

    pub(super) fn emit(&mut self, what: Output<TerminalEvent>) {
        self.out.push_back(Stamped { at: self.at, what });
    }

    pub(super) fn note(&mut self, event: TerminalEvent) {
        self.emit(Output::Event(event));
    }

    pub(super) fn transmit(&mut self, port: Port, bytes: Vec<u8>) {
        self.emit(Output::Transmit { port, bytes });
    }

    pub(super) fn init_failed(&mut self, what: &'static str) {
        if self.stage != Stage::NoConfig {
            self.stage = Stage::InitFailed;
        }
        self.note(TerminalEvent::InitFailed(what));
        self.announce(Announcement::InitFailed(what));
        if self.config.policy.boot != super::policy::OnBootMiss::FiveThenStops {
            self.timers.set(timer::RETRY, self.at + self.config.times.boot_retry);
        }
    }

    pub(super) fn poll_output(&mut self) -> Option<Stamped<Output<TerminalEvent>>> {
        self.out.pop_front()
    }

    pub(super) fn busy_until(&self) -> Instant {
        self.at
    }

    fn frame_deadline(&self) -> Option<Instant> {
        let waits = self.config.policy.framing == super::policy::Framing::WaitsForRest;
        if waits { None } else { self.frames.deadline() }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let client = self.client.as_ref().and_then(Client::poll_timeout);
        [self.timers.next(), client, self.reader.poll_timeout(), self.frame_deadline()]
            .into_iter()
            .flatten()
            .min()
    }

    pub(super) fn each_deadline(&self, tell: &mut dyn FnMut(Instant)) {
        self.timers.each(tell);
        self.reader.poll_timeout().into_iter().chain(self.frame_deadline()).for_each(&mut *tell);
        if let Some(client) = &self.client {
            client.each_deadline(tell);
        }
    }

    pub(super) fn timer_name(&self) -> Option<&'static str> {
        let next = self.poll_timeout()?;
        if self.timers.next() == Some(next) {
            return self.timers.next_timer().map(|timer| timer::NAMES[timer]);
        }
        if self.reader.poll_timeout() == Some(next) {
            return Some("timer:reader");
        }
        if self.frame_deadline() == Some(next) {
            return Some("timer:frame-gap");
        }
        self.client.as_ref().and_then(Client::timer_name)
    }

    pub(super) fn digest(&self, now: Instant, into: &mut Digest) {
        self.store.digest(into);
        self.reader.digest(into);
        self.frames.digest(into);
        self.timers.digest(into);
        if let Some(client) = &self.client {
            client.digest(into);
        }
        let stage = match self.stage {
            Stage::NoConfig => 0,
            Stage::Booting { misses } => 16 + u64::from(misses),
            Stage::InitFailed => 1,
            Stage::Testing => 2,
            Stage::TestFailed => 3,
            Stage::Ready => 4,
        };
        into.word(stage).flag(self.parked).flag(self.heartbeat_due).flag(self.card_in).instant(self.at);
        into.flag(self.fault_due.is_some()).word(self.negatives_given.len() as u64);
        for given in &self.negatives_given {
            into.age(*given);
        }
        into.word(self.volatile.len() as u64);
        for upload in &self.volatile {
            upload.digest(into);
        }
        into.flag(self.exchange.is_some()).flag(self.topup.is_some());
        if let Some(exchange) = &self.exchange {
            exchange.digest(into);
        }
        if let Some(topup) = &self.topup {
            topup.digest(into);
        }
        if let Some((card, sold)) = self.remembered {
            into.text(&card.to_string()).word(u64::from(sold.0));
        }
        into.bytes(self.answered_last.as_deref().unwrap_or_default());
        self.parts_heard.digest(into);
        into.word(self.out.len() as u64);
        debug_assert!(self.at >= now || self.out.is_empty(), "outputs are drained before time goes on");
    }
}
