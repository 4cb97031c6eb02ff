//! The SIM800A's serial line and supply: other speeds, sleep, DTR, brown-outs, and silent connections.

use assay_sim::modem::event::ModemStimulus;
use assay_sim::time::Span;

use super::{A2, A3, give, plain, prompt, receive, refused, start, state_is};
use crate::modem::cases::{ENDS_SIM800A, sim800a_case, transcripts};
use crate::modem::desk::{Desk, Done};
use crate::modem::expect::Expectation;
use crate::water::Stage;
use crate::water::{Case, Setup};

pub(super) fn cases() -> Vec<Case> {
    vec![
        sim800a_case(
            "modem/sim800a/other-speeds",
            "A host at another speed than the fixed one is not read, and is read again at the right one",
            &[A2],
            other_speeds,
        ),
        sim800a_case(
            "modem/sim800a/brown-outs",
            "A supply out of its limits is told once that was asked for, and switches the module off in the end",
            &[A2],
            brown_outs,
        ),
        sim800a_case(
            "modem/sim800a/sleep",
            "A sleeping module is woken by the first characters, which are lost, or by DTR",
            &[A2],
            sleep,
        ),
        sim800a_case(
            "modem/sim800a/dtr",
            "DTR that goes high is ignored, escapes from data, or hangs up, as AT&D says",
            &[A2, A3],
            dtr,
        ),
        Case {
            setup: Setup {
                // The network's own patience must be longer than the module's.
                profile: "[fitted]\nmodule = \"sim800a\"\n[gprs]\nuser_timeout = \"1000 s\"",
                ..ENDS_SIM800A
            },
            plan: "[[strike]]\nsite = \"uart-a> AT+CSQ #1\"\n\
                   fault = { mishap = \"half-open\", link = \"gprs-a\" }",
            oracles: |_| transcripts(1),
            ..sim800a_case(
                "modem/sim800a/keep-alive",
                "A silent connection is probed, stays while its peer answers, and is closed after the last vain probe",
                &[A2, A3],
                keep_alive,
            )
        },
    ]
}

fn other_speeds(stage: &mut Stage) -> Done {
    let mut desk = Desk::set_up(stage);
    desk.start()?;
    desk.echo_off()?;
    let within = desk.limit(desk.module().plain);
    plain(&mut desk, A2, "AT+IPR=9600", &["OK"])?;
    desk.modem(ModemStimulus::HostBaud(115_200))?;
    // Whatever a host hears at the wrong speed, it is no result.
    for _ in 0..3 {
        desk.exchange(A2, b"AT\r", "", within)?;
    }
    desk.modem(ModemStimulus::HostBaud(9_600))?;
    desk.type_in(b"\r")?;
    desk.wait(within)?;
    plain(&mut desk, A2, "AT", &["OK"])?;
    plain(&mut desk, A2, "AT+IPR?", &["+IPR: 9600", "OK"])?;
    plain(&mut desk, A2, "AT+IPR=0", &["OK"])?;
    for baud in [1_200, 57_600, 115_200] {
        desk.modem(ModemStimulus::HostBaud(baud))?;
        plain(&mut desk, A2, "AT", &["OK"])?;
    }
    Ok(())
}

/// The supply changes, and the module says this.
fn dip(desk: &mut Desk<'_>, millivolts: u16, said: &str) -> Done {
    desk.expect(&Expectation::modem(A2, said));
    desk.modem(ModemStimulus::Supply { millivolts })?;
    desk.wait(desk.limit(desk.module().plain))?;
    desk.due();
    Ok(())
}

fn brown_outs(stage: &mut Stage) -> Done {
    let mut desk = Desk::set_up(stage);
    desk.start()?;
    desk.echo_off()?;
    let limits = desk.profile.sim800a.dialect.supply;
    let within = desk.limit(desk.module().plain);
    dip(&mut desk, limits.under_warning - 1, "")?;
    plain(&mut desk, A2, "AT+CBATCHK=1", &["OK"])?;
    dip(&mut desk, limits.under_warning - 1, "\r\nUNDER-VOLTAGE WARNNING\r\n")?;
    dip(&mut desk, limits.over_warning + 1, "\r\nOVER-VOLTAGE WARNNING\r\n")?;
    dip(&mut desk, limits.usual, "")?;
    plain(&mut desk, A2, "AT", &["OK"])?;
    for (millivolts, said) in [
        (limits.under_off - 1, "\r\nUNDER-VOLTAGE POWER DOWN\r\n"),
        (limits.over_off + 1, "\r\nOVER-VOLTAGE POWER DOWN\r\n"),
    ] {
        dip(&mut desk, millivolts, said)?;
        desk.exchange(A2, b"AT\r", "", within)?;
        dip(&mut desk, limits.usual, "")?;
        desk.start()?;
        desk.echo_off()?;
        plain(&mut desk, A2, "AT+CBATCHK=1", &["OK"])?;
    }
    Ok(())
}

fn sleep(stage: &mut Stage) -> Done {
    let mut desk = Desk::set_up(stage);
    desk.start()?;
    desk.echo_off()?;
    let dialect = desk.profile.sim800a.dialect.clone();
    let within = desk.limit(desk.module().plain);
    // However soon it falls asleep, it must be awake for the next command.
    let brief = within.min(dialect.sleep_after.shortened(4));
    desk.ask(A2, "AT+CSCLK=2", &["OK"], brief)?;
    desk.wait(dialect.sleep_after)?;
    desk.exchange(A2, b"AT\r", "", brief)?;
    desk.ask(A2, "AT", &["OK"], brief)?;
    desk.ask(A2, "AT+CSCLK=1", &["OK"], brief)?;
    plain(&mut desk, A2, "AT", &["OK"])?;
    desk.dtr(true)?;
    desk.exchange(A2, b"AT\r", "", within)?;
    desk.dtr(false)?;
    desk.wait(dialect.dtr_wake)?;
    plain(&mut desk, A2, "AT", &["OK"])
}

/// DTR goes high and low again, and the module says this.
fn drops(desk: &mut Desk<'_>, said: &str) -> Done {
    desk.expect(&Expectation::modem(A2, said));
    desk.dtr(true)?;
    desk.wait(desk.net_limit())?;
    desk.dtr(false)?;
    desk.wait(desk.net_limit())?;
    desk.due();
    Ok(())
}

fn dtr(stage: &mut Stage) -> Done {
    let mut desk = Desk::set_up(stage);
    desk.activate_transparent()?;
    start(&mut desk, &["OK", "CONNECT"])?;
    drops(&mut desk, "")?;
    receive(&mut desk, 1, b"on", &Expectation::bytes(A2, b"on"))?;
    let guards = desk.module().guard_before + desk.module().guard_after + desk.profile.bench.tolerance;
    desk.wait(guards)?;
    desk.exchange(A2, b"+++", "\r\nOK\r\n", guards)?;
    plain(&mut desk, A2, "AT&D1", &["OK"])?;
    plain(&mut desk, A2, "ATO", &["CONNECT"])?;
    drops(&mut desk, "\r\nOK\r\n")?;
    state_is(&mut desk, "CONNECT OK")?;
    plain(&mut desk, A2, "AT&D2", &["OK"])?;
    plain(&mut desk, A2, "ATO", &["CONNECT"])?;
    drops(&mut desk, "\r\nCLOSED\r\n")?;
    state_is(&mut desk, "TCP CLOSED")?;
    refused(&mut desk, "ATO")
}

fn keep_alive(stage: &mut Stage) -> Done {
    let mut desk = Desk::set_up(stage);
    desk.activate()?;
    plain(&mut desk, A2, "AT+CIPTKA=1,30,30,2", &["OK"])?;
    start(&mut desk, &["OK", "CONNECT OK"])?;
    // Its peer is there, and says nothing.
    desk.expect(&Expectation::modem(A2, ""));
    desk.wait(Span::s(300))?;
    desk.due();
    prompt(&mut desk, A2, "AT+CIPSEND=2")?;
    give(&mut desk, A2, b"up", b"up", "SEND OK")?;
    // From here on, nothing passes.
    plain(&mut desk, A2, "AT+CSQ", &["+CSQ: %d,%d", "OK"])?;
    desk.expect(&Expectation::modem(A2, ""));
    desk.wait(Span::s(80))?;
    desk.due();
    desk.expect(&Expectation::modem(A2, "\r\nCLOSED\r\n"));
    desk.wait(Span::s(20))?;
    desk.due();
    state_is(&mut desk, "TCP CLOSED")
}
