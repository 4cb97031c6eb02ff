//! What one family of modules adds to the engine.

use crate::digest::Digest;
use crate::modem::config::Latency;
use crate::modem::core::Core;
use crate::modem::line::Command;
use crate::modem::reply::Final;
use crate::modem::socket::{SendResult, SocketEvent};
use crate::time::Span;

/// What ends the data that a host gives at a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataEnd {
    /// So many bytes, whatever they are.
    ///
    /// Source: MDM-A6.
    Count(usize),
    /// Control-Z, which sends, or escape, which discards. No more than so many bytes are kept.
    ///
    /// Source: MDM-A6.
    ControlZ(usize),
    /// So many bytes, or a control-Z or escape before that.
    CountOrControlZ(usize),
}

/// What became of one command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Done; the line goes on, and ends in `OK`.
    Done,
    /// Done, and the final words are already in the answer.
    Said,
    /// Not done; the line ends here.
    Failed(Final),
    /// This dialect has no such command.
    Unknown,
    /// Data shall follow.
    Prompt {
        /// For which connection.
        id: usize,
        /// What ends it.
        until: DataEnd,
        /// Whether the prompt is shown.
        shown: bool,
    },
    /// So much data shall follow, for the dialect itself, within a time; the answer so far is said before it.
    Download {
        /// How much.
        ///
        /// Units: bytes.
        len: usize,
        /// How long it is waited for.
        limit: Span,
    },
    /// Done; the module then switches itself off.
    SwitchOff,
    /// Done; the module then starts anew.
    Restart,
    /// The line becomes a data line of this connection.
    Online {
        /// Which.
        id: usize,
    },
}

/// What a module makes of a data line whose host is no longer ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LettingGo {
    /// Nothing.
    Ignored,
    /// It takes commands again, and the connection stays.
    Escapes,
    /// It takes commands again, and the connection is closed.
    HangsUp,
}

/// What one family of modules adds to the engine: its commands, and its words for what happens to a connection.
pub trait Dialect: Clone {
    /// What may differ between two modules of the family.
    type Config: Clone;

    /// The dialect as it is after a start.
    fn new(config: Self::Config) -> Self;

    /// Forgets every setting, as a start does.
    fn restart(&mut self);

    /// How long a command takes.
    fn latency(&self, core: &Core, command: &Command<'_>) -> Latency;

    /// Carries out a command. Information lines go to [`Core::info`].
    fn execute(&mut self, core: &mut Core, command: &Command<'_>) -> Verdict;

    /// Says what happened to a connection.
    fn socket_event(&mut self, core: &mut Core, id: usize, event: SocketEvent<'_>);

    /// Puts the result of a send into the answer.
    fn send_result(&mut self, core: &mut Core, id: usize, result: SendResult);

    /// The data of a send is on its way. Whether the answer is complete already; otherwise the line waits for the
    /// other end's acknowledgement.
    fn handed_over(&mut self, _core: &mut Core, _id: usize, _len: usize) -> bool {
        false
    }

    /// What a [`Verdict::Download`] asked for, or as much of it as came in time.
    fn downloaded(&mut self, _data: Vec<u8>) {}

    /// The module starts: settings that were stored are in force again.
    fn recall(&mut self, _core: &mut Core) {}

    /// The host is ready for the module, or is not and lets it sleep.
    fn ready(&mut self, _core: &Core, _is_ready: bool) -> LettingGo {
        LettingGo::Ignored
    }

    /// The other end of a connection has shown that it is there, or the connection is gone.
    fn heard_from(&mut self, _core: &Core, _id: usize) {}

    /// Whether the module can read a host that sends at this speed; nor can the host read the module otherwise.
    fn reads(&self, _baud: u32) -> bool {
        true
    }

    /// How many of the bytes that the host begins to send now the module does not hear.
    fn deaf_to(&mut self, _core: &Core, _len: usize) -> usize {
        0
    }

    /// What was planned with [`Core::work_at`] is due.
    fn work(&mut self, _core: &mut Core) {}

    /// The supply is so many millivolts now. Whether the module gives up.
    fn supply(&mut self, _core: &mut Core, _millivolts: u16) -> bool {
        false
    }

    /// What the module says when it is switched off in order.
    fn farewell(&self) -> Option<&'static str> {
        None
    }

    /// Says that the packet context is gone.
    fn pdp_lost(&mut self, core: &mut Core);

    /// Whether a planned unsolicited line is switched off at the moment.
    fn is_muted(&self, text: &str) -> bool;

    /// Adds the dialect's settings.
    fn digest(&self, into: &mut Digest);
}
