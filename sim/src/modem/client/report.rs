//! What a client says to its firmware.

use thiserror::Error;

/// Why the connection is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DownWhy {
    /// The other end, or the network, ended it.
    Closed,
    /// The packet context is gone.
    PdpLost,
    /// A send failed.
    SendFailed,
    /// The module did not answer in time.
    Silent,
    /// The module restarted.
    Rebooted,
    /// The module delivers data that it does not announce: it has lost its settings.
    Unannounced,
    /// The firmware asked for a new one.
    Requested,
}

/// Why a message was not sent, as far as the client knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendFailure {
    /// The module refused it or could not deliver it.
    Refused,
    /// The module did not answer in time; the message may have gone out.
    TimedOut,
    /// The connection was lost first; the message may have gone out if it was the first that waited.
    LinkLost,
}

/// Why a message cannot be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NotReady {
    /// There is no connection.
    #[error("there is no connection")]
    Down,
    /// As many messages wait as may.
    #[error("as many messages wait as may")]
    Full,
    /// No message is that long, or empty.
    #[error("a message has 1 to {max} bytes")]
    WrongLength {
        /// The longest.
        max: usize,
    },
}

/// What a client wants, or has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientOutput {
    /// Send these bytes to the module.
    Transmit(Vec<u8>),
    /// Set the power key: low holds it.
    PowerKey(bool),
    /// Set the reset pin: low resets.
    Reset(bool),
    /// The connection stands.
    Up,
    /// The connection is gone. The failures of all messages that waited came before.
    Down {
        /// Why.
        why: DownWhy,
    },
    /// The first message that waited was delivered to the other end's stack.
    Sent,
    /// The first message that waited was not, as far as the client knows.
    SendFailed {
        /// Why.
        why: SendFailure,
    },
    /// Data arrived. It may be part of a message, or several.
    Data(Vec<u8>),
    /// Reception, as the module tells it: 0 to 31, or 99 when unknown.
    Signal(u8),
    /// One way of getting on was given up at this command; another follows.
    GaveUp {
        /// The command.
        step: &'static str,
    },
}
