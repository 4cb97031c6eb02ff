//! Sessions with modules: who has logged in, what is a repeat, what is to be refused, and what they are told unasked.

use super::books::{BookRecord, Entry};
use super::config::ServerEvent;
use super::firmware::{Deed, Firmware, Lent, Waiting};
use super::policy::{Devices, Replays, SameSequence};
use crate::digest::Digest;
use crate::machine::{Close, Output, Port};
use crate::paymod::frame::{Body, LinkKey, OrderNumber, Packet, command, refusal, status};
use crate::time::Instant;
use crate::wire::{Scan, Wire};

/// A connection of a module.
#[derive(Clone, Debug, Default)]
pub(super) struct Conn {
    pub(super) held: Vec<u8>,
}

/// What a module's last message was, and what it was answered.
#[derive(Clone, Debug)]
struct Last {
    sequence: u32,
    body: Body,
    /// Nothing while the answer is not known.
    answer: Option<Vec<u8>>,
}

/// What a module was told unasked and has not acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Told {
    /// How an order stands.
    Order(OrderNumber, u8),
    /// Bytes of the free channel.
    Data(Vec<u8>),
}

#[derive(Clone, Debug)]
struct Pushed {
    told: Told,
    sequence: u32,
    bytes: Vec<u8>,
    sends: u32,
}

/// A module that is logged in.
#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) number: u64,
    port: Port,
    last: Option<Last>,
    /// The server's own count.
    sequence: u32,
    pushed: Option<Pushed>,
}

impl Session {
    pub(super) fn digest(&self, into: &mut Digest) {
        into.word(self.number).word(u64::from(self.port.0)).word(u64::from(self.sequence));
        if let Some(last) = &self.last {
            into.word(u64::from(last.sequence)).bytes(&last.body.to_bytes());
            into.bytes(last.answer.as_deref().unwrap_or_default());
        }
        if let Some(pushed) = &self.pushed {
            into.text(&format!("{:?}", pushed.told)).word(u64::from(pushed.sends)).bytes(&pushed.bytes);
        }
    }
}

impl Firmware {
    pub(super) fn hear_module(&mut self, lent: &mut Lent<'_>, port: Port, bytes: &[u8]) {
        let Some(conn) = self.conns.get_mut(&port) else { return };
        conn.held.extend_from_slice(bytes);
        while let Some(conn) = self.conns.get_mut(&port).filter(|conn| !conn.held.is_empty()) {
            match Packet::scan(&(), &conn.held) {
                Scan::NeedMore => break,
                Scan::Junk { used, why } => {
                    conn.held.drain(..used.min(conn.held.len()));
                    self.note(lent.now.mono, ServerEvent::Refused(why));
                }
                Scan::Frame { frame, used } => {
                    conn.held.drain(..used);
                    self.packet(lent, port, &frame);
                }
            }
        }
    }

    pub(super) fn module_gone(&mut self, port: Port) {
        self.conns.remove(&port);
        self.sessions.retain(|_, session| session.port != port);
    }

    fn key_of(lent: &Lent<'_>, device: u32) -> Option<LinkKey> {
        let devices = &lent.setup.config.devices;
        devices.iter().find(|one| one.number == device).map(|one| one.key)
    }

    /// What is in a message that comes from the device that it names.
    fn opened(lent: &Lent<'_>, packet: &Packet) -> Result<Body, &'static str> {
        let config = &lent.setup.config;
        let own = Self::key_of(lent, packet.device).ok_or("an unknown device")?;
        if let Ok(body) = own.open(config.cipher, packet) {
            return Ok(body);
        }
        if lent.setup.policy.devices == Devices::AnyKey {
            let any = config.devices.iter().find_map(|device| device.key.open(config.cipher, packet).ok());
            return any.ok_or("its seal is broken");
        }
        Err("its seal is broken")
    }

    fn packet(&mut self, lent: &mut Lent<'_>, port: Port, packet: &Packet) {
        let body = match Self::opened(lent, packet) {
            Ok(body) => body,
            Err(why) => return self.note(lent.now.mono, ServerEvent::Refused(why)),
        };
        if body.command == command::LOGIN {
            return self.log_in(lent, port, &body);
        }
        let checks = lent.setup.policy.replays == Replays::Refused;
        let known = self.sessions.get(&body.device);
        let sound = known.is_some_and(|known| known.number == body.session && known.port == port);
        if !sound && (checks || known.is_none()) {
            self.note(lent.now.mono, ServerEvent::Refused("another session"));
            let error = Body {
                command: command::ERROR,
                refusal: Some(refusal::SESSION),
                sequence: body.sequence,
                device: body.device,
                session: body.session,
                ..Body::default()
            };
            if let Some(bytes) = Self::sealed(lent, error) {
                self.emit(lent.now.mono, Output::Transmit { port, bytes });
            }
            return;
        }
        if body.command & command::ANSWER != 0 {
            return self.acknowledged(lent, &body);
        }
        if self.is_new(lent, &body, checks) {
            self.asked(lent, &body);
        }
    }

    /// Whether a module's message is one that has not been; the last one again gets the same answer.
    fn is_new(&mut self, lent: &Lent<'_>, body: &Body, checks: bool) -> bool {
        let Some(session) = self.sessions.get_mut(&body.device) else { return false };
        if let Some(last) = &session.last {
            if last.sequence == body.sequence && last.body == *body {
                if lent.setup.policy.same_sequence == SameSequence::DoneAgain {
                    return true;
                }
                if let Some(bytes) = last.answer.clone() {
                    let (device, number) = (body.device, session.number);
                    self.send_module(lent, device, number, bytes);
                }
                return false;
            }
            if body.sequence <= last.sequence && checks {
                self.note(lent.now.mono, ServerEvent::Refused("a sequence that has been"));
                return false;
            }
        }
        session.last = Some(Last { sequence: body.sequence, body: body.clone(), answer: None });
        true
    }

    fn log_in(&mut self, lent: &mut Lent<'_>, port: Port, body: &Body) {
        let number = lent.draws.word();
        let device = body.device;
        let session = Session { number, port, last: None, sequence: 0, pushed: None };
        if let Some(old) = self.sessions.insert(device, session)
            && old.port != port
            && self.conns.remove(&old.port).is_some()
        {
            self.emit(lent.now.mono, Output::Close { port: old.port, how: Close::Reset });
        }
        self.note(lent.now.mono, ServerEvent::LoggedIn(device));
        let answer = Body {
            command: command::LOGIN | command::ANSWER,
            sequence: body.sequence,
            device,
            session: number,
            nonce: body.nonce,
            ..Body::default()
        };
        if let Some(bytes) = Self::sealed(lent, answer) {
            self.plan(lent.now.mono, Deed::Send(device, number, bytes));
        }
        self.plan(lent.now.mono, Deed::Push(device));
    }

    fn asked(&mut self, lent: &mut Lent<'_>, body: &Body) {
        match body.command {
            command::HEARTBEAT => self.reply(lent, body, Body::default(), lent.now.mono),
            command::DATA => {
                let bytes = body.data.clone().unwrap_or_default();
                self.emit(lent.now.mono, Output::Transmit { port: super::CHANNEL, bytes });
                self.reply(lent, body, Body::default(), lent.now.mono);
            }
            command::CREATE => self.module_creates(lent, body),
            command::QUERY => self.module_queries(lent, body),
            command::CANCEL => self.module_cancels(lent, body),
            _ => self.note(lent.now.mono, ServerEvent::Refused("no such command")),
        }
    }

    /// Answers a module's message.
    pub(super) fn reply(&mut self, lent: &mut Lent<'_>, to: &Body, answer: Body, at: Instant) {
        let Some(session) = self.sessions.get(&to.device) else { return };
        let waiting = Waiting { device: to.device, session: session.number, sequence: to.sequence };
        let command = to.command | command::ANSWER;
        self.reply_to(lent, waiting, Body { command, ..answer }, at);
    }

    /// Answers a module that waits.
    pub(super) fn reply_to(&mut self, lent: &mut Lent<'_>, to: Waiting, answer: Body, at: Instant) {
        let Waiting { device, session: number, sequence } = to;
        let body = Body { sequence, device, session: number, ..answer };
        let Some(bytes) = Self::sealed(lent, body) else { return };
        if let Some(session) = self.sessions.get_mut(&device).filter(|session| session.number == number)
            && let Some(last) = session.last.as_mut().filter(|last| last.sequence == sequence)
        {
            last.answer = Some(bytes.clone());
        }
        if at <= lent.now.mono {
            self.send_module(lent, device, number, bytes);
        } else {
            self.plan(at, Deed::Send(device, number, bytes));
        }
    }

    /// What a module is told of an order.
    pub(super) fn told_of(order: OrderNumber, entry: &Entry) -> Body {
        let status = entry.standing.status();
        let shown = status == status::LINK_READY;
        Body {
            order: Some(order),
            amount: u32::try_from(entry.amount.0).ok(),
            status: Some(status),
            link: shown.then(|| entry.link.clone().into_bytes()),
            ..Body::default()
        }
    }

    fn sealed(lent: &mut Lent<'_>, body: Body) -> Option<Vec<u8>> {
        let key = Self::key_of(lent, body.device)?;
        let time_s = u32::try_from(lent.now.wall.as_us() / 1_000_000).unwrap_or(0);
        let mut iv = [0; 16];
        iv[..8].copy_from_slice(&lent.draws.word().to_be_bytes());
        iv[8..].copy_from_slice(&lent.draws.word().to_be_bytes());
        Some(key.seal(lent.setup.config.cipher, iv, &Body { time_s, ..body }).to_bytes(&()))
    }

    pub(super) fn send_module(&mut self, lent: &Lent<'_>, device: u32, number: u64, bytes: Vec<u8>) {
        let session = self.sessions.get(&device).filter(|session| session.number == number);
        if let Some(port) = session.map(|session| session.port) {
            self.emit(lent.now.mono, Output::Transmit { port, bytes });
        }
    }

    /// Tells a module the next thing that it does not know, if nothing is unacknowledged.
    pub(super) fn push(&mut self, lent: &mut Lent<'_>, device: u32) {
        let Some(session) = self.sessions.get(&device).filter(|session| session.pushed.is_none()) else {
            return;
        };
        let number = session.number;
        let from = (device, OrderNumber::of(0));
        let next = self.untold.range(from..).next().filter(|(of, _)| *of == device).copied();
        let (told, mut body) = if let Some((_, order)) = next {
            let Some(entry) = self.books.order(order) else { return };
            let body = Self::told_of(order, entry);
            (Told::Order(order, entry.standing.status()), Body { command: command::PUSH, ..body })
        } else if !self.data.is_empty() {
            let len = self.data.len().min(lent.setup.config.data_max);
            let data: Vec<u8> = self.data.drain(..len).collect();
            let body = Body { command: command::DATA, data: Some(data.clone()), ..Body::default() };
            (Told::Data(data), body)
        } else {
            return;
        };
        let Some(session) = self.sessions.get_mut(&device) else { return };
        session.sequence = session.sequence.wrapping_add(1);
        let sequence = session.sequence;
        (body.sequence, body.device, body.session) = (sequence, device, number);
        let Some(bytes) = Self::sealed(lent, body) else { return };
        if let Some(session) = self.sessions.get_mut(&device) {
            session.pushed = Some(Pushed { told, sequence, bytes: bytes.clone(), sends: 1 });
        }
        self.send_module(lent, device, number, bytes);
        let due = lent.now.mono + lent.setup.config.answer_timeout;
        self.plan(due, Deed::Unacked(device, number, sequence));
    }

    pub(super) fn unacked(&mut self, lent: &Lent<'_>, device: u32, number: u64, sequence: u32) {
        let session = self.sessions.get_mut(&device).filter(|session| session.number == number);
        let Some(session) = session else { return };
        let Some(pushed) = session.pushed.as_mut().filter(|pushed| pushed.sequence == sequence) else {
            return;
        };
        if pushed.sends >= lent.setup.config.sends_max {
            let port = session.port;
            self.module_gone(port);
            return self.emit(lent.now.mono, Output::Close { port, how: Close::Reset });
        }
        pushed.sends += 1;
        let bytes = pushed.bytes.clone();
        self.send_module(lent, device, number, bytes);
        let due = lent.now.mono + lent.setup.config.answer_timeout;
        self.plan(due, Deed::Unacked(device, number, sequence));
    }

    /// A module has taken what it was told, or cannot yet.
    fn acknowledged(&mut self, lent: &mut Lent<'_>, body: &Body) {
        let Some(session) = self.sessions.get_mut(&body.device) else { return };
        let Some(pushed) = session.pushed.take_if(|pushed| pushed.sequence == body.sequence) else {
            return self.note(lent.now.mono, ServerEvent::Refused("nothing was told with this sequence"));
        };
        let mut next = lent.now.mono;
        match pushed.told {
            Told::Order(order, status) => {
                let current = self.books.order(order).map(|entry| entry.standing.status());
                if current == Some(status) {
                    self.untold.remove(&(body.device, order));
                }
                self.enter(lent, BookRecord::Told { order, status });
                Self::durable(lent);
            }
            Told::Data(data) if body.command == command::ERROR => {
                for byte in data.into_iter().rev() {
                    self.data.push_front(byte);
                }
                next += lent.setup.config.again_after;
            }
            Told::Data(_) => {}
        }
        self.plan(next, Deed::Push(body.device));
    }

    /// Bytes for a module from behind the server.
    pub(super) fn hear_channel(&mut self, lent: &mut Lent<'_>, bytes: &[u8]) {
        let room = lent.setup.config.data_held_max.saturating_sub(self.data.len());
        self.data.extend(&bytes[..bytes.len().min(room)]);
        if let Some(device) = self.sessions.keys().next().copied() {
            self.push(lent, device);
        }
    }
}
