//! Single faults at what crosses real links: as many as the budget allows, drawn so that every kind has its turn.

use std::collections::{BTreeMap, BTreeSet};

use assay_reports::{
    CaseRecord, CauseRecord, ExampleRecord, ExplorationRecord, FaultRowRecord, KindRecord, Verdict,
};
use assay_sim::fault::{Site, Strike};
use assay_sim::seed::Seed;

use super::Played;
use super::runs::{Made, Runs};
use super::wires::Wires;
use crate::explore::{FaultMap, group, short, strikes_at, words};
use crate::listed::Listed;
use crate::progress::Progress;
use crate::replay::ReplayWriteError;
use crate::trial::Trial;
use crate::work::in_slots;

/// The faults of one case, and what came of those that were struck.
struct Field<'a> {
    played: &'a Played,
    trial: Trial,
    sites: u64,
    strikes: Vec<Strike>,
    /// By their places among the strikes.
    struck: Vec<(usize, Struck)>,
    missed: u64,
}

/// What a run with one fault more came to.
struct Struck {
    verdict: Verdict,
    why: Option<String>,
    violated: BTreeSet<String>,
    /// The digest of its tape.
    tape: String,
    /// The whole run, where it shows something that the case alone does not.
    made: Option<Box<Made>>,
}

/// Strikes faults until the budget is spent; a record for each case that was explored, and an example of each cause.
pub(super) fn explore(
    runs: &Runs<'_>,
    played: &[Played],
) -> Result<(Vec<ExplorationRecord>, Vec<CaseRecord>), ReplayWriteError> {
    let seed = runs.plan.design.seed;
    let mut fields: Vec<Field<'_>> = played.iter().filter_map(|played| Field::of(runs, played)).collect();
    let turns = turns(&fields, seed);
    let progress = Progress::new(turns.len(), "faults");
    let budget = runs.stop.within(runs.plan.explore);
    let mut results = Vec::new();
    let mut first_error = None;
    let work = |slot: usize, (field, at): &(usize, usize)| fields[*field].strike(runs, slot, *at);
    in_slots(runs.jobs, &turns, &budget, work, |place, struck| {
        progress.step();
        match struck {
            Ok(Some(struck)) => results.push((turns[place], struck)),
            Ok(None) => {}
            Err(error) => first_error = first_error.take().or(Some(error)),
        }
    });
    drop(progress);
    if let Some(error) = first_error {
        return Err(error);
    }
    for ((field, at), struck) in results {
        match struck {
            Some(struck) => fields[field].struck.push((at, struck)),
            None => fields[field].missed += 1,
        }
    }
    let any = fields.iter().any(|field| !field.struck.is_empty());
    let (mut records, mut examples) = (Vec::new(), Vec::new());
    for field in fields {
        records.push(field.record(runs, any, &mut examples)?);
    }
    Ok((records, examples))
}

/// In which order faults are struck: the cases by turns, and of each case the kinds by turns, each drawn from its own.
fn turns(fields: &[Field<'_>], seed: Seed) -> Vec<(usize, usize)> {
    let mut groups: Vec<(usize, Vec<usize>)> = Vec::new();
    for (at, field) in fields.iter().enumerate() {
        let mut by_cause = BTreeMap::<_, Vec<usize>>::new();
        for (place, strike) in field.strikes.iter().enumerate() {
            by_cause.entry(group(strike)).or_default().push(place);
        }
        let mut draws = seed.stream(&format!("faults at {}", field.trial.case.id));
        for mut places in by_cause.into_values() {
            let mut drawn = Vec::with_capacity(places.len());
            while !places.is_empty() {
                let pick = usize::try_from(draws.below(places.len() as u64)).unwrap_or_default();
                drawn.push(places.swap_remove(pick));
            }
            groups.push((at, drawn));
        }
    }
    let longest = groups.iter().map(|(_, places)| places.len()).max().unwrap_or_default();
    let round = |nth: usize| {
        let mut round: Vec<(usize, usize, usize)> = Vec::new();
        let mut turn = BTreeMap::<usize, usize>::new();
        for (field, places) in &groups {
            if let Some(place) = places.get(nth) {
                let turn = turn.entry(*field).or_default();
                round.push((*turn, *field, *place));
                *turn += 1;
            }
        }
        round.sort_unstable();
        round.into_iter().map(|(_, field, place)| (field, place))
    };
    (0..longest).flat_map(round).collect()
}

impl<'a> Field<'a> {
    /// The faults of a case that is explored and came to an end on the rig.
    fn of(runs: &Runs<'_>, played: &'a Played) -> Option<Self> {
        if !played.case.explored || !matches!(played.verdict, Verdict::Pass | Verdict::Fail) {
            return None;
        }
        let trial = Trial::new(played.case, &runs.plan.design).ok()?;
        let wires = Wires::of(&runs.plan.rig, &trial.wiring().ok()?);
        let mut strikes = strikes_at(&trial, &played.visits).ok()?;
        strikes.retain(|strike| wires.takes(strike));
        let sites = played.visits.iter().filter(|visit| wires.has(&visit.site.place)).count() as u64;
        Some(Self { played, trial, sites, strikes, struck: Vec::new(), missed: 0 })
    }

    /// Runs the case with one fault more. `Some(None)` if the run never came to the fault's site, `None` if it was
    /// stopped in its middle.
    fn strike(
        &self,
        runs: &Runs<'_>,
        slot: usize,
        at: usize,
    ) -> Result<Option<Option<Struck>>, ReplayWriteError> {
        let (trial, strike) = (&self.trial, &self.strikes[at]);
        let plan = trial.plan_with(strike);
        let id = format!("{} + {}", trial.case.id, short(strike));
        let Some(made) = runs.make(slot, trial, &runs.plan.design, id, &plan)? else { return Ok(None) };
        let violated: BTreeSet<String> =
            made.record.violations.iter().map(|violation| violation.requirement.clone()).collect();
        let fresh = violated.iter().any(|id| !self.played.violated.contains(id));
        let last = plan.strikes.len() - 1;
        if made.not_reached.contains(&last) && !fresh {
            return Ok(Some(None));
        }
        let verdict = if made.idle { Verdict::Pass } else { made.record.verdict };
        let why = made.record.why.clone();
        let tape = made.record.tape_digest.clone();
        let made = fresh.then(|| Box::new(made));
        Ok(Some(Some(Struck { verdict, why, violated, tape, made })))
    }

    /// What it came to; the first failure of each cause is run again and put among the examples.
    fn record(
        mut self,
        runs: &Runs<'_>,
        any: bool,
        examples: &mut Vec<CaseRecord>,
    ) -> Result<ExplorationRecord, ReplayWriteError> {
        self.struck.sort_by_key(|(at, _)| *at);
        if runs.bench(0).repeats() {
            let told = self.struck.iter().filter(|(_, struck)| struck.verdict != Verdict::Broken);
            let told = told.map(|(at, struck)| {
                let violated: Vec<&str> = struck.violated.iter().map(String::as_str).collect();
                Listed::new(self.strikes[*at].clone(), struck.tape.clone(), &violated)
            });
            runs.list(&self.trial, told)?;
        }
        let mut firsts: BTreeMap<(String, String), (usize, u64)> = BTreeMap::new();
        for (place, (at, struck)) in self.struck.iter().enumerate() {
            let cause = words(group(&self.strikes[*at]));
            for id in struck.violated.iter().filter(|id| !self.played.violated.contains(id)) {
                firsts.entry((id.clone(), cause.clone())).or_insert((place, 0)).1 += 1;
            }
        }
        let by_kind = self.rows(|strike| strike.fault.kind());
        let by_place = self.rows(|strike| &strike.site.place);
        let map = self.map();
        let mut shown: BTreeMap<usize, CaseRecord> = BTreeMap::new();
        let mut causes = Vec::new();
        for ((requirement, cause), (place, count)) in firsts {
            if !shown.contains_key(&place)
                && let Some(mut made) = self.struck[place].1.made.take()
            {
                let number = examples.len() + shown.len() + 1;
                runs.keep(&mut made, &self.trial, &runs.plan.design, number)?;
                runs.run_again(0, &self.trial, &mut made);
                shown.insert(place, made.record);
            }
            let example = shown.get(&place);
            causes.extend(example.and_then(|run| cause_record(run, &requirement, &cause, count)));
        }
        examples.extend(shown.into_values());
        let (verdict, why) = self.verdict(!causes.is_empty(), any);
        let (total, struck) = (self.strikes.len() as u64, self.struck.len() as u64);
        Ok(ExplorationRecord {
            system: self.trial.case.system.as_str().to_owned(),
            bench: runs.bench(0).name().to_owned(),
            policy: runs.plan.design.policy.to_string(),
            case: self.trial.case.id.to_owned(),
            faults_a_run: 1,
            sites: self.sites,
            faults_total: total,
            faults_struck: struck,
            faults_merged: 0,
            by_kind,
            by_place,
            map,
            causes,
            complete: struck == total && verdict != Verdict::Broken,
            verdict,
            why,
        })
    }

    /// What was struck and what came of it, by site and kind of fault.
    fn map(&self) -> Vec<FaultRowRecord> {
        let told = self.struck.iter().map(|(at, struck)| {
            let fresh = struck.violated.iter().filter(|id| !self.played.violated.contains(*id));
            let unclear = matches!(struck.verdict, Verdict::Inconclusive | Verdict::Broken);
            (*at, fresh.map(String::as_str).collect(), unclear)
        });
        FaultMap::of(&self.strikes, told)
    }

    /// How much was struck, by what strikes are told apart by here.
    fn rows(&self, by: impl Fn(&Strike) -> &str) -> Vec<KindRecord> {
        let mut rows: BTreeMap<&str, (BTreeSet<&Site>, [u64; 3])> = BTreeMap::new();
        for strike in &self.strikes {
            let row = rows.entry(by(strike)).or_default();
            row.0.insert(&strike.site);
            row.1[0] += 1;
        }
        for (at, struck) in &self.struck {
            let (_, counts) = rows.entry(by(&self.strikes[*at])).or_default();
            let fresh = struck.violated.iter().filter(|id| !self.played.violated.contains(id));
            (counts[1], counts[2]) = (counts[1] + 1, counts[2] + fresh.count() as u64);
        }
        let row = |(kind, (sites, counts)): (&str, (BTreeSet<&Site>, [u64; 3]))| {
            let [total, values, violations] = counts;
            KindRecord { kind: kind.to_owned(), sites: sites.len() as u64, total, values, violations }
        };
        rows.into_iter().map(row).collect()
    }

    /// The worst of its runs. Where nothing was struck for want of time, `any` says whether others were.
    fn verdict(&self, violated: bool, any: bool) -> (Verdict, Option<String>) {
        let missed = match self.missed {
            0 => None,
            missed => Some(format!("{missed} more were planned whose sites their runs never came to")),
        };
        let of = |wanted: Verdict| {
            let first = self.struck.iter().find(|(_, struck)| struck.verdict == wanted)?;
            let why = first.1.why.clone().unwrap_or_default();
            Some(format!("{}: {why}", self.strikes[first.0]))
        };
        if let Some(why) = of(Verdict::Broken) {
            return (Verdict::Broken, Some(why));
        }
        if violated {
            return (Verdict::Fail, missed);
        }
        // A run that fails as the case alone fails has nothing new to say.
        if let Some(why) = of(Verdict::Inconclusive) {
            return (Verdict::Inconclusive, Some(why));
        }
        match (self.struck.is_empty(), any) {
            (false, _) => (Verdict::Pass, missed),
            (true, true) => {
                (Verdict::Skipped, Some("the budget was spent before its first fault".to_owned()))
            }
            (true, false) => {
                (Verdict::Inconclusive, Some("no fault was struck within the budget".to_owned()))
            }
        }
    }
}

fn cause_record(run: &CaseRecord, requirement: &str, cause: &str, count: u64) -> Option<CauseRecord> {
    let violation = run.violations.iter().find(|violation| violation.requirement == requirement)?;
    Some(CauseRecord {
        requirement: requirement.to_owned(),
        cause: cause.to_owned(),
        count,
        example: ExampleRecord {
            seed: run.seed,
            violation: violation.clone(),
            plan: run.plan.clone(),
            replay: run.replay.clone(),
            tape_digest: run.tape_digest.clone(),
            trace: run.trace.clone(),
        },
    })
}
