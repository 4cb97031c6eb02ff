//! Cuts: in a burst, with firmware ahead on its storage, over one another, and at the instant of an arrival.

use super::*;

/// A client and an echo on a line, with a supply each.
fn asking() -> (Layout<Toy>, SeatId, SeatId) {
    let mut layout = Layout::new(epoch(), Span::us(500), 2);
    let client = layout.seat("client", Party::Client(Client::new(Reach::Line, false)));
    let echo = layout.seat("echo", Party::Echo(Echo::default()));
    layout.supply("for-client", &[client]);
    layout.supply("for-echo", &[echo]);
    layout.serial("line", (client, Port(1)), (echo, Port(1)), slow(), scanners());
    (layout, client, echo)
}

fn records(bench: &Tabletop<Toy>, echo: SeatId) -> u64 {
    match bench.party(echo) {
        Party::Echo(echo) => echo.records,
        _ => 0,
    }
}

fn power(bench: &Tabletop<Toy>) -> Vec<(u64, u16, bool)> {
    let power = bench.tape().entries().filter_map(|entry| match entry.what {
        Seen::Power { supply, on } => Some((entry.at.as_us(), supply.0, on)),
        _ => None,
    });
    power.skip(3).collect()
}

#[test]
fn a_cut_in_a_burst_leaves_its_whole_bytes() {
    let (layout, a, b) = pair();
    let mut bench = bench(layout, &FaultPlan::default());
    bench.stimulate(a, say(1, b"xyz\n"));
    bench.run_until(us(2_500));
    bench.cut(SupplyId(0), Torn::Old);
    bench.run_until(us(9_000));
    assert_eq!(notes(&bench, b), [note(0, "on"), note(2_500, "got 1 xy")]);
}

#[test]
fn a_strike_cuts_before_midway_or_after_a_burst() {
    for (moment, heard) in [
        (Moment::Before, None),
        (Moment::Midway, Some(note(2_000, "got 1 xy"))),
        (Moment::After, Some(note(4_000, "got 1 xyz\\n"))),
    ] {
        let mut layout = pair();
        let (_, a, b) = layout;
        // A silence after each burst is not part of it, so it moves neither the middle nor the end.
        layout.0 = Layout::new(epoch(), Span::us(500), 2);
        layout.0.seat("a", Party::Puppet(Puppet::default()));
        layout.0.seat("b", Party::Puppet(Puppet::default()));
        layout.0.supply("for-a", &[a]);
        let config = crate::link::SerialConfig { burst_gap: Span::ms(50), ..slow() };
        layout.0.serial("line", (a, Port(1)), (b, Port(1)), config, scanners());
        let plan = plan([mishap("line> other #1", moment, cut("for-a", 1_000))]);
        let mut bench = bench(layout.0, &plan);
        bench.stimulate(a, say(1, b"xyz\n"));
        bench.run_until(us(90_000));
        assert_eq!(notes(&bench, b).into_iter().nth(1), heard, "{moment:?}");
        let sent = bench.tape().entries().any(|entry| matches!(entry.what, Seen::Sent { .. }));
        assert_eq!(sent, moment != Moment::Before);
    }
}

#[test]
fn a_cut_comes_before_what_arrives_at_the_same_instant() {
    for (supply, heard) in [("for-b", None), ("for-a", Some(note(3_000, "got 1 xy\\n")))] {
        let (layout, a, b) = pair();
        let plan = plan([mishap("line> other #1", Moment::After, cut(supply, 1_000))]);
        let mut bench = bench(layout, &plan);
        bench.stimulate(a, say(1, b"xy\n"));
        bench.run_until(us(3_999));
        assert_eq!(notes(&bench, b).into_iter().nth(1), heard);
    }
}

#[test]
fn a_party_is_on_again_when_the_last_of_its_cuts_ends() {
    let (layout, a, b) = pair();
    let mut bench = bench(layout, &FaultPlan::default());
    for (at, supply, on) in [
        (1_000, 0, false),
        (2_000, 2, false),
        (2_500, 2, false),
        (3_000, 0, true),
        (3_500, 2, true),
        (4_000, 2, true),
        (5_000, 2, true),
    ] {
        bench.run_until(us(at));
        if on {
            bench.restore(SupplyId(supply));
        } else {
            bench.cut(SupplyId(supply), Torn::Old);
        }
    }
    bench.run_until(us(9_000));
    for seat in [a, b] {
        assert_eq!(notes(&bench, seat), [note(0, "on"), note(4_000, "on")]);
        assert!(matches!(bench.party(seat), Party::Puppet(Puppet { cuts: 1, .. })));
    }
    assert_eq!(power(&bench), [(1_000, 0, false), (2_000, 2, false), (3_000, 0, true), (4_000, 2, true)]);
}

#[test]
fn a_crash_and_a_cut_of_one_party_both_have_to_end() {
    let (layout, a, _) = pair();
    let crash = Mishap::Crash { party: "a".to_owned(), torn: Torn::Old, off: Span::us(5_000) };
    let plan = plan([
        mishap("a timer #1", Moment::Before, crash),
        mishap("b timer #1", Moment::Before, cut("for-a", 8_000)),
    ]);
    let mut bench = bench(layout, &plan);
    bench.stimulate(a, Cue::Timer(1_000));
    bench.stimulate(SeatId(1), Cue::Timer(2_000));
    bench.run_until(us(20_000));
    assert_eq!(notes(&bench, a), [note(0, "on"), note(10_000, "on")]);
}

#[test]
fn a_party_stays_off_until_it_is_switched_on_and_while_it_is_cut() {
    let (layout, a, b) = pair();
    let mut bench = Tabletop::new(layout, &FaultPlan::default(), Keep::All).unwrap();
    bench.stimulate(b, Cue::Timer(10));
    bench.cut(SupplyId(0), Torn::Old);
    bench.run_until(us(100));
    bench.switch_on();
    bench.switch_on();
    bench.run_until(us(200));
    assert_eq!((notes(&bench, a), notes(&bench, b)), (vec![], vec![note(100, "on")]));
    bench.restore(SupplyId(0));
    assert_eq!(notes(&bench, a), [note(200, "on")]);
}

#[test]
fn firmware_that_runs_ahead_is_walked_back_and_asked_again() {
    // The question takes 3 ms; its byte is stored at 3.1 ms, its STOP comes at 3.2 ms, then the answer leaves.
    let (layout, ..) = asking();
    let mut golden = bench(layout, &FaultPlan::default());
    golden.run_until(us(6_300));
    let first = |at, site: &str| (at, site.to_owned());
    assert_eq!(
        sites(&golden),
        [
            first(0, "line> ask #1"),
            first(3_100, "echo byte@7 #1"),
            first(3_200, "echo stop@7 #1"),
            first(3_200, "line< answer #1"),
            first(6_200, "line> ask #2"),
        ]
    );
    let (layout, _, echo) = asking();
    let plan = plan([
        mishap("echo byte@7 #1", Moment::Midway, cut("for-echo", 1_000)),
        // The cut at the byte prevents the STOP, so the first STOP is that of the repeated question.
        mishap("echo stop@7 #1", Moment::After, cut("for-echo", 1_000)),
    ]);
    let mut bench = bench(layout, &plan);
    bench.run_until(us(3_100));
    assert_eq!((strikes(&bench), records(&bench, echo)), (vec![(3_100, 0)], 0));
    bench.run_until(us(90_000));
    assert_eq!((strikes(&bench), records(&bench, echo)), (vec![(3_100, 0), (83_201, 1)], 1));
    let after = [
        first(80_000, "client timer #1"),
        first(80_000, "line> ask #2"),
        first(83_100, "echo byte@7 #2"),
        first(83_200, "echo stop@7 #1"),
        first(83_200, "line< answer #1"),
    ];
    assert_eq!(sites(&bench)[2..], after);
}

#[test]
fn sites_are_counted_alike_whether_anybody_looks_or_not() {
    let (layout, ..) = asking();
    let mut unseen = Tabletop::new(layout, &FaultPlan::default(), Keep::All).unwrap();
    unseen.switch_on();
    let (layout, ..) = asking();
    let mut seen = bench(layout, &FaultPlan::default());
    for bench in [&mut unseen, &mut seen] {
        bench.run_until(us(3_150));
        // A cut between the byte and the STOP.
        bench.cut(SupplyId(1), Torn::Old);
        bench.restore(SupplyId(1));
        bench.run_until(us(400_000));
    }
    assert_eq!(unseen.tape().digest(), seen.tape().digest());
    // A byte before the cut, and one at 83.1 ms and every 6.2 ms from then on.
    for (kind, count) in [("byte", 53), ("stop", 52)] {
        let counted = |bench: &Tabletop<Toy>| {
            let waiting = bench.seats[1].steps.iter().filter(|step| step.kind == kind).count();
            bench.census.counted(1, None, kind, Some(7)) as usize + waiting
        };
        assert_eq!((counted(&unseen), counted(&seen)), (count, count));
    }
    assert!(seen.seats[1].steps.is_empty());
}

#[test]
fn a_cut_at_the_stop_leaves_what_is_planned() {
    for (torn, stored) in [(Torn::Old, 0), (Torn::New, 1)] {
        let (layout, _, echo) = asking();
        let mishap = Mishap::PowerCut { supply: "for-echo".to_owned(), torn, off: Span::ms(1) };
        let strike = Strike {
            site: "echo stop@7 #1".parse().unwrap(),
            moment: Moment::Before,
            fault: Fault::Mishap(mishap),
        };
        let mut bench = bench(layout, &plan([strike]));
        bench.run_until(us(50_000));
        assert_eq!((strikes(&bench), records(&bench, echo)), (vec![(3_200, 0)], stored));
        assert!(!sites(&bench).contains(&(3_200, "line< answer #1".to_owned())));
    }
}

#[test]
fn storage_steps_happen_in_the_order_of_their_times() {
    let (layout, a, _) = pair();
    let mut bench = bench(layout, &FaultPlan::default());
    // A write cycle is still to end when the next input stores something else.
    for cue in [Cue::Store(5_000, "cycle", 1), Cue::Store(1_000, "byte", 2), Cue::Store(5_000, "cycle", 3)] {
        bench.stimulate(a, cue);
    }
    bench.run_until(us(9_000));
    let step = |at, site: &str| (at, site.to_owned());
    assert_eq!(
        sites(&bench),
        [step(1_000, "a byte@2 #1"), step(5_000, "a cycle@1 #1"), step(5_000, "a cycle@3 #1")]
    );
}

#[test]
fn the_middle_of_a_burst_that_waits_for_the_line_is_its_own() {
    let mut layout = Layout::new(epoch(), Span::us(500), 2);
    let a = layout.seat("a", Party::Puppet(Puppet::default()));
    let b = layout.seat("b", Party::Puppet(Puppet::default()));
    layout.supply("for-a", &[a]);
    let config = crate::link::SerialConfig { burst_gap: Span::ms(50), ..slow() };
    layout.serial("line", (a, Port(1)), (b, Port(1)), config, scanners());
    let plan = plan([mishap("line> other #2", Moment::Midway, cut("for-a", 1_000))]);
    let mut bench = bench(layout, &plan);
    bench.stimulate(a, say(1, b"x\n"));
    bench.stimulate(a, say(1, b"xyz\n"));
    bench.run_until(us(90_000));
    assert_eq!(notes(&bench, b)[1..], [note(2_000, "got 1 x\\n"), note(54_000, "got 1 xy")]);
}
