//! The renderers over hand-made records, over hostile ones, and on disk.

mod disk;
mod hostile;
mod laws;
mod sample;
mod snapshots;
