//! Lockstep: a program in any language takes a seat and is stepped in the bench's time, one JSON object a line.
//!
//! - [`Lockstep`] is the program, its limits, and the processes that wait to be used again.
//! - [`mod@line`] has the lines both ways, [`process`] the process behind them, `session` one stay of it between two
//!   losses of power.
//! - [`terminal`] seats such a program as a water-card terminal.

mod breach;
pub mod line;
pub mod process;
mod session;
pub mod terminal;

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use assay_sim::time::Span;
use serde::Deserialize;
use thiserror::Error;

pub use breach::Breach;
use process::Process;

/// The built-in limits' text.
pub const BUILT_IN: &str = include_str!("../../../fixtures/profiles/lockstep.toml");

/// What a program in a lockstep seat is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Real time for one turn.
    pub turn: Span,
    /// One line of the program.
    ///
    /// Units: bytes.
    pub line_max: usize,
    /// Outputs in one turn.
    pub outputs_max: usize,
    /// Turns in one second of the bench's time.
    pub turns_a_second_max: u32,
    /// The longest wait that is asked for.
    pub wait_max: Span,
    /// How long storage may be at work on what was asked for.
    pub nv_ahead_max: Span,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    limits: Limits,
}

impl Limits {
    /// The built-in ones.
    pub fn built_in() -> Self {
        toml::from_str::<File>(BUILT_IN).map(|file| file.limits).expect("the built-in limits read")
    }
}

/// How a program is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// The program and its arguments.
    pub words: Vec<String>,
    /// The directory that it runs in; the tool's own if there is none.
    pub dir: Option<PathBuf>,
    /// What it is allowed.
    pub limits: Limits,
    /// Whether it takes `start` for power-on, however often it comes, so that no power cut need end its process.
    pub restart_in_place: bool,
}

/// A command line that names no program.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NotAProgram {
    /// Its quotes do not match.
    #[error("its quotes do not match: write it as for a shell, such as 'python3 terminal.py'")]
    Quotes,
    /// It is empty.
    #[error("it is empty: write it as for a shell, such as 'python3 terminal.py'")]
    Empty,
    /// The program cannot be started.
    #[error("it cannot be started: {0}")]
    Start(String),
}

impl Program {
    /// The program of a command line, with the built-in limits; a power cut ends its process.
    ///
    /// Errors: [`NotAProgram::Quotes`], [`NotAProgram::Empty`].
    pub fn parse(command: &str) -> Result<Self, NotAProgram> {
        let words = shlex::split(command).ok_or(NotAProgram::Quotes)?;
        if words.first().is_none_or(String::is_empty) {
            return Err(NotAProgram::Empty);
        }
        Ok(Self { words, dir: None, limits: Limits::built_in(), restart_in_place: false })
    }
}

/// The command line, as a shell takes it.
impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A word with a zero byte cannot have been an argument.
        f.write_str(&shlex::try_join(self.words.iter().map(String::as_str)).unwrap_or_default())
    }
}

/// When a program is asked the same twice, in a second process that was started for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Twin {
    /// On a sample of the starts in a process that was used before.
    Sampled,
    /// Always.
    Always,
}

/// A program for lockstep seats, and its processes that are not in use.
///
/// Clones share the processes; with the last of them all of these end.
#[derive(Clone, Debug)]
pub struct Lockstep {
    program: Arc<Program>,
    twin: Twin,
    idle: Arc<Mutex<Vec<Process>>>,
}

impl Lockstep {
    /// A program for any number of seats; nothing is started yet.
    pub fn new(program: Program) -> Self {
        Self { program: Arc::new(program), twin: Twin::Sampled, idle: Arc::default() }
    }

    /// The same with every turn asked of two processes, whose answers must be equal.
    #[must_use]
    pub fn twinned(self) -> Self {
        Self { twin: Twin::Always, ..self }
    }

    /// The program.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// Starts the program once and ends it, so that what is wrong with its name is found before anything runs.
    ///
    /// Errors: [`NotAProgram::Start`].
    pub fn check(&self) -> Result<(), NotAProgram> {
        Process::start(&self.program).map(drop).map_err(|error| NotAProgram::Start(error.to_string()))
    }

    fn take_idle(&self) -> Option<Process> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn give_back(&self, process: Process) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(process);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_is_split_as_a_shell_does() {
        let program = Program::parse("python3 'my terminal.py' --defect no-intent").unwrap();
        assert_eq!(program.words, ["python3", "my terminal.py", "--defect", "no-intent"]);
        assert_eq!(program.to_string(), "python3 'my terminal.py' --defect no-intent");
        assert_eq!(program.limits.turn, Span::s(5));
        assert_eq!(Program::parse("python3 'x").unwrap_err(), NotAProgram::Quotes);
        for empty in ["", "  ", "''"] {
            assert_eq!(Program::parse(empty).unwrap_err(), NotAProgram::Empty, "{empty}");
        }
    }

    #[test]
    fn a_program_that_is_not_there_is_found_before_anything_runs() {
        let lockstep = Lockstep::new(Program::parse("/no/such/program").unwrap());
        assert!(matches!(lockstep.check(), Err(NotAProgram::Start(_))));
    }
}
