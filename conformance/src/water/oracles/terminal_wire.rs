//! Judges of a terminal at its own boundary: the line to its modem, its panel, its memory and the card in its slot.
//!
//! The tape is read once into [`Bit`]s; [`Talk`] is what they add up to, and every judge sees each bit together with
//! the talk as it stood before. What an observer cannot know for certain is judged neither way: a request counts as
//! outstanding only while everybody would say so, and whatever the modem or a planned fault takes from the terminal is
//! not booked on it.

use assay_sim::tape::Entry;
use assay_sim::time::{Instant, Span};
use assay_sim::water::family::Water;
use assay_sim::water::party::Event;

use super::boot::{Boot, Installation};
use super::panel::{SelfTest, Visits};
use super::terminal_wire_answers::Answers;
use super::terminal_wire_boundary::Boundary;
use super::terminal_wire_repeats::{Kinds, Negatives, Repeats};
use super::terminal_wire_talk::{Bit, Talk};
use super::terminal_wire_uploads::Uploads;
use crate::finding::{Findings, Oracle, Violation};
use crate::system::is_claimed;
use crate::water::scene::{Scene, TerminalCast};

/// When and on what a judge looks.
pub struct Moment<'a> {
    /// When.
    pub at: Instant,
    /// The entry.
    pub ordinal: u64,
    /// The talk before it.
    pub talk: &'a Talk,
    /// Whose.
    pub cast: &'a TerminalCast,
    /// Everything else.
    pub scene: &'a Scene,
}

impl Moment<'_> {
    /// How much later than due is not late.
    pub fn tolerance(&self) -> Span {
        self.scene.profile.bench.tolerance
    }

    /// How long an answer is waited for.
    pub fn patience(&self) -> Span {
        self.scene.profile.terminal.answer_timeout
    }

    /// A violation that became certain now.
    pub fn violation(
        &self,
        requirement: &'static str,
        expected: impl Into<String>,
        actual: impl Into<String>,
        before: Option<u64>,
    ) -> Violation {
        let mut evidence: Vec<u64> = before.into_iter().chain([self.ordinal]).collect();
        evidence.dedup();
        let letter = &self.cast.letter;
        Violation {
            requirement,
            expected: format!("terminal {letter}: {}", expected.into()),
            actual: actual.into(),
            at: self.at,
            evidence,
        }
    }
}

/// A judge of one terminal.
pub trait TalkJudge {
    /// Something happens.
    fn judge(&mut self, bit: &Bit, moment: &Moment<'_>, findings: &mut Findings);

    /// Time has passed, up to just before the next thing happens, or to the end of the run.
    fn pass_time(&mut self, _moment: &Moment<'_>, _findings: &mut Findings) {}
}

/// One terminal and its judges.
struct Watch {
    boundary: Boundary,
    talk: Talk,
    judges: Vec<Box<dyn TalkJudge>>,
    bits: Vec<Bit>,
    ordinal: u64,
}

impl Watch {
    fn new(scene: &Scene) -> Self {
        let judges: Vec<Box<dyn TalkJudge>> = vec![
            Box::new(Answers::default()),
            Box::new(Negatives::default()),
            Box::new(Repeats::default()),
            Box::new(Kinds),
            Box::new(Uploads::default()),
            Box::new(Boot::default()),
            Box::new(Installation::default()),
            Box::new(SelfTest::default()),
            Box::new(Visits::default()),
        ];
        Self { boundary: Boundary::default(), talk: Talk::new(scene), judges, bits: Vec::new(), ordinal: 0 }
    }

    /// Of a recording of the terminal's line alone: it has had power since before, and what takes its panel, its card
    /// or its memory is judged by nobody.
    fn of_recording(scene: &Scene, cast: &TerminalCast) -> Self {
        let judges: Vec<Box<dyn TalkJudge>> =
            vec![Box::new(Negatives::default()), Box::new(Repeats::default()), Box::new(Uploads::default())];
        let boundary = Boundary::of_recording();
        let mut watch = Self { boundary, talk: Talk::new(scene), judges, bits: Vec::new(), ordinal: 0 };
        watch.take(&Bit::PowerOn, Instant::ZERO, scene, cast, &mut Findings::default());
        watch
    }

    /// Everything that silence alone brings about up to `at`.
    fn pass_time(&mut self, at: Instant, scene: &Scene, cast: &TerminalCast, findings: &mut Findings) {
        while let Some(due) = self.boundary.due(scene).filter(|due| *due <= at) {
            self.tick(due, scene, cast, findings);
            self.boundary.silence(due, scene);
            self.take_heard(due, scene, cast, findings);
        }
        self.tick(at, scene, cast, findings);
    }

    fn tick(&mut self, at: Instant, scene: &Scene, cast: &TerminalCast, findings: &mut Findings) {
        let moment = Moment { at, ordinal: self.ordinal, talk: &self.talk, cast, scene };
        for judge in &mut self.judges {
            judge.pass_time(&moment, findings);
        }
    }

    fn take(&mut self, bit: &Bit, at: Instant, scene: &Scene, cast: &TerminalCast, findings: &mut Findings) {
        let moment = Moment { at, ordinal: self.ordinal, talk: &self.talk, cast, scene };
        for judge in &mut self.judges {
            judge.judge(bit, &moment, findings);
        }
        self.talk.apply(bit, at, self.ordinal, scene);
    }

    fn take_heard(&mut self, at: Instant, scene: &Scene, cast: &TerminalCast, findings: &mut Findings) {
        while let Some(bit) = self.boundary.next_heard((scene, cast), &self.talk) {
            self.take(&bit, at, scene, cast, findings);
        }
    }

    fn observe(&mut self, entry: &Entry<Event>, scene: &Scene, cast: &TerminalCast, findings: &mut Findings) {
        self.pass_time(entry.at, scene, cast, findings);
        self.ordinal = entry.ordinal;
        let mut bits = std::mem::take(&mut self.bits);
        self.boundary.observe(entry, (scene, cast), &self.talk, &mut bits);
        for bit in bits.drain(..) {
            self.take(&bit, entry.at, scene, cast, findings);
        }
        self.bits = bits;
        self.take_heard(entry.at, scene, cast, findings);
    }
}

/// The judges of all terminals.
#[derive(Default)]
pub struct TerminalBench {
    watches: Vec<Watch>,
}

impl TerminalBench {
    /// The judges of what a recording of terminals' lines shows, with nothing owed at its beginning.
    pub fn of_recording(scene: &Scene) -> Self {
        Self { watches: scene.terminals.iter().map(|cast| Watch::of_recording(scene, cast)).collect() }
    }
}

impl Oracle<Water> for TerminalBench {
    fn observe(&mut self, entry: &Entry<Event>, scene: &Scene, findings: &mut Findings) {
        if is_claimed::<Water>(scene, entry) {
            return;
        }
        while self.watches.len() < scene.terminals.len() {
            self.watches.push(Watch::new(scene));
        }
        for (watch, cast) in self.watches.iter_mut().zip(&scene.terminals) {
            watch.observe(entry, scene, cast, findings);
        }
    }

    fn finish(&mut self, at: Instant, scene: &Scene, findings: &mut Findings) {
        for (watch, cast) in self.watches.iter_mut().zip(&scene.terminals) {
            watch.pass_time(at, scene, cast, findings);
        }
    }
}
