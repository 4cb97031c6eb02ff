//! Cases in which a client charges for a till, and the platform answers well, badly, late, twice or not at all.

mod codes;
mod crashes;
mod mutants;
mod scanned;

use assay_sim::money::Fen;
use assay_sim::payments::family::Payments;
use assay_sim::payments::ledger::Manner;
use assay_sim::payments::plant::Seating;

use crate::finding::Oracles;
use crate::payments::faced::Faced;
use crate::payments::oracles::backend::Misbehaved;
use crate::payments::oracles::calls::Calls;
use crate::payments::oracles::notices::Notices;
use crate::payments::oracles::sales::Sales;
use crate::payments::scene::Scene;
use crate::payments::{Case, Setup};
use crate::system::{Sut, System};

pub(super) use mutants::mutants;

/// Ids from the last part that they share.
macro_rules! ids {
    ($name:literal) => {
        [
            concat!("payments/client/", $name),
            concat!("payments/client-v3/", $name),
            concat!("payments/client-alipay/", $name),
        ]
    };
}
use ids;

/// Every case, by every face.
pub(super) fn cases() -> Vec<Case> {
    let all = [codes::cases(), scanned::cases(), crashes::cases()].concat();
    all.into_iter().flat_map(Faced::by_each_face).collect()
}

/// A payer with enough who pays at once, and a platform that does nothing wrong.
pub(super) const SETUP: Setup = Setup {
    seating: Seating::Whole,
    manner: Manner::Pays,
    balance: Fen(1_000_000),
    misbehaviour: "",
    profile: "",
    amiss: None,
    tills: 1,
};

/// What most cases have in common.
pub(super) const BASE: Case = Case {
    id: "",
    title: "",
    system: System::Payments,
    sut: Sut::Server,
    shows: &["PYC-1", "PYC-5"],
    setup: SETUP,
    plan: "",
    oracles: judges,
    run: |_| Ok(()),
    explored: false,
    on_rig: false,
    tabletop_only: false,
};

/// Every judge of a client.
fn judges(_: &Scene) -> Oracles<Payments> {
    vec![
        Box::new(Calls::default()),
        Box::new(Sales::default()),
        Box::new(Notices::default()),
        Box::new(Misbehaved::default()),
    ]
}
