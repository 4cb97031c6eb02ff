//! Software of others: a POS server and a water terminal in Python, written from the protocol pages. Each passes as it
//! is, and each of its planted defects is found by the requirement that forbids it.

use std::thread;
use std::time::Duration;

use crate::at_work::{Ended, Running, commanded, has, own, rig, root};

/// A case, by how much timers are divided, a defect, and the requirement that has to find it.
type Row = (&'static str, u32, Option<(&'static str, &'static str)>);

const POS: &[Row] = &[
    ("pos/server-acks/byte-for-byte", 20, None),
    ("pos/server-refusals/amounts", 20, None),
    ("pos/server-refusals/bad-cards", 20, None),
    ("pos/server-repeats/same-answer", 20, None),
    ("pos/server-repeats/unconfirmed", 20, None),
    ("pos/server-records/impossible-time", 20, None),
    ("pos/server-records/of-refused-payment", 20, None),
    ("pos/server-durability/record-deleted", 20, None),
    ("pos/server-acks/byte-for-byte", 20, Some(("acknowledges-own-number", "POS-A1"))),
    ("pos/server-repeats/unconfirmed", 20, Some(("answers-once", "POS-A5"))),
    ("pos/server-repeats/same-answer", 20, Some(("charges-repeats", "POS-P1"))),
    ("pos/server-refusals/bad-cards", 20, Some(("ignores-standing", "POS-P4"))),
    ("pos/server-refusals/amounts", 20, Some(("takes-any-amount", "POS-P5"))),
    ("pos/server-durability/record-deleted", 20, Some(("forgets", "POS-R3"))),
    ("pos/server-records/impossible-time", 20, Some(("echoes-bad-time", "POS-R4"))),
    ("pos/server-records/after-payment", 20, Some(("books-records-again", "POS-R5"))),
];

const WATER: &[Row] = &[
    ("water/topup/clean", 60, None),
    ("water/topup/power-cut", 60, None),
    ("water/boot/silent-server", 60, None),
    ("water/panel/no-voice", 60, None),
    ("water/damage/heartbeat-answer", 10, None),
    ("water/addressee/heartbeat-answer", 10, None),
    ("water/negative/repeats", 10, None),
    ("water/topup/power-cut", 60, Some(("no-intent", "WAT-I2"))),
    ("water/topup/clean", 60, Some(("credits-anything", "WAT-T2"))),
    ("water/topup/clean", 60, Some(("wrong-result", "WAT-T4"))),
    ("water/damage/heartbeat-answer", 10, Some(("ignores-crc", "WAT-F1"))),
    ("water/addressee/heartbeat-answer", 10, Some(("any-machine", "WAT-F6"))),
    ("water/negative/repeats", 10, Some(("never-repeats", "WAT-F3"))),
];

/// The words with which a program is told these divided timers and this defect.
fn words(divisor: u32, defect: Option<(&str, &str)>) -> String {
    let defect = defect.map(|(name, _)| format!(", \"--defect\", \"{name}\"")).unwrap_or_default();
    format!("\"--divide-timers\", \"{divisor}\"{defect},")
}

/// Runs every row at once, as most of a run is waiting, and compares.
fn run_all(rows: &[Row], file: &str, divided: &str, change: impl Fn(String) -> String) {
    let started = rows.iter().map(|(case, divisor, defect)| {
        let name = format!("{}-{}", case.replace('/', "-"), defect.map_or("sound", |(name, _)| name));
        let dir = own(&name);
        let rig = rig(file, &dir, |text| {
            let text = change(text).replace(&words_of(divided), &words(*divisor, *defect));
            let text = text.replace("boot = \"5 s\"", "boot = \"60 s\"");
            let text = text.replace("boot = \"300 ms\"", "boot = \"5 s\"");
            text.replace(&format!("divide_timers = {divided}"), &format!("divide_timers = {divisor}"))
        });
        // Many interpreters that start at once start slowly.
        thread::sleep(Duration::from_millis(150));
        (case, defect, Running::case(case, &rig, &dir))
    });
    let started: Vec<_> = started.collect();
    let mut wrong = Vec::new();
    for (case, defect, running) in started {
        let ended = running.ended();
        let Ended { verdict, violated, why, .. } = &ended;
        let right = match defect {
            None => verdict == "pass",
            // On a computer that is too busy it is found and blamed on nobody.
            Some((_, requirement)) => {
                verdict == "fail" && violated.iter().any(|id| id == requirement)
                    || why.contains("blames nobody") && why.contains(requirement)
            }
        };
        if !right {
            wrong.push(format!("{case} {defect:?}: {verdict} {violated:?} {why}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// How a rig file that comes with the suite divides timers.
fn words_of(divided: &str) -> String {
    format!("\"--divide-timers\", \"{divided}\",")
}

#[test]
fn a_pos_server_in_python_passes_and_each_of_its_defects_is_found() {
    if !has("python3") {
        return;
    }
    let server = root().join("examples/foreign/pos_server.py");
    let server = server.to_str().unwrap();
    let words = ["python3", server, "{port.udp}", "{dir}", "--divide-timers", "4"];
    run_all(POS, "pos-server-process.toml", "4", |text| {
        commanded(&text, &words).replace("\"4\"]", "\"4\",]")
    });
}

#[test]
fn a_water_terminal_in_python_passes_and_each_of_its_defects_is_found() {
    if has("python3") {
        run_all(WATER, "water-terminal-process.toml", "30", |text| text);
    }
}
