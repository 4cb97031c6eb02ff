//! A case: what is provoked, on what, and which requirements it can show. It never judges.

use assay_sim::fault::{FaultPlan, Strike};
use assay_sim::water::cards::CardSpec;
use assay_sim::water::plant::Seating;

use crate::finding::Oracle;
use crate::scene::{Scene, Sut};
use crate::stage::{Stage, StageError};

/// A system that the suite covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum System {
    /// The prepaid water card.
    Water,
    /// AT modems and their hosts.
    Modem,
}

impl System {
    /// Every system.
    pub const ALL: [Self; 2] = [Self::Water, Self::Modem];

    /// Its name, which is also the first part of its cases' ids.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Water => "water",
            Self::Modem => "modem",
        }
    }
}

/// What a case stands on.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// Who sits where.
    pub seating: Seating,
    /// How many terminals.
    pub terminals: usize,
    /// The cards.
    pub cards: &'static [CardSpec],
    /// Values of the profile that this case needs otherwise, as TOML.
    pub profile: &'static str,
}

/// One case.
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
    /// What it stands on.
    pub setup: Setup,
    /// The faults that make the case, as plan text: site, moment and fault of each, in the form of a replay file.
    pub plan: &'static str,
    /// Its judges, fresh for each run.
    pub oracles: fn(&Scene) -> Vec<Box<dyn Oracle>>,
    /// What it does.
    pub run: fn(&mut Stage) -> Result<(), StageError>,
    /// Whether exploration strikes its sites.
    pub explored: bool,
    /// Whether it can run on a rig with ports, in real time.
    pub on_rig: bool,
}

impl Case {
    /// The case's own faults.
    ///
    /// Errors: the text does not read, which a test excludes for every case.
    pub fn fault_plan(&self) -> Result<FaultPlan, toml::de::Error> {
        #[derive(serde::Deserialize)]
        struct File {
            #[serde(default)]
            strike: Vec<Strike>,
        }
        Ok(FaultPlan { strikes: toml::from_str::<File>(self.plan)?.strike })
    }
}
