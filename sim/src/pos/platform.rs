//! The payment platform behind the server: it charges an order once, however often it is asked, and a code once,
//! whatever order it comes with.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;

use serde::Deserialize;

use crate::digest::Digest;
use crate::machine::{Board, Input, Machine, Output, Port, Stamped, StoreStep, Torn};
use crate::money::Fen;
use crate::time::{Instant, Now, Span};

/// The longest line that it waits for: a whole datagram's code in hexadecimal, and its order.
const LINE_MAX: usize = 4_096;

/// How a platform behaves.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlatformConfig {
    /// How long it takes to charge.
    pub answers_after: Span,
    /// Whether a code pays once, as telephones show them, whatever order it comes with.
    pub codes_once: bool,
    /// The beginning of codes that it declines, in ASCII.
    pub declines: String,
}

/// What became of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlatformOrder {
    /// How much was asked for first.
    pub amount: Fen,
    /// Whether it was charged.
    pub paid: bool,
    /// How often it was asked for.
    pub asked: u32,
}

/// What a platform says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlatformEvent {
    /// An order was charged, or declined.
    Decided {
        /// Which.
        order: u64,
        /// Whether it was charged.
        paid: bool,
        /// How much.
        amount: Fen,
    },
}

impl fmt::Display for PlatformEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Decided { order, paid, amount } = self;
        write!(f, "order {order}, {amount}, is {}", if *paid { "paid" } else { "declined" })
    }
}

/// The platform. It never loses its power.
#[derive(Clone, Debug)]
pub struct Platform {
    config: PlatformConfig,
    on: bool,
    orders: BTreeMap<u64, PlatformOrder>,
    /// Codes that have paid: each is good for one order.
    used: BTreeSet<String>,
    held: BTreeMap<Port, Vec<u8>>,
    /// Answers that wait for their time.
    answers: VecDeque<(Instant, Port, u64)>,
    out: VecDeque<Stamped<Output<PlatformEvent>>>,
}

impl Platform {
    /// A platform without orders.
    pub fn new(config: PlatformConfig) -> Self {
        Self {
            config,
            on: false,
            orders: BTreeMap::new(),
            used: BTreeSet::new(),
            held: BTreeMap::new(),
            answers: VecDeque::new(),
            out: VecDeque::new(),
        }
    }

    /// Every order that it was asked for.
    pub fn orders(&self) -> impl Iterator<Item = (u64, PlatformOrder)> {
        self.orders.iter().map(|(number, order)| (*number, *order))
    }

    fn take_line(&mut self, now: Instant, port: Port, line: &[u8]) {
        let Ok(line) = std::str::from_utf8(line) else { return };
        let mut words = line.split(' ');
        let (Some("CHARGE"), Some(Ok(order)), Some(Ok(fen)), Some(code), None) = (
            words.next(),
            words.next().map(str::parse::<u64>),
            words.next().map(str::parse::<i64>),
            words.next(),
            words.next(),
        ) else {
            return;
        };
        let declined: String = self.config.declines.bytes().map(|byte| format!("{byte:02X}")).collect();
        let declines = !declined.is_empty() && code.starts_with(&declined);
        let paid = !(declines || self.config.codes_once && self.used.contains(code));
        let mut fresh = false;
        let known = self.orders.entry(order).or_insert_with(|| {
            fresh = true;
            PlatformOrder { amount: Fen(fen), paid, asked: 0 }
        });
        known.asked = known.asked.saturating_add(1);
        if fresh {
            if paid {
                self.used.insert(code.to_owned());
            }
            let event = PlatformEvent::Decided { order, paid, amount: Fen(fen) };
            self.out.push_back(Stamped { at: now, what: Output::Event(event) });
        }
        self.answers.push_back((now + self.config.answers_after, port, order));
    }
}

impl Machine for Platform {
    type Stimulus = std::convert::Infallible;
    type Event = PlatformEvent;

    fn handle_input(&mut self, now: Now, input: Input<'_, Self::Stimulus>) {
        match input {
            Input::PowerOn => self.on = true,
            Input::Received { port, bytes } => {
                for byte in bytes {
                    let held = self.held.entry(port).or_default();
                    if *byte != b'\n' {
                        held.push(*byte);
                        held.truncate(LINE_MAX);
                        continue;
                    }
                    let line = std::mem::take(held);
                    self.take_line(now.mono, port, &line);
                }
            }
            Input::Closed { port, .. } => {
                self.held.remove(&port);
                self.answers.retain(|(_, to, _)| *to != port);
            }
            Input::Deadline => {
                while let Some((_, port, order)) =
                    self.answers.front().copied().filter(|(at, ..)| *at <= now.mono)
                {
                    self.answers.pop_front();
                    let paid = self.orders.get(&order).is_some_and(|order| order.paid);
                    let word = if paid { "PAID" } else { "DECLINED" };
                    let bytes = format!("{word} {order}\n").into_bytes();
                    self.out.push_back(Stamped { at: now.mono, what: Output::Transmit { port, bytes } });
                }
            }
            Input::Opened { .. } | Input::Acked { .. } | Input::Level { .. } => {}
            Input::Stimulus(never) => match never {},
        }
    }

    fn poll_output(&mut self) -> Option<Stamped<Output<PlatformEvent>>> {
        self.out.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.answers.front().map(|(at, ..)| *at)
    }

    fn digest(&self, _now: Instant, into: &mut Digest) {
        into.flag(self.on).word(self.orders.len() as u64);
        for (number, PlatformOrder { amount, paid, asked }) in &self.orders {
            into.word(*number).word(amount.0.cast_unsigned()).flag(*paid).word(u64::from(*asked));
        }
        into.word(self.used.len() as u64);
        for code in &self.used {
            into.bytes(code.as_bytes());
        }
        for (port, held) in &self.held {
            into.word(u64::from(port.0)).bytes(held);
        }
        for (at, port, order) in &self.answers {
            into.instant(*at).word(u64::from(port.0)).word(*order);
        }
    }
}

impl Board for Platform {
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
