//! Files that a user gives: read whole, and refused with file, line, field and the mend.

use std::fmt;
use std::fs;
use std::ops::Range;
use std::path::Path;

use assay_sim::fault::FaultPlan;
use assay_sim::profile::{LoadError, ProfileError};
use thiserror::Error;

use crate::case::plan_of;
use crate::suite;
use crate::system::System;
use crate::trial::ProfileSource;

/// The longest file that is read.
///
/// Units: bytes.
const LEN_MAX: u64 = 4 * 1024 * 1024;

/// A file that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub struct FileError {
    /// The file.
    pub file: String,
    /// The line, from 1, where there is one to blame.
    pub line: Option<usize>,
    /// The field.
    pub field: Option<String>,
    /// What is wrong with it.
    pub what: String,
    /// What to do.
    pub mend: String,
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if let Some(field) = &self.field {
            write!(f, ": `{field}`")?;
        }
        write!(f, ": {}; {}", self.what, self.mend)
    }
}

/// A file with its name, so that what is wrong in it can be shown.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The file as the user named it.
    pub file: &'a str,
    /// Its text.
    pub text: &'a str,
}

impl Source<'_> {
    /// What is wrong at a place of the text; without a place it is about the file as a whole.
    pub fn error(
        &self,
        span: Option<Range<usize>>,
        what: impl Into<String>,
        mend: impl Into<String>,
    ) -> FileError {
        let start = span.map(|span| span.start.min(self.text.len()));
        FileError {
            file: self.file.to_owned(),
            line: start
                .map(|start| self.text.as_bytes()[..start].iter().filter(|byte| **byte == b'\n').count() + 1),
            field: start.and_then(|start| field_at(self.text, start)),
            what: what.into(),
            mend: mend.into(),
        }
    }

    /// What is wrong with a section as a whole.
    pub fn section_error(&self, section: &str, what: impl Into<String>, mend: &str) -> FileError {
        FileError {
            field: Some(section.to_owned()),
            line: line_of_section(self.text, section),
            ..self.error(None, what, mend)
        }
    }

    /// What is wrong with a value.
    pub fn key_error(&self, section: &str, key: &str, what: impl Into<String>, mend: &str) -> FileError {
        FileError {
            field: Some(format!("{section}.{key}")),
            line: line_of_key(self.text, section, key),
            ..self.error(None, what, mend)
        }
    }

    /// What makes a profile of this system unusable, with its place and the mend.
    pub fn profile_error(&self, error: &ProfileError, system: &str) -> FileError {
        let compare =
            format!("compare it with the built-in one, which `assay list profile --system {system}` prints");
        match error {
            ProfileError::Load(LoadError::Toml(error)) => self.toml_error(error, &compare),
            ProfileError::Load(unknown @ LoadError::UnknownKey(_)) => {
                self.error(None, unknown.to_string(), &compare)
            }
            ProfileError::Senseless { section, key, what, mend } => {
                let mend = mend.unwrap_or(&compare);
                match key {
                    Some(key) => self.key_error(section, key, what, mend),
                    None => self.section_error(section, what, mend),
                }
            }
        }
    }

    /// What the TOML reader found wrong.
    pub fn toml_error(&self, error: &toml::de::Error, mend: &str) -> FileError {
        let what = error.message().replace('\n', ", ");
        self.error(error.span(), what, mend)
    }
}

/// The key whose value is here, with its section: `terminal.answer_timeout`.
fn field_at(text: &str, at: usize) -> Option<String> {
    let mut begin = at;
    while !text.is_char_boundary(begin) {
        begin -= 1;
    }
    let line_start = text[..begin].rfind('\n').map_or(0, |end| end + 1);
    let line = text[line_start..].lines().next().unwrap_or_default().trim();
    let section = text[..line_start].lines().rev().find_map(section_of);
    match (section_of(line), line.split_once('=')) {
        (Some(own), _) => Some(own.to_owned()),
        (None, Some((key, _))) => {
            let key = key.trim();
            Some(section.map_or_else(|| key.to_owned(), |section| format!("{section}.{key}")))
        }
        (None, None) => section.map(str::to_owned),
    }
}

fn section_of(line: &str) -> Option<&str> {
    let line = line.trim().strip_prefix('[')?;
    let line = line.strip_prefix('[').unwrap_or(line);
    line.split_once(']').map(|(name, _)| name.trim())
}

/// Reads a file of text.
///
/// Errors: [`FileError`] if it is not there, cannot be read, is no text or far too long.
pub fn read_text(file: &str) -> Result<String, FileError> {
    let refuse = |what: String, mend: &str| FileError {
        file: file.to_owned(),
        line: None,
        field: None,
        what,
        mend: mend.to_owned(),
    };
    let path = Path::new(file);
    let about = fs::metadata(path).map_err(|error| {
        refuse(format!("cannot be read: {error}"), "name a file that is there and may be read")
    })?;
    if about.is_dir() {
        return Err(refuse("is a directory".to_owned(), "name a file in it"));
    }
    if about.len() > LEN_MAX {
        return Err(refuse(format!("has {} bytes", about.len()), "such files are far shorter: name another"));
    }
    let bytes =
        fs::read(path).map_err(|error| refuse(format!("cannot be read: {error}"), "make it readable"))?;
    String::from_utf8(bytes).map_err(|_| refuse("is not UTF-8 text".to_owned(), "save it as UTF-8"))
}

/// Reads a profile, and finds the systems among these that can use it.
///
/// Errors: [`FileError`]; none of them can, and this is what the first says of it.
pub fn read_profile(file: &str, systems: &[System]) -> Result<(ProfileSource, Vec<System>), FileError> {
    let text = read_text(file)?;
    let (mut fits, mut refused) = (Vec::new(), None);
    for system in systems {
        match suite::check_profile(*system, Source { file, text: &text }) {
            Ok(()) => fits.push(*system),
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    match refused {
        Some(error) if fits.is_empty() => Err(error),
        _ => {
            let (file, text) = (Some(file.to_owned()), Some(text.into()));
            Ok((ProfileSource { file, text, ..ProfileSource::default() }, fits))
        }
    }
}

/// Reads a plan of faults: a list of `[[strike]]`, as in a replay file.
///
/// Errors: [`FileError`].
pub fn read_plan(file: &str) -> Result<FaultPlan, FileError> {
    let text = read_text(file)?;
    let source = Source { file, text: &text };
    plan_of(&text).map_err(|error| source.toml_error(&error, "docs/faults.md has the form of a strike"))
}

fn line_of_section(text: &str, section: &str) -> Option<usize> {
    text.lines().position(|line| section_of(line) == Some(section)).map(|line| line + 1)
}

fn line_of_key(text: &str, section: &str, key: &str) -> Option<usize> {
    let first = line_of_section(text, section)?;
    let mut lines = text.lines().enumerate().skip(first).take_while(|(_, line)| section_of(line).is_none());
    lines
        .find(|(_, line)| line.split_once('=').is_some_and(|(name, _)| name.trim() == key))
        .map(|(at, _)| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "top = 1\n\n[one]\na = 2\nb = \"x\"\n[[two]]\nc = 3\n";

    #[test]
    fn a_place_is_shown_as_line_and_field() {
        let source = Source { file: "f.toml", text: TEXT };
        let shown = |needle: &str| {
            let at = TEXT.find(needle).unwrap();
            source.error(Some(at..at + 1), "is wrong", "mend it").to_string()
        };
        assert_eq!(shown("1"), "f.toml:1: `top`: is wrong; mend it");
        assert_eq!(shown("\"x\""), "f.toml:5: `one.b`: is wrong; mend it");
        assert_eq!(shown("3"), "f.toml:7: `two.c`: is wrong; mend it");
        assert_eq!(shown("[[two]]"), "f.toml:6: `two`: is wrong; mend it");
        assert_eq!(source.error(None, "is wrong", "mend it").to_string(), "f.toml: is wrong; mend it");
        let beyond = source.error(Some(999..1_000), "is wrong", "mend it");
        assert_eq!(beyond.line, Some(8));
    }

    #[test]
    fn keys_are_found_in_their_own_section_only() {
        assert_eq!(line_of_key(TEXT, "one", "b"), Some(5));
        assert_eq!(line_of_key(TEXT, "one", "c"), None);
        assert_eq!(line_of_key(TEXT, "three", "c"), None);
    }
}
