//! How a server answers damaged frames.
//!
//! Source: WAT-F2.

use assay_sim::water::family::Water;
use std::collections::BTreeMap;

use assay_sim::tape::Entry;
use assay_sim::time::{Instant, Span};
use assay_sim::water::frame::{Kind, word};
use assay_sim::water::party::Event;

use super::server_ears::{Calm, Conn, Crossing, Ears, Noticed, patience};
use crate::finding::{Findings, Oracle, Violation};
use crate::water::scene::Scene;

/// Compares damaged frames with negative answers, connection by connection.
#[derive(Default)]
pub struct ServerNegatives {
    ears: Ears,
    calm: Calm,
    conns: BTreeMap<Conn, Talk>,
}

#[derive(Default)]
struct Talk {
    damaged: Vec<Damaged>,
    negatives: Vec<Negative>,
}

struct Damaged {
    at: Instant,
    kind: u8,
    alone: bool,
    ordinal: u64,
}

struct Negative {
    at: Instant,
    kind: u8,
    len: usize,
    ordinal: u64,
}

impl Oracle<Water> for ServerNegatives {
    fn observe(&mut self, entry: &Entry<Event>, scene: &Scene, _: &mut Findings) {
        self.calm.observe(entry, scene);
        let (at, ordinal) = (entry.at, entry.ordinal);
        for noticed in self.ears.observe(entry, scene) {
            let Noticed::Frame { conn, what } = noticed else { continue };
            let talk = self.conns.entry(conn).or_default();
            match what {
                Crossing::Damaged { frame, alone } => {
                    talk.damaged.push(Damaged { at, kind: frame.kind, alone, ordinal });
                }
                Crossing::Sent(frame) if frame.answer == word::NEGATIVE => {
                    talk.negatives.push(Negative { at, kind: frame.kind, len: frame.content.len(), ordinal });
                }
                Crossing::Sent(_) | Crossing::Heard(_) => {}
            }
        }
    }

    fn finish(&mut self, at: Instant, scene: &Scene, findings: &mut Findings) {
        for (conn, talk) in &self.conns {
            talk.judge_answers(self.calm.until(*conn, at), scene, findings);
            talk.judge_bound(scene, findings);
        }
    }
}

impl Talk {
    /// Each damaged frame has its negative answer, unless as many as are allowed were just sent.
    fn judge_answers(&self, calm_until: Instant, scene: &Scene, findings: &mut Findings) {
        let config = &scene.profile.server;
        let window = config.negatives_window + scene.profile.bench.tolerance;
        let mut next = 0;
        for damaged in &self.damaged {
            let recent = self.negatives[..next].iter().filter(|sent| damaged.at < sent.at + window).count();
            let due = damaged.alone && recent < config.negatives_max;
            let allowed = if damaged.alone { Span::ZERO } else { scene.profile.frame.frame_gap };
            let deadline = damaged.at + allowed + patience(scene);
            let sent = self.negatives.get(next).filter(|sent| sent.at >= damaged.at && sent.at <= deadline);
            let known = Kind::split(damaged.kind).is_some();
            match sent {
                Some(sent) if due || sent.kind == damaged.kind => {
                    next += 1;
                    let holds = sent.len == 0 && (sent.kind == damaged.kind || !known);
                    findings.judge("WAT-F2", holds, || Violation {
                        requirement: "WAT-F2",
                        expected: format!("a negative answer of type {:02X} without content", damaged.kind),
                        actual: format!("one of type {:02X} with {} bytes of content", sent.kind, sent.len),
                        at: sent.at,
                        evidence: vec![damaged.ordinal, sent.ordinal],
                    });
                }
                None if due && deadline <= calm_until => findings.judge("WAT-F2", false, || Violation {
                    requirement: "WAT-F2",
                    expected: format!("a negative answer of type {:02X} until {deadline}", damaged.kind),
                    actual: "no negative answer".to_owned(),
                    at: deadline,
                    evidence: vec![damaged.ordinal],
                }),
                _ => {}
            }
        }
    }

    /// No more negative answers leave in a window of time than are allowed.
    fn judge_bound(&self, scene: &Scene, findings: &mut Findings) {
        let max = scene.profile.server.negatives_max;
        let window = scene.profile.server.negatives_window - scene.profile.bench.tolerance;
        let mut tried = false;
        for group in self.negatives.windows(max + 1) {
            let (Some(first), Some(last)) = (group.first(), group.last()) else { continue };
            tried = true;
            findings.judge("WAT-F2", last.at >= first.at + window, || Violation {
                requirement: "WAT-F2",
                expected: format!(
                    "at most {max} negative answers in {}",
                    scene.profile.server.negatives_window
                ),
                actual: format!("{} within {}", max + 1, last.at - first.at),
                at: last.at,
                evidence: group.iter().map(|sent| sent.ordinal).collect(),
            });
        }
        let provoked = |group: &[Damaged]| {
            group.first().zip(group.last()).is_some_and(|(first, last)| last.at < first.at + window)
        };
        if !tried && self.damaged.windows(max + 1).any(provoked) {
            findings.judge("WAT-F2", true, || unreachable!("it holds"));
        }
    }
}
