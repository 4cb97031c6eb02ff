//! Lines and data in pieces and joined, commands that come too early, and power that goes in their midst.

use assay_sim::time::Span;

use super::modem_case;
use crate::modem::desk::{Desk, Done};
use crate::modem::expect::Expectation;
use crate::modem::words::Words;
use crate::water::Case;
use crate::water::Stage;

const A1: &str = "MDM-A1";
const A5: &str = "MDM-A5";

const CSQ: &str = "\r\n+CSQ: %d,%d\r\n\r\nOK\r\n";

pub(super) fn cases() -> Vec<Case> {
    vec![
        modem_case(
            "modem/line/split-and-joined",
            "A line may come byte by byte, with a pause at any of its bytes, or together with what follows it",
            &[A1],
            split_and_joined,
        ),
        modem_case(
            "modem/line/too-early",
            "A command that comes before the last result takes nothing from that result, and the next one is heard",
            &[A1],
            too_early,
        ),
        modem_case(
            "modem/line/data-in-pieces",
            "The data of a send may come byte by byte, and what comes behind its last byte is a command",
            &[A1],
            data_in_pieces,
        ),
        modem_case(
            "modem/boot/cut-mid-command",
            "Power that goes at any byte of a command or of its answer leaves nothing of them behind",
            &[A5],
            cut_mid_command,
        ),
    ]
}

fn split_and_joined(stage: &mut Stage) -> Done {
    let mut desk = Desk::set_up(stage);
    desk.start()?;
    desk.echo_off()?;
    let within = desk.limit(desk.module().plain);
    // Longer than a bench, or a port, joins what comes in pieces.
    let pause = desk.profile.bench.quiet * 2;
    let line = b"AT+CSQ\r";
    for at in 1..line.len() {
        desk.expect(&Expectation::modem(A1, CSQ));
        desk.type_in(&line[..at])?;
        desk.wait(pause)?;
        desk.type_in(&line[at..])?;
        desk.wait(within)?;
        desk.due();
    }
    desk.expect(&Expectation::modem(A1, CSQ));
    for byte in line {
        desk.type_in(&[*byte])?;
        desk.wait(pause)?;
    }
    desk.wait(within)?;
    desk.due();
    // Line ends before a command, and the first of the next one behind it.
    desk.exchange(A1, b"\r\r\nAT+CSQ\r\n\r\n", CSQ, within)?;
    desk.expect(&Expectation::modem(A1, &[CSQ, CSQ].concat()));
    desk.type_in(b"AT+CSQ\r\n\n")?;
    desk.wait(within)?;
    desk.type_in(b"A/")?;
    desk.wait(within)?;
    desk.due();
    Ok(())
}

fn too_early(stage: &mut Stage) -> Done {
    let mut desk = Desk::set_up(stage);
    desk.start()?;
    desk.echo_off()?;
    let plain = desk.module().plain.max;
    let within = desk.limit(desk.module().plain) * 2;
    // Whether the second is lost or answered is the modem's affair.
    let pattern = format!("{CSQ}%a");
    for share in 0..=4 {
        desk.expect(&Expectation::modem(A1, &pattern));
        desk.type_in(b"AT+CSQ\r")?;
        desk.wait(Span::us(plain.as_us() * share / 8))?;
        desk.type_in(b"AT\r")?;
        desk.wait(within)?;
        desk.due();
        desk.exchange(A1, b"AT+CSQ\r", CSQ, within)?;
    }
    desk.exchange(A1, b"AT+CSQ\rAT+NONE\rAT\r", &pattern, within * 2)?;
    desk.exchange(A1, b"AT+CSQ\r", CSQ, within)
}

fn data_in_pieces(stage: &mut Stage) -> Done {
    let mut desk = Desk::set_up(stage);
    desk.activate()?;
    desk.connect()?;
    let send = Words::of(&desk.profile).send;
    let (pause, prompt) = (desk.profile.bench.quiet * 2, desk.limit(desk.module().prompt));
    let within = desk.round_trip() + desk.limit(desk.module().plain);
    desk.exchange(A1, format!("{send}=6\r").as_bytes(), "\r\n> ", prompt)?;
    desk.expect(&Expectation::modem(A1, "\r\nSEND OK\r\n"));
    desk.expect(&Expectation::server(A1, b"AT\r\n+1"));
    for byte in b"AT\r\n+1" {
        desk.type_in(&[*byte])?;
        desk.wait(pause)?;
    }
    desk.wait(within)?;
    desk.due();
    desk.exchange(A1, b"AT+CSQ\r", CSQ, within)
}

fn cut_mid_command(stage: &mut Stage) -> Done {
    let mut desk = Desk::set_up(stage);
    desk.start()?;
    desk.echo_off()?;
    let (off, limit) = (desk.module().key_on, desk.limit(desk.module().plain));
    let line = b"AT+CREG=1\r";
    let answered = limit.shortened(8);
    let typed = (1..=line.len()).map(|at| (at, Span::ZERO));
    for (at, after) in typed.chain((1..=8).map(|step| (line.len(), answered * step))) {
        desk.type_in(&line[..at])?;
        desk.wait(after)?;
        desk.cut_for("modem-a", off)?;
        desk.start()?;
        // Echo is back, no line is begun, and the setting is the factory's.
        desk.exchange(A5, b"AT\r", "AT\r\r\nOK\r\n", limit)?;
        desk.exchange(A5, b"AT+CREG?\r", "AT+CREG?\r\r\n+CREG: 0,%d\r\n\r\nOK\r\n", limit)?;
        desk.echo_off()?;
    }
    Ok(())
}
