//! What a host must come back from: closes, refusals, silence, restarts of its modem.

use assay_sim::modem::client::Fitted;

use super::host::promise;
use super::host_case;
use crate::modem::bounds;
use crate::modem::desk::Done;
use crate::modem::expect::Deed;
use crate::modem::understudy::{Cue, Turn, Understudy};
use crate::modem::words::Words;
use crate::water::Case;
use crate::water::Stage;

const H1: &str = "MDM-H1";
pub(super) fn cases() -> Vec<Case> {
    const SHOWS: &[&str] = &[H1, "MDM-H2", "MDM-H4"];
    vec![
        host_case(
            "modem/host/closed-anywhere",
            "The host connects anew after a close reported at any place of its exchanges",
            SHOWS,
            closed_anywhere,
        ),
        host_case(
            "modem/host/context-lost",
            "The host comes back after the loss of its bearer, which no close report follows",
            SHOWS,
            context_lost,
        ),
        host_case(
            "modem/host/refused",
            "The host comes back after a refusal of any command, a failed connect and a failed send",
            SHOWS,
            refused,
        ),
        host_case(
            "modem/host/no-answer",
            "The host comes back after any command, prompt or send that nothing answers",
            SHOWS,
            no_answer,
        ),
        host_case(
            "modem/host/reboot-at-any-byte",
            "The host comes back after a restart of the modem at any byte of what it says",
            SHOWS,
            reboot_at_any_byte,
        ),
    ]
}

/// In service: a heartbeat has been answered.
fn serve(understudy: &mut Understudy<'_>) -> Done<bool> {
    let bound = bounds::recovery(&understudy.profile);
    understudy.play_heartbeat(bound)
}

/// The trouble is over; the host is back within its bound.
fn recover(understudy: &mut Understudy<'_>) -> Done {
    promise(understudy.stage, H1, Deed::AnsweredHeartbeat, bounds::recovery(&understudy.profile));
    serve(understudy)?;
    understudy.stage.wait(understudy.profile.bench.tolerance)
}

/// Plays until the host does this, and answers as the case has it.
fn spoil(
    understudy: &mut Understudy<'_>,
    at: impl Fn(&Understudy<'_>, &Turn) -> bool,
    answer: &mut dyn FnMut(&mut Understudy<'_>) -> Done,
) -> Done<bool> {
    let bound = bounds::recovery(&understudy.profile);
    understudy.play(bound, &mut |this, turn| {
        if !at(this, turn) {
            return Ok(Cue::Proper);
        }
        answer(this)?;
        Ok(Cue::Cut)
    })
}

/// Has the host go the whole way up again.
fn restart(understudy: &mut Understudy<'_>) -> Done {
    understudy.reboot()?;
    understudy.say(&["RDY"])
}

/// A place in the host's exchanges.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Idle,
    BeforePrompt,
    InsteadOfSendOk,
    BehindSendOk,
    InsteadOfConnectOk,
    BehindConnectOk,
    InsideClose,
}

fn closed_anywhere(stage: &mut Stage) -> Done {
    let mut understudy = Understudy::set_up(stage);
    for place in [
        Place::Idle,
        Place::BeforePrompt,
        Place::InsteadOfSendOk,
        Place::BehindSendOk,
        Place::InsteadOfConnectOk,
        Place::BehindConnectOk,
        Place::InsideClose,
    ] {
        serve(&mut understudy)?;
        understudy.stage.wait(understudy.profile.bench.tolerance)?;
        close_at(&mut understudy, place)?;
        let soon = bounds::reported_loss(&understudy.profile);
        promise(understudy.stage, H1, Deed::NewAttempt, soon);
        recover(&mut understudy)?;
    }
    Ok(())
}

fn close_at(understudy: &mut Understudy<'_>, place: Place) -> Done {
    let words = Words::of(&understudy.profile);
    let starts = |_: &Understudy<'_>, turn: &Turn| turn.is(words.start);
    let sends = |this: &Understudy<'_>, turn: &Turn| this.is_heartbeat(turn);
    let lines: &[&str] = match place {
        Place::Idle | Place::InsteadOfSendOk => &[words.closed],
        Place::BeforePrompt => &[words.closed, "ERROR"],
        Place::BehindSendOk => &["SEND OK", words.closed],
        Place::InsteadOfConnectOk => &["OK", words.closed],
        Place::BehindConnectOk => &["OK", "CONNECT OK", words.closed],
        Place::InsideClose => &[words.closed, words.close_result],
    };
    let mut closes = |this: &mut Understudy<'_>| {
        this.connected = false;
        this.say(lines)
    };
    match place {
        Place::Idle => closes(understudy)?,
        Place::BeforePrompt => {
            spoil(understudy, |_, turn| turn.is(words.send), &mut closes)?;
        }
        Place::InsteadOfSendOk | Place::BehindSendOk => {
            spoil(understudy, sends, &mut closes)?;
        }
        Place::InsteadOfConnectOk | Place::BehindConnectOk => {
            understudy.connected = false;
            understudy.say(&[words.closed])?;
            spoil(understudy, starts, &mut closes)?;
        }
        Place::InsideClose => {
            // An unanswered heartbeat makes the host close by itself.
            spoil(understudy, sends, &mut |this| this.say(&["SEND OK"]))?;
            spoil(understudy, |_, turn| turn.is(words.close), &mut closes)?;
        }
    }
    Ok(())
}

fn context_lost(stage: &mut Stage) -> Done {
    let mut understudy = Understudy::set_up(stage);
    let words = Words::of(&understudy.profile);
    let lost = understudy.profile.host.pdp_lost.clone();
    let lose = |this: &mut Understudy<'_>, then: &[&str]| {
        (this.connected, this.active) = (false, false);
        this.say(&[&lost])?;
        this.say(then)
    };
    serve(&mut understudy)?;
    understudy.stage.wait(understudy.profile.bench.tolerance)?;
    lose(&mut understudy, &[])?;
    let soon = bounds::reported_loss(&understudy.profile);
    promise(understudy.stage, H1, Deed::NewAttempt, soon);
    recover(&mut understudy)?;
    spoil(&mut understudy, |_, turn| turn.is(words.send), &mut |this| lose(this, &["ERROR"]))?;
    recover(&mut understudy)?;
    spoil(&mut understudy, |this, turn| this.is_heartbeat(turn), &mut |this| lose(this, &["SEND FAIL"]))?;
    recover(&mut understudy)?;
    understudy.connected = false;
    understudy.say(&[words.closed])?;
    spoil(&mut understudy, |_, turn| turn.is(words.start), &mut |this| {
        this.say(&["OK"])?;
        lose(this, &[])
    })?;
    recover(&mut understudy)
}

fn refused(stage: &mut Stage) -> Done {
    let mut understudy = Understudy::set_up(stage);
    let words = Words::of(&understudy.profile);
    for command in words.way_up {
        for error in ["ERROR", "+CME ERROR: 3"] {
            spoil(&mut understudy, |_, turn| turn.is(command), &mut |this| this.say(&[error]))?;
            recover(&mut understudy)?;
            restart(&mut understudy)?;
        }
    }
    for outcome in words.failures {
        spoil(&mut understudy, |_, turn| turn.is(words.start), &mut |this| this.say(outcome))?;
        recover(&mut understudy)?;
        understudy.connected = false;
        understudy.say(&[words.closed])?;
    }
    recover(&mut understudy)?;
    for error in ["ERROR", "+CME ERROR: 3"] {
        spoil(&mut understudy, |_, turn| turn.is(words.send), &mut |this| this.say(&[error]))?;
        recover(&mut understudy)?;
    }
    for result in ["SEND FAIL", "ERROR"] {
        spoil(&mut understudy, |this, turn| this.is_heartbeat(turn), &mut |this| this.say(&[result]))?;
        recover(&mut understudy)?;
    }
    Ok(())
}

fn no_answer(stage: &mut Stage) -> Done {
    let mut understudy = Understudy::set_up(stage);
    let words = Words::of(&understudy.profile);
    for command in words.way_up {
        spoil(&mut understudy, |_, turn| turn.is(command), &mut |_| Ok(()))?;
        recover(&mut understudy)?;
        restart(&mut understudy)?;
    }
    // A start that is accepted and has no outcome.
    spoil(&mut understudy, |_, turn| turn.is(words.start), &mut |this| this.say(&["OK"]))?;
    recover(&mut understudy)?;
    spoil(&mut understudy, |_, turn| turn.is(words.send), &mut |_| Ok(()))?;
    recover(&mut understudy)?;
    spoil(&mut understudy, |this, turn| this.is_heartbeat(turn), &mut |_| Ok(()))?;
    recover(&mut understudy)?;
    // Nothing at all for longer than a heartbeat.
    let long = understudy.profile.server.heartbeat * 2;
    understudy.sleep(long)?;
    recover(&mut understudy)
}

fn reboot_at_any_byte(stage: &mut Stage) -> Done {
    let mut understudy = Understudy::set_up(stage);
    let words = Words::of(&understudy.profile);
    // What the modem says in one exchange, and whether it says it after the data.
    let result: &[u8] = match understudy.profile.fitted.module {
        Fitted::M6311 => b"\r\nSEND OK\r\n\r\n+IPDATA: 28\r\n\xAA\x55\x11",
        Fitted::Sim800a => b"\r\nSEND OK\r\n\r\n+IPD,28:\xAA\x55\x11",
    };
    serve(&mut understudy)?;
    for (after_data, said) in [(false, b"\r\n> ".as_slice()), (true, result)] {
        for len in 0..=said.len() {
            let at = |this: &Understudy<'_>, turn: &Turn| {
                if after_data { this.is_heartbeat(turn) } else { turn.is(words.send) }
            };
            spoil(&mut understudy, at, &mut |this| this.send(&said[..len]))?;
            understudy.reboot()?;
            if len % 2 == 1 {
                // Some modems say that they have started.
                understudy.say(&["RDY"])?;
            }
            recover(&mut understudy)?;
        }
    }
    // A restart that the modem tells of while nothing is under way need not be found out.
    restart(&mut understudy)?;
    let soon = bounds::reported_loss(&understudy.profile);
    promise(understudy.stage, H1, Deed::NewAttempt, soon);
    recover(&mut understudy)
}
