use jiff::Timestamp;
use serde::Deserialize;
use x509_cert::Certificate;
use x509_cert::der::{DecodePem, Encode};

use super::*;
use crate::seed::Seed;

const PKCS1: &str = include_str!("../../../../fixtures/payments/rfc9500-rsa2048-pkcs1.pem");
const PKCS8: &str = include_str!("../../../../fixtures/payments/rfc9500-rsa2048-pkcs8.pem");
const PUBLIC: &str = include_str!("../../../../fixtures/payments/rfc9500-rsa2048-public.pem");
const PUBLIC_PKCS1: &str = include_str!("../../../../fixtures/payments/rfc9500-rsa2048-public-pkcs1.pem");

/// What other programs made of the key of RFC 9500.
#[derive(Deserialize)]
struct Vectors {
    signature: Vec<Signed>,
    sealed: Vec<Sealed>,
}

#[derive(Deserialize)]
struct Signed {
    message_hex: String,
    signature: String,
}

#[derive(Deserialize)]
struct Sealed {
    key: String,
    nonce: String,
    associated: String,
    text: String,
    sealed: String,
}

fn vectors() -> Vectors {
    toml::from_str(include_str!("../../../../fixtures/payments/vectors.toml")).unwrap()
}

fn unhex(text: &str) -> Vec<u8> {
    text.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// The same text in one line, as the platforms' key tools write it.
fn bare(pem: &str) -> String {
    pem.lines().filter(|line| !line.starts_with("-----")).collect()
}

#[test]
fn signatures_are_those_that_another_library_makes() {
    let key = SecretKey::read(PKCS1).unwrap();
    let vectors = vectors().signature;
    assert_eq!(vectors.len(), 5);
    for vector in vectors {
        let message = unhex(&vector.message_hex);
        assert_eq!(key.sign(&message), vector.signature);
        assert_eq!(key.public().verify(&message, &vector.signature), Ok(()));
        let mut other = message.clone();
        other.push(b'\n');
        assert_eq!(key.public().verify(&other, &vector.signature), Err(BadSignature::False));
    }
}

/// Source: the test of signatures in wechatpay-go, the platform's own library.
#[test]
fn a_signature_that_the_platforms_own_library_publishes_is_good() {
    const SIGNATURE: &str = concat!(
        "BKyAfU4iMCuvXMXS0Wzam3V/cnxZ+JaqigPM5OhljS2iOT95OO6Fsuml2JkFANJU9K6q9bLlDhPXuoVz+pp4hAm6pHU4ld815U4jsKu1RkyaI",
        "I+1CYBUYC8TK0XtJ8FwUXXz8vZHh58rrAVN1XwNyvD1vfpxrMT4SL536GLwvpUHlCqIMzoZUguLli/K8V29QiOhuH6IEqLNJn8e9b3nwNcQ7b",
        "e3CzYGpDAKBfDGPCqCv8Rw5zndhlffk2FEA70G4hvMwe51qMN/RAJbknXG23bSlObuTCN7Ndj1aJGH6/L+hdwfLpUtJm4QYVazzW7DFD27EpS",
        "QEqA8bX9+8m1rLg==",
    );
    let text = include_str!("../../../../fixtures/payments/wechatpay-go-public.pem");
    let key = PublicKey::read(text).unwrap();
    assert_eq!(key.verify(b"source", SIGNATURE), Ok(()));
    assert_eq!(key.verify(b"Source", SIGNATURE), Err(BadSignature::False));
}

#[test]
fn a_spoiled_signature_is_false_or_unreadable() {
    let key = SecretKey::read(PKCS8).unwrap();
    let good = key.sign(b"text");
    for position in [0, 100, 340] {
        let mut letters = good.clone().into_bytes();
        letters[position] = if letters[position] == b'A' { b'B' } else { b'A' };
        let spoiled = String::from_utf8(letters).unwrap();
        assert_eq!(key.public().verify(b"text", &spoiled), Err(BadSignature::False), "{position}");
    }
    for (text, why) in
        [("", BadSignature::False), ("QUJD", BadSignature::False), ("no!", BadSignature::NotBase64)]
    {
        assert_eq!(key.public().verify(b"text", text), Err(why), "{text}");
    }
    let stranger = SecretKey::generate(&mut KeyStream::of_seed(Seed(1), "stranger"));
    assert_eq!(stranger.public().verify(b"text", &good), Err(BadSignature::False));
}

#[test]
fn a_key_is_read_in_every_form_that_the_platforms_tools_write() {
    let expected = SecretKey::read(PKCS1).unwrap().sign(b"same");
    let windows = PKCS1.replace('\n', "\r\n");
    for text in [PKCS8.to_owned(), bare(PKCS1), bare(PKCS8), windows, format!("a note\n{PKCS8}\n")] {
        assert_eq!(SecretKey::read(&text).unwrap().sign(b"same"), expected, "{text}");
    }
    for text in [PUBLIC.to_owned(), PUBLIC_PKCS1.to_owned(), bare(PUBLIC), bare(PUBLIC_PKCS1)] {
        assert_eq!(PublicKey::read(&text).unwrap().verify(b"same", &expected), Ok(()), "{text}");
    }
    let key = SecretKey::read(PKCS1).unwrap();
    assert_eq!((key.to_pkcs1().as_str(), key.to_pkcs8().as_str()), (PKCS1, PKCS8));
    assert_eq!(key.public().to_pem(), PUBLIC);
}

#[test]
fn what_is_no_key_is_refused_by_name() {
    for text in
        ["", "-----BEGIN ", "-----BEGIN PRIVATE KEY-----", "key!", "-----BEGIN PRIVATE KEY-----\n-----END P"]
    {
        assert_eq!(SecretKey::read(text).unwrap_err(), KeyError::Unreadable, "{text}");
        assert_eq!(PublicKey::read(text).unwrap_err(), KeyError::Unreadable, "{text}");
    }
    let kind = |error: KeyError| matches!(error, KeyError::Kind { .. });
    assert!(kind(SecretKey::read(PUBLIC).unwrap_err()));
    assert!(kind(PublicKey::read(PKCS8).unwrap_err()));
    assert_eq!(SecretKey::read(&bare(PUBLIC)).unwrap_err(), KeyError::NotRsa);
    assert_eq!(PublicKey::read("QUJD").unwrap_err(), KeyError::NotRsa);
    let lines: Vec<&str> = PKCS8.lines().collect();
    let without_one = [&lines[..5], &lines[6..]].concat().join("\n");
    assert_eq!(SecretKey::read(&without_one).unwrap_err(), KeyError::NotRsa);
    let hostile = SecretKey::read("-----BEGIN \u{1b}[2J-----\nQUJD\n-----END \u{1b}[2J-----").unwrap_err();
    assert!(hostile.to_string().contains("\"\\u{1b}[2J\""), "{hostile}");
}

/// A key of 1024 bits, made by OpenSSL.
#[test]
fn a_key_that_the_platforms_find_too_small_is_refused() {
    let text = include_str!("../../../../fixtures/payments/rsa1024-public.pem");
    assert_eq!(PublicKey::read(text).unwrap_err(), KeyError::Small(1024));
}

#[test]
fn sealed_texts_are_those_that_another_library_makes() {
    for vector in vectors().sealed {
        let key = ApiV3Key::new(&vector.key).unwrap();
        let nonce: [u8; 12] = vector.nonce.as_bytes().try_into().unwrap();
        assert_eq!(key.seal(&nonce, &vector.associated, vector.text.as_bytes()), vector.sealed);
        assert_eq!(key.open(&nonce, &vector.associated, &vector.sealed).unwrap(), vector.text.as_bytes());
        assert_eq!(key.open(&nonce, "other", &vector.sealed), Err(Unsealed));
        assert_eq!(key.open(b"ABCDEFGHIJKL", &vector.associated, &vector.sealed), Err(Unsealed));
        assert_eq!(key.open(&nonce, &vector.associated, "QUJD"), Err(Unsealed));
        assert_eq!(key.open(&nonce, &vector.associated, "?"), Err(Unsealed));
        let other = ApiV3Key::new("0123456789abcdef0123456789abcdeF").unwrap();
        assert_eq!(other.open(&nonce, &vector.associated, &vector.sealed), Err(Unsealed));
    }
}

#[test]
fn an_api_v3_key_has_32_letters_and_digits() {
    for bad in ["", "0123456789abcdef0123456789abcde", "0123456789abcdef0123456789abcdef0"] {
        assert!(ApiV3Key::new(bad).is_err(), "{bad}");
    }
    assert!(ApiV3Key::new("0123456789abcdef0123456789abcde_").is_err());
    assert_eq!(format!("{:?}", ApiV3Key::new(&"k".repeat(32)).unwrap()), "ApiV3Key(..)");
}

#[test]
fn a_seed_and_a_name_decide_the_keys() {
    let made = |seed, name| SecretKey::generate(&mut KeyStream::of_seed(Seed(seed), name)).to_pkcs8();
    assert_eq!(made(1, "wechat"), made(1, "wechat"));
    assert_ne!(made(1, "wechat"), made(1, "alipay"));
    assert_ne!(made(1, "wechat"), made(2, "wechat"));
    let of_secret = |secret| KeyStream::of_secret([secret; 32]).text(20);
    assert_eq!(of_secret(1), of_secret(1));
    assert_ne!(of_secret(1), of_secret(2));
    assert_eq!(KeyStream::of_secret([1; 32]).text(0), "");
    assert_eq!(KeyStream::of_secret([1; 32]).text(13).len(), 13);
}

#[test]
fn a_certificate_shows_the_key_its_number_and_its_years() {
    let key = SecretKey::read(PKCS1).unwrap();
    let mut stream = KeyStream::of_seed(Seed(5), "certificates");
    let from: Timestamp = "2026-03-01T08:00:00.75+08:00".parse().unwrap();
    let shown = PlatformCertificate::issue(&key, &mut stream, from).unwrap();
    let read = Certificate::from_pem(shown.pem()).unwrap();
    assert_eq!(shown.serial().len(), 40);
    assert_eq!(read.tbs_certificate().serial_number().as_bytes(), unhex(shown.serial()));
    assert_eq!(shown.effective().to_string(), "2026-03-01T00:00:00Z");
    assert_eq!(shown.expires().to_string(), "2031-02-28T00:00:00Z");
    assert_eq!(read.tbs_certificate().validity().not_before.to_unix_duration().as_secs(), 1_772_323_200);
    let body = read.tbs_certificate().to_der().unwrap();
    let signature = base64::Engine::encode(
        &base64::engine::general_purpose::STANDARD,
        read.signature().as_bytes().unwrap(),
    );
    assert_eq!(key.public().verify(&body, &signature), Ok(()));
    assert_eq!(PublicKey::read(shown.pem()).unwrap().verify(&body, &signature), Ok(()));
    assert_eq!(PlatformCertificate::read(shown.pem()), Ok(shown.clone()));
    assert!(PlatformCertificate::read(PUBLIC).is_err());
    let second = PlatformCertificate::issue(&key, &mut stream, from).unwrap();
    assert_ne!(second.serial(), shown.serial());
    assert!(PlatformCertificate::issue(&key, &mut stream, Timestamp::MAX).is_err());
    assert!(PlatformCertificate::issue(&key, &mut stream, "1969-12-31T00:00:00Z".parse().unwrap()).is_err());
}
