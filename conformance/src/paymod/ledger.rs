//! The log of a module's server as JSON lines, which any server can print and the rig reads.

use assay_sim::money::Fen;
use assay_sim::paymod::frame::OrderNumber;
use assay_sim::paymod::observe::{BookedSeen, Observed};
use assay_sim::paymod::server::books::{Books, Standing};
use serde::{Deserialize, Serialize};

/// How a line looks, for messages.
const FORM: &str =
    "`{\"order\":\"…\",\"device\":42,\"amount_fen\":1250,\"booked\":1,\"log\":[\"created\",…]}`";

/// One order.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    order: OrderNumber,
    device: u32,
    amount_fen: Fen,
    /// How often it was booked as paid.
    booked: u32,
    /// Its states, the first first.
    log: Vec<Standing>,
}

/// The lines as text.
pub fn render(books: &Books) -> String {
    let Observed::Books(orders) = Observed::books(books) else { return String::new() };
    let line = |one: BookedSeen| {
        let BookedSeen { order, device, amount, booked, log, standing: _ } = one;
        let line = Line { order, device, amount_fen: amount, booked, log };
        serde_json::to_string(&line).map(|text| text + "\n").unwrap_or_default()
    };
    orders.into_iter().map(line).collect()
}

/// A log from its lines; empty ones are passed over.
///
/// Errors: a sentence with the line's number and what would be right.
pub fn parse(text: &str) -> Result<Vec<BookedSeen>, String> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let read = |(at, line): (usize, &str)| {
        let wrong = |what: String| format!("ledger, line {}: {}", at + 1, what.escape_debug());
        let line: Line =
            serde_json::from_str(line).map_err(|error| wrong(format!("{error}: write {FORM}")))?;
        let Line { order, device, amount_fen: amount, booked, log } = line;
        let Some(standing) = log.last().copied() else {
            return Err(wrong(format!("order {order} has an empty log: write {FORM}")));
        };
        Ok(BookedSeen { order, device, amount, standing, booked, log })
    };
    lines.map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_sim::journal::Replay as _;
    use assay_sim::payments::call::House;
    use assay_sim::paymod::server::books::BookRecord;

    const LINE: &str = "{\"order\":\"00000000000000001042\",\"device\":42,\"amount_fen\":1250,\"booked\":1,\
                        \"log\":[\"created\",\"offered\",\"paid\",\"delivery-doubt\"]}\n";

    #[test]
    fn a_log_is_told_line_by_line() {
        let order = OrderNumber::of(1_042);
        let mut books = Books::default();
        let (device, amount, house) = (42, Fen(1_250), House::Wechat);
        books.apply(&BookRecord::Created { order, device, amount, house });
        books.apply(&BookRecord::Offered { order, link: "weixin://x".to_owned() });
        for standing in [Standing::Paid, Standing::Doubt] {
            books.apply(&BookRecord::Became { order, standing });
        }
        assert_eq!(render(&books), LINE);
        let told = parse(&format!("\n{LINE}")).unwrap();
        assert_eq!((told.len(), told[0].order, told[0].standing), (1, order, Standing::Doubt));
        assert_eq!((told[0].amount, told[0].booked, told[0].log.len()), (Fen(1_250), 1, 4));
        assert_eq!(parse(""), Ok(Vec::new()));
    }

    #[test]
    fn other_lines_are_refused_with_their_number() {
        for (from, to, words) in [
            ("paid", "gone", "unknown variant `gone`"),
            ("device", "devise", "unknown field `devise`"),
            ("00001042", "0000104", "an order number has 20 digits"),
            ("[\"created\",\"offered\",\"paid\",\"delivery-doubt\"]", "[]", "has an empty log"),
        ] {
            let error = parse(&LINE.replace(from, to)).unwrap_err();
            assert!(error.starts_with("ledger, line 1: ") && error.contains(words), "{error}");
        }
    }
}
