//! What passes between a host and its modem, turn by turn, as the host's end of the line shows it.
//!
//! The grammar is this file's own: lines end at CR or LF, a prompt is `> ` at the start of a line, an announced block
//! is counted and given up after a silence, and data follows a prompt by its count. It takes damaged bytes as any
//! host must: as lines that mean nothing.

use assay_sim::fault::Way;
use assay_sim::tape::{Entry, Seen};
use assay_sim::time::Instant;
use assay_sim::water::party::Event;

use crate::water::scene::Scene;

/// The longest line that is kept.
const LINE_MAX: usize = 600;

/// One turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// The host begins a command.
    Begun,
    /// The host has ended a command: its line without its ends.
    Command(Vec<u8>),
    /// The host has given all the data that a prompt waits for.
    Data(Vec<u8>),
    /// The modem says a line.
    Line(Vec<u8>),
    /// The modem asks for data.
    Prompt,
    /// The modem delivers received data.
    Block(Vec<u8>),
    /// The host pulls the module's reset pin or power key.
    Pulled,
    /// The host lost its power, or has it back.
    Power(bool),
}

/// One terminal's conversation with its modem.
#[derive(Clone, Debug)]
pub struct Conversation {
    terminal: usize,
    typed: Vec<u8>,
    /// The data that the last send command announced.
    announced: usize,
    /// How much data an open prompt still waits for.
    due: usize,
    data: Vec<u8>,
    said: Vec<u8>,
    /// How much of a block is still to come, and whether an LF may come first.
    counting: Option<(usize, bool)>,
    block: Vec<u8>,
    heard_at: Instant,
}

impl Conversation {
    /// The conversation of the terminal at this place of the cast.
    pub fn new(terminal: usize) -> Self {
        Self {
            terminal,
            typed: Vec::new(),
            announced: 0,
            due: 0,
            data: Vec::new(),
            said: Vec::new(),
            counting: None,
            block: Vec::new(),
            heard_at: Instant::ZERO,
        }
    }

    /// The turns that an entry brings.
    pub fn observe(&mut self, entry: &Entry<Event>, scene: &Scene) -> Vec<Turn> {
        let Some(cast) = scene.terminals.get(self.terminal) else { return Vec::new() };
        let mut turns = Vec::new();
        match &entry.what {
            Seen::Sent { line, way: Way::AtoB, bytes, .. } if *line == cast.uart => {
                for byte in bytes {
                    self.host(*byte, &mut turns);
                }
            }
            Seen::Heard { line, way: Way::BtoA, bytes, .. } if *line == cast.uart => {
                if self.counting.is_some() && entry.at.since(self.heard_at) > scene.profile.host.gap {
                    self.end_block(&mut turns);
                }
                self.heard_at = entry.at;
                for byte in bytes {
                    self.modem(*byte, scene.profile.host.message_max, &mut turns);
                }
            }
            Seen::Level { line, way: Way::AtoB, high: false } if [cast.reset, cast.pwrkey].contains(line) => {
                self.forget();
                turns.push(Turn::Pulled);
            }
            Seen::Power { supply, on } if [cast.supplies.strip, cast.supplies.mcu].contains(supply) => {
                self.forget();
                turns.push(Turn::Power(*on));
            }
            _ => {}
        }
        turns
    }

    fn forget(&mut self) {
        *self = Self { heard_at: self.heard_at, ..Self::new(self.terminal) };
    }

    fn host(&mut self, byte: u8, turns: &mut Vec<Turn>) {
        if self.due > 0 {
            self.data.push(byte);
            self.due -= 1;
            if self.due == 0 {
                turns.push(Turn::Data(std::mem::take(&mut self.data)));
            }
            return;
        }
        if !matches!(byte, b'\r' | b'\n') {
            if self.typed.is_empty() {
                turns.push(Turn::Begun);
            }
            if self.typed.len() < LINE_MAX {
                self.typed.push(byte);
            }
            return;
        }
        if !self.typed.is_empty() {
            let line = std::mem::take(&mut self.typed);
            self.announced = send_len(&line).unwrap_or(0);
            turns.push(Turn::Command(line));
        }
    }

    fn modem(&mut self, byte: u8, data_max: usize, turns: &mut Vec<Turn>) {
        if let Some((left, lf_may_come)) = self.counting {
            if lf_may_come && byte == b'\n' {
                self.counting = Some((left, false));
                return;
            }
            self.block.push(byte);
            self.counting = Some((left - 1, false));
            if left == 1 {
                self.end_block(turns);
            }
            return;
        }
        match byte {
            b'\r' | b'\n' => {
                let line = std::mem::take(&mut self.said);
                if let Some(count) = block_len(&line).filter(|count| (1..=data_max).contains(count)) {
                    self.counting = Some((count, byte == b'\r'));
                } else if !line.is_empty() {
                    turns.push(Turn::Line(line));
                }
            }
            b' ' if self.said == b">" => {
                self.said.clear();
                self.due = std::mem::take(&mut self.announced);
                turns.push(Turn::Prompt);
            }
            _ if self.said.len() < LINE_MAX => {
                self.said.push(byte);
                if let Some(count) = inline_len(&self.said).filter(|count| (1..=data_max).contains(count)) {
                    self.said.clear();
                    self.counting = Some((count, false));
                }
            }
            _ => {}
        }
    }

    fn end_block(&mut self, turns: &mut Vec<Turn>) {
        self.counting = None;
        turns.push(Turn::Block(std::mem::take(&mut self.block)));
    }
}

/// The name of a command: everything before its values.
pub(super) fn name_of(line: &[u8]) -> &[u8] {
    let end = line.iter().position(|byte| matches!(byte, b'=' | b'?')).unwrap_or(line.len());
    &line[..end]
}

/// How much data a command announces.
fn send_len(line: &[u8]) -> Option<usize> {
    let values = line.strip_prefix(b"AT+IPSEND=").or_else(|| line.strip_prefix(b"AT+CIPSEND="))?;
    std::str::from_utf8(values).ok()?.rsplit(',').next()?.parse().ok()
}

/// How much data a modem's line announces: `+IPDATA: n`, `+IPDATA: id,n`, `<IPDATA: n>`.
fn block_len(line: &[u8]) -> Option<usize> {
    let values = match line.strip_prefix(b"+IPDATA: ") {
        Some(values) => values,
        None => line.strip_prefix(b"<IPDATA: ")?.strip_suffix(b">")?,
    };
    std::str::from_utf8(values).ok()?.rsplit(',').next()?.parse().ok()
}

/// How much data follows on the same line: `+IPD,n:`.
fn inline_len(said: &[u8]) -> Option<usize> {
    let values = said.strip_prefix(b"+IPD,")?.strip_suffix(b":")?;
    std::str::from_utf8(values).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(bytes: &[u8]) -> Vec<Turn> {
        let (mut conversation, mut turns) = (Conversation::new(0), Vec::new());
        bytes.iter().for_each(|byte| conversation.host(*byte, &mut turns));
        turns
    }

    fn modem(bytes: &[u8]) -> Vec<Turn> {
        let (mut conversation, mut turns) = (Conversation::new(0), Vec::new());
        bytes.iter().for_each(|byte| conversation.modem(*byte, 100, &mut turns));
        turns
    }

    fn line(text: &[u8]) -> Turn {
        Turn::Line(text.to_vec())
    }

    #[test]
    fn a_modem_says_lines_prompts_and_counted_blocks() {
        assert_eq!(
            modem(b"\r\nOK\r\n\r\n> \r\n+IPDATA: 6\r\n\r\nOK\r\n\r\nSEND OK\r\n"),
            [line(b"OK"), Turn::Prompt, Turn::Block(b"\r\nOK\r\n".to_vec()), line(b"SEND OK")]
        );
        // A lost LF behind the announcement costs nothing; a count beyond the limit is a line like any other.
        assert_eq!(modem(b"+IPDATA: 0,2\rhi\r\nOK\r\n"), [Turn::Block(b"hi".to_vec()), line(b"OK")]);
        assert_eq!(modem(b"<IPDATA: 2>\r\nhi"), [Turn::Block(b"hi".to_vec())]);
        assert_eq!(modem(b"+IPDATA: 101\r\n"), [line(b"+IPDATA: 101")]);
        assert_eq!(
            modem(b"\r\n+IPD,6:\r\nOK\r\n\r\nOK\r\n+IPD,101:\r\n"),
            [Turn::Block(b"\r\nOK\r\n".to_vec()), line(b"OK"), line(b"+IPD,101:")]
        );
        assert_eq!(modem(b"x> \r\n"), [line(b"x> ")]);
    }

    #[test]
    fn a_host_gives_commands_and_after_a_prompt_data() {
        assert_eq!(
            host(b"AT\r\n\r\rATE0\r"),
            [Turn::Begun, Turn::Command(b"AT".to_vec()), Turn::Begun, Turn::Command(b"ATE0".to_vec())]
        );
        let (mut conversation, mut turns) = (Conversation::new(0), Vec::new());
        b"AT+IPSEND=3\r".iter().for_each(|byte| conversation.host(*byte, &mut turns));
        b"\r\n> ".iter().for_each(|byte| conversation.modem(*byte, 100, &mut turns));
        b"A\rTAT\r".iter().for_each(|byte| conversation.host(*byte, &mut turns));
        assert_eq!(turns[2..4], [Turn::Prompt, Turn::Data(b"A\rT".to_vec())]);
        assert_eq!(turns[4..], [Turn::Begun, Turn::Command(b"AT".to_vec())]);
    }

    #[test]
    fn endless_lines_are_not_kept() {
        let Some(Turn::Line(line)) = modem(&[[b'x'; 5_000].as_slice(), b"\r"].concat()).pop() else {
            panic!()
        };
        assert_eq!(line.len(), LINE_MAX);
    }
}
