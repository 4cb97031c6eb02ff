//! Simpler faults in place of one: an earlier site, a rounder and shorter time, a plainer kind.

use assay_sim::fault::{Fate, Fault, LinkKind, Mishap, Moment, Strike};
use assay_sim::machine::Torn;
use assay_sim::time::Span;

use crate::explore::Wiring;

/// Round times, the shortest first.
const ROUND: [Span; 19] = [
    Span::us(1),
    Span::us(10),
    Span::us(100),
    Span::ms(1),
    Span::ms(10),
    Span::ms(100),
    Span::ms(200),
    Span::ms(500),
    Span::s(1),
    Span::s(2),
    Span::s(5),
    Span::s(10),
    Span::s(20),
    Span::s(30),
    Span::s(60),
    Span::s(120),
    Span::s(300),
    Span::s(600),
    Span::s(3_600),
];

/// Round steps of a clock.
///
/// Units: seconds.
const STEPS: [i64; 8] = [1, 10, 60, 600, 3_600, 86_400, 2_592_000, 31_536_000];

/// The strikes that are simpler than this one in one respect, the simplest first.
///
/// Why: each has a plainer kind, or the same kind with smaller values, so that whoever goes from one to the next comes
/// to an end.
pub(super) fn simpler(strike: &Strike, wiring: &Wiring) -> Vec<Strike> {
    let with = |fault: Fault| Strike { fault, ..strike.clone() };
    let mut all: Vec<Strike> = match &strike.fault {
        Fault::Fate(fate) => {
            let link = wiring.links.get(strike.site.place.as_ref()).map(|wired| wired.kind);
            let plainer = link.into_iter().flat_map(|link| plainer(fate, link));
            plainer.chain(smaller(fate)).map(|fate| with(Fault::Fate(fate))).collect()
        }
        Fault::Mishap(mishap) => {
            smaller_mishaps(mishap).into_iter().map(|mishap| with(Fault::Mishap(mishap))).collect()
        }
    };
    if strike.moment != Moment::Before {
        all.push(Strike { moment: Moment::Before, ..strike.clone() });
    }
    all.extend(earlier(strike.site.nth).into_iter().map(|nth| {
        let mut other = strike.clone();
        other.site.nth = nth;
        other
    }));
    all
}

/// Earlier counts of the same site.
fn earlier(nth: u32) -> Vec<u32> {
    let mut all: Vec<u32> =
        [1, 2, nth / 2, nth.saturating_sub(1)].into_iter().filter(|n| (1..nth).contains(n)).collect();
    all.dedup();
    all
}

/// How much a fate asks of who reads it: the less the better.
const fn rank(fate: &Fate) -> u8 {
    match fate {
        Fate::Drop | Fate::Refuse | Fate::Stuck { .. } | Fate::WrongPhase => 0,
        Fate::Delay { .. } | Fate::LoseByte { .. } | Fate::MissingHalfBit { .. } => 1,
        Fate::Twice { .. } | Fate::HalfOpen | Fate::Glitch { .. } | Fate::Jitter { .. } => 2,
        Fate::Truncate { .. } | Fate::Fin { .. } | Fate::Overrun { .. } => 3,
        Fate::Reorder { .. } | Fate::Reset { .. } | Fate::Break { .. } | Fate::Stall { .. } => 4,
        Fate::Split { .. } | Fate::JunkByte { .. } => 5,
        Fate::FlipBit { .. } | Fate::Join { .. } => 6,
    }
}

/// Fates of a plainer kind that the link can suffer.
fn plainer(fate: &Fate, link: LinkKind) -> Vec<Fate> {
    let span = Span::s(30);
    let known = [
        Fate::Drop,
        Fate::Refuse,
        Fate::Delay { by: span },
        Fate::LoseByte { at: 0 },
        Fate::HalfOpen,
        Fate::Twice { gap: Span::s(1) },
        Fate::Fin { at: 0 },
        Fate::Overrun { from: 0 },
        Fate::Reset { at: 0 },
        Fate::Stall { span },
    ];
    known.into_iter().filter(|other| other.strikes(link) && rank(other) < rank(fate)).collect()
}

/// Round spans that are shorter.
fn spans(span: Span) -> impl Iterator<Item = Span> {
    ROUND.into_iter().take_while(move |round| *round < span)
}

/// The same for what nobody would believe of less than a second: a supply that fails, a machine that stands still.
fn seconds(span: Span) -> impl Iterator<Item = Span> {
    spans(span).filter(|round| *round >= Span::s(1))
}

/// Smaller numbers: none, one, the half and one less.
fn numbers(number: u32, least: u32) -> Vec<u32> {
    let mut all: Vec<u32> = [least, least + 1, number / 2, number.saturating_sub(1)]
        .into_iter()
        .filter(|other| (least..number).contains(other))
        .collect();
    all.dedup();
    all
}

/// The same fate with smaller values.
fn smaller(fate: &Fate) -> Vec<Fate> {
    match *fate {
        Fate::Delay { by } => spans(by).map(|by| Fate::Delay { by }).collect(),
        Fate::Twice { gap } => spans(gap).map(|gap| Fate::Twice { gap }).collect(),
        Fate::Reorder { behind } => spans(behind).map(|behind| Fate::Reorder { behind }).collect(),
        Fate::Join { within } => spans(within).map(|within| Fate::Join { within }).collect(),
        Fate::Stall { span } => spans(span).map(|span| Fate::Stall { span }).collect(),
        Fate::Stuck { span } => spans(span).map(|span| Fate::Stuck { span }).collect(),
        Fate::Glitch { width } => spans(width).map(|width| Fate::Glitch { width }).collect(),
        Fate::FlipBit { bit } => numbers(bit, 0).into_iter().map(|bit| Fate::FlipBit { bit }).collect(),
        Fate::Truncate { len } => numbers(len, 0).into_iter().map(|len| Fate::Truncate { len }).collect(),
        Fate::Split { at, gap } => {
            let places = numbers(at, 1).into_iter().map(|at| Fate::Split { at, gap });
            places.chain(spans(gap).map(|gap| Fate::Split { at, gap })).collect()
        }
        Fate::LoseByte { at } => numbers(at, 0).into_iter().map(|at| Fate::LoseByte { at }).collect(),
        Fate::JunkByte { at, value } => {
            let zero = (value != 0).then_some(Fate::JunkByte { at, value: 0 });
            zero.into_iter()
                .chain(numbers(at, 0).into_iter().map(|at| Fate::JunkByte { at, value }))
                .collect()
        }
        Fate::Break { at } => numbers(at, 0).into_iter().map(|at| Fate::Break { at }).collect(),
        Fate::Overrun { from } => numbers(from, 0).into_iter().map(|from| Fate::Overrun { from }).collect(),
        Fate::Fin { at } => numbers(at, 0).into_iter().map(|at| Fate::Fin { at }).collect(),
        Fate::Reset { at } => numbers(at, 0).into_iter().map(|at| Fate::Reset { at }).collect(),
        Fate::MissingHalfBit { at } => {
            numbers(at, 0).into_iter().map(|at| Fate::MissingHalfBit { at }).collect()
        }
        Fate::Jitter { at, by } => numbers(at, 0).into_iter().map(|at| Fate::Jitter { at, by }).collect(),
        Fate::Drop | Fate::HalfOpen | Fate::Refuse | Fate::WrongPhase => Vec::new(),
    }
}

/// What a write under way may read as, the plainest first.
fn torns(torn: Torn) -> impl Iterator<Item = Torn> {
    Torn::ALL.into_iter().take_while(move |other| *other != torn)
}

/// The same mishap with smaller values.
fn smaller_mishaps(mishap: &Mishap) -> Vec<Mishap> {
    match mishap {
        Mishap::PowerCut { supply, torn, off } => {
            let cut = |torn, off| Mishap::PowerCut { supply: supply.clone(), torn, off };
            torns(*torn).map(|torn| cut(torn, *off)).chain(seconds(*off).map(|off| cut(*torn, off))).collect()
        }
        Mishap::Crash { party, torn, off } => {
            let crash = |torn, off| Mishap::Crash { party: party.clone(), torn, off };
            torns(*torn)
                .map(|torn| crash(torn, *off))
                .chain(seconds(*off).map(|off| crash(*torn, off)))
                .collect()
        }
        Mishap::Hang { party, span } => {
            seconds(*span).map(|span| Mishap::Hang { party: party.clone(), span }).collect()
        }
        Mishap::LinkDown { link, span } => {
            seconds(*span).map(|span| Mishap::LinkDown { link: link.clone(), span }).collect()
        }
        Mishap::StepWallClock { party, by_s } => {
            let smaller = STEPS.into_iter().take_while(|step| *step < by_s.saturating_abs());
            smaller
                .map(|step| Mishap::StepWallClock { party: party.clone(), by_s: step * by_s.signum() })
                .collect()
        }
        Mishap::RemoveCard { link, torn } => {
            torns(*torn).map(|torn| Mishap::RemoveCard { link: link.clone(), torn }).collect()
        }
        Mishap::HalfOpen { .. } | Mishap::Modem { .. } | Mishap::Backend { .. } => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use assay_sim::fault::FaultPlan;
    use assay_sim::policy::PolicyName;
    use assay_sim::seed::Seed;

    use super::*;
    use crate::explore::Space;
    use crate::interrupt::Stop;
    use crate::rig_bench::Bench;
    use crate::suite;
    use crate::trial::{Design, Trial};

    /// Every fault of a space, and all that is simpler than it, and so on: each fits the bench, and no way leads round.
    #[test]
    fn simpler_faults_fit_the_bench_and_lead_downwards() {
        for id in ["water/topup/clean", "pos/payment/clean"] {
            let case = suite::cases().into_iter().find(|case| case.id == id).unwrap();
            let trial = Trial::new(case, &Design::new(PolicyName::Hardened, Seed(0))).unwrap();
            let (wiring, space) = (trial.wiring().unwrap(), Space::of(&trial, &Stop::default()));
            let mut kinds = BTreeSet::new();
            for strike in &space.strikes {
                if !kinds.insert((strike.fault.kind(), strike.site.place.clone())) {
                    continue;
                }
                let (mut wave, mut steps) = (vec![strike.clone()], 0);
                while let Some(last) = wave.pop() {
                    let next = simpler(&last, &wiring);
                    trial.check(&Bench::Tabletop, &FaultPlan { strikes: next.clone() }).unwrap();
                    // The way that takes the longest: always the least step.
                    wave.extend(next.last().cloned());
                    steps += 1;
                    assert!(steps < 100_000, "{strike} has no simplest form");
                }
            }
            assert!(kinds.len() > 10, "{id}: {}", kinds.len());
        }
    }
}
