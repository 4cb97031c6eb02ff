//! Shrinking: a failing run of many faults becomes the smallest that still fails the same requirement.

#[path = "shrink/answers_lost.rs"]
mod answers_lost;

use assay_conformance::case::Case;
use assay_conformance::explore::Space;
use assay_conformance::interrupt::Stop;
use assay_conformance::replay::Replay;
use assay_conformance::rig_bench::Bench;
use assay_conformance::shrink::{ShrinkError, Shrunk, smallest};
use assay_conformance::suite;
use assay_conformance::trial::{Design, Trial};
use assay_sim::fault::{FaultPlan, Strike};
use assay_sim::policy::PolicyName;
use assay_sim::seed::Seed;
use assay_sim::time::{Instant, Span};

fn case(id: &str) -> Case {
    suite::cases().into_iter().find(|case| case.id == id).expect("the suite has the case")
}

fn replay(id: &str, policy: PolicyName, strikes: Vec<Strike>) -> Replay {
    let design = Design::new(policy, Seed(0));
    let (tape_digest, violates) = (String::new(), Vec::new());
    let plan = FaultPlan { strikes };
    Replay { case: case(id), design, bench: Bench::Tabletop, plan, tape_digest, violates, until: None }
}

/// Faults of the case's space, as many as wanted, spread over all of it, and none of the kinds that end a payment.
fn crowd(id: &str, count: usize) -> Vec<Strike> {
    let trial =
        Trial::new(case(id), &Design::new(PolicyName::Published, Seed(0))).expect("the case is sound");
    let space = Space::of(&trial, &Stop::default()).strikes;
    let mild = |strike: &&Strike| ["twice", "delay", "reorder"].contains(&strike.fault.kind());
    let mild: Vec<Strike> = space.iter().filter(mild).cloned().collect();
    (0..count).map(|nth| mild[nth * mild.len() / count].clone()).collect()
}

fn still_fails(replay: &Replay, requirement: &str) -> bool {
    let (_, run) = replay.run("x", &Stop::default()).expect("the run can be made");
    run.violated().contains(&requirement)
}

/// Whether every single strike of a plan is needed.
fn is_minimal(shrunk: &Shrunk) -> bool {
    (0..shrunk.replay.plan.strikes.len()).all(|at| {
        let mut fewer = shrunk.replay.clone();
        fewer.plan.strikes.remove(at);
        !still_fails(&fewer, &shrunk.requirement)
    })
}

#[test]
fn of_twenty_faults_at_five_terminals_one_fault_at_one_terminal_is_left() {
    let id = "pos/payment/every-age";
    let mut strikes = crowd(id, 19);
    strikes.push(
        toml::from_str("site = \"udp-b< 008 #1\"\nfault = { fate = \"drop\" }").expect("the strike reads"),
    );
    let before = replay(id, PolicyName::Published, strikes);
    let shrunk = smallest(&before, Some("POS-I1"), &Stop::default()).expect("it fails");
    assert_eq!(shrunk.replay.plan.strikes.len(), 1, "{:?}", shrunk.replay.plan.words());
    assert_eq!(shrunk.replay.design.terminals.map(|terminals| terminals < 5), Some(true));
    assert!(still_fails(&shrunk.replay, "POS-I1") && is_minimal(&shrunk));
    assert!(shrunk.words.starts_with("POS-I1 fails with: "), "{}", shrunk.words);
    let again = smallest(&before, Some("POS-I1"), &Stop::default()).expect("it fails");
    assert_eq!((again.words.clone(), again.runs), (shrunk.words.clone(), shrunk.runs));
    assert_eq!(again.record.tape_digest, shrunk.record.tape_digest);
    // What is smallest is its own smallest.
    let once_more = smallest(&shrunk.replay, Some("POS-I1"), &Stop::default()).expect("it fails");
    assert_eq!(once_more.replay.plan, shrunk.replay.plan);
}

#[test]
fn a_violation_that_is_certain_early_ends_the_run_there() {
    let cut = "site = \"uart-a> AT+IPSEND #3\"\nmoment = \"midway\"\n\
               fault = { mishap = \"power-cut\", supply = \"mcu-a\", torn = \"neither\", off = \"7 s\" }";
    let before =
        replay("water/topup/clean", PolicyName::Published, vec![toml::from_str(cut).expect("reads")]);
    let shrunk = smallest(&before, None, &Stop::default()).expect("it fails");
    assert_eq!(shrunk.requirement, "WAT-C4");
    assert_eq!(shrunk.replay.until, Some(Instant::ZERO + Span::s(35)));
    assert_eq!(
        shrunk.words,
        "WAT-C4 fails with: cut the power of mcu-a for 1 s (a write under way reads as before), just before the 3rd \
         `AT+IPSEND` from terminal-a to modem-a. Nothing else is needed."
    );
    // The file says all of it.
    let text = shrunk.replay.render(&shrunk.record).expect("it renders");
    let read = Replay::from_text("x.toml", &text).expect("it reads");
    let (record, run) = read.run("x.toml", &Stop::default()).expect("it runs");
    assert_eq!((record.tape_digest, run.violated()), (shrunk.record.tape_digest.clone(), vec!["WAT-C4"]));
}

#[test]
fn the_test_that_it_writes_is_the_one_that_is_compiled_here() {
    let id = "pos/payment/answers-lost";
    let own = case(id).fault_plan().expect("the plan reads");
    let shrunk = smallest(&replay(id, PolicyName::Published, own.strikes), Some("POS-I1"), &Stop::default())
        .expect("it fails");
    let text = shrunk.render_test().expect("it renders");
    // The design has been mended since.
    let mended = text.replace("policy = \"published\"", "policy = \"hardened\"");
    let without_digest = |text: &str| -> Vec<String> {
        text.lines().filter(|line| !line.starts_with("tape_digest")).map(str::to_owned).collect()
    };
    assert_eq!(without_digest(&mended), without_digest(include_str!("shrink/answers_lost.rs")));
}

#[test]
fn what_cannot_be_shrunk_is_refused_in_words() {
    let stop = Stop::default();
    let passes = replay("pos/payment/clean", PolicyName::Hardened, Vec::new());
    assert_eq!(smallest(&passes, None, &stop).err(), Some(ShrinkError::Passes));
    let own = case("pos/payment/answers-lost").fault_plan().expect("the plan reads");
    let fails = replay("pos/payment/answers-lost", PolicyName::Published, own.strikes);
    let refused = smallest(&fails, Some("POS-T1"), &stop).err().expect("it does not violate that");
    assert!(
        refused.to_string().starts_with("the run does not violate POS-T1 now; it violates "),
        "{refused}"
    );
}
