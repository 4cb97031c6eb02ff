//! Where links lead out to real parties: each outlet stands between test heads on the bench and ports of the computer.

mod bytes;
mod packets;
mod streams;

use std::collections::VecDeque;
use std::net::SocketAddrV4;
use std::task::Context;

use assay_sim::fault::Way;
use assay_sim::machine::{Close, Closing, Port};
use assay_sim::tabletop::{Family, Request, Tabletop};
use assay_sim::tape::{LineId, SeatId};
use tokio::process::{ChildStdin, ChildStdout};

pub(crate) use bytes::{BytesOutlet, Source};
pub(crate) use packets::PacketsOutlet;
pub(crate) use streams::StreamsOutlet;

/// A head's end of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wire {
    /// The link.
    pub(crate) line: LineId,
    /// The way that begins at the head.
    pub(crate) way: Way,
    /// The head.
    pub(crate) seat: SeatId,
    /// The head's first port there.
    pub(crate) first: Port,
    /// How many ports it has there.
    pub(crate) ports: u16,
}

impl Wire {
    /// The end of a link at which this way begins.
    pub(crate) fn of<F: Family>(bench: &Tabletop<F>, line: LineId, way: Way) -> Option<Self> {
        let seat = bench.ends(line)[way.index()]?;
        let (first, ports) = bench.ports_at(line, way);
        Some(Self { line, way, seat, first, ports })
    }

    fn came(self, deed: Deed) -> Came {
        Came { seat: self.seat, line: self.line, deed }
    }
}

/// What a head shall do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    /// Send bytes.
    Send(Port, Vec<u8>),
    /// Open a connection.
    Open(Port, SocketAddrV4),
    /// End one.
    Close(Port, Close),
    /// Set a pin.
    Level(Port, bool),
    /// Nothing: an operator has done what was asked for.
    Confirm,
}

/// Something that has come in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Came {
    /// Which head shall do it.
    pub(crate) seat: SeatId,
    /// Over which link.
    pub(crate) line: LineId,
    /// What.
    pub(crate) deed: Deed,
}

/// How much is read at once, and how much may wait.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) read_max: usize,
    pub(crate) unsent_max: usize,
}

/// An outlet of any kind.
pub(crate) enum Outlet {
    /// A line.
    Bytes(BytesOutlet),
    /// Packet paths.
    Packets(PacketsOutlet),
    /// Paths for connections.
    Streams(StreamsOutlet),
}

impl Outlet {
    pub(crate) fn wires(&self) -> &[Wire] {
        match self {
            Self::Bytes(outlet) => outlet.wires(),
            Self::Packets(outlet) => outlet.wires(),
            Self::Streams(outlet) => outlet.wires(),
        }
    }

    /// Bytes have reached a head; false if the real party takes too little of what is sent to it.
    pub(crate) fn heard(&mut self, wire: usize, conn: u16, bytes: &[u8], limits: &Limits) -> bool {
        match self {
            Self::Bytes(outlet) => outlet.send(bytes, limits),
            Self::Packets(outlet) => {
                outlet.send(wire, bytes);
                true
            }
            Self::Streams(outlet) => outlet.send(wire, conn, bytes, limits),
        }
    }

    /// The bench asks for a connection over one of the outlet's links.
    ///
    /// Errors: a sentence, if nobody is called for it.
    pub(crate) fn request(&mut self, request: Request) -> Result<(), String> {
        if let Self::Streams(outlet) = self { outlet.request(request) } else { Ok(()) }
    }

    pub(crate) fn opened(&mut self, wire: usize, port: Port, conn: u16) {
        if let Self::Streams(outlet) = self {
            outlet.opened(wire, port, conn);
        }
    }

    pub(crate) fn closed(&mut self, wire: usize, port: Option<Port>, conn: u16, why: Closing) {
        if let Self::Streams(outlet) = self {
            outlet.closed(wire, port, conn, why);
        }
    }

    /// The real party has power, and perhaps a standard input and output.
    pub(crate) fn back(&mut self, stdio: &mut Option<(ChildStdin, ChildStdout)>) {
        if let Self::Bytes(outlet) = self {
            let stdio = if outlet.is_stdio() { stdio.take() } else { None };
            outlet.back(stdio);
        }
    }

    /// The real party has lost its power, and nothing that it has said before is heard any more.
    pub(crate) fn lost(&mut self) {
        match self {
            Self::Bytes(outlet) => outlet.lost(),
            Self::Packets(outlet) => outlet.forget(),
            Self::Streams(outlet) => outlet.drop_all(),
        }
    }

    /// Sends and receives what can be; whether something waits for the bench. A failure of a line's port is told once.
    ///
    /// What is `stalled` sends, and is not read.
    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        limits: &Limits,
        stalled: bool,
        came: &mut VecDeque<Came>,
    ) -> Result<bool, String> {
        let before = came.len();
        match self {
            Self::Bytes(outlet) => {
                outlet.poll_presence(cx, came);
                outlet.poll_send(cx)?;
                if !stalled {
                    outlet.poll_receive(cx, limits, came)?;
                }
            }
            Self::Packets(outlet) => outlet.poll_receive(cx, limits, came),
            Self::Streams(outlet) => {
                outlet.poll(cx, limits, stalled, came);
                if outlet.poll_accept(cx) {
                    return Ok(true);
                }
            }
        }
        Ok(came.len() > before)
    }

    /// Leads to the bench what has come in without a place there.
    pub(crate) fn ask<F: Family>(&mut self, bench: &mut Tabletop<F>, came: &mut VecDeque<Came>) {
        if let Self::Streams(outlet) = self {
            outlet.ask(bench, came);
        }
    }
}
