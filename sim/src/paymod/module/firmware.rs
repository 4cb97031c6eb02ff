//! The module's program: input, time, and its outputs.

use std::collections::{BTreeMap, VecDeque};

use super::channel::Channels;
use super::config::{ModuleEvent, ModuleSetup};
use super::host_line::HostLine;
use super::link::Link;
use super::net::Net;
use super::orders::Live;
use super::policy::{Commit, Restart};
use super::port;
use crate::digest::Digest;
use crate::machine::{Input, Output, Port, Stamped};
use crate::modem::client::ClientOutput;
use crate::paymod::frame::{HostMessage, OrderNumber};
use crate::paymod::store::{Memory, State, Store};
use crate::seed::Stream;
use crate::time::{Instant, Now};

/// What the board lends the program for one input.
pub(super) struct Lent<'a> {
    pub(super) now: Now,
    pub(super) setup: &'a ModuleSetup,
    pub(super) memory: Memory<'a>,
    pub(super) draws: &'a mut Stream,
}

impl Lent<'_> {
    /// When a step leaves that is taken now: when all that was stored before it is stored.
    pub(super) fn at(&self) -> Instant {
        match self.setup.policy.commit {
            Commit::BeforeStep => self.memory.at(),
            Commit::AfterStep => self.now.mono,
        }
    }
}

/// The running program.
#[derive(Clone, Debug)]
pub(super) struct Firmware {
    pub(super) store: Store,
    pub(super) live: BTreeMap<OrderNumber, Live>,
    pub(super) line: HostLine,
    pub(super) link: Link,
    pub(super) net: Net,
    pub(super) channels: Channels,
    /// What the modem's client has said and nobody has heard yet.
    pub(super) heard: VecDeque<ClientOutput>,
    /// How far it has run ahead on its flash.
    busy: Instant,
    out: VecDeque<Stamped<Output<ModuleEvent>>>,
}

impl Firmware {
    /// The program as it starts on what the flash holds.
    pub(super) fn boot(lent: &mut Lent<'_>) -> Self {
        let store = Store::load(&mut lent.memory);
        let failed = store.is_err();
        let mut firmware = Self {
            store: store.unwrap_or_default(),
            live: BTreeMap::new(),
            line: HostLine::default(),
            link: Link::default(),
            net: Net::new(lent.setup),
            channels: Channels::default(),
            heard: VecDeque::new(),
            busy: lent.now.mono,
            out: VecDeque::new(),
        };
        if failed {
            firmware.note(lent, ModuleEvent::StoreFailed);
        }
        for relay in 1..=port::RELAY_COUNT {
            firmware.emit(lent, Output::Level { port: port::relay(relay), high: false });
        }
        let unsettled: Vec<OrderNumber> = firmware
            .store
            .orders()
            .filter(|(_, kept)| kept.state != State::Settled)
            .map(|(order, _)| order)
            .collect();
        firmware.note(lent, ModuleEvent::Started { orders: unsettled.len() });
        if lent.setup.policy.restart == Restart::Resumes {
            for order in unsettled {
                firmware.resume(lent, order);
            }
        }
        firmware.start_net(lent);
        firmware.pump(lent);
        firmware
    }

    pub(super) fn handle_input(&mut self, lent: &mut Lent<'_>, input: Input<'_, std::convert::Infallible>) {
        match input {
            Input::Received { port: port::HOST, bytes } => self.hear_host(lent, bytes),
            Input::Received { port: port::MODEM, bytes } => self.hear_modem(lent, bytes),
            Input::Received { port, bytes } => self.hear_net(lent, port, bytes),
            Input::Opened { port, .. } => self.net_opened(lent, port),
            Input::Closed { port, .. } => self.net_closed(lent, port),
            Input::Deadline => self.deadline(lent),
            Input::PowerOn | Input::Acked { .. } | Input::Level { .. } => {}
            Input::Stimulus(never) => match never {},
        }
        self.pump(lent);
    }

    fn deadline(&mut self, lent: &mut Lent<'_>) {
        let now = lent.now.mono;
        self.host_line_due(lent);
        let due: Vec<OrderNumber> = self
            .live
            .iter()
            .filter(|(_, live)| live.own_deadline().is_some_and(|at| at <= now))
            .map(|(order, _)| *order)
            .collect();
        for order in due {
            self.order_due(lent, order);
        }
        self.channel_due(lent);
        self.link_due(lent);
        self.net_due(lent);
    }

    /// Whatever can be sent on now is.
    fn pump(&mut self, lent: &mut Lent<'_>) {
        self.pump_net(lent);
        self.pump_channel(lent);
        self.pump_link(lent);
        self.busy = self.busy.max(lent.memory.at());
    }

    /// Says something to the host, unasked or as the answer to a frame of this sequence.
    pub(super) fn tell_host(&mut self, lent: &Lent<'_>, message: &HostMessage, sequence: u8) {
        use crate::wire::Wire as _;
        let bytes = message.frame(sequence).to_bytes(&());
        self.emit(lent, Output::Transmit { port: port::HOST, bytes });
    }

    pub(super) fn send(&mut self, lent: &Lent<'_>, port: Port, bytes: Vec<u8>) {
        self.emit(lent, Output::Transmit { port, bytes });
    }

    pub(super) fn note(&mut self, lent: &Lent<'_>, event: ModuleEvent) {
        self.emit(lent, Output::Event(event));
    }

    pub(super) fn emit(&mut self, lent: &Lent<'_>, what: Output<ModuleEvent>) {
        self.out.push_back(Stamped { at: lent.at(), what });
    }

    pub(super) fn poll_output(&mut self) -> Option<Stamped<Output<ModuleEvent>>> {
        self.out.pop_front()
    }

    pub(super) const fn busy_until(&self) -> Instant {
        self.busy
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let mut next: Option<Instant> = None;
        self.each_named(&mut |_, at| next = Some(next.map_or(at, |next| next.min(at))));
        next
    }

    pub(super) fn timer_name(&self) -> Option<&'static str> {
        let mut next: Option<(Instant, &'static str)> = None;
        self.each_named(&mut |name, at| {
            if next.is_none_or(|(earliest, _)| at < earliest) {
                next = Some((at, name));
            }
        });
        next.map(|(_, name)| name)
    }

    pub(super) fn each_deadline(&self, tell: &mut dyn FnMut(Instant)) {
        self.each_named(&mut |_, at| tell(at));
    }

    /// Every deadline with its name.
    fn each_named(&self, tell: &mut dyn FnMut(&'static str, Instant)) {
        if let Some(at) = self.line.gap_due() {
            tell("timer:byte-gap", at);
        }
        let asks = self.may_ask();
        for live in self.live.values() {
            live.each_deadline(asks, tell);
        }
        self.channels.each_deadline(tell);
        self.link.each_deadline(tell);
        if let Some(at) = self.net.poll_timeout() {
            tell(self.net.timer_name().unwrap_or("timer:modem"), at);
        }
    }

    pub(super) fn digest(&self, into: &mut Digest) {
        self.store.digest(into);
        for (order, live) in &self.live {
            into.bytes(order.digits());
            live.digest(into);
        }
        self.line.digest(into);
        self.link.digest(into);
        self.net.digest(into);
        self.channels.digest(into);
        into.instant(self.busy);
    }
}
