use super::*;
use crate::modem::config::AlreadyConnect;
use crate::modem::m6311::{ReceivedMark, StateNames};

/// The answers to these commands, each asked of a fresh copy of the module.
fn answers(desk: &Desk<M6311Dialect>, commands: &[&str]) -> String {
    let mut table = String::new();
    for command in commands {
        let mut desk = desk.clone();
        let answer = desk.ask(&format!("{command}\r"));
        let answer = answer.replace("\r\n\r\n", " | ").replace("\r\n", "");
        table.push_str(&format!("{command:<34} {answer}\n"));
    }
    table
}

const COMMANDS: [&str; 30] = [
    "AT+CMVERSION",
    "AT+SSYS?",
    "AT+SIM1",
    "AT+CPIN?",
    "AT+CSQ",
    "AT+CREG?",
    "AT+CGREG?",
    "AT+CGATT?",
    "AT+CGATT=1",
    "AT+CGDCONT=1,\"IP\",\"CMNET\"",
    "AT+CGACT=1,1",
    "AT+CGACT?",
    "AT+CMMUX=0",
    "AT+CMMUX=1",
    "AT+CMMUX=2",
    "AT+CMHEAD=1",
    "AT+PROMPT=0",
    "AT^CURC=0",
    "AT+IPSTART=\"TCP\",\"192.0.2.10\",7000",
    "AT+IPSTART=0,\"TCP\",\"192.0.2.10\",70",
    "AT+IPSTART=\"TCP\",\"192.0.2.10\",70000",
    "AT+IPSEND=20",
    "AT+IPSEND=1461",
    "AT+IPCLOSE",
    "AT+IPCLOSE=0",
    "AT+CMSTATE",
    "AT+CMNDI=1",
    "AT+CMMODE=1",
    "AT+CMTCFG=1,1024,1",
    "AT+CMDNSGIP=\"water.example\"",
];

#[test]
fn before_the_network_is_asked_for() {
    insta::assert_snapshot!(answers(&Desk::ready(exact()), &COMMANDS), @r#"
    AT+CMVERSION                       +CMVERSION: M6311 1.0 | OK
    AT+SSYS?                           +SSYS: 1 | OK
    AT+SIM1                            +SIM1: EXSIT | OK
    AT+CPIN?                           +CPIN: READY | OK
    AT+CSQ                             +CSQ: 18,0 | OK
    AT+CREG?                           +CREG: 0,1 | OK
    AT+CGREG?                          +CGREG: 0,1 | OK
    AT+CGATT?                          +CGATT: 0 | OK
    AT+CGATT=1                         OK
    AT+CGDCONT=1,"IP","CMNET"          OK
    AT+CGACT=1,1                       ERROR
    AT+CGACT?                          +CGACT: 1,0 | OK
    AT+CMMUX=0                         OK
    AT+CMMUX=1                         OK
    AT+CMMUX=2                         ERROR
    AT+CMHEAD=1                        OK
    AT+PROMPT=0                        OK
    AT^CURC=0                          OK
    AT+IPSTART="TCP","192.0.2.10",7000 ERROR
    AT+IPSTART=0,"TCP","192.0.2.10",70 ERROR
    AT+IPSTART="TCP","192.0.2.10",70000 ERROR
    AT+IPSEND=20                       ERROR
    AT+IPSEND=1461                     ERROR
    AT+IPCLOSE                         ERROR
    AT+IPCLOSE=0                       ERROR
    AT+CMSTATE                         +CMSTATE: IP INITIAL | OK
    AT+CMNDI=1                         OK
    AT+CMMODE=1                        OK
    AT+CMTCFG=1,1024,1                 OK
    AT+CMDNSGIP="water.example"        ERROR
    "#);
}

#[test]
fn with_an_active_context() {
    insta::assert_snapshot!(answers(&Desk::active(exact()), &COMMANDS[7..]), @r#"
    AT+CGATT?                          +CGATT: 1 | OK
    AT+CGATT=1                         OK
    AT+CGDCONT=1,"IP","CMNET"          OK
    AT+CGACT=1,1                       OK
    AT+CGACT?                          +CGACT: 1,1 | OK
    AT+CMMUX=0                         OK
    AT+CMMUX=1                         OK
    AT+CMMUX=2                         ERROR
    AT+CMHEAD=1                        OK
    AT+PROMPT=0                        OK
    AT^CURC=0                          OK
    AT+IPSTART="TCP","192.0.2.10",7000 OK
    AT+IPSTART=0,"TCP","192.0.2.10",70 ERROR
    AT+IPSTART="TCP","192.0.2.10",70000 ERROR
    AT+IPSEND=20                       ERROR
    AT+IPSEND=1461                     ERROR
    AT+IPCLOSE                         ERROR
    AT+IPCLOSE=0                       ERROR
    AT+CMSTATE                         +CMSTATE: IP INITIAL | OK
    AT+CMNDI=1                         OK
    AT+CMMODE=1                        OK
    AT+CMTCFG=1,1024,1                 OK
    AT+CMDNSGIP="water.example"        +CMDNSGIP: "water.example","192.0.2.10" | OK
    "#);
}

#[test]
fn while_connecting_connected_and_closed() {
    const LINKS: [&str; 7] = [
        "AT+IPSTART=\"TCP\",\"192.0.2.10\",7000",
        "AT+IPSEND=20",
        "AT+IPCLOSE",
        "AT+CMSTATE",
        "AT+CMMUX=0",
        "AT+CMNDI=1",
        "AT+CMMODE=1",
    ];
    let mut connecting = Desk::active(exact());
    connecting.ask("AT+IPSTART=\"TCP\",\"192.0.2.10\",7000\r");
    insta::assert_snapshot!(answers(&connecting, &LINKS), @r#"
    AT+IPSTART="TCP","192.0.2.10",7000 OK | ALREADY CONNECT
    AT+IPSEND=20                       ERROR
    AT+IPCLOSE                         OK
    AT+CMSTATE                         +CMSTATE: TCP CONNECTING | OK
    AT+CMMUX=0                         ERROR
    AT+CMNDI=1                         ERROR
    AT+CMMODE=1                        ERROR
    "#);
    let connected = Desk::connected(exact());
    insta::assert_snapshot!(answers(&connected, &LINKS), @r#"
    AT+IPSTART="TCP","192.0.2.10",7000 OK | ALREADY CONNECT
    AT+IPSEND=20                       > 
    AT+IPCLOSE                         OK
    AT+CMSTATE                         +CMSTATE: CONNECT OK | OK
    AT+CMMUX=0                         ERROR
    AT+CMNDI=1                         ERROR
    AT+CMMODE=1                        ERROR
    "#);
    let mut closed = Desk::connected(exact());
    closed.closed(0, Closing::Fin);
    assert_eq!(closed.heard(), "\r\nCONNECTION CLOSED\r\n");
    insta::assert_snapshot!(answers(&closed, &LINKS), @r#"
    AT+IPSTART="TCP","192.0.2.10",7000 OK
    AT+IPSEND=20                       ERROR
    AT+IPCLOSE                         ERROR
    AT+CMSTATE                         +CMSTATE: IP CLOSE | OK
    AT+CMMUX=0                         OK
    AT+CMNDI=1                         OK
    AT+CMMODE=1                        OK
    "#);
}

#[test]
fn sim800_connection_commands_are_unknown() {
    let mut desk = Desk::active(exact());
    for command in [
        "AT+CIPMUX=0",
        "AT+CSTT=\"CMNET\"",
        "AT+CIICR",
        "AT+CIFSR",
        "AT+CIPSTART=\"TCP\",\"192.0.2.10\",7000",
        "AT+CIPSEND=1",
        "AT+CIPCLOSE",
        "AT+CIPSHUT",
        "AT+CIPSTATUS",
        "AT+CMIPSTART=1",
    ] {
        assert_eq!(desk.ask(&format!("{command}\r")), "\r\nERROR\r\n", "{command}");
    }
}

#[test]
fn every_way_in_which_a_connection_may_not_come_about() {
    let asked = || {
        let mut desk = Desk::active(exact());
        desk.ask("AT+IPSTART=\"TCP\",\"192.0.2.10\",7000\r");
        assert_eq!(desk.net(), ["0 opens 192.0.2.10:7000"]);
        desk
    };
    for why in [Closing::Refused, Closing::Reset, Closing::TimedOut] {
        let mut desk = asked();
        desk.closed(0, why);
        assert_eq!(desk.heard(), "\r\nCONNECT FAIL\r\n");
        assert_eq!(desk.ask("AT+CMSTATE\r"), "\r\n+CMSTATE: IP CLOSE\r\n\r\nOK\r\n");
    }
    // The answer to the command took 50 of the 80 ms that went by.
    let mut desk = asked();
    desk.run(Span::us(19_969_999));
    assert_eq!(desk.heard(), "");
    desk.run(Span::us(1));
    assert_eq!(desk.heard(), "\r\nCOMMAND TIMEOUT\r\n");
    assert_eq!(desk.net(), ["0 drops"]);
    desk.input(Input::Opened { port: Port(NET_BASE), from: None });
    assert_eq!(desk.heard(), "");
    let mut desk = Desk::active(exact());
    assert_eq!(desk.ask("AT+IPSTART=\"TCP\",\"nowhere.example\",7000\r"), "\r\nOK\r\n\r\nCONNECT FAIL\r\n");
    assert_eq!(desk.ask("AT+IPSTART=\"TCP\",\"WATER.example\",7000\r"), "\r\nOK\r\n");
    assert_eq!(desk.net(), ["0 opens 192.0.2.10:7000"]);
}

#[test]
fn every_way_in_which_a_send_may_end() {
    let sending = || {
        let mut desk = Desk::connected(exact());
        desk.ask("AT+IPSEND=3\r");
        desk.type_in(b"abc");
        assert_eq!(desk.net(), ["0 sends abc"]);
        desk
    };
    let mut desk = sending();
    desk.acked(0, 3);
    assert_eq!(desk.heard(), "\r\nSEND OK\r\n");
    let mut desk = sending();
    desk.run(Span::us(14_999_999));
    assert_eq!(desk.heard(), "");
    desk.run(Span::us(1));
    assert_eq!(desk.heard(), "\r\nSEND FAIL\r\n");
    assert_eq!(desk.ask("AT+CMSTATE\r"), "\r\n+CMSTATE: CONNECT OK\r\n\r\nOK\r\n");
    let mut desk = sending();
    desk.closed(0, Closing::Reset);
    assert_eq!(desk.heard(), "\r\nCONNECTION CLOSED\r\n");
    // Closed while the prompt is open: told when the data is in, once.
    let mut desk = Desk::connected(exact());
    desk.ask("AT+IPSEND=3\r");
    desk.closed(0, Closing::Fin);
    assert_eq!(desk.heard(), "");
    desk.type_in(b"abc");
    assert_eq!(desk.heard(), "\r\nCONNECTION CLOSED\r\n");
    assert_eq!(desk.net(), [""; 0]);
    // The context goes: told first, then the send result.
    let mut desk = sending();
    desk.input(Input::Stimulus(ModemStimulus::PdpLost));
    assert_eq!(desk.heard(), "\r\n+PDP: DEACT\r\n\r\nSEND FAIL\r\n");
    // Without the prompt the data is taken all the same.
    let mut desk = Desk::connected(exact());
    desk.ask("AT+PROMPT=0\r");
    assert_eq!(desk.ask("AT+IPSEND=3\r"), "");
    desk.type_in(b"abc");
    assert_eq!(desk.net(), ["0 sends abc"]);
}

#[test]
fn a_connection_outlives_the_host_and_must_be_closed_by_hand() {
    let mut desk = Desk::connected(exact());
    assert_eq!(desk.ask("AT\r"), "\r\nOK\r\n");
    assert_eq!(desk.ask("AT+CMMUX=0\r"), "\r\nERROR\r\n");
    let start = "AT+IPSTART=\"TCP\",\"192.0.2.10\",7000\r";
    assert_eq!(desk.ask(start), "\r\nOK\r\n\r\nALREADY CONNECT\r\n");
    assert_eq!(desk.ask("AT+IPCLOSE\r"), "\r\nOK\r\n");
    assert_eq!(desk.net(), ["0 closes"]);
    assert_eq!(desk.ask(start), "\r\nOK\r\n");
    for (variant, expected) in [
        (AlreadyConnect::Alone, "\r\nALREADY CONNECT\r\n"),
        (AlreadyConnect::AfterError, "\r\nERROR\r\n\r\nALREADY CONNECT\r\n"),
    ] {
        let mut config = exact();
        config.dialect.already_connect = variant;
        assert_eq!(Desk::connected(config).ask(start), expected);
    }
}

#[test]
fn several_connections_are_told_apart_by_their_numbers() {
    let mut desk = Desk::active(exact());
    assert_eq!(desk.ask("AT+CMMUX=1;+CMHEAD=1\r"), "\r\nOK\r\n");
    assert_eq!(desk.ask("AT+CMMODE=1\r"), "\r\nERROR\r\n");
    assert_eq!(desk.ask("AT+IPSTART=\"TCP\",\"192.0.2.10\",7000\r"), "\r\nERROR\r\n");
    for id in [5, 2] {
        assert_eq!(desk.ask(&format!("AT+IPSTART={id},\"TCP\",\"192.0.2.10\",7000\r")), "\r\nOK\r\n");
        desk.input(Input::Opened { port: Port(NET_BASE + id), from: None });
        assert_eq!(desk.heard(), format!("\r\n{id},CONNECT OK\r\n"));
    }
    assert_eq!(desk.ask("AT+IPSTART=6,\"TCP\",\"192.0.2.10\",7000\r"), "\r\nERROR\r\n");
    assert_eq!(desk.ask("AT+IPSTART=5,\"TCP\",\"192.0.2.10\",7\r"), "\r\nOK\r\n\r\n5,ALREADY CONNECT\r\n");
    assert_eq!(desk.ask("AT+IPSEND=2\r"), "\r\nERROR\r\n");
    assert_eq!(desk.ask("AT+IPSEND=0,2\r"), "\r\nERROR\r\n");
    assert_eq!(desk.ask("AT+IPSEND=2,2\r"), "\r\n> ");
    desk.type_in(b"hi");
    desk.acked(2, 2);
    assert_eq!(desk.heard(), "\r\n2,SEND OK\r\n");
    desk.net_says(5, b"there");
    assert_eq!(desk.heard(), "\r\n+IPDATA: 5,5\r\nthere");
    desk.closed(5, Closing::Fin);
    assert_eq!(desk.heard(), "\r\n5,CONNECTION CLOSED\r\n");
    let states = desk.ask("AT+CMSTATE\r");
    assert!(states.starts_with("\r\n+CMSTATE: 0,IP INITIAL\r\n"));
    assert!(states.contains("\r\n+CMSTATE: 2,CONNECT OK\r\n"));
    assert!(states.ends_with("\r\n+CMSTATE: 5,IP CLOSE\r\n\r\nOK\r\n"));
    assert_eq!(desk.ask("AT+IPCLOSE\r"), "\r\nERROR\r\n");
    assert_eq!(desk.ask("AT+IPCLOSE=2\r"), "\r\nOK\r\n");
}

#[test]
fn received_data_is_marked_as_configured_or_not_at_all() {
    let mut config = exact();
    config.dialect.received_mark = ReceivedMark::Angle;
    config.dialect.state_names = StateNames::Words;
    let mut desk = Desk::connected(config);
    desk.net_says(0, b"abc");
    assert_eq!(desk.heard(), "\r\n<IPDATA: 3>\r\nabc");
    assert_eq!(desk.ask("AT+CMSTATE\r"), "\r\n+CMSTATE: CONNECTED\r\n\r\nOK\r\n");
    desk.ask("AT+CMHEAD=0\r");
    desk.net_says(0, b"abc");
    assert_eq!(desk.heard(), "abc");
}

#[test]
fn buffered_data_waits_until_it_is_read() {
    let mut desk = Desk::active(exact());
    assert_eq!(desk.ask("AT+CMRD=0,5\r"), "\r\nERROR\r\n");
    desk.ask("AT+CMNDI=1\r");
    desk.ask("AT+IPSTART=\"TCP\",\"192.0.2.10\",7000\r");
    desk.input(Input::Opened { port: Port(NET_BASE), from: None });
    desk.heard();
    desk.net_says(0, b"hello");
    assert_eq!(desk.heard(), "");
    let list = desk.ask("AT+CMRD?\r");
    assert!(list.starts_with("\r\n+CMRD: 0,0,5\r\n\r\n+CMRD: 1,0,0\r\n"));
    assert_eq!(desk.ask("AT+CMRD=0,2\r"), "\r\n+CMRD: 0,2\r\nhe\r\nOK\r\n");
    assert_eq!(desk.ask("AT+CMRD=0,9\r"), "\r\n+CMRD: 0,3\r\nllo\r\nOK\r\n");
    assert_eq!(desk.ask("AT+CMRD=6,9\r"), "\r\nERROR\r\n");
    desk.net_says(0, &[b'x'; 8193]);
    assert_eq!(desk.events.last(), Some(&ModemEvent::Overrun { len: 1 }));
}

#[test]
fn sim_and_registration_follow_the_world() {
    let mut desk = Desk::ready(exact());
    desk.ask("AT+CMEE=1;+CREG=1\r");
    desk.input(Input::Stimulus(ModemStimulus::Sim { present: false }));
    assert_eq!(desk.heard(), "\r\n+CREG: 0\r\n");
    assert_eq!(desk.ask("AT+CPIN?\r"), "\r\n+CME ERROR: 10\r\n");
    assert_eq!(desk.ask("AT+SIM1\r"), "\r\n+SIM1: NOT EXSIT\r\n\r\nOK\r\n");
    assert_eq!(desk.ask("AT+CGATT=1\r"), "\r\n+CME ERROR: 30\r\n");
    desk.input(Input::Stimulus(ModemStimulus::Sim { present: true }));
    desk.input(Input::Stimulus(ModemStimulus::Registration(5)));
    assert_eq!(desk.heard(), "\r\n+CREG: 1\r\n\r\n+CREG: 5\r\n");
    assert_eq!(desk.ask("AT+CREG?\r"), "\r\n+CREG: 1,5\r\n\r\nOK\r\n");
    desk.input(Input::Stimulus(ModemStimulus::Signal { rssi: 99, ber: 99 }));
    assert_eq!(desk.ask("AT+CSQ\r"), "\r\n+CSQ: 99,99\r\n\r\nOK\r\n");
}
