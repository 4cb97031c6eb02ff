use super::*;
use proptest::prelude::*;

/// Three bytes `<x>` are a frame `x`.
fn toy(bytes: &[u8]) -> Option<(usize, &'static str)> {
    match bytes {
        [b'<', b'a', b'>', ..] => Some((3, "frame-a")),
        [b'<', b'b', b'>', ..] => Some((3, "frame-b")),
        _ => None,
    }
}

fn host(chunks: &[&[u8]]) -> Vec<(Vec<u8>, &'static str)> {
    let mut scanner = HostScanner::new(toy, 100);
    let mut units = Vec::new();
    for chunk in chunks {
        scanner.push(chunk);
        while let Some(unit) = scanner.poll() {
            assert_eq!(scanner.unit_bytes().len(), unit.len);
            units.push((scanner.unit_bytes().to_vec(), unit.name));
        }
    }
    units.extend(scanner.flush());
    assert!(scanner.is_empty());
    units
}

fn modem(chunks: &[&[u8]]) -> Vec<(Vec<u8>, &'static str)> {
    let mut scanner = ModemScanner::new(toy, 100);
    let mut units = Vec::new();
    for chunk in chunks {
        scanner.push(chunk);
        while let Some(unit) = scanner.poll() {
            assert_eq!(scanner.unit_bytes().len(), unit.len);
            units.push((scanner.unit_bytes().to_vec(), unit.name));
        }
    }
    units.extend(scanner.flush());
    assert!(scanner.is_empty());
    units
}

fn named(units: &[(Vec<u8>, &'static str)]) -> Vec<(usize, &'static str)> {
    units.iter().map(|(bytes, name)| (bytes.len(), *name)).collect()
}

#[test]
fn a_host_says_commands_data_and_escapes() {
    let bytes = b"AT\r\nATE0\rAT+IPSEND=6\r<a><b>AT+IPSEND=0, 4\r\r\nA\rxyAT+CSQ\r+++foo\r";
    assert_eq!(
        named(&host(&[bytes])),
        [
            (3, "AT"),
            (6, "ATE0"),
            (12, "AT+IPSEND"),
            (3, "frame-a"),
            (3, "frame-b"),
            (15, "AT+IPSEND"),
            (4, "data"),
            (9, "AT+CSQ"),
            (3, "+++"),
            (4, "noise"),
        ]
    );
}

#[test]
fn a_command_where_data_was_expected_is_a_command() {
    assert_eq!(named(&host(&[b"AT+IPSEND=9\rAT+CSQ\r"])), [(12, "AT+IPSEND"), (7, "AT+CSQ")]);
    assert_eq!(named(&host(&[b"AT+IPSEND=9\rATTENTION"])), [(12, "AT+IPSEND"), (9, "data")]);
    assert_eq!(named(&host(&[b"AT+IPSEND=999\rATI\r"])), [(14, "AT+IPSEND"), (4, "ATI")]);
}

#[test]
fn a_module_says_lines_prompts_echoes_and_blocks() {
    let bytes =
        b"AT\r\r\nOK\r\n\r\n+CSQ: 18,0\r\n\r\nOK\r\n\r\n> \r\nSEND OK\r\n\r\n+IPDATA: 4\r\n\r\nOK\r\n\
        +IPDATA: 0,3\r\n<b>\r\n<IPDATA: 3>\r\n<a>4\r+WHAT: 1\r\n";
    assert_eq!(
        named(&modem(&[bytes])),
        [
            (3, "echo"),
            (6, "OK"),
            (14, "+CSQ"),
            (6, "OK"),
            (4, "prompt"),
            (11, "SEND OK"),
            (18, "+IPDATA"),
            (19, "frame-b"),
            (18, "frame-a"),
            (2, "4"),
            (10, "line-other"),
        ]
    );
}

#[test]
fn a_sim800a_is_sent_data_by_count_or_up_to_its_end_and_delivers_it_behind_a_colon() {
    let bytes = b"AT+CIPSEND=6\r<a><b>AT+CIPSEND=3,2\r\x1aAAT+CIPSEND\rhi\r\nOK\x1aAT+CIPSEND\rno\x1bAT+CIPSEND?\rAT\r";
    assert_eq!(
        named(&host(&[bytes])),
        [
            (13, "AT+CIPSEND"),
            (3, "frame-a"),
            (3, "frame-b"),
            (15, "AT+CIPSEND"),
            (2, "data"),
            (11, "AT+CIPSEND"),
            (7, "data"),
            (11, "AT+CIPSEND"),
            (3, "data"),
            (12, "AT+CIPSEND"),
            (3, "AT"),
        ]
    );
    // With several links, a number alone is that of a link, and the data ends at a control-Z.
    let bytes =
        b"AT+CIPMUX=1\rAT+CIPSEND=2\rhello\x1aAT+CIPSEND=2,3\ra\x1abAT+CIPMUX=0\rAT+CIPSEND=2\rhiAT\r";
    assert_eq!(
        named(&host(&[bytes])),
        [
            (12, "AT+CIPMUX"),
            (13, "AT+CIPSEND"),
            (6, "data"),
            (15, "AT+CIPSEND"),
            (3, "data"),
            (12, "AT+CIPMUX"),
            (13, "AT+CIPSEND"),
            (2, "data"),
            (3, "AT"),
        ]
    );
    // Refused, and longer than any data.
    assert_eq!(named(&host(&[b"AT+CIPSEND\rAT+CSQ\r"])), [(11, "AT+CIPSEND"), (7, "AT+CSQ")]);
    let endless = [b"AT+CIPSEND\r".as_slice(), &[b'x'; 101], b"AT\r"].concat();
    assert_eq!(named(&host(&[&endless])), [(11, "AT+CIPSEND"), (101, "data"), (3, "AT")]);
    let bytes = b"\r\n+IPD,6:\r\nOK\r\n\r\nOK\r\n\r\n+IPD,3,TCP:<b>\r\nCLOSED\r\n\r\n+RECEIVE,1,3:\r\n<a>+IPD,101:\r\n";
    assert_eq!(
        named(&modem(&[bytes])),
        [(15, "+IPDATA"), (6, "OK"), (16, "frame-b"), (10, "CLOSED"), (20, "frame-a"), (11, "line-other"),]
    );
}

#[test]
fn a_count_beyond_the_limit_is_not_believed() {
    assert_eq!(named(&modem(&[b"\r\n+IPDATA: 101\r\n\r\nOK\r\n"])), [(16, "line-other"), (6, "OK")]);
    assert_eq!(named(&modem(&[b"\r\n+IPDATA: 0\r\n\r\nOK\r\n"])), [(14, "line-other"), (6, "OK")]);
}

#[test]
fn an_incomplete_tail_comes_out_whole_after_a_silence() {
    let mut scanner = ModemScanner::new(toy, 100);
    scanner.push(b"\r\n+IPDATA: 9\r\n<a>12");
    assert_eq!(scanner.poll(), None);
    assert_eq!(scanner.flush(), Some((b"\r\n+IPDATA: 9\r\n<a>12".to_vec(), "frame-a")));
    assert_eq!(scanner.flush(), None);
    scanner.push(b"\r\nOK");
    assert_eq!(scanner.poll(), None);
    assert_eq!(scanner.flush().unwrap().1, "OK");
    let mut scanner = HostScanner::new(toy, 100);
    scanner.push(b"AT+IPSEND=9\r<a>1");
    assert_eq!(scanner.poll(), Some(Unit { len: 12, name: "AT+IPSEND" }));
    assert_eq!(scanner.poll(), None);
    assert_eq!(scanner.flush(), Some((b"<a>1".to_vec(), "frame-a")));
    scanner.push(b"AT\r");
    assert_eq!(scanner.poll(), Some(Unit { len: 3, name: "AT" }));
}

#[test]
fn endless_lines_are_let_go() {
    let junk = vec![b'x'; 10_000];
    for units in [host(&[&junk]), modem(&[&junk])] {
        assert_eq!(units.iter().map(|(bytes, _)| bytes.len()).sum::<usize>(), 10_000);
        assert_eq!(units[0].0.len(), 564);
    }
    let ends = vec![b'\r'; 10_000];
    for units in [host(&[&ends]), modem(&[&ends])] {
        assert!(units.iter().all(|(bytes, _)| bytes.len() <= 564));
    }
}

/// Streams made of what such lines carry, and of any bytes at all.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            b"AT\r".to_vec(),
            b"AT+IPSEND=6\r".to_vec(),
            b"AT+IPSEND=2,3\r\n".to_vec(),
            b"<a><b>".to_vec(),
            b"\r\nOK\r\n".to_vec(),
            b"\r\n> ".to_vec(),
            b"\r\n+IPDATA: 5\r\n".to_vec(),
            b"+IPDATA: 1,3\r\n<a>".to_vec(),
            b"0\r".to_vec(),
            b"AT+CIPSEND\r".to_vec(),
            b"AT+CIPSEND=4\r".to_vec(),
            b"\r\n+IPD,3:".to_vec(),
            b"+IPD,3,TCP:<a>".to_vec(),
            b"\x1a".to_vec(),
            b"+++".to_vec(),
            b"A/".to_vec(),
        ]),
        prop::collection::vec(any::<u8>(), 0..8),
        prop::collection::vec(prop::sample::select(b"AT\r\n+> IPDATA:5".to_vec()), 0..8),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn units_are_the_same_however_reads_are_cut(
        bytes in stream(),
        cuts in prop::collection::vec(any::<usize>(), 0..6),
    ) {
        let mut places: Vec<usize> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).collect();
        places.extend([0, bytes.len()]);
        places.sort_unstable();
        let chunks: Vec<&[u8]> = places.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        for scan in [host, modem] {
            let whole = scan(&[&bytes]);
            prop_assert_eq!(&scan(&chunks), &whole);
            prop_assert_eq!(&scan(&single), &whole);
            prop_assert_eq!(whole.iter().flat_map(|(bytes, _)| bytes.clone()).collect::<Vec<_>>(), bytes.clone());
        }
    }
}
