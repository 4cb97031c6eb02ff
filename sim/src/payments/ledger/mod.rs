//! One ledger for all faces: merchants, payers, orders, refunds, and the trail of all that happened.
//!
//! Money moves here and nowhere else, always between a payer and a merchant, so that the sum of all balances never
//! changes. The ledger is told the time; what happens by itself lies on an agenda.

mod audit;
mod kept;
mod order;
mod pay;
mod payer;
mod refund;
mod room;
#[cfg(test)]
mod tests;
mod undo;

use std::collections::{BTreeMap, BTreeSet};

pub use audit::{Deed, Entry};
use kept::Kept;
pub use order::{Order, OrderId, Refund, State};
use payer::Code;
pub use payer::{Manner, Payer, is_code};

use super::call::{Call, House, Operation, OrderRef, Outcome, Platform, Refusal, Terms};
use super::profile::Profile;
use crate::digest::Digest;
use crate::money::Fen;
use crate::time::{Instant, Now, Span};

/// A merchant's account.
#[derive(Clone, Debug, Default)]
struct Merchant {
    balance: Fen,
    numbers: BTreeMap<String, OrderId>,
    refunds: BTreeMap<String, usize>,
}

/// What happens by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    /// A payer makes up its mind.
    Decide(OrderId),
    /// An order's time is over.
    Expire(OrderId),
    /// A success comes though the order was undone.
    LateSuccess(OrderId),
}

impl Due {
    const fn order(self) -> OrderId {
        match self {
            Self::Decide(id) | Self::Expire(id) | Self::LateSuccess(id) => id,
        }
    }
}

/// The ledger.
#[derive(Clone, Debug)]
pub struct Ledger {
    profile: Profile,
    wechat: BTreeMap<String, Merchant>,
    alipay: BTreeMap<String, Merchant>,
    payers: BTreeMap<String, Payer>,
    codes: BTreeMap<String, Code>,
    /// Whose the codes are that nobody has been shown.
    stranger: Option<String>,
    orders: Kept<Order>,
    /// By their places, counted from the first there ever was.
    refunds: BTreeMap<usize, Refund>,
    refunds_made: usize,
    transactions: BTreeMap<String, OrderId>,
    agenda: BTreeSet<(Instant, u64, Due)>,
    ordinal: u64,
    trail: Vec<Entry>,
    /// Orders that have been paid since somebody asked.
    paid: Vec<OrderId>,
    /// How long whoever is asked to pay is busy, whatever its manner.
    busy: Option<Span>,
}

impl Ledger {
    /// A ledger with nobody in it.
    pub const fn new(profile: Profile) -> Self {
        Self {
            profile,
            wechat: BTreeMap::new(),
            alipay: BTreeMap::new(),
            payers: BTreeMap::new(),
            codes: BTreeMap::new(),
            stranger: None,
            orders: Kept::new(),
            refunds: BTreeMap::new(),
            refunds_made: 0,
            transactions: BTreeMap::new(),
            agenda: BTreeSet::new(),
            ordinal: 0,
            trail: Vec::new(),
            paid: Vec::new(),
            busy: None,
        }
    }

    /// Opens a merchant's account.
    pub fn add_merchant(&mut self, house: House, id: &str) {
        self.shops(house).entry(id.to_owned()).or_default();
    }

    /// Adds somebody who pays.
    pub fn add_payer(&mut self, id: &str, balance: Fen, manner: Manner) {
        let payer = Payer { id: id.to_owned(), balance, manner, password_free: (0, 0) };
        self.payers.insert(id.to_owned(), payer);
    }

    /// Codes of the right form that nobody has been shown belong to this payer from here on.
    pub fn give_strange_codes_to(&mut self, payer: &str) {
        self.stranger = Some(payer.to_owned());
    }

    /// Changes how a payer behaves; false if there is no such payer.
    pub fn set_manner(&mut self, payer: &str, manner: Manner) -> bool {
        self.payers.get_mut(payer).map(|payer| payer.manner = manner).is_some()
    }

    /// Shows a payer a code on the telephone; false if there is no such payer, the code has been shown before, or too
    /// many are shown.
    pub fn show_code(&mut self, now: Now, payer: &str, code: &str) -> bool {
        let fresh = self.payers.contains_key(payer) && !self.codes.contains_key(code);
        let fresh = fresh && self.make_room_for_code(now);
        if fresh {
            let shown = Code { payer: payer.to_owned(), shown: now.mono, used: false };
            self.codes.insert(code.to_owned(), shown);
        }
        fresh
    }

    /// A code that nobody has been shown.
    pub fn next_code(&self, house: House) -> String {
        let text = |number: usize| match house {
            House::Wechat => format!("13{number:016}"),
            House::Alipay => format!("28{number:016}"),
        };
        let numbers = self.codes.len()..;
        numbers.map(text).find(|code| !self.codes.contains_key(code)).unwrap_or_default()
    }

    /// Does what a call asks for.
    pub fn handle_call(&mut self, now: Now, call: &Call) -> Outcome {
        self.handle_deadline(now);
        let (platform, merchant) = (call.platform, call.merchant.as_str());
        let house = platform.house();
        match &call.operation {
            Operation::Pay { terms, code } => self.pay(now, platform, merchant, terms, code),
            Operation::Precreate(terms) => self.precreate(now, platform, merchant, terms),
            Operation::Query(order) => match self.find(house, merchant, order) {
                Some(id) => Outcome::of(Ok(()), self.order(id)),
                None => Outcome::bare(Err(Refusal::NoSuchOrder)),
            },
            Operation::Cancel(order) => self.cancel(now, house, merchant, order),
            Operation::Close(order) => self.close(now, house, merchant, order),
            Operation::Refund(terms) => self.refund(now, house, merchant, terms),
            Operation::RefundQuery { order, refund, refund_id } => {
                let named = (order.as_ref(), refund.as_deref(), refund_id.as_deref());
                self.query_refund(now, house, merchant, named)
            }
            Operation::Certificates => Outcome::bare(Ok(())),
        }
    }

    /// Lets everything happen that is due by now.
    pub fn handle_deadline(&mut self, now: Now) {
        while let Some((at, _, due)) = self.agenda.first().copied().filter(|(at, ..)| *at <= now.mono) {
            self.agenda.pop_first();
            let then = Now { mono: at, wall: now.wall };
            match due {
                Due::Decide(id) => self.decide(then, id),
                Due::Expire(id) => self.expire(then, id),
                Due::LateSuccess(id) => self.succeed_late(then, id),
            }
        }
    }

    /// When something happens by itself next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.agenda.first().map(|(at, ..)| *at)
    }

    /// The orders that have been paid since this was asked last, each with a merchant's address if the platform tells
    /// the merchant.
    pub fn poll_paid(&mut self) -> Vec<OrderId> {
        std::mem::take(&mut self.paid)
    }

    /// An order.
    ///
    /// Panics: if the place is not one of this ledger's, or the order has been forgotten.
    pub fn order(&self, id: OrderId) -> &Order {
        &self.orders[id.0]
    }

    /// All orders that are kept, the oldest first.
    pub fn orders(&self) -> &[Order] {
        self.orders.as_slice()
    }

    /// All refunds of those, the oldest first.
    pub fn refunds(&self) -> impl ExactSizeIterator<Item = &Refund> {
        self.refunds.values()
    }

    /// All payers.
    pub fn payers(&self) -> impl Iterator<Item = &Payer> {
        self.payers.values()
    }

    /// The trail.
    pub fn trail(&self) -> &[Entry] {
        &self.trail
    }

    /// What a merchant has.
    pub fn merchant_balance(&self, house: House, merchant: &str) -> Option<Fen> {
        self.shop(house, merchant).map(|merchant| merchant.balance)
    }

    /// The sum of all balances, which nothing but a new payer changes.
    pub fn total(&self) -> Fen {
        let merchants = self.wechat.values().chain(self.alipay.values()).map(|merchant| merchant.balance);
        self.payers.values().map(|payer| payer.balance).chain(merchants).fold(Fen(0), |sum, one| sum + one)
    }

    /// The order that a merchant means.
    pub fn find(&self, house: House, merchant: &str, order: &OrderRef) -> Option<OrderId> {
        match order {
            OrderRef::Number(number) => self.shop(house, merchant)?.numbers.get(number).copied(),
            OrderRef::Transaction(number) => {
                let id = *self.transactions.get(number)?;
                let order = self.order(id);
                (order.house() == house && order.merchant == merchant).then_some(id)
            }
        }
    }

    /// Adds everything that can make a difference.
    pub fn digest(&self, into: &mut Digest) {
        for order in self.orders.as_slice() {
            into.text(&order.merchant).text(&order.terms.number).text(order.state.as_str());
            into.word(order.terms.amount.0.unsigned_abs()).word(order.refunded.0.unsigned_abs());
            into.text(order.payer.as_deref().unwrap_or("")).instant(order.expires);
        }
        for refund in self.refunds.values() {
            into.text(&refund.number).word(refund.amount.0.unsigned_abs()).instant(refund.settles);
        }
        for payer in self.payers.values() {
            into.text(&payer.id).word(payer.balance.0.unsigned_abs()).text(&format!("{:?}", payer.manner));
            into.word(u64::from(payer.password_free.1));
        }
        for (text, code) in &self.codes {
            into.text(text).text(&code.payer).age(code.shown).flag(code.used);
        }
        for (at, _, due) in &self.agenda {
            into.instant(*at).text(&format!("{due:?}"));
        }
    }

    const fn shops(&mut self, house: House) -> &mut BTreeMap<String, Merchant> {
        match house {
            House::Wechat => &mut self.wechat,
            House::Alipay => &mut self.alipay,
        }
    }

    fn merchant_of(&mut self, id: OrderId) -> &mut Merchant {
        let order = &self.orders[id.0];
        let (house, merchant) = (order.house(), order.merchant.clone());
        self.shops(house).entry(merchant).or_default()
    }

    fn shop(&self, house: House, merchant: &str) -> Option<&Merchant> {
        match house {
            House::Wechat => self.wechat.get(merchant),
            House::Alipay => self.alipay.get(merchant),
        }
    }

    /// Enters an order.
    fn make(
        &mut self,
        now: Now,
        platform: Platform,
        merchant: &str,
        terms: &Terms,
        code: Option<&str>,
    ) -> OrderId {
        self.make_room();
        let (id, house) = (OrderId(self.orders.next()), platform.house());
        let life = terms.life.unwrap_or(self.profile.house(house).order_life);
        let transaction = transaction_number(house, now, id);
        let shop = self.shops(house).entry(merchant.to_owned()).or_default();
        shop.numbers.insert(terms.number.clone(), id);
        self.transactions.insert(transaction.clone(), id);
        self.orders.push(Order {
            id,
            platform,
            merchant: merchant.to_owned(),
            transaction,
            terms: terms.clone(),
            code: code.map(str::to_owned),
            state: State::Unscanned,
            refusal: None,
            payer: None,
            made: now.mono,
            made_wall: now.wall,
            paid_wall: None,
            expires: now.mono + life,
            refunded: Fen(0),
            refunds: Vec::new(),
        });
        self.note(now, id, Deed::Made(terms.amount));
        self.plan(now.mono + life, Due::Expire(id));
        id
    }

    fn note(&mut self, now: Now, order: OrderId, deed: Deed) {
        self.trail.push(Entry { at: now.mono, order, deed });
    }

    fn plan(&mut self, at: Instant, due: Due) {
        self.ordinal += 1;
        self.agenda.insert((at, self.ordinal, due));
    }

    /// Whoever is asked to pay from here on takes so long, whatever its manner; `None` ends that.
    pub const fn keep_busy(&mut self, span: Option<Span>) {
        self.busy = span;
    }

    /// A success comes so long after now, though the order is undone by then.
    pub fn plan_late_success(&mut self, now: Now, order: OrderId, after: Span) {
        self.plan(now.mono + after, Due::LateSuccess(order));
    }
}

/// A platform's number for an order.
///
/// Shape: 28 digits, with the day of the order in them, and the order's place in the ledger at the end.
fn transaction_number(house: House, now: Now, id: OrderId) -> String {
    let digits = now.wall.digits();
    let day = digits.get(..8).unwrap_or("19700101");
    match house {
        House::Wechat => format!("4200000000{day}{:010}", id.0 + 1),
        House::Alipay => format!("{day}2200140000{:010}", id.0 + 1),
    }
}
