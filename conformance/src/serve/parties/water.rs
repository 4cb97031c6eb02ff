//! The parties of the water system, served; its modems are in [`crate::serve::modems`].

use std::fs;
use std::path::Path;

use assay_hil::serve::{Door, Keeps, Port};
use assay_sim::eeprom::{CAPACITY, Chip};
use assay_sim::fault::Way;
use assay_sim::machine;
use assay_sim::tabletop::Tabletop;
use assay_sim::water::family::{Water, WaterScanner};
use assay_sim::water::ledger::Ledger;
use assay_sim::water::party::Party;
use assay_sim::water::plant::{Plant, Seating, terminal_name};
use assay_sim::water::policy::Policy;
use assay_sim::water::server::ServerBoard;
use assay_sim::water::terminal::{TerminalBoard, port};

use super::kept::{KeptBooks, KeptMemory};
use super::{line, needed, plant, profile};
use crate::serve::{Ready, ServeError, ServePlan};
use crate::system::Suited;

pub(in crate::serve) fn water_plant(
    plan: &ServePlan,
    seating: Seating,
    terminals: usize,
    paths: &[&str],
    own: &str,
) -> Result<Plant, ServeError> {
    Ok(Plant {
        profile: profile::<Water>(plan, paths, own)?,
        policy: Policy::named(plan.design.policy),
        terminals,
        cards: Vec::new(),
        seating,
        seed: plan.design.seed,
    })
}

/// The message server, with a test head in the place of each modem that may come, and one for the prepayment front.
pub(in crate::serve) fn message_server(plan: &ServePlan) -> Result<Ready<Water>, ServeError> {
    let water = water_plant(plan, Seating::ProbeSites, plan.peers, &["gprs", "lan"], "")?;
    let mut layout = water.layout().map_err(plant)?;
    let mut ledger = Ledger::default();
    let kept = KeptBooks::open(plan, &mut ledger)?;
    layout.reseat("server", Party::Server(ServerBoard::with_ledger(water.server_setup(), ledger)));
    layout.reseat("payments", Water::head());
    let mut doors = vec![Door { link: "gprs", way: Way::AtoB, to: Port::TcpAt(needed(plan.tcp)) }];
    if let Some(at) = plan.payments {
        doors.push(Door { link: "lan", way: Way::AtoB, to: Port::TcpAt(at) });
    }
    Ok(Ready { layout, doors, keeps: Box::new(ServerKeeps(kept)) })
}

struct ServerKeeps(KeptBooks);

fn server(bench: &Tabletop<Water>) -> Option<&ServerBoard> {
    match bench.party(bench.seat_named("server")?) {
        Party::Server(board) => Some(board),
        _ => None,
    }
}

impl Keeps<Water> for ServerKeeps {
    fn take_in(&mut self, bench: &Tabletop<Water>) {
        if let Some(board) = server(bench) {
            self.0.take_in(board.journal());
        }
    }

    fn keep(&mut self, bench: &Tabletop<Water>) -> Result<(), String> {
        let Some(board) = server(bench) else { return Ok(()) };
        self.0.keep(board.journal(), bench.now(), || crate::water::ledger::render(&board.books()))
    }
}

/// A water terminal, with a test head for its modem; card, voice and display are at standard input and output.
pub(in crate::serve) fn water_terminal(plan: &ServePlan) -> Result<Ready<Water>, ServeError> {
    let water = water_plant(plan, Seating::ProbeModems, 1, &["gprs", "lan"], "")?;
    let mut layout = water.layout().map_err(plant)?;
    // What stands behind a modem is somebody else's.
    layout.reseat("server", Water::head());
    layout.reseat("payments", Water::head());
    let (kept, held) = KeptMemory::open(plan, "24C02", CAPACITY)?;
    let image = match (held, &plan.eeprom) {
        (Some(held), _) => held,
        (None, Some(file)) => installed(file)?,
        (None, None) => water.chip(0).map_err(plant)?.image().to_vec(),
    };
    let mut cells = [0; CAPACITY];
    cells.copy_from_slice(&image);
    let chip = Chip::with_image(water.profile.eeprom.chip, cells);
    let board = TerminalBoard::with_text_port(water.terminal_config(), chip);
    let terminal = terminal_name(0);
    layout.reseat(&terminal, Party::Terminal(board));
    let people = layout.seat("people-a", Water::head());
    if let Some(terminal) = layout.seat_named(&terminal) {
        let scanners = [WaterScanner::lines("line"), WaterScanner::lines("answer")];
        let uart = water.profile.uart.clone();
        layout.serial("text-a", (terminal, port::TEXT), (people, machine::Port(0)), uart, scanners);
    }
    let doors = vec![
        Door { link: "uart", way: Way::BtoA, to: line(plan) },
        Door { link: "text", way: Way::BtoA, to: Port::Stdio },
    ];
    Ok(Ready { layout, doors, keeps: Box::new(TerminalKeeps(kept)) })
}

/// A 24C02 as the installer left it.
///
/// Errors: a file that is not there or holds something else.
fn installed(file: &Path) -> Result<Vec<u8>, ServeError> {
    let wrong = |why: String| ServeError::Plant(format!("--eeprom: {}: {why}", file.display()));
    let text = fs::read_to_string(file).map_err(|error| wrong(error.to_string()))?;
    let digits = text.trim();
    let bytes = digits.as_bytes().chunks(2).map(|pair| {
        let pair =
            std::str::from_utf8(pair).ok().filter(|pair| pair.bytes().all(|it| it.is_ascii_hexdigit()));
        pair.and_then(|pair| u8::from_str_radix(pair, 16).ok())
    });
    let bytes: Option<Vec<u8>> = bytes.collect();
    let whole = bytes.filter(|bytes| digits.len() == CAPACITY * 2 && bytes.len() == CAPACITY);
    whole.ok_or_else(|| wrong(format!("write {} hexadecimal digits", CAPACITY * 2)))
}

struct TerminalKeeps(KeptMemory);

impl Keeps<Water> for TerminalKeeps {
    fn keep(&mut self, bench: &Tabletop<Water>) -> Result<(), String> {
        let terminal = bench.seat_named(&terminal_name(0)).map(|seat| bench.party(seat));
        let Some(Party::Terminal(board)) = terminal else { return Ok(()) };
        self.0.keep(|| board.chip().image().to_vec())
    }
}
