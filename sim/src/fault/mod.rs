//! Faults: what can strike, where it can strike, and the plan that says so before a run.

mod domain;
mod fate;
mod plan;
mod site;

pub use domain::FaultDomain;
pub use fate::{Fate, LinkKind};
pub use plan::{Fault, FaultPlan, Mishap, Moment, Strike};
pub use site::{NotASite, Site, Way};
