//! How long parties' timers run, for whoever looks at a run afterwards.

use std::collections::BTreeMap;

use crate::tape::SeatId;
use crate::time::{Instant, Span};

/// The shortest time that is kept: a shorter one nobody sees on a chart.
const KEPT_MIN: Span = Span::ms(10);

/// The most that are kept of a run.
const LAPSES_MAX: usize = 20_000;

/// A timer that ran: the one of its party that would run out next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lapse {
    /// Whose.
    pub seat: SeatId,
    /// What it is called.
    pub name: &'static str,
    /// When it was set, as far as a later one that runs out earlier did not hide it.
    pub from: Instant,
    /// When it ran out, or was taken back or set anew at the latest.
    pub until: Instant,
    /// Whether it ran out.
    pub out: bool,
}

/// A timer that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Running {
    name: &'static str,
    /// When it runs out.
    at: Instant,
    from: Instant,
    /// Until when it was the next.
    seen: Instant,
}

/// The timers of all parties.
#[derive(Clone, Debug, Default)]
pub(super) struct Lapses {
    /// By seat, the next one last; before it those that it hides.
    running: BTreeMap<usize, Vec<Running>>,
    done: Vec<Lapse>,
}

impl Lapses {
    /// A party was touched: `next` is the name of what runs out next there, and when.
    pub(super) fn look(&mut self, seat: usize, now: Instant, next: Option<(&'static str, Instant)>) {
        let all = self.running.entry(seat).or_default();
        if let Some(last) = all.last_mut() {
            last.seen = now;
            if next == Some((last.name, last.at)) {
                return;
            }
        }
        // Whatever has not come to be the next by the time at which it would have run out was taken back before.
        let gone = |timer: &Running| timer.at <= now || next.is_none_or(|(_, at)| timer.at < at);
        let over: Vec<Running> = all.extract_if(.., |timer| gone(timer)).collect();
        if let Some((name, at)) = next {
            let known = all.iter().position(|timer| (timer.name, timer.at) == (name, at));
            let timer = known.map_or(Running { name, at, from: now, seen: now }, |place| all.remove(place));
            all.push(timer);
        }
        for timer in over {
            self.keep(seat, timer, timer.seen, false);
        }
    }

    /// A party's timer, set for `at`, runs out.
    pub(super) fn runs_out(&mut self, seat: usize, at: Instant, now: Instant) {
        let Some(all) = self.running.get_mut(&seat) else { return };
        if let Some(timer) = all.pop_if(|timer| timer.at == at) {
            self.keep(seat, timer, now, true);
        }
    }

    fn keep(&mut self, seat: usize, timer: Running, until: Instant, out: bool) {
        if until.since(timer.from) >= KEPT_MIN && self.done.len() < LAPSES_MAX {
            let seat = SeatId(u16::try_from(seat).unwrap_or(u16::MAX));
            self.done.push(Lapse { seat, name: timer.name, from: timer.from, until, out });
        }
    }

    /// All of them, those that still run at `now` as well, in the order of their beginnings.
    pub(super) fn all(mut self, now: Instant) -> Vec<Lapse> {
        for (seat, all) in std::mem::take(&mut self.running) {
            for timer in all {
                self.keep(seat, timer, now, false);
            }
        }
        self.done.sort_by_key(|lapse| (lapse.from, lapse.seat, lapse.until));
        self.done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(lapses: Lapses, now: Instant) -> Vec<(&'static str, u64, u64, bool)> {
        let told = |lapse: Lapse| (lapse.name, lapse.from.as_us(), lapse.until.as_us(), lapse.out);
        lapses.all(now).into_iter().map(told).collect()
    }

    #[test]
    fn a_timer_runs_from_when_it_is_set_to_when_it_runs_out_or_is_taken_back() {
        let at = |ms: u64| Instant::from_us(ms * 1_000);
        let mut lapses = Lapses::default();
        lapses.look(0, at(0), Some(("answer", at(5_000))));
        lapses.look(0, at(100), Some(("ack", at(1_000))));
        lapses.runs_out(0, at(1_000), at(1_000));
        // What was hidden meanwhile has run all the time.
        lapses.look(0, at(1_000), Some(("answer", at(5_000))));
        lapses.look(1, at(1_500), Some(("beat", at(9_000))));
        lapses.look(0, at(2_000), None);
        lapses.look(0, at(3_000), Some(("answer", at(8_000))));
        assert_eq!(
            told(lapses, at(4_000)),
            [
                ("answer", 0, 2_000_000, false),
                ("ack", 100_000, 1_000_000, true),
                ("beat", 1_500_000, 4_000_000, false),
                ("answer", 3_000_000, 4_000_000, false),
            ]
        );
    }

    #[test]
    fn what_nobody_would_see_is_not_kept() {
        let at = Instant::from_us;
        let mut lapses = Lapses::default();
        lapses.look(0, at(0), Some(("poll", at(9_000))));
        lapses.runs_out(0, at(9_000), at(9_000));
        assert_eq!(told(lapses, at(9_000)), []);
    }
}
