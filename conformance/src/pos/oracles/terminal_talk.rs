//! Judges what people are told: success only when there is one (POS-P3), texts as they are meant (POS-X2), and that the
//! terminal goes on whatever has come (POS-X1).

use std::collections::VecDeque;

use assay_sim::pos::frame::{Cue, ServerMessage, text};
use assay_sim::time::Instant;

use super::terminal_bits::Moment;
use super::terminal_sales::Sales;
use crate::finding::Findings;

/// The voice prompt that says success.
const SUCCESS: &[u8] = b"say 1";
/// Its number.
const SUCCESS_VOICE: u8 = 1;

/// A text that must be shown.
#[derive(Clone, Debug)]
struct Text {
    shown: String,
    since: Instant,
    ordinal: u64,
}

/// What one terminal tells people.
#[derive(Clone, Debug, Default)]
pub struct Talk {
    /// Answers of the server that bring the voice of success with them: when they came.
    voices: VecDeque<Instant>,
    /// Whether the last text was that of a sale booked off line.
    booked: bool,
    texts: VecDeque<Text>,
    /// Whether something came since power did that is no message.
    junk: bool,
    /// What people have done, and what nothing has come of yet.
    asked: VecDeque<(Instant, u64)>,
}

impl Talk {
    /// Power has gone or come.
    pub fn forget(&mut self) {
        *self = Self::default();
    }

    /// Something came that is no message.
    pub const fn hears_junk(&mut self) {
        self.junk = true;
    }

    /// People do something.
    pub fn asked(&mut self, moment: &Moment<'_>) {
        if self.junk {
            self.asked.push_back((moment.at, moment.ordinal));
        }
    }

    /// An answer has come for this machine; the sales do not know of it yet.
    pub fn hears(&mut self, message: &ServerMessage, sales: &Sales, moment: &Moment<'_>) {
        let (words, cue, answer): (&[u8], &Cue, Option<bool>) = match message {
            ServerMessage::Refused { text, cue, .. } | ServerMessage::Done { text, cue, .. } => {
                (text, cue, sales.is_answered_by(message))
            }
            ServerMessage::Display { text, cue, .. } => (text, cue, Some(true)),
            _ => return,
        };
        // A success that comes late is one as well.
        if cue.voice == SUCCESS_VOICE && (answer != Some(false) || sales.current().is_none()) {
            self.voices.push_back(moment.at);
        }
        let shown = text::one_line(&text::runs(words));
        let signs = words.iter().any(|byte| matches!(byte, b'\\' | b'{' | b'}'));
        let plain = !shown.contains(['\u{fffd}']) && !shown.contains("\\u{");
        // Nothing to be seen is nothing that could be missed.
        if answer == Some(true) && signs && plain && !shown.is_empty() {
            self.texts.push_back(Text { shown, since: moment.at, ordinal: moment.ordinal });
        }
    }

    /// Anything leaves the terminal.
    pub fn acts(&mut self, moment: &Moment<'_>, findings: &mut Findings) {
        if self.asked.pop_front().is_some() {
            moment.met("POS-X1", findings);
        }
    }

    /// A line leaves it for people.
    pub fn tells(&mut self, line: &[u8], moment: &Moment<'_>, findings: &mut Findings) {
        if let Some(shown) = line.strip_prefix(b"show ") {
            self.booked = shown.starts_with(b"OFF LINE ");
            if let Some(at) = self.texts.iter().position(|text| text.shown.as_bytes() == shown) {
                self.texts.remove(at);
                moment.met("POS-X2", findings);
            }
        }
        if line == SUCCESS {
            let grace = moment.grace();
            self.voices.retain(|at| moment.at <= moment.calm.overdue(*at + grace, grace));
            let spoken = self.voices.pop_front().is_some();
            let booked = std::mem::take(&mut self.booked);
            findings.judge("POS-P3", spoken || booked, || {
                let expected =
                    "success is told only when an answer to the sale brings it, or when it is booked";
                moment.violation("POS-P3", expected, "people hear that a sale is made", &[])
            });
        }
    }

    /// Time has passed: what must have come by now?
    pub fn pass_time(&mut self, moment: &Moment<'_>, findings: &mut Findings) {
        while self.texts.front().is_some_and(|text| moment.is_past(text.since))
            && let Some(text) = self.texts.pop_front()
        {
            findings.judge("POS-X2", false, || {
                let expected = format!("people are shown \"{}\"", text.shown.escape_debug());
                moment.violation("POS-X2", expected, "they are not", &[text.ordinal])
            });
        }
        while self.asked.front().is_some_and(|(at, _)| moment.is_past(*at))
            && let Some((_, ordinal)) = self.asked.pop_front()
        {
            findings.judge("POS-X1", false, || {
                let expected = "after a datagram that is no message, what people do is answered as ever";
                moment.violation("POS-X1", expected, "nothing came of it", &[ordinal])
            });
        }
    }
}
