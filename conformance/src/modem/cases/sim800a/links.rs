//! What is asked and told, how connections come about and end, and several of them at once.

use assay_sim::modem::config::AlreadyConnect;
use assay_sim::modem::event::ModemStimulus;
use assay_sim::modem::sim800a::Numbering;

use super::{A2, A3, begin, closed, give, plain, prompt, receive, shut, start, state_is};
use crate::modem::cases::{ENDS_SIM800A, sim800a_case, transcripts};
use crate::modem::desk::{Desk, Done};
use crate::modem::expect::Expectation;
use crate::water::Stage;
use crate::water::{Case, Setup};

pub(super) fn cases() -> Vec<Case> {
    vec![
        sim800a_case(
            "modem/sim800a/queries-and-settings",
            "Every query that owes an information line gives it, and settings are told as they were made",
            &[A2],
            queries_and_settings,
        ),
        sim800a_case(
            "modem/sim800a/m6311-commands",
            "The connection commands of the M6311 are errors",
            &[A2],
            m6311_commands,
        ),
        Case {
            setup: Setup {
                // The network's own patience must be longer than the modem's, or the modem never loses its own.
                profile: "[fitted]\nmodule = \"sim800a\"\n[gprs]\nconnect_timeout = \"600 s\"",
                ..ENDS_SIM800A
            },
            plan: "[[strike]]\nsite = \"gprs-a> connect #2\"\nfault = { fate = \"refuse\" }\n\
                   [[strike]]\nsite = \"gprs-a> connect #3\"\nfault = { fate = \"half-open\" }",
            oracles: |_| transcripts(2),
            ..sim800a_case(
                "modem/sim800a/connect-outcomes",
                "A start ends in CONNECT OK, in CONNECT FAIL behind its state, or in ALREADY CONNECT",
                &[A2, A3],
                connect_outcomes,
            )
        },
        sim800a_case(
            "modem/sim800a/several-links",
            "Several links are told apart by their numbers, from their start to their six lines and their end",
            &[A2],
            several_links,
        ),
        sim800a_case("modem/sim800a/names", "Names are resolved behind their OK", &[A2], names),
        sim800a_case(
            "modem/sim800a/context-lost",
            "When the network takes the context away, that is said, no close follows, and CIPSHUT sets it right",
            &[A2, A3],
            context_lost,
        ),
    ]
}

fn queries_and_settings(stage: &mut Stage) -> Done {
    let mut desk = Desk::set_up(stage);
    begin(&mut desk)?;
    for (command, line) in [
        ("AT+CPIN?", "+CPIN: READY"),
        ("AT+CSQ", "+CSQ: %d,%d"),
        ("AT+CREG?", "+CREG: 0,1"),
        ("AT+CGREG?", "+CGREG: 0,1"),
        ("AT+CGATT?", "+CGATT: 0"),
        ("AT+CIPMUX?", "+CIPMUX: 0"),
        ("AT+CSCS=?", "+CSCS: (%s)"),
        ("AT+CSMS?", "+CSMS: %s"),
        ("AT+CPMS=?", "+CPMS: %s"),
        ("AT+CGPADDR", "+CGPADDR: %s"),
        ("AT+COPS?", "+COPS: %s"),
        ("AT+CBC", "+CBC: %d,%d,%d"),
    ] {
        plain(&mut desk, A2, command, &[line, "OK"])?;
    }
    plain(&mut desk, A2, "AT+CDNSCFG?", &["PrimaryDns: %s", "SecondaryDns: %s", "OK"])?;
    for (set, ask, told) in [
        ("AT+CIPHEAD=1", "AT+CIPHEAD?", "+CIPHEAD: 1"),
        ("AT+CIPQSEND=1", "AT+CIPQSEND?", "+CIPQSEND: 1"),
        ("AT+CIPSPRT=2", "AT+CIPSPRT?", "+CIPSPRT: 2"),
        ("AT+CIPRXGET=1", "AT+CIPRXGET?", "+CIPRXGET: 1"),
        ("AT+IFC=0,0", "AT+IFC?", "+IFC: 0,0"),
        ("AT+CBATCHK=1", "AT+CBATCHK?", "+CBATCHK: 1"),
        ("AT+CIPMUX=1", "AT+CIPMUX?", "+CIPMUX: 1"),
    ] {
        plain(&mut desk, A2, set, &["OK"])?;
        plain(&mut desk, A2, ask, &[told, "OK"])?;
    }
    plain(&mut desk, A2, "AT+CIPHEAD=2", &["ERROR"])
}

fn m6311_commands(stage: &mut Stage) -> Done {
    let mut desk = Desk::set_up(stage);
    begin(&mut desk)?;
    let server = desk.server();
    for command in [
        "AT+CMMUX=0",
        "AT+CMHEAD=1",
        &format!("AT+IPSTART={server}"),
        "AT+IPSEND=1",
        "AT+IPCLOSE",
        "AT+CMSTATE",
        "AT+CMMODE=1",
    ] {
        plain(&mut desk, A2, command, &["ERROR"])?;
    }
    Ok(())
}

fn connect_outcomes(stage: &mut Stage) -> Done {
    let mut desk = Desk::set_up(stage);
    desk.activate()?;
    start(&mut desk, &["OK", "CONNECT OK"])?;
    let command = format!("AT+CIPSTART={}", desk.server());
    let again: &[&str] = match desk.profile.sim800a.dialect.already_connect {
        AlreadyConnect::AfterOk => &["OK", "ALREADY CONNECT"],
        AlreadyConnect::Alone => &["ALREADY CONNECT"],
        AlreadyConnect::AfterError => &["ERROR", "ALREADY CONNECT"],
    };
    plain(&mut desk, A2, &command, again)?;
    state_is(&mut desk, "CONNECT OK")?;
    desk.ask(A2, "AT+CIPCLOSE", &["CLOSE OK"], desk.limit(desk.module().close))?;
    state_is(&mut desk, "TCP CLOSED")?;
    for within in [desk.round_trip(), desk.module().connect_limit] {
        desk.free()?;
        let within = within + desk.limit(desk.module().plain);
        desk.opens();
        desk.exchange(
            A2,
            format!("{command}\r").as_bytes(),
            "\r\nOK\r\n\r\nSTATE: %s\r\n\r\nCONNECT FAIL\r\n",
            within,
        )?;
    }
    desk.free()?;
    start(&mut desk, &["OK", "CONNECT OK"])?;
    closed(&mut desk, 4, "CLOSED")?;
    state_is(&mut desk, "TCP CLOSED")
}

/// A text with the number of its link, as the profile declares it.
fn numbered(desk: &Desk<'_>, id: u16, text: &str) -> String {
    match desk.profile.sim800a.dialect.numbering {
        Numbering::CommaBlank => format!("{id}, {text}"),
        Numbering::Comma => format!("{id},{text}"),
    }
}

fn several_links(stage: &mut Stage) -> Done {
    let mut desk = Desk::set_up(stage);
    begin(&mut desk)?;
    plain(&mut desk, A2, "AT+CIPMUX=1", &["OK"])?;
    desk.attach()?;
    let server = desk.server();
    let within = desk.limit(desk.module().plain) + desk.round_trip();
    for id in [2, 0] {
        desk.opens();
        let up = numbered(&desk, id, "CONNECT OK");
        desk.ask(A2, &format!("AT+CIPSTART={id},{server}"), &["OK", &up], within)?;
    }
    prompt(&mut desk, A2, "AT+CIPSEND=2,5")?;
    let sent = numbered(&desk, 2, "SEND OK");
    give(&mut desk, A2, b"hello", b"hello", &sent)?;
    receive(&mut desk, 1, b"hi", &Expectation::modem(A2, "\r\n+RECEIVE,2,2:\r\nhi"))?;
    let address = desk.profile.server.address;
    let link = |id: u16, state: &str| match state {
        "INITIAL" => format!("C: {id},%s,\"%s\",\"%s\",\"%s\",\"INITIAL\"\r\n"),
        _ => format!("C: {id},0,\"TCP\",\"{}\",\"{}\",\"{state}\"\r\n", address.ip(), address.port()),
    };
    let six =
        |states: [&str; 6]| -> String { (0..).zip(states).map(|(id, state)| link(id, state)).collect() };
    let status = |states| format!("\r\nOK\r\n\r\nSTATE: IP PROCESSING\r\n\r\n{}", six(states));
    let plain_limit = desk.limit(desk.module().plain);
    let both = status(["CONNECTED", "INITIAL", "CONNECTED", "INITIAL", "INITIAL", "INITIAL"]);
    desk.exchange(A2, b"AT+CIPSTATUS\r", &both, plain_limit)?;
    let gone = numbered(&desk, 2, "CLOSED");
    closed(&mut desk, 1, &gone)?;
    let one = status(["CONNECTED", "INITIAL", "CLOSED", "INITIAL", "INITIAL", "INITIAL"]);
    desk.exchange(A2, b"AT+CIPSTATUS\r", &one, plain_limit)?;
    plain(&mut desk, A2, "AT+CIPSEND=2,1", &["ERROR"])?;
    plain(&mut desk, A2, "AT+CIPQSEND=1", &["OK"])?;
    prompt(&mut desk, A2, "AT+CIPSEND=0,2")?;
    give(&mut desk, A2, b"on", b"on", "DATA ACCEPT:0,2")?;
    desk.exchange(A2, b"AT+CIPACK=0\r", "\r\n+CIPACK: 2,2,0\r\n\r\nOK\r\n", plain_limit)?;
    let over = numbered(&desk, 0, "CLOSE OK");
    desk.ask(A2, "AT+CIPCLOSE=0", &[&over], desk.limit(desk.module().close))?;
    shut(&mut desk)
}

fn names(stage: &mut Stage) -> Done {
    let mut desk = Desk::set_up(stage);
    desk.activate()?;
    let within = desk.limit(desk.module().plain) + desk.module().resolve.max;
    let known = desk.profile.sim800a.dialect.resolver.clone();
    for (name, address) in known {
        let told = format!("+CDNSGIP: 1,\"{name}\",\"{address}\"");
        desk.ask(A2, &format!("AT+CDNSGIP=\"{name}\""), &["OK", &told], within)?;
    }
    desk.ask(A2, "AT+CDNSGIP=\"nowhere.invalid\"", &["OK", "+CDNSGIP: 0,8"], within)
}

fn context_lost(stage: &mut Stage) -> Done {
    let mut desk = Desk::set_up(stage);
    desk.activate()?;
    desk.connect()?;
    desk.expect(&Expectation::modem(A2, "\r\n+PDP: DEACT\r\n"));
    desk.modem(ModemStimulus::PdpLost)?;
    desk.wait(desk.round_trip())?;
    desk.due();
    state_is(&mut desk, "PDP DEACT")?;
    super::refused(&mut desk, "AT+CIPSEND=1")?;
    shut(&mut desk)?;
    state_is(&mut desk, "IP INITIAL")?;
    desk.attach()?;
    start(&mut desk, &["OK", "CONNECT OK"])
}
