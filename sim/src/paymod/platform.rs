//! The payment platforms as a party on a bench: the ledger of the payments system, called by lines.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::net::SocketAddrV4;

use super::platform_line::{CallLine, RECEIPT, Verb, Word, first_line, notice};
use crate::digest::Digest;
use crate::machine::{Board, Close, Input, Machine, Output, Port, Stamped, StoreStep, Torn};
use crate::payments::backend::Backend;
use crate::payments::call::{
    Call, CallKind, House, Operation, OrderRef, Outcome, RefundTerms, Refusal, Undone,
};
use crate::payments::ledger::{Manner, State};
use crate::payments::plan::{Misbehaviour, Strike};
use crate::payments::{NoticeKey, Platform as Face, Terms};
use crate::time::{Instant, Now, Span};

/// The first port of notifications, and how many take turns.
pub const NOTICES_FIRST: Port = Port(10);
/// How many notifications are under way at most.
pub const NOTICES: u16 = 64;
/// The first port of the server's connections.
pub const CALLS_FIRST: Port = Port(1_000);

/// How long a slow answer takes: longer than a server waits for it.
const SLOW: Span = Span::s(8);
/// How long after it was undone an order is paid all the same, or after the first notification there is another.
const LATE: Span = Span::s(4);
/// How long a notification is held back.
const HELD: Span = Span::s(40);

/// What payers do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PayerStimulus {
    /// Scans the newest order that can be scanned, and pays it.
    ScanAndPay,
    /// Scans the newest order, and does not pay it yet.
    Scan,
    /// Pays the newest order that was scanned.
    Pay,
    /// Behaves like this from here on.
    Behave(Manner),
    /// No payer does anything: the platform answers the next call like this, or tells of the next payment.
    Misbehave(Misbehaviour),
}

impl PayerStimulus {
    /// What a planned misbehaviour of this name is.
    pub fn suffering(name: &str) -> Option<Self> {
        Some(Self::Misbehave(match name {
            "no-answer" => Misbehaviour::NoAnswer { effect: false },
            "no-answer-done" => Misbehaviour::NoAnswer { effect: true },
            "system-error" => Misbehaviour::SystemError { effect: false },
            "system-error-done" => Misbehaviour::SystemError { effect: true },
            "slow" => Misbehaviour::Slow { by: SLOW },
            "late-success" => Misbehaviour::LateSuccess { after: LATE },
            "notice-twice" => Misbehaviour::Twice { after: LATE },
            "notice-held" => Misbehaviour::Held { by: HELD },
            _ => return None,
        }))
    }

    /// What a payer's word says.
    pub fn read(word: &str) -> Option<Self> {
        match word {
            "scan" => Some(Self::Scan),
            "pay" => Some(Self::Pay),
            "scan-and-pay" => Some(Self::ScanAndPay),
            _ => None,
        }
    }
}

/// What a platform says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlatformEvent {
    /// A payer has done something, or could not.
    Payer(String),
    /// Something will go wrong, in words.
    Misbehaves(String),
}

impl fmt::Display for PlatformEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Payer(words) => f.write_str(words),
            Self::Misbehaves(words) => write!(f, "what comes next goes wrong: {words}"),
        }
    }
}

/// Who has an account at the platforms, and who pays.
#[derive(Clone, Debug)]
pub struct Accounts {
    /// The merchant.
    pub merchant: String,
    /// The payer.
    pub payer: String,
    /// Where the merchant is told of payments.
    pub notify: SocketAddrV4,
}

/// A notification on its way.
#[derive(Clone, Debug)]
struct Posted {
    key: NoticeKey,
    bytes: Vec<u8>,
    held: Vec<u8>,
    until: Instant,
}

/// The platforms. They never lose their power.
#[derive(Clone, Debug)]
pub struct Platform {
    backend: Backend,
    accounts: Accounts,
    on: bool,
    calls: BTreeMap<Port, Vec<u8>>,
    answers: BTreeMap<(Instant, u64), (Port, Vec<u8>)>,
    planned: u64,
    /// How the next call goes wrong.
    next: Option<Misbehaviour>,
    posts: BTreeMap<Port, Posted>,
    posted: u16,
    /// What payers have begun to say on their line, where they have one.
    payers: Option<Vec<u8>>,
    out: VecDeque<Stamped<Output<PlatformEvent>>>,
}

impl Platform {
    /// The line on which payers say what they do, and hear what came of it.
    pub const PAYERS: Port = Port(0);

    /// The party of a backend that has these accounts.
    pub const fn new(backend: Backend, accounts: Accounts) -> Self {
        Self {
            backend,
            accounts,
            on: false,
            calls: BTreeMap::new(),
            answers: BTreeMap::new(),
            planned: 0,
            next: None,
            posts: BTreeMap::new(),
            posted: 0,
            payers: None,
            out: VecDeque::new(),
        }
    }

    /// The same with a line for payers.
    #[must_use]
    pub fn with_payers(mut self) -> Self {
        self.payers = Some(Vec::new());
        self
    }

    /// Payers say what they do, a word a line.
    fn hear_payers(&mut self, now: Now, bytes: &[u8]) {
        let Some(held) = &mut self.payers else { return };
        held.extend_from_slice(bytes);
        while let Some((line, used)) = self.payers.as_deref().and_then(first_line) {
            self.payers.iter_mut().for_each(|held| drop(held.drain(..used)));
            match PayerStimulus::read(line.trim_end()) {
                Some(stimulus) => self.payer_does(now, &stimulus),
                None => self.tell_payers(now.mono, "write `scan`, `pay` or `scan-and-pay`"),
            }
        }
    }

    fn tell_payers(&mut self, now: Instant, words: &str) {
        if self.payers.is_some() {
            let bytes = format!("{words}\n").into_bytes();
            self.emit(now, Output::Transmit { port: Self::PAYERS, bytes });
        }
    }

    /// The backend.
    pub const fn backend(&self) -> &Backend {
        &self.backend
    }

    fn hear_call(&mut self, now: Now, port: Port, bytes: &[u8]) {
        let Some(held) = self.calls.get_mut(&port) else { return };
        held.extend_from_slice(bytes);
        let Some((line, used)) = first_line(held) else { return };
        held.drain(..used.min(held.len()));
        let (after, answer) = match CallLine::read(&line) {
            Some(call) => self.answer(now, &call),
            None => (Span::ZERO, Some(Word::Refused("PARAM_ERROR".to_owned()))),
        };
        self.planned += 1;
        let bytes = answer.map(|word| word.encode()).unwrap_or_default();
        self.answers.insert((now.mono + after, self.planned), (port, bytes));
    }

    fn answer(&mut self, now: Now, line: &CallLine) -> (Span, Option<Word>) {
        let order = OrderRef::Number(line.number.clone());
        let operation = match line.verb {
            Verb::Precreate => Operation::Precreate(Terms {
                number: line.number.clone(),
                amount: line.amount,
                subject: "goods".to_owned(),
                notify_url: Some(self.accounts.notify.to_string()),
                life: Some(Span::s(line.life_s)),
                ..Terms::default()
            }),
            Verb::Query => Operation::Query(order),
            Verb::Close => Operation::Close(order),
            Verb::Cancel => Operation::Cancel(order),
            Verb::Refund => Operation::Refund(RefundTerms {
                order,
                number: Some(format!("{}R", line.number)),
                amount: line.amount,
                total: Some(line.amount),
                reason: "not delivered".to_owned(),
            }),
        };
        let (merchant, platform) = (self.accounts.merchant.clone(), face_of(line.house));
        let call = Call { platform, merchant, operation, echo: BTreeMap::new() };
        if let Some(with) = self.next.filter(|with| with.fits(call.kind())) {
            self.next = None;
            self.strike(call.kind(), with);
        }
        let direct = self.backend.handle_call(now, &call);
        (direct.after, direct.outcome.map(|outcome| word_of(line, &outcome)))
    }

    fn leave(&mut self, now: Instant) {
        while let Some(first) = self.answers.first_entry().filter(|first| first.key().0 <= now) {
            let (port, bytes) = first.remove();
            if self.calls.remove(&port).is_none() {
                continue;
            }
            if !bytes.is_empty() {
                self.emit(now, Output::Transmit { port, bytes });
            }
            self.emit(now, Output::Close { port, how: Close::Fin });
        }
    }

    /// Posts every notification that is due.
    fn post(&mut self, now: Now) {
        while let Some(told) = self.backend.poll_told(now) {
            let port = Port(NOTICES_FIRST.0 + self.posted % NOTICES);
            self.posted = (self.posted + 1) % NOTICES;
            if let Some(old) = self.posts.remove(&port) {
                self.backend.handle_told(now, old.key, Err("no room for so many"));
            }
            let Ok(to) = told.url.parse::<SocketAddrV4>() else { continue };
            let bytes = notice(&told.number, told.amount);
            let until = now.mono + told.limit;
            self.posts.insert(port, Posted { key: told.key, bytes, held: Vec::new(), until });
            self.emit(now.mono, Output::Open { port, to });
        }
    }

    fn hear_receipt(&mut self, now: Now, port: Port, bytes: &[u8]) {
        let Some(posted) = self.posts.get_mut(&port) else { return };
        posted.held.extend_from_slice(bytes);
        let Some((line, _)) = first_line(&posted.held) else { return };
        self.posted(now, port, if line == RECEIPT { Ok(()) } else { Err("not the exact success") });
        self.emit(now.mono, Output::Close { port, how: Close::Fin });
    }

    fn posted(&mut self, now: Now, port: Port, taken: Result<(), &str>) {
        if let Some(posted) = self.posts.remove(&port) {
            self.backend.handle_told(now, posted.key, taken);
        }
    }

    /// The next call of this kind goes wrong like this, before all that is planned.
    fn strike(&mut self, call: CallKind, with: Misbehaviour) {
        let mut plan = self.backend.plan().clone();
        plan.misbehave.insert(0, Strike::next(call, with));
        self.backend.set_plan(plan);
    }

    fn payer_does(&mut self, now: Now, stimulus: &PayerStimulus) {
        let words = match stimulus {
            PayerStimulus::Misbehave(with) => {
                if matches!(with, Misbehaviour::Twice { .. } | Misbehaviour::Held { .. }) {
                    self.strike(CallKind::Notification, *with);
                } else {
                    self.next = Some(*with);
                }
                return self.emit(now.mono, Output::Event(PlatformEvent::Misbehaves(with.to_string())));
            }
            PayerStimulus::Behave(manner) => {
                self.backend.ledger_mut().set_manner(&self.accounts.payer, *manner);
                format!("{} behaves otherwise: {manner:?}", self.accounts.payer)
            }
            PayerStimulus::ScanAndPay => self.scan(now, true),
            PayerStimulus::Scan => self.scan(now, false),
            PayerStimulus::Pay => self.pay(now),
        };
        self.tell_payers(now.mono, &words);
        self.emit(now.mono, Output::Event(PlatformEvent::Payer(words)));
    }

    /// The newest order in a state, as merchants name it.
    fn newest(&self, state: State) -> Option<(House, String, String)> {
        let orders = self.backend.ledger().orders();
        let order = orders.iter().rev().find(|order| order.is_scanned() && order.state == state)?;
        Some((order.house(), order.merchant.clone(), order.terms.number.clone()))
    }

    fn scan(&mut self, now: Now, pays: bool) -> String {
        let payer = self.accounts.payer.clone();
        let Some((house, merchant, number)) = self.newest(State::Unscanned) else {
            return format!("{payer} finds nothing to scan");
        };
        let order = (merchant.as_str(), number.as_str());
        let scanned = self.backend.scan(now, house, order, &payer);
        let done = if pays { scanned.and_then(|()| self.backend.pay(now, house, order)) } else { scanned };
        match done {
            Ok(()) if pays => format!("{payer} has scanned and paid {number}"),
            Ok(()) => format!("{payer} has scanned {number}"),
            Err(refusal) => format!("{payer} cannot pay {number}: {refusal:?}"),
        }
    }

    fn pay(&mut self, now: Now) -> String {
        let payer = self.accounts.payer.clone();
        let Some((house, merchant, number)) = self.newest(State::Waiting) else {
            return format!("{payer} has nothing to pay");
        };
        match self.backend.pay(now, house, (merchant.as_str(), number.as_str())) {
            Ok(()) => format!("{payer} has paid {number}"),
            Err(refusal) => format!("{payer} cannot pay {number}: {refusal:?}"),
        }
    }

    fn emit(&mut self, at: Instant, what: Output<PlatformEvent>) {
        self.out.push_back(Stamped { at, what });
    }

    /// Everything that is due, in the order in which it is done.
    fn catch_up(&mut self, now: Now) {
        self.backend.handle_deadline(now);
        self.leave(now.mono);
        let late: Vec<Port> =
            self.posts.iter().filter(|(_, posted)| posted.until <= now.mono).map(|(port, _)| *port).collect();
        for port in late {
            self.posted(now, port, Err("no answer in time"));
            self.emit(now.mono, Output::Close { port, how: Close::Reset });
        }
        self.post(now);
    }
}

const fn face_of(house: House) -> Face {
    match house {
        House::Wechat => Face::WechatV2,
        House::Alipay => Face::Alipay,
    }
}

/// What a merchant is told of an outcome.
fn word_of(line: &CallLine, outcome: &Outcome) -> Word {
    let unscanned = outcome.order.as_ref().is_some_and(|order| order.state == State::Unscanned);
    if let Err(refusal) = outcome.result {
        return Word::Refused(code_of(refusal).to_owned());
    }
    match line.verb {
        Verb::Precreate => Word::Url(match line.house {
            House::Wechat => format!("weixin://wxpay/bizpayurl?pr={}", line.number),
            House::Alipay => format!("https://qr.alipay.com/{}", line.number),
        }),
        // There is no trade at Alipay before somebody has scanned it.
        Verb::Query if unscanned && line.house == House::Alipay => {
            Word::Refused("ACQ.TRADE_NOT_EXIST".to_owned())
        }
        Verb::Query => match &outcome.order {
            Some(order) => {
                let state = match order.state {
                    State::Unscanned | State::Waiting => "notpay",
                    State::Paid if order.is_refunded() => "refunded",
                    State::Paid => "paid",
                    State::Closed => "closed",
                    State::Reversed => "reversed",
                    State::Failed => "failed",
                };
                Word::State(state.to_owned(), order.terms.amount)
            }
            None => Word::Nothing,
        },
        Verb::Cancel if outcome.again => Word::Again,
        Verb::Cancel if outcome.undone == Some(Undone::Refunded) => Word::Refunded,
        Verb::Close | Verb::Cancel | Verb::Refund => Word::Done,
    }
}

const fn code_of(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::SystemError => "SYSTEMERROR",
        Refusal::BankError => "BANKERROR",
        Refusal::UserPaying => "USERPAYING",
        Refusal::NoSuchOrder => "ORDERNOTEXIST",
        Refusal::OrderPaid => "ORDERPAID",
        Refusal::OrderClosed => "ORDERCLOSED",
        Refusal::OrderReversed => "ORDERREVERSED",
        Refusal::NumberUsed => "OUT_TRADE_NO_USED",
        Refusal::MerchantPoor => "NOTENOUGH",
        Refusal::AmountLimit => "AMOUNT_LIMIT",
        _ => "INVALID_REQUEST",
    }
}

impl Machine for Platform {
    type Stimulus = PayerStimulus;
    type Event = PlatformEvent;

    fn handle_input(&mut self, now: Now, input: Input<'_, PayerStimulus>) {
        let is_post = |port: Port| port < CALLS_FIRST;
        match input {
            Input::PowerOn => self.on = true,
            Input::Stimulus(stimulus) => self.payer_does(now, &stimulus),
            Input::Opened { port, .. } if is_post(port) => {
                if let Some(bytes) = self.posts.get(&port).map(|posted| posted.bytes.clone()) {
                    self.emit(now.mono, Output::Transmit { port, bytes });
                }
            }
            Input::Opened { port, .. } => {
                self.calls.insert(port, Vec::new());
            }
            Input::Received { port: Self::PAYERS, bytes } => self.hear_payers(now, bytes),
            Input::Received { port, bytes } if is_post(port) => self.hear_receipt(now, port, bytes),
            Input::Received { port, bytes } => self.hear_call(now, port, bytes),
            Input::Closed { port, .. } if is_post(port) => {
                self.posted(now, port, Err("the connection is gone"));
            }
            Input::Closed { port, .. } => {
                self.calls.remove(&port);
            }
            Input::Deadline | Input::Acked { .. } | Input::Level { .. } => {}
        }
        self.catch_up(now);
    }

    fn poll_output(&mut self) -> Option<Stamped<Output<PlatformEvent>>> {
        self.out.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let answer = self.answers.first_key_value().map(|((at, _), _)| *at);
        let post = self.posts.values().map(|posted| posted.until).min();
        [self.backend.poll_timeout(), answer, post].into_iter().flatten().min()
    }

    fn digest(&self, _now: Instant, into: &mut Digest) {
        into.flag(self.on).deadline(self.backend.poll_timeout());
        self.backend.ledger().digest(into);
        for (_, notice) in self.backend.notices().iter() {
            into.word(notice.order.0 as u64).word(u64::from(notice.tries)).flag(notice.trouble.is_some());
        }
        for (port, held) in &self.calls {
            into.word(u64::from(port.0)).bytes(held);
        }
        for ((at, _), (port, bytes)) in &self.answers {
            into.instant(*at).word(u64::from(port.0)).bytes(bytes);
        }
        for (port, posted) in &self.posts {
            into.word(u64::from(port.0)).word(posted.key.0).bytes(&posted.held).instant(posted.until);
        }
        into.text(&self.next.map(|with| with.to_string()).unwrap_or_default());
        into.word(self.backend.plan().misbehave.len() as u64);
        into.bytes(self.payers.as_deref().unwrap_or_default());
        into.word(u64::from(self.posted)).word(self.backend.watch().findings().count() as u64);
    }
}

impl Board for Platform {
    fn cut(&mut self, _at: Instant, _torn: Torn) {
        self.on = false;
    }

    fn is_on(&self) -> bool {
        self.on
    }

    fn poll_step(&mut self) -> Option<StoreStep> {
        None
    }
}
