//! What is sealed in a message on the link.

use thiserror::Error;

use super::{Fields, OrderNumber};

/// Codes of a refusal on the link.
pub mod refusal {
    /// The session is none of this server's, or there is none yet: log in again.
    pub const SESSION: u8 = 0x01;
    /// There is no answer yet: ask again.
    pub const LATER: u8 = 0x02;
}

/// What is sealed in a message: everything that its head says, once more, and what the command needs.
///
/// Shape: `tag u8, length u8, value` in the order of the tags, integers big-endian: 00 command, 01 sequence, 02 device,
/// 03 session, 04 time, and as the command needs 05 order, 06 amount, 07 channel, 08 status, 09 link, 0A data,
/// 0B refusal, 0C nonce, 0D delivery.
///
/// Why: a checksum is no proof of origin, so whatever decides is inside; the session makes yesterday's messages void.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Body {
    /// What is asked or answered.
    pub command: u8,
    /// The asker's count.
    pub sequence: u32,
    /// The module's number.
    pub device: u32,
    /// What the server drew at login; 0 before.
    pub session: u64,
    /// The sender's calendar.
    ///
    /// Units: seconds since 1970.
    pub time_s: u32,
    /// Which order.
    pub order: Option<OrderNumber>,
    /// Units: fen.
    pub amount: Option<u32>,
    /// 1 is WeChat Pay, 2 is Alipay.
    pub channel: Option<u8>,
    /// How the order stands.
    pub status: Option<u8>,
    /// The pay link.
    pub link: Option<Vec<u8>>,
    /// Bytes that go through.
    pub data: Option<Vec<u8>>,
    /// Why a message is not acted on.
    pub refusal: Option<u8>,
    /// What the module drew for its login.
    pub nonce: Option<u64>,
    /// What became of the delivery: a status, [`super::status::PAID`] or [`super::status::DOUBT`].
    pub delivery: Option<u8>,
}

/// Bytes that are no body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("what is sealed in it does not read")]
pub struct NotABody;

impl Body {
    /// Its bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(96);
        let mut put = |tag: u8, value: &[u8]| {
            let len = value.len().min(usize::from(u8::MAX));
            bytes.extend([tag, u8::try_from(len).unwrap_or(u8::MAX)]);
            bytes.extend_from_slice(&value[..len]);
        };
        put(0x00, &[self.command]);
        put(0x01, &self.sequence.to_be_bytes());
        put(0x02, &self.device.to_be_bytes());
        put(0x03, &self.session.to_be_bytes());
        put(0x04, &self.time_s.to_be_bytes());
        if let Some(order) = &self.order {
            put(0x05, order.digits());
        }
        if let Some(amount) = self.amount {
            put(0x06, &amount.to_be_bytes());
        }
        for (tag, byte) in [(0x07, self.channel), (0x08, self.status)] {
            byte.into_iter().for_each(|byte| put(tag, &[byte]));
        }
        for (tag, text) in [(0x09, &self.link), (0x0A, &self.data)] {
            text.iter().for_each(|text| put(tag, text));
        }
        if let Some(refusal) = self.refusal {
            put(0x0B, &[refusal]);
        }
        if let Some(nonce) = self.nonce {
            put(0x0C, &nonce.to_be_bytes());
        }
        if let Some(delivery) = self.delivery {
            put(0x0D, &[delivery]);
        }
        bytes
    }

    /// The body in these bytes.
    ///
    /// Errors: [`NotABody`]: a tag that is unknown, out of order or missing, or a value that is none.
    pub fn read(bytes: &[u8]) -> Result<Self, NotABody> {
        let (mut body, mut fields) = (Self::default(), Fields(bytes));
        let (mut last, mut seen) = (None, 0);
        while let Some(tag) = fields.byte() {
            let len = fields.byte().ok_or(NotABody)?;
            let value = fields.take(usize::from(len)).ok_or(NotABody)?;
            if last.is_some_and(|last| tag <= last) {
                return Err(NotABody);
            }
            last = Some(tag);
            seen += u32::from(tag <= 0x04);
            body.set(tag, value).ok_or(NotABody)?;
        }
        if seen == 5 { Ok(body) } else { Err(NotABody) }
    }

    fn set(&mut self, tag: u8, value: &[u8]) -> Option<()> {
        let byte = || match value {
            [byte] => Some(*byte),
            _ => None,
        };
        let word = || value.try_into().ok().map(u32::from_be_bytes);
        let long = || value.try_into().ok().map(u64::from_be_bytes);
        match tag {
            0x00 => self.command = byte()?,
            0x01 => self.sequence = word()?,
            0x02 => self.device = word()?,
            0x03 => self.session = long()?,
            0x04 => self.time_s = word()?,
            0x05 => self.order = Some(OrderNumber::parse(value).ok()?),
            0x06 => self.amount = Some(word()?),
            0x07 => self.channel = Some(byte()?),
            0x08 => self.status = Some(byte()?),
            0x09 => self.link = Some(value.to_vec()),
            0x0A => self.data = Some(value.to_vec()),
            0x0B => self.refusal = Some(byte()?),
            0x0C => self.nonce = Some(long()?),
            0x0D => self.delivery = Some(byte()?),
            _ => return None,
        }
        Some(())
    }
}
