//! Answers that are for somebody else, come twice, or come late.

use assay_sim::money::Fen;
use assay_sim::pos::frame::{DeviceMessage, Key, MachineNumber, ServerMessage};
use assay_sim::time::Span;

use super::probe_server::{ProbeServer, SOON, made, other_code};
use super::{BASE, CARD, MORE_WHITE, WHITE};
use crate::pos::{Case, Stage};
use crate::stage::StageError;
use assay_sim::card::number::CardNumber;

pub(super) const CASES: &[Case] = &[
    Case {
        id: "pos/terminal-answers/elsewhere",
        title: "answers to another machine, another card, another amount and another number end nothing",
        shows: &["POS-A2", "POS-A4", "POS-P3"],
        run: elsewhere,
        ..BASE
    },
    Case {
        id: "pos/terminal-answers/repeated",
        title: "success, refusal and plain words come three times each, and are confirmed each time",
        shows: &["POS-A4", "POS-P3"],
        run: repeated,
        ..BASE
    },
    Case {
        id: "pos/terminal-answers/without-acknowledgement",
        title: "the answer comes and the acknowledgement never does",
        shows: &["POS-A2", "POS-A4", "POS-P3"],
        run: without_acknowledgement,
        ..BASE
    },
    Case {
        id: "pos/terminal-answers/late",
        title: "success comes when the payment was given up, and when it was booked",
        shows: &["POS-A4", "POS-R1", "POS-R8"],
        run: late,
        ..BASE
    },
    Case {
        id: "pos/terminal-answers/slow",
        title: "success comes four seconds after the acknowledgement, and nothing is shown before",
        shows: &["POS-A2", "POS-A4", "POS-P3"],
        run: slow,
        ..BASE
    },
    Case {
        id: "pos/terminal-answers/lost-and-doubled",
        title: "the first answer is lost, the second arrives twice, and a confirmation is lost",
        shows: &["POS-A2", "POS-A4", "POS-P3"],
        plan: r#"
            [[strike]]
            site = "udp-a< 008 #1"
            fault = { fate = "drop" }
            [[strike]]
            site = "udp-a< 008 #2"
            fault = { fate = "twice", gap = "300 ms" }
            [[strike]]
            site = "udp-a> 109 #1"
            fault = { fate = "drop" }
        "#,
        run: lost_and_doubled,
        ..BASE
    },
];

/// The same answer for others: another machine, another card or number, another amount.
fn others(sale: &DeviceMessage) -> Vec<ServerMessage> {
    let Some(ServerMessage::Done { machine, key, amount, text, cue }) = made(sale) else { return Vec::new() };
    let other = match &key {
        Key::Card(_) => CardNumber::parse(MORE_WHITE[0].as_bytes()).map_or_else(|_| key.clone(), Key::Card),
        Key::Code(number) => Key::Code(other_code(*number)),
        Key::Other(_) => key.clone(),
    };
    let more = amount.as_ref().map_or(Fen(1), |amount| Fen(amount.0 + 1));
    let done = |machine, key: &Key, amount| {
        let (key, text) = (key.clone(), text.clone());
        ServerMessage::Done { machine, key, amount, text, cue }
    };
    let refused =
        |machine, key: &Key| ServerMessage::Refused { machine, key: key.clone(), text: b"NO".to_vec(), cue };
    let elsewhere = MachineNumber::new(machine.get() + 1);
    vec![
        done(elsewhere, &key, amount.clone()),
        done(machine, &other, amount.clone()),
        done(machine, &key, Ok(more)),
        done(machine, &key, Err(b"5.5".as_slice().into())),
        done(machine, &Key::Other(b"888888888".as_slice().into()), amount),
        refused(elsewhere, &key),
        refused(machine, &other),
    ]
}

fn elsewhere(stage: &mut Stage) -> Result<(), StageError> {
    let mut server = ProbeServer::in_service(stage)?;
    let Some(first) = server.pay("5.50", CARD)? else { return Ok(()) };
    for nth in 0..others(&first).len() {
        let card = if nth % 2 == 0 { CARD } else { WHITE };
        let sale = if nth == 0 { Some(first.clone()) } else { server.pay("5.50", card)? };
        let Some(sale) = sale else { return Ok(()) };
        if let Some(other) = others(&sale).get(nth) {
            server.say(other)?;
        }
        server.serve(Span::ms(1_500))?;
        server.acknowledge(&sale)?;
        server.serve(Span::s(2))?;
        server.make(&sale)?;
        server.serve(Span::s(12))?;
    }
    let Some(sale) = server.scan("3.00", "134567890123456789")? else { return Ok(()) };
    for other in others(&sale) {
        server.say(&other)?;
    }
    server.serve(Span::ms(1_500))?;
    server.acknowledge(&sale)?;
    server.serve(Span::s(8))?;
    server.sale(Span::s(25))?;
    server.make(&sale)?;
    server.serve(SOON)
}

fn repeated(stage: &mut Stage) -> Result<(), StageError> {
    let mut server = ProbeServer::in_service(stage)?;
    let Some(sale) = server.pay("5.50", CARD)? else { return Ok(()) };
    server.acknowledge(&sale)?;
    for _ in 0..3 {
        server.make(&sale)?;
        server.serve(Span::s(1))?;
    }
    let Some(sale) = server.pay("5.50", WHITE)? else { return Ok(()) };
    server.acknowledge(&sale)?;
    for _ in 0..3 {
        server.refuse(&sale)?;
        server.serve(Span::s(1))?;
    }
    for _ in 0..3 {
        server.send_text("009,00002,WELCOME,20,1,0")?;
        server.serve(Span::s(1))?;
    }
    server.serve(Span::s(5))
}

fn without_acknowledgement(stage: &mut Stage) -> Result<(), StageError> {
    let mut server = ProbeServer::in_service(stage)?;
    let Some(sale) = server.pay("5.50", CARD)? else { return Ok(()) };
    server.serve(Span::ms(1_500))?;
    server.make(&sale)?;
    server.serve(Span::s(25))?;
    let Some(sale) = server.pay("5.50", WHITE)? else { return Ok(()) };
    server.refuse(&sale)?;
    server.serve(Span::s(25))
}

fn late(stage: &mut Stage) -> Result<(), StageError> {
    let mut server = ProbeServer::in_service(stage)?;
    for card in [CARD, WHITE] {
        let Some(sale) = server.pay("5.50", card)? else { return Ok(()) };
        server.serve(Span::s(8))?;
        server.make(&sale)?;
        server.serve(Span::s(4))?;
        server.make(&sale)?;
        server.serve(Span::s(4))?;
    }
    for _ in 0..3 {
        if let Some(record) = server.record(Span::s(15))? {
            server.acknowledge(&record)?;
            server.delete(&record)?;
        }
    }
    Ok(())
}

fn slow(stage: &mut Stage) -> Result<(), StageError> {
    let mut server = ProbeServer::in_service(stage)?;
    let Some(sale) = server.pay("5.50", CARD)? else { return Ok(()) };
    server.acknowledge(&sale)?;
    server.acknowledge(&sale)?;
    server.serve(Span::s(4))?;
    server.make(&sale)?;
    server.serve(Span::s(25))
}

fn lost_and_doubled(stage: &mut Stage) -> Result<(), StageError> {
    let mut server = ProbeServer::in_service(stage)?;
    let Some(sale) = server.pay("5.50", CARD)? else { return Ok(()) };
    server.acknowledge(&sale)?;
    for _ in 0..2 {
        server.make(&sale)?;
        server.serve(Span::s(1))?;
    }
    server.serve(Span::s(20))
}
