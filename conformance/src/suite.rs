//! The suite: every case and every mutant there is.

use assay_sim::water::policy::Policy;

use crate::case::{Case, System};

/// A reference with one choice turned bad: the proof that the suite bites.
#[derive(Clone, Copy)]
pub struct Mutant {
    /// Its name; never changes.
    pub name: &'static str,
    /// What is wrong with it, in words.
    pub what: &'static str,
    /// Its system.
    pub system: System,
    /// Turns the choice.
    pub apply: fn(&mut Policy),
    /// Values that the parties of this design have in place of those that the profile declares, as TOML.
    ///
    /// Why: judges go by the declared profile, so a device that differs from its data sheet is found out.
    pub profile: &'static str,
}

impl Mutant {
    /// The values that differ from the declared profile.
    ///
    /// Errors: the text does not read, which a test excludes for every mutant.
    pub fn overrides(&self) -> Result<toml::Table, toml::de::Error> {
        toml::from_str(self.profile)
    }
}

/// Every case, in the order of its id within its system.
pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    cases.extend(crate::water::cases());
    cases.extend(crate::modem::cases());
    cases
}

/// Every mutant.
pub fn mutants() -> Vec<Mutant> {
    let mut mutants = Vec::new();
    mutants.extend(crate::water::mutants());
    mutants.extend(crate::modem::mutants());
    mutants
}
