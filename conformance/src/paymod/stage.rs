//! What is done at the vending machine, by payers and by test heads, as the cases need it.

use assay_sim::machine::Port;
use assay_sim::paymod::frame::{OrderNumber, Terms, status};
use assay_sim::paymod::host::{HostEvent, HostStimulus};
use assay_sim::paymod::party::{Event, Stimulus};
use assay_sim::paymod::platform::PayerStimulus;
use assay_sim::probe::ProbeStimulus;
use assay_sim::tape::Seen;
use assay_sim::time::Span;

use super::Stage;
use crate::stage::StageError;

/// The order of most cases.
pub(super) const ORDER: OrderNumber = OrderNumber::of(1_042);
/// Its terms: a drink for 12.50 from the second motor.
pub(super) const DRINK: Terms = Terms { amount: 1_250, channel: 1, relay: 2, pulse_ms: 500 };

/// How long a vending machine takes until it sells: a modem has to register first.
const BOOT: Span = Span::s(60);

impl Stage {
    /// Something is done at the vending machine.
    ///
    /// Errors: [`StageError::NoSuch`].
    pub fn host(&mut self, does: HostStimulus) -> Result<(), StageError> {
        self.stimulate("host", Stimulus::Host(does))
    }

    /// The payer does something.
    ///
    /// Errors: [`StageError::NoSuch`].
    pub fn payer(&mut self, does: PayerStimulus) -> Result<(), StageError> {
        self.stimulate("platform", Stimulus::Payer(does))
    }

    /// Bytes for a module from behind its server.
    ///
    /// Errors: [`StageError::NoSuch`].
    pub fn centre(&mut self, bytes: Vec<u8>) -> Result<(), StageError> {
        self.stimulate("centre", Stimulus::Probe(ProbeStimulus::Send(Port(0), bytes)))
    }

    /// Waits until the vending machine shows one of these of an order; whether it did.
    ///
    /// Errors: those of waiting.
    pub fn shown(
        &mut self,
        order: OrderNumber,
        statuses: &'static [u8],
        within: Span,
    ) -> Result<bool, StageError> {
        self.wait_for(self.patience(within), &|entry| match &entry.what {
            Seen::Noted { event: Event::Host(HostEvent::Shown { order: of, status, .. }), .. } => {
                *of == order && statuses.contains(status)
            }
            _ => false,
        })
    }

    /// An order is made at the vending machine, and its link shown.
    ///
    /// Errors: those of waiting.
    pub fn offered(&mut self, order: OrderNumber, terms: Terms) -> Result<bool, StageError> {
        self.pause(BOOT)?;
        self.host(HostStimulus::Pay(order, terms))?;
        self.shown(order, LINK, Span::s(110))
    }

    /// The same, paid as soon as its link is shown, and waited for until it has ended.
    ///
    /// Errors: those of waiting.
    pub fn sold(&mut self, order: OrderNumber, terms: Terms) -> Result<(), StageError> {
        if self.offered(order, terms)? {
            self.wait(Span::s(2))?;
            self.payer(PayerStimulus::ScanAndPay)?;
            self.shown(order, ENDED, Span::s(120))?;
        }
        self.rest()
    }
}

/// The link is there.
const LINK: &[u8] = &[status::LINK_READY];
/// The order has ended.
pub(super) const ENDED: &[u8] = &[status::PAID, status::CLOSED, status::REFUSED, status::REFUNDED];
