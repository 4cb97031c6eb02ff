//! Units: found however a party cuts what it sends, held back, let go, and kept apart.

use super::*;
use crate::link::SerialConfig;

fn sent(bench: &Tabletop<Toy>) -> Vec<(u64, &'static str, String)> {
    let sent = bench.tape().entries().filter_map(|entry| match &entry.what {
        Seen::Sent { name, bytes, .. } => Some((entry.at.as_us(), *name, bytes.escape_ascii().to_string())),
        _ => None,
    });
    sent.collect()
}

fn unit(at: u64, name: &'static str, bytes: &str) -> (u64, &'static str, String) {
    (at, name, bytes.to_owned())
}

/// The pair with a longer patience for the rest of a unit.
fn patient() -> (Layout<Toy>, SeatId, SeatId) {
    let (mut layout, a, b) = pair();
    layout.quiet = Span::us(5_000);
    (layout, a, b)
}

#[test]
fn sites_are_the_same_when_a_party_sends_in_pieces() {
    let run = |in_pieces| {
        let mut bench = bench(plans::four(in_pieces), &FaultPlan::default());
        bench.run_until(us(700_000));
        let names: Vec<_> = bench.visits().iter().map(|visit| (visit.site.to_string(), visit.kind)).collect();
        (names, bench.tape().digest())
    };
    let (whole, pieces) = (run(false), run(true));
    assert!(whole.0.len() > 500);
    assert_eq!(whole, pieces);
}

#[test]
fn the_beginning_of_a_unit_waits_for_its_rest_and_no_longer() {
    let (layout, a, b) = pair();
    let mut bench = bench(layout, &FaultPlan::default());
    bench.stimulate(a, say(1, b"xy"));
    bench.run_until(us(499));
    assert_eq!(sent(&bench), []);
    bench.run_until(us(500));
    assert_eq!(sent(&bench), [unit(500, "part", "xy")]);
    bench.run_until(us(9_000));
    assert_eq!(notes(&bench, b)[1..], [note(2_500, "got 1 xy")]);
    // The scanner has let go of it: a question is a question again.
    bench.stimulate(a, say(1, b"q\nx"));
    bench.stimulate(a, say(1, b"y\n"));
    assert_eq!(sent(&bench)[1..], [unit(9_000, "ask", "q\\n"), unit(9_000, "other", "xy\\n")]);
}

#[test]
fn what_was_held_back_had_left_when_the_power_goes() {
    for (cut_us, heard) in [(999, None), (1_000, Some("x")), (2_500, Some("xy")), (3_500, Some("xyz"))] {
        let (layout, a, b) = patient();
        let mut bench = bench(layout, &FaultPlan::default());
        bench.stimulate(a, say(1, b"xy"));
        bench.stimulate(a, say(1, b"z"));
        bench.run_until(us(cut_us));
        bench.cut(SupplyId(0), Torn::Old);
        bench.restore(SupplyId(0));
        bench.run_until(us(7_000));
        // Nothing of it is left for the party that starts anew.
        bench.stimulate(a, say(1, b"q\n"));
        bench.run_until(us(9_000));
        let at = cut_us.min(3_000);
        let mut expected: Vec<_> =
            heard.into_iter().map(|text| note(cut_us.max(at), &format!("got 1 {text}"))).collect();
        expected.push(note(9_000, "got 1 q\\n"));
        assert_eq!(notes(&bench, b)[1..], expected);
        assert_eq!(sent(&bench)[1..], [unit(7_000, "ask", "q\\n")]);
    }
}

#[test]
fn a_strike_at_what_a_cut_lets_go_is_only_one_more_cut() {
    let (layout, a, b) = patient();
    let plan = plan([mishap("line> part #1", Moment::Before, cut("for-a", 9_000))]);
    let mut bench = bench(layout, &plan);
    bench.stimulate(a, say(1, b"xyz"));
    bench.run_until(us(2_000));
    bench.cut(SupplyId(2), Torn::Old);
    bench.run_until(us(3_000));
    bench.restore(SupplyId(2));
    bench.run_until(us(20_000));
    assert_eq!(notes(&bench, a), [note(0, "on"), note(11_000, "on")]);
    assert_eq!(notes(&bench, b), [note(0, "on"), note(3_000, "on")]);
}

#[test]
fn bytes_without_an_end_are_passed_on() {
    let (mut layout, a, b) = pair();
    let fast = SerialConfig { baud: 10_000_000, ..slow() };
    layout.serial("fast", (a, Port(2)), (b, Port(2)), fast, scanners());
    layout.quiet = Span::s(9);
    let mut bench = bench(layout, &FaultPlan::default());
    for _ in 0..100 {
        bench.stimulate(a, say(2, &[b'x'; 4_096]));
        assert!(bench.lines[1].sizes().1 <= 256 * 1_024);
    }
    assert_eq!(sent(&bench).len(), 1);
}

#[test]
fn a_packet_is_a_unit_whatever_it_contains() {
    let mut layout = Layout::new(epoch(), Span::us(500), 9);
    let seats = ["a", "b", "c"].map(|name| layout.seat(name, Party::Puppet(Puppet::default())));
    let [a, b, c] = seats;
    layout.supply("all", &seats);
    let latency = (Span::ms(1), Span::ms(1));
    layout.datagram("lan-b", (a, Port(1)), (b, Port(1)), latency, crate::seed::Seed(1), scanners());
    layout.datagram("lan-c", (a, Port(2)), (c, Port(1)), latency, crate::seed::Seed(1), scanners());
    let mut bench = bench(layout, &FaultPlan::default());
    for packet in [&b"q1\na2\nx"[..], b"y\n", b"q"] {
        bench.stimulate(a, say(1, packet));
    }
    bench.stimulate(a, say(Port::BROADCAST.0, b"a\n"));
    bench.run_until(us(9_000));
    assert_eq!(
        sent(&bench),
        [
            unit(0, "ask", "q1\\na2\\nx"),
            unit(0, "other", "y\\n"),
            unit(0, "part", "q"),
            unit(0, "answer", "a\\n"),
            unit(0, "answer", "a\\n")
        ]
    );
    let heard = |text| note(1_000, text);
    assert_eq!(
        notes(&bench, b)[1..],
        [heard("got 1 q1\\na2\\nx"), heard("got 1 y\\n"), heard("got 1 q"), heard("got 1 a\\n")]
    );
    assert_eq!(notes(&bench, c)[1..], [heard("got 1 a\\n")]);
}

#[test]
fn a_party_that_starts_anew_has_promised_nothing() {
    for (cut, names) in [(false, ["header", "data"]), (true, ["header", "ask"])] {
        let (layout, a, _) = pair();
        let mut bench = bench(layout, &FaultPlan::default());
        bench.stimulate(a, say(1, b"d2\n"));
        if cut {
            bench.cut(SupplyId(0), Torn::Old);
            bench.restore(SupplyId(0));
        }
        bench.stimulate(a, say(1, b"q\n"));
        assert_eq!(sent(&bench).into_iter().map(|(_, name, _)| name).collect::<Vec<_>>(), names);
    }
}
