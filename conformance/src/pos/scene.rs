//! Who is who in a run: the cast that oracles and cases refer to.

use assay_sim::bench::Bench;
use assay_sim::card::number::CardNumber;
use assay_sim::fault::{FaultPlan, Way};
use assay_sim::pos::books::Device;
use assay_sim::pos::family::Pos;
use assay_sim::pos::frame::MachineNumber;
use assay_sim::pos::plant::{
    CardSpec, Plant, Seating, TerminalSpec, letter, panel_name, printed_address, serial, terminal_name,
};
use assay_sim::pos::profile::Profile;
use assay_sim::tape::{LineId, SeatId, SupplyId};
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use crate::redact::Kind;
use crate::system::{Cast, Sut};

/// One terminal and what is around it.
#[derive(Clone, Debug)]
pub struct TerminalCast {
    /// Its letter.
    pub letter: String,
    /// The terminal, or the test head in its place.
    pub terminal: SeatId,
    /// The people before it.
    pub panel: SeatId,
    /// Its way to the server; the terminal is at end A.
    pub udp: LineId,
    /// The line to people; the terminal is at end A.
    pub panel_line: LineId,
    /// What feeds it.
    pub supply: SupplyId,
    /// Its number.
    pub machine: MachineNumber,
    /// Its hardware serial.
    pub serial: String,
    /// The address that it prints.
    pub address: Ipv4Addr,
    /// What it is.
    pub spec: TerminalSpec,
}

impl TerminalCast {
    /// Who it is to the server.
    pub fn device(&self) -> Device {
        if self.spec.tells_serial {
            Device::Serial(self.serial.as_bytes().into())
        } else {
            Device::Machine(self.machine)
        }
    }
}

/// Whose link it is, by the terminal's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// Its way to the server.
    Udp(usize),
    /// Its line to people.
    Panel(usize),
}

/// The cast of a run.
#[derive(Clone, Debug)]
pub struct Scene {
    /// Who is under test.
    pub sut: Sut,
    /// Who sits where.
    pub seating: Seating,
    /// Every open value of the installation.
    pub profile: Profile,
    /// The terminals.
    pub terminals: Vec<TerminalCast>,
    /// What each link is to the terminals, by its number.
    roles: Vec<Option<Role>>,
    /// The cards.
    pub cards: Vec<(CardNumber, CardSpec)>,
    /// The server, or the test head in its place.
    pub server: SeatId,
    /// What feeds the server.
    pub server_supply: SupplyId,
    /// The payment platform, where there is one.
    pub platform: Option<SeatId>,
    /// The way from the server to the platform, where there is one.
    pub lan: Option<LineId>,
    /// How many records the case may leave at one terminal.
    pub records: u32,
    /// What is planned to strike.
    pub plan: FaultPlan,
}

impl Scene {
    /// The way from a terminal to the server, and to people.
    pub const UP: Way = Way::AtoB;
    /// The way back.
    pub const DOWN: Way = Way::BtoA;

    /// The cast of a bench built from this plant; `None` if the two do not belong together.
    pub fn new(plant: &Plant, sut: Sut, records: u32, bench: &dyn Bench<Pos>) -> Option<Self> {
        let names = bench.names();
        let [seats, lines, supplies] =
            [&names.seats, &names.lines, &names.supplies].map(|names| places(names));
        let mut terminals = Vec::new();
        for place in 0..plant.terminals {
            let letter = letter(place);
            terminals.push(TerminalCast {
                terminal: SeatId(*seats.get(&*terminal_name(place))?),
                panel: SeatId(*seats.get(&*panel_name(place))?),
                udp: LineId(*lines.get(&*format!("udp-{letter}"))?),
                panel_line: LineId(*lines.get(&*format!("panel-line-{letter}"))?),
                supply: SupplyId(*supplies.get(&*format!("mcu-{letter}"))?),
                machine: plant.machine(place),
                serial: serial(place),
                address: printed_address(place),
                spec: plant.spec(place),
                letter,
            });
        }
        Some(Self {
            sut,
            seating: plant.seating,
            profile: plant.profile.clone(),
            roles: roles(&terminals),
            terminals,
            cards: plant.numbered().ok()?,
            server: bench.seat_named("server")?,
            server_supply: bench.supply_named("server")?,
            platform: bench.seat_named("platform"),
            lan: bench.line_named("lan"),
            records,
            plan: FaultPlan::default(),
        })
    }

    /// The cast of a recording at a server, by the terminals that were heard there.
    pub fn of_recording(
        profile: Profile,
        terminals: Vec<TerminalCast>,
        cards: Vec<(CardNumber, CardSpec)>,
        server: SeatId,
    ) -> Self {
        let paths = (0..terminals.len()).map(|place| Some(Role::Udp(place))).collect();
        Self {
            sut: Sut::Server,
            seating: Seating::ProbeTerminals,
            profile,
            terminals,
            roles: paths,
            cards,
            server,
            server_supply: SupplyId(u16::MAX),
            platform: None,
            lan: None,
            records: 0,
            plan: FaultPlan::default(),
        }
    }

    /// The terminal whose way to the server this is.
    pub fn terminal_on_udp(&self, line: LineId) -> Option<usize> {
        match self.roles.get(usize::from(line.0)) {
            Some(Some(Role::Udp(place))) => Some(*place),
            _ => None,
        }
    }

    /// The terminal whose line to people this is.
    pub fn terminal_on_panel(&self, line: LineId) -> Option<usize> {
        match self.roles.get(usize::from(line.0)) {
            Some(Some(Role::Panel(place))) => Some(*place),
            _ => None,
        }
    }
}

/// The places of names.
fn places(names: &[String]) -> BTreeMap<&str, u16> {
    (0..=u16::MAX).zip(names).map(|(place, name)| (name.as_str(), place)).collect()
}

fn roles(terminals: &[TerminalCast]) -> Vec<Option<Role>> {
    let mut roles = Vec::new();
    for (place, cast) in terminals.iter().enumerate() {
        for (line, role) in [(cast.udp, Role::Udp(place)), (cast.panel_line, Role::Panel(place))] {
            let line = usize::from(line.0);
            if roles.len() <= line {
                roles.resize(line + 1, None);
            }
            roles[line] = Some(role);
        }
    }
    roles
}

impl Cast<Pos> for Scene {
    fn is_claim(&self, seat: SeatId) -> bool {
        let terminal = self.terminals.iter().any(|cast| cast.terminal == seat);
        match self.sut {
            Sut::Terminal => terminal,
            Sut::Server => seat == self.server,
            Sut::Modem => false,
            Sut::System => terminal || seat == self.server,
        }
    }

    fn card_kind(&self) -> Kind {
        Kind::PosCard
    }

    fn card_numbers(&self) -> Vec<CardNumber> {
        self.cards.iter().map(|(card, _)| *card).collect()
    }

    fn devices(&self) -> BTreeSet<Vec<u8>> {
        self.terminals.iter().map(|cast| cast.serial.as_bytes().to_vec()).collect()
    }
}
