//! Messages that need `001` and no more: power-on, a card shown, keys, confirmations.

use super::announce::Announcement;
use super::board::TerminalParts;
use super::exchange::Exchange;
use super::firmware::Terminal;
use super::policy::{Confirms, SeqOnRepeat};
use super::port;
use crate::card::number::CardNumber;
use crate::digest::Digest;
use crate::pos::frame::{Confirmed, DeviceMessage, SaleTime, Seq};

/// A message that waits for `001`.
#[derive(Clone, Debug)]
pub(super) struct Notice {
    message: DeviceMessage,
    pub(super) exchange: Exchange,
    /// What it asked for has come before its `001`.
    answered: bool,
}

impl Notice {
    pub(super) fn digest(&self, into: &mut Digest) {
        self.exchange.digest(into);
        into.flag(self.answered);
    }

    /// Whether a person waits for what comes of it.
    const fn is_asked(&self) -> bool {
        !self.answered && matches!(self.message, DeviceMessage::Tap { .. } | DeviceMessage::Keys { .. })
    }
}

impl Terminal {
    /// Sends a message and waits for its `001`.
    fn give_notice(&mut self, seq: u32, message: DeviceMessage) {
        if self.notices.len() >= self.config.times.notices_max {
            self.notices.pop_front();
        }
        let mut exchange = Exchange::resting(seq, message.to_bytes(), self.at);
        exchange.sent(self.at, &self.config.times);
        self.transmit(port::NET, exchange.bytes.clone());
        self.notices.push_back(Notice { message, exchange, answered: false });
    }

    /// 101: power-on, and the answer to 002.
    pub(super) fn tell_power_on(&mut self, parts: &TerminalParts) {
        let seq = self.next_seq();
        let reads = parts.clock.reads(self.clock_now(), self.config.policy.lost_clock);
        let at = reads.wall().map(SaleTime::at).ok_or_else(|| reads.to_string().into_bytes().into());
        self.give_notice(seq, DeviceMessage::PowerOn { head: self.head(seq), at });
    }

    /// 102.
    pub(super) fn show_card(&mut self, card: CardNumber) {
        let seq = self.next_seq();
        self.give_notice(seq, DeviceMessage::Tap { head: self.head(seq), card: Ok(card) });
    }

    /// 106.
    pub(super) fn tell_keys(&mut self, keys: &[u8]) {
        let seq = self.next_seq();
        self.give_notice(seq, DeviceMessage::Keys { head: self.head(seq), keys: keys.into() });
    }

    /// 109.
    ///
    /// Source: POS-A4.
    pub(super) fn confirm(&mut self, what: Confirmed, key: &[u8], datagram: &[u8]) {
        match self.config.policy.confirms {
            Confirms::EachTime => {}
            Confirms::FirstTime if self.confirmed.insert(datagram.to_vec()) => {}
            Confirms::FirstTime | Confirms::Never => return,
        }
        let seq = self.next_seq();
        self.give_notice(seq, DeviceMessage::Confirm { head: self.head(seq), what, key: key.into() });
    }

    /// 100, which nobody acknowledges.
    pub(super) fn tell_presence(&mut self) {
        let addresses = &self.config.addresses;
        let (port, serial) = (addresses.port, self.config.serial.clone());
        let printed = [addresses.terminal, addresses.mask, addresses.gateway, addresses.server].map(Ok);
        let seq = Seq::counted(self.next_seq());
        self.send(&DeviceMessage::Present { seq, addresses: printed, port, serial });
    }

    /// `001` to one of these; false if it is to none.
    pub(super) fn notice_acknowledged(&mut self, seq: &Seq) -> bool {
        let named = |notice: &Notice| Seq::counted(notice.exchange.seq) == *seq;
        let Some(at) = self.notices.iter().position(named) else { return false };
        if let Some(notice) = self.notices.remove(at)
            && matches!(notice.message, DeviceMessage::Tap { .. })
            && !notice.answered
        {
            self.asked = Some(self.at + self.config.times.reply_timeout);
        }
        true
    }

    /// 009 has come: whoever showed a card waits no longer.
    pub(super) fn question_answered(&mut self) {
        self.asked = None;
        for notice in &mut self.notices {
            notice.answered |= matches!(notice.message, DeviceMessage::Tap { .. });
        }
    }

    /// Repeats what is due, and gives up what was repeated often enough.
    pub(super) fn notices_due(&mut self) {
        let now = self.now.mono;
        let mut at = 0;
        while at < self.notices.len() {
            if self.notices[at].exchange.due() > now {
                at += 1;
            } else if self.notices[at].exchange.may_send(self.config.policy.sends, &self.config.times) {
                self.repeat_notice(at);
                at += 1;
            } else if self.notices.remove(at).is_some_and(|notice| notice.is_asked()) {
                self.announce(Announcement::NetworkFault);
            }
        }
    }

    fn repeat_notice(&mut self, at: usize) {
        let seq = match self.config.policy.repeat_seq {
            SeqOnRepeat::Same => None,
            SeqOnRepeat::New => Some(self.next_seq()),
        };
        let notice = &mut self.notices[at];
        if let Some(seq) = seq {
            notice.exchange.seq = seq;
            if let Some(head) = notice.message.head_mut() {
                head.seq = Seq::counted(seq);
            }
            notice.exchange.bytes = notice.message.to_bytes();
        }
        notice.exchange.sent(self.at, &self.config.times);
        let bytes = notice.exchange.bytes.clone();
        self.transmit(port::NET, bytes);
    }
}
