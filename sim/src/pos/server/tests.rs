//! The server alone, with literal datagrams at literal times.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;

use super::*;
use crate::card::number::CardNumber;
use crate::digest::Digest;
use crate::journal::JournalConfig;
use crate::machine::{Board, Input, Machine, Output, Torn};
use crate::money::Fen;
use crate::pos::books::{Account, Books, Standing};
use crate::pos::frame::text::decode;
use crate::pos::frame::{FrameFormat, ScanForm};
use crate::time::{Instant, Now, Span, Wall};

const CARD: &str = "8888888888";
const NOON: &str = "2024-02-29 12:00:00";
const HEAD: &str = "192.168.1.20,192.168.1.10,00002";
const DEVICE: Port = Port(16);

fn card(text: &str) -> CardNumber {
    CardNumber::parse(text.as_bytes()).unwrap()
}

fn setup(policy: ServerPolicy) -> ServerSetup {
    let account = |balance, standing| Account { balance: Fen(balance), counts: 2, standing };
    ServerSetup {
        config: ServerConfig {
            platform: "10.0.0.9:8000".parse().unwrap(),
            reconnect: Span::s(1),
            platform_timeout: Span::s(10),
            confirm_timeout: Span::s(1),
            sends_max: 3,
            confirms_max: 8,
            text_secs: 20,
            interim_secs: 5,
        },
        frame: FrameFormat { datagram_max: 1_024, seq_max: 16, scan: ScanForm { flag: true, serial: true } },
        journal: JournalConfig { sync: Span::ms(2) },
        policy,
        accounts: Books::with_accounts([
            (card(CARD), account(10_000, Standing::Good)),
            (card("0000000002"), account(10_000, Standing::Lost)),
        ]),
        sources: Arc::new(BTreeMap::from([(DEVICE, Ipv4Addr::new(203, 0, 113, 7))])),
    }
}

/// A server at its desk.
struct Desk {
    board: ServerBoard,
    at: Instant,
}

impl Desk {
    fn new(policy: ServerPolicy) -> Self {
        let mut desk = Self { board: ServerBoard::new(setup(policy)), at: Instant::ZERO };
        desk.give(0, Input::PowerOn);
        desk
    }

    fn now(&self) -> Now {
        let start = Wall::parse_digits(b"20240229120000").unwrap();
        Now { mono: self.at, wall: start.stepped(i64::try_from(self.at.as_us()).unwrap()) }
    }

    /// An input, so many milliseconds after the start; what it makes the server send at once.
    fn give(&mut self, ms: u64, input: Input<'_, ServerStimulus>) -> Vec<String> {
        let mut sent = self.pass_until(Instant::from_us(ms * 1_000));
        self.at = self.at.max(Instant::from_us(ms * 1_000));
        self.board.handle_input(self.now(), input);
        sent.extend(self.drain());
        sent
    }

    fn hear(&mut self, ms: u64, text: &str) -> Vec<String> {
        self.give(ms, Input::Received { port: DEVICE, bytes: text.as_bytes() })
    }

    /// What is sent while time passes, without what is due at its end.
    fn pass_until(&mut self, end: Instant) -> Vec<String> {
        let mut sent = Vec::new();
        while let Some(due) = self.board.poll_timeout().filter(|due| *due < end) {
            self.at = self.at.max(due);
            self.board.handle_input(self.now(), Input::Deadline);
            sent.extend(self.drain());
        }
        sent
    }

    fn pass(&mut self, ms: u64) -> Vec<String> {
        let sent = self.pass_until(Instant::from_us(ms * 1_000));
        self.at = self.at.max(Instant::from_us(ms * 1_000));
        sent
    }

    /// What leaves, each with its milliseconds; what does not go to the device names its port.
    fn drain(&mut self) -> Vec<String> {
        let mut sent = Vec::new();
        while let Some(output) = self.board.poll_output() {
            let at = output.at.as_us() / 1_000;
            match output.what {
                Output::Transmit { port: DEVICE, bytes } => sent.push(format!("{at} {}", decode(&bytes))),
                Output::Transmit { port, bytes } => {
                    sent.push(format!("{at} to {}: {}", port.0, decode(&bytes)));
                }
                Output::Open { port, .. } => sent.push(format!("{at} open {}", port.0)),
                Output::Close { port, .. } => sent.push(format!("{at} close {}", port.0)),
                _ => {}
            }
        }
        sent
    }

    fn balance(&self) -> i64 {
        self.board.books().account(card(CARD)).unwrap().balance.0
    }

    fn digest(&self) -> u128 {
        let mut into = Digest::new(self.at);
        self.board.digest(self.at, &mut into);
        into.finish()
    }
}

fn hardened() -> Desk {
    Desk::new(ServerPolicy::hardened())
}

fn pay(seq: &str, at: &str) -> String {
    format!("103,{seq},{HEAD},{CARD},5.50,{at},S1")
}

const MADE: &str = "008,00002,8888888888,5.50,余额\\n{94.50},20,0,1";

#[test]
fn a_payment_is_acknowledged_at_once_and_answered_when_it_is_durable() {
    let mut desk = hardened();
    assert_eq!(desk.hear(100, &pay("00009", NOON)), ["100 001,00009"]);
    assert_eq!(desk.pass(102), [""; 0], "a sync takes two milliseconds");
    assert_eq!(desk.pass(103), [format!("102 {MADE}")]);
    assert_eq!(desk.hear(200, &format!("109,00010,{HEAD},008,{CARD},S1")), ["200 001,00010"]);
    assert_eq!(desk.pass(60_000), [""; 0], "what is confirmed is not sent again");
    assert_eq!((desk.balance(), desk.board.books().unconfirmed().count()), (9_450, 0));
}

#[test]
fn an_answer_is_sent_three_times_a_second_apart() {
    let mut desk = hardened();
    desk.hear(100, &pay("00009", NOON));
    assert_eq!(desk.pass(60_000), [102, 1_102, 2_102].map(|at| format!("{at} {MADE}")));
    assert_eq!(desk.board.books().unconfirmed().count(), 1);
    // A confirmation that comes in time ends it.
    let mut desk = hardened();
    desk.hear(100, &pay("00009", NOON));
    assert_eq!(desk.hear(1_101, &format!("109,00010,{HEAD},008,{CARD},S1")).len(), 2);
    assert_eq!(desk.pass(60_000), [""; 0]);
}

#[test]
fn a_confirmation_counts_also_when_the_answer_is_sent_no_more() {
    let mut desk = hardened();
    desk.hear(100, &pay("00009", NOON));
    assert_eq!(desk.pass(5_000).len(), 3);
    assert_eq!(desk.hear(5_000, &format!("109,00010,{HEAD},008,{CARD},S1")), ["5000 001,00010"]);
    assert_eq!(desk.hear(6_000, &pay("00009", NOON)), ["6000 001,00009"]);
    assert_eq!((desk.pass(60_000), desk.board.books().unconfirmed().count()), (vec![], 0));
    // Of two answers in the same words, what comes behind the second is the second's.
    let mut desk = hardened();
    desk.hear(100, &pay("00009", NOON));
    desk.pass(5_000);
    desk.hear(5_000, &pay("00010", "2024-02-29 12:00:05"));
    desk.hear(5_100, &format!("109,00011,{HEAD},008,{CARD},S1"));
    assert_eq!((desk.pass(60_000), desk.board.books().unconfirmed().count()), (vec![], 1));
}

#[test]
fn a_repeat_gets_the_same_answer_until_it_is_confirmed_or_a_newer_sale_came() {
    let mut desk = hardened();
    desk.hear(0, &pay("00009", NOON));
    desk.pass(50);
    assert_eq!(desk.hear(100, &pay("00009", NOON)), ["100 001,00009"]);
    assert_eq!(desk.pass(150), [format!("100 {MADE}")]);
    desk.hear(200, &format!("109,00010,{HEAD},008,{CARD},S1"));
    assert_eq!(desk.hear(300, &pay("00009", NOON)), ["300 001,00009"]);
    assert_eq!(desk.pass(5_000), [""; 0]);
    assert_eq!(desk.balance(), 9_450);
    // Another device takes from the same card: the answer that is repeated says what it said.
    let mut desk = hardened();
    desk.hear(0, &pay("00009", NOON));
    desk.pass(50);
    desk.hear(60, &format!("103,00001,{HEAD},{CARD},1.00,{NOON},S2"));
    desk.pass(900);
    desk.hear(910, &pay("00009", NOON));
    assert_eq!(desk.pass(950), [format!("910 {MADE}")]);
    // Two sales, and a late repeat of the first.
    let mut desk = hardened();
    desk.hear(0, &pay("00001", NOON));
    desk.hear(10, &pay("00002", "2024-02-29 12:00:01"));
    desk.pass(8_000);
    assert_eq!(desk.hear(9_000, &pay("00001", NOON)), ["9000 001,00001"]);
    assert_eq!((desk.pass(20_000), desk.balance()), (vec![], 8_900));
}

#[test]
fn an_answer_that_has_not_left_when_another_takes_its_place_leaves_once() {
    let mut desk = hardened();
    desk.hear(100, &pay("00001", NOON));
    // A copy was damaged on its way: it is no payment, and is refused at once.
    let damaged = format!("103,00001,{HEAD},88x8888888,5.50,{NOON},S1");
    let refused = "006,00002,88x8888888,无此卡,20,0,6";
    assert_eq!(desk.hear(101, &damaged), ["101 001,00001"]);
    let sent = desk.pass(60_000);
    let expected = [(101, refused), (102, MADE), (1_102, MADE), (2_102, MADE)];
    assert_eq!(sent, expected.map(|(at, text)| format!("{at} {text}")));
    assert_eq!((desk.balance(), desk.board.books().unconfirmed().count()), (9_450, 1));
}

#[test]
fn a_crash_before_the_sync_takes_the_charge_back_and_one_behind_it_does_not() {
    for (cut_ms, torn, left) in [
        (101, Torn::Old, 10_000),
        (101, Torn::New, 9_450),
        (102, Torn::Old, 9_450),
        (103, Torn::Neither, 9_450),
    ] {
        let mut desk = hardened();
        desk.hear(100, &pay("00009", NOON));
        let answered = desk.pass(cut_ms + 1).len();
        desk.board.cut(Instant::from_us(cut_ms * 1_000), torn);
        assert!(answered == 0 || left == 9_450, "what was answered stays");
        assert_eq!(desk.balance(), left, "{cut_ms} {torn:?}");
        desk.give(5_000, Input::PowerOn);
        assert_eq!(desk.hear(6_000, &pay("00009", NOON)), ["6000 001,00009"]);
        let sent = desk.pass(6_500);
        assert!(sent.len() == 1 && sent[0].ends_with(MADE), "{sent:?}");
        assert_eq!(desk.balance(), 9_450);
    }
}

#[test]
fn refusals_name_their_reason_and_charge_nothing() {
    let mut desk = hardened();
    for (number, (of, amount, words)) in [
        ("0000000002", "5.50", "卡已挂失"),
        ("7777777777", "5.50", "无此卡"),
        ("77", "5.50", "无此卡"),
        (CARD, "100.01", "余额不足"),
        (CARD, "-5.50", "金额有误"),
        (CARD, "5.500", "金额有误"),
    ]
    .into_iter()
    .enumerate()
    {
        let at = 10_000 * (number as u64 + 1);
        desk.hear(at, &format!("103,00009,{HEAD},{of},{amount},{NOON},S1"));
        let sent = desk.pass(at + 500);
        assert_eq!(sent.len(), 1);
        assert!(sent[0].ends_with(&format!(" 006,00002,{of},{words},20,0,6")), "{sent:?}");
    }
    assert_eq!(desk.balance(), 10_000);
}

#[test]
fn a_record_is_deleted_when_it_is_durable_and_stored_once() {
    let mut desk = hardened();
    let record = |at: &str, amount: &str| format!("105,00009,{HEAD},{CARD},{amount},{at},0,00000007,1,S1");
    assert_eq!(desk.hear(100, &record(NOON, "5.50")), ["100 001,00009"]);
    assert_eq!(desk.pass(500), [format!("102 011,00002,{CARD},5.50,{NOON},00000007")]);
    desk.hear(1_000, &record(NOON, "5.50"));
    assert_eq!(desk.pass(1_500), [format!("1000 011,00002,{CARD},5.50,{NOON},00000007")]);
    assert_eq!(desk.balance(), 9_450);
    // The payment that it stands for gets its answer, and is not charged again.
    desk.hear(2_000, &pay("00011", NOON));
    assert_eq!((desk.pass(2_500), desk.balance()), (vec![format!("2000 {MADE}")], 9_450));
    desk.hear(6_000, &record("2024-02-30 12:00:00", "5.50"));
    desk.hear(7_000, &record(NOON, "5.5"));
    let sent: Vec<String> = desk.pass(8_000).into_iter().filter(|sent| sent.contains(" 011,")).collect();
    assert_eq!(sent, [format!("7002 011,00002,{CARD},5.5,{NOON},00000007")]);
    assert_eq!((desk.board.books().set_aside().len(), desk.balance()), (2, 9_450));
}

#[test]
fn a_record_with_an_impossible_time_is_deleted_by_the_time_that_means_any() {
    let mut desk = hardened();
    desk.hear(0, &format!("105,00009,{HEAD},{CARD},5.50,2024-02-30 12:00:00,0,00000007,1,S1"));
    assert_eq!(desk.pass(50), [format!("2 011,00002,{CARD},5.50,9999-99-99 99:99:99,00000007")]);
}

#[test]
fn a_clock_is_set_when_it_shows_another_minute() {
    let mut desk = hardened();
    let on = |at: &str| format!("101,00001,{HEAD},{at},S1");
    assert_eq!(desk.hear(1_000, &on("2024-02-29 12:00:59")), ["1000 001,00001"]);
    let set = "003,00002,2024-02-29 12:00:02";
    assert_eq!(
        desk.hear(2_000, &on("2024-02-29 11:59:59")),
        ["2000 001,00001".into(), format!("2000 {set}")]
    );
    let set = "003,00002,2024-02-29 12:00:03";
    assert_eq!(
        desk.hear(3_000, &on("2024-02-30 12:00:00")),
        ["3000 001,00001".into(), format!("3000 {set}")]
    );
}

fn scan(code: &str) -> String {
    format!("128,00009,{HEAD},00001,5.50,{NOON},2,{code},S1")
}

fn platform(desk: &mut Desk, ms: u64, line: &str) -> Vec<String> {
    desk.give(ms, Input::Received { port: PLATFORM_FIRST, bytes: line.as_bytes() })
}

const PROGRESS: &str = "008,00002,00001,5.50,{请稍候},5,0,1";
const PAID: &str = "008,00002,00001,5.50,支付成功\\n{5.50},20,0,1";

#[test]
fn a_code_is_charged_by_the_platform_once_its_order_is_durable() {
    let mut desk = hardened();
    desk.give(10, Input::Opened { port: PLATFORM_FIRST, from: None });
    assert_eq!(desk.hear(100, &scan("a,b")), ["100 001,00009"]);
    let charge = "to 60000: CHARGE 1 550 612C62\n";
    assert_eq!(desk.pass(500), [format!("100 {PROGRESS}"), format!("102 {charge}")]);
    assert_eq!(platform(&mut desk, 600, "PAID 1\n"), [""; 0]);
    assert_eq!(desk.pass(700), [format!("602 {PAID}")]);
    // The device confirms "in progress" late: that is no confirmation of the end.
    desk.hear(800, &format!("109,00010,{HEAD},008,00001,S1"));
    assert_eq!(desk.pass(1_700), [format!("1602 {PAID}")]);
    desk.hear(1_800, &format!("109,00011,{HEAD},008,00001,S1"));
    assert_eq!(desk.pass(9_000), [""; 0]);
    assert_eq!(desk.balance(), 10_000, "the platform has the money");
}

/// A device whose 001 is lost confirms "in progress" again: that says nothing of the end, sent or not.
#[test]
fn a_confirmation_that_comes_again_confirms_nothing_new() {
    let confirm = |seq: &str| format!("109,{seq},{HEAD},008,00001,S1");
    for asked_again in [false, true] {
        let mut desk = hardened();
        desk.give(10, Input::Opened { port: PLATFORM_FIRST, from: None });
        desk.hear(100, &scan("ab"));
        if asked_again {
            desk.hear(600, &scan("ab"));
        }
        let second = if asked_again { 600 } else { 1_100 };
        assert_eq!(desk.pass(1_200).last().unwrap(), &format!("{second} {PROGRESS}"));
        desk.hear(1_300, &confirm("00010"));
        assert_eq!(desk.pass(2_500), [""; 0], "in progress is confirmed and sent no more");
        platform(&mut desk, 2_600, "PAID 1\n");
        assert_eq!(desk.pass(2_700), [format!("2602 {PAID}")]);
        desk.hear(2_800, &confirm("00011"));
        assert_eq!(desk.board.books().unconfirmed().count(), 1);
        assert_eq!(desk.pass(3_700), [format!("3602 {PAID}")]);
        desk.hear(3_800, &confirm("00012"));
        assert_eq!((desk.pass(20_000), desk.board.books().unconfirmed().count()), (vec![], 0));
    }
}

#[test]
fn an_open_order_is_asked_for_again_after_a_crash_and_after_a_broken_connection() {
    let mut desk = hardened();
    desk.hear(100, &scan("ab"));
    assert_eq!(desk.pass(110), [format!("100 {PROGRESS}")], "there is no connection yet");
    let charge = "to 60000: CHARGE 1 550 6162\n";
    let opened = || Input::Opened { port: PLATFORM_FIRST, from: None };
    assert_eq!(desk.give(200, opened()), [format!("200 {charge}")]);
    desk.board.cut(Instant::from_us(300_000), Torn::Old);
    assert_eq!(desk.give(5_000, Input::PowerOn), ["5000 open 60000"]);
    assert_eq!(desk.give(5_100, opened()), [format!("5100 {charge}")]);
    let closed = Input::Closed { port: PLATFORM_FIRST, why: crate::machine::Closing::Reset };
    desk.give(5_200, closed);
    assert_eq!(desk.pass(6_300), ["6200 open 60001"]);
    let opened = Input::Opened { port: Port(60_001), from: None };
    assert_eq!(desk.give(6_400, opened), ["6400 to 60001: CHARGE 1 550 6162\n"]);
    // Nobody knows where the device is before it asks again.
    desk.give(6_500, Input::Received { port: Port(60_001), bytes: b"DECLINED 1\n" });
    assert_eq!(desk.pass(7_000), [""; 0]);
    desk.hear(8_000, &scan("ab"));
    assert_eq!(desk.pass(8_500), ["8000 006,00002,00001,支付失败,20,0,6"]);
}

#[test]
fn a_connection_on_which_an_order_stays_unanswered_is_given_up() {
    let opened = |port| Input::Opened { port: Port(port), from: None };
    let charge = |port| format!("to {port}: CHARGE 1 550 6162\n");
    let mut desk = hardened();
    desk.give(10, opened(60_000));
    desk.hear(100, &scan("ab"));
    let sent = desk.pass(10_102);
    assert!(
        sent.contains(&format!("102 {}", charge(60_000))) && !sent.iter().any(|sent| sent.contains("open"))
    );
    assert_eq!(desk.pass(11_103), ["10102 close 60000", "11102 open 60001"]);
    assert_eq!(desk.give(11_200, opened(60_001)), [format!("11200 {}", charge(60_001))]);
    desk.give(11_500, Input::Received { port: Port(60_001), bytes: b"PAID 1\n" });
    assert_eq!(desk.pass(60_000), [11_502, 12_502, 13_502].map(|at| format!("{at} {PAID}")));
    // One that only waits keeps the connection.
    let policy = ServerPolicy { silence: PlatformSilence::Waits, ..ServerPolicy::hardened() };
    let mut desk = Desk::new(policy);
    desk.give(10, opened(60_000));
    desk.hear(100, &scan("ab"));
    assert!(!desk.pass(60_000).iter().any(|sent| sent.contains("open") || sent.contains("close")));
}

#[test]
fn replies_go_to_where_the_datagram_came_from() {
    let mut desk = hardened();
    let sent = desk.give(0, Input::Received { port: Port(99), bytes: pay("00009", NOON).as_bytes() });
    assert_eq!(sent, ["0 to 99: 001,00009"]);
    let printed = ServerPolicy { reply: ReplyTo::Printed, ..ServerPolicy::hardened() };
    assert_eq!(Desk::new(printed).hear(0, &pay("00009", NOON)), [""; 0]);
}

#[test]
fn the_published_server_charges_three_repeats_three_times() {
    let mut desk = Desk::new(ServerPolicy::published());
    for at in 0..3 {
        let sent = desk.hear(at * 1_000, &pay("00009", NOON));
        assert_eq!(sent.len(), if at == 0 { 1 } else { 2 }, "{sent:?}");
    }
    assert_eq!((desk.balance(), desk.pass(60_000).len()), (10_000 - 3 * 550, 1));
    // A malformed datagram is the end of it.
    desk.hear(61_000, "103");
    assert_eq!(desk.hear(62_000, &pay("00010", NOON)), [""; 0]);
}

#[derive(serde::Deserialize)]
struct File {
    datagram: Vec<toml::Table>,
}

/// Every hostile datagram, one after the other: no panic, no money moved but by what the books call a sale, and the
/// next good message is served.
#[test]
fn hostile_datagrams_move_no_money_and_stop_nobody() {
    let text = include_str!("../../../../fixtures/frames/pos-hostile.toml");
    let mut desk = hardened();
    let mut at = 0;
    for sample in toml::from_str::<File>(text).unwrap().datagram {
        let field = |name: &str| sample.get(name).and_then(|value| value.as_str());
        let bytes = match (field("text").or(field("fill")), field("hex")) {
            (Some(text), _) => crate::pos::frame::text::encode(text),
            (None, Some(hex)) => {
                (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..][..2], 16).unwrap()).collect()
            }
            (None, None) => panic!("{sample:?}"),
        };
        let whole = sample.get("cut_each").is_some();
        for len in if whole { 0..bytes.len() } else { bytes.len()..bytes.len() + 1 } {
            at += 10_000;
            let before = (desk.balance(), desk.board.books().sales().count());
            desk.give(at, Input::Received { port: DEVICE, bytes: &bytes[..len] });
            desk.pass(at + 9_000);
            let after = (desk.balance(), desk.board.books().sales().count());
            assert!(before.0 == after.0 || before.1 < after.1, "{sample:?} {len}");
        }
    }
    let sent = desk.hear(at + 10_000, &pay("00077", "2024-02-29 23:00:00"));
    assert_eq!(sent, [format!("{} 001,00077", at + 10_000)]);
}

#[test]
fn the_digest_covers_what_decides_the_future() {
    let (mut one, mut other) = (hardened(), hardened());
    assert_eq!(one.digest(), other.digest());
    one.hear(100, &pay("00009", NOON));
    other.hear(100, &pay("00009", "2024-02-29 23:00:00"));
    assert_ne!(one.digest(), other.digest());
    // Nothing depends any more on the number of a message that was acknowledged.
    for number in ["00009", "00010"] {
        let mut third = hardened();
        third.hear(100, &pay(number, NOON));
        assert_eq!(one.digest(), third.digest(), "{number}");
    }
}
