//! A POS server's ledger as JSON lines, which any server can print and the rig reads.

use assay_sim::pos::ledger_line::LedgerLine;
use assay_sim::pos::observe::Ledger;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// How a line may begin, for messages.
const FORMS: &str = "an object with `account`, `sale` or `set_aside`";

/// The lines as text.
pub fn render(lines: impl IntoIterator<Item = LedgerLine>) -> String {
    let line = |line| serde_json::to_string(&line).map(|text| text + "\n").unwrap_or_default();
    lines.into_iter().map(line).collect()
}

/// A ledger from its lines; empty ones are passed over.
///
/// Errors: a sentence with the line's number and what would be right.
pub fn parse(text: &str) -> Result<Ledger, String> {
    let mut ledger = Ledger::default();
    for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let at = at + 1;
        let wrong = |what: String| format!("ledger, line {at}: {}", what.escape_debug());
        let entered = read(line).map_err(wrong)?.enter(&mut ledger);
        entered.map_err(|error| wrong(error.to_string()))?;
    }
    Ok(ledger)
}

fn read(line: &str) -> Result<LedgerLine, String> {
    fn of<T: DeserializeOwned>(value: Value) -> Result<T, String> {
        serde_json::from_value(value).map_err(|error| error.to_string())
    }
    let value: Value = serde_json::from_str(line).map_err(|error| format!("no JSON: {error}"))?;
    let has = |key: &str| value.get(key).is_some();
    if has("account") {
        of(value).map(LedgerLine::Account)
    } else if has("sale") {
        of(value).map(|sale| LedgerLine::Sale(Box::new(sale)))
    } else if has("set_aside") {
        of(value).map(LedgerLine::SetAside)
    } else {
        Err(format!("no line of a ledger: write {FORMS}"))
    }
}

#[cfg(test)]
mod tests {
    use assay_sim::pos::books::State;

    use super::*;

    const TEXT: &str = r#"{"account":"8888888888","balance_fen":9450,"counts":10}

{"sale":"pay","card":"8888888888","amount_fen":550,"at":"2024-01-02 03:04:05","serial":"1234567890","state":"charged"}
{"set_aside":2}
"#;

    #[test]
    fn a_ledger_as_a_stranger_would_write_it_is_read_and_rendered() {
        let ledger = parse(TEXT).unwrap();
        assert_eq!((ledger.accounts.len(), ledger.accounts[0].1.balance.0), (1, 9_450));
        assert_eq!((ledger.sales.len(), ledger.sales[0].1.state), (1, State::Charged));
        assert_eq!((ledger.unconfirmed.len(), ledger.set_aside), (1, 2));
        assert_eq!(parse(&render(LedgerLine::of(&ledger))).unwrap(), ledger);
    }

    #[test]
    fn a_line_that_says_something_else_is_named() {
        let wrong = |line: &str| parse(&format!("{{\"set_aside\":0}}\n{line}\n")).unwrap_err();
        assert!(wrong("ledger").starts_with("ledger, line 2: no JSON: "));
        assert_eq!(wrong("{}"), format!("ledger, line 2: no line of a ledger: write {FORMS}"));
        let unknown = wrong(r#"{"account":"8888888888","balance_fen":1,"colour":"\u001b"}"#);
        assert!(unknown.contains("unknown field `colour`"), "{unknown}");
        assert!(wrong(r#"{"account":"8","balance_fen":1}"#).contains("exactly ten decimal digits"));
        assert!(wrong(r#"{"sale":"pay","at":"2024-01-02 03:04:05","state":"charged"}"#).contains("`serial`"));
    }
}
