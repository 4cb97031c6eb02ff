//! Bytes that are nearly always few: kept in place, so that a clone is a copy.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How many bytes are kept in place.
const HERE_MAX: usize = 22;

/// Bytes such as a serial or a sequence number.
///
/// Shape: at most 22 bytes in place, more of them on the heap; equality, order and hash are those of the bytes.
#[derive(Clone)]
pub struct Short(Kept);

#[derive(Clone)]
enum Kept {
    Here { len: u8, bytes: [u8; HERE_MAX] },
    Far(Box<[u8]>),
}

impl Default for Short {
    fn default() -> Self {
        Self::from(&[][..])
    }
}

impl From<&[u8]> for Short {
    fn from(from: &[u8]) -> Self {
        let mut bytes = [0; HERE_MAX];
        match (bytes.get_mut(..from.len()), u8::try_from(from.len())) {
            (Some(place), Ok(len)) => {
                place.copy_from_slice(from);
                Self(Kept::Here { len, bytes })
            }
            _ => Self(Kept::Far(from.into())),
        }
    }
}

impl From<Vec<u8>> for Short {
    fn from(bytes: Vec<u8>) -> Self {
        Self::from(&bytes[..])
    }
}

impl Short {
    /// A number that is the same for the same bytes, to find them by.
    pub(crate) fn spread(&self) -> u64 {
        const ODD: u64 = 0x9E37_79B9_7F4A_7C15;
        let mix = |hash: u64, word: u64| (hash ^ word).wrapping_mul(ODD).rotate_left(29);
        let word = |part: &[u8]| part.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
        match &self.0 {
            Kept::Here { len, bytes } => {
                let words = [word(&bytes[..8]), word(&bytes[8..16]), word(&bytes[16..])];
                words.into_iter().fold(u64::from(*len), mix)
            }
            Kept::Far(bytes) => bytes.chunks(8).map(word).fold(bytes.len() as u64, mix),
        }
    }
}

impl Deref for Short {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        match &self.0 {
            Kept::Here { len, bytes } => bytes.get(..usize::from(*len)).unwrap_or_default(),
            Kept::Far(bytes) => bytes,
        }
    }
}

impl PartialEq for Short {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            // What is not used is zero on both sides.
            (Kept::Here { len, bytes }, Kept::Here { len: other_len, bytes: other }) => {
                len == other_len && bytes == other
            }
            _ => **self == **other,
        }
    }
}

impl Eq for Short {}

impl PartialOrd for Short {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Short {
    fn cmp(&self, other: &Self) -> Ordering {
        (**self).cmp(&**other)
    }
}

impl Hash for Short {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl fmt::Debug for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl Serialize for Short {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (**self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Short {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer).map(Self::from)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn short_bytes_are_compared_as_bytes(
            one in prop::collection::vec(0..3_u8, 0..26),
            other in prop::collection::vec(0..3_u8, 0..26),
        ) {
            let (a, b) = (Short::from(&one[..]), Short::from(other.clone()));
            prop_assert_eq!(&*a, &one[..]);
            prop_assert_eq!(&a.clone(), &a);
            prop_assert_eq!(a == b, one == other);
            prop_assert_eq!(a.cmp(&b), one.cmp(&other));
        }
    }

    #[test]
    fn they_are_kept_in_place_as_long_as_there_is_room() {
        for (len, here) in [(0, true), (HERE_MAX, true), (HERE_MAX + 1, false)] {
            let short = Short::from(vec![7; len]);
            assert_eq!((short.len(), matches!(short.0, Kept::Here { .. })), (len, here));
        }
        assert_eq!(std::mem::size_of::<Short>(), 24);
    }
}
