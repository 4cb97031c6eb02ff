//! Connections: half-open, reset, closed while bytes are under way, opened anew on a port that is still known.

use super::*;
use crate::seed::Seed;

/// A client with ports 1 to 3 and a listener with ports 10 and 11, ten milliseconds apart.
fn connected() -> (Layout<Toy>, SeatId, SeatId) {
    let mut layout = Layout::new(epoch(), Span::us(500), 9);
    let a = layout.seat("a", Party::Puppet(Puppet::default()));
    let b = layout.seat("b", Party::Puppet(Puppet::default()));
    layout.supply("for-a", &[a]);
    layout.supply("for-b", &[b]);
    layout.supply("for-both", &[a, b]);
    let listener = Listener { seat: b, address: ADDRESS, first: Port(10), ports: 2 };
    layout.stream("path", ((a, Port(1)), 3), listener, path(), Seed(1), scanners());
    (layout, a, b)
}

/// A bench with a connection from port 1 to port 10, at 20 ms.
fn open_bench(plan: &FaultPlan) -> (Tabletop<Toy>, SeatId, SeatId) {
    let (layout, a, b) = connected();
    let mut bench = bench(layout, plan);
    bench.stimulate(a, open(1));
    bench.run_until(us(20_000));
    (bench, a, b)
}

/// What a party notes from the time at which both know of the connection.
fn later(bench: &Tabletop<Toy>, seat: SeatId) -> Vec<(u64, String)> {
    notes(bench, seat).into_iter().skip(2).collect()
}

#[test]
fn a_connection_stands_at_the_listener_first() {
    let (bench, a, b) = open_bench(&FaultPlan::default());
    assert_eq!(notes(&bench, a), [note(0, "on"), note(20_000, "open 1")]);
    assert_eq!(notes(&bench, b), [note(0, "on"), note(10_000, "open 10 from outside")]);
}

#[test]
fn a_client_that_comes_back_on_its_port_finds_a_new_connection() {
    let (mut bench, a, b) = open_bench(&FaultPlan::default());
    bench.cut(SupplyId(0), Torn::Old);
    bench.restore(SupplyId(0));
    bench.stimulate(a, open(1));
    bench.run_until(us(40_000));
    // The listener still holds the old connection, and learns only when it uses it.
    for cue in [say(10, b"old\n"), say(11, b"new\n")] {
        bench.stimulate(b, cue);
    }
    bench.stimulate(a, say(1, b"hello\n"));
    bench.run_until(us(90_000));
    assert_eq!(
        later(&bench, b),
        [
            note(30_000, "open 11 from outside"),
            note(50_000, "got 11 hello\\n"),
            note(60_000, "closed 10 Reset"),
            note(60_000, "acked 11 4")
        ]
    );
    let back =
        [note(20_000, "on"), note(40_000, "open 1"), note(50_000, "got 1 new\\n"), note(60_000, "acked 1 6")];
    assert_eq!(later(&bench, a), back);
}

#[test]
fn a_port_that_is_opened_twice_lets_go_of_its_first_connection() {
    let (mut bench, a, b) = open_bench(&FaultPlan::default());
    bench.stimulate(a, open(1));
    bench.run_until(us(40_000));
    assert_eq!(later(&bench, b), [note(30_000, "closed 10 Reset"), note(30_000, "open 11 from outside")]);
    assert_eq!(later(&bench, a), [note(40_000, "open 1")]);
}

#[test]
fn a_listener_without_a_free_port_loses_its_oldest_connection() {
    let (mut bench, a, b) = open_bench(&FaultPlan::default());
    bench.stimulate(a, open(2));
    bench.run_until(us(40_000));
    bench.stimulate(a, open(3));
    bench.run_until(us(60_000));
    assert_eq!(
        later(&bench, b),
        [
            note(30_000, "open 11 from outside"),
            note(40_000, "closed 10 Reset"),
            note(50_000, "open 10 from outside")
        ]
    );
    assert_eq!(
        later(&bench, a),
        [note(40_000, "open 2"), note(50_000, "closed 1 Reset"), note(60_000, "open 3")]
    );
    bench.stimulate(b, say(10, b"x\n"));
    bench.run_until(us(70_000));
    assert_eq!(later(&bench, a)[3..], [note(70_000, "got 3 x\\n")]);
}

#[test]
fn a_request_that_was_taken_back_does_not_end_the_next_on_its_port() {
    let plan = plan([fate("path> connect #1", Fate::HalfOpen)]);
    let (mut bench, a, b) = open_bench(&plan);
    for cue in [close(1), open(1)] {
        bench.stimulate(a, cue);
    }
    bench.run_until(us(900_000));
    assert_eq!(notes(&bench, a)[1..], [note(40_000, "open 1")]);
    assert_eq!(notes(&bench, b)[1..], [note(30_000, "open 11 from outside")]);
}

#[test]
fn a_request_waits_out_an_outage_or_is_given_up() {
    for (span_us, expected) in
        [(199_999, note(199_999, "open 1")), (200_001, note(200_000, "closed 1 TimedOut"))]
    {
        let down = Mishap::LinkDown { link: "path".to_owned(), span: Span::us(span_us) };
        let (layout, a, _) = connected();
        let mut bench = bench(layout, &plan([mishap("path> connect #1", Moment::After, down)]));
        bench.stimulate(a, open(1));
        bench.run_until(us(900_000));
        assert_eq!(notes(&bench, a)[1..], [expected]);
    }
}

#[test]
fn a_client_on_the_listeners_supply_connects_when_both_are_back() {
    let (mut bench, a, b) = open_bench(&FaultPlan::default());
    bench.cut(SupplyId(2), Torn::Old);
    bench.run_until(us(30_000));
    bench.cut(SupplyId(1), Torn::Old);
    bench.restore(SupplyId(2));
    bench.stimulate(a, open(1));
    bench.run_until(us(40_000));
    bench.restore(SupplyId(1));
    bench.run_until(us(90_000));
    assert_eq!(later(&bench, a), [note(30_000, "on"), note(60_000, "open 1")]);
    assert_eq!(later(&bench, b), [note(40_000, "on"), note(50_000, "open 11 from outside")]);
}

#[test]
fn bytes_that_cross_a_close_are_not_heard_nor_acknowledged() {
    let (mut bench, a, b) = open_bench(&FaultPlan::default());
    bench.stimulate(b, say(10, b"late\n"));
    bench.run_until(us(25_000));
    bench.stimulate(a, say(1, b"last\n"));
    bench.stimulate(a, close(1));
    bench.run_until(us(26_000));
    // Closed, so these are not even sent.
    bench.stimulate(a, say(1, b"never\n"));
    bench.run_until(us(90_000));
    assert_eq!(later(&bench, a), []);
    assert_eq!(later(&bench, b), [note(35_000, "got 10 last\\n"), note(35_000, "closed 10 Fin")]);
    bench.stimulate(b, say(10, b"too late\n"));
    bench.stimulate(b, close(10));
    bench.run_until(us(900_000));
    let sent = bench.tape().entries().filter(|entry| matches!(entry.what, Seen::Sent { .. }));
    assert_eq!(sent.count(), 2);
    assert_eq!(
        (later(&bench, a), bench.lines[0].sizes(), bench.lines[0].link.sizes()),
        (vec![], (0, 0), (0, 0))
    );
}

#[test]
fn a_close_takes_the_beginning_of_a_unit_with_it() {
    let (mut bench, a, b) = open_bench(&FaultPlan::default());
    bench.stimulate(a, say(1, b"half"));
    bench.stimulate(a, close(1));
    bench.run_until(us(90_000));
    assert_eq!(later(&bench, b), [note(30_000, "got 10 half"), note(30_000, "closed 10 Fin")]);
    assert_eq!(
        sites(&bench)[1..],
        [(20_000, "path> part #1".to_owned()), (20_000, "path> close #1".to_owned())]
    );
}

#[test]
fn connections_of_one_path_are_scanned_apart() {
    let (mut bench, a, b) = open_bench(&FaultPlan::default());
    bench.stimulate(a, open(2));
    bench.run_until(us(40_000));
    for cue in [say(1, b"q"), say(2, b"a"), say(1, b"1\n"), say(2, b"2")] {
        bench.stimulate(a, cue);
    }
    bench.run_until(us(90_000));
    assert_eq!(later(&bench, b)[1..], [note(50_000, "got 10 q1\\n"), note(50_500, "got 11 a2")]);
}

#[test]
fn a_half_open_link_is_noticed_by_who_waits_for_an_answer() {
    let dead = Mishap::HalfOpen { link: "path".to_owned() };
    let (mut bench, a, b) = open_bench(&plan([mishap("path> ask #1", Moment::After, dead)]));
    bench.stimulate(a, say(1, b"q\n"));
    bench.run_until(us(100_000));
    bench.stimulate(a, say(1, b"q\n"));
    bench.run_until(us(2_000_000));
    assert_eq!(later(&bench, a), [note(520_000, "closed 1 TimedOut")]);
    assert_eq!(later(&bench, b), []);
    // The listener notices when it sends.
    bench.stimulate(b, say(10, b"x\n"));
    bench.run_until(us(3_000_000));
    assert_eq!(later(&bench, b), [note(2_500_000, "closed 10 TimedOut")]);
    assert_eq!((bench.lines[0].sizes(), bench.lines[0].link.sizes()), ((0, 0), (0, 0)));
}

#[test]
fn a_long_connection_outlives_the_numbers_of_the_short() {
    let (layout, a, b) = connected();
    let mut bench = Tabletop::new(layout, &FaultPlan::default(), Keep::Last(9)).unwrap();
    bench.switch_on();
    bench.stimulate(a, open(1));
    bench.run_until(us(20_000));
    for _ in 0..65_540 {
        bench.stimulate(a, open(2));
        bench.run_until(bench.now() + Span::ms(20));
        bench.stimulate(a, close(2));
        bench.run_until(bench.now() + Span::ms(10));
    }
    let now = bench.now().as_us();
    bench.stimulate(a, say(1, b"x\n"));
    bench.run_until(bench.now() + Span::ms(20));
    assert_eq!(notes(&bench, b).last(), Some(&note(now + 10_000, "got 10 x\\n")));
}
