//! The module under test, with a test head in the server's place that says what no server should.

use std::cell::RefCell;

use assay_sim::machine::Port;
use assay_sim::paymod::frame::{Body, LinkKey, OrderNumber, Packet, command, status};
use assay_sim::paymod::host::HostStimulus;
use assay_sim::paymod::party::Stimulus;
use assay_sim::paymod::plant::{LINKS, Seating};
use assay_sim::paymod::server::MODULES_FIRST;
use assay_sim::probe::ProbeStimulus;
use assay_sim::tape::Seen;
use assay_sim::time::Span;
use assay_sim::wire::{Scan, Wire};

use super::stage::{DRINK, ORDER};
use super::{BASE, Case, SETUP, Setup, Stage};
use crate::paymod::scene::Scene;
use crate::stage::StageError;
use crate::system::Sut;

const FORGED: Case = Case {
    sut: Sut::Terminal,
    setup: Setup { seating: Seating::ProbeServer, ..SETUP },
    shows: &["PAY-L4"],
    ..BASE
};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case {
            id: "paymod/module/link-of-another-amount",
            title: "The pay link comes with another amount than the host asked for",
            run: |stage| forged(stage, |body| body.amount = Some(1)),
            ..FORGED
        },
        Case {
            id: "paymod/module/link-of-another-order",
            title: "The pay link comes with the number of another order",
            run: |stage| forged(stage, |body| body.order = Some(OrderNumber::of(7))),
            ..FORGED
        },
        Case {
            id: "paymod/module/old-messages",
            title: "A push comes twice, with its sequence and other content, and from another session",
            shows: &["PAY-L1", "PAY-R1"],
            run: old_messages,
            ..FORGED
        },
    ]
}

/// A head in the server's place.
struct Head {
    key: LinkKey,
    conn: u16,
    session: u64,
}

/// The session of the head.
const SESSION: u64 = 0x5E55;

impl Head {
    /// A head to which the module has logged in.
    fn logged_in(stage: &mut Stage) -> Result<Self, StageError> {
        let key = stage.scene().profile.module.key;
        let mut head = Self { key, conn: 1, session: SESSION };
        if let Some((conn, body)) = Self::heard(stage, command::LOGIN)? {
            head.conn = conn;
            let answer = Body { nonce: body.nonce, ..Body::default() };
            head.answer(stage, &body, answer)?;
        }
        Ok(head)
    }

    /// Waits for the module's next message of this command.
    fn heard(stage: &mut Stage, command: u8) -> Result<Option<(u16, Body)>, StageError> {
        let (line, scene) = (stage.scene().link, stage.scene().clone());
        let heard: RefCell<Option<(u16, Body)>> = RefCell::new(None);
        stage.wait_for(Span::s(60), &|entry| {
            let Seen::Heard { line: of, way: Scene::UP, conn, bytes } = &entry.what else { return false };
            let mut rest = if *of == line { &bytes[..] } else { &[] };
            while let Scan::Frame { frame, used } = Packet::scan(&(), rest) {
                rest = &rest[used..];
                if frame.command == command {
                    heard.replace(scene.opened(&frame).map(|body| (*conn, body)));
                    return true;
                }
            }
            false
        })?;
        Ok(heard.into_inner())
    }

    fn answer(&self, stage: &mut Stage, to: &Body, answer: Body) -> Result<(), StageError> {
        let command = to.command | command::ANSWER;
        self.say(stage, &Body { command, sequence: to.sequence, ..answer })
    }

    fn say(&self, stage: &mut Stage, body: &Body) -> Result<(), StageError> {
        let profile = &stage.scene().profile;
        let (device, session) = (profile.module.device, body.session.max(self.session));
        let body = Body { device, session, ..body.clone() };
        let bytes = self.key.seal(profile.module.cipher, [5; 16], &body).to_bytes(&());
        let port = Port(MODULES_FIRST.0 + (self.conn - 1) % LINKS);
        stage.stimulate("server", Stimulus::Probe(ProbeStimulus::Send(port, bytes)))
    }

    /// Takes an order of the module's host and answers with a pay link, as it is made of a sound one.
    fn offers(&self, stage: &mut Stage, spoil: fn(&mut Body)) -> Result<(), StageError> {
        stage.host(HostStimulus::Pay(ORDER, DRINK))?;
        if let Some((_, create)) = Self::heard(stage, command::CREATE)? {
            let mut answer = Body {
                order: create.order,
                amount: create.amount,
                status: Some(status::LINK_READY),
                link: Some(b"weixin://wxpay/bizpayurl?pr=forged".to_vec()),
                ..Body::default()
            };
            spoil(&mut answer);
            self.answer(stage, &create, answer)?;
        }
        Ok(())
    }
}

fn forged(stage: &mut Stage, spoil: fn(&mut Body)) -> Result<(), StageError> {
    let head = Head::logged_in(stage)?;
    stage.wait(Span::s(2))?;
    head.offers(stage, spoil)?;
    // The module asks again, and is answered as it should be.
    if let Some((_, create)) = Head::heard(stage, command::CREATE)? {
        let answer = Body {
            order: create.order,
            amount: create.amount,
            status: Some(status::LINK_READY),
            link: Some(b"weixin://wxpay/bizpayurl?pr=good".to_vec()),
            ..Body::default()
        };
        head.answer(stage, &create, answer)?;
    }
    stage.wait(Span::s(5))
}

fn old_messages(stage: &mut Stage) -> Result<(), StageError> {
    let head = Head::logged_in(stage)?;
    stage.wait(Span::s(2))?;
    head.offers(stage, |_| {})?;
    stage.wait(Span::s(2))?;
    let push = Body {
        command: command::PUSH,
        sequence: 4,
        order: Some(ORDER),
        amount: Some(DRINK.amount),
        status: Some(status::WAITING_PAYMENT),
        ..Body::default()
    };
    head.say(stage, &push)?;
    stage.wait(Span::s(1))?;
    head.say(stage, &push)?;
    stage.wait(Span::s(1))?;
    // Sealed with the right key, and of yesterday.
    let paid = Body { status: Some(status::PAID), ..push };
    for old in [
        paid.clone(),
        Body { sequence: 3, ..paid.clone() },
        Body { sequence: 9, session: u64::MAX, ..paid.clone() },
    ] {
        head.say(stage, &old)?;
        stage.wait(Span::s(2))?;
    }
    head.say(stage, &Body { sequence: 5, ..paid })?;
    stage.wait(Span::s(3))
}
