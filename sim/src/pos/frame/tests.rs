//! Golden and hostile datagrams, and the laws of the codec.

use proptest::collection::vec;
use proptest::prelude::*;
use serde::Deserialize;

use super::field::{COMMA, Fields, parse_address, trimmed};
use super::*;
use crate::money::Fen;
use crate::pos::frame::label::{JUNK, label};
use crate::time::Wall;

/// The form that the vendor's newer devices have.
const FORMAT: FrameFormat =
    FrameFormat { datagram_max: 1_024, seq_max: 16, scan: ScanForm { flag: true, serial: true } };

#[derive(Deserialize)]
struct File {
    datagram: Vec<Sample>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sample {
    name: String,
    way: String,
    text: Option<String>,
    hex: Option<String>,
    fill: Option<String>,
    len: Option<usize>,
    #[serde(default)]
    cut_each: bool,
}

impl Sample {
    /// The datagrams that it stands for.
    fn datagrams(&self) -> Vec<Vec<u8>> {
        let bytes = match (&self.text, &self.hex, &self.fill, self.len) {
            (Some(text), None, None, None) => text::encode(text),
            (None, Some(hex), None, None) => {
                (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..][..2], 16).unwrap()).collect()
            }
            (None, None, Some(fill), Some(len)) => {
                let mut bytes = fill.clone().into_bytes();
                bytes.resize(len, b'1');
                bytes
            }
            _ => panic!("{}: one of text, hex, fill with len", self.name),
        };
        if self.cut_each { (0..bytes.len()).map(|len| bytes[..len].to_vec()).collect() } else { vec![bytes] }
    }
}

fn golden() -> Vec<Sample> {
    toml::from_str::<File>(include_str!("../../../../fixtures/frames/pos.toml")).unwrap().datagram
}

fn hostile() -> Vec<Sample> {
    toml::from_str::<File>(include_str!("../../../../fixtures/frames/pos-hostile.toml")).unwrap().datagram
}

/// A datagram read by whoever it goes to: its meaning in words, and how it is written again.
fn read(way: &str, bytes: &[u8]) -> Result<(String, Vec<u8>), Malformed> {
    if way == "up" {
        DeviceMessage::parse(bytes, &FORMAT).map(|message| (format!("{message:#?}"), message.to_bytes()))
    } else {
        ServerMessage::parse(bytes, &FORMAT).map(|message| (format!("{message:#?}"), message.to_bytes()))
    }
}

#[test]
fn golden_datagrams_mean_what_the_tables_say_and_are_written_the_same() {
    let mut meanings = String::new();
    for sample in golden() {
        let [bytes] = &sample.datagrams()[..] else { panic!("{}", sample.name) };
        let (meaning, written) =
            read(&sample.way, bytes).unwrap_or_else(|why| panic!("{}: {why}", sample.name));
        let told: Vec<&str> = meaning.split_whitespace().collect();
        meanings += &format!("{}\n    {}\n", sample.name, told.join(" "));
        assert_ne!(label(bytes), JUNK, "{}", sample.name);
        let blanks = sample.name.contains("blanks");
        let plain = String::from_utf8(bytes.clone()).unwrap();
        let plain = if blanks { plain.replace(", ", ",") } else { plain };
        assert_eq!(String::from_utf8(written).unwrap(), plain, "{}", sample.name);
    }
    insta::assert_snapshot!(meanings);
}

#[test]
fn hostile_datagrams_are_read_or_refused_and_what_is_read_is_written_alike() {
    let samples = hostile();
    let names: std::collections::BTreeSet<&str> = samples.iter().map(|sample| sample.name.as_str()).collect();
    assert_eq!(names.len(), samples.len(), "names are unique");
    assert!(samples.len() >= 200, "{}", samples.len());
    let (mut refused, mut all) = (0, 0);
    for sample in &samples {
        for bytes in sample.datagrams() {
            all += 1;
            match read(&sample.way, &bytes) {
                Ok((meaning, written)) => {
                    let again = read(&sample.way, &written).map(|(meaning, _)| meaning);
                    assert_eq!(again, Ok(meaning), "{}", sample.name);
                }
                Err(_) => refused += 1,
            }
        }
    }
    // The others have the right shape, and are refused by what they ask for.
    assert!(refused > all / 2 && refused < all, "{refused} of {all}");
}

/// A bad amount, card or time is no reason to leave a message without an answer.
#[test]
fn what_a_payment_says_wrongly_is_kept_as_it_is() {
    for sample in hostile() {
        let field = ["payment, amount", "payment, card", "payment, time"]
            .into_iter()
            .position(|kind| sample.name.starts_with(kind) && !sample.cut_each);
        let Some(field) = field.filter(|_| !sample.name.contains("zero") || sample.name.contains("minus"))
        else {
            continue;
        };
        let bytes = sample.datagrams().remove(0);
        let message = DeviceMessage::parse(&bytes, &FORMAT);
        let Ok(DeviceMessage::Pay { card, amount, at, .. }) = message else {
            panic!("{}: {message:?}", sample.name)
        };
        let wrong = [amount.is_err(), card.is_err(), at.is_err()];
        assert!(wrong[field], "{}", sample.name);
        assert_eq!(wrong.iter().filter(|wrong| **wrong).count(), 1, "{}", sample.name);
    }
}

#[test]
fn amounts_have_two_decimals_and_nothing_else() {
    for (text, fen) in [("5.50", 550), ("0.00", 0), ("0.01", 1), ("007.10", 710), ("9999999.99", 999_999_999)]
    {
        assert_eq!(parse_amount(text.as_bytes()), Some(Fen(fen)), "{text}");
    }
    for text in
        ["", ".", "5", "5.5", "5.500", ".50", "-5.50", "+5.50", "5.5e", "5,50", "10000000.00", " 5.50"]
    {
        assert_eq!(parse_amount(text.as_bytes()), None, "{text}");
    }
}

#[test]
fn the_end_of_a_103_tells_the_flag_from_the_serial() {
    let head = "103,1,1.2.3.4,1.2.3.4,00002,8888888888,5.50,2018-01-09 08:30:00";
    for (tail, flag, serial) in [
        ("", None, None),
        (",2", Some(b'2'), None),
        (",1234567890", None, Some("1234567890")),
        (",2,1234567890", Some(b'2'), Some("1234567890")),
    ] {
        let message = DeviceMessage::parse(format!("{head}{tail}").as_bytes(), &FORMAT).unwrap();
        let DeviceMessage::Pay { head, flag: read, .. } = message else { panic!("{message:?}") };
        assert_eq!((read, head.serial.as_deref()), (flag, serial.map(str::as_bytes)), "{tail}");
    }
}

#[test]
fn a_code_is_taken_whole_whatever_the_form() {
    let front = "128,1,1.2.3.4,1.2.3.4,00002,00001,5.50,2018-01-09 08:30:00";
    for (flag, serial, tail, code) in [
        (true, true, ",2,a,b ,,c,S", "a,b ,,c"),
        (true, false, ",2,a,b", "a,b"),
        (false, true, ",a, b,S", "a, b"),
        (false, false, ",a", "a"),
    ] {
        let format = FrameFormat { scan: ScanForm { flag, serial }, ..FORMAT };
        let bytes = format!("{front}{tail}").into_bytes();
        let message = DeviceMessage::parse(&bytes, &format).unwrap();
        let DeviceMessage::Scan { code: read, .. } = &message else { panic!("{message:?}") };
        assert_eq!(&**read, code.as_bytes());
        assert_eq!(message.to_bytes(), bytes);
    }
}

#[test]
fn times_are_days_that_there_are() {
    let time = SaleTime::of(b"2024-02-29 23:59:59").unwrap();
    assert_eq!(time.to_string(), "2024-02-29 23:59:59");
    assert_eq!(time.next().to_string(), "2024-03-01 00:00:00");
    assert!(!time.same_minute(time.next()));
    assert_eq!(SaleTime::of(b"2023-02-29 00:00:00"), None);
    assert_eq!(SaleTime::of(SaleTime::IMPOSSIBLE), None);
    assert_eq!(SaleTime::at(Wall::from_us(1_999_999)), SaleTime::at(Wall::from_us(1_000_000)));
}

/// Bytes 5C, 7B and 7D are the second bytes of these characters.
#[test]
fn signs_are_told_from_the_second_halves_of_characters() {
    let tricky = [0x81, 0x5C, b'n', 0x81, 0x7B, 0x81, 0x7D];
    let shown = text::runs(&tricky);
    assert_eq!(shown.len(), 1);
    assert!(!shown[0].large && !shown[0].text.contains('\n') && shown[0].text.chars().count() == 4);
    assert_ne!(text::runs_bytewise(&tricky), shown);
    let signs = text::encode("余额\\n{94.50}元");
    let runs = text::runs(&signs);
    let told: Vec<(bool, &str)> = runs.iter().map(|run| (run.large, run.text.as_str())).collect();
    assert_eq!(told, [(false, "余额\n"), (true, "94.50"), (false, "元")]);
    assert_eq!(text::one_line(&runs), "余额\\n94.50元");
    assert_eq!(text::one_line(&text::runs(b"a\x1b[2J\r\n")), "a\\u{1b}[2J\\r\\n");
    assert_eq!(text::encode("a\u{1F600}b"), b"a?b");
}

#[test]
fn names_go_by_the_command_and_by_nothing_else() {
    for (bytes, name) in [
        (&b"000"[..], "000"),
        (b"103,", "103"),
        (b"103,x,y", "103"),
        (b"1030,x", JUNK),
        (b"10", JUNK),
        (b"107,x", JUNK),
        (b"", JUNK),
    ] {
        assert_eq!(label(bytes), name);
    }
}

fn field() -> impl Strategy<Value = Vec<u8>> {
    vec(prop_oneof![Just(b' '), Just(b'0'), b'0'..=b'9', any::<u8>()], 0..24)
}

proptest! {
    #[test]
    fn any_bytes_at_all_get_an_answer(bytes in vec(any::<u8>(), 0..1_200)) {
        for way in ["up", "down"] {
            let _answer = read(way, &bytes);
        }
        let _drawn = text::one_line(&text::runs(&bytes));
    }

    /// What can be read is written so that it reads the same.
    #[test]
    fn what_is_read_reads_the_same_again(
        command in 0..17_usize,
        mut fields in vec(field(), 1..14),
    ) {
        let commands = ["000", "001", "002", "003", "006", "008", "009", "011", "100", "101", "102", "103", "104",
            "105", "106", "109", "128"];
        fields.insert(0, commands[command].into());
        // The machine is where a device's message has it, so that more than heads are tried.
        if command > 8 && fields.len() > 4 {
            fields[4] = b"00002".to_vec();
        } else if let Some(machine) = fields.get_mut(1) {
            *machine = b"00002".to_vec();
        }
        let bytes = fields.join(&b","[..]);
        for way in ["up", "down"] {
            if let Ok((meaning, written)) = read(way, &bytes) {
                prop_assert_eq!(read(way, &written).map(|(meaning, _)| meaning), Ok(meaning));
            }
        }
    }

    /// An address reads as the standard library reads it.
    #[test]
    fn addresses_are_read_as_anybody_reads_them(
        text in prop_oneof![
            "[0-9]{1,3}[.][0-9]{1,3}[.][0-9]{1,3}[.][0-9]{1,3}",
            "(0|1|25[0-9]|[0-9]|26.)([.](0|01|25[56]|[0-9]{1,2})){2,4}",
            "[0-9.]{0,16}",
        ],
    ) {
        prop_assert_eq!(parse_address(text.as_bytes()), text.parse().ok(), "{}", text);
    }

    #[test]
    fn fields_are_what_lies_between_commas(bytes in vec(prop_oneof![Just(b','), Just(b'-'), any::<u8>()], 0..60)) {
        let plain: Vec<&[u8]> = bytes.split(|byte| *byte == COMMA).map(trimmed).collect();
        match Fields::of(&bytes) {
            Some(fields) => prop_assert_eq!(&*fields, &plain[..]),
            None => prop_assert!(plain.len() > 16),
        }
    }

    #[test]
    fn text_of_any_kind_keeps_its_characters(text in "[\\\\{}a-z0-9一-龥]{0,40}") {
        let plain: String = text.chars().filter(|sign| !['{', '}', '\\'].contains(sign)).collect();
        let shown = text::decode(&text::encode(&plain));
        prop_assert_eq!(&shown, &plain);
        let drawn: String = text::runs(&text::encode(&plain)).iter().map(|run| run.text.as_str()).collect();
        prop_assert_eq!(drawn, plain);
    }
}
