//! A test head that talks to the server in a modem's place.

use std::cell::Cell;

use assay_sim::card::number::CardNumber;
use assay_sim::fault::Way;
use assay_sim::machine::Close;
use assay_sim::money::{Fen, Volume};
use assay_sim::probe::ProbeStimulus;
use assay_sim::tape::{Entry, Seen};
use assay_sim::time::Span;
use assay_sim::water::frame::{Answer, Kind, Message, Offer, OrderNumber, RawFrame, Request, WriteResult};
use assay_sim::water::party::{Event, Stimulus};
use assay_sim::water::plant::{NET_FIRST, letter};
use assay_sim::water::tariff::Pricing;
use assay_sim::wire::{Scan, Wire};

use crate::stage::StageError;
use crate::water::Stage;
use crate::water::scene::{Scene, TerminalCast};

/// How often a head asks before it gives up; each time on a new connection.
const TRIES: usize = 8;

/// What came of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// Nothing, however often it was asked.
    Nothing,
    /// An order to be credited.
    Offer,
    /// Any other answer.
    Other,
}

/// The head at one site, by its place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head(pub(super) usize);

impl Head {
    fn cast(self, scene: &Scene) -> Result<&TerminalCast, StageError> {
        let missing = || StageError::NoSuch(format!("site {}", self.0 + 1));
        scene.terminals.get(self.0).ok_or_else(missing)
    }

    fn act(self, stage: &mut Stage, stimulus: ProbeStimulus) -> Result<(), StageError> {
        stage.stimulate(&format!("modem-{}", letter(self.0)), Stimulus::Probe(stimulus))
    }

    /// Opens a connection in place of the one that there may be; whether it stands.
    pub(super) fn connect(self, stage: &mut Stage) -> Result<bool, StageError> {
        let profile = &stage.scene().profile;
        let (server, within) = (profile.server.address, profile.gprs.connect_timeout);
        let slack = profile.bench.tolerance;
        let gprs = self.cast(stage.scene())?.gprs;
        self.act(stage, ProbeStimulus::Close(NET_FIRST, Close::Reset))?;
        self.act(stage, ProbeStimulus::Open(NET_FIRST, server))?;
        let stands = Cell::new(false);
        stage.wait_for(within + slack, &|entry| match entry.what {
            Seen::Opened { line, way: Way::BtoA, .. } if line == gprs => {
                stands.set(true);
                true
            }
            Seen::Closed { line, way: Way::BtoA, .. } => line == gprs,
            _ => false,
        })?;
        Ok(stands.get())
    }

    /// Sends bytes on the connection that there is, and waits for nothing.
    pub(super) fn send(self, stage: &mut Stage, bytes: Vec<u8>) -> Result<(), StageError> {
        self.act(stage, ProbeStimulus::Send(NET_FIRST, bytes))
    }

    /// The frame of a request from this site.
    pub(super) fn frame(
        self,
        scene: &Scene,
        pricing: Pricing,
        request: &Request,
    ) -> Result<Vec<u8>, StageError> {
        let machine = self.cast(scene)?.machine;
        let message = Message::Request { pricing, request: request.clone() };
        let format = &scene.profile.frame;
        Ok(message.to_frame(format.version, machine).to_bytes(format))
    }

    /// Sends a request, and waits for nothing.
    pub(super) fn throw(
        self,
        stage: &mut Stage,
        pricing: Pricing,
        request: &Request,
    ) -> Result<(), StageError> {
        let bytes = self.frame(stage.scene(), pricing, request)?;
        self.send(stage, bytes)
    }

    /// Asks, as a terminal does: again on a new connection when there is no answer in time.
    pub(super) fn ask(
        self,
        stage: &mut Stage,
        pricing: Pricing,
        request: &Request,
    ) -> Result<Reply, StageError> {
        let bytes = self.frame(stage.scene(), pricing, request)?;
        let within = stage.scene().profile.terminal.answer_timeout;
        for attempt in 0..TRIES {
            if attempt > 0 && !self.connect(stage)? {
                stage.wait(within)?;
                continue;
            }
            self.send(stage, bytes.clone())?;
            let reply = self.reply(stage, request.kind(), within)?;
            if reply != Reply::Nothing {
                return Ok(reply);
            }
        }
        Ok(Reply::Nothing)
    }

    /// Waits for an answer of this kind.
    pub(super) fn reply(self, stage: &mut Stage, kind: Kind, within: Span) -> Result<Reply, StageError> {
        let (gprs, format) = (self.cast(stage.scene())?.gprs, stage.scene().profile.frame);
        let reply = Cell::new(Reply::Nothing);
        let seen = |entry: &Entry<Event>| match &entry.what {
            Seen::Heard { line, way: Way::BtoA, bytes, .. } if *line == gprs => {
                let mut rest = &bytes[..];
                while let Scan::Frame { frame, used } = RawFrame::scan(&format, rest) {
                    rest = &rest[used..];
                    if let Ok(Message::Answer { answer, .. }) = Message::of(&frame)
                        && answer.kind() == kind
                    {
                        reply.set(match answer {
                            Answer::OrderRequest { offer: Offer::Paid { .. }, .. } => Reply::Offer,
                            _ => Reply::Other,
                        });
                        return true;
                    }
                }
                false
            }
            Seen::Closed { line, way: Way::BtoA, .. } => *line == gprs,
            _ => false,
        };
        stage.wait_for(within, &seen)?;
        Ok(reply.get())
    }
}

/// A card, by its place in the cast, at a head.
#[derive(Clone, Copy, Debug)]
pub(super) struct Desk {
    /// The head.
    pub(super) head: Head,
    /// The card's place.
    pub(super) card: usize,
}

impl Desk {
    pub(super) fn at(site: usize, card: usize) -> Self {
        Self { head: Head(site), card }
    }

    /// The card's number and by which price table its owner buys.
    pub(super) fn card(self, stage: &Stage) -> Result<(CardNumber, Pricing), StageError> {
        let missing = || StageError::NoSuch(format!("card {}", self.card + 1));
        let cast = stage.scene().cards.get(self.card).ok_or_else(missing)?;
        Ok((cast.number, cast.spec.pricing))
    }

    /// The request for the card's order.
    pub(super) fn order_request(self, stage: &Stage, sold: u32) -> Result<(Pricing, Request), StageError> {
        let (card, pricing) = self.card(stage)?;
        Ok((pricing, Request::OrderRequest { card, sold: Volume(sold) }))
    }

    /// The upload of what became of an order.
    pub(super) fn upload(
        self,
        stage: &Stage,
        order: OrderNumber,
        result: WriteResult,
        sold: u32,
    ) -> Result<(Pricing, Request), StageError> {
        let (card, pricing) = self.card(stage)?;
        Ok((pricing, Request::Upload { card, order, result, sold: Volume(sold) }))
    }

    /// Presents the card with this much on it; what the server says.
    pub(super) fn present(self, stage: &mut Stage, sold: u32) -> Result<Reply, StageError> {
        let (pricing, request) = self.order_request(stage, sold)?;
        self.head.ask(stage, pricing, &request)
    }

    /// Reports what became of an order.
    pub(super) fn report(
        self,
        stage: &mut Stage,
        order: OrderNumber,
        result: WriteResult,
        sold: u32,
    ) -> Result<Reply, StageError> {
        let (pricing, request) = self.upload(stage, order, result, sold)?;
        self.head.ask(stage, pricing, &request)
    }

    /// Asks what the server knows of the card.
    pub(super) fn query(self, stage: &mut Stage) -> Result<Reply, StageError> {
        let (card, pricing) = self.card(stage)?;
        self.head.ask(stage, pricing, &Request::CardQuery { card, sold: Volume::ZERO })
    }
}

/// Connects the first heads.
pub(super) fn begin(stage: &mut Stage, heads: usize) -> Result<(), StageError> {
    for site in 0..heads {
        Head(site).connect(stage)?;
    }
    Ok(())
}

/// The customer pays, and the prepayment front is told what became of it; the order's number.
pub(super) fn pay(stage: &mut Stage, card: usize, fen: i64) -> Result<OrderNumber, StageError> {
    let order = stage.prepay(card, Fen(fen))?;
    told(stage, order)?;
    Ok(order)
}

/// The same by a price table of its own.
pub(super) fn pay_as(
    stage: &mut Stage,
    card: usize,
    fen: i64,
    pricing: Pricing,
) -> Result<OrderNumber, StageError> {
    let number = Desk::at(0, card).card(stage)?.0;
    let order = stage.prepay_as(number, Fen(fen), pricing)?;
    told(stage, order)?;
    Ok(order)
}

/// Waits until the prepayment front is told what became of an order.
fn told(stage: &mut Stage, order: OrderNumber) -> Result<(), StageError> {
    let scene = stage.scene();
    let (lan, payments) = (scene.lan, &scene.profile.payments);
    let patience =
        payments.answer * u64::from(payments.sends_max) + payments.connect + payments.reconnect_max;
    let word = format!(" {order} ");
    let seen = |entry: &Entry<Event>| match &entry.what {
        Seen::Heard { line, way: Way::BtoA, bytes, .. } if Some(*line) == lan => {
            bytes.windows(word.len()).any(|window| window == word.as_bytes())
        }
        _ => false,
    };
    stage.wait_for(patience * 3, &seen)?;
    Ok(())
}

/// Long enough for every answer and every incomplete frame to be over and done with.
pub(super) fn rest(stage: &mut Stage) -> Result<(), StageError> {
    let profile = &stage.scene().profile;
    let answer = profile.server.service + profile.journal.sync * 2 + profile.bench.tolerance;
    let travel = profile.gprs.latency_max * 2;
    let span = profile.frame.frame_gap + answer + travel;
    stage.wait(span)
}
