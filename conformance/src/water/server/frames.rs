//! Frames that are damaged, cut, joined, unfinished, or behind junk.

use assay_sim::time::Span;
use assay_sim::water::family::Water;
use assay_sim::water::frame::{Kind, Request, WriteResult};
use assay_sim::water::tariff::Pricing;

use super::head::{Desk, Head, begin, pay, rest};
use super::{books, case, frames, negatives};
use crate::finding::Oracle;
use crate::stage::StageError;
use crate::water::Case;
use crate::water::Stage;
use crate::water::scene::Scene;

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case {
            oracles: books_and_negatives,
            ..case(
                "water/server-frames/damage-has-no-effect",
                "Damaged order requests and uploads change no order, and each gets a negative answer",
                &["WAT-F1", "WAT-F2", "WAT-I1", "WAT-I2", "WAT-T5", "WAT-T7"],
                damage_has_no_effect,
            )
        },
        Case {
            oracles: negatives,
            ..case(
                "water/server-frames/negative-answer-names-the-type",
                "A damaged frame of each type gets an empty negative answer of that type",
                &["WAT-F2"],
                negative_answer_names_the_type,
            )
        },
        Case {
            oracles: negatives,
            ..case(
                "water/server-frames/negative-answers-are-bounded",
                "Many damaged frames get three negative answers in 20 s, and one more afterwards",
                &["WAT-F2"],
                negative_answers_are_bounded,
            )
        },
        Case {
            oracles: frames,
            ..case(
                "water/server-frames/cut-and-joined",
                "Requests are answered wherever they are cut, byte by byte, and three in one piece",
                &["WAT-F4"],
                cut_and_joined,
            )
        },
        Case {
            oracles: frames,
            ..case(
                "water/server-frames/behind-junk",
                "Requests are answered behind junk, half headers, an unfinished frame and a damaged one",
                &["WAT-F4"],
                behind_junk,
            )
        },
        Case {
            oracles: frames,
            ..case(
                "water/server-frames/half-frame-then-silence",
                "Half a frame is junk after a silence: its rest is nothing, and the next frame is answered",
                &["WAT-F4"],
                half_frame_then_silence,
            )
        },
        Case {
            oracles: frames,
            ..case(
                "water/server-frames/impossible-header-is-no-wait",
                "Behind an impossible length or machine number, heartbeats without a pause are answered at once",
                &["WAT-F4", "WAT-F5"],
                impossible_header_is_no_wait,
            )
        },
    ]
}

fn books_and_negatives(scene: &Scene) -> Vec<Box<dyn Oracle<Water>>> {
    books(scene).into_iter().chain(negatives(scene)).collect()
}

/// The same bytes with one bit inverted; places count from the end if negative.
fn spoilt(mut bytes: Vec<u8>, place: isize) -> Vec<u8> {
    let len = bytes.len().cast_signed();
    let at = usize::try_from(if place < 0 { len + place } else { place }).unwrap_or_default();
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 0x01;
    }
    bytes
}

fn damage_has_no_effect(stage: &mut Stage) -> Result<(), StageError> {
    begin(stage, 2)?;
    let (a, b) = (Desk::at(0, 0), Desk::at(1, 0));
    let order = pay(stage, 0, 350)?;
    // The CRC alone is hit: all else reads as it was meant.
    let (pricing, request) = b.order_request(stage, 0)?;
    let frame = b.head.frame(stage.scene(), pricing, &request)?;
    b.head.send(stage, spoilt(frame, -1))?;
    rest(stage)?;
    a.query(stage)?;
    a.present(stage, 0)?;
    let (pricing, written) = a.upload(stage, order, WriteResult::Written, 100)?;
    let frame = a.head.frame(stage.scene(), pricing, &written)?;
    a.head.send(stage, spoilt(frame.clone(), -2))?;
    rest(stage)?;
    b.query(stage)?;
    // The result reads as 0 here, and the sold volume as 101 t there.
    let digits = frame.len().cast_signed();
    b.head.send(stage, spoilt(frame.clone(), digits - 5))?;
    rest(stage)?;
    b.head.send(stage, spoilt(frame, -3))?;
    rest(stage)?;
    a.query(stage)?;
    a.report(stage, order, WriteResult::Written, 100)?;
    a.query(stage)?;
    rest(stage)
}

/// A request of every kind.
fn every_request(stage: &Stage) -> Result<Vec<Request>, StageError> {
    let desk = Desk::at(0, 0);
    let (card, _) = desk.card(stage)?;
    let order = assay_sim::water::frame::OrderNumber::MAX;
    Ok(vec![
        Request::Heartbeat,
        desk.order_request(stage, 0)?.1,
        desk.upload(stage, order, WriteResult::Written, 100)?.1,
        Request::Clock,
        Request::Parameters,
        Request::CardQuery { card, sold: assay_sim::money::Volume::ZERO },
        Request::FaultReport { part: "voice".to_owned(), code: 7 },
    ])
}

fn negative_answer_names_the_type(stage: &mut Stage) -> Result<(), StageError> {
    begin(stage, 1)?;
    let server = &stage.scene().profile.server;
    let share = server.negatives_window.as_us() / (server.negatives_max as u64).max(1);
    let apart = Span::us(share) + stage.scene().profile.bench.tolerance;
    for pricing in [Pricing::Flat, Pricing::Tiered] {
        for request in every_request(stage)? {
            let frame = Head(0).frame(stage.scene(), pricing, &request)?;
            Head(0).send(stage, spoilt(frame, -1))?;
            stage.wait(apart)?;
        }
    }
    // A type that there is not.
    let frame = Head(0).frame(stage.scene(), Pricing::Flat, &Request::Heartbeat)?;
    Head(0).send(stage, [&frame[..3], &[0x77], &frame[4..]].concat())?;
    rest(stage)
}

fn negative_answers_are_bounded(stage: &mut Stage) -> Result<(), StageError> {
    begin(stage, 1)?;
    let server = &stage.scene().profile.server;
    let (max, window) = (server.negatives_max, server.negatives_window);
    let frame = Head(0).frame(stage.scene(), Pricing::Flat, &Request::Clock)?;
    for _ in 0..max * 3 {
        Head(0).send(stage, spoilt(frame.clone(), -1))?;
        let quiet = stage.scene().profile.bench.quiet;
        stage.wait(quiet * 2)?;
    }
    rest(stage)?;
    stage.wait(window + stage.scene().profile.bench.tolerance * 2)?;
    Head(0).send(stage, spoilt(frame, -1))?;
    rest(stage)
}

/// Sends a request in pieces that do not come together again on the way.
fn send_cut(stage: &mut Stage, frame: &[u8], cuts: impl Iterator<Item = usize>) -> Result<(), StageError> {
    let pause = stage.scene().profile.bench.quiet * 2;
    let mut from = 0;
    for cut in cuts {
        Head(0).send(stage, frame[from..cut].to_vec())?;
        stage.wait(pause)?;
        from = cut;
    }
    Head(0).send(stage, frame[from..].to_vec())
}

fn answered(stage: &mut Stage, kind: Kind) -> Result<(), StageError> {
    let within = stage.scene().profile.terminal.answer_timeout;
    Head(0).reply(stage, kind, within).map(|_| ())
}

fn cut_and_joined(stage: &mut Stage) -> Result<(), StageError> {
    begin(stage, 1)?;
    let heartbeat = Head(0).frame(stage.scene(), Pricing::Flat, &Request::Heartbeat)?;
    for cut in 1..heartbeat.len() {
        send_cut(stage, &heartbeat, [cut].into_iter())?;
        answered(stage, Kind::Heartbeat)?;
    }
    let (pricing, request) = Desk::at(0, 0).order_request(stage, 0)?;
    let request = Head(0).frame(stage.scene(), pricing, &request)?;
    send_cut(stage, &request, 1..request.len())?;
    answered(stage, Kind::OrderRequest)?;
    let clock = Head(0).frame(stage.scene(), Pricing::Tiered, &Request::Clock)?;
    let joined = [&heartbeat[..], &request, &clock].concat();
    Head(0).send(stage, joined.clone())?;
    answered(stage, Kind::Clock)?;
    // Two frames and a half, and then the other half.
    send_cut(stage, &joined, [joined.len() - clock.len() / 2].into_iter())?;
    rest(stage)
}

/// Twelve bytes that announce a frame of this length from this machine.
fn announcing(scene: &Scene, length: u16, machine: [u8; 5]) -> Vec<u8> {
    let [high, low] = length.to_be_bytes();
    let format = &scene.profile.frame;
    [&format.header[..], &[0x00, 0x00, format.version, high, low], &machine].concat()
}

const MACHINE: [u8; 5] = [0x20, 0x18, 0x01, 0x09, 0x25];

fn behind_junk(stage: &mut Stage) -> Result<(), StageError> {
    begin(stage, 1)?;
    let heartbeat = Head(0).frame(stage.scene(), Pricing::Flat, &Request::Heartbeat)?;
    let [first, second] = stage.scene().profile.frame.header;
    let junk: Vec<Vec<u8>> = vec![
        vec![0x00, 0xFF, 0x13, 0x37],
        b"\r\nCONNECT OK\r\n".to_vec(),
        vec![first],
        vec![first; 9],
        vec![first, second],
        vec![first, second, 0x00, 0x00, 0x7F, 0x00],
        announcing(stage.scene(), 76, MACHINE),
        spoilt(heartbeat.clone(), -1),
        [spoilt(heartbeat.clone(), 3), vec![first, second, first]].concat(),
    ];
    for junk in junk {
        Head(0).send(stage, [&junk[..], &heartbeat].concat())?;
        answered(stage, Kind::Heartbeat)?;
        rest(stage)?;
    }
    Ok(())
}

fn half_frame_then_silence(stage: &mut Stage) -> Result<(), StageError> {
    begin(stage, 1)?;
    // Longer than the gap even if the first half is slow and the second is quick.
    let profile = &stage.scene().profile;
    let silence = profile.frame.frame_gap * 2 + profile.gprs.latency_max;
    let clock = Head(0).frame(stage.scene(), Pricing::Flat, &Request::Clock)?;
    let heartbeat = Head(0).frame(stage.scene(), Pricing::Flat, &Request::Heartbeat)?;
    let halves = clock.split_at(clock.len() / 2);
    for first in [halves.0.to_vec(), halves.1.to_vec(), announcing(stage.scene(), 76, MACHINE)] {
        Head(0).send(stage, first)?;
        stage.wait(silence)?;
    }
    for _ in 0..3 {
        Head(0).send(stage, heartbeat.clone())?;
        stage.wait(silence)?;
    }
    rest(stage)
}

fn impossible_header_is_no_wait(stage: &mut Stage) -> Result<(), StageError> {
    begin(stage, 1)?;
    let heartbeat = Head(0).frame(stage.scene(), Pricing::Flat, &Request::Heartbeat)?;
    let profile = &stage.scene().profile;
    let apart = profile.frame.frame_gap;
    let apart = Span::us(apart.as_us() / 5);
    let answer = profile.server.service + profile.journal.sync * 2 + profile.bench.tolerance;
    let beats = answer.as_us() * 2 / apart.as_us().max(1);
    let length_max = u16::try_from(profile.frame.length_max()).unwrap_or(u16::MAX);
    let headers = [
        announcing(stage.scene(), u16::MAX, MACHINE),
        announcing(stage.scene(), 0x7FFF, MACHINE),
        announcing(stage.scene(), length_max + 1, MACHINE),
        announcing(stage.scene(), 11, MACHINE),
        announcing(stage.scene(), 0, MACHINE),
        announcing(stage.scene(), length_max, [0x20, 0x18, 0x0A, 0x09, 0x25]),
        announcing(stage.scene(), length_max, [0x20, 0x18, 0x01, 0x09, 0xF5]),
    ];
    for header in headers {
        Head(0).send(stage, header)?;
        for _ in 0..beats {
            stage.wait(apart)?;
            Head(0).send(stage, heartbeat.clone())?;
        }
        rest(stage)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bit_is_spoilt_where_it_is_said() {
        assert_eq!(spoilt(vec![0, 0, 0], 0), [1, 0, 0]);
        assert_eq!(spoilt(vec![0, 0, 0], -1), [0, 0, 1]);
    }
}
