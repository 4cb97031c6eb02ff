//! A case that is ready to run: on one design, as often as wanted, each time from the start.

use std::rc::Rc;
use std::sync::Arc;

use assay_sim::bench::{Bench, BenchError, Jumps, Pace, Paced};
use assay_sim::eeprom::Chip;
use assay_sim::fault::{FaultPlan, Strike};
use assay_sim::probe::{Probe, ProbeStimulus};
use assay_sim::seed::Seed;
use assay_sim::tabletop::{Layout, PlanError, Tabletop};
use assay_sim::tape::Keep;
use assay_sim::water::family::Water;
use assay_sim::water::party::{Party, Stimulus};
use assay_sim::water::plant::{Plant, PlantError, Seating, terminal_name};
use assay_sim::water::policy::{Policy, PolicyName};
use assay_sim::water::profile::{BUILT_IN, Profile, ProfileError};
use assay_sim::water::terminal::vendor::VendorTerminal;
use assay_sim::world::World;
use assay_sim::world::guest::{Guest, Hands, Seated};
use thiserror::Error;

use crate::case::Case;
use crate::interrupt::Stop;
use crate::panics;
use crate::scene::Sut;
use crate::stage::{Outcome, Stage, StageError};
use crate::suite::Mutant;

/// Where the open values come from.
#[derive(Clone, Debug)]
pub struct ProfileSource {
    /// The file, unless it is the built-in profile.
    pub file: Option<String>,
    /// Its text.
    pub text: Arc<str>,
    /// Values in place of the file's.
    pub overrides: toml::Table,
    /// By how much every timer of a device is divided.
    pub divisor: u64,
}

impl Default for ProfileSource {
    fn default() -> Self {
        Self { file: None, text: BUILT_IN.into(), overrides: toml::Table::new(), divisor: 1 }
    }
}

impl ProfileSource {
    /// How files and reports call it.
    pub fn name(&self) -> &str {
        self.file.as_deref().unwrap_or("built-in")
    }

    /// The profile with what a case needs otherwise.
    ///
    /// Errors: [`ProfileError`].
    /// Why: a case's own values are part of the profile, so they are divided like the rest; those of a bench are not.
    pub fn profile(&self, needs: &str) -> Result<Profile, ProfileError> {
        if needs.is_empty() {
            return Profile::load(&self.text, &self.overrides, self.divisor);
        }
        let mut table: toml::Table = toml::from_str(&self.text)?;
        // The first load finds keys that there are not; the second divides.
        let needs: toml::Table = toml::from_str(needs)?;
        Profile::load(&self.text, &needs, 1)?;
        put_over(&mut table, &needs);
        Profile::load(&table.to_string(), &self.overrides, self.divisor)
    }
}

fn put_over(under: &mut toml::Table, over: &toml::Table) {
    for (key, value) in over {
        match (under.get_mut(key), value) {
            (Some(toml::Value::Table(old)), toml::Value::Table(new)) => put_over(old, new),
            _ => {
                under.insert(key.clone(), value.clone());
            }
        }
    }
}

/// Whether the message server sits on the case's bench, and is under test.
fn has_server_under_test(case: &Case) -> bool {
    matches!(case.sut, Sut::Server | Sut::System)
        && !matches!(case.setup.seating, Seating::ProbeServer | Seating::ProbeEnds)
}

/// Whether terminals sit on the case's bench, and are under test.
fn has_terminals_under_test(case: &Case) -> bool {
    matches!(case.sut, Sut::Terminal | Sut::System)
        && !matches!(case.setup.seating, Seating::ProbeTerminals | Seating::ProbeEnds | Seating::ProbeSites)
}

/// The message server's seat.
const SERVER: &str = "server";

/// What sits in our own seats, and every value that is open.
#[derive(Clone)]
pub struct Design {
    /// The named design.
    pub policy: PolicyName,
    /// The choice turned bad, for a mutant of it.
    pub mutant: Option<Mutant>,
    /// The open values.
    pub profile: ProfileSource,
    /// What decides every draw.
    pub seed: Seed,
    /// Asynchronous code of others in the message server's seat, which then is no seat of ours.
    pub server: Option<ServerMaker>,
    /// A machine of others in each terminal's seat, which then is no seat of ours.
    pub terminal: Option<TerminalMaker>,
}

/// Makes a terminal of others for a run, around the memory that the installer programmed; on any bench.
pub type TerminalMaker = Arc<dyn Fn(&Profile, Chip) -> VendorTerminal + Send + Sync>;

/// Makes the message server of a run, fresh for each; it runs in the world alone.
pub type ServerMaker = Arc<dyn Fn(&Profile) -> Rc<dyn Guest> + Send + Sync>;

impl Design {
    /// A named design with the built-in profile.
    pub fn new(policy: PolicyName, seed: Seed) -> Self {
        Self { policy, mutant: None, profile: ProfileSource::default(), seed, server: None, terminal: None }
    }

    /// The same with one choice turned bad.
    #[must_use]
    pub fn mutated(&self, mutant: Mutant) -> Self {
        Self { mutant: Some(mutant), ..self.clone() }
    }

    fn choices(&self) -> Policy {
        let mut choices = self.policy.policy();
        if let Some(mutant) = &self.mutant {
            (mutant.apply)(&mut choices);
        }
        choices
    }
}

/// A case that cannot be made ready.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum TrialError {
    /// Its own plan does not read.
    #[error("the case's own plan does not read: {0}")]
    OwnPlan(toml::de::Error),
    /// It does not go with the profile.
    #[error("the case does not go with the profile: {0}")]
    Profile(#[from] ProfileError),
    /// Its installation cannot be built.
    #[error(transparent)]
    Plant(#[from] PlantError),
}

/// Why a run says nothing about the device: ours or the rig's fault.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Broken {
    /// The case could not be carried out.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// The case cannot be made ready.
    #[error("{0}")]
    NotReady(String),
    /// Something of ours panicked.
    #[error("the suite panicked: {0}")]
    Panicked(String),
}

/// What one run left.
pub struct Run {
    /// What the oracles found, and the bench in the end; nothing if it did not come to that.
    pub outcome: Option<Outcome>,
    /// What went wrong on our side.
    pub broken: Option<Broken>,
}

/// A case ready to run.
#[derive(Clone)]
pub struct Trial {
    /// The case.
    pub case: Case,
    /// What it stands on.
    pub plant: Plant,
    /// Its own faults.
    pub own: FaultPlan,
    layout: Layout<Water>,
    server: Option<ServerMaker>,
}

impl Trial {
    /// Makes a case ready on a design.
    ///
    /// Errors: [`TrialError`].
    pub fn new(case: Case, design: &Design) -> Result<Self, TrialError> {
        let plant = Plant {
            profile: design.profile.profile(case.setup.profile)?,
            policy: design.choices(),
            terminals: case.setup.terminals,
            cards: case.setup.cards.to_vec(),
            seating: case.setup.seating,
            seed: design.seed,
        };
        let own = case.fault_plan().map_err(TrialError::OwnPlan)?;
        let mut layout = match &design.mutant {
            Some(mutant) if !mutant.profile.is_empty() => {
                // The judges go by what is declared; the mutant's parties are built of what they really have.
                let mut real = design.profile.clone();
                put_over(&mut real.overrides, &mutant.overrides().map_err(TrialError::OwnPlan)?);
                Plant { profile: real.profile(case.setup.profile)?, ..plant.clone() }.layout()?
            }
            _ => plant.layout()?,
        };
        // A test head does what is seen of the server of others.
        let server = design.server.clone().filter(|_| has_server_under_test(&case));
        if server.is_some() {
            layout.reseat(SERVER, Party::Probe(Probe::default()));
        }
        if let Some(make) = design.terminal.as_ref().filter(|_| has_terminals_under_test(&case)) {
            for place in 0..plant.terminals {
                let vendors = make(&plant.profile, plant.chip(place)?);
                layout.reseat(&terminal_name(place), Party::VendorTerminal(vendors));
            }
        }
        Ok(Self { case, plant, own, layout, server })
    }

    /// The case's own faults and one more.
    pub fn plan_with(&self, strike: &Strike) -> FaultPlan {
        let strikes = self.own.strikes.iter().chain([strike]).cloned().collect();
        FaultPlan { strikes }
    }

    /// The layout, before anything has happened.
    pub fn layout(&self) -> &Layout<Water> {
        &self.layout
    }

    /// A bench, before it is switched on.
    ///
    /// Errors: [`PlanError`].
    pub fn bench(&self, plan: &FaultPlan, keep: Keep) -> Result<Tabletop<Water>, PlanError> {
        Tabletop::new(self.layout.clone(), plan, keep)
    }

    /// Leads these links out of the bench, if it has them.
    pub fn lead_out<'a>(&mut self, links: impl Iterator<Item = &'a str>) {
        let Ok(bench) = self.bench(&FaultPlan::default(), Keep::Last(1)) else { return };
        for line in links.filter_map(|name| bench.line_named(name)) {
            self.layout.lead_out(line);
        }
    }

    /// Runs the case on the tabletop under this plan, which takes the place of its own.
    pub fn run(&self, plan: &FaultPlan, keep: Keep, stop: &Stop) -> Run {
        self.run_on(plan, stop, || self.table(plan, keep, Jumps), |_| {})
    }

    /// Runs the case in the world under this plan, which takes the place of its own.
    pub fn run_in_world(&self, plan: &FaultPlan, keep: Keep, stop: &Stop) -> Run {
        self.run_on(plan, stop, || self.world(plan, keep), |_| {})
    }

    /// A tabletop at this pace, before it is switched on.
    ///
    /// Errors: [`PlanError`].
    pub fn table(
        &self,
        plan: &FaultPlan,
        keep: Keep,
        pace: impl Pace<Water> + 'static,
    ) -> Result<Box<dyn Bench<Water>>, StageError> {
        if self.server.is_some() {
            return Err(BenchError(
                "the server under test runs on a clock, so it needs the world".to_owned(),
            )
            .into());
        }
        Ok(Box::new(Paced { table: self.bench(plan, keep)?, pace }))
    }

    /// A world, before it is switched on.
    ///
    /// Errors: [`PlanError`].
    pub fn world(&self, plan: &FaultPlan, keep: Keep) -> Result<Box<dyn Bench<Water>>, StageError> {
        let table = self.bench(&FaultPlan::default(), Keep::Last(1))?;
        let guests: Vec<Seated<Water>> = self
            .server
            .iter()
            .filter_map(|make| {
                let hands = Hands {
                    send: |port, bytes| Stimulus::Probe(ProbeStimulus::Send(port, bytes)),
                    close: |port, how| Stimulus::Probe(ProbeStimulus::Close(port, how)),
                };
                Some(Seated { seat: table.seat_named(SERVER)?, guest: make(&self.plant.profile), hands })
            })
            .collect();
        Ok(Box::new(World::with_guests(self.layout.clone(), plan, keep, self.plant.seed, &guests)?))
    }

    /// Runs the case on any bench that was made for this plan; `prepare` has the stage before it is switched on.
    pub fn run_on(
        &self,
        plan: &FaultPlan,
        stop: &Stop,
        bench: impl FnOnce() -> Result<Box<dyn Bench<Water>>, StageError>,
        prepare: impl FnOnce(&mut Stage),
    ) -> Run {
        let work = || -> Result<Run, StageError> {
            let mut stage = Stage::on(bench()?, &self.plant, self.case.sut, plan, stop)?;
            let oracles = (self.case.oracles)(stage.scene());
            stage.watch(oracles);
            prepare(&mut stage);
            stage.switch_on();
            let broken = (self.case.run)(&mut stage).err().map(Broken::Stage);
            Ok(Run { outcome: Some(stage.finish()), broken })
        };
        let broke = |why| Run { outcome: None, broken: Some(why) };
        match panics::caught(work) {
            Ok(Ok(run)) => run,
            Ok(Err(error)) => broke(Broken::Stage(error)),
            Err(message) => broke(Broken::Panicked(message)),
        }
    }
}

/// How much of a tape is kept where only its judgement and its digest are wanted: more than one step ever adds.
pub const KEPT: usize = 1_024;
