//! What an observer reads off the parties' boundaries at a moment of rest.

use std::fmt;

use super::acquirer::Acquirer;
use super::backend::Backend;
use super::client::books::{Books, SaleNumber, Standing, Try};
use super::ledger::{Order, State};
use super::watch::WrongMove;
use crate::money::Fen;
use crate::tape::Fingerprint;

/// An order as the platform has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderSeen {
    /// The merchant's number.
    pub number: String,
    /// What the merchant attached: the till's number of the sale.
    pub sale: String,
    /// How much.
    pub amount: Fen,
    /// How it stands.
    pub state: State,
    /// How much has gone back.
    pub refunded: Fen,
}

impl OrderSeen {
    /// What the merchant has of it.
    pub fn kept(&self) -> Fen {
        if self.state == State::Paid { self.amount - self.refunded } else { Fen(0) }
    }
}

/// What the merchant attached to an order, by whichever name its face has for that.
fn attached(order: &Order) -> &str {
    let details = &order.terms.details;
    let attached = ["attach", "passback_params"].into_iter().find_map(|name| details.get(name));
    attached.map_or("", String::as_str)
}

/// What a platform has in its books.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlatformSeen {
    /// Its orders, the oldest first.
    pub orders: Vec<OrderSeen>,
    /// What it has seen clients do wrong, by order.
    pub findings: Vec<(WrongMove, String)>,
    /// How much of the planned misbehaviour has not happened.
    pub unreached: usize,
    /// How much was planned.
    pub planned: usize,
}

impl PlatformSeen {
    /// What is in a backend's books.
    pub fn of(backend: &Backend) -> Self {
        let orders = backend.ledger().orders().iter().map(|order| OrderSeen {
            number: order.terms.number.clone(),
            sale: attached(order).to_owned(),
            amount: order.terms.amount,
            state: order.state,
            refunded: order.refunded,
        });
        let findings = backend.watch().findings().map(|finding| (finding.what, finding.order.clone()));
        let (unreached, planned) = (backend.plan().unreached().count(), backend.plan().misbehave.len());
        let (orders, findings) = (orders.collect(), findings.collect());
        Self { orders, findings, unreached, planned }
    }
}

/// An order as a client has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BookedSeen {
    /// The number.
    pub number: String,
    /// The till's number of the sale.
    pub sale: SaleNumber,
    /// How much.
    pub amount: Fen,
    /// How it stands.
    pub standing: Standing,
    /// How often it was booked as paid.
    pub booked: u32,
}

/// What is observed at a moment of rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Observed {
    /// The platform's books.
    Platform(Box<PlatformSeen>),
    /// The client's books, as its database shows them.
    Books(Vec<BookedSeen>),
}

impl Observed {
    /// What the platform has.
    pub fn platform(acquirer: &Acquirer) -> Self {
        Self::Platform(Box::new(PlatformSeen::of(acquirer.backend())))
    }

    /// What a client has.
    pub fn books(books: &Books) -> Self {
        let seen = |(order, one): (Try, &super::client::books::Attempt)| BookedSeen {
            number: order.number(),
            sale: order.0,
            amount: books.sale(order.0).map(|sale| sale.amount).unwrap_or_default(),
            standing: one.standing,
            booked: one.booked,
        };
        Self::Books(books.orders().map(seen).collect())
    }
}

impl fmt::Display for PlatformSeen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "platform:")?;
        for OrderSeen { number, amount, state, refunded, .. } in &self.orders {
            write!(f, " {} {amount} {}", number.escape_debug(), state.as_str())?;
            if *refunded > Fen(0) {
                write!(f, ", {refunded} went back")?;
            }
            f.write_str(";")?;
        }
        for (what, order) in &self.findings {
            write!(f, " {} at {};", what.as_str(), order.escape_debug())?;
        }
        write!(f, " {} of {} planned have not happened", self.unreached, self.planned)
    }
}

impl fmt::Display for Observed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Platform(seen) => seen.fmt(f),
            Self::Books(orders) => {
                write!(f, "books:")?;
                orders.iter().try_for_each(|one| {
                    let standing = one.standing.as_str();
                    write!(f, " {} {} {standing}, booked {};", one.number, one.amount, one.booked)
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
