//! What is done with reports and not with parties: compared, made again; and what a shell completes.

use std::fs;
use std::path::{Path, PathBuf};

use assay_reports::write::{RUN_JSON, WriteError};
use assay_reports::{
    Difference, RunRecord, exit_code, read_record, render_console_summary, render_difference, write_report,
};
use clap::CommandFactory as _;
use clap_complete::Shell;
use thiserror::Error;

use super::args::{Cli, DiffArgs, ReportArgs};
use crate::progress::{say, say_error};

#[derive(Debug, Error)]
enum Unreadable {
    #[error("cannot read {}: {source}; give a run.json, or the directory of a report", file.display())]
    File { file: PathBuf, source: std::io::Error },
    #[error("{}: {why}", file.display())]
    Record { file: PathBuf, why: String },
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// The record in a file, or in the directory of a report.
fn read(path: &str) -> Result<RunRecord, Unreadable> {
    let path = Path::new(path);
    let file = if path.is_dir() { path.join(RUN_JSON) } else { path.to_owned() };
    let text = fs::read_to_string(&file).map_err(|source| Unreadable::File { file: file.clone(), source })?;
    read_record(&text).map_err(|error| Unreadable::Record { file, why: error.to_string() })
}

/// Says what has changed from one run to another.
pub(super) fn diff(args: &DiffArgs) -> u8 {
    ended(read(&args.before).and_then(|before| {
        let difference = Difference::between(&before, &read(&args.after)?);
        say(&render_difference(&difference));
        Ok(difference.exit_code())
    }))
}

/// Makes the reports of a directory again from its record.
pub(super) fn report(args: &ReportArgs) -> u8 {
    ended(read(&args.dir).and_then(|record| {
        write_report(Path::new(&args.dir), &record)?;
        say(&render_console_summary(&record));
        Ok(record.exit_code())
    }))
}

/// Prints a shell's completions.
pub(super) fn completions(shell: Shell) -> u8 {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "assay", &mut text);
    say(&String::from_utf8_lossy(&text));
    exit_code::OK
}

fn ended(result: Result<u8, Unreadable>) -> u8 {
    result.unwrap_or_else(|error| {
        say_error(&error.to_string());
        exit_code::USAGE
    })
}
