//! Packet paths that lead to real sockets: each with a port of its own, or several peers at one.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::task::{Context, Poll};

use rustix::net::RecvFlags;
use tokio::io::ReadBuf;
use tokio::net::UdpSocket;

use super::{Came, Deed, Limits, Wire};

/// The longest datagram.
const LEN_MAX: usize = 65_536;

/// How many datagrams are taken at once.
const BATCH: usize = 256;

/// How many unread datagrams are forgotten at most: more than any system keeps, and an end to a flood.
const FORGOTTEN_MAX: usize = 65_536;

/// Packet paths at their sockets.
pub(crate) struct PacketsOutlet {
    wires: Vec<Wire>,
    sockets: Sockets,
    buffer: Vec<u8>,
}

enum Sockets {
    /// A socket for each path, and the one address that all go to.
    Each(Vec<UdpSocket>, SocketAddr),
    /// One socket, and who is at the far end of each path: whom it has last heard, and when.
    Shared { socket: UdpSocket, peers: Vec<Option<(SocketAddr, u64)>>, clock: u64 },
}

impl PacketsOutlet {
    /// Each path from a port of its own.
    pub(crate) fn each(wires: Vec<Wire>, sockets: Vec<UdpSocket>, to: SocketAddr) -> Self {
        Self { wires, sockets: Sockets::Each(sockets, to), buffer: vec![0; LEN_MAX] }
    }

    /// All paths at one port. Whoever comes takes the path that was silent for longest.
    pub(crate) fn shared(wires: Vec<Wire>, socket: UdpSocket) -> Self {
        let peers = vec![None; wires.len()];
        let sockets = Sockets::Shared { socket, peers, clock: 0 };
        Self { wires, sockets, buffer: vec![0; LEN_MAX] }
    }

    pub(crate) fn wires(&self) -> &[Wire] {
        &self.wires
    }

    /// Sends what has reached a head.
    ///
    /// Why: what the network does not take is lost, as packets are.
    pub(crate) fn send(&self, wire: usize, bytes: &[u8]) {
        match &self.sockets {
            Sockets::Each(sockets, to) => {
                let _ = sockets.get(wire).map(|socket| socket.try_send_to(bytes, *to));
            }
            Sockets::Shared { socket, peers, .. } => {
                if let Some(Some((peer, _))) = peers.get(wire) {
                    let _ = socket.try_send_to(bytes, *peer);
                }
            }
        }
    }

    /// Forgets what has come and was not read.
    pub(crate) fn forget(&mut self) {
        let sockets = match &self.sockets {
            Sockets::Each(sockets, _) => sockets.as_slice(),
            Sockets::Shared { socket, .. } => std::slice::from_ref(socket),
        };
        for socket in sockets {
            let more = || rustix::net::recv(socket, &mut *self.buffer, RecvFlags::DONTWAIT).is_ok();
            std::iter::repeat_with(more).take(FORGOTTEN_MAX).take_while(|more| *more).for_each(drop);
        }
    }

    /// Takes what has come. An error of the network is as good as nothing: nobody was there.
    pub(crate) fn poll_receive(&mut self, cx: &mut Context<'_>, limits: &Limits, came: &mut VecDeque<Came>) {
        let Self { wires, sockets, buffer } = self;
        match sockets {
            Sockets::Each(sockets, to) => {
                for (socket, wire) in sockets.iter().zip(wires.iter()) {
                    let mut take = |from: SocketAddr, bytes: &[u8]| {
                        if from == *to {
                            came.push_back(wire.came(Deed::Send(wire.first, bytes.to_vec())));
                        }
                    };
                    poll_socket(cx, socket, buffer, limits, &mut take);
                }
            }
            Sockets::Shared { socket, peers, clock } => {
                let mut take = |from: SocketAddr, bytes: &[u8]| {
                    *clock += 1;
                    let known = peers.iter().position(|peer| peer.is_some_and(|(peer, _)| peer == from));
                    let oldest = (0..peers.len()).min_by_key(|at| peers[*at].map(|(_, heard)| heard));
                    let Some(at) = known.or(oldest) else { return };
                    peers[at] = Some((from, *clock));
                    let wire = wires[at];
                    came.push_back(wire.came(Deed::Send(wire.first, bytes.to_vec())));
                };
                poll_socket(cx, socket, buffer, limits, &mut take);
            }
        }
    }
}

fn poll_socket(
    cx: &mut Context<'_>,
    socket: &UdpSocket,
    buffer: &mut [u8],
    limits: &Limits,
    take: &mut dyn FnMut(SocketAddr, &[u8]),
) {
    let mut room = limits.read_max;
    for _ in 0..BATCH {
        let mut into = ReadBuf::new(buffer);
        match socket.poll_recv_from(cx, &mut into) {
            Poll::Pending => return,
            // An answer that nobody listens: the next may be a datagram.
            Poll::Ready(Err(_)) => {}
            Poll::Ready(Ok(from)) => {
                let bytes = into.filled();
                room = room.saturating_sub(bytes.len().max(1));
                take(from, bytes);
            }
        }
        if room == 0 {
            break;
        }
    }
    cx.waker().wake_by_ref();
}

#[cfg(test)]
mod tests {
    use assay_sim::fault::Way;
    use assay_sim::machine::Port;
    use assay_sim::tape::{LineId, SeatId};

    use super::*;

    const LIMITS: Limits = Limits { read_max: 4_096, unsent_max: 4_096 };

    #[tokio::test]
    async fn what_was_said_before_the_power_came_is_not_heard() {
        let wire = Wire { line: LineId(0), way: Way::AtoB, seat: SeatId(0), first: Port(0), ports: 1 };
        let ours = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let to = ours.local_addr().unwrap();
        let mut outlet = PacketsOutlet::shared(vec![wire], ours);
        let party = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        party.send_to(b"old", to).await.unwrap();
        party.send_to(b"old too", to).await.unwrap();
        outlet.forget();
        party.send_to(b"new", to).await.unwrap();
        let mut came = VecDeque::new();
        std::future::poll_fn(|cx| {
            outlet.poll_receive(cx, &LIMITS, &mut came);
            if came.is_empty() { Poll::Pending } else { Poll::Ready(()) }
        })
        .await;
        assert_eq!(came, [wire.came(Deed::Send(Port(0), b"new".to_vec()))]);
    }
}
