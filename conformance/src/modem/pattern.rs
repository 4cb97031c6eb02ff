//! Patterns of what a modem says: literal bytes, a few wildcards, and bars where something else may stand.

use std::fmt::{self, Write as _};

/// A piece of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    /// These bytes.
    Bytes(Vec<u8>),
    /// `%d`: one or more digits.
    Digits,
    /// `%s`: anything up to the end of the line, or nothing.
    Text,
    /// `%a`: anything at all, or nothing.
    Anything,
    /// `%b`: a blank, or nothing.
    Blank,
    /// `|`: nothing, but something unasked may stand here.
    Bar,
}

/// A pattern, which matches a whole text or not at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pattern {
    pieces: Vec<Piece>,
}

impl Pattern {
    /// A pattern from its notation: bytes stand for themselves, but `%d` is a number, `%s` the rest of a line, `%a`
    /// anything, `%b` an optional blank, `|` a bar, `%|` and `%%` the characters themselves.
    pub fn parse(text: &[u8]) -> Self {
        let mut pattern = Self::default();
        let mut bytes = text.iter().copied();
        while let Some(byte) = bytes.next() {
            let piece = match byte {
                b'|' => Piece::Bar,
                b'%' => match bytes.next() {
                    Some(b'd') => Piece::Digits,
                    Some(b's') => Piece::Text,
                    Some(b'a') => Piece::Anything,
                    Some(b'b') => Piece::Blank,
                    Some(other) => Piece::Bytes(vec![other]),
                    None => Piece::Bytes(vec![b'%']),
                },
                _ => Piece::Bytes(vec![byte]),
            };
            pattern.push(piece);
        }
        pattern
    }

    /// A pattern that only these bytes match.
    pub fn literal(bytes: &[u8]) -> Self {
        let mut pattern = Self::default();
        if !bytes.is_empty() {
            pattern.push(Piece::Bytes(bytes.to_vec()));
        }
        pattern
    }

    /// A pattern as it prints: its notation, with what does not print escaped.
    pub fn read(text: &str) -> Self {
        Self::parse(&unescaped(text.as_bytes()))
    }

    /// The bytes, if nothing else matches.
    pub fn into_literal(self) -> Option<Vec<u8>> {
        match <[Piece; 1]>::try_from(self.pieces) {
            Ok([Piece::Bytes(bytes)]) => Some(bytes),
            Ok(_) => None,
            Err(pieces) => pieces.is_empty().then(Vec::new),
        }
    }

    /// Whether the whole text is what the pattern says.
    pub fn matches(&self, text: &[u8]) -> bool {
        matches(&self.pieces, text)
    }

    /// Whether the whole text is what the pattern says with `unasked` at exactly one of its bars.
    pub fn matches_with(&self, unasked: &[u8], text: &[u8]) -> bool {
        self.pieces.iter().enumerate().filter(|(_, piece)| **piece == Piece::Bar).any(|(bar, _)| {
            let mut pieces = self.pieces.clone();
            pieces[bar] = Piece::Bytes(unasked.to_vec());
            matches(&pieces, text)
        })
    }

    fn push(&mut self, piece: Piece) {
        match (self.pieces.last_mut(), piece) {
            (Some(Piece::Bytes(before)), Piece::Bytes(bytes)) => before.extend(bytes),
            (_, piece) => self.pieces.push(piece),
        }
    }
}

fn matches(pieces: &[Piece], text: &[u8]) -> bool {
    let Some((piece, rest)) = pieces.split_first() else { return text.is_empty() };
    let reach = |allowed: fn(&u8) -> bool| text.iter().take_while(|byte| allowed(byte)).count();
    let some_of = |least: usize, most: usize| (least..=most).any(|len| matches(rest, &text[len..]));
    match piece {
        Piece::Bytes(bytes) => text.strip_prefix(&bytes[..]).is_some_and(|text| matches(rest, text)),
        Piece::Digits => some_of(1, reach(u8::is_ascii_digit)),
        Piece::Text => some_of(0, reach(|byte| !matches!(byte, b'\r' | b'\n'))),
        Piece::Anything => some_of(0, text.len()),
        Piece::Blank => some_of(0, usize::from(text.first() == Some(&b' '))),
        Piece::Bar => matches(rest, text),
    }
}

/// The notation on one line.
impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for piece in &self.pieces {
            match piece {
                Piece::Bytes(bytes) => {
                    for byte in bytes {
                        if matches!(byte, b'%' | b'|') {
                            f.write_char('%')?;
                        }
                        write!(f, "{}", byte.escape_ascii())?;
                    }
                }
                Piece::Digits => f.write_str("%d")?,
                Piece::Text => f.write_str("%s")?,
                Piece::Anything => f.write_str("%a")?,
                Piece::Blank => f.write_str("%b")?,
                Piece::Bar => f.write_char('|')?,
            }
        }
        Ok(())
    }
}

fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((byte, after)) = rest.split_first() {
        let (value, used) = match rest {
            [b'\\', b'x', high, low, ..] => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => (high << 4 | low, 4),
                _ => (b'\\', 1),
            },
            [b'\\', b'r', ..] => (b'\r', 2),
            [b'\\', b'n', ..] => (b'\n', 2),
            [b'\\', b't', ..] => (b'\t', 2),
            [b'\\', other, ..] => (*other, 2),
            _ => (*byte, 1),
        };
        bytes.push(value);
        rest = if used == 1 { after } else { &rest[used..] };
    }
    bytes
}

fn digit(character: u8) -> Option<u8> {
    char::from(character).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(pattern: &str, text: &str) -> bool {
        Pattern::parse(pattern.as_bytes()).matches(text.as_bytes())
    }

    #[test]
    fn wildcards_take_what_they_say_and_no_more() {
        assert!(fits("+CSQ: %d,%d\r\n", "+CSQ: 18,0\r\n"));
        assert!(!fits("+CSQ: %d,%d\r\n", "+CSQ: 18,\r\n"));
        assert!(!fits("+CSQ: %d,%d\r\n", "+CSQ: 18,0"));
        assert!(fits("+X: %s\r\n", "+X: a b\r\n"));
        assert!(!fits("+X: %s\r\n", "+X: a\r\nb\r\n"));
        assert!(fits("0,%bOK", "0, OK") && fits("0,%bOK", "0,OK") && !fits("0,%bOK", "0,  OK"));
        assert!(fits("a%az", "a\r\nz") && !fits("a%az", "a\r\ny"));
        assert!(fits("", "") && !fits("", "x"));
        assert!(fits("%%d%|", "%d|") && !fits("%%d", "7"));
    }

    #[test]
    fn something_unasked_stands_at_one_bar_and_nowhere_else() {
        let pattern = Pattern::parse(b"|AT\r|\r\nOK\r\n|");
        let with = |text: &str| pattern.matches_with(b"<u>", text.as_bytes());
        assert!(with("<u>AT\r\r\nOK\r\n") && with("AT\r<u>\r\nOK\r\n") && with("AT\r\r\nOK\r\n<u>"));
        assert!(!with("AT\r\r\nOK\r\n"));
        assert!(!with("<u>AT\r<u>\r\nOK\r\n"));
        assert!(!with("A<u>T\r\r\nOK\r\n"));
        assert!(!with("AT\r\r\nO<u>K\r\n"));
        assert!(pattern.matches(b"AT\r\r\nOK\r\n"));
    }

    #[test]
    fn a_pattern_reads_back_as_it_prints() {
        let all: Vec<u8> = (0..=255).collect();
        let literal = Pattern::literal(&all);
        assert_eq!(Pattern::read(&literal.to_string()), literal);
        assert_eq!(literal.clone().into_literal(), Some(all));
        let pattern = Pattern::parse(b"|\r\n+X: %d,%s\xAA%%|%a");
        assert_eq!(pattern.to_string(), "|\\r\\n+X: %d,%s\\xaa%%|%a");
        assert_eq!(Pattern::read(&pattern.to_string()), pattern);
        assert_eq!(pattern.into_literal(), None);
    }
}
