//! A whole installation on a bench: vending machine, pay module, modem, server, platforms.

use thiserror::Error;

use super::family::{Paymod, PaymodScanner};
use super::host::Host;
use super::module::{ModuleBoard, ModuleSetup, port};
use super::party::Party;
use super::platform::{self, Accounts, Platform};
use super::policy::Policy;
use super::profile::Profile;
use super::server::books::Books;
use super::server::{self, CALLS, CALLS_FIRST, CHANNEL, ServerBoard, ServerSetup};
use super::text_port::TextPort;
use crate::fault::Way;
use crate::flash::Chip;
use crate::machine::Port;
use crate::modem::port as modem;
use crate::modem::sim800a::Sim800a;
use crate::money::Fen;
use crate::payments::backend::Backend;
use crate::payments::ledger::Manner;
use crate::payments::{Faces, House, Plan, PlanError};
use crate::probe::Probe;
use crate::seed::Seed;
use crate::tabletop::{Layout, Listener};
use crate::tape::SeatId;

/// Who pays, as the merchant sees it.
pub const PAYER: &str = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o";
/// Who sells.
pub const MERCHANT: &str = "10000100";
/// How many ports of the server the module's connections take in turn.
pub const LINKS: u16 = 16;

/// Who sits where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seating {
    /// Every party is there.
    Whole,
    /// A test head in the module's place.
    ProbeModule,
    /// A test head in the server's place.
    ProbeServer,
}

/// What carries the link between module and server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// The module's own connections.
    Direct,
    /// A SIM800A.
    Sim800a,
}

/// An installation, before it is built.
#[derive(Clone, Debug)]
pub struct Plant {
    /// Every open value.
    pub profile: Profile,
    /// The design.
    pub policy: Policy,
    /// Who sits where.
    pub seating: Seating,
    /// What carries the link.
    pub carrier: Carrier,
    /// How much the payer has.
    pub balance: Fen,
    /// What the platforms do wrong, as TOML.
    pub misbehaviour: &'static str,
    /// What decides every draw.
    pub seed: Seed,
}

/// An installation that cannot be built.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum PlantError {
    /// The epoch is no date, which the profile excludes.
    #[error("the bench's epoch is no date")]
    Epoch,
    /// What the platforms are to do wrong does not read.
    #[error("the platform's plan: {0}")]
    Misbehaviour(#[from] PlanError),
}

impl Plant {
    /// Draws the installation.
    ///
    /// Errors: [`PlantError`].
    pub fn layout(&self) -> Result<Layout<Paymod>, PlantError> {
        let (profile, bench) = (&self.profile, &self.profile.bench);
        let epoch = bench.epoch().map_err(|_| PlantError::Epoch)?;
        let mut layout = Layout::new(epoch, bench.quiet, bench.inbox_max);
        let host = layout.seat("host", Party::Host(Host::new(profile.vending)));
        let module = layout.seat("module", self.module());
        let server = layout.seat("server", self.server());
        let platform = layout.seat("platform", Party::Platform(Box::new(self.platform()?)));
        let centre = layout.seat("centre", Party::Probe(Probe::default()));
        let line = [PaymodScanner::host_line(), PaymodScanner::host_line()];
        layout.serial("uart", (host, Host::LINE), (module, port::HOST), profile.uart.clone(), line);
        for relay in 1..=port::RELAY_COUNT {
            let motor = Port(Host::MOTORS + u16::from(relay) - 1);
            let pins = [PaymodScanner::whole("pin"), PaymodScanner::whole("pin")];
            layout.pin(format!("relay-{relay}"), (module, port::relay(relay)), (host, motor), pins);
        }
        self.wire_link(&mut layout, module, server);
        self.wire_platform(&mut layout, server, platform);
        let channel = [PaymodScanner::whole("data"), PaymodScanner::whole("data")];
        layout.serial("channel", (centre, Port(0)), (server, CHANNEL), profile.channel.clone(), channel);
        layout.supply("module", &[module]);
        layout.supply("server", &[server]);
        Ok(layout)
    }

    fn wire_link(&self, layout: &mut Layout<Paymod>, module: SeatId, server: SeatId) {
        let profile = &self.profile;
        let listener = Listener {
            seat: server,
            address: profile.server.link,
            first: server::MODULES_FIRST,
            ports: LINKS,
        };
        let scanners = || [PaymodScanner::link(), PaymodScanner::link()];
        let net = profile.net.clone();
        if self.carrier == Carrier::Direct || self.seating == Seating::ProbeModule {
            let client = ((module, port::LINK_FIRST), port::LINKS);
            layout.stream("link", client, listener, net, self.seed, scanners());
            return;
        }
        let stream = self.seed.stream("modem");
        let sim800a = Sim800a::new(profile.sim800a.clone(), stream);
        let modem_seat = layout.seat("modem", Party::Modem(Box::new(sim800a)));
        let send_max = profile.sim800a.module.send_max;
        let at = [PaymodScanner::at_host(send_max), PaymodScanner::at_modem(send_max)];
        layout.serial("at", (module, port::MODEM), (modem_seat, modem::UART), profile.at.clone(), at);
        let pins = || [PaymodScanner::whole("pin"), PaymodScanner::whole("pin")];
        layout.pin("pwrkey", (module, port::PWRKEY), (modem_seat, modem::PWRKEY), pins());
        layout.pin("reset", (module, port::RESET), (modem_seat, modem::RESET), pins());
        layout.pin("status", (modem_seat, modem::STATUS), (module, port::STATUS), pins());
        let client = ((modem_seat, Port(modem::NET_BASE)), LINKS / 2);
        layout.stream("link", client, listener, net, self.seed, scanners());
        layout.supply("modem", &[modem_seat]);
    }

    fn wire_platform(&self, layout: &mut Layout<Paymod>, server: SeatId, platform: SeatId) {
        let profile = &self.profile;
        let listener = Listener {
            seat: platform,
            address: profile.server.platform,
            first: platform::CALLS_FIRST,
            ports: CALLS,
        };
        let calls = [PaymodScanner::calls(), PaymodScanner::answers()];
        layout.stream("pay", ((server, CALLS_FIRST), CALLS), listener, profile.lan.clone(), self.seed, calls);
        let listener = Listener {
            seat: server,
            address: profile.server.notify,
            first: server::NOTICES_FIRST,
            ports: server::NOTICES,
        };
        let client = ((platform, platform::NOTICES_FIRST), platform::NOTICES);
        let notices = PaymodScanner::notices();
        layout.stream("notify", client, listener, profile.lan.clone(), self.seed, notices);
    }

    /// Seats what stands behind the text port of a module in whose own seat a test head sits: it takes over the relays,
    /// and has the module's supply.
    pub fn seat_text_port(&self, layout: &mut Layout<Paymod>) {
        let Some(module) = layout.seat_named("module") else { return };
        let board = layout.seat("text-port", Party::TextPort(TextPort::default()));
        self.wire_text(layout, module, board);
        for relay in 1..=port::RELAY_COUNT {
            layout.rewire(&format!("relay-{relay}"), Way::AtoB, (board, port::relay(relay)));
        }
        layout.feed("module", board);
    }

    /// Has the relays of the module here tell somebody by words, and not switch the host's motors.
    pub fn tell_relays(&self, layout: &mut Layout<Paymod>, whom: SeatId) {
        let board = layout.seat("text-port", Party::TextPort(TextPort::default()));
        self.wire_text(layout, board, whom);
        for relay in 1..=port::RELAY_COUNT {
            layout.rewire(&format!("relay-{relay}"), Way::BtoA, (board, port::relay(relay)));
        }
    }

    fn wire_text(&self, layout: &mut Layout<Paymod>, from: SeatId, to: SeatId) {
        let ends = [(from, TextPort::LINE), (to, TextPort::LINE)];
        let scanners = [PaymodScanner::words(), PaymodScanner::whole("answer")];
        layout.serial("text", ends[0], ends[1], self.profile.uart.clone(), scanners);
    }

    /// Draws links for so many more modules, of which a test head in the module's place plays each.
    pub fn wire_modules(&self, layout: &mut Layout<Paymod>, modules: usize) {
        let seats = layout.seat_named("module").zip(layout.seat_named("server"));
        let Some((module, server)) = seats else { return };
        for nth in 1..u16::try_from(modules).unwrap_or(u16::MAX).div_ceil(port::LINKS) {
            let listener = Listener {
                seat: server,
                address: self.profile.server.link,
                first: Port(server::MODULES_FIRST.0 + nth * LINKS),
                ports: LINKS,
            };
            let client = ((module, Port(port::LINK_FIRST.0 + nth * port::LINKS)), port::LINKS);
            let scanners = [PaymodScanner::link(), PaymodScanner::link()];
            let net = self.profile.net.clone();
            layout.stream(format!("link-{}", nth + 1), client, listener, net, self.seed, scanners);
        }
    }

    /// The module's flash as it leaves the factory.
    pub fn chip(&self) -> Chip {
        Chip::new(self.profile.flash.chip)
    }

    fn module(&self) -> Party {
        if self.seating == Seating::ProbeModule {
            return Party::Probe(Probe::default());
        }
        Party::Module(Box::new(self.module_board(self.chip())))
    }

    /// A module with this flash.
    pub fn module_board(&self, chip: Chip) -> ModuleBoard {
        let profile = &self.profile;
        let setup = ModuleSetup {
            config: profile.module.clone(),
            flash: profile.flash.driver,
            store: profile.store,
            client: (self.carrier == Carrier::Sim800a).then(|| profile.client.clone()),
            policy: self.policy.module,
        };
        ModuleBoard::new(setup, chip, self.seed.stream("module"))
    }

    fn server(&self) -> Party {
        if self.seating == Seating::ProbeServer {
            return Party::Probe(Probe::default());
        }
        Party::Server(Box::new(self.server_board(Books::default())))
    }

    /// A server that has these books.
    pub fn server_board(&self, books: Books) -> ServerBoard {
        let (config, journal) = (self.profile.server.clone(), self.profile.journal);
        let setup = ServerSetup { config, journal, policy: self.policy.server };
        ServerBoard::with_books(setup, books, self.seed.stream("server"))
    }

    /// The platforms, with one merchant and one payer.
    ///
    /// Errors: [`PlantError::Misbehaviour`].
    pub fn platform(&self) -> Result<Platform, PlantError> {
        let plan = Plan::read(self.misbehaviour)?;
        let mut backend = Backend::new(self.profile.rules.clone(), Faces::default(), plan);
        let ledger = backend.ledger_mut();
        for house in [House::Wechat, House::Alipay] {
            ledger.add_merchant(house, MERCHANT);
        }
        ledger.add_payer(PAYER, self.balance, Manner::Pays);
        let accounts = Accounts {
            merchant: MERCHANT.to_owned(),
            payer: PAYER.to_owned(),
            notify: self.profile.server.notify,
        };
        Ok(Platform::new(backend, accounts))
    }
}
