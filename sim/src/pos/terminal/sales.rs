//! A sale, from the card or the code to its end.
//!
//! It is written to flash before its first send, and marked there before anybody is told how it ended, and again
//! behind. What ends
//! without an answer is either booked, given up, or pending: pending after `001`, since then the server may charge.

use super::announce::Announcement;
use super::board::TerminalParts;
use super::clock::Stamp;
use super::config::TerminalEvent;
use super::entry::{Mark, Marks, Sale, SaleKind};
use super::exchange::{Exchange, Phase};
use super::firmware::Terminal;
use super::policy::{BookedWhen, PendingKept, PendingTime, Quiet, SeqOnRepeat, Stamping, WhilePending};
use super::port;
use super::store::StoreError;
use crate::card::number::CardNumber;
use crate::digest::Digest;
use crate::money::Fen;
use crate::pos::frame::{CodeNumber, DeviceMessage, Key, SaleTime};
use crate::time::{Span, Wall};

/// The sale under way.
#[derive(Clone, Debug)]
pub(super) struct SaleFlow {
    pub(super) sale: Sale,
    pub(super) exchange: Exchange,
    /// Its answer is overdue, or it was found at power-on.
    pub(super) pending: bool,
}

impl SaleFlow {
    pub(super) fn digest(&self, into: &mut Digest) {
        self.sale.digest(into);
        self.exchange.digest(into);
        into.flag(self.pending);
    }
}

/// How a sale ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// People were told that it was charged.
    Told,
    /// People were told that it was refused. A success may still follow: the refusal may have been that of a copy which
    /// was damaged on its way.
    Refused,
    /// It was booked off line.
    Booked,
    /// Nobody answered, or nobody was told.
    Untold,
}

/// The number of a sale that the terminal knows by its late success alone: its own are counted from 1.
pub(super) const NOT_OURS: u32 = 0;

/// A sale that is over.
#[derive(Clone, Debug)]
pub(super) struct Over {
    pub(super) key: Key,
    pub(super) amount: Fen,
    pub(super) number: u32,
    pub(super) outcome: Outcome,
}

impl Over {
    /// Whether the terminal remembers having made it.
    pub(super) const fn is_ours(&self) -> bool {
        self.number != NOT_OURS
    }

    pub(super) fn digest(&self, into: &mut Digest) {
        into.bytes(&self.key.to_bytes()).word(self.amount.0.cast_unsigned());
        into.word(u64::from(self.number)).word(self.outcome as u64);
    }
}

/// What an answer to a sale names.
pub(super) fn key_of(sale: &Sale) -> Key {
    match sale.kind {
        SaleKind::Pay | SaleKind::Count => Key::Card(sale.card),
        SaleKind::Scan => Key::Code(CodeNumber::new(sale.command_number())),
    }
}

/// A time as it is printed.
pub(super) fn printed(time: Stamp) -> Result<SaleTime, Box<[u8]>> {
    time.wall().map(SaleTime::at).ok_or_else(|| time.to_string().into_bytes().into())
}

impl Terminal {
    /// 103, 104 or 128.
    fn sale_message(&self, sale: &Sale, seq: u32) -> DeviceMessage {
        let (mut head, at, amount) = (self.head(seq), printed(sale.time), Ok(sale.amount));
        let (card, flag) = (Ok(sale.card), self.config.flag);
        match sale.kind {
            SaleKind::Pay => DeviceMessage::Pay { head, card, amount, at, flag },
            SaleKind::Count => DeviceMessage::Count { head, card, at, flag },
            SaleKind::Scan => {
                let scan = self.config.format.scan;
                head.serial = scan.serial.then(|| self.config.serial.clone());
                let flag = scan.flag.then(|| [flag.unwrap_or(b'0')].into());
                let number = CodeNumber::new(sale.command_number());
                DeviceMessage::Scan { head, number, amount, at, flag, code: sale.code.clone().into() }
            }
        }
    }

    /// A card or a code asks for a sale.
    pub(super) fn begin_sale(
        &mut self,
        kind: SaleKind,
        card: CardNumber,
        amount: Fen,
        code: &[u8],
        parts: &mut TerminalParts,
    ) {
        if let Some(SaleFlow { sale, pending, .. }) = &self.sale {
            let same = (sale.kind, sale.card, sale.amount, &sale.code[..]) == (kind, card, amount, code);
            match (self.config.policy.while_pending, same) {
                (_, true) if *pending && self.config.policy.while_pending != WhilePending::BeginsAnother => {
                    return self.continue_sale(parts);
                }
                (WhilePending::BeginsAnother, true) | (WhilePending::TakesItsPlace, false) if *pending => {
                    self.sale = None;
                    self.mark(Mark::Done, parts);
                }
                _ => return self.announce(Announcement::Wait),
            }
        }
        if kind != SaleKind::Scan && self.is_quiet(card) {
            return self.announce(Announcement::Wait);
        }
        let number = self.store.last().map_or(0, |(last, _)| last.number).wrapping_add(1);
        let time = self.stamp(parts);
        let seq = self.next_seq();
        let sale = Sale { number, kind, time, card, amount, seq, code: code.to_vec() };
        let bytes = self.sale_message(&sale, seq).to_bytes();
        if bytes.len() > self.config.format.datagram_max {
            return self.announce(Announcement::Unreadable);
        }
        let kept = match self.config.policy.pending {
            PendingKept::Durable => Marks::default(),
            // The entry still tells the last sale's time and number.
            PendingKept::Ram | PendingKept::UntilOverdue => Marks::with(&[Mark::Done]),
        };
        let entry = sale.clone();
        if let Err(why) = self.with_store(parts, |store, session| store.append(session, entry, kept)) {
            return self.announce(match why {
                StoreError::Full => Announcement::MemoryFull,
                StoreError::Silent | StoreError::BadInstallation => Announcement::MemoryFault,
            });
        }
        self.note(TerminalEvent::Begun(Self::about(&sale)));
        let exchange = Exchange::resting(seq, bytes, self.at);
        self.sale = Some(SaleFlow { sale, exchange, pending: false });
        self.send_sale(parts);
    }

    /// The time of a new sale.
    ///
    /// Source: POS-P8.
    fn stamp(&mut self, parts: &TerminalParts) -> Stamp {
        let reads = parts.clock.reads(self.clock_now(), self.config.policy.lost_clock);
        let Some(wall) = reads.wall() else { return reads };
        let last = match self.config.policy.stamping {
            Stamping::StrictlyIncreasing => self.store.last().and_then(|(last, _)| last.time.wall()),
            Stamping::IncreasingUntilPowerLoss => self.last_us.map(Wall::from_us),
            Stamping::Clock => None,
        };
        let wall = last.map_or(wall, |last| wall.max(last.stepped(1_000_000)));
        if self.config.policy.stamping == Stamping::IncreasingUntilPowerLoss {
            self.last_us = Some(wall.as_us());
        }
        Stamp::of(wall)
    }

    /// A pending sale that was found at power-on is repeated, and the last one's card rests.
    pub(super) fn take_up_sale(&mut self) {
        let Some((last, marks)) = self.store.last() else { return };
        let (sale, pending) = (last.clone(), Sale::is_pending(marks));
        if sale.kind != SaleKind::Scan {
            self.rest_card(sale.card, self.config.times.quiet);
        }
        if pending {
            self.note(TerminalEvent::Found(Self::about(&sale)));
            let bytes = self.sale_message(&sale, sale.seq).to_bytes();
            let exchange = Exchange::resting(sale.seq, bytes, self.at);
            self.sale = Some(SaleFlow { sale, exchange, pending: true });
        } else {
            // Done and no more: power went between its end and the words, and an answer is not yet told.
            let outcome = if marks.has(Mark::Told) {
                Outcome::Told
            } else if marks.has(Mark::Refused) {
                Outcome::Refused
            } else if marks.has(Mark::Booked) {
                Outcome::Booked
            } else {
                Outcome::Untold
            };
            self.remember(&sale, outcome);
        }
    }

    /// A tap with the same card and amount: the next round begins now.
    fn continue_sale(&mut self, parts: &TerminalParts) {
        let resting = self.sale.as_ref().is_some_and(|flow| matches!(flow.exchange.phase, Phase::Resting(_)));
        if resting {
            self.send_sale(parts);
        } else {
            self.announce(Announcement::Wait);
        }
    }

    /// The sale's message leaves, for the first time or again.
    fn send_sale(&mut self, parts: &TerminalParts) {
        let Some(mut flow) = self.sale.take() else { return };
        let again = flow.pending || flow.exchange.is_sent();
        let anew = flow.pending && !flow.exchange.is_sent();
        if anew && self.config.policy.pending_time == PendingTime::OfTheRepeat {
            flow.sale.time = self.stamp(parts);
            flow.exchange.bytes = self.sale_message(&flow.sale, flow.exchange.seq).to_bytes();
        }
        if again && self.config.policy.repeat_seq == SeqOnRepeat::New {
            flow.exchange.seq = self.next_seq();
            flow.exchange.bytes = self.sale_message(&flow.sale, flow.exchange.seq).to_bytes();
        }
        flow.exchange.sent(self.at, &self.config.times);
        self.transmit(port::NET, flow.exchange.bytes.clone());
        if flow.sale.kind != SaleKind::Scan {
            self.rest_card(flow.sale.card, self.config.times.quiet);
        }
        self.sale = Some(flow);
    }

    /// What was waited for has not come.
    pub(super) fn sale_due(&mut self, parts: &mut TerminalParts) {
        let Some(flow) = &self.sale else { return };
        match flow.exchange.phase {
            Phase::Sent(_) if !flow.exchange.may_send(self.config.policy.sends, &self.config.times) => {
                self.sale_unanswered(parts);
            }
            Phase::Sent(_) | Phase::Resting(_) => self.send_sale(parts),
            Phase::Acknowledged(_) => self.sale_overdue(parts),
        }
    }

    /// A round has ended without `001`.
    fn sale_unanswered(&mut self, parts: &mut TerminalParts) {
        let Some(flow) = &mut self.sale else { return };
        if flow.pending {
            flow.exchange.rest(self.at, &self.config.times);
            return;
        }
        let Some(SaleFlow { sale, .. }) = self.sale.take() else { return };
        if self.may_book(&sale) {
            self.book(sale, parts);
        } else {
            self.give_up(&sale, Announcement::NetworkFault, parts);
        }
    }

    /// `001` has come, and no answer.
    ///
    /// Source: POS-P3.
    fn sale_overdue(&mut self, parts: &mut TerminalParts) {
        let Some(flow) = &mut self.sale else { return };
        if flow.pending {
            flow.exchange.rest(self.at, &self.config.times);
            return;
        }
        flow.pending = true;
        flow.exchange.phase = Phase::Resting(self.at + self.config.times.round);
        let sale = flow.sale.clone();
        self.note(TerminalEvent::Overdue(Self::about(&sale)));
        if self.config.policy.booked_when == BookedWhen::Overdue && self.may_book(&sale) {
            self.sale = None;
            return self.book(sale, parts);
        }
        if self.config.policy.pending == PendingKept::UntilOverdue {
            self.sale = None;
            self.remember(&sale, Outcome::Untold);
        }
        self.announce(Announcement::NetworkFault);
    }

    /// Nobody knows of the sale, as far as can be known here.
    pub(super) fn give_up(&mut self, sale: &Sale, what: Announcement, parts: &mut TerminalParts) {
        self.mark(Mark::Done, parts);
        self.note(TerminalEvent::GivenUp(Self::about(sale)));
        self.remember(sale, Outcome::Untold);
        self.announce(what);
    }

    /// Marks the newest sale in flash. A part that fails is noted, and the sale goes on.
    pub(super) fn mark(&mut self, mark: Mark, parts: &mut TerminalParts) {
        // What fails was noted; the mark is tried again when the sale is found at power-on.
        let _noted = self.with_store(parts, |store, session| store.mark(session, mark));
    }

    pub(super) fn remember(&mut self, sale: &Sale, outcome: Outcome) {
        let answered = matches!(outcome, Outcome::Told | Outcome::Refused);
        if !answered && sale.kind != SaleKind::Scan {
            self.rest_card(sale.card, self.config.times.quiet_unanswered);
        }
        let (key, amount, number) = (key_of(sale), sale.amount, sale.number);
        self.remember_over(Over { key, amount, number, outcome });
    }

    pub(super) fn remember_over(&mut self, over: Over) {
        if self.recent.len() >= self.config.times.recent_max {
            self.recent.pop_front();
        }
        self.recent.push_back(over);
    }

    /// The card begins no sale while a packet of its last may be under way.
    pub(super) fn rest_card(&mut self, card: CardNumber, span: Span) {
        let at = self.at;
        let rested = self.quiet.iter().find(|(other, _)| *other == card).map_or(at, |(_, until)| *until);
        self.quiet.retain(|(other, until)| *other != card && *until > at);
        self.quiet.push((card, rested.max(at + span)));
    }

    fn is_quiet(&self, card: CardNumber) -> bool {
        let rests = |(other, until): &(CardNumber, _)| *other == card && *until > self.at;
        self.config.policy.quiet == Quiet::SameCard && self.quiet.iter().any(rests)
    }
}
