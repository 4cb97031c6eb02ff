//! What a text means that a terminal speaks or shows.
//!
//! Shape: a result names a volume, a number of tonnes followed by `T`; the other texts are known by their words, in
//! capitals or not.

use assay_sim::money::Volume;

/// The parts that a self test names.
pub const PARTS: [&str; 4] = ["STORAGE", "VOICE", "DISPLAY", "SIGNAL"];

/// A text's meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Words {
    /// Initialisation failed.
    InitFailed,
    /// The self test passed.
    SelfTestPassed,
    /// The self test found a part wanting.
    PartFailed,
    /// The result of a card's visit.
    Result {
        /// The volume that it names.
        volume: Option<Volume>,
        /// Whether it says that it does not know.
        in_doubt: bool,
    },
}

impl Words {
    /// The meaning of a text.
    pub fn of(text: &str) -> Self {
        let text = text.to_ascii_uppercase();
        let failed = text.contains("FAIL");
        if text.contains("INIT") && failed {
            Self::InitFailed
        } else if text.contains("SELF TEST") && failed {
            Self::PartFailed
        } else if text.contains("SELF TEST") && text.contains("PASS") {
            Self::SelfTestPassed
        } else {
            Self::Result { volume: volume_in(&text), in_doubt: text.contains("DOUBT") }
        }
    }
}

/// The parts that a text names.
pub fn parts_in(text: &str) -> Vec<&'static str> {
    let text = text.to_ascii_uppercase();
    PARTS.into_iter().filter(|part| text.contains(part)).collect()
}

/// The number before a `T` that stands alone.
fn volume_in(text: &str) -> Option<Volume> {
    let words: Vec<&str> = text.split([' ', ',']).filter(|word| !word.is_empty()).collect();
    let pair =
        words.windows(2).find(|pair| pair[1] == "T" && pair[0].starts_with(|c: char| c.is_ascii_digit()))?;
    Volume::parse(pair[0].as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_known_by_their_words() {
        let result = |text: &str| match Words::of(text) {
            Words::Result { volume, in_doubt } => (volume.map(|volume| volume.0), in_doubt),
            other => panic!("{other:?}"),
        };
        assert_eq!(result("CREDITED 12.5 T"), (Some(1_250), false));
        assert_eq!(result("No order, credited 0 t"), (Some(0), false));
        assert_eq!(result("PRESENT CARD AGAIN, 12.5 T IN DOUBT"), (Some(1_250), true));
        assert_eq!(result("CREDITED"), (None, false));
        assert_eq!(result("TRY IN 5 MINUTES"), (None, false));
        assert_eq!(Words::of("INIT FAILED: NETWORK"), Words::InitFailed);
        assert_eq!(Words::of("SELF TEST PASSED"), Words::SelfTestPassed);
        assert_eq!(Words::of("SELF TEST FAILED: voice"), Words::PartFailed);
        assert_eq!(parts_in("SELF TEST FAILED: voice"), ["VOICE"]);
        assert_eq!(parts_in("SELF TEST FAILED: DEVICE"), [""; 0]);
    }
}
