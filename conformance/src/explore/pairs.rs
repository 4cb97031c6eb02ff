//! Pairs of faults: a second one after the first, and during the recovery from it, wherever that is something new.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use assay_reports::text::{counted, grouped};
use assay_reports::{CauseRecord, ExampleRecord, ExplorationRecord};
use assay_sim::fault::{FaultPlan, Strike};
use assay_sim::tabletop::Visit;
use assay_sim::tape::Keep;

use super::causes::{ALONE, Rows, group, short, verdict, words};
use super::survey::{Counts, Mask, Survey, base, key, representatives};
use super::{Explored, FaultMap, Struck, values};
use crate::campaign::{Came, Keeper, Kept, Made, Share};
use crate::interrupt::Stop;
use crate::progress::Progress;
use crate::record::{Subject, case_record};
use crate::replay::{self, Replay, ReplayWriteError};
use crate::rig_bench::Bench;
use crate::trial::{Design, KEPT, Run, Trial, Watch};
use crate::work::in_order;

/// How many first faults are taken at a time: each is run alone, and then with what is struck after it.
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
    /// Where its runs are kept, if they are, and which case of the campaign it is: a unit for the golden run, and one
    /// for each first fault, with the run of that fault alone as 0.
    pub kept: Option<(&'a Keeper, u64)>,
}

/// A first fault, and what a run with it alone goes through.
pub(super) struct First {
    /// The sites gone through after it, each with the faults that are struck there.
    pub(super) after: Vec<(Visit, Vec<Strike>)>,
    /// Where the run stands at each of them.
    pub(super) marks: Vec<u128>,
    pub(super) struck: Struck,
}

/// A first fault with what is to be done about it.
struct Turn<'a> {
    strike: &'a Strike,
    mask: &'a Mask,
    kept: Option<Kept<'a>>,
    share: Share,
}

impl Turn<'_> {
    /// Whether all its runs will be known.
    fn is_whole(&self) -> bool {
        (self.share.known.len() + self.share.wanted.len()) as u64 == 1 + self.mask.struck
    }

    fn wants(&self, number: u64) -> bool {
        self.share.wanted.binary_search(&number).is_ok()
    }

    fn known(&self, number: u64) -> Option<Struck> {
        let at = self.share.known.binary_search_by_key(&number, |(number, _)| *number).ok()?;
        Some(self.share.known[at].1.outcome.struck())
    }
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

impl PairExploration<'_> {
    /// Carries it out, as far as it gets before a stop falls due.
    ///
    /// Errors: a replay file that cannot be written.
    pub fn carry_out(&self, stop: &Stop) -> Result<Explored, ReplayWriteError> {
        let survey = self.survey(stop);
        let found = self.strike_all(&survey, stop);
        self.record(found, survey.sites, survey.firsts.len(), &survey.golden.violated)
    }

    /// The same without a record: all that is left is in the store.
    pub(crate) fn strike(&self, stop: &Stop) {
        self.strike_all(&self.survey(stop), stop);
    }

    /// Lists what there is to strike, as far as that gets before a stop falls due.
    fn survey(&self, stop: &Stop) -> Survey {
        let watch = Watch { branches: self.kept.is_some(), ..Watch::MARKS };
        let run = self.run(&self.trial.own, watch, stop);
        let (visits, marks) = gone_through(&run);
        let firsts: Vec<Strike> = self.seconds(&visits).into_iter().flatten().collect();
        let golden = Struck::of(&run);
        let (counts, masks) = (Counts::default(), Vec::new());
        let mut survey = Survey { sites: visits.len(), firsts, golden, counts, masks };
        if let Some((keeper, case)) = self.kept {
            let kept = keeper.unit(base(case), true);
            let share = kept.share(0..1);
            if (!share.known.is_empty() || !share.wanted.is_empty()) && !survey.golden.stopped() {
                self.put(&kept, 0, &run, &survey.golden, &|| ALONE.to_owned(), &[], &self.trial.own);
            }
            if keeper.halted() || survey.read(&keeper.units(), base(case)) {
                return survey;
            }
        }
        if survey.golden.broken.is_none() && survey.golden.breach.is_none() {
            let seen = visits.iter().zip(&marks).map(|(visit, mark)| key(*mark, visit)).collect();
            survey.look(|first| self.first(first, Watch::MARKS, stop).0, self.merge, seen, stop);
        }
        if let Some((keeper, case)) = self.kept.filter(|_| survey.is_whole()) {
            keeper.put_units(&survey.units(self.trial.case.id, base(case)));
        }
        survey
    }

    /// Strikes what is to be struck, and says what all of it came to that is known by then.
    fn strike_all(&self, survey: &Survey, stop: &Stop) -> Found {
        let Counts { total, by_kind, by_place, map } = survey.counts.clone();
        let (by_kind, by_place, map) = (Rows::of(by_kind), Rows::of(by_place), FaultMap::counted(map));
        let mut found = Found { total, by_kind, by_place, map, ..Found::default() };
        let alone = |what: &dyn std::fmt::Display| format!("without a further fault: {what}");
        found.broken.extend(survey.golden.broken.iter().map(|broken| alone(broken)));
        found.breaches.extend(survey.golden.breach.iter().map(|breach| alone(breach)));
        let progress = Progress::new(survey.firsts.len(), self.trial.case.id);
        progress.tell(&format!(
            "Exploring {} with two faults a run: {} of {} first faults, {} in all.",
            self.trial.case.id,
            counted(survey.sites as u64, "site"),
            grouped(survey.firsts.len() as u64),
            counted(found.total, "schedule"),
        ));
        if found.broken.is_empty() && found.breaches.is_empty() && survey.is_whole() {
            let all: Vec<(u64, (&Strike, &Mask))> =
                (1..).zip(survey.firsts.iter().zip(&survey.masks)).collect();
            for block in all.chunks(BLOCK) {
                let halted = self.kept.is_some_and(|(keeper, _)| keeper.halted());
                let turns: Vec<Turn<'_>> =
                    block.iter().map(|(nth, (first, mask))| self.turn(*nth, first, mask)).collect();
                if stop.due() || halted || !self.block(&turns, &survey.golden.violated, &mut found, stop) {
                    break;
                }
                block.iter().for_each(|_| progress.step());
            }
        }
        found
    }

    fn turn<'b>(&'b self, nth: u64, strike: &'b Strike, mask: &'b Mask) -> Turn<'b> {
        let kept = self.kept.map(|(keeper, case)| keeper.unit(base(case) + nth, true));
        let all = || Share { known: Vec::new(), wanted: (0..=mask.struck).collect() };
        let share = kept.map_or_else(all, |kept| kept.share(0..mask.struck + 1));
        Turn { strike, mask, kept, share }
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
    fn first(&self, strike: &Strike, watch: Watch, stop: &Stop) -> (First, Run) {
        let run = self.run(&self.trial.plan_with(strike), watch, stop);
        let (visits, marks) = gone_through(&run);
        let seconds = self.seconds(&visits);
        let from =
            visits.iter().position(|visit| visit.site == strike.site).map_or(visits.len(), |at| at + 1);
        let after = visits.into_iter().zip(seconds).skip(from).collect();
        let struck = Struck::of(&run);
        (First { after, marks: marks.get(from..).unwrap_or_default().to_vec(), struck }, run)
    }

    /// The same, and keeps it.
    fn first_of(&self, turn: &Turn<'_>, alone: &[&'static str], stop: &Stop) -> First {
        let watch = Watch { branches: self.kept.is_some(), ..Watch::VISITS };
        let (first, run) = self.first(turn.strike, watch, stop);
        if let Some(kept) = turn.kept.filter(|_| turn.wants(0) && !first.struck.stopped()) {
            let plan = self.trial.plan_with(turn.strike);
            self.put(&kept, 0, &run, &first.struck, &|| words(group(turn.strike)), alone, &plan);
        }
        first
    }

    /// Strikes every second fault after some first ones; whether it came to the end of that.
    fn block(&self, turns: &[Turn<'_>], alone: &[&'static str], found: &mut Found, stop: &Stop) -> bool {
        let needed: Vec<&Turn<'_>> = turns.iter().filter(|turn| turn.share != Share::default()).collect();
        let mut ran: Vec<First> = Vec::new();
        in_order(&needed, stop, |turn| self.first_of(turn, alone, stop), |_, first| ran.push(first));
        if ran.len() < needed.len() || ran.iter().any(|first| first.struck.stopped()) {
            return false;
        }
        for (first, turn) in ran.iter().zip(&needed) {
            let Struck { broken, breach, .. } = &first.struck;
            found.broken.extend(broken.iter().map(|broken| format!("{} {broken}", turn.strike)));
            found.breaches.extend(breach.iter().map(|breach| format!("{} {breach}", turn.strike)));
        }
        let mut jobs: Vec<(usize, u64, &Strike)> = Vec::new();
        for (nth, (first, turn)) in ran.iter().zip(&needed).enumerate() {
            let here = |number: u64| turn.wants(number) || turn.known(number).is_some();
            let seconds = turn.mask.seconds(first).filter(|(number, _)| here(*number));
            jobs.extend(seconds.map(|(number, second)| (nth, number, second)));
        }
        let work = |(nth, number, second): &(usize, u64, &Strike)| {
            let turn = needed[*nth];
            let excused = [alone, &ran[*nth].struck.violated].concat();
            turn.known(*number).or_else(|| self.pair(turn, *number, second, &excused, stop))
        };
        let mut done = 0;
        in_order(&jobs, stop, work, |at, result| {
            let Some(result) = result else { return };
            done += 1;
            let (nth, _, second) = jobs[at];
            let excused =
                |id: &&&'static str| !alone.contains(*id) && !ran[nth].struck.violated.contains(*id);
            let new: Vec<&'static str> = result.violated.iter().filter(excused).copied().collect();
            self.keep([needed[nth].strike, second], result, new, found, stop);
        });
        if done < jobs.len() {
            return false;
        }
        for turn in turns.iter().filter(|turn| turn.is_whole()) {
            found.firsts += 1;
            found.merged += turn.mask.merged;
        }
        true
    }

    /// Strikes a second fault; `None` if it was stopped in its middle, or there is no use in it.
    fn pair(
        &self,
        turn: &Turn<'_>,
        number: u64,
        second: &Strike,
        excused: &[&'static str],
        stop: &Stop,
    ) -> Option<Struck> {
        let plan = self.plan_of(turn.strike, second);
        let Some(kept) = &turn.kept else {
            let struck = Struck::last_of(&plan, &self.run(&plan, Watch::PLAIN, stop));
            return Some(struck).filter(|struck| !struck.stopped());
        };
        if kept.halted() {
            return None;
        }
        let run = self.run(&plan, Watch { branches: true, ..Watch::PLAIN }, stop);
        let struck = Some(Struck::last_of(&plan, &run)).filter(|struck| !struck.stopped())?;
        self.put(kept, number, &run, &struck, &|| cause_of(turn.strike, second), excused, &plan);
        Some(struck)
    }

    #[expect(clippy::too_many_arguments, reason = "a run, what it came to, and what is to blame")]
    fn put(
        &self,
        kept: &Kept<'_>,
        number: u64,
        run: &Run,
        struck: &Struck,
        cause: &dyn Fn() -> String,
        excused: &[&'static str],
        plan: &FaultPlan,
    ) {
        let (case, design, bench) = (&self.trial.case, self.design, &Bench::Tabletop);
        let came = Came::of_struck(run, struck);
        kept.put(number, &Made { came, cause, excused, run, case, design, bench, plan });
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
            let cause = cause_of(first, second);
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

/// What is to blame in words.
fn cause_of(first: &Strike, second: &Strike) -> String {
    format!("{}, then {}", words(group(first)), words(group(second)))
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
    use crate::campaign::standing::root;
    use crate::campaign::{Mode, Store};
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
            let exploration = PairExploration {
                trial: &trial,
                design: &design,
                out,
                first_number: 0,
                merge: true,
                kept: None,
            };
            let stop = Stop::default();
            let golden = exploration.run(&trial.own, Watch::MARKS, &stop);
            let (visits, _) = gone_through(&golden);
            let firsts: Vec<Strike> = exploration.seconds(&visits).into_iter().flatten().collect();
            // Faults at one site are the likeliest to come to the same.
            let apart = firsts.len() / FIRSTS * TOGETHER;
            let mut seen: BTreeMap<u128, (Strike, Vec<Strike>)> = BTreeMap::new();
            let mut compared = 0;
            for (_, first) in firsts.into_iter().enumerate().filter(|(nth, _)| nth % apart < TOGETHER) {
                let (after, _) = exploration.first(&first, Watch::MARKS, &stop);
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
        let exploration = PairExploration {
            trial: &trial,
            design: &design,
            out: dir,
            first_number: 0,
            merge: true,
            kept: None,
        };
        let stop = Stop::default();
        let mut survey = exploration.survey(&stop);
        survey.firsts.truncate(BLOCK);
        survey.masks.truncate(BLOCK);
        let total: u64 = survey.masks.iter().map(|mask| mask.struck + mask.merged).sum();
        let found = exploration.strike_all(&survey, &stop);
        assert_eq!(found.struck + found.merged, total);
        assert!(found.merged > 0 && found.struck > 0 && found.causes.is_empty(), "{:?}", found.causes);
    }

    #[test]
    fn shares_of_pairs_come_together_as_one() {
        let case =
            suite::cases().into_iter().find(|case| case.id == "pos/off-line/booked-and-drained").unwrap();
        let design = Design::new(PolicyName::Hardened, Seed(0));
        let trial = Trial::new(case, &design).unwrap();
        let stop = Stop::default();
        let begin = || Store::in_memory("id").unwrap();
        let made = |store: Option<Store>, mode, shard: &str| {
            let keeper = store.map(|store| Keeper::new(store, mode, shard.parse().unwrap()).unwrap());
            let (out, kept) = (PathBuf::new(), keeper.as_ref().map(|keeper| (keeper, 0)));
            let exploration =
                PairExploration { trial: &trial, design: &design, out, first_number: 0, merge: true, kept };
            let mut survey = exploration.survey(&stop);
            survey.firsts.truncate(BLOCK / 2);
            survey.masks.truncate(BLOCK / 2);
            let found = exploration.strike_all(&survey, &stop);
            let seen = keeper.map(|keeper| keeper.finish().unwrap());
            ((found.struck, found.merged, found.firsts, found.by_kind.into_records()), seen)
        };
        let (plain, _) = made(None, Mode::Record, "1/1");
        let (whole, alone) = made(Some(begin()), Mode::Record, "1/1");
        assert_eq!((whole, plain.2), (plain.clone(), BLOCK / 2));
        let mut merged = begin();
        for shard in ["2/2", "1/2"] {
            let (part, seen) = made(Some(begin()), Mode::Record, shard);
            assert!(part.0 > 0 && part.0 < plain.0, "{part:?}");
            merged.merge(&seen.unwrap().store).unwrap();
        }
        let alone = alone.unwrap();
        assert_eq!(alone.made, 1 + plain.2 as u64 + plain.0);
        assert_eq!(root(&merged).unwrap(), root(&alone.store).unwrap());
        let (repeated, seen) = made(Some(merged), Mode::Repeat, "1/1");
        let seen = seen.unwrap();
        assert_eq!((repeated, seen.made), (plain.clone(), alone.made));
        assert!(seen.difference.is_none());
        let (read, seen) = made(Some(seen.store), Mode::Read, "1/1");
        assert_eq!((read, seen.unwrap().made), (plain, 0));
    }
}
