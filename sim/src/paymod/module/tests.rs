//! The module by itself, at literal times.

use super::{ModuleBoard, ModuleEvent, ModulePolicy, ModuleSetup, port};
use crate::flash::Chip;
use crate::machine::{Closing, Input, Machine, Output, Port};
use crate::paymod::frame::{
    Body, HostFrame, HostMessage, OrderNumber, Packet, Terms, command, host_error, status,
};
use crate::paymod::profile::Profile;
use crate::seed::Seed;
use crate::time::{Instant, Now, Wall};
use crate::wire::{Scan, Wire};

const ORDER: OrderNumber = OrderNumber::of(7);
const TERMS: Terms = Terms { amount: 1_250, channel: 1, relay: 1, pulse_ms: 500 };
const LINK: Port = port::LINK_FIRST;

struct Desk {
    profile: Profile,
    board: ModuleBoard,
}

impl Desk {
    /// A module without jitter that has just got its power.
    fn new() -> (Self, Vec<Output<ModuleEvent>>) {
        let profile = Profile::load(
            crate::paymod::profile::BUILT_IN,
            &"[module]\njitter_percent = 0".parse().unwrap(),
            1,
        )
        .unwrap();
        let setup = ModuleSetup {
            config: profile.module.clone(),
            flash: profile.flash.driver,
            store: profile.store,
            client: None,
            policy: ModulePolicy::hardened(),
        };
        let chip = Chip::new(profile.flash.chip);
        let mut desk = Self { profile, board: ModuleBoard::new(setup, chip, Seed(1).stream("module")) };
        let first = desk.give(0, Input::PowerOn);
        (desk, first)
    }

    fn give(&mut self, ms: u64, input: Input<'_, std::convert::Infallible>) -> Vec<Output<ModuleEvent>> {
        let now = Now { mono: Instant::from_us(ms * 1_000), wall: Wall::default() };
        self.board.handle_input(now, input);
        std::iter::from_fn(|| self.board.poll_output()).map(|stamped| stamped.what).collect()
    }

    fn bytes(&mut self, ms: u64, port: Port, bytes: &[u8]) -> Vec<Output<ModuleEvent>> {
        self.give(ms, Input::Received { port, bytes })
    }

    /// When the next deadline is.
    fn due_ms(&self) -> u64 {
        self.board.poll_timeout().unwrap().as_us() / 1_000
    }

    /// A module that is logged in, at 1 s.
    fn logged_in() -> Self {
        let (mut desk, _) = Self::new();
        let sent = desk.give(500, Input::Opened { port: LINK, from: None });
        let login = packets(&sent).pop().unwrap();
        let key = desk.profile.module.key;
        let body = key.open(desk.profile.module.cipher, &login).unwrap();
        assert_eq!((body.command, body.session), (command::LOGIN, 0));
        let answer = Body {
            command: command::LOGIN | command::ANSWER,
            sequence: body.sequence,
            device: body.device,
            session: 9,
            nonce: body.nonce,
            ..Body::default()
        };
        let bytes = key.seal(desk.profile.module.cipher, [1; 16], &answer).to_bytes(&());
        desk.bytes(1_000, LINK, &bytes);
        desk
    }
}

fn packets(outputs: &[Output<ModuleEvent>]) -> Vec<Packet> {
    let sent = outputs.iter().filter_map(|output| match output {
        Output::Transmit { port, bytes } if *port == LINK => Some(bytes),
        _ => None,
    });
    sent.map(|bytes| match Packet::scan(&(), bytes) {
        Scan::Frame { frame, .. } => frame,
        other => panic!("{other:?}"),
    })
    .collect()
}

fn told(outputs: &[Output<ModuleEvent>]) -> Vec<HostMessage> {
    let sent = outputs.iter().filter_map(|output| match output {
        Output::Transmit { port: port::HOST, bytes } => Some(bytes),
        _ => None,
    });
    sent.map(|bytes| match HostFrame::scan(&(), bytes) {
        Scan::Frame { frame, .. } => HostMessage::of(&frame).unwrap(),
        other => panic!("{other:?}"),
    })
    .collect()
}

fn opens(outputs: &[Output<ModuleEvent>]) -> Vec<Port> {
    let ports = outputs.iter().filter_map(|output| match output {
        Output::Open { port, .. } => Some(*port),
        _ => None,
    });
    ports.collect()
}

#[test]
fn a_cut_frame_is_dropped_after_fifty_milliseconds_and_not_sooner() {
    let frame = HostMessage::Query { order: ORDER }.frame(3).to_bytes(&());
    let no_order = vec![HostMessage::Error { code: host_error::NO_ORDER }];
    let (mut desk, _) = Desk::new();
    assert_eq!(told(&desk.bytes(100, port::HOST, &frame[..9])), vec![]);
    assert_eq!(desk.due_ms(), 150);
    assert_eq!(told(&desk.bytes(149, port::HOST, &frame[9..])), no_order);
    assert_eq!(told(&desk.bytes(200, port::HOST, &frame[..9])), vec![]);
    assert_eq!(told(&desk.give(250, Input::Deadline)), vec![]);
    assert_eq!(told(&desk.bytes(251, port::HOST, &frame[9..])), vec![]);
    assert_eq!(told(&desk.give(301, Input::Deadline)), vec![]);
    assert_eq!(told(&desk.bytes(302, port::HOST, &frame)), no_order);
}

#[test]
fn a_bad_frame_is_answered_with_an_error_and_never_acted_on() {
    let mut frame = HostMessage::Pay { order: ORDER, terms: TERMS }.frame(3).to_bytes(&());
    frame[27] ^= 1;
    let (mut desk, _) = Desk::new();
    assert_eq!(
        told(&desk.bytes(100, port::HOST, &frame)),
        vec![HostMessage::Error { code: host_error::CHECK }]
    );
    assert_eq!(desk.board.content().unwrap().orders().count(), 0);
}

#[test]
fn a_status_comes_again_every_two_seconds_until_it_is_acknowledged() {
    let pay = HostMessage::Pay { order: ORDER, terms: TERMS }.frame(1).to_bytes(&());
    let waiting = HostMessage::Status { order: ORDER, status: status::WAITING_LINK, link: Vec::new() };
    let (mut desk, _) = Desk::new();
    let answer = HostMessage::PayAnswer { status: status::WAITING_LINK, link: Vec::new() };
    assert_eq!(told(&desk.bytes(1_000, port::HOST, &pay)), vec![answer]);
    // The order is stored before it is answered, which takes a few milliseconds.
    let first = tells(&mut desk, 1_100, 3_100);
    let at = first[0].0;
    assert!(first == [(at, waiting.clone())] && (3_000..3_050).contains(&at), "{first:?}");
    assert_eq!(tells(&mut desk, at + 1, at + 2_050), [(at + 2_000, waiting)]);
    let ack = HostMessage::StatusAck { order: ORDER, status: status::WAITING_LINK }.frame(2).to_bytes(&());
    desk.bytes(at + 2_100, port::HOST, &ack);
    // Nobody has answered the module's connection by then.
    let gone = HostMessage::Status { order: ORDER, status: status::NETWORK, link: Vec::new() };
    let last = tells(&mut desk, at + 2_101, 31_200);
    let at = last[0].0;
    assert!(last == [(at, gone)] && (31_000..31_050).contains(&at), "{last:?}");
}

/// What the host is told from one millisecond to the next, and when.
fn tells(desk: &mut Desk, from: u64, to: u64) -> Vec<(u64, HostMessage)> {
    let at = |ms| told(&desk.give(ms, Input::Deadline)).into_iter().map(move |message| (ms, message));
    (from..to).flat_map(at).collect()
}

#[test]
fn pauses_grow_from_one_second_to_sixty() {
    let (mut desk, first) = Desk::new();
    assert_eq!(opens(&first), vec![LINK]);
    let mut at = 0;
    for (nth, pause) in [1, 2, 4, 8, 16, 32, 60, 60].into_iter().enumerate() {
        let refused = Port(LINK.0 + u16::try_from(nth).unwrap() % port::LINKS);
        desk.give(at + 100, Input::Closed { port: refused, why: Closing::Refused });
        at += 100 + pause * 1_000;
        assert_eq!(desk.due_ms(), at, "after {nth} failures");
        assert_eq!(opens(&desk.give(at - 1, Input::Deadline)), vec![]);
        assert_eq!(opens(&desk.give(at, Input::Deadline)).len(), 1);
    }
}

#[test]
fn the_server_is_asked_for_a_sign_of_life_three_times() {
    let mut desk = Desk::logged_in();
    assert_eq!(desk.due_ms(), 61_000);
    assert_eq!(packets(&desk.give(60_999, Input::Deadline)), vec![]);
    let first = packets(&desk.give(61_000, Input::Deadline));
    assert_eq!(first.len(), 1);
    for at in [71_000, 81_000] {
        assert_eq!(packets(&desk.give(at - 1, Input::Deadline)), vec![]);
        assert_eq!(packets(&desk.give(at, Input::Deadline)), first);
    }
    assert!(!desk.give(90_999, Input::Deadline).contains(&Output::Event(ModuleEvent::Lost)));
    assert!(desk.give(91_000, Input::Deadline).contains(&Output::Event(ModuleEvent::Lost)));
    assert_eq!(desk.due_ms(), 92_000);
}
