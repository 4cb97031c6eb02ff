//! What a real client is told of the case that it stands in, and what it tells of its books.

use assay_sim::money::Fen;
use assay_sim::payments::client::books::{SaleNumber, Standing};
use assay_sim::payments::observe::BookedSeen;
use assay_sim::payments::plant::{KEYS, MERCHANT_KEY, Plant};
use serde::Deserialize;
use serde_json::json;

/// The files in a real client's directory: names and keys, as a merchant has them from the platform.
pub(super) fn files(plant: &Plant) -> Vec<(String, String)> {
    let client = &plant.profile.client;
    let settings = json!({
        "face": client.face.as_str(),
        "app_id": client.app_id,
        "mch_id": client.mch_id,
        "key": client.key,
        "api_v3_key": client.api_v3_key.as_str(),
        "serial": client.serial,
        "platform_key_id": client.platform_key_id,
        "notify_url": format!("http://{}/notify", client.notify),
    });
    vec![
        ("client.json".to_owned(), format!("{settings:#}\n")),
        ("merchant-key.pem".to_owned(), MERCHANT_KEY.to_owned()),
        ("platform-public.pem".to_owned(), KEYS.platform.public().to_pem()),
    ]
}

/// A line of a client's books.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    order: String,
    sale: u32,
    amount_fen: Fen,
    state: State,
    booked: u32,
}

/// How an order stands, in a word.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    Open,
    Undoing,
    Paid,
    Dead,
    Refunding,
    Refunded,
}

/// What a client tells of its books, one order a line.
///
/// Errors: a sentence with the line.
pub(super) fn books(text: &str) -> Result<Vec<BookedSeen>, String> {
    let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    let read = |(number, line): (u32, &str)| {
        let line: Line = serde_json::from_str(line).map_err(|error| format!("line {number}: {error}"))?;
        Ok(BookedSeen {
            number: line.order,
            sale: SaleNumber(line.sale),
            amount: line.amount_fen,
            standing: match line.state {
                State::Open => Standing::Open,
                State::Undoing => Standing::Undoing,
                State::Paid => Standing::Paid,
                State::Dead => Standing::Dead,
                State::Refunding => Standing::Refunding,
                State::Refunded => Standing::Refunded,
            },
            booked: line.booked,
        })
    };
    lines.map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn books_are_told_line_by_line() {
        let text = "{\"order\":\"A1\",\"sale\":7,\"amount_fen\":550,\"state\":\"paid\",\"booked\":1}\n\n";
        let told = books(text).unwrap();
        assert_eq!((told.len(), told[0].number.as_str(), told[0].amount), (1, "A1", Fen(550)));
        assert_eq!((told[0].sale, told[0].standing, told[0].booked), (SaleNumber(7), Standing::Paid, 1));
        assert_eq!(books(""), Ok(Vec::new()));
        for (from, to, words) in [
            ("paid", "gone", "unknown variant `gone`"),
            ("booked", "bocked", "unknown field `bocked`"),
            ("7", "-7", "line 1"),
        ] {
            let error = books(&text.replace(from, to)).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
    }
}
