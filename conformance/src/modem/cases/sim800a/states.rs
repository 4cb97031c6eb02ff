//! The ten states, and in each of them every command that is not of it.

use super::{A2, A3, begin, closed, plain, refused, shut, start, state_is};
use crate::modem::cases::{ENDS_SIM800A, sim800a_case, transcripts};
use crate::modem::desk::{Desk, Done};
use crate::water::Stage;
use crate::water::{Case, Setup};

pub(super) fn cases() -> Vec<Case> {
    vec![
        sim800a_case(
            "modem/sim800a/states",
            "The way to a connection and back leads through its states, and commands of other states are errors",
            &[A2, A3],
            states,
        ),
        Case {
            setup: Setup {
                // A connection under way has to last as long as three questions take.
                profile: "[fitted]\nmodule = \"sim800a\"\n[gprs]\nconnect_timeout = \"600 s\"",
                ..ENDS_SIM800A
            },
            plan: "[[strike]]\nsite = \"gprs-a> connect #1\"\nfault = { fate = \"half-open\" }",
            oracles: |_| transcripts(1),
            ..sim800a_case(
                "modem/sim800a/connecting",
                "A connection under way has a state of its own, in which no data is taken",
                &[A2, A3],
                connecting,
            )
        },
        sim800a_case(
            "modem/sim800a/context-by-itself",
            "A start in the first state brings the context up by itself",
            &[A2, A3],
            context_by_itself,
        ),
    ]
}

/// What needs a standing connection.
const OF_A_CONNECTION: [&str; 4] = ["AT+CIPSEND", "AT+CIPSEND=1", "AT+CIPACK", "AT+CIPCLOSE"];

fn states(stage: &mut Stage) -> Done {
    let mut desk = Desk::set_up(stage);
    begin(&mut desk)?;
    let server = desk.server();
    let connect = format!("AT+CIPSTART={server}");
    let (plain_limit, activate) = (desk.limit(desk.module().plain), desk.limit(desk.module().activate));
    for (command, answer, within, state, others) in [
        ("AT+CIPMUX=0", "OK", plain_limit, "IP INITIAL", &["AT+CIICR", "AT+CIFSR"][..]),
        (
            "AT+CSTT=\"CMNET\"",
            "OK",
            plain_limit,
            "IP START",
            &["AT+CSTT=\"X\"", "AT+CIFSR", "AT+CIPMUX=1", &connect][..],
        ),
        (
            "AT+CIICR",
            "OK",
            activate,
            "IP GPRSACT",
            &["AT+CSTT=\"X\"", "AT+CIICR", "AT+CIPMUX=1", &connect][..],
        ),
        (
            "AT+CIFSR",
            "%d.%d.%d.%d",
            plain_limit,
            "IP STATUS",
            &["AT+CSTT=\"X\"", "AT+CIICR", "AT+CIPMUX=1"][..],
        ),
    ] {
        desk.ask(A2, command, &[answer], within)?;
        state_is(&mut desk, state)?;
        for other in others.iter().chain(&OF_A_CONNECTION) {
            refused(&mut desk, other)?;
        }
        state_is(&mut desk, state)?;
    }
    start(&mut desk, &["OK", "CONNECT OK"])?;
    state_is(&mut desk, "CONNECT OK")?;
    for other in ["AT+CSTT=\"X\"", "AT+CIICR", "AT+CIPMUX=1", "AT+CIPMODE=1", "AT+CIPRXGET=1"] {
        refused(&mut desk, other)?;
    }
    closed(&mut desk, 1, "CLOSED")?;
    state_is(&mut desk, "TCP CLOSED")?;
    for other in OF_A_CONNECTION.iter().chain(&["AT+CSTT=\"X\"", "AT+CIICR", "AT+CIPMUX=1"]) {
        refused(&mut desk, other)?;
    }
    if !desk.profile.sim800a.dialect.reopens {
        refused(&mut desk, &connect)?;
    }
    shut(&mut desk)?;
    state_is(&mut desk, "IP INITIAL")?;
    plain(&mut desk, A3, "AT+CIPMUX=1", &["OK"])
}

fn connecting(stage: &mut Stage) -> Done {
    let mut desk = Desk::set_up(stage);
    desk.activate()?;
    let connect = format!("AT+CIPSTART={}", desk.server());
    desk.opens();
    plain(&mut desk, A2, &connect, &["OK"])?;
    state_is(&mut desk, "TCP CONNECTING")?;
    refused(&mut desk, "AT+CIPSEND=1")?;
    shut(&mut desk)?;
    state_is(&mut desk, "IP INITIAL")
}

fn context_by_itself(stage: &mut Stage) -> Done {
    let mut desk = Desk::set_up(stage);
    begin(&mut desk)?;
    let connect = format!("AT+CIPSTART={}", desk.server());
    let within = desk.limit(desk.module().plain) + desk.module().activate.max + desk.round_trip();
    desk.opens();
    desk.ask(A2, &connect, &["OK", "CONNECT OK"], within)?;
    state_is(&mut desk, "CONNECT OK")
}
