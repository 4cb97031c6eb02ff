//! What travels between host, module and server.
//!
//! - [`HostFrame`] is a frame on the line between host and module, [`HostMessage`] what it means.
//! - [`Packet`] is a message on the link between module and server, sealed by [`LinkKey`]; [`Body`] is what is in it.

mod body;
mod host;
mod host_message;
mod number;
mod packet;
mod seal;
#[cfg(test)]
mod tests;

pub use body::{Body, NotABody, refusal};
pub use host::{HostFrame, host_label};
pub use host_message::{HostMessage, NotAHostMessage, Terms, host_error};
pub use number::{NotAnOrderNumber, OrderNumber};
pub use packet::{Packet, command, link_label};
pub use seal::{Cipher, LinkKey, NotAKey, Unsealed};

/// The checksum of both protocols.
const CRC: crc::Crc<u16> = crc::Crc::<u16>::new(&crc::CRC_16_XMODEM);

/// How an order stands, as hosts and modules are told it.
pub mod status {
    /// The pay link is waited for.
    pub const WAITING_LINK: u8 = 0x00;
    /// The pay link is there.
    pub const LINK_READY: u8 = 0x01;
    /// It can be paid.
    pub const WAITING_PAYMENT: u8 = 0x02;
    /// It is paid.
    pub const PAID: u8 = 0x03;
    /// It is closed, and nothing can come of it.
    pub const CLOSED: u8 = 0x04;
    /// It was refused.
    pub const REFUSED: u8 = 0x05;
    /// There is no network.
    pub const NETWORK: u8 = 0x06;
    /// Nobody knows.
    pub const UNKNOWN: u8 = 0x07;
    /// It is paid, and nobody knows whether it was delivered.
    pub const DOUBT: u8 = 0x08;
    /// It was paid, and the money has gone back.
    pub const REFUNDED: u8 = 0x09;

    /// Whether nothing more comes after it.
    pub const fn is_final(status: u8) -> bool {
        matches!(status, PAID | CLOSED | REFUSED | REFUNDED)
    }

    /// In words.
    pub const fn words(status: u8) -> &'static str {
        match status {
            WAITING_LINK => "waiting for the link",
            LINK_READY => "link ready",
            WAITING_PAYMENT => "waiting for payment",
            PAID => "paid",
            CLOSED => "closed",
            REFUSED => "refused",
            NETWORK => "no network",
            UNKNOWN => "unknown",
            DOUBT => "delivery in doubt",
            REFUNDED => "refunded",
            _ => "no status",
        }
    }
}

/// Takes fields off the front of a payload.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(head)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn byte(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }
}
