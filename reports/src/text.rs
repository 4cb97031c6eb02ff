//! Text from a device is data: what makes it harmless on a terminal and in Markdown.
//!
//! Records keep texts as they were observed and every renderer escapes each text exactly where it prints it.
//! Escaping is idempotent, so a text that was made visible before is not changed again; the exact text is in
//! `run.json`.

use std::fmt::Write as _;

/// The widest line that a console report aims at.
///
/// Units: columns.
pub const COLUMNS: usize = 110;

/// The longest text that is shown in full; `run.json` holds the rest.
///
/// Units: characters after escaping.
pub const SHOWN_MAX: usize = 600;

/// Makes every character visible that would not stand on its own: controls, terminal escapes, line ends, text
/// direction overrides, invisible and combining characters.
///
/// Shape: one line; ASCII controls as `\n`, `\r`, `\t` or `\x1b`, others as `\u{202e}`.
pub fn escape(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        push_visible(&mut shown, character);
    }
    shown
}

/// The same for bytes that may not be UTF-8.
///
/// Shape: a byte that is no part of a character as `\xff`.
pub fn escape_bytes(bytes: &[u8]) -> String {
    let mut shown = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            push_visible(&mut shown, character);
        }
        for byte in chunk.invalid() {
            // Writing into a string cannot fail.
            let _ = write!(shown, "\\x{byte:02x}");
        }
    }
    shown
}

fn push_visible(shown: &mut String, character: char) {
    match character {
        // Quotes and backslashes harm nobody here, and leaving them alone makes escaping idempotent.
        '\\' | '\'' | '"' => shown.push(character),
        '\n' => shown.push_str("\\n"),
        '\r' => shown.push_str("\\r"),
        '\t' => shown.push_str("\\t"),
        control if control.is_ascii_control() => {
            let _ = write!(shown, "\\x{:02x}", u32::from(control));
        }
        // These are letters or symbols to Unicode and yet nothing can be seen of them.
        '\u{115f}' | '\u{1160}' | '\u{2800}' | '\u{3164}' | '\u{ffa0}' => {
            shown.extend(character.escape_unicode());
        }
        // The library knows what is printable: no control, format, private, unassigned or combining character.
        other => shown.extend(other.escape_debug()),
    }
}

/// [`escape`], and cut before it takes more than [`SHOWN_MAX`] characters, with a note of how many are left out.
///
/// Why: what is left out is not escaped either, so that a text of any length costs next to nothing.
pub fn shown(text: &str) -> String {
    shown_up_to(text, SHOWN_MAX)
}

/// The same with another length.
pub(crate) fn shown_up_to(text: &str, characters_max: usize) -> String {
    let (mut shown, mut used) = (String::new(), 0);
    for (at, character) in text.char_indices() {
        let before = shown.len();
        push_visible(&mut shown, character);
        used += shown[before..].chars().count();
        if used > characters_max {
            shown.truncate(before);
            let left_out = text[at..].chars().count() as u64;
            return format!("{shown} … ({} more characters)", grouped(left_out));
        }
    }
    shown
}

/// A number with a comma between thousands.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut shown = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// A number and its noun: `1 site`, `2,418 sites`.
pub fn counted(number: u64, noun: &str) -> String {
    let ending = match (number, noun) {
        (1, _) => "",
        (_, noun) if noun.ends_with('y') => {
            return format!("{} {}ies", grouped(number), &noun[..noun.len() - 1]);
        }
        _ => "s",
    };
    format!("{} {noun}{ending}", grouped(number))
}

/// A time or a span in seconds, to the microsecond: `1,083.456789 s`.
pub fn seconds(us: u64) -> String {
    format!("{}.{:06} s", grouped(us / 1_000_000), us % 1_000_000)
}

/// How many columns a text takes on a terminal, East Asian wide characters counted twice.
pub fn columns(text: &str) -> usize {
    text.chars()
        .map(|character| match u32::from(character) {
            0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff => 2,
            0xfe30..=0xfe6f | 0xff00..=0xff60 | 0xffe0..=0xffe6 | 0x1f300..=0x1faff | 0x20000..=0x3fffd => 2,
            _ => 1,
        })
        .sum()
}

/// A text that takes at most so many columns, cut with `…` if need be.
pub(crate) fn fitted(text: &str, columns_max: usize) -> String {
    if columns(text) <= columns_max {
        return text.to_owned();
    }
    let mut used = 1;
    let cut = text.chars().take_while(|character| {
        used += columns(character.encode_utf8(&mut [0; 4]));
        used <= columns_max
    });
    let mut short: String = cut.collect();
    short.truncate(short.trim_end_matches(' ').len());
    short.push('…');
    short
}

/// Breaks a text at its blanks into lines of at most [`COLUMNS`], where a single word does not take more.
///
/// Shape: the first line starts with `first`, the others with as many blanks; every line ends with a line feed.
pub fn wrapped(first: &str, text: &str) -> String {
    let indent = columns(first);
    let mut shown = first.to_owned();
    let mut used = indent;
    for (index, word) in text.split(' ').enumerate() {
        let width = columns(word);
        if index > 0 && used + 1 + width > COLUMNS {
            while shown.ends_with(' ') {
                shown.pop();
            }
            shown.push('\n');
            shown.extend(std::iter::repeat_n(' ', indent));
            used = indent;
        } else if index > 0 {
            shown.push(' ');
            used += 1;
        }
        shown.push_str(word);
        used += width;
    }
    shown.truncate(shown.trim_end_matches(' ').len());
    shown.push('\n');
    shown
}

/// A code span that holds any text, in a table cell too.
///
/// Shape: a backtick as `\x60` and a bar as `\x7c`, so that neither span nor cell can be left.
/// Why: within code there are no links, no mentions, no HTML and no emphasis.
pub fn markdown_code(text: &str) -> String {
    match shown(text).replace('`', "\\x60").replace('|', "\\x7c") {
        blank if blank.trim_matches(' ').is_empty() => "(blank)".to_owned(),
        inert => format!("`{inert}`"),
    }
}

/// Prose of ours within a line of Markdown or a table cell, with everything inert that is markup there.
pub fn markdown_prose(text: &str) -> String {
    let mut inert = String::with_capacity(text.len());
    for character in shown(text).chars() {
        match character {
            '&' => inert.push_str("&amp;"),
            '<' => inert.push_str("&lt;"),
            '>' => inert.push_str("&gt;"),
            // A mention would write to a person, and no escape of Markdown stops it.
            '@' => inert.push_str("\\\\x40"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' | '!' | '$' => {
                inert.extend(['\\', character]);
            }
            other => inert.push(other),
        }
    }
    inert
}

/// A fenced block of lines, each escaped; the fence is longer than any run of backticks within.
pub fn markdown_block<'a>(language: &str, lines: impl IntoIterator<Item = &'a str>) -> String {
    let lines: Vec<String> = lines.into_iter().map(escape).collect();
    let longest = lines.iter().flat_map(|line| line.split(|character| character != '`')).map(str::len).max();
    let fence = "`".repeat(longest.unwrap_or(0).max(2) + 1);
    let mut block = format!("{fence}{language}\n");
    for line in lines {
        block.push_str(&line);
        block.push('\n');
    }
    block.push_str(&fence);
    block.push('\n');
    block
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_made_visible() {
        for (text, visible) in [
            ("OK", "OK"),
            ("\x1b[2J\u{7}", "\\x1b[2J\\x07"),
            ("a\r\nb\tc\0", "a\\r\\nb\\tc\\x00"),
            ("\u{7f}\u{9b}31m", "\\x7f\\u{9b}31m"),
            ("fen \u{202e}00.1", "fen \\u{202e}00.1"),
            ("\u{200b}\u{2066}\u{feff}\u{ad}", "\\u{200b}\\u{2066}\\u{feff}\\u{ad}"),
            ("\u{2028}\u{e000}\u{ffff}\u{3164}", "\\u{2028}\\u{e000}\\u{ffff}\\u{3164}"),
            ("充值成功 12.50 t", "充值成功 12.50 t"),
            ("\"a\\b\" 'c'", "\"a\\b\" 'c'"),
        ] {
            assert_eq!(escape(text), visible);
            assert_eq!(escape(visible), visible);
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_shown_as_numbers() {
        assert_eq!(escape_bytes(b"AT\r\n\xff\x1a\xe5\x85"), "AT\\r\\n\\xff\\x1a\\xe5\\x85");
        assert_eq!(escape_bytes("充".as_bytes()), "充");
        assert_eq!(escape_bytes(b""), "");
    }

    #[test]
    fn long_texts_are_cut_and_say_so() {
        assert_eq!(shown_up_to("abcd", 4), "abcd");
        assert_eq!(shown_up_to("abcde", 4), "abcd … (1 more characters)");
        // An escape is never cut in two.
        assert_eq!(shown_up_to("abc\x1bd", 6), "abc … (2 more characters)");
        assert!(shown(&"充".repeat(SHOWN_MAX + 1_234)).ends_with(" … (1,234 more characters)"));
    }

    #[test]
    fn numbers_read_well() {
        for (number, text) in
            [(0, "0"), (999, "999"), (1_000, "1,000"), (2_418, "2,418"), (1_234_567, "1,234,567")]
        {
            assert_eq!(grouped(number), text);
        }
        assert_eq!(grouped(u64::MAX), "18,446,744,073,709,551,615");
        assert_eq!(counted(1, "tape entry"), "1 tape entry");
        assert_eq!(counted(0, "tape entry"), "0 tape entries");
        assert_eq!(counted(2_418, "fault"), "2,418 faults");
        assert_eq!(seconds(0), "0.000000 s");
        assert_eq!(seconds(1_083_456_789), "1,083.456789 s");
    }

    #[test]
    fn lines_break_at_blanks_only() {
        assert_eq!(wrapped("  1. ", "one two"), "  1. one two\n");
        let fits = format!("{} {}", "a".repeat(54), "b".repeat(53));
        assert_eq!(wrapped("- ", &fits), format!("- {fits}\n"));
        let too_wide = format!("{} {}", "a".repeat(54), "b".repeat(54));
        assert_eq!(wrapped("- ", &too_wide), format!("- {}\n  {}\n", "a".repeat(54), "b".repeat(54)));
        let word = "充".repeat(70);
        assert_eq!(wrapped("- ", &format!("{word} end")), format!("- {word}\n  end\n"));
        assert_eq!(wrapped("- ", ""), "-\n");
    }

    #[test]
    fn a_line_is_fitted_by_columns() {
        assert_eq!(fitted("abcd", 4), "abcd");
        assert_eq!(fitted("abcde", 4), "abc…");
        assert_eq!(fitted("充值成功", 8), "充值成功");
        assert_eq!(fitted("充值成功", 7), "充值成…");
        assert_eq!(fitted("充值成功", 6), "充值…");
        assert_eq!(fitted("ab cde", 4), "ab…");
    }

    #[test]
    fn markdown_cannot_be_left() {
        assert_eq!(markdown_code("a`b|c\n<b>"), "`a\\x60b\\x7cc\\n<b>`");
        assert_eq!(markdown_code("  "), "(blank)");
        assert_eq!(
            markdown_prose("a|b `c` <i>&[d](e) @f"),
            "a\\|b \\`c\\` &lt;i&gt;&amp;\\[d\\](e) \\\\x40f"
        );
        assert_eq!(markdown_block("sh", ["assay replay a.json"]), "```sh\nassay replay a.json\n```\n");
        assert_eq!(markdown_block("", ["x ```` y", "``"]), "`````\nx ```` y\n``\n`````\n");
    }
}
