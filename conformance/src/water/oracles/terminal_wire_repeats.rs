//! Negative answers both ways, and the types of messages.
//!
//! Source: WAT-F2, WAT-F3, WAT-P1.

use std::collections::VecDeque;

use assay_sim::time::Instant;
use assay_sim::water::frame::{Kind, Request};
use assay_sim::water::tariff::Pricing;

use super::terminal_wire::{Moment, TalkJudge};
use super::terminal_wire_answers::kind_name;
use super::terminal_wire_talk::Bit;
use crate::finding::Findings;

/// Judges the negative answers that the terminal gives.
#[derive(Default)]
pub struct Negatives {
    /// Damaged frames that must be answered.
    due: VecDeque<Due>,
    /// When damaged frames came.
    damaged: VecDeque<Instant>,
    /// Negative answers that left while nothing was outstanding.
    given: VecDeque<Given>,
}

struct Due {
    by: Instant,
    /// The type as it was read, unless it was hit.
    kind: Option<u8>,
    ordinal: u64,
}

struct Given {
    /// When at the earliest it was decided on.
    from: Instant,
    ordinal: u64,
}

impl TalkJudge for Negatives {
    fn judge(&mut self, bit: &Bit, moment: &Moment<'_>, findings: &mut Findings) {
        match bit {
            Bit::Damaged { frame, kind_hit } => {
                let times = &moment.scene.profile.terminal;
                let from = moment.at;
                self.damaged.push_back(from);
                let window = times.negatives_window + moment.tolerance();
                self.damaged.retain(|then| from.since(*then) <= window);
                let within_bound = self.damaged.len() <= times.negatives_max;
                let ours = frame.machine == moment.cast.machine;
                if within_bound && ours && moment.talk.up && moment.talk.is_free(from) {
                    let kind = (!kind_hit).then_some(frame.kind);
                    self.due.push_back(Due { by: from + moment.tolerance(), kind, ordinal: moment.ordinal });
                }
            }
            Bit::Refuses(frame) => {
                if let Some(due) = self.due.pop_front() {
                    let right_kind = due.kind.is_none_or(|kind| kind == frame.kind);
                    let right =
                        right_kind && frame.content.is_empty() && frame.machine == moment.cast.machine;
                    findings.judge("WAT-F2", right, || {
                        let kind = due.kind.unwrap_or(frame.kind);
                        let expected = format!("a negative answer of type {kind:02X} without content");
                        let actual =
                            format!("one of type {:02X} with {} bytes", frame.kind, frame.content.len());
                        moment.violation("WAT-F2", expected, actual, Some(due.ordinal))
                    });
                }
                self.judge_bound(moment, findings);
            }
            Bit::Up | Bit::Down { .. } | Bit::Hung(_) | Bit::Blurred | Bit::PowerOn | Bit::PowerOff => {
                self.due.clear();
                if matches!(bit, Bit::PowerOn | Bit::PowerOff) {
                    *self = Self::default();
                }
            }
            _ => {}
        }
    }

    fn pass_time(&mut self, moment: &Moment<'_>, findings: &mut Findings) {
        while let Some(due) = self.due.front_mut().filter(|due| due.by < moment.at) {
            if moment.talk.sending {
                due.by = moment.at + moment.tolerance();
                return;
            }
            let ordinal = due.ordinal;
            self.due.pop_front();
            findings.judge("WAT-F2", false, || {
                let expected = "a frame with a wrong CRC gets a negative answer";
                moment.violation("WAT-F2", expected, "none leaves", Some(ordinal))
            });
        }
    }
}

impl Negatives {
    fn judge_bound(&mut self, moment: &Moment<'_>, findings: &mut Findings) {
        if moment.talk.open.is_some() {
            self.given.clear();
            return;
        }
        let times = &moment.scene.profile.terminal;
        self.given.push_back(Given { from: moment.talk.wanted_from(), ordinal: moment.ordinal });
        if self.given.len() <= times.negatives_max {
            return;
        }
        let Some(first) = self.given.pop_front() else { return };
        let apart = moment.at.since(first.from) + moment.tolerance();
        findings.judge("WAT-F2", apart >= times.negatives_window, || {
            let max = times.negatives_max;
            let expected = format!(
                "at most {max} negative answers in {} with nothing to repeat",
                times.negatives_window
            );
            let actual = format!("{} of them", max + 1);
            moment.violation("WAT-F2", expected, actual, Some(first.ordinal))
        });
    }
}

/// Judges what the terminal does on negative answers.
#[derive(Default)]
pub struct Repeats {
    /// A frame that must leave again.
    owed: Option<Owed>,
    /// An upload that was refused as often as it may leave.
    refused: Option<(Vec<u8>, u64)>,
    /// A frame that must not leave again: a negative answer came when nothing was outstanding.
    silent: Option<Owed>,
}

struct Owed {
    bytes: Vec<u8>,
    kind: Kind,
    by: Instant,
    ordinal: u64,
}

impl TalkJudge for Repeats {
    fn judge(&mut self, bit: &Bit, moment: &Moment<'_>, findings: &mut Findings) {
        match bit {
            Bit::Refused(frame) => self.refused(frame.kind, moment),
            Bit::Asks { bytes, .. } => self.asked(bytes, moment, findings),
            Bit::CardOut => {
                self.owed = self.owed.take().filter(|owed| owed.kind != Kind::OrderRequest);
            }
            Bit::Answered { .. } | Bit::Damaged { .. } => self.owed = None,
            Bit::Up | Bit::Down { .. } | Bit::Hung(_) | Bit::Blurred | Bit::PowerOn | Bit::PowerOff => {
                *self = Self::default();
            }
            _ => {}
        }
    }

    fn pass_time(&mut self, moment: &Moment<'_>, findings: &mut Findings) {
        if let Some(owed) = self.owed.as_mut().filter(|owed| owed.by < moment.at) {
            if moment.talk.sending {
                owed.by = moment.at + moment.tolerance();
            } else if let Some(owed) = self.owed.take() {
                findings.judge("WAT-F3", false, || {
                    let expected = format!("the refused {} leaves again", kind_name(owed.kind));
                    moment.violation("WAT-F3", expected, "nothing leaves", Some(owed.ordinal))
                });
            }
        }
        if self.silent.take_if(|silent| silent.by < moment.at).is_some() {
            findings.judge("WAT-F3", true, || unreachable!("it holds"));
        }
    }
}

impl Repeats {
    fn refused(&mut self, kind: u8, moment: &Moment<'_>) {
        let by = moment.at + moment.tolerance();
        let sends_max = u32::from(moment.scene.profile.terminal.sends_max);
        if let Some(open) = moment.talk.certain(moment.at, moment.scene) {
            let alone = open.damaged == 0 && open.frame.kind == kind;
            let of = open.request.kind();
            let refused = open.negatives + 1;
            if alone && refused < sends_max {
                self.owed = Some(Owed { bytes: open.bytes.clone(), kind: of, by, ordinal: moment.ordinal });
            } else if alone && refused == sends_max && of == Kind::Upload {
                self.refused = Some((open.bytes.clone(), moment.ordinal));
            }
        } else if let (None, Some(answered)) = (&moment.talk.open, &moment.talk.answered)
            && moment.talk.is_free(moment.at)
        {
            let of = answered.request.kind();
            let next_heartbeat =
                moment.talk.heartbeat_at.map(|at| at + moment.scene.profile.server.heartbeat);
            let due = next_heartbeat.is_none_or(|next| next <= by + moment.tolerance());
            if of != Kind::Heartbeat || !due {
                self.silent =
                    Some(Owed { bytes: answered.bytes.clone(), kind: of, by, ordinal: moment.ordinal });
            }
        }
    }

    fn asked(&mut self, bytes: &[u8], moment: &Moment<'_>, findings: &mut Findings) {
        if let Some(owed) = self.owed.take() {
            findings.judge("WAT-F3", owed.bytes == bytes, || {
                let expected = format!("the refused {} leaves again bit for bit", kind_name(owed.kind));
                moment.violation("WAT-F3", expected, "something else leaves", Some(owed.ordinal))
            });
        }
        if let Some(silent) = self.silent.take() {
            findings.judge("WAT-F3", silent.bytes != bytes, || {
                let expected = "a negative answer is ignored when nothing is outstanding";
                let actual = format!("the answered {} leaves again", kind_name(silent.kind));
                moment.violation("WAT-F3", expected, actual, Some(silent.ordinal))
            });
        }
        if let Some((refused, ordinal)) = self.refused.take() {
            let sends_max = moment.scene.profile.terminal.sends_max;
            findings.judge("WAT-F3", refused != bytes, || {
                let expected = format!("a refused upload leaves {sends_max} times in all");
                moment.violation("WAT-F3", expected, "it leaves once more", Some(ordinal))
            });
        }
    }
}

/// Judges the types of a card's messages.
#[derive(Default)]
pub struct Kinds;

impl TalkJudge for Kinds {
    fn judge(&mut self, bit: &Bit, moment: &Moment<'_>, findings: &mut Findings) {
        use assay_sim::water::frame::Message;
        let Bit::Asks { frame, .. } = bit else { return };
        let Ok(Message::Request { pricing, request }) = Message::of(frame) else { return };
        let (Request::OrderRequest { card, .. } | Request::Upload { card, .. }) = request else { return };
        let Some(known) = moment.scene.card_numbered(card) else { return };
        let right = pricing == known.spec.pricing;
        findings.judge("WAT-P1", right, || {
            let price = match known.spec.pricing {
                Pricing::Flat => "flat price, 00 to 06",
                Pricing::Tiered => "tiered price, 10 to 16",
            };
            let expected = format!("messages for card {card} bear the types of the {price}");
            moment.violation("WAT-P1", expected, format!("type {:02X}", frame.kind), None)
        });
    }
}
