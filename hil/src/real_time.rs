//! A bench in real time, for cases that know nothing of it.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use assay_sim::drive::{Beside as _, Drive, DriveConfig, DriveError, Hands, Late};
use assay_sim::fault::LinkKind;
use assay_sim::tabletop::{Family, Tabletop};
use assay_sim::tape::{LineId, SeatId};
use assay_sim::time::{Instant, Span};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::{Builder, Runtime};
use tokio_serial::SerialStream;

use crate::occupant::Cuts;
use crate::outlet::Limits;
use crate::outside::{Greeting, Outside};
use crate::overhead::Overhead;
use crate::pty::{Pty, PtyError};
use crate::rig::{Carrier, Observe, Rig, covers};
use crate::seating::{self, Seated};
use crate::self_check::{self_check, wakes_in_time};
use crate::serve::{self, DoorError, Keeps, Served, Serving};

/// How much a served party does before its ports are looked at again.
const SERVED_AT_ONCE: u32 = 64;

/// How much of a real party's account of its ledger is read.
const TOLD_MAX: usize = 16 * 1024 * 1024;

/// The ports of a rig, its real parties, and the clock by which a bench runs over them.
///
/// Its steps are plain calls: it keeps a runtime of its own on the caller's thread, and so must not be used from
/// within another one.
pub struct RealTime<F: Family> {
    drive: Drive<SerialStream>,
    // What stands outside is dropped within its runtime.
    outside: Option<Around<F>>,
    observed: Vec<(String, SeatId, Observe)>,
    within: Duration,
    runtime: Option<Runtime>,
    broken: Option<Broken>,
    found: Vec<String>,
}

/// Something about the rig that is out of order. It is never the fault of a device under test.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{what} is broken: {why}")]
pub struct Broken {
    /// The link or the switch.
    pub what: String,
    /// What is wrong, in words.
    pub why: String,
}

/// A rig that does not fit its bench, or that does not work.
#[derive(Debug, Error)]
pub enum RealTimeError {
    /// The operating system refuses what a runtime needs.
    #[error("no real-time runtime could be started: {0}")]
    NoRuntime(std::io::Error),
    /// The rig names a link that the bench has not.
    #[error("the rig has a port for link `{link}`, and the bench has no such link; it has {known}")]
    NoSuchLink {
        /// The name.
        link: String,
        /// What there is.
        known: String,
    },
    /// The rig names a link that the bench keeps to itself.
    #[error("the rig has a port for link `{link}`, which does not lead out of the bench")]
    StaysInside {
        /// The link.
        link: String,
    },
    /// The rig gives a serial port to a link of another kind.
    #[error("the rig has a serial port for link `{link}`, which is no serial line")]
    NotSerial {
        /// The link.
        link: String,
    },
    /// The bench leads out a link for which the rig has nothing.
    #[error("link `{link}` leads out of the bench, and the rig has no port for it")]
    NoPort {
        /// The link.
        link: String,
    },
    /// The real party cannot be put to this test, or was never at work: a finding about it, or about what the rig can
    /// show.
    #[error("{0}")]
    Unfit(String),
    /// A party that is served cannot be reached where it should be.
    #[error("the port of {0}")]
    Door(#[from] DoorError),
    /// Something of the rig does not work. The first breakage stays the answer to every later step.
    #[error(transparent)]
    Broken(#[from] Broken),
}

/// What it takes to put real parties beside a bench.
pub struct Places<'a, F: Family> {
    /// How the bench's test heads are told what to do.
    pub hands: Hands<F>,
    /// The head in the place of each real party, by its seat's name in the rig file.
    pub heads: &'a [(String, SeatId)],
    /// What the case is called, as the name of a directory.
    pub case: &'a str,
    /// Files that the process in a seat of this name finds in its directory, by name.
    pub files: &'a dyn Fn(&str) -> Vec<(String, String)>,
    /// Whether the rig is to check itself first.
    pub check: bool,
    /// What parties under test have to answer in that check.
    pub greetings: &'a [Greeting],
}

impl<F: Family> RealTime<F> {
    /// Opens every port of the rig and checks that each lets every byte through, both ways. End A gets the end of a
    /// pseudo-terminal that has a path.
    ///
    /// Errors: a rig that does not fit the bench, and [`RealTimeError::Broken`] for the first link that cannot be
    /// opened or fails its check.
    pub fn new(rig: &Rig, bench: &Tabletop<F>) -> Result<Self, RealTimeError> {
        let lines = fit(rig, bench)?;
        let within = Duration::from_micros(rig.self_check.within.as_us());
        let mut real_time = Self::bare(rig.drive.clone(), within)?;
        for (line, link, config) in lines {
            let (a, b) = real_time.block_on(async {
                let ends = Pty::open(config).map(|pty| (pty.named, pty.nameless));
                checked(&link, ends, rig.self_check.within).await
            })?;
            real_time.drive.carry(bench, line, a, b).map_err(Broken::from)?;
        }
        Ok(real_time)
    }

    /// The same with the rig's real parties beside the bench, each at work before the bench is switched on.
    ///
    /// Errors: those of [`RealTime::new`]; [`RealTimeError::Unfit`].
    pub fn seated(rig: &Rig, bench: &Tabletop<F>, places: &Places<'_, F>) -> Result<Self, RealTimeError> {
        let mut real_time = Self::new(rig, bench)?;
        if places.check {
            let sane = real_time.block_on(wakes_in_time(rig.self_check.within));
            real_time.found.push(sane.map_err(|why| broken("the clock", why))?);
        }
        let limits = Limits { read_max: rig.drive.read_max.max(1), unsent_max: rig.drive.unsent_max };
        let mut outside = real_time.entered(|| Outside::new(places.hands, limits, rig.flood_max));
        for (name, head) in places.heads {
            let files = (places.files)(name);
            let seated = Seated { rig, bench, name, head: *head, case: places.case, files };
            real_time.entered(|| seating::seat(&seated, &mut outside))?;
        }
        let check = places.check.then_some((places.greetings, real_time.within));
        let ready = real_time.block_on(outside.make_ready(check));
        real_time.outside = Some(Around::Seated(Box::new(outside)));
        ready.map_err(|(party, why)| {
            if party { RealTimeError::Unfit(why) } else { broken("the rig's check of itself", why).into() }
        })?;
        let observed = places.heads.iter().filter_map(|(name, head)| {
            let (_, seat) = rig.real_seats().find(|(real, _)| real == name)?;
            Some((name, *head, seat.observe.clone()?))
        });
        real_time.observed = observed
            .map(|(name, head, how)| (name.clone(), head, seating::in_dir(rig, name, places.case, how)))
            .collect();
        Ok(real_time)
    }

    /// A bench whose party is served at real ports, with what the party keeps.
    ///
    /// Errors: a door that cannot be opened.
    pub fn served(
        bench: &Tabletop<F>,
        serving: &Serving<'_, F>,
        keeps: Box<dyn Keeps<F>>,
    ) -> Result<Self, RealTimeError> {
        let mut real_time = Self::bare(serving.drive.clone(), Duration::ZERO)?;
        real_time.drive = Drive::new(serving.drive.clone()).at_once(SERVED_AT_ONCE);
        let opened = real_time.entered(|| serve::open(bench, serving, keeps))?;
        real_time.outside = Some(Around::Served(Box::new(opened)));
        Ok(real_time)
    }

    fn bare(drive: DriveConfig, within: Duration) -> Result<Self, RealTimeError> {
        let runtime = Builder::new_current_thread().enable_all().build().map_err(RealTimeError::NoRuntime)?;
        let drive = Drive::new(drive);
        let (observed, runtime, found) = (Vec::new(), Some(runtime), Vec::new());
        Ok(Self { drive, outside: None, observed, within, runtime, broken: None, found })
    }

    fn entered<T>(&self, work: impl FnOnce() -> T) -> T {
        let _entered = self.runtime.as_ref().map(Runtime::enter);
        work()
    }

    /// Does one thing on the bench, as [`Drive::step`] does, waiting for it where need be. Returns false, and does
    /// nothing, once bench time is `until` and nothing is due.
    ///
    /// Errors: [`RealTimeError::Broken`], from the first breakage on for every step.
    pub fn step(&mut self, bench: &mut Tabletop<F>, until: Instant) -> Result<bool, RealTimeError> {
        if let Some(broken) = &self.broken {
            return Err(broken.clone().into());
        }
        let Self { drive, outside, runtime, .. } = self;
        let Some(runtime) = runtime else { return Ok(false) };
        if let Some(Around::Seated(outside)) = outside
            && bench.now() == Instant::ZERO
        {
            // A terminal gets its power before the clock starts that its bench goes by.
            let _entered = runtime.enter();
            outside.observe(bench);
        }
        let stepped = match outside {
            None => runtime.block_on(drive.step(bench, until)),
            Some(Around::Seated(outside)) => {
                runtime.block_on(drive.step_beside(bench, until, &mut **outside))
            }
            Some(Around::Served(served)) => runtime.block_on(drive.step_beside(bench, until, &mut **served)),
        };
        let stepped = match self.outside.as_ref().and_then(Around::broken) {
            Some(why) => Err(broken("the rig", why.to_owned())),
            None => stepped.map_err(Broken::from),
        };
        stepped.map_err(|error| self.broken.insert(error).clone().into())
    }

    /// What the real parties tell of their ledgers now, each by its head.
    ///
    /// Errors: a sentence for each that does not tell.
    pub fn told(&self) -> Vec<(SeatId, Result<String, String>)> {
        let tell = |(name, head, how): &(String, SeatId, Observe)| {
            let told = match how {
                Observe::File(file) => read_limited(file),
                Observe::Command(words) => {
                    self.block_on(crate::process::run_command(words, self.within, TOLD_MAX))
                }
            };
            let told = told.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
            (*head, told.map_err(|why| format!("the ledger of `{name}` could not be observed: {why}")))
        };
        self.observed.iter().map(tell).collect()
    }

    /// Asks an operator for something to be done at the party before which this seat is; how long that may take, or
    /// nothing where no operator is. It is done when [`assay_sim::bench::DONE_BY_HAND`] is on the tape.
    pub fn ask(&mut self, bench: &Tabletop<F>, seat: SeatId, what: &str) -> Option<Span> {
        match &mut self.outside {
            Some(Around::Seated(outside)) => outside.ask(bench, seat, what),
            Some(Around::Served(_)) | None => None,
        }
    }

    /// The first breakage, if there has been one.
    pub fn broken(&self) -> Option<&Broken> {
        self.broken.as_ref()
    }

    /// What was noticed about the real parties: that one ended by itself, floods, or does not read.
    pub fn troubles(&self) -> &[String] {
        self.outside.as_ref().map_or(&[], |around| around.outside().troubles())
    }

    /// What the power switches have achieved, a sentence each.
    pub fn achieved(&self) -> Vec<String> {
        self.outside.as_ref().map(|around| around.outside().achieved()).unwrap_or_default()
    }

    /// What the check of the rig itself has found in order, a sentence each; nothing if there was none.
    pub fn found(&self) -> Vec<String> {
        let outside = self.outside.iter().flat_map(|around| around.outside().found());
        self.found.iter().chain(outside).cloned().collect()
    }

    /// Every power switch that was used.
    pub fn cuts(&self) -> Vec<Cuts> {
        self.outside.iter().flat_map(|around| around.outside().cuts()).cloned().collect()
    }

    /// How long transmissions to and from real parties were held up.
    pub fn overhead(&self) -> Option<&Overhead> {
        self.outside.as_ref().map(|around| around.outside().overhead())
    }

    /// The same with so much lag tolerated before [`RealTime::late`] tells of it.
    #[must_use]
    pub fn tolerating(mut self, lag_max: Span) -> Self {
        self.drive.tolerate(lag_max);
        if let Some(Around::Seated(outside)) = &mut self.outside {
            outside.tolerate(lag_max);
        }
        self
    }

    /// Since when the bench was further behind the real clock than is tolerated, or the process of a real party had to
    /// wait for a processor for longer than that, if it ever was so; and that in words.
    pub fn late(&self) -> Option<(Instant, String)> {
        let bench = self.drive.late().map(|Late { since, worst }| {
            (since, format!("from {since} on the rig did not keep time: it was up to {worst} late"))
        });
        let outside = self.outside.as_ref().and_then(|around| around.outside().late());
        bench.into_iter().chain(outside).min()
    }

    /// By how much the bench was behind the real clock when it was furthest behind.
    pub fn worst_lag(&self) -> Span {
        self.drive.worst_lag()
    }

    fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.as_ref().expect("the runtime is there until the end").block_on(work)
    }
}

/// What stands beside a bench.
enum Around<F: Family> {
    /// A rig's real parties.
    Seated(Box<Outside<F>>),
    /// Whoever comes to a party that is served.
    Served(Box<Served<F>>),
}

impl<F: Family> Around<F> {
    fn outside(&self) -> &Outside<F> {
        match self {
            Self::Seated(outside) => outside,
            Self::Served(served) => &served.outside,
        }
    }

    fn broken(&self) -> Option<&str> {
        match self {
            Self::Seated(outside) => outside.broken(),
            Self::Served(served) => served.failed.as_deref().or(served.outside.broken()),
        }
    }
}

impl<F: Family> fmt::Debug for RealTime<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RealTime").field("drive", &self.drive).finish_non_exhaustive()
    }
}

impl<F: Family> Drop for RealTime<F> {
    fn drop(&mut self) {
        let outside = self.outside.take();
        self.entered(|| drop(outside));
        // A read of standard input may be under way, and nobody waits for what is typed.
        self.runtime.take().into_iter().for_each(Runtime::shutdown_background);
    }
}

impl From<DriveError> for Broken {
    fn from(DriveError { line, trouble }: DriveError) -> Self {
        Self { what: format!("link `{line}`"), why: trouble.to_string() }
    }
}

pub(crate) fn broken(what: &str, why: String) -> Broken {
    Broken { what: what.to_owned(), why }
}

fn read_limited(file: &str) -> Result<Vec<u8>, String> {
    use std::io::Read as _;
    let opened = std::fs::File::open(file).map_err(|error| format!("{file}: {error}"))?;
    let mut told = Vec::new();
    let read = opened.take(TOLD_MAX as u64 + 1).read_to_end(&mut told);
    read.map_err(|error| format!("{file}: {error}"))?;
    if told.len() > TOLD_MAX { Err(format!("{file} has more than {TOLD_MAX} bytes")) } else { Ok(told) }
}

/// A link between parties of ours that a pseudo-terminal carries.
type Cabled<'a> = (LineId, String, &'a crate::pty::PtyConfig);

/// The links between parties of ours that the rig carries, in the rig's order.
fn fit<'a, F: Family>(rig: &'a Rig, bench: &Tabletop<F>) -> Result<Vec<Cabled<'a>>, RealTimeError> {
    let (_, names, _) = bench.names();
    let mut lines = Vec::with_capacity(rig.links.len());
    for (link, carrier) in &rig.links {
        let real = rig.system.link(link).and_then(|spec| rig.real_end(spec));
        let (None, Carrier::Pty(config)) = (real, carrier) else { continue };
        let covered = names.iter().zip(0..).filter(|(name, _)| covers(link, name));
        let before = lines.len();
        for (name, line) in covered.map(|(name, number)| ((*name).to_owned(), LineId(number))) {
            match bench.leads_out(line) {
                Some(LinkKind::Serial) => lines.push((line, name, config)),
                Some(_) => return Err(RealTimeError::NotSerial { link: name }),
                None => return Err(RealTimeError::StaysInside { link: name }),
            }
        }
        if lines.len() == before {
            let known = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            return Err(RealTimeError::NoSuchLink { link: link.clone(), known });
        }
    }
    for (name, number) in names.into_iter().zip(0..) {
        let line = LineId(number);
        if bench.leads_out(line).is_some() && !lines.iter().any(|(carried, ..)| *carried == line) {
            return Err(RealTimeError::NoPort { link: name.to_owned() });
        }
    }
    Ok(lines)
}

/// Two ends that were opened for a link, after their self-check.
async fn checked<P>(link: &str, ends: Result<(P, P), PtyError>, within: Span) -> Result<(P, P), Broken>
where
    P: AsyncRead + AsyncWrite + Unpin,
{
    let broken = |why: String| broken(&format!("link `{link}`"), why);
    let (mut a, mut b) = ends.map_err(|error| broken(error.to_string()))?;
    self_check(&mut a, &mut b, within).await.map_err(broken)?;
    Ok((a, b))
}

/// Where the processes of a case have their own.
pub(crate) fn case_dir(dir: &std::path::Path, case: &str) -> PathBuf {
    dir.join(case)
}

#[cfg(test)]
mod tests {
    use tokio::io::{DuplexStream, duplex};

    use super::*;

    fn check(ends: Result<(DuplexStream, DuplexStream), PtyError>) -> Result<(), String> {
        let mut runtime = Builder::new_current_thread();
        let runtime = runtime.enable_time().start_paused(true).build().unwrap();
        let checked = runtime.block_on(checked("uart-a", ends, Span::ms(300)));
        checked.map(drop).map_err(|broken| broken.to_string())
    }

    #[test]
    fn a_link_that_does_not_work_is_broken_before_the_first_step() {
        assert_eq!(check(Ok(duplex(256))), Ok(()));
        let [(a, _far_a), (b, _far_b)] = std::array::from_fn(|_| duplex(256));
        assert_eq!(
            check(Ok((a, b))).unwrap_err(),
            "link `uart-a` is broken: self-check from end A to end B: only 0 of 256 bytes arrived within 300 ms"
        );
        assert_eq!(
            check(Err(PtyError::NotHere)).unwrap_err(),
            "link `uart-a` is broken: this operating system has no pseudo-terminals"
        );
    }
}
