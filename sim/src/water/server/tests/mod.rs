//! The message server with literal times.

mod connections;
mod durability;
mod hostile;
mod negatives;

use serde::Deserialize;

use crate::card::number::CardNumber;
use crate::journal::JournalConfig;
use crate::machine::{Close, Input, Machine, Output, Port};
use crate::money::Volume;
use crate::time::{Instant, Now, Span, Wall};
use crate::water::frame::{
    Answer, FrameFormat, MachineNumber, Message, Offer, OrderNumber, Request, UploadState, WriteResult,
};
use crate::water::payments::{LineFormat, PaymentsConfig};
use crate::water::server::policy::ServerPolicy;
use crate::water::server::{
    OrderAnswerForm, ServerBoard, ServerConfig, ServerEvent, ServerSetup, ServerStimulus,
};
use crate::water::tariff::{Pricing, Tariff};
use crate::wire::{Scan, Wire};

const TERMINAL_A: Port = Port(16);
const TERMINAL_B: Port = Port(17);
const FRONT: Port = Port(1_000);

/// A heartbeat and its answer at 2026-01-02 03:04:05, as computed by an independent implementation.
const HEARTBEAT: [u8; 14] = *b"\xAA\x55\x00\x00\x01\x00\x0C\x20\x18\x01\x09\x25\x62\x2A";
const HEARTBEAT_ANSWER: [u8; 28] = *b"\xAA\x55\x11\x00\x01\x00\x1A\x20\x18\x01\x09\x2520260102030405\xDC\x37";

#[derive(Deserialize)]
struct Profile {
    server: ServerConfig,
    frame: FrameFormat,
    payments: PaymentsConfig,
    tariff: Tariff,
    journal: JournalConfig,
}

/// The built-in profile: 5 ms of service, 2 ms a sync, flat water at 3.50 a tonne.
fn setup() -> ServerSetup {
    let profile: Profile =
        toml::from_str(include_str!("../../../../../fixtures/profiles/water.toml")).unwrap();
    ServerSetup {
        config: profile.server,
        frame: profile.frame,
        line: profile.payments.line,
        tariff: profile.tariff,
        journal: profile.journal,
        policy: ServerPolicy::hardened(),
    }
}

/// The same with no time of service, so that durability alone decides.
fn swift() -> ServerSetup {
    let setup = setup();
    ServerSetup { config: ServerConfig { service: Span::ZERO, ..setup.config }, ..setup }
}

fn card() -> CardNumber {
    CardNumber::parse(b"0012345678").unwrap()
}

fn order(number: u128) -> OrderNumber {
    OrderNumber::new(number).unwrap()
}

fn machine() -> MachineNumber {
    MachineNumber::parse(b"2018010925").unwrap()
}

fn bytes_of(request: Request) -> Vec<u8> {
    Message::Request { pricing: Pricing::Flat, request }.to_frame(1, machine()).to_bytes(&setup().frame)
}

fn order_request(sold: u32) -> Vec<u8> {
    bytes_of(Request::OrderRequest { card: card(), sold: Volume(sold) })
}

fn upload(number: u128, result: WriteResult, sold: u32) -> Vec<u8> {
    bytes_of(Request::Upload { card: card(), order: order(number), result, sold: Volume(sold) })
}

/// What a board did, in order: bytes by connection, connections that it ended, and events.
#[derive(Default)]
struct Seen {
    sent: Vec<(Port, Vec<u8>)>,
    ended: Vec<Port>,
    events: Vec<ServerEvent>,
}

impl Seen {
    /// The meaning of the one frame that was sent, and where to.
    fn answer(&self) -> (Port, Answer) {
        let [(port, bytes)] = &self.sent[..] else {
            panic!("{} frames", self.sent.len());
        };
        let Scan::Frame { frame, .. } = crate::water::frame::RawFrame::scan(&setup().frame, bytes) else {
            panic!("{bytes:02x?}");
        };
        let Ok(Message::Answer { answer, .. }) = Message::of(&frame) else {
            panic!("{frame:?}");
        };
        (*port, answer)
    }

    fn nothing(&self) -> bool {
        self.sent.is_empty() && self.ended.is_empty() && self.events.is_empty()
    }
}

fn at(board: &mut ServerBoard, us: u64, input: Input<'_, ServerStimulus>) -> Seen {
    let mono = Instant::from_us(us);
    board.handle_input(Now { mono, wall: Wall::parse_digits(b"20260102030405").unwrap() }, input);
    let mut seen = Seen::default();
    while let Some(output) = board.poll_output() {
        assert_eq!(output.at, mono);
        match output.what {
            Output::Transmit { port, bytes } => seen.sent.push((port, bytes)),
            Output::Close { port, how: Close::Reset } => seen.ended.push(port),
            Output::Event(event) => seen.events.push(event),
            other => panic!("{other:?}"),
        }
    }
    assert!(board.poll_timeout().is_none_or(|next| next > mono));
    seen
}

fn receive(board: &mut ServerBoard, us: u64, port: Port, bytes: &[u8]) -> Seen {
    at(board, us, Input::Received { port, bytes })
}

fn open(board: &mut ServerBoard, us: u64, port: Port) -> Seen {
    at(board, us, Input::Opened { port, from: Some("10.0.0.7:40000".parse().unwrap()) })
}

/// Lets the board's deadlines come until `until`; everything that it did.
fn run(board: &mut ServerBoard, until: u64) -> Seen {
    let mut all = Seen::default();
    while let Some(next) = board.poll_timeout().filter(|next| *next <= Instant::from_us(until)) {
        let seen = at(board, next.as_us(), Input::Deadline);
        all.sent.extend(seen.sent);
        all.ended.extend(seen.ended);
        all.events.extend(seen.events);
    }
    all
}

/// A board that is on, with two terminals and the payment front connected, and order 7 paid: 1.00 t for 3.50.
/// It is rest at 100 ms.
fn board(setup: ServerSetup) -> ServerBoard {
    let mut board = ServerBoard::new(setup);
    at(&mut board, 0, Input::PowerOn);
    for port in [TERMINAL_A, TERMINAL_B, FRONT] {
        open(&mut board, 0, port);
    }
    receive(&mut board, 0, FRONT, b"PAY 0012345678 7 350 flat\n");
    run(&mut board, 100_000);
    board
}

fn offered(number: u128, volume: u32, base: u32) -> Answer {
    let offer = Offer::Paid { order: order(number), volume: Volume(volume) };
    Answer::OrderRequest { card: card(), offer, base: Some(Volume(base)) }
}

#[test]
fn a_heartbeat_is_answered_with_the_time_after_5_ms() {
    let mut board = board(setup());
    assert!(receive(&mut board, 1_000_000, TERMINAL_A, &HEARTBEAT).nothing());
    assert!(at(&mut board, 1_004_999, Input::Deadline).nothing());
    let seen = at(&mut board, 1_005_000, Input::Deadline);
    assert_eq!(seen.sent, [(TERMINAL_A, HEARTBEAT_ANSWER.to_vec())]);
    assert_eq!(board.poll_timeout(), None);
}

#[test]
fn every_request_has_its_answer() {
    let mut board = board(setup());
    let mut ask = |ms: u64, request| {
        receive(&mut board, ms * 1_000, TERMINAL_A, &bytes_of(request));
        run(&mut board, ms * 1_000 + 50_000).answer().1
    };
    let at = Wall::parse_digits(b"20260102030405").unwrap();
    assert_eq!(ask(1_000, Request::Clock), Answer::Clock { at });
    let server = "10.0.0.2:7000".parse().unwrap();
    assert_eq!(ask(2_000, Request::Parameters), Answer::Parameters { heartbeat_s: 60, server });
    let query = Request::CardQuery { card: card(), sold: Volume(9) };
    assert_eq!(ask(3_000, query), Answer::CardQuery { card: card(), sold: Volume(0), open_orders: 1 });
    let report = Request::FaultReport { part: "voice".into(), code: 3 };
    assert_eq!(ask(4_000, report), Answer::FaultReport);
    assert_eq!(ask(5_000, Request::OrderRequest { card: card(), sold: Volume(0) }), offered(7, 100, 0));
    let (card, result, sold) = (card(), WriteResult::Written, Volume(100));
    let upload = Request::Upload { card, order: order(7), result, sold };
    assert_eq!(ask(6_000, upload), Answer::Upload { order: order(7), state: UploadState::Closed });
}

#[test]
fn an_answer_keeps_type_and_machine() {
    let mut board = board(setup());
    let request = Request::OrderRequest { card: card(), sold: Volume(0) };
    let frame = Message::Request { pricing: Pricing::Tiered, request }.to_frame(1, MachineNumber::from(42));
    receive(&mut board, 1_000_000, TERMINAL_B, &frame.to_bytes(&setup().frame));
    let seen = run(&mut board, 2_000_000);
    let Scan::Frame { frame, .. } = crate::water::frame::RawFrame::scan(&setup().frame, &seen.sent[0].1)
    else {
        panic!("no frame");
    };
    assert_eq!((frame.answer, frame.kind, frame.machine), (0x11, 0x11, MachineNumber::from(42)));
    // The one order is flat, so a request of the tiered type is told that there is none.
    assert_eq!(frame.content, b"0012345678%0%0%0%0");
}

#[test]
fn the_shorter_order_answer_has_no_base() {
    let mut setup = setup();
    setup.config.order_answer = OrderAnswerForm::NoBase;
    let mut board = board(setup);
    receive(&mut board, 1_000_000, TERMINAL_A, &order_request(0));
    let (_, answer) = run(&mut board, 2_000_000).answer();
    let offer = Offer::Paid { order: order(7), volume: Volume(100) };
    assert_eq!(answer, Answer::OrderRequest { card: card(), offer, base: None });
}

#[test]
fn a_payment_is_confirmed_when_it_is_durable() {
    let mut board = board(swift());
    assert!(receive(&mut board, 1_000_000, FRONT, b"PAY 0012345678 8 700 flat\n").nothing());
    assert!(at(&mut board, 1_001_999, Input::Deadline).nothing());
    let seen = at(&mut board, 1_002_000, Input::Deadline);
    assert_eq!(seen.sent, [(FRONT, b"PAID 8 2\n".to_vec())]);
    assert!(matches!(seen.events[..], [ServerEvent::Prepaid { volume: Volume(200), .. }]));
    // The same again is durable already.
    let again = receive(&mut board, 2_000_000, FRONT, b"PAY 0012345678 8 700 flat\n");
    assert_eq!((again.sent.as_slice(), again.events.len()), (seen.sent.as_slice(), 0));
    let other = receive(&mut board, 3_000_000, FRONT, b"PAY 0012345678 8 701 flat\nhello\n");
    let lines: Vec<&[u8]> = other.sent.iter().map(|(_, line)| line.as_slice()).collect();
    assert_eq!(lines, [&b"REFUSED 8 order-taken\n"[..], b"REFUSED 0 malformed\n"]);
}

#[test]
fn the_office_gets_totals_and_doubts() {
    let mut board = board(setup());
    receive(&mut board, 1_000_000, TERMINAL_A, &order_request(0));
    run(&mut board, 2_000_000);
    receive(&mut board, 2_000_000, TERMINAL_A, &upload(7, WriteResult::InDoubt, 100));
    run(&mut board, 3_000_000);
    let seen = at(&mut board, 3_000_000, Input::Stimulus(ServerStimulus::Report));
    let [ServerEvent::Report { totals, in_doubt }] = &seen.events[..] else {
        panic!("{:?}", seen.events);
    };
    assert_eq!((totals.paid, totals.in_doubt, in_doubt.as_slice()), (100, 100, &[order(7)][..]));
}

#[test]
fn the_front_and_the_server_agree_on_lines() {
    assert_eq!(setup().line, LineFormat { line_max: 80 });
}
