//! The payments family as one that has a suite.

use std::net::SocketAddrV4;

use assay_reports::Exhibit;
use assay_sim::bench::Bench;
use assay_sim::drive::Hands;
use assay_sim::fault::{FaultDomain, FaultPlan};
use assay_sim::machine::{Close, Port};
use assay_sim::money::Fen;
use assay_sim::payments::bench_profile::{BUILT_IN, BenchProfile};
use assay_sim::payments::client::ClientPolicy;
use assay_sim::payments::family::Payments;
use assay_sim::payments::ledger::Manner;
use assay_sim::payments::observe::Observed;
use assay_sim::payments::party::{Event, Party, Stimulus};
use assay_sim::payments::plant::{Plant, Seating};
use assay_sim::payments::policy::Policy;
use assay_sim::policy::PolicyName;
use assay_sim::probe::{Probe, ProbeStimulus};
use assay_sim::seed::Seed;
use assay_sim::tabletop::Layout;
use assay_sim::time::Span;

use super::scene::Scene;
use super::{exhibits, told};
use crate::explore::Role;
use crate::plan_file::{FileError, Source};
use crate::suite::{Mutant, Turn};
use crate::system::{Readings, Settling, Suited, Sut};

/// What a case stands on.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// Who sits where.
    pub seating: Seating,
    /// How the payer behaves.
    pub manner: Manner,
    /// How much the payer has.
    pub balance: Fen,
    /// What the platform does wrong, as TOML.
    pub misbehaviour: &'static str,
    /// Values of the profile that this case needs otherwise, as TOML.
    pub profile: &'static str,
    /// What is wrong with the client, where the platform is to be judged by what it records of it: the reference with
    /// that, whatever the design.
    pub amiss: Option<fn(&mut ClientPolicy)>,
    /// How many tills there are, which is one.
    pub tills: usize,
}

/// What the tape says when every sale must have come to its end.
pub const SETTLED: &str = "the bound has passed without a fault: every sale must have come to its end";

impl Suited for Payments {
    type Setup = Setup;
    type Policy = Policy;
    type Profile = BenchProfile;
    type Plant = Plant;
    type Scene = Scene;

    const BUILT_IN: &'static str = BUILT_IN;

    const HANDS: Hands<Self> = Hands {
        send: |port: Port, bytes: Vec<u8>| Stimulus::Probe(ProbeStimulus::Send(port, bytes)),
        open: |port: Port, to: SocketAddrV4| Stimulus::Probe(ProbeStimulus::Open(port, to)),
        close: |port: Port, how: Close| Stimulus::Probe(ProbeStimulus::Close(port, how)),
        level: |port: Port, high: bool| Stimulus::Probe(ProbeStimulus::Level(port, high)),
    };

    fn head() -> Party {
        Party::Probe(Probe::default())
    }

    fn is_head(party: &Party) -> bool {
        matches!(party, Party::Probe(_))
    }

    fn built_with(_: Sut) -> &'static [&'static str] {
        &["client"]
    }

    const CLOCK_IN_UTC: bool = true;

    fn files(plant: &Plant, seat: &str) -> Vec<(String, String)> {
        if seat == "client" { told::files(plant) } else { Vec::new() }
    }

    fn read_told(text: &str) -> Result<Event, String> {
        told::books(text).map(|books| Event::Observed(Observed::Books(books)))
    }

    fn load(text: &str, overrides: &toml::Table, divisor: u64) -> Result<BenchProfile, String> {
        BenchProfile::load(text, overrides, divisor).map_err(|error| error.to_string())
    }

    fn check(source: Source<'_>) -> Result<(), FileError> {
        let read = BenchProfile::load(source.text, &toml::Table::new(), 1);
        read.map(drop).map_err(|error| source.profile_error(&error, "payments"))
    }

    fn domain(profile: &BenchProfile) -> &FaultDomain {
        &profile.faults
    }

    fn policy(name: PolicyName, mutant: Option<&Mutant>) -> Policy {
        let mut policy = Policy::named(name).expect("a system is run with its own policies only");
        if let Some(Mutant { turn: Turn::Payments(turn), .. }) = mutant {
            turn(&mut policy);
        }
        policy
    }

    fn plant(profile: BenchProfile, policy: Policy, setup: &Setup, seed: Seed) -> Plant {
        let Setup { seating, manner, balance, misbehaviour, profile: _, amiss, tills: _ } = *setup;
        let policy = amiss.map_or(policy, |amiss| {
            let mut client = ClientPolicy::hardened();
            amiss(&mut client);
            Policy { client }
        });
        Plant { profile, policy, seating, manner, balance, misbehaviour, seed }
    }

    fn terminals(setup: &mut Setup) -> &mut usize {
        &mut setup.tills
    }

    fn needs(setup: &Setup) -> &'static str {
        setup.profile
    }

    fn layout(plant: &Plant) -> Result<Layout<Self>, String> {
        plant.layout().map_err(|error| error.to_string())
    }

    fn scene(plant: &Plant, sut: Sut, _: &FaultPlan, bench: &dyn Bench<Self>) -> Option<Scene> {
        Scene::new(plant, sut, bench)
    }

    fn tolerance(profile: &BenchProfile) -> Span {
        profile.bench.tolerance
    }

    fn settling(scene: &Scene, divisor: u64) -> Settling {
        let bench = &scene.profile.bench;
        let bound = bench.settled_within.shortened(divisor) + bench.tolerance;
        Settling { bound, words: SETTLED, watch: bench.tolerance }
    }

    fn read_memories(_: &dyn Bench<Self>, _: &Scene) -> Readings<Self> {
        Vec::new()
    }

    fn read_rest(bench: &dyn Bench<Self>, scene: &Scene) -> Readings<Self> {
        let mut read = Vec::new();
        if let Party::Acquirer(acquirer) = &*bench.party(scene.platform) {
            read.push((scene.platform, Event::Observed(Observed::platform(acquirer))));
        }
        if let Party::Client(board) = &*bench.party(scene.client) {
            read.push((scene.client, Event::Observed(Observed::books(board.books()))));
        }
        read
    }

    fn role(party: &Party) -> Role {
        match party {
            Party::Client(_) => Role::Server,
            Party::Till(_) => Role::People,
            Party::Acquirer(_) | Party::Probe(_) => Role::Other,
        }
    }

    fn is_observed(event: &Event) -> bool {
        matches!(event, Event::Observed(_) | Event::Said(_))
    }

    fn readings(event: &Event) -> Vec<(String, String)> {
        let Event::Observed(observed) = event else { return Vec::new() };
        let name = match observed {
            Observed::Platform(_) => "platform",
            Observed::Books(_) => "books",
        };
        vec![(name.to_owned(), observed.to_string())]
    }

    fn exhibits(event: &Event) -> Vec<Exhibit> {
        match event {
            Event::Observed(observed) => exhibits::of(observed),
            _ => Vec::new(),
        }
    }
}
