//! Forms as they lie in a query or a body: names and values as bytes, because their charset is known only afterwards.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, percent_encode};
use thiserror::Error;

/// The fields of a form in the order in which they came.
pub type Fields = Vec<(Vec<u8>, Vec<u8>)>;

/// Reads a form.
///
/// Shape: `name=value` with `&` between them; `+` is a blank, `%41` a byte; a name without `=` has an empty value.
///
/// Errors: [`FormError`] for an escape that is none, and for more than `FIELDS_MAX` fields.
pub fn read(bytes: &[u8]) -> Result<Fields, FormError> {
    let mut fields = Fields::new();
    for part in bytes.split(|byte| *byte == b'&').filter(|part| !part.is_empty()) {
        if fields.len() == FIELDS_MAX {
            return Err(FormError::TooMany);
        }
        let (name, value) = match part.iter().position(|byte| *byte == b'=') {
            Some(at) => (&part[..at], &part[at + 1..]),
            None => (part, &[][..]),
        };
        fields.push((decoded(name)?, decoded(value)?));
    }
    Ok(fields)
}

/// Writes a form.
pub fn write<'a>(fields: impl IntoIterator<Item = (&'a [u8], &'a [u8])>) -> String {
    let mut text = String::new();
    for (name, value) in fields {
        if !text.is_empty() {
            text.push('&');
        }
        text.extend(percent_encode(name, ESCAPED));
        text.push('=');
        text.extend(percent_encode(value, ESCAPED));
    }
    text
}

/// What is escaped: everything but letters, digits and four marks.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'*');

/// More fields than any call has.
const FIELDS_MAX: usize = 256;

/// A form that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum FormError {
    /// A percent sign without two hexadecimal digits behind it.
    #[error("a percent sign without two hexadecimal digits behind it")]
    Escape,
    /// Too many fields.
    #[error("more than {FIELDS_MAX} fields")]
    TooMany,
}

fn decoded(text: &[u8]) -> Result<Vec<u8>, FormError> {
    let hex = |at: usize| text.get(at).is_some_and(u8::is_ascii_hexdigit);
    let whole = |(at, byte): (usize, &u8)| *byte != b'%' || (hex(at + 1) && hex(at + 2));
    if !text.iter().enumerate().all(whole) {
        return Err(FormError::Escape);
    }
    let blanks: Vec<u8> = text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    Ok(percent_decode(&blanks).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pairs(fields: &Fields) -> Vec<(&str, &[u8])> {
        fields.iter().map(|(name, value)| (std::str::from_utf8(name).unwrap(), value.as_slice())).collect()
    }

    #[test]
    fn a_form_is_read_as_a_browser_writes_it() {
        let read_back = read("a=1+2%2B&b=%E6%B5%8B&c=&d&e==%3D&&".as_bytes()).unwrap();
        let expected: [(&str, &[u8]); 5] =
            [("a", b"1 2+"), ("b", "测".as_bytes()), ("c", b""), ("d", b""), ("e", b"==")];
        assert_eq!(pairs(&read_back), expected);
        assert_eq!(read(b""), Ok(Vec::new()));
    }

    #[test]
    fn an_escape_without_its_digits_is_refused() {
        for bad in ["a=%", "a=%4", "a=%4g", "%=1", "a=%%41"] {
            assert_eq!(read(bad.as_bytes()), Err(FormError::Escape), "{bad}");
        }
        assert!(read("a=1&".repeat(256).as_bytes()).is_ok());
        assert_eq!(read("a=1&".repeat(257).as_bytes()), Err(FormError::TooMany));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            fields in proptest::collection::vec((proptest::collection::vec(any::<u8>(), 1..9), any::<Vec<u8>>()), 0..9)
        ) {
            let text = write(fields.iter().map(|(name, value)| (name.as_slice(), value.as_slice())));
            prop_assert!(text.bytes().all(|byte| byte.is_ascii_graphic()));
            prop_assert_eq!(read(text.as_bytes()), Ok(fields));
        }

        #[test]
        fn no_bytes_panic(bytes in any::<Vec<u8>>()) {
            let _ = read(&bytes);
        }
    }
}
