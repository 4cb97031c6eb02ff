//! A fingerprint of a machine's full state, so that two schedules that lead to the same place are known to.

use xxhash_rust::xxh3::Xxh3;

use crate::time::Instant;

/// Collects a machine's state. Times go in as differences from now, so that equal states at different times agree.
#[derive(Clone)]
pub struct Digest {
    hash: Xxh3,
    now: Instant,
}

impl Digest {
    /// An empty digest taken at `now`.
    pub fn new(now: Instant) -> Self {
        Self { hash: Xxh3::new(), now }
    }

    /// Adds a number.
    pub fn word(&mut self, word: u64) -> &mut Self {
        self.hash.update(&word.to_le_bytes());
        self
    }

    /// Adds a truth value.
    pub fn flag(&mut self, flag: bool) -> &mut Self {
        self.hash.update(&[u8::from(flag)]);
        self
    }

    /// Adds bytes together with their length, so that neighbours cannot run into one another.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.hash.update(&(bytes.len() as u64).to_le_bytes());
        self.hash.update(bytes);
        self
    }

    /// Adds a text.
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.bytes(text.as_bytes())
    }

    /// Adds a deadline as its distance from now; past deadlines count as due.
    pub fn instant(&mut self, at: Instant) -> &mut Self {
        self.word(at.since(self.now).as_us())
    }

    /// Adds a deadline that may be unset.
    pub fn deadline(&mut self, at: Option<Instant>) -> &mut Self {
        match at {
            Some(at) => self.flag(true).instant(at),
            None => self.flag(false),
        }
    }

    /// Adds how long ago something happened.
    pub fn age(&mut self, of: Instant) -> &mut Self {
        self.word(self.now.since(of).as_us())
    }

    /// The fingerprint.
    pub fn finish(&self) -> u128 {
        self.hash.digest128()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Span;

    #[test]
    fn equal_states_at_different_times_agree() {
        let take = |now: Instant| {
            let mut digest = Digest::new(now);
            digest.word(3).deadline(Some(now + Span::s(20))).text("idle");
            digest.finish()
        };
        assert_eq!(take(Instant::from_us(5)), take(Instant::from_us(9_000)));
    }

    #[test]
    fn neighbours_do_not_run_together() {
        let take = |a: &str, b: &str| {
            let mut digest = Digest::new(Instant::ZERO);
            digest.text(a).text(b);
            digest.finish()
        };
        assert_ne!(take("ab", "c"), take("a", "bc"));
    }
}
