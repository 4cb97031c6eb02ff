//! A whole installation on a bench: terminals with people before them, one server, the payment platform.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;

use thiserror::Error;

use super::books::{Account, Books, Standing};
use super::family::{Pos, PosScanner};
use super::frame::MachineNumber;
use super::panel::Panel;
use super::party::Party;
use super::platform::Platform;
use super::policy::Policy;
use super::profile::Profile;
use super::server::{PLATFORM_FIRST, PLATFORM_PORTS, ServerBoard, ServerSetup};
use super::terminal::clock::Stamp;
use super::terminal::entry::{Sale, SaleKind};
use super::terminal::installed::{Installed, Mode};
use super::terminal::store::install_record;
use super::terminal::{Addresses, TerminalBoard, TerminalConfig};
use crate::card::number::{CardNumber, NotACardNumber};
use crate::flash::Chip;
use crate::machine::Port;
use crate::money::Fen;
use crate::probe::Probe;
use crate::seed::Seed;
use crate::tabletop::{Layout, Listener};
use crate::tape::SeatId;

pub use super::terminal::port;

/// Who sits where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seating {
    /// Every party is there.
    Whole,
    /// A test head in the server's place, which also has no platform behind it.
    ProbeServer,
    /// A test head in each terminal's place, at the end of its packet path.
    ProbeTerminals,
}

/// A card and its account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CardSpec {
    /// Its number: ten digits.
    pub number: &'static str,
    /// What is on its account.
    pub account: Account,
    /// Whether terminals know it as one that may pay off line.
    pub white: bool,
}

impl CardSpec {
    /// A good card with this much on it.
    pub const fn good(number: &'static str, fen: i64, counts: i64) -> Self {
        Self {
            number,
            account: Account { balance: Fen(fen), counts, standing: Standing::Good },
            white: false,
        }
    }

    /// The same in another standing.
    #[must_use]
    pub const fn standing(self, standing: Standing) -> Self {
        Self { account: Account { standing, ..self.account }, ..self }
    }

    /// The same on the white list.
    #[must_use]
    pub const fn white(self) -> Self {
        Self { white: true, ..self }
    }
}

/// What differs from one terminal to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TerminalSpec {
    /// What a tap means.
    pub mode: Mode,
    /// Whether its messages bear the serial, as those of newer devices do.
    pub tells_serial: bool,
    /// The field of unknown meaning, of devices that have it.
    pub flag: Option<u8>,
    /// Whose machine number it bears, by place, where two were given the same.
    pub number_of: Option<usize>,
    /// By how much its clock is wrong.
    ///
    /// Units: seconds.
    pub clock_wrong_s: i64,
    /// Whether its flash holds a record of a sale whose time there is not, as older firmware left it.
    pub old_record: bool,
}

impl TerminalSpec {
    /// A newer device in ordinary mode.
    pub const ORDINARY: Self = Self {
        mode: Mode::Ordinary,
        tells_serial: true,
        flag: None,
        number_of: None,
        clock_wrong_s: 0,
        old_record: false,
    };
    /// The same that pays a fixed amount.
    pub const FIXED: Self = Self { mode: Mode::Fixed(Fen(550)), ..Self::ORDINARY };
    /// The same that takes counts.
    pub const COUNTING: Self = Self { mode: Mode::Count, ..Self::ORDINARY };
}

/// The server's first port for devices.
pub const DEVICES_FIRST: u16 = 16;
/// The most terminals: each has two seats of a bench, its own and that of the people before it, beside those of the
/// server and the platform.
///
/// Why: the server has ports for more.
pub const TERMINALS_MAX: usize = (u16::MAX as usize + 1 - 2) / 2;
const _: () = assert!(TERMINALS_MAX <= (PLATFORM_FIRST.0 - DEVICES_FIRST) as usize);

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

/// The hardware serial of the terminal at this place.
pub fn serial(place: usize) -> String {
    format!("{:010}", 1_234_567_890 + place)
}

/// The name of the terminal at this place.
pub fn terminal_name(place: usize) -> String {
    format!("terminal-{}", letter(place))
}

/// The name of the people before the terminal at this place.
pub fn panel_name(place: usize) -> String {
    format!("panel-{}", letter(place))
}

/// What older firmware booked when its clock had lost its time.
fn old_record(card: CardNumber) -> Sale {
    Sale {
        number: 0,
        kind: SaleKind::Pay,
        time: Stamp::NOUGHT,
        card,
        amount: Fen(550),
        seq: 0,
        code: Vec::new(),
    }
}

/// The terminal's letter, or its number beyond the alphabet.
pub use crate::water::plant::letter;

/// An installation, before it is built.
#[derive(Clone, Debug)]
pub struct Plant {
    /// Every open value.
    pub profile: Profile,
    /// The design.
    pub policy: Policy,
    /// How many terminals.
    pub terminals: usize,
    /// What they are, over and over; newer devices in ordinary mode if nothing is said.
    pub specs: &'static [TerminalSpec],
    /// The cards.
    pub cards: &'static [CardSpec],
    /// Who sits where.
    pub seating: Seating,
    /// What decides every draw.
    pub seed: Seed,
}

/// An installation that cannot be built.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PlantError {
    /// The bench has not so many seats, or the server not so many ports.
    #[error("{0} terminals are too many: there may be {most}", most = TERMINALS_MAX)]
    Numbers(usize),
    /// The epoch is no date, which the profile excludes.
    #[error("the bench's epoch is no date")]
    Epoch,
    /// A card's number is none.
    #[error("card {0}: {1}")]
    Card(&'static str, NotACardNumber),
}

impl Plant {
    /// Draws the installation.
    ///
    /// Errors: [`PlantError`].
    pub fn layout(&self) -> Result<Layout<Pos>, PlantError> {
        if self.terminals > TERMINALS_MAX {
            return Err(PlantError::Numbers(self.terminals));
        }
        let bench = &self.profile.bench;
        let epoch = bench.epoch().map_err(|_| PlantError::Epoch)?;
        let mut layout = Layout::new(epoch, bench.quiet, bench.inbox_max);
        let server = self.seat_server(&mut layout)?;
        for place in 0..self.terminals {
            self.seat_terminal(&mut layout, place, server)?;
        }
        Ok(layout)
    }

    /// What the terminal at this place is.
    pub fn spec(&self, place: usize) -> TerminalSpec {
        let known = self.specs.len().max(1);
        self.specs.get(place % known).copied().unwrap_or(TerminalSpec::ORDINARY)
    }

    /// The number of the machine at this place.
    pub fn machine(&self, place: usize) -> MachineNumber {
        let place = self.spec(place).number_of.unwrap_or(place);
        let place = u32::try_from(place).unwrap_or(u32::MAX);
        MachineNumber::new(self.profile.install.machine.get().wrapping_add(place))
    }

    /// The cards with their numbers.
    ///
    /// Errors: [`PlantError::Card`].
    pub fn numbered(&self) -> Result<Vec<(CardNumber, CardSpec)>, PlantError> {
        let number = |spec: &CardSpec| {
            let number = CardNumber::parse(spec.number.as_bytes());
            number.map(|number| (number, *spec)).map_err(|why| PlantError::Card(spec.number, why))
        };
        self.cards.iter().map(number).collect()
    }

    /// What the terminal at this place is built with.
    pub fn terminal_config(&self, place: usize) -> TerminalConfig {
        let profile = &self.profile;
        let spec = self.spec(place);
        TerminalConfig {
            policy: self.policy.terminal,
            times: profile.terminal.clone(),
            format: profile.frame,
            store: profile.store,
            flash: profile.flash_driver,
            clock: profile.clock,
            addresses: Addresses {
                terminal: printed_address(place),
                mask: Ipv4Addr::new(255, 255, 255, 0),
                gateway: Ipv4Addr::new(192, 168, 0, 1),
                server: *profile.install.server.ip(),
                port: profile.install.server.port(),
            },
            serial: serial(place).into_bytes().into(),
            tells_serial: spec.tells_serial,
            flag: spec.flag,
        }
    }

    /// The flash of the terminal at this place, as the installer programmed it.
    ///
    /// Errors: [`PlantError::Card`].
    pub fn chip(&self, place: usize) -> Result<Chip, PlantError> {
        let white = self.numbered()?.into_iter().filter(|(_, spec)| spec.white);
        let white_list: Vec<CardNumber> = white.map(|(number, _)| number).collect();
        let mut chip = Chip::new(self.profile.flash);
        if self.spec(place).old_record {
            let card = white_list.first().copied().unwrap_or_default();
            install_record(&mut chip, &self.profile.store, &old_record(card));
        }
        Installed { machine: self.machine(place), mode: self.spec(place).mode, white_list }
            .install(&mut chip);
        Ok(chip)
    }

    /// What the server is built with: the accounts with which it starts, and the address from which each terminal's
    /// datagrams come.
    pub fn server_setup(&self, accounts: Books, source: impl Fn(usize) -> Ipv4Addr) -> ServerSetup {
        let sources: BTreeMap<Port, Ipv4Addr> =
            (0..self.terminals).map(|place| (server_port(place), source(place))).collect();
        ServerSetup {
            config: self.profile.server.clone(),
            frame: self.profile.frame,
            journal: self.profile.journal,
            policy: self.policy.server,
            accounts,
            sources: Arc::new(sources),
        }
    }

    fn seat_server(&self, layout: &mut Layout<Pos>) -> Result<SeatId, PlantError> {
        let profile = &self.profile;
        if self.seating == Seating::ProbeServer {
            let server = layout.seat("server", Party::Probe(Probe::default()));
            layout.supply("server", &[server]);
            return Ok(server);
        }
        let source = |place| if profile.install.nat { PUBLIC } else { printed_address(place) };
        let accounts = self.numbered()?.into_iter().map(|(number, spec)| (number, spec.account));
        let board = ServerBoard::new(self.server_setup(Books::with_accounts(accounts), source));
        let server = layout.seat("server", Party::Server(Box::new(board)));
        layout.supply("server", &[server]);
        let platform =
            layout.seat("platform", Party::Platform(Box::new(Platform::new(profile.platform.clone()))));
        let listener = Listener {
            seat: platform,
            address: profile.server.platform,
            first: Port(CLIENTS_FIRST),
            ports: PLATFORM_PORTS,
        };
        let scanners = [PosScanner::lines("charge"), PosScanner::lines("answer")];
        let client = ((server, PLATFORM_FIRST), PLATFORM_PORTS);
        layout.stream("lan", client, listener, profile.lan.clone(), self.seed, scanners);
        Ok(server)
    }

    fn seat_terminal(
        &self,
        layout: &mut Layout<Pos>,
        place: usize,
        server: SeatId,
    ) -> Result<(), PlantError> {
        let profile = &self.profile;
        let letter = letter(place);
        let party = if self.seating == Seating::ProbeTerminals {
            Party::Probe(Probe::default())
        } else {
            let board = TerminalBoard::new(self.terminal_config(place), self.chip(place)?);
            let wrong_us = self.spec(place).clock_wrong_s.saturating_mul(1_000_000);
            Party::Terminal(Box::new(board.with_clock_wrong_by(wrong_us)))
        };
        let terminal = layout.seat(terminal_name(place), party);
        let panel = layout.seat(panel_name(place), Party::Panel(Box::default()));
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
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::{Fate, Fault, FaultPlan, Mishap, Moment, Strike};
    use crate::machine::Torn;
    use crate::policy::PolicyName;
    use crate::pos::frame::text::decode;
    use crate::pos::party::Stimulus;
    use crate::pos::server::ServerStimulus;
    use crate::probe::ProbeStimulus;
    use crate::tabletop::Tabletop;
    use crate::tape::{Keep, Seen};
    use crate::time::{Instant, Span};

    const CARD: &str = "8888888888";

    const CARDS: &[CardSpec] = &[CardSpec::good(CARD, 10_000, 0)];

    fn plant(name: PolicyName, terminals: usize) -> Plant {
        Plant {
            profile: Profile::built_in().unwrap(),
            policy: Policy::named(name).unwrap(),
            terminals,
            specs: &[],
            cards: CARDS,
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
    fn more_terminals_than_there_are_seats_for_are_refused_in_words() {
        let many = plant(PolicyName::Hardened, TERMINALS_MAX).layout().unwrap();
        assert!(Tabletop::new(many, &FaultPlan::default(), Keep::All).is_ok());
        let error = plant(PolicyName::Hardened, TERMINALS_MAX + 1).layout().err().unwrap();
        assert_eq!(error, PlantError::Numbers(32_768));
        assert_eq!(error.to_string(), "32768 terminals are too many: there may be 32767");
    }

    #[test]
    fn an_empty_datagram_comes_and_is_no_message() {
        let mut bench = bench(&FaultPlan::default(), PolicyName::Hardened);
        let empty = |port| Stimulus::Probe(ProbeStimulus::Send(port, Vec::new()));
        send(&mut bench, "terminal-a", empty(port::NET));
        run_until(&mut bench, 2_000);
        let up = crate::fault::Way::AtoB;
        let heard = bench.tape().entries().filter(
            |entry| matches!(&entry.what, Seen::Heard { way, bytes, .. } if *way == up && bytes.is_empty()),
        );
        assert_eq!(heard.count(), 1);
        let junk =
            bench.tape().entries().filter(|entry| matches!(&entry.what, Seen::Sent { name: "junk", .. }));
        assert_eq!(junk.count(), 1, "and has the name of what is no message");
        send(&mut bench, "terminal-a", pay(0, 0));
        run_until(&mut bench, 3_000);
        assert_eq!(balance(&bench), 9_450, "and the next is served");
    }
}
