//! The T5557 card: its memory, its radio and the reader that a terminal drives.
