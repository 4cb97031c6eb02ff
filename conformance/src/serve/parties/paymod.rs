//! The parties of the scan-to-pay system, served.

use assay_hil::serial::SerialSettings;
use assay_hil::serve::{Door, Keeps, Port};
use assay_sim::fault::Way;
use assay_sim::machine;
use assay_sim::money::Fen;
use assay_sim::paymod::family::{Paymod, PaymodScanner};
use assay_sim::paymod::host::Host;
use assay_sim::paymod::party::Party;
use assay_sim::paymod::plant::{Carrier, Plant, Seating};
use assay_sim::paymod::platform::Platform;
use assay_sim::paymod::policy::Policy;
use assay_sim::paymod::server::books::Books;
use assay_sim::tabletop::{Layout, Tabletop};

use super::kept::{KeptBooks, KeptMemory};
use super::{BAUD, line, needed, plant, profile};
use crate::paymod::ledger;
use crate::serve::{Ready, ServeError, ServePlan};
use crate::system::Suited;

/// What the payer of a served platform has.
const BALANCE: Fen = Fen(100_000_000);

fn pay_plant(plan: &ServePlan, seating: Seating, carrier: Carrier) -> Result<Plant, ServeError> {
    let policy = Policy::named(plan.design.policy);
    Ok(Plant {
        profile: profile::<Paymod>(plan, &["net", "lan"], "")?,
        policy: policy.ok_or_else(|| ServeError::Plant("the system has no such design".to_owned()))?,
        seating,
        carrier,
        balance: BALANCE,
        misbehaviour: "",
        seed: plan.design.seed,
    })
}

/// People at standard input and output, at the far end of a party's line of words.
fn people(pay: &Plant, layout: &mut Layout<Paymod>, seat: &str, at: machine::Port) -> Option<Door> {
    let party = layout.seat_named(seat)?;
    let people = layout.seat("people", Paymod::head());
    let scanners = [PaymodScanner::words(), PaymodScanner::words()];
    layout.serial("text", (party, at), (people, machine::Port(0)), pay.profile.uart.clone(), scanners);
    Some(Door { link: "text", way: Way::BtoA, to: Port::Stdio })
}

/// The server, with a test head for its modules, and one for the platforms if they are somewhere else.
pub(in crate::serve) fn pay_server(plan: &ServePlan) -> Result<Ready<Paymod>, ServeError> {
    let pay = pay_plant(plan, Seating::ProbeModule, Carrier::Direct)?;
    let mut layout = pay.layout().map_err(plant)?;
    pay.wire_modules(&mut layout, plan.peers);
    let mut books = Books::default();
    let kept = KeptBooks::open(plan, &mut books)?;
    layout.reseat("server", Party::Server(Box::new(pay.server_board(books))));
    let mut doors = vec![Door { link: "link", way: Way::AtoB, to: Port::TcpAt(needed(plan.tcp)) }];
    if let Some(platform) = plan.platform {
        layout.reseat("platform", Paymod::head());
        doors.push(Door { link: "pay", way: Way::BtoA, to: Port::TcpTo(platform) });
        doors.push(Door { link: "notify", way: Way::AtoB, to: Port::TcpAt(needed(plan.notify)) });
    } else {
        let platform = pay.platform().map_err(plant)?.with_payers();
        layout.reseat("platform", Party::Platform(Box::new(platform)));
        doors.extend(people(&pay, &mut layout, "platform", Platform::PAYERS));
    }
    if let Some(path) = &plan.channel {
        let to = Port::Serial(SerialSettings::plain(path, BAUD));
        doors.push(Door { link: "channel", way: Way::AtoB, to });
    }
    Ok(Ready { layout, doors, keeps: Box::new(ServerKeeps(kept)) })
}

struct ServerKeeps(KeptBooks);

impl Keeps<Paymod> for ServerKeeps {
    fn take_in(&mut self, bench: &Tabletop<Paymod>) {
        if let Some(Party::Server(board)) = bench.seat_named("server").map(|seat| bench.party(seat)) {
            self.0.take_in(board.journal());
        }
    }

    fn keep(&mut self, bench: &Tabletop<Paymod>) -> Result<(), String> {
        let Some(Party::Server(board)) = bench.seat_named("server").map(|seat| bench.party(seat)) else {
            return Ok(());
        };
        self.0.keep(board.journal(), bench.now(), || ledger::render(board.books()))
    }
}

/// A pay module, with test heads for its host and its modem or server; its relays are at standard output.
pub(in crate::serve) fn pay_module(plan: &ServePlan) -> Result<Ready<Paymod>, ServeError> {
    let carrier = if plan.modem.is_some() { Carrier::Sim800a } else { Carrier::Direct };
    let pay = pay_plant(plan, Seating::ProbeServer, carrier)?;
    let mut layout = pay.layout().map_err(plant)?;
    let mut chip = pay.chip();
    let (kept, held) = KeptMemory::open(plan, "flash", chip.config().capacity())?;
    if let Some(held) = held {
        chip.install(0, &held);
    }
    layout.reseat("module", Party::Module(Box::new(pay.module_board(chip))));
    layout.reseat("host", Paymod::head());
    let people = layout.seat("people", Paymod::head());
    pay.tell_relays(&mut layout, people);
    let net = match &plan.modem {
        Some(path) => {
            layout.reseat("modem", Paymod::head());
            Door { link: "at", way: Way::BtoA, to: Port::Serial(SerialSettings::plain(path, BAUD)) }
        }
        None => Door { link: "link", way: Way::BtoA, to: Port::TcpTo(needed(plan.tcp)) },
    };
    let doors = vec![
        Door { link: "uart", way: Way::AtoB, to: line(plan) },
        net,
        Door { link: "text", way: Way::BtoA, to: Port::Stdio },
    ];
    Ok(Ready { layout, doors, keeps: Box::new(ModuleKeeps(kept)) })
}

struct ModuleKeeps(KeptMemory);

impl Keeps<Paymod> for ModuleKeeps {
    fn keep(&mut self, bench: &Tabletop<Paymod>) -> Result<(), String> {
        let Some(Party::Module(board)) = bench.seat_named("module").map(|seat| bench.party(seat)) else {
            return Ok(());
        };
        self.0.keep(|| {
            let mut image = vec![0; board.chip().config().capacity()];
            board.chip().read_out(0, &mut image);
            image
        })
    }
}

/// A vending machine, with a test head for its module; its customers are at standard input and output.
pub(in crate::serve) fn pay_host(plan: &ServePlan) -> Result<Ready<Paymod>, ServeError> {
    let pay = pay_plant(plan, Seating::ProbeModule, Carrier::Direct)?;
    let mut layout = pay.layout().map_err(plant)?;
    layout.reseat("host", Party::Host(Host::new(pay.profile.vending).with_people()));
    let mut doors = vec![Door { link: "uart", way: Way::BtoA, to: line(plan) }];
    doors.extend(people(&pay, &mut layout, "host", Host::PEOPLE));
    Ok(Ready { layout, doors, keeps: Box::new(KeepsNothing) })
}

struct KeepsNothing;

impl Keeps<Paymod> for KeepsNothing {
    fn keep(&mut self, _bench: &Tabletop<Paymod>) -> Result<(), String> {
        Ok(())
    }
}
