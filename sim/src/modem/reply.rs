//! How a module words and frames its answers.

use crate::digest::Digest;

/// A final result code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Final {
    /// Done.
    Ok,
    /// The line is now a data line.
    Connect,
    /// Not done, without a reason.
    Error,
    /// Not done, for a numbered reason.
    Cme(u16),
}

impl Final {
    /// The mobile-equipment error: operation not allowed.
    pub const NOT_ALLOWED: Self = Self::Cme(3);
    /// The mobile-equipment error: no SIM.
    pub const NO_SIM: Self = Self::Cme(10);
    /// The mobile-equipment error: no network service.
    pub const NO_SERVICE: Self = Self::Cme(30);
    /// The mobile-equipment error: name not resolved.
    pub const NO_SUCH_NAME: Self = Self::Cme(160);
    /// The mobile-equipment error: not attached.
    pub const NOT_ATTACHED: Self = Self::Cme(180);
    /// The mobile-equipment error: a value that the command does not take.
    pub const INVALID: Self = Self::Cme(765);
}

/// How errors are worded (`AT+CMEE`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ErrorStyle {
    /// `ERROR`
    #[default]
    Plain,
    /// `+CME ERROR: <n>`
    Numeric,
    /// `+CME ERROR: <text>`
    Verbose,
}

/// The form that answers take: words or numbers, and the style of errors.
///
/// Shape: in words, CR LF text CR LF; in numbers, text CR LF for information and the number with CR for a result.
///
/// Source: MDM-A1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplyForm {
    /// Results in words (`ATV1`).
    pub words: bool,
    /// How errors are worded.
    pub errors: ErrorStyle,
}

impl Default for ReplyForm {
    fn default() -> Self {
        Self { words: true, errors: ErrorStyle::Plain }
    }
}

impl ReplyForm {
    /// Appends an information line.
    pub fn line(self, text: &[u8], into: &mut Vec<u8>) {
        if self.words {
            into.extend_from_slice(b"\r\n");
        }
        into.extend_from_slice(text);
        into.extend_from_slice(b"\r\n");
    }

    /// Appends a final result code.
    pub fn result(self, result: Final, into: &mut Vec<u8>) {
        match result {
            Final::Ok => self.code(b"OK", b'0', into),
            Final::Connect => self.code(b"CONNECT", b'1', into),
            Final::Error => self.code(b"ERROR", b'4', into),
            Final::Cme(number) => match self.errors {
                ErrorStyle::Plain => self.code(b"ERROR", b'4', into),
                ErrorStyle::Numeric => self.line(format!("+CME ERROR: {number}").as_bytes(), into),
                ErrorStyle::Verbose => {
                    self.line(format!("+CME ERROR: {}", cme_text(number)).as_bytes(), into);
                }
            },
        }
    }

    /// Adds the form.
    pub fn digest(self, into: &mut Digest) {
        into.flag(self.words).word(self.errors as u64);
    }

    fn code(self, word: &[u8], number: u8, into: &mut Vec<u8>) {
        if self.words {
            self.line(word, into);
        } else {
            into.extend_from_slice(&[number, b'\r']);
        }
    }
}

/// The wording of a mobile-equipment error.
pub fn cme_text(number: u16) -> &'static str {
    match number {
        0 => "phone failure",
        3 => "operation not allowed",
        4 => "operation not supported",
        10 => "SIM not inserted",
        11 => "SIM PIN required",
        12 => "SIM PUK required",
        13 => "SIM failure",
        14 => "SIM busy",
        30 => "no network service",
        31 => "network timeout",
        107 => "GPRS services not allowed",
        148 => "unspecified GPRS error",
        149 => "PDP authentication failure",
        160 => "DNS resolve failed",
        161 => "socket open failed",
        180 => "GPRS not attached",
        181 => "stack busy",
        765 => "invalid input value",
        767 => "operation failed",
        772 => "SIM powered down",
        _ => "unknown error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(form: ReplyForm, result: Final) -> Vec<u8> {
        let mut bytes = Vec::new();
        form.result(result, &mut bytes);
        bytes
    }

    #[test]
    fn results_follow_atv_and_errors_follow_cmee() {
        let words = |errors| ReplyForm { words: true, errors };
        let numbers = |errors| ReplyForm { words: false, errors };
        assert_eq!(result(words(ErrorStyle::Plain), Final::Ok), b"\r\nOK\r\n");
        assert_eq!(result(numbers(ErrorStyle::Plain), Final::Ok), b"0\r");
        assert_eq!(result(words(ErrorStyle::Plain), Final::Connect), b"\r\nCONNECT\r\n");
        assert_eq!(result(numbers(ErrorStyle::Plain), Final::Connect), b"1\r");
        assert_eq!(result(words(ErrorStyle::Plain), Final::NO_SIM), b"\r\nERROR\r\n");
        assert_eq!(result(numbers(ErrorStyle::Plain), Final::NO_SIM), b"4\r");
        assert_eq!(result(words(ErrorStyle::Numeric), Final::NO_SIM), b"\r\n+CME ERROR: 10\r\n");
        assert_eq!(
            result(words(ErrorStyle::Verbose), Final::NO_SIM),
            b"\r\n+CME ERROR: SIM not inserted\r\n"
        );
        assert_eq!(result(numbers(ErrorStyle::Numeric), Final::NO_SIM), b"+CME ERROR: 10\r\n");
        assert_eq!(result(words(ErrorStyle::Verbose), Final::Error), b"\r\nERROR\r\n");
    }

    #[test]
    fn an_information_line_keeps_its_end_in_either_form() {
        let mut bytes = Vec::new();
        ReplyForm::default().line(b"+CSQ: 18,0", &mut bytes);
        ReplyForm { words: false, errors: ErrorStyle::Plain }.line(b"+CSQ: 18,0", &mut bytes);
        assert_eq!(bytes, b"\r\n+CSQ: 18,0\r\n+CSQ: 18,0\r\n");
    }
}
