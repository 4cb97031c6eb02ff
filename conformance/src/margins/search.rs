//! The search for the smallest disturbance that changes what a run comes to.

use std::cell::Cell;
use std::collections::BTreeMap;

use assay_reports::{Disturbance, EdgeRecord, Effect};
use assay_sim::fault::FaultPlan;
use assay_sim::tape::Keep;
use assay_sim::time::Span;

use super::course::Course;
use crate::explore::Wiring;
use crate::interrupt::Stop;
use crate::outcome::Rest;
use crate::trial::Trial;

/// The shortest delay that is tried.
const LATE_MIN: Span = Span::ms(25);

/// How often it is doubled.
const DOUBLINGS: u32 = 14;

/// The longest delay that is tried: just under seven minutes.
pub(super) const LATE_MAX: Span = Span::us(LATE_MIN.as_us() << DOUBLINGS);

/// How far apart the two sides of an edge may be: one part in so many.
const NARROW: u64 = 50;

/// By how much an edge has to move before a value is said to govern it: one part in so many.
const CLEAR: u64 = 10;

/// The most messages that are lost in a row.
pub(super) const LOST_MAX: u32 = 8;

/// What one run came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Came {
    rest: Rest,
    violated: Vec<&'static str>,
    broken: bool,
}

impl Came {
    /// Whether a run came to something else than the one without the disturbance, in this respect.
    ///
    /// Why: a run that broke off says nothing, and what it would have come to is not guessed.
    fn differs(&self, golden: &Self, effect: Effect) -> bool {
        !self.broken
            && match effect {
                Effect::Shown => self.rest.shown != golden.rest.shown,
                Effect::Ledgers => self.rest.ledgers != golden.rest.ledgers,
                Effect::Verdict => !self.new_to(golden).is_empty(),
            }
    }

    fn new_to(&self, golden: &Self) -> Vec<&'static str> {
        self.violated.iter().copied().filter(|id| !golden.violated.contains(id)).collect()
    }
}

/// A case on one design, and what it comes to undisturbed.
pub(super) struct Ground {
    pub(super) trial: Trial,
    pub(super) wiring: Wiring,
    pub(super) golden: Came,
}

impl Ground {
    /// Of a case that is ready; nothing if it does not even run undisturbed.
    pub(super) fn of(trial: Trial, stop: &Stop) -> Option<Self> {
        let wiring = trial.wiring().ok()?;
        let mut ground = Self { trial, wiring, golden: Came::default() };
        ground.golden = ground.came(&ground.trial.own, stop);
        (!ground.golden.broken).then_some(ground)
    }

    fn came(&self, plan: &FaultPlan, stop: &Stop) -> Came {
        let run = self.trial.run(plan, Keep::All, stop);
        let rest =
            run.outcome.as_ref().map(|outcome| outcome.bench.tape.rest(&|party| self.wiring.shows(party)));
        Came {
            violated: run.violated(),
            broken: run.broken.is_some() || rest.is_none(),
            rest: rest.unwrap_or_default(),
        }
    }

    fn disturbed(&self, course: &Course, by: Amount, stop: &Stop) -> Came {
        let plan = match by {
            Amount::Late(span) => course.late(span, &self.trial.own),
            Amount::Lost(count) => course.lost(count, &self.trial.own),
        };
        self.came(&plan, stop)
    }
}

/// How much a course is disturbed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Amount {
    Late(Span),
    Lost(u32),
}

impl Amount {
    /// Well on this side of it; nothing if that is no disturbance.
    ///
    /// Why: another value shifts draws, and with them every edge a little.
    fn below(self) -> Option<Self> {
        match self {
            Self::Late(span) => {
                Some(span.as_us() - span.as_us() / CLEAR).filter(|us| *us > 0).map(Span::us).map(Self::Late)
            }
            Self::Lost(count) => (count > 0).then_some(self),
        }
    }

    /// Well beyond it.
    fn above(self) -> Self {
        match self {
            Self::Late(span) => Self::Late(Span::us(span.as_us() + span.as_us() / CLEAR)),
            Self::Lost(_) => self,
        }
    }
}

/// The same case with one value of its profile otherwise.
pub(super) struct Turned {
    /// The value's name.
    pub(super) name: String,
    /// What it stands on then.
    pub(super) ground: Ground,
}

/// One course of one case.
pub(super) struct Search<'a> {
    pub(super) ground: &'a Ground,
    pub(super) turned: &'a [Turned],
    pub(super) course: &'a Course,
    pub(super) stop: &'a Stop,
    /// How many runs were made.
    pub(super) runs: Cell<u64>,
}

impl Search<'_> {
    /// Every edge of the course.
    pub(super) fn edges(&self) -> Vec<EdgeRecord> {
        let mut edges = Vec::new();
        if self.course.delays {
            self.late(&mut edges);
        }
        self.lost(&mut edges);
        edges
    }

    fn run(&self, ground: &Ground, by: Amount) -> Came {
        self.runs.set(self.runs.get() + 1);
        ground.disturbed(self.course, by, self.stop)
    }

    fn late(&self, edges: &mut Vec<EdgeRecord>) {
        let rungs = (0..=DOUBLINGS).map(|doubling| Span::us(LATE_MIN.as_us() << doubling));
        let mut known: BTreeMap<Span, Came> =
            rungs.map(|span| (span, self.run(self.ground, Amount::Late(span)))).collect();
        for effect in [Effect::Shown, Effect::Ledgers, Effect::Verdict] {
            let flips = |came: &Came| came.differs(&self.ground.golden, effect);
            let Some(mut high) = known.iter().find(|(_, came)| flips(came)).map(|(span, _)| *span) else {
                continue;
            };
            let mut low = known.range(..high).next_back().map_or(Span::ZERO, |(span, _)| *span);
            while (high - low).as_us() > (high.as_us() / NARROW).max(1_000) {
                let middle = Span::us(u64::midpoint(low.as_us(), high.as_us()));
                let came = known.entry(middle).or_insert_with(|| self.run(self.ground, Amount::Late(middle)));
                if flips(came) {
                    high = middle;
                } else {
                    low = middle;
                }
            }
            let disturbance = Disturbance::Late { holds_us: low.as_us(), flips_us: high.as_us() };
            let failed = known.get(&high).map(|came| came.new_to(&self.ground.golden)).unwrap_or_default();
            edges.push(self.edge(effect, disturbance, [Amount::Late(low), Amount::Late(high)], &failed));
        }
    }

    fn lost(&self, edges: &mut Vec<EdgeRecord>) {
        let came: Vec<Came> =
            (1..=LOST_MAX).map(|count| self.run(self.ground, Amount::Lost(count))).collect();
        for effect in [Effect::Shown, Effect::Ledgers, Effect::Verdict] {
            let first = (1..).zip(&came).find(|(_, came)| came.differs(&self.ground.golden, effect));
            let Some((flips, at)) = first else { continue };
            let failed = at.new_to(&self.ground.golden);
            let sides = [Amount::Lost(flips - 1), Amount::Lost(flips)];
            edges.push(self.edge(effect, Disturbance::Lost { flips }, sides, &failed));
        }
    }

    fn edge(
        &self,
        effect: Effect,
        disturbance: Disturbance,
        sides: [Amount; 2],
        failed: &[&'static str],
    ) -> EdgeRecord {
        let failed = if effect == Effect::Verdict { failed } else { &[] };
        EdgeRecord {
            case: self.ground.trial.case.id.to_owned(),
            course: self.course.link(),
            message: self.course.message().to_owned(),
            disturbance,
            effect,
            requirements: failed.iter().map(|id| (*id).to_owned()).collect(),
            governed_by: self.governing(effect, sides),
        }
    }

    /// The values that move an edge: with one of them otherwise a run flips well before it, or holds well behind it.
    fn governing(&self, effect: Effect, [holds, flips]: [Amount; 2]) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for turned in self.turned {
            let moved = |by: Amount, flips_now: bool| {
                self.run(&turned.ground, by).differs(&turned.ground.golden, effect) == flips_now
            };
            if !names.contains(&turned.name)
                && (holds.below().is_some_and(|by| moved(by, true)) || moved(flips.above(), false))
            {
                names.push(turned.name.clone());
            }
        }
        names
    }
}
