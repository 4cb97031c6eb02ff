//! A recording of the line between a host and its modem as a tape: both ways, as the host has them.

use assay_reports::text::counted;
use assay_sim::bench::{LinkEnds, Names};
use assay_sim::fault::{LinkKind, Way};
use assay_sim::tape::{Keep, SeatId, Seen, Tape};
use assay_sim::time::Instant;
use assay_sim::water::family::Water;
use assay_sim::water::profile::Profile;

use super::Judged;
use super::serial::Line;
use crate::finding::{Findings, Oracles};
use crate::modem::oracles::{Pace, Prompt, Reconnects};
use crate::outcome::recorded;
use crate::requirement::Side;
use crate::trial::ProfileSource;
use crate::water::scene::Scene;

/// What the line between host and modem shows without more.
pub(super) const JUDGED: [&str; 3] = ["MDM-A4", "MDM-H2", "MDM-H4"];

/// The host and its modem.
const HOST: SeatId = SeatId(0);
const MODEM: SeatId = SeatId(1);

/// Judges what a recording shows of a host and its modem.
///
/// Errors: a sentence, for a profile that does not read.
pub(super) fn judge(line: Line, source: &ProfileSource) -> Result<Judged, String> {
    let profile: Profile = source.profile::<Water>("")?;
    let scene = Scene::of_serial_recording(profile, HOST, MODEM);
    let uart = scene.terminals[0].uart;
    let (mut tape, mut findings) = (Tape::new(Keep::All), Findings::default());
    let mut oracles = oracles();
    let mut seen = 0;
    let (bytes, bursts) = (line.bursts.iter().map(|burst| burst.bytes.len() as u64).sum(), line.bursts.len());
    for burst in line.bursts {
        let at = Instant::from_us(burst.at_us);
        if let Some(gap) = burst.gap {
            // From here on nothing is owed for what came before.
            oracles = self::oracles();
            tape.push(at, Seen::Case(format!("{gap}: nothing before it is held against anybody")));
        }
        let nth = u32::try_from(tape.len()).unwrap_or(u32::MAX);
        let (way, bytes) = (burst.way, burst.bytes);
        tape.push(
            at,
            match way {
                Way::AtoB => Seen::Sent { line: uart, way, conn: 0, name: "bytes", nth, bytes },
                Way::BtoA => Seen::Heard { line: uart, way, conn: 0, bytes },
            },
        );
        for entry in tape.since(seen) {
            for oracle in &mut oracles {
                oracle.observe(entry, &scene, &mut findings);
            }
        }
        seen = tape.len();
    }
    let end = Instant::from_us(line.span_us);
    oracles.iter_mut().for_each(|oracle| oracle.finish(end, &scene, &mut findings));
    findings.judged.retain(|id, _| JUDGED.contains(id));
    findings.violations.retain(|violation| JUDGED.contains(&violation.requirement));
    let parties = format!("{} in {}", counted(bytes, "byte"), counted(bursts as u64, "burst"));
    let tape = recorded::<Water>(tape, names(), scene);
    Ok(Judged {
        tape,
        findings,
        span_us: line.span_us,
        parties,
        can_show: &JUDGED,
        at: Side::Host,
        lost: line.lost,
        notes: line.notes,
    })
}

fn oracles() -> Oracles<Water> {
    vec![Box::new(Pace::new(0)), Box::new(Reconnects::new(0, 0)), Box::new(Prompt::new(0))]
}

fn names() -> Names {
    Names {
        seats: vec!["host".to_owned(), "modem".to_owned()],
        lines: vec!["uart".to_owned()],
        supplies: Vec::new(),
        links: vec![LinkEnds { kind: LinkKind::Serial, ends: [Some(HOST), Some(MODEM)], listens: None }],
        feeds: Vec::new(),
    }
}
