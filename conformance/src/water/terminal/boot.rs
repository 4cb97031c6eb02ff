//! From power to service, and what was installed.

use assay_sim::machine::Torn;
use assay_sim::time::Span;
use assay_sim::water::frame::Kind;

use super::probe_server::{ProbeServer, SOON};
use super::{BASE, ONE};
use crate::stage::StageError;
use crate::water::Stage;
use crate::water::{Case, Setup};

pub(super) const CASES: &[Case] = &[
    Case {
        id: "water/boot/silent-server",
        title: "no heartbeat is answered at boot until after the failure",
        shows: &["WAT-B1", "WAT-B3", "WAT-F4"],
        run: silent_server,
        ..BASE
    },
    Case {
        id: "water/boot/answered-late",
        title: "the second, the third, the fourth and the fifth heartbeat is the first to be answered",
        shows: &["WAT-B1", "WAT-B2", "WAT-F4"],
        run: answered_late,
        ..BASE
    },
    Case {
        id: "water/boot/dead-modem",
        title: "the modem has no power at boot, and gets it after the failure",
        shows: &["WAT-B2", "WAT-B3"],
        run: dead_modem,
        ..BASE
    },
    Case {
        id: "water/boot/outage",
        title: "the network carries nothing at boot, until after the failure",
        shows: &["WAT-B2", "WAT-B3"],
        plan: r#"
            [[strike]]
            site = "gprs-a> connect #1"
            fault = { mishap = "link-down", link = "gprs-a", span = "200 s" }
        "#,
        run: outage,
        ..BASE
    },
    Case {
        id: "water/boot/lost-after-failure",
        title: "the connection is lost after the failure and comes back to a server that answers",
        shows: &["WAT-B1", "WAT-B3"],
        run: lost_after_failure,
        ..BASE
    },
    Case {
        id: "water/boot/installed",
        title: "the terminal connects as it was installed",
        shows: &["WAT-S1", "WAT-B2"],
        run: installed,
        ..BASE
    },
    Case {
        id: "water/boot/installed-elsewhere",
        title: "another server, another port and another machine number were installed",
        shows: &["WAT-S1", "WAT-B2"],
        setup: Setup {
            profile: r#"
                [install]
                machine = "0000000042"
                [server]
                address = "192.0.2.77:6501"
            "#,
            ..ONE
        },
        run: installed,
        ..BASE
    },
    Case {
        id: "water/boot/spoiled-machine-number",
        title: "a digit of the machine number is spoiled in the memory",
        shows: &["WAT-S1", "WAT-B3"],
        setup: Setup { profile: "[install]\nspoiled = [18]", ..ONE },
        run: spoiled,
        ..BASE
    },
    Case {
        id: "water/boot/spoiled-reserve",
        title: "a byte of the configuration that means nothing is spoiled in the memory",
        shows: &["WAT-S1", "WAT-B3"],
        setup: Setup { profile: "[install]\nspoiled = [60]", ..ONE },
        run: spoiled,
        ..BASE
    },
    Case {
        id: "water/boot/spoiled-crc",
        title: "the configuration's CRC itself is spoiled in the memory",
        shows: &["WAT-S1", "WAT-B3"],
        setup: Setup { profile: "[install]\nspoiled = [95]", ..ONE },
        run: spoiled,
        ..BASE
    },
];

/// How long a terminal may take from power to the failure, and to another attempt after it.
fn until_failure(stage: &Stage) -> Span {
    let profile = &stage.scene().profile;
    let times = &profile.terminal;
    times.answer_timeout * u64::from(times.boot_misses) + profile.bench.ready_within
}

/// Answers from now on, until people are told something.
fn answer_until_told(server: &mut ProbeServer<'_>) -> Result<(), StageError> {
    server.answer_heartbeats(true);
    server.forget();
    let profile = &server.stage.scene().profile;
    let within = profile.terminal.boot_retry + profile.host.backoff_max + profile.bench.ready_within;
    server.told(within)?;
    server.serve(Span::s(3))
}

fn silent_server(stage: &mut Stage) -> Result<(), StageError> {
    let within = until_failure(stage);
    let retry = stage.scene().profile.terminal.boot_retry;
    let mut server = ProbeServer::new(stage, 0)?;
    server.told(within)?;
    server.serve(retry + SOON)?;
    answer_until_told(&mut server)
}

fn answered_late(stage: &mut Stage) -> Result<(), StageError> {
    let profile = &stage.scene().profile;
    let within = profile.bench.ready_within;
    let patience = profile.terminal.answer_timeout;
    let misses = profile.terminal.boot_misses;
    for missed in 1..misses {
        let mut server = ProbeServer::new(&mut *stage, 0)?;
        for _ in 0..missed {
            server.message(Kind::Heartbeat, within + patience)?;
        }
        server.answer_heartbeats(true);
        server.told(patience + SOON)?;
        server.serve(patience + SOON)?;
        stage.cut_for("strip-a", Torn::default(), Span::s(5))?;
    }
    Ok(())
}

fn dead_modem(stage: &mut Stage) -> Result<(), StageError> {
    let within = until_failure(stage);
    stage.cut_for("modem-a", Torn::default(), within)?;
    let mut server = ProbeServer::new(stage, 0)?;
    answer_until_told(&mut server)
}

fn outage(stage: &mut Stage) -> Result<(), StageError> {
    let within = until_failure(stage);
    let mut server = ProbeServer::new(stage, 0)?;
    server.answer_heartbeats(true);
    server.told(within)?;
    answer_until_told(&mut server)
}

fn lost_after_failure(stage: &mut Stage) -> Result<(), StageError> {
    let within = until_failure(stage);
    let mut server = ProbeServer::new(stage, 0)?;
    server.told(within)?;
    server.close()?;
    answer_until_told(&mut server)
}

fn installed(stage: &mut Stage) -> Result<(), StageError> {
    let within = stage.scene().profile.bench.ready_within;
    let mut server = ProbeServer::new(stage, 0)?;
    server.answer_heartbeats(true);
    server.told(within)?;
    server.serve(Span::s(3))?;
    server.stage.read_memories();
    Ok(())
}

fn spoiled(stage: &mut Stage) -> Result<(), StageError> {
    let within = stage.scene().profile.bench.ready_within;
    let retry = stage.scene().profile.terminal.boot_retry;
    let mut server = ProbeServer::new(stage, 0)?;
    server.answer_heartbeats(true);
    server.serve(within.shortened(2) + retry)?;
    server.stage.read_memories();
    Ok(())
}
