//! A whole installation on a bench: a till, the client that it charges through, the payment platforms.

use std::sync::LazyLock;

use jiff::Timestamp;
use thiserror::Error;

use super::acquirer::{self, Acquirer};
use super::alipay::{self, Alipay};
use super::backend::Backend;
use super::bench_profile::BenchProfile;
use super::call::Platform;
use super::client::{CALLS, CALLS_FIRST, ClientBoard, ClientKeys, ClientSetup, NOTICES_FIRST, TILL};
use super::crypto::{KeyStream, PlatformCertificate, SecretKey};
use super::faces::Faces;
use super::family::{Payments, PaymentsScanner};
use super::ledger::Manner;
use super::party::Party;
use super::plan::{Plan, PlanError};
use super::policy::Policy;
use super::wechat_v2::{self, WechatV2};
use super::wechat_v3::{self, Mode, PlatformKeys, WechatV3};
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
                keys: ClientKeys { own: KEYS.merchant.clone(), platform: KEYS.platform.public().clone() },
                policy: self.policy.client,
            }))),
        }
    }

    /// The platform's face that the client calls.
    fn faces(&self) -> Faces {
        let client = &self.profile.client;
        let (app_ids, public) = (vec![client.app_id.clone()], KEYS.merchant.public().clone());
        match client.face {
            Platform::WechatV2 => {
                let key = client.key.clone();
                let merchant = wechat_v2::MerchantKey { mch_id: client.mch_id.clone(), app_ids, key };
                let face = WechatV2::new([merchant], self.seed.stream("platform nonces"));
                Faces { wechat_v2: Some(face), ..Faces::default() }
            }
            Platform::WechatV3 => {
                let merchant = wechat_v3::MerchantKey {
                    mchid: client.mch_id.clone(),
                    app_ids,
                    serial: client.serial.clone(),
                    public,
                    api_v3_key: client.api_v3_key.clone(),
                    mode: Mode::PublicKey,
                };
                let keys = PlatformKeys {
                    signing: KEYS.platform.clone(),
                    certificate: KEYS.certificate.clone(),
                    public_mode: KEYS.platform.clone(),
                    public_key_id: client.platform_key_id.clone(),
                };
                let random = KeyStream::of_seed(self.seed, "platform nonces");
                let face = WechatV3::new([merchant], keys, random, USER_PAYING_STATUS);
                Faces { wechat_v3: Some(face), ..Faces::default() }
            }
            Platform::Alipay => {
                let (app_id, seller_id) = (client.app_id.clone(), client.mch_id.clone());
                let merchant = alipay::MerchantKey { app_id, seller_id, public };
                let face = Alipay::new([merchant], KEYS.platform.clone());
                Faces { alipay: Some(face), ..Faces::default() }
            }
        }
    }

    /// The platform, with one merchant and one payer.
    fn acquirer(&self) -> Result<Acquirer, PlantError> {
        let divisor = self.profile.divisor;
        let plan = Plan::read(self.misbehaviour)?.shortened(divisor);
        let mut backend = Backend::new(self.profile.rules.clone(), self.faces(), plan);
        let ledger = backend.ledger_mut();
        ledger.add_payer(PAYER, self.balance, self.manner.shortened(divisor));
        ledger.give_strange_codes_to(PAYER);
        Ok(Acquirer::new(backend, PAYER.to_owned()))
    }
}

/// The keys of every bench, which guard nothing: new ones would take longer than the run.
#[derive(Debug)]
pub struct BenchKeys {
    /// The merchant's.
    pub merchant: SecretKey,
    /// The platform's.
    pub platform: SecretKey,
    /// The platform's certificate.
    pub certificate: PlatformCertificate,
}

/// The merchant's secret key, as PEM.
pub const MERCHANT_KEY: &str = include_str!("../../../fixtures/payments/bench-merchant-key.pem");
/// The platform's secret key, as PEM.
const PLATFORM_KEY: &str = include_str!("../../../fixtures/payments/bench-platform-key.pem");

/// The keys of every bench.
pub static KEYS: LazyLock<BenchKeys> = LazyLock::new(|| {
    let read = |text| SecretKey::read(text).expect("the keys of the bench read, as a test holds");
    let (merchant, platform) = (read(MERCHANT_KEY), read(PLATFORM_KEY));
    let mut stream = KeyStream::of_seed(Seed(1), "bench certificate");
    let certificate = PlatformCertificate::issue(&platform, &mut stream, Timestamp::UNIX_EPOCH);
    BenchKeys { merchant, platform, certificate: certificate.expect("1970 is a time of certificates") }
});

/// The status of an answer that says that the payer types the password; the documents do not agree on it.
const USER_PAYING_STATUS: u16 = 400;

/// The port of the client's first call, by which a test head makes one.
pub const FIRST_CALL: Port = CALLS_FIRST;
