//! Command lines: their ends, echo, repetition and limits, and the form of results.

use assay_sim::modem::event::ModemStimulus;

use super::{ENDS, modem_case};
use crate::modem::desk::{Desk, Done};
use crate::modem::expect::Expectation;
use crate::modem::words::Words;
use crate::water::Stage;
use crate::water::{Case, Setup};

const A1: &str = "MDM-A1";

/// The most characters that a line takes behind its `AT`.
const LINE_MAX: usize = 556;

pub(super) fn cases() -> Vec<Case> {
    vec![
        modem_case(
            "modem/line/ends-and-echo",
            "A line ends at CR, CR LF or LF, is echoed exactly while ATE1 holds, and may hold blanks and backspaces",
            &[A1],
            ends_and_echo,
        ),
        modem_case(
            "modem/line/chained-and-repeated",
            "Chained commands share one result and stop at the first error; A/ repeats the line without a CR",
            &[A1],
            chained_and_repeated,
        ),
        modem_case(
            "modem/line/forms-of-results",
            "Results are words or numbers as ATV says, and errors take the form of CMEE 0, 1 and 2",
            &[A1],
            forms_of_results,
        ),
        modem_case(
            "modem/line/too-long-or-unknown",
            "A line too long by one is an error and does nothing; an unknown command is an error at once",
            &[A1],
            too_long_or_unknown,
        ),
        Case {
            setup: Setup {
                // A bench cuts at the CR and holds the LF for its quiet time; the prompt must not come before.
                profile: "[modem.module]\nprompt = { min = \"400 ms\", max = \"600 ms\" }",
                ..ENDS
            },
            ..modem_case(
                "modem/line/lf-before-data",
                "An LF behind a command's CR is no part of the data that follows at the prompt",
                &[A1],
                lf_before_data,
            )
        },
    ]
}

fn ends_and_echo(stage: &mut Stage) -> Done {
    let mut desk = Desk::set_up(stage);
    desk.start()?;
    let within = desk.limit(desk.module().plain);
    for (typed, answer) in [
        ("AT\r", "AT\r\r\nOK\r\n"),
        ("AT\n", "AT\n\r\nOK\r\n"),
        ("ATE0\r", "ATE0\r\r\nOK\r\n"),
        ("AT\r", "\r\nOK\r\n"),
        ("AT\r\n", "\r\nOK\r\n"),
        ("AT\n", "\r\nOK\r\n"),
        ("\r", ""),
        ("\n", ""),
        ("AT + CSQ\r", "\r\n+CSQ: %d,%d\r\n\r\nOK\r\n"),
        ("AX\x08T\r", "\r\nOK\r\n"),
        ("ATE1\r", "\r\nOK\r\n"),
        ("AT\r", "AT\r\r\nOK\r\n"),
    ] {
        desk.exchange(A1, typed.as_bytes(), answer, within)?;
    }
    // The same line in two pieces.
    desk.expect(&Expectation::modem(A1, "AT+CSQ\r\r\n+CSQ: %d,%d\r\n\r\nOK\r\n"));
    desk.type_in(b"AT+C")?;
    desk.wait(within)?;
    desk.type_in(b"SQ\r")?;
    desk.wait(within)?;
    desk.due();
    Ok(())
}

fn chained_and_repeated(stage: &mut Stage) -> Done {
    let mut desk = Desk::set_up(stage);
    desk.start()?;
    desk.echo_off()?;
    let within = desk.limit(desk.module().plain) + desk.module().plain.max * 2;
    const CSQ: &str = "\r\n+CSQ: %d,%d\r\n";
    const CREG: &str = "\r\n+CREG: %d,%d\r\n";
    const OK: &str = "\r\nOK\r\n";
    const ERROR: &str = "\r\nERROR\r\n";
    for (typed, answer) in [
        ("AT+CSQ;+CREG?\r", [CSQ, CREG, OK].concat()),
        ("A/", [CSQ, CREG, OK].concat()),
        ("AT+CSQ;+NONE;+CREG?\r", [CSQ, ERROR].concat()),
        ("A/", [CSQ, ERROR].concat()),
        ("AT+CSQ;E1\r", [CSQ, OK].concat()),
        ("AT+CSQ\r", ["AT+CSQ\r", CSQ, OK].concat()),
        ("A/", ["A/", CSQ, OK].concat()),
    ] {
        desk.exchange(A1, typed.as_bytes(), &answer, within)?;
    }
    Ok(())
}

fn forms_of_results(stage: &mut Stage) -> Done {
    let mut desk = Desk::set_up(stage);
    desk.start()?;
    desk.echo_off()?;
    desk.modem(ModemStimulus::Sim { present: false })?;
    let within = desk.limit(desk.module().plain);
    for (typed, answer) in [
        ("ATV0\r", "0\r"),
        ("AT\r", "0\r"),
        ("AT+CSQ\r", "%a+CSQ: %d,%d\r\n0\r"),
        ("AT+NONE\r", "4\r"),
        ("ATV1\r", "\r\nOK\r\n"),
        ("AT+NONE\r", "\r\nERROR\r\n"),
        ("AT+CPIN?\r", "\r\nERROR\r\n"),
        ("AT+CMEE=1\r", "\r\nOK\r\n"),
        ("AT+CMEE?\r", "\r\n+CMEE: 1\r\n\r\nOK\r\n"),
        ("AT+CPIN?\r", "\r\n+CME ERROR: 10\r\n"),
        ("AT+CMEE=2\r", "\r\nOK\r\n"),
        ("AT+CPIN?\r", "\r\n+CME ERROR: SIM not inserted\r\n"),
        ("AT+CMEE=0\r", "\r\nOK\r\n"),
        ("AT+CPIN?\r", "\r\nERROR\r\n"),
    ] {
        desk.exchange(A1, typed.as_bytes(), answer, within)?;
    }
    Ok(())
}

fn too_long_or_unknown(stage: &mut Stage) -> Done {
    let mut desk = Desk::set_up(stage);
    desk.start()?;
    desk.echo_off()?;
    let within = desk.limit(desk.module().plain);
    let line = |len: usize| format!("ATE1{}\r", " ".repeat(len - "E1".len()));
    for (typed, answer) in [
        ("AT+NONE\r".to_owned(), "\r\nERROR\r\n"),
        (line(LINE_MAX + 1), "\r\nERROR\r\n"),
        ("AT\r".to_owned(), "\r\nOK\r\n"),
        (line(LINE_MAX), "\r\nOK\r\n"),
        ("AT\r".to_owned(), "AT\r\r\nOK\r\n"),
    ] {
        desk.exchange(A1, typed.as_bytes(), answer, within)?;
    }
    Ok(())
}

fn lf_before_data(stage: &mut Stage) -> Done {
    let mut desk = Desk::set_up(stage);
    desk.activate()?;
    desk.connect()?;
    let within = desk.round_trip() + desk.limit(desk.module().prompt);
    desk.expect(&Expectation::modem(A1, "\r\n> \r\nSEND OK\r\n"));
    desk.expect(&Expectation::server(A1, b"abc"));
    let send = Words::of(&desk.profile).send;
    desk.type_in(format!("{send}=3\r\n").as_bytes())?;
    desk.wait(desk.limit(desk.module().prompt))?;
    desk.type_in(b"abc")?;
    desk.wait(within)?;
    desk.due();
    Ok(())
}
