//! The connection to the payment platform: lines out, lines in, and every open order once more after a break.
//!
//! Shape: `CHARGE order fen code` LF, answered by `PAID order` LF or `DECLINED order` LF. A code is in hexadecimal.
//! The platform charges an order once however often it is asked.

use super::event::ServerEvent;
use super::firmware::{Deed, Lent, Printed, Server};
use super::policy::PlatformSilence;
use super::{PLATFORM_FIRST, PLATFORM_PORTS};
use crate::machine::{Close, Output, Port};
use crate::pos::books::{BookRecord, Refusal, Sold, State};

/// The longest line that is waited for.
const LINE_MAX: usize = 80;

/// The server's side of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Link {
    /// The connection that was asked for last, and whether it stands.
    pub(super) port: Option<(Port, bool)>,
    /// The beginning of a line.
    pub(super) held: Vec<u8>,
    /// How many connections were asked for.
    pub(super) count: u16,
}

impl Server {
    /// Asks for a connection.
    pub(super) fn connect(&mut self, lent: &Lent<'_>) {
        if self.link.port.is_some() {
            return;
        }
        let port = Port(PLATFORM_FIRST.0 + self.link.count % PLATFORM_PORTS);
        self.link.count = (self.link.count + 1) % PLATFORM_PORTS;
        self.link.port = Some((port, false));
        self.emit(lent.now.mono, Output::Open { port, to: lent.setup.config.platform });
    }

    pub(super) fn platform_opened(&mut self, lent: &Lent<'_>, port: Port) {
        if self.link.port == Some((port, false)) {
            self.link.port = Some((port, true));
            for order in self.open_orders.clone() {
                self.charge(lent, order);
            }
        }
    }

    pub(super) fn platform_closed(&mut self, lent: &Lent<'_>, port: Port) {
        if self.link.port.is_some_and(|(known, _)| known == port) {
            self.link.port = None;
            self.link.held.clear();
            self.note(lent.now.mono, ServerEvent::PlatformLost);
            self.plan(lent.now.mono + lent.setup.config.reconnect, Deed::Connect);
        }
    }

    /// Asks the platform for an order, if it can be reached; otherwise as soon as it can.
    pub(super) fn charge(&mut self, lent: &Lent<'_>, order: u64) {
        let Some((port, true)) = self.link.port else { return };
        let Some(Sold::Code(_, code, amount)) = self.books.ordered(order).map(|id| &id.sold) else { return };
        let code: String = code.iter().map(|byte| format!("{byte:02X}")).collect();
        let line = format!("CHARGE {order} {} {code}\n", amount.0);
        self.transmit(lent.now.mono, port, line.into_bytes());
        if lent.setup.policy.silence == PlatformSilence::AsksAgain {
            self.plan(lent.now.mono + lent.setup.config.platform_timeout, Deed::Overdue(order, port));
        }
    }

    /// An order is not answered on the connection on which it was asked for, which may be dead without a word.
    pub(super) fn overdue(&mut self, lent: &Lent<'_>, order: u64, port: Port) {
        if self.link.port == Some((port, true)) && self.open_orders.contains(&order) {
            self.emit(lent.now.mono, Output::Close { port, how: Close::Reset });
            self.platform_closed(lent, port);
        }
    }

    pub(super) fn platform_says(&mut self, lent: &mut Lent<'_>, bytes: &[u8]) {
        for byte in bytes {
            if *byte != b'\n' {
                self.link.held.push(*byte);
                if self.link.held.len() > LINE_MAX {
                    self.link.held.clear();
                }
                continue;
            }
            let line = std::mem::take(&mut self.link.held);
            let words: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
            let number = words.get(1).and_then(|word| std::str::from_utf8(word).ok()?.parse().ok());
            match (words.first(), number) {
                (Some(&b"PAID"), Some(order)) => self.ordered(lent, order, true),
                (Some(&b"DECLINED"), Some(order)) => self.ordered(lent, order, false),
                _ => {}
            }
        }
    }

    fn ordered(&mut self, lent: &mut Lent<'_>, order: u64, paid: bool) {
        if !self.open_orders.remove(&order) {
            return;
        }
        let Some(id) = self.books.ordered(order).cloned() else { return };
        self.enter(lent, BookRecord::Answered { order, paid });
        let at = Self::durable(lent);
        // After a restart nobody knows where the device is until it asks again.
        let printed = self.devices.get(&id.device).and_then(|device| device.printed);
        if let Some(Printed { machine, .. }) = printed {
            let why = match self.books.known(&id).map(|sale| sale.state) {
                Some(State::Refused(why)) => Some(why),
                Some(State::Asked) => Some(Refusal::Declined),
                _ => None,
            };
            self.tell_end(lent, at, machine, &id, why);
        }
    }
}
