//! Plans: several faults at one site, sites that are not reached, and what a seed and a plan decide.

use proptest::prelude::*;

use super::*;
use crate::seed::Seed;

/// Four clients and their echoes: over a line, in packets, over one connection, over a connection a question.
pub(super) fn four(in_pieces: bool) -> Layout<Toy> {
    let mut layout = Layout::new(epoch(), Span::us(500), 4);
    let mut all = Vec::new();
    for (name, reach) in
        [("line", Reach::Line), ("lan", Reach::Line), ("conn", Reach::Conn), ("conns", Reach::Conns)]
    {
        // Packets do not come in pieces.
        let client = Client::new(reach, in_pieces && name != "lan");
        let client = layout.seat(format!("client-{name}"), Party::Client(client));
        let echo = layout.seat(format!("echo-{name}"), Party::Echo(Echo::default()));
        let (from, to) = ((client, Port(1)), (echo, Port(10)));
        match name {
            "line" => layout.serial(name, from, to, slow(), scanners()),
            "lan" => layout.datagram(name, from, to, (Span::ms(1), Span::ms(4)), Seed(5), scanners()),
            _ => {
                let listener = Listener { seat: echo, address: ADDRESS, first: Port(10), ports: 3 };
                layout.stream(name, (from, 1), listener, path(), Seed(5), scanners())
            }
        };
        layout.supply(format!("client-{name}"), &[client]);
        layout.supply(format!("echo-{name}"), &[echo]);
        layout.supply(name, &[client, echo]);
        all.extend([client, echo]);
    }
    layout.supply("all", &all);
    layout
}

const RUN: Instant = Instant::from_us(1_500_000);

fn run(plan: &FaultPlan) -> Tabletop<Toy> {
    let mut bench = Tabletop::new(four(false), plan, Keep::All).unwrap();
    bench.switch_on();
    bench.run_until(RUN);
    bench
}

/// Every site that a run without faults goes through.
fn golden() -> Vec<Visit> {
    let mut bench = Tabletop::new(four(false), &FaultPlan::default(), Keep::All).unwrap();
    bench.record_visits();
    bench.switch_on();
    bench.run_until(RUN);
    bench.visits().to_vec()
}

fn any_fate() -> impl Strategy<Value = Fate> {
    let span = || (0_u64..40_000).prop_map(Span::us);
    prop_oneof![
        span().prop_map(|by| Fate::Delay { by }),
        Just(Fate::Drop),
        span().prop_map(|gap| Fate::Twice { gap }),
        span().prop_map(|behind| Fate::Reorder { behind }),
        (0_u32..32).prop_map(|bit| Fate::FlipBit { bit }),
        (0_u32..5).prop_map(|len| Fate::Truncate { len }),
        (0_u32..5, span()).prop_map(|(at, gap)| Fate::Split { at, gap }),
        span().prop_map(|within| Fate::Join { within }),
        (0_u32..5).prop_map(|at| Fate::LoseByte { at }),
        (0_u32..5, any::<u8>()).prop_map(|(at, value)| Fate::JunkByte { at, value }),
        (0_u32..5).prop_map(|at| Fate::Break { at }),
        (0_u32..5).prop_map(|from| Fate::Overrun { from }),
        span().prop_map(|span| Fate::Stall { span }),
        Just(Fate::HalfOpen),
        (0_u32..5).prop_map(|at| Fate::Fin { at }),
        (0_u32..5).prop_map(|at| Fate::Reset { at }),
        Just(Fate::Refuse),
    ]
}

fn any_mishap() -> impl Strategy<Value = Mishap> {
    let pair = || prop_oneof![Just("line"), Just("lan"), Just("conn"), Just("conns")];
    let party = || (pair(), any::<bool>()).prop_map(|(pair, echo)| party_name(pair, echo));
    let supply = prop_oneof![party(), pair().prop_map(str::to_owned), Just("all".to_owned())];
    let torn = || prop_oneof![Just(Torn::Old), Just(Torn::New), Just(Torn::Neither)];
    let span = || (0_u64..200_000).prop_map(Span::us);
    prop_oneof![
        4 => (supply, torn(), span()).prop_map(|(supply, torn, off)| Mishap::PowerCut { supply, torn, off }),
        1 => (party(), torn(), span()).prop_map(|(party, torn, off)| Mishap::Crash { party, torn, off }),
        1 => (party(), span()).prop_map(|(party, span)| Mishap::Hang { party, span }),
        1 => (pair(), (0_u64..700_000)).prop_map(|(link, span)| {
            Mishap::LinkDown { link: link.to_owned(), span: Span::us(span) }
        }),
        1 => any::<bool>().prop_map(|one| {
            Mishap::HalfOpen { link: if one { "conn" } else { "conns" }.to_owned() }
        }),
        1 => party().prop_map(|party| Mishap::StepWallClock { party, by_s: -9 }),
        1 => Just(Mishap::Modem { party: "echo-line".to_owned(), what: "stumble".to_owned() }),
    ]
}

fn party_name(pair: &str, echo: bool) -> String {
    format!("{}-{pair}", if echo { "echo" } else { "client" })
}

/// What strikes at one of the sites that the golden run visits: its place among them, and everything else.
fn any_strikes() -> impl Strategy<Value = Vec<(prop::sample::Index, Option<Fate>, Mishap, u8)>> {
    let strike = (any::<prop::sample::Index>(), prop::option::of(any_fate()), any_mishap(), 0_u8..3);
    prop::collection::vec(strike, 1..=4)
}

fn planned(sites: &[Visit], strikes: Vec<(prop::sample::Index, Option<Fate>, Mishap, u8)>) -> FaultPlan {
    let moments = [Moment::Before, Moment::Midway, Moment::After];
    let strike = |(at, fate, mishap, moment): (prop::sample::Index, Option<Fate>, Mishap, u8)| {
        let Visit { site, kind, .. } = &sites[at.index(sites.len())];
        let fate = fate.filter(|fate| kind.admits(&site.name, fate));
        let fault = fate.map_or(Fault::Mishap(mishap), Fault::Fate);
        Strike { site: site.clone(), moment: moments[usize::from(moment)], fault }
    };
    FaultPlan { strikes: strikes.into_iter().map(strike).collect() }
}

#[test]
fn any_plan_over_the_visited_sites_runs_the_same_twice() {
    let sites = golden();
    proptest!(ProptestConfig::with_cases(200), |(strikes in any_strikes())| {
        let plan = planned(&sites, strikes);
        let (once, twice) = (run(&plan), run(&plan));
        prop_assert_eq!(once.tape().digest(), twice.tape().digest());
        prop_assert_eq!(once.digest(), twice.digest());
        prop_assert_eq!(once.not_reached(), twice.not_reached());
        // A fork in the middle goes on like the bench that it was taken from.
        let mut half = Tabletop::new(four(false), &plan, Keep::All).unwrap();
        half.switch_on();
        half.run_until(us(RUN.as_us() / 2));
        let mut fork = half.clone();
        prop_assert_eq!(half.digest(), fork.digest());
        fork.run_until(RUN);
        prop_assert_eq!(once.tape().digest(), fork.tape().digest());
        prop_assert_eq!(once.digest(), fork.digest());
        // Each strike has happened, or is said not to have.
        let struck = strikes_of(&once);
        let planned = plan.strikes.len();
        let due = once.acts.iter().filter(|act| matches!(act.deed, run::Deed::Strike { .. })).count();
        prop_assert_eq!(struck + once.not_reached().len() + due, planned);
    });
}

fn strikes_of(bench: &Tabletop<Toy>) -> usize {
    strikes(bench).len()
}

#[test]
fn a_plan_whose_sites_are_not_reached_changes_nothing() {
    let sites = golden();
    let unplanned = run(&FaultPlan::default());
    assert!(unplanned.tape().len() > 1_000);
    proptest!(ProptestConfig::with_cases(60), |(strikes in any_strikes())| {
        let mut plan = planned(&sites, strikes);
        for strike in &mut plan.strikes {
            strike.site.nth += 1_000_000;
        }
        let bench = run(&plan);
        prop_assert_eq!(bench.tape().digest(), unplanned.tape().digest());
        prop_assert_eq!(bench.not_reached(), (0..plan.strikes.len()).collect::<Vec<_>>());
    });
}

#[test]
fn every_kind_of_site_is_visited_and_some_fate_strikes_each_link() {
    let sites = golden();
    for text in [
        "line> ask #1",
        "line< answer #1",
        "lan> ask #1",
        "conn> connect #1",
        "conns> close #1",
        "echo-line byte@7 #1",
        "echo-conns stop@7 #9",
        "client-lan timer #1",
    ] {
        let reached = sites.iter().any(|visit| visit.site.to_string() == text);
        assert_eq!(reached, text != "client-lan timer #1", "{text}");
    }
}

#[test]
fn several_faults_at_one_site_all_strike_but_of_two_fates_only_one() {
    let (layout, a, b) = pair();
    let site = "line> other #1";
    let plan = plan([
        fate(site, Fate::LoseByte { at: 0 }),
        fate(site, Fate::LoseByte { at: 1 }),
        mishap(site, Moment::After, hang("b", 1_000)),
        mishap(site, Moment::Midway, cut("for-a", 1_000)),
        mishap(site, Moment::Before, hang("b", 500)),
    ]);
    let mut bench = bench(layout, &plan);
    bench.stimulate(a, say(1, b"xyz\n"));
    bench.run_until(us(9_000));
    assert_eq!(strikes(&bench), [(0, 4), (0, 0), (2_000, 3), (4_000, 2)]);
    assert_eq!(bench.not_reached(), [1]);
    assert_eq!(notes(&bench, b)[1..], [note(2_000, "got 1 yz")]);
}

#[test]
fn what_a_cut_before_its_site_prevents_has_not_struck() {
    let (layout, a, _) = pair();
    let site = "line> other #1";
    let plan = plan([
        fate(site, Fate::LoseByte { at: 0 }),
        mishap(site, Moment::Before, cut("for-a", 1_000)),
        mishap(site, Moment::After, hang("b", 1_000)),
    ]);
    let mut bench = bench(layout, &plan);
    bench.stimulate(a, say(1, b"xyz\n"));
    bench.run_until(us(9_000));
    assert_eq!((strikes(&bench), bench.not_reached()), (vec![(0, 1)], vec![0, 2]));
}

#[test]
fn a_fate_that_its_site_cannot_suffer_is_not_said_to_have_struck() {
    let plan = plan([
        fate("conn> connect #1", Fate::Split { at: 1, gap: Span::ms(1) }),
        fate("conn> ask #1", Fate::Refuse),
        fate("conn> ask #2", Fate::Stall { span: Span::ms(1) }),
        fate("conns> close #2", Fate::Reset { at: 0 }),
    ]);
    assert_eq!(run(&plan).not_reached(), [0, 1]);
}

#[test]
fn a_plan_that_does_not_fit_its_bench_is_refused() {
    let refused = |strike| Tabletop::new(four(false), &plan([strike]), Keep::All).err();
    let half_open = |link: &str| Mishap::HalfOpen { link: link.to_owned() };
    let remove = Mishap::RemoveCard { link: "line".to_owned(), torn: Torn::Old };
    let stumble = |what: &str| Mishap::Modem { party: "echo-line".to_owned(), what: what.to_owned() };
    for (number, strike) in [
        mishap("conn> ask #1", Moment::Before, half_open("line")),
        mishap("conn> ask #1", Moment::Before, remove),
        mishap("conn> ask #1", Moment::Before, cut("conn-", 1)),
        mishap("conn> ask #1", Moment::Before, stumble("fall")),
        mishap("nowhere> ask #1", Moment::Before, stumble("stumble")),
        fate("line> ask #1", Fate::Drop),
        fate("echo-line byte@7 #1", Fate::FlipBit { bit: 1 }),
    ]
    .into_iter()
    .enumerate()
    {
        assert!(refused(strike).is_some(), "{number}");
    }
    assert_eq!(refused(mishap("line> ask #1", Moment::Before, half_open("conn"))), None);
    assert_eq!(refused(mishap("line> ask #1", Moment::Before, stumble("stumble"))), None);
}

#[test]
fn a_fate_fits_the_kind_of_its_site() {
    let unit = |link| SiteKind::Unit { link, len: 3 };
    let signal = |link| SiteKind::Signal { link };
    for (kind, name, fate, fits) in [
        (unit(LinkKind::Serial), "ask", Fate::Break { at: 1 }, true),
        (unit(LinkKind::Serial), "ask", Fate::Drop, false),
        (unit(LinkKind::Stream), "ask", Fate::Fin { at: 1 }, true),
        (unit(LinkKind::Stream), "ask", Fate::Refuse, false),
        (signal(LinkKind::Stream), "connect", Fate::Refuse, true),
        (signal(LinkKind::Stream), "close", Fate::Refuse, false),
        (signal(LinkKind::Stream), "close", Fate::HalfOpen, true),
        (signal(LinkKind::Pin), "high", Fate::Glitch { width: Span::us(1) }, true),
        (signal(LinkKind::Air), "high", Fate::WrongPhase, false),
        (unit(LinkKind::Air), "burst", Fate::WrongPhase, true),
        (SiteKind::Store, "byte", Fate::Drop, false),
    ] {
        assert_eq!(kind.admits(name, &fate), fits, "{kind:?} {name} {fate}");
    }
}

/// How many bytes an echo hears before its client's power is cut for good at the n-th byte that it sends.
fn heard_before_cut(link: &str, nth: u32, moment: Moment) -> usize {
    let mishap = Mishap::PowerCut { supply: format!("client-{link}"), torn: Torn::Old, off: Span::s(10) };
    let strike = Strike {
        site: format!("{link}> byte #{nth}").parse().unwrap(),
        moment,
        fault: Fault::Mishap(mishap),
    };
    let bench = run(&FaultPlan::one(strike));
    assert_eq!(bench.not_reached(), Vec::<usize>::new(), "{link} {nth} {moment:?}");
    let line = bench.line_named(link).unwrap();
    let heard = bench.tape().since(0).filter_map(|entry| match &entry.what {
        Seen::Heard { line: at, way: Way::AtoB, bytes, .. } if *at == line => Some(bytes.len()),
        _ => None,
    });
    heard.sum()
}

#[test]
fn power_is_cut_at_the_nth_byte_of_a_link() {
    for link in ["line", "conn"] {
        for nth in 1..=8 {
            let bytes = nth as usize;
            assert_eq!(heard_before_cut(link, nth, Moment::Before), bytes - 1, "{link} {nth}");
            assert_eq!(heard_before_cut(link, nth, Moment::After), bytes, "{link} {nth}");
        }
    }
    // Packets are whole or nothing, and have left when the moment has come.
    assert_eq!(heard_before_cut("lan", 4, Moment::Before), 6);
}

#[test]
fn a_byte_is_a_moment_and_suffers_no_fate() {
    let strike = Strike {
        site: "line> byte #3".parse().unwrap(),
        moment: Moment::Before,
        fault: Fault::Fate(Fate::Drop),
    };
    let Err(error) = Tabletop::new(four(false), &FaultPlan::one(strike), Keep::All) else { panic!("taken") };
    assert!(error.to_string().contains("`line> byte #3` is a moment"), "{error}");
}
