//! The runs of a case with one fault more each, listed so that whoever checks a report can make any of them again.

use std::fs;
use std::path::Path;

use assay_reports::CaseRecord;
use assay_reports::text::{counted, shown};
use assay_sim::fault::Strike;
use serde::{Deserialize, Serialize};

use crate::replay::{self, Replay, ReplayWriteError};

/// How the name of such a list ends.
pub const LIST: &str = "explored.jsonl";

/// The version that is written and read.
const VERSION: u32 = 1;

/// What is the same for all runs of a list.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Head {
    assay_explored: u32,
    /// The replay file of the case without a further fault.
    replay: String,
}

/// One run: its fault, and what it came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    strike: Strike,
    tape_digest: String,
    violates: Vec<String>,
}

impl Listed {
    /// A run with this fault more, whose tape has this digest.
    pub fn new(strike: Strike, tape_digest: String, violated: &[&str]) -> Self {
        let mut violates: Vec<String> = violated.iter().map(|id| (*id).to_owned()).collect();
        violates.sort_unstable();
        violates.dedup();
        Self { strike, tape_digest, violates }
    }
}

/// Writes the list of a case's runs beside its replay files; nothing where there is no run.
///
/// Errors: [`ReplayWriteError`].
pub fn write(
    out: &Path,
    base: &Replay,
    record: &CaseRecord,
    runs: impl Iterator<Item = Listed>,
) -> Result<(), ReplayWriteError> {
    let file = replay::path_on(out, &base.bench, base.case.id, 0).with_extension(LIST);
    let refuse = |why: String| ReplayWriteError { file: file.clone(), why };
    let head = Head {
        assay_explored: VERSION,
        replay: base.render(record).map_err(|error| refuse(error.to_string()))?,
    };
    let mut lines = vec![serde_json::to_string(&head).map_err(|error| refuse(error.to_string()))?];
    for run in runs {
        lines.push(serde_json::to_string(&run).map_err(|error| refuse(error.to_string()))?);
    }
    if lines.len() == 1 {
        return Ok(());
    }
    if let Some(dir) = file.parent() {
        fs::create_dir_all(dir).map_err(|error| refuse(error.to_string()))?;
    }
    fs::write(&file, lines.join("\n") + "\n").map_err(|error| refuse(error.to_string()))
}

/// How many runs a list has.
///
/// Errors: a sentence.
pub fn count(file: &Path) -> Result<usize, String> {
    let text = fs::read_to_string(file).map_err(|error| error.to_string())?;
    Ok(text.lines().count().saturating_sub(1))
}

/// The run in this place of a list, from 0, whole.
///
/// Errors: a sentence with the line.
pub fn read(file: &Path, place: usize) -> Result<Replay, String> {
    let text = fs::read_to_string(file).map_err(|error| error.to_string())?;
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default();
    let head: Head =
        serde_json::from_str(first).map_err(|error| format!("line 1: {}", shown(&error.to_string())))?;
    if head.assay_explored != VERSION {
        return Err(format!("line 1: version {} is not one that this tool reads", head.assay_explored));
    }
    let line = lines.nth(place).ok_or_else(|| format!("it has no {}", counted(place as u64 + 1, "run")))?;
    let listed: Listed = serde_json::from_str(line)
        .map_err(|error| format!("line {}: {}", place + 2, shown(&error.to_string())))?;
    let name = format!("{}, line 1", file.display());
    let mut replay = Replay::from_text(&name, &head.replay).map_err(|error| error.to_string())?;
    replay.plan.strikes.push(listed.strike);
    (replay.tape_digest, replay.violates) = (listed.tape_digest, listed.violates);
    Ok(replay)
}
