//! The water card and its modems as a family that has a suite.

use std::net::SocketAddrV4;

use assay_hil::Greeting;
use assay_reports::Exhibit;
use assay_sim::bench::Bench;
use assay_sim::drive::Hands;
use assay_sim::fault::{FaultDomain, FaultPlan, Way};
use assay_sim::machine::{Close, Port};
use assay_sim::policy::PolicyName;
use assay_sim::probe::{Probe, ProbeStimulus};
use assay_sim::seed::Seed;
use assay_sim::tabletop::Layout;
use assay_sim::tape::{LineId, SeatId};
use assay_sim::time::Span;
use assay_sim::water::cards::CardSpec;
use assay_sim::water::family::Water;
use assay_sim::water::observe::Observed;
use assay_sim::water::party::{Event, Party, Stimulus};
use assay_sim::water::plant::{Plant, Seating, terminal_name};
use assay_sim::water::policy::Policy;
use assay_sim::water::profile::{BUILT_IN, Profile};
use assay_sim::water::terminal::vendor::Trouble;
use assay_sim::world::guest::Seated;

use super::exhibits;
use super::scene::Scene;
use crate::explore::Role;
use crate::plan_file::{FileError, Source};
use crate::suite::{Mutant, Turn};
use crate::system::{Readings, Settling, Suited, Sut};
use crate::trace::hex;
use crate::trial::Design;

/// What a case stands on.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// Who sits where.
    pub seating: Seating,
    /// How many terminals.
    pub terminals: usize,
    /// The cards.
    pub cards: &'static [CardSpec],
    /// Values of the profile that this case needs otherwise, as TOML.
    pub profile: &'static str,
}

/// What the tape says when the drain bound has passed since the last fault.
pub const DRAINED: &str = "three heartbeats without a fault: every record must be drained";

/// What a real terminal's process finds in its directory: its 24C02 as the installer left it, in hexadecimal digits.
const STORAGE_FILE: &str = "eeprom.hex";

/// The message server's seat.
const SERVER: &str = "server";

/// Whether the message server sits on the bench, and is under test.
fn has_server_under_test(setup: &Setup, sut: Sut) -> bool {
    matches!(sut, Sut::Server | Sut::System)
        && !matches!(setup.seating, Seating::ProbeServer | Seating::ProbeEnds)
}

/// Whether terminals sit on the bench, and are under test, so that a terminal of others can take their seats.
pub fn has_terminals_under_test(setup: &Setup, sut: Sut) -> bool {
    matches!(sut, Sut::Terminal | Sut::System)
        && !matches!(setup.seating, Seating::ProbeTerminals | Seating::ProbeEnds | Seating::ProbeSites)
}

impl Suited for Water {
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

    fn files(plant: &Plant, seat: &str) -> Vec<(String, String)> {
        // Only the first of several terminals can be real.
        let chip = plant.chip(0).ok().filter(|_| seat == "terminal" && plant.terminals > 0);
        chip.map(|chip| (STORAGE_FILE.to_owned(), hex(chip.image()) + "\n")).into_iter().collect()
    }

    fn seat_text_port(plant: &Plant, layout: &mut Layout<Self>, seat: &str, kept: &dyn Fn(&str) -> bool) {
        if seat == terminal_name(0) {
            plant.seat_text_port(layout, 0, kept);
        }
    }

    fn is_word(bytes: &[u8]) -> bool {
        bytes != b"?\n"
    }

    fn read_told(text: &str) -> Result<Event, String> {
        super::ledger::parse(text).map(|books| Event::Observed(Observed::Books(books)))
    }

    fn load(text: &str, overrides: &toml::Table, divisor: u64) -> Result<Profile, String> {
        Profile::load(text, overrides, divisor).map_err(|error| error.to_string())
    }

    fn check(source: Source<'_>) -> Result<(), FileError> {
        let read = Profile::load(source.text, &toml::Table::new(), 1);
        read.map(drop).map_err(|error| source.profile_error(&error, "water"))
    }

    fn domain(profile: &Profile) -> &FaultDomain {
        &profile.faults
    }

    fn policy(name: PolicyName, mutant: Option<&Mutant>) -> Policy {
        let mut policy = Policy::named(name);
        if let Some(Mutant { turn: Turn::Water(turn), .. }) = mutant {
            turn(&mut policy);
        }
        policy
    }

    fn plant(profile: Profile, policy: Policy, setup: &Setup, seed: Seed) -> Plant {
        let Setup { seating, terminals, cards, profile: _ } = *setup;
        Plant { profile, policy, terminals, cards: cards.to_vec(), seating, seed }
    }

    fn greetings(_plant: &Plant) -> Vec<Greeting> {
        vec![Greeting { seat: "modem", link: "uart", bytes: b"AT\r".to_vec(), words: "`AT`" }]
    }

    fn built_with(sut: Sut) -> &'static [&'static str] {
        match sut {
            Sut::Server => &["frame", "server"],
            Sut::Terminal => &["frame", "terminal", "eeprom", "fitted"],
            Sut::Modem => &["modem", "sim800a", "fitted"],
            Sut::System => &["frame", "server", "terminal", "eeprom", "modem", "sim800a", "fitted"],
        }
    }

    fn terminals(setup: &mut Setup) -> &mut usize {
        &mut setup.terminals
    }

    fn needs(setup: &Setup) -> &'static str {
        setup.profile
    }

    fn layout(plant: &Plant) -> Result<Layout<Self>, String> {
        plant.layout().map_err(|error| error.to_string())
    }

    fn seat_others(
        design: &Design,
        setup: &Setup,
        sut: Sut,
        plant: &Plant,
        layout: &mut Layout<Self>,
    ) -> Result<(), String> {
        if design.server.is_some() && has_server_under_test(setup, sut) {
            // A test head does what is seen of the server of others.
            layout.reseat(SERVER, Party::Probe(Probe::default()));
        }
        if let Some(make) = design.terminal.as_ref().filter(|_| has_terminals_under_test(setup, sut)) {
            for place in 0..plant.terminals {
                let chip = plant.chip(place).map_err(|error| error.to_string())?;
                layout.reseat(&terminal_name(place), Party::VendorTerminal(make(&plant.profile, chip)));
            }
        }
        Ok(())
    }

    fn guests(
        design: &Design,
        setup: &Setup,
        sut: Sut,
        plant: &Plant,
        seat: &dyn Fn(&str) -> Option<SeatId>,
    ) -> Vec<Seated<Self>> {
        let server = design.server.iter().filter(|_| has_server_under_test(setup, sut));
        server
            .filter_map(|make| {
                Some(Seated { seat: seat(SERVER)?, guest: make(&plant.profile), hands: Self::HANDS })
            })
            .collect()
    }

    fn scene(plant: &Plant, sut: Sut, plan: &FaultPlan, bench: &dyn Bench<Self>) -> Option<Scene> {
        Some(Scene { plan: plan.clone(), ..Scene::new(plant, sut, bench)? })
    }

    fn tolerance(profile: &Profile) -> Span {
        profile.bench.tolerance
    }

    fn settling(scene: &Scene, _divisor: u64) -> Settling {
        let heartbeat = scene.profile.server.heartbeat;
        Settling { bound: heartbeat * 3 + scene.profile.bench.tolerance, words: DRAINED, watch: heartbeat }
    }

    fn read_memories(bench: &dyn Bench<Self>, scene: &Scene) -> Readings<Self> {
        let mut read = Vec::new();
        for seat in scene.terminals.iter().map(|cast| cast.terminal) {
            let party = bench.party(seat);
            let chip = match &*party {
                Party::Terminal(board) => Some(board.chip()),
                Party::VendorTerminal(board) => board.chip(),
                _ => None,
            };
            if let Some(chip) = chip {
                let observed = Observed::Chip {
                    image: Box::new(*chip.image()),
                    wear_max: chip.wear_max(),
                    torn: chip.torn().to_vec(),
                };
                read.push((seat, Event::Observed(observed)));
            }
        }
        read
    }

    fn read_rest(bench: &dyn Bench<Self>, scene: &Scene) -> Readings<Self> {
        let mut read = Vec::new();
        for card in &scene.cards {
            if let Party::Card(tag) = &*bench.party(card.seat) {
                let mut blocks = [0; 8];
                blocks.copy_from_slice(&tag.blocks()[..8]);
                read.push((card.seat, Event::Observed(Observed::Card { blocks })));
            }
        }
        read.extend(Self::read_memories(bench, scene));
        if let Party::Server(board) = &*bench.party(scene.server) {
            read.push((scene.server, Event::Observed(Observed::Books(board.books()))));
        }
        read
    }

    fn trouble(bench: &dyn Bench<Self>, scene: &Scene) -> Option<Trouble> {
        scene.terminals.iter().find_map(|cast| match &*bench.party(cast.terminal) {
            Party::VendorTerminal(board) => board.trouble(),
            _ => None,
        })
    }

    fn role(party: &Party) -> Role {
        match party {
            Party::Terminal(_) | Party::VendorTerminal(_) => Role::Terminal,
            Party::Modem(_) | Party::Sim800a(_) => Role::Modem,
            Party::Server(_) => Role::Server,
            Party::Card(_) => Role::Card,
            Party::Payments(_) | Party::Peripheral(_) | Party::TextPort(_) | Party::Probe(_) => Role::Other,
        }
    }

    fn shows(party: &Party) -> bool {
        matches!(party, Party::Peripheral(_))
    }

    fn is_observed(event: &Event) -> bool {
        matches!(event, Event::Observed(_))
    }

    fn readings(event: &Event) -> Vec<(String, String)> {
        let Event::Observed(observed) = event else { return Vec::new() };
        match observed {
            Observed::Card { blocks } => blocks
                .iter()
                .enumerate()
                .map(|(at, block)| (format!("card block {at}"), format!("{block:08X}")))
                .collect(),
            Observed::Chip { image, wear_max, .. } => {
                let pages = image.chunks(8).enumerate();
                let mut read: Vec<_> =
                    pages.map(|(at, page)| (format!("memory from {:02X}", at * 8), hex(page))).collect();
                read.push(("wear of the most written cell".to_owned(), wear_max.to_string()));
                read
            }
            Observed::Books(books) => vec![("books".to_owned(), format!("{books:?}"))],
        }
    }

    fn exhibits(event: &Event) -> Vec<Exhibit> {
        match event {
            Event::Observed(observed) => exhibits::of(observed),
            _ => Vec::new(),
        }
    }

    fn voices_mix(scene: &Scene, line: LineId, way: Way) -> bool {
        way == Scene::DOWN && scene.terminals.iter().any(|cast| cast.uart == line)
    }
}
