//! The server's program: input, time, and its outputs.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::books::{BookRecord, Books, Standing};
use super::calls::Flying;
use super::config::{ServerEvent, ServerSetup};
use super::modules::{Conn, Session};
use super::policy::{Logging, ServerCommit, ServerRestart};
use super::{CHANNEL, MODULES_FIRST, NOTICES_FIRST};
use crate::digest::Digest;
use crate::journal::{Journal, Replay as _};
use crate::machine::{Close, Input, Output, Port, Stamped};
use crate::payments::call::House;
use crate::paymod::frame::{OrderNumber, status};
use crate::paymod::platform_line::{RECEIPT, Verb};
use crate::seed::Stream;
use crate::time::{Instant, Now};

/// What the board lends the program for one input.
pub(super) struct Lent<'a> {
    pub(super) now: Now,
    pub(super) setup: &'a ServerSetup,
    pub(super) journal: &'a mut Journal<Books>,
    pub(super) draws: &'a mut Stream,
}

/// What waits for its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    /// An order's next call.
    Ask(OrderNumber, Verb),
    /// A call should have been answered.
    Overdue(Port, u64),
    /// A module is sent a message of this session.
    Send(u32, u64, Vec<u8>),
    /// A module waits for what became of an order, and is told that nobody knows yet.
    Later(OrderNumber),
    /// A module is told what it does not know yet.
    Push(u32),
    /// A module should have acknowledged the message of this sequence.
    Unacked(u32, u64, u32),
    /// A notification is answered, and its connection closed.
    Receipt(Port),
}

/// A module that waits for an order's link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Waiting {
    pub(super) device: u32,
    pub(super) session: u64,
    pub(super) sequence: u32,
}

/// What is known of an order while the program runs.
#[derive(Clone, Debug)]
pub(super) struct Live {
    /// When it was made, or the program started.
    pub(super) made: Instant,
    /// Its next call, which is the only one that counts.
    pub(super) next: Option<(Instant, Verb)>,
    /// When it was asked about last.
    pub(super) queried: Option<Instant>,
    /// Until when it is asked about though it was given up.
    pub(super) watched: Option<Instant>,
    /// Who waits for its link.
    pub(super) waiting: Option<Waiting>,
}

/// The running program.
#[derive(Clone, Debug)]
pub(super) struct Firmware {
    pub(super) books: Books,
    pub(super) live: BTreeMap<OrderNumber, Live>,
    pub(super) flying: BTreeMap<Port, Flying>,
    pub(super) calls: u64,
    /// Connections of modules.
    pub(super) conns: BTreeMap<Port, Conn>,
    /// What each module is known by while it is logged in.
    pub(super) sessions: BTreeMap<u32, Session>,
    /// Orders whose module does not know how they stand.
    pub(super) untold: BTreeSet<(u32, OrderNumber)>,
    /// Bytes of the free channel that wait for a module.
    pub(super) data: VecDeque<u8>,
    /// Beginnings of notifications.
    notices: BTreeMap<Port, Vec<u8>>,
    pending: BTreeMap<(Instant, u64), Deed>,
    planned: u64,
    out: VecDeque<Stamped<Output<ServerEvent>>>,
}

impl Firmware {
    /// The program as it starts on what the journal holds.
    pub(super) fn start(lent: &Lent<'_>) -> Self {
        let mut firmware = Self {
            books: lent.journal.state().clone(),
            live: BTreeMap::new(),
            flying: BTreeMap::new(),
            calls: 0,
            conns: BTreeMap::new(),
            sessions: BTreeMap::new(),
            untold: BTreeSet::new(),
            data: VecDeque::new(),
            notices: BTreeMap::new(),
            pending: BTreeMap::new(),
            planned: 0,
            out: VecDeque::new(),
        };
        let orders: Vec<(OrderNumber, Standing, House)> =
            firmware.books.orders().map(|(order, entry)| (order, entry.standing, entry.house)).collect();
        firmware.note(lent.now.mono, ServerEvent::Started { orders: orders.len() });
        if lent.setup.policy.restart == ServerRestart::Resumes {
            for (order, standing, house) in orders {
                firmware.note_untold(order);
                firmware.resume(lent, order, standing, house);
            }
        }
        firmware
    }

    pub(super) fn handle_input(&mut self, lent: &mut Lent<'_>, input: Input<'_, std::convert::Infallible>) {
        match input {
            Input::Received { port: CHANNEL, bytes } => self.hear_channel(lent, bytes),
            Input::Received { port, bytes } if port >= MODULES_FIRST => self.hear_module(lent, port, bytes),
            Input::Received { port, bytes } if port >= NOTICES_FIRST => self.hear_notice(lent, port, bytes),
            Input::Received { port, bytes } => self.hear_answer(lent, port, bytes),
            Input::Opened { port, .. } if port >= MODULES_FIRST => {
                self.conns.insert(port, Conn::default());
            }
            Input::Opened { port, .. } if port >= NOTICES_FIRST => {
                self.notices.insert(port, Vec::new());
            }
            Input::Opened { port, .. } => self.call_opened(lent, port),
            Input::Closed { port, .. } if port >= MODULES_FIRST => self.module_gone(port),
            Input::Closed { port, .. } if port >= NOTICES_FIRST => {
                self.notices.remove(&port);
                self.pending.retain(|_, deed| *deed != Deed::Receipt(port));
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
            Deed::Ask(order, verb) => {
                let due =
                    self.live.get_mut(&order).and_then(|live| live.next.take_if(|next| *next == (at, verb)));
                if due.is_some() {
                    self.call(lent, order, verb);
                }
            }
            Deed::Overdue(port, call) => self.call_overdue(lent, port, call),
            Deed::Send(device, session, bytes) => self.send_module(lent, device, session, bytes),
            Deed::Later(order) => self.answer_later(lent, order),
            Deed::Push(device) => self.push(lent, device),
            Deed::Unacked(device, session, sequence) => self.unacked(lent, device, session, sequence),
            Deed::Receipt(port) => {
                if self.notices.remove(&port).is_some() {
                    let bytes = format!("{RECEIPT}\n").into_bytes();
                    self.emit(lent.now.mono, Output::Transmit { port, bytes });
                    self.emit(lent.now.mono, Output::Close { port, how: Close::Fin });
                }
            }
        }
    }

    fn hear_notice(&mut self, lent: &mut Lent<'_>, port: Port, bytes: &[u8]) {
        let Some(held) = self.notices.get_mut(&port) else { return };
        held.extend_from_slice(bytes);
        let Some((line, used)) = crate::paymod::platform_line::first_line(held) else { return };
        held.drain(..used.min(held.len()));
        if self.take_notice(lent, &line) {
            let at = Self::durable(lent);
            self.plan(at, Deed::Receipt(port));
        } else {
            self.note(lent.now.mono, ServerEvent::Disbelieved);
            self.notices.remove(&port);
            self.emit(lent.now.mono, Output::Close { port, how: Close::Reset });
        }
    }

    pub(super) fn enliven(&mut self, made: Instant, order: OrderNumber) -> &mut Live {
        let fresh = || Live { made, next: None, queried: None, watched: None, waiting: None };
        self.live.entry(order).or_insert_with(fresh)
    }

    /// Changes the books.
    pub(super) fn enter(&mut self, lent: &mut Lent<'_>, record: BookRecord) {
        let logged = match &record {
            BookRecord::Became { standing, .. } => *standing == Standing::Paid,
            _ => true,
        };
        if logged || lent.setup.policy.logging == Logging::Everything {
            lent.journal.append(lent.now.mono, record.kind(), record.clone());
        }
        self.books.apply(&record);
        self.note(lent.now.mono, ServerEvent::Entered(record));
    }

    /// When a step may leave that rests on the books as they are.
    pub(super) fn durable(lent: &mut Lent<'_>) -> Instant {
        let synced = lent.journal.sync(lent.now.mono);
        match lent.setup.policy.commit {
            ServerCommit::BeforeStep => synced,
            ServerCommit::AfterStep => lent.now.mono,
        }
    }

    /// Whether a module has to be told how an order ended.
    pub(super) fn note_untold(&mut self, order: OrderNumber) {
        let Some(entry) = self.books.order(order) else { return };
        let now = entry.standing.status();
        if status::is_final(now) && entry.told != Some(now) {
            self.untold.insert((entry.device, order));
        }
    }

    pub(super) fn plan(&mut self, at: Instant, deed: Deed) {
        self.planned += 1;
        self.pending.insert((at, self.planned), deed);
    }

    pub(super) fn emit(&mut self, at: Instant, what: Output<ServerEvent>) {
        self.out.push_back(Stamped { at, what });
    }

    pub(super) fn note(&mut self, at: Instant, event: ServerEvent) {
        self.emit(at, Output::Event(event));
    }

    pub(super) const fn books(&self) -> &Books {
        &self.books
    }

    pub(super) fn poll_output(&mut self) -> Option<Stamped<Output<ServerEvent>>> {
        self.out.pop_front()
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.pending.first_key_value().map(|((at, _), _)| *at)
    }

    pub(super) fn timer_name(&self) -> Option<&'static str> {
        Some(match self.pending.first_key_value()?.1 {
            Deed::Ask(_, Verb::Precreate) => "timer:precreate",
            Deed::Ask(_, Verb::Query) => "timer:query",
            Deed::Ask(_, Verb::Close) => "timer:close",
            Deed::Ask(_, Verb::Cancel) => "timer:cancel",
            Deed::Ask(_, Verb::Refund) => "timer:refund",
            Deed::Overdue(..) => "timer:answer",
            Deed::Send(..) => "timer:send",
            Deed::Later(_) => "timer:later",
            Deed::Push(_) => "timer:push",
            Deed::Unacked(..) => "timer:ack",
            Deed::Receipt(_) => "timer:receipt",
        })
    }

    pub(super) fn each_deadline(&self, tell: &mut dyn FnMut(Instant)) {
        self.pending.keys().for_each(|(at, _)| tell(*at));
    }

    pub(super) fn digest(&self, into: &mut Digest) {
        self.books.digest(into);
        into.word(self.calls);
        for (order, live) in &self.live {
            into.bytes(order.digits()).age(live.made).deadline(live.next.map(|(at, _)| at));
            into.text(live.next.map_or("", |(_, verb)| verb.as_str())).deadline(live.watched);
            into.flag(live.queried.is_some());
            if let Some(at) = live.queried {
                into.age(at);
            }
            into.text(&format!("{:?}", live.waiting));
        }
        for (port, flying) in &self.flying {
            into.word(u64::from(port.0));
            flying.digest(into);
        }
        for (port, conn) in &self.conns {
            into.word(u64::from(port.0)).bytes(&conn.held);
        }
        for (device, session) in &self.sessions {
            into.word(u64::from(*device));
            session.digest(into);
        }
        for (port, held) in &self.notices {
            into.word(u64::from(port.0)).bytes(held);
        }
        for ((at, _), deed) in &self.pending {
            into.instant(*at).text(&format!("{deed:?}"));
        }
        for (device, order) in &self.untold {
            into.word(u64::from(*device)).bytes(order.digits());
        }
        let (front, back) = self.data.as_slices();
        into.bytes(&[front, back].concat());
    }
}
