//! Who is who in a run: the cast that oracles and cases refer to.

use std::collections::BTreeSet;

use assay_sim::bench::Bench;
use assay_sim::card::number::CardNumber;
use assay_sim::fault::Way;
use assay_sim::payments::bench_profile::BenchProfile;
use assay_sim::payments::call::Platform;
use assay_sim::payments::family::Payments;
use assay_sim::payments::plan::Plan;
use assay_sim::payments::plant::Plant;
use assay_sim::payments::profile::HouseRules;
use assay_sim::tape::{LineId, SeatId};

use crate::redact::Kind;
use crate::system::{Cast, Sut};

/// The cast of a run.
#[derive(Clone, Debug)]
pub struct Scene {
    /// Who is under test.
    pub sut: Sut,
    /// Every open value of the installation.
    pub profile: BenchProfile,
    /// What the platform does wrong, as planned.
    pub misbehaviour: Plan,
    /// The client, or the test head in its place.
    pub client: SeatId,
    /// The platform.
    pub platform: SeatId,
    /// The way from the client to the platform.
    pub pay: LineId,
    /// The way from the platform to the client.
    pub notify: LineId,
    /// The line from the till to the client.
    pub till: LineId,
}

impl Scene {
    /// The way from whoever asks to whoever answers, on every link.
    pub const ASKED: Way = Way::AtoB;
    /// The way back.
    pub const ANSWERED: Way = Way::BtoA;

    /// The face that the client calls.
    pub const fn face(&self) -> Platform {
        self.profile.client.face
    }

    /// The platform's rules.
    pub const fn rules(&self) -> &HouseRules {
        self.profile.rules.house(self.face().house())
    }

    /// The cast of a bench built from this plant; `None` if the two do not belong together.
    pub fn new(plant: &Plant, sut: Sut, bench: &dyn Bench<Payments>) -> Option<Self> {
        Some(Self {
            sut,
            profile: plant.profile.clone(),
            misbehaviour: Plan::read(plant.misbehaviour).ok()?.shortened(plant.profile.divisor),
            client: bench.seat_named("client")?,
            platform: bench.seat_named("platform")?,
            pay: bench.line_named("pay")?,
            notify: bench.line_named("notify")?,
            till: bench.line_named("till-line")?,
        })
    }
}

impl Cast<Payments> for Scene {
    fn is_claim(&self, seat: SeatId) -> bool {
        seat == self.client
    }

    fn card_kind(&self) -> Kind {
        Kind::Code
    }

    /// None: codes are found by their form.
    fn card_numbers(&self) -> Vec<CardNumber> {
        Vec::new()
    }

    fn devices(&self) -> BTreeSet<Vec<u8>> {
        BTreeSet::new()
    }
}
