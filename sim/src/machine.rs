//! The contract between a machine and whatever moves bytes and time for it.
//!
//! A machine is told the time, given one input, and asked what it wants. It has no clock, no I/O and no randomness
//! of its own, and it holds no handle to anything that it does not own, so a clone is a fork of the whole state.
//!
//! The drain rule: hand in **one** input; call [`Machine::poll_output`] until it returns `None`; then read
//! [`Machine::poll_timeout`]. Only then may the next input come.

use std::net::SocketAddrV4;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::time::{Instant, Now};

/// One of a machine's connections to the outside: a UART, a pin, a connection, a datagram peer, an antenna.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Port(pub u16);

impl Port {
    /// The reserved port that reaches every peer of a datagram link at once.
    pub const BROADCAST: Self = Self(u16::MAX);
}

/// Why a connection ended, as the machine's own stack can know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Closing {
    /// The peer closed in good order.
    Fin,
    /// The peer, or something on the way, reset the connection.
    Reset,
    /// Nobody listens there.
    Refused,
    /// No answer within the stack's own patience.
    TimedOut,
}

/// How a machine ends a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Close {
    /// In good order, after what was sent.
    Fin,
    /// At once.
    Reset,
}

/// What happens to a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input<'a, S> {
    /// Power came, or the process was started.
    PowerOn,
    /// The time that [`Machine::poll_timeout`] asked for has come.
    Deadline,
    /// Bytes arrived: a piece of a stream, one datagram, one burst on a line, one burst on the air.
    Received {
        /// Where.
        port: Port,
        /// What.
        bytes: &'a [u8],
    },
    /// A connection stands: the machine's own (`from` is `None`), or one that a peer opened.
    Opened {
        /// The port that names the connection from now on.
        port: Port,
        /// The peer's address, if the peer opened it.
        from: Option<SocketAddrV4>,
    },
    /// A connection is gone.
    Closed {
        /// Which.
        port: Port,
        /// Why.
        why: Closing,
    },
    /// This many more bytes were acknowledged by the other end's stack.
    Acked {
        /// On which connection.
        port: Port,
        /// How many.
        len: usize,
    },
    /// A pin changed.
    Level {
        /// Which.
        port: Port,
        /// To what.
        high: bool,
    },
    /// What a person, a till or a sensor does.
    Stimulus(S),
}

impl<'a, S> Input<'a, S> {
    /// The same for a party that takes other stimuli; nothing if it is one.
    pub(crate) fn without_stimulus<T>(self) -> Option<Input<'a, T>> {
        Some(match self {
            Self::PowerOn => Input::PowerOn,
            Self::Deadline => Input::Deadline,
            Self::Received { port, bytes } => Input::Received { port, bytes },
            Self::Opened { port, from } => Input::Opened { port, from },
            Self::Closed { port, why } => Input::Closed { port, why },
            Self::Acked { port, len } => Input::Acked { port, len },
            Self::Level { port, high } => Input::Level { port, high },
            Self::Stimulus(_) => return None,
        })
    }
}

/// What a machine wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output<E> {
    /// Send bytes. None at all, over a connection, is a probe of TCP's keep-alive, which a living peer answers with an
    /// [`Input::Acked`] of no bytes.
    Transmit {
        /// Where.
        port: Port,
        /// What.
        bytes: Vec<u8>,
    },
    /// Open a connection.
    Open {
        /// The port that shall name it.
        port: Port,
        /// To whom.
        to: SocketAddrV4,
    },
    /// End a connection.
    Close {
        /// Which.
        port: Port,
        /// How.
        how: Close,
    },
    /// Set a pin.
    Level {
        /// Which.
        port: Port,
        /// To what.
        high: bool,
    },
    /// Something that an observer may note. It is what the machine says of itself.
    Event(E),
}

/// An output and the time at which it leaves: now, or later when the firmware ran ahead on its storage bus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamped<T> {
    /// When it leaves.
    pub at: Instant,
    /// What leaves.
    pub what: T,
}

impl<E> Stamped<Output<E>> {
    /// The same with its event, if it is one, in another form.
    pub fn map_event<F>(self, form: impl FnOnce(E) -> F) -> Stamped<Output<F>> {
        let what = match self.what {
            Output::Transmit { port, bytes } => Output::Transmit { port, bytes },
            Output::Open { port, to } => Output::Open { port, to },
            Output::Close { port, how } => Output::Close { port, how },
            Output::Level { port, high } => Output::Level { port, high },
            Output::Event(event) => Output::Event(form(event)),
        };
        Stamped { at: self.at, what }
    }
}

/// A party, or a part of one, as a plain state machine.
pub trait Machine: Clone {
    /// What a person, a till or a sensor does to it.
    type Stimulus;
    /// What an observer may note.
    type Event;

    /// Takes one input. All that follows from it is ready in [`Machine::poll_output`] afterwards.
    fn handle_input(&mut self, now: Now, input: Input<'_, Self::Stimulus>);

    /// The next thing to do; `None` when drained. Stamps never go back.
    fn poll_output(&mut self) -> Option<Stamped<Output<Self::Event>>>;

    /// When the machine wants [`Input::Deadline`], if nothing else comes before.
    fn poll_timeout(&self) -> Option<Instant>;

    /// Until when the machine is occupied by what it has already been given; input waits until then.
    fn busy_until(&self) -> Option<Instant> {
        None
    }

    /// Adds the full state, times as differences from now.
    fn digest(&self, now: Instant, into: &mut Digest);
}

/// How a write that a power cut overtook reads afterwards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Torn {
    /// As before the write.
    Old,
    /// As the write meant it.
    New,
    /// Neither: a mixture that is none of both.
    #[default]
    Neither,
}

impl Torn {
    /// Every outcome, in the order in which exploration tries them.
    pub const ALL: [Self; 3] = [Self::Old, Self::New, Self::Neither];

    /// One byte of a torn write.
    ///
    /// Why: *neither* must differ from both and must not depend on a draw, so that a plan says all.
    pub const fn byte(self, old: u8, new: u8) -> u8 {
        match self {
            Self::Old => old,
            Self::New => new,
            Self::Neither => {
                let mixed = (old & 0xAA) | (new & 0x55);
                if mixed != old && mixed != new {
                    mixed
                } else if old ^ 0x5A != new {
                    old ^ 0x5A
                } else {
                    old ^ 0xA5
                }
            }
        }
    }
}

/// A durable step that a board's storage went through while its firmware ran ahead.
///
/// Each is a place where a power cut can strike, named by what is written and not by when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreStep {
    /// When it happens, at or after now.
    pub at: Instant,
    /// The kind of step: `eeprom-byte`, `eeprom-stop`, `eeprom-cycle`, `journal-append`, `journal-sync`,
    /// `journal-synced`, `card-block`.
    pub kind: &'static str,
    /// Which cell, block or record kind.
    pub address: u16,
}

/// A machine that can lose its power: it owns what survives and builds the rest anew at power-on.
pub trait Board: Machine {
    /// Power goes at `at`, which is never before the last input: everything volatile is dropped, everything stored
    /// that was under way at `at` reads as `torn` says.
    fn cut(&mut self, at: Instant, torn: Torn);

    /// Whether there is power.
    fn is_on(&self) -> bool;

    /// The next durable step of the last input, in order of time; `None` when drained.
    fn poll_step(&mut self) -> Option<StoreStep>;

    /// The name of the timer behind [`Machine::poll_timeout`], so that a fault can be planned at it.
    fn timer_name(&self) -> Option<&'static str> {
        None
    }

    /// Every deadline that is set, in any order; [`Machine::poll_timeout`] is the first of them.
    fn each_deadline(&self, tell: &mut dyn FnMut(Instant)) {
        self.poll_timeout().into_iter().for_each(tell);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_is_never_old_nor_new() {
        for old in 0..=u8::MAX {
            for new in 0..=u8::MAX {
                let torn = Torn::Neither.byte(old, new);
                assert!(torn != old && torn != new, "{old:02x} {new:02x} {torn:02x}");
            }
        }
    }
}
