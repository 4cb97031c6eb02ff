//! What becomes of a result upload that is not confirmed.
//!
//! Source: WAT-C1, WAT-C2; also WAT-F1 and WAT-F6, because an answer that does not count leaves the upload unconfirmed.

use assay_sim::card::number::CardNumber;
use assay_sim::time::Instant;
use assay_sim::water::frame::{Answer, Kind, Message, OrderNumber, Request, WriteResult};

use super::terminal_wire::{Moment, TalkJudge};
use super::terminal_wire_talk::{Bit, Fits, Open};
use crate::finding::Findings;

/// Judges uploads until they are confirmed.
#[derive(Default)]
pub struct Uploads {
    owed: Vec<Owed>,
}

/// An upload that left and was not confirmed.
struct Owed {
    bytes: Vec<u8>,
    order: OrderNumber,
    result: WriteResult,
    ordinal: u64,
    /// A damaged frame came in place of its answer.
    damaged: bool,
    /// An answer came that does not fit.
    strange: bool,
    /// Its answer's time is over.
    overdue: Option<Overdue>,
    refusal: Refusal,
    /// Something else ended the connection meanwhile.
    broken: bool,
    /// It must have left again by then: a heartbeat has been answered.
    by: Option<Instant>,
}

/// The network must be reset.
struct Overdue {
    by: Instant,
    reset: bool,
}

/// Whether it has been refused as often as it may leave.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Refusal {
    No,
    /// And no heartbeat has left since.
    Waits,
    /// And a heartbeat has left.
    Due,
}

impl TalkJudge for Uploads {
    fn judge(&mut self, bit: &Bit, moment: &Moment<'_>, findings: &mut Findings) {
        match bit {
            Bit::Asks { frame, bytes } => match Message::of(frame) {
                Ok(Message::Request { request: Request::Upload { order, result, .. }, .. }) => {
                    self.upload_left((order, result), bytes, moment, findings);
                }
                Ok(Message::Request { request: Request::Heartbeat, .. }) => {
                    for owed in self.owed.iter_mut().filter(|owed| owed.refusal == Refusal::Waits) {
                        owed.refusal = Refusal::Due;
                    }
                }
                _ => {}
            },
            Bit::Answered { frame, fits, .. } => match Message::of(frame) {
                Ok(Message::Answer { answer: Answer::Upload { order, .. }, .. })
                    if frame.machine == moment.cast.machine && *fits != Fits::OtherKind =>
                {
                    // Even one that comes late or unasked may delete the record.
                    self.owed.retain(|owed| owed.order != order);
                    self.mark_strange(*fits, moment);
                }
                _ => {
                    self.mark_strange(*fits, moment);
                    self.heartbeat_answered(*fits, moment);
                }
            },
            Bit::Damaged { .. } => self.refused_by_damage(moment),
            Bit::Refused(frame) => self.refused(frame.kind, moment),
            Bit::Down { own } => self.connection_lost(*own, moment, findings),
            Bit::Chip(image) => self.judge_cache(image, moment, findings),
            Bit::Hung(_) | Bit::Blurred => self.owed.clear(),
            Bit::PowerOn | Bit::PowerOff => *self = Self::default(),
            _ => {}
        }
    }

    fn pass_time(&mut self, moment: &Moment<'_>, findings: &mut Findings) {
        if let Some(open) = overdue(moment)
            && let Some(owed) = self.owed.iter_mut().find(|owed| owed.bytes == open.bytes)
            && owed.overdue.is_none()
            && !owed.broken
        {
            let by = moment.at + moment.scene.profile.host.backoff_max;
            owed.overdue = Some(Overdue { by, reset: false });
        }
        for owed in &mut self.owed {
            if let Some(overdue) = owed.overdue.take_if(|overdue| !overdue.reset && overdue.by < moment.at) {
                let requirement = if owed.strange { "WAT-F6" } else { "WAT-C1" };
                findings.judge(requirement, overdue.reset, || {
                    let expected = "the network is reset when an upload has had no answer in time";
                    moment.violation(requirement, expected, "the connection is kept", Some(owed.ordinal))
                });
            }
        }
        let waits = moment.talk.sending || moment.talk.open.is_some() || !moment.talk.up;
        for owed in &mut self.owed {
            if waits && owed.by.is_some_and(|by| by < moment.at) {
                owed.by = Some(moment.at + moment.tolerance());
            }
        }
        while let Some(at) = self.owed.iter().position(|owed| owed.by.is_some_and(|by| by < moment.at)) {
            let owed = self.owed.remove(at);
            if let Some(requirement) = owed.requirement() {
                findings.judge(requirement, false, || {
                    let expected = "an upload that was not confirmed leaves again";
                    let actual = "a heartbeat was answered, and the upload does not follow";
                    moment.violation(requirement, expected, actual, Some(owed.ordinal))
                });
            }
        }
    }
}

impl Owed {
    fn new((order, result): (OrderNumber, WriteResult), bytes: &[u8], ordinal: u64) -> Self {
        Self {
            bytes: bytes.to_vec(),
            order,
            result,
            ordinal,
            damaged: false,
            strange: false,
            overdue: None,
            refusal: Refusal::No,
            broken: false,
            by: None,
        }
    }

    /// What the memory must hold of it. A result in doubt may lie there as the intent that it comes from: the same
    /// card and order with another result.
    fn record(&self) -> &[u8] {
        if self.result != WriteResult::InDoubt {
            return &self.bytes;
        }
        let mut ends = self.bytes.iter().enumerate().filter(|(_, byte)| **byte == b'%').map(|(at, _)| at);
        let start = ends.clone().next().map_or(0, |end| end.saturating_sub(CardNumber::DIGITS));
        let end = ends.nth(1).map_or(self.bytes.len(), |end| end + 1);
        &self.bytes[start..end]
    }

    /// What is at stake if it never leaves again.
    fn requirement(&self) -> Option<&'static str> {
        if self.refusal != Refusal::No {
            Some("WAT-C2")
        } else if self.overdue.is_some() {
            Some("WAT-C1")
        } else if self.damaged {
            Some("WAT-F1")
        } else {
            self.strange.then_some("WAT-F6")
        }
    }
}

/// The upload whose answer has certainly been missing for too long, with nothing else amiss.
fn overdue<'a>(moment: &Moment<'a>) -> Option<&'a Open> {
    let patience = moment.patience() + moment.tolerance();
    moment.talk.open.as_ref().filter(|open| {
        let clean = open.negatives == 0 && open.damaged == 0;
        let free = moment.talk.up && moment.talk.is_free(moment.at);
        open.certain && clean && free && !moment.talk.sending && open.sent + patience < moment.at
    })
}

fn is_upload(open: &Open) -> bool {
    matches!(open.request, Request::Upload { .. })
}

impl Uploads {
    fn upload_left(
        &mut self,
        (order, result): (OrderNumber, WriteResult),
        bytes: &[u8],
        moment: &Moment<'_>,
        findings: &mut Findings,
    ) {
        if moment.talk.is_repeat(bytes, moment.at, moment.scene) && !self.is_refused(bytes) {
            return;
        }
        let Some(at) = self.owed.iter().position(|owed| owed.order == order) else {
            self.owed.push(Owed::new((order, result), bytes, moment.ordinal));
            return;
        };
        let unanswered = moment.talk.open.as_ref().is_some_and(|open| {
            open.bytes == bytes && open.certain && open.negatives == 0 && open.damaged == 0
        });
        let mut owed =
            std::mem::replace(&mut self.owed[at], Owed::new((order, result), bytes, moment.ordinal));
        let same = owed.bytes == bytes;
        if unanswered {
            owed.overdue.get_or_insert(Overdue { by: moment.at, reset: false });
        }
        let again = |requirement, what: &str| {
            let actual = if same { "it leaves at once" } else { "another upload leaves for the same order" };
            moment.violation(requirement, what.to_owned(), actual, Some(owed.ordinal))
        };
        if let Some(overdue) = &owed.overdue {
            let what = "the network is reset, and the upload leaves again bit for bit";
            findings.judge("WAT-C1", same && overdue.reset, || again("WAT-C1", what));
        }
        if owed.refusal != Refusal::No && !owed.broken {
            let what =
                "an upload refused for the last time waits, and leaves bit for bit with the next heartbeat";
            findings.judge("WAT-C2", same && owed.refusal == Refusal::Due, || again("WAT-C2", what));
        }
        if same && owed.damaged {
            findings.judge("WAT-F1", true, || unreachable!("it holds"));
        }
        if same && owed.strange {
            findings.judge("WAT-F6", true, || unreachable!("it holds"));
        }
    }

    fn is_refused(&self, bytes: &[u8]) -> bool {
        self.owed.iter().any(|owed| owed.bytes == bytes && owed.refusal != Refusal::No)
    }

    fn open(&mut self, open: &Open) -> Option<&mut Owed> {
        self.owed.iter_mut().find(|owed| owed.bytes == open.bytes)
    }

    fn mark_strange(&mut self, fits: Fits, moment: &Moment<'_>) {
        let strange = matches!(fits, Fits::OtherMachine | Fits::OtherKind | Fits::OtherSubject);
        let open = moment.talk.certain(moment.at, moment.scene).filter(|open| strange && is_upload(open));
        if let Some(owed) = open.and_then(|open| self.open(open)) {
            owed.strange = true;
        }
    }

    fn refused_by_damage(&mut self, moment: &Moment<'_>) {
        let sends_max = u32::from(moment.scene.profile.terminal.sends_max);
        let Some(open) = moment.talk.open.as_ref().filter(|open| is_upload(open)) else { return };
        let third = open.certain && open.negatives == 0 && open.damaged + 1 == sends_max;
        if let Some(owed) = self.open(open) {
            owed.damaged = true;
            if third {
                owed.refusal = Refusal::Waits;
            }
        }
    }

    fn refused(&mut self, kind: u8, moment: &Moment<'_>) {
        let sends_max = u32::from(moment.scene.profile.terminal.sends_max);
        let Some(open) = moment.talk.open.as_ref().filter(|open| is_upload(open)) else { return };
        let third = open.certain && open.damaged == 0 && open.negatives + 1 == sends_max;
        if third
            && open.frame.kind == kind
            && let Some(owed) = self.open(open)
        {
            owed.refusal = Refusal::Waits;
        }
    }

    /// The next heartbeat has done its turn: whatever waits must follow.
    fn heartbeat_answered(&mut self, fits: Fits, moment: &Moment<'_>) {
        let open = moment.talk.certain(moment.at, moment.scene);
        let heartbeat = open.is_some_and(|open| open.request.kind() == Kind::Heartbeat);
        if fits == Fits::Right && heartbeat {
            for owed in &mut self.owed {
                owed.by = Some(moment.at + moment.tolerance());
            }
        }
    }

    fn connection_lost(&mut self, own: bool, moment: &Moment<'_>, findings: &mut Findings) {
        for owed in &mut self.owed {
            owed.by = None;
        }
        let Some(open) = moment.talk.open.as_ref().filter(|open| is_upload(open)) else {
            for owed in &mut self.owed {
                owed.broken = true;
                if let Some(overdue) = &mut owed.overdue {
                    overdue.reset = true;
                }
            }
            return;
        };
        let clean = open.certain && open.negatives == 0 && open.damaged == 0;
        let earliest = open.from + (moment.patience() - moment.tolerance());
        let free = moment.talk.is_free(moment.at);
        let ordinal = open.ordinal;
        let (at, by) = (moment.at, moment.at + moment.scene.profile.host.backoff_max);
        let Some(owed) = self.open(open) else { return };
        if own && clean && free {
            findings.judge("WAT-C1", at >= earliest, || {
                let expected = format!("an upload's answer is waited for {}", moment.patience());
                moment.violation("WAT-C1", expected, "the network is reset before", Some(ordinal))
            });
            owed.overdue.get_or_insert(Overdue { by, reset: true }).reset = true;
        } else {
            owed.broken = true;
            if let Some(overdue) = &mut owed.overdue {
                overdue.reset = true;
            }
        }
    }

    /// The memory holds what waits.
    fn judge_cache(&self, image: &[u8; 256], moment: &Moment<'_>, findings: &mut Findings) {
        /// Where cached messages begin.
        const CACHE_AT: usize = 100;
        for owed in &self.owed {
            let record = owed.record();
            let cached = image[CACHE_AT..].windows(record.len()).any(|bytes| bytes == record);
            let requirements = [("WAT-C1", owed.overdue.is_some()), ("WAT-C2", owed.refusal != Refusal::No)];
            for (requirement, _) in requirements.into_iter().filter(|(_, waits)| *waits) {
                findings.judge(requirement, cached, || {
                    let order = owed.order;
                    let expected = format!("the unconfirmed upload for order {order} is in the memory");
                    moment.violation(requirement, expected, "it is not", Some(owed.ordinal))
                });
            }
        }
    }
}
