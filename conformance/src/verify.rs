//! `assay verify`: a sealed report held against its certificate, and a sample of its simulated runs made again.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use assay_reports::attest::{
    CERTIFICATE_JSON, Difference, Envelope, KeyError, NotAStatement, NotAnEnvelope, NotListed, NotSigned,
    PUBLIC_KEY_PEM, PublicKey, Resource, Statement, compare, list, sha256_of,
};
use assay_reports::exit_code;
use assay_reports::text::{counted, escape, grouped, shown};
use assay_sim::seed::Seed;
use thiserror::Error;

use crate::interrupt::Stop;
use crate::listed;
use crate::replay::Replay;

/// How many differences are told one by one.
const TOLD_MAX: usize = 50;

/// What is to be checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyPlan {
    /// The directory of the report.
    pub dir: PathBuf,
    /// The file of the public key that is trusted.
    pub key: Option<PathBuf>,
    /// How many of the simulated runs are made again.
    pub replays: usize,
    /// The number that decides which.
    pub seed: u64,
}

/// A certificate that cannot be looked at.
#[derive(Debug, Error)]
pub enum Unverifiable {
    /// The certificate is not there.
    #[error("{}: {source}; give the directory that `assay certify` or `assay run --key` has left", file.display())]
    Certificate {
        /// Its file.
        file: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The directory.
    #[error("could not be listed: {0}")]
    NotListed(#[from] NotListed),
}

/// What came of it, in words and as an exit code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// In words.
    pub words: String,
    /// The exit code.
    pub code: u8,
}

/// Why the signed statement cannot be relied on.
#[derive(Debug, Error)]
enum NotProven {
    #[error("{0}")]
    Envelope(#[from] NotAnEnvelope),
    #[error("the signature does not hold: {0}")]
    Signature(#[from] NotSigned),
    #[error("{0}")]
    Statement(#[from] NotAStatement),
}

/// Checks signature and hashes, and makes a sample of the simulated runs again.
///
/// Errors: [`Unverifiable`]; whatever is wrong with a certificate that is there is no error but the answer.
pub fn verify(plan: &VerifyPlan, stop: &Stop) -> Result<Verified, Unverifiable> {
    let file = plan.dir.join(CERTIFICATE_JSON);
    let bytes = fs::read(&file).map_err(|source| Unverifiable::Certificate { file, source })?;
    let key = match &plan.key {
        Some(trusted) => PublicKey::load(trusted)?,
        None => PublicKey::load(&plan.dir.join(PUBLIC_KEY_PEM))?,
    };
    let dir = shown(&plan.dir.display().to_string());
    let statement = match proven(&bytes, &key) {
        Ok(statement) => statement,
        Err(why) => {
            let words = format!("{dir}: the certificate does not hold.\n  {CERTIFICATE_JSON}: {why}\n");
            return Ok(Verified { words, code: exit_code::FAIL });
        }
    };
    let mut differences: Vec<String> = Vec::new();
    if !as_written(&bytes, &statement, &key) {
        differences.push(format!("{CERTIFICATE_JSON}: changed beside what is signed"));
    }
    let found = list(&plan.dir, CERTIFICATE_JSON)?;
    let files = &statement.predicate.certificate.files;
    let apart = compare(files, &found);
    differences.extend(apart.iter().map(in_words));
    let replayed = if differences.is_empty() { replay(plan, &statement, stop) } else { Replayed::default() };
    let holds = differences.is_empty();
    let mut words = if holds {
        format!("{dir}: the certificate holds.\n")
    } else {
        format!("{dir}: the certificate does not hold.\n")
    };
    for difference in differences.iter().take(TOLD_MAX) {
        words += &format!("  {difference}\n");
    }
    if differences.len() > TOLD_MAX {
        words += &format!("  … and {} more\n", grouped((differences.len() - TOLD_MAX) as u64));
    }
    words += &said(plan, &statement, &key);
    let code = match (holds, plan.replays) {
        (false, _) => exit_code::FAIL,
        (true, 0) => exit_code::OK,
        (true, _) => {
            words += &replayed.words();
            replayed.code()
        }
    };
    Ok(Verified { words, code })
}

fn proven(bytes: &[u8], key: &PublicKey) -> Result<Statement, NotProven> {
    let envelope = Envelope::read(&String::from_utf8_lossy(bytes))?;
    Ok(Statement::read(&envelope.open(key)?)?)
}

/// Whether an envelope has the very bytes that sealing writes, so that a change beside what is signed shows, too.
fn as_written(bytes: &[u8], statement: &Statement, key: &PublicKey) -> bool {
    let envelope = Envelope::read(&String::from_utf8_lossy(bytes));
    envelope.is_ok_and(|envelope| envelope.as_sealed(key, &statement.render()).as_bytes() == bytes)
}

fn in_words(difference: &Difference) -> String {
    match difference {
        Difference::Changed(name) => format!("{}: changed", shown(name)),
        Difference::Missing(name) => format!("{}: missing", shown(name)),
        Difference::Added(name) => format!("{}: added, nothing is stated of it", shown(name)),
    }
}

/// What the certificate says, and by whom.
fn said(plan: &VerifyPlan, statement: &Statement, key: &PublicKey) -> String {
    let certificate = &statement.predicate.certificate;
    let who = match &plan.key {
        Some(file) => format!("the key of {}", shown(&file.display().to_string())),
        None => "the key that came with it; --key PUBLIC_KEY checks that it is one that you trust".to_owned(),
    };
    let mut words = String::new();
    let mut say = |name: &str, text: &str| words += &format!("{name:<14}{text}\n");
    say("Signed by", &who);
    say("", &format!("fingerprint {}", key.id()));
    for (at, subject) in statement.subject.iter().enumerate() {
        say(if at == 0 { "Tested" } else { "" }, &fingerprint(subject));
    }
    for (at, by) in statement.predicate.configuration.iter().enumerate() {
        say(if at == 0 { "By" } else { "" }, &fingerprint(by));
    }
    say("On", &format!("{}, seed {}", shown(&certificate.started), certificate.seed));
    say("Command", &escape(&certificate.command.join(" ")));
    say("Verdict", &format!("{} (exit code {})", certificate.verdict, certificate.exit_code));
    if let Some(score) = &certificate.kill_score {
        let of = counted(score.total, "mutant");
        say("Kill score", &format!("{} of {of}, by {}", grouped(score.killed), shown(&score.file)));
    }
    say("Cases", &grouped(certificate.cases.len() as u64));
    say("Files", &grouped(certificate.files.len() as u64));
    words
}

fn fingerprint(resource: &Resource) -> String {
    let digests = resource.digest.iter().map(|(name, value)| format!("{} {}", shown(name), shown(value)));
    let digests: Vec<String> = digests.collect();
    let digests = if digests.is_empty() { "no fingerprint".to_owned() } else { digests.join(", ") };
    format!("{}: {digests}", shown(&resource.name))
}

/// What came of the runs that were made again.
#[derive(Debug, Default)]
struct Replayed {
    /// How many there are.
    runs: usize,
    /// The seed that chose among them.
    seed: u64,
    same: usize,
    other: Vec<String>,
    /// Those that could not be made, each with the reason.
    open: Vec<String>,
    /// Whether the tool is the one that made the report, to the byte.
    same_tool: bool,
}

impl Replayed {
    fn words(&self) -> String {
        let Self { runs, seed, same, other, open, same_tool } = self;
        let drawn = same + other.len() + open.len();
        let mut words = format!("{:<14}{drawn} of {runs} simulated runs, drawn by seed {seed}: ", "Replayed");
        words += &format!("{same} with the same tape\n");
        for (what, list) in [("another tape", other), ("not replayed", open)] {
            for line in list {
                words += &format!("  {what}: {line}\n");
            }
        }
        let doubtful = !other.is_empty() || !open.is_empty();
        if doubtful && !same_tool {
            words += "  This tool is not, byte for byte, the one that made the report; use that one.\n";
        }
        if *runs == 0 {
            words += "  Nothing in this report was simulated, so nothing can be replayed.\n";
        }
        words
    }

    fn code(&self) -> u8 {
        match (self.other.is_empty(), self.open.is_empty() && self.same > 0) {
            (true, true) => exit_code::OK,
            (false, _) if self.same_tool => exit_code::NOT_DETERMINISTIC,
            _ => exit_code::INCONCLUSIVE,
        }
    }
}

fn replay(plan: &VerifyPlan, statement: &Statement, stop: &Stop) -> Replayed {
    let mut replayed = Replayed { seed: plan.seed, same_tool: same_tool(statement), ..Replayed::default() };
    if plan.replays == 0 {
        return replayed;
    }
    let mut runs = simulated_runs(plan, statement);
    replayed.runs = runs.len();
    let mut draw = Seed(plan.seed).stream("verify");
    for taken in 0..plan.replays.min(runs.len()) {
        if stop.interrupted() {
            replayed.open.push("interrupted".to_owned());
            break;
        }
        let rest = (runs.len() - taken) as u64;
        runs.swap(taken, taken + usize::try_from(draw.below(rest)).unwrap_or_default());
        let drawn = &runs[taken];
        let again = drawn.read().and_then(|replay| {
            let (case, _) = replay.run(&drawn.whole, stop)?;
            let mut violated: Vec<&String> = case.violations.iter().map(|one| &one.requirement).collect();
            violated.sort_unstable();
            violated.dedup();
            let same = case.tape_digest == replay.tape_digest && violated.into_iter().eq(&replay.violates);
            Ok((same, format!("{} and not {}", case.tape_digest, replay.tape_digest)))
        });
        match again {
            Ok((true, _)) => replayed.same += 1,
            Ok((false, how)) => replayed.other.push(format!("{drawn}: {how}")),
            Err(why) => replayed.open.push(format!("{drawn}: {}", shown(&why))),
        }
    }
    replayed
}

/// A simulated run that a report vouches for.
struct Vouched {
    /// The name of its file within the report.
    name: String,
    /// The file.
    whole: String,
    /// Its place in a list of runs, from 0; nothing for a replay file.
    place: Option<usize>,
}

impl Vouched {
    fn read(&self) -> Result<Replay, String> {
        match self.place {
            Some(place) => listed::read(Path::new(&self.whole), place),
            None => Replay::read(&self.whole).map_err(|error| error.to_string()),
        }
    }
}

impl fmt::Display for Vouched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", shown(&self.name))?;
        self.place.map_or(Ok(()), |place| write!(f, ", line {}", place + 2))
    }
}

/// Every run that can be made again: those with a replay file, and those under explored faults.
fn simulated_runs(plan: &VerifyPlan, statement: &Statement) -> Vec<Vouched> {
    let mut runs = Vec::new();
    let files = &statement.predicate.certificate.files;
    for file in files.iter().filter(|file| file.name.starts_with("replay/")) {
        let (name, whole) = (file.name.clone(), plan.dir.join(&file.name).display().to_string());
        if name.ends_with(listed::LIST) {
            let count = listed::count(Path::new(&whole)).unwrap_or_default();
            let of = |place| Vouched { name: name.clone(), whole: whole.clone(), place: Some(place) };
            runs.extend((0..count).map(of));
        } else if name.ends_with(".toml") && simulated(&whole) {
            runs.push(Vouched { name, whole, place: None });
        }
    }
    runs
}

/// Whether a replay file is of a bench whose runs can be made again.
fn simulated(file: &str) -> bool {
    #[derive(serde::Deserialize)]
    struct Head {
        bench: String,
    }
    let text = fs::read_to_string(Path::new(file)).unwrap_or_default();
    toml::from_str::<Head>(&text).is_ok_and(|head| !head.bench.starts_with("rig:"))
}

/// Whether the report was made by this very program.
fn same_tool(statement: &Statement) -> bool {
    let own = std::env::current_exe().ok().and_then(|file| sha256_of(&file).ok());
    let Some((_, own)) = own else { return false };
    statement.predicate.configuration.iter().any(|by| by.digest.get("sha256") == Some(&own))
}
