//! What stood on a rig, how well the rig served, and how a device was worn.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::verdict::Verdict;

/// A rig over a whole run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RigRecord {
    /// The rig file.
    pub file: String,
    /// What the conformance statement says of the product, if there is a statement.
    pub product: Option<ProductRecord>,
    /// What the check of the rig itself has found in order, a sentence each.
    pub self_check: Vec<String>,
    /// What each power switch came to at worst, a sentence each.
    pub power: Vec<String>,
    /// How long the rig held transmissions up, if there were any.
    pub overhead: Option<OverheadRecord>,
    /// What would make conclusive what this rig cannot show, a sentence each.
    pub lacks: Vec<String>,
    /// The soak, if one was asked for.
    pub soak: Option<SoakRecord>,
}

/// A product as its vendor states it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductRecord {
    /// What it is called.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The fingerprint of the build.
    pub build: String,
    /// The system that it is part of.
    pub family: String,
    /// The seat that it takes there.
    pub role: String,
    /// The profile that it was built for.
    pub profile: String,
}

/// How long a rig held transmissions up: from a transmission's arrival to its departure, less what was planned.
///
/// Units: microseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OverheadRecord {
    /// How many transmissions passed.
    pub transmissions: u64,
    /// Half of them took no longer.
    pub median_us: u64,
    /// 99 of 100 took no longer.
    pub p99_us: u64,
    /// The longest.
    pub worst_us: u64,
}

/// Ordinary traffic with drawn faults for a stated time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SoakRecord {
    /// How long it was to take.
    ///
    /// Units: microseconds of real time.
    pub asked_us: u64,
    /// The seed of its first round; each later one has the next.
    pub first_seed: u64,
    /// How many rounds came to which verdict; *skipped* are those in which nothing could be judged. The others that are
    /// no pass are among the cases.
    pub rounds: BTreeMap<Verdict, u64>,
    /// How many faults were drawn.
    pub faults_drawn: u64,
    /// How many of them struck.
    pub faults_struck: u64,
}

impl SoakRecord {
    /// The worst of its rounds; a soak in which nothing was judged shows nothing.
    pub fn verdict(&self) -> Verdict {
        let judged = self.rounds.keys().copied().filter(|verdict| *verdict != Verdict::Skipped);
        Verdict::worst(judged).unwrap_or(Verdict::Inconclusive)
    }
}

/// How often a failure came back under the same plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplayedRecord {
    /// How many more runs were made.
    pub runs: u64,
    /// In how many of them each requirement was violated again.
    pub again: BTreeMap<String, u64>,
}
