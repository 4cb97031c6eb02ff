//! The choices of form that both ends of a frame link must share.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::time::Span;

/// How the length field is written. It counts from the header through the content, without the CRC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LengthForm {
    /// Two bytes, high byte first.
    U16,
    /// One byte.
    U8,
}

impl LengthForm {
    /// How many bytes the field takes.
    pub const fn size(self) -> usize {
        match self {
            Self::U16 => 2,
            Self::U8 => 1,
        }
    }

    /// The largest length that it can say.
    pub const fn length_max(self) -> usize {
        match self {
            Self::U16 => u16::MAX as usize,
            Self::U8 => u8::MAX as usize,
        }
    }
}

/// How the machine number is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MachineForm {
    /// Ten digits packed into five bytes.
    Bcd,
    /// Ten ASCII digits.
    Ascii,
    /// An unsigned 32-bit number, high byte first: machine numbers up to 4294967295 only.
    U32,
}

impl MachineForm {
    /// How many bytes the field takes.
    pub const fn size(self) -> usize {
        match self {
            Self::Bcd => 5,
            Self::Ascii => 10,
            Self::U32 => 4,
        }
    }
}

/// The form of a frame.
///
/// Shape: header (2), answer word (1), type (1), version (1), length (1 or 2), machine number (5, 10 or 4), content,
/// CRC-16/XMODEM (2, high byte first) over all before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrameFormat {
    /// The two bytes that every frame starts with.
    pub header: [u8; 2],
    /// The only protocol version that is understood.
    pub version: u8,
    /// How the length is written.
    pub length: LengthForm,
    /// How the machine number is written.
    pub machine: MachineForm,
    /// The longest content.
    ///
    /// Units: bytes.
    pub content_max: usize,
    /// How long a link may be silent inside a frame before the frame is given up.
    pub frame_gap: Span,
}

/// A form that cannot carry what it promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum UnsoundFormat {
    /// The length field cannot say the longest frame.
    #[error(
        "a length field that ends at {length_max} cannot say a frame with {content_max} bytes of content"
    )]
    LengthTooNarrow {
        /// The largest length that the field can say.
        length_max: usize,
        /// The promised content.
        content_max: usize,
    },
}

impl FrameFormat {
    /// Where the machine number starts.
    pub const fn machine_at(&self) -> usize {
        5 + self.length.size()
    }

    /// Where the content starts, which is also the smallest value of the length field.
    pub const fn content_at(&self) -> usize {
        self.machine_at() + self.machine.size()
    }

    /// The largest value of the length field.
    pub fn length_max(&self) -> usize {
        self.content_at().saturating_add(self.content_max).min(self.length.length_max())
    }

    /// Checks that the length field can say the longest frame.
    ///
    /// Errors: [`UnsoundFormat`].
    pub fn check(&self) -> Result<(), UnsoundFormat> {
        if self.content_at().saturating_add(self.content_max) > self.length.length_max() {
            return Err(UnsoundFormat::LengthTooNarrow {
                length_max: self.length.length_max(),
                content_max: self.content_max,
            });
        }
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The form of the built-in profile.
    pub(crate) fn profile_format() -> FrameFormat {
        #[derive(Deserialize)]
        struct Profile {
            frame: FrameFormat,
        }
        let profile: Profile =
            toml::from_str(include_str!("../../../../fixtures/profiles/water.toml")).unwrap();
        profile.frame
    }

    #[test]
    fn the_profile_states_the_documented_form() {
        let expected = FrameFormat {
            header: [0xAA, 0x55],
            version: 1,
            length: LengthForm::U16,
            machine: MachineForm::Bcd,
            content_max: 64,
            frame_gap: Span::ms(500),
        };
        assert_eq!(profile_format(), expected);
        assert_eq!(profile_format().check(), Ok(()));
        assert_eq!((expected.content_at(), expected.length_max()), (12, 76));
    }

    #[test]
    fn a_length_field_too_narrow_for_the_content_is_unsound() {
        let widest = FrameFormat { length: LengthForm::U8, content_max: 244, ..profile_format() };
        assert_eq!(widest.check(), Ok(()));
        let wider = FrameFormat { content_max: 245, ..widest };
        let refused = UnsoundFormat::LengthTooNarrow { length_max: 255, content_max: 245 };
        assert_eq!(wider.check(), Err(refused));
        assert_eq!(wider.length_max(), 255);
    }
}
