//! A durable, append-only record file with crash semantics.
