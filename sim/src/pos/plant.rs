//! A whole installation on a bench: terminals with people before them, one server, the payment platform.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;

use thiserror::Error;

use super::books::{Account, Books};
use super::family::{Pos, PosScanner};
use super::frame::MachineNumber;
use super::panel::Panel;
use super::party::Party;
use super::platform::Platform;
use super::policy::Policy;
use super::profile::Profile;
use super::server::{PLATFORM_FIRST, PLATFORM_PORTS, ServerBoard, ServerSetup};
use crate::card::number::CardNumber;
use crate::machine::Port;
use crate::probe::Probe;
use crate::seed::Seed;
use crate::tabletop::{Layout, Listener};
use crate::tape::SeatId;

/// Who sits where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seating {
    /// A test head in each terminal's place, at the end of its packet path.
    ProbeTerminals,
    /// Test heads at both ends of every packet path.
    ProbeEnds,
}

/// A terminal's ports.
pub mod port {
    use crate::machine::Port;

    /// The network.
    pub const NET: Port = Port(0);
    /// The line to people.
    pub const PANEL: Port = Port(1);
}

/// The server's first port for devices.
pub const DEVICES_FIRST: u16 = 16;
/// The first port of the platform.
const CLIENTS_FIRST: u16 = 1;
/// The public address that terminals share.
const PUBLIC: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 7);

/// The address that the terminal at this place prints.
pub fn printed_address(place: usize) -> Ipv4Addr {
    let place = u32::try_from(place).unwrap_or(u32::MAX);
    Ipv4Addr::from(u32::from(Ipv4Addr::new(192, 168, 0, 20)).wrapping_add(place))
}

/// The server's port for the terminal at this place.
pub fn server_port(place: usize) -> Port {
    Port(u16::try_from(place).map_or(u16::MAX, |place| DEVICES_FIRST.saturating_add(place)))
}

/// An installation, before it is built.
#[derive(Clone, Debug)]
pub struct Plant {
    /// Every open value.
    pub profile: Profile,
    /// The design.
    pub policy: Policy,
    /// How many terminals.
    pub terminals: usize,
    /// The accounts.
    pub accounts: Vec<(CardNumber, Account)>,
    /// Who sits where.
    pub seating: Seating,
    /// What decides every draw.
    pub seed: Seed,
}

/// An installation that cannot be built.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PlantError {
    /// There are not so many ports or machine numbers.
    #[error("{0} terminals are more than the server has ports for")]
    Numbers(usize),
    /// The epoch is no date, which the profile excludes.
    #[error("the bench's epoch is no date")]
    Epoch,
}

impl Plant {
    /// Draws the installation.
    ///
    /// Errors: [`PlantError`].
    pub fn layout(&self) -> Result<Layout<Pos>, PlantError> {
        let most = usize::from(PLATFORM_FIRST.0 - DEVICES_FIRST);
        if self.terminals > most {
            return Err(PlantError::Numbers(self.terminals));
        }
        let bench = &self.profile.bench;
        let epoch = bench.epoch().map_err(|_| PlantError::Epoch)?;
        let mut layout = Layout::new(epoch, bench.quiet, bench.inbox_max);
        let server = self.seat_server(&mut layout);
        for place in 0..self.terminals {
            self.seat_terminal(&mut layout, place, server);
        }
        Ok(layout)
    }

    /// The number of the machine at this place.
    pub fn machine(&self, place: usize) -> MachineNumber {
        let place = u32::try_from(place).unwrap_or(u32::MAX);
        MachineNumber::new(self.profile.install.machine.get().wrapping_add(place))
    }

    fn seat_server(&self, layout: &mut Layout<Pos>) -> SeatId {
        let profile = &self.profile;
        if self.seating == Seating::ProbeEnds {
            let server = layout.seat("server", Party::Probe(Probe::default()));
            layout.supply("server", &[server]);
            return server;
        }
        let source = |place| if profile.install.nat { PUBLIC } else { printed_address(place) };
        let sources: BTreeMap<Port, Ipv4Addr> =
            (0..self.terminals).map(|place| (server_port(place), source(place))).collect();
        let board = ServerBoard::new(ServerSetup {
            config: profile.server.clone(),
            frame: profile.frame,
            journal: profile.journal,
            policy: self.policy.server,
            accounts: Books::with_accounts(self.accounts.iter().copied()),
            sources: Arc::new(sources),
        });
        let server = layout.seat("server", Party::Server(Box::new(board)));
        layout.supply("server", &[server]);
        let platform = layout.seat("platform", Party::Platform(Platform::new(profile.platform.clone())));
        let listener = Listener {
            seat: platform,
            address: profile.server.platform,
            first: Port(CLIENTS_FIRST),
            ports: PLATFORM_PORTS,
        };
        let scanners = [PosScanner::lines("charge"), PosScanner::lines("answer")];
        let client = ((server, PLATFORM_FIRST), PLATFORM_PORTS);
        layout.stream("lan", client, listener, profile.lan.clone(), self.seed, scanners);
        server
    }

    fn seat_terminal(&self, layout: &mut Layout<Pos>, place: usize, server: SeatId) {
        let profile = &self.profile;
        let letter = crate::water::plant::letter(place);
        let terminal = layout.seat(format!("terminal-{letter}"), Party::Probe(Probe::default()));
        let panel = layout.seat(format!("panel-{letter}"), Party::Panel(Panel::default()));
        layout.datagram(
            format!("udp-{letter}"),
            (terminal, port::NET),
            (server, server_port(place)),
            (profile.udp.latency_min, profile.udp.latency_max),
            self.seed,
            [PosScanner::datagrams(), PosScanner::datagrams()],
        );
        layout.serial(
            format!("panel-line-{letter}"),
            (terminal, port::PANEL),
            (panel, Panel::LINE),
            profile.panel.clone(),
            [PosScanner::lines("text"), PosScanner::lines("deed")],
        );
        layout.supply(format!("mcu-{letter}"), &[terminal]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::{Fate, Fault, FaultPlan, Mishap, Moment, Strike};
    use crate::machine::Torn;
    use crate::money::Fen;
    use crate::policy::PolicyName;
    use crate::pos::frame::text::decode;
    use crate::pos::party::Stimulus;
    use crate::pos::server::ServerStimulus;
    use crate::probe::ProbeStimulus;
    use crate::tabletop::Tabletop;
    use crate::tape::{Keep, Seen};
    use crate::time::{Instant, Span};

    const CARD: &str = "8888888888";

    fn plant(name: PolicyName, terminals: usize) -> Plant {
        let account = Account { balance: Fen(10_000), ..Account::default() };
        Plant {
            profile: Profile::built_in().unwrap(),
            policy: Policy::named(name).unwrap(),
            terminals,
            accounts: vec![(CardNumber::parse(CARD.as_bytes()).unwrap(), account)],
            seating: Seating::ProbeTerminals,
            seed: Seed(1),
        }
    }

    fn pay(place: usize, second: u32) -> Stimulus {
        let head = format!("00009,{},10.0.0.2,{:05}", printed_address(place), place + 2);
        let text = format!("103,{head},{CARD},5.50,2024-01-02 03:05:{second:02},S{place}");
        Stimulus::Probe(ProbeStimulus::Send(port::NET, text.into_bytes()))
    }

    fn run_until(bench: &mut Tabletop<Pos>, ms: u64) {
        let until = Instant::from_us(ms * 1_000);
        while bench.step(until) {}
    }

    fn send(bench: &mut Tabletop<Pos>, seat: &str, stimulus: Stimulus) {
        let seat = bench.seat_named(seat).unwrap();
        bench.stimulate(seat, stimulus);
    }

    /// What reaches a terminal.
    fn heard(bench: &Tabletop<Pos>, letter: &str) -> Vec<String> {
        let path = bench.line_named(&format!("udp-{letter}")).unwrap();
        let heard = bench.tape().entries().filter_map(|entry| match &entry.what {
            Seen::Heard { line, way: crate::fault::Way::BtoA, bytes, .. } if *line == path => {
                Some(decode(bytes))
            }
            _ => None,
        });
        heard.map(|text| text.split(',').next().unwrap_or_default().to_owned()).collect()
    }

    fn balance(bench: &Tabletop<Pos>) -> i64 {
        let Party::Server(board) = bench.party(bench.seat_named("server").unwrap()) else {
            panic!("no server")
        };
        board.books().account(CardNumber::parse(CARD.as_bytes()).unwrap()).unwrap().balance.0
    }

    fn strike(site: &str, moment: Moment, fault: Fault) -> FaultPlan {
        FaultPlan { strikes: vec![Strike { site: site.parse().unwrap(), moment, fault }] }
    }

    fn bench(plan: &FaultPlan, name: PolicyName) -> Tabletop<Pos> {
        let mut bench = Tabletop::new(plant(name, 2).layout().unwrap(), plan, Keep::All).unwrap();
        bench.switch_on();
        run_until(&mut bench, 1_000);
        bench
    }

    #[test]
    fn a_payment_crosses_the_network_and_its_units_go_by_their_commands() {
        let mut bench = bench(&FaultPlan::default(), PolicyName::Hardened);
        send(&mut bench, "terminal-a", pay(0, 0));
        run_until(&mut bench, 20_000);
        assert_eq!(heard(&bench, "a"), ["001", "008", "008", "008"]);
        assert_eq!((heard(&bench, "b").len(), balance(&bench)), (0, 9_450));
        send(&mut bench, "server", Stimulus::Server(ServerStimulus::Discover));
        run_until(&mut bench, 21_000);
        assert_eq!(heard(&bench, "b"), ["000"], "a broadcast reaches everybody");
    }

    #[test]
    fn what_befalls_a_datagram_is_planned_by_its_command() {
        let plan = strike("udp-a< 008 #1", Moment::Before, Fault::Fate(Fate::Drop));
        let mut lost = bench(&plan, PolicyName::Hardened);
        send(&mut lost, "terminal-a", pay(0, 0));
        run_until(&mut lost, 20_000);
        assert_eq!(heard(&lost, "a"), ["001", "008", "008"]);
        assert!(lost.not_reached().is_empty());
        let plan = strike("udp-a> 103 #1", Moment::Before, Fault::Fate(Fate::Twice { gap: Span::ms(300) }));
        for (name, left) in [(PolicyName::Hardened, 9_450), (PolicyName::Published, 8_900)] {
            let mut twice = bench(&plan, name);
            send(&mut twice, "terminal-a", pay(0, 0));
            run_until(&mut twice, 20_000);
            assert_eq!(balance(&twice), left, "{name}");
        }
    }

    #[test]
    fn a_server_that_is_killed_at_any_step_of_a_payment_keeps_what_it_said() {
        for kind in ["journal-append", "journal-sync", "journal-synced"] {
            for torn in Torn::ALL {
                let crash = Mishap::Crash { party: "server".to_owned(), torn, off: Span::s(1) };
                let plan = strike(&format!("server {kind}@1 #1"), Moment::After, Fault::Mishap(crash));
                let mut bench = bench(&plan, PolicyName::Hardened);
                for at in 0..3 {
                    send(&mut bench, "terminal-a", pay(0, 0));
                    run_until(&mut bench, 3_000 + at * 2_000);
                }
                assert!(bench.not_reached().is_empty(), "{kind} {torn:?}");
                assert_eq!(balance(&bench), 9_450, "{kind} {torn:?}");
                assert!(heard(&bench, "a").contains(&"008".to_owned()));
            }
        }
    }

    #[test]
    fn more_terminals_than_ports_are_refused_in_words() {
        let error = plant(PolicyName::Hardened, 60_000).layout().err().unwrap();
        assert_eq!(error, PlantError::Numbers(60_000));
    }
}
