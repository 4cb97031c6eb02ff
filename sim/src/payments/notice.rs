//! Notifications: when a merchant is told of a success, and told again until it answers as it should.

use std::collections::{BTreeMap, BTreeSet};

use super::ledger::{Order, OrderId};
use crate::time::{Instant, Now, Span, Wall};

/// What a merchant is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    /// The same over all tries.
    pub id: u64,
    /// The order as it stands, or as a plan of misbehaviour would have it.
    pub order: Order,
    /// Where.
    pub url: String,
    /// When it was told first, by the calendar.
    pub first_wall: Wall,
}

/// How a notification stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is tried at this time.
    Due(Instant),
    /// It is under way and has to be answered by then.
    UnderWay(Instant),
    /// The merchant has taken it.
    Taken,
    /// There are no tries left.
    GivenUp,
}

/// A notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The same over all tries and copies.
    pub id: u64,
    /// The order.
    pub order: OrderId,
    /// Where.
    pub url: String,
    /// When it was made, by the calendar.
    pub made_wall: Wall,
    /// How many tries there have been.
    pub tries: u32,
    /// Whether the last try was spoiled as planned, so that a client does right to refuse it.
    pub spoiled: bool,
    /// How it stands.
    pub standing: Standing,
    /// What was wrong with the last answer.
    pub trouble: Option<String>,
}

/// A notification's key: copies of one have the same id and keys of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NoticeKey(pub u64);

/// All notifications.
#[derive(Clone, Debug, Default)]
pub struct Notices {
    all: BTreeMap<NoticeKey, Notice>,
    agenda: BTreeSet<(Instant, NoticeKey)>,
    next: u64,
    next_id: u64,
}

impl Notices {
    /// A notification about an order, tried at once.
    pub(super) fn add(&mut self, now: Now, order: OrderId, url: &str) {
        self.next_id += 1;
        self.enter(now, self.next_id, order, url, now.mono);
    }

    /// The same notification once more, from `at` on.
    pub(super) fn copy(&mut self, now: Now, of: NoticeKey, at: Instant) {
        if let Some(notice) = self.all.get(&of).cloned() {
            self.enter(now, notice.id, notice.order, &notice.url, at);
        }
    }

    fn enter(&mut self, now: Now, id: u64, order: OrderId, url: &str, at: Instant) {
        self.next += 1;
        let key = NoticeKey(self.next);
        let (url, standing) = (url.to_owned(), Standing::Due(at));
        let (made_wall, tries, spoiled, trouble) = (now.wall, 0, false, None);
        let notice = Notice { id, order, url, made_wall, tries, spoiled, standing, trouble };
        self.all.insert(key, notice);
        self.agenda.insert((at, key));
    }

    /// The next one that is due.
    pub(super) fn poll_due(&mut self, now: Now) -> Option<NoticeKey> {
        let (at, key) = self.agenda.first().copied().filter(|(at, _)| *at <= now.mono)?;
        self.agenda.remove(&(at, key));
        Some(key)
    }

    /// One leaves, spoiled or as it should be, and has to be answered within `limit`.
    pub(super) fn leave(&mut self, now: Now, key: NoticeKey, limit: Span, spoiled: bool) {
        if let Some(notice) = self.all.get_mut(&key) {
            notice.tries += 1;
            notice.spoiled = spoiled;
            notice.standing = Standing::UnderWay(now.mono + limit);
        }
    }

    /// One is put off.
    pub(super) fn put_off(&mut self, key: NoticeKey, at: Instant) {
        if let Some(notice) = self.all.get_mut(&key) {
            notice.standing = Standing::Due(at);
            self.agenda.insert((at, key));
        }
    }

    /// What came of a try; `gaps` are those between tries.
    pub(super) fn handle_result(
        &mut self,
        now: Now,
        key: NoticeKey,
        result: Result<(), String>,
        gaps: &[Span],
    ) {
        let Some(notice) = self.all.get_mut(&key) else { return };
        match result {
            Ok(()) => {
                notice.standing = Standing::Taken;
                notice.trouble = None;
            }
            Err(trouble) => {
                notice.trouble = Some(trouble);
                let gap =
                    usize::try_from(notice.tries).ok().and_then(|tries| gaps.get(tries.checked_sub(1)?));
                match gap {
                    Some(gap) => self.put_off(key, now.mono + *gap),
                    None => notice.standing = Standing::GivenUp,
                }
            }
        }
    }

    /// Forgets those of orders that the ledger has forgotten.
    pub(super) fn forget_before(&mut self, first: OrderId) {
        self.all.retain(|_, notice| notice.order >= first);
        let all = &self.all;
        self.agenda.retain(|(_, key)| all.contains_key(key));
    }

    /// Forgets the oldest that are over, down to so many.
    pub(super) fn forget(&mut self, keep: usize) {
        while self.all.len() > keep {
            let over = |notice: &Notice| matches!(notice.standing, Standing::Taken | Standing::GivenUp);
            let Some(key) = self.all.iter().find(|(_, notice)| over(notice)).map(|(key, _)| *key) else {
                return;
            };
            self.all.remove(&key);
        }
    }

    /// When the next one is due.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.agenda.first().map(|(at, _)| *at)
    }

    /// A notification.
    pub fn at(&self, key: NoticeKey) -> Option<&Notice> {
        self.all.get(&key)
    }

    /// All that are kept, the oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (NoticeKey, &Notice)> {
        self.all.iter().map(|(key, notice)| (*key, notice))
    }
}
