//! One trial a case and bench: the reference meets every requirement that the case shows, each of which was in a
//! position to fail, and what a party under test says of itself makes no difference.

use assay_conformance::case::Case;
use assay_conformance::finding::Findings;
use assay_conformance::interrupt::Stop;
use assay_conformance::rig_bench::Bench;
use assay_conformance::suite;
use assay_conformance::trial::{Design, KEPT, Trial as Ready, Watch};
use assay_sim::policy::PolicyName;
use assay_sim::seed::Seed;
use assay_sim::tape::Keep;
use libtest_mimic::{Arguments, Failed, Trial};

fn main() {
    let both = |case| [Bench::Tabletop, Bench::World].map(|bench| (case, bench));
    let possible = |(case, bench): &(Case, Bench)| bench.takes(case);
    let trials = suite::cases().into_iter().flat_map(both).filter(possible).map(|(case, bench)| {
        let name = format!("{}::{}", bench.name(), case.id);
        Trial::test(name, move || shows_what_it_says(&case, &bench)).with_kind(case.system.as_str())
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit();
}

fn run(trial: &Ready, bench: &Bench, watch: Watch) -> Result<Findings, Failed> {
    let run = trial.run_on(bench, &trial.own, Keep::Last(KEPT), &Stop::default(), watch);
    if let Some(broken) = run.broken {
        return Err(format!("broken: {broken}").into());
    }
    let outcome = run.outcome.ok_or("the run left nothing")?;
    let missed = outcome.bench.not_reached;
    if missed.is_empty() {
        Ok(outcome.findings)
    } else {
        Err(format!("strikes {missed:?} found no site").into())
    }
}

fn shows_what_it_says(case: &Case, bench: &Bench) -> Result<(), Failed> {
    let trial =
        Ready::new(*case, &Design::new(PolicyName::Hardened, Seed(1))).map_err(|error| error.to_string())?;
    let findings = run(&trial, bench, Watch::PLAIN)?;
    let mut wrong: Vec<String> = findings
        .violations
        .iter()
        .map(|found| format!("{}: expected {}, got {}", found.requirement, found.expected, found.actual))
        .collect();
    for id in case.shows {
        if findings.judged.get(id).copied().unwrap_or(0) == 0 {
            wrong.push(format!("{id} was never in a position to fail"));
        }
    }
    let without_claims = run(&trial, bench, Watch::NO_CLAIMS)?;
    if without_claims.violations != findings.violations || without_claims.judged != findings.judged {
        wrong.push("the verdict depends on what the party under test says of itself".to_owned());
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n").into()) }
}
