//! Half-open connections, and servers that are away: when a host connects again.

use assay_sim::tape::{Entry, Seen};
use assay_sim::water::party::Event;

use super::host::{WHOLE, answer_comes, promise};
use super::{host_case, host_oracles};
use crate::modem::bounds;
use crate::modem::desk::Done;
use crate::modem::expect::Deed;
use crate::modem::understudy::{Cue, Turn, Understudy};
use crate::modem::words::Words;
use crate::water::Case;
use crate::water::Stage;

const H2: &str = "MDM-H2";

/// How many tries in a row fail: enough for the longest wait of the built-in profile, more than once.
const FAILURES: u32 = 9;

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case {
            setup: WHOLE,
            plan: "[[strike]]\nsite = \"gprs-a< heartbeat-answer #2\"\nfault = { fate = \"half-open\" }",
            oracles: |scene| host_oracles(scene, 1),
            ..host_case(
                "modem/host/half-open",
                "The host finds a half-open connection by its unanswered heartbeat, and connects again",
                &[H2, "MDM-H4"],
                half_open,
            )
        },
        host_case(
            "modem/host/server-away",
            "A server that takes no connection is tried after waits that grow",
            &[H2, "MDM-H4"],
            server_away,
        ),
        host_case(
            "modem/host/closed-at-once",
            "A server that closes every connection at once is not tried in a tight loop",
            &[H2, "MDM-H4"],
            closed_at_once,
        ),
        host_case(
            "modem/host/heartbeats-unanswered",
            "A server that takes connections and answers nothing is tried again after each unanswered heartbeat",
            &[H2, "MDM-H4"],
            heartbeats_unanswered,
        ),
    ]
}

fn half_open(stage: &mut Stage) -> Done {
    let profile = stage.scene().profile.clone();
    let bound = bounds::recovery(&profile);
    stage.switch_on();
    answer_comes(stage, bound)?;
    let struck = |entry: &Entry<Event>| matches!(entry.what, Seen::Struck { .. });
    if stage.wait_for(bound, &struck)? {
        promise(stage, H2, Deed::NewAttempt, bounds::unanswered(&profile));
        promise(stage, H2, Deed::AnsweredHeartbeat, bound);
    }
    answer_comes(stage, bound)?;
    stage.wait(profile.bench.tolerance)
}

/// In service in the end, for a host whose tries have failed for so long.
fn back(understudy: &mut Understudy<'_>) -> Done {
    let bound = bounds::recovery(&understudy.profile);
    promise(understudy.stage, H2, Deed::AnsweredHeartbeat, bound);
    understudy.play_heartbeat(bound)?;
    understudy.stage.wait(understudy.profile.bench.tolerance)
}

/// Spoils so many starts in a row.
fn starts(understudy: &mut Understudy<'_>, lines: &[&str]) -> Done {
    let bound = bounds::recovery(&understudy.profile);
    for _ in 0..FAILURES {
        understudy.play(bound, &mut |this, turn| {
            if !turn.is(Words::of(&this.profile).start) {
                return Ok(Cue::Proper);
            }
            this.stage.wait(this.latency)?;
            this.say(lines)?;
            Ok(Cue::Cut)
        })?;
    }
    Ok(())
}

fn server_away(stage: &mut Stage) -> Done {
    let mut understudy = Understudy::set_up(stage);
    starts(&mut understudy, &["OK", "CONNECT FAIL"])?;
    back(&mut understudy)
}

fn closed_at_once(stage: &mut Stage) -> Done {
    let mut understudy = Understudy::set_up(stage);
    let closed = Words::of(&understudy.profile).closed;
    starts(&mut understudy, &["OK", "CONNECT OK", closed])?;
    back(&mut understudy)
}

fn heartbeats_unanswered(stage: &mut Stage) -> Done {
    let mut understudy = Understudy::set_up(stage);
    let bound = bounds::recovery(&understudy.profile);
    understudy.play_heartbeat(bound)?;
    for nth in 0..FAILURES {
        let silent = |this: &mut Understudy<'_>, turn: &Turn| {
            if !this.is_heartbeat(turn) {
                return Ok(Cue::Proper);
            }
            this.say(&["SEND OK"])?;
            Ok(Cue::Cut)
        };
        understudy.play(bound, &mut { silent })?;
        if nth == 0 {
            promise(understudy.stage, H2, Deed::NewAttempt, bounds::unanswered(&understudy.profile));
        }
    }
    back(&mut understudy)
}
