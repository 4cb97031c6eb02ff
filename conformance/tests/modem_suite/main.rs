//! The modem suite against the reference, against its mutants, and under faults.

#![expect(clippy::unwrap_used, reason = "what surrounds a test may fail it too")]

use std::collections::{BTreeMap, BTreeSet};

use assay_conformance::finding::{Findings, Oracle};
use assay_conformance::interrupt::Stop;
use assay_conformance::modem;
use assay_conformance::modem::expect::{DUE, Deed, Expectation, Given, Promise};
use assay_conformance::modem::oracles::{Pace, Promises, Prompt, Reconnects, Transcript};
use assay_conformance::requirement;
use assay_conformance::suite::{Mutant, Turn};
use assay_conformance::water::scene::Scene;
use assay_conformance::water::{Case, Stage};
use assay_sim::bench::{Jumps, Paced};
use assay_sim::fault::{Fate, Fault, LinkKind, Mishap, Moment, Strike, Way};
use assay_sim::machine::Torn;
use assay_sim::policy::PolicyName;
use assay_sim::seed::Seed;
use assay_sim::tabletop::Tabletop;
use assay_sim::tabletop::{SiteKind, Visit};
use assay_sim::tape::{Entry, Keep, Seen};
use assay_sim::time::{Instant, Span};
use assay_sim::water::family::Water;
use assay_sim::water::party::Event;
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

/// Which requirement finds each mutant out, and no other does unless it is listed.
const KILLS: &[(&str, &[&str])] = &[
    ("host-waits-for-ever", &["MDM-H1"]),
    ("host-reconnects-at-once", &["MDM-H2"]),
    ("host-reads-data-as-lines", &["MDM-H3"]),
    ("host-is-eager", &["MDM-H4"]),
    ("host-expects-no-echo", &["MDM-H1"]),
    ("host-hears-closes-when-idle", &["MDM-H1"]),
    ("host-hurries-commands", &["MDM-H4"]),
    ("host-hurries-attaching", &["MDM-H4"]),
    ("host-hurries-prompts", &["MDM-H4"]),
    ("host-hurries-sends", &["MDM-H4"]),
    ("host-calls-without-pause", &["MDM-H4"]),
    ("host-waits-an-hour-for-results", &["MDM-H1"]),
    ("host-waits-an-hour-for-attaching", &["MDM-H1"]),
    ("host-waits-an-hour-for-connections", &["MDM-H1"]),
    ("host-waits-an-hour-for-prompts", &["MDM-H1"]),
    ("host-waits-an-hour-for-sends", &["MDM-H1"]),
    ("host-never-waits-longer", &["MDM-H2"]),
    ("host-waits-an-hour-between-tries", &["MDM-H1"]),
    ("host-misses-lost-contexts", &["MDM-H1"]),
    ("host-misses-restarts", &["MDM-H1"]),
    ("host-believes-short-blocks-only", &["MDM-H1"]),
    ("host-gives-blocks-up-at-once", &["MDM-H1"]),
    ("host-reads-short-lines-only", &["MDM-H1"]),
    ("host-presses-the-key-too-briefly", &["MDM-H1"]),
    ("host-asks-for-registration-once", &["MDM-H1"]),
    ("host-gives-up-calling-at-once", &["MDM-H1"]),
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
    ("sim800a-ignores-bare-lf", &["MDM-A1"]),
    ("sim800a-reports-inside-echo", &["MDM-A4"]),
    ("sim800a-reports-at-prompt", &["MDM-A4"]),
    ("sim800a-up-too-early", &["MDM-A5"]),
    ("sim800a-starts-at-a-touch", &["MDM-A5"]),
    ("sim800a-tells-its-start-to-anybody", &["MDM-A5"]),
    ("sim800a-short-guard-before", &["MDM-A7"]),
    ("sim800a-short-guard-after", &["MDM-A7"]),
    ("sim800a-slow-escape", &["MDM-A7"]),
    ("sim800a-sends-64-at-most", &["MDM-A6"]),
    ("sim800a-numbers-without-blank", &["MDM-A2"]),
    ("sim800a-already-connected-is-an-error", &["MDM-A2"]),
    ("sim800a-reopens-without-shut", &["MDM-A3"]),
    ("sim800a-connects-without-end", &["MDM-A2"]),
    ("sim800a-sends-without-end", &["MDM-A2"]),
    ("sim800a-ends-counted-data-at-1a", &["MDM-A6"]),
    ("sim800a-resolves-wrongly", &["MDM-A2"]),
];

#[test]
fn every_mutant_is_found_out_by_its_requirement() {
    let mutants = modem::mutants();
    let names: Vec<&str> = mutants.iter().map(|mutant| mutant.name).collect();
    assert_eq!(names, KILLS.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    let hosts = names.iter().filter(|name| name.starts_with("host-")).count();
    assert!(hosts >= 25 && names.len() - hosts >= 25, "{hosts} of {}", names.len());
    let mut wrong = String::new();
    for (mutant, (name, right)) in mutants.iter().zip(KILLS.iter().copied()) {
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
                fates.push(Fate::Split { at, gap: Span::ms(gap_ms) });
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

/// Mishaps around every unit on the UART.
fn mishaps(visits: &[Visit]) -> Vec<Strike> {
    let name = str::to_owned;
    let cut = |supply: &str| Mishap::PowerCut { supply: name(supply), torn: Torn::Neither, off: Span::s(5) };
    let hang = |party: &str| Mishap::Hang { party: name(party), span: Span::s(30) };
    let suffer = |what: &str| Mishap::Modem { party: name("modem-a"), what: name(what) };
    let all = [
        cut("modem-a"),
        cut("mcu-a"),
        cut("strip-a"),
        cut("server"),
        hang("terminal-a"),
        hang("modem-a"),
        suffer("pdp-lost"),
        suffer("urc:+CREG: 2"),
        suffer("no-signal"),
        Mishap::HalfOpen { link: name("gprs-a") },
        Mishap::LinkDown { link: name("gprs-a"), span: Span::s(120) },
        Mishap::LinkDown { link: name("uart-a"), span: Span::s(30) },
    ];
    let units = visits.iter().filter(|visit| visit.site.place == "uart-a");
    let moments = [Moment::Before, Moment::Midway, Moment::After];
    let mut strikes = Vec::new();
    for (visit, moment) in units.flat_map(|visit| moments.map(|moment| (visit, moment))) {
        strikes.extend(all.iter().map(|mishap| Strike {
            site: visit.site.clone(),
            moment,
            fault: Fault::Mishap(mishap.clone()),
        }));
    }
    strikes
}

#[test]
fn no_single_mishap_makes_the_reference_fail() {
    for case in modem::cases().into_iter().filter(|case| case.explored) {
        let (_, visits, _) = HARDENED.stage(&case, &[], true);
        let space = mishaps(&visits);
        let mut wrong = String::new();
        for strike in &space {
            let (findings, ..) = HARDENED.stage(&case, std::slice::from_ref(strike), false);
            if !findings.violations.is_empty() {
                wrong += &format!("\n{strike}{}", told(&findings));
            }
        }
        println!("{}: {} mishaps", case.id, space.len());
        assert!(wrong.is_empty(), "{wrong}");
    }
}

/// The host and the modem away at once, from any two units on the line.
fn hangs(visits: &[Visit]) -> Vec<[Strike; 2]> {
    let units: Vec<_> = visits.iter().filter(|visit| visit.site.place == "uart-a").collect();
    let mut pairs = Vec::new();
    for (at, first) in units.iter().enumerate() {
        for second in &units[at..] {
            for (host_s, modem_s) in [(5, 5), (5, 30), (30, 5), (30, 30)] {
                for parties in [["terminal-a", "modem-a"], ["modem-a", "terminal-a"]] {
                    let spans = [host_s, modem_s];
                    let strike = |visit: &Visit, party: &str, span_s: u64| Strike {
                        site: visit.site.clone(),
                        moment: Moment::Before,
                        fault: Fault::Mishap(Mishap::Hang { party: party.to_owned(), span: Span::s(span_s) }),
                    };
                    pairs.push([strike(first, parties[0], spans[0]), strike(second, parties[1], spans[1])]);
                }
            }
        }
    }
    pairs
}

#[test]
fn no_old_answer_is_taken_for_a_new_one_when_host_and_modem_both_hang() {
    for case in modem::cases().into_iter().filter(|case| case.explored) {
        let (_, visits, _) = HARDENED.stage(&case, &[], true);
        let space = hangs(&visits);
        let apart = (space.len() / 4_000).max(1);
        let mut wrong = String::new();
        for strikes in space.iter().step_by(apart) {
            let (findings, ..) = HARDENED.stage(&case, strikes, false);
            if !findings.violations.is_empty() {
                wrong += &format!("\n{} + {}{}", strikes[0], strikes[1], told(&findings));
            }
        }
        println!("{}: {} of {} pairs", case.id, space.len().div_ceil(apart), space.len());
        assert!(wrong.is_empty(), "{wrong}");
    }
}

/// A cast to judge tapes by that were never played.
fn cast() -> Scene {
    let case = modem::cases().into_iter().find(|case| case.explored).unwrap();
    let (declared, built) = HARDENED.plants(&case);
    let table = Tabletop::new(built.layout().unwrap(), &Default::default(), Keep::All).unwrap();
    Scene::new(&declared, case.sut, &Paced { table, pace: Jumps }).unwrap()
}

/// What an oracle finds on a tape: at so many microseconds, this.
fn found(
    mut oracle: impl Oracle<Water>,
    scene: &Scene,
    tape: &[(u64, Seen<Event>)],
    end_us: u64,
) -> Findings {
    let mut findings = Findings::default();
    for (ordinal, (at_us, what)) in tape.iter().enumerate() {
        let entry = Entry { ordinal: ordinal as u64, at: Instant::from_us(*at_us), what: what.clone() };
        oracle.observe(&entry, scene, &mut findings);
    }
    oracle.finish(Instant::from_us(end_us), scene, &mut findings);
    findings
}

fn says(scene: &Scene, bytes: &[u8]) -> Seen<Event> {
    let line = scene.terminals[0].uart;
    Seen::Heard { line, way: Way::BtoA, conn: 0, bytes: bytes.to_vec() }
}

fn types(scene: &Scene, bytes: &[u8]) -> Seen<Event> {
    let line = scene.terminals[0].uart;
    Seen::Sent { line, way: Way::AtoB, conn: 0, name: "unit", nth: 1, bytes: bytes.to_vec() }
}

fn case(text: impl ToString) -> Seen<Event> {
    Seen::Case(text.to_string())
}

/// Judgements and violations.
fn counts(findings: &Findings) -> (u64, usize) {
    (findings.judged.values().sum(), findings.violations.len())
}

#[test]
fn a_transcript_is_compared_to_its_last_byte() {
    let scene = cast();
    let expected = Expectation::modem("MDM-A1", "AT\r\r\nOK\r\n");
    for (said, holds) in [
        (b"AT\r\r\nOK\r\n".as_slice(), true),
        (b"\r\nOK\r\n", false),
        (b"AT\r\nOK\r\n", false),
        (b"AT\r\r\nOK\r\n\r\n", false),
        (b"AT\r0\r", false),
        (b"AT\r\r\nERROR\r\n", false),
        (b"", false),
    ] {
        let tape = [(0, case(&expected)), (9, says(&scene, said)), (10, case(DUE))];
        let findings = found(Transcript::new(0), &scene, &tape, 10);
        assert_eq!(counts(&findings), (1, usize::from(!holds)), "{}", said.escape_ascii());
    }
    // What comes too late, what was never given, and what a foreign fault may have spoilt.
    let late = [(0, case(&expected)), (10, case(DUE)), (11, says(&scene, b"AT\r\r\nOK\r\n"))];
    assert_eq!(counts(&found(Transcript::new(0), &scene, &late, 12)), (1, 1));
    let given = case(Given::modem("%aOK%a"));
    let broken = [(0, given), (1, says(&scene, b"NO")), (2, case(DUE)), (3, case(&expected)), (4, case(DUE))];
    assert_eq!(counts(&found(Transcript::new(0), &scene, &broken, 5)), (0, 0));
    let struck = [(0, case(&expected)), (1, Seen::Struck { strike: 0 }), (2, case(DUE))];
    assert_eq!(counts(&found(Transcript::new(0), &scene, &struck, 3)), (0, 0));
    assert_eq!(counts(&found(Transcript::new(1), &scene, &struck, 3)), (1, 1));
}

#[test]
fn a_prompt_is_watched_until_the_last_byte_of_its_data() {
    let scene = cast();
    let send = |before: &[u8], after: &[u8]| {
        let tape = [
            (0, types(&scene, b"AT+IPSEND=2\r")),
            (1, says(&scene, b"\r\n> ")),
            (2, types(&scene, b"a")),
            (3, says(&scene, before)),
            (4, types(&scene, b"b")),
            (5, says(&scene, after)),
        ];
        counts(&found(Prompt::new(0), &scene, &tape, 6))
    };
    assert_eq!(send(b"", b"\r\nRING\r\n\r\nSEND OK\r\n"), (1, 0));
    assert_eq!(send(b"a", b"b\r\nSEND OK\r\n"), (1, 0));
    assert_eq!(send(b"\r\nRING\r\n", b"\r\nSEND OK\r\n"), (1, 1));
    assert_eq!(send(b"aRING", b""), (1, 1));
}

#[test]
fn a_promise_is_kept_at_its_last_moment_and_broken_a_tick_later() {
    let scene = cast();
    let within = Span::us(100);
    let promise = |deed| case(Promise { requirement: "MDM-H1", deed, within });
    let attempt = || types(&scene, b"AT+IPSTART=\"TCP\",\"10.0.0.2\",7000\r");
    for (at_us, holds) in [(99, true), (100, true), (101, false)] {
        let tape = [(0, promise(Deed::NewAttempt)), (at_us, attempt())];
        let findings = found(Promises::new(0), &scene, &tape, 200);
        assert_eq!(counts(&findings), (1, usize::from(!holds)), "{at_us}");
        let tape = [(0, promise(Deed::Contentment)), (at_us, attempt())];
        let findings = found(Promises::new(0), &scene, &tape, 200);
        assert_eq!(counts(&findings), (1, usize::from(holds)), "{at_us}");
    }
    // A run that ends before its time decides nothing.
    let tape = [(0, promise(Deed::AnsweredHeartbeat))];
    assert_eq!(counts(&found(Promises::new(0), &scene, &tape, 99)), (0, 0));
    assert_eq!(counts(&found(Promises::new(0), &scene, &tape, 100)), (1, 1));
}

#[test]
fn a_heartbeat_counts_once_it_is_answered() {
    const HEARTBEAT: &[u8] = b"\xAA\x55\x00\x00\x01\x00\x0C\x20\x18\x01\x09\x25\x62\x2A";
    let scene = cast();
    let promise =
        case(Promise { requirement: "MDM-H1", deed: Deed::AnsweredHeartbeat, within: Span::us(100) });
    let sends =
        [(1, types(&scene, b"AT+IPSEND=14\r")), (2, says(&scene, b"\r\n> ")), (3, types(&scene, HEARTBEAT))];
    let tape: Vec<_> = [(0, promise)].into_iter().chain(sends).collect();
    assert_eq!(counts(&found(Promises::new(0), &scene, &tape, 100)), (1, 1));
    // The same frame coming back is no answer.
    let back = [b"\r\n+IPDATA: 14\r\n".as_slice(), HEARTBEAT].concat();
    let with = |bytes: &[u8]| {
        let tape: Vec<_> = tape.iter().cloned().chain([(4, says(&scene, bytes))]).collect();
        counts(&found(Promises::new(0), &scene, &tape, 100))
    };
    assert_eq!(with(&back), (1, 1));
    // Answer word 11, the time as content, CRC-16/XMODEM over the whole.
    let answer = b"\xAA\x55\x11\x00\x01\x00\x1A\x20\x18\x01\x09\x2520240102030405";
    let crc = answer.iter().fold(0_u16, |crc, byte| {
        (0..8)
            .fold(crc ^ u16::from(*byte) << 8, |crc, _| crc << 1 ^ if crc & 0x8000 == 0 { 0 } else { 0x1021 })
    });
    let frame = [answer.as_slice(), &crc.to_be_bytes()].concat();
    let block = [format!("\r\n+IPDATA: {}\r\n", frame.len()).as_bytes(), &frame].concat();
    assert_eq!(with(&block), (1, 0));
    assert_eq!(with(&block[..block.len() - 1]), (1, 1));
}

#[test]
fn a_command_may_begin_at_the_end_of_the_time_of_the_last_one_and_not_a_tick_before() {
    let scene = cast();
    // 5 s allowed, and 1 s of tolerance.
    for (at_us, holds) in [(3_999_999, false), (4_000_000, true)] {
        let tape = [(0, types(&scene, b"AT+CSQ\r")), (at_us, types(&scene, b"AT\r"))];
        assert_eq!(counts(&found(Pace::new(0), &scene, &tape, at_us)), (2, usize::from(!holds)), "{at_us}");
    }
    for (said, holds) in [
        (b"\r\nOK\r\n".as_slice(), true),
        (b"AT+CSQ\r\r\n+CSQ: 18,0\r\n", false),
        (b"\r\n+IPDATA: 6\r\n\r\nOK\r\n", false),
        (b"\r\n+CME ERROR: 10\r\n", true),
    ] {
        let tape = [
            (0, types(&scene, b"AT+CSQ\r")),
            (9, says(&scene, said)),
            (10, types(&scene, b"\r\r")),
            (11, types(&scene, b"AT\r")),
        ];
        let findings = found(Pace::new(0), &scene, &tape, 12);
        assert_eq!(counts(&findings), (2, usize::from(!holds)), "{}", said.escape_ascii());
    }
    // Data without its prompt is a command like any other.
    let send =
        [(0, types(&scene, b"AT+IPSEND=3\r")), (1, says(&scene, b"\r\n> ")), (2, types(&scene, b"abc"))];
    assert_eq!(counts(&found(Pace::new(0), &scene, &send, 3)), (1, 0));
    let eager = [send[0].clone(), send[2].clone()];
    assert_eq!(counts(&found(Pace::new(0), &scene, &eager, 3)), (2, 1));
}

/// Tries to connect that fail at once, with these pauses between them.
fn failures(scene: &Scene, pauses_s: &[u64]) -> (u64, usize) {
    let mut at_us = 0;
    let mut tape = Vec::new();
    for pause_s in [0].iter().chain(pauses_s) {
        at_us += pause_s * 1_000_000;
        tape.push((at_us, types(scene, b"AT+IPSTART=\"TCP\",\"10.0.0.2\",7000\r")));
        tape.push((at_us, says(scene, b"\r\nOK\r\n\r\nCONNECT FAIL\r\n")));
    }
    let (judged, violations) = counts(&found(Reconnects::new(0, 0), scene, &tape, at_us));
    (judged, violations)
}

#[test]
fn waits_grow_up_to_the_longest_and_tries_are_few() {
    let scene = cast();
    assert_eq!(failures(&scene, &[1, 2, 4, 8, 16, 32, 60, 60]), (9 + 7, 0));
    assert_eq!(failures(&scene, &[1, 2, 2]), (4 + 2, 1));
    assert_eq!(failures(&scene, &[4, 2]), (3 + 1, 1));
    assert_eq!(failures(&scene, &[0, 0]), (3 + 1, 1));
    // Seven tries in a minute are the most; these are seven, and eight.
    assert_eq!(failures(&scene, &[5, 6, 7, 8, 9, 10]).1, 0);
    assert_eq!(failures(&scene, &[4, 5, 6, 7, 8, 9, 10]).1, 1);
}
