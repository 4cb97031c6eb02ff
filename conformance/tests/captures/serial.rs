//! Recordings of the line between a host and its modem.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use assay_conformance::interrupt::Stop;
use assay_conformance::rig_bench::Bench;
use assay_conformance::suite;
use assay_conformance::trial::{Design, Trial};
use assay_reports::{Medium, TraceKind, TraceRecord, render_trace};
use assay_sim::policy::PolicyName;
use assay_sim::seed::Seed;

use super::{check, fixtures};

/// How long a byte takes at 115,200 baud.
///
/// Units: nanoseconds.
const BYTE_NS: u64 = 86_806;

/// What a case leaves of a host of the reference, or of a mutant of it, in its first part.
fn host(case: &str, mutant: Option<&str>) -> TraceRecord {
    const ENTRIES_MAX: usize = 500;

    let mut trace = run(case, mutant);
    trace.entries.truncate(ENTRIES_MAX);
    trace
}

/// What a case leaves of a terminal or host of the reference, or of a mutant of it.
fn run(case: &str, mutant: Option<&str>) -> TraceRecord {
    let case = suite::cases().into_iter().find(|known| known.id == case).unwrap();
    let mut design = Design::new(PolicyName::Hardened, Seed(0));
    if let Some(name) = mutant {
        let known = suite::mutants().into_iter().find(|mutant| mutant.name == name).unwrap();
        design = design.mutated(known);
    }
    let trial = Trial::new(case, &design).unwrap();
    let run = Bench::Tabletop.run(&trial, &trial.own, &Stop::default());
    run.tape().unwrap().trace(&trial.own)
}

/// What a probe at the host's end of the line sees: when, whether the host sends it, and the bytes.
fn on_line(trace: &TraceRecord) -> Vec<(u64, bool, Vec<u8>)> {
    let serial = trace.head.links.iter().position(|link| link.kind == Medium::Serial).unwrap();
    let mut seen = Vec::new();
    for entry in trace.entries.iter().filter(|entry| entry.link.map(usize::from) == Some(serial)) {
        let wanted = if entry.back { TraceKind::Heard } else { TraceKind::Sent };
        if entry.kind == wanted {
            let hex = entry.hex.as_deref().unwrap();
            let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
            seen.push((entry.at_us, !entry.back, (0..hex.len()).step_by(2).map(byte).collect()));
        }
    }
    seen
}

/// As a port monitor writes it: the time of day, who sends, and the bytes with their text behind them.
fn monitor(trace: &TraceRecord) -> Vec<u8> {
    let mut text = String::from("# /dev/ttyUSB0, 115200 8N1\n");
    for (at_us, up, bytes) in on_line(trace) {
        let second = at_us / 1_000_000;
        let (hour, minute) = (9 + second / 3_600, second / 60 % 60);
        for (place, part) in bytes.chunks(16).enumerate() {
            if place == 0 {
                let way = if up { "TX" } else { "RX" };
                let (second, us) = (second % 60, at_us % 1_000_000);
                write!(text, "{hour:02}:{minute:02}:{second:02}.{us:06} {way}").unwrap();
            }
            let hex: Vec<String> = part.iter().map(|byte| format!("{byte:02X}")).collect();
            let printable = |byte: &u8| if byte.is_ascii_graphic() || *byte == b' ' { *byte } else { b'.' };
            let shown: String = part.iter().map(printable).map(char::from).collect();
            writeln!(text, " {:<47}  |{shown}|", hex.join(" ")).unwrap();
        }
    }
    text.into_bytes()
}

/// As Logic 2 exports two serial analysers: a byte a row, one channel behind the other; with framing errors where
/// `wrong` says so.
fn analyser(trace: &TraceRecord, wrong: impl Fn(usize) -> bool) -> Vec<u8> {
    let mut text = String::from("name,type,start_time,duration,data,error\n");
    let mut burst = 0;
    for sent in [true, false] {
        let mut free = 0;
        for (at_us, _, bytes) in on_line(trace).into_iter().filter(|(_, up, _)| *up == sent) {
            // What is heard has come by then, and what is sent begins then.
            let took = if sent { 0 } else { bytes.len() as u64 * BYTE_NS };
            let mut ns = (at_us * 1_000).saturating_sub(took).max(free);
            for byte in bytes {
                let (name, error) =
                    (if sent { "TX" } else { "RX" }, if wrong(burst) { "framing" } else { "" });
                let (second, part) = (ns / 1_000_000_000, ns % 1_000_000_000);
                let row = format!("\"{name}\",\"data\",{second}.{part:09},0.000086806,0x{byte:02X},{error}");
                writeln!(text, "{row}").unwrap();
                ns += BYTE_NS;
            }
            (free, burst) = (ns, burst + 1);
        }
    }
    text.into_bytes()
}

/// The fixtures, as they are made.
pub(super) fn made() -> Vec<(&'static str, Vec<u8>)> {
    let good = host("modem/host-sim800a/boot-and-heartbeat", None);
    let hurried = host("modem/host-sim800a/slow-answers", Some("host-hurries-commands"));
    let terminal = run("water/upload/unanswered", None);
    let kept = run("water/upload/unanswered", Some("terminal-keeps-connection"));
    let silent = run("water/damage/offer", Some("terminal-silent-on-damage"));
    let pauseless = host("modem/host/server-away", Some("host-reconnects-at-once"));
    vec![
        ("serial-good.log", monitor(&good)),
        ("serial-framing.csv", analyser(&good, |burst| burst == 3)),
        ("serial-hurried.csv", analyser(&hurried, |_| false)),
        ("serial-no-pause.log", monitor(&pauseless)),
        ("terminal-good.log", monitor(&terminal)),
        ("terminal-keeps-connection.log", monitor(&kept)),
        ("terminal-silent-on-damage.csv", analyser(&silent, |_| false)),
        ("terminal-framing.csv", analyser(&silent, |burst| burst == 60)),
    ]
}

fn terminal(name: &str) -> (i32, String) {
    let (code, printed, _) = check(&fixtures().join(name), &["--system", "water"]);
    (code, printed)
}

#[test]
fn a_good_terminals_frames_are_found_in_its_dialogue_and_judged() {
    let (code, printed) = terminal("terminal-good.log");
    assert_eq!(code, 0, "{printed}");
    assert!(printed.contains("Judged: WAT-C1 4 times."), "{printed}");
    assert!(printed.contains("about the server, and what reached it is not in a recording"), "{printed}");
    assert!(printed.contains("of its own in"), "{printed}");
}

#[test]
fn a_terminal_that_sends_again_without_resetting_the_network_is_found_in_a_monitors_log() {
    let (code, printed) = terminal("terminal-keeps-connection.log");
    assert_eq!(code, 100, "{printed}");
    assert!(printed.contains("WAT-C1 (must) does not hold"), "{printed}");
    let all = printed.matches("does not hold").count();
    assert_eq!(printed.matches("WAT-C1 (must) does not hold").count(), all, "{printed}");
}

#[test]
fn a_terminal_that_says_nothing_to_damage_is_found_in_an_analysers_table() {
    let (code, printed) = terminal("terminal-silent-on-damage.csv");
    assert_eq!(code, 100, "{printed}");
    assert!(printed.contains("WAT-F2 (must) does not hold"), "{printed}");
    let (code, printed) = terminal("terminal-framing.csv");
    assert!(code >= 100 && printed.contains("the recorder did not read"), "{printed}");
}

#[test]
fn a_line_without_a_terminals_frames_is_refused_with_a_mend() {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("only-at.log");
    fs::write(&file, "1.5 TX 41 54 0D\n1.6 RX 0D 0A 4F 4B 0D 0A\n").unwrap();
    let (code, printed, _) = check(&file, &["--system", "water"]);
    assert!(code == 2 && printed.lines().count() == 1, "{code}: {printed}");
    assert!(printed.contains("no sound frame of a water terminal"), "{printed}");
    assert!(printed.contains("--system modem"), "{printed}");
}

fn modem(name: &str, more: &[&str]) -> (i32, String) {
    let (code, printed, _) = check(&fixtures().join(name), &[&["--system", "modem"], more].concat());
    (code, printed)
}

#[test]
fn a_good_host_passes_and_what_the_line_does_not_show_is_said() {
    let (code, printed) = modem("serial-good.log", &[]);
    assert_eq!(code, 0, "{printed}");
    assert!(printed.contains("Judged: MDM-A4") && printed.contains("MDM-H4"), "{printed}");
    assert!(printed.contains("it takes the cases of `assay run`"), "{printed}");
}

#[test]
fn a_host_that_waits_for_no_result_is_found_in_an_analysers_table() {
    let (code, printed) = modem("serial-hurried.csv", &[]);
    assert_eq!(code, 100, "{printed}");
    assert!(printed.contains("MDM-H4 (must) does not hold"), "{printed}");
    assert!(!printed.contains("missing:"), "{printed}");
}

#[test]
fn a_host_that_connects_without_a_pause_is_found_in_a_monitors_log() {
    let (code, printed) = modem("serial-no-pause.log", &[]);
    assert_eq!(code, 100, "{printed}");
    assert!(printed.contains("MDM-H2 (must) does not hold"), "{printed}");
}

#[test]
fn a_byte_that_was_not_read_makes_a_recording_inconclusive() {
    let (code, printed) = modem("serial-framing.csv", &[]);
    assert_eq!(code, 101, "{printed}");
    assert!(printed.contains("missing: ") && printed.contains("the recorder did not read"), "{printed}");
    assert!(!printed.contains("does not hold"), "{printed}");
}

#[test]
fn the_same_is_found_in_a_trace_and_from_the_modems_side() {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("captures");
    fs::create_dir_all(&dir).unwrap();
    let hurried = host("modem/host-sim800a/slow-answers", Some("host-hurries-commands"));
    let from_modem = String::from_utf8(monitor(&hurried)).unwrap();
    let from_modem = from_modem.replace(" TX ", " ?? ").replace(" RX ", " TX ").replace(" ?? ", " RX ");
    let files = [
        ("hurried.trace.jsonl", render_trace(&hurried), "host"),
        ("hurried-from-modem.log", from_modem, "modem"),
    ];
    for (name, text, tx) in files {
        fs::write(dir.join(name), text).unwrap();
        let (code, printed, _) = check(&dir.join(name), &["--system", "modem", "--tx", tx]);
        assert_eq!(code, 100, "{name}: {printed}");
        assert!(printed.contains("MDM-H4 (must) does not hold"), "{name}: {printed}");
    }
}

#[test]
fn what_is_no_recording_of_a_line_is_refused_with_its_place_and_mend() {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("no-recordings");
    fs::create_dir_all(&dir).unwrap();
    for (name, bytes, what) in [
        ("text.log", &b"hello"[..], "line 1 is no line of a serial recording: `hello`"),
        ("escape.log", b"\x1B[31mred", "line 1 is no line of a serial recording: `\\x1b[31mred`"),
        ("one.csv", b"name,type,start_time,data\nAsync,data,0.1,0x41\n", "the channels `Async` do not say"),
        ("bytes.log", &[0xFF, 0xFE, 0, 1], "it is no text"),
        ("no-line.trace.jsonl", b"{}", "as a `.trace.jsonl` it does not read"),
    ] {
        let file = dir.join(name);
        fs::write(&file, bytes).unwrap();
        let (code, printed, _) = check(&file, &["--system", "modem"]);
        assert!(code == 2 && printed.contains(what) && printed.lines().count() == 1, "{code}: {printed}");
    }
}
