//! A case: what is provoked, on what, and which requirements it can show. It never judges.

use std::fmt;

use assay_sim::fault::{FaultPlan, Strike};
use assay_sim::payments::family::Payments;
use assay_sim::paymod::family::Paymod;
use assay_sim::pos::family::Pos;
use assay_sim::water::family::Water;

use crate::finding::Oracles;
use crate::stage::{Stage, StageError};
use crate::storm::Storm;
use crate::system::{Suited, Sut, System};
use crate::trial::ProfileSource;

/// A case as a family's suite writes it.
pub struct Script<F: Suited> {
    /// `family/topic/behaviour`; never changes.
    pub id: &'static str,
    /// What it shows, in words.
    pub title: &'static str,
    /// Its system.
    pub system: System,
    /// Who is under test.
    pub sut: Sut,
    /// The requirements that it can show, by id.
    pub shows: &'static [&'static str],
    /// What it stands on.
    pub setup: F::Setup,
    /// The faults that make the case, as plan text: site, moment and fault of each, in the form of a replay file.
    pub plan: &'static str,
    /// Its judges, fresh for each run.
    pub oracles: fn(&F::Scene) -> Oracles<F>,
    /// What it does.
    pub run: fn(&mut Stage<F>) -> Result<(), StageError>,
    /// Whether exploration strikes its sites.
    pub explored: bool,
    /// Whether it can run on a rig with ports, in real time.
    pub on_rig: bool,
    /// Whether it takes so long, or so many parties, that only the tabletop has the time.
    pub tabletop_only: bool,
}

impl<F: Suited> Clone for Script<F> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<F: Suited> Copy for Script<F> {}

impl<F: Suited> Script<F> {
    /// The case's own faults.
    ///
    /// Errors: the text does not read, which a test excludes for every case.
    pub fn fault_plan(&self) -> Result<FaultPlan, toml::de::Error> {
        plan_of(self.plan)
    }
}

/// A case of any system.
#[derive(Clone, Copy)]
pub struct Case {
    /// `family/topic/behaviour`; never changes.
    pub id: &'static str,
    /// What it shows, in words.
    pub title: &'static str,
    /// Its system.
    pub system: System,
    /// Who is under test.
    pub sut: Sut,
    /// The requirements that it can show, by id.
    pub shows: &'static [&'static str],
    /// The faults that make the case, as plan text.
    pub plan: &'static str,
    /// Whether exploration strikes its sites.
    pub explored: bool,
    /// Whether it can run on a rig with ports, in real time.
    pub on_rig: bool,
    /// Whether it takes so long, or so many parties, that only the tabletop has the time.
    pub tabletop_only: bool,
    /// What it does, on what, and who judges.
    pub script: AnyScript,
}

/// The script of a case of any family.
#[derive(Clone, Copy)]
pub enum AnyScript {
    /// Of the water card or of modems, which share their parties.
    Water(Script<Water>),
    /// Of the POS system.
    Pos(Script<Pos>),
    /// Of programs that call the payment platforms.
    Payments(Script<Payments>),
    /// Of the scan-to-pay system.
    Paymod(Script<Paymod>),
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id)
    }
}

impl Case {
    fn of<F: Suited>(script: Script<F>, any: fn(Script<F>) -> AnyScript) -> Self {
        let Script { id, title, system, sut, shows, plan, explored, on_rig, tabletop_only, .. } = script;
        Self { id, title, system, sut, shows, plan, explored, on_rig, tabletop_only, script: any(script) }
    }

    /// The case's own faults.
    ///
    /// Errors: the text does not read, which a test excludes for every case.
    pub fn fault_plan(&self) -> Result<FaultPlan, toml::de::Error> {
        plan_of(self.plan)
    }

    /// The values of the profile that this case needs otherwise.
    pub fn needs(&self) -> toml::Table {
        let text = match self.script {
            AnyScript::Water(script) => Water::needs(&script.setup),
            AnyScript::Pos(script) => Pos::needs(&script.setup),
            AnyScript::Payments(script) => Payments::needs(&script.setup),
            AnyScript::Paymod(script) => Paymod::needs(&script.setup),
        };
        text.parse().unwrap_or_default()
    }

    /// Every value of the profile as this case takes it, and the sections of it that parties under test are built with.
    pub fn declared(&self, profile: &ProfileSource) -> (toml::Table, &'static [&'static str]) {
        match self.script {
            AnyScript::Water(script) => {
                (profile.table::<Water>(Water::needs(&script.setup)), Water::built_with(Sut::System))
            }
            AnyScript::Pos(script) => {
                (profile.table::<Pos>(Pos::needs(&script.setup)), Pos::built_with(Sut::System))
            }
            AnyScript::Payments(script) => {
                let table = profile.table::<Payments>(Payments::needs(&script.setup));
                (table, Payments::built_with(Sut::System))
            }
            AnyScript::Paymod(script) => {
                (profile.table::<Paymod>(Paymod::needs(&script.setup)), Paymod::built_with(Sut::System))
            }
        }
    }

    /// The first value with which a product under test has to be built for this case and is not, as the profile
    /// declares it: its key, what the case needs, and what is declared.
    pub fn built_otherwise(&self, declared: &ProfileSource) -> Option<[String; 3]> {
        match self.script {
            AnyScript::Water(script) => declared.otherwise::<Water>(Water::needs(&script.setup), self.sut),
            AnyScript::Pos(script) => declared.otherwise::<Pos>(Pos::needs(&script.setup), self.sut),
            AnyScript::Payments(script) => {
                declared.otherwise::<Payments>(Payments::needs(&script.setup), self.sut)
            }
            AnyScript::Paymod(script) => declared.otherwise::<Paymod>(Paymod::needs(&script.setup), self.sut),
        }
    }
}

/// The faults that a text lists as `[[strike]]`.
///
/// Errors: the text does not read.
pub fn plan_of(text: &str) -> Result<FaultPlan, toml::de::Error> {
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        #[serde(default)]
        strike: Vec<Strike>,
        #[serde(default)]
        storm: Vec<Storm>,
    }
    let File { mut strike, storm } = toml::from_str(text)?;
    strike.extend(storm.iter().flat_map(Storm::strikes));
    Ok(FaultPlan { strikes: strike })
}

impl From<Script<Water>> for Case {
    fn from(script: Script<Water>) -> Self {
        Self::of(script, AnyScript::Water)
    }
}

impl From<Script<Pos>> for Case {
    fn from(script: Script<Pos>) -> Self {
        Self::of(script, AnyScript::Pos)
    }
}

impl From<Script<Payments>> for Case {
    fn from(script: Script<Payments>) -> Self {
        Self::of(script, AnyScript::Payments)
    }
}

impl From<Script<Paymod>> for Case {
    fn from(script: Script<Paymod>) -> Self {
        Self::of(script, AnyScript::Paymod)
    }
}
