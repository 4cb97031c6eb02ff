//! The part of a terminal's firmware that talks to a T5557: it makes the field and the pulses and decodes the edges.
//!
//! It is driven as a machine is, one input and then its outputs, but it belongs to its terminal. It trusts nothing that
//! it has heard once: a value counts when it was read as often in a row as configured. A tag refuses a write in
//! silence and goes on reading, so a read-back counts only if the tag fell silent for as long as programming takes;
//! otherwise the whole card is read anew, and only a card that is else unchanged is taken for the same one.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::time::{Instant, Span};

use super::air::{burst_time, in_field_clocks};
use super::command::{Command, Pulses};
use super::receiver::Receiver;

/// How many blocks a reading has: 1 to 6.
pub const READ_BLOCKS: usize = 6;

/// The times, tolerances and limits of a reader.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReaderConfig {
    /// How far a run may be off.
    pub jitter_clocks: u8,
    /// How far a delivery may begin off the grid of field clocks; less than half a bit, or a missing one goes unseen.
    pub sync_clocks: u8,
    /// How long the field is off to reset a card.
    pub field_reset: Span,
    /// From the field's coming to the card's first bit.
    pub startup: Span,
    /// How far the first bit after the field's coming may be off; more than 120 µs counts as 120 µs, just less
    /// than a quarter of a bit.
    pub startup_slack: Span,
    /// How long one attempt at a reading may take, from the field's coming.
    pub read_timeout: Span,
    /// How many readings in a row must be equal.
    pub reads_equal: u8,
    /// How many attempts a reading has.
    pub attempts_max: u8,
    /// How long a card programs a block.
    pub program: Span,
    /// How far the first bit after programming may be off, within the same limit.
    pub program_slack: Span,
    /// How long the read-back of one block may take, from the end of the command.
    pub readback_timeout: Span,
    /// How often the same value is written to a block.
    pub writes_max: u8,
    /// The first gap of a command.
    pub start_gap_clocks: u8,
    /// Every later gap.
    pub gap_clocks: u8,
    /// Field between gaps for a zero.
    pub zero_clocks: u8,
    /// Field between gaps for a one.
    pub one_clocks: u8,
    /// Field without a gap after which the card takes a command as ended.
    pub command_end_clocks: u8,
    /// The password of cards that want one.
    #[serde(default)]
    pub password: Option<u32>,
}

/// Why there is no reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReadFailure {
    /// Nothing was heard in any attempt.
    Silent,
    /// Something was heard, but no two readings that agree.
    Unreadable,
}

/// What a write came to, by what was read back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteOutcome {
    /// The block holds the value.
    Verified,
    /// The block still holds what it held before.
    StillOld(u32),
    /// The block holds something else.
    ReadBack(u32),
    /// Nothing could be read back, or another card is there.
    NoReadBack,
}

/// What the reader wants done, or has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReaderOutput {
    /// Switch the field.
    Field(bool),
    /// Send these pulses.
    Burst(Vec<u8>),
    /// Blocks 1 to 6, or why not.
    Read(Result<[u32; READ_BLOCKS], ReadFailure>),
    /// The end of a write.
    Written {
        /// Which block.
        block: u8,
        /// Whether any pulses had left.
        begun: bool,
        /// What it came to.
        outcome: WriteOutcome,
    },
}

/// What the terminal has asked for.
#[derive(Clone, Copy, Debug)]
enum Job {
    None,
    Read,
    Write { block: u8, data: u32, old: u32, bursts: u8 },
}

/// What the reader is doing for it.
#[derive(Clone, Copy, Debug)]
enum Stage {
    Idle,
    /// The field is off so that the card forgets what it was doing.
    Dark {
        until: Instant,
    },
    /// The card repeats blocks 1 to 6.
    Cycle {
        until: Instant,
    },
    /// The card takes a command, programs, and repeats the block.
    Echo {
        until: Instant,
    },
}

/// Counts equal readings of one block or of all.
#[derive(Clone, Debug, Default)]
struct Tally {
    blocks: usize,
    place: usize,
    equal: u8,
    differs: bool,
    first: [u32; READ_BLOCKS],
}

impl Tally {
    fn of(blocks: usize) -> Self {
        Self { blocks, ..Self::default() }
    }

    fn push(&mut self, word: u32) {
        if self.equal == 0 {
            self.first[self.place] = word;
        } else {
            self.differs |= self.first[self.place] != word;
        }
        self.place += 1;
        if self.place == self.blocks {
            self.place = 0;
            self.equal = self.equal.saturating_add(1);
        }
    }

    fn digest(&self, into: &mut Digest) {
        into.word(self.blocks as u64).word(self.place as u64).word(u64::from(self.equal)).flag(self.differs);
        for word in self.first {
            into.word(u64::from(word));
        }
    }
}

/// A terminal's card reader.
#[derive(Clone, Debug)]
pub struct Reader {
    config: ReaderConfig,
    field: bool,
    field_since: Option<Instant>,
    job: Job,
    stage: Stage,
    attempt: u8,
    heard: bool,
    receiver: Receiver,
    tally: Tally,
    /// What the card in the field is known to hold.
    image: Option<[u32; READ_BLOCKS]>,
    outputs: VecDeque<ReaderOutput>,
}

impl Reader {
    /// A reader with its field off.
    pub fn new(config: ReaderConfig) -> Self {
        Self {
            receiver: Receiver::new(config.jitter_clocks, config.sync_clocks),
            config,
            field: false,
            field_since: None,
            job: Job::None,
            stage: Stage::Idle,
            attempt: 0,
            heard: false,
            tally: Tally::default(),
            image: None,
            outputs: VecDeque::new(),
        }
    }

    /// Whether nothing is under way.
    pub const fn is_idle(&self) -> bool {
        matches!(self.stage, Stage::Idle)
    }

    /// Whether the field is on.
    pub const fn is_field_on(&self) -> bool {
        self.field
    }

    /// Resets the card by its field and reads blocks 1 to 6 until enough readings in a row agree; ends with one
    /// [`ReaderOutput::Read`] and the field on. Whatever else was under way is dropped without a word.
    pub fn read_card(&mut self, now: Instant) {
        self.image = None;
        self.job = Job::Read;
        self.start_reading(now);
    }

    /// Writes a block of the card that was read since the field came, and reads it back; ends with one
    /// [`ReaderOutput::Written`] and the field on. Whatever else was under way is dropped without a word.
    ///
    /// Why: without a reading before it, a write could hit any card. It is then not begun, and neither is one to a
    /// block
    /// that a reading does not show.
    pub fn write_block(&mut self, now: Instant, block: u8, data: u32) {
        if !self.is_idle() {
            self.image = None;
        }
        let place = usize::from(block).wrapping_sub(1);
        match self.image.and_then(|image| image.get(place).copied()) {
            Some(old) => {
                self.job = Job::Write { block, data, old, bursts: 0 };
                self.send_burst(now);
            }
            None => {
                (self.job, self.stage) = (Job::None, Stage::Idle);
                let outcome = WriteOutcome::NoReadBack;
                self.outputs.push_back(ReaderOutput::Written { block, begun: false, outcome });
            }
        }
    }

    /// Switches the field off and drops whatever was under way without a word.
    pub fn field_off(&mut self, now: Instant) {
        (self.job, self.stage) = (Job::None, Stage::Idle);
        self.image = None;
        self.set_field(now, false);
    }

    /// Takes edges that end now; see [`super::air`] for their shape.
    pub fn handle_edges(&mut self, now: Instant, bytes: &[u8]) {
        if !matches!(self.stage, Stage::Cycle { .. } | Stage::Echo { .. }) {
            return;
        }
        self.heard |= !bytes.is_empty();
        let tally = &mut self.tally;
        let fed = self.receiver.feed(now, bytes, |word| tally.push(word));
        if fed.is_err() || self.tally.differs {
            self.fail(now);
        } else if self.tally.equal >= self.config.reads_equal.max(1) {
            self.succeed(now);
        }
    }

    /// What was planned for now or before.
    pub fn handle_deadline(&mut self, now: Instant) {
        match self.stage {
            Stage::Dark { until } if until <= now => self.light(now),
            Stage::Cycle { until } | Stage::Echo { until } if until <= now => self.fail(now),
            _ => {}
        }
    }

    /// When the reader wants [`Reader::handle_deadline`].
    pub const fn poll_timeout(&self) -> Option<Instant> {
        match self.stage {
            Stage::Idle => None,
            Stage::Dark { until } | Stage::Cycle { until } | Stage::Echo { until } => Some(until),
        }
    }

    /// The next thing to do; `None` when drained.
    pub fn poll_output(&mut self) -> Option<ReaderOutput> {
        self.outputs.pop_front()
    }

    /// Adds the full state.
    pub fn digest(&self, into: &mut Digest) {
        into.flag(self.field).word(u64::from(self.attempt)).flag(self.heard).word(self.outputs.len() as u64);
        match self.field_since {
            Some(since) => into.flag(true).age(since),
            None => into.flag(false),
        };
        match self.job {
            Job::None => into.word(0),
            Job::Read => into.word(1),
            Job::Write { block, data, old, bursts } => into
                .word(2)
                .word(u64::from(block))
                .word(u64::from(data))
                .word(u64::from(old))
                .word(u64::from(bursts)),
        };
        let stage = match self.stage {
            Stage::Idle => 0,
            Stage::Dark { .. } => 1,
            Stage::Cycle { .. } => 2,
            Stage::Echo { .. } => 3,
        };
        into.word(stage).deadline(self.poll_timeout()).flag(self.image.is_some());
        for word in self.image.iter().flatten() {
            into.word(u64::from(*word));
        }
        self.receiver.digest(into);
        self.tally.digest(into);
    }

    fn set_field(&mut self, now: Instant, on: bool) {
        if self.field != on {
            self.field = on;
            self.field_since = Some(now);
            self.outputs.push_back(ReaderOutput::Field(on));
        }
    }

    fn start_reading(&mut self, now: Instant) {
        self.attempt = 1;
        self.heard = false;
        self.reset_card(now);
    }

    /// Leaves the card without field for as long as it takes to forget.
    fn reset_card(&mut self, now: Instant) {
        self.set_field(now, false);
        match self.field_since.map(|since| since + self.config.field_reset) {
            Some(until) if until > now => self.stage = Stage::Dark { until },
            _ => self.light(now),
        }
    }

    fn light(&mut self, now: Instant) {
        self.set_field(now, true);
        self.receiver.arm(now + self.config.startup, self.config.startup_slack);
        self.tally = Tally::of(READ_BLOCKS);
        self.stage = Stage::Cycle { until: now + self.config.read_timeout };
    }

    fn send_burst(&mut self, now: Instant) {
        let Job::Write { block, data, bursts, .. } = &mut self.job else { return };
        *bursts += 1;
        let config = &self.config;
        let pulses = Pulses {
            start_gap_clocks: config.start_gap_clocks,
            gap_clocks: config.gap_clocks,
            zero_clocks: config.zero_clocks,
            one_clocks: config.one_clocks,
        };
        let write = Command::Write { block: *block, data: *data, lock: false };
        let burst = write.to_burst(pulses, config.password);
        let ended = now + burst_time(&burst) + in_field_clocks(u64::from(config.command_end_clocks));
        self.receiver.arm(ended + config.program, config.program_slack);
        self.tally = Tally::of(1);
        self.stage = Stage::Echo { until: ended + config.readback_timeout };
        self.outputs.push_back(ReaderOutput::Burst(burst));
    }

    /// The attempt came to nothing.
    fn fail(&mut self, now: Instant) {
        if matches!(self.stage, Stage::Echo { .. }) {
            // The tag does not repeat that one block: it may have refused the write, or be gone.
            return self.start_reading(now);
        }
        if self.attempt < self.config.attempts_max {
            self.attempt += 1;
            return self.reset_card(now);
        }
        match self.job {
            Job::Write { .. } => self.end_write(WriteOutcome::NoReadBack),
            Job::Read | Job::None => {
                let why = if self.heard { ReadFailure::Unreadable } else { ReadFailure::Silent };
                self.end_read(Err(why));
            }
        }
    }

    /// Enough readings in a row agree.
    fn succeed(&mut self, now: Instant) {
        let (read, stage) = (self.tally.first, self.stage);
        match (self.job, self.image) {
            (Job::Write { .. }, _) if matches!(stage, Stage::Echo { .. }) => self.settle(now, read[0]),
            (Job::Write { block, .. }, Some(image)) => {
                let place = usize::from(block) - 1;
                let same_card = (0..READ_BLOCKS).all(|other| other == place || read[other] == image[other]);
                if same_card {
                    self.settle(now, read[place]);
                } else {
                    self.end_write(WriteOutcome::NoReadBack);
                }
            }
            (Job::Write { .. }, None) => self.end_write(WriteOutcome::NoReadBack),
            (Job::Read | Job::None, _) => self.end_read(Ok(read)),
        }
    }

    /// The block that is being written reads `value` now.
    fn settle(&mut self, now: Instant, value: u32) {
        let Job::Write { block, data, old, bursts } = self.job else { return };
        if let Some(cell) = self.image.as_mut().and_then(|image| image.get_mut(usize::from(block) - 1)) {
            *cell = value;
        }
        if value == data {
            self.end_write(WriteOutcome::Verified);
        } else if bursts < self.config.writes_max {
            self.send_burst(now);
        } else if value == old {
            self.end_write(WriteOutcome::StillOld(value));
        } else {
            self.end_write(WriteOutcome::ReadBack(value));
        }
    }

    fn end_read(&mut self, result: Result<[u32; READ_BLOCKS], ReadFailure>) {
        self.image = result.ok();
        (self.job, self.stage) = (Job::None, Stage::Idle);
        self.outputs.push_back(ReaderOutput::Read(result));
    }

    fn end_write(&mut self, outcome: WriteOutcome) {
        if let Job::Write { block, bursts, .. } = self.job {
            self.outputs.push_back(ReaderOutput::Written { block, begun: bursts > 0, outcome });
        }
        if outcome == WriteOutcome::NoReadBack {
            self.image = None;
        }
        (self.job, self.stage) = (Job::None, Stage::Idle);
    }
}
