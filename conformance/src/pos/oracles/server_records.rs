//! Whether each stored record is deleted by an 011 that names it.
//!
//! Source: POS-R3, POS-R4, POS-R5.

use assay_sim::pos::family::Pos;
use assay_sim::pos::frame::{
    DeviceMessage, MachineNumber, RecordAddress, SaleTime, ServerMessage, parse_amount,
};
use assay_sim::pos::party::Event;
use assay_sim::tape::Entry;
use assay_sim::time::Instant;

use super::server_ears::{Calm, Upset};
use super::wire::Passed;
use crate::finding::{Findings, Oracle, Violation};
use crate::pos::scene::Scene;

/// Compares each 105 with the 011 that follows on its path.
#[derive(Default)]
pub struct ServerRecords {
    calm: Calm,
    due: Vec<Due>,
}

struct Due {
    path: usize,
    machine: MachineNumber,
    card: Vec<u8>,
    amount: Vec<u8>,
    time: Vec<u8>,
    address: RecordAddress,
    /// Whether it makes no sense.
    misfit: bool,
    at: Instant,
    ordinal: u64,
}

impl Oracle<Pos> for ServerRecords {
    fn observe(&mut self, entry: &Entry<Event>, scene: &Scene, findings: &mut Findings) {
        if self.calm.observe(entry, scene) != Upset::None {
            self.due.clear();
        }
        self.expire(entry.at, scene, findings);
        let Some(passed) = Passed::of(entry, scene) else { return };
        if let Some(message) = passed.device_at_server() {
            self.due.extend(Due::of(&passed, message));
        } else if let Some(message @ ServerMessage::Delete { .. }) = passed.server_at_server() {
            self.deleted(&passed, message, findings);
        }
    }

    fn finish(&mut self, at: Instant, scene: &Scene, findings: &mut Findings) {
        self.expire(at, scene, findings);
    }
}

impl ServerRecords {
    fn deleted(&mut self, passed: &Passed<'_>, message: &ServerMessage, findings: &mut Findings) {
        let on_path = |due: &Due| due.path == passed.terminal;
        let fits = self.due.iter().position(|due| on_path(due) && due.is_named_by(message));
        // What names the place and nothing else right is taken for that record's.
        let meant = || self.due.iter().position(|due| on_path(due) && due.is_at(message));
        let Some(place) = fits.or_else(meant) else {
            findings.judge("POS-R3", false, || Violation {
                requirement: "POS-R3",
                expected: "an 011 only for a record that has come, to where it came from".to_owned(),
                actual: passed.bytes.escape_ascii().to_string(),
                at: passed.at,
                evidence: vec![passed.ordinal],
            });
            return;
        };
        let due = self.due.remove(place);
        findings.judge(due.requirement(), fits.is_some(), || Violation {
            requirement: due.requirement(),
            expected: due.words(),
            actual: passed.bytes.escape_ascii().to_string(),
            at: passed.at,
            evidence: vec![due.ordinal, passed.ordinal],
        });
    }

    fn expire(&mut self, now: Instant, scene: &Scene, findings: &mut Findings) {
        let (calm, within) = (&self.calm, scene.profile.bench.tolerance);
        for due in self.due.extract_if(.., |due| calm.due(due.at, within) < now) {
            if calm.mute.is_some() {
                continue;
            }
            findings.judge(due.requirement(), false, || Violation {
                requirement: due.requirement(),
                expected: format!("{} until {}", due.words(), calm.due(due.at, within)),
                actual: "no such 011".to_owned(),
                at: calm.due(due.at, within),
                evidence: vec![due.ordinal],
            });
        }
    }
}

impl Due {
    fn of(passed: &Passed<'_>, message: &DeviceMessage) -> Option<Self> {
        let DeviceMessage::Record { head, card, amount, at, address, .. } = message else { return None };
        let text = |field: Result<String, &[u8]>| field.map_or_else(Into::into, String::into_bytes);
        Some(Self {
            path: passed.terminal,
            machine: head.machine,
            card: text(card.as_ref().map(ToString::to_string).map_err(AsRef::as_ref)),
            amount: text(amount.as_ref().map(ToString::to_string).map_err(AsRef::as_ref)),
            time: at.as_ref().map_or_else(|_| SaleTime::IMPOSSIBLE.into(), |at| at.to_string().into_bytes()),
            address: *address,
            misfit: card.is_err() || amount.is_err() || at.is_err(),
            at: passed.at,
            ordinal: passed.ordinal,
        })
    }

    fn requirement(&self) -> &'static str {
        if self.misfit { "POS-R4" } else { "POS-R3" }
    }

    fn is_at(&self, message: &ServerMessage) -> bool {
        matches!(message, ServerMessage::Delete { machine, address, .. }
            if *machine == self.machine && *address == self.address)
    }

    fn is_named_by(&self, message: &ServerMessage) -> bool {
        let ServerMessage::Delete { machine, card, amount, at, address } = message else { return false };
        let alike = match parse_amount(&self.amount) {
            Some(amount_fen) => parse_amount(amount) == Some(amount_fen),
            None => **amount == *self.amount,
        };
        (*machine, *address) == (self.machine, self.address)
            && alike
            && **card == *self.card
            && **at == *self.time
    }

    fn words(&self) -> String {
        let Self { machine, address, .. } = self;
        let [card, amount, time] = [&self.card, &self.amount, &self.time].map(|field| field.escape_ascii());
        format!("011,{machine},{card},{amount},{time},{address}")
    }
}
