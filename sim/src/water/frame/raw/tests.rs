use proptest::prelude::*;

use super::*;
use crate::water::frame::format::tests::profile_format;
use crate::wire::{LawBroken, check_laws};

/// Computed with an independent CRC implementation; the first is the worked example of the protocol's description.
const ORDER_REQUEST: [u8; 29] = *b"\xAA\x55\x00\x01\x01\x00\x1B\x20\x18\x01\x09\x250012345678%12.5\x5A\x46";
const HEARTBEAT: [u8; 14] = *b"\xAA\x55\x00\x00\x01\x00\x0C\x20\x18\x01\x09\x25\x62\x2A";
const HEARTBEAT_ANSWER: [u8; 28] = *b"\xAA\x55\x11\x00\x01\x00\x1A\x20\x18\x01\x09\x2520260102030405\xDC\x37";
const TIERED_ORDER_ANSWER: [u8; 40] =
    *b"\xAA\x55\x11\x11\x01\x00\x26\x20\x18\x01\x09\x250012345678%1042%1%12.5%100\xB7\x86";
const UPLOAD: [u8; 37] = *b"\xAA\x55\x00\x02\x01\x00\x23\x20\x18\x01\x09\x250012345678%1042%1%112.5\x8B\x38";
const UPLOAD_NEGATIVE: [u8; 14] = *b"\xAA\x55\x10\x02\x01\x00\x0C\x20\x18\x01\x09\x25\x30\xDB";
const LONGEST_ORDER_ANSWER: [u8; 71] = *b"\xAA\x55\x11\x01\x01\x00\x45\x20\x18\x01\x09\x25\
    0012345678%12345678901234567890%1%42949672.95%42949672.95\x7E\x5F";

/// The order request in the other forms of length and machine number.
const SHORT_LENGTH: [u8; 28] = *b"\xAA\x55\x00\x01\x01\x1A\x20\x18\x01\x09\x250012345678%12.5\x95\x33";
const ASCII_MACHINE: [u8; 34] = *b"\xAA\x55\x00\x01\x01\x00\x2020180109250012345678%12.5\xAE\x4F";
const U32_MACHINE: [u8; 28] = *b"\xAA\x55\x00\x01\x01\x00\x1A\x78\x48\x67\x2D0012345678%12.5\xEF\xBF";
const SHORTEST: [u8; 12] = *b"\xAA\x55\x00\x00\x01\x0A\x78\x48\x67\x2D\x25\xD5";

fn frame(answer: u8, kind: u8, content: &[u8]) -> RawFrame {
    let machine = MachineNumber::parse(b"2018010925").unwrap();
    RawFrame { answer, kind, version: 1, machine, content: content.to_vec() }
}

fn golden(format: &FrameFormat, frame: &RawFrame, bytes: &[u8]) {
    assert_eq!(frame.to_bytes(format), bytes);
    let found = Scanned::Frame { frame: frame.clone(), used: bytes.len() };
    assert_eq!(RawFrame::scan_detailed(format, bytes), found);
    let crc = u16::from_be_bytes([bytes[bytes.len() - 2], bytes[bytes.len() - 1]]);
    assert_eq!(crc16_xmodem(&bytes[..bytes.len() - 2]), crc);
}

#[test]
fn the_crc_is_xmodem_by_value() {
    assert_eq!(crc16_xmodem(b"123456789"), 0x31C3);
    assert_eq!(crc16_xmodem(b""), 0);
    assert_eq!(crc16_xmodem(&ORDER_REQUEST[..27]), 0x5A46);
    assert_eq!(crc16_xmodem(&ORDER_REQUEST), 0);
}

#[test]
fn golden_frames_read_and_write() {
    let format = profile_format();
    golden(&format, &frame(word::MESSAGE, 0x01, b"0012345678%12.5"), &ORDER_REQUEST);
    golden(&format, &frame(word::MESSAGE, 0x00, b""), &HEARTBEAT);
    golden(&format, &frame(word::POSITIVE, 0x00, b"20260102030405"), &HEARTBEAT_ANSWER);
    golden(&format, &frame(word::POSITIVE, 0x11, b"0012345678%1042%1%12.5%100"), &TIERED_ORDER_ANSWER);
    golden(&format, &frame(word::MESSAGE, 0x02, b"0012345678%1042%1%112.5"), &UPLOAD);
    golden(&format, &frame(word::NEGATIVE, 0x02, b""), &UPLOAD_NEGATIVE);
    let longest = b"0012345678%12345678901234567890%1%42949672.95%42949672.95";
    assert_eq!(longest.len(), 57);
    golden(&format, &frame(word::POSITIVE, 0x01, longest), &LONGEST_ORDER_ANSWER);
}

#[test]
fn golden_frames_of_the_other_forms() {
    let request = frame(word::MESSAGE, 0x01, b"0012345678%12.5");
    let format = profile_format();
    golden(&FrameFormat { length: LengthForm::U8, ..format }, &request, &SHORT_LENGTH);
    golden(&FrameFormat { machine: MachineForm::Ascii, ..format }, &request, &ASCII_MACHINE);
    golden(&FrameFormat { machine: MachineForm::U32, ..format }, &request, &U32_MACHINE);
    let shortest = FrameFormat { length: LengthForm::U8, machine: MachineForm::U32, ..format };
    golden(&shortest, &frame(word::MESSAGE, 0x00, b""), &SHORTEST);
}

/// The worked frame with one byte replaced.
fn spoilt(at: usize, byte: u8) -> [u8; 29] {
    let mut bytes = ORDER_REQUEST;
    bytes[at] = byte;
    bytes
}

#[test]
fn a_wrong_crc_is_told_apart_and_drops_one_byte() {
    let format = profile_format();
    let answer = RawFrame::scan_detailed(&format, &spoilt(28, 0x47));
    let as_read = frame(word::MESSAGE, 0x01, b"0012345678%12.5");
    assert_eq!(answer, Scanned::BadCrc { frame: as_read, len: 29, used: 1 });
    let Scanned::BadCrc { frame, .. } = RawFrame::scan_detailed(&format, &spoilt(3, 0x41)) else {
        panic!("a damaged type is a damaged frame");
    };
    assert_eq!(frame.kind, 0x41);
    assert_eq!(RawFrame::scan(&format, &spoilt(28, 0x47)), Scan::Junk { used: 1, why: "wrong CRC" });
    // A CRC with init FFFF also leaves the residue 0 over the whole frame, and is not ours.
    let mut other = HEARTBEAT;
    other[12..].copy_from_slice(&[0xE6, 0xD3]);
    assert!(matches!(RawFrame::scan_detailed(&format, &other), Scanned::BadCrc { .. }));
}

#[test]
fn what_cannot_be_a_frame_is_junk_at_once() {
    let format = profile_format();
    let junk = |bytes: &[u8]| match RawFrame::scan_detailed(&format, bytes) {
        Scanned::Junk { used, why } => (used, why),
        other => panic!("{other:?}"),
    };
    assert_eq!(junk(&spoilt(0, 0xAB)), (29, "no header"));
    assert_eq!(junk(b"xyz\xAA\x55"), (3, "no header"));
    assert_eq!(junk(&spoilt(1, 0xAA)), (1, "half a header"));
    assert_eq!(junk(&spoilt(4, 2)), (1, "unknown version"));
    assert_eq!(junk(&spoilt(4, 2)[..5]), (1, "unknown version"));
    assert_eq!(junk(&spoilt(6, 11)), (1, "length below the header's own"));
    assert_eq!(junk(&spoilt(6, 77)[..7]), (1, "length over the limit"));
    assert_eq!(junk(&spoilt(5, 1)[..7]), (1, "length over the limit"));
    assert_eq!(junk(&spoilt(7, 0xA0)[..8]), (1, "machine number with a non-digit"));
    assert_eq!(junk(&spoilt(11, 0x0A)[..12]), (1, "machine number with a non-digit"));
    // One inside each limit, for comparison.
    assert_eq!(RawFrame::scan_detailed(&format, &spoilt(6, 76)), Scanned::NeedMore);
    assert!(matches!(RawFrame::scan_detailed(&format, &spoilt(7, 0x99)), Scanned::BadCrc { .. }));
    let ascii = FrameFormat { machine: MachineForm::Ascii, ..format };
    let mut letters = ASCII_MACHINE;
    letters[9] = b'x';
    let found = Scanned::Junk { used: 1, why: "machine number with a non-digit" };
    assert_eq!(RawFrame::scan_detailed(&ascii, &letters[..10]), found);
}

#[test]
fn content_over_the_limit_breaks_the_stated_maximum() {
    let format = profile_format();
    let mut frame = frame(word::MESSAGE, 0, &[b'1'; 64]);
    assert_eq!(check_laws(&format, &frame, &[], &[]), Ok(()));
    frame.content.push(b'1');
    assert_eq!(check_laws(&format, &frame, &[], &[]), Err(LawBroken::NoRoundTrip { len: 78 }));
}

fn forms() -> impl Strategy<Value = FrameFormat> {
    let lengths = prop_oneof![Just(LengthForm::U16), Just(LengthForm::U8)];
    let machines = prop_oneof![Just(MachineForm::Bcd), Just(MachineForm::Ascii), Just(MachineForm::U32)];
    (lengths, machines, 0_usize..=200).prop_map(|(length, machine, content_max)| FrameFormat {
        length,
        machine,
        content_max,
        ..profile_format()
    })
}

/// Bytes in which headers and parts of headers are common.
fn noise(len_max: usize) -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        4 => any::<u8>(),
        3 => Just(0xAA_u8),
        3 => Just(0x55_u8),
        2 => prop_oneof![Just(0_u8), Just(1), Just(0x0C), Just(0x11)],
    ];
    proptest::collection::vec(byte, 0..=len_max)
}

proptest! {
    #[test]
    fn the_four_laws_hold_in_every_form(
        format in forms(),
        (answer, kind, machine) in (any::<u8>(), any::<u8>(), any::<u32>()),
        content in noise(200),
        junk in noise(60),
        cuts in proptest::collection::vec(any::<usize>(), 0..8),
    ) {
        let content = content[..content.len().min(format.content_max)].to_vec();
        let frame = RawFrame { answer, kind, version: 1, machine: machine.into(), content };
        prop_assert_eq!(check_laws(&format, &frame, &junk, &cuts), Ok(()));
    }

    #[test]
    fn one_flipped_bit_never_gives_a_frame_of_that_length(bit in 0_usize..29 * 8) {
        let mut bytes = ORDER_REQUEST;
        bytes[bit / 8] ^= 0x80 >> (bit % 8);
        let whole = matches!(
            RawFrame::scan_detailed(&profile_format(), &bytes),
            Scanned::Frame { used: 29, .. }
        );
        prop_assert!(!whole);
    }
}
