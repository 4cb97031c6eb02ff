//! Paths for connections that lead to real sockets: the rig opens them, or the real party does.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use assay_sim::machine::{Close, Closing, Port};
use assay_sim::tabletop::{Family, Request, Tabletop};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

use super::{Came, Deed, Limits, Wire};
use crate::serve::Reach;

/// How soon a connection that was refused is asked for again.
const RETRY: Duration = Duration::from_millis(20);

/// How long somebody is called who neither answers nor refuses: longer than any module waits.
const PATIENCE: Duration = Duration::from_secs(200);

/// How many connections may wait to be led to the bench.
const WAITING_MAX: usize = 64;

/// How many connections that nobody has looked at are forgotten at most: more than any system lets wait.
const FORGOTTEN_MAX: usize = 4_096;

type Dialing = Pin<Box<dyn Future<Output = io::Result<TcpStream>>>>;

/// Paths for connections at their sockets.
pub(crate) struct StreamsOutlet {
    wires: Vec<Wire>,
    side: Side,
    conns: Vec<Conn>,
    /// Connections that the bench has asked for and that do not stand there yet.
    asked: Vec<Asked>,
}

/// A connection that the bench has asked for.
struct Asked {
    wire: usize,
    conn: u16,
    state: Asking,
}

enum Asking {
    Dialing(Dialing),
    /// The bench has to be told what has come of it.
    Ended(Option<TcpStream>),
    /// The bench has been told that it stands, and has yet to open it.
    Granted(TcpStream),
}

enum Side {
    /// The rig goes to this address, and asks for so long.
    Dials(SocketAddr, Duration),
    /// Whoever is asked for is called first, and the bench is told whether anybody has answered.
    Reaches(Reach),
    /// The party comes here.
    Listens(TcpListener),
}

/// A connection on the bench and its socket.
struct Conn {
    wire: usize,
    port: Port,
    /// Its number on the link, once it stands there.
    conn: Option<u16>,
    socket: Socket,
    unsent: VecDeque<u8>,
    /// How it is to be closed once everything is sent.
    closing: Option<Close>,
}

enum Socket {
    Dialing(Dialing),
    Open(TcpStream),
    /// Its peer does not read: it is given up, and the bench has yet to be told.
    Clogged,
    Over,
}

impl StreamsOutlet {
    pub(crate) fn dials(wires: Vec<Wire>, to: SocketAddr, patience: Duration) -> Self {
        Self::new(wires, Side::Dials(to, patience))
    }

    pub(crate) fn reaches(wires: Vec<Wire>, reach: Reach) -> Self {
        Self::new(wires, Side::Reaches(reach))
    }

    pub(crate) fn listens(wires: Vec<Wire>, listener: TcpListener) -> Self {
        Self::new(wires, Side::Listens(listener))
    }

    fn new(wires: Vec<Wire>, side: Side) -> Self {
        Self { wires, side, conns: Vec::new(), asked: Vec::new() }
    }

    pub(crate) fn wires(&self) -> &[Wire] {
        &self.wires
    }

    /// Forgets every connection, also those that have come and were not looked at: the party has no power, and its
    /// stack is gone with it.
    pub(crate) fn drop_all(&mut self) {
        self.conns.clear();
        self.asked.clear();
        if let Side::Listens(listener) = &self.side {
            // Those of the runtime do not block.
            let more = || rustix::net::accept(listener).is_ok();
            std::iter::repeat_with(more).take(FORGOTTEN_MAX).take_while(|more| *more).for_each(drop);
        }
    }

    /// The bench asks for a connection.
    ///
    /// Errors: a sentence, if nobody is called for it.
    pub(crate) fn request(&mut self, Request { line, conn, to }: Request) -> Result<(), String> {
        let Some(wire) = self.wires.iter().position(|wire| wire.line == line) else { return Ok(()) };
        let Side::Reaches(reach) = &self.side else { return Ok(()) };
        let whom = reach.whom(to);
        let full = self.asked.len() >= WAITING_MAX;
        let state = match &whom {
            Ok(whom) if !full => Asking::Dialing(Box::pin(call(*whom))),
            _ => Asking::Ended(None),
        };
        self.asked.push(Asked { wire, conn, state });
        whom.map(drop)
    }

    /// A connection stands on the bench.
    pub(crate) fn opened(&mut self, wire: usize, port: Port, conn: u16) {
        match &self.side {
            Side::Dials(to, patience) => {
                let dialing: Dialing = Box::pin(dial(*to, *patience));
                self.conns.push(Conn {
                    wire,
                    port,
                    conn: Some(conn),
                    socket: Socket::Dialing(dialing),
                    unsent: VecDeque::new(),
                    closing: None,
                });
            }
            Side::Reaches(_) => {
                let is_it = |asked: &Asked| asked.wire == wire && asked.conn == conn;
                let Some(at) = self.asked.iter().position(is_it) else { return };
                let Asking::Granted(stream) = self.asked.swap_remove(at).state else { return };
                self.conns.push(Conn {
                    wire,
                    port,
                    conn: Some(conn),
                    socket: Socket::Open(stream),
                    unsent: VecDeque::new(),
                    closing: None,
                });
            }
            Side::Listens(_) => {
                let asked = self
                    .conns
                    .iter_mut()
                    .find(|known| known.wire == wire && known.port == port && known.conn.is_none());
                if let Some(asked) = asked {
                    asked.conn = Some(conn);
                }
            }
        }
    }

    /// Bytes have reached the head; false if too many wait already.
    pub(crate) fn send(&mut self, wire: usize, conn: u16, bytes: &[u8], limits: &Limits) -> bool {
        let Some(conn) = self.named(wire, conn) else { return true };
        if conn.unsent.len() + bytes.len() > limits.unsent_max {
            conn.socket = Socket::Clogged;
            return false;
        }
        conn.unsent.extend(bytes);
        true
    }

    /// The connection is gone on the bench.
    pub(crate) fn closed(&mut self, wire: usize, port: Option<Port>, conn: u16, why: Closing) {
        self.asked.retain(|asked| asked.wire != wire || asked.conn != conn);
        // A request that was refused has no number here, and its port may be free again.
        let asked = |known: &&mut Conn| {
            let refused = || known.conn.is_none() && port.is_none_or(|port| known.port == port);
            known.wire == wire && (known.conn == Some(conn) || refused())
        };
        let Some(known) = self.conns.iter_mut().find(asked) else { return };
        match why {
            Closing::Fin => known.closing = Some(Close::Fin),
            Closing::Reset | Closing::Refused | Closing::TimedOut => known.reset(),
        }
    }

    fn named(&mut self, wire: usize, conn: u16) -> Option<&mut Conn> {
        self.conns.iter_mut().find(|known| known.wire == wire && known.conn == Some(conn))
    }

    /// Writes and reads what can be.
    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        limits: &Limits,
        stalled: bool,
        came: &mut VecDeque<Came>,
    ) {
        // A connection that has come in is read once it has its place on the bench.
        for conn in self.conns.iter_mut().filter(|conn| !conn.is_unasked()) {
            let wire = self.wires[conn.wire];
            conn.poll(cx, wire, limits, stalled, came);
        }
        self.conns.retain(|conn| !matches!(conn.socket, Socket::Over));
    }

    /// Leads connections that have come in to the bench, and what has come of those that it asked for; whether there
    /// are any.
    pub(crate) fn poll_accept(&mut self, cx: &mut Context<'_>) -> bool {
        for asked in &mut self.asked {
            if let Asking::Dialing(dialing) = &mut asked.state
                && let Poll::Ready(dialled) = dialing.as_mut().poll(cx)
            {
                asked.state = Asking::Ended(dialled.ok());
            }
        }
        if self.asked.iter().any(|asked| matches!(asked.state, Asking::Ended(_))) {
            return true;
        }
        let Side::Listens(listener) = &self.side else { return false };
        let mut any = self.conns.iter().any(Conn::is_unasked);
        let waiting = self.conns.iter().filter(|conn| conn.conn.is_none()).count();
        for _ in waiting..WAITING_MAX {
            let Poll::Ready(Ok((stream, _))) = listener.poll_accept(cx) else { break };
            let _ = stream.set_nodelay(true);
            self.conns.push(Conn {
                wire: usize::MAX,
                port: Port(0),
                conn: None,
                socket: Socket::Open(stream),
                unsent: VecDeque::new(),
                closing: None,
            });
            any = true;
        }
        any
    }

    /// Tells the bench what has come of the connections that it asked for.
    fn answer<F: Family>(&mut self, bench: &mut Tabletop<F>) {
        let wires = &self.wires;
        self.asked.retain_mut(|asked| {
            let Asking::Ended(ended) = &mut asked.state else { return true };
            let ended = ended.take();
            let line = wires[asked.wire].line;
            if !bench.answer(line, asked.conn, ended.is_some()) {
                return false;
            }
            ended.map(|stream| asked.state = Asking::Granted(stream)).is_some()
        });
    }

    /// Has the heads open a connection for each that has come in, on the path with the fewest.
    pub(crate) fn ask<F: Family>(&mut self, bench: &mut Tabletop<F>, came: &mut VecDeque<Came>) {
        self.answer(bench);
        while let Some(at) = self.conns.iter().position(Conn::is_unasked) {
            let on = |wire: usize| self.conns.iter().filter(move |conn| conn.wire == wire);
            let Some(wire) = (0..self.wires.len()).min_by_key(|wire| on(*wire).count()) else { return };
            let Wire { line, way, first, ports, .. } = self.wires[wire];
            let free = (0..ports)
                .map(|step| Port(first.0.saturating_add(step)))
                .find(|port| on(wire).all(|conn| conn.port != *port));
            match (free, bench.listens(line)) {
                (Some(port), Some(to)) if bench.end_powered(line, way) => {
                    (self.conns[at].wire, self.conns[at].port) = (wire, port);
                    came.push_back(self.wires[wire].came(Deed::Open(port, to)));
                }
                // Nobody is there to answer, or nothing is free.
                _ => drop(self.conns.remove(at)),
            }
        }
    }
}

/// Calls somebody once.
async fn call(to: SocketAddr) -> io::Result<TcpStream> {
    let called = tokio::time::timeout(PATIENCE, TcpStream::connect(to)).await;
    let stream = called.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn dial(to: SocketAddr, patience: Duration) -> io::Result<TcpStream> {
    let asking = async {
        loop {
            match TcpStream::connect(to).await {
                Ok(stream) => {
                    stream.set_nodelay(true)?;
                    return Ok(stream);
                }
                Err(_) => tokio::time::sleep(RETRY).await,
            }
        }
    };
    let in_time = tokio::time::timeout(patience, asking).await;
    in_time.unwrap_or_else(|_| Err(io::ErrorKind::ConnectionRefused.into()))
}

impl Conn {
    fn is_unasked(&self) -> bool {
        self.wire == usize::MAX
    }

    /// Ends the socket at once, with a reset.
    fn reset(&mut self) {
        if let Socket::Open(stream) = std::mem::replace(&mut self.socket, Socket::Over) {
            let _ = stream.set_zero_linger();
        }
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        wire: Wire,
        limits: &Limits,
        stalled: bool,
        came: &mut VecDeque<Came>,
    ) {
        if matches!(self.socket, Socket::Clogged) {
            return self.end(wire, Close::Reset, came);
        }
        if let Socket::Dialing(dialing) = &mut self.socket {
            match dialing.as_mut().poll(cx) {
                Poll::Pending => {
                    // Nobody has answered, and the other side has given up.
                    if self.closing.is_some() && self.unsent.is_empty() {
                        self.socket = Socket::Over;
                    }
                    return;
                }
                Poll::Ready(Ok(stream)) => self.socket = Socket::Open(stream),
                Poll::Ready(Err(_)) => return self.end(wire, Close::Reset, came),
            }
        }
        self.poll_write(cx, wire, came);
        if !stalled {
            self.poll_read(cx, wire, limits, came);
        }
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, wire: Wire, came: &mut VecDeque<Came>) {
        while let Socket::Open(stream) = &mut self.socket
            && !self.unsent.is_empty()
        {
            match Pin::new(stream).poll_write(cx, self.unsent.as_slices().0) {
                Poll::Ready(Ok(taken @ 1..)) => drop(self.unsent.drain(..taken)),
                Poll::Ready(_) => self.end(wire, Close::Reset, came),
                Poll::Pending => return,
            }
        }
        if self.unsent.is_empty()
            && let Some(how) = self.closing.take()
        {
            match how {
                // Dropping it sends the end in good order, as all that came has been read.
                Close::Fin => self.socket = Socket::Over,
                Close::Reset => self.reset(),
            }
        }
    }

    fn poll_read(&mut self, cx: &mut Context<'_>, wire: Wire, limits: &Limits, came: &mut VecDeque<Came>) {
        let (Socket::Open(stream), Some(_)) = (&mut self.socket, self.conn) else { return };
        let mut buffer = vec![0; limits.read_max];
        let mut into = ReadBuf::new(&mut buffer);
        match Pin::new(stream).poll_read(cx, &mut into) {
            Poll::Pending => {}
            Poll::Ready(Ok(())) if into.filled().is_empty() => self.end(wire, Close::Fin, came),
            Poll::Ready(Ok(())) => {
                let len = into.filled().len();
                buffer.truncate(len);
                came.push_back(wire.came(Deed::Send(self.port, buffer)));
            }
            Poll::Ready(Err(_)) => self.end(wire, Close::Reset, came),
        }
    }

    /// The real party has ended it.
    fn end(&mut self, wire: Wire, how: Close, came: &mut VecDeque<Came>) {
        self.socket = Socket::Over;
        came.push_back(wire.came(Deed::Close(self.port, how)));
    }
}
