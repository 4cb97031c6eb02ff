//! The replay file: one run, whole, as text that a person can read and the tool can run again.
//!
//! Version 1. A later version may add keys; a reader refuses a version that it does not know, and any unknown key.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use assay_hil::lockstep::{Lockstep, Program};
use assay_reports::text::{escape, shown, wrapped};
use assay_reports::{CaseRecord, render_pcapng, render_trace};
use assay_sim::fault::{Fate, Fault, FaultPlan, Mishap, Moment, Site, Strike};
use assay_sim::seed::Seed;
use assay_sim::tabletop::PlanError;
use assay_sim::tape::Keep;
use assay_sim::time::{Instant, Span};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use toml::Spanned;

use crate::case::Case;
use crate::interrupt::Stop;
use crate::names;
use crate::outcome::Recording;
use crate::plan_file::{FileError, Source, read_profile, read_text};
use crate::record::{Subject, case_record};
use crate::rig_bench::Bench;
use crate::trial::{Design, ProfileSource, Run, Trial, TrialError, Watch};
use crate::twice::{self, Comparison};

/// The version that is written and read.
pub const VERSION: u32 = 1;

/// The longest tape that is kept beside a replay file.
///
/// Units: entries.
const TAPE_MAX: u64 = 100_000;

/// The directory within a report that replay files go to.
const DIR: &str = "replay";

/// How the name of a trace ends.
const TRACE: &str = "trace.jsonl";

/// What the file calls the profile that comes with the tool.
const BUILT_IN: &str = "built-in";

/// One run, and what it came to when it was recorded.
#[derive(Clone)]
pub struct Replay {
    /// The case.
    pub case: Case,
    /// On which design.
    pub design: Design,
    /// On which bench.
    pub bench: Bench,
    /// Every fault, the case's own included.
    pub plan: FaultPlan,
    /// The digest of the tape that was recorded.
    pub tape_digest: String,
    /// The requirements that were violated.
    pub violates: Vec<String>,
    /// When the run ends before its time, if it does.
    pub until: Option<Instant>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Head<'a> {
    assay_replay: u32,
    #[serde(flatten)]
    body: Body<'a>,
}

#[derive(Serialize)]
struct Body<'a> {
    system: &'a str,
    case: &'a str,
    bench: &'a str,
    policy: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    mutant: Option<&'a str>,
    seed: u64,
    profile: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    terminal: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    restart_in_place: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    turn_limit: Option<Span>,
    #[serde(skip_serializing_if = "Option::is_none")]
    terminals: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<Span>,
    tape_digest: &'a str,
    violates: &'a [String],
    #[serde(skip_serializing_if = "toml::Table::is_empty")]
    overrides: &'a toml::Table,
    #[serde(rename = "strike", skip_serializing_if = "<[Strike]>::is_empty")]
    strikes: &'a [Strike],
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "assay-replay")]
    version: Spanned<u32>,
    system: Spanned<String>,
    case: Spanned<String>,
    bench: Spanned<String>,
    policy: Spanned<String>,
    mutant: Option<Spanned<String>>,
    seed: u64,
    profile: Spanned<String>,
    terminal: Option<Spanned<String>>,
    restart_in_place: Option<bool>,
    turn_limit: Option<Span>,
    terminals: Option<Spanned<usize>>,
    until: Option<Span>,
    tape_digest: String,
    violates: Vec<String>,
    overrides: Option<Spanned<toml::Table>>,
    #[serde(default)]
    strike: Vec<Spanned<StrikeText>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StrikeText {
    site: Spanned<String>,
    #[serde(default)]
    moment: Moment,
    fault: Spanned<toml::Table>,
}

impl Replay {
    /// The run behind a record.
    pub fn of(record: &CaseRecord, case: &Case, design: &Design, bench: &Bench, plan: &FaultPlan) -> Self {
        let mut violates: Vec<String> =
            record.violations.iter().map(|violation| violation.requirement.clone()).collect();
        violates.sort_unstable();
        violates.dedup();
        Self {
            case: *case,
            design: design.clone(),
            bench: bench.clone(),
            plan: plan.clone(),
            tape_digest: record.tape_digest.clone(),
            violates,
            until: None,
        }
    }

    /// The text of the file; `record` gives the words of its comments.
    ///
    /// Errors: none for what the tool itself records.
    pub fn render(&self, record: &CaseRecord) -> Result<String, toml::ser::Error> {
        let program = self.design.lockstep.as_ref().map(Lockstep::program);
        let head = Head {
            assay_replay: VERSION,
            body: Body {
                system: self.case.system.as_str(),
                case: self.case.id,
                bench: self.bench.name(),
                policy: self.design.policy.as_str(),
                mutant: self.design.mutant.map(|mutant| mutant.name),
                seed: self.design.seed.0,
                profile: self.design.profile.name(),
                terminal: program.map(ToString::to_string),
                restart_in_place: program.map(|program| program.restart_in_place),
                turn_limit: program.map(|program| program.limits.turn),
                terminals: self.design.terminals,
                until: self.until.map(|until| until.since(Instant::ZERO)),
                tape_digest: &self.tape_digest,
                violates: &self.violates,
                overrides: &self.design.profile.overrides,
                strikes: &self.plan.strikes,
            },
        };
        Ok(format!("{}\n{}", comments(self.case.title, record), toml::to_string(&head)?))
    }

    /// Reads a file and looks up everything that it names.
    ///
    /// Errors: [`FileError`].
    pub fn read(file: &str) -> Result<Self, FileError> {
        let text = read_text(file)?;
        Self::parse(Source { file, text: &text })
    }

    /// Reads a text, which messages call by this name, and looks up everything that it names.
    ///
    /// Errors: [`FileError`].
    pub fn from_text(name: &str, text: &str) -> Result<Self, FileError> {
        Self::parse(Source { file: name, text })
    }

    fn parse(source: Source<'_>) -> Result<Self, FileError> {
        let raw: File = toml::from_str(source.text).map_err(|error| {
            source
                .toml_error(&error, "compare it with one that `assay run` has left in its `replay` directory")
        })?;
        if *raw.version.get_ref() != VERSION {
            let what = format!("version {} is not one that this tool knows", raw.version.get_ref());
            let mend = format!("it reads version {VERSION}: replay the file with the tool that wrote it");
            return Err(source.error(Some(raw.version.span()), what, mend));
        }
        let unknown = |name: &Spanned<String>| {
            let span = name.span();
            move |what: String| source.error(Some(span), what, "correct the name")
        };
        let system = names::system(raw.system.get_ref()).map_err(unknown(&raw.system))?;
        let case = names::case(raw.case.get_ref()).map_err(unknown(&raw.case))?;
        if case.system != system {
            let what = format!("the case is of the {} system", case.system.as_str());
            return Err(source.error(Some(raw.system.span()), what, "correct `system` or `case`"));
        }
        let policy = names::policy(raw.policy.get_ref(), Some(system)).map_err(unknown(&raw.policy))?;
        let mutant = match &raw.mutant {
            Some(name) => Some(names::mutant(name.get_ref(), Some(system)).map_err(unknown(name))?),
            None => None,
        };
        let mut profile = match raw.profile.get_ref().as_str() {
            BUILT_IN => ProfileSource::default(),
            file => read_profile(file, &[system]).map(|(profile, _)| profile).map_err(|error| {
                source.error(Some(raw.profile.span()), error.to_string(), "or correct `profile`")
            })?,
        };
        if let Some(overrides) = &raw.overrides {
            profile.overrides = overrides.get_ref().clone();
        }
        let bench = Bench::named(raw.bench.get_ref()).map_err(unknown(&raw.bench))?;
        if !bench.repeats() {
            profile = bench.profile(profile, system).map_err(unknown(&raw.bench))?;
        }
        let terminals = raw.terminals.as_ref().map(|terminals| *terminals.get_ref());
        let mut design = Design { mutant, profile, terminals, ..Design::new(policy, Seed(raw.seed)) };
        if let Some(lockstep) = lockstep(source, &raw)? {
            design = design.with_lockstep(lockstep);
        }
        let plan = strikes(source, &raw.strike)?;
        let replay = Self {
            case,
            design,
            bench,
            plan,
            tape_digest: raw.tape_digest.clone(),
            violates: raw.violates.clone(),
            until: raw.until.map(|until| Instant::ZERO + until),
        };
        replay.check(source, &raw)?;
        Ok(replay)
    }

    /// Builds everything once, so that what does not fit is found while the file's lines are at hand.
    fn check(&self, source: Source<'_>, raw: &File) -> Result<(), FileError> {
        let trial = Trial::new(self.case, &self.design).map_err(|error| {
            let what = error.to_string().replace('\n', ", ");
            if let (TrialError::Plant(_), Some(terminals)) = (&error, &raw.terminals) {
                return source.error(Some(terminals.span()), what, "correct their number");
            }
            let span = raw.overrides.as_ref().map_or_else(|| raw.profile.span(), Spanned::span);
            source.error(Some(span), what, "correct the profile")
        })?;
        if let Err(error) = trial.check(&self.bench, &self.plan) {
            let (PlanError::NoSuchPlace { number, .. }
            | PlanError::NotThere { number, .. }
            | PlanError::NoSuchVictim { number, .. }
            | PlanError::NoFate { number, .. }
            | PlanError::NoSuchSuffering { number, .. }) = &error;
            let strike = number.checked_sub(1).and_then(|at| raw.strike.get(at));
            let span = strike.map(|strike| match &error {
                PlanError::NoSuchPlace { .. } => strike.get_ref().site.span(),
                _ => strike.get_ref().fault.span(),
            });
            return Err(source.error(span, error.to_string(), "`assay list sites` shows what can be struck"));
        }
        Ok(())
    }

    /// Runs it again on its bench.
    ///
    /// Errors: a sentence; only for what was not read by [`Replay::read`].
    pub fn run(&self, file: &str, stop: &Stop) -> Result<(CaseRecord, Run), String> {
        let trial = Trial::new(self.case, &self.design).map_err(|error| error.to_string())?;
        let watch = Watch { until: self.until, ..Watch::PLAIN };
        let run = trial.run_on(&self.bench, &self.plan, Keep::All, stop, watch);
        Ok((self.record(file, &run), run))
    }

    /// The record of a run of it.
    pub fn record(&self, file: &str, run: &Run) -> CaseRecord {
        let mut record = case_record(&self.subject(file), &self.plan, run);
        if self.until.is_some() {
            // Nobody expects a part of a run to judge what the whole does.
            record.requirements.retain(|outcome| outcome.judged > 0);
        }
        record
    }

    /// The tape of a run of it, a line an entry.
    pub fn render_tape(&self, run: &Run) -> String {
        run.tape().map(|tape| render_lines(tape, &self.plan)).unwrap_or_default()
    }

    /// What its record is about.
    pub fn subject(&self, file: &str) -> Subject<'_> {
        Subject {
            id: self.case.id.to_owned(),
            case: &self.case,
            design: &self.design,
            bench: self.bench.name(),
            replay: Some(command(Path::new(file))),
        }
    }

    /// Where the new tape first differs from the one beside the file, if that is there.
    fn first_difference(&self, file: &str, run: &Run) -> String {
        let beside = tape_path(Path::new(file));
        let Ok(recorded) = fs::read(&beside) else {
            return format!(
                "There is no {}, so where they differ is not known.\n",
                shown(&beside.display().to_string())
            );
        };
        let compared = twice::compare(recorded.as_slice(), self.render_tape(run).as_bytes());
        match compared {
            Ok(Comparison::Differs { line, .. }) => {
                let lines = compared.map(|compared| twice::render_lines(&compared, ["recorded", "now"]));
                format!("The first difference is in line {line} of the tape:\n{}", lines.unwrap_or_default())
            }
            _ => format!(
                "{} is the same as the new tape, so it is not the recorded one.\n",
                shown(&beside.display().to_string())
            ),
        }
    }

    /// How a new run of it compares with the recorded one, in words.
    ///
    /// `file` is where it was read from: the recorded tape may lie beside it.
    pub fn compare(&self, file: &str, record: &CaseRecord, run: &Run) -> String {
        let words = if !self.bench.repeats() {
            "On a rig times differ from run to run, and so do tapes.\n".to_owned()
        } else if record.tape_digest == self.tape_digest {
            format!("The tape is the same as recorded, to the byte: {}.\n", record.tape_digest)
        } else {
            format!(
                "The tape differs: {} was recorded, this run made {}. The same binary makes the same tape, so the \
                 tool or the profile has changed.\n",
                escape(&self.tape_digest),
                record.tape_digest
            ) + &self.first_difference(file, run)
        };
        words + &self.compare_violations(record)
    }

    /// What a new run violates beside what the recorded one did.
    pub fn compare_violations(&self, record: &CaseRecord) -> String {
        let mut violates: Vec<&str> =
            record.violations.iter().map(|violation| violation.requirement.as_str()).collect();
        violates.sort_unstable();
        violates.dedup();
        let list = |ids: &[&str]| if ids.is_empty() { "nothing".to_owned() } else { ids.join(", ") };
        let then: Vec<&str> = self.violates.iter().map(String::as_str).collect();
        if then == violates {
            format!("It violates what it violated: {}.\n", list(&violates))
        } else {
            format!("It violated {}; now it violates {}.\n", escape(&list(&then)), list(&violates))
        }
    }

    /// The same run on another bench.
    ///
    /// Errors: a sentence.
    pub fn on(&self, bench: Bench) -> Result<Self, String> {
        if !bench.takes(&self.case) {
            return Err(format!("{} cannot be run there", self.case.id));
        }
        let mut design = self.design.clone();
        design.profile = bench.profile(design.profile, self.case.system)?;
        let trial = Trial::new(self.case, &design).map_err(|error| error.to_string())?;
        trial.check(&bench, &self.plan).map_err(|error| error.to_string())?;
        Ok(Self { design, bench, ..self.clone() })
    }
}

/// The program in the terminals' seats, if there was one.
fn lockstep(source: Source<'_>, raw: &File) -> Result<Option<Lockstep>, FileError> {
    let Some(command) = &raw.terminal else { return Ok(None) };
    let mut program = Program::parse(command.get_ref())
        .map_err(|error| source.error(Some(command.span()), error.to_string(), "correct `terminal`"))?;
    program.restart_in_place = raw.restart_in_place.unwrap_or_default();
    program.limits.turn = raw.turn_limit.unwrap_or(program.limits.turn);
    Ok(Some(Lockstep::new(program)))
}

fn comments(title: &str, record: &CaseRecord) -> String {
    let mut text = String::from("# One run of Assay. `assay replay FILE` runs exactly this again.\n#\n");
    let mut add = |first: &str, words: &str| text += &wrapped(first, &escape(words)).replace("\n ", "\n#");
    add("# ", &format!("{}: {title}", record.id));
    add("# ", if record.plan.is_empty() { "No fault was planned." } else { "The plan:" });
    for (at, step) in record.plan.iter().enumerate() {
        add(&format!("#   {}. ", at + 1), step);
    }
    if let Some(why) = &record.why {
        add("# ", &format!("{}: {why}", record.verdict));
    }
    for violation in &record.violations {
        add("# ", &format!("{} does not hold.", violation.requirement));
        add("#   Expected: ", &violation.expected);
        add("#   Actual:   ", &violation.actual);
    }
    text
}

fn strikes(source: Source<'_>, raw: &[Spanned<StrikeText>]) -> Result<FaultPlan, FileError> {
    let mut strikes = Vec::new();
    for strike in raw {
        let strike = strike.get_ref();
        let site: Site = strike.site.get_ref().parse().map_err(|error: assay_sim::fault::NotASite| {
            source.error(
                Some(strike.site.span()),
                error.to_string(),
                "`assay list sites` shows what there is",
            )
        })?;
        strikes.push(Strike { site, moment: strike.moment, fault: fault(source, &strike.fault)? });
    }
    Ok(FaultPlan { strikes })
}

/// Why: read as a fate or as a mishap by its key, since an untagged enum could only say that neither fits.
fn fault(source: Source<'_>, raw: &Spanned<toml::Table>) -> Result<Fault, FileError> {
    let table = raw.get_ref();
    let refuse =
        |what: String| source.error(Some(raw.span()), what, "docs/faults.md lists faults and their values");
    let read = |error: toml::de::Error| refuse(error.message().replace('\n', ", "));
    match (table.contains_key("fate"), table.contains_key("mishap")) {
        (true, false) => table.clone().try_into::<Fate>().map(Fault::Fate).map_err(read),
        (false, true) => table.clone().try_into::<Mishap>().map(Fault::Mishap).map_err(read),
        _ => Err(refuse("a fault has either `fate` or `mishap`".to_owned())),
    }
}

/// The command that runs a file again.
pub fn command(file: &Path) -> String {
    format!("assay replay {}", names::shell_word(&file.display().to_string()))
}

/// Where the replay file of a run goes: by the case's id and a number that counts its runs.
pub fn path(out: &Path, case: &str, number: usize) -> PathBuf {
    out.join(DIR).join(format!("{}-{number}.toml", case.replace('/', "-")))
}

/// The same of a run on this bench: what ran on the tabletop and in the world has two files.
pub fn path_on(out: &Path, bench: &Bench, case: &str, number: usize) -> PathBuf {
    match bench {
        Bench::World => path(out, &format!("{case}-world"), number),
        Bench::Tabletop | Bench::Rig(_) => path(out, case, number),
    }
}

/// A replay file that could not be written.
#[derive(Debug, Error)]
#[error("cannot write {}: {why}; name another directory with --out", file.display())]
pub struct ReplayWriteError {
    /// The file.
    pub file: PathBuf,
    /// What the system said.
    pub why: String,
}

/// Writes the replay file of a record, and beside it, if it is not too long, the run's tape as a trace, which the
/// record then names, as a capture, and as text, if it can be made again.
///
/// Errors: [`ReplayWriteError`].
pub fn write(
    file: &Path,
    replay: &Replay,
    record: &mut CaseRecord,
    tape: Option<&dyn Recording>,
) -> Result<(), ReplayWriteError> {
    let put = |file: PathBuf, content: Vec<u8>| {
        fs::write(&file, content).map_err(|error| ReplayWriteError { file, why: error.to_string() })
    };
    let refuse = |why: String| ReplayWriteError { file: file.to_owned(), why };
    let text = replay.render(record).map_err(|error| refuse(error.to_string()))?;
    if let Some(dir) = file.parent() {
        fs::create_dir_all(dir).map_err(|error: io::Error| refuse(error.to_string()))?;
    }
    put(file.to_owned(), text.into())?;
    let Some(tape) = tape.filter(|tape| (1..=TAPE_MAX).contains(&tape.len())) else { return Ok(()) };
    let (name, trace) = (file.with_extension(TRACE), tape.trace(&replay.plan));
    put(file.with_extension("pcapng"), render_pcapng(&trace))?;
    put(name.clone(), render_trace(&trace).into())?;
    record.trace = name.file_name().map(|name| format!("{DIR}/{}", name.to_string_lossy()));
    if replay.bench.repeats() {
        put(tape_path(file), render_lines(tape, &replay.plan).into())?;
    }
    Ok(())
}

/// A tape as text, a line an entry.
fn render_lines(tape: &dyn Recording, plan: &FaultPlan) -> String {
    tape.lines(plan).map(|line| line.text + "\n").collect()
}

/// Where the tape of a replay file lies.
fn tape_path(file: &Path) -> PathBuf {
    file.with_extension("tape")
}

#[cfg(test)]
mod tests {
    use assay_sim::policy::PolicyName;
    use proptest::prelude::*;

    use super::*;
    use crate::explore::Space;
    use crate::suite;

    fn explored() -> Case {
        suite::cases().into_iter().find(|case| case.id == "water/topup/clean").unwrap()
    }

    #[test]
    fn every_fault_of_a_space_reads_back_as_it_was_written() {
        let case = explored();
        let design = Design::new(PolicyName::Published, Seed(7));
        let trial = Trial::new(case, &design).unwrap();
        let space = Space::of(&trial, &Stop::default());
        let plan = FaultPlan { strikes: space.strikes };
        let run = Bench::Tabletop.run(&trial, &trial.own, &Stop::default());
        let subject =
            Subject { id: case.id.to_owned(), case: &case, design: &design, bench: "tabletop", replay: None };
        let record = case_record(&subject, &trial.own, &run);
        let replay = Replay::of(&record, &case, &design, &Bench::Tabletop, &plan);
        let text = replay.render(&record).unwrap();
        let read = Replay::parse(Source { file: "x.toml", text: &text }).unwrap();
        assert_eq!(read.plan, plan);
        assert_eq!(
            (read.case.id, read.design.policy, read.design.seed),
            (case.id, PolicyName::Published, Seed(7))
        );
        assert_eq!((read.tape_digest, read.violates), (record.tape_digest.clone(), replay.violates));
    }

    #[test]
    fn a_run_under_another_profile_is_told_apart() {
        let design = Design::new(PolicyName::Hardened, Seed(0));
        let case = explored();
        let trial = Trial::new(case, &design).unwrap();
        let run = Bench::Tabletop.run(&trial, &trial.own, &Stop::default());
        let subject =
            Subject { id: case.id.to_owned(), case: &case, design: &design, bench: "tabletop", replay: None };
        let record = case_record(&subject, &trial.own, &run);
        let mut replay = Replay::of(&record, &case, &design, &Bench::Tabletop, &trial.own);
        let compared = replay.compare("x.toml", &record, &run);
        assert!(compared.starts_with("The tape is the same as recorded, to the byte: "));
        let (again, run) = replay.run("x.toml", &Stop::default()).unwrap();
        assert_eq!(replay.render_tape(&run).lines().count() as u64, again.tape_entries);
        assert_eq!(again.tape_digest, record.tape_digest);
        replay.design.profile.overrides = toml::from_str("peripheral.latency = \"6 ms\"").unwrap();
        let text = replay.render(&record).unwrap();
        let other = Replay::parse(Source { file: "x.toml", text: &text }).unwrap();
        let (again, run) = other.run("x.toml", &Stop::default()).unwrap();
        let compared = other.compare("x.toml", &again, &run);
        assert!(compared.starts_with("The tape differs: "));
        assert!(compared.contains("There is no x.tape, so where they differ is not known.\n"), "{compared}");
    }

    #[test]
    fn the_command_is_what_a_shell_needs() {
        assert_eq!(command(Path::new("out/replay/a-1.toml")), "assay replay out/replay/a-1.toml");
        assert_eq!(command(Path::new("my out/a.toml")), "assay replay 'my out/a.toml'");
        assert_eq!(
            path(Path::new("out"), "water/topup/clean", 3),
            Path::new("out/replay/water-topup-clean-3.toml")
        );
    }

    proptest! {
        #[test]
        fn no_text_is_worse_than_refused(text in "(assay-replay = 1\n)?(\\PC|\n|=|\"|\\[){0,200}") {
            let refused = Replay::parse(Source { file: "x.toml", text: &text }).is_err();
            prop_assert!(refused);
        }
    }
}
