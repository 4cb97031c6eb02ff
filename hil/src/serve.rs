//! One of the suite's own parties at real ports, for daily use: all that is around it on the bench is test heads, and
//! each door leads from some of them to whoever comes.

use std::net::{SocketAddr, SocketAddrV4};
use std::path::{Path, PathBuf};
use std::time::Duration;

use assay_sim::drive::{Beside, DriveConfig, Hands};
use assay_sim::fault::Way;
use assay_sim::machine::Port as HeadPort;
use assay_sim::tabletop::{Family, Tabletop};
use assay_sim::tape::LineId;
use assay_sim::time::Span;
use thiserror::Error;

use crate::outlet::{BytesOutlet, Limits, Outlet, PacketsOutlet, Source, StreamsOutlet, Wire};
use crate::outside::Outside;
use crate::pty::{Pty, PtyConfig};
use crate::real_time::RealTimeError;
use crate::rig::covers;
use crate::seating::{bind_udp, listen};
use crate::serial::SerialSettings;

/// Where one kind of link leads.
#[derive(Clone, Debug)]
pub struct Door {
    /// The links, as a rig file names them.
    pub link: &'static str,
    /// The way that begins at the test heads.
    pub way: Way,
    /// To what.
    pub to: Port,
}

/// A real port of a party that is served.
#[derive(Clone, Debug)]
pub enum Port {
    /// Datagrams at this address; each new sender takes a link.
    UdpAt(SocketAddr),
    /// Datagrams to this address, each link from a port of its own.
    UdpTo(SocketAddr),
    /// Connections to this address.
    TcpAt(SocketAddr),
    /// Connections from the party to this address.
    TcpTo(SocketAddr),
    /// Connections from the party to whom it asks for; the link's requests have to be asked outside.
    TcpFrom(Reach),
    /// A pseudo-terminal whose path this link of the file system leads to.
    Pty {
        /// The link of the file system.
        at: PathBuf,
        /// The speed that a program is told.
        baud: u32,
        /// The test head's pin that is high while no host has it open, as a serial port's DTR would be.
        dtr: Option<HeadPort>,
    },
    /// A serial port.
    Serial(SerialSettings),
    /// The tool's own standard input and output.
    Stdio,
}

/// Whom a served party's connections reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    /// Where all of them go; otherwise each goes where the party says.
    pub all_to: Option<SocketAddr>,
    /// Whether they may leave this computer.
    pub anywhere: bool,
}

impl Reach {
    /// Who is called for a connection to this address.
    ///
    /// Errors: a sentence, if nobody may be.
    pub(crate) fn whom(&self, asked: SocketAddrV4) -> Result<SocketAddr, String> {
        let whom = self.all_to.unwrap_or(SocketAddr::V4(asked));
        if self.anywhere || whom.ip().is_loopback() {
            return Ok(whom);
        }
        Err(format!(
            "a connection to {whom} is refused, as it would leave this computer: `--allow-any` lets it"
        ))
    }
}

/// A door that cannot be opened.
#[derive(Debug, Error)]
#[error("`{link}`: {why}")]
pub struct DoorError {
    link: &'static str,
    why: String,
}

/// How a party is served.
pub struct Serving<'a, F: Family> {
    /// How the bench's test heads are told what to do.
    pub hands: Hands<F>,
    /// Where its links lead.
    pub doors: &'a [Door],
    /// How ports are read and written.
    pub drive: DriveConfig,
    /// How much may come in over one door within a second.
    ///
    /// Units: bytes.
    pub flood_max: u64,
}

/// What a party keeps, made durable before anything leaves that depends on it.
pub trait Keeps<F: Family> {
    /// Takes in what the party has written since it was last asked, after each thing that the bench has done.
    ///
    /// Why: what a journal counts as durable it folds into a state, where it is no record any more.
    fn take_in(&mut self, _bench: &Tabletop<F>) {}

    /// Keeps what has to be kept by now.
    ///
    /// Errors: a sentence; nothing may leave then.
    fn keep(&mut self, bench: &Tabletop<F>) -> Result<(), String>;
}

/// What stands beside the bench of a party that is served.
pub(crate) struct Served<F: Family> {
    pub(crate) outside: Outside<F>,
    keeps: Box<dyn Keeps<F>>,
    pub(crate) failed: Option<String>,
    links: Vec<PathBuf>,
}

impl<F: Family> Beside<F> for Served<F> {
    fn wake_after(&mut self, span: Span) {
        self.outside.wake_after(span);
    }

    fn glance(&mut self, bench: &Tabletop<F>) {
        self.keeps.take_in(bench);
    }

    fn observe(&mut self, bench: &mut Tabletop<F>) {
        if self.failed.is_none() {
            self.failed = self.keeps.keep(bench).err();
        }
        if self.failed.is_none() {
            self.outside.observe(bench);
        }
    }

    fn poll_ready(&mut self, cx: &mut std::task::Context<'_>) -> std::task::Poll<()> {
        self.outside.poll_ready(cx)
    }

    fn hand_in(&mut self, bench: &mut Tabletop<F>) {
        self.outside.hand_in(bench);
    }
}

impl<F: Family> Drop for Served<F> {
    fn drop(&mut self) {
        for link in &self.links {
            let _ = std::fs::remove_file(link);
        }
    }
}

/// Opens the doors. It has to be called within a tokio runtime.
pub(crate) fn open<F: Family>(
    bench: &Tabletop<F>,
    serving: &Serving<'_, F>,
    keeps: Box<dyn Keeps<F>>,
) -> Result<Served<F>, RealTimeError> {
    let DriveConfig { read_max, unsent_max } = serving.drive;
    let limits = Limits { read_max: read_max.max(1), unsent_max };
    let mut outside = Outside::new(serving.hands, limits, serving.flood_max);
    outside.hold_back();
    let mut links = Vec::new();
    for door in serving.doors {
        let opened = outlet(bench, door, &mut links);
        let outlet = opened.map_err(|why| DoorError { link: door.link, why })?;
        outside.lead(door.link, outlet);
    }
    outside.open_all();
    Ok(Served { outside, keeps, failed: None, links })
}

fn outlet<F: Family>(
    bench: &Tabletop<F>,
    Door { link, way, to }: &Door,
    links: &mut Vec<PathBuf>,
) -> Result<Outlet, String> {
    let (_, names, _) = bench.names();
    let lines = names.iter().zip(0..).filter(|(name, _)| covers(link, name));
    let wires: Vec<Wire> = lines.filter_map(|(_, number)| Wire::of(bench, LineId(number), *way)).collect();
    let line = |source, dtr| {
        let wire = wires.first().copied().ok_or("the bench has no such link")?;
        Ok(Outlet::Bytes(BytesOutlet::served(wire, source, dtr)?))
    };
    match to {
        Port::UdpAt(at) => Ok(Outlet::Packets(PacketsOutlet::shared(wires, bind_udp(*at)?))),
        Port::UdpTo(to) => {
            let any = SocketAddr::new(
                if to.is_ipv4() {
                    std::net::Ipv4Addr::UNSPECIFIED.into()
                } else {
                    std::net::Ipv6Addr::UNSPECIFIED.into()
                },
                0,
            );
            let sockets = wires.iter().map(|_| bind_udp(any)).collect::<Result<_, _>>()?;
            Ok(Outlet::Packets(PacketsOutlet::each(wires, sockets, *to)))
        }
        Port::TcpAt(at) => Ok(Outlet::Streams(StreamsOutlet::listens(wires, listen(*at)?))),
        Port::TcpTo(to) => Ok(Outlet::Streams(StreamsOutlet::dials(wires, *to, Duration::ZERO))),
        Port::TcpFrom(reach) => Ok(Outlet::Streams(StreamsOutlet::reaches(wires, *reach))),
        Port::Pty { at, baud, dtr } => {
            let pty = Pty::open(&PtyConfig { baud: *baud, exclusive: false });
            let pty = pty.map_err(|error| error.to_string())?.lent()?;
            lead_to(&pty.path, at)?;
            links.push(at.clone());
            line(Source::Pty(Box::new(pty)), *dtr)
        }
        Port::Serial(settings) => {
            settings.open().map_err(|error| error.to_string())?;
            line(Source::Serial(settings.clone()), None)
        }
        Port::Stdio => line(Source::Own, None),
    }
}

/// Makes a link of the file system that leads to a pseudo-terminal.
#[cfg(unix)]
fn lead_to(path: &str, at: &Path) -> Result<(), String> {
    // A link that a run before this one has left behind leads nowhere.
    if at.is_symlink() {
        std::fs::remove_file(at)
            .map_err(|error| format!("{} could not be replaced: {error}", at.display()))?;
    }
    std::os::unix::fs::symlink(path, at)
        .map_err(|error| format!("{} could not be made a link to {path}: {error}", at.display()))
}

#[cfg(not(unix))]
fn lead_to(_: &str, _: &Path) -> Result<(), String> {
    Err("this operating system has no pseudo-terminals".to_owned())
}
