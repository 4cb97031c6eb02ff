//! Command lines as a module reads them: where a line ends, what it holds, and one command after the other.

use crate::digest::Digest;

/// Ends a line (S3).
pub const CR: u8 = 0x0D;
/// Ignored after a CR; ends a line on its own (S4).
pub const LF: u8 = 0x0A;
/// Takes the last character back (S5).
pub const BACKSPACE: u8 = 0x08;
/// Ends uncounted data and sends it.
pub const CONTROL_Z: u8 = 0x1A;
/// Ends uncounted data and discards it.
pub const ESC: u8 = 0x1B;
/// The most characters that may follow `AT` in one line.
///
/// Source: MDM-A1.
pub const LINE_MAX: usize = 556;

/// What the end of a line calls for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineEnd {
    /// The line's commands, in [`LineReader::line`].
    Command,
    /// The commands of the line before, also in [`LineReader::line`].
    Repeat,
    /// Nothing but an error: the line was too long.
    TooLong,
}

/// Collects characters into lines.
///
/// Source: MDM-A1.
#[derive(Clone, Debug, Default)]
pub struct LineReader {
    text: Vec<u8>,
    line: Vec<u8>,
    after_cr: bool,
    overlong: bool,
}

impl LineReader {
    /// Takes one character and tells whether it ended a line that calls for something.
    pub fn push(&mut self, byte: u8) -> Option<LineEnd> {
        let after_cr = std::mem::take(&mut self.after_cr);
        match byte {
            LF if after_cr => None,
            CR | LF => {
                self.after_cr = byte == CR;
                self.end()
            }
            BACKSPACE => {
                self.text.pop();
                None
            }
            _ if self.text.len() >= LINE_MAX + 2 => {
                self.overlong = true;
                None
            }
            _ => {
                self.text.push(byte);
                if self.text.eq_ignore_ascii_case(b"A/") {
                    self.text.clear();
                    return Some(LineEnd::Repeat);
                }
                None
            }
        }
    }

    /// The last whole line, as it came.
    pub fn line(&self) -> &[u8] {
        &self.line
    }

    /// Whether a line has been begun and not ended.
    pub fn is_partial(&self) -> bool {
        !self.text.is_empty() || self.overlong
    }

    /// Whether the last character was a CR, so that an LF now means nothing.
    pub fn follows_cr(&self) -> bool {
        self.after_cr
    }

    /// Drops the begun line; the last whole line stays for `A/`.
    pub fn drop_partial(&mut self) {
        self.text.clear();
        self.overlong = false;
    }

    /// Adds the reader's state.
    pub fn digest(&self, into: &mut Digest) {
        into.bytes(&self.text).bytes(&self.line).flag(self.after_cr).flag(self.overlong);
    }

    fn end(&mut self) -> Option<LineEnd> {
        if std::mem::take(&mut self.overlong) {
            self.text.clear();
            return Some(LineEnd::TooLong);
        }
        if self.text.is_empty() {
            return None;
        }
        std::mem::swap(&mut self.line, &mut self.text);
        self.text.clear();
        Some(LineEnd::Command)
    }
}

/// Writes what follows `AT` into `into`, upper-case and without blanks except inside quotes; false when the line has
/// no `AT`.
///
/// Why: a module synchronises on `AT` and drops what stands before it.
pub fn normalise(line: &[u8], into: &mut Vec<u8>) -> bool {
    into.clear();
    let Some(start) = line.windows(2).position(|pair| pair.eq_ignore_ascii_case(b"AT")) else {
        return false;
    };
    let mut quoted = false;
    for byte in &line[start + 2..] {
        if *byte == b'"' {
            quoted = !quoted;
        }
        if quoted {
            into.push(*byte);
        } else if *byte > b' ' {
            into.push(byte.to_ascii_uppercase());
        }
    }
    true
}

/// How a command was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form<'a> {
    /// `AT+X`
    Execute,
    /// `AT+X?`
    Read,
    /// `AT+X=?`
    Test,
    /// `AT+X=...` with what follows the sign, or the digits of a basic command.
    Set(&'a [u8]),
}

/// One command of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Command<'a> {
    /// Its name with its sign, as in `+CSQ`, `^CURC`, `&F`, `E`; empty for a bare `AT`.
    pub name: &'a [u8],
    /// How it was asked.
    pub form: Form<'a>,
}

impl<'a> Command<'a> {
    /// The first command of a normalised line, and how many characters it took with its separator.
    pub fn first(rest: &'a [u8]) -> (Self, usize) {
        match rest.first() {
            None => (Self { name: rest, form: Form::Execute }, 0),
            Some(b';') => (Self { name: &rest[..0], form: Form::Execute }, 1),
            Some(b'S') => Self::register(rest),
            Some(sign) if sign.is_ascii_alphabetic() || *sign == b'&' => Self::basic(rest),
            Some(_) => Self::extended(rest),
        }
    }

    /// The values after the sign, quotes taken off; one empty value when there is nothing.
    pub fn values(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let text: &'a [u8] = match self.form {
            Form::Set(text) => text,
            _ => b"",
        };
        let mut quoted = false;
        text.split(move |byte| {
            if *byte == b'"' {
                quoted = !quoted;
            }
            *byte == b',' && !quoted
        })
        .map(|value| value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value))
    }

    /// The values as exactly `N` small numbers.
    pub fn numbers<const N: usize>(&self) -> Option<[usize; N]> {
        let mut numbers = [0; N];
        let mut values = self.values();
        for number in &mut numbers {
            *number = parse_number(values.next()?)?;
        }
        values.next().is_none().then_some(numbers)
    }

    /// The only value as a number from zero to `max`.
    pub fn choice(&self, max: usize) -> Option<usize> {
        let [number] = self.numbers::<1>()?;
        (number <= max).then_some(number)
    }

    /// `S0=2`, `S0?`: the register's number is a part of the name.
    fn register(rest: &'a [u8]) -> (Self, usize) {
        let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let name = 1 + digits(&rest[1..]);
        let (form, used) = match rest.get(name) {
            Some(b'?') => (Form::Read, name + 1),
            Some(b'=') => {
                let end = name + 1 + digits(&rest[name + 1..]);
                (Form::Set(&rest[name + 1..end]), end)
            }
            _ => (Form::Execute, name),
        };
        let separator = usize::from(rest.get(used) == Some(&b';'));
        (Self { name: &rest[..name], form }, used + separator)
    }

    fn basic(rest: &'a [u8]) -> (Self, usize) {
        let name = if rest[0] == b'&' { rest.len().min(2) } else { 1 };
        let digits = rest[name..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let form = if digits == 0 { Form::Execute } else { Form::Set(&rest[name..name + digits]) };
        let separator = usize::from(rest.get(name + digits) == Some(&b';'));
        (Self { name: &rest[..name], form }, name + digits + separator)
    }

    fn extended(rest: &'a [u8]) -> (Self, usize) {
        let mut quoted = false;
        let len = rest
            .iter()
            .position(|byte| {
                quoted ^= *byte == b'"';
                *byte == b';' && !quoted
            })
            .unwrap_or(rest.len());
        let text = &rest[..len];
        let used = (len + 1).min(rest.len());
        let end = text.iter().position(|byte| matches!(byte, b'=' | b'?')).unwrap_or(len);
        let form = match &text[end..] {
            b"" => Form::Execute,
            b"?" => Form::Read,
            b"=?" => Form::Test,
            [b'=', values @ ..] => Form::Set(values),
            // What follows a question mark makes the name one that no dialect knows.
            _ => return (Self { name: text, form: Form::Execute }, used),
        };
        (Self { name: &text[..end], form }, used)
    }
}

/// What is read of bytes at a wrong speed: none of them, and never a line's end.
pub(super) fn garbled(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|byte| byte.rotate_left(3) | 0x80).collect()
}

/// A decimal number of up to nine digits.
pub fn parse_number(text: &[u8]) -> Option<usize> {
    if text.is_empty() || text.len() > 9 || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(text.iter().fold(0, |sum, digit| sum * 10 + usize::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(bytes: &[u8]) -> Vec<(LineEnd, Vec<u8>)> {
        let mut reader = LineReader::default();
        bytes.iter().filter_map(|byte| reader.push(*byte).map(|end| (end, reader.line().to_vec()))).collect()
    }

    #[test]
    fn cr_crlf_and_bare_lf_each_end_one_line() {
        let command = |text: &[u8]| (LineEnd::Command, text.to_vec());
        assert_eq!(lines(b"AT\rATE0\r\nATI\nAT"), [command(b"AT"), command(b"ATE0"), command(b"ATI")]);
        assert_eq!(lines(b"\r\n\r\n\n"), []);
        assert_eq!(lines(b"AX\x08T\r"), [command(b"AT")]);
    }

    #[test]
    fn a_slash_repeats_at_once_and_only_at_the_start() {
        assert_eq!(lines(b"AT\ra/"), [(LineEnd::Command, b"AT".to_vec()), (LineEnd::Repeat, b"AT".to_vec())]);
        assert_eq!(lines(b"ATA/\r"), [(LineEnd::Command, b"ATA/".to_vec())]);
    }

    #[test]
    fn the_line_limit_is_556_characters_after_at() {
        let line = |len: usize| [b"AT".as_slice(), &vec![b'X'; len], b"\rAT\r"].concat();
        assert_eq!(lines(&line(556))[0].0, LineEnd::Command);
        assert_eq!(lines(&line(557))[0].0, LineEnd::TooLong);
        assert_eq!(lines(&line(100_000)).last().unwrap(), &(LineEnd::Command, b"AT".to_vec()));
    }

    #[test]
    fn blanks_and_case_matter_only_inside_quotes() {
        let mut body = Vec::new();
        assert!(normalise(b"\x00 at + ipstart = \"tcp\", \"a B;c\" , 80", &mut body));
        assert_eq!(body, b"+IPSTART=\"tcp\",\"a B;c\",80");
        assert!(!normalise(b"A+CSQ", &mut body));
    }

    #[test]
    fn a_line_falls_into_its_commands() {
        let mut rest: &[u8] = b"E0V1+CSQ;^CURC=\"a;b\",2;+X?;+Y=?;I";
        let mut found = Vec::new();
        while !rest.is_empty() {
            let (command, used) = Command::first(rest);
            found.push((command.name, command.form));
            rest = &rest[used..];
        }
        let expected: [(&[u8], Form<'_>); 7] = [
            (b"E", Form::Set(b"0")),
            (b"V", Form::Set(b"1")),
            (b"+CSQ", Form::Execute),
            (b"^CURC", Form::Set(b"\"a;b\",2")),
            (b"+X", Form::Read),
            (b"+Y", Form::Test),
            (b"I", Form::Execute),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn values_lose_their_quotes_and_keep_their_commas() {
        let (command, _) = Command::first(b"+A=1,\"x,y\",,7");
        assert_eq!(command.values().collect::<Vec<_>>(), [b"1".as_slice(), b"x,y", b"", b"7"]);
        assert_eq!(Command::first(b"+A=1,22").0.numbers(), Some([1, 22]));
        assert_eq!(Command::first(b"+A=1,22,3").0.numbers::<2>(), None);
        assert_eq!(Command::first(b"+A=-1").0.numbers::<1>(), None);
        assert_eq!(Command::first(b"+A=1000000000").0.numbers::<1>(), None);
        assert_eq!(Command::first(b"+A=2").0.choice(1), None);
    }
}
