//! Where the results of a campaign are kept: one SQLite file, in which each run is a transaction of its own.
//!
//! A run is in the file once [`Store::put`] has come back, so a process that is killed loses the runs under way and no
//! other. One process at a time has the file. Shared memory is not used, so it may lie on a network file system.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension as _, params};

use super::outcome::{Came, Mark, Outcome};
pub use super::refusal::StoreError;
use super::refusal::{differs, foreign, refusal};

/// The version of the tables; a store of another one is refused.
pub const VERSION: i64 = 1;

/// What tells a store from other SQLite files: `Assy`.
const APPLICATION: i64 = 0x4173_7379;

/// How many pages may wait in the log before they are written into the file itself.
const LOG_PAGES: i64 = 4_000;

const TABLES: &str = "
    CREATE TABLE campaign (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE unit (unit INTEGER PRIMARY KEY, name TEXT NOT NULL, runs INTEGER NOT NULL, detail TEXT NOT NULL);
    CREATE TABLE outcome (outcome INTEGER PRIMARY KEY, words TEXT NOT NULL UNIQUE);
    CREATE TABLE run (
        unit INTEGER NOT NULL, number INTEGER NOT NULL, tape BLOB NOT NULL, outcome INTEGER NOT NULL,
        PRIMARY KEY (unit, number)
    ) WITHOUT ROWID;
    CREATE TABLE failure (
        requirement TEXT NOT NULL, cause TEXT NOT NULL, unit INTEGER NOT NULL, number INTEGER NOT NULL,
        PRIMARY KEY (requirement, cause, unit, number)
    ) WITHOUT ROWID;
    CREATE TABLE reached (kind TEXT NOT NULL, mark TEXT NOT NULL, PRIMARY KEY (kind, mark)) WITHOUT ROWID;
";

/// Which run: its unit, and its number there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunKey {
    /// The unit.
    pub unit: u64,
    /// The run, from 0.
    pub number: u64,
}

impl std::fmt::Display for RunKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.unit, self.number)
    }
}

/// Runs that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// Its number in the plan.
    pub unit: u64,
    /// What it is called.
    pub name: String,
    /// How many runs it has, from 0 on.
    pub runs: u64,
    /// What its maker needs to know again.
    pub detail: String,
}

/// Failures that have one cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The requirement violated.
    pub requirement: String,
    /// The cause in words.
    pub cause: String,
    /// In how many runs.
    pub count: u64,
    /// The first of them.
    pub first: RunKey,
}

/// The open store.
pub struct Store {
    file: PathBuf,
    connection: Connection,
    /// Outcomes that are in the file already.
    outcomes: BTreeMap<String, i64>,
}

impl Store {
    /// Opens a store, or begins one for this campaign; `id` and `plan` name it.
    ///
    /// Errors: [`StoreError`].
    pub fn begin(file: &Path, id: &str, about: &[(&str, &str)]) -> Result<Self, StoreError> {
        let mut store = Self::connect(file, OpenFlags::SQLITE_OPEN_CREATE)?;
        if store.is_new()? {
            store.within(|connection| {
                connection.pragma_update(None, "application_id", APPLICATION)?;
                connection.pragma_update(None, "user_version", VERSION)?;
                connection.execute_batch(TABLES)?;
                for (key, value) in about.iter().chain([&("id", id)]) {
                    connection.execute("INSERT INTO campaign VALUES (?1, ?2)", params![key, value])?;
                }
                Ok(())
            })?;
        }
        store.load()?;
        store.check_campaign(id)?;
        Ok(store)
    }

    /// Opens a store that is there.
    ///
    /// Errors: [`StoreError`].
    pub fn open(file: &Path) -> Result<Self, StoreError> {
        if !file.exists() {
            return Err(StoreError::NotThere(file.to_owned()));
        }
        let mut store = Self::connect(file, OpenFlags::empty())?;
        if store.is_new()? {
            return Err(StoreError::NotAStore(file.to_owned()));
        }
        store.load()?;
        Ok(store)
    }

    /// A store in memory, which is gone with the process.
    ///
    /// Errors: [`StoreError`].
    #[cfg(test)]
    pub(crate) fn in_memory(id: &str) -> Result<Self, StoreError> {
        Self::begin(Path::new(":memory:"), id, &[])
    }

    fn connect(file: &Path, create: OpenFlags) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | create;
        let opened = Connection::open_with_flags(file, flags).map_err(|error| refusal(file, error))?;
        let store = Self { file: file.to_owned(), connection: opened, outcomes: BTreeMap::new() };
        store.sql(|connection| {
            connection.busy_timeout(Duration::ZERO)?;
            connection.pragma_update(None, "locking_mode", "EXCLUSIVE")
        })?;
        let read = |what: &str| {
            store.sql(|connection| connection.pragma_query_value(None, what, |row| row.get::<_, i64>(0)))
        };
        let (application, version) = (read("application_id")?, read("user_version")?);
        if !store.is_new()? {
            if application != APPLICATION {
                return Err(StoreError::NotAStore(file.to_owned()));
            }
            if version != VERSION {
                return Err(StoreError::OtherVersion { file: file.to_owned(), found: version });
            }
        }
        store.sql(|connection| {
            connection.pragma_update(None, "journal_mode", "WAL")?;
            connection.pragma_update(None, "synchronous", "NORMAL")?;
            connection.pragma_update(None, "wal_autocheckpoint", LOG_PAGES)?;
            // Whoever holds the file now holds it for good.
            connection.execute_batch("BEGIN IMMEDIATE; COMMIT")
        })?;
        Ok(store)
    }

    fn is_new(&self) -> Result<bool, StoreError> {
        let tables = |connection: &Connection| {
            connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))
        };
        Ok(self.sql(tables)? == 0)
    }

    fn load(&mut self) -> Result<(), StoreError> {
        self.outcomes = self.sql(|connection| {
            let mut statement = connection.prepare("SELECT words, outcome FROM outcome")?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect()
        })?;
        Ok(())
    }

    fn check_campaign(&self, id: &str) -> Result<(), StoreError> {
        let there = self.about("id")?;
        if there == id {
            return Ok(());
        }
        Err(StoreError::OtherCampaign { file: self.file.clone(), there, here: id.to_owned() })
    }

    /// Keeps one run, with the causes of what it violates and the marks that it is the first to reach; whether it was
    /// not there before.
    ///
    /// Errors: [`StoreError`]; the run is there already with another result.
    pub fn put(
        &mut self,
        key: RunKey,
        came: &Came,
        causes: &[(&str, &str)],
        marks: &[Mark<'_>],
    ) -> Result<bool, StoreError> {
        let known = self.outcomes.get(&came.outcome.text()).copied();
        let put = match known {
            // Most runs: a single statement is a transaction by itself.
            Some(outcome) if causes.is_empty() && marks.is_empty() => {
                self.sql(|connection| put_run(connection, key, came.tape, outcome))
            }
            _ => self.within(|connection| put_whole(connection, key, came, causes, marks)),
        };
        match put {
            Ok(()) if known.is_none() => self.load().map(|()| true),
            Ok(()) => Ok(true),
            // A run that is there already with the same result is no error.
            Err(error) => match self.run(key)? {
                None => Err(error),
                Some(there) if there == *came => Ok(false),
                Some(there) => Err(differs(&self.file, key, &there, came)),
            },
        }
    }

    /// Keeps what units there are; those that are there already must be the same.
    ///
    /// Errors: [`StoreError`].
    pub fn put_units(&mut self, units: &[Unit]) -> Result<(), StoreError> {
        let there: BTreeMap<u64, Unit> = self.units()?.into_iter().map(|unit| (unit.unit, unit)).collect();
        if let Some(other) =
            units.iter().find(|unit| there.get(&unit.unit).is_some_and(|there| there != *unit))
        {
            return Err(StoreError::OtherUnit { file: self.file.clone(), unit: other.unit });
        }
        self.within(|connection| {
            for Unit { unit, name, runs, detail } in units {
                let mut put =
                    connection.prepare_cached("INSERT OR IGNORE INTO unit VALUES (?1, ?2, ?3, ?4)")?;
                put.execute(params![signed(*unit), name, signed(*runs), detail])?;
            }
            Ok(())
        })
    }

    /// Takes over everything that another store of the same campaign holds.
    ///
    /// Errors: [`StoreError`]; the two hold different campaigns, or different results of one run.
    pub fn merge(&mut self, other: &Self) -> Result<(), StoreError> {
        if let (here, there) = (self.about("id")?, other.about("id")?)
            && here != there
        {
            return Err(StoreError::OtherCampaign { file: other.file.clone(), there, here });
        }
        self.put_units(&other.units()?)?;
        let failures = other.failed_runs()?;
        let file = self.file.clone();
        self.within(|connection| {
            // One after the other, as the outcomes of the two stores have other numbers.
            other.each_run(&mut |key, came| match merge_run(connection, key, &came)? {
                Some(there) => Err(foreign(differs(&file, key, &there, &came))),
                None => Ok(()),
            })?;
            for (requirement, cause, key) in &failures {
                put_failure(connection, *key, requirement, cause)?;
            }
            for (kind, mark) in other.reached_in(other.connection())? {
                put_mark(connection, &kind, &mark)?;
            }
            Ok(())
        })?;
        self.load()
    }

    /// What the campaign is, by its key: `id`, `plan`, `profile`.
    ///
    /// Errors: [`StoreError`].
    pub fn about(&self, key: &str) -> Result<String, StoreError> {
        let value = |connection: &Connection| {
            let query = "SELECT value FROM campaign WHERE key = ?1";
            connection.query_row(query, [key], |row| row.get(0)).optional()
        };
        let damaged = || StoreError::Damaged { file: self.file.clone(), why: format!("it has no `{key}`") };
        self.sql(value)?.ok_or_else(damaged)
    }

    /// What units there are, in order.
    ///
    /// Errors: [`StoreError`].
    pub fn units(&self) -> Result<Vec<Unit>, StoreError> {
        self.sql(|connection| {
            let mut statement =
                connection.prepare("SELECT unit, name, runs, detail FROM unit ORDER BY unit")?;
            let rows = statement.query_map([], |row| {
                let (unit, runs) = (unsigned(row.get(0)?), unsigned(row.get(2)?));
                Ok(Unit { unit, name: row.get(1)?, runs, detail: row.get(3)? })
            })?;
            rows.collect()
        })
    }

    /// What is kept of a run.
    ///
    /// Errors: [`StoreError`].
    pub fn run(&self, key: RunKey) -> Result<Option<Came>, StoreError> {
        let Some((tape, words)) = self.sql(|connection| find_run(connection, key))? else { return Ok(None) };
        let damaged = |why| StoreError::Damaged { file: self.file.clone(), why };
        Ok(Some(Came { tape, outcome: Arc::new(Outcome::read(&words).map_err(damaged)?) }))
    }

    /// What is kept of the runs of a unit, in order.
    ///
    /// Errors: [`StoreError`].
    pub fn runs(&self, unit: u64) -> Result<Vec<(u64, Came)>, StoreError> {
        let outcomes = self.outcomes()?;
        let rows: Vec<(i64, [u8; 16], i64)> = self.sql(|connection| {
            let query = "SELECT number, tape, outcome FROM run WHERE unit = ?1 ORDER BY number";
            let mut statement = connection.prepare_cached(query)?;
            let rows =
                statement.query_map([signed(unit)], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
            rows.collect()
        })?;
        let came = |(number, tape, outcome)| Ok((unsigned(number), self.came(tape, outcome, &outcomes)?));
        rows.into_iter().map(came).collect()
    }

    /// Hands over every run, in order.
    ///
    /// Errors: [`StoreError`].
    pub fn for_each_run(&self, mut take: impl FnMut(RunKey, Came)) -> Result<(), StoreError> {
        self.sql(|_| {
            self.each_run(&mut |key, came| {
                take(key, came);
                Ok(())
            })
        })
    }

    fn each_run(&self, take: &mut dyn FnMut(RunKey, Came) -> rusqlite::Result<()>) -> rusqlite::Result<()> {
        let outcomes = self.outcomes().map_err(foreign)?;
        let query = "SELECT unit, number, tape, outcome FROM run ORDER BY unit, number";
        let mut statement = self.connection.prepare(query)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let key = RunKey { unit: unsigned(row.get(0)?), number: unsigned(row.get(1)?) };
            take(key, self.came(row.get(2)?, row.get(3)?, &outcomes).map_err(foreign)?)?;
        }
        Ok(())
    }

    /// How many runs of each unit are there.
    ///
    /// Errors: [`StoreError`].
    pub fn done(&self) -> Result<BTreeMap<u64, u64>, StoreError> {
        self.sql(|connection| {
            let mut statement = connection.prepare("SELECT unit, count(*) FROM run GROUP BY unit")?;
            let rows = statement.query_map([], |row| Ok((unsigned(row.get(0)?), unsigned(row.get(1)?))))?;
            rows.collect()
        })
    }

    /// The numbers of the runs of a unit that are there, in order.
    ///
    /// Errors: [`StoreError`].
    pub fn numbers(&self, unit: u64) -> Result<Vec<u64>, StoreError> {
        self.sql(|connection| {
            let mut statement =
                connection.prepare_cached("SELECT number FROM run WHERE unit = ?1 ORDER BY number")?;
            let rows = statement.query_map([signed(unit)], |row| Ok(unsigned(row.get(0)?)))?;
            rows.collect()
        })
    }

    /// The failures, by requirement and cause.
    ///
    /// Errors: [`StoreError`].
    pub fn failures(&self) -> Result<Vec<Failure>, StoreError> {
        let mut all: Vec<Failure> = Vec::new();
        for (requirement, cause, run) in self.failed_runs()? {
            match all.last_mut() {
                Some(last) if last.requirement == requirement && last.cause == cause => last.count += 1,
                _ => all.push(Failure { requirement, cause, count: 1, first: run }),
            }
        }
        Ok(all)
    }

    fn failed_runs(&self) -> Result<Vec<(String, String, RunKey)>, StoreError> {
        self.sql(|connection| {
            let query = "SELECT requirement, cause, unit, number FROM failure ORDER BY 1, 2, 3, 4";
            let mut statement = connection.prepare(query)?;
            let rows = statement.query_map([], |row| {
                let key = RunKey { unit: unsigned(row.get(2)?), number: unsigned(row.get(3)?) };
                Ok((row.get(0)?, row.get(1)?, key))
            })?;
            rows.collect()
        })
    }

    /// The marks that were reached, each with its kind, in order.
    ///
    /// Errors: [`StoreError`].
    pub fn reached(&self) -> Result<Vec<(String, String)>, StoreError> {
        self.sql(|connection| self.reached_in(connection))
    }

    fn reached_in(&self, connection: &Connection) -> rusqlite::Result<Vec<(String, String)>> {
        let mut statement = connection.prepare("SELECT kind, mark FROM reached ORDER BY kind, mark")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.collect()
    }

    /// Every outcome that there is, with how many runs came to it.
    ///
    /// Errors: [`StoreError`].
    pub fn tally(&self) -> Result<Vec<(Arc<Outcome>, u64)>, StoreError> {
        let outcomes = self.outcomes()?;
        let counts: Vec<(i64, i64)> = self.sql(|connection| {
            let mut statement = connection.prepare("SELECT outcome, count(*) FROM run GROUP BY outcome")?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect()
        })?;
        let known = |(id, count)| Some((Arc::clone(outcomes.get(&id)?), unsigned(count)));
        Ok(counts.into_iter().filter_map(known).collect())
    }

    fn outcomes(&self) -> Result<BTreeMap<i64, Arc<Outcome>>, StoreError> {
        let read = |(words, id): (&String, &i64)| match Outcome::read(words) {
            Ok(outcome) => Ok((*id, Arc::new(outcome))),
            Err(why) => Err(StoreError::Damaged { file: self.file.clone(), why }),
        };
        self.outcomes.iter().map(read).collect()
    }

    fn came(
        &self,
        tape: [u8; 16],
        outcome: i64,
        all: &BTreeMap<i64, Arc<Outcome>>,
    ) -> Result<Came, StoreError> {
        let damaged =
            || StoreError::Damaged { file: self.file.clone(), why: "a run has no outcome".to_owned() };
        let outcome = Arc::clone(all.get(&outcome).ok_or_else(damaged)?);
        Ok(Came { tape: u128::from_be_bytes(tape), outcome })
    }

    /// The file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    fn connection(&self) -> &Connection {
        &self.connection
    }

    fn sql<T>(&self, what: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        what(&self.connection).map_err(|error| refusal(&self.file, error))
    }

    /// Does something whole or not at all.
    fn within(&mut self, what: impl FnOnce(&Connection) -> rusqlite::Result<()>) -> Result<(), StoreError> {
        let done = self.connection.transaction().and_then(|transaction| {
            what(&transaction)?;
            transaction.commit()
        });
        done.map_err(|error| refusal(&self.file, error))
    }

    /// Lets the file grow no further, as a full disk does.
    #[cfg(test)]
    pub(crate) fn fill(&self, pages: i64) {
        let set = |connection: &Connection| {
            connection.pragma_update_and_check(None, "max_page_count", pages, |row| row.get::<_, i64>(0))
        };
        self.sql(set).expect("a limit can be set");
    }
}

fn put_run(connection: &Connection, key: RunKey, tape: u128, outcome: i64) -> rusqlite::Result<()> {
    let mut put = connection.prepare_cached("INSERT INTO run VALUES (?1, ?2, ?3, ?4)")?;
    put.execute(params![signed(key.unit), signed(key.number), tape.to_be_bytes(), outcome]).map(drop)
}

fn put_whole(
    connection: &Connection,
    key: RunKey,
    came: &Came,
    causes: &[(&str, &str)],
    marks: &[Mark<'_>],
) -> rusqlite::Result<()> {
    put_run(connection, key, came.tape, outcome_id(connection, &came.outcome)?)?;
    for (requirement, cause) in causes {
        put_failure(connection, key, requirement, cause)?;
    }
    for (kind, mark) in marks.iter().map(Mark::parts) {
        put_mark(connection, kind, mark)?;
    }
    Ok(())
}

/// The tape of a run and what it came to, if it is there.
fn find_run(connection: &Connection, key: RunKey) -> rusqlite::Result<Option<(u128, String)>> {
    let mut find = connection.prepare_cached(
        "SELECT tape, words FROM run JOIN outcome USING (outcome) WHERE unit = ?1 AND number = ?2",
    )?;
    let ids = params![signed(key.unit), signed(key.number)];
    find.query_row(ids, |row| Ok((u128::from_be_bytes(row.get(0)?), row.get(1)?))).optional()
}

/// What the run came to here before, if that is something else.
fn merge_run(connection: &Connection, key: RunKey, came: &Came) -> rusqlite::Result<Option<Came>> {
    match find_run(connection, key)? {
        None => {
            let outcome = outcome_id(connection, &came.outcome)?;
            put_run(connection, key, came.tape, outcome).map(|()| None)
        }
        Some((tape, words)) if tape == came.tape && words == came.outcome.text() => Ok(None),
        Some((tape, words)) => {
            Ok(Some(Came { tape, outcome: Arc::new(Outcome::read(&words).unwrap_or_default()) }))
        }
    }
}

fn outcome_id(connection: &Connection, outcome: &Outcome) -> rusqlite::Result<i64> {
    let words = outcome.text();
    let mut find = connection.prepare_cached("SELECT outcome FROM outcome WHERE words = ?1")?;
    if let Some(id) = find.query_row([&words], |row| row.get(0)).optional()? {
        return Ok(id);
    }
    connection.execute("INSERT INTO outcome (words) VALUES (?1)", [&words])?;
    Ok(connection.last_insert_rowid())
}

fn put_failure(connection: &Connection, key: RunKey, requirement: &str, cause: &str) -> rusqlite::Result<()> {
    let mut put = connection.prepare_cached("INSERT OR IGNORE INTO failure VALUES (?1, ?2, ?3, ?4)")?;
    put.execute(params![requirement, cause, signed(key.unit), signed(key.number)]).map(drop)
}

fn put_mark(connection: &Connection, kind: &str, mark: &str) -> rusqlite::Result<()> {
    let mut put = connection.prepare_cached("INSERT OR IGNORE INTO reached VALUES (?1, ?2)")?;
    put.execute([kind, mark]).map(drop)
}

/// SQLite's integers have a sign; ours are never that large.
fn signed(number: u64) -> i64 {
    i64::try_from(number).expect("units and runs are counted from 0 and are fewer than 2^63")
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
