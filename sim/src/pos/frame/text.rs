//! Text for people: GBK, with two signs for the display in it.
//!
//! A backslash and an `n` begin a new line, and braces enclose what is drawn large. Each of these bytes may also be the
//! second byte of a Chinese character, where it is no sign: a text is read character by character.
//!
//! Source: POS-X2.

use encoding_rs::GBK;

/// A stretch of one size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Whether it is drawn large.
    pub large: bool,
    /// The text; a line feed begins a new line.
    pub text: String,
}

/// The bytes of a text; what GBK does not have becomes a question mark.
pub fn encode(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut one = [0; 4];
    for character in text.chars() {
        if character.is_ascii() {
            // GBK begins with ASCII.
            bytes.push(u8::try_from(character).unwrap_or(b'?'));
            continue;
        }
        let (encoded, _, missing) = GBK.encode(character.encode_utf8(&mut one));
        if missing { bytes.push(b'?') } else { bytes.extend_from_slice(&encoded) }
    }
    bytes
}

/// The text of bytes; what is no GBK becomes a replacement character.
pub fn decode(bytes: &[u8]) -> String {
    GBK.decode_without_bom_handling(bytes).0.into_owned()
}

/// How long the character at the front is.
fn character_len(bytes: &[u8]) -> usize {
    match bytes {
        [0x81..=0xFE, 0x40..=0x7E | 0x80..=0xFE, ..] => 2,
        _ => 1,
    }
}

/// A text as a display draws it.
pub fn runs(bytes: &[u8]) -> Vec<Run> {
    draw(bytes, character_len)
}

/// The same by a display that looks at single bytes, and so takes characters apart.
pub fn runs_bytewise(bytes: &[u8]) -> Vec<Run> {
    draw(bytes, |_| 1)
}

fn draw(mut bytes: &[u8], len: fn(&[u8]) -> usize) -> Vec<Run> {
    let (mut runs, mut held, mut large) = (Vec::new(), Vec::new(), false);
    let mut close = |held: &mut Vec<u8>, large: bool| {
        if !held.is_empty() {
            runs.push(Run { large, text: decode(&std::mem::take(held)) });
        }
    };
    while !bytes.is_empty() {
        let used = match bytes {
            [b'\\', b'n', ..] => {
                held.push(b'\n');
                2
            }
            [b'{' | b'}', ..] => {
                close(&mut held, large);
                large = bytes[0] == b'{';
                1
            }
            _ => {
                let used = len(bytes).min(bytes.len());
                held.extend_from_slice(&bytes[..used]);
                used
            }
        };
        bytes = &bytes[used..];
    }
    close(&mut held, large);
    runs
}

/// A text as one line, for where there is no display: a new line is a backslash and an `n`, large print is as any
/// other, and no control character is left.
pub fn one_line(runs: &[Run]) -> String {
    let mut line = String::new();
    for character in runs.iter().flat_map(|run| run.text.chars()) {
        match character {
            '\n' => line.push_str("\\n"),
            other if other.is_control() => line.extend(other.escape_default()),
            other => line.push(other),
        }
    }
    line
}
