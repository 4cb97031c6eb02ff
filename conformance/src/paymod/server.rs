//! The server under test, with a test head in the module's place that says what no module should.

use std::cell::RefCell;

use assay_sim::machine::Port;
use assay_sim::paymod::frame::{Body, LinkKey, OrderNumber, Packet, command};
use assay_sim::paymod::module::port::LINK_FIRST;
use assay_sim::paymod::party::Stimulus;
use assay_sim::paymod::plant::Seating;
use assay_sim::probe::ProbeStimulus;
use assay_sim::tape::Seen;
use assay_sim::time::Span;
use assay_sim::wire::{Scan, Wire};

use super::stage::ORDER;
use super::{BASE, Case, SETUP, Setup, Stage};
use crate::paymod::scene::Scene;
use crate::stage::StageError;
use crate::system::Sut;

const HEADED: Case = Case {
    sut: Sut::Server,
    setup: Setup { seating: Seating::ProbeModule, ..SETUP },
    shows: &["PAY-L1"],
    ..BASE
};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case {
            id: "paymod/server/bad-orders",
            title: "Orders of nothing, of too much, of no platform, and with the number of another order",
            shows: &["PAY-L2"],
            run: bad_orders,
            ..HEADED
        },
        Case {
            id: "paymod/server/other-device",
            title: "A message names a device and is sealed with the key of another",
            run: other_device,
            ..HEADED
        },
        Case {
            id: "paymod/server/other-session",
            title: "A message of the session before comes once more on a new connection",
            run: other_session,
            ..HEADED
        },
        Case {
            id: "paymod/server/repeated",
            title: "One message comes twice, then its sequence with other content, then a lower sequence",
            shows: &["PAY-L1", "PAY-O5"],
            run: repeated,
            ..HEADED
        },
        Case {
            id: "paymod/server/damaged",
            title: "Messages with a wrong check, a wrong length and a broken seal come between sound ones",
            run: damaged,
            ..HEADED
        },
    ]
}

/// A head in the module's place, with what it knows.
struct Head {
    key: LinkKey,
    device: u32,
    port: Port,
    session: u64,
    sequence: u32,
}

impl Head {
    /// A head that has connected and logged in.
    fn log_in(stage: &mut Stage, port: Port) -> Result<Self, StageError> {
        let config = &stage.scene().profile.module;
        let (key, device, server) = (config.key, config.device, config.server);
        stage.stimulate("module", Stimulus::Probe(ProbeStimulus::Open(port, server)))?;
        stage.wait(Span::s(2))?;
        let mut head = Self { key, device, port, session: 0, sequence: 0 };
        let login = Body { command: command::LOGIN, nonce: Some(7), ..Body::default() };
        let answer = head.ask(stage, login)?;
        head.session = answer.map_or(0, |body| body.session);
        Ok(head)
    }

    /// The next message of this head.
    fn next(&mut self, body: Body) -> Body {
        self.sequence += 1;
        Body { sequence: self.sequence, device: self.device, session: self.session, ..body }
    }

    fn seal(&self, stage: &Stage, body: &Body) -> Packet {
        self.key.seal(stage.scene().profile.module.cipher, [9; 16], body)
    }

    /// Sends a message as it is, and waits for what is answered to its sequence.
    fn say(&self, stage: &mut Stage, packet: &Packet) -> Result<Option<Body>, StageError> {
        self.throw(stage, packet.to_bytes(&()))?;
        let (line, scene, sequence) = (stage.scene().link, stage.scene().clone(), packet.sequence);
        let heard: RefCell<Option<Body>> = RefCell::new(None);
        stage.wait_for(Span::s(9), &|entry| {
            let Seen::Heard { line: of, way: Scene::DOWN, bytes, .. } = &entry.what else { return false };
            if *of != line {
                return false;
            }
            let mut rest = &bytes[..];
            while let Scan::Frame { frame, used } = Packet::scan(&(), rest) {
                rest = &rest[used..];
                if frame.sequence == sequence {
                    heard.replace(scene.opened(&frame));
                    return true;
                }
            }
            false
        })?;
        Ok(heard.into_inner())
    }

    fn ask(&mut self, stage: &mut Stage, body: Body) -> Result<Option<Body>, StageError> {
        let body = self.next(body);
        let packet = self.seal(stage, &body);
        self.say(stage, &packet)
    }

    fn throw(&self, stage: &mut Stage, bytes: Vec<u8>) -> Result<(), StageError> {
        stage.stimulate("module", Stimulus::Probe(ProbeStimulus::Send(self.port, bytes)))
    }
}

fn create(order: OrderNumber, amount: u32, channel: u8) -> Body {
    let (order, amount, channel) = (Some(order), Some(amount), Some(channel));
    Body { command: command::CREATE, order, amount, channel, ..Body::default() }
}

fn bad_orders(stage: &mut Stage) -> Result<(), StageError> {
    let mut head = Head::log_in(stage, LINK_FIRST)?;
    for (nth, amount, channel) in [(1, 0, 1), (2, 100_001, 1), (3, u32::MAX, 2), (4, 1_250, 3)] {
        head.ask(stage, create(OrderNumber::of(nth), amount, channel))?;
    }
    head.ask(stage, create(ORDER, 100_000, 1))?;
    head.ask(stage, create(ORDER, 99_999, 1))?;
    stage.rest()
}

fn other_device(stage: &mut Stage) -> Result<(), StageError> {
    let mut head = Head::log_in(stage, LINK_FIRST)?;
    let other = stage.scene().profile.server.devices.iter().find(|one| one.number != head.device).copied();
    let other = other.ok_or_else(|| StageError::NoSuch("second device".to_owned()))?;
    // The other's key and the head's own number, and the other way round.
    let body = head.next(create(ORDER, 1_250, 1));
    let forged = other.key.seal(stage.scene().profile.module.cipher, [8; 16], &body);
    head.say(stage, &forged)?;
    let body = head.next(create(ORDER, 1_250, 1));
    let renamed = Packet { device: other.number, ..head.seal(stage, &body) };
    head.say(stage, &renamed)?;
    let unknown = Packet { device: 99, ..head.seal(stage, &body) };
    head.say(stage, &unknown)?;
    head.ask(stage, Body { command: command::HEARTBEAT, ..Body::default() })?;
    stage.rest()
}

fn other_session(stage: &mut Stage) -> Result<(), StageError> {
    let mut before = Head::log_in(stage, LINK_FIRST)?;
    let old = before.next(create(ORDER, 1_250, 1));
    let old = before.seal(stage, &old);
    let after = Head::log_in(stage, Port(LINK_FIRST.0 + 1))?;
    after.say(stage, &old)?;
    stage.rest()
}

fn repeated(stage: &mut Stage) -> Result<(), StageError> {
    let mut head = Head::log_in(stage, LINK_FIRST)?;
    head.ask(stage, Body { command: command::HEARTBEAT, ..Body::default() })?;
    let body = head.next(create(ORDER, 1_250, 1));
    let packet = head.seal(stage, &body);
    head.say(stage, &packet)?;
    stage.wait(Span::s(1))?;
    head.say(stage, &packet)?;
    let other = Body { order: Some(OrderNumber::of(7)), ..body.clone() };
    let other = head.seal(stage, &other);
    head.say(stage, &other)?;
    let lower = Body { sequence: body.sequence - 1, order: Some(OrderNumber::of(8)), ..body };
    let lower = head.seal(stage, &lower);
    head.say(stage, &lower)?;
    stage.rest()
}

fn damaged(stage: &mut Stage) -> Result<(), StageError> {
    let mut head = Head::log_in(stage, LINK_FIRST)?;
    let body = head.next(create(ORDER, 1_250, 1));
    let packet = head.seal(stage, &body);
    let mut check = packet.to_bytes(&());
    *check.last_mut().expect("a message has bytes") ^= 1;
    head.throw(stage, check)?;
    let mut length = packet.to_bytes(&());
    length[12] = 0xFF;
    head.throw(stage, length)?;
    stage.wait(Span::s(2))?;
    let mut broken = packet;
    broken.sealed[0] ^= 1;
    head.say(stage, &broken)?;
    head.ask(stage, Body { command: command::HEARTBEAT, ..Body::default() })?;
    stage.rest()
}
