//! Work shared out over all cores, with its results in the order of the items, whoever was quickest.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};

use crate::interrupt::Stop;

/// Does `work` on every item and hands the results to `sink`, in the order of the items and on the caller's thread.
///
/// What is begun when a stop falls due is finished; what comes after is not begun. So the results are those of the
/// first items, without a gap. On a thread of the pool itself, which cannot both wait and work, the items are done one
/// after the other.
pub fn in_order<T: Sync, R: Send>(
    items: &[T],
    stop: &Stop,
    work: impl Fn(&T) -> R + Sync,
    mut sink: impl FnMut(usize, R),
) {
    if rayon::current_thread_index().is_some() {
        return one_by_one(items, stop, work, sink);
    }
    let work = |_: usize, item: &T| work(item);
    rayon::in_place_scope(|scope| {
        shared(scope, rayon::current_num_threads(), items, stop, &work, &mut sink);
    });
}

/// The same with so many at once, whatever the number of cores: for work that waits more than it computes. `work` is
/// told in which of so many slots it does an item; no slot has two at a time.
pub fn in_slots<T: Sync, R: Send>(
    slots: usize,
    items: &[T],
    stop: &Stop,
    work: impl Fn(usize, &T) -> R + Sync,
    mut sink: impl FnMut(usize, R),
) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(slots).build();
    match pool.ok().filter(|_| slots > 1) {
        Some(pool) => pool.in_place_scope(|scope| shared(scope, slots, items, stop, &work, &mut sink)),
        None => one_by_one(items, stop, |item| work(0, item), sink),
    }
}

fn shared<'scope, T: Sync, R: Send + 'scope>(
    scope: &rayon::Scope<'scope>,
    threads: usize,
    items: &'scope [T],
    stop: &'scope Stop,
    work: &'scope (impl Fn(usize, &T) -> R + Sync),
    sink: &mut impl FnMut(usize, R),
) {
    let next = Arc::new(AtomicUsize::new(0));
    let (done, results) = mpsc::channel();
    for slot in 0..threads.min(items.len()) {
        let (done, next) = (done.clone(), Arc::clone(&next));
        scope.spawn(move |_| {
            while !stop.due() {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some(item) = items.get(at) else { break };
                // The receiver outlives the scope's tasks.
                let _ = done.send((at, work(slot, item)));
            }
        });
    }
    drop(done);
    let mut waiting = BTreeMap::new();
    let mut wanted = 0;
    for (at, result) in results {
        waiting.insert(at, result);
        while let Some(result) = waiting.remove(&wanted) {
            sink(wanted, result);
            wanted += 1;
        }
    }
}

/// The same one after the other, on the caller's thread.
pub fn one_by_one<T, R>(items: &[T], stop: &Stop, work: impl Fn(&T) -> R, mut sink: impl FnMut(usize, R)) {
    for (at, item) in items.iter().enumerate() {
        if stop.due() {
            return;
        }
        sink(at, work(item));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_items() {
        let items: Vec<u64> = (0..1_000).collect();
        let mut results = Vec::new();
        in_order(
            &items,
            &Stop::default(),
            |item| item * item,
            |at, square| results.push((at as u64, square)),
        );
        assert_eq!(results, items.iter().map(|item| (*item, item * item)).collect::<Vec<_>>());
    }

    #[test]
    fn no_slot_has_two_items_at_a_time() {
        let items: Vec<u64> = (0..200).collect();
        let busy: Vec<AtomicUsize> = (0..7).map(|_| AtomicUsize::new(0)).collect();
        let work = |slot: usize, item: &u64| {
            let others = busy[slot].fetch_add(1, Ordering::SeqCst);
            std::thread::yield_now();
            busy[slot].fetch_sub(1, Ordering::SeqCst);
            (others, *item)
        };
        let mut results = Vec::new();
        in_slots(7, &items, &Stop::default(), work, |_, result| results.push(result));
        assert_eq!(results, items.iter().map(|item| (0, *item)).collect::<Vec<_>>());
    }

    #[test]
    fn a_thread_of_the_pool_that_hands_work_out_does_it_itself() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        let mut results = Vec::new();
        pool.install(|| {
            in_order(&[1, 2, 3], &Stop::default(), |item| item * 2, |_, double| results.push(double));
        });
        assert_eq!(results, [2, 4, 6]);
    }

    #[test]
    fn a_stop_leaves_the_first_results_without_a_gap() {
        let items: Vec<u64> = (0..1_000).collect();
        let stop = Stop::default();
        let mut results = Vec::new();
        let work = |item: &u64| {
            if *item == 20 {
                stop.interrupt();
            }
            *item
        };
        in_order(&items, &stop, work, |_, item| results.push(item));
        assert!(results.len() > 20 && results.len() < items.len(), "{}", results.len());
        assert!(results.iter().zip(&items).all(|(result, item)| result == item));
    }
}
