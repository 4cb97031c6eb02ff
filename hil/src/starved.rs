//! How long the process of a real party had to wait for a processor. What it does late for that is not its doing.

use std::collections::{BTreeMap, VecDeque};

use assay_sim::time::{Instant, Span};

/// How many threads are looked at.
#[cfg(target_os = "linux")]
const THREADS_MAX: usize = 256;

/// What one process and its children had to wait, as far as the system tells.
#[derive(Debug, Default)]
pub(crate) struct Starved {
    /// How long each thread has waited in all, when it was looked at last.
    ///
    /// Units: nanoseconds.
    waited: BTreeMap<u32, u64>,
    /// The longest wait of a thread in each of the last looks that had one.
    recent: VecDeque<(Instant, Span)>,
    since: Option<(Instant, Span)>,
}

impl Starved {
    /// Looks at the process once more; `most` is how long it may have to wait in twice that time.
    pub(crate) fn look(&mut self, now: Instant, leader: u32, most: Span) {
        self.take(now, waits(leader), most);
    }

    /// Forgets what it had to wait for since the last look.
    pub(crate) fn forget(&mut self) {
        self.waited.clear();
    }

    fn take(&mut self, now: Instant, waited: BTreeMap<u32, u64>, most: Span) {
        let longer = waited.iter().filter_map(|(thread, ns)| ns.checked_sub(*self.waited.get(thread)?));
        let longest = Span::us(longer.max().unwrap_or_default() / 1_000);
        self.waited = waited;
        if longest == Span::ZERO {
            return;
        }
        self.recent.push_back((now, longest));
        while self.recent.front().is_some_and(|(at, _)| *at + most * 2 < now) {
            self.recent.pop_front();
        }
        let sum = self.recent.iter().fold(Span::ZERO, |sum, (_, longest)| sum + *longest);
        if let Some((first, wait)) = self.recent.front().filter(|_| sum > most) {
            let since = Instant::from_us(first.as_us().saturating_sub(wait.as_us()));
            let (since, worst) = self.since.unwrap_or((since, sum));
            self.since = Some((since, worst.max(sum)));
        }
    }

    /// Since when it had to wait for more than is tolerated, and how long at worst.
    pub(crate) const fn since(&self) -> Option<(Instant, Span)> {
        self.since
    }
}

/// How long each thread of a process and of its children has waited for a processor since it began.
#[cfg(target_os = "linux")]
fn waits(leader: u32) -> BTreeMap<u32, u64> {
    let mut waits = BTreeMap::new();
    let mut processes = vec![leader];
    while let Some(process) = processes.pop() {
        for task in std::fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten() {
            let Some(thread) = task.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
            // Whoever hides among children that are asked for again, or has too many threads, is looked at in part.
            if waits.len() >= THREADS_MAX || waits.contains_key(&thread) {
                return waits;
            }
            let read = |name: &str| std::fs::read_to_string(task.path().join(name)).unwrap_or_default();
            let waited = read("schedstat").split_whitespace().nth(1).and_then(|ns| ns.parse().ok());
            waits.extend(waited.map(|ns| (thread, ns)));
            processes
                .extend(read("children").split_whitespace().filter_map(|child| child.parse::<u32>().ok()));
        }
    }
    waits
}

/// Other systems do not tell.
#[cfg(not(target_os = "linux"))]
fn waits(_: u32) -> BTreeMap<u32, u64> {
    BTreeMap::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: Span = Span::ms(300);

    fn waited(rows: &[(u64, &[(u32, u64)])]) -> Option<(Instant, Span)> {
        let mut starved = Starved::default();
        for (at_ms, threads) in rows {
            let threads = threads.iter().map(|(thread, ms)| (*thread, ms * 1_000_000)).collect();
            starved.take(Instant::from_us(at_ms * 1_000), threads, MOST);
        }
        starved.since()
    }

    #[test]
    fn a_process_that_gets_its_processor_is_not_starved_however_long_it_lives() {
        assert_eq!(waited(&[(20, &[(7, 9_000)]), (40, &[(7, 9_300)])]), None);
        assert_eq!(waited(&[(20, &[(7, 0)]), (40, &[(7, 290)]), (700, &[(7, 580)])]), None);
        // Threads wait side by side.
        assert_eq!(waited(&[(20, &[(7, 0), (8, 0)]), (40, &[(7, 200), (8, 200)])]), None);
    }

    #[test]
    fn a_process_that_waits_for_longer_than_is_tolerated_is() {
        let found = waited(&[(20, &[(7, 0)]), (440, &[(7, 301)])]);
        assert_eq!(found, Some((Instant::from_us(139_000), Span::ms(301))));
        let found = waited(&[(20, &[(7, 0)]), (400, &[(7, 200)]), (600, &[(7, 350)])]);
        assert_eq!(found, Some((Instant::from_us(200_000), Span::ms(350))));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_system_tells_of_this_process() {
        assert!(waits(std::process::id()).len() > 1);
        assert!(waits(u32::MAX).is_empty());
    }
}
