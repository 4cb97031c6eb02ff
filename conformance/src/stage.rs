//! The stage of a case: a bench, and the oracles that watch.

use assay_sim::bench::{Bench, BenchError, Jumps, Paced, Remains};
use assay_sim::fault::{FaultPlan, Strike};
use assay_sim::machine::Torn;
use assay_sim::money::Fen;
use assay_sim::tabletop::{PlanError, Tabletop};
use assay_sim::tape::{Entry, Keep, SeatId, Seen, SupplyId, Tape};
use assay_sim::time::{Instant, Span};
use assay_sim::water::family::Water;
use assay_sim::water::frame::OrderNumber;
use assay_sim::water::ledger::Prepayment;
use assay_sim::water::observe::Observed;
use assay_sim::water::party::{Event, Party, Stimulus};
use assay_sim::water::payments::PaymentsStimulus;
use assay_sim::water::plant::{Plant, PlantError};
use assay_sim::water::tariff::Pricing;
use thiserror::Error;

use crate::finding::{Findings, Oracle};
use crate::interrupt::Stop;
use crate::scene::{Scene, Sut};

/// Why a case could not be carried out: ours or the rig's fault, never the device's.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum StageError {
    /// The installation cannot be built.
    #[error(transparent)]
    Plant(#[from] PlantError),
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
    /// The case was told to stop.
    #[error("stopped")]
    Stopped,
}

/// What the tape says when the drain bound has passed since the last fault.
pub const DRAINED: &str = "three heartbeats without a fault: every record must be drained";

/// How often a fault may interrupt the liveness phase; each fault of a plan strikes once.
const SETTLE_ROUNDS_MAX: usize = 16;

/// The most steps of one run; a run that needs more is a live-lock of ours.
const STEPS_MAX: u64 = 200_000_000;

/// Everything that a case can touch.
pub struct Stage {
    bench: Box<dyn Bench<Water>>,
    scene: Scene,
    stop: Stop,
    oracles: Vec<Box<dyn Oracle>>,
    findings: Findings,
    /// The next entry that the oracles have not seen.
    cursor: u64,
    steps: u64,
    claims_suppressed: bool,
    orders: u64,
    /// How many texts each terminal's display has been given.
    texts: Vec<u32>,
    /// How long each planned fault lasts.
    fault_spans: Vec<Span>,
    /// Until when faults last that have struck so far.
    faults_until: Instant,
}

/// What a run of a case leaves.
pub struct Outcome {
    /// What the oracles found.
    pub findings: Findings,
    /// What is left of the bench.
    pub bench: Remains<Water>,
    /// The fingerprint of the whole bench in the end.
    pub digest: u128,
    /// The cast.
    pub scene: Scene,
}

impl Stage {
    /// Builds a tabletop.
    ///
    /// Errors: [`StageError::Plant`], [`StageError::Plan`].
    pub fn new(plant: &Plant, sut: Sut, plan: &FaultPlan, keep: Keep) -> Result<Self, StageError> {
        let table = Tabletop::new(plant.layout()?, plan, keep)?;
        Self::on(Box::new(Paced { table, pace: Jumps }), plant, sut, plan, &Stop::default())
    }

    /// Takes over a bench that was built from this plant and plan, and has not been switched on yet.
    ///
    /// Errors: [`StageError::NoSuch`].
    pub fn on(
        bench: Box<dyn Bench<Water>>,
        plant: &Plant,
        sut: Sut,
        plan: &FaultPlan,
        stop: &Stop,
    ) -> Result<Self, StageError> {
        let mut scene =
            Scene::new(plant, sut, &*bench).ok_or_else(|| StageError::NoSuch("whole cast".to_owned()))?;
        scene.plan = plan.clone();
        Ok(Self {
            bench,
            texts: vec![0; scene.terminals.len()],
            scene,
            stop: stop.clone(),
            oracles: Vec::new(),
            findings: Findings::default(),
            cursor: 0,
            steps: 0,
            claims_suppressed: false,
            orders: 0,
            fault_spans: plan.strikes.iter().map(Strike::span).collect(),
            faults_until: Instant::ZERO,
        })
    }

    /// Seats the oracles.
    pub fn watch(&mut self, oracles: Vec<Box<dyn Oracle>>) {
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

    /// Records the granularity margin, where the bench has one.
    pub fn record_margin(&mut self) {
        self.bench.record_margin();
    }

    /// The cast.
    pub fn scene(&self) -> &Scene {
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
    /// Errors: [`StageError::Runaway`], [`StageError::Bench`].
    pub fn wait(&mut self, span: Span) -> Result<(), StageError> {
        self.wait_for(span, &|_| false).map(|_| ())
    }

    /// Lets time pass until an entry is seen that came after this call, or for `within`; whether one was.
    ///
    /// Errors: [`StageError::Runaway`], [`StageError::Bench`].
    pub fn wait_for(
        &mut self,
        within: Span,
        seen: &dyn Fn(&Entry<Event>) -> bool,
    ) -> Result<bool, StageError> {
        let until = self.bench.now() + within;
        loop {
            let from = self.cursor;
            if self.stop.interrupted() {
                return Err(StageError::Stopped);
            }
            let more = self.bench.step(until)?;
            self.steps += 1;
            if self.steps > STEPS_MAX {
                return Err(StageError::Runaway(self.steps));
            }
            let found = self.bench.tape().since(from).any(seen);
            self.show();
            if found {
                return Ok(true);
            }
            if !more {
                return Ok(false);
            }
        }
    }

    /// Hands the oracles what is new on the tape. A power cut also has the memory of the terminals read out.
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
                if let Seen::Heard { line, way: Scene::UP, .. } = &entry.what
                    && let Some(at) = self.scene.terminals.iter().position(|cast| cast.display == *line)
                {
                    self.texts[at] += 1;
                }
                if self.claims_suppressed && self.scene.is_claimed(entry) {
                    continue;
                }
                for oracle in &mut self.oracles {
                    oracle.observe(entry, &self.scene, &mut self.findings);
                }
            }
            if !cut {
                return;
            }
            self.read_chips();
        }
    }

    /// Has every terminal's memory read out.
    pub fn read_memories(&mut self) {
        self.read_chips();
        self.show();
    }

    fn read_chips(&mut self) {
        let mut read = Vec::new();
        for seat in self.scene.terminals.iter().map(|cast| cast.terminal) {
            let party = self.bench.party(seat);
            let chip = match &*party {
                Party::Terminal(board) => Some(board.chip()),
                Party::VendorTerminal(board) => board.chip(),
                _ => None,
            };
            if let Some(chip) = chip {
                let observed = Observed::Chip { image: Box::new(*chip.image()), wear_max: chip.wear_max() };
                read.push((seat, Event::Observed(observed)));
            }
        }
        self.note_all(read);
    }

    fn note_all(&mut self, read: Vec<(SeatId, Event)>) {
        for (seat, event) in read {
            self.bench.note(seat, event);
        }
    }

    /// The liveness phase: waits until faults have been over for the drain bound, three heartbeats; says so on the
    /// tape; and watches for one more heartbeat. A fault that strikes meanwhile starts it again.
    ///
    /// Errors: those of waiting.
    pub fn settle(&mut self) -> Result<(), StageError> {
        let heartbeat = self.scene.profile.server.heartbeat;
        let bound = heartbeat * 3 + self.scene.profile.bench.tolerance;
        self.faults_until = self.faults_until.max(self.now());
        for _ in 0..SETTLE_ROUNDS_MAX {
            while self.now() < self.faults_until + bound {
                let rest = (self.faults_until + bound).since(self.now());
                self.wait(rest)?;
            }
            self.remark(DRAINED);
            let faults = self.faults_until;
            self.wait(heartbeat)?;
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

    /// Puts on the tape what lies at the parties' boundaries now: cards, memories, and the server's books unless the
    /// server is under test.
    pub fn observe_rest(&mut self) {
        let mut read = Vec::new();
        for card in &self.scene.cards {
            if let Party::Card(tag) = &*self.bench.party(card.seat) {
                let mut blocks = [0; 8];
                blocks.copy_from_slice(&tag.blocks()[..8]);
                read.push((card.seat, Event::Observed(Observed::Card { blocks })));
            }
        }
        self.note_all(read);
        self.read_chips();
        let server = self.scene.server;
        let books = match &*self.bench.party(server) {
            Party::Server(board) => Some(board.books()),
            _ => None,
        };
        self.note_all(
            books.map(|books| (server, Event::Observed(Observed::Books(books)))).into_iter().collect(),
        );
        self.show();
    }

    /// A remark on the tape.
    pub fn remark(&mut self, text: impl Into<String>) {
        self.bench.remark(text.into());
        self.show();
    }

    /// The customer pays for an order; returns its number.
    ///
    /// Errors: [`StageError::NoSuch`].
    pub fn prepay(&mut self, card: usize, paid: Fen) -> Result<OrderNumber, StageError> {
        let cast = self.card(card)?;
        let (number, pricing) = (cast.number, cast.spec.pricing);
        self.prepay_as(number, paid, pricing)
    }

    /// The same with other prices than the card's own.
    ///
    /// Errors: [`StageError::NoSuch`].
    pub fn prepay_as(
        &mut self,
        card: assay_sim::card::number::CardNumber,
        paid: Fen,
        pricing: Pricing,
    ) -> Result<OrderNumber, StageError> {
        self.orders += 1;
        let order = OrderNumber::new(1_000 + u128::from(self.orders))
            .map_err(|_| StageError::NoSuch("order number".to_owned()))?;
        let seat = self.seat("payments")?;
        self.remark(format!("order {order}: {paid} yuan for card {card}"));
        let stimulus = PaymentsStimulus::Prepay(Prepayment { card, order, pricing, paid });
        self.bench.stimulate(seat, Stimulus::Payments(stimulus));
        self.show();
        Ok(order)
    }

    /// Puts a card into a terminal's slot.
    ///
    /// Errors: [`StageError::NoSuch`].
    pub fn present(&mut self, card: usize, terminal: usize) -> Result<(), StageError> {
        let (seat, line) = (self.card(card)?.seat, self.terminal(terminal)?.rf);
        self.bench.plug(line, seat);
        self.show();
        Ok(())
    }

    /// Takes the card out of a terminal's slot.
    ///
    /// Errors: [`StageError::NoSuch`].
    pub fn remove(&mut self, terminal: usize, torn: Torn) -> Result<(), StageError> {
        let line = self.terminal(terminal)?.rf;
        self.bench.unplug(line, torn);
        self.show();
        Ok(())
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
    /// Errors: [`StageError::NoSuch`].
    pub fn cut(&mut self, supply: &str, torn: Torn) -> Result<(), StageError> {
        let id = self.supply(supply)?;
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

    /// Does something to a party.
    ///
    /// Errors: [`StageError::NoSuch`].
    pub fn stimulate(&mut self, party: &str, stimulus: Stimulus) -> Result<(), StageError> {
        let seat = self.seat(party)?;
        self.bench.stimulate(seat, stimulus);
        self.show();
        Ok(())
    }

    /// How many texts a terminal's display has been given so far.
    pub fn texts_shown(&self, terminal: usize) -> u32 {
        self.texts.get(terminal).copied().unwrap_or(0)
    }

    /// The tape so far.
    pub fn tape(&self) -> &Tape<Event> {
        self.bench.tape()
    }

    /// Ends the run: the oracles have their last word.
    pub fn finish(mut self) -> Outcome {
        self.show();
        let (at, digest) = (self.bench.now(), self.bench.digest());
        let bench = self.bench.remains();
        // A bench may have held back what it saw last.
        let held_back = bench.tape.since(self.cursor);
        for entry in held_back.filter(|entry| !self.claims_suppressed || !self.scene.is_claimed(entry)) {
            for oracle in &mut self.oracles {
                oracle.observe(entry, &self.scene, &mut self.findings);
            }
        }
        for oracle in &mut self.oracles {
            oracle.finish(at, &self.scene, &mut self.findings);
        }
        Outcome { findings: self.findings, bench, digest, scene: self.scene }
    }

    fn seat(&self, name: &str) -> Result<SeatId, StageError> {
        self.bench.seat_named(name).ok_or_else(|| StageError::NoSuch(name.to_owned()))
    }

    fn card(&self, place: usize) -> Result<&crate::scene::CardCast, StageError> {
        self.scene.cards.get(place).ok_or_else(|| StageError::NoSuch(format!("card {}", place + 1)))
    }

    fn terminal(&self, place: usize) -> Result<&crate::scene::TerminalCast, StageError> {
        self.scene.terminals.get(place).ok_or_else(|| StageError::NoSuch(format!("terminal {}", place + 1)))
    }
}
