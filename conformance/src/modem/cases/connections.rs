//! The M6311's connections: how they come about, carry data, and end.

use assay_sim::modem::config::AlreadyConnect;
use assay_sim::modem::m6311::{ReceivedMark, StateNames};

use super::table::A8;
use super::{ENDS, m6311_case, transcripts};
use crate::modem::desk::{Desk, Done};
use crate::modem::expect::Expectation;
use crate::water::Stage;
use crate::water::{Case, Setup};

pub(super) fn cases() -> Vec<Case> {
    [outcomes(), uses()].concat()
}

fn outcomes() -> Vec<Case> {
    vec![
        Case {
            setup: Setup {
                // The network's own patience must be longer than the modem's, or the modem never loses its own.
                profile: "[fitted]\nmodule = \"m6311\"\n[gprs]\nconnect_timeout = \"60 s\"",
                ..ENDS
            },
            plan: "[[strike]]\nsite = \"gprs-a> connect #2\"\nfault = { fate = \"refuse\" }\n\
                   [[strike]]\nsite = \"gprs-a> connect #3\"\nfault = { fate = \"half-open\" }",
            oracles: |_| transcripts(2),
            ..m6311_case(
                "modem/m6311/connect-outcomes",
                "A start ends in each of its four outcomes, and CMSTATE tells where the connection stands",
                &[A8],
                connect_outcomes,
            )
        },
        Case {
            plan: "[[strike]]\nsite = \"uart-a> AT+IPSEND #4\"\n\
                   fault = { mishap = \"half-open\", link = \"gprs-a\" }",
            oracles: |_| transcripts(1),
            ..m6311_case(
                "modem/m6311/send-outcomes",
                "A send ends in SEND OK, in CONNECTION CLOSED at any of its moments, or in SEND FAIL",
                &[A8],
                send_outcomes,
            )
        },
    ]
}

fn uses() -> Vec<Case> {
    vec![
        m6311_case(
            "modem/m6311/all-values",
            "All 256 values pass unchanged both ways, up to the longest send",
            &[A8],
            all_values,
        ),
        m6311_case(
            "modem/m6311/several-connections",
            "Several connections are told apart by their numbers",
            &[A8],
            several_connections,
        ),
        m6311_case(
            "modem/m6311/buffered-receive",
            "Buffered data waits until it is listed and read",
            &[A8],
            buffered_receive,
        ),
        Case {
            setup: Setup {
                // A connection under way has to last as long as a few questions take.
                profile: "[fitted]\nmodule = \"m6311\"\n[gprs]\nconnect_timeout = \"60 s\"",
                ..ENDS
            },
            plan: "[[strike]]\nsite = \"gprs-a> connect #1\"\nfault = { fate = \"half-open\" }",
            oracles: |_| transcripts(1),
            ..m6311_case(
                "modem/m6311/states",
                "Without a context nothing is opened, and nothing is sent but over a connection that stands",
                &[A8],
                states_in_order,
            )
        },
        m6311_case(
            "modem/m6311/host-restart",
            "A connection outlives its host, and IPCLOSE alone frees it",
            &[A8],
            host_restart,
        ),
        m6311_case(
            "modem/m6311/transparent",
            "A transparent connection says CONNECT, and is left by the escape and CMMODE=0",
            &[A8],
            transparent,
        ),
    ]
}

/// What the state of a connection is called: standing, and over.
fn states(desk: &Desk<'_>) -> [&'static str; 2] {
    match desk.profile.modem.dialect.state_names {
        StateNames::Phrases => ["+CMSTATE: CONNECT OK", "+CMSTATE: IP CLOSE"],
        StateNames::Words => ["+CMSTATE: CONNECTED", "+CMSTATE: CLOSED"],
    }
}

/// The line before received data.
fn mark(desk: &Desk<'_>, values: &str) -> String {
    match desk.profile.modem.dialect.received_mark {
        ReceivedMark::Plus => format!("\r\n+IPDATA: {values}\r\n"),
        ReceivedMark::Angle => format!("\r\n<IPDATA: {values}>\r\n"),
    }
}

fn state_is(desk: &mut Desk<'_>, line: &str) -> Done {
    desk.ask(A8, "AT+CMSTATE", &[line, "OK"], desk.limit(desk.module().plain))
}

fn start(desk: &mut Desk<'_>, lines: &[&str]) -> Done {
    let command = format!("AT+IPSTART={}", desk.server());
    desk.opens();
    desk.ask(A8, &command, lines, desk.limit(desk.module().plain) + desk.round_trip())
}

/// A start while there is a connection.
fn start_again(desk: &mut Desk<'_>) -> Done {
    let command = format!("AT+IPSTART={}", desk.server());
    let lines: &[&str] = match desk.profile.modem.dialect.already_connect {
        AlreadyConnect::AfterOk => &["OK", "ALREADY CONNECT"],
        AlreadyConnect::Alone => &["ALREADY CONNECT"],
        AlreadyConnect::AfterError => &["ERROR", "ALREADY CONNECT"],
    };
    desk.ask(A8, &command, lines, desk.limit(desk.module().plain))
}

fn close(desk: &mut Desk<'_>, command: &str) -> Done {
    desk.ask(A8, command, &["OK"], desk.limit(desk.module().close))
}

/// The prompt for so much data.
fn prompt(desk: &mut Desk<'_>, values: &str) -> Done {
    let command = format!("AT+IPSEND={values}\r");
    desk.exchange(A8, command.as_bytes(), "\r\n> ", desk.limit(desk.module().prompt))
}

/// The data of a send, which arrives unchanged.
fn give(desk: &mut Desk<'_>, data: &[u8], result: &str) -> Done {
    desk.expect(&Expectation::server(A8, data));
    desk.exchange(A8, data, &format!("\r\n{result}\r\n"), desk.round_trip())
}

fn connect_outcomes(stage: &mut Stage) -> Done {
    let mut desk = Desk::set_up(stage);
    desk.activate()?;
    let [standing, over] = states(&desk);
    state_is(&mut desk, "+CMSTATE: IP INITIAL")?;
    start(&mut desk, &["OK", "CONNECT OK"])?;
    state_is(&mut desk, standing)?;
    start_again(&mut desk)?;
    state_is(&mut desk, standing)?;
    close(&mut desk, "AT+IPCLOSE")?;
    state_is(&mut desk, over)?;
    start(&mut desk, &["OK", "CONNECT FAIL"])?;
    state_is(&mut desk, over)?;
    let command = format!("AT+IPSTART={}", desk.server());
    desk.opens();
    let within = desk.limit(desk.module().plain) + desk.module().connect_limit;
    desk.ask(A8, &command, &["OK", "COMMAND TIMEOUT"], within)?;
    desk.ask(A8, "AT+IPSEND=1", &["ERROR"], desk.limit(desk.module().plain))?;
    start(&mut desk, &["OK", "CONNECT OK"])?;
    desk.expect(&Expectation::modem(A8, "\r\nCONNECTION CLOSED\r\n"));
    desk.server_closes()?;
    desk.wait(desk.net_limit())?;
    desk.due();
    state_is(&mut desk, over)
}

fn send_outcomes(stage: &mut Stage) -> Done {
    const CLOSED: &str = "CONNECTION CLOSED";
    let mut desk = Desk::set_up(stage);
    desk.activate()?;
    let net = desk.net_limit();
    start(&mut desk, &["OK", "CONNECT OK"])?;
    prompt(&mut desk, "3")?;
    give(&mut desk, b"abc", "SEND OK")?;
    // The end comes while the prompt is open: it is the result of the send.
    prompt(&mut desk, "3")?;
    desk.expect(&Expectation::modem(A8, ""));
    desk.server_closes()?;
    desk.wait(net)?;
    desk.due();
    desk.exchange(A8, b"abc", &format!("\r\n{CLOSED}\r\n"), net)?;
    // The end overtakes the acknowledgement of the data.
    start(&mut desk, &["OK", "CONNECT OK"])?;
    prompt(&mut desk, "3")?;
    desk.expect(&Expectation::modem(A8, &format!("\r\n{CLOSED}\r\n")));
    desk.type_in(b"abc")?;
    desk.server_closes()?;
    desk.wait(net)?;
    desk.due();
    // Nothing is acknowledged any more.
    start(&mut desk, &["OK", "CONNECT OK"])?;
    prompt(&mut desk, "3")?;
    let patience = desk.module().send_limit + desk.profile.bench.tolerance;
    desk.exchange(A8, b"abc", "\r\nSEND FAIL\r\n", patience)
}

fn all_values(stage: &mut Stage) -> Done {
    let mut desk = Desk::set_up(stage);
    desk.activate()?;
    let all: Vec<u8> = (0..=255).collect();
    let longest: Vec<u8> = all.iter().copied().cycle().take(desk.module().send_max).collect();
    desk.setup("AT+CMHEAD=1")?;
    start(&mut desk, &["OK", "CONNECT OK"])?;
    for data in [&all, &longest] {
        prompt(&mut desk, &data.len().to_string())?;
        give(&mut desk, data, "SEND OK")?;
    }
    // The network may deliver in pieces, and data may read like a report.
    for data in [&all[..], b"\r\nCONNECTION CLOSED\r\n"] {
        receive(&mut desk, data, &Expectation::blocks(A8, data))?;
    }
    desk.ask(A8, "AT+CMHEAD=0", &["OK"], desk.limit(desk.module().plain))?;
    receive(&mut desk, &all, &Expectation::bytes(A8, &all))
}

/// Data from the server, and how the modem delivers it.
fn receive(desk: &mut Desk<'_>, data: &[u8], delivered: &Expectation) -> Done {
    desk.expect(delivered);
    desk.server_sends(data)?;
    desk.wait(desk.net_limit() + desk.profile.uart.time(data.len()))?;
    desk.due();
    Ok(())
}

fn several_connections(stage: &mut Stage) -> Done {
    let mut desk = Desk::set_up(stage);
    desk.activate()?;
    let plain = desk.limit(desk.module().plain);
    let round_trip = plain + desk.round_trip();
    desk.ask(A8, "AT+CMMUX=1", &["OK"], plain)?;
    desk.ask(A8, "AT+CMHEAD=1", &["OK"], plain)?;
    let server = desk.server();
    for id in [2, 0] {
        desk.opens();
        let up = format!("{id},%bCONNECT OK");
        desk.ask(A8, &format!("AT+IPSTART={id},{server}"), &["OK", &up], round_trip)?;
    }
    prompt(&mut desk, "2,5")?;
    give(&mut desk, b"hello", "2,%bSEND OK")?;
    let marked = mark(&desk, "2,2");
    desk.expect(&Expectation::modem(A8, &format!("{marked}hi")));
    desk.server_sends_on(1, b"hi")?;
    desk.wait(desk.net_limit())?;
    desk.due();
    desk.expect(&Expectation::modem(A8, "\r\n2,CONNECTION CLOSED\r\n"));
    desk.server_closes_on(1)?;
    desk.wait(desk.net_limit())?;
    desk.due();
    desk.ask(A8, "AT+IPSEND=2,1", &["ERROR"], plain)?;
    prompt(&mut desk, "0,2")?;
    give(&mut desk, b"on", "0,%bSEND OK")?;
    close(&mut desk, "AT+IPCLOSE=0")
}

fn buffered_receive(stage: &mut Stage) -> Done {
    let mut desk = Desk::set_up(stage);
    desk.activate()?;
    let plain = desk.limit(desk.module().plain);
    desk.ask(A8, "AT+CMNDI=1", &["OK"], plain)?;
    start(&mut desk, &["OK", "CONNECT OK"])?;
    receive(&mut desk, b"hello", &Expectation::modem(A8, ""))?;
    desk.exchange(A8, b"AT+CMRD?\r", "\r\n+CMRD: 0,%s,5\r\n%a\r\nOK\r\n", plain)?;
    desk.exchange(A8, b"AT+CMRD=0,2\r", "%ahe\r\nOK\r\n", plain)?;
    desk.exchange(A8, b"AT+CMRD=0,3\r", "%allo\r\nOK\r\n", plain)?;
    desk.exchange(A8, b"AT+CMRD?\r", "\r\n+CMRD: 0,%s,0\r\n%a\r\nOK\r\n", plain)
}

fn states_in_order(stage: &mut Stage) -> Done {
    let mut desk = Desk::set_up(stage);
    desk.start()?;
    desk.echo_off()?;
    let plain = desk.limit(desk.module().plain);
    let connect = format!("AT+IPSTART={}", desk.server());
    let refused = |desk: &mut Desk<'_>, commands: &[&str]| -> Done {
        commands.iter().try_for_each(|command| desk.ask(A8, command, &["ERROR"], plain))
    };
    let [standing, over] = states(&desk);
    refused(&mut desk, &[&connect, "AT+IPSEND=1", "AT+CMDNSGIP=\"water.example\""])?;
    state_is(&mut desk, "+CMSTATE: IP INITIAL")?;
    desk.wait(desk.module().register.max + desk.profile.bench.tolerance)?;
    desk.attach()?;
    refused(&mut desk, &["AT+IPSEND=1", "AT+IPSTART=\"TCP\"", "AT+IPSEND=0"])?;
    // Nobody answers; and it is closed before its time is over, however short that is.
    let brief = plain.min(desk.module().connect_limit.shortened(4));
    desk.opens();
    desk.ask(A8, &connect, &["OK"], brief)?;
    desk.ask(A8, "AT+IPSEND=1", &["ERROR"], brief)?;
    close(&mut desk, "AT+IPCLOSE")?;
    refused(&mut desk, &["AT+IPSEND=1"])?;
    start(&mut desk, &["OK", "CONNECT OK"])?;
    state_is(&mut desk, standing)?;
    prompt(&mut desk, "1")?;
    give(&mut desk, b"x", "SEND OK")?;
    close(&mut desk, "AT+IPCLOSE")?;
    state_is(&mut desk, over)?;
    refused(&mut desk, &["AT+IPSEND=1"])
}

fn host_restart(stage: &mut Stage) -> Done {
    let mut desk = Desk::set_up(stage);
    desk.activate()?;
    start(&mut desk, &["OK", "CONNECT OK"])?;
    // A host without power holds the key; long enough, and the modem would be switched off.
    let short = desk.module().key_off.shortened(4);
    desk.cut_for("mcu-a", short)?;
    desk.release_key()?;
    desk.ask(A8, "AT", &["OK"], desk.limit(desk.module().plain))?;
    let [standing, over] = states(&desk);
    state_is(&mut desk, standing)?;
    start_again(&mut desk)?;
    close(&mut desk, "AT+IPCLOSE")?;
    state_is(&mut desk, over)?;
    start(&mut desk, &["OK", "CONNECT OK"])
}

fn transparent(stage: &mut Stage) -> Done {
    let mut desk = Desk::set_up(stage);
    desk.activate()?;
    let plain = desk.limit(desk.module().plain);
    let guards = desk.module().guard_before + desk.module().guard_after + desk.profile.bench.tolerance;
    desk.ask(A8, "AT+CMMODE=1", &["OK"], plain)?;
    desk.ask(A8, "AT+CMTCFG=1,1024,1", &["OK"], plain)?;
    start(&mut desk, &["OK", "CONNECT"])?;
    let like = b"AT+CMSTATE\r";
    let passed_on = desk.profile.modem.dialect.transparent_step + desk.net_limit();
    desk.expect(&Expectation::server(A8, like));
    desk.exchange(A8, like, "", passed_on)?;
    receive(&mut desk, b"\r\nOK\r\n", &Expectation::bytes(A8, b"\r\nOK\r\n"))?;
    desk.wait(guards)?;
    desk.exchange(A8, b"+++", "\r\nOK\r\n", guards)?;
    desk.ask(A8, "AT+CMMODE=0", &["OK"], plain)?;
    let [standing, _] = states(&desk);
    state_is(&mut desk, standing)?;
    prompt(&mut desk, "2")?;
    give(&mut desk, b"hi", "SEND OK")
}
