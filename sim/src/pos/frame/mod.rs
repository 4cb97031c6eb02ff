//! Datagrams of POS terminals and their server.
//!
//! Shape: one message a datagram, fields of text separated by commas, the first a command of three digits. Text for
//! people is GBK; everything else is ASCII. There is no length and no check.
//!
//! - [`field`] is the lower level: any bytes at all, cut at commas.
//! - [`device`] and [`server`] are the upper level: what a datagram of the right shape means.
//! - [`text`] is the text for people, in which no byte may be taken out of its character.

pub mod device;
pub mod field;
pub mod format;
pub mod label;
pub mod message;
pub mod server;
#[cfg(test)]
mod tests;
pub mod text;
mod write;

pub use device::{DeviceMessage, Head};
pub use field::{CodeNumber, MachineNumber, RecordAddress, SaleTime, Seq, command, parse_amount};
pub use format::{FrameFormat, ScanForm};
pub use message::{Confirmed, Cue, Key, Malformed, Mode, Read};
pub use server::ServerMessage;
pub(in crate::pos) use write::put_amount;
