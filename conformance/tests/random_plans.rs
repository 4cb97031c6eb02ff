//! Random plans of several faults against the reference: it never violates a requirement. A plan that finds a hole is
//! shrunk, printed as strikes, and belongs into the regressions below under a name of its own.

use assay_conformance::explore::Space;
use assay_conformance::interrupt::Stop;
use assay_conformance::suite;
use assay_conformance::trial::{Design, KEPT, Trial};
use assay_sim::fault::{Fate, Fault, FaultPlan, Mishap, Strike};
use assay_sim::policy::PolicyName;
use assay_sim::seed::Seed;
use assay_sim::tape::Keep;
use assay_sim::time::Span;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// How many plans are tried for each case, and how many faults each has at most.
const PLANS: u32 = 1_000;
const FAULTS_MAX: usize = 4;

fn trial(id: &str) -> Trial {
    let case = suite::cases().into_iter().find(|case| case.id == id).expect("the suite has the case");
    Trial::new(case, &Design::new(PolicyName::Hardened, Seed(1))).expect("the case is sound")
}

/// What a plan makes of a case, with the case's own faults before it: nothing if all is well.
fn verdict(trial: &Trial, strikes: &[Strike]) -> Result<(), String> {
    let all = trial.own.strikes.iter().chain(strikes).cloned().collect();
    let plan = FaultPlan { strikes: all };
    let run = trial.run(&plan, Keep::Last(KEPT), &Stop::default());
    if let Some(broken) = run.broken {
        return Err(format!("{broken}\n{}", plan.words().join("\n")));
    }
    let violations = run.outcome.map(|outcome| outcome.findings.violations).unwrap_or_default();
    let told: Vec<_> =
        violations.iter().map(|found| format!("{}: {}", found.requirement, found.actual)).collect();
    if told.is_empty() { Ok(()) } else { Err(format!("{}\n{}", told.join("\n"), plan.words().join("\n"))) }
}

fn never_violates(id: &str) {
    let trial = trial(id);
    let strikes = Space::of(&trial, &Stop::default()).strikes;
    let plans = prop::collection::vec(0..strikes.len(), 1..=FAULTS_MAX);
    let config =
        Config { cases: PLANS, failure_persistence: None, max_shrink_iters: 2_000, ..Config::default() };
    // The same plans on every machine: what was found once is found again.
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    runner
        .run(&plans, |places| {
            let plan: Vec<_> = places.iter().map(|place| strikes[*place].clone()).collect();
            if is_held_back(&plan) {
                return Ok(());
            }
            verdict(&trial, &plan).map_err(TestCaseError::fail)
        })
        .unwrap_or_else(|failure| panic!("{id}: {failure}"));
}

/// Whether a request comes so late that power can have gone and come in between: see
/// [`a_request_from_before_a_power_cut_is_taken_for_a_new_one`].
fn is_held_back(plan: &[Strike]) -> bool {
    let late = |fault: &Fault| match fault {
        Fault::Fate(Fate::Delay { by: span } | Fate::Stall { span }) => *span >= Span::s(60),
        _ => false,
    };
    plan.iter().any(|strike| strike.site.name == "order-request" && late(&strike.fault))
        && plan.iter().any(|strike| matches!(strike.fault, Fault::Mishap(Mishap::PowerCut { .. })))
}

/// A deviation that is known: a connection from before a power cut delivers its request after the terminal has said on
/// another one that the credit is in doubt, and the server offers the order again, which lists it as open. The next
/// visit of the card closes it, so that nothing is credited twice.
#[test]
fn a_request_from_before_a_power_cut_is_taken_for_a_new_one() {
    let plan = plan_of(
        r#"
            [[strike]]
            site = "gprs-a> order-request #1"
            fault = { fate = "stall", span = "90 s" }
            [[strike]]
            site = "rf-a< edges #32"
            moment = "midway"
            fault = { mishap = "power-cut", supply = "strip-a", off = "5 s", torn = "neither" }
        "#,
    );
    assert!(is_held_back(&plan));
    let told = verdict(&trial("water/topup/clean"), &plan).unwrap_err();
    let broken: Vec<&str> =
        told.lines().filter(|line| line.starts_with("WAT-")).map(|line| &line[..6]).collect();
    assert_eq!(broken, ["WAT-I2", "WAT-I4", "WAT-I3"], "{told}");
}

fn plan_of(text: &str) -> Vec<Strike> {
    #[derive(serde::Deserialize)]
    struct File {
        strike: Vec<Strike>,
    }
    toml::from_str::<File>(text).expect("the plan reads").strike
}

/// Runs a case of the reference under a plan that once found a hole.
fn survives(id: &str, plan: &str) {
    let strikes = plan_of(plan);
    verdict(&trial(id), &strikes).unwrap_or_else(|failure| panic!("{id}: {failure}"));
}

/// The modem took `AT` for a command of its own and never heard of CMHEAD: data then came without a word before it,
/// and the driver waited for the word.
#[test]
fn a_modem_that_lost_its_settings_is_started_again() {
    survives(
        "water/carry/after-cut",
        r#"
            [[strike]]
            site = "uart-a> AT+CMHEAD #2"
            fault = { fate = "junk-byte", at = 2, value = 13 }
        "#,
    );
}

/// A payment's confirmation was cut off with its connection, and the half line was taken for the next one's beginning.
#[test]
fn half_a_payment_line_goes_with_its_connection() {
    survives(
        "water/topup/clean",
        r#"
            [[strike]]
            site = "lan< paid #1"
            fault = { fate = "fin", at = 7 }
        "#,
    );
}

#[test]
fn a_topup_survives_any_few_faults() {
    never_violates("water/topup/clean");
}

#[test]
fn a_payment_survives_any_few_faults() {
    never_violates("pos/payment/clean");
}

#[test]
fn every_kind_of_message_survives_any_few_faults() {
    never_violates("pos/payment/every-message");
}

#[test]
fn a_drain_survives_any_few_faults() {
    never_violates("pos/off-line/booked-and-drained");
}

#[test]
fn a_carried_card_survives_any_few_faults() {
    never_violates("water/carry/after-cut");
}
