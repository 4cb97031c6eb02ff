//! What is read off the parties, as reports show it.

use assay_reports::{Exhibit, LedgerLine};
use assay_sim::money::Fen;
use assay_sim::payments::observe::{BookedSeen, Observed, OrderSeen};

/// What an observation shows.
pub(super) fn of(observed: &Observed) -> Vec<Exhibit> {
    let ledger = |of: &str, lines| Exhibit::Ledger { of: of.to_owned(), lines };
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
            vec![ledger("orders of the payment platform", seen.orders.iter().map(line).collect())]
        }
        Observed::Books(orders) => {
            let line = |one: &BookedSeen| LedgerLine {
                key: format!("order {}", one.number),
                amount: one.amount.to_string(),
                note: format!("{}, booked {} times", one.standing.as_str(), one.booked),
            };
            vec![ledger("sales", orders.iter().map(line).collect())]
        }
    }
}
