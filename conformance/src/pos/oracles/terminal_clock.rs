//! Judges the calendar clock by what 101 tells of it: POS-K2.

use assay_sim::pos::frame::{DeviceMessage, Read, SaleTime};
use assay_sim::time::{Instant, Wall};

use super::terminal_bits::Moment;
use crate::finding::Findings;

/// What a terminal's clock showed at a moment, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Known {
    at: Instant,
    shows: Wall,
    /// How much later than printed it may have been.
    ///
    /// Units: microseconds.
    spread_us: i64,
    /// The entry that shows it.
    ordinal: u64,
}

/// The clock of one terminal.
#[derive(Clone, Debug, Default)]
pub struct CalendarClock {
    known: Option<Known>,
    off_since: Option<Instant>,
    /// Whether anything has come since that concerns the clock.
    told: bool,
    /// What it has told since it was switched on: repeats of that tell an older time.
    sent: Vec<Vec<u8>>,
    /// When it was last moved: what is just leaving still tells the time before.
    moved: Option<Instant>,
}

impl CalendarClock {
    /// What it shows is not known any more.
    pub const fn doubt(&mut self, at: Instant) {
        self.known = None;
        self.moved = Some(at);
    }

    /// Power has gone.
    pub fn power_off(&mut self, moment: &Moment<'_>) {
        self.off_since = Some(moment.at);
        // It may have been set just now, or not.
        if self.known.is_some_and(|known| known.spread_us == 0 && !moment.is_past(known.at)) {
            self.known = None;
        }
    }

    /// Power has come.
    pub fn power_on(&mut self, moment: &Moment<'_>) {
        let away = self.off_since.take().map(|since| moment.at - since);
        if away.is_some_and(|away| away + moment.grace() > moment.scene.profile.clock.holds) {
            self.known = None;
        }
        self.sent.clear();
    }

    /// 003 has come, for this machine.
    pub fn set(&mut self, to: &Read<SaleTime>, moment: &Moment<'_>) {
        self.told = true;
        let Ok(to) = to else { return };
        let steady = moment.calm.is_steady(moment.at, moment.at, moment.grace());
        let known = Known { at: moment.at, shows: to.wall(), spread_us: 0, ordinal: moment.ordinal };
        self.known = steady.then_some(known);
    }

    /// It hangs: what waits for it may set it later.
    pub fn hang(&mut self, moment: &Moment<'_>) {
        if self.known.is_some_and(|known| known.spread_us == 0 && !moment.is_past(known.at)) {
            self.known = None;
        }
    }

    /// A 101 leaves.
    pub fn sends(
        &mut self,
        message: &DeviceMessage,
        bytes: &[u8],
        moment: &Moment<'_>,
        findings: &mut Findings,
    ) {
        let DeviceMessage::PowerOn { at: printed, .. } = message else { return };
        let moved = self.moved.is_some_and(|at| !moment.is_past(at));
        let again = self.sent.iter().any(|sent| sent == bytes);
        if !again {
            self.sent.push(bytes.to_vec());
        }
        if moved || again || !moment.calm.is_steady(moment.at, moment.at, moment.grace()) {
            return;
        }
        if let Some(known) = self.known.filter(|_| self.told) {
            let since = i64::try_from((moment.at - known.at).as_us()).unwrap_or(i64::MAX);
            let grace = i64::try_from(moment.grace().as_us()).unwrap_or(i64::MAX);
            let earliest = known.shows.as_us().saturating_add(since).saturating_sub(grace);
            let latest = known.shows.as_us().saturating_add(since).saturating_add(known.spread_us + grace);
            // What is printed has lost its fraction of a second.
            let holds = printed.as_ref().is_ok_and(|time| {
                let us = time.wall().as_us();
                us.saturating_add(1_000_000) > earliest && us <= latest
            });
            findings.judge("POS-K2", holds, || {
                let from = SaleTime::at(Wall::from_us(earliest));
                let to = SaleTime::at(Wall::from_us(latest));
                let expected = format!("a clock between {from} and {to}, by the last 003 that is possible");
                let actual = super::terminal_sold::shown_time(printed);
                moment.violation("POS-K2", expected, actual, &[known.ordinal])
            });
        }
        if let (Ok(time), None) = (printed, self.known) {
            let (at, ordinal) = (moment.at, moment.ordinal);
            self.known = Some(Known { at, shows: time.wall(), spread_us: 1_000_000, ordinal });
            self.told = false;
        }
    }
}
