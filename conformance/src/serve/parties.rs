//! The parties that can be served: who is around each of them, and what each keeps.

use std::collections::BTreeMap;
use std::fs;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;

use assay_hil::serve::{Door, Keeps, Port};
use assay_sim::fault::Way;
use assay_sim::flash::Chip;
use assay_sim::pos::books::Books;
use assay_sim::pos::family::Pos;
use assay_sim::pos::ledger_line::LedgerLine;
use assay_sim::pos::observe::Ledger;
use assay_sim::pos::party::Party as PosParty;
use assay_sim::pos::plant::{Plant as PosPlant, Seating as PosSeating, server_port};
use assay_sim::pos::policy::Policy as PosPolicy;
use assay_sim::pos::server::{ServerBoard, ServerSetup};
use assay_sim::pos::terminal::TerminalBoard;
use assay_sim::tabletop::Tabletop;
use assay_sim::tape::SeatId;
use assay_sim::water::family::Water;
use assay_sim::water::ledger::Ledger as WaterLedger;
use assay_sim::water::party::Party as WaterParty;
use assay_sim::water::plant::{Plant as WaterPlant, Seating as WaterSeating};
use assay_sim::water::policy::Policy as WaterPolicy;
use assay_sim::water::server::{ServerBoard as WaterBoard, ServerSetup as WaterSetup};

use super::store::{Shown, Store, StoreError, replace};
use super::{LineSpeed, Party, Ready, ServeError, ServePlan};
use crate::pos::ledger;
use crate::system::Suited;

/// The option that a modem needs, and how to write it.
const DIAL: (&str, &str) = (
    "--dial",
    "the address to which its connections go, such as 127.0.0.1:5000, or nothing if they go where its host says",
);

/// Checks that each option is there that a party needs, and none that means nothing to it.
///
/// Errors: [`ServeError::Missing`], [`ServeError::Surplus`].
pub(super) fn check(plan: &ServePlan) -> Result<(), ServeError> {
    let given = [
        ("--udp", plan.udp.is_some()),
        ("--tcp", plan.tcp.is_some()),
        ("--payments", plan.payments.is_some()),
        ("--platform", plan.platform.is_some()),
        ("--dial", plan.dial.is_some()),
        ("--allow-any", plan.allow_any),
        ("--baud", matches!(plan.line, Some(LineSpeed::Baud(_)))),
        ("--unpaced", plan.line == Some(LineSpeed::Unpaced)),
        ("--pty", plan.pty.is_some()),
        ("--serial", plan.serial.is_some()),
        ("--store", plan.store.is_some()),
        ("--accounts", plan.accounts.is_some()),
        ("--ledger", plan.ledger.is_some()),
    ];
    let (needs, takes): (&[_], &[&str]) = match plan.party {
        Party::PosServer => (
            &[("--udp", "the address for datagrams, such as 127.0.0.1:39192")],
            &["--udp", "--platform", "--store", "--accounts", "--ledger"],
        ),
        Party::PosTerminal => {
            (&[("--udp", "the server's address, such as 127.0.0.1:39192")], &["--udp", "--store"])
        }
        Party::MessageServer => (
            &[("--tcp", "the address for terminals, such as 127.0.0.1:5000")],
            &["--tcp", "--payments", "--store", "--ledger"],
        ),
        Party::M6311 | Party::Sim800a if plan.serial.is_some() => {
            (&[DIAL], &["--serial", "--dial", "--allow-any", "--baud"])
        }
        Party::M6311 | Party::Sim800a => (
            &[("--pty", "where the link to its pseudo-terminal is made, such as ./modem"), DIAL],
            &["--pty", "--dial", "--allow-any", "--baud", "--unpaced"],
        ),
    };
    let is_given = |wanted: &str| given.iter().any(|(name, given)| *name == wanted && *given);
    if let Some((name, mend)) = needs.iter().find(|(name, _)| !is_given(name)) {
        return Err(ServeError::Missing(name, mend));
    }
    let surplus = given.iter().find(|(name, given)| *given && !takes.contains(name));
    surplus.map_or(Ok(()), |(name, _)| Err(ServeError::Surplus(name)))
}

/// The profile as a served party needs it: real networks have latencies of their own, and clocks show the time of day.
fn profile<F: Suited>(plan: &ServePlan, paths: &[&str], own: &str) -> Result<F::Profile, ServeError> {
    let mut source = plan.design.profile.clone();
    let now = jiff::Zoned::now().strftime("%Y%m%d%H%M%S");
    let mut text = format!("[bench]\nepoch = \"{now}\"\n{own}");
    for path in paths {
        text += &format!("[{path}]\nlatency_min = \"0 us\"\nlatency_max = \"0 us\"\n");
    }
    source.overrides = text.parse().map_err(|error: toml::de::Error| ServeError::Plant(error.to_string()))?;
    source.profile::<F>("").map_err(ServeError::Plant)
}

fn pos_plant(plan: &ServePlan, seating: PosSeating, terminals: usize) -> Result<PosPlant, ServeError> {
    let policy = PosPolicy::named(plan.design.policy);
    Ok(PosPlant {
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
pub(super) fn pos_server(plan: &ServePlan) -> Result<Ready<Pos>, ServeError> {
    let plant = pos_plant(plan, PosSeating::ProbeTerminals, plan.peers)?;
    let mut layout = plant.layout().map_err(|error| ServeError::Plant(error.to_string()))?;
    let mut books = accounts(plan.accounts.as_ref())?;
    let store = plan.store.as_ref().map(|file| Store::open(file, &mut books)).transpose()?;
    let sources = (0..plan.peers).map(|place| (server_port(place), Ipv4Addr::LOCALHOST));
    let sources: BTreeMap<_, _> = sources.collect();
    let board = ServerBoard::new(ServerSetup {
        config: plant.profile.server.clone(),
        frame: plant.profile.frame,
        journal: plant.profile.journal,
        policy: plant.policy.server,
        accounts: books,
        sources: Arc::new(sources),
    });
    layout.reseat("server", PosParty::Server(Box::new(board)));
    let mut doors = vec![Door { link: "udp", way: Way::AtoB, to: Port::UdpAt(needed(plan.udp)) }];
    if let Some(platform) = plan.platform {
        layout.reseat("platform", Pos::head());
        doors.push(Door { link: "lan", way: Way::BtoA, to: Port::TcpTo(platform) });
    }
    let shown = plan.ledger.clone().map(Shown::new);
    Ok(Ready { layout, doors, keeps: Box::new(PosServerKeeps { store, shown }) })
}

/// An option that [`check`] has found to be there.
pub(super) fn needed<T>(option: Option<T>) -> T {
    option.expect("the options that a party needs have been checked")
}

fn accounts(file: Option<&PathBuf>) -> Result<Books, ServeError> {
    let Some(file) = file else { return Ok(Books::default()) };
    let wrong = |why: String| ServeError::Plant(format!("--accounts: {}: {why}", file.display()));
    let text = fs::read_to_string(file).map_err(|error| wrong(error.to_string()))?;
    Ok(Books::with_accounts(ledger::parse(&text).map_err(wrong)?.accounts))
}

/// What a POS server keeps and shows.
struct PosServerKeeps {
    store: Option<Store>,
    shown: Option<Shown>,
}

impl Keeps<Pos> for PosServerKeeps {
    fn keep(&mut self, bench: &Tabletop<Pos>) -> Result<(), String> {
        let Some(PosParty::Server(board)) = bench.seat_named("server").map(|seat| bench.party(seat)) else {
            return Ok(());
        };
        let changed = match &mut self.store {
            Some(store) => store.keep(board.journal(), bench.now())?,
            // Without a file, it is not known how far the books have been shown.
            None => board.journal().records().next().is_some(),
        };
        if let Some(shown) = &mut self.shown {
            if changed {
                shown.change();
            }
            shown.show(bench.now(), || ledger::render(LedgerLine::of(&Ledger::of(board.books()))))?;
        }
        Ok(())
    }
}

/// A POS terminal, with a test head for the server, and people at standard input and output.
pub(super) fn pos_terminal(plan: &ServePlan) -> Result<Ready<Pos>, ServeError> {
    let plant = pos_plant(plan, PosSeating::ProbeServer, 1)?;
    let mut layout = plant.layout().map_err(|error| ServeError::Plant(error.to_string()))?;
    layout.reseat("panel-a", Pos::head());
    let flash = match &plan.store {
        None => None,
        Some(file) => {
            let wrong = |error: assay_sim::pos::plant::PlantError| ServeError::Plant(error.to_string());
            let chip = restored(plant.chip(0).map_err(wrong)?, file)?;
            let board = TerminalBoard::new(plant.terminal_config(0), chip);
            layout.reseat("terminal-a", PosParty::Terminal(Box::new(board)));
            Some(FlashFile { file: file.clone(), kept: Vec::new() })
        }
    };
    let doors = vec![
        Door { link: "udp", way: Way::BtoA, to: Port::UdpTo(needed(plan.udp)) },
        Door { link: "panel-line", way: Way::BtoA, to: Port::Stdio },
    ];
    Ok(Ready { layout, doors, keeps: Box::new(PosTerminalKeeps { flash }) })
}

/// The flash as a file has it, if there is one.
fn restored(mut chip: Chip, file: &PathBuf) -> Result<Chip, ServeError> {
    match fs::read(file) {
        Ok(bytes) if bytes.len() == chip.config().capacity() => chip.install(0, &bytes),
        Ok(bytes) => {
            let (file, has, wants) = (file.display(), bytes.len(), chip.config().capacity());
            return Err(ServeError::Plant(format!("--store: {file} has {has} bytes, and the flash {wants}")));
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(source) => return Err(StoreError::File { file: file.clone(), source }.into()),
    }
    Ok(chip)
}

/// What a POS terminal keeps.
struct PosTerminalKeeps {
    flash: Option<FlashFile>,
}

/// A terminal's flash in a file.
struct FlashFile {
    file: PathBuf,
    kept: Vec<u8>,
}

impl Keeps<Pos> for PosTerminalKeeps {
    fn keep(&mut self, bench: &Tabletop<Pos>) -> Result<(), String> {
        let Some(FlashFile { file, kept }) = &mut self.flash else { return Ok(()) };
        let Some(PosParty::Terminal(board)) = bench.seat_named("terminal-a").map(|seat| bench.party(seat))
        else {
            return Ok(());
        };
        let mut image = vec![0; board.chip().config().capacity()];
        board.chip().read_out(0, &mut image);
        if image != *kept {
            replace(file, &image, true)?;
            *kept = image;
        }
        Ok(())
    }
}

pub(super) fn water_plant(
    plan: &ServePlan,
    seating: WaterSeating,
    terminals: usize,
    paths: &[&str],
    own: &str,
) -> Result<WaterPlant, ServeError> {
    Ok(WaterPlant {
        profile: profile::<Water>(plan, paths, own)?,
        policy: WaterPolicy::named(plan.design.policy),
        terminals,
        cards: Vec::new(),
        seating,
        seed: plan.design.seed,
    })
}

/// The message server, with a test head in the place of each modem that may come, and one for the prepayment front.
pub(super) fn message_server(plan: &ServePlan) -> Result<Ready<Water>, ServeError> {
    let plant = water_plant(plan, WaterSeating::ProbeSites, plan.peers, &["gprs", "lan"], "")?;
    let mut layout = plant.layout().map_err(|error| ServeError::Plant(error.to_string()))?;
    let mut ledger = WaterLedger::default();
    let store = plan.store.as_ref().map(|file| Store::open(file, &mut ledger)).transpose()?;
    let setup = WaterSetup {
        config: plant.profile.server,
        frame: plant.profile.frame,
        line: plant.profile.payments.line,
        tariff: plant.profile.tariff.clone(),
        journal: plant.profile.journal,
        policy: plant.policy.server,
    };
    layout.reseat("server", WaterParty::Server(WaterBoard::with_ledger(setup, ledger)));
    layout.reseat("payments", Water::head());
    let mut doors = vec![Door { link: "gprs", way: Way::AtoB, to: Port::TcpAt(needed(plan.tcp)) }];
    if let Some(at) = plan.payments {
        doors.push(Door { link: "lan", way: Way::AtoB, to: Port::TcpAt(at) });
    }
    let shown = plan.ledger.clone().map(Shown::new);
    Ok(Ready { layout, doors, keeps: Box::new(WaterServerKeeps { store, shown }) })
}

/// What a message server keeps.
struct WaterServerKeeps {
    store: Option<Store>,
    shown: Option<Shown>,
}

impl Keeps<Water> for WaterServerKeeps {
    fn keep(&mut self, bench: &Tabletop<Water>) -> Result<(), String> {
        let server: Option<SeatId> = bench.seat_named("server");
        let Some(WaterParty::Server(board)) = server.map(|seat| bench.party(seat)) else { return Ok(()) };
        let changed = match &mut self.store {
            Some(store) => store.keep(board.journal(), bench.now())?,
            // Without a file, it is not known how far the books have been shown.
            None => board.journal().records().next().is_some(),
        };
        if let Some(shown) = &mut self.shown {
            if changed {
                shown.change();
            }
            shown.show(bench.now(), || crate::water::ledger::render(&board.books()))?;
        }
        Ok(())
    }
}
