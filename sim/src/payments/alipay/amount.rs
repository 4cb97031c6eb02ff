//! Amounts and spans as the gateway writes them: yuan with two decimals, `90m`.

use crate::money::Fen;
use crate::time::Span;

/// Reads an amount in yuan.
///
/// Shape: digits, and at most two decimals after a point; above zero.
pub(super) fn read_yuan(text: &str) -> Option<Fen> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(part) || whole.len() > 12 || part.len() > 2 {
        return None;
    }
    let hundredths = part.parse::<i64>().ok()? * if part.len() == 1 { 10 } else { 1 };
    Some(Fen(whole.parse::<i64>().ok()? * 100 + hundredths)).filter(|amount| *amount > Fen(0))
}

/// Reads how long an order can be paid.
///
/// Shape: a whole number with `m`, `h` or `d` behind it, from one minute to fifteen days.
pub(super) fn read_timeout(text: &str) -> Option<Span> {
    let unit_s = match text.bytes().last()? {
        b'm' => 60,
        b'h' => 3_600,
        b'd' => 86_400,
        _ => return None,
    };
    let count = &text[..text.len() - 1];
    let digits = !count.is_empty() && count.len() <= 5 && count.bytes().all(|byte| byte.is_ascii_digit());
    let span = Span::s(count.parse::<u64>().ok().filter(|_| digits)? * unit_s);
    (span >= Span::s(60) && span <= Span::s(15 * 86_400)).then_some(span)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_at_most_two_decimals() {
        for (text, fen) in [("0.01", 1), ("88.8", 8_880), ("12", 1_200), ("100000000.00", 10_000_000_000)] {
            assert_eq!(read_yuan(text), Some(Fen(fen)), "{text}");
        }
        for bad in ["", "0", "0.00", "0.001", "1.", ".5", "-1", "+1", "1e3", "1,00", " 1", "1000000000000.0"]
        {
            assert_eq!(read_yuan(bad), None, "{bad}");
        }
    }

    #[test]
    fn an_order_lives_between_a_minute_and_fifteen_days() {
        for (text, seconds) in
            [("1m", 60), ("90m", 5_400), ("2h", 7_200), ("15d", 1_296_000), ("360h", 1_296_000)]
        {
            assert_eq!(read_timeout(text), Some(Span::s(seconds)), "{text}");
        }
        for bad in ["", "m", "0m", "1.5h", "16d", "361h", "21601m", "99999d", "5", "5s", "-1m", "1 m", "1米"]
        {
            assert_eq!(read_timeout(bad), None, "{bad}");
        }
    }
}
