//! A message server's ledger as JSON lines, which any server can print and the rig reads.

use assay_sim::card::number::CardNumber;
use assay_sim::money::{Fen, Volume};
use assay_sim::water::frame::OrderNumber;
use assay_sim::water::observe::{Books, CardBooks, Listed, OrderBooks};
use serde::{Deserialize, Serialize};

/// How a line may look, for messages.
const FORMS: &str = "`{\"card\":…,\"last\":…}` or `{\"order\":…,\"card\":…,\"volume\":…,\"state\":…}`";

/// One card, or one order.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<String>,
    card: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    volume: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<State>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    credit_fen: Option<i64>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    Open,
    InDoubt,
    Closed,
}

/// The lines as text.
pub fn render(books: &Books) -> String {
    let cards = books.cards.iter().map(|card| Line {
        order: None,
        card: card.card.to_string(),
        volume: None,
        state: None,
        last: Some(card.last.to_string()),
        credit_fen: Some(card.credit.0),
    });
    let orders = books.orders.iter().map(|order| Line {
        order: Some(order.order.to_string()),
        card: order.card.to_string(),
        volume: Some(order.volume.to_string()),
        state: Some(match order.listed {
            Listed::Open => State::Open,
            Listed::InDoubt => State::InDoubt,
            Listed::Closed => State::Closed,
        }),
        last: None,
        credit_fen: None,
    });
    let line = |line| serde_json::to_string(&line).map(|text| text + "\n").unwrap_or_default();
    cards.chain(orders).map(line).collect()
}

/// Books from their lines; empty ones are passed over.
///
/// Errors: a sentence with the line's number and what would be right.
pub fn parse(text: &str) -> Result<Books, String> {
    let mut books = Books::default();
    for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let wrong = |what: String| format!("ledger, line {}: {}", at + 1, what.escape_debug());
        enter(line, &mut books).map_err(wrong)?;
    }
    Ok(books)
}

fn enter(line: &str, books: &mut Books) -> Result<(), String> {
    let line: Line = serde_json::from_str(line).map_err(|error| format!("{error}: write {FORMS}"))?;
    let card = CardNumber::parse(line.card.as_bytes()).map_err(|error| error.to_string())?;
    let volume = |text: &str| Volume::parse(text.as_bytes()).map_err(|error| error.to_string());
    match line {
        Line {
            order: Some(order),
            volume: Some(tonnes),
            state: Some(state),
            last: None,
            credit_fen: None,
            ..
        } => {
            let order = OrderNumber::parse(order.as_bytes()).map_err(|error| error.to_string())?;
            if books.orders.iter().any(|known| known.order == order) {
                return Err(format!("order {order} for the second time: write each order once"));
            }
            let listed = match state {
                State::Open => Listed::Open,
                State::InDoubt => Listed::InDoubt,
                State::Closed => Listed::Closed,
            };
            books.orders.push(OrderBooks { order, card, volume: volume(&tonnes)?, listed });
        }
        Line { order: None, volume: None, state: None, last: Some(last), credit_fen, .. } => {
            let credit = Fen(credit_fen.unwrap_or(0));
            books.cards.push(CardBooks { card, last: volume(&last)?, credit });
        }
        _ => return Err(format!("no line of a ledger: write {FORMS}")),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{"card":"0012345678","last":"12.5"}

{"order":"1001","card":"0012345678","volume":"12.5","state":"closed"}
{"order":"1002","card":"0012345678","volume":"3","state":"in-doubt"}
"#;

    #[test]
    fn a_ledger_as_a_stranger_would_write_it_is_read_and_rendered() {
        let books = parse(TEXT).unwrap();
        assert_eq!((books.cards.len(), books.cards[0].last), (1, Volume(1_250)));
        assert_eq!((books.orders.len(), books.orders[1].listed), (2, Listed::InDoubt));
        assert_eq!(parse(&render(&books)).unwrap(), books);
    }

    #[test]
    fn a_line_that_says_something_else_is_named() {
        let wrong = |line: &str| parse(&format!("\n{line}\n")).unwrap_err();
        assert!(wrong("books").starts_with("ledger, line 2: "));
        assert!(wrong(r#"{"card":"0012345678"}"#).contains("no line of a ledger: write `{"));
        assert!(wrong(r#"{"order":"1","card":"0012345678","volume":"1","state":"lost"}"#).contains("`lost`"));
        let order = r#"{"order":"1","card":"0012345678","volume":"1","state":"open"}"#;
        assert!(wrong(&format!("{order}\n{order}")).contains("order 1 for the second time"));
    }
}
