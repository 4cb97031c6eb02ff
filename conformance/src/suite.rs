//! The suite: every case and every mutant there is.

use assay_sim::payments::family::Payments;
use assay_sim::paymod::family::Paymod;
use assay_sim::pos::family::Pos;
use assay_sim::water::family::Water;
use assay_sim::{payments, paymod, pos, water};

use crate::case::Case;
use crate::plan_file::{FileError, Source};
use crate::system::{Suited, System};
use crate::trial::ProfileSource;

/// How a choice is turned, by family.
#[derive(Clone, Copy)]
pub enum Turn {
    /// Of the water card and its modems.
    Water(fn(&mut water::policy::Policy)),
    /// Of the POS system.
    Pos(fn(&mut pos::policy::Policy)),
    /// Of programs that call the payment platforms.
    Payments(fn(&mut payments::policy::Policy)),
    /// Of the scan-to-pay system.
    Paymod(fn(&mut paymod::policy::Policy)),
}

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
    pub turn: Turn,
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
    cases.extend(crate::water::cases().into_iter().map(Case::from));
    cases.extend(crate::modem::cases().into_iter().map(Case::from));
    cases.extend(crate::pos::cases().into_iter().map(Case::from));
    cases.extend(crate::payments::cases().into_iter().map(Case::from));
    cases.extend(crate::paymod::cases().into_iter().map(Case::from));
    cases
}

/// Every mutant.
pub fn mutants() -> Vec<Mutant> {
    let mut mutants = Vec::new();
    mutants.extend(crate::water::mutants());
    mutants.extend(crate::modem::mutants());
    mutants.extend(crate::pos::mutants());
    mutants.extend(crate::payments::mutants());
    mutants.extend(crate::paymod::mutants());
    mutants
}

/// Checks a profile that a user gives for a system.
///
/// Errors: [`FileError`].
pub fn check_profile(system: System, source: Source<'_>) -> Result<(), FileError> {
    match system {
        System::Water | System::Modem => Water::check(source),
        System::Pos => Pos::check(source),
        System::Payments => Payments::check(source),
        System::Paymod => Paymod::check(source),
    }
}

/// A system's profile with these values of it replaced and its timers divided.
///
/// Errors: a sentence.
pub fn load_profile(system: System, source: &ProfileSource) -> Result<(), String> {
    match system {
        System::Water | System::Modem => source.profile::<Water>("").map(|_| ()),
        System::Pos => source.profile::<Pos>("").map(|_| ()),
        System::Payments => source.profile::<Payments>("").map(|_| ()),
        System::Paymod => source.profile::<Paymod>("").map(|_| ()),
    }
}

/// The text of a system's built-in profile.
pub const fn built_in_profile(system: System) -> &'static str {
    match system {
        System::Water | System::Modem => Water::BUILT_IN,
        System::Pos => Pos::BUILT_IN,
        System::Payments => Payments::BUILT_IN,
        System::Paymod => Paymod::BUILT_IN,
    }
}
