//! What a frame between host and module means.

use thiserror::Error;

use super::{Fields, HostFrame, OrderNumber};

/// Codes of [`HostMessage::Error`].
pub mod host_error {
    /// The frame's check is wrong.
    pub const CHECK: u8 = 0x01;
    /// There is no such command.
    pub const COMMAND: u8 = 0x02;
    /// A field is missing, too long, or has no such value.
    pub const FIELD: u8 = 0x03;
    /// The number belongs to an order with other terms.
    pub const ORDER_DIFFERS: u8 = 0x04;
    /// There are too many open orders.
    pub const BUSY: u8 = 0x05;
    /// There is no such order.
    pub const NO_ORDER: u8 = 0x06;
    /// The module's memory has failed.
    pub const STORAGE: u8 = 0x07;
}

/// What a host wants paid, and what is switched when it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Units: fen.
    pub amount: u32,
    /// 1 is WeChat Pay, 2 is Alipay.
    pub channel: u8,
    /// The relay, from 1 to 4; 0 is none.
    pub relay: u8,
    /// How long it is closed.
    ///
    /// Units: milliseconds.
    pub pulse_ms: u16,
}

impl Terms {
    /// How many bytes they take.
    pub(in crate::paymod) const LEN: usize = 8;

    pub(in crate::paymod) fn encode(&self, into: &mut Vec<u8>) {
        into.extend_from_slice(&self.amount.to_be_bytes());
        into.extend([self.channel, self.relay]);
        into.extend_from_slice(&self.pulse_ms.to_be_bytes());
    }

    /// The terms in these bytes, if every value is one.
    pub(in crate::paymod) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields(bytes);
        let amount = u32::from_be_bytes(fields.array()?);
        let (channel, relay) = (fields.byte()?, fields.byte()?);
        let pulse_ms = u16::from_be_bytes(fields.array()?);
        let sound = amount > 0 && matches!(channel, 1 | 2) && relay <= 4 && fields.0.is_empty();
        let switches = relay == 0 || pulse_ms > 0;
        (sound && switches).then_some(Self { amount, channel, relay, pulse_ms })
    }
}

/// What a frame between host and module means.
///
/// Shape: an answer has its question's command with the highest bit set, and its sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostMessage {
    /// 01, host: an order is to be paid.
    Pay {
        /// Its number.
        order: OrderNumber,
        /// Its terms.
        terms: Terms,
    },
    /// 81, module: how the order stands.
    PayAnswer {
        /// A status.
        status: u8,
        /// The pay link, or nothing.
        link: Vec<u8>,
    },
    /// 02, module: how an order stands, until it is acknowledged.
    Status {
        /// Which.
        order: OrderNumber,
        /// A status.
        status: u8,
        /// The pay link, or nothing.
        link: Vec<u8>,
    },
    /// 82, host: the status was taken.
    StatusAck {
        /// Of which order.
        order: OrderNumber,
        /// Which.
        status: u8,
    },
    /// 03, host: how does an order stand?
    Query {
        /// Which.
        order: OrderNumber,
    },
    /// 83, module: so.
    QueryAnswer {
        /// A status.
        status: u8,
        /// The pay link, or nothing.
        link: Vec<u8>,
    },
    /// 04, host: an order is no longer wanted.
    Cancel {
        /// Which.
        order: OrderNumber,
    },
    /// 84, module: how it stands now.
    CancelAnswer {
        /// A status.
        status: u8,
    },
    /// 05, both ways: bytes that go through.
    Data(Vec<u8>),
    /// 85, both ways: they were taken.
    DataAck,
    /// 7F, module: a frame cannot be acted on.
    Error {
        /// Why.
        code: u8,
    },
}

/// A frame that means nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NotAHostMessage {
    /// There is no such command.
    #[error("there is no command {0:02x}")]
    Command(u8),
    /// A field is missing, too long, or has no such value.
    #[error("the fields of command {0:02x} are not as they should be")]
    Field(u8),
}

impl HostMessage {
    /// What a frame means.
    ///
    /// Errors: [`NotAHostMessage`].
    pub fn of(frame: &HostFrame) -> Result<Self, NotAHostMessage> {
        let known = matches!(frame.command, 0x01..=0x05 | 0x81..=0x85 | 0x7F);
        if !known {
            return Err(NotAHostMessage::Command(frame.command));
        }
        Self::read(frame).ok_or(NotAHostMessage::Field(frame.command))
    }

    fn read(frame: &HostFrame) -> Option<Self> {
        let mut fields = Fields(&frame.payload);
        let order = |fields: &mut Fields<'_>| OrderNumber::parse(fields.take(20)?).ok();
        let message = match frame.command {
            0x01 => Self::Pay { order: order(&mut fields)?, terms: Terms::decode(fields.rest())? },
            0x81 => Self::PayAnswer { status: fields.byte()?, link: fields.rest().to_vec() },
            0x02 => Self::Status {
                order: order(&mut fields)?,
                status: fields.byte()?,
                link: fields.rest().to_vec(),
            },
            0x82 => Self::StatusAck { order: order(&mut fields)?, status: fields.byte()? },
            0x03 => Self::Query { order: order(&mut fields)? },
            0x83 => Self::QueryAnswer { status: fields.byte()?, link: fields.rest().to_vec() },
            0x04 => Self::Cancel { order: order(&mut fields)? },
            0x84 => Self::CancelAnswer { status: fields.byte()? },
            0x05 => Self::Data(Some(fields.rest().to_vec()).filter(|bytes| !bytes.is_empty())?),
            0x85 => Self::DataAck,
            0x7F => Self::Error { code: fields.byte()? },
            _ => return None,
        };
        fields.0.is_empty().then_some(message)
    }

    /// The frame that says it.
    pub fn frame(&self, sequence: u8) -> HostFrame {
        let mut payload = Vec::new();
        let command = match self {
            Self::Pay { order, terms } => {
                payload.extend_from_slice(order.digits());
                terms.encode(&mut payload);
                0x01
            }
            Self::Status { order, status, link } => {
                payload.extend_from_slice(order.digits());
                payload.push(*status);
                payload.extend_from_slice(link);
                0x02
            }
            Self::StatusAck { order, status } => {
                payload.extend_from_slice(order.digits());
                payload.push(*status);
                0x82
            }
            Self::PayAnswer { status, link } | Self::QueryAnswer { status, link } => {
                payload.push(*status);
                payload.extend_from_slice(link);
                if matches!(self, Self::PayAnswer { .. }) { 0x81 } else { 0x83 }
            }
            Self::Query { order } | Self::Cancel { order } => {
                payload.extend_from_slice(order.digits());
                if matches!(self, Self::Query { .. }) { 0x03 } else { 0x04 }
            }
            Self::CancelAnswer { status } => {
                payload.push(*status);
                0x84
            }
            Self::Data(bytes) => {
                payload.extend_from_slice(bytes);
                0x05
            }
            Self::DataAck => 0x85,
            Self::Error { code } => {
                payload.push(*code);
                0x7F
            }
        };
        HostFrame { command, sequence, payload }
    }
}
