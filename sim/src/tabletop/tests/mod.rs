//! The bench, tried with a toy family and literal times.

mod air;
mod bounds;
mod margin;
mod order;
mod plans;
mod power;
pub(crate) mod puppet;
mod streams;
mod talk;
pub(crate) mod toy;
mod units;

use super::*;
use crate::fault::{Fate, Fault, LinkKind, Mishap, Moment, Strike};
use crate::machine::{Close, Output, Port};
use puppet::Puppet;
use talk::{Client, Echo, Reach};
use toy::*;

/// What a party notes, with the time in microseconds.
fn notes(bench: &Tabletop<Toy>, seat: SeatId) -> Vec<(u64, String)> {
    let noted = bench.tape().entries().filter_map(|entry| match &entry.what {
        Seen::Noted { seat: by, event } if *by == seat => Some((entry.at.as_us(), event.0.clone())),
        _ => None,
    });
    noted.collect()
}

fn note(at: u64, text: &str) -> (u64, String) {
    (at, text.to_owned())
}

/// When strikes happen, by their place in the plan.
fn strikes(bench: &Tabletop<Toy>) -> Vec<(u64, usize)> {
    let struck = bench.tape().entries().filter_map(|entry| match entry.what {
        Seen::Struck { strike } => Some((entry.at.as_us(), strike)),
        _ => None,
    });
    struck.collect()
}

/// The sites gone through, with their times.
fn sites(bench: &Tabletop<Toy>) -> Vec<(u64, String)> {
    bench.visits().iter().map(|visit| (visit.at.as_us(), visit.site.to_string())).collect()
}

fn us(us: u64) -> Instant {
    Instant::from_us(us)
}

fn mishap(site: &str, moment: Moment, mishap: Mishap) -> Strike {
    Strike { site: site.parse().unwrap(), moment, fault: Fault::Mishap(mishap) }
}

fn fate(site: &str, fate: Fate) -> Strike {
    Strike { site: site.parse().unwrap(), moment: Moment::Before, fault: Fault::Fate(fate) }
}

fn cut(supply: &str, off_us: u64) -> Mishap {
    Mishap::PowerCut { supply: supply.to_owned(), torn: Torn::Old, off: Span::us(off_us) }
}

fn hang(party: &str, span_us: u64) -> Mishap {
    Mishap::Hang { party: party.to_owned(), span: Span::us(span_us) }
}

fn plan<const N: usize>(strikes: [Strike; N]) -> FaultPlan {
    FaultPlan { strikes: strikes.into() }
}

/// A bench of a layout and a plan, with its sites recorded and its power on.
fn bench(layout: Layout<Toy>, plan: &FaultPlan) -> Tabletop<Toy> {
    let mut bench = Tabletop::new(layout, plan, Keep::All).unwrap();
    bench.record_visits();
    bench.switch_on();
    bench
}

/// Two puppets, `a` and `b`, with a supply each and one for both, and a line of a millisecond a byte between their
/// ports 1.
fn pair() -> (Layout<Toy>, SeatId, SeatId) {
    let mut layout = Layout::new(epoch(), Span::us(500), 2);
    let a = layout.seat("a", Party::Puppet(Puppet::default()));
    let b = layout.seat("b", Party::Puppet(Puppet::default()));
    layout.supply("for-a", &[a]);
    layout.supply("for-b", &[b]);
    layout.supply("for-both", &[a, b]);
    layout.serial("line", (a, Port(1)), (b, Port(1)), slow(), scanners());
    (layout, a, b)
}
