//! The server's program, from its start to its end.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::Ipv4Addr;

use super::answers::{Confirms, Waiting};
use super::event::{ServerEvent, ServerStimulus};
use super::platform::Link;
use super::policy::{
    BadRecordTime, ClockSetting, CodeReading, DeviceIdentity, Interim, OnMalformed, Presence, Reconciling,
    RefusedOnRecord, Repeats,
};
use super::setup::ServerSetup;
use super::{PLATFORM_FIRST, words};
use crate::digest::Digest;
use crate::journal::Journal;
use crate::machine::{Input, Output, Port, Stamped};
use crate::pos::books::{
    BookRecord, Books, Decision, Device, Devices, Refusal, SaleId, SaleRequest, State, Stored,
};
use crate::pos::frame::field::{split, trimmed};
use crate::pos::frame::{Confirmed, DeviceMessage, Head, Key, MachineNumber, SaleTime, Seq, ServerMessage};
use crate::time::{Instant, Now};

/// What the board lends the program for one input.
pub(super) struct Lent<'a> {
    pub(super) now: Now,
    pub(super) setup: &'a ServerSetup,
    pub(super) journal: &'a mut Journal<Books>,
}

/// What waits for its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    /// An answer is due.
    Send(Device),
    /// An answer is due that is not sent again, since another has taken its place.
    SendOnce(Port, Option<Printed>, Vec<u8>),
    /// A record is to be deleted, now that it is durable.
    Delete(Port, Option<Printed>, Vec<u8>),
    /// The platform is to be asked, now that the order is durable.
    Charge(u64),
    /// An order should have been answered on this connection.
    Overdue(u64, Port),
    /// The platform is to be reached.
    Connect,
}

/// What a device prints of itself into each datagram, as far as anything depends on it later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Printed {
    pub(super) machine: MachineNumber,
    /// Its address, if that reads.
    pub(super) terminal: Option<Ipv4Addr>,
}

impl From<&Head> for Printed {
    fn from(head: &Head) -> Self {
        Self { machine: head.machine, terminal: head.terminal.as_ref().ok().copied() }
    }
}

/// What is known of a device while the program runs.
#[derive(Clone, Debug)]
pub(super) struct Known {
    /// Where its last datagram came from.
    pub(super) port: Port,
    /// What its last datagram said of it.
    pub(super) printed: Option<Printed>,
    /// Its newest sale.
    latest: Option<SaleId>,
    /// The answer that it has to confirm.
    pub(super) waiting: Option<Waiting>,
    /// Its last confirmations since it was switched on.
    pub(super) confirms: Confirms,
}

/// The running program.
#[derive(Clone, Debug)]
pub(super) struct Server {
    /// With everything that was entered, durable or not.
    pub(super) books: Books,
    pub(super) devices: Devices<Known>,
    /// Orders of which the platform has not said what became of them.
    pub(super) open_orders: BTreeSet<u64>,
    next_order: u64,
    pub(super) link: Link,
    pub(super) pending: BTreeMap<(Instant, u64), Deed>,
    planned: u64,
    stopped: bool,
    out: VecDeque<Stamped<Output<ServerEvent>>>,
}

impl Server {
    /// The program as it starts on what the journal holds.
    pub(super) fn start(lent: &Lent<'_>) -> Self {
        let books = lent.journal.state().clone();
        let open = books.sales().filter(|(_, sale)| sale.state == State::Asked);
        let open_orders = open.filter_map(|(_, sale)| sale.order).collect();
        let next_order = 1 + books.sales().filter_map(|(_, sale)| sale.order).max().unwrap_or_default();
        let mut server = Self {
            books,
            devices: Devices::default(),
            open_orders,
            next_order,
            link: Link::default(),
            pending: BTreeMap::new(),
            planned: 0,
            stopped: false,
            out: VecDeque::new(),
        };
        let sales = server.books.sales().count() as u64;
        server.note(lent.now.mono, ServerEvent::Started { sales });
        server.connect(lent);
        server
    }

    pub(super) fn handle_input(&mut self, lent: &mut Lent<'_>, input: Input<'_, ServerStimulus>) {
        if self.stopped {
            return;
        }
        match input {
            Input::Received { port, bytes } if port >= PLATFORM_FIRST => self.platform_says(lent, bytes),
            Input::Received { port, bytes } => self.datagram(lent, port, bytes),
            Input::Opened { port, .. } => self.platform_opened(lent, port),
            Input::Closed { port, .. } => self.platform_closed(lent, port),
            Input::Stimulus(stimulus) => self.office(lent, stimulus),
            Input::Deadline => {
                while let Some(first) = self.pending.first_entry() {
                    if first.key().0 > lent.now.mono {
                        break;
                    }
                    let deed = first.remove();
                    self.do_deed(lent, deed);
                }
            }
            Input::PowerOn | Input::Acked { .. } | Input::Level { .. } => {}
        }
    }

    fn do_deed(&mut self, lent: &Lent<'_>, deed: Deed) {
        match deed {
            Deed::Send(device) => self.send_answer(lent, device),
            Deed::SendOnce(port, printed, bytes) | Deed::Delete(port, printed, bytes) => {
                self.reply(lent, port, printed, bytes);
            }
            Deed::Charge(order) => self.charge(lent, order),
            Deed::Overdue(order, port) => self.overdue(lent, order, port),
            Deed::Connect => self.connect(lent),
        }
    }

    fn office(&mut self, lent: &mut Lent<'_>, stimulus: ServerStimulus) {
        let now = lent.now.mono;
        match stimulus {
            ServerStimulus::Discover => {
                self.transmit(now, Port::BROADCAST, ServerMessage::Discover.to_bytes());
            }
            ServerStimulus::AskClock(machine) => {
                let is_it = |known: &&Known| known.printed.is_some_and(|printed| printed.machine == machine);
                let ports: Vec<Port> = self
                    .devices
                    .iter()
                    .map(|(_, known)| known)
                    .filter(is_it)
                    .map(|known| known.port)
                    .collect();
                for port in ports {
                    self.transmit(now, port, ServerMessage::AskClock { machine }.to_bytes());
                }
            }
            ServerStimulus::Account(card, account) => {
                self.enter(lent, BookRecord::Account { card, account });
                lent.journal.sync(now);
            }
        }
    }

    fn datagram(&mut self, lent: &mut Lent<'_>, port: Port, bytes: &[u8]) {
        let mut message = match DeviceMessage::parse(bytes, &lent.setup.frame) {
            Ok(message) => message,
            Err(why) => {
                self.note(lent.now.mono, ServerEvent::Ignored(why));
                if lent.setup.policy.malformed == OnMalformed::Stops {
                    self.stopped = true;
                    self.pending.clear();
                    self.note(lent.now.mono, ServerEvent::Stopped);
                }
                return;
            }
        };
        if let (Some(head), DeviceIdentity::NumberAlone) = (message.head_mut(), lent.setup.policy.device) {
            head.serial = None;
        }
        let Some(head) = message.head().cloned() else {
            self.present(lent, port, bytes);
            return;
        };
        let known = self.devices.or_insert_with(&Device::of(&head), || Known {
            port,
            printed: None,
            latest: None,
            waiting: None,
            confirms: Confirms::default(),
        });
        (known.port, known.printed) = (port, Some((&head).into()));
        let ack = ServerMessage::Ack { seq: head.seq.clone() };
        self.reply(lent, port, Some((&head).into()), ack.to_bytes());
        self.message(lent, port, &head, message);
    }

    /// A 100, which has no head, and of a door controller no sequence number.
    fn present(&mut self, lent: &Lent<'_>, port: Port, bytes: &[u8]) {
        self.note(lent.now.mono, ServerEvent::Present);
        let seq = split(bytes).nth(1).and_then(|field| Seq::of(trimmed(field), lent.setup.frame.seq_max));
        if let (Presence::Acknowledged, Some(seq)) = (lent.setup.policy.presence, seq) {
            self.reply(lent, port, None, ServerMessage::Ack { seq }.to_bytes());
        }
    }

    fn message(&mut self, lent: &mut Lent<'_>, port: Port, head: &Head, message: DeviceMessage) {
        match &message {
            DeviceMessage::PowerOn { at, .. } => self.clock(lent, port, head, at.as_ref().ok().copied()),
            DeviceMessage::Tap { card, .. } => {
                let text = words::balance(card.as_ref().ok().and_then(|card| self.books.account(*card)));
                self.tell_balance(lent, head, text);
            }
            DeviceMessage::Keys { .. } => self.note(lent.now.mono, ServerEvent::Keys(head.machine)),
            DeviceMessage::Confirm { what, key, .. } => self.confirmed(lent, head, *what, key),
            DeviceMessage::Record { .. } => self.stored(lent, port, head, message),
            _ => self.sale(lent, head, message),
        }
    }

    fn clock(&mut self, lent: &Lent<'_>, port: Port, head: &Head, theirs: Option<SaleTime>) {
        // A device that was switched on counts its messages anew.
        if let Some(known) = self.devices.get_mut(&Device::of(head)) {
            known.confirms.clear();
        }
        let ours = SaleTime::at(lent.now.wall);
        let set = match lent.setup.policy.clock {
            ClockSetting::OtherMinute => theirs.is_none_or(|theirs| !theirs.same_minute(ours)),
            ClockSetting::Always => true,
            ClockSetting::Never => false,
        };
        if set {
            let message = ServerMessage::SetClock { machine: head.machine, at: Ok(ours) };
            self.reply(lent, port, Some(head.into()), message.to_bytes());
        }
    }

    /// A 103, 104 or 128.
    fn sale(&mut self, lent: &mut Lent<'_>, head: &Head, mut message: DeviceMessage) {
        if let (DeviceMessage::Scan { code, .. }, CodeReading::CommasDropped) =
            (&mut message, lent.setup.policy.code)
        {
            *code = code.iter().copied().filter(|byte| *byte != b',').collect();
        }
        let Some(request) = SaleRequest::of(&message) else { return };
        let decision = match lent.setup.policy.repeats {
            Repeats::Recognised => self.books.sale(&request, self.next_order),
            Repeats::ChargedAgain => self.books.sale_anew(&request, self.next_order),
        };
        let SaleRequest::Sound(id) = request else {
            if let Decision::Never(why) = decision {
                self.refuse_for_good(lent, head, &message, why);
            }
            return;
        };
        let device = Device::of(head);
        match decision {
            Decision::Enter(record) => {
                if let Some(known) = self.devices.get_mut(&device) {
                    known.latest = Some(id.clone());
                }
                self.enter(lent, record);
                let at = Self::durable(lent);
                self.tell(lent, at, head.machine, &id, true);
            }
            Decision::Known(_) => {
                let latest = self.devices.get(&device).and_then(|known| known.latest.as_ref());
                let stale = latest.is_some_and(|latest| *latest != id);
                let confirmed = self.books.known(&id).is_some_and(|sale| sale.confirmed);
                if !stale && !confirmed {
                    let at = Self::durable(lent);
                    self.tell(lent, at, head.machine, &id, false);
                }
            }
            Decision::Never(_) => {}
        }
    }

    /// Tells a device what became of its sale.
    fn tell(&mut self, lent: &Lent<'_>, at: Instant, machine: MachineNumber, id: &SaleId, fresh: bool) {
        let Some((state, order)) = self.books.known(id).map(|sale| (sale.state, sale.order)) else { return };
        match state {
            State::Charged => self.tell_end(lent, at, machine, id, None),
            State::Refused(why) => self.tell_end(lent, at, machine, id, Some(why)),
            State::Asked => {
                let config = &lent.setup.config;
                let secs = match lent.setup.policy.interim {
                    Interim::InProgress => config.interim_secs,
                    Interim::ClaimsSuccess => config.text_secs,
                };
                self.tell_progress(lent, machine, id, secs);
                if let Some(order) = order.filter(|_| fresh) {
                    self.open_orders.insert(order);
                    self.next_order = self.next_order.max(order + 1);
                    self.plan(at, Deed::Charge(order));
                }
            }
        }
    }

    /// Something in the sale does not read: nothing of it is kept.
    fn refuse_for_good(&mut self, lent: &Lent<'_>, head: &Head, message: &DeviceMessage, why: Refusal) {
        let card = |card: &crate::pos::frame::Read<_>| match card {
            Ok(card) => Key::Card(*card),
            Err(bytes) => Key::Other(bytes.clone()),
        };
        let key = match message {
            DeviceMessage::Pay { card: read, .. } | DeviceMessage::Count { card: read, .. } => card(read),
            DeviceMessage::Scan { number, .. } => Key::Code(*number),
            _ => return,
        };
        let refusal = self.refusal(lent, head.machine, key.clone(), why);
        self.answer(
            lent.now.mono,
            (&Device::of(head), head.machine),
            (Confirmed::Refused, key.to_bytes()),
            refusal,
            None,
        );
    }

    /// A 105.
    fn stored(&mut self, lent: &mut Lent<'_>, port: Port, head: &Head, message: DeviceMessage) {
        let DeviceMessage::Record { card, amount, at: time, address, .. } = &message else { return };
        let policy = lent.setup.policy;
        match self.books.stored(&message) {
            Some(Stored::Enter(BookRecord::Reconciled { id, address }))
                if policy.reconciling == Reconciling::Never =>
            {
                self.enter(lent, BookRecord::ChargedByRecord { id, address, flag: None });
            }
            Some(Stored::Enter(BookRecord::ChargedByRecord { ref id, .. }))
                if policy.refused == RefusedOnRecord::Dropped && self.books.known(id).is_some() => {}
            Some(Stored::Enter(record)) => self.enter(lent, record),
            Some(Stored::Known) | None => {}
        }
        let shown = |text: Result<String, Box<[u8]>>| {
            text.map_or_else(|bytes| bytes, |text| text.into_bytes().into())
        };
        let named = match (time, policy.bad_time) {
            (Err(_), BadRecordTime::Sentinel) => SaleTime::IMPOSSIBLE.into(),
            _ => shown(time.as_ref().map(ToString::to_string).map_err(Clone::clone)),
        };
        let delete = ServerMessage::Delete {
            machine: head.machine,
            card: shown(card.as_ref().map(ToString::to_string).map_err(Clone::clone)),
            amount: shown(amount.as_ref().map(ToString::to_string).map_err(Clone::clone)),
            at: named,
            address: *address,
        };
        let at = Self::durable(lent);
        self.plan(at, Deed::Delete(port, Some(head.into()), delete.to_bytes()));
    }

    pub(super) fn plan(&mut self, at: Instant, deed: Deed) {
        self.planned += 1;
        self.pending.insert((at, self.planned), deed);
    }

    pub(super) fn emit(&mut self, at: Instant, what: Output<ServerEvent>) {
        self.out.push_back(Stamped { at, what });
    }

    pub(super) fn transmit(&mut self, at: Instant, port: Port, bytes: Vec<u8>) {
        self.emit(at, Output::Transmit { port, bytes });
    }

    pub(super) fn note(&mut self, at: Instant, event: ServerEvent) {
        self.emit(at, Output::Event(event));
    }

    pub(super) fn poll_output(&mut self) -> Option<Stamped<Output<ServerEvent>>> {
        self.out.pop_front()
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.pending.first_key_value().map(|((at, _), _)| *at)
    }

    /// The name of what is due next.
    pub(super) fn timer_name(&self) -> Option<&'static str> {
        Some(match self.pending.first_key_value()?.1 {
            Deed::Send(device) => {
                let waiting = self.devices.get(device).and_then(|known| known.waiting.as_ref());
                if waiting.is_some_and(|waiting| waiting.sends > 0) {
                    "timer:confirm"
                } else {
                    "timer:answer"
                }
            }
            Deed::SendOnce(..) => "timer:answer",
            Deed::Delete(..) => "timer:delete",
            Deed::Charge(_) => "timer:charge",
            Deed::Overdue(..) => "timer:platform",
            Deed::Connect => "timer:reconnect",
        })
    }

    pub(super) fn each_deadline(&self, tell: &mut dyn FnMut(Instant)) {
        self.pending.keys().for_each(|(at, _)| tell(*at));
    }

    pub(super) fn digest(&self, into: &mut Digest) {
        use crate::journal::Replay as _;
        self.books.digest(into);
        into.flag(self.stopped).word(self.next_order).word(self.open_orders.len() as u64);
        into.word(u64::from(self.link.count)).bytes(&self.link.held);
        into.word(self.link.port.map_or(u64::MAX, |(port, up)| u64::from(port.0) << 1 | u64::from(up)));
        for (device, known) in self.devices.iter() {
            into.text(&format!("{device:?} {:?} {:?} {:?}", known.printed, known.latest, known.confirms));
            into.word(u64::from(known.port.0)).flag(known.waiting.is_some());
            if let Some(Waiting { what, key, bytes, sends, sent, again, owed, over, .. }) = &known.waiting {
                into.word(*what as u64).bytes(key).bytes(bytes).word(u64::from(*sends)).instant(*again);
                into.word(u64::from(*sent)).word(u64::from(*owed)).flag(*over);
            }
        }
        for ((at, _), deed) in &self.pending {
            into.instant(*at).text(&format!("{deed:?}"));
        }
    }
}
