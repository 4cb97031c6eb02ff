//! Benches: the tabletop, the world, and rigs, whose links or parties are real and whose time is the clock's.

mod pace;
mod shows;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use assay_hil::Cuts;
use assay_hil::lockstep::Program;
use assay_hil::overhead::Overhead;
use assay_hil::real_time::{Places, RealTime, RealTimeError};
use assay_hil::rig::{self, Body, Carrier, NetConfig, Observe, Power, RealSeat, Rig, Seat, TextPort, covers};
use assay_reports::{OverheadRecord, ProductRecord, RigRecord, RunRecord};
use assay_sim::bench::{self, BenchError, Jumps, Paced};
use assay_sim::fault::FaultPlan;
use assay_sim::tape::{Keep, SeatId};
use jiff::tz::TimeZone;

use crate::case::Case;
use crate::interrupt::Stop;
use crate::names::no_such;
use crate::pics::Statement;
use crate::stage::StageError;
use crate::suite;
use crate::system::{Suited, Sut, System};
use crate::trial::{Design, ProfileSource, Ready, Run, Trial, Watch};

use pace::{RealPace, out_of_order};

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
    statement: Option<Statement>,
    state: Arc<Mutex<State>>,
    /// Which of several at once it is.
    slot: Option<usize>,
}

/// What is known of a rig across its cases.
#[derive(Debug, Default)]
struct State {
    checked: bool,
    /// What the check has found in order.
    found: Vec<String>,
    overhead: Overhead,
    /// What each power switch came to, by its seat.
    cuts: BTreeMap<String, Cuts>,
    /// The first breakage, which stays the answer.
    broken: Option<String>,
}

impl Bench {
    /// The bench of this name: `tabletop`, or `rig:` and a file.
    ///
    /// Errors: a sentence for each mistake, with file, line, field and mend.
    pub fn named(name: &str) -> Result<Self, String> {
        match name.strip_prefix("rig:") {
            Some(file) => {
                let rig = Rig::load(Path::new(file)).map_err(|error| error.to_string())?;
                let statement = rig.pics.as_ref().map(|pics| {
                    let beside = Path::new(file).parent().unwrap_or(Path::new("")).join(pics);
                    Statement::load(&beside, &rig)
                });
                let statement = statement.transpose()?;
                let state = Arc::default();
                let bench = RigBench { name: name.to_owned(), rig, statement, state, slot: None };
                Ok(Self::Rig(Box::new(bench)))
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

    /// The rig, if it is one.
    pub fn rig(&self) -> Option<&RigBench> {
        match self {
            Self::Tabletop | Self::World => None,
            Self::Rig(bench) => Some(bench),
        }
    }

    /// Whether somebody on it is none of the suite's own.
    pub fn is_real(&self) -> bool {
        matches!(self, Self::Rig(bench) if bench.is_real())
    }

    /// Whether a case can be carried out on it.
    pub fn takes(&self, case: &Case) -> bool {
        match self {
            Self::Tabletop => true,
            Self::World => !case.tabletop_only,
            Self::Rig(bench) => bench.takes(case),
        }
    }

    /// The program that its file seats in lockstep.
    pub fn lockstep(&self) -> Option<&Program> {
        match self {
            Self::Rig(bench) => bench.rig.lockstep(),
            Self::Tabletop | Self::World => None,
        }
    }

    /// Why a case that it could carry out is not wanted.
    pub fn skips(&self, case: &Case, design: &Design) -> Option<String> {
        match self {
            Self::Tabletop | Self::World => None,
            Self::Rig(bench) => bench.skips(case, design),
        }
    }

    /// What would make a requirement conclusive that was not judged on it.
    pub fn lacks(&self, id: &str) -> Option<String> {
        match self {
            Self::Tabletop | Self::World => None,
            Self::Rig(bench) => bench.lacks(id),
        }
    }

    /// A system's profile as this bench needs it.
    ///
    /// Errors: a sentence; what the rig's file says does not go with the profile.
    pub fn profile(&self, base: ProfileSource, system: System) -> Result<ProfileSource, String> {
        let Self::Rig(bench) = self else { return Ok(base) };
        let rig = &bench.rig;
        let mut overrides = rig.profile.set.clone();
        if let Some(tolerance) = rig.profile.tolerance {
            put(&mut overrides, &["bench"], "tolerance", tolerance.to_string());
        }
        if rig.system.has_parts() && (rig.is_real("modem") || rig.is_real("terminal")) {
            // No port leads to a power key.
            put(&mut overrides, &["modem", "module"], "auto_on", true);
        }
        if rig.system == rig::System::Paymod && rig.is_real("module") {
            put(&mut overrides, &["sim800a", "module"], "auto_on", true);
        }
        let source = ProfileSource { overrides, divisor: rig.profile.divide_timers, ..base };
        let file = bench.file();
        let refuse = |error: String| format!("{file}: `profile`: {}", error.trim_end().replace('\n', ", "));
        suite::load_profile(system, &source).map_err(refuse)?;
        Ok(source)
    }

    /// Runs a case on it under this plan, which takes the place of the case's own.
    pub fn run(&self, trial: &Trial, plan: &FaultPlan, stop: &Stop) -> Run {
        trial.run_on(self, plan, Keep::All, stop, Watch::PLAIN)
    }

    /// A case with what stands on this bench behind the text ports of real parties.
    pub fn with_text_ports<F: Suited>(&self, ready: Ready<F>) -> Ready<F> {
        match self {
            Self::Rig(bench) => bench.with_text_ports(ready),
            Self::Tabletop | Self::World => ready,
        }
    }

    /// Builds it for a case under this plan, with so much of the tape kept. Where parties are real, the case comes back
    /// as it was made ready for them: its calendar clocks show the time of day.
    ///
    /// Errors: [`StageError`].
    pub fn built<F: Suited>(
        &self,
        ready: &Ready<F>,
        plan: &FaultPlan,
        keep: Keep,
    ) -> Result<Built<F>, StageError> {
        match self {
            Self::Tabletop => Ok((None, ready.table(plan, keep, Jumps)?)),
            Self::World => Ok((None, ready.world(plan, keep)?)),
            Self::Rig(bench) => bench.built(ready, plan, keep),
        }
    }
}

/// A bench that was built for a case, and the case if it had to be made ready once more.
pub type Built<F> = (Option<Ready<F>>, Box<dyn bench::Bench<F>>);

/// Puts a value into a profile's changes, in the table of this path.
pub(crate) fn put(overrides: &mut toml::Table, path: &[&str], key: &str, value: impl Into<toml::Value>) {
    let Some((first, rest)) = path.split_first() else {
        overrides.insert(key.to_owned(), value.into());
        return;
    };
    let table = overrides.entry(*first).or_insert_with(|| toml::Table::new().into());
    if let Some(table) = table.as_table_mut() {
        put(table, rest, key, value);
    }
}

/// The seat on a bench that a seat of a rig file is: the first of its kind.
pub(crate) fn on_bench(seat: &str) -> String {
    match seat {
        "terminal" | "modem" => format!("{seat}-a"),
        _ => seat.to_owned(),
    }
}

impl RigBench {
    /// Whether somebody on it is none of the suite's own.
    pub fn is_real(&self) -> bool {
        self.rig.real_seats().next().is_some()
    }

    /// Whether a program in it is stepped in the bench's time.
    pub fn is_stepped(&self) -> bool {
        self.rig.lockstep().is_some()
    }

    /// Notes that such a program can be started, which is all that there is to check; and says so.
    pub fn start_stepped(&self) -> String {
        let program = self.rig.lockstep().map(ToString::to_string).unwrap_or_default();
        let found = format!("`{program}` can be started, and is stepped in the bench's time");
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        (state.checked, state.found) = (true, vec![found.clone()]);
        found
    }

    /// Why a case that it could carry out is not wanted.
    pub fn skips(&self, case: &Case, design: &Design) -> Option<String> {
        let stated = self.statement.as_ref().and_then(|statement| statement.skips(case));
        stated.or_else(|| self.built_otherwise(case, design))
    }

    /// What its file says.
    pub fn rig(&self) -> &Rig {
        &self.rig
    }

    /// The same as one of several at once, each with directories of its own.
    #[must_use]
    pub fn in_slot(&self, slot: usize) -> Self {
        Self { slot: Some(slot), ..self.clone() }
    }

    /// Whether people at a real party are an operator, so that what they do and are told is seen late.
    pub fn is_by_hand(&self) -> bool {
        let mut ports = self.rig.real_seats().filter_map(|(_, seat)| seat.text_port.as_ref());
        ports.any(|port| matches!(port, TextPort::Operator { .. }))
    }

    /// Why there cannot be several of it at once, if there cannot.
    pub fn alone(&self) -> Option<String> {
        let fixed =
            |net: NetConfig| (net.address().port() != 0).then(|| format!("the port {}", net.address()));
        let links = self.rig.links.iter().find_map(|(link, carrier)| {
            let what = match carrier {
                Carrier::Pty(_) => None,
                Carrier::Serial(_) => Some("a serial port".to_owned()),
                Carrier::Udp(net) | Carrier::Tcp(net) => fixed(*net),
            };
            what.map(|what| format!("there is one `{link}`: {what}"))
        });
        let seat = |name: &str, seat: &RealSeat| {
            let owned = match &seat.observe {
                Some(Observe::File(file)) => file.contains("{dir}"),
                Some(Observe::Command(words)) => words.iter().any(|word| word.contains("{dir}")),
                None => true,
            };
            let what = match (&seat.body, &seat.power, &seat.text_port) {
                (Body::Device, ..) => "is a device",
                (_, Power::Line { .. } | Power::Relay(_) | Power::Command { .. }, _) => {
                    "has one power switch"
                }
                (_, _, Some(TextPort::Serial(_) | TextPort::Tcp(_))) => "has one text port",
                (_, _, Some(TextPort::Operator { .. })) => "has one operator",
                _ if !owned => "has one ledger, which is not in `{dir}`",
                _ => return None,
            };
            Some(format!("`{name}` {what}"))
        };
        links.or_else(|| self.rig.real_seats().find_map(|(name, real)| seat(name, real)))
    }

    /// What it was and how it has served so far; `record` says what was not judged on it.
    pub fn record(&self, record: &RunRecord) -> RigRecord {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let us = |per_mille| state.overhead.within(per_mille).as_us();
        let overhead = (state.overhead.transmissions() > 0).then(|| OverheadRecord {
            transmissions: state.overhead.transmissions(),
            median_us: us(500),
            p99_us: us(990),
            worst_us: us(1_000),
        });
        RigRecord {
            file: self.file().to_owned(),
            product: self.product(),
            self_check: state.found.clone(),
            power: state.cuts.values().map(ToString::to_string).collect(),
            overhead,
            lacks: record.vacuous_requirements().into_iter().filter_map(|id| self.lacks(id)).collect(),
            soak: None,
        }
    }

    /// The product as its vendor states it, if there is a conformance statement.
    pub fn product(&self) -> Option<ProductRecord> {
        let written = self.statement.as_ref()?.written.clone();
        Some(ProductRecord {
            name: written.product,
            version: written.version_of_product,
            build: written.build,
            family: written.family,
            role: written.role,
            profile: written.profile,
        })
    }

    /// Why nothing runs on it any more, if that is so.
    pub fn broken(&self) -> Option<String> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).broken.clone()
    }

    /// The rig file.
    pub fn file(&self) -> &str {
        self.name.strip_prefix("rig:").unwrap_or(&self.name)
    }

    fn built_otherwise(&self, case: &Case, design: &Design) -> Option<String> {
        let [key, needs, declared] = case.built_otherwise(&design.profile).filter(|_| self.is_real())?;
        Some(format!("it is for products built with `{key} = {needs}`, and the profile declares {declared}"))
    }

    fn takes(&self, case: &Case) -> bool {
        if case.system.as_str() != self.rig.system.as_str() || case.tabletop_only {
            return false;
        }
        let real = |seat: &str| self.rig.is_real(seat);
        match case.sut {
            _ if !self.is_real() => case.on_rig,
            Sut::Terminal => real(self.rig.system.terminal()),
            Sut::Server => real("server") || real("client"),
            Sut::Modem => real("modem"),
            Sut::System => real(self.rig.system.terminal()) || real("server"),
        }
    }

    fn carries(&self, link: &str) -> bool {
        self.rig.links.keys().any(|known| covers(link, known))
    }

    /// The links between parties of ours that the rig leads out, by their names on a bench.
    fn cabled<F: Suited>(&self, ready: &Ready<F>) -> Result<Vec<String>, StageError> {
        let bench = ready.bench(&FaultPlan::default(), Keep::Last(1))?;
        let (_, names, _) = bench.names();
        let ours = |link: &str, carrier: &Carrier| {
            let real = self.rig.system.link(link).and_then(|spec| self.rig.real_end(spec));
            matches!(carrier, Carrier::Pty(_)) && real.is_none()
        };
        let links = self.rig.links.iter().filter(|(link, carrier)| ours(link, carrier));
        let covered = links.flat_map(|(link, _)| names.iter().filter(|name| covers(link, name)));
        Ok(covered.map(|name| (*name).to_owned()).collect())
    }

    fn carries_link(&self, link: &str) -> bool {
        self.rig.links.keys().any(|known| covers(known, link))
    }

    fn built<F: Suited>(
        &self,
        ready: &Ready<F>,
        plan: &FaultPlan,
        keep: Keep,
    ) -> Result<Built<F>, StageError> {
        let check = {
            let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(broken) = &state.broken {
                return Err(BenchError(broken.clone()).into());
            }
            !state.checked
        };
        if self.rig.lockstep().is_some() {
            return Err(BenchError("a program in lockstep is stepped on the tabletop".to_owned()).into());
        }
        let ready = &self.carried(ready)?;
        if let Some(why) = self.unfit(ready, plan) {
            return Err(StageError::Unfit(why));
        }
        let table = self.headed(ready)?.bench(plan, keep)?;
        let real = self.rig.real_seats().map(|(name, _)| name.to_owned());
        let heads: Vec<(String, SeatId)> =
            real.filter_map(|name| Some((name.clone(), table.seat_named(&on_bench(&name))?))).collect();
        let case = ready.script.id.replace('/', "-");
        let case = self.slot.map_or_else(|| case.clone(), |slot| format!("at-once-{slot}/{case}"));
        let places = Places {
            hands: F::HANDS,
            heads: &heads,
            case: &case,
            files: &|seat| F::files(&ready.plant, seat),
            check,
            greetings: &F::greetings(&ready.plant),
        };
        let seated = RealTime::seated(&self.rig, &table, &places);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let ports = match seated {
            Ok(ports) => ports.tolerating(F::tolerance(&ready.profile)),
            Err(RealTimeError::Unfit(why)) => return Err(StageError::Unfit(why)),
            Err(error) => {
                let BenchError(why) = out_of_order(error);
                let why = state.broken.get_or_insert(why);
                return Err(BenchError(why.clone()).into());
            }
        };
        if check {
            (state.checked, state.found) = (true, ports.found());
        }
        drop(state);
        let unheard = self.unheard();
        let pace = RealPace { ports, state: Arc::clone(&self.state), troubles: Vec::new(), unheard };
        if !self.is_real() {
            return Ok((None, Box::new(Paced { table, pace })));
        }
        // A real party has a clock of its own, and goes by it; only now has it come to its work.
        let zone = if F::CLOCK_IN_UTC { TimeZone::UTC } else { TimeZone::system() };
        let now = jiff::Timestamp::now().to_zoned(zone).strftime("%Y%m%d%H%M%S").to_string();
        let ready = ready.at(&now).map_err(|error| StageError::Plant(error.to_string()))?;
        let table = self.headed(&ready)?.bench(plan, keep)?;
        Ok((Some(ready), Box::new(Paced { table, pace })))
    }

    /// A case with what the rig has between its parties, where that is for the rig to say.
    fn carried<F: Suited>(&self, ready: &Ready<F>) -> Result<Ready<F>, StageError> {
        if !self.is_real() {
            return Ok(ready.clone());
        }
        let changed = ready.set_up(|setup| F::carried_by(setup, &|link| self.carries(link)));
        changed.map_err(|error| StageError::Plant(error.to_string()))
    }

    /// A case with test heads in the seats of real parties, and what stands behind their text ports.
    fn headed<F: Suited>(&self, ready: &Ready<F>) -> Result<Ready<F>, StageError> {
        let cabled = self.cabled(ready)?;
        let taken = self.rig.seats.iter().filter(|(_, seat)| !matches!(seat, Seat::Virtual));
        let seats: Vec<String> = taken.map(|(name, _)| on_bench(name)).collect();
        let headed = ready.with_heads(seats.iter().map(String::as_str)).map_err(|seat| {
            StageError::Unfit(format!("the case plays `{seat}` itself, where the rig has somebody else"))
        })?;
        Ok(self.with_text_ports(headed).led_out(cabled.iter().map(String::as_str)))
    }

    fn with_text_ports<F: Suited>(&self, ready: Ready<F>) -> Ready<F> {
        let ported = self.rig.real_seats().filter(|(_, seat)| seat.text_port.is_some());
        ported.fold(ready, |ready, (name, _)| {
            ready.with_text_port(&on_bench(name), &|link| self.carries_link(link))
        })
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
