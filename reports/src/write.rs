//! Puts the reports of a run on disk, each whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Component, Path, PathBuf};

use thiserror::Error;

use crate::record::{RunRecord, TraceRecord};
use crate::{read_trace, render_html, render_json, render_junit, render_summary};

/// The name of the record in a report directory.
pub const RUN_JSON: &str = "run.json";
/// The name of the JUnit report.
pub const JUNIT_XML: &str = "junit.xml";
/// The name of the Markdown summary.
pub const SUMMARY_MD: &str = "summary.md";
/// The name of the page.
pub const INDEX_HTML: &str = "index.html";
/// The name of the certificate, where there is one.
pub const CERTIFICATE_TXT: &str = "certificate.txt";

/// A report that could not be written.
#[derive(Debug, Error)]
#[error("cannot {what} {}: {source}; {mend}", path.display())]
pub struct WriteError {
    /// What was tried.
    pub what: &'static str,
    /// The file or directory that it is about.
    pub path: PathBuf,
    /// What the user can do.
    pub mend: &'static str,
    /// What the system said.
    pub source: io::Error,
}

impl WriteError {
    fn new(what: &'static str, path: &Path, source: io::Error) -> Self {
        let mend = match source.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                "make it writable or name another directory with --out"
            }
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                "free some space or name another directory with --out"
            }
            io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory | io::ErrorKind::IsADirectory => {
                "move away what is there or name another directory with --out"
            }
            _ => "name another directory with --out",
        };
        Self { what, path: path.to_owned(), mend, source }
    }
}

/// Writes `run.json`, `junit.xml`, `summary.md` and `index.html` into `dir`, which is made if it is not there.
///
/// Errors: [`WriteError`] with the file and the mend. Each file is replaced whole or stays as it was.
/// Why: the record goes first, since the others can be made again from it.
pub fn write_report(dir: &Path, record: &RunRecord) -> Result<(), WriteError> {
    let reports = [
        (RUN_JSON, render_json(record)),
        (JUNIT_XML, render_junit(record)),
        (SUMMARY_MD, render_summary(record)),
        (INDEX_HTML, render_html(record, &mut |name| trace(dir, name))),
    ];
    write_files(dir, &reports)
}

/// The trace that a record names, if it is there and reads.
///
/// Why: a record may come from elsewhere, so a name that leads out of the directory leads nowhere.
pub fn trace(dir: &Path, name: &str) -> Option<TraceRecord> {
    let name = Path::new(name);
    let within = name.components().all(|part| matches!(part, Component::Normal(_)));
    let text = within.then(|| fs::read_to_string(dir.join(name)).ok())??;
    read_trace(&text).ok()
}

/// Writes files of these names and contents into `dir`, which is made if it is not there.
///
/// Errors: [`WriteError`] with the file and the mend. Each file is replaced whole or stays as it was.
pub fn write_files(dir: &Path, files: &[(&str, String)]) -> Result<(), WriteError> {
    fs::create_dir_all(dir).map_err(|source| WriteError::new("make the directory", dir, source))?;
    for (name, content) in files {
        write_whole(&dir.join(name), content)?;
    }
    Ok(())
}

/// Writes a file under a name of its own beside the target and moves it there.
fn write_whole(path: &Path, content: &str) -> Result<(), WriteError> {
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".{}.tmp", std::process::id()));
    let draft = PathBuf::from(draft);
    let written = File::create(&draft).and_then(|mut file| {
        file.write_all(content.as_bytes())?;
        file.sync_all()
    });
    let moved = match written {
        Ok(()) => fs::rename(&draft, path).map_err(|source| WriteError::new("replace", path, source)),
        Err(source) => Err(WriteError::new("write", &draft, source)),
    };
    if moved.is_err() {
        // The first error is the one to tell; a draft that cannot be removed harms nobody.
        let _ = fs::remove_file(&draft);
    }
    moved
}
