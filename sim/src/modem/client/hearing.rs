//! What a host makes of the bytes from its module: lines, prompts, and counted data.

use std::collections::VecDeque;

use crate::digest::Digest;
use crate::modem::client::config::{ClientConfig, DataReading, Fitted};
use crate::modem::label::{inline_count, received_count};
use crate::modem::line::{CR, LF};

/// What was heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// A line without its ends.
    Line(Vec<u8>),
    /// The request for data.
    Prompt,
    /// Received data.
    Data(Vec<u8>),
    /// Bytes of no line where only lines can be: data that nothing announced.
    Unannounced,
}

/// How many bytes that no line holds make a line something else. Fewer are noise.
const UNPRINTABLE_MAX: usize = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Line,
    /// So many bytes of data are to come; the flag says that the announcing line's LF may still come.
    Count(usize, bool),
    /// The next line is data.
    DataLine,
}

/// Cuts a module's bytes, however they arrive.
///
/// Source: MDM-H3.
#[derive(Clone, Debug)]
pub(super) struct Hearing {
    reading: DataReading,
    module: Fitted,
    line_max: usize,
    data_max: usize,
    mode: Mode,
    text: Vec<u8>,
    overlong: bool,
    /// What the host sent as data and may hear again before anything else.
    echo: VecDeque<u8>,
    heard: VecDeque<Heard>,
}

impl Hearing {
    pub(super) fn new(reading: DataReading, config: &ClientConfig) -> Self {
        Self {
            reading,
            module: config.module,
            line_max: config.line_max,
            data_max: config.message_max,
            mode: Mode::Line,
            text: Vec::new(),
            overlong: false,
            echo: VecDeque::new(),
            heard: VecDeque::new(),
        }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let Some((byte, after)) = rest.split_first() {
            match self.mode {
                Mode::Count(left, lf_may_come) => {
                    if lf_may_come && *byte == LF {
                        self.mode = Mode::Count(left, false);
                        rest = after;
                    } else {
                        rest = self.count(left, rest);
                    }
                }
                Mode::Line | Mode::DataLine => {
                    self.character(*byte);
                    rest = after;
                }
            }
        }
    }

    pub(super) fn poll(&mut self) -> Option<Heard> {
        self.heard.pop_front()
    }

    /// Whether a silence would mean something.
    pub(super) fn is_counting(&self) -> bool {
        matches!(self.mode, Mode::Count(..))
    }

    /// A silence: what has come of a block is all that comes.
    pub(super) fn give_up(&mut self) {
        self.mode = Mode::Line;
        if !self.text.is_empty() {
            let data = std::mem::take(&mut self.text);
            self.heard.push_back(Heard::Data(data));
        }
    }

    /// These bytes were sent as data to a module that echoes.
    pub(super) fn expect_echo(&mut self, data: &[u8]) {
        self.echo.clear();
        self.echo.extend(data);
    }

    pub(super) fn forget(&mut self) {
        self.mode = Mode::Line;
        self.text.clear();
        self.overlong = false;
        self.echo.clear();
        self.heard.clear();
    }

    pub(super) fn digest(&self, into: &mut Digest) {
        let (mode, left) = match self.mode {
            Mode::Line => (0, 0),
            Mode::Count(left, lf_may_come) => (1 + u64::from(lf_may_come), left as u64),
            Mode::DataLine => (3, 0),
        };
        into.word(mode).word(left).bytes(&self.text).flag(self.overlong).word(self.echo.len() as u64);
        for byte in &self.echo {
            into.word((*byte).into());
        }
        into.word(self.heard.len() as u64);
        for heard in &self.heard {
            match heard {
                Heard::Line(line) => into.word(0).bytes(line),
                Heard::Prompt => into.word(1),
                Heard::Data(data) => into.word(2).bytes(data),
                Heard::Unannounced => into.word(3),
            };
        }
    }

    fn count<'a>(&mut self, left: usize, bytes: &'a [u8]) -> &'a [u8] {
        let (taken, rest) = bytes.split_at(bytes.len().min(left));
        self.text.extend_from_slice(taken);
        if taken.len() == left {
            self.mode = Mode::Line;
            let data = std::mem::take(&mut self.text);
            self.heard.push_back(Heard::Data(data));
        } else {
            self.mode = Mode::Count(left - taken.len(), false);
        }
        rest
    }

    fn character(&mut self, byte: u8) {
        if self.echo.front() == Some(&byte) {
            self.echo.pop_front();
            return;
        }
        self.echo.clear();
        match byte {
            CR | LF => self.end_line(byte),
            b' ' if self.text == b">" => {
                self.text.clear();
                self.heard.push_back(Heard::Prompt);
            }
            _ if self.text.len() < self.line_max => self.text.push(byte),
            _ => self.overlong = true,
        }
        if byte == b':' && self.module == Fitted::Sim800a {
            self.look_for_count();
        }
        if !(b' '..=b'~').contains(&byte) && self.reading == DataReading::Counted {
            self.look_for_data();
        }
    }

    /// Data may stand on the line that announces it.
    fn look_for_count(&mut self) {
        let Some(count) = inline_count(&self.text).filter(|count| (1..=self.data_max).contains(count)) else {
            return;
        };
        self.text.clear();
        self.mode = match self.reading {
            DataReading::Counted => Mode::Count(count, false),
            DataReading::LineScanned => Mode::DataLine,
        };
    }

    /// A module that has lost its settings delivers data as it is, without a word before it.
    fn look_for_data(&mut self) {
        let unprintable = self.text.iter().filter(|byte| !(b' '..=b'~').contains(*byte)).count();
        if unprintable >= UNPRINTABLE_MAX {
            self.text.clear();
            self.heard.push_back(Heard::Unannounced);
        }
    }

    fn end_line(&mut self, end: u8) {
        let is_overlong = std::mem::take(&mut self.overlong);
        if self.text.is_empty() || is_overlong {
            self.text.clear();
            return;
        }
        let line = std::mem::take(&mut self.text);
        let count = received_count(&line).filter(|count| (1..=self.data_max).contains(count));
        match (count, self.reading, self.mode) {
            (Some(count), DataReading::Counted, _) => self.mode = Mode::Count(count, end == CR),
            (Some(_), DataReading::LineScanned, _) => self.mode = Mode::DataLine,
            (None, _, Mode::DataLine) if !is_result(&line) => {
                self.mode = Mode::Line;
                self.heard.push_back(Heard::Data(line));
            }
            _ => self.heard.push_back(Heard::Line(line)),
        }
    }
}

/// Whether a line reads like a result or an event, for a reader that goes by looks.
fn is_result(line: &[u8]) -> bool {
    crate::modem::names::line_name(line) != crate::modem::names::OTHER_LINE
}
