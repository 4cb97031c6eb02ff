//! Pairs of faults: a second one after the first, and during the recovery from it, wherever that is something new.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use assay_reports::text::{counted, grouped};
use assay_reports::{CauseRecord, ExampleRecord, ExplorationRecord};
use assay_sim::digest::Digest;
use assay_sim::fault::{FaultPlan, Strike};
use assay_sim::tabletop::Visit;
use assay_sim::tape::Keep;
use assay_sim::time::Instant;

use super::causes::{Rows, group, short, verdict, words};
use super::{Explored, FaultMap, Struck, values, victim};
use crate::interrupt::Stop;
use crate::progress::Progress;
use crate::record::{Subject, case_record};
use crate::replay::{self, Replay, ReplayWriteError};
use crate::rig_bench::Bench;
use crate::stage::StageError;
use crate::trial::{Broken, Design, KEPT, Run, Trial, Watch};
use crate::work::in_order;

/// How many first faults are taken at a time: what is new after each is decided in their order, and then struck.
const BLOCK: usize = 16;

/// An exploration of pairs to carry out, on the tabletop.
pub struct PairExploration<'a> {
    /// The case.
    pub trial: &'a Trial,
    /// On which design.
    pub design: &'a Design,
    /// The report's directory, which takes the replay files.
    pub out: PathBuf,
    /// How many replay files of the case there are already.
    pub first_number: usize,
    /// Whether schedules that lead to the same state are struck once.
    pub merge: bool,
}

/// A first fault, and what a run with it alone goes through.
struct First {
    /// The sites gone through after it, each with the faults that are struck there.
    after: Vec<(Visit, Vec<Strike>)>,
    /// Where the run stands at each of them.
    marks: Vec<u128>,
    struck: Struck,
}

/// Everything that has been found so far.
#[derive(Default)]
struct Found {
    total: u64,
    struck: u64,
    merged: u64,
    by_kind: Rows,
    by_place: Rows,
    map: FaultMap,
    /// By requirement and the groups of both faults, in words: how often, and the first pair.
    causes: BTreeMap<(&'static str, String), (u64, [Strike; 2])>,
    broken: Vec<String>,
    breaches: Vec<String>,
    not_reached: Vec<Strike>,
    /// How many first faults are done with.
    firsts: usize,
}

/// One of each kind of fault and victim at each site: the middle one of its values.
fn representatives(strikes: Vec<Strike>) -> Vec<Strike> {
    let mut groups: Vec<Vec<Strike>> = Vec::new();
    for strike in strikes {
        let same = |group: &&mut Vec<Strike>| {
            group[0].fault.kind() == strike.fault.kind() && victim(&group[0]) == victim(&strike)
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.push(strike),
            None => groups.push(vec![strike]),
        }
    }
    groups.into_iter().map(|mut group| group.swap_remove(group.len() / 2)).collect()
}

/// Where a run stands at a site, whatever the site's count there.
fn key(mark: u128, visit: &Visit) -> u128 {
    let mut key = Digest::new(Instant::ZERO);
    let site = &visit.site;
    key.bytes(&mark.to_le_bytes()).text(&site.place).text(&site.name);
    key.word(site.way.map_or(2, |way| way.index() as u64)).word(site.address.map_or(u64::MAX, u64::from));
    key.finish()
}

impl PairExploration<'_> {
    /// Carries it out, as far as it gets before a stop falls due.
    ///
    /// Errors: a replay file that cannot be written.
    pub fn carry_out(&self, stop: &Stop) -> Result<Explored, ReplayWriteError> {
        let golden = self.run(&self.trial.own, Watch::MARKS, stop);
        let (visits, marks) = gone_through(&golden);
        let firsts: Vec<Strike> = self.seconds(&visits).into_iter().flatten().collect();
        let mut found = Found::default();
        found.broken.extend(golden.broken.iter().map(|broken| format!("without a further fault: {broken}")));
        found.breaches.extend(golden.breach().map(|breach| format!("without a further fault: {breach}")));
        // A single fault strikes wherever the golden run goes, so a pair is new only where the first has led elsewhere.
        let mut seen: BTreeSet<u128> =
            visits.iter().zip(&marks).map(|(visit, mark)| key(*mark, visit)).collect();
        let alone = golden.violated();
        let totals = self.totals(&firsts, &mut found, stop);
        let progress = Progress::new(firsts.len(), self.trial.case.id);
        progress.tell(&format!(
            "Exploring {} with two faults a run: {} of {} first faults, {} in all.",
            self.trial.case.id,
            counted(visits.len() as u64, "site"),
            grouped(firsts.len() as u64),
            counted(found.total, "schedule"),
        ));
        if found.broken.is_empty() && found.breaches.is_empty() && totals {
            for block in firsts.chunks(BLOCK) {
                if stop.due() || !self.block(block, &alone, &mut seen, &mut found, stop) {
                    break;
                }
                block.iter().for_each(|_| progress.step());
            }
        }
        drop(progress);
        self.record(found, visits.len(), firsts.len(), &alone)
    }

    fn run(&self, plan: &FaultPlan, watch: Watch, stop: &Stop) -> Run {
        self.trial.run_on(&Bench::Tabletop, plan, Keep::Last(KEPT), stop, watch)
    }

    /// The faults that are struck at each of these sites.
    fn seconds(&self, visits: &[Visit]) -> Vec<Vec<Strike>> {
        // A plan that does not fit has been told by the golden run.
        let Ok(wiring) = self.trial.wiring() else { return vec![Vec::new(); visits.len()] };
        let all = values::by_visit(visits, &wiring, self.trial.domain());
        all.into_iter().map(representatives).collect()
    }

    /// Runs with a first fault alone.
    fn first(&self, strike: &Strike, watch: Watch, stop: &Stop) -> First {
        let run = self.run(&self.trial.plan_with(strike), watch, stop);
        let (visits, marks) = gone_through(&run);
        let seconds = self.seconds(&visits);
        let from =
            visits.iter().position(|visit| visit.site == strike.site).map_or(visits.len(), |at| at + 1);
        let after = visits.into_iter().zip(seconds).skip(from).collect();
        let breach = run.breach().map(str::to_owned);
        let struck = Struck { violated: run.violated(), reached: true, broken: run.broken, breach };
        First { after, marks: marks.get(from..).unwrap_or_default().to_vec(), struck }
    }

    /// Counts what there is to strike; whether that was finished.
    fn totals(&self, firsts: &[Strike], found: &mut Found, stop: &Stop) -> bool {
        let mut counted = 0;
        let work = |strike: &Strike| self.first(strike, Watch::VISITS, stop);
        in_order(firsts, stop, work, |_, first| {
            counted += 1;
            for (visit, strikes) in &first.after {
                found.total += strikes.len() as u64;
                for strike in strikes {
                    found.by_kind.count(strike.fault.kind(), &visit.site);
                    found.by_place.count(&visit.site.place, &visit.site);
                    found.map.count(strike);
                }
            }
        });
        counted == firsts.len()
    }

    /// Strikes every second fault after some first ones; whether all of them were.
    fn block(
        &self,
        block: &[Strike],
        alone: &[&'static str],
        seen: &mut BTreeSet<u128>,
        found: &mut Found,
        stop: &Stop,
    ) -> bool {
        let mut ran: Vec<First> = Vec::new();
        in_order(block, stop, |strike| self.first(strike, Watch::MARKS, stop), |_, first| ran.push(first));
        let (mut jobs, mut merged) = (Vec::new(), 0);
        for (nth, first) in ran.iter().enumerate() {
            if let Some(broken) = &first.struck.broken {
                if *broken == Broken::Stage(StageError::Stopped) {
                    return false;
                }
                found.broken.push(format!("{} {broken}", block[nth]));
            }
            found
                .breaches
                .extend(first.struck.breach.iter().map(|breach| format!("{} {breach}", block[nth])));
            for ((visit, strikes), mark) in first.after.iter().zip(&first.marks) {
                if self.merge && !seen.insert(key(*mark, visit)) {
                    merged += strikes.len() as u64;
                } else {
                    jobs.extend(strikes.iter().map(|second| (nth, second)));
                }
            }
        }
        if ran.len() < block.len() {
            return false;
        }
        let mut done = 0;
        let work = |(nth, second): &(usize, &Strike)| self.pair(&block[*nth], second, stop);
        in_order(&jobs, stop, work, |at, result| {
            if result.broken == Some(Broken::Stage(StageError::Stopped)) {
                return;
            }
            done += 1;
            let (nth, second) = jobs[at];
            let excused =
                |id: &&&'static str| !alone.contains(*id) && !ran[nth].struck.violated.contains(*id);
            let new: Vec<&'static str> = result.violated.iter().filter(excused).copied().collect();
            self.keep([&block[nth], second], result, new, found, stop);
        });
        let whole = done == jobs.len();
        if whole {
            found.firsts += block.len();
            found.merged += merged;
        }
        whole
    }

    fn pair(&self, first: &Strike, second: &Strike, stop: &Stop) -> Struck {
        let plan = self.plan_of(first, second);
        Struck::last_of(&plan, self.run(&plan, Watch::PLAIN, stop))
    }

    /// The case's own faults and both of a pair.
    fn plan_of(&self, first: &Strike, second: &Strike) -> FaultPlan {
        let mut plan = self.trial.plan_with(first);
        plan.strikes.push(second.clone());
        plan
    }

    /// Keeps what a pair has led to and the first of the two alone has not.
    fn keep(
        &self,
        pair: [&Strike; 2],
        result: Struck,
        mut new: Vec<&'static str>,
        found: &mut Found,
        stop: &Stop,
    ) {
        let [first, second] = pair;
        found.struck += 1;
        if !new.is_empty() {
            let second_alone = self.run(&self.trial.plan_with(second), Watch::PLAIN, stop).violated();
            new.retain(|id| !second_alone.contains(id));
        }
        found.by_kind.strike(second.fault.kind(), new.len());
        found.by_place.strike(&second.site.place, new.len());
        found.map.strike(second, &new, result.is_unclear());
        let both = || format!("{first} Then: {second}");
        found.broken.extend(result.broken.iter().map(|broken| format!("{} {broken}", both())));
        found.breaches.extend(result.breach.iter().map(|breach| format!("{} {breach}", both())));
        if !result.reached {
            found.not_reached.push(second.clone());
        }
        for requirement in new {
            let cause = format!("{}, then {}", words(group(first)), words(group(second)));
            let example = || (0, [first.clone(), second.clone()]);
            found.causes.entry((requirement, cause)).or_insert_with(example).0 += 1;
        }
    }

    fn record(
        &self,
        found: Found,
        sites: usize,
        firsts: usize,
        alone: &[&'static str],
    ) -> Result<Explored, ReplayWriteError> {
        let (mut causes, mut examples, mut shown) = (Vec::new(), Vec::new(), BTreeSet::new());
        for (number, ((requirement, cause), (count, pair))) in found.causes.into_iter().enumerate() {
            let (record, example) = self.example(requirement, &pair, self.first_number + number + 1)?;
            causes.push(CauseRecord { requirement: requirement.to_owned(), cause, count, example });
            if shown.insert(requirement) {
                examples.push(record);
            }
        }
        let failed = !causes.is_empty() || !alone.is_empty();
        let struck = usize::try_from(found.struck).unwrap_or(usize::MAX);
        let (verdict, why) = verdict(failed, &found.broken, &found.breaches, found.not_reached.len(), struck);
        let trial = self.trial;
        let record = ExplorationRecord {
            system: trial.case.system.as_str().to_owned(),
            bench: Bench::Tabletop.name().to_owned(),
            policy: self.design.policy.to_string(),
            case: trial.case.id.to_owned(),
            faults_a_run: 2,
            sites: sites as u64,
            faults_total: found.total,
            faults_struck: found.struck,
            faults_merged: found.merged,
            by_kind: found.by_kind.into_records(),
            by_place: found.by_place.into_records(),
            map: found.map.into_records(),
            complete: found.firsts == firsts && found.broken.is_empty() && found.breaches.is_empty(),
            verdict,
            why,
            causes,
        };
        let replays = record.causes.len();
        Ok(Explored { record, examples, not_reached: found.not_reached, replays })
    }

    /// A pair once more, with its whole tape.
    fn example(
        &self,
        requirement: &str,
        [first, second]: &[Strike; 2],
        number: usize,
    ) -> Result<(assay_reports::CaseRecord, ExampleRecord), ReplayWriteError> {
        let plan = self.plan_of(first, second);
        let file = replay::path(&self.out, &format!("{}-pairs", self.trial.case.id), number);
        let bench = Bench::Tabletop;
        let subject = Subject {
            id: format!("{} + {} + {}", self.trial.case.id, short(first), short(second)),
            case: &self.trial.case,
            design: self.design,
            bench: bench.name(),
            replay: Some(replay::command(&file)),
        };
        let run = bench.run(self.trial, &plan, &Stop::default());
        let mut record = case_record(&subject, &plan, &run);
        let replay = Replay::of(&record, &self.trial.case, self.design, &bench, &plan);
        replay::write(&file, &replay, &mut record, run.tape())?;
        let violation = record.violations.iter().find(|violation| violation.requirement == requirement);
        let example = ExampleRecord {
            seed: self.design.seed.0,
            violation: violation.expect("the same run violates the same").clone(),
            plan: record.plan.clone(),
            replay: record.replay.clone(),
            tape_digest: record.tape_digest.clone(),
            trace: record.trace.clone(),
        };
        Ok((record, example))
    }
}

/// The sites that a run went through, and where it stood there.
fn gone_through(run: &Run) -> (Vec<Visit>, Vec<u128>) {
    let outcome = run.outcome.as_ref();
    outcome.map(|outcome| (outcome.bench.visits.clone(), outcome.marks.clone())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use assay_sim::policy::PolicyName;
    use assay_sim::seed::Seed;

    use super::*;
    use crate::suite;

    /// How many of the first faults of a case are looked at.
    const FIRSTS: usize = 32;

    /// How many of them one after the other.
    const TOGETHER: usize = 8;

    fn end(exploration: &PairExploration<'_>, plan: &FaultPlan) -> (u128, Vec<&'static str>) {
        let run = exploration.run(plan, Watch::PLAIN, &Stop::default());
        (run.outcome.as_ref().map(|outcome| outcome.digest).unwrap_or_default(), run.violated())
    }

    /// Of schedules that are taken for the same, every so many-th is run, and so is the one that stands for it.
    #[test]
    fn merged_schedules_end_alike() {
        for (id, policy) in [
            ("pos/off-line/booked-and-drained", PolicyName::Hardened),
            ("pos/payment/clean", PolicyName::Published),
            ("water/server-durability/order-life", PolicyName::Published),
        ] {
            let case = suite::cases().into_iter().find(|case| case.id == id).unwrap();
            let design = Design::new(policy, Seed(0));
            let trial = Trial::new(case, &design).unwrap();
            let out = PathBuf::new();
            let exploration =
                PairExploration { trial: &trial, design: &design, out, first_number: 0, merge: true };
            let stop = Stop::default();
            let golden = exploration.run(&trial.own, Watch::MARKS, &stop);
            let (visits, _) = gone_through(&golden);
            let firsts: Vec<Strike> = exploration.seconds(&visits).into_iter().flatten().collect();
            // Faults at one site are the likeliest to come to the same.
            let apart = firsts.len() / FIRSTS * TOGETHER;
            let mut seen: BTreeMap<u128, (Strike, Vec<Strike>)> = BTreeMap::new();
            let mut compared = 0;
            for (_, first) in firsts.into_iter().enumerate().filter(|(nth, _)| nth % apart < TOGETHER) {
                let after = exploration.first(&first, Watch::MARKS, &stop);
                for (nth, ((visit, seconds), mark)) in after.after.into_iter().zip(after.marks).enumerate() {
                    let Some((other, same)) = seen.get(&key(mark, &visit)) else {
                        seen.insert(key(mark, &visit), (first.clone(), seconds));
                        continue;
                    };
                    if compared > 200 || seconds.is_empty() {
                        continue;
                    }
                    let second = nth % seconds.len();
                    let here = exploration.plan_of(&first, &seconds[second]);
                    let there = exploration.plan_of(other, &same[second]);
                    assert_eq!(end(&exploration, &here), end(&exploration, &there), "{here:?} and {there:?}");
                    compared += 1;
                }
            }
            assert!(compared > 20, "{id}: only {compared} were compared");
        }
    }

    #[test]
    fn every_schedule_is_struck_or_merged_with_one_that_is() {
        let case =
            suite::cases().into_iter().find(|case| case.id == "pos/off-line/booked-and-drained").unwrap();
        let design = Design::new(PolicyName::Hardened, Seed(0));
        let trial = Trial::new(case, &design).unwrap();
        let dir = std::env::temp_dir();
        let exploration =
            PairExploration { trial: &trial, design: &design, out: dir, first_number: 0, merge: true };
        let stop = Stop::default();
        let golden = exploration.run(&trial.own, Watch::MARKS, &stop);
        let (visits, marks) = gone_through(&golden);
        let firsts: Vec<Strike> = exploration.seconds(&visits).into_iter().flatten().collect();
        let mut found = Found::default();
        let mut seen = visits.iter().zip(&marks).map(|(visit, mark)| key(*mark, visit)).collect();
        assert!(exploration.totals(&firsts[..BLOCK], &mut found, &stop));
        assert!(exploration.block(&firsts[..BLOCK], &[], &mut seen, &mut found, &stop));
        assert_eq!(found.struck + found.merged, found.total);
        assert!(found.merged > 0 && found.struck > 0 && found.causes.is_empty(), "{:?}", found.causes);
    }
}
