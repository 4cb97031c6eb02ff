//! How fast the water system runs: a terminal's day, and runs of an exploration. Oracles and tape are on.

use assay_conformance::case::Case;
use assay_conformance::explore::{Space, strike};
use assay_conformance::interrupt::Stop;
use assay_conformance::stage::StageError;
use assay_conformance::trial::{Design, KEPT, Trial};
use assay_conformance::water::{self, Stage};
use assay_sim::money::Fen;
use assay_sim::policy::PolicyName;
use assay_sim::seed::Seed;
use assay_sim::tape::Keep;
use assay_sim::time::{Instant, Span};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const DAY: Span = Span::s(86_400);
const TOPUPS: u64 = 500;
/// How many faults of the exploration one sample strikes, spread over the whole space.
const FAULTS: usize = 64;

fn topup() -> water::Case {
    water::cases().into_iter().find(|case| case.id == "water/topup/clean").expect("the suite has it")
}

fn trial(case: water::Case) -> Trial {
    Trial::new(Case::from(case), &Design::new(PolicyName::Hardened, Seed(1))).expect("the case is sound")
}

/// Five hundred customers, evenly over the day, and the heartbeats between them.
fn one_day(stage: &mut Stage) -> Result<(), StageError> {
    stage.ready(0)?;
    for place in 1..=TOPUPS {
        stage.prepay(0, Fen(350))?;
        stage.wait(Span::s(1))?;
        stage.visit(0, 0)?;
        let next = Instant::ZERO + Span::us(DAY.as_us() / TOPUPS * place);
        let rest = next.since(stage.now());
        stage.wait(rest)?;
    }
    stage.observe_rest();
    Ok(())
}

fn day(c: &mut Criterion) {
    let trial = trial(water::Case { run: one_day, ..topup() });
    let check = trial.run(&trial.own, Keep::Last(KEPT), &Stop::default());
    let outcome = check.outcome.expect("the day ends");
    assert!(outcome.findings.violations.is_empty() && outcome.findings.judged["WAT-I1"] == TOPUPS);
    let mut group = c.benchmark_group("water");
    group.sample_size(20);
    // Elements are simulated seconds: elements a second is the ratio to real time.
    group.throughput(Throughput::Elements(DAY.as_us() / 1_000_000));
    group.bench_function("day of one terminal, 500 top-ups, 1,440 heartbeats", |b| {
        b.iter(|| trial.run(&trial.own, Keep::Last(KEPT), &Stop::default()));
    });
    group.finish();
}

fn exploration(c: &mut Criterion) {
    let trial = trial(topup());
    let strikes = Space::of(&trial, &Stop::default()).strikes;
    let picked: Vec<_> = strikes.iter().step_by(strikes.len() / FAULTS).take(FAULTS).collect();
    let mut group = c.benchmark_group("water");
    group.sample_size(20);
    group.throughput(Throughput::Elements(FAULTS as u64));
    group.bench_function("single-fault runs of a top-up, on one core", |b| {
        b.iter(|| {
            for fault in &picked {
                assert!(strike(&trial, fault, &Stop::default()).violated.is_empty());
            }
        });
    });
    group.finish();
}

criterion_group!(benches, day, exploration);
criterion_main!(benches);
