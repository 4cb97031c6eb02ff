//! The terminal's ear: from deliveries of edges to words of 32 bits whose place in time is known.
//!
//! A T5557 marks neither blocks nor repetitions. What tells them apart is the clock alone: the first bit comes a known
//! time after the field or after a command, and from then on everything lies on a grid of field clocks, which the
//! terminal makes itself. Edges off that grid are never guessed at.

use crate::digest::Digest;
use crate::time::{Instant, Span};

use super::BLOCK_BITS;
use super::air::{burst_time, in_field_clocks};
use super::manchester::{Decoder, HALF_BIT_CLOCKS};

/// How long one block lasts at RF/64.
const BLOCK_TIME: Span = in_field_clocks(2 * HALF_BIT_CLOCKS as u64 * BLOCK_BITS as u64);

/// The most by which a first bit can be off while it is still certain which half of a bit was heard first.
const SLACK_MAX: Span = in_field_clocks(HALF_BIT_CLOCKS as u64 / 2 - 1);

/// The thread is lost: edges are missing, doubled, late or impossible, and what follows has no place any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lost;

/// Follows one transmission of a tag from its first bit on.
#[derive(Clone, Debug)]
pub(super) struct Receiver {
    decoder: Decoder,
    sync: Span,
    earliest: Instant,
    latest: Instant,
    origin: Option<Instant>,
    next: Instant,
    word: u32,
    bits: u32,
    words: u32,
}

impl Receiver {
    pub(super) fn new(jitter_clocks: u8, sync_clocks: u8) -> Self {
        Self {
            decoder: Decoder::new(HALF_BIT_CLOCKS, jitter_clocks),
            sync: in_field_clocks(u64::from(sync_clocks)),
            earliest: Instant::ZERO,
            latest: Instant::ZERO,
            origin: None,
            next: Instant::ZERO,
            word: 0,
            bits: 0,
            words: 0,
        }
    }

    /// Waits for a first bit at `at`, give or take `slack` but never half of half a bit or more.
    ///
    /// Why: in blocks of equal bits nothing but the time of the first one tells ones from zeros.
    pub(super) fn arm(&mut self, at: Instant, slack: Span) {
        let slack = slack.min(SLACK_MAX);
        self.decoder.restart();
        self.earliest = Instant::from_us(at.as_us().saturating_sub(slack.as_us()));
        self.latest = at + slack;
        self.origin = None;
        (self.word, self.bits, self.words) = (0, 0, 0);
    }

    /// Takes edges that end now and hands every completed word to `sink`. What began before the first bit can have
    /// come is passed over.
    ///
    /// Shape: as a delivery of edges; or, when the first byte is no level, more runs of the delivery before.
    /// Errors: [`Lost`] at the first thing that does not fit.
    #[inline]
    pub(super) fn feed(&mut self, now: Instant, bytes: &[u8], mut sink: impl FnMut(u32)) -> Result<(), Lost> {
        let (first, runs) = match bytes {
            [] | [0 | 1] => return Ok(()),
            [level @ (0 | 1), runs @ ..] => (Some(*level == 1), runs),
            runs => (None, runs),
        };
        let began = Instant::from_us(now.as_us().saturating_sub(burst_time(runs).as_us()));
        let origin = match self.origin {
            Some(_) if self.apart(began, self.next) => return Err(Lost),
            Some(origin) => origin,
            None if began < self.earliest => return Ok(()),
            None if began > self.latest || first.is_none() => return Err(Lost),
            None => began,
        };
        self.origin = Some(origin);
        let mut level = first.unwrap_or(!self.decoder.level());
        for clocks in runs {
            let heard = self.decoder.push(level, *clocks);
            if heard.slip.is_some() {
                return Err(Lost);
            }
            if let Some(bit) = heard.bit {
                self.word = self.word << 1 | u32::from(bit);
                self.bits += 1;
                if self.bits == BLOCK_BITS {
                    self.bits = 0;
                    self.words = self.words.saturating_add(1);
                    sink(self.word);
                }
            }
            level = !level;
        }
        // After whole blocks the grid itself says where the next one begins, so that errors do not add up.
        let grid = origin + BLOCK_TIME * u64::from(self.words);
        self.next = if self.bits > 0 || self.apart(now, grid) { now } else { grid };
        Ok(())
    }

    /// Whether two times differ by more than may be.
    fn apart(&self, one: Instant, other: Instant) -> bool {
        one.since(other).max(other.since(one)) > self.sync
    }

    pub(super) fn digest(&self, into: &mut Digest) {
        self.decoder.digest(into);
        into.word(u64::from(self.word)).word(u64::from(self.bits)).word(u64::from(self.words));
        match self.origin {
            Some(origin) => into.flag(true).age(origin).instant(self.next).age(self.next),
            None => into.flag(false).instant(self.earliest).instant(self.latest),
        };
    }
}
