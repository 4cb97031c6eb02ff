//! What a report does not tell: card numbers, payment codes and keys. A number is replaced by one of the same length
//! that stands for it, the same everywhere in a report, so that what is left still reads, decodes and checks.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::OnceLock;

use assay_reports::attest::sha256;
use assay_reports::{Exhibit, LedgerLine};
use assay_sim::bench::Names;
use assay_sim::fault::LinkKind;
use assay_sim::tape::{Entry, LineId, Seen};

use crate::system::{Cast, Suited};

/// How card numbers are told, decided once for a run of the tool.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Telling {
    /// By pseudonyms that follow from the numbers, so that a report can be made again.
    #[default]
    Drawn,
    /// By pseudonyms of this run alone: nobody finds a number by trying all of them.
    Salted([u8; 32]),
    /// As they are.
    Plain,
}

static TELLING: OnceLock<Telling> = OnceLock::new();

/// Decides how card numbers are told; whoever decides first has decided.
pub fn set_telling(telling: Telling) {
    let _ = TELLING.set(telling);
}

fn telling() -> &'static Telling {
    TELLING.get_or_init(Telling::default)
}

/// A salt for a run whose cards may be somebody's.
pub fn salted() -> Telling {
    Telling::Salted(assay_reports::attest::random())
}

/// The kinds of numbers that stand for people, each with how its pseudonyms begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A card of the POS system.
    PosCard,
    /// A card of the water system.
    WaterCard,
    /// A code that pays.
    Code,
}

impl Kind {
    /// How a pseudonym of this kind begins.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::PosCard => "90",
            Self::WaterCard => "91",
            Self::Code => "92",
        }
    }
}

/// How long a code that pays is.
///
/// Units: digits.
const CODE: std::ops::RangeInclusive<usize> = 16..=24;

/// How long a card number is.
///
/// Units: digits.
const CARD: usize = 10;

/// What is told in place of what, for one tape.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Redaction {
    numbers: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Redaction {
    /// For these numbers of these kinds.
    pub fn new(numbers: impl IntoIterator<Item = (Kind, Vec<u8>)>) -> Self {
        let sorted: BTreeSet<(Kind, Vec<u8>)> = numbers.into_iter().collect();
        let (mut told, mut taken) = (BTreeMap::new(), BTreeSet::new());
        for (kind, number) in sorted {
            let mut tries = 0;
            let pseudonym = loop {
                let pseudonym = pseudonym(kind, &number, tries, telling());
                // Two numbers never look like one, however unlikely it was.
                if taken.insert(pseudonym.clone()) {
                    break pseudonym;
                }
                tries += 1;
            };
            told.insert(number, pseudonym);
        }
        Self { numbers: told }
    }

    /// For a tape: the cards of its cast, and every number of that form in what crossed its links that is no device's,
    /// also where it is cut in two.
    pub fn of<'a, F: Suited<Event: 'a>>(
        scene: &F::Scene,
        entries: impl Iterator<Item = &'a Entry<F::Event>>,
    ) -> Self {
        if *telling() == Telling::Plain {
            return Self::default();
        }
        let (kind, devices) = (scene.card_kind(), scene.devices());
        let mut numbers: Vec<(Kind, Vec<u8>)> =
            scene.card_numbers().into_iter().map(|card| (kind, card.digits().to_vec())).collect();
        let mut streams: BTreeMap<(bool, LineId, usize, u16), Vec<u8>> = BTreeMap::new();
        for entry in entries {
            let sent = matches!(entry.what, Seen::Sent { .. });
            if let Seen::Sent { line, way, conn, bytes, .. } | Seen::Heard { line, way, conn, bytes } =
                &entry.what
            {
                numbers.extend(found(kind, bytes));
                streams.entry((sent, *line, way.index(), *conn)).or_default().extend_from_slice(bytes);
            }
        }
        numbers.extend(streams.values().flat_map(|bytes| found(kind, bytes)));
        Self::new(numbers.into_iter().filter(|(_, number)| !devices.contains(number)))
    }

    /// A text as it is told.
    pub fn text(&self, text: &str) -> String {
        let mut bytes = text.as_bytes().to_vec();
        if *telling() == Telling::Plain {
            return text.to_owned();
        }
        self.digits(&mut bytes);
        mask_keys(&mut bytes);
        let text = String::from_utf8(bytes).unwrap_or_else(|_| "a text that is not told".to_owned());
        self.lists(&text)
    }

    /// A text in which numbers are told, too, that are written as lists of bytes: `[0, 18, 52, 86, 120]`.
    fn lists(&self, text: &str) -> String {
        let mut told = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(open) = rest.find('[') {
            let (before, inside) = rest.split_at(open + 1);
            told += before;
            rest = inside;
            let end = inside.find(|it: char| !it.is_ascii_digit() && it != ',' && it != ' ');
            let list = &inside[..end.unwrap_or(inside.len())];
            let bytes: Result<Vec<u8>, _> = list.split(", ").map(str::parse).collect();
            let Ok(before) = bytes.map_err(|_: std::num::ParseIntError| ()) else { continue };
            let mut after = before.clone();
            self.bytes(&mut after);
            if after != before {
                told += &after.iter().map(u8::to_string).collect::<Vec<_>>().join(", ");
                rest = &inside[list.len()..];
            }
        }
        told + rest
    }

    /// Bytes of a wire as they are told: numbers in digits and packed two to a byte, and keys.
    pub fn bytes(&self, bytes: &mut [u8]) {
        if *telling() == Telling::Plain {
            return;
        }
        self.digits(bytes);
        let mut at = 0;
        while let Some(packed) = bytes.get(at..at + CARD / 2) {
            let pseudonym = unpacked(packed).and_then(|digits| self.numbers.get(&digits));
            if let Some(digits) = pseudonym {
                for (byte, pair) in bytes[at..].iter_mut().zip(digits.chunks_exact(2)) {
                    *byte = (pair[0] - b'0') << 4 | (pair[1] - b'0');
                }
                at += CARD / 2 - 1;
            }
            at += 1;
        }
        mask_keys(bytes);
    }

    /// What was read off a party, as it is told.
    pub fn exhibit(&self, exhibit: Exhibit) -> Exhibit {
        match exhibit {
            // Packed digits are themselves the digits of the hexadecimal form.
            Exhibit::Memory { hex, torn } => Exhibit::Memory { hex: self.text(&hex), torn },
            Exhibit::Ledger { of, lines } => {
                let line = |line: LedgerLine| LedgerLine {
                    key: self.text(&line.key),
                    amount: line.amount,
                    note: self.text(&line.note),
                };
                Exhibit::Ledger { of, lines: lines.into_iter().map(line).collect() }
            }
        }
    }

    /// A tape's entries as they are told: what crosses a link is told as one stream, so that no number is missed that
    /// is cut in two.
    pub fn entries<'a, F: Suited<Event: 'a>>(
        &self,
        scene: &F::Scene,
        names: &Names,
        entries: impl Iterator<Item = &'a Entry<F::Event>>,
    ) -> Vec<Entry<F::Event>> {
        let mut entries: Vec<Entry<F::Event>> = entries.cloned().collect();
        if *telling() == Telling::Plain {
            return entries;
        }
        let kind = |line: LineId| names.links.get(usize::from(line.0)).map(|link| link.kind);
        let mut streams: BTreeMap<(bool, LineId, usize, u16), Vec<usize>> = BTreeMap::new();
        for (at, entry) in entries.iter_mut().enumerate() {
            if let Seen::Case(text) = &mut entry.what {
                *text = self.text(text);
            }
            let sent = matches!(entry.what, Seen::Sent { .. });
            let (Seen::Sent { line, way, conn, bytes, .. } | Seen::Heard { line, way, conn, bytes }) =
                &mut entry.what
            else {
                continue;
            };
            match kind(*line) {
                // What a card and its reader modulate is the card's memory, whatever it is cut into.
                Some(LinkKind::Air) => bytes.clear(),
                Some(LinkKind::Datagram) => self.sealed(scene, bytes),
                _ => streams.entry((sent, *line, way.index(), *conn)).or_default().push(at),
            }
        }
        for places in streams.into_values() {
            self.stream::<F>(scene, &mut entries, &places);
        }
        entries
    }

    fn stream<F: Suited>(&self, scene: &F::Scene, entries: &mut [Entry<F::Event>], places: &[usize]) {
        let mut whole = Vec::new();
        for at in places {
            if let Seen::Sent { bytes, .. } | Seen::Heard { bytes, .. } = &entries[*at].what {
                whole.extend_from_slice(bytes);
            }
        }
        self.sealed(scene, &mut whole);
        let mut rest = whole.as_slice();
        for at in places {
            if let Seen::Sent { bytes, .. } | Seen::Heard { bytes, .. } = &mut entries[*at].what {
                let (own, others) = rest.split_at(bytes.len());
                bytes.copy_from_slice(own);
                rest = others;
            }
        }
    }

    /// Bytes as they are told, with the checks of sound frames made good.
    fn sealed<F: Suited>(&self, scene: &impl Cast<F>, bytes: &mut [u8]) {
        let before = bytes.to_vec();
        self.bytes(bytes);
        if *bytes != *before {
            scene.reseal(&before, bytes);
        }
    }

    fn digits(&self, bytes: &mut [u8]) {
        for run in runs(bytes) {
            let within = run.start + escape_before(bytes, &run)..run.end;
            match self.numbers.get(&bytes[within.clone()]) {
                Some(pseudonym) => bytes[within].copy_from_slice(pseudonym),
                None if run.len() >= CARD => self.run(&mut bytes[run]),
                None => {}
            }
        }
    }

    /// A run of digits: a number as a whole, or cards within it.
    fn run(&self, run: &mut [u8]) {
        if let Some(pseudonym) = self.numbers.get(&*run) {
            run.copy_from_slice(pseudonym);
            return;
        }
        let mut at = 0;
        while let Some(card) = run.get_mut(at..at + CARD) {
            match self.numbers.get(&*card) {
                Some(pseudonym) => {
                    card.copy_from_slice(pseudonym);
                    at += CARD;
                }
                None => at += 1,
            }
        }
    }
}

/// Numbers by their form: maximal runs of digits as long as a card's or a code's, of what there can be. A code behind
/// an escaped quotation mark, `%22`, is one without the digits of the escape.
fn found(kind: Kind, bytes: &[u8]) -> impl Iterator<Item = (Kind, Vec<u8>)> {
    let (cards, codes) = (kind != Kind::Code, kind != Kind::WaterCard);
    runs(bytes).into_iter().flat_map(move |run| {
        let within = run.start + escape_before(bytes, &run)..run.end;
        [run, within].into_iter().filter_map(move |run| match run.len() {
            CARD if cards => Some((kind, bytes[run].to_vec())),
            len if codes && CODE.contains(&len) => Some((Kind::Code, bytes[run].to_vec())),
            _ => None,
        })
    })
}

/// Maximal runs of digits.
fn runs(bytes: &[u8]) -> Vec<Range<usize>> {
    let (mut runs, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let len = bytes[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        if len > 0 {
            runs.push(at..at + len);
        }
        at += len.max(1);
    }
    runs
}

/// How many of a run's digits may belong to an escape such as `%22`.
fn escape_before(bytes: &[u8], run: &Range<usize>) -> usize {
    let escaped = run.start > 0 && bytes[run.start - 1] == b'%' && run.len() > 2;
    if escaped { 2 } else { 0 }
}

fn pseudonym(kind: Kind, number: &[u8], tries: u32, telling: &Telling) -> Vec<u8> {
    let salt: &[u8] = match telling {
        Telling::Salted(salt) => salt,
        Telling::Drawn | Telling::Plain => &[],
    };
    let number = String::from_utf8_lossy(number);
    let mut digits = kind.prefix().as_bytes().to_vec();
    let mut round = 0;
    while digits.len() < number.len() {
        let of = format!("{} {number} {tries} {round}", kind.prefix());
        let hash = sha256(&[salt, of.as_bytes()].concat());
        // The ten digits among the sixteen are as likely as each other.
        digits.extend(hash.bytes().filter(u8::is_ascii_digit));
        round += 1;
    }
    digits.truncate(number.len());
    digits
}

fn unpacked(packed: &[u8]) -> Option<Vec<u8>> {
    let halves = packed.iter().flat_map(|byte| [byte >> 4, byte & 0x0F]);
    halves.map(|half| (half <= 9).then_some(b'0' + half)).collect()
}

/// Names whose values are keys.
const NAMES: [&[u8]; 11] = [
    b"password",
    b"passwd",
    b"secret",
    b"api_key",
    b"apikey",
    b"api-key",
    b"private_key",
    b"access_token",
    b"authorization",
    b"mch_key",
    b"&key",
];

/// Puts stars in place of what is called a key: private keys in PEM form, values of names such as `password`, and the
/// password of an access point.
pub fn mask_keys(bytes: &mut [u8]) {
    let lower = bytes.to_ascii_lowercase();
    for name in NAMES {
        for at in positions(&lower, name) {
            mask_value(bytes, at + name.len());
        }
    }
    for at in positions(&lower, b"private key-----") {
        let from = at + b"private key-----".len();
        let len = positions(&lower[from..], b"-----end").next().unwrap_or(lower.len() - from);
        mask(&mut bytes[from..from + len]);
    }
    for at in positions(&lower, b"at+cstt=") {
        let line = lower[at..].split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
        let commas: Vec<usize> = positions(line, b",").collect();
        if let [_, password, ..] = commas[..] {
            mask(&mut bytes[at + password + 1..at + line.len()]);
        }
    }
}

fn positions<'a>(bytes: &'a [u8], part: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    bytes.windows(part.len()).enumerate().filter(move |(_, window)| *window == part).map(|(at, _)| at)
}

/// The value after a name, if there is a sign between them that says so.
fn mask_value(bytes: &mut [u8], from: usize) {
    let between = |byte: &u8| matches!(byte, b'"' | b'\'' | b' ' | b'\\' | b'=' | b':');
    let gap = bytes[from..].iter().take_while(|byte| between(byte)).count();
    if !bytes[from..from + gap].iter().any(|byte| matches!(byte, b'=' | b':')) {
        return;
    }
    let value = &mut bytes[from + gap..];
    let ends = |byte: &u8| matches!(byte, b'"' | b'\'' | b'\\' | b'&' | b',' | b';' | b'}' | b'\r' | b'\n');
    let len = value.iter().position(ends).unwrap_or(value.len());
    mask(&mut value[..len]);
}

/// Stars for everything but what keeps the form of a text.
fn mask(bytes: &mut [u8]) {
    let plain = |byte: &&mut u8| !matches!(**byte, b'"' | b'\\' | b' ' | b'\r' | b'\n');
    bytes.iter_mut().filter(plain).for_each(|byte| *byte = b'*');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redaction() -> Redaction {
        Redaction::new([
            (Kind::PosCard, b"8888888888".to_vec()),
            (Kind::WaterCard, b"0100000042".to_vec()),
            (Kind::Code, b"134567890123456789".to_vec()),
        ])
    }

    #[test]
    fn a_number_has_one_pseudonym_that_tells_its_kind() {
        let told = redaction().text("8888888888 pays 134567890123456789, 8888888888 and 0100000042");
        let words: Vec<&str> = told.split([' ', ',']).filter(|word| word.len() > 4).collect();
        assert_eq!(words[0], words[2]);
        assert_eq!(words.iter().map(|word| word.len()).collect::<Vec<_>>(), [10, 18, 10, 10]);
        assert_eq!([&words[0][..2], &words[1][..2], &words[3][..2]], ["90", "92", "91"]);
        assert_eq!(told, redaction().text("8888888888 pays 134567890123456789, 8888888888 and 0100000042"));
        // In a form a code stands behind an escaped quotation mark.
        let form = redaction().text("auth_code%22%3A%22134567890123456789%22");
        assert!(form.starts_with("auth_code%22%3A%2292") && form.ends_with("%22"), "{form}");
        // What is no card stays: too short, too long, or unknown.
        for other in ["888888888", "1234567890", "13456789012345678", "a 5.50 b"] {
            assert_eq!(redaction().text(other), other);
        }
    }

    #[test]
    fn numbers_are_found_by_the_form_that_there_can_be() {
        let bytes = b"t=1704164645 c=%22284567890123456789%22 4200000000202401020000000001 S000007T001";
        let of = |kind| found(kind, bytes).map(|(_, number)| number.len()).collect::<Vec<_>>();
        // What is behind no escape is found twice alike; what is, with the digits of the escape and without.
        assert_eq!(of(Kind::Code), [20, 18]);
        assert_eq!(of(Kind::WaterCard), [10, 10]);
        assert_eq!(of(Kind::PosCard), [10, 10, 20, 18]);
    }

    #[test]
    fn a_number_is_found_in_digits_packed_and_within_a_longer_run() {
        let mut bytes = b"103,8888888888,\x01\x88\x88\x88\x88\x88\x03".to_vec();
        redaction().bytes(&mut bytes);
        assert!(bytes.starts_with(b"103,90") && bytes[15] == 0x01 && bytes[16] == 0x90 && bytes[21] == 0x03);
        assert!(!redaction().text("31088888888883").contains("8888888888"));
    }

    #[test]
    fn a_number_that_is_written_as_a_list_of_bytes_is_told_otherwise() {
        let told = redaction().text("Closed { card: CardNumber([1, 0, 0, 0, 66]), order: 7 }");
        assert!(told.starts_with("Closed { card: CardNumber([145, "), "{told}");
        assert!(told.ends_with("]), order: 7 }"), "{told}");
        for same in ["[1, 0, 0, 0, 67]", "[", "[1, 0, 0, 0, 660]", "udp-a [1] [2]", "[1,0,0,0,66]", "[]"] {
            assert_eq!(redaction().text(same), same);
        }
    }

    #[test]
    fn keys_are_starred_and_what_is_no_key_stays() {
        let masked = |text: &str| {
            let mut bytes = text.as_bytes().to_vec();
            mask_keys(&mut bytes);
            String::from_utf8(bytes).unwrap()
        };
        assert_eq!(masked("a=1&key=8f3a&sign=2"), "a=1&key=****&sign=2");
        assert_eq!(masked(r#"{"Password": "geheim", "n": 1}"#), r#"{"Password": "******", "n": 1}"#);
        assert_eq!(masked("Authorization: Bearer abc\r\nHost"), "Authorization: ****** ***\r\nHost");
        assert_eq!(masked("AT+CSTT=\"cmnet\",\"user\",\"pass\"\r"), "AT+CSTT=\"cmnet\",\"user\",\"****\"\r");
        assert_eq!(
            masked("-----BEGIN PRIVATE KEY-----\nMC4C\n-----END PRIVATE KEY-----"),
            "-----BEGIN PRIVATE KEY-----\n****\n-----END PRIVATE KEY-----"
        );
        for same in ["key low", "the password is wrong", "keys 5.50", "secretary: no", "AT+CSTT?"] {
            let expected = if same.starts_with("secretary") { "secretary: no" } else { same };
            assert_eq!(masked(same), expected);
        }
    }
}
