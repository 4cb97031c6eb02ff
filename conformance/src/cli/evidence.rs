//! What makes a report evidence: its seal, the keys that make seals, and the check of one.

use std::path::{Path, PathBuf};

use assay_reports::attest::Key;
use assay_reports::exit_code;
use clap::Args;

use super::args::OutArgs;
use super::job::{Job, Unusable};
use crate::capture::{self, CheckPlan, Tx};
use crate::interrupt::Stop;
use crate::names;
use crate::plan_file::read_profile;
use crate::progress::{say, say_error, say_note};
use crate::redact::{Telling, salted};
use crate::rig_bench::RigBench;
use crate::run::Heading;
use crate::seal::{KEY_FILE, Seal, Tested};
use crate::swarm::SEED_MAX;
use crate::system::System;
use crate::trial::{Design, ProfileSource};
use crate::verify::{VerifyPlan, verify};

/// How a report is signed.
#[derive(Clone, Debug, Default, Args)]
pub struct SealArgs {
    /// The key that signs the report, which is made if it is not there.
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// The report of `assay mutants` whose kill score the certificate states.
    #[arg(long, value_name = "DIR")]
    pub mutants: Option<PathBuf>,
}

/// `assay keys`.
#[derive(Debug, Args)]
pub struct KeysArgs {
    /// The key, which is made if it is not there.
    #[arg(long, value_name = "FILE", default_value = KEY_FILE)]
    pub key: PathBuf,
}

/// `assay verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// The directory of the report.
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
    /// The public key that must have signed it, as `assay keys` prints it; if none is named, the one beside it.
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// How many of its simulated runs are drawn and made again.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub replay: usize,
    /// The number that decides which.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u64).range(..=SEED_MAX))]
    pub seed: u64,
}

/// `assay check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// The recording.
    #[arg(value_name = "CAPTURE")]
    pub file: PathBuf,
    /// The system whose parties were recorded.
    #[arg(long, value_name = "SYSTEM", default_value = "pos")]
    pub system: String,
    /// The values by which they are judged, in place of the built-in ones.
    #[arg(long, value_name = "FILE")]
    pub profile: Option<String>,
    /// In a recording of a serial line: who sends what it calls sent (TX, `->`, written).
    #[arg(long, value_enum, default_value_t = Tx::Host)]
    pub tx: Tx,
    /// Where the report goes.
    #[command(flatten)]
    pub out: OutArgs,
}

impl CheckArgs {
    /// Looks up what they name.
    pub(super) fn checked(self, heading: Heading) -> Result<Job, Unusable> {
        let system = names::system(&self.system).map_err(Unusable::Usage)?;
        let profile = match &self.profile {
            Some(file) => read_profile(file, &[system])?.0,
            None => ProfileSource::default(),
        };
        let out = PathBuf::from(&self.out.out);
        Ok(Job::Check(Box::new(CheckPlan { file: self.file, system, profile, tx: self.tx, out, heading })))
    }
}

impl SealArgs {
    /// The seal for a report, with what is tested; by the key of the working directory where none is named.
    pub(super) fn seal(
        &self,
        out: &Path,
        design: &Design,
        systems: &[System],
        rig: Option<&RigBench>,
    ) -> Result<(Seal, Tested), Unusable> {
        let key = self.key.as_deref().unwrap_or(Path::new(KEY_FILE));
        let sealed = Tested::of(design, systems, rig).and_then(|tested| {
            let seal = Seal::prepare(key, self.mutants.as_deref(), out)?;
            Ok((seal, tested))
        });
        sealed.map_err(|error| Unusable::Usage(error.to_string()))
    }

    /// The same where a report is only signed if a key is named.
    pub(super) fn seal_if_named(
        &self,
        out: &Path,
        design: &Design,
        systems: &[System],
        rig: Option<&RigBench>,
    ) -> Result<Option<(Seal, Tested)>, Unusable> {
        match (&self.key, &self.mutants) {
            (Some(_), _) => self.seal(out, design, systems, rig).map(Some),
            (None, Some(_)) => {
                let what = "--mutants: the kill score is for a signed report; name a key with --key";
                Err(Unusable::Usage(what.to_owned()))
            }
            (None, None) => Ok(None),
        }
    }
}

/// How card numbers are told: by a salt of this run where they may be somebody's.
pub(super) fn card_numbers(plain: bool, job: &Job) -> Telling {
    let real = match job {
        Job::Certify(_) | Job::Check(_) => true,
        Job::Run(plan) => plan.benches.iter().any(|bench| !bench.repeats()),
        Job::Replay(plan) => {
            let benches = [Some(&plan.replay), plan.elsewhere.as_ref()];
            benches.into_iter().flatten().any(|replay| !replay.bench.repeats())
        }
        _ => false,
    };
    match (plain, real) {
        (true, _) => Telling::Plain,
        (false, true) => salted(),
        (false, false) => Telling::Drawn,
    }
}

/// Prints the public key.
pub(super) fn keys(args: &KeysArgs) -> u8 {
    match Key::load_or_make(&args.key) {
        Ok((key, made)) => {
            if made {
                say_note(&format!("made the key {}: keep it to yourself", args.key.display()));
            }
            say(key.public().render().trim_end());
            exit_code::OK
        }
        Err(error) => {
            say_error(&error.to_string());
            exit_code::USAGE
        }
    }
}

/// Judges a recording.
pub(super) fn check(plan: &CheckPlan) -> u8 {
    match capture::check(plan) {
        Ok(record) => record.exit_code(),
        Err(error) => {
            say_error(&error.to_string());
            exit_code::USAGE
        }
    }
}

/// Checks a signed report.
pub(super) fn check_seal(args: VerifyArgs, stop: &Stop) -> u8 {
    let VerifyArgs { dir, key, replay, seed } = args;
    match verify(&VerifyPlan { dir, key, replays: replay, seed }, stop) {
        Ok(verified) => {
            say(verified.words.trim_end());
            verified.code
        }
        Err(error) => {
            say_error(&error.to_string());
            exit_code::USAGE
        }
    }
}
