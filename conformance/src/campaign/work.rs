//! What `assay campaign` does with a store.

use std::path::{Path, PathBuf};
use std::time::Duration;

use assay_reports::standing::HOLES_MAX;
use assay_reports::text::{counted, grouped};
use assay_reports::{Verdict, exit_code, render_standing};
use thiserror::Error;

use super::export::export;
use super::keeper::{Keeper, Mode, Seen};
use super::make::make;
use super::plan::CampaignPlan;
use super::shard::Shard;
use super::standing::{share_of, standing};
use super::store::{Store, StoreError};
use crate::interrupt::Stop;
use crate::plan_file::FileError;
use crate::progress::say;
use crate::replay;
use crate::run::{Heading, OutputError};

/// What is to be done.
pub enum Act {
    /// Begin a campaign, or go on with it.
    Run(Box<CampaignPlan>),
    /// Go on with the one that is there.
    Resume,
    /// Say how far it is.
    Status {
        /// Whether with every hole.
        holes: bool,
        /// Whether with the branches that were reached.
        branches: bool,
    },
    /// Take over what other stores hold.
    Merge(Vec<PathBuf>),
    /// Make every run again and compare.
    Repeat,
    /// Write a report.
    Export,
}

/// An act with all that it takes.
pub struct CampaignJob {
    /// What is to be done.
    pub act: Act,
    /// The store.
    pub store: PathBuf,
    /// Which share of the runs.
    pub shard: Shard,
    /// For how long.
    pub budget: Option<Duration>,
    /// Where reports and replay files go.
    pub out: PathBuf,
    /// For the record.
    pub heading: Heading,
}

/// What keeps a campaign from going on.
#[derive(Debug, Error)]
pub enum CampaignError {
    /// Its store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The plan in its store.
    #[error(transparent)]
    Plan(#[from] FileError),
    /// What it leaves.
    #[error(transparent)]
    Output(OutputError),
    /// A case.
    #[error("{0}")]
    NotReady(String),
}

impl From<OutputError> for CampaignError {
    fn from(error: OutputError) -> Self {
        match error {
            OutputError::Store(error) => Self::Store(error),
            error => Self::Output(error),
        }
    }
}

impl CampaignError {
    /// The exit code of the tool.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Store(StoreError::Differs { .. } | StoreError::OtherUnit { .. }) => {
                exit_code::NOT_DETERMINISTIC
            }
            Self::Store(_) | Self::Plan(_) | Self::Output(_) => exit_code::USAGE,
            Self::NotReady(_) => exit_code::BROKEN,
        }
    }
}

impl CampaignJob {
    /// Does it; the exit code of the tool.
    ///
    /// Errors: [`CampaignError`].
    pub fn carry_out(&self, stop: &Stop) -> Result<u8, CampaignError> {
        let stop = &self.budget.map_or_else(|| stop.clone(), |budget| stop.within(budget));
        match &self.act {
            Act::Run(plan) => {
                let store = Store::begin(&self.store, plan.id(), &plan.about())?;
                self.run(plan, store, stop)
            }
            Act::Resume => {
                let (plan, store) = open(&self.store)?;
                self.run(&plan, store, stop)
            }
            Act::Status { holes, branches } => {
                let (plan, store) = open(&self.store)?;
                if *branches {
                    let reached = store.reached()?.into_iter().filter(|(kind, _)| kind == "branch");
                    reached.for_each(|(_, name)| say(&assay_reports::text::shown(&name)));
                }
                self.tell(&plan, &store, if *holes { usize::MAX } else { HOLES_MAX })
            }
            Act::Merge(packs) => self.merge(packs),
            Act::Repeat => {
                let (plan, store) = open(&self.store)?;
                self.repeat(&plan, store, stop)
            }
            Act::Export => {
                let (plan, store) = open(&self.store)?;
                Ok(export(&plan, store, &self.out, &self.heading, stop)?.exit_code())
            }
        }
    }

    fn run(&self, plan: &CampaignPlan, store: Store, stop: &Stop) -> Result<u8, CampaignError> {
        let keeper = Keeper::new(store, Mode::Record, self.shard)?;
        make(plan, &keeper, stop).map_err(CampaignError::NotReady)?;
        let Seen { store, made, .. } = keeper.finish()?;
        say(&format!("{} made now.", counted(made, "run")));
        if self.shard == Shard::WHOLE {
            return self.tell(plan, &store, HOLES_MAX);
        }
        let (there, all) = share_of(plan, &store, self.shard)?;
        // A share that is there is a success of its worker: whether all are there is asked when they are merged.
        let worst = Verdict::worst(store.tally()?.iter().map(|(outcome, _)| outcome.verdict()));
        let cut_short = (there < all || stop.interrupted()).then_some(Verdict::Inconclusive);
        let verdict = Verdict::worst(worst.into_iter().chain(cut_short)).unwrap_or(Verdict::Pass);
        let code = exit_code::of(verdict);
        say(&format!(
            "{} of {} of share {} are there.\nVerdict: {verdict} (exit code {code}).",
            grouped(there),
            counted(all, "run"),
            self.shard
        ));
        Ok(code)
    }

    fn tell(&self, plan: &CampaignPlan, store: &Store, holes_max: usize) -> Result<u8, CampaignError> {
        let standing = standing(plan, store)?;
        say(&render_standing(&standing, holes_max));
        Ok(exit_code::of(standing.verdict()))
    }

    fn merge(&self, packs: &[PathBuf]) -> Result<u8, CampaignError> {
        let mut into: Option<(CampaignPlan, Store)> = None;
        for pack in packs {
            let (plan, pack) = open(pack)?;
            let (_, store) = match &mut into {
                Some(into) => into,
                None => {
                    let store = Store::begin(&self.store, plan.id(), &plan.about())?;
                    into.insert((plan, store))
                }
            };
            store.merge(&pack)?;
        }
        match into {
            Some((plan, store)) => self.tell(&plan, &store, HOLES_MAX),
            None => Ok(exit_code::NOTHING_SELECTED),
        }
    }

    fn repeat(&self, plan: &CampaignPlan, store: Store, stop: &Stop) -> Result<u8, CampaignError> {
        let keeper = Keeper::new(store, Mode::Repeat, self.shard)?;
        make(plan, &keeper, stop).map_err(CampaignError::NotReady)?;
        let Seen { store, made, difference } = keeper.finish()?;
        let (there, _) = share_of(plan, &store, self.shard)?;
        let Some(difference) = difference else {
            let (made_words, there_words) = (grouped(made), counted(there, "run"));
            say(&format!("{made_words} of {there_words} were made again, and every tape is the same."));
            return Ok(if made == there && there > 0 { exit_code::OK } else { exit_code::INCONCLUSIVE });
        };
        let number = usize::try_from(difference.run.number).unwrap_or(usize::MAX);
        let name = format!("differs-{}-{}", difference.run.unit, difference.replay.case.id);
        let file = replay::path(&self.out, &name, number);
        // Its tape is left beside it, so that the next run of the file shows where the two part.
        let words = file.display().to_string();
        let (mut record, run) =
            difference.replay.run(&words, &Stop::default()).map_err(CampaignError::NotReady)?;
        replay::write(&file, &difference.replay, &mut record, run.tape()).map_err(OutputError::from)?;
        let [there, here] = [&difference.there, &difference.here].map(|came| format!("{:032x}", came.tape));
        say(&format!(
            "Run {} of {} came to something else: the tape {there} with {} before, {here} with {} now.\nSee it \
             with:\n  {}\nand compare two processes with:\n  assay twice {}",
            difference.run,
            difference.replay.case.id,
            difference.there.outcome.text(),
            difference.here.outcome.text(),
            replay::command(&file),
            plan.system.as_str(),
        ));
        Ok(exit_code::NOT_DETERMINISTIC)
    }
}

/// Opens a store with the plan in it.
fn open(file: &Path) -> Result<(CampaignPlan, Store), CampaignError> {
    let store = Store::open(file)?;
    let about = |key| store.about(key);
    let name = file.display().to_string();
    let plan = CampaignPlan::kept(&name, &about("plan")?, &about("profile")?, &about("profile-file")?)?;
    if plan.id() == about("id")? {
        return Ok((plan, store));
    }
    // The names in it mean something else to this build than to the one that began it.
    let (there, here) = (about("id")?, plan.id().to_owned());
    Err(StoreError::OtherCampaign { file: file.to_owned(), there, here }.into())
}
