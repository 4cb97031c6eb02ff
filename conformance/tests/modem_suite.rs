//! The modem suite against the reference, against its mutants, and under faults.

use std::collections::{BTreeMap, BTreeSet};

use assay_conformance::case::Case;
use assay_conformance::finding::Findings;
use assay_conformance::modem;
use assay_conformance::requirement;
use assay_conformance::stage::{Jumps, Stage};
use assay_conformance::suite::Mutant;
use assay_sim::fault::{Fate, Fault, FaultPlan, LinkKind, Moment, Strike};
use assay_sim::seed::Seed;
use assay_sim::tabletop::{SiteKind, Visit};
use assay_sim::tape::Keep;
use assay_sim::water::plant::Plant;
use assay_sim::water::policy::{Policy, PolicyName};
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
        let mut policy = self.policy.policy();
        if let Some(mutant) = self.mutant {
            (mutant.apply)(&mut policy);
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
        let bench =
            assay_sim::tabletop::Tabletop::new(built.layout().unwrap(), &plan, Keep::Last(1_024)).unwrap();
        let mut stage = Stage::on(bench, &declared, case.sut, Box::new(Jumps)).unwrap();
        stage.watch((case.oracles)(stage.scene()));
        if visits {
            stage.record_visits();
        }
        if !self.claims {
            stage.suppress_claims();
        }
        (case.run)(&mut stage).unwrap_or_else(|error| panic!("{}: {error}", case.id));
        let outcome = stage.finish();
        (outcome.findings, outcome.bench.visits().to_vec(), outcome.bench.not_reached())
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

fn violated(findings: &Findings) -> BTreeSet<&'static str> {
    findings.violations.iter().map(|found| found.requirement).collect()
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
fn every_requirement_of_this_dialect_is_shown_and_no_other() {
    let shown: BTreeSet<&str> = modem::cases().iter().flat_map(|case| case.shows).copied().collect();
    let required: BTreeSet<&str> = requirement::all()
        .iter()
        .filter(|requirement| requirement.id.starts_with("MDM-") && requirement.applies())
        .map(|requirement| requirement.id.as_str())
        .collect();
    assert_eq!(shown, required);
    assert!(!required.contains("MDM-A2"));
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

/// Which requirement finds each mutant out, and no other does unless it is listed.
const KILLS: [(&str, &[&str]); 24] = [
    ("host-waits-for-ever", &["MDM-H1"]),
    ("host-reconnects-at-once", &["MDM-H2"]),
    ("host-reads-data-as-lines", &["MDM-H3"]),
    ("host-is-eager", &["MDM-H4"]),
    ("host-expects-no-echo", &["MDM-H1"]),
    ("host-hears-closes-when-idle", &["MDM-H1"]),
    ("modem-ignores-bare-lf", &["MDM-A1"]),
    ("modem-reports-inside-echo", &["MDM-A4"]),
    ("modem-reports-at-prompt", &["MDM-A4"]),
    ("modem-up-too-early", &["MDM-A5"]),
    ("modem-starts-at-a-touch", &["MDM-A5"]),
    ("modem-resets-at-a-touch", &["MDM-A5"]),
    ("modem-tells-its-start-to-anybody", &["MDM-A5", "MDM-A8"]),
    ("modem-starts-without-key", &["MDM-A5"]),
    ("modem-short-guard-before", &["MDM-A7"]),
    ("modem-short-guard-after", &["MDM-A7"]),
    ("modem-slow-escape", &["MDM-A7"]),
    ("modem-sends-64-at-most", &["MDM-A8"]),
    ("modem-marks-data-otherwise", &["MDM-A8"]),
    ("modem-names-states-otherwise", &["MDM-A8"]),
    ("modem-already-connected-is-an-error", &["MDM-A8"]),
    ("modem-loses-context-otherwise", &["MDM-A8"]),
    ("modem-connects-without-end", &["MDM-A8"]),
    ("modem-sends-without-end", &["MDM-A8"]),
];

#[test]
fn every_mutant_is_found_out_by_its_requirement() {
    let mutants = modem::mutants();
    let names: Vec<&str> = mutants.iter().map(|mutant| mutant.name).collect();
    assert_eq!(names, KILLS.map(|(name, _)| name));
    let mut wrong = String::new();
    for (mutant, (name, right)) in mutants.iter().zip(KILLS) {
        let mut by = BTreeMap::<&str, Vec<&str>>::new();
        for case in modem::cases() {
            for requirement in violated(&Run { mutant: Some(mutant), ..HARDENED }.findings(&case)) {
                by.entry(requirement).or_default().push(case.id);
            }
        }
        println!("{name}: {by:#?}");
        if !right.iter().all(|right| by.contains_key(right)) {
            wrong += &format!("\n{name} survives {right:?}: {by:?}");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Every unit on the UART that a run went through, with the faults that a line can suffer at any of its bytes.
fn line_faults(visits: &[Visit]) -> Vec<Strike> {
    let mut strikes = Vec::new();
    for visit in visits.iter().filter(|visit| visit.site.place == "uart-a") {
        let SiteKind::Unit { link: LinkKind::Serial, len } = visit.kind else { continue };
        let mut fates = vec![Fate::Overrun { from: 0 }, Fate::Overrun { from: len / 2 }];
        for at in 0..len {
            fates.extend([Fate::LoseByte { at }, Fate::FlipBit { bit: at * 8 + 3 }]);
            fates.push(Fate::JunkByte { at, value: b'\r' });
            for gap_ms in [10, 600] {
                fates.push(Fate::Split { at, gap: assay_sim::time::Span::ms(gap_ms) });
            }
        }
        strikes.extend(fates.into_iter().map(|fate| Strike {
            site: visit.site.clone(),
            moment: Moment::Before,
            fault: Fault::Fate(fate),
        }));
    }
    strikes
}

#[test]
fn no_single_fault_on_the_line_makes_the_reference_fail() {
    let explored: Vec<Case> = modem::cases().into_iter().filter(|case| case.explored).collect();
    assert!(!explored.is_empty());
    for case in explored {
        let (_, visits, _) = HARDENED.stage(&case, &[], true);
        let space = line_faults(&visits);
        let apart = (space.len() / 2_000).max(1);
        let mut tried = 0;
        let mut wrong = String::new();
        for strike in space.iter().step_by(apart) {
            let (findings, _, not_reached) = HARDENED.stage(&case, std::slice::from_ref(strike), false);
            assert_eq!(not_reached, Vec::<usize>::new(), "{strike}");
            assert!(findings.judged.contains_key("MDM-H1"), "{strike}: nothing was judged");
            if !findings.violations.is_empty() {
                wrong += &format!("\n{strike}{}", told(&findings));
            }
            tried += 1;
        }
        println!("{}: {tried} of {}", case.id, space.len());
        assert!(tried >= 1_500, "{tried}");
        assert!(wrong.is_empty(), "{wrong}");
    }
}

#[test]
fn no_judge_of_a_modem_blames_it_for_a_fault_on_the_line() {
    for case in modem::cases().into_iter().filter(|case| case.id.starts_with("modem/unasked/around-commands"))
    {
        let (_, visits, _) = HARDENED.stage(&case, &[], true);
        for strike in line_faults(&visits).iter().step_by(37) {
            let (findings, ..) = HARDENED.stage(&case, std::slice::from_ref(strike), false);
            assert!(findings.violations.is_empty(), "{strike}{}", told(&findings));
        }
    }
}

#[test]
fn a_plan_without_strikes_changes_nothing() {
    assert_eq!(FaultPlan::default().strikes, []);
    let case = modem::cases().remove(0);
    let findings = HARDENED.findings(&case);
    assert_eq!(HARDENED.stage(&case, &[], true).0.judged, findings.judged);
}
