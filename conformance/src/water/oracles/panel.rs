//! What people are told.
//!
//! Source: WAT-B2, WAT-U1.

use assay_sim::money::Volume;
use assay_sim::time::Instant;
use assay_sim::water::frame::{Answer, Message, Offer};

use super::panel_words::{Words, parts_in};
use super::terminal_wire::{Moment, TalkJudge};
use super::terminal_wire_talk::{Bit, Fits, Panel, Service};
use crate::finding::Findings;

const PANELS: [Panel; 2] = [Panel::Voice, Panel::Display];

/// The least reception that counts as known and unknown at once: what a module says when it does not know.
const SIGNAL_UNKNOWN: u8 = 99;

/// Judges the self test by the parts that are there.
#[derive(Default)]
pub struct SelfTest {
    test: Option<Test>,
}

struct Test {
    at: Instant,
    ordinal: u64,
    pinged: [bool; 2],
    present: [bool; 2],
}

impl TalkJudge for SelfTest {
    fn judge(&mut self, bit: &Bit, moment: &Moment<'_>, findings: &mut Findings) {
        let starting = matches!(moment.talk.service, Service::Booting | Service::Failed);
        match bit {
            Bit::Answered { fits: Fits::Right, .. }
                if starting && moment.talk.certain(moment.at, moment.scene).is_some() =>
            {
                self.begin(moment);
            }
            Bit::Pings(panel) => {
                if self.test.is_none() && moment.talk.service == Service::PartFailed {
                    self.begin(moment);
                }
                if let Some(test) = &mut self.test {
                    test.pinged[*panel as usize] = true;
                }
            }
            Bit::Present(panel) => {
                if let Some(test) = &mut self.test {
                    test.present[*panel as usize] = true;
                }
            }
            Bit::PanelPower(..) | Bit::Hung(_) | Bit::PowerOn | Bit::PowerOff => self.test = None,
            Bit::Tells(_, text) => self.told(text, moment, findings),
            _ => {}
        }
    }

    fn pass_time(&mut self, moment: &Moment<'_>, findings: &mut Findings) {
        let limit = moment.scene.profile.terminal.part_timeout + moment.tolerance();
        if let Some(test) = self.test.take_if(|test| test.at + limit < moment.at) {
            findings.judge("WAT-B2", false, || {
                let expected = "word of the self test";
                moment.violation("WAT-B2", expected, "people are told nothing", Some(test.ordinal))
            });
        }
    }
}

impl SelfTest {
    fn begin(&mut self, moment: &Moment<'_>) {
        let (at, ordinal) = (moment.at, moment.ordinal);
        self.test = Some(Test { at, ordinal, pinged: [false; 2], present: [false; 2] });
    }

    fn told(&mut self, text: &str, moment: &Moment<'_>, findings: &mut Findings) {
        let words = Words::of(text);
        let eeprom = &moment.scene.profile.eeprom;
        let no_storage = eeprom.chip.device_address != eeprom.driver.device_address;
        let named = parts_in(text);
        if words == Words::InitFailed && no_storage {
            findings.judge("WAT-B2", named == ["STORAGE"], || {
                moment.violation("WAT-B2", "the storage named, which does not answer", text, None)
            });
        }
        if !matches!(words, Words::SelfTestPassed | Words::PartFailed) {
            return;
        }
        let Some(test) = self.test.take() else { return };
        let (failed, unclear) = test.parts(moment);
        let right = match (failed.is_empty(), words) {
            (true, _) if !unclear.is_empty() => return,
            (true, words) => words == Words::SelfTestPassed,
            (false, words) => {
                let known = |part: &&str| failed.contains(part) || unclear.contains(part);
                words == Words::PartFailed
                    && named.iter().any(|part| failed.contains(part))
                    && named.iter().all(known)
            }
        };
        findings.judge("WAT-B2", right, || {
            let expected = match failed.as_slice() {
                [] => "the self test passes: every part is there".to_owned(),
                failed => format!("the self test names {}", failed.join(" or ")),
            };
            moment.violation("WAT-B2", expected, format!("people are told \"{text}\""), Some(test.ordinal))
        });
    }
}

impl Test {
    /// The parts that are not there, and those of which nobody can say.
    fn parts(&self, moment: &Moment<'_>) -> (Vec<&'static str>, Vec<&'static str>) {
        let (mut failed, mut unclear) = (Vec::new(), Vec::new());
        for (panel, name) in PANELS.into_iter().zip(["VOICE", "DISPLAY"]) {
            let at = panel as usize;
            if !moment.talk.panels[at] {
                failed.push(name);
            } else if self.pinged[at] && !self.present[at] {
                unclear.push(name);
            }
        }
        let least = moment.scene.profile.terminal.signal_min;
        match moment.talk.signal {
            None => unclear.push("SIGNAL"),
            Some(signal) if signal == SIGNAL_UNKNOWN || signal < least => failed.push("SIGNAL"),
            Some(_) => {}
        }
        (failed, unclear)
    }
}

/// Judges what is told of each card's visit.
#[derive(Default)]
pub struct Visits {
    visit: Option<Visit>,
}

struct Visit {
    card: usize,
    ordinal: u64,
    /// What the card showed when it came.
    sold: Option<Volume>,
    /// The volume of an order that the server found on the card.
    done: Option<Volume>,
    texts: [Option<String>; 2],
    /// When there must be word.
    by: Instant,
    /// When the last word is taken for the last.
    settled_at: Option<Instant>,
}

impl TalkJudge for Visits {
    fn judge(&mut self, bit: &Bit, moment: &Moment<'_>, _findings: &mut Findings) {
        match bit {
            Bit::CardIn(card) => {
                let served = moment.talk.service == Service::Ready && moment.talk.is_free(moment.at);
                self.visit = served.then(|| Visit {
                    card: *card,
                    ordinal: moment.ordinal,
                    sold: moment.talk.sold(*card),
                    done: None,
                    texts: [None, None],
                    by: moment.at + moment.scene.profile.bench.card_within,
                    settled_at: None,
                });
            }
            Bit::PowerOn | Bit::PowerOff | Bit::Hung(_) => self.visit = None,
            _ => {}
        }
        let Some(visit) = &mut self.visit else { return };
        match bit {
            Bit::CardOut => visit.by = visit.by.min(moment.at + moment.tolerance()),
            Bit::Tells(panel, text) if matches!(Words::of(text), Words::Result { .. }) => {
                visit.texts[*panel as usize] = Some(text.clone());
                visit.settled_at = Some(moment.at + moment.tolerance());
            }
            Bit::Answered { frame, fits: Fits::Right, .. } => {
                if let Ok(Message::Answer {
                    answer: Answer::OrderRequest { offer: Offer::Done { volume, .. }, .. },
                    ..
                }) = Message::of(frame)
                {
                    visit.done = Some(volume);
                }
            }
            _ => {}
        }
    }

    fn pass_time(&mut self, moment: &Moment<'_>, findings: &mut Findings) {
        let Some(visit) = &mut self.visit else { return };
        let settled = visit.settled_at.take_if(|at| *at < moment.at).is_some();
        let late = visit.by < moment.at && visit.texts.iter().any(Option::is_none);
        if settled && visit.texts.iter().all(Option::is_some) {
            visit.judge(moment, findings);
        }
        if late && let Some(visit) = self.visit.take() {
            let silent: Vec<_> =
                PANELS.into_iter().filter(|panel| visit.texts[*panel as usize].is_none()).collect();
            findings.judge("WAT-U1", false, || {
                let expected = "the result of a card's visit is spoken and shown";
                let missing = match silent[..] {
                    [Panel::Voice] => "nothing is spoken",
                    [Panel::Display] => "nothing is shown",
                    _ => "nothing is spoken or shown",
                };
                moment.violation("WAT-U1", expected, missing, Some(visit.ordinal))
            });
        }
    }
}

impl Visit {
    fn judge(&self, moment: &Moment<'_>, findings: &mut Findings) {
        let [Some(spoken), Some(shown)] = &self.texts else { return };
        let told = [spoken, shown].map(|text| match Words::of(text) {
            Words::Result { volume, in_doubt } => (volume, in_doubt),
            _ => (None, false),
        });
        let grown = self.sold.zip(moment.talk.sold(self.card)).map(|(from, to)| to.saturating_sub(from));
        let right = told[0] == told[1]
            && match told[0] {
                (None, _) => false,
                (Some(_), true) => true,
                (Some(volume), false) => {
                    self.done == Some(volume) || grown.is_none_or(|grown| grown == volume)
                }
            };
        findings.judge("WAT-U1", right, || {
            let grown = grown.map_or("an unknown volume".to_owned(), |grown| format!("{grown} t"));
            let expected = format!("voice and display give the result and {grown}, by which the card grew");
            let actual = format!("spoken: \"{spoken}\", shown: \"{shown}\"");
            moment.violation("WAT-U1", expected, actual, Some(self.ordinal))
        });
    }
}
