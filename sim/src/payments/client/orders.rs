//! The decision table: what follows what the till asks for, and what the platform says or does not say.

use super::books::{BookRecord, SaleNumber, Standing, Try};
use super::firmware::{Deed, Firmware, Lent};
use super::policy::{
    LateSuccess, Numbering, OnOrderPaid, OnPassword, OnUnknown, QueryError, Repeats, SameSale, Undoing,
    WindowOver,
};
use super::requests::{Ask, Refused, Stands, Why, Word};
use crate::money::Fen;
use crate::payments::call::House;

/// The most tries that a client makes of itself which charges again at once.
const TRIES_MAX: u32 = 3;

impl Firmware {
    /// The till wants a sale paid: by a code, or by a payer who scans.
    pub(super) fn sell(
        &mut self,
        lent: &mut Lent<'_>,
        sale: SaleNumber,
        amount: Fen,
        code: Option<&str>,
    ) -> Option<()> {
        let Some(order) = self.books.latest(sale) else {
            self.open(lent, Try(sale, 1), amount, code);
            return Some(());
        };
        let known = self.books.sale(sale)?.amount == amount;
        let attempt = self.books.attempt(order)?;
        if !known || attempt.code.is_some() != code.is_some() {
            return None;
        }
        let (standing, same_code) = (attempt.standing, attempt.code.as_deref() == code);
        let again = Try(sale, order.1.saturating_add(1));
        if lent.setup.policy.same_sale == SameSale::ChargedAgain {
            self.open(lent, again, amount, code);
            return Some(());
        }
        match standing {
            Standing::Paid => self.tell(lent, order, "paid", ""),
            Standing::Dead | Standing::Refunded if !same_code => match lent.setup.policy.numbering {
                Numbering::New => self.open(lent, again, amount, code),
                Numbering::Same => self.open_again(lent, order, code),
            },
            Standing::Dead | Standing::Refunded => self.tell(lent, order, "failed", standing.as_str()),
            Standing::Open if code.is_none() => {
                let flying = self.flying.values().any(|flying| flying.order == order && !flying.answered);
                if !flying {
                    self.plan_ask(lent.now.mono, order, Ask::Offer);
                }
            }
            Standing::Open | Standing::Undoing | Standing::Refunding => self.tell(lent, order, "wait", ""),
        }
        Some(())
    }

    /// The till no longer wants a sale that nobody has paid.
    pub(super) fn cancel(&mut self, lent: &mut Lent<'_>, sale: SaleNumber) -> Option<()> {
        let order = self.books.latest(sale)?;
        let attempt = self.books.attempt(order)?;
        if attempt.standing == Standing::Open {
            let by_code = attempt.code.is_some();
            self.undo(lent, order, by_code);
        }
        Some(())
    }

    fn open(&mut self, lent: &mut Lent<'_>, order: Try, amount: Fen, code: Option<&str>) {
        let ask = if code.is_some() { Ask::Pay } else { Ask::Offer };
        self.enter(lent, BookRecord::Opened { order, amount, code: code.map(str::to_owned) });
        let at = Self::durable(lent, lent.setup.policy.commit);
        self.enliven(at, order);
        self.plan_ask(at, order, ask);
    }

    fn open_again(&mut self, lent: &mut Lent<'_>, order: Try, code: Option<&str>) {
        self.become_(lent, order, Standing::Open);
        let at = Self::durable(lent, lent.setup.policy.commit);
        let live = self.enliven(at, order);
        (live.started, live.watched, live.code) = (at, None, code.map(str::to_owned));
        self.plan_ask(at, order, Ask::Pay);
    }

    /// A call never reached the platform.
    pub(super) fn unreached(&mut self, lent: &mut Lent<'_>, order: Try, ask: Ask) {
        let (now, config) = (lent.now.mono, &lent.setup.config);
        let started = self.enliven(now, order).started;
        match ask {
            Ask::Pay | Ask::Offer if self.standing(order) == Some(Standing::Open) => {
                if now + config.reconnect <= started + config.connect_window {
                    self.plan_ask(now + config.reconnect, order, ask);
                } else if ask == Ask::Pay {
                    self.dead(lent, order, "unreachable", false);
                } else {
                    self.still_open(lent, order);
                }
            }
            _ => self.answered(lent, order, ask, Word::Nothing),
        }
    }

    /// What follows an answer, or that there is none.
    pub(super) fn answered(&mut self, lent: &mut Lent<'_>, order: Try, ask: Ask, said: Word) {
        let now = lent.now.mono;
        let Some(standing) = self.standing(order) else { return };
        let again = now + lent.setup.config.again_after;
        match (standing, ask) {
            (Standing::Open, Ask::Pay) => self.pay_answered(lent, order, said),
            (Standing::Open, Ask::Offer) => self.offer_answered(lent, order, said),
            (Standing::Open, Ask::Query) => self.query_answered(lent, order, said),
            (Standing::Dead | Standing::Undoing, Ask::Query) => {
                if said == Word::Paid {
                    return self.paid(lent, order);
                }
                let next = now + lent.setup.config.watch_gap;
                let watched = self.live.get(&order).and_then(|live| live.watched);
                if standing == Standing::Dead && watched.is_some_and(|end| next <= end) {
                    self.plan_ask(next, order, Ask::Query);
                }
            }
            (Standing::Undoing, Ask::Reverse) => {
                let once = lent.setup.policy.undoing == Undoing::Once;
                let gone = matches!(&said, Word::Refused(Refused { why: Why::Gone, .. }));
                if said == Word::Done || gone || once {
                    self.dead(lent, order, "undone", true);
                } else {
                    self.plan_ask(again, order, Ask::Reverse);
                }
            }
            (Standing::Open | Standing::Undoing, Ask::Close) => self.close_answered(lent, order, said),
            (Standing::Refunding, Ask::Refund) => {
                if said == Word::Done {
                    self.become_(lent, order, Standing::Refunded);
                    self.tell(lent, order, "failed", "refunded");
                } else {
                    self.plan_ask(again, order, Ask::Refund);
                }
            }
            // Its state has changed while the call was under way, and its next step is planned.
            _ => {}
        }
    }

    fn pay_answered(&mut self, lent: &mut Lent<'_>, order: Try, said: Word) {
        let policy = lent.setup.policy;
        let ask_soon = lent.now.mono + lent.setup.config.query_after;
        let Word::Refused(Refused { why, code }) = said else {
            if said == Word::Paid {
                return self.paid(lent, order);
            }
            return self.unknown(lent, order);
        };
        match why {
            Why::Waits => match policy.password {
                OnPassword::Polls => self.plan_ask(ask_soon, order, Ask::Query),
                OnPassword::TakesAsFailed => self.dead(lent, order, "password", false),
            },
            Why::OrderPaid if policy.order_paid == OnOrderPaid::NewNumber => self.charge_again(lent, order),
            Why::OrderPaid => self.plan_ask(ask_soon, order, Ask::Query),
            Why::Certain | Why::Closed => self.dead(lent, order, &code, false),
            Why::Gone | Why::Made | Why::Unknown => self.unknown(lent, order),
        }
    }

    /// Nobody knows whether the payer was charged.
    fn unknown(&mut self, lent: &mut Lent<'_>, order: Try) {
        match lent.setup.policy.unknown {
            OnUnknown::Queries => {
                self.plan_ask(lent.now.mono + lent.setup.config.query_after, order, Ask::Query);
            }
            OnUnknown::NewNumber => self.charge_again(lent, order),
            OnUnknown::TakesAsFailed => self.dead(lent, order, "no answer", false),
            OnUnknown::TakesAsPaid => self.paid(lent, order),
        }
    }

    fn charge_again(&mut self, lent: &mut Lent<'_>, order: Try) {
        let sale = self.books.sale(order.0).map(|sale| sale.amount);
        let code = self.books.attempt(order).and_then(|one| one.code.clone());
        match (sale, order.1 < TRIES_MAX) {
            (Some(amount), true) => {
                self.become_(lent, order, Standing::Dead);
                self.open(lent, Try(order.0, order.1 + 1), amount, code.as_deref());
            }
            _ => self.dead(lent, order, "no answer", false),
        }
    }

    fn offer_answered(&mut self, lent: &mut Lent<'_>, order: Try, said: Word) {
        let config = &lent.setup.config;
        match said {
            Word::Offered(url) => {
                self.tell(lent, order, "show", &url);
                self.still_open(lent, order);
            }
            Word::Refused(Refused { why: Why::OrderPaid | Why::Made, .. }) => {
                self.plan_ask(lent.now.mono + config.query_after, order, Ask::Query);
            }
            Word::Refused(Refused { why: Why::Certain | Why::Closed, code }) => {
                self.dead(lent, order, &code, true);
            }
            // The same call again makes the same order.
            _ => self.plan_ask(lent.now.mono + config.again_after, order, Ask::Offer),
        }
    }

    fn query_answered(&mut self, lent: &mut Lent<'_>, order: Try, said: Word) {
        match said {
            Word::Paid => self.paid(lent, order),
            Word::Stands(Stands::Dead(why)) => self.dead(lent, order, why, true),
            Word::Stands(Stands::Refunded) => {
                self.become_(lent, order, Standing::Refunded);
                self.tell(lent, order, "failed", "refunded");
            }
            Word::Stands(Stands::Open) => self.still_open(lent, order),
            _ => match lent.setup.policy.query_error {
                QueryError::Unknown => self.still_open(lent, order),
                QueryError::TakesAsFailed => self.dead(lent, order, "no answer", false),
            },
        }
    }

    /// An order is asked about again, or its time is over.
    fn still_open(&mut self, lent: &mut Lent<'_>, order: Try) {
        let (now, config) = (lent.now.mono, &lent.setup.config);
        let by_code = self.books.attempt(order).is_some_and(|one| one.code.is_some());
        let window = if by_code { config.pay_window } else { config.scan_window };
        let started = self.enliven(now, order).started;
        let (next, close) = (now + config.query_gap, (started + config.close_after).max(now));
        let asks = by_code || lent.setup.policy.following == super::Following::Both;
        if next <= started + window {
            let (at, ask) = if asks { (next, Ask::Query) } else { (started + window, Ask::Close) };
            return self.plan_ask(at, order, ask);
        }
        match lent.setup.policy.window {
            WindowOver::Undoes if by_code => self.undo(lent, order, true),
            WindowOver::Undoes => self.plan_ask(close, order, Ask::Close),
            WindowOver::GivesUp => self.dead(lent, order, "time over", false),
        }
    }

    fn undo(&mut self, lent: &mut Lent<'_>, order: Try, by_code: bool) {
        self.become_(lent, order, Standing::Undoing);
        let at = Self::durable(lent, lent.setup.policy.commit);
        let config = &lent.setup.config;
        let started = self.enliven(at, order).started;
        if by_code {
            self.plan_ask(at.max(started + config.undo_after), order, Ask::Reverse);
        } else {
            self.plan_ask(at.max(started + config.close_after), order, Ask::Close);
        }
    }

    fn close_answered(&mut self, lent: &mut Lent<'_>, order: Try, said: Word) {
        let config = &lent.setup.config;
        let (soon, again) = (lent.now.mono + config.query_after, lent.now.mono + config.again_after);
        let (paid, alipay) = (lent.setup.policy.order_paid, config.face.house() == House::Alipay);
        match said {
            Word::Done => self.dead(lent, order, "closed", true),
            // What nobody has scanned is no trade there, and what is paid cannot be closed: a cancel undoes both.
            Word::Refused(Refused { why: Why::Gone | Why::Unknown, .. }) if alipay => {
                self.become_(lent, order, Standing::Undoing);
                let at = Self::durable(lent, lent.setup.policy.commit);
                self.plan_ask(at, order, Ask::Reverse);
            }
            Word::Refused(Refused { why, .. }) => match why {
                Why::Closed | Why::Gone => self.dead(lent, order, "closed", true),
                Why::OrderPaid if paid == OnOrderPaid::TakesAsDead => self.dead(lent, order, "closed", false),
                Why::OrderPaid if self.standing(order) == Some(Standing::Undoing) => self.late(lent, order),
                Why::OrderPaid => self.plan_ask(soon, order, Ask::Query),
                Why::Waits | Why::Made | Why::Certain | Why::Unknown => {
                    self.plan_ask(again, order, Ask::Close);
                }
            },
            _ => self.plan_ask(again, order, Ask::Close),
        }
    }

    /// An order is paid, says the platform.
    pub(super) fn paid(&mut self, lent: &mut Lent<'_>, order: Try) {
        let again = lent.setup.policy.repeats == Repeats::BookedAgain;
        match self.standing(order) {
            Some(Standing::Open) => {}
            Some(Standing::Paid) if again => {}
            Some(Standing::Undoing | Standing::Dead) => return self.late(lent, order),
            Some(Standing::Paid | Standing::Refunding | Standing::Refunded) | None => return,
        }
        self.become_(lent, order, Standing::Paid);
        if let Some(live) = self.live.get_mut(&order) {
            live.next = None;
        }
        self.tell(lent, order, "paid", "");
    }

    /// Money has come though the order was given up.
    fn late(&mut self, lent: &mut Lent<'_>, order: Try) {
        if lent.setup.policy.late == LateSuccess::Refunded {
            self.become_(lent, order, Standing::Refunding);
            let at = Self::durable(lent, lent.setup.policy.commit);
            self.plan_ask(at, order, Ask::Refund);
        }
    }

    /// Nothing can come of an order any more; `watched` if that rests on more than a refusal.
    fn dead(&mut self, lent: &mut Lent<'_>, order: Try, why: &str, watched: bool) {
        self.become_(lent, order, Standing::Dead);
        self.tell(lent, order, "failed", why);
        if watched {
            self.watch(lent, order);
        }
    }

    /// Tells the till of a sale's latest order, when what it is told is durable.
    fn tell(&mut self, lent: &mut Lent<'_>, order: Try, word: &str, why: &str) {
        if self.books.latest(order.0) == Some(order) {
            let at = Self::durable(lent, lent.setup.policy.commit);
            let line = format!("{word} {} {why}", order.0.0);
            self.plan(at, Deed::Tell(line.trim_end().to_owned()));
        }
    }

    fn become_(&mut self, lent: &mut Lent<'_>, order: Try, standing: Standing) {
        self.enter(lent, BookRecord::Became { order, standing });
    }

    fn standing(&self, order: Try) -> Option<Standing> {
        self.books.attempt(order).map(|one| one.standing)
    }
}
