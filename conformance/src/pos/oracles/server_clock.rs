//! Whether the server sets the clocks that are wrong, and no others.
//!
//! Source: POS-K1.

use assay_sim::pos::family::Pos;
use assay_sim::pos::frame::{DeviceMessage, Read, SaleTime, ServerMessage};
use assay_sim::pos::party::Event;
use assay_sim::tape::Entry;
use assay_sim::time::{Instant, Span, Wall};

use super::server_ears::{Calm, Upset};
use super::wire::Passed;
use crate::finding::{Findings, Oracle, Violation};
use crate::pos::scene::Scene;

/// So near to a minute's edge either is right. Source: POS-K1.
const EDGE: Span = Span::s(2);

/// Compares each 101 with what follows it on its path.
#[derive(Default)]
pub struct ServerClock {
    calm: Calm,
    told: Vec<ClockTold>,
}

struct ClockTold {
    path: usize,
    says: Read<SaleTime>,
    /// Whether it has to be set; nothing near a minute's edge.
    wrong: Option<bool>,
    /// By how much the server's clock had been stepped.
    stepped_us: i64,
    at: Instant,
    ordinal: u64,
}

impl Oracle<Pos> for ServerClock {
    fn observe(&mut self, entry: &Entry<Event>, scene: &Scene, findings: &mut Findings) {
        if self.calm.observe(entry, scene) != Upset::None {
            self.told.clear();
        }
        self.expire(entry.at, scene, findings);
        let Some(passed) = Passed::of(entry, scene) else { return };
        if let Some(DeviceMessage::PowerOn { at: says, .. }) = passed.device_at_server() {
            let wrong = self.judged(says, entry.at, scene);
            let says = says.clone();
            self.told.push(ClockTold {
                path: passed.terminal,
                says,
                wrong,
                stepped_us: self.calm.stepped_us,
                at: entry.at,
                ordinal: entry.ordinal,
            });
        } else if let Some(ServerMessage::SetClock { at: to, .. }) = passed.server_at_server() {
            self.set(&passed, to, scene, findings);
        }
    }

    fn finish(&mut self, at: Instant, scene: &Scene, findings: &mut Findings) {
        self.expire(at, scene, findings);
    }
}

impl ServerClock {
    /// What the server's clock shows.
    fn ours(&self, at: Instant, scene: &Scene) -> Option<Wall> {
        let since = i64::try_from(at.as_us()).ok()?;
        Some(scene.profile.bench.epoch().ok()?.stepped(since).stepped(self.calm.stepped_us))
    }

    /// Whether a clock has to be set; nothing where either is right.
    fn judged(&self, says: &Read<SaleTime>, at: Instant, scene: &Scene) -> Option<bool> {
        let ours = self.ours(at, scene)?;
        let (minute, edge) = (60_000_000, i64::try_from(EDGE.as_us()).ok()?);
        let within = ours.as_us().rem_euclid(minute);
        if self.calm.hung(at) || within < edge || within > minute - edge {
            return None;
        }
        Some(!says.as_ref().is_ok_and(|says| says.same_minute(SaleTime::at(ours))))
    }

    fn set(&mut self, passed: &Passed<'_>, to: &Read<SaleTime>, scene: &Scene, findings: &mut Findings) {
        let here = |told: &ClockTold| told.path == passed.terminal;
        let owed = self.told.iter().position(|told| here(told) && told.wrong == Some(true));
        let Some(place) = owed.or_else(|| self.told.iter().rposition(here)) else { return };
        let told = self.told.remove(place);
        let Some((wrong, ours)) = told.wrong.zip(self.ours(passed.at, scene)) else { return };
        let slack = i64::try_from(scene.profile.bench.tolerance.as_us()).unwrap_or(i64::MAX);
        // The server may have written its answer before its clock was stepped.
        let before = ours.stepped(told.stepped_us - self.calm.stepped_us);
        let near = |to: &SaleTime, ours: Wall| (to.wall().as_us() - ours.as_us()).abs() <= slack + 1_000_000;
        let right = to.as_ref().is_ok_and(|to| near(to, ours) || near(to, before));
        findings.judge("POS-K1", wrong && right, || Violation {
            requirement: "POS-K1",
            expected: if wrong {
                format!("003 with the server's own time, {}", SaleTime::at(ours))
            } else {
                format!("no 003, because the clock shows the server's minute, {}", SaleTime::at(ours))
            },
            actual: format!("003 with {}", shown(to)),
            at: passed.at,
            evidence: vec![told.ordinal, passed.ordinal],
        });
    }

    fn expire(&mut self, now: Instant, scene: &Scene, findings: &mut Findings) {
        let (calm, within) = (&self.calm, scene.profile.bench.tolerance);
        for told in self.told.extract_if(.., |told| calm.due(told.at, within) < now) {
            let Some(wrong) = told.wrong.filter(|_| calm.mute.is_none()) else { continue };
            findings.judge("POS-K1", !wrong, || Violation {
                requirement: "POS-K1",
                expected: format!("003, because the clock shows another minute: {}", shown(&told.says)),
                actual: "no 003".to_owned(),
                at: calm.due(told.at, within),
                evidence: vec![told.ordinal],
            });
        }
    }
}

fn shown(time: &Read<SaleTime>) -> String {
    time.as_ref().map_or_else(|bytes| bytes.escape_ascii().to_string(), ToString::to_string)
}
