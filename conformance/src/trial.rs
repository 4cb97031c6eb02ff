//! A case that is ready to run: on one design, as often as wanted, each time from the start.

use std::rc::Rc;
use std::sync::Arc;

use assay_hil::lockstep::Lockstep;
use assay_hil::lockstep::terminal::LockstepTerminal;
use assay_sim::bench::{Bench as Table, BenchError, Jumps, Pace, Paced};
use assay_sim::eeprom::Chip;
use assay_sim::fault::{FaultDomain, FaultPlan, Strike};
use assay_sim::policy::PolicyName;
use assay_sim::seed::Seed;
use assay_sim::tabletop::{Layout, PlanError, Tabletop};
use assay_sim::tape::Keep;
use assay_sim::time::Instant;
use assay_sim::water::profile::Profile;
use assay_sim::water::terminal::vendor::VendorTerminal;
use assay_sim::world::World;
use assay_sim::world::guest::Guest;
use thiserror::Error;

use crate::case::{AnyScript, Case, Script};
use crate::explore::Wiring;
use crate::interrupt::Stop;
use crate::outcome::Outcome;
use crate::panics;
use crate::rig_bench::{Bench, RigBench};
use crate::stage::{self, PAUSE_MIN, Stage, StageError};
use crate::suite::Mutant;
use crate::system::{Suited, Sut};

/// Where the open values come from.
#[derive(Clone, Debug)]
pub struct ProfileSource {
    /// The file, unless it is the built-in profile.
    pub file: Option<String>,
    /// Its text, unless it is the built-in profile.
    pub text: Option<Arc<str>>,
    /// Values in place of the file's.
    pub overrides: toml::Table,
    /// By how much every timer of a device is divided.
    pub divisor: u64,
}

impl Default for ProfileSource {
    fn default() -> Self {
        Self { file: None, text: None, overrides: toml::Table::new(), divisor: 1 }
    }
}

impl ProfileSource {
    /// How files and reports call it.
    pub fn name(&self) -> &str {
        self.file.as_deref().unwrap_or("built-in")
    }

    /// A family's profile with what a case needs otherwise.
    ///
    /// Errors: a sentence.
    /// Why: a case's own values are part of the profile, so they are divided like the rest; those of a bench are not.
    pub fn profile<F: Suited>(&self, needs: &str) -> Result<F::Profile, String> {
        let text = self.text.as_deref().unwrap_or(F::BUILT_IN);
        if needs.is_empty() {
            return F::load(text, &self.overrides, self.divisor);
        }
        let read = |text: &str| toml::from_str::<toml::Table>(text).map_err(|error| error.to_string());
        let mut table = read(text)?;
        // The first load finds keys that there are not; the second divides.
        let needs = read(needs)?;
        F::load(text, &needs, 1)?;
        put_over(&mut table, &needs);
        F::load(&table.to_string(), &self.overrides, self.divisor)
    }

    /// Every value as declared for a case, undivided; nothing if the text does not read.
    pub(crate) fn table<F: Suited>(&self, needs: &str) -> toml::Table {
        let mut table: toml::Table = self.text.as_deref().unwrap_or(F::BUILT_IN).parse().unwrap_or_default();
        put_over(&mut table, &needs.parse().unwrap_or_default());
        put_over(&mut table, &self.overrides);
        table
    }

    /// The first value with which a product has to be built for a case and is not: its key, what the case needs, and
    /// what is declared.
    pub fn otherwise<F: Suited>(&self, needs: &str, sut: Sut) -> Option<[String; 3]> {
        let mut declared: toml::Table = self.text.as_deref().unwrap_or(F::BUILT_IN).parse().ok()?;
        put_over(&mut declared, &self.overrides);
        let mut needs: toml::Table = needs.parse().ok()?;
        needs.retain(|section, _| F::built_with(sut).contains(&section));
        differs(&needs, Some(&declared), "")
    }
}

/// The first of these values that a table has otherwise: its key, what is wanted, and what is there.
fn differs(wanted: &toml::Table, there: Option<&toml::Table>, path: &str) -> Option<[String; 3]> {
    wanted.iter().find_map(|(key, value)| {
        let (path, found) = (format!("{path}{key}"), there.and_then(|there| there.get(key)));
        match value {
            toml::Value::Table(inner) => {
                differs(inner, found.and_then(toml::Value::as_table), &format!("{path}."))
            }
            _ if found == Some(value) => None,
            _ => {
                let found = found.map_or_else(|| "nothing".to_owned(), ToString::to_string);
                Some([path, value.to_string(), found])
            }
        }
    })
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
    /// The program behind that machine, if it is one in a lockstep seat, so that it can be named and started again.
    pub lockstep: Option<Lockstep>,
    /// How many terminals there are, if not as many as each case has.
    pub terminals: Option<usize>,
}

/// Makes a terminal of others for a run, around the memory that the installer programmed; on any bench.
pub type TerminalMaker = Arc<dyn Fn(&Profile, Chip) -> VendorTerminal + Send + Sync>;

/// Makes the message server of a run, fresh for each; it runs in the world alone.
pub type ServerMaker = Arc<dyn Fn(&Profile) -> Rc<dyn Guest> + Send + Sync>;

impl Design {
    /// A named design with the built-in profile.
    pub fn new(policy: PolicyName, seed: Seed) -> Self {
        Self {
            policy,
            mutant: None,
            profile: ProfileSource::default(),
            seed,
            server: None,
            terminal: None,
            lockstep: None,
            terminals: None,
        }
    }

    /// The same with a program in each terminal's seat.
    #[must_use]
    pub fn with_lockstep(self, lockstep: Lockstep) -> Self {
        let seated = lockstep.clone();
        let terminal: TerminalMaker = Arc::new(move |profile: &Profile, chip: Chip| {
            VendorTerminal::new(LockstepTerminal::new(seated.clone(), profile, chip))
        });
        Self { terminal: Some(terminal), lockstep: Some(lockstep), ..self }
    }

    /// The same with one choice turned bad.
    #[must_use]
    pub fn mutated(&self, mutant: Mutant) -> Self {
        Self { mutant: Some(mutant), ..self.clone() }
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
    Profile(String),
    /// Its installation cannot be built.
    #[error("{0}")]
    Plant(String),
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
    /// What was written down of a run that broke.
    #[error("{0}")]
    Recorded(String),
}

/// What one run left.
pub struct Run {
    /// What the oracles found, and the bench in the end; nothing if it did not come to that.
    pub outcome: Option<Outcome>,
    /// What went wrong on our side.
    pub broken: Option<Broken>,
}

/// What one run of a family's case left.
pub struct RunOf<F: Suited> {
    /// What the oracles found, and the bench in the end; nothing if it did not come to that.
    pub outcome: Option<stage::Outcome<F>>,
    /// What went wrong on our side.
    pub broken: Option<Broken>,
}

/// What a run records, and what it keeps from its judges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Watch {
    /// Whether every site is recorded that the run goes through.
    pub visits: bool,
    /// Whether it is recorded as well where the run stands at each of them, by which runs are told that go on alike.
    pub marks: bool,
    /// Whether the branches are recorded that parties say they go through.
    pub branches: bool,
    /// Whether the granularity margin is recorded.
    pub margin: bool,
    /// Whether what the system under test says of itself is kept from the oracles.
    pub without_claims: bool,
    /// When the run ends before its time, with only what was certain by then.
    pub until: Option<Instant>,
}

impl Watch {
    /// Nothing out of the ordinary.
    pub const PLAIN: Self = Self {
        visits: false,
        marks: false,
        branches: false,
        margin: false,
        without_claims: false,
        until: None,
    };
    /// With every site.
    pub const VISITS: Self = Self { visits: true, ..Self::PLAIN };
    /// With every site, and where the run stands there.
    pub const MARKS: Self = Self { marks: true, ..Self::PLAIN };
    /// With the granularity margin.
    pub const MARGIN: Self = Self { margin: true, ..Self::PLAIN };
    /// Without claims.
    pub const NO_CLAIMS: Self = Self { without_claims: true, ..Self::PLAIN };

    fn prepare<F: Suited>(self, stage: &mut Stage<F>) {
        if self.visits {
            stage.record_visits();
        }
        if self.marks {
            stage.record_marks();
        }
        if self.branches {
            stage.record_branches();
        }
        if self.margin {
            stage.record_margin();
        }
        if self.without_claims {
            stage.suppress_claims();
        }
        if let Some(until) = self.until {
            stage.end_early(until);
        }
    }
}

/// A family's case ready to run.
#[derive(Clone)]
pub struct Ready<F: Suited> {
    /// The case.
    pub script: Script<F>,
    /// What it stands on.
    pub plant: F::Plant,
    /// Every open value, as declared.
    pub profile: F::Profile,
    layout: Layout<F>,
    design: Design,
}

impl<F: Suited> Ready<F> {
    /// Makes a case ready on a design.
    ///
    /// Errors: [`TrialError`].
    pub fn new(mut script: Script<F>, design: &Design) -> Result<Self, TrialError> {
        if let Some(terminals) = design.terminals {
            *F::terminals(&mut script.setup) = terminals;
        }
        let mutant = design.mutant.as_ref();
        let policy = F::policy(design.policy, mutant);
        let load = |source: &ProfileSource| {
            source.profile::<F>(F::needs(&script.setup)).map_err(TrialError::Profile)
        };
        let profile = load(&design.profile)?;
        let plant = F::plant(profile.clone(), policy.clone(), &script.setup, design.seed);
        let real = match mutant {
            Some(mutant) if !mutant.profile.is_empty() => {
                // The judges go by what is declared; the mutant's parties are built of what they really have.
                let mut real = design.profile.clone();
                put_over(&mut real.overrides, &mutant.overrides().map_err(TrialError::OwnPlan)?);
                &F::plant(load(&real)?, policy, &script.setup, design.seed)
            }
            _ => &plant,
        };
        let mut layout = F::layout(real).map_err(TrialError::Plant)?;
        F::seat_others(design, &script.setup, script.sut, &plant, &mut layout).map_err(TrialError::Plant)?;
        Ok(Self { script, plant, profile, layout, design: design.clone() })
    }

    /// The same on something else.
    ///
    /// Errors: [`TrialError`].
    pub fn set_up(&self, change: impl FnOnce(&mut F::Setup)) -> Result<Self, TrialError> {
        let mut script = self.script;
        change(&mut script.setup);
        Self::new(script, &self.design)
    }

    /// A bench, before it is switched on.
    ///
    /// Errors: [`PlanError`].
    pub fn bench(&self, plan: &FaultPlan, keep: Keep) -> Result<Tabletop<F>, PlanError> {
        Tabletop::new(self.layout.clone(), plan, keep)
    }

    /// The same with these links led out of the bench, if it has them.
    #[must_use]
    pub fn led_out<'a>(&self, links: impl Iterator<Item = &'a str>) -> Self {
        let mut ready = self.clone();
        if let Ok(bench) = self.bench(&FaultPlan::default(), Keep::Last(1)) {
            for line in links.filter_map(|name| bench.line_named(name)) {
                ready.layout.lead_out(line);
            }
        }
        ready
    }

    /// The same with what calendar clocks show when it starts.
    ///
    /// Errors: [`TrialError`].
    pub fn at(&self, epoch: &str) -> Result<Self, TrialError> {
        let mut design = self.design.clone();
        let bench = design.profile.overrides.entry("bench").or_insert_with(|| toml::Table::new().into());
        if let Some(bench) = bench.as_table_mut() {
            bench.insert("epoch".to_owned(), epoch.into());
        }
        Self::new(self.script, &design)
    }

    /// The same with test heads in these seats; the first of them in which a case has one already is an error.
    ///
    /// Errors: the seat.
    pub fn with_heads<'a>(&self, seats: impl Iterator<Item = &'a str>) -> Result<Self, String> {
        let mut ready = self.clone();
        let bench = self.bench(&FaultPlan::default(), Keep::Last(1)).map_err(|error| error.to_string())?;
        for name in seats {
            let Some(seat) = bench.seat_named(name) else { continue };
            if F::is_head(bench.party(seat)) {
                return Err(name.to_owned());
            }
            ready.layout.reseat(name, F::head());
        }
        Ok(ready)
    }

    /// The same with what stands behind the text port of the real party in a seat; the links that are kept stay with
    /// the party.
    #[must_use]
    pub fn with_text_port(&self, seat: &str, kept: &dyn Fn(&str) -> bool) -> Self {
        let mut ready = self.clone();
        F::seat_text_port(&self.plant, &mut ready.layout, seat, kept);
        ready
    }

    fn guests(&self, table: &Tabletop<F>) -> Vec<assay_sim::world::guest::Seated<F>> {
        let Script { setup, sut, .. } = &self.script;
        F::guests(&self.design, setup, *sut, &self.plant, &|name| table.seat_named(name))
    }

    /// A tabletop at this pace, before it is switched on.
    ///
    /// Errors: [`StageError`].
    pub fn table(
        &self,
        plan: &FaultPlan,
        keep: Keep,
        pace: impl Pace<F> + 'static,
    ) -> Result<Box<dyn Table<F>>, StageError> {
        let table = self.bench(plan, keep)?;
        if !self.guests(&table).is_empty() {
            let why = "what is under test runs on a clock, so it needs the world";
            return Err(BenchError(why.to_owned()).into());
        }
        Ok(Box::new(Paced { table, pace }))
    }

    /// A world, before it is switched on.
    ///
    /// Errors: [`StageError`].
    pub fn world(&self, plan: &FaultPlan, keep: Keep) -> Result<Box<dyn Table<F>>, StageError> {
        let table = self.bench(&FaultPlan::default(), Keep::Last(1))?;
        let guests = self.guests(&table);
        Ok(Box::new(World::with_guests(self.layout.clone(), plan, keep, self.design.seed, &guests)?))
    }

    /// Runs the case on the tabletop under this plan.
    pub fn run(&self, plan: &FaultPlan, keep: Keep, stop: &Stop) -> RunOf<F> {
        self.run_on(plan, stop, || self.table(plan, keep, Jumps), |_| {})
    }

    /// Runs the case on any bench that was made for this plan; `prepare` has the stage before it is switched on.
    pub fn run_on(
        &self,
        plan: &FaultPlan,
        stop: &Stop,
        bench: impl FnOnce() -> Result<Box<dyn Table<F>>, StageError>,
        prepare: impl FnOnce(&mut Stage<F>),
    ) -> RunOf<F> {
        let work = || -> Result<RunOf<F>, StageError> {
            let mut stage = Stage::on(bench()?, &self.plant, self.script.sut, plan, stop)?;
            let oracles = (self.script.oracles)(stage.scene());
            stage.watch(oracles);
            stage.divide(self.design.profile.divisor);
            prepare(&mut stage);
            stage.switch_on();
            let ran = (self.script.run)(&mut stage);
            let mut broken = ran.err().filter(|error| *error != StageError::Ended).map(Broken::Stage);
            let mut outcome = stage.finish();
            match outcome.trouble.take() {
                Some(trouble) if trouble.ours => {
                    broken = broken.or(Some(Broken::Stage(BenchError(trouble.what).into())));
                }
                trouble => outcome.findings.breach = trouble.map(|trouble| trouble.what),
            }
            Ok(RunOf { outcome: Some(outcome), broken })
        };
        let broke = |why| RunOf { outcome: None, broken: Some(why) };
        match panics::caught(work) {
            Ok(Ok(run)) => run,
            Ok(Err(error)) => broke(Broken::Stage(error)),
            Err(message) => broke(Broken::Panicked(message)),
        }
    }
}

/// A case ready to run, whatever its family.
trait AnyReady: Send + Sync {
    fn run(&self, bench: &Bench, plan: &FaultPlan, keep: Keep, stop: &Stop, watch: Watch) -> Run;
    fn check_rig(&self, bench: &Bench) -> Result<(), Broken>;
    fn wiring(&self, plan: &FaultPlan) -> Result<Wiring, PlanError>;
    fn check(&self, bench: &Bench, plan: &FaultPlan) -> Result<(), PlanError>;
    fn domain(&self) -> &FaultDomain;
    fn terminals(&self) -> usize;
}

impl<F: Suited> AnyReady for Ready<F> {
    fn run(&self, bench: &Bench, plan: &FaultPlan, keep: Keep, stop: &Stop, watch: Watch) -> Run {
        let built = match panics::caught(|| bench.built(self, plan, keep)) {
            Ok(built) => built,
            Err(message) => return Run { outcome: None, broken: Some(Broken::Panicked(message)) },
        };
        let (readied, table) = match built {
            Ok((readied, table)) => (readied, Ok(table)),
            Err(error) => (None, Err(error)),
        };
        let ready = readied.as_ref().unwrap_or(self);
        let RunOf { outcome, broken } = ready.run_on(plan, stop, || table, |stage| watch.prepare(stage));
        let mut outcome = outcome.map(Outcome::from);
        if let Some(outcome) = outcome.as_mut().filter(|_| bench.rig().is_some_and(RigBench::is_by_hand)) {
            outcome.forget_hearsay();
        }
        Run { outcome, broken }
    }

    fn check_rig(&self, bench: &Bench) -> Result<(), Broken> {
        bench.built(self, &FaultPlan::default(), Keep::Last(1)).map(drop).map_err(Broken::Stage)
    }

    fn wiring(&self, plan: &FaultPlan) -> Result<Wiring, PlanError> {
        Ok(Wiring::of(&self.bench(plan, Keep::Last(1))?))
    }

    fn check(&self, bench: &Bench, plan: &FaultPlan) -> Result<(), PlanError> {
        bench.with_text_ports(self.clone()).bench(plan, Keep::Last(1)).map(|_| ())
    }

    fn domain(&self) -> &FaultDomain {
        F::domain(&self.profile)
    }

    fn terminals(&self) -> usize {
        *F::terminals(&mut self.script.setup.clone())
    }
}

/// A case ready to run.
#[derive(Clone)]
pub struct Trial {
    /// The case.
    pub case: Case,
    /// Its own faults.
    pub own: FaultPlan,
    ready: Arc<dyn AnyReady>,
}

impl Trial {
    /// Makes a case ready on a design.
    ///
    /// Errors: [`TrialError`].
    pub fn new(case: Case, design: &Design) -> Result<Self, TrialError> {
        let own = case.fault_plan().map_err(TrialError::OwnPlan)?;
        let own = own.shortened(design.profile.divisor, PAUSE_MIN);
        let ready: Arc<dyn AnyReady> = match case.script {
            AnyScript::Water(script) => Arc::new(Ready::new(script, design)?),
            AnyScript::Pos(script) => Arc::new(Ready::new(script, design)?),
            AnyScript::Payments(script) => Arc::new(Ready::new(script, design)?),
            AnyScript::Paymod(script) => Arc::new(Ready::new(script, design)?),
        };
        Ok(Self { case, own, ready })
    }

    /// The case's own faults and one more.
    pub fn plan_with(&self, strike: &Strike) -> FaultPlan {
        let strikes = self.own.strikes.iter().chain([strike]).cloned().collect();
        FaultPlan { strikes }
    }

    /// How the installation is wired.
    ///
    /// Errors: [`PlanError`]; the case's own plan does not fit it.
    pub fn wiring(&self) -> Result<Wiring, PlanError> {
        self.ready.wiring(&self.own)
    }

    /// How the installation is wired under a plan.
    ///
    /// Errors: [`PlanError`]; the plan does not fit it.
    pub fn wiring_under(&self, plan: &FaultPlan) -> Result<Wiring, PlanError> {
        self.ready.wiring(plan)
    }

    /// Whether a plan fits the installation as it stands on a bench.
    ///
    /// Errors: [`PlanError`].
    pub fn check(&self, bench: &Bench, plan: &FaultPlan) -> Result<(), PlanError> {
        self.ready.check(bench, plan)
    }

    /// Builds a bench for the case and lets it go again, so that a rig checks itself.
    ///
    /// Errors: the rig is out of order, or does not fit the case.
    pub fn check_bench(&self, bench: &Bench) -> Result<(), Broken> {
        self.ready.check_rig(bench)
    }

    /// The values that exploration tries.
    pub fn domain(&self) -> &FaultDomain {
        self.ready.domain()
    }

    /// How many terminals there are.
    pub fn terminals(&self) -> usize {
        self.ready.terminals()
    }

    /// Runs the case on the tabletop under this plan, which takes the place of its own.
    pub fn run(&self, plan: &FaultPlan, keep: Keep, stop: &Stop) -> Run {
        self.run_on(&Bench::Tabletop, plan, keep, stop, Watch::PLAIN)
    }

    /// Runs the case on a bench under this plan, which takes the place of its own.
    pub fn run_on(&self, bench: &Bench, plan: &FaultPlan, keep: Keep, stop: &Stop, watch: Watch) -> Run {
        self.ready.run(bench, plan, keep, stop, watch)
    }
}

/// How much of a tape is kept where only its judgement and its digest are wanted: more than one step ever adds.
pub const KEPT: usize = 1_024;
