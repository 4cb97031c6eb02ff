//! The choices of form that both ends of a path must share.

use serde::Deserialize;

/// How datagrams are formed where devices differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrameFormat {
    /// The longest datagram that is read whole; a longer one is malformed. Source: every vendor sample's buffer.
    ///
    /// Units: bytes.
    pub datagram_max: usize,
    /// The longest sequence number that is echoed.
    ///
    /// Units: bytes.
    pub seq_max: usize,
    /// The form of a 128.
    pub scan: ScanForm,
}

/// The form of a 128, which has a text of any shape in its middle, so that nothing can be told from its field count.
///
/// Source: POS-P6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScanForm {
    /// Whether a field of unknown meaning stands before the code.
    pub flag: bool,
    /// Whether the hardware serial stands after it.
    pub serial: bool,
}
