//! One card in the slot: read it, ask for its order, credit it, tell.

use std::collections::VecDeque;

use super::announce::Announcement;
use super::board::TerminalParts;
use super::exchange::Upload;
use super::firmware::{Stage, Terminal, TerminalEvent, timer};
use super::policy::{CacheWhen, CreditRule, OnFull, OnRemoval, SoldReported, TornCard, TypeUse, Verify};
use super::store::StoreError;
use crate::card::content::{CardContent, Reading, ReadingState, read_rule};
use crate::card::reader::WriteOutcome;
use crate::digest::Digest;
use crate::money::Volume;
use crate::water::cards::{credited, pricing};
use crate::water::frame::{Offer, OrderNumber, Request, WriteResult};
use crate::water::tariff::Pricing;

impl TypeUse {
    /// The price table that a card's messages name.
    fn pricing(self, content: &CardContent) -> Pricing {
        match self {
            Self::ByCard => pricing(content),
            Self::AlwaysFlat => Pricing::Flat,
        }
    }
}

/// How many blocks a credit writes, after any repairs.
const CREDIT_BLOCKS: usize = 4;

/// What is being done with the card.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Phase {
    /// Being read for the first time.
    Reading,
    /// Asked about; the field is off.
    Asking,
    /// Being read again before it is touched.
    Rereading,
    /// Being written, block by block.
    Writing,
    /// Done with: waiting for it to leave.
    Finished,
}

/// An order that the server offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Order {
    number: OrderNumber,
    volume: Volume,
    base: Volume,
}

/// One card's stay in the slot.
#[derive(Clone, Debug)]
pub(super) struct TopUp {
    phase: Phase,
    /// The card as it was decided to read, once it has been read.
    content: Option<CardContent>,
    blocks: [u32; 6],
    order: Option<Order>,
    /// The intent's number in the store.
    record: Option<u16>,
    /// The blocks still to be written, the one under way first.
    writes: VecDeque<(u8, u32)>,
    /// Whether any pulses of a credit have left.
    begun: bool,
    /// Whether what is being written is a credit, and not only a repair.
    crediting: bool,
    tell: Announcement,
    /// The order request waits to be sent.
    question: bool,
}

impl TopUp {
    fn new() -> Self {
        Self {
            phase: Phase::Reading,
            content: None,
            blocks: [0; 6],
            order: None,
            record: None,
            writes: VecDeque::new(),
            begun: false,
            crediting: false,
            tell: Announcement::NothingOrdered,
            question: false,
        }
    }

    /// The order request, while one is to be sent.
    pub(super) fn question(&self, types: TypeUse) -> Option<(Pricing, Request)> {
        let content = self.content.as_ref().filter(|_| self.question)?;
        Some((types.pricing(content), Request::OrderRequest { card: content.card, sold: content.sold }))
    }

    /// The intent that must not be sent while the card is still being written.
    pub(super) fn record(&self) -> Option<u16> {
        self.record
    }

    pub(super) fn digest(&self, into: &mut Digest) {
        let phase = match self.phase {
            Phase::Reading => 0,
            Phase::Asking => 1,
            Phase::Rereading => 2,
            Phase::Writing => 3,
            Phase::Finished => 4,
        };
        into.word(phase).flag(self.begun).flag(self.crediting).flag(self.question);
        into.word(u64::from(self.record.unwrap_or(0)));
        for block in self.blocks {
            into.word(u64::from(block));
        }
        for (block, data) in &self.writes {
            into.word(u64::from(*block)).word(u64::from(*data));
        }
        if let Some(order) = &self.order {
            into.text(&order.number.to_string())
                .word(u64::from(order.volume.0))
                .word(u64::from(order.base.0));
        }
        into.text(&self.tell.to_string());
    }
}

impl Terminal {
    /// A card goes in or comes out.
    pub(super) fn card_switched(&mut self, high: bool, parts: &mut TerminalParts) {
        if high == self.card_in {
            return;
        }
        self.card_in = high;
        self.reader.card_switched();
        if high {
            self.card_in_slot();
        } else {
            self.card_gone(parts);
        }
    }

    fn card_in_slot(&mut self) {
        if self.stage != Stage::Ready {
            return;
        }
        let waiting = self.volatile.len() >= self.config.times.volatile_max;
        let full = self.store.is_full() && self.config.policy.cache != CacheWhen::Never;
        if waiting || (full && self.config.policy.full == OnFull::Refuses) {
            self.announce(Announcement::Full);
            return;
        }
        self.topup = Some(TopUp::new());
        self.reader.read_card(self.at);
    }

    /// The card left the slot: what was not read back is judged by what had left the antenna.
    fn card_gone(&mut self, parts: &mut TerminalParts) {
        self.timers.stop(timer::WRITE);
        self.field_off();
        let Some(topup) = self.topup.take() else { return };
        self.forget_question();
        match topup.phase {
            Phase::Finished => {}
            Phase::Writing if topup.crediting => {
                let begun = topup.begun;
                self.topup = Some(topup);
                self.credit_failed(begun, parts);
                self.topup = None;
            }
            Phase::Rereading => self.cancel(topup, parts),
            Phase::Reading | Phase::Asking | Phase::Writing => self.announce(Announcement::TryAgain),
        }
    }

    fn cancel(&mut self, topup: TopUp, parts: &mut TerminalParts) {
        self.topup = Some(topup);
        self.credit_failed(false, parts);
        self.topup = None;
    }

    pub(super) fn field_off(&mut self) {
        self.reader.field_off(self.at);
    }

    /// A read-out came to an end.
    pub(super) fn card_read(&mut self, blocks: Option<[u32; 6]>, parts: &mut TerminalParts) {
        let Some(phase) = self.topup.as_ref().map(|topup| topup.phase.clone()) else { return };
        let reading = blocks.and_then(|blocks| read_rule(blocks).ok());
        match (phase, blocks, reading) {
            (Phase::Reading, Some(blocks), Some(reading)) => self.first_reading(blocks, reading),
            (Phase::Reading, ..) => self.finish(Announcement::CardUnreadable),
            (Phase::Rereading, Some(blocks), Some(reading)) => self.second_reading(blocks, reading, parts),
            (Phase::Rereading, ..) => self.credit_failed(false, parts),
            _ => {}
        }
    }

    fn first_reading(&mut self, blocks: [u32; 6], reading: Reading) {
        self.field_off();
        let Some(mut content) = self.believed(blocks, reading) else {
            self.finish(Announcement::CardUnreadable);
            return;
        };
        self.note(TerminalEvent::CardRead { card: content.card, sold: content.sold });
        if let (SoldReported::FromMemory, Some((card, sold))) = (self.config.policy.sold, self.remembered)
            && card == content.card
        {
            content.sold = sold;
        }
        if let Some(topup) = &mut self.topup {
            topup.blocks = blocks;
            topup.content = Some(content);
            topup.phase = Phase::Asking;
            topup.question = true;
            self.timers.set(timer::QUESTION, self.at + self.config.times.question_wait);
        }
    }

    /// What the design takes the card to say.
    fn believed(&self, blocks: [u32; 6], reading: Reading) -> Option<CardContent> {
        let torn = reading.state != ReadingState::Whole;
        match self.config.policy.torn_card {
            TornCard::BelievesFirst if torn => {
                Some(CardContent { sold: Volume(blocks[2]), ..reading.content })
            }
            TornCard::Refuses if torn => None,
            TornCard::Repairs | TornCard::BelievesFirst | TornCard::Refuses => Some(reading.content),
        }
    }

    /// The server's answer about this card.
    pub(super) fn offered(&mut self, offer: Offer, base: Option<Volume>) {
        let Some(topup) = &mut self.topup else { return };
        topup.question = false;
        let Some(content) = topup.content else { return };
        match offer {
            Offer::Paid { order, volume } => {
                topup.order = Some(Order { number: order, volume, base: base.unwrap_or(content.sold) });
                topup.phase = Phase::Rereading;
                self.reader.read_card(self.at);
            }
            Offer::None => self.repair_then(Announcement::NothingOrdered),
            Offer::Done { volume, .. } => self.repair_then(Announcement::AlreadyCredited(volume)),
            Offer::Refused => self.repair_then(Announcement::SeeOffice),
        }
    }

    /// Brings a torn card to what was decided, then tells.
    fn repair_then(&mut self, tell: Announcement) {
        let Some(topup) = &mut self.topup else { return };
        topup.tell = tell;
        let content = topup.content;
        topup.writes = content.iter().flat_map(|content| content.repairs(&topup.blocks)).collect();
        topup.crediting = false;
        topup.phase = Phase::Writing;
        self.write_next();
    }

    /// The card read again before it is touched: it must be the same, and still show the base.
    fn second_reading(&mut self, blocks: [u32; 6], reading: Reading, parts: &mut TerminalParts) {
        let Some(topup) = &mut self.topup else { return };
        let (Some(order), Some(asked)) = (topup.order, topup.content.as_ref()) else { return };
        topup.blocks = blocks;
        let content = reading.content;
        let checked = self.config.policy.credit == CreditRule::AbsoluteIfUnchanged;
        if !checked || (content.card == asked.card && content.sold == order.base) {
            self.write_credit(content, parts);
        } else {
            topup.order = None;
            self.finish(Announcement::TryAgain);
        }
    }

    /// The intent goes into the store, then the card is touched.
    fn write_credit(&mut self, content: CardContent, parts: &mut TerminalParts) {
        let Some(order) = self.topup.as_ref().and_then(|topup| topup.order) else { return };
        let sold = match self.config.policy.credit {
            CreditRule::Increment => content.sold.checked_add(order.volume),
            CreditRule::AbsoluteIfUnchanged | CreditRule::AbsoluteUnchecked => {
                order.base.checked_add(order.volume)
            }
        };
        let Some(sold) = sold else {
            self.finish(Announcement::SeeOffice);
            return;
        };
        let target = credited(&content, sold, order.number);
        if self.config.policy.cache == CacheWhen::BeforeWrite {
            let frame = self.upload_frame(&content, order, WriteResult::Written, sold);
            let overwrite = self.config.policy.full == OnFull::Overwrites;
            match self.with_store(parts, |store, session| store.add(session, &frame, overwrite)) {
                Ok(seq) => {
                    self.note(TerminalEvent::Cached { seq });
                    if let Some(topup) = &mut self.topup {
                        topup.record = Some(seq);
                    }
                }
                Err(why) => {
                    self.note(TerminalEvent::StoreFailed(why));
                    let full = why == StoreError::Full;
                    self.finish(if full { Announcement::Full } else { Announcement::NotCredited });
                    return;
                }
            }
        }
        let Some(topup) = &mut self.topup else { return };
        // A card torn in an earlier write is whole before it is credited: a new tear must not meet an old one.
        let mut writes: VecDeque<_> = content.repairs(&topup.blocks).collect();
        writes.extend(target.writes());
        topup.content = Some(content);
        topup.writes = writes;
        topup.crediting = true;
        topup.phase = Phase::Writing;
        topup.tell = Announcement::Credited(order.volume);
        // The card may have left while the intent was being written: what waits for this input to end comes first.
        self.timers.set(timer::WRITE, self.at);
    }

    /// The intent is recorded, and the card is still there.
    pub(super) fn start_writing(&mut self) {
        if self.topup.as_ref().is_some_and(|topup| topup.phase == Phase::Writing && topup.crediting) {
            self.write_next();
        }
    }

    fn upload_frame(
        &self,
        content: &CardContent,
        order: Order,
        result: WriteResult,
        sold: Volume,
    ) -> Vec<u8> {
        self.frame_of(
            self.config.policy.types.pricing(content),
            Request::Upload { card: content.card, order: order.number, result, sold },
        )
    }

    fn write_next(&mut self) {
        let Some(topup) = &mut self.topup else { return };
        topup.begun |= topup.crediting && topup.writes.len() <= CREDIT_BLOCKS;
        match topup.writes.front().copied() {
            Some((block, data)) => self.reader.write_block(self.at, block, data),
            None => self.finish_repair(),
        }
    }

    fn finish_repair(&mut self) {
        if let Some(tell) = self.topup.as_ref().filter(|topup| !topup.crediting).map(|topup| topup.tell) {
            self.finish(tell);
        }
    }

    /// One block's write came to an end.
    pub(super) fn block_written(&mut self, outcome: WriteOutcome, parts: &mut TerminalParts) {
        let Some(topup) = &mut self.topup else { return };
        if topup.phase != Phase::Writing {
            return;
        }
        let verified = outcome == WriteOutcome::Verified || self.config.policy.verify == Verify::Assumes;
        if verified {
            topup.writes.pop_front();
            if topup.writes.is_empty() && topup.crediting {
                self.credit_done(parts);
            } else {
                self.write_next();
            }
        } else if topup.crediting {
            // The old state read back from the very first block proves that nothing was credited.
            let first = topup.writes.len() == CREDIT_BLOCKS;
            let touched = topup.begun && !(first && matches!(outcome, WriteOutcome::StillOld(_)));
            self.credit_failed(touched, parts);
            if let Some(topup) = &mut self.topup {
                topup.phase = Phase::Finished;
            }
        } else {
            self.finish(Announcement::SeeOffice);
        }
    }

    /// Every block was read back: the result is marked, told and uploaded.
    fn credit_done(&mut self, parts: &mut TerminalParts) {
        let Some(topup) = &mut self.topup else { return };
        topup.phase = Phase::Finished;
        let (Some(order), Some(content), record) = (topup.order, topup.content, topup.record.take()) else {
            return;
        };
        let sold = order.base.checked_add(order.volume).unwrap_or(order.base);
        self.remembered = Some((content.card, sold));
        match record {
            Some(seq) => self.mark_verified(seq, parts),
            None => {
                let frame = self.upload_frame(&content, order, WriteResult::Written, sold);
                self.volatile.push_back(Upload { frame });
            }
        }
        self.field_off();
        self.note(TerminalEvent::Credited { order: order.number, volume: order.volume });
        self.announce(Announcement::Credited(order.volume));
    }

    fn mark_verified(&mut self, seq: u16, parts: &mut TerminalParts) {
        if let Err(why) = self.with_store(parts, |store, session| store.mark_verified(session, seq)) {
            self.note(TerminalEvent::StoreFailed(why));
        }
    }

    /// The credit came to nothing, or to doubt if pulses may have changed the card.
    fn credit_failed(&mut self, touched: bool, parts: &mut TerminalParts) {
        self.field_off();
        let Some(topup) = &mut self.topup else { return };
        let (Some(order), Some(content), record) = (topup.order, topup.content, topup.record.take()) else {
            self.finish(Announcement::TryAgain);
            return;
        };
        let sold = order.base.checked_add(order.volume).unwrap_or(order.base);
        let result = match self.config.policy.removal {
            OnRemoval::ByEvidence if touched => WriteResult::InDoubt,
            OnRemoval::ByEvidence | OnRemoval::SaysFailed => WriteResult::Failed,
            OnRemoval::SaysWritten => WriteResult::Written,
        };
        match (result, record) {
            // The record stays as it is: without its mark it goes out as one in doubt.
            (WriteResult::InDoubt, Some(_)) => {}
            (WriteResult::Written, Some(seq)) => self.mark_verified(seq, parts),
            (_, record) => {
                if let Some(seq) = record
                    && let Err(why) = self.with_store(parts, |store, session| store.mark_done(session, seq))
                {
                    self.note(TerminalEvent::StoreFailed(why));
                }
                let reported = if result == WriteResult::Failed { content.sold } else { sold };
                let frame = self.upload_frame(&content, order, result, reported);
                self.volatile.push_back(Upload { frame });
            }
        }
        if touched {
            self.note(TerminalEvent::InDoubt { order: order.number, volume: order.volume });
            self.announce(Announcement::InDoubt(order.volume));
        } else {
            self.note(TerminalEvent::NotCredited { order: order.number });
            self.announce(Announcement::NotCredited);
        }
    }

    /// Tells, and waits for the card to leave.
    fn finish(&mut self, tell: Announcement) {
        self.field_off();
        if let Some(topup) = &mut self.topup {
            topup.phase = Phase::Finished;
            topup.question = false;
        }
        self.announce(tell);
    }
}
