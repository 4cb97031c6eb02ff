//! What a terminal's memory must hold, and must not lose.
//!
//! Source: WAT-C3, WAT-C4, WAT-C5, WAT-C6, WAT-C7.

use std::collections::BTreeMap;

use assay_sim::fault::Way;
use assay_sim::tape::{Entry, SeatId, Seen};
use assay_sim::time::Instant;
use assay_sim::water::frame::{Message, OrderNumber, RawFrame, Request};
use assay_sim::water::observe::Observed;
use assay_sim::water::party::Event;
use assay_sim::water::terminal::store::{Record, Store};
use assay_sim::wire::{Scan, Wire};

use super::facts::{Fact, Facts, Judge};
use crate::finding::{Findings, Violation};
use crate::water::scene::Scene;

/// Writes that a cell may take for each credit: a million in ten years of five hundred a day.
const WEAR_A_CREDIT: (u64, u64) = (1_000_000, 10 * 365 * 500);
/// Credits before wear is judged at all, and writes that are nobody's fault.
const CREDITS_MIN: u64 = 20;
const WEAR_FREE: u64 = 4;
/// The configuration, and what shares its page.
const CONFIG_LEN: usize = 100;

/// Follows each terminal's memory from read-out to read-out.
#[derive(Default)]
pub struct Memory {
    terminals: BTreeMap<SeatId, Known>,
    /// The order of the last power cut, until the memories have been read out.
    cut: Option<(Instant, u64)>,
}

/// What is known of one terminal's memory.
#[derive(Default)]
struct Known {
    config: Option<Vec<u8>>,
    live: Vec<Record>,
    /// Orders whose answer reached the modem.
    confirmed: Vec<OrderNumber>,
    /// Verified records found after a cut, which must be seen again bit for bit.
    owed: Vec<(Record, u64)>,
    credits: u64,
}

fn order_of(frame: &[u8], scene: &Scene) -> Option<OrderNumber> {
    let Scan::Frame { frame, .. } = RawFrame::scan(&scene.profile.frame, frame) else { return None };
    match Message::of(&frame) {
        Ok(Message::Request { request: Request::Upload { order, .. }, .. }) => Some(order),
        _ => None,
    }
}

impl Judge for Memory {
    fn judge(
        &mut self,
        entry: &Entry<Event>,
        new: &[Fact],
        facts: &Facts,
        scene: &Scene,
        findings: &mut Findings,
    ) {
        for fact in new {
            self.fact(fact, scene);
        }
        self.repeats(facts, entry, scene, findings);
        match &entry.what {
            Seen::Power { on: false, .. } => self.cut = Some((entry.at, entry.ordinal)),
            Seen::Noted { seat, event: Event::Observed(Observed::Chip { image, wear_max, .. }) } => {
                self.read_out((*seat, image, u64::from(*wear_max)), facts, entry, scene, findings);
            }
            _ => {}
        }
    }

    fn finish(&mut self, at: Instant, _facts: &Facts, scene: &Scene, findings: &mut Findings) {
        for known in self.terminals.values() {
            for (record, ordinal) in &known.owed {
                let order = order_of(&record.frame, scene);
                let done = order.is_some_and(|order| known.confirmed.contains(&order));
                findings.judge("WAT-C3", done, || Violation {
                    requirement: "WAT-C3",
                    expected: format!("cached record {} sent after recovery, bit for bit", record.seq),
                    actual: "it was never sent again".to_owned(),
                    at,
                    evidence: vec![*ordinal],
                });
            }
        }
    }
}

impl Memory {
    fn fact(&mut self, fact: &Fact, scene: &Scene) {
        match *fact {
            Fact::Credited { terminal: Some(terminal), .. } => {
                self.terminals.entry(scene.terminals[terminal].terminal).or_default().credits += 1;
            }
            Fact::Confirmed { terminal, order, .. } => {
                let known = self.terminals.entry(scene.terminals[terminal].terminal).or_default();
                known.confirmed.push(order);
            }
            _ => {}
        }
    }

    /// A record that is owed is paid by its own bytes on the way to the server.
    fn repeats(&mut self, facts: &Facts, entry: &Entry<Event>, scene: &Scene, findings: &mut Findings) {
        for passed in &facts.passed {
            let (Way::AtoB, false, Ok(frame)) = (passed.way, passed.arrived, &passed.frame) else { continue };
            let bytes = frame.to_bytes(&scene.profile.frame);
            if let Some(known) = self.terminals.get_mut(&scene.terminals[passed.terminal].terminal) {
                let owed = known.owed.len();
                known.owed.retain(|(record, _)| record.frame != bytes);
                if known.owed.len() < owed {
                    findings.judge("WAT-C3", true, || unreachable!("{entry:?} pays it"));
                }
            }
        }
    }

    fn read_out(
        &mut self,
        (seat, image, wear_max): (SeatId, &[u8; 256], u64),
        facts: &Facts,
        entry: &Entry<Event>,
        scene: &Scene,
        findings: &mut Findings,
    ) {
        let live = Store::records_in(image);
        self.judge_intents((seat, &live), facts, entry, scene, findings);
        let known = self.terminals.entry(seat).or_default();
        judge_config(known, image, entry, findings);
        judge_kept(known, facts, &live, entry, scene, findings);
        if known.credits >= CREDITS_MIN {
            let (writes, credits) = WEAR_A_CREDIT;
            let allowed = WEAR_FREE + known.credits * writes / credits;
            findings.judge("WAT-C7", wear_max <= allowed, || Violation {
                requirement: "WAT-C7",
                expected: format!("at most {allowed} writes of a cell after {} credits", known.credits),
                actual: format!("{wear_max} writes of the most written cell"),
                at: entry.at,
                evidence: vec![entry.ordinal],
            });
        }
        if self.cut.is_some() {
            let owed = live.iter().filter(|record| record.verified);
            known.owed.extend(owed.map(|record| (record.clone(), entry.ordinal)));
            known.owed.dedup_by(|a, b| a.0 == b.0);
        }
        known.live = live;
        if scene.terminals.last().is_some_and(|cast| cast.terminal == seat) {
            self.cut = None;
        }
    }

    /// At a cut: every order credited here has reached the server as a result, or stands in the memory.
    fn judge_intents(
        &self,
        (seat, live): (SeatId, &[Record]),
        facts: &Facts,
        entry: &Entry<Event>,
        scene: &Scene,
        findings: &mut Findings,
    ) {
        let Some((at, cut)) = self.cut else { return };
        let standing: Vec<_> = live.iter().filter_map(|record| order_of(&record.frame, scene)).collect();
        for (number, order) in &facts.orders {
            let here = order.credits.iter().find(|credit| {
                credit.terminal.is_some_and(|terminal| scene.terminals[terminal].terminal == seat)
            });
            let Some(credit) = here else { continue };
            let known = !order.results.is_empty() || standing.contains(number);
            findings.judge("WAT-C4", known, || Violation {
                requirement: "WAT-C4",
                expected: format!(
                    "order {number}, {} t: its result at the server, or its record in the EEPROM, at the power cut",
                    order.volume
                ),
                actual: format!(
                    "order {number}, {} t, was credited at {} and the power went at {at} with neither",
                    order.volume, credit.at
                ),
                at: entry.at,
                evidence: vec![credit.ordinal, cut, entry.ordinal],
            });
        }
    }
}

/// Bytes 0 to 99 stay what the installer made them.
fn judge_config(known: &mut Known, image: &[u8; 256], entry: &Entry<Event>, findings: &mut Findings) {
    let now = &image[..CONFIG_LEN];
    let first = known.config.get_or_insert_with(|| now.to_vec());
    let spoiled = first.iter().zip(now).position(|(was, is)| was != is);
    findings.judge("WAT-C5", spoiled.is_none(), || Violation {
        requirement: "WAT-C5",
        expected: "configuration bytes 0 to 99 as they were installed".to_owned(),
        actual: format!("byte {} has changed", spoiled.unwrap_or_default()),
        at: entry.at,
        evidence: vec![entry.ordinal],
    });
}

/// A record of a credited order stays until the answer that names the order has come.
fn judge_kept(
    known: &Known,
    facts: &Facts,
    live: &[Record],
    entry: &Entry<Event>,
    scene: &Scene,
    findings: &mut Findings,
) {
    for record in &known.live {
        let Some(order) = order_of(&record.frame, scene) else { continue };
        let credited = facts.orders.get(&order).is_some_and(|order| !order.credits.is_empty());
        if !credited {
            continue;
        }
        let kept = live.iter().any(|other| order_of(&other.frame, scene) == Some(order));
        findings.judge("WAT-C6", kept || known.confirmed.contains(&order), || Violation {
            requirement: "WAT-C6",
            expected: format!("the record of order {order} stays until it is confirmed"),
            actual: format!("record {} of order {order} is gone from the EEPROM", record.seq),
            at: entry.at,
            evidence: vec![entry.ordinal],
        });
    }
}
