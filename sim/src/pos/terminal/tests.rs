//! The terminal alone, with literal lines from people and literal datagrams from the server at literal times.

mod closed_loop;
mod hostile;
mod off_line;
mod payments;
mod small;

use super::clock::ClockConfig;
use super::installed::{Installed, Mode};
use super::store::{Content, StoreConfig};
use super::*;
use crate::card::number::CardNumber;
use crate::digest::Digest;
use crate::flash::{Chip, ChipConfig, DriverConfig};
use crate::machine::{Board, Input, Machine, Output, Torn};
use crate::money::Fen;
use crate::pos::frame::text::{decode, encode};
use crate::pos::frame::{FrameFormat, MachineNumber, ScanForm};
use crate::time::{Instant, Now, Span, Wall};

/// A card on the white list.
const WHITE: &str = "8888888888";
/// A card that is not.
const OTHER: &str = "0000000002";
const SECOND: u64 = 1_000_000;

fn card(text: &str) -> CardNumber {
    CardNumber::parse(text.as_bytes()).unwrap()
}

fn config(policy: TerminalPolicy) -> TerminalConfig {
    TerminalConfig {
        policy,
        times: TerminalTimes {
            ack_timeout: Span::s(1),
            sends_max: 3,
            reply_timeout: Span::s(5),
            interim_timeout: Span::s(90),
            round: Span::s(10),
            quiet: Span::s(3),
            quiet_unanswered: Span::s(8),
            interim_secs: 5,
            amount_max: Fen(999_999),
            notices_max: 8,
            recent_max: 16,
            line_max: 1_100,
        },
        format: FrameFormat { datagram_max: 1_024, seq_max: 16, scan: ScanForm { flag: true, serial: true } },
        store: StoreConfig { install_sectors: 1, sale_sectors: 6, sector_len: 512, records_max: 5 },
        flash: DriverConfig { program_wait: Span::us(20), erase_wait: Span::ms(1), polls_max: 500 },
        clock: ClockConfig { holds: Span::s(3_600) },
        addresses: Addresses {
            terminal: [192, 168, 1, 20].into(),
            mask: [255, 255, 255, 0].into(),
            gateway: [192, 168, 1, 1].into(),
            server: [192, 168, 1, 10].into(),
            port: 39_192,
        },
        serial: b"1234567890".as_slice().into(),
        tells_serial: false,
        flag: None,
    }
}

fn chip(mode: Mode) -> Chip {
    let mut chip = Chip::new(ChipConfig {
        sectors: 7,
        sector_len: 512.try_into().unwrap(),
        setup: Span::us(30),
        byte: Span::us(3),
        erase: Span::ms(45),
        clock_hz: 8_000_000.try_into().unwrap(),
        endurance: 100_000,
    });
    let machine = MachineNumber::new(2);
    Installed { machine, mode, white_list: vec![card(WHITE), card("7777777777")] }.install(&mut chip);
    chip
}

/// What left the terminal: when, and what; lines to people begin with `> `.
type Sent = Vec<(u64, String)>;

/// A terminal on a table.
#[derive(Clone)]
struct Table {
    board: TerminalBoard,
    at: Instant,
    events: Vec<String>,
}

impl Table {
    fn new(config: TerminalConfig, mode: Mode) -> Self {
        let board = TerminalBoard::new(config, chip(mode));
        Self { board, at: Instant::ZERO, events: Vec::new() }
    }

    /// A terminal that has told its power-on at `0`, and has been answered.
    fn ready(policy: TerminalPolicy, mode: Mode) -> Self {
        let mut table = Self::new(config(policy), mode);
        table.power_on();
        table.hear("001,00000");
        table.events.clear();
        table
    }

    fn now(&self) -> Now {
        let start = Wall::parse_digits(b"20240229120000").unwrap();
        Now { mono: self.at, wall: start.stepped(self.at.as_us().cast_signed()) }
    }

    fn power_on(&mut self) -> Sent {
        self.give(Input::PowerOn)
    }

    /// An input now, or as soon as the terminal is not busy; what it sends at once.
    fn give(&mut self, input: Input<'_, TerminalStimulus>) -> Sent {
        self.settle();
        self.board.handle_input(self.now(), input);
        self.drain()
    }

    fn hear(&mut self, text: &str) -> Sent {
        self.give(Input::Received { port: port::NET, bytes: &encode(text) })
    }

    fn people(&mut self, line: &str) -> Sent {
        self.give(Input::Received { port: port::PANEL, bytes: format!("{line}\n").as_bytes() })
    }

    /// What is sent until `end`, what is due then included.
    fn pass_until(&mut self, end: u64) -> Sent {
        let mut sent = Vec::new();
        while let Some(due) = self.board.poll_timeout().filter(|due| due.as_us() <= end) {
            self.at = self.at.max(due);
            sent.extend(self.give(Input::Deadline));
        }
        self.at = self.at.max(Instant::from_us(end));
        sent
    }

    /// Nothing is sent before `at`; what is sent then.
    fn sent_at(&mut self, at: u64) -> Vec<String> {
        assert_eq!(self.pass_until(at - 1), []);
        let sent = self.pass_until(at);
        assert!(sent.iter().all(|(when, _)| *when >= at && *when < at + 500), "{sent:?}");
        sent.into_iter().map(|(_, what)| what).collect()
    }

    /// Until the terminal has done what it was given.
    fn settle(&mut self) -> u64 {
        self.at = self.at.max(self.board.busy_until().unwrap_or(self.at));
        self.at.as_us()
    }

    /// Power goes when the terminal has done what it was given, and comes back after `away`.
    fn restart(&mut self, away: Span) -> Sent {
        self.settle();
        self.board.cut(self.at, Torn::Neither);
        self.at += away;
        self.power_on()
    }

    fn drain(&mut self) -> Sent {
        let mut sent = Vec::new();
        while let Some(output) = self.board.poll_output() {
            let at = output.at.as_us();
            match output.what {
                Output::Transmit { port: port::NET, bytes } => sent.push((at, decode(&bytes))),
                Output::Transmit { port: port::PANEL, bytes } => {
                    let line = String::from_utf8(bytes).unwrap();
                    sent.push((at, format!("> {}", line.strip_suffix('\n').unwrap())));
                }
                Output::Event(event) => self.events.push(event.to_string()),
                other => panic!("{other:?}"),
            }
        }
        sent
    }

    fn content(&self) -> Content {
        self.board.content().unwrap()
    }

    fn digest(&self) -> u128 {
        let mut digest = Digest::new(self.at);
        self.board.digest(self.at, &mut digest);
        digest.finish()
    }
}

/// What was sent, without its times.
fn texts(sent: &Sent) -> Vec<&str> {
    sent.iter().map(|(_, text)| text.as_str()).collect()
}

/// When the first of it was sent.
fn first_at(sent: &Sent) -> u64 {
    sent.first().map(|(at, _)| *at).unwrap()
}
