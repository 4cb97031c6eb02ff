//! Notifications: verified, booked once, answered exactly and only when that is durable.

use super::books::Standing;
use super::event::ClientEvent;
use super::firmware::{Deed, Firmware, Lent};
use super::policy::Repeats;
use super::requests::{notified, receipt};
use crate::machine::{Close, Output, Port};
use crate::payments::http::Request;
use crate::payments::http1::{Scan, encode_response, scan_request};

impl Firmware {
    pub(super) fn hear_notice(&mut self, lent: &mut Lent<'_>, port: Port, bytes: &[u8]) {
        let Some(held) = self.notices.get_mut(&port) else { return };
        held.extend_from_slice(bytes);
        match scan_request(held) {
            Scan::NeedMore => {}
            Scan::Junk => {
                self.notices.remove(&port);
                self.emit(lent.now.mono, Output::Close { port, how: Close::Reset });
            }
            Scan::Whole(request, _) => {
                self.notices.insert(port, Vec::new());
                self.take_notice(lent, port, &request);
            }
        }
    }

    fn take_notice(&mut self, lent: &mut Lent<'_>, port: Port, request: &Request) {
        let books = &self.books;
        let amount = |order: super::books::Try| {
            books.attempt(order).and_then(|_| books.sale(order.0)).map(|sale| sale.amount)
        };
        let Some(order) = notified(lent.setup, request, amount) else {
            self.note(lent.now.mono, ClientEvent::Disbelieved);
            let bytes = encode_response(&receipt(lent.setup, false));
            return self.plan(lent.now.mono, Deed::Receipt(port, bytes));
        };
        let known = self.books.attempt(order).map(|one| one.standing);
        if known != Some(Standing::Paid) || lent.setup.policy.repeats == Repeats::BookedAgain {
            self.paid(lent, order);
        }
        let at = Self::durable(lent, lent.setup.policy.notice_commit);
        let bytes = encode_response(&receipt(lent.setup, true));
        self.plan(at, Deed::Receipt(port, bytes));
    }
}
