//! The renderers over hand-made records, over hostile ones, and on disk.

#![expect(clippy::unwrap_used, reason = "a test may end at once where something is not as it should be")]

mod certificate;
mod disk;
mod formats;
mod hostile;
mod laws;
mod page;
mod sample;
mod schema;
mod snapshots;
