//! The soak: ordinary traffic for a stated time, each round with a case and faults that its seed draws.

use assay_reports::{RunRecord, SoakRecord, Verdict};
use assay_sim::fault::FaultPlan;
use assay_sim::seed::Seed;

use super::Played;
use super::runs::{Made, Runs};
use super::wires::Wires;
use crate::case::Case;
use crate::explore::Space;
use crate::interrupt::Stop;
use crate::progress::Progress;
use crate::replay::ReplayWriteError;
use crate::swarm::FAULTS_MAX;
use crate::trial::{Design, Trial};
use crate::work::in_slots;

/// More rounds than any soak has.
const ROUNDS_MAX: u64 = 1_000_000;

/// A round as its seed decides it.
struct Round {
    design: Design,
    trial: Trial,
    plan: FaultPlan,
    drawn: u64,
}

/// Makes rounds until the time is over. Those that do not pass are put among the record's cases.
pub(super) fn soak(
    runs: &Runs<'_>,
    played: &[Played],
    record: &mut RunRecord,
) -> Result<SoakRecord, ReplayWriteError> {
    let cases = traffic(played);
    let first = runs.plan.design.seed.0;
    let mut soaked = SoakRecord {
        asked_us: u64::try_from(runs.plan.soak.as_micros()).unwrap_or(u64::MAX),
        first_seed: first,
        rounds: std::collections::BTreeMap::new(),
        faults_drawn: 0,
        faults_struck: 0,
    };
    if cases.is_empty() {
        return Ok(soaked);
    }
    let seeds: Vec<u64> = (0..ROUNDS_MAX).map(|round| first.saturating_add(round)).collect();
    let end = runs.stop.within(runs.plan.soak);
    let progress = Progress::new(0, "rounds of the soak");
    let mut first_error = None;
    let work = |slot: usize, seed: &u64| make(runs, slot, *seed, &cases);
    in_slots(runs.jobs, &seeds, &end, work, |_, made| {
        progress.step();
        match made {
            Ok(Some((made, drawn))) => {
                // A round in which nothing could be judged says nothing, for or against.
                let verdict = if made.idle { Verdict::Skipped } else { made.record.verdict };
                *soaked.rounds.entry(verdict).or_default() += 1;
                soaked.faults_drawn += drawn;
                soaked.faults_struck += drawn.saturating_sub(made.not_reached.len() as u64);
                if !matches!(verdict, Verdict::Pass | Verdict::Skipped) {
                    progress.tell_case(&made.record);
                    record.cases.push(made.record);
                }
            }
            Ok(None) => {}
            Err(error) => first_error = first_error.take().or(Some(error)),
        }
    });
    first_error.map_or(Ok(soaked), Err)
}

/// The cases that rounds are drawn from: those that exploration goes by, or else all that could be run.
fn traffic(played: &[Played]) -> Vec<Case> {
    let ran = || played.iter().filter(|played| matches!(played.verdict, Verdict::Pass | Verdict::Fail));
    let explored: Vec<Case> = ran().map(|played| played.case).filter(|case| case.explored).collect();
    if explored.is_empty() { ran().map(|played| played.case).collect() } else { explored }
}

impl Round {
    /// What a seed decides: the case, every draw in it, how many faults strike, and which.
    ///
    /// Why: sites are those of the reference on the tabletop, so that the seed alone fixes the plan.
    fn of(runs: &Runs<'_>, seed: u64, cases: &[Case], stop: &Stop) -> Option<Self> {
        let design = Design { seed: Seed(seed), ..runs.plan.design.clone() };
        let mut draws = Seed(seed).stream("soak");
        let mut pick = |len: usize| usize::try_from(draws.below(len as u64)).unwrap_or_default();
        let trial = Trial::new(cases[pick(cases.len())], &design).ok()?;
        let count = pick(usize::try_from(FAULTS_MAX + 1).unwrap_or(1));
        let mut plan = trial.own.clone();
        if count > 0 {
            let wires = Wires::of(&runs.plan.rig, &trial.wiring().ok()?);
            let mut strikes = Space::of(&trial, stop).strikes;
            strikes.retain(|strike| wires.takes(strike));
            let drawn =
                (0..count).filter(|_| !strikes.is_empty()).map(|_| strikes[pick(strikes.len())].clone());
            plan.strikes.extend(drawn);
        }
        let drawn = (plan.strikes.len() - trial.own.strikes.len()) as u64;
        Some(Self { design, trial, plan, drawn })
    }
}

/// Makes one round; `None` if it was stopped in its middle.
fn make(
    runs: &Runs<'_>,
    slot: usize,
    seed: u64,
    cases: &[Case],
) -> Result<Option<(Made, u64)>, ReplayWriteError> {
    let Some(Round { design, trial, plan, drawn }) = Round::of(runs, seed, cases, runs.stop) else {
        return Ok(None);
    };
    let id = format!("{}, soak with seed {seed}", trial.case.id);
    let Some(mut made) = runs.make(slot, &trial, &design, id, &plan)? else { return Ok(None) };
    let number = usize::try_from(seed).unwrap_or(usize::MAX);
    runs.keep(&mut made, &trial, &design, number)?;
    runs.run_again(slot, &trial, &mut made);
    Ok(Some((made, drawn)))
}
