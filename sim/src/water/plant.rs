//! A whole installation on a bench: terminals with their modems, voice modules and displays, one server, the
//! prepayment front, and cards in people's hands.

use thiserror::Error;

use super::cards::{CardSpec, issued_blocks};
use super::family::{Water, WaterScanner};
use super::party::Party;
use super::payments::{Payments, SERVER_PORT};
use super::peripheral::Peripheral;
use super::policy::Policy;
use super::profile::Profile;
use super::server::{ServerBoard, ServerSetup};
use super::terminal::store::Installed;
use super::terminal::{TerminalBoard, TerminalConfig, port};
use super::text_port::TextPort;
use crate::card::number::CardNumber;
use crate::card::tag::T5557;
use crate::card::{self, AirWay, manchester};
use crate::eeprom::Chip;
use crate::fault::{Fate, Way};
use crate::link::AirTiming;
use crate::machine::Port;
use crate::modem::client::Fitted;
use crate::modem::m6311::M6311;
use crate::modem::port as modem_port;
use crate::modem::sim800a::Sim800a;
use crate::probe::Probe;
use crate::seed::Seed;
use crate::tabletop::{Layout, Listener};
use crate::tape::SeatId;

/// Who sits where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seating {
    /// Every party is there.
    Whole,
    /// A test head in place of the server.
    ProbeServer,
    /// A test head in place of terminals: it holds the far end of each modem's line and pins.
    ProbeTerminals,
    /// A test head in place of modems.
    ProbeModems,
    /// Test heads at both ends of each modem: in place of terminals, and in place of the server.
    ProbeEnds,
    /// Test heads in place of terminals and modems alike: what remains is the server with its prepayment front.
    ProbeSites,
}

/// The first port on which a modem, or the test head in its place, opens connections to the server.
pub const NET_FIRST: Port = Port(modem_port::NET_BASE);

/// An installation, before it is built.
#[derive(Clone, Debug)]
pub struct Plant {
    /// Every open value.
    pub profile: Profile,
    /// The design.
    pub policy: Policy,
    /// How many terminals.
    pub terminals: usize,
    /// The cards.
    pub cards: Vec<CardSpec>,
    /// Who sits where.
    pub seating: Seating,
    /// What decides every draw.
    pub seed: Seed,
}

/// An installation that cannot be built.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PlantError {
    /// The profile's numbers do not reach that far.
    #[error("the profile's first terminal or card number leaves no room for {0} of them")]
    Numbers(usize),
}

/// Letters for terminals: `a`, `b`, …, then numbers.
pub fn letter(place: usize) -> String {
    u8::try_from(place)
        .ok()
        .filter(|place| *place < 26)
        .map_or_else(|| format!("{}", place + 1), |place| char::from(b'a' + place).to_string())
}

/// The name of the terminal at this place, from 0.
pub fn terminal_name(place: usize) -> String {
    format!("terminal-{}", letter(place))
}

/// The name of the card at this place, from 0.
pub fn card_name(place: usize) -> String {
    format!("card-{}", place + 1)
}

fn air_way(way: Way) -> AirWay {
    match way {
        Way::AtoB => AirWay::ToCard,
        Way::BtoA => AirWay::ToTerminal,
    }
}

const AIR: AirTiming = AirTiming {
    time: |way, bytes| card::air_time(air_way(way), bytes),
    prefix: |way, bytes, elapsed| match way {
        Way::AtoB => card::burst_prefix(bytes, elapsed),
        Way::BtoA => card::edges_prefix(bytes, elapsed),
    },
    spoil: |fate, bytes| {
        let place = |at: u32| usize::try_from(at).unwrap_or(usize::MAX);
        match fate {
            Fate::MissingHalfBit { at } => manchester::missing_half_bit(bytes, place(*at)),
            Fate::WrongPhase => manchester::wrong_phase(bytes),
            Fate::Jitter { at, by } => manchester::jitter(bytes, place(*at), *by),
            _ => bytes.to_vec(),
        }
    },
};

/// How many ports of the server one terminal's link may use.
pub const CONNS_A_LINK: u16 = 8;
/// The server's first port for terminals.
pub const TERMINALS_FIRST: u16 = 16;
/// The server's first port for the prepayment front.
const PAYMENTS_FIRST: u16 = 1_000;

/// The server's port for the n-th connection, from 1, of the terminal at this place.
pub fn server_port(place: usize, conn: u16) -> Port {
    let place = u16::try_from(place).unwrap_or(u16::MAX / CONNS_A_LINK);
    Port(TERMINALS_FIRST + place * CONNS_A_LINK + conn.saturating_sub(1) % CONNS_A_LINK)
}

impl Plant {
    /// Draws the installation.
    ///
    /// Errors: [`PlantError`].
    pub fn layout(&self) -> Result<Layout<Water>, PlantError> {
        let bench = &self.profile.bench;
        let epoch = bench.epoch().unwrap_or_default();
        let mut layout = Layout::new(epoch, bench.quiet, bench.inbox_max);
        let server = self.seat_server(&mut layout);
        for place in 0..self.terminals {
            self.seat_terminal(&mut layout, place, server)?;
        }
        for (place, spec) in self.cards.iter().enumerate() {
            let blocks = issued_blocks(self.card_number(place)?, *spec);
            let card = T5557::issue(self.profile.card.clone(), blocks);
            layout.seat(card_name(place), Party::Card(card));
        }
        Ok(layout)
    }

    /// The number of the card at this place.
    ///
    /// Errors: [`PlantError`].
    pub fn card_number(&self, place: usize) -> Result<CardNumber, PlantError> {
        let number = format!("{:010}", self.profile.install.card + place as u64);
        CardNumber::parse(number.as_bytes()).map_err(|_| PlantError::Numbers(place + 1))
    }

    /// The memory of the terminal at this place, as the installer programmed it.
    ///
    /// Errors: [`PlantError`].
    pub fn chip(&self, place: usize) -> Result<Chip, PlantError> {
        let profile = &self.profile;
        let install = &profile.install;
        let machine = install.machine_at(place as u64).ok_or(PlantError::Numbers(place + 1))?;
        let installed =
            Installed { server: profile.server.address, machine, heartbeat_s: profile.server.heartbeat_s() };
        let mut image = installed.image();
        for at in &install.spoiled {
            image[usize::from(*at)] ^= 1;
        }
        Ok(Chip::with_image(profile.eeprom.chip, image))
    }

    /// Seats a text port for the terminal at this place, in whose own seat a test head sits. It takes over antenna and
    /// pins of the terminal, and the lines to voice module and display that are not among those kept.
    pub fn seat_text_port(&self, layout: &mut Layout<Water>, place: usize, kept: &dyn Fn(&str) -> bool) {
        let letter = letter(place);
        let Some(terminal) = layout.seat_named(&terminal_name(place)) else { return };
        let board = Party::TextPort(TextPort::new(self.profile.reader.clone()));
        let seat = layout.seat(format!("text-port-{letter}"), board);
        let scanners = [WaterScanner::lines("line"), WaterScanner::lines("answer")];
        layout.serial(
            format!("text-{letter}"),
            (terminal, TextPort::LINE),
            (seat, TextPort::LINE),
            self.profile.uart.clone(),
            scanners,
        );
        for (link, way, port) in [
            ("rf", Way::AtoB, port::RF),
            ("voice-line", Way::AtoB, port::VOICE),
            ("display-line", Way::AtoB, port::DISPLAY),
            ("pwrkey", Way::AtoB, port::PWRKEY),
            ("reset", Way::AtoB, port::RESET),
            ("status", Way::BtoA, port::STATUS),
        ] {
            let link = format!("{link}-{letter}");
            if !kept(&link) {
                layout.rewire(&link, way, (seat, port));
            }
        }
        for supply in ["strip", "mcu"] {
            layout.feed(&format!("{supply}-{letter}"), seat);
        }
    }

    /// What the server is built with.
    pub fn server_setup(&self) -> ServerSetup {
        let profile = &self.profile;
        ServerSetup {
            config: profile.server,
            frame: profile.frame,
            line: profile.payments.line,
            tariff: profile.tariff.clone(),
            journal: profile.journal,
            policy: self.policy.server,
        }
    }

    /// What every terminal is built with.
    pub fn terminal_config(&self) -> TerminalConfig {
        let profile = &self.profile;
        TerminalConfig {
            policy: self.policy.terminal,
            client_policy: self.policy.client,
            times: profile.terminal.clone(),
            format: profile.frame,
            eeprom: profile.eeprom.driver,
            reader: profile.reader.clone(),
            client: profile.host.clone(),
        }
    }

    fn seat_server(&self, layout: &mut Layout<Water>) -> SeatId {
        let profile = &self.profile;
        if matches!(self.seating, Seating::ProbeServer | Seating::ProbeEnds) {
            let server = layout.seat("server", Party::Probe(Probe::default()));
            layout.supply("server", &[server]);
            return server;
        }
        let board = ServerBoard::new(self.server_setup());
        let server = layout.seat("server", Party::Server(board));
        layout.supply("server", &[server]);
        let payments = Payments::new(profile.payments);
        let payments = layout.seat("payments", Party::Payments(payments));
        let listener = Listener {
            seat: server,
            address: profile.payments.server,
            first: Port(PAYMENTS_FIRST),
            ports: CONNS_A_LINK,
        };
        let scanners = [WaterScanner::lines("pay"), WaterScanner::lines("paid")];
        let client = ((payments, SERVER_PORT), 1);
        layout.stream("lan", client, listener, profile.lan.clone(), self.seed, scanners);
        server
    }

    fn seat_terminal(
        &self,
        layout: &mut Layout<Water>,
        place: usize,
        server: SeatId,
    ) -> Result<(), PlantError> {
        let letter = letter(place);
        let chip = self.chip(place)?;
        let board = match self.seating {
            Seating::ProbeTerminals | Seating::ProbeEnds | Seating::ProbeSites => {
                Party::Probe(Probe::default())
            }
            _ => Party::Terminal(TerminalBoard::new(self.terminal_config(), chip)),
        };
        let terminal = layout.seat(terminal_name(place), board);
        let modem = match self.seating {
            Seating::ProbeModems | Seating::ProbeSites => Party::Probe(Probe::default()),
            _ => self.modem(&letter),
        };
        let modem = layout.seat(format!("modem-{letter}"), modem);
        self.wire_modem(layout, place, (terminal, modem, server));
        self.wire_panel(layout, &letter, terminal);
        let scanners = [WaterScanner::whole("burst"), WaterScanner::whole("edges")];
        let rf = (terminal, port::RF);
        layout.air(format!("rf-{letter}"), rf, Some(port::SLOT), T5557::RF, AIR, scanners);
        // No terminal of the system has a line to its modem's DTR; a desk for modems has.
        if self.seating == Seating::ProbeEnds && self.profile.fitted.module == Fitted::Sim800a {
            let pins = [WaterScanner::whole("pin"), WaterScanner::whole("pin")];
            layout.pin(format!("dtr-{letter}"), (terminal, port::DTR), (modem, modem_port::DTR), pins);
        }
        layout.supply(format!("strip-{letter}"), &[terminal, modem]);
        layout.supply(format!("mcu-{letter}"), &[terminal]);
        layout.supply(format!("modem-{letter}"), &[modem]);
        Ok(())
    }

    fn modem(&self, letter: &str) -> Party {
        let stream = self.seed.stream(&format!("modem-{letter}"));
        match self.profile.fitted.module {
            Fitted::M6311 => Party::Modem(M6311::new(self.profile.modem.clone(), stream)),
            Fitted::Sim800a => Party::Sim800a(Box::new(Sim800a::new(self.profile.sim800a.clone(), stream))),
        }
    }

    fn wire_modem(
        &self,
        layout: &mut Layout<Water>,
        place: usize,
        (terminal, modem, server): (SeatId, SeatId, SeatId),
    ) {
        let profile = &self.profile;
        let letter = letter(place);
        let format = profile.frame;
        layout.serial(
            format!("uart-{letter}"),
            (terminal, port::UART),
            (modem, modem_port::UART),
            profile.uart.clone(),
            [
                WaterScanner::host(format, profile.module().send_max),
                WaterScanner::modem(format, profile.module().send_max),
            ],
        );
        let pins = || [WaterScanner::whole("pin"), WaterScanner::whole("pin")];
        layout.pin(format!("pwrkey-{letter}"), (terminal, port::PWRKEY), (modem, modem_port::PWRKEY), pins());
        layout.pin(format!("reset-{letter}"), (terminal, port::RESET), (modem, modem_port::RESET), pins());
        layout.pin(format!("status-{letter}"), (modem, modem_port::STATUS), (terminal, port::STATUS), pins());
        let listener = Listener {
            seat: server,
            address: profile.server.address,
            first: server_port(place, 1),
            ports: CONNS_A_LINK,
        };
        let client = ((modem, Port(modem_port::NET_BASE)), CONNS_A_LINK);
        let scanners = [WaterScanner::frames(format), WaterScanner::frames(format)];
        layout.stream(format!("gprs-{letter}"), client, listener, profile.gprs.clone(), self.seed, scanners);
    }

    fn wire_panel(&self, layout: &mut Layout<Water>, letter: &str, terminal: SeatId) {
        for (name, port) in [("voice", port::VOICE), ("display", port::DISPLAY)] {
            let peripheral = Peripheral::new(self.profile.peripheral.clone());
            let seat = layout.seat(format!("{name}-{letter}"), Party::Peripheral(peripheral));
            let scanners = [WaterScanner::lines("text"), WaterScanner::lines("ready")];
            let config = self.profile.panel.clone();
            layout.serial(
                format!("{name}-line-{letter}"),
                (terminal, port),
                (seat, Peripheral::UART),
                config,
                scanners,
            );
            layout.supply(format!("{name}-{letter}"), &[seat]);
        }
    }
}
