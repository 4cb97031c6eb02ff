//! The backend behind a lock, with the clock that it is told.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::Instant as Tick;

use crate::payments::backend::Backend;
use crate::time::{Instant, Now, Span, Wall};

/// How the platforms' time passes: their monotonic clock runs so many times as fast as the runtime's, their calendar as
/// it does.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// When it began, by the runtime's clock.
    start: Tick,
    /// When it began, by the calendar.
    wall: Wall,
    /// How many times as fast.
    scale: u32,
}

impl Pace {
    /// A pace that begins now, at this point of the calendar; a scale of zero counts as one.
    pub fn new(wall: Wall, scale: u32) -> Self {
        Self { start: Tick::now(), wall, scale: scale.max(1) }
    }

    /// What the platforms' clocks say.
    pub fn now(&self) -> Now {
        let passed = u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX);
        let mono = Instant::from_us(passed.saturating_mul(u64::from(self.scale)));
        Now { mono, wall: self.wall.stepped(i64::try_from(passed).unwrap_or(i64::MAX)) }
    }

    /// How long a span of the platforms' time takes.
    pub fn real(&self, span: Span) -> std::time::Duration {
        std::time::Duration::from_micros(span.as_us().div_ceil(u64::from(self.scale)))
    }
}

/// The backend, for everybody who serves it.
#[derive(Debug)]
pub struct Desk {
    backend: Mutex<Backend>,
    pace: Pace,
    changed: Notify,
}

impl Desk {
    /// A backend at this pace.
    pub fn new(backend: Backend, pace: Pace) -> Self {
        Self { backend: Mutex::new(backend), pace, changed: Notify::new() }
    }

    /// The pace.
    pub const fn pace(&self) -> &Pace {
        &self.pace
    }

    /// Does something with the backend, and lets the courier see to what came of it.
    pub fn with<T>(&self, act: impl FnOnce(&mut Backend, Now) -> T) -> T {
        let now = self.pace.now();
        let result = act(&mut self.lock(), now);
        self.changed.notify_one();
        result
    }

    /// Looks at the backend.
    pub(super) fn look<T>(&self, look: impl FnOnce(&mut Backend, Now) -> T) -> T {
        let now = self.pace.now();
        look(&mut self.lock(), now)
    }

    /// Waits until something may be due.
    pub(super) async fn wait(&self) {
        let due = self.lock().poll_timeout();
        let Some(due) = due else { return self.changed.notified().await };
        let left = self.pace.real(due.since(self.pace.now().mono));
        // A microsecond more than none, so that a deadline that is not over is never looked at in a circle.
        let left = left.max(std::time::Duration::from_micros(1));
        tokio::select! {
            biased;
            () = self.changed.notified() => {}
            () = tokio::time::sleep(left) => {}
        }
    }

    /// A panic elsewhere leaves the backend as it was: every change of it is made by one call.
    fn lock(&self) -> MutexGuard<'_, Backend> {
        self.backend.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
