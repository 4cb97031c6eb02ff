//! Who the merchants and payers are, and with which keys: read from a directory, or generated into it.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use assay_hil::payments::Secured;
use assay_hil::payments::authority::Authority;
use assay_sim::money::Fen;
use assay_sim::payments::ledger::Manner;
use assay_sim::payments::wechat_v2::{MerchantKey as V2Merchant, WechatV2};
use assay_sim::payments::{Backend, Faces};
use assay_sim::seed::Seed;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::signed::{self, AlipaySetting, V3Setting};

/// The settings' file in its directory.
pub(super) const FILE: &str = "payments.toml";

/// The authority's certificate in the directory.
pub(super) const AUTHORITY: &str = "ca.pem";

/// The generated merchant of WeChat Pay, through either of its faces, and its application.
const MCH_ID: &str = "1900000109";
const APP_ID: &str = "wx8888888888888888";

/// What stands at the head of generated settings.
const HEAD: &str = "\
# Merchants and payers of the virtual payment platforms, with keys that are good for nothing else.
# It was generated; change what you like and start the platforms again.
";

/// Settings that cannot be used.
#[derive(Debug, Error)]
#[error("{}: {what}", path.display())]
pub struct SettingsError {
    path: PathBuf,
    what: String,
}

impl SettingsError {
    /// What is wrong with a file or directory.
    pub(super) fn of(path: &Path, what: impl ToString) -> Self {
        Self { path: path.to_owned(), what: what.to_string() }
    }
}

/// Merchants and payers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    /// Whose codes are that nobody has been shown; without it they are refused.
    #[serde(default)]
    strangers: Option<String>,
    /// Those who pay.
    #[serde(default)]
    payers: Vec<PayerSetting>,
    /// Merchants of WeChat Pay v2.
    #[serde(default)]
    wechat_v2: Vec<V2Merchant>,
    /// WeChat Pay v3; without it its addresses are not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    wechat_v3: Option<V3Setting>,
    /// Alipay; without it its gateway is not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    alipay: Option<AlipaySetting>,
    /// Numbers in place of the built-in ones.
    #[serde(default)]
    pub(super) profile: toml::Table,
}

/// Somebody who pays.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PayerSetting {
    id: String,
    balance_fen: Fen,
    #[serde(default)]
    manner: Manner,
}

impl Settings {
    /// The settings of a directory; new ones if it has none.
    pub(super) fn at(dir: &Path) -> Result<Self, SettingsError> {
        let path = dir.join(FILE);
        if !path.exists() {
            fs::create_dir_all(dir).map_err(|error| SettingsError::of(dir, error))?;
            let generated = Self::generate().map_err(|why| SettingsError::of(&path, why))?;
            let (wechat_v3, alipay) = signed::generate(dir, (MCH_ID, APP_ID))?;
            let settings = Self { wechat_v3: Some(wechat_v3), alipay: Some(alipay), ..generated };
            let text = toml::to_string(&settings).map_err(|error| SettingsError::of(&path, error))?;
            write_secret(&path, &format!("{HEAD}\n{text}"))?;
        }
        let text = fs::read_to_string(&path).map_err(|error| SettingsError::of(&path, error))?;
        let settings: Self = toml::from_str(&text).map_err(|error| SettingsError::of(&path, error))?;
        let known = |id: &String| settings.payers.iter().any(|payer| payer.id == *id);
        if let Some(id) = settings.strangers.as_ref().filter(|id| !known(id)) {
            let what = format!("`strangers` names the payer {id:?}, and there is none: add it to `payers`");
            return Err(SettingsError::of(&path, what));
        }
        Ok(settings)
    }

    /// One merchant of each platform, a payer for every code, and one of each manner.
    fn generate() -> Result<Self, String> {
        let payer = |id: &str, yuan: i64, manner| PayerSetting {
            id: id.to_owned(),
            balance_fen: Fen(yuan * 100),
            manner,
        };
        let merchant =
            V2Merchant { mch_id: MCH_ID.to_owned(), app_ids: vec![APP_ID.to_owned()], key: secret_text(32)? };
        Ok(Self {
            strangers: Some("anybody".to_owned()),
            payers: vec![
                payer("anybody", 1_000_000, Manner::Pays),
                payer("slow", 10_000, Manner::PaysLate { after: assay_sim::time::Span::s(20) }),
                payer("mistyping", 10_000, Manner::WrongPassword),
                payer("idle", 10_000, Manner::Nothing),
                payer("poor", 0, Manner::Pays),
            ],
            wechat_v2: vec![merchant],
            wechat_v3: None,
            alipay: None,
            profile: toml::Table::new(),
        })
    }

    /// The faces with their merchants.
    pub(super) fn faces(&self, dir: &Path) -> Result<Faces, SettingsError> {
        let secret = secret().map_err(|why| SettingsError::of(dir, why))?;
        let nonces = Seed(u64::from_le_bytes(secret)).stream("wechat-v2");
        let v2 = WechatV2::new(self.wechat_v2.clone(), nonces);
        let wechat_v3 = self.wechat_v3.as_ref().map(|setting| setting.face(dir)).transpose()?;
        let alipay = self.alipay.as_ref().map(|setting| setting.face(dir)).transpose()?;
        Ok(Faces { wechat_v2: Some(v2), wechat_v3, alipay })
    }

    /// Enters the payers.
    pub(super) fn enter_payers(&self, backend: &mut Backend) {
        let ledger = backend.ledger_mut();
        for payer in &self.payers {
            ledger.add_payer(&payer.id, payer.balance_fen, payer.manner);
        }
        if let Some(id) = &self.strangers {
            ledger.give_strange_codes_to(id);
        }
    }
}

/// The keys for TLS of a directory; new ones if it has none.
pub(super) fn secured(dir: &Path) -> Result<Secured, SettingsError> {
    let path = dir.join(AUTHORITY);
    if !path.exists() {
        let made = Authority::generate().map_err(|why| SettingsError::of(&path, why))?;
        let files = [
            ("server.pem", &made.server),
            ("server-key.pem", &made.server_key),
            ("client.pem", &made.client),
            ("client-key.pem", &made.client_key),
            ("shop.pem", &made.shop),
            ("shop-key.pem", &made.shop_key),
            ("ca-key.pem", &made.key),
            // Last, so that its being there says that all are.
            (AUTHORITY, &made.certificate),
        ];
        for (name, text) in files {
            write_secret(&dir.join(name), text)?;
        }
    }
    let read = |name: &str| {
        let path = dir.join(name);
        fs::read_to_string(&path).map_err(|error| SettingsError::of(&path, error))
    };
    Ok(Secured {
        authority: read(AUTHORITY)?,
        certificate: read("server.pem")?,
        key: read("server-key.pem")?,
    })
}

/// Writes a file that nobody else may read.
pub(super) fn write_secret(path: &Path, text: &str) -> Result<(), SettingsError> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| SettingsError::of(path, error))
}

/// Random bytes of the system's.
pub(super) fn secret<const LEN: usize>() -> Result<[u8; LEN], String> {
    let mut bytes = [0; LEN];
    getrandom::fill(&mut bytes).map_err(|error| format!("the system gives no random numbers: {error}"))?;
    Ok(bytes)
}

/// A secret of letters and digits.
pub(super) fn secret_text(len: usize) -> Result<String, String> {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let bytes = secret::<64>()?;
    Ok(bytes.iter().take(len).map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect())
}
