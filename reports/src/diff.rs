//! What has changed from one run to another, case by case.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::console::left_out;
use crate::exit_code;
use crate::record::{CaseRecord, RunRecord};
use crate::text::{counted, seconds, shown, wrapped};
use crate::verdict::Verdict;

/// How many cases of one kind are listed.
const LISTED_MAX: usize = 100;

/// By how much a case must take longer to count as slower: a tenth, and so much at least.
///
/// Units: microseconds on the clock of the bench.
const SLOWER_MIN_US: u64 = 1_000_000;

/// What has changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Cases that pass in the first run and not in the second, or that are new there and do not pass.
    pub newly_failing: Vec<Change>,
    /// Cases that pass in the second run and not in the first.
    pub newly_passing: Vec<Change>,
    /// Cases that take longer on the clock of the bench, by more than a tenth and a second.
    pub slower: Vec<Change>,
    /// Cases that are in the first run and not in the second.
    pub vanished: Vec<Change>,
    /// Cases that do not pass in either run, and in the second for a worse reason.
    pub worse: Vec<Change>,
    /// Mutants that were killed in the first run and in the second survive or are not there.
    pub mutants_lost: Vec<String>,
    /// Requirements that were judged in the first run and in the second are not.
    pub no_longer_judged: Vec<String>,
    /// How many cases are in both.
    pub compared: usize,
}

/// One case in both runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its id and where it ran.
    pub case: String,
    /// What it came to in the first run, and how long it took there; nothing if it is new.
    pub before: Option<(Verdict, u64)>,
    /// The same of the second run; nothing if it has vanished.
    pub after: Option<(Verdict, u64)>,
    /// Why it came to that in the second.
    pub why: Option<String>,
}

impl Difference {
    /// From the first run to the second. Cases are told apart by id, bench, policy and mutant; of several seeds, the
    /// worst counts.
    pub fn between(before: &RunRecord, after: &RunRecord) -> Self {
        let [old, new] = [before, after].map(by_name);
        let mut difference = Self::default();
        for (name, then) in &old {
            match new.get(name) {
                None => difference.vanished.push(change(name, Some(then), None)),
                Some(now) => {
                    difference.compared += 1;
                    difference.compare(name, then, now);
                }
            }
        }
        for (name, now) in new.iter().filter(|(name, _)| !old.contains_key(*name)) {
            if now.verdict.stops_a_pipeline() {
                difference.newly_failing.push(change(name, None, Some(now)));
            }
        }
        let killed = |record: &RunRecord| -> Vec<String> {
            record.mutants.iter().filter(|one| one.killed).map(|one| one.name.clone()).collect()
        };
        let still = killed(after);
        difference.mutants_lost = killed(before).into_iter().filter(|name| !still.contains(name)).collect();
        let [then, now] = [before, after].map(judged);
        difference.no_longer_judged = then.into_iter().filter(|id| !now.contains(id)).collect();
        difference
    }

    fn compare(&mut self, name: &str, then: &CaseRecord, now: &CaseRecord) {
        let pair = || change(name, Some(then), Some(now));
        match (then.verdict.stops_a_pipeline(), now.verdict.stops_a_pipeline()) {
            (false, true) => self.newly_failing.push(pair()),
            (true, false) => self.newly_passing.push(pair()),
            (true, true) if now.verdict > then.verdict => self.worse.push(pair()),
            // What passed and is skipped now is not shown any more.
            (false, false) if now.verdict > then.verdict => self.worse.push(pair()),
            _ => {}
        }
        let more = now.virtual_us.saturating_sub(then.virtual_us);
        if more >= SLOWER_MIN_US && more > then.virtual_us / 10 {
            self.slower.push(pair());
        }
    }

    /// 100 if something fails newly, is worse, has vanished or is not judged any more, and 0 otherwise.
    pub fn exit_code(&self) -> u8 {
        let good = self.newly_failing.is_empty()
            && self.vanished.is_empty()
            && self.worse.is_empty()
            && self.mutants_lost.is_empty()
            && self.no_longer_judged.is_empty();
        if good { exit_code::OK } else { exit_code::FAIL }
    }
}

fn by_name(record: &RunRecord) -> BTreeMap<String, &CaseRecord> {
    let mut all: BTreeMap<String, &CaseRecord> = BTreeMap::new();
    for case in record.judged_cases() {
        let mutant = case.mutant.as_ref().map(|name| format!(", mutant {name}")).unwrap_or_default();
        let name = format!("{} ({}, {}{mutant})", case.id, case.bench, case.policy);
        let known = all.entry(name).or_insert(case);
        if case.verdict > known.verdict {
            *known = case;
        }
    }
    all
}

fn judged(record: &RunRecord) -> std::collections::BTreeSet<String> {
    let outcomes = record.judged_cases().flat_map(|case| &case.requirements);
    outcomes.filter(|outcome| outcome.judged > 0).map(|outcome| outcome.id.clone()).collect()
}

fn change(name: &str, before: Option<&CaseRecord>, after: Option<&CaseRecord>) -> Change {
    let told = |case: Option<&CaseRecord>| case.map(|case| (case.verdict, case.virtual_us));
    Change {
        case: name.to_owned(),
        before: told(before),
        after: told(after),
        why: after.and_then(|case| case.reason()),
    }
}

/// The difference in plain text.
pub fn render_difference(difference: &Difference) -> String {
    let mut out = String::new();
    let lists = [
        ("Newly failing", &difference.newly_failing),
        ("Vanished", &difference.vanished),
        ("Worse", &difference.worse),
        ("Slower", &difference.slower),
        ("Newly passing", &difference.newly_passing),
    ];
    for (title, changes) in lists.into_iter().filter(|(_, changes)| !changes.is_empty()) {
        let _ = writeln!(out, "{title}: {}", counted(changes.len() as u64, "case"));
        for change in changes.iter().take(LISTED_MAX) {
            out += &wrapped("  - ", &line(change));
        }
        out.extend(left_out(changes.len(), LISTED_MAX, "case").map(|more| format!("  {more}\n")));
    }
    let ids = |ids: &[String]| ids.iter().map(|id| shown(id)).collect::<Vec<_>>().join(", ");
    if !difference.mutants_lost.is_empty() {
        out += &wrapped("", &format!("Mutants not killed any more: {}.", ids(&difference.mutants_lost)));
    }
    if !difference.no_longer_judged.is_empty() {
        out += &wrapped(
            "",
            &format!("Requirements not judged any more: {}.", ids(&difference.no_longer_judged)),
        );
    }
    let compared = counted(difference.compared as u64, "case");
    let words = if out.is_empty() { "nothing has changed" } else { "the rest is as it was" };
    let _ = writeln!(out, "{compared} compared; {words}.");
    out
}

fn line(change: &Change) -> String {
    let told = |side: Option<(Verdict, u64)>, none: &str| {
        side.map_or_else(|| none.to_owned(), |(verdict, us)| format!("{verdict} in {}", seconds(us)))
    };
    let why = match change.after {
        Some((verdict, _)) if verdict != Verdict::Pass => {
            change.why.as_ref().map(|why| format!(": {}", shown(why))).unwrap_or_default()
        }
        _ => String::new(),
    };
    format!(
        "{}: {} before, {} now{why}",
        shown(&change.case),
        told(change.before, "not there"),
        told(change.after, "not there")
    )
}
