//! The platforms as a party on a bench: the same backend that is served on sockets, with connections as ports.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::net::SocketAddrV4;

use super::backend::Backend;
use super::http::{Answer, Request};
use super::http1::{Scan, encode_request, encode_response, head_len, scan_request, scan_response};
use super::ledger::{Manner, OrderId, State};
use super::notice::NoticeKey;
use crate::digest::Digest;
use crate::machine::{Board, Close, Input, Machine, Output, Port, Stamped, StoreStep, Torn};
use crate::time::{Instant, Now};

/// The first port of notifications, and how many take turns.
pub const NOTICES_FIRST: Port = Port(10);
/// How many notifications are under way at most.
pub const NOTICES: u16 = 32;
/// The first port of merchants' connections.
pub const CALLS_FIRST: Port = Port(1_000);

/// What payers do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PayerStimulus {
    /// Scans the newest order that can be scanned, and pays it.
    ScanAndPay,
    /// Behaves like this from here on.
    Behave(Manner),
}

/// What a platform says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AcquirerEvent {
    /// A payer has done something, or could not.
    Payer(String),
}

impl fmt::Display for AcquirerEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Payer(words) = self;
        f.write_str(words)
    }
}

/// What is to leave at its time.
#[derive(Clone, Debug)]
struct Leaving {
    port: Port,
    bytes: Vec<u8>,
    how: Close,
}

/// A notification on its way.
#[derive(Clone, Debug)]
struct Posted {
    key: NoticeKey,
    bytes: Vec<u8>,
    held: Vec<u8>,
    until: Instant,
    /// Whether its answer is read, so that only the merchant's end of the connection is awaited.
    told: bool,
}

/// The platforms. They never lose their power.
#[derive(Clone, Debug)]
pub struct Acquirer {
    backend: Backend,
    payer: String,
    on: bool,
    calls: BTreeMap<Port, Vec<u8>>,
    answers: BTreeMap<(Instant, u64), Leaving>,
    planned: u64,
    posts: BTreeMap<Port, Posted>,
    posted: u16,
    out: VecDeque<Stamped<Output<AcquirerEvent>>>,
}

impl Acquirer {
    /// The party of a backend, one of whose payers is the one that acts.
    pub const fn new(backend: Backend, payer: String) -> Self {
        Self {
            backend,
            payer,
            on: false,
            calls: BTreeMap::new(),
            answers: BTreeMap::new(),
            planned: 0,
            posts: BTreeMap::new(),
            posted: 0,
            out: VecDeque::new(),
        }
    }

    /// The backend.
    pub const fn backend(&self) -> &Backend {
        &self.backend
    }

    fn hear_call(&mut self, now: Now, port: Port, bytes: &[u8]) {
        let Some(held) = self.calls.get_mut(&port) else { return };
        held.extend_from_slice(bytes);
        match scan_request(held) {
            Scan::NeedMore => {}
            Scan::Junk => {
                self.calls.remove(&port);
                self.emit(now.mono, Output::Close { port, how: Close::Reset });
            }
            Scan::Whole(request, _) => {
                self.calls.insert(port, Vec::new());
                self.answer(now, port, &request);
            }
        }
    }

    fn answer(&mut self, now: Now, port: Port, request: &Request) {
        let reply = self.backend.handle_request(now, request);
        let (bytes, how) = match reply.answer {
            Answer::Whole(response) => (encode_response(&response), Close::Fin),
            Answer::Cut { response, body_len } => {
                let mut bytes = encode_response(&response);
                bytes.truncate(head_len(&response) + body_len);
                (bytes, Close::Reset)
            }
            Answer::Silence => (Vec::new(), Close::Fin),
        };
        self.planned += 1;
        self.answers.insert((now.mono + reply.after, self.planned), Leaving { port, bytes, how });
    }

    fn leave(&mut self, now: Instant) {
        while let Some(first) = self.answers.first_entry().filter(|first| first.key().0 <= now) {
            let Leaving { port, bytes, how } = first.remove();
            if self.calls.remove(&port).is_none() {
                continue;
            }
            if !bytes.is_empty() {
                self.emit(now, Output::Transmit { port, bytes });
            }
            self.emit(now, Output::Close { port, how });
        }
    }

    /// Posts every notification that is due.
    fn post(&mut self, now: Now) {
        while let Some(posting) = self.backend.poll_posting(now) {
            let url = posting.outgoing.url.clone();
            let (host, path) = address(&url);
            let Ok(to) = host.parse::<SocketAddrV4>() else {
                self.backend.handle_posted(now, posting.key, Err(format!("{url} is no address here")));
                continue;
            };
            let port = Port(NOTICES_FIRST.0 + self.posted % NOTICES);
            self.posted = (self.posted + 1) % NOTICES;
            if let Some(old) = self.posts.remove(&port).filter(|old| !old.told) {
                self.backend.handle_posted(now, old.key, Err("no room for so many".to_owned()));
            }
            let request =
                Request { headers: posting.outgoing.headers, ..Request::post(path, posting.outgoing.body) };
            let (key, until) = (posting.key, now.mono + posting.limit);
            let bytes = encode_request(&request, host);
            self.posts.insert(port, Posted { key, bytes, held: Vec::new(), until, told: false });
            self.emit(now.mono, Output::Open { port, to });
        }
    }

    fn hear_receipt(&mut self, now: Now, port: Port, bytes: &[u8]) {
        let Some(posted) = self.posts.get_mut(&port).filter(|posted| !posted.told) else { return };
        posted.held.extend_from_slice(bytes);
        let result = match scan_response(&posted.held) {
            Scan::NeedMore => return,
            Scan::Whole(response, _) => Ok(response),
            Scan::Junk => Err("no HTTP".to_owned()),
        };
        (posted.told, posted.held) = (true, Vec::new());
        self.backend.handle_posted(now, posted.key, result);
    }

    /// A merchant has not answered in time, or has not ended the connection.
    fn overdue(&mut self, now: Now, port: Port) {
        if let Some(posted) = self.posts.remove(&port) {
            self.emit(now.mono, Output::Close { port, how: Close::Reset });
            if !posted.told {
                self.backend.handle_posted(now, posted.key, Err("no answer in time".to_owned()));
            }
        }
    }

    fn payer_does(&mut self, now: Now, stimulus: PayerStimulus) {
        let words = match stimulus {
            PayerStimulus::Behave(manner) => {
                self.backend.ledger_mut().set_manner(&self.payer, manner);
                format!("{} behaves otherwise: {manner:?}", self.payer)
            }
            PayerStimulus::ScanAndPay => self.scan_and_pay(now),
        };
        self.emit(now.mono, Output::Event(AcquirerEvent::Payer(words)));
    }

    fn scan_and_pay(&mut self, now: Now) -> String {
        let orders = self.backend.ledger().orders();
        let open = |order: &&super::ledger::Order| order.is_scanned() && order.state == State::Unscanned;
        let newest = orders.iter().rev().find(open);
        let named = newest.map(|order| (order.house(), order.merchant.clone(), order.terms.number.clone()));
        let Some((house, merchant, number)) = named else {
            return format!("{} finds nothing to scan", self.payer);
        };
        let order = (merchant.as_str(), number.as_str());
        let payer = self.payer.clone();
        let scanned = self.backend.scan(now, house, order, &payer);
        match scanned.and_then(|()| self.backend.pay(now, house, order)) {
            Ok(()) => format!("{payer} has scanned and paid {number}"),
            Err(refusal) => format!("{payer} cannot pay {number}: {refusal:?}"),
        }
    }

    fn emit(&mut self, at: Instant, what: Output<AcquirerEvent>) {
        self.out.push_back(Stamped { at, what });
    }

    /// Everything that is due, in the order in which it is done.
    fn catch_up(&mut self, now: Now) {
        self.backend.handle_deadline(now);
        self.leave(now.mono);
        let late: Vec<Port> =
            self.posts.iter().filter(|(_, posted)| posted.until <= now.mono).map(|(port, _)| *port).collect();
        for port in late {
            self.overdue(now, port);
        }
        self.post(now);
    }
}

/// Host and path of an address.
fn address(url: &str) -> (&str, &str) {
    let rest = url.strip_prefix("http://").unwrap_or(url);
    rest.find('/').map_or((rest, "/"), |at| rest.split_at(at))
}

impl Machine for Acquirer {
    type Stimulus = PayerStimulus;
    type Event = AcquirerEvent;

    fn handle_input(&mut self, now: Now, input: Input<'_, PayerStimulus>) {
        let is_post = |port: Port| port < CALLS_FIRST;
        match input {
            Input::PowerOn => self.on = true,
            Input::Stimulus(stimulus) => self.payer_does(now, stimulus),
            Input::Opened { port, .. } if is_post(port) => {
                if let Some(bytes) = self.posts.get(&port).map(|posted| posted.bytes.clone()) {
                    self.emit(now.mono, Output::Transmit { port, bytes });
                }
            }
            Input::Opened { port, .. } => {
                self.calls.insert(port, Vec::new());
            }
            Input::Received { port, bytes } if is_post(port) => self.hear_receipt(now, port, bytes),
            Input::Received { port, bytes } => self.hear_call(now, port, bytes),
            Input::Closed { port, .. } if is_post(port) => {
                if let Some(posted) = self.posts.remove(&port).filter(|posted| !posted.told) {
                    self.backend.handle_posted(now, posted.key, Err("the connection is gone".to_owned()));
                }
            }
            Input::Closed { port, .. } => {
                self.calls.remove(&port);
            }
            Input::Deadline | Input::Acked { .. } | Input::Level { .. } => {}
        }
        self.catch_up(now);
    }

    fn poll_output(&mut self) -> Option<Stamped<Output<AcquirerEvent>>> {
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
        for OrderId(place) in self.backend.notices().iter().map(|(_, notice)| notice.order) {
            into.word(place as u64);
        }
        for (_, notice) in self.backend.notices().iter() {
            into.word(u64::from(notice.tries)).flag(notice.trouble.is_some());
        }
        for (port, held) in &self.calls {
            into.word(u64::from(port.0)).bytes(held);
        }
        for ((at, _), leaving) in &self.answers {
            into.instant(*at).word(u64::from(leaving.port.0)).bytes(&leaving.bytes);
        }
        for (port, posted) in &self.posts {
            into.word(u64::from(port.0))
                .word(posted.key.0)
                .bytes(&posted.held)
                .instant(posted.until)
                .flag(posted.told);
        }
        into.word(u64::from(self.posted)).word(self.backend.watch().findings().count() as u64);
    }
}

impl Board for Acquirer {
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
