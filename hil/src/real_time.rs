//! A bench in real time, for cases that know nothing of it.

use assay_sim::drive::{Drive, DriveError};
use assay_sim::fault::LinkKind;
use assay_sim::tabletop::{Family, Tabletop};
use assay_sim::tape::LineId;
use assay_sim::time::{Instant, Span};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::{Builder, Runtime};
use tokio_serial::SerialStream;

use crate::pty::{Pty, PtyError};
use crate::rig::Rig;
use crate::self_check::self_check;

/// The ports of a rig, and the clock by which a bench runs over them.
///
/// Its steps are plain calls: it keeps a runtime of its own on the caller's thread, and so must not be used from
/// within another one.
#[derive(Debug)]
pub struct RealTime {
    drive: Drive<SerialStream>,
    runtime: Runtime,
    broken: Option<Broken>,
}

/// Something about the rig that is out of order. It is never the fault of a device under test.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("link `{link}` is broken: {why}")]
pub struct Broken {
    /// The link.
    pub link: String,
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
    /// A link of the rig does not work. The first breakage stays the answer to every later step.
    #[error(transparent)]
    Broken(#[from] Broken),
}

impl RealTime {
    /// Opens every port of the rig and checks that each lets every byte through, both ways. End A gets the end of a
    /// pseudo-terminal that has a path.
    ///
    /// Errors: a rig that does not fit the bench, and [`RealTimeError::Broken`] for the first link that cannot be
    /// opened or fails its check.
    pub fn new<F: Family>(rig: &Rig, bench: &Tabletop<F>) -> Result<Self, RealTimeError> {
        let lines = fit(rig, bench)?;
        let runtime = Builder::new_current_thread().enable_all().build().map_err(RealTimeError::NoRuntime)?;
        let mut drive = Drive::new(rig.drive.clone());
        for (line, (link, config)) in lines.into_iter().zip(&rig.links) {
            let (a, b) = runtime.block_on(async {
                let ends = Pty::open(config).map(|pty| (pty.named, pty.nameless));
                checked(link, ends, rig.self_check.within).await
            })?;
            drive.carry(bench, line, a, b).map_err(Broken::from)?;
        }
        Ok(Self { drive, runtime, broken: None })
    }

    /// Does one thing on the bench, as [`Drive::step`] does, waiting for it where need be. Returns false, and does
    /// nothing, once bench time is `until` and nothing is due.
    ///
    /// Errors: [`RealTimeError::Broken`], from the first breakage on for every step.
    pub fn step<F: Family>(
        &mut self,
        bench: &mut Tabletop<F>,
        until: Instant,
    ) -> Result<bool, RealTimeError> {
        if let Some(broken) = &self.broken {
            return Err(broken.clone().into());
        }
        let stepped = self.runtime.block_on(self.drive.step(bench, until));
        stepped.map_err(|error| self.broken.insert(error.into()).clone().into())
    }

    /// The first breakage, if there has been one.
    pub fn broken(&self) -> Option<&Broken> {
        self.broken.as_ref()
    }

    /// By how much the bench was behind the real clock when it was furthest behind.
    pub fn worst_lag(&self) -> Span {
        self.drive.worst_lag()
    }
}

impl From<DriveError> for Broken {
    fn from(DriveError { line, trouble }: DriveError) -> Self {
        Self { link: line, why: trouble.to_string() }
    }
}

/// The bench's number of each link of the rig, in the rig's order.
fn fit<F: Family>(rig: &Rig, bench: &Tabletop<F>) -> Result<Vec<LineId>, RealTimeError> {
    let (_, names, _) = bench.names();
    let mut lines = Vec::with_capacity(rig.links.len());
    for link in rig.links.keys().cloned() {
        let Some(line) = bench.line_named(&link) else {
            let known = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            return Err(RealTimeError::NoSuchLink { link, known });
        };
        match bench.leads_out(line) {
            Some(LinkKind::Serial) => lines.push(line),
            Some(_) => return Err(RealTimeError::NotSerial { link }),
            None => return Err(RealTimeError::StaysInside { link }),
        }
    }
    for (name, number) in names.into_iter().zip(0..) {
        if bench.leads_out(LineId(number)).is_some() && !rig.links.contains_key(name) {
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
    let broken = |why: String| Broken { link: link.to_owned(), why };
    let (mut a, mut b) = ends.map_err(|error| broken(error.to_string()))?;
    self_check(&mut a, &mut b, within).await.map_err(broken)?;
    Ok((a, b))
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
