//! What a person sees while something takes long: results on standard output, a bar on standard error.
//!
//! There is a bar only where standard error is a terminal, and no colour anywhere.

use std::io::{self, Write as _};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A count that goes up.
pub struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// Counts up to `total`; `what` says what is counted.
    pub fn new(total: usize, what: &str) -> Self {
        let bar = ProgressBar::with_draw_target(Some(total as u64), ProgressDrawTarget::stderr());
        // The template is a constant that reads; should it not, the built-in one serves.
        if let Ok(style) = ProgressStyle::with_template("{msg}  {pos} of {len}  {elapsed}, {eta} to go") {
            bar.set_style(style);
        }
        bar.set_message(what.to_owned());
        Self { bar }
    }

    /// No count at all.
    pub fn none() -> Self {
        Self { bar: ProgressBar::hidden() }
    }

    /// One more is done.
    pub fn step(&self) {
        self.bar.inc(1);
    }

    /// Puts a result on standard output, above the bar.
    pub fn say(&self, text: &str) {
        self.bar.suspend(|| say(text));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Puts a text on standard output, with a line end if it has none.
///
/// Why: a reader that has gone away, such as `head`, is no reason to stop: the report is still to be written.
pub fn say(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes());
    if !text.ends_with('\n') {
        let _ = out.write_all(b"\n");
    }
    let _ = out.flush();
}

/// Puts an error on standard error, in one line.
pub fn say_error(text: &str) {
    let mut out = io::stderr().lock();
    let _ = writeln!(out, "error: {}", text.trim_end().replace('\n', " "));
}
