//! Asynchronous code that nobody here wrote, in the seat of a listener: it accepts connections and reads and writes
//! them as on any network, and everything that passes lies between it and the bench's own link.
//!
//! In its seat on the bench sits a test head. What reaches the head is handed to the code, and what the code writes the
//! head sends. When the head loses its power every task of the code ends where it is, and its connections stay as they
//! are, half-open; when power comes back the code is started anew.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::future::{Future, poll_fn};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::task::LocalSet;

use crate::drive::Hands;
use crate::fault::Way;
use crate::machine::{Close, Closing, Port, Torn};
use crate::tabletop::{Family, Tabletop};
use crate::tape::{LineId, SeatId, Seen};

/// The most bytes that a guest may write before the link has taken them.
const UNSENT_MAX: usize = 64 * 1024;

/// A guest at work.
pub type Working = Pin<Box<dyn Future<Output = Result<(), String>>>>;

/// Code that can be started in a listener's seat, as often as its power comes back.
pub trait Guest: 'static {
    /// Starts it with the doors through which connections come to it, one an address, in the order of the addresses.
    fn start(&self, doors: Vec<Door>) -> Working;

    /// Its power is gone: what it has stored but not synced reads as `torn` says.
    fn crash(&self, torn: Torn);
}

/// A guest and its seat.
pub struct Seated<F: Family> {
    /// The seat, in which a test head sits.
    pub seat: SeatId,
    /// The guest.
    pub guest: Rc<dyn Guest>,
    /// How the head is told what to do.
    pub hands: Hands<F>,
}

impl<F: Family> Clone for Seated<F> {
    fn clone(&self) -> Self {
        Self { seat: self.seat, guest: Rc::clone(&self.guest), hands: self.hands }
    }
}

/// Where connections come in.
pub struct Door {
    address: SocketAddrV4,
    queue: Rc<RefCell<Queue>>,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<(Stream, SocketAddr)>,
    waker: Option<Waker>,
}

impl Door {
    /// The next connection, and who made it.
    pub async fn accept(&mut self) -> (Stream, SocketAddr) {
        poll_fn(|cx| {
            let mut queue = self.queue.borrow_mut();
            match queue.waiting.pop_front() {
                Some(came) => Poll::Ready(came),
                None => {
                    queue.waker = Some(cx.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }

    /// The address at which connections come in.
    pub fn address(&self) -> SocketAddrV4 {
        self.address
    }
}

/// A guest's end of a connection. Dropping it closes the connection.
pub struct Stream(SharedPipe);

type SharedPipe = Rc<RefCell<Pipe>>;

#[derive(Default)]
struct Pipe {
    /// What has come for the guest.
    came: VecDeque<u8>,
    /// Nothing more comes, or an error does.
    ended: Option<Closing>,
    /// What the guest has written.
    written: Vec<u8>,
    /// The guest writes nothing more.
    shut: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
    /// Who carries the bytes on.
    carrier: Option<Waker>,
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut pipe = self.0.borrow_mut();
        if pipe.came.is_empty() {
            return match pipe.ended {
                None => {
                    pipe.reader = Some(cx.waker().clone());
                    Poll::Pending
                }
                Some(Closing::Fin) => Poll::Ready(Ok(())),
                Some(Closing::TimedOut) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
                Some(Closing::Reset | Closing::Refused) => {
                    Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()))
                }
            };
        }
        let len = into.remaining().min(pipe.came.len());
        for byte in pipe.came.drain(..len) {
            into.put_slice(&[byte]);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut pipe = self.0.borrow_mut();
        if pipe.shut || pipe.ended.is_some() {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let len = bytes.len().min(UNSENT_MAX.saturating_sub(pipe.written.len()));
        if len == 0 && !bytes.is_empty() {
            pipe.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        pipe.written.extend_from_slice(&bytes[..len]);
        pipe.wake_carrier();
        Poll::Ready(Ok(len))
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut pipe = self.0.borrow_mut();
        pipe.shut = true;
        pipe.wake_carrier();
        Poll::Ready(Ok(()))
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let mut pipe = self.0.borrow_mut();
        pipe.shut = true;
        pipe.wake_carrier();
    }
}

impl Pipe {
    fn wake_carrier(&mut self) {
        self.carrier.take().into_iter().for_each(Waker::wake);
    }

    fn wake_reader(&mut self) {
        self.reader.take().into_iter().for_each(Waker::wake);
    }
}

/// A guest on its site.
pub(super) struct Hosted<F: Family> {
    /// Its seat on the site.
    seat: SeatId,
    guest: Rc<dyn Guest>,
    hands: Hands<F>,
    /// Whether it has been started since power came.
    begun: bool,
    /// Its tasks, unless it has come to its end.
    work: Option<Work>,
    doors: Vec<(SocketAddrV4, Rc<RefCell<Queue>>)>,
    pipes: BTreeMap<(LineId, u16), (Port, SharedPipe)>,
    /// The next entry of the site's tape that it has not seen.
    cursor: u64,
}

struct Work {
    tasks: LocalSet,
    main: Working,
}

impl Work {
    /// Lets all its tasks work as far as they get; tells why it has come to its end, if it has. A panic is an end.
    fn poll(&mut self, cx: &mut Context<'_>) -> Option<String> {
        let Self { tasks, main } = self;
        let polled = catch_unwind(AssertUnwindSafe(|| {
            let mut both = pin!(tasks.run_until(main.as_mut()));
            both.as_mut().poll(cx)
        }));
        match polled {
            Ok(Poll::Pending) => None,
            Ok(Poll::Ready(Ok(()))) => Some("it returned".to_owned()),
            Ok(Poll::Ready(Err(why))) => Some(why),
            Err(_) => Some("it panicked".to_owned()),
        }
    }
}

impl<F: Family> Hosted<F> {
    pub(super) fn new(seat: SeatId, seated: Seated<F>) -> Self {
        let Seated { guest, hands, .. } = seated;
        Self {
            seat,
            guest,
            hands,
            begun: false,
            work: None,
            doors: Vec::new(),
            pipes: BTreeMap::new(),
            cursor: 0,
        }
    }

    /// Ends every task where it is and forgets every connection, without a word to anybody.
    pub(super) fn stop(&mut self, torn: Torn) {
        for (_, pipe) in std::mem::take(&mut self.pipes).into_values() {
            pipe.borrow_mut().carrier = None;
        }
        self.doors.clear();
        self.work = None;
        self.begun = false;
        self.guest.crash(torn);
    }

    fn start(&mut self, bench: &Tabletop<F>) {
        let addresses = bench.addresses();
        self.doors = addresses.into_iter().map(|address| (address, Rc::default())).collect();
        let doors =
            self.doors.iter().map(|(address, queue)| Door { address: *address, queue: Rc::clone(queue) });
        let main = self.guest.start(doors.collect());
        self.begun = true;
        self.work = Some(Work { tasks: LocalSet::new(), main });
    }

    /// Takes in what the head has met with since, in order; whether there is anything for the guest to do.
    pub(super) fn observe(&mut self, bench: &Tabletop<F>) -> bool {
        let mut any = false;
        let on = bench.is_on(self.seat);
        if on && !self.begun {
            any = true;
            self.start(bench);
        }
        if !on && self.begun {
            self.stop(bench.torn(self.seat));
        }
        for entry in bench.tape().since(self.cursor) {
            self.cursor = entry.ordinal + 1;
            any = true;
            match &entry.what {
                Seen::Opened { line, way, conn } if self.is_at(bench, *line, *way) => {
                    self.opened(bench, *line, *way, *conn);
                }
                Seen::Heard { line, way, conn, bytes } if self.is_at(bench, *line, *way) => {
                    if let Some((_, pipe)) = self.pipes.get(&(*line, *conn)) {
                        let mut pipe = pipe.borrow_mut();
                        pipe.came.extend(bytes);
                        pipe.wake_reader();
                    }
                }
                Seen::Closed { line, way, conn, why } if self.is_at(bench, *line, *way) => {
                    if let Some((_, pipe)) = self.pipes.remove(&(*line, *conn)) {
                        let mut pipe = pipe.borrow_mut();
                        pipe.ended = Some(*why);
                        pipe.wake_reader();
                        pipe.writer.take().into_iter().for_each(Waker::wake);
                    }
                }
                _ => {}
            }
        }
        any
    }

    fn is_at(&self, bench: &Tabletop<F>, line: LineId, way: Way) -> bool {
        bench.ends(line)[way.back().index()] == Some(self.seat)
    }

    fn opened(&mut self, bench: &Tabletop<F>, line: LineId, way: Way, conn: u16) {
        let (Some(address), Some(port)) = (bench.listens(line), bench.port_of(line, way, conn)) else {
            return;
        };
        let Some((_, queue)) = self.doors.iter().find(|(known, _)| *known == address) else { return };
        // Where nothing is at work any more, the stack answers.
        let pipe = Rc::new(RefCell::new(Pipe { shut: self.work.is_none(), ..Pipe::default() }));
        self.pipes.insert((line, conn), (port, Rc::clone(&pipe)));
        // The peer's address tells no more than a carrier's gateway does: which link it is, and which connection.
        let from =
            SocketAddrV4::new(Ipv4Addr::new(100, 64, (line.0 >> 8) as u8, (line.0 & 0xFF) as u8), conn);
        let mut queue = queue.borrow_mut();
        queue.waiting.push_back((Stream(pipe), SocketAddr::V4(from)));
        queue.waker.take().into_iter().for_each(Waker::wake);
    }

    /// Lets the guest work as far as it gets, and has the head send what it wrote. A guest that comes to its end by
    /// itself leaves its connections to the stack, which resets them; the tape tells of it.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, bench: &mut Tabletop<F>) {
        if let Some(why) = self.work.as_mut().and_then(|work| work.poll(cx)) {
            self.work = None;
            bench.remark(format!("what is under test in the listener's seat has come to its end: {why}"));
            self.pipes.values().for_each(|(_, pipe)| pipe.borrow_mut().shut = true);
        }
        let how = if self.work.is_some() { Close::Fin } else { Close::Reset };
        let mut over = Vec::new();
        for (name, (port, pipe)) in &self.pipes {
            let mut pipe = pipe.borrow_mut();
            pipe.carrier = Some(cx.waker().clone());
            if !pipe.written.is_empty() {
                let bytes = std::mem::take(&mut pipe.written);
                pipe.writer.take().into_iter().for_each(Waker::wake);
                bench.stimulate(self.seat, (self.hands.send)(*port, bytes));
            }
            if pipe.shut {
                over.push(*name);
                bench.stimulate(self.seat, (self.hands.close)(*port, how));
            }
        }
        for name in over {
            self.pipes.remove(&name);
        }
    }
}
