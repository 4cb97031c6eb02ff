//! The server's cases on the reference, on the published design, and on every bad choice.

use std::collections::{BTreeMap, BTreeSet};

use assay_conformance::case::Case;
use assay_conformance::stage::{Jumps, Outcome, Stage};
use assay_conformance::water::server::{cases, mutants};
use assay_sim::fault::{Fate, Fault, FaultPlan, LinkKind, Mishap, Moment, Site, Strike};
use assay_sim::machine::Torn;
use assay_sim::seed::Seed;
use assay_sim::tabletop::{BenchLegend, SiteKind, Visit};
use assay_sim::tape::{Keep, render_entry};
use assay_sim::water::plant::Plant;
use assay_sim::water::policy::{Policy, PolicyName};
use assay_sim::water::profile::{BUILT_IN, Profile};
use rayon::prelude::*;

struct Trial {
    policy: Policy,
    divisor: u64,
    seed: u64,
    visits: bool,
    silent: bool,
}

const REFERENCE: fn() -> Trial = || Trial {
    policy: PolicyName::Hardened.policy(),
    divisor: 1,
    seed: 1,
    visits: false,
    silent: false,
};

fn plant(case: &Case, trial: &Trial) -> Plant {
    let overrides: toml::Table = toml::from_str(case.setup.profile).unwrap();
    Plant {
        profile: Profile::load(BUILT_IN, &overrides, trial.divisor).unwrap(),
        policy: trial.policy,
        terminals: case.setup.terminals,
        cards: case.setup.cards.to_vec(),
        seating: case.setup.seating,
        seed: Seed(trial.seed),
    }
}

fn run_with(case: &Case, trial: &Trial, plan: &FaultPlan, keep: Keep) -> Outcome {
    let mut stage = Stage::new(&plant(case, trial), case.sut, plan, keep, Box::new(Jumps)).unwrap();
    if trial.visits {
        stage.record_visits();
    }
    if trial.silent {
        stage.suppress_claims();
    }
    let oracles = (case.oracles)(stage.scene());
    stage.watch(oracles);
    (case.run)(&mut stage).unwrap_or_else(|error| panic!("{}: {error}", case.id));
    stage.finish()
}

fn run(case: &Case, trial: &Trial) -> Outcome {
    run_with(case, trial, &case.fault_plan().unwrap(), Keep::All)
}

fn violated(outcome: &Outcome) -> BTreeSet<&'static str> {
    outcome.findings.violations.iter().map(|violation| violation.requirement).collect()
}

/// The violations and the tape's end, for a person.
fn told(outcome: &Outcome, plan: &FaultPlan) -> String {
    let legend = BenchLegend::new(&outcome.bench, plan);
    let mut text: Vec<String> =
        outcome.findings.violations.iter().map(|violation| format!("{violation:?}")).collect();
    text.extend(outcome.bench.tape().entries().map(|entry| render_entry(entry, &legend)));
    text.join("\n")
}

#[test]
fn the_reference_passes_and_each_requirement_shown_was_judged() {
    for case in cases() {
        let outcome = run(&case, &REFERENCE());
        let plan = case.fault_plan().unwrap();
        assert!(outcome.findings.violations.is_empty(), "{}\n{}", case.id, told(&outcome, &plan));
        let judged: Vec<&str> = outcome.findings.judged.keys().copied().collect();
        println!("{:<55} {:?} ends at {}", case.id, outcome.findings.judged, outcome.bench.now());
        assert_eq!(judged, case.shows, "{}", case.id);
        assert!(outcome.bench.not_reached().is_empty(), "{}", case.id);
    }
}

#[test]
fn other_seeds_and_quicker_timers_pass_as_well() {
    for (seed, divisor) in [(2, 1), (3, 1), (1, 10), (4, 10)] {
        for case in cases() {
            let outcome = run(&case, &Trial { seed, divisor, ..REFERENCE() });
            let plan = case.fault_plan().unwrap();
            assert!(outcome.findings.violations.is_empty(), "{} {seed}\n{}", case.id, told(&outcome, &plan));
        }
    }
}

#[test]
fn verdicts_do_not_rest_on_what_the_server_says_of_itself() {
    let silent = || Trial { silent: true, ..REFERENCE() };
    for case in cases() {
        assert_eq!(run(&case, &silent()).findings.judged, run(&case, &REFERENCE()).findings.judged, "{}", case.id);
        for mutant in mutants() {
            let spoil = |mut trial: Trial| {
                (mutant.apply)(&mut trial.policy);
                run(&case, &trial).findings.violations
            };
            assert_eq!(spoil(silent()), spoil(REFERENCE()), "{} {}", case.id, mutant.name);
        }
    }
}

/// For each bad choice, the requirements by which it is known to be bad.
const KILLS: [(&str, &[&str]); 17] = [
    ("server-reconciles-by-result", &["WAT-I1", "WAT-T5", "WAT-T6", "WAT-T7"]),
    ("server-closes-again", &["WAT-T5"]),
    ("server-reopens", &["WAT-I1", "WAT-T5"]),
    ("server-offers-newest-first", &["WAT-T7"]),
    ("server-skips-open", &["WAT-T7"]),
    ("server-answers-before-sync", &["WAT-I2", "WAT-T5", "WAT-T6"]),
    ("server-silent-on-damage", &["WAT-F2"]),
    ("server-acts-on-damage", &["WAT-F1"]),
    ("server-negative-type-zero", &["WAT-F2"]),
    ("server-negatives-unbounded", &["WAT-F2"]),
    ("server-doubt-closes", &["WAT-T5"]),
    ("server-always-flat", &["WAT-P1"]),
    ("server-drops-remainder", &["WAT-P1"]),
    ("server-offers-on-any-sold", &["WAT-I1"]),
    ("server-waits-for-rest", &["WAT-F4"]),
    ("server-drops-all", &["WAT-F4"]),
    ("server-believes-length", &["WAT-F5"]),
];

fn killers(policy: Policy) -> BTreeMap<&'static str, Vec<&'static str>> {
    let mut killers: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for case in cases() {
        let outcome = run(&case, &Trial { policy, ..REFERENCE() });
        for requirement in violated(&outcome) {
            assert!(case.shows.contains(&requirement), "{} blames {requirement}", case.id);
            killers.entry(requirement).or_default().push(case.id.rsplit('/').next().unwrap());
        }
    }
    killers
}

#[test]
fn every_bad_choice_is_found_out_by_the_right_requirement() {
    let names: Vec<&str> = mutants().iter().map(|mutant| mutant.name).collect();
    assert_eq!(names, KILLS.map(|(name, _)| name));
    for (mutant, (_, expected)) in mutants().iter().zip(KILLS) {
        let mut policy = PolicyName::Hardened.policy();
        (mutant.apply)(&mut policy);
        let killers = killers(policy);
        println!("{}: {killers:#?}", mutant.name);
        for requirement in expected {
            assert!(killers.contains_key(requirement), "{} survives {requirement}: {killers:?}", mutant.name);
        }
    }
}

#[test]
fn the_published_design_fails_what_it_is_known_to_fail_and_nothing_else() {
    for name in [PolicyName::Published, PolicyName::Uncached] {
        let failed: Vec<&str> = killers(name.policy()).into_keys().collect();
        let known = assay_conformance::requirement::known_failures("water", name.as_str());
        assert!(failed.iter().all(|id| known.contains(*id)), "{name}: {failed:?}");
        assert!(["WAT-T5", "WAT-T6", "WAT-T7", "WAT-I1"].iter().all(|id| failed.contains(id)), "{failed:?}");
    }
}

/// Every fault that exploration tries at a site, as far as the server and its links are concerned.
fn strikes_at(visit: &Visit, profile: &Profile) -> Vec<Strike> {
    let site: &Site = &visit.site;
    let domain = &profile.faults;
    let off = domain.off[0];
    let mut faults: Vec<(Moment, Fault)> = Vec::new();
    let mut befall = |moments: &[Moment], mishap: Mishap| {
        faults.extend(moments.iter().map(|moment| (*moment, Fault::Mishap(mishap.clone()))));
    };
    let throughout = [Moment::Before, Moment::Midway, Moment::After];
    for torn in Torn::ALL {
        befall(&throughout, Mishap::Crash { party: "server".into(), torn, off });
        befall(&throughout, Mishap::PowerCut { supply: "server".into(), torn, off });
    }
    for span in &domain.hangs {
        befall(&throughout, Mishap::Hang { party: "server".into(), span: *span });
    }
    for by_s in &domain.clock_steps_s {
        befall(&[Moment::Before], Mishap::StepWallClock { party: "server".into(), by_s: *by_s });
    }
    if matches!(visit.kind, SiteKind::Unit { .. } | SiteKind::Signal { .. }) {
        let link = site.place.to_string();
        for span in &domain.outages {
            befall(&throughout, Mishap::LinkDown { link: link.clone(), span: *span });
        }
        befall(&throughout, Mishap::HalfOpen { link });
        for supply in ["modem-a", "strip-a"] {
            befall(&throughout, Mishap::PowerCut { supply: supply.into(), torn: Torn::Neither, off });
        }
        befall(&[Moment::After], Mishap::Hang { party: "modem-a".into(), span: domain.hangs[0] });
    }
    let mut suffer = |fate: Fate| faults.push((Moment::Before, Fault::Fate(fate)));
    match visit.kind {
        SiteKind::Unit { link: LinkKind::Stream, len } => {
            for by in &domain.delays {
                suffer(Fate::Delay { by: *by });
                suffer(Fate::Stall { span: *by });
            }
            for at in 1..len {
                for gap in &domain.split_gaps {
                    suffer(Fate::Split { at, gap: *gap });
                }
            }
            for at in 0..=len {
                suffer(Fate::Fin { at });
                suffer(Fate::Reset { at });
            }
            suffer(Fate::Join { within: domain.join_within });
            suffer(Fate::HalfOpen);
        }
        SiteKind::Signal { link: LinkKind::Stream } => {
            suffer(Fate::Refuse);
            suffer(Fate::HalfOpen);
            for by in &domain.delays {
                suffer(Fate::Delay { by: *by });
            }
        }
        _ => {}
    }
    let strike = |(moment, fault)| Strike { site: site.clone(), moment, fault };
    faults.into_iter().map(strike).collect()
}

/// Every single fault on top of a case's own; how many there were, and what was found with the plan that shows it.
fn struck(case: &Case, policy: Policy) -> (usize, Vec<(FaultPlan, BTreeSet<&'static str>)>) {
    let own = case.fault_plan().unwrap();
    let golden = run(case, &Trial { policy, visits: true, ..REFERENCE() });
    let profile = plant(case, &REFERENCE()).profile;
    let plans: Vec<FaultPlan> = golden
        .bench
        .visits()
        .iter()
        .flat_map(|visit| strikes_at(visit, &profile))
        .map(|strike| FaultPlan { strikes: own.strikes.iter().cloned().chain([strike]).collect() })
        .collect();
    let count = plans.len();
    let found = plans
        .into_par_iter()
        .map(|plan| {
            let outcome = run_with(case, &Trial { policy, ..REFERENCE() }, &plan, Keep::Last(1_024));
            (plan, violated(&outcome))
        })
        .filter(|(_, violated)| !violated.is_empty())
        .collect();
    (count, found)
}

#[test]
fn no_single_fault_turns_the_reference_down() {
    for case in cases().into_iter().filter(|case| case.explored) {
        let (count, found) = struck(&case, PolicyName::Hardened.policy());
        println!("{}: {count} faults", case.id);
        assert!(count > 1_000, "{count}");
        if let Some((plan, _)) = found.first() {
            let outcome = run_with(&case, &REFERENCE(), plan, Keep::All);
            panic!("{} of {count}: {}\n{}", found.len(), plan.strikes.last().unwrap(), told(&outcome, plan));
        }
    }
}

#[test]
fn a_crash_at_a_journal_step_finds_out_a_server_that_answers_too_early() {
    let early = mutants().into_iter().find(|mutant| mutant.name == "server-answers-before-sync").unwrap();
    let mut policy = PolicyName::Hardened.policy();
    (early.apply)(&mut policy);
    let explored = cases().into_iter().find(|case| case.explored).unwrap();
    let (_, found) = struck(&explored, policy);
    let blamed: BTreeSet<&str> = found.iter().flat_map(|(_, violated)| violated).copied().collect();
    assert!(blamed.contains("WAT-T5") && blamed.contains("WAT-I2"), "{blamed:?}");
}
