//! What a terminal has on a host that has neither antenna nor voice module, display or wire to a modem's key: a text
//! port. Its far end is [`crate::water::text_port`], which also says what its lines are.

use std::collections::VecDeque;

use super::port;
use crate::card::reader::{READ_BLOCKS, ReadFailure, Reader, ReaderConfig, ReaderOutput, WriteOutcome};
use crate::digest::Digest;
use crate::machine::{Output, Port};
use crate::time::{Instant, Span};
use crate::water::text_port::LINE_MAX;

/// How many times as long as all attempts of a reader on the air an answer may take.
///
/// Why: behind the port stands a reader of that kind, and between the two a host that has other things to do.
const PATIENCE: u64 = 4;

/// How cards are read: over the air, or by asking for blocks over a text port.
#[derive(Clone, Debug)]
pub(super) enum CardReader {
    Air(Reader),
    Text(TextReader),
}

impl CardReader {
    pub(super) fn read_card(&mut self, now: Instant) {
        match self {
            Self::Air(reader) => reader.read_card(now),
            Self::Text(reader) => reader.read_card(now),
        }
    }

    pub(super) fn write_block(&mut self, now: Instant, block: u8, data: u32) {
        match self {
            Self::Air(reader) => reader.write_block(now, block, data),
            Self::Text(reader) => reader.write_block(now, block, data),
        }
    }

    pub(super) fn field_off(&mut self, now: Instant) {
        match self {
            Self::Air(reader) => reader.field_off(now),
            Self::Text(reader) => reader.stop(),
        }
    }

    /// What comes in at the antenna: edges, or the line of an answer.
    pub(super) fn handle_bytes(&mut self, now: Instant, bytes: &[u8]) {
        match self {
            Self::Air(reader) => reader.handle_edges(now, bytes),
            Self::Text(reader) => reader.handle_answer(bytes),
        }
    }

    /// A card came or went.
    pub(super) fn card_switched(&mut self) {
        if let Self::Text(reader) = self {
            reader.forget_asked();
        }
    }

    pub(super) fn handle_deadline(&mut self, now: Instant) {
        match self {
            Self::Air(reader) => reader.handle_deadline(now),
            Self::Text(reader) => reader.handle_deadline(now),
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        match self {
            Self::Air(reader) => reader.poll_timeout(),
            Self::Text(reader) => reader.until,
        }
    }

    pub(super) fn poll_output(&mut self) -> Option<ReaderOutput> {
        match self {
            Self::Air(reader) => reader.poll_output(),
            Self::Text(reader) => reader.outputs.pop_front(),
        }
    }

    pub(super) fn digest(&self, into: &mut Digest) {
        match self {
            Self::Air(reader) => reader.digest(into),
            Self::Text(reader) => reader.digest(into),
        }
    }
}

/// A request whose answer is still to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Read(u8),
    Write,
}

/// What the terminal has asked for.
#[derive(Clone, Copy, Debug)]
enum Job {
    None,
    Read { blocks: [u32; READ_BLOCKS] },
    Write { block: u8, data: u32, old: u32 },
}

/// A card reader that asks for blocks over a text port, where all answers come in the order of the questions.
#[derive(Clone, Debug)]
pub(super) struct TextReader {
    patience: Span,
    job: Job,
    until: Option<Instant>,
    /// Requests that are to be answered yet; of those at the front, so many are nobody's any more.
    asked: VecDeque<Asked>,
    stale: usize,
    /// What the card is known to hold since it was read last.
    image: Option<[u32; READ_BLOCKS]>,
    outputs: VecDeque<ReaderOutput>,
}

impl TextReader {
    pub(super) fn new(config: &ReaderConfig) -> Self {
        let attempt = config.field_reset + config.read_timeout;
        Self {
            patience: attempt * u64::from(config.attempts_max) * PATIENCE,
            job: Job::None,
            until: None,
            asked: VecDeque::new(),
            stale: 0,
            image: None,
            outputs: VecDeque::new(),
        }
    }

    /// Asks for blocks 1 to 6; ends with one [`ReaderOutput::Read`].
    fn read_card(&mut self, now: Instant) {
        self.stop();
        self.job = Job::Read { blocks: [0; READ_BLOCKS] };
        let blocks: Vec<Asked> = (1_u8..).take(READ_BLOCKS).map(Asked::Read).collect();
        let lines = (1..=READ_BLOCKS).map(|block| format!("read {block}\n")).collect();
        self.ask(now, lines, &blocks);
    }

    /// Writes a block of the card that was read last, and asks for it again; ends with one [`ReaderOutput::Written`].
    fn write_block(&mut self, now: Instant, block: u8, data: u32) {
        let place = usize::from(block).wrapping_sub(1);
        let old = self.image.filter(|_| matches!(self.job, Job::None)).and_then(|it| it.get(place).copied());
        let Some(old) = old else {
            self.stop();
            let outcome = WriteOutcome::NoReadBack;
            self.outputs.push_back(ReaderOutput::Written { block, begun: false, outcome });
            return;
        };
        self.job = Job::Write { block, data, old };
        let lines = format!("write {block} {data:08X}\nread {block}\n");
        self.ask(now, lines, &[Asked::Write, Asked::Read(block)]);
    }

    /// Drops whatever is under way without a word; its answers mean nothing when they come.
    fn stop(&mut self) {
        (self.job, self.until, self.image) = (Job::None, None, None);
        self.stale = self.asked.len();
    }

    fn ask(&mut self, now: Instant, lines: String, asked: &[Asked]) {
        self.until = Some(now + self.patience);
        self.asked.extend(asked);
        self.outputs.push_back(ReaderOutput::Burst(lines.into_bytes()));
    }

    /// A card came or went: whatever was asked for before has had its answer by now, or never will.
    fn forget_asked(&mut self) {
        self.asked.clear();
        self.stale = 0;
    }

    fn handle_answer(&mut self, line: &[u8]) {
        let Some(answer) = Answer::parse(line) else { return };
        // An answer that was spoiled on its way leaves its request behind.
        while let Some(asked) = self.asked.pop_front() {
            let stale = self.stale > 0;
            self.stale = self.stale.saturating_sub(1);
            if answer.fits(asked) {
                if !stale {
                    self.answered(asked, answer);
                }
                return;
            }
        }
    }

    fn answered(&mut self, asked: Asked, answer: Answer) {
        match (&mut self.job, asked, answer) {
            (Job::Read { blocks }, Asked::Read(block), Answer::Block(_, data)) => {
                if let Some(cell) = blocks.get_mut(usize::from(block).wrapping_sub(1)) {
                    *cell = data;
                }
                if usize::from(block) == READ_BLOCKS {
                    let blocks = *blocks;
                    self.end(ReaderOutput::Read(Ok(blocks)));
                    self.image = Some(blocks);
                }
            }
            (Job::Read { .. }, _, _) => self.end(ReaderOutput::Read(Err(ReadFailure::Unreadable))),
            (Job::Write { .. }, Asked::Write, Answer::Done) => {}
            (Job::Write { block, data, old }, Asked::Read(_), Answer::Block(_, holds)) => {
                let (block, data, old) = (*block, *data, *old);
                let outcome = match holds {
                    _ if holds == data => WriteOutcome::Verified,
                    _ if holds == old => WriteOutcome::StillOld(holds),
                    _ => WriteOutcome::ReadBack(holds),
                };
                let mut image = self.image;
                if let Some(cell) = image.as_mut().and_then(|it| it.get_mut(usize::from(block) - 1)) {
                    *cell = holds;
                }
                self.end(ReaderOutput::Written { block, begun: true, outcome });
                self.image = image;
            }
            (Job::Write { .. }, _, _) => self.fail(),
            (Job::None, _, _) => {}
        }
    }

    fn handle_deadline(&mut self, now: Instant) {
        if self.until.is_some_and(|until| until <= now) {
            self.fail();
        }
    }

    /// There is no answer, or none that tells.
    fn fail(&mut self) {
        match self.job {
            Job::None => {}
            Job::Read { .. } => self.end(ReaderOutput::Read(Err(ReadFailure::Silent))),
            Job::Write { block, .. } => {
                let outcome = WriteOutcome::NoReadBack;
                self.end(ReaderOutput::Written { block, begun: true, outcome });
            }
        }
    }

    fn end(&mut self, output: ReaderOutput) {
        self.stop();
        self.outputs.push_back(output);
    }

    fn digest(&self, into: &mut Digest) {
        let job = match self.job {
            Job::None => into.word(0),
            Job::Read { blocks } => blocks.iter().fold(into.word(1), |into, it| into.word(u64::from(*it))),
            Job::Write { block, data, old } => {
                into.word(2).word(u64::from(block)).word(u64::from(data)).word(u64::from(old))
            }
        };
        job.deadline(self.until).word(self.stale as u64).word(self.asked.len() as u64);
        for asked in &self.asked {
            into.word(match asked {
                Asked::Write => 0,
                Asked::Read(block) => u64::from(*block),
            });
        }
        into.flag(self.image.is_some()).word(self.outputs.len() as u64);
        for block in self.image.iter().flatten() {
            into.word(u64::from(*block));
        }
    }
}

/// A line that answers a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Block(u8, u32),
    Done,
    /// The card is gone, or could not be read.
    Failed,
}

impl Answer {
    fn parse(line: &[u8]) -> Option<Self> {
        let line = std::str::from_utf8(line).ok()?.trim_end();
        match *line.split(' ').collect::<Vec<_>>() {
            ["block", number, data]
                if data.len() == 8 && data.bytes().all(|digit| digit.is_ascii_hexdigit()) =>
            {
                Some(Self::Block(number.parse().ok()?, u32::from_str_radix(data, 16).ok()?))
            }
            ["done"] => Some(Self::Done),
            ["gone" | "error"] => Some(Self::Failed),
            _ => None,
        }
    }

    fn fits(self, asked: Asked) -> bool {
        match (self, asked) {
            (Self::Block(number, _), Asked::Read(block)) => number == block,
            (Self::Done, Asked::Write) | (Self::Failed, _) => true,
            (Self::Block(..), Asked::Write) | (Self::Done, Asked::Read(_)) => false,
        }
    }
}

/// What a line of the text port is to the firmware.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// A card is in the slot, or is not any more.
    Card(bool),
    /// These bytes at this port.
    Bytes(Port, Vec<u8>),
}

/// Turns what leaves the firmware's ports into lines, and lines into what comes in there.
#[derive(Clone, Debug, Default)]
pub(super) struct TextPanel {
    held: Vec<u8>,
}

impl TextPanel {
    /// What comes in over the text port.
    pub(super) fn hear(&mut self, bytes: &[u8]) -> Vec<Heard> {
        let mut heard = Vec::new();
        for byte in bytes {
            if *byte == b'\n' {
                heard.extend(Self::line(&std::mem::take(&mut self.held)));
            } else if self.held.len() < LINE_MAX {
                self.held.push(*byte);
            }
        }
        heard
    }

    fn line(line: &[u8]) -> Option<Heard> {
        match line.trim_ascii_end() {
            b"present" => Some(Heard::Card(true)),
            b"remove" => Some(Heard::Card(false)),
            b"voice READY" => Some(Heard::Bytes(port::VOICE, b"READY\n".to_vec())),
            b"display READY" => Some(Heard::Bytes(port::DISPLAY, b"READY\n".to_vec())),
            other => Answer::parse(other).map(|_| Heard::Bytes(port::RF, other.to_vec())),
        }
    }

    /// The same output at the ports that this board has.
    pub(super) fn lead_out<E>(output: Output<E>) -> Output<E> {
        let line = |words: &str, rest: &[u8]| {
            let bytes = [words.as_bytes(), rest].concat();
            Output::Transmit { port: port::TEXT, bytes }
        };
        match output {
            Output::Transmit { port: port::VOICE, bytes } => line("say ", &bytes),
            Output::Transmit { port: port::DISPLAY, bytes } => line("show ", &bytes),
            Output::Transmit { port: port::RF, bytes } => line("", &bytes),
            // Both pins act while they are low.
            Output::Level { port: port::PWRKEY, high } => line("relay 1 ", on_off(!high)),
            Output::Level { port: port::RESET, high } => line("relay 2 ", on_off(!high)),
            other => other,
        }
    }

    pub(super) fn digest(&self, into: &mut Digest) {
        into.bytes(&self.held);
    }
}

const fn on_off(on: bool) -> &'static [u8] {
    if on { b"ON\n" } else { b"OFF\n" }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three attempts of 260 ms each, four times over.
    const PATIENCE: Span = Span::ms(3_120);

    #[derive(serde::Deserialize)]
    struct Profile {
        reader: ReaderConfig,
    }

    fn reader() -> TextReader {
        let text = include_str!("../../../../fixtures/profiles/water.toml");
        TextReader::new(&toml::from_str::<Profile>(text).unwrap().reader)
    }

    fn at(ms: u64) -> Instant {
        Instant::from_us(ms * 1_000)
    }

    fn asks(reader: &mut TextReader) -> String {
        match reader.outputs.pop_front() {
            Some(ReaderOutput::Burst(bytes)) => String::from_utf8(bytes).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    fn hears(reader: &mut TextReader, lines: &[&str]) -> Option<ReaderOutput> {
        lines.iter().for_each(|line| reader.handle_answer(line.as_bytes()));
        reader.outputs.pop_front()
    }

    const CARD: [&str; 6] = [
        "block 1 00000001",
        "block 2 00000002",
        "block 3 00000003",
        "block 4 00000004",
        "block 5 00000005",
        "block 6 0000000A",
    ];

    fn with_card() -> TextReader {
        let mut reader = reader();
        reader.read_card(at(0));
        assert_eq!(asks(&mut reader), "read 1\nread 2\nread 3\nread 4\nread 5\nread 6\n");
        assert_eq!(hears(&mut reader, &CARD[..5]), None);
        assert_eq!(hears(&mut reader, &CARD[5..]), Some(ReaderOutput::Read(Ok([1, 2, 3, 4, 5, 10]))));
        reader
    }

    fn written(block: u8, begun: bool, outcome: WriteOutcome) -> Option<ReaderOutput> {
        Some(ReaderOutput::Written { block, begun, outcome })
    }

    #[test]
    fn a_write_counts_as_what_is_read_back() {
        for (answer, outcome) in [
            ("block 3 000004E2", WriteOutcome::Verified),
            ("block 3 00000003", WriteOutcome::StillOld(3)),
            ("block 3 00000007", WriteOutcome::ReadBack(7)),
            ("error", WriteOutcome::NoReadBack),
        ] {
            let mut reader = with_card();
            reader.write_block(at(500), 3, 0x4E2);
            assert_eq!(asks(&mut reader), "write 3 000004E2\nread 3\n");
            assert_eq!(hears(&mut reader, &["done", answer]), written(3, true, outcome));
        }
    }

    #[test]
    fn a_block_of_a_card_that_was_not_read_is_not_written() {
        let mut reader = with_card();
        reader.stop();
        reader.write_block(at(500), 3, 0x4E2);
        assert_eq!(reader.outputs.pop_front(), written(3, false, WriteOutcome::NoReadBack));
    }

    #[test]
    fn a_card_that_is_gone_ends_what_is_under_way_and_its_other_answers_mean_nothing() {
        let mut reader = with_card();
        reader.write_block(at(500), 3, 0x4E2);
        asks(&mut reader);
        assert_eq!(hears(&mut reader, &["gone"]), written(3, true, WriteOutcome::NoReadBack));
        // The answer to the question behind it comes while the card is read anew.
        reader.read_card(at(600));
        asks(&mut reader);
        assert_eq!(hears(&mut reader, &["block 3 00000003"]), None);
        assert_eq!(hears(&mut reader, &CARD), Some(ReaderOutput::Read(Ok([1, 2, 3, 4, 5, 10]))));
    }

    #[test]
    fn an_answer_that_was_lost_does_not_shift_those_behind_it() {
        let mut reader = with_card();
        reader.write_block(at(500), 3, 0x4E2);
        asks(&mut reader);
        let verified = written(3, true, WriteOutcome::Verified);
        assert_eq!(hears(&mut reader, &["block 3 000004E2"]), verified);
    }

    #[test]
    fn silence_ends_a_reading_and_not_a_millisecond_early() {
        let mut reader = reader();
        reader.read_card(at(0));
        asks(&mut reader);
        assert_eq!(reader.until, Some(Instant::ZERO + PATIENCE));
        reader.handle_deadline(at(3_119));
        assert_eq!(reader.outputs.pop_front(), None);
        reader.handle_deadline(at(3_120));
        let silent = ReaderOutput::Read(Err(ReadFailure::Silent));
        assert_eq!(reader.outputs.pop_front(), Some(silent));
    }

    #[test]
    fn lines_are_what_the_firmware_hears_and_says_elsewhere() {
        let mut panel = TextPanel::default();
        assert_eq!(panel.hear(b"pres"), []);
        let heard = panel.hear(b"ent\nvoice READY\r\nwhatever\nblock 1 0000000Z\ndone\n");
        let bytes = |port, bytes: &[u8]| Heard::Bytes(port, bytes.to_vec());
        assert_eq!(heard, [Heard::Card(true), bytes(port::VOICE, b"READY\n"), bytes(port::RF, b"done")]);
        let said = |output: Output<()>| match TextPanel::lead_out(output) {
            Output::Transmit { port: port::TEXT, bytes } => String::from_utf8(bytes).unwrap(),
            other => panic!("{other:?}"),
        };
        let speaks = Output::Transmit { port: port::VOICE, bytes: b"?\n".to_vec() };
        assert_eq!(said(speaks), "say ?\n");
        assert_eq!(said(Output::Level { port: port::RESET, high: false }), "relay 2 ON\n");
        let frame = Output::<()>::Transmit { port: port::UART, bytes: b"AT\r".to_vec() };
        assert_eq!(TextPanel::lead_out(frame.clone()), frame);
    }
}
