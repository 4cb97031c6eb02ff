//! What served parties keep, in real files: a server's journal and the ledger that it shows, a terminal's memory.

use std::fs;
use std::io;
use std::path::PathBuf;

use assay_sim::journal::{Journal, Replay};
use assay_sim::time::Instant;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::serve::store::{Shown, Store, StoreError, replace};
use crate::serve::{ServeError, ServePlan};

/// What a server keeps and shows.
pub(super) struct KeptBooks {
    store: Option<Store>,
    shown: Option<Shown>,
}

impl KeptBooks {
    /// The files that the plan names, if it names any; what the store holds is replayed into these books.
    ///
    /// Errors: [`StoreError`].
    pub(super) fn open<S: Replay<Record: DeserializeOwned>>(
        plan: &ServePlan,
        books: &mut S,
    ) -> Result<Self, StoreError> {
        let store = plan.store.as_ref().map(|file| Store::open(file, books)).transpose()?;
        Ok(Self { store, shown: plan.ledger.clone().map(Shown::new) })
    }

    /// Takes in what was appended to the journal.
    pub(super) fn take_in<S: Replay<Record: Serialize>>(&mut self, journal: &Journal<S>) {
        let changed = match &mut self.store {
            Some(store) => store.take_in(journal),
            // Without a file, it is not known how far the books have been shown.
            None => journal.records().next().is_some(),
        };
        if let Some(shown) = self.shown.as_mut().filter(|_| changed) {
            shown.change();
        }
    }

    /// Keeps what a journal counts as durable by now, and shows the ledger if it has changed.
    ///
    /// Errors: a sentence.
    pub(super) fn keep<S: Replay<Record: Serialize>>(
        &mut self,
        journal: &Journal<S>,
        now: Instant,
        ledger: impl FnOnce() -> String,
    ) -> Result<(), String> {
        self.take_in(journal);
        if let Some(store) = &mut self.store {
            store.keep(journal, now)?;
        }
        self.shown.as_mut().map_or(Ok(()), |shown| shown.show(now, ledger))
    }
}

/// A terminal's memory in a file.
#[derive(Default)]
pub(super) struct KeptMemory {
    file: Option<PathBuf>,
    kept: Vec<u8>,
}

impl KeptMemory {
    /// The memory of so many bytes that the plan names, if it names one, and what it holds, if it is there.
    ///
    /// Errors: [`ServeError::Plant`] for a file of another length, [`ServeError::Store`].
    pub(super) fn open(
        plan: &ServePlan,
        what: &str,
        len: usize,
    ) -> Result<(Self, Option<Vec<u8>>), ServeError> {
        let Some(file) = &plan.store else { return Ok((Self::default(), None)) };
        let held = match fs::read(file) {
            Ok(bytes) if bytes.len() == len => Some(bytes),
            Ok(bytes) => {
                let (file, has) = (file.display(), bytes.len());
                let why = format!("--store: {file} has {has} bytes, and the {what} {len}");
                return Err(ServeError::Plant(why));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(source) => return Err(StoreError::File { file: file.clone(), source }.into()),
        };
        Ok((Self { file: Some(file.clone()), kept: Vec::new() }, held))
    }

    /// Keeps what the memory holds, if that has changed.
    ///
    /// Errors: a sentence.
    pub(super) fn keep(&mut self, image: impl FnOnce() -> Vec<u8>) -> Result<(), String> {
        let Some(file) = &self.file else { return Ok(()) };
        let image = image();
        if image != self.kept {
            replace(file, &image, true)?;
            self.kept = image;
        }
        Ok(())
    }
}
