//! The frames between terminal and message server.
//!
//! - [`RawFrame`] is a frame as bytes: header, lengths and CRC, any content. [`FrameFormat`] holds the choices of
//!   form that both ends must share, [`FrameStream`] finds frames in what a connection delivers.
//! - [`Message`] is what a frame means.
//! - [`payload_label`] names a frame for whoever plans faults.

mod format;
mod label;
mod message;
mod number;
mod raw;
mod stream;

pub use format::{FrameFormat, LengthForm, MachineForm, UnsoundFormat};
pub use label::{ipdata_label, payload_label};
pub use message::{Answer, ContentError, Kind, Message, Offer, Request, UploadState, WriteResult};
pub use number::{MachineNumber, NotAMachineNumber, NotAnOrderNumber, OrderNumber};
pub use raw::{RawFrame, Scanned, crc16_xmodem, word};
pub use stream::FrameStream;
