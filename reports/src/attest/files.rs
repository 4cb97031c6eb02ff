//! What lies in a directory, file by file, with the hash of each.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use super::hex;

/// One file of a directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FileRecord {
    /// Its name from the directory on, with `/` between its parts.
    pub name: String,
    /// Its length.
    ///
    /// Units: bytes.
    pub size: u64,
    /// Its SHA-256, in lower-case hexadecimal digits.
    pub sha256: String,
}

/// How a directory differs from what was stated of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Difference {
    /// A file has other bytes.
    Changed(String),
    /// A file is not there.
    Missing(String),
    /// A file is there of which nothing was stated.
    Added(String),
}

/// A directory that cannot be listed.
#[derive(Debug, Error)]
#[error("{}: {why}", path.display())]
pub struct NotListed {
    /// What it is about.
    pub path: PathBuf,
    /// What is wrong, with its mend.
    pub why: String,
}

/// Every file of a directory and of those within, by name, but for one.
///
/// Errors: [`NotListed`], also for what is neither file nor directory, as it could lead anywhere.
pub fn list(dir: &Path, but: &str) -> Result<Vec<FileRecord>, NotListed> {
    let mut files = Vec::new();
    let mut open = vec![(dir.to_owned(), String::new())];
    while let Some((dir, prefix)) = open.pop() {
        let unreadable = |error: io::Error| NotListed { path: dir.clone(), why: error.to_string() };
        for entry in fs::read_dir(&dir).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let refuse = |why: String| NotListed { path: entry.path(), why };
            let name = entry.file_name().into_string();
            let name = name.map_err(|_| refuse("its name is not Unicode: rename or remove it".to_owned()))?;
            let name = format!("{prefix}{name}");
            let kind = entry.file_type().map_err(|error| refuse(error.to_string()))?;
            if kind.is_dir() {
                open.push((entry.path(), format!("{name}/")));
            } else if !kind.is_file() {
                return Err(refuse("it is neither a file nor a directory: remove it".to_owned()));
            } else if name != but {
                let (size, sha256) = sha256_of(&entry.path()).map_err(|error| refuse(error.to_string()))?;
                files.push(FileRecord { name, size, sha256 });
            }
        }
    }
    files.sort_unstable();
    Ok(files)
}

/// Where what was found differs from what was stated, in the order of the names.
pub fn compare(stated: &[FileRecord], found: &[FileRecord]) -> Vec<Difference> {
    let by_name = |files: &[FileRecord]| -> BTreeMap<String, FileRecord> {
        files.iter().map(|file| (file.name.clone(), file.clone())).collect()
    };
    let (stated, found) = (by_name(stated), by_name(found));
    let mut names: Vec<&String> = stated.keys().chain(found.keys()).collect();
    names.sort_unstable();
    names.dedup();
    let differs = |name: &String| match (stated.get(name), found.get(name)) {
        (Some(stated), Some(found)) => (stated != found).then(|| Difference::Changed(name.clone())),
        (Some(_), None) => Some(Difference::Missing(name.clone())),
        (None, _) => Some(Difference::Added(name.clone())),
    };
    names.into_iter().filter_map(differs).collect()
}

/// The SHA-256 of these bytes, in lower-case hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// The length of a file and its SHA-256.
///
/// Errors: what the system says.
pub fn sha256_of(file: &Path) -> io::Result<(u64, String)> {
    let (mut file, mut hash, mut size) = (File::open(file)?, Sha256::new(), 0);
    let mut buffer = vec![0; 65_536];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok((size, hex(&hash.finalize())));
        }
        hash.update(&buffer[..read]);
        size += read as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FIPS 180-2, appendix B.1.
    #[test]
    fn hashes_are_those_of_the_standard() {
        assert_eq!(sha256(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn each_difference_is_named() {
        let file = |name: &str, sha256: &str| FileRecord {
            name: name.to_owned(),
            size: 1,
            sha256: sha256.to_owned(),
        };
        let stated = [file("a", "1"), file("b", "1"), file("d", "1")];
        assert_eq!(compare(&stated, &stated), []);
        let found = [file("a", "1"), file("b", "2"), file("c", "1")];
        let names = |kind: fn(String) -> Difference, name: &str| kind(name.to_owned());
        assert_eq!(
            compare(&stated, &found),
            [names(Difference::Changed, "b"), names(Difference::Added, "c"), names(Difference::Missing, "d")]
        );
    }
}
