//! Texts for people.

use assay_sim::pos::frame::text::encode;
use assay_sim::time::Span;

use super::probe_server::{ProbeServer, SOON};
use super::{BASE, CARD, WHITE};
use crate::pos::{Case, Stage};
use crate::stage::StageError;

pub(super) const CASES: &[Case] = &[
    Case {
        id: "pos/terminal-texts/trail-bytes",
        title: "plain words with every Chinese character whose second byte is a sign, and with signs",
        shows: &["POS-X2", "POS-A4"],
        run: trail_bytes,
        ..BASE
    },
    Case {
        id: "pos/terminal-texts/answers",
        title: "success, refusal and progress come with such texts, with commas, and with nothing",
        shows: &["POS-X2", "POS-P3", "POS-A4"],
        run: answers,
        ..BASE
    },
];

/// What follows a lead byte and is a sign by itself.
const TRAILS: [u8; 4] = [0x5C, 0x7B, 0x7C, 0x7D];

/// Text, and characters with this lead byte and every such trail.
fn words(lead: u8) -> Vec<u8> {
    let mut words = b"{".to_vec();
    for trail in TRAILS {
        words.extend_from_slice(&[lead, trail, b'n']);
    }
    words.extend_from_slice(b"}\\n");
    words.extend_from_slice(&encode("余额,{12.50}\u{5143}"));
    words
}

fn message(head: &str, words: &[u8], tail: &str) -> Vec<u8> {
    [head.as_bytes(), words, tail.as_bytes()].concat()
}

fn trail_bytes(stage: &mut Stage) -> Result<(), StageError> {
    let mut server = ProbeServer::in_service(stage)?;
    for lead in (0x81..=0xFE).step_by(4) {
        server.send(&message("009,00002,", &words(lead), ",20,1,0"))?;
        server.serve(SOON)?;
    }
    for plain in ["A\\nB", "{1}", "}{", "\\", "\\\\n", "{{2}}", "n\\n\\n", "\u{5341}\\n{\u{5143}}"] {
        server.send_text(&format!("009,00002,{plain},20,1,0"))?;
        server.serve(SOON)?;
    }
    Ok(())
}

fn answers(stage: &mut Stage) -> Result<(), StageError> {
    let mut server = ProbeServer::in_service(stage)?;
    for (head, tail, card) in
        [("008,00002,8888888888,5.50,", ",20,0,1", CARD), ("006,00002,7777777777,", ",20,0,6", WHITE)]
    {
        for lead in [0x81, 0x8F, 0xB0, 0xFD] {
            let Some(sale) = server.pay("5.50", card)? else { return Ok(()) };
            server.acknowledge(&sale)?;
            server.send(&message(head, &words(lead), tail))?;
            server.serve(Span::s(4))?;
        }
        let Some(sale) = server.pay("5.50", card)? else { return Ok(()) };
        server.acknowledge(&sale)?;
        server.send(&message(head, b"", tail))?;
        server.serve(Span::s(4))?;
    }
    let Some(sale) = server.scan("3.00", "1345,6789")? else { return Ok(()) };
    server.acknowledge(&sale)?;
    if let Some(number) = number(&sale) {
        server.send(&message(&format!("008,00002,{number},3.00,"), &words(0x94), ",5,0,1"))?;
        server.serve(Span::s(3))?;
        server.send(&message(&format!("008,00002,{number},3.00,"), &words(0xA8), ",20,0,1"))?;
    }
    server.serve(Span::s(4))
}

fn number(sale: &assay_sim::pos::frame::DeviceMessage) -> Option<String> {
    match sale {
        assay_sim::pos::frame::DeviceMessage::Scan { number, .. } => Some(number.to_string()),
        _ => None,
    }
}
