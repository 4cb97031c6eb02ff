//! The report of a campaign, made of what its store holds; only examples of failures are run once more.

use std::fmt::Write as _;
use std::path::Path;

use assay_reports::{CaseRecord, RunRecord, write_files};

use super::keeper::{Keeper, Mode};
use super::plan::{CampaignPlan, Kind};
use super::shard::Shard;
use super::standing::standing;
use super::store::{RunKey, Store, StoreError};
use super::work::CampaignError;
use crate::explore::Extent;
use crate::interrupt::Stop;
use crate::record::{Subject, case_record};
use crate::replay::{self, Replay};
use crate::run::{Batch, Heading, OutputError, conclude, explore_cases, explore_pairs};
use crate::swarm::Member;

/// The name of the list of runs in the report's directory.
pub const RUNS_CSV: &str = "runs.csv";

/// Writes the report and the list of runs.
///
/// Errors: [`CampaignError`].
pub fn export(
    plan: &CampaignPlan,
    store: Store,
    out: &Path,
    heading: &Heading,
    stop: &Stop,
) -> Result<RunRecord, CampaignError> {
    let mut record = heading.record();
    record.seed = plan.design.seed.0;
    record.standing = Some(standing(plan, &store)?);
    write_files(out, &[(RUNS_CSV, csv(&store)?)]).map_err(OutputError::from)?;
    match &plan.kind {
        Kind::Swarm { seeds } => record.cases = failures(plan, seeds.start, &store, out)?,
        kind => {
            let keeper = Keeper::new(store, Mode::Read, Shard::WHOLE)?;
            let (design, cases) = (plan.design.clone(), plan.cases.clone());
            let batch = Batch { design, cases, explored: vec![(plan.bench.clone(), Extent::Whole)] };
            let explored = match kind {
                Kind::Pairs { merge } => explore_pairs(&batch, *merge, out, Some(&keeper), stop, |_| {}),
                _ => explore_cases(&batch, out, Some(&keeper), false, stop, |_| {}),
            };
            for explored in explored.map_err(OutputError::from)? {
                record.cases.extend(explored.examples);
                record.exploration.push(explored.record);
            }
            keeper.finish()?;
        }
    }
    Ok(conclude(record, out, stop)?)
}

/// Every run, in order.
fn csv(store: &Store) -> Result<String, StoreError> {
    let mut text = "unit,run,tape,verdict,violated\n".to_owned();
    store.for_each_run(|RunKey { unit, number }, came| {
        let (verdict, violated) = (came.outcome.verdict(), came.outcome.violated.join(" "));
        let _ = writeln!(text, "{unit},{number},{:032x},{verdict},{violated}", came.tape);
    })?;
    Ok(text)
}

/// Of each cause of a swarm's failures the first run, once more with its whole tape.
fn failures(
    plan: &CampaignPlan,
    first_seed: u64,
    store: &Store,
    out: &Path,
) -> Result<Vec<CaseRecord>, CampaignError> {
    let mut runs: Vec<u64> = store.failures()?.into_iter().map(|failure| failure.first.number).collect();
    runs.sort_unstable();
    runs.dedup();
    let mut records = Vec::new();
    for number in runs {
        let seed = first_seed + number;
        let member = Member::of(seed, &plan.cases, &plan.design, &Stop::default());
        let Member { design, trial, plan: faults, .. } =
            member.map_err(|error| CampaignError::NotReady(error.to_string()))?;
        let (case, bench) = (&trial.case, &plan.bench);
        let file = replay::path(out, case.id, usize::try_from(seed).unwrap_or(usize::MAX));
        let subject = Subject {
            id: format!("{}, seed {seed}", case.id),
            case,
            design: &design,
            bench: bench.name(),
            replay: Some(replay::command(&file)),
        };
        let run = bench.run(&trial, &faults, &Stop::default());
        let mut record = case_record(&subject, &faults, &run);
        let replay = Replay::of(&record, case, &design, bench, &faults);
        replay::write(&file, &replay, &mut record, run.tape()).map_err(OutputError::from)?;
        records.push(record);
    }
    Ok(records)
}
