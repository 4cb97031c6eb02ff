//! What a server keeps: every order with every change of its state, in order.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::journal::Replay;
use crate::money::Fen;
use crate::payments::call::House;
use crate::paymod::frame::{OrderNumber, status};

/// How an order stands at the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// The platform may have been asked for it.
    Created,
    /// It can be paid.
    Offered,
    /// It is given up, and the platform has not said yet that nothing can come of it.
    Closing,
    /// It is paid.
    Paid,
    /// It is paid, and the module has delivered.
    Delivered,
    /// It is paid, and nobody knows whether the module has delivered.
    #[serde(rename = "delivery-doubt")]
    Doubt,
    /// Nothing can come of it.
    Closed,
    /// It was never asked for.
    Refused,
    /// Its money goes back.
    Refunding,
    /// Its money has gone back.
    Refunded,
}

impl Standing {
    /// In a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Offered => "offered",
            Self::Closing => "closing",
            Self::Paid => "paid",
            Self::Delivered => "delivered",
            Self::Doubt => "delivery-doubt",
            Self::Closed => "closed",
            Self::Refused => "refused",
            Self::Refunding => "refunding",
            Self::Refunded => "refunded",
        }
    }

    /// What a module is told of it.
    pub const fn status(self) -> u8 {
        match self {
            Self::Created => status::WAITING_LINK,
            Self::Offered => status::LINK_READY,
            Self::Closing => status::WAITING_PAYMENT,
            Self::Paid | Self::Delivered => status::PAID,
            Self::Doubt => status::DOUBT,
            Self::Closed => status::CLOSED,
            Self::Refused => status::REFUSED,
            Self::Refunding => status::UNKNOWN,
            Self::Refunded => status::REFUNDED,
        }
    }

    /// Whether a payment is still waited for.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Created | Self::Offered | Self::Closing)
    }
}

/// An order in the books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Whose it is.
    pub device: u32,
    /// How much.
    pub amount: Fen,
    /// Where.
    pub house: House,
    /// How often it was made at the platform, under a number each.
    pub attempts: u32,
    /// Where it is scanned.
    pub link: String,
    /// How it stands.
    pub standing: Standing,
    /// How often it was booked as paid.
    pub booked: u32,
    /// The last status of which the module has said that it knows it.
    pub told: Option<u8>,
    /// Its states, the first first.
    pub log: Vec<Standing>,
}

/// One durable fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BookRecord {
    /// An order is known, and about to be made.
    Created {
        /// Which.
        order: OrderNumber,
        /// Whose.
        device: u32,
        /// How much.
        amount: Fen,
        /// Where.
        house: House,
    },
    /// It is made once more under another number.
    MadeAgain {
        /// Which.
        order: OrderNumber,
    },
    /// It can be paid.
    Offered {
        /// Which.
        order: OrderNumber,
        /// Where it is scanned.
        link: String,
    },
    /// Something became of it.
    Became {
        /// Which.
        order: OrderNumber,
        /// What.
        standing: Standing,
    },
    /// The module knows how it stands.
    Told {
        /// Which.
        order: OrderNumber,
        /// The status.
        status: u8,
    },
}

impl BookRecord {
    /// Its kind, as sites name it.
    pub const fn kind(&self) -> u16 {
        match self {
            Self::Created { .. } => 1,
            Self::MadeAgain { .. } => 2,
            Self::Offered { .. } => 3,
            Self::Told { .. } => 4,
            Self::Became { standing, .. } => 10 + *standing as u16,
        }
    }
}

impl fmt::Display for BookRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Created { order, device, amount, .. } => {
                write!(f, "order {order} of device {device} is created, {amount}")
            }
            Self::MadeAgain { order } => write!(f, "order {order} is made again"),
            Self::Offered { order, link } => write!(f, "order {order} is at {}", link.escape_debug()),
            Self::Became { order, standing } => write!(f, "order {order} is {}", standing.as_str()),
            Self::Told { order, status: of } => {
                write!(f, "the module knows of order {order}: {}", status::words(*of))
            }
        }
    }
}

/// The books.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Books {
    orders: BTreeMap<OrderNumber, Entry>,
}

impl Books {
    /// An order.
    pub fn order(&self, order: OrderNumber) -> Option<&Entry> {
        self.orders.get(&order)
    }

    /// Every order.
    pub fn orders(&self) -> impl Iterator<Item = (OrderNumber, &Entry)> {
        self.orders.iter().map(|(order, entry)| (*order, entry))
    }
}

impl Replay for Books {
    type Record = BookRecord;

    fn apply(&mut self, record: &BookRecord) {
        match record {
            BookRecord::Created { order, device, amount, house } => {
                let standing = Standing::Created;
                self.orders.entry(*order).or_insert_with(|| Entry {
                    device: *device,
                    amount: *amount,
                    house: *house,
                    attempts: 1,
                    link: String::new(),
                    standing,
                    booked: 0,
                    told: None,
                    log: vec![standing],
                });
            }
            BookRecord::MadeAgain { order } => self.change(*order, Standing::Created, |entry| {
                entry.attempts = entry.attempts.saturating_add(1);
            }),
            BookRecord::Offered { order, link } => {
                self.change(*order, Standing::Offered, |entry| entry.link.clone_from(link));
            }
            BookRecord::Became { order, standing } => self.change(*order, *standing, |entry| {
                entry.booked += u32::from(*standing == Standing::Paid);
            }),
            BookRecord::Told { order, status } => {
                if let Some(entry) = self.orders.get_mut(order) {
                    entry.told = Some(*status);
                }
            }
        }
    }

    fn digest(&self, into: &mut Digest) {
        for (order, entry) in &self.orders {
            into.bytes(order.digits()).word(u64::from(entry.device)).word(entry.amount.0.cast_unsigned());
            into.text(entry.standing.as_str()).text(&entry.link).word(u64::from(entry.attempts));
            into.word(u64::from(entry.booked)).word(entry.told.map_or(u64::MAX, u64::from));
            into.word(entry.log.len() as u64);
        }
    }

    fn digest_record(record: &BookRecord, into: &mut Digest) {
        into.text(&record.to_string());
    }
}

impl Books {
    fn change(&mut self, order: OrderNumber, standing: Standing, also: impl FnOnce(&mut Entry)) {
        if let Some(entry) = self.orders.get_mut(&order) {
            entry.standing = standing;
            entry.log.push(standing);
            also(entry);
        }
    }
}

/// The number by which the platform knows an order that was made so often.
pub(super) fn platform_number(order: OrderNumber, attempt: u32) -> String {
    if attempt <= 1 { order.to_string() } else { format!("{order}T{attempt}") }
}

/// The order of such a number, and which attempt it is.
pub fn order_of(number: &str) -> Option<(OrderNumber, u32)> {
    let (digits, attempt) = match number.split_once('T') {
        Some((digits, attempt)) => (digits, attempt.parse().ok().filter(|attempt| *attempt > 1)?),
        None => (number, 1),
    };
    let order = digits.parse().ok()?;
    (platform_number(order, attempt) == number).then_some((order, attempt))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_platform_number_reads_back_and_no_other_does() {
        let order = OrderNumber::of(7);
        for attempt in [1, 2, 11] {
            assert_eq!(order_of(&platform_number(order, attempt)), Some((order, attempt)));
        }
        for other in ["7", "00000000000000000007T1", "00000000000000000007T02", "00000000000000000007T"] {
            assert_eq!(order_of(other), None, "{other}");
        }
    }

    #[test]
    fn every_change_is_in_the_log() {
        let (mut books, order) = (Books::default(), OrderNumber::of(7));
        let (device, amount, house) = (42, Fen(1_250), House::Wechat);
        books.apply(&BookRecord::Created { order, device, amount, house });
        books.apply(&BookRecord::Offered { order, link: "weixin://x".to_owned() });
        for standing in [Standing::Paid, Standing::Paid, Standing::Delivered] {
            books.apply(&BookRecord::Became { order, standing });
        }
        let entry = books.order(order).unwrap();
        assert_eq!((entry.booked, entry.log.len(), entry.standing), (2, 5, Standing::Delivered));
        books.apply(&BookRecord::Created { order, device: 43, amount, house });
        assert_eq!(books.order(order).unwrap().device, 42);
    }
}
