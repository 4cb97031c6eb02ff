//! What the suite's machinery has to know of a system: everything else is the same for all of them.

use std::collections::BTreeSet;
use std::fmt;

use assay_hil::Greeting;
use assay_reports::Exhibit;
use assay_sim::bench::Bench;
use assay_sim::card::number::CardNumber;
use assay_sim::drive::Hands;
use assay_sim::fault::{FaultDomain, FaultPlan, Way};
use assay_sim::policy::PolicyName;
use assay_sim::seed::Seed;
use assay_sim::tabletop::{Family, Layout};
use assay_sim::tape::{Entry, LineId, SeatId, Seen};
use assay_sim::time::Span;
use assay_sim::water::terminal::vendor::Trouble;
use assay_sim::world::guest::Seated;

use crate::explore::Role;
use crate::plan_file::{FileError, Source};
use crate::redact::Kind;
use crate::suite::Mutant;
use crate::trial::Design;

/// A system that the suite covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum System {
    /// The prepaid water card.
    Water,
    /// AT modems and their hosts.
    Modem,
    /// The UDP POS terminals and their server.
    Pos,
    /// Programs that call the payment platforms.
    Payments,
    /// Pay modules that are scanned, and their server.
    Paymod,
}

impl System {
    /// Every system.
    pub const ALL: [Self; 5] = [Self::Water, Self::Modem, Self::Pos, Self::Payments, Self::Paymod];

    /// Its name, which is also the first part of its cases' ids.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Water => "water",
            Self::Modem => "modem",
            Self::Pos => "pos",
            Self::Payments => "payments",
            Self::Paymod => "paymod",
        }
    }
}

/// Who is under test. What it says of itself is no evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sut {
    /// The terminals, with all that is their vendor's.
    Terminal,
    /// The server.
    Server,
    /// The modems.
    Modem,
    /// Terminals and server together.
    System,
}

/// How long a run goes on after its last fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settling {
    /// When everything must have been set right.
    pub bound: Span,
    /// What the tape says then.
    pub words: &'static str,
    /// How much longer it is watched.
    pub watch: Span,
}

/// What is read off parties' boundaries, each with its party.
pub type Readings<F> = Vec<(SeatId, <F as Family>::Event)>;

/// Who is who in a run.
pub trait Cast<F: Family>: Clone + fmt::Debug + Send + Sync {
    /// Whether what a seat says of itself is a claim and no evidence.
    fn is_claim(&self, seat: SeatId) -> bool;

    /// What kind of cards there are.
    fn card_kind(&self) -> Kind;

    /// The cards.
    fn card_numbers(&self) -> Vec<CardNumber>;

    /// Numbers of the same form that name devices and nobody.
    fn devices(&self) -> BTreeSet<Vec<u8>>;

    /// Makes the checks good of frames that were sound before some of their digits were replaced.
    fn reseal(&self, _before: &[u8], _after: &mut [u8]) {}
}

/// A family of parties that has a suite.
pub trait Suited:
    Family<Party: Send + Sync, Event: fmt::Debug + Send + Sync, Scanner: Send + Sync> + Send + Sync
{
    /// What a case stands on.
    type Setup: Copy + fmt::Debug + Send + Sync;
    /// What its parties do where designs differ.
    type Policy: Clone + Send + Sync;
    /// Every open value.
    type Profile: Clone + Send + Sync;
    /// An installation, before it is built.
    type Plant: Clone + Send + Sync;
    /// The cast of a run.
    type Scene: Cast<Self>;

    /// The built-in profile's text.
    const BUILT_IN: &'static str;

    /// A profile from its text, with some of its values replaced, and with every timer of a device divided.
    ///
    /// Errors: a sentence, with line and column where the text is at fault.
    fn load(text: &str, overrides: &toml::Table, divisor: u64) -> Result<Self::Profile, String>;

    /// Checks a profile that a user gives.
    ///
    /// Errors: [`FileError`], with the line and the mend.
    fn check(source: Source<'_>) -> Result<(), FileError>;

    /// The values that exploration tries.
    fn domain(profile: &Self::Profile) -> &FaultDomain;

    /// The choices behind a name, with one of them turned if the design is a mutant.
    fn policy(name: PolicyName, mutant: Option<&Mutant>) -> Self::Policy;

    /// How many terminals a case stands on.
    fn terminals(setup: &mut Self::Setup) -> &mut usize;

    /// What a case stands on, on a design.
    fn plant(profile: Self::Profile, policy: Self::Policy, setup: &Self::Setup, seed: Seed) -> Self::Plant;

    /// Has a case stand on what a rig with these real links has, where it can stand on one thing or the other.
    fn carried_by(_setup: &mut Self::Setup, _carries: &dyn Fn(&str) -> bool) {}

    /// The values of the profile that a case needs otherwise, as TOML.
    fn needs(setup: &Self::Setup) -> &'static str;

    /// Draws the installation.
    ///
    /// Errors: a sentence.
    fn layout(plant: &Self::Plant) -> Result<Layout<Self>, String>;

    /// Seats what others wrote, where the design has it and the case puts it to the test.
    ///
    /// Errors: a sentence.
    fn seat_others(
        _design: &Design,
        _setup: &Self::Setup,
        _sut: Sut,
        _plant: &Self::Plant,
        _layout: &mut Layout<Self>,
    ) -> Result<(), String> {
        Ok(())
    }

    /// Code of others that runs on a clock, with its seat.
    fn guests(
        _design: &Design,
        _setup: &Self::Setup,
        _sut: Sut,
        _plant: &Self::Plant,
        _seat: &dyn Fn(&str) -> Option<SeatId>,
    ) -> Vec<Seated<Self>> {
        Vec::new()
    }

    /// Who is who on a bench built from this plant; `None` if the two do not belong together.
    fn scene(plant: &Self::Plant, sut: Sut, plan: &FaultPlan, bench: &dyn Bench<Self>)
    -> Option<Self::Scene>;

    /// How far the timers of a party under test, and the bench that measures them, may be off.
    fn tolerance(profile: &Self::Profile) -> Span;

    /// How long a run goes on after its last fault; by `divisor` the timers of its parties are divided.
    fn settling(scene: &Self::Scene, divisor: u64) -> Settling;

    /// Whether calendar clocks of ours show UTC beside a real party, which signs with its time; those of most devices
    /// show the time of day.
    const CLOCK_IN_UTC: bool = false;

    /// How a test head is told what to do.
    const HANDS: Hands<Self>;

    /// A test head, to sit in the place of a party that is real.
    fn head() -> Self::Party;

    /// Whether a party is a test head.
    fn is_head(party: &Self::Party) -> bool;

    /// Files that tell a real party's process in the seat of this name what the case stands on, by name.
    fn files(_plant: &Self::Plant, _seat: &str) -> Vec<(String, String)> {
        Vec::new()
    }

    /// What real parties have to answer when a rig checks itself.
    fn greetings(_plant: &Self::Plant) -> Vec<Greeting> {
        Vec::new()
    }

    /// The sections of the profile that a product in this place is built with, and not put on from outside.
    fn built_with(sut: Sut) -> &'static [&'static str];

    /// Seats what stands behind the text port of a real party, where its people have no seat of their own; the links
    /// that are kept stay with the party.
    fn seat_text_port(
        _plant: &Self::Plant,
        _layout: &mut Layout<Self>,
        _seat: &str,
        _kept: &dyn Fn(&str) -> bool,
    ) {
    }

    /// What people have to do by hand where a stimulus cannot reach a real party, in words; nothing of what is done to
    /// others.
    fn by_hand(_stimulus: &Self::Stimulus) -> Option<String> {
        None
    }

    /// Whether what reaches a display is a word to people, and no question whether it is there.
    fn is_word(_bytes: &[u8]) -> bool {
        true
    }

    /// What a real party's account of its ledger says.
    ///
    /// Errors: a sentence.
    fn read_told(text: &str) -> Result<Self::Event, String>;

    /// What is read out of memories whenever a supply was cut.
    fn read_memories(bench: &dyn Bench<Self>, scene: &Self::Scene) -> Readings<Self>;

    /// What is read off everybody at rest.
    fn read_rest(bench: &dyn Bench<Self>, scene: &Self::Scene) -> Readings<Self>;

    /// What a seat has found wrong with the party in it, beside what the requirements ask for.
    fn trouble(_bench: &dyn Bench<Self>, _scene: &Self::Scene) -> Option<Trouble> {
        None
    }

    /// What a party is.
    fn role(party: &Self::Party) -> Role;

    /// Whether what reaches a party is what people see or hear.
    fn shows(party: &Self::Party) -> bool {
        Self::role(party) == Role::People
    }

    /// Whether an event is what an observer read or saw, and nothing that a party says of itself.
    fn is_observed(event: &Self::Event) -> bool;

    /// What was read, each thing by a name of its own; nothing of an event that is no reading.
    fn readings(event: &Self::Event) -> Vec<(String, String)>;

    /// What was read off a party, to be held against what others say; nothing of an event that is no reading.
    fn exhibits(event: &Self::Event) -> Vec<Exhibit>;

    /// Whether a party says things on this line at no certain place between its answers.
    fn voices_mix(_scene: &Self::Scene, _line: LineId, _way: Way) -> bool {
        false
    }
}

/// Whether an entry is what the party under test says of itself.
pub fn is_claimed<F: Suited>(scene: &F::Scene, entry: &Entry<F::Event>) -> bool {
    matches!(&entry.what, Seen::Noted { seat, event } if scene.is_claim(*seat) && !F::is_observed(event))
}
