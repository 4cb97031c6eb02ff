//! What a host hears where it expects something else: reports, closes, noise, brown-outs, refusals without end.

use assay_sim::fault::Way;
use assay_sim::tape::{Entry, Seen};
use assay_sim::water::party::Event;

use super::host::{content, promise};
use super::host_case;
use crate::modem::bounds;
use crate::modem::desk::Done;
use crate::modem::expect::Deed;
use crate::modem::understudy::{Cue, Turn, Understudy};
use crate::modem::words::Words;
use crate::water::Case;
use crate::water::Stage;

const H1: &str = "MDM-H1";
const H2: &str = "MDM-H2";

/// Reports that say nothing of the link.
const REPORTS: [&str; 12] = [
    "RING",
    "+CMTI: \"SM\",3",
    "+CREG: 1",
    "+CREG: 5",
    "Call Ready",
    "SMS Ready",
    "*PSNWID: \"460\",\"00\", \"CHINA MOBILE\", 0, \"CMCC\", 0",
    "*PSUTTZ: 2024, 1, 2, 3, 4, 5, \"+32\", 0",
    "+CTZV: +32,0",
    "DST: 0",
    "+CIEV: 10,\"46000\",\"CMCC\",\"CMCC\", 0, 0",
    "UNDER-VOLTAGE WARNNING",
];

pub(super) fn cases() -> Vec<Case> {
    const SHOWS: &[&str] = &[H1, H2, "MDM-H4"];
    vec![
        host_case(
            "modem/host/reports-anywhere",
            "Reports of every kind, at each place where a modem may put one, leave the host and its link as they are",
            SHOWS,
            reports_anywhere,
        ),
        host_case(
            "modem/host/closed-at-any-byte",
            "The host connects anew after a close reported at any byte of its own commands and data",
            SHOWS,
            closed_at_any_byte,
        ),
        host_case(
            "modem/host/garbled",
            "The host comes back after its modem has spoken at another speed for a while",
            SHOWS,
            garbled,
        ),
        host_case(
            "modem/host/brown-out",
            "The host lives with warnings of its modem's supply, and comes back after the modem has given up",
            SHOWS,
            brown_out,
        ),
        host_case(
            "modem/host/always-refused",
            "A command that the modem always refuses is not repeated in a tight loop, whichever it is",
            &[H2, "MDM-H4"],
            always_refused,
        ),
    ]
}

/// In service, and the trouble is over.
fn recover(understudy: &mut Understudy<'_>) -> Done {
    let bound = bounds::recovery(&understudy.profile);
    promise(understudy.stage, H1, Deed::AnsweredHeartbeat, bound);
    understudy.play_heartbeat(bound)?;
    understudy.stage.wait(understudy.profile.bench.tolerance)
}

/// A command's proper answer with a report before it and before its last line.
fn with_report(this: &mut Understudy<'_>, turn: &Turn, report: &str) -> Done<Cue> {
    let words = Words::of(&this.profile);
    this.say(&[report])?;
    match turn {
        // Nothing may stand between a prompt and its data.
        Turn::Command(_) if turn.is(words.send) => Ok(Cue::Proper),
        Turn::Command(line) if line == b"AT+CSQ" => {
            let (rssi, ber) = (this.profile.module().rssi, this.profile.module().ber);
            this.say(&[&format!("+CSQ: {rssi},{ber}"), report, "OK"])?;
            Ok(Cue::Taken)
        }
        Turn::Command(_) => {
            this.answer(turn)?;
            this.say(&[report])?;
            Ok(Cue::Taken)
        }
        Turn::Data(data) => {
            let is_heartbeat = this.is_heartbeat(turn);
            this.say(&["SEND OK", report])?;
            this.deliver_answers(data)?;
            Ok(if is_heartbeat { Cue::Cut } else { Cue::Taken })
        }
    }
}

fn reports_anywhere(stage: &mut Stage) -> Done {
    let mut understudy = Understudy::set_up(stage);
    let bound = bounds::recovery(&understudy.profile);
    let mut reports = REPORTS.iter().cycle();
    // All the way up, and then for as many heartbeats as there are reports.
    for report in REPORTS {
        promise(understudy.stage, H1, Deed::AnsweredHeartbeat, bound);
        understudy.play(bound, &mut |this, turn| {
            with_report(this, turn, reports.next().copied().unwrap_or("RING"))
        })?;
        understudy.say(&[report])?;
        content(&mut understudy, H1)?;
    }
    understudy.stage.wait(understudy.profile.bench.tolerance)
}

/// Plays until the host begins to send its next message: with the command, or with the data; whether it does.
fn begins(understudy: &mut Understudy<'_>, data: bool) -> Done<bool> {
    let send = Words::of(&understudy.profile).send;
    let uart = understudy.stage.scene().terminals[0].uart;
    let bound = bounds::recovery(&understudy.profile);
    if data {
        let prompts = |this: &mut Understudy<'_>, turn: &Turn| {
            if !turn.is(send) {
                return Ok(Cue::Proper);
            }
            this.answer(turn)?;
            Ok(Cue::Cut)
        };
        understudy.play(bound, &mut { prompts })?;
    }
    let begins = move |entry: &Entry<Event>| {
        matches!(&entry.what, Seen::Sent { line, way: Way::AtoB, bytes, .. }
            if *line == uart && (data || bytes.starts_with(send.as_bytes())))
    };
    understudy.stage.wait_for(bound, &begins)
}

fn closed_at_any_byte(stage: &mut Stage) -> Done {
    let mut understudy = Understudy::set_up(stage);
    let words = Words::of(&understudy.profile);
    let bound = bounds::recovery(&understudy.profile);
    let longest = words.send.len() + "=14\r".len();
    understudy.play_heartbeat(bound)?;
    understudy.stage.wait(understudy.profile.bench.tolerance)?;
    for data in [false, true] {
        for bytes in 0..=longest {
            if !begins(&mut understudy, data)? {
                return Ok(());
            }
            understudy.stage.wait(understudy.profile.uart.time(bytes))?;
            understudy.connected = false;
            understudy.say(&[words.closed])?;
            // What was under way has its result: a command an error, data nothing but the report.
            let fails = |this: &mut Understudy<'_>, turn: &Turn| {
                if matches!(turn, Turn::Command(_)) {
                    this.say(&["ERROR"])?;
                }
                Ok(Cue::Cut)
            };
            understudy.play(understudy.profile.bench.tolerance, &mut { fails })?;
            let soon = bounds::reported_loss(&understudy.profile);
            promise(understudy.stage, H1, Deed::NewAttempt, soon);
            recover(&mut understudy)?;
        }
    }
    Ok(())
}

/// What a line looks like to whoever listens at another speed.
const GARBLE: [u8; 24] =
    *b"\x80\xF8\x00\xFE\x06\x9E\xE0\x1E\x00\x78\xF8\x86\xE6\x18\x80\x06\x7E\x98\xE0\x00\xFE\x60\x06\x80";

fn garbled(stage: &mut Stage) -> Done {
    let mut understudy = Understudy::set_up(stage);
    let words = Words::of(&understudy.profile);
    let bound = bounds::recovery(&understudy.profile);
    let spoils = |command: Option<&'static str>| {
        move |this: &mut Understudy<'_>, turn: &Turn| {
            let is_it = match command {
                Some(command) => turn.is(command),
                None => this.is_heartbeat(turn),
            };
            if !is_it {
                return Ok(Cue::Proper);
            }
            this.send(&GARBLE)?;
            Ok(Cue::Cut)
        }
    };
    for command in words.way_up.iter().copied().map(Some).chain([Some(words.send), None]) {
        understudy.play(bound, &mut { spoils(command) })?;
        // It has lost its speed with its power, and finds the host's by its calls.
        understudy.reboot()?;
        understudy.send(&GARBLE)?;
        recover(&mut understudy)?;
        understudy.reboot()?;
        understudy.say(&["RDY"])?;
    }
    recover(&mut understudy)
}

fn brown_out(stage: &mut Stage) -> Done {
    let mut understudy = Understudy::set_up(stage);
    let bound = bounds::recovery(&understudy.profile);
    understudy.play_heartbeat(bound)?;
    for warning in ["UNDER-VOLTAGE WARNNING", "OVER-VOLTAGE WARNNING"] {
        understudy.say(&[warning])?;
        content(&mut understudy, H1)?;
        recover(&mut understudy)?;
    }
    for farewell in ["UNDER-VOLTAGE POWER DOWN", "OVER-VOLTAGE POWER DOWN", "NORMAL POWER DOWN"] {
        understudy.say(&[farewell])?;
        // Off for longer than a heartbeat takes to be missed; then the supply, or the host's key, has it start.
        let off = bounds::unanswered(&understudy.profile) + understudy.profile.server.heartbeat;
        understudy.sleep(off)?;
        understudy.reboot()?;
        recover(&mut understudy)?;
    }
    Ok(())
}

/// How long a command is refused: several of the host's longest waits.
const LONGEST_WAITS: u64 = 4;

fn always_refused(stage: &mut Stage) -> Done {
    let mut understudy = Understudy::set_up(stage);
    let words = Words::of(&understudy.profile);
    let span = understudy.profile.host.backoff_max * LONGEST_WAITS + bounds::way_up(&understudy.profile);
    let frees = words.close;
    // Reception need not be told.
    for command in words.way_up.iter().filter(|command| **command != "AT+CSQ") {
        let refuses = |this: &mut Understudy<'_>, turn: &Turn| {
            if turn.is(command) || turn.is(frees) && !this.connected {
                this.say(&["ERROR"])?;
                return Ok(Cue::Taken);
            }
            Ok(Cue::Proper)
        };
        understudy.play(span, &mut { refuses })?;
        let bound = bounds::recovery(&understudy.profile);
        promise(understudy.stage, H2, Deed::AnsweredHeartbeat, bound);
        understudy.play_heartbeat(bound)?;
        understudy.stage.wait(understudy.profile.bench.tolerance)?;
        understudy.reboot()?;
        understudy.say(&["RDY"])?;
    }
    Ok(())
}
