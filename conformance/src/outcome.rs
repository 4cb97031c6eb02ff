//! What a run leaves, whatever its family.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use assay_reports::{EvidenceLine, Exhibit, LedgerLine, TraceRecord, Witness};
use assay_sim::bench::{Names, Noticed};
use assay_sim::fault::{FaultPlan, Way};
use assay_sim::tabletop::{BenchLegend, Lapse, Margin, Visit};
use assay_sim::tape::{Entry, Legend, LineId, SeatId, Seen, Tape, render_entry};
use assay_sim::time::Instant;

use crate::branches::Branches;
use crate::differential::Projection;
use crate::finding::{Findings, Violation};
use crate::redact::Redaction;
use crate::requirement::{self, Boundary};
use crate::stage;
use crate::system::{Suited, is_claimed};
use crate::trace;

/// What a run of a case leaves.
pub struct Outcome {
    /// What the oracles found.
    pub findings: Findings,
    /// What is left of the bench.
    pub bench: Left,
    /// The fingerprint of the whole bench in the end.
    pub digest: u128,
    /// Where the run stood at each site that it went through, if that was recorded.
    pub marks: Vec<u128>,
    /// The branches that its parties went through, if they were recorded.
    pub branches: Branches,
}

/// What is left of a bench.
pub struct Left {
    /// When the run ended.
    pub now: Instant,
    /// The sites gone through, if they were recorded.
    pub visits: Vec<Visit>,
    /// The strikes of the plan that have had no effect, by their place in it.
    pub not_reached: Vec<usize>,
    /// The granularity margin, where it was recorded.
    pub margin: Option<Margin>,
    /// What was noticed about real parties.
    pub noticed: Noticed,
    /// Everything observed.
    pub tape: Box<dyn Recording>,
}

/// What a run comes to for those who use what is under test.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rest {
    /// Everything that people were shown, by who shows it and on which link, each once.
    pub shown: BTreeMap<(String, String), BTreeSet<Vec<u8>>>,
    /// What each party's accounts say in the end, by what they are accounts of; when things happened is left out.
    pub ledgers: BTreeMap<(String, String), Vec<LedgerLine>>,
}

/// One entry of a tape as people read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TapeLine {
    /// Its number.
    pub ordinal: u64,
    /// When it was seen.
    pub at: Instant,
    /// The whole line.
    pub text: String,
}

/// A tape of any family.
pub trait Recording: Send + Sync {
    /// How many entries it has had.
    fn len(&self) -> u64;
    /// Whether nothing was ever seen.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The fingerprint of all of them.
    fn digest(&self) -> u128;
    /// Those that are kept; `plan` is what struck in the run.
    fn lines<'a>(&'a self, plan: &FaultPlan) -> Box<dyn Iterator<Item = TapeLine> + 'a>;
    /// A text about it as it is told to others.
    fn redacted(&self, text: &str) -> String;
    /// One of them as evidence, if it is kept.
    fn evidence(&self, ordinal: u64, plan: &FaultPlan) -> Option<EvidenceLine>;
    /// Those that are kept, for charts and captures.
    fn trace(&self, plan: &FaultPlan) -> TraceRecord;
    /// Which strikes of the plan struck, and when, as far as it is kept.
    fn struck(&self) -> Vec<(usize, Instant)>;
    /// What it comes to, as far as it is kept; `shows` tells whether people see or hear what reaches a party of this
    /// name.
    fn rest(&self, shows: &dyn Fn(&str) -> bool) -> Rest;
    /// What must be the same on another bench; `findings` and `end` are those of the run.
    fn projection(&self, findings: &Findings, end: Instant) -> Projection;
}

/// A tape with what it takes to read it.
struct Recorded<F: Suited> {
    tape: Tape<F::Event>,
    names: Names,
    /// How long timers ran.
    lapses: Vec<Lapse>,
    scene: F::Scene,
    told: OnceLock<Told<F::Event>>,
}

/// A tape as it is told to others.
struct Told<E> {
    redaction: Redaction,
    entries: Vec<Entry<E>>,
}

impl<F: Suited> Recorded<F> {
    fn told(&self) -> &Told<F::Event> {
        self.told.get_or_init(|| {
            let redaction = Redaction::of::<F>(&self.scene, self.tape.entries());
            let entries = redaction.entries::<F>(&self.scene, &self.names, self.tape.entries());
            Told { redaction, entries }
        })
    }
}

impl<F: Suited> From<stage::Outcome<F>> for Outcome {
    fn from(outcome: stage::Outcome<F>) -> Self {
        let stage::Outcome { findings, bench, digest, scene, trouble: _, marks, branches } = outcome;
        let assay_sim::bench::Remains { now, names, tape, visits, not_reached, margin, lapses, mut noticed } =
            bench;
        let findings = in_time(findings, &mut noticed);
        let tape = Box::new(Recorded::<F> { tape, names, lapses, scene, told: OnceLock::new() });
        let bench = Left { now, visits, not_reached, margin, noticed, tape };
        Self { findings, bench, digest, marks, branches }
    }
}

/// A tape that no stage has made, with what it takes to read it.
pub(crate) fn recorded<F: Suited>(tape: Tape<F::Event>, names: Names, scene: F::Scene) -> Box<dyn Recording> {
    Box::new(Recorded::<F> { tape, names, lapses: Vec::new(), scene, told: OnceLock::new() })
}

impl Outcome {
    /// Takes back violations of what is seen where people are, on a bench on which an operator stands for them: what an
    /// operator types comes late, or not at all.
    pub(crate) fn forget_hearsay(&mut self) {
        let sees = |id: &str| {
            let seen = requirement::by_id(id).map(|requirement| &requirement.sees);
            seen.is_some_and(|seen| seen.contains(&Boundary::Panel) || seen.contains(&Boundary::Card))
        };
        let violations = std::mem::take(&mut self.findings.violations);
        let (hearsay, sound): (Vec<_>, Vec<_>) =
            violations.into_iter().partition(|violation| sees(violation.requirement));
        self.findings.violations = sound;
        if let Some(words) = blames_nobody(&mut self.findings, &hearsay) {
            let words = format!("people are seen by an operator only, {words}");
            self.bench.noticed.troubles.push(words);
        }
    }
}

/// The findings without the violations that were seen while the bench did not keep time.
///
/// Why: a bench that is late sees answers and requests in another order, and later, than they were sent; whoever was
/// under test cannot help that. Requirements that were only judged so count as not judged.
fn in_time(mut findings: Findings, noticed: &mut Noticed) -> Findings {
    let Some((since, words)) = noticed.late.clone() else { return findings };
    let (sound, late): (Vec<_>, Vec<_>) =
        findings.violations.into_iter().partition(|violation| violation.at < since);
    findings.violations = sound;
    if late.is_empty() {
        noticed.achieved.push(words);
        return findings;
    }
    if let Some(blames) = blames_nobody(&mut findings, &late) {
        noticed.troubles.push(format!("{words}, {blames}"));
    }
    findings
}

/// Has requirements count as not judged whose violations are taken back, and says so; nothing if there are none.
fn blames_nobody(findings: &mut Findings, taken_back: &[Violation]) -> Option<String> {
    let mut ids: Vec<&str> = taken_back.iter().map(|violation| violation.requirement).collect();
    ids.sort_unstable();
    ids.dedup();
    findings.judged.retain(|id, _| !ids.contains(id));
    let (count, ids) = (taken_back.len(), ids.join(", "));
    (count > 0).then(|| format!("so that what looked like {count} violations of {ids} blames nobody"))
}

impl<F: Suited> Recording for Recorded<F> {
    fn len(&self) -> u64 {
        self.tape.len()
    }

    fn digest(&self) -> u128 {
        self.tape.digest()
    }

    fn lines<'a>(&'a self, plan: &FaultPlan) -> Box<dyn Iterator<Item = TapeLine> + 'a> {
        let legend = BenchLegend::<F>::new(self.names.clone(), plan);
        let Told { redaction, entries } = self.told();
        Box::new(entries.iter().map(move |entry| TapeLine {
            ordinal: entry.ordinal,
            at: entry.at,
            text: redaction.text(&render_entry(entry, &legend)),
        }))
    }

    fn redacted(&self, text: &str) -> String {
        self.told().redaction.text(text)
    }

    fn evidence(&self, ordinal: u64, plan: &FaultPlan) -> Option<EvidenceLine> {
        let Told { redaction, entries } = self.told();
        let first = entries.first()?.ordinal;
        let entry = entries.get(usize::try_from(ordinal.checked_sub(first)?).ok()?)?;
        let legend = BenchLegend::<F>::new(self.names.clone(), plan);
        let (place, text) = place_and_text::<F>(entry, &legend);
        let text = redaction.text(&text);
        Some(EvidenceLine {
            ordinal,
            at_us: entry.at.as_us(),
            text,
            place,
            witness: if is_claimed::<F>(&self.scene, entry) { Witness::Claim } else { Witness::Boundary },
        })
    }

    fn trace(&self, plan: &FaultPlan) -> TraceRecord {
        let legend = BenchLegend::<F>::new(self.names.clone(), plan);
        let Told { redaction, entries } = self.told();
        let text = |entry: &Entry<F::Event>| {
            let text = redaction.text(&place_and_text::<F>(entry, &legend).1);
            (text, is_claimed::<F>(&self.scene, entry))
        };
        let mut trace = trace::record::<F>(&self.names, entries.iter(), &text);
        for entry in &mut trace.entries {
            let exhibits = std::mem::take(&mut entry.exhibits);
            entry.exhibits = exhibits.into_iter().map(|exhibit| redaction.exhibit(exhibit)).collect();
        }
        trace.head.timers = self.lapses.iter().map(trace::timer).collect();
        trace
    }

    fn struck(&self) -> Vec<(usize, Instant)> {
        let strikes = self.tape.entries().filter_map(|entry| match entry.what {
            Seen::Struck { strike } => Some((strike, entry.at)),
            _ => None,
        });
        strikes.collect()
    }

    fn rest(&self, shows: &dyn Fn(&str) -> bool) -> Rest {
        let mut rest = Rest::default();
        let name = |seat: SeatId| self.names.seats.get(usize::from(seat.0)).cloned().unwrap_or_default();
        for entry in self.tape.entries() {
            match &entry.what {
                Seen::Heard { line, way, bytes, .. } => {
                    let link = self.names.links.get(usize::from(line.0));
                    let end = link.and_then(|link| link.ends[usize::from(*way == Way::AtoB)]).map(name);
                    if let Some(party) = end.filter(|party| shows(party)) {
                        let link = self.names.lines.get(usize::from(line.0)).cloned().unwrap_or_default();
                        rest.shown.entry((party, link)).or_default().insert(bytes.clone());
                    }
                }
                Seen::Noted { seat, event } => {
                    for exhibit in F::exhibits(event) {
                        if let Exhibit::Ledger { of, mut lines } = exhibit {
                            lines.iter_mut().for_each(|line| line.key.truncate(before_time(&line.key)));
                            rest.ledgers.insert((name(*seat), of), lines);
                        }
                    }
                }
                _ => {}
            }
        }
        rest
    }

    fn projection(&self, findings: &Findings, end: Instant) -> Projection {
        Projection::new::<F>(findings, &self.tape, &self.scene, end, &self.names)
    }
}

/// How much of a ledger's key stands before the time that it names, if it names one.
fn before_time(key: &str) -> usize {
    key.find(" at ").unwrap_or(key.len())
}

/// Where it was seen, and what was seen there.
fn place_and_text<F: Suited>(entry: &Entry<F::Event>, legend: &BenchLegend<F>) -> (String, String) {
    let place = place::<F>(entry, legend);
    let line = render_entry(entry, legend);
    let text = line.trim_start().split_once(' ').map_or("", |(_, rest)| rest);
    let text = text.strip_prefix(place.as_str()).unwrap_or(text).trim_start().to_owned();
    (place, text)
}

/// Where it was seen, as a line of the tape begins.
fn place<F: Suited>(entry: &Entry<F::Event>, legend: &BenchLegend<F>) -> String {
    let way = |line: LineId, way: Way| format!("{}{}", legend.line(line), way.sign());
    match &entry.what {
        Seen::Case(_) => "case".to_owned(),
        Seen::Struck { .. } => "fault".to_owned(),
        Seen::Sent { line, way: to, .. }
        | Seen::Heard { line, way: to, .. }
        | Seen::Opened { line, way: to, .. }
        | Seen::Closed { line, way: to, .. }
        | Seen::Level { line, way: to, .. } => way(*line, *to),
        Seen::Power { supply, .. } => legend.supply(*supply).to_owned(),
        Seen::Plug { line, .. } => legend.line(*line).to_owned(),
        Seen::Overrun { seat } | Seen::Noted { seat, .. } => legend.seat(*seat).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Violation;

    fn found() -> Findings {
        let mut findings = Findings::default();
        for (requirement, at) in [("POS-A3", 1), ("POS-A5", 5), ("POS-A5", 9)] {
            findings.judge(requirement, false, || Violation {
                requirement,
                expected: String::new(),
                actual: String::new(),
                at: Instant::from_us(at),
                evidence: Vec::new(),
            });
        }
        findings
    }

    fn ids(findings: &Findings) -> Vec<&str> {
        findings.violations.iter().map(|violation| violation.requirement).collect()
    }

    #[test]
    fn what_was_seen_while_the_bench_did_not_keep_time_blames_nobody() {
        let late = |at| Noticed {
            late: Some((Instant::from_us(at), "the rig was late".to_owned())),
            ..Noticed::default()
        };
        let mut noticed = late(5);
        let findings = in_time(found(), &mut noticed);
        assert_eq!(ids(&findings), ["POS-A3"]);
        assert!(!findings.judged.contains_key("POS-A5") && findings.judged["POS-A3"] == 1);
        let words = "the rig was late, so that what looked like 2 violations of POS-A5 blames nobody";
        assert_eq!(noticed.troubles, [words]);
    }

    #[test]
    fn what_was_seen_before_or_in_time_stands() {
        let mut noticed = Noticed::default();
        assert_eq!(ids(&in_time(found(), &mut noticed)).len(), 3);
        assert_eq!(noticed, Noticed::default());
        noticed.late = Some((Instant::from_us(10), "the rig was late".to_owned()));
        assert_eq!(ids(&in_time(found(), &mut noticed)).len(), 3);
        assert!(noticed.troubles.is_empty() && noticed.achieved == ["the rig was late"]);
    }
}
