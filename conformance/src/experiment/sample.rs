//! Many benches, and what a design does on all of them at one setting.

use std::collections::BTreeMap;

use assay_sim::fault::FaultPlan;
use assay_sim::policy::PolicyName;
use assay_sim::seed::Seed;
use assay_sim::water::plant::letter;
use assay_sim::water::profile::Profile;
use thiserror::Error;

use super::bench::{Bench, BenchOutcome, Outcome, TERMINALS};
use super::disturbance::{Disturbances, Setting};
use crate::interrupt::Stop;
use crate::panics;
use crate::progress::Progress;
use crate::stage::StageError;
use crate::work::in_order;

/// How many customers come to each terminal of one bench.
///
/// Why: a step of the bench costs more the more cards there are, and the terminals' boot more the fewer; at ten the
/// sum is least.
pub const SWIPES_A_TERMINAL: usize = 10;
/// How many swipes one bench holds.
pub const SWIPES_A_BENCH: u64 = (SWIPES_A_TERMINAL * TERMINALS) as u64;
/// How many examples of swipes out of step are kept.
const EXAMPLES_MAX: usize = 3;

/// A bench that could not be run: ours, never the design's fault.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SampleError {
    /// It could not be carried out.
    #[error("bench {bench}: {source}")]
    Stage {
        /// Which, from 0.
        bench: usize,
        /// Why.
        source: StageError,
    },
    /// Something of ours panicked.
    #[error("bench {bench}: the suite panicked: {message}")]
    Panicked {
        /// Which, from 0.
        bench: usize,
        /// What it said.
        message: String,
    },
}

/// How often each thing happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Swipes compared.
    pub swipes: u64,
    /// Of these, those whose card was credited.
    pub credited: u64,
    /// Those out of step.
    pub out_of_step: u64,
    /// Those whose order the ledger lists as in doubt.
    pub in_doubt: u64,
    /// Uploads that stayed without an answer on a dead connection.
    pub losses: u64,
    /// Power cuts.
    pub cuts: u64,
}

impl Tally {
    fn add(&mut self, other: &Self) {
        self.swipes += other.swipes;
        self.credited += other.credited;
        self.out_of_step += other.out_of_step;
        self.in_doubt += other.in_doubt;
        self.losses += other.losses;
        self.cuts += other.cuts;
    }

    fn of(outcome: &BenchOutcome) -> Self {
        let count =
            |wanted: Outcome| outcome.swipes.iter().filter(|swipe| swipe.outcome == wanted).count() as u64;
        Self {
            swipes: outcome.swipes.len() as u64,
            credited: outcome.swipes.iter().filter(|swipe| swipe.credited).count() as u64,
            out_of_step: count(Outcome::OutOfStep),
            in_doubt: count(Outcome::InDoubt),
            losses: outcome.losses,
            cuts: outcome.cuts,
        }
    }

    /// Whether at least this many millionths of the swipes are out of step.
    pub fn reaches(&self, rate: u32) -> bool {
        u128::from(self.out_of_step) * 1_000_000 >= u128::from(self.swipes) * u128::from(rate)
    }
}

/// A swipe out of step, with all that it takes to see it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// The bench's seed.
    pub seed: Seed,
    /// The terminal.
    pub terminal: usize,
    /// The swipe's place there, from 0.
    pub place: usize,
    /// What was planned on that terminal's links.
    pub plan: FaultPlan,
}

impl Example {
    /// In words.
    pub fn words(&self) -> String {
        let (letter, place) = (letter(self.terminal), self.place + 1);
        let plan = self.plan.words().join(" ");
        format!("bench seed {}, terminal {letter}, swipe {place}: {plan}", self.seed.0)
    }
}

/// What a design does at one setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measured {
    /// The design.
    pub policy: PolicyName,
    /// The setting.
    pub setting: Setting,
    /// The counts.
    pub tally: Tally,
    /// The first swipes out of step.
    pub examples: Vec<Example>,
    /// Whether every bench was run.
    pub complete: bool,
}

#[derive(Clone, Debug)]
struct BenchTally {
    tally: Tally,
    /// Terminal and place of the first swipe out of step.
    example: Option<(usize, usize)>,
}

/// The same benches for every setting of one design.
pub struct Sample<'a> {
    profile: &'a Profile,
    policy: PolicyName,
    seeds: Vec<Seed>,
    /// What each bench came to, by what disturbed it.
    ///
    /// Why: a run depends on seed, design and plan alone, so the same disturbances are not run twice.
    known: Vec<BTreeMap<Disturbances, BenchTally>>,
}

impl<'a> Sample<'a> {
    /// Benches for at least this many swipes.
    ///
    /// Why: designs get the same seeds, and with them the same customers, latencies and disturbances.
    pub fn new(profile: &'a Profile, policy: PolicyName, seed: Seed, swipes: u64) -> Self {
        let mut seeds = seed.stream("experiment-benches");
        let benches = usize::try_from(swipes.div_ceil(SWIPES_A_BENCH)).unwrap_or(usize::MAX);
        let seeds: Vec<Seed> = (0..benches).map(|_| Seed(seeds.word())).collect();
        Self { profile, policy, known: vec![BTreeMap::new(); seeds.len()], seeds }
    }

    /// The design.
    pub fn policy(&self) -> PolicyName {
        self.policy
    }

    /// Runs every bench at this setting, those that have not been run so before; stopped, only the first of them.
    ///
    /// Errors: [`SampleError`] of the first bench that has one.
    pub fn measure(&mut self, setting: Setting, what: &str, stop: &Stop) -> Result<Measured, SampleError> {
        let draw = |seed: &Seed| Disturbances::draw(*seed, TERMINALS, SWIPES_A_TERMINAL, setting);
        let drawn: Vec<Disturbances> = self.seeds.iter().map(draw).collect();
        let items: Vec<usize> =
            (0..drawn.len()).filter(|bench| !self.known[*bench].contains_key(&drawn[*bench])).collect();
        let progress = if items.is_empty() { Progress::none() } else { Progress::new(items.len(), what) };
        let (mut first_error, mut results) = (None, Vec::new());
        in_order(
            &items,
            stop,
            |bench| self.run(*bench, &drawn[*bench]),
            |at, result| {
                progress.step();
                match result {
                    Ok(tally) => results.push((items[at], tally)),
                    Err(error) => first_error = first_error.take().or(Some(error)),
                }
            },
        );
        if let Some(error) = first_error {
            return Err(error);
        }
        for (bench, tally) in results {
            self.known[bench].insert(drawn[bench].clone(), tally);
        }
        Ok(self.sum(setting, &drawn))
    }

    fn run(&self, bench: usize, disturbances: &Disturbances) -> Result<BenchTally, SampleError> {
        let plan = Bench {
            profile: self.profile,
            policy: self.policy,
            seed: self.seeds[bench],
            swipes: SWIPES_A_TERMINAL,
        };
        let outcome = panics::caught(|| plan.run(disturbances))
            .map_err(|message| SampleError::Panicked { bench, message })?
            .map_err(|source| SampleError::Stage { bench, source })?;
        let out = outcome.swipes.iter().find(|swipe| swipe.outcome == Outcome::OutOfStep);
        Ok(BenchTally { tally: Tally::of(&outcome), example: out.map(|swipe| (swipe.terminal, swipe.place)) })
    }

    /// Adds up the benches before the first that was not run.
    fn sum(&self, setting: Setting, drawn: &[Disturbances]) -> Measured {
        let (mut tally, mut examples, mut benches) = (Tally::default(), Vec::new(), 0);
        for (bench, disturbances) in drawn.iter().enumerate() {
            let Some(known) = self.known[bench].get(disturbances) else { break };
            tally.add(&known.tally);
            benches += 1;
            if let Some((terminal, place)) = known.example.filter(|_| examples.len() < EXAMPLES_MAX) {
                let plan = disturbances.plan_of(terminal);
                examples.push(Example { seed: self.seeds[bench], terminal, place, plan });
            }
        }
        let complete = benches == drawn.len();
        Measured { policy: self.policy, setting, tally, examples, complete }
    }
}
