//! What the network does to a module: to its connections, its registration and its packet context.

use super::core::Activity;
use super::dialect::Dialect;
use super::engine::Modem;
use super::port::net_id;
use super::socket::{SendResult, SocketEvent, SocketState};
use crate::machine::{Close, Port};

impl<D: Dialect> Modem<D> {
    pub(super) fn network(&mut self, port: Port, event: SocketEvent<'_>) {
        let Some(id) = net_id(port) else { return };
        let state = self.core.sockets[id].state;
        self.dialect.heard_from(&self.core, id);
        match (event, state) {
            (SocketEvent::Opened, SocketState::Connecting) => {
                self.core.link(id, SocketState::Connected);
                self.dialect.socket_event(&mut self.core, id, event);
            }
            (SocketEvent::Closed, SocketState::Connecting) => {
                self.core.link(id, SocketState::Closed);
                self.dialect.socket_event(&mut self.core, id, SocketEvent::Refused);
            }
            (SocketEvent::Closed, SocketState::Connected) => {
                self.core.link(id, SocketState::Closed);
                match self.core.activity {
                    // The send result says it.
                    Activity::Prompt { id: sender, .. } if sender == id => {}
                    Activity::Sending { id: sender } if sender == id => self.sent(id, SendResult::Closed),
                    _ => self.dialect.socket_event(&mut self.core, id, event),
                }
            }
            (SocketEvent::Received(_), SocketState::Connected) => {
                self.dialect.socket_event(&mut self.core, id, event);
            }
            _ => {}
        }
    }

    pub(super) fn acked(&mut self, port: Port, len: usize) {
        let Some(id) = net_id(port) else { return };
        self.dialect.heard_from(&self.core, id);
        let socket = &mut self.core.sockets[id];
        socket.unacked = socket.unacked.saturating_sub(len);
        if socket.unacked == 0 && self.core.activity == (Activity::Sending { id }) {
            self.sent(id, SendResult::Acked);
        }
    }

    pub(super) fn registration(&mut self, stat: u8) {
        let core = &mut self.core;
        if !core.power.is_running() || core.radio.stat == stat {
            return;
        }
        core.radio.stat = stat;
        if core.radio.says_changes {
            core.say(format!("+CREG: {stat}").as_bytes());
        }
        if !core.radio.is_registered() && core.radio.attached {
            core.radio.attached = false;
            self.pdp_lost();
        }
    }

    pub(super) fn pdp_lost(&mut self) {
        if !self.core.radio.active {
            return;
        }
        self.core.radio.active = false;
        self.core.close_all(Close::Reset);
        self.core.leave_online();
        self.dialect.pdp_lost(&mut self.core);
        self.core.speak();
        if let Activity::Sending { id } = self.core.activity {
            self.sent(id, SendResult::Failed);
        }
    }
}
