//! A digital line: it follows its driver at once, unless it is stuck or a glitch comes first.

use super::Arrival;
use super::pending::Pending;
use crate::digest::Digest;
use crate::fault::{Fate, Way};
use crate::time::Instant;

/// One line; either end may drive it, but only one does.
#[derive(Clone, Debug, Default)]
pub struct Pin {
    pub(super) pending: Pending,
    stuck_until: Instant,
    driven: bool,
}

impl Pin {
    /// A line that is low.
    pub fn new() -> Self {
        Self::default()
    }

    pub(super) fn handle_level(&mut self, now: Instant, way: Way, high: bool, fate: Option<&Fate>) {
        self.driven = high;
        match fate {
            Some(Fate::Stuck { span }) => self.stuck_until = self.stuck_until.max(now + *span),
            Some(Fate::Glitch { width }) => {
                self.pending.send(now, now, way, 0, Arrival::Level(high));
                self.pending.send(now, now, way, 0, Arrival::Level(!high));
                self.pending.send(now, now + *width, way, 0, Arrival::Level(high));
                return;
            }
            _ => {}
        }
        // While it is stuck only the last level counts, and it shows when the line comes free.
        let at = now.max(self.stuck_until);
        if at > now {
            self.pending.take_way(way);
        }
        self.pending.send(now, at, way, 0, Arrival::Level(high));
    }

    /// A line whose driver has no power is low.
    pub(super) fn handle_end_lost(&mut self, now: Instant, way: Way) {
        if self.driven {
            self.handle_level(now, way, false, None);
        }
    }

    pub(super) fn digest(&self, into: &mut Digest) {
        self.pending.digest(into);
        into.instant(self.stuck_until).flag(self.driven);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Span;

    fn levels(pin: &mut Pin) -> Vec<(u64, bool)> {
        let mut all = Vec::new();
        while let Some(delivery) = pin.pending.poll(Instant::from_us(1_000_000)) {
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
}
