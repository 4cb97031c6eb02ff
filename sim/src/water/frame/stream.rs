//! The frames in what one connection delivers.

use crate::digest::Digest;
use crate::time::Instant;
use crate::water::frame::format::FrameFormat;
use crate::water::frame::raw::{RawFrame, Scanned};

/// Finds frames in a byte stream however it is cut, and gives up an incomplete one after a silence.
///
/// Use: [`Self::expire`] with the time of whatever happens, [`Self::push`] what arrived if anything, [`Self::poll`]
/// until it returns `None`; then [`Self::deadline`] is up to date and what is held is shorter than a frame.
///
/// Source: WAT-F4, WAT-F5.
#[derive(Clone, Debug, Default)]
pub struct FrameStream {
    held: Vec<u8>,
    /// How many of the held bytes are done with.
    done: usize,
    /// Up to where the held bytes were given up: no frame that starts before goes on behind.
    given_up: usize,
    gap_at: Option<Instant>,
}

impl FrameStream {
    /// Adds bytes that arrived at `at`; [`Self::expire`] comes first.
    pub fn push(&mut self, format: &FrameFormat, at: Instant, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
        self.gap_at = Some(at + format.frame_gap);
    }

    /// The next frame, damaged frame or piece of junk; `None` when more bytes are needed.
    pub fn poll(&mut self, format: &FrameFormat) -> Option<Scanned> {
        if self.done >= self.given_up {
            self.given_up = 0;
        }
        let lost = self.given_up > 0;
        let end = if lost { self.given_up } else { self.held.len() };
        let scanned = RawFrame::scan_detailed(format, &self.held[self.done..end]);
        match scanned {
            Scanned::Frame { used, .. } | Scanned::BadCrc { used, .. } | Scanned::Junk { used, .. } => {
                self.done += used;
                Some(scanned)
            }
            Scanned::NeedMore if lost => {
                self.done += 1;
                Some(Scanned::Junk { used: 1, why: "incomplete frame, then silence" })
            }
            Scanned::NeedMore => {
                self.held.drain(..self.done);
                self.done = 0;
                if self.held.is_empty() {
                    self.gap_at = None;
                }
                None
            }
        }
    }

    /// Drops more of what [`Self::poll`] just reported, for a reader that takes a damaged frame whole.
    pub fn skip(&mut self, bytes: usize) {
        self.done = self.done.saturating_add(bytes).min(self.held.len());
    }

    /// When an incomplete frame is given up.
    pub fn deadline(&self) -> Option<Instant> {
        self.gap_at
    }

    /// Gives up an incomplete frame whose time has come; whether there was one. [`Self::poll`] then gives what is
    /// inside it.
    pub fn expire(&mut self, now: Instant) -> bool {
        if self.gap_at.is_none_or(|at| at > now) {
            return false;
        }
        self.gap_at = None;
        self.given_up = self.held.len();
        true
    }

    /// Drops everything held.
    pub fn clear(&mut self) {
        self.held.clear();
        self.done = 0;
        self.given_up = 0;
        self.gap_at = None;
    }

    /// Adds what is held and when it is given up.
    pub fn digest(&self, into: &mut Digest) {
        let given_up = self.given_up.saturating_sub(self.done) as u64;
        into.bytes(&self.held[self.done..]).word(given_up).deadline(self.gap_at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Span;
    use crate::water::frame::format::tests::profile_format;

    const HEARTBEAT: [u8; 14] = *b"\xAA\x55\x00\x00\x01\x00\x0C\x20\x18\x01\x09\x25\x62\x2A";

    fn at_ms(ms: u64) -> Instant {
        Instant::ZERO + Span::ms(ms)
    }

    /// How many frames come out until more bytes are needed.
    fn frames(stream: &mut FrameStream) -> usize {
        let format = profile_format();
        std::iter::from_fn(|| stream.poll(&format))
            .filter(|found| matches!(found, Scanned::Frame { .. }))
            .count()
    }

    #[test]
    fn a_frame_cut_in_two_is_whole_one_tick_before_the_gap_ends_and_lost_at_it() {
        let format = profile_format();
        let mut half = FrameStream::default();
        half.push(&format, at_ms(1_000), &HEARTBEAT[..9]);
        assert_eq!(frames(&mut half), 0);
        assert_eq!(half.deadline(), Some(at_ms(1_500)));

        let mut early = half.clone();
        assert!(!early.expire(Instant::from_us(1_499_999)));
        early.push(&format, Instant::from_us(1_499_999), &HEARTBEAT[9..]);
        assert_eq!(frames(&mut early), 1);
        assert_eq!(early.deadline(), None);

        assert!(half.expire(at_ms(1_500)));
        half.push(&format, at_ms(1_500), &HEARTBEAT[9..]);
        assert_eq!(frames(&mut half), 0);
    }

    #[test]
    fn a_sound_frame_inside_what_is_given_up_is_found() {
        let format = profile_format();
        let mut stream = FrameStream::default();
        // A header that announces 64 bytes of content, and then only a heartbeat.
        stream.push(&format, at_ms(0), b"\xAA\x55\x00\x01\x01\x00\x4C\x20\x18\x01\x09\x25");
        stream.push(&format, at_ms(10), &HEARTBEAT);
        assert_eq!(frames(&mut stream), 0);
        assert!(stream.expire(at_ms(510)));
        assert_eq!(frames(&mut stream), 1);
        assert_eq!(stream.deadline(), None);
    }

    #[test]
    fn a_sound_frame_inside_a_damaged_one_is_found() {
        let format = profile_format();
        let mut stream = FrameStream::default();
        let mut damaged = b"\xAA\x55\x00\x01\x01\x00\x1A\x20\x18\x01\x09\x25".to_vec();
        damaged.extend_from_slice(&HEARTBEAT);
        damaged.extend_from_slice(&[0, 0]);
        stream.push(&format, at_ms(0), &damaged);
        assert!(matches!(stream.poll(&format), Some(Scanned::BadCrc { len: 28, .. })));
        assert_eq!(frames(&mut stream), 1);
    }

    #[test]
    fn what_is_held_stays_below_a_frame() {
        let format = profile_format();
        let mut stream = FrameStream::default();
        for _ in 0..100 {
            stream.push(&format, at_ms(0), &[0xAA; 1_000]);
            assert_eq!(frames(&mut stream), 0);
            assert!(stream.held.len() < 78, "{}", stream.held.len());
        }
    }
}
