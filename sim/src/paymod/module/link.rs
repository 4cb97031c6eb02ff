//! The session with the server: login, one question at a time, heartbeat, and what the server says unasked.

use super::config::ModuleEvent;
use super::firmware::{Firmware, Lent};
use super::policy::{Check, Following, Heartbeat, Reconnect, Repeats};
use crate::digest::Digest;
use crate::paymod::frame::{Body, OrderNumber, Packet, command, refusal, status};
use crate::paymod::store::State;
use crate::time::{Instant, Span};
use crate::wire::{Scan, Wire};

/// How far the link has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    /// Waiting for the connection, or for the time to open it.
    #[default]
    Down,
    /// Connected, and not logged in.
    LoggingIn,
    /// Logged in.
    Up,
}

/// What was asked and is not answered.
#[derive(Clone, Debug)]
struct Asked {
    what: What,
    sequence: u32,
    bytes: Vec<u8>,
    sends: u32,
    due: Instant,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    Login,
    Heartbeat,
    Create(OrderNumber),
    Query(OrderNumber),
    Cancel(OrderNumber),
    /// A query that tells what became of the delivery.
    Report(OrderNumber),
    Data,
}

/// The session with the server.
#[derive(Clone, Debug, Default)]
pub(super) struct Link {
    phase: Phase,
    held: Vec<u8>,
    session: u64,
    nonce: u64,
    sequence: u32,
    asked: Option<Asked>,
    /// The server's last message: its sequence, what was in it, and the answer.
    last: Option<(u32, Body, Vec<u8>)>,
    /// Attempts in a row that ended before a login.
    failures: usize,
    /// When the connection is opened again.
    open_at: Option<Instant>,
    heartbeat_at: Option<Instant>,
}

impl Link {
    pub(super) fn is_up(&self) -> bool {
        self.phase == Phase::Up
    }

    pub(super) fn each_deadline(&self, tell: &mut dyn FnMut(&'static str, Instant)) {
        if let Some(asked) = &self.asked {
            tell("timer:answer", asked.due);
        } else if let Some(at) = self.heartbeat_at {
            tell("timer:heartbeat", at);
        }
        if let Some(at) = self.open_at {
            tell("timer:reconnect", at);
        }
    }

    pub(super) fn digest(&self, into: &mut Digest) {
        into.word(self.phase as u64).bytes(&self.held).word(self.session).word(self.nonce);
        into.word(u64::from(self.sequence)).word(self.failures as u64);
        into.deadline(self.open_at).deadline(self.heartbeat_at);
        if let Some(asked) = &self.asked {
            into.text(&format!("{:?}", asked.what)).word(u64::from(asked.sequence)).bytes(&asked.bytes);
            into.word(u64::from(asked.sends)).instant(asked.due);
        }
        if let Some((sequence, body, answer)) = &self.last {
            into.word(u64::from(*sequence)).bytes(&body.to_bytes()).bytes(answer);
        }
    }
}

impl Firmware {
    /// Whether the next question could leave now.
    pub(super) fn may_ask(&self) -> bool {
        self.link.phase == Phase::Up && self.link.asked.is_none()
    }

    pub(super) fn link_opened(&mut self, lent: &mut Lent<'_>) {
        let nonce = lent.draws.word();
        let failures = self.link.failures;
        self.link = Link { phase: Phase::LoggingIn, nonce, failures, ..Link::default() };
        let body = Body { command: command::LOGIN, nonce: Some(nonce), ..Body::default() };
        self.ask(lent, What::Login, body, lent.setup.config.login_timeout);
    }

    /// The connection is gone: it is opened again after a pause.
    pub(super) fn link_lost(&mut self, lent: &mut Lent<'_>) {
        let (config, now) = (&lent.setup.config, lent.now.mono);
        let failures = self.link.failures;
        let pause = config.backoff.get(failures).or(config.backoff.last()).copied().unwrap_or_default();
        let jitter = match lent.setup.policy.reconnect {
            Reconnect::BackOff => lent.draws.below(pause.as_us() * config.jitter_percent / 100 + 1),
            Reconnect::WithoutJitter | Reconnect::AtOnce => 0,
        };
        let pause = if lent.setup.policy.reconnect == Reconnect::AtOnce { Span::ZERO } else { pause };
        self.link = Link { failures: failures.saturating_add(1), ..Link::default() };
        if !self.has_modem() {
            self.link.open_at = Some(now + pause + Span::us(jitter));
        }
        self.note(lent, ModuleEvent::Lost);
    }

    fn give_link_up(&mut self, lent: &mut Lent<'_>) {
        self.drop_net(lent);
        self.link_lost(lent);
    }

    pub(super) fn link_due(&mut self, lent: &mut Lent<'_>) {
        let now = lent.now.mono;
        if self.link.open_at.take_if(|at| *at <= now).is_some() {
            self.open_net(lent);
        }
        let Some(asked) = self.link.asked.as_mut().filter(|asked| asked.due <= now) else { return };
        if asked.what == What::Login || asked.sends >= lent.setup.config.sends_max {
            if lent.setup.policy.heartbeat == Heartbeat::None && asked.what != What::Login {
                // A design that asks for no sign of life takes none for the end either.
                self.link.asked = None;
                return;
            }
            return self.give_link_up(lent);
        }
        asked.sends += 1;
        asked.due = now + lent.setup.config.answer_timeout;
        let bytes = asked.bytes.clone();
        self.send_net(lent, bytes);
    }

    /// Asks the next question, if none is open.
    pub(super) fn pump_link(&mut self, lent: &mut Lent<'_>) {
        while self.may_ask() {
            let now = lent.now.mono;
            let due = self.live.iter().filter_map(|(order, live)| Some((live.ask_at?, *order)));
            let order = due.filter(|(at, _)| *at <= lent.memory.at()).min().map(|(_, order)| order);
            if let Some(order) = order {
                self.ask_about(lent, order);
            } else if !self.channels.up.is_empty() {
                let len = self.channels.up.len().min(lent.setup.config.data_max);
                let data = Some(self.channels.up.drain(..len).collect());
                let body = Body { command: command::DATA, data, ..Body::default() };
                self.ask(lent, What::Data, body, lent.setup.config.answer_timeout);
            } else if self.link.heartbeat_at.is_some_and(|at| at <= now) {
                self.link.heartbeat_at = None;
                let body = Body { command: command::HEARTBEAT, ..Body::default() };
                self.ask(lent, What::Heartbeat, body, lent.setup.config.answer_timeout);
            } else {
                break;
            }
        }
    }

    /// Asks about an order what there is to ask.
    fn ask_about(&mut self, lent: &mut Lent<'_>, order: OrderNumber) {
        let polls = lent.setup.policy.following != Following::PushAlone;
        let Some(live) = self.live.get_mut(&order) else { return };
        live.ask_at = None;
        let (terms, state) = (live.terms, live.state);
        let mut body = Body { order: Some(order), amount: Some(terms.amount), ..Body::default() };
        let what = if live.is_to_be_made() {
            (body.command, body.channel) = (command::CREATE, Some(terms.channel));
            What::Create(order)
        } else {
            match state {
                State::Closing => {
                    (body.command, body.channel) = (command::CANCEL, Some(terms.channel));
                    What::Cancel(order)
                }
                State::Delivered | State::Doubt if !live.reported => {
                    let doubt = state == State::Doubt;
                    body.command = command::QUERY;
                    body.delivery = Some(if doubt { status::DOUBT } else { status::PAID });
                    What::Report(order)
                }
                State::AwaitPay | State::Doubt if polls => {
                    body.command = command::QUERY;
                    What::Query(order)
                }
                _ => return,
            }
        };
        if state == State::New {
            self.become_(lent, order, State::LinkReq);
        }
        self.ask(lent, what, body, lent.setup.config.answer_timeout);
    }

    fn ask(&mut self, lent: &mut Lent<'_>, what: What, body: Body, within: Span) {
        self.link.sequence = self.link.sequence.wrapping_add(1);
        let sequence = self.link.sequence;
        let bytes = self.sealed(lent, body, sequence);
        let due = lent.at() + within;
        self.link.asked = Some(Asked { what, sequence, bytes: bytes.clone(), sends: 1, due });
        self.link.heartbeat_at = None;
        self.send_net(lent, bytes);
    }

    fn sealed(&self, lent: &mut Lent<'_>, body: Body, sequence: u32) -> Vec<u8> {
        let config = &lent.setup.config;
        let time_s = u32::try_from(lent.now.wall.as_us() / 1_000_000).unwrap_or(0);
        let body = Body { sequence, device: config.device, session: self.link.session, time_s, ..body };
        let mut iv = [0; 16];
        iv[..8].copy_from_slice(&lent.draws.word().to_be_bytes());
        iv[8..].copy_from_slice(&lent.draws.word().to_be_bytes());
        config.key.seal(config.cipher, iv, &body).to_bytes(&())
    }

    pub(super) fn hear_link(&mut self, lent: &mut Lent<'_>, bytes: &[u8]) {
        self.link.held.extend_from_slice(bytes);
        while !self.link.held.is_empty() {
            match Packet::scan(&(), &self.link.held) {
                Scan::NeedMore => break,
                Scan::Junk { used, why } => {
                    self.link.held.drain(..used.min(self.link.held.len()));
                    self.note(lent, ModuleEvent::Refused(why));
                }
                Scan::Frame { frame, used } => {
                    self.link.held.drain(..used);
                    self.packet(lent, &frame);
                }
            }
        }
    }

    fn packet(&mut self, lent: &mut Lent<'_>, packet: &Packet) {
        let config = &lent.setup.config;
        let Ok(body) = config.key.open(config.cipher, packet) else {
            return self.note(lent, ModuleEvent::Refused("its seal is broken"));
        };
        if body.device != config.device {
            return self.note(lent, ModuleEvent::Refused("another device"));
        }
        let answers = body.command & command::ANSWER != 0 || body.command == command::ERROR;
        if !answers && self.link.phase != Phase::Up {
            return self.note(lent, ModuleEvent::Refused("nobody is logged in"));
        }
        let logs_in = self.link.phase == Phase::LoggingIn;
        let checks = lent.setup.policy.sessions == Check::Checked;
        if !logs_in && checks && body.session != self.link.session && body.command != command::ERROR {
            return self.note(lent, ModuleEvent::Refused("another session"));
        }
        if answers { self.answered(lent, &body) } else { self.told(lent, body) }
    }

    /// An answer to the question that is open.
    fn answered(&mut self, lent: &mut Lent<'_>, body: &Body) {
        let expected = self.link.asked.as_ref().is_some_and(|asked| asked.sequence == body.sequence);
        if !expected {
            return self.note(lent, ModuleEvent::Refused("nothing was asked with this sequence"));
        }
        let Some(what) = self.link.asked.as_ref().map(|asked| asked.what.clone()) else { return };
        if body.command == command::ERROR {
            return self.not_acted_on(lent, &what, body);
        }
        if body.command != command_of(&what) | command::ANSWER {
            return self.note(lent, ModuleEvent::Refused("the answer to something else"));
        }
        if what == What::Login {
            let fresh = body.nonce == Some(self.link.nonce) || lent.setup.policy.sessions == Check::Ignored;
            if !fresh {
                return self.note(lent, ModuleEvent::Refused("the answer to another login"));
            }
            self.link.phase = Phase::Up;
            self.link.session = body.session;
            self.link.failures = 0;
            self.note(lent, ModuleEvent::LoggedIn);
        }
        self.link.asked = None;
        if lent.setup.policy.heartbeat == Heartbeat::Kept {
            self.link.heartbeat_at = Some(lent.now.mono + lent.setup.config.heartbeat);
        }
        match what {
            What::Create(order) | What::Query(order) | What::Cancel(order) => {
                self.server_says(lent, order, body);
            }
            What::Report(order) => self.delivery_reported(lent, order, body),
            What::Login => self.all_may_have_news(lent),
            What::Heartbeat | What::Data => {}
        }
    }

    fn not_acted_on(&mut self, lent: &mut Lent<'_>, what: &What, body: &Body) {
        if body.refusal != Some(refusal::LATER) {
            return self.give_link_up(lent);
        }
        self.link.asked = None;
        self.link.heartbeat_at = Some(lent.now.mono + lent.setup.config.heartbeat);
        let order = match what {
            What::Create(order) | What::Query(order) | What::Cancel(order) | What::Report(order) => order,
            What::Login | What::Heartbeat | What::Data => return,
        };
        if let Some(live) = self.live.get_mut(order) {
            live.ask_at = Some(lent.at() + lent.setup.config.poll);
        }
    }

    /// Something that the server says unasked.
    fn told(&mut self, lent: &mut Lent<'_>, body: Body) {
        if let Some((sequence, last, answer)) = &self.link.last
            && lent.setup.policy.repeats == Repeats::Recognised
        {
            // The clock may have gone on between two sendings of one message.
            let same = Body { time_s: last.time_s, ..body.clone() } == *last;
            if body.sequence == *sequence && same {
                let answer = answer.clone();
                return self.send_net(lent, answer);
            }
            if body.sequence <= *sequence {
                return self.note(lent, ModuleEvent::Refused("a sequence that has been"));
            }
        }
        let mut answer = Body { command: body.command | command::ANSWER, ..Body::default() };
        match body.command {
            command::PUSH => {
                let Some(order) = body.order else {
                    return self.note(lent, ModuleEvent::Refused("no order"));
                };
                if lent.setup.policy.following == Following::PollingAlone {
                    return;
                }
                (answer.order, answer.status) = (Some(order), body.status);
                self.server_says(lent, order, &body);
            }
            command::DATA => {
                if !self.server_data(lent, body.data.clone().unwrap_or_default()) {
                    answer.command = command::ERROR;
                    answer.refusal = Some(refusal::LATER);
                }
            }
            _ => return self.note(lent, ModuleEvent::Refused("no such command")),
        }
        let bytes = self.sealed(lent, answer, body.sequence);
        self.link.last = Some((body.sequence, body, bytes.clone()));
        self.send_net(lent, bytes);
    }
}

const fn command_of(what: &What) -> u8 {
    match what {
        What::Login => command::LOGIN,
        What::Heartbeat => command::HEARTBEAT,
        What::Create(_) => command::CREATE,
        What::Query(_) | What::Report(_) => command::QUERY,
        What::Cancel(_) => command::CANCEL,
        What::Data => command::DATA,
    }
}
