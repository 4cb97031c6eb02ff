//! Which answers count: sound ones that fit, and no others.
//!
//! Source: WAT-F1, WAT-F4, WAT-F5, WAT-F6.

use assay_sim::time::Instant;
use assay_sim::water::frame::{Kind, Request};

use super::panel_words::Words;
use super::terminal_wire::{Moment, TalkJudge};
use super::terminal_wire_talk::{Bit, Fits, Open, Service};
use crate::finding::Findings;

/// How many confirmed uploads are remembered.
const SETTLED_MAX: usize = 8;

/// Judges what answers bring about.
#[derive(Default)]
pub struct Answers {
    acting: Option<Acting>,
    ignored: Vec<Ignored>,
    settled: Vec<Settled>,
    unasked: Option<Ignored>,
}

/// The right answer has come, and its effect is waited for.
struct Acting {
    kind: Kind,
    by: Instant,
    /// Until when the effect shows that nothing was waited for before.
    promptly_by: Option<Instant>,
    behind_strange: bool,
    ordinal: u64,
}

/// Something has come that must have no effect.
struct Ignored {
    requirement: &'static str,
    what: &'static str,
    by: Instant,
    judged: bool,
    ordinal: u64,
}

/// An upload that was confirmed.
struct Settled {
    bytes: Vec<u8>,
    at: Instant,
    behind_strange: bool,
    judged: bool,
    ordinal: u64,
}

impl TalkJudge for Answers {
    fn judge(&mut self, bit: &Bit, moment: &Moment<'_>, findings: &mut Findings) {
        self.judge_effect(bit, moment, findings);
        match bit {
            Bit::Answered { fits: Fits::Right, behind_impossible, .. } => {
                self.right(*behind_impossible, moment, findings);
            }
            Bit::Answered { frame, fits, .. } => self.strange(frame.kind, *fits, moment),
            Bit::Damaged { .. } => {
                self.must_be_ignored("WAT-F1", "a frame whose CRC is wrong", moment);
            }
            Bit::Asks { bytes, .. } => {
                self.asked(bytes, moment, findings);
                if !moment.talk.is_repeat(bytes, moment.at, moment.scene) {
                    self.ignored.clear();
                    self.end_unasked(moment, findings);
                }
            }
            Bit::CardOut => {
                self.forget_question();
                self.end_unasked(moment, findings);
            }
            Bit::PowerOn | Bit::PowerOff => *self = Self::default(),
            Bit::Hung(_) => {
                self.settled.retain(|settled| settled.at < moment.at);
                self.acting = None;
                self.ignored.clear();
                self.unasked = None;
            }
            Bit::Up | Bit::Down { .. } | Bit::Blurred => {
                self.ignored.clear();
                self.unasked = None;
            }
            _ => {}
        }
    }

    fn pass_time(&mut self, moment: &Moment<'_>, findings: &mut Findings) {
        for ignored in self.ignored.iter_mut().chain(&mut self.unasked) {
            if !ignored.judged && ignored.by < moment.at {
                ignored.judged = true;
                findings.judge(ignored.requirement, true, || unreachable!("it holds"));
            }
        }
        if let Some(acting) = self.acting.take_if(|acting| acting.by < moment.at) {
            let requirement = if acting.behind_strange { "WAT-F6" } else { "WAT-F4" };
            let name = kind_name(acting.kind);
            let violation = |requirement| {
                let expected = format!("the answer to its {name} is recognised and has its effect");
                moment.violation(requirement, expected, "nothing follows from it", Some(acting.ordinal))
            };
            findings.judge(requirement, false, || violation(requirement));
            if acting.promptly_by.is_some() {
                findings.judge("WAT-F5", false, || violation("WAT-F5"));
            }
        }
    }
}

impl Answers {
    /// The right answer while it is certainly waited for.
    fn right(&mut self, behind_impossible: bool, moment: &Moment<'_>, findings: &mut Findings) {
        for ignored in self.ignored.drain(..).filter(|ignored| !ignored.judged) {
            findings.judge(ignored.requirement, true, || unreachable!("it holds"));
        }
        let Some(open) = moment.talk.certain(moment.at, moment.scene) else { return };
        let kind = open.request.kind();
        let behind_strange = open.strange > 0;
        match kind {
            Kind::Upload => {
                if self.settled.len() >= SETTLED_MAX {
                    self.settled.remove(0);
                }
                self.settled.push(Settled {
                    bytes: open.bytes.clone(),
                    at: moment.at,
                    behind_strange,
                    judged: false,
                    ordinal: moment.ordinal,
                });
            }
            Kind::OrderRequest if moment.talk.card.is_none() => {}
            Kind::Heartbeat if !is_starting(moment.talk.service) => {}
            Kind::OrderRequest | Kind::Heartbeat => {
                let gap = moment.scene.profile.frame.frame_gap;
                self.acting = Some(Acting {
                    kind,
                    by: moment.at + moment.tolerance(),
                    promptly_by: behind_impossible.then(|| moment.at + gap.shortened(2)),
                    behind_strange,
                    ordinal: moment.ordinal,
                });
            }
            _ => {}
        }
    }

    fn strange(&mut self, kind: u8, fits: Fits, moment: &Moment<'_>) {
        let what = match fits {
            Fits::OtherMachine => "an answer for another machine number",
            Fits::OtherKind => "an answer of another type",
            Fits::OtherSubject => "an answer for another card",
            Fits::Unasked => return self.unasked(kind, moment),
            Fits::Right | Fits::Unclear => return,
        };
        self.must_be_ignored("WAT-F6", what, moment);
    }

    /// An offer after the result of the last one has been confirmed belongs to no request at all.
    fn unasked(&mut self, kind: u8, moment: &Moment<'_>) {
        let after_upload = moment
            .talk
            .answered
            .as_ref()
            .is_some_and(|answered| matches!(answered.request, Request::Upload { .. }));
        let is_offer = Kind::split(kind).is_some_and(|(_, kind)| kind == Kind::OrderRequest);
        if after_upload && is_offer && moment.talk.card.is_some() && self.unasked.is_none() {
            self.unasked = Some(Ignored {
                requirement: "WAT-F6",
                what: "an answer to no outstanding request",
                by: moment.at + moment.tolerance(),
                judged: false,
                ordinal: moment.ordinal,
            });
        }
    }

    fn end_unasked(&mut self, _moment: &Moment<'_>, findings: &mut Findings) {
        if let Some(ignored) = self.unasked.take().filter(|ignored| !ignored.judged) {
            findings.judge(ignored.requirement, true, || unreachable!("it holds"));
        }
    }

    fn must_be_ignored(&mut self, requirement: &'static str, what: &'static str, moment: &Moment<'_>) {
        let Some(open) = moment.talk.certain(moment.at, moment.scene) else { return };
        let watched = match open.request {
            Request::OrderRequest { .. } => moment.talk.card.is_some(),
            Request::Heartbeat => is_starting(moment.talk.service),
            _ => false,
        };
        if watched {
            self.ignored.push(Ignored {
                requirement,
                what,
                by: moment.at + moment.tolerance(),
                judged: false,
                ordinal: moment.ordinal,
            });
        }
    }

    /// Something that the terminal does, or that becomes of the card.
    fn judge_effect(&mut self, bit: &Bit, moment: &Moment<'_>, findings: &mut Findings) {
        if let Some(acting) = self.acting.take_if(|acting| shows(acting.kind, bit, moment)) {
            let requirement = if acting.behind_strange { "WAT-F6" } else { "WAT-F4" };
            findings.judge(requirement, true, || unreachable!("it holds"));
            if let Some(by) = acting.promptly_by {
                findings.judge("WAT-F5", moment.at <= by, || {
                    let expected = "a sound frame behind one that cannot be is recognised at once";
                    moment.violation("WAT-F5", expected, "it was waited for more", Some(acting.ordinal))
                });
            }
            return;
        }
        if is_written(bit, moment)
            && let Some(ignored) = self.unasked.take()
        {
            violate(&ignored, "the card is written", moment, findings);
        }
        let Some(open) = moment.talk.certain(moment.at, moment.scene) else { return };
        if !self.ignored.is_empty() && is_premature(open, bit, moment) {
            let mut blamed = Vec::new();
            for ignored in self.ignored.drain(..) {
                if !blamed.contains(&ignored.requirement) {
                    blamed.push(ignored.requirement);
                    violate(&ignored, &effect_words(bit), moment, findings);
                }
            }
        }
    }

    /// A confirmed upload does not leave again.
    fn asked(&mut self, bytes: &[u8], moment: &Moment<'_>, findings: &mut Findings) {
        let again = self.settled.iter().position(|settled| settled.bytes == bytes);
        if let Some(at) = again {
            let settled = self.settled.remove(at);
            findings.judge("WAT-F4", false, || {
                let expected = "the answer to its upload is recognised, and the upload not sent again";
                moment.violation("WAT-F4", expected, "the same upload leaves again", Some(settled.ordinal))
            });
        }
        for settled in self.settled.iter_mut().filter(|settled| !settled.judged) {
            settled.judged = true;
            let requirement = if settled.behind_strange { "WAT-F6" } else { "WAT-F4" };
            findings.judge(requirement, true, || unreachable!("it holds"));
        }
    }

    fn forget_question(&mut self) {
        self.ignored.clear();
        self.acting = self.acting.take().filter(|acting| acting.kind != Kind::OrderRequest);
    }
}

fn violate(ignored: &Ignored, actual: &str, moment: &Moment<'_>, findings: &mut Findings) {
    let requirement = ignored.requirement;
    findings.judge(requirement, false, || {
        let expected = format!("{} has no effect", ignored.what);
        moment.violation(requirement, expected, actual, Some(ignored.ordinal))
    });
}

fn is_starting(service: Service) -> bool {
    matches!(service, Service::Booting | Service::Failed)
}

fn is_tested(bit: &Bit) -> bool {
    match bit {
        Bit::Pings(_) => true,
        Bit::Tells(_, text) => matches!(Words::of(text), Words::SelfTestPassed | Words::PartFailed),
        _ => false,
    }
}

/// Whether the card in this slot changes.
fn is_written(bit: &Bit, moment: &Moment<'_>) -> bool {
    matches!(bit, Bit::CardChanged { card, .. } if moment.talk.card == Some(*card))
}

/// Whether this shows that an answer was recognised.
fn shows(kind: Kind, bit: &Bit, moment: &Moment<'_>) -> bool {
    match kind {
        Kind::Heartbeat => is_tested(bit),
        _ => matches!(bit, Bit::Field | Bit::Tells(..)) || is_written(bit, moment),
    }
}

/// Whether this may only follow from the answer.
fn is_premature(open: &Open, bit: &Bit, moment: &Moment<'_>) -> bool {
    match open.request {
        Request::Heartbeat => is_tested(bit),
        Request::OrderRequest { .. } => match bit {
            Bit::CardChanged { .. } => is_written(bit, moment),
            Bit::Tells(_, text) => matches!(Words::of(text), Words::Result { volume: Some(_), .. }),
            _ => false,
        },
        _ => false,
    }
}

fn effect_words(bit: &Bit) -> String {
    match bit {
        Bit::CardChanged { .. } => "the card is written".to_owned(),
        Bit::Tells(_, text) => format!("people are told \"{text}\""),
        _ => "the self test begins".to_owned(),
    }
}

/// What a message is called.
pub fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Heartbeat => "heartbeat",
        Kind::OrderRequest => "order request",
        Kind::Upload => "upload",
        Kind::Clock => "clock request",
        Kind::Parameters => "parameter request",
        Kind::CardQuery => "card query",
        Kind::FaultReport => "fault report",
    }
}
