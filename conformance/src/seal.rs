//! The seal on a report: every file of its directory hashed, what was tested and by what named, and all of it signed.

use std::fs;
use std::path::{Path, PathBuf};

use assay_hil::rig::Body;
use assay_reports::attest::{
    Basis, CERTIFICATE_JSON, Digests, Envelope, Key, KeyError, KillScore, NotListed, PUBLIC_KEY_PEM,
    Resource, Statement, list, sha256, sha256_of,
};
use assay_reports::write::{CERTIFICATE_TXT, INDEX_HTML, JUNIT_XML, RUN_JSON, SUMMARY_MD};
use assay_reports::{ProductRecord, RunRecord, WriteError, read_record, write_files};
use thiserror::Error;

use crate::rig_bench::RigBench;
use crate::suite;
use crate::system::System;
use crate::trial::{Design, ProfileSource};

/// Where the record of `assay mutants` goes that shows a certificate's kill score.
pub const MUTANTS_JSON: &str = "mutants.json";

/// The key that signs if none is named.
pub const KEY_FILE: &str = "assay-key.pem";

/// What a report's directory may hold before a run that seals it: each of them is written anew.
const REPLACED: [&str; 8] = [
    RUN_JSON,
    JUNIT_XML,
    SUMMARY_MD,
    INDEX_HTML,
    CERTIFICATE_TXT,
    CERTIFICATE_JSON,
    PUBLIC_KEY_PEM,
    MUTANTS_JSON,
];

/// A seal that is ready before the run whose report it goes on.
#[derive(Debug)]
pub struct Seal {
    file: PathBuf,
    key: Key,
    made: bool,
    mutants: Option<(RunRecord, String)>,
}

/// A report that cannot be sealed.
#[derive(Debug, Error)]
pub enum SealError {
    /// The key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The key would become part of the report.
    #[error(
        "--key {}: it lies in the directory of the report, which goes to others: keep it elsewhere",
        .0.display()
    )]
    KeyInReport(PathBuf),
    /// The directory holds what an earlier run has left.
    #[error(
        "{} is there from before, and a certificate speaks for every file of its directory: \
         remove it, or name another directory with --out",
        .0.display()
    )]
    Leftover(PathBuf),
    /// The record of the mutants.
    #[error("--mutants {}: {why}", file.display())]
    Mutants {
        /// Its file.
        file: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A file that was tested, or by which it was tested.
    #[error("could not be hashed: {}: {source}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The directory.
    #[error("could not be sealed: {0}")]
    NotListed(#[from] NotListed),
    /// The certificate could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// What is tested, and by what; taken before the run.
#[derive(Clone, Debug, Default)]
pub struct Tested {
    subject: Vec<Resource>,
    configuration: Vec<Resource>,
}

impl Seal {
    /// Gets everything ready that could be wrong: the key, which is made if it is not there, the directory and the
    /// record of the mutants.
    ///
    /// Errors: [`SealError`].
    pub fn prepare(key: &Path, mutants: Option<&Path>, out: &Path) -> Result<Self, SealError> {
        if inside(key, out) {
            return Err(SealError::KeyInReport(key.to_owned()));
        }
        if let Some(left) = leftover(out) {
            return Err(SealError::Leftover(left));
        }
        let mutants = mutants.map(read_mutants).transpose()?;
        let (signing, made) = Key::load_or_make(key)?;
        Ok(Self { file: key.to_owned(), key: signing, made, mutants })
    }

    /// Hashes every file of the report and signs what is to be said of it.
    ///
    /// Errors: [`SealError`].
    pub fn close(&self, out: &Path, record: &RunRecord, tested: &Tested) -> Result<String, SealError> {
        let mut files = vec![(PUBLIC_KEY_PEM, self.key.public().render())];
        let kill_score = self.mutants.as_ref().map(|(mutants, text)| {
            files.push((MUTANTS_JSON, text.clone()));
            kill_score(mutants)
        });
        write_files(out, &files)?;
        let Tested { subject, configuration } = tested.clone();
        let files = list(out, CERTIFICATE_JSON)?;
        let count = files.len();
        let statement = Statement::of(record, Basis { subject, configuration, kill_score, files });
        let envelope = Envelope::seal(&self.key, &statement.render());
        write_files(out, &[(CERTIFICATE_JSON, envelope.render())])?;
        let made = if self.made { ", which was made for it: keep it to yourself" } else { "" };
        Ok(format!(
            "{CERTIFICATE_JSON} holds the hashes of {count} files, signed with {}{made}. \
             `assay verify {} --key PUBLIC_KEY` checks it; `assay keys` prints the public key.",
            self.file.display(),
            crate::names::shell_word(&out.display().to_string()),
        ))
    }
}

impl Tested {
    /// What stands on a rig, or else the suite's own parties and the program in their seats.
    ///
    /// Errors: [`SealError::Unreadable`].
    pub fn of(design: &Design, systems: &[System], rig: Option<&RigBench>) -> Result<Self, SealError> {
        let suite = std::env::current_exe()
            .map_err(|source| SealError::Unreadable { file: PathBuf::from("assay"), source })?;
        let suite = hashed(&suite, format!("assay {}", env!("CARGO_PKG_VERSION")))?;
        let mut tested = Self { subject: Vec::new(), configuration: vec![suite.clone()] };
        match rig.filter(|rig| rig.is_real()) {
            Some(rig) => tested.subject = subjects(rig)?,
            None => {
                let name = format!("the suite's own parties, policy {}", design.policy);
                tested.subject.push(Resource { name, ..suite });
            }
        }
        if let Some(lockstep) = &design.lockstep {
            tested.subject = programs(&lockstep.program().words)?;
        }
        if let Some(rig) = rig {
            let file = Path::new(rig.file());
            tested.configuration.push(hashed(file, file.display().to_string())?);
            if let Some(pics) = &rig.rig().pics {
                let file = file.parent().unwrap_or(Path::new("")).join(pics);
                let name = format!("conformance statement {}", file.display());
                tested.configuration.push(hashed(&file, name)?);
            }
        }
        tested.configuration.extend(profiles(&design.profile, systems));
        Ok(tested)
    }
}

fn hashed(file: &Path, name: String) -> Result<Resource, SealError> {
    let unreadable = |source| SealError::Unreadable { file: file.to_owned(), source };
    let (_, sha256) = sha256_of(file).map_err(unreadable)?;
    Ok(Resource::file(name, sha256))
}

/// The product as its vendor states it, and the files that its processes are made of.
fn subjects(rig: &RigBench) -> Result<Vec<Resource>, SealError> {
    let mut subject: Vec<Resource> = rig.product().as_ref().map(stated).into_iter().collect();
    for (_, seat) in rig.rig().real_seats() {
        if let Body::Process(process) = &seat.body {
            subject.extend(programs(&process.command)?);
        }
    }
    if subject.is_empty() {
        // A device of which nobody has stated anything has no fingerprint.
        subject.push(Resource { name: "not stated".to_owned(), digest: Digests::new() });
    }
    Ok(subject)
}

fn stated(product: &ProductRecord) -> Resource {
    let build = product.build.to_ascii_lowercase();
    let is_hash = build.len() == 64 && build.bytes().all(|byte| byte.is_ascii_hexdigit());
    let digest =
        if is_hash { ("sha256".to_owned(), build) } else { ("build".to_owned(), product.build.clone()) };
    Resource { name: format!("{} {}", product.name, product.version), digest: Digests::from([digest]) }
}

/// Each word of a command line that is a file, with its hash.
fn programs(words: &[String]) -> Result<Vec<Resource>, SealError> {
    let files = words.iter().filter(|word| Path::new(word).is_file());
    files.map(|word| hashed(Path::new(word), word.clone())).collect()
}

fn profiles(profile: &ProfileSource, systems: &[System]) -> Vec<Resource> {
    match (&profile.file, &profile.text) {
        (Some(file), Some(text)) => {
            vec![Resource::file(format!("profile {file}"), sha256(text.as_bytes()))]
        }
        _ => systems
            .iter()
            .map(|system| {
                let name = format!("profile built-in of the system {}", system.as_str());
                Resource::file(name, sha256(suite::built_in_profile(*system).as_bytes()))
            })
            .collect(),
    }
}

fn kill_score(mutants: &RunRecord) -> KillScore {
    let killed = mutants.mutants.iter().filter(|mutant| mutant.killed).count() as u64;
    KillScore { killed, total: mutants.mutants.len() as u64, file: MUTANTS_JSON.to_owned() }
}

fn read_mutants(named: &Path) -> Result<(RunRecord, String), SealError> {
    let file = if named.is_dir() { named.join(RUN_JSON) } else { named.to_owned() };
    let refuse = |why: String| SealError::Mutants { file: file.clone(), why };
    let text = fs::read_to_string(&file)
        .map_err(|error| refuse(format!("{error}; give the report of `assay mutants`")))?;
    let record = read_record(&text).map_err(|error| refuse(error.to_string()))?;
    if record.mutants.is_empty() {
        return Err(refuse("it has no kill matrix; give the report of `assay mutants`".to_owned()));
    }
    if record.tool != env!("CARGO_PKG_VERSION") {
        let why = format!("it is of Assay {}: run `assay mutants` again with this one", record.tool);
        return Err(refuse(why));
    }
    Ok((record, text))
}

/// Whether a file lies in a directory or below it, or would.
fn inside(file: &Path, dir: &Path) -> bool {
    let whole = |path: &Path| {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let parent = fs::canonicalize(parent).ok()?;
        Some(path.file_name().map_or(parent.clone(), |name| parent.join(name)))
    };
    let dir = fs::canonicalize(dir).ok().or_else(|| whole(dir));
    matches!((whole(file), dir), (Some(file), Some(dir)) if file.starts_with(&dir))
}

/// What an earlier run has left in a directory beyond what is written anew.
fn leftover(out: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(out).ok()?;
    let mut left: Vec<PathBuf> = entries
        .filter_map(Result::ok)
        .filter(|entry| !REPLACED.iter().any(|name| entry.file_name() == *name))
        .map(|entry| entry.path())
        .collect();
    left.sort_unstable();
    left.into_iter().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_that_is_a_hash_is_told_from_one_that_is_not() {
        let product = |build: &str| ProductRecord {
            name: "POS".to_owned(),
            version: "2".to_owned(),
            build: build.to_owned(),
            family: "pos".to_owned(),
            role: "server".to_owned(),
            profile: "built-in".to_owned(),
        };
        assert_eq!(stated(&product(&"AB".repeat(32))).digest["sha256"], "ab".repeat(32));
        assert_eq!(stated(&product(&"AB".repeat(31))).digest["build"], "AB".repeat(31));
        assert_eq!(stated(&product("nightly 7")).digest["build"], "nightly 7");
        assert_eq!(stated(&product("nightly 7")).name, "POS 2");
    }

    #[test]
    fn a_key_in_the_report_is_found_whatever_its_path() {
        let here = fs::canonicalize(".").unwrap();
        assert!(inside(Path::new("src/key.pem"), Path::new("src")));
        assert!(inside(Path::new("src/../src/cli/key.pem"), &here.join("src")));
        assert!(!inside(Path::new("key.pem"), Path::new("src")));
        assert!(!inside(Path::new("src/key.pem"), Path::new("not-there")));
    }
}
