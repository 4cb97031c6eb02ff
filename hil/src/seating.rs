//! How a real party is put beside a bench: an outlet for each of its links, its process, and its power switch.

use std::collections::BTreeMap;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use assay_sim::fault::{LinkKind, Way};
use assay_sim::tabletop::{Family, Tabletop};
use assay_sim::tape::{LineId, SeatId};
use tokio::net::{TcpListener, UdpSocket};

use crate::occupant::{Occupant, Program};
use crate::operator::Operator;
use crate::outlet::{BytesOutlet, Outlet, PacketsOutlet, Source, StreamsOutlet, Wire};
use crate::outside::Outside;
use crate::power::Switch;
use crate::pty::{Pty, PtyConfig};
use crate::real_time::{Broken, RealTimeError, broken, case_dir};
use crate::reserved::{ReservedPort, beside_reserved};
use crate::rig::{Body, Carrier, NetConfig, Observe, RealSeat, Rig, Seat, TextPort, covers};

/// A real party about to be seated.
pub(crate) struct Seated<'a, F: Family> {
    pub(crate) rig: &'a Rig,
    pub(crate) bench: &'a Tabletop<F>,
    /// Its seat's name in the rig file.
    pub(crate) name: &'a str,
    /// Its head on the bench.
    pub(crate) head: SeatId,
    pub(crate) case: &'a str,
    pub(crate) files: Vec<(String, String)>,
}

/// What stands for the placeholders of a command.
#[derive(Default)]
struct Placeholders {
    values: BTreeMap<String, String>,
    /// The ports among them that were chosen for the party.
    reserved: Vec<ReservedPort>,
}

impl Placeholders {
    fn fill(&self, word: &str) -> String {
        self.values
            .iter()
            .fold(word.to_owned(), |word, (name, value)| word.replace(&format!("{{{name}}}"), value))
    }
}

/// Puts a real party beside the bench.
///
/// Errors: [`RealTimeError::Broken`], [`RealTimeError::Unfit`].
pub(crate) fn seat<F: Family>(seated: &Seated<'_, F>, outside: &mut Outside<F>) -> Result<(), RealTimeError> {
    let Seated { rig, name, head, .. } = seated;
    let (rig, name, head) = (*rig, *name, *head);
    let Some(Seat::Real(real)) = rig.seats.get(name) else { return Ok(()) };
    let mut placeholders = Placeholders::default();
    let mut carried: Vec<LineId> = Vec::new();
    for (link, carrier) in &rig.links {
        let Some((end, _)) =
            rig.system.link(link).and_then(|spec| rig.real_end(spec).filter(|(_, seat)| *seat == name))
        else {
            continue;
        };
        let wires = wires(seated, link, Way::BOTH[end]);
        let opened = open(link, carrier, &wires, real, seated.bench, &mut placeholders);
        let outlet = opened.map_err(|why| broken(&format!("link `{link}`"), why))?;
        carried.extend(wires.iter().map(|wire| wire.line));
        if !wires.is_empty() {
            outside.lead(link, outlet);
        }
    }
    if let (Some(port), Some(link)) = (&real.text_port, rig.system.text_link()) {
        for wire in wires(seated, link, Way::AtoB).into_iter().take(1) {
            carried.push(wire.line);
            outside.lead("text port", Outlet::Bytes(BytesOutlet::new(wire, text_source(port))));
        }
    }
    check_all_carried(seated, real, &carried)?;
    let switch = Switch::open(&real.power, rig.self_check.within);
    let switch = switch.map_err(|why| broken(&format!("the power switch of `{name}`"), why))?;
    let program = program(seated, real, &mut placeholders)?;
    outside.reserve(placeholders.reserved);
    let speaks_first = name == rig.system.terminal();
    outside.seat(Occupant::new(name, head, program, switch, real.boot, speaks_first));
    Ok(())
}

/// What tells the ledger of a party, with the case's directory in its place.
pub(crate) fn in_dir(rig: &Rig, name: &str, case: &str, how: Observe) -> Observe {
    let dir = match rig.seats.get(name) {
        Some(Seat::Real(real)) => match &real.body {
            Body::Process(process) => case_dir(&process.dir, case).join("data").display().to_string(),
            Body::Device => String::new(),
        },
        _ => String::new(),
    };
    let placeholders =
        Placeholders { values: BTreeMap::from([("dir".to_owned(), dir)]), reserved: Vec::new() };
    match how {
        Observe::File(file) => Observe::File(placeholders.fill(&file)),
        Observe::Command(words) => {
            Observe::Command(words.iter().map(|word| placeholders.fill(word)).collect())
        }
    }
}

/// The head's ends of the bench's links that a name in the rig file covers.
fn wires<F: Family>(seated: &Seated<'_, F>, link: &str, way: Way) -> Vec<Wire> {
    let (_, names, _) = seated.bench.names();
    let lines = names.iter().zip(0..).filter(|(name, _)| covers(link, name));
    let ends = lines.filter_map(|(_, number)| Wire::of(seated.bench, LineId(number), way));
    ends.filter(|wire| wire.seat == seated.head).collect()
}

/// Whether the rig carries every link without which the party would be blamed for what it never got.
fn check_all_carried<F: Family>(
    seated: &Seated<'_, F>,
    real: &RealSeat,
    carried: &[LineId],
) -> Result<(), RealTimeError> {
    let (_, names, _) = seated.bench.names();
    let system = seated.rig.system;
    let has_cards = seated.bench.seat_named("card-1").is_some();
    for (name, number) in names.iter().zip(0..) {
        let line = LineId(number);
        let ends = seated.bench.ends(line);
        let Some(end) = ends.iter().position(|seat| *seat == Some(seated.head)) else { continue };
        // Whoever opens connections itself misses nothing when there is nobody to go to.
        let asks = end == 0 && seated.bench.link_kind(line) == LinkKind::Stream;
        if !asks && !carried.contains(&line) && !system.can_do_without(name, has_cards) {
            let party = seated.name;
            let why = format!("the case needs the link `{name}` to `{party}`, which the rig does not carry");
            let mend = match system.link(name) {
                _ if party == system.terminal()
                    && system.text_link() == Some("text")
                    && real.text_port.is_none() =>
                {
                    format!("; a `text_port` in `[seat.{party}]` would make it conclusive")
                }
                Some(link) => format!("; a table `[link.{}]` would make it conclusive", link.name),
                None => String::new(),
            };
            return Err(RealTimeError::Unfit(why + &mend));
        }
    }
    Ok(())
}

fn text_source(port: &TextPort) -> Source {
    match port {
        TextPort::Stdio => Source::Stdio,
        TextPort::Serial(settings) => Source::Serial(settings.clone()),
        TextPort::Tcp(net) => Source::Tcp(net.address()),
        TextPort::Operator { within } => Source::Operator(Box::new(Operator::new()), *within),
    }
}

/// Opens what carries a link.
///
/// Errors: a sentence.
fn open<F: Family>(
    link: &str,
    carrier: &Carrier,
    wires: &[Wire],
    real: &RealSeat,
    bench: &Tabletop<F>,
    placeholders: &mut Placeholders,
) -> Result<Outlet, String> {
    let Placeholders { values, reserved } = placeholders;
    let mut tell = |kind: &str, value: String| values.insert(format!("{kind}.{link}"), value);
    let line = |source| match wires.first() {
        Some(wire) => Outlet::Bytes(BytesOutlet::new(*wire, source)),
        None => Outlet::Streams(StreamsOutlet::dials(Vec::new(), NOWHERE, Duration::ZERO)),
    };
    let patience = Duration::from_micros(real.boot.as_us());
    match carrier {
        Carrier::Pty(config) => {
            // A party that opens it must find it free.
            let pty = Pty::open(&PtyConfig { exclusive: false, ..config.clone() });
            let pty = pty.map_err(|error| error.to_string())?.lent()?;
            tell("pty", pty.path.clone());
            Ok(line(Source::Pty(Box::new(pty))))
        }
        Carrier::Serial(settings) => {
            // The port is opened anew at each power-on; that it can be is part of the self-check.
            if matches!(real.power, crate::rig::Power::Absent) {
                settings.open().map_err(|error| error.to_string())?;
            }
            Ok(line(Source::Serial(settings.clone())))
        }
        Carrier::Udp(NetConfig::Connect(to)) => {
            let to = chosen(*to, reserved, |from| Ok(std::net::UdpSocket::bind(from)?.local_addr()?.port()))?;
            tell("port", to.port().to_string());
            let sockets = wires.iter().map(|_| bind_udp(near(to))).collect::<Result<_, _>>()?;
            Ok(Outlet::Packets(PacketsOutlet::each(wires.to_vec(), sockets, to)))
        }
        Carrier::Udp(NetConfig::Listen(at)) => {
            let socket = bind_udp(*at)?;
            tell("port", socket.local_addr().map_err(|error| error.to_string())?.port().to_string());
            Ok(Outlet::Packets(PacketsOutlet::shared(wires.to_vec(), socket)))
        }
        Carrier::Tcp(NetConfig::Connect(to)) => {
            let to =
                chosen(*to, reserved, |from| Ok(std::net::TcpListener::bind(from)?.local_addr()?.port()))?;
            tell("port", to.port().to_string());
            let stream = wires.first().is_none_or(|wire| bench.link_kind(wire.line) == LinkKind::Stream);
            if !stream {
                return Ok(line(Source::Tcp(to)));
            }
            Ok(Outlet::Streams(StreamsOutlet::dials(wires.to_vec(), to, patience)))
        }
        Carrier::Tcp(NetConfig::Listen(at)) => {
            let listener = listen(*at)?;
            tell("port", listener.local_addr().map_err(|error| error.to_string())?.port().to_string());
            Ok(Outlet::Streams(StreamsOutlet::listens(wires.to_vec(), listener)))
        }
    }
}

const NOWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// The address with a free port in place of port 0.
fn chosen(
    address: SocketAddr,
    reserved: &mut Vec<ReservedPort>,
    free: impl Fn(SocketAddr) -> std::io::Result<u16>,
) -> Result<SocketAddr, String> {
    if address.port() != 0 {
        return Ok(address);
    }
    let found = ReservedPort::find(|| free(address));
    let found = found.map_err(|error| format!("no free port was found: {error}"))?;
    let chosen = SocketAddr::new(address.ip(), found.port());
    reserved.push(found);
    Ok(chosen)
}

/// From where an address is reached.
fn near(to: SocketAddr) -> SocketAddr {
    let from = match (to.ip(), to.ip().is_loopback()) {
        (ip, true) => ip,
        (IpAddr::V4(_), false) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        (IpAddr::V6(_), false) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    SocketAddr::new(from, 0)
}

/// A datagram socket.
///
/// Errors: a sentence.
pub(crate) fn bind_udp(at: SocketAddr) -> Result<UdpSocket, String> {
    let failed = |error| format!("{at} could not be taken: {error}");
    let open = || std::net::UdpSocket::bind(at);
    let port = |socket: &std::net::UdpSocket| Ok(socket.local_addr()?.port());
    let socket = if at.port() == 0 { beside_reserved(open, port) } else { open() };
    let socket = socket.map_err(failed)?;
    socket.set_nonblocking(true).map_err(failed)?;
    UdpSocket::from_std(socket).map_err(failed)
}

/// A listener for connections.
///
/// Errors: a sentence.
pub(crate) fn listen(at: SocketAddr) -> Result<TcpListener, String> {
    let failed = |error| format!("{at} could not be taken: {error}");
    let open = || std::net::TcpListener::bind(at);
    let port = |listener: &std::net::TcpListener| Ok(listener.local_addr()?.port());
    let listener = if at.port() == 0 { beside_reserved(open, port) } else { open() };
    let listener = listener.map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    TcpListener::from_std(listener).map_err(failed)
}

/// The process of a party, with a directory of its own that is empty but for the case's files.
fn program<F: Family>(
    seated: &Seated<'_, F>,
    real: &RealSeat,
    placeholders: &mut Placeholders,
) -> Result<Option<Program>, Broken> {
    let Body::Process(config) = &real.body else { return Ok(None) };
    let case = case_dir(&config.dir, seated.case);
    let data = case.join("data");
    let failed = |path: &PathBuf, error: std::io::Error| {
        broken(&format!("the directory {}", path.display()), error.to_string())
    };
    if case.exists() {
        fs::remove_dir_all(&case).map_err(|error| failed(&case, error))?;
    }
    fs::create_dir_all(&data).map_err(|error| failed(&data, error))?;
    for (name, text) in &seated.files {
        let path = data.join(name);
        fs::write(&path, text).map_err(|error| failed(&path, error))?;
    }
    placeholders.values.insert("dir".to_owned(), data.display().to_string());
    Ok(Some(Program {
        words: config.command.iter().map(|word| placeholders.fill(word)).collect(),
        keep: case.join(seated.name),
        output_max: config.output_max,
        ready: config.ready.clone(),
        stdio: matches!(real.text_port, Some(TextPort::Stdio)),
    }))
}
