//! What a certificate says, and what of a rig decides the verdict.

use assay_reports::{SoakRecord, Verdict, render_certificate, render_junit};

use crate::sample;

#[test]
fn a_certificate_tells_what_was_certified_how_thoroughly_and_what_is_open() {
    let certificate = render_certificate(&sample::certified());
    for text in [
        "Assay certificate: fail\n\nProduct       Till server, version 2.1, build sha256:00ff\n",
        "Statement     server of the system pos, profile built-in\n",
        "Self-check    the clock wakes within 90 µs of a deadline\n              `server` is at work\n",
        "Verdict       fail (exit code 100)\nCases         2 cases: 1 pass, 1 fail.\n",
        "Requirements  2: 0 met, 1 violated, 1 not judged, 0 skipped\n",
        "Exploration   2,418 of 2,418 faults struck (100.0 %) at 311 sites of 1 case; 1,205 violations\n",
        "Soak          40 rounds within 60.000000 s, seeds from 7: 40 pass; 80 of 81 drawn faults struck\n",
        "Rig overhead  15,221 transmissions: half within 80 µs, 99 % within 240 µs, the worst 1,290 µs\n",
        "Power         power of `server` (relay) cut 31 times, gone within 12 ms\n",
        "    Replayed 3 times with the same plan; violated again: WAT-I1 in 2.\n",
        "conclusive:\n  - POS-I1 was not judged; it needs the server's ledger\n",
    ] {
        assert!(certificate.contains(text), "{text}\n{certificate}");
    }
}

#[test]
fn a_certificate_without_a_statement_or_a_check_says_so() {
    let mut record = sample::certified();
    let rig = record.rig.as_mut().unwrap();
    (rig.product, rig.self_check) = (None, Vec::new());
    let certificate = render_certificate(&record);
    assert!(certificate.contains("Product       not stated: "), "{certificate}");
    assert!(certificate.contains("Self-check    not passed\n"), "{certificate}");
}

#[test]
fn a_soak_is_as_bad_as_its_worst_round_and_shows_nothing_without_one() {
    let verdict_with = |rounds: &[(Verdict, u64)]| {
        let mut record = sample::certified();
        (record.cases, record.exploration) = (vec![sample::case("a", Verdict::Pass)], Vec::new());
        let rig = record.rig.as_mut().unwrap();
        let soak = SoakRecord { rounds: rounds.iter().copied().collect(), ..sample::rig().soak.unwrap() };
        rig.soak = Some(soak);
        let passes = !render_junit(&record).contains("<error") && !render_junit(&record).contains("<failure");
        assert_eq!(passes, record.verdict() == Verdict::Pass);
        record.verdict()
    };
    assert_eq!(verdict_with(&[(Verdict::Pass, 3)]), Verdict::Pass);
    assert_eq!(verdict_with(&[(Verdict::Pass, 3), (Verdict::Fail, 1)]), Verdict::Fail);
    assert_eq!(verdict_with(&[(Verdict::Pass, 3), (Verdict::Skipped, 1)]), Verdict::Pass);
    assert_eq!(verdict_with(&[(Verdict::Skipped, 9)]), Verdict::Inconclusive);
    assert_eq!(verdict_with(&[]), Verdict::Inconclusive);
}
