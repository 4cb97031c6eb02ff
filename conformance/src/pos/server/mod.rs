//! Cases for the POS server: test heads in the terminals' places speak datagrams to it.

mod acks;
mod clock;
mod codes;
mod devices;
mod durability;
mod head;
mod hostile;
mod mutants;
mod records;
mod refusals;
mod repeats;

use assay_sim::pos::books::Standing;
use assay_sim::pos::plant::{CardSpec, Seating, TerminalSpec};
use assay_sim::time::Span;

use super::oracles::server_acks::ServerAcks;
use super::oracles::server_clock::ServerClock;
use super::oracles::server_platform::ServerPlatform;
use super::oracles::server_records::ServerRecords;
use super::oracles::server_sales::ServerSales;
use super::scene::Scene;
use crate::finding::Oracles;
use crate::pos::{Case, Setup, Stage};
use crate::stage::StageError;
use crate::system::{Sut, System};

pub use mutants::mutants;

/// A card with a hundred yuan and ten counts.
const CARD: &str = "8888888888";
/// Another.
const OTHER: &str = "7777777777";
/// One with six yuan and one count.
const POOR: &str = "6666666666";
/// One that was reported lost.
const LOST: &str = "5555555555";
/// One whose time is over.
const EXPIRED: &str = "4444444444";
/// One of which nobody has heard.
const UNKNOWN: &str = "3333333333";

/// The cards of every case.
const CARDS: &[CardSpec] = &[
    CardSpec::good(CARD, 10_000, 10),
    CardSpec::good(OTHER, 10_000, 10),
    CardSpec::good(POOR, 600, 1),
    CardSpec::good(LOST, 10_000, 10).standing(Standing::Lost),
    CardSpec::good(EXPIRED, 10_000, 10).standing(Standing::Expired),
];

/// Every case.
pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    cases.extend(acks::cases());
    cases.extend(clock::cases());
    cases.extend(repeats::cases());
    cases.extend(refusals::cases());
    cases.extend(records::cases());
    cases.extend(codes::cases());
    cases.extend(devices::cases());
    cases.extend(hostile::cases());
    cases.extend(durability::cases());
    cases
}

const fn setup(heads: usize) -> Setup {
    Setup {
        seating: Seating::ProbeTerminals,
        terminals: heads,
        specs: &[TerminalSpec::ORDINARY],
        cards: CARDS,
        records: 0,
        profile: "",
    }
}

/// A case with two heads of newer devices.
const fn case(
    id: &'static str,
    title: &'static str,
    shows: &'static [&'static str],
    run: fn(&mut Stage) -> Result<(), StageError>,
) -> Case {
    Case {
        id,
        title,
        system: System::Pos,
        sut: Sut::Server,
        shows,
        setup: setup(2),
        plan: "",
        oracles: judges,
        run,
        explored: false,
        on_rig: false,
        tabletop_only: false,
    }
}

/// Every judge of a server.
pub(super) fn judges(_: &Scene) -> Oracles<assay_sim::pos::family::Pos> {
    vec![
        Box::new(ServerAcks::default()),
        Box::new(ServerClock::default()),
        Box::new(ServerSales::default()),
        Box::new(ServerRecords::default()),
        Box::new(ServerPlatform::default()),
    ]
}

/// Long enough for every sending of an answer to be over and done with.
fn quiet(stage: &mut Stage) -> Result<(), StageError> {
    let profile = &stage.scene().profile;
    let server = &profile.server;
    let answers = server.confirm_timeout * u64::from(server.sends_max + 1);
    let span = answers + profile.terminal.reply_timeout + profile.bench.tolerance * 3;
    stage.wait(span)
}

/// The same, and then what lies at the parties' boundaries is read.
fn rest(stage: &mut Stage) -> Result<(), StageError> {
    quiet(stage)?;
    stage.rest()
}

/// Long enough for an answer to be on its way, and not for a second sending.
const SOON: Span = Span::ms(300);
