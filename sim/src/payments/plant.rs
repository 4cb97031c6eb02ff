//! A whole installation on a bench: a till, the client that it charges through, the payment platforms.

use thiserror::Error;

use super::acquirer::{self, Acquirer};
use super::backend::Backend;
use super::bench_profile::BenchProfile;
use super::client::{CALLS, CALLS_FIRST, ClientBoard, ClientSetup, NOTICES_FIRST, TILL};
use super::faces::Faces;
use super::family::{Payments, PaymentsScanner};
use super::ledger::Manner;
use super::party::Party;
use super::plan::{Plan, PlanError};
use super::policy::Policy;
use super::wechat_v2::{MerchantKey, WechatV2};
use crate::machine::Port;
use crate::money::Fen;
use crate::pos::panel::Panel;
use crate::probe::Probe;
use crate::seed::Seed;
use crate::tabletop::{Layout, Listener};

/// Who acts as the payer, as the merchant sees it.
pub const PAYER: &str = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o";

/// Who sits where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seating {
    /// Every party is there.
    Whole,
    /// A test head in the client's place.
    ProbeClient,
}

/// An installation, before it is built.
#[derive(Clone, Debug)]
pub struct Plant {
    /// Every open value.
    pub profile: BenchProfile,
    /// The design.
    pub policy: Policy,
    /// Who sits where.
    pub seating: Seating,
    /// How the payer behaves.
    pub manner: Manner,
    /// How much the payer has.
    pub balance: Fen,
    /// What the platform does wrong, as TOML.
    pub misbehaviour: &'static str,
    /// What decides every draw.
    pub seed: Seed,
}

/// An installation that cannot be built.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum PlantError {
    /// The epoch is no date, which the profile excludes.
    #[error("the bench's epoch is no date")]
    Epoch,
    /// What the platform is to do wrong does not read.
    #[error("the platform's plan: {0}")]
    Misbehaviour(#[from] PlanError),
}

impl Plant {
    /// Draws the installation.
    ///
    /// Errors: [`PlantError`].
    pub fn layout(&self) -> Result<Layout<Payments>, PlantError> {
        let (profile, bench) = (&self.profile, &self.profile.bench);
        let epoch = bench.epoch().map_err(|_| PlantError::Epoch)?;
        let mut layout = Layout::new(epoch, bench.quiet, bench.inbox_max);
        let client = layout.seat("client", self.client());
        layout.supply("client", &[client]);
        let platform = layout.seat("platform", Party::Acquirer(Box::new(self.acquirer()?)));
        let till = layout.seat("till", Party::Till(Panel::default()));
        layout.stream(
            "pay",
            ((client, CALLS_FIRST), CALLS),
            Listener {
                seat: platform,
                address: profile.client.platform,
                first: acquirer::CALLS_FIRST,
                ports: CALLS,
            },
            profile.net.clone(),
            self.seed,
            [PaymentsScanner::requests(), PaymentsScanner::answers("answer")],
        );
        layout.stream(
            "notify",
            ((platform, acquirer::NOTICES_FIRST), acquirer::NOTICES),
            Listener {
                seat: client,
                address: profile.client.notify,
                first: NOTICES_FIRST,
                ports: acquirer::NOTICES,
            },
            profile.net.clone(),
            self.seed,
            [PaymentsScanner::requests(), PaymentsScanner::answers("receipt")],
        );
        layout.serial(
            "till-line",
            (till, Panel::LINE),
            (client, TILL),
            profile.till.clone(),
            [PaymentsScanner::lines("order"), PaymentsScanner::lines("word")],
        );
        Ok(layout)
    }

    fn client(&self) -> Party {
        match self.seating {
            Seating::ProbeClient => Party::Probe(Probe::default()),
            Seating::Whole => Party::Client(Box::new(ClientBoard::new(ClientSetup {
                config: self.profile.client.clone(),
                journal: self.profile.journal,
                policy: self.policy.client,
            }))),
        }
    }

    /// The platform, with one merchant and one payer.
    fn acquirer(&self) -> Result<Acquirer, PlantError> {
        let client = &self.profile.client;
        let merchant = MerchantKey {
            mch_id: client.mch_id.clone(),
            app_ids: vec![client.app_id.clone()],
            key: client.key.clone(),
        };
        let face = WechatV2::new([merchant], self.seed.stream("platform nonces"));
        let faces = Faces { wechat_v2: Some(face), ..Faces::default() };
        let plan = Plan::read(self.misbehaviour)?;
        let mut backend = Backend::new(self.profile.rules.clone(), faces, plan);
        let ledger = backend.ledger_mut();
        ledger.add_payer(PAYER, self.balance, self.manner);
        ledger.give_strange_codes_to(PAYER);
        Ok(Acquirer::new(backend, PAYER.to_owned()))
    }
}

/// The port of the client's first call, by which a test head makes one.
pub const FIRST_CALL: Port = CALLS_FIRST;
