//! Short queues, of which there are many.

use std::collections::VecDeque;

/// Takes the first of a queue. One that this empties begins anew at the front of its memory.
///
/// Why: a queue goes round in its memory, and each of ten thousand that are nearly always empty would keep all of it in
/// the processor's cache instead of one place.
pub(crate) fn take_first<T>(queue: &mut VecDeque<T>) -> Option<T> {
    let first = queue.pop_front()?;
    if queue.is_empty() {
        queue.clear();
    }
    Some(first)
}
