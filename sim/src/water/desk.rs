//! The card reader behind a text port: it asks the card for blocks over the air, one request after the other.
//!
//! A reading is always of the whole card. What it brought answers requests at the same instant, each block once; later
//! the card is read anew. After a write the block that was read back is there in the same way.

use std::collections::VecDeque;

use crate::card::reader::{READ_BLOCKS, ReadFailure, Reader, ReaderConfig, ReaderOutput, WriteOutcome};
use crate::digest::Digest;
use crate::time::Instant;

/// How many requests wait at most.
const ASKED_MAX: usize = 64;

/// What a program asks of a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// The content of a block.
    Read(u8),
    /// New content for a block.
    Write(u8, u32),
}

impl Ask {
    /// A line of the text port, if it is such a request.
    pub fn parse(line: &str) -> Option<Self> {
        let words: Vec<&str> = line.split(' ').collect();
        let block = |word: &str| (word.len() == 1).then(|| word.parse().ok()).flatten();
        match words[..] {
            ["read", number] => Some(Self::Read(block(number)?)),
            ["write", number, data]
                if data.len() == 8 && data.bytes().all(|digit| digit.is_ascii_hexdigit()) =>
            {
                Some(Self::Write(block(number)?, u32::from_str_radix(data, 16).ok()?))
            }
            _ => None,
        }
    }

    const fn block(self) -> u8 {
        match self {
            Self::Read(block) | Self::Write(block, _) => block,
        }
    }
}

/// What is known of the card from one moment of the radio.
#[derive(Clone, Debug)]
struct Fresh {
    at: Instant,
    blocks: [Option<u32>; READ_BLOCKS],
}

/// The reader of a terminal that leaves reading to the rig.
#[derive(Clone, Debug)]
pub struct Desk {
    reader: Reader,
    present: bool,
    asked: VecDeque<Ask>,
    fresh: Option<Fresh>,
    /// The card as the program knows it.
    known: Option<[u32; READ_BLOCKS]>,
    answers: VecDeque<String>,
}

impl Desk {
    /// A reader without a card.
    pub fn new(config: ReaderConfig) -> Self {
        Self {
            reader: Reader::new(config),
            present: false,
            asked: VecDeque::new(),
            fresh: None,
            known: None,
            answers: VecDeque::new(),
        }
    }

    /// A card came or went.
    pub fn handle_presence(&mut self, now: Instant, present: bool) {
        if present == self.present {
            return;
        }
        self.present = present;
        self.reader.field_off(now);
        (self.fresh, self.known) = (None, None);
        for _ in self.asked.drain(..) {
            self.answers.push_back("gone".to_owned());
        }
        self.answers.push_back(if present { "present" } else { "remove" }.to_owned());
    }

    /// Takes a request.
    pub fn handle_ask(&mut self, now: Instant, ask: Ask) {
        if self.asked.len() >= ASKED_MAX || !(1..=READ_BLOCKS).contains(&usize::from(ask.block())) {
            self.answers.push_back("error".to_owned());
            return;
        }
        self.asked.push_back(ask);
        if self.asked.len() == 1 {
            self.go_on(now);
        }
    }

    /// What the card sends.
    pub fn handle_edges(&mut self, now: Instant, bytes: &[u8]) {
        self.reader.handle_edges(now, bytes);
    }

    /// The time that [`Desk::poll_timeout`] named has come.
    pub fn handle_deadline(&mut self, now: Instant) {
        if self.poll_timeout().is_some_and(|at| at <= now) {
            self.reader.handle_deadline(now);
        }
    }

    /// The program has nothing more to ask at this moment, and nothing on its way to the next request.
    pub fn rest(&mut self, now: Instant) {
        if self.asked.is_empty() && self.reader.is_field_on() {
            self.reader.field_off(now);
        }
    }

    /// When the radio wants something next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.reader.poll_timeout()
    }

    /// The next line for the program.
    pub fn poll_answer(&mut self) -> Option<String> {
        self.answers.pop_front()
    }

    /// The next thing that the radio has to do.
    pub fn poll_radio(&mut self, now: Instant) -> Option<Radio> {
        loop {
            match self.reader.poll_output()? {
                ReaderOutput::Field(on) => return Some(Radio::Field(on)),
                ReaderOutput::Burst(bytes) => return Some(Radio::Burst(bytes)),
                ReaderOutput::Read(read) => self.card_was_read(now, read),
                ReaderOutput::Written { block, outcome, .. } => self.block_was_written(now, block, outcome),
            }
        }
    }

    /// Adds the full state.
    pub fn digest(&self, into: &mut Digest) {
        self.reader.digest(into);
        into.flag(self.present).word(self.asked.len() as u64).flag(self.fresh.is_some());
        for ask in &self.asked {
            let (block, data) = match ask {
                Ask::Read(block) => (*block, 0),
                Ask::Write(block, data) => (*block, u64::from(*data) + 1),
            };
            into.word(u64::from(block)).word(data);
        }
        for block in self.known.iter().flatten() {
            into.word(u64::from(*block));
        }
        for answer in &self.answers {
            into.text(answer);
        }
    }

    /// Answers what can be answered, and begins what takes the radio.
    fn go_on(&mut self, now: Instant) {
        while let Some(ask) = self.asked.front().copied() {
            if !self.present {
                self.answer("gone");
                continue;
            }
            match ask {
                Ask::Read(block) => match self.take_fresh(now, block) {
                    Some(data) => self.answer(&format!("block {block} {data:08X}")),
                    None => return self.reader.read_card(now),
                },
                // Without a field the card may be another one by now, which a reading tells.
                Ask::Write(..) if !self.reader.is_field_on() => return self.reader.read_card(now),
                Ask::Write(block, data) => return self.reader.write_block(now, block, data),
            }
        }
    }

    fn answer(&mut self, line: &str) {
        self.asked.pop_front();
        self.answers.push_back(line.to_owned());
    }

    fn take_fresh(&mut self, now: Instant, block: u8) -> Option<u32> {
        let fresh = self.fresh.as_mut().filter(|fresh| fresh.at == now)?;
        fresh.blocks.get_mut(usize::from(block).checked_sub(1)?)?.take()
    }

    fn card_was_read(&mut self, now: Instant, read: Result<[u32; READ_BLOCKS], ReadFailure>) {
        let before = self.known;
        match (self.asked.front(), read) {
            (Some(Ask::Read(_)), Ok(blocks)) => {
                self.known = Some(blocks);
                self.fresh = Some(Fresh { at: now, blocks: blocks.map(Some) });
            }
            (Some(Ask::Write(..)), Ok(blocks)) if before.is_none_or(|before| before == blocks) => {
                self.known = Some(blocks);
            }
            (Some(Ask::Write(..)), _) => self.give_up(now, "gone"),
            // A reading is of the whole card, so that its failure answers every block that is waited for.
            (Some(Ask::Read(_)), Err(_)) => {
                while matches!(self.asked.front(), Some(Ask::Read(_))) {
                    self.give_up(now, "error");
                }
            }
            (None, Err(_)) => {}
            (None, Ok(_)) => {}
        }
        self.go_on(now);
    }

    fn give_up(&mut self, now: Instant, answer: &str) {
        self.known = None;
        self.reader.field_off(now);
        self.answer(answer);
    }

    fn block_was_written(&mut self, now: Instant, block: u8, outcome: WriteOutcome) {
        let Some(Ask::Write(_, data)) = self.asked.front().copied() else { return };
        let shows = match outcome {
            WriteOutcome::Verified => Some(data),
            WriteOutcome::StillOld(data) | WriteOutcome::ReadBack(data) => Some(data),
            WriteOutcome::NoReadBack => None,
        };
        match (shows, usize::from(block).checked_sub(1)) {
            (Some(shows), Some(place)) => {
                let mut blocks = [None; READ_BLOCKS];
                blocks[place] = Some(shows);
                self.fresh = Some(Fresh { at: now, blocks });
                if let Some(known) = &mut self.known {
                    known[place] = shows;
                }
                self.answer("done");
            }
            _ => self.give_up(now, "gone"),
        }
        self.go_on(now);
    }
}

/// What the radio has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Radio {
    /// Switch the field.
    Field(bool),
    /// Send these pulses.
    Burst(Vec<u8>),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read_to_the_letter() {
        assert_eq!(Ask::parse("read 3"), Some(Ask::Read(3)));
        assert_eq!(Ask::parse("write 4 000004E2"), Some(Ask::Write(4, 1_250)));
        for other in
            ["read", "read 33", "read 3 ", "read x", "write 4 4E2", "write 4 +00004E2", "show read 3"]
        {
            assert_eq!(Ask::parse(other), None, "{other}");
        }
    }
}
