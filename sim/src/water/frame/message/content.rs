//! The fields of a message's content: ASCII, separated by `%`.

use std::net::{Ipv4Addr, SocketAddrV4};

use crate::card::number::CardNumber;
use crate::money::Volume;
use crate::time::Wall;
use crate::water::frame::message::{Answer, ContentError, Kind, Offer, Request, UploadState, WriteResult};
use crate::water::frame::number::OrderNumber;

const FIELDS_MAX: usize = 5;
const PART_LEN_MAX: usize = 16;

/// The fields of a content, at most [`FIELDS_MAX`] of them.
struct Fields<'a> {
    fields: [&'a [u8]; FIELDS_MAX],
    len: usize,
}

impl<'a> Fields<'a> {
    /// Cuts a content into fields, of which there must be from `least` to `most`.
    fn cut(content: &'a [u8], least: usize, most: usize) -> Result<Self, ContentError> {
        let mut fields: [&[u8]; FIELDS_MAX] = [&[]; FIELDS_MAX];
        let mut len = 0;
        for field in content.split(|byte| *byte == b'%') {
            if let Some(place) = fields.get_mut(len) {
                *place = field;
            }
            len += 1;
        }
        if (least..=most).contains(&len) {
            Ok(Self { fields, len })
        } else {
            Err(ContentError::FieldCount { expected: most, found: len })
        }
    }

    /// Reads the field at `index`.
    fn read<T>(
        &self,
        index: usize,
        expected: &'static str,
        parse: impl FnOnce(&'a [u8]) -> Option<T>,
    ) -> Result<T, ContentError> {
        parse(self.fields[index]).ok_or(ContentError::Field { field: index + 1, expected })
    }

    fn card(&self, index: usize) -> Result<CardNumber, ContentError> {
        self.read(index, "a card number", |field| CardNumber::parse(field).ok())
    }

    fn order(&self, index: usize) -> Result<OrderNumber, ContentError> {
        self.read(index, "an order number", |field| OrderNumber::parse(field).ok())
    }

    fn volume(&self, index: usize) -> Result<Volume, ContentError> {
        self.read(index, "a volume", |field| Volume::parse(field).ok())
    }

    /// A decimal number of at most five digits that fits 16 bits.
    fn number(&self, index: usize) -> Result<u16, ContentError> {
        self.read(index, "a number", |field| {
            if !(1..=5).contains(&field.len()) || !field.iter().all(u8::is_ascii_digit) {
                return None;
            }
            u16::try_from(field.iter().fold(0_u32, |sum, digit| sum * 10 + u32::from(digit - b'0'))).ok()
        })
    }

    fn positive(&self, index: usize) -> Result<u16, ContentError> {
        let number = self.number(index)?;
        self.read(index, "a number above zero", |_| (number > 0).then_some(number))
    }

    fn date(&self, index: usize) -> Result<Wall, ContentError> {
        self.read(index, "a date and time", |field| Wall::parse_digits(field).ok())
    }

    fn ip(&self, index: usize) -> Result<Ipv4Addr, ContentError> {
        self.read(index, "an IPv4 address", |field| std::str::from_utf8(field).ok()?.parse().ok())
    }
}

/// Checks that a content is empty.
pub(super) fn none(content: &[u8]) -> Result<(), ContentError> {
    if content.is_empty() {
        return Ok(());
    }
    let found = content.split(|byte| *byte == b'%').count();
    Err(ContentError::FieldCount { expected: 0, found })
}

/// The content of a message.
pub(super) fn request(kind: Kind, content: &[u8]) -> Result<Request, ContentError> {
    Ok(match kind {
        Kind::Heartbeat => none(content).map(|()| Request::Heartbeat)?,
        Kind::Clock => none(content).map(|()| Request::Clock)?,
        Kind::Parameters => none(content).map(|()| Request::Parameters)?,
        Kind::OrderRequest => {
            let fields = Fields::cut(content, 2, 2)?;
            Request::OrderRequest { card: fields.card(0)?, sold: fields.volume(1)? }
        }
        Kind::CardQuery => {
            let fields = Fields::cut(content, 2, 2)?;
            Request::CardQuery { card: fields.card(0)?, sold: fields.volume(1)? }
        }
        Kind::Upload => {
            let fields = Fields::cut(content, 4, 4)?;
            let result = fields.read(2, "a result", |field| match field {
                b"0" => Some(WriteResult::Failed),
                b"1" => Some(WriteResult::Written),
                b"2" => Some(WriteResult::InDoubt),
                _ => None,
            })?;
            Request::Upload {
                card: fields.card(0)?,
                order: fields.order(1)?,
                result,
                sold: fields.volume(3)?,
            }
        }
        Kind::FaultReport => {
            let fields = Fields::cut(content, 2, 2)?;
            Request::FaultReport {
                part: fields.read(0, "the name of a part", part)?,
                code: fields.number(1)?,
            }
        }
    })
}

fn part(field: &[u8]) -> Option<String> {
    let named = (1..=PART_LEN_MAX).contains(&field.len())
        && field.iter().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-');
    if named { String::from_utf8(field.to_vec()).ok() } else { None }
}

/// The content of an answer.
pub(super) fn answer(kind: Kind, content: &[u8]) -> Result<Answer, ContentError> {
    Ok(match kind {
        Kind::Heartbeat => Answer::Heartbeat { at: Fields::cut(content, 1, 1)?.date(0)? },
        Kind::Clock => Answer::Clock { at: Fields::cut(content, 1, 1)?.date(0)? },
        Kind::OrderRequest => {
            let fields = Fields::cut(content, 4, 5)?;
            let (card, offer) = (fields.card(0)?, offer(&fields)?);
            let base = if fields.len == 5 { Some(fields.volume(4)?) } else { None };
            Answer::OrderRequest { card, offer, base }
        }
        Kind::Upload => {
            let fields = Fields::cut(content, 2, 2)?;
            let state = fields.read(1, "an upload's state", |field| match field {
                b"1" => Some(UploadState::Open),
                b"2" => Some(UploadState::Closed),
                b"3" => Some(UploadState::SetAside),
                _ => None,
            })?;
            Answer::Upload { order: fields.order(0)?, state }
        }
        Kind::Parameters => {
            let fields = Fields::cut(content, 3, 3)?;
            let heartbeat_s = fields.positive(0)?;
            Answer::Parameters { heartbeat_s, server: SocketAddrV4::new(fields.ip(1)?, fields.positive(2)?) }
        }
        Kind::CardQuery => {
            let fields = Fields::cut(content, 3, 3)?;
            Answer::CardQuery {
                card: fields.card(0)?,
                sold: fields.volume(1)?,
                open_orders: fields.number(2)?,
            }
        }
        Kind::FaultReport => {
            let fields = Fields::cut(content, 1, 1)?;
            fields.read(0, "ok", |field| (field == b"ok").then_some(Answer::FaultReport))?
        }
    })
}

/// Fields 2 to 4 of the answer to an order request: order, state, volume.
fn offer(fields: &Fields<'_>) -> Result<Offer, ContentError> {
    let nothing = |index| fields.read(index, "0", |field| (field == b"0").then_some(()));
    let something = || {
        let volume = fields.volume(3)?;
        fields.read(3, "a volume above zero", |_| (volume != Volume::ZERO).then_some(volume))
    };
    match fields.fields[2] {
        b"0" => nothing(1).and_then(|()| nothing(3)).map(|()| Offer::None),
        b"1" => Ok(Offer::Paid { order: fields.order(1)?, volume: something()? }),
        b"2" => Ok(Offer::Done { order: fields.order(1)?, volume: something()? }),
        b"3" => nothing(1).and_then(|()| nothing(3)).map(|()| Offer::Refused),
        _ => Err(ContentError::Field { field: 3, expected: "an order's state" }),
    }
}

/// Writes the content of a message.
pub(super) fn of_request(request: &Request) -> String {
    match request {
        Request::Heartbeat | Request::Clock | Request::Parameters => String::new(),
        Request::OrderRequest { card, sold } | Request::CardQuery { card, sold } => format!("{card}%{sold}"),
        Request::Upload { card, order, result, sold } => {
            let result = match result {
                WriteResult::Failed => '0',
                WriteResult::Written => '1',
                WriteResult::InDoubt => '2',
            };
            format!("{card}%{order}%{result}%{sold}")
        }
        Request::FaultReport { part, code } => format!("{part}%{code}"),
    }
}

/// Writes the content of an answer.
pub(super) fn of_answer(answer: &Answer) -> String {
    match answer {
        Answer::Heartbeat { at } | Answer::Clock { at } => at.digits(),
        Answer::OrderRequest { card, offer, base } => {
            let mut content = match offer {
                Offer::None => format!("{card}%0%0%0"),
                Offer::Paid { order, volume } => format!("{card}%{order}%1%{volume}"),
                Offer::Done { order, volume } => format!("{card}%{order}%2%{volume}"),
                Offer::Refused => format!("{card}%0%3%0"),
            };
            if let Some(base) = base {
                content.push('%');
                content.push_str(&base.to_string());
            }
            content
        }
        Answer::Upload { order, state } => {
            let state = match state {
                UploadState::Open => '1',
                UploadState::Closed => '2',
                UploadState::SetAside => '3',
            };
            format!("{order}%{state}")
        }
        Answer::Parameters { heartbeat_s, server } => {
            format!("{heartbeat_s}%{}%{}", server.ip(), server.port())
        }
        Answer::CardQuery { card, sold, open_orders } => format!("{card}%{sold}%{open_orders}"),
        Answer::FaultReport => "ok".into(),
    }
}
