//! A certificate authority of one's own: it signs the server's certificate and a merchant's.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

/// The names under which the platforms are reached: this computer, and the platforms' own by host alias.
const NAMES: [&str; 8] = [
    "localhost",
    "127.0.0.1",
    "::1",
    "api.mch.weixin.qq.com",
    "api2.mch.weixin.qq.com",
    "openapi.alipay.com",
    "openapi.alipaydev.com",
    "openapi-sandbox.dl.alipaydev.com",
];

/// How many of the names are this computer's.
const HERE: usize = 3;

/// Certificates and keys, as PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    /// Its own certificate, which clients have to trust.
    pub certificate: String,
    /// The server's certificate.
    pub server: String,
    /// The server's key.
    pub server_key: String,
    /// A merchant's certificate, for calls that move money back.
    pub client: String,
    /// The merchant's key.
    pub client_key: String,
    /// The certificate of a merchant's own server on this computer, to which notifications go over TLS.
    pub shop: String,
    /// That server's key.
    pub shop_key: String,
    /// The authority's own key, with which servers elsewhere can be certified.
    pub key: String,
}

impl Authority {
    /// An authority with new keys.
    ///
    /// Errors: in words, why there is none.
    pub fn generate() -> Result<Self, String> {
        Self::try_generate().map_err(|error| error.to_string())
    }

    fn try_generate() -> Result<Self, rcgen::Error> {
        let mut params = named("Assay test authority", &[])?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate()?;
        let certificate = params.self_signed(&key)?.pem();
        let own_key = key.serialize_pem();
        let issuer = Issuer::new(params, key);
        let sign = |name: &str, names: &[&str], purpose| -> Result<(String, String), rcgen::Error> {
            let mut params = named(name, names)?;
            params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
            params.extended_key_usages = vec![purpose];
            params.use_authority_key_identifier_extension = true;
            let key = KeyPair::generate()?;
            Ok((params.signed_by(&key, &issuer)?.pem(), key.serialize_pem()))
        };
        let (server, server_key) = sign("localhost", &NAMES, ExtendedKeyUsagePurpose::ServerAuth)?;
        let (client, client_key) = sign("Assay test merchant", &[], ExtendedKeyUsagePurpose::ClientAuth)?;
        let (shop, shop_key) = sign("Assay test shop", &NAMES[..HERE], ExtendedKeyUsagePurpose::ServerAuth)?;
        Ok(Self { certificate, server, server_key, client, client_key, shop, shop_key, key: own_key })
    }
}

fn named(name: &str, names: &[&str]) -> Result<CertificateParams, rcgen::Error> {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name.push(DnType::CommonName, name);
    Ok(params)
}
