//! The clock of whoever recorded: it may have been set back, and packets may be out of order.

use std::fmt::Display;

use assay_reports::text::seconds;
use assay_sim::time::Span;

/// How far a clock may jump back while packets are merely out of order.
const ORDER_US: u64 = 1_000_000;

/// From how long on silence is worth a word.
const SILENCE: Span = Span::s(600);

/// A clock that never goes back.
#[derive(Debug, Default)]
pub(super) struct Clock {
    /// Units: microseconds since the first.
    pub(super) now_us: u64,
    /// How many are out of order.
    pub(super) disordered: u64,
    /// What is worth knowing.
    pub(super) notes: Vec<String>,
    first_us: Option<u64>,
    /// What is added to the clock of the recording, as it was set back.
    shift_us: u64,
}

impl Clock {
    /// Goes on to the time of what stands at a place, such as `packet 7`; says so if the clock of the recording goes
    /// back.
    ///
    /// Units: microseconds by the clock of whoever recorded.
    pub(super) fn tick(&mut self, at_us: u64, place: impl Display) -> Option<String> {
        let first = *self.first_us.get_or_insert(at_us);
        let at = at_us.saturating_add(self.shift_us);
        let due = first.saturating_add(self.now_us);
        let back = due.saturating_sub(at);
        if back > ORDER_US {
            self.shift_us = self.shift_us.saturating_add(back);
            return Some(format!("the clock of the recording goes back by {} at {place}", seconds(back)));
        }
        if back > 0 {
            self.disordered += 1;
            return None;
        }
        let silence = at - due;
        if silence >= SILENCE.as_us() {
            let silence = seconds(silence);
            self.notes.push(format!("nothing was recorded for {silence} before {place}"));
        }
        self.now_us += silence;
        None
    }
}
