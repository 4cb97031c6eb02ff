//! Answers in pieces, behind junk, and behind frames that never end.

use assay_sim::time::Span;
use assay_sim::water::frame::RawFrame;

use super::probe_server::{ProbeServer, no_order};
use super::{BASE, EVEN};
use crate::stage::StageError;
use crate::water::Case;
use crate::water::Stage;

const FRAMES: &[&str] = &["WAT-F4", "WAT-U1"];

pub(super) const CASES: &[Case] = &[
    Case {
        id: "water/stream/two-pieces",
        title: "an answer arrives in two pieces, cut at every place",
        shows: FRAMES,
        setup: EVEN,
        run: two_pieces,
        ..BASE
    },
    Case {
        id: "water/stream/byte-by-byte",
        title: "an answer arrives byte by byte",
        shows: FRAMES,
        setup: EVEN,
        run: byte_by_byte,
        ..BASE
    },
    Case {
        id: "water/stream/gap",
        title: "a silence in an answer is a little shorter than the gap that ends a frame, then a little longer",
        shows: FRAMES,
        setup: EVEN,
        run: gap,
        ..BASE
    },
    Case {
        id: "water/stream/behind-junk",
        title: "answers arrive glued to junk, false headers and half a header",
        shows: FRAMES,
        setup: EVEN,
        run: behind_junk,
        ..BASE
    },
    Case {
        id: "water/stream/behind-incomplete",
        title: "a frame stops, the gap passes, and a sound answer follows",
        shows: FRAMES,
        setup: EVEN,
        run: behind_incomplete,
        ..BASE
    },
    Case {
        id: "water/stream/inside-incomplete",
        title: "a sound answer lies within what a false header claims, and is found when the gap has passed",
        shows: FRAMES,
        setup: EVEN,
        run: inside_incomplete,
        ..BASE
    },
    Case {
        id: "water/stream/impossible-length",
        title: "a length above the maximum, or below the header's own, stands right before an answer",
        shows: &["WAT-F4", "WAT-F5"],
        setup: EVEN,
        run: impossible_length,
        ..BASE
    },
    Case {
        id: "water/stream/no-digits",
        title: "a machine number with a non-digit stands right before an answer",
        shows: &["WAT-F4", "WAT-F5"],
        setup: EVEN,
        run: no_digits,
        ..BASE
    },
];

/// A card's visit, whose answer is sent as the case wants: it has the server, the request and the sound bytes.
fn visit(
    server: &mut ProbeServer<'_>,
    send: impl FnOnce(&mut ProbeServer<'_>, &RawFrame, Vec<u8>) -> Result<(), StageError>,
) -> Result<bool, StageError> {
    let Some(request) = server.card_in(0)? else { return Ok(false) };
    let sound = server.answer(&request, &no_order(&request));
    send(server, &request, sound)?;
    server.card_out()?;
    Ok(true)
}

fn two_pieces(stage: &mut Stage) -> Result<(), StageError> {
    let Some(mut server) = ProbeServer::in_service(stage)? else { return Ok(()) };
    let (mut at, mut len) = (1, usize::MAX);
    while at < len {
        let done = visit(&mut server, |server, _, sound| {
            len = sound.len();
            server.send(&sound[..at])?;
            server.serve(Span::ms(100))?;
            server.send(&sound[at..])
        })?;
        if !done {
            return Ok(());
        }
        at += 1;
    }
    Ok(())
}

fn byte_by_byte(stage: &mut Stage) -> Result<(), StageError> {
    let Some(mut server) = ProbeServer::in_service(stage)? else { return Ok(()) };
    // The bench joins what leaves a party without a pause.
    let apart = server.stage.scene().profile.bench.quiet + Span::ms(1);
    visit(&mut server, |server, _, sound| {
        for byte in sound {
            server.send(&[byte])?;
            server.serve(apart)?;
        }
        Ok(())
    })?;
    Ok(())
}

/// The start of a frame in good form.
const BEGINNING: usize = 20;

fn gap(stage: &mut Stage) -> Result<(), StageError> {
    let Some(mut server) = ProbeServer::in_service(stage)? else { return Ok(()) };
    let gap = server.stage.scene().profile.frame.frame_gap;
    // An incomplete frame waits on the way until the bench takes it for all there is.
    let quiet = server.stage.scene().profile.bench.quiet;
    let step = gap.shortened(5);
    for silence in [gap - step, gap + step] {
        visit(&mut server, |server, _, sound| {
            server.send(&sound[..BEGINNING])?;
            server.serve(silence + quiet)?;
            server.send(&sound[BEGINNING..])?;
            server.serve(Span::s(2))?;
            if silence > gap { server.send(&sound) } else { Ok(()) }
        })?;
    }
    Ok(())
}

fn behind_junk(stage: &mut Stage) -> Result<(), StageError> {
    let Some(mut server) = ProbeServer::in_service(stage)? else { return Ok(()) };
    let junk: [&[u8]; 7] = [
        b"\r\nOK\r\n",
        b"\x00\xFF\x55",
        b"\xAA",
        b"\xAA\xAA",
        b"\xAA\x55",
        b"\xAA\x55\x11",
        b"\xAA\x55\x11\x01\x02",
    ];
    for junk in junk {
        let done = visit(&mut server, |server, _, sound| server.send(&[junk, &sound].concat()))?;
        if !done {
            return Ok(());
        }
    }
    Ok(())
}

/// The start of a frame that promises as much as a frame can hold, for this terminal.
fn long_frame(server: &ProbeServer<'_>, request: &RawFrame) -> Vec<u8> {
    let longest = vec![b'0'; server.stage.scene().profile.frame.content_max];
    let mut bytes = server.bytes(&RawFrame { content: longest, ..request.clone() });
    bytes.truncate(server.stage.scene().profile.frame.content_at());
    bytes
}

fn behind_incomplete(stage: &mut Stage) -> Result<(), StageError> {
    let Some(mut server) = ProbeServer::in_service(stage)? else { return Ok(()) };
    let gap = server.stage.scene().profile.frame.frame_gap;
    visit(&mut server, |server, request, sound| {
        let incomplete = long_frame(server, request);
        server.send(&incomplete)?;
        server.serve(gap * 2)?;
        server.send(&sound)
    })?;
    Ok(())
}

fn inside_incomplete(stage: &mut Stage) -> Result<(), StageError> {
    let Some(mut server) = ProbeServer::in_service(stage)? else { return Ok(()) };
    visit(&mut server, |server, request, sound| {
        let incomplete = long_frame(server, request);
        server.send(&[incomplete, sound].concat())?;
        server.serve(Span::s(3))
    })?;
    Ok(())
}

fn impossible_length(stage: &mut Stage) -> Result<(), StageError> {
    let Some(mut server) = ProbeServer::in_service(stage)? else { return Ok(()) };
    let format = server.stage.scene().profile.frame;
    let over = u16::try_from(format.length_max() + 1).unwrap_or(u16::MAX);
    let below = u16::try_from(format.content_at() - 1).unwrap_or(0);
    for length in [over, u16::MAX, below] {
        let done = visit(&mut server, |server, request, sound| {
            let mut header = long_frame(server, request);
            header[5..7].copy_from_slice(&length.to_be_bytes());
            server.send(&[header, sound].concat())
        })?;
        if !done {
            return Ok(());
        }
    }
    Ok(())
}

fn no_digits(stage: &mut Stage) -> Result<(), StageError> {
    let Some(mut server) = ProbeServer::in_service(stage)? else { return Ok(()) };
    for (at, byte) in [(7, 0xA0), (9, 0x0F), (11, 0xFF)] {
        let done = visit(&mut server, |server, request, sound| {
            let mut header = long_frame(server, request);
            header[at] = byte;
            server.send(&[header, sound].concat())
        })?;
        if !done {
            return Ok(());
        }
    }
    Ok(())
}
