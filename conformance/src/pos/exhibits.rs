//! What is read off the POS system's parties, as reports show it.

use assay_reports::{Exhibit, LedgerLine};
use assay_sim::pos::books::{Device, SaleId, Sold, State};
use assay_sim::pos::frame::MachineNumber;
use assay_sim::pos::observe::{Ledger, Observed, Stored};

/// What an observation shows.
pub(super) fn of(observed: &Observed) -> Vec<Exhibit> {
    let ledger = |of: &str, lines| Exhibit::Ledger { of: of.to_owned(), lines };
    match observed {
        Observed::Ledger(books) => vec![ledger("accounts", accounts(books)), ledger("sales", sales(books))],
        Observed::Orders(orders) => {
            let lines = orders.iter().map(|(number, order)| LedgerLine {
                key: format!("order {number}"),
                amount: order.amount.to_string(),
                note: if order.paid { "paid" } else { "declined" }.to_owned(),
            });
            vec![ledger("orders of the payment platform", lines.collect())]
        }
        Observed::Flash { records, pending } => {
            let kept = records.iter().filter_map(|record| stored(record, "recorded"));
            let waits = pending.iter().filter_map(|sale| stored(sale, "waits for its answer"));
            vec![ledger("sales", kept.chain(waits).collect())]
        }
        Observed::FlashUnreadable => Vec::new(),
    }
}

fn accounts(books: &Ledger) -> Vec<LedgerLine> {
    let line = |(card, account): &(_, assay_sim::pos::books::Account)| LedgerLine {
        key: format!("card {card}"),
        amount: account.balance.to_string(),
        note: format!("and {} counts", account.counts),
    };
    books.accounts.iter().map(line).collect()
}

fn sales(books: &Ledger) -> Vec<LedgerLine> {
    let line = |(id, sale): &(SaleId, assay_sim::pos::books::Sale)| {
        let state = match sale.state {
            State::Charged => "charged".to_owned(),
            State::Refused(why) => format!("refused: {why}"),
            State::Asked => "in progress".to_owned(),
        };
        let flag = sale.flag.map(|flag| format!(", {flag}")).unwrap_or_default();
        sold(id, state + &flag)
    };
    books.sales.iter().map(line).collect()
}

fn stored(record: &Stored, note: &str) -> Option<LedgerLine> {
    // Whose it is does not matter here: a sale is shown by card and time.
    let id = record.identity(&Device::Machine(MachineNumber::new(0)))?;
    Some(sold(&id, note.to_owned()))
}

fn sold(id: &SaleId, note: String) -> LedgerLine {
    let (who, amount) = match &id.sold {
        Sold::Money(card, amount) => (format!("card {card}"), amount.to_string()),
        Sold::Count(card) => (format!("card {card}"), "one count".to_owned()),
        Sold::Code(number, _, amount) => (format!("code {number}"), amount.to_string()),
    };
    LedgerLine { key: format!("{who} at {}", id.at), amount, note }
}
