//! One request at a time: what is sent, how often, and what counts as its answer.

use super::announce::Announcement;
use super::board::TerminalParts;
use super::firmware::{Stage, Terminal, TerminalEvent, timer};
use super::policy::{
    AnswerMatch, CacheWhen, DeleteWhen, Drain, OnBootMiss, OnNegative, OnTimeout, Unverified,
};
use super::store::Record;
use crate::digest::Digest;
use crate::time::Now;
use crate::water::frame::{Answer, Kind, MachineNumber, Message, RawFrame, Request, WriteResult, word};
use crate::water::tariff::Pricing;
use crate::wire::Wire;

/// A result that is not in the EEPROM: its frame, byte for byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Upload {
    pub(super) frame: Vec<u8>,
}

impl Upload {
    pub(super) fn digest(&self, into: &mut Digest) {
        into.bytes(&self.frame);
    }
}

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Job {
    Heartbeat,
    OrderRequest,
    /// A record's upload, by its number; or the oldest in RAM.
    Upload(Option<u16>),
    FaultReport,
}

/// The outstanding request.
#[derive(Clone, Debug)]
pub(super) struct Exchange {
    job: Job,
    frame: Vec<u8>,
    message: Message,
    sends: u8,
    refused: u8,
    /// Handed to the modem on the connection that stands.
    on_wire: bool,
}

impl Exchange {
    pub(super) fn digest(&self, into: &mut Digest) {
        into.bytes(&self.frame).word(u64::from(self.sends)).word(u64::from(self.refused)).flag(self.on_wire);
        match self.job {
            Job::Heartbeat => into.word(0),
            Job::OrderRequest => into.word(1),
            Job::Upload(None) => into.word(2),
            Job::Upload(Some(seq)) => into.word(3).word(u64::from(seq)),
            Job::FaultReport => into.word(4),
        };
    }
}

impl Terminal {
    /// Begins the next request if none is outstanding and the connection stands.
    pub(super) fn begin_next(&mut self) {
        if self.exchange.is_some() || !self.client.as_ref().is_some_and(crate::modem::client::Client::is_up) {
            return;
        }
        let Some((job, frame)) = self.next_job() else { return };
        let Ok(message) = self.meaning(&frame) else { return };
        self.exchange = Some(Exchange { job, frame, message, sends: 0, refused: 0, on_wire: false });
        self.timers.set(timer::ANSWER, self.at + self.answer_timeout());
        self.put_on_wire();
    }

    fn answer_timeout(&self) -> crate::time::Span {
        let timeout = self.config.times.answer_timeout;
        match (self.stage, self.config.policy.boot) {
            (Stage::Booting { .. }, OnBootMiss::Impatient) => timeout.shortened(2),
            _ => timeout,
        }
    }

    fn next_job(&mut self) -> Option<(Job, Vec<u8>)> {
        let flat = Pricing::Flat;
        if matches!(self.stage, Stage::Booting { .. } | Stage::InitFailed) {
            if !std::mem::take(&mut self.heartbeat_due) {
                return None;
            }
            return Some((Job::Heartbeat, self.frame_of(flat, Request::Heartbeat)));
        }
        if let Some((pricing, request)) =
            self.topup.as_ref().and_then(|topup| topup.question(self.config.policy.types))
        {
            return Some((Job::OrderRequest, self.frame_of(pricing, request)));
        }
        if !self.parked
            && let Some(upload) = self.next_upload()
        {
            return Some(upload);
        }
        if std::mem::take(&mut self.heartbeat_due) {
            return Some((Job::Heartbeat, self.frame_of(flat, Request::Heartbeat)));
        }
        let (part, code) = self.fault_due.take()?;
        let request = Request::FaultReport { part: part.to_owned(), code };
        Some((Job::FaultReport, self.frame_of(flat, request)))
    }

    fn next_upload(&self) -> Option<(Job, Vec<u8>)> {
        if let Some(upload) = self.volatile.front() {
            return Some((Job::Upload(None), upload.frame.clone()));
        }
        let busy_with = self.topup.as_ref().and_then(|topup| topup.record());
        let record = self.store.records().iter().find(|record| {
            let forgotten = !record.verified && self.config.policy.unverified == Unverified::Forgotten;
            Some(record.seq) != busy_with && !forgotten
        })?;
        Some((Job::Upload(Some(record.seq)), self.record_frame(record)))
    }

    /// A record as it is sent: bit for bit if the card was read back, and as one in doubt otherwise.
    fn record_frame(&self, record: &Record) -> Vec<u8> {
        if record.verified || self.config.policy.unverified == Unverified::Written {
            return record.frame.clone();
        }
        self.with_result(&record.frame, WriteResult::InDoubt).unwrap_or_else(|| record.frame.clone())
    }

    pub(super) fn with_result(&self, frame: &[u8], result: WriteResult) -> Option<Vec<u8>> {
        match self.meaning(frame) {
            Ok(Message::Request { pricing, request: Request::Upload { card, order, sold, .. } }) => {
                Some(self.frame_of(pricing, Request::Upload { card, order, result, sold }))
            }
            _ => None,
        }
    }

    fn meaning(&self, frame: &[u8]) -> Result<Message, ()> {
        match RawFrame::scan(&self.config.format, frame) {
            crate::wire::Scan::Frame { frame, .. } => Message::of(&frame).map_err(|_| ()),
            _ => Err(()),
        }
    }

    /// Its own number; firmware without a configuration sends nothing, and needs none.
    fn machine(&self) -> MachineNumber {
        self.installed.map_or(MachineNumber::from(0), |installed| installed.machine)
    }

    pub(super) fn frame_of(&self, pricing: Pricing, request: Request) -> Vec<u8> {
        let message = Message::Request { pricing, request };
        let format = &self.config.format;
        message.to_frame(format.version, self.machine()).to_bytes(format)
    }

    /// Hands the outstanding frame to the modem.
    pub(super) fn put_on_wire(&mut self) {
        let (Some(exchange), Some(client)) = (&mut self.exchange, &mut self.client) else { return };
        if !exchange.on_wire && client.send(self.at, &exchange.frame).is_ok() {
            exchange.on_wire = true;
            exchange.sends = exchange.sends.saturating_add(1);
        }
    }

    /// The modem has sent, or could not send, what it was given.
    pub(super) fn sent(&mut self, sent: bool, parts: &mut TerminalParts) {
        let Some(exchange) = &mut self.exchange else { return };
        if !sent {
            exchange.on_wire = false;
        } else if let (Job::Upload(seq), DeleteWhen::Sent) = (exchange.job, self.config.policy.delete) {
            self.end_exchange();
            self.delete(seq, parts);
        }
    }

    fn end_exchange(&mut self) -> Option<Exchange> {
        self.timers.stop(timer::ANSWER);
        self.exchange.take()
    }

    /// Forgets a question whose card has gone; an answer to it finds nothing outstanding.
    pub(super) fn forget_question(&mut self) {
        if self.exchange.as_ref().is_some_and(|exchange| exchange.job == Job::OrderRequest) {
            self.end_exchange();
        }
    }

    /// Twenty seconds without an answer.
    pub(super) fn answer_missed(&mut self, parts: &mut TerminalParts) {
        let Some(exchange) = self.end_exchange() else { return };
        match (exchange.job, self.stage) {
            (Job::Heartbeat, Stage::Booting { misses }) => {
                let misses = misses + 1;
                self.stage = Stage::Booting { misses };
                self.heartbeat_due = true;
                let enough = match self.config.policy.boot {
                    OnBootMiss::ThreeThenRetries => 3,
                    OnBootMiss::FiveThenRetries | OnBootMiss::FiveThenStops | OnBootMiss::Impatient => {
                        self.config.times.boot_misses
                    }
                };
                if misses >= enough {
                    self.heartbeat_due = false;
                    self.init_failed("NETWORK");
                }
                return;
            }
            (Job::Heartbeat, Stage::InitFailed) => return,
            (Job::Heartbeat, _) => self.heartbeat_due = true,
            (Job::OrderRequest, _) => self.question_failed(),
            (Job::Upload(seq), _) => self.upload_unanswered(seq, parts),
            (Job::FaultReport, _) => {}
        }
        if let (OnTimeout::ResetsNetwork, Some(client)) = (self.config.policy.timeout, &mut self.client) {
            client.reset_network(self.at);
        }
        if self.config.policy.drain == Drain::AtBoot {
            self.parked = true;
        }
    }

    /// A result was not confirmed: it goes into the EEPROM, or is lost, as the design has it.
    fn upload_unanswered(&mut self, seq: Option<u16>, parts: &mut TerminalParts) {
        if seq.is_some() {
            return;
        }
        let Some(upload) = self.volatile.pop_front() else { return };
        if self.config.policy.cache == CacheWhen::Never {
            self.note(TerminalEvent::Lost);
            return;
        }
        let added = self.with_store(parts, |store, session| {
            let seq = store.add(session, &upload.frame, false)?;
            store.mark_verified(session, seq).map(|()| seq)
        });
        match added {
            Ok(seq) => self.note(TerminalEvent::Cached { seq }),
            Err(_) => self.volatile.push_front(upload),
        }
    }

    /// A damaged frame arrived where an answer was waited for, or a negative answer came.
    pub(super) fn refused(&mut self, repeat: bool, parts: &mut TerminalParts) {
        let Some(exchange) = &mut self.exchange else { return };
        exchange.refused = exchange.refused.saturating_add(1);
        let limit = match self.config.policy.negative {
            OnNegative::RepeatsOnce => 2,
            OnNegative::RepeatsForEver => u8::MAX,
            OnNegative::RepeatsThreeTimes | OnNegative::Rewrites | OnNegative::RepeatsAnswered => {
                self.config.times.sends_max
            }
        };
        if exchange.refused < limit {
            if repeat {
                exchange.on_wire = false;
                if self.config.policy.negative == OnNegative::Rewrites {
                    self.rewrite();
                }
                self.put_on_wire();
            }
            return;
        }
        if exchange.job == Job::Heartbeat {
            // Its time-out goes on: a heartbeat that is only refused has missed, and the next comes when it is due.
            return;
        }
        let Some(exchange) = self.end_exchange() else { return };
        match exchange.job {
            Job::OrderRequest => self.question_failed(),
            Job::Upload(seq) => {
                self.parked = true;
                self.upload_unanswered(seq, parts);
            }
            Job::Heartbeat | Job::FaultReport => {}
        }
    }

    /// Sends the last frame again although it has been answered.
    pub(super) fn repeat_answered(&mut self) {
        if let (None, Some(frame), Some(client)) = (&self.exchange, &self.answered_last, &mut self.client) {
            // A full queue only means that the line is busy with other messages.
            let _sent = client.send(self.at, frame);
        }
    }

    fn rewrite(&mut self) {
        let Some(frame) = self.exchange.as_ref().map(|exchange| exchange.frame.clone()) else { return };
        if let (Some(other), Some(exchange)) =
            (self.with_result(&frame, WriteResult::InDoubt), &mut self.exchange)
        {
            exchange.frame = other;
        }
    }

    /// A sound positive answer.
    pub(super) fn answered(&mut self, pricing: Pricing, answer: Answer, now: Now, parts: &mut TerminalParts) {
        let Some(exchange) = &self.exchange else {
            self.answer_unasked(answer);
            return;
        };
        if !self.matches(exchange, pricing, &answer) {
            return;
        }
        let Some(exchange) = self.end_exchange() else { return };
        if self.config.policy.negative == OnNegative::RepeatsAnswered {
            self.answered_last = Some(exchange.frame.clone());
        }
        match answer {
            Answer::Heartbeat { at } => {
                let drift = at.as_us() - now.wall.as_us();
                if drift.unsigned_abs() >= 1_000_000 {
                    parts.rtc_offset_us = parts.rtc_offset_us.saturating_add(drift);
                }
                self.heartbeat_answered();
            }
            Answer::OrderRequest { offer, base, .. } => self.offered(offer, base),
            Answer::Upload { order, .. } => {
                if let Job::Upload(seq) = exchange.job {
                    self.note(TerminalEvent::Confirmed { order });
                    self.delete(seq, parts);
                }
            }
            Answer::FaultReport
            | Answer::Clock { .. }
            | Answer::Parameters { .. }
            | Answer::CardQuery { .. } => {}
        }
    }

    fn answer_unasked(&mut self, answer: Answer) {
        if self.config.policy.answers == AnswerMatch::Unasked
            && let Answer::OrderRequest { offer, base, .. } = answer
        {
            self.offered(offer, base);
        }
    }

    fn matches(&self, exchange: &Exchange, pricing: Pricing, answer: &Answer) -> bool {
        let Message::Request { pricing: asked, request } = &exchange.message else { return false };
        if request.kind() != answer.kind() || *asked != pricing {
            return false;
        }
        match (request, answer) {
            (Request::OrderRequest { card, .. }, Answer::OrderRequest { card: other, .. }) => {
                card == other || self.config.policy.answers == AnswerMatch::AnyCard
            }
            (Request::Upload { order, .. }, Answer::Upload { order: other, .. }) => order == other,
            _ => true,
        }
    }

    fn heartbeat_answered(&mut self) {
        self.parked = self.config.policy.drain == Drain::AtBoot && self.parked;
        if let Some(installed) = self.installed {
            let period = crate::time::Span::s(u64::from(installed.heartbeat_s));
            self.timers.set(timer::HEARTBEAT, self.at + period);
        }
        if matches!(self.stage, Stage::Booting { .. } | Stage::InitFailed) {
            self.timers.stop(timer::RETRY);
            self.timers.stop(timer::NETWORK);
            self.start_self_test();
        }
    }

    fn delete(&mut self, seq: Option<u16>, parts: &mut TerminalParts) {
        match seq {
            None => {
                self.volatile.pop_front();
            }
            Some(seq) => {
                let marked = self.with_store(parts, |store, session| store.mark_done(session, seq));
                if let Err(why) = marked {
                    self.note(TerminalEvent::StoreFailed(why));
                }
            }
        }
    }

    /// The connection has not come back, or has not been free, for as long as a customer waits.
    pub(super) fn question_not_put(&mut self) {
        let asking = self.exchange.as_ref().is_some_and(|exchange| exchange.job == Job::OrderRequest);
        let waits =
            self.topup.as_ref().is_some_and(|topup| topup.question(self.config.policy.types).is_some());
        if waits && !asking {
            self.question_failed();
        }
    }

    fn question_failed(&mut self) {
        if let Some(topup) = self.topup.take() {
            drop(topup);
            self.field_off();
            self.announce(Announcement::TryAgain);
        }
    }

    /// Answers a damaged frame, within the bound.
    pub(super) fn ask_again(&mut self, kind: u8, bounded: bool) {
        let times = &self.config.times;
        while self
            .negatives_given
            .front()
            .is_some_and(|given| self.at.since(*given) >= times.negatives_window)
        {
            self.negatives_given.pop_front();
        }
        if bounded && self.negatives_given.len() >= times.negatives_max {
            return;
        }
        let machine = self.machine();
        let format = &self.config.format;
        let frame =
            RawFrame { answer: word::NEGATIVE, kind, version: format.version, machine, content: Vec::new() };
        let bytes = frame.to_bytes(format);
        if let Some(client) = &mut self.client
            && client.send(self.at, &bytes).is_ok()
            && bounded
        {
            self.negatives_given.push_back(self.at);
        }
    }

    /// Whether a kind byte belongs to the outstanding request.
    pub(super) fn is_about_outstanding(&self, kind: u8) -> bool {
        self.exchange.as_ref().is_some_and(|exchange| exchange.message.kind() == kind)
    }

    /// The kind of the outstanding request, if it is an upload.
    pub(super) fn upload_outstanding(&self) -> bool {
        self.exchange.as_ref().is_some_and(|exchange| {
            Kind::split(exchange.message.kind()).is_some_and(|(_, kind)| kind == Kind::Upload)
        })
    }

    /// The connection is gone: what was on it has to be sent again on the next.
    pub(super) fn connection_lost(&mut self) {
        self.frames.clear();
        if let Some(exchange) = &mut self.exchange {
            exchange.on_wire = false;
        }
    }
}
