//! Packets between sites, in the packets of the simulated network.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use turmoil::net::UdpSocket;

use super::TICK;
use super::net::Exchange;
use crate::fault::Way;
use crate::link::Arrival;
use crate::tabletop::{Export, Family, Tabletop};
use crate::tape::LineId;
use crate::time::Instant;

/// The port of the first site; the sites of one host have one each.
const PORT_FIRST: u16 = 20_000;

/// The longest packet of the simulated network.
const LEN_MAX: usize = 65_536;

/// What is under way to one site. When a packet is due is known beside the network, as for connections.
#[derive(Default)]
pub(super) struct Mailbox {
    address: Cell<Option<SocketAddr>>,
    /// By the time at which each is due, and its number.
    due: RefCell<BTreeSet<Due>>,
    sent: Cell<u64>,
}

/// When a packet is due, and its number.
type Due = (Instant, u64);

/// The path, by its number in the whole layout, the way, and what goes there.
type Packet = (LineId, Way, Vec<u8>);

/// A buffer with a packet of this length in it.
type Receiving = Pin<Box<dyn Future<Output = (Vec<u8>, io::Result<usize>)>>>;

struct Socket {
    socket: Rc<UdpSocket>,
    receiving: Receiving,
}

/// One site's packets.
pub(super) struct Post {
    exchange: Rc<Exchange>,
    mailbox: Rc<Mailbox>,
    /// The number in the whole layout of each of the bench's links.
    lines: Vec<LineId>,
    /// Whether any packet path leads out of the site.
    used: bool,
    socket: Option<Socket>,
    /// What has come before it is due.
    held: BTreeMap<Due, Packet>,
}

impl Post {
    /// Of a bench; `lines` has the number in the whole layout of each of its links.
    pub(super) fn new<F: Family>(exchange: &Rc<Exchange>, lines: &[LineId], bench: &Tabletop<F>) -> Self {
        let mailbox = Rc::new(Mailbox::default());
        let paths = bench.packet_paths();
        for (line, way) in &paths {
            let key = (lines[usize::from(line.0)], way.back().index());
            exchange.mailboxes.borrow_mut().insert(key, Rc::clone(&mailbox));
        }
        Self {
            exchange: Rc::clone(exchange),
            mailbox,
            lines: lines.to_vec(),
            used: !paths.is_empty(),
            socket: None,
            held: BTreeMap::new(),
        }
    }

    /// Says where the site is.
    pub(super) fn move_in(&self, host: IpAddr, number: usize) {
        let port = u16::try_from(number).ok().and_then(|number| PORT_FIRST.checked_add(number));
        self.mailbox.address.set(port.map(|port| SocketAddr::new(host, port)));
    }

    /// Where a socket is to be bound, if one is wanted and there is none.
    pub(super) fn binding(&self) -> Option<SocketAddr> {
        let port = self.mailbox.address.get()?.port();
        (self.used && self.socket.is_none()).then(|| (Ipv4Addr::UNSPECIFIED, port).into())
    }

    /// Sends and receives over this socket.
    pub(super) fn open(&mut self, socket: UdpSocket) {
        let socket = Rc::new(socket);
        self.socket = Some(Socket { receiving: receive(&socket, vec![0; LEN_MAX]), socket });
    }

    /// What was due while nobody was there is lost.
    pub(super) fn forget_before(&mut self, now: Instant) {
        self.mailbox.due.borrow_mut().retain(|(at, _)| *at >= now);
        self.held.retain(|(at, _), _| *at >= now);
    }

    /// When the next packet is due.
    pub(super) fn next_at(&self) -> Option<Instant> {
        self.mailbox.due.borrow().first().map(|(at, _)| *at)
    }

    /// Sends what a link has let pass.
    ///
    /// Why: what the network does not take is lost, as packets are.
    pub(super) fn send(&self, now: Instant, Export { line, way, what, .. }: Export) {
        let (Arrival::Bytes(bytes), Some(socket)) = (what, &self.socket) else { return };
        let line = self.lines[usize::from(line.0)];
        let to = self.exchange.mailboxes.borrow().get(&(line, way.index())).cloned();
        let Some((to, address)) = to.and_then(|to| Some((Rc::clone(&to), to.address.get()?))) else { return };
        let (due, number) = (now + TICK, to.sent.get());
        to.sent.set(number + 1);
        let head =
            [due.as_us(), number, u64::from(line.0), way.index() as u64].map(u64::to_be_bytes).concat();
        if socket.socket.try_send_to(&[head, bytes].concat(), address).is_ok() {
            to.due.borrow_mut().insert((due, number));
        }
    }

    /// Hands over what has come and is due, and asks to be woken when more comes.
    pub(super) fn poll<F: Family>(&mut self, cx: &mut Context<'_>, bench: &mut Tabletop<F>) {
        let Some(Socket { socket, receiving }) = &mut self.socket else { return };
        while let Poll::Ready((buffer, received)) = receiving.as_mut().poll(cx) {
            let packet = received.ok().and_then(|len| opened(&buffer[..len]));
            *receiving = receive(socket, buffer);
            if let Some((key, packet)) = packet {
                // One that is no longer waited for came too late.
                if self.mailbox.due.borrow().contains(&key) {
                    self.held.insert(key, packet);
                }
            }
        }
        while let Some(first) = self.held.first_entry().filter(|first| first.key().0 <= bench.now()) {
            let (key, (line, way, bytes)) = first.remove_entry();
            self.mailbox.due.borrow_mut().remove(&key);
            if let Some(at) = self.lines.iter().position(|known| *known == line) {
                bench.import(LineId(u16::try_from(at).unwrap_or(u16::MAX)), way, bytes);
            }
        }
    }
}

fn opened(bytes: &[u8]) -> Option<(Due, Packet)> {
    let (head, rest) = bytes.split_at_checked(32)?;
    let word = |at: usize| head[at * 8..][..8].iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
    let way = Way::BOTH.into_iter().find(|way| way.index() as u64 == word(3))?;
    let line = LineId(u16::try_from(word(2)).ok()?);
    Some(((Instant::from_us(word(0)), word(1)), (line, way, rest.to_vec())))
}

fn receive(socket: &Rc<UdpSocket>, mut buffer: Vec<u8>) -> Receiving {
    let socket = Rc::clone(socket);
    Box::pin(async move {
        let received = socket.recv_from(&mut buffer).await.map(|(len, _)| len);
        (buffer, received)
    })
}
