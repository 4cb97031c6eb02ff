//! Stream links that lead out of a bench, carried by the sockets of a network: an operating system's, or a simulated
//! one's.
//!
//! The link decides when a connection is opened, written and closed; this only does it, and tells the link what the
//! sockets say. A connection whose party has lost its power stays as it is, unread, so that the peer sees it half-open,
//! until the peer sends something to a party that has its power back: that is answered by a reset.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::net::SocketAddrV4;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::fault::Way;
use crate::link::{Arrival, Incoming};
use crate::machine::{Close, Closing};
use crate::tabletop::{Export, Family, Tabletop};
use crate::tape::LineId;
use crate::time::{Instant, Span};

/// The most bytes that are read at once.
const READ_MAX: usize = 16 * 1024;

/// Under which name both ends know a connection: the link's number in the whole layout, and the connection's on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The link.
    pub line: LineId,
    /// The connection.
    pub conn: u16,
}

/// What makes connections.
pub trait Network {
    /// A connection.
    type Socket: Socket;
    /// What connections come in on.
    type Listener;
    /// A connection being made.
    type Connecting: Future<Output = io::Result<Self::Socket>> + Unpin;

    /// Asks for a connection. Where nobody answers, the request is repeated: the first after the listener has come
    /// back gets there `reach` later.
    fn connect(&mut self, caller: Caller, to: SocketAddrV4, reach: Span) -> Self::Connecting;

    /// The next connection that comes in, and its name.
    ///
    /// Errors: whatever the network's own listener suffers.
    fn poll_accept(
        &mut self,
        cx: &mut Context<'_>,
        listener: &mut Self::Listener,
    ) -> Poll<io::Result<(Self::Socket, Caller)>>;
}

/// One connection's socket. Dropping it abandons the connection; what has been read is gone, and what has not been read
/// makes the stack answer with a reset.
///
/// A network that takes a fixed time hands over what it carries when that time is over, and so knows when that is.
pub trait Socket {
    /// When the next of what is under way is to be read: the time at which it went out and the network's own; `None`
    /// if nothing is known of it.
    fn due(&self) -> Option<Instant>;

    /// Bytes that have come; none once the peer has closed.
    ///
    /// Errors: the connection is gone.
    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>>;

    /// Takes bytes that shall be read at `due`.
    ///
    /// Errors: the connection is gone.
    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8], due: Instant) -> Poll<io::Result<usize>>;

    /// Ready once something has come, which stays unread.
    fn poll_unread(&mut self, cx: &mut Context<'_>) -> Poll<()>;

    /// How many bytes of those that went out have reached the far end's stack; asks to be woken when there are more.
    fn poll_taken(&mut self, cx: &mut Context<'_>) -> u64;

    /// Lets the connection go dead: nothing passes any more, and nobody is told but the far end's link.
    fn kill(&mut self);

    /// Whether the far end's link has let the connection go dead.
    fn is_dead(&self) -> bool;

    /// How the peer has closed, if it has.
    fn closed_by_peer(&self) -> Option<Close>;

    /// Closes the connection; the peer shall learn of it at `due`.
    fn close(self, how: Close, due: Instant);
}

/// The sockets of the links that lead out of one bench.
pub struct Sockets<N: Network> {
    network: N,
    /// How long the network takes.
    hop: Span,
    listeners: Vec<(SocketAddrV4, N::Listener)>,
    ends: Vec<End<N>>,
    /// The number in the whole layout of each of the bench's links.
    lines: Vec<LineId>,
    buffer: Vec<u8>,
}

struct End<N: Network> {
    /// The link, by its number on the bench.
    line: LineId,
    /// The way that begins at this end.
    way: Way,
    conn: u16,
    state: State<N>,
    keep: Keep,
    unsent: VecDeque<Unsent>,
    closing: Option<(Close, Instant)>,
    taken: u64,
}

struct Unsent {
    bytes: Vec<u8>,
    /// How many of them have been written.
    written: usize,
    due: Instant,
}

enum State<N: Network> {
    Connecting(N::Connecting),
    Open(N::Socket),
    Over,
}

/// How a socket is looked after.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keep {
    /// Its party has it.
    Live,
    /// Its party has lost its power.
    Abandoned,
    /// The path is dead: nothing passes, and nobody is told.
    Dead,
}

impl<N: Network> Sockets<N> {
    /// No sockets yet; `lines` has the number in the whole layout of each of the bench's links, and `hop` is how long
    /// the network takes.
    pub fn new(network: N, hop: Span, lines: Vec<LineId>) -> Self {
        let buffer = vec![0; READ_MAX];
        Self { network, hop, listeners: Vec::new(), ends: Vec::new(), lines, buffer }
    }

    /// Accepts connections to this address, too.
    pub fn listen(&mut self, address: SocketAddrV4, listener: N::Listener) {
        self.listeners.push((address, listener));
    }

    /// The addresses at which connections are accepted.
    pub fn addresses(&self) -> impl Iterator<Item = SocketAddrV4> {
        self.listeners.iter().map(|(address, _)| *address)
    }

    /// When the next of what is under way to a party with power is to be read.
    pub fn next_at(&self) -> Option<Instant> {
        let live = self.ends.iter().filter(|end| end.keep == Keep::Live);
        live.filter_map(|end| if let State::Open(socket) = &end.state { socket.due() } else { None }).min()
    }

    /// Does what one of the bench's links wants done to a socket.
    pub fn handle_export<F: Family>(&mut self, bench: &Tabletop<F>, export: Export) {
        let Export { line, way, conn, what } = export;
        let due = bench.now() + self.hop;
        if what == Arrival::Opened {
            let (Some(to), Some(name)) = (bench.listens(line), self.lines.get(usize::from(line.0))) else {
                return;
            };
            let caller = Caller { line: *name, conn };
            let state = State::Connecting(self.network.connect(caller, to, bench.reach(line, conn)));
            self.ends.push(End::new(line, way, conn, state));
            return;
        }
        let named = |end: &&mut End<N>| end.line == line && end.conn == conn && end.keep != Keep::Dead;
        let Some(end) = self.ends.iter_mut().rev().find(named) else { return };
        match what {
            Arrival::Bytes(bytes) => end.unsent.push_back(Unsent { bytes, written: 0, due }),
            Arrival::Closed(Closing::Fin) => end.closing = Some((Close::Fin, due)),
            Arrival::Closed(Closing::Reset | Closing::Refused) => end.closing = Some((Close::Reset, due)),
            Arrival::Closed(Closing::TimedOut) => {
                end.keep = Keep::Dead;
                if let State::Open(socket) = &mut end.state {
                    socket.kill();
                }
            }
            Arrival::Abandoned => end.keep = Keep::Abandoned,
            Arrival::Opened | Arrival::Acked(_) | Arrival::Level(_) => {}
        }
        if end.keep != Keep::Live && matches!(end.state, State::Connecting(_)) {
            end.state = State::Over;
        }
    }

    /// Does what can be done without waiting, and tells the bench what has come by its time; whether there was
    /// anything. Asks to be woken when there is more.
    pub fn poll<F: Family>(&mut self, cx: &mut Context<'_>, bench: &mut Tabletop<F>) -> bool {
        let mut any = false;
        for (address, listener) in &mut self.listeners {
            // Who has no power does not answer; who asks waits.
            while bench.answers_at(*address)
                && let Poll::Ready(Ok((socket, caller))) = self.network.poll_accept(cx, listener)
            {
                let Some(at) = self.lines.iter().position(|line| *line == caller.line) else { continue };
                let line = LineId(u16::try_from(at).unwrap_or(u16::MAX));
                any = true;
                bench.import_socket(line, caller.conn, Incoming::Accepted);
                self.ends.push(End::new(line, Way::BtoA, caller.conn, State::Open(socket)));
            }
        }
        for end in &mut self.ends {
            any |= end.poll(cx, bench, &mut self.buffer);
        }
        self.ends.retain(|end| !matches!(end.state, State::Over));
        any
    }
}

impl<N: Network> End<N> {
    fn new(line: LineId, way: Way, conn: u16, state: State<N>) -> Self {
        let unsent = VecDeque::new();
        Self { line, way, conn, state, keep: Keep::Live, unsent, closing: None, taken: 0 }
    }

    fn poll<F: Family>(&mut self, cx: &mut Context<'_>, bench: &mut Tabletop<F>, buffer: &mut [u8]) -> bool {
        let mut any = false;
        if let State::Connecting(connecting) = &mut self.state {
            let Poll::Ready(connected) = Pin::new(connecting).poll(cx) else { return false };
            let what = if connected.is_ok() { Incoming::Connected } else { Incoming::Refused };
            self.state = connected.map_or(State::Over, State::Open);
            bench.import_socket(self.line, self.conn, what);
            any = true;
        }
        let State::Open(socket) = &mut self.state else { return any };
        if self.keep == Keep::Dead {
            return any;
        }
        while let Some(Unsent { bytes, written, due }) = self.unsent.front_mut() {
            match socket.poll_write(cx, &bytes[*written..], *due) {
                Poll::Ready(Ok(taken)) if taken > 0 => *written += taken,
                Poll::Ready(_) => *written = bytes.len(),
                Poll::Pending => break,
            }
            if *written == bytes.len() {
                self.unsent.pop_front();
            }
        }
        if self.unsent.is_empty()
            && let Some((how, due)) = self.closing.take()
        {
            if let State::Open(socket) = std::mem::replace(&mut self.state, State::Over) {
                socket.close(how, due);
            }
            return any;
        }
        match self.keep {
            // Nobody reads for a party that has just lost its power.
            Keep::Live if bench.end_powered(self.line, self.way) => any | self.poll_live(cx, bench, buffer),
            Keep::Abandoned
                if bench.end_powered(self.line, self.way) && socket.poll_unread(cx).is_ready() =>
            {
                self.state = State::Over;
                any
            }
            Keep::Live | Keep::Abandoned | Keep::Dead => any,
        }
    }

    fn poll_live<F: Family>(
        &mut self,
        cx: &mut Context<'_>,
        bench: &mut Tabletop<F>,
        buffer: &mut [u8],
    ) -> bool {
        let State::Open(socket) = &mut self.state else { return false };
        let (line, conn) = (self.line, self.conn);
        let mut any = false;
        if socket.is_dead() {
            self.keep = Keep::Dead;
            bench.import_socket(line, conn, Incoming::Dead);
            return true;
        }
        let taken = socket.poll_taken(cx);
        if taken > self.taken {
            self.taken = taken;
            any = true;
            bench.import_socket(line, conn, Incoming::Taken(taken));
        }
        while socket.due().is_none_or(|due| due <= bench.now()) {
            let Poll::Ready(read) = socket.poll_read(cx, buffer) else { break };
            any = true;
            let what = match (read, socket.closed_by_peer()) {
                (Ok(len @ 1..), _) => {
                    bench.import_socket(line, conn, Incoming::Bytes(buffer[..len].to_vec()));
                    continue;
                }
                (Ok(0), None) | (_, Some(Close::Fin)) => Incoming::Closed(Closing::Fin),
                (_, Some(Close::Reset)) => Incoming::Closed(Closing::Reset),
                (Err(_), None) => Incoming::Broken,
            };
            self.state = State::Over;
            bench.import_socket(line, conn, what);
            break;
        }
        any
    }
}
