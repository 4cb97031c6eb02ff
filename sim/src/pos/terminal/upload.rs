//! Records on their way to the server, one at a time.

use super::board::TerminalParts;
use super::config::TerminalEvent;
use super::entry::{Sale, SaleKind};
use super::exchange::{Exchange, Phase};
use super::firmware::Terminal;
use super::policy::{DeleteMatch, DeleteWhen, SeqOnRepeat, Upload};
use super::port;
use super::sales::printed;
use crate::digest::Digest;
use crate::pos::frame::{DeviceMessage, Mode, RecordAddress, SaleTime};
use crate::time::Instant;

/// The record that is being uploaded.
#[derive(Clone, Debug)]
pub(super) struct UploadFlow {
    pub(super) record: Sale,
    pub(super) exchange: Exchange,
    /// Records before it that are not deleted yet, where the design does not wait for that.
    passed: Vec<Sale>,
}

impl UploadFlow {
    pub(super) fn digest(&self, into: &mut Digest) {
        self.record.digest(into);
        self.exchange.digest(into);
        into.word(self.passed.len() as u64);
        for record in &self.passed {
            record.digest(into);
        }
    }
}

/// What an 011 names.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deletion<'a> {
    pub(super) card: &'a [u8],
    pub(super) amount: &'a [u8],
    pub(super) at: &'a [u8],
    pub(super) address: RecordAddress,
}

impl Deletion<'_> {
    /// Whether it names this record.
    ///
    /// Source: POS-R2.
    fn names(&self, record: &Sale, rule: DeleteMatch) -> bool {
        let address = self.address.get() == record.address();
        let money = self.card == record.card.digits() && self.amount == record.amount.to_string().as_bytes();
        let own_time = self.at == record.time.to_string().as_bytes();
        let sentinel = self.at == SaleTime::IMPOSSIBLE && record.time.wall().is_none();
        match rule {
            DeleteMatch::Whole if record.time.wall().is_none() => address && money && sentinel,
            DeleteMatch::Whole | DeleteMatch::WithoutSentinel => address && money && own_time,
            DeleteMatch::AnyTime => address && money,
            DeleteMatch::AddressOnly => address,
            DeleteMatch::Anything => true,
        }
    }
}

impl Terminal {
    /// At power-on: records that were found are uploaded at once.
    pub(super) fn take_up_records(&mut self, parts: &mut TerminalParts) {
        self.next_upload(self.at, Vec::new(), parts);
    }

    /// A record was booked: the next round is as far away as any.
    pub(super) fn expect_upload(&mut self, parts: &mut TerminalParts) {
        if self.upload.is_none() && self.config.policy.upload != Upload::AtPowerOn {
            self.next_upload(self.at + self.config.times.round, Vec::new(), parts);
        }
    }

    /// Takes up the oldest record behind those that were passed, and sends it at `at`.
    fn next_upload(&mut self, at: Instant, passed: Vec<Sale>, parts: &mut TerminalParts) {
        let (nth, stored) = (passed.len(), self.store.records_len());
        let record = if nth < stored {
            self.with_store(parts, |store, session| store.read_record(session, nth)).ok().flatten()
        } else {
            self.volatile.get(nth - stored).cloned()
        };
        self.upload = record.map(|record| {
            let exchange = Exchange::resting(record.seq, Vec::new(), at);
            UploadFlow { record, exchange, passed }
        });
        if self.upload.is_some() && at <= self.at {
            self.send_record();
        }
    }

    /// 105: a new round begins, or the message leaves again.
    fn send_record(&mut self) {
        let Some(mut flow) = self.upload.take() else { return };
        if !flow.exchange.is_sent() || self.config.policy.repeat_seq == SeqOnRepeat::New {
            flow.exchange.seq = self.next_seq();
            let record = &flow.record;
            let message = DeviceMessage::Record {
                head: self.head(flow.exchange.seq),
                card: Ok(record.card),
                amount: Ok(record.amount),
                at: printed(record.time),
                mode: if record.kind == SaleKind::Count { Mode::Count } else { Mode::Money },
                address: RecordAddress::new(record.address()),
                total: u32::try_from(self.records_len()).unwrap_or(u32::MAX),
            };
            flow.exchange.bytes = message.to_bytes();
        }
        flow.exchange.sent(self.at, &self.config.times);
        self.transmit(port::NET, flow.exchange.bytes.clone());
        self.upload = Some(flow);
    }

    /// What was waited for has not come.
    pub(super) fn upload_due(&mut self, parts: &mut TerminalParts) {
        let Some(flow) = &mut self.upload else { return };
        let more = flow.exchange.may_send(self.config.policy.sends, &self.config.times);
        match flow.exchange.phase {
            Phase::Sent(_) if !more && self.config.policy.upload == Upload::AtPowerOn => self.upload = None,
            Phase::Sent(_) if !more => flow.exchange.rest(self.at, &self.config.times),
            Phase::Acknowledged(_) if !flow.passed.is_empty() => self.next_upload(self.at, Vec::new(), parts),
            Phase::Sent(_) | Phase::Acknowledged(_) | Phase::Resting(_) => self.send_record(),
        }
    }

    /// `001` to the record; its 011 is waited for until the next round.
    pub(super) fn upload_acknowledged(&mut self, parts: &mut TerminalParts) {
        let Some(flow) = &mut self.upload else { return };
        flow.exchange.phase =
            Phase::Acknowledged((flow.exchange.round + self.config.times.round).max(self.at));
        let record = flow.record.clone();
        if self.config.policy.delete_when == DeleteWhen::Acknowledged {
            self.delete_record(&record, parts);
        } else if self.config.policy.upload == Upload::NextOnAcknowledge
            && flow.passed.len() + 1 < self.store.records_len() + self.volatile.len()
        {
            let mut passed = std::mem::take(&mut flow.passed);
            passed.push(record);
            self.next_upload(self.at, passed, parts);
        }
    }

    /// 011.
    pub(super) fn delete(&mut self, deletion: Deletion<'_>, parts: &mut TerminalParts) {
        let Some(flow) = &mut self.upload else { return };
        let rule = self.config.policy.delete;
        // A record that was not sent in this life is not deleted either.
        if flow.exchange.bytes.is_empty() {
            return;
        }
        if let Some(at) = flow.passed.iter().position(|record| deletion.names(record, rule)) {
            let record = flow.passed.remove(at);
            self.forget_record(&record, parts);
        } else if deletion.names(&flow.record, rule) {
            let record = flow.record.clone();
            self.delete_record(&record, parts);
        }
    }

    /// Deletes the record that is being uploaded, and sends the next.
    fn delete_record(&mut self, record: &Sale, parts: &mut TerminalParts) {
        let passed = self.upload.take().map(|flow| flow.passed).unwrap_or_default();
        self.forget_record(record, parts);
        self.next_upload(self.at, passed, parts);
    }

    fn forget_record(&mut self, record: &Sale, parts: &mut TerminalParts) {
        let before = self.records_len();
        let number = record.number;
        if self.with_store(parts, |store, session| store.delete(session, number)).is_err() {
            return;
        }
        if self.records_len() == before {
            self.volatile.retain(|other| other.number != number);
        }
        self.note(TerminalEvent::Deleted(RecordAddress::new(record.address())));
    }
}
