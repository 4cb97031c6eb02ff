//! Calls to the platform: one connection each, with a limit on the wait.

use super::books::platform_number;
use super::config::ServerEvent;
use super::firmware::{Deed, Firmware, Lent};
use super::{CALLS, CALLS_FIRST};
use crate::digest::Digest;
use crate::machine::{Close, Output, Port};
use crate::paymod::frame::OrderNumber;
use crate::paymod::platform_line::{CallLine, Verb, Word, first_line};

/// A call that is under way.
#[derive(Clone, Debug)]
pub(super) struct Flying {
    order: OrderNumber,
    verb: Verb,
    /// Counted over all calls.
    call: u64,
    held: Vec<u8>,
}

impl Flying {
    pub(super) fn digest(&self, into: &mut Digest) {
        into.bytes(self.order.digits()).text(self.verb.as_str()).word(self.call).bytes(&self.held);
    }
}

impl Firmware {
    /// Makes a call.
    pub(super) fn call(&mut self, lent: &Lent<'_>, order: OrderNumber, verb: Verb) {
        let port = Port(CALLS_FIRST.0 + u16::try_from(self.calls % u64::from(CALLS)).unwrap_or(0));
        if self.flying.contains_key(&port) {
            // Every port is taken, and each is free again when its call's time is over.
            return self.plan_ask(lent.now.mono + lent.setup.config.again_after, order, verb);
        }
        self.calls += 1;
        let call = self.calls;
        self.flying.insert(port, Flying { order, verb, call, held: Vec::new() });
        self.emit(lent.now.mono, Output::Open { port, to: lent.setup.config.platform });
        self.plan(lent.now.mono + lent.setup.config.call_timeout, Deed::Overdue(port, call));
    }

    pub(super) fn call_opened(&mut self, lent: &Lent<'_>, port: Port) {
        let Some(flying) = self.flying.get(&port) else { return };
        let (order, verb) = (flying.order, flying.verb);
        let Some(entry) = self.books.order(order) else { return };
        let line = CallLine {
            house: entry.house,
            verb,
            number: platform_number(order, entry.attempts),
            amount: entry.amount,
            life_s: lent.setup.config.life.as_ms() / 1_000,
        };
        self.emit(lent.now.mono, Output::Transmit { port, bytes: line.encode() });
    }

    pub(super) fn hear_answer(&mut self, lent: &mut Lent<'_>, port: Port, bytes: &[u8]) {
        let Some(flying) = self.flying.get_mut(&port) else { return };
        flying.held.extend_from_slice(bytes);
        let Some((line, _)) = first_line(&flying.held) else { return };
        self.emit(lent.now.mono, Output::Close { port, how: Close::Fin });
        self.finish(lent, port, Word::read(&line));
    }

    pub(super) fn call_closed(&mut self, lent: &mut Lent<'_>, port: Port) {
        self.finish(lent, port, Word::Nothing);
    }

    pub(super) fn call_overdue(&mut self, lent: &mut Lent<'_>, port: Port, call: u64) {
        if self.flying.get(&port).is_some_and(|flying| flying.call == call) {
            self.emit(lent.now.mono, Output::Close { port, how: Close::Reset });
            self.finish(lent, port, Word::Nothing);
        }
    }

    fn finish(&mut self, lent: &mut Lent<'_>, port: Port, said: Word) {
        let Some(Flying { order, verb, .. }) = self.flying.remove(&port) else { return };
        if said == Word::Nothing {
            self.note(lent.now.mono, ServerEvent::Unanswered(verb.as_str()));
        }
        if verb == Verb::Query
            && let Some(live) = self.live.get_mut(&order)
        {
            live.queried = Some(lent.now.mono);
        }
        self.answered(lent, order, verb, said);
    }
}
