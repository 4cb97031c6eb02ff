//! What the server says.

use super::announce::{Announcement, Sound};
use super::board::TerminalParts;
use super::clock::Stamp;
use super::config::{About, TerminalEvent};
use super::entry::{Mark, SaleKind};
use super::exchange::Phase;
use super::firmware::Terminal;
use super::policy::{AnswerMatch, Discovery, LateDone, Malformed, SetClock, SuccessWhen, TextScan};
use super::sales::{NOT_OURS, Outcome, Over, SaleFlow, key_of};
use super::upload::Deletion;
use crate::card::number::CardNumber;
use crate::money::Fen;
use crate::pos::frame::{self, Confirmed, Cue, Key, MachineNumber, Read, SaleTime, Seq, ServerMessage, text};

/// The number in a sequence number of our own.
fn counted(seq: &Seq) -> Option<u32> {
    let digits = seq.as_bytes();
    let sound = digits.len() == 5 && digits.iter().all(u8::is_ascii_digit);
    sound.then(|| digits.iter().fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0')))
}

impl Terminal {
    /// Takes a datagram.
    pub(super) fn hear_server(&mut self, bytes: &[u8], parts: &mut TerminalParts) {
        let message = match ServerMessage::parse(bytes, &self.config.format) {
            Ok(message) => message,
            Err(why) => {
                self.note(TerminalEvent::Ignored(why));
                if self.config.policy.malformed == Malformed::Stops {
                    self.stopped = true;
                    self.note(TerminalEvent::Stopped);
                }
                return;
            }
        };
        match message {
            ServerMessage::Discover if self.config.policy.discovery == Discovery::Answered => {
                self.tell_presence();
            }
            ServerMessage::Discover => {}
            ServerMessage::Ack { seq } => self.acknowledged(&seq, parts),
            ServerMessage::AskClock { machine } if self.is_mine(machine) => self.tell_power_on(parts),
            ServerMessage::SetClock { machine, at } if self.is_mine(machine) => self.set_clock(at, parts),
            ServerMessage::Refused { machine, key, text, cue } if self.is_mine(machine) => {
                let told = self.refused(&key, &text, cue, parts);
                self.confirm(Confirmed::Refused, &key.to_bytes(), bytes);
                self.mark_told(told, Mark::Refused, parts);
            }
            ServerMessage::Done { machine, key, amount, .. }
                if self.is_mine(machine) && self.is_spoilt(&key, &amount) =>
            {
                self.note(TerminalEvent::Ignored(frame::Malformed::Field));
            }
            ServerMessage::Done { machine, key, amount, text, cue } if self.is_mine(machine) => {
                let told = self.done(&key, &amount, &text, cue, parts);
                self.confirm(Confirmed::Done, &key.to_bytes(), bytes);
                self.mark_told(told, Mark::Told, parts);
            }
            ServerMessage::Display { machine, text, cue } if self.is_mine(machine) => {
                self.question_answered();
                self.show_text(&text, cue);
                self.confirm(Confirmed::Display, machine.to_string().as_bytes(), bytes);
            }
            ServerMessage::Delete { machine, card, amount, at, address } if self.is_mine(machine) => {
                self.delete(Deletion { card: &card, amount: &amount, at: &at, address }, parts);
            }
            ServerMessage::AskClock { .. }
            | ServerMessage::SetClock { .. }
            | ServerMessage::Refused { .. }
            | ServerMessage::Done { .. }
            | ServerMessage::Display { .. }
            | ServerMessage::Delete { .. } => {}
        }
    }

    fn is_mine(&self, machine: MachineNumber) -> bool {
        self.installed.as_ref().is_some_and(|installed| installed.machine == machine)
    }

    /// 001.
    fn acknowledged(&mut self, seq: &Seq, parts: &mut TerminalParts) {
        let Some(number) = counted(seq) else { return };
        if let Some(flow) = &mut self.sale
            && flow.exchange.is_sent()
            && flow.exchange.seq == number
        {
            flow.exchange.phase = Phase::Acknowledged(self.at + self.config.times.reply_timeout);
            if self.config.policy.success == SuccessWhen::Acknowledged {
                let amount = flow.sale.amount;
                let told = self.end_sale(TerminalEvent::Paid, Outcome::Told, parts);
                self.announce(Announcement::Paid(amount));
                self.mark_told(told, Mark::Told, parts);
            }
        } else if self
            .upload
            .as_ref()
            .is_some_and(|flow| flow.exchange.is_sent() && flow.exchange.seq == number)
        {
            self.upload_acknowledged(parts);
        } else {
            self.notice_acknowledged(seq);
        }
    }

    /// 003.
    ///
    /// Source: POS-K2.
    fn set_clock(&mut self, at: Read<SaleTime>, parts: &mut TerminalParts) {
        let now = self.clock_now();
        let to = match at {
            Ok(at) => Some(Stamp::of(at.wall())),
            Err(bytes) => Stamp::parse(&bytes),
        };
        let Some(to) = to else { return };
        match self.config.policy.set_clock {
            SetClock::IfPossible if parts.clock.set(now, to) => self.note(TerminalEvent::ClockSet(to)),
            SetClock::Bends => {
                parts.clock.set_bent(now, to);
                self.note(TerminalEvent::ClockSet(to));
            }
            SetClock::IfPossible | SetClock::Ignores => {}
        }
    }

    fn show_text(&mut self, bytes: &[u8], cue: Cue) {
        let runs = match self.config.policy.text {
            TextScan::GbkAware => text::runs(bytes),
            TextScan::Bytewise => text::runs_bytewise(bytes),
        };
        self.show(&text::one_line(&runs), Sound { beep: cue.beep, voice: cue.voice });
    }

    /// Whether an answer is one to the sale under way.
    fn is_answer(&self, key: &Key, amount: Option<&Read<Fen>>) -> bool {
        let Some(SaleFlow { sale, .. }) = &self.sale else { return false };
        let named = key_of(sale) == *key;
        let paid = amount.is_none_or(|amount| *amount == Ok(sale.amount));
        match self.config.policy.answers {
            AnswerMatch::Whole => named && paid,
            AnswerMatch::AnyAmount => named,
            AnswerMatch::MachineOnly => true,
        }
    }

    /// Whether an 008 names the sale under way, or sales that are over, with an amount that is none of theirs.
    ///
    /// Why: the amount was damaged on its way. Confirmed, it would not come again: the sale would wait for ever, or
    /// nobody would be told that it is charged after all.
    fn is_spoilt(&self, key: &Key, amount: &Read<Fen>) -> bool {
        if self.config.policy.answers != AnswerMatch::Whole {
            return false;
        }
        if self.is_answer(key, None) {
            return !self.is_answer(key, Some(amount));
        }
        let mut named = self.recent.iter().filter(|over| over.key == *key && over.is_ours()).peekable();
        named.peek().is_some() && named.all(|over| *amount != Ok(over.amount))
    }

    /// The sale under way is over; its number.
    fn end_sale(
        &mut self,
        end: fn(About) -> TerminalEvent,
        outcome: Outcome,
        parts: &mut TerminalParts,
    ) -> Option<u32> {
        let SaleFlow { sale, .. } = self.sale.take()?;
        self.mark(Mark::Done, parts);
        self.remember(&sale, outcome);
        self.note(end(Self::about(&sale)));
        Some(sale.number)
    }

    /// People were told how a sale ended.
    ///
    /// Why: a cut between its end and the words must not leave it for told, and an answer that comes again then has
    /// to be told.
    fn mark_told(&mut self, number: Option<u32>, mark: Mark, parts: &mut TerminalParts) {
        if number.is_some() && self.store.last().map(|(last, _)| last.number) == number {
            self.mark(mark, parts);
        }
    }

    /// 006. The number of the sale that people were told of.
    fn refused(&mut self, key: &Key, text: &[u8], cue: Cue, parts: &mut TerminalParts) -> Option<u32> {
        if let Key::Card(card) = key {
            self.rest_card(*card, self.config.times.quiet);
        }
        if !self.is_answer(key, None) {
            return None;
        }
        let number = self.end_sale(TerminalEvent::Refused, Outcome::Refused, parts);
        self.show_text(text, cue);
        number
    }

    /// 008. The number of the sale that people were told of.
    ///
    /// Source: POS-P2, POS-P3.
    fn done(
        &mut self,
        key: &Key,
        amount: &Read<Fen>,
        text: &[u8],
        cue: Cue,
        parts: &mut TerminalParts,
    ) -> Option<u32> {
        if let Key::Card(card) = key {
            self.rest_card(*card, self.config.times.quiet);
        }
        let interim = matches!(key, Key::Code(_)) && cue.secs == self.config.times.interim_secs;
        let interim = interim && self.config.policy.success != SuccessWhen::AnyDone;
        if !self.is_answer(key, Some(amount)) {
            let amount = amount.as_ref().ok().filter(|_| !interim)?;
            return self.done_late(key, *amount);
        }
        let scan = self.sale.as_ref().is_some_and(|flow| flow.sale.kind == SaleKind::Scan);
        let mut number = None;
        if interim && scan {
            let until = self.at + self.config.times.interim_timeout;
            if let Some(flow) = &mut self.sale {
                flow.exchange.phase = Phase::Acknowledged(until);
            }
        } else {
            number = self.end_sale(TerminalEvent::Paid, Outcome::Told, parts);
        }
        self.show_text(text, cue);
        number
    }

    /// Success for a sale that is over. Its number, if people were told now.
    ///
    /// Source: POS-I1.
    fn done_late(&mut self, key: &Key, amount: Fen) -> Option<u32> {
        let named = |over: &&mut Over| over.key == *key && over.amount == amount;
        let was = self.recent.iter_mut().rev().find(named).map(|over| {
            let was = (over.outcome, over.number);
            over.outcome = Outcome::Told;
            was
        });
        if matches!(was, Some((Outcome::Told, _))) {
            return None;
        }
        let card = if let Key::Card(card) = key { *card } else { CardNumber::default() };
        let shown = match (was, self.config.policy.late) {
            (Some((Outcome::Booked, _)), _) | (_, LateDone::ConfirmedSilently) => false,
            (Some((Outcome::Refused, _)), late) => late == LateDone::Shown,
            (_, LateDone::Shown | LateDone::SilentAfterRefusal) => true,
        };
        if shown {
            self.announce(Announcement::ChargedLate(card, amount));
        }
        if was.is_none() {
            // The server may send it again.
            self.remember_over(Over { key: key.clone(), amount, number: NOT_OURS, outcome: Outcome::Told });
        }
        self.note(TerminalEvent::ChargedLate { card, amount });
        was.map(|(_, number)| number)
    }
}
