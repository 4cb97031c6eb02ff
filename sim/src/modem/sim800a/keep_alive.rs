//! TCP's keep-alive: after a silence, the other end is asked whether it is still there.
//!
//! Source: MDM-A2.

use super::{Job, Sim800aDialect};
use crate::machine::Close;
use crate::modem::core::Core;
use crate::modem::dialect::Dialect;
use crate::modem::socket::{SocketEvent, SocketState};
use crate::time::Span;

impl Sim800aDialect {
    /// A connection stands: its silences are watched from now on, if `AT+CIPTKA` says so.
    pub(super) fn watch(&mut self, core: &mut Core, id: usize) {
        self.jobs.retain(|(_, job)| !matches!(job, Job::KeepAlive(other, _) if *other == id));
        self.heard_on[id] = core.now();
        let due = core.now() + self.keep_alive_times().0;
        self.at(core, due, Job::KeepAlive(id, 0));
    }

    /// A connection that has been silent, or was when so many probes were sent.
    pub(super) fn keep_alive(&mut self, core: &mut Core, id: usize, probes: usize) {
        if core.sockets[id].state != SocketState::Connected || !self.settings.is_on("+CIPTKA") {
            return;
        }
        let (idle, between, most) = self.keep_alive_times();
        let silence = core.now().since(self.heard_on[id]);
        if silence < if probes == 0 { idle } else { between } {
            let due = self.heard_on[id] + idle;
            self.at(core, due, Job::KeepAlive(id, 0));
        } else if probes < most {
            core.probe(id);
            let due = core.now() + between;
            self.at(core, due, Job::KeepAlive(id, probes + 1));
        } else {
            let is_sending = core.is_sending(id);
            core.close(id, Close::Reset);
            // Otherwise the result of the send says it.
            if !is_sending {
                self.socket_event(core, id, SocketEvent::Closed);
            }
        }
    }

    /// The silence before the first probe, the time between probes, and how many there are.
    fn keep_alive_times(&self) -> (Span, Span, usize) {
        let values = self.settings.all("+CIPTKA");
        (Span::s(values[1] as u64), Span::s(values[2] as u64), values[3])
    }
}
