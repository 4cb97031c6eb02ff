//! Notifications: verified, booked once, answered exactly and only when that is durable.

use super::books::Standing;
use super::event::ClientEvent;
use super::firmware::{Deed, Firmware, Lent};
use super::policy::{Receipt, Repeats};
use super::requests::notified;
use crate::machine::{Close, Output, Port};
use crate::payments::http::Response;
use crate::payments::http1::{Scan, encode_response, scan_request};
use crate::payments::wechat_v2::xml;

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
                self.take_notice(lent, port, &request.body);
            }
        }
    }

    fn take_notice(&mut self, lent: &mut Lent<'_>, port: Port, body: &[u8]) {
        let books = &self.books;
        let amount = |order: super::books::Try| {
            books.attempt(order).and_then(|_| books.sale(order.0)).map(|sale| sale.amount)
        };
        let Some(order) = notified(lent.setup, body, amount) else {
            self.note(lent.now.mono, ClientEvent::Disbelieved);
            let bytes = document("FAIL", "not believed");
            return self.plan(lent.now.mono, Deed::Receipt(port, bytes));
        };
        let known = self.books.attempt(order).map(|one| one.standing);
        if known != Some(Standing::Paid) || lent.setup.policy.repeats == Repeats::BookedAgain {
            self.paid(lent, order);
        }
        let at = Self::durable(lent, lent.setup.policy.notice_commit);
        let bytes = match lent.setup.policy.receipt {
            Receipt::Exact => document("SUCCESS", "OK"),
            Receipt::OtherPlatforms => encode_response(&Response::new(200, "text/plain", "success")),
            Receipt::Empty => encode_response(&Response::new(200, "text/plain", "")),
            Receipt::Fail => document("FAIL", "later"),
        };
        self.plan(at, Deed::Receipt(port, bytes));
    }
}

fn document(code: &str, words: &str) -> Vec<u8> {
    let fields = [("return_code", code), ("return_msg", words)];
    let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned()));
    encode_response(&Response::new(200, "text/xml; charset=utf-8", xml::render(&fields)))
}
