//! A server's ledger as lines that any server can print: accounts, sales with what became of them, records set aside.
//!
//! Shape: one table a line, such as `{"account":"8888888888","balance_fen":9450,"counts":10}` or
//! `{"sale":"pay","card":"8888888888","amount_fen":550,"at":"2024-01-02 03:04:05","serial":"1234567890",
//! "state":"charged"}`.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::books::{Account, Device, Flag, Refusal, Sale, SaleId, Sold, Standing, State};
use super::frame::{CodeNumber, MachineNumber, RecordAddress, SaleTime};
use super::observe::Ledger;
use crate::card::number::CardNumber;
use crate::money::Fen;

/// One line of a ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum LedgerLine {
    /// An account.
    Account(AccountLine),
    /// A sale.
    Sale(Box<SaleLine>),
    /// How many records were set aside.
    SetAside(SetAsideLine),
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountLine {
    /// The card's number.
    pub account: CardNumber,
    /// What is left.
    pub balance_fen: i64,
    /// Counts that are left.
    #[serde(default)]
    pub counts: i64,
    /// Whether it may pay.
    #[serde(default)]
    pub standing: Standing,
}

/// A sale and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SaleLine {
    /// Of what.
    pub sale: Kind,
    /// The card's number, where a card paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<CardNumber>,
    /// The number of a payment by code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u32>,
    /// Its code, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_hex: Option<String>,
    /// How much; nothing for a count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_fen: Option<i64>,
    /// When, by the device's clock.
    pub at: String,
    /// The device's hardware serial, where it tells one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// Its machine number, where it tells no serial.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<u32>,
    /// What became of it.
    pub state: Became,
    /// Why it was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Refusal>,
    /// The place of its record in the device, if one was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<u32>,
    /// Whether the device has confirmed the answer.
    #[serde(default)]
    pub confirmed: bool,
    /// What somebody should look at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flag: Option<Flag>,
    /// The platform's order, of a sale by code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<u64>,
    /// What was left when it was charged, in fen or in counts.
    #[serde(default)]
    pub left: i64,
}

/// How many records were set aside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetAsideLine {
    /// How many.
    pub set_aside: usize,
}

/// What was sold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Money from a card.
    Pay,
    /// A count from a card.
    Count,
    /// Money by a code.
    Code,
}

/// What became of a sale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Became {
    /// It was charged.
    Charged,
    /// It was refused.
    Refused,
    /// The platform has not answered yet.
    Asked,
}

/// A line that is of no ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NoLedgerLine {
    /// Its time is none.
    #[error("`at` is no time: write it as \"2024-01-02 03:04:05\"")]
    Time,
    /// It does not say whose sale it is.
    #[error("a sale needs the device's `serial`, or its `machine`")]
    Device,
    /// It does not say what was sold.
    #[error(
        "a sale needs `card` and `amount_fen` (pay), `card` (count), or `number`, `code_hex` and `amount_fen` (code)"
    )]
    Sold,
}

impl LedgerLine {
    /// The line of an account.
    pub const fn of_account(account: CardNumber, held: Account) -> Self {
        Self::Account(AccountLine {
            account,
            balance_fen: held.balance.0,
            counts: held.counts,
            standing: held.standing,
        })
    }

    /// The lines of a ledger.
    pub fn of(ledger: &Ledger) -> Vec<Self> {
        let accounts = ledger.accounts.iter().map(|(card, account)| Self::of_account(*card, *account));
        let sales = ledger.sales.iter().map(|(id, sale)| Self::Sale(Box::new(SaleLine::of(id, sale))));
        let set_aside = Self::SetAside(SetAsideLine { set_aside: ledger.set_aside });
        accounts.chain(sales).chain([set_aside]).collect()
    }

    /// Adds what the line says to a ledger.
    ///
    /// Errors: [`NoLedgerLine`].
    pub fn enter(self, ledger: &mut Ledger) -> Result<(), NoLedgerLine> {
        match self {
            Self::Account(AccountLine { account, balance_fen, counts, standing }) => {
                ledger.accounts.push((account, Account { balance: Fen(balance_fen), counts, standing }));
            }
            Self::Sale(line) => {
                let (id, sale) = line.read()?;
                if sale.state == State::Charged && !sale.confirmed && sale.record.is_none() {
                    ledger.unconfirmed.push(id.clone());
                }
                ledger.sales.push((id, sale));
            }
            Self::SetAside(SetAsideLine { set_aside }) => ledger.set_aside = set_aside,
        }
        Ok(())
    }
}

impl SaleLine {
    fn of(id: &SaleId, sale: &Sale) -> Self {
        let (kind, card, code, amount) = match &id.sold {
            Sold::Money(card, amount) => (Kind::Pay, Some(*card), None, Some(amount.0)),
            Sold::Count(card) => (Kind::Count, Some(*card), None, None),
            Sold::Code(number, code, amount) => (Kind::Code, None, Some((*number, code)), Some(amount.0)),
        };
        let (serial, machine) = match &id.device {
            Device::Serial(serial) => (Some(String::from_utf8_lossy(serial).into_owned()), None),
            Device::Machine(machine) => (None, Some(machine.get())),
        };
        let (state, why) = match sale.state {
            State::Charged => (Became::Charged, None),
            State::Refused(why) => (Became::Refused, Some(why)),
            State::Asked => (Became::Asked, None),
        };
        Self {
            sale: kind,
            card,
            number: code.map(|(number, _)| number.get()),
            code_hex: code.map(|(_, code)| code.iter().map(|byte| format!("{byte:02X}")).collect()),
            amount_fen: amount,
            at: id.at.to_string(),
            serial,
            machine,
            state,
            why,
            record: sale.record.map(RecordAddress::get),
            confirmed: sale.confirmed,
            flag: sale.flag,
            order: sale.order,
            left: sale.left,
        }
    }

    fn read(self) -> Result<(SaleId, Sale), NoLedgerLine> {
        let at = SaleTime::of(self.at.as_bytes()).ok_or(NoLedgerLine::Time)?;
        let device = match (self.serial, self.machine) {
            (Some(serial), _) => Device::Serial(serial.into_bytes().into()),
            (None, Some(machine)) => Device::Machine(MachineNumber::new(machine)),
            (None, None) => return Err(NoLedgerLine::Device),
        };
        let code = || self.code_hex.as_deref().and_then(unhex);
        let sold = match (self.sale, self.card, self.amount_fen, self.number) {
            (Kind::Pay, Some(card), Some(amount), _) => Some(Sold::Money(card, Fen(amount))),
            (Kind::Count, Some(card), ..) => Some(Sold::Count(card)),
            (Kind::Code, _, Some(amount), Some(number)) => {
                code().map(|code| Sold::Code(CodeNumber::new(number), code, Fen(amount)))
            }
            _ => None,
        };
        let state = match self.state {
            Became::Charged => State::Charged,
            Became::Refused => State::Refused(self.why.unwrap_or(Refusal::Declined)),
            Became::Asked => State::Asked,
        };
        let sale = Sale {
            state,
            record: self.record.map(RecordAddress::new),
            confirmed: self.confirmed,
            flag: self.flag,
            order: self.order,
            left: self.left,
        };
        Ok((SaleId { device, at, sold: sold.ok_or(NoLedgerLine::Sold)? }, sale))
    }
}

fn unhex(text: &str) -> Option<Box<[u8]>> {
    let digits = text.as_bytes().chunks(2);
    digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger() -> Ledger {
        let card = CardNumber::parse(b"8888888888").unwrap();
        let at = SaleTime::of(b"2024-01-02 03:04:05").unwrap();
        let account = Account { balance: Fen(-50), counts: 2, standing: Standing::Lost };
        let sale = |state| Sale { state, record: None, confirmed: false, flag: None, order: None, left: 7 };
        let serial = Device::Serial(b"1234567890".as_slice().into());
        let machine = Device::Machine(MachineNumber::new(2));
        let money = SaleId { device: serial.clone(), at, sold: Sold::Money(card, Fen(550)) };
        let count = SaleId { device: machine, at, sold: Sold::Count(card) };
        let code = Sold::Code(CodeNumber::new(9), b"1,\xFF".as_slice().into(), Fen(300));
        let code = SaleId { device: serial, at, sold: code };
        let asked = Sale { order: Some(4), ..sale(State::Asked) };
        let booked = Sale {
            record: Some(RecordAddress::new(12)),
            flag: Some(Flag::Overdrawn),
            confirmed: true,
            ..sale(State::Charged)
        };
        Ledger {
            accounts: vec![(card, account)],
            sales: vec![(money.clone(), sale(State::Charged)), (count, booked), (code, asked)],
            unconfirmed: vec![money],
            set_aside: 3,
        }
    }

    #[test]
    fn a_ledger_is_read_back_from_its_lines() {
        let mut read = Ledger::default();
        for line in LedgerLine::of(&ledger()) {
            line.enter(&mut read).unwrap();
        }
        assert_eq!(read, ledger());
    }

    #[test]
    fn a_sale_says_whose_it_is_of_what_and_when() {
        let Some(LedgerLine::Sale(line)) = LedgerLine::of(&ledger()).into_iter().nth(1) else {
            panic!("a sale")
        };
        let refused =
            |line: SaleLine| LedgerLine::Sale(Box::new(line)).enter(&mut Ledger::default()).unwrap_err();
        let line = *line;
        assert_eq!(refused(SaleLine { at: "yesterday".to_owned(), ..line.clone() }), NoLedgerLine::Time);
        assert_eq!(refused(SaleLine { serial: None, ..line.clone() }), NoLedgerLine::Device);
        assert_eq!(refused(SaleLine { card: None, ..line }), NoLedgerLine::Sold);
    }
}
