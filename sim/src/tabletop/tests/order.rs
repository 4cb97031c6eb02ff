//! What comes first at one instant, and what a party finds that was busy or hung.

use super::*;

#[test]
fn an_arrival_comes_before_a_deadline_of_the_same_instant_and_not_of_an_earlier() {
    for (timer_us, expected) in [
        (2_999, [note(2_999, "deadline"), note(3_000, "got 1 xy\\n")]),
        (3_000, [note(3_000, "got 1 xy\\n"), note(3_000, "deadline")]),
    ] {
        let (layout, a, b) = pair();
        let mut bench = bench(layout, &FaultPlan::default());
        bench.stimulate(b, Cue::Timer(timer_us));
        bench.stimulate(a, say(1, b"xy\n"));
        bench.run_until(us(9_000));
        assert_eq!(notes(&bench, b)[1..], expected);
    }
}

#[test]
fn parties_with_one_deadline_meet_it_in_the_order_of_the_layout() {
    let (layout, a, b) = pair();
    let mut bench = bench(layout, &FaultPlan::default());
    bench.stimulate(b, Cue::Timer(50));
    bench.stimulate(a, Cue::Timer(50));
    bench.run_until(us(50));
    assert_eq!(sites(&bench), [(50, "a timer #1".to_owned()), (50, "b timer #1".to_owned())]);
}

#[test]
fn a_busy_party_finds_what_it_missed_in_the_order_in_which_it_came() {
    for (timer_us, expected) in [
        (2_999, [note(10_000, "deadline"), note(11_000, "got 1 xy\\n")]),
        (3_000, [note(10_000, "got 1 xy\\n"), note(11_000, "deadline")]),
    ] {
        let (layout, a, b) = pair();
        let mut bench = bench(layout, &FaultPlan::default());
        for cue in [Cue::Timer(timer_us), Cue::Busy(1_000, false), Cue::Busy(10_000, true)] {
            bench.stimulate(b, cue);
        }
        bench.stimulate(a, say(1, b"xy\n"));
        bench.run_until(us(20_000));
        assert_eq!(notes(&bench, b)[1..], expected);
    }
}

#[test]
fn a_full_buffer_loses_bytes_and_no_levels() {
    let (mut layout, a, b) = pair();
    layout.pin("pin", (a, Port(2)), (b, Port(2)), scanners());
    let mut bench = bench(layout, &FaultPlan::default());
    bench.stimulate(b, Cue::Busy(10_000, true));
    for cue in [say(1, b"x\n"), say(1, b"y\n"), say(1, b"z\n")] {
        bench.stimulate(a, cue);
    }
    bench.run_until(us(7_000));
    bench.stimulate(a, level(2, true));
    bench.run_until(us(9_999));
    assert_eq!(notes(&bench, b), [note(0, "on")]);
    bench.run_until(us(20_000));
    let late = |text| note(10_000, text);
    assert_eq!(notes(&bench, b)[1..], [late("got 1 x\\n"), late("got 1 y\\n"), late("level 2 true")]);
    let overruns = bench.tape().entries().filter(|entry| matches!(entry.what, Seen::Overrun { .. }));
    assert_eq!(overruns.map(|entry| entry.at.as_us()).collect::<Vec<_>>(), [6_000]);
}

#[test]
fn a_hung_party_does_nothing_and_meets_each_deadline_once() {
    let (layout, a, b) = pair();
    let plan = plan([
        mishap("b timer #1", Moment::Before, hang("b", 5_000)),
        // A second hang that ends earlier changes nothing.
        mishap("line> other #1", Moment::After, hang("b", 1_000)),
    ]);
    let mut bench = bench(layout, &plan);
    bench.stimulate(b, Cue::Timer(1_000));
    bench.stimulate(b, say_in(500, 1, b"w\n"));
    bench.stimulate(a, say(1, b"xy\n"));
    bench.run_until(us(5_999));
    assert_eq!((notes(&bench, b), strikes(&bench)), (vec![note(0, "on")], vec![(1_000, 0), (3_000, 1)]));
    bench.run_until(us(20_000));
    assert_eq!(notes(&bench, b)[1..], [note(6_000, "deadline"), note(6_000, "got 1 xy\\n")]);
    let timers: Vec<_> = sites(&bench).into_iter().filter(|(_, site)| site.starts_with("b timer")).collect();
    assert_eq!(timers, [(1_000, "b timer #1".to_owned())]);
}

#[test]
fn a_hung_party_sends_when_it_comes_to() {
    let (layout, a, b) = pair();
    let plan = plan([mishap("a timer #1", Moment::Before, hang("a", 5_000))]);
    let mut bench = bench(layout, &plan);
    bench.stimulate(a, Cue::Timer(1_000));
    bench.stimulate(a, say_in(2_000, 1, b"x\n"));
    bench.run_until(us(20_000));
    // The party was busy until 2 ms, so it met its deadline and hung then; what had been stamped left before.
    assert_eq!(notes(&bench, b)[1..], [note(4_000, "got 1 x\\n")]);
    assert_eq!(notes(&bench, a)[1..], [note(7_000, "deadline")]);
}

#[test]
fn outputs_of_a_hung_party_wait() {
    let (layout, a, b) = pair();
    let plan = plan([mishap("b timer #1", Moment::Before, hang("a", 5_000))]);
    let mut bench = bench(layout, &plan);
    bench.stimulate(b, Cue::Timer(1_000));
    bench.stimulate(a, say_in(2_000, 1, b"x\n"));
    bench.run_until(us(20_000));
    assert_eq!(notes(&bench, b)[1..], [note(1_000, "deadline"), note(8_000, "got 1 x\\n")]);
}

#[test]
fn a_party_without_power_does_not_hang() {
    let (layout, a, _) = pair();
    let plan = plan([
        mishap("b timer #1", Moment::Before, cut("for-a", 1_000)),
        mishap("b timer #1", Moment::Before, hang("a", 50_000)),
    ]);
    let mut bench = bench(layout, &plan);
    bench.stimulate(SeatId(1), Cue::Timer(1_000));
    bench.run_until(us(3_000));
    bench.stimulate(a, Cue::Timer(1_000));
    bench.run_until(us(4_000));
    assert_eq!(notes(&bench, a), [note(0, "on"), note(2_000, "on"), note(4_000, "deadline")]);
}
