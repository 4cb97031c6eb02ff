//! Peers that do not keep to the protocol.

use assay_sim::machine::Close;
use assay_sim::seed::Seed;
use assay_sim::time::Span;
use assay_sim::water::family::Water;
use assay_sim::water::frame::{Kind, Request, WriteResult};
use assay_sim::water::tariff::Pricing;

use super::head::{Desk, Head, begin, pay, rest};
use super::{FLAT, books, case, frames, setup};
use crate::finding::Oracle;
use crate::stage::StageError;
use crate::water::Stage;
use crate::water::scene::Scene;
use crate::water::{Case, Setup};

/// Fewer connections than there are sites.
const FEW: &str = "\
[server]
connections_max = 6
[tariff]
flat_fen_per_tonne = 350
";

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case {
            oracles: books_and_frames,
            ..case(
                "water/server-hostile/junk-does-not-stop-it",
                "While one site sends junk, the server serves it and another as ever",
                &["WAT-F1", "WAT-F4", "WAT-F5", "WAT-I1", "WAT-I2", "WAT-T5", "WAT-T6", "WAT-T7"],
                junk_does_not_stop_it,
            )
        },
        Case {
            setup: Setup { profile: FEW, ..setup(9, &[FLAT]) },
            oracles: books_and_frames,
            ..case(
                "water/server-hostile/many-connections",
                "More connections than it takes, all with half a frame, and the server serves the next one",
                &["WAT-F4", "WAT-I1", "WAT-I2", "WAT-T5", "WAT-T7"],
                many_connections,
            )
        },
    ]
}

fn books_and_frames(scene: &Scene) -> Vec<Box<dyn Oracle<Water>>> {
    books(scene).into_iter().chain(frames(scene)).collect()
}

/// Bytes that look like frames more often than chance would have it.
fn junk(draws: &mut assay_sim::seed::Stream) -> Vec<u8> {
    const LIKELY: [u8; 8] = [0xAA, 0x55, 0x00, 0x01, 0x11, 0x10, 0x20, 0x4C];
    (0..draws.between(1, 160))
        .map(|_| match draws.below(3) {
            0 => draws.below(256) as u8,
            _ => LIKELY[draws.below(8) as usize],
        })
        .collect()
}

fn junk_does_not_stop_it(stage: &mut Stage) -> Result<(), StageError> {
    begin(stage, 2)?;
    let (hostile, honest) = (Head(0), Desk::at(1, 0));
    let mut draws = Seed(1).stream("hostile site");
    let first = pay(stage, 0, 350)?;
    pay(stage, 0, 350)?;
    let mut attack = |stage: &mut Stage| -> Result<(), StageError> {
        let heartbeat = hostile.frame(stage.scene(), Pricing::Flat, &Request::Heartbeat)?;
        for _ in 0..10 {
            let mut bytes = junk(&mut draws);
            bytes.extend_from_slice(&heartbeat);
            hostile.send(stage, bytes)?;
            stage.wait(Span::us(draws.between(1_000, 900_000)))?;
        }
        let header = [&heartbeat[..5], &[0xFF, 0xFF], &heartbeat[7..12]].concat();
        hostile.send(stage, [&header[..], &heartbeat].concat())?;
        // The upload of somebody else's order, spoilt: nobody has credited it yet.
        let (pricing, upload) = honest.upload(stage, first, WriteResult::Written, 100)?;
        let mut frame = hostile.frame(stage.scene(), pricing, &upload)?;
        if let Some(last) = frame.last_mut() {
            *last ^= 0x80;
        }
        hostile.send(stage, frame)?;
        rest(stage)
    };
    attack(stage)?;
    honest.query(stage)?;
    honest.present(stage, 0)?;
    attack(stage)?;
    honest.query(stage)?;
    honest.report(stage, first, WriteResult::Written, 100)?;
    honest.present(stage, 100)?;
    attack(stage)?;
    honest.present(stage, 200)?;
    honest.query(stage)?;
    // Its own connection is as good as any, once its junk is over.
    hostile.ask(stage, Pricing::Flat, &Request::Clock)?;
    rest(stage)
}

fn many_connections(stage: &mut Stage) -> Result<(), StageError> {
    begin(stage, 9)?;
    let order = pay(stage, 0, 350)?;
    for site in 0..8 {
        let frame = Head(site).frame(stage.scene(), Pricing::Flat, &Request::Clock)?;
        Head(site).send(stage, frame[..frame.len() / 2].to_vec())?;
    }
    rest(stage)?;
    let last = Desk::at(8, 0);
    last.present(stage, 0)?;
    last.report(stage, order, WriteResult::Written, 100)?;
    // One after the other comes back and is served.
    for site in 0..8 {
        Head(site).connect(stage)?;
        Head(site).throw(stage, Pricing::Flat, &Request::Heartbeat)?;
        let within = stage.scene().profile.terminal.answer_timeout;
        Head(site).reply(stage, Kind::Heartbeat, within)?;
    }
    last.query(stage)?;
    for site in 0..8 {
        let port = assay_sim::water::plant::NET_FIRST;
        let name = format!("modem-{}", assay_sim::water::plant::letter(site));
        let close = assay_sim::probe::ProbeStimulus::Close(port, Close::Fin);
        stage.stimulate(&name, assay_sim::water::party::Stimulus::Probe(close))?;
    }
    rest(stage)?;
    last.query(stage)?;
    rest(stage)
}
