//! Merchants of the faces that sign with RSA: their keys lie in files beside the settings.

use std::fs;
use std::path::Path;

use assay_sim::payments::alipay::{self, Alipay};
use assay_sim::payments::crypto::{ApiV3Key, KeyStream, PlatformCertificate, PublicKey, SecretKey};
use assay_sim::payments::wechat_v3::{self, Mode, PlatformKeys, WechatV3};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::settings::{SettingsError, secret, secret_text, write_secret};

/// WeChat Pay v3. What names a file names it in the directory of the settings.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct V3Setting {
    /// The status of an answer that says that the payer types the password.
    user_paying_status: u16,
    /// The file with the key that signs for merchants that go by certificates.
    platform_key: String,
    /// The file with its certificate.
    platform_certificate: String,
    /// The file with the key that signs for merchants that go by the platform's public key.
    public_mode_key: String,
    /// The name of that key.
    public_key_id: String,
    /// The merchants.
    merchants: Vec<V3Merchant>,
}

/// A merchant of WeChat Pay v3.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct V3Merchant {
    mchid: String,
    app_ids: Vec<String>,
    /// The serial number of its certificate.
    serial: String,
    /// The file with its public key or certificate.
    public_key: String,
    api_v3_key: String,
    #[serde(default)]
    mode: Mode,
}

/// Alipay. What names a file names it in the directory of the settings.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AlipaySetting {
    /// The file with the key that the platform signs with.
    platform_key: String,
    /// The applications.
    apps: Vec<AlipayApp>,
}

/// An application at Alipay.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AlipayApp {
    app_id: String,
    seller_id: String,
    /// The file with its public key.
    public_key: String,
}

/// One merchant of each face, with new keys in files of the directory.
pub(super) fn generate(
    dir: &Path,
    (mchid, app_id): (&str, &str),
) -> Result<(V3Setting, AlipaySetting), SettingsError> {
    let mut random = random(dir)?;
    let desk = Desk { dir };
    let (_, platform) = desk.pair(&mut random, "wechat-v3-platform")?;
    let from = Timestamp::from_second(Timestamp::now().as_second() - DAY_S);
    let certificate = from.map_err(|error| SettingsError::of(dir, error)).and_then(|from| {
        PlatformCertificate::issue(&platform, &mut random, from)
            .map_err(|error| SettingsError::of(dir, error))
    })?;
    desk.write("wechat-v3-platform-cert.pem", certificate.pem())?;
    desk.pair(&mut random, "wechat-v3-public-mode")?;
    let (merchant_public, _) = desk.pair(&mut random, &format!("wechat-v3-{mchid}"))?;
    let serial: [u8; 20] = random.bytes();
    let wechat = V3Setting {
        user_paying_status: USER_PAYING_STATUS,
        platform_key: "wechat-v3-platform-key.pem".to_owned(),
        platform_certificate: "wechat-v3-platform-cert.pem".to_owned(),
        public_mode_key: "wechat-v3-public-mode-key.pem".to_owned(),
        public_key_id: format!("PUB_KEY_ID_011{mchid}00000000000000001"),
        merchants: vec![V3Merchant {
            mchid: mchid.to_owned(),
            app_ids: vec![app_id.to_owned()],
            serial: serial.iter().map(|byte| format!("{byte:02X}")).collect(),
            public_key: merchant_public,
            api_v3_key: secret_text(32).map_err(|why| SettingsError::of(dir, why))?,
            mode: Mode::Certificate,
        }],
    };
    desk.pair(&mut random, "alipay-platform")?;
    let (public_key, _) = desk.pair(&mut random, &format!("alipay-{ALIPAY_APP}"))?;
    let app = AlipayApp { app_id: ALIPAY_APP.to_owned(), seller_id: ALIPAY_SELLER.to_owned(), public_key };
    let alipay = AlipaySetting { platform_key: "alipay-platform-key.pem".to_owned(), apps: vec![app] };
    Ok((wechat, alipay))
}

impl V3Setting {
    /// The face with its merchants.
    pub(super) fn face(&self, dir: &Path) -> Result<WechatV3, SettingsError> {
        let desk = Desk { dir };
        let certificate = PlatformCertificate::read(&desk.text(&self.platform_certificate)?)
            .map_err(|error| SettingsError::of(&dir.join(&self.platform_certificate), error))?;
        let keys = PlatformKeys {
            signing: desk.secret(&self.platform_key)?,
            certificate,
            public_mode: desk.secret(&self.public_mode_key)?,
            public_key_id: self.public_key_id.clone(),
        };
        let merchants = self.merchants.iter().map(|merchant| {
            let api_v3_key = ApiV3Key::new(&merchant.api_v3_key)
                .map_err(|error| SettingsError::of(dir, format!("merchant {}: {error}", merchant.mchid)))?;
            Ok(wechat_v3::MerchantKey {
                mchid: merchant.mchid.clone(),
                app_ids: merchant.app_ids.clone(),
                serial: merchant.serial.clone(),
                public: desk.public(&merchant.public_key)?,
                api_v3_key,
                mode: merchant.mode,
            })
        });
        let merchants = merchants.collect::<Result<Vec<_>, SettingsError>>()?;
        Ok(WechatV3::new(merchants, keys, random(dir)?, self.user_paying_status))
    }
}

impl AlipaySetting {
    /// The face with its applications.
    pub(super) fn face(&self, dir: &Path) -> Result<Alipay, SettingsError> {
        let desk = Desk { dir };
        let apps = self.apps.iter().map(|app| {
            Ok(alipay::MerchantKey {
                app_id: app.app_id.clone(),
                seller_id: app.seller_id.clone(),
                public: desk.public(&app.public_key)?,
            })
        });
        let apps = apps.collect::<Result<Vec<_>, SettingsError>>()?;
        Ok(Alipay::new(apps, desk.secret(&self.platform_key)?))
    }
}

/// The directory that the keys lie in.
struct Desk<'a> {
    dir: &'a Path,
}

impl Desk<'_> {
    /// Makes a pair of keys, `NAME-key.pem` and `NAME-public.pem`; the public one's file name, and the secret one.
    fn pair(&self, random: &mut KeyStream, name: &str) -> Result<(String, SecretKey), SettingsError> {
        let key = SecretKey::generate(random);
        let public = format!("{name}-public.pem");
        self.write(&format!("{name}-key.pem"), &key.to_pkcs8())?;
        self.write(&public, &key.public().to_pem())?;
        Ok((public, key))
    }

    fn write(&self, name: &str, text: &str) -> Result<(), SettingsError> {
        write_secret(&self.dir.join(name), text)
    }

    fn text(&self, name: &str) -> Result<String, SettingsError> {
        let path = self.dir.join(name);
        fs::read_to_string(&path).map_err(|error| SettingsError::of(&path, error))
    }

    fn secret(&self, name: &str) -> Result<SecretKey, SettingsError> {
        SecretKey::read(&self.text(name)?).map_err(|error| SettingsError::of(&self.dir.join(name), error))
    }

    fn public(&self, name: &str) -> Result<PublicKey, SettingsError> {
        PublicKey::read(&self.text(name)?).map_err(|error| SettingsError::of(&self.dir.join(name), error))
    }
}

fn random(dir: &Path) -> Result<KeyStream, SettingsError> {
    secret().map(KeyStream::of_secret).map_err(|why| SettingsError::of(dir, why))
}

/// The public documents do not agree on it; a public client takes any status from 400 on for it.
const USER_PAYING_STATUS: u16 = 400;

/// Units: seconds; a new certificate holds since yesterday, so that no client's clock is before it.
const DAY_S: i64 = 86_400;

const ALIPAY_APP: &str = "2021000000000001";
const ALIPAY_SELLER: &str = "2088000000000001";
