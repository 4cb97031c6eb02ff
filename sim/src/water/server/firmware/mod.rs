//! The server's program: connections in, answers out, the ledger between.

mod answers;
mod payments;
mod terminals;

use std::collections::{BTreeMap, VecDeque};

use crate::digest::Digest;
use crate::journal::Journal;
use crate::machine::{Close, Input, Output, Port, Stamped};
use crate::time::{Instant, Now};
use crate::water::ledger::{Ledger, LedgerRecord};
use crate::water::server::connection::{Connection, Peer, TerminalPeer};
use crate::water::server::event::{ServerEvent, ServerStimulus};
use crate::water::server::policy::{Commit, Framing};
use crate::water::server::setup::ServerSetup;
use crate::water::server::{PAYMENT_PORT_MIN, TERMINAL_PORT_MIN};

/// What the board lends the program during one input.
pub(super) struct Lent<'a> {
    pub(super) now: Now,
    pub(super) setup: &'a ServerSetup,
    pub(super) journal: &'a mut Journal<Ledger>,
}

/// What waits for its time.
#[derive(Clone, Debug)]
enum Pending {
    Answer {
        port: Port,
        bytes: Vec<u8>,
        /// Whether it is what a negative answer asks for again.
        positive: bool,
    },
    Event(ServerEvent),
}

/// The running message server. All of it is lost with the power.
#[derive(Clone, Debug)]
pub struct MessageServer {
    /// The ledger with everything appended to the journal, durable or not.
    ledger: Ledger,
    connections: BTreeMap<Port, Connection>,
    /// By the time at which it leaves, and by order of arrival among equals.
    pending: BTreeMap<(Instant, u64), Pending>,
    sequence: u64,
    /// When everything that the ledger says is durable.
    durable_at: Instant,
    /// Whether something was appended for which no sync was asked yet.
    unsynced: bool,
    out: VecDeque<Stamped<Output<ServerEvent>>>,
}

impl MessageServer {
    /// The server as it starts on what its journal holds.
    pub(super) fn boot(now: Instant, ledger: Ledger) -> Self {
        let recovered = ServerEvent::Recovered { totals: ledger.totals() };
        Self {
            ledger,
            connections: BTreeMap::new(),
            pending: BTreeMap::new(),
            sequence: 0,
            durable_at: Instant::ZERO,
            unsynced: false,
            out: VecDeque::from([Stamped { at: now, what: Output::Event(recovered) }]),
        }
    }

    /// The ledger with everything appended to the journal, durable or not.
    pub const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    pub(super) fn handle_input(&mut self, lent: &mut Lent<'_>, input: Input<'_, ServerStimulus>) {
        self.release(lent);
        self.give_up_frames(lent);
        match input {
            Input::Opened { port, from: Some(_) } => self.open(lent.now.mono, lent.setup, port),
            Input::Closed { port, .. } => self.forget(port),
            Input::Received { port, bytes } => self.receive(lent, port, bytes),
            Input::Stimulus(ServerStimulus::Report) => {
                let in_doubt = self.ledger.doubts().map(|(order, _)| order).collect();
                self.note(lent.now.mono, ServerEvent::Report { totals: self.ledger.totals(), in_doubt });
            }
            Input::Opened { from: None, .. }
            | Input::PowerOn
            | Input::Deadline
            | Input::Acked { .. }
            | Input::Level { .. } => {}
        }
        self.release(lent);
    }

    pub(super) fn poll_output(&mut self) -> Option<Stamped<Output<ServerEvent>>> {
        self.out.pop_front()
    }

    /// The next timer and its name.
    pub(super) fn next_timer(&self, setup: &ServerSetup) -> Option<(Instant, &'static str)> {
        let answer = self.pending.keys().next().map(|(at, _)| (*at, "answer"));
        if setup.policy.framing == Framing::WaitsForRest {
            return answer;
        }
        let gap = self.connections.values().filter_map(Connection::gap_at).min().map(|at| (at, "frame-gap"));
        answer.into_iter().chain(gap).min()
    }

    /// Every deadline that is set.
    pub(super) fn each_deadline(&self, setup: &ServerSetup, tell: &mut dyn FnMut(Instant)) {
        self.pending.keys().for_each(|(at, _)| tell(*at));
        if setup.policy.framing != Framing::WaitsForRest {
            self.connections.values().filter_map(Connection::gap_at).for_each(tell);
        }
    }

    pub(super) fn digest(&self, now: Instant, setup: &ServerSetup, into: &mut Digest) {
        // The ledger is what the journal holds with all that was appended, so the journal's digest covers it.
        into.instant(self.durable_at).flag(self.unsynced).word(self.connections.len() as u64);
        for (port, connection) in &self.connections {
            connection.digest(now, setup.config.negatives_window, into.word(u64::from(port.0)));
            // When a connection was last heard matters only beside the others, for the choice of the one to drop.
            let longer_silent =
                self.connections.values().filter(|other| other.heard_at < connection.heard_at);
            into.word(longer_silent.count() as u64);
        }
        into.word(self.pending.len() as u64);
        for ((at, _), pending) in &self.pending {
            into.instant(*at);
            match pending {
                Pending::Answer { port, bytes, positive } => {
                    into.word(u64::from(port.0)).bytes(bytes).flag(*positive);
                }
                Pending::Event(event) => {
                    into.text(&format!("{event:?}"));
                }
            }
        }
        into.word(self.out.len() as u64);
        for output in &self.out {
            into.instant(output.at).text(&format!("{:?}", output.what));
        }
    }

    fn note(&mut self, at: Instant, event: ServerEvent) {
        self.out.push_back(Stamped { at, what: Output::Event(event) });
    }

    /// Takes a connection, and drops the one of its sort that was silent for longest if that is one too many.
    fn open(&mut self, now: Instant, setup: &ServerSetup, port: Port) {
        if port.0 < TERMINAL_PORT_MIN {
            return;
        }
        self.forget(port);
        let pays = |port: Port| port.0 >= PAYMENT_PORT_MIN;
        let peer = if pays(port) {
            Peer::Payments(Default::default())
        } else {
            Peer::Terminal(TerminalPeer::default())
        };
        let alike = self.connections.iter().filter(|(other, _)| pays(**other) == pays(port));
        if alike.clone().count() >= setup.config.connections_max
            && let Some(oldest) = alike.min_by_key(|(_, other)| other.heard_at).map(|(oldest, _)| *oldest)
        {
            self.forget(oldest);
            self.out.push_back(Stamped { at: now, what: Output::Close { port: oldest, how: Close::Reset } });
            self.note(now, ServerEvent::Dropped { port: oldest });
        }
        self.connections.insert(port, Connection::new(peer, now));
    }

    /// Forgets a connection and the answers that wait for it.
    fn forget(&mut self, port: Port) {
        if self.connections.remove(&port).is_some_and(|connection| connection.waiting > 0) {
            self.pending
                .retain(|_, pending| !matches!(pending, Pending::Answer { port: to, .. } if *to == port));
        }
    }

    fn receive(&mut self, lent: &mut Lent<'_>, port: Port, bytes: &[u8]) {
        let Some(connection) = self.connections.get_mut(&port) else {
            return;
        };
        connection.heard_at = lent.now.mono;
        match &mut connection.peer {
            Peer::Terminal(terminal) => {
                terminal.stream.push(&lent.setup.frame, lent.now.mono, bytes);
                self.read_frames(lent, port);
            }
            Peer::Payments(lines) => {
                lines.push(bytes);
                self.read_lines(lent, port);
            }
        }
    }

    /// Whether an answer more may wait on a connection; if not, the message that asks for it is dropped.
    fn has_room(&mut self, lent: &Lent<'_>, port: Port) -> bool {
        let room =
            self.connections.get(&port).is_some_and(|open| open.waiting < lent.setup.config.answers_max);
        if !room {
            self.note(lent.now.mono, ServerEvent::Overrun { port });
        }
        room
    }

    /// Lets an answer leave after the time of service, and not before `not_before` or the answers ahead of it.
    fn queue_answer(
        &mut self,
        lent: &Lent<'_>,
        port: Port,
        bytes: Vec<u8>,
        positive: bool,
        not_before: Instant,
    ) {
        let Some(connection) = self.connections.get_mut(&port) else {
            return;
        };
        let at = (lent.now.mono + lent.setup.config.service).max(not_before).max(connection.busy_until);
        connection.busy_until = at;
        connection.waiting += 1;
        self.queue(at, Pending::Answer { port, bytes, positive });
    }

    fn queue(&mut self, at: Instant, pending: Pending) {
        self.pending.insert((at, self.sequence), pending);
        self.sequence += 1;
    }

    /// Appends what the ledger noted, and says from when on an answer may rely on all that the ledger says.
    fn commit(&mut self, lent: &mut Lent<'_>, records: &[LedgerRecord]) -> Instant {
        let now = lent.now.mono;
        for record in records {
            lent.journal.append(now, record.kind(), *record);
        }
        match lent.setup.policy.commit {
            Commit::BeforeAnswer => {
                if !records.is_empty() {
                    self.durable_at = lent.journal.sync(now);
                }
            }
            Commit::AfterAnswer => {
                self.unsynced |= !records.is_empty();
                self.durable_at = now;
            }
        }
        for record in records {
            if let Some(event) = self.event_of(record) {
                self.queue(self.durable_at, Pending::Event(event));
            }
        }
        self.durable_at
    }

    /// What there is to note about a record that the ledger has taken.
    fn event_of(&self, record: &LedgerRecord) -> Option<ServerEvent> {
        let worth = |order| self.ledger.order(order).map(|order| order.volume);
        Some(match *record {
            LedgerRecord::Prepaid { card, order, pricing, paid, volume, credit } => {
                ServerEvent::Prepaid { card, order, pricing, paid, volume, credit }
            }
            LedgerRecord::Offered { card, order, base } => {
                ServerEvent::Offered { card, order, volume: worth(order)?, base }
            }
            LedgerRecord::InDoubt { card, order } => {
                ServerEvent::InDoubt { card, order, volume: worth(order)? }
            }
            LedgerRecord::Closed { card, order, sold } => {
                ServerEvent::Closed { card, order, volume: worth(order)?, sold }
            }
            LedgerRecord::Reopened { card, order } => {
                ServerEvent::Reopened { card, order, volume: worth(order)? }
            }
            // Noted by whoever raised it, for cards too of which the ledger knows nothing.
            LedgerRecord::Alarm { .. } => return None,
        })
    }

    /// Lets everything leave whose time has come.
    fn release(&mut self, lent: &mut Lent<'_>) {
        let now = lent.now.mono;
        while let Some(first) = self.pending.first_entry()
            && first.key().0 <= now
        {
            match first.remove() {
                Pending::Event(event) => self.note(now, event),
                Pending::Answer { port, bytes, positive } => {
                    if let Some(connection) = self.connections.get_mut(&port) {
                        connection.waiting -= 1;
                        if let Peer::Terminal(terminal) = &mut connection.peer {
                            if positive {
                                terminal.last_answer = Some(bytes.clone());
                            } else {
                                terminal.negative_left(now);
                            }
                        }
                    }
                    self.out.push_back(Stamped { at: now, what: Output::Transmit { port, bytes } });
                    if std::mem::take(&mut self.unsynced) {
                        lent.journal.sync(now);
                    }
                }
            }
        }
    }
}
