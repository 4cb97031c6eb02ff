//! What is read off the parties, as reports show it.

use assay_reports::{Exhibit, LedgerLine};
use assay_sim::money::Fen;
use assay_sim::payments::observe::OrderSeen;
use assay_sim::paymod::observe::{BookedSeen, Observed, StoredSeen};

/// What an observation shows.
pub(super) fn of(observed: &Observed) -> Vec<Exhibit> {
    let ledger = |of: &str, lines| vec![Exhibit::Ledger { of: of.to_owned(), lines }];
    match observed {
        Observed::Platform(seen) => {
            let line = |order: &OrderSeen| LedgerLine {
                key: format!("order {}", order.number),
                amount: order.amount.to_string(),
                note: match order.refunded {
                    Fen(0) => order.state.as_str().to_owned(),
                    refunded => format!("{}, {refunded} went back", order.state.as_str()),
                },
            };
            ledger("orders of the payment platforms", seen.orders.iter().map(line).collect())
        }
        Observed::Books(orders) => {
            let line = |one: &BookedSeen| LedgerLine {
                key: format!("order {}", one.order),
                amount: one.amount.to_string(),
                note: one.log.iter().map(|standing| standing.as_str()).collect::<Vec<_>>().join(", "),
            };
            ledger("log of the server", orders.iter().map(line).collect())
        }
        Observed::Flash(orders) => {
            let line = |one: &StoredSeen| LedgerLine {
                key: format!("order {}", one.order),
                amount: Fen(i64::from(one.terms.amount)).to_string(),
                note: format!("{}, {}", one.standing.as_str(), one.state.as_str()),
            };
            ledger("flash of the module", orders.iter().flatten().map(line).collect())
        }
    }
}
