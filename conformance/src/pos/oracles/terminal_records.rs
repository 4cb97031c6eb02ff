//! Judges records on their way to the server: POS-R1, POS-R2, POS-R7, POS-R8, and their rounds: POS-A2.

use assay_sim::card::number::CardNumber;
use assay_sim::money::Fen;
use assay_sim::pos::frame::{DeviceMessage, Mode, Read, RecordAddress, SaleTime, Seq, ServerMessage};
use assay_sim::time::Instant;

use super::terminal_bits::Moment;
use super::terminal_sale::End;
use super::terminal_sales::{Room, Sales};
use super::terminal_sold::{Goods, Named, shown_time};
use crate::finding::Findings;

/// A record that the terminal holds, as the boundary shows it.
#[derive(Clone, Debug)]
struct Record {
    goods: Goods,
    time: Read<SaleTime>,
    /// When it was shown as booked, or first seen.
    since: Instant,
    ordinal: u64,
    /// It is certain to be held: neither was its booking silent, nor may it have been deleted.
    certain: bool,
    deleted: Option<Instant>,
    /// Power went just after it was shown.
    cut_at_once: bool,
    /// That it did not come again was judged.
    counted: bool,
}

impl Record {
    const fn is_held(&self) -> bool {
        self.certain && self.deleted.is_none()
    }
}

/// The record that is being uploaded.
#[derive(Clone, Debug)]
struct Upload {
    /// Which, by its place.
    record: usize,
    bytes: Vec<u8>,
    seq: Seq,
    address: RecordAddress,
    round: Instant,
    last: (Instant, u64),
    sends: u8,
    acked: Option<Instant>,
    /// An 011 has come that does not name it.
    misnamed: bool,
}

/// Since when the next 105 is due, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    /// A record was booked, or a round is over.
    Round(Instant),
    /// The one before was deleted.
    Next(Instant),
    /// Power has come.
    Restart(Instant),
}

/// The records of one terminal.
#[derive(Clone, Debug, Default)]
pub struct Records {
    records: Vec<Record>,
    upload: Option<Upload>,
    expected: Option<Expected>,
    /// Another sale was booked when the store was full.
    overfull: bool,
    /// The record that older firmware left has come.
    old_seen: bool,
}

impl Records {
    /// Power has come.
    pub fn power_on(&mut self, at: Instant) {
        self.upload = None;
        self.expected = self.holds_any().then_some(Expected::Restart(at));
    }

    /// Power has gone.
    pub fn power_off(&mut self, moment: &Moment<'_>) {
        for record in &mut self.records {
            // A deletion that came just now may not have been carried out.
            if record.deleted.is_some_and(|at| !moment.is_past(at)) {
                record.deleted = None;
                record.certain = false;
            }
            record.cut_at_once |= !moment.is_past(record.since);
        }
        self.upload = None;
        self.expected = None;
    }

    /// It is not certain any more what the terminal makes of what comes.
    pub fn doubt(&mut self) {
        self.expected = None;
        for record in &mut self.records {
            record.certain = false;
        }
    }

    fn held(&self) -> impl Iterator<Item = &Record> {
        self.records.iter().filter(|record| record.is_held())
    }

    fn holds_any(&self) -> bool {
        self.held().next().is_some()
    }

    /// Whether there is room for another, when so many more may have been booked silently.
    pub fn room(&self, silent: usize, records_max: usize) -> Room {
        let possible = silent + self.records.iter().filter(|record| record.deleted.is_none()).count();
        match (self.held().count() >= records_max, possible >= records_max) {
            (true, _) => Room::None,
            (false, true) => Room::Doubtful,
            (false, false) => Room::Left,
        }
    }

    /// A sale was shown as booked.
    pub fn booked(&mut self, named: Named, room: Room, moment: &Moment<'_>) {
        self.overfull |= room == Room::None;
        self.records.push(Record {
            goods: named.goods,
            time: named.time,
            since: moment.at,
            ordinal: moment.ordinal,
            certain: true,
            deleted: None,
            cut_at_once: false,
            counted: false,
        });
        if self.upload.is_none() && self.expected.is_none() {
            self.expected = Some(Expected::Round(moment.at));
        }
    }

    /// Time has passed: what must have come by now?
    pub fn pass_time(&mut self, moment: &Moment<'_>, findings: &mut Findings) {
        let times = &moment.scene.profile.terminal;
        let gone = |record: &Record| record.deleted.is_some_and(|at| moment.is_overdue(at, times.round));
        for record in self.records.iter_mut().filter(|record| !record.counted && gone(record)) {
            record.counted = true;
            moment.met("POS-R2", findings);
        }
        let (requirement, expected) = if let Some(upload) = &self.upload {
            let again = upload.sends < times.sends_max && upload.acked.is_none();
            let (from, span) =
                if again { (upload.last.0, times.ack_timeout) } else { (upload.round, times.round) };
            if !moment.is_overdue(from, span) {
                return;
            }
            match (upload.misnamed, upload.acked) {
                (true, _) => ("POS-R2", "an 011 that names another record deletes nothing"),
                (false, Some(_)) => ("POS-R1", "a record is kept until its 011, and sent again until then"),
                (false, None) if again => ("POS-A2", "a record without 001 is sent again in its round"),
                (false, None) => ("POS-A2", "a record without 001 is sent again in the next round"),
            }
        } else {
            let (from, span) = match self.expected {
                None => return,
                Some(Expected::Round(at)) => (at, times.round),
                Some(Expected::Next(at)) => (at, moment.grace()),
                Some(Expected::Restart(at)) => (at, moment.scene.profile.bench.ready_within + times.round),
            };
            if !moment.is_overdue(from, span) {
                return;
            }
            self.expected_by()
        };
        self.missed(requirement, expected, moment, findings);
    }

    /// Why a record must come that is not outstanding.
    fn expected_by(&self) -> (&'static str, &'static str) {
        let cut = self.held().any(|record| record.cut_at_once);
        match self.expected {
            _ if self.overfull => ("POS-R7", "a full store overwrites nothing"),
            Some(Expected::Restart(_)) if cut => ("POS-R7", "a record is durable before success is shown"),
            Some(Expected::Restart(_)) => ("POS-R1", "a record survives the loss of power"),
            Some(Expected::Next(_)) => ("POS-R2", "the next record follows the 011 of the one before"),
            Some(Expected::Round(_)) | None => ("POS-A2", "a record is sent when its round has come"),
        }
    }

    fn missed(
        &mut self,
        requirement: &'static str,
        expected: &'static str,
        moment: &Moment<'_>,
        findings: &mut Findings,
    ) {
        let upload = self.upload.take();
        let outstanding = upload.as_ref().and_then(|upload| self.records.get(upload.record));
        if outstanding.is_some_and(|record| !record.is_held()) {
            // One that may have been deleted need not come again.
            self.expected = self.holds_any().then_some(Expected::Round(moment.at));
            return;
        }
        let record = outstanding.or_else(|| self.held().next());
        let ordinals: Vec<u64> = record.map(|record| record.ordinal).into_iter().collect();
        let actual = record.map_or_else(String::new, |record| {
            let (goods, time) = (&record.goods, shown_time(&record.time));
            format!("no 105 came by {}; {goods} of {time} is still to come", moment.at)
        });
        findings.judge(requirement, false, || moment.violation(requirement, expected, actual, &ordinals));
        // What is lost is told once.
        self.doubt();
    }

    /// A 105 leaves.
    pub fn sends(
        &mut self,
        message: &DeviceMessage,
        bytes: Vec<u8>,
        sales: &mut Sales,
        moment: &Moment<'_>,
        findings: &mut Findings,
    ) {
        let DeviceMessage::Record { head, card, amount, at, mode, address, .. } = message else { return };
        if self.upload.as_ref().is_some_and(|upload| upload.bytes == bytes) {
            return self.repeat(moment, findings);
        }
        let goods = (card.clone().ok().zip(amount.clone().ok())).map(|named| goods(named, *mode));
        let Some(place) = goods.and_then(|goods| self.place(&goods, at, sales, moment, findings)) else {
            findings.judge("POS-R8", false, || {
                let expected = "a record bears card, amount and time of a 103 or 104 that was not answered";
                moment.violation("POS-R8", expected, bytes.escape_ascii().to_string(), &[])
            });
            return;
        };
        moment.met("POS-R8", findings);
        self.judge_order(place, moment, findings);
        let seq = head.seq.clone();
        let before = self.upload.take();
        let misnamed = before.is_some_and(|before| before.record == place && before.misnamed);
        if misnamed {
            moment.met("POS-R2", findings);
        }
        if let Some(expected) = self.expected.take() {
            match expected {
                Expected::Restart(_) => moment.met(self.expected_met(place), findings),
                Expected::Next(_) => moment.met("POS-R2", findings),
                Expected::Round(_) => moment.met("POS-A2", findings),
            }
        }
        self.upload = Some(Upload {
            record: place,
            bytes,
            seq,
            address: *address,
            round: moment.at,
            last: (moment.at, moment.ordinal),
            sends: 1,
            acked: None,
            misnamed: false,
        });
    }

    fn expected_met(&self, place: usize) -> &'static str {
        if self.records.get(place).is_some_and(|record| record.cut_at_once) { "POS-R7" } else { "POS-R1" }
    }

    /// The record that a 105 bears; nothing if there is no sale of which it can be one.
    fn place(
        &mut self,
        goods: &Goods,
        time: &Read<SaleTime>,
        sales: &mut Sales,
        moment: &Moment<'_>,
        findings: &mut Findings,
    ) -> Option<usize> {
        let known = |record: &Record| record.goods == *goods && record.time == *time;
        if let Some(place) = self.records.iter().position(known) {
            return Some(place);
        }
        if moment.cast.spec.old_record && time.is_err() && !self.old_seen {
            self.old_seen = true;
            return Some(self.find(goods, time, moment));
        }
        // Booked, and power went before anybody was told.
        let (_, end, acked) = sales.of_goods(goods).find(|(named, ..)| named.time == *time)?;
        findings.judge("POS-P3", !acked || end == End::Unknown, || {
            let actual = format!("{goods} of {} went up as a record", shown_time(time));
            moment.violation("POS-P3", "what was acknowledged is not booked", actual, &[])
        });
        sales.found_booked(goods, time, moment.at);
        Some(self.find(goods, time, moment))
    }

    /// A record comes of whose booking nobody was told; its place.
    fn find(&mut self, goods: &Goods, time: &Read<SaleTime>, moment: &Moment<'_>) -> usize {
        self.records.push(Record {
            goods: goods.clone(),
            time: time.clone(),
            since: moment.at,
            ordinal: moment.ordinal,
            certain: true,
            deleted: None,
            cut_at_once: false,
            counted: false,
        });
        self.records.len() - 1
    }

    /// A record leaves that is not the repeat of a datagram: may it?
    fn judge_order(&mut self, place: usize, moment: &Moment<'_>, findings: &mut Findings) {
        let times = &moment.scene.profile.terminal;
        if let Some(upload) = &self.upload {
            let evidence = [upload.last.1];
            if upload.record == place {
                let early = moment.is_early(upload.round, times.round);
                findings.judge("POS-A2", !early, || {
                    let expected =
                        format!("one sequence number in a round, and the next round {} on", times.round);
                    let actual =
                        format!("another message of the same record after {}", moment.at - upload.round);
                    moment.violation("POS-A2", expected, actual, &evidence)
                });
            } else if self.records.get(upload.record).is_some_and(Record::is_held) {
                findings.judge("POS-R2", false, || {
                    let expected = "the next record follows only after the 011 of the one before";
                    let record = &self.records[place];
                    let actual = format!("{} of {} left", record.goods, shown_time(&record.time));
                    moment.violation("POS-R2", expected, actual, &evidence)
                });
                // What the terminal takes for deleted is told once.
                if let Some(record) = self.records.get_mut(upload.record) {
                    record.certain = false;
                }
            }
        }
        let record = &mut self.records[place];
        if let Some(at) = record.deleted {
            findings.judge("POS-R2", !moment.is_past(at), || {
                let actual = format!("{} of {} came again", record.goods, shown_time(&record.time));
                moment.violation("POS-R2", "a record that was deleted does not come again", actual, &[])
            });
            record.deleted = None;
            record.certain = false;
        }
    }

    /// The datagram of the last 105 leaves again.
    fn repeat(&mut self, moment: &Moment<'_>, findings: &mut Findings) {
        let times = &moment.scene.profile.terminal;
        let Some(upload) = &mut self.upload else { return };
        let evidence = [upload.last.1];
        let new_round = moment.at + moment.slack(times.round) >= upload.round + times.round;
        if !new_round {
            // What was just leaving when its 001 came has left.
            let crossed = upload.acked.is_some_and(|at| moment.is_past(at));
            let steady = moment.calm.is_steady(upload.last.0, moment.at, moment.grace());
            let over = upload.sends >= times.sends_max || crossed;
            findings.judge(
                "POS-A2",
                !(over && steady || moment.is_early(upload.last.0, times.ack_timeout)),
                || {
                    let expected = format!("a round of {} sends at most, ended by 001", times.sends_max);
                    let actual = format!(
                        "send {} came {} after the last",
                        upload.sends + 1,
                        moment.at - upload.last.0
                    );
                    moment.violation("POS-A2", expected, actual, &evidence)
                },
            );
        } else {
            upload.round = moment.at;
            upload.sends = 0;
            upload.acked = None;
            upload.misnamed = false;
            moment.met("POS-A2", findings);
        }
        upload.sends = upload.sends.saturating_add(1);
        upload.last = (moment.at, moment.ordinal);
    }

    /// 001 has come.
    pub fn acknowledged(&mut self, seq: &Seq, at: Instant) {
        if let Some(upload) =
            self.upload.as_mut().filter(|upload| upload.seq == *seq && upload.acked.is_none())
        {
            upload.acked = Some(at);
        }
    }

    /// 011 has come, for this machine.
    pub fn deleted(&mut self, message: &ServerMessage, moment: &Moment<'_>) {
        let ServerMessage::Delete { card, amount, at, address, .. } = message else { return };
        let names = |record: &Record| {
            let (number, fen) = (record.goods.card().unwrap_or_default(), record.goods.amount());
            let time = record
                .time
                .as_ref()
                .map_or(SaleTime::IMPOSSIBLE.into(), |time| time.to_string().into_bytes());
            **card == number.digits() && **amount == *fen.to_string().as_bytes() && **at == time[..]
        };
        match &mut self.upload {
            Some(upload)
                if upload.address == *address && self.records.get(upload.record).is_some_and(names) =>
            {
                let place = upload.record;
                if let Some(record) = self.records.get_mut(place) {
                    record.deleted = Some(moment.at);
                }
                self.upload = None;
                self.expected = self.holds_any().then_some(Expected::Next(moment.at));
            }
            upload => {
                if let Some(upload) = upload {
                    upload.misnamed = true;
                }
                // It may know a record by its name that is not outstanding.
                let outstanding = self.upload.as_ref().map(|upload| upload.record);
                for (place, record) in self.records.iter_mut().enumerate() {
                    if Some(place) != outstanding && record.deleted.is_none() && names(record) {
                        record.certain = false;
                    }
                }
            }
        }
    }
}

fn goods((card, amount): (CardNumber, Fen), mode: Mode) -> Goods {
    match mode {
        Mode::Money => Goods::Pay(card, amount),
        Mode::Count => Goods::Count(card),
    }
}
