//! The payment front as a machine.

use std::collections::VecDeque;
use std::net::SocketAddrV4;

use serde::Deserialize;

use crate::digest::Digest;
use crate::machine::{Board, Close, Input, Machine, Output, Port, Stamped, StoreStep, Torn};
use crate::money::{Fen, Volume};
use crate::time::{Instant, Now, Span};
use crate::timers::Timers;
use crate::water::frame::OrderNumber;
use crate::water::ledger::{Prepayment, Refusal};
use crate::water::payments::line::{FEN_MAX, LineFormat, PaymentLine};
use crate::water::tariff::Pricing;
use crate::wire::{Assembler, Piece, Wire};

/// The connection to the message server.
pub const SERVER_PORT: Port = Port(0);

/// A payment front's times and limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaymentsConfig {
    /// Where the message server takes payments.
    pub server: SocketAddrV4,
    /// How long a payment waits for its answer before it is sent again.
    pub answer: Span,
    /// How often a payment is sent on one connection before the connection is given up.
    pub sends_max: u32,
    /// How long an attempt to connect may take.
    pub connect: Span,
    /// The wait before the first attempt to connect again; each further one waits twice as long.
    pub reconnect_min: Span,
    /// The longest wait before an attempt to connect again.
    pub reconnect_max: Span,
    /// How many payments may wait.
    pub queue_max: usize,
    /// The form of lines.
    pub line: LineFormat,
}

/// What customers do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaymentsStimulus {
    /// A customer pays.
    Prepay(Prepayment),
}

/// What a payment front says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaymentsEvent {
    /// The customer is told that the order stands.
    Confirmed {
        /// The order.
        order: OrderNumber,
        /// What it is worth.
        volume: Volume,
    },
    /// The customer is told that there is no such order.
    Refused {
        /// The order.
        order: OrderNumber,
        /// Why not.
        reason: Refusal,
    },
    /// Too many payments wait: this one was not taken.
    Busy {
        /// The order.
        order: OrderNumber,
    },
    /// The connection to the server stands.
    Connected,
    /// It does not, or no more.
    Disconnected,
    /// The server said something that answers no payment.
    Unasked,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    Off,
    Waiting,
    Opening,
    Up,
}

const ANSWER: usize = 0;
const CONNECT: usize = 1;
const RECONNECT: usize = 2;

/// Takes payments and tells the message server of each, one at a time and in their order, until it is answered.
#[derive(Clone, Debug)]
pub struct Payments {
    config: PaymentsConfig,
    link: Link,
    /// Payments without an answer; the first is out if the link is up.
    queue: VecDeque<Prepayment>,
    /// How often the first was sent on this connection.
    sends: u32,
    back_off: Span,
    timers: Timers<3>,
    lines: Assembler,
    out: VecDeque<Stamped<Output<PaymentsEvent>>>,
}

impl Payments {
    /// A payment front that was never switched on.
    pub fn new(config: PaymentsConfig) -> Self {
        Self {
            config,
            link: Link::Off,
            queue: VecDeque::new(),
            sends: 0,
            back_off: config.reconnect_min,
            timers: Timers::default(),
            lines: Assembler::default(),
            out: VecDeque::new(),
        }
    }

    /// How many payments have no answer yet.
    pub fn waiting(&self) -> usize {
        self.queue.len()
    }

    fn emit(&mut self, at: Instant, what: Output<PaymentsEvent>) {
        self.out.push_back(Stamped { at, what });
    }

    fn open(&mut self, now: Instant) {
        self.link = Link::Opening;
        self.timers.set(CONNECT, now + self.config.connect);
        self.emit(now, Output::Open { port: SERVER_PORT, to: self.config.server });
    }

    /// The connection is gone: tries again after a while that doubles each time.
    fn lose(&mut self, now: Instant) {
        self.link = Link::Waiting;
        self.lines.clear();
        self.timers.stop_all();
        self.timers.set(RECONNECT, now + self.back_off);
        self.back_off = (self.back_off * 2).min(self.config.reconnect_max);
        self.emit(now, Output::Event(PaymentsEvent::Disconnected));
    }

    fn give_up(&mut self, now: Instant) {
        self.emit(now, Output::Close { port: SERVER_PORT, how: Close::Reset });
        self.lose(now);
    }

    /// Sends the first payment, if there is one and somebody to send it to.
    fn send(&mut self, now: Instant) {
        if self.link != Link::Up {
            return;
        }
        let Some(payment) = self.queue.front() else {
            return self.timers.stop(ANSWER);
        };
        let bytes = PaymentLine::Pay(*payment).to_bytes(&self.config.line);
        self.sends += 1;
        self.timers.set(ANSWER, now + self.config.answer);
        self.emit(now, Output::Transmit { port: SERVER_PORT, bytes });
    }

    fn expire(&mut self, now: Instant) {
        while let Some(timer) = self.timers.expire(now) {
            match timer {
                ANSWER if self.sends < self.config.sends_max => self.send(now),
                ANSWER | CONNECT => self.give_up(now),
                _ => self.open(now),
            }
        }
    }

    fn prepay(&mut self, now: Instant, payment: Prepayment) {
        let order = payment.order;
        if self.queue.contains(&payment) {
            return;
        }
        let refused = if payment.paid < Fen(0) {
            Some(PaymentsEvent::Refused { order, reason: Refusal::TooSmall })
        } else if payment.paid > FEN_MAX {
            Some(PaymentsEvent::Refused { order, reason: Refusal::TooMuch })
        } else if self.queue.len() >= self.config.queue_max {
            Some(PaymentsEvent::Busy { order })
        } else {
            None
        };
        if let Some(event) = refused {
            return self.emit(now, Output::Event(event));
        }
        self.queue.push_back(payment);
        if self.queue.len() == 1 {
            self.sends = 0;
            self.send(now);
        }
    }

    fn read(&mut self, now: Instant) {
        while let Some(piece) = self.lines.poll::<PaymentLine>(&self.config.line) {
            let first = self.queue.front().map(|payment| payment.order);
            let event = match piece {
                Piece::Frame(PaymentLine::Paid { order, volume }) if first == Some(order) => {
                    PaymentsEvent::Confirmed { order, volume }
                }
                Piece::Frame(PaymentLine::Refused { order: Some(order), reason }) if first == Some(order) => {
                    PaymentsEvent::Refused { order, reason }
                }
                Piece::Frame(_) | Piece::Junk { .. } => {
                    self.emit(now, Output::Event(PaymentsEvent::Unasked));
                    continue;
                }
            };
            self.queue.pop_front();
            self.sends = 0;
            self.emit(now, Output::Event(event));
            self.send(now);
        }
    }
}

impl Machine for Payments {
    type Stimulus = PaymentsStimulus;
    type Event = PaymentsEvent;

    fn handle_input(&mut self, now: Now, input: Input<'_, PaymentsStimulus>) {
        let now = now.mono;
        self.expire(now);
        match input {
            Input::PowerOn if self.link == Link::Off => self.open(now),
            Input::Opened { port: SERVER_PORT, from: None } if self.link == Link::Opening => {
                self.link = Link::Up;
                self.back_off = self.config.reconnect_min;
                self.timers.stop(CONNECT);
                self.emit(now, Output::Event(PaymentsEvent::Connected));
                self.sends = 0;
                self.send(now);
            }
            Input::Closed { port: SERVER_PORT, .. } if matches!(self.link, Link::Opening | Link::Up) => {
                self.lose(now);
            }
            Input::Received { port: SERVER_PORT, bytes } if self.link == Link::Up => {
                self.lines.push(bytes);
                self.read(now);
            }
            Input::Stimulus(PaymentsStimulus::Prepay(payment)) => self.prepay(now, payment),
            _ => {}
        }
    }

    fn poll_output(&mut self) -> Option<Stamped<Output<PaymentsEvent>>> {
        self.out.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.timers.next()
    }

    fn digest(&self, _: Instant, into: &mut Digest) {
        into.word(self.link as u64).word(u64::from(self.sends)).word(self.back_off.as_us());
        self.timers.digest(into);
        into.bytes(self.lines.held()).word(self.queue.len() as u64);
        for payment in &self.queue {
            into.bytes(&payment.card.digits()).bytes(&payment.order.value().to_le_bytes());
            into.flag(payment.pricing == Pricing::Tiered).word(payment.paid.0.cast_unsigned());
        }
        into.word(self.out.len() as u64);
        for output in &self.out {
            into.instant(output.at).text(&format!("{:?}", output.what));
        }
    }
}

impl Board for Payments {
    /// The connection goes with the power; payments that have no answer are kept and sent again.
    fn cut(&mut self, _at: Instant, _torn: Torn) {
        self.link = Link::Off;
        self.sends = 0;
        self.back_off = self.config.reconnect_min;
        self.lines.clear();
        self.timers.stop_all();
        self.out.clear();
    }

    fn is_on(&self) -> bool {
        self.link != Link::Off
    }

    fn poll_step(&mut self) -> Option<StoreStep> {
        None
    }

    fn each_deadline(&self, tell: &mut dyn FnMut(Instant)) {
        self.timers.each(tell);
    }
}
