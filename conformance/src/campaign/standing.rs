//! How far a campaign is, by what its store holds.

use std::collections::BTreeMap;

use assay_reports::{FailureRecord, HoleRecord, StandingRecord, Verdict};
use assay_sim::digest::Digest;
use assay_sim::time::Instant;

use super::plan::{CampaignPlan, Kind};
use super::reach::unreached;
use super::shard::Shard;
use super::store::{Store, StoreError, Unit};
use crate::explore::base;

/// How far a campaign is.
///
/// Errors: [`StoreError`].
pub fn standing(plan: &CampaignPlan, store: &Store) -> Result<StandingRecord, StoreError> {
    let (units, done) = (store.units()?, store.done()?);
    let unlisted = unlisted(plan, &units);
    let runs = units.iter().map(|unit| unit.runs).sum();
    let done_in_all = done.values().sum();
    let mut holes = Vec::new();
    for unit in units.iter().filter(|unit| done.get(&unit.unit) != Some(&unit.runs)) {
        holes.extend(holes_of(unit, &store.numbers(unit.unit)?));
    }
    let mut verdicts: BTreeMap<Verdict, u64> = BTreeMap::new();
    for (outcome, count) in store.tally()? {
        *verdicts.entry(outcome.verdict()).or_default() += count;
    }
    let failures = store.failures()?.into_iter().map(|failure| FailureRecord {
        requirement: failure.requirement,
        cause: failure.cause,
        count: failure.count,
        first: failure.first.to_string(),
    });
    let whole = unlisted.is_empty() && holes.is_empty();
    let unreached = if whole { unreached(plan, &store.reached()?) } else { Vec::new() };
    Ok(StandingRecord {
        words: plan.words(),
        id: plan.id().to_owned(),
        runs,
        done: done_in_all,
        unlisted,
        holes,
        verdicts: verdicts.into_iter().collect(),
        failures: failures.collect(),
        unreached,
        root: root(store)?,
    })
}

/// The cases whose runs are not listed yet.
fn unlisted(plan: &CampaignPlan, units: &[Unit]) -> Vec<String> {
    let is_listed = |unit: u64| units.binary_search_by_key(&unit, |unit| unit.unit).is_ok();
    let cases = plan.cases.iter().zip(0..);
    match &plan.kind {
        Kind::Swarm { .. } if is_listed(0) => Vec::new(),
        Kind::Swarm { seeds } => vec![format!("seeds {}..{}", seeds.start, seeds.end)],
        Kind::Explore => {
            cases.filter(|(_, at)| !is_listed(*at)).map(|(case, _)| case.id.to_owned()).collect()
        }
        Kind::Pairs { .. } => {
            cases.filter(|(_, at)| !is_listed(base(*at))).map(|(case, _)| case.id.to_owned()).collect()
        }
    }
}

/// The runs of a unit that are not there; `there` are those that are, in order.
fn holes_of(unit: &Unit, there: &[u64]) -> Vec<HoleRecord> {
    let mut holes = Vec::new();
    let mut next = 0;
    for number in there.iter().copied().chain([unit.runs]) {
        if number > next {
            let (first, last) = (next, number - 1);
            holes.push(HoleRecord { unit: unit.unit, name: unit.name.clone(), first, last });
        }
        next = number + 1;
    }
    holes
}

/// How many runs of a share are there, and how many it has, as far as they are listed.
///
/// Errors: [`StoreError`].
pub fn share_of(plan: &CampaignPlan, store: &Store, shard: Shard) -> Result<(u64, u64), StoreError> {
    let whole = matches!(plan.kind, Kind::Pairs { .. });
    let (mut there, mut all) = (0, 0);
    for unit in store.units()? {
        let mine = |number: &u64| match whole {
            true => shard.takes_unit(unit.unit),
            false => shard.takes(unit.unit, *number),
        };
        all += (0..unit.runs).filter(mine).count() as u64;
        there += store.numbers(unit.unit)?.iter().filter(|number| mine(number)).count() as u64;
    }
    Ok((there, all))
}

/// The fingerprint of everything that is there: what the campaign is, its units, its runs and its marks, each in order.
///
/// Errors: [`StoreError`].
/// Why: nothing in it knows who made a run, when, or in what order, so all who made the same have the same root.
pub fn root(store: &Store) -> Result<String, StoreError> {
    let mut root = Digest::new(Instant::ZERO);
    root.text(&store.about("id")?);
    for unit in store.units()? {
        root.word(unit.unit).text(&unit.name).word(unit.runs).text(&unit.detail);
    }
    store.for_each_run(|key, came| {
        root.word(key.unit).word(key.number).bytes(&came.tape.to_be_bytes()).text(&came.outcome.text());
    })?;
    for (kind, mark) in store.reached()? {
        root.text(&kind).text(&mark);
    }
    Ok(format!("{:032x}", root.finish()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_are_what_lies_between() {
        let unit = Unit { unit: 3, name: "u".to_owned(), runs: 10, detail: String::new() };
        let holes = |there: &[u64]| -> Vec<(u64, u64)> {
            holes_of(&unit, there).into_iter().map(|hole| (hole.first, hole.last)).collect()
        };
        assert_eq!(holes(&[]), [(0, 9)]);
        assert_eq!(holes(&[0, 1, 4, 9]), [(2, 3), (5, 8)]);
        assert_eq!(holes(&[1, 2, 3, 4, 5, 6, 7, 8]), [(0, 0), (9, 9)]);
        assert_eq!(holes(&(0..10).collect::<Vec<_>>()), []);
    }
}
