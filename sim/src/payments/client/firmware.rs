//! The client's program: input, time, and its outputs.

use std::collections::{BTreeMap, VecDeque};

use super::books::{BookRecord, Books, SaleNumber, Standing, Try};
use super::calls::Flying;
use super::config::ClientSetup;
use super::event::ClientEvent;
use super::policy::{Commit, LateSuccess, Restart};
use super::requests::Ask;
use super::{CALLS_FIRST, NOTICES_FIRST, TILL};
use crate::digest::Digest;
use crate::journal::{Journal, Replay as _};
use crate::machine::{Close, Input, Output, Port, Stamped};
use crate::time::{Instant, Now};

/// The longest line of the till.
const LINE_MAX: usize = 256;

/// What the board lends the program for one input.
pub(super) struct Lent<'a> {
    pub(super) now: Now,
    pub(super) setup: &'a ClientSetup,
    pub(super) journal: &'a mut Journal<Books>,
}

/// What waits for its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    /// An order's next call.
    Ask(Try, Ask),
    /// A call should have been answered.
    Overdue(Port, u64),
    /// The till is told.
    Tell(String),
    /// A notification is answered, and its connection closed.
    Receipt(Port, Vec<u8>),
}

/// What is known of an order while the program runs.
#[derive(Clone, Debug)]
pub(super) struct Live {
    /// When its pay call was made, or the program started.
    pub(super) started: Instant,
    /// Its next call, which is the only one that counts.
    pub(super) next: Option<(Instant, Ask)>,
    /// Until when it is asked about though it was given up.
    pub(super) watched: Option<Instant>,
    /// How many refunds were asked for.
    pub(super) refunds: u32,
    /// Another code than that in the books.
    pub(super) code: Option<String>,
}

/// The running program.
#[derive(Clone, Debug)]
pub(super) struct Firmware {
    pub(super) books: Books,
    pub(super) live: BTreeMap<Try, Live>,
    pub(super) flying: BTreeMap<Port, Flying>,
    /// The how-manieth start this is: with the count of calls it makes a nonce.
    pub(super) starts: u32,
    pub(super) calls: u64,
    /// Beginnings of notifications.
    pub(super) notices: BTreeMap<Port, Vec<u8>>,
    till: Vec<u8>,
    pending: BTreeMap<(Instant, u64), Deed>,
    planned: u64,
    out: VecDeque<Stamped<Output<ClientEvent>>>,
}

impl Firmware {
    /// The program as it starts on what the journal holds.
    pub(super) fn start(lent: &Lent<'_>, starts: u32) -> Self {
        let mut firmware = Self {
            books: lent.journal.state().clone(),
            live: BTreeMap::new(),
            flying: BTreeMap::new(),
            starts,
            calls: 0,
            notices: BTreeMap::new(),
            till: Vec::new(),
            pending: BTreeMap::new(),
            planned: 0,
            out: VecDeque::new(),
        };
        let orders: Vec<(Try, Standing, bool)> =
            firmware.books.orders().map(|(order, one)| (order, one.standing, one.code.is_some())).collect();
        firmware.note(lent.now.mono, ClientEvent::Started { orders: orders.len() as u64 });
        if lent.setup.policy.restart == Restart::Resumes {
            for (order, standing, by_code) in orders {
                firmware.resume(lent, order, standing, by_code);
            }
        }
        firmware
    }

    /// An order of before goes on. When it was made is not known, so the latest possible time is taken.
    fn resume(&mut self, lent: &Lent<'_>, order: Try, standing: Standing, by_code: bool) {
        let (now, config) = (lent.now.mono, &lent.setup.config);
        self.enliven(now, order);
        match standing {
            Standing::Open => self.plan_ask(now + config.query_after, order, Ask::Query),
            Standing::Undoing if by_code => self.plan_ask(now + config.undo_after, order, Ask::Reverse),
            Standing::Undoing => self.plan_ask(now + config.close_after, order, Ask::Close),
            Standing::Refunding => self.plan_ask(now + config.again_after, order, Ask::Refund),
            Standing::Dead => self.watch(lent, order),
            Standing::Paid | Standing::Refunded => {}
        }
    }

    pub(super) fn handle_input(&mut self, lent: &mut Lent<'_>, input: Input<'_, std::convert::Infallible>) {
        match input {
            Input::Received { port: TILL, bytes } => self.hear_till(lent, bytes),
            Input::Received { port, bytes } if port >= NOTICES_FIRST => self.hear_notice(lent, port, bytes),
            Input::Received { port, bytes } => self.hear_answer(lent, port, bytes),
            Input::Opened { port, .. } if port >= NOTICES_FIRST => {
                self.notices.insert(port, Vec::new());
            }
            Input::Opened { port, .. } => self.call_opened(lent, port),
            Input::Closed { port, .. } if port >= NOTICES_FIRST => {
                self.notices.remove(&port);
                self.pending.retain(|_, deed| !matches!(deed, Deed::Receipt(to, _) if *to == port));
            }
            Input::Closed { port, .. } => self.call_closed(lent, port),
            Input::Deadline => {
                while let Some(first) = self.pending.first_entry() {
                    if first.key().0 > lent.now.mono {
                        break;
                    }
                    let ((at, _), deed) = first.remove_entry();
                    self.do_deed(lent, at, deed);
                }
            }
            Input::PowerOn | Input::Acked { .. } | Input::Level { .. } => {}
            Input::Stimulus(never) => match never {},
        }
    }

    fn do_deed(&mut self, lent: &mut Lent<'_>, at: Instant, deed: Deed) {
        match deed {
            Deed::Ask(order, ask) => {
                let due =
                    self.live.get_mut(&order).and_then(|live| live.next.take_if(|next| *next == (at, ask)));
                if due.is_some() {
                    self.call(lent, order, ask);
                }
            }
            Deed::Overdue(port, call) => self.call_overdue(lent, port, call),
            Deed::Tell(line) => {
                let bytes = format!("{line}\n").into_bytes();
                self.emit(lent.now.mono, Output::Transmit { port: TILL, bytes });
            }
            Deed::Receipt(port, bytes) => {
                if self.notices.remove(&port).is_some() {
                    self.emit(lent.now.mono, Output::Transmit { port, bytes });
                    self.emit(lent.now.mono, Output::Close { port, how: Close::Fin });
                }
            }
        }
    }

    fn hear_till(&mut self, lent: &mut Lent<'_>, bytes: &[u8]) {
        for byte in bytes {
            if *byte != b'\n' {
                self.till.push(*byte);
                self.till.truncate(LINE_MAX);
                continue;
            }
            let line = String::from_utf8_lossy(&std::mem::take(&mut self.till)).into_owned();
            if self.till_says(lent, &line).is_none() {
                self.note(lent.now.mono, ClientEvent::Ignored);
            }
        }
    }

    /// `charge SALE FEN CODE`, `offer SALE FEN` or `cancel SALE`.
    fn till_says(&mut self, lent: &mut Lent<'_>, line: &str) -> Option<()> {
        let words: Vec<&str> = line.split(' ').collect();
        let number = |text: &str| text.parse::<u32>().ok().map(SaleNumber);
        let fen = |text: &str| text.parse::<i64>().ok().filter(|fen| *fen > 0).map(crate::money::Fen);
        match words[..] {
            ["charge", sale, amount, code] => self.sell(lent, number(sale)?, fen(amount)?, Some(code)),
            ["offer", sale, amount] => self.sell(lent, number(sale)?, fen(amount)?, None),
            ["cancel", sale] => self.cancel(lent, number(sale)?),
            _ => None,
        }
    }

    pub(super) fn enliven(&mut self, now: Instant, order: Try) -> &mut Live {
        let fresh = || Live { started: now, next: None, watched: None, refunds: 0, code: None };
        self.live.entry(order).or_insert_with(fresh)
    }

    /// Changes the books.
    pub(super) fn enter(&mut self, lent: &mut Lent<'_>, record: BookRecord) {
        lent.journal.append(lent.now.mono, record.kind(), record.clone());
        self.books.apply(&record);
        self.note(lent.now.mono, ClientEvent::Entered(record));
    }

    /// When a step may leave that rests on the books as they are.
    pub(super) fn durable(lent: &mut Lent<'_>, commit: Commit) -> Instant {
        let synced = lent.journal.sync(lent.now.mono);
        match commit {
            Commit::BeforeStep => synced,
            Commit::AfterStep => lent.now.mono,
        }
    }

    /// An order is asked about for a while though it was given up.
    pub(super) fn watch(&mut self, lent: &Lent<'_>, order: Try) {
        let (now, config) = (lent.now.mono, &lent.setup.config);
        let watches = lent.setup.policy.afterwards == super::Afterwards::Watches;
        if watches && lent.setup.policy.late == LateSuccess::Refunded {
            self.enliven(now, order).watched = Some(now + config.watch);
            self.plan_ask(now + config.watch_gap, order, Ask::Query);
        }
    }

    /// The next call of an order; what was planned before no longer counts.
    pub(super) fn plan_ask(&mut self, at: Instant, order: Try, ask: Ask) {
        self.enliven(at, order).next = Some((at, ask));
        self.plan(at, Deed::Ask(order, ask));
    }

    pub(super) fn plan(&mut self, at: Instant, deed: Deed) {
        self.planned += 1;
        self.pending.insert((at, self.planned), deed);
    }

    pub(super) fn emit(&mut self, at: Instant, what: Output<ClientEvent>) {
        self.out.push_back(Stamped { at, what });
    }

    pub(super) fn note(&mut self, at: Instant, event: ClientEvent) {
        self.emit(at, Output::Event(event));
    }

    pub(super) const fn books(&self) -> &Books {
        &self.books
    }

    pub(super) fn poll_output(&mut self) -> Option<Stamped<Output<ClientEvent>>> {
        self.out.pop_front()
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.pending.first_key_value().map(|((at, _), _)| *at)
    }

    pub(super) fn timer_name(&self) -> Option<&'static str> {
        Some(match self.pending.first_key_value()?.1 {
            Deed::Ask(_, Ask::Pay | Ask::Offer) => "timer:charge",
            Deed::Ask(_, Ask::Query) => "timer:query",
            Deed::Ask(_, Ask::Reverse) => "timer:reverse",
            Deed::Ask(_, Ask::Close) => "timer:close",
            Deed::Ask(_, Ask::Refund) => "timer:refund",
            Deed::Overdue(..) => "timer:answer",
            Deed::Tell(_) => "timer:till",
            Deed::Receipt(..) => "timer:receipt",
        })
    }

    pub(super) fn each_deadline(&self, tell: &mut dyn FnMut(Instant)) {
        self.pending.keys().for_each(|(at, _)| tell(*at));
    }

    pub(super) fn digest(&self, into: &mut Digest) {
        self.books.digest(into);
        into.bytes(&self.till).word(self.calls);
        for (order, live) in &self.live {
            into.text(&order.number()).age(live.started).deadline(live.next.map(|(at, _)| at));
            into.text(&format!("{:?} {:?} {}", live.next.map(|(_, ask)| ask), live.code, live.refunds));
            into.deadline(live.watched);
        }
        for (port, flying) in &self.flying {
            into.word(u64::from(port.0))
                .flag(flying.opened)
                .flag(flying.answered)
                .bytes(&flying.held)
                .text(flying.ask.as_str());
            into.text(&flying.order.number()).word(flying.call);
        }
        for (port, held) in &self.notices {
            into.word(u64::from(port.0)).bytes(held);
        }
        for ((at, _), deed) in &self.pending {
            into.instant(*at).text(&format!("{deed:?}"));
        }
    }
}

/// The port of a call.
pub(super) fn call_port(call: u64) -> Port {
    let place = u16::try_from(call % u64::from(super::CALLS)).unwrap_or(0);
    Port(CALLS_FIRST.0 + place)
}
