//! What the vendor's server knows: cards, orders, and what became of them. Every change is a line for the journal.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Prices in fen a tonne.
#[derive(Clone, Debug)]
pub struct Prices {
    /// The flat price.
    pub flat: u32,
    /// The tiers: up to how many tonnes, and the price; the last has no end.
    pub tiers: Vec<(Option<u32>, u32)>,
}

/// An order.
#[derive(Clone, Debug)]
struct Order {
    number: u128,
    tiered: bool,
    paid_fen: u64,
    /// In hundredths of a tonne.
    volume: u32,
    /// Offered to a terminal at least once.
    out: bool,
    doubtful: bool,
    closed: bool,
}

/// A card. Volumes are hundredths of a tonne.
#[derive(Clone, Debug, Default)]
struct Card {
    last: u32,
    bought: u32,
    credit_fen: u64,
    orders: Vec<Order>,
}

/// What a terminal is answered about a card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Offer {
    /// There is nothing.
    Nothing,
    /// An order to be written to the card.
    Paid(u128, u32),
    /// The last order is on the card already.
    Done(u128, u32),
    /// The card does not fit the books.
    SeeOffice,
}

/// The books.
#[derive(Clone, Debug, Default)]
pub struct Books {
    cards: BTreeMap<String, Card>,
    owners: BTreeMap<u128, String>,
}

/// The most orders of a card that are not closed.
const OPEN_MAX: usize = 16;
/// The most that is taken for one order.
const PAID_MAX_FEN: u64 = 1_000_000;

impl Books {
    /// The books that a journal tells of. A line that was torn is not there.
    pub fn from_journal(journal: &[u8]) -> Self {
        let mut books = Self::default();
        let end = journal.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        for line in String::from_utf8_lossy(&journal[..end]).lines() {
            let words: Vec<&str> = line.split(' ').collect();
            books.replay(&words);
        }
        books
    }

    fn replay(&mut self, words: &[&str]) -> Option<()> {
        let number = |at: usize| words.get(at)?.parse::<u128>().ok();
        match *words.first()? {
            "paid" => {
                let card = (*words.get(1)?).to_owned();
                let small = |at: usize| number(at).and_then(|value| u32::try_from(value).ok());
                let order = Order {
                    number: number(2)?,
                    tiered: words.get(3)? == &"tiered",
                    paid_fen: u64::try_from(number(4)?).ok()?,
                    volume: small(5)?,
                    out: false,
                    doubtful: false,
                    closed: false,
                };
                self.owners.insert(order.number, card.clone());
                let account = self.cards.entry(card).or_default();
                account.bought += order.volume;
                account.credit_fen = u64::try_from(number(6)?).ok()?;
                account.orders.push(order);
            }
            "offered" => self.order(number(1)?)?.out = true,
            "doubt" => self.order(number(1)?)?.doubtful = true,
            "closed" => {
                let order = number(1)?;
                let volume = self.order(order)?.volume;
                self.order(order)?.closed = true;
                let card = self.owners.get(&order)?;
                self.cards.get_mut(card)?.last += volume;
            }
            _ => {}
        }
        Some(())
    }

    fn order(&mut self, number: u128) -> Option<&mut Order> {
        let card = self.owners.get(&number)?;
        self.cards.get_mut(card)?.orders.iter_mut().find(|order| order.number == number)
    }

    fn note(&mut self, line: String, journal: &mut String) {
        let words: Vec<&str> = line.split(' ').collect();
        self.replay(&words);
        let _ = writeln!(journal, "{line}");
    }

    /// Somebody has paid: what it buys, or why not. The same payment again buys nothing more.
    ///
    /// Errors: the word for the refusal.
    pub fn pay(
        &mut self,
        prices: &Prices,
        card: &str,
        number: u128,
        tiered: bool,
        fen: u64,
        journal: &mut String,
    ) -> Result<u32, &'static str> {
        if let Some(owner) = self.owners.get(&number).cloned() {
            let known = self.order(number).ok_or("order-taken")?;
            let same = owner == card && known.tiered == tiered && known.paid_fen == fen;
            return if same { Ok(known.volume) } else { Err("order-taken") };
        }
        let account = self.cards.get(card).cloned().unwrap_or_default();
        if fen == 0 {
            return Err("too-small");
        }
        if fen > PAID_MAX_FEN {
            return Err("too-much");
        }
        if account.orders.iter().filter(|order| !order.closed).count() >= OPEN_MAX {
            return Err("too-many-open");
        }
        let money = fen + account.credit_fen;
        let (volume, spent) = buys(prices, tiered, money, account.bought);
        if volume == 0 {
            return Err("too-small");
        }
        let pricing = if tiered { "tiered" } else { "flat" };
        let left = money - spent;
        self.note(format!("paid {card} {number} {pricing} {fen} {volume} {left}"), journal);
        Ok(volume)
    }

    /// A terminal asks for a card that shows so much sold: the offer, and the volume on which it counts.
    pub fn request(&mut self, card: &str, tiered: bool, sold: u32, journal: &mut String) -> (Offer, u32) {
        let account = self.cards.get(card).cloned().unwrap_or_default();
        let mut done = None;
        if sold != account.last {
            // Was an order written whose result never came?
            let open = account.orders.iter().filter(|order| !order.closed && order.out);
            match open.into_iter().find(|order| account.last + order.volume == sold) {
                Some(order) => {
                    done = Some((order.number, order.volume));
                    self.note(format!("closed {}", order.number), journal);
                }
                None => return (Offer::SeeOffice, account.last),
            }
        }
        let account = self.cards.get(card).cloned().unwrap_or_default();
        let next = account.orders.iter().find(|order| !order.closed).filter(|order| order.tiered == tiered);
        match (next, done) {
            (Some(order), _) => {
                if !order.out {
                    self.note(format!("offered {}", order.number), journal);
                }
                (Offer::Paid(order.number, order.volume), sold)
            }
            (None, Some((number, volume))) => (Offer::Done(number, volume), sold - volume),
            (None, None) => (Offer::Nothing, sold),
        }
    }

    /// A terminal tells what became of an order; the state to answer: 1 open, 2 closed, 3 set aside.
    pub fn upload(&mut self, card: &str, number: u128, result: u8, sold: u32, journal: &mut String) -> u8 {
        let last = self.cards.get(card).map_or(0, |account| account.last);
        let owned = self.owners.get(&number).is_some_and(|owner| owner == card);
        let Some(order) = self.order(number).filter(|_| owned).cloned() else { return 3 };
        match result {
            _ if order.closed => 2,
            0 => 1,
            1 if order.out && last + order.volume == sold => {
                self.note(format!("closed {number}"), journal);
                2
            }
            2 if order.out => {
                if !order.doubtful {
                    self.note(format!("doubt {number}"), journal);
                }
                1
            }
            _ => 3,
        }
    }

    /// What a card ought to show, and how many of its orders are open.
    pub fn account(&self, card: &str) -> (u32, usize) {
        let account = self.cards.get(card);
        account.map_or((0, 0), |account| {
            (account.last, account.orders.iter().filter(|order| !order.closed).count())
        })
    }
}

/// How much some money buys, in hundredths of a tonne, and what that costs.
fn buys(prices: &Prices, tiered: bool, money_fen: u64, bought: u32) -> (u32, u64) {
    let flat = [(None, prices.flat)];
    let tiers: &[(Option<u32>, u32)] = if tiered { &prices.tiers } else { &flat };
    let (mut at, mut left) = (u64::from(bought), money_fen * 100);
    for (end, price) in tiers {
        let end = end.map_or(u64::MAX, |tonnes| u64::from(tonnes) * 100);
        let take = (left / u64::from(*price)).min(end.saturating_sub(at));
        at += take;
        left -= take * u64::from(*price);
        if at < end {
            break;
        }
    }
    let spent = (money_fen * 100 - left).div_ceil(100);
    (u32::try_from(at - u64::from(bought)).unwrap_or(0), spent)
}

/// Hundredths as decimal tonnes.
pub fn tonnes(hundredths: u32) -> String {
    let text = format!("{}.{:02}", hundredths / 100, hundredths % 100);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Decimal tonnes with at most two decimals as hundredths.
pub fn hundredths(text: &str) -> Option<u32> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(part) || part.len() > 2 {
        return None;
    }
    let part: u32 = format!("{part:0<2}").parse().ok()?;
    whole.parse::<u32>().ok()?.checked_mul(100)?.checked_add(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prices() -> Prices {
        Prices { flat: 350, tiers: vec![(Some(15), 300), (Some(25), 450), (None, 900)] }
    }

    #[test]
    fn money_buys_volume_and_the_rest_is_kept() {
        assert_eq!(buys(&prices(), false, 4_375, 0), (1_250, 4_375));
        assert_eq!(buys(&prices(), false, 1_000, 0), (285, 998));
        // Fifteen tonnes for 45 yuan, ten for 45, one for 9.
        assert_eq!(buys(&prices(), true, 9_900, 0), (2_600, 9_900));
        assert_eq!(buys(&prices(), true, 900, 2_500), (100, 900));
    }

    #[test]
    fn an_order_is_closed_once_and_recognised_on_the_card() {
        let (mut books, mut journal) = (Books::default(), String::new());
        assert_eq!(books.pay(&prices(), "0012345678", 1001, false, 4_375, &mut journal), Ok(1_250));
        assert_eq!(books.pay(&prices(), "0012345678", 1001, false, 4_375, &mut journal), Ok(1_250));
        let offer = books.request("0012345678", false, 0, &mut journal);
        assert_eq!(offer, (Offer::Paid(1001, 1_250), 0));
        // The result never came, and the card tells.
        let told = books.request("0012345678", false, 1_250, &mut journal);
        assert_eq!(told, (Offer::Done(1001, 1_250), 0));
        assert_eq!(books.upload("0012345678", 1001, 1, 1_250, &mut journal), 2);
        assert_eq!(books.upload("0012345678", 1001, 0, 0, &mut journal), 2);
        assert_eq!(books.request("0012345678", false, 7, &mut journal), (Offer::SeeOffice, 1_250));
        let again = Books::from_journal(format!("{journal}closed 10").as_bytes());
        assert_eq!(again.account("0012345678"), (1_250, 0));
    }

    #[test]
    fn volumes_are_read_and_written_with_two_decimals_at_most() {
        for (text, value) in [("0", 0), ("12.5", 1_250), ("12.05", 1_205), ("7", 700)] {
            assert_eq!((hundredths(text), tonnes(value)), (Some(value), text.to_owned()));
        }
        for bad in ["", ".", "1.", ".5", "1.234", "-1", "1,5", "99999999999"] {
            assert_eq!(hundredths(bad), None, "{bad}");
        }
    }
}
