//! What people do, as lines of text from the panel.
//!
//! Shape: `tap CARD`, `keys TEXT`, `scan TEXT`, each ended by LF. Keys are an amount, or `#` and what is told to the
//! server. The panel is told `ready`, `show TEXT`, `beep N`, `say N`, and `error TEXT` of a line that it should not
//! have sent.

use super::announce::Announcement;
use super::board::TerminalParts;
use super::entry::SaleKind;
use super::firmware::Terminal;
use super::installed::Mode;
use crate::card::number::CardNumber;
use crate::money::Fen;

impl Terminal {
    /// Takes what the panel sends, a line at a time.
    pub(super) fn hear_people(&mut self, bytes: &[u8], parts: &mut TerminalParts) {
        for byte in bytes {
            if *byte != b'\n' {
                // One byte more than is read tells a line that is too long.
                if self.line.len() <= self.config.times.line_max {
                    self.line.push(*byte);
                }
                continue;
            }
            let line = std::mem::take(&mut self.line);
            self.hear_line(&line, parts);
        }
    }

    fn hear_line(&mut self, line: &[u8], parts: &mut TerminalParts) {
        if line.len() > self.config.times.line_max {
            return self.tell_people("error", "line too long");
        }
        let (what, rest) = match line.iter().position(|byte| *byte == b' ') {
            Some(at) => (&line[..at], &line[at + 1..]),
            None => (line, &[][..]),
        };
        match what {
            b"tap" => self.tapped(rest, parts),
            b"keys" => self.typed(rest),
            b"scan" => self.scanned(rest, parts),
            _ => self.tell_people("error", "no such line"),
        }
    }

    fn tapped(&mut self, card: &[u8], parts: &mut TerminalParts) {
        let Ok(card) = CardNumber::parse(card) else { return self.announce(Announcement::Unreadable) };
        let mode = self.installed.as_ref().map(|installed| installed.mode).unwrap_or_default();
        let typed = self.typed.take();
        match (mode, typed) {
            (Mode::Count, _) => self.begin_sale(SaleKind::Count, card, Fen(0), &[], parts),
            (Mode::Fixed(amount), _) | (Mode::Ordinary | Mode::Money, Some(amount)) => {
                self.begin_sale(SaleKind::Pay, card, amount, &[], parts);
            }
            (Mode::Ordinary, None) => self.show_card(card),
            (Mode::Money, None) => self.announce(Announcement::EnterAmount),
        }
    }

    fn scanned(&mut self, code: &[u8], parts: &mut TerminalParts) {
        let mode = self.installed.as_ref().map(|installed| installed.mode).unwrap_or_default();
        let typed = self.typed.take();
        let amount = if let Mode::Fixed(amount) = mode { Some(amount) } else { typed };
        match amount {
            _ if code.is_empty() => self.announce(Announcement::Unreadable),
            Some(amount) => self.begin_sale(SaleKind::Scan, CardNumber::default(), amount, code, parts),
            None => self.announce(Announcement::EnterAmount),
        }
    }

    fn typed(&mut self, keys: &[u8]) {
        if let [b'#', text @ ..] = keys {
            let plain = |byte: &u8| (b' '..=b'~').contains(byte) && *byte != b',';
            return match text {
                [_, ..] if text.iter().all(plain) => self.tell_keys(text),
                _ => self.tell_people("error", "no such keys"),
            };
        }
        self.typed = parse_typed(keys).filter(|amount| *amount <= self.config.times.amount_max);
        self.announce(self.typed.map_or(Announcement::BadAmount, Announcement::Amount));
    }
}

/// An amount as it is typed: digits, and at most two behind a point; more than nothing.
fn parse_typed(keys: &[u8]) -> Option<Fen> {
    let mut parts = keys.splitn(2, |byte| *byte == b'.');
    let (yuan, rest) = (parts.next()?, parts.next());
    let digits = |part: &[u8], most: usize| {
        let sound = (1..=most).contains(&part.len()) && part.iter().all(u8::is_ascii_digit);
        sound.then(|| part.iter().fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0')))
    };
    let fen = match rest {
        None => 0,
        Some(tenth @ [_]) => digits(tenth, 1)? * 10,
        Some(rest) => digits(rest, 2)?,
    };
    Some(Fen(digits(yuan, 7)? * 100 + fen)).filter(|amount| amount.0 > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_they_are_typed() {
        for (keys, fen) in [("5", 500), ("5.5", 550), ("5.50", 550), ("0.01", 1), ("9999999.99", 999_999_999)]
        {
            assert_eq!(parse_typed(keys.as_bytes()), Some(Fen(fen)), "{keys}");
        }
        for bad in ["", "0", "0.00", ".5", "5.", "5.555", "-1", "1e3", "10000000", "5,5", "5 ", "\u{ff15}"] {
            assert_eq!(parse_typed(bad.as_bytes()), None, "{bad}");
        }
    }
}
