//! Trials of the virtual SIM800A: the published transcripts, and each connection command in each state.

use super::transcripts::{self, type_line};
use super::*;
use crate::modem::config::AlreadyConnect;
use crate::modem::port::PWRKEY;
use crate::modem::sim800a::{BUILT_IN, Numbering, Sim800a, Sim800aDialect, Sim800aModemConfig, load};
use crate::modem::socket::SocketState;

type Sim = Desk<Sim800aDialect>;

fn published() -> Sim800aModemConfig {
    load(BUILT_IN, &toml::Table::new(), 1).unwrap()
}

/// The published module with every latency at 50 ms, switched on by its supply.
fn exact() -> Sim800aModemConfig {
    let mut config = published();
    fix(&mut config.module, Span::ms(2_500));
    config.dialect.shut = exactly(Span::ms(50));
    config.dialect.bearer = exactly(Span::ms(50));
    config
}

fn off(config: Sim800aModemConfig) -> Sim {
    Desk::with(Sim800a::new(config, Seed(1).stream("modem")))
}

/// Registered in the network, echo off, nothing said.
fn ready(config: Sim800aModemConfig) -> Sim {
    let mut desk = off(config);
    desk.input(Input::PowerOn);
    desk.run(Span::s(10));
    desk.ask("ATE0\r");
    desk
}

fn opened(desk: &mut Sim, id: u16) {
    transcripts::opened(desk, id);
}

const OPEN: &str = "AT+CIPSTART=\"TCP\",\"192.0.2.10\",7000";

/// A module in this state.
fn in_state(state: &str) -> Sim {
    let mut config = exact();
    if state == "IP CONFIG" {
        config.module.activate = Latency { min: Span::s(60), max: Span::s(60) };
    }
    let mut desk = ready(config);
    let way: &[&str] = match state {
        "IP INITIAL" => &[],
        "IP START" => &["AT+CSTT=\"X\""],
        "IP GPRSACT" => &["AT+CSTT=\"X\"", "AT+CIICR"],
        "IP STATUS" => &["AT+CSTT=\"X\"", "AT+CIICR", "AT+CIFSR"],
        "IP PROCESSING" => &[
            "AT+CIPMUX=1",
            "AT+CSTT=\"X\"",
            "AT+CIICR",
            "AT+CIFSR",
            "AT+CIPSTART=3,\"TCP\",\"192.0.2.10\",7000",
        ],
        _ => &[OPEN],
    };
    for line in way {
        type_line(&mut desk, line);
    }
    match state {
        "CONNECT OK" | "PDP DEACT" | "TCP CLOSED" => opened(&mut desk, 0),
        "IP PROCESSING" => opened(&mut desk, 3),
        _ => {}
    }
    match state {
        "PDP DEACT" => desk.input(Input::Stimulus(ModemStimulus::PdpLost)),
        "TCP CLOSED" => desk.closed(0, Closing::Fin),
        _ => {}
    }
    desk.heard();
    desk
}

const STATES: [&str; 10] = [
    "IP INITIAL",
    "IP START",
    "IP CONFIG",
    "IP GPRSACT",
    "IP STATUS",
    "TCP CONNECTING",
    "CONNECT OK",
    "TCP CLOSED",
    "PDP DEACT",
    "IP PROCESSING",
];

#[test]
fn each_state_is_told_by_its_name() {
    for state in STATES {
        let mut desk = in_state(state);
        type_line(&mut desk, "AT+CIPSTATUS");
        let heard = desk.heard();
        assert!(heard.starts_with(&format!("\r\nOK\r\n\r\nSTATE: {state}\r\n")), "{state}: {heard:?}");
    }
}

#[test]
fn a_command_outside_its_states_answers_error() {
    let table: [(&str, &[usize]); 12] = [
        ("AT+CIPMUX=0", &[0]),
        ("AT+CIPMODE=0", &[0]),
        ("AT+CSTT=\"Y\"", &[0]),
        ("AT+CIICR", &[1]),
        ("AT+CIFSR", &[3, 4, 5, 6, 7, 9]),
        // In states 5 and 6 it tells that there is a link, and with several links it lacks its number.
        (OPEN, &[0, 4, 5, 6]),
        ("AT+CIPSEND=1", &[6]),
        ("AT+CIPACK", &[6]),
        ("AT+CIPCLOSE", &[5, 6]),
        ("AT+CIPRXGET=1", &[0, 1, 2, 3, 4, 7, 8]),
        ("AT+CDNSGIP=\"water.example\"", &[3, 4, 5, 6, 7, 9]),
        ("AT+CIPSHUT", &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
    ];
    for (place, state) in STATES.into_iter().enumerate() {
        let desk = in_state(state);
        for (command, legal) in table {
            let mut desk = desk.clone();
            type_line(&mut desk, command);
            let heard = desk.heard();
            let refused = heard == "\r\nERROR\r\n";
            assert!(!heard.is_empty(), "{command} in {state} is answered with silence");
            assert_eq!(refused, !legal.contains(&place), "{command} in {state}: {heard:?}");
        }
    }
}

#[test]
fn a_counted_send_takes_all_values_and_an_uncounted_one_ends_on_two_of_them() {
    let all: Vec<u8> = (0..=255).collect();
    let mut desk = in_state("CONNECT OK");
    desk.net();
    type_line(&mut desk, "AT+CIPSEND=256");
    assert_eq!(desk.heard(), "\r\n> ");
    desk.type_in(&all);
    assert_eq!(desk.net(), [format!("0 sends {}", all.escape_ascii())]);
    desk.acked(0, 256);
    assert_eq!(desk.heard(), "\r\nSEND OK\r\n");
    type_line(&mut desk, "AT+CIPSEND");
    desk.type_in(b"a\x1bAT\r");
    desk.run(Span::ms(60));
    assert_eq!((desk.heard().as_str(), desk.net()), ("\r\n> \r\nOK\r\n\r\nOK\r\n", vec![]));
    type_line(&mut desk, "AT+CIPSEND");
    desk.type_in(b"a\r\nb");
    assert_eq!(desk.net(), Vec::<String>::new());
    desk.type_in(b"\x1a");
    assert_eq!(desk.net(), ["0 sends a\\r\\nb"]);
}

#[test]
fn a_link_that_ends_while_its_data_is_collected_is_told_after_the_data() {
    for end in [b"\x1a", b"\x1b"] {
        let mut desk = in_state("CONNECT OK");
        type_line(&mut desk, "AT+CIPSEND");
        desk.type_in(b"abc");
        desk.closed(0, Closing::Fin);
        assert_eq!(desk.heard(), "\r\n> ");
        desk.type_in(end);
        assert_eq!(desk.heard(), "\r\nCLOSED\r\n");
    }
}

#[test]
fn boot_lines_need_a_known_speed_and_the_later_ones_do_not() {
    let mut desk = off(exact());
    desk.input(Input::PowerOn);
    desk.run(Span::s(10));
    assert_eq!(desk.heard(), "\r\nCall Ready\r\n\r\nSMS Ready\r\n");
    let mut config = exact();
    config.module.fixed_rate = true;
    let mut desk = off(config);
    desk.input(Input::PowerOn);
    desk.run(Span::ms(2_400));
    assert_eq!(desk.heard(), "");
    desk.run(Span::s(8));
    let lines = "\r\nRDY\r\n\r\n+CFUN: 1\r\n\r\n+CPIN: READY\r\n\r\nCall Ready\r\n\r\nSMS Ready\r\n";
    assert_eq!(desk.heard(), lines);
}

#[test]
fn the_key_switches_on_and_off_and_the_module_says_so() {
    let mut desk = off(published());
    desk.input(Input::PowerOn);
    desk.run(Span::s(5));
    for (status, said) in [(true, ""), (false, "\r\nNORMAL POWER DOWN\r\n")] {
        desk.input(Input::Level { port: PWRKEY, high: false });
        desk.run(Span::ms(1_100));
        desk.input(Input::Level { port: PWRKEY, high: true });
        assert_eq!((desk.status, desk.heard().as_str()), (Some(status), said));
        desk.run(Span::s(4));
    }
}

#[test]
fn a_key_that_is_held_for_33_s_switches_off_and_on_again() {
    for (held, status) in [(Span::ms(32_999), false), (Span::s(33), true)] {
        let mut desk = ready(exact());
        desk.input(Input::Level { port: PWRKEY, high: false });
        desk.run(Span::s(2));
        assert_eq!(desk.status, Some(false));
        desk.run(held - Span::s(2));
        desk.input(Input::Level { port: PWRKEY, high: true });
        desk.run(Span::s(60));
        assert_eq!(desk.status, Some(status), "{held}");
    }
}

#[test]
fn a_restart_by_command_forgets_everything() {
    let mut desk = in_state("IP PROCESSING");
    desk.net();
    type_line(&mut desk, "AT+CFUN=1,1");
    assert_eq!((desk.heard().as_str(), desk.net()), ("\r\nOK\r\n", vec!["3 drops".to_owned()]));
    desk.run(Span::s(10));
    desk.heard();
    type_line(&mut desk, "ATE0");
    type_line(&mut desk, "AT+CIPMUX?");
    assert!(desk.heard().ends_with("\r\n+CIPMUX: 0\r\n\r\nOK\r\n"));
    assert_eq!(desk.modem.core().sockets[3].state, SocketState::Initial);
}

#[test]
fn where_sources_conflict_the_configuration_decides() {
    let mut config = exact();
    config.dialect.numbering = Numbering::Comma;
    let mut desk = ready(config);
    type_line(&mut desk, "AT+CIPMUX=1;+CSTT;+CIICR;+CIFSR;+CIPSTART=2,\"TCP\",\"192.0.2.10\",7000");
    desk.heard();
    opened(&mut desk, 2);
    assert_eq!(desk.heard(), "\r\n2,CONNECT OK\r\n");
    for (form, said) in [
        (AlreadyConnect::AfterOk, "\r\nOK\r\n\r\nALREADY CONNECT\r\n"),
        (AlreadyConnect::AfterError, "\r\nERROR\r\n\r\nALREADY CONNECT\r\n"),
    ] {
        let mut config = exact();
        config.dialect.already_connect = form;
        config.dialect.reopens = true;
        let mut desk = ready(config);
        type_line(&mut desk, OPEN);
        desk.closed(0, Closing::Refused);
        desk.heard();
        type_line(&mut desk, OPEN);
        assert_eq!(desk.heard(), "\r\nOK\r\n");
        type_line(&mut desk, OPEN);
        assert_eq!(desk.heard(), said);
    }
}

#[test]
fn a_link_without_an_answer_fails_after_its_limit() {
    let mut desk = in_state("TCP CONNECTING");
    desk.run(Span::s(159));
    assert_eq!(desk.heard(), "");
    desk.run(Span::s(2));
    assert_eq!(desk.heard(), "\r\nSTATE: TCP CLOSED\r\n\r\nCONNECT FAIL\r\n");
}
