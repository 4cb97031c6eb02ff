//! What an entry of the tape means to the judges of one terminal.

use assay_sim::fault::{Fault, Mishap};
use assay_sim::pos::frame::{DeviceMessage, Malformed, ServerMessage};
use assay_sim::pos::party::Event;
use assay_sim::tape::{Entry, Seen};
use assay_sim::time::{Instant, Span};

use super::wire::{Passed, Passing, Told};
use crate::finding::{Findings, Violation};
use crate::pos::scene::{Scene, TerminalCast};

/// Something that happens at a terminal's boundary.
#[derive(Clone, Debug)]
pub enum Bit {
    /// Power comes.
    PowerOn,
    /// Power goes.
    PowerOff,
    /// It does nothing for a span.
    Hung(Span),
    /// Its calendar clock is moved.
    ClockStepped,
    /// Input for it was lost in its buffer.
    Overrun,
    /// A datagram leaves it.
    Sends(DeviceMessage, Vec<u8>),
    /// A datagram reaches it.
    Hears(ServerMessage),
    /// A datagram that is no message reaches it; its first bytes.
    HearsJunk(Malformed, Vec<u8>),
    /// A line from people reaches it.
    Asked(Vec<u8>),
    /// A line to people leaves it.
    Tells(Vec<u8>),
}

/// Finds the bits of one terminal.
#[derive(Clone, Debug, Default)]
pub struct Boundary {
    from_people: Vec<u8>,
    to_people: Vec<u8>,
}

impl Boundary {
    /// What an entry means to the terminal at this place.
    pub fn observe(&mut self, entry: &Entry<Event>, place: usize, scene: &Scene, bits: &mut Vec<Bit>) {
        let Some(cast) = scene.terminals.get(place) else { return };
        match &entry.what {
            Seen::Power { supply, on } if *supply == cast.supply => {
                *self = Self::default();
                bits.push(if *on { Bit::PowerOn } else { Bit::PowerOff });
            }
            Seen::Overrun { seat } if *seat == cast.terminal => bits.push(Bit::Overrun),
            Seen::Struck { strike } => bits.extend(struck(*strike, scene, cast)),
            Seen::Sent { line, way: Scene::UP, bytes, .. } if *line == cast.panel_line => {
                bits.extend(lines(&mut self.to_people, bytes).into_iter().map(Bit::Tells));
            }
            Seen::Heard { line, way: Scene::DOWN, bytes, .. } if *line == cast.panel_line => {
                bits.extend(lines(&mut self.from_people, bytes).into_iter().map(Bit::Asked));
            }
            _ => bits
                .extend(Passed::of(entry, scene).filter(|passed| passed.terminal == place).and_then(passes)),
        }
    }
}

fn passes(passed: Passed<'_>) -> Option<Bit> {
    match (passed.told, passed.up, passed.passing) {
        (Told::Device(message), true, Passing::Sent) => Some(Bit::Sends(message, passed.bytes.to_vec())),
        (Told::Server(message), false, Passing::Heard) => Some(Bit::Hears(message)),
        (Told::Junk(why), false, Passing::Heard) => {
            Some(Bit::HearsJunk(why, passed.bytes.iter().take(4).copied().collect()))
        }
        _ => None,
    }
}

fn struck(strike: usize, scene: &Scene, cast: &TerminalCast) -> Option<Bit> {
    let Fault::Mishap(mishap) = &scene.plan.strikes.get(strike)?.fault else { return None };
    let mine = |party: &String| *party == format!("terminal-{}", cast.letter);
    match mishap {
        Mishap::Hang { party, span } if mine(party) => Some(Bit::Hung(*span)),
        Mishap::StepWallClock { party, .. } if mine(party) => Some(Bit::ClockStepped),
        _ => None,
    }
}

/// The lines that are whole now.
fn lines(held: &mut Vec<u8>, bytes: &[u8]) -> Vec<Vec<u8>> {
    held.extend_from_slice(bytes);
    let mut whole = Vec::new();
    while let Some(end) = held.iter().position(|byte| *byte == b'\n') {
        let mut line: Vec<u8> = held.drain(..=end).collect();
        line.pop();
        whole.push(line);
    }
    whole
}

/// When the terminal could do what it had to.
///
/// Why: it does nothing while it hangs, and what it was about to send then leaves late, so that the next may seem
/// early.
#[derive(Clone, Debug, Default)]
pub struct Calm {
    hangs: Vec<(Instant, Instant)>,
}

impl Calm {
    /// It hangs from `at` on.
    pub fn hang(&mut self, at: Instant, span: Span) {
        self.hangs.push((at, at + span));
    }

    /// When something that was due at `at`, grace included, is overdue.
    pub fn overdue(&self, mut at: Instant, grace: Span) -> Instant {
        for (from, to) in &self.hangs {
            if *from <= at && at < *to + grace {
                at = *to + grace;
            }
        }
        at
    }

    /// Whether it did not hang between `from` and `to`, nor just before.
    pub fn is_steady(&self, from: Instant, to: Instant, grace: Span) -> bool {
        self.hangs.iter().all(|(began, ended)| *ended + grace < from || to < *began)
    }
}

/// The moment of a judgement, and who is judged.
#[derive(Clone, Copy)]
pub struct Moment<'a> {
    /// When.
    pub at: Instant,
    /// The entry that shows it.
    pub ordinal: u64,
    /// The cast.
    pub scene: &'a Scene,
    /// The terminal.
    pub cast: &'a TerminalCast,
    /// When it could act.
    pub calm: &'a Calm,
}

impl Moment<'_> {
    /// A violation at this moment.
    pub fn violation(
        &self,
        requirement: &'static str,
        expected: impl Into<String>,
        actual: impl Into<String>,
        evidence: &[u64],
    ) -> Violation {
        let mut evidence = evidence.to_vec();
        if evidence.last() != Some(&self.ordinal) {
            evidence.push(self.ordinal);
        }
        let (expected, actual) = (expected.into(), actual.into());
        Violation { requirement, expected, actual, at: self.at, evidence }
    }

    /// A requirement that was in a position to fail is met.
    pub fn met(&self, requirement: &'static str, findings: &mut Findings) {
        findings.judge(requirement, true, || self.violation(requirement, "", "", &[]));
    }

    /// How late something may be.
    pub fn grace(&self) -> Span {
        self.scene.profile.bench.tolerance
    }

    /// How early something may be that comes after a span.
    pub fn slack(&self, span: Span) -> Span {
        self.grace().min(span.shortened(4))
    }

    /// Whether something that was to come `span` after `from`, with grace, is overdue.
    pub fn is_overdue(&self, from: Instant, span: Span) -> bool {
        self.calm.overdue(from + span + self.grace(), self.grace()) < self.at
    }

    /// Whether something that comes now comes too early, as it was to come `span` after `from`.
    pub fn is_early(&self, from: Instant, span: Span) -> bool {
        self.at + self.slack(span) < from + span && self.calm.is_steady(from, self.at, self.grace())
    }

    /// Whether so much time has passed since `from` that what followed of it is done.
    pub fn is_past(&self, from: Instant) -> bool {
        self.is_overdue(from, Span::ZERO)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Instant {
        Instant::from_us(ms * 1_000)
    }

    #[test]
    fn lines_are_told_however_they_are_cut() {
        let mut held = Vec::new();
        assert_eq!(lines(&mut held, b"show A\nbe"), [b"show A".to_vec()]);
        assert_eq!(lines(&mut held, b"ep 1\n\n"), [b"beep 1".to_vec(), Vec::new()]);
    }

    #[test]
    fn what_is_due_while_it_hangs_is_due_afterwards() {
        let mut calm = Calm::default();
        calm.hang(at(1_000), Span::s(5));
        let grace = Span::s(1);
        for (due, overdue) in [(999, 999), (1_000, 7_000), (6_999, 7_000), (7_000, 7_000), (7_001, 7_001)] {
            assert_eq!(calm.overdue(at(due), grace), at(overdue), "{due}");
        }
        for (from, to, steady) in
            [(0, 999, true), (0, 1_000, false), (7_000, 8_000, false), (7_001, 8_000, true)]
        {
            assert_eq!(calm.is_steady(at(from), at(to), grace), steady, "{from} to {to}");
        }
    }
}
