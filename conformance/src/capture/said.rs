//! What a POS server itself says is left on each card, and what that says of its charges.
//!
//! A recording does not show a server's books. But an answer that shows people what is left shows a second charge, too:
//! the same sale, answered again with less.

use std::collections::{BTreeMap, BTreeSet};

use assay_sim::card::number::CardNumber;
use assay_sim::money::Fen;
use assay_sim::pos::books::{Account, SaleId, Sold, Standing};
use assay_sim::pos::frame::{DeviceMessage, Key, ServerMessage, parse_amount};

use crate::pos::oracles::server_ears::sale_of;

/// What was said of all cards.
#[derive(Debug, Default)]
pub(super) struct Balances {
    cards: BTreeMap<CardNumber, Purse>,
    /// The sale that was asked for last, by path, card and amount.
    asked: BTreeMap<(usize, CardNumber, Fen), SaleId>,
    /// Whether an answer has said what is left.
    pub stated: bool,
}

/// One card.
#[derive(Debug, Default)]
struct Purse {
    opening: i64,
    gone: i64,
    left: i64,
    known: bool,
    told: BTreeSet<SaleId>,
    /// What came as records and was deleted since something was said last.
    recorded: i64,
    deleted: BTreeSet<(usize, Vec<u8>, Vec<u8>)>,
    /// What went or came that no sale accounts for.
    unexplained: Vec<i64>,
}

impl Balances {
    /// A device asks.
    pub(super) fn heard(&mut self, path: usize, message: &DeviceMessage) {
        if let Some(Ok(id)) = sale_of(message)
            && let Sold::Money(card, amount) = id.sold
            && !matches!(message, DeviceMessage::Record { .. })
        {
            self.asked.insert((path, card, amount), id);
        }
    }

    /// The server answers.
    pub(super) fn said(&mut self, path: usize, message: &ServerMessage) {
        match message {
            ServerMessage::Done { key: Key::Card(card), amount: Ok(amount), text, .. } => {
                let (Some(id), Some(left)) = (self.asked.get(&(path, *card, *amount)), shown(text)) else {
                    return;
                };
                self.stated = true;
                self.cards.entry(*card).or_default().state(id, amount.0, left);
            }
            ServerMessage::Delete { card, amount, at, address, .. } => {
                let (Ok(number), Some(fen)) = (CardNumber::parse(card), parse_amount(amount)) else { return };
                let purse = self.cards.entry(number).or_default();
                let record = (path, format!("{address:?}").into_bytes(), at.to_vec());
                if purse.deleted.insert(record) {
                    purse.recorded += fen.0;
                }
            }
            _ => {}
        }
    }

    /// Of each card, what it had when it was first spoken of and what it has in the end, by the sales in the recording
    /// and by what went again for one that had been paid.
    pub(super) fn accounts(&self) -> impl Iterator<Item = (CardNumber, Account, Account)> {
        let account = |fen: i64| Account { balance: Fen(fen), counts: 0, standing: Standing::Good };
        let known = self.cards.iter().filter(|(_, purse)| purse.known);
        known.map(move |(card, purse)| (*card, account(purse.opening), account(purse.opening - purse.gone)))
    }

    /// What went or came that no sale in the recording accounts for, card by card.
    pub(super) fn unexplained(&self) -> impl Iterator<Item = String> {
        self.cards.iter().filter(|(_, purse)| !purse.unexplained.is_empty()).map(|(card, purse)| {
            let amounts: Vec<String> = purse.unexplained.iter().map(|fen| Fen(*fen).to_string()).collect();
            let what =
                "the server says that it went (or, below zero, came), and no sale in the recording does";
            format!("card {card}: {}: {what}", amounts.join(", "))
        })
    }
}

impl Purse {
    fn state(&mut self, id: &SaleId, amount: i64, left: i64) {
        let new = self.told.insert(id.clone());
        if !self.known {
            (self.known, self.opening) = (true, left + amount);
            self.gone = amount;
        } else {
            let went = self.left - left;
            let due = if new { amount } else { 0 };
            if went == due + self.recorded {
                self.gone += went;
            } else if !new && went == amount {
                // The very sale that was paid was paid for again.
                self.gone += amount;
            } else {
                self.gone += due;
                self.unexplained.push(went - due);
            }
        }
        self.recorded = 0;
        self.left = left;
    }
}

/// The amount in the large type of a text: `{94.50}`.
fn shown(text: &[u8]) -> Option<i64> {
    let open = text.iter().position(|byte| *byte == b'{')?;
    let rest = &text[open + 1..];
    let inside = &rest[..rest.iter().position(|byte| *byte == b'}')?];
    match inside.strip_prefix(b"-") {
        Some(owed) => parse_amount(owed).map(|fen| -fen.0),
        None => parse_amount(inside).map(|fen| fen.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_read_where_it_stands_out() {
        assert_eq!(shown(b"\xD3\xE0\xB6\xEE\\n{94.50}"), Some(9_450));
        assert_eq!(shown(b"{-0.50} owed"), Some(-50));
        for other in [b"94.50".as_slice(), b"{94.5}", b"{}", b"{94.50", b""] {
            assert_eq!(shown(other), None);
        }
    }
}
