//! A disk that forgets what was not synced: what a guest stores outlives it as far as a real disk's content would.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use crate::machine::Torn;
use crate::time::Span;

/// A file on a simulated disk. Clones are the same file.
#[derive(Clone, Debug)]
pub struct SimulatedDisk {
    content: Rc<RefCell<Content>>,
    sync: Span,
}

#[derive(Debug, Default)]
struct Content {
    synced: Vec<u8>,
    /// What was appended after, and is on its way at best.
    loose: Vec<u8>,
    /// How often the power went: a sync that it overtook makes nothing last.
    crashes: u64,
}

impl SimulatedDisk {
    /// An empty file; a sync takes `sync`.
    pub fn new(sync: Span) -> Self {
        Self { content: Rc::default(), sync }
    }

    /// All that is there, synced or not.
    pub fn read(&self) -> Vec<u8> {
        let content = self.content.borrow();
        [&content.synced[..], &content.loose[..]].concat()
    }

    /// Adds bytes to the end.
    pub fn append(&self, bytes: &[u8]) {
        self.content.borrow_mut().loose.extend_from_slice(bytes);
    }

    /// Makes last what was added before the call; it does once this returns.
    pub async fn sync(&self) {
        let (len, crashes) = {
            let content = self.content.borrow();
            (content.loose.len(), content.crashes)
        };
        tokio::time::sleep(Duration::from_micros(self.sync.as_us())).await;
        let content = &mut *self.content.borrow_mut();
        if content.crashes == crashes {
            let len = len.min(content.loose.len());
            content.synced.extend(content.loose.drain(..len));
        }
    }

    /// The power goes: of what was not synced nothing is left, all of it, or its first half.
    pub fn crash(&self, torn: Torn) {
        let content = &mut *self.content.borrow_mut();
        content.crashes += 1;
        let loose = std::mem::take(&mut content.loose);
        let kept = match torn {
            Torn::Old => 0,
            Torn::New => loose.len(),
            Torn::Neither => loose.len() / 2,
        };
        content.synced.extend_from_slice(&loose[..kept]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run<T>(work: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.unwrap().block_on(work)
    }

    #[test]
    fn what_was_synced_stays_and_the_rest_reads_as_planned() {
        for (torn, left) in
            [(Torn::Old, &b"one "[..]), (Torn::New, b"one two three"), (Torn::Neither, b"one two ")]
        {
            let disk = SimulatedDisk::new(Span::ms(5));
            run(async {
                disk.append(b"one ");
                disk.sync().await;
            });
            disk.append(b"two three");
            assert_eq!(disk.read(), b"one two three");
            disk.crash(torn);
            assert_eq!(disk.read(), left);
        }
    }

    #[test]
    fn a_sync_that_a_crash_overtakes_makes_nothing_last() {
        let disk = SimulatedDisk::new(Span::ms(5));
        run(async {
            disk.append(b"one");
            let overtaken = tokio::time::timeout(Duration::from_millis(4), disk.sync());
            assert!(overtaken.await.is_err());
            disk.crash(Torn::Old);
        });
        assert_eq!(disk.read(), b"");
    }
}
