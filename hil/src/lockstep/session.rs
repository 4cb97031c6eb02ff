//! One stay of a program in a seat, from power-on to the loss of power.

use assay_sim::digest::Digest;
use assay_sim::time::Instant;

use super::breach::{Breach, Difference};
use super::line::Told;
use super::process::{Process, Turn};
use super::{Lockstep, Twin};

/// How long a second is.
///
/// Units: microseconds.
const SECOND_US: u64 = 1_000_000;

/// A program between power-on and the loss of power, with the process that it is.
///
/// Why: nobody can fork a process, so a copy of a session keeps what was said; if it is to go on by itself, a process
/// of its own is given the same lines first.
#[derive(Debug)]
pub(super) struct Session {
    lockstep: Lockstep,
    process: Option<Process>,
    /// A process that was started for this stay, and is asked the same.
    twin: Option<(Process, Against)>,
    /// What was given and answered, turn by turn.
    transcript: Vec<(String, String)>,
    /// A fingerprint of the transcript.
    heard: u128,
    second: u64,
    turns: u32,
}

/// What a twin is there to show.
#[derive(Clone, Copy, Debug)]
enum Against {
    Chance,
    Restart,
}

impl Session {
    /// Power on. The program has not been told anything yet.
    ///
    /// Errors: [`Breach::NotStarted`].
    pub(super) fn start(lockstep: &Lockstep) -> Result<Self, Breach> {
        let in_place = lockstep.program.restart_in_place;
        let used = if in_place { lockstep.take_idle() } else { None };
        let mut process = match used {
            Some(process) => process,
            None => fresh(lockstep)?,
        };
        let against = match lockstep.twin {
            // A process is held against a fresh one at its first restart, and ever more seldom after that.
            _ if process.starts.is_power_of_two() => Some(Against::Restart),
            Twin::Always => Some(Against::Chance),
            Twin::Sampled => None,
        };
        process.starts = process.starts.saturating_add(1);
        let twin = against.map(|against| fresh(lockstep).map(|process| (process, against))).transpose()?;
        Ok(Self {
            lockstep: lockstep.clone(),
            process: Some(process),
            twin,
            transcript: Vec::new(),
            heard: 0,
            second: 0,
            turns: 0,
        })
    }

    /// Gives the program one input and takes its turn.
    ///
    /// Errors: [`Breach`]; the process is gone then, and its last words are the second part.
    pub(super) fn turn(&mut self, at: Instant, told: &Told) -> Result<Turn, (Breach, String)> {
        self.count(at).map_err(|breach| self.broken(breach))?;
        let mut line = String::new();
        told.encode(at, &mut line);
        self.resume().map_err(|breach| self.broken(breach))?;
        let limits = self.lockstep.program.limits;
        let process = self.process.as_mut().expect("a session that goes on has its process");
        let turn = process.turn(&line, &limits).map_err(|breach| self.broken(breach))?;
        if let Some((twin, against)) = &mut self.twin {
            let against = *against;
            let other = twin.turn(&line, &limits);
            let other = other.map_err(|breach| self.broken(breach))?;
            if turn.text != other.text {
                let difference = Difference::of(&turn.text, &other.text);
                let breach = match against {
                    Against::Chance => Breach::NotDeterministic { difference },
                    Against::Restart => Breach::NotFresh { difference },
                };
                return Err(self.broken(breach));
            }
        }
        self.remember(line, turn.text.clone());
        Ok(turn)
    }

    /// Adds the state: whatever a program is, it is by what it was told and has answered.
    pub(super) fn digest(&self, into: &mut Digest) {
        into.bytes(&self.heard.to_le_bytes()).word(u64::from(self.turns));
    }

    fn remember(&mut self, line: String, answer: String) {
        let mut digest = Digest::new(Instant::ZERO);
        digest.bytes(&self.heard.to_le_bytes()).text(&line).text(&answer);
        self.heard = digest.finish();
        self.transcript.push((line, answer));
    }

    /// Counts a turn.
    fn count(&mut self, at: Instant) -> Result<(), Breach> {
        let second = at.as_us() / SECOND_US;
        if second != self.second {
            (self.second, self.turns) = (second, 0);
        }
        self.turns = self.turns.saturating_add(1);
        let most = self.lockstep.program.limits.turns_a_second_max;
        if self.turns > most { Err(Breach::Spins(most)) } else { Ok(()) }
    }

    /// Gives a copy a process of its own that is as far as the one it was copied from.
    fn resume(&mut self) -> Result<(), Breach> {
        if self.process.is_some() {
            return Ok(());
        }
        let mut process = fresh(&self.lockstep)?;
        process.starts = 1;
        for (line, answer) in &self.transcript {
            let again = process.turn(line, &self.lockstep.program.limits)?;
            if again.text != *answer {
                let difference = Difference::of(answer, &again.text);
                return Err(Breach::NotDeterministic { difference });
            }
        }
        self.process = Some(process);
        Ok(())
    }

    /// Ends the processes, and asks for last words.
    fn broken(&mut self, breach: Breach) -> (Breach, String) {
        self.twin = None;
        let words = self.process.take().map(|mut process| process.last_words()).unwrap_or_default();
        (breach, words)
    }
}

fn fresh(lockstep: &Lockstep) -> Result<Process, Breach> {
    Process::start(&lockstep.program).map_err(|error| Breach::NotStarted(error.to_string()))
}

impl Clone for Session {
    fn clone(&self) -> Self {
        Self {
            lockstep: self.lockstep.clone(),
            process: None,
            twin: None,
            transcript: self.transcript.clone(),
            heard: self.heard,
            second: self.second,
            turns: self.turns,
        }
    }
}

/// Power is gone: the process is killed, or waits for its next start if it takes that in place.
impl Drop for Session {
    fn drop(&mut self) {
        if let Some(process) = self.process.take().filter(|_| self.lockstep.program.restart_in_place) {
            self.lockstep.give_back(process);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use assay_sim::time::Span;

    use super::*;
    use crate::lockstep::{Limits, Program};

    /// A shell that runs this for every line that it is given, with the line's number in `$n`.
    fn each_line(commands: &str) -> Program {
        let script = format!("n=0; while read -r line; do n=$((n+1)); {commands}; done");
        let limits = Limits { turn: Span::ms(700), outputs_max: 8, line_max: 100, ..Limits::built_in() };
        let words = ["sh", "-c", &script].map(str::to_owned).to_vec();
        Program { words, dir: None, limits, restart_in_place: false }
    }

    fn shell(script: &str) -> Program {
        let program = each_line("");
        Program { words: ["sh", "-c", script].map(str::to_owned).to_vec(), ..program }
    }

    /// What comes of this many turns, a millisecond apart: how many there were, or the breach.
    fn turns(session: &mut Session, from: u64, count: u64) -> Result<String, Breach> {
        let mut last = String::new();
        for at in from..from + count {
            let turn = session.turn(Instant::from_us(1_000 * at), &Told::Deadline);
            last = turn.map_err(|(breach, _)| breach)?.text;
        }
        Ok(last)
    }

    fn breach_of(program: Program) -> Breach {
        let mut session = Session::start(&Lockstep::new(program)).unwrap();
        // On a busy machine what comes out of turn may be late by some turns.
        turns(&mut session, 0, 100_000).unwrap_err()
    }

    const COUNTS: &str = r#"echo '{"out":"text","line":"'$n'"}'; echo '{"wait_us":null}'"#;

    #[test]
    fn turns_follow_one_another() {
        let mut session = Session::start(&Lockstep::new(each_line(COUNTS))).unwrap();
        let third = "{\"out\":\"text\",\"line\":\"3\"}\n{\"wait_us\":null}\n";
        assert_eq!(turns(&mut session, 0, 3).as_deref(), Ok(third));
    }

    #[test]
    fn each_way_of_going_wrong_has_its_name_and_ends_in_time() {
        assert_eq!(breach_of(shell("exit 3")), Breach::Ended);
        assert_eq!(breach_of(shell("exec sleep 1000")), Breach::Hung(Span::ms(700)));
        let trickles = r#"while true; do echo '{"out":"text","line":"x"}'; sleep 0.2; done"#;
        assert_eq!(breach_of(shell(trickles)), Breach::Hung(Span::ms(700)));
        assert_eq!(breach_of(shell(r#"exec yes '{"out":"text","line":"x"}'"#)), Breach::Flooded(8));
        assert_eq!(breach_of(shell("exec cat /dev/zero")), Breach::LongLine(100));
        let Breach::BadLine(bad) = breach_of(each_line("echo oops")) else {
            panic!("a line of the contract")
        };
        assert_eq!(bad.line, "oops");
        let twice = r#"echo '{"wait_us":null}'; echo '{"wait_us":7}'"#;
        // The second line may come before the first turn is looked at, or after.
        let Breach::OutOfTurn(line) = breach_of(each_line(twice)) else { panic!("a line in its turn") };
        assert!([r#"{"wait_us":7}"#, r#"{"wait_us":null}"#].contains(&line.as_str()), "{line}");
    }

    #[test]
    fn a_program_that_never_reads_does_not_block_the_rig() {
        // Its input fills up after some thousand lines; each turn is answered all the same.
        let program = shell(r#"exec yes '{"wait_us":null}'"#);
        assert!(matches!(breach_of(program), Breach::OutOfTurn(_)));
    }

    #[test]
    fn as_many_turns_in_a_second_as_may() {
        let program = each_line(COUNTS);
        let limits = Limits { turns_a_second_max: 5, ..program.limits };
        let lockstep = Lockstep::new(Program { limits, ..program });
        let mut session = Session::start(&lockstep).unwrap();
        assert!(turns(&mut session, 0, 5).is_ok());
        assert!(turns(&mut session, 1_000, 5).is_ok());
        assert_eq!(turns(&mut session, 1_005, 1), Err(Breach::Spins(5)));
    }

    #[test]
    fn last_words_are_kept() {
        let program = shell("echo 'no such device' >&2; exit 3");
        let mut session = Session::start(&Lockstep::new(program)).unwrap();
        let (breach, words) = session.turn(Instant::ZERO, &Told::Deadline).unwrap_err();
        assert_eq!((breach, words.as_str()), (Breach::Ended, "exit status: 3; no such device"));
    }

    #[test]
    fn a_copy_goes_on_by_itself() {
        let mut one = Session::start(&Lockstep::new(each_line(COUNTS))).unwrap();
        turns(&mut one, 0, 3).unwrap();
        let mut other = one.clone();
        assert!(turns(&mut one, 3, 2).unwrap().contains("\"5\""));
        assert!(turns(&mut other, 3, 1).unwrap().contains("\"4\""));
        let digest = |session: &Session| {
            let mut digest = Digest::new(Instant::ZERO);
            session.digest(&mut digest);
            digest.finish()
        };
        assert_ne!(digest(&one), digest(&other));
        turns(&mut other, 4, 1).unwrap();
        assert_eq!(digest(&one), digest(&other));
    }

    #[test]
    fn a_look_at_chance_or_a_clock_is_found_by_a_second_process() {
        let looks = r#"echo '{"out":"text","line":"'$$'"}'; echo '{"wait_us":null}'"#;
        let breach = |lockstep: Lockstep| turns(&mut Session::start(&lockstep).unwrap(), 0, 3);
        let program = each_line(looks);
        assert!(matches!(
            breach(Lockstep::new(program.clone()).twinned()),
            Err(Breach::NotDeterministic { .. })
        ));
        assert!(breach(Lockstep::new(program)).is_ok());
        assert!(breach(Lockstep::new(each_line(COUNTS)).twinned()).is_ok());
    }

    #[test]
    fn a_restart_in_place_must_be_like_a_fresh_start() {
        let program = Program { restart_in_place: true, ..each_line(COUNTS) };
        let lockstep = Lockstep::new(program);
        turns(&mut Session::start(&lockstep).unwrap(), 0, 2).unwrap();
        let again = turns(&mut Session::start(&lockstep).unwrap(), 0, 2);
        assert!(matches!(again, Err(Breach::NotFresh { .. })), "{again:?}");
        let starts = r#"case $line in *start*) n=1;; esac; "#;
        let program = Program { restart_in_place: true, ..each_line(&format!("{starts}{COUNTS}")) };
        let lockstep = Lockstep::new(program);
        for _ in 0..3 {
            let mut session = Session::start(&lockstep).unwrap();
            let start = Told::Start { wall: assay_sim::time::Wall::default(), nv: Vec::new() };
            session.turn(Instant::ZERO, &start).unwrap();
            turns(&mut session, 1, 2).unwrap();
        }
        assert_eq!(lockstep.idle.lock().unwrap().len(), 1);
    }

    /// The processes whose command line has this in it.
    fn alive(mark: &str) -> Vec<PathBuf> {
        let all = fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok);
        let has_mark = |path: &PathBuf| {
            fs::read(path.join("cmdline")).is_ok_and(|line| String::from_utf8_lossy(&line).contains(mark))
        };
        all.map(|entry| entry.path()).filter(has_mark).collect()
    }

    /// Whether they are all gone, at the latest when they have been looked for a thousand times.
    ///
    /// Why: a process that was killed goes when the system next gives it a processor.
    fn gone(mark: &str) -> bool {
        (0..1_000).any(|_| alive(mark).is_empty())
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn no_process_is_left_behind() {
        let mark = format!("98765.{}", std::process::id());
        let script = format!("sleep {mark} & {}", each_line(COUNTS).words[2]);
        for restart_in_place in [false, true] {
            let lockstep = Lockstep::new(Program { restart_in_place, ..shell(&script) });
            let mut session = Session::start(&lockstep).unwrap();
            turns(&mut session, 0, 1).unwrap();
            assert!(!alive(&mark).is_empty());
            drop(session);
            assert_ne!(gone(&mark), restart_in_place);
            drop(lockstep);
            assert!(gone(&mark));
        }
    }
}
