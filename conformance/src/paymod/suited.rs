//! The scan-to-pay system as one that has a suite.

use std::net::SocketAddrV4;

use assay_hil::Greeting;
use assay_reports::Exhibit;
use assay_sim::bench::Bench;
use assay_sim::drive::Hands;
use assay_sim::fault::{FaultDomain, FaultPlan};
use assay_sim::machine::{Close, Port};
use assay_sim::money::Fen;
use assay_sim::payments::observe::PlatformSeen;
use assay_sim::paymod::family::Paymod;
use assay_sim::paymod::frame::{HostMessage, OrderNumber};
use assay_sim::paymod::observe::Observed;
use assay_sim::paymod::party::{Event, Party, Stimulus};
use assay_sim::paymod::plant::{Carrier, Plant, Seating};
use assay_sim::paymod::policy::Policy;
use assay_sim::paymod::profile::{BUILT_IN, Profile, ProfileError};
use assay_sim::policy::PolicyName;
use assay_sim::probe::{Probe, ProbeStimulus};
use assay_sim::profile::LoadError;
use assay_sim::seed::Seed;
use assay_sim::tabletop::Layout;
use assay_sim::time::Span;
use assay_sim::wire::Wire as _;

use super::scene::Scene;
use super::{exhibits, ledger};
use crate::explore::Role;
use crate::plan_file::{FileError, Source};
use crate::suite::{Mutant, Turn};
use crate::system::{Readings, Settling, Suited, Sut};

/// What a case stands on.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// Who sits where.
    pub seating: Seating,
    /// What carries the link.
    pub carrier: Carrier,
    /// How much the payer has.
    pub balance: Fen,
    /// What the platforms do wrong, as TOML.
    pub misbehaviour: &'static str,
    /// Values of the profile that this case needs otherwise, as TOML.
    pub profile: &'static str,
    /// How many modules there are, which is one.
    pub modules: usize,
}

/// What the tape says when every order must have come to its end.
pub const SETTLED: &str = "the bound has passed without a fault: every order must have come to its end";

impl Suited for Paymod {
    type Setup = Setup;
    type Policy = Policy;
    type Profile = Profile;
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

    fn built_with(sut: Sut) -> &'static [&'static str] {
        match sut {
            Sut::Server => &["server"],
            Sut::Terminal | Sut::Modem => &["module"],
            Sut::System => &["module", "server"],
        }
    }

    fn seat_text_port(plant: &Plant, layout: &mut Layout<Self>, seat: &str, _: &dyn Fn(&str) -> bool) {
        if seat == "module" {
            plant.seat_text_port(layout);
        }
    }

    /// A module in a rig has a modem on a line, or connections of its own.
    fn carried_by(setup: &mut Setup, carries: &dyn Fn(&str) -> bool) {
        if carries("at") {
            setup.carrier = Carrier::Sim800a;
        } else if carries("uart") && carries("link") {
            setup.carrier = Carrier::Direct;
        }
    }

    fn greetings(_: &Plant) -> Vec<Greeting> {
        let bytes = HostMessage::Query { order: OrderNumber::of(0) }.frame(1).to_bytes(&());
        vec![Greeting { seat: "module", link: "uart", bytes, words: "a host's query" }]
    }

    fn read_told(text: &str) -> Result<Event, String> {
        ledger::parse(text).map(|orders| Event::Observed(Observed::Books(orders)))
    }

    fn load(text: &str, overrides: &toml::Table, divisor: u64) -> Result<Profile, String> {
        Profile::load(text, overrides, divisor).map_err(|error| error.to_string())
    }

    fn check(source: Source<'_>) -> Result<(), FileError> {
        const MEND: &str =
            "compare it with the built-in one, which `assay list profile --system paymod` prints";
        let Err(error) = Profile::load(source.text, &toml::Table::new(), 1) else { return Ok(()) };
        let what = error.to_string();
        Err(match &error {
            ProfileError::Load(LoadError::Toml(error)) => source.toml_error(error, MEND),
            ProfileError::Load(LoadError::UnknownKey(_)) => source.error(None, what, MEND),
            ProfileError::Epoch(inner) => {
                source.key_error("bench", "epoch", inner.to_string(), "write it as YYYYMMDDhhmmss")
            }
            ProfileError::Device(_) => {
                source.key_error("module", "device", what, "give the module a number and key of the list")
            }
            ProfileError::Sectors(_) => source.key_error("store", "sectors", what, "write 2 or more"),
        })
    }

    fn domain(profile: &Profile) -> &FaultDomain {
        &profile.faults
    }

    fn policy(name: PolicyName, mutant: Option<&Mutant>) -> Policy {
        let mut policy = Policy::named(name).expect("a system is run with its own policies only");
        if let Some(Mutant { turn: Turn::Paymod(turn), .. }) = mutant {
            turn(&mut policy);
        }
        policy
    }

    fn plant(profile: Profile, policy: Policy, setup: &Setup, seed: Seed) -> Plant {
        let Setup { seating, carrier, balance, misbehaviour, profile: _, modules: _ } = *setup;
        Plant { profile, policy, seating, carrier, balance, misbehaviour, seed }
    }

    fn terminals(setup: &mut Setup) -> &mut usize {
        &mut setup.modules
    }

    fn needs(setup: &Setup) -> &'static str {
        setup.profile
    }

    fn layout(plant: &Plant) -> Result<Layout<Self>, String> {
        plant.layout().map_err(|error| error.to_string())
    }

    fn scene(plant: &Plant, sut: Sut, plan: &FaultPlan, bench: &dyn Bench<Self>) -> Option<Scene> {
        Scene::new(plant, sut, plan, bench)
    }

    fn tolerance(profile: &Profile) -> Span {
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
        if let Party::Platform(platform) = &*bench.party(scene.platform) {
            let seen = PlatformSeen::of(platform.backend());
            read.push((scene.platform, Event::Observed(Observed::Platform(Box::new(seen)))));
        }
        if let Party::Server(board) = &*bench.party(scene.server) {
            read.push((scene.server, Event::Observed(Observed::books(&board.log(bench.now())))));
        }
        if let Party::Module(board) = &*bench.party(scene.module) {
            let seen = board.content().map_or(Observed::Flash(None), |store| Observed::flash(&store));
            read.push((scene.module, Event::Observed(seen)));
        }
        read
    }

    fn role(party: &Party) -> Role {
        match party {
            Party::Server(_) => Role::Server,
            Party::Modem(_) => Role::Modem,
            Party::Module(_) => Role::Terminal,
            Party::Platform(_) => Role::Backend,
            Party::Host(_) | Party::TextPort(_) | Party::Probe(_) => Role::Other,
        }
    }

    fn is_observed(event: &Event) -> bool {
        matches!(event, Event::Observed(_) | Event::Host(_) | Event::Platform(_))
    }

    fn readings(event: &Event) -> Vec<(String, String)> {
        let Event::Observed(observed) = event else { return Vec::new() };
        let name = match observed {
            Observed::Platform(_) => "platform",
            Observed::Books(_) => "log",
            Observed::Flash(_) => "flash",
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
