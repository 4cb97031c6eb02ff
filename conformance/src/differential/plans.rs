//! The plans of a differential: a seeded sample of the fault space.

use assay_sim::fault::{FaultPlan, Strike};
use assay_sim::seed::Seed;

use crate::case::Case;
use crate::explore::Space;
use crate::interrupt::Stop;
use crate::suite;
use crate::system::{Sut, System};
use crate::trial::{Design, Trial, TrialError};

/// Every so many-th plan has two further faults, and all others one.
pub const PAIR_EVERY: usize = 5;

/// One run of a differential.
#[derive(Clone)]
pub struct Planned {
    /// The case.
    pub case: Case,
    /// Its own faults and those drawn.
    pub plan: FaultPlan,
}

/// So many plans over the explored cases of a system, drawn with the design's seed.
///
/// Errors: [`TrialError`].
/// Of the POS system only the cases take part in which no test head sits. A test head sends several datagrams in one
/// instant, and which of them overtakes the other on a packet path is a matter of less than a tick, which no margin
/// knows. The case with every kind of message, in which office and people act close to each other, is left out as well.
///
/// Why: first a case is drawn, then one of its causes, then one of that cause's faults; otherwise nine plans of ten
/// would spoil a byte on a line, of which there are many more than of anything else.
pub fn plans(
    system: System,
    design: &Design,
    seed: Seed,
    count: usize,
    stop: &Stop,
) -> Result<Vec<Planned>, TrialError> {
    let explored = suite::cases().into_iter().filter(|case| {
        let heads = case.system == System::Pos && case.sut != Sut::System;
        case.system == system && case.explored && !heads && case.id != "pos/payment/every-message"
    });
    let spaces = explored
        .map(|case| Trial::new(case, design).map(|trial| (Space::of(&trial, stop), trial)))
        .collect::<Result<Vec<_>, _>>()?;
    let groups: Vec<Vec<Vec<usize>>> = spaces.iter().map(|(space, _)| space.by_cause()).collect();
    let mut draws = seed.stream("differential");
    let mut pick = |of: usize| usize::try_from(draws.below(of as u64)).unwrap_or(0);
    let mut plans = Vec::with_capacity(count);
    if groups.iter().any(Vec::is_empty) || spaces.is_empty() {
        return Ok(plans);
    }
    for number in 0..count {
        let place = pick(spaces.len());
        let (space, trial) = &spaces[place];
        let faults = if (number + 1) % PAIR_EVERY == 0 { 2 } else { 1 };
        let mut strikes: Vec<Strike> = trial.own.strikes.clone();
        for _ in 0..faults {
            let group = &groups[place][pick(groups[place].len())];
            strikes.push(space.strikes[group[pick(group.len())]].clone());
        }
        plans.push(Planned { case: trial.case, plan: FaultPlan { strikes } });
    }
    Ok(plans)
}
