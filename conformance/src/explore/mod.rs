//! Exploration: a golden run lists the sites, and every fault strikes at every site, one a run.

mod causes;
mod map;
mod pairs;
mod survey;
mod values;
mod wiring;

use std::path::PathBuf;

use assay_reports::text::{counted, grouped};
use assay_reports::{CaseRecord, ExplorationRecord, Verdict};
use assay_sim::fault::{Fault, FaultPlan, Strike};
use assay_sim::seed::Seed;
use assay_sim::tabletop::{PlanError, Visit};
use assay_sim::tape::Keep;

use crate::campaign::{Came, Kept, Made};
use crate::case::Case;
use crate::interrupt::Stop;
use crate::listed::{self, Listed};
use crate::progress::Progress;
use crate::record::{Subject, case_record};
use crate::replay::{Replay, ReplayWriteError};
use crate::rig_bench::Bench;
use crate::stage::StageError;
use crate::trial::{Broken, Design, KEPT, Run, Trial, Watch};
use crate::work::in_order;

pub(crate) use causes::{ALONE, group, short, words};
pub(crate) use map::FaultMap;
pub use pairs::PairExploration;
pub(crate) use survey::base;
pub use wiring::{Role, Wired, Wiring};

/// How much of the space is struck.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// All of it.
    Whole,
    /// Every so many-th fault, from this one on.
    Sample {
        /// The first, from 1.
        first: u64,
        /// How far apart.
        apart: u64,
    },
    /// So many of them, drawn.
    Drawn {
        /// What decides which.
        seed: Seed,
        /// How many.
        count: usize,
    },
    /// At most so many of each kind of fault at each name of a site, spread evenly over its values and counts.
    Each(usize),
}

/// The fault space of one case on one design.
pub struct Space {
    /// The case's run without further faults.
    pub golden: Run,
    /// The sites that it went through.
    pub visits: Vec<Visit>,
    /// Every fault at every site.
    pub strikes: Vec<Strike>,
}

impl Space {
    /// Lists the space by a golden run.
    pub fn of(trial: &Trial, stop: &Stop) -> Self {
        Self::on(&Bench::Tabletop, trial, stop)
    }

    /// Lists the space of a bench by a golden run on it.
    pub fn on(bench: &Bench, trial: &Trial, stop: &Stop) -> Self {
        Self::watched(bench, trial, stop, Watch::VISITS)
    }

    /// The same with more recorded of the golden run than its visits.
    pub(crate) fn watched(bench: &Bench, trial: &Trial, stop: &Stop, watch: Watch) -> Self {
        let golden = trial.run_on(bench, &trial.own, Keep::Last(KEPT), stop, watch);
        let visits = golden.outcome.as_ref().map(|outcome| outcome.bench.visits.clone()).unwrap_or_default();
        // The golden run has met the same error, and tells it.
        let strikes = strikes_at(trial, &visits).unwrap_or_default();
        Self { golden, visits, strikes }
    }

    /// The places in the space that an extent picks, in order.
    pub fn pick(&self, extent: Extent) -> Vec<usize> {
        let all = 0..self.strikes.len();
        match extent {
            Extent::Whole => all.collect(),
            Extent::Sample { first, apart } => {
                let first = usize::try_from(first.saturating_sub(1)).unwrap_or(usize::MAX);
                all.skip(first).step_by(usize::try_from(apart.max(1)).unwrap_or(usize::MAX)).collect()
            }
            Extent::Drawn { seed, count } => {
                let mut draws = seed.stream("sample of the fault space");
                let mut left: Vec<usize> = all.collect();
                let mut picked = Vec::new();
                while picked.len() < count && !left.is_empty() {
                    let at = usize::try_from(draws.below(left.len() as u64)).unwrap_or_default();
                    picked.push(left.swap_remove(at));
                }
                picked.sort_unstable();
                picked
            }
            Extent::Each(most) => {
                let mut picked: Vec<usize> =
                    self.by_cause().iter().flat_map(|group| spread(group, most)).collect();
                picked.sort_unstable();
                picked
            }
        }
    }

    /// The places in the space, those of one cause together: a kind of fault at a name of a site.
    pub fn by_cause(&self) -> Vec<Vec<usize>> {
        let mut groups = std::collections::BTreeMap::<_, Vec<usize>>::new();
        for (at, strike) in self.strikes.iter().enumerate() {
            groups.entry(causes::group(strike)).or_default().push(at);
        }
        groups.into_values().collect()
    }

    /// The faults of the space that differ from one in nothing but values tried earlier, the simplest first.
    pub fn simpler(&self, strike: &Strike) -> Vec<Strike> {
        let same = |other: &&Strike| {
            other.site == strike.site
                && other.fault.kind() == strike.fault.kind()
                && victim(other) == victim(strike)
        };
        self.strikes.iter().take_while(|other| *other != strike).filter(same).cloned().collect()
    }
}

pub(crate) fn victim(strike: &Strike) -> Option<&str> {
    match &strike.fault {
        Fault::Mishap(mishap) => Some(mishap.victim()),
        Fault::Fate(_) => None,
    }
}

/// So many of them, evenly spread, both ends included.
fn spread(all: &[usize], most: usize) -> Vec<usize> {
    if all.len() <= most || most < 2 {
        return all.iter().take(most).copied().collect();
    }
    (0..most).map(|place| all[place * (all.len() - 1) / (most - 1)]).collect()
}

/// Every fault at every one of these sites of a case, in the order of the visits.
///
/// Errors: the case's own plan does not fit its installation.
pub fn strikes_at(trial: &Trial, visits: &[Visit]) -> Result<Vec<Strike>, PlanError> {
    Ok(values::strikes(visits, &trial.wiring()?, trial.domain()))
}

/// What one struck run came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Struck {
    /// The requirements violated.
    pub violated: Vec<&'static str>,
    /// Whether the run came to the strike's site.
    pub reached: bool,
    /// What went wrong on our side.
    pub broken: Option<Broken>,
    /// How a party under test broke the contract of its seat.
    pub breach: Option<String>,
    /// The digest of its tape; nothing where there is no tape.
    pub tape: Option<u128>,
}

impl Struck {
    /// What a run under this plan came to, as to the plan's last strike.
    fn last_of(plan: &FaultPlan, run: &Run) -> Self {
        let last = plan.strikes.len() - 1;
        let reached = run.outcome.as_ref().is_none_or(|outcome| !outcome.bench.not_reached.contains(&last));
        Self { reached, ..Self::of(run) }
    }

    /// What a run came to under faults of no further interest.
    pub(crate) fn of(run: &Run) -> Self {
        let breach = run.breach().map(str::to_owned);
        let tape = run.outcome.as_ref().map(|outcome| outcome.bench.tape.digest());
        Self { violated: run.violated(), reached: true, broken: run.broken.clone(), breach, tape }
    }

    /// Whether the run was stopped in its middle, so that it was not made.
    pub(crate) fn stopped(&self) -> bool {
        self.broken == Some(Broken::Stage(StageError::Stopped))
    }

    /// Whether it says nothing about what the fault does.
    fn is_unclear(&self) -> bool {
        !self.reached || self.broken.is_some() || self.breach.is_some()
    }
}

/// Runs the case with one fault more, on the tabletop.
pub fn strike(trial: &Trial, strike: &Strike, stop: &Stop) -> Struck {
    strike_on(&Bench::Tabletop, trial, strike, stop)
}

/// Runs the case with one fault more.
pub fn strike_on(bench: &Bench, trial: &Trial, strike: &Strike, stop: &Stop) -> Struck {
    let plan = trial.plan_with(strike);
    let run = trial.run_on(bench, &plan, Keep::Last(KEPT), stop, Watch::PLAIN);
    Struck::last_of(&plan, &run)
}

/// An exploration to carry out.
pub struct Exploration<'a> {
    /// The case.
    pub trial: &'a Trial,
    /// On which design.
    pub design: &'a Design,
    /// On which bench.
    pub bench: &'a Bench,
    /// How much of it.
    pub extent: Extent,
    /// The report's directory, which takes the replay files.
    pub out: PathBuf,
    /// How many replay files of the case there are already.
    pub first_number: usize,
    /// Where its runs are kept, if they are: the golden run as 0, the others from 1 on.
    pub kept: Option<Kept<'a>>,
    /// Whether every run is listed in the report, so that whoever checks it can make each again.
    pub listed: bool,
}

/// What an exploration leaves.
pub struct Explored {
    /// For the report.
    pub record: ExplorationRecord,
    /// Of each requirement violated, a smallest example, as cases.
    pub examples: Vec<CaseRecord>,
    /// The strikes that their runs never came to.
    pub not_reached: Vec<Strike>,
    /// How many replay files have been written.
    pub replays: usize,
}

impl Explored {
    /// Of a case that cannot even be made ready.
    pub fn broken(case: &Case, design: &Design, bench: &Bench, why: String) -> Self {
        let record = ExplorationRecord {
            system: case.system.as_str().to_owned(),
            bench: bench.name().to_owned(),
            policy: design.policy.to_string(),
            case: case.id.to_owned(),
            faults_a_run: 1,
            sites: 0,
            faults_total: 0,
            faults_struck: 0,
            faults_merged: 0,
            by_kind: Vec::new(),
            by_place: Vec::new(),
            map: Vec::new(),
            causes: Vec::new(),
            complete: false,
            verdict: Verdict::Broken,
            why: Some(why),
        };
        Self { record, examples: Vec::new(), not_reached: Vec::new(), replays: 0 }
    }
}

impl Exploration<'_> {
    /// Carries it out, as far as it gets before a stop falls due.
    ///
    /// Errors: a replay file that cannot be written.
    pub fn carry_out(&self, stop: &Stop) -> Result<Explored, ReplayWriteError> {
        let space = self.space(stop);
        let struck = self.strike_all(&space, stop);
        if self.listed && self.bench.repeats() && space.golden.broken.is_none() {
            self.list_runs(&space, &struck)?;
        }
        causes::record(self, &space, &struck)
    }

    /// Lists what was struck, with the tape of each run.
    fn list_runs(&self, space: &Space, struck: &[(usize, Struck)]) -> Result<(), ReplayWriteError> {
        let case = &self.trial.case;
        let subject = Subject {
            id: case.id.to_owned(),
            case,
            design: self.design,
            bench: self.bench.name(),
            replay: None,
        };
        let record = case_record(&subject, &self.trial.own, &space.golden);
        let base = Replay::of(&record, case, self.design, self.bench, &self.trial.own);
        let runs = struck.iter().filter_map(|(at, result)| {
            let digest = result.tape.filter(|_| result.broken.is_none())?;
            Some(Listed::new(space.strikes[*at].clone(), format!("{digest:032x}"), &result.violated))
        });
        listed::write(&self.out, &base, &record, runs)
    }

    /// Lists the space.
    pub(crate) fn space(&self, stop: &Stop) -> Space {
        Space::watched(self.bench, self.trial, stop, Watch { branches: self.kept.is_some(), ..Watch::VISITS })
    }

    /// Strikes what is to be struck of the space, and says what all of it came to that is known by then.
    pub(crate) fn strike_all(&self, space: &Space, stop: &Stop) -> Vec<(usize, Struck)> {
        let (mut struck, picked) = self.share(space);
        let progress = Progress::new(picked.len(), self.trial.case.id);
        progress.tell(&format!(
            "Exploring {} on {}: {} at {}, {} of them now.",
            self.trial.case.id,
            self.bench.name(),
            counted(space.strikes.len() as u64, "fault"),
            counted(space.visits.len() as u64, "site"),
            grouped(picked.len() as u64),
        ));
        // A program that cannot be driven even without a fault is not driven thousands of times more.
        if space.golden.broken.is_none() && space.golden.breach().is_none() {
            let (strikes, alone) = (&space.strikes, space.golden.violated());
            let work = |at: &usize| self.strike(&strikes[*at], *at as u64 + 1, &alone, stop);
            in_order(&picked, stop, work, |place, result| {
                progress.step();
                // A run that was stopped in its middle is a run that was not made.
                struck.extend(result.map(|result| (picked[place], result)));
            });
        }
        struck.sort_by_key(|(at, _)| *at);
        struck
    }

    /// Says in the store how many runs there are.
    pub(crate) fn list(&self, space: &Space) {
        if let Some(kept) = self.kept.filter(|_| !Struck::of(&space.golden).stopped()) {
            kept.list(self.trial.case.id, space.strikes.len() as u64 + 1);
        }
    }

    /// What is known already of the space, and what is to be struck now.
    fn share(&self, space: &Space) -> (Vec<(usize, Struck)>, Vec<usize>) {
        let picked = space.pick(self.extent);
        let Some(kept) = &self.kept else { return (Vec::new(), picked) };
        self.list(space);
        let place = |number: u64| usize::try_from(number - 1).unwrap_or(usize::MAX);
        let share = kept.share(0..space.strikes.len() as u64 + 1);
        let golden = Struck::of(&space.golden);
        let is_there = share.known.first().is_some_and(|(number, _)| *number == 0);
        // One that is there already is compared, which finds out another build of the tool before it does harm.
        if (is_there || share.wanted.first() == Some(&0)) && !golden.stopped() {
            let came = Came::of_struck(&space.golden, &golden);
            self.put(kept, 0, came, &|| ALONE.to_owned(), &[], &space.golden, &self.trial.own);
        }
        let known = share.known.iter().filter(|(number, _)| *number > 0);
        let known = known.map(|(number, came)| (place(*number), came.outcome.struck())).collect();
        (known, share.wanted.into_iter().filter(|number| *number > 0).map(place).collect())
    }

    /// Strikes once; `None` if it was stopped in its middle, or there is no use in it.
    fn strike(&self, strike: &Strike, number: u64, alone: &[&'static str], stop: &Stop) -> Option<Struck> {
        let Some(kept) = self.kept.as_ref() else {
            return Some(strike_on(self.bench, self.trial, strike, stop)).filter(|struck| !struck.stopped());
        };
        if kept.halted() {
            return None;
        }
        let plan = self.trial.plan_with(strike);
        let watch = Watch { branches: true, ..Watch::PLAIN };
        let run = self.trial.run_on(self.bench, &plan, Keep::Last(KEPT), stop, watch);
        let struck = Some(Struck::last_of(&plan, &run)).filter(|struck| !struck.stopped())?;
        let came = Came::of_struck(&run, &struck);
        self.put(kept, number, came, &|| words(group(strike)), alone, &run, &plan);
        Some(struck)
    }

    #[expect(clippy::too_many_arguments, reason = "a run, what it came to, and what is to blame")]
    fn put(
        &self,
        kept: &Kept<'_>,
        number: u64,
        came: Came,
        cause: &dyn Fn() -> String,
        excused: &[&'static str],
        run: &Run,
        plan: &FaultPlan,
    ) {
        let (case, design, bench) = (&self.trial.case, self.design, self.bench);
        kept.put(number, &Made { came, cause, excused, run, case, design, bench, plan });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_keeps_both_ends() {
        let all: Vec<usize> = (10..20).collect();
        assert_eq!(spread(&all, 4), [10, 13, 16, 19]);
        assert_eq!(spread(&all, 1), [10]);
        assert_eq!(spread(&all, 99), all);
        assert_eq!(spread(&all[..2], 2), [10, 11]);
    }
}
