//! The judges, on tapes that were never played.

use assay_conformance::finding::{Findings, Oracle};
use assay_conformance::modem;
use assay_conformance::modem::expect::{DUE, Deed, Expectation, Given, Promise};
use assay_conformance::modem::oracles::{Pace, Promises, Prompt, Reconnects, Transcript};
use assay_conformance::water::scene::Scene;
use assay_sim::bench::{Jumps, Paced};
use assay_sim::fault::Way;
use assay_sim::tabletop::Tabletop;
use assay_sim::tape::{Entry, Keep, Seen};
use assay_sim::time::{Instant, Span};
use assay_sim::water::family::Water;
use assay_sim::water::party::Event;

use super::HARDENED;

/// A cast to judge tapes by that were never played.
fn cast() -> Scene {
    let case = modem::cases().into_iter().find(|case| case.explored).unwrap();
    let (declared, built) = HARDENED.plants(&case);
    let table = Tabletop::new(built.layout().unwrap(), &Default::default(), Keep::All).unwrap();
    Scene::new(&declared, case.sut, &Paced { table, pace: Jumps }).unwrap()
}

/// What an oracle finds on a tape: at so many microseconds, this.
fn found(
    mut oracle: impl Oracle<Water>,
    scene: &Scene,
    tape: &[(u64, Seen<Event>)],
    end_us: u64,
) -> Findings {
    let mut findings = Findings::default();
    for (ordinal, (at_us, what)) in tape.iter().enumerate() {
        let entry = Entry { ordinal: ordinal as u64, at: Instant::from_us(*at_us), what: what.clone() };
        oracle.observe(&entry, scene, &mut findings);
    }
    oracle.finish(Instant::from_us(end_us), scene, &mut findings);
    findings
}

fn says(scene: &Scene, bytes: &[u8]) -> Seen<Event> {
    let line = scene.terminals[0].uart;
    Seen::Heard { line, way: Way::BtoA, conn: 0, bytes: bytes.to_vec() }
}

fn types(scene: &Scene, bytes: &[u8]) -> Seen<Event> {
    let line = scene.terminals[0].uart;
    Seen::Sent { line, way: Way::AtoB, conn: 0, name: "unit", nth: 1, bytes: bytes.to_vec() }
}

fn case(text: impl ToString) -> Seen<Event> {
    Seen::Case(text.to_string())
}

/// Judgements and violations.
fn counts(findings: &Findings) -> (u64, usize) {
    (findings.judged.values().sum(), findings.violations.len())
}

#[test]
fn a_transcript_is_compared_to_its_last_byte() {
    let scene = cast();
    let expected = Expectation::modem("MDM-A1", "AT\r\r\nOK\r\n");
    for (said, holds) in [
        (b"AT\r\r\nOK\r\n".as_slice(), true),
        (b"\r\nOK\r\n", false),
        (b"AT\r\nOK\r\n", false),
        (b"AT\r\r\nOK\r\n\r\n", false),
        (b"AT\r0\r", false),
        (b"AT\r\r\nERROR\r\n", false),
        (b"", false),
    ] {
        let tape = [(0, case(&expected)), (9, says(&scene, said)), (10, case(DUE))];
        let findings = found(Transcript::new(0), &scene, &tape, 10);
        assert_eq!(counts(&findings), (1, usize::from(!holds)), "{}", said.escape_ascii());
    }
    // What comes too late, what was never given, and what a foreign fault may have spoilt.
    let late = [(0, case(&expected)), (10, case(DUE)), (11, says(&scene, b"AT\r\r\nOK\r\n"))];
    assert_eq!(counts(&found(Transcript::new(0), &scene, &late, 12)), (1, 1));
    let given = case(Given::modem("%aOK%a"));
    let broken = [(0, given), (1, says(&scene, b"NO")), (2, case(DUE)), (3, case(&expected)), (4, case(DUE))];
    assert_eq!(counts(&found(Transcript::new(0), &scene, &broken, 5)), (0, 0));
    let struck = [(0, case(&expected)), (1, Seen::Struck { strike: 0 }), (2, case(DUE))];
    assert_eq!(counts(&found(Transcript::new(0), &scene, &struck, 3)), (0, 0));
    assert_eq!(counts(&found(Transcript::new(1), &scene, &struck, 3)), (1, 1));
}

#[test]
fn a_prompt_is_watched_until_the_last_byte_of_its_data() {
    let scene = cast();
    let send = |before: &[u8], after: &[u8]| {
        let tape = [
            (0, types(&scene, b"AT+IPSEND=2\r")),
            (1, says(&scene, b"\r\n> ")),
            (2, types(&scene, b"a")),
            (3, says(&scene, before)),
            (4, types(&scene, b"b")),
            (5, says(&scene, after)),
        ];
        counts(&found(Prompt::new(0), &scene, &tape, 6))
    };
    assert_eq!(send(b"", b"\r\nRING\r\n\r\nSEND OK\r\n"), (1, 0));
    assert_eq!(send(b"a", b"b\r\nSEND OK\r\n"), (1, 0));
    assert_eq!(send(b"\r\nRING\r\n", b"\r\nSEND OK\r\n"), (1, 1));
    assert_eq!(send(b"aRING", b""), (1, 1));
}

#[test]
fn a_promise_is_kept_at_its_last_moment_and_broken_a_tick_later() {
    let scene = cast();
    let within = Span::us(100);
    let promise = |deed| case(Promise { requirement: "MDM-H1", deed, within });
    let attempt = || types(&scene, b"AT+IPSTART=\"TCP\",\"10.0.0.2\",7000\r");
    for (at_us, holds) in [(99, true), (100, true), (101, false)] {
        let tape = [(0, promise(Deed::NewAttempt)), (at_us, attempt())];
        let findings = found(Promises::new(0), &scene, &tape, 200);
        assert_eq!(counts(&findings), (1, usize::from(!holds)), "{at_us}");
        let tape = [(0, promise(Deed::Contentment)), (at_us, attempt())];
        let findings = found(Promises::new(0), &scene, &tape, 200);
        assert_eq!(counts(&findings), (1, usize::from(holds)), "{at_us}");
    }
    // A run that ends before its time decides nothing.
    let tape = [(0, promise(Deed::AnsweredHeartbeat))];
    assert_eq!(counts(&found(Promises::new(0), &scene, &tape, 99)), (0, 0));
    assert_eq!(counts(&found(Promises::new(0), &scene, &tape, 100)), (1, 1));
}

#[test]
fn a_heartbeat_counts_once_it_is_answered() {
    const HEARTBEAT: &[u8] = b"\xAA\x55\x00\x00\x01\x00\x0C\x20\x18\x01\x09\x25\x62\x2A";
    let scene = cast();
    let promise =
        case(Promise { requirement: "MDM-H1", deed: Deed::AnsweredHeartbeat, within: Span::us(100) });
    let sends =
        [(1, types(&scene, b"AT+IPSEND=14\r")), (2, says(&scene, b"\r\n> ")), (3, types(&scene, HEARTBEAT))];
    let tape: Vec<_> = [(0, promise)].into_iter().chain(sends).collect();
    assert_eq!(counts(&found(Promises::new(0), &scene, &tape, 100)), (1, 1));
    // The same frame coming back is no answer.
    let back = [b"\r\n+IPDATA: 14\r\n".as_slice(), HEARTBEAT].concat();
    let with = |bytes: &[u8]| {
        let tape: Vec<_> = tape.iter().cloned().chain([(4, says(&scene, bytes))]).collect();
        counts(&found(Promises::new(0), &scene, &tape, 100))
    };
    assert_eq!(with(&back), (1, 1));
    // Answer word 11, the time as content, CRC-16/XMODEM over the whole.
    let answer = b"\xAA\x55\x11\x00\x01\x00\x1A\x20\x18\x01\x09\x2520240102030405";
    let crc = answer.iter().fold(0_u16, |crc, byte| {
        (0..8)
            .fold(crc ^ u16::from(*byte) << 8, |crc, _| crc << 1 ^ if crc & 0x8000 == 0 { 0 } else { 0x1021 })
    });
    let frame = [answer.as_slice(), &crc.to_be_bytes()].concat();
    let block = [format!("\r\n+IPDATA: {}\r\n", frame.len()).as_bytes(), &frame].concat();
    assert_eq!(with(&block), (1, 0));
    assert_eq!(with(&block[..block.len() - 1]), (1, 1));
}

#[test]
fn a_command_may_begin_at_the_end_of_the_time_of_the_last_one_and_not_a_tick_before() {
    let scene = cast();
    // 5 s allowed, and 1 s of tolerance.
    for (at_us, holds) in [(3_999_999, false), (4_000_000, true)] {
        let tape = [(0, types(&scene, b"AT+CSQ\r")), (at_us, types(&scene, b"AT\r"))];
        assert_eq!(counts(&found(Pace::new(0), &scene, &tape, at_us)), (2, usize::from(!holds)), "{at_us}");
    }
    for (said, holds) in [
        (b"\r\nOK\r\n".as_slice(), true),
        (b"AT+CSQ\r\r\n+CSQ: 18,0\r\n", false),
        (b"\r\n+IPDATA: 6\r\n\r\nOK\r\n", false),
        (b"\r\n+CME ERROR: 10\r\n", true),
    ] {
        let tape = [
            (0, types(&scene, b"AT+CSQ\r")),
            (9, says(&scene, said)),
            (10, types(&scene, b"\r\r")),
            (11, types(&scene, b"AT\r")),
        ];
        let findings = found(Pace::new(0), &scene, &tape, 12);
        assert_eq!(counts(&findings), (2, usize::from(!holds)), "{}", said.escape_ascii());
    }
    // Data without its prompt is a command like any other.
    let send =
        [(0, types(&scene, b"AT+IPSEND=3\r")), (1, says(&scene, b"\r\n> ")), (2, types(&scene, b"abc"))];
    assert_eq!(counts(&found(Pace::new(0), &scene, &send, 3)), (1, 0));
    let eager = [send[0].clone(), send[2].clone()];
    assert_eq!(counts(&found(Pace::new(0), &scene, &eager, 3)), (2, 1));
}

/// Tries to connect that fail at once, with these pauses between them.
fn failures(scene: &Scene, pauses_s: &[u64]) -> (u64, usize) {
    let mut at_us = 0;
    let mut tape = Vec::new();
    for pause_s in [0].iter().chain(pauses_s) {
        at_us += pause_s * 1_000_000;
        tape.push((at_us, types(scene, b"AT+IPSTART=\"TCP\",\"10.0.0.2\",7000\r")));
        tape.push((at_us, says(scene, b"\r\nOK\r\n\r\nCONNECT FAIL\r\n")));
    }
    let (judged, violations) = counts(&found(Reconnects::new(0, 0), scene, &tape, at_us));
    (judged, violations)
}

#[test]
fn waits_grow_up_to_the_longest_and_tries_are_few() {
    let scene = cast();
    assert_eq!(failures(&scene, &[1, 2, 4, 8, 16, 32, 60, 60]), (9 + 7, 0));
    assert_eq!(failures(&scene, &[1, 2, 2]), (4 + 2, 1));
    assert_eq!(failures(&scene, &[4, 2]), (3 + 1, 1));
    assert_eq!(failures(&scene, &[0, 0]), (3 + 1, 1));
    // Seven tries in a minute are the most; these are seven, and eight.
    assert_eq!(failures(&scene, &[5, 6, 7, 8, 9, 10]).1, 0);
    assert_eq!(failures(&scene, &[4, 5, 6, 7, 8, 9, 10]).1, 1);
}

/// A command that is refused so many times within a minute.
fn refusals(scene: &Scene, times: u64) -> usize {
    let mut tape = Vec::new();
    for at_us in (0..times).map(|nth| nth * 100_000) {
        tape.push((at_us, types(scene, b"AT+CMMUX=0\r")));
        tape.push((at_us, says(scene, b"\r\nERROR\r\n")));
    }
    counts(&found(Reconnects::new(0, 0), scene, &tape, times * 100_000)).1
}

#[test]
fn refusals_on_the_way_to_a_connection_are_no_more_than_the_tries_leave_room_for() {
    let scene = cast();
    // Seven tries, of three commands each that are refused twice, and 60 questions after registration.
    assert_eq!(refusals(&scene, 102), 0);
    assert_eq!(refusals(&scene, 103), 1);
}
