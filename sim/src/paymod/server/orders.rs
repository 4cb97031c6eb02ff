//! The decision table: what follows what a module asks for, and what the platform says or does not say.

use super::books::{BookRecord, Standing, order_of, platform_number};
use super::config::ServerEvent;
use super::firmware::{Deed, Firmware, Lent, Waiting};
use super::policy::{
    Closing, LateSuccess, OnDoubt, OnUnknown, PaidWhenClosing, SameOrder, ServerFollowing, Verification,
};
use crate::money::Fen;
use crate::payments::call::House;
use crate::paymod::frame::{Body, OrderNumber, command, refusal, status};
use crate::paymod::platform_line::{Verb, Word, read_notice};
use crate::time::Instant;

/// How often a server that knows no better makes one order.
const ATTEMPTS_MAX: u32 = 3;

impl Firmware {
    /// An order of before goes on. When it was made is not known, so the latest possible time is taken.
    pub(super) fn resume(&mut self, lent: &Lent<'_>, order: OrderNumber, standing: Standing, house: House) {
        let (now, config) = (lent.now.mono, &lent.setup.config);
        match standing {
            Standing::Created => self.plan_ask(now, order, Verb::Precreate),
            Standing::Offered | Standing::Closing => {
                self.plan_ask(now + config.query_gap, order, Verb::Query);
            }
            Standing::Refunding => self.plan_ask(now, order, Verb::Refund),
            Standing::Doubt if lent.setup.policy.doubt == OnDoubt::Refunded => {
                self.plan_ask(now, order, Verb::Refund);
            }
            Standing::Closed if house == House::Alipay => self.watch(lent, order),
            _ => {}
        }
    }

    /// A module wants an order made.
    pub(super) fn module_creates(&mut self, lent: &mut Lent<'_>, body: &Body) {
        let (Some(order), Some(amount)) = (body.order, body.amount) else {
            return self.note(lent.now.mono, ServerEvent::Refused("no order or no amount"));
        };
        let amount = Fen(i64::from(amount));
        if let Some(entry) = self.books.order(order) {
            let known = entry.device == body.device && entry.amount == amount;
            let anew = lent.setup.policy.same_order == SameOrder::MadeAgain;
            if !known && lent.setup.policy.verification == Verification::Again {
                self.note(lent.now.mono, ServerEvent::Refused("the number of another order"));
                let answer = Self::refused(order, amount);
                return self.reply(lent, body, answer, lent.now.mono);
            }
            if anew && entry.standing == Standing::Offered && entry.attempts < ATTEMPTS_MAX {
                self.enter(lent, BookRecord::MadeAgain { order });
                let at = Self::durable(lent);
                self.plan_ask(at, order, Verb::Precreate);
                return self.await_link(lent, body, order);
            }
            return match entry.standing {
                Standing::Created => self.await_link(lent, body, order),
                _ => self.reply_standing(lent, body, order),
            };
        }
        let house = match body.channel {
            Some(1) => Some(House::Wechat),
            Some(2) => Some(House::Alipay),
            _ => None,
        };
        let fits = amount > Fen(0) && amount <= lent.setup.config.amount_max_fen && house.is_some();
        let (device, house) = (body.device, house.unwrap_or(House::Wechat));
        self.enter(lent, BookRecord::Created { order, device, amount, house });
        if !fits && lent.setup.policy.verification == Verification::Again {
            self.become_(lent, order, Standing::Refused);
            return self.reply_standing(lent, body, order);
        }
        let at = Self::durable(lent);
        self.enliven(at, order);
        self.plan_ask(at, order, Verb::Precreate);
        self.await_link(lent, body, order);
    }

    fn refused(order: OrderNumber, amount: Fen) -> Body {
        let amount = u32::try_from(amount.0).ok();
        Body { order: Some(order), amount, status: Some(status::REFUSED), ..Body::default() }
    }

    /// A module is answered when the link is there, or after a while.
    fn await_link(&mut self, lent: &Lent<'_>, body: &Body, order: OrderNumber) {
        let now = lent.now.mono;
        let session = self.sessions.get(&body.device).map_or(0, |session| session.number);
        let waiting = Waiting { device: body.device, session, sequence: body.sequence };
        self.enliven(now, order).waiting = Some(waiting);
        self.plan(now + lent.setup.config.answer_within, Deed::Later(order));
    }

    pub(super) fn answer_later(&mut self, lent: &mut Lent<'_>, order: OrderNumber) {
        if let Some(waiting) = self.live.get_mut(&order).and_then(|live| live.waiting.take()) {
            let refusal = Some(refusal::LATER);
            let error = Body { command: command::ERROR, refusal, ..Body::default() };
            self.reply_to(lent, waiting, error, lent.now.mono);
        }
    }

    /// A module asks how an order stands, and may tell what became of its delivery.
    pub(super) fn module_queries(&mut self, lent: &mut Lent<'_>, body: &Body) {
        let Some(order) = body.order else {
            return self.note(lent.now.mono, ServerEvent::Refused("no order"));
        };
        let entry = self.books.order(order).filter(|entry| entry.device == body.device);
        let paid = entry.is_some_and(|entry| entry.standing == Standing::Paid);
        match body.delivery {
            Some(status::PAID) if paid => self.become_(lent, order, Standing::Delivered),
            Some(status::DOUBT) if paid => match lent.setup.policy.doubt {
                OnDoubt::TakenAsDelivered => self.become_(lent, order, Standing::Delivered),
                OnDoubt::Listed => self.become_(lent, order, Standing::Doubt),
                OnDoubt::Refunded => {
                    self.become_(lent, order, Standing::Doubt);
                    self.refund(lent, order);
                }
            },
            _ => {}
        }
        self.reply_standing(lent, body, order);
    }

    /// A module no longer wants an order. One that is not known is closed before it could be made.
    pub(super) fn module_cancels(&mut self, lent: &mut Lent<'_>, body: &Body) {
        let (Some(order), Some(amount)) = (body.order, body.amount) else {
            return self.note(lent.now.mono, ServerEvent::Refused("no order or no amount"));
        };
        match self.books.order(order).map(|entry| (entry.device, entry.standing)) {
            None => {
                let house = if body.channel == Some(2) { House::Alipay } else { House::Wechat };
                let (device, amount) = (body.device, Fen(i64::from(amount)));
                self.enter(lent, BookRecord::Created { order, device, amount, house });
                self.become_(lent, order, Standing::Closed);
            }
            Some((device, Standing::Created | Standing::Offered)) if device == body.device => {
                self.give_up(lent, order);
            }
            _ => {}
        }
        self.reply_standing(lent, body, order);
    }

    fn reply_standing(&mut self, lent: &mut Lent<'_>, body: &Body, order: OrderNumber) {
        let entry = self.books.order(order).filter(|entry| entry.device == body.device);
        let answer = match entry {
            Some(entry) => Self::told_of(order, entry),
            None => {
                let status = Some(status::WAITING_LINK);
                Body { order: Some(order), amount: body.amount, status, ..Body::default() }
            }
        };
        let at = Self::durable(lent);
        self.reply(lent, body, answer, at);
    }

    /// The next call of an order; what was planned before no longer counts. Queries keep their distance.
    pub(super) fn plan_ask(&mut self, at: Instant, order: OrderNumber, verb: Verb) {
        self.enliven(at, order).next = Some((at, verb));
        self.plan(at, Deed::Ask(order, verb));
    }

    fn plan_query(&mut self, lent: &Lent<'_>, at: Instant, order: OrderNumber) {
        let queried = self.enliven(at, order).queried;
        let soonest = queried.map_or(at, |queried| queried + lent.setup.config.query_gap);
        self.plan_ask(at.max(soonest), order, Verb::Query);
    }

    /// What follows an answer of the platform, or that there is none.
    pub(super) fn answered(&mut self, lent: &mut Lent<'_>, order: OrderNumber, verb: Verb, said: Word) {
        let again = lent.now.mono + lent.setup.config.again_after;
        let Some(standing) = self.books.order(order).map(|entry| entry.standing) else { return };
        match (standing, verb) {
            (Standing::Created, Verb::Precreate) => self.precreated(lent, order, said),
            (Standing::Created | Standing::Offered | Standing::Closing, Verb::Query) => {
                self.query_answered(lent, order, said);
            }
            (Standing::Closed, Verb::Query) => {
                if self.says_paid(order, &said) {
                    return self.paid(lent, order);
                }
                let next = lent.now.mono + lent.setup.config.watch_gap;
                let watched = self.live.get(&order).and_then(|live| live.watched);
                if watched.is_some_and(|end| next <= end) {
                    self.plan_query(lent, next, order);
                }
            }
            (Standing::Closing, Verb::Close | Verb::Cancel) => self.close_answered(lent, order, said),
            (Standing::Refunding, Verb::Refund) => {
                if said == Word::Done {
                    self.become_(lent, order, Standing::Refunded);
                } else {
                    self.plan_ask(again, order, Verb::Refund);
                }
            }
            (Standing::Doubt, Verb::Refund) => self.refund(lent, order),
            // Its state has changed while the call was under way, and its next step is planned.
            _ => {}
        }
    }

    fn precreated(&mut self, lent: &mut Lent<'_>, order: OrderNumber, said: Word) {
        let (now, config) = (lent.now.mono, &lent.setup.config);
        match said {
            Word::Url(link) => {
                self.enter(lent, BookRecord::Offered { order, link });
                let at = Self::durable(lent);
                let waiting = self.live.get_mut(&order).and_then(|live| live.waiting.take());
                if let (Some(waiting), Some(entry)) = (waiting, self.books.order(order)) {
                    let answer = Self::told_of(order, entry);
                    let command = command::CREATE | command::ANSWER;
                    self.reply_to(lent, waiting, Body { command, ..answer }, at);
                }
                match lent.setup.policy.following {
                    ServerFollowing::NotificationsAlone => {
                        let made = self.enliven(now, order).made;
                        self.plan_ask(made + config.scan_window, order, Verb::Query);
                    }
                    _ => self.plan_query(lent, now + config.query_gap, order),
                }
            }
            Word::Refused(code) if code == "ORDERPAID" => self.plan_query(lent, now, order),
            Word::Refused(code) if !matches!(code.as_str(), "SYSTEMERROR" | "BANKERROR") => {
                self.become_(lent, order, Standing::Refused);
            }
            _ => self.unknown(lent, order),
        }
    }

    /// Nobody knows whether the order was made.
    fn unknown(&mut self, lent: &mut Lent<'_>, order: OrderNumber) {
        let (now, config) = (lent.now.mono, &lent.setup.config);
        let made = self.enliven(now, order).made;
        let attempts = self.books.order(order).map_or(0, |entry| entry.attempts);
        match lent.setup.policy.unknown {
            OnUnknown::SameNumber if now >= made + config.create_window => self.give_up(lent, order),
            OnUnknown::NewNumber if attempts < ATTEMPTS_MAX => {
                self.enter(lent, BookRecord::MadeAgain { order });
                let at = Self::durable(lent);
                self.plan_ask(at, order, Verb::Precreate);
            }
            OnUnknown::SameNumber | OnUnknown::NewNumber => {
                self.plan_ask(now + config.again_after, order, Verb::Precreate);
            }
            OnUnknown::TakenAsFailed => self.become_(lent, order, Standing::Refused),
        }
    }

    fn query_answered(&mut self, lent: &mut Lent<'_>, order: OrderNumber, said: Word) {
        if self.says_paid(order, &said) {
            return self.paid(lent, order);
        }
        match said {
            Word::State(state, _) if matches!(state.as_str(), "closed" | "reversed" | "failed") => {
                self.become_(lent, order, Standing::Closed);
            }
            Word::State(state, _) if state == "refunded" => {
                self.become_(lent, order, Standing::Refunded);
            }
            _ => self.still_open(lent, order),
        }
    }

    /// Whether an answer says that an order is paid, and with its amount.
    fn says_paid(&self, order: OrderNumber, said: &Word) -> bool {
        let Word::State(state, amount) = said else { return false };
        state == "paid" && self.books.order(order).is_some_and(|entry| entry.amount == *amount)
    }

    /// An order is asked about again, or its time is over.
    fn still_open(&mut self, lent: &mut Lent<'_>, order: OrderNumber) {
        let (now, config) = (lent.now.mono, &lent.setup.config);
        let Some(entry) = self.books.order(order) else { return };
        let (standing, house) = (entry.standing, entry.house);
        let made = self.enliven(now, order).made;
        if standing == Standing::Offered && now >= made + config.scan_window {
            return self.give_up(lent, order);
        }
        let closes = standing == Standing::Closing && now >= made + config.close_after;
        match house {
            House::Wechat if closes => self.plan_ask(now, order, Verb::Close),
            House::Alipay if standing == Standing::Closing => self.plan_ask(now, order, Verb::Cancel),
            _ if standing == Standing::Created => self.unknown(lent, order),
            _ => self.plan_query(lent, now + config.query_gap, order),
        }
    }

    /// An order is no longer wanted.
    fn give_up(&mut self, lent: &mut Lent<'_>, order: OrderNumber) {
        if lent.setup.policy.closing == Closing::InBooksAlone {
            return self.become_(lent, order, Standing::Closed);
        }
        self.become_(lent, order, Standing::Closing);
        let at = Self::durable(lent);
        self.plan_query(lent, at, order);
    }

    fn close_answered(&mut self, lent: &mut Lent<'_>, order: OrderNumber, said: Word) {
        let (now, again) = (lent.now.mono, lent.now.mono + lent.setup.config.again_after);
        let house = self.books.order(order).map_or(House::Wechat, |entry| entry.house);
        let verb = if house == House::Alipay { Verb::Cancel } else { Verb::Close };
        match said {
            Word::Done => {
                self.become_(lent, order, Standing::Closed);
                if house == House::Alipay {
                    self.watch(lent, order);
                }
            }
            Word::Refunded => self.become_(lent, order, Standing::Refunded),
            Word::Refused(code) => match code.as_str() {
                "ORDERCLOSED" | "ORDERNOTEXIST" | "ORDERREVERSED" => {
                    self.become_(lent, order, Standing::Closed);
                }
                "ORDERPAID" if lent.setup.policy.paid_when_closing == PaidWhenClosing::Closed => {
                    self.become_(lent, order, Standing::Closed);
                }
                "ORDERPAID" => self.plan_query(lent, now, order),
                _ => self.plan_ask(again, order, verb),
            },
            _ => self.plan_ask(again, order, verb),
        }
    }

    /// An order is paid, says the platform.
    fn paid(&mut self, lent: &mut Lent<'_>, order: OrderNumber) {
        match self.books.order(order).map(|entry| entry.standing) {
            Some(Standing::Created | Standing::Offered | Standing::Closing) => {
                self.become_(lent, order, Standing::Paid);
            }
            Some(Standing::Closed | Standing::Refused) if lent.setup.policy.late == LateSuccess::Refunded => {
                self.refund(lent, order);
            }
            _ => {}
        }
    }

    /// Gives an order's money back.
    fn refund(&mut self, lent: &mut Lent<'_>, order: OrderNumber) {
        self.become_(lent, order, Standing::Refunding);
        let at = Self::durable(lent);
        self.plan_ask(at, order, Verb::Refund);
    }

    /// An order that was cancelled is asked about for a while: at Alipay a payment may have been on its way.
    fn watch(&mut self, lent: &Lent<'_>, order: OrderNumber) {
        let (now, config) = (lent.now.mono, &lent.setup.config);
        if lent.setup.policy.late == LateSuccess::Refunded {
            self.enliven(now, order).watched = Some(now + config.watch);
            self.plan_query(lent, now + config.watch_gap, order);
        }
    }

    /// The platform tells that an order is paid; whether that is believed.
    pub(super) fn take_notice(&mut self, lent: &mut Lent<'_>, line: &str) -> bool {
        let Some((number, amount)) = read_notice(line) else { return false };
        let Some((order, attempt)) = order_of(number) else { return false };
        let Some(entry) = self.books.order(order) else { return false };
        if entry.amount != amount || platform_number(order, attempt) != number {
            return false;
        }
        if lent.setup.policy.following != ServerFollowing::QueriesAlone {
            self.paid(lent, order);
        }
        true
    }

    /// Changes how an order stands; its module is told when that is durable.
    fn become_(&mut self, lent: &mut Lent<'_>, order: OrderNumber, standing: Standing) {
        self.enter(lent, BookRecord::Became { order, standing });
        let at = Self::durable(lent);
        let Some(entry) = self.books.order(order) else { return };
        let (device, answer) = (entry.device, Self::told_of(order, entry));
        if !standing.is_open() {
            let waiting = self.live.remove(&order).and_then(|live| live.waiting);
            if let Some(waiting) = waiting {
                let command = command::CREATE | command::ANSWER;
                self.reply_to(lent, waiting, Body { command, ..answer }, at);
            }
        }
        self.note_untold(order);
        self.plan(at, Deed::Push(device));
    }
}
