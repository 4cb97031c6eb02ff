//! What is next of many things that each may be due at some time.

use crate::time::Instant;

/// When each of a fixed number of places is due. Changing one and finding the first both take time that grows with the
/// logarithm of their number.
///
/// Shape: a binary tree in one array, the root at 1; each node has the earliest time below it, each leaf a place's own.
#[derive(Clone, Debug)]
pub(super) struct Agenda {
    earliest: Vec<Option<Instant>>,
}

impl Agenda {
    /// So many places, none of them due.
    pub(super) fn new(places: usize) -> Self {
        Self { earliest: vec![None; 2 * places.next_power_of_two()] }
    }

    /// Says when a place is due.
    pub(super) fn set(&mut self, place: usize, at: Option<Instant>) {
        let mut node = self.leaves() + place;
        self.earliest[node] = at;
        while node > 1 {
            let first = sooner(self.earliest[node], self.earliest[node ^ 1]);
            node /= 2;
            if self.earliest[node] == first {
                break;
            }
            self.earliest[node] = first;
        }
    }

    /// The place that is due first, and when: the lowest of those that are due at one time.
    pub(super) fn first(&self) -> Option<(Instant, usize)> {
        let at = self.earliest[1]?;
        let mut node = 1;
        while node < self.leaves() {
            node *= 2;
            if self.earliest[node] != Some(at) {
                node += 1;
            }
        }
        Some((at, node - self.leaves()))
    }

    /// When the places from this one on are due.
    pub(super) fn from(&self, place: usize) -> impl Iterator<Item = Option<Instant>> {
        self.earliest[self.leaves() + place..].iter().copied()
    }

    const fn leaves(&self) -> usize {
        self.earliest.len() / 2
    }
}

fn sooner(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;

    #[test]
    fn the_first_is_the_earliest_and_of_equals_the_lowest() {
        for places in [1, 2, 3, 8, 21] {
            let (mut agenda, mut plain) = (Agenda::new(places), vec![None; places]);
            assert_eq!(agenda.first(), None);
            let mut draws = Seed(1).stream("agenda");
            for _ in 0..500 {
                let place = usize::try_from(draws.below(places as u64)).unwrap();
                let at = Some(Instant::from_us(draws.below(6))).filter(|_| draws.chance(3, 4));
                agenda.set(place, at);
                plain[place] = at;
                let due = plain.iter().zip(0..).filter_map(|(at, place)| at.map(|at| (at, place)));
                assert_eq!(agenda.first(), due.min(), "{plain:?}");
            }
        }
    }
}
