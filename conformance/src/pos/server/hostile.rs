//! Datagrams that are no messages, and such as ask for what cannot be done.

use assay_sim::pos::frame::text::encode;
use assay_sim::seed::Seed;
use serde::Deserialize;

use super::head::Head;
use super::{CARD, OTHER, SOON, case, quiet, rest, setup};
use crate::pos::{Case, Setup, Stage};
use crate::stage::StageError;

/// After so many of them, a good message is sent.
const BETWEEN: usize = 25;

/// The collection has one code in many sales.
const ANY_CODE: &str = "[platform]\ncodes_once = false\n";

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case {
            setup: Setup { profile: ANY_CODE, ..setup(2) },
            ..case(
                "pos/server-hostile/every-sample",
                "Every hostile datagram of the collection comes, and good messages between them",
                &["POS-A1", "POS-P1", "POS-X1"],
                every_sample,
            )
        },
        case(
            "pos/server-hostile/noise",
            "Bytes come that are like messages and are none, from the place of a device that also speaks sense",
            &["POS-A1", "POS-P1", "POS-X1"],
            noise,
        ),
    ]
}

#[derive(Deserialize)]
struct File {
    datagram: Vec<Sample>,
}

/// A datagram, or the beginnings of one, as the collection has it.
#[derive(Deserialize)]
struct Sample {
    text: Option<String>,
    hex: Option<String>,
    fill: Option<String>,
    len: Option<usize>,
    #[serde(default)]
    cut_each: bool,
}

impl Sample {
    fn bytes(&self) -> Vec<u8> {
        let fill = self.fill.as_ref().map(|fill| {
            let mut bytes = fill.clone().into_bytes();
            bytes.resize(self.len.unwrap_or(bytes.len()), b'1');
            bytes
        });
        let text = self.text.as_ref().map(|text| encode(text));
        let pairs = self.hex.as_ref().map(|hex| hex.as_bytes().chunks(2).filter_map(hex_byte).collect());
        text.or(pairs).or(fill).unwrap_or_default()
    }

    fn datagrams(&self) -> Vec<Vec<u8>> {
        let bytes = self.bytes();
        if self.cut_each { (0..bytes.len()).map(|len| bytes[..len].to_vec()).collect() } else { vec![bytes] }
    }
}

fn hex_byte(pair: &[u8]) -> Option<u8> {
    u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()
}

fn samples() -> Vec<Vec<u8>> {
    let text = include_str!("../../../../fixtures/frames/pos-hostile.toml");
    let file: File = toml::from_str(text).expect("the collection reads, which a test of the library holds");
    file.datagram.iter().flat_map(Sample::datagrams).collect()
}

/// A good payment of ten fen, the next of its kind.
fn good(stage: &mut Stage, head: Head) -> Result<(), StageError> {
    let number = stage.next_number();
    let (minute, second) = (10 + number / 60, number % 60);
    head.sell(stage, "103", &format!("{OTHER},0.10,2024-01-02 03:{minute:02}:{second:02}"))?;
    Ok(())
}

fn every_sample(stage: &mut Stage) -> Result<(), StageError> {
    for some in samples().chunks(BETWEEN) {
        for bytes in some {
            Head(0).throw(stage, bytes.clone())?;
            stage.pause(SOON)?;
        }
        quiet(stage)?;
        good(stage, Head(0))?;
        good(stage, Head(1))?;
    }
    rest(stage)
}

fn noise(stage: &mut Stage) -> Result<(), StageError> {
    const LIKELY: &[u8] = b",,,,0123456789.-: 1038 \xA3\xFF\x00\\";
    let mut draws = Seed(1).stream("hostile device");
    let whole =
        encode(&Head(0).message(stage, "103", "00009", &format!("{CARD},5.50,2024-01-02 03:05:00"))?);
    for round in 0..120_usize {
        let bytes: Vec<u8> = if round % 2 == 0 {
            let len = draws.between(1, 1_500);
            (0..len)
                .map(|_| LIKELY[usize::try_from(draws.below(LIKELY.len() as u64)).unwrap_or_default()])
                .collect()
        } else {
            // A good payment with fields taken out or put in.
            let mut fields: Vec<&[u8]> = whole.split(|byte| *byte == b',').collect();
            let at = usize::try_from(draws.below(fields.len() as u64)).unwrap_or_default();
            if draws.below(2) == 0 {
                fields.remove(at);
                fields.remove(0);
            } else {
                fields.insert(at, b"7777777777");
                fields.insert(at, b"7777777777");
            }
            fields.join(&b',')
        };
        Head(0).throw(stage, bytes)?;
        stage.pause(SOON)?;
        if round % BETWEEN == 0 {
            good(stage, Head(0))?;
        }
    }
    quiet(stage)?;
    good(stage, Head(1))?;
    rest(stage)
}
