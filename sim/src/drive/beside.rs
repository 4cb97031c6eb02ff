//! What stands beside a bench and takes part at its pace: parties that are none of the suite's, each behind a test
//! head.

use std::net::SocketAddrV4;
use std::task::{Context, Poll};

use super::RealClock;
use crate::machine::{Close, Port};
use crate::tabletop::{Family, Tabletop};
use crate::time::Span;

/// How a family's test head is told what to do.
pub struct Hands<F: Family> {
    /// To send bytes.
    pub send: fn(Port, Vec<u8>) -> F::Stimulus,
    /// To open a connection.
    pub open: fn(Port, SocketAddrV4) -> F::Stimulus,
    /// To end a connection.
    pub close: fn(Port, Close) -> F::Stimulus,
    /// To set a pin.
    pub level: fn(Port, bool) -> F::Stimulus,
}

impl<F: Family> Clone for Hands<F> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<F: Family> Copy for Hands<F> {}

/// Something beside a bench in real time.
pub trait Beside<F: Family> {
    /// Learns how bench time and the real clock are tied, once, before anything happens.
    fn tie(&mut self, _clock: RealClock) {}

    /// Learns that the bench will wait for so long unless something comes in, and may be ready when that is over: a
    /// runtime's own timers are only good to the millisecond.
    fn wake_after(&mut self, _span: Span) {}

    /// Sees the bench after each thing that it has done, where it does several before anybody looks.
    fn glance(&mut self, _bench: &Tabletop<F>) {}

    /// Takes in what the bench has done since it was last asked.
    fn observe(&mut self, bench: &mut Tabletop<F>);

    /// Sends what waits to be sent, and is ready once there is something to hand in; otherwise asks to be woken.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()>;

    /// Hands it in, now that bench time is what it ought to be.
    fn hand_in(&mut self, bench: &mut Tabletop<F>);
}

/// Nothing.
impl<F: Family> Beside<F> for () {
    fn observe(&mut self, _bench: &mut Tabletop<F>) {}

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }

    fn hand_in(&mut self, _bench: &mut Tabletop<F>) {}
}
