//! What terminals are answered.

use crate::card::number::CardNumber;
use crate::money::Volume;
use crate::time::Instant;
use crate::water::frame::{Answer, MachineNumber, Request};
use crate::water::server::event::ServerEvent;
use crate::water::server::firmware::{Lent, MessageServer, Pending};
use crate::water::server::setup::OrderAnswerForm;
use crate::water::tariff::Pricing;

impl MessageServer {
    /// The answer to a request, and the time from which on it may be said.
    pub(super) fn answer(
        &mut self,
        lent: &mut Lent<'_>,
        machine: MachineNumber,
        pricing: Pricing,
        request: Request,
    ) -> (Answer, Instant) {
        let (now, setup) = (lent.now, lent.setup);
        let mut records = Vec::new();
        match request {
            Request::Heartbeat => (Answer::Heartbeat { at: now.wall }, now.mono),
            Request::Clock => (Answer::Clock { at: now.wall }, now.mono),
            Request::Parameters => {
                let (heartbeat_s, server) = (setup.config.heartbeat_s(), setup.config.address);
                (Answer::Parameters { heartbeat_s, server }, now.mono)
            }
            Request::FaultReport { part, code } => {
                self.note(now.mono, ServerEvent::Fault { machine, part, code });
                (Answer::FaultReport, now.mono)
            }
            Request::CardQuery { card, .. } => (self.account(card), self.durable_at),
            Request::OrderRequest { card, sold } => {
                let ruling = self.ledger.request(&setup.policy, card, pricing, sold, &mut records);
                let not_before = self.commit(lent, &records);
                self.raise(ruling.alarm, not_before, card, sold);
                let (offer, base) = ruling.says;
                let base = match setup.config.order_answer {
                    OrderAnswerForm::WithBase => Some(base),
                    OrderAnswerForm::NoBase => None,
                };
                (Answer::OrderRequest { card, offer, base }, not_before)
            }
            Request::Upload { card, order, result, sold } => {
                let ruling = self.ledger.upload(&setup.policy, card, order, (result, sold), &mut records);
                let not_before = self.commit(lent, &records);
                self.raise(ruling.alarm, not_before, card, sold);
                (Answer::Upload { order, state: ruling.says }, not_before)
            }
        }
    }

    /// What the ledger knows of a card.
    fn account(&self, card: CardNumber) -> Answer {
        let account = self.ledger.card(card);
        Answer::CardQuery {
            card,
            sold: account.map_or(Volume::ZERO, |account| account.last),
            open_orders: account
                .map_or(0, |account| u16::try_from(account.open_orders().len()).unwrap_or(u16::MAX)),
        }
    }

    fn raise(&mut self, alarm: bool, at: Instant, card: CardNumber, sold: Volume) {
        if alarm {
            self.queue(at, Pending::Event(ServerEvent::Alarm { card, sold }));
        }
    }
}
