//! The stage of a case: a bench, and the oracles that watch.

use std::collections::BTreeMap;

use assay_sim::bench::{Bench, BenchError, DONE_BY_HAND, Jumps, Paced, Remains};
use assay_sim::digest::Digest;
use assay_sim::fault::{FaultPlan, Strike, Way};
use assay_sim::machine::Torn;
use assay_sim::tabletop::{PlanError, Tabletop};
use assay_sim::tape::{Entry, Fingerprint as _, Keep, LineId, SeatId, Seen, SupplyId, Tape};
use assay_sim::time::{Instant, Span};
use assay_sim::water::terminal::vendor::Trouble;
use thiserror::Error;

use crate::branches::Branches;
use crate::finding::{Findings, Oracles};
use crate::interrupt::Stop;
use crate::marks::Marks;
use crate::system::{Readings, Settling, Suited, Sut, is_claimed};

/// Why a case could not be carried out: ours or the rig's fault, never the device's.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum StageError {
    /// The installation cannot be built.
    #[error("{0}")]
    Plant(String),
    /// The plan does not fit it.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The case names somebody who is not there.
    #[error("the case's cast has no {0}")]
    NoSuch(String),
    /// The bench did more than any run should.
    #[error("the bench did {0} steps without coming to rest")]
    Runaway(u64),
    /// The bench failed.
    #[error(transparent)]
    Bench(#[from] BenchError),
    /// The system under test cannot be put to this test here, or was never at work. It says nothing about the suite.
    #[error("{0}")]
    Unfit(String),
    /// The case was told to stop.
    #[error("stopped")]
    Stopped,
    /// The run has come to where it was to end before its time, which is no fault of anybody's.
    #[error("ended early")]
    Ended,
}

/// How often a fault may interrupt the liveness phase; each fault of a plan strikes once.
const SETTLE_ROUNDS_MAX: usize = 16;

/// How short a pause becomes at most: a real party on a busy computer takes some time for anything.
pub(crate) const PAUSE_MIN: Span = Span::ms(50);

/// How short the patience of a case becomes at most.
const PATIENCE_MIN: Span = Span::s(60);

/// The most steps of one run; a run that needs more is a live-lock of ours.
const STEPS_MAX: u64 = 200_000_000;

/// Everything that a case can touch.
pub struct Stage<F: Suited> {
    bench: Box<dyn Bench<F>>,
    scene: F::Scene,
    stop: Stop,
    oracles: Oracles<F>,
    findings: Findings,
    /// The next entry that the oracles have not seen.
    cursor: u64,
    steps: u64,
    claims_suppressed: bool,
    numbers: u64,
    /// By what the parties' timers are divided.
    divisor: u64,
    /// How many deliveries each end of each link has had that were words to people, by link and way.
    heard: BTreeMap<(LineId, Way), u32>,
    /// How long each planned fault lasts.
    fault_spans: Vec<Span>,
    /// Until when faults last that have struck so far.
    faults_until: Instant,
    /// When the run ends before its time, and whether it has.
    early: Option<Instant>,
    ended: bool,
    /// Where the run stands at each site, if that is recorded.
    marks: Option<Box<Marks>>,
    /// What its parties have done, if that is recorded.
    branches: Option<Branches>,
}

/// What a run of a case leaves.
pub struct Outcome<F: Suited> {
    /// What the oracles found.
    pub findings: Findings,
    /// What is left of the bench.
    pub bench: Remains<F>,
    /// The fingerprint of the whole bench in the end.
    pub digest: u128,
    /// The cast.
    pub scene: F::Scene,
    /// What a seat has found wrong with the party in it.
    pub trouble: Option<Trouble>,
    /// Where the run stood at each site, if that was recorded.
    pub marks: Vec<u128>,
    /// The branches that its parties went through, if they were recorded.
    pub branches: Branches,
}

impl<F: Suited> Stage<F> {
    /// Builds a tabletop.
    ///
    /// Errors: [`StageError::Plant`], [`StageError::Plan`].
    pub fn new(plant: &F::Plant, sut: Sut, plan: &FaultPlan, keep: Keep) -> Result<Self, StageError> {
        let table = Tabletop::new(F::layout(plant).map_err(StageError::Plant)?, plan, keep)?;
        Self::on(Box::new(Paced { table, pace: Jumps }), plant, sut, plan, &Stop::default())
    }

    /// Takes over a bench that was built from this plant and plan, and has not been switched on yet.
    ///
    /// Errors: [`StageError::NoSuch`].
    pub fn on(
        bench: Box<dyn Bench<F>>,
        plant: &F::Plant,
        sut: Sut,
        plan: &FaultPlan,
        stop: &Stop,
    ) -> Result<Self, StageError> {
        let scene =
            F::scene(plant, sut, plan, &*bench).ok_or_else(|| StageError::NoSuch("whole cast".to_owned()))?;
        Ok(Self {
            bench,
            scene,
            stop: stop.clone(),
            oracles: Vec::new(),
            findings: Findings::default(),
            cursor: 0,
            steps: 0,
            claims_suppressed: false,
            numbers: 0,
            divisor: 1,
            heard: BTreeMap::new(),
            fault_spans: plan.strikes.iter().map(Strike::span).collect(),
            faults_until: Instant::ZERO,
            early: None,
            ended: false,
            marks: None,
            branches: None,
        })
    }

    /// Seats the oracles.
    pub fn watch(&mut self, oracles: Oracles<F>) {
        self.oracles = oracles;
    }

    /// Keeps what the system under test says of itself from the oracles.
    pub fn suppress_claims(&mut self) {
        self.claims_suppressed = true;
    }

    /// Records every site that the run goes through.
    pub fn record_visits(&mut self) {
        self.bench.record_visits();
    }

    /// Records every site that the run goes through, and where the run stands there.
    pub fn record_marks(&mut self) {
        self.bench.record_visits();
        self.marks = Some(Box::default());
    }

    /// Records what parties say that they do.
    pub fn record_branches(&mut self) {
        self.branches = Some(Branches::default());
    }

    /// Records the granularity margin, where the bench has one.
    pub fn record_margin(&mut self) {
        self.bench.record_margin();
    }

    /// Has the run end at this time, before its own end; what oracles say of a whole run is then not asked.
    pub fn end_early(&mut self, at: Instant) {
        self.early = Some(at);
    }

    /// The cast.
    pub fn scene(&self) -> &F::Scene {
        &self.scene
    }

    /// Bench time.
    pub fn now(&self) -> Instant {
        self.bench.now()
    }

    /// Switches every supply on.
    pub fn switch_on(&mut self) {
        self.bench.switch_on();
        self.show();
    }

    /// Lets time pass.
    ///
    /// Errors: [`StageError::Runaway`], [`StageError::Bench`], [`StageError::Ended`].
    pub fn wait(&mut self, span: Span) -> Result<(), StageError> {
        self.wait_for(span, &|_| false).map(|_| ())
    }

    /// Lets time pass that only a party's timers make long: where these are divided, so is it.
    ///
    /// Errors: those of waiting.
    pub fn pause(&mut self, span: Span) -> Result<(), StageError> {
        self.wait(span.shortened(self.divisor).max(span.min(PAUSE_MIN)))
    }

    /// How long something is waited for that parties' timers make late: less where these are divided, but a minute if
    /// it was that long.
    pub fn patience(&self, span: Span) -> Span {
        span.shortened(self.divisor).max(span.min(PATIENCE_MIN))
    }

    /// Says by what the parties' timers are divided.
    pub fn divide(&mut self, divisor: u64) {
        self.divisor = divisor;
    }

    /// Lets time pass until an entry is seen that came after this call, or for `within`; whether one was.
    ///
    /// Errors: [`StageError::Runaway`], [`StageError::Bench`].
    pub fn wait_for(
        &mut self,
        within: Span,
        seen: &dyn Fn(&Entry<F::Event>) -> bool,
    ) -> Result<bool, StageError> {
        let wanted = self.bench.now() + within;
        let until = self.early.map_or(wanted, |early| wanted.min(early));
        loop {
            let from = self.cursor;
            if self.stop.interrupted() {
                return Err(StageError::Stopped);
            }
            let mark = self.mark(until);
            let more = self.bench.step(until)?;
            self.take_marks(mark);
            self.steps += 1;
            if self.steps > STEPS_MAX {
                return Err(StageError::Runaway(self.steps));
            }
            let found = self.bench.tape().since(from).any(seen);
            self.show();
            if let Some(marks) = self.marks.as_mut().filter(|_| found || !more) {
                marks.waited(found);
            }
            if found {
                return Ok(true);
            }
            if !more {
                if self.early.is_some_and(|early| early <= wanted) {
                    self.ended = true;
                    return Err(StageError::Ended);
                }
                return Ok(false);
            }
        }
    }

    /// Where the run stands before a step of a wait until this time.
    fn mark(&mut self, until: Instant) -> u128 {
        if self.marks.is_none() {
            return 0;
        }
        self.take_marks(self.past());
        let mut mark = Digest::new(self.bench.now());
        mark.bytes(&self.bench.digest().to_le_bytes())
            .instant(until)
            .instant(self.faults_until)
            .word(self.numbers);
        for ((line, way), count) in &self.heard {
            mark.word(u64::from(line.0)).word(way.index() as u64).word(u64::from(*count));
        }
        for (requirement, judged) in &self.findings.judged {
            mark.text(requirement).word(*judged);
        }
        if let Some(marks) = &self.marks {
            marks.beside(&mut mark);
        }
        mark.finish()
    }

    /// Where the run stands between two steps: the same only for runs of which the same was seen so far.
    fn past(&self) -> u128 {
        if self.marks.is_none() {
            return 0;
        }
        let mut past = Digest::new(self.bench.now());
        past.bytes(&self.bench.tape().digest().to_le_bytes()).bytes(&self.bench.digest().to_le_bytes());
        past.finish()
    }

    fn take_marks(&mut self, from: u128) {
        if let Some(marks) = &mut self.marks {
            marks.take(self.bench.visited(), from);
        }
    }

    /// Hands the oracles what is new on the tape. A power cut also has memories read out.
    fn show(&mut self) {
        loop {
            let mut cut = false;
            for entry in self.bench.tape().since(self.cursor) {
                self.cursor = entry.ordinal + 1;
                cut |= matches!(entry.what, Seen::Power { on: false, .. });
                if let Seen::Struck { strike } = entry.what {
                    let span = self.fault_spans.get(strike).copied().unwrap_or_default();
                    self.faults_until = self.faults_until.max(entry.at + span);
                }
                if let Seen::Heard { line, way, bytes, .. } = &entry.what
                    && F::is_word(bytes)
                {
                    *self.heard.entry((*line, *way)).or_default() += 1;
                }
                if let Some(marks) = &mut self.marks {
                    add_effect::<F>(marks.effect(), &entry.what);
                }
                if let (Some(branches), Seen::Noted { event, .. }) = (&mut self.branches, &entry.what)
                    && !F::is_observed(event)
                {
                    branches.add(event);
                }
                if self.claims_suppressed && is_claimed::<F>(&self.scene, entry) {
                    continue;
                }
                for oracle in &mut self.oracles {
                    oracle.observe(entry, &self.scene, &mut self.findings);
                }
            }
            if !cut {
                return;
            }
            self.note_memories();
        }
    }

    /// Has every memory read out that an observer can.
    pub fn read_memories(&mut self) {
        self.note_memories();
        self.show();
    }

    fn note_memories(&mut self) {
        let read = F::read_memories(&*self.bench, &self.scene);
        self.note_all(read);
    }

    fn note_all(&mut self, read: Readings<F>) {
        for (seat, event) in read {
            self.bench.note(seat, event);
        }
    }

    /// The liveness phase: waits until faults have been over for as long as the family allows; says so on the tape; and
    /// watches a while longer. A fault that strikes meanwhile starts it again.
    ///
    /// Errors: those of waiting.
    pub fn settle(&mut self) -> Result<(), StageError> {
        let Settling { bound, words, watch } = F::settling(&self.scene, self.divisor);
        self.faults_until = self.faults_until.max(self.now());
        for _ in 0..SETTLE_ROUNDS_MAX {
            while self.now() < self.faults_until + bound {
                let rest = (self.faults_until + bound).since(self.now());
                self.wait(rest)?;
            }
            self.remark(words);
            let faults = self.faults_until;
            self.wait(watch)?;
            if self.faults_until == faults {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Settles, and has everything at rest observed.
    ///
    /// Errors: those of waiting.
    pub fn rest(&mut self) -> Result<(), StageError> {
        self.settle()?;
        self.observe_rest();
        Ok(())
    }

    /// Puts on the tape what lies at the parties' boundaries now, except what is the system under test's own.
    pub fn observe_rest(&mut self) {
        let read = F::read_rest(&*self.bench, &self.scene);
        self.note_all(read);
        for (seat, told) in self.bench.told() {
            match told.and_then(|text| F::read_told(&text)) {
                Ok(event) => self.bench.note(seat, event),
                Err(why) => self.bench.trouble(why),
            }
        }
        self.show();
    }

    /// A remark on the tape.
    pub fn remark(&mut self, text: impl Into<String>) {
        self.bench.remark(text.into());
        self.show();
    }

    /// Cuts a supply for a while.
    ///
    /// Errors: [`StageError::NoSuch`], and those of waiting.
    pub fn cut_for(&mut self, supply: &str, torn: Torn, off: Span) -> Result<(), StageError> {
        self.cut(supply, torn)?;
        self.wait(off)?;
        self.restore(supply)
    }

    /// Cuts a supply.
    ///
    /// Errors: [`StageError::NoSuch`], [`StageError::Unfit`].
    pub fn cut(&mut self, supply: &str, torn: Torn) -> Result<(), StageError> {
        let id = self.supply(supply)?;
        if let Some(why) = self.bench.forbids(supply) {
            return Err(StageError::Unfit(why));
        }
        self.bench.cut(id, torn);
        self.show();
        Ok(())
    }

    /// Brings a supply back that was cut.
    ///
    /// Errors: [`StageError::NoSuch`].
    pub fn restore(&mut self, supply: &str) -> Result<(), StageError> {
        let id = self.supply(supply)?;
        self.bench.restore(id);
        self.show();
        Ok(())
    }

    fn supply(&self, name: &str) -> Result<SupplyId, StageError> {
        self.bench.supply_named(name).ok_or_else(|| StageError::NoSuch(name.to_owned()))
    }

    /// Has people do something where only hands can: an operator says when it is done.
    fn ask(&mut self, seat: Option<SeatId>, what: &str) -> Result<(), StageError> {
        let Some(within) = seat.and_then(|seat| self.bench.ask(seat, what)) else { return Ok(()) };
        let done = |entry: &Entry<F::Event>| matches!(&entry.what, Seen::Case(text) if text == DONE_BY_HAND);
        if self.wait_for(within, &done)? {
            return Ok(());
        }
        Err(StageError::Unfit(format!("no operator has said within {within} that it is done: {what}")))
    }

    /// Does something to a party.
    ///
    /// Errors: [`StageError::NoSuch`]; those of waiting, where an operator has to do it.
    pub fn stimulate(&mut self, party: &str, stimulus: F::Stimulus) -> Result<(), StageError> {
        let seat = self.seat(party)?;
        if let Some(what) = F::by_hand(&stimulus) {
            self.ask(Some(seat), &what)?;
        }
        self.bench.stimulate(seat, stimulus);
        self.show();
        Ok(())
    }

    /// How many deliveries a link's end has had so far that were words to people where it leads to them.
    pub fn heard(&self, line: LineId, way: Way) -> u32 {
        self.heard.get(&(line, way)).copied().unwrap_or_default()
    }

    /// A number that the case has not used yet, from 1.
    pub fn next_number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    /// Puts a card into a reader's field; `what` says so to people.
    ///
    /// Errors: those of waiting, where an operator has to do it.
    pub fn plug(&mut self, line: LineId, card: SeatId, what: &str) -> Result<(), StageError> {
        self.ask(self.bench.end_of(line, Way::AtoB), what)?;
        self.bench.plug(line, card);
        self.show();
        Ok(())
    }

    /// Takes the card out of a reader's field.
    ///
    /// Errors: those of waiting, where an operator has to do it.
    pub fn unplug(&mut self, line: LineId, torn: Torn) -> Result<(), StageError> {
        self.ask(self.bench.end_of(line, Way::AtoB), "take the card out")?;
        self.bench.unplug(line, torn);
        self.show();
        Ok(())
    }

    /// The tape so far.
    pub fn tape(&self) -> &Tape<F::Event> {
        self.bench.tape()
    }

    /// Ends the run: the oracles have their last word.
    pub fn finish(mut self) -> Outcome<F> {
        self.show();
        self.take_marks(self.past());
        let (at, digest) = (self.bench.now(), self.bench.digest());
        let trouble = F::trouble(&*self.bench, &self.scene);
        let bench = self.bench.remains();
        // A bench may have held back what it saw last.
        let held_back = bench.tape.since(self.cursor);
        for entry in held_back.filter(|entry| !self.claims_suppressed || !is_claimed::<F>(&self.scene, entry))
        {
            for oracle in &mut self.oracles {
                oracle.observe(entry, &self.scene, &mut self.findings);
            }
        }
        // Much of what has to happen by the end of a run has not happened yet in a part of it.
        for oracle in self.oracles.iter_mut().filter(|_| !self.ended) {
            oracle.finish(at, &self.scene, &mut self.findings);
        }
        Outcome {
            findings: self.findings,
            bench,
            digest,
            scene: self.scene,
            trouble,
            marks: self.marks.map(|marks| marks.into_taken()).unwrap_or_default(),
            branches: self.branches.unwrap_or_default(),
        }
    }

    /// Whether a test head sits in the seat of this name.
    pub fn is_head(&self, name: &str) -> bool {
        self.bench.seat_named(name).is_some_and(|seat| F::is_head(&self.bench.party(seat)))
    }

    /// The seat of this name.
    ///
    /// Errors: [`StageError::NoSuch`].
    pub fn seat(&self, name: &str) -> Result<SeatId, StageError> {
        self.bench.seat_named(name).ok_or_else(|| StageError::NoSuch(name.to_owned()))
    }
}

/// What an entry shows of effects, without its time: what is observed at boundaries, and what becomes of power and
/// cards.
fn add_effect<F: Suited>(into: &mut Digest, what: &Seen<F::Event>) {
    match what {
        Seen::Noted { seat, event } if F::is_observed(event) => {
            into.word(u64::from(seat.0));
            event.fingerprint(&mut |bytes| {
                into.bytes(bytes);
            });
        }
        Seen::Power { supply, on } => {
            into.word(u64::from(supply.0)).flag(*on);
        }
        Seen::Plug { line, .. } => {
            into.word(u64::from(line.0));
        }
        _ => {}
    }
}
