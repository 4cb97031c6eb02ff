//! A line that leads to a real port: serial, pseudo-terminal, the standard input and output of a process, a connection.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use assay_sim::machine::Port;
use assay_sim::time::Span;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, Stdin, Stdout};
use tokio::net::TcpStream;
use tokio::process::{ChildStdin, ChildStdout};
use tokio::time::Sleep;
use tokio_serial::{ClearBuffer, SerialPort as _, SerialStream};

use super::{Came, Deed, Limits, Wire};
use crate::operator::{Operator, Said};
use crate::presence::Presence;
use crate::pty::Lent;
use crate::serial::SerialSettings;

/// How soon a connection that was refused is asked for again.
const RETRY: Duration = Duration::from_millis(50);

/// Where the real end of a line comes from, each time that its party has power.
pub(crate) enum Source {
    /// A pseudo-terminal of the rig's own, which outlives the party.
    Pty(Box<Lent>),
    /// A serial port, which is looked for anew.
    Serial(SerialSettings),
    /// A party that listens.
    Tcp(SocketAddr),
    /// A process's standard input and output.
    Stdio,
    /// The standard input and output of this process.
    Own,
    /// An operator at this process, who has so long for anything.
    Operator(Box<Operator>, Span),
}

/// The real end of a line.
enum BytePort {
    /// The pseudo-terminal or the operator of the source.
    Own,
    /// A serial port.
    Serial(SerialStream),
    /// A process's standard input and output.
    Stdio(ChildStdin, ChildStdout),
    /// The standard input and output of this process.
    Ours(Stdin, Stdout),
    /// A connection.
    Tcp(TcpStream),
    /// One that is not there yet.
    Opening(Pin<Box<dyn Future<Output = BytePort>>>),
    /// Nothing.
    Gone,
}

/// Asks for a port until it is there: a device that has just been given power takes its time.
async fn opened(settings: SerialSettings) -> BytePort {
    loop {
        match settings.open() {
            Ok(port) => return BytePort::Serial(port),
            Err(_) => tokio::time::sleep(RETRY).await,
        }
    }
}

/// Asks for a connection until there is one.
async fn dialled(to: SocketAddr) -> BytePort {
    loop {
        match TcpStream::connect(to).await {
            Ok(stream) => return BytePort::Tcp(stream),
            Err(_) => tokio::time::sleep(RETRY).await,
        }
    }
}

/// A line at its port.
pub(crate) struct BytesOutlet {
    wire: Wire,
    source: Source,
    port: BytePort,
    unsent: VecDeque<u8>,
    /// The pauses after each byte and each burst.
    gaps: (Span, Span),
    rest: Option<Pin<Box<Sleep>>>,
    /// For a party that is served: hosts come and go.
    served: Option<Served>,
}

/// What a served party's line has besides.
struct Served {
    /// Who tells whether a host is there, if anybody can.
    presence: Option<Presence>,
    /// The head's pin that is high while none is.
    dtr: Option<Port>,
}

impl BytesOutlet {
    pub(crate) fn new(wire: Wire, source: Source) -> Self {
        let gaps = match &source {
            Source::Serial(settings) => (settings.byte_gap, settings.burst_gap),
            Source::Pty(_) | Source::Tcp(_) | Source::Stdio | Source::Own | Source::Operator(..) => {
                (Span::ZERO, Span::ZERO)
            }
        };
        Self { wire, source, port: BytePort::Gone, unsent: VecDeque::new(), gaps, rest: None, served: None }
    }

    /// The same for a party that is served: it outlives whatever becomes of its port, and what it says while no host is
    /// there is lost. `dtr` is the head's pin that tells it whether there is one.
    ///
    /// Errors: a sentence.
    pub(crate) fn served(wire: Wire, source: Source, dtr: Option<Port>) -> Result<Self, String> {
        let presence = match &source {
            Source::Pty(pty) => Some(Presence::watch(&pty.path)?),
            Source::Serial(_) | Source::Tcp(_) | Source::Stdio | Source::Own | Source::Operator(..) => None,
        };
        Ok(Self { served: Some(Served { presence, dtr }), ..Self::new(wire, source) })
    }

    pub(crate) fn wires(&self) -> &[Wire] {
        std::slice::from_ref(&self.wire)
    }

    /// Asks the operator for something to be done, if one sits here; how long that may take.
    pub(crate) fn ask(&mut self, what: &str) -> Option<Span> {
        let Source::Operator(operator, within) = &mut self.source else { return None };
        operator.ask(what);
        Some(*within)
    }

    /// Whether the port is a process's standard input and output.
    pub(crate) fn is_stdio(&self) -> bool {
        matches!(self.source, Source::Stdio)
    }

    /// The party has power, and perhaps a standard input and output.
    pub(crate) fn back(&mut self, stdio: Option<(ChildStdin, ChildStdout)>) {
        self.port = match (&self.source, stdio) {
            (Source::Pty(_) | Source::Operator(..), _) => BytePort::Own,
            (Source::Serial(settings), _) => BytePort::Opening(Box::pin(opened(settings.clone()))),
            (Source::Tcp(to), _) => BytePort::Opening(Box::pin(dialled(*to))),
            (Source::Stdio, Some((stdin, stdout))) => BytePort::Stdio(stdin, stdout),
            (Source::Stdio, None) => BytePort::Gone,
            (Source::Own, _) => BytePort::Ours(tokio::io::stdin(), tokio::io::stdout()),
        };
    }

    /// The party has no power: what it has not read it never will.
    pub(crate) fn lost(&mut self) {
        self.port = BytePort::Gone;
        self.unsent.clear();
        if let Source::Pty(pty) = &self.source {
            let _ = pty.nameless.clear(ClearBuffer::All);
        }
    }

    /// What reached the head is to be written; false if too much waits already.
    pub(crate) fn send(&mut self, bytes: &[u8], limits: &Limits) -> bool {
        if self.is_forsaken() {
            return true;
        }
        let fits = self.unsent.len() + bytes.len() <= limits.unsent_max;
        if fits {
            self.unsent.extend(bytes);
        }
        fits || self.served.is_some()
    }

    /// How much waits to be written.
    ///
    /// Units: bytes.
    pub(crate) fn waiting(&self) -> usize {
        self.unsent.len()
    }

    /// Whether it is known that no host is there.
    fn is_forsaken(&self) -> bool {
        let presence = self.served.as_ref().and_then(|served| served.presence.as_ref());
        presence.is_some_and(|presence| !presence.is_open())
    }

    /// Takes in that a host has come or gone.
    pub(crate) fn poll_presence(&mut self, cx: &mut Context<'_>, came: &mut VecDeque<Came>) {
        let Some(Served { presence: Some(presence), dtr }) = &mut self.served else { return };
        if presence.poll_change(cx).is_pending() {
            return;
        }
        let (is_open, dtr) = (presence.is_open(), *dtr);
        if !is_open {
            self.unsent.clear();
            if let Source::Pty(pty) = &self.source {
                pty.forget_unheard();
            }
        }
        if let Some(dtr) = dtr {
            came.push_back(Came {
                seat: self.wire.seat,
                line: self.wire.line,
                deed: Deed::Level(dtr, !is_open),
            });
        }
    }

    /// Writes what can be written; the first failure is told once, and ends the port.
    pub(crate) fn poll_send(&mut self, cx: &mut Context<'_>) -> Result<(), String> {
        while !self.unsent.is_empty() {
            if let Some(rest) = &mut self.rest {
                if rest.as_mut().poll(cx).is_pending() {
                    return Ok(());
                }
                self.rest = None;
            }
            let paced = self.gaps.0 != Span::ZERO;
            let front = self.unsent.as_slices().0;
            let chunk = if paced { &front[..1] } else { front };
            match write(&mut self.port, &mut self.source, cx, chunk) {
                Poll::Ready(Ok(0)) => return self.gone("takes nothing any more"),
                Poll::Ready(Ok(taken)) => drop(self.unsent.drain(..taken)),
                Poll::Ready(Err(error)) => return self.gone(&format!("could not be written: {error}")),
                Poll::Pending => return Ok(()),
            }
            let gap = if self.unsent.is_empty() { self.gaps.0.max(self.gaps.1) } else { self.gaps.0 };
            if gap != Span::ZERO {
                self.rest = Some(Box::pin(tokio::time::sleep(Duration::from_micros(gap.as_us()))));
            }
        }
        Ok(())
    }

    /// Reads what has come.
    pub(crate) fn poll_receive(
        &mut self,
        cx: &mut Context<'_>,
        limits: &Limits,
        came: &mut VecDeque<Came>,
    ) -> Result<(), String> {
        if let Source::Operator(operator, _) = &mut self.source {
            let mut said = Vec::new();
            operator.poll(cx, &mut said);
            came.extend(said.into_iter().map(|said| {
                self.wire.came(match said {
                    Said::Done => Deed::Confirm,
                    Said::Line(line) => Deed::Send(self.wire.first, line),
                })
            }));
            return Ok(());
        }
        let mut buffer = vec![0; limits.read_max];
        match read(&mut self.port, &mut self.source, cx, &mut buffer) {
            Poll::Pending => Ok(()),
            Poll::Ready(Ok(0)) => self.gone("was closed"),
            Poll::Ready(Err(error)) => self.gone(&format!("could not be read: {error}")),
            Poll::Ready(Ok(len)) => {
                buffer.truncate(len);
                let deed = Deed::Send(self.wire.first, buffer);
                came.push_back(Came { seat: self.wire.seat, line: self.wire.line, deed });
                Ok(())
            }
        }
    }

    fn gone(&mut self, why: &str) -> Result<(), String> {
        self.port = BytePort::Gone;
        self.unsent.clear();
        if self.served.is_some() && matches!(self.source, Source::Serial(_)) {
            // An adapter that was pulled out may be put in again.
            self.back(None);
        }
        Err(why.to_owned())
    }
}

fn read(
    port: &mut BytePort,
    source: &mut Source,
    cx: &mut Context<'_>,
    into: &mut [u8],
) -> Poll<io::Result<usize>> {
    if let BytePort::Opening(opening) = port {
        let Poll::Ready(opened) = opening.as_mut().poll(cx) else { return Poll::Pending };
        *port = opened;
    }
    let mut buffer = ReadBuf::new(into);
    let read = match (port, source) {
        (BytePort::Own, Source::Pty(pty)) => Pin::new(&mut pty.nameless).poll_read(cx, &mut buffer),
        (BytePort::Serial(port), _) => Pin::new(port).poll_read(cx, &mut buffer),
        (BytePort::Stdio(_, port), _) => Pin::new(port).poll_read(cx, &mut buffer),
        (BytePort::Ours(port, _), _) => Pin::new(port).poll_read(cx, &mut buffer),
        (BytePort::Tcp(port), _) => Pin::new(port).poll_read(cx, &mut buffer),
        (BytePort::Own | BytePort::Opening(_) | BytePort::Gone, _) => Poll::Pending,
    };
    read.map_ok(|()| buffer.filled().len())
}

fn write(
    port: &mut BytePort,
    source: &mut Source,
    cx: &mut Context<'_>,
    bytes: &[u8],
) -> Poll<io::Result<usize>> {
    match (port, source) {
        (BytePort::Own, Source::Pty(pty)) => Pin::new(&mut pty.nameless).poll_write(cx, bytes),
        (BytePort::Serial(port), _) => Pin::new(port).poll_write(cx, bytes),
        (BytePort::Stdio(port, _), _) => Pin::new(port).poll_write(cx, bytes),
        // It is written in the background as soon as it is taken.
        (BytePort::Ours(_, port), _) => Pin::new(port).poll_write(cx, bytes),
        (BytePort::Tcp(port), _) => Pin::new(port).poll_write(cx, bytes),
        (BytePort::Opening(_), _) => Poll::Pending,
        // What an operator has to do was asked before.
        (BytePort::Own | BytePort::Gone, _) => Poll::Ready(Ok(bytes.len())),
    }
}
