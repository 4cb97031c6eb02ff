//! What an acknowledged payment costs in the POS system, by terminals and by payments. Oracles and tape are on.

use assay_conformance::case::Case;
use assay_conformance::interrupt::Stop;
use assay_conformance::pos::{self, Stage};
use assay_conformance::stage::StageError;
use assay_conformance::trial::{Design, KEPT, Trial};
use assay_sim::policy::PolicyName;
use assay_sim::pos::plant::{CardSpec, TerminalSpec};
use assay_sim::seed::Seed;
use assay_sim::tape::Keep;
use assay_sim::time::Span;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

/// Cards of which each rests while the others pay.
const CARDS: &[CardSpec] = &[
    CardSpec::good("8888888880", 1_000_000_000, 0),
    CardSpec::good("8888888881", 1_000_000_000, 0),
    CardSpec::good("8888888882", 1_000_000_000, 0),
    CardSpec::good("8888888883", 1_000_000_000, 0),
    CardSpec::good("8888888884", 1_000_000_000, 0),
];

/// How far apart two payments at one terminal are.
const APART: Span = Span::s(1);

fn paying(terminals: usize, run: fn(&mut Stage) -> Result<(), StageError>) -> Trial {
    let clean = pos::cases().into_iter().find(|case| case.id == "pos/payment/clean");
    let clean = clean.expect("the suite has it");
    let setup = pos::Setup { terminals, specs: &[TerminalSpec::FIXED], cards: CARDS, ..clean.setup };
    let case = Case::from(pos::Case { setup, run, ..clean });
    Trial::new(case, &Design::new(PolicyName::Hardened, Seed(1))).expect("the case is sound")
}

/// So many payments, one after the other at every terminal, all terminals at once.
fn pay<const PAYMENTS: usize>(stage: &mut Stage) -> Result<(), StageError> {
    let terminals = stage.scene().terminals.len();
    stage.ready(terminals - 1)?;
    stage.wait(APART)?;
    for round in 0..PAYMENTS / terminals {
        for terminal in 0..terminals {
            stage.act(terminal, format!("tap {}", CARDS[round % CARDS.len()].number))?;
        }
        stage.wait(APART)?;
    }
    stage.observe_rest();
    Ok(())
}

fn measure(c: &mut Criterion, group: &str, name: BenchmarkId, payments: u64, trial: &Trial) {
    let check = trial.run(&trial.own, Keep::Last(KEPT), &Stop::default());
    let outcome = check.outcome.expect("the payments end");
    assert!(outcome.findings.violations.is_empty());
    let mut group = c.benchmark_group(group);
    group.sample_size(10);
    group.throughput(Throughput::Elements(payments));
    group.bench_function(name, |b| {
        b.iter(|| trial.run(&trial.own, Keep::Last(KEPT), &Stop::default()));
    });
    group.finish();
}

fn by_terminals(c: &mut Criterion) {
    for terminals in [1, 10, 100, 1_000, 10_000] {
        let trial = paying(terminals, pay::<10_000>);
        let name = BenchmarkId::new("10,000 payments, terminals", terminals);
        measure(c, "pos by terminals", name, 10_000, &trial);
    }
}

fn by_payments(c: &mut Criterion) {
    let of = |payments: u64, run| (payments, paying(10, run));
    for (payments, trial) in [
        of(1_000, pay::<1_000>),
        of(10_000, pay::<10_000>),
        of(100_000, pay::<100_000>),
        of(1_000_000, pay::<1_000_000>),
    ] {
        let name = BenchmarkId::new("10 terminals, payments", payments);
        measure(c, "pos by payments", name, payments, &trial);
    }
}

criterion_group!(benches, by_terminals, by_payments);
criterion_main!(benches);
