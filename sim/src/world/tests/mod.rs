//! The world, held against the tabletop: what parties note is the same in the same order, a few ticks apart at most.

mod guests;
mod packets;

use super::*;
use crate::bench::{Jumps, Paced};
use crate::fault::{Fate, Fault, Mishap, Moment, Strike, Way};
use crate::link::StreamConfig;
use crate::machine::{Close, Output, Port};
use crate::tabletop::Listener;
use crate::tabletop::tests::puppet::Puppet;
use crate::tabletop::tests::toy::{ADDRESS, Cue, Party, Toy, close, epoch, open, say, scanners, slow};

const A: SeatId = SeatId(0);
const B: SeatId = SeatId(1);

/// A tenth of a second each way.
fn path() -> StreamConfig {
    StreamConfig {
        latency_min: Span::ms(100),
        latency_max: Span::ms(100),
        connect_timeout: Span::ms(2_000),
        user_timeout: Span::ms(5_000),
    }
}

/// A client with ports 1 to 3 and a listener with ports 10 and 11, each with a supply of its own.
fn layout(path: StreamConfig) -> Layout<Toy> {
    let mut layout = Layout::new(epoch(), Span::us(500), 9);
    let a = layout.seat("a", Party::Puppet(Puppet::default()));
    let b = layout.seat("b", Party::Puppet(Puppet::default()));
    layout.supply("for-a", &[a]);
    layout.supply("for-b", &[b]);
    let listener = Listener { seat: b, address: ADDRESS, first: Port(10), ports: 2 };
    layout.stream("path", ((a, Port(1)), 3), listener, path, Seed(1), scanners());
    layout
}

/// What is done, and when, in milliseconds.
#[derive(Clone)]
enum Act {
    Tell(SeatId, Cue),
    Cut(u16),
    Restore(u16),
}

fn perform(mut bench: Box<dyn Bench<Toy>>, script: &[(u64, Act)], end_ms: u64) -> Remains<Toy> {
    bench.switch_on();
    for (at, act) in script {
        while bench.step(Instant::from_us(at * 1_000)).unwrap() {}
        match act.clone() {
            Act::Tell(seat, cue) => bench.stimulate(seat, cue),
            Act::Cut(supply) => bench.cut(SupplyId(supply), Torn::Old),
            Act::Restore(supply) => bench.restore(SupplyId(supply)),
        }
    }
    while bench.step(Instant::from_us(end_ms * 1_000)).unwrap() {}
    bench.remains()
}

fn on_table(layout: Layout<Toy>, plan: &FaultPlan) -> Box<dyn Bench<Toy>> {
    Box::new(Paced { table: Tabletop::new(layout, plan, Keep::All).unwrap(), pace: Jumps })
}

fn in_world(layout: Layout<Toy>, plan: &FaultPlan) -> Box<dyn Bench<Toy>> {
    Box::new(World::new(layout, plan, Keep::All, Seed(1)).unwrap())
}

/// What a party notes, with the time in milliseconds.
fn notes(remains: &Remains<Toy>, seat: SeatId) -> Vec<(u64, String)> {
    let noted = remains.tape.entries().filter_map(|entry| match &entry.what {
        Seen::Noted { seat: by, event } if *by == seat => Some((entry.at.as_us() / 1_000, event.0.clone())),
        _ => None,
    });
    noted.collect()
}

/// Performs a script on both benches and holds them against each other; returns what the client and the listener note
/// on the tabletop.
fn agree(name: &str, plan: &FaultPlan, script: &[(u64, Act)], end_ms: u64) -> [Vec<(u64, String)>; 2] {
    agree_on(&layout(path()), name, plan, script, end_ms)
}

/// The same on a layout of its own.
fn agree_on(
    layout: &Layout<Toy>,
    name: &str,
    plan: &FaultPlan,
    script: &[(u64, Act)],
    end_ms: u64,
) -> [Vec<(u64, String)>; 2] {
    let table = perform(on_table(layout.clone(), plan), script, end_ms);
    let world = perform(in_world(layout.clone(), plan), script, end_ms);
    assert_eq!(table.not_reached, world.not_reached, "{name}");
    [A, B].map(|seat| {
        let (expected, found) = (notes(&table, seat), notes(&world, seat));
        let words = |notes: &[(u64, String)]| notes.iter().map(|(_, text)| text.clone()).collect::<Vec<_>>();
        assert_eq!(words(&expected), words(&found), "{name}: {expected:?} {found:?}");
        for ((table, text), (world, _)) in expected.iter().zip(&found) {
            assert!(table.abs_diff(*world) <= 50, "{name}: {text} at {table} ms and at {world} ms");
        }
        expected
    })
}

fn fate(site: &str, fate: Fate) -> FaultPlan {
    let site = site.parse().unwrap();
    FaultPlan { strikes: vec![Strike { site, moment: Moment::Before, fault: Fault::Fate(fate) }] }
}

fn mishap(site: &str, moment: Moment, mishap: Mishap) -> FaultPlan {
    let site = site.parse().unwrap();
    FaultPlan { strikes: vec![Strike { site, moment, fault: Fault::Mishap(mishap) }] }
}

fn tell(at: u64, seat: SeatId, cue: Cue) -> (u64, Act) {
    (at, Act::Tell(seat, cue))
}

/// A connection, a question, its answer, and a close.
fn talk() -> Vec<(u64, Act)> {
    vec![
        tell(5, A, open(1)),
        tell(7, B, Cue::Answer(b"answer\n")),
        tell(501, A, say(1, b"q1\n")),
        tell(1_502, A, say(1, b"q2\n")),
        tell(2_503, A, close(1)),
    ]
}

#[test]
fn a_conversation_is_the_same_on_both_benches() {
    let [client, listener] = agree("talk", &FaultPlan::default(), &talk(), 4_000);
    let words: Vec<&str> = client.iter().map(|(_, text)| text.as_str()).collect();
    let expected = ["on", "open 1", "acked 1 3", "got 1 answer\\n", "acked 1 3", "got 1 answer\\n"];
    assert_eq!(words, expected);
    let words: Vec<&str> = listener.iter().map(|(_, text)| text.as_str()).collect();
    let expected = [
        "on",
        "open 10 from outside",
        "got 10 q1\\n",
        "acked 10 7",
        "got 10 q2\\n",
        "acked 10 7",
        "closed 10 Fin",
    ];
    assert_eq!(words, expected);
}

#[test]
fn every_fate_of_a_stream_is_the_same_on_both_benches() {
    let fates = [
        Fate::Delay { by: Span::ms(700) },
        Fate::Stall { span: Span::ms(300) },
        Fate::Split { at: 1, gap: Span::ms(250) },
        Fate::HalfOpen,
        Fate::Fin { at: 1 },
        Fate::Reset { at: 2 },
    ];
    for site in ["path> ask #1", "path> ask #2", "path< answer #1", "path< answer #2"] {
        for planned in fates.clone() {
            agree(&format!("{site} {planned:?}"), &fate(site, planned), &talk(), 12_000);
        }
    }
    let signals = [
        ("path> connect #1", Fate::Refuse),
        ("path> connect #1", Fate::HalfOpen),
        ("path> connect #1", Fate::Delay { by: Span::ms(200) }),
        ("path> connect #1", Fate::Delay { by: Span::ms(2_500) }),
        ("path> close #1", Fate::HalfOpen),
        ("path> close #1", Fate::Reset { at: 0 }),
        ("path> close #1", Fate::Delay { by: Span::ms(300) }),
    ];
    for (site, planned) in signals {
        agree(&format!("{site} {planned:?}"), &fate(site, planned), &talk(), 12_000);
    }
}

#[test]
fn mishaps_at_either_end_are_the_same_on_both_benches() {
    let cut = |supply: &str, off: u64| Mishap::PowerCut {
        supply: supply.to_owned(),
        torn: Torn::Old,
        off: Span::ms(off),
    };
    let crash = |party: &str| Mishap::Crash { party: party.to_owned(), torn: Torn::Old, off: Span::ms(800) };
    let down = |ms: u64| Mishap::LinkDown { link: "path".to_owned(), span: Span::ms(ms) };
    let mishaps = [
        cut("for-a", 850),
        cut("for-b", 850),
        crash("a"),
        crash("b"),
        down(50),
        down(600),
        Mishap::HalfOpen { link: "path".to_owned() },
        Mishap::Hang { party: "b".to_owned(), span: Span::ms(400) },
    ];
    for site in ["path> connect #1", "path> ask #1", "path< answer #1", "path> ask #2", "path> close #1"] {
        for moment in [Moment::Before, Moment::After] {
            for planned in mishaps.clone() {
                let name = format!("{moment:?} {site}: {planned:?}");
                // The listener says something later on, to a peer that may be gone, and the client connects anew.
                let mut script = talk();
                script.push(tell(3_500, B, say(10, b"x\n")));
                script.push(tell(4_500, A, open(2)));
                agree(&name, &mishap(site, moment, planned), &script, 14_000);
            }
        }
    }
}

#[test]
fn a_board_that_is_cut_leaves_its_peer_half_open() {
    let script = [
        tell(0, A, open(1)),
        (500, Act::Cut(0)),
        (1_000, Act::Restore(0)),
        // Who has come back knows nothing of the connection, and says so when it is used.
        tell(2_000, B, say(10, b"x\n")),
    ];
    let [client, listener] = agree("half-open", &FaultPlan::default(), &script, 4_000);
    assert_eq!(client.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>(), ["on", "open 1", "on"]);
    assert_eq!(listener.last(), Some(&(2_200, "closed 10 Reset".to_owned())));
}

#[test]
fn bytes_for_a_board_without_power_are_answered_once_it_is_back() {
    let script =
        [tell(0, A, open(1)), (500, Act::Cut(0)), tell(600, B, say(10, b"x\n")), (1_500, Act::Restore(0))];
    let [_, listener] = agree("unread", &FaultPlan::default(), &script, 3_000);
    assert_eq!(listener.last(), Some(&(1_600, "closed 10 Reset".to_owned())));
    let never = [&script[..3], &[]].concat();
    let [_, listener] = agree("never back", &FaultPlan::default(), &never, 9_000);
    assert_eq!(listener.last(), Some(&(5_600, "closed 10 TimedOut".to_owned())));
}

#[test]
fn who_asks_a_listener_without_power_waits_for_it_or_gives_up() {
    for (back, last) in [(1_000, "open 1"), (3_000, "closed 1 TimedOut")] {
        let script = [(0, Act::Cut(1)), tell(100, A, open(1)), (back, Act::Restore(1))];
        let [client, _] = agree("silent listener", &FaultPlan::default(), &script, 4_000);
        assert_eq!(client.last().unwrap().1, last);
    }
}

#[test]
fn a_host_all_of_whose_parties_are_without_power_crashes_and_comes_back() {
    let mut world = World::new(layout(path()), &FaultPlan::default(), Keep::All, Seed(1)).unwrap();
    let run = |world: &mut World<Toy>, ms: u64| {
        while world.step(Instant::from_us(ms * 1_000)).unwrap() {}
    };
    world.switch_on();
    world.stimulate(A, open(1));
    run(&mut world, 500);
    assert!(!world.is_crashed(B));
    world.cut(SupplyId(1), Torn::Old);
    run(&mut world, 1_000);
    assert!(world.is_crashed(B) && !world.is_crashed(A));
    world.restore(SupplyId(1));
    run(&mut world, 1_100);
    assert!(!world.is_crashed(B));
    // The board is the one that it was before the crash.
    let cuts = |world: &World<Toy>| match &*world.party(B) {
        Party::Puppet(puppet) => puppet.cuts,
        other => panic!("{other:?}"),
    };
    assert_eq!(cuts(&world), 1);
    world.stimulate(A, open(2));
    run(&mut world, 2_000);
    let remains = Box::new(world).remains();
    assert_eq!(notes(&remains, B).last().unwrap().1, "open 11 from outside");
}

/// Without a supply there is nothing that could fail.
#[test]
fn a_party_that_no_supply_feeds_keeps_its_host_up() {
    let mut layout = Layout::new(epoch(), Span::us(500), 9);
    let a = layout.seat("a", Party::Puppet(Puppet::default()));
    let b = layout.seat("b", Party::Puppet(Puppet::default()));
    layout.supply("for-b", &[b]);
    let listener = Listener { seat: b, address: ADDRESS, first: Port(10), ports: 2 };
    layout.stream("path", ((a, Port(1)), 3), listener, path(), Seed(1), scanners());
    let mut world = World::new(layout, &FaultPlan::default(), Keep::All, Seed(1)).unwrap();
    world.switch_on();
    world.stimulate(a, open(1));
    while world.step(Instant::from_us(500_000)).unwrap() {
        assert!(!world.is_crashed(a) && !world.is_crashed(b));
    }
    world.stimulate(b, say(10, b"x\n"));
    while world.step(Instant::from_us(1_000_000)).unwrap() {}
    let remains = Box::new(world).remains();
    assert_eq!(notes(&remains, a).last(), Some(&(600, "got 1 x\\n".to_owned())));
}

#[test]
fn what_is_done_between_two_ticks_is_done_then() {
    let mut world = World::new(layout(path()), &FaultPlan::default(), Keep::All, Seed(1)).unwrap();
    world.switch_on();
    while world.step(Instant::from_us(12_345)).unwrap() {}
    assert_eq!(world.now(), Instant::from_us(12_345));
    world.stimulate(A, Cue::Timer(1_111));
    while world.step(Instant::from_us(40_000)).unwrap() {}
    let remains = Box::new(world).remains();
    let noted: Vec<u64> = remains
        .tape
        .entries()
        .filter_map(|entry| match &entry.what {
            Seen::Noted { seat: A, event } if event.0 == "deadline" => Some(entry.at.as_us()),
            _ => None,
        })
        .collect();
    assert_eq!(noted, [13_456]);
}

#[test]
fn what_is_done_at_one_time_is_all_sent() {
    let quick = StreamConfig { latency_min: Span::ZERO, latency_max: Span::ZERO, ..path() };
    let script = [
        tell(0, A, open(1)),
        tell(500, A, say(1, b"q1\n")),
        tell(500, A, say(1, b"q2\n")),
        tell(500, A, say(1, b"q3\n")),
    ];
    let remains = perform(in_world(layout(quick), &FaultPlan::default()), &script, 600);
    let got: Vec<(u64, String)> =
        notes(&remains, B).into_iter().filter(|(_, text)| text.starts_with("got")).collect();
    assert_eq!(got.len(), 3, "{got:?}");
    assert!(got.iter().all(|(at, _)| (500..=520).contains(at)), "{got:?}");
}

/// So many clients of one listener, each with a serial neighbour that stays on its site.
fn fleet(clients: u16) -> Layout<Toy> {
    let mut layout = Layout::new(epoch(), Span::us(500), 9);
    let server = layout.seat("server", Party::Puppet(Puppet::default()));
    layout.supply("for-server", &[server]);
    for number in 0..clients {
        let client = layout.seat(format!("client-{number}"), Party::Puppet(Puppet::default()));
        let other = layout.seat(format!("other-{number}"), Party::Puppet(Puppet::default()));
        layout.supply(format!("for-{number}"), &[client, other]);
        layout.serial(format!("line-{number}"), (client, Port(2)), (other, Port(2)), slow(), scanners());
        let listener = Listener { seat: server, address: ADDRESS, first: Port(100 + number), ports: 1 };
        layout.stream(
            format!("path-{number}"),
            ((client, Port(1)), 1),
            listener,
            path(),
            Seed(1),
            scanners(),
        );
    }
    layout
}

#[test]
fn a_fleet_shares_hosts_and_every_connection_is_told_apart() {
    let layout = fleet(50);
    let world = World::new(layout.clone(), &FaultPlan::default(), Keep::All, Seed(1)).unwrap();
    assert_eq!((world.sites.len(), world.hosts()), (51, HOSTS_MAX));
    let mut bench: Box<dyn Bench<Toy>> = Box::new(world);
    bench.switch_on();
    for number in 0..50 {
        let client = bench.seat_named(&format!("client-{number}")).unwrap();
        bench.stimulate(client, open(1));
        bench.stimulate(client, say(2, b"hello\n"));
    }
    while bench.step(Instant::from_us(500_000)).unwrap() {}
    let server = bench.seat_named("server").unwrap();
    for number in 0..50 {
        bench.stimulate(server, say(100 + number, format!("x{number}\n").as_bytes()));
    }
    while bench.step(Instant::from_us(1_000_000)).unwrap() {}
    let remains = bench.remains();
    for number in 0..50_u16 {
        let client = SeatId(1 + 2 * number);
        let got = format!("got 1 x{number}\\n");
        assert!(notes(&remains, client).iter().any(|(_, text)| *text == got), "{number}");
        let line = LineId(2 * number + 1);
        let heard = remains
            .tape
            .entries()
            .any(|entry| matches!(&entry.what, Seen::Heard { line: on, way: Way::BtoA, .. } if *on == line));
        assert!(heard, "{number}");
    }
}

#[test]
fn equal_seeds_make_equal_tapes() {
    let run = |seed: u64| {
        let uneven = StreamConfig { latency_min: Span::ms(20), ..path() };
        let world = World::new(layout(uneven), &FaultPlan::default(), Keep::All, Seed(seed)).unwrap();
        let remains = perform(Box::new(world), &talk(), 4_000);
        remains.tape.digest()
    };
    assert_eq!(run(1), run(1));
}

#[test]
fn a_reset_is_told_from_a_close() {
    let reset = |at| tell(at, A, Cue::Do(0, Output::Close { port: Port(1), how: Close::Reset }));
    let [_, listener] = agree("reset", &FaultPlan::default(), &[tell(0, A, open(1)), reset(500)], 2_000);
    assert_eq!(listener.last(), Some(&(600, "closed 10 Reset".to_owned())));
}
