//! Whether every message of a device is acknowledged, byte for byte and to where it came from.
//!
//! Source: POS-A1, POS-X1, POS-X3, POS-X4.

use std::collections::{BTreeMap, VecDeque};

use assay_sim::pos::books::Device;
use assay_sim::pos::family::Pos;
use assay_sim::pos::frame::field::{split, trimmed};
use assay_sim::pos::frame::{DeviceMessage, Seq, ServerMessage};
use assay_sim::pos::party::Event;
use assay_sim::tape::Entry;
use assay_sim::time::Instant;

use super::server_ears::{Calm, Upset, device_of, is_variant};
use super::wire::{Passed, Passing, Told};
use crate::finding::{Findings, Oracle, Violation};
use crate::pos::scene::Scene;

/// How many acknowledgements that are missing may still come late.
const MISSED_MAX: usize = 64;

/// Compares what the server hears with its acknowledgements, path by path.
#[derive(Default)]
pub struct ServerAcks {
    calm: Calm,
    due: Vec<Due>,
    /// What was due and has not come in time.
    missed: VecDeque<Due>,
    /// What may be acknowledged although nobody has to: by path, what looks like a sequence number.
    spare: Vec<(usize, Box<[u8]>)>,
    /// Where each device was heard last.
    paths: BTreeMap<Device, usize>,
}

struct Due {
    path: usize,
    seq: Seq,
    command: String,
    at: Instant,
    ordinal: u64,
    /// The datagram before it that was no message, if the server has said nothing since.
    junk: Option<u64>,
    /// Whether its source is not what it prints, or is another than that of the message before.
    elsewhere: bool,
    variant: bool,
}

impl Oracle<Pos> for ServerAcks {
    fn observe(&mut self, entry: &Entry<Event>, scene: &Scene, findings: &mut Findings) {
        if self.calm.observe(entry, scene) != Upset::None {
            self.due.clear();
            self.missed.clear();
        }
        self.expire(entry.at, scene, findings);
        let Some(passed) = Passed::of(entry, scene) else { return };
        if passed.up && passed.passing == Passing::Heard {
            self.hear(&passed, scene);
        } else if let Some(ServerMessage::Ack { seq }) = passed.server_at_server() {
            self.acknowledged(&passed, seq, scene, findings);
        }
    }

    fn finish(&mut self, at: Instant, scene: &Scene, findings: &mut Findings) {
        self.expire(at, scene, findings);
    }
}

impl ServerAcks {
    fn hear(&mut self, passed: &Passed<'_>, scene: &Scene) {
        let message = match &passed.told {
            Told::Device(message) => message,
            Told::Junk(_) => {
                if let Some(seq) = split(passed.bytes).nth(1) {
                    self.spare.push((passed.terminal, trimmed(seq).into()));
                }
                return;
            }
            Told::Server(_) => return,
        };
        // A 100 has no head, a door controller's not even a sequence number, and none is acknowledged.
        let Some(head) = message.head() else { return };
        let before = self.paths.insert(device_of(head), passed.terminal);
        let private = head.terminal.as_ref().is_ok_and(|printed| {
            !scene.profile.install.nat
                && scene.terminals.get(passed.terminal).is_some_and(|cast| cast.address == *printed)
        });
        self.due.push(Due {
            path: passed.terminal,
            seq: head.seq.clone(),
            command: command(message).to_owned(),
            at: passed.at,
            ordinal: passed.ordinal,
            junk: self.calm.mute,
            elsewhere: !private || before.is_some_and(|before| before != passed.terminal),
            variant: is_variant(message, scene),
        });
    }

    fn acknowledged(&mut self, passed: &Passed<'_>, seq: &Seq, scene: &Scene, findings: &mut Findings) {
        let path = passed.terminal;
        if let Some(at) = self.due.iter().position(|due| due.path == path && due.seq == *seq) {
            let due = self.due.remove(at);
            due.judge(true, findings, || unreachable!("it holds"));
            return;
        }
        if let Some(at) = self.spare.iter().position(|(of, text)| *of == path && **text == *seq.as_bytes()) {
            self.spare.remove(at);
            return;
        }
        if let Some(at) = self.missed.iter().position(|due| due.path == path && due.seq == *seq) {
            return self.late(at, passed, scene, findings);
        }
        let owed = self.due.iter().find(|due| due.path == path);
        let elsewhere = self.due.iter().find(|due| due.seq == *seq);
        let letter = |path: usize| scene.terminals.get(path).map_or("?", |cast| cast.letter.as_str());
        let violation = |requirement, expected, evidence: Option<u64>| Violation {
            requirement,
            expected,
            actual: format!("001,{seq} to {}", letter(path)),
            at: passed.at,
            evidence: evidence.into_iter().chain([passed.ordinal]).collect(),
        };
        match (owed, elsewhere) {
            (None, Some(due)) => findings.judge("POS-X3", false, || {
                let expected = format!("001,{} to {}, where it came from", due.seq, letter(due.path));
                violation("POS-X3", expected, Some(due.ordinal))
            }),
            (owed, _) => findings.judge("POS-A1", false, || {
                let expected = owed.map_or_else(
                    || "no acknowledgement, because none is due there".to_owned(),
                    |due| format!("001,{} byte for byte", due.seq),
                );
                violation("POS-A1", expected, owed.map(|due| due.ordinal))
            }),
        }
    }

    /// An acknowledgement comes after it was judged as missing: by how much it is late.
    fn late(&mut self, at: usize, passed: &Passed<'_>, scene: &Scene, findings: &mut Findings) {
        let Some(due) = self.missed.remove(at) else { return };
        findings.judge("POS-A1", false, || Violation {
            requirement: "POS-A1",
            expected: format!("001,{} within {}", due.seq, scene.profile.bench.tolerance),
            actual: format!("{} after the {}", passed.at.since(due.at), due.command),
            at: passed.at,
            evidence: vec![due.ordinal, passed.ordinal],
        });
    }

    fn expire(&mut self, now: Instant, scene: &Scene, findings: &mut Findings) {
        let within = scene.profile.bench.tolerance;
        let calm = &self.calm;
        for due in self.due.extract_if(.., |due| calm.due(due.at, within) < now) {
            let deadline = calm.due(due.at, within);
            due.judge(false, findings, || {
                let expected =
                    format!("001,{} to where the {} came from until {deadline}", due.seq, due.command);
                let evidence = due.junk.into_iter().chain([due.ordinal]).collect();
                (expected, "no such acknowledgement".to_owned(), deadline, evidence)
            });
            if self.missed.len() == MISSED_MAX {
                self.missed.pop_front();
            }
            self.missed.push_back(due);
        }
    }
}

impl Due {
    /// Judges it by every requirement that it puts to the test.
    fn judge(
        &self,
        holds: bool,
        findings: &mut Findings,
        why: impl Fn() -> (String, String, Instant, Vec<u64>),
    ) {
        let told_apart = holds || self.junk.is_none();
        let tested = [
            ("POS-A1", true),
            ("POS-X1", self.junk.is_some()),
            ("POS-X3", self.elsewhere && told_apart),
            ("POS-X4", self.variant && told_apart),
        ];
        for (requirement, _) in tested.into_iter().filter(|(_, tested)| *tested) {
            findings.judge(requirement, holds, || {
                let (expected, actual, at, evidence) = why();
                Violation { requirement, expected, actual, at, evidence }
            });
        }
    }
}

/// A message's command.
pub const fn command(message: &DeviceMessage) -> &'static str {
    match message {
        DeviceMessage::Present { .. } | DeviceMessage::Door { .. } => "100",
        DeviceMessage::PowerOn { .. } => "101",
        DeviceMessage::Tap { .. } => "102",
        DeviceMessage::Pay { .. } => "103",
        DeviceMessage::Count { .. } => "104",
        DeviceMessage::Record { .. } => "105",
        DeviceMessage::Keys { .. } => "106",
        DeviceMessage::Confirm { .. } => "109",
        DeviceMessage::Scan { .. } => "128",
    }
}
