//! Data from a host: after a prompt, for a service of the module, and on a data line, and the ways out of that.

use super::core::{Activity, ESCAPE, FLUSH, SEND};
use super::dialect::{DataEnd, Dialect, LettingGo};
use super::engine::Modem;
use super::line;
use super::port::UART;
use super::reply::Final;
use super::socket::{SendResult, SocketEvent, SocketState};
use crate::machine::Close;

impl<D: Dialect> Modem<D> {
    /// Takes data up to its end, and returns what comes after it.
    pub(super) fn collect<'a>(&mut self, id: usize, until: DataEnd, bytes: &'a [u8]) -> &'a [u8] {
        let core = &mut self.core;
        let ends = |byte: &u8| matches!(*byte, line::CONTROL_Z | line::ESC);
        let (used, kept, end) = match until {
            DataEnd::Count(len) => {
                let used = bytes.len().min(len - core.collected.len());
                (used, used, (core.collected.len() + used == len).then_some(line::CONTROL_Z))
            }
            DataEnd::CountOrControlZ(len) if !bytes.iter().take(len - core.collected.len()).any(ends) => {
                let used = bytes.len().min(len - core.collected.len());
                (used, used, (core.collected.len() + used == len).then_some(line::CONTROL_Z))
            }
            DataEnd::ControlZ(max) | DataEnd::CountOrControlZ(max) => {
                let end = bytes.iter().position(ends);
                let kept = end.unwrap_or(bytes.len()).min(max - core.collected.len());
                (end.map_or(bytes.len(), |end| end + 1), kept, end.map(|end| bytes[end]))
            }
        };
        core.collected.extend_from_slice(&bytes[..kept]);
        if core.echo {
            core.transmit(UART, bytes[..used].to_vec());
        }
        match end {
            Some(line::ESC) if core.sockets[id].state == SocketState::Connected => core.finish(Final::Ok),
            Some(_) => self.hand_over(id),
            None => {}
        }
        &bytes[used..]
    }

    /// Takes data that is not for a connection, and returns what comes after it.
    pub(super) fn download<'a>(&mut self, len: usize, bytes: &'a [u8]) -> &'a [u8] {
        let core = &mut self.core;
        let (taken, rest) = bytes.split_at(bytes.len().min(len - core.collected.len()));
        core.collected.extend_from_slice(taken);
        if core.echo {
            core.transmit(UART, taken.to_vec());
        }
        if core.collected.len() == len {
            self.downloaded();
        }
        rest
    }

    pub(super) fn downloaded(&mut self) {
        self.core.timers.stop(SEND);
        let data = std::mem::take(&mut self.core.collected);
        self.dialect.downloaded(data);
        self.core.finish(Final::Ok);
    }

    /// Sends the data of a prompt.
    fn hand_over(&mut self, id: usize) {
        let core = &mut self.core;
        core.activity = Activity::Sending { id };
        if core.sockets[id].state != SocketState::Connected {
            core.speak();
            return self.sent(id, SendResult::Closed);
        }
        let data = std::mem::take(&mut core.collected);
        let len = data.len();
        core.send(id, data);
        core.timers.set(SEND, core.now + core.config.send_limit);
        core.speak();
        if self.dialect.handed_over(core, id, len) {
            core.timers.stop(SEND);
            core.conclude();
        } else if len == 0 {
            // Nobody acknowledges nothing.
            self.sent(id, SendResult::Acked);
        }
    }

    pub(super) fn sent(&mut self, id: usize, result: SendResult) {
        self.core.timers.stop(SEND);
        self.dialect.send_result(&mut self.core, id, result);
        self.core.conclude();
    }

    pub(super) fn pass_down(&mut self, bytes: &[u8]) {
        let core = &mut self.core;
        let Activity::Online(escape) = &mut core.activity else { return };
        escape.push(bytes, core.now, &core.config);
        self.pump();
    }

    /// Sends on what the data line has ready, and sets its timers.
    pub(super) fn pump(&mut self) {
        let core = &mut self.core;
        let Activity::Online(escape) = &mut core.activity else { return };
        let id = escape.id();
        let ready = escape.take_ready();
        for (timer, due) in [(ESCAPE, escape.escape_due()), (FLUSH, escape.flush_due())] {
            match due {
                Some(at) => core.timers.set(timer, at),
                None => core.timers.stop(timer),
            }
        }
        for piece in ready {
            core.send(id, piece);
        }
    }

    pub(super) fn escape_deadline(&mut self) {
        let core = &mut self.core;
        let Activity::Online(escape) = &mut core.activity else { return };
        if escape.is_escaped() {
            self.escape();
        } else {
            escape.abandon();
            self.pump();
        }
    }

    /// Goes back to commands; the connection stays.
    fn escape(&mut self) {
        let core = &mut self.core;
        let Activity::Online(escape) = &mut core.activity else { return };
        // What came before it is still data.
        escape.flush();
        let ready = escape.take_ready();
        let escape = escape.clone();
        for piece in ready {
            core.send(escape.id(), piece);
        }
        core.leave_online();
        core.suspended = Some(escape);
        core.form.result(Final::Ok, &mut core.answer);
        core.conclude();
    }

    /// The host is ready for the module while DTR is low, and lets go of it when it is high.
    pub(super) fn ready(&mut self, is_ready: bool) {
        let id = match &self.core.activity {
            Activity::Online(escape) => Some(escape.id()),
            _ => None,
        };
        match (self.dialect.ready(&self.core, is_ready), id) {
            (LettingGo::Escapes, Some(_)) => self.escape(),
            (LettingGo::HangsUp, Some(id)) => {
                self.core.close(id, Close::Fin);
                self.dialect.socket_event(&mut self.core, id, SocketEvent::Closed);
            }
            _ => {}
        }
    }
}
