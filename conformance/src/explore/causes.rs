//! From struck runs to what caused their violations: grouped, counted, and each with its smallest example.

use std::collections::{BTreeMap, BTreeSet};

use assay_reports::{
    CaseRecord, CauseRecord, ExampleRecord, ExplorationRecord, FaultRowRecord, KindRecord, Verdict,
};
use assay_sim::fault::{Fault, FaultPlan, Site, Strike, Way};

use super::{Exploration, Explored, Extent, FaultMap, Space, Struck};
use crate::interrupt::Stop;
use crate::record::{Subject, case_record};
use crate::replay::{self, Replay, ReplayWriteError};

/// What makes two faults one cause: their kind, and the name of their site without its address and count.
pub(crate) type Group<'a> = (&'static str, &'a str, Option<Way>, &'a str);

pub(crate) fn group(strike: &Strike) -> Group<'_> {
    (strike.fault.kind(), &strike.site.place, strike.site.way, &strike.site.name)
}

/// The cause in words of what a case violates by itself.
pub(crate) const ALONE: &str = "the case alone, without a further fault";

/// The cause in words.
pub(crate) fn words((kind, place, way, name): Group<'_>) -> String {
    let way = way.map(|way| way.sign().to_string()).unwrap_or_default();
    format!("{kind} at `{place}{way} {name}`")
}

/// A strike in few words, to follow a case's id.
pub(crate) fn short(strike: &Strike) -> String {
    let victim = match &strike.fault {
        Fault::Fate(_) => String::new(),
        Fault::Mishap(mishap) => format!(" of {}", mishap.victim()),
    };
    format!("{}{victim} at {}", strike.fault.kind(), strike.site)
}

#[derive(Clone, Copy)]
struct Cause {
    count: u64,
    /// The first place in the space that shows it; none if the case fails without a further fault.
    first: Option<usize>,
}

/// Everything that an exploration came to.
pub(super) fn record(
    exploration: &Exploration<'_>,
    space: &Space,
    struck: &[(usize, Struck)],
) -> Result<Explored, ReplayWriteError> {
    let alone = space.golden.violated();
    let mut causes: BTreeMap<(&str, Option<Group<'_>>), Cause> = BTreeMap::new();
    for requirement in &alone {
        causes.insert((requirement, None), Cause { count: 1, first: None });
    }
    for (at, result) in struck {
        let group = group(&space.strikes[*at]);
        for requirement in result.violated.iter().filter(|requirement| !alone.contains(requirement)) {
            let cause =
                causes.entry((requirement, Some(group))).or_insert(Cause { count: 0, first: Some(*at) });
            cause.count += 1;
        }
    }
    let mut causes: Vec<_> = causes.into_iter().collect();
    causes.sort_by_key(|((requirement, _), cause)| (*requirement, cause.first));

    let runs = Examples::new(exploration, space, causes.iter().map(|(_, cause)| cause.first))?;
    let broken: Vec<String> = broken_runs(space, struck);
    let not_reached: Vec<Strike> = struck
        .iter()
        .filter(|(_, result)| !result.reached)
        .map(|(at, _)| space.strikes[*at].clone())
        .collect();
    let breaches = breaches(space, struck);
    let (verdict, why) = verdict(!causes.is_empty(), &broken, &breaches, not_reached.len(), struck.len());
    let trial = exploration.trial;
    let record = ExplorationRecord {
        system: trial.case.system.as_str().to_owned(),
        bench: exploration.bench.name().to_owned(),
        policy: exploration.design.policy.to_string(),
        case: trial.case.id.to_owned(),
        faults_a_run: 1,
        sites: space.visits.len() as u64,
        faults_total: space.strikes.len() as u64,
        faults_struck: struck.len() as u64,
        faults_merged: 0,
        by_kind: rows(space, struck, &alone, |strike| strike.fault.kind()),
        by_place: rows(space, struck, &alone, |strike| strike.site.place.as_ref()),
        map: map(space, struck, &alone),
        causes: causes
            .iter()
            .filter_map(|((requirement, group), cause)| runs.cause(requirement, *group, *cause))
            .collect(),
        complete: exploration.extent == Extent::Whole
            && struck.len() == space.strikes.len()
            && broken.is_empty()
            && breaches.is_empty(),
        verdict,
        why,
    };
    let first_of_each = causes.iter().filter(|((_, group), _)| group.is_some());
    let examples = runs.covering(first_of_each.map(|((requirement, _), cause)| (*requirement, cause.first)));
    Ok(Explored { record, examples, not_reached, replays: runs.records.len() })
}

fn broken_runs(space: &Space, struck: &[(usize, Struck)]) -> Vec<String> {
    let golden = space.golden.broken.iter().map(|broken| format!("without a further fault: {broken}"));
    let others = struck.iter().filter_map(|(at, result)| {
        result.broken.as_ref().map(|broken| format!("{} {broken}", space.strikes[*at]))
    });
    golden.chain(others).collect()
}

/// Runs in which the party under test could not be driven on.
fn breaches(space: &Space, struck: &[(usize, Struck)]) -> Vec<String> {
    let golden = space.golden.breach().map(|breach| format!("without a further fault: {breach}"));
    let others = struck.iter().filter_map(|(at, result)| {
        result.breach.as_ref().map(|breach| format!("{} {breach}", space.strikes[*at]))
    });
    golden.into_iter().chain(others).collect()
}

pub(super) fn verdict(
    violated: bool,
    broken: &[String],
    breaches: &[String],
    not_reached: usize,
    struck: usize,
) -> (Verdict, Option<String>) {
    for (all, verdict) in [(broken, Verdict::Broken), (breaches, Verdict::Fail)] {
        if let Some(first) = all.first() {
            let more = if all.len() > 1 { format!(" (and {} more)", all.len() - 1) } else { String::new() };
            return (verdict, Some(format!("{first}{more}")));
        }
    }
    let unseen =
        (not_reached > 0).then(|| format!("{not_reached} of the faults were never reached by their runs"));
    match (violated, unseen, struck) {
        (true, unseen, _) => (Verdict::Fail, unseen),
        (false, Some(unseen), _) => (Verdict::Inconclusive, Some(unseen)),
        (false, None, 0) => (Verdict::Inconclusive, Some("no fault was struck".to_owned())),
        (false, None, _) => (Verdict::Pass, None),
    }
}

/// The space by what `of` says of a strike.
fn rows(
    space: &Space,
    struck: &[(usize, Struck)],
    alone: &[&str],
    of: impl Fn(&Strike) -> &str,
) -> Vec<KindRecord> {
    let mut rows = Rows::default();
    for strike in &space.strikes {
        rows.count(of(strike), &strike.site);
    }
    for (at, result) in struck {
        let violations = result.violated.iter().filter(|id| !alone.contains(id)).count();
        rows.strike(of(&space.strikes[*at]), violations);
    }
    rows.into_records()
}

/// The space by site and kind of fault.
fn map(space: &Space, struck: &[(usize, Struck)], alone: &[&str]) -> Vec<FaultRowRecord> {
    let told = struck.iter().map(|(at, result)| {
        let fresh = result.violated.iter().copied().filter(|id| !alone.contains(id)).collect();
        (*at, fresh, result.is_unclear())
    });
    FaultMap::of(&space.strikes, told)
}

/// What is struck and found, by whatever name.
#[derive(Default)]
pub(super) struct Rows(BTreeMap<String, (BTreeSet<Site>, KindRecord)>);

impl Rows {
    /// There is one more to strike.
    pub(super) fn count(&mut self, name: &str, site: &Site) {
        let (sites, row) = self.row(name);
        row.total += 1;
        if !sites.contains(site) {
            sites.insert(site.clone());
            row.sites += 1;
        }
    }

    /// One was struck, and led to so many violations.
    pub(super) fn strike(&mut self, name: &str, violations: usize) {
        let (_, row) = self.row(name);
        row.values += 1;
        row.violations += violations as u64;
    }

    fn row(&mut self, name: &str) -> &mut (BTreeSet<Site>, KindRecord) {
        if !self.0.contains_key(name) {
            let row = KindRecord { kind: name.to_owned(), sites: 0, total: 0, values: 0, violations: 0 };
            self.0.insert(name.to_owned(), (BTreeSet::new(), row));
        }
        self.0.get_mut(name).expect("it was put in just now")
    }

    /// Rows that were counted before.
    pub(super) fn of(records: Vec<KindRecord>) -> Self {
        Self(records.into_iter().map(|row| (row.kind.clone(), (BTreeSet::new(), row))).collect())
    }

    pub(super) fn into_records(self) -> Vec<KindRecord> {
        self.0.into_values().map(|(_, row)| row).collect()
    }
}

/// The runs that serve as examples, made once more with their whole tape.
struct Examples {
    records: BTreeMap<Option<usize>, CaseRecord>,
    seed: u64,
}

impl Examples {
    fn new(
        exploration: &Exploration<'_>,
        space: &Space,
        wanted: impl Iterator<Item = Option<usize>>,
    ) -> Result<Self, ReplayWriteError> {
        let trial = exploration.trial;
        let mut records = BTreeMap::new();
        for (number, at) in wanted.collect::<BTreeSet<_>>().into_iter().enumerate() {
            let strike = at.map(|at| &space.strikes[at]);
            let plan: FaultPlan = strike.map_or_else(|| trial.own.clone(), |strike| trial.plan_with(strike));
            let number = number + 1 + exploration.first_number;
            let file = replay::path(&exploration.out, trial.case.id, number);
            let id = strike.map_or_else(
                || trial.case.id.to_owned(),
                |strike| format!("{} + {}", trial.case.id, short(strike)),
            );
            let subject = Subject {
                id,
                case: &trial.case,
                design: exploration.design,
                bench: exploration.bench.name(),
                replay: Some(replay::command(&file)),
            };
            // What was found before Ctrl-C is told all the same.
            let run = exploration.bench.run(trial, &plan, &Stop::default());
            let mut record = case_record(&subject, &plan, &run);
            if run.broken.is_none() {
                let replay = Replay::of(&record, &trial.case, exploration.design, exploration.bench, &plan);
                replay::write(&file, &replay, &mut record, run.tape())?;
                records.insert(at, record);
            }
        }
        Ok(Self { records, seed: exploration.design.seed.0 })
    }

    fn cause(&self, requirement: &str, group: Option<Group<'_>>, cause: Cause) -> Option<CauseRecord> {
        let run = self.records.get(&cause.first)?;
        let violation = run.violations.iter().find(|violation| violation.requirement == requirement)?;
        Some(CauseRecord {
            requirement: requirement.to_owned(),
            cause: group.map_or_else(|| ALONE.to_owned(), words),
            count: cause.count,
            example: ExampleRecord {
                seed: self.seed,
                violation: violation.clone(),
                plan: run.plan.clone(),
                replay: run.replay.clone(),
                tape_digest: run.tape_digest.clone(),
                trace: run.trace.clone(),
            },
        })
    }

    /// As few of the runs as show each requirement violated, the first ones.
    fn covering<'a>(&self, firsts: impl Iterator<Item = (&'a str, Option<usize>)>) -> Vec<CaseRecord> {
        let mut shown: BTreeSet<&str> = BTreeSet::new();
        let mut examples: BTreeMap<Option<usize>, &CaseRecord> = BTreeMap::new();
        for (requirement, at) in firsts {
            let Some(run) = self.records.get(&at) else { continue };
            if !shown.contains(requirement) {
                shown.extend(run.violations.iter().map(|violation| violation.requirement.as_str()));
                examples.insert(at, run);
            }
        }
        examples.into_values().cloned().collect()
    }
}
