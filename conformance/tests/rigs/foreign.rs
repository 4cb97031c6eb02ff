//! Software of others: a POS server, a water terminal and a client of the payment platforms in Python, written from the
//! protocol pages. Each passes as it is, and each of its planted defects is found by the requirement that forbids it.

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

const PAYMENTS: &[Row] = &[
    ("payments/client/code", 10, None),
    ("payments/client/query-errors", 10, None),
    ("payments/client/late-success-refund-errors", 10, None),
    ("payments/client/notice-signature", 10, None),
    ("payments/client/scan-close-errors", 10, None),
    ("payments/client/killed-while-asking", 10, None),
    ("payments/client-v3/no-answer", 10, None),
    ("payments/client-v3/password-never", 10, None),
    ("payments/client-v3/notice-twice", 10, None),
    ("payments/client-alipay/system-error", 10, None),
    ("payments/client-alipay/scan-cancelled", 10, None),
    ("payments/client-alipay/notice-amount", 10, None),
    ("payments/client/no-answer-no-effect", 10, Some(("charges-again", "PYC-1"))),
    ("payments/client/system-error", 10, Some(("takes-silence-for-failure", "PYC-5"))),
    ("payments/client/password-never", 10, Some(("gives-up", "PYC-5"))),
    ("payments/client/reverse-errors", 10, Some(("undoes-once", "PYC-3"))),
    ("payments/client/password", 10, Some(("asks-often", "PYC-2"))),
    ("payments/client/late-success", 10, Some(("no-watch", "PYC-6"))),
    ("payments/client/killed-while-asking", 10, Some(("forgets", "PYC-14"))),
    ("payments/client/notice-twice", 10, Some(("books-twice", "PYC-9"))),
    ("payments/client/scan", 10, Some(("answers-other", "PYC-8"))),
    ("payments/client/code", 10, Some(("signs-in-part", "PYC-11"))),
    ("payments/client/answer-signature", 10, Some(("skips-answer-signature", "PYC-13"))),
    ("payments/client/notice-signature", 10, Some(("skips-notice-signature", "PYC-7"))),
    ("payments/client-v3/answer-signature", 10, Some(("skips-answer-signature", "PYC-13"))),
    ("payments/client-v3/notice-amount", 10, Some(("skips-notice-amount", "PYC-7"))),
    ("payments/client-v3/code", 10, Some(("signs-in-part", "PYC-11"))),
    ("payments/client-alipay/answer-amount", 10, Some(("skips-answer-amount", "PYC-13"))),
    ("payments/client-alipay/notice-signature", 10, Some(("skips-notice-signature", "PYC-7"))),
    ("payments/client-alipay/scan", 10, Some(("answers-other", "PYC-8"))),
];

/// The words with which a program is told these divided timers and this defect.
fn words(divisor: u32, defect: Option<(&str, &str)>) -> String {
    let defect = defect.map(|(name, _)| format!(", \"--defect\", \"{name}\"")).unwrap_or_default();
    format!("\"--divide-timers\", \"{divisor}\"{defect},")
}

/// Runs every row at once, as most of a run is waiting, and compares.
fn run_all(rows: &[Row], file: &str, divided: &str, change: impl Fn(&str, String) -> String) {
    let started = rows.iter().map(|(case, divisor, defect)| {
        let name = format!("{}-{}", case.replace('/', "-"), defect.map_or("sound", |(name, _)| name));
        let dir = own(&name);
        let rig = rig(file, &dir, |text| {
            let text = change(case, text).replace(&words_of(divided), &words(*divisor, *defect));
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
    run_all(POS, "pos-server-process.toml", "4", |_, text| {
        commanded(&text, &words).replace("\"4\"]", "\"4\",]")
    });
}

#[test]
fn a_water_terminal_in_python_passes_and_each_of_its_defects_is_found() {
    if has("python3") {
        run_all(WATER, "water-terminal-process.toml", "30", |_, text| text);
    }
}

#[test]
fn a_payment_client_in_python_passes_by_each_face_and_each_of_its_defects_is_found() {
    if has("python3") {
        run_all(PAYMENTS, "payments-client-process.toml", "10", |case, text| {
            let face = match case.split('/').nth(1).unwrap() {
                "client-v3" => "wechat-v3",
                "client-alipay" => "alipay",
                _ => "wechat-v2",
            };
            text.replace("face = \"wechat-v2\"", &format!("face = \"{face}\""))
        });
    }
}
