//! TCP connections put together again: what was lost and repeated, out of order, or not recorded.

use std::collections::BTreeMap;
use std::net::SocketAddr;

/// A segment as it was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The number of its first byte.
    pub seq: u32,
    /// Up to where its sender has what the other side sent.
    pub ack: Option<u32>,
    /// Whether it opens a connection.
    pub syn: bool,
    /// Whether it ends one.
    pub fin: bool,
    /// Whether it breaks one off.
    pub rst: bool,
    /// Its bytes, as far as the recording has them.
    pub bytes: Vec<u8>,
}

/// What a segment brings about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// A connection stands, or is found standing; each of the same two ends has a number of its own.
    Opened,
    /// The next bytes of one way.
    Bytes(Vec<u8>),
    /// So many bytes reached the other side and are not in the recording.
    Missing(u32),
    /// This way is at its end, or the whole connection is.
    Closed,
}

/// The connections of a recording.
#[derive(Debug, Default)]
pub(super) struct Connections {
    halves: BTreeMap<(SocketAddr, SocketAddr), Half>,
    /// How many segments brought nothing new.
    pub(super) repeated: u64,
    /// How many came before what they follow.
    pub(super) early: u64,
}

/// One way of a connection.
#[derive(Debug, Default)]
struct Half {
    /// The number of the byte that comes next; nothing before the first segment.
    next: Option<u32>,
    /// What came before its turn, by its number.
    waiting: BTreeMap<u32, Vec<u8>>,
    /// The number at which it ends, once that is known.
    end: Option<u32>,
    closed: bool,
}

impl Connections {
    /// What a segment from one end to the other brings about: for its own way, and for the way back.
    pub(super) fn take(
        &mut self,
        from: SocketAddr,
        to: SocketAddr,
        segment: &Segment,
    ) -> (Vec<Piece>, Vec<Piece>) {
        let (mut own, mut back) = (Vec::new(), Vec::new());
        if let Some(ack) = segment.ack {
            let other = self.halves.entry((to, from)).or_default();
            other.acknowledged(ack, &mut back);
        }
        let half = self.halves.entry((from, to)).or_default();
        if segment.syn {
            let first = segment.seq.wrapping_add(1);
            if half.next != Some(first) || half.closed {
                *half = Half { next: Some(first), ..Half::default() };
                own.push(Piece::Opened);
            }
            return (own, back);
        }
        let next = match half.next {
            Some(next) => next,
            None => {
                // It was there before the recording.
                half.next = Some(segment.seq);
                own.push(Piece::Opened);
                segment.seq
            }
        };
        if segment.rst {
            half.close(&mut own);
            return (own, back);
        }
        let len = u32::try_from(segment.bytes.len()).unwrap_or(u32::MAX);
        if segment.fin {
            half.end = Some(segment.seq.wrapping_add(len));
        }
        match ahead(segment.seq, next) {
            behind if behind < 0 && ahead(segment.seq.wrapping_add(len), next) <= 0 => {
                self.repeated += u64::from(len > 0);
            }
            behind if behind <= 0 => {
                let known = usize::try_from(-behind).unwrap_or_default();
                half.deliver(segment.bytes[known..].to_vec(), &mut own);
            }
            _ => {
                self.early += 1;
                half.waiting.insert(segment.seq, segment.bytes.clone());
            }
        }
        half.drain(&mut own);
        (own, back)
    }
}

impl Half {
    fn deliver(&mut self, bytes: Vec<u8>, into: &mut Vec<Piece>) {
        let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        self.next = self.next.map(|next| next.wrapping_add(len));
        if len > 0 {
            into.push(Piece::Bytes(bytes));
        }
    }

    /// Whatever waits and has its turn.
    fn drain(&mut self, into: &mut Vec<Piece>) {
        let Some(mut next) = self.next else { return };
        while let Some(seq) = self.waiting.keys().copied().find(|seq| ahead(*seq, next) <= 0) {
            let bytes = self.waiting.remove(&seq).unwrap_or_default();
            let known = usize::try_from(-ahead(seq, next)).unwrap_or_default();
            if known < bytes.len() {
                self.deliver(bytes[known..].to_vec(), into);
                next = self.next.unwrap_or(next);
            }
        }
        if self.end.is_some_and(|end| ahead(end, next) <= 0) {
            self.close(into);
        }
    }

    /// The other side has everything up to here: what is not here by now was not recorded.
    fn acknowledged(&mut self, ack: u32, into: &mut Vec<Piece>) {
        let Some(next) = self.next else { return };
        // The end of a connection is counted like a byte.
        let ack =
            if self.end.is_some_and(|end| ack == end.wrapping_add(1)) { ack.wrapping_sub(1) } else { ack };
        if ahead(ack, next) <= 0 {
            return;
        }
        let first = self.waiting.keys().copied().filter(|seq| ahead(*seq, next) > 0).min_by_key(|seq| {
            // In the order of the connection, whose numbers wrap.
            ahead(*seq, next)
        });
        let until = first.filter(|first| ahead(*first, ack) < 0).unwrap_or(ack);
        into.push(Piece::Missing(until.wrapping_sub(next)));
        self.next = Some(until);
        self.drain(into);
    }

    fn close(&mut self, into: &mut Vec<Piece>) {
        if !self.closed {
            self.closed = true;
            into.push(Piece::Closed);
        }
    }
}

/// How far a number is ahead of another, below zero if it is behind; numbers wrap.
const fn ahead(number: u32, of: u32) -> i32 {
    number.wrapping_sub(of).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends() -> (SocketAddr, SocketAddr) {
        ("10.0.0.1:5000".parse().unwrap(), "10.0.0.2:7000".parse().unwrap())
    }

    fn data(seq: u32, bytes: &[u8]) -> Segment {
        Segment { seq, ack: None, syn: false, fin: false, rst: false, bytes: bytes.to_vec() }
    }

    fn bytes(text: &[u8]) -> Piece {
        Piece::Bytes(text.to_vec())
    }

    /// A connection that stands, its next byte being number 2 after a wrap.
    fn open() -> Connections {
        let mut connections = Connections::default();
        let (from, to) = ends();
        let syn = Segment { syn: true, ..data(u32::MAX - 1, b"") };
        assert_eq!(connections.take(from, to, &syn), (vec![Piece::Opened], Vec::new()));
        assert_eq!(connections.take(from, to, &syn).0, [], "a repeated opening opens nothing");
        assert_eq!(connections.take(from, to, &data(u32::MAX, b"abc")).0, [bytes(b"abc")]);
        connections
    }

    #[test]
    fn what_is_lost_and_repeated_or_out_of_order_comes_once_and_in_order() {
        let (mut it, (from, to)) = (open(), ends());
        assert_eq!(it.take(from, to, &data(u32::MAX, b"abc")).0, []);
        assert_eq!(it.take(from, to, &data(4, b"fg")).0, []);
        assert_eq!(it.take(from, to, &data(1, b"cde")).0, [bytes(b"de"), bytes(b"fg")]);
        assert_eq!((it.repeated, it.early), (1, 1));
    }

    #[test]
    fn what_was_received_and_not_recorded_is_missing_and_nothing_else_is() {
        let (mut it, (from, to)) = (open(), ends());
        assert_eq!(it.take(from, to, &data(6, b"xy")).0, []);
        let ack = |ack| Segment { ack: Some(ack), ..data(0, b"") };
        assert_eq!(it.take(to, from, &ack(2)).1, [], "it has what is recorded");
        assert_eq!(it.take(to, from, &ack(8)).1, [Piece::Missing(4), bytes(b"xy")]);
        assert_eq!(it.take(from, to, &data(2, b"late")).0, [], "it came too late to be told");
    }

    #[test]
    fn an_end_comes_after_what_is_before_it() {
        let (mut it, (from, to)) = (open(), ends());
        let fin = Segment { fin: true, ..data(4, b"!") };
        assert_eq!(it.take(from, to, &fin).0, []);
        assert_eq!(it.take(from, to, &data(2, b"hm")).0, [bytes(b"hm"), bytes(b"!"), Piece::Closed]);
        let ack = Segment { ack: Some(6), ..data(0, b"") };
        assert_eq!(it.take(to, from, &ack).1, [], "an end is counted like a byte, and none is missing");
        let mut it = open();
        let rst = Segment { rst: true, ..data(2, b"") };
        assert_eq!(it.take(from, to, &rst).0, [Piece::Closed]);
    }

    #[test]
    fn a_connection_from_before_the_recording_begins_where_it_is_found() {
        let (mut it, (from, to)) = (Connections::default(), ends());
        assert_eq!(it.take(from, to, &data(77, b"ab")).0, [Piece::Opened, bytes(b"ab")]);
    }
}
