//! Reports on disk.

use std::fs;
use std::path::{Path, PathBuf};

use assay_reports::{read_record, render_junit, render_summary, write_report};

use crate::sample;

/// A directory of this test alone, without anything of an earlier run.
fn fresh(name: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("reports-{name}"));
    if dir.exists() {
        fs::remove_dir_all(&dir).unwrap();
    }
    fs::create_dir_all(&dir).unwrap();
    dir
}

fn names(dir: &Path) -> Vec<String> {
    let name = |entry: fs::DirEntry| entry.file_name().into_string().unwrap();
    let mut names: Vec<String> = fs::read_dir(dir).unwrap().map(|entry| name(entry.unwrap())).collect();
    names.sort();
    names
}

#[test]
fn four_files_are_written_and_replaced() {
    let dir = fresh("four").join("deep/assay-report");
    let mut record = sample::record();
    write_report(&dir, &record).unwrap();
    record.cases.pop();
    write_report(&dir, &record).unwrap();
    assert_eq!(names(&dir), ["index.html", "junit.xml", "run.json", "summary.md"]);
    assert_eq!(read_record(&fs::read_to_string(dir.join("run.json")).unwrap()).unwrap(), record);
    assert_eq!(fs::read_to_string(dir.join("junit.xml")).unwrap(), render_junit(&record));
    assert_eq!(fs::read_to_string(dir.join("summary.md")).unwrap(), render_summary(&record));
}

#[test]
fn a_file_in_the_way_of_the_directory_is_named() {
    let place = fresh("way").join("assay-report");
    fs::write(&place, "a file").unwrap();
    let refused = write_report(&place, &sample::record()).unwrap_err();
    let text = refused.to_string();
    assert!(text.starts_with(&format!("cannot make the directory {}: ", place.display())), "{text}");
    assert!(text.ends_with("; move away what is there or name another directory with --out"), "{text}");
    assert_eq!(fs::read_to_string(&place).unwrap(), "a file");
}

#[test]
fn a_directory_in_the_way_of_a_file_is_named_and_no_draft_stays() {
    let dir = fresh("draft");
    fs::create_dir(dir.join("junit.xml")).unwrap();
    let refused = write_report(&dir, &sample::record()).unwrap_err();
    let text = refused.to_string();
    assert!(text.starts_with(&format!("cannot replace {}: ", dir.join("junit.xml").display())), "{text}");
    assert!(text.ends_with("with --out"), "{text}");
    assert_eq!(names(&dir), ["junit.xml", "run.json"], "the record is there and no draft is");
}
