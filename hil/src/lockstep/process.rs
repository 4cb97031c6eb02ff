//! One process of a program: lines in, turns out, and never one left behind.

use std::io::{self, ErrorKind, Read, Write};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant as Clock};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::ioctl_fionbio;

use super::breach::Breach;
use super::line::Said;
use super::{Limits, Program};
use crate::group::Group;

/// How much is read at once.
const CHUNK: usize = 16 * 1_024;
/// How much is kept of what a program says on its standard error.
const LAST_WORDS: usize = 800;

/// What a program did in one turn.
#[derive(Clone, Debug, Default)]
pub struct Turn {
    /// Its outputs, and the end of the turn as the last one.
    pub said: Vec<Said>,
    /// The same as it came.
    pub text: String,
}

/// A running process, the leader of a group of its own. Dropping it kills the whole group.
#[derive(Debug)]
pub struct Process {
    child: Child,
    group: Group,
    stdin: ChildStdin,
    stdout: ChildStdout,
    /// Until it is closed.
    stderr: Option<ChildStderr>,
    /// How it ended, once it has been waited for: its number may be another's then.
    ended: Option<ExitStatus>,
    /// What was read and has not been looked at.
    buffer: Vec<u8>,
    chunk: Box<[u8]>,
    last_words: Vec<u8>,
    /// How often it was told `start`.
    pub(super) starts: u32,
}

impl Process {
    /// Starts a program.
    ///
    /// Errors: what the system says.
    pub fn start(program: &Program) -> io::Result<Self> {
        let (name, arguments) = program.words.split_first().ok_or(ErrorKind::InvalidInput)?;
        let mut command = Command::new(name);
        command.args(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        if let Some(dir) = &program.dir {
            command.current_dir(dir);
        }
        let (mut child, group) = Group::start(&mut command)?;
        let process = Self {
            stdin: child.stdin.take().expect("its standard input is a pipe"),
            stdout: child.stdout.take().expect("its standard output is a pipe"),
            stderr: child.stderr.take(),
            child,
            group,
            ended: None,
            buffer: Vec::new(),
            chunk: vec![0; CHUNK].into_boxed_slice(),
            last_words: Vec::new(),
            starts: 0,
        };
        ioctl_fionbio(&process.stdin, true)?;
        ioctl_fionbio(&process.stdout, true)?;
        process.stderr.as_ref().map(|stderr| ioctl_fionbio(stderr, true)).transpose()?;
        Ok(process)
    }

    /// Gives a line, its end included, and takes the turn that it makes.
    ///
    /// Errors: [`Breach`].
    pub fn turn(&mut self, line: &str, limits: &Limits) -> Result<Turn, Breach> {
        self.expect_silence()?;
        let until = clock() + Duration::from_micros(limits.turn.as_us());
        let mut given = line.as_bytes();
        let (mut turn, mut looked) = (Turn::default(), 0);
        loop {
            if !given.is_empty() {
                match self.stdin.write(given) {
                    Ok(0) => return Err(Breach::Ended),
                    Ok(taken) => given = given.get(taken..).unwrap_or_default(),
                    Err(error) if is_later(&error) => {}
                    Err(_) => return Err(Breach::Ended),
                }
            }
            // Until everything is given the turn cannot end, but a program that only talks is not let off.
            while let Some(end) =
                self.buffer.get(looked..).and_then(|rest| rest.iter().position(|b| *b == b'\n'))
            {
                let end = looked + end;
                if let Some(turn) = self.take_line(end, &mut turn, limits)? {
                    return Ok(turn);
                }
                looked = 0;
            }
            looked = self.buffer.len();
            if looked > limits.line_max {
                return Err(Breach::LongLine(limits.line_max));
            }
            self.await_more(!given.is_empty(), until, limits)?;
        }
    }

    /// What it said last on its standard error, and how it ended if it has: for people, and different every time.
    pub fn last_words(&mut self) -> String {
        self.kill();
        self.hear_errors();
        let ended = self.ended.map(|status| status.to_string());
        let words = String::from_utf8_lossy(&self.last_words);
        let words = Some(words.trim().to_owned()).filter(|words| !words.is_empty());
        ended.into_iter().chain(words).collect::<Vec<_>>().join("; ")
    }

    /// Takes one line off the buffer; the whole turn if that was its end.
    fn take_line(&mut self, end: usize, turn: &mut Turn, limits: &Limits) -> Result<Option<Turn>, Breach> {
        if end > limits.line_max {
            return Err(Breach::LongLine(limits.line_max));
        }
        let line = self.buffer.get(..end).unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let said = Said::scan(line, limits.wait_max)?;
        turn.text.push_str(&String::from_utf8_lossy(line));
        turn.text.push('\n');
        let over = matches!(said, Said::Wait(_));
        turn.said.push(said);
        self.buffer.drain(..=end);
        if over {
            return Ok(Some(std::mem::take(turn)));
        }
        if turn.said.len() > limits.outputs_max {
            return Err(Breach::Flooded(limits.outputs_max));
        }
        Ok(None)
    }

    /// Whatever comes before it is given something is out of turn.
    fn expect_silence(&mut self) -> Result<(), Breach> {
        if self.buffer.is_empty() {
            let mut ready = [PollFd::new(&self.stdout, PollFlags::IN)];
            if matches!(poll(&mut ready, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })), Ok(0)) {
                return Ok(());
            }
            self.hear()?;
        }
        let line = self.buffer.split(|byte| *byte == b'\n').next().unwrap_or_default();
        if self.buffer.is_empty() {
            return Ok(());
        }
        Err(Breach::OutOfTurn(String::from_utf8_lossy(line).into_owned()))
    }

    /// Waits until there is more to read, or room to write.
    fn await_more(&mut self, writes: bool, until: Clock, limits: &Limits) -> Result<(), Breach> {
        let left = until.saturating_duration_since(clock());
        if left.is_zero() {
            return Err(Breach::Hung(limits.turn));
        }
        let left = Timespec {
            tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(left.subsec_nanos()),
        };
        let mut ready = vec![PollFd::new(&self.stdout, PollFlags::IN)];
        if writes {
            ready.push(PollFd::new(&self.stdin, PollFlags::OUT));
        }
        ready.extend(self.stderr.as_ref().map(|stderr| PollFd::new(stderr, PollFlags::IN)));
        match poll(&mut ready, Some(&left)) {
            Err(error) if error != rustix::io::Errno::INTR => return Err(Breach::Ended),
            _ => {}
        }
        let said = !ready[0].revents().is_empty();
        let complained = ready.len() > 1 && ready.last().is_some_and(|fd| !fd.revents().is_empty());
        if complained {
            self.hear_errors();
        }
        if said { self.hear() } else { Ok(()) }
    }

    /// Reads what there is.
    fn hear(&mut self) -> Result<(), Breach> {
        match self.stdout.read(&mut self.chunk) {
            Ok(0) => Err(Breach::Ended),
            Ok(read) => {
                self.buffer.extend_from_slice(self.chunk.get(..read).unwrap_or_default());
                Ok(())
            }
            Err(error) if is_later(&error) => Ok(()),
            Err(_) => Err(Breach::Ended),
        }
    }

    /// Reads what it says on its standard error, and keeps the end of it.
    fn hear_errors(&mut self) {
        let Some(stderr) = &mut self.stderr else { return };
        match stderr.read(&mut self.chunk) {
            Ok(0) => self.stderr = None,
            Ok(read) => {
                self.last_words.extend_from_slice(self.chunk.get(..read).unwrap_or_default());
                let beyond = self.last_words.len().saturating_sub(LAST_WORDS);
                self.last_words.drain(..beyond);
            }
            Err(error) if is_later(&error) => {}
            Err(_) => self.stderr = None,
        }
    }

    fn kill(&mut self) {
        if self.ended.is_none() {
            self.group.kill();
            self.ended = self.child.wait().ok();
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

fn is_later(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

#[expect(
    clippy::disallowed_methods,
    reason = "a turn that does not end is found by the real clock, and by nothing else"
)]
fn clock() -> Clock {
    Clock::now()
}
