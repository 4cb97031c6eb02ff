//! Calls to the platform: one connection each, with a limit on the wait.

use super::books::Try;
use super::event::ClientEvent;
use super::firmware::{Deed, Firmware, Lent, call_port};
use super::policy::RefundNumber;
use super::requests::{About, Ask, Word, request, word};
use crate::machine::{Close, Output, Port};
use crate::payments::http1::{Scan, scan_response};

/// A call that is under way.
#[derive(Clone, Debug)]
pub(super) struct Flying {
    pub(super) order: Try,
    pub(super) ask: Ask,
    /// Counted over all calls.
    pub(super) call: u64,
    /// Whether the connection has stood, so that the platform may have the call.
    pub(super) opened: bool,
    /// Whether its answer is read, so that only the platform's end of the connection is awaited.
    pub(super) answered: bool,
    pub(super) held: Vec<u8>,
}

impl Firmware {
    /// Makes a call.
    pub(super) fn call(&mut self, lent: &Lent<'_>, order: Try, ask: Ask) {
        let port = call_port(self.calls);
        if self.flying.contains_key(&port) {
            // Every port is taken, and each is free again when its call's time is over.
            self.plan_ask(lent.now.mono + lent.setup.config.reconnect, order, ask);
            return;
        }
        self.calls += 1;
        let call = self.calls;
        self.flying
            .insert(port, Flying { order, ask, call, opened: false, answered: false, held: Vec::new() });
        self.emit(lent.now.mono, Output::Open { port, to: lent.setup.config.platform });
        self.plan(lent.now.mono + lent.setup.config.call_timeout, Deed::Overdue(port, call));
    }

    pub(super) fn call_opened(&mut self, lent: &Lent<'_>, port: Port) {
        let Some(flying) = self.flying.get_mut(&port) else { return };
        flying.opened = true;
        let (order, ask, call) = (flying.order, flying.ask, flying.call);
        let Some(attempt) = self.books.attempt(order) else { return };
        let live = self.live.get_mut(&order);
        let code = live.as_ref().and_then(|live| live.code.clone()).or_else(|| attempt.code.clone());
        let mut refund = format!("{}R", order.number());
        if let Some(live) = live.filter(|_| ask == Ask::Refund) {
            live.refunds += 1;
            if lent.setup.policy.refund_number == RefundNumber::Another {
                refund = format!("{refund}{}", live.refunds);
            }
        }
        let amount = self.books.sale(order.0).map(|sale| sale.amount).unwrap_or_default();
        let nonce = format!("{}n{call}", self.starts);
        let about = About { order, amount, code, refund, nonce };
        let bytes = request(lent.setup, lent.now, ask, &about);
        self.emit(lent.now.mono, Output::Transmit { port, bytes });
    }

    pub(super) fn hear_answer(&mut self, lent: &mut Lent<'_>, port: Port, bytes: &[u8]) {
        let Some(flying) = self.flying.get_mut(&port).filter(|flying| !flying.answered) else { return };
        flying.held.extend_from_slice(bytes);
        let response = match scan_response(&flying.held) {
            Scan::NeedMore => return,
            Scan::Whole(response, _) => Some(response),
            Scan::Junk => None,
        };
        let (order, ask) = (flying.order, flying.ask);
        (flying.answered, flying.held) = (true, Vec::new());
        let amount = self.books.sale(order.0).map(|sale| sale.amount).unwrap_or_default();
        let said =
            response.map_or(Word::Nothing, |response| word(lent.setup, ask, (order, amount), &response));
        self.finish(lent, order, ask, said);
    }

    pub(super) fn call_closed(&mut self, lent: &mut Lent<'_>, port: Port) {
        if let Some(flying) = self.flying.remove(&port).filter(|flying| !flying.answered) {
            self.lost(lent, &flying);
        }
    }

    pub(super) fn call_overdue(&mut self, lent: &mut Lent<'_>, port: Port, call: u64) {
        if self.flying.get(&port).is_some_and(|flying| flying.call == call)
            && let Some(flying) = self.flying.remove(&port)
        {
            self.emit(lent.now.mono, Output::Close { port, how: Close::Reset });
            if !flying.answered {
                self.lost(lent, &flying);
            }
        }
    }

    fn lost(&mut self, lent: &mut Lent<'_>, flying: &Flying) {
        if flying.opened {
            self.finish(lent, flying.order, flying.ask, Word::Nothing);
        } else {
            self.note(lent.now.mono, ClientEvent::Unreached);
            self.unreached(lent, flying.order, flying.ask);
        }
    }

    fn finish(&mut self, lent: &mut Lent<'_>, order: Try, ask: Ask, said: Word) {
        if said == Word::Nothing {
            let event = ClientEvent::Unanswered { call: ask.as_str(), order: order.number() };
            self.note(lent.now.mono, event);
        }
        self.answered(lent, order, ask, said);
    }
}
