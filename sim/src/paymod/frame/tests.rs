//! Golden vectors from published sources, and hostile bytes.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;
use crate::wire::{Scan, Wire, check_laws};

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> =
        text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_digit(16).unwrap() as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn key(text: &str) -> LinkKey {
    LinkKey::try_from(text.to_owned()).unwrap()
}

/// Source: NIST SP 800-38A, F.2.1 and F.2.2.
#[test]
fn cbc_as_in_sp_800_38a() {
    let key = key("2b7e151628aed2a6abf7158809cf4f3c");
    let iv: [u8; 16] = hex("000102030405060708090a0b0c0d0e0f").try_into().unwrap();
    let plain = hex("6bc1bee22e409f96e93d7e117393172a ae2d8a571e03ac9c9eb76fac45af8e51
                     30c81c46a35ce411e5fbc1191a0a52ef f69f2445df4f9b17ad2b417be66c3710");
    let sealed = hex("7649abac8119b246cee98e9b12e9197d 5086cb9b507219ee95db113a917678b2
                      73bed6b8e3c1743b7116e69e22229516 3ff1caa1681fac09120eca307586e1a7");
    let ours = key.cbc_encrypt(iv, &plain);
    // What follows is a block of padding, which the publication has none of.
    assert_eq!((&ours[..64], ours.len()), (&sealed[..], 80));
    assert_eq!(key.cbc_decrypt(iv, &ours), Some(plain));
}

/// Source: RFC 3602, section 4, cases 1 and 2.
#[test]
fn cbc_as_in_rfc_3602() {
    for (own, iv, plain, sealed) in [
        (
            "06a9214036b8a15b512e03d534120006",
            "3dafba429d9eb430b422da802c9fac41",
            "53696e676c6520626c6f636b206d7367",
            "e353779c1079aeb82708942dbe77181a",
        ),
        (
            "c286696d887c9aa0611bbb3e2025a45a",
            "562e17996d093d28ddb3ba695a2e6f58",
            "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
            "d296cd94c2cccf8a3a863028b5e1dc0a7586602d253cfff91b8266bea6d61ab1",
        ),
    ] {
        let (plain, sealed) = (hex(plain), hex(sealed));
        let ours = key(own).cbc_encrypt(hex(iv).try_into().unwrap(), &plain);
        assert_eq!(ours[..plain.len()], sealed[..]);
    }
}

/// Source: McGrew and Viega, The Galois/Counter Mode of Operation, test cases 3 and 4.
#[test]
fn gcm_as_its_authors_have_it() {
    let key = key("feffe9928665731c6d6a8f9467308308");
    let nonce: [u8; 12] = hex("cafebabefacedbaddecaf888").try_into().unwrap();
    let plain = hex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72
                     1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255");
    let sealed = hex("42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e
                      21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091473f5985");
    let three = [&sealed[..], &hex("4d5c2af327cd64a62cf35abd2ba6fab4")].concat();
    assert_eq!(key.gcm_encrypt(nonce, &[], &plain), three);
    let head = hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
    let four = [&sealed[..60], &hex("5bc94fbc3221a5db94fae95ae7121a47")].concat();
    assert_eq!(key.gcm_encrypt(nonce, &head, &plain[..60]), four);
    assert_eq!(key.gcm_decrypt(nonce, &head, &four), Some(plain[..60].to_vec()));
    assert_eq!(key.gcm_decrypt(nonce, &head[1..], &four), None);
}

/// A pay request, byte by byte from the protocol's table. The check was computed with Python's `binascii.crc_hqx`.
#[test]
fn a_pay_request_as_the_table_has_it() {
    let order: OrderNumber = "20240102030405000042".parse().unwrap();
    let terms = Terms { amount: 1_250, channel: 1, relay: 2, pulse_ms: 500 };
    let frame = HostMessage::Pay { order, terms }.frame(7);
    let expected = hex("A55A 1E 01 07 3230323430313032303330343035303030303432 000004E2 01 02 01F4 27F8");
    assert_eq!(frame.to_bytes(&()), expected);
    let Scan::Frame { frame: back, used: 35 } = HostFrame::scan(&(), &expected) else { panic!("no frame") };
    assert_eq!(HostMessage::of(&back), Ok(HostMessage::Pay { order, terms }));
}

#[test]
fn every_value_that_is_none_is_refused() {
    let order = OrderNumber::of(42);
    let good = Terms { amount: 1, channel: 2, relay: 0, pulse_ms: 0 };
    let means = |terms: Terms| HostMessage::of(&HostMessage::Pay { order, terms }.frame(0)).is_ok();
    assert!(means(good));
    assert!(means(Terms { relay: 4, pulse_ms: 1, ..good }));
    for bad in [
        Terms { amount: 0, ..good },
        Terms { channel: 0, ..good },
        Terms { channel: 3, ..good },
        Terms { relay: 5, pulse_ms: 1, ..good },
        Terms { relay: 1, pulse_ms: 0, ..good },
    ] {
        assert!(!means(bad), "{bad:?}");
    }
    let query = HostMessage::Query { order }.frame(3);
    assert_eq!(HostMessage::of(&query), Ok(HostMessage::Query { order }));
    for len in [0, 19, 21] {
        let payload = vec![b'1'; len];
        let frame = HostFrame { payload, ..query.clone() };
        assert_eq!(HostMessage::of(&frame), Err(NotAHostMessage::Field(0x03)), "{len}");
    }
    let other = HostFrame { command: 0x06, ..query };
    assert_eq!(HostMessage::of(&other), Err(NotAHostMessage::Command(0x06)));
}

#[test]
fn a_message_of_another_head_key_or_cipher_is_not_opened() {
    let (ours, other) = (LinkKey::new([7; 16]), LinkKey::new([8; 16]));
    let body = Body { command: command::QUERY, sequence: 9, device: 42, ..Body::default() };
    for cipher in [Cipher::Cbc, Cipher::Gcm] {
        let packet = ours.seal(cipher, [3; 16], &body);
        assert_eq!(ours.open(cipher, &packet), Ok(body.clone()));
        assert!(other.open(cipher, &packet).is_err());
        let turned = Packet { device: 43, ..packet.clone() };
        let why = ours.open(cipher, &turned).unwrap_err();
        assert_eq!(why, if cipher == Cipher::Cbc { Unsealed::HeadDiffers } else { Unsealed::Broken });
        let wrong = if cipher == Cipher::Cbc { Cipher::Gcm } else { Cipher::Cbc };
        assert_eq!(ours.open(wrong, &packet), Err(Unsealed::OtherCipher));
        let mut flipped = packet;
        flipped.sealed[0] ^= 1;
        assert_ne!(ours.open(cipher, &flipped), Ok(body.clone()));
    }
}

#[test]
fn no_tag_is_too_high_to_be_refused() {
    assert_eq!(Body::read(&[0xFF, 0x00]), Err(NotABody));
    assert_eq!(Body::read(&[0xFF, 0x00, 0xFF, 0x00]), Err(NotABody));
}

fn bodies() -> impl Strategy<Value = Body> {
    let head = (any::<u8>(), any::<u32>(), any::<u32>(), any::<u64>(), any::<u32>());
    let order = option::of(any::<u64>().prop_map(OrderNumber::of));
    let bytes = || option::of(vec(any::<u8>(), 0..180));
    let small = (order, option::of(any::<u32>()), option::of(any::<u8>()), option::of(any::<u8>()));
    let rest = (bytes(), bytes(), option::of(any::<u8>()), option::of(any::<u64>()), option::of(any::<u8>()));
    (head, small, rest).prop_map(|(head, small, rest)| {
        let (command, sequence, device, session, time_s) = head;
        let (order, amount, channel, status) = small;
        let (link, data, refusal, nonce, delivery) = rest;
        Body {
            command,
            sequence,
            device,
            session,
            time_s,
            order,
            amount,
            channel,
            status,
            link,
            data,
            refusal,
            nonce,
            delivery,
        }
    })
}

proptest! {
    #[test]
    fn host_frames_keep_the_laws(
        command: u8, sequence: u8, payload in vec(any::<u8>(), 0..=253),
        noise in vec(any::<u8>(), 0..20), cuts in vec(any::<usize>(), 0..6),
    ) {
        let frame = HostFrame { command, sequence, payload };
        prop_assert_eq!(check_laws(&(), &frame, &noise, &cuts), Ok(()));
        let _ = HostMessage::of(&frame);
    }

    #[test]
    fn packets_keep_the_laws(
        body in bodies(), gcm: bool, iv: [u8; 16],
        noise in vec(any::<u8>(), 0..40), cuts in vec(any::<usize>(), 0..6),
    ) {
        let cipher = if gcm { Cipher::Gcm } else { Cipher::Cbc };
        let own = LinkKey::new([5; 16]);
        let packet = own.seal(cipher, iv, &body);
        prop_assert_eq!(check_laws(&(), &packet, &noise, &cuts), Ok(()));
        prop_assert_eq!(own.open(cipher, &packet), Ok(body));
    }

    #[test]
    fn what_a_body_reads_it_writes_again(bytes in vec(any::<u8>(), 0..120)) {
        if let Ok(body) = Body::read(&bytes) {
            prop_assert_eq!(body.to_bytes(), bytes);
        }
    }

    #[test]
    fn a_packet_that_is_damaged_is_never_taken_for_another(body in bodies(), place: usize, bit in 0..8_u8) {
        let own = LinkKey::new([5; 16]);
        let mut packet = own.seal(Cipher::Gcm, [1; 16], &body);
        let place = place % packet.sealed.len();
        packet.sealed[place] ^= 1 << bit;
        prop_assert_eq!(own.open(Cipher::Gcm, &packet), Err(Unsealed::Broken));
    }
}
