//! The vendor's server in the suite's world: the release that is sold passes, and the one that was called back is found
//! out.

use std::collections::BTreeSet;
use std::io;
use std::rc::Rc;
use std::sync::Arc;

use assay_conformance::case::Case;
use assay_conformance::explore::{Extent, Space, strike_on};
use assay_conformance::interrupt::Stop;
use assay_conformance::rig_bench::Bench;
use assay_conformance::scene::Sut;
use assay_conformance::stage::{Outcome, Stage};
use assay_conformance::suite;
use assay_conformance::trial::{Design, ServerMaker, Trial};
use assay_sim::machine::Torn;
use assay_sim::seed::Seed;
use assay_sim::tape::Keep;
use assay_sim::time::Span;
use assay_sim::water::plant::Seating;
use assay_sim::water::policy::PolicyName;
use assay_sim::water::profile::Profile;
use assay_sim::water::tariff::Pricing;
use assay_sim::world;
use assay_sim::world::disk::SimulatedDisk;
use assay_sim::world::guest::{Door, Guest, Stream, Working};
use vendor_server::books::Prices;
use vendor_server::{Config, Disk, Listener, Release, serve};

/// Connections that come through a door of the world.
struct Doorway(Door);

impl Listener for Doorway {
    type Io = Stream;

    async fn accept(&mut self) -> io::Result<Stream> {
        Ok(self.0.accept().await.0)
    }
}

/// A journal on the world's disk.
struct Drive(SimulatedDisk);

impl Disk for Drive {
    fn read(&mut self) -> io::Result<Vec<u8>> {
        Ok(self.0.read())
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.append(bytes);
        Ok(())
    }

    async fn sync(&mut self) -> io::Result<()> {
        self.0.sync().await;
        Ok(())
    }
}

/// The server and its disk, which outlives it.
struct Machine {
    disk: SimulatedDisk,
    config: Config,
}

impl Guest for Machine {
    fn start(&self, doors: Vec<Door>) -> Working {
        let mut doors = doors.into_iter().map(Doorway);
        let (disk, config) = (Drive(self.disk.clone()), self.config.clone());
        let (Some(terminals), Some(payments)) = (doors.next(), doors.next()) else {
            return Box::pin(async { Err("there are two listeners".to_owned()) });
        };
        Box::pin(
            async move { serve(terminals, payments, disk, config).await.map_err(|error| error.to_string()) },
        )
    }

    fn crash(&self, torn: Torn) {
        self.disk.crash(torn);
    }
}

fn machine(profile: &Profile, release: Release) -> Rc<dyn Guest> {
    let (flat, tiers) = (profile.tariff.tiers(Pricing::Flat), profile.tariff.tiers(Pricing::Tiered));
    let prices = Prices {
        flat: flat[0].fen_per_tonne,
        tiers: tiers.iter().map(|tier| (tier.up_to_tonnes, tier.fen_per_tonne)).collect(),
    };
    let config = Config {
        release,
        prices,
        parameters: (u32::from(profile.server.heartbeat_s()), profile.server.address.to_string()),
        calendar: Rc::new(|| world::calendar().digits()),
    };
    Rc::new(Machine { disk: SimulatedDisk::new(Span::ms(5)), config })
}

fn design(release: Release, seed: u64) -> Design {
    let server: ServerMaker = Arc::new(move |profile| machine(profile, release));
    Design { server: Some(server), ..Design::new(PolicyName::Hardened, Seed(seed)) }
}

/// The cases that put a message server to the test, on the built-in form of the frame, which is all that this one
/// speaks.
fn cases() -> Vec<Case> {
    let seats_it = |case: &Case| {
        matches!(case.sut, Sut::Server | Sut::System)
            && !matches!(case.setup.seating, Seating::ProbeServer | Seating::ProbeEnds)
    };
    let speaks_it =
        |case: &Case| !case.setup.profile.contains("[frame]") && !case.setup.profile.contains("frame.");
    suite::cases().into_iter().filter(|case| seats_it(case) && speaks_it(case)).collect()
}

fn run(case: Case, design: &Design, prepare: impl FnOnce(&mut Stage)) -> Outcome {
    let trial = Trial::new(case, design).unwrap();
    let run = Bench::World.run_prepared(&trial, &trial.own, Keep::All, &Stop::default(), prepare);
    assert_eq!(run.broken, None, "{}", case.id);
    run.outcome.unwrap()
}

fn violated(outcome: &Outcome) -> Vec<String> {
    let found = outcome.findings.violations.iter();
    found
        .map(|found| format!("{}: expected {}, got {}", found.requirement, found.expected, found.actual))
        .collect()
}

#[test]
fn the_release_that_is_sold_passes_every_case() {
    let design = design(Release::V2, 1);
    let mut wrong = Vec::new();
    let mut judged = BTreeSet::new();
    for case in cases() {
        let outcome = run(case, &design, |_| {});
        wrong.extend(violated(&outcome).into_iter().map(|what| format!("{}: {what}", case.id)));
        judged.extend(outcome.findings.judged.keys().copied());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("{} cases, judged: {judged:?}", cases().len());
}
