//! People at a real party where no robot stands: what has to be done there is asked of an operator at this process's
//! standard input and error, who also types what the party shows.

use std::io::{self, Write as _};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, ReadBuf, Stdin};

/// The longest line; more of it is dropped.
const LINE_MAX: usize = 256;

/// How much is read at once.
const READ_MAX: usize = 1_024;

/// The words of the text port that a party says; any other line is something that it shows.
const SAID: [&str; 8] = ["show ", "say ", "relay ", "door ", "print ", "warn ", "tag ", "ready"];

/// What has come from the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// What was asked for is done.
    Done,
    /// The party has said this: a line of the text port.
    Line(Vec<u8>),
}

/// An operator at the keyboard.
pub(crate) struct Operator {
    input: Option<Stdin>,
    lines: Lines,
}

impl Operator {
    pub(crate) fn new() -> Self {
        Self { input: Some(tokio::io::stdin()), lines: Lines::default() }
    }

    /// Asks for something to be done at the party of this name.
    pub(crate) fn ask(&mut self, what: &str) {
        self.lines.asked = true;
        // Whoever should read it may have gone, and is then not heard of in time.
        let _ = writeln!(
            io::stderr(),
            "\noperator: {}  (press Enter as you do it; type what it shows, a line each)",
            what.escape_debug()
        );
    }

    /// What has been typed; nothing more comes from an input that has ended.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, said: &mut Vec<Said>) {
        while let Some(input) = &mut self.input {
            let mut bytes = [0; READ_MAX];
            let mut buffer = ReadBuf::new(&mut bytes);
            match Pin::new(input).poll_read(cx, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => self.lines.take(buffer.filled(), said),
                Poll::Ready(_) => self.input = None,
                Poll::Pending => return,
            }
        }
    }
}

/// What was typed, in lines.
#[derive(Default)]
struct Lines {
    held: Vec<u8>,
    /// Something is to be done and has not been confirmed.
    asked: bool,
}

impl Lines {
    fn take(&mut self, bytes: &[u8], said: &mut Vec<Said>) {
        for byte in bytes {
            if *byte == b'\n' {
                said.extend(self.line());
            } else if self.held.len() < LINE_MAX {
                self.held.push(*byte);
            }
        }
    }

    fn line(&mut self) -> Option<Said> {
        let line = String::from_utf8_lossy(&std::mem::take(&mut self.held)).trim().to_owned();
        if line.is_empty() {
            return std::mem::take(&mut self.asked).then_some(Said::Done);
        }
        let shown = if SAID.iter().any(|word| line.starts_with(word)) { "" } else { "show " };
        Some(Said::Line(format!("{shown}{line}\n").into_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(lines: &mut Lines, text: &str) -> Vec<Said> {
        let mut said = Vec::new();
        lines.take(text.as_bytes(), &mut said);
        said
    }

    #[test]
    fn an_empty_line_confirms_what_was_asked_for_once_and_others_are_what_the_party_says() {
        let mut lines = Lines::default();
        assert_eq!(typed(&mut lines, "\n"), []);
        lines.asked = true;
        let line = |text: &str| Said::Line(text.as_bytes().to_vec());
        assert_eq!(typed(&mut lines, "5.5"), []);
        assert_eq!(
            typed(&mut lines, "0\r\nsay THANK YOU\n\n\n"),
            [line("show 5.50\n"), line("say THANK YOU\n"), Said::Done]
        );
        assert_eq!(
            typed(&mut lines, &("x".repeat(1_000) + "\n")),
            [line(&format!("show {}\n", "x".repeat(256)))]
        );
    }
}
