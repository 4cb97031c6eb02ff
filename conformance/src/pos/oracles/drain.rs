//! Every record drained, in time, and none seen again.
//!
//! Source: POS-R6.

use assay_sim::pos::family::Pos;
use assay_sim::pos::frame::DeviceMessage;
use assay_sim::pos::observe::Observed;
use assay_sim::pos::party::Event;
use assay_sim::tape::{Entry, Seen};
use assay_sim::time::Instant;

use super::wire::Passed;
use crate::finding::{Findings, Oracle, Violation};
use crate::pos::DRAINED;
use crate::pos::scene::Scene;

const R6: &str = "POS-R6";

/// The judge of drains.
#[derive(Clone, Copy, Debug, Default)]
pub struct Drain {
    drained_at: Option<Instant>,
}

impl Oracle<Pos> for Drain {
    fn observe(&mut self, entry: &Entry<Event>, scene: &Scene, findings: &mut Findings) {
        match &entry.what {
            Seen::Case(text) if text == DRAINED => self.drained_at = Some(entry.at),
            Seen::Case(_) | Seen::Struck { .. } => self.drained_at = None,
            _ => {}
        }
        let Some(drained) = self.drained_at else { return };
        let violation = |actual: String| Violation {
            requirement: R6,
            expected: format!("no terminal holds a record any more at {drained}"),
            actual,
            at: entry.at,
            evidence: vec![entry.ordinal],
        };
        if let Some(passed) = Passed::of(entry, scene)
            && let Some(DeviceMessage::Record { address, .. }) = passed.device_at_terminal()
        {
            let letter = &scene.terminals[passed.terminal].letter;
            findings.judge(R6, false, || violation(format!("terminal {letter} sends record {address}")));
        }
        if let Seen::Noted { seat, event: Event::Observed(Observed::Flash { records, .. }) } = &entry.what
            && let Some(cast) = scene.terminals.iter().find(|cast| cast.terminal == *seat)
        {
            findings.judge(R6, records.is_empty(), || {
                violation(format!("terminal {} holds {} records", cast.letter, records.len()))
            });
        }
    }
}
