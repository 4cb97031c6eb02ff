//! What a served party keeps, in real files: a server's journal, a terminal's flash, and the ledger for observers.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use assay_sim::journal::{Journal, RecordId, Replay};
use assay_sim::time::{Instant, Span};
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

/// How often the ledger is written anew at most.
const LEDGER_EVERY: Span = Span::ms(20);

/// A file of records that cannot be used.
#[derive(Debug, Error)]
pub enum StoreError {
    /// It cannot be read or opened.
    #[error("{}: {source}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// One of its lines, and not the last, is no record.
    #[error("{}:{line}: no record of this party: {why}", file.display())]
    Line {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
        /// Why.
        why: String,
    },
}

/// A journal's records in a file, a line each.
///
/// Why: an answer leaves when the journal's own sync has ended, so what one sync covers is written and synced at once
/// just before that.
pub(super) struct Store {
    file: File,
    last: Option<RecordId>,
    /// Records that are not in the file yet.
    unsynced: Vec<RecordId>,
    lines: Vec<u8>,
}

impl Store {
    /// Opens the file and replays it into a state. A last line that was torn is cut off.
    ///
    /// Errors: [`StoreError`].
    pub(super) fn open<S: Replay<Record: DeserializeOwned>>(
        file: &Path,
        state: &mut S,
    ) -> Result<Self, StoreError> {
        let failed = |source| StoreError::File { file: file.to_owned(), source };
        let opened = File::options().create(true).append(true).read(true).open(file).map_err(failed)?;
        let bytes = fs::read(file).map_err(failed)?;
        let mut good = 0;
        for (at, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
            let whole = line.ends_with(b"\n");
            match serde_json::from_slice(line) {
                Ok(record) if whole => state.apply(&record),
                _ if good + line.len() == bytes.len() => break,
                Ok(_) => break,
                Err(why) => {
                    let (file, why) = (file.to_owned(), why.to_string());
                    return Err(StoreError::Line { file, line: at + 1, why });
                }
            }
            good += line.len();
        }
        opened.set_len(good as u64).and_then(|()| opened.sync_all()).map_err(failed)?;
        Ok(Self { file: opened, last: None, unsynced: Vec::new(), lines: Vec::new() })
    }

    /// Takes in what was appended; whether anything was. It has to be asked before the journal folds what it counts as
    /// durable.
    pub(super) fn take_in<S: Replay<Record: Serialize>>(&mut self, journal: &Journal<S>) -> bool {
        let mut any = false;
        for (id, record) in journal.records() {
            if self.last.is_none_or(|last| id > last) {
                serde_json::to_writer(&mut self.lines, record).expect("a record is plain data");
                self.lines.push(b'\n');
                self.last = Some(id);
                self.unsynced.push(id);
                any = true;
            }
        }
        any
    }

    /// Makes durable what the journal counts as durable by now.
    ///
    /// Errors: a sentence.
    pub(super) fn keep<S: Replay>(&mut self, journal: &Journal<S>, now: Instant) -> Result<(), String> {
        let due = self.unsynced.first().and_then(|first| journal.durable_at(*first));
        if due.is_some_and(|due| due <= now) {
            let written = self.file.write_all(&self.lines).and_then(|()| self.file.sync_data());
            written.map_err(|error| format!("the store could not be written: {error}"))?;
            self.lines.clear();
            self.unsynced.clear();
        }
        Ok(())
    }
}

/// A file that others read, always whole.
pub(super) struct Shown {
    file: PathBuf,
    stale: bool,
    written: Instant,
}

impl Shown {
    /// A file that is to be written as soon as there is time.
    pub(super) const fn new(file: PathBuf) -> Self {
        Self { file, stale: true, written: Instant::ZERO }
    }

    /// What it shows has changed.
    pub(super) const fn change(&mut self) {
        self.stale = true;
    }

    /// Writes it if it is stale, and not too often.
    ///
    /// Errors: a sentence.
    pub(super) fn show(&mut self, now: Instant, render: impl FnOnce() -> String) -> Result<(), String> {
        if !self.stale || self.written != Instant::ZERO && now < self.written + LEDGER_EVERY {
            return Ok(());
        }
        self.stale = false;
        self.written = now;
        replace(&self.file, render().as_bytes(), false)
    }
}

/// Puts other content into a file, so that nobody ever sees half of it.
///
/// Errors: a sentence.
pub(super) fn replace(file: &Path, content: &[u8], durable: bool) -> Result<(), String> {
    let mut beside = file.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    let write = || {
        let mut fresh = File::create(&beside)?;
        fresh.write_all(content)?;
        if durable {
            fresh.sync_all()?;
        }
        fs::rename(&beside, file)
    };
    write().map_err(|error| format!("{} could not be written: {error}", file.display()))
}

#[cfg(test)]
mod tests {
    use assay_sim::card::number::CardNumber;
    use assay_sim::journal::JournalConfig;
    use assay_sim::machine::Torn;
    use assay_sim::money::Fen;
    use assay_sim::pos::books::{Account, BookRecord, Books};

    use super::*;

    fn file(name: &str) -> PathBuf {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/store-tests");
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join(name);
        let _ = fs::remove_file(&file);
        file
    }

    fn record(fen: i64) -> BookRecord {
        let card = CardNumber::parse(b"8888888888").unwrap();
        BookRecord::Account { card, account: Account { balance: Fen(fen), ..Account::default() } }
    }

    fn at(us: u64) -> Instant {
        Instant::from_us(us)
    }

    #[test]
    fn records_are_in_the_file_when_their_sync_has_ended_and_not_before_together() {
        let file = file("group.jsonl");
        let mut store = Store::open(&file, &mut Books::default()).unwrap();
        let mut journal = Journal::new(JournalConfig { sync: Span::ms(2) }, Books::default());
        let lines = || fs::read_to_string(&file).unwrap().lines().count();
        journal.append(at(0), 9, record(1));
        journal.sync(at(0));
        journal.append(at(100), 9, record(2));
        journal.sync(at(100));
        assert!(store.take_in(&journal) && !store.take_in(&journal));
        assert_eq!((store.keep(&journal, at(1_999)), lines()), (Ok(()), 0));
        assert_eq!((store.keep(&journal, at(2_000)), lines()), (Ok(()), 2));
        let mut books = Books::default();
        drop(store);
        Store::open(&file, &mut books).unwrap();
        journal.cut(at(9_000), Torn::Old);
        assert_eq!(&books, journal.state());
    }

    #[test]
    fn what_was_taken_in_is_written_though_the_journal_has_folded_it() {
        let file = file("folded.jsonl");
        let mut store = Store::open(&file, &mut Books::default()).unwrap();
        let mut journal = Journal::new(JournalConfig { sync: Span::ms(2) }, Books::default());
        journal.append(at(0), 9, record(1));
        journal.sync(at(0));
        store.take_in(&journal);
        journal.settle(at(2_000));
        assert_eq!(journal.records().count(), 0);
        assert_eq!(store.keep(&journal, at(2_000)), Ok(()));
        assert_eq!(fs::read_to_string(&file).unwrap().lines().count(), 1);
    }

    #[test]
    fn a_torn_last_line_is_cut_off_and_another_one_is_an_error() {
        let file = file("torn.jsonl");
        let whole = serde_json::to_string(&record(5)).unwrap() + "\n";
        fs::write(&file, format!("{whole}{}", &whole[..20])).unwrap();
        let mut books = Books::default();
        Store::open(&file, &mut books).unwrap();
        assert_eq!(books.accounts().count(), 1);
        assert_eq!(fs::read_to_string(&file).unwrap(), whole);
        fs::write(&file, format!("rubbish\n{whole}")).unwrap();
        let error = Store::open(&file, &mut books).err().unwrap().to_string();
        assert!(error.contains("torn.jsonl:1: no record of this party: "), "{error}");
    }
}
