//! What stands on a bench: parties in their seats, links between them, and the supplies that feed them.

use std::net::SocketAddrV4;

use super::Family;
use crate::fault::Way;
use crate::link::{Air, AirTiming, Datagram, Link, Pin, Serial, SerialConfig, Stream, StreamConfig};
use crate::machine::Port;
use crate::seed::Seed;
use crate::tape::{LineId, SeatId, SupplyId};
use crate::time::{Span, Wall};

/// One end of a link: a party's port.
pub type Socket = (SeatId, Port);

/// Parties, links and supplies, before a run.
#[derive(Clone)]
pub struct Layout<F: Family> {
    pub(super) seats: Vec<(String, F::Party)>,
    pub(super) lines: Vec<LineSpec<F>>,
    pub(super) supplies: Vec<(String, Vec<SeatId>)>,
    pub(super) epoch: Wall,
    /// How long a link waits for the rest of a unit before it passes on what it has.
    pub(super) quiet: Span,
    /// How many inputs wait for a busy party before the next bytes or stimuli are lost.
    pub(super) inbox_max: usize,
}

#[derive(Clone)]
pub(super) struct LineSpec<F: Family> {
    pub(super) name: String,
    pub(super) link: Link,
    pub(super) scanners: [F::Scanner; 2],
    pub(super) ends: [EndSpec; 2],
    /// Which ends lie outside the bench: what is delivered there leaves it.
    pub(super) outside: [bool; 2],
}

#[derive(Clone, Copy)]
pub(super) struct EndSpec {
    pub(super) seat: Option<SeatId>,
    /// The first port; a stream's end uses one a connection, counting up.
    pub(super) port: Port,
    pub(super) ports: u16,
    pub(super) listens: Option<SocketAddrV4>,
    /// Which requests for connections it takes.
    pub(super) admits: Admits,
    /// The pin that tells the party whether something is plugged in at the other end.
    pub(super) presence: Option<Port>,
}

/// Which requests for connections a listener takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admits {
    /// Those to its own address.
    Own,
    /// All, whatever their address.
    All,
    /// What is decided of each outside the bench.
    Asked,
}

impl EndSpec {
    fn at((seat, port): Socket) -> Self {
        Self { seat: Some(seat), port, ports: 1, listens: None, admits: Admits::Own, presence: None }
    }
}

/// A server's end of a stream link.
#[derive(Clone, Copy, Debug)]
pub struct Listener {
    /// The party.
    pub seat: SeatId,
    /// The address that it listens on.
    pub address: SocketAddrV4,
    /// The port of the first connection over this link; later ones count up, wrap around and leave out what is taken.
    pub first: Port,
    /// How many ports the link may use. When all are taken, the oldest connection is reset for the newest.
    pub ports: u16,
}

impl<F: Family> Layout<F> {
    /// An empty bench.
    pub fn new(epoch: Wall, quiet: Span, inbox_max: usize) -> Self {
        Self { seats: Vec::new(), lines: Vec::new(), supplies: Vec::new(), epoch, quiet, inbox_max }
    }

    /// What a calendar clock shows when the run begins.
    pub fn epoch(&self) -> Wall {
        self.epoch
    }

    /// Seats a party.
    pub fn seat(&mut self, name: impl Into<String>, party: F::Party) -> SeatId {
        self.seats.push((name.into(), party));
        SeatId(index(self.seats.len()))
    }

    /// Puts another party into a seat; returns whether there is a seat of this name.
    pub fn reseat(&mut self, name: &str, party: F::Party) -> bool {
        let seat = self.seats.iter_mut().find(|(known, _)| known == name);
        seat.map(|(_, seated)| *seated = party).is_some()
    }

    /// Draws a serial line.
    pub fn serial(
        &mut self,
        name: impl Into<String>,
        a: Socket,
        b: Socket,
        config: SerialConfig,
        scanners: [F::Scanner; 2],
    ) -> LineId {
        self.line(
            name.into(),
            Link::Serial(Box::new(Serial::new(config))),
            [EndSpec::at(a), EndSpec::at(b)],
            scanners,
        )
    }

    /// Draws a pin, driven by end A.
    pub fn pin(
        &mut self,
        name: impl Into<String>,
        a: Socket,
        b: Socket,
        scanners: [F::Scanner; 2],
    ) -> LineId {
        self.line(name.into(), Link::Pin(Box::new(Pin::new())), [EndSpec::at(a), EndSpec::at(b)], scanners)
    }

    /// Draws a datagram path.
    pub fn datagram(
        &mut self,
        name: impl Into<String>,
        a: Socket,
        b: Socket,
        latency: (Span, Span),
        seed: Seed,
        scanners: [F::Scanner; 2],
    ) -> LineId {
        let name = name.into();
        let link = Link::Datagram(Box::new(Datagram::new(latency, seed, &name)));
        self.line(name, link, [EndSpec::at(a), EndSpec::at(b)], scanners)
    }

    /// Draws a path for TCP connections from a client, which may use several ports, to a listener.
    pub fn stream(
        &mut self,
        name: impl Into<String>,
        (client, client_ports): (Socket, u16),
        listener: Listener,
        config: StreamConfig,
        seed: Seed,
        scanners: [F::Scanner; 2],
    ) -> LineId {
        let name = name.into();
        let link = Link::Stream(Box::new(Stream::new(config, seed, &name)));
        let a = EndSpec { ports: client_ports, ..EndSpec::at(client) };
        let b = EndSpec {
            ports: listener.ports,
            listens: Some(listener.address),
            ..EndSpec::at((listener.seat, listener.first))
        };
        self.line(name, link, [a, b], scanners)
    }

    /// Hangs up a reader's antenna, with nothing in its field; `presence` is the reader's card switch.
    pub fn air(
        &mut self,
        name: impl Into<String>,
        reader: Socket,
        presence: Option<Port>,
        card_port: Port,
        timing: AirTiming,
        scanners: [F::Scanner; 2],
    ) -> LineId {
        let a = EndSpec { presence, ..EndSpec::at(reader) };
        let b = EndSpec {
            seat: None,
            port: card_port,
            ports: 1,
            listens: None,
            admits: Admits::Own,
            presence: None,
        };
        self.line(name.into(), Link::Air(Box::new(Air::new(timing))), [a, b], scanners)
    }

    /// Names a supply and what it feeds. A party has power while every supply that feeds it is there.
    pub fn supply(&mut self, name: impl Into<String>, feeds: &[SeatId]) -> SupplyId {
        self.supplies.push((name.into(), feeds.to_vec()));
        SupplyId(index(self.supplies.len()))
    }

    /// Feeds one more party from a supply; returns whether there is a supply of this name.
    pub fn feed(&mut self, supply: &str, seat: SeatId) -> bool {
        let supply = self.supplies.iter_mut().find(|(known, _)| known == supply);
        supply.map(|(_, feeds)| feeds.push(seat)).is_some()
    }

    /// Moves the end of a link at which `way` begins to another party; returns whether there is a link of this name.
    pub fn rewire(&mut self, link: &str, way: Way, (seat, port): Socket) -> bool {
        let line = self.lines.iter_mut().find(|line| line.name == link);
        line.map(|line| {
            let end = &mut line.ends[way.index()];
            (end.seat, end.port) = (Some(seat), port);
        })
        .is_some()
    }

    /// The seat of this name.
    pub fn seat_named(&self, name: &str) -> Option<SeatId> {
        let at = self.seats.iter().position(|(known, _)| known == name)?;
        u16::try_from(at).ok().map(SeatId)
    }

    /// Has whoever listens at the end of a link answer at every address; returns whether there is a link of this name.
    ///
    /// Why: behind a real socket there is one peer, whatever address a real host asks its modem for.
    pub fn listen_anywhere(&mut self, link: &str) -> bool {
        let line = self.lines.iter_mut().find(|line| line.name == link);
        line.map(|line| line.ends[1].admits = Admits::All).is_some()
    }

    /// Has each request for a connection over a link wait until it has been answered with
    /// [`Tabletop::answer`](super::Tabletop::answer); returns whether there is a link of this name.
    ///
    /// Why: whether anybody listens at a real address is known only once it has been asked.
    pub fn ask_outside(&mut self, link: &str) -> bool {
        let line = self.lines.iter_mut().find(|line| line.name == link);
        line.map(|line| line.ends[1].admits = Admits::Asked).is_some()
    }

    /// Leads a link out of the bench: what leaves it is exported, and what arrives is imported.
    pub fn lead_out(&mut self, line: LineId) {
        if let Some(spec) = self.lines.get_mut(usize::from(line.0)) {
            spec.outside = [true; 2];
        }
    }

    fn line(&mut self, name: String, link: Link, ends: [EndSpec; 2], scanners: [F::Scanner; 2]) -> LineId {
        self.lines.push(LineSpec { name, link, scanners, ends, outside: [false; 2] });
        LineId(index(self.lines.len()))
    }
}

fn index(len: usize) -> u16 {
    u16::try_from(len - 1).expect("a bench has fewer than 65,536 of each thing")
}
