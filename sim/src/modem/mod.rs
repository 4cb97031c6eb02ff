//! AT modems: one engine, its dialects, and the client that a host drives them with.
