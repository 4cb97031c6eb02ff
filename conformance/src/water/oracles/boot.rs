//! From power to service: heartbeats, initialisation failure, and what was installed.
//!
//! Source: WAT-B1, WAT-B3, WAT-S1.

use std::collections::BTreeSet;

use assay_sim::time::Instant;
use assay_sim::water::frame::{Kind, MachineNumber, crc16_xmodem};

use super::panel_words::{Words, parts_in};
use super::terminal_wire::{Moment, TalkJudge};
use super::terminal_wire_talk::{Bit, Fits, Service};
use crate::finding::Findings;

/// Judges the heartbeats at boot, the failure after the fifth, and the way back.
#[derive(Default)]
pub struct Boot {
    /// The heartbeats since power, while nothing but silence answered them.
    beats: Vec<Beat>,
    /// Something else than silence came between.
    disturbed: bool,
    answered: bool,
    /// A sign of another attempt must come by then.
    try_by: Option<Due>,
    /// A heartbeat must leave by then: the connection stands.
    beat_by: Option<Due>,
    /// People must be told of the self test by then: a heartbeat was answered.
    back_by: Option<Due>,
    /// Reception must be asked for again by then.
    signal_by: Option<Due>,
}

struct Beat {
    sent: Instant,
    ordinal: u64,
}

#[derive(Clone, Copy)]
struct Due {
    by: Instant,
    ordinal: u64,
}

impl TalkJudge for Boot {
    fn judge(&mut self, bit: &Bit, moment: &Moment<'_>, findings: &mut Findings) {
        match bit {
            Bit::PowerOn | Bit::PowerOff => *self = Self::default(),
            Bit::Hung(_) => *self = Self { disturbed: true, ..Self::default() },
            Bit::Asks { frame, .. } => {
                self.tried(moment, findings);
                if frame.kind & 0x0F == Kind::Heartbeat as u8 {
                    self.beat(moment, findings);
                }
            }
            Bit::Answered { fits: Fits::Right, .. } => self.heartbeat_answered(moment),
            Bit::Refused(_) | Bit::Damaged { .. } | Bit::Blurred => self.disturbed = true,
            Bit::Up => {
                self.disturbed |= !self.beats.is_empty();
                if moment.talk.service == Service::Failed {
                    self.beat_by = Some(self.due(moment));
                }
            }
            Bit::Down { .. } => {
                self.disturbed |= !self.beats.is_empty();
                self.beat_by = None;
                self.tried(moment, findings);
            }
            Bit::Sends | Bit::Dials(_) | Bit::Stirs | Bit::Pings(_) => self.tried(moment, findings),
            Bit::Signal(_) => confirm(&mut self.signal_by, "WAT-B3", findings),
            Bit::Tells(_, text) => self.told(text, moment, findings),
            _ => {}
        }
    }

    fn pass_time(&mut self, moment: &Moment<'_>, findings: &mut Findings) {
        if moment.talk.is_free(moment.at) {
            self.miss_beat(moment, findings);
        }
        let retry = moment.scene.profile.terminal.boot_retry;
        for (due, expected, actual) in [
            (
                &mut self.try_by,
                format!("another attempt within {retry} of a failure"),
                "nothing at all happens",
            ),
            (&mut self.beat_by, "a heartbeat once the connection stands again".to_owned(), "none leaves"),
            (&mut self.back_by, "service once a heartbeat is answered".to_owned(), "people are told nothing"),
            (
                &mut self.signal_by,
                "reception asked for again after it was too weak".to_owned(),
                "it is never asked for",
            ),
        ] {
            if let Some(due) = due.take_if(|due| due.by < moment.at) {
                findings.judge("WAT-B3", false, || {
                    moment.violation("WAT-B3", expected, actual, Some(due.ordinal))
                });
            }
        }
    }
}

fn confirm(due: &mut Option<Due>, requirement: &'static str, findings: &mut Findings) {
    if due.take().is_some() {
        findings.judge(requirement, true, || unreachable!("it holds"));
    }
}

impl Boot {
    /// The next attempt must come within the retry period from now.
    fn due(&self, moment: &Moment<'_>) -> Due {
        let by = moment.at + moment.scene.profile.terminal.boot_retry + moment.tolerance();
        Due { by, ordinal: moment.ordinal }
    }

    fn tried(&mut self, moment: &Moment<'_>, findings: &mut Findings) {
        // What belongs to the failed attempt itself is no sign of another.
        if self.try_by.is_some_and(|due| due.ordinal < moment.ordinal) {
            confirm(&mut self.try_by, "WAT-B3", findings);
        }
    }

    fn beat(&mut self, moment: &Moment<'_>, findings: &mut Findings) {
        confirm(&mut self.beat_by, "WAT-B3", findings);
        if moment.talk.service != Service::Booting {
            return;
        }
        if let Some(last) = self.beats.last().filter(|_| !self.disturbed && !self.answered) {
            let gap = moment.at.since(last.sent);
            let early = gap + moment.tolerance() < moment.patience();
            let late = gap > moment.patience() + moment.tolerance();
            let ordinal = last.ordinal;
            findings.judge("WAT-B1", !early && !late, || {
                let expected = format!("at boot a heartbeat {} after the last one", moment.patience());
                moment.violation("WAT-B1", expected, format!("one after {gap}"), Some(ordinal))
            });
        }
        self.beats.push(Beat { sent: moment.at, ordinal: moment.ordinal });
    }

    fn heartbeat_answered(&mut self, moment: &Moment<'_>) {
        let open = moment.talk.certain(moment.at, moment.scene);
        if open.is_none_or(|open| open.request.kind() != Kind::Heartbeat) {
            return;
        }
        match moment.talk.service {
            Service::Booting => self.answered = true,
            Service::Failed => {
                let test = moment.scene.profile.terminal.part_timeout + moment.tolerance() * 2;
                self.back_by = Some(Due { by: moment.at + test, ordinal: moment.ordinal });
            }
            _ => {}
        }
    }

    fn told(&mut self, text: &str, moment: &Moment<'_>, findings: &mut Findings) {
        self.tried(moment, findings);
        match Words::of(text) {
            Words::InitFailed => {
                if moment.talk.service == Service::Booting {
                    self.judge_failure(moment, findings);
                }
                self.try_by = Some(self.due(moment));
                self.beats.clear();
            }
            Words::PartFailed => {
                confirm(&mut self.back_by, "WAT-B3", findings);
                self.judge_answered(moment, findings);
                self.try_by = Some(self.due(moment));
                if parts_in(text).contains(&"SIGNAL") {
                    let retry = moment.scene.profile.terminal.boot_retry;
                    let by = moment.at + retry * 2 + moment.tolerance();
                    self.signal_by = Some(Due { by, ordinal: moment.ordinal });
                }
            }
            Words::SelfTestPassed => {
                let again = matches!(moment.talk.service, Service::Failed | Service::PartFailed);
                if again {
                    findings.judge("WAT-B3", true, || unreachable!("it holds"));
                }
                self.judge_answered(moment, findings);
                *self = Self { disturbed: true, ..Self::default() };
            }
            Words::Result { .. } => {}
        }
    }

    /// The boot ends in service, as it must once a heartbeat was answered.
    fn judge_answered(&self, moment: &Moment<'_>, findings: &mut Findings) {
        if self.answered && moment.talk.service == Service::Booting {
            findings.judge("WAT-B1", true, || unreachable!("it holds"));
        }
    }

    fn judge_failure(&self, moment: &Moment<'_>, findings: &mut Findings) {
        if self.answered {
            findings.judge("WAT-B1", false, || {
                let expected = "no initialisation failure once a heartbeat was answered";
                moment.violation("WAT-B1", expected, "people are told of one", None)
            });
            return;
        }
        let Some(last) = self.beats.last().filter(|_| !self.disturbed) else { return };
        let misses = usize::from(moment.scene.profile.terminal.boot_misses);
        let waited = moment.at.since(last.sent);
        let early = waited + moment.tolerance() < moment.patience();
        let right = self.beats.len() == misses && !early;
        findings.judge("WAT-B1", right, || {
            let expected =
                format!("failure when {misses} heartbeats were missed, {} each", moment.patience());
            let actual = format!("failure after {}, {waited} after the last of them", self.beats.len());
            moment.violation("WAT-B1", expected, actual, Some(last.ordinal))
        });
    }

    /// Neither a heartbeat nor the failure comes when it is due.
    fn miss_beat(&mut self, moment: &Moment<'_>, findings: &mut Findings) {
        let waits = moment.talk.service == Service::Booting && moment.talk.up && !moment.talk.sending;
        if !waits || self.disturbed || self.answered {
            return;
        }
        let limit = moment.patience() + moment.tolerance();
        let Some(last) = self.beats.last().filter(|last| last.sent + limit < moment.at) else { return };
        let misses = usize::from(moment.scene.profile.terminal.boot_misses);
        let count = self.beats.len();
        let ordinal = last.ordinal;
        self.disturbed = true;
        findings.judge("WAT-B1", false, || {
            let expected = if count < misses {
                format!("heartbeat {} of {misses} after {}", count + 1, moment.patience())
            } else {
                format!("failure after {misses} missed heartbeats")
            };
            moment.violation("WAT-B1", expected, "nothing happens", Some(ordinal))
        });
    }
}

/// Judges that server and machine number are those of the memory.
#[derive(Default)]
pub struct Installation {
    dialled: BTreeSet<Vec<u8>>,
    machines: BTreeSet<MachineNumber>,
    failed: bool,
}

impl TalkJudge for Installation {
    fn judge(&mut self, bit: &Bit, moment: &Moment<'_>, findings: &mut Findings) {
        match bit {
            Bit::PowerOn => *self = Self::default(),
            Bit::Dials(line) => {
                self.dialled.insert(line.clone());
            }
            Bit::Asks { frame, .. } | Bit::Refuses(frame) => {
                self.machines.insert(frame.machine);
            }
            Bit::Tells(_, text) => self.failed |= Words::of(text) == Words::InitFailed,
            Bit::Chip(image) => self.judge_memory(image, moment, findings),
            _ => {}
        }
    }
}

impl Installation {
    fn judge_memory(&self, image: &[u8; 256], moment: &Moment<'_>, findings: &mut Findings) {
        const CRC_AT: usize = 94;
        let sound = crc16_xmodem(&image[..CRC_AT]).to_be_bytes() == image[CRC_AT..CRC_AT + 2];
        if !sound {
            let booted = moment.talk.powered_at + moment.tolerance() < moment.at;
            if booted && moment.talk.is_free(moment.at) {
                let silent = self.dialled.is_empty() && self.machines.is_empty();
                findings.judge("WAT-S1", self.failed && silent, || {
                    let expected = "initialisation fails on a configuration whose CRC is wrong";
                    let actual = if silent { "people are told nothing" } else { "it is used" };
                    moment.violation("WAT-S1", expected, actual, None)
                });
            }
            return;
        }
        let [a, b, c, d, high, low] = [image[8], image[9], image[10], image[11], image[12], image[13]];
        let server = format!("\"{a}.{b}.{c}.{d}\",{}", u16::from_be_bytes([high, low]));
        for line in &self.dialled {
            let line = String::from_utf8_lossy(line);
            findings.judge("WAT-S1", line.contains(&server), || {
                let expected = format!("a connection to {server}, as installed");
                moment.violation("WAT-S1", expected, line.trim_end().to_owned(), None)
            });
        }
        let machine = [image[14], image[15], image[16], image[17], image[18]];
        let Ok(installed) = MachineNumber::parse_bcd(machine) else { return };
        for machine in &self.machines {
            findings.judge("WAT-S1", *machine == installed, || {
                let expected = format!("frames of machine {installed}, as installed");
                moment.violation("WAT-S1", expected, format!("frames of machine {machine}"), None)
            });
        }
    }
}
