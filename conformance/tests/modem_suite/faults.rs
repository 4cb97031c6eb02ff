//! The reference under faults of its line, mishaps around it, and hangs at both its ends.

use assay_conformance::modem;
use assay_conformance::water::Case;
use assay_sim::fault::{Fate, Fault, LinkKind, Mishap, Moment, Strike};
use assay_sim::machine::Torn;
use assay_sim::tabletop::{SiteKind, Visit};
use assay_sim::time::Span;

use super::{HARDENED, told};

/// Every unit on the UART that a run went through, with the faults that a line can suffer at any of its bytes.
fn line_faults(visits: &[Visit]) -> Vec<Strike> {
    let mut strikes = Vec::new();
    for visit in visits.iter().filter(|visit| visit.site.place == "uart-a") {
        let SiteKind::Unit { link: LinkKind::Serial, len } = visit.kind else { continue };
        let mut fates = vec![Fate::Overrun { from: 0 }, Fate::Overrun { from: len / 2 }];
        for at in 0..len {
            fates.extend([Fate::LoseByte { at }, Fate::FlipBit { bit: at * 8 + 3 }]);
            fates.push(Fate::JunkByte { at, value: b'\r' });
            for gap_ms in [10, 600] {
                fates.push(Fate::Split { at, gap: Span::ms(gap_ms) });
            }
        }
        strikes.extend(fates.into_iter().map(|fate| Strike {
            site: visit.site.clone(),
            moment: Moment::Before,
            fault: Fault::Fate(fate),
        }));
    }
    strikes
}

#[test]
fn no_single_fault_on_the_line_makes_the_reference_fail() {
    let explored: Vec<Case> = modem::cases().into_iter().filter(|case| case.explored).collect();
    assert!(!explored.is_empty());
    for case in explored {
        let (_, visits, _) = HARDENED.stage(&case, &[], true);
        let space = line_faults(&visits);
        let apart = (space.len() / 2_000).max(1);
        let mut tried = 0;
        let mut wrong = String::new();
        for strike in space.iter().step_by(apart) {
            let (findings, _, not_reached) = HARDENED.stage(&case, std::slice::from_ref(strike), false);
            assert_eq!(not_reached, Vec::<usize>::new(), "{strike}");
            assert!(findings.judged.contains_key("MDM-H1"), "{strike}: nothing was judged");
            if !findings.violations.is_empty() {
                wrong += &format!("\n{strike}{}", told(&findings));
            }
            tried += 1;
        }
        println!("{}: {tried} of {}", case.id, space.len());
        assert!(tried >= 1_500, "{tried}");
        assert!(wrong.is_empty(), "{wrong}");
    }
}

#[test]
fn no_judge_of_a_modem_blames_it_for_a_fault_on_the_line() {
    for case in modem::cases().into_iter().filter(|case| case.id.starts_with("modem/unasked/around-commands"))
    {
        let (_, visits, _) = HARDENED.stage(&case, &[], true);
        for strike in line_faults(&visits).iter().step_by(37) {
            let (findings, ..) = HARDENED.stage(&case, std::slice::from_ref(strike), false);
            assert!(findings.violations.is_empty(), "{strike}{}", told(&findings));
        }
    }
}

/// Mishaps around every unit on the UART.
fn mishaps(visits: &[Visit]) -> Vec<Strike> {
    let name = str::to_owned;
    let cut = |supply: &str| Mishap::PowerCut { supply: name(supply), torn: Torn::Neither, off: Span::s(5) };
    let hang = |party: &str| Mishap::Hang { party: name(party), span: Span::s(30) };
    let suffer = |what: &str| Mishap::Modem { party: name("modem-a"), what: name(what) };
    let all = [
        cut("modem-a"),
        cut("mcu-a"),
        cut("strip-a"),
        cut("server"),
        hang("terminal-a"),
        hang("modem-a"),
        suffer("pdp-lost"),
        suffer("urc:+CREG: 2"),
        suffer("no-signal"),
        Mishap::HalfOpen { link: name("gprs-a") },
        Mishap::LinkDown { link: name("gprs-a"), span: Span::s(120) },
        Mishap::LinkDown { link: name("uart-a"), span: Span::s(30) },
    ];
    let units = visits.iter().filter(|visit| visit.site.place == "uart-a");
    let moments = [Moment::Before, Moment::Midway, Moment::After];
    let mut strikes = Vec::new();
    for (visit, moment) in units.flat_map(|visit| moments.map(|moment| (visit, moment))) {
        strikes.extend(all.iter().map(|mishap| Strike {
            site: visit.site.clone(),
            moment,
            fault: Fault::Mishap(mishap.clone()),
        }));
    }
    strikes
}

#[test]
fn no_single_mishap_makes_the_reference_fail() {
    for case in modem::cases().into_iter().filter(|case| case.explored) {
        let (_, visits, _) = HARDENED.stage(&case, &[], true);
        let space = mishaps(&visits);
        let mut wrong = String::new();
        for strike in &space {
            let (findings, ..) = HARDENED.stage(&case, std::slice::from_ref(strike), false);
            if !findings.violations.is_empty() {
                wrong += &format!("\n{strike}{}", told(&findings));
            }
        }
        println!("{}: {} mishaps", case.id, space.len());
        assert!(wrong.is_empty(), "{wrong}");
    }
}

/// The host and the modem away at once, from any two units on the line.
fn hangs(visits: &[Visit]) -> Vec<[Strike; 2]> {
    let units: Vec<_> = visits.iter().filter(|visit| visit.site.place == "uart-a").collect();
    let mut pairs = Vec::new();
    for (at, first) in units.iter().enumerate() {
        for second in &units[at..] {
            for (host_s, modem_s) in [(5, 5), (5, 30), (30, 5), (30, 30)] {
                for parties in [["terminal-a", "modem-a"], ["modem-a", "terminal-a"]] {
                    let spans = [host_s, modem_s];
                    let strike = |visit: &Visit, party: &str, span_s: u64| Strike {
                        site: visit.site.clone(),
                        moment: Moment::Before,
                        fault: Fault::Mishap(Mishap::Hang { party: party.to_owned(), span: Span::s(span_s) }),
                    };
                    pairs.push([strike(first, parties[0], spans[0]), strike(second, parties[1], spans[1])]);
                }
            }
        }
    }
    pairs
}

#[test]
fn no_old_answer_is_taken_for_a_new_one_when_host_and_modem_both_hang() {
    for case in modem::cases().into_iter().filter(|case| case.explored) {
        let (_, visits, _) = HARDENED.stage(&case, &[], true);
        let space = hangs(&visits);
        let apart = (space.len() / 4_000).max(1);
        let mut wrong = String::new();
        for strikes in space.iter().step_by(apart) {
            let (findings, ..) = HARDENED.stage(&case, strikes, false);
            if !findings.violations.is_empty() {
                wrong += &format!("\n{} + {}{}", strikes[0], strikes[1], told(&findings));
            }
        }
        println!("{}: {} of {} pairs", case.id, space.len().div_ceil(apart), space.len());
        assert!(wrong.is_empty(), "{wrong}");
    }
}
