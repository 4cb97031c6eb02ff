//! What people are told: the self test, and the result of each card.

use assay_sim::machine::Torn;
use assay_sim::modem::event::ModemStimulus;
use assay_sim::time::Span;
use assay_sim::water::frame::Kind;
use assay_sim::water::party::Stimulus;

use super::probe_server::{ProbeServer, SOON, closed, field, no_order, offer};
use super::{BASE, FLAT, ONE, TIERED};
use crate::stage::StageError;
use crate::water::Stage;
use crate::water::{Case, Setup};

pub(super) const CASES: &[Case] = &[
    Case {
        id: "water/panel/self-test-passed",
        title: "every part is there at boot",
        shows: &["WAT-B2", "WAT-B1"],
        run: |stage| self_test(stage, None),
        ..BASE
    },
    Case {
        id: "water/panel/no-voice",
        title: "the voice module has no power at boot",
        shows: &["WAT-B2", "WAT-B3"],
        run: |stage| self_test(stage, Some("voice-a")),
        ..BASE
    },
    Case {
        id: "water/panel/no-display",
        title: "the display has no power at boot",
        shows: &["WAT-B2", "WAT-B3"],
        run: |stage| self_test(stage, Some("display-a")),
        ..BASE
    },
    Case {
        id: "water/panel/no-storage",
        title: "the memory does not answer at boot",
        shows: &["WAT-B2"],
        setup: Setup { profile: "[eeprom.chip]\ndevice_address = 0x51", ..ONE },
        run: |stage| stage.wait(SOON),
        ..BASE
    },
    Case {
        id: "water/panel/signal-returns",
        title: "there is no reception at boot, and later there is",
        shows: &["WAT-B2", "WAT-B3"],
        run: signal_returns,
        ..BASE
    },
    Case {
        id: "water/panel/results",
        title: "cards are credited, have no order, were credited before, and are refused, at both prices",
        shows: &["WAT-U1", "WAT-P1", "WAT-F4"],
        setup: Setup { cards: &[FLAT, TIERED], ..ONE },
        run: results,
        ..BASE
    },
    Case {
        id: "water/panel/unreadable",
        title: "the card cannot be read",
        shows: &["WAT-U1"],
        plan: UNREADABLE,
        run: unreadable,
        ..BASE
    },
    Case {
        id: "water/panel/no-answer",
        title: "the order request gets no answer",
        shows: &["WAT-U1"],
        run: no_answer,
        ..BASE
    },
    Case {
        id: "water/panel/no-network",
        title: "there is no connection when the card comes",
        shows: &["WAT-U1"],
        run: no_network,
        ..BASE
    },
    Case {
        id: "water/panel/removed-early",
        title: "the card leaves while the server is asked",
        shows: &["WAT-U1"],
        run: removed_early,
        ..BASE
    },
];

/// Each attempt at reading begins half a bit late.
const UNREADABLE: &str = r#"
    [[strike]]
    site = "rf-a< edges #1"
    fault = { fate = "wrong-phase" }
    [[strike]]
    site = "rf-a< edges #2"
    fault = { fate = "wrong-phase" }
    [[strike]]
    site = "rf-a< edges #3"
    fault = { fate = "wrong-phase" }
"#;

fn self_test(stage: &mut Stage, without: Option<&str>) -> Result<(), StageError> {
    let profile = &stage.scene().profile;
    let within = profile.bench.ready_within;
    let retry = profile.terminal.boot_retry;
    if let Some(supply) = without {
        stage.cut(supply, Torn::default())?;
    }
    let mut server = ProbeServer::new(stage, 0)?;
    server.answer_heartbeats(true);
    server.told(within)?;
    server.serve(Span::s(5))?;
    if let Some(supply) = without {
        server.stage.restore(supply)?;
        server.serve(retry * 2)?;
    }
    Ok(())
}

fn signal_returns(stage: &mut Stage) -> Result<(), StageError> {
    let profile = &stage.scene().profile;
    let within = profile.bench.ready_within;
    let retry = profile.terminal.boot_retry;
    let signal = |rssi| Stimulus::Modem(ModemStimulus::Signal { rssi, ber: 0 });
    let normal = profile.module().rssi;
    stage.stimulate("modem-a", signal(99))?;
    let mut server = ProbeServer::new(stage, 0)?;
    server.answer_heartbeats(true);
    server.told(within)?;
    server.serve(Span::s(3))?;
    server.stage.stimulate("modem-a", signal(normal))?;
    server.serve(retry * 3)
}

fn results(stage: &mut Stage) -> Result<(), StageError> {
    let Some(mut server) = ProbeServer::in_service(stage)? else { return Ok(()) };
    for card in 0..2 {
        for state in 0..4 {
            let Some(request) = server.card_in(card)? else { return Ok(()) };
            let (number, sold) = (field(&request, 0), field(&request, 1));
            let content = match state {
                0 => no_order(&request),
                1 => offer(&request, 1_001 + card as u64),
                2 => format!("{number}%{}%2%2.5%{sold}", 1_001 + card),
                _ => format!("{number}%0%3%0%{sold}"),
            };
            let answer = server.answer(&request, &content);
            server.send(&answer)?;
            if state == 1
                && let Some(upload) = server.message(Kind::Upload, SOON)?
            {
                let answer = server.answer(&upload, &closed(&upload));
                server.send(&answer)?;
            }
            server.card_out()?;
        }
    }
    Ok(())
}

fn unreadable(stage: &mut Stage) -> Result<(), StageError> {
    let Some(mut server) = ProbeServer::in_service(stage)? else { return Ok(()) };
    server.forget();
    server.stage.present(0, 0)?;
    server.told(SOON)?;
    server.card_out()
}

fn no_answer(stage: &mut Stage) -> Result<(), StageError> {
    let Some(mut server) = ProbeServer::in_service(stage)? else { return Ok(()) };
    let within = server.stage.scene().profile.bench.card_within;
    if server.card_in(0)?.is_some() {
        server.told(within)?;
    }
    server.card_out()
}

fn no_network(stage: &mut Stage) -> Result<(), StageError> {
    let Some(mut server) = ProbeServer::in_service(stage)? else { return Ok(()) };
    let within = server.stage.scene().profile.bench.card_within;
    server.stage.cut("modem-a", Torn::default())?;
    server.forget();
    // The terminal learns of it when it next speaks to the modem.
    server.serve(server.stage.scene().profile.server.heartbeat * 2)?;
    server.forget();
    server.stage.present(0, 0)?;
    server.told(within + Span::s(5))?;
    server.card_out()
}

fn removed_early(stage: &mut Stage) -> Result<(), StageError> {
    let Some(mut server) = ProbeServer::in_service(stage)? else { return Ok(()) };
    if server.card_in(0)?.is_some() {
        server.stage.remove(0, Torn::default())?;
    }
    server.serve(Span::s(3))
}
