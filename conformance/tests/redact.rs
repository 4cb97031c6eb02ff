//! No card number and no key is in any file of a report, however it is written there.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The cards of the cases that are run: those of the POS system, and the first two of the water system's profile.
const CARDS: [&str; 4] = ["8888888888", "7777777777", "0012345678", "0012345679"];

fn report(name: &str, more: &[&str]) -> PathBuf {
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("redact").join(name);
    let _ = fs::remove_dir_all(&out);
    let cases =
        ["run", "pos/payment/*", "water/topup/*", "--policy", "published", "--bench", "tabletop", "--out"];
    let mut command = Command::new(env!("CARGO_BIN_EXE_assay"));
    let output = command.args(cases).arg(&out).args(more).output().unwrap();
    assert_eq!(output.status.code(), Some(100), "{}", String::from_utf8_lossy(&output.stderr));
    let told = String::from_utf8(output.stdout).unwrap();
    if more.is_empty() {
        assert!(CARDS.iter().all(|card| !told.contains(card)), "{told}");
    }
    out
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(self::files(&path)) } else { files.push(path) }
    }
    files
}

/// The forms in which a number may be written: digits, the same in hexadecimal, packed two to a byte, as lists.
fn forms(card: &str) -> Vec<Vec<u8>> {
    let hex: String = card.bytes().map(|digit| format!("{digit:02X}")).collect();
    let pairs: Vec<&str> = (0..card.len()).step_by(2).map(|at| &card[at..at + 2]).collect();
    let listed: Vec<String> =
        pairs.iter().map(|pair| u8::from_str_radix(pair, 16).unwrap().to_string()).collect();
    let spaced: Vec<String> = card.bytes().map(|digit| format!("{digit:02X}")).collect();
    let texts = [listed.join(", "), pairs.join(" "), spaced.join(" ")];
    let packed = card.as_bytes().chunks(2).map(|pair| (pair[0] - b'0') << 4 | (pair[1] - b'0')).collect();
    let texts = texts.map(String::into_bytes);
    let mut forms =
        vec![card.as_bytes().to_vec(), hex.clone().into_bytes(), hex.to_lowercase().into_bytes(), packed];
    forms.extend(texts);
    forms
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[test]
fn no_file_of_a_report_holds_a_card_number_in_any_form() {
    let all = files(&report("told", &[]));
    let kinds: BTreeSet<&str> =
        all.iter().map(|file| file.to_str().unwrap().rsplit('.').next().unwrap()).collect();
    let expected = ["html", "json", "jsonl", "md", "pcapng", "tape", "toml", "xml"];
    assert_eq!(kinds, BTreeSet::from(expected), "every kind of file is looked at");
    for file in &all {
        let bytes = fs::read(file).unwrap();
        for card in CARDS {
            for form in forms(card) {
                assert!(!holds(&bytes, &form), "{card} in {}", file.display());
            }
        }
    }
}

#[test]
fn the_numbers_are_there_for_whoever_asks_and_pseudonyms_tell_the_kinds_apart() {
    let plain = fs::read_to_string(report("plain", &["--show-card-numbers"]).join("run.json")).unwrap();
    let told = fs::read_to_string(report("again", &[]).join("run.json")).unwrap();
    // What the test above looks for is what a report would hold.
    assert!(plain.contains("card 8888888888 charged 3 × 5.50"));
    assert!(CARDS[2..].iter().any(|card| plain.contains(card)), "no water card is told");
    let after = |text: &str, words: &str| {
        let at = text.find(words).unwrap_or_else(|| panic!("{words}"));
        text[..at].rsplit(' ').next().unwrap().to_owned()
    };
    let card = after(&told, " charged 3 × 5.50");
    assert!(card.len() == 10 && card.starts_with("90"), "{card}");
    // Wherever the number is in the one report, the pseudonym is in the other.
    let count = |text: &str, number: &str| text.matches(number).count();
    assert_eq!(count(&plain, "8888888888"), count(&told, &card));
    assert!(told.contains("91"), "water cards have another beginning");
}

#[test]
fn a_report_is_the_same_whenever_it_is_made() {
    let [one, other] = ["one", "other"].map(|name| report(name, &[]));
    let tapes = |dir: &Path| -> Vec<Vec<u8>> {
        let mut files = files(&dir.join("replay"));
        files.sort();
        let kept = files.into_iter().filter(|file| !file.to_str().unwrap().ends_with(".toml"));
        kept.map(|file| fs::read(file).unwrap()).collect()
    };
    assert!(!tapes(&one).is_empty());
    assert_eq!(tapes(&one), tapes(&other));
}

/// A terminal's words on a wire whose check was good are words whose check is good.
#[test]
fn a_trace_whose_numbers_were_replaced_still_decodes() {
    use assay_sim::water::frame::{RawFrame, Scanned};
    use assay_sim::water::profile::{BUILT_IN, Profile};
    let profile = Profile::load(BUILT_IN, &toml::Table::new(), 1).unwrap();
    let out = report("decodes", &[]);
    let (mut sound, mut unsound) = (0, 0);
    for file in files(&out).iter().filter(|file| file.to_str().unwrap().ends_with(".trace.jsonl")) {
        let trace = assay_reports::read_trace(&fs::read_to_string(file).unwrap()).unwrap();
        for entry in trace.entries {
            let named = entry.name.as_deref().is_some_and(|name| name.contains("order-request"));
            let Some(hex) = entry.hex.filter(|_| named) else { continue };
            let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
            let bytes: Vec<u8> = (0..hex.len()).step_by(2).map(byte).collect();
            for at in 0..bytes.len() {
                match RawFrame::scan_detailed(&profile.frame, &bytes[at..]) {
                    Scanned::Frame { .. } => sound += 1,
                    Scanned::BadCrc { .. } => unsound += 1,
                    _ => {}
                }
            }
        }
    }
    assert!(sound > 0, "no frame was looked at");
    assert_eq!(unsound, 0, "beside {sound} sound frames");
}
