//! The differential: the same case under the same plan on two benches, which must agree on everything but times.
//!
//! `docs/differential.md` says what is compared and why.

mod plans;
mod projection;
mod render;

use std::fmt;

use assay_sim::fault::FaultPlan;
use assay_sim::tabletop::Margin;
use assay_sim::tape::Keep;
use assay_sim::time::Span;

use crate::interrupt::Stop;
use crate::rig_bench::Bench;
use crate::trial::{Broken, Run, Trial, Watch};

pub use plans::{PAIR_EVERY, Planned, plans};
pub use projection::{Disagreement, Projection, TAIL};
pub use render::render_side_by_side;

/// The most plans of a hundred that may be too close to call.
pub const WITHIN_MAX_PERCENT: u64 = 5;

/// What two benches made of one plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// The same.
    Agree,
    /// They were not compared: two happenings are so close that either order is right.
    Within(Margin),
    /// Something else, and this is the first of it.
    Differ(Disagreement),
    /// A bench of ours failed.
    Broken(Broken),
}

/// Runs a plan on the tabletop with its whole tape and its granularity margin.
pub fn run_on_tabletop(trial: &Trial, plan: &FaultPlan, stop: &Stop) -> Run {
    trial.run_on(&Bench::Tabletop, plan, Keep::All, stop, Watch::MARGIN)
}

/// What a run on the tabletop and the other bench's run of the same plan come to.
///
/// Why: a run that broke is told as such even within granularity, since no order of events may break a bench.
pub fn compare(tabletop: &Run, other: &Run, tick: Span) -> Comparison {
    let (left, right) = match (&tabletop.outcome, &other.outcome) {
        (Some(left), Some(right)) if tabletop.broken.is_none() && other.broken.is_none() => (left, right),
        _ => {
            let broken = tabletop.broken.as_ref().or(other.broken.as_ref()).cloned();
            return Comparison::Broken(
                broken.unwrap_or_else(|| Broken::NotReady("a run left nothing".to_owned())),
            );
        }
    };
    if let Some(margin) = left.bench.margin.filter(|margin| margin.is_within(tick)) {
        return Comparison::Within(margin);
    }
    Projection::of(left).compare(&Projection::of(right)).map_or(Comparison::Agree, Comparison::Differ)
}

/// How many plans were compared, and how they came out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// The benches agreed.
    pub agreed: u64,
    /// Not compared.
    pub within: u64,
    /// They did not.
    pub differed: u64,
    /// A bench of ours failed.
    pub broken: u64,
}

impl Tally {
    /// Counts one plan.
    pub fn count(&mut self, comparison: &Comparison) {
        let count = match comparison {
            Comparison::Agree => &mut self.agreed,
            Comparison::Within(_) => &mut self.within,
            Comparison::Differ(_) => &mut self.differed,
            Comparison::Broken(_) => &mut self.broken,
        };
        *count += 1;
    }

    /// How many plans there were.
    pub const fn plans(&self) -> u64 {
        self.agreed + self.within + self.differed + self.broken
    }

    /// Whether all that were compared agree, and enough were compared.
    pub const fn is_good(&self) -> bool {
        let few = self.within * 100 <= self.plans() * WITHIN_MAX_PERCENT;
        self.differed == 0 && self.broken == 0 && few && self.agreed > 0
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { agreed, within, differed, broken } = self;
        write!(
            f,
            "{} plans: {agreed} agree, {within} within granularity, {differed} differ, {broken} broken",
            self.plans()
        )
    }
}
