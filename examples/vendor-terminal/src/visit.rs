//! A card's stay in the slot: read, ask, read again, write, tell.

use std::collections::VecDeque;

use assay_sim::card::content::{CardContent, read_rule};
use assay_sim::card::reader::WriteOutcome;
use assay_sim::digest::Digest;
use assay_sim::money::Volume;
use assay_sim::water::cards::{credited, pricing};
use assay_sim::water::frame::{Offer, OrderNumber, Request, WriteResult};
use assay_sim::water::tariff::Pricing;

use crate::firmware::{Firmware, Mode, PATIENCE, TOUCH};
use crate::memory::Trouble;
use crate::{Hardware, Release};

/// What is done with the card in the slot.
#[derive(Clone, Debug)]
pub(crate) enum Visit {
    /// There is none, or nothing more to be done with it.
    None,
    /// It is being read.
    Reading,
    /// The server is asked about it.
    Asking(Card),
    /// It is read again, before it is touched.
    Comparing(Card, Order),
    /// An order is written to it.
    Crediting(Credit),
    /// What another terminal left torn is put right.
    Mending(VecDeque<(u8, u32)>, String),
}

/// A card as it was read.
#[derive(Clone, Debug)]
pub(crate) struct Card {
    content: CardContent,
    blocks: [u32; 6],
}

/// What the server has for it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Order {
    number: OrderNumber,
    volume: Volume,
    base: Volume,
}

/// An order on its way onto the card.
#[derive(Clone, Debug)]
pub(crate) struct Credit {
    card: Card,
    order: Order,
    sold: Volume,
    /// The blocks to write: repairs first, then the four of the credit.
    todo: VecDeque<(u8, u32)>,
    /// The result's number in the 24C02.
    seq: Option<u16>,
    /// Whether a block of the credit has been sent.
    touched: bool,
}

/// How many blocks a credit has.
const BLOCKS: usize = 4;

impl Visit {
    /// What is to be asked of the server.
    pub(crate) fn question(&self) -> Option<(Pricing, Request)> {
        let Self::Asking(Card { content, .. }) = self else { return None };
        Some((pricing(content), Request::OrderRequest { card: content.card, sold: content.sold }))
    }

    /// The result that is not to be sent yet.
    pub(crate) fn seq(&self) -> Option<u16> {
        if let Self::Crediting(credit) = self { credit.seq } else { None }
    }

    pub(crate) fn digest(&self, into: &mut Digest) {
        let (kind, card, order) = match self {
            Self::None => (0, None, None),
            Self::Reading => (1, None, None),
            Self::Asking(card) => (2, Some(card), None),
            Self::Comparing(card, order) => (3, Some(card), Some(order)),
            Self::Crediting(Credit { card, order, .. }) => (4, Some(card), Some(order)),
            Self::Mending(..) => (5, None, None),
        };
        into.word(kind);
        for block in card.iter().flat_map(|card| card.blocks) {
            into.word(u64::from(block));
        }
        if let Some(Order { number, volume, base }) = order {
            into.text(&number.to_string()).word(u64::from(volume.0)).word(u64::from(base.0));
        }
        let (todo, tell) = match self {
            Self::Crediting(Credit { todo, seq, touched, .. }) => {
                into.word(u64::from(seq.unwrap_or_default())).flag(*touched);
                (Some(todo), "")
            }
            Self::Mending(todo, tell) => (Some(todo), tell.as_str()),
            _ => (None, ""),
        };
        into.text(tell);
        for (block, data) in todo.into_iter().flatten() {
            into.word(u64::from(*block)).word(u64::from(*data));
        }
    }
}

impl Firmware {
    pub(crate) fn card_came(&mut self) {
        if self.mode != Mode::Serving {
            return;
        }
        if self.memory.is_full() || self.requests.results.len() >= self.times().volatile_max {
            self.say("Results wait for the server, come back later: 0 T");
            return;
        }
        self.visit = Visit::Reading;
        let at = self.at();
        self.radio.read_card(at);
    }

    pub(crate) fn card_went(&mut self, hardware: &mut Hardware) {
        self.timers.stop(TOUCH);
        self.radio_off();
        self.drop_question();
        match std::mem::replace(&mut self.visit, Visit::None) {
            Visit::None => {}
            Visit::Reading | Visit::Asking(_) | Visit::Mending(..) => self.say("Card left too early: 0 T"),
            Visit::Comparing(card, order) => self.report_failed(&card, order),
            Visit::Crediting(credit) => {
                let touched = credit.touched;
                self.credit_failed(credit, touched, hardware);
            }
        }
    }

    fn radio_off(&mut self) {
        let at = self.at();
        self.radio.field_off(at);
    }

    /// Tells the customer; there is nothing more to do with the card.
    fn over(&mut self, text: &str) {
        self.radio_off();
        self.visit = Visit::None;
        self.say(text);
    }

    pub(crate) fn card_was_read(&mut self, blocks: Option<[u32; 6]>, hardware: &mut Hardware) {
        let read = blocks.and_then(|blocks| Some(Card { content: read_rule(blocks).ok()?.content, blocks }));
        match (std::mem::replace(&mut self.visit, Visit::None), read) {
            (Visit::Reading, Some(card)) => {
                self.radio_off();
                self.visit = Visit::Asking(card);
                let until = self.at() + self.times().question_wait;
                self.timers.set(PATIENCE, until);
            }
            (Visit::Reading, None) => self.over("Card cannot be read: 0 T"),
            (Visit::Comparing(asked, order), Some(card)) => {
                if card.content.card == asked.content.card && card.content.sold == order.base {
                    self.prepare(card, order, hardware);
                } else {
                    self.over("Another card than before, come again: 0 T");
                }
            }
            (Visit::Comparing(asked, order), None) => {
                self.radio_off();
                self.report_failed(&asked, order);
            }
            (other, _) => self.visit = other,
        }
    }

    /// No answer for the customer.
    pub(crate) fn give_up_question(&mut self) {
        if matches!(self.visit, Visit::Asking(_)) {
            self.over("No answer, please try again: 0 T");
        }
    }

    pub(crate) fn offered(&mut self, offer: Offer, base: Option<Volume>) {
        let Visit::Asking(card) = std::mem::replace(&mut self.visit, Visit::None) else { return };
        let tell = match offer {
            Offer::Paid { order, volume } => {
                let base = base.unwrap_or(card.content.sold);
                self.visit = Visit::Comparing(card, Order { number: order, volume, base });
                let at = self.at();
                self.radio.read_card(at);
                return;
            }
            Offer::None => "Nothing is ordered: 0 T".to_owned(),
            Offer::Done { volume, .. } => format!("Already on the card: {volume} T"),
            Offer::Refused => "Please see the office: 0 T".to_owned(),
        };
        self.visit = Visit::Mending(card.content.repairs(&card.blocks).collect(), tell);
        self.touch();
    }

    fn result(&self, card: &Card, order: Order, result: WriteResult, sold: Volume) -> Vec<u8> {
        let request = Request::Upload { card: card.content.card, order: order.number, result, sold };
        self.framed(pricing(&card.content), request)
    }

    /// Everything fits: keeps the result, and then lets the card be touched.
    fn prepare(&mut self, card: Card, order: Order, hardware: &mut Hardware) {
        let Some(sold) = order.base.checked_add(order.volume) else {
            self.over("Please see the office: 0 T");
            return;
        };
        let mut seq = None;
        if self.build.release == Release::R2 {
            let frame = self.result(&card, order, WriteResult::Written, sold);
            match self.with_memory(hardware, |memory, access| memory.keep(access, &frame)) {
                Ok(kept) => seq = Some(kept),
                Err(Trouble::Full) => return self.over("Results wait for the server, come back later: 0 T"),
                Err(_) => return self.over("Memory does not work, nothing was written: 0 T"),
            }
        }
        let mut todo: VecDeque<_> = card.content.repairs(&card.blocks).collect();
        todo.extend(credited(&card.content, sold, order.number).writes());
        self.visit = Visit::Crediting(Credit { card, order, sold, todo, seq, touched: false });
        // While the memory was at work the card may have gone: what waits is looked at first.
        let at = self.at();
        self.timers.set(TOUCH, at);
    }

    /// Writes the next block.
    pub(crate) fn touch(&mut self) {
        let at = self.at();
        let next = match &mut self.visit {
            Visit::Crediting(credit) => {
                credit.touched |= credit.todo.len() <= BLOCKS;
                credit.todo.front().copied()
            }
            Visit::Mending(todo, tell) => {
                let (next, tell) = (todo.front().copied(), tell.clone());
                if next.is_none() {
                    self.over(&tell);
                }
                next
            }
            _ => None,
        };
        if let Some((block, data)) = next {
            self.radio.write_block(at, block, data);
        }
    }

    pub(crate) fn block_was_written(&mut self, outcome: WriteOutcome, hardware: &mut Hardware) {
        let good = outcome == WriteOutcome::Verified;
        match &mut self.visit {
            Visit::Mending(todo, _) if good => {
                todo.pop_front();
                self.touch();
            }
            Visit::Mending(..) => self.over("Please see the office: 0 T"),
            Visit::Crediting(credit) if good => {
                credit.todo.pop_front();
                if !credit.todo.is_empty() {
                    self.touch();
                } else if let Visit::Crediting(credit) = std::mem::replace(&mut self.visit, Visit::None) {
                    self.credit_stands(&credit, hardware);
                }
            }
            Visit::Crediting(_) => {
                let Visit::Crediting(credit) = std::mem::replace(&mut self.visit, Visit::None) else {
                    return;
                };
                // The first block still as it was: nothing has happened to the card.
                let unharmed = credit.todo.len() == BLOCKS && matches!(outcome, WriteOutcome::StillOld(_));
                let touched = credit.touched && !unharmed;
                self.credit_failed(credit, touched, hardware);
            }
            _ => {}
        }
    }

    fn credit_stands(&mut self, credit: &Credit, hardware: &mut Hardware) {
        match credit.seq {
            // A mark that cannot be set leaves a doubt, which the server clears up at the card's next visit.
            Some(seq) => {
                let _proven = self.with_memory(hardware, |memory, access| memory.prove(access, seq));
            }
            None => {
                let frame = self.result(&credit.card, credit.order, WriteResult::Written, credit.sold);
                self.requests.results.push_back(frame);
            }
        }
        self.note("credited");
        self.over(&format!("Thank you: {} T", credit.order.volume));
    }

    fn credit_failed(&mut self, credit: Credit, touched: bool, hardware: &mut Hardware) {
        let Credit { card, order, sold, seq, .. } = credit;
        if !touched {
            if let Some(seq) = seq {
                // If the memory has fallen silent the result goes out as a doubt at the next boot.
                let _settled = self.with_memory(hardware, |memory, access| memory.settle(access, seq));
            }
            self.radio_off();
            self.report_failed(&card, order);
            return;
        }
        if seq.is_none() {
            let frame = self.result(&card, order, WriteResult::InDoubt, sold);
            self.requests.results.push_back(frame);
        }
        self.note("a credit is in doubt");
        self.over(&format!("Please present the card again: {} T in doubt", order.volume));
    }

    /// Nothing has happened to the card, and the server shall know.
    fn report_failed(&mut self, card: &Card, order: Order) {
        let frame = self.result(card, order, WriteResult::Failed, card.content.sold);
        self.requests.results.push_back(frame);
        self.over("Nothing was written: 0 T");
    }
}
