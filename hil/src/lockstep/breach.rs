//! What a program in a lockstep seat can do against the contract.

use std::fmt;

use assay_sim::time::Span;
use thiserror::Error;

use super::line::BadLine;

/// How a program has broken the contract, or why it cannot be told. The first breach ends its part in a run.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Breach {
    /// The process cannot be started: ours or the rig's fault.
    #[error("the program cannot be started: {0}")]
    NotStarted(String),
    /// Its output came to an end.
    #[error("it ended, or closed its output, while it was to go on")]
    Ended,
    /// A turn did not end.
    #[error("it hung: a turn did not end within {0} of real time")]
    Hung(Span),
    /// It said something that the contract does not have.
    #[error(transparent)]
    BadLine(#[from] BadLine),
    /// A line did not end.
    #[error("a line of it is longer than {0} bytes")]
    LongLine(usize),
    /// A turn had too much in it.
    #[error("it flooded: more than {0} outputs in one turn")]
    Flooded(usize),
    /// It spoke without having been given anything.
    #[error("it spoke out of turn: after the end of a turn came {}", quoted(.0))]
    OutOfTurn(String),
    /// It wants to be woken all the time.
    #[error("it lets no time pass: more than {0} turns in one second")]
    Spins(u32),
    /// It wants its storage to do more than can be undone.
    #[error("it keeps its storage at work for more than {0}")]
    StorageAhead(Span),
    /// It answered the same lines differently.
    #[error("it is not deterministic: two processes were given the same lines, and {difference}")]
    NotDeterministic {
        /// Where they part.
        difference: Difference,
    },
    /// After `start` in a process that was used before it does not do what it does in a fresh one.
    #[error(
        "it does not restart in place: a used and a fresh process were given the same lines, and {difference}"
    )]
    NotFresh {
        /// Where they part.
        difference: Difference,
    },
}

impl Breach {
    /// Whether it is ours or the rig's fault and not the program's.
    pub const fn is_ours(&self) -> bool {
        matches!(self, Self::NotStarted(_))
    }
}

/// The first line in which two answers differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What one said.
    pub one: Option<String>,
    /// What the other said.
    pub other: Option<String>,
}

impl Difference {
    /// Of two whole turns.
    pub(super) fn of(one: &str, other: &str) -> Self {
        let (mut ones, mut others) = (one.lines(), other.lines());
        loop {
            match (ones.next(), others.next()) {
                (Some(one), Some(other)) if one == other => {}
                (one, other) => {
                    let [one, other] = [one, other].map(|line| line.map(str::to_owned));
                    return Self { one, other };
                }
            }
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |line: &Option<String>| line.as_deref().map_or_else(|| "nothing".to_owned(), quoted);
        write!(f, "one said {}, the other {}", shown(&self.one), shown(&self.other))
    }
}

/// The most characters of a foreign text that are shown.
const SHOWN_MAX: usize = 120;

/// A foreign text, escaped and cut to a length that can be read.
pub(super) fn quoted(text: &str) -> String {
    let mut shown = String::new();
    for char in text.chars().take(SHOWN_MAX) {
        // Quotation marks are what these lines consist of, and would only be hard to read.
        if matches!(char, '"' | '\'') {
            shown.push(char);
        } else {
            shown.extend(char.escape_default());
        }
    }
    if text.chars().nth(SHOWN_MAX).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_foreign_is_escaped_and_cut() {
        assert_eq!(quoted("a\u{1b}[1m\n\\"), "`a\\u{1b}[1m\\n\\\\`");
        assert_eq!(quoted("{\"out\":7}"), "`{\"out\":7}`");
        assert_eq!(quoted(&"x".repeat(121)), format!("`{}…`", "x".repeat(120)));
    }

    #[test]
    fn the_first_difference_is_shown() {
        let words = |one, other| Difference::of(one, other).to_string();
        assert_eq!(words("a\nb\n", "a\nc\n"), "one said `b`, the other `c`");
        assert_eq!(words("a\n", "a\nc\n"), "one said nothing, the other `c`");
    }
}
