//! The differential: tabletop against world, under drawn plans, and with a planted difference.

use assay_conformance::differential::{
    Comparison, Disagreement, Tally, WITHIN_MAX_PERCENT, compare, plans, render_side_by_side, run_on_tabletop,
};
use assay_conformance::explore::Space;
use assay_conformance::interrupt::Stop;
use assay_conformance::rig_bench::Bench;
use assay_conformance::shrink::shrink;
use assay_conformance::suite;
use assay_conformance::system::System;
use assay_conformance::trial::{Design, Run, Trial};
use assay_conformance::work::in_order;
use assay_sim::fault::{FaultPlan, Strike};
use assay_sim::policy::PolicyName;
use assay_sim::seed::Seed;
use assay_sim::time::Span;
use assay_sim::world::TICK;

/// How many plans are compared.
const PLANS: usize = 150;

fn design() -> Design {
    Design::new(PolicyName::Hardened, Seed(0))
}

fn trial(id: &str, design: &Design) -> Trial {
    let case = suite::cases().into_iter().find(|case| case.id == id).expect("the suite has the case");
    Trial::new(case, design).expect("the case is sound")
}

fn strikes(text: &str) -> Vec<Strike> {
    #[derive(serde::Deserialize)]
    struct File {
        strike: Vec<Strike>,
    }
    toml::from_str::<File>(text).expect("the plan reads").strike
}

fn side_by_side(plan: &FaultPlan, found: &Disagreement, runs: [&Run; 2], names: [&str; 2]) -> String {
    let benches = runs.map(|run| &run.outcome.as_ref().expect("the run came to its end").bench);
    render_side_by_side(found, benches.map(|bench| &*bench.tape), plan, names)
}

/// Every plan of a sample on both benches; disagreements that are known are counted and no more.
#[expect(clippy::print_stdout, reason = "how many were not compared is part of the result")]
fn agrees(system: System, seed: Seed, known: fn(&Disagreement) -> bool) -> Tally {
    let stop = Stop::default();
    let sample = plans(system, &design(), seed, PLANS, &stop).expect("the cases are sound");
    let (mut tally, mut differs) = (Tally::default(), Vec::new());
    let work = |planned: &assay_conformance::differential::Planned| {
        let id = planned.case.id;
        let trial = trial(id, &design());
        let tabletop = run_on_tabletop(&trial, &planned.plan, &stop);
        let world = Bench::World.run(&trial, &planned.plan, &stop);
        compare(&tabletop, &world, TICK)
    };
    in_order(&sample, &stop, work, |at, found| {
        tally.count(&found);
        let wrong = match &found {
            Comparison::Differ(found) => !known(found),
            Comparison::Broken(_) => true,
            Comparison::Agree | Comparison::Within(_) => false,
        };
        if wrong {
            differs.push(format!("{}: {} {found:?}", sample[at].case.id, sample[at].plan.words().join(" ")));
        }
    });
    println!("{}: {tally}", system.as_str());
    assert!(differs.is_empty(), "{}", differs.join("\n"));
    tally
}

/// The systems that are compared in everything.
const COMPARED: [System; 3] = [System::Water, System::Modem, System::Pos];

/// Deviations that are known: a connection that is left half-open by its first message is heard of on one bench only,
/// and an answer of the platform may differ behind a crash of the client. What the client sends is the same in every
/// plan.
#[test]
fn tabletop_and_world_agree_on_what_a_payment_client_sends() {
    let known = |found: &Disagreement| {
        found.place == "connection 1 of pay>" || found.place == "what is sent over pay<"
    };
    let tally = agrees(System::Payments, Seed(1), known);
    assert_eq!((tally.plans(), tally.broken), (PLANS as u64, 0));
    assert!(tally.within * 100 <= tally.plans() * WITHIN_MAX_PERCENT && tally.differed <= 3, "{tally}");
}

/// A limit that is known: in every run of this system something comes within a tick of something else, so that its
/// benches are held against each other by the cases alone, each of which runs on both.
#[test]
fn plans_of_the_scan_to_pay_system_are_within_granularity() {
    let stop = Stop::default();
    let sample = plans(System::Paymod, &design(), Seed(1), 20, &stop).expect("the cases are sound");
    let close = |planned: &assay_conformance::differential::Planned| {
        let run = run_on_tabletop(&trial(planned.case.id, &design()), &planned.plan, &stop);
        run.outcome.is_some_and(|outcome| outcome.bench.margin.is_some_and(|margin| margin.is_within(TICK)))
    };
    assert!(sample.iter().all(close));
    assert_eq!(COMPARED.len() + 2, System::ALL.len(), "payments and this one have tests of their own");
}

#[test]
fn tabletop_and_world_agree() {
    for system in COMPARED {
        let tally = agrees(system, Seed(1), |_| false);
        assert_eq!(tally.plans(), PLANS as u64);
        assert!(tally.is_good(), "{tally}");
    }
}

/// What the margin is for: with a tick of a second nearly nothing could be compared.
#[test]
fn the_margin_grows_with_the_tick() {
    let stop = Stop::default();
    let sample = plans(System::Water, &design(), Seed(1), 60, &stop).unwrap();
    let within = |tick: Span| {
        let close = |planned: &&assay_conformance::differential::Planned| {
            let run = run_on_tabletop(&trial(planned.case.id, &design()), &planned.plan, &stop);
            run.outcome.unwrap().bench.margin.is_some_and(|margin| margin.is_within(tick))
        };
        sample.iter().filter(close).count()
    };
    let counts = [Span::ZERO, Span::ms(10), Span::ms(100), Span::s(1)].map(within);
    assert_eq!(counts[0], 0);
    assert!(counts.is_sorted() && counts[1] < 6 && counts[3] > 30, "{counts:?}");
}

/// The recording is no part of the run.
#[test]
fn recording_the_margin_changes_no_tape() {
    let stop = Stop::default();
    for planned in plans(System::Water, &design(), Seed(2), 20, &stop).unwrap() {
        let trial = trial(planned.case.id, &design());
        let recorded = run_on_tabletop(&trial, &planned.plan, &stop);
        let plain = trial.run(&planned.plan, assay_sim::tape::Keep::All, &stop);
        assert_eq!(recorded.tape_digest(), plain.tape_digest());
        let digests = [recorded, plain].map(|run| run.outcome.unwrap().digest);
        assert_eq!(digests[0], digests[1]);
    }
}

#[test]
fn the_same_seed_draws_the_same_plans() {
    let stop = Stop::default();
    let drawn = |seed| {
        let sample = plans(System::Water, &design(), Seed(seed), 25, &stop).unwrap();
        sample.into_iter().map(|planned| (planned.case.id, planned.plan)).collect::<Vec<_>>()
    };
    assert_eq!(drawn(3), drawn(3));
    assert_ne!(drawn(3), drawn(4));
    let faults = |plan: &FaultPlan| plan.strikes.len();
    let pairs = drawn(3).iter().filter(|(_, plan)| faults(plan) == 2).count();
    assert_eq!(pairs, 5);
}

/// One of two servers counts a repeated upload twice: found, made small, and shown.
#[test]
fn a_planted_difference_is_found_shrunk_and_shown() {
    let stop = Stop::default();
    let mutant = suite::mutants().into_iter().find(|mutant| mutant.name == "server-closes-again").unwrap();
    let sound = trial("water/topup/clean", &design());
    let planted = trial("water/topup/clean", &design().mutated(mutant));
    let plan = FaultPlan {
        strikes: strikes(
            r#"
            [[strike]]
            site = "uart-a> AT+CSQ #1"
            fault = { fate = "flip-bit", bit = 9 }
            [[strike]]
            site = "gprs-a< upload-answer #1"
            fault = { fate = "delay", by = "90 s" }
            [[strike]]
            site = "voice-line-a> text #2"
            fault = { fate = "lose-byte", at = 3 }
            "#,
        ),
    };
    let runs =
        |plan: &FaultPlan| [run_on_tabletop(&sound, plan, &stop), Bench::World.run(&planted, plan, &stop)];
    let differs = |plan: &FaultPlan| {
        let [left, right] = runs(plan);
        match compare(&left, &right, TICK) {
            Comparison::Differ(found) => Some(found),
            _ => None,
        }
    };
    assert!(differs(&plan).is_some());
    assert!(differs(&FaultPlan::default()).is_none());
    let space = Space::of(&sound, &stop);
    let shrunk = shrink(&plan, |strike| space.simpler(strike), |plan| differs(plan).is_some());
    let found = differs(&shrunk).expect("what is shrunk still differs");
    let [left, right] = runs(&shrunk);
    let shown =
        side_by_side(&shrunk, &found, [&left, &right], ["sound on the tabletop", "planted in the world"]);
    let text = format!("{}\n{shown}", shrunk.words().join("\n"));
    assert!(text.lines().count() <= 40 && text.lines().all(|line| line.chars().count() <= 160));
    insta::assert_snapshot!(text);
}

/// Plans on which the benches once did not agree.
#[test]
fn what_once_differed_agrees_now() {
    let stop = Stop::default();
    for (name, case, plan) in [
        (
            "who asks for a connection lets go of it before the listener has heard of it",
            "water/topup/clean",
            r#"
            [[strike]]
            site = "uart-a> AT+IPSTART #1"
            moment = "after"
            fault = { mishap = "power-cut", supply = "mcu-a", torn = "neither", off = "5 s" }
            "#,
        ),
        (
            "a connection is ended on its way to a server that has just crashed",
            "water/server-durability/order-life",
            r#"
            [[strike]]
            site = "gprs-a< order-request-answer #1"
            moment = "after"
            fault = { mishap = "crash", party = "server", torn = "neither", off = "5 s" }
            [[strike]]
            site = "gprs-a> upload #1"
            fault = { fate = "fin", at = 33 }
            "#,
        ),
    ] {
        let trial = trial(case, &design());
        let plan = FaultPlan { strikes: trial.own.strikes.iter().cloned().chain(strikes(plan)).collect() };
        let [left, right] = [run_on_tabletop(&trial, &plan, &stop), Bench::World.run(&trial, &plan, &stop)];
        assert_eq!(compare(&left, &right, TICK), Comparison::Agree, "{name}");
    }
}

/// An outage lets go of what it held, on time on any bench, and of a reset behind it, which a tick may delay.
#[test]
fn what_has_just_left_is_not_taken_to_come_with_what_was_held() {
    let stop = Stop::default();
    let trial = trial("water/server-durability/order-life", &design());
    let held = strikes(
        r#"
        [[strike]]
        site = "lan> pay #1"
        fault = { mishap = "link-down", link = "lan", span = "30 s" }
        "#,
    );
    let plan = FaultPlan { strikes: trial.own.strikes.iter().cloned().chain(held).collect() };
    let run = run_on_tabletop(&trial, &plan, &stop);
    assert!(run.outcome.unwrap().bench.margin.is_some_and(|margin| margin.is_within(TICK)));
}
