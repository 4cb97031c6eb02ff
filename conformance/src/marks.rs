//! Where a run stands at each site that it goes through: two runs that stand alike go on alike.

use assay_sim::digest::Digest;
use assay_sim::time::Instant;

/// The fingerprints of a run under way, one for each site gone through.
///
/// Shape: each is made of the whole bench with all that is pending on it, before the step in which the site is gone
/// through; of the site's place among those of the step; of how far the case is, with all that its waits have returned,
/// and how long it still waits; and of what the judges have seen of effects and have judged. Times are differences.
#[derive(Clone)]
pub struct Marks {
    taken: Vec<u128>,
    script: Digest,
    effects: Digest,
}

impl Default for Marks {
    fn default() -> Self {
        Self { taken: Vec::new(), script: Digest::new(Instant::ZERO), effects: Digest::new(Instant::ZERO) }
    }
}

impl Marks {
    /// The case has waited, and this came of it.
    pub fn waited(&mut self, found: bool) {
        self.script.flag(found);
    }

    /// What the fingerprint of an effect is made of.
    pub fn effect(&mut self) -> &mut Digest {
        &mut self.effects
    }

    /// The fingerprint of everything beside the bench.
    pub fn beside(&self, into: &mut Digest) {
        into.bytes(&self.script.finish().to_le_bytes()).bytes(&self.effects.finish().to_le_bytes());
    }

    /// So many sites have been gone through by now, the new ones from here.
    pub fn take(&mut self, visited: usize, from: u128) {
        for place in 0..visited.saturating_sub(self.taken.len()) {
            let mut mark = Digest::new(Instant::ZERO);
            mark.bytes(&from.to_le_bytes()).word(place as u64);
            self.taken.push(mark.finish());
        }
    }

    /// All of them.
    pub fn into_taken(self) -> Vec<u128> {
        self.taken
    }
}
