//! What the payment front sends.

use crate::machine::Port;
use crate::water::ledger::{Prepayment, Refusal};
use crate::water::payments::PaymentLine;
use crate::water::server::connection::Peer;
use crate::water::server::event::{ServerEvent, Unusable};
use crate::water::server::firmware::{Lent, MessageServer};
use crate::wire::{Piece, Wire};

impl MessageServer {
    /// Reads what is there, line by line.
    pub(super) fn read_lines(&mut self, lent: &mut Lent<'_>, port: Port) {
        while let Some(connection) = self.connections.get_mut(&port)
            && let Peer::Payments(lines) = &mut connection.peer
            && let Some(piece) = lines.poll::<PaymentLine>(&lent.setup.line)
        {
            if !self.has_room(lent, port) {
                continue;
            }
            match piece {
                Piece::Frame(PaymentLine::Pay(payment)) => self.on_payment(lent, port, &payment),
                Piece::Frame(_) | Piece::Junk { .. } => {
                    self.note(lent.now.mono, ServerEvent::Unusable { port, why: Unusable::Line });
                    let refused = PaymentLine::Refused { order: None, reason: Refusal::Malformed };
                    self.queue_answer(lent, port, refused.to_bytes(&lent.setup.line), false, lent.now.mono);
                }
            }
        }
    }

    /// Makes a payment an order, or says why not.
    ///
    /// Source: WAT-P1.
    fn on_payment(&mut self, lent: &mut Lent<'_>, port: Port, payment: &Prepayment) {
        let setup = lent.setup;
        let limits = (setup.config.open_orders_max, setup.config.paid_max_fen);
        let mut records = Vec::new();
        let ruling = self.ledger.prepay(&setup.policy, &setup.tariff, limits, payment, &mut records);
        let not_before = self.commit(lent, &records);
        let order = payment.order;
        let line = match ruling {
            Ok(volume) => PaymentLine::Paid { order, volume },
            Err(reason) => {
                let order = Some(order);
                self.note(lent.now.mono, ServerEvent::PaymentRefused { order, reason });
                PaymentLine::Refused { order, reason }
            }
        };
        self.queue_answer(lent, port, line.to_bytes(&setup.line), false, not_before);
    }
}
