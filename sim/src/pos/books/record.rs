//! What the books are rebuilt from.

use serde::{Deserialize, Serialize};

use super::{Account, Device, Refusal, SaleId, Sold};
use crate::card::number::CardNumber;
use crate::digest::Digest;
use crate::pos::frame::RecordAddress;
use crate::tape::Fingerprint;

/// Why somebody should look at a sale that was booked off line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Flag {
    /// There was not enough on the account.
    Overdrawn,
    /// The card is lost or expired.
    BadStanding,
    /// Nobody has an account for the card.
    UnknownCard,
}

/// A record of a device that makes no sense: kept as it came, and never counted as a sale.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Misfit {
    /// Who sent it.
    pub device: Device,
    /// Where the device has it.
    pub address: RecordAddress,
    /// The card's field.
    pub card: Box<[u8]>,
    /// The amount's field.
    pub amount: Box<[u8]>,
    /// The time's field.
    pub at: Box<[u8]>,
}

impl Misfit {
    pub(super) fn digest(&self, into: &mut Digest) {
        digest_device(&self.device, into);
        into.word(u64::from(self.address.get())).bytes(&self.card).bytes(&self.amount).bytes(&self.at);
    }
}

/// One durable fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BookRecord {
    /// A sale was charged as it was made.
    Charged {
        /// Which.
        id: SaleId,
    },
    /// A sale was refused as it was made.
    Refused {
        /// Which.
        id: SaleId,
        /// Why.
        why: Refusal,
    },
    /// A sale that was booked off line was charged when its record came.
    ChargedByRecord {
        /// Which.
        id: SaleId,
        /// Where the device has it.
        address: RecordAddress,
        /// What somebody should look at.
        flag: Option<Flag>,
    },
    /// A record tells of a sale that was charged as it was made.
    Reconciled {
        /// Which.
        id: SaleId,
        /// Where the device has it.
        address: RecordAddress,
    },
    /// A record makes no sense.
    SetAside(Misfit),
    /// The platform is to be asked for a sale by code.
    Asked {
        /// Which.
        id: SaleId,
        /// By this number, never used again.
        order: u64,
    },
    /// The platform has said what became of an order.
    Answered {
        /// Which.
        order: u64,
        /// Whether it is paid.
        paid: bool,
    },
    /// A device has confirmed the answer to a sale.
    Confirmed {
        /// Which.
        id: SaleId,
    },
    /// An account was opened or changed at the office.
    Account {
        /// Whose.
        card: CardNumber,
        /// How it stands now.
        account: Account,
    },
}

impl BookRecord {
    /// The number by which steps of the journal call it.
    pub const fn kind(&self) -> u16 {
        match self {
            Self::Charged { .. } => 1,
            Self::Refused { .. } => 2,
            Self::ChargedByRecord { .. } => 3,
            Self::Reconciled { .. } => 4,
            Self::SetAside(_) => 5,
            Self::Asked { .. } => 6,
            Self::Answered { .. } => 7,
            Self::Confirmed { .. } => 8,
            Self::Account { .. } => 9,
        }
    }

    pub(super) fn digest(&self, into: &mut Digest) {
        into.word(u64::from(self.kind()));
        match self {
            Self::Charged { id } | Self::Confirmed { id } => digest_id(id, into),
            Self::Refused { id, why } => {
                digest_id(id, into);
                into.word(*why as u64);
            }
            Self::ChargedByRecord { id, address, flag } => {
                digest_id(id, into);
                into.word(u64::from(address.get())).word(flag.map_or(u64::MAX, |flag| flag as u64));
            }
            Self::Reconciled { id, address } => {
                digest_id(id, into);
                into.word(u64::from(address.get()));
            }
            Self::SetAside(misfit) => misfit.digest(into),
            Self::Asked { id, order } => {
                digest_id(id, into);
                into.word(*order);
            }
            Self::Answered { order, paid } => drop(into.word(*order).flag(*paid)),
            Self::Account { card, account } => digest_account(*card, account, into),
        }
    }
}

/// Why: most of what a server says of itself is that it has entered a sale, so that goes into the tape's digest as it
/// is, and only what is rare goes in as text.
impl Fingerprint for BookRecord {
    fn fingerprint(&self, add: &mut dyn FnMut(&[u8])) {
        add(&self.kind().to_le_bytes());
        match self {
            Self::Charged { id } | Self::Confirmed { id } => fingerprint_id(id, add),
            Self::Refused { id, why } => {
                fingerprint_id(id, add);
                add(&[*why as u8]);
            }
            Self::ChargedByRecord { id, address, flag } => {
                fingerprint_id(id, add);
                add(&address.get().to_le_bytes());
                add(&[flag.map_or(u8::MAX, |flag| flag as u8)]);
            }
            Self::Reconciled { id, address } => {
                fingerprint_id(id, add);
                add(&address.get().to_le_bytes());
            }
            Self::SetAside(_) | Self::Asked { .. } | Self::Answered { .. } | Self::Account { .. } => {
                add(self.to_string().as_bytes());
            }
        }
    }
}

fn fingerprint_id(id: &SaleId, add: &mut dyn FnMut(&[u8])) {
    match &id.device {
        Device::Serial(serial) => add(serial),
        Device::Machine(machine) => {
            add(&[]);
            add(&machine.get().to_le_bytes());
        }
    }
    add(&id.at.wall().as_us().to_le_bytes());
    match &id.sold {
        Sold::Money(card, amount) => {
            add(&card.bcd());
            add(&amount.0.to_le_bytes());
        }
        Sold::Count(card) => add(&card.bcd()),
        Sold::Code(number, code, amount) => {
            add(&number.get().to_le_bytes());
            add(code);
            add(&amount.0.to_le_bytes());
        }
    }
}

pub(super) fn digest_account(card: CardNumber, account: &Account, into: &mut Digest) {
    into.bytes(&card.bcd()).word(account.balance.0.cast_unsigned()).word(account.counts.cast_unsigned());
    into.word(account.standing as u64);
}

fn digest_device(device: &Device, into: &mut Digest) {
    match device {
        Device::Serial(serial) => into.word(0).bytes(serial),
        Device::Machine(machine) => into.word(1).word(u64::from(machine.get())),
    };
}

pub(super) fn digest_id(id: &SaleId, into: &mut Digest) {
    digest_device(&id.device, into);
    into.word(id.at.wall().as_us().cast_unsigned());
    match &id.sold {
        Sold::Money(card, amount) => into.word(0).bytes(&card.bcd()).word(amount.0.cast_unsigned()),
        Sold::Count(card) => into.word(1).bytes(&card.bcd()),
        Sold::Code(number, code, amount) => {
            into.word(2).word(u64::from(number.get())).bytes(code).word(amount.0.cast_unsigned())
        }
    };
}
