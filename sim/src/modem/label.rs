//! What crosses the line between a host and its module, cut into units with names.
//!
//! A fault is planned at a unit, so a unit is the same however reads are cut: what is found depends on the bytes
//! alone. Only [`HostScanner::flush`] and [`ModemScanner::flush`], called after a silence, give up on an incomplete
//! one.

use crate::digest::Digest;
use crate::modem::line::{CONTROL_Z, CR, ESC, LF, LINE_MAX, parse_number};
use crate::modem::names;
pub use crate::modem::names::{command_name, line_name};

/// What names the payload at the front of some bytes.
pub trait PayloadLabel: Clone {
    /// How many bytes the payload takes, and its full name; `None` while it is not recognised.
    fn label(&self, bytes: &[u8]) -> Option<(usize, &'static str)>;
}

impl<F: Fn(&[u8]) -> Option<(usize, &'static str)> + Clone> PayloadLabel for F {
    fn label(&self, bytes: &[u8]) -> Option<(usize, &'static str)> {
        self(bytes)
    }
}

/// The most bytes without an end that are held as the beginning of a line: the longest line, its `AT`, its ends.
const HELD_MAX: usize = LINE_MAX + 8;

/// A unit: how many bytes it has, and its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unit {
    /// Its length.
    ///
    /// Units: bytes.
    pub len: usize,
    /// Its name.
    pub name: &'static str,
}

/// Bytes not yet cut, behind the unit that was cut last.
#[derive(Clone, Debug, Default)]
struct Held {
    bytes: Vec<u8>,
    /// Where the last unit ends.
    cut: usize,
}

impl Held {
    fn drop_cut(&mut self) {
        if self.cut > 0 {
            self.bytes.drain(..self.cut);
            self.cut = 0;
        }
    }

    fn cut(&mut self, len: usize, name: &'static str) -> Unit {
        self.cut = len;
        Unit { len, name }
    }

    fn is_empty(&self) -> bool {
        self.bytes.len() == self.cut
    }

    fn rest(&self) -> &[u8] {
        &self.bytes[self.cut..]
    }

    fn take(&mut self) -> Option<Vec<u8>> {
        self.drop_cut();
        (!self.bytes.is_empty()).then(|| std::mem::take(&mut self.bytes))
    }
}

/// Cuts what a host sends to its module.
///
/// Shape: a unit is a command line with its CR and any line ends before it, a frame of the data that follows a
/// counted send command, data up to the control-Z or escape that ends it, or an escape.
#[derive(Clone, Debug)]
pub struct HostScanner<L> {
    held: Held,
    label: L,
    data_max: usize,
    /// How many bytes of data are still to come, at most.
    expected: usize,
    /// Whether the data ends at a control-Z or an escape.
    open_ended: bool,
    /// Whether the host has asked for several links, so that a send command's only number is that of a link.
    several: bool,
}

impl<L: PayloadLabel> HostScanner<L> {
    /// A scanner that names data with `label` and believes counts up to `data_max`.
    ///
    /// Units: bytes.
    pub fn new(label: L, data_max: usize) -> Self {
        Self { held: Held::default(), label, data_max, expected: 0, open_ended: false, several: false }
    }

    /// Takes bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.held.drop_cut();
        self.held.bytes.extend_from_slice(bytes);
    }

    /// The next whole unit, whose bytes are in [`Self::unit_bytes`].
    pub fn poll(&mut self) -> Option<Unit> {
        self.held.drop_cut();
        let bytes = &self.held.bytes;
        if bytes.is_empty() {
            return None;
        }
        if self.expected > 0 {
            match begins_command(bytes, self.expected) {
                None => return None,
                Some(true) => self.expected = 0,
                Some(false) if self.open_ended => return self.poll_open_ended(),
                Some(false) if bytes.len() < self.expected => return None,
                Some(false) => {
                    let (len, name) = self.name_data(self.expected);
                    self.expected -= len;
                    return Some(self.held.cut(len, name));
                }
            }
        }
        self.poll_line()
    }

    /// The bytes of the unit that [`Self::poll`] returned last, until the next call that changes the scanner.
    pub fn unit_bytes(&self) -> &[u8] {
        &self.held.bytes[..self.held.cut]
    }

    /// Everything held, as one unit, for want of more.
    pub fn flush(&mut self) -> Option<(Vec<u8>, &'static str)> {
        let bytes = self.held.take()?;
        if self.expected > 0 {
            let name = self.label.label(&bytes).map_or(names::DATA, |(_, name)| name);
            self.expected = self.expected.saturating_sub(bytes.len());
            return Some((bytes, name));
        }
        let name = command_name(&bytes);
        Some((bytes, name))
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Adds the scanner's state.
    pub fn digest(&self, into: &mut Digest) {
        into.bytes(self.held.rest()).word(self.expected as u64).flag(self.open_ended).flag(self.several);
    }

    /// Data that its last byte ends, with that byte.
    fn poll_open_ended(&mut self) -> Option<Unit> {
        let bytes = &self.held.bytes[..self.held.bytes.len().min(self.expected)];
        let end = bytes.iter().position(|byte| matches!(*byte, CONTROL_Z | ESC)).map(|at| at + 1);
        let len = end.or_else(|| (bytes.len() == self.expected).then_some(self.expected))?;
        self.expected = 0;
        let name = self.label.label(&self.held.bytes[..len]).map_or(names::DATA, |(_, name)| name);
        Some(self.held.cut(len, name))
    }

    fn name_data(&self, len: usize) -> (usize, &'static str) {
        match self.label.label(&self.held.bytes[..len]) {
            Some((used, name)) if (1..=len).contains(&used) => (used, name),
            _ => (len, names::DATA),
        }
    }

    fn poll_line(&mut self) -> Option<Unit> {
        let bytes = &self.held.bytes;
        let Some(start) = bytes.iter().position(|byte| !is_line_end(*byte)) else {
            return self.overlong();
        };
        let text = &bytes[start..];
        if text.starts_with(b"+++") {
            return Some(self.held.cut(start + 3, names::ESCAPE));
        }
        if text.len() >= 2 && text[..2].eq_ignore_ascii_case(b"A/") {
            return Some(self.held.cut(start + 2, names::REPEAT));
        }
        let Some(end) = text.iter().position(|byte| is_line_end(*byte)) else {
            return self.overlong();
        };
        let line = &text[..end];
        let name = command_name(line);
        if name == "AT+CIPMUX" {
            self.several = match line.last() {
                Some(b'1') => true,
                Some(b'0') => false,
                _ => self.several,
            };
        }
        let has_count = line.contains(&b'=') && (!self.several || line.contains(&b','));
        self.open_ended = name == "AT+CIPSEND" && !has_count && line.last() != Some(&b'?');
        self.expected = if self.open_ended {
            // The longest data, and what ends it.
            self.data_max + 1
        } else {
            send_count(line).filter(|count| *count <= self.data_max).unwrap_or(0)
        };
        Some(self.held.cut(start + end + 1, name))
    }

    fn overlong(&mut self) -> Option<Unit> {
        let len = HELD_MAX;
        (self.held.bytes.len() >= len).then(|| {
            let name = command_name(&self.held.bytes[..len]);
            self.held.cut(len, name)
        })
    }
}

/// Cuts what a module sends to its host.
///
/// Shape: a unit is a line with the line ends around it, an echoed command with its CR, a prompt, or a counted
/// block of received data with the line that announces it.
#[derive(Clone, Debug)]
pub struct ModemScanner<L> {
    held: Held,
    label: L,
    data_max: usize,
    after_prompt: bool,
}

/// What stands at the front of a module's bytes.
enum Front {
    NeedMore,
    Unit(usize, &'static str),
    /// An announced block: where its payload begins and ends.
    Block(usize, usize),
}

impl<L: PayloadLabel> ModemScanner<L> {
    /// A scanner that names received data with `label` and believes counts up to `data_max`.
    ///
    /// Units: bytes.
    pub fn new(label: L, data_max: usize) -> Self {
        Self { held: Held::default(), label, data_max, after_prompt: false }
    }

    /// Takes bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.held.drop_cut();
        self.held.bytes.extend_from_slice(bytes);
    }

    /// The next whole unit, whose bytes are in [`Self::unit_bytes`].
    pub fn poll(&mut self) -> Option<Unit> {
        self.held.drop_cut();
        let (len, name) = match self.front() {
            Front::Unit(len, name) => (len, name),
            Front::Block(start, end) if self.held.bytes.len() >= end => (end, self.block_name(start, end)),
            Front::Block(..) => return None,
            Front::NeedMore if self.held.bytes.len() < HELD_MAX => return None,
            Front::NeedMore => (HELD_MAX, names::OTHER_LINE),
        };
        self.after_prompt = name == names::PROMPT;
        Some(self.held.cut(len, name))
    }

    /// The bytes of the unit that [`Self::poll`] returned last, until the next call that changes the scanner.
    pub fn unit_bytes(&self) -> &[u8] {
        &self.held.bytes[..self.held.cut]
    }

    /// Everything held, as one unit, for want of more.
    pub fn flush(&mut self) -> Option<(Vec<u8>, &'static str)> {
        self.held.drop_cut();
        let name = match self.front() {
            Front::Unit(_, name) => name,
            Front::Block(start, _) => self.block_name(start, self.held.bytes.len()),
            Front::NeedMore => {
                let bytes = &self.held.bytes;
                let start = bytes.iter().position(|byte| !is_line_end(*byte)).unwrap_or(bytes.len());
                let end = bytes.iter().rposition(|byte| !is_line_end(*byte)).map_or(start, |last| last + 1);
                self.name_line(&bytes[start..end], start > 0)
            }
        };
        let bytes = self.held.take()?;
        self.after_prompt = false;
        Some((bytes, name))
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Adds the scanner's state.
    pub fn digest(&self, into: &mut Digest) {
        into.bytes(self.held.rest()).flag(self.after_prompt);
    }

    fn block_name(&self, start: usize, end: usize) -> &'static str {
        self.label.label(&self.held.bytes[start..end]).map_or(names::RECEIVED, |(_, name)| name)
    }

    fn name_line(&self, text: &[u8], is_framed: bool) -> &'static str {
        if text.len() >= 2 && text[..2].eq_ignore_ascii_case(b"AT") {
            return names::ECHO;
        }
        match line_name(text) {
            names::OTHER_LINE if self.after_prompt && !is_framed => names::ECHO,
            name => name,
        }
    }

    fn front(&self) -> Front {
        let bytes = &self.held.bytes;
        let Some(start) = bytes.iter().position(|byte| !is_line_end(*byte)) else {
            return Front::NeedMore;
        };
        let text = &bytes[start..];
        if text.starts_with(b"> ") {
            return Front::Unit(start + 2, names::PROMPT);
        }
        let end = text.iter().position(|byte| is_line_end(*byte));
        let head = &text[..end.unwrap_or(text.len())];
        let colon = head.iter().position(|byte| *byte == b':').map_or(0, |colon| colon + 1);
        if let Some(count) = inline_count(&head[..colon]).filter(|count| (1..=self.data_max).contains(count))
        {
            return Front::Block(start + colon, start + colon + count);
        }
        let Some(end) = end else { return Front::NeedMore };
        let line = &text[..end];
        let name = self.name_line(line, start > 0);
        let after = start + end + 1;
        if name == names::ECHO || text[end] == LF || (start == 0 && matches!(line, [b'0'..=b'9'])) {
            return Front::Unit(after, name);
        }
        match text.get(end + 1) {
            None => Front::NeedMore,
            Some(&LF) => match received_count(line).filter(|count| (1..=self.data_max).contains(count)) {
                Some(count) => Front::Block(after + 1, after + 1 + count),
                None => Front::Unit(after + 1, name),
            },
            Some(_) => Front::Unit(after, name),
        }
    }
}

/// How many bytes a line announces, if it announces received data: `+IPDATA: n`, `+IPDATA: id,n`, `<IPDATA: n>`,
/// `+RECEIVE,id,n:`.
pub fn received_count(line: &[u8]) -> Option<usize> {
    let values = if let Some(rest) = line.strip_prefix(b"+IPDATA: ") {
        rest
    } else if let Some(rest) = line.strip_prefix(b"<IPDATA: ") {
        rest.strip_suffix(b">")?
    } else {
        line.strip_prefix(b"+RECEIVE,")?.strip_suffix(b":")?
    };
    let mut numbers = values.split(|byte| *byte == b',');
    let first = parse_number(numbers.next()?)?;
    let count = match numbers.next() {
        None => first,
        Some(second) => parse_number(second)?,
    };
    numbers.next().is_none().then_some(count)
}

/// How many bytes a line announces that goes on with them: `+IPD,n:`, `+IPD,n,TCP:`, up to its colon.
pub fn inline_count(text: &[u8]) -> Option<usize> {
    let values = text.strip_prefix(b"+IPD,")?.strip_suffix(b":")?;
    let count = values.strip_suffix(b",TCP").or_else(|| values.strip_suffix(b",UDP")).unwrap_or(values);
    parse_number(count)
}

/// How many bytes of data follow a send command.
fn send_count(line: &[u8]) -> Option<usize> {
    let at = line.windows(7).position(|part| part.eq_ignore_ascii_case(b"IPSEND="))?;
    let mut values = [b' '; 24];
    let mut len = 0;
    for byte in line[at + 7..].iter().filter(|byte| !byte.is_ascii_whitespace()) {
        *values.get_mut(len)? = *byte;
        len += 1;
    }
    parse_number(values[..len].rsplit(|byte| *byte == b',').next()?)
}

fn is_line_end(byte: u8) -> bool {
    matches!(byte, CR | LF)
}

/// Whether a command stands where data was expected, because the send was refused; `None` while that is open.
fn begins_command(bytes: &[u8], expected: usize) -> Option<bool> {
    let front = &bytes[..bytes.len().min(3)];
    let is_open = front.iter().zip(b"AT").all(|(byte, letter)| byte.eq_ignore_ascii_case(letter));
    if !is_open || expected < 3 {
        return Some(false);
    }
    let third = front.get(2)?;
    Some(matches!(
        third,
        b'\r' | b'\n' | b'+' | b'^' | b'&' | b'E' | b'e' | b'V' | b'v' | b'Z' | b'z' | b'I' | b'i'
    ))
}

#[cfg(test)]
mod tests;
