//! A host on its way up, and one heartbeat after the other: with a real modem and a real server, and with a modem
//! that takes its time.

use assay_sim::fault::Way;
use assay_sim::modem::client::ClientConfig;
use assay_sim::tape::{Entry, Seen};
use assay_sim::time::Span;
use assay_sim::water::party::Event;
use assay_sim::water::plant::Seating;

use super::{host_case, host_oracles};
use crate::modem::bounds;
use crate::modem::desk::Done;
use crate::modem::expect::{Deed, Promise};
use crate::modem::understudy::{Cue, Echo, Turn, Understudy};
use crate::modem::words::Words;
use crate::water::Stage;
use crate::water::{Case, Setup};

const H1: &str = "MDM-H1";
const SHOWS: &[&str] = &[H1, "MDM-H2", "MDM-H4"];

/// How many heartbeats show that a host is in service.
const HEARTBEATS: u32 = 3;

/// A terminal with its modem and the server.
pub(super) const WHOLE: Setup = Setup { seating: Seating::Whole, terminals: 1, cards: &[], profile: "" };

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case {
            setup: WHOLE,
            explored: true,
            ..host_case(
                "modem/host/boot-and-heartbeat",
                "The host comes up and its heartbeats are answered, one command at a time",
                SHOWS,
                boot_and_heartbeat,
            )
        },
        Case {
            setup: WHOLE,
            plan: SPLIT_AND_JOINED,
            oracles: |scene| host_oracles(scene, 7),
            ..host_case(
                "modem/host/reads-split-and-joined",
                "Results, prompts and data may reach the host in pieces, or together",
                SHOWS,
                boot_and_heartbeat,
            )
        },
        host_case(
            "modem/host/reads-in-bytes",
            "Everything that the modem says may reach the host byte by byte",
            SHOWS,
            reads_in_bytes,
        ),
        host_case(
            "modem/host/echo-never-off",
            "A modem that never stops its echo is one that the host can use",
            SHOWS,
            echo_never_off,
        ),
        host_case(
            "modem/host/slow-answers",
            "The host waits for each final result, however long it takes within its time and whatever comes before",
            &["MDM-H2", "MDM-H4"],
            slow_answers,
        ),
    ]
}

const SPLIT_AND_JOINED: &str = r#"
[[strike]]
site = "uart-a< OK #3"
fault = { fate = "split", at = 4, gap = "30 ms" }
[[strike]]
site = "uart-a< +CREG #1"
fault = { fate = "join", within = "100 ms" }
[[strike]]
site = "uart-a< CONNECT OK #1"
fault = { fate = "split", at = 9, gap = "30 ms" }
[[strike]]
site = "uart-a< prompt #1"
fault = { fate = "split", at = 3, gap = "30 ms" }
[[strike]]
site = "uart-a< +IPDATA/heartbeat-answer #1"
fault = { fate = "split", at = 14, gap = "2 ms" }
[[strike]]
site = "uart-a< SEND OK #2"
fault = { fate = "join", within = "1 s" }
[[strike]]
site = "uart-a< +IPDATA/heartbeat-answer #2"
fault = { fate = "split", at = 30, gap = "2 ms" }
"#;

/// Announces what the host does from here on.
pub(super) fn promise(stage: &mut Stage, requirement: &'static str, deed: Deed, within: Span) {
    stage.remark(Promise { requirement, deed, within }.to_string());
}

/// Lets time pass until the modem sends the answer to a heartbeat; whether it did.
pub(super) fn answer_comes(stage: &mut Stage, within: Span) -> Done<bool> {
    let uart = stage.scene().terminals[0].uart;
    let answered = move |entry: &Entry<Event>| {
        matches!(&entry.what, Seen::Sent { line, way: Way::BtoA, name: "+IPDATA/heartbeat-answer", .. }
            if *line == uart)
    };
    stage.wait_for(within, &answered)
}

fn boot_and_heartbeat(stage: &mut Stage) -> Done {
    let profile = stage.scene().profile.clone();
    let bound = bounds::recovery(&profile);
    stage.switch_on();
    for heartbeat in 0..HEARTBEATS {
        // The last one gives way to what became of the one before.
        if heartbeat + 1 < HEARTBEATS {
            promise(stage, H1, Deed::AnsweredHeartbeat, bound);
        }
        answer_comes(stage, bound)?;
        stage.wait(profile.bench.tolerance)?;
    }
    Ok(())
}

/// A host that has taken its answer is content until its next heartbeat.
pub(super) fn content(understudy: &mut Understudy<'_>, requirement: &'static str) -> Done {
    let span = bounds::content(&understudy.profile);
    promise(understudy.stage, requirement, Deed::Contentment, span);
    understudy.play(span, &mut |_, _| Ok(Cue::Proper))?;
    understudy.stage.wait(crate::modem::TICK)
}

/// A host in service: its heartbeats are answered, one after the other.
fn in_service(understudy: &mut Understudy<'_>) -> Done {
    let bound = bounds::recovery(&understudy.profile);
    for _ in 0..HEARTBEATS {
        promise(understudy.stage, H1, Deed::AnsweredHeartbeat, bound);
        understudy.play_heartbeat(bound)?;
        content(understudy, H1)?;
    }
    understudy.stage.wait(understudy.profile.bench.tolerance)
}

fn reads_in_bytes(stage: &mut Stage) -> Done {
    let mut understudy = Understudy::set_up(stage);
    let (quiet, gap) = (understudy.profile.bench.quiet, understudy.profile.host.gap);
    // The bench puts together what comes within its quiet time, and the host gives a block up after its gap.
    let pause = quiet + quiet.shortened(4);
    understudy.byte_by_byte = (pause < gap).then_some(pause);
    in_service(&mut understudy)
}

fn echo_never_off(stage: &mut Stage) -> Done {
    let mut understudy = Understudy::set_up(stage);
    understudy.echo = Echo::Always;
    in_service(&mut understudy)
}

fn slow_answers(stage: &mut Stage) -> Done {
    let mut understudy = Understudy::set_up(stage);
    let bound = bounds::recovery(&understudy.profile) * 2;
    for _ in 0..HEARTBEATS {
        let slow = |this: &mut Understudy<'_>, turn: &Turn| {
            let half = limit(&this.profile.host, turn).shortened(2);
            this.stage.wait(half.shortened(2))?;
            if !turn.is(Words::of(&this.profile).send) {
                this.say(&["+CMTI: \"SM\",1"])?;
            }
            this.stage.wait(half.shortened(2))?;
            Ok(if this.is_heartbeat(turn) { Cue::Last } else { Cue::Proper })
        };
        understudy.play(bound, &mut { slow })?;
    }
    understudy.stage.wait(understudy.profile.bench.tolerance)
}

/// How long the host waits for the answer to a turn; nothing for a call that it repeats until it is answered.
fn limit(host: &ClientConfig, turn: &Turn) -> Span {
    match turn {
        Turn::Data(_) => host.send_limit,
        Turn::Command(line) if line == b"AT" => Span::ZERO,
        turn if ["AT+CGATT", "AT+CGACT", "AT+CIICR", "AT+CIPSHUT"].iter().any(|name| turn.is(name)) => {
            host.attach_limit
        }
        turn if turn.is("AT+IPSEND") || turn.is("AT+CIPSEND") => host.prompt_limit,
        Turn::Command(_) => host.command_limit,
    }
}
