//! The simulated network's sockets, with what a real stack tells its owner and turmoil's does not: whose connection it
//! is, how much of what was sent has reached the other stack, and whether the peer closed or reset it.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::future::{Future, poll_fn};
use std::io;
use std::net::{SocketAddr, SocketAddrV4};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use turmoil::net::{TcpListener, TcpStream};

use super::post::Mailbox;
use crate::drive::sockets::{Caller, Network, Socket};
use crate::machine::Close;
use crate::tape::LineId;
use crate::time::{Instant, Span};

/// What all sites of a world know of their connections, beside the packets.
#[derive(Default)]
pub(super) struct Exchange {
    /// By the address of whoever asked for it.
    connections: RefCell<BTreeMap<SocketAddr, Connection>>,
    /// Who waits to learn whose connection has come in.
    curious: RefCell<Vec<Waker>>,
    /// Addresses whose listener has no power, and who waits for it.
    silent: RefCell<BTreeMap<SocketAddrV4, Vec<Waker>>>,
    /// Where packets go that are sent over a path this way.
    pub(super) mailboxes: RefCell<BTreeMap<(LineId, usize), Rc<Mailbox>>>,
}

struct Connection {
    caller: Caller,
    /// What has reached the far end's stack, for what the asking end and for what the other end has sent.
    taken: [u64; 2],
    wakers: [Option<Waker>; 2],
    /// What is under way, from each end: up to which of its bytes, and when they are to be read.
    due: [VecDeque<(u64, Instant)>; 2],
    sent: [u64; 2],
    dead: bool,
    closed: [Option<(Close, Instant)>; 2],
}

impl Exchange {
    /// A listener has power now, or has not.
    pub(super) fn set_answering(&self, address: SocketAddrV4, answering: bool) {
        let mut silent = self.silent.borrow_mut();
        if answering {
            silent.remove(&address).into_iter().flatten().for_each(Waker::wake);
        } else {
            silent.entry(address).or_default();
        }
    }

    fn is_silent(&self, address: SocketAddrV4) -> bool {
        self.silent.borrow().contains_key(&address)
    }

    /// Waits until a listener has power.
    ///
    /// Why: a real stack repeats its request; turmoil's asks once.
    async fn answering(&self, address: SocketAddrV4, reach: Span) {
        if !self.is_silent(address) {
            return;
        }
        poll_fn(|cx| match self.silent.borrow_mut().get_mut(&address) {
            Some(waiting) => {
                waiting.push(cx.waker().clone());
                Poll::Pending
            }
            None => Poll::Ready(()),
        })
        .await;
        tokio::time::sleep(Duration::from_micros(reach.as_us())).await;
    }

    fn enter(&self, from: SocketAddr, caller: Caller) {
        let connection = Connection {
            caller,
            taken: [0; 2],
            wakers: [None, None],
            due: [VecDeque::new(), VecDeque::new()],
            sent: [0; 2],
            dead: false,
            closed: [None; 2],
        };
        self.connections.borrow_mut().insert(from, connection);
        self.curious.borrow_mut().drain(..).for_each(Waker::wake);
    }

    fn caller(&self, from: SocketAddr) -> Option<Caller> {
        self.connections.borrow().get(&from).map(|connection| connection.caller)
    }

    fn with<T>(&self, from: SocketAddr, work: impl FnOnce(&mut Connection) -> T) -> Option<T> {
        self.connections.borrow_mut().get_mut(&from).map(work)
    }
}

/// A site's way into the simulated network.
#[derive(Clone)]
pub(super) struct Simulated(pub(super) Rc<Exchange>);

/// A connection in the simulated network.
pub(super) struct SimulatedSocket {
    stream: TcpStream,
    exchange: Rc<Exchange>,
    /// The address of the end that asked for it.
    from: SocketAddr,
    /// This end: 0 if it asked.
    side: usize,
}

type Accepting = Pin<Box<dyn Future<Output = io::Result<(TcpStream, SocketAddr)>>>>;

/// A listener in the simulated network.
pub(super) struct SimulatedListener {
    listener: Rc<TcpListener>,
    accepting: Accepting,
    /// Connections of which it is not known yet whose they are.
    unnamed: Vec<(TcpStream, SocketAddr)>,
}

impl SimulatedListener {
    /// Listens on a port of the host on which it is called.
    ///
    /// Errors: the port is taken.
    pub(super) async fn bind(port: u16) -> io::Result<Self> {
        let listener = Rc::new(TcpListener::bind(("0.0.0.0", port)).await?);
        Ok(Self { accepting: accept(&listener), listener, unnamed: Vec::new() })
    }
}

fn accept(listener: &Rc<TcpListener>) -> Accepting {
    let listener = Rc::clone(listener);
    Box::pin(async move { listener.accept().await })
}

impl Network for Simulated {
    type Socket = SimulatedSocket;
    type Listener = SimulatedListener;
    type Connecting = Pin<Box<dyn Future<Output = io::Result<SimulatedSocket>>>>;

    fn connect(&mut self, caller: Caller, to: SocketAddrV4, reach: Span) -> Self::Connecting {
        let exchange = Rc::clone(&self.0);
        Box::pin(async move {
            loop {
                exchange.answering(to, reach).await;
                match TcpStream::connect(to).await {
                    Ok(stream) => {
                        let from = stream.local_addr()?;
                        exchange.enter(from, caller);
                        return Ok(SimulatedSocket { stream, exchange, from, side: 0 });
                    }
                    Err(error) if !exchange.is_silent(to) => return Err(error),
                    Err(_) => {}
                }
            }
        })
    }

    fn poll_accept(
        &mut self,
        cx: &mut Context<'_>,
        listener: &mut SimulatedListener,
    ) -> Poll<io::Result<(SimulatedSocket, Caller)>> {
        while let Poll::Ready(accepted) = listener.accepting.as_mut().poll(cx) {
            listener.accepting = accept(&listener.listener);
            listener.unnamed.push(accepted?);
        }
        let named = listener.unnamed.iter().position(|(_, from)| self.0.caller(*from).is_some());
        let Some(at) = named else {
            if !listener.unnamed.is_empty() {
                self.0.curious.borrow_mut().push(cx.waker().clone());
            }
            return Poll::Pending;
        };
        let (stream, from) = listener.unnamed.remove(at);
        let Some(caller) = self.0.caller(from) else { return Poll::Pending };
        let socket = SimulatedSocket { stream, exchange: Rc::clone(&self.0), from, side: 1 };
        Poll::Ready(Ok((socket, caller)))
    }
}

impl Socket for SimulatedSocket {
    fn due(&self) -> Option<Instant> {
        let far = 1 - self.side;
        let due = self.exchange.with(self.from, |connection| {
            let next = connection.due[far].front().map(|(_, due)| *due);
            next.or(connection.closed[far].map(|(_, due)| due))
        });
        due.flatten()
    }

    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        let far = 1 - self.side;
        let whole = self.exchange.with(self.from, |connection| {
            let upto = connection.due[far].front().map(|(upto, _)| upto - connection.taken[far]);
            upto.and_then(|len| usize::try_from(len).ok())
        });
        let most = whole.flatten().unwrap_or(into.len()).min(into.len());
        let mut buffer = ReadBuf::new(&mut into[..most]);
        let read = Pin::new(&mut self.stream).poll_read(cx, &mut buffer);
        let len = buffer.filled().len();
        if len > 0 {
            let waker = self.exchange.with(self.from, |connection| {
                connection.taken[far] += len as u64;
                let taken = connection.taken[far];
                connection.due[far].retain(|(upto, _)| *upto > taken);
                connection.wakers[far].take()
            });
            waker.flatten().into_iter().for_each(Waker::wake);
        }
        read.map_ok(|()| len)
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8], due: Instant) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        if let Poll::Ready(Ok(len)) = &written {
            let (side, len) = (self.side, *len as u64);
            let waker = self.exchange.with(self.from, |connection| {
                connection.sent[side] += len;
                let upto = connection.sent[side];
                connection.due[side].push_back((upto, due));
                connection.wakers[1 - side].take()
            });
            waker.flatten().into_iter().for_each(Waker::wake);
        }
        written
    }

    fn poll_unread(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut byte = [0; 1];
        self.stream.poll_peek(cx, &mut ReadBuf::new(&mut byte)).map(drop)
    }

    fn poll_taken(&mut self, cx: &mut Context<'_>) -> u64 {
        let side = self.side;
        let taken = self.exchange.with(self.from, |connection| {
            connection.wakers[side] = Some(cx.waker().clone());
            connection.taken[side]
        });
        taken.unwrap_or(0)
    }

    fn kill(&mut self) {
        let side = self.side;
        let waker = self.exchange.with(self.from, |connection| {
            connection.dead = true;
            connection.wakers[1 - side].take()
        });
        waker.flatten().into_iter().for_each(Waker::wake);
    }

    fn is_dead(&self) -> bool {
        self.exchange.with(self.from, |connection| connection.dead).unwrap_or(false)
    }

    fn closed_by_peer(&self) -> Option<Close> {
        let far = 1 - self.side;
        self.exchange.with(self.from, |connection| connection.closed[far]).flatten().map(|(how, _)| how)
    }

    fn close(self, how: Close, due: Instant) {
        let side = self.side;
        let waker = self.exchange.with(self.from, |connection| {
            connection.closed[side] = Some((how, due));
            connection.wakers[1 - side].take()
        });
        waker.flatten().into_iter().for_each(Waker::wake);
    }
}
