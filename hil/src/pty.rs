//! Pseudo-terminals: a serial line between two programs on one computer.

use thiserror::Error;
use tokio_serial::SerialStream;

/// How a pseudo-terminal is set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PtyConfig {
    /// The speed that a program is told when it asks. A pseudo-terminal has none of its own: the bench's link paces
    /// what crosses it.
    ///
    /// Units: bits a second.
    pub baud: u32,
    /// Whether no other program may open the end that has a path.
    pub exclusive: bool,
}

/// Both ends of a pseudo-terminal, in raw mode.
#[derive(Debug)]
pub struct Pty {
    /// The end that has a path, so that another program could open it.
    pub named: SerialStream,
    /// The other end.
    pub nameless: SerialStream,
    /// The path of the named end.
    pub path: String,
}

/// A pseudo-terminal that could not be had as wished.
#[derive(Debug, Error)]
pub enum PtyError {
    /// This computer has no pseudo-terminals.
    #[error("this operating system has no pseudo-terminals")]
    NotHere,
    /// None could be opened.
    #[error("no pseudo-terminal could be opened: {0}")]
    Open(tokio_serial::Error),
    /// The speed could not be set.
    #[error("the speed of {path} could not be set to {baud}: {source}")]
    Baud {
        /// The named end.
        path: String,
        /// The speed.
        baud: u32,
        /// Why.
        source: tokio_serial::Error,
    },
    /// The lock could not be had.
    #[error("{path} could not be locked: {source}")]
    Lock {
        /// The named end.
        path: String,
        /// Why.
        source: tokio_serial::Error,
    },
}

impl Pty {
    /// Opens a pseudo-terminal. It has to be called within a tokio runtime.
    #[cfg(unix)]
    pub fn open(config: &PtyConfig) -> Result<Self, PtyError> {
        use tokio_serial::SerialPort;

        let (nameless, mut named) = SerialStream::pair().map_err(PtyError::Open)?;
        let path = named.name().unwrap_or_default();
        let PtyConfig { baud, exclusive } = *config;
        // On Apple's systems a pseudo-terminal refuses every speed.
        if cfg!(not(target_vendor = "apple")) {
            named.set_baud_rate(baud).map_err(|source| PtyError::Baud {
                path: path.clone(),
                baud,
                source,
            })?;
        }
        // Only this end: the other one's lock would be shared with every pseudo-terminal on the computer.
        named.set_exclusive(exclusive).map_err(|source| PtyError::Lock { path: path.clone(), source })?;
        Ok(Self { named, nameless, path })
    }

    /// Opens a pseudo-terminal.
    ///
    /// Errors: always [`PtyError::NotHere`].
    #[cfg(not(unix))]
    pub fn open(_: &PtyConfig) -> Result<Self, PtyError> {
        Err(PtyError::NotHere)
    }
}

/// A pseudo-terminal whose named end is for somebody else.
pub(crate) struct Lent {
    /// The rig's end.
    pub(crate) nameless: SerialStream,
    /// Where the other end is opened.
    pub(crate) path: String,
    /// Keeps that end in being while nobody has it open.
    named: Kept,
}

impl Lent {
    /// What was said to a host that has gone is not for the next one.
    #[cfg(unix)]
    pub(crate) fn forget_unheard(&self) {
        use rustix::termios::{QueueSelector, tcflush};

        // Nobody is there who could be told that it failed.
        let _ = tcflush(&self.named, QueueSelector::IFlush);
    }

    /// There is nothing to forget.
    #[cfg(not(unix))]
    pub(crate) fn forget_unheard(&self) {
        let () = self.named;
    }
}

#[cfg(unix)]
type Kept = std::os::fd::OwnedFd;
#[cfg(not(unix))]
type Kept = ();

impl Pty {
    /// Lends the named end without any lock on it, as many serial libraries take one of their own.
    ///
    /// Errors: a sentence.
    #[cfg(unix)]
    pub(crate) fn lent(self) -> Result<Lent, String> {
        use rustix::fs::{Mode, OFlags, open};

        let Self { named: lent, nameless, path } = self;
        let kept = open(&path, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty());
        let named = kept.map_err(|error| format!("{path} could not be kept open: {error}"))?;
        drop(lent);
        Ok(Lent { nameless, path, named })
    }

    /// Lends nothing.
    ///
    /// Errors: always, as there are no pseudo-terminals.
    #[cfg(not(unix))]
    pub(crate) fn lent(self) -> Result<Lent, String> {
        Err(PtyError::NotHere.to_string())
    }
}
