//! Benches: the tabletop, the world, and rigs, whose links are real and whose time is the clock's.

use std::path::Path;

use assay_hil::real_time::{RealTime, RealTimeError};
use assay_hil::rig::Rig;
use assay_sim::bench::{self, BenchError, Jumps, Pace, Paced};
use assay_sim::fault::FaultPlan;
use assay_sim::tabletop::{Family, Tabletop};
use assay_sim::tape::Keep;
use assay_sim::time::{Instant, Span};

use crate::case::Case;
use crate::interrupt::Stop;
use crate::names::no_such;
use crate::stage::StageError;
use crate::suite;
use crate::system::{Suited, System};
use crate::trial::{ProfileSource, Ready, Run, Trial, Watch};

/// How long a rig waits at most before it looks whether it shall stop.
const LOOK_UP: Span = Span::ms(100);

/// A bench that cases run on.
#[derive(Clone, Debug)]
pub enum Bench {
    /// From deadline to deadline.
    Tabletop,
    /// In a simulated network.
    World,
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
            None if name == "world" => Ok(Self::World),
            None => Err(no_such("bench", name, &["tabletop", "world", "rig:FILE"])),
        }
    }

    /// Its name, as `--bench` takes it.
    pub fn name(&self) -> &str {
        match self {
            Self::Tabletop => "tabletop",
            Self::World => "world",
            Self::Rig(bench) => &bench.name,
        }
    }

    /// Whether two runs on it make the same tape.
    pub const fn repeats(&self) -> bool {
        !matches!(self, Self::Rig(_))
    }

    /// Whether a case can run on it.
    pub const fn takes(&self, case: &Case) -> bool {
        match self {
            Self::Tabletop => true,
            Self::World => !case.tabletop_only,
            Self::Rig(_) => case.on_rig,
        }
    }

    /// A system's profile as this bench needs it.
    ///
    /// Errors: a sentence; what the rig's file says does not go with the profile.
    pub fn profile(&self, base: ProfileSource, system: System) -> Result<ProfileSource, String> {
        let Self::Rig(bench) = self else { return Ok(base) };
        let RigBench { name, rig } = &**bench;
        let source =
            ProfileSource { overrides: rig.profile.set.clone(), divisor: rig.profile.divide_timers, ..base };
        let file = name.strip_prefix("rig:").unwrap_or(name);
        let refuse = |error: String| format!("{file}: `profile`: {}", error.trim_end().replace('\n', ", "));
        suite::load_profile(system, &source).map_err(refuse)?;
        Ok(source)
    }

    /// Runs a case on it under this plan, which takes the place of the case's own.
    pub fn run(&self, trial: &Trial, plan: &FaultPlan, stop: &Stop) -> Run {
        trial.run_on(self, plan, Keep::All, stop, Watch::PLAIN)
    }

    /// Builds it for a case under this plan, with so much of the tape kept.
    ///
    /// Errors: [`StageError`].
    pub fn built<F: Suited>(
        &self,
        ready: &Ready<F>,
        plan: &FaultPlan,
        keep: Keep,
    ) -> Result<Box<dyn bench::Bench<F>>, StageError> {
        match self {
            Self::Tabletop => ready.table(plan, keep, Jumps),
            Self::World => ready.world(plan, keep),
            Self::Rig(bench) => {
                let links = bench.rig.links.keys().map(String::as_str);
                let table = ready.led_out(links).bench(plan, keep)?;
                let ports = RealTime::new(&bench.rig, &table).map_err(out_of_order)?;
                Ok(Box::new(Paced { table, pace: RealPace { ports } }))
            }
        }
    }
}

fn out_of_order(error: RealTimeError) -> BenchError {
    BenchError(format!("rig: {error}"))
}

/// As fast as the clock goes.
struct RealPace {
    ports: RealTime,
}

impl<F: Family> Pace<F> for RealPace {
    fn step(&mut self, bench: &mut Tabletop<F>, until: Instant) -> Result<bool, BenchError> {
        let look_up = until.min(bench.now() + LOOK_UP);
        let more = self.ports.step(bench, look_up).map_err(out_of_order)?;
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
