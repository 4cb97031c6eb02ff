//! An order's life: what the host asks, what the server says, and what becomes durable before either is told.

use super::config::ModuleEvent;
use super::firmware::{Firmware, Lent};
use super::policy::{Check, ClosedTold, PulseCut, PulseRecord, PulseWhen, Reports, SameNumber};
use super::port;
use crate::digest::Digest;
use crate::machine::Output;
use crate::paymod::frame::{Body, HostMessage, OrderNumber, Terms, host_error, status};
use crate::paymod::store::{State, StoreError};
use crate::time::{Instant, Span};

/// What is known of an order that is not settled.
#[derive(Clone, Debug)]
pub(super) struct Live {
    pub(super) terms: Terms,
    pub(super) state: State,
    /// The pay link, once it is there.
    link: Vec<u8>,
    /// The host has the link.
    link_told: bool,
    /// The server has spoken of it since power-on.
    heard: bool,
    /// The server does not know it: it is made once more.
    unmade: bool,
    /// The server knows what became of the delivery, or has nothing to know.
    pub(super) reported: bool,
    /// The status that the host has acknowledged.
    told: Option<u8>,
    /// The status that was told last.
    said: Option<u8>,
    /// When the status is told again.
    report_at: Option<Instant>,
    /// When the server is asked next.
    pub(super) ask_at: Option<Instant>,
    /// When the host is told that there is no network.
    nudge_at: Option<Instant>,
    /// When it is given up that is not paid.
    window_at: Option<Instant>,
    /// When its relay is released.
    pulse_end: Option<Instant>,
    /// Its relay has to be switched, and is in use.
    waits_for_relay: bool,
}

impl Live {
    fn new(terms: Terms, state: State) -> Self {
        Self {
            terms,
            state,
            link: Vec::new(),
            link_told: false,
            heard: false,
            unmade: false,
            reported: terms.relay == 0,
            told: None,
            said: None,
            report_at: None,
            ask_at: None,
            nudge_at: None,
            window_at: None,
            pulse_end: None,
            waits_for_relay: false,
        }
    }

    /// How it stands, as the host is told.
    fn status(&self, now: Instant, online: bool) -> u8 {
        match self.state {
            State::New | State::LinkReq => {
                let late = !online && self.nudge_at.is_none_or(|at| at <= now);
                if late { status::NETWORK } else { status::WAITING_LINK }
            }
            State::AwaitPay | State::Closing if !self.heard => status::UNKNOWN,
            State::AwaitPay if !self.link.is_empty() && !self.link_told => status::LINK_READY,
            State::AwaitPay | State::Closing => status::WAITING_PAYMENT,
            State::Paid | State::Delivering | State::Delivered | State::Settled => status::PAID,
            State::Closed => status::CLOSED,
            State::Doubt => status::DOUBT,
            State::Refused => status::REFUSED,
            State::Refunded => status::REFUNDED,
        }
    }

    /// The earliest of its own deadlines, questions to the server apart.
    pub(super) fn own_deadline(&self) -> Option<Instant> {
        [self.report_at, self.nudge_at, self.window_at, self.pulse_end].into_iter().flatten().min()
    }

    pub(super) fn each_deadline(&self, asks: bool, tell: &mut dyn FnMut(&'static str, Instant)) {
        let mut one = |name, at: Option<Instant>| at.into_iter().for_each(|at| tell(name, at));
        one("timer:status", self.report_at);
        one("timer:no-network", self.nudge_at);
        one("timer:pay-window", self.window_at);
        one("timer:pulse", self.pulse_end);
        if asks {
            one("timer:poll", self.ask_at);
        }
    }

    pub(super) fn digest(&self, into: &mut Digest) {
        let mut terms = Vec::new();
        self.terms.encode(&mut terms);
        into.bytes(&terms).text(self.state.as_str()).bytes(&self.link);
        for flag in [self.link_told, self.heard, self.unmade, self.reported, self.waits_for_relay] {
            into.flag(flag);
        }
        for status in [self.told, self.said] {
            into.word(status.map_or(u64::MAX, u64::from));
        }
        for at in [self.report_at, self.ask_at, self.nudge_at, self.window_at, self.pulse_end] {
            into.deadline(at);
        }
    }

    /// Whether the server has to make it, rather than to say how it stands.
    pub(super) const fn is_to_be_made(&self) -> bool {
        matches!(self.state, State::New | State::LinkReq)
            || (self.unmade && matches!(self.state, State::AwaitPay))
    }
}

/// How an order ended that is settled, as the host is told.
const fn settled_status(standing: State) -> u8 {
    match standing {
        State::Closed => status::CLOSED,
        State::Refused => status::REFUSED,
        State::Refunded => status::REFUNDED,
        State::Doubt => status::DOUBT,
        _ => status::PAID,
    }
}

impl Firmware {
    /// The host wants an order paid.
    pub(super) fn host_pays(&mut self, lent: &mut Lent<'_>, sequence: u8, order: OrderNumber, terms: Terms) {
        let known = self.store.order(order).map(|kept| (kept.terms, kept.state));
        let anew = lent.setup.policy.same_number == SameNumber::BeginsAnew;
        match known {
            Some((other, _)) if other != terms => self.refuse(lent, sequence, host_error::ORDER_DIFFERS),
            Some(_) if !anew => {
                let (status, link) = self.standing(lent, order);
                self.tell_host(lent, &HostMessage::PayAnswer { status, link }, sequence);
            }
            _ if self.live.len() >= lent.setup.config.orders_max => {
                self.refuse(lent, sequence, host_error::BUSY);
            }
            _ => self.accept(lent, sequence, order, terms),
        }
    }

    fn accept(&mut self, lent: &mut Lent<'_>, sequence: u8, order: OrderNumber, terms: Terms) {
        if let Err(error) = self.store.append(&mut lent.memory, order, terms) {
            let full = error == StoreError::Full;
            self.note(lent, ModuleEvent::StoreFailed);
            return self.refuse(lent, sequence, if full { host_error::BUSY } else { host_error::STORAGE });
        }
        self.note(lent, ModuleEvent::Became { order, state: State::New });
        let (at, config) = (lent.at(), &lent.setup.config);
        let mut live = Live::new(terms, State::New);
        live.ask_at = Some(at);
        live.nudge_at = Some(at + config.link_within);
        live.window_at = Some(at + config.pay_window);
        live.report_at = Some(at + config.status_again);
        live.said = Some(status::WAITING_LINK);
        self.live.insert(order, live);
        let (status, link) = self.standing(lent, order);
        self.tell_host(lent, &HostMessage::PayAnswer { status, link }, sequence);
    }

    /// An order of before goes on.
    pub(super) fn resume(&mut self, lent: &mut Lent<'_>, order: OrderNumber) {
        let Some(kept) = self.store.order(order) else { return };
        let (now, config) = (lent.now.mono, &lent.setup.config);
        let mut live = Live::new(kept.terms, kept.state);
        live.ask_at = Some(now);
        live.nudge_at = Some(now + config.link_within);
        if live.state.is_open() && live.state != State::Closing {
            live.window_at = Some(now + config.pay_window);
        }
        let state = live.state;
        self.live.insert(order, live);
        match state {
            State::Paid => self.deliver(lent, order),
            State::Delivering => match lent.setup.policy.pulse_cut {
                PulseCut::InDoubt => self.become_(lent, order, State::Doubt),
                PulseCut::Repeated => self.deliver(lent, order),
                PulseCut::TakenAsGiven => self.become_(lent, order, State::Delivered),
            },
            _ => {}
        }
        self.report(lent, order, true);
    }

    pub(super) fn host_queries(&mut self, lent: &Lent<'_>, sequence: u8, order: OrderNumber) {
        if self.store.order(order).is_none() {
            return self.refuse(lent, sequence, host_error::NO_ORDER);
        }
        let (status, link) = self.standing(lent, order);
        self.tell_host(lent, &HostMessage::QueryAnswer { status, link }, sequence);
    }

    pub(super) fn host_cancels(&mut self, lent: &mut Lent<'_>, sequence: u8, order: OrderNumber) {
        if self.store.order(order).is_none() {
            return self.refuse(lent, sequence, host_error::NO_ORDER);
        }
        self.give_up(lent, order);
        let (status, _) = self.standing(lent, order);
        self.tell_host(lent, &HostMessage::CancelAnswer { status }, sequence);
    }

    pub(super) fn status_acked(&mut self, lent: &mut Lent<'_>, order: OrderNumber, acked: u8) {
        let online = self.link.is_up();
        let Some(live) = self.live.get_mut(&order) else { return };
        if live.status(lent.now.mono, online) != acked {
            return;
        }
        live.told = Some(acked);
        live.report_at = None;
        if acked == status::LINK_READY {
            live.link_told = true;
            live.told = Some(status::WAITING_PAYMENT);
            live.said = live.told;
        }
        self.note(lent, ModuleEvent::Acknowledged { order, status: acked });
        self.settle(lent, order);
    }

    /// The server is there again: it is asked about every order of which it may have news, and the host is told.
    pub(super) fn all_may_have_news(&mut self, lent: &Lent<'_>) {
        let now = lent.now.mono;
        let orders: Vec<OrderNumber> = self.live.keys().copied().collect();
        for order in orders {
            if let Some(live) = self.live.get_mut(&order) {
                let unreported = live.state == State::Delivered && !live.reported;
                if live.state.is_open() || live.state == State::Doubt || unreported {
                    live.ask_at = Some(now);
                }
            }
            self.report(lent, order, false);
        }
    }

    /// What is due of an order itself.
    pub(super) fn order_due(&mut self, lent: &mut Lent<'_>, order: OrderNumber) {
        let now = lent.now.mono;
        let Some(live) = self.live.get_mut(&order) else { return };
        let due = |at: &mut Option<Instant>| at.take_if(|at| *at <= now).is_some();
        let (over, nudged) = (due(&mut live.window_at), due(&mut live.nudge_at));
        let (again, pulsed) = (due(&mut live.report_at), due(&mut live.pulse_end));
        if pulsed {
            self.pulse_ended(lent, order);
        }
        if over {
            self.give_up(lent, order);
        }
        self.report(lent, order, again);
        if nudged {
            self.report(lent, order, false);
        }
    }

    /// An order is no longer wanted: the server is asked to see to it that nothing comes of it.
    fn give_up(&mut self, lent: &mut Lent<'_>, order: OrderNumber) {
        let Some(live) = self.live.get_mut(&order) else { return };
        if !live.state.is_open() || live.state == State::Closing {
            return;
        }
        live.window_at = None;
        self.become_(lent, order, State::Closing);
        if let Some(live) = self.live.get_mut(&order) {
            live.ask_at = Some(lent.at());
        }
        if lent.setup.policy.closed_told == ClosedTold::AtOnce {
            self.become_(lent, order, State::Closed);
        }
        self.report(lent, order, false);
    }

    /// The server has said how an order stands, asked or unasked.
    pub(super) fn server_says(&mut self, lent: &mut Lent<'_>, order: OrderNumber, body: &Body) {
        let poll = lent.setup.config.poll;
        if body.status == Some(status::REFUNDED) {
            self.revive(order);
        }
        let Some(live) = self.live.get_mut(&order) else { return };
        let ours = body.order == Some(order) && body.amount == Some(live.terms.amount);
        live.ask_at = Some(lent.at() + poll);
        if !ours && lent.setup.policy.answers == Check::Checked {
            return self.note(lent, ModuleEvent::Refused("another order, or another amount"));
        }
        live.heard = true;
        let said = body.status.unwrap_or(status::UNKNOWN);
        live.unmade = said == status::WAITING_LINK;
        let (state, open) = (live.state, live.state.is_open());
        match said {
            status::LINK_READY | status::WAITING_PAYMENT if open => {
                if let Some(link) = body.link.clone().filter(|_| live.link.is_empty()) {
                    live.link = link;
                }
                let there = !live.link.is_empty();
                if matches!(state, State::New | State::LinkReq) && there {
                    self.become_(lent, order, State::AwaitPay);
                }
                if there && lent.setup.policy.pulse_when == PulseWhen::LinkReady {
                    self.deliver(lent, order);
                }
            }
            status::PAID if open => self.paid(lent, order),
            status::CLOSED if open => self.become_(lent, order, State::Closed),
            status::REFUSED if open => self.become_(lent, order, State::Refused),
            status::REFUNDED if open || matches!(state, State::Doubt | State::Closed) => {
                self.become_(lent, order, State::Refunded);
            }
            _ => {}
        }
        self.report(lent, order, false);
        self.settle(lent, order);
    }

    /// Takes up an order once more that was settled as closed: money came late, and has gone back.
    fn revive(&mut self, order: OrderNumber) {
        let kept = self.store.order(order).filter(|kept| kept.state == State::Settled);
        if let Some(kept) = kept.filter(|kept| kept.standing() == State::Closed) {
            let live =
                Live { reported: true, told: Some(status::CLOSED), ..Live::new(kept.terms, State::Closed) };
            self.live.insert(order, live);
        }
    }

    /// The server knows what became of a delivery.
    pub(super) fn delivery_reported(&mut self, lent: &mut Lent<'_>, order: OrderNumber, body: &Body) {
        if let Some(live) = self.live.get_mut(&order) {
            live.reported = true;
        }
        self.server_says(lent, order, body);
        if let Some(live) = self.live.get_mut(&order).filter(|live| live.state == State::Delivered) {
            live.ask_at = None;
        }
        self.settle(lent, order);
    }

    fn paid(&mut self, lent: &mut Lent<'_>, order: OrderNumber) {
        let relay = self.live.get(&order).map_or(0, |live| live.terms.relay);
        self.become_(lent, order, State::Paid);
        if let Some(live) = self.live.get_mut(&order) {
            (live.window_at, live.nudge_at) = (None, None);
            if relay == 0 {
                live.ask_at = None;
            }
        }
        self.deliver(lent, order);
    }

    /// Switches an order's relay, or waits until it is free.
    fn deliver(&mut self, lent: &mut Lent<'_>, order: OrderNumber) {
        let Some(live) = self.live.get(&order) else { return };
        let (relay, pulse) = (live.terms.relay, Span::ms(u64::from(live.terms.pulse_ms)));
        if relay == 0 {
            return;
        }
        let in_use = self.live.values().any(|live| live.pulse_end.is_some() && live.terms.relay == relay);
        if !in_use && lent.setup.policy.pulse_record == PulseRecord::BeginAndEnd {
            self.become_(lent, order, State::Delivering);
        }
        let at = lent.at();
        let Some(live) = self.live.get_mut(&order) else { return };
        live.waits_for_relay = in_use;
        if !in_use {
            live.pulse_end = Some(at + pulse);
            live.ask_at = None;
            self.emit(lent, Output::Level { port: port::relay(relay), high: true });
        }
    }

    fn pulse_ended(&mut self, lent: &mut Lent<'_>, order: OrderNumber) {
        let Some(relay) = self.live.get(&order).map(|live| live.terms.relay) else { return };
        self.emit(lent, Output::Level { port: port::relay(relay), high: false });
        if lent.setup.policy.pulse_record != PulseRecord::Nothing {
            self.become_(lent, order, State::Delivered);
        }
        if let Some(live) = self.live.get_mut(&order) {
            live.ask_at = Some(lent.at());
        }
        let waiting = self.live.iter().find(|(_, live)| live.waits_for_relay && live.terms.relay == relay);
        if let Some(next) = waiting.map(|(order, _)| *order) {
            self.deliver(lent, next);
        }
    }

    /// Marks how far an order has come.
    pub(super) fn become_(&mut self, lent: &mut Lent<'_>, order: OrderNumber, state: State) {
        if self.store.mark(&mut lent.memory, order, state).is_err() {
            self.note(lent, ModuleEvent::StoreFailed);
        }
        if let Some(live) = self.live.get_mut(&order) {
            live.state = state;
            if !state.is_open() {
                live.window_at = None;
            }
            if matches!(state, State::Closed | State::Refused | State::Refunded) {
                (live.ask_at, live.reported) = (None, true);
            }
        }
        self.note(lent, ModuleEvent::Became { order, state });
    }

    /// Tells the host how an order stands, if that is news to it or is due again.
    fn report(&mut self, lent: &Lent<'_>, order: OrderNumber, again: bool) {
        let online = self.link.is_up();
        let Some(live) = self.live.get_mut(&order) else { return };
        let status = live.status(lent.now.mono, online);
        let due = again && live.told != Some(status);
        if live.said == Some(status) && !due {
            return;
        }
        let until_acked = lent.setup.policy.reports == Reports::UntilAcknowledged;
        live.said = Some(status);
        live.report_at = until_acked.then(|| lent.at() + lent.setup.config.status_again);
        let link = if status == status::LINK_READY { live.link.clone() } else { Vec::new() };
        let sequence = self.line.next_sequence();
        self.tell_host(lent, &HostMessage::Status { order, status, link }, sequence);
    }

    /// Closes the books on an order of which host and server know how it ended.
    pub(super) fn settle(&mut self, lent: &mut Lent<'_>, order: OrderNumber) {
        let Some(live) = self.live.get(&order) else { return };
        let delivered = match live.state {
            State::Paid => live.terms.relay == 0,
            State::Delivered | State::Closed | State::Refused | State::Refunded => true,
            _ => false,
        };
        let told = live.told == Some(live.status(lent.now.mono, true));
        if delivered && told && live.reported {
            if self.store.mark(&mut lent.memory, order, State::Settled).is_err() {
                self.note(lent, ModuleEvent::StoreFailed);
            }
            self.live.remove(&order);
            self.note(lent, ModuleEvent::Became { order, state: State::Settled });
        }
    }

    /// How an order stands, and its link while it can be paid.
    fn standing(&self, lent: &Lent<'_>, order: OrderNumber) -> (u8, Vec<u8>) {
        if let Some(live) = self.live.get(&order) {
            let status = live.status(lent.now.mono, self.link.is_up());
            let shown = matches!(status, status::LINK_READY | status::WAITING_PAYMENT);
            return (status, if shown { live.link.clone() } else { Vec::new() });
        }
        let standing = self.store.order(order).map_or(State::New, |kept| kept.standing());
        (settled_status(standing), Vec::new())
    }
}
