//! The granularity margin: which two happenings could change places, and which could not.

use super::*;
use crate::seed::Seed;
use crate::tabletop::Happening;

/// Puppets `a` and `c` on hosts of their own, 10 and 13 ms away from `b`, and `d` on a line beside `b`.
fn spread(plan: &FaultPlan) -> (Tabletop<Toy>, [SeatId; 4]) {
    let mut layout = Layout::new(epoch(), Span::us(500), 9);
    let seats = ["a", "b", "c", "d"].map(|name| layout.seat(name, Party::Puppet(Puppet::default())));
    let [a, b, c, d] = seats;
    for (name, seat) in [("for-a", a), ("for-b", b)] {
        layout.supply(name, &[seat]);
    }
    let steady = |ms| (Span::ms(ms), Span::ms(ms));
    layout.datagram("near", (a, Port(1)), (b, Port(1)), steady(10), Seed(1), scanners());
    layout.datagram("far", (c, Port(1)), (b, Port(2)), steady(13), Seed(1), scanners());
    layout.serial("line", (d, Port(1)), (b, Port(3)), slow(), scanners());
    let mut bench = Tabletop::new(layout, plan, Keep::All).unwrap();
    bench.record_margin();
    bench.switch_on();
    (bench, seats)
}

/// The margin, as gap in microseconds, crossings, and the two happenings.
fn closest(bench: &Tabletop<Toy>) -> Option<(u64, u32, Happening, Happening)> {
    bench.margin().map(|margin| (margin.gap.as_us(), margin.hops, margin.first, margin.second))
}

#[test]
fn messages_of_two_hosts_can_change_places() {
    let (mut bench, [a, b, c, _]) = spread(&FaultPlan::default());
    bench.run_until(us(5_000_000));
    bench.stimulate(a, say(1, b"from a\n"));
    bench.stimulate(c, say(1, b"from c\n"));
    bench.run_until(us(9_000_000));
    assert_eq!(closest(&bench), Some((3_000, 1, Happening::Bytes, Happening::Bytes)));
    let margin = bench.margin().unwrap();
    assert_eq!((margin.seat, margin.at), (Some(b), us(5_010_000)));
    // One crossing each: the first comes a tick late at most, and the second no earlier.
    assert!(margin.is_within(Span::us(3_001)) && !margin.is_within(Span::us(3_000)));
}

#[test]
fn messages_of_one_source_keep_their_order() {
    let (mut bench, [a, ..]) = spread(&FaultPlan::default());
    bench.run_until(us(5_000_000));
    bench.stimulate(a, say(1, b"one\n"));
    bench.stimulate(a, say(1, b"other\n"));
    bench.run_until(us(9_000_000));
    assert_eq!(closest(&bench), None);
}

#[test]
fn an_answer_cannot_come_before_its_question() {
    let (mut bench, [a, b, ..]) = spread(&FaultPlan::default());
    bench.run_until(us(5_000_000));
    bench.stimulate(a, Cue::Answer(b"yes\n"));
    bench.run_until(us(7_000_000));
    bench.stimulate(b, say(1, b"well?\n"));
    bench.run_until(us(9_000_000));
    assert_eq!(closest(&bench), None);
}

#[test]
fn what_happens_on_a_site_keeps_its_distance() {
    let (mut bench, [a, b, _, d]) = spread(&FaultPlan::default());
    bench.stimulate(d, Cue::Answer(b"aside\n"));
    bench.run_until(us(5_000_000));
    // What comes over the line a little after the timer was set by the very act that set off what comes.
    bench.stimulate(b, Cue::Timer(8_000));
    bench.stimulate(d, say(1, b"aside\n"));
    bench.run_until(us(7_000_000));
    assert_eq!(closest(&bench), None);
    bench.stimulate(b, Cue::Timer(8_000));
    bench.stimulate(a, say(1, b"from a\n"));
    bench.run_until(us(9_000_000));
    assert_eq!(closest(&bench), Some((2_000, 1, Happening::Deadline, Happening::Bytes)));
}

#[test]
fn a_power_cut_and_what_just_comes_can_change_places() {
    for (cut_us, first, second) in
        [(5_012_000, Happening::Bytes, Happening::Power), (5_008_000, Happening::Power, Happening::Bytes)]
    {
        let (mut bench, [a, ..]) = spread(&FaultPlan::default());
        bench.run_until(us(5_000_000));
        bench.stimulate(a, say(1, b"from a\n"));
        bench.run_until(us(cut_us));
        bench.cut(SupplyId(1), Torn::Old);
        bench.run_until(us(9_000_000));
        let (gap, _, one, other) = closest(&bench).unwrap();
        assert_eq!((gap, one, other), (2_000, first, second));
    }
}
