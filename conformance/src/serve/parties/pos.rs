//! The parties of the POS system, served.

use std::fs;
use std::net::Ipv4Addr;
use std::path::PathBuf;

use assay_hil::serve::{Door, Keeps, Port};
use assay_sim::fault::Way;
use assay_sim::pos::books::Books;
use assay_sim::pos::family::Pos;
use assay_sim::pos::ledger_line::LedgerLine;
use assay_sim::pos::observe::Ledger;
use assay_sim::pos::party::Party;
use assay_sim::pos::plant::{Plant, Seating};
use assay_sim::pos::policy::Policy;
use assay_sim::pos::server::ServerBoard;
use assay_sim::pos::terminal::TerminalBoard;
use assay_sim::tabletop::Tabletop;

use super::kept::{KeptBooks, KeptMemory};
use super::{needed, plant, profile};
use crate::pos::ledger;
use crate::serve::{Ready, ServeError, ServePlan};
use crate::system::Suited;

fn pos_plant(plan: &ServePlan, seating: Seating, terminals: usize) -> Result<Plant, ServeError> {
    let policy = Policy::named(plan.design.policy);
    Ok(Plant {
        profile: profile::<Pos>(plan, &["udp", "lan"], "")?,
        policy: policy.ok_or_else(|| ServeError::Plant("the POS system has no such design".to_owned()))?,
        terminals,
        specs: &[],
        cards: &[],
        seating,
        seed: plan.design.seed,
    })
}

/// The POS server, with a test head in the place of each terminal that may come.
pub(in crate::serve) fn pos_server(plan: &ServePlan) -> Result<Ready<Pos>, ServeError> {
    let pos = pos_plant(plan, Seating::ProbeTerminals, plan.peers)?;
    let mut layout = pos.layout().map_err(plant)?;
    let mut books = accounts(plan.accounts.as_ref())?;
    let kept = KeptBooks::open(plan, &mut books)?;
    let setup = pos.server_setup(books, |_| Ipv4Addr::LOCALHOST);
    layout.reseat("server", Party::Server(Box::new(ServerBoard::new(setup))));
    let mut doors = vec![Door { link: "udp", way: Way::AtoB, to: Port::UdpAt(needed(plan.udp)) }];
    if let Some(platform) = plan.platform {
        layout.reseat("platform", Pos::head());
        doors.push(Door { link: "lan", way: Way::BtoA, to: Port::TcpTo(platform) });
    }
    Ok(Ready { layout, doors, keeps: Box::new(ServerKeeps(kept)) })
}

fn accounts(file: Option<&PathBuf>) -> Result<Books, ServeError> {
    let Some(file) = file else { return Ok(Books::default()) };
    let wrong = |why: String| ServeError::Plant(format!("--accounts: {}: {why}", file.display()));
    let text = fs::read_to_string(file).map_err(|error| wrong(error.to_string()))?;
    Ok(Books::with_accounts(ledger::parse(&text).map_err(wrong)?.accounts))
}

struct ServerKeeps(KeptBooks);

fn server(bench: &Tabletop<Pos>) -> Option<&ServerBoard> {
    match bench.party(bench.seat_named("server")?) {
        Party::Server(board) => Some(board),
        _ => None,
    }
}

impl Keeps<Pos> for ServerKeeps {
    fn take_in(&mut self, bench: &Tabletop<Pos>) {
        if let Some(board) = server(bench) {
            self.0.take_in(board.journal());
        }
    }

    fn keep(&mut self, bench: &Tabletop<Pos>) -> Result<(), String> {
        let Some(board) = server(bench) else { return Ok(()) };
        self.0
            .keep(board.journal(), bench.now(), || ledger::render(LedgerLine::of(&Ledger::of(board.books()))))
    }
}

/// A POS terminal, with a test head for the server, and people at standard input and output.
pub(in crate::serve) fn pos_terminal(plan: &ServePlan) -> Result<Ready<Pos>, ServeError> {
    let pos = pos_plant(plan, Seating::ProbeServer, 1)?;
    let mut layout = pos.layout().map_err(plant)?;
    layout.reseat("panel-a", Pos::head());
    let mut chip = pos.chip(0).map_err(plant)?;
    let (kept, held) = KeptMemory::open(plan, "flash", chip.config().capacity())?;
    if let Some(held) = held {
        chip.install(0, &held);
    }
    let board = TerminalBoard::new(pos.terminal_config(0), chip);
    layout.reseat("terminal-a", Party::Terminal(Box::new(board)));
    let doors = vec![
        Door { link: "udp", way: Way::BtoA, to: Port::UdpTo(needed(plan.udp)) },
        Door { link: "panel-line", way: Way::BtoA, to: Port::Stdio },
    ];
    Ok(Ready { layout, doors, keeps: Box::new(TerminalKeeps(kept)) })
}

struct TerminalKeeps(KeptMemory);

impl Keeps<Pos> for TerminalKeeps {
    fn keep(&mut self, bench: &Tabletop<Pos>) -> Result<(), String> {
        let Some(Party::Terminal(board)) = bench.seat_named("terminal-a").map(|seat| bench.party(seat))
        else {
            return Ok(());
        };
        self.0.keep(|| {
            let mut image = vec![0; board.chip().config().capacity()];
            board.chip().read_out(0, &mut image);
            image
        })
    }
}
