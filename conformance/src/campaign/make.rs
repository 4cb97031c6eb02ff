//! The runs of a campaign, made as far as they are not there.

use std::ops::Range;
use std::path::PathBuf;

use assay_reports::text::counted;
use assay_sim::fault::FaultPlan;
use assay_sim::tape::Keep;

use super::keeper::{Keeper, Kept, Made};
use super::outcome::Came;
use super::plan::{CampaignPlan, Kind};
use super::store::Unit;
use crate::explore::{Exploration, Extent, PairExploration, Struck};
use crate::interrupt::Stop;
use crate::progress::Progress;
use crate::record::Subject;
use crate::swarm::Member;
use crate::trial::{Broken, KEPT, Run, Trial, Watch};
use crate::work::in_order;

/// Makes what is to be made, until all of it is, or a stop falls due, or the keeper has had enough.
///
/// Errors: a sentence; a case cannot be made ready.
pub fn make(plan: &CampaignPlan, keeper: &Keeper, stop: &Stop) -> Result<(), String> {
    let trials = plan.trials()?;
    match &plan.kind {
        Kind::Explore => explore(plan, &trials, keeper, stop),
        Kind::Pairs { merge } => {
            for (trial, case) in trials.iter().zip(0..) {
                if stop.due() || keeper.halted() {
                    break;
                }
                let (design, out, kept) = (&plan.design, PathBuf::new(), Some((keeper, case)));
                PairExploration { trial, design, out, first_number: 0, merge: *merge, kept }.strike(stop);
            }
        }
        Kind::Swarm { seeds } => swarm(plan, seeds, keeper, stop),
    }
    Ok(())
}

fn explore(plan: &CampaignPlan, trials: &[Trial], keeper: &Keeper, stop: &Stop) {
    let exploration = |(trial, unit)| Exploration {
        trial,
        design: &plan.design,
        bench: &plan.bench,
        extent: Extent::Whole,
        out: PathBuf::new(),
        first_number: 0,
        kept: Some(keeper.unit(unit, false)),
        listed: false,
    };
    let all: Vec<Exploration<'_>> = trials.iter().zip(0..).map(exploration).collect();
    // Every case is listed before the first fault strikes, so that it is known how many runs there are.
    let mut spaces = Vec::with_capacity(all.len());
    for exploration in &all {
        if stop.interrupted() || keeper.halted() {
            return;
        }
        let space = exploration.space(stop);
        exploration.list(&space);
        spaces.push(space);
    }
    for (exploration, space) in all.iter().zip(&spaces) {
        if stop.due() || keeper.halted() {
            return;
        }
        exploration.strike_all(space, stop);
    }
}

fn swarm(plan: &CampaignPlan, seeds: &Range<u64>, keeper: &Keeper, stop: &Stop) {
    let runs = seeds.end - seeds.start;
    let name = format!("seeds {}..{}", seeds.start, seeds.end);
    if !keeper.put_units(&[Unit { unit: 0, name, runs, detail: String::new() }]) {
        return;
    }
    let kept = keeper.unit(0, false);
    let wanted = kept.share(0..runs).wanted;
    let progress = Progress::new(wanted.len(), "runs");
    in_order(
        &wanted,
        stop,
        |number| member(plan, seeds.start + number, *number, &kept, stop),
        |_, ()| progress.step(),
    );
}

/// Makes one run of a swarm.
fn member(plan: &CampaignPlan, seed: u64, number: u64, kept: &Kept<'_>, stop: &Stop) {
    if kept.halted() {
        return;
    }
    let watch = Watch { branches: true, ..Watch::PLAIN };
    let (case, design, faults, run) = match Member::of(seed, &plan.cases, &plan.design, stop) {
        Ok(Member { design, trial, plan: faults, .. }) => {
            let run = trial.run_on(&plan.bench, &faults, Keep::Last(KEPT), stop, watch);
            (trial.case, design, faults, run)
        }
        Err(error) => {
            let broken = Some(Broken::NotReady(error.to_string()));
            (plan.cases[0], plan.design.clone(), FaultPlan::default(), Run { outcome: None, broken })
        }
    };
    if stop.interrupted() || Struck::of(&run).stopped() {
        return;
    }
    let (case, design, bench) = (&case, &design, &plan.bench);
    let subject = Subject { id: case.id.to_owned(), case, design, bench: bench.name(), replay: None };
    let came = Came::of_case(&run, &subject, &faults);
    let cause = || format!("{} with {}", case.id, counted(faults.strikes.len() as u64, "fault"));
    kept.put(
        number,
        &Made { came, cause: &cause, excused: &[], run: &run, case, design, bench, plan: &faults },
    );
}
