//! A long run needs no more memory than a short one, and a digest tells states apart.

use super::*;

/// How much the bench has in hand, apart from its tape.
fn in_hand(bench: &Tabletop<Toy>) -> usize {
    let lines = bench.lines.iter().map(|line| {
        let ((pending, known), (conns, held)) = (line.link.sizes(), line.sizes());
        pending + known + conns + held
    });
    let seats = bench.seats.iter().map(|seat| seat.outbox.len() + seat.inbox.len() + seat.steps.len());
    let whole = [bench.acts.len(), bench.census.names_len(), bench.visits().len(), bench.exports.len()];
    lines.chain(seats).chain(whole).sum()
}

fn answers(bench: &Tabletop<Toy>) -> Vec<u64> {
    let of = |seat: &seat::Seat<Toy>| match &seat.board {
        Party::Client(client) => Some(client.answers),
        _ => None,
    };
    bench.seats.iter().filter_map(of).collect()
}

#[test]
fn a_long_run_stays_small() {
    let mut bench = Tabletop::new(plans::four(true), &FaultPlan::default(), Keep::Last(100)).unwrap();
    bench.switch_on();
    bench.run_until(us(5_000_000));
    let early = in_hand(&bench);
    let mut most = early;
    // A cut now and then leaves connections half-open at their other end.
    for round in 0..600_u64 {
        let supply = SupplyId(u16::try_from(round % 13).unwrap());
        bench.cut(supply, Torn::Old);
        bench.run_until(bench.now() + Span::ms(30 + round % 7));
        bench.restore(supply);
        bench.run_until(bench.now() + Span::s(2));
        most = most.max(in_hand(&bench));
    }
    let answers = answers(&bench);
    assert!(answers.iter().sum::<u64>() > 100_000 && answers.iter().all(|each| *each > 5_000), "{answers:?}");
    assert!(early < 80 && most < 120, "{early} {most}");
    assert_eq!(bench.tape().entries().count(), 100);
    assert!(bench.tape().len() > 1_000_000);
}

#[test]
fn more_connections_than_there_are_numbers_are_told_apart() {
    let mut bench = Tabletop::new(plans::four(false), &FaultPlan::default(), Keep::Last(10)).unwrap();
    bench.switch_on();
    bench.run_until(us(70_000 * 45_000));
    let connections = bench.census.counted(11, Some(Way::AtoB), "connect", None);
    assert!(connections > 65_536, "{connections}");
    assert!(in_hand(&bench) < 120);
}

#[test]
fn what_has_been_leaves_no_trace_in_the_digest() {
    let (mut layout, a, b) = pair();
    layout.pin("pin", (a, Port(2)), (b, Port(2)), scanners());
    let mut bench = bench(layout, &FaultPlan::default());
    bench.run_until(us(1_000));
    let fresh = bench.digest();
    bench.stimulate(a, say(1, b"xy\n"));
    assert_ne!(bench.digest(), fresh);
    bench.run_until(us(20_000));
    assert_eq!(bench.digest(), fresh);
    bench.stimulate(a, level(2, true));
    bench.run_until(us(30_000));
    assert_ne!(bench.digest(), fresh);
    bench.stimulate(a, level(2, false));
    bench.run_until(us(40_000));
    assert_eq!(bench.digest(), fresh);
}

/// The digest of a pair to which one of these things has been done.
fn after(plan: &FaultPlan, deed: impl Fn(&mut Tabletop<Toy>, SeatId, SeatId)) -> u128 {
    let (mut layout, a, b) = pair();
    let card = layout.seat("card", Party::Puppet(Puppet::default()));
    layout.air("air", (a, Port(5)), None, Port(9), AIR, scanners());
    let listener = Listener { seat: b, address: ADDRESS, first: Port(20), ports: 4 };
    layout.stream("path", ((a, Port(20)), 4), listener, path(), crate::seed::Seed(1), scanners());
    assert_eq!(card, SeatId(2));
    let mut bench = bench(layout, plan);
    bench.stimulate(a, open(20));
    bench.stimulate(b, Cue::Busy(1_000_000, true));
    bench.run_until(us(100_000));
    deed(&mut bench, a, b);
    bench.digest()
}

#[test]
fn every_part_of_a_bench_shows_in_its_digest() {
    let none = FaultPlan::default();
    let far = |nth: u32| plan([mishap(&format!("line> other #{nth}"), Moment::Before, hang("a", 9))]);
    let pull = |bench: &mut Tabletop<Toy>| bench.plug(LineId(1), SeatId(2));
    let digests = [
        after(&none, |_, _, _| {}),
        // Held bytes, with different rests of patience.
        after(&none, |bench, a, _| bench.stimulate(a, say(1, b"x"))),
        after(&none, |bench, a, _| bench.stimulate(a, say(1, b"y"))),
        after(&none, |bench, a, _| {
            bench.stimulate(a, say(1, b"x"));
            bench.run_until(us(100_100));
        }),
        after(&none, |bench, a, _| bench.stimulate(a, say(20, b"x"))),
        // Connections and closes.
        after(&none, |bench, a, _| bench.stimulate(a, open(21))),
        after(&none, |bench, a, _| bench.stimulate(a, close(20))),
        // What is still to leave.
        after(&none, |bench, a, _| bench.stimulate(a, Cue::Do(9, Output::Event(Note("p".to_owned()))))),
        after(&none, |bench, a, _| bench.stimulate(a, Cue::Do(9, Output::Event(Note("q".to_owned()))))),
        after(&none, |bench, a, _| {
            bench.stimulate(a, Cue::Do(9, Output::Close { port: Port(20), how: Close::Fin }));
        }),
        after(&none, |bench, a, _| {
            bench.stimulate(a, Cue::Do(9, Output::Close { port: Port(20), how: Close::Reset }));
        }),
        after(&none, |bench, a, _| bench.stimulate(a, Cue::Store(9, "byte", 1))),
        after(&none, |bench, a, _| bench.stimulate(a, Cue::Store(9, "byte", 2))),
        // What waits for a busy party.
        after(&none, |bench, _, b| bench.stimulate(b, Cue::Timer(1))),
        after(&none, |bench, a, _| {
            bench.stimulate(a, close(20));
            bench.run_until(us(150_000));
        }),
        after(&none, |bench, a, _| {
            bench.stimulate(a, say(1, b"x\n"));
            bench.run_until(us(150_000));
        }),
        after(&none, |bench, a, _| {
            bench.stimulate(a, say(1, b"y\n"));
            bench.run_until(us(150_000));
        }),
        // A card, and power.
        after(&none, |bench, _, _| pull(bench)),
        after(&none, |bench, _, _| bench.cut(SupplyId(0), Torn::Old)),
        // Strikes to come, by how far away they are.
        after(&far(1), |_, _, _| {}),
        after(&far(2), |_, _, _| {}),
    ];
    for (at, one) in digests.iter().enumerate() {
        for (other_at, other) in digests.iter().enumerate().skip(at + 1) {
            assert_ne!(one, other, "{at} {other_at}");
        }
    }
    // A strike that can no longer happen is no part of the state, and neither is the way to a site.
    let say_x = |bench: &mut Tabletop<Toy>, a: SeatId, _: SeatId| {
        bench.stimulate(a, say(1, b"x\n"));
        bench.run_until(us(110_000));
    };
    assert_eq!(after(&far(2), say_x), after(&far(2), say_x));
    assert_ne!(after(&far(2), say_x), after(&far(3), say_x));
}
