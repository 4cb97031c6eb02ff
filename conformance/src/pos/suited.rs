//! The POS system as a family that has a suite.

use std::net::SocketAddrV4;

use assay_hil::Greeting;
use assay_reports::Exhibit;
use assay_sim::bench::Bench;
use assay_sim::drive::Hands;
use assay_sim::fault::{FaultDomain, FaultPlan};
use assay_sim::machine::{Close, Port};
use assay_sim::policy::PolicyName;
use assay_sim::pos::family::Pos;
use assay_sim::pos::ledger_line::LedgerLine;
use assay_sim::pos::observe::{Ledger, Observed};
use assay_sim::pos::panel::PanelStimulus;
use assay_sim::pos::party::{Event, Party, Stimulus};
use assay_sim::pos::plant::{CardSpec, Plant, Seating, TerminalSpec};
use assay_sim::pos::policy::Policy;
use assay_sim::pos::profile::{BUILT_IN, Profile};
use assay_sim::probe::{Probe, ProbeStimulus};
use assay_sim::seed::Seed;
use assay_sim::tabletop::Layout;
use assay_sim::time::Span;

use super::exhibits;
use super::scene::Scene;
use crate::explore::Role;
use crate::plan_file::{FileError, Source};
use crate::suite::{Mutant, Turn};
use crate::system::{Readings, Settling, Suited, Sut};

/// What a case stands on.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// Who sits where.
    pub seating: Seating,
    /// How many terminals.
    pub terminals: usize,
    /// What they are, over and over.
    pub specs: &'static [TerminalSpec],
    /// The cards.
    pub cards: &'static [CardSpec],
    /// How many records one terminal may hold when faults stop.
    pub records: u32,
    /// Values of the profile that this case needs otherwise, as TOML.
    pub profile: &'static str,
}

/// What the tape says when the drain bound has passed since the last fault.
pub const DRAINED: &str = "the drain bound has passed without a fault: every record must be drained";

/// The drain bound without records, and for each of them.
///
/// Source: POS-R6.
pub const DRAIN: (Span, Span) = (Span::s(20), Span::s(2));

impl Suited for Pos {
    type Setup = Setup;
    type Policy = Policy;
    type Profile = Profile;
    type Plant = PlantOf;
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

    /// The accounts with which a server starts.
    fn files(plant: &PlantOf, _seat: &str) -> Vec<(String, String)> {
        let accounts = plant.plant.numbered().unwrap_or_default();
        let lines = accounts.into_iter().map(|(card, spec)| LedgerLine::of_account(card, spec.account));
        vec![("accounts.jsonl".to_owned(), crate::pos::ledger::render(lines))]
    }

    fn by_hand(stimulus: &Stimulus) -> Option<String> {
        match stimulus {
            Stimulus::Panel(PanelStimulus(line)) => Some(line.clone()),
            _ => None,
        }
    }

    fn greetings(plant: &PlantOf) -> Vec<Greeting> {
        let install = &plant.plant.profile.install;
        let (server, machine) = (install.server.ip(), install.machine);
        let bytes = format!("101,99999,192.168.0.20,{server},{machine:05},2024-01-02 03:04:05").into_bytes();
        vec![Greeting { seat: "server", link: "udp", bytes, words: "a terminal's 101" }]
    }

    fn built_with(sut: Sut) -> &'static [&'static str] {
        match sut {
            Sut::Server => &["frame", "server"],
            Sut::Terminal => &["frame", "terminal", "store", "flash", "flash_driver", "clock"],
            Sut::System | Sut::Modem => {
                &["frame", "server", "terminal", "store", "flash", "flash_driver", "clock"]
            }
        }
    }

    fn read_told(text: &str) -> Result<Event, String> {
        let ledger = crate::pos::ledger::parse(text)?;
        Ok(Event::Observed(Observed::Ledger(Box::new(ledger))))
    }

    fn load(text: &str, overrides: &toml::Table, divisor: u64) -> Result<Profile, String> {
        Profile::load(text, overrides, divisor).map_err(|error| error.to_string())
    }

    fn check(source: Source<'_>) -> Result<(), FileError> {
        let read = Profile::load(source.text, &toml::Table::new(), 1);
        read.map(drop).map_err(|error| source.profile_error(&error, "pos"))
    }

    fn domain(profile: &Profile) -> &FaultDomain {
        &profile.faults
    }

    fn policy(name: PolicyName, mutant: Option<&Mutant>) -> Policy {
        let mut policy = Policy::named(name).expect("a system is run with its own policies only");
        if let Some(Mutant { turn: Turn::Pos(turn), .. }) = mutant {
            turn(&mut policy);
        }
        policy
    }

    fn plant(profile: Profile, policy: Policy, setup: &Setup, seed: Seed) -> PlantOf {
        let Setup { seating, terminals, specs, cards, records, profile: _ } = *setup;
        PlantOf { plant: Plant { profile, policy, terminals, specs, cards, seating, seed }, records }
    }

    fn terminals(setup: &mut Setup) -> &mut usize {
        &mut setup.terminals
    }

    fn needs(setup: &Setup) -> &'static str {
        setup.profile
    }

    fn layout(plant: &PlantOf) -> Result<Layout<Self>, String> {
        plant.plant.layout().map_err(|error| error.to_string())
    }

    fn scene(plant: &PlantOf, sut: Sut, plan: &FaultPlan, bench: &dyn Bench<Self>) -> Option<Scene> {
        let mut scene = Scene::new(&plant.plant, sut, plant.records, bench)?;
        scene.plan = plan.clone();
        Some(scene)
    }

    fn tolerance(profile: &Profile) -> Span {
        profile.bench.tolerance
    }

    fn settling(scene: &Scene, divisor: u64) -> Settling {
        let (base, each) = DRAIN;
        let drained = (base + each * u64::from(scene.records)).shortened(divisor);
        let bound = drained + scene.profile.bench.tolerance;
        Settling {
            bound,
            words: DRAINED,
            watch: scene.profile.terminal.interim_timeout + scene.profile.terminal.round * 2,
        }
    }

    fn read_memories(bench: &dyn Bench<Self>, scene: &Scene) -> Readings<Self> {
        let mut read = Vec::new();
        for seat in scene.terminals.iter().map(|cast| cast.terminal) {
            if let Party::Terminal(board) = &*bench.party(seat) {
                let observed = board.content().map_or(Observed::FlashUnreadable, Observed::flash);
                read.push((seat, Event::Observed(observed)));
            }
        }
        read
    }

    fn read_rest(bench: &dyn Bench<Self>, scene: &Scene) -> Readings<Self> {
        let mut read = Self::read_memories(bench, scene);
        if let Some(seat) = scene.platform
            && let Party::Platform(platform) = &*bench.party(seat)
        {
            read.push((seat, Event::Observed(Observed::orders(platform))));
        }
        if let Party::Server(board) = &*bench.party(scene.server) {
            let ledger = Box::new(Ledger::of(board.books()));
            read.push((scene.server, Event::Observed(Observed::Ledger(ledger))));
        }
        read
    }

    fn role(party: &Party) -> Role {
        match party {
            Party::Terminal(_) => Role::Terminal,
            Party::Server(_) => Role::Server,
            Party::Panel(_) => Role::People,
            Party::Platform(_) | Party::Probe(_) => Role::Other,
        }
    }

    fn is_observed(event: &Event) -> bool {
        matches!(event, Event::Observed(_) | Event::Said(_))
    }

    fn readings(event: &Event) -> Vec<(String, String)> {
        let Event::Observed(observed) = event else { return Vec::new() };
        let name = match observed {
            Observed::Ledger(_) => "ledger",
            Observed::Orders(_) => "orders",
            Observed::Flash { .. } | Observed::FlashUnreadable => "flash",
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

/// An installation, and how many records its case may leave.
#[derive(Clone, Debug)]
pub struct PlantOf {
    /// The installation.
    pub plant: Plant,
    /// How many records one terminal may hold when faults stop.
    pub records: u32,
}
