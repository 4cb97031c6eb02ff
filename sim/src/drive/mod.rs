//! The drive: paces a bench by the real clock, and carries the links that lead out of it over byte ports.
//!
//! It opens no port and knows no device: whoever does hands two byte streams to [`Drive::carry`]. Faults are not its
//! business either; a link has met its fate before its bytes come here.

mod beside;
mod cable;
pub mod sockets;

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::task::{Context, Poll};
use std::time::Duration;

use serde::Deserialize;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Sleep;

use crate::fault::Way;
use crate::link::Arrival;
use crate::tabletop::{Export, Family, Tabletop};
use crate::tape::LineId;
use crate::time::{Instant, Span};

pub use beside::{Beside, Hands};

use cable::Cable;

/// A bench in real time, with ports of type `P` in its outward links.
///
/// Bench time and the real clock are tied together by the first step. From then on bench time never runs ahead of
/// the real clock. Where the process was woken late, the bench catches up in the order of its own deadlines, and
/// [`Drive::worst_lag`] tells by how much it was behind.
pub struct Drive<P> {
    config: DriveConfig,
    start: Option<RealClock>,
    cables: Vec<Cable<P>>,
    received: Vec<u8>,
    /// Which end is looked at first for arrivals: the one after the last that had any, so that none is starved.
    turn: usize,
    worst_lag: Span,
    /// How much lag is tolerated, and where there was more.
    lag_max: Span,
    late: Option<Late>,
    /// When ports were last looked at.
    looked: Option<Instant>,
    at_once: u32,
}

/// How ports are read and written.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DriveConfig {
    /// The most bytes that are taken from a port at once; at least one.
    pub read_max: usize,
    /// The most bytes that may wait for a port that does not take them.
    pub unsent_max: usize,
}

/// The same moment on both clocks, and so the real clock in bench time.
#[derive(Clone, Copy, Debug)]
pub struct RealClock {
    clock: tokio::time::Instant,
    bench: Instant,
}

/// A bench that was behind the real clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Late {
    /// Since when: what was seen before is as it was.
    pub since: Instant,
    /// By how much it was behind at worst.
    pub worst: Span,
}

/// Bytes that came out of a port.
struct Arrived {
    cable: usize,
    way: Way,
    len: usize,
}

/// What stops a bench in real time. It is never the fault of a party on it.
#[derive(Debug, Error)]
#[error("link `{line}`: {trouble}")]
pub struct DriveError {
    /// The link's name, or its number where the bench has no such link.
    pub line: String,
    /// What is wrong there.
    pub trouble: Trouble,
}

/// What is wrong with a link that leads out of a bench, or with one of its ports.
#[derive(Debug, Error)]
pub enum Trouble {
    /// The link stays inside the bench, or is none of its links.
    #[error("it does not lead out of the bench, so no port can carry it")]
    StaysInside,
    /// Bytes left the bench on a link that no port carries.
    #[error("it leads out of the bench, and no port carries it")]
    NotCarried,
    /// A port was closed from outside.
    #[error("the port at end {end} was closed")]
    Closed {
        /// The end, A or B.
        end: char,
    },
    /// A port could not be read.
    #[error("the port at end {end} could not be read: {source}")]
    Read {
        /// The end, A or B.
        end: char,
        /// Why.
        source: io::Error,
    },
    /// A port could not be written.
    #[error("the port at end {end} could not be written: {source}")]
    Write {
        /// The end, A or B.
        end: char,
        /// Why.
        source: io::Error,
    },
    /// A port has not taken what was to be written to it.
    #[error("the port at end {end} takes nothing, and more than {unsent_max} bytes wait for it")]
    Clogged {
        /// The end, A or B.
        end: char,
        /// The limit.
        unsent_max: usize,
    },
}

impl<P: AsyncRead + AsyncWrite + Unpin> Drive<P> {
    /// A drive that carries nothing yet and whose clock stands until the first step.
    pub fn new(config: DriveConfig) -> Self {
        let received = vec![0; config.read_max.max(1)];
        Self {
            config,
            start: None,
            cables: Vec::new(),
            received,
            turn: 0,
            worst_lag: Span::ZERO,
            lag_max: Span::ZERO,
            late: None,
            looked: None,
            at_once: 1,
        }
    }

    /// The same with up to so many things that are due done in one step, before anybody beside the bench looks.
    ///
    /// Why: under load most of the time would go into looking.
    #[must_use]
    pub fn at_once(self, at_once: u32) -> Self {
        Self { at_once, ..self }
    }

    /// How much lag is tolerated before [`Drive::late`] tells of it.
    pub fn tolerate(&mut self, lag_max: Span) {
        self.lag_max = lag_max;
    }

    /// Carries a link over two ports, each the one that the party at that end holds: what goes from A to B is
    /// written to `a` and read from `b`. A link that was carried already changes its ports.
    ///
    /// Ports are never flushed: they have to send on what they take.
    ///
    /// Errors: [`Trouble::StaysInside`].
    pub fn carry<F: Family>(
        &mut self,
        bench: &Tabletop<F>,
        line: LineId,
        a: P,
        b: P,
    ) -> Result<(), DriveError> {
        let name = name_of(bench, line);
        if bench.leads_out(line).is_none() {
            return Err(DriveError { line: name, trouble: Trouble::StaysInside });
        }
        self.cables.retain(|cable| cable.line != line);
        self.cables.push(Cable::new(line, name, a, b));
        Ok(())
    }

    /// Does one thing: lets the bench do what is due next, hands it bytes that have arrived, or waits for the first
    /// of both. Returns false, and does nothing, once bench time is `until` and nothing is due.
    ///
    /// It may be dropped while it waits: nothing is lost.
    ///
    /// Errors: what the ports of a carried link suffer, or a link that no port carries.
    pub async fn step<F: Family>(
        &mut self,
        bench: &mut Tabletop<F>,
        until: Instant,
    ) -> Result<bool, DriveError> {
        self.step_beside(bench, until, &mut ()).await
    }

    /// The same with something beside the bench.
    ///
    /// Errors: those of [`Drive::step`].
    pub async fn step_beside<F: Family>(
        &mut self,
        bench: &mut Tabletop<F>,
        until: Instant,
        beside: &mut impl Beside<F>,
    ) -> Result<bool, DriveError> {
        let start = match self.start {
            Some(start) => start,
            None => {
                let start = *self.start.insert(RealClock::now(bench.now()));
                beside.tie(start);
                start
            }
        };
        // A case may have done something to the bench since the last step.
        beside.observe(bench);
        let real = start.bench_time();
        let due = bench.next_at();
        if let Some(looked) = self.looked {
            // Whatever lay in the ports since then has waited.
            self.lagged(looked, real);
        }
        self.looked = Some(real);
        if let Some(due) = due.filter(|due| *due <= real.min(until)) {
            self.worst_lag = self.worst_lag.max(real.since(due));
            self.lagged(due, real);
            bench.step(due);
            for _ in 1..self.at_once {
                let Some(due) = bench.next_at().filter(|due| *due <= real.min(until)) else { break };
                beside.glance(bench);
                bench.step(due);
            }
            self.queue_exports(bench)?;
            beside.observe(bench);
            // A port that is not ready now is asked again while the bench waits.
            poll_fn(|cx| {
                let ready = beside.poll_ready(cx).is_ready();
                Poll::Ready(self.poll_send(cx).map(|()| ready))
            })
            .await?;
            return Ok(true);
        }
        if bench.now() >= until {
            return Ok(false);
        }
        if real >= until {
            // Without this, what lies in the ports at the last moment would not have been noticed yet.
            tokio::task::yield_now().await;
        }
        let wake = due.map_or(until, |due| due.min(until));
        beside.wake_after(wake.since(real));
        let arrived = self.wait(start.wake_at(wake), beside).await?;
        let woken = start.bench_time();
        self.lagged(wake, woken);
        self.looked = Some(woken);
        // What has arrived by the time that a deadline is noticed came before that deadline.
        let before_due = due.map_or(until, |due| Instant::from_us(due.as_us().saturating_sub(1)));
        bench.step(start.bench_time().min(until).min(before_due));
        if let Some(Arrived { cable, way, len }) = arrived {
            bench.import(self.cables[cable].line, way, self.received[..len].to_vec());
        }
        beside.hand_in(bench);
        beside.observe(bench);
        Ok(true)
    }

    /// By how much the bench was behind the real clock when it was furthest behind.
    ///
    /// Why: silences and time-outs shorter than this may not have been what the bench says they were.
    pub fn worst_lag(&self) -> Span {
        self.worst_lag
    }

    /// Since when and by how much the bench was further behind than is tolerated, if it ever was.
    pub fn late(&self) -> Option<Late> {
        self.late
    }

    /// What should have been done at `due` is done at `real`.
    fn lagged(&mut self, due: Instant, real: Instant) {
        let lag = real.since(due);
        if lag > self.lag_max {
            let late = self.late.get_or_insert(Late { since: due, worst: lag });
            late.since = late.since.min(due);
            late.worst = late.worst.max(lag);
        }
    }

    /// Waits for bytes, for what stands beside the bench, or for the time to come.
    async fn wait<F: Family>(
        &mut self,
        wake: Option<Sleep>,
        beside: &mut impl Beside<F>,
    ) -> Result<Option<Arrived>, DriveError> {
        let mut wake = pin!(wake);
        // Asked in a fixed order, as a biased select would.
        poll_fn(|cx| {
            self.poll_send(cx)?;
            if let Poll::Ready(arrived) = self.poll_receive(cx)? {
                return Poll::Ready(Ok(Some(arrived)));
            }
            if beside.poll_ready(cx).is_ready() {
                return Poll::Ready(Ok(None));
            }
            match wake.as_mut().as_pin_mut() {
                Some(wake) => wake.poll(cx).map(|()| Ok(None)),
                None => Poll::Pending,
            }
        })
        .await
    }

    fn queue_exports<F: Family>(&mut self, bench: &mut Tabletop<F>) -> Result<(), DriveError> {
        let unsent_max = self.config.unsent_max;
        for Export { line, way, what, .. } in bench.take_exports() {
            let Arrival::Bytes(bytes) = what else { continue };
            let Some(cable) = self.cables.iter_mut().find(|cable| cable.line == line) else {
                return Err(DriveError { line: name_of(bench, line), trouble: Trouble::NotCarried });
            };
            if !cable.queue(way, &bytes, unsent_max) {
                let trouble = Trouble::Clogged { end: near(way), unsent_max };
                return Err(DriveError { line: cable.name.clone(), trouble });
            }
        }
        Ok(())
    }

    fn poll_send(&mut self, cx: &mut Context<'_>) -> Result<(), DriveError> {
        for cable in &mut self.cables {
            for way in Way::BOTH {
                cable.poll_send(cx, way).map_err(|source| DriveError {
                    line: cable.name.clone(),
                    trouble: Trouble::Write { end: near(way), source },
                })?;
            }
        }
        Ok(())
    }

    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Result<Arrived, DriveError>> {
        let ends = self.cables.len() * 2;
        for end in (0..ends).map(|step| (self.turn + step) % ends) {
            let (at, way) = (end / 2, Way::BOTH[end % 2]);
            let cable = &mut self.cables[at];
            let Poll::Ready(read) = cable.poll_receive(cx, way, &mut self.received) else { continue };
            let far = near(way.back());
            let trouble = match read {
                Ok(0) => Trouble::Closed { end: far },
                Ok(len) => {
                    self.turn = end + 1;
                    return Poll::Ready(Ok(Arrived { cable: at, way, len }));
                }
                Err(source) => Trouble::Read { end: far, source },
            };
            return Poll::Ready(Err(DriveError { line: cable.name.clone(), trouble }));
        }
        Poll::Pending
    }
}

impl<P> fmt::Debug for Drive<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let carries: Vec<&str> = self.cables.iter().map(|cable| cable.name.as_str()).collect();
        let mut out = f.debug_struct("Drive");
        out.field("carries", &carries).field("worst_lag", &self.worst_lag).finish_non_exhaustive()
    }
}

impl RealClock {
    /// This moment, and what bench time it is.
    ///
    /// Why: this is the only place that reads a clock; tokio's, so that a paused one can stand in for it.
    fn now(bench: Instant) -> Self {
        Self { clock: tokio::time::Instant::now(), bench }
    }

    /// What bench time it ought to be, rounded down.
    pub fn bench_time(self) -> Instant {
        let elapsed_us = u64::try_from(self.clock.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.bench + Span::us(elapsed_us)
    }

    /// A sleep until the real clock has come to this bench time; `None` for a time beyond the clock's range.
    fn wake_at(self, at: Instant) -> Option<Sleep> {
        let wait = Duration::from_micros(at.since(self.bench).as_us());
        self.clock.checked_add(wait).map(tokio::time::sleep_until)
    }
}

fn name_of<F: Family>(bench: &Tabletop<F>, line: LineId) -> String {
    let (_, lines, _) = bench.names();
    lines.get(usize::from(line.0)).map_or_else(|| line.0.to_string(), |name| (*name).to_owned())
}

/// The letter of the end from which something goes this way.
fn near(way: Way) -> char {
    match way {
        Way::AtoB => 'A',
        Way::BtoA => 'B',
    }
}
