//! What oracles find: how often a requirement was judged, and where it was violated.

use std::collections::BTreeMap;

use assay_sim::tape::Entry;
use assay_sim::time::Instant;

use crate::system::Suited;

/// A requirement that was not met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub requirement: &'static str,
    /// What should have been.
    pub expected: String,
    /// What was. A money or water violation names the amount and the order.
    pub actual: String,
    /// When it became certain.
    pub at: Instant,
    /// The entries of the tape that show it.
    pub evidence: Vec<u64>,
}

/// What one oracle has found.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// How often each requirement was in a position to fail.
    pub judged: BTreeMap<&'static str, u64>,
    /// Where requirements failed, in order of time.
    pub violations: Vec<Violation>,
    /// How a party under test broke the contract that its seat drives it by, which no requirement speaks of.
    pub breach: Option<String>,
}

impl Findings {
    /// Judges a requirement once: counts it, and records a violation if it does not hold.
    pub fn judge(&mut self, requirement: &'static str, holds: bool, violation: impl FnOnce() -> Violation) {
        *self.judged.entry(requirement).or_default() += 1;
        if !holds {
            let violation = violation();
            debug_assert_eq!(violation.requirement, requirement, "a violation names the requirement judged");
            if !self.violations.contains(&violation) {
                self.violations.push(violation);
            }
        }
    }

    /// Takes over what another oracle found.
    pub fn absorb(&mut self, other: Self) {
        for (requirement, judged) in other.judged {
            *self.judged.entry(requirement).or_default() += judged;
        }
        self.violations.extend(other.violations);
        self.violations.sort_by_key(|violation| violation.at);
        self.breach = self.breach.take().or(other.breach);
    }
}

/// A judge: it reads the tape and nothing else.
pub trait Oracle<F: Suited> {
    /// Takes the next entry.
    fn observe(&mut self, entry: &Entry<F::Event>, scene: &F::Scene, findings: &mut Findings);

    /// The run is over, at this time and after so many entries.
    fn finish(&mut self, _at: Instant, _scene: &F::Scene, _findings: &mut Findings) {}
}

/// The judges of a case.
pub type Oracles<F> = Vec<Box<dyn Oracle<F>>>;
