//! The modem suite against the reference, against its mutants, and under faults.

#![expect(clippy::unwrap_used, reason = "what surrounds a test may fail it too")]

mod faults;
mod mutants;
mod oracles;

use std::collections::{BTreeMap, BTreeSet};

use assay_conformance::finding::Findings;
use assay_conformance::interrupt::Stop;
use assay_conformance::modem;
use assay_conformance::requirement;
use assay_conformance::suite::{Mutant, Turn};
use assay_conformance::water::{Case, Stage};
use assay_sim::bench::{Jumps, Paced};
use assay_sim::fault::Strike;
use assay_sim::policy::PolicyName;
use assay_sim::seed::Seed;
use assay_sim::tabletop::{Tabletop, Visit};
use assay_sim::tape::Keep;
use assay_sim::water::plant::Plant;
use assay_sim::water::policy::Policy;
use assay_sim::water::profile::{BUILT_IN, Profile};

/// How a run is set up.
#[derive(Clone, Copy)]
struct Run<'a> {
    policy: PolicyName,
    mutant: Option<&'a Mutant>,
    divisor: u64,
    seed: u64,
    claims: bool,
}

const HARDENED: Run<'_> =
    Run { policy: PolicyName::Hardened, mutant: None, divisor: 1, seed: 1, claims: true };

fn put_over(under: &mut toml::Table, over: &toml::Table) {
    for (key, value) in over {
        match (under.get_mut(key), value) {
            (Some(toml::Value::Table(old)), toml::Value::Table(new)) => put_over(old, new),
            _ => {
                under.insert(key.clone(), value.clone());
            }
        }
    }
}

impl Run<'_> {
    fn policy(&self) -> Policy {
        let mut policy = Policy::named(self.policy);
        if let Some(mutant) = self.mutant {
            let Turn::Water(turn) = mutant.turn else { panic!("{} is of another family", mutant.name) };
            turn(&mut policy);
        }
        policy
    }

    /// The installation as its profile declares it, and as it is built.
    fn plants(&self, case: &Case) -> (Plant, Plant) {
        let mut text: toml::Table = toml::from_str(BUILT_IN).unwrap();
        put_over(&mut text, &toml::from_str(case.setup.profile).unwrap());
        let load = |over: &toml::Table| Profile::load(&text.to_string(), over, self.divisor).unwrap();
        let overrides = self.mutant.map(|mutant| mutant.overrides().unwrap()).unwrap_or_default();
        let plant = |profile| Plant {
            profile,
            policy: self.policy(),
            terminals: case.setup.terminals,
            cards: case.setup.cards.to_vec(),
            seating: case.setup.seating,
            seed: Seed(self.seed),
        };
        (plant(load(&toml::Table::new())), plant(load(&overrides)))
    }

    fn stage(&self, case: &Case, extra: &[Strike], visits: bool) -> (Findings, Vec<Visit>, Vec<usize>) {
        let (declared, built) = self.plants(case);
        let mut plan = case.fault_plan().unwrap();
        plan.strikes.extend_from_slice(extra);
        let table = Tabletop::new(built.layout().unwrap(), &plan, Keep::Last(1_024)).unwrap();
        let bench = Box::new(Paced { table, pace: Jumps });
        let mut stage = Stage::on(bench, &declared, case.sut, &plan, &Stop::default()).unwrap();
        stage.watch((case.oracles)(stage.scene()));
        if visits {
            stage.record_visits();
        }
        if !self.claims {
            stage.suppress_claims();
        }
        (case.run)(&mut stage).unwrap_or_else(|error| panic!("{}: {error}", case.id));
        let outcome = stage.finish();
        (outcome.findings, outcome.bench.visits, outcome.bench.not_reached)
    }

    fn findings(&self, case: &Case) -> Findings {
        self.stage(case, &[], false).0
    }
}

fn told(findings: &Findings) -> String {
    findings
        .violations
        .iter()
        .map(|found| {
            format!(
                "\n  {} at {}: expected {}, but {} {:?}",
                found.requirement, found.at, found.expected, found.actual, found.evidence
            )
        })
        .collect()
}

#[test]
fn every_case_passes_on_the_reference_and_judges_all_that_it_shows() {
    let mut judged = BTreeMap::<&str, u64>::new();
    let mut wrong = String::new();
    for case in modem::cases() {
        let findings = HARDENED.findings(&case);
        let shown: BTreeSet<_> = findings.judged.keys().copied().collect();
        let shows: BTreeSet<_> = case.shows.iter().copied().collect();
        if shown != shows || !findings.violations.is_empty() {
            wrong += &format!("\n{} shows {shown:?}, not {shows:?}{}", case.id, told(&findings));
        }
        println!("{:<40} {:?}", case.id, findings.judged);
        for (requirement, times) in findings.judged {
            *judged.entry(requirement).or_default() += times;
        }
    }
    println!("{judged:?}");
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_requirement_of_either_dialect_is_shown_and_no_other() {
    let shown: BTreeSet<&str> = modem::cases().iter().flat_map(|case| case.shows).copied().collect();
    let required: BTreeSet<&str> = requirement::all()
        .iter()
        .filter(|requirement| requirement.id.starts_with("MDM-") && requirement.applies())
        .map(|requirement| requirement.id.as_str())
        .collect();
    assert_eq!(shown, required);
    assert!(["MDM-A2", "MDM-A8"].iter().all(|id| required.contains(id)));
}

#[test]
fn case_ids_are_unique_and_in_order() {
    let ids: Vec<&str> = modem::cases().iter().map(|case| case.id).collect();
    assert!(ids.windows(2).all(|pair| pair[0] < pair[1]), "{ids:?}");
    assert!(ids.iter().all(|id| id.split('/').count() == 3 && id.starts_with("modem/")));
}

#[test]
fn every_plan_is_reached() {
    for case in modem::cases() {
        let (_, _, not_reached) = HARDENED.stage(&case, &[], false);
        assert_eq!(not_reached, Vec::<usize>::new(), "{}", case.id);
    }
}

#[test]
fn the_named_designs_differ_in_nothing_that_this_suite_judges() {
    for policy in [PolicyName::Published, PolicyName::Uncached] {
        for case in modem::cases() {
            let findings = Run { policy, ..HARDENED }.findings(&case);
            assert!(findings.violations.is_empty(), "{policy} {}{}", case.id, told(&findings));
        }
    }
}

#[test]
fn verdicts_hold_for_other_seeds_for_short_timers_and_without_claims() {
    for case in modem::cases() {
        let plain = HARDENED.findings(&case);
        let silent = Run { claims: false, ..HARDENED }.findings(&case);
        assert_eq!((plain.judged, plain.violations), (silent.judged, silent.violations), "{}", case.id);
        for (divisor, seed) in [(1, 2), (1, 3), (10, 1), (10, 2)] {
            let findings = Run { divisor, seed, ..HARDENED }.findings(&case);
            assert!(findings.violations.is_empty(), "/{divisor} #{seed} {}{}", case.id, told(&findings));
        }
    }
}
