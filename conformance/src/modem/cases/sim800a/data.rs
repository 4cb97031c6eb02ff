//! Data: sends of every kind and their results, all 256 values, and what is received in its four forms.

use super::{A2, A6, closed, give, plain, prompt, receive, start};
use crate::modem::cases::{ENDS_SIM800A, sim800a_case, transcripts};
use crate::modem::desk::{Desk, Done};
use crate::modem::expect::Expectation;
use crate::water::Stage;
use crate::water::{Case, Setup};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case {
            setup: Setup {
                // The network's own patience must be longer than the modem's, or the modem never loses its own.
                profile: "[fitted]\nmodule = \"sim800a\"\n[gprs]\nuser_timeout = \"1000 s\"",
                ..ENDS_SIM800A
            },
            plan: "[[strike]]\nsite = \"uart-a> AT+CIPSEND #6\"\n\
                   fault = { mishap = \"half-open\", link = \"gprs-a\" }",
            oracles: |_| transcripts(1),
            ..sim800a_case(
                "modem/sim800a/send-outcomes",
                "A send ends in SEND OK, in DATA ACCEPT, in CLOSED at any of its moments, or in SEND FAIL",
                &[A2],
                send_outcomes,
            )
        },
        sim800a_case(
            "modem/sim800a/all-values",
            "All 256 values pass unchanged by count; without a count 1A sends and 1B discards",
            &[A6],
            all_values,
        ),
        sim800a_case(
            "modem/sim800a/received-forms",
            "Received data is raw, or behind its count, protocol and sender, as it was asked for",
            &[A2],
            received_forms,
        ),
        sim800a_case(
            "modem/sim800a/buffered-receive",
            "Buffered data is announced once, and waits until it is counted and read, as bytes or as digits",
            &[A2],
            buffered_receive,
        ),
        sim800a_case(
            "modem/sim800a/transparent",
            "A transparent connection says CONNECT, is left by the escape, taken up by ATO, and ends in CLOSED",
            &[A2],
            transparent,
        ),
    ]
}

fn send_outcomes(stage: &mut Stage) -> Done {
    let mut desk = Desk::set_up(stage);
    desk.activate()?;
    let net = desk.net_limit();
    start(&mut desk, &["OK", "CONNECT OK"])?;
    plain(&mut desk, A2, "AT+CIPSEND?", &["+CIPSEND: %d", "OK"])?;
    prompt(&mut desk, A2, "AT+CIPSEND=3")?;
    give(&mut desk, A2, b"abc", b"abc", "SEND OK")?;
    plain(&mut desk, A2, "AT+CIPACK", &["+CIPACK: 3,3,0", "OK"])?;
    plain(&mut desk, A2, "AT+CIPQSEND=1", &["OK"])?;
    prompt(&mut desk, A2, "AT+CIPSEND=3")?;
    give(&mut desk, A2, b"abc", b"abc", "DATA ACCEPT:3")?;
    plain(&mut desk, A2, "AT+CIPQSEND=0", &["OK"])?;
    // The end comes while the prompt is open: it is the result of the send.
    prompt(&mut desk, A2, "AT+CIPSEND=3")?;
    desk.expect(&Expectation::modem(A2, ""));
    desk.server_closes()?;
    desk.wait(net)?;
    desk.due();
    desk.exchange(A2, b"abc", "\r\nCLOSED\r\n", net)?;
    // The end overtakes the acknowledgement of the data.
    desk.free()?;
    start(&mut desk, &["OK", "CONNECT OK"])?;
    prompt(&mut desk, A2, "AT+CIPSEND=3")?;
    desk.expect(&Expectation::modem(A2, "\r\nCLOSED\r\n"));
    desk.type_in(b"abc")?;
    desk.server_closes()?;
    desk.wait(net)?;
    desk.due();
    // Nothing is acknowledged any more.
    desk.free()?;
    start(&mut desk, &["OK", "CONNECT OK"])?;
    prompt(&mut desk, A2, "AT+CIPSEND=3")?;
    let patience = desk.module().send_limit + desk.profile.bench.tolerance;
    desk.exchange(A2, b"abc", "\r\nSEND FAIL\r\n", patience)
}

fn all_values(stage: &mut Stage) -> Done {
    let mut desk = Desk::set_up(stage);
    desk.activate()?;
    desk.connect()?;
    let all: Vec<u8> = (0..=255).collect();
    let longest: Vec<u8> = all.iter().copied().cycle().take(desk.module().send_max).collect();
    for data in [&all[..], &longest, b"\x1a", b"\x1b\x1a", b"\r\nAT\r"] {
        prompt(&mut desk, A6, &format!("AT+CIPSEND={}", data.len()))?;
        give(&mut desk, A6, data, data, "SEND OK")?;
    }
    // Not before the last byte.
    prompt(&mut desk, A6, "AT+CIPSEND=3")?;
    desk.expect(&Expectation::server(A6, b""));
    desk.exchange(A6, b"a\x1a", "", desk.round_trip())?;
    give(&mut desk, A6, b"c", b"a\x1ac", "SEND OK")?;
    prompt(&mut desk, A6, "AT+CIPSEND")?;
    give(&mut desk, A6, b"two\r\nlines\x1a", b"two\r\nlines", "SEND OK")?;
    prompt(&mut desk, A6, "AT+CIPSEND")?;
    desk.expect(&Expectation::server(A6, b""));
    desk.exchange(A6, b"never mind\x1b", "%a", desk.round_trip())?;
    prompt(&mut desk, A6, "AT+CIPSEND=1")?;
    give(&mut desk, A6, b"x", b"x", "SEND OK")
}

fn received_forms(stage: &mut Stage) -> Done {
    let mut desk = Desk::set_up(stage);
    desk.activate()?;
    start(&mut desk, &["OK", "CONNECT OK"])?;
    let all: Vec<u8> = (0..=255).collect();
    receive(&mut desk, 1, &all, &Expectation::bytes(A2, &all))?;
    plain(&mut desk, A2, "AT+CIPHEAD=1", &["OK"])?;
    receive(&mut desk, 1, b"\r\nCLOSED\r\n", &Expectation::blocks(A2, b"\r\nCLOSED\r\n"))?;
    plain(&mut desk, A2, "AT+CIPSHOWTP=1", &["OK"])?;
    receive(&mut desk, 1, b"x", &Expectation::modem(A2, "\r\n+IPD,1,TCP:x"))?;
    plain(&mut desk, A2, "AT+CIPSHOWTP=0", &["OK"])?;
    plain(&mut desk, A2, "AT+CIPSRIP=1", &["OK"])?;
    let from = format!("\r\nRECV FROM:{}\r\n\r\n+IPD,1:x", desk.profile.server.address);
    receive(&mut desk, 1, b"x", &Expectation::modem(A2, &from))
}

fn buffered_receive(stage: &mut Stage) -> Done {
    let mut desk = Desk::set_up(stage);
    desk.activate()?;
    plain(&mut desk, A2, "AT+CIPRXGET=1", &["OK"])?;
    start(&mut desk, &["OK", "CONNECT OK"])?;
    receive(&mut desk, 1, b"hello", &Expectation::modem(A2, "\r\n+CIPRXGET: 1\r\n"))?;
    receive(&mut desk, 1, b" you", &Expectation::modem(A2, ""))?;
    let within = desk.limit(desk.module().plain);
    for (typed, answer) in [
        ("AT+CIPRXGET=4\r", "\r\n+CIPRXGET: 4,9\r\n\r\nOK\r\n"),
        ("AT+CIPRXGET=2,2\r", "\r\n+CIPRXGET: 2,2,7\r\nhe\r\nOK\r\n"),
        ("AT+CIPRXGET=3,3\r", "\r\n+CIPRXGET: 3,3,4\r\n6C6C6F\r\nOK\r\n"),
        ("AT+CIPRXGET=2,100\r", "\r\n+CIPRXGET: 2,4,0\r\n you\r\nOK\r\n"),
        ("AT+CIPRXGET=4\r", "\r\n+CIPRXGET: 4,0\r\n\r\nOK\r\n"),
        ("AT+CIPRXGET=2,1461\r", "\r\nERROR\r\n"),
        ("AT+CIPRXGET=3,731\r", "\r\nERROR\r\n"),
    ] {
        desk.exchange(A2, typed.as_bytes(), answer, within)?;
    }
    receive(&mut desk, 1, b"x", &Expectation::modem(A2, "\r\n+CIPRXGET: 1\r\n"))
}

fn transparent(stage: &mut Stage) -> Done {
    let mut desk = Desk::set_up(stage);
    desk.activate_transparent()?;
    let guards = desk.module().guard_before + desk.module().guard_after + desk.profile.bench.tolerance;
    start(&mut desk, &["OK", "CONNECT"])?;
    let like = b"AT+CIPSTATUS\r";
    desk.expect(&Expectation::server(A2, like));
    desk.exchange(A2, like, "", guards + desk.net_limit())?;
    receive(&mut desk, 1, b"\r\nOK\r\n", &Expectation::bytes(A2, b"\r\nOK\r\n"))?;
    desk.wait(guards)?;
    desk.exchange(A2, b"+++", "\r\nOK\r\n", guards)?;
    plain(&mut desk, A2, "AT+CIPSTATUS", &["OK", "STATE: CONNECT OK"])?;
    plain(&mut desk, A2, "ATO", &["CONNECT"])?;
    receive(&mut desk, 1, b"data", &Expectation::bytes(A2, b"data"))?;
    closed(&mut desk, 1, "CLOSED")?;
    plain(&mut desk, A2, "ATO", &["ERROR"])
}
