//! What is next of many things that each may be due at some time.

use crate::time::Instant;

/// How many nodes have one above them: as many as there are in 64 bytes.
const FAN: usize = 8;

/// The time of what is never due.
const NEVER: u64 = u64::MAX;

/// When each of a fixed number of places is due. Changing one and finding the first both take time that grows with the
/// logarithm of their number.
///
/// Shape: a tree of eight branches a node in one array a level, the leaves first; each node has the earliest time below
/// it, in microseconds, each leaf a place's own.
#[derive(Clone, Debug)]
pub(super) struct Agenda {
    levels: Vec<Vec<[u64; FAN]>>,
}

impl Agenda {
    /// So many places, none of them due.
    pub(super) fn new(places: usize) -> Self {
        let (mut levels, mut nodes) = (Vec::new(), places.max(1));
        loop {
            nodes = nodes.div_ceil(FAN);
            levels.push(vec![[NEVER; FAN]; nodes]);
            if nodes == 1 {
                return Self { levels };
            }
        }
    }

    /// Says when a place is due.
    pub(super) fn set(&mut self, mut place: usize, at: Option<Instant>) {
        let mut at = at.map_or(NEVER, Instant::as_us);
        for level in &mut self.levels {
            let group = &mut level[place / FAN];
            let old = earliest(group);
            group[place % FAN] = at;
            at = earliest(group);
            if at == old {
                return;
            }
            place /= FAN;
        }
    }

    /// The place that is due first, and when: the lowest of those that are due at one time.
    pub(super) fn first(&self) -> Option<(Instant, usize)> {
        let at = self.levels.last().map_or(NEVER, |root| earliest(&root[0]));
        if at == NEVER {
            return None;
        }
        let mut place = 0;
        for level in self.levels.iter().rev() {
            let within = level[place].iter().position(|time| *time == at).unwrap_or_default();
            place = place * FAN + within;
        }
        Some((Instant::from_us(at), place))
    }

    /// When the places from this one on are due.
    pub(super) fn from(&self, place: usize) -> impl Iterator<Item = Option<Instant>> {
        let leaves = self.levels[0].as_flattened()[place..].iter();
        leaves.map(|time| (*time != NEVER).then(|| Instant::from_us(*time)))
    }
}

fn earliest(group: &[u64; FAN]) -> u64 {
    group.iter().copied().fold(NEVER, u64::min)
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
