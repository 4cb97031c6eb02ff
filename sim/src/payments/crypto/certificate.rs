//! The certificates with which WeChat Pay v3 shows its public key.

use std::str::FromStr;

use jiff::Timestamp;
use thiserror::Error;
use x509_cert::Certificate;
use x509_cert::builder::profile::BuilderProfile;
use x509_cert::builder::{Builder, CertificateBuilder};
use x509_cert::certificate::TbsCertificate;
use x509_cert::der::asn1::GeneralizedTime;
use x509_cert::der::{DateTime, DecodePem, EncodePem, pem::LineEnding};
use x509_cert::ext::Extension;
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::{SubjectPublicKeyInfo, SubjectPublicKeyInfoRef};
use x509_cert::time::{Time, Validity};

use super::key_stream::KeyStream;
use super::keys::SecretKey;

/// A certificate of the platform's key, signed with that key itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlatformCertificate {
    pem: String,
    serial: String,
    effective: Timestamp,
    expires: Timestamp,
}

impl PlatformCertificate {
    /// Issues one that holds for five years.
    ///
    /// Why: a merchant's software takes the certificate from the platform's own answer, sealed with the APIv3 key, and
    /// does not look for an authority behind it.
    ///
    /// Errors: [`CertificateError`] for a time that a certificate cannot say.
    pub fn issue(key: &SecretKey, stream: &mut KeyStream, from: Timestamp) -> Result<Self, CertificateError> {
        let mut serial: [u8; 20] = stream.bytes();
        // A serial number is positive and its first byte is not zero.
        serial[0] = (serial[0] & 0x7F) | 0x40;
        let effective = Timestamp::from_second(from.as_second()).map_err(|_| CertificateError)?;
        let expires = Timestamp::from_second(from.as_second() + LIFE_S).map_err(|_| CertificateError)?;
        let validity = Validity::new(time(effective)?, time(expires)?);
        let number = SerialNumber::new(&serial).map_err(|_| CertificateError)?;
        let subject = SubjectPublicKeyInfo::from_key(key.public().key()).map_err(|_| CertificateError)?;
        let name = Name::from_str(NAME).map_err(|_| CertificateError)?;
        let builder = CertificateBuilder::new(Shown(name), number, validity, subject);
        let certificate = builder
            .and_then(|builder| builder.build::<_, rsa::pkcs1v15::Signature>(key.signing()))
            .map_err(|_| CertificateError)?;
        let pem = certificate.to_pem(LineEnding::LF).map_err(|_| CertificateError)?;
        let serial = serial.iter().map(|byte| format!("{byte:02X}")).collect();
        Ok(Self { pem, serial, effective, expires })
    }

    /// Reads one that was issued before.
    ///
    /// Errors: [`CertificateError`] if it is no certificate in PEM.
    pub fn read(pem: &str) -> Result<Self, CertificateError> {
        let certificate = Certificate::from_pem(pem).map_err(|_| CertificateError)?;
        let body = certificate.tbs_certificate();
        let moment = |time: &Time| {
            let since = i64::try_from(time.to_unix_duration().as_secs()).map_err(|_| CertificateError)?;
            Timestamp::from_second(since).map_err(|_| CertificateError)
        };
        let (effective, expires) =
            (moment(&body.validity().not_before)?, moment(&body.validity().not_after)?);
        let serial = body.serial_number().as_bytes().iter().map(|byte| format!("{byte:02X}")).collect();
        Ok(Self { pem: pem.to_owned(), serial, effective, expires })
    }

    /// The certificate as PEM.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Its serial number: 40 hexadecimal digits in capitals.
    pub fn serial(&self) -> &str {
        &self.serial
    }

    /// From when on it holds.
    pub const fn effective(&self) -> Timestamp {
        self.effective
    }

    /// Until when it holds.
    pub const fn expires(&self) -> Timestamp {
        self.expires
    }
}

/// Units: seconds; five years of 365 days.
const LIFE_S: i64 = 5 * 365 * 86_400;

/// Whose certificate it is, and who issued it.
const NAME: &str = "CN=Tenpay.com sign (simulated),O=Tenpay.com (simulated),C=CN";

/// A certificate without extensions, issued by its own subject.
struct Shown(Name);

impl BuilderProfile for Shown {
    fn get_issuer(&self, subject: &Name) -> Name {
        subject.clone()
    }

    fn get_subject(&self) -> Name {
        self.0.clone()
    }

    fn build_extensions(
        &self,
        _spk: SubjectPublicKeyInfoRef<'_>,
        _issuer_spk: SubjectPublicKeyInfoRef<'_>,
        _tbs: &TbsCertificate,
    ) -> x509_cert::builder::Result<Vec<Extension>> {
        Ok(Vec::new())
    }
}

/// A text that is no certificate, or a time that none can say: before 1970 or after 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a certificate in PEM that holds between the years 1970 and 9999")]
pub struct CertificateError;

fn time(at: Timestamp) -> Result<Time, CertificateError> {
    let since = u64::try_from(at.as_second()).map_err(|_| CertificateError)?;
    let date = DateTime::from_unix_duration(std::time::Duration::from_secs(since));
    Ok(Time::GeneralTime(GeneralizedTime::from_date_time(date.map_err(|_| CertificateError)?)))
}
