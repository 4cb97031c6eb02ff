//! How long a rig holds transmissions up: from a transmission's arrival to its departure, less what was planned.

use std::collections::BTreeMap;

use assay_sim::time::Span;

/// Below this each time is counted for itself; above, those with the same first three digits together.
///
/// Units: microseconds.
const EXACT: u64 = 1_000;

/// How often transmissions were held up for how long.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overhead {
    /// How many took so long, in microseconds, rounded up.
    counts: BTreeMap<u64, u64>,
    total: u64,
}

impl Overhead {
    /// One more transmission.
    pub fn add(&mut self, held_up: Span) {
        *self.counts.entry(rounded(held_up.as_us())).or_default() += 1;
        self.total += 1;
    }

    /// Those of another rig too.
    pub fn merge(&mut self, other: &Self) {
        for (took, count) in &other.counts {
            *self.counts.entry(*took).or_default() += count;
        }
        self.total += other.total;
    }

    /// How many there were.
    pub const fn transmissions(&self) -> u64 {
        self.total
    }

    /// What so many of a thousand did not exceed; zero if there were none.
    pub fn within(&self, per_mille: u64) -> Span {
        let wanted = self.total.saturating_mul(per_mille).div_ceil(1_000);
        let mut seen = 0;
        let reached = self.counts.iter().find(|(_, count)| {
            seen += **count;
            seen >= wanted
        });
        Span::us(reached.map_or(0, |(took, _)| *took))
    }
}

/// Rounded up to three digits where it is long.
fn rounded(us: u64) -> u64 {
    let mut unit = 1;
    while us / unit >= EXACT {
        unit *= 10;
    }
    us.div_ceil(unit).saturating_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_what_so_many_did_not_exceed() {
        let mut overhead = Overhead::default();
        assert_eq!((overhead.transmissions(), overhead.within(990)), (0, Span::ZERO));
        for us in 1..=99 {
            overhead.add(Span::us(us));
        }
        let mut slow = Overhead::default();
        slow.add(Span::us(12_345));
        overhead.merge(&slow);
        assert_eq!(overhead.transmissions(), 100);
        assert_eq!(overhead.within(500), Span::us(50));
        assert_eq!(overhead.within(990), Span::us(99));
        assert_eq!(overhead.within(1_000), Span::us(12_400));
    }
}
