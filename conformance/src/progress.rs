//! What a person sees: results on standard output, a bar on standard error while something takes long.
//!
//! There is a bar only where standard error is a terminal, and colour only where standard output is one that wants it.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::OnceLock;

use assay_reports::text::counted;
use assay_reports::{CaseRecord, Verdict, render_console_case};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How much of a run is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    /// What it came to.
    Quiet,
    /// What did not pass as well, as far as a person reads it.
    #[default]
    Normal,
    /// Everything.
    Verbose,
}

/// How results are told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Telling {
    /// How much.
    pub detail: Detail,
    /// Whether nothing but the record goes to standard output, as JSON.
    pub json: bool,
}

/// How this process tells; set once, before anything is told.
///
/// Why: it changes what is printed and nothing that is recorded.
static TELLING: OnceLock<Telling> = OnceLock::new();

/// More cases than this are told one by one only where somebody asks for everything.
const CASES_TOLD: usize = 60;

/// How many failures are told in full, unless somebody asks for everything.
const FAILURES_TOLD: usize = 10;

/// Decides how this process tells results.
pub fn set_telling(telling: Telling) {
    // A second call comes from nowhere; the first one stands.
    let _ = TELLING.set(telling);
}

fn telling() -> Telling {
    TELLING.get().copied().unwrap_or_default()
}

/// Whether the record goes to standard output, and nothing else.
pub fn tells_json() -> bool {
    telling().json
}

/// A count that goes up.
pub struct Progress {
    bar: ProgressBar,
    total: usize,
}

impl Progress {
    /// Counts up to `total`; `what` says what is counted.
    pub fn new(total: usize, what: &str) -> Self {
        if telling().detail == Detail::Quiet {
            return Self::none();
        }
        let bar = ProgressBar::with_draw_target(Some(total as u64), ProgressDrawTarget::stderr());
        // The template is a constant that reads; should it not, the built-in one serves.
        let template = "{msg}  {wide_bar} {pos} of {len}  {per_sec}  {elapsed}, {eta} to go";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(what.to_owned());
        Self { bar, total }
    }

    /// No count at all.
    pub fn none() -> Self {
        Self { bar: ProgressBar::hidden(), total: 0 }
    }

    /// One more is done.
    pub fn step(&self) {
        self.bar.inc(1);
    }

    /// Tells a result, above the bar.
    pub fn tell(&self, text: &str) {
        self.bar.suspend(|| tell(text));
    }

    /// Tells what a case came to, in a line; of many that pass only where somebody asks for everything.
    pub fn tell_case(&self, case: &CaseRecord) {
        let passes = case.verdict == Verdict::Pass && self.total > CASES_TOLD;
        if !passes || telling().detail == Detail::Verbose {
            self.tell(&render_console_case(case));
        }
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
    let text = if colours() { coloured(text) } else { text.to_owned() };
    let _ = out.write_all(text.as_bytes());
    if !text.ends_with('\n') {
        let _ = out.write_all(b"\n");
    }
    let _ = out.flush();
}

/// Tells what a run comes to on its way.
pub fn tell(text: &str) {
    let Telling { detail, json } = telling();
    if !json && detail > Detail::Quiet {
        say(text);
    }
}

/// Tells what a run came to in the end.
pub fn sum_up(text: &str) {
    if !telling().json {
        say(text);
    }
}

/// Tells failures in full, as many as a person reads.
pub fn tell_failures(failures: &[String]) {
    let all = telling().detail == Detail::Verbose;
    let told = if all { failures.len() } else { FAILURES_TOLD.min(failures.len()) };
    for failure in &failures[..told] {
        tell(&format!("\n{failure}"));
    }
    if told < failures.len() {
        let more = counted((failures.len() - told) as u64, "more run");
        tell(&format!(
            "\n{more} did not pass; index.html in the report tells each, and --verbose does here."
        ));
    }
}

/// Puts an error on standard error, in one line.
pub fn say_error(text: &str) {
    let mut out = io::stderr().lock();
    let _ = writeln!(out, "error: {}", text.trim_end().replace('\n', " "));
}

/// Puts something worth knowing on standard error, in one line.
pub fn say_note(text: &str) {
    let mut out = io::stderr().lock();
    let _ = writeln!(out, "note: {}", text.trim_end().replace('\n', " "));
}

/// Whether standard output is a terminal that shows colours, and nobody has asked for none (`NO_COLOR`).
fn colours() -> bool {
    static COLOURS: OnceLock<bool> = OnceLock::new();
    *COLOURS.get_or_init(|| {
        let out = io::stdout();
        out.is_terminal() && anstream::AutoStream::choice(&out) != anstream::ColorChoice::Never
    })
}

/// The text with the verdicts at the beginning of lines in colour.
fn coloured(text: &str) -> String {
    let paint = |line: &str| {
        let word_end = line.find(|letter: char| !letter.is_ascii_alphabetic()).unwrap_or(line.len());
        let (head, from) = match line.strip_prefix("Verdict: ") {
            Some(rest) => ("Verdict: ", rest),
            None if line[word_end..].starts_with("  ") => ("", line),
            None => return line.to_owned(),
        };
        let end = from.find(|letter: char| !letter.is_ascii_alphabetic()).unwrap_or(from.len());
        let word = &from[..end];
        let verdict = Verdict::ALL.into_iter().find(|verdict| verdict.as_str().eq_ignore_ascii_case(word));
        match verdict.map(colour) {
            Some(code) => format!("{head}\x1b[{code}m{word}\x1b[0m{}", &from[end..]),
            None => line.to_owned(),
        }
    };
    text.split_inclusive('\n').map(paint).collect()
}

/// The colour of a verdict, as terminals number it, bold.
const fn colour(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "1;32",
        Verdict::Skipped | Verdict::Waived => "1;36",
        Verdict::Inconclusive => "1;33",
        Verdict::Fail => "1;31",
        Verdict::Broken => "1;35",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_verdicts_at_the_beginning_of_lines_are_coloured() {
        assert_eq!(coloured("pass          a/b (x)\n"), "\x1b[1;32mpass\x1b[0m          a/b (x)\n");
        assert_eq!(coloured("\nFAIL  a/b on world\n"), "\n\x1b[1;31mFAIL\x1b[0m  a/b on world\n");
        let summary = "2 cases: 1 pass, 1 fail.\nVerdict: broken (exit code 102).\n";
        let painted = "2 cases: 1 pass, 1 fail.\nVerdict: \x1b[1;35mbroken\x1b[0m (exit code 102).\n";
        assert_eq!(coloured(summary), painted);
        for plain in ["pass the word", "", "fail", "Verdict: none", "  fail  x", "充值  fail"] {
            assert_eq!(coloured(plain), plain);
        }
    }
}
