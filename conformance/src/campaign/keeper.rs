//! What workers ask before they make a run, and give what it came to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use assay_sim::fault::FaultPlan;

use super::outcome::{Came, Mark, marks};
use super::shard::Shard;
use super::store::{RunKey, Store, StoreError, Unit};
use crate::case::Case;
use crate::replay::Replay;
use crate::rig_bench::Bench;
use crate::trial::{Design, Run};

/// What is done about the runs of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Those that are not there are made.
    Record,
    /// Those that are there are made again, and compared.
    Repeat,
    /// None is made.
    Read,
}

/// A run that came to something else when it was made again.
pub struct Difference {
    /// Which.
    pub run: RunKey,
    /// What is in the store.
    pub there: Came,
    /// What it came to now.
    pub here: Came,
    /// The run, with the recorded tape as the expected one.
    pub replay: Replay,
}

/// A store shared by the workers of this process.
pub struct Keeper {
    inner: Mutex<Inner>,
    mode: Mode,
    shard: Shard,
    halted: AtomicBool,
}

struct Inner {
    store: Store,
    /// By kind, so that nothing has to be copied to look a mark up.
    reached: BTreeMap<String, BTreeSet<String>>,
    error: Option<StoreError>,
    difference: Option<Difference>,
    made: u64,
}

/// What a keeper has seen.
pub struct Seen {
    /// The store.
    pub store: Store,
    /// How many runs were made.
    pub made: u64,
    /// The first run that came to something else.
    pub difference: Option<Difference>,
}

impl Keeper {
    /// Takes a store over.
    ///
    /// Errors: [`StoreError`].
    pub fn new(store: Store, mode: Mode, shard: Shard) -> Result<Self, StoreError> {
        let mut reached: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (kind, mark) in store.reached()? {
            reached.entry(kind).or_default().insert(mark);
        }
        let inner = Inner { store, reached, error: None, difference: None, made: 0 };
        Ok(Self { inner: Mutex::new(inner), mode, shard, halted: AtomicBool::new(false) })
    }

    /// Gives the store back.
    ///
    /// Errors: the first [`StoreError`] that kept it from going on.
    pub fn finish(self) -> Result<Seen, StoreError> {
        let Inner { store, error, difference, made, .. } =
            self.inner.into_inner().unwrap_or_else(PoisonError::into_inner);
        match error {
            Some(error) => Err(error),
            None => Ok(Seen { store, made, difference }),
        }
    }

    /// Whether there is no use in going on.
    pub fn halted(&self) -> bool {
        self.halted.load(Ordering::Relaxed)
    }

    /// The units that there are.
    pub fn units(&self) -> Vec<Unit> {
        self.ask(|store| store.units())
    }

    /// These units there are; whether they could be written down.
    pub fn put_units(&self, units: &[Unit]) -> bool {
        self.ask(|store| store.put_units(units).map(|()| true))
    }

    /// The runs of one unit; `whole` if they all belong to one share.
    pub fn unit(&self, unit: u64, whole: bool) -> Kept<'_> {
        Kept { keeper: self, unit, whole }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks the store; after the first error nothing is asked any more.
    fn ask<T: Default>(&self, what: impl FnOnce(&mut Store) -> Result<T, StoreError>) -> T {
        let mut inner = self.inner();
        if inner.error.is_some() {
            return T::default();
        }
        match what(&mut inner.store) {
            Ok(found) => found,
            Err(error) => {
                inner.error = Some(error);
                self.halted.store(true, Ordering::Relaxed);
                T::default()
            }
        }
    }
}

/// The runs of one unit.
#[derive(Clone, Copy)]
pub struct Kept<'a> {
    keeper: &'a Keeper,
    unit: u64,
    whole: bool,
}

/// What is to be done about the runs of a unit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// Those whose results are there and are taken over, in order.
    pub known: Vec<(u64, Came)>,
    /// Those that are to be made, in order.
    pub wanted: Vec<u64>,
}

impl Kept<'_> {
    /// Says how many runs the unit has, and what it is called.
    pub fn list(&self, name: &str, runs: u64) {
        if self.keeper.mode == Mode::Record {
            let (name, detail) = (name.to_owned(), String::new());
            self.keeper.put_units(&[Unit { unit: self.unit, name, runs, detail }]);
        }
    }

    /// What is to be done about these of its runs.
    pub fn share(&self, numbers: std::ops::Range<u64>) -> Share {
        let Keeper { mode, shard, .. } = *self.keeper;
        let mut there = self.keeper.ask(|store| store.runs(self.unit));
        there.retain(|(number, _)| numbers.contains(number));
        let mine = |number: &u64| match self.whole {
            true => shard.takes_unit(self.unit),
            false => shard.takes(self.unit, *number),
        };
        match mode {
            Mode::Read => Share { known: there, wanted: Vec::new() },
            Mode::Repeat => Share {
                known: Vec::new(),
                wanted: there.into_iter().map(|(number, _)| number).filter(mine).collect(),
            },
            Mode::Record => {
                // Both are in order, so that one walk along them tells which are missing.
                let mut next = there.iter().map(|(number, _)| *number).peekable();
                let wanted =
                    numbers.filter(|number| next.next_if_eq(number).is_none() && mine(number)).collect();
                Share { known: there, wanted }
            }
        }
    }

    /// Whether there is no use in going on.
    pub fn halted(&self) -> bool {
        self.keeper.halted()
    }

    /// Keeps what a run came to, or compares it, before the next one is begun.
    pub fn put(&self, number: u64, made: &Made<'_>) {
        let run = RunKey { unit: self.unit, number };
        let mut guard = self.keeper.inner();
        let inner = &mut *guard;
        if inner.error.is_some() {
            return;
        }
        let done = match self.keeper.mode {
            Mode::Read => return,
            Mode::Record => inner.record(run, made),
            Mode::Repeat => inner.compare(run, made),
        };
        let differs = inner.difference.is_some();
        match done {
            Ok(new) => inner.made += u64::from(new),
            Err(error) => inner.error = Some(error),
        }
        if differs || inner.error.is_some() {
            self.keeper.halted.store(true, Ordering::Relaxed);
        }
    }
}

impl Inner {
    fn record(&mut self, key: RunKey, made: &Made<'_>) -> Result<bool, StoreError> {
        let listed = made.came.outcome.listed_as();
        let cause = if listed.is_empty() { String::new() } else { (made.cause)() };
        let causes = listed.iter().map(String::as_str).filter(|id| !made.excused.contains(id));
        let causes: Vec<(&str, &str)> = causes.map(|id| (id, cause.as_str())).collect();
        let mut new = marks(made.run);
        new.retain(|mark| !self.has_reached(mark));
        let is_new = self.store.put(key, &made.came, &causes, &new)?;
        for (kind, mark) in new.iter().map(Mark::parts) {
            self.reached.entry(kind.to_owned()).or_default().insert(mark.to_owned());
        }
        Ok(is_new)
    }

    fn has_reached(&self, mark: &Mark<'_>) -> bool {
        let (kind, name) = mark.parts();
        self.reached.get(kind).is_some_and(|names| names.contains(name))
    }

    fn compare(&mut self, run: RunKey, made: &Made<'_>) -> Result<bool, StoreError> {
        let Some(there) = self.store.run(run)?.filter(|there| *there != made.came) else { return Ok(true) };
        if self.difference.as_ref().is_none_or(|known| run < known.run) {
            let replay = made.replay(&there);
            self.difference = Some(Difference { run, there, here: made.came.clone(), replay });
        }
        Ok(true)
    }
}

/// A run that has been made.
pub struct Made<'a> {
    /// What it came to.
    pub came: Came,
    /// What is to blame in words, if it does not pass.
    pub cause: &'a dyn Fn() -> String,
    /// What it violates and is told of another run already.
    pub excused: &'a [&'static str],
    /// The run itself.
    pub run: &'a Run,
    /// Its case.
    pub case: &'a Case,
    /// Its design.
    pub design: &'a Design,
    /// Its bench.
    pub bench: &'a Bench,
    /// Its faults.
    pub plan: &'a FaultPlan,
}

impl Made<'_> {
    fn replay(&self, there: &Came) -> Replay {
        Replay {
            case: *self.case,
            design: self.design.clone(),
            bench: self.bench.clone(),
            plan: self.plan.clone(),
            tape_digest: format!("{:032x}", there.tape),
            violates: there.outcome.violated.clone(),
            until: None,
        }
    }
}
