//! One site of a world: a bench of its own that runs as a task of a host, and the sockets of what leaves it.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::time::Sleep;
use turmoil::net::UdpSocket;

use super::TICK;
use super::guest::{Hosted, Seated};
use super::net::{Exchange, Simulated, SimulatedListener};
use super::post::Post;
use crate::drive::sockets::Sockets;
use crate::fault::{FaultPlan, LinkKind, Mishap};
use crate::tabletop::{Family, Part, Tabletop};
use crate::tape::{Keep, LineId, SeatId, Seen, SupplyId};
use crate::time::{Instant, Span};

/// How far a bench runs ahead of its host's clock, which shows whole milliseconds: nothing can come in before the next.
const GRAIN: Span = Span::us(999);

/// A site. It outlives the task that runs it, so that a crash of the host leaves its sockets unread and open.
pub(super) struct Site<F: Family> {
    state: RefCell<State<F>>,
    exchange: Rc<Exchange>,
    pub(super) seats: Vec<SeatId>,
    pub(super) lines: Vec<LineId>,
    pub(super) supplies: Vec<SupplyId>,
}

struct State<F: Family> {
    bench: Tabletop<F>,
    sockets: Sockets<Simulated>,
    post: Post,
    guests: Vec<Hosted<F>>,
    bound: bool,
    waker: Option<Waker>,
}

impl<F: Family> State<F> {
    /// Does what the bench's links want done in the network; whether they wanted anything.
    fn handle_exports(&mut self) -> bool {
        let exports = self.bench.take_exports();
        let any = !exports.is_empty();
        for export in exports {
            if self.bench.leads_out(export.line) == Some(LinkKind::Datagram) {
                self.post.send(self.bench.now(), export);
            } else {
                self.sockets.handle_export(&self.bench, export);
            }
        }
        any
    }
}

impl<F: Family> Site<F> {
    pub(super) fn new(
        part: Part<F>,
        plan: &FaultPlan,
        exchange: &Rc<Exchange>,
        guests: &[Seated<F>],
    ) -> Self {
        let Part { layout, seats, lines, supplies } = part;
        let local = |seated: &Seated<F>| {
            let at = seats.iter().position(|seat| *seat == seated.seat)?;
            Some(Hosted::new(SeatId(u16::try_from(at).ok()?), seated.clone()))
        };
        let guests = guests.iter().filter_map(local).collect();
        let bench = Tabletop::site(layout, plan, Keep::All);
        let state = State {
            sockets: Sockets::new(Simulated(Rc::clone(exchange)), TICK, lines.clone()),
            post: Post::new(exchange, &lines, &bench),
            bench,
            guests,
            bound: false,
            waker: None,
        };
        Self { state: RefCell::new(state), exchange: Rc::clone(exchange), seats, lines, supplies }
    }

    /// Gives the site its place in the simulated network: a host, and its number there.
    pub(super) fn move_in(&self, host: IpAddr, number: usize) {
        self.state.borrow_mut().post.move_in(host, number);
    }

    /// Looks at the bench.
    pub(super) fn look<T>(&self, work: impl FnOnce(&Tabletop<F>) -> T) -> T {
        work(&self.state.borrow().bench)
    }

    /// The bench itself, for as long as nothing else is done with the site.
    pub(super) fn bench(&self) -> std::cell::Ref<'_, Tabletop<F>> {
        std::cell::Ref::map(self.state.borrow(), |state| &state.bench)
    }

    /// Acts on the bench from outside, at `now`, and wakes the task that runs it.
    pub(super) fn act<T>(&self, now: Instant, work: impl FnOnce(&mut Tabletop<F>) -> T) -> T {
        let state = &mut *self.state.borrow_mut();
        while state.bench.step(now) {}
        let done = work(&mut state.bench);
        self.announce(state);
        for guest in &mut state.guests {
            guest.observe(&state.bench);
        }
        if let Some(waker) = state.waker.take() {
            waker.wake();
        }
        done
    }

    /// What strikes here have brought about on other sites.
    pub(super) fn errands(&self) -> Vec<Mishap> {
        self.state.borrow_mut().bench.take_errands()
    }

    /// Takes what is new on the tape before `until`, in the numbers of the whole layout.
    pub(super) fn collect(&self, until: Instant, mut take: impl FnMut(Instant, Seen<F::Event>)) {
        let state = &mut *self.state.borrow_mut();
        while let Some(entry) = state.bench.take_entry(until) {
            take(entry.at, self.renamed(entry.what));
        }
    }

    fn renamed(&self, what: Seen<F::Event>) -> Seen<F::Event> {
        let of_line = |line: LineId| self.lines[usize::from(line.0)];
        let of_seat = |seat: SeatId| self.seats[usize::from(seat.0)];
        match what {
            Seen::Sent { line, way, conn, name, nth, bytes } => {
                Seen::Sent { line: of_line(line), way, conn, name, nth, bytes }
            }
            Seen::Heard { line, way, conn, bytes } => Seen::Heard { line: of_line(line), way, conn, bytes },
            Seen::Opened { line, way, conn } => Seen::Opened { line: of_line(line), way, conn },
            Seen::Closed { line, way, conn, why } => Seen::Closed { line: of_line(line), way, conn, why },
            Seen::Level { line, way, high } => Seen::Level { line: of_line(line), way, high },
            Seen::Power { supply, on } => Seen::Power { supply: self.supplies[usize::from(supply.0)], on },
            Seen::Plug { line, seat, present } => {
                Seen::Plug { line: of_line(line), seat: of_seat(seat), present }
            }
            Seen::Overrun { seat } => Seen::Overrun { seat: of_seat(seat) },
            Seen::Noted { seat, event } => Seen::Noted { seat: of_seat(seat), event },
            Seen::Case(_) | Seen::Struck { .. } => what,
        }
    }

    /// Tells the network which listeners answer.
    fn announce(&self, state: &State<F>) {
        for address in state.sockets.addresses() {
            self.exchange.set_answering(address, state.bench.answers_at(address));
        }
    }

    /// Runs the site on the host on which it is called, until the host crashes.
    ///
    /// Errors: a port that the site's parties listen on is taken.
    pub(super) async fn run(self: Rc<Self>) -> turmoil::Result {
        let addresses = if self.state.borrow().bound { Vec::new() } else { self.look(Tabletop::addresses) };
        for address in addresses {
            let listener = SimulatedListener::bind(address.port()).await?;
            self.state.borrow_mut().sockets.listen(address, listener);
        }
        self.state.borrow_mut().bound = true;
        let binding = self.state.borrow().post.binding();
        if let Some(address) = binding {
            let socket = UdpSocket::bind(address).await?;
            self.state.borrow_mut().post.open(socket);
        }
        self.state.borrow_mut().post.forget_before(host_time());
        let mut sleep = pin!(tokio::time::sleep(Duration::ZERO));
        poll_fn(|cx| self.poll(cx, sleep.as_mut())).await
    }

    /// Does everything that is due, and asks to be woken for the rest. Never ready.
    fn poll(&self, cx: &mut Context<'_>, mut sleep: Pin<&mut Sleep>) -> Poll<turmoil::Result> {
        let state = &mut *self.state.borrow_mut();
        loop {
            let now = host_time();
            let next = self.catch_up(state, cx, now);
            let Some(next) = next else { break };
            let wait = Duration::from_millis(next.since(now).as_us() / 1_000);
            sleep.as_mut().reset(tokio::time::Instant::now() + wait);
            if sleep.as_mut().poll(cx).is_pending() {
                break;
            }
        }
        state.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Does everything that is due within the host's millisecond; returns when there is more.
    fn catch_up(&self, state: &mut State<F>, cx: &mut Context<'_>, now: Instant) -> Option<Instant> {
        let (horizon, mut look, mut looked) = (now + GRAIN, true, Instant::ZERO);
        loop {
            let bench_at = state.bench.next_at();
            // What was due when the sockets were looked at last, and had not come, is late: it wakes the site.
            let arrival = [state.sockets.next_at(), state.post.next_at()].into_iter().flatten().min();
            let arrival = arrival.filter(|at| *at > looked.max(state.bench.now()) || look);
            let next = [arrival, bench_at].into_iter().flatten().min();
            match next.filter(|at| *at <= horizon) {
                Some(at) if arrival.is_none_or(|arrival| at < arrival) => {
                    state.bench.step(at);
                    look |= state.handle_exports();
                    self.announce(state);
                    for guest in &mut state.guests {
                        look |= guest.observe(&state.bench);
                    }
                    continue;
                }
                Some(at) => {
                    // At one time, what comes in comes before what the parties do by themselves.
                    state.bench.pass(at);
                    look = true;
                }
                None => state.bench.pass(now),
            }
            if !look {
                return next;
            }
            look = false;
            looked = state.bench.now();
            // What was done to the bench from outside may have come to this already.
            state.handle_exports();
            self.announce(state);
            state.sockets.poll(cx, &mut state.bench);
            state.post.poll(cx, &mut state.bench);
            for guest in &mut state.guests {
                guest.poll(cx, &mut state.bench);
            }
        }
    }
}

/// The host's clock, in bench time.
fn host_time() -> Instant {
    let elapsed = turmoil::sim_elapsed().unwrap_or_default();
    Instant::from_us(u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX))
}
