//! Packet paths, on both benches.

use super::*;

/// Two parties and a packet path of 80 to 120 ms; `c` shares a host with nobody either.
fn packets() -> Layout<Toy> {
    let mut layout = Layout::new(epoch(), Span::us(500), 9);
    let a = layout.seat("a", Party::Puppet(Puppet::default()));
    let b = layout.seat("b", Party::Puppet(Puppet::default()));
    let c = layout.seat("c", Party::Puppet(Puppet::default()));
    layout.supply("for-a", &[a]);
    layout.supply("for-b", &[b]);
    layout.supply("for-c", &[c]);
    let latency = (Span::ms(80), Span::ms(120));
    layout.datagram("path", (a, Port(1)), (b, Port(1)), latency, Seed(1), scanners());
    layout.datagram("other", (c, Port(1)), (b, Port(2)), latency, Seed(1), scanners());
    layout
}

fn questions() -> Vec<(u64, Act)> {
    vec![
        tell(7, B, Cue::Answer(b"answer\n")),
        tell(501, A, say(1, b"q1\n")),
        tell(1_502, A, say(1, b"q2\n")),
        tell(2_003, B, say(Port::BROADCAST.0, b"x\n")),
        tell(2_504, SeatId(2), say(1, b"q3\n")),
        tell(2_505, A, say(1, b"q3\n")),
    ]
}

#[test]
fn questions_and_answers_are_the_same_on_both_benches() {
    let [a, b] = agree_on(&packets(), "talk", &FaultPlan::default(), &questions(), 4_000);
    let words = |notes: &[(u64, String)]| notes.iter().map(|(_, text)| text.clone()).collect::<Vec<_>>();
    let answer = "got 1 answer\\n";
    assert_eq!(words(&a), ["on", answer, answer, "got 1 x\\n", answer]);
    assert_eq!(words(&b).len(), 5, "{b:?}");
    // A path slower than a tick is exact.
    let table = perform(on_table(packets(), &FaultPlan::default()), &questions(), 4_000);
    let world = perform(in_world(packets(), &FaultPlan::default()), &questions(), 4_000);
    for seat in [A, B, SeatId(2)] {
        assert_eq!(notes(&table, seat), notes(&world, seat));
    }
}

#[test]
fn every_fate_of_a_packet_is_the_same_on_both_benches() {
    let fates = [
        Fate::Drop,
        Fate::Delay { by: Span::ms(700) },
        Fate::Reorder { behind: Span::ms(1_100) },
        Fate::Twice { gap: Span::ms(150) },
        Fate::Truncate { len: 1 },
        Fate::FlipBit { bit: 3 },
    ];
    for site in ["path> ask #1", "path> ask #2", "path< answer #1", "path< answer #2"] {
        for planned in fates.clone() {
            let name = format!("{site} {planned:?}");
            agree_on(&packets(), &name, &fate(site, planned), &questions(), 6_000);
        }
    }
}

#[test]
fn mishaps_around_packets_are_the_same_on_both_benches() {
    let cut = |supply: &str, off: u64| Mishap::PowerCut {
        supply: supply.to_owned(),
        torn: Torn::Old,
        off: Span::ms(off),
    };
    let crash = |party: &str| Mishap::Crash { party: party.to_owned(), torn: Torn::Old, off: Span::ms(800) };
    let down = |ms: u64| Mishap::LinkDown { link: "path".to_owned(), span: Span::ms(ms) };
    let mishaps =
        [cut("for-a", 850), cut("for-b", 850), crash("a"), crash("b"), down(5), down(50), down(600)];
    for site in ["path> ask #1", "path< answer #1", "path> ask #2", "path< answer #2"] {
        for moment in [Moment::Before, Moment::After] {
            for planned in mishaps.clone() {
                let name = format!("{moment:?} {site}: {planned:?}");
                let mut script = questions();
                script.push(tell(3_500, B, say(1, b"x\n")));
                script.push(tell(4_500, A, say(1, b"q4\n")));
                agree_on(&packets(), &name, &mishap(site, moment, planned), &script, 6_000);
            }
        }
    }
}
