//! A durable, append-only record file with crash semantics, for servers.
//!
//! A server appends a record, asks for a sync, and withholds its answer until the time that the sync returns. What a
//! power cut leaves is exactly what ended syncs cover, and of a sync under way as much as the plan says. Records that
//! nothing can take back any more are folded into a state, so that memory stays flat over long runs.

use std::collections::VecDeque;

use serde::Deserialize;

use crate::digest::Digest;
use crate::machine::{StoreStep, Torn};
use crate::queue::take_first;
use crate::time::{Instant, Span};

/// How a journal's medium behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JournalConfig {
    /// How long a sync takes.
    pub sync: Span,
}

/// How many folded records wait at most to be replayed.
const LAG_MAX: usize = 256;

/// What a server rebuilds at power-on by replaying its records.
pub trait Replay: Clone {
    /// One durable fact.
    type Record: Clone;

    /// Brings the state forward by one record, in the order of appending.
    fn apply(&mut self, record: &Self::Record);

    /// Adds the full state.
    fn digest(&self, into: &mut Digest);

    /// Adds one record that is not part of the state yet.
    fn digest_record(record: &Self::Record, into: &mut Digest);
}

/// Names one appended record until power is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecordId(u64);

/// A record that is not folded into the state yet.
#[derive(Clone, Debug)]
struct Pending<R> {
    at: Instant,
    kind: u16,
    record: R,
}

/// One sync: from its start on it covers a fixed prefix of the records.
#[derive(Clone, Copy, Debug)]
struct Sync {
    start: Instant,
    end: Instant,
    /// The first record that it does not cover.
    upto: u64,
}

/// How far steps were told, counted from the journal's beginning.
#[derive(Clone, Copy, Debug, Default)]
struct Told {
    appends: u64,
    starts: u64,
    ends: u64,
}

/// A record file on which a server keeps what it must not forget.
///
/// Group commit: one sync runs at a time. A sync asked for while one runs starts when that ends, serves all who
/// ask meanwhile, and covers every record appended before it starts. Requests are taken in the order of calls: one
/// stamped before its predecessor counts as made at its predecessor's time.
#[derive(Clone, Debug)]
pub struct Journal<S: Replay> {
    config: JournalConfig,
    /// Every folded record, replayed, but for those of `lag`.
    state: S,
    /// The folded records that were not replayed yet.
    ///
    /// Why: what a state knows of thousands of devices is far from the processor, and fetched sooner for many records
    /// at once than for one between two others' work.
    lag: Vec<S::Record>,
    /// How many records are folded.
    folded: u64,
    /// When folding was last brought up to date.
    settled_at: Instant,
    /// The time of the last request.
    latest: Instant,
    pending: VecDeque<Pending<S::Record>>,
    syncs: VecDeque<Sync>,
    /// How many syncs were dropped from the front of `syncs`.
    syncs_ended: u64,
    told: Told,
}

impl<S: Replay> Journal<S> {
    /// An empty journal on top of a state that is durable already.
    pub fn new(config: JournalConfig, state: S) -> Self {
        Self {
            config,
            state,
            lag: Vec::new(),
            folded: 0,
            settled_at: Instant::ZERO,
            latest: Instant::ZERO,
            pending: VecDeque::new(),
            syncs: VecDeque::new(),
            syncs_ended: 0,
            told: Told::default(),
        }
    }

    /// Appends a record, which is not durable before a sync that covers it has ended. `kind` names it in steps.
    pub fn append(&mut self, at: Instant, kind: u16, record: S::Record) -> RecordId {
        let at = self.advance(at);
        let id = self.appended();
        self.pending.push_back(Pending { at, kind, record });
        if let Some(waiting) = self.syncs.back_mut()
            && at < waiting.start
        {
            waiting.upto += 1;
        }
        RecordId(id)
    }

    /// Makes everything appended so far durable, and says when it is.
    ///
    /// With nothing left to cover no sync starts: the answer is the end of the one that covers the last record, or
    /// `at` if that is past.
    pub fn sync(&mut self, at: Instant) -> Instant {
        let at = self.advance(at);
        let (covered, free) =
            self.syncs.back().map_or((self.folded, Instant::ZERO), |last| (last.upto, last.end));
        let start = at.max(free);
        if covered == self.appended() {
            return start;
        }
        let end = start + self.config.sync;
        self.syncs.push_back(Sync { start, end, upto: self.appended() });
        end
    }

    /// When a record is durable, or became so; `None` while no sync covers it.
    ///
    /// For a record that is folded into the state this is the time of the last [`Journal::settle`] or cut.
    pub fn durable_at(&self, record: RecordId) -> Option<Instant> {
        if record.0 < self.folded {
            return Some(self.settled_at);
        }
        self.syncs.iter().find(|sync| record.0 < sync.upto).map(|sync| sync.end)
    }

    /// What a server finds at power-on: the state when the journal was made, or that which the last cut has left.
    pub fn state(&self) -> &S {
        &self.state
    }

    /// The state that a server would find if power were cut at `at` between two syncs.
    ///
    /// `at` is never before the last [`Journal::settle`].
    pub fn durable(&self, at: Instant) -> S {
        let mut state = self.state.clone();
        self.lag.iter().for_each(|record| state.apply(record));
        for (_, pending) in (self.folded..self.ended(at).1).zip(&self.pending) {
            state.apply(&pending.record);
        }
        state
    }

    /// The records that are not folded into the state yet, durable or not, in the order of appending.
    pub fn records(&self) -> impl Iterator<Item = (RecordId, &S::Record)> {
        (self.folded..).map(RecordId).zip(self.pending.iter().map(|pending| &pending.record))
    }

    /// Folds into the state what no power cut at or after `now` can take back, and forgets steps of the past with it.
    ///
    /// A board calls this with the time of each input.
    pub fn settle(&mut self, now: Instant) {
        while let Some(sync) = self.syncs.front().copied()
            && sync.end <= now
        {
            self.fold(sync.upto);
            self.syncs.pop_front();
            self.syncs_ended += 1;
        }
        self.settled_at = self.settled_at.max(now);
        if self.told.appends >= self.folded && self.told.ends >= self.syncs_ended {
            return;
        }
        self.told = Told {
            appends: self.told.appends.max(self.folded),
            starts: self.told.starts.max(self.syncs_ended),
            ends: self.told.ends.max(self.syncs_ended),
        };
    }

    /// Power goes at `at`, which is never before the last [`Journal::settle`].
    ///
    /// Records under a sync that ended at or before `at` stay. Of those under a sync in progress (started at or
    /// before `at`, ending after it) none is kept with [`Torn::Old`], all with [`Torn::New`]; with [`Torn::Neither`]
    /// the first half, rounded down: the record behind it is torn, and replay ends at a torn record. All others are
    /// lost. What is left is in [`Journal::state`]; steps that were not drained are gone.
    pub fn cut(&mut self, at: Instant, torn: Torn) {
        self.settle(at);
        if let Some(sync) = self.syncs.front().copied()
            && sync.start <= at
        {
            let kept = match torn {
                Torn::Old => 0,
                Torn::New => sync.upto - self.folded,
                Torn::Neither => (sync.upto - self.folded) / 2,
            };
            self.fold(self.folded + kept);
        }
        self.catch_up();
        self.pending.clear();
        self.syncs_ended += self.syncs.drain(..).count() as u64;
        self.latest = at;
        self.told = Told { appends: self.folded, starts: self.syncs_ended, ends: self.syncs_ended };
    }

    /// The next durable step, in order of time; `None` when drained.
    ///
    /// `journal-append` for each record (address: its kind), `journal-sync` at the start of a sync and
    /// `journal-synced` at its end (address: how many records it covers as far as is known when it is told).
    /// A cut at an append loses the record, one at a sync's start finds it in progress, one at its end finds it ended.
    pub fn poll_step(&mut self) -> Option<StoreStep> {
        if self.told.appends == self.appended()
            && self.told.ends == self.syncs_ended + self.syncs.len() as u64
        {
            return None;
        }
        let append = self.pending.get(place(self.told.appends, self.folded));
        let start = self.syncs.get(place(self.told.starts, self.syncs_ended));
        let end = (self.told.ends < self.told.starts)
            .then(|| self.syncs.get(place(self.told.ends, self.syncs_ended)))
            .flatten();
        let next = [append.map(|pending| pending.at), end.map(|sync| sync.end), start.map(|sync| sync.start)];
        let at = next.into_iter().flatten().min()?;
        if let Some(pending) = append.filter(|pending| pending.at == at) {
            let address = pending.kind;
            self.told.appends += 1;
            return Some(StoreStep { at, kind: "journal-append", address });
        }
        if end.is_some_and(|sync| sync.end == at) {
            let address = self.covered(place(self.told.ends, self.syncs_ended));
            self.told.ends += 1;
            return Some(StoreStep { at, kind: "journal-synced", address });
        }
        let address = self.covered(place(self.told.starts, self.syncs_ended));
        self.told.starts += 1;
        Some(StoreStep { at, kind: "journal-sync", address })
    }

    /// Adds the full state, times as differences from now.
    ///
    /// Why: numbers of records go in as differences too, and what is durable goes in as state, folded or not, so that
    /// two journals that will behave alike agree.
    pub fn digest(&self, now: Instant, into: &mut Digest) {
        let (ended, upto) = self.ended(now);
        if upto > self.folded || !self.lag.is_empty() {
            self.durable(now).digest(into);
        } else {
            self.state.digest(into);
        }
        into.instant(self.latest);
        for pending in self.pending.iter().skip(place(upto, self.folded)) {
            into.flag(true).instant(pending.at).word(u64::from(pending.kind));
            S::digest_record(&pending.record, into);
        }
        into.flag(false);
        for sync in self.syncs.iter().skip(place(ended, self.syncs_ended)) {
            into.flag(true).instant(sync.start).instant(sync.end).word(sync.upto - upto);
        }
        into.flag(false);
        into.word(self.told.appends.saturating_sub(upto));
        into.word(self.told.starts.saturating_sub(ended)).word(self.told.ends.saturating_sub(ended));
    }

    /// The number of the next record.
    fn appended(&self) -> u64 {
        self.folded + self.pending.len() as u64
    }

    /// How many syncs have ended at `at`, and the first record that they do not cover.
    fn ended(&self, at: Instant) -> (u64, u64) {
        let ended = self.syncs.iter().take_while(|sync| sync.end <= at);
        ended.fold((self.syncs_ended, self.folded), |(count, _), sync| (count + 1, sync.upto))
    }

    fn advance(&mut self, at: Instant) -> Instant {
        self.latest = self.latest.max(at);
        self.latest
    }

    /// Folds pending records, up to the record of this number.
    fn fold(&mut self, upto: u64) {
        while self.folded < upto
            && let Some(pending) = take_first(&mut self.pending)
        {
            self.lag.push(pending.record);
            self.folded += 1;
        }
        if self.lag.len() >= LAG_MAX {
            self.catch_up();
        }
    }

    /// Replays what was folded and not replayed yet.
    fn catch_up(&mut self) {
        for record in self.lag.drain(..) {
            self.state.apply(&record);
        }
    }

    /// How many records the sync in this place covers.
    fn covered(&self, place: usize) -> u16 {
        let before = place.checked_sub(1).and_then(|before| self.syncs.get(before));
        let from = before.map_or(self.folded, |sync| sync.upto);
        let count = self.syncs.get(place).map_or(0, |sync| sync.upto - from);
        u16::try_from(count).unwrap_or(u16::MAX)
    }
}

/// Where the item of this number is in a queue whose front has the number `front`.
fn place(number: u64, front: u64) -> usize {
    usize::try_from(number.saturating_sub(front)).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
