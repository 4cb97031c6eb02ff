//! What is read off the water system's parties, as reports show it.

use assay_reports::{Exhibit, LedgerLine};
use assay_sim::card::content::read_rule;
use assay_sim::water::observe::{Books, Listed, Observed};

use crate::trace::hex;

/// What an observation shows.
pub(super) fn of(observed: &Observed) -> Vec<Exhibit> {
    match observed {
        Observed::Card { blocks } => card(blocks),
        Observed::Chip { image, torn, .. } => {
            let torn = torn.iter().copied().map(u16::from).collect();
            vec![Exhibit::Memory { hex: hex(&image[..]), torn }]
        }
        Observed::Books(books) => vec![cards(books), orders(books)],
    }
}

fn card(blocks: &[u32; 8]) -> Vec<Exhibit> {
    let bytes: Vec<u8> = blocks.iter().flat_map(|block| block.to_be_bytes()).collect();
    let memory = Exhibit::Memory { hex: hex(&bytes), torn: Vec::new() };
    let [_, content @ .., _] = *blocks;
    let sold = read_rule(content).ok().map(|reading| Exhibit::Ledger {
        of: "water sold to cards".to_owned(),
        lines: vec![LedgerLine {
            key: format!("card {}", reading.content.card),
            amount: format!("{} t", reading.content.sold),
            note: format!("after {} credits", reading.content.counter),
        }],
    });
    [Some(memory), sold].into_iter().flatten().collect()
}

fn cards(books: &Books) -> Exhibit {
    let line = |card: &assay_sim::water::observe::CardBooks| LedgerLine {
        key: format!("card {}", card.card),
        amount: format!("{} t", card.last),
        note: String::new(),
    };
    Exhibit::Ledger { of: "water sold to cards".to_owned(), lines: books.cards.iter().map(line).collect() }
}

fn orders(books: &Books) -> Exhibit {
    let line = |order: &assay_sim::water::observe::OrderBooks| LedgerLine {
        key: format!("order {} for card {}", order.order, order.card),
        amount: format!("{} t", order.volume),
        note: match order.listed {
            Listed::Open => "open",
            Listed::InDoubt => "in doubt",
            Listed::Closed => "closed",
        }
        .to_owned(),
    };
    Exhibit::Ledger { of: "orders".to_owned(), lines: books.orders.iter().map(line).collect() }
}

#[cfg(test)]
mod tests {
    use assay_sim::card::number::CardNumber;
    use assay_sim::money::{Fen, Volume};
    use assay_sim::water::observe::CardBooks;

    use super::*;

    #[test]
    fn a_card_and_the_books_name_a_card_alike() {
        let number = CardNumber::parse(b"0012345678").unwrap();
        let books = Books {
            cards: vec![CardBooks { card: number, last: Volume(1_250), credit: Fen(0) }],
            orders: Vec::new(),
        };
        let content = assay_sim::card::content::CardContent {
            card: number,
            area: 1,
            kind: 1,
            sold: Volume(1_250),
            counter: 1,
            order_low: 1_001,
        };
        let blocks = content.issue(0, 0);
        let keys = |exhibits: Vec<Exhibit>| {
            let lines = exhibits.into_iter().find_map(|exhibit| match exhibit {
                Exhibit::Ledger { of, lines } if of == "water sold to cards" => Some(lines),
                _ => None,
            });
            lines.unwrap().into_iter().map(|line| (line.key, line.amount)).collect::<Vec<_>>()
        };
        let card = keys(of(&Observed::Card { blocks }));
        assert_eq!(card, [("card 0012345678".to_owned(), "12.5 t".to_owned())]);
        assert_eq!(keys(of(&Observed::Books(books))), card);
    }
}
