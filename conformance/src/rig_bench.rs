//! Benches: the tabletop, and rigs, whose links are real and whose time is the clock's.

use std::path::Path;

use assay_hil::real_time::RealTime;
use assay_hil::rig::Rig;
use assay_sim::fault::FaultPlan;
use assay_sim::tabletop::Tabletop;
use assay_sim::tape::Keep;
use assay_sim::time::{Instant, Span};
use assay_sim::water::family::Water;

use crate::interrupt::{Interruptible, Stop};
use crate::names::no_such;
use crate::stage::{Pace, StageError};
use crate::trial::{ProfileSource, Run, Trial};

/// How long a rig waits at most before it looks whether it shall stop.
const LOOK_UP: Span = Span::ms(100);

/// A bench that cases run on.
#[derive(Clone, Debug)]
pub enum Bench {
    /// From deadline to deadline.
    Tabletop,
    /// With real ports.
    Rig(Box<RigBench>),
}

/// A rig that has been read.
#[derive(Clone, Debug)]
pub struct RigBench {
    name: String,
    rig: Rig,
}

impl Bench {
    /// The bench of this name: `tabletop`, or `rig:` and a file.
    ///
    /// Errors: a sentence with file, line, field and mend.
    pub fn named(name: &str) -> Result<Self, String> {
        match name.strip_prefix("rig:") {
            Some(file) => {
                let rig =
                    Rig::load(Path::new(file)).map_err(|error| error.to_string().replace('\n', ", "))?;
                Ok(Self::Rig(Box::new(RigBench { name: name.to_owned(), rig })))
            }
            None if name == "tabletop" => Ok(Self::Tabletop),
            None => Err(no_such("bench", name, &["tabletop", "rig:FILE"])),
        }
    }

    /// Its name, as `--bench` takes it.
    pub fn name(&self) -> &str {
        match self {
            Self::Tabletop => "tabletop",
            Self::Rig(bench) => &bench.name,
        }
    }

    /// Whether two runs on it make the same tape.
    pub const fn repeats(&self) -> bool {
        matches!(self, Self::Tabletop)
    }

    /// A profile as this bench needs it.
    ///
    /// Errors: a sentence; what the rig's file says does not go with the profile.
    pub fn profile(&self, base: ProfileSource) -> Result<ProfileSource, String> {
        let Self::Rig(bench) = self else { return Ok(base) };
        let RigBench { name, rig } = &**bench;
        let source =
            ProfileSource { overrides: rig.profile.set.clone(), divisor: rig.profile.divide_timers, ..base };
        let file = name.strip_prefix("rig:").unwrap_or(name);
        let refuse = |error: assay_sim::water::profile::ProfileError| {
            format!("{file}: `profile`: {}", error.to_string().trim_end().replace('\n', ", "))
        };
        source.profile("").map_err(refuse)?;
        Ok(source)
    }

    /// Runs a case on it under this plan, which takes the place of the case's own.
    pub fn run(&self, trial: &Trial, plan: &FaultPlan, stop: &Stop) -> Run {
        let Self::Rig(bench) = self else { return trial.run(plan, Keep::All, stop) };
        let mut trial = trial.clone();
        trial.lead_out(bench.rig.links.keys().map(String::as_str));
        let open = |table: &Tabletop<Water>| -> Result<Box<dyn Pace>, StageError> {
            let ports =
                RealTime::new(&bench.rig, table).map_err(|error| StageError::Rig(error.to_string()))?;
            Ok(Box::new(Interruptible::new(RealPace { ports }, stop)))
        };
        trial.run_on(plan, Keep::All, open, |_| {})
    }
}

/// As fast as the clock goes.
struct RealPace {
    ports: RealTime,
}

impl Pace for RealPace {
    fn step(&mut self, bench: &mut Tabletop<Water>, until: Instant) -> Result<bool, StageError> {
        let look_up = until.min(bench.now() + LOOK_UP);
        let more = self.ports.step(bench, look_up).map_err(|error| StageError::Rig(error.to_string()))?;
        Ok(more || look_up < until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bench_is_known_by_its_name() {
        assert_eq!(Bench::named("tabletop").unwrap().name(), "tabletop");
        let error = Bench::named("tabeltop").unwrap_err();
        assert!(error.contains("did you mean `tabletop`?"), "{error}");
        let error = Bench::named("rig:no-such.toml").unwrap_err();
        assert!(error.starts_with("no-such.toml: "), "{error}");
    }
}
