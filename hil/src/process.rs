//! Processes of others: each in a group of its own, with what it prints kept up to a limit, and ended without a trace.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::task::{Context, Poll};
use std::time::Duration;

use thiserror::Error;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::process::{ChildStderr, ChildStdin, ChildStdout};

use crate::group::Group;

/// How much is taken from a process's output at once.
const READ_MAX: usize = 64 * 1024;

/// The longest line that is looked through for a text.
const LINE_MAX: usize = 4_096;

/// How long a killed process may take to be gone.
const GONE_WITHIN: Duration = Duration::from_secs(5);

/// A process that could not be started.
#[derive(Debug, Error)]
pub enum ProcessError {
    /// The command line is empty.
    #[error("the command line is empty")]
    Empty,
    /// It could not be started.
    #[error("`{program}` could not be started: {source}")]
    Start {
        /// The program.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// Its output cannot be kept.
    #[error("the output of `{program}` could not be kept in {}: {source}", path.display())]
    Keep {
        /// The program.
        program: String,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// A process of others. Dropping it ends it and all that it has started.
#[derive(Debug)]
pub struct Process {
    group: Group,
    child: Child,
    streams: [Captured; 2],
    stdin: Option<ChildStdin>,
    ended: Option<ExitStatus>,
}

/// What a process prints on one of its outputs.
#[derive(Debug)]
struct Captured {
    pipe: Option<Pipe>,
    kept: Kept,
    /// The text that is looked for, until it has been found.
    ready: Option<Vec<u8>>,
    line: Vec<u8>,
}

#[derive(Debug)]
enum Pipe {
    Out(ChildStdout),
    Err(ChildStderr),
}

/// The beginning of an output, in a file.
#[derive(Debug)]
struct Kept {
    file: File,
    room: u64,
}

/// How a process is started.
#[derive(Clone, Debug)]
pub struct Start<'a> {
    /// The command line, word by word.
    pub words: &'a [String],
    /// Where its output is kept, in files that begin so.
    pub keep: &'a Path,
    /// How much of each output is kept.
    ///
    /// Units: bytes.
    pub output_max: u64,
    /// What a line of its output has once it is at work.
    pub ready: Option<&'a str>,
    /// Whether its standard input and output are somebody's port.
    pub stdio: bool,
}

impl Process {
    /// Starts it. It has to be called within a tokio runtime.
    ///
    /// Errors: [`ProcessError`].
    pub fn start(start: &Start<'_>) -> Result<Self, ProcessError> {
        let (program, arguments) = start.words.split_first().ok_or(ProcessError::Empty)?;
        let mut command = Command::new(program);
        command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.stdin(if start.stdio { Stdio::piped() } else { Stdio::null() });
        let failed = |source| ProcessError::Start { program: program.clone(), source };
        let kept = ["stdout", "stderr"].map(|name| Kept::open(start, name, program));
        let [out, err] = kept;
        let (out, err) = (out?, err?);
        let (mut child, group) = Group::start(&mut command).map_err(failed)?;
        let (pipe_out, pipe_err) = (child.stdout.take(), child.stderr.take());
        let stdin = child.stdin.take();
        let captured = |pipe, kept| Captured {
            pipe,
            kept,
            ready: start.ready.map(|text| text.as_bytes().to_vec()),
            line: Vec::new(),
        };
        let mut process = Self {
            group,
            child,
            streams: [captured(None, out), captured(None, err)],
            stdin: None,
            ended: None,
        };
        // From here on a failure ends the process by dropping it.
        let pipe = pipe_out.map(ChildStdout::from_std).transpose().map_err(failed)?;
        process.streams[0].pipe = pipe.map(Pipe::Out);
        let pipe = pipe_err.map(ChildStderr::from_std).transpose().map_err(failed)?;
        process.streams[1].pipe = pipe.map(Pipe::Err);
        process.stdin = stdin.map(ChildStdin::from_std).transpose().map_err(failed)?;
        Ok(process)
    }

    /// Its standard input and output, for whoever has a port there.
    pub fn take_stdio(&mut self) -> Option<(ChildStdin, ChildStdout)> {
        let stdin = self.stdin.take()?;
        match self.streams[0].pipe.take() {
            Some(Pipe::Out(stdout)) => Some((stdin, stdout)),
            _ => None,
        }
    }

    /// Takes in some of what it has printed, and asks to be woken when there is more.
    pub fn poll_output(&mut self, cx: &mut Context<'_>) {
        for stream in &mut self.streams {
            stream.poll(cx);
        }
    }

    /// Whether it has printed what says that it is at work; true if nothing does.
    pub fn is_ready(&self) -> bool {
        self.streams.iter().any(|stream| stream.ready.is_none())
    }

    /// Its number in the system.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it has ended by itself, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        if self.ended.is_none() {
            self.ended = self.child.try_wait().ok().flatten();
        }
        self.ended
    }

    /// Kills it and everything that it has started, and waits until it is gone; whether it is.
    pub fn kill(&mut self) -> bool {
        self.group.kill_and_hunt();
        self.wait_gone()
    }

    fn wait_gone(&mut self) -> bool {
        let step = Duration::from_millis(1);
        let mut waited = Duration::ZERO;
        while self.ended().is_none() {
            if waited >= GONE_WITHIN {
                return false;
            }
            std::thread::sleep(step);
            waited += step;
        }
        true
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Ends every process that this one has started, and all that they have started.
///
/// Why: a tool that is told to end at once drops nothing.
pub fn end_all() {
    crate::group::end_all();
}

impl Kept {
    fn open(start: &Start<'_>, name: &str, program: &str) -> Result<Self, ProcessError> {
        let mut path = start.keep.as_os_str().to_owned();
        path.push(format!(".{name}"));
        let path = PathBuf::from(path);
        let opened = File::options().create(true).append(true).open(&path);
        let room = |file: File| {
            let used = file.metadata()?.len();
            Ok(Self { room: start.output_max.saturating_sub(used), file })
        };
        opened.and_then(room).map_err(|source| ProcessError::Keep {
            program: program.to_owned(),
            path: path.clone(),
            source,
        })
    }

    /// Keeps as much as there is room for.
    ///
    /// Why: a full disk must not stop the run; the output is for people.
    fn keep(&mut self, bytes: &[u8]) {
        let len = usize::try_from(self.room).unwrap_or(usize::MAX).min(bytes.len());
        self.room -= len as u64;
        let _ = self.file.write_all(&bytes[..len]);
    }
}

impl Captured {
    fn poll(&mut self, cx: &mut Context<'_>) {
        let mut buffer = vec![0; READ_MAX];
        let Some(pipe) = &mut self.pipe else { return };
        let mut into = ReadBuf::new(&mut buffer);
        let read = match pipe {
            Pipe::Out(pipe) => Pin::new(pipe).poll_read(cx, &mut into),
            Pipe::Err(pipe) => Pin::new(pipe).poll_read(cx, &mut into),
        };
        match read {
            Poll::Pending => {}
            Poll::Ready(Ok(())) if !into.filled().is_empty() => {
                let len = into.filled().len();
                self.take_in(&buffer[..len]);
                // There may be more; others come first.
                cx.waker().wake_by_ref();
            }
            Poll::Ready(_) => self.pipe = None,
        }
    }

    fn take_in(&mut self, bytes: &[u8]) {
        self.kept.keep(bytes);
        let Some(ready) = &self.ready else { return };
        for byte in bytes {
            if *byte == b'\n' || self.line.len() >= LINE_MAX {
                self.line.clear();
            }
            self.line.push(*byte);
            if self.line.ends_with(ready) {
                self.ready = None;
                return;
            }
        }
    }
}

/// Runs a command to its end and returns what it has printed.
///
/// Errors: a sentence; it could not be started, took too long, failed, or printed too much.
pub async fn run_command(words: &[String], within: Duration, output_max: usize) -> Result<Vec<u8>, String> {
    let (program, arguments) = words.split_first().ok_or("the command line is empty")?;
    let mut command = tokio::process::Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    command.kill_on_drop(true);
    let mut child = command.spawn().map_err(|error| format!("`{program}` could not be started: {error}"))?;
    let stdout = child.stdout.take();
    let work = async {
        let mut told = Vec::new();
        if let Some(stdout) = stdout {
            let limit = output_max as u64 + 1;
            let mut limited = tokio::io::AsyncReadExt::take(stdout, limit);
            let read = tokio::io::AsyncReadExt::read_to_end(&mut limited, &mut told).await;
            read.map_err(|error| format!("what `{program}` prints could not be read: {error}"))?;
        }
        if told.len() > output_max {
            return Err(format!("`{program}` prints more than {output_max} bytes"));
        }
        let status = child.wait().await.map_err(|error| format!("`{program}`: {error}"))?;
        if status.success() { Ok(told) } else { Err(format!("`{program}` ended with {status}")) }
    };
    let in_time = tokio::time::timeout(within, work).await;
    in_time.unwrap_or_else(|_| Err(format!("`{program}` did not end within {} ms", within.as_millis())))
}
