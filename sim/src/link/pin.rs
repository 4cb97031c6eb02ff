//! A digital line: it follows its driver at once, unless it is stuck or a glitch comes first.

use super::pending::Pending;
use super::{Arrival, Delivery};
use crate::digest::Digest;
use crate::fault::{Fate, Way};
use crate::time::{Instant, Span};

/// One line; either end may drive it, but only one does.
#[derive(Clone, Debug, Default)]
pub struct Pin {
    pub(super) pending: Pending,
    stuck_until: Instant,
    /// The level that the near end of each way drives.
    driven: [bool; 2],
    /// The level that the far end of each way has seen.
    shown: [bool; 2],
}

impl Pin {
    /// A line that is low.
    pub fn new() -> Self {
        Self::default()
    }

    pub(super) fn handle_level(&mut self, now: Instant, way: Way, high: bool, fate: Option<&Fate>) {
        self.driven[way.index()] = high;
        // What was still to show of earlier levels is overtaken by this one.
        self.pending.retain(|item| item.delivery.way != way || item.delivery.at <= now);
        match fate {
            Some(Fate::Stuck { span }) => self.stuck_until = self.stuck_until.max(now + *span),
            Some(Fate::Glitch { width }) if self.stuck_until <= now => {
                self.pending.send(now, now, way, 0, Arrival::Level(high));
                self.pending.send(now, now, way, 0, Arrival::Level(!high));
                self.pending.send(now, now + *width, way, 0, Arrival::Level(high));
                return;
            }
            _ => {}
        }
        // While it is stuck only the last level counts, and it shows when the line comes free.
        self.pending.send(now, now.max(self.stuck_until), way, 0, Arrival::Level(high));
    }

    /// The next level that shows.
    pub(super) fn poll(&mut self, now: Instant) -> Option<Delivery> {
        let delivery = self.pending.poll(now)?;
        if let Arrival::Level(high) = delivery.what {
            self.shown[delivery.way.index()] = high;
        }
        Some(delivery)
    }

    /// A line whose driver has no power is low.
    pub(super) fn handle_end_lost(&mut self, now: Instant, way: Way) {
        if self.driven[way.index()] {
            self.handle_level(now, way, false, None);
        }
    }

    /// An end that comes back finds the line as it is.
    pub(super) fn handle_end_back(&mut self, now: Instant, way: Way) {
        let towards = way.back();
        if self.shown[towards.index()] {
            self.pending.send(now, now, towards, 0, Arrival::Level(true));
        }
    }

    /// The line stays as it is for `span`, and then shows the last level.
    pub(super) fn handle_outage(&mut self, now: Instant, span: Span) {
        self.stuck_until = self.stuck_until.max(now + span);
        self.pending.hold_until(now, self.stuck_until);
    }

    pub(super) fn digest(&self, into: &mut Digest) {
        self.pending.digest(into);
        into.instant(self.stuck_until);
        for level in [self.driven, self.shown].concat() {
            into.flag(level);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(pin: &mut Pin) -> Vec<(u64, bool)> {
        let mut all = Vec::new();
        while let Some(delivery) = pin.poll(Instant::from_us(1_000_000)) {
            if let Arrival::Level(high) = delivery.what {
                all.push((delivery.at.as_us(), high));
            }
        }
        all
    }

    #[test]
    fn a_stuck_pin_shows_the_last_level_when_it_comes_free() {
        let mut pin = Pin::new();
        pin.handle_level(Instant::ZERO, Way::AtoB, true, Some(&Fate::Stuck { span: Span::ms(10) }));
        pin.handle_level(Instant::from_us(4_000), Way::AtoB, false, None);
        pin.handle_level(Instant::from_us(12_000), Way::AtoB, true, None);
        assert_eq!(levels(&mut pin), vec![(10_000, false), (12_000, true)]);
    }

    #[test]
    fn a_glitch_shows_the_opposite_for_its_width() {
        let mut pin = Pin::new();
        pin.handle_level(Instant::ZERO, Way::AtoB, true, Some(&Fate::Glitch { width: Span::us(50) }));
        assert_eq!(levels(&mut pin), vec![(0, true), (0, false), (50, true)]);
    }

    #[test]
    fn a_later_level_overtakes_the_end_of_a_glitch() {
        let mut pin = Pin::new();
        pin.handle_level(Instant::ZERO, Way::AtoB, true, Some(&Fate::Glitch { width: Span::us(50) }));
        pin.handle_level(Instant::from_us(20), Way::AtoB, false, None);
        assert_eq!(levels(&mut pin), vec![(0, true), (0, false), (20, false)]);
    }

    #[test]
    fn only_its_driver_pulls_a_line_down_by_losing_power() {
        let mut pin = Pin::new();
        pin.handle_level(Instant::ZERO, Way::AtoB, true, None);
        assert_eq!(levels(&mut pin), vec![(0, true)]);
        pin.handle_end_lost(Instant::from_us(5), Way::BtoA);
        assert_eq!(levels(&mut pin), vec![]);
        pin.handle_end_back(Instant::from_us(7), Way::BtoA);
        assert_eq!(levels(&mut pin), vec![(7, true)]);
        pin.handle_end_lost(Instant::from_us(9), Way::AtoB);
        assert_eq!(levels(&mut pin), vec![(9, false)]);
        pin.handle_end_back(Instant::from_us(11), Way::BtoA);
        assert_eq!(levels(&mut pin), vec![]);
    }

    #[test]
    fn an_outage_keeps_the_line_as_it_is() {
        let mut pin = Pin::new();
        pin.handle_outage(Instant::ZERO, Span::us(40));
        pin.handle_level(Instant::from_us(39), Way::AtoB, true, None);
        assert_eq!(levels(&mut pin), vec![(40, true)]);
        pin.handle_level(Instant::from_us(40), Way::AtoB, false, None);
        assert_eq!(levels(&mut pin), vec![(40, false)]);
    }
}
