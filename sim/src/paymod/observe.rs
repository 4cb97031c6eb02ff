//! What an observer reads off the parties' boundaries at a moment of rest.

use std::fmt;

use super::frame::{OrderNumber, Terms};
use super::server::books::{Books, Standing};
use super::store::{State, Store};
use crate::money::Fen;
use crate::payments::observe::PlatformSeen;
use crate::tape::Fingerprint;

/// An order as a server's log has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BookedSeen {
    /// The number.
    pub order: OrderNumber,
    /// Whose it is.
    pub device: u32,
    /// How much.
    pub amount: Fen,
    /// How it stands.
    pub standing: Standing,
    /// How often it was booked as paid.
    pub booked: u32,
    /// Its states, the first first.
    pub log: Vec<Standing>,
}

/// An order as a module's flash has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSeen {
    /// The number.
    pub order: OrderNumber,
    /// The terms.
    pub terms: Terms,
    /// How far it has come.
    pub state: State,
    /// How it ended, if it is settled.
    pub standing: State,
}

/// What is observed at a moment of rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Observed {
    /// The platform's books.
    Platform(Box<PlatformSeen>),
    /// The server's log, as its database shows it.
    Books(Vec<BookedSeen>),
    /// The module's flash; nothing if it cannot be read.
    Flash(Option<Vec<StoredSeen>>),
}

impl Observed {
    /// What a server has.
    pub fn books(books: &Books) -> Self {
        let seen = books.orders().map(|(order, entry)| BookedSeen {
            order,
            device: entry.device,
            amount: entry.amount,
            standing: entry.standing,
            booked: entry.booked,
            log: entry.log.clone(),
        });
        Self::Books(seen.collect())
    }

    /// What a module has.
    pub fn flash(store: &Store) -> Self {
        let seen = store.orders().map(|(order, kept)| StoredSeen {
            order,
            terms: kept.terms,
            state: kept.state,
            standing: kept.standing(),
        });
        Self::Flash(Some(seen.collect()))
    }
}

impl fmt::Display for Observed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Platform(seen) => seen.fmt(f),
            Self::Books(orders) => {
                write!(f, "books:")?;
                orders.iter().try_for_each(|one| {
                    let log: Vec<&str> = one.log.iter().map(|standing| standing.as_str()).collect();
                    write!(f, " {} {} booked {}: {};", one.order, one.amount, one.booked, log.join(", "))
                })
            }
            Self::Flash(None) => f.write_str("flash: it does not read"),
            Self::Flash(Some(orders)) => {
                write!(f, "flash:")?;
                orders.iter().try_for_each(|one| {
                    let amount = Fen(i64::from(one.terms.amount));
                    let (state, standing) = (one.state.as_str(), one.standing.as_str());
                    write!(f, " {} {amount} {state}", one.order)?;
                    if one.state == one.standing { f.write_str(";") } else { write!(f, " as {standing};") }
                })
            }
        }
    }
}

impl Fingerprint for Observed {
    fn fingerprint(&self, add: &mut dyn FnMut(&[u8])) {
        add(self.to_string().as_bytes());
    }
}
