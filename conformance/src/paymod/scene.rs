//! Who is who in a run: the cast that oracles and cases refer to.

use std::collections::BTreeSet;

use assay_sim::bench::Bench;
use assay_sim::card::number::CardNumber;
use assay_sim::fault::{Fault, FaultPlan, Mishap, Way};
use assay_sim::paymod::family::Paymod;
use assay_sim::paymod::frame::{Body, Packet};
use assay_sim::paymod::module::port::RELAY_COUNT;
use assay_sim::paymod::party::Party;
use assay_sim::paymod::plant::{Plant, Seating};
use assay_sim::paymod::profile::Profile;
use assay_sim::tape::{LineId, SeatId, SupplyId};
use assay_sim::time::Span;

use crate::redact::Kind;
use crate::system::{Cast, Sut};

/// The cast of a run.
#[derive(Clone, Debug)]
pub struct Scene {
    /// Who is under test.
    pub sut: Sut,
    /// Every open value of the installation.
    pub profile: Profile,
    /// The faults that are planned.
    pub plan: FaultPlan,
    /// The vending machine.
    pub host: SeatId,
    /// The module, or the test head in its place.
    pub module: SeatId,
    /// The server, or the test head in its place.
    pub server: SeatId,
    /// The platforms.
    pub platform: SeatId,
    /// The line between host and module.
    pub uart: LineId,
    /// The way between module or modem and server.
    pub link: LineId,
    /// The way from the server to the platforms.
    pub pay: LineId,
    /// The line on which the free channel comes out.
    pub channel: LineId,
    /// The relays, the first first.
    pub relays: Vec<LineId>,
    /// What feeds the module.
    pub power: SupplyId,
    /// Whether a modem carries the link.
    pub has_modem: bool,
    /// Whether there is a server whose books can be told.
    pub has_books: bool,
    /// Whether the module's flash can be read.
    pub has_flash: bool,
}

impl Scene {
    /// From the host to the module, from the module to the server, from the server to the platforms.
    pub const UP: Way = Way::AtoB;
    /// Back.
    pub const DOWN: Way = Way::BtoA;

    /// The cast of a bench built from this plant; `None` if the two do not belong together.
    pub fn new(plant: &Plant, sut: Sut, plan: &FaultPlan, bench: &dyn Bench<Paymod>) -> Option<Self> {
        let relays = (1..=RELAY_COUNT).map(|relay| bench.line_named(&format!("relay-{relay}")));
        Some(Self {
            sut,
            profile: plant.profile.clone(),
            plan: plan.clone(),
            host: bench.seat_named("host")?,
            module: bench.seat_named("module")?,
            server: bench.seat_named("server")?,
            platform: bench.seat_named("platform")?,
            uart: bench.line_named("uart")?,
            link: bench.line_named("link")?,
            pay: bench.line_named("pay")?,
            channel: bench.line_named("channel")?,
            relays: relays.collect::<Option<Vec<_>>>()?,
            power: bench.supply_named("module")?,
            has_modem: bench.seat_named("modem").is_some(),
            has_books: plant.seating != Seating::ProbeServer,
            has_flash: matches!(&*bench.party(bench.seat_named("module")?), Party::Module(_)),
        })
    }

    /// What is in a message of the link, opened with the key of the device that it names.
    pub fn opened(&self, packet: &Packet) -> Option<Body> {
        let device = self.profile.server.devices.iter().find(|one| one.number == packet.device)?;
        device.key.open(self.profile.module.cipher, packet).ok()
    }

    /// How long the party in this seat is stopped by a strike of the plan.
    pub fn hang_of(&self, strike: usize, party: &str) -> Option<Span> {
        match &self.plan.strikes.get(strike)?.fault {
            Fault::Mishap(Mishap::Hang { party: who, span }) if who == party => Some(*span),
            _ => None,
        }
    }

    /// Where a strike of the plan strikes.
    pub fn struck_place(&self, strike: usize) -> Option<String> {
        Some(self.plan.strikes.get(strike)?.site.place.to_string())
    }
}

impl Cast<Paymod> for Scene {
    fn is_claim(&self, seat: SeatId) -> bool {
        seat == self.module || seat == self.server
    }

    fn card_kind(&self) -> Kind {
        Kind::Code
    }

    /// None: nobody shows a code here.
    fn card_numbers(&self) -> Vec<CardNumber> {
        Vec::new()
    }

    fn devices(&self) -> BTreeSet<Vec<u8>> {
        BTreeSet::new()
    }
}
