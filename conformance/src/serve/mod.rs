//! `assay serve`: one of the suite's own parties at real ports, for daily use and as a system under test.

mod modems;
mod parties;
pub mod payments;
mod store;

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;

use assay_hil::real_time::{RealTime, RealTimeError};
use assay_hil::serve::{Door, Keeps, Port, Reach, Serving};
use assay_sim::bench::Names;
use assay_sim::drive::{DriveConfig, Hands};
use assay_sim::fault::FaultPlan;
use assay_sim::tabletop::{BenchLegend, Layout, PlanError, Tabletop};
use assay_sim::tape::{Keep, render_entry};
use assay_sim::time::Span;
use thiserror::Error;

use crate::interrupt::Stop;
use crate::progress::{say, say_note};
use crate::system::{Suited, System};
use crate::trial::Design;

pub use store::StoreError;

/// How long nothing is looked after but what comes in.
const LOOK_UP: Span = Span::ms(20);

/// How much of the tape is kept: more than one step ever adds.
const KEPT: usize = 4_096;

/// A party that can be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Party {
    /// The server of the POS system.
    PosServer,
    /// A terminal of the POS system.
    PosTerminal,
    /// The message server of the water system.
    MessageServer,
    /// A terminal of the water system.
    WaterTerminal,
    /// The server of the scan-to-pay system.
    PayServer,
    /// A pay module.
    PayModule,
    /// A host of a pay module.
    PayHost,
    /// A modem.
    M6311,
    /// A modem of the other dialect.
    Sim800a,
}

impl Party {
    /// Every party, by its name.
    pub const NAMED: [(&'static str, Self); 9] = [
        ("pos-server", Self::PosServer),
        ("pos-terminal", Self::PosTerminal),
        ("message-server", Self::MessageServer),
        ("water-terminal", Self::WaterTerminal),
        ("pay-server", Self::PayServer),
        ("pay-module", Self::PayModule),
        ("pay-host", Self::PayHost),
        ("m6311", Self::M6311),
        ("sim800a", Self::Sim800a),
    ];

    /// Its system.
    pub const fn system(self) -> System {
        match self {
            Self::PosServer | Self::PosTerminal => System::Pos,
            Self::MessageServer | Self::WaterTerminal => System::Water,
            Self::PayServer | Self::PayModule | Self::PayHost => System::Paymod,
            Self::M6311 | Self::Sim800a => System::Modem,
        }
    }
}

/// What is to be served, and where.
#[derive(Clone)]
pub struct ServePlan {
    /// Who.
    pub party: Party,
    /// Its design and profile.
    pub design: Design,
    /// What strikes its links.
    pub faults: FaultPlan,
    /// Whether everything that passes is printed.
    pub trace: bool,
    /// How many peers it can tell apart at once.
    pub peers: usize,
    /// Its address for datagrams, or the one that it sends them to.
    pub udp: Option<SocketAddr>,
    /// Its address for connections.
    pub tcp: Option<SocketAddr>,
    /// Its address for the prepayment front.
    pub payments: Option<SocketAddr>,
    /// Where the payment platform is.
    pub platform: Option<SocketAddr>,
    /// Its address for the payment platform's notifications.
    pub notify: Option<SocketAddr>,
    /// The serial port of its modem.
    pub modem: Option<PathBuf>,
    /// The serial port on which a free channel comes out.
    pub channel: Option<PathBuf>,
    /// Whom a modem's connections reach.
    pub dial: Option<Reach>,
    /// Whether it was said that they may leave this computer.
    pub allow_any: bool,
    /// How fast a modem's line is, if that was said.
    pub line: Option<LineSpeed>,
    /// Where the link to its pseudo-terminal is made.
    pub pty: Option<PathBuf>,
    /// The serial port on which it is.
    pub serial: Option<PathBuf>,
    /// Where it keeps what survives a loss of power.
    pub store: Option<PathBuf>,
    /// Its memory as the installer left it.
    pub eeprom: Option<PathBuf>,
    /// The accounts with which it starts.
    pub accounts: Option<PathBuf>,
    /// Where its ledger is shown.
    pub ledger: Option<PathBuf>,
}

/// How fast a modem's line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineSpeed {
    /// So many bits a second.
    Baud(u32),
    /// What it is given is there at once.
    Unpaced,
}

/// A party that cannot be served.
#[derive(Debug, Error)]
pub enum ServeError {
    /// An option that it needs is not there.
    #[error("`{0}` is missing: {1}")]
    Missing(&'static str, &'static str),
    /// An option that means nothing to it.
    #[error("`{0}` means nothing to this party: leave it away")]
    Surplus(&'static str),
    /// Its profile or installation cannot be used.
    #[error("{0}")]
    Plant(String),
    /// The plan does not fit.
    #[error("--plan: {0}")]
    Plan(#[from] PlanError),
    /// What it keeps cannot be read.
    #[error("--store: {0}")]
    Store(#[from] StoreError),
    /// It cannot be reached where it should be, or its ports fail.
    #[error(transparent)]
    Ports(#[from] RealTimeError),
}

/// A party with its surroundings, before it is served.
struct Ready<F: Suited> {
    layout: Layout<F>,
    doors: Vec<Door>,
    keeps: Box<dyn Keeps<F>>,
}

/// Serves a party until it is told to stop.
///
/// Errors: [`ServeError`].
pub fn serve(plan: &ServePlan, stop: &Stop) -> Result<(), ServeError> {
    parties::check(plan)?;
    match plan.party {
        Party::PosServer => carry_on(plan, parties::pos_server(plan)?, stop),
        Party::PosTerminal => carry_on(plan, parties::pos_terminal(plan)?, stop),
        Party::MessageServer => carry_on(plan, parties::message_server(plan)?, stop),
        Party::WaterTerminal => carry_on(plan, parties::water_terminal(plan)?, stop),
        Party::PayServer => carry_on(plan, parties::pay_server(plan)?, stop),
        Party::PayModule => carry_on(plan, parties::pay_module(plan)?, stop),
        Party::PayHost => carry_on(plan, parties::pay_host(plan)?, stop),
        Party::M6311 => carry_on(plan, modems::m6311(plan)?, stop),
        Party::Sim800a => carry_on(plan, modems::sim800a(plan)?, stop),
    }
}

fn carry_on<F: Suited>(plan: &ServePlan, ready: Ready<F>, stop: &Stop) -> Result<(), ServeError> {
    let Ready { layout, doors, keeps } = ready;
    let mut bench = Tabletop::new(layout, &plan.faults, Keep::Last(KEPT))?;
    let hands: Hands<F> = F::HANDS;
    let drive = DriveConfig { read_max: 16_384, unsent_max: 1_000_000 };
    let serving = Serving { hands, doors: &doors, drive, flood_max: u64::MAX };
    let mut ports = RealTime::served(&bench, &serving, keeps)?;
    bench.switch_on();
    // The first step has what is kept in place before anybody hears that there is somebody.
    let start = bench.now();
    ports.step(&mut bench, start)?;
    if !doors.iter().any(|door| matches!(door.to, Port::Stdio)) {
        say("ready");
    }
    let legend = BenchLegend::<F>::new(Names::of(&bench), &plan.faults);
    let mut cursor = 0;
    let mut told = 0;
    while !stop.interrupted() {
        for trouble in &ports.troubles()[told..] {
            say_note(trouble);
        }
        told = ports.troubles().len();
        let until = bench.now() + LOOK_UP;
        while ports.step(&mut bench, until)? && !stop.interrupted() {
            if plan.trace {
                let mut err = io::stderr().lock();
                for entry in bench.tape().since(cursor) {
                    cursor = entry.ordinal + 1;
                    // Whoever reads it may have gone.
                    let _ = writeln!(err, "{}", render_entry(entry, &legend));
                }
            }
        }
    }
    Ok(())
}
