//! A line on which bytes are lost, doubled and flipped, and what crosses a sound one.

use std::collections::VecDeque;

use proptest::prelude::*;

use super::*;
use crate::modem::label::{HostScanner, ModemScanner};

#[test]
fn every_single_byte_of_an_exchange_may_be_lost_doubled_or_flipped() {
    let up = Loop::up(hardened());
    let mut golden = up.clone();
    golden.crossed = 0;
    golden.send(b"heartbeat").unwrap();
    golden.run(Span::s(2));
    // The command, prompt, data, result, announced block.
    assert_eq!(golden.crossed, 12 + 4 + 9 + 11 + 15 + 12);
    let mut strikes = vec![Strike::Lost, Strike::Doubled];
    strikes.extend((0..8).map(Strike::Flipped));
    for at in 0..golden.crossed {
        for strike in &strikes {
            let mut bench = up.clone();
            bench.crossed = 0;
            bench.strike = Some((at, *strike));
            let mut pending = VecDeque::new();
            live(&mut bench, &mut pending);
            bench.run(Span::s(2));
            let mut got = Vec::new();
            // A limit, the calls, a pause, a whole start if it comes to that.
            for _ in 0..90 {
                bench.run(Span::s(1));
                got.extend(data_of(&bench.outputs));
                live(&mut bench, &mut pending);
            }
            assert!(bench.client.is_up(), "{at} {strike:?}");
            assert!(got.ends_with(b"re:heartbeat"), "{at} {strike:?} {}", got.escape_ascii());
        }
    }
}

/// Frames `heartbeat` and `re:heartbeat`.
fn payload(bytes: &[u8]) -> Option<(usize, &'static str)> {
    if bytes.starts_with(b"heartbeat") {
        Some((9, "heartbeat"))
    } else if bytes.starts_with(b"re:heartbeat") {
        Some((12, "+IPDATA/answer"))
    } else {
        None
    }
}

#[test]
fn what_crosses_the_line_has_its_names() {
    let mut bench = Loop::up(hardened());
    bench.typed.clear();
    bench.heard.clear();
    bench.send(b"heartbeat").unwrap();
    bench.run(Span::s(2));
    bench.close();
    bench.run(Span::s(4));
    let mut host = HostScanner::new(payload, 1460);
    let mut names = Vec::new();
    for (_, bytes) in &bench.typed {
        host.push(bytes);
        names.extend(std::iter::from_fn(|| host.poll().map(|unit| unit.name)));
    }
    assert_eq!(names, ["AT+IPSEND", "heartbeat", "AT+IPSTART"]);
    let mut modem = ModemScanner::new(payload, 1460);
    modem.push(&bench.heard);
    let names: Vec<&str> = std::iter::from_fn(|| modem.poll().map(|unit| unit.name)).collect();
    assert_eq!(names, ["prompt", "SEND OK", "+IPDATA/answer", "CONNECTION CLOSED", "OK", "CONNECT OK"]);
}

/// Events that leave the serial line itself in order.
fn disturb(bench: &mut Loop) {
    match bench.stream.below(8) {
        0 => bench.close(),
        1 => bench.urc("RING"),
        2 => bench.urc("+CMTI: \"SM\",3"),
        3 => bench.modem_input(Input::Stimulus(ModemStimulus::PdpLost)),
        4 => bench.listens = !bench.listens,
        5 => bench.answers = !bench.answers,
        6 => bench.modem_input(Input::Stimulus(ModemStimulus::Signal { rssi: 5, ber: 1 })),
        _ => {}
    }
}

/// A terminal that sends a message now and then, and gives the connection up when no answer comes.
fn live(bench: &mut Loop, pending: &mut VecDeque<Instant>) {
    let said = bench.said();
    if said.iter().any(|output| matches!(output, ClientOutput::Data(_) | ClientOutput::Down { .. })) {
        pending.clear();
    }
    if pending.front().is_some_and(|since| bench.now.since(*since) > Span::s(20)) {
        pending.clear();
        bench.client.reset_network(bench.now);
        bench.drain_client();
    }
    if pending.is_empty() && bench.send(b"heartbeat").is_ok() {
        pending.push_back(bench.now);
    }
}

/// The longest that may pass from the end of all trouble to a message delivered: the heartbeat's 20 s, the longest
/// pause of 60 s, key and start, registration and attachment, and one step or send that was under way, called back
/// and tried again.
const BOUND: Span = Span::s(300);

fn recovers(seed: u64, noise: u64, cuts: bool) -> Result<Loop, TestCaseError> {
    let mut bench = Loop::new(hardened());
    bench.stream = Seed(seed).stream("trouble");
    bench.noise = noise;
    bench.echo_forced = seed.is_multiple_of(2);
    let mut pending = VecDeque::new();
    for _ in 0..200 {
        let span = Span::ms(bench.stream.between(1, 2_000));
        bench.run(span);
        disturb(&mut bench);
        live(&mut bench, &mut pending);
        if cuts && bench.stream.chance(1, 30) {
            bench.cut_power();
            bench.modem_input(Input::PowerOn);
        }
    }
    bench.noise = 0;
    bench.listens = true;
    bench.answers = true;
    let quiet = bench.now;
    loop {
        bench.run(Span::s(1));
        let got = data_of(&bench.outputs);
        if bench.client.is_up() && got.windows(12).any(|part| part == b"re:heartbeat") {
            return Ok(bench);
        }
        live(&mut bench, &mut pending);
        prop_assert!(bench.now.since(quiet) <= BOUND, "not back: {:?}", bench.client);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_happened_the_client_comes_back(seed in any::<u64>(), noise in 1_u64..60) {
        recovers(seed, noise, true)?;
    }

    #[test]
    fn on_a_sound_line_no_command_is_ever_sent_too_early(seed in any::<u64>()) {
        let bench = recovers(seed, 0, false)?;
        prop_assert_eq!(bench.swallowed, 0);
        // No line was ever split: every one is known by its name.
        let mut scanner = ModemScanner::new(payload, 1460);
        scanner.push(&bench.heard);
        while let Some(unit) = scanner.poll() {
            prop_assert_ne!(unit.name, "line-other", "{}", scanner.unit_bytes().escape_ascii());
        }
        prop_assert!(scanner.is_empty());
    }

    #[test]
    fn hostile_bytes_do_no_harm(chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..20)) {
        let mut bench = Loop::up(hardened());
        for chunk in &chunks {
            bench.client.handle_bytes(bench.now, chunk);
            bench.drain_client();
            bench.modem_input(Input::Received { port: UART, bytes: chunk });
            bench.run(Span::ms(100));
        }
    }
}
