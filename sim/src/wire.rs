//! The contract of every codec, and the four laws that each must keep.

use thiserror::Error;

/// What a scan found at the front of some bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scan<T> {
    /// A whole frame.
    Frame {
        /// Its meaning.
        frame: T,
        /// How many bytes it took: at least one.
        used: usize,
    },
    /// A beginning that may yet become a frame.
    NeedMore,
    /// Bytes that cannot begin a frame.
    Junk {
        /// How many to drop before scanning again: at least one.
        used: usize,
        /// What is wrong with them.
        why: &'static str,
    },
}

/// A message that travels as bytes.
pub trait Wire: Sized {
    /// The choices of form that both ends must share; `()` where there are none.
    type Format;

    /// The most bytes that one frame can take.
    fn len_max(format: &Self::Format) -> usize;

    /// Appends the frame's bytes.
    fn encode(&self, format: &Self::Format, into: &mut Vec<u8>);

    /// Looks at the front of `bytes`. Total: any bytes at all get an answer.
    fn scan(format: &Self::Format, bytes: &[u8]) -> Scan<Self>;

    /// The frame's bytes on their own.
    fn to_bytes(&self, format: &Self::Format) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.encode(format, &mut bytes);
        bytes
    }
}

/// What an [`Assembler`] made of the bytes so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece<T> {
    /// A frame.
    Frame(T),
    /// Bytes dropped, and why.
    Junk {
        /// The bytes.
        bytes: Vec<u8>,
        /// What was wrong with them.
        why: &'static str,
    },
}

/// Collects a byte stream into frames, however the stream is cut.
#[derive(Clone, Debug, Default)]
pub struct Assembler {
    held: Vec<u8>,
}

impl Assembler {
    /// Adds bytes that arrived.
    pub fn push(&mut self, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
    }

    /// The next piece; `None` when more bytes are needed.
    pub fn poll<T: Wire>(&mut self, format: &T::Format) -> Option<Piece<T>> {
        if self.held.is_empty() {
            return None;
        }
        match T::scan(format, &self.held) {
            Scan::Frame { frame, used } => {
                self.held.drain(..used);
                Some(Piece::Frame(frame))
            }
            Scan::Junk { used, why } => Some(Piece::Junk { bytes: self.held.drain(..used).collect(), why }),
            Scan::NeedMore => None,
        }
    }

    /// Gives up on an incomplete frame: drops its first byte, so that the rest is scanned anew.
    pub fn give_up(&mut self) -> Option<u8> {
        if self.held.is_empty() { None } else { Some(self.held.remove(0)) }
    }

    /// What is held and not yet a frame.
    pub fn held(&self) -> &[u8] {
        &self.held
    }

    /// Drops everything held.
    pub fn clear(&mut self) {
        self.held.clear();
    }
}

/// A law that a codec broke.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LawBroken {
    /// A scan used no byte, or more than there were.
    #[error("a scan of {len} bytes used {used}")]
    NotTotal {
        /// How many bytes there were.
        len: usize,
        /// How many the scan said it used.
        used: usize,
    },
    /// A frame does not come back from its own bytes.
    #[error("a frame of {len} bytes does not come back from its own encoding")]
    NoRoundTrip {
        /// Its length.
        len: usize,
    },
    /// An encoding is longer than the codec's stated limit.
    #[error("an encoding of {len} bytes is longer than the stated {max}")]
    TooLong {
        /// Its length.
        len: usize,
        /// The stated limit.
        max: usize,
    },
    /// A strict prefix of a frame was taken for something.
    #[error("the first {len} bytes of a frame do not ask for more")]
    PrefixTaken {
        /// The prefix's length.
        len: usize,
    },
    /// The same stream gave other pieces when it was cut otherwise.
    #[error("cut otherwise, the same {len} bytes give other frames")]
    ChunksMatter {
        /// The stream's length.
        len: usize,
    },
}

/// Checks the four laws for one frame, some noise around it and some places to cut the stream: every scan is total,
/// the frame round-trips, each of its strict prefixes needs more, and no chunking changes what is found.
///
/// Errors: the first law that is broken.
pub fn check_laws<T: Wire + PartialEq>(
    format: &T::Format,
    frame: &T,
    noise: &[u8],
    cuts: &[usize],
) -> Result<(), LawBroken> {
    let encoded = frame.to_bytes(format);
    let max = T::len_max(format);
    if encoded.len() > max {
        return Err(LawBroken::TooLong { len: encoded.len(), max });
    }
    match T::scan(format, &encoded) {
        Scan::Frame { frame: back, used } if back == *frame && used == encoded.len() => {}
        _ => return Err(LawBroken::NoRoundTrip { len: encoded.len() }),
    }
    for len in 0..encoded.len() {
        if T::scan(format, &encoded[..len]) != Scan::NeedMore {
            return Err(LawBroken::PrefixTaken { len });
        }
    }
    let stream: Vec<u8> = [noise, &encoded, noise, &encoded].concat();
    let whole = pieces::<T>(format, &[&stream])?;
    let mut places: Vec<usize> = cuts.iter().map(|cut| cut % (stream.len() + 1)).collect();
    places.extend([0, stream.len()]);
    places.sort_unstable();
    let chunks: Vec<&[u8]> = places.windows(2).map(|pair| &stream[pair[0]..pair[1]]).collect();
    let single: Vec<&[u8]> = stream.chunks(1).collect();
    if pieces::<T>(format, &chunks)? != whole || pieces::<T>(format, &single)? != whole {
        return Err(LawBroken::ChunksMatter { len: stream.len() });
    }
    Ok(())
}

/// The frames found in a stream that arrives in these chunks, and what is left over.
fn pieces<T: Wire + PartialEq>(format: &T::Format, chunks: &[&[u8]]) -> Result<(Vec<T>, Vec<u8>), LawBroken> {
    let mut held: Vec<u8> = Vec::new();
    let mut frames = Vec::new();
    for chunk in chunks {
        held.extend_from_slice(chunk);
        while !held.is_empty() {
            let used = match T::scan(format, &held) {
                Scan::NeedMore => break,
                Scan::Frame { frame, used } => {
                    frames.push(frame);
                    used
                }
                Scan::Junk { used, .. } => used,
            };
            if used == 0 || used > held.len() {
                return Err(LawBroken::NotTotal { len: held.len(), used });
            }
            held.drain(..used);
        }
    }
    Ok((frames, held))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One length byte and that many bytes; a length over three is junk. `loose` breaks the prefix law on purpose.
    #[derive(Clone, Debug, PartialEq)]
    struct Toy(Vec<u8>);

    impl Wire for Toy {
        type Format = bool;
        fn len_max(_: &bool) -> usize {
            4
        }
        fn encode(&self, _: &bool, into: &mut Vec<u8>) {
            into.push(u8::try_from(self.0.len()).unwrap());
            into.extend_from_slice(&self.0);
        }
        fn scan(loose: &bool, bytes: &[u8]) -> Scan<Self> {
            match bytes.first() {
                None => Scan::NeedMore,
                Some(len) if *len > 3 => Scan::Junk { used: 1, why: "length over three" },
                Some(len) => match bytes.get(1..=usize::from(*len)) {
                    Some(body) => Scan::Frame { frame: Self(body.to_vec()), used: 1 + body.len() },
                    None if *loose => Scan::Junk { used: 1, why: "impatient" },
                    None => Scan::NeedMore,
                },
            }
        }
    }

    #[test]
    fn the_laws_hold_for_a_sound_codec_and_name_the_broken_one() {
        let frame = Toy(vec![1, 2, 3]);
        assert_eq!(check_laws(&false, &frame, &[9, 8], &[1, 5]), Ok(()));
        assert_eq!(check_laws(&true, &frame, &[9], &[1]), Err(LawBroken::PrefixTaken { len: 1 }));
        assert_eq!(
            check_laws(&false, &Toy(vec![0; 9]), &[], &[]),
            Err(LawBroken::TooLong { len: 10, max: 4 })
        );
    }

    #[test]
    fn an_assembler_resumes_one_byte_after_what_it_gave_up() {
        let mut assembler = Assembler::default();
        assembler.push(&[2, 1, 7]);
        assert_eq!(assembler.poll::<Toy>(&false), Some(Piece::Frame(Toy(vec![1, 7]))));
        assembler.push(&[3, 1, 9]);
        assert_eq!(assembler.poll::<Toy>(&false), None);
        assert_eq!(assembler.give_up(), Some(3));
        assert_eq!(assembler.poll::<Toy>(&false), Some(Piece::Frame(Toy(vec![9]))));
    }
}
