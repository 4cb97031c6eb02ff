//! Named timers in one table, so that a machine's `poll_timeout` is derived and not kept by hand.

use crate::digest::Digest;
use crate::time::Instant;

/// The timers of one machine, indexed by an enum of its own.
#[derive(Clone, Debug)]
pub struct Timers<const N: usize> {
    at: [Option<Instant>; N],
}

impl<const N: usize> Default for Timers<N> {
    fn default() -> Self {
        Self { at: [None; N] }
    }
}

impl<const N: usize> Timers<N> {
    /// Sets a timer, in place of what it was.
    pub fn set(&mut self, timer: usize, at: Instant) {
        self.at[timer] = Some(at);
    }

    /// Stops a timer.
    pub fn stop(&mut self, timer: usize) {
        self.at[timer] = None;
    }

    /// Stops every timer.
    pub fn stop_all(&mut self) {
        self.at = [None; N];
    }

    /// When a timer is due.
    pub fn due(&self, timer: usize) -> Option<Instant> {
        self.at[timer]
    }

    /// The earliest deadline.
    pub fn next(&self) -> Option<Instant> {
        self.at.iter().flatten().copied().min()
    }

    /// Every deadline that is set.
    pub fn each(&self, tell: &mut dyn FnMut(Instant)) {
        self.at.iter().flatten().copied().for_each(tell);
    }

    /// The timer with the earliest deadline; the first in order of index among equals.
    pub fn next_timer(&self) -> Option<usize> {
        (0..N).filter(|timer| self.at[*timer].is_some()).min_by_key(|timer| self.at[*timer])
    }

    /// Takes the next timer that is due at `now`, earliest first.
    pub fn expire(&mut self, now: Instant) -> Option<usize> {
        let timer = self.next_timer()?;
        if self.at[timer]? > now {
            return None;
        }
        self.at[timer] = None;
        Some(timer)
    }

    /// Adds all deadlines.
    pub fn digest(&self, into: &mut Digest) {
        for at in self.at {
            into.deadline(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_expire_in_order_of_time_and_not_a_tick_early() {
        let mut timers = Timers::<3>::default();
        timers.set(0, Instant::from_us(20));
        timers.set(2, Instant::from_us(10));
        assert_eq!(timers.next(), Some(Instant::from_us(10)));
        assert_eq!(timers.expire(Instant::from_us(9)), None);
        assert_eq!(timers.expire(Instant::from_us(20)), Some(2));
        assert_eq!(timers.expire(Instant::from_us(20)), Some(0));
        assert_eq!(timers.next(), None);
    }
}
