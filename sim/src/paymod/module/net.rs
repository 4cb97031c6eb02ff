//! What carries the link: a connection of the module's own, or one that a modem keeps.

use super::config::ModuleSetup;
use super::firmware::{Firmware, Lent};
use super::port;
use crate::digest::Digest;
use crate::machine::{Close, Output, Port};
use crate::modem::client::{Client, ClientOutput};
use crate::time::Instant;

/// What carries the link.
#[derive(Clone, Debug)]
pub(super) enum Net {
    /// The module's own connections.
    Direct {
        /// How many were opened.
        opened: u16,
        /// Whether the last one is still wanted.
        wanted: bool,
    },
    /// A modem.
    Modem(Box<Client>),
}

impl Net {
    pub(super) fn new(setup: &ModuleSetup) -> Self {
        match &setup.client {
            None => Self::Direct { opened: 0, wanted: false },
            Some(config) => Self::Modem(Box::new(Client::new(config.clone(), setup.config.server))),
        }
    }

    fn port(opened: u16) -> Port {
        Port(port::LINK_FIRST.0 + opened.wrapping_sub(1) % port::LINKS)
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        match self {
            Self::Direct { .. } => None,
            Self::Modem(client) => client.poll_timeout(),
        }
    }

    pub(super) fn timer_name(&self) -> Option<&'static str> {
        match self {
            Self::Direct { .. } => None,
            Self::Modem(client) => client.timer_name(),
        }
    }

    pub(super) fn digest(&self, into: &mut Digest) {
        match self {
            Self::Direct { opened, wanted } => {
                into.word(u64::from(*opened)).flag(*wanted);
            }
            Self::Modem(client) => client.digest(into),
        }
    }
}

impl Firmware {
    pub(super) fn start_net(&mut self, lent: &Lent<'_>) {
        match &mut self.net {
            Net::Direct { .. } => self.open_net(lent),
            Net::Modem(client) => client.start(lent.now.mono),
        }
    }

    /// Opens a connection; a modem does so by itself.
    pub(super) fn open_net(&mut self, lent: &Lent<'_>) {
        if let Net::Direct { opened, wanted } = &mut self.net {
            *opened = opened.wrapping_add(1);
            *wanted = true;
            let port = Net::port(*opened);
            self.emit(lent, Output::Open { port, to: lent.setup.config.server });
        }
    }

    /// Gives a connection up.
    pub(super) fn drop_net(&mut self, lent: &Lent<'_>) {
        match &mut self.net {
            Net::Direct { opened, wanted } => {
                if std::mem::replace(wanted, false) {
                    let port = Net::port(*opened);
                    self.emit(lent, Output::Close { port, how: Close::Reset });
                }
            }
            Net::Modem(client) => client.reset_network(lent.now.mono),
        }
    }

    /// Whether a modem keeps the connection, with pauses of its own.
    pub(super) const fn has_modem(&self) -> bool {
        matches!(self.net, Net::Modem(_))
    }

    /// Sends bytes; a modem that cannot take them has lost the connection, or will say so.
    pub(super) fn send_net(&mut self, lent: &Lent<'_>, bytes: Vec<u8>) {
        match &mut self.net {
            Net::Direct { opened, .. } => {
                let port = Net::port(*opened);
                self.send(lent, port, bytes);
            }
            Net::Modem(client) => {
                // What is not taken is sent again when its answer is overdue.
                let _ = client.send(lent.now.mono, &bytes);
                self.pump_net(lent);
            }
        }
    }

    pub(super) fn net_opened(&mut self, lent: &mut Lent<'_>, port: Port) {
        if matches!(&self.net, Net::Direct { opened, wanted: true } if Net::port(*opened) == port) {
            self.link_opened(lent);
        }
    }

    pub(super) fn net_closed(&mut self, lent: &mut Lent<'_>, port: Port) {
        if let Net::Direct { opened, wanted } = &mut self.net
            && *wanted
            && Net::port(*opened) == port
        {
            *wanted = false;
            self.link_lost(lent);
        }
    }

    pub(super) fn hear_net(&mut self, lent: &mut Lent<'_>, port: Port, bytes: &[u8]) {
        if matches!(&self.net, Net::Direct { opened, wanted: true } if Net::port(*opened) == port) {
            self.hear_link(lent, bytes);
        }
    }

    pub(super) fn hear_modem(&mut self, lent: &mut Lent<'_>, bytes: &[u8]) {
        if let Net::Modem(client) = &mut self.net {
            client.handle_bytes(lent.now.mono, bytes);
        }
        self.drain_modem(lent);
    }

    pub(super) fn net_due(&mut self, lent: &mut Lent<'_>) {
        if let Net::Modem(client) = &mut self.net {
            client.handle_deadline(lent.now.mono);
        }
        self.drain_modem(lent);
    }

    /// What the client has to say to its modem.
    pub(super) fn pump_net(&mut self, lent: &Lent<'_>) {
        while let Net::Modem(client) = &mut self.net
            && let Some(output) = client.poll_output()
        {
            match output {
                ClientOutput::Transmit(bytes) => self.send(lent, port::MODEM, bytes),
                ClientOutput::PowerKey(high) => self.emit(lent, Output::Level { port: port::PWRKEY, high }),
                ClientOutput::Reset(high) => self.emit(lent, Output::Level { port: port::RESET, high }),
                other => self.heard.push_back(other),
            }
        }
    }

    /// What the client has heard from its modem.
    fn drain_modem(&mut self, lent: &mut Lent<'_>) {
        loop {
            self.pump_net(lent);
            let Some(heard) = self.heard.pop_front() else { break };
            match heard {
                ClientOutput::Up => self.link_opened(lent),
                ClientOutput::Down { .. } => self.link_lost(lent),
                ClientOutput::Data(bytes) => self.hear_link(lent, &bytes),
                _ => {}
            }
        }
    }
}
