//! The T5557 tag itself: ten blocks of EEPROM behind a radio that is powered by the field.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::machine::{Board, Input, Machine, Output, Port, Stamped, StoreStep, Torn};
use crate::time::{Instant, Now, Span};

use super::BLOCK_BITS;
use super::air::{burst_time, in_field_clocks};
use super::command::{Bits, Command, Refusal, read_bits};
use super::manchester;
use super::settings::Settings;

/// A range of durations that a tag takes for one thing, both ends included.
///
/// Units: field clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClockWindow {
    /// The shortest.
    pub min: u8,
    /// The longest.
    pub max: u8,
}

impl ClockWindow {
    /// Whether a duration is inside.
    pub const fn holds(self, clocks: u8) -> bool {
        self.min <= clocks && clocks <= self.max
    }
}

/// What a tag sends after it refused to write a locked block; makes of the chip differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LockedAnswer {
    /// Blocks 1 to the last, as after any other refusal.
    AllBlocks,
    /// The block that it was asked to write.
    ThatBlock,
}

/// The times and windows of a tag.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TagConfig {
    /// From the field's coming to the first bit.
    pub startup: Span,
    /// One block's erase and write.
    pub program: Span,
    /// The first gap of a command.
    pub start_gap_clocks: ClockWindow,
    /// Every later gap.
    pub write_gap_clocks: ClockWindow,
    /// Field between two gaps that means zero.
    pub zero_clocks: ClockWindow,
    /// Field between two gaps that means one.
    pub one_clocks: ClockWindow,
    /// Field without a gap that ends a command.
    pub command_end_clocks: u8,
    /// What follows a write to a locked block.
    pub locked_answer: LockedAnswer,
    /// The maker's two blocks on the second page.
    pub traceability: [u32; 2],
}

/// What an observer may note of a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CardEvent {
    /// A block was written.
    Programmed {
        /// Which.
        block: u8,
        /// What it held.
        old: u32,
        /// What it holds.
        new: u32,
    },
    /// The field went while a block was being written.
    Torn {
        /// Which.
        block: u8,
        /// What it held.
        old: u32,
        /// What it was to hold.
        new: u32,
        /// What it holds.
        left: u32,
    },
    /// A burst was refused. A real card says nothing of it.
    Rejected {
        /// Why.
        why: Refusal,
    },
}

impl fmt::Display for CardEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Programmed { block, old, new } => write!(f, "block {block} {old:08x} -> {new:08x}"),
            Self::Torn { block, old, new, left } => {
                write!(f, "block {block} torn {old:08x} -> {new:08x}, left {left:08x}")
            }
            Self::Rejected { why } => write!(f, "burst refused: {why}"),
        }
    }
}

/// A block that is being programmed.
#[derive(Clone, Copy, Debug)]
struct Programming {
    block: u8,
    new: u32,
    lock: bool,
    end: Instant,
}

/// What the tag is doing.
#[derive(Clone, Copy, Debug)]
enum Doing {
    /// Nothing: no field.
    Off,
    /// Loading its configuration.
    Starting { until: Instant },
    /// Repeating blocks: the next one and when it begins. `only` is set while it repeats a single block.
    Sending { block: u8, only: bool, at: Instant },
    /// Nothing that this reader could hear: block 0 asks for a modulation that is not modelled.
    Mute,
    /// Waiting whether another gap follows.
    Listening { heard: Result<Bits, Refusal>, end: Instant },
    /// Writing a block; deaf meanwhile.
    Programming(Programming),
}

/// A T5557 card in reach of a terminal's antenna.
#[derive(Clone, Debug)]
pub struct T5557 {
    config: TagConfig,
    blocks: [u32; 10],
    locked: [bool; 10],
    torn: Torn,
    doing: Doing,
    outputs: VecDeque<Stamped<Output<CardEvent>>>,
    steps: VecDeque<StoreStep>,
}

impl T5557 {
    /// The antenna: bursts and the field's level come in, edges go out.
    pub const RF: Port = Port(0);

    /// A new card with these blocks 0 to 7, outside any field. Only the maker's own blocks are locked.
    pub fn issue(config: TagConfig, contents: [u32; 8]) -> Self {
        let mut blocks = [0; 10];
        blocks[..8].copy_from_slice(&contents);
        blocks[8..].copy_from_slice(&config.traceability);
        let mut locked = [false; 10];
        locked[8..].fill(true);
        Self {
            config,
            blocks,
            locked,
            torn: Torn::default(),
            doing: Doing::Off,
            outputs: VecDeque::new(),
            steps: VecDeque::new(),
        }
    }

    /// The data bits of every block: 0 to 7 of the first page, then the maker's two.
    pub const fn blocks(&self) -> &[u32; 10] {
        &self.blocks
    }

    /// The lock bit of every block.
    pub const fn locked(&self) -> &[bool; 10] {
        &self.locked
    }

    /// Decides what becomes of a block that is being programmed when the field's level falls.
    pub const fn set_torn(&mut self, torn: Torn) {
        self.torn = torn;
    }

    /// What block 0 sets. The chip refreshes it while it reads, so that a new block 0 counts at once.
    pub const fn settings(&self) -> Settings {
        Settings::parse(self.blocks[0])
    }

    fn put(&mut self, at: Instant, what: Output<CardEvent>) {
        self.outputs.push_back(Stamped { at, what });
    }

    fn reject(&mut self, at: Instant, why: Refusal) {
        self.put(at, Output::Event(CardEvent::Rejected { why }));
    }

    fn field_on(&mut self, now: Instant) {
        if !self.is_on() {
            self.doing = Doing::Starting { until: now + self.config.startup };
        }
    }

    /// The field is gone at `at`: only what is stored remains.
    fn field_off(&mut self, at: Instant, torn: Torn) {
        self.outputs.clear();
        self.steps.clear();
        if let Doing::Programming(write) = self.doing {
            if write.end <= at {
                self.store(at, write);
            } else {
                self.tear(at, write, torn);
            }
        }
        self.doing = Doing::Off;
    }

    /// Leaves a block as a programming cycle does that loses its power. The lock bit is set only by an outcome of
    /// [`Torn::New`].
    fn tear(&mut self, at: Instant, write: Programming, torn: Torn) {
        let cell = usize::from(write.block);
        let old = self.blocks[cell];
        let (was, meant) = (old.to_be_bytes(), write.new.to_be_bytes());
        let left = u32::from_be_bytes(std::array::from_fn(|byte| torn.byte(was[byte], meant[byte])));
        self.blocks[cell] = left;
        self.locked[cell] |= write.lock && torn == Torn::New;
        self.put(at, Output::Event(CardEvent::Torn { block: write.block, old, new: write.new, left }));
    }

    fn store(&mut self, at: Instant, write: Programming) {
        let cell = usize::from(write.block);
        let old = std::mem::replace(&mut self.blocks[cell], write.new);
        self.locked[cell] |= write.lock;
        self.put(at, Output::Event(CardEvent::Programmed { block: write.block, old, new: write.new }));
    }

    /// Repeats blocks 1 to the last from `at` on, or block 0 when that is the last.
    fn send_all(&mut self, now: Instant, at: Instant) {
        let first = u8::from(self.settings().max_block > 0);
        self.send(now, first, false, at);
    }

    /// Sends a block that begins at `at`, which is now, and plans the next one.
    fn send(&mut self, now: Instant, block: u8, only: bool, at: Instant) {
        let settings = self.settings();
        if !settings.sends_manchester() {
            self.doing = Doing::Mute;
            return;
        }
        let bytes = manchester::encode(self.blocks[usize::from(block)], BLOCK_BITS, settings.half_clocks());
        self.put(now, Output::Transmit { port: Self::RF, bytes });
        let next = if only {
            block
        } else if block < settings.max_block {
            block + 1
        } else {
            settings.max_block.min(1)
        };
        let lasts = in_field_clocks(u64::from(BLOCK_BITS) * u64::from(settings.bit_clocks));
        // A bench on a real clock that comes late by more than a block must not cause a flood of blocks.
        let at = if at + lasts > now { at + lasts } else { now + lasts };
        self.doing = Doing::Sending { block: next, only, at };
    }

    /// A burst that ends now. One burst carries one command. A block that began before the burst did is not
    /// taken back here: it is on the air already, and a reader passes over it.
    fn hear(&mut self, now: Instant, burst: &[u8]) {
        match self.doing {
            Doing::Off => return,
            Doing::Starting { .. } | Doing::Programming(_) => return self.reject(now, Refusal::Busy),
            Doing::Listening { .. } => self.reject(now, Refusal::Interrupted),
            Doing::Sending { .. } | Doing::Mute => {}
        }
        // A stretch of field at the end of the burst counts towards the silence that ends the command.
        let trailing = if burst.len().is_multiple_of(2) { burst.last().copied().unwrap_or(0) } else { 0 };
        let silence = self.config.command_end_clocks.saturating_sub(trailing);
        let end = now + burst_time(&[silence]);
        self.doing = Doing::Listening { heard: read_bits(&self.config, burst), end };
    }

    /// No further gap has come: the command is over and is judged.
    fn judge(&mut self, now: Instant, at: Instant, heard: Result<Bits, Refusal>) {
        let settings = self.settings();
        match heard.and_then(|bits| bits.command(settings, self.blocks[7])) {
            Ok(Command::Reset) => self.doing = Doing::Starting { until: at + self.config.startup },
            Ok(Command::ReadAll) => self.send_all(now, at),
            Ok(Command::ReadBlock { block }) => self.send(now, block, true, at),
            Ok(Command::Write { block, .. }) if self.locked[usize::from(block)] => {
                self.reject(now, Refusal::Locked);
                match self.config.locked_answer {
                    LockedAnswer::AllBlocks => self.send_all(now, at),
                    LockedAnswer::ThatBlock => self.send(now, block, true, at),
                }
            }
            Ok(Command::Write { block, data, lock }) => self.program(now, at, block, data, lock),
            Err(why) => {
                self.reject(now, why);
                self.send_all(now, at);
            }
        }
    }

    fn program(&mut self, now: Instant, at: Instant, block: u8, data: u32, lock: bool) {
        let end = at + self.config.program;
        self.doing = Doing::Programming(Programming { block, new: data, lock, end });
        let middle = at + Span::us(self.config.program.as_us() / 2);
        for step in [at, middle, end] {
            self.steps.push_back(StoreStep {
                at: step.max(now),
                kind: "card-block",
                address: u16::from(block),
            });
        }
    }

    /// What was planned for now or before.
    fn expire(&mut self, now: Instant) {
        match self.doing {
            Doing::Starting { until } if until <= now => self.send_all(now, until),
            Doing::Sending { block, only, at } if at <= now => self.send(now, block, only, at),
            Doing::Listening { heard, end } if end <= now => self.judge(now, end, heard),
            Doing::Programming(write) if write.end <= now => {
                self.store(now, write);
                self.send(now, write.block, true, write.end);
            }
            _ => {}
        }
    }
}

impl Machine for T5557 {
    type Stimulus = Infallible;
    type Event = CardEvent;

    fn handle_input(&mut self, now: Now, input: Input<'_, Infallible>) {
        match input {
            Input::Level { port: Self::RF, high: true } => self.field_on(now.mono),
            Input::Level { port: Self::RF, high: false } if self.is_on() => {
                self.field_off(now.mono, self.torn);
            }
            Input::Received { port: Self::RF, bytes } if !bytes.is_empty() => self.hear(now.mono, bytes),
            Input::Deadline => self.expire(now.mono),
            // The tag has no power of its own and one port only.
            _ => {}
        }
    }

    fn poll_output(&mut self) -> Option<Stamped<Output<CardEvent>>> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        match self.doing {
            Doing::Off | Doing::Mute => None,
            Doing::Starting { until: at }
            | Doing::Sending { at, .. }
            | Doing::Listening { end: at, .. }
            | Doing::Programming(Programming { end: at, .. }) => Some(at),
        }
    }

    fn digest(&self, _now: Instant, into: &mut Digest) {
        for (data, locked) in self.blocks.iter().zip(self.locked) {
            into.word(u64::from(*data)).flag(locked);
        }
        into.word(self.torn as u64).word(self.outputs.len() as u64).word(self.steps.len() as u64);
        into.deadline(self.poll_timeout());
        match self.doing {
            Doing::Off => into.word(0),
            Doing::Starting { .. } => into.word(1),
            Doing::Sending { block, only, .. } => into.word(2).word(u64::from(block)).flag(only),
            Doing::Mute => into.word(3),
            Doing::Listening { heard: Ok(bits), .. } => {
                into.word(4).word(u64::from(bits.count)).bytes(&bits.word.to_le_bytes())
            }
            Doing::Listening { heard: Err(why), .. } => into.word(5).word(why as u64),
            Doing::Programming(write) => {
                into.word(6).word(u64::from(write.block)).word(u64::from(write.new)).flag(write.lock)
            }
        };
    }
}

impl Board for T5557 {
    fn cut(&mut self, at: Instant, torn: Torn) {
        if self.is_on() {
            self.field_off(at, torn);
        }
    }

    fn is_on(&self) -> bool {
        !matches!(self.doing, Doing::Off)
    }

    /// Three steps a block, all of kind `card-block`: programming begins, is half over, is done. The last is no longer
    /// a place where the block can tear.
    fn poll_step(&mut self) -> Option<StoreStep> {
        self.steps.pop_front()
    }

    fn timer_name(&self) -> Option<&'static str> {
        match self.doing {
            Doing::Off | Doing::Mute => None,
            Doing::Starting { .. } => Some("card-startup"),
            Doing::Sending { .. } => Some("card-block"),
            Doing::Listening { .. } => Some("card-command-end"),
            Doing::Programming(_) => Some("card-program"),
        }
    }
}

#[cfg(test)]
mod tests;
