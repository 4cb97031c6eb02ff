//! The M6311's table outside connections: queries, settings, names, and what it does not know.

use assay_sim::modem::event::ModemStimulus;

use super::m6311_case;
use crate::modem::desk::{Desk, Done};
use crate::modem::expect::Expectation;
use crate::water::Case;
use crate::water::Stage;

pub(super) const A8: &str = "MDM-A8";

pub(super) fn cases() -> Vec<Case> {
    vec![
        m6311_case(
            "modem/m6311/queries-and-settings",
            "Queries and settings answer with their strings, before and after registration",
            &[A8],
            queries_and_settings,
        ),
        m6311_case(
            "modem/m6311/sim800-commands",
            "The connection commands of the SIM800 are errors, with and without an active context",
            &[A8],
            sim800_commands,
        ),
        m6311_case("modem/m6311/names", "Names that the network knows are resolved", &[A8], names),
        m6311_case(
            "modem/m6311/context-lost",
            "When the network takes the context away, that is said, and no close follows",
            &[A8],
            context_lost,
        ),
    ]
}

fn queries_and_settings(stage: &mut Stage) -> Done {
    let mut desk = Desk::set_up(stage);
    desk.start()?;
    desk.echo_off()?;
    let plain = desk.limit(desk.module().plain);
    let sim = if desk.profile.modem.dialect.external_sim { "+SSYS: 1" } else { "+SSYS: 0" };
    for (command, line) in [
        ("AT+CMVERSION", "%s"),
        ("AT+SSYS?", sim),
        ("AT+SIM1", "+SIM1: EXSIT"),
        ("AT+CPIN?", "+CPIN: READY"),
        ("AT+CSQ", "+CSQ: %d,%d"),
        ("AT+CREG?", "+CREG: %d,%d"),
        ("AT+CGREG?", "+CGREG: %d,%d"),
        ("AT+CGATT?", "+CGATT: 0"),
        ("AT+CMSTATE", "+CMSTATE: IP INITIAL"),
    ] {
        desk.ask(A8, command, &[line, "OK"], plain)?;
    }
    for command in [
        "AT+CMMUX=1",
        "AT+CMMUX=0",
        "AT+CMHEAD=1",
        "AT+PROMPT=0",
        "AT+PROMPT=1",
        "AT^CURC=0",
        "AT+CMNDI=1",
        "AT+CMNDI=0",
        "AT+CMMODE=1",
        "AT+CMTCFG=1,1024,1",
        "AT+CMMODE=0",
    ] {
        desk.ask(A8, command, &["OK"], plain)?;
    }
    desk.ask(A8, "AT+IPSEND=1", &["ERROR"], plain)?;
    desk.wait(desk.module().register.max + desk.profile.bench.tolerance)?;
    desk.ask(A8, "AT+CREG?", &["+CREG: %d,1", "OK"], plain)?;
    desk.ask(A8, "AT+CGREG?", &["+CGREG: %d,1", "OK"], plain)?;
    desk.ask(A8, "AT+CGATT=1", &["OK"], desk.limit(desk.module().attach))?;
    desk.ask(A8, "AT+CGATT?", &["+CGATT: 1", "OK"], plain)?;
    desk.ask(A8, "AT+CGDCONT=1,\"IP\",\"CMNET\"", &["OK"], plain)?;
    desk.ask(A8, "AT+CGACT=1,1", &["OK"], desk.limit(desk.module().activate))
}

fn sim800_commands(stage: &mut Stage) -> Done {
    let mut desk = Desk::set_up(stage);
    desk.start()?;
    desk.echo_off()?;
    for active in [false, true] {
        if active {
            desk.wait(desk.module().register.max)?;
            desk.attach()?;
        }
        let server = desk.server();
        for command in [
            "AT+CIPMUX=0",
            "AT+CSTT=\"CMNET\"",
            "AT+CIICR",
            "AT+CIFSR",
            &format!("AT+CIPSTART={server}"),
            "AT+CIPSEND=1",
            "AT+CIPQSEND=1",
            "AT+CIPCLOSE",
            "AT+CIPSHUT",
            "AT+CIPSTATUS",
            "AT+CIPHEAD=1",
            "AT+CIPMODE=1",
        ] {
            desk.ask(A8, command, &["ERROR"], desk.limit(desk.module().plain))?;
        }
    }
    Ok(())
}

fn names(stage: &mut Stage) -> Done {
    let mut desk = Desk::set_up(stage);
    desk.activate()?;
    let within = desk.limit(desk.module().resolve);
    let known: Vec<String> = desk.profile.modem.dialect.resolver.keys().cloned().collect();
    for name in known {
        desk.ask(A8, &format!("AT+CMDNSGIP=\"{name}\""), &["+CMDNSGIP: %s", "OK"], within)?;
    }
    Ok(())
}

fn context_lost(stage: &mut Stage) -> Done {
    let mut desk = Desk::set_up(stage);
    desk.activate()?;
    desk.connect()?;
    let said = format!("\r\n{}\r\n", desk.profile.modem.dialect.pdp_lost);
    desk.expect(&Expectation::modem(A8, &said));
    desk.modem(ModemStimulus::PdpLost)?;
    desk.wait(desk.round_trip())?;
    desk.due();
    desk.ask(A8, "AT+IPSEND=1", &["ERROR"], desk.limit(desk.module().plain))
}
