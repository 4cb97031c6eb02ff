//! Links: what lies between two parties, as machines with the same verbs as the parties.
//!
//! A link is given what one end sends together with the fate planned for it, and is polled for what arrives at the
//! other. It knows the time it is told and nothing else; its latencies come from its own named stream. The same
//! links stand in front of simulated parties, of sockets and of real serial ports.

mod air;
mod datagram;
mod half;
mod pending;
mod pin;
mod serial;
mod stream;

use crate::digest::Digest;
use crate::fault::{Fate, LinkKind, Way};
use crate::machine::{Close, Closing};
use crate::seed::Stream as Draws;
use crate::time::{Instant, Span};

use pending::Pending;

pub use air::{Air, AirTiming};
pub use datagram::Datagram;
pub use half::{Incoming, StreamHalf};
pub use pin::Pin;
pub use serial::{Serial, SerialConfig};
pub use stream::{Stream, StreamConfig};

/// What arrives at an end of a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// Bytes: a burst, a datagram, a piece of a stream.
    Bytes(Vec<u8>),
    /// The connection stands.
    Opened,
    /// The connection is gone.
    Closed(Closing),
    /// The far stack has acknowledged this many bytes.
    Acked(usize),
    /// The line has this level.
    Level(bool),
    /// For a socket alone: the party has lost its power and knows nothing of the connection any more.
    Abandoned,
}

impl Arrival {
    /// Adds it all.
    pub(crate) fn digest(&self, into: &mut Digest) {
        match self {
            Self::Bytes(bytes) => into.word(0).bytes(bytes),
            Self::Opened => into.word(1),
            Self::Closed(why) => into.word(2).word(*why as u64),
            Self::Acked(len) => into.word(3).word(*len as u64),
            Self::Level(high) => into.word(4).flag(*high),
            Self::Abandoned => into.word(5),
        };
    }
}

/// Something that arrives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// When.
    pub at: Instant,
    /// The way that it goes: it arrives at that way's far end.
    pub way: Way,
    /// On which connection of the link; 0 where there are none.
    pub conn: u16,
    /// What.
    pub what: Arrival,
}

/// Something that was lost under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// What would have arrived.
    pub delivery: Delivery,
    /// When it was sent.
    pub start: Instant,
    /// What it descends from.
    pub origin: u32,
}

/// A link of any kind.
#[derive(Clone, Debug)]
pub enum Link {
    /// Packets.
    Datagram(Box<Datagram>),
    /// TCP connections.
    Stream(Box<Stream>),
    /// The near half of a path for TCP connections that leads out of the bench.
    StreamHalf(Box<StreamHalf>),
    /// A UART line.
    Serial(Box<Serial>),
    /// A digital line.
    Pin(Box<Pin>),
    /// Card and antenna.
    Air(Box<Air>),
}

impl Link {
    /// Its kind.
    pub const fn kind(&self) -> LinkKind {
        match self {
            Self::Datagram(_) => LinkKind::Datagram,
            Self::Stream(_) | Self::StreamHalf(_) => LinkKind::Stream,
            Self::Serial(_) => LinkKind::Serial,
            Self::Pin(_) => LinkKind::Pin,
            Self::Air(_) => LinkKind::Air,
        }
    }

    /// Takes one transmission from the near end of `way` and the fate planned for it. A pin carries no bytes and
    /// ignores them.
    pub fn handle_bytes(&mut self, now: Instant, way: Way, conn: u16, bytes: Vec<u8>, fate: Option<&Fate>) {
        match self {
            Self::Datagram(link) => link.handle_bytes(now, way, bytes, fate),
            Self::Stream(link) => link.handle_bytes(now, way, conn, bytes, fate),
            Self::StreamHalf(link) => link.handle_bytes(now, way, conn, bytes, fate),
            Self::Serial(link) => link.handle_bytes(now, way, bytes, fate),
            Self::Air(link) => link.handle_bytes(now, way, bytes, fate),
            Self::Pin(_) => {}
        }
    }

    /// Takes a change of level from the near end of `way`; for pins and for a reader's field.
    pub fn handle_level(&mut self, now: Instant, way: Way, high: bool, fate: Option<&Fate>) {
        match self {
            Self::Pin(link) => link.handle_level(now, way, high, fate),
            Self::Air(link) => link.handle_level(now, way, high),
            Self::Datagram(_) | Self::Stream(_) | Self::StreamHalf(_) | Self::Serial(_) => {}
        }
    }

    /// Opens a connection from end A; for streams.
    pub fn handle_open(&mut self, now: Instant, conn: u16, listening: bool, fate: Option<&Fate>) {
        match self {
            Self::Stream(link) => link.handle_open(now, conn, listening, fate),
            Self::StreamHalf(link) => link.handle_open(now, conn, listening, fate),
            Self::Datagram(_) | Self::Serial(_) | Self::Pin(_) | Self::Air(_) => {}
        }
    }

    /// A request for a connection from end A that waits for [`Self::handle_answer`]; for streams.
    pub fn handle_asked(&mut self, now: Instant, conn: u16) {
        if let Self::Stream(link) = self {
            link.handle_asked(now, conn);
        }
    }

    /// The answer to a request that waits for it; for streams.
    pub fn handle_answer(&mut self, now: Instant, conn: u16, accepts: bool) {
        if let Self::Stream(link) = self {
            link.handle_answer(now, conn, accepts);
        }
    }

    /// The near end's stack asks whether the other one is still there, as TCP's keep-alive does; for streams. An answer
    /// is an [`Arrival::Acked`] of no bytes.
    pub fn handle_keep_alive(&mut self, now: Instant, way: Way, conn: u16) {
        match self {
            Self::Stream(link) => link.handle_keep_alive(now, way, conn),
            Self::StreamHalf(link) => link.handle_keep_alive(now, conn),
            Self::Datagram(_) | Self::Serial(_) | Self::Pin(_) | Self::Air(_) => {}
        }
    }

    /// Closes a connection from the near end of `way`; for streams.
    pub fn handle_close(&mut self, now: Instant, way: Way, conn: u16, how: Close, fate: Option<&Fate>) {
        match self {
            Self::Stream(link) => link.handle_close(now, way, conn, how, fate),
            Self::StreamHalf(link) => link.handle_close(now, way, conn, how, fate),
            Self::Datagram(_) | Self::Serial(_) | Self::Pin(_) | Self::Air(_) => {}
        }
    }

    /// The party at the near end of `way` has lost its power. What had left it goes on, as far as it had got; what
    /// arrives at it while it is dead is for the bench to drop.
    pub fn handle_end_lost(&mut self, now: Instant, way: Way) {
        match self {
            Self::Datagram(_) => {}
            Self::Stream(link) => link.handle_end_lost(now, way),
            Self::StreamHalf(link) => link.handle_end_lost(now),
            Self::Serial(link) => link.handle_end_lost(now, way),
            Self::Pin(link) => link.handle_end_lost(now, way),
            Self::Air(link) => link.handle_end_lost(now, way),
        }
    }

    /// The party at the near end of `way` has its power back.
    pub fn handle_end_back(&mut self, now: Instant, way: Way) {
        match self {
            Self::Stream(link) => link.handle_end_back(now, way),
            Self::StreamHalf(link) => link.handle_end_back(),
            Self::Serial(link) => link.handle_end_back(now, way),
            Self::Pin(link) => link.handle_end_back(now, way),
            Self::Datagram(_) | Self::Air(_) => {}
        }
    }

    /// The whole link is out of order for `span`. Packets, bursts on a line and on the air are lost meanwhile; a
    /// stream holds its bytes, and a pin stays as it is.
    pub fn handle_outage(&mut self, now: Instant, span: Span) {
        match self {
            Self::Datagram(link) => link.handle_outage(now, span),
            Self::Stream(link) => link.handle_outage(now, span),
            Self::StreamHalf(link) => link.handle_outage(now, span),
            Self::Serial(link) => link.handle_outage(now, span),
            Self::Pin(link) => link.handle_outage(now, span),
            Self::Air(link) => link.handle_outage(now, span),
        }
    }

    /// Whether what comes in from outside at `now` is still there.
    pub(crate) fn admits(&self, now: Instant) -> bool {
        match self {
            Self::Datagram(link) => link.admits(now),
            Self::Stream(_) | Self::StreamHalf(_) | Self::Serial(_) | Self::Pin(_) | Self::Air(_) => true,
        }
    }

    /// A card enters the reader's field; for the air.
    pub fn handle_card(&mut self, now: Instant) {
        if let Self::Air(link) = self {
            link.handle_card(now);
        }
    }

    /// The listener has no port left for this connection, the oldest of all: both ends are told of a reset.
    pub fn handle_evicted(&mut self, now: Instant, conn: u16) {
        match self {
            Self::Stream(link) => link.handle_evicted(now, conn),
            Self::StreamHalf(link) => link.handle_evicted(now, conn),
            Self::Datagram(_) | Self::Serial(_) | Self::Pin(_) | Self::Air(_) => {}
        }
    }

    /// How long a request for a connection is on its way once the listener has come back; for half a path.
    pub fn reach(&self, conn: u16) -> Span {
        if let Self::StreamHalf(link) = self { link.reach(conn) } else { Span::ZERO }
    }

    /// Takes what the socket of a connection tells; for half a path.
    pub fn handle_incoming(&mut self, now: Instant, conn: u16, what: Incoming) {
        if let Self::StreamHalf(link) = self {
            link.handle_incoming(now, conn, what);
        }
    }

    /// Whether either end still knows of this connection; for streams.
    pub fn knows(&self, conn: u16) -> bool {
        match self {
            Self::Stream(link) => link.knows(conn),
            Self::StreamHalf(link) => link.knows(conn),
            Self::Datagram(_) | Self::Serial(_) | Self::Pin(_) | Self::Air(_) => false,
        }
    }

    /// Whether the near end of `way` holds this connection, or a request for it is on its way there.
    pub fn holds(&self, way: Way, conn: u16) -> bool {
        match self {
            Self::Stream(link) => link.holds(way, conn),
            Self::StreamHalf(link) => link.holds(way, conn),
            Self::Datagram(_) | Self::Serial(_) | Self::Pin(_) | Self::Air(_) => false,
        }
    }

    /// Whether the near end of `way` has been told that this connection stands, and not yet that it is gone.
    pub fn is_open(&self, way: Way, conn: u16) -> bool {
        match self {
            Self::Stream(link) => link.is_open(way, conn),
            Self::StreamHalf(link) => link.is_open(way, conn),
            Self::Datagram(_) | Self::Serial(_) | Self::Pin(_) | Self::Air(_) => false,
        }
    }

    /// Every connection goes dead and nobody is told; for streams.
    pub fn handle_half_open(&mut self, now: Instant) {
        match self {
            Self::Stream(link) => link.handle_half_open(),
            Self::StreamHalf(link) => link.handle_half_open(now),
            Self::Datagram(_) | Self::Serial(_) | Self::Pin(_) | Self::Air(_) => {}
        }
    }

    /// The next arrival that is due.
    pub fn poll_delivery(&mut self, now: Instant) -> Option<Delivery> {
        match self {
            Self::Datagram(link) => link.pending.poll(now),
            Self::Stream(link) => link.poll(now),
            Self::StreamHalf(link) => link.poll(now),
            Self::Serial(link) => link.pending.poll(now),
            Self::Pin(link) => link.poll(now),
            Self::Air(link) => link.pending.poll(now),
        }
    }

    /// What is given to the link from here on descends from this, by a number of the bench's own.
    pub fn set_origin(&mut self, origin: u32) {
        let pending = self.pending_mut();
        pending.origin = origin;
        pending.lost = Some(Vec::new());
    }

    /// What has been lost under way since [`Self::set_origin`].
    pub fn take_lost(&mut self) -> Vec<Lost> {
        self.pending_mut().lost.take().unwrap_or_default()
    }

    /// What the delivery that was polled last descends from.
    pub fn origin(&mut self) -> u32 {
        self.pending_mut().origin
    }

    fn pending_mut(&mut self) -> &mut Pending {
        match self {
            Self::Datagram(link) => &mut link.pending,
            Self::Stream(link) => &mut link.pending,
            Self::StreamHalf(link) => &mut link.pending,
            Self::Serial(link) => &mut link.pending,
            Self::Pin(link) => &mut link.pending,
            Self::Air(link) => &mut link.pending,
        }
    }

    /// When something arrives next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        match self {
            Self::Datagram(link) => link.pending.next_at(),
            Self::Stream(link) => link.pending.next_at(),
            Self::StreamHalf(link) => link.next_at(),
            Self::Serial(link) => link.pending.next_at(),
            Self::Pin(link) => link.pending.next_at(),
            Self::Air(link) => link.pending.next_at(),
        }
    }

    /// When the first of the next bytes leaves the near end of `way`.
    pub fn starts_at(&self, now: Instant, way: Way) -> Instant {
        match self {
            Self::Serial(link) => link.free_at(way).max(now),
            Self::Air(_) | Self::Datagram(_) | Self::Stream(_) | Self::StreamHalf(_) | Self::Pin(_) => now,
        }
    }

    /// When the last of the bytes given so far will have left the near end of `way`, as a line's speed says; now
    /// for links that take bytes at once.
    pub fn sent_at(&self, now: Instant, way: Way) -> Instant {
        match self {
            Self::Serial(link) => link.sent_at(way).max(now),
            Self::Air(link) => link.free_at(way).max(now),
            Self::Datagram(_) | Self::Stream(_) | Self::StreamHalf(_) | Self::Pin(_) => now,
        }
    }

    /// Adds the full state.
    pub fn digest(&self, into: &mut Digest) {
        match self {
            Self::Datagram(link) => link.digest(into),
            Self::Stream(link) => link.digest(into),
            Self::StreamHalf(link) => link.digest(into),
            Self::Serial(link) => link.digest(into),
            Self::Pin(link) => link.digest(into),
            Self::Air(link) => link.digest(into),
        }
    }
}

#[cfg(test)]
impl Link {
    /// How much is under way, and how many connections are known.
    pub(crate) fn sizes(&self) -> (usize, usize) {
        match self {
            Self::Datagram(link) => (link.pending.len(), 0),
            Self::Stream(link) => (link.pending.len(), link.conns_len()),
            Self::StreamHalf(link) => (link.pending.len(), link.conns_len()),
            Self::Serial(link) => (link.pending.len(), 0),
            Self::Pin(link) => (link.pending.len(), 0),
            Self::Air(link) => (link.pending.len(), 0),
        }
    }
}

/// What a stream of draws holds next, for a digest; nothing where the range leaves nothing to draw.
fn ahead(draws: &Draws, (low, high): (Span, Span)) -> u64 {
    if low < high { draws.clone().word() } else { 0 }
}

/// Cuts bytes in two at a place that may lie beyond their end.
fn cut_at(mut bytes: Vec<u8>, at: u32) -> (Vec<u8>, Vec<u8>) {
    let at = usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
    let rest = bytes.split_off(at);
    (bytes, rest)
}

/// Inverts one bit, counted from the first byte's highest; a bit beyond the end changes nothing.
fn flip_bit(bytes: &mut [u8], bit: u32) {
    if let Some(byte) = usize::try_from(bit / 8).ok().and_then(|at| bytes.get_mut(at)) {
        *byte ^= 0x80 >> (bit % 8);
    }
}
