//! A recording of the line between a water terminal and its modem as a tape: commands and frames as the terminal sends
//! them, and whatever it hears.

use assay_reports::text::{counted, grouped};
use assay_sim::bench::{LinkEnds, Names};
use assay_sim::fault::{LinkKind, Way};
use assay_sim::modem::label::{HostScanner, PayloadLabel};
use assay_sim::tape::{Keep, LineId, SeatId, Seen, Tape};
use assay_sim::time::Instant;
use assay_sim::water::family::Water;
use assay_sim::water::frame::{FrameFormat, MachineNumber, RawFrame, Scanned, payload_label};
use assay_sim::water::party::Event;
use assay_sim::water::profile::Profile;

use super::Judged;
use super::serial::{Burst, Line};
use crate::finding::{Findings, Oracle as _};
use crate::outcome::recorded;
use crate::requirement::Side;
use crate::trial::ProfileSource;
use crate::water::oracles::terminal_wire::TerminalBench;
use crate::water::scene::Scene;

/// What a terminal's line shows without its panel, its card and its memory.
pub(super) const JUDGED: [&str; 6] = ["WAT-F1", "WAT-F2", "WAT-F3", "WAT-F6", "WAT-C1", "WAT-C2"];

/// The terminal and its modem.
const SEATS: [SeatId; 2] = [SeatId(0), SeatId(1)];

const UART: LineId = LineId(0);

/// The longest data of one send command that is believed.
///
/// Units: bytes.
const DATA_MAX: usize = 1_460;

/// Judges what a recording shows of a terminal.
///
/// Errors: a sentence; for a profile that does not read, and a recording without a frame of this system.
pub(super) fn judge(line: Line, source: &ProfileSource) -> Result<Judged, String> {
    let profile: Profile = source.profile::<Water>("")?;
    let machine = machine(&line.bursts, &profile.frame).ok_or_else(|| nothing_there(&line))?;
    let scene = Scene::of_terminal_recording(profile, SEATS, machine);
    let mut feed = Feed::new(&scene);
    let bytes: u64 = line.bursts.iter().map(|burst| burst.bytes.len() as u64).sum();
    let (end, mut notes) = (Instant::from_us(line.span_us), line.notes);
    for burst in line.bursts {
        feed.take(burst, &scene);
    }
    feed.flush(end, &scene);
    feed.bench.finish(end, &scene, &mut feed.findings);
    let mut findings = feed.findings;
    findings.judged.retain(|id, _| JUDGED.contains(id));
    findings.violations.retain(|violation| JUDGED.contains(&violation.requirement));
    if feed.damaged > 0 {
        notes.push(format!("{} × frame of the terminal's own whose CRC is wrong", grouped(feed.damaged)));
    }
    Ok(Judged {
        findings,
        span_us: line.span_us,
        parties: format!(
            "terminal {machine}, {} of its own in {}",
            counted(feed.frames, "frame"),
            counted(bytes, "byte")
        ),
        can_show: &JUDGED,
        at: Side::Terminal,
        lost: line.lost,
        notes,
        tape: recorded::<Water>(feed.tape, names(), scene),
    })
}

/// Names what is sent behind a send command.
#[derive(Clone)]
struct Namer(FrameFormat);

impl PayloadLabel for Namer {
    fn label(&self, bytes: &[u8]) -> Option<(usize, &'static str)> {
        payload_label(&self.0, bytes)
    }
}

/// A tape that is being made.
struct Feed {
    tape: Tape<Event>,
    scanner: HostScanner<Namer>,
    bench: TerminalBench,
    findings: Findings,
    frames: u64,
    damaged: u64,
}

impl Feed {
    fn new(scene: &Scene) -> Self {
        Self {
            tape: Tape::new(Keep::All),
            scanner: HostScanner::new(Namer(scene.profile.frame), DATA_MAX),
            bench: TerminalBench::of_recording(scene),
            findings: Findings::default(),
            frames: 0,
            damaged: 0,
        }
    }

    fn take(&mut self, burst: Burst, scene: &Scene) {
        let at = Instant::from_us(burst.at_us);
        if let Some(gap) = burst.gap {
            self.flush(at, scene);
            // From here on nothing is owed for what came before.
            self.bench = TerminalBench::of_recording(scene);
            self.scanner = HostScanner::new(Namer(scene.profile.frame), DATA_MAX);
            let told = format!("{gap}: nothing before it is held against anybody");
            self.push(at, Seen::Case(told), scene);
        }
        match burst.way {
            Way::AtoB => self.say(at, &burst.bytes, scene),
            Way::BtoA => {
                let bytes = burst.bytes;
                self.push(at, Seen::Heard { line: UART, way: Way::BtoA, conn: 0, bytes }, scene);
            }
        }
    }

    /// What the terminal sends, a command or a frame each.
    fn say(&mut self, at: Instant, bytes: &[u8], scene: &Scene) {
        self.scanner.push(bytes);
        while let Some(unit) = self.scanner.poll() {
            let bytes = self.scanner.unit_bytes().to_vec();
            self.unit(at, unit.name, bytes, scene);
        }
    }

    fn flush(&mut self, at: Instant, scene: &Scene) {
        if let Some((bytes, name)) = self.scanner.flush() {
            self.unit(at, name, bytes, scene);
        }
    }

    fn unit(&mut self, at: Instant, name: &'static str, bytes: Vec<u8>, scene: &Scene) {
        match RawFrame::scan_detailed(&scene.profile.frame, &bytes) {
            Scanned::Frame { .. } => self.frames += 1,
            Scanned::BadCrc { .. } => self.damaged += 1,
            Scanned::NeedMore | Scanned::Junk { .. } => {}
        }
        let nth = u32::try_from(self.tape.len()).unwrap_or(u32::MAX);
        self.push(at, Seen::Sent { line: UART, way: Way::AtoB, conn: 0, name, nth, bytes }, scene);
    }

    fn push(&mut self, at: Instant, what: Seen<Event>, scene: &Scene) {
        let before = self.tape.len();
        self.tape.push(at, what);
        for entry in self.tape.since(before) {
            self.bench.observe(entry, scene, &mut self.findings);
        }
    }
}

/// The number that the first sound frame gives, whoever sends it.
fn machine(bursts: &[Burst], format: &FrameFormat) -> Option<MachineNumber> {
    [Way::AtoB, Way::BtoA].into_iter().find_map(|way| {
        let ours = bursts.iter().filter(|burst| burst.way == way);
        let bytes: Vec<u8> = ours.flat_map(|burst| burst.bytes.iter().copied()).collect();
        (0..bytes.len()).find_map(|at| match RawFrame::scan_detailed(format, &bytes[at..]) {
            Scanned::Frame { frame, .. } => Some(frame.machine),
            _ => None,
        })
    })
}

fn nothing_there(line: &Line) -> String {
    let others: String = line.lost.iter().chain(&line.notes).map(|what| format!("; {what}")).collect();
    format!(
        "there is no sound frame of a water terminal in it{others}; of a line between any host and its modem, say \
         `--system modem`; if the frames have another form, write it as `frame` of a profile, and name that with \
         --profile"
    )
}

fn names() -> Names {
    let [terminal, modem] = SEATS;
    Names {
        seats: vec!["terminal".to_owned(), "modem".to_owned()],
        lines: vec!["uart".to_owned()],
        supplies: Vec::new(),
        links: vec![LinkEnds { kind: LinkKind::Serial, ends: [Some(terminal), Some(modem)], listens: None }],
        feeds: Vec::new(),
    }
}
