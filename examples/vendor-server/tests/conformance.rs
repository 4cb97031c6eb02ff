//! The vendor's server in the suite's world: the release that is sold passes, and the one that was called back is found
//! out.

use std::collections::BTreeSet;
use std::io;
use std::rc::Rc;
use std::sync::Arc;

use assay_conformance::case::Case;
use assay_conformance::explore::{Extent, Space, strike_on};
use assay_conformance::interrupt::Stop;
use assay_conformance::outcome::Outcome;
use assay_conformance::rig_bench::Bench;
use assay_conformance::system::Sut;
use assay_conformance::trial::{Design, ServerMaker, Trial, Watch};
use assay_conformance::{modem, water};
use assay_sim::machine::Torn;
use assay_sim::policy::PolicyName;
use assay_sim::seed::Seed;
use assay_sim::tape::Keep;
use assay_sim::time::Span;
use assay_sim::water::plant::Seating;
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
    let seats_it = |case: &water::Case| {
        matches!(case.sut, Sut::Server | Sut::System)
            && !matches!(case.setup.seating, Seating::ProbeServer | Seating::ProbeEnds)
    };
    let speaks_it = |case: &water::Case| {
        !case.setup.profile.contains("[frame]") && !case.setup.profile.contains("frame.")
    };
    let all = water::cases().into_iter().chain(modem::cases());
    all.filter(|case| seats_it(case) && speaks_it(case)).map(Case::from).collect()
}

fn run(case: Case, design: &Design, watch: Watch) -> Outcome {
    let trial = Trial::new(case, design).expect("the case is sound");
    let run = trial.run_on(&Bench::World, &trial.own, Keep::All, &Stop::default(), watch);
    assert_eq!(run.broken, None, "{}", case.id);
    run.outcome.expect("the run came to its end")
}

/// What the suite sees broken, by case and requirement, and how it puts it.
fn findings(release: Release, watch: Watch) -> (BTreeSet<(&'static str, &'static str)>, Vec<String>) {
    let design = design(release, 1);
    let (mut found, mut words) = (BTreeSet::new(), Vec::new());
    for case in cases() {
        let outcome = run(case, &design, watch);
        for violation in &outcome.findings.violations {
            found.insert((case.id, violation.requirement));
            words.push(format!("{}: {}: {}", case.id, violation.requirement, violation.actual));
        }
    }
    (found, words)
}

#[test]
fn the_release_that_is_sold_passes_every_case() {
    assert!(cases().len() >= 50);
    let (_, words) = findings(Release::V2, Watch::PLAIN);
    assert!(words.is_empty(), "{}", words.join("\n"));
}

/// It syncs its journal a second after its answer, so that a power cut takes back what it has said.
#[test]
fn the_release_that_was_called_back_is_found_out_whatever_it_claims() {
    let (found, words) = findings(Release::V1, Watch::PLAIN);
    let expected = BTreeSet::from([
        ("water/server-durability/closed-order-stays-closed", "WAT-T5"),
        ("water/server-durability/offer-survives", "WAT-I2"),
        ("water/server-durability/paid-order-survives", "WAT-I2"),
        ("water/server-durability/power-cuts-between-steps", "WAT-I2"),
    ]);
    assert_eq!(found, expected, "{}", words.join("\n"));
    assert_eq!(findings(Release::V1, Watch::NO_CLAIMS).0, expected);
}

/// Crashes, broken and half-open connections, outages and everything else that the bench can do, for several seeds.
#[test]
fn drawn_faults_find_nothing_in_the_release_that_is_sold() {
    let stop = Stop::default();
    for (id, count) in [("water/server-durability/order-life", 60), ("water/topup/clean", 20)] {
        for seed in 1..=2 {
            let case = cases().into_iter().find(|case| case.id == id).unwrap();
            let trial = Trial::new(case, &design(Release::V2, seed)).unwrap();
            let space = Space::on(&Bench::World, &trial, &stop);
            for at in space.pick(Extent::Drawn { seed: Seed(seed), count }) {
                let strike = &space.strikes[at];
                let struck = strike_on(&Bench::World, &trial, strike, &stop);
                assert_eq!((struck.violated, struck.broken), (vec![], None), "{id}, seed {seed}: {strike}");
            }
        }
    }
}

#[test]
fn equal_seeds_make_equal_tapes_with_it_too() {
    let case = cases().into_iter().find(|case| case.id == "water/topup/clean").unwrap();
    let digest = |seed| run(case, &design(Release::V2, seed), Watch::PLAIN).bench.tape.digest();
    assert_eq!(digest(7), digest(7));
    assert_ne!(digest(7), digest(8));
}
